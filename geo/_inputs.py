"""What is given to a measurement: points, shapes, radii, numbers; checked once, in one way."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from pyproj import Transformer

from geo._threads import in_threads
from geo.errors import GeometryError, SchemaError
from geo.projection import WGS84, geometry_of, to_degrees

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

__all__ = [
    "POINT",
    "any_length",
    "coordinates",
    "index_labels",
    "is_gone",
    "lengths",
    "own_numbers",
    "parts_of",
    "point_numbers",
    "positive_length",
    "positive_number",
    "problems_of",
    "radii",
    "shapes_of",
    "target_radii",
    "whole_number",
]

POINT, _MULTI = 0, 4  # shapely's type numbers; from 4 on a geometry is made of others
_HALF_TURN = 180
_MOST_LON, _MOST_LAT = 3 * _HALF_TURN, 90  # longitudes may be written a turn beyond their range
_MOST = np.array([_MOST_LON, _MOST_LAT, _MOST_LON, _MOST_LAT])


def coordinates(
    frame: gpd.GeoDataFrame | gpd.GeoSeries, role: str, hint: str = ""
) -> tuple[Floats, Floats]:
    """Return longitude and latitude of points in degrees, NaN where missing."""
    x, y = own_numbers(frame, role, hint)
    if frame.crs != WGS84:
        # the numbers alone: geometries would be built anew for nothing
        x, y = Transformer.from_crs(frame.crs, WGS84, always_xy=True).transform(x, y)
        x, y = np.asarray(x), np.asarray(y)
    gone = np.isnan(x) | np.isnan(y)
    fit = gone | ((np.abs(x) <= _MOST_LON) & (np.abs(y) <= _MOST_LAT))
    _require_degrees(frame.geometry, fit, role)
    return x, y


def own_numbers(
    frame: gpd.GeoDataFrame | gpd.GeoSeries, role: str, hint: str = ""
) -> tuple[Floats, Floats]:
    """Return the numbers of points in the frame's own coordinates, NaN where missing."""
    geometry = geometry_of(frame)
    shapes = geometry.to_numpy()
    kind = shapely.get_type_id(shapes)
    empty = (kind < 0) | shapely.is_empty(shapes)
    wrong = ~empty & (kind != POINT)
    if wrong.any():
        kinds = sorted(set(geometry[wrong].geom_type))
        message = (
            f"{wrong.sum()} of {len(shapes)} {role} are no points but {', '.join(kinds)}. Points "
            f"are needed. {hint or 'representative_point() gives one inside each geometry.'}"
        )
        raise GeometryError(message, problems_of(geometry, wrong, "not a point"))
    x, y = point_numbers(np.asarray(np.where(empty, None, shapes) if empty.any() else shapes))
    # points_from_xy makes points of missing numbers out of empty cells
    gone = np.isnan(x) | np.isnan(y)
    x[gone], y[gone] = np.nan, np.nan
    return x, y


def point_numbers(shapes: NDArray[np.object_]) -> tuple[Floats, Floats]:
    """Return the numbers of points, none of them empty; NaN where one is missing."""
    x, y = np.empty(len(shapes)), np.empty(len(shapes))

    def read(start: int, stop: int) -> None:
        shapely.get_x(shapes[start:stop], out=x[start:stop])
        shapely.get_y(shapes[start:stop], out=y[start:stop])

    in_threads(read, len(shapes))
    return x, y


def shapes_of(
    frame: gpd.GeoDataFrame | gpd.GeoSeries, *, geodesic: bool = False
) -> NDArray[np.object_]:
    """Return geometries in degrees, fit to be measured to; None where missing or empty."""
    geometry = to_degrees(frame)
    shapes = geometry.to_numpy().astype(object)
    gone = is_gone(shapes)
    shapes[gone] = None
    bounds = shapely.bounds(shapes)
    inside = np.isfinite(bounds).all(axis=1) & (np.abs(bounds) <= _MOST).all(axis=1)
    _require_degrees(geometry, gone | inside, "targets")
    surface = shapely.get_dimensions(shapes) == 2  # noqa: PLR2004 - surfaces
    broken = np.zeros(len(shapes), dtype=bool)
    broken[surface] = ~shapely.is_valid(shapes[surface])
    if broken.any():
        message = (
            f"{broken.sum()} of {len(shapes)} polygons are invalid, so that inside and outside are "
            "not defined. Repair them with make_valid()."
        )
        raise GeometryError(message, problems_of(geometry, broken, "invalid polygon"))
    wide = surface & (bounds[:, 2] - bounds[:, 0] > _HALF_TURN)
    wide[wide] = [_wraps(shape, geodesic=geodesic) for shape in shapes[wide]]
    if wide.any():
        message = (
            f"{wide.sum()} of {len(shapes)} polygons have an edge across more than 180 degrees of "
            "longitude: it is unclear which side is inside. Cut them at the antimeridian "
            "(RFC 7946, section 3.1.9), or add vertices to very wide ones with segmentize()."
        )
        raise GeometryError(message, problems_of(geometry, wide, "edge wider than 180 degrees"))
    return np.asarray(shapes)


