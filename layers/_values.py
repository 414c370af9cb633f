"""Values of columns that were not released, searched for in texts.

Thousands of values are searched for at once: of each value the six bytes that are rarest among all
of them are looked up at every offset of the text, and only where they stand is it compared.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import geo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Keys = NDArray[np.uint64]

__all__ = ["Values", "find_values", "shipped_values", "values_of"]

_KEY = 6  # bytes that are looked up
_LEAST = 6  # characters of a value that chance does not write
_LEAST_DIGITS = 7
_TABLE_BITS = 23
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")  # in Khmer between words
_DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}")
_NUMERIC = re.compile(r"\+?[\d ().-]+")
_PHONE = re.compile(r"(?<![\w.,+-])(?:\+|0)\d[\d ()-]{5,}\d(?!\w|\.\d)")  # within a sentence


class Values(NamedTuple):
    """
    Values to be found.

    Parameters
    ----------
    texts : list of bytes
        In the form of `find_values`.
    owners : list of list of tuple of str
        The ``site_id`` and the column of each.
    anchor : numpy.ndarray of int
        Where in each its rarest bytes begin.
    keys : numpy.ndarray of uint64
        These bytes, sorted.
    order : numpy.ndarray of int
        Which value each key is of.
    table : numpy.ndarray of bool
        Which hashes of keys there are.
    phones : bool
        Whether some are rows of digits, which people write in groups.
    """

    texts: list[bytes]
    owners: list[list[tuple[str, str]]]
    anchor: NDArray[np.int64]
    keys: Keys
    order: NDArray[np.int64]
    table: NDArray[np.bool_]
    phones: bool


def values_of(
    against: gpd.GeoDataFrame, ids: list[str], released: gpd.GeoDataFrame | None
) -> Values:
    """
    Collect the values of sites that were not released.

    Parameters
    ----------
    against : geopandas.GeoDataFrame
        Sites.
    ids : list of str
        The id of each.
    released : geopandas.GeoDataFrame or None
        What was released of them; what stands in it is not private.

    Returns
    -------
    Values
        Texts of columns other than `geo.RELEASED_COLUMNS`, of six characters at least; numbers
        of seven digits at least; telephone numbers that stand in a text.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    allowed = {"geometry", *geo.RELEASED_COLUMNS}
    for name in against.columns:
        column = against[name]
        if name in allowed or _is_geometry(column):
            continue
        for i, text in _private_texts(column):
            found.setdefault(text, []).append((ids[i], str(name)))
    public = _standing(released)
    kept = {text: owners for text, owners in found.items() if text not in public}
    return _indexed(kept)


def find_values(text: str, values: Values) -> set[int]:
    """
    Find which values stand in a text as words of their own.

    Parameters
    ----------
    text : str
        Any text.
    values : Values
        What is looked for, whatever its case, width of characters and blanks.

    Returns
    -------
    set of int
        Positions of the values.
    """
    if not values.texts or len(text) < _KEY:
        return set()
    plain = _folded(text).encode("utf-8", "replace")
    found = _found(plain, values)
    if values.phones:
        found |= _found(_joined_digits(plain), values)
    return found


def shipped_values(values: Iterable[bytes]) -> set[bytes]:
    """
    Tell which values every page holds: names of places, words of the vocabularies, our scripts.

    Parameters
    ----------
    values : iterable of bytes
        Values, as in `Values`.

    Returns
    -------
    set of bytes
        Those that say nothing of a site.
    """
    names, everywhere = _shipped_names(), _assets()
    return {v for v in values if v.decode() in names or _as_word(v, everywhere)}


@cache
def _shipped_names() -> frozenset[str]:
    """Give the names of the shipped places, and the words of the schema."""
    names = set(_vocabulary())
    for layer in ("towns", "provinces", "districts", "countries"):
        frame = geo.load_reference(layer)
        for column in ("name", "name_km", "aliases", "province"):
            if column in frame:
                cells = frame[column].dropna().astype(str)
                names |= {_folded(part) for cell in cells for part in cell.split("|")}
    return frozenset(names)


def _is_geometry(column: pd.Series) -> bool:
    """Tell whether a column holds geometries."""
    return str(column.dtype) == "geometry"


def _private_texts(column: pd.Series) -> Iterator[tuple[int, str]]:
    """Give row and text of what may be found of the cells of a column."""
    rows: list[int] = []
    cells: list[str] = []
    for i, cell in enumerate(column.astype(object).tolist()):
        for text in _parts(cell):
            rows.append(i)
            cells.append(text)
    # All at once: NUL stands between the cells, and is no blank.
    folded = _folded("\0".join(cells)).split("\0")
    for i, text in zip(rows, folded, strict=True) if rows else ():
        if private := _private(text.strip()):
            yield i, private


def _parts(cell: object) -> list[str]:
    """Give the texts, the telephone numbers in them, and the whole numbers that a cell holds."""
    if isinstance(cell, str):
        text = cell.replace("\0", " ")
        return [text, *(phone for phone in _PHONE.findall(text) if phone != text)]
    if isinstance(cell, dict):
        return [text for part in cell.values() for text in _parts(part)]
    if isinstance(cell, list | tuple | set | np.ndarray):
        return [text for part in cell for text in _parts(part)]
    if isinstance(cell, float | np.floating) and not np.isnan(cell):
        return [str(int(cell)) if float(cell).is_integer() else repr(float(cell))]
    return [str(cell)] if isinstance(cell, int | np.integer) else []


