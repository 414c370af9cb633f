"""Compiled sums over pairs of a planar pattern: the loops behind `pattern`.

Points stand in rows of equal height, from west to east within a row, so that neighbours of a
point within a distance are in a few stretches of the array. Every loop runs over ordered pairs
(i, j) and gives each i to one thread; sums are kept by blocks of i, whose number is fixed, and
added in order, so that the answer does not depend on the number of threads.
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
    "BORDER",
    "ISOTROPIC",
    "NONE",
    "PERIODIC",
    "TRANSLATION",
    "Frame",
    "Rows",
    "border_distances",
    "nearest_distances",
    "pair_densities",
    "pair_sums",
]

NONE, BORDER, ISOTROPIC, TRANSLATION, PERIODIC = range(5)
_MOST_WEIGHT = 100.0  # of an isotropic correction, as in spatstat


class Rows(NamedTuple):
    """
    Points in rows.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        Coordinates, by row and then from west to east.
    order : numpy.ndarray of int, shape (n,)
        The position at which each was given.
    first : numpy.ndarray of int, shape (rows + 1,)
        Where each row starts.
    low, height : float
        The lower end of the first row, and how high each is.
    """

    x: Floats
    y: Floats
    order: Ints
    first: Ints
    low: float
    height: float


class Frame(NamedTuple):
    """
    A window, for the weights of pairs.

    Parameters
    ----------
    wide, high : float
        Sides of its box.
    edges : numpy.ndarray, shape (m, 4)
        Ends of its sides, the interior on the left.
    overlap : numpy.ndarray, shape (k, l)
        For windows that are no rectangle, the share of the window that overlaps with itself when
        it is moved: by rows at equal steps of distance from 0 on, by columns at equal steps of
        direction over a half turn, both ends included. Empty for rectangles.
    overlap_m : float
        The distance of the last row.
    """

    wide: float
    high: float
    edges: Floats
    overlap: Floats
    overlap_m: float


@compiled
def _overlap_weight(frame: Frame, dx: float, dy: float, d: float) -> float:
    """Return the translation correction: the window's area over that of its overlap."""
    if len(frame.overlap) == 0:
        return frame.wide * frame.high / ((frame.wide - abs(dx)) * (frame.high - abs(dy)))
    steps, turns = frame.overlap.shape[0] - 1, frame.overlap.shape[1] - 1
    s = min(d / frame.overlap_m, 1.0) * steps
    # the overlap is the same for a shift and its reverse
    t = (math.atan2(dy, dx) / math.pi % 1.0) * turns
    a, b = min(int(s), steps - 1), min(int(t), turns - 1)
    s, t = s - a, t - b
    low = frame.overlap[a, b] * (1.0 - t) + frame.overlap[a, b + 1] * t
    top = frame.overlap[a + 1, b] * (1.0 - t) + frame.overlap[a + 1, b + 1] * t
    return 1.0 / (low * (1.0 - s) + top * s)


@compiled
def _reach(rows: Rows, y: float, r: float) -> tuple[int, int]:
    """Return the first row within reach of a height, and the one after the last."""
    last = len(rows.first) - 1
    begin = min(max(int(math.floor((y - r - rows.low) / rows.height)), 0), last)
    end = min(max(int(math.floor((y + r - rows.low) / rows.height)) + 1, begin), last)
    return begin, end


@compiled
def _west_end(x: Floats, low: int, high: int, value: float) -> int:
    """Return the first position of a row that is not west of a value."""
    while low < high:
        middle = (low + high) >> 1
        if x[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def border_distances(
    start: int, stop: int, x: Floats, y: Floats, edges: Floats, out: Floats
) -> None:
    """Write the distance of points to the nearest of some edges (x1, y1, x2, y2)."""
    for i in range(start, stop):
        least = np.inf
        for e in range(len(edges)):
            least = min(least, _to_edge2(edges, e, x[i], y[i]))
        out[i] = math.sqrt(least)


@compiled
def _to_edge2(edges: Floats, e: int, x: float, y: float) -> float:
    """Return the square of the distance from a point to an edge."""
    px, py = edges[e, 0] - x, edges[e, 1] - y
    dx, dy = edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]
    square = dx * dx + dy * dy
    share = -(px * dx + py * dy) / square if square > 0.0 else 0.0
    share = min(max(share, 0.0), 1.0)
    px, py = px + share * dx, py + share * dy
    return px * px + py * py


