"""Tables out of delimited text and Excel sheets; the index is the row as a sheet numbers it."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import importlib
import io
import itertools
import re
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo import _recognition
from geo._archives import open_archive
from geo._cells import cell_text
from geo.errors import NotFoundError, ReadError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

__all__ = ["read_excel", "read_text_table"]

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SAMPLE_ROWS = 200
_SHOWN = 5
_FORMULA = "\0formula"  # no cell can hold a NUL


def decode(data: bytes, name: str) -> str:
    """
    Text of a file in UTF-8, or in UTF-16 that says so with a byte order mark.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for the error.

    Returns
    -------
    str
        The text without byte order mark.

    Raises
    ------
    ReadError
        If the bytes are anything else; old code pages are never guessed.
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if wide else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        # The utf-8-sig codec counts from behind the byte order mark.
        start = error.start + (3 if not wide and data.startswith(codecs.BOM_UTF8) else 0)
        line = data[:start].count(b"\n") + 1
        message = (
            f"{name} is not {'UTF-16' if wide else 'UTF-8'} text: byte 0x{data[start]:02x} in line "
            f"{line} belongs to another encoding, which is not guessed. Save it as UTF-8 (Excel: "
            "'CSV UTF-8'; LibreOffice: Save As, edit filter settings, Unicode (UTF-8))."
        )
        raise ReadError(message) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        message = (
            f"{name} holds a NUL byte in line {line}: it is damaged, is not text, or is UTF-16 "
            "without byte order mark. Save it as UTF-8."
        )
        raise ReadError(message)
    return text


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield records of delimited text; quoted cells keep their line ends."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _trial(text: str, delimiter: str, wanted: Collection[str]) -> tuple[int, int, bool]:
    """How a delimiter fits: recognised names, fields of the header, whether all rows agree."""
    records = []
    try:
        records += [r for r in itertools.islice(_records(text, delimiter), _SAMPLE_ROWS) if any(r)]
    except csv.Error:
        return 0, 0, False
    if not records:
        return 0, 0, False
    header = [cell.strip() for cell in records[0]]
    names = {label for labels in _recognition.find(header).values() for label in labels}
    recognised = len(names | (set(header) & set(wanted)))
    return recognised, len(header), all(len(record) == len(header) for record in records)


def find_delimiter(text: str, name: str, wanted: Collection[str]) -> str:
    """
    Delimiter whose header holds most recognised names; ties go to rows of equal length.

    Parameters
    ----------
    text : str
        The whole file.
    name : str
        Its name, for the error.
    wanted : collection of str
        Column names that the caller maps.

    Returns
    -------
    str
        Comma, semicolon, tab or vertical bar.

    Raises
    ------
    ReadError
        If several fit equally well; the message shows what each gives.
    """
    trials = {delimiter: _trial(text, delimiter, wanted) for delimiter in _DELIMITERS}
    most = max(recognised for recognised, _, _ in trials.values())
    best = {d: t for d, t in trials.items() if t[0] == most and (most or t[1] > 1)}
    for fits in ({d for d, t in best.items() if t[2]}, {d for d, t in best.items() if t[1] > 1}):
        best = {d: t for d, t in best.items() if d in fits} or best
    if len(best) == 1:
        return next(iter(best))
    if all(fields <= 1 for _, fields, _ in trials.values()):
        return ","  # one column: nothing is delimited
    tried = "; ".join(
        f"{_DELIMITERS[d]}: {fields} columns, {recognised} recognised, "
        f"{'all rows' if same else 'not all rows'} as long as the header"
        for d, (recognised, fields, same) in trials.items()
    )
    message = (
        f"The delimiter of {name} cannot be told. Tried {tried}. Save it with commas, quoting "
        "cells that contain one, or name its columns with columns=."
    )
    raise ReadError(message)


