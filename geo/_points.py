"""The point of every row, from coordinate columns or from geometries, and what is wrong with it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from geo._cells import Fault
from geo.errors import CRSError, GeometryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

__all__ = ["BOXES", "coordinate_faults", "disagreement_faults", "geometry_faults", "points_of"]

# Rough outlines (west, south, east, north): enough to prove that two numbers were exchanged.
BOXES: Mapping[str | None, tuple[float, float, float, float]] = MappingProxyType(
    {
        "KH": (102.0, 9.5, 108.0, 15.0),
        "LA": (100.0, 13.5, 108.0, 23.0),
        "MM": (92.0, 9.0, 101.5, 29.0),
        "TH": (97.0, 5.5, 106.0, 21.0),
        "VN": (102.0, 8.0, 110.0, 23.5),
        None: (92.0, 5.0, 110.0, 29.0),
    }
)
# Coordinate columns beside a geometry are often rounded to four decimals.
_SAME_PLACE_DEG = 1e-4


def _is_swapped(latitude: float, longitude: float, country: str | None) -> bool:
    """Whether the numbers prove that latitude and longitude were exchanged."""
    box = BOXES.get(country)
    if abs(latitude) <= 90 or box is None:  # noqa: PLR2004 - the pole
        return False
    west, south, east, north = box
    return west <= latitude <= east and south <= longitude <= north


def _coordinate_problem(
    latitude: float, longitude: float, country: str | None
) -> tuple[int, str, str] | None:
    """Which of the two numbers is wrong (0 or 1), the kind of fault, and the fault in words."""
    if _is_swapped(latitude, longitude, country):
        where = country or "the region"
        problem = (
            f"latitude and longitude are swapped: latitude {longitude:g}, longitude {latitude:g} "
            f"lies in {where}; "
            "exchange the two"
        )
        return 0, "swapped", problem
    if abs(latitude) > 90:  # noqa: PLR2004 - the pole
        return 0, "out of range", "a latitude lies between -90 and 90"
    if abs(longitude) > 180:  # noqa: PLR2004 - the date line
        return 1, "out of range", "a longitude lies between -180 and 180"
    return None


def coordinate_faults(
    coordinates: np.ndarray[Any, Any],
    names: tuple[str, str],
    texts: tuple[Sequence[str | None], Sequence[str | None]],
    countries: Sequence[str | None],
) -> list[Fault]:
    """
    Faults of pairs (latitude, longitude), whose columns are `names` and cells `texts`.

    A pair with a NaN is judged by what the cells hold: one alone is a fault, text that is not
    a number has been reported already.
    """
    latitude, longitude = coordinates.T
    faults = []
    with np.errstate(invalid="ignore"):
        suspects = (np.abs(latitude) > 90) | (np.abs(longitude) > 180)  # noqa: PLR2004 - degrees
        zero = (latitude == 0) & (longitude == 0)
    for i in np.flatnonzero(zero).tolist():
        problem = "0, 0 is what programs write for an unknown place: leave both cells blank"
        faults.append(Fault(i, names[0], texts[0][i] or "", "at 0, 0", problem))
    for i in np.flatnonzero(suspects).tolist():
        found = _coordinate_problem(latitude[i], longitude[i], countries[i])
        if found is not None:
            axis, kind, problem = found
            faults.append(Fault(i, names[axis], texts[axis][i] or "", kind, problem))
            # A swapped pair is one fault; otherwise the longitude may be wrong as well.
            if axis == 0 and kind == "out of range" and abs(longitude[i]) > 180:  # noqa: PLR2004
                problem = "a longitude lies between -180 and 180"
                faults.append(Fault(i, names[1], texts[1][i] or "", kind, problem))
    for axis, other in ((0, 1), (1, 0)):
        pairs = zip(texts[axis], texts[other], strict=True)
        for i, (here, there) in enumerate(pairs):
            if here is None and there is not None:
                problem = f"missing, but {names[other]} is given"
                faults.append(Fault(i, names[axis], "", "half a coordinate", problem))
    return faults


def geometry_faults(points: np.ndarray[Any, Any], countries: Sequence[str | None]) -> list[Fault]:
    """Faults of places (latitude, longitude) that came as geometries."""
    blank = np.isnan(points).all(axis=1)
    texts = [
        None if missing else f"POINT ({x:g} {y:g})"
        for (y, x), missing in zip(points.tolist(), blank, strict=True)
    ]
    faults = coordinate_faults(points, ("geometry", "geometry"), (texts, texts), countries)
    problem = "a point needs two finite numbers"
    endless = ~np.isfinite(points).all(axis=1) & ~blank
    flagged = {fault.position for fault in faults}
    return faults + [
        Fault(i, "geometry", texts[i] or "", "not a number", problem)
        for i in np.flatnonzero(endless).tolist()
        if i not in flagged
    ]


def disagreement_faults(
    given: np.ndarray[Any, Any], drawn: np.ndarray[Any, Any], name: str
) -> list[Fault]:
    """Rows whose coordinate columns say another place than their geometry."""
    with np.errstate(invalid="ignore"):
        apart = (np.abs(given - drawn) > _SAME_PLACE_DEG).any(axis=1)
    problem = "the coordinate columns and the geometry are different places: remove one of them"
    return [
        Fault(i, name, f"{given[i, 0]:g}, {given[i, 1]:g}", "two places", problem)
        for i in np.flatnonzero(apart).tolist()
    ]


def points_of(frame: gpd.GeoDataFrame, rows: Sequence[int]) -> np.ndarray[Any, Any]:
    """
    Latitude and longitude of every geometry in EPSG:4326, NaN where there is none.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Points in any coordinate reference system.
    rows : sequence of int
        The number by which each row is reported.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        Latitude and longitude in degrees.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If there is anything but points.
    """
    if frame.crs is None:
        message = (
            "The frame has no coordinate reference system, so its numbers are not places yet. "
            "Sites need one: for longitude and latitude call frame.set_crs('EPSG:4326') first."
        )
        raise CRSError(message)
    geometry = frame.geometry.to_numpy().copy()
    geometry[shapely.is_empty(geometry)] = None
    single = (shapely.get_type_id(geometry) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(geometry) == 1
    )
    geometry[single] = shapely.get_geometry(geometry[single], 0)
    _require_points(geometry, rows)
    points = frame.geometry.set_axis(range(len(frame))).copy()
    points[:] = shapely.force_2d(geometry)
    if points.crs != "EPSG:4326":
        points = _to_degrees(points)
    return np.column_stack([points.y.to_numpy(float), points.x.to_numpy(float)])


def _to_degrees(points: gpd.GeoSeries) -> gpd.GeoSeries:
    """Points in EPSG:4326."""
    try:
        return points.to_crs("EPSG:4326")
    except pyproj.exceptions.ProjError as error:
        message = (
            f"The coordinate reference system {points.crs.name!r} cannot be turned into longitude "
            "and latitude: set the right one with frame.set_crs(..., allow_override=True)."
        )
        raise CRSError(message) from error


def _require_points(geometry: np.ndarray[Any, Any], rows: Sequence[int]) -> None:
    """Raise GeometryError naming every row that is not a point."""
    kinds = shapely.get_type_id(geometry)
    wrong = np.flatnonzero((kinds != shapely.GeometryType.POINT) & (kinds >= 0))
    if not len(wrong):
        return
    names = [geometry[i].geom_type for i in wrong.tolist()]
    problem = "not a point: a site is a point and a radius"
    problems = pd.DataFrame(
        {
            "row": [rows[i] for i in wrong.tolist()],
            "column": "geometry",
            "value": names,
            "problem": problem,
        }
    )
    message = (
        f"{len(wrong)} of {len(geometry)} rows hold {', '.join(sorted(set(names)))}; a site is a "
        "point with a radius. Use representative_point() as the point, and as uncertainty_m the "
        "distance in metres from it to the farthest corner of the shape (hausdorff_distance in "
        f"a metric CRS such as frame.estimate_utm_crs()). First at row {problems['row'].iloc[0]}."
    )
    raise GeometryError(message, problems)
