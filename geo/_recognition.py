"""Which column of a table is which column of the schema."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from geo._columns import ALWAYS, COORDINATES, NAMES
from geo.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["find", "like_coordinates", "no_coordinates", "recognise", "require_distinct"]

_ALIKE = 0.8


def _canonical(label: object) -> str:
    """Column name without case, spaces, punctuation and the Darwin Core prefix."""
    name = unicodedata.normalize("NFKC", str(label)).casefold().strip()
    return re.sub(r"[\W_]+", "", name.removeprefix("dwc:"))


def find(labels: Iterable[object]) -> dict[str, list[object]]:
    """Labels by schema name; a table with every column that Sites have is read by exact names."""
    labels = list(labels)
    if ALWAYS.issubset(map(str, labels)):
        return {str(label): [label] for label in labels if str(label) in NAMES}
    names = {_canonical(s): name for name, more in NAMES.items() for s in (name, *more)}
    found: dict[str, list[object]] = {}
    for label in labels:
        name = names.get(_canonical(label))
        if name is not None:
            found.setdefault(name, []).append(label)
    return found


def _check_mapping(columns: Mapping[str, str], labels: Collection[object]) -> None:
    """Raise SchemaError if `columns=` names what does not exist, or one thing twice."""
    for theirs, ours in columns.items():
        if theirs not in labels:
            near = difflib.get_close_matches(str(theirs), [str(label) for label in labels], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            names = ", ".join(repr(str(label)) for label in labels)
            message = f"columns= names {theirs!r}, but the table has {names}.{hint}"
            raise SchemaError(message)
        if ours not in NAMES:
            near = difflib.get_close_matches(str(ours), NAMES, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            message = (
                f"columns= maps {theirs!r} to {ours!r}, which is no column of the schema.{hint} "
                f"There are {', '.join(NAMES)}."
            )
            raise SchemaError(message)


def recognise(labels: Iterable[object], columns: Mapping[str, str] | None) -> dict[str, object]:
    """Label of each schema column that the table has; SchemaError if two mean the same."""
    labels = list(labels)
    columns = columns or {}
    _check_mapping(columns, labels)
    found: dict[str, list[object]] = {}
    for theirs, ours in columns.items():
        found.setdefault(ours, []).append(theirs)
    taken = set(found)
    for ours, theirs_all in find(labels).items():
        free = [label for label in theirs_all if label not in columns]
        if ours not in taken:
            if free:
                found[ours] = free
        elif ours in map(str, free):
            # An unknown column keeps its name, and two columns cannot have one name.
            found[ours].append(ours)
    for ours, theirs_all in found.items():
        if len(theirs_all) > 1:
            names = " and ".join(repr(str(label)) for label in theirs_all)
            message = (
                f"The columns {names} all mean {ours!r}. Keep one of them: drop or rename the "
                f"others, or say which with columns={{{str(theirs_all[0])!r}: {ours!r}}}."
            )
            raise SchemaError(message)
    return {ours: theirs_all[0] for ours, theirs_all in found.items()}


def require_distinct(labels: Iterable[object]) -> None:
    """Raise SchemaError if several columns have one name."""
    doubled = sorted(label for label, count in Counter(map(str, labels)).items() if count > 1)
    if doubled:
        message = f"Several columns are called {', '.join(map(repr, doubled))}: rename them."
        raise SchemaError(message)


def like_coordinates(labels: Iterable[object]) -> list[str]:
    """Labels that look like misspelt names of coordinate columns."""
    known = [_canonical(name) for name in ("latitude", "longitude", "coordinates")]
    return [
        str(label)
        for label in labels
        if difflib.get_close_matches(_canonical(label), known, n=1, cutoff=_ALIKE)
    ]


def no_coordinates(labels: Iterable[object], given: Collection[str]) -> str:
    """Say which coordinate columns are missing and how to name them."""
    missing = [name for name in COORDINATES if name not in given]
    names = "; ".join(f"{name}: {', '.join((name, *COORDINATES[name]))}" for name in missing)
    return (
        f"No column is recognised as {' or '.join(missing)}. The table has "
        f"{', '.join(repr(str(label)) for label in labels)}. Recognised names are {names} (case, "
        "spaces, hyphens and underscores do not matter). Name other columns with "
        "columns={'their name': '"
        + missing[0]
        + "'}; leave cells blank where the place is unknown. read_sites also reads one column of "
        "coordinates as text, called coordinates, and locates rows by names in a column locality."
    )
