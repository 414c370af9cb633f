"""What a file format has no room for, and how it is kept beside the rows all the same.

One small JSON document says the dtype of every column and holds the attrs. It lies where each
format lets others put things: a foreign member of a GeoJSON FeatureCollection (RFC 7946, section
6.1), the extended data of a KML document, the metadata of a GeoPackage layer, the metadata of a
Parquet schema, and for CSV a file beside it, named and built as W3C's CSV on the Web has it.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd

from geo import _dtypes, _recognition
from geo._columns import SITE_SCHEMA
from geo.errors import GeoWarning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["DATUM", "KEY", "csv_metadata", "is_ours", "kept", "metadata_file", "with_kept"]

KEY = "compound_atlas"
_VERSION = 1
_HASH = "source_sha256"
_OF_READING = {_HASH, "read_report"}  # the file that is written will be read in its own way
DATUM = "EPSG:4326"
_AXES = {"latitude", "longitude"}
_DELIMITED = {".csv", ".tsv", ".txt"}
# CSV on the Web has a datatype for these; everything else is text there.
_DATATYPES = {
    "bool": "boolean",
    "boolean": "boolean",
    "int": "integer",
    "uint": "integer",
    "float": "double",
    "datetime": "dateTime",
}


def kept(described: Mapping[str, Mapping[str, Any]], attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """
    Document of what a format has no room for.

    Parameters
    ----------
    described : mapping of str to mapping
        What `geo._dtypes.describe` says of each column.
    attrs : mapping
        The attrs; those that are no JSON are left out with a warning.

    Returns
    -------
    dict
        ``version``, ``columns`` and ``attrs``.
    """
    known = _known(list(described))
    columns = []
    for name, words in described.items():
        said = {"dtype": words.get("of", words["dtype"])} if name in known else words
        columns.append({"name": name, **said})
    return {"version": _VERSION, "columns": columns, "attrs": _lasting(attrs)}


def _lasting(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Attrs that JSON gives back as they are; a warning names the others."""
    lasting, lost = {}, []
    for name, value in attrs.items():
        if name in _OF_READING:
            continue
        try:
            _dtypes.json_text({name: value}).encode()
        except (ValueError, TypeError, RecursionError):
            lost.append(repr(name))
        else:
            lasting[name] = value
    if lost:
        message = f"The attrs {', '.join(lost)} are not written: JSON cannot give them back."
        warnings.warn(message, GeoWarning, stacklevel=5)
    return lasting


def metadata_file(file: Path) -> Path:
    """
    Where CSV on the Web looks for what belongs to a file.

    Parameters
    ----------
    file : pathlib.Path
        The file.

    Returns
    -------
    pathlib.Path
        ``NAME-metadata.json`` beside it.
    """
    return file.with_name(f"{file.name}-metadata.json")


