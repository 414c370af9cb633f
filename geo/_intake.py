"""A table as people keep it to one that the schema can check, with a record of every step."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import _locating, _points, _recognition, _repairs, _reports
from geo._columns import COORDINATES, DEFAULT_RADIUS_M, PLACE_COLUMNS
from geo._drafts import draft_of
from geo.errors import GeoWarning, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo._cells import Fault
    from geo._drafts import Draft

__all__ = ["Intake", "take_in"]


@dataclass
class Intake:
    """
    A table whose places are in columns that the schema reads.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    columns : dict of str to str
        Schema names of columns that are not recognised by their own.
    faults : list of Fault
        What is wrong with the places.
    steps : list of dict
        Rows of the report.
    """

    frame: pd.DataFrame
    columns: dict[str, str]
    faults: list[Fault]
    steps: list[dict[str, Any]]


def take_in(
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, str],
    rows: Sequence[int],
    location_level: str | None,
    repair: bool,
) -> Intake:
    """
    Find the place of every row by what the table has: numbers, text, or else names.

    Parameters
    ----------
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        The table, with a RangeIndex.
    columns : mapping of str to str
        Schema names by the table's own names.
    rows : sequence of int
        The number of each row in its file.
    location_level, repair : str or None, bool
        As for `geo.read_sites`.

    Returns
    -------
    Intake
        The table with numbers for coordinates, and what was done.

    Raises
    ------
    SchemaError
        If two columns mean the same, if there is nothing that says where a row is, or if
        `location_level` is no level with a radius.
    """
    _check_level(location_level)
    labels = _recognition.recognise(frame.columns, columns)
    _recognition.require_distinct(frame.columns)
    steps = _reports.column_steps(frame, labels, columns)
    draft = draft_of(frame, labels)
    drawn = isinstance(frame, gpd.GeoDataFrame)
    axes = [name for name in ("latitude", "longitude") if name in labels]
    if not drawn and len(axes) == 1:
        raise SchemaError(_recognition.no_coordinates(frame.columns, axes))
    names = not (drawn or axes or "coordinates" in labels)
    if drawn:
        draft.points = _points.points_of(frame, rows)
    if len(axes) == len(COORDINATES):
        _locating.read_numbers(draft, (str(labels["latitude"]), str(labels["longitude"])))
    if "coordinates" in labels:
        _locating.read_coordinates(draft, str(labels["coordinates"]))
    if names:
        _require_names(frame, labels)
        _locating.read_names(draft)
        _warn_of_names(draft)
    shown = _shown(labels, drawn=drawn)
    _repairs.repair_points(draft, shown, repair=repair)
    told = _told(draft, location_level)
    for row in told:
        draft.write("location_level", row, location_level)
    steps += _reports.place_steps(draft, rows, shown, told)
    _widen(draft)
    frame, columns = _written(frame, labels, draft, columns)
    return Intake(frame, dict(columns), draft.faults, steps)


def _check_level(level: str | None) -> None:
    """Raise SchemaError if what is to hold for a whole file implies no radius."""
    if level is not None and level not in DEFAULT_RADIUS_M:
        message = (
            f"location_level={level!r} implies no radius: give one of "
            f"{', '.join(DEFAULT_RADIUS_M)}, or a column with the radius of each row."
        )
        raise SchemaError(message)


def _require_names(frame: pd.DataFrame, labels: Mapping[str, object]) -> None:
    """Raise SchemaError if no place is named, or a column may hold coordinates all the same."""
    names = [name for name in PLACE_COLUMNS if name in labels and name != "country"]
    unknown = [label for label in frame.columns if label not in set(labels.values())]
    if not names or _recognition.like_coordinates(unknown):
        raise SchemaError(_recognition.no_coordinates(frame.columns, []))


def _warn_of_names(draft: Draft) -> None:
    """Say that the points are places of a gazetteer and nobody's coordinates."""
    if draft.places:
        message = (
            f"No column holds coordinates: {len(draft.places)} of {len(draft.points)} rows are "
            "located by the names of their places, each with the radius of that place. "
            "geo.read_report(sites) says how. Name a column that holds them with columns=."
        )
        warnings.warn(message, GeoWarning, stacklevel=4)


