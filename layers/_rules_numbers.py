"""Rules about numbers: what is too exact, distances that locate, counts that differ by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import geo
from layers._draft import Problem, ids_of
from layers.comparing import compare_releases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from layers._draft import Draft

    Floats = NDArray[np.float64]

__all__ = ["differences", "exact_numbers"]

_MOST_DECIMALS = 2
_MOST_DISTANCES = 2
_COARSE = {"m": 1_000.0, "km": 1.0}  # a kilometre, by the unit of a column
_DISTANCE = re.compile(r"dist|near|_k?m$|proxim|bearing|azimuth", re.IGNORECASE)


def exact_numbers(draft: Draft) -> Iterator[Problem]:
    """
    Find numbers that are finer than what they are about.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each column.
    """
    numbers = {
        name: _numbers(draft.view[name]) for name in draft.policy.columns if name in draft.view
    }
    numbers = {name: values for name, values in numbers.items() if np.isfinite(values).any()}
    distances = [name for name in numbers if _DISTANCE.search(name)]
    if len(distances) > _MOST_DISTANCES:
        problem = f"{len(distances)} columns of distances, and three locate a place"
        yield Problem(problem, where=", ".join(distances))
    for name, values in numbers.items():
        if _finer(values, 10.0**-_MOST_DECIMALS).any():
            yield Problem(f"more than {_MOST_DECIMALS} decimals", where=name)
        if name in distances and _finer(values, _unit(name)).any():
            yield Problem("distances finer than a kilometre; publish bands", where=name)
    for title, table in draft.tables.items():
        yield from _of_hidden(draft, title, table)


def _of_hidden(draft: Draft, title: str, table: pd.DataFrame) -> Iterator[Problem]:
    """Yield columns of a table that measure from places which are not released."""
    names = [n for n in table if isinstance(n, str) and _DISTANCE.search(n)]
    columns = {n: _numbers(table[n]) for n in names if n not in geo.RELEASED_COLUMNS}
    at_points = {*draft.view["site_id"][draft.exact | draft.displaced]}
    whose = ids_of(table) if "site_id" in table else None
    for name, values in columns.items():
        fine = _finer(values, _unit(name))
        if whose is None:
            # one number for each site, of more sites than have a point
            if fine.sum() > len(at_points) and len(table) in {len(draft.view), len(draft.sites)}:
                yield Problem("more distances than places at points", where=f"{title}: {name}")
            continue
        for site_id in whose[fine & ~whose.isin(at_points)]:
            problem = "a distance of a place that is not released as a point"
            yield Problem(problem, site_id or None, f"{title}: {name}")


def _numbers(values: pd.Series) -> Floats:
    """Numbers of a column, those written as text among them."""
    numbers = pd.to_numeric(values.astype(object), errors="coerce")
    return np.asarray(numbers.to_numpy(dtype=float))


def _unit(name: str) -> float:
    """Give the kilometre in the unit of a column."""
    return _COARSE["km" if name.endswith("km") else "m"]


def _finer(values: Floats, unit: float) -> NDArray[np.bool_]:
    """Which numbers are no whole multiples of a unit."""
    with np.errstate(invalid="ignore"):
        away = np.abs(values - np.round(values / unit) * unit)
        return np.asarray(np.isfinite(values) & (away > 1e-9 * np.maximum(np.abs(values), unit)))


def differences(draft: Draft) -> Iterator[Problem]:
    """
    Find small counts that changed by one since the last release.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each count.
    """
    if draft.previous is None:
        return
    found = compare_releases(draft.previous, draft.view).differencing
    # a total less its rows tells nothing that the rows of this very release do not
    for row in found[found["attack"] == "old and new"].itertuples():
        yield Problem(f"the count of {row.area} ({row.status}) changed by one", where="counts")
