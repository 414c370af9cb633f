"""What is in databases, tables of columns, documents and pictures."""

from __future__ import annotations

import base64
import io
import json
import re
import sqlite3
import struct
import warnings
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import ReadError
from layers._binary_geometry import GEOMETRY, system_of, vertices
from layers._inflating import DamagedError
from layers._payload_reading import Part, row_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from layers._inflating import Budget

__all__ = [
    "PICTURES",
    "SQLITE",
    "exif_of",
    "opened",
    "parts_of",
    "refuse_unreadable",
    "vertices",
    "without_pixels",
]

# Formats for which there is no reader here.
_UNREADABLE = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old or an encrypted Office file",
    b"PARE": "an encrypted Parquet file",
}
SQLITE = b"SQLite format 3\0"
_PNG = b"\x89PNG\r\n\x1a\n"
PICTURES = (_PNG, b"\xff\xd8\xff", b"II*\0", b"MM\0*")
_NODE = np.dtype(
    [("id", ">i8"), ("west", ">f4"), ("east", ">f4"), ("south", ">f4"), ("north", ">f4")]
)
_LONGEST_CELL = 1 << 28
_ROWS = 20_000  # read at once
_SMALL = 64  # bytes: cells below are looked at together
_STEPS, _MOST_STEPS = 100_000, 100_000  # of SQLite's machine: a call each, and calls in all
_SHOWN = re.compile(
    rb"\[((?:[^\[\]()\\]|\\.|\((?:[^()\\]|\\.)*\))*)\]\s*TJ|\(((?:[^()\\]|\\.)*)\)\s*Tj", re.DOTALL
)
_STRING = re.compile(rb"\(((?:[^()\\]|\\.)*)\)", re.DOTALL)
_ASCII85 = re.compile(rb"stream\r?\n([!-uz\s]{4,}~>)")
_GPS_IFD, _EXIF_IFD = 0x8825, 0x8769
_DEGREES = np.array([1, 1 / 60, 1 / 3600])


def refuse_unreadable(data: bytes) -> None:
    """
    Stop at a file into which nobody can look here.

    Parameters
    ----------
    data : bytes
        The file.

    Raises
    ------
    ReadError
        If its format is closed or unknown.
    """
    for start, words in _UNREADABLE.items():
        if data.startswith(start):
            message = f"it is {words}, which cannot be looked into: write it in another format"
            raise ReadError(message)


def parts_of(data: bytes, budget: Budget) -> Iterator[Part]:
    """
    Take a container apart; of other bytes there are no parts.

    Parameters
    ----------
    data : bytes
        A SQLite database, a Parquet or an Arrow file, a PDF, a picture, a binary geometry.
    budget : Budget
        What may be decoded.

    Yields
    ------
    Part
        Rows as text, geometries as coordinates, other contents as bytes.

    Raises
    ------
    ReadError
        If it is damaged or holds more than the budget.
    """
    if data.startswith(SQLITE):
        yield from _database(data)
    elif data.startswith((b"PAR1", b"ARROW1")):
        yield from _columnar(data, budget)
    elif b"%PDF-" in data[:1024]:
        yield from _document(data)
    elif data.startswith(PICTURES):
        yield from _picture(data)
    elif GEOMETRY.match(data):
        found = vertices([data])
        if len(found):
            yield Part("geometry", found)
    if b" Tf" in data:  # a font is chosen, as on every page of a PDF that has words
        yield Part("text shown", _shown(data))


def without_pixels(data: bytes) -> bytes:
    """
    Leave the pixels out of a PNG: they are compressed, and no place can be read in them.

    Parameters
    ----------
    data : bytes
        Any bytes.

    Returns
    -------
    bytes
        Of a PNG its other chunks and what follows them; of anything else all.

    Raises
    ------
    ReadError
        If it is a PNG that is cut off.
    """
    if not data.startswith(_PNG):
        return data
    kept, at = [data[:8]], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        kind, end = data[at + 4 : at + 8], at + 12 + size
        if end > len(data):
            message = "it is a damaged PNG: write it again"
            raise DamagedError(message)
        kept.append(b"" if kind in {b"IDAT", b"fdAT"} else data[at:end])
        at = len(data) if kind == b"IEND" else end
        kept.append(data[end:] if kind == b"IEND" else b"")
    return b"".join(kept)


