"""What is given to a measurement: points, shapes, radii, numbers; checked once, in one way."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from geo.errors import GeometryError, SchemaError
from geo.projection import to_degrees

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

__all__ = [
    "POINT",
    "any_length",
    "coordinates",
    "is_gone",
    "parts_of",
    "positive_length",
    "radii",
    "shapes_of",
    "target_radii",
    "whole_number",
]

POINT, _MULTI = 0, 4  # shapely's type numbers; from 4 on a geometry is made of others


def coordinates(
    frame: gpd.GeoDataFrame | gpd.GeoSeries, role: str, hint: str = ""
) -> tuple[Floats, Floats]:
    """Return longitude and latitude of points in degrees, NaN where missing."""
    geometry = to_degrees(frame)
    shapes = geometry.to_numpy()
    gone = is_gone(shapes)
    wrong = ~gone & (shapely.get_type_id(shapes) != POINT)
    if wrong.any():
        kinds = sorted(set(geometry[wrong].geom_type))
        message = (
            f"{wrong.sum()} of {len(shapes)} {role} are no points but {', '.join(kinds)}. Points "
            f"are needed. {hint or 'representative_point() gives one inside each geometry.'}"
        )
        raise GeometryError(message, _problems(geometry, wrong, "not a point"))
    _require_degrees(geometry, gone, role)
    placed = np.where(gone, None, shapes)
    return shapely.get_x(placed), shapely.get_y(placed)


def shapes_of(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> NDArray[np.object_]:
    """Return geometries in degrees, fit to be measured to; None where missing or empty."""
    geometry = to_degrees(frame)
    shapes = geometry.to_numpy().astype(object)
    gone = is_gone(shapes)
    shapes[gone] = None
    _require_degrees(geometry, gone, "targets")
    broken = ~gone & ~shapely.is_valid(shapes) & (shapely.get_dimensions(shapes) == 2)  # noqa: PLR2004 - surfaces
    if broken.any():
        message = (
            f"{broken.sum()} of {len(shapes)} polygons are invalid, so that inside and outside are "
            "not defined. Repair them with make_valid()."
        )
        raise GeometryError(message, _problems(geometry, broken, "invalid polygon"))
    wide = np.array([shape is not None and _wraps(shape) for shape in shapes], dtype=bool)
    if wide.any():
        message = (
            f"{wide.sum()} of {len(shapes)} polygons have an edge across more than 180 degrees of "
            "longitude: it is unclear which side is inside. Cut them at the antimeridian "
            "(RFC 7946, section 3.1.9), or add vertices to very wide ones with segmentize()."
        )
        raise GeometryError(message, _problems(geometry, wide, "edge wider than 180 degrees"))
    return np.asarray(shapes)


def is_gone(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which geometries are no place: missing, empty, or points made of missing numbers."""
    gone = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    # points_from_xy makes such points of empty cells; get_x fails on empty ones
    points = np.flatnonzero(~gone & (shapely.get_type_id(shapes) == POINT))
    x, y = shapely.get_x(shapes[points]), shapely.get_y(shapes[points])
    gone[points[np.isnan(x) | np.isnan(y)]] = True
    return np.asarray(gone)


def _wraps(shape: BaseGeometry) -> bool:
    """Tell whether a ring of a geometry has an edge across more than half the globe."""
    west, _, east, _ = shape.bounds
    if east - west <= 180:  # noqa: PLR2004 - half a turn
        return False
    parts = parts_of(np.array([shape], dtype=object))
    vertices, ring = shapely.get_coordinates(
        shapely.get_rings(parts[shapely.get_dimensions(parts) == 2]),  # noqa: PLR2004 - surfaces
        return_index=True,
    )
    step = np.abs(np.diff(vertices[:, 0]))[ring[1:] == ring[:-1]]
    return bool(((step > 180) & (step != 360)).any())  # noqa: PLR2004 - half and full turn


