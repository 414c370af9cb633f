"""Names of places to candidates with a radius: every homonym, never the first one silently."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from rapidfuzz import fuzz, process

from geo._names import SAME_NAME, name_score
from geo._places import Place, Spelling, gather_places, gather_spellings
from geo._provinces import FIVE, province_codes
from geo._units import compact, split_unit
from geo.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["candidates", "find_places", "frame_of"]

_COLUMNS = [name for name in Place._fields if name not in {"longitude", "latitude", "population"}]
_NUMBERS = frozenset({"radius_m", "score"})
_TEXT, _NUMBER = pd.StringDtype(na_value=np.nan), np.dtype("float64")
_WGS84 = CRS.from_epsg(4326)
_RANK = {"town": 0, "province": 1, "district": 2, "commune": 3, "village": 4, "country": 5}
_NEARLY = 0.99  # what a spelling that is not written the same can score at most
_LIKE = 74  # least Indel ratio of folded names that may still be one name (thmorda, thmada: 77)
_LIKELY = 16  # names that are compared by their sounds, the most alike in letters
_TOWNSHIP_M = 40_000.0  # a township of Myanmar has 2,050 km2 on average, some are 100 km long


def find_places(
    name: str,
    *,
    country: str | None = None,
    admin1: str | None = None,
    date: str | None = None,
) -> gpd.GeoDataFrame:
    """
    Find every place that bears a name, each with a radius that covers it.

    Parameters
    ----------
    name : str
        A name in Latin or Khmer letters, or as GeoNames has it in others. A word for the kind
        of place (krong, khan, sangkat, khum, phum, district, village; ក្រុង, ភូមិ)
        keeps only places of that kind.
    country : str, optional
        ISO 3166-1 alpha-2 code; no candidate lies elsewhere.
    admin1 : str, optional
        Name or code of a province; no candidate lies elsewhere.
    date : str, optional
        When the name was used, ISO 8601, possibly partial (``2018``, ``2018-05``). Without it
        a name that moved stands for every place that ever bore it.

    Returns
    -------
    geopandas.GeoDataFrame
        One row per candidate in EPSG:4326, best first, ties in a fixed order: ``code`` (P-code,
        ISO 3166-2 or GeoNames id), ``name``, ``name_km``, ``kind`` (``town``, ``village``,
        ``commune``, ``district``, ``province``, ``country``), ``country``, ``admin1``,
        ``admin1_code``, ``admin2``, ``admin2_code``, ``admin3``, ``admin3_code``, ``radius_m``
        (from the point, metres), ``score`` (1 for the name as it is written, less for another
        spelling of it), ``source`` and ``geometry`` (points). No rows if nothing is found.

    Raises
    ------
    NotFoundError
        If there is no such country, or no such province in a country of the gazetteer.
    ValueError
        If `date` is no year, month or day.

    Notes
    -----
    The places are those of GeoNames in KH, LA, MM, TH and VN, the provinces of these five, and
    Cambodia's districts, communes and villages. A radius covers the polygon where there is one.
    A commune without a polygon has its district's circle, a village its commune's. A town has
    5 km, and ``5 km * sqrt(population / 50,000)`` above 50,000 people but at most 30 km; a
    place of fewer than 5,000 people 3 km; a township outside Cambodia 40 km around its town. Names
    such as KK Park stand for the town or district that holds them; ``source`` says so.

    Examples
    --------
    >>> import geo
    >>> geo.find_places("Thmor Da", country="KH", admin1="Pursat")[["name", "kind", "admin2"]]
          name     kind        admin2
    0  Thma Da  commune  Veal Veaeng
    >>> geo.find_places("Chrey Thum", country="KH").head(3)[["kind", "admin1", "score"]]
          kind      admin1  score
    0  commune  Svay Rieng    1.0
    1  village      Kandal    1.0
    2  village  Svay Rieng    1.0
    """
    return frame_of(candidates(name, country=country, admin1=admin1, date=date))


def frame_of(places: Iterable[Place]) -> gpd.GeoDataFrame:
    """
    Write places as a frame.

    Parameters
    ----------
    places : iterable of Place
        In the order of the rows.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns of `find_places`.
    """
    rows = list(places)
    columns = dict(zip(Place._fields, zip(*rows, strict=True), strict=True)) if rows else {}
    series = {
        name: pd.array(columns.get(name, ()), dtype=_NUMBER if name in _NUMBERS else _TEXT)
        for name in _COLUMNS
    }
    points = shapely.points(columns.get("longitude", ()), columns.get("latitude", ()))
    series["geometry"] = gpd.array.from_shapely(points, crs=_WGS84)
    return gpd.GeoDataFrame(series, geometry="geometry")


def candidates(
    name: str,
    *,
    country: str | None = None,
    admin1: str | None = None,
    date: str | None = None,
) -> tuple[Place, ...]:
    """
    Do the work of `find_places`.

    Parameters
    ----------
    name, country, admin1, date : str
        As for `find_places`.

    Returns
    -------
    tuple of Place
        Best first.

    Raises
    ------
    NotFoundError
        As for `find_places`.
    ValueError
        As for `find_places`.
    """
    if country is not None and not re.fullmatch("[A-Z]{2}", country):
        message = f"There is no country {country!r}: give an ISO 3166-1 alpha-2 code such as KH."
        raise NotFoundError(message)
    when = _interval(date)
    if country is not None and country not in FIVE:
        return ()
    codes = province_codes(admin1, country) if admin1 is not None else None
    return _candidates(name, country, codes, when)


@cache
def _exact() -> dict[str, list[int]]:
    """Positions of spellings by the way they are written."""
    exact: dict[str, list[int]] = defaultdict(list)
    for i, spelling in enumerate(gather_spellings()[0]):
        exact[compact(spelling.text)].append(i)
    exact.pop("", None)
    return dict(exact)


def _is_heard(key: str) -> bool:
    """Whether a name is in letters whose sounds are compared: Latin or Khmer."""
    return key.isascii() or "\u1780" <= key[0] <= "\u17ff"


@lru_cache(maxsize=64)
def _comparable(codes: frozenset[str] | None) -> list[str]:
    """Written names, of some provinces, that are compared by sound."""
    spellings, _ = gather_spellings()
    places = gather_places()
    kept = []
    for key, positions in _exact().items():
        # Abroad only a place's own name is compared: GeoNames' other names for it, of every
        # language, must be written the same.
        if not _is_heard(key):
            continue
        for i in positions:
            place = places[spellings[i].place]
            if codes is not None and place.admin1_code not in codes:
                continue
            if place.country == "KH" or spellings[i].note or spellings[i].text == place.name:
                kept.append(key)
                break
    return sorted(kept)


@lru_cache(maxsize=1 << 15)
def _candidates(
    name: str, country: str | None, codes: frozenset[str] | None, when: tuple[str, str] | None
) -> tuple[Place, ...]:
    """Candidates of a name within a country, provinces and time."""
    core, kinds = split_unit(name)
    spellings, names = gather_spellings()
    places = gather_places()
    best: dict[int, Place] = {}
    scored = [(i, score, kinds) for i, score in _scores(core, names.get(compact(core)), codes)]
    # A unit's word can be part of the name: Phnum Srok is a district.
    scored += [(i, 1.0, None) for i in _exact().get(compact(name), ()) if kinds is not None]
    for i, score, allowed in scored:
        spelling, place = spellings[i], places[spellings[i].place]
        if (when and not _overlaps(spelling, when)) or country not in (None, place.country):
            continue
        if codes is not None and place.admin1_code not in codes:
            continue
        if kinds is not None and allowed is None and spelling.text != place.name:
            continue
        found = _as_kind(_as_spelt(place, spelling, score), allowed)
        kept = best.get(spelling.place)
        if found and (not kept or (found.score, found.radius_m) > (kept.score, kept.radius_m)):
            best[spelling.place] = found
    return tuple(sorted(best.values(), key=_order))


def _order(place: Place) -> tuple[float, int, str, str]:
    """Best score first, then the larger kind of place, then by code."""
    return -place.score, _RANK[place.kind], place.country or "", place.code


def _scores(core: str, other: str | None, codes: frozenset[str] | None) -> list[tuple[int, float]]:
    """Spellings that write a name, or the name it stands for, and how surely."""
    exact, written = _exact(), _comparable(codes)
    spellings, _ = gather_spellings()
    found: dict[int, float] = {}
    for text in filter(None, (core, other)):
        key = compact(text)
        if not key:
            continue
        likely = []
        if _is_heard(key):
            likely = process.extract(
                key, written, scorer=fuzz.ratio, score_cutoff=_LIKE, limit=_LIKELY
            )
        for like, _, _ in likely:
            heard: dict[str, float] = {}
            for i in exact[like]:
                spelling = spellings[i].text
                if spelling not in heard:
                    heard[spelling] = min(name_score(text, spelling), _NEARLY)
                if heard[spelling] >= SAME_NAME:
                    found[i] = max(heard[spelling], found.get(i, 0.0))
        found.update(dict.fromkeys(exact.get(key, ()), 1.0))
    return list(found.items())


def _as_spelt(place: Place, spelling: Spelling, score: float) -> Place:
    """Give a place the score, and what the alias table says of the spelling."""
    radius, note, text = spelling.radius_m, spelling.note, spelling.text
    source = f"{place.source}, alias {text!r}: {note}" if note else place.source
    return place._replace(score=score, source=source, radius_m=radius or place.radius_m)


def _as_kind(place: Place, kinds: frozenset[str] | None) -> Place | None:
    """Return a place if it is of a kind asked for; a foreign town can stand for its township."""
    if kinds is None or place.kind in kinds:
        return place
    if "district" in kinds and place.country != "KH" and place.kind in {"town", "village"}:
        return place._replace(
            kind="district",
            radius_m=max(_TOWNSHIP_M, place.radius_m),
            source=f"{place.source}, for the district around it",
        )
    return None


def _interval(date: str | None) -> tuple[str, str] | None:
    """First and last day of a partial date."""
    if date is None:
        return None
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", date):
        message = f"{date!r} is no date: give a year, a month or a day such as 2018-05."
        raise ValueError(message)
    return date + "-01-01"[len(date) - 4 :], date + "-12-31"[len(date) - 4 :]


def _overlaps(spelling: Spelling, when: tuple[str, str]) -> bool:
    """Whether a spelling was in use at some time of an interval."""
    first, last = when
    ends = _interval(spelling.valid_to or None)
    starts = _interval(spelling.valid_from or None)
    return (ends is None or ends[1] >= first) and (starts is None or starts[0] <= last)
