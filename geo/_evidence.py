"""What a pair of reports shows for and against being one site, and what each of it weighs."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geo._names import SAME_NAME, fold, name_score, skeleton, telling_skeleton
from geo._search import candidate_pairs
from geo.geodesy import Points, place_points
from geo.reference import load_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Names = list[tuple[str, ...]]

__all__ = [
    "KINDS",
    "NEARLY_SAME_NAME",
    "Pairs",
    "days",
    "describe",
    "pair_scores",
    "show",
    "telling_names",
    "texts",
    "weigh",
]

# Above 0.85, which is the most that two names score of which one has a number.
NEARLY_SAME_NAME = 0.86
_CLOSE_NAME, _OTHER_NAME = 0.75, 0.6
_TIGHT_M, _TOWN_M = 1_000.0, 12_000.0  # sums of two radii: those of compounds, those of towns
_DAYS_APART = 3 * 365
_LONGEST_PLACE = 5  # words
_SHORTEST_SOUND = 3  # consonants that a place must have to be recognised by them
_SHORTEST_TOWN = 4  # letters: codes and initials are among the aliases of towns
_TOWN_REACH_M = 10_000.0
_AREAS = ("admin1", "admin2", "admin3")
_AGAINST = {("rejected", "confirmed"), ("rejected", "suspected"), ("closed", "operating")}
# What a researcher writes around a name.
_DESCRIPTIONS = frozenset(
    {"a", "and", "area", "at", "building", "buildings", "complex", "compound", "compounds", "in"}
    | {"near", "of", "on", "reported", "scam", "site", "suspected", "the", "unknown", "unnamed"}
)


class _Item(NamedTuple):
    """One thing that a pair can show: its weight, and what is written for it."""

    weight: float
    text: str


# Weights add up like the log odds of Fellegi and Sunter. The table in `geo.find_duplicates` gives
# the reason for each; a test holds the two against each other.
_NAME = (
    _Item(0, "no telling name on both sides"),
    _Item(6, "same name"),
    _Item(4, "nearly the same name"),
    _Item(2, "similar names"),
    _Item(0, "names share some words"),
    _Item(-5, "different names"),
)
_PLACE = (
    _Item(0, "within both radii, too wide to tell"),
    _Item(3, "within both radii, 1 km together"),
    _Item(1, "within both radii, 12 km together"),
    _Item(-2, "farther apart than both radii"),
    _Item(0, "without location"),
)
_SILENT = _Item(0, "")
_LOCALITY = (_SILENT, _Item(1, "same locality"), _Item(-1, "different localities"))
_AREA = (_SILENT, _Item(-4, "different admin1"), _Item(-1, "different admin2"))
_HOST = (_SILENT, _Item(1, "same host type"), _Item(-1, "different host types"))
_TIME = (_SILENT, _Item(-1, "reported years apart"))
_CLAIM = (_SILENT, _Item(-0.5, "status or activity contradict"))
KINDS = (_NAME, _PLACE, _LOCALITY, _AREA, _HOST, _TIME, _CLAIM)


class Pairs(NamedTuple):
    """Pairs of reports by position, with the length between them and the score of their names."""

    left: Ints
    right: Ints
    distance: Floats
    scores: Floats


def telling_names(reports: gpd.GeoDataFrame) -> Names:
    """
    Take from each report the names that can set its site apart from the others nearby.

    Parameters
    ----------
    reports : geopandas.GeoDataFrame
        Sites.

    Returns
    -------
    list of tuple of str
        Names and aliases without the words for places and descriptions, those that then have
        more than numbers and words that many names share.
    """
    places = _places_of(reports, (*_AREAS, "locality"))
    names = zip(texts(reports, "name"), texts(reports, "aliases"), strict=True)
    return [
        _telling("|".join(pair).split("|"), place)
        for pair, place in zip(names, places, strict=True)
    ]


def pair_scores(names: Names, left: Ints, right: Ints) -> Floats:
    """
    Score the best pair among the names of two reports, for many pairs of reports.

    Parameters
    ----------
    names : list of tuple of str
        Names of each report.
    left, right : numpy.ndarray of int, shape (m,)
        Positions of the reports.

    Returns
    -------
    numpy.ndarray of float, shape (m,)
        From 0 to 1, NaN where a report has no name.
    """
    return _compared(names, left, right, _best_score).astype(np.float64)


def _best_score(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Score the best pair of names, NaN where there is none."""
    return max((name_score(a, b) for a in one for b in other), default=np.nan)