def opened(data: bytes) -> sqlite3.Connection:
    """
    Open a SQLite database that may be hostile, in memory.

    Parameters
    ----------
    data : bytes
        The database.

    Returns
    -------
    sqlite3.Connection
        To be closed. A query that does not end is interrupted.

    Raises
    ------
    sqlite3.Error
        If it is damaged.
    """
    calls = iter(range(_MOST_STEPS))
    database = sqlite3.connect(":memory:")
    # A database in memory has no journal beside it: say so in its header.
    database.deserialize(data[:18] + b"\1\1" + data[20:])
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL)
    database.text_factory = lambda raw: raw.decode("utf-8", "replace")
    database.set_progress_handler(lambda: next(calls, None) is None, _STEPS)
    return database


def _database(data: bytes) -> Iterator[Part]:
    """Read every table of a SQLite database."""
    try:
        with closing(opened(data)) as database:
            systems = _systems(database)
            tables = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' "
                "AND sql NOT LIKE 'CREATE VIRTUAL%'"
            ).fetchall()
            for number, (name,) in enumerate(tables, start=1):
                quoted = str(name).replace('"', '""')
                cursor = database.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608  # quoted
                while rows := cursor.fetchmany(_ROWS):
                    where = f"table {number}"
                    yield from _rows(rows, where, systems, index=str(name).endswith("_node"))
    except (sqlite3.Error, OverflowError, MemoryError, ValueError) as error:
        message = "it is a damaged database: write it again"
        raise DamagedError(message) from error


def _systems(database: sqlite3.Connection) -> dict[int, str]:
    """Return the reference systems of a GeoPackage by their numbers."""
    try:
        found = database.execute(
            "SELECT srs_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id > 0"
        )
        return {int(number): str(words) for number, words in found}
    except (sqlite3.Error, TypeError, ValueError):  # no GeoPackage
        return {}


def _rows(
    rows: list[tuple[Any, ...]], where: str, systems: dict[int, str], *, index: bool
) -> Iterator[Part]:
    """Read rows of a table: texts and numbers line by line, then what is binary."""
    lines = ["\t".join([str(c) for c in row if not isinstance(c, bytes)]) for row in rows]
    yield Part(f"{where} > rows", "\n".join(lines))
    blobs = [cell for row in rows for cell in row if isinstance(cell, bytes)]
    if index:
        yield Part(f"{where} > index", _corners(blobs))
    by_system = defaultdict(list)
    for blob in blobs:
        if GEOMETRY.match(blob):
            by_system[system_of(blob)].append(blob)
    for number, found in by_system.items():
        yield Part(f"{where} > geometries", vertices(found, systems.get(number)))
    yield from _binary([blob for blob in blobs if not GEOMETRY.match(blob)], where)


def _binary(blobs: list[bytes], where: str) -> Iterator[Part]:
    """Give binary cells out, small ones together."""
    large = [blob for blob in blobs if len(blob) >= _SMALL]
    yield from (Part(f"{where} > binary cell", blob) for blob in large)
    yield Part(f"{where} > binary cells", b"\n".join(b for b in blobs if len(b) < _SMALL))


def _corners(nodes: list[bytes]) -> NDArray[np.float64]:
    """Read the boxes in a spatial index: those of points are the points, to a metre."""
    found = [np.zeros((0, 2))]
    for node in nodes:
        count = min(int.from_bytes(node[2:4]), (len(node) - 4) // _NODE.itemsize)
        if count > 0:
            cells = np.frombuffer(node, _NODE, count, offset=4)
            found += [
                np.column_stack([cells[x], cells[y]]).astype(float)
                for x, y in (("west", "south"), ("east", "north"))
            ]
    corners = np.concatenate(found)
    finite: NDArray[np.float64] = corners[np.isfinite(corners).all(axis=1)]
    return finite


def _columnar(data: bytes, budget: Budget) -> Iterator[Part]:
    """Read a Parquet or an Arrow file."""
    import pyarrow as pa  # noqa: PLC0415  # takes long to load
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        if data.startswith(b"PAR1"):
            file = pq.ParquetFile(pa.BufferReader(data))
            schema, batches = file.schema_arrow, file.iter_batches(_ROWS)
            # A column that repeats one value may be a thousand times larger than its file.
            budget.take(file.metadata.num_rows * max(file.metadata.num_columns, 1))
        else:
            reader = pa.ipc.open_file(pa.BufferReader(data))
            schema = reader.schema
            batches = (reader.get_batch(i) for i in range(reader.num_record_batches))
        metadata = dict(schema.metadata or {})
        for number, value in enumerate(metadata.values(), start=1):
            yield Part(f"metadata {number}", value)
        systems = _column_systems(metadata)
        for batch in batches:
            yield from _batch(batch, systems, pa)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, ReadError):
            raise
        message = "it is a damaged Parquet or Arrow file: write it again"
        raise DamagedError(message) from error


