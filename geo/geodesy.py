"""
Exact lengths on the WGS 84 ellipsoid, searched through straight chords.

Every length here is that of the shortest geodesic, by Karney's algorithm [1]_. Searching needs
an order that a tree can use, so points are placed in space (ECEF) and searched by the chord c
between them. A pair's geodesic length s is tied to its chord from both sides. Let

    RMIN = b^2 / a   (the meridian at the equator),   RMAX = a^2 / b   (any direction at a pole)

be the least and the greatest radius of normal curvature. Then, for every pair of points,

    c >  2 RMAX sin(s0 / 2 RMAX)   implies   s > s0       (`chord_beyond`)
    c <= 2 RMIN sin(s0 / 2 RMIN)   implies   s <= s0      (`chord_within`)

*First line.* No principal radius exceeds RMAX, so the ellipsoid rolls freely inside a ball of
that radius (Blaschke [2]_) and is an intersection of such balls. With any two points it holds
their spindle, the intersection of all RMAX balls through both. Projecting a curve onto a convex
body does not lengthen it, hence a path on the surface is no shorter than the shortest way round
the spindle: an arc of radius RMAX over the chord, which gives s >= 2 RMAX asin(c / 2 RMAX).

*Second line.* The curvature of a geodesic in space is its normal curvature, at most 1 / RMIN. By
Schur's comparison theorem [3]_ its chord is at least that of a plane arc of radius RMIN and equal
length: c >= 2 RMIN sin(s / 2 RMIN), which can be inverted while s <= pi RMIN. For longer s, nearly
antipodal, let w be the angle at the centre. The central section is a path of length at most
RMAX w, so w >= s / RMAX, and both points lie outside the ball of radius b, so
c >= 2 b sin(w / 2) > 12 711 km > 2 RMIN: such a pair never passes the test of the second line.

The gap between the lines is about c^3 / 24 (1 / RMIN^2 - 1 / RMAX^2): 20 nm at 1 km, 2 cm at
100 km, 21 m at 1000 km. Only pairs inside it need a geodesic to be decided. A slack of 1e-6 m on
each side covers the rounding of coordinates in space (below 1e-8 m).

Edges of lines and polygons are straight in longitude and latitude, as in GeoJSON [4]_. An edge
whose longitudes differ by more than 180 degrees is taken the short way round; one that differs by
exactly 360 is a full turn along its parallel, the way whole-world boxes are written.

References
----------
.. [1] Karney, C. F. F. (2013). Algorithms for geodesics. Journal of Geodesy 87, 43-55.
   https://doi.org/10.1007/s00190-012-0578-z
.. [2] Blaschke, W. (1916). Kreis und Kugel. Veit, Leipzig, section 24.
.. [3] Schur, A. (1921). Ueber die Schwarzsche Extremaleigenschaft des Kreises unter den Kurven
   konstanter Kruemmung. Mathematische Annalen 83, 143-148.
.. [4] RFC 7946, The GeoJSON Format, sections 3.1.1 and 3.1.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "RMAX_M",
    "RMIN_M",
    "SEMI_MAJOR_M",
    "SEMI_MINOR_M",
    "Edges",
    "Points",
    "candidate_pairs",
    "chord_beyond",
    "chord_within",
    "distance_to_edges",
    "ecef",
    "geodesic_length",
    "index_edges",
    "longest_length",
    "medoid",
    "nearest_points",
    "place_points",
    "within",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SEMI_MAJOR_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1 - _FLATTENING)
RMIN_M = SEMI_MINOR_M**2 / SEMI_MAJOR_M
RMAX_M = SEMI_MAJOR_M**2 / SEMI_MINOR_M

_E2 = _FLATTENING * (2 - _FLATTENING)
_GEOD = Geod(ellps="WGS84")
_SLACK_M = 1e-6
_TIE_DECIMALS = 7  # Karney's lengths are good to 15 nm: closer than 1e-7 m is the same length
_PIECE_M = 1000.0
_TURN = 1 / 32  # radians of longitude in one piece; only binds within 32 km of a pole
_PARTS = 64  # cuts of a piece on which the foot is not proved to be unique
_NEWTON_TURNS = 10  # after these, steps that leave the interval give way to halving it
_GAIN_M = 1e-9  # a step that promises less than this ends the search for a foot
_PAIRS = 1_000_000  # pairs held in memory at once


# ---------------------------------------------------------------------------- lengths and bounds


def ecef(lon: ArrayLike, lat: ArrayLike) -> Floats:
    """
    Place points of the ellipsoid's surface in space.

    Parameters
    ----------
    lon, lat : array-like of float, shape (n,)
        Degrees, WGS 84.

    Returns
    -------
    numpy.ndarray, shape (n, 3)
        Earth-centred coordinates in metres.
    """
    lam, phi = np.radians(lon), np.radians(lat)
    normal = SEMI_MAJOR_M / np.sqrt(1 - _E2 * np.sin(phi) ** 2)
    axial = normal * np.cos(phi)
    return np.stack(
        [axial * np.cos(lam), axial * np.sin(lam), normal * (1 - _E2) * np.sin(phi)], axis=-1
    )


def geodesic_length(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """
    Measure the shortest geodesic between points, by Karney's algorithm.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array-like of float
        Degrees, WGS 84; broadcast against each other.

    Returns
    -------
    numpy.ndarray of float
        Metres, within 15 nm; NaN where a coordinate is missing. Exchanging the two ends
        gives the same number to the last bit.
    """
    parts = np.broadcast_arrays(lon1, lat1, lon2, lat2)
    shape = parts[0].shape
    x1, y1, x2, y2 = (np.asarray(part, dtype=np.float64).ravel() for part in parts)
    swap = (x1 > x2) | ((x1 == x2) & (y1 > y2))
    length = _GEOD.inv(
        np.where(swap, x2, x1),
        np.where(swap, y2, y1),
        np.where(swap, x1, x2),
        np.where(swap, y1, y2),
        return_back_azimuth=False,
    )[2]
    return np.asarray(length, dtype=np.float64).reshape(shape)


def chord_within(length_m: ArrayLike) -> Floats:
    """
    Give the chord up to which two points surely lie within a geodesic length.

    Parameters
    ----------
    length_m : array-like of float
        Geodesic length s0 in metres.

    Returns
    -------
    numpy.ndarray of float
        Metres; every pair with a chord of at most this has s <= s0.
    """
    half = np.minimum(np.asarray(length_m, dtype=np.float64) / (2 * RMIN_M), np.pi / 2)
    return 2 * RMIN_M * np.sin(half) - _SLACK_M


def chord_beyond(length_m: ArrayLike) -> Floats:
    """
    Give the chord above which two points surely lie farther apart than a geodesic length.

    Parameters
    ----------
    length_m : array-like of float
        Geodesic length s0 in metres.

    Returns
    -------
    numpy.ndarray of float
        Metres; every pair with a chord above this has s > s0.
    """
    half = np.minimum(np.asarray(length_m, dtype=np.float64) / (2 * RMAX_M), np.pi / 2)
    return 2 * RMAX_M * np.sin(half) + _SLACK_M


def longest_length(chord_m: ArrayLike) -> Floats:
    """
    Give the greatest geodesic length that two points with a given chord can have.

    Parameters
    ----------
    chord_m : array-like of float
        Chord in metres.

    Returns
    -------
    numpy.ndarray of float
        Metres, the inverse of `chord_within`; infinite where the bound does not reach.
    """
    ratio = (np.asarray(chord_m, dtype=np.float64) + _SLACK_M) / (2 * RMIN_M)
    return np.where(ratio <= 1, 2 * RMIN_M * np.arcsin(np.minimum(ratio, 1)), np.inf)


# ---------------------------------------------------------------------------- points to points


@dataclass(frozen=True, eq=False)
class Points:
    """
    Points in degrees and in space.

    Parameters
    ----------
    lon, lat : numpy.ndarray, shape (n,)
        Degrees, WGS 84, none missing.
    xyz : numpy.ndarray, shape (n, 3)
        The same points by `ecef`.
    """

    lon: Floats
    lat: Floats
    xyz: Floats


def place_points(lon: ArrayLike, lat: ArrayLike) -> Points:
    """
    Make `Points` from degrees.

    Parameters
    ----------
    lon, lat : array-like of float, shape (n,)
        Degrees, WGS 84, none missing.

    Returns
    -------
    Points
        The points with their places in space.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    return Points(x, y, ecef(x, y))


