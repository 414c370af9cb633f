"""Faults that only a whole row or the whole table can show, and the error that lists all."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo._cells import Fault
from geo.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["id_faults", "order_faults", "radius_faults", "schema_error"]

_MAX_RADIUS_M = 20_000_000.0  # half the way around the Earth
_SHOWN = 5
_SHOWN_CHARACTERS = 60


def id_faults(ids: Sequence[str | None], column: str, rows: Sequence[int]) -> list[Fault]:
    """Ids that are missing or that several rows share."""
    places = defaultdict(list)
    for position, site_id in enumerate(ids):
        places[site_id].append(position)
    faults = []
    for site_id, shared in places.items():
        if site_id is None:
            problem = "every row needs an id: give one, or leave the whole column out"
            faults += [Fault(i, column, "", "missing id", problem) for i in shared]
        elif len(shared) > 1:
            at = ", ".join(str(rows[i]) for i in shared[:_SHOWN])
            more = f" and {len(shared) - _SHOWN} more" if len(shared) > _SHOWN else ""
            problem = f"{len(shared)} rows have this id: {at}{more}"
            faults += [Fault(i, column, site_id, "duplicate id", problem) for i in shared]
    return faults


def radius_faults(
    radii: np.ndarray[Any, Any],
    levels: Sequence[str | None],
    located: np.ndarray[Any, Any],
    column: str,
) -> list[Fault]:
    """Radii that are missing where there is a point, or that no place can have."""
    faults = []
    for i in np.flatnonzero(located & np.isnan(radii)).tolist():
        level = levels[i]
        found = f"location_level {level!r} has no default radius: " if level else ""
        also = "" if level else ", location_level, or location_level= for a whole file"
        problem = (
            f"{found}a point needs the radius in metres that holds the true place; give "
            f"uncertainty_m{also}"
        )
        faults.append(Fault(i, column, "", "missing radius", problem))
    with np.errstate(invalid="ignore"):
        wrong = (radii <= 0) | (radii > _MAX_RADIUS_M)
    problem = "a radius is more than 0 and at most 20,000,000 metres"
    return faults + [
        Fault(i, column, f"{radii[i]:.15g}", "impossible radius", problem)
        for i in np.flatnonzero(wrong).tolist()
    ]


def order_faults(
    first: Sequence[str | None], last: Sequence[str | None], column: str
) -> list[Fault]:
    """Rows first reported after they were last reported, whatever partial dates may mean."""
    faults = []
    for position, (start, end) in enumerate(zip(first, last, strict=True)):
        # The first day of one against the last day of the other: "-99" is after any month or day.
        if start and end and start > end + "-99":
            problem = f"first reported after it was last reported ({end})"
            faults.append(Fault(position, column, start, "dates in the wrong order", problem))
    return faults


def schema_error(faults: Sequence[Fault], rows: Sequence[int]) -> SchemaError:
    """Build the error that counts all faults by kind and lists them by row and column."""
    ordered = sorted(faults, key=lambda fault: (fault.position, fault.column, fault.problem))
    problems = pd.DataFrame(
        [(rows[f.position], f.column, f.value, f.problem) for f in ordered],
        columns=["row", "column", "value", "problem"],
    ).sort_values(["row", "column"], kind="stable", ignore_index=True)
    kinds = Counter(fault.kind for fault in ordered)
    counts = ", ".join(f"{count} x {kind}" for kind, count in sorted(kinds.items()))
    wrong = len({fault.position for fault in ordered})
    lines = [
        f"  row {row}, {column}{f' {_short(value)}' if value else ''}: {problem}"
        for row, column, value, problem in problems.head(_SHOWN).itertuples(index=False)
    ]
    if len(problems) > _SHOWN:
        lines.append(f"  and {len(problems) - _SHOWN} more")
    plural = "s" if len(problems) > 1 else ""
    message = "\n".join(
        [
            f"{len(problems)} problem{plural} in {wrong} of {len(rows)} rows ({counts}):",
            *lines,
            "Correct these cells and read again; the error's .problems lists every one.",
        ]
    )
    return SchemaError(message, problems)


def _short(value: str) -> str:
    """Value in quotes, cut where it is too long for a message."""
    cut = f"{value[:_SHOWN_CHARACTERS]}..." if len(value) > _SHOWN_CHARACTERS else value
    return repr(cut)
