"""Codes of places in text: MGRS, geohash, Plus Code and H3."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from layers._codes import PLUS_DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from layers._secrets import Secrets

    Bools = NDArray[np.bool_]
    Bytes = NDArray[np.uint8]
    Ints = NDArray[np.int64]

__all__ = ["spelt_places"]

_GEOHASH_LENGTHS = range(7, 13)  # from 150 m down
_H3_LEVELS = range(7, 16)  # from 1.4 km down
_H3_HEX, _H3_DECIMAL = 15, 18  # characters
_PLUS = re.compile(rf"([{PLUS_DIGITS}]{{4}}|[{PLUS_DIGITS}]{{8}})\+([{PLUS_DIGITS}]{{0,7}})")
_PLUS_HEAD = 8
_MGRS = re.compile(
    r"(?<!\d)0?(\d{1,2}) ?([A-Z]) ?([A-Z]{2}) ?(\d{2,5}) ?(\d{2,5})(?!\d)", re.IGNORECASE
)
_BEFORE, _AFTER = 6, 16  # characters of MGRS around the letters of its square


def spelt_places(data: Bytes, secrets: Secrets) -> Iterator[tuple[str, int]]:
    """
    Find codes of places in a text.

    Parameters
    ----------
    data : numpy.ndarray of uint8
        The text, of `plain_bytes`.
    secrets : Secrets
        The places.

    Yields
    ------
    tuple of str and int
        The kind of code and the place.
    """
    if len(data) < min(_GEOHASH_LENGTHS):
        return
    start, stop = _words(data)
    yield from (("geohash", place) for place in _geohashes(data, start, stop, secrets))
    yield from (("H3", place) for place in _h3(data, start, stop, secrets))
    yield from (("Plus Code", place) for place in _plus_codes(data, secrets))
    yield from (("MGRS", place) for place in _mgrs(data, secrets))


def _geohashes(data: Bytes, start: Ints, stop: Ints, secrets: Secrets) -> Iterator[int]:
    """Find geohashes of seven characters and more."""
    chosen = np.isin(stop - start, list(_GEOHASH_LENGTHS))
    start, stop = start[chosen], stop[chosen]
    for k in range(3):
        first = _either_case({code[k] for code, _ in secrets.geohashes})
        chosen = first[data[start + k]]
        start, stop = start[chosen], stop[chosen]
    for token in {_text(data, a, b).lower() for a, b in zip(start, stop, strict=True)}:
        yield from _beginning(token, secrets.geohashes)


def _h3(data: Bytes, start: Ints, stop: Ints, secrets: Secrets) -> Iterator[int]:
    """Find cells of H3 as hexadecimal or decimal numbers."""
    length = stop - start
    tokens = set()
    for size, first, base in ((_H3_HEX, b"8", 16), (_H3_DECIMAL, b"6", 10)):
        for at in start[(length == size) & (data[start] == first[0])].tolist():
            try:
                tokens.add(f"{int(_text(data, at, at + size), base):x}")
            except ValueError:
                continue
    if tokens:
        cells = _cells(tuple(secrets.lon.tolist()), tuple(secrets.lat.tolist()))
        for token in tokens:
            yield from cells.get(token, ())


def _plus_codes(data: Bytes, secrets: Secrets) -> Iterator[int]:
    """Find Plus Codes, whole or without their first four digits."""
    digit = _either_case(PLUS_DIGITS)
    plus = np.flatnonzero(data == ord("+"))
    plus = plus[plus >= 4]  # noqa: PLR2004 - digits before the sign
    for back in range(1, 5):
        plus = plus[digit[data[plus - back]]]
    for at in plus.tolist():
        head = re.search(r"[A-Z0-9]*$", _text(data, max(at - _PLUS_HEAD - 1, 0), at).upper())
        tail = re.match(r"[A-Z0-9]*", _text(data, at + 1, at + 1 + _PLUS_HEAD).upper())
        found = _PLUS.fullmatch(f"{head[0] if head else ''}+{tail[0] if tail else ''}")
        if not found:
            continue
        digits = found[1] + found[2]
        if len(found[1]) == _PLUS_HEAD:
            yield from _beginning(digits, secrets.plus_codes)
        elif len(found[2]) > 1 and not digits.isdigit():
            yield from _beginning(digits, secrets.short_codes)


def _mgrs(data: Bytes, secrets: Secrets) -> Iterator[int]:
    """Find MGRS of 1 km and finer, cut off or rounded."""
    for at in _square_letters(data, set(secrets.squares)):
        found = _MGRS.search(_text(data, max(at - _BEFORE, 0), at + _AFTER))
        if found is None:
            continue
        square = secrets.squares.get((found[1] + found[2] + found[3]).upper())
        half, odd = divmod(len(found[4] + found[5]), 2)
        if square is None or odd:
            continue
        unit = 10.0 ** (5 - half)
        digits = found[4] + found[5]
        gap_e = square.easting - int(digits[:half]) * unit
        gap_n = square.northing - int(digits[half:]) * unit
        near = (np.minimum(gap_e, gap_n) >= -unit / 2) & (np.maximum(gap_e, gap_n) <= unit)
        yield from square.place[near].tolist()


def _square_letters(data: Bytes, names: set[str]) -> list[int]:
    """Find where the two letters of a square stand between a band and a digit."""
    pairs = np.zeros(1 << 16, dtype=np.bool_)
    for first, second in {(name[-2], name[-1]) for name in names}:
        for a in (first, first.lower()):
            for b in (second, second.lower()):
                pairs[ord(a) << 8 | ord(b)] = True
    bands = _either_case({name[-3] for name in names})
    at = np.flatnonzero(pairs[data[:-1].astype(np.uint16) << 8 | data[1:]])
    at = at[(at >= 2) & (at + 4 < len(data))]  # noqa: PLR2004 - zone and band before, digits after
    at = at[bands[data[at - 1]] | (bands[data[at - 2]] & (data[at - 1] == ord(" ")))]
    digits = _either_case("0123456789")
    after = digits[data[at + 2]] | (digits[data[at + 3]] & (data[at + 2] == ord(" ")))
    answer: list[int] = at[after].tolist()
    return answer


@lru_cache(maxsize=1)
def _cells(lon: tuple[float, ...], lat: tuple[float, ...]) -> dict[str, list[int]]:
    """Give the cells of places at all levels that are fine enough."""
    import h3  # noqa: PLC0415 - loads a library of its own

    cells: dict[str, list[int]] = {}
    for place, (x, y) in enumerate(zip(lon, lat, strict=True)):
        for level in _H3_LEVELS:
            cells.setdefault(h3.latlng_to_cell(y, x, level), []).append(place)
    return cells


def _words(data: Bytes) -> tuple[Ints, Ints]:
    """Find where words of ASCII letters and digits begin and end."""
    letters = "".join(map(chr, range(ord("a"), ord("z") + 1)))
    inside = np.zeros(len(data) + 2, dtype=np.bool_)
    inside[1:-1] = _either_case(letters + "0123456789")[data]
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return edges[::2], edges[1::2]


def _either_case(characters: str | set[str]) -> Bools:
    """Mark characters in capitals and in small letters."""
    table = np.zeros(256, dtype=np.bool_)
    for character in characters:
        table[[ord(character.lower()), ord(character.upper())]] = True
    return table


def _text(data: Bytes, start: int, stop: int) -> str:
    """Give a piece of the text."""
    return data[start:stop].tobytes().decode("latin-1")


def _beginning(token: str, codes: list[tuple[str, int]]) -> Iterator[int]:
    """Give the places whose code begins as a token does."""
    i = bisect_left(codes, (token, -1))
    while i < len(codes) and codes[i][0].startswith(token):
        yield codes[i][1]
        i += 1
