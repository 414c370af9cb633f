"""Numbers that may be coordinates, in bytes at every offset.

Of most offsets the two bytes that say how large a number would be are enough to leave it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layers._numbers import EXACT, FINE, SCALES, Numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["binary_numbers", "camera_numbers", "integer_pairs"]

_LEAST = 8  # bytes: one double, or two whole numbers
_CAMERA = (b"Exif", b"eXIf", b"EXIF", b"II*\0", b"MM\0*")
_CAMERA_REACH = 1 << 17  # bytes: notes of a camera are no longer
_FRACTIONS = 24  # bytes: degrees, minutes and seconds, each over a whole number


def binary_numbers(data: bytes, ranges: list[tuple[float, float]]) -> Iterator[tuple[str, Numbers]]:
    """
    Find floating-point numbers in bytes, at every offset, that lie in one of some ranges.

    Parameters
    ----------
    data : bytes
        Any bytes.
    ranges : list of tuple of float
        Least and greatest of the positive numbers that are looked for.

    Yields
    ------
    tuple of str and Numbers
        The kind of number, and the numbers.
    """
    if len(data) < _LEAST:
        return
    given = np.frombuffer(data, dtype=np.uint8)
    pairs = {"<": given[1:].astype(np.uint16) << 8 | given[:-1]}
    pairs[">"] = pairs["<"].byteswap()
    for size, name in ((8, "binary doubles"), (4, "binary floats")):
        tops = _tops(size, ranges)
        for order, words in pairs.items():
            # The sign, the exponent and the first digits of a number are its last two bytes, or
            # its first.
            shift = size - 2 if order == "<" else 0
            at = np.flatnonzero(tops[words]) - shift
            at = at[(at >= 0) & (at <= len(given) - size)]
            parts = given[at[:, None] + np.arange(size)]
            value = np.abs(parts.view(f"{order}f{size}").ravel().astype(np.float64))
            yield name, _binary(value, at, size)


def camera_numbers(data: bytes) -> Iterator[tuple[str, Numbers]]:
    """
    Find degrees, minutes and seconds as fractions, as cameras note them (Exif).

    Parameters
    ----------
    data : bytes
        Any bytes.

    Yields
    ------
    tuple of str and Numbers
        The kind of number, and the numbers in degrees.
    """
    for begin in _camera_notes(data):
        notes = np.frombuffer(data[begin : begin + _CAMERA_REACH], dtype=np.uint8)
        if len(notes) < _FRACTIONS:
            continue
        rows = np.lib.stride_tricks.sliding_window_view(notes, _FRACTIONS)
        for order in "<>":
            parts = np.ascontiguousarray(rows).view(f"{order}u4").astype(np.float64)
            over = parts[:, 1::2]
            at = np.flatnonzero((over > 0).all(axis=1))
            degrees, minutes, seconds = (parts[at, ::2] / over[at]).T
            fits = (degrees <= 180) & (minutes < 60) & (seconds < 60)  # noqa: PLR2004 - of an angle
            value = (degrees + minutes / 60 + seconds / 3600)[fits]
            cell = np.minimum(1 / (60 * over[at, 1]), 1 / (3600 * over[at, 2]))[fits]
            cell = np.maximum(cell, EXACT)
            yield "degrees, minutes, seconds", Numbers(value, cell, cell, at[fits])


def _camera_notes(data: bytes) -> Iterator[int]:
    """Find where notes of cameras begin, once for each stretch that is looked through."""
    for mark in _CAMERA:
        begin = data.find(mark)
        while begin >= 0:
            yield begin
            begin = data.find(mark, begin + _CAMERA_REACH)


def _binary(value: Floats, at: Ints, size: int) -> Numbers:
    """Tell how fine floating-point numbers are: by their few decimals, or by their bits."""
    # Single ones beyond 64 are 8e-6 apart.
    finest = EXACT if size == 8 else 8e-6  # noqa: PLR2004 - bytes
    cell = np.full(len(value), finest)
    if size == 8:  # noqa: PLR2004 - bytes
        for decimals in range(8, 0, -1):
            cell = np.where(np.round(value, decimals) == value, 10.0**-decimals, cell)
    return Numbers(value, np.where(cell < FINE, cell, EXACT), cell, at)


def integer_pairs(
    data: bytes, lat: tuple[float, float], lon: tuple[float, float]
) -> Iterator[tuple[str, Numbers]]:
    """
    Find neighbouring whole numbers of four bytes that are a latitude and a longitude, scaled.

    Parameters
    ----------
    data : bytes
        Any bytes.
    lat, lon : tuple of float
        Least and greatest of what is looked for.

    Yields
    ------
    tuple of str and Numbers
        The kind of number, and the numbers in degrees.
    """
    if len(data) < _LEAST:
        return
    given = np.frombuffer(data, dtype=np.uint8)
    words = given[1:].astype(np.uint16) << 8 | given[:-1]
    table = _scaled_tops(lat) | _scaled_tops(lon) << 4
    for order, top in (("<", words[2:]), (">", words.byteswap()[:-2])):
        kinds = table[top]
        here, there = kinds[:-4], kinds[4:]
        both = (here & there >> 4) | (here >> 4 & there & 15)
        first = np.flatnonzero(both)
        for bit, scale in enumerate(SCALES):
            begin = first[both[first] >> bit & 1 == 1]
            at = np.unique(np.concatenate([begin, begin + 4]))
            parts = given[at[:, None] + np.arange(4)]
            value = np.abs(parts.view(f"{order}i4").ravel().astype(np.float64)) / scale
            unit = np.full(len(value), 1 / scale)
            yield "binary whole numbers", Numbers(value, unit, unit, at)


def _scaled_tops(degrees: tuple[float, float]) -> Bytes:
    """Mark the upper two bytes of whole numbers of four bytes, by scale, that are in a range."""
    table = np.zeros(1 << 16, dtype=np.uint8)
    for bit, scale in enumerate(SCALES):
        least = int(degrees[0] * scale) >> 16
        most = min(int(degrees[1] * scale) >> 16, (1 << 15) - 1)
        table[least : most + 1] |= 1 << bit
        table[np.arange(-most - 1, -least) % (1 << 16)] |= 1 << bit
    return table


def _tops(size: int, ranges: list[tuple[float, float]]) -> Bools:
    """Mark the first two bytes of all floating-point numbers in some ranges, of both signs."""
    table = np.zeros(1 << 16, dtype=np.bool_)
    for pair in ranges:
        ends = np.array(pair, dtype=f">f{size}").view(np.uint8).reshape(2, size)[:, :2]
        low, high = (ends[:, 0].astype(int) << 8 | ends[:, 1]).tolist()
        table[low : high + 1] = True
        table[(low | 0x8000) : (high | 0x8000) + 1] = True
    return table
