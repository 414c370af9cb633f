"""
Columns for the page: each as few whole numbers as it needs, deflated, in base64.

A page's script reads a column back without parsing: numbers come as typed arrays, words as
codes into a sorted list, so that a filter compares numbers and dates are in their order.

======== ==================================================================================
kind     bytes
======== ==================================================================================
steps    whole numbers of ``10**-decimals`` degree, each the zigzag of its difference from the
         last
number   0 where missing, else the value times ``10**decimals``, less `least`, plus 1
float    the 8 bytes of each number: what is not exact in six decimals; NaN where missing
words    codes, then the words in their order, joined by NUL
numbered the number after `prefix`, which `digits` pads with zeros (0: no padding)
text     every row's words, joined by NUL
======== ==================================================================================

Numbers of several bytes are stored byte by byte: first the lowest of all rows, then the next.
Each is little-endian; `plain` has taken NUL out of every text.
"""

from __future__ import annotations

import base64
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Column",
    "Words",
    "along_curve",
    "number_column",
    "pack",
    "steps_column",
    "values_column",
    "words_column",
    "words_of",
]

_LEVEL = 6  # zlib's own choice: the best is half a percent smaller and takes twice as long
_RAW = -15  # deflate without a header, as the browser's "deflate-raw"
_MOST_DECIMALS = 6
_MOST_WHOLE = 2**32 - 2  # four bytes, of which 0 stands for missing
_EXACT = 2**53  # beyond, a float does not hold every whole number
_CODES = 2**16  # more different words than two bytes can tell apart are written out
_MOST_DIGITS = 9  # of a number in four bytes
_CURVE_LEVELS = 16


class Words(NamedTuple):
    """
    A column of texts, each text once.

    Parameters
    ----------
    codes : numpy.ndarray
        Position of each row's text in `words`.
    words : list of str
        Plain texts in their order, without repetition; missing is empty.
    """

    codes: np.ndarray
    words: list[str]

    def take(self, order: np.ndarray) -> Words:
        """
        Return the rows in another order.

        Parameters
        ----------
        order : numpy.ndarray
            Positions of rows.

        Returns
        -------
        Words
            The same texts.
        """
        return Words(self.codes[order], self.words)

    def each(self, change: Callable[[str], str]) -> Words:
        """
        Return the rows with each text changed.

        Parameters
        ----------
        change : callable
            What becomes of a text.

        Returns
        -------
        Words
            The new texts.
        """
        changed = [change(word) for word in self.words]
        words = sorted(set(changed))
        rank = {word: i for i, word in enumerate(words)}
        return Words(np.array([rank[word] for word in changed], dtype=np.int64)[self.codes], words)

    def counts(self) -> dict[str, int]:
        """
        Count the rows of each text that is not empty.

        Returns
        -------
        dict of str to int
            In the order of the words.
        """
        found = np.bincount(self.codes, minlength=len(self.words)).tolist()
        return {word: n for word, n in zip(self.words, found, strict=True) if word and n}


class Column(NamedTuple):
    """
    A column as the page gets it.

    Parameters
    ----------
    about : dict
        Kind, number of rows and what the kind needs to be read.
    data : bytes
        The values.
    """

    about: dict[str, Any]
    data: bytes


def pack(columns: Mapping[str, Column]) -> dict[str, Any]:
    """
    Deflate columns into one text.

    Parameters
    ----------
    columns : mapping of str to Column
        Columns by name; they need not be equally long.

    Returns
    -------
    dict
        ``columns``: what each is; ``bytes``: base64 of the raw deflate of all, one after
        another. The same columns give the same text wherever zlib is the same.
    """
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    data = deflate.compress(b"".join(c.data for c in columns.values())) + deflate.flush()
    return {
        "columns": [{"name": name, **c.about} for name, c in columns.items()],
        "bytes": base64.b64encode(data).decode(),
    }


def words_of(values: pd.Series) -> Words:
    """
    Read any column as plain texts.

    Parameters
    ----------
    values : pandas.Series
        Texts, categories, numbers, dates, missing values.

    Returns
    -------
    Words
        The texts.
    """
    # Objects that are equal need not read alike: 1, 1.0 and True are one to a dictionary.
    rows = [plain(v) for v in values] if values.dtype == object else values
    codes, distinct = pd.factorize(rows if rows is values else np.array(rows, dtype=object))
    texts = [plain(value) for value in np.asarray(distinct, dtype=object)]
    if (codes < 0).any():
        texts.append("")  # where -1 leads
    return Words(codes % max(len(texts), 1), texts).each(str)


def words_column(values: Words) -> Column:
    """
    Encode texts in the shortest of their forms.

    Parameters
    ----------
    values : Words
        Texts.

    Returns
    -------
    Column
        Of kind ``words``; of kind ``numbered`` or ``text`` where most texts differ.
    """
    codes, words = values
    n = len(codes)
    if 2 * len(words) > n:
        numbered = _numbered(words)
        if numbered is not None:
            prefix, digits, numbers = numbered
            width, data = _planes(numbers[codes])
            about = {"kind": "numbered", "n": n, "width": width, "prefix": prefix, "digits": digits}
            return Column(about, data)
        if len(words) > _CODES:
            text = "\0".join([words[i] for i in codes.tolist()]).encode()
            return Column({"kind": "text", "n": n, "size": len(text)}, text)
    text = "\0".join(words).encode()
    width, data = _planes(codes)
    return Column({"kind": "words", "n": n, "width": width, "size": len(text)}, data + text)