@compiled
def _near_edges(edges: Floats, x: float, y: float, r: float, near: Ints, gap: Floats) -> int:
    """Write the edges within reach of a point, the nearest first; return how many."""
    n = 0
    for e in range(len(edges)):
        d2 = _to_edge2(edges, e, x, y)
        if d2 <= r * r:
            at = n
            while at > 0 and gap[at - 1] > d2:
                gap[at], near[at] = gap[at - 1], near[at - 1]
                at -= 1
            gap[at], near[at] = d2, e
            n += 1
    return n


@compiled
def _share_inside(
    edges: Floats, near: Ints, gap: Floats, n: int, x: float, y: float, d: float
) -> float:
    """
    Return the share of a circle that lies inside the window, whose interior is left of its edges.

    Where the outline leaves the disc an arc inside begins, where it enters one ends (both going
    round counterclockwise). The arcs together are the sum of their ends minus that of their
    beginnings, up to full turns; angles are added by multiplying complex numbers.
    """
    real, imaginary, crossings = 1.0, 0.0, 0
    for at in range(n):
        if gap[at] >= d * d:
            break
        e = near[at]
        # a corner on the circle must be on one side of it for both of its edges
        px, py, qx, qy = edges[e, 0] - x, edges[e, 1] - y, edges[e, 2] - x, edges[e, 3] - y
        dx, dy = qx - px, qy - py
        starts_in, ends_in = px * px + py * py <= d * d, qx * qx + qy * qy <= d * d
        if starts_in and ends_in:
            continue
        square = dx * dx + dy * dy
        half = px * dx + py * dy
        root = math.sqrt(max(half * half - square * (px * px + py * py - d * d), 0.0))
        if not starts_in:
            share = (-half - root) / square
            ux, uy = (px + share * dx) / d, (py + share * dy) / d
            real, imaginary = real * ux - imaginary * uy, real * uy + imaginary * ux
            crossings += 1
        if not ends_in:
            share = (-half + root) / square
            ux, uy = (px + share * dx) / d, (py + share * dy) / d
            real, imaginary = real * ux + imaginary * uy, imaginary * ux - real * uy
            crossings += 1
    if crossings == 0:
        return 1.0
    share = math.atan2(imaginary, real) / (2 * math.pi)
    return share if share > 0.0 else share + 1.0


@compiled
def pair_sums(
    start: int,
    stop: int,
    x: Floats,
    y: Floats,
    of: Ints,
    weight: Floats,
    rows: Rows,
    row_weight: Floats,
    r: Floats,
    correction: int,
    frame: Frame,
    border: Floats,
    out: Floats,
) -> None:
    """
    Add the weights of the pairs of points i with all others by distance, for one block.

    ``out[k]`` receives the pairs whose distance is the k-th or less but more than the one before.
    `of` is the position of i among the points in rows, or -1, so that none is paired with itself.
    `border` are the distances of the points i to the outline.
    """
    most, last = r[-1], len(r) - 1
    near, gap = np.empty(len(frame.edges), np.int64), np.empty(len(frame.edges))
    scale = last / most if most > 0.0 else 0.0
    turns = 1 if correction == PERIODIC else 0
    for i in range(start, stop):
        n_near = 0
        if correction == ISOTROPIC:
            n_near = _near_edges(frame.edges, x[i], y[i], most, near, gap)
        end = last
        if correction == BORDER:
            # the pair counts from its distance up to that of i to the border
            end = np.searchsorted(r, border[i], side="right") - 1
        for up in range(-turns, turns + 1):
            for side in range(-turns, turns + 1):
                xi, yi = x[i] + side * frame.wide, y[i] + up * frame.high
                low, top = _reach(rows, yi, most)
                for row in range(low, top):
                    stretch = rows.first[row + 1]
                    j = _west_end(rows.x, rows.first[row], stretch, xi - most)
                    while j < stretch and rows.x[j] <= xi + most:
                        dx, dy = rows.x[j] - xi, rows.y[j] - yi
                        d = math.sqrt(dx * dx + dy * dy)
                        if d <= most and rows.order[j] != of[i]:
                            k = min(int(d * scale), last)
                            while k > 0 and r[k - 1] >= d:
                                k -= 1
                            while r[k] < d:
                                k += 1
                            value = weight[i] * row_weight[j]
                            if correction == ISOTROPIC and n_near and gap[0] < d * d:
                                share = _share_inside(frame.edges, near, gap, n_near, x[i], y[i], d)
                                value *= min(1.0 / share, _MOST_WEIGHT)
                            elif correction == TRANSLATION:
                                value *= _overlap_weight(frame, dx, dy, d)
                            if correction != BORDER:
                                out[k] += value
                            elif k <= end:
                                out[k] += value
                                out[end + 1] -= value
                        j += 1