def is_gone(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which geometries are no place: missing, empty, or points made of missing numbers."""
    kind = shapely.get_type_id(shapes)
    gone = (kind < 0) | shapely.is_empty(shapes)
    # points_from_xy makes such points of empty cells; get_x fails on empty ones
    points = np.flatnonzero(~gone & (kind == POINT))
    x, y = point_numbers(shapes if len(points) == len(shapes) else shapes[points])
    gone[points[np.isnan(x) | np.isnan(y)]] = True
    return np.asarray(gone)


def _wraps(shape: BaseGeometry, *, geodesic: bool) -> bool:
    """Tell whether a ring of a geometry has an edge across more than half the globe."""
    parts = parts_of(np.array([shape], dtype=object))
    vertices, ring = shapely.get_coordinates(
        shapely.get_rings(parts[shapely.get_dimensions(parts) == 2]),  # noqa: PLR2004 - surfaces
        return_index=True,
    )
    step = np.abs(np.diff(vertices[:, 0]))[ring[1:] == ring[:-1]]
    # whole-world boxes are written with a full turn along a parallel, which is no geodesic
    return bool(((step > _HALF_TURN) & (geodesic | (step != 2 * _HALF_TURN))).any())


def parts_of(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Take collections apart until only points, lines and polygons are left, none empty."""
    while (shapely.get_type_id(shapes) >= _MULTI).any():
        shapes = shapely.get_parts(shapes)
    return np.asarray(shapes[~shapely.is_empty(shapes)])


def _require_degrees(geometry: gpd.GeoSeries, fit: NDArray[np.bool_], role: str) -> None:
    """Refuse geometries that lie outside longitude and latitude."""
    outside = ~fit
    if outside.any():
        message = (
            f"{outside.sum()} of {len(geometry)} {role} lie outside longitude and latitude. Are "
            "the two swapped, or is the frame in metres and its coordinate reference system wrong?"
        )
        raise GeometryError(
            message, problems_of(geometry, outside, "outside longitude and latitude")
        )


def problems_of(geometry: gpd.GeoSeries, at_fault: NDArray[np.bool_], problem: str) -> pd.DataFrame:
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


def index_labels(index: Any, position: NDArray[np.intp]) -> Any:  # noqa: ANN401 - any kind of index
    """Return index labels at positions, missing at -1, without turning numbers into floats."""
    whole = "UInt64" if pd.api.types.is_unsigned_integer_dtype(index) else "Int64"
    labels = pd.array(index, dtype=whole if pd.api.types.is_integer_dtype(index) else None)
    return labels.take(position, allow_fill=True)


def positive_length(value: float, name: str) -> float:
    """Return a length of more than 0 metres, which has an end."""
    if not (_is_number(value) and 0 < value < np.inf):
        message = f"{name} is {value!r}; it must be a length in metres, a number more than 0."
        raise ValueError(message)
    return float(value)


def positive_number(value: float, name: str) -> float:
    """Return a number of more than 0, which is no length: an intensity, a mean count."""
    if not (_is_number(value) and 0 < value < np.inf):
        message = f"{name} is {value!r}; it must be a number more than 0."
        raise ValueError(message)
    return float(value)


def any_length(value: float, name: str) -> float:
    """Return a length that may be 0 or infinite, but not negative or NaN."""
    if not (_is_number(value) and value >= 0):
        message = f"{name} is {value!r}; it must be a length in metres, a number from 0 on."
        raise ValueError(message)
    return float(value)


def lengths(values: float | Iterable[float], name: str) -> Floats:
    """Return one or several lengths as an array."""
    one = isinstance(values, str) or not isinstance(values, Iterable)
    if isinstance(values, np.ndarray) and not values.ndim:
        values, one = values.item(), True
    given = [values] if one else list(values)  # type: ignore[arg-type]
    if not given:
        message = f"{name} is empty. Give at least one length in metres."
        raise ValueError(message)
    return np.array([any_length(value, name) for value in given])  # type: ignore[arg-type]


def whole_number(value: int, name: str) -> int:
    """Return a whole number of at least 1."""
    if not (_is_number(value) and isinstance(value, Integral) and value >= 1):
        message = f"{name} is {value!r}; it must be a whole number of at least 1."
        raise ValueError(message)
    return int(value)


def _is_number(value: object) -> bool:
    """Tell numbers from what only compares like one: a truth value is none."""
    return isinstance(value, Real) and not isinstance(value, bool)
