"""A point pattern in the plane: the door from Sites and a window to the statistics of `pattern`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo._inputs import coordinates, own_numbers, problems_of, radii, shapes_of
from geo._joining import joined
from geo._resolution import resolved_from
from geo.errors import GeometryError
from geo.projection import geometry_of, in_metres, local_crs, max_scale_error

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["HULL", "Pattern", "in_plane", "n_distinct", "planar_pattern", "plane_of", "surfaces_of"]

HULL = "the convex hull of"  # how the words begin on a window that was guessed from sites

_SIDE_DEG = 0.05  # sides no longer than this bend by less than a metre when they are projected


@dataclass(frozen=True, eq=False)
class Pattern:
    """
    Points and their window, in metres.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        The points, in the order of the rows that have a location.
    window : shapely.Polygon or shapely.MultiPolygon
        Valid; it holds all points.
    crs : pyproj.CRS
        Of the plane.
    rows : numpy.ndarray of int, shape (n,)
        The positions of the points in the frame.
    n_unlocated : int
        Rows without a location.
    smallest_m : float
        Twice the 75th percentile of the radii: the smallest distance that the locations resolve;
        NaN if a radius is unknown.
    scale_error : float
        By how much lengths in the plane are wrong at worst, relative.
    basis : str
        What the window was made of, if `study_window` made it; else nothing.
    """

    xy: Floats
    window: shapely.Polygon | shapely.MultiPolygon
    crs: CRS
    rows: Ints
    n_unlocated: int
    smallest_m: float
    scale_error: float
    basis: str = ""

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.xy)


def planar_pattern(
    sites: gpd.GeoDataFrame | gpd.GeoSeries,
    window: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
) -> Pattern:
    """
    Put sites and their window into one plane.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons, which together are the window; a bare geometry is taken as EPSG:4326. If the frame
        is projected, its projection is the plane, in metres; if it is in degrees, the plane is the
        equal-area projection centred on it.

    Returns
    -------
    Pattern
        In the plane.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site is no point, the window is empty or no polygon, or a site lies outside of it;
        see ``.problems``.
    """
    area, crs = plane_of(window)
    if geometry_of(sites).crs == crs:
        numbers = np.column_stack(own_numbers(sites, "sites"))
        located = np.flatnonzero(~np.isnan(numbers[:, 0]))
        xy = numbers[located]
    else:
        lon, lat = coordinates(sites, "sites")
        located = np.flatnonzero(~np.isnan(lon))
        to_plane = Transformer.from_crs(4326, crs, always_xy=True)
        xy = np.column_stack(to_plane.transform(lon[located], lat[located]))
    shapely.prepare(area)
    out = ~shapely.intersects_xy(area, *xy.T)
    # what a projection moves by less than a millimetre is no reason to refuse a site on the edge
    out[out] = shapely.distance(shapely.points(xy[out]), area) > 1e-3  # noqa: PLR2004 - a millimetre
    if out.any():
        outside = np.zeros(len(sites), dtype=bool)
        outside[located[out]] = True
        message = (
            f"{out.sum()} of {len(sites)} sites lie outside the window, where the window says that "
            "no report was possible. Enlarge it with study_window(window, buffer_m=...), or leave "
            "them out."
        )
        raise GeometryError(message, problems_of(sites.geometry, outside, "outside the window"))
    radius = (
        radii(sites)[located] if isinstance(sites, gpd.GeoDataFrame) else np.full(len(xy), np.nan)
    )
    return Pattern(
        xy=xy,
        window=area,
        crs=crs,
        rows=located,
        n_unlocated=len(sites) - len(located),
        smallest_m=resolved_from(radius),
        scale_error=max_scale_error(gpd.GeoSeries([area], crs=crs), crs),
        basis=_basis_of(window),
    )


def _basis_of(window: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry) -> str:
    """Return what `study_window` says on what it made a window of."""
    if not isinstance(window, gpd.GeoDataFrame) or len(window) != 1 or "basis" not in window:
        return ""
    words = window["basis"].iloc[0]
    return words if isinstance(words, str) else ""


def n_distinct(xy: Floats) -> int:
    """
    Count the places of some points.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points in the plane.

    Returns
    -------
    int
        Distinct coordinates.
    """
    # hashing, not sorting: a million places must not cost a second
    return int((~pd.DataFrame(xy).duplicated()).sum())


def plane_of(window: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry) -> tuple[BaseGeometry, CRS]:
    """
    Put a window into its plane.

    Parameters
    ----------
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        As in `planar_pattern`.

    Returns
    -------
    area : shapely.Polygon or shapely.MultiPolygon
        All polygons together, in metres.
    crs : pyproj.CRS
        Of the plane.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If the window is empty or no polygon, or reaches around the globe; see ``.problems``.
    """
    plane, crs = in_plane(surfaces_of(window))
    return joined(plane.to_numpy(), 1.0), crs


def in_plane(surfaces: gpd.GeoSeries) -> tuple[gpd.GeoSeries, CRS]:
    """
    Put the polygons of a window into its plane.

    Parameters
    ----------
    surfaces : geopandas.GeoSeries
        From `surfaces_of`.

    Returns
    -------
    surfaces : geopandas.GeoSeries
        In metres.
    crs : pyproj.CRS
        Of the plane.

    Raises
    ------
    GeometryError
        If no plane can show them.
    """
    if surfaces.crs.is_geographic:
        crs = local_crs(surfaces)
        plane = surfaces.segmentize(_SIDE_DEG).to_crs(crs)
    else:
        crs = in_metres(surfaces.crs)
        plane = surfaces.to_crs(crs)
    lost = ~np.isfinite(shapely.bounds(plane.to_numpy())).all(axis=1)
    if lost.any():
        message = (
            f"{lost.sum()} of {len(plane)} parts of the window reach around the globe, and no "
            "plane can show them. Give the part of the world in which a report was possible."
        )
        raise GeometryError(message, problems_of(surfaces, lost, "around the globe"))
    return plane, crs


def surfaces_of(window: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry) -> gpd.GeoSeries:
    """
    Take the polygons of a window, which must be fit to be one.

    Parameters
    ----------
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        As in `planar_pattern`.

    Returns
    -------
    geopandas.GeoSeries
        At least one geometry, none missing or empty, projected as given, or in EPSG:4326.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If the window is empty, no polygon or invalid; see ``.problems``.
    """
    if isinstance(window, shapely.Geometry):
        window = gpd.GeoSeries([window], crs=4326)
    shapes = shapes_of(window)
    present = shapely.get_type_id(shapes) >= 0
    flat = present & (shapely.get_dimensions(shapes) != 2)  # noqa: PLR2004 - surfaces
    if flat.any() or not present.any():
        message = (
            f"{flat.sum()} of {len(shapes)} parts of the window are no polygons."
            if flat.any()
            else "The window is empty: there is nowhere that a report was possible."
        )
        raise GeometryError(message, problems_of(window.geometry, flat, "no polygon"))
    geometry = window.geometry
    if geometry.crs.is_geographic:
        return gpd.GeoSeries(shapes[present], crs=4326)
    return geometry[present]
