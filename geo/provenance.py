"""What was read, run and changed: a record for the manifest, and the methods text made from it.

The text is written from the record alone, so that the two cannot disagree. Neither holds a
coordinate, a text of a row, a time of day, a path, or the name of a user or a machine.
"""

from __future__ import annotations

import hashlib
import html
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyproj
import shapely

from geo._inputs import coordinates, radii
from geo._provenance_words import (
    AREA,
    EXACT,
    hidden_texts,
    paragraphs_of,
    refuse_coordinates,
    result_told,
)
from geo._releasing import identifiers
from geo._resolution import counted
from geo.errors import SchemaError
from geo.projection import to_degrees
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

__all__ = ["Provenance", "provenance"]

_PACKAGES = ("compound-atlas", "geopandas", "numpy", "pandas", "pyproj", "scipy", "shapely")
_POINT = 0  # type of geometry


@dataclass(frozen=True, eq=False)
class Provenance:
    """
    What was read, run and changed.

    Parameters
    ----------
    record : mapping
        The facts, of which `to_dict` gives a copy.
    """

    record: Mapping[str, Any]

    def paragraphs(self) -> tuple[str, ...]:
        """
        Say it in plain words, for the methods panel of a page.

        Returns
        -------
        tuple of str
            Counts by status, location, sources, what was altered, the summary of each result,
            the bias, what is not supported, notes, contact, licence, citation, credits.
        """
        return tuple(paragraphs_of(self.record))

    def to_dict(self) -> dict[str, Any]:
        """
        Give the record for the manifest.

        Returns
        -------
        dict
            Text, whole and finite numbers, lists and dictionaries with sorted keys.
        """
        sorted_: dict[str, Any] = json.loads(json.dumps(self.record, sort_keys=True))
        return sorted_

    def summary(self) -> str:
        """
        Say it in one paragraph.

        Returns
        -------
        str
            The paragraphs, one after the other.
        """
        return " ".join(self.paragraphs())

    def __repr__(self) -> str:
        read, release = self.record["input"], self.record["release"]
        results = counted(len(self.record["results"]), "result")
        return (
            f"Provenance({counted(read['rows'], 'row')} read, {release['rows']} released, "
            f"{release['with_place']} with a place; {results}; "
            f"input {read['sha256'][:8]})"
        )

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(text)}</p>" for text in self.paragraphs())


def provenance(
    sites: gpd.GeoDataFrame,
    released: gpd.GeoDataFrame,
    *,
    results: Sequence[Any] = (),
    contact: str,
    licence: str,
    citation: str,
    notes: Sequence[str] = (),
) -> Provenance:
    """
    Record what was read, run and changed, and write the methods from it.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites as read, with their places.
    released : geopandas.GeoDataFrame
        What is published of them, from `generalise` or a mask; the sites themselves where they are
        shown as they are.
    results : sequence
        Answers with a ``summary()``, such as a `Clustering`, in the order of the text.
    contact : str
        Where corrections and requests for removal go.
    licence, citation : str
        Under which terms the release is published, and how to cite it.
    notes : sequence of str
        More paragraphs.

    Returns
    -------
    Provenance
        ``paragraphs()`` for readers, ``to_dict()`` for the manifest.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    ExportError
        If a text holds the coordinates of a site that is not released with them.
    GeometryError
        If a site is no point.
    SchemaError
        If ids are missing or repeated, or something is released that is not among the sites.
    TypeError
        If `results` or `notes` is no list, a result has no ``summary()``, or a text is none.
    ValueError
        If `contact`, `licence` or `citation` is empty.

    Notes
    -----
    The input is known by the sha256 of its file where the sites carry it (`read_sites`), otherwise
    by one of its rows: sorted by ``site_id``, cells as text, geometries as WKB. Neither depends on
    the process, the order of rows or that of columns. Whoever has all of an input but one
    coordinate can try coordinates until the hash fits: do not publish it for a handful of rows.

    Of a result go into the record its fields that are numbers, words or short lists of these, but
    for coordinates. Names from the rows are left out of its summary, unless the release tells them.

    Examples
    --------
    >>> import geo
    >>> from geo.provenance import provenance
    >>> sites = geo.example_sites()
    >>> told = provenance(
    ...     sites,
    ...     geo.generalise(sites, level="province"),
    ...     contact="corrections@example.org",
    ...     licence="CC BY 4.0",
    ...     citation="Example (2026)",
    ... )
    >>> told
    Provenance(97 rows read, 97 released, 79 with a place; 0 results; input e41b9d50)
    >>> told.paragraphs()[0][:43]
    '97 reports read: 60 confirmed, 37 suspected'
    """
    lon, lat = coordinates(sites, "sites")
    ids = identifiers(sites)
    shapes = to_degrees(released).to_numpy()
    _require_known(identifiers(released), ids)
    stated = {"contact": contact, "licence": licence, "citation": citation}
    stated = {name: _text(value, name) for name, value in stated.items()}
    hidden = hidden_texts(sites, released)
    record: dict[str, Any] = {
        "credits": _credits(sites, released),
        "input": _input(sites, ids),
        "location": _location(sites, np.isfinite(lon)),
        "notes": [_text(note, "notes") for note in _list(notes, "notes")],
        "reading": _reading(sites),
        "release": _release(sites, released, shapes),
        "results": [result_told(one, hidden) for one in _list(results, "results")],
        "software": _software(),
        "sources": _sources(sites),
        "status": _tally(sites, "status"),
        **stated,
    }
    exact = {(point.x, point.y) for point in shapes[shapely.get_type_id(shapes) == _POINT]}
    kept = [(x, y) for x, y in zip(lon, lat, strict=True) if np.isfinite(x) and (x, y) not in exact]
    refuse_coordinates(json.dumps(record, ensure_ascii=False), np.array(kept).reshape(-1, 2))
    return Provenance(record)


