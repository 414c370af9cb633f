"""Compiled sums over pairs of a planar pattern: the loops behind `pattern`.

Pairs are gathered in batches, then weighed, then added by distance: plain loops that the processor
takes several steps at a time. Within one pattern a pair is looked at once, for both of its points,
where its two weights are known together. Sums are kept by blocks of points, whose number is fixed,
and added in order, so that the answer does not depend on the number of threads.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo._circles import MOST_WEIGHT, polygon_weights, rectangle_weights, room_to_cut
from geo._neighbours import BATCH, Found, Points, Rows, gather, in_rows, room_for
from geo._trees import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._circles import Cuts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "BORDER",
    "ISOTROPIC",
    "NONE",
    "PERIODIC",
    "TRANSLATION",
    "Frame",
    "Steps",
    "border_distances",
    "pair_densities",
    "pair_sums",
    "pattern_sums",
]

NONE, BORDER, ISOTROPIC, TRANSLATION, PERIODIC = range(5)


class Steps(NamedTuple):
    """
    The distances by which pairs are added.

    Parameters
    ----------
    r : numpy.ndarray, shape (m,)
        Rising.
    guess : numpy.ndarray of int, shape (cells + 1,)
        For each of many equal cells of distance, the first step that can be right.
    scale : float
        Cells per metre.
    """

    r: Floats
    guess: Ints
    scale: float


class Frame(NamedTuple):
    """
    A window, for the weights of pairs.

    Parameters
    ----------
    west, south, wide, high : float
        Its box.
    rectangular : bool
        Whether it is its box.
    edges : numpy.ndarray, shape (m, 4)
        Ends of its sides, the interior on the left.
    overlap : numpy.ndarray, shape (k, l)
        For windows that are no rectangle, the share of the window that overlaps with itself when
        it is moved: by rows at equal steps of distance from 0 on, by columns at equal steps of
        direction (see `_turn`) over a half turn, both ends included. Empty for rectangles.
    overlap_m : float
        The distance of the last row.
    """

    west: float
    south: float
    wide: float
    high: float
    rectangular: bool
    edges: Floats
    overlap: Floats
    overlap_m: float


# ---------------------------------------------------------------------------- weights


@compiled
def _turn(dx: float, dy: float) -> float:
    """Return the direction of a shift and its reverse, from 0 to 1, by the side of a diamond."""
    total = abs(dx) + abs(dy)
    if total == 0.0:
        return 0.0
    turn = abs(dy) / total if dx * dy >= 0.0 else 2.0 - abs(dy) / total
    return 0.5 * turn


@compiled
def _overlap_weight(frame: Frame, dx: float, dy: float, d: float) -> float:
    """Return the translation correction: the window's area over that of its overlap."""
    if frame.rectangular:
        share = (1.0 - abs(dx) / frame.wide) * (1.0 - abs(dy) / frame.high)
        return 1.0 / max(share, 1.0 / MOST_WEIGHT)
    steps, turns = frame.overlap.shape[0] - 1, frame.overlap.shape[1] - 1
    s = min(d / frame.overlap_m, 1.0) * steps
    t = _turn(dx, dy) * turns
    a, b = min(int(s), steps - 1), min(int(t), turns - 1)
    s, t = s - a, t - b
    low = frame.overlap[a, b] * (1.0 - t) + frame.overlap[a, b + 1] * t
    top = frame.overlap[a + 1, b] * (1.0 - t) + frame.overlap[a + 1, b + 1] * t
    return 1.0 / max(low * (1.0 - s) + top * s, 1.0 / MOST_WEIGHT)


@compiled
def _near_sides(frame: Frame, reach: float) -> bool:
    """Whether circles of some radius leave a window through two of its sides at most."""
    return frame.rectangular and 2.0 * reach <= min(frame.wide, frame.high)


@compiled
def _to_sides(frame: Frame, x: float, y: float) -> tuple[float, float]:
    """Return the distances of a place to the nearer side of a rectangle, on each axis."""
    west, south = x - frame.west, y - frame.south
    return min(west, frame.wide - west), min(south, frame.high - south)