def _private(text: str) -> str:
    """Give the form in which a text is looked for; empty if chance might write it."""
    if len(text) < _LEAST:
        return ""
    if text[0] not in "+(-0123456789" or not _NUMERIC.fullmatch(text):
        return text
    digits = re.sub(r"\D", "", text)
    if _DATE.fullmatch(text) or len(digits.strip("0")) < _LEAST_DIGITS:
        return ""
    return text if "." in text else digits


def _standing(released: gpd.GeoDataFrame | None) -> set[str]:
    """Give the texts that stand in what was released."""
    if released is None:
        return set()
    columns = [released[name] for name in released.columns if not _is_geometry(released[name])]
    return {text for column in columns for _, text in _private_texts(column)}


def _indexed(found: dict[str, list[tuple[str, str]]]) -> Values:
    """Choose the rarest bytes of each value, and sort the values by them."""
    texts = [text.encode("utf-8", "replace") for text in found]
    length = np.array([len(text) for text in texts], dtype=np.int64)
    begin = np.cumsum(length) - length
    windows = _windows(np.frombuffer(b"".join(texts), dtype=np.uint8))
    hashes = _hashed(windows)
    often = np.bincount(hashes, minlength=1)[hashes]
    # The rarest window of each value, the first of several: none crosses into the next value.
    count = length - _KEY + 1
    owner = np.repeat(np.arange(len(texts)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    rarity = often[begin[owner] + within]
    least = np.minimum.reduceat(rarity, np.cumsum(count) - count) if texts else rarity
    rarest = np.flatnonzero(rarity == least[owner])
    anchor = within[rarest[np.searchsorted(owner[rarest], np.arange(len(texts)))]]
    keys = windows[begin + anchor]
    order = np.argsort(keys, kind="stable")
    table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
    table[_hashed(keys)] = True
    phones = any(text.isdigit() for text in texts)
    return Values(texts, list(found.values()), anchor, keys[order], order, table, phones)


def _windows(data: Bytes) -> Keys:
    """Read six bytes at every offset as one number."""
    count = len(data) - _KEY + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64)
    key = np.zeros(count, dtype=np.uint64)
    for k in range(_KEY):
        key |= data[k : k + count].astype(np.uint64) << np.uint64(8 * k)
    return key


def _hashed(keys: Keys) -> NDArray[np.int64]:
    """Spread keys over the table."""
    return ((keys * _SPREAD) >> np.uint64(64 - _TABLE_BITS)).astype(np.int64)


def _found(plain: bytes, values: Values) -> set[int]:
    """Find values in a folded text."""
    data = np.frombuffer(plain, dtype=np.uint8)
    found: set[int] = set()
    piece = 1 << 21
    for start in range(0, len(data), piece):
        keys = _windows(data[start : start + piece + _KEY - 1])
        at = np.flatnonzero(values.table[_hashed(keys)])
        first = np.searchsorted(values.keys, keys[at])
        last = np.searchsorted(values.keys, keys[at], side="right")
        for place, low, high in zip(
            (start + at[last > first]).tolist(),
            first[last > first].tolist(),
            last[last > first].tolist(),
            strict=True,
        ):
            for i in values.order[low:high].tolist():
                if i not in found and _stands(
                    plain, place - int(values.anchor[i]), values.texts[i]
                ):
                    found.add(i)
    return found


def _stands(plain: bytes, at: int, value: bytes) -> bool:
    """Tell whether a value stands at a place, not within a longer word."""
    if at < 0 or not plain.startswith(value, at):
        return False
    return not (
        (value[:1].isalnum() and plain[max(at - 1, 0) : at].isalnum())
        or (value[-1:].isalnum() and plain[at + len(value) : at + len(value) + 1].isalnum())
    )


def _as_word(value: bytes, text: bytes) -> bool:
    """Tell whether a value stands anywhere in a text."""
    at = text.find(value)
    while at >= 0:
        if _stands(text, at, value):
            return True
        at = text.find(value, at + 1)
    return False


def _joined_digits(plain: bytes) -> bytes:
    """Take out what stands between groups of digits."""
    data = np.frombuffer(plain, dtype=np.uint8)
    digit = (data - np.uint8(48)) < 10  # noqa: PLR2004 - smaller characters wrap around
    mark = np.isin(data, np.frombuffer(b" ().-", dtype=np.uint8))
    left, right = np.zeros(len(data), np.bool_), np.zeros(len(data), np.bool_)
    left[1:], right[:-1] = digit[:-1], digit[1:]
    # One mark between digits, or two.
    double = np.zeros(len(data), np.bool_)
    double[:-1] = mark[:-1] & left[:-1] & mark[1:] & right[1:]
    double[1:] |= double[:-1]
    return data[~((mark & left & right) | double)].tobytes()


def _folded(text: str) -> str:
    """Make texts alike that differ in case, width of characters, blanks or unseen characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text))
    return " ".join(text.casefold().split())


def _vocabulary() -> set[str]:
    """Give the words of the schema, with blanks too."""
    words = {word for column in geo.VOCABULARIES.values() for word in column}
    words |= {column.name for column in geo.SITE_SCHEMA}
    return {_folded(form) for word in words for form in (word, word.replace("_", " "))}


@cache
def _assets() -> bytes:
    """Give all that stands in every page."""
    folder = files("layers") / "assets"
    texts = [
        part.read_bytes().decode("utf-8", "replace")
        for part in folder.iterdir()
        if part.name.endswith((".js", ".css", ".json"))
    ]
    return _folded("\n".join(texts)).encode()
