"""Frames made ready for drawing: degrees, plain columns, extents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import CRSError, GeometryError, SchemaError
from layers.payload import DECIMALS
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "bounds_of",
    "column",
    "drawable_radii",
    "in_degrees",
    "in_the_plane",
    "lonlat_of",
    "require_columns",
    "require_crs",
    "texts",
]

_HALF_TURN = 180.0
# A web map's plane, Mercator's, has no poles: Leaflet ends it at 85.05 degrees.
_PLANE_ENDS_DEG = 85.0

Bounds = tuple[float, float, float, float]


def require_crs(frame: gpd.GeoDataFrame | gpd.GeoSeries, argument: str) -> None:
    """Raise unless this is a frame whose numbers have a place on the earth."""
    if not isinstance(frame, gpd.GeoDataFrame | gpd.GeoSeries):
        message = (
            f"`{argument}` is a {type(frame).__name__}, where a GeoDataFrame is needed: "
            "`geo.read_sites` reads one from a file, `geo.validate_sites` makes one of a table"
        )
        raise TypeError(message)
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is None:
        message = f"`{argument}` has no geometry column: name one with `set_geometry(...)`"
        raise GeometryError(message)
    if frame.crs is None:
        message = (
            f"`{argument}` has no coordinate reference system, so its numbers cannot be placed: "
            "say what they are with `set_crs(...)`, for example EPSG:4326 for degrees"
        )
        raise CRSError(message)


def require_columns(frame: gpd.GeoDataFrame, names: Iterable[str | None], argument: str) -> None:
    """Raise SchemaError unless a frame has the columns that an argument names."""
    missing = [name for name in names if name is not None and name not in frame.columns]
    if missing:
        message = (
            f"{argument} names {missing}, but the columns are {[str(c) for c in frame.columns]}: "
            "check the spelling"
        )
        raise SchemaError(message)


def in_degrees(frame: gpd.GeoDataFrame, *kinds: str, argument: str) -> gpd.GeoDataFrame:
    """Bring a frame to EPSG:4326, or say why it cannot be drawn."""
    require_crs(frame, argument)
    degrees = frame.to_crs(4326)
    corners = shapely.bounds(degrees.geometry.to_numpy())
    nowhere = ~np.isfinite(corners).all(axis=1)  # missing, empty, or of NaN
    if nowhere.any():
        degrees = degrees.set_geometry(degrees.geometry.mask(nowhere))
    wrong = degrees.geometry.notna() & ~degrees.geom_type.isin(kinds)
    if wrong.any():
        found = sorted(set(degrees.geom_type[wrong]))
        message = (
            f"{int(wrong.sum())} of {len(frame)} geometries are {', '.join(found)}, but this "
            f"layer draws {' and '.join(kinds)}: choose the layer that fits, or leave them out"
        )
        rows = pd.DataFrame({"row": frame.index[wrong], "problem": degrees.geom_type[wrong]})
        raise GeometryError(message, rows)
    return degrees


def in_the_plane(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Tell which points a web map can show: located, and not too near a pole."""
    latitudes: np.ndarray = np.abs(shapely.get_y(frame.geometry.to_numpy()))
    return latitudes <= _PLANE_ENDS_DEG  # not a number, where there is no point: no


def column(frame: gpd.GeoDataFrame, name: str) -> pd.Series:
    """Return a column, all missing where the frame has none of that name."""
    if name in frame.columns:
        return frame[name]
    return pd.Series(pd.NA, index=frame.index, dtype=object)


def texts(frame: gpd.GeoDataFrame, name: str) -> list[str]:
    """Return a column as plain texts."""
    return [plain(value) for value in column(frame, name)]


def drawable_radii(frame: gpd.GeoDataFrame) -> pd.Series:
    """Return the radii in metres, missing where there is none that can be drawn."""
    radius = pd.to_numeric(column(frame, "uncertainty_m"), errors="coerce").astype(float)
    return radius.where(np.isfinite(radius) & radius.gt(0))


def lonlat_of(frame: gpd.GeoDataFrame) -> np.ndarray:
    """
    Return the rounded longitudes and latitudes of points, together across the antimeridian.

    A map is a plane. Where points lie on both sides of 180 degrees and closer to each other
    that way, western longitudes are counted on beyond 180.
    """
    lonlat: np.ndarray = np.round(shapely.get_coordinates(frame.geometry.to_numpy()), DECIMALS)
    if len(lonlat):
        onward = np.where(lonlat[:, 0] < 0, lonlat[:, 0] + 360, lonlat[:, 0])
        if np.ptp(onward) < _HALF_TURN <= np.ptp(lonlat[:, 0]):
            lonlat[:, 0] = np.round(onward, DECIMALS)
    return lonlat


def bounds_of(lonlat: np.ndarray) -> Bounds | None:
    """Return west, south, east, north of coordinates, None if there are none."""
    if not len(lonlat):
        return None
    return (*lonlat.min(axis=0).tolist(), *lonlat.max(axis=0).tolist())
