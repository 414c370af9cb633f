"""Shares of discs on the ellipsoid that lie within a distance of a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo._edges import pieces_within
from geo._index import pair_lengths
from geo._inputs import parts_of
from geo._pieces import index_edges, place_on
from geo._shapes import inside
from geo._threads import in_threads
from geo.geodesy import WGS84, Points, chord_beyond, place_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._pieces import Edges
    from geo._within_kernel import Pieces

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Tables = tuple[Pieces, Pieces, NDArray[np.bool_]]

__all__ = ["shares_within"]

_AT_ONCE = 256  # discs whose pieces are held in memory
_PORTION = 8  # discs that are worth handing to a thread
_ROOM = 1.1  # radii: pieces of outlines that a way within a disc may cross


def shares_within(
    points: Points, radius: Floats, gap: Floats, shapes: NDArray[np.object_], distance_m: float
) -> Floats:
    """
    Measure what share of discs lies within a geodesic distance of geometries.

    Parameters
    ----------
    points : Points
        The centres.
    radius : numpy.ndarray, shape (n,)
        Of each disc, in metres, more than 0 and finite.
    gap : numpy.ndarray, shape (n,)
        The distance of each centre to the geometries, 0 inside.
    shapes : numpy.ndarray of shapely geometries
        In degrees, none missing or empty; together they are one feature.
    distance_m : float
        The distance.

    Returns
    -------
    numpy.ndarray, shape (n,)
        From 0 to 1.

    Notes
    -----
    Each disc is measured in the azimuthal equidistant plane about its centre, where lengths from
    the centre r are those of geodesics. Between a place of the disc of radius u and a place at r
    they are wrong by at most about u^2 r / 6 R^2, R being the earth's radius; areas by u^2 / 6 R^2
    of themselves. Directions are those of normal sections, 0.03 seconds from a geodesic of 100 km.

    No place of a disc is nearest to one farther from its centre than gap + 2 u.
    """
    from geo._within_kernel import REFERENCE  # noqa: PLC0415 - numba loads with the first share

    parts = parts_of(shapes)
    flat = shapely.get_dimensions(parts) == 2  # noqa: PLR2004 - surfaces
    # merged, so that crossing an outline is always a step from inside to outside or back
    merged = parts_of(np.array([shapely.union_all(parts[flat])])) if flat.sum() > 1 else parts[flat]
    rings = shapely.get_rings(merged)
    near = _edges_of(np.concatenate([parts[~flat], rings]))
    outline = _edges_of(rings)
    share = np.empty(len(radius))
    for start in range(0, len(radius), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(radius)))
        centres, u = points.at(rows), radius[rows]
        reach = np.minimum(distance_m + u, gap[rows] + 2 * u)
        tables = (
            _around(centres, near, reach),
            _around(centres, outline, _ROOM * u),
            inside(_references(centres, u, REFERENCE), merged),
        )
        share[rows] = _shares(u, distance_m, tables)
    return share


def _shares(radius: Floats, distance_m: float, tables: Tables) -> Floats:
    """Measure the shares of some discs whose pieces are at hand."""
    import geo._within_kernel as loops  # noqa: PLC0415 - numba loads with the first share

    out = np.empty(len(radius))

    def work(start: int, stop: int) -> None:
        loops.disc_shares(start, stop, radius, distance_m, *tables, out)

    in_threads(work, len(radius), portion=_PORTION)
    return out


def _edges_of(parts: NDArray[np.object_]) -> Edges:
    """Index the pieces of points and lines; a point is a piece without length."""
    vertices, part = shapely.get_coordinates(parts, return_index=True)
    joined = part[1:] == part[:-1]
    alone = shapely.get_dimensions(parts)[part] == 0
    start = np.concatenate([vertices[:-1][joined], vertices[alone]])
    end = np.concatenate([vertices[1:][joined], vertices[alone]])
    return index_edges(*start.T, *end.T)


def _around(centres: Points, edges: Edges, reach: Floats) -> Pieces:
    """Put the pieces within reach of each centre into the plane about it."""
    from geo._within_kernel import Pieces  # noqa: PLC0415 - numba loads with the first share

    if edges.tree is None:
        return Pieces(np.zeros(len(reach) + 1, dtype=np.int64), np.empty((0, 4)))
    found = list(pieces_within(centres, edges, chord_beyond(reach)))
    i, j = (np.concatenate(side) for side in zip(*found, strict=True))
    seen, back = np.unique(j, return_inverse=True)
    planes = []
    for share in (0.0, 1.0):
        ends = place_points(*place_on(edges, seen, np.full(len(seen), share)))
        planes.append(_in_plane(centres, i, ends, back))
    first = np.append(0, np.cumsum(np.bincount(i, minlength=len(reach))))
    return Pieces(first, np.ascontiguousarray(np.hstack(planes)))


def _in_plane(centres: Points, i: Ints, places: Points, j: Ints) -> Floats:
    """Return metres east and north of places in the plane about each centre."""
    lam, phi = np.radians(centres.lon), np.radians(centres.lat)
    east = np.column_stack([-np.sin(lam), np.cos(lam), np.zeros(len(lam))])
    north = np.column_stack([-np.sin(phi) * np.cos(lam), -np.sin(phi) * np.sin(lam), np.cos(phi)])
    chord = places.xyz[j] - centres.xyz[i]
    x, y = (np.einsum("ij,ij->i", chord, axis[i]) for axis in (east, north))
    level = np.hypot(x, y)
    length = pair_lengths(centres, i, places, j)
    scale = np.divide(length, level, out=np.zeros(len(level)), where=level > 0)
    return np.column_stack([x * scale, y * scale])


def _references(centres: Points, radius: Floats, at: tuple[float, float]) -> Points:
    """Return the place in each disc of which it is known whether it lies inside."""
    azimuth = np.full(len(radius), np.degrees(np.arctan2(*at)))
    lon, lat, _ = WGS84.fwd(centres.lon, centres.lat, azimuth, np.hypot(*at) * radius)
    return place_points(lon, lat)