def candidate_pairs(
    points: Points, targets: Points, reach_m: ArrayLike
) -> Iterator[tuple[Ints, Ints]]:
    """
    Yield, in portions, every pair that may be within reach.

    Parameters
    ----------
    points, targets : Points
        From where and to where.
    reach_m : float or array-like of float, shape (len(points),)
        Greatest geodesic length of interest, for all points or for each.

    Yields
    ------
    tuple of two numpy.ndarray of int
        Positions in ``points`` and in ``targets``. No pair within reach is left out; pairs
        barely beyond it may be among them (`within` decides). All pairs of one point come in
        the same portion.
    """
    reach = np.broadcast_to(chord_beyond(reach_m), points.lon.shape)
    yield from _ball_pairs(cKDTree(targets.xyz), points.xyz, reach)


def _ball_pairs(tree: Any, xyz: Floats, chord: Floats) -> Iterator[tuple[Ints, Ints]]:  # noqa: ANN401 - scipy has no types
    """Yield every pair whose chord is within each point's own, some `_PAIRS` at a time."""
    if not len(xyz) or not tree.n:
        return
    counts = tree.query_ball_point(xyz, chord, return_length=True, workers=-1)
    portion = np.cumsum(counts) // _PAIRS
    for rows in np.split(np.arange(len(xyz)), np.flatnonzero(np.diff(portion)) + 1):
        found = tree.query_ball_point(xyz[rows], chord[rows], workers=-1)
        total = int(counts[rows].sum())
        yield (
            np.repeat(rows, counts[rows]),
            np.fromiter(chain.from_iterable(found), dtype=np.intp, count=total),
        )