def number_column(values: np.ndarray) -> Column:
    """
    Encode numbers as whole multiples of a power of ten where that is exact.

    Parameters
    ----------
    values : numpy.ndarray of float
        Numbers; NaN where missing.

    Returns
    -------
    Column
        Of kind ``number``, or ``float``.
    """
    known = ~np.isnan(values)
    found = values[known]
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = np.rint(found * 10**decimals)
        least = scaled.min(initial=np.inf) if len(found) else 0.0
        if not (np.abs(scaled) < _EXACT).all() or scaled.max(initial=least) - least >= _MOST_WHOLE:
            break
        if np.array_equal(scaled / 10**decimals, found):
            whole = np.zeros(len(values), np.int64)
            whole[known] = scaled - least + 1
            width, data = _planes(whole)
            about = {"kind": "number", "n": len(values), "width": width}
            return Column(about | {"decimals": decimals, "least": int(least)}, data)
    data = _transposed(values.astype("<f8").view(np.uint8).reshape(-1, 8))
    return Column({"kind": "float", "n": len(values), "width": 8}, data)


def steps_column(whole: np.ndarray, *, decimals: int = 5) -> Column:
    """
    Encode whole numbers of which neighbours are near each other.

    Parameters
    ----------
    whole : numpy.ndarray of int
        Coordinates in units of ``10**-decimals`` degree.
    decimals : int, default 5
        Their precision.

    Returns
    -------
    Column
        Of kind ``steps``.
    """
    steps: np.ndarray = np.diff(whole.astype(np.int64), prepend=np.int64(0))
    width, data = _planes((steps << 1) ^ (steps >> 63))
    about = {"kind": "steps", "n": len(whole), "width": width, "decimals": decimals}
    return Column(about, data)


def values_column(values: pd.Series) -> Column:
    """
    Encode a column of any kind: numbers as numbers, all else as texts.

    Parameters
    ----------
    values : pandas.Series
        The column, in the order of the page's rows.

    Returns
    -------
    Column
        The column for the page.
    """
    kind = getattr(values.dtype, "numpy_dtype", values.dtype)
    if isinstance(kind, np.dtype) and (kind.kind in "iu" or kind == np.float64):
        numbers = values.to_numpy(dtype=float, na_value=np.nan)
        # A whole number that a float cannot hold is shown digit by digit.
        if kind.kind == "f" or (np.abs(numbers[~np.isnan(numbers)]) < _EXACT).all():
            return number_column(numbers)
    return words_column(words_of(values))


def along_curve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """
    Return the order of points along a Hilbert curve through their extent.

    Parameters
    ----------
    x, y : numpy.ndarray of int
        Distinct points.

    Returns
    -------
    numpy.ndarray
        Positions of the points; the same points come in the same order however they are given.

    Notes
    -----
    Neighbours on the curve are neighbours in the plane: D. Hilbert (1891), "Ueber die stetige
    Abbildung einer Linie auf ein Flaechenstueck", Mathematische Annalen 38, 459-460.
    """
    if not len(x):
        return np.zeros(0, np.int64)
    span = max(int(np.ptp(x)), int(np.ptp(y)), 1)
    side = 2**_CURVE_LEVELS - 1
    u, v = ((a - a.min()).astype(np.int64) * side // span for a in (x, y))
    place = np.zeros(len(x), np.int64)
    for level in range(_CURVE_LEVELS - 1, -1, -1):
        right, upper = (u >> level) & 1, (v >> level) & 1
        place = (place << 2) | ((3 * right) ^ upper)
        # The curve enters each quarter turned, so that its ends meet those of its neighbours.
        mirrored = (upper == 0) & (right == 1)
        u, v = np.where(mirrored, side - u, u), np.where(mirrored, side - v, v)
        turned = upper == 0
        u, v = np.where(turned, v, u), np.where(turned, u, v)
    return np.lexsort((y, x, place))


def _planes(whole: np.ndarray) -> tuple[int, bytes]:
    """Write whole numbers below 2**32 in as few bytes as the largest needs, byte by byte."""
    width = max(1, (int(whole.max(initial=0)).bit_length() + 7) // 8)
    data = whole.astype("<u4").view(np.uint8).reshape(-1, 4)
    return width, _transposed(data[:, :width])


def _transposed(data: np.ndarray) -> bytes:
    """Write a table of bytes column by column."""
    return np.ascontiguousarray(data.T).tobytes()


def _numbered(words: list[str]) -> tuple[str, int, np.ndarray] | None:
    """Take texts such as ``KH-0012`` apart, if all are one prefix and a number."""
    if not words or not words[0]:
        return None
    # Sorted: what the first and the last share, all share.
    pairs = enumerate(zip(words[0], words[-1], strict=False))
    shared = next((i for i, (a, b) in pairs if a != b), min(len(words[0]), len(words[-1])))
    prefix = words[0][:shared].rstrip("0123456789")
    rest = [word[len(prefix) :] for word in words]
    together = "".join(rest)
    lengths = set(map(len, rest))
    if not (together.isascii() and together.isdecimal()) or 0 in lengths:
        return None
    digits = lengths.pop() if len(lengths) == 1 else 0
    if max({digits, *lengths}) > _MOST_DIGITS:
        return None
    if not digits and any(r[0] == "0" and r != "0" for r in rest):
        return None
    return prefix, digits, np.array(rest, dtype=f"U{_MOST_DIGITS}").astype(np.int64)