# -------------------------------------------------------------------------------- what was given


def _text(value: object, name: str) -> str:
    """Give a text that is not empty, on one line."""
    if not isinstance(value, str):
        message = f"{name} is a {type(value).__name__}, where a text is needed."
        raise TypeError(message)
    words = " ".join(value.split())
    if not words:
        message = f"{name} is empty. A release says whom to ask, under which terms, how to cite."
        raise ValueError(message)
    return words


def _list(values: Sequence[Any], name: str) -> list[Any]:
    """Give the members of a list."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        message = f"{name} is a {type(values).__name__}: put it into brackets, {name}=[...]."
        raise TypeError(message)
    return list(values)


def _require_known(released: list[str], known: list[str]) -> None:
    """Refuse a release of other sites than these."""
    if strange := sorted(set(released) - set(known)):
        message = (
            f"{len(strange)} of {len(released)} released rows are none of the sites. Give the "
            "sites that the release was made from."
        )
        raise SchemaError(message, pd.DataFrame({"value": strange, "problem": "no such site"}))


# ------------------------------------------------------------------------------------- the facts


def _input(sites: gpd.GeoDataFrame, ids: list[str]) -> dict[str, Any]:
    """Give the fingerprint of what was read."""
    given = sites.attrs.get("source_sha256")
    if isinstance(given, str):
        return {"of": "file", "rows": len(sites), "sha256": given}
    return {"of": "rows", "rows": len(sites), "sha256": _fingerprint(sites, ids)}


def _fingerprint(frame: gpd.GeoDataFrame, ids: list[str]) -> str:
    """Hash a frame by what it says, whatever the order of its rows and columns."""
    names = sorted((name for name in frame.columns if name != frame.geometry.name), key=str)
    columns = [[_cell(value) for value in frame[name].astype(object)] for name in names]
    columns.append([shape.hex() if shape else None for shape in frame.geometry.to_wkb()])
    rows = sorted(zip(ids, *columns, strict=True), key=lambda row: row[0])
    crs = None if frame.crs is None else frame.crs.to_string()
    head = [crs, *map(str, names), "geometry"]
    return hashlib.sha256(json.dumps([head, rows]).encode()).hexdigest()


def _cell(value: object) -> str | float | None:
    """Write a cell by its value, not by how a column keeps it."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    return float(value) if isinstance(value, Real) else str(value)


def _tally(sites: pd.DataFrame, name: str) -> dict[str, int]:
    """Count the words of a column in the order of their vocabulary, missing ones as such."""
    if name not in sites:
        return {}
    words = sites[name].astype(object)
    known = (word for word in VOCABULARIES[name] if word != "unknown")
    counts = {word: int((words == word).sum()) for word in known}
    counts["not stated"] = len(words) - sum(counts.values())
    return {word: n for word, n in counts.items() if n}


