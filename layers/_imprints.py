"""Who made a file, where and when: what programs write into it unasked."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import struct
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Any

from layers._containers import PICTURES, SQLITE, exif_of, opened, refuse_unreadable, without_pixels
from layers._inflating import Budget, DamagedError, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["imprints"]

_MOST_BYTES = 1 << 30
_DEEPEST = 8
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_ZIP_FIELDS = {0x5455, 0x000A, 0x5855, 0x7855, 0x7875}  # times and owners
_GZIP_TIME = slice(4, 8)
_KEPT = "compound_atlas"  # where `geo.write_sites` keeps the attrs of a frame

_PATH = re.compile(
    rb"(?<![\w./:-])/(?:home|Users)/[^\s/\"'<>\\]|\b[A-Za-z]:[\\/]+Users[\\/]+[^\s\\/\"'<>]"
    rb"|\bfile://+[\w/]"
)
_TOOLS = rb"(?!openpyxl<|XlsxWriter<|python-docx<)"
_WORDS = {
    "an author": re.compile(
        rb"/Author\s*(?:\((?!\))|<[0-9A-Fa-f])|<(?:dc:creator|cp:lastModifiedBy|Company|Manager"
        rb"|atom:name|photoshop:Credit|xmpRights:Owner)\b[^<>]*>\s*"
        + _TOOLS
        + rb"[^<\s]|<dc:creator>\s*<rdf:Seq>"
    ),
    "a time of day at which it was made": re.compile(
        rb"/(?:CreationDate|ModDate)\s*\(D:\d{8}(?!0{6})\d"
        rb"|<(?:dcterms:(?:created|modified)|dc:date|xmp:\w*Date)\b[^<>]*>\s*\d{4}-\d\d-\d\dT"
        rb"(?!00:00(?::00)?\b)|\bxmp:\w*Date=\"\d{4}-\d\d-\d\dT(?!00:00(?::00)?\b)"
    ),
}
_TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt"}
_PNG_AUTHORS = (b"author", b"artist")
_PNG_TIMES = (b"creation time", b"date:create", b"date:modify", b"date:timestamp")
_EXIF = {
    "an author": {315, 316, 40093, 42032},
    "a time of day at which it was made": {306, 36867, 36868},
    "the number of a camera or lens": {42033, 42037},
}
_MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\d(?:T00:00:00(?:\.0*)?Z?)?")


def imprints(data: bytes, *, is_page: bool, depth: int = 0) -> list[str]:
    """
    Find what programs have written into a file about its making.

    Parameters
    ----------
    data : bytes
        The file.
    is_page : bool
        Whether it is HTML, which has no parts.
    depth : int, default 0
        In how many others it lies.

    Returns
    -------
    list of str
        What was found, each once; nothing of its words.

    Raises
    ------
    ReadError
        If the file is damaged or encrypted, or too much is packed in it.
    """
    found = ["the path of somebody's folder"] if _PATH.search(data) else []
    if is_page:
        return found
    refuse_unreadable(data)
    found += [words for words, pattern in _WORDS.items() if pattern.search(data)]
    found += _of_container(data)
    if depth < _DEEPEST:
        for _, content, is_file in streams(without_pixels(data), Budget(_MOST_BYTES)):
            try:
                found += imprints(content, is_page=False, depth=depth + 1)
            except DamagedError:
                if is_file:
                    raise
    return list(dict.fromkeys(found))


def _of_container(data: bytes) -> Iterator[str]:
    """Look where each format keeps such things."""
    if data.startswith(SQLITE):
        yield from _of_database(data)
    elif data.startswith(b"PAR1"):
        yield from _of_parquet(data)
    elif data.startswith(b"PK\x03\x04"):
        yield from _of_archive(data)
    elif data.startswith(b"\x1f\x8b") and any(data[_GZIP_TIME]):
        yield "a time of day at which it was packed"
    if data.startswith(PICTURES):
        yield from _of_picture(data)


def _of_database(data: bytes) -> Iterator[str]:
    """Look through the tables that describe a GeoPackage."""
    try:
        with closing(opened(data)) as database:
            contents = _asked(database, "SELECT data_type, last_change FROM gpkg_contents")
            columns = _asked(database, "SELECT 1 FROM gpkg_geometry_columns")
            times = _asked(database, "SELECT timestamp FROM gpkg_metadata_reference")
            styles = _asked(database, "SELECT 1 FROM layer_styles WHERE owner <> ''")
    except (sqlite3.Error, OverflowError, MemoryError) as error:
        message = "it is a damaged database: write it again"
        raise DamagedError(message) from error
    if sum(kind == "features" for kind, _ in contents) > 1:
        yield "several layers in one GeoPackage"
    if len(columns) > 1:
        yield "several geometry columns"
    if not all(_MIDNIGHT.fullmatch(str(row[-1])) for row in [*contents, *times] if row[-1]):
        yield "a time of day at which it was made"
    if styles:
        yield "an author"


def _asked(database: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    """Return rows of a table, none if it does not exist."""
    try:
        return database.execute(query).fetchall()
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            return []
        raise


def _of_parquet(data: bytes) -> Iterator[str]:
    """Look through the metadata of a table of columns."""
    import pyarrow as pa  # noqa: PLC0415  # takes long to load
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        metadata = dict(pq.read_schema(pa.BufferReader(data)).metadata or {})
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        message = "it is a damaged Parquet file: write it again"
        raise DamagedError(message) from error
    if len(_json(metadata.get(b"geo")).get("columns") or ()) > 1:
        yield "several geometry columns"
    kept = _json(metadata.get(_KEPT.encode())).get("attrs")
    if (
        kept
        or _json(metadata.get(b"PANDAS_ATTRS"))
        or _json(metadata.get(b"pandas")).get("attributes")
    ):
        yield "attrs of the frame"


def _json(text: bytes | None) -> dict[str, Any]:
    """Read a JSON object; what is none is empty."""
    try:
        value = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _of_archive(data: bytes) -> Iterator[str]:
    """Look through the directory of a ZIP."""
    try:
        members = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        message = "it is a damaged ZIP archive: write it again"
        raise DamagedError(message) from error
    fields = {field for member in members for field in _extra_fields(member.extra)}
    if any(member.date_time != _ZIP_EPOCH for member in members) or fields & _ZIP_FIELDS:
        yield "a time of day at which it was packed"


def _extra_fields(extra: bytes) -> Iterator[int]:
    """Return the numbers of what a ZIP says of a member besides."""
    at = 0
    while at + 4 <= len(extra):
        number, size = struct.unpack_from("<2H", extra, at)
        yield number
        at += 4 + size


def _of_picture(data: bytes) -> Iterator[str]:
    """Look at what is written beside the pixels."""
    fields, position = exif_of(data)
    yield from (words for words, numbers in _EXIF.items() if numbers & set(fields))
    if position:
        yield "the place where a picture was taken"
    at = 8
    while data.startswith(PICTURES[0]) and at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        keyword = data[at + 8 : at + 8 + size].partition(b"\0")[0].lower()
        if kind == b"tIME" or (kind in _TEXT_CHUNKS and keyword in _PNG_TIMES):
            yield "a time of day at which it was made"
        elif kind in _TEXT_CHUNKS and keyword in _PNG_AUTHORS:
            yield "an author"
        at += 12 + size