def _column_systems(metadata: dict[bytes, bytes]) -> dict[str, object]:
    """Return the reference systems of a GeoParquet file by column; none for degrees."""
    try:
        columns = json.loads(metadata[b"geo"])["columns"]
        return {name: about.get("crs") for name, about in columns.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _batch(batch: Any, systems: dict[str, object], pa: Any) -> Iterator[Part]:  # noqa: ANN401
    """Read some rows of a table of columns."""
    kinds = [column.type for column in batch.columns]
    binary = [
        pa.types.is_binary(k) or pa.types.is_large_binary(k) or pa.types.is_fixed_size_binary(k)
        for k in kinds
    ]
    pairs = list(zip(batch.schema.names, batch.columns, binary, strict=True))
    yield Part("rows", row_text([column for _, column, is_binary in pairs if not is_binary]))
    for number, (name, column, is_binary) in enumerate(pairs, start=1):
        if is_binary:
            blobs = [blob for blob in column.to_pylist() if blob]
            yield Part(f"geometries of column {number}", vertices(blobs, systems.get(name)))
            rest = [blob for blob in blobs if not GEOMETRY.match(blob)]
            yield from _binary(rest, f"column {number}")


def _document(data: bytes) -> Iterator[Part]:
    """Read what a PDF has in other forms than deflated streams."""
    if b"/Encrypt" in data or b"/LZWDecode" in data:
        message = "it is an encrypted or a very old PDF: write it again, open to be checked"
        raise ReadError(message)
    for number, match in enumerate(_ASCII85.finditer(data), start=1):
        try:
            yield Part(f"ASCII85 {number}", base64.a85decode(b"<~" + match[1], adobe=True))
        except ValueError:  # letters that happen to stand there
            continue


def _shown(data: bytes) -> str:
    """Put the words together that a page of a PDF shows in pieces."""
    words = [
        b"".join(_STRING.findall(match[1])) if match[1] is not None else match[2]
        for match in _SHOWN.finditer(data)
    ]
    return b"\n".join(words).decode("utf-8", "replace")


def exif_of(data: bytes) -> tuple[dict[int, Any], dict[int, Any]]:
    """
    Read what a camera or a program has written beside the pixels of a picture.

    Parameters
    ----------
    data : bytes
        A PNG, JPEG or TIFF.

    Returns
    -------
    fields, position : dict of int to Any
        Values by EXIF's numbers, and those of the place where it was taken.

    Raises
    ------
    ReadError
        If the picture is damaged.
    """
    from PIL import Image  # noqa: PLC0415  # takes long to load

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the picture's quality
            exif = Image.open(io.BytesIO(data)).getexif()
            return {**exif, **exif.get_ifd(_EXIF_IFD)}, dict(exif.get_ifd(_GPS_IFD))
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
        Image.DecompressionBombError,
    ) as error:
        message = "it is a damaged picture: write it again"
        raise DamagedError(message) from error


def _picture(data: bytes) -> Iterator[Part]:
    """Read what is written beside the pixels of a picture."""
    fields, position = exif_of(data)
    for tag, value in fields.items():
        yield Part(f"EXIF {int(tag)}", value if isinstance(value, bytes) else str(value))
    try:
        lat, lon = (float(np.array(position[k], dtype=float) @ _DEGREES) for k in (2, 4))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return
    south, west = (str(position.get(k, "")) in letters for k, letters in ((1, "Ss"), (3, "Ww")))
    yield Part("EXIF position", np.array([[-lon if west else lon, -lat if south else lat]]))