def _compared(
    values: Sequence[Any], left: Ints, right: Ints, how: Callable[[Any, Any], float]
) -> NDArray[Any]:
    """Compare the values of the reports of each pair, each two values once, in either order."""
    codes, known = pd.factorize(pd.Series(values, dtype=object))
    a, b = codes[left].astype(np.int64), codes[right].astype(np.int64)
    ends = np.minimum(a, b) * len(known) + np.maximum(a, b)
    distinct, position = np.unique(ends, return_inverse=True)
    some = list(known)
    answers = [how(some[end // len(some)], some[end % len(some)]) for end in distinct.tolist()]
    return np.array(answers)[position]


def show(reports: gpd.GeoDataFrame, pairs: Pairs) -> tuple[Ints, ...]:
    """
    Find what each pair shows, one column of codes for each kind of evidence.

    Parameters
    ----------
    reports : geopandas.GeoDataFrame
        Sites.
    pairs : Pairs
        Pairs among them.

    Returns
    -------
    tuple of numpy.ndarray of int, shape (m,)
        Positions in the tables of evidence, for `weigh` and `describe`.
    """
    kinds = (
        (_localities(reports), _locality),
        (_areas(reports), _area),
        (texts(reports, "host_type"), _host),
        (list(zip(texts(reports, "status"), texts(reports, "operating"), strict=True)), _claim),
    )
    locality, area, host, claim = (
        _compared(values, pairs.left, pairs.right, how).astype(np.intp) for values, how in kinds
    )
    return (
        _bucket(pairs.scores),
        _place(reports, pairs),
        locality,
        area,
        host,
        _time(reports, pairs.left, pairs.right),
        claim,
    )


def weigh(shown: tuple[Ints, ...]) -> Floats:
    """
    Add up what the pairs show.

    Parameters
    ----------
    shown : tuple of numpy.ndarray of int, shape (m,)
        As by `show`.

    Returns
    -------
    numpy.ndarray of float, shape (m,)
        The weight of each pair.
    """
    columns = [
        np.array([item.weight for item in kind])[codes]
        for kind, codes in zip(KINDS, shown, strict=True)
    ]
    return np.asarray(np.sum(columns, axis=0))


def describe(shown: tuple[Ints, ...]) -> NDArray[np.object_]:
    """
    Write what the pairs show, with the weights.

    Parameters
    ----------
    shown : tuple of numpy.ndarray of int, shape (m,)
        As by `show`.

    Returns
    -------
    numpy.ndarray of str, shape (m,)
        Such as ``same name (+6); within both radii, 12 km together (+1)``.
    """
    shape = tuple(len(kind) for kind in KINDS)
    distinct, position = np.unique(np.ravel_multi_index(shown, shape), return_inverse=True)
    written = [
        "; ".join(
            f"{item.text} ({item.weight:+g})"
            for kind, code in zip(KINDS, codes, strict=True)
            if (item := kind[code]).text
        )
        for codes in zip(*np.unravel_index(distinct, shape), strict=True)
    ]
    return np.array(written, dtype=object)[position]


# ---------------------------------------------------------------------------- names


def texts(reports: gpd.GeoDataFrame, column: str) -> list[str]:
    """Cells of a column as text, empty where missing or where there is no such column."""
    if column not in reports:
        return [""] * len(reports)
    return [
        str(text) for text in reports[column].astype("object").where(reports[column].notna(), "")
    ]


@cache
def _towns() -> tuple[Points, dict[str, frozenset[int]]]:
    """Where the gazetteer's towns are, and which of them a folded name may mean."""
    towns = load_reference("towns")
    named: dict[str, set[int]] = defaultdict(set)
    for town, names in enumerate(zip(towns["name"], towns["aliases"].fillna(""), strict=True)):
        for name in map(fold, "|".join(names).split("|")):
            if len(name) >= _SHORTEST_TOWN:
                named[name].add(town)
    points = place_points(towns["longitude"], towns["latitude"])
    return points, {name: frozenset(some) for name, some in named.items()}


def _towns_nearby(reports: gpd.GeoDataFrame) -> list[set[int]]:
    """Towns in whose reach each report is: far ones may be called like a site by chance."""
    nearby: list[set[int]] = [set() for _ in range(len(reports))]
    located = np.flatnonzero(reports.geometry.notna())
    at = shapely.get_coordinates(reports.geometry.array[located])
    reach = reports["uncertainty_m"].to_numpy(dtype=np.float64)[located] + _TOWN_REACH_M
    for i, j in candidate_pairs(place_points(at[:, 0], at[:, 1]), _towns()[0], reach):
        for row, town in zip(located[i].tolist(), j.tolist(), strict=True):
            nearby[row].add(town)
    return nearby


class _Places(NamedTuple):
    """What names in a report mean its area: folded, by their sounds, and towns nearby."""

    names: frozenset[str]
    sounds: frozenset[str]
    towns: set[int]

    def have(self, run: str) -> bool:
        """Tell whether some words name one of the places."""
        if run in self.names or skeleton(run) in self.sounds:
            return True
        return not self.towns.isdisjoint(_towns()[1].get(run, ()))


def _places_of(reports: gpd.GeoDataFrame, columns: Sequence[str]) -> list[_Places]:
    """Places that each report names itself, and the towns nearby."""
    areas = zip(*(texts(reports, name) for name in columns), strict=True)
    answer = []
    for row, towns in zip(areas, _towns_nearby(reports), strict=True):
        names = frozenset(fold(area) for area in row if area)
        sounds = frozenset(s for s in map(skeleton, names) if len(s) >= _SHORTEST_SOUND)
        answer.append(_Places(names, sounds, towns))
    return answer


def _telling(names: Iterable[str], places: _Places) -> tuple[str, ...]:
    """Names without words for places and descriptions, those that still tell something."""
    rest = {_without_places(name, places) for name in names if name.strip()}
    return tuple(sorted(name for name in rest if telling_skeleton(name)))


def _without_places(name: str, places: _Places) -> str:
    """Drop the longest runs of words that name a place, and descriptions."""
    words, kept = fold(name).split(), []
    while words:
        runs = range(min(_LONGEST_PLACE, len(words)), 0, -1)
        length = next((n for n in runs if places.have(" ".join(words[:n]))), 0)
        if not length and words[0] not in _DESCRIPTIONS:
            kept.append(words[0])
        words = words[max(length, 1) :]
    return " ".join(kept)


# ---------------------------------------------------------------------------- kinds of evidence


def _bucket(scores: Floats) -> Ints:
    """Codes of `_NAME` for scores."""
    least = (SAME_NAME, NEARLY_SAME_NAME, _CLOSE_NAME, _OTHER_NAME)
    return np.select([np.isnan(scores), *(scores >= score for score in least)], range(5), 5)


def _place(reports: gpd.GeoDataFrame, pairs: Pairs) -> Ints:
    """Codes of `_PLACE`."""
    radius = reports["uncertainty_m"].to_numpy(dtype=np.float64)
    both = radius[pairs.left] + radius[pairs.right]
    return np.select(
        [np.isnan(pairs.distance), pairs.distance > both, both <= _TIGHT_M, both <= _TOWN_M],
        [4, 3, 1, 2],
        0,
    )


def _localities(reports: gpd.GeoDataFrame) -> list[str]:
    """Localities without words for towns and areas, which say nothing more than being near."""
    places = _places_of(reports, _AREAS)
    return [
        _without_places(text, place)
        for text, place in zip(texts(reports, "locality"), places, strict=True)
    ]


def _locality(one: str, other: str) -> int:
    """Code of `_LOCALITY`."""
    if not one or not other:
        return 0
    score = name_score(one, other)
    return 1 if score >= SAME_NAME else 2 * (score < _OTHER_NAME)


def _areas(reports: gpd.GeoDataFrame) -> list[tuple[tuple[str, str], ...]]:
    """P-code and name of admin1 and of admin2."""
    columns = [
        zip(texts(reports, f"{name}_code"), texts(reports, name), strict=True)
        for name in ("admin1", "admin2")
    ]
    return list(zip(*columns, strict=True))


def _area(one: tuple[tuple[str, str], ...], other: tuple[tuple[str, str], ...]) -> int:
    """Code of `_AREA`: the widest area that differs, by P-code where both have one."""
    for level, ((code, name), (code2, name2)) in enumerate(zip(one, other, strict=True), start=1):
        if code and code2:
            differ = code != code2
        else:
            differ = bool(name and name2) and name_score(name, name2) < _CLOSE_NAME
        if differ:
            return level
    return 0


def _host(one: str, other: str) -> int:
    """Code of `_HOST`: any value in common, or none."""
    if not one or not other:
        return 0
    shared = set(one.casefold().split("|")) & set(other.casefold().split("|"))
    return 1 if shared else 2


def _claim(one: tuple[str, str], other: tuple[str, str]) -> int:
    """Code of `_CLAIM`: one side rejects or closes what the other states."""
    words = list(zip(one, other, strict=True))
    return int(any({(a, b), (b, a)} & _AGAINST for a, b in words))


def _time(reports: gpd.GeoDataFrame, left: Ints, right: Ints) -> Ints:
    """Codes of `_TIME`: the days between the intervals in which both were reported."""
    first = texts(reports, "first_reported")
    last = texts(reports, "last_reported")
    begin = days([a or b for a, b in zip(first, last, strict=True)], end=False)
    end = days([b or a for a, b in zip(first, last, strict=True)], end=True)
    gap = np.maximum(begin[left] - end[right], begin[right] - end[left])
    return (gap > _DAYS_APART).astype(np.intp)


def days(dates: Sequence[str], *, end: bool) -> Floats:
    """First or last day of partial dates, counted; NaN where missing."""
    return np.array([_day(date, end=end) if date else np.nan for date in dates], dtype=np.float64)


@cache
def _day(date: str, *, end: bool) -> float:
    """First or last day of a year, month or day, counted from 1970."""
    span = np.datetime64(date)  # numpy takes the unit from the text
    first = (span + int(end)).astype("datetime64[D]").astype(np.int64)
    return float(first) - int(end)
