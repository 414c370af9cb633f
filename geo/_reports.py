"""What reading did to a file, step by step, as rows of a table."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from geo._columns import DEFAULT_RADIUS_M

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from geo._drafts import Draft

__all__ = ["column_steps", "place_steps"]

_SHOWN = 8
_NOT_LOCATED, _DOUBTFUL = "not located: ", "doubtful: "


def column_steps(
    frame: pd.DataFrame, labels: Mapping[str, object], columns: Mapping[str, str]
) -> list[dict[str, Any]]:
    """
    Say what each column was taken for.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    labels : mapping of str to object
        Its columns by schema name.
    columns : mapping of str to str
        Schema names that were given.

    Returns
    -------
    list of dict
        One step for every column, in the order of the table.
    """
    names = {label: name for name, label in labels.items()}
    steps = []
    for label in frame.columns:
        if label == "geometry":
            continue
        step = "mapped" if label in columns else "recognised" if label in names else "kept"
        detail = f"as {names[label]}" if label in names else "as it is: not a column of Sites"
        filled = int(frame[label].notna().sum())
        steps.append(_step(step, str(label), filled, "", detail))
    return steps


def place_steps(
    draft: Draft, rows: Sequence[int], label: str, told: Sequence[int]
) -> list[dict[str, Any]]:
    """
    Say how rows were located, repaired and given a radius, or why they were not located.

    Parameters
    ----------
    draft : Draft
        Rows after the last step.
    rows : sequence of int
        The number of each row in its file.
    label : str
        The columns that hold the coordinates, or the names.
    told : sequence of int
        Positions whose ``location_level`` was given for the whole file.

    Returns
    -------
    list of dict
        One step for all rows with which the same was done.
    """
    grouped: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    located = draft.located
    for row in np.flatnonzero(located).tolist():
        place = draft.places.get(row)
        how = f"by name: {place.kind}" if place else draft.notations.get(row, "numbers")
        grouped["located", label, how].append(row)
    for row in np.flatnonzero(~located).tolist():
        reasons = (note for note in draft.notes.get(row, ()) if note.startswith(_NOT_LOCATED))
        reason = next(reasons, "no coordinate is given").removeprefix(_NOT_LOCATED)
        grouped["not located", label, reason].append(row)
    for row, words in sorted(draft.repairs.items()):
        grouped["repaired", label, words.partition(";")[0]].append(row)
    for row, notes in sorted(draft.notes.items()):
        for note in notes:
            if note.startswith(_DOUBTFUL):
                grouped["doubtful", label, note.removeprefix(_DOUBTFUL)].append(row)
    for row in told:
        grouped["assumed", "location_level", f"{draft.level(row)}, for the whole file"].append(row)
    for row in np.flatnonzero(located & np.isnan(draft.given_radius_m)).tolist():
        if row not in draft.places and (level := draft.level(row) or "") in DEFAULT_RADIUS_M:
            detail = f"{DEFAULT_RADIUS_M[level]:,.0f} m, as of a {level}"
            grouped["assumed", "uncertainty_m", detail].append(row)
    return [
        _step(step, column, len(found), _numbers(rows, found), detail)
        for (step, column, detail), found in grouped.items()
    ]


def _step(step: str, column: str, count: int, rows: str, detail: str) -> dict[str, Any]:
    """One row of the report."""
    return {"step": step, "column": column, "n_rows": count, "rows": rows, "detail": detail}


def _numbers(rows: Sequence[int], positions: Iterable[int]) -> str:
    """First numbers of rows, and how many more there are."""
    numbers = [rows[position] for position in positions]
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return ", ".join(map(str, numbers[:_SHOWN])) + more
