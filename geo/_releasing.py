"""What a row that is released keeps: coded words, dates to the month, no text of a source.

Moving a point protects nothing while another column names the place, so the unit of protection
is the row. Whatever is not known to be harmless stays behind: there is no list of what to drop.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._inputs import coordinates, radii
from geo.errors import SchemaError
from geo.schema import SITE_SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._columns import Column

    Floats = NDArray[np.float64]
    Texts = NDArray[np.object_]

__all__ = [
    "NOT_LOCATED",
    "RELEASED_COLUMNS",
    "WITHHELD",
    "Places",
    "Unit",
    "identifiers",
    "places_of",
    "refuse",
    "released_frame",
]

_CODED = (
    *("status", "operating", "state_response", "country"),
    *("first_reported", "last_reported"),
    *("evidence", "abuses", "security_features", "host_type"),
)
_UNIT = ("admin1", "admin1_code", "admin2", "admin2_code", "admin3", "admin3_code")
RELEASED_COLUMNS: tuple[str, ...] = (
    *("site_id", *_CODED, *_UNIT),
    *("uncertainty_m", "location_level", "location_method", "release_scheme"),
    *("data_generalizations", "information_withheld", "geometry"),
)
"""The columns that `generalise`, `donut_mask` and `laplace_mask` may give, and no others."""

_MONTH = r"^(\d{4}(?:-\d{2})?)"
_FINE = re.compile(r"\d[.,]\d{3,}")  # more than two decimals: finer than a kilometre
_DIGITS = 3  # decimals of a coordinate that an identifier may not spell
_UNLOCATED = "Names, sources, free text, days of dates, file and row."


class Places(NamedTuple):
    """Sites ordered by ``site_id``: the frame, its ids, degrees and radii (NaN where missing)."""

    frame: gpd.GeoDataFrame
    ids: list[str]
    lon: Floats
    lat: Floats
    radius_m: Floats

    @property
    def located(self) -> NDArray[np.bool_]:
        """Where there is a point."""
        return np.isfinite(self.lon)

    @property
    def country(self) -> Texts:
        """Country that each row states, empty where it states none."""
        if "country" not in self.frame:
            return np.full(len(self.ids), "", dtype=object)
        given = self.frame["country"].astype("string").str.strip().str.upper()
        return np.asarray(given.fillna(""), dtype=object)


class Unit(NamedTuple):
    """What a released row says of its place, none of it taken from the row itself."""

    geometry: BaseGeometry | None
    uncertainty_m: float
    level: str | None
    scheme: str
    note: str
    names: dict[str, str]


NOT_LOCATED = Unit(None, np.nan, "none", "none", "No location known.", {})
WITHHELD = Unit(None, np.nan, "none", "withheld", "Location withheld.", {})


def places_of(sites: gpd.GeoDataFrame) -> Places:
    """
    Check sites that are to be released, and order them by what may be known.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points or missing geometries, with ``site_id`` and, where there is a point,
        ``uncertainty_m``.

    Returns
    -------
    Places
        The same rows by ``site_id``: their order in the file says how they were found.

    Raises
    ------
    SchemaError
        If ids are missing, repeated or spell a coordinate, or a point has no finite radius.
    """
    lon, lat = coordinates(sites, "sites")
    ids = identifiers(sites)
    radius = radii(sites)
    refuse(
        sites,
        np.isfinite(lon) & ~np.isfinite(radius),
        "uncertainty_m",
        "have a point without a radius. uncertainty_m says how far off the true place may be, "
        "and a release must hold it: validate_sites() fills it from location_level.",
    )
    spelt = [
        bool(_FINE.search(name)) or (np.isfinite(x) and _spells(name, float(x), float(y)))
        for name, x, y in zip(ids, lon, lat, strict=True)
    ]
    refuse(
        sites,
        np.array(spelt, dtype=bool),
        "site_id",
        "have a site_id that spells a coordinate. It is published: make it opaque, such as a "
        "running number.",
        show=False,
    )
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.intp)
    frame = sites.iloc[order].reset_index(drop=True)
    return Places(frame, [ids[i] for i in order], lon[order], lat[order], radius[order])


def identifiers(frame: pd.DataFrame) -> list[str]:
    """
    Give the ids of rows as text in one normal form.

    Parameters
    ----------
    frame : pandas.DataFrame
        With a column ``site_id``.

    Returns
    -------
    list of str
        Unicode NFC, without blanks around.

    Raises
    ------
    SchemaError
        If the column is missing, or an id is missing or repeated.
    """
    if "site_id" not in frame:
        message = (
            "The sites have no column site_id. A release needs a stable, opaque id for each of "
            "them: validate_sites() gives one."
        )
        raise SchemaError(message)
    given = frame["site_id"].astype(object)
    gone = given.isna().to_numpy()
    ids = [
        "" if no else unicodedata.normalize("NFC", str(value)).strip()
        for value, no in zip(given, gone, strict=True)
    ]
    missing = np.array([not name for name in ids], dtype=bool)
    refuse(frame, missing, "site_id", "have no site_id. Give each a stable, opaque one.")
    twice = pd.Series(ids, dtype=object).duplicated(keep=False).to_numpy()
    refuse(
        frame, twice, "site_id", "share a site_id. Give each row its own, or merge_duplicates()."
    )
    return ids


def released_frame(places: Places, units: Sequence[Unit], withheld: str) -> gpd.GeoDataFrame:
    """
    Put together the rows of a release.

    Parameters
    ----------
    places : Places
        The sites.
    units : sequence of Unit
        What is said of the place of each.
    withheld : str
        What ``information_withheld`` says of located rows.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326 with a new index from 0 and empty ``attrs``.
    """
    columns: dict[str, Any] = {"site_id": pd.array(places.ids, dtype="string")}
    for column in SITE_SCHEMA:
        if column.name in _CODED and column.name in places.frame:
            columns[column.name] = _coded(places.frame[column.name], column)
    for name in _UNIT:
        texts = [unit.names.get(name) for unit in units]
        if any(texts):
            columns[name] = pd.array(texts, dtype="string")
    shown = [unit.geometry is not None for unit in units]
    columns |= {
        "uncertainty_m": np.array([unit.uncertainty_m for unit in units], dtype=np.float64),
        "location_level": _words([unit.level for unit in units], "location_level"),
        "location_method": _words(
            ["assigned" if is_ else None for is_ in shown], "location_method"
        ),
        "release_scheme": pd.array([unit.scheme for unit in units], dtype="string"),
        "data_generalizations": pd.array([unit.note for unit in units], dtype="string"),
        "information_withheld": pd.array(
            [withheld if at else _UNLOCATED for at in places.located], dtype="string"
        ),
    }
    geometry = gpd.GeoSeries([unit.geometry for unit in units], crs="EPSG:4326")
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=geometry)


def _coded(given: pd.Series, column: Column) -> Any:  # noqa: ANN401 - an array of its kind
    """Cells of a coded column, without whatever is outside its code."""
    texts = given.astype("string").reset_index(drop=True)
    match column.kind:
        case "word":
            return _words(texts.tolist(), column.name)
        case "words":
            known = set(column.vocabulary)
            lists = texts.fillna("").str.split("|")
            kept = ["|".join(word for word in cell if word in known) or None for cell in lists]
            return pd.array(kept, dtype="string")
        case "date":
            return texts.str.extract(_MONTH, expand=False).array
        case _:
            return texts.str.extract(r"^([A-Z]{2})$", expand=False).array


def _words(texts: Sequence[Any], name: str) -> pd.Categorical:
    """Category of the schema; missing where a word is not of its vocabulary."""
    words = next(column.vocabulary for column in SITE_SCHEMA if column.name == name)
    known = set(words)
    kept = [text if isinstance(text, str) and text in known else None for text in texts]
    return pd.Categorical(kept, categories=list(words))


def _spells(name: str, lon: float, lat: float) -> bool:
    """Tell whether an identifier holds the digits of both coordinates, with a point or without."""
    digits = re.sub(r"\D", "", name)

    def holds(value: float) -> bool:
        rounded, cut = f"{abs(value):.{_DIGITS}f}", f"{abs(value):.{_DIGITS + 3}f}"[:-3]
        return any(text.replace(".", "") in digits for text in (rounded, cut))

    return len(digits) > 2 * _DIGITS and holds(lat) and holds(lon)


def refuse(
    frame: pd.DataFrame, wrong: NDArray[np.bool_], column: str, are: str, *, show: bool = True
) -> None:
    """
    Raise an error with the rows at fault, if there are any.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows.
    wrong : numpy.ndarray of bool
        Which are at fault.
    column : str
        The column at fault.
    are : str
        What is wrong with them, as the end of a sentence, and what to do.
    show : bool
        Whether the cells may be shown.

    Raises
    ------
    SchemaError
        If any row is at fault.
    """
    if not wrong.any():
        return
    problems = pd.DataFrame(
        {
            "row": np.flatnonzero(wrong),
            "column": column,
            "value": frame[column][wrong].to_numpy() if show and column in frame else None,
            "problem": are.split(".", maxsplit=1)[0],
        },
        index=frame.index[wrong],
    )
    message = f"{int(wrong.sum())} of {len(frame)} sites {are}"
    raise SchemaError(message, problems)
