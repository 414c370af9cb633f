"""The window of a point pattern: the area in which a report was possible."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import shapely

from geo._hulls import area_of, in_degrees
from geo._inputs import coordinates, is_gone, positive_length
from geo._joining import joined
from geo._patterns import HULL, surfaces_of
from geo._resolution import counted, metres
from geo.errors import WindowWarning
from geo.projection import local_plane, to_degrees, to_metres

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    Places: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["study_window"]

_ARC = 0.01  # of the buffer: how far its outline may be from a circle's
_SIDE_DEG = 0.05  # sides no longer than this bend by less than a metre when they are projected


def study_window(sites_or_areas: Places, *, buffer_m: float | None = None) -> gpd.GeoDataFrame:
    """
    Make the window of a point pattern: the polygon in which a report was possible.

    Parameters
    ----------
    sites_or_areas : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Best the area that was searched: a polygon, or several such as the provinces of a country,
        which become one. Else, for want of that, the sites themselves. A bare geometry is taken as
        EPSG:4326.
    buffer_m : float, optional
        By how much areas are widened, in metres: by the error of a simplified outline, so that
        sites at a border are not cut off. Required for sites: the room left around their convex
        hull.

    Returns
    -------
    geopandas.GeoDataFrame
        One row: ``basis``, what the window was made from, and ``geometry``, in EPSG:4326, or in
        the projection of what was given. ``attrs["attribution"]`` is passed on.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If there is no geometry, an area is invalid (such as a polygon that crosses itself), areas
        are mixed with points or lines, or the window would hold a pole; see ``.problems``.
    ValueError
        If `buffer_m` is no positive length, or missing where only sites are given.

    Warns
    -----
    WindowWarning
        If only sites are given. How clustered points look depends on the room around them, and a
        hull of the points themselves says nothing on where no report was made.

    Notes
    -----
    Openings of less than a metre between neighbouring areas are closed. Areas are widened in the
    equal-area plane centred on them, to 1 % of `buffer_m`; around sites its circles are geodesic.
    A projected frame is widened in its projection.

    Examples
    --------
    >>> import geo
    >>> country = geo.study_window(geo.load_reference("provinces"))
    >>> country["basis"].item()
    'the union of 25 areas'
    >>> country.geom_type.item(), len(country.geometry.item().geoms)
    ('MultiPolygon', 10)
    """
    if isinstance(sites_or_areas, shapely.Geometry):
        sites_or_areas = gpd.GeoSeries([sites_or_areas], crs=4326)
    if buffer_m is not None:
        buffer_m = positive_length(buffer_m, "buffer_m")
    shapes = to_degrees(sites_or_areas).to_numpy()
    present = shapes[~is_gone(shapes)]
    if len(present) and (shapely.get_dimensions(present) == 0).all():
        window, basis = _around_sites(sites_or_areas, buffer_m)
    else:
        window, basis = _of_areas(sites_or_areas, buffer_m)
    frame = gpd.GeoDataFrame({"basis": [basis]}, geometry=[window], crs=sites_or_areas.crs)
    if not sites_or_areas.crs.is_projected:
        frame = frame.set_crs(4326, allow_override=True)
    if "attribution" in sites_or_areas.attrs:
        frame.attrs["attribution"] = sites_or_areas.attrs["attribution"]
    return frame


def _of_areas(
    areas: gpd.GeoDataFrame | gpd.GeoSeries, buffer_m: float | None
) -> tuple[BaseGeometry, str]:
    """Return areas as one, in degrees or in their projection, and in words."""
    surfaces = surfaces_of(areas)
    many = f"the union of {len(surfaces)} areas" if len(surfaces) > 1 else "a given area"
    degrees = surfaces.crs.is_geographic
    if buffer_m is None:
        unit = None if degrees else surfaces.crs.axis_info[0].unit_conversion_factor
        return joined(surfaces.to_numpy(), unit), many
    words = f"{many}, widened by {metres(buffer_m)}"
    if not degrees:
        plane = to_metres(surfaces)
        wide = _widened(joined(plane.to_numpy(), 1.0), buffer_m)
        return gpd.GeoSeries([wide], crs=plane.crs).to_crs(surfaces.crs)[0], words
    shapes = surfaces.segmentize(_SIDE_DEG).to_numpy()
    projection = local_plane(*shapely.get_coordinates(shapes).T)
    flat = shapely.transform(shapes, lambda xy: np.column_stack(projection(*xy.T)))
    return in_degrees(_widened(joined(flat, 1.0), buffer_m), projection), words


def _widened(area: BaseGeometry, buffer_m: float) -> BaseGeometry:
    """Return a buffer without the many corners of its arcs, which only slow down what follows."""
    return shapely.simplify(shapely.buffer(area, buffer_m), _ARC * buffer_m)


def _around_sites(
    sites: gpd.GeoDataFrame | gpd.GeoSeries, buffer_m: float | None
) -> tuple[BaseGeometry, str]:
    """Return the hull of sites with room around it, in degrees or in their projection."""
    if buffer_m is None:
        message = (
            "Sites do not say where else a report was possible. Give the area that was searched "
            "or, for want of it, buffer_m: the room to leave around the hull of the sites."
        )
        raise ValueError(message)
    lon, _ = coordinates(sites, "sites")
    places = sites.geometry[np.isfinite(lon)].reset_index(drop=True)
    basis = f"{HULL} {counted(len(places), 'site')}, widened by {metres(buffer_m)}"
    warnings.warn(
        f"The window is guessed from the sites: {basis}. What looks clustered or even depends on "
        "that guess: the more empty room it holds, the more clustered sites look. Give the area "
        "in which a report was possible, if it is known.",
        WindowWarning,
        stacklevel=3,
    )
    if sites.crs.is_projected:
        plane = to_metres(places)
        hull = shapely.MultiPoint(shapely.get_coordinates(plane.to_numpy())).convex_hull
        return gpd.GeoSeries([hull.buffer(buffer_m)], crs=plane.crs).to_crs(sites.crs)[0], basis
    points = places.to_frame("geometry").assign(uncertainty_m=0.0)
    return area_of(points, "convex_hull", buffer_m), basis