def csv_metadata(keep: Mapping[str, Any], file: Path, data: bytes, delimiter: str) -> bytes | None:
    """
    Metadata of a delimited file, if it needs any.

    Parameters
    ----------
    keep : mapping
        What `kept` gave.
    file : pathlib.Path
        Where the data goes.
    data : bytes
        The data, whose hash the metadata carries: a file edited later is not what it describes.
    delimiter : str
        Its delimiter.

    Returns
    -------
    bytes or None
        A JSON document; None where every column is text and there are no attrs.
    """
    own = [column for column in keep["columns"] if not _is_plain(column, keep["columns"])]
    if not own and not keep["attrs"]:
        return None
    columns = [
        {"titles": column["name"], "datatype": _datatype(column)} for column in keep["columns"]
    ]
    document: dict[str, Any] = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": quote(file.name),
        "dialect": {"delimiter": delimiter},
        "tableSchema": {"columns": columns},
        "notes": [{KEY: {**keep, "sha256": hashlib.sha256(data).hexdigest()}}],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def _is_plain(column: Mapping[str, Any], columns: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a column comes out of a delimited file as it went in."""
    known = _known([other["name"] for other in columns])
    return column["name"] in known or (column["dtype"] == "string" and "empty" not in column)


def _datatype(column: Mapping[str, Any]) -> str:
    """Name of a column's dtype in CSV on the Web."""
    return _DATATYPES.get(_dtypes.family(column.get("of", column["dtype"])), "string")


def _known(names: Sequence[object]) -> set[object]:
    """Columns whose dtype the schema decides; one coordinate alone is nobody's place."""
    found = _recognition.find(names)
    ours = {column.name for column in SITE_SCHEMA}
    ours |= _AXES if found.keys() >= _AXES else set()
    return {name for meaning in found.keys() & ours for name in found[meaning]}


def is_ours(file: Path) -> bool:
    """
    Tell whether a metadata file is one that `csv_metadata` made.

    Parameters
    ----------
    file : pathlib.Path
        The metadata file.

    Returns
    -------
    bool
        Whether it is, and nothing of others is lost with it.
    """
    try:
        return _noted(json.loads(file.read_bytes())) is not None
    except (OSError, ValueError, RecursionError):
        return False


def _noted(document: object) -> Any:  # noqa: ANN401 - whatever the file holds
    """Our note in metadata of CSV on the Web, None where there is none."""
    notes = document.get("notes") if isinstance(document, dict) else None
    ours = [n[KEY] for n in notes if isinstance(n, dict) and KEY in n] if notes else []
    return ours[0] if ours else None


def with_kept(frame: pd.DataFrame, file: Path, data: bytes) -> tuple[pd.DataFrame, dict[str, Any]]:
    """
    Give back to a table what was kept beside it.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table as the file has it; ``attrs["compound_atlas"]`` is what was kept within it.
    file : pathlib.Path
        The file.
    data : bytes
        Its content.

    Returns
    -------
    tuple of (pandas.DataFrame, dict)
        The table as it was written, and its attrs with the hash of the file read.
    """
    digest = hashlib.sha256(data).hexdigest()
    raw = frame.attrs.get(KEY)
    frame = _without_datum(frame.copy(deep=False))
    frame.attrs = {}
    if raw is None and file.suffix.casefold() in _DELIMITED:
        raw = _beside(file, digest)
    columns, attrs = _understood(raw, file.name)
    return _restored(frame, columns, file.name), {**attrs, _HASH: digest}


def _without_datum(frame: pd.DataFrame) -> pd.DataFrame:
    """Frame without the column that only says what `write_sites` says: degrees in WGS 84."""
    if not {"decimalLatitude", "geodeticDatum"}.issubset(map(str, frame.columns)):
        return frame
    datum = frame["geodeticDatum"]
    said = isinstance(datum, pd.Series) and set(datum.dropna()) <= {DATUM}
    return frame.drop(columns="geodeticDatum") if said else frame


def _beside(file: Path, digest: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read what the metadata beside a file keeps of it, unless the file has changed since."""
    beside = metadata_file(file)
    if not beside.is_file():
        return None
    try:
        raw = _noted(json.loads(beside.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        _warn(f"{beside.name} cannot be read ({error}): {file.name} is read without it.")
        return None
    if isinstance(raw, dict) and raw.get("sha256") != digest:
        _warn(
            f"{file.name} has changed since {beside.name} was written: the dtypes and attrs in "
            "it are left out. Delete it, or write the Sites again."
        )
        return None
    return raw


def _understood(raw: Any, name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:  # noqa: ANN401
    """Columns and attrs of what was kept; nothing, with a warning, where it makes no sense."""
    if raw is None:
        return [], {}
    try:
        document = json.loads(raw) if isinstance(raw, str | bytes) else raw
        return _checked(document)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        _warn(
            f"What {name} keeps of dtypes and attrs is not understood ({error!r:.100}): its "
            "columns come as they are in the file."
        )
        return [], {}


def _checked(document: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Columns and attrs of a document; one of several errors if it is not made like ours."""
    if document["version"] != _VERSION:
        message = f"its version {document['version']!r:.20} is not {_VERSION}"
        raise ValueError(message)
    columns, attrs = document["columns"], document["attrs"]
    if not isinstance(attrs, dict) or not all(isinstance(c["name"], str) for c in columns):
        message = "columns without names, or attrs without"
        raise TypeError(message)
    return columns, attrs


def _restored(frame: pd.DataFrame, columns: list[dict[str, Any]], name: str) -> pd.DataFrame:
    """Frame whose own columns have their dtypes again; a warning names those that do not fit."""
    labels = set(frame.columns) - _known(list(frame.columns)) - {"geometry"}
    unfit = []
    for column in columns:
        label = column["name"]
        if label not in labels:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                frame[label] = _dtypes.restore(frame[label], column)
        except Exception as error:  # noqa: BLE001 - what is kept may be hostile
            unfit.append(f"{label!r} ({error!s:.100})")
    if unfit:
        _warn(f"Columns of {name} no longer fit the dtypes kept for them: {'; '.join(unfit)}.")
    return frame


def _warn(message: str) -> None:
    """Warn where `read_sites` was called."""
    warnings.warn(message, GeoWarning, stacklevel=5)
