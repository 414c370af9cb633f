"""Levels of areas that lie within each other: communes, districts, provinces, countries."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import GeometryError, SchemaError
from geo.projection import to_degrees
from geo.reference import load_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LEVELS", "Level", "levels_of", "names_of", "shipped_levels"]

LEVELS = ("commune", "district", "province", "country")
_COUNTRIES = ("LA", "MM", "TH", "VN")  # whose provinces are shipped beside Cambodia's
_SURFACES = (3, 6)  # types of geometry
_APART = 0.01  # of an area that may lie outside the coarser one it belongs to


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
        given: dict[str, gpd.GeoDataFrame] = shipped_levels()
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
    if areas is None:
        return [Level(name, given[name]) for name in names]
    levels = [Level(name, _checked(given[name], name)) for name in names]
    for fine, coarse in pairwise(levels):
        _require_nested(fine, coarse)
    return levels


@cache
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
    shipped = {
        "district": load_reference("districts"),
        "province": together,
        "country": countries[countries["country"].notna()],
    }
    return {name: _checked(areas, name) for name, areas in shipped.items()}


def _checked(areas: gpd.GeoDataFrame, level: str) -> gpd.GeoDataFrame:
    """Areas of a level in EPSG:4326 with rows numbered from 0."""
    if not isinstance(areas, gpd.GeoDataFrame):
        message = f"The areas of level {level!r} are a {type(areas).__name__}, no GeoDataFrame."
        raise TypeError(message)
    if "name" not in areas:
        message = f"The areas of level {level!r} have no column 'name'; rename one of theirs."
        raise SchemaError(message)
    degrees = gpd.GeoDataFrame(areas).set_geometry(to_degrees(areas)).reset_index(drop=True)
    if degrees.empty:
        message = f"There are no areas of level {level!r}: give at least one, or leave it out."
        raise ValueError(message)
    if "country" in degrees:
        degrees["country"] = degrees["country"].astype("string").str.strip().str.upper().fillna("")
    shapes = degrees.geometry.to_numpy()
    surface = np.isin(shapely.get_type_id(shapes), _SURFACES) & ~shapely.is_empty(shapes)
    wrong = ~(surface & shapely.is_valid(shapes))
    if wrong.any():
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


def names_of(level: Level, number: int) -> dict[str, str]:
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
