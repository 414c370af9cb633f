"""Compiled search for neighbours in the plane: points in rows, and who is within a distance.

Points stand in rows of equal height, from west to east within a row, so that neighbours of a
point within a distance are in a few stretches of the array.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo._trees import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "BATCH",
    "Found",
    "Points",
    "Rows",
    "gather",
    "in_rows",
    "nearest_distances",
    "pattern_distances",
    "room_for",
]

BATCH = 512  # pairs that are weighed together, so that the processor takes several at a time
_ROWS = 4.0  # to the distance within which neighbours are sought
_MANY = 16  # points in a cell that are sorted faster than one by one
_FEWEST = 64.0  # points in a row that are worth the search for its stretch


class Points(NamedTuple):
    """
    Points of a pattern.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        Coordinates.
    weight : numpy.ndarray, shape (n,)
        What each counts for; empty if each counts one.
    last : numpy.ndarray of int, shape (n,)
        For the border correction the last distance at which each counts, -1 if none.
    """

    x: Floats
    y: Floats
    weight: Floats
    last: Ints


class Rows(NamedTuple):
    """
    Points in rows.

    Parameters
    ----------
    points : Points
        By row and then from west to east.
    order : numpy.ndarray of int, shape (n,)
        The position at which each was given.
    first : numpy.ndarray of int, shape (rows + 1,)
        Where each row starts.
    low, height : float
        The lower end of the first row, and how high each is.
    """

    points: Points
    order: Ints
    first: Ints
    low: float
    height: float


class Found(NamedTuple):
    """
    Pairs of a batch: their points, how far these are, and what they count for.

    Parameters
    ----------
    of, at : numpy.ndarray of int, shape (n,)
        Positions of the points that look, and of those that they see in the rows.
    d : numpy.ndarray, shape (n,)
        Distances; their squares until they are weighed.
    weight : numpy.ndarray, shape (n,)
        Of both directions together where a pair is looked at once.
    spare : numpy.ndarray, shape (4, n)
        Room for what weights are made of.
    """

    of: Ints
    at: Ints
    d: Floats
    weight: Floats
    spare: Floats


@compiled
def room_for(n: int) -> Found:
    """Make room for a batch, the last of whose points may have n neighbours."""
    many = BATCH + n + 1
    return Found(
        np.empty(many, np.int64),
        np.empty(many, np.int64),
        np.empty(many),
        np.empty(many),
        np.empty((4, many)),
    )


@compiled
def in_rows(points: Points, reach: float, low: float, high: float) -> Rows:
    """
    Put points into rows.

    Their number makes sense of the distance within which neighbours are sought, and of that of
    the points; the last row ends at the upper end of the box from `low` on, `high` above it.
    """
    n = len(points.x)
    wanted = math.ceil(_ROWS * high / reach) if reach > 0.0 else 1.0
    count = int(max(min(wanted, n / _FEWEST), 1.0))
    height = high / count * (1.0 + 1e-12) if high > 0.0 else 1.0
    # about a point to a cell: counting into cells is half the way to order
    across = n // count + 1
    west, east = (points.x.min(), points.x.max()) if n else (0.0, 0.0)
    scale = across / (east - west) * (1.0 - 1e-12) if east > west else 0.0
    cell, starts = np.empty(n, np.int64), np.zeros(count * across + 1, np.int64)
    for i in range(n):
        row = min(max(int((points.y[i] - low) / height), 0), count - 1)
        cell[i] = row * across + min(int((points.x[i] - west) * scale), across - 1)
        starts[cell[i] + 1] += 1
    starts = np.cumsum(starts)
    fill, order = starts[:-1].copy(), np.empty(n, np.int64)
    for i in range(n):
        order[fill[cell[i]]] = i
        fill[cell[i]] += 1
    for k in range(count * across):
        _sort(points, order[starts[k] : starts[k + 1]])
    weight = points.weight[order] if len(points.weight) else points.weight
    inside = Points(points.x[order], points.y[order], weight, points.last[order])
    return Rows(inside, order, starts[::across].copy(), low, height)


@compiled
def _sort(points: Points, members: Ints) -> None:
    """Order positions from west to east, and from south to north where they are level."""
    if len(members) > _MANY:
        members[:] = members[np.argsort(points.y[members])]
        members[:] = members[np.argsort(points.x[members], kind="mergesort")]
    for at in range(1, len(members)):
        moved, back = members[at], at
        while back > 0 and _after(points, members[back - 1], moved):
            members[back] = members[back - 1]
            back -= 1
        members[back] = moved


@compiled
def _after(points: Points, one: int, other: int) -> bool:
    """Whether one of two points comes after the other."""
    x, y = points.x, points.y
    return bool(x[one] > x[other] or (x[one] == x[other] and y[one] > y[other]))


@compiled
def _reach(rows: Rows, y: float, r: float) -> tuple[int, int]:
    """Return the first row within reach of a height, and the one after the last."""
    last = len(rows.first) - 1
    begin = min(max(math.floor((y - r - rows.low) / rows.height), 0), last)
    end = min(max(math.floor((y + r - rows.low) / rows.height) + 1, begin), last)
    return begin, end


@compiled
def _west_end(x: Floats, low: int, high: int, value: float) -> int:
    """Return the first position of a row that is not west of a value."""
    left = high - low
    while left > 0:
        half = left >> 1
        # chosen, not jumped to: the processor cannot guess which way it goes
        west = x[low + half] < value
        low = low + half + 1 if west else low
        left = left - half - 1 if west else half
    return low


@compiled
def gather(
    rows: Rows,
    x: float,
    y: float,
    reach: float,
    i: int,
    after: int,
    itself: int,
    found: Found,
    n: int,
) -> int:
    """
    Append the pairs of point i, seen from a place, with those that stand after a position.

    Returns how many pairs there are now. The point at the position `itself` is left out.
    """
    low, top = _reach(rows, y, reach)
    # a root rounds: what is a hair too far is left out when pairs are added by distance
    most = reach * reach * (1.0 + 1e-12)
    px, py, at, length = rows.points.x, rows.points.y, found.at, found.d
    start = n
    for row in range(low, top):
        stretch = rows.first[row + 1]
        first = max(rows.first[row], after + 1)
        if first >= stretch:
            continue
        begin = rows.low + row * rows.height
        away = max(begin - y, y - begin - rows.height, 0.0)
        half = math.sqrt(max(most - away * away, 0.0)) * (1.0 + 1e-9)
        west = _west_end(px, first, stretch, x - half)
        east = _west_end(px, west, stretch, np.nextafter(x + half, np.inf))
        for j in range(west, east):
            dx, dy = px[j] - x, py[j] - y
            square = dx * dx + dy * dy
            # written always, kept if it is near: no branch to guess
            at[n], length[n] = j, square
            n += (square <= most) & (j != itself)
    for t in range(start, n):
        found.of[t] = i
    return n


@compiled
def nearest_distances(
    start: int, stop: int, x: Floats, y: Floats, of: Ints, rows: Rows, out: Floats
) -> None:
    """Write the distance from points to the nearest other one, infinite if there is none."""
    n_rows = len(rows.first) - 1
    for i in range(start, stop):
        best = np.inf
        home = min(max(math.floor((y[i] - rows.low) / rows.height), 0), n_rows - 1)
        for step in range(2 * n_rows):
            # home, one below, one above, two below ...
            row = home + (step + 1) // 2 * (1 if step % 2 else -1)
            if row < 0 or row >= n_rows:
                continue
            away = max(
                rows.low + row * rows.height - y[i], y[i] - rows.low - (row + 1) * rows.height
            )
            if away > 0.0 and away * away > best:
                if step > 1 and step % 2 == 0:
                    break
                continue
            begin, stretch = rows.first[row], rows.first[row + 1]
            middle = _west_end(rows.points.x, begin, stretch, x[i])
            for way in (1, -1):
                j = middle if way == 1 else middle - 1
                while begin <= j < stretch:
                    dx, dy = rows.points.x[j] - x[i], rows.points.y[j] - y[i]
                    if dx * dx > best:
                        break
                    if rows.order[j] != of[i]:
                        best = min(best, dx * dx + dy * dy)
                    j += way
        out[i] = math.sqrt(best)


@compiled
def pattern_distances(
    start: int,
    stop: int,
    xy: Floats,
    cuts: Ints,
    reach: float,
    low: float,
    high: float,
    out: Floats,
) -> None:
    """
    Write the distance from each point to the nearest other one of its own pattern.

    The patterns stand one after another; `cuts` says where each starts. `reach` is about how far
    neighbours are, `low` and `high` are the lower end and the height of the box of all.
    """
    for p in range(start, stop):
        part = xy[cuts[p] : cuts[p + 1]]
        n = len(part)
        points = Points(part[:, 0].copy(), part[:, 1].copy(), np.empty(0), np.zeros(n, np.int64))
        rows = in_rows(points, reach, low, high)
        x, y = points.x, points.y
        nearest_distances(0, n, x, y, np.arange(n), rows, out[cuts[p] : cuts[p + 1]])
