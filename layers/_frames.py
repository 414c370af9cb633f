"""Frames made ready for drawing: degrees, plain columns, extents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.errors import CRSError, GeometryError
from layers.payload import DECIMALS
from layers.text import plain

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["bounds_of", "column", "in_degrees", "lonlat_of", "radii", "texts"]

_HALF_TURN = 180.0

Bounds = tuple[float, float, float, float]


def in_degrees(frame: gpd.GeoDataFrame, *kinds: str) -> gpd.GeoDataFrame:
    """Bring a frame to EPSG:4326, or say why it cannot be drawn."""
    if frame.crs is None:
        message = (
            "the frame has no coordinate reference system, so its numbers cannot be placed: "
            "say what they are with `frame.set_crs(...)`, for example EPSG:4326 for degrees"
        )
        raise CRSError(message)
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


def column(frame: gpd.GeoDataFrame, name: str) -> pd.Series:
    """Return a column, all missing where the frame has none of that name."""
    if name in frame.columns:
        return frame[name]
    return pd.Series(pd.NA, index=frame.index, dtype=object)


def texts(frame: gpd.GeoDataFrame, name: str) -> list[str]:
    """Return a column as plain texts."""
    return [plain(value) for value in column(frame, name)]


def radii(frame: gpd.GeoDataFrame) -> pd.Series:
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
