"""Provinces of the five countries: their outlines, and every way to write their names."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from geo._names import SAME_NAME, name_score
from geo._units import compact, split_unit
from geo.errors import NotFoundError
from geo.reference import load_reference

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "FIVE",
    "alias_table",
    "in_province",
    "other_provinces",
    "outline_named",
    "province_codes",
    "province_frame",
    "province_outline",
    "province_spellings",
    "shipped_file",
]

FIVE = ("KH", "LA", "MM", "TH", "VN")


@cache
def province_frame() -> gpd.GeoDataFrame:
    """Provinces of the five countries in one frame."""
    frames = [load_reference("provinces", country=country) for country in FIVE]
    return pd.concat(frames, ignore_index=True)


@cache
def province_outline(code: str) -> shapely.Geometry:
    """
    Give the polygon of a province.

    Parameters
    ----------
    code : str
        P-code or ISO 3166-2 code of a province of the gazetteer.

    Returns
    -------
    shapely.Geometry
        Polygon or MultiPolygon in EPSG:4326.
    """
    return province_frame().set_index("code").geometry[code]


@cache
def province_spellings() -> tuple[tuple[str, str, str], ...]:
    """
    Give every spelling of the provinces, without loading the places within them.

    Returns
    -------
    tuple of (str, str and str)
        Spelling, code and country.
    """
    frame = province_frame()
    countries = dict(zip(frame["code"], frame["country"], strict=True))
    aliases = alias_table()
    aliases = aliases[aliases["target_kind"] == "province"]
    pairs = [
        *zip(frame["name"], frame["code"], strict=True),
        *zip(frame["name_km"], frame["code"], strict=True),
        *((text, code) for code, texts in other_provinces().items() for text in texts),
        *zip(aliases["alias"], aliases["target"], strict=True),
    ]
    return tuple((text, code, countries[code]) for text, code in pairs if isinstance(text, str))


@cache
def alias_table() -> pd.DataFrame:
    """Return the table of spellings that no rule finds."""
    return pd.read_csv(shipped_file("aliases.csv"), dtype="str", keep_default_na=False)


def other_provinces() -> dict[str, list[str]]:
    """Return the other spellings of provinces, by code."""
    frame = province_frame()
    pairs = zip(frame["code"], frame["aliases"], strict=True)
    return {code: text.split("|") for code, text in pairs if isinstance(text, str)}


def province_codes(admin1: str, country: str | None) -> frozenset[str]:
    """
    Find the codes of the provinces that bear a name.

    Parameters
    ----------
    admin1 : str
        Name in any spelling, or code.
    country : str or None
        ISO 3166-1 alpha-2 code.

    Returns
    -------
    frozenset of str
        P-codes for Cambodia, ISO 3166-2 elsewhere; several if countries share the name.

    Raises
    ------
    NotFoundError
        If no province bears it.
    """
    found = _codes_of(admin1, country)
    if not found:
        where = country or ", ".join(FIVE)
        message = (
            f"There is no province {admin1!r} in {where}. "
            f"Choose one of load_reference('provinces', country=...), or leave admin1 out."
        )
        raise NotFoundError(message)
    return found


@lru_cache(maxsize=1 << 12)
def _codes_of(admin1: str, country: str | None) -> frozenset[str]:
    """Codes of the provinces that are written like a name; else of the one that sounds like it."""
    known = [(text, code) for text, code, c in province_spellings() if country in (None, c)]
    core, _ = split_unit(admin1)
    wanted = {compact(core), compact(admin1)}
    same = {code for text, code in known if compact(text) in wanted}
    same |= {code for _, code in known if code in (admin1, f"KH{admin1}")}
    if not same:
        scored = [(name_score(core, text), code) for text, code in known]
        best = max(scored, default=(0.0, ""))[0]
        same = {code for score, code in scored if score == best >= SAME_NAME}
        same = same if len(same) == 1 else set()
    return frozenset(same)


def in_province(
    points: NDArray[np.float64], country: str | None, admin1: str | None
) -> NDArray[np.bool_] | None:
    """
    Tell which points are in the province that a row names.

    Parameters
    ----------
    points : numpy.ndarray, shape (n, 2)
        Latitude and longitude in degrees.
    country, admin1 : str or None
        Code of the country and name of the province.

    Returns
    -------
    numpy.ndarray of bool, shape (n,), or None
        None where the name is none of a province whose outline is known.
    """
    outline = outline_named(admin1, country)
    return None if outline is None else shapely.contains_xy(outline, points[:, ::-1])


@lru_cache(maxsize=1 << 10)
def outline_named(admin1: str | None, country: str | None) -> shapely.Geometry | None:
    """
    Give the outline of all provinces that bear a name.

    Parameters
    ----------
    admin1, country : str or None
        Name of a province and code of its country.

    Returns
    -------
    shapely.Geometry or None
        None where no province bears the name.
    """
    codes = _codes_of(admin1, country) if admin1 else frozenset()
    if not codes:
        return None
    outline = shapely.union_all([province_outline(code) for code in sorted(codes)])
    shapely.prepare(outline)
    return outline


def shipped_file(name: str) -> Any:  # noqa: ANN401 a path in a package, which pandas opens
    """Return a shipped file."""
    return resources.files("geo") / "data" / name