@compiled
def _seen_from_both(frame: Frame, reach: float, correction: int) -> bool:
    """Whether the weights of both directions of a pair are known together."""
    return correction in (NONE, BORDER, TRANSLATION) or (
        correction == ISOTROPIC and _near_sides(frame, reach)
    )


@compiled
def _weigh(
    frame: Frame,
    correction: int,
    reach: float,
    both: bool,  # noqa: FBT001 - kernels take no keywords
    points: Points,
    seen: Points,
    found: Found,
    cuts: Cuts,
    n: int,
) -> None:
    """Write the lengths and weights of a batch, of both directions if asked."""
    of, at, d, weight = found.of, found.at, found.d, found.weight
    each = 2.0 if both and correction != BORDER else 1.0
    for t in range(n):
        d[t] = math.sqrt(d[t])
    for t in range(n):
        weight[t] = each
    if correction == ISOTROPIC and _near_sides(frame, reach):
        spare = found.spare
        for t in range(n):
            spare[0, t], spare[1, t] = _to_sides(frame, points.x[of[t]], points.y[of[t]])
        for t in range(n):
            spare[2, t], spare[3, t] = _to_sides(frame, seen.x[at[t]], seen.y[at[t]])
        rectangle_weights(spare, d, n, both, weight)
    elif correction == ISOTROPIC:
        start = 0
        while start < n:
            stop = start
            while stop < n and of[stop] == of[start]:
                stop += 1
            x, y = points.x[of[start]], points.y[of[start]]
            polygon_weights(frame.edges, x, y, d[start:stop], weight[start:stop], cuts)
            start = stop
    elif correction == TRANSLATION:
        for t in range(n):
            dx, dy = seen.x[at[t]] - points.x[of[t]], seen.y[at[t]] - points.y[of[t]]
            weight[t] *= _overlap_weight(frame, dx, dy, d[t])
    if len(points.weight):
        for t in range(n):
            weight[t] *= points.weight[of[t]]
    if len(seen.weight):
        for t in range(n):
            weight[t] *= seen.weight[at[t]]


# ---------------------------------------------------------------------------- sums


@compiled
def pair_sums(
    start: int,
    stop: int,
    points: Points,
    single: bool,  # noqa: FBT001 - kernels take no keywords
    rows: Rows,
    steps: Steps,
    correction: int,
    frame: Frame,
    out: Floats,
) -> None:
    """
    Add the weights of the pairs of points i with all others by distance, for one block.

    ``out[k]`` receives the pairs whose distance is the k-th or less but more than the one before;
    ``out[m]`` those beyond the last. With `single` the points are those in rows, of which none is
    paired with itself.
    """
    reach = steps.r[-1]
    both = single and _seen_from_both(frame, reach, correction)
    turns = 1 if correction == PERIODIC else 0
    most = (2 * turns + 1) ** 2 * len(rows.order)
    found, cuts = room_for(most), room_to_cut(len(frame.edges), most)
    ended = np.zeros((2, len(out))) if correction == BORDER else np.zeros((2, 0))
    n = 0
    for i in range(start, stop):
        for up in range(-turns, turns + 1):
            for side in range(-turns, turns + 1):
                x, y = points.x[i] + side * frame.wide, points.y[i] + up * frame.high
                after, itself = i if both else -1, i if single else -1
                n = gather(rows, x, y, reach, i, after, itself, found, n)
        if n < BATCH and i + 1 < stop:
            continue
        _weigh(frame, correction, reach, both, points, rows.points, found, cuts, n)
        if correction == BORDER:
            _add_to_border(points, rows.points, both, steps, found, n, ended, out)
        else:
            d, weight = found.d, found.weight
            for t in range(n):
                out[_step(steps, d[t])] += weight[t]
        n = 0
    if correction == BORDER:
        # what ends with a distance is no longer there at the next one
        out[1:] -= ended[0, :-1] + ended[1, :-1]


@inlined
def _step(steps: Steps, d: float) -> int:
    """Return the first step that is not less than a distance; their number if none is."""
    k = steps.guess[int(d * steps.scale)]
    # cells are narrower than steps are wide, as a rule: one comparison, without a branch to guess
    k += steps.r[k] < d
    while k < len(steps.r) and steps.r[k] < d:
        k += 1
    return k


