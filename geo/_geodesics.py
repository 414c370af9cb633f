"""Geodesics as geometries: vertices close enough for lines that are straight in degrees."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.errors import GeometryError
from geo.geodesy import SEMI_MAJOR_M, WGS84

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["densified", "geodesic_lines"]

_SAG_M = 1e-3  # no place of a densified edge is farther than this from the geodesic
_POLE = 90
_STEP_M = 5000.0  # between the vertices of a line that is only drawn: a sag of 0.5 m at 45 N
_TURN_DEG = 0.5  # of longitude between such vertices, unless they are as near as
_LEAST_STEP_M = 0.01
_ROUNDING_DEG = 1e-9  # a tenth of a millimetre
_HIGHEST = 89.0  # degrees of latitude that a long geodesic edge of a polygon may reach
_STEEPEST = 60.0  # tangent of that latitude: nearer to a pole steps shrink no more


def densified(polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    """
    Give polygons whose edges are geodesics vertices along these.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely.Polygon
        In degrees, no edge across more than 180 degrees of longitude.

    Returns
    -------
    numpy.ndarray of shapely.Polygon
        The same outlines to within 1 mm when read as straight in longitude and latitude, the
        sag between both being ``step^2 tan(lat) / 8 a``.
    """
    return np.array([_densified(polygon) for polygon in polygons], dtype=object)


def _densified(polygon: shapely.Polygon) -> shapely.Polygon:
    """Return a polygon with vertices along its geodesic edges."""
    shell, *holes = (
        _along(shapely.get_coordinates(ring)) for ring in (polygon.exterior, *polygon.interiors)
    )
    return shapely.Polygon(shell, holes)


def _along(ring: Floats) -> Floats:
    """Return a ring with vertices along its geodesic edges."""
    # neighbours share an edge only if both start at the same end of it
    turned = (ring[:-1, 0] > ring[1:, 0]) | (
        (ring[:-1, 0] == ring[1:, 0]) & (ring[:-1, 1] > ring[1:, 1])
    )
    here, there = (
        np.where(turned[:, None], *ends) for ends in ((ring[1:], ring[:-1]), (ring[:-1], ring[1:]))
    )
    (lon, lat), (lon2, lat2) = here.T, there.T
    azimuth, back, length = (np.asarray(part) for part in WGS84.inv(lon, lat, lon2, lat2))
    highest = _highest(azimuth, back, lat, lat2)
    if (highest[length > 0] > _HIGHEST).any():
        message = (
            "A geodesic edge of a polygon passes within 1 degree of a pole, where inside and "
            "outside cannot be told in longitude and latitude. Cut the polygon there, or use "
            "planar edges."
        )
        raise GeometryError(message)
    steepest = np.clip(np.tan(np.radians(highest)), 1e-3, _STEEPEST)
    cuts = np.ceil(length / np.sqrt(8 * SEMI_MAJOR_M * _SAG_M / steepest))
    cuts = np.maximum(cuts, 1).astype(np.int64)
    edge = np.repeat(np.arange(len(lon)), cuts)
    step = np.arange(len(edge)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    # from its start on: the ring runs through turned edges from their other end
    step = np.where(turned[edge], cuts[edge] - step, step)
    share = step / cuts[edge]
    x, y, _ = WGS84.fwd(lon[edge], lat[edge], azimuth[edge], share * length[edge])
    # pyproj writes longitudes within 180 degrees; the ring may be written beyond
    x = lon[edge] + (np.asarray(x) - lon[edge] + 180) % 360 - 180
    first = np.flatnonzero(np.diff(edge, prepend=-1))
    x[first], y[first] = ring[:-1].T
    vertices = np.column_stack([x, y])
    return np.vstack([vertices, vertices[:1]])


def _highest(azimuth: Floats, back: Floats, lat: Floats, lat2: Floats) -> Floats:
    """Return the highest latitude along geodesics, north or south, in degrees."""
    ends = np.maximum(np.abs(lat), np.abs(lat2))
    # a geodesic that starts towards a pole and ends away from it turns between, where Clairaut's
    # constant sin(azimuth) cos(latitude) is the cosine of the latitude; back looks to the start
    leaves, arrives = np.cos(np.radians(azimuth)), -np.cos(np.radians(back))
    turn = np.degrees(np.arccos(np.abs(np.sin(np.radians(azimuth))) * np.cos(np.radians(lat))))
    return np.where(leaves * arrives < 0, np.maximum(turn, ends), ends)


def geodesic_lines(lon1: Floats, lat1: Floats, lon2: Floats, lat2: Floats) -> NDArray[np.object_]:
    """
    Draw the shortest geodesics between points.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : numpy.ndarray of float, shape (n,)
        Degrees; NaN where there is none.

    Returns
    -------
    numpy.ndarray of shapely.LineString or shapely.MultiLineString, shape (n,)
        With a vertex every 5 km, or closer beside a pole, in parts on both sides where one crosses
        the antimeridian; None where a coordinate is missing or both ends are one place.
    """
    lines = np.full(len(lon1), None, dtype=object)
    azimuth, _, length = (np.asarray(part) for part in WGS84.inv(lon1, lat1, lon2, lat2))
    for row in np.flatnonzero(length > 0):
        x, y = _vertices(lon1[row], lat1[row], azimuth[row], length[row])
        x[0], y[0], x[-1], y[-1] = _within(lon1[row]), lat1[row], _within(lon2[row]), lat2[row]
        # at a pole every longitude is meant: that of the way there
        if abs(y[0]) == _POLE:
            x[0] = x[1]
        if abs(y[-1]) == _POLE:
            x[-1] = x[-2]
        # along the antimeridian rounding must not change the side at every vertex
        x[np.abs(np.abs(x) - 180) < _ROUNDING_DEG] = 180
        lines[row] = _cut(np.unwrap(x, period=360), y)
    return lines


def _vertices(lon: float, lat: float, azimuth: float, length_m: float) -> tuple[Floats, Floats]:
    """Return vertices of a geodesic, closer where longitude changes fast: beside a pole."""
    along = np.linspace(0, length_m, int(np.ceil(length_m / _STEP_M)) + 1)
    while True:
        x0, y0, direction = np.tile([[lon], [lat], [azimuth]], len(along))
        x, y, _ = (np.asarray(part) for part in WGS84.fwd(x0, y0, direction, along))
        step = np.diff(along)
        turn = np.abs((np.diff(x) + 180) % 360 - 180)
        wide = np.flatnonzero((turn > _TURN_DEG) & (step > _LEAST_STEP_M))
        if not len(wide):
            return x, y
        along = np.insert(along, wide + 1, along[wide] + step[wide] / 2)


def _within(lon: float) -> float:
    """Return a longitude as written within 180 degrees; those that are so stay as they are."""
    return lon if abs(lon) <= 180 else (lon + 180) % 360 - 180  # noqa: PLR2004 - half a turn


def _cut(lon: Floats, lat: Floats) -> shapely.LineString | shapely.MultiLineString:
    """Return a line, in parts where it crosses the antimeridian."""
    line = np.column_stack([lon, lat])
    if lon.min() >= -180 and lon.max() <= 180:  # noqa: PLR2004 - the antimeridian
        return shapely.LineString(line)
    # a vertex wherever it crosses
    meridian = np.ceil((np.minimum(lon[:-1], lon[1:]) + 180) / 360) * 360 - 180
    crossing = np.flatnonzero((meridian - lon[:-1]) * (meridian - lon[1:]) < 0)
    share = (meridian[crossing] - lon[crossing]) / np.diff(lon)[crossing]
    between = lat[crossing] + share * np.diff(lat)[crossing]
    line = np.insert(line, crossing + 1, np.column_stack([meridian[crossing], between]), axis=0)
    turn = np.floor((line[:-1, 0] + line[1:, 0] + 360) / 720)
    # what runs along the antimeridian stays on the side that it comes from, or else goes to
    along = (line[:-1, 0] == line[1:, 0]) & ((line[:-1, 0] + 180) % 360 == 0)
    known = np.flatnonzero(~along)
    turn = turn[
        known[np.maximum(np.searchsorted(known, np.arange(len(turn)), side="right") - 1, 0)]
    ]
    ends = np.concatenate([[0], np.flatnonzero(np.diff(turn)) + 1, [len(turn)]])
    parts = [
        shapely.LineString(line[a : b + 1] - [360 * turn[a], 0])
        for a, b in itertools.pairwise(ends)
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiLineString(parts)
