"""Exact distance from points to edges: the part of `geo.geodesy` that knows lines.

The foot of a point is sought on the edge itself, never on the chord of a piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from geo._index import portions_of, walk
from geo._pieces import Edges, motion_on, place_on
from geo._threads import in_threads
from geo.geodesy import (
    ECCENTRICITY2,
    RMIN_M,
    SEMI_MAJOR_M,
    SLACK_M,
    WGS84,
    Points,
    chord_beyond,
    geodesic_length,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Foot", "nearest_on_edges"]

_PARTS = 64  # cuts of a piece on which the foot is not proved to be unique
_NEWTON_TURNS = 10  # after these, steps that leave the interval give way to halving it
_FEW = 4  # pieces of one point that are not worth excluding first
_PARTS_AT_ONCE = 1_000_000
_GAIN_M = 1e-9  # a step that promises less than this ends the search for a foot


def _feet() -> ModuleType:
    """Load the compiled loops."""
    import geo._feet as loops  # noqa: PLC0415 - numba loads with the first search

    return loops


@dataclass(frozen=True, eq=False)
class Foot:
    """
    The nearest places of a feature.

    Parameters
    ----------
    length_m : numpy.ndarray, shape (n,)
        Geodesic distance to it, infinite if there is none.
    lon, lat : numpy.ndarray, shape (n,)
        Where it is, in degrees.
    """

    length_m: Floats
    lon: Floats
    lat: Floats


def nearest_on_edges(points: Points, edges: Edges) -> Foot:
    """
    Find the nearest place of some edges for each point.

    Parameters
    ----------
    points : Points
        From where.
    edges : Edges
        To where, by `geo._pieces.index_edges`.

    Returns
    -------
    Foot
        Lengths within 1e-6 m; places within what that implies.

    Notes
    -----
    The piece with the nearest chord gives a first length s, which the answer cannot exceed. A
    piece that comes within s has a chord, less its sag, within ``chord_beyond(s)``: all such
    pieces are listed, and on each the foot is found by safeguarded Newton steps with geodesics.
    """
    n = len(points.lon)
    foot = Foot(np.full(n, np.inf), np.full(n, np.nan), np.full(n, np.nan))
    if not n or edges.tree is None:
        return foot
    tree, (places, order) = edges.tree, walk(points.xyz)
    piece = np.empty(n, dtype=np.int64)
    in_threads(
        lambda start, stop: _feet().nearest_feet(
            start, stop, places, order, tree, edges.start, edges.vector, piece
        ),
        n,
    )
    share = _chord_share(points.xyz, edges, piece)
    _keep_feet(points, edges, np.arange(n), piece, share, foot)
    for i, j in pieces_within(points, edges, chord_beyond(foot.length_m)):
        share = _chord_share(points.xyz[i], edges, j)
        near = _not_yet_excluded(points, edges, i, j, share, foot)
        i, j, share = i[near], j[near], share[near]  # noqa: PLW2901 - the survivors
        for tried in _nearest_shares(points, i, edges, j, share, foot.length_m):
            _keep_feet(points, edges, *tried, foot)
    return foot


def _not_yet_excluded(
    points: Points, edges: Edges, i: Ints, j: Ints, share: Floats, foot: Foot
) -> NDArray[np.bool_]:
    """
    Tell which pieces may still be nearest, where the bounds leave many to a point.

    From far away they do. No place of a piece is farther along it than its whole length from the
    foot on the chord, and the length to it no shorter by more than that.
    """
    many = np.flatnonzero(np.bincount(i, minlength=len(points.lon))[i] > _FEW)
    _keep_feet(points, edges, i[many], j[many], share[many], foot)
    lon, lat = place_on(edges, j[many], share[many])
    length = geodesic_length(points.lon[i[many]], points.lat[i[many]], lon, lat)
    near = np.ones(len(i), dtype=bool)
    near[many] = length - 2 * edges.half_m <= foot.length_m[i[many]] + SLACK_M
    return near


def pieces_within(points: Points, edges: Edges, reach: Floats) -> Iterator[tuple[Ints, Ints]]:
    """Yield, in portions, the pieces that may come within reach of each point, by their chords."""
    counts = np.empty(len(reach), dtype=np.int64)

    def search(rows: slice, ends: Ints, out: tuple[Ints, Ints]) -> None:
        xyz, limit = points.xyz[rows], reach[rows]
        chords = (edges.tree, edges.start, edges.vector, edges.sag_m)
        in_threads(
            lambda start, stop: _feet().list_feet(start, stop, xyz, limit, *chords, ends, out),
            len(limit),
        )

    nothing = np.empty(0, dtype=np.int64)
    search(slice(None), counts, (nothing, nothing))
    for rows, starts, out in portions_of(counts):
        search(rows, starts, out)
        yield out[0] + rows.start, out[1]


def _keep_feet(points: Points, edges: Edges, i: Ints, j: Ints, share: Floats, foot: Foot) -> None:
    """Measure to some places on pieces and keep the nearest one of each point."""
    lon, lat = place_on(edges, j, share)
    length = geodesic_length(points.lon[i], points.lat[i], lon, lat)
    order = np.lexsort((j, length, i))
    best = order[np.flatnonzero(np.diff(i[order], prepend=-1))]
    best = best[length[best] < foot.length_m[i[best]]]
    foot.length_m[i[best]], foot.lon[i[best]], foot.lat[i[best]] = (
        length[best],
        lon[best],
        lat[best],
    )


def _chord_share(xyz: Floats, edges: Edges, piece: Ints) -> Floats:
    """Return where on the chords of pieces the points are nearest."""
    vector, offset = edges.vector[piece], xyz - edges.start[piece]
    square = np.einsum("ij,ij->i", vector, vector)
    along = np.einsum("ij,ij->i", vector, offset)
    share = np.divide(along, square, out=np.zeros(len(xyz)), where=square > 0)
    return np.asarray(np.clip(share, 0, 1))


def _nearest_shares(
    points: Points, i: Ints, edges: Edges, j: Ints, share: Floats, most: Floats
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """
    Yield points, pieces and the shares of these that are nearest to the points.

    Along a piece the length f has f'' >= v^2 cot(s / r) / r - v^2 bend wherever f' = 0, r being
    the least Gaussian radius (Sturm). Where that is positive every stationary point is a minimum,
    so there is at most one; other pieces are cut fine enough for a second one not to matter.
    """
    radius = np.sqrt(RMIN_M * SEMI_MAJOR_M)
    angle = (most[i] + 2 * edges.half_m + SLACK_M) / radius
    # from beyond a quarter turn even a geodesic may be nearest at both ends
    proved = (angle < np.pi / 2) & (edges.bend[j] * radius * np.sin(angle) < np.cos(angle))
    parts = np.where(proved, 1, _PARTS)
    for first in range(0, len(i), _PARTS_AT_ONCE // _PARTS):
        rows = np.arange(first, min(first + _PARTS_AT_ONCE // _PARTS, len(i)))
        cuts = parts[rows]
        owner = np.repeat(rows, cuts)
        part = np.arange(len(owner)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
        low, high = part / parts[owner], (part + 1) / parts[owner]
        start = np.clip(share[owner], low, high)
        yield i[owner], j[owner], _newton(points, i[owner], edges, j[owner], (low, start, high))


def _newton(
    points: Points, i: Ints, edges: Edges, j: Ints, interval: tuple[Floats, Floats, Floats]
) -> Floats:
    """Return the share with the least length on an interval of pieces that holds one minimum."""
    first, share, last = interval
    low, high = first.copy(), last.copy()
    best, least = share.copy(), np.full(len(i), np.inf)
    active = np.arange(len(i))
    for turn in count():
        if not len(active):
            break
        t = share[active]
        length, slope, curve = _derivatives(points, i[active], edges, j[active], t)
        nearer = length < least[active]
        best[active[nearer]], least[active[nearer]] = t[nearer], length[nearer]
        low[active] = np.where(slope <= 0, t, low[active])
        high[active] = np.where(slope >= 0, t, high[active])
        # Newton on the half square of the length: exact in one step in the plane, even on the edge
        step = -slope * length / np.where(curve > 0, curve, 1)
        step = np.where((curve > 0) | (slope == 0), step, -np.sign(slope))
        below, above = low[active], high[active]
        aim = np.clip(t + step, first[active], last[active])
        # an end may be tried as it is at first; later only the halving interval decides
        early = turn < _NEWTON_TURNS
        outside = (aim <= below) & ~(early & (below == first[active]))
        outside |= (aim >= above) & ~(early & (above == last[active]))
        outside |= turn >= 3 * _NEWTON_TURNS
        aim = np.where(outside, (below + above) / 2, aim)
        gain = np.abs(slope) * np.where(outside | (curve <= 0), above - below, np.abs(aim - t))
        share[active] = aim
        active = active[gain > _GAIN_M]
    return best


def _derivatives(
    points: Points, i: Ints, edges: Edges, j: Ints, share: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the length f at a share of pieces, f', and (f^2 / 2)'' up to the ellipsoid's share."""
    lon, lat = place_on(edges, j, share)
    _, azimuth, length = WGS84.inv(points.lon[i], points.lat[i], lon, lat)
    # pyproj's back azimuth looks from the edge to the point; the length grows the other way
    east, north = -np.sin(np.radians(azimuth)), -np.cos(np.radians(azimuth))
    root = 1 - ECCENTRICITY2 * np.sin(np.radians(lat)) ** 2
    prime = SEMI_MAJOR_M / np.sqrt(root)
    meridian = prime * (1 - ECCENTRICITY2) / root
    v_east, v_north, a_east, a_north = motion_on(edges, j, share, lat, prime, meridian)
    slope = v_east * east + v_north * north
    angle = length / np.sqrt(meridian * prime)
    ratio = np.divide(angle, np.tan(angle), out=np.ones_like(angle), where=angle > 0)
    across = v_east**2 + v_north**2 - slope**2
    curve = slope**2 + across * ratio + length * (a_east * east + a_north * north)
    return length, slope, curve