@compiled
def _add_to_border(
    points: Points,
    seen: Points,
    both: bool,  # noqa: FBT001 - kernels take no keywords
    steps: Steps,
    found: Found,
    n: int,
    ended: Floats,
    out: Floats,
) -> None:
    """Add pairs from their distance on, and note the last at which their points still count."""
    for t in range(n):
        k = _step(steps, found.d[t])
        last, other_last = points.last[found.of[t]], seen.last[found.at[t]]
        own = found.weight[t] if k <= last else 0.0
        other = found.weight[t] if both & (k <= other_last) else 0.0
        ended[0, last] += own
        ended[1, other_last] += other
        out[k] += own + other


@compiled
def pattern_sums(
    start: int,
    stop: int,
    xy: Floats,
    cuts: Ints,
    steps: Steps,
    correction: int,
    frame: Frame,
    out: Floats,
    inner: Floats,
) -> None:
    """
    Add the weights of all pairs by distance, for some of many patterns one after another.

    `cuts` says where each starts. ``inner[p, k]`` receives the points of pattern p that are at
    least the k-th distance from the outline, for the border correction.
    """
    r = steps.r
    for p in range(start, stop):
        n = cuts[p + 1] - cuts[p]
        x, y = xy[cuts[p] : cuts[p + 1], 0].copy(), xy[cuts[p] : cuts[p + 1], 1].copy()
        last = np.zeros(n, np.int64)
        if correction == BORDER:
            border = np.empty(n)
            border_distances(0, n, x, y, frame.edges, border)
            for i in range(n):
                last[i] = np.searchsorted(r, border[i], side="right") - 1
                if last[i] >= 0:
                    inner[p, last[i]] += 1.0
            for k in range(len(r) - 2, -1, -1):
                inner[p, k] += inner[p, k + 1]
        rows = in_rows(Points(x, y, np.empty(0), last), r[-1], frame.south, frame.high)
        pair_sums(0, n, rows.points, True, rows, steps, correction, frame, out[p])  # noqa: FBT003
        for k in range(1, len(r)):
            out[p, k] += out[p, k - 1]


@compiled
def pair_densities(
    start: int,
    stop: int,
    points: Points,
    single: bool,  # noqa: FBT001 - kernels take no keywords
    rows: Rows,
    r: Floats,
    bandwidth: float,
    by_distance: bool,  # noqa: FBT001
    correction: int,
    frame: Frame,
    out: Floats,
) -> None:
    """
    Add the Epanechnikov kernels of pairs at each distance, for one block.

    `bandwidth` is half the width of the kernel. With `by_distance` each pair is divided by its own
    distance, else nothing is divided.
    """
    reach = r[-1] + bandwidth
    both = single and _seen_from_both(frame, reach, correction)
    found, cuts = room_for(len(rows.order)), room_to_cut(len(frame.edges), len(rows.order))
    n = 0
    for i in range(start, stop):
        after, itself = i if both else -1, i if single else -1
        n = gather(rows, points.x[i], points.y[i], reach, i, after, itself, found, n)
        if n < BATCH and i + 1 < stop:
            continue
        _weigh(frame, correction, reach, both, points, rows.points, found, cuts, n)
        for t in range(n):
            d, value = found.d[t], found.weight[t]
            if d >= reach or (by_distance and d == 0.0):
                continue
            if by_distance:
                value /= d
            k = np.searchsorted(r, d - bandwidth, side="right")
            while k < len(r) and r[k] < d + bandwidth:
                u = (r[k] - d) / bandwidth
                out[k] += value * 0.75 * (1.0 - u * u) / bandwidth
                k += 1
        n = 0


@compiled
def border_distances(
    start: int, stop: int, x: Floats, y: Floats, edges: Floats, out: Floats
) -> None:
    """Write the distance of points to the nearest of some edges (x1, y1, x2, y2)."""
    for i in range(start, stop):
        least = np.inf
        for e in range(len(edges)):
            px, py = edges[e, 0] - x[i], edges[e, 1] - y[i]
            dx, dy = edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]
            share = min(max(-(px * dx + py * dy) / (dx * dx + dy * dy), 0.0), 1.0)
            px, py = px + share * dx, py + share * dy
            least = min(least, px * px + py * py)
        out[i] = math.sqrt(least)
