"""Several reports of one site made into one row, column by column."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._evidence import days, texts
from geo._names import fold, same_name
from geo.geodesy import geodesic_length
from geo.schema import SITE_SCHEMA, VOCABULARIES, validate_sites

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["merge_groups"]

_PLACE = ("geometry", "uncertainty_m", "location_level", "location_method", "verbatim_location")
_AREAS = ("country", "admin1", "admin2", "admin3", "locality")
_CODES = ("admin1_code", "admin2_code", "admin3_code")
_CONTRADICTED = ("country", "admin1", "admin2")
_LATEST_SOURCE = ("source_url", "source_date")
_FIRST_ROW = ("source_file", "source_row")
_LISTS = tuple(column.name for column in SITE_SCHEMA if column.kind == "words")
_LATEST = ("operating", "state_response")
_COUNTED = {f"n_{word}": word for word in VOCABULARIES["status"]}
_MADE = ("report_ids", "aliases", "source_urls", "report_rows", "conflicts", *_COUNTED, "n_reports")
_SCHEMA = frozenset(column.name for column in SITE_SCHEMA)


class _Reports(NamedTuple):
    """Reports with what is read of them more than once; spans are first and last days of dates."""

    frame: gpd.GeoDataFrame
    cells: dict[str, list[str]]
    radius: Floats
    dates: dict[str, list[str]]
    spans: dict[str, tuple[Floats, Floats]]
    counts: dict[str, list[int]]


def merge_groups(reports: gpd.GeoDataFrame, groups: Sequence[Sequence[int]]) -> gpd.GeoDataFrame:
    """
    Make one row of each group of reports.

    Parameters
    ----------
    reports : geopandas.GeoDataFrame
        Sites.
    groups : sequence of sequence of int
        Positions of the reports of each site, in order of their ids.

    Returns
    -------
    geopandas.GeoDataFrame
        As `geo.merge_duplicates` says, one row for each group.
    """
    read = _read(reports)
    picks: dict[str, list[int]] = defaultdict(list)
    made: dict[str, list[Any]] = defaultdict(list)
    for group in groups:
        conflicts: set[str] = set()
        for name, position in _picked(read, group, conflicts).items():
            picks[name].append(position)
        for name, value in _made(read, group, conflicts).items():
            made[name].append(value)
        made["conflicts"].append(_joined([*_cells(read, "conflicts", group), *sorted(conflicts)]))
    frame = pd.DataFrame(
        {
            **{name: _take(reports[name], rows) for name, rows in picks.items() if name in reports},
            **{name: pd.array(values, dtype=_dtype(name)) for name, values in made.items()},
        }
    )
    columns = [*(name for name in reports if name in frame and name not in _MADE), *_MADE]
    sites = gpd.GeoDataFrame(frame[columns], geometry="geometry", crs=reports.crs)
    merged = validate_sites(sites.set_axis(reports.index[[group[0] for group in groups]]))
    merged.attrs = dict(reports.attrs)
    return merged


def _read(reports: gpd.GeoDataFrame) -> _Reports:
    """Read the reports once for all groups."""
    names = {*reports.columns, *_SCHEMA, *_MADE} - {"geometry"}
    cells = {name: texts(reports, name) for name in names}
    first, last, said = (cells[n] for n in ("first_reported", "last_reported", "source_date"))
    dates = {
        # A report with one date was first and last made then.
        "first": [a or b for a, b in zip(first, last, strict=True)],
        "last": [b or a for a, b in zip(first, last, strict=True)],
        "known": [b or c or a for a, b, c in zip(first, last, said, strict=True)],
        "said": said,
    }
    spans = {
        name: (_filled(days(given, end=False)), _filled(days(given, end=True)))
        for name, given in dates.items()
    }
    located = reports.geometry.notna().to_numpy()
    radius = np.where(located, reports["uncertainty_m"].to_numpy(dtype=np.float64), np.inf)
    counts = {column: _counted(reports, column) for column in _COUNTED}
    return _Reports(reports, cells, radius, dates, spans, counts)


def _filled(counted: Floats) -> Floats:
    """Days, with unknown ones before all others."""
    return np.where(np.isnan(counted), -np.inf, counted)


def _counted(reports: gpd.GeoDataFrame, column: str) -> list[int]:
    """How many reports each row stands for make a claim; merged sites have the number."""
    own = (reports["status"] == _COUNTED[column]).astype("Float64")
    given = pd.to_numeric(reports[column], errors="coerce") if column in reports else own
    return [int(number) for number in given.fillna(own)]


def _dtype(name: str) -> Any:  # noqa: ANN401 - pandas takes names and types
    """Type of a column that is made, before the schema is applied."""
    return "int64" if name.startswith("n_") else "string"


def _take(column: pd.Series, rows: Sequence[int]) -> Any:  # noqa: ANN401 - any kind of array
    """Cells at positions, missing at -1."""
    if min(rows) >= 0:
        return column.iloc[list(rows)].array
    return pd.array(column).take(rows, allow_fill=True)


# ---------------------------------------------------------------------------- cells of a report


def _picked(read: _Reports, group: Sequence[int], conflicts: set[str]) -> dict[str, int]:
    """Choose for each column the report whose cell the site has, -1 for none."""
    order = sorted(group, key=lambda row: _imprecision(read, row))
    said = max(group, key=lambda row: (read.spans["said"][1][row], -group.index(row)))
    picked = dict.fromkeys(_PLACE, order[0])
    for name in (*_AREAS, *_CODES):
        if name in read.frame:
            picked[name] = next((row for row in order if read.cells[name][row]), order[0])
    picked |= dict.fromkeys(_LATEST_SOURCE, said) | dict.fromkeys(_FIRST_ROW, group[0])
    for name in read.frame.columns:
        if name not in _SCHEMA and name not in _MADE:
            picked[name] = _agreed(read, name, group, conflicts)
    if len(group) > 1:
        _contradictions(read, order, conflicts)
    return picked


def _imprecision(read: _Reports, row: int) -> tuple[float, bool, str]:
    """Order of reports by how well they are located."""
    measured = read.cells["location_method"][row] == "measured"
    return float(read.radius[row]), not measured, read.cells["site_id"][row]


def _agreed(read: _Reports, name: str, group: Sequence[int], conflicts: set[str]) -> int:
    """Report whose cell is that of all reports which have one; -1 and a conflict if none is."""
    given = {text: row for row in reversed(group) if (text := read.cells[name][row])}
    if len(given) > 1:
        conflicts.add(str(name))
        return -1
    return next(iter(given.values()), group[0])


def _contradictions(read: _Reports, order: Sequence[int], conflicts: set[str]) -> None:
    """Add areas that differ, and the place if another circle does not reach the best one."""
    for name in _CONTRADICTED:
        if name in read.frame:
            given = {fold(text) for row in order if (text := read.cells[name][row])}
            if any(not same_name(*pair) for pair in combinations(sorted(given), 2)):
                conflicts.add(name)
    rows = [row for row in order if np.isfinite(read.radius[row])]
    if len(rows) > 1:
        at = shapely.get_coordinates(read.frame.geometry.array[rows])
        length = geodesic_length(at[0, 0], at[0, 1], at[1:, 0], at[1:, 1])
        if (length > read.radius[rows[0]] + read.radius[rows[1:]]).any():
            conflicts.add("geometry")


# ---------------------------------------------------------------------------- cells that are made


def _made(read: _Reports, group: Sequence[int], conflicts: set[str]) -> dict[str, Any]:
    """Write the cells that belong to no single report."""
    name, aliases = _names(read, group)
    counts = {column: sum(read.counts[column][row] for row in group) for column in _COUNTED}
    made: dict[str, Any] = {
        "site_id": read.cells["site_id"][group[0]],
        "first_reported": _first_reported(read, group),
        "last_reported": _last_reported(read, group),
        "name": name,
        "aliases": aliases,
        "status": _status(counts, conflicts),
        "sensitivity": _sensitivity(_cells(read, "sensitivity", group)),
        "source": _joined(_cells(read, "source", group)),
        "report_ids": _joined(_or_else(read, "report_ids", "site_id", group)),
        "source_urls": _joined(_or_else(read, "source_urls", "source_url", group)),
        "report_rows": _joined(_rows(read, row) for row in group),
        **counts,
        "n_reports": sum(counts.values()),
    }
    made |= {column: _as_last_reported(read, column, group, conflicts) for column in _LATEST}
    made |= {column: _joined(_cells(read, column, group)) for column in _LISTS}
    return {column: made[column] for column in made if column in read.frame or column in _MADE}


def _cells(read: _Reports, name: str, group: Sequence[int]) -> list[str]:
    """Cells of a column."""
    return [read.cells[name][row] for row in group]


def _or_else(read: _Reports, name: str, other: str, group: Sequence[int]) -> list[str]:
    """Cells of a column that merged sites have, or of the one that reports have."""
    return [read.cells[name][row] or read.cells[other][row] for row in group]


def _joined(parts: Iterable[str]) -> str | None:
    """All values of lists, each once, joined by vertical bars."""
    values = dict.fromkeys(value.strip() for part in parts for value in part.split("|"))
    return "|".join(value for value in values if value) or None


def _rows(read: _Reports, row: int) -> str:
    """File and row of a report, or of all that a merged site has."""
    file, number = read.cells["source_file"][row], read.cells["source_row"][row]
    return read.cells["report_rows"][row] or (f"{file}:{number}" if file and number else "")


def _first_reported(read: _Reports, group: Sequence[int]) -> str | None:
    """Earliest date, missing if no report says when it was first."""
    if not any(_cells(read, "first_reported", group)):
        return None
    begin, end = read.spans["first"]
    dated = [row for row in group if read.dates["first"][row]]
    return read.dates["first"][min(dated, key=lambda row: (begin[row], end[row]))]


def _last_reported(read: _Reports, group: Sequence[int]) -> str | None:
    """Latest date, missing if no report says when it was last."""
    if not any(_cells(read, "last_reported", group)):
        return None
    begin, end = read.spans["last"]
    return read.dates["last"][max(group, key=lambda row: (end[row], begin[row]))]


def _names(read: _Reports, group: Sequence[int]) -> tuple[str | None, str | None]:
    """Name that most reports use, the first of them in order of id, and all the others."""
    given = _cells(read, "name", group)
    counts = Counter(fold(name) for name in given if name)
    if not counts:
        return None, _joined(_cells(read, "aliases", group))
    most = next(name for name in given if name and counts[fold(name)] == max(counts.values()))
    others: dict[str, str] = {}
    for part in [*given, *_cells(read, "aliases", group)]:
        for name in part.split("|"):
            others.setdefault(fold(name) or name, name)
    return most, _joined(name for key, name in others.items() if key != fold(most))


def _status(counts: dict[str, int], conflicts: set[str]) -> str:
    """Strongest claim, or `unknown` where some reports reject what others claim."""
    claimed = next((word for word in ("confirmed", "suspected") if counts[f"n_{word}"]), None)
    if not counts["n_rejected"]:
        return claimed or "unknown"
    if claimed is None:
        return "rejected"
    conflicts.add("status")
    return "unknown"


def _sensitivity(given: Sequence[str]) -> str | None:
    """Most protective word; not public as long as a report does not say so."""
    for word in ("protected", "restricted", ""):
        if word in given:
            return word or None
    return "public"


def _as_last_reported(
    read: _Reports, column: str, group: Sequence[int], conflicts: set[str]
) -> str:
    """Word of the latest report that knows one; `unknown` if others may be as late and differ."""
    words = read.cells[column]
    known = [row for row in group if words[row] not in ("", "unknown")]
    if not known:
        return "unknown"
    begin, end = read.spans["known"]
    latest = max(known, key=lambda row: (end[row], begin[row]))
    if any(words[row] != words[latest] and end[row] >= begin[latest] for row in known):
        conflicts.add(column)
        return "unknown"
    return words[latest]
