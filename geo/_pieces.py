"""Edges cut into short pieces and indexed, and the way along a piece.

An edge between two vertices is either straight in longitude and latitude, the model of GeoJSON, or
a geodesic. Both are cut into pieces of at most 1 km, which a straight chord in space follows to
within a few centimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo._index import plant
from geo.geodesy import RMAX_M, RMIN_M, SEMI_MAJOR_M, SLACK_M, WGS84, ecef

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from geo._trees import Tree

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Edges", "index_edges", "motion_on", "place_on"]

_PIECE_M = 1000.0
_TURN = 1 / 32  # radians of longitude in one piece; only binds within 32 km of a pole


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


def index_edges(
    lon1: ArrayLike,
    lat1: ArrayLike,
    lon2: ArrayLike,
    lat2: ArrayLike,
    *,
    geodesic: bool = False,
) -> Edges:
    """
    Cut edges into pieces of at most 1 km and index them for `geo._edges`.

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


def place_on(edges: Edges, piece: Ints, share: Floats) -> tuple[Floats, Floats]:
    """
    Give longitude and latitude at a share of pieces.

    Parameters
    ----------
    edges : Edges
        The pieces.
    piece : numpy.ndarray of int, shape (m,)
        Which of them.
    share : numpy.ndarray, shape (m,)
        Where on each, from 0 to 1.

    Returns
    -------
    lon, lat : numpy.ndarray, shape (m,)
        Degrees.
    """
    lon, lat, step = edges.lon[piece], edges.lat[piece], edges.step[piece]
    if edges.azimuth is not None:
        along = step[:, 0] + share * step[:, 1]
        lon, lat, _ = WGS84.fwd(lon, lat, edges.azimuth[piece], along)
        return np.asarray(lon), np.asarray(lat)
    # rounding must not carry an edge that ends at a pole beyond it
    return lon + share * step[:, 0], np.clip(lat + share * step[:, 1], -90, 90)


def motion_on(
    edges: Edges, j: Ints, share: Floats, lat: Floats, prime: Floats, meridian: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """
    Give speed and acceleration along pieces, within the surface.

    Parameters
    ----------
    edges : Edges
        The pieces.
    j : numpy.ndarray of int, shape (m,)
        Which of them.
    share : numpy.ndarray, shape (m,)
        Where on each, from 0 to 1.
    lat : numpy.ndarray, shape (m,)
        The latitude there, in degrees.
    prime, meridian : numpy.ndarray, shape (m,)
        Radii of curvature there, to the east and to the north, in metres.

    Returns
    -------
    v_east, v_north, a_east, a_north : numpy.ndarray, shape (m,)
        Metres per share, and per its square.
    """
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
