"""The smallest area of nested levels, or cell of nested grids, that a place may be known by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Proj

from geo._radii import covering_circle
from geo._releasing import NOT_LOCATED, WITHHELD, Unit
from geo.areal import assign_areas
from geo.errors import GeometryError, SchemaError
from geo.geodesy import WGS84
from geo.projection import to_degrees
from geo.reference import load_reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._releasing import Places

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

__all__ = [
    "LEVELS",
    "Level",
    "cell_units",
    "discs",
    "level_units",
    "levels_of",
    "nowhere",
    "premises_of",
    "shipped_levels",
    "stated_units",
]

LEVELS = ("commune", "district", "province", "country")
_COUNTRIES = ("LA", "MM", "TH", "VN")  # whose provinces are shipped beside Cambodia's
_CORNERS = 16
# around the circle and not within it; what is beyond covers edges that are straight in degrees
_OUTWARD = 1.002 / math.cos(math.pi / _CORNERS)
_APART = 0.01  # of an area that may lie outside the coarser one it belongs to
_OUTLINE_M = 6_000.0  # how far `assign_areas` lets a place lie outside its area
_DOUBLINGS = 7
_HALF_TURN, _TURN = 180.0, 360.0
_MOST = np.array([180.0, 85.0, 180.0, 85.0])  # beyond, cells are no squares any more
# areas are true, and a cell is a box of parallels and meridians
_EQUAL_AREA = Proj(proj="cea", lat_ts=30, ellps="WGS84")


class Level(NamedTuple):
    """One level of areas: its name, and polygons in EPSG:4326 with rows numbered from 0."""

    name: str
    areas: gpd.GeoDataFrame


def levels_of(
    areas: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None, level: str | None
) -> list[Level]:
    """
    Give the levels to choose from, the finest first.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame, mapping of str to geopandas.GeoDataFrame, or None
        The polygons of `level`, those of several levels by their names, or None for the shipped.
    level : str or None
        The finest level allowed.

    Returns
    -------
    list of Level
        At least one.

    Raises
    ------
    ValueError
        If a level is unknown or not given.
    SchemaError
        If areas have no column ``name``.
    GeometryError
        If a level does not lie within the next coarser one.
    """
    if level is not None and level not in LEVELS:
        message = f"level is {level!r}; it must be one of {', '.join(LEVELS)}."
        raise ValueError(message)
    if areas is None:
        given = shipped_levels()
    elif isinstance(areas, gpd.GeoDataFrame):
        if level is None:
            message = f"Say what areas are: level= one of {', '.join(LEVELS)}."
            raise ValueError(message)
        given = {level: areas}
    else:
        given = dict(areas)
    if strange := [name for name in given if name not in LEVELS]:
        message = f"areas has the levels {strange}; it must name levels of {', '.join(LEVELS)}."
        raise ValueError(message)
    finest = 0 if level is None else LEVELS.index(level)
    names = [name for name in LEVELS[finest:] if name in given]
    if not names or (level is not None and level not in given):
        message = (
            f"There are no areas of level {level or 'any'!r}, only {', '.join(given) or 'none'}. "
            "Give the polygons: areas={'commune': communes}."
        )
        raise ValueError(message)
    levels = [Level(name, _checked(given[name], name)) for name in names]
    if areas is not None:
        for fine, coarse in zip(levels, levels[1:], strict=False):
            _require_nested(fine, coarse)
    return levels


def shipped_levels() -> dict[str, gpd.GeoDataFrame]:
    """
    Give the shipped districts, provinces and countries, which lie within each other.

    Returns
    -------
    dict of str to geopandas.GeoDataFrame
        By level. Districts are Cambodia's; provinces those of its neighbours and Myanmar, too.
    """
    provinces = [load_reference("provinces")]
    provinces += [load_reference("provinces", country=country) for country in _COUNTRIES]
    credit = "; ".join(dict.fromkeys(frame.attrs["attribution"] for frame in provinces))
    for frame in provinces:
        frame.attrs = {}  # frames whose attrs differ lose them when they are put together
    together = gpd.GeoDataFrame(pd.concat(provinces, ignore_index=True), crs="EPSG:4326")
    together.attrs["attribution"] = credit
    countries = load_reference("countries")
    return {
        "district": load_reference("districts"),
        "province": together,
        "country": countries[countries["country"].notna()],
    }


def _checked(areas: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """Areas of a level in EPSG:4326 with rows numbered from 0."""
    if not isinstance(areas, gpd.GeoDataFrame):
        message = f"The areas of level {level!r} are a {type(areas).__name__}, no GeoDataFrame."
        raise TypeError(message)
    if "name" not in areas:
        message = f"The areas of level {level!r} have no column 'name'; rename one of theirs."
        raise SchemaError(message)
    degrees = gpd.GeoDataFrame(areas).set_geometry(to_degrees(areas)).reset_index(drop=True)
    shapes = degrees.geometry.to_numpy()
    surface = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    if not (surface & shapely.is_valid(shapes)).all():
        wrong = ~(surface & shapely.is_valid(shapes))
        problems = pd.DataFrame({"row": np.flatnonzero(wrong), "problem": "no valid polygon"})
        message = (
            f"{int(wrong.sum())} of {len(areas)} areas of level {level!r} are no valid polygons. "
            "Repair them with make_valid(), or leave them out."
        )
        raise GeometryError(message, problems)
    return degrees


def _require_nested(fine: Level, coarse: Level) -> None:
    """Raise GeometryError where a finer area does not lie within one coarser area."""
    finer, coarser = fine.areas.geometry.to_numpy(), coarse.areas.geometry.to_numpy()
    of, within = shapely.STRtree(coarser).query(finer, predicate="intersects")
    shared = shapely.area(shapely.intersection(finer[of], coarser[within]))
    most = np.zeros(len(finer))
    np.maximum.at(most, of, shared)
    apart = most < (1 - _APART) * shapely.area(finer)
    if apart.any():
        names = fine.areas["name"][apart]
        problems = pd.DataFrame(
            {
                "row": np.flatnonzero(apart),
                "value": names.to_numpy(),
                "problem": f"in no single {coarse.name}",
            }
        )
        message = (
            f"{int(apart.sum())} of {len(finer)} areas of level {fine.name!r} lie in no single "
            f"area of level {coarse.name!r}, such as {names.iloc[0]!r}. A place released once by "
            "one and once by the other would lie where the two overlap: use levels that nest."
        )
        raise GeometryError(message, problems)


# -------------------------------------------------------------------------------- where it fits


def premises_of(candidates: gpd.GeoDataFrame | gpd.GeoSeries | None) -> Shapes | None:
    """
    Give a point for each plausible premises.

    Parameters
    ----------
    candidates : geopandas.GeoDataFrame, geopandas.GeoSeries or None
        Points or shapes in any coordinate reference system.

    Returns
    -------
    numpy.ndarray of shapely.Point, or None
        In EPSG:4326; a shape counts where its representative point is.
    """
    if candidates is None:
        return None
    shapes = to_degrees(candidates).to_numpy()
    shapes = shapes[(shapely.get_type_id(shapes) >= 0) & ~shapely.is_empty(shapes)]
    return np.asarray(shapely.point_on_surface(shapes), dtype=object)


def discs(lon: Floats, lat: Floats, radius_m: Floats) -> Shapes:
    """
    Draw polygons around circles on the ellipsoid, nowhere inside them.

    Parameters
    ----------
    lon, lat, radius_m : numpy.ndarray of float, shape (n,)
        Centres in degrees and radii in metres, none missing.

    Returns
    -------
    numpy.ndarray of shapely.Polygon
        With 16 corners, 2 % outside; longitudes run on beyond 180 degrees.
    """
    n = len(lon)
    azimuth = np.tile(np.arange(_CORNERS) * _TURN / _CORNERS, n)
    away = np.repeat(np.maximum(radius_m, 1.0) * _OUTWARD, _CORNERS)
    x, y, _ = WGS84.fwd(np.repeat(lon, _CORNERS), np.repeat(lat, _CORNERS), azimuth, away)
    middle = np.repeat(lon, _CORNERS)
    x = middle + (x - middle + _HALF_TURN) % _TURN - _HALF_TURN
    corners = np.stack([x, y], axis=1).reshape(n, _CORNERS, 2)
    return np.asarray(shapely.polygons(corners), dtype=object)


def _fitting(places: Places, rows: Ints, shapes: Shapes, areas: gpd.GeoDataFrame) -> Ints:
    """Give the area of a level that holds the circle of each row, -1 where none does."""
    found = np.full(len(rows), -1, dtype=np.intp)
    stated = places.country[rows]
    if "country" not in areas:
        stated = np.full(len(rows), "", dtype=object)
    for country in sorted(set(stated)):
        some = np.flatnonzero(stated == country)
        if country:
            ours = np.flatnonzero((areas["country"] == country).to_numpy(dtype=bool))
            inner = _inside_country(places, rows[some], shapes[some], areas.iloc[ours])
            found[some] = np.where(inner < 0, -1, ours[inner] if len(ours) else -1)
        else:
            area, row = shapely.STRtree(shapes[some]).query(
                areas.geometry.to_numpy(), predicate="covers"
            )
            found[some[row[::-1]]] = area[::-1]  # the first of several that overlap
    return found


def _inside_country(places: Places, rows: Ints, shapes: Shapes, areas: gpd.GeoDataFrame) -> Ints:
    """Give the area of each row where its circle reaches no other area of the country it states."""
    if areas.empty:
        return np.full(len(rows), -1, dtype=np.intp)
    numbered = gpd.GeoDataFrame(
        {"number": np.arange(len(areas))}, geometry=areas.geometry.to_numpy(), crs=areas.crs
    )
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(places.lon[rows], places.lat[rows]), crs="EPSG:4326"
    )
    own = assign_areas(points, numbered, name="number")["area"]
    own = own.astype("Int64").fillna(-1).to_numpy(dtype=np.intp)
    area, row = shapely.STRtree(shapes).query(areas.geometry.to_numpy(), predicate="intersects")
    crossing = np.zeros(len(rows), dtype=bool)
    crossing[row[own[row] != area]] = True
    return np.where(crossing, -1, own)


def _enough(areas: Shapes, premises: Shapes | None, least: int) -> NDArray[np.bool_]:
    """Tell which areas hold at least so many premises; all of them where none are given."""
    if premises is None:
        return np.ones(len(areas), dtype=bool)
    area, _ = shapely.STRtree(premises).query(areas, predicate="covers")
    return np.bincount(area, minlength=len(areas)) >= least


def level_units(
    places: Places,
    shapes: Shapes,
    levels: Sequence[Level],
    premises: Shapes | None = None,
    least: int = 1,
) -> list[Unit]:
    """
    Choose the finest level that fits each place.

    Parameters
    ----------
    places : Places
        The sites.
    shapes : numpy.ndarray of shapely geometries
        What an area must hold for each located site: its point, or its circle.
    levels : sequence of Level
        The finest first.
    premises : numpy.ndarray of shapely.Point or None
        From `premises_of`.
    least : int
        How many premises an area must hold.

    Returns
    -------
    list of Unit
        One for each site.
    """
    units = nowhere(places)
    left = np.flatnonzero(places.located)
    for level in levels:
        area = _fitting(places, left, shapes, level.areas)
        fits = (area >= 0) & _enough(level.areas.geometry.to_numpy(), premises, least)[area]
        outer = _outer(level.areas, np.unique(area[fits]))
        used = {int(i): _area_unit(level, int(i), outer=i in outer) for i in np.unique(area[fits])}
        for row, i in zip(left[fits], area[fits], strict=True):
            units[row] = used[int(i)]
        left, shapes = left[~fits], shapes[~fits]
    return units


def nowhere(places: Places) -> list[Unit]:
    """
    Give every site the unit of one whose place is not told.

    Parameters
    ----------
    places : Places
        The sites.

    Returns
    -------
    list of Unit
        Withheld where there is a point, not located where there is none.
    """
    return [WITHHELD if at else NOT_LOCATED for at in places.located]


def _outer(areas: gpd.GeoDataFrame, used: Ints) -> set[int]:
    """Give the areas along the outer edge of their country, whose outline may be wrong there."""
    if "country" not in areas:
        return set()
    country, shapes = areas["country"].to_numpy(dtype=object), areas.geometry.to_numpy()
    outer = set()
    for name in sorted(set(country[used]) - {None}, key=str):
        ours = used[country[used] == name]
        edge = shapely.boundary(shapely.union_all(shapes[country == name]))
        shapely.prepare(edge)
        outer |= {int(i) for i in ours[shapely.intersects(edge, shapes[ours])]}
    return outer


def _area_unit(level: Level, number: int, *, outer: bool) -> Unit:
    """What is said of a place by an area: all of it the area's own."""
    area = level.areas.iloc[number]
    shape = area.geometry
    _, _, radius = covering_circle(shape)
    radius += _OUTLINE_M if outer else 0.0
    names = stated_units(level, number)
    called = " ".join(filter(None, [_text(area, "code"), _text(area, "name")]))
    note = f"Location generalised to {level.name} {called}; dates to the month."
    return Unit(shape, radius, level.name, f"{level.name} area", note, names)


