"""Numbers that may be coordinates, in text of every notation and in layers.

Everything is done for all digits at once: a page holds millions of numbers.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "EXACT",
    "FINE",
    "SCALES",
    "Numbers",
    "array_numbers",
    "plain_bytes",
    "text_numbers",
]

EXACT = 1e-9  # what two spellings of one number may differ by
FINE = 1.001e-3  # a number with three decimals or more
_MOST_DECIMALS = 10  # beyond, a digit is finer than `EXACT`
_LOOK_ALIKES = {
    "'": "\u2018\u2019\u2032\u02b9\u02bc\xb4",
    '"': "\u201c\u201d\u2033\u02ba",
    "-": "\u2010\u2011\u2012\u2013\u2212",
    ".": "\u066b",
    "°": "\xba\u02da",
    " ": "\xa0\u2007\u2009\u202f",
}
_PLAIN = {alike: plain for plain, alikes in _LOOK_ALIKES.items() for alike in alikes}
_MARKS = np.frombuffer("°dDoO".encode("latin-1"), dtype=np.uint8)
_POINT, _COMMA, _SPACE, _COLON, _HYPHEN = b".", b",", b" ", b":", b"-"
_MOST_GAP = 10  # characters from the degrees to the minutes: " degrees, "
SCALES = (1e7, 1e6, 1e5)


class Numbers(NamedTuple):
    """
    Numbers in the order of the text, without their signs.

    Parameters
    ----------
    value : numpy.ndarray
        What they say.
    unit : numpy.ndarray
        Of the last digit: the true number is at most half of it below and one above.
    cell : numpy.ndarray
        How finely they tell places apart: the unit of the last digit that is not 0.
    at : numpy.ndarray of int
        Where each stands.
    """

    value: Floats
    unit: Floats
    cell: Floats
    at: Ints

    def take(self, chosen: Bools | Ints) -> Numbers:
        """
        Return some of the numbers.

        Parameters
        ----------
        chosen : numpy.ndarray
            Which of them.

        Returns
        -------
        Numbers
            These.
        """
        value, unit, cell, at = self
        return Numbers(value[chosen], unit[chosen], cell[chosen], at[chosen])


class _Runs(NamedTuple):
    """Runs of digits, and the character that ends each (0 at the end of the text)."""

    data: Bytes
    start: Ints
    stop: Ints
    length: Ints
    ended_by: Bytes

    def joined(self, mark: bytes) -> Bools:
        """Tell which runs have only this character between them and the next run."""
        answer = np.zeros(len(self.start), dtype=np.bool_)
        answer[:-1] = self.start[1:] == self.stop[:-1] + 1
        answer &= self.ended_by == mark[0]
        return answer

    def whole(self, chosen: Ints, most: int) -> Ints:
        """Read the first digits of some runs as whole numbers."""
        start, length = self.start[chosen], np.minimum(self.length[chosen], most)
        value = np.zeros(len(chosen), dtype=np.int64)
        last = len(self.data) - 1
        for k in range(int(length.max(initial=0))):
            more = length > k
            digit = self.data[np.minimum(start + k, last)].astype(np.int64) - 48
            value = np.where(more, 10 * value + digit, value)
        return value

    def fraction(self, chosen: Ints) -> tuple[Floats, Ints, Ints]:
        """Read some runs as decimals: their value, how many, and how many but for last zeros."""
        digits = np.minimum(self.length[chosen], _MOST_DECIMALS)
        value = self.whole(chosen, _MOST_DECIMALS)
        needed, rest = digits.copy(), value.copy()
        ends_in_0 = np.flatnonzero(rest % 10 == 0)
        while len(ends_in_0):
            rest[ends_in_0] //= 10
            needed[ends_in_0] -= 1
            ends_in_0 = ends_in_0[(rest[ends_in_0] % 10 == 0) & (needed[ends_in_0] > 0)]
        return value * 10.0**-digits, digits, needed


def plain_bytes(text: str) -> Bytes:
    """
    Write a text with one byte for each character, digits of every script as those of ASCII.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    numpy.ndarray of uint8
        Latin-1; what it lacks is a question mark.
    """
    if not text.isascii():
        for character in {c for c in set(text) if not c.isascii()}:
            digit = unicodedata.decimal(character, None)
            plain = _PLAIN.get(character) if digit is None else str(digit)
            if plain is not None:
                text = text.replace(character, plain)
    return np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)


def text_numbers(data: Bytes, heads: Bools) -> Iterator[tuple[str, Numbers]]:
    """
    Find the numbers of a text that may be coordinates, by notation.

    Parameters
    ----------
    data : numpy.ndarray of uint8
        Of `plain_bytes`.
    heads : numpy.ndarray of bool
        Which whole degrees occur among the coordinates that are looked for.

    Yields
    ------
    tuple of str and Numbers
        The notation, and its numbers: degrees, or metres where it is ``"metres"``.
    """
    runs = _runs(data)
    if not len(runs.start):
        return
    yield "decimal degrees", _decimals(runs, heads, _POINT)
    yield "decimal degrees", _decimals(runs, heads, _COMMA)
    yield "decimal degrees", _exponents(runs)
    for marked in (True, False):
        yield "degrees, minutes, seconds", _sexagesimal(runs, heads, marked=marked)
    yield "degrees, minutes, seconds", _compact(runs, heads)
    for scale in SCALES:
        yield "whole numbers of a fraction of a degree", _scaled(runs, heads, scale)
    yield "metres", _metres(runs)


def array_numbers(lonlat: Floats) -> Numbers:
    """
    Give the vertices of a layer as numbers, latitude after longitude.

    Parameters
    ----------
    lonlat : numpy.ndarray, shape (n, 2)
        Vertices.

    Returns
    -------
    Numbers
        As fine as all of them are written, at most 1e-5: a metre.
    """
    value = np.abs(np.asarray(lonlat, dtype=np.float64)).ravel()
    value = np.where(np.isfinite(value), value, 1e99)
    fits = (d for d in range(5) if np.allclose(value * 10**d, np.rint(value * 10**d), 0, 1e-6))
    cell = 10.0 ** -next(fits, 5)
    unit = cell if cell < FINE else EXACT
    at = 10 * (np.arange(len(value)) // 2) + np.arange(len(value)) % 2
    return Numbers(value, np.full(len(value), unit), np.full(len(value), cell), at)


def _runs(data: Bytes) -> _Runs:
    """Find the runs of digits of a text."""
    digit = (data - np.uint8(48)) < 10  # noqa: PLR2004 - smaller characters wrap around
    edges = np.flatnonzero(digit[1:] != digit[:-1]) + 1
    if len(data) and digit[0]:
        edges = np.concatenate([[0], edges])
    if len(edges) % 2:
        edges = np.concatenate([edges, [len(data)]])
    start, stop = edges[::2].astype(np.int64), edges[1::2].astype(np.int64)
    last = len(data) - 1
    ended_by = np.where(stop <= last, data[np.minimum(stop, last)], 0) if last >= 0 else data
    return _Runs(data, start, stop, stop - start, ended_by.astype(np.uint8))


def _heads(runs: _Runs, chosen: Ints, heads: Bools) -> Ints:
    """Keep the runs that are whole degrees which are looked for."""
    chosen = chosen[runs.length[chosen] <= 3]  # noqa: PLR2004 - digits of 180
    return chosen[heads[runs.whole(chosen, 3)]]


def _units(digits: Ints, needed: Ints) -> tuple[Floats, Floats]:
    """Give unit and cell of decimal numbers; coarse ones agree only if they are equal."""
    unit: Floats = np.where(digits < 3, EXACT, 10.0 ** -digits.astype(float))  # noqa: PLR2004
    cell: Floats = 10.0 ** -needed.astype(float)
    return unit, cell


def _decimals(runs: _Runs, heads: Bools, mark: bytes) -> Numbers:
    """Read decimal degrees."""
    i = _heads(runs, np.flatnonzero(runs.joined(mark)), heads)
    fraction, digits, needed = runs.fraction(i + 1)
    return Numbers(runs.whole(i, 3) + fraction, *_units(digits, needed), runs.start[i])


def _exponents(runs: _Runs) -> Numbers:
    """Read decimal degrees as 1.0455e+02."""
    i = np.flatnonzero(runs.joined(_POINT) & (runs.length == 1))
    i = i[i + 2 < len(runs.start)]
    i = i[np.isin(runs.ended_by[i + 1], np.frombuffer(b"eE", dtype=np.uint8))]
    gap = runs.start[i + 2] - runs.stop[i + 1]
    signed = (gap == 2) & (runs.data[np.minimum(runs.stop[i + 1] + 1, len(runs.data) - 1)] == 43)  # noqa: PLR2004
    power = runs.whole(i + 2, 2)
    keep = ((gap == 1) | signed) & (power >= 1) & (power <= 2) & (runs.length[i + 2] <= 2)  # noqa: PLR2004
    i, power = i[keep], power[keep]
    fraction, digits, needed = runs.fraction(i + 1)
    fraction += runs.whole(i, 1)
    units = _units(np.maximum(digits - power, 0), np.maximum(needed - power, 0))
    return Numbers(fraction * 10.0**power, *units, runs.start[i])


def _sexagesimal(runs: _Runs, heads: Bools, *, marked: bool) -> Numbers:
    """Read degrees and minutes, and seconds where there are any."""
    count = len(runs.start)
    i = np.arange(count - 1)
    gap = runs.start[1:] - runs.stop[:-1]
    i = i[(gap <= _MOST_GAP) & (runs.length[1:] <= 2)]  # noqa: PLR2004 - digits of 59
    last = len(runs.data) - 1
    after = runs.data[np.minimum(runs.stop[i] + 1, last)]
    mark = runs.ended_by[i]
    has_mark = np.isin(mark, _MARKS) | ((mark == _SPACE[0]) & np.isin(after, _MARKS))
    bare = np.isin(mark, np.frombuffer(b" :-,", dtype=np.uint8)) & (gap[i] == 1)
    i = _heads(runs, i[has_mark if marked else bare], heads)
    minutes = runs.whole(i + 1, 2)
    i, minutes = i[minutes < 60], minutes[minutes < 60]  # noqa: PLR2004 - of a degree
    degrees = runs.whole(i, 3) + minutes / 60
    with_point = runs.joined(_POINT) | runs.joined(_COMMA)
    by_minutes = with_point[i + 1] & (i + 2 < count)
    fraction, digits, _ = runs.fraction(np.where(by_minutes, i + 2, 0))
    cell = 10.0 ** -digits.astype(float) / 60
    by_minutes &= digits >= 2  # noqa: PLR2004 - one decimal leaves 200 m open
    found = [
        Numbers(degrees + fraction / 60, cell, cell, runs.start[i]).take(by_minutes),
        _with_seconds(runs, i[~by_minutes], degrees[~by_minutes], marked=marked),
    ]
    return _merged(found)


def _with_seconds(runs: _Runs, i: Ints, degrees: Floats, *, marked: bool) -> Numbers:
    """Add the seconds to degrees and minutes; what has none is too coarse and left out."""
    count = len(runs.start)
    gap = runs.start[np.minimum(i + 2, count - 1)] - runs.stop[i + 1]
    fits = (i + 2 < count) & (gap <= _MOST_GAP)
    if not marked:
        fits &= (gap == 1) & (runs.ended_by[i + 1] == runs.ended_by[i])
    i, degrees = i[fits], degrees[fits]
    seconds = runs.whole(i + 2, 2)
    fits = (runs.length[i + 2] <= 2) & (seconds < 60)  # noqa: PLR2004 - of a minute
    i, degrees, seconds = i[fits], degrees[fits], seconds[fits]
    pointed = (runs.joined(_POINT) | runs.joined(_COMMA))[i + 2] & (i + 3 < count)
    fraction, digits, _ = runs.fraction(np.where(pointed, i + 3, 0))
    cell = np.where(pointed, 10.0 ** -digits.astype(float), 1.0) / 3600
    value = degrees + (seconds + np.where(pointed, fraction, 0.0)) / 3600
    return Numbers(value, cell, cell, runs.start[i])


def _compact(runs: _Runs, heads: Bools) -> Numbers:
    """Read DDMM.mm, DDMMSS and DDMMSS.s, as receivers and charts write them."""
    joined = runs.joined(_POINT)
    found = []
    for lengths, is_seconds in (((4, 5), False), ((6, 7), True)):
        i = np.flatnonzero(np.isin(runs.length, lengths) & (joined | is_seconds))
        whole = runs.whole(i, lengths[1])
        sixtieths = whole % 10_000 if is_seconds else 100 * (whole % 100)
        head = whole // (10_000 if is_seconds else 100)
        minutes, seconds = sixtieths // 100, sixtieths % 100
        fits = (head < len(heads)) & (minutes < 60) & (seconds < 60)  # noqa: PLR2004 - of an hour
        fits[fits] = heads[head[fits]]
        i, head, minutes, seconds = i[fits], head[fits], minutes[fits], seconds[fits]
        pointed = joined[i] & (i + 1 < len(runs.start))
        fraction, digits, _ = runs.fraction(np.where(pointed, i + 1, 0))
        fraction, digits = np.where(pointed, fraction, 0.0), np.where(pointed, digits, 0)
        per_degree = 3600 if is_seconds else 60
        value = head + minutes / 60 + seconds / 3600 + fraction / per_degree
        cell = 10.0 ** -digits.astype(float) / per_degree
        found.append(Numbers(value, cell, cell, runs.start[i]).take(cell < FINE))
    return _merged(found)


def _scaled(runs: _Runs, heads: Bools, scale: float) -> Numbers:
    """Read whole numbers of 1e-7, 1e-6 or 1e-5 degree."""
    i = _alone(runs, 6, 10)
    value: Floats = runs.whole(i, 10) / scale
    fits = value < len(heads)
    fits[fits] = heads[value[fits].astype(np.int64)]
    unit = np.full(int(fits.sum()), 1 / scale)
    return Numbers(value[fits], unit, unit, runs.start[i[fits]])


def _metres(runs: _Runs) -> Numbers:
    """Read numbers of five to eight digits, with decimals or without."""
    i = _alone(runs, 5, 8)
    pointed = runs.joined(_POINT)[i] & (i + 1 < len(runs.start))
    fraction, digits, _ = runs.fraction(np.where(pointed, i + 1, 0))
    value = runs.whole(i, 8).astype(float) + np.where(pointed, fraction, 0.0)
    unit = np.where(pointed, np.maximum(10.0 ** -digits.astype(float), 1e-3), 1.0)
    return Numbers(value, unit, unit, runs.start[i])


def _alone(runs: _Runs, least: int, most: int) -> Ints:
    """Find runs of some length that are no decimals of another number."""
    fits = (runs.length >= least) & (runs.length <= most)
    fits[1:] &= ~runs.joined(_POINT)[:-1]
    return np.flatnonzero(fits)


def _merged(parts: list[Numbers]) -> Numbers:
    """Join numbers in the order of their places."""
    joined = Numbers(
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.unit for part in parts]),
        np.concatenate([part.cell for part in parts]),
        np.concatenate([part.at for part in parts]),
    )
    return joined.take(np.argsort(joined.at, kind="stable"))
