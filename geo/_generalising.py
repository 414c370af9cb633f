"""The smallest area of nested levels, or cell of nested grids, that a place may be known by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Proj

from geo._levels import names_of
from geo._radii import covering_circle
from geo._releasing import NOT_LOCATED, WITHHELD, Unit
from geo.areal import assign_areas
from geo.geodesy import WGS84
from geo.projection import to_degrees

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo._levels import Level
    from geo._releasing import Places

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

__all__ = ["cell_units", "discs", "level_units", "nowhere", "premises_of"]

_CORNERS = 16
# around the circle and not within it; what is beyond covers edges that are straight in degrees
_OUTWARD = 1.002 / math.cos(math.pi / _CORNERS)
_OUTLINE_M = 6_000.0  # how far `assign_areas` lets a place lie outside its area
_DOUBLINGS = 7
_HALF_TURN, _TURN = 180.0, 360.0
_MOST = np.array([180.0, 85.0, 180.0, 85.0])  # beyond, cells are no squares any more
# areas are true, and a cell is a box of parallels and meridians
_EQUAL_AREA = Proj(proj="cea", lat_ts=30, ellps="WGS84")


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
        In EPSG:4326; a shape counts where its representative point is, and what shares a point
        counts once.
    """
    if candidates is None:
        return None
    shapes = to_degrees(candidates).to_numpy()
    shapes = shapes[(shapely.get_type_id(shapes) >= 0) & ~shapely.is_empty(shapes)]
    points = shapely.point_on_surface(shapes)
    # a list with the same premises twice, or many at the middle of a town, hides nobody better
    _, first = np.unique(shapely.to_wkb(points), return_index=True)
    return np.asarray(points[np.sort(first)], dtype=object)


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
            ours = np.flatnonzero(areas["country"].to_numpy(dtype=object) == country)
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
    for level in levels:
        if level.name == "province":
            _name_unlocated(places, level, units)
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


def _name_unlocated(places: Places, level: Level, units: list[Unit]) -> None:
    """Name the province of rows without a location, where what they state is its name."""
    rows = np.flatnonzero(~places.located)
    if not len(rows) or "admin1" not in places.frame:
        return
    columns = [name for name in ("country", "admin1") if name in places.frame]
    stated = gpd.GeoDataFrame(
        places.frame.iloc[rows][columns], geometry=[None] * len(rows), crs="EPSG:4326"
    )
    numbered = level.areas.assign(_number=np.arange(len(level.areas)).astype("str"))
    if "aliases" not in numbered:
        numbered["aliases"] = None
    numbered["aliases"] = numbered["aliases"].where(numbered["aliases"].notna(), "") + "|"
    numbered["aliases"] += numbered["name"].astype("str")
    found = assign_areas(stated, numbered, name="_number")["area"]
    for row, number in zip(rows, found, strict=True):
        if pd.notna(number):
            units[row] = NOT_LOCATED._replace(
                names=names_of(level, int(number)),
                note="No location known but the province, as reported.",
            )


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
    for name in sorted(set(country[used])):
        ours = used[country[used] == name]
        edge = shapely.boundary(shapely.union_all(shapes[country == name]))
        shapely.prepare(edge)
        outer |= {int(i) for i in ours[shapely.intersects(edge, shapes[ours])]}
    return outer


def _area_unit(level: Level, number: int, *, outer: bool) -> Unit:
    """Say of a place what its area says: nothing of it is the row's own."""
    area = level.areas.iloc[number]
    shape = area.geometry
    _, _, radius = covering_circle(shape)
    radius += _OUTLINE_M if outer else 0.0
    names = names_of(level, number)
    called = " ".join(str(area[column]) for column in ("code", "name") if column in area.index)
    note = f"Location generalised to {level.name} {called}; dates to the month."
    return Unit(shape, radius, level.name, f"{level.name} area", note, names)


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
    """Say of a place what its cell says."""
    corners = np.stack([cell, cell + 1]) * size
    lon, lat = _EQUAL_AREA(corners[:, 0], corners[:, 1], inverse=True)
    shape = shapely.box(*np.round([lon[0], lat[0], lon[1], lat[1]], 7))
    _, _, radius = covering_circle(shape)
    note = f"Location generalised to a grid cell of {size:,.0f} m; dates to the month."
    return Unit(shape, radius, None, f"{size:g} m cell", note, {})
