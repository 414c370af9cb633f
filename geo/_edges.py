"""Exact distance from points to edges: the part of `geo.geodesy` that knows lines.

An edge between two vertices is either straight in longitude and latitude, the model of GeoJSON, or
a geodesic. Both are cut into pieces of at most 1 km, which a straight chord in space follows to
within a few centimetres; the foot of a point is sought on the edge itself, never on its chord.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from geo._search import kernels, plant, portions_of, walk
from geo._threads import in_threads
from geo.geodesy import (
    ECCENTRICITY2,
    RMAX_M,
    RMIN_M,
    SEMI_MAJOR_M,
    SLACK_M,
    WGS84,
    Points,
    chord_beyond,
    ecef,
    geodesic_length,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from geo._kernels import Tree

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Edges", "Foot", "distance_to_edges", "index_edges", "nearest_on_edges"]

_PIECE_M = 1000.0
_TURN = 1 / 32  # radians of longitude in one piece; only binds within 32 km of a pole
_PARTS = 64  # cuts of a piece on which the foot is not proved to be unique
_NEWTON_TURNS = 10  # after these, steps that leave the interval give way to halving it
_FEW = 4  # pieces of one point that are not worth excluding first
_PARTS_AT_ONCE = 1_000_000
_GAIN_M = 1e-9  # a step that promises less than this ends the search for a foot


@dataclass(frozen=True, eq=False)
class Edges:
    """
    Edges cut into short pieces and indexed.

    Parameters
    ----------
    lon, lat : numpy.ndarray, shape (p,)
        Degrees: where a piece starts if it is straight in longitude and latitude, or else where
        the geodesic starts of which it is a piece.
    step : numpy.ndarray, shape (p, 2)
        Its extent in longitude and latitude, or else the distance along the geodesic at which it
        starts and its own length, in metres.
    azimuth : numpy.ndarray, shape (p,), or None
        Of the geodesic at its start, in degrees; None if pieces are straight in degrees.
    start, vector : numpy.ndarray, shape (p, 3)
        The straight chord of each piece in space.
    sag_m : numpy.ndarray, shape (p,)
        No point of the piece is farther than this from its equal share of the chord.
    bend : numpy.ndarray, shape (p,)
        Greatest curvature of the piece within the surface, 1/m.
    half_m : float
        No piece is longer than twice this.
    tree : Tree or None
        The pieces, in the order of all these arrays; None if there are no edges.
    """

    lon: Floats
    lat: Floats
    step: Floats
    azimuth: Floats | None
    start: Floats
    vector: Floats
    sag_m: Floats
    bend: Floats
    half_m: float
    tree: Tree | None


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


def index_edges(
    lon1: ArrayLike,
    lat1: ArrayLike,
    lon2: ArrayLike,
    lat2: ArrayLike,
    *,
    geodesic: bool = False,
) -> Edges:
    """
    Cut edges into pieces of at most 1 km and index them for `nearest_on_edges`.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array-like of float, shape (m,)
        Ends of the edges in degrees, none missing.
    geodesic : bool, default False
        Whether edges are geodesics; else they are straight in longitude and latitude.

    Returns
    -------
    Edges
        The pieces; edges without length stay as points.
    """
    ends = [np.asarray(part, dtype=np.float64) for part in (lon1, lat1, lon2, lat2)]
    edges = _geodesic_pieces(*ends) if geodesic else _planar_pieces(*ends)
    if not len(edges.lon):
        return edges
    sag, end = edges.sag_m[:, None], edges.start + edges.vector
    tree = plant(np.minimum(edges.start, end) - sag, np.maximum(edges.start, end) + sag)
    order = tree.order
    return Edges(
        lon=edges.lon[order],
        lat=edges.lat[order],
        step=edges.step[order],
        azimuth=None if edges.azimuth is None else edges.azimuth[order],
        start=edges.start[order],
        vector=edges.vector[order],
        sag_m=edges.sag_m[order],
        bend=edges.bend[order],
        half_m=edges.half_m,
        tree=tree,
    )


def _planar_pieces(x: Floats, y: Floats, x2: Floats, y2: Floats) -> Edges:
    """
    Cut edges that are straight in longitude and latitude.

    With p the distance from the axis and M the meridian radius, the speed of an edge is at most
    sqrt((p dlon)^2 + (M dlat)^2), which bounds the length of a piece, and its second derivative
    in space at most RMAX (cos(lat) dlon^2 + 2 |dlon dlat| + 1.02 dlat^2), an eighth of which
    bounds its distance from the chord. Within the surface the first two terms take a factor
    sin(lat) and the third keeps only the change of M, 0.02.
    """
    dx, dy = x2 - x, y2 - y
    dx = np.where((np.abs(dx) > 180) & (np.abs(dx) != 360), np.remainder(dx + 180, 360) - 180, dx)  # noqa: PLR2004 - degrees of a half and a full turn
    speed = RMAX_M * np.hypot(np.radians(dx) * _cos_most(y, dy), np.radians(dy))
    cuts = np.ceil(np.maximum(speed / _PIECE_M, np.abs(np.radians(dx)) / _TURN))
    edge, share, cuts = _cut(cuts)
    lon, lat = x[edge] + share * dx[edge], y[edge] + share * dy[edge]
    dlon, dlat = dx[edge] / cuts[edge], dy[edge] / cuts[edge]
    start = ecef(lon, lat)
    lam, phi, cosine = np.abs(np.radians(dlon)), np.abs(np.radians(dlat)), _cos_most(lat, dlat)
    least = _cos_least(lat, dlat)
    sine = np.sqrt(1 - least**2)
    turning = RMAX_M * (cosine * sine * lam**2 + 2 * sine * lam * phi + 0.02 * phi**2)
    slowest = (SEMI_MAJOR_M * lam * least) ** 2 + (RMIN_M * phi) ** 2
    return Edges(
        lon=lon,
        lat=lat,
        step=np.column_stack([dlon, dlat]),
        azimuth=None,
        start=start,
        vector=ecef(lon + dlon, lat + dlat) - start,
        sag_m=RMAX_M * (cosine * lam**2 + 2 * lam * phi + 1.02 * phi**2) / 8 + SLACK_M,
        bend=np.divide(turning, slowest, out=np.zeros(len(edge)), where=slowest > 0),
        half_m=float((speed / cuts).max(initial=0.0)) / 2,
        tree=None,
    )


def _geodesic_pieces(x: Floats, y: Floats, x2: Floats, y2: Floats) -> Edges:
    """Cut edges that are geodesics: in space they bend by 1 / RMIN at most, in the surface not."""
    azimuth, _, length = (np.asarray(part) for part in WGS84.inv(x, y, x2, y2))
    edge, share, cuts = _cut(np.ceil(length / _PIECE_M))
    step = length[edge] / cuts[edge]
    offset = share * length[edge]
    lon, lat, azimuth = x[edge], y[edge], azimuth[edge]
    start = ecef(*WGS84.fwd(lon, lat, azimuth, offset)[:2])
    return Edges(
        lon=lon,
        lat=lat,
        step=np.column_stack([offset, step]),
        azimuth=azimuth,
        start=start,
        vector=ecef(*WGS84.fwd(lon, lat, azimuth, offset + step)[:2]) - start,
        sag_m=step**2 / (8 * RMIN_M) + SLACK_M,
        bend=np.zeros(len(edge)),
        half_m=float(step.max(initial=0.0)) / 2,
        tree=None,
    )


def _cut(cuts: Floats) -> tuple[Ints, Floats, Ints]:
    """Return the edge of each piece, the share of it at which the piece starts, and all cuts."""
    whole = np.maximum(cuts, 1).astype(np.int64)
    edge = np.repeat(np.arange(len(whole)), whole)
    before = np.repeat(np.cumsum(whole) - whole, whole)
    return edge, (np.arange(len(edge)) - before) / whole[edge], whole


def _cos_most(lat: Floats, dlat: Floats) -> Floats:
    """Return the greatest cosine of latitude along edges."""
    nearest = np.maximum(np.maximum(np.minimum(lat, lat + dlat), -np.maximum(lat, lat + dlat)), 0)
    return np.asarray(np.cos(np.radians(nearest)))


def _cos_least(lat: Floats, dlat: Floats) -> Floats:
    """Return the least cosine of latitude along edges."""
    farthest = np.maximum(np.abs(lat), np.abs(lat + dlat))
    return np.asarray(np.maximum(np.cos(np.radians(farthest)), 0.0))


def distance_to_edges(points: Points, edges: Edges) -> Floats:
    """
    Measure the shortest geodesic from points to the nearest of some edges.

    Parameters
    ----------
    points : Points
        From where.
    edges : Edges
        To where, by `index_edges`.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Metres, within 1e-6 m; infinite if there are no edges.
    """
    return nearest_on_edges(points, edges).length_m


def nearest_on_edges(points: Points, edges: Edges) -> Foot:
    """
    Find the nearest place of some edges for each point.

    Parameters
    ----------
    points : Points
        From where.
    edges : Edges
        To where, by `index_edges`.

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
        lambda start, stop: kernels().nearest_feet(
            start, stop, places, order, tree, edges.start, edges.vector, piece
        ),
        n,
    )
    share = _chord_share(points.xyz, edges, piece)
    _keep_feet(points, edges, np.arange(n), piece, share, foot)
    for i, j in _pieces_within(points, edges, chord_beyond(foot.length_m)):
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
    lon, lat = _on_piece(edges, j[many], share[many])
    length = geodesic_length(points.lon[i[many]], points.lat[i[many]], lon, lat)
    near = np.ones(len(i), dtype=bool)
    near[many] = length - 2 * edges.half_m <= foot.length_m[i[many]] + SLACK_M
    return near


