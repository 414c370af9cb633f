"""The area that holds the true places of some sites, drawn around their uncertainty discs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo._antimeridian import cut_polygon
from geo._inputs import coordinates, radii
from geo.errors import GeometryError, SchemaError
from geo.geodesy import WGS84
from geo.projection import local_plane

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import Proj

    Floats = NDArray[np.float64]

__all__ = ["SHAPES", "area_of", "in_degrees", "require_radii"]

SHAPES = ("convex_hull", "concave_hull", "discs")

_DISC_CORNERS = 72
_SIDE_M = 5000.0
_WIDER, _WIDER_M = 1 + 5e-5, 0.02  # sides bend inwards when they are projected: never into a disc
_CONCAVITY = 0.3  # 0 follows every corner, 1 is the convex hull
_HALF_TURN = 180.0
_TO_POLE_M = 10_001_965.73  # a quarter of a meridian: no place is farther from the nearest pole


def require_radii(sites: gpd.GeoDataFrame, clustered: NDArray[np.bool_]) -> None:
    """
    Refuse to draw sites whose radius is unknown.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        All sites.
    clustered : numpy.ndarray of bool, shape (n,)
        Which of them are to be drawn.

    Raises
    ------
    SchemaError
        If one of these has no radius; see ``.problems``.
    """
    unknown = clustered & np.isnan(radii(sites))
    if unknown.any():
        problems = pd.DataFrame(
            {
                "row": np.flatnonzero(unknown),
                "column": "uncertainty_m",
                "value": pd.NA,
                "problem": "no radius",
            },
            index=sites.index[unknown],
        )
        message = (
            f"{unknown.sum()} of {clustered.sum()} clustered sites have no uncertainty_m, so the "
            "area that holds them is unknown. Give each site its radius in metres."
        )
        raise SchemaError(message, problems)


def area_of(
    members: gpd.GeoDataFrame, shape: str, buffer_m: float
) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Draw the area of the uncertainty discs of some sites.

    Parameters
    ----------
    members : geopandas.GeoDataFrame
        Located sites, each with its radius.
    shape : str
        One of `SHAPES`.
    buffer_m : float
        By how much every disc is larger, in metres.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In degrees, in parts on both sides where it crosses the antimeridian.

    Raises
    ------
    GeometryError
        If it holds a pole.
    """
    lon, lat = coordinates(members, "sites")
    discs = np.unique(np.column_stack([lon, lat, radii(members) + buffer_m]), axis=0)
    if discs[:, 2].max() >= _TO_POLE_M:
        raise _pole_error()
    turns = np.linspace(0, 360, _DISC_CORNERS, endpoint=False)
    x, y, radius = (np.repeat(column, _DISC_CORNERS) for column in discs.T)
    # corners a little outside the circle, so that no side cuts into it
    outer = radius / np.cos(np.pi / _DISC_CORNERS) * _WIDER + _WIDER_M
    x, y, _ = WGS84.fwd(x, y, np.tile(turns, len(discs)), outer)
    plane = local_plane(discs[:, 0], discs[:, 1])
    area = _around(np.column_stack(plane(x, y)), shape)
    return in_degrees(area, plane)


def _around(corners: Floats, shape: str) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the area around discs in the plane, given by the corners of one after the other."""
    if shape == "convex_hull":
        return shapely.MultiPoint(corners).convex_hull
    discs = shapely.polygons(corners.reshape(-1, _DISC_CORNERS, 2))
    together = shapely.union_all(discs)
    if shape == "discs":
        return together
    # the hull of corners alone could cut into a disc that stands at a bay
    hull = shapely.concave_hull(shapely.MultiPoint(corners), ratio=_CONCAVITY)
    return shapely.union_all([hull, together])


def in_degrees(
    area: shapely.Polygon | shapely.MultiPolygon, plane: Proj
) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Turn an area of the plane into degrees.

    Parameters
    ----------
    area : shapely.Polygon or shapely.MultiPolygon
        In metres.
    plane : pyproj.Proj
        Its projection.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In degrees, in parts on both sides where it crosses the antimeridian.

    Raises
    ------
    GeometryError
        If it holds a pole.
    """
    # short sides, because a long one bends when it is read as straight in degrees
    parts = shapely.get_parts(shapely.segmentize(area, _SIDE_M))
    placed = shapely.transform(
        parts, lambda xy: np.column_stack(plane(xy[:, 0], xy[:, 1], inverse=True))
    )
    if any(_holds_pole(part) for part in placed):
        raise _pole_error()
    pieces = [piece for part in placed for piece in cut_polygon(part)]
    return pieces[0] if len(pieces) == 1 else shapely.MultiPolygon(pieces)


def _holds_pole(polygon: shapely.Polygon) -> bool:
    """Tell whether the longitudes of an outline close only around a pole."""
    for ring in shapely.get_rings(polygon):
        lon = np.unwrap(shapely.get_coordinates(ring)[:, 0], period=360)
        if abs(lon[-1] - lon[0]) > _HALF_TURN:
            return True
    return False


def _pole_error() -> GeometryError:
    """Say why an area has no outline."""
    message = (
        "The area holds a pole, so it has no outline in longitude and latitude. "
        "Leave its sites out, or work in a polar projection."
    )
    return GeometryError(message)