def _location(sites: gpd.GeoDataFrame, located: np.ndarray) -> dict[str, Any]:
    """Count who has a location, and how exact it is."""
    return {
        "levels": _tally(sites[located], "location_level"),
        "located": int(located.sum()),
        "radius_m": _quantiles(radii(sites)[located]),
        "unlocated": int((~located).sum()),
    }


def _quantiles(radius: np.ndarray) -> dict[str, float | int | None]:
    """Describe radii, those of infinite length and unknown ones by their number."""
    known = radius[np.isfinite(radius)]
    at = {"largest": 1.0, "median": 0.5, "q90": 0.9, "smallest": 0.0}
    found: dict[str, float | int | None] = {
        name: round(float(np.quantile(known, q)), 1) if len(known) else None
        for name, q in at.items()
    }
    return {**found, "unknown": len(radius) - len(known)}


def _sources(sites: pd.DataFrame) -> dict[str, Any]:
    """Count who speaks, and find the first and the last month."""
    said, linked = (_members(sites, name) for name in ("source", "source_url"))
    dates = [name for name in ("first_reported", "last_reported") if name in sites]
    months = sorted(str(value)[:7] for name in dates for value in sites[name].dropna())
    without = [not (one or other) for one, other in zip(said, linked, strict=True)]
    return {
        "addresses": len(set().union(*linked)),
        "first": months[0] if months else None,
        "last": months[-1] if months else None,
        "publishers": len(set().union(*said)),
        "rows_without": sum(without),
    }


def _members(sites: pd.DataFrame, name: str) -> list[set[str]]:
    """Take apart the cells of a column that may hold several texts."""
    if name not in sites:
        return [set()] * len(sites)
    cells = sites[name].astype("string").fillna("")
    return [{part.strip() for part in cell.split("|")} - {""} for cell in cells]


def _reading(sites: gpd.GeoDataFrame) -> dict[str, int]:
    """Count the rows of the file that reading located, repaired, doubted or gave a radius."""
    steps = sites.attrs.get("read_report") or []
    counts: dict[str, int] = {}
    for step in steps:
        named = step["step"] == "located" and step["detail"].startswith("by name")
        assumed = step["step"] == "assumed" and step["column"] == "uncertainty_m"
        if named or assumed or step["step"] in {"doubtful", "repaired"}:
            key = "by_name" if named else step["step"]
            counts[key] = counts.get(key, 0) + int(step["n_rows"])
    return dict(sorted(counts.items()))


def _release(
    sites: gpd.GeoDataFrame, released: gpd.GeoDataFrame, shapes: np.ndarray
) -> dict[str, Any]:
    """Count what rows are released as, and what is held back."""
    kind = shapely.get_type_id(shapes)
    shown = (kind >= 0) & ~shapely.is_empty(shapes)
    unnamed = np.where(shown, np.where(kind == _POINT, EXACT, AREA), "none")
    schemes = pd.Series(unnamed, index=released.index, dtype="string")
    if "release_scheme" in released:
        schemes = released["release_scheme"].astype("string").fillna(schemes)
    counts = sorted(schemes.value_counts().items(), key=lambda item: (-item[1], item[0]))
    held = released["information_withheld"].dropna() if "information_withheld" in released else []
    return {
        "columns": sorted(map(str, released.columns)),
        "columns_left_out": len(set(sites.columns) - set(released.columns)),
        "radius_m": _quantiles(radii(released)[shown]),
        "rows": len(released),
        "schemes": {str(scheme): int(n) for scheme, n in counts},
        "sha256": _fingerprint(released, identifiers(released)),
        "with_place": int(shown.sum()),
        "withheld": sorted(set(map(str, held))),
    }


def _credits(*frames: gpd.GeoDataFrame) -> list[str]:
    """Gather who must be named, each once."""
    given = (frame.attrs.get("attribution") for frame in frames)
    parts = (
        part.strip(" .") for text in given if isinstance(text, str) for part in text.split("; ")
    )
    return [part for part in dict.fromkeys(parts) if part]


def _software() -> dict[str, str]:
    """Name the versions that an answer depends on."""
    versions = {"GEOS": shapely.geos_version_string, "PROJ": pyproj.proj_version_str}
    versions["Python"] = platform.python_version()
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return dict(sorted(versions.items()))