def _pieces_within(points: Points, edges: Edges, reach: Floats) -> Iterator[tuple[Ints, Ints]]:
    """Yield, in portions, the pieces that may come within reach of each point, by their chords."""
    counts = np.empty(len(reach), dtype=np.int64)

    def search(rows: slice, ends: Ints, out: tuple[Ints, Ints]) -> None:
        xyz, limit = points.xyz[rows], reach[rows]
        chords = (edges.tree, edges.start, edges.vector, edges.sag_m)
        in_threads(
            lambda start, stop: kernels().list_feet(start, stop, xyz, limit, *chords, ends, out),
            len(limit),
        )

    nothing = np.empty(0, dtype=np.int64)
    search(slice(None), counts, (nothing, nothing))
    for rows, starts, out in portions_of(counts):
        search(rows, starts, out)
        yield out[0] + rows.start, out[1]


def _keep_feet(points: Points, edges: Edges, i: Ints, j: Ints, share: Floats, foot: Foot) -> None:
    """Measure to some places on pieces and keep the nearest one of each point."""
    lon, lat = _on_piece(edges, j, share)
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


def _on_piece(edges: Edges, piece: Ints, share: Floats) -> tuple[Floats, Floats]:
    """Return longitude and latitude at a share of pieces."""
    lon, lat, step = edges.lon[piece], edges.lat[piece], edges.step[piece]
    if edges.azimuth is not None:
        along = step[:, 0] + share * step[:, 1]
        lon, lat, _ = WGS84.fwd(lon, lat, edges.azimuth[piece], along)
        return np.asarray(lon), np.asarray(lat)
    # rounding must not carry an edge that ends at a pole beyond it
    return lon + share * step[:, 0], np.clip(lat + share * step[:, 1], -90, 90)


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
    angle = np.minimum((most[i] + 2 * edges.half_m + SLACK_M) / radius, np.pi / 2)
    proved = edges.bend[j] * radius * np.sin(angle) < np.cos(angle)
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
    lon, lat = _on_piece(edges, j, share)
    _, azimuth, length = WGS84.inv(points.lon[i], points.lat[i], lon, lat)
    # pyproj's back azimuth looks from the edge to the point; the length grows the other way
    east, north = -np.sin(np.radians(azimuth)), -np.cos(np.radians(azimuth))
    root = 1 - ECCENTRICITY2 * np.sin(np.radians(lat)) ** 2
    prime = SEMI_MAJOR_M / np.sqrt(root)
    meridian = prime * (1 - ECCENTRICITY2) / root
    v_east, v_north, a_east, a_north = _motion(edges, j, share, lat, prime, meridian)
    slope = v_east * east + v_north * north
    angle = length / np.sqrt(meridian * prime)
    ratio = np.divide(angle, np.tan(angle), out=np.ones_like(angle), where=angle > 0)
    across = v_east**2 + v_north**2 - slope**2
    curve = slope**2 + across * ratio + length * (a_east * east + a_north * north)
    return length, slope, curve


def _motion(
    edges: Edges, j: Ints, share: Floats, lat: Floats, prime: Floats, meridian: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return speed and acceleration within the surface, to the east and to the north."""
    lon1, lat1, step = edges.lon[j], edges.lat[j], edges.step[j]
    if edges.azimuth is not None:
        along = step[:, 0] + share * step[:, 1]
        # pyproj's back azimuth looks to the start of the geodesic, which goes the other way
        back = np.radians(WGS84.fwd(lon1, lat1, edges.azimuth[j], along)[2])
        nothing = np.zeros(len(j))
        return -step[:, 1] * np.sin(back), -step[:, 1] * np.cos(back), nothing, nothing
    lam, phi = np.radians(step).T
    sine, axial = np.sin(np.radians(lat)), prime * np.cos(np.radians(lat))
    # Christoffel symbols of a surface of revolution
    return axial * lam, meridian * phi, -2 * meridian * sine * lam * phi, axial * sine * lam**2
