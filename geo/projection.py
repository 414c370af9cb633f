"""
The one place where a coordinate reference system is chosen.

Frames are EPSG:4326 outside. Distances never go through a projection (`geo.geodesy`); what needs a
plane, such as a hull or a density grid, projects through `local_crs` and reports `max_scale_error`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Proj, Transformer
from pyproj.crs import ProjectedCRS
from pyproj.crs.coordinate_operation import LambertAzimuthalEqualAreaConversion

from geo.errors import CRSError, GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = [
    "geometry_of",
    "in_metres",
    "local_crs",
    "local_plane",
    "max_scale_error",
    "to_degrees",
    "to_metres",
]

WGS84 = CRS.from_epsg(4326)


def local_crs(data: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry) -> CRS:
    """
    Make the Lambert azimuthal equal-area projection centred on some data.

    Parameters
    ----------
    data : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        In any coordinate reference system; a bare geometry is taken as EPSG:4326.

    Returns
    -------
    pyproj.CRS
        Projected, in metres, areas true. The centre is the mean of the vertices as directions
        from the earth's centre, so that data on both sides of the antimeridian are centred
        between them, and is rounded to 1e-6 degrees, so that row order cannot move it.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system, or the data surround the globe so that
        they have no centre.
    GeometryError
        If there is no geometry at all.

    Notes
    -----
    Lengths are true only near the centre: at 500 km they are wrong by up to 0.08 %. See
    `max_scale_error`.

    Examples
    --------
    >>> import geo
    >>> from shapely import MultiPoint
    >>> crs = geo.local_crs(MultiPoint([(179.0, -17.0), (-179.0, -17.0)]))
    >>> crs.coordinate_operation.params[1].value
    180.0
    """
    lon_0, lat_0 = _centre(_vertices(data))
    return ProjectedCRS(
        conversion=LambertAzimuthalEqualAreaConversion(
            latitude_natural_origin=lat_0, longitude_natural_origin=lon_0
        ),
        name="Lambert azimuthal equal-area, centred on the data",
    )


def local_plane(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Proj:
    """
    Make the projection of `local_crs` for some points, to and from degrees and nothing else.

    Parameters
    ----------
    lon, lat : numpy.ndarray of float, shape (n,)
        Degrees, WGS 84, none missing.

    Returns
    -------
    pyproj.Proj
        The same plane, made a hundred times faster: nothing is looked up in a database.

    Raises
    ------
    CRSError
        If the points surround the globe so that they have no centre.
    """
    lon_0, lat_0 = _centre(np.column_stack([lon, lat]))
    return Proj(proj="laea", lon_0=lon_0, lat_0=lat_0, ellps="WGS84")


def _centre(vertices: NDArray[np.float64]) -> tuple[float, float]:
    """Return the longitude and latitude of the mean direction of vertices, in degrees."""
    lon, lat = np.radians(vertices).T
    x, y, z = (np.cos(lat) * np.cos(lon)), (np.cos(lat) * np.sin(lon)), np.sin(lat)
    centre = np.array([x.mean(), y.mean(), z.mean()])
    if np.linalg.norm(centre) < 1e-3:  # noqa: PLR2004 - a direction lost in cancellation
        message = (
            "The data surround the globe and have no centre to project from. "
            "A local projection needs data from one part of the world: select a region first."
        )
        raise CRSError(message)
    lon_0 = round(float(np.degrees(np.arctan2(centre[1], centre[0]))), 6)
    lat_0 = round(float(np.degrees(np.arctan2(centre[2], np.hypot(centre[0], centre[1])))), 6)
    return (180.0 if lon_0 == -180.0 else lon_0), lat_0  # noqa: PLR2004 - one name for one meridian


def max_scale_error(
    data: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry, crs: CRS | None = None
) -> float:
    """
    Tell by how much a projection distorts lengths, at worst, over some data.

    The scale of a projection at a point is the ratio of a short projected length to the true
    one; its extremes over all directions are the semi-axes of Tissot's indicatrix. The error is
    the largest ``abs(scale - 1)`` at any vertex of the data [1]_.

    Parameters
    ----------
    data : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        In any coordinate reference system; a bare geometry is taken as EPSG:4326.
    crs : pyproj.CRS, optional
        The projection to judge; without it, `local_crs` of the data.

    Returns
    -------
    float
        Relative error, without unit: 0.001 is one metre in a kilometre.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system, or `crs` is not projected or cannot
        show some of the data.
    GeometryError
        If there is no geometry at all.

    References
    ----------
    .. [1] Snyder, J. P. (1987). Map Projections: A Working Manual. USGS Professional
       Paper 1395, pages 20-26.

    Examples
    --------
    >>> import geo
    >>> from shapely import box
    >>> f"{geo.max_scale_error(box(102.3, 10.4, 107.6, 14.7)):.4f}"
    '0.0006'
    """
    vertices = _vertices(data)
    used = local_crs(data) if crs is None else crs
    if not used.is_projected:
        message = f"{used.name} is not projected. The scale error needs a projected system."
        raise CRSError(message)
    # Proj speaks of the sphere or ellipsoid of the projection; shifts of datum do not matter here
    factors = Proj(used).get_factors(vertices[:, 0], vertices[:, 1])
    scales = np.concatenate(
        [np.atleast_1d(factors.tissot_semimajor), np.atleast_1d(factors.tissot_semiminor)]
    )
    if not np.isfinite(scales).all():
        message = f"Part of the data cannot be shown in {used.name}. Choose another projection."
        raise CRSError(message)
    return float(np.abs(scales - 1).max())


def to_degrees(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    """
    Give the geometries of a frame in EPSG:4326.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame or geopandas.GeoSeries
        In any coordinate reference system.

    Returns
    -------
    geopandas.GeoSeries
        Longitude and latitude in degrees, with the index of the frame.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If the frame has no geometry column.
    TypeError
        If it is no GeoDataFrame or GeoSeries.
    """
    geometry = geometry_of(frame)
    return geometry if geometry.crs == WGS84 else geometry.to_crs(WGS84)


def to_metres(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame | gpd.GeoSeries:
    """
    Project a frame for work in the plane.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame or geopandas.GeoSeries
        In any coordinate reference system.

    Returns
    -------
    geopandas.GeoDataFrame or geopandas.GeoSeries
        In `local_crs` if the frame is in degrees; a projected frame keeps its projection, with
        other units (feet, kilometres) turned into metres.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system, or one that is neither in degrees nor a
        plain projection.
    GeometryError
        If the frame has no geometry column, or no geometry in it.
    TypeError
        If it is no GeoDataFrame or GeoSeries.
    """
    crs = geometry_of(frame).crs
    plane = local_crs(frame) if crs.is_geographic else in_metres(crs)
    return frame if plane == crs else frame.to_crs(plane)


def in_metres(crs: CRS) -> CRS:
    """
    Give a plain projection in metres.

    Parameters
    ----------
    crs : pyproj.CRS
        In any unit of length.

    Returns
    -------
    pyproj.CRS
        The same projection; itself if it is in metres.

    Raises
    ------
    CRSError
        If it is no plain projection.
    """
    if not crs.is_projected or crs.type_name != "Projected CRS":
        message = (
            f"{crs.name} is a {crs.type_name}. Work in the plane needs degrees or a plain "
            "projection: use to_crs('EPSG:4326') first."
        )
        raise CRSError(message)
    if all(axis.unit_conversion_factor == 1 for axis in crs.axis_info):
        return crs
    described = crs.to_json_dict()
    for axis in described["coordinate_system"]["axis"]:
        axis["unit"] = "metre"
    # another system than the one that carries the code
    described.pop("id", None)
    return CRS.from_json_dict({**described, "name": f"{crs.name}, in metres"})


def geometry_of(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoSeries:
    """
    Give the active geometry of a frame.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame or geopandas.GeoSeries
        In any coordinate reference system.

    Returns
    -------
    geopandas.GeoSeries
        As it is.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If the frame has no geometry column.
    TypeError
        If it is no GeoDataFrame or GeoSeries.
    """
    if not isinstance(frame, gpd.GeoDataFrame | gpd.GeoSeries):
        message = f"A GeoDataFrame or GeoSeries is needed, not {type(frame).__name__}."
        raise TypeError(message)
    try:
        geometry: Any = frame.geometry
    except AttributeError:
        message = "The frame has no geometry column. Set one with set_geometry()."
        raise GeometryError(message) from None
    if geometry.crs is None:
        message = (
            "The frame has no coordinate reference system, so its numbers could be degrees or "
            "metres. If they are longitude and latitude, use set_crs('EPSG:4326')."
        )
        raise CRSError(message)
    return geometry


def _vertices(
    data: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
) -> NDArray[np.float64]:
    """Return every vertex in degrees, shape (n, 2)."""
    if isinstance(data, shapely.Geometry):
        vertices = shapely.get_coordinates(data)
    else:
        geometry = geometry_of(data)
        vertices = shapely.get_coordinates(geometry.to_numpy())
        if geometry.crs != WGS84:
            to_wgs84 = Transformer.from_crs(geometry.crs, WGS84, always_xy=True)
            vertices = np.column_stack(to_wgs84.transform(vertices[:, 0], vertices[:, 1]))
    if not len(vertices):
        message = "There is no geometry to take a centre from: every row is missing or empty."
        raise GeometryError(message)
    return np.asarray(vertices, dtype=np.float64)
