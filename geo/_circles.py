"""Compiled isotropic weights: one over the share of a circle that lies inside the window.

In a rectangle whose sides are at least two radii long a circle leaves through the nearer side of
each axis at most, so its share has a closed form. Anywhere else the arcs are cut by the edges: the
neighbours of a point and the edges of the window are put into rings by distance, so that a circle
is cut only with the edges that reach its ring.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo._trees import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["MOST_WEIGHT", "Cuts", "polygon_weights", "rectangle_weights", "room_to_cut"]

MOST_WEIGHT = 100.0  # as in spatstat
_RINGS = 96
_TINY, _TINIER = 1e-200, 1e-250
_TOUCH = 1e-9  # of a turn: no less can be told from none or all


class Cuts(NamedTuple):
    """
    What one thread writes while it cuts circles with edges.

    Parameters
    ----------
    edge : numpy.ndarray, shape (8, m)
        By edge, seen from the point: its start, its direction, the squares of the distances of its
        start and end, the product of start and direction, and the square of its length.
    gap : numpy.ndarray, shape (m,)
        How near each comes.
    begin, end : numpy.ndarray of int, shape (m,)
        The rings that each edge reaches.
    by_ring, active : numpy.ndarray of int, shape (m,)
        Edges in the order of their first ring; those that reach the present one.
    ring : numpy.ndarray of int, shape (n,)
        Of each neighbour.
    neighbours : numpy.ndarray of int, shape (n,)
        Neighbours in the order of their ring.
    first_edge, first_neighbour : numpy.ndarray of int, shape (rings + 1,)
        Where each ring starts in these.
    """

    edge: Floats
    gap: Floats
    begin: Ints
    end: Ints
    by_ring: Ints
    active: Ints
    ring: Ints
    neighbours: Ints
    first_edge: Ints
    first_neighbour: Ints


@compiled
def room_to_cut(edges: int, neighbours: int) -> Cuts:
    """Make room for cutting circles."""
    return Cuts(
        np.empty((8, edges)),
        np.empty(edges),
        np.empty(edges, np.int64),
        np.empty(edges, np.int64),
        np.empty(edges, np.int64),
        np.empty(edges, np.int64),
        np.empty(neighbours, np.int64),
        np.empty(neighbours, np.int64),
        np.empty(_RINGS + 1, np.int64),
        np.empty(_RINGS + 1, np.int64),
    )


@inlined
def _acos(c: float) -> float:
    """Return the arc cosine of 0 to 1: the root of 1 - c times a Chebyshev fit, good to 1e-13."""
    p = 3.139129045303818e-05
    p = p * c - 0.0002719939971935411686
    p = p * c + 0.001112054291651779938
    p = p * c - 0.002896219765138688092
    p = p * c + 0.005523167239593234925
    p = p * c - 0.008503457350174304568
    p = p * c + 0.01149382355518035078
    p = p * c - 0.01466134286289635917
    p = p * c + 0.01862172428745585778
    p = p * c - 0.02436639704530988413
    p = p * c + 0.03368046433967888541
    p = p * c - 0.05079276264368224412
    p = p * c + 0.08904862081826843495
    p = p * c - 0.2146018365796101249
    p = p * c + 1.570796326794845737
    return math.sqrt(1.0 - c) * p


@inlined
def _share(to_x: float, to_y: float, per_d: float) -> float:
    """
    Return the share of a circle inside a rectangle.

    `to_x` and `to_y` are the distances of its centre to the nearer side of each axis, `per_d` is
    one over its radius. Without branches, so that several circles are weighed at once.
    """
    across = _acos(min(max(to_x, _TINY) * per_d, 1.0))
    along = _acos(min(max(to_y, _TINY) * per_d, 1.0))
    # the arcs beyond two sides overlap if their corner is inside the circle
    outside = 2.0 * (across + along) - max(across + along - 0.5 * math.pi, 0.0)
    return max(1.0 - outside * (0.5 / math.pi), 1.0 / MOST_WEIGHT)


@compiled
def rectangle_weights(
    to_sides: Floats,
    d: Floats,
    n: int,
    both: bool,  # noqa: FBT001 - kernels take no keywords
    weight: Floats,
) -> None:
    """
    Write the weights of some circles in a rectangle, or of both circles of some pairs.

    `to_sides` are the distances of the first centre to the nearer side of each axis, and then those
    of the second.
    """
    for t in range(n):
        # a circle without radius is whole, on the outline too
        per_d = 1.0 / max(d[t], _TINIER)
        share = _share(to_sides[0, t], to_sides[1, t], per_d)
        other = _share(to_sides[2, t], to_sides[3, t], per_d)
        weight[t] = (share + other) / (share * other) if both else 1.0 / share


@compiled
def _see(edges: Floats, x: float, y: float, reach: float, cuts: Cuts) -> int:
    """Write the edges within reach as a point sees them, and how near they come; say how many."""
    n = 0
    # both edges of a vertex that a circle passes through must be seen, however it was rounded
    most = reach * reach * (1.0 + 1e-9)
    for e in range(len(edges)):
        px, py = edges[e, 0] - x, edges[e, 1] - y
        qx, qy = edges[e, 2] - x, edges[e, 3] - y
        dx, dy = edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]
        square = dx * dx + dy * dy
        half = px * dx + py * dy
        share = min(max(-half / square, 0.0), 1.0)
        ax, ay = px + share * dx, py + share * dy
        gap = ax * ax + ay * ay
        if gap <= most:
            cuts.edge[0, n], cuts.edge[1, n] = px, py
            cuts.edge[2, n], cuts.edge[3, n] = dx, dy
            cuts.edge[4, n], cuts.edge[5, n] = px * px + py * py, qx * qx + qy * qy
            cuts.edge[6, n], cuts.edge[7, n] = half, square
            cuts.gap[n] = math.sqrt(gap)
            n += 1
    return n


@compiled
def _sort_into_rings(ring: Ints, n: int, first: Ints, order: Ints) -> None:
    """Order positions by their ring, and write where each ring starts."""
    first[:] = 0
    for i in range(n):
        first[ring[i] + 1] += 1
    for k in range(1, len(first)):
        first[k] += first[k - 1]
    for i in range(n):
        order[first[ring[i]]] = i
        first[ring[i]] += 1
    # every start has moved to the next one
    for k in range(len(first) - 1, 0, -1):
        first[k] = first[k - 1]
    first[0] = 0


@compiled
def _share_inside(edges: Floats, x: float, y: float, cuts: Cuts, n: int, d: float) -> float:
    """
    Return the share of a circle that lies inside the window, whose interior is left of its edges.

    Where the outline leaves the disc an arc inside begins, where it enters one ends (both going
    round counterclockwise). The arcs together are the sum of their ends minus that of their
    beginnings, up to full turns; angles are added by multiplying complex numbers.
    """
    real, imaginary = 1.0, 0.0
    # opposite to the last crossing, or anywhere if there is none
    away_x, away_y = -0.8, 0.6
    dd = d * d
    for at in range(n):
        e = cuts.active[at]
        # a corner on the circle must be on one side of it for both of its edges
        pp, qq = cuts.edge[4, e], cuts.edge[5, e]
        starts_in, ends_in = pp <= dd, qq <= dd
        if starts_in and ends_in:
            continue
        half, square = cuts.edge[6, e], cuts.edge[7, e]
        inner = half * half - square * (pp - dd)
        if not starts_in and not ends_in and (inner <= 0.0 or half >= 0.0 or half <= -square):
            continue
        root = math.sqrt(max(inner, 0.0))
        if not starts_in:
            share = (-half - root) / square
            ux = (cuts.edge[0, e] + share * cuts.edge[2, e]) / d
            uy = (cuts.edge[1, e] + share * cuts.edge[3, e]) / d
            real, imaginary = real * ux - imaginary * uy, real * uy + imaginary * ux
            away_x, away_y = -ux, -uy
        if not ends_in:
            share = (-half + root) / square
            ux = (cuts.edge[0, e] + share * cuts.edge[2, e]) / d
            uy = (cuts.edge[1, e] + share * cuts.edge[3, e]) / d
            real, imaginary = real * ux + imaginary * uy, imaginary * ux - real * uy
            away_x, away_y = -ux, -uy
    share = math.atan2(imaginary, real) / (2 * math.pi)
    if abs(share) < _TOUCH:
        # nothing is crossed, or only touched: the circle is inside or outside as a whole
        return 1.0 if _holds(edges, x + d * away_x, y + d * away_y) else 0.0
    return share if share > 0.0 else share + 1.0


@compiled
def _holds(edges: Floats, x: float, y: float) -> bool:
    """Whether a place lies in the window: a ray to the east crosses an odd number of edges."""
    inside = False
    for e in range(len(edges)):
        low, top = edges[e, 1], edges[e, 3]
        if (low > y) != (top > y):
            along = (y - low) / (top - low)
            inside ^= x < edges[e, 0] + along * (edges[e, 2] - edges[e, 0])
    return inside


@compiled
def polygon_weights(
    edges: Floats, x: float, y: float, d: Floats, weight: Floats, cuts: Cuts
) -> None:
    """Write the weights of the circles around a point with some radii, in any window."""
    n, reach = len(d), 0.0
    for t in range(n):
        reach = max(reach, d[t])
        weight[t] = 1.0
    near = _see(edges, x, y, reach, cuts)
    if near == 0:
        return
    least = reach
    for e in range(near):
        least = min(least, cuts.gap[e])
    scale = _RINGS / max(reach - least, _TINY) * (1.0 - 1e-9)
    for e in range(near):
        far = math.sqrt(max(cuts.edge[4, e], cuts.edge[5, e]))
        # a hair early: a vertex may be as far as a neighbour in the ring before
        begin = (cuts.gap[e] - least) * scale - 1e-6
        cuts.begin[e] = int(min(max(begin, 0.0), _RINGS - 1.0))
        cuts.end[e] = int(min((far - least) * scale + 1e-6, _RINGS))
    _sort_into_rings(cuts.begin, near, cuts.first_edge, cuts.by_ring)
    seen = 0
    for t in range(n):
        # nearer than the outline, and at the point itself, circles are whole
        if d[t] > least:
            cuts.neighbours[seen] = t
            seen += 1
    for s in range(seen):
        cuts.ring[s] = int((d[cuts.neighbours[s]] - least) * scale)
    _visit(edges, x, y, d, seen, weight, cuts)


@compiled
def _visit(
    edges: Floats, x: float, y: float, d: Floats, seen: int, weight: Floats, cuts: Cuts
) -> None:
    """Go outward ring by ring, and cut the circles of each with the edges that reach it."""
    order = np.empty(seen, np.int64)
    _sort_into_rings(cuts.ring, seen, cuts.first_neighbour, order)
    active = 0
    for ring in range(_RINGS):
        kept = 0
        for at in range(active):
            if cuts.end[cuts.active[at]] >= ring:
                cuts.active[kept] = cuts.active[at]
                kept += 1
        active = kept
        for at in range(cuts.first_edge[ring], cuts.first_edge[ring + 1]):
            cuts.active[active] = cuts.by_ring[at]
            active += 1
        for at in range(cuts.first_neighbour[ring], cuts.first_neighbour[ring + 1]):
            t = cuts.neighbours[order[at]]
            share = _share_inside(edges, x, y, cuts, active, d[t])
            weight[t] = 1.0 / max(share, 1.0 / MOST_WEIGHT)
