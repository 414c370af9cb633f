"""One column of any common dtype as cells that every file can carry, and back again."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["describe", "family", "json_text", "plain_cells", "restore", "text_of"]

# What a file may name, which may be hostile. A time zone is never a path: pandas would open it.
_NAMED = re.compile(
    r"u?int(8|16|32|64)|U?Int(8|16|32|64)|[fF]loat(32|64)|bool(ean)?|str(ing)?|object|json"
    r"|datetime64\[(s|ms|us|ns)(, (?!dateutil)[A-Za-z][\w+:/-]*)?\]"
    r"|timedelta64\[(s|ms|us|ns)\]|period\[[A-Za-z0-9-]+\]"
)
_NEVER_MISSING = re.compile("u?int|bool$")


def family(name: str) -> str:
    """Kind of a dtype by its name: int, uint, float, bool, datetime, ..."""
    found = re.match("[a-z]+", name.casefold())
    return found[0] if found else ""


def describe(values: pd.Series) -> dict[str, Any]:
    """
    Say in JSON what dtype a column has, with its categories where it has some.

    Parameters
    ----------
    values : pandas.Series
        The column.

    Returns
    -------
    dict
        ``dtype``, pandas' name of it; ``json`` for objects that are not all text. A category
        also has ``of`` (the dtype of its categories), ``categories`` and ``ordered``.

    Raises
    ------
    ExportError
        If no file would give the dtype back.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = pd.Series(dtype.categories, name=values.name)
        of = describe(categories)["dtype"]
        if of == "json":
            raise _no_way(values.name, "categories that are neither all text nor all numbers")
        words = plain_cells(categories)
        return {"dtype": "category", "ordered": dtype.ordered, "of": of, "categories": words}
    name = str(dtype)
    if name == "object":
        texts = all(isinstance(cell, str) for cell in values[values.notna()])
        return {"dtype": "object" if texts else "json"}
    try:
        known = _NAMED.fullmatch(name) and str(pd.api.types.pandas_dtype(name)) == name
    except TypeError:
        known = False
    if not known:
        raise _no_way(values.name, f"the dtype {name}")
    return {"dtype": name}


def _no_way(label: object, what: str) -> ExportError:
    """Error for a column that no file can give back as it is."""
    message = (
        f"The column {str(label)!r} has {what}, which cannot be written and read back as it is: "
        "convert it with .astype(str) or drop it."
    )
    return ExportError(message)


def plain_cells(values: pd.Series) -> list[Any]:
    """
    Cells of a column as text, numbers, truth values and what JSON nests; None where missing.

    Parameters
    ----------
    values : pandas.Series
        A column that `describe` describes.

    Returns
    -------
    list
        The cells. Times are in ISO 8601, categories are what they stand for.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        words = plain_cells(pd.Series(dtype.categories))
        return [None if code < 0 else words[code] for code in values.cat.codes]
    convert: dict[str, Callable[[Any], Any]] = {
        "bool": bool,
        "boolean": bool,
        "datetime": _iso_time,
        "float": float,
        "int": int,
        "period": str,
        "timedelta": lambda span: span.isoformat(),
        "uint": int,
    }
    plain = convert.get(family(str(dtype)))
    cells: list[Any] = values.astype(object).where(values.notna(), None).tolist()
    return [None if c is None else plain(c) for c in cells] if plain else cells


def _iso_time(time: pd.Timestamp) -> str:
    """Time in ISO 8601; in UTC where it had an offset with seconds, which old local times have."""
    offset = time.utcoffset()
    odd = offset is not None and offset.seconds % 60
    return str((time.tz_convert("UTC") if odd else time).isoformat())


def json_text(cell: object) -> str:
    """JSON of a cell; ValueError or TypeError if JSON would not give the same back."""
    text = json.dumps(cell, ensure_ascii=False, allow_nan=False)
    if json.loads(text) != cell:
        message = f"JSON turns {type(cell).__name__} into something else"
        raise ValueError(message)
    return text


def text_of(cell: object) -> str:
    """Text of a plain cell, as XML Schema and CSV on the Web write it."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell if isinstance(cell, str) else repr(cell)