def read_text_table(data: bytes, name: str, wanted: Collection[str]) -> pd.DataFrame:
    """
    Table of text out of delimited text; blank cells are missing, "NA" is Namibia.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for errors.
    wanted : collection of str
        Column names that the caller maps.

    Returns
    -------
    pandas.DataFrame
        One row per record that is not blank, indexed by its row in a sheet.

    Raises
    ------
    ReadError
        If it is empty, not UTF-8, ragged, or the quotes are wrong.
    """
    text = decode(data, name)
    if not text.strip():
        message = f"{name} is empty: a table needs a header and at least one row."
        raise ReadError(message)
    delimiter = find_delimiter(text, name, wanted)
    rows: list[tuple[int, Sequence[Any]]] = []
    number = 0
    try:
        for number, record in enumerate(_records(text, delimiter), start=1):
            if any(cell.strip() for cell in record):
                rows.append((number, record))
    except csv.Error as error:
        message = (
            f"Row {number + 1} of {name} cannot be read ({error}): look for a quotation mark that "
            "is not closed, or not doubled inside a quoted cell."
        )
        raise ReadError(message) from error
    return _table(rows, name)


def _table(rows: Sequence[tuple[int, Sequence[Any]]], name: str) -> pd.DataFrame:
    """Frame of numbered rows, the first of which is the header."""
    if len(rows) < 2:  # noqa: PLR2004 - a header and one row
        message = f"{name} has no rows: there is {'only a header' if rows else 'nothing'} in it."
        raise ReadError(message)
    (_, header), *body = rows
    ragged = [(number, len(cells)) for number, cells in body if len(cells) != len(header)]
    if ragged:
        _raise_ragged(ragged, len(header), name)
    labels = ["" if cell is None else str(cell).strip() for cell in header]
    index = pd.Index([number for number, _ in body])
    columns = {}
    for position, cells in enumerate(zip(*(cells for _, cells in body), strict=True)):
        values = [None if cell == "" else cell for cell in cells]
        label = labels[position]
        if not label and all(value is None for value in values):
            continue  # what a delimiter at the end of every line makes
        columns[position] = pd.Series(values, index=index, dtype=_dtype(values))
    frame = pd.DataFrame(columns, index=index)
    frame.columns = pd.Index([labels[p] or f"column_{p + 1}" for p in columns])
    return frame


def _dtype(values: Sequence[Any]) -> str | None:
    """Text where all is text, what pandas finds otherwise."""
    return "string" if all(value is None or isinstance(value, str) for value in values) else None


def _raise_ragged(ragged: Sequence[tuple[int, int]], width: int, name: str) -> None:
    """Raise ReadError naming the rows that are shorter or longer than the header."""
    problems = pd.DataFrame(
        {
            "row": [number for number, _ in ragged],
            "column": "",
            "value": [str(found) for _, found in ragged],
            "problem": f"number of cells: the header has {width}",
        }
    )
    shown = ", ".join(f"row {number} has {found}" for number, found in ragged[:_SHOWN])
    more = f" and {len(ragged) - _SHOWN} more" if len(ragged) > _SHOWN else ""
    message = (
        f"The header of {name} has {width} cells, but {shown}{more}. Quote cells that contain the "
        "delimiter, and give every row all its cells."
    )
    raise ReadError(message, problems)


def _cell_value(cell: Any) -> Any:  # noqa: ANN401 - openpyxl cells are untyped
    """Value of a cell; a date only as precise as the sheet shows it."""
    value = cell.value
    if cell.data_type == "f":
        return _FORMULA
    if isinstance(value, dt.datetime) and value.time() == dt.time(0):
        shown = re.sub(r'\[[^\]]*\]|"[^"]*"|\\.', "", cell.number_format or "").casefold()
        if "d" not in shown and "y" in shown:
            return value.strftime("%Y-%m" if "m" in shown else "%Y")
    return cell_text(value) if isinstance(value, dt.date | dt.time) else value