def within(
    points: Points, i: Ints, targets: Points, j: Ints, length_m: ArrayLike
) -> NDArray[np.bool_]:
    """
    Decide for pairs whether their geodesic length is at most a limit.

    Parameters
    ----------
    points, targets : Points
        Where the pairs' positions point to.
    i, j : numpy.ndarray of int, shape (m,)
        Positions in ``points`` and in ``targets``.
    length_m : float or array-like of float, shape (m,)
        The limit in metres, for all pairs or for each; a negative one is met by none.

    Returns
    -------
    numpy.ndarray of bool, shape (m,)
        Exact: by the chord where it proves the answer, else by the geodesic.
    """
    limit = np.broadcast_to(np.asarray(length_m, dtype=np.float64), i.shape)
    chord = np.linalg.norm(points.xyz[i] - targets.xyz[j], axis=1)
    inside: NDArray[np.bool_] = (chord <= chord_within(limit)) & (limit >= 0)
    open_ = np.flatnonzero(~inside & (chord <= chord_beyond(limit)) & (limit >= 0))
    a, b = i[open_], j[open_]
    length = geodesic_length(points.lon[a], points.lat[a], targets.lon[b], targets.lat[b])
    inside[open_] = length <= limit[open_]
    return inside


def nearest_points(
    points: Points, targets: Points, *, k: int = 1, max_distance_m: float = np.inf
) -> tuple[Ints, Floats]:
    """
    Find the k nearest targets of each point, proved by the chord bounds.

    Parameters
    ----------
    points, targets : Points
        From where and to where.
    k : int, default 1
        How many neighbours.
    max_distance_m : float, optional
        Targets farther than this do not count.

    Returns
    -------
    position : numpy.ndarray of int, shape (n, k)
        Positions in ``targets`` by rising distance, -1 where there is none. Lengths that are
        equal when rounded to 1e-7 m are a tie, and the lower position comes first.
    length_m : numpy.ndarray of float, shape (n, k)
        Geodesic lengths, NaN where there is none.

    Notes
    -----
    The k + 1 nearest chords are measured. Where the last chord is beyond the k-th geodesic
    (`chord_beyond`), no other target can be nearer or tie; elsewhere all targets that could
    are measured.
    """
    n = len(points.lon)
    position, length = np.full((n, k), -1, dtype=np.intp), np.full((n, k), np.nan)
    kept = _first_of_each(targets, k)
    if not n or not len(kept):
        return position, length
    pool = Points(targets.lon[kept], targets.lat[kept], targets.xyz[kept])
    tree: Any = cKDTree(pool.xyz)
    limit = np.inf if np.isinf(max_distance_m) else float(chord_beyond(max_distance_m))
    chord, near = tree.query(
        points.xyz, k=np.arange(1, k + 2), distance_upper_bound=limit, workers=-1
    )
    row, column = np.nonzero(np.isfinite(chord[:, :k]))
    _keep_nearest(points, pool, row, near[row, column], (position, length))
    reach = chord_beyond(np.nanmax(length, axis=1, initial=0.0))
    open_ = np.flatnonzero(np.isfinite(chord[:, k]) & (chord[:, k] <= reach))
    for i, j in _ball_pairs(tree, points.xyz[open_], reach[open_]):
        _keep_nearest(points, pool, open_[i], j, (position, length))
    with np.errstate(invalid="ignore"):
        far = ~(length <= max_distance_m)
    position[position >= 0] = kept[position[position >= 0]]
    position[far], length[far] = -1, np.nan
    return position, length