def restore(values: pd.Series, described: Mapping[str, Any]) -> pd.Series:
    """
    Column with the dtype that `describe` found, from cells that were plain or text.

    Parameters
    ----------
    values : pandas.Series
        The cells as a file gives them.
    described : mapping
        What `describe` said; ``empty`` may list positions of cells that are empty, not missing.

    Returns
    -------
    pandas.Series
        The column.

    Raises
    ------
    ValueError
        Or another error: the description may be hostile and the cells may have been edited.
    """
    if described["dtype"] == str(values.dtype) and described.keys() == {"name", "dtype"}:
        return values
    cells = plain_cells(values)
    for position in described.get("empty", ()):
        if cells[position] is not None:
            message = f"cell {position} is not empty"
            raise ValueError(message)
        cells[position] = ""
    return _series(cells, described).set_axis(values.index).rename(values.name)


def _series(cells: list[Any], described: Mapping[str, Any]) -> pd.Series:
    """Plain cells as a column."""
    name = described["dtype"]
    if name == "category":
        return _categorical(cells, described)
    if not _NAMED.fullmatch(name):
        message = f"there is no dtype {name!r:.60}"
        raise ValueError(message)
    kind = family(name)
    convert = _READERS[kind]
    read = [None if cell is None else convert(cell) for cell in cells]
    if _NEVER_MISSING.match(name) and None in read:
        message = f"a cell is missing, which {name} cannot be"
        raise ValueError(message)
    if kind == "datetime":
        times = pd.to_datetime(pd.Series(read, dtype="str"), format="ISO8601", utc="," in name)
        return times.astype(name)
    return pd.Series(read, dtype="object" if name == "json" else name)


def _categorical(cells: list[Any], described: Mapping[str, Any]) -> pd.Series:
    """Plain cells as a column of categories."""
    of = {"dtype": described["of"]}
    categories = pd.Index(_series(described["categories"], of))
    dtype = pd.CategoricalDtype(categories, ordered=described["ordered"])
    there = _series([cell for cell in cells if cell is not None], of)
    found = categories.get_indexer(pd.Index(there)).tolist()
    if -1 in found:
        message = f"{there[found.index(-1)]!r:.60} is none of its categories"
        raise ValueError(message)
    codes = iter(found)
    every = [-1 if cell is None else next(codes) for cell in cells]
    return pd.Series(pd.Categorical.from_codes(every, dtype=dtype))


def _text(cell: object) -> str:
    """Text as it is; anything else was edited."""
    if not isinstance(cell, str):
        message = f"{cell!r:.60} is no text"
        raise TypeError(message)
    return cell


def _whole(cell: object) -> int:
    """Whole number from text or a number."""
    if isinstance(cell, float) and not cell.is_integer():
        message = f"{cell!r} is no whole number"
        raise ValueError(message)
    return int(cell)  # type: ignore[call-overload, no-any-return] # raises for what is no number


def _truth(cell: object) -> bool:
    """Truth from text, or from a number where a format has no truth."""
    known: dict[object, bool] = {True: True, False: False, "true": True, "false": False}
    if isinstance(cell, float) and math.isnan(cell):
        message = "a number that is none is neither true nor false"
        raise ValueError(message)
    return known[cell]


def _same(cell: object) -> object:
    """Cell as it is."""
    return cell


_READERS: dict[str, Callable[[Any], Any]] = {
    "bool": _truth,
    "boolean": _truth,
    "datetime": _text,
    "float": float,
    "int": _whole,
    "json": json.loads,
    "object": _same,
    "period": _text,
    "str": _text,
    "string": _text,
    "timedelta": _text,
    "uint": _whole,
}