def read_excel(data: bytes, name: str, layer: str | None, wanted: Collection[str]) -> pd.DataFrame:
    """
    Table of one sheet of a workbook; dates become ISO text.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for errors.
    layer : str or None
        The sheet; None takes the only one, or the only one with coordinate columns.
    wanted : collection of str
        Column names that the caller maps.

    Returns
    -------
    pandas.DataFrame
        One row per row that is not blank, indexed by its number in the sheet.

    Raises
    ------
    ReadError
        If openpyxl is missing, the workbook is damaged, or the sheet cannot be told.
    NotFoundError
        If there is no such sheet.
    """
    try:
        openpyxl: Any = importlib.import_module("openpyxl")  # an extra, needed here only
    except ImportError as error:
        message = (
            f"{name} is an Excel workbook, which needs openpyxl: "
            "pip install 'compound-atlas[excel]', or save the sheet as CSV UTF-8."
        )
        raise ReadError(message) from error
    open_archive(data, name).close()
    try:
        with warnings.catch_warnings():
            # Drop-down lists and styles that openpyxl does not know do not concern the cells.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
            sheets = {sheet.title: _sheet_rows(sheet) for sheet in _sheets(book, layer, name)}
            title = _choose_sheet(sheets, name, wanted)
            rows = sheets[title]
            if any(_FORMULA in cells for _, cells in rows):
                book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
                rows = _with_results(rows, dict(_sheet_rows(book[title])), name)
            return _table(rows, name)
    except ReadError:
        raise
    except Exception as error:
        message = (
            f"{name} cannot be read as an Excel workbook ({type(error).__name__}: {error}): it is "
            "damaged or protected. Open it, save it again, or save the sheet as CSV UTF-8."
        )
        raise ReadError(message) from error


def _sheets(book: Any, layer: str | None, name: str) -> list[Any]:  # noqa: ANN401 - untyped
    """Sheets to look at: all, or the one asked for."""
    if layer is None:
        return list(book.worksheets)
    titles = [sheet.title for sheet in book.worksheets]
    if layer not in titles:
        message = f"{name} has no sheet {layer!r}; it has {', '.join(map(repr, titles))}."
        raise NotFoundError(message)
    return [book[layer]]


def _sheet_rows(sheet: Any) -> list[tuple[int, list[Any]]]:  # noqa: ANN401 - untyped
    """Numbered rows of a sheet that are not blank, all as long as the longest."""
    sheet.reset_dimensions()  # the size that a file states may be wrong and would cut rows off
    rows = [(n, [_cell_value(cell) for cell in row]) for n, row in enumerate(sheet.iter_rows(), 1)]
    rows = [(n, cells) for n, cells in rows if any(str(c or "").strip() for c in cells)]
    width = max((len(cells) for _, cells in rows), default=0)
    return [(n, cells + [None] * (width - len(cells))) for n, cells in rows]


def _with_results(
    rows: list[tuple[int, list[Any]]], stored: dict[int, list[Any]], name: str
) -> list[tuple[int, list[Any]]]:
    """Rows with the results that the workbook stores in place of formulas."""
    filled = []
    for n, cells in rows:
        results = stored.get(n, [None] * len(cells))
        values = [r if c is _FORMULA else c for c, r in zip(cells, results, strict=False)]
        if any(c is _FORMULA and v is None for c, v in zip(cells, values, strict=False)):
            message = (
                f"Row {n} of {name} holds a formula without a stored result: open the workbook in "
                "a spreadsheet program and save it, or replace formulas by their values."
            )
            raise ReadError(message)
        filled.append((n, values))
    return filled


def _choose_sheet(
    rows: dict[str, list[tuple[int, list[Any]]]], name: str, wanted: Collection[str]
) -> str:
    """Choose the only sheet, or the only one that has both coordinate columns."""
    if len(rows) == 1:
        return next(iter(rows))
    fitting = []
    for title, content in rows.items():
        header = [str(cell or "").strip() for cell in content[0][1]] if content else []
        found = _recognition.find(header)
        if {"latitude", "longitude"} <= found.keys() or (wanted and set(wanted) <= set(header)):
            fitting.append(title)
    if len(fitting) == 1:
        return fitting[0]
    message = (
        f"{name} has several sheets: {', '.join(map(repr, rows))}, of which "
        f"{len(fitting)} have coordinate columns. Say which one with layer=."
    )
    raise ReadError(message)