def _shown(labels: Mapping[str, object], *, drawn: bool) -> str:
    """Columns that say where rows are."""
    for names in (("latitude", "longitude"), ("coordinates",)):
        if not drawn and all(name in labels for name in names):
            return ", ".join(str(labels[name]) for name in names)
    named = [str(labels[name]) for name in PLACE_COLUMNS if name in labels]
    return "geometry" if drawn else ", ".join(named)


def _told(draft: Draft, level: str | None) -> list[int]:
    """Rows that need what holds for the whole file: they have neither radius nor level."""
    if level is None:
        return []
    blank = [
        row
        for row in np.flatnonzero(draft.located).tolist()
        if draft.cells["uncertainty_m"][row] is None and draft.cells["location_level"][row] is None
    ]
    return [row for row in blank if row not in draft.places]


def _widen(draft: Draft) -> None:
    """Widen radii that are smaller than what the notation leaves open, and say so."""
    for row in np.flatnonzero(draft.precision_m * draft.located).tolist():
        given, least = draft.radius_m(row), math.ceil(draft.precision_m[row])
        if given < least and draft.replace("uncertainty_m", row, float(least)):
            how = draft.notations[row]
            draft.notes[row].append(f"radius widened from {given:g} m: {how} tell no more")


# ---------------------------------------------------------------------------------- written back


def _written(
    frame: pd.DataFrame, labels: Mapping[str, object], draft: Draft, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Table with what was found in its cells, and the mapping of the columns that it still has."""
    found = np.flatnonzero(draft.located).tolist()
    moved = [row for row in found if row in draft.notations or row in draft.repairs]
    moved += list(draft.places)
    if isinstance(frame, gpd.GeoDataFrame):
        if moved or draft.faults:
            frame = _redrawn(frame, draft)
        # The columns of coordinates would contradict the point that was found.
        points = {axis: dict.fromkeys(moved) for axis in (0, 1)}
    else:
        points = {axis: dict(zip(moved, draft.points[moved, axis], strict=True)) for axis in (0, 1)}
        if "latitude" not in labels:
            # A file whose rows all stay without a point has its columns for points all the same.
            frame = frame.assign(latitude=None, longitude=None)
    draft.written["latitude"] |= points[0]
    draft.written["longitude"] |= points[1]
    for row, notes in draft.notes.items():
        draft.write("location_note", row, _note(draft.cells["location_note"][row], notes))
    for name, cells in draft.written.items():
        label = labels.get(name, name)
        drawn = isinstance(frame, gpd.GeoDataFrame) and name in COORDINATES
        if cells and (label in frame or not drawn):
            frame = _with_cells(frame, label, cells)
    return _without_used_text(frame, labels, draft, columns)


def _redrawn(frame: gpd.GeoDataFrame, draft: Draft) -> gpd.GeoDataFrame:
    """Frame in EPSG:4326 with the points of the draft."""
    points = np.full(len(frame), None, dtype=object)
    there = ~np.isnan(draft.points).all(axis=1)
    points[there] = shapely.points(draft.points[there, ::-1])
    rest = pd.DataFrame(frame.drop(columns=frame.active_geometry_name))
    return gpd.GeoDataFrame(rest, geometry=gpd.GeoSeries(points, frame.index, crs="EPSG:4326"))


def _with_cells(frame: pd.DataFrame, label: object, cells: Mapping[int, Any]) -> pd.DataFrame:
    """Frame with cells of one column written, which is made if there is none."""
    values = np.full(len(frame), None, dtype=object)
    if label in frame:
        values[:] = frame[label].astype(object).to_numpy()
    values[list(cells)] = list(cells.values())
    return frame.assign(**{str(label): pd.Series(values, frame.index, dtype=object)})


def _note(given: str | None, notes: Sequence[str]) -> str:
    """Join notes on a row to those that it had; the same is said once."""
    fresh = (note for note in dict.fromkeys(notes) if note not in (given or ""))
    return "; ".join(part for part in (given, *fresh) if part)


def _without_used_text(
    frame: pd.DataFrame, labels: Mapping[str, object], draft: Draft, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, Mapping[str, str]]:
    """Leave out the column of text if ``verbatim_location`` has all of it."""
    label = labels.get("coordinates")
    texts, kept = draft.cells["coordinates"], draft.cells["verbatim_location"]
    if label is None or any(text and text != kept[row] for row, text in enumerate(texts)):
        return frame, columns
    return frame.drop(columns=label), {k: v for k, v in columns.items() if k != label}