@compiled
def pair_densities(
    start: int,
    stop: int,
    x: Floats,
    y: Floats,
    of: Ints,
    weight: Floats,
    rows: Rows,
    row_weight: Floats,
    r: Floats,
    bandwidth: float,
    by_distance: bool,  # noqa: FBT001 - kernels take no keywords
    correction: int,
    frame: Frame,
    out: Floats,
) -> None:
    """
    Add the Epanechnikov kernels of pairs at each distance, for one block.

    `bandwidth` is half the width of the kernel. With `by_distance` each pair is divided by its own
    distance, else nothing is divided.
    """
    most = r[-1] + bandwidth
    near, gap = np.empty(len(frame.edges), np.int64), np.empty(len(frame.edges))
    for i in range(start, stop):
        n_near = 0
        if correction == ISOTROPIC:
            n_near = _near_edges(frame.edges, x[i], y[i], most, near, gap)
        low, top = _reach(rows, y[i], most)
        for row in range(low, top):
            stretch = rows.first[row + 1]
            j = _west_end(rows.x, rows.first[row], stretch, x[i] - most)
            while j < stretch and rows.x[j] <= x[i] + most:
                dx, dy = rows.x[j] - x[i], rows.y[j] - y[i]
                d = math.sqrt(dx * dx + dy * dy)
                if d < most and rows.order[j] != of[i] and not (by_distance and d == 0.0):
                    value = weight[i] * row_weight[j]
                    if correction == ISOTROPIC and n_near and gap[0] < d * d:
                        share = _share_inside(frame.edges, near, gap, n_near, x[i], y[i], d)
                        value *= min(1.0 / share, _MOST_WEIGHT)
                    elif correction == TRANSLATION:
                        value *= _overlap_weight(frame, dx, dy, d)
                    if by_distance:
                        value /= d
                    k = np.searchsorted(r, d - bandwidth, side="right")
                    while k < len(r) and r[k] < d + bandwidth:
                        u = (r[k] - d) / bandwidth
                        out[k] += value * 0.75 * (1.0 - u * u) / bandwidth
                        k += 1
                j += 1


@compiled
def nearest_distances(
    start: int, stop: int, x: Floats, y: Floats, of: Ints, rows: Rows, out: Floats
) -> None:
    """Write the distance from points to the nearest other one, infinite if there is none."""
    n_rows = len(rows.first) - 1
    for i in range(start, stop):
        best = np.inf
        home = min(max(int(math.floor((y[i] - rows.low) / rows.height)), 0), n_rows - 1)
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
            middle = _west_end(rows.x, begin, stretch, x[i])
            for way in (1, -1):
                j = middle if way == 1 else middle - 1
                while begin <= j < stretch:
                    dx, dy = rows.x[j] - x[i], rows.y[j] - y[i]
                    if dx * dx > best:
                        break
                    if rows.order[j] != of[i]:
                        best = min(best, dx * dx + dy * dy)
                    j += way
        out[i] = math.sqrt(best)
