"""The area that holds the true places of some sites: the hull of their uncertainty discs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._inputs import coordinates, radii
from geo.errors import GeometryError, SchemaError
from geo.geodesy import WGS84
from geo.projection import local_crs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["hull_of", "require_radii"]

_DISC_CORNERS = 72
_SIDE_M = 5000.0
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


def hull_of(members: gpd.GeoDataFrame) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Draw the convex hull of the uncertainty discs of some sites.

    Parameters
    ----------
    members : geopandas.GeoDataFrame
        Located sites, each with its radius.

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
    discs = np.unique(np.column_stack([lon, lat, radii(members)]), axis=0)
    if discs[:, 2].max() >= _TO_POLE_M:
        raise _pole_error()
    turns = np.linspace(0, 360, _DISC_CORNERS, endpoint=False)
    x, y, radius = (np.repeat(column, _DISC_CORNERS) for column in discs.T)
    # corners a little outside the circle, so that no side cuts into it
    outer = radius / np.cos(np.pi / _DISC_CORNERS)
    x, y, _ = WGS84.fwd(x, y, np.tile(turns, len(discs)), outer)
    crs = local_crs(shapely.MultiPoint(discs[:, :2]))
    corners = gpd.GeoSeries([shapely.multipoints(np.column_stack([x, y]))], crs=4326).to_crs(crs)
    # short sides, because a long one bends when it is read as straight in degrees
    hull = corners.iloc[0].convex_hull.segmentize(_SIDE_M)
    ring = gpd.GeoSeries([hull], crs=crs).to_crs(4326).to_numpy()
    return _cut(shapely.get_coordinates(ring))


def _cut(ring: Floats) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the polygon of a ring, in parts on both sides where it crosses the antimeridian."""
    lon = np.unwrap(ring[:, 0], period=360)
    if abs(lon[-1] - lon[0]) > 180:  # noqa: PLR2004 - half a turn: the ring does not close
        raise _pole_error()
    whole = shapely.Polygon(np.column_stack([lon, ring[:, 1]]))
    parts: list[shapely.Polygon] = []
    for turn in (-360, 0, 360):
        part = whole.intersection(shapely.box(turn - 180, -90, turn + 180, 90))
        if part.area > 0:
            corners = shapely.get_coordinates(part.convex_hull) - [turn, 0]
            parts.append(shapely.Polygon(corners))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _pole_error() -> GeometryError:
    """Say why an area has no outline."""
    message = (
        "The area of a cluster holds a pole, so it has no outline in longitude and latitude. "
        "Leave its sites out, or draw them in a polar projection."
    )
    return GeometryError(message)
