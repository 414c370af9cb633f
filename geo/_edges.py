"""Exact distance from points to edges: the part of `geo.geodesy` that knows lines."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.geodesy import (
    ECCENTRICITY2,
    RMAX_M,
    RMIN_M,
    SEMI_MAJOR_M,
    SLACK_M,
    WGS84,
    Points,
    ball_pairs,
    chord_beyond,
    ecef,
    geodesic_length,
    index_chords,
)

__all__ = ["Edges", "distance_to_edges", "index_edges"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_PIECE_M = 1000.0
_TURN = 1 / 32  # radians of longitude in one piece; only binds within 32 km of a pole
_PARTS = 64  # cuts of a piece on which the foot is not proved to be unique
_NEWTON_TURNS = 10  # after these, steps that leave the interval give way to halving it
_GAIN_M = 1e-9  # a step that promises less than this ends the search for a foot


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
        sag_m=RMAX_M * (cosine * lam**2 + 2 * lam * phi + 1.02 * phi**2) / 8 + SLACK_M,
        bend=bend,
        half_m=float((speed / cuts).max(initial=0.0)) / 2,
        tree=index_chords(ecef(lon + dlon / 2, lat + dlat / 2)),
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
    for i, j in ball_pairs(edges.tree, points.xyz, reach):
        share, chord = _chord_foot(points.xyz[i], edges, j)
        keep = chord - edges.sag_m[j] <= chord_beyond(answer[i])
        i, j, share = i[keep], j[keep], share[keep]  # noqa: PLW2901 - the survivors
        middle = _length_at(points, i, edges, j, np.full(len(i), 0.5))
        np.minimum.at(answer, i, middle)
        keep = middle - edges.half_m <= answer[i] + SLACK_M
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
    angle = np.minimum((most + 2 * edges.half_m + SLACK_M) / radius, np.pi / 2)
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
    _, azimuth, length = WGS84.inv(points.lon[i], points.lat[i], lon, lat)
    # pyproj's back azimuth looks from the edge to the point; the length grows the other way
    east, north = -np.sin(np.radians(azimuth)), -np.cos(np.radians(azimuth))
    lam, phi, sine = np.radians(edges.dlon[j]), np.radians(edges.dlat[j]), np.sin(np.radians(lat))
    root = 1 - ECCENTRICITY2 * sine**2
    prime = SEMI_MAJOR_M / np.sqrt(root)
    meridian = prime * (1 - ECCENTRICITY2) / root
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