def stated_units(level: Level, number: int) -> dict[str, str]:
    """
    Give the names and codes of an area and of those that it says it lies in.

    Parameters
    ----------
    level : Level
        Areas of a level.
    number : int
        Position of the area.

    Returns
    -------
    dict of str to str
        ``admin1``, ``admin1_code``, ``admin2`` and so on, as far as they are known.
    """
    area = level.areas.iloc[number]
    own = {"province": "admin1", "district": "admin2", "commune": "admin3"}.get(level.name)
    said = {"admin1": "province", "admin1_code": "province_code"} if own != "admin1" else {}
    if own == "admin3":
        said |= {"admin2": "district", "admin2_code": "district_code"}
    if own is None:
        return {}
    said |= {own: "name", f"{own}_code": "code"}
    texts = {name: _text(area, column) for name, column in said.items()}
    return {name: text for name, text in texts.items() if text}


def _text(area: pd.Series, column: str) -> str:
    """Cell of an area as text; empty where it is missing."""
    value: Any = area.get(column)
    return "" if value is None or pd.isna(value) else str(value)


# ------------------------------------------------------------------------------------- cells


def cell_units(
    places: Places, cell_size_m: float, premises: Shapes | None, least: int
) -> list[Unit]:
    """
    Choose the smallest cell of grids that double which fits each place.

    Parameters
    ----------
    places : Places
        The sites.
    cell_size_m : float
        Side of a square of equal area to the smallest cell.
    premises : numpy.ndarray of shapely.Point or None
        From `premises_of`.
    least : int
        How many premises a cell must hold.

    Returns
    -------
    list of Unit
        One for each site.
    """
    units = nowhere(places)
    left = np.flatnonzero(places.located)
    circles = discs(places.lon[left], places.lat[left], places.radius_m[left])
    bounds = shapely.bounds(circles).reshape(-1, 4)
    whole = (np.abs(bounds) <= _MOST).all(axis=1)
    left, bounds = left[whole], bounds[whole]
    for doubling in range(_DOUBLINGS):
        size = cell_size_m * 2**doubling
        low, high = _cells(bounds[:, :2], size), _cells(bounds[:, 2:], size)
        fits = (low == high).all(axis=1)
        if premises is not None:
            held = pd.MultiIndex.from_arrays(_cells(shapely.get_coordinates(premises), size).T)
            counts = held.value_counts()
            ours = pd.MultiIndex.from_arrays(low.T)
            fits &= counts.reindex(ours, fill_value=0).to_numpy() >= least
        used = {tuple(cell): _cell_unit(cell, size) for cell in np.unique(low[fits], axis=0)}
        for row, cell in zip(left[fits], low[fits], strict=True):
            units[row] = used[tuple(cell)]
        left, bounds = left[~fits], bounds[~fits]
    return units


def _cells(degrees: Floats, size: float) -> NDArray[np.int64]:
    """Column and row of points in a grid whose lines do not depend on the data."""
    x, y = _EQUAL_AREA(degrees[:, 0], degrees[:, 1])
    return np.floor(np.stack([x, y], axis=1) / size).astype(np.int64)


def _cell_unit(cell: NDArray[np.int64], size: float) -> Unit:
    """What is said of a place by a cell."""
    corners = np.stack([cell, cell + 1]) * size
    lon, lat = _EQUAL_AREA(corners[:, 0], corners[:, 1], inverse=True)
    shape = shapely.box(*np.round([lon[0], lat[0], lon[1], lat[1]], 7))
    _, _, radius = covering_circle(shape)
    note = f"Location generalised to a grid cell of {size:,.0f} m; dates to the month."
    return Unit(shape, radius, None, f"{size:g} m cell", note, {})
