"""The point of every row: from numbers, from coordinates as text, from names of places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from geo import _cells
from geo._cells import Fault
from geo._columns import DEFAULT_RADIUS_M
from geo._notations import LONGITUDE_FIRST
from geo._places import province_named
from geo._provinces import in_province, province_codes
from geo.coordinates import Reading, is_in_country, parse_column, parse_coordinates
from geo.errors import NotFoundError, SchemaError
from geo.localities import Location, locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geo._drafts import Draft
    from geo._places import Place

__all__ = ["read_coordinates", "read_names", "read_numbers"]

_DECIMAL_COMMA = re.compile(r"[+-]?\d{1,3},\d+")
_SHOWN = 4
# A short Plus Code lacks its first four digits: cells that end alike are a degree apart.
_SHORT_CODE = re.compile(
    r"([2-9CFGHJMPQRVWX]{4}\+[2-9CFGHJMPQRVWX]{2,3})(?:[\s,]+(\S.*))?", re.IGNORECASE
)
_NEAR_ENOUGH_M = 40_000.0


# ---------------------------------------------------------------------- columns for each axis


def read_numbers(draft: Draft, labels: tuple[str, str]) -> None:
    """
    Read a column of latitudes and one of longitudes, in place.

    Parameters
    ----------
    draft : Draft
        Rows; those that have a point keep it.
    labels : tuple of str
        Names of the two columns in the table.

    Notes
    -----
    Cells that are no numbers are read together as one text. What cannot be read at all stays
    in its cell, where the schema names it. A decimal comma is accepted where all numbers of
    both columns that are not whole have one.
    """
    pairs = (draft.cells["latitude"], draft.cells["longitude"])
    numbers = np.array([_cells.read_numbers(texts, "", "")[0] for texts in pairs], dtype=float).T
    given = np.array([[text is not None for text in texts] for texts in pairs], dtype=bool).T
    odd = np.flatnonzero((given & np.isnan(numbers)).any(axis=1)).tolist()
    dots = any("." in text for texts in pairs for text in texts if text and text.isascii())
    for row in odd:
        texts = [texts[row] for texts in pairs]
        if any(text and _DECIMAL_COMMA.fullmatch(text) for text in texts):
            numbers[row] = _with_commas(draft, row, labels) if dots else _decimal_commas(texts)
            if np.isfinite(numbers[row]).all():
                draft.notations[row] = "numbers with decimal commas"
        if np.isnan(numbers[row]).any():
            numbers[row] = _read_together(draft, row, texts, labels)
    fresh = ~draft.located
    draft.points[fresh] = numbers[fresh]


def _decimal_commas(texts: Sequence[str | None]) -> list[float]:
    """Latitude and longitude of cells in a table where the comma is the decimal mark."""
    return _cells.read_numbers([text and text.replace(",", ".") for text in texts], "", "")[0]


def _with_commas(draft: Draft, row: int, labels: tuple[str, str]) -> list[float]:
    """Report a comma where other cells have decimal points: it is one thing or the other."""
    texts = [draft.cells[name][row] for name in ("latitude", "longitude")]
    for text, label in zip(texts, labels, strict=True):
        if text and _DECIMAL_COMMA.fullmatch(text):
            decimal, thousands = text.replace(",", "."), text.replace(",", "")
            problem = (
                f"{decimal} with a decimal comma, {thousands} with a thousands separator; other "
                "cells have decimal points: write all numbers in one way"
            )
            draft.refuse(Fault(row, label, text, "ambiguous comma", problem))
    return [np.nan, np.nan]


def _read_together(
    draft: Draft, row: int, texts: Sequence[str | None], labels: tuple[str, str]
) -> tuple[float, float]:
    """Latitude and longitude of two cells that are no numbers, or of one that holds both."""
    text = " ".join(text for text in texts if text)
    every = parse_coordinates(text)
    readings = [r for r in every if not r.notation.endswith(LONGITUDE_FIRST)]
    if len(readings) > 1:
        draft.refuse(Fault(row, labels[0], text, "several readings", _listed(readings)))
        return np.nan, np.nan
    if not readings and len(every) == 1:
        # Written longitude first in columns that say otherwise: an exchange to be proved.
        return every[0].longitude, every[0].latitude
    if not readings:
        return np.nan, np.nan
    _keep(draft, row, readings[0], text)
    return readings[0].latitude, readings[0].longitude


# ------------------------------------------------------------------------- one column of text


def read_coordinates(draft: Draft, label: str) -> None:
    """
    Read a column of coordinates as text for the rows that have no point yet, in place.

    Parameters
    ----------
    draft : Draft
        Rows.
    label : str
        Name of the column in the table.

    Notes
    -----
    Of several readings those are left that lie in the country and then in the province that
    the row names. One that is left is accepted; anything else is a fault.
    """
    texts = [
        None if located else text
        for text, located in zip(draft.cells["coordinates"], draft.located, strict=True)
    ]
    countries = {draft.country(row) for row, text in enumerate(texts) if text}
    country = countries.pop() if len(countries) == 1 else None
    try:
        column = parse_column(texts, country=country)
    except SchemaError as error:
        if error.problems is None:
            raise
        for problem in error.problems.itertuples():
            row = int(problem.row)
            draft.refuse(Fault(row, label, problem.value, "ambiguous comma", problem.problem))
            texts[row] = None
        column = parse_column(texts, country=country)
    # What is in no place of the country is read all the same: that is another fault.
    elsewhere = dict.fromkeys(t for t, r in zip(texts, column, strict=True) if t and not r)
    anywhere = {text: parse_coordinates(text) for text in elsewhere} if country else {}
    for row, (text, readings) in enumerate(zip(texts, column, strict=True)):
        if text:
            _accept(draft, row, label, text, readings or anywhere.get(text, ()))


def _accept(draft: Draft, row: int, label: str, text: str, every: Sequence[Reading]) -> None:
    """Take the only reading that is left, or report why there is none."""
    readings = list(every) or _short_plus_code(draft, row, text)
    for leaves in (_in_country, _in_province):
        if len(readings) > 1:
            readings = leaves(draft, row, readings) or readings
    if len(readings) == 1:
        draft.points[row] = readings[0].latitude, readings[0].longitude
        _keep(draft, row, readings[0], text)
        return
    if readings:
        draft.refuse(Fault(row, label, text, "several readings", _listed(readings)))
        return
    problem = (
        "not a coordinate in any notation that is read: write degrees such as 11.5625, 104.9160"
    )
    draft.refuse(Fault(row, label, text, "not a coordinate", problem))


def _keep(draft: Draft, row: int, reading: Reading, text: str) -> None:
    """Keep how a point was read."""
    draft.precision_m[row] = reading.precision_m
    draft.notations[row] = reading.notation
    draft.fill("verbatim_location", row, text)


def _listed(readings: Sequence[Reading]) -> str:
    """Say what a text can mean."""
    shown = "; ".join(f"{r.latitude:g}, {r.longitude:g} ({r.notation})" for r in readings[:_SHOWN])
    return f"reads as {shown}: write the latitude first, with N or S and E or W"


def _in_country(draft: Draft, row: int, readings: Iterable[Reading]) -> list[Reading]:
    """Keep readings within the rough outline of the country that a row names."""
    country = draft.country(row)
    return [r for r in readings if is_in_country(r.latitude, r.longitude, country)]


def _in_province(draft: Draft, row: int, readings: Sequence[Reading]) -> list[Reading]:
    """Keep readings in the province that a row names."""
    country, admin1 = draft.country(row), draft.cells["admin1"][row]
    points = np.array([(r.latitude, r.longitude) for r in readings])
    inside = in_province(points, country, admin1)
    return [] if inside is None else [r for r, at in zip(readings, inside, strict=True) if at]


def _short_plus_code(draft: Draft, row: int, text: str) -> list[Reading]:
    """Read a Plus Code without its first digits, near the place named with it."""
    found = _SHORT_CODE.fullmatch(text)
    if found is None:
        return []
    place = _locate(draft, row, found[2] or _described(draft, row)).place
    if place is None or place.radius_m > _NEAR_ENOUGH_M:
        return []
    return list(parse_coordinates(found[1], near=(place.latitude, place.longitude)))


# ---------------------------------------------------------------------------------- names only


def read_names(draft: Draft) -> None:
    """
    Locate rows without coordinates by the names of places in them, in place.

    Parameters
    ----------
    draft : Draft
        Rows; those that have a point keep it.
    """
    for row in np.flatnonzero(~draft.located).tolist():
        text = _described(draft, row)
        if text is None:
            draft.notes[row].append("not located: no place is named")
            continue
        location = _locate(draft, row, text)
        if location.place is None:
            draft.notes[row].append(f"not located: {location.reason}")
            continue
        _place(draft, row, location.place, text)
        if location.note:
            draft.notes[row].append(location.note)


def _place(draft: Draft, row: int, place: Place, text: str) -> None:
    """Give a row the point, the radius and the level of a place, and what it left blank."""
    draft.places[row] = place
    draft.points[row] = place.latitude, place.longitude
    draft.replace("uncertainty_m", row, float(np.fmax(draft.given_radius_m[row], place.radius_m)))
    draft.replace("location_level", row, _level_of(place))
    draft.replace("location_method", row, "assigned")
    draft.fill("verbatim_location", row, text)
    draft.fill("country", row, place.country)
    draft.fill("admin1", row, place.admin1)
    draft.notes[row].append(f"located by name: {place.source}")


def _level_of(place: Place) -> str:
    """Level of a place: its kind, or for what is made of several the level with its radius."""
    if place.kind in DEFAULT_RADIUS_M:
        return place.kind
    wide = (level for level, radius_m in DEFAULT_RADIUS_M.items() if radius_m >= place.radius_m)
    return next(wide, "country")


def _described(draft: Draft, row: int) -> str | None:
    """Describe a row's place: the narrowest name, and the areas that must hold it."""
    cells = draft.cells
    narrow = cells["locality"][row] or cells["verbatim_location"][row]
    names = [name for name in (narrow, cells["admin3"][row], cells["admin2"][row]) if name]
    return ", ".join(dict.fromkeys(names)) or cells["admin1"][row]


def _locate(draft: Draft, row: int, text: str | None) -> Location:
    """Place of a description in the country and the province that the row names."""
    if not text:
        return Location(None, "no place is named", "")
    cells = draft.cells
    dates = (cells[name][row] for name in ("source_date", "last_reported", "first_reported"))
    date = next((read[0] for date in dates if (read := _cells.read_dates([date], "")[0])[0]), None)
    country, admin1 = draft.country(row), cells["admin1"][row]
    if admin1 is not None and text == admin1:
        return _whole_province(country, admin1)
    return locate(text, country=country, admin1=admin1, date=date)


def _whole_province(country: str | None, admin1: str) -> Location:
    """Place of a row that names nothing but its province."""
    try:
        codes = sorted(province_codes(admin1, country))
    except NotFoundError as error:
        return Location(None, f"unknown: {error}", "")
    if len(codes) > 1:
        return Location(None, f"ambiguous: {len(codes)} provinces are called {admin1!r}", "")
    return Location(province_named(codes[0]), "", "only the province is named")