def _keep_nearest(
    points: Points, targets: Points, i: Ints, j: Ints, answer: tuple[Ints, Floats]
) -> None:
    """Measure all pairs of some rows and write their nearest, in order, into the answer."""
    position, length = answer
    measured = geodesic_length(points.lon[i], points.lat[i], targets.lon[j], targets.lat[j])
    order = np.lexsort((j, np.round(measured, _TIE_DECIMALS), i))
    i, j, measured = i[order], j[order], measured[order]
    first = np.flatnonzero(np.diff(i, prepend=-1))
    rank = np.arange(len(i)) - np.repeat(first, np.diff(first, append=len(i)))
    keep = rank < position.shape[1]
    position[i[keep], rank[keep]] = j[keep]
    length[i[keep], rank[keep]] = measured[keep]


def _first_of_each(points: Points, k: int) -> Ints:
    """Return the first k positions at each coordinate: more of them cannot be an answer."""
    order = np.lexsort((points.lat, points.lon))
    lon, lat = points.lon[order], points.lat[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(lon) != 0) | (np.diff(lat) != 0)
    first = np.flatnonzero(new)
    rank = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    return np.sort(order[rank < k])


def medoid(points: Points, weight: Floats) -> int:
    """
    Find the point with the least weighted sum of geodesic lengths to all the others.

    Parameters
    ----------
    points : Points
        At least one.
    weight : numpy.ndarray of float, shape (n,)
        How many reports each point stands for.

    Returns
    -------
    int
        Position; sums that are equal when rounded to 1e-6 m are a tie, and the lower
        longitude, then the lower latitude comes first.

    Notes
    -----
    S(j) >= abs(S(i) - W d(i, j)) by the triangle inequality, W being the sum of weights; a
    point whose bound exceeds the best sum so far is never measured.
    """
    order = np.lexsort((points.lat, points.lon))
    centre = np.average(points.xyz, axis=0, weights=weight)
    outward = np.argsort(np.linalg.norm(points.xyz - centre, axis=1), kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    bound, best = np.zeros(len(order)), (np.inf, 0, 0)
    for i in outward:
        if bound[i] > best[0] + _SLACK_M:
            continue
        length = geodesic_length(points.lon[i], points.lat[i], points.lon, points.lat)
        total = float(length @ weight)
        best = min(best, (round(total, 6), int(rank[i]), int(i)))
        np.maximum(bound, np.abs(total - weight.sum() * length), out=bound)
    return best[2]


# ---------------------------------------------------------------------------- points to edges


@dataclass(frozen=True, eq=False)
class Edges:
    """
    Edges straight in longitude and latitude, cut into short pieces and indexed.

    Parameters
    ----------
    lon, lat, dlon, dlat : numpy.ndarray, shape (p,)
        Start and extent of each piece in degrees.
    start, vector : numpy.ndarray, shape (p, 3)
        The straight chord of each piece in space.
    sag_m : numpy.ndarray, shape (p,)
        No point of the piece is farther than this from its equal share of the chord.
    bend : numpy.ndarray, shape (p,)
        Greatest curvature of the piece within the surface, 1/m.
    half_m : float
        Every point of a piece is within this of the piece's middle, along it.
    tree : scipy.spatial.cKDTree
        The middles in space.
    """

    lon: Floats
    lat: Floats
    dlon: Floats
    dlat: Floats
    start: Floats
    vector: Floats
    sag_m: Floats
    bend: Floats
    half_m: float
    tree: Any


def index_edges(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Edges:
    """
    Cut edges into pieces of at most 1 km and index them for `distance_to_edges`.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array-like of float, shape (m,)
        Ends of the edges in degrees, none missing.

    Returns
    -------
    Edges
        The pieces; edges without length stay as points.

    Notes
    -----
    With p the distance from the axis and M the meridian radius, the speed of an edge is at most
    sqrt((p dlon)^2 + (M dlat)^2), which bounds the length of a piece, and its second derivative
    in space at most RMAX (cos(lat) dlon^2 + 2 |dlon dlat| + 1.02 dlat^2), an eighth of which
    bounds its distance from the chord. Within the surface the first two terms take a factor
    sin(lat) and the third keeps only the change of M, 0.02.
    """
    x, y, x2, y2 = (np.asarray(part, dtype=np.float64) for part in (lon1, lat1, lon2, lat2))
    dx, dy = x2 - x, y2 - y
    dx = np.where((np.abs(dx) > 180) & (np.abs(dx) != 360), np.remainder(dx + 180, 360) - 180, dx)  # noqa: PLR2004 - degrees of a half and a full turn
    speed = RMAX_M * np.hypot(np.radians(dx) * _cos_most(y, dy), np.radians(dy))
    cuts = np.ceil(np.maximum(speed / _PIECE_M, np.abs(np.radians(dx)) / _TURN))
    cuts = np.maximum(cuts, 1).astype(np.intp)
    edge = np.repeat(np.arange(len(x)), cuts)
    share = (np.arange(len(edge)) - np.repeat(np.cumsum(cuts) - cuts, cuts)) / cuts[edge]
    lon, lat = x[edge] + share * dx[edge], y[edge] + share * dy[edge]
    dlon, dlat = dx[edge] / cuts[edge], dy[edge] / cuts[edge]
    start = ecef(lon, lat)
    lam, phi, cosine = np.abs(np.radians(dlon)), np.abs(np.radians(dlat)), _cos_most(lat, dlat)
    least = _cos_least(lat, dlat)
    sine = np.sqrt(1 - least**2)
    turning = RMAX_M * (cosine * sine * lam**2 + 2 * sine * lam * phi + 0.02 * phi**2)
    slowest = (SEMI_MAJOR_M * lam * least) ** 2 + (RMIN_M * phi) ** 2
    bend = np.divide(turning, slowest, out=np.zeros(len(edge)), where=slowest > 0)
    return Edges(
        lon=lon,
        lat=lat,
        dlon=dlon,
        dlat=dlat,
        start=start,
        vector=ecef(lon + dlon, lat + dlat) - start,
        sag_m=RMAX_M * (cosine * lam**2 + 2 * lam * phi + 1.02 * phi**2) / 8 + _SLACK_M,
        bend=bend,
        half_m=float((speed / cuts).max(initial=0.0)) / 2,
        tree=cKDTree(ecef(lon + dlon / 2, lat + dlat / 2)),
    )


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

    Notes
    -----
    The nearest middle gives a first length that the answer cannot exceed. Pieces that the
    bounds cannot exclude at that length are all kept, and on each the foot is found by
    safeguarded Newton steps with geodesics, first on the true edge, never on its chord.
    """
    answer = np.full(len(points.lon), np.inf)
    if not len(answer) or not len(edges.lon):
        return answer
    _, piece = edges.tree.query(points.xyz, workers=-1)
    share, _ = _chord_foot(points.xyz, edges, piece)
    answer = _length_at(points, np.arange(len(answer)), edges, piece, share)
    reach = chord_beyond(answer) + edges.half_m
    for i, j in _ball_pairs(edges.tree, points.xyz, reach):
        share, chord = _chord_foot(points.xyz[i], edges, j)
        keep = chord - edges.sag_m[j] <= chord_beyond(answer[i])
        i, j, share = i[keep], j[keep], share[keep]  # noqa: PLW2901 - the survivors
        middle = _length_at(points, i, edges, j, np.full(len(i), 0.5))
        np.minimum.at(answer, i, middle)
        keep = middle - edges.half_m <= answer[i] + _SLACK_M
        i, j, share = i[keep], j[keep], share[keep]  # noqa: PLW2901 - the survivors
        np.minimum.at(answer, i, _foot_lengths(points, i, edges, j, share, answer[i]))
    return answer


def _chord_foot(xyz: Floats, edges: Edges, piece: Ints) -> tuple[Floats, Floats]:
    """Return where on the chords of pieces the points are nearest, and how near."""
    vector, offset = edges.vector[piece], xyz - edges.start[piece]
    square = np.einsum("ij,ij->i", vector, vector)
    along = np.einsum("ij,ij->i", vector, offset)
    share = np.clip(np.divide(along, square, out=np.zeros(len(xyz)), where=square > 0), 0, 1)
    return share, np.linalg.norm(offset - share[:, None] * vector, axis=1)


def _on_piece(edges: Edges, piece: Ints, share: Floats) -> tuple[Floats, Floats]:
    """Return longitude and latitude at a share of pieces."""
    lat = edges.lat[piece] + share * edges.dlat[piece]
    # rounding must not carry an edge that ends at a pole beyond it
    return edges.lon[piece] + share * edges.dlon[piece], np.clip(lat, -90, 90)


def _length_at(points: Points, i: Ints, edges: Edges, j: Ints, share: Floats) -> Floats:
    """Return the geodesic length from points to a given share of pieces."""
    return geodesic_length(points.lon[i], points.lat[i], *_on_piece(edges, j, share))


def _foot_lengths(
    points: Points, i: Ints, edges: Edges, j: Ints, share: Floats, most: Floats
) -> Floats:
    """
    Return the least geodesic length from points to pieces.

    Along a piece the length f has f'' >= v^2 cot(s / r) / r - v^2 bend wherever f' = 0, r being
    the least Gaussian radius (Sturm). Where that is positive every stationary point is a minimum,
    so there is at most one; other pieces are cut fine enough for a second one not to matter.
    """
    radius = np.sqrt(RMIN_M * SEMI_MAJOR_M)
    angle = np.minimum((most + 2 * edges.half_m + _SLACK_M) / radius, np.pi / 2)
    proved = edges.bend[j] * radius * np.sin(angle) < np.cos(angle)
    parts = np.where(proved, 1, _PARTS)
    owner = np.repeat(np.arange(len(i)), parts)
    part = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    low, high = part / parts[owner], (part + 1) / parts[owner]
    least = np.full(len(i), np.inf)
    start = np.clip(share[owner], low, high)
    np.minimum.at(least, owner, _newton(points, i[owner], edges, j[owner], (low, start, high)))
    return least


def _newton(
    points: Points, i: Ints, edges: Edges, j: Ints, interval: tuple[Floats, Floats, Floats]
) -> Floats:
    """Return the least length on an interval of pieces that holds one minimum."""
    first, share, last = interval
    low, high, least = first.copy(), last.copy(), np.full(len(i), np.inf)
    active = np.arange(len(i))
    for turn in count():
        if not len(active):
            break
        t = share[active]
        length, slope, curve = _derivatives(points, i[active], edges, j[active], t)
        least[active] = np.minimum(least[active], length)
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
    return least


def _derivatives(
    points: Points, i: Ints, edges: Edges, j: Ints, share: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the length f at a share of pieces, f', and (f^2 / 2)'' up to the ellipsoid's share."""
    lon, lat = _on_piece(edges, j, share)
    _, azimuth, length = _GEOD.inv(points.lon[i], points.lat[i], lon, lat)
    # pyproj's back azimuth looks from the edge to the point; the length grows the other way
    east, north = -np.sin(np.radians(azimuth)), -np.cos(np.radians(azimuth))
    lam, phi, sine = np.radians(edges.dlon[j]), np.radians(edges.dlat[j]), np.sin(np.radians(lat))
    root = 1 - _E2 * sine**2
    prime = SEMI_MAJOR_M / np.sqrt(root)
    meridian = prime * (1 - _E2) / root
    axial = prime * np.cos(np.radians(lat))
    v_east, v_north = axial * lam, meridian * phi
    slope = v_east * east + v_north * north
    # acceleration of the edge within the surface (Christoffel symbols of a surface of revolution)
    a_east = -2 * meridian * sine * lam * phi
    a_north = axial * sine * lam**2
    angle = length / np.sqrt(meridian * prime)
    ratio = np.divide(angle, np.tan(angle), out=np.ones_like(angle), where=angle > 0)
    across = v_east**2 + v_north**2 - slope**2
    curve = slope**2 + across * ratio + length * (a_east * east + a_north * north)
    return length, slope, curve