def parts_of(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Take collections apart until only points, lines and polygons are left, none empty."""
    while (shapely.get_type_id(shapes) >= _MULTI).any():
        shapes = shapely.get_parts(shapes)
    return np.asarray(shapes[~shapely.is_empty(shapes)])


def _require_degrees(geometry: gpd.GeoSeries, gone: NDArray[np.bool_], role: str) -> None:
    """Refuse geometries that lie outside longitude and latitude."""
    bounds = geometry.bounds.to_numpy()
    outside = ~gone & ~(
        np.isfinite(bounds).all(axis=1)
        & (np.abs(bounds[:, [0, 2]]) <= 540).all(axis=1)  # noqa: PLR2004 - a turn and a half
        & (np.abs(bounds[:, [1, 3]]) <= 90).all(axis=1)  # noqa: PLR2004 - the poles
    )
    if outside.any():
        message = (
            f"{outside.sum()} of {len(geometry)} {role} lie outside longitude and latitude. Are "
            "the two swapped, or is the frame in metres and its coordinate reference system wrong?"
        )
        raise GeometryError(message, _problems(geometry, outside, "outside longitude and latitude"))


def _problems(geometry: gpd.GeoSeries, at_fault: NDArray[np.bool_], problem: str) -> pd.DataFrame:
    """Return the rows at fault, as in every error, under their own labels."""
    return pd.DataFrame(
        {
            "row": np.flatnonzero(at_fault),
            "column": "geometry",
            "value": geometry.geom_type[at_fault].to_numpy(),
            "problem": problem,
        },
        index=geometry.index[at_fault],
    )


def radii(frame: gpd.GeoDataFrame) -> Floats:
    """Return `uncertainty_m`, NaN where it is unknown."""
    if "uncertainty_m" not in frame:
        return np.full(len(frame), np.nan)
    given = frame["uncertainty_m"]
    radius, text = _numbers(given)
    for wrong, are, problem in (
        (text, "no numbers", "not a number"),
        (radius < 0, "negative", "negative radius"),
    ):
        if wrong.any():
            problems = pd.DataFrame(
                {
                    "row": np.flatnonzero(wrong),
                    "column": "uncertainty_m",
                    "value": given[wrong].to_numpy(),
                    "problem": problem,
                },
                index=frame.index[wrong],
            )
            message = (
                f"{wrong.sum()} of {len(frame)} radii are {are}, such as {given[wrong].iloc[0]}. "
                "uncertainty_m holds metres, or nothing."
            )
            raise SchemaError(message, problems)
    return radius


def _numbers(given: pd.Series) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the numbers of a column, NaN where there is none, and where something else stands."""
    if is_numeric_dtype(given) and not is_bool_dtype(given):
        radius = given.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(radius), np.zeros(len(given), dtype=bool)
    text = given.astype("string").str.strip()
    text = text.mask(text == "")
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(numbers), np.asarray(text.notna() & np.isnan(numbers), dtype=bool)


def target_radii(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> Floats:
    """Return `uncertainty_m` of targets; those without the column are taken as exact."""
    if isinstance(frame, gpd.GeoDataFrame) and "uncertainty_m" in frame:
        return radii(frame)
    return np.zeros(len(frame))


def positive_length(value: float, name: str) -> float:
    """Return a length of more than 0 metres, which has an end."""
    if not (_is_number(value) and 0 < value < np.inf):
        message = f"{name} is {value!r}; it must be a length in metres, a number more than 0."
        raise ValueError(message)
    return float(value)


def any_length(value: float, name: str) -> float:
    """Return a length that may be 0 or infinite, but not negative or NaN."""
    if not (_is_number(value) and value >= 0):
        message = f"{name} is {value!r}; it must be a length in metres, a number from 0 on."
        raise ValueError(message)
    return float(value)


def whole_number(value: int, name: str) -> int:
    """Return a whole number of at least 1."""
    if not (_is_number(value) and isinstance(value, Integral) and value >= 1):
        message = f"{name} is {value!r}; it must be a whole number of at least 1."
        raise ValueError(message)
    return int(value)


def _is_number(value: object) -> bool:
    """Tell numbers from what only compares like one: a truth value is none."""
    return isinstance(value, Real) and not isinstance(value, bool)
