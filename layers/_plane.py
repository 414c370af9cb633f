"""The plane of a printed map: degrees turned into millimetres on the sheet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import floor, hypot, log10
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Geod, Transformer

import geo
from geo.errors import GeometryError
from layers.payload import DECIMALS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    Floats = NDArray[np.float64]

__all__ = ["Plane", "decode_geometry", "plane_of"]

_EARTH = Geod(ellps="WGS84")
_WIDEST_DEG = 120.0  # beyond, an equal-area plane is too bent to be read as a map
_MARGIN = 0.07  # of the view, on each side
_LOWEST, _TALLEST = 0.62, 1.2  # height of a map by its width
_STEP_DEG = 0.25  # between points of a straight edge, which the projection bends
_FINEST_MM = 0.03  # what 600 dots per inch can show
_CORNERS = 72  # of a circle

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Plane:
    """
    A rectangle of the earth on paper, in an equal-area projection of its own.

    Parameters
    ----------
    crs : pyproj.CRS
        The projection, in metres.
    centre : tuple of float
        Longitude and latitude of its centre, where lengths are true.
    corner_m : tuple of float
        Lower left corner in the projection.
    m_per_mm : float
        Metres of the projection to one millimetre of paper.
    width_mm, height_mm : float
        Size on paper.
    """

    crs: CRS
    centre: tuple[float, float]
    corner_m: tuple[float, float]
    m_per_mm: float
    width_mm: float
    height_mm: float

    @cached_property
    def _transformer(self) -> Transformer:
        return Transformer.from_crs(4326, self.crs, always_xy=True)

    @property
    def box(self) -> Bounds:
        """The sheet's rectangle in millimetres."""
        return (0.0, 0.0, self.width_mm, self.height_mm)

    @property
    def name(self) -> str:
        """The projection in words."""
        lon, lat = self.centre
        east, north = "W" if lon < 0 else "E", "S" if lat < 0 else "N"
        return (
            "Lambert azimuthal equal-area projection (WGS 84) centred on "
            f"{abs(lat):g}° {north}, {abs(lon):g}° {east}"
        )

    @property
    def scale_error(self) -> float:
        """By how much lengths are wrong at worst, as a share."""
        edge = shapely.segmentize(shapely.box(*self.box), self.width_mm / 8)
        return geo.max_scale_error(shapely.Polygon(self.lonlat(edge.exterior.coords)), self.crs)

    def mm(self, lonlat: Floats) -> Floats:
        """
        Place coordinates on the sheet.

        Parameters
        ----------
        lonlat : numpy.ndarray, shape (n, 2)
            Degrees.

        Returns
        -------
        numpy.ndarray, shape (n, 2)
            Millimetres from the lower left corner of the map.
        """
        lonlat = np.asarray(lonlat, dtype=float).reshape(-1, 2)
        x, y = self._transformer.transform(lonlat[:, 0], lonlat[:, 1])
        return (np.column_stack([x, y]) - self.corner_m) / self.m_per_mm

    def lonlat(self, mm: object) -> Floats:
        """
        Tell which place of the earth a point of the sheet is.

        Parameters
        ----------
        mm : array-like, shape (n, 2)
            Millimetres from the lower left corner of the map.

        Returns
        -------
        numpy.ndarray, shape (n, 2)
            Degrees.
        """
        plane = np.asarray(mm, dtype=float) * self.m_per_mm + self.corner_m
        lon, lat = self._transformer.transform(plane[:, 0], plane[:, 1], direction="INVERSE")
        return np.column_stack([lon, lat])

    def drawn(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """
        Project shapes onto the sheet and cut them at its edge.

        Parameters
        ----------
        shapes : numpy.ndarray of shapely geometries
            Lines or polygons in degrees.

        Returns
        -------
        numpy.ndarray of shapely geometries
            In millimetres; empty where nothing is on the sheet.
        """
        projected = shapely.transform(shapely.segmentize(shapes, _STEP_DEG), self.mm)
        simple = shapely.simplify(projected, _FINEST_MM, preserve_topology=False)
        # A line along the cut would be drawn as an outline: cut it beyond the edge.
        west, south, east, north = (-2.0, -2.0, self.width_mm + 2, self.height_mm + 2)
        cut: NDArray[np.object_] = shapely.clip_by_rect(
            shapely.make_valid(simple), west, south, east, north
        )
        return cut

    def circles(self, lonlat: Floats, radius_m: Floats) -> NDArray[np.object_]:
        """
        Draw circles on the earth.

        Parameters
        ----------
        lonlat : numpy.ndarray, shape (n, 2)
            Their centres in degrees.
        radius_m : numpy.ndarray, shape (n,)
            Their radii along the surface, in metres.

        Returns
        -------
        numpy.ndarray of shapely.Polygon
            In millimetres.
        """
        turn = np.linspace(0, 360, _CORNERS, endpoint=False)
        azimuth = np.tile(turn, len(lonlat))
        each = np.repeat(lonlat, _CORNERS, axis=0)
        lon, lat, _ = _EARTH.fwd(each[:, 0], each[:, 1], azimuth, np.repeat(radius_m, _CORNERS))
        rings = self.mm(np.column_stack([lon, lat])).reshape(len(lonlat), _CORNERS, 2)
        circles: NDArray[np.object_] = shapely.polygons(rings)
        return circles

    def scale_bar(self) -> tuple[float, float]:
        """
        Choose a round length for the scale bar.

        Returns
        -------
        tuple of float
            Its length in metres, along the geodesic through the centre of the map from west to
            east, and on paper in millimetres.
        """
        most = 0.28 * self.width_mm * self.m_per_mm
        power = 10.0 ** floor(log10(most))
        length = max(step * power for step in (1, 2, 5) if step * power <= most)
        lon, lat = self.centre
        ends = [_EARTH.fwd(lon, lat, azimuth, length / 2)[:2] for azimuth in (270, 90)]
        (x0, y0), (x1, y1) = self.mm(np.array(ends))
        return length, hypot(x1 - x0, y1 - y0)

    def north(self, mm: tuple[float, float]) -> Floats:
        """
        Tell where north is at a point of the sheet.

        Parameters
        ----------
        mm : tuple of float
            The point.

        Returns
        -------
        numpy.ndarray, shape (2,)
            A direction of length 1 on the sheet.
        """
        here = self.lonlat([mm])
        step = self.mm(here + np.array([[0, 1e-3]]))[0] - np.asarray(mm)
        return np.asarray(step / np.hypot(*step))


def plane_of(bounds: Bounds, width_mm: float, *, tallest_mm: float = np.inf) -> Plane:
    """
    Make the plane that shows an extent.

    Parameters
    ----------
    bounds : tuple of float
        West, south, east, north in degrees; east beyond 180 across the antimeridian.
    width_mm : float
        Width on paper.
    tallest_mm : float
        Greatest height on paper.

    Returns
    -------
    Plane
        As high as the extent asks for, within bounds.

    Raises
    ------
    GeometryError
        If the extent is too large for one plane.
    """
    west, south, east, north = bounds
    if max(east - west, north - south) > _WIDEST_DEG:
        message = (
            f"the map would span {east - west:.0f} by {north - south:.0f} degrees, and a figure "
            f"shows at most {_WIDEST_DEG:.0f}: give `view=` one part of the world, or leave out "
            "what lies far away"
        )
        raise GeometryError(message)
    lon, lat = round((west + east) / 2, 1), round((south + north) / 2, 1)
    lon = (lon + 180) % 360 - 180
    centre = (round(lon, 1), lat)
    crs = geo.local_crs(shapely.Point(centre))
    edge = shapely.segmentize(shapely.box(*bounds), max(east - west, north - south) / 16)
    forward = Transformer.from_crs(4326, crs, always_xy=True)
    x, y = forward.transform(*shapely.get_coordinates(edge).T)
    spans = np.array([np.ptp(x), np.ptp(y)]) * (1 + 2 * _MARGIN)
    height_mm = float(np.clip(spans[1] / spans[0], _LOWEST, _TALLEST)) * width_mm
    height_mm = min(height_mm, tallest_mm)
    m_per_mm = float(max(spans[0] / width_mm, spans[1] / height_mm))
    middle = np.array([x.min() + np.ptp(x) / 2, y.min() + np.ptp(y) / 2])
    corner = middle - np.array([width_mm, height_mm]) * m_per_mm / 2
    return Plane(crs, centre, (float(corner[0]), float(corner[1])), m_per_mm, width_mm, height_mm)


def decode_geometry(parts: list[list[list[int]]], *, areas: bool) -> shapely.Geometry:
    """
    Read what `layers.payload.encode_geometry` wrote.

    Parameters
    ----------
    parts : list
        Parts of rings (or of one line) of alternating steps in latitude and longitude.
    areas : bool
        Whether they are polygons.

    Returns
    -------
    shapely.MultiPolygon or shapely.MultiLineString
        In degrees.
    """
    decoded = []
    for rings in parts:
        degrees = [np.cumsum(np.reshape(r, (-1, 2)), axis=0)[:, ::-1] / 10**DECIMALS for r in rings]
        # Rounding may have left a sliver less than it takes.
        if areas and len(degrees[0]) > 3:  # noqa: PLR2004  # a triangle, closed
            holes = [ring for ring in degrees[1:] if len(ring) > 3]  # noqa: PLR2004
            decoded.append(shapely.Polygon(degrees[0], holes))
        elif not areas and len(degrees[0]) > 1:
            decoded.append(shapely.LineString(degrees[0]))
    return shapely.MultiPolygon(decoded) if areas else shapely.MultiLineString(decoded)
