"""Sites as the bytes of a file: GeoJSON, delimited text, KML, GeoPackage and GeoParquet."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pyogrio

from geo import _dtypes
from geo._keeping import KEY
from geo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

__all__ = [
    "DECIMALS",
    "Table",
    "delimited",
    "geojson",
    "geopackage",
    "geoparquet",
    "kml",
    "table_of",
]

DECIMALS = 7  # RFC 7946, section 11.2: about a centimetre; more would claim more than is known
_MAX_CELL = 131_072  # characters: Python's csv, with which the file is read, takes no more
_LAYER = "sites"  # never the name of the file: the same Sites give the same bytes
_WRITTEN = "1970-01-01T00:00:00.000Z"  # a GeoPackage says when it was made; the bytes must not
_RADII = ("uncertainty_m", "coordinateUncertaintyInMeters")
_INT_32 = range(-(2**31), 2**31)
_EXACT_INTS = range(-(2**53), 2**53 + 1)  # those that are read whole where others are missing
_INT_64 = range(-(2**63), 2**63)
_KML_TYPES = {"bool": "bool", "boolean": "bool", "float": "double", "int": "int", "uint": "int"}
_SHOWN = 5
_SHOWN_CHARACTERS = 40

_SURROGATES = "\ud800-\udfff"
_NOT_UNICODE = re.compile(f"[{_SURROGATES}]")
_NOT_C_TEXT = re.compile("\0")
_NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # XML 1.0, section 2.2


class Table(NamedTuple):
    """Sites as plain cells by column, the same as text, what the dtypes are, and the points."""

    cells: dict[str, list[Any]]
    texts: dict[str, list[str | None]]
    described: dict[str, dict[str, Any]]
    points: list[tuple[float, float] | None]


def table_of(sites: gpd.GeoDataFrame) -> Table:
    """
    Sites as plain cells.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, whose columns may bear Darwin Core's names.

    Returns
    -------
    Table
        The cells. Radii have no needless ".0"; points are rounded to 7 decimals.

    Raises
    ------
    ExportError
        If a column has a name or holds something that no file gives back.
    """
    columns = {label: sites[label] for label in sites.columns if label != "geometry"}
    _check_names(columns)
    described = {label: _dtypes.describe(values) for label, values in columns.items()}
    cells = {label: _dtypes.plain_cells(values) for label, values in columns.items()}
    for label in cells.keys() & _RADII:
        cells[label] = [int(r) if r is not None and r.is_integer() else r for r in cells[label]]
    nested = {label for label, words in described.items() if words["dtype"] == "json"}
    _refuse(cells, nested, _is_no_json, "is nothing that JSON gives back: make it text")
    texts = {label: _texts(values, nested=label in nested) for label, values in cells.items()}
    pairs = zip(sites.geometry.x, sites.geometry.y, sites.geometry.notna(), strict=True)
    points = [(round(x, DECIMALS), round(y, DECIMALS)) if at else None for x, y, at in pairs]
    table = Table(cells, texts, described, points)
    _refuse_characters(table, _NOT_UNICODE, "holds half a character (a lone surrogate)")
    return table


def _check_names(labels: Iterable[object]) -> None:
    """Raise ExportError if a column has a name that not every format gives back."""
    for label in labels:
        if not isinstance(label, str) or not label or label != label.strip():
            message = (
                f"A column is called {label!r}: a file needs names that are text, not blank and "
                "without spaces around them. Rename it."
            )
            raise ExportError(message)


def _texts(cells: list[Any], *, nested: bool) -> list[str | None]:
    """Cells as text; what only JSON can say as JSON."""
    write = _dtypes.json_text if nested else _dtypes.text_of
    return [None if cell is None else write(cell) for cell in cells]


def _refuse(
    columns: Mapping[str, list[Any]],
    labels: Collection[str],
    faulty: Callable[[Any], object],
    problem: str,
) -> None:
    """Raise ExportError naming every cell of some columns that cannot be written."""
    faults = [
        (row, label, ascii(cell), problem)
        for label in columns
        if label in labels
        for row, cell in enumerate(columns[label])
        if cell is not None and faulty(cell)
    ]
    if not faults:
        return
    ids = next(iter(columns.values()))
    shown = [
        f"row {row} (site {ids[row]!a}), column {label!a}: "
        f"{value if len(value) <= _SHOWN_CHARACTERS else f'{value[:_SHOWN_CHARACTERS]}...'} {why}"
        for row, label, value, why in faults[:_SHOWN]
    ]
    more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    message = "\n  ".join(["Some cells cannot be written (rows count from 0):", *shown, *more])
    raise ExportError(message, pd.DataFrame(faults, columns=["row", "column", "value", "problem"]))


def _refuse_characters(table: Table, pattern: re.Pattern[str], problem: str) -> None:
    """Raise ExportError naming columns and cells with characters that a format cannot carry."""
    for label in table.texts:
        if pattern.search(label):
            message = f"The name of the column {label!a} {problem}: rename it."
            raise ExportError(message)
    suspect = {
        label
        for label, texts in table.texts.items()
        if pattern.search("".join(filter(None, texts)))
    }
    _refuse(table.texts, suspect, pattern.search, f"{problem}: remove it")


def _is_no_json(cell: object) -> bool:
    """Whether JSON would not give a cell back."""
    try:
        _dtypes.json_text(cell)
    except (ValueError, TypeError, RecursionError):
        return True
    return False


def geojson(table: Table, keep: Mapping[str, Any]) -> bytes:
    """
    Build a FeatureCollection with one feature per line (RFC 7946).

    Parameters
    ----------
    table : Table
        The Sites.
    keep : mapping
        What the format has no room for.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    ExportError
        If a number is not finite, which JSON cannot say.
    """
    floats = {name for name, c in table.described.items() if _dtypes.family(_of(c)) == "float"}
    _refuse(table.cells, floats, math.isinf, "is no finite number: JSON has no other")
    lines = []
    for place, *cells in zip(table.points, *table.cells.values(), strict=True):
        geometry = place and {"type": "Point", "coordinates": place}
        properties = dict(zip(table.cells, cells, strict=True))
        feature = {"type": "Feature", "properties": properties, "geometry": geometry}
        lines.append(json.dumps(feature, ensure_ascii=False, allow_nan=False))
    # Nested cells stand as they are, for the file is JSON itself.
    columns = [{**c, "dtype": "object"} if c["dtype"] == "json" else c for c in keep["columns"]]
    kept = json.dumps({**keep, "columns": columns})
    body = ",\n".join(lines)
    start = f'{{"type": "FeatureCollection", "{KEY}": {kept}, "features": ['
    return f"{start}\n{body}\n]}}\n".encode()


def _of(described: Mapping[str, Any]) -> str:
    """Name of a dtype, or of that of its categories."""
    return str(described.get("of", described["dtype"]))


def delimited(table: Table, delimiter: str) -> bytes:
    """
    Build a table of text, the latitude and longitude among its columns.

    Parameters
    ----------
    table : Table
        The Sites, with the coordinates as columns.
    delimiter : str
        Comma or tab.

    Returns
    -------
    bytes
        The file in UTF-8, its lines ended as RFC 4180 has it.

    Raises
    ------
    ExportError
        If a cell holds a NUL character or is too long to be read again.
    """
    _refuse_characters(table, _NOT_C_TEXT, "holds a NUL character, which a table cannot carry")
    problem = f"has more than {_MAX_CELL:,} characters, which no reader of tables takes"
    _refuse(table.texts, table.texts.keys(), lambda text: len(text) > _MAX_CELL, problem)
    stream = io.StringIO(newline="")
    # Lines end in CR LF, so that a lone CR in a cell is quoted too.
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerow(table.texts)
    writer.writerows(zip(*table.texts.values(), strict=True))
    return stream.getvalue().encode()


def kml(table: Table, keep: Mapping[str, Any]) -> bytes:
    """
    Build a KML 2.2 document: one placemark per site, every column as typed extended data.

    Parameters
    ----------
    table : Table
        The Sites. The column ``name`` becomes the placemark's own name.
    keep : mapping
        What the format has no room for.

    Returns
    -------
    bytes
        The file; text is text, never HTML.

    Raises
    ------
    ExportError
        If a cell holds a control character that XML cannot carry.
    """
    _refuse_characters(table, _NOT_XML, "holds a control character that XML cannot carry")
    columns = {label: texts for label, texts in table.texts.items() if label != "name"}
    fields = "".join(
        f"<SimpleField name={quoteattr(label)} type={quoteattr(_kml_type(table, label))}/>\n"
        for label in columns
    )
    opened = [f"<SimpleData name={quoteattr(label)}>" for label in columns]
    placemarks = []
    for place, name, *texts in zip(
        table.points, table.texts["name"], *columns.values(), strict=True
    ):
        title = f"<name>{_xml(name)}</name>" if name else ""
        data = "".join(
            f"{start}{_xml(text)}</SimpleData>"
            for start, text in zip(opened, texts, strict=True)
            if text is not None
        )
        point = f"<Point><coordinates>{place[0]},{place[1]}</coordinates></Point>" if place else ""
        placemarks.append(
            f'<Placemark>{title}<ExtendedData><SchemaData schemaUrl="#{_LAYER}">{data}'
            f"</SchemaData></ExtendedData>{point}</Placemark>\n"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'
        f'<ExtendedData><Data name="{KEY}"><value>{escape(json.dumps(keep))}</value></Data>'
        f'</ExtendedData>\n<Schema name="{_LAYER}" id="{_LAYER}">\n{fields}</Schema>\n'
        f"{''.join(placemarks)}</Document></kml>\n"
    ).encode()


def _xml(text: str) -> str:
    """Text in XML; a carriage return as a reference, for XML turns it into a line feed."""
    return escape(text, {"\r": "&#13;"})


def _kml_type(table: Table, label: str) -> str:
    """Type of a KML field; its whole numbers have 32 bits, and longer ones stay text."""
    kind = _KML_TYPES.get(_dtypes.family(_of(table.described[label])), "string")
    cells = (cell for cell in table.cells[label] if cell is not None)
    return "string" if kind == "int" and not all(cell in _INT_32 for cell in cells) else kind


def geopackage(table: Table, keep: Mapping[str, Any], geometry: gpd.GeoSeries) -> bytes:
    """
    Build a GeoPackage with one layer of points.

    Parameters
    ----------
    table : Table
        The Sites.
    keep : mapping
        What the format has no room for.
    geometry : geopandas.GeoSeries
        The points.

    Returns
    -------
    bytes
        The file.

    Raises
    ------
    ExportError
        If a cell holds a NUL character, or two columns differ only in case.
    """
    _refuse_characters(table, _NOT_C_TEXT, "holds a NUL character, which GDAL cuts off")
    taken = {label.casefold(): label for label in table.cells}
    for label in table.cells:
        if taken[label.casefold()] != label:
            message = (
                f"The columns {label!r} and {taken[label.casefold()]!r} differ only in case, which "
                "is one name in a GeoPackage: rename one of them."
            )
            raise ExportError(message)
    frame = pd.DataFrame({label: _field(table, label) for label in table.cells})
    stream = io.BytesIO()
    pyogrio.write_dataframe(
        gpd.GeoDataFrame(frame, geometry=geometry.array),
        stream,
        driver="GPKG",
        layer=_LAYER,
        geometry_type="Point",
        layer_metadata={KEY: json.dumps(keep)},
        layer_options={"FID": _free("fid", taken), "GEOMETRY_NAME": _free("geom", taken)},
    )
    return _undated(stream.getvalue())


def _field(table: Table, label: str) -> pd.Series:
    """Column as numbers or truth where a GeoPackage reads them back as they are, else as text."""
    cells = table.cells[label]
    there = [cell for cell in cells if cell is not None]
    match _dtypes.family(_of(table.described[label])):
        case "float":
            return pd.Series(cells, dtype="float64")
        case "bool" | "boolean":
            return pd.Series(cells, dtype="boolean")
        case "int" | "uint":
            held = _INT_64 if len(there) == len(cells) else _EXACT_INTS
            if all(cell in held for cell in there):
                return pd.Series(cells, dtype="Int64")
    return pd.Series(table.texts[label], dtype="str")


def _free(name: str, taken: Collection[str]) -> str:
    """Name that no column has."""
    while name in taken:
        name += "_"
    return name


def _undated(data: bytes) -> bytes:
    """GeoPackage that does not say when it was made."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(data)
        database.execute("UPDATE gpkg_contents SET last_change = ?", [_WRITTEN])
        database.execute("UPDATE gpkg_metadata_reference SET timestamp = ?", [_WRITTEN])
        database.commit()
        file = bytearray(database.serialize())
    # SQLite counts transactions, of which GDAL makes more or fewer with the time that they take.
    for counter in (24, 92):  # sqlite.org/fileformat2.html, section 1.3
        file[counter : counter + 4] = b"\0\0\0\1"
    return bytes(file)


def geoparquet(table: Table, keep: Mapping[str, Any], sites: gpd.GeoDataFrame) -> bytes:
    """
    Build a GeoParquet file, dtypes as they are.

    Parameters
    ----------
    table : Table
        The Sites as plain cells, for what only JSON can say.
    keep : mapping
        What the format has no room for.
    sites : geopandas.GeoDataFrame
        The same Sites.

    Returns
    -------
    bytes
        The file.
    """
    own = {
        label: pd.Series(table.texts[label], index=sites.index, dtype="str")
        for label, words in table.described.items()
        if words["dtype"] in ("json", "object")
    }
    plain = sites.assign(**own)
    plain.attrs = {}  # they are kept as every format keeps them
    stream = io.BytesIO()
    plain.to_parquet(stream, index=False)
    arrow = pq.read_table(stream)
    metadata = {**arrow.schema.metadata, KEY.encode(): json.dumps(keep).encode()}
    stream = io.BytesIO()
    pq.write_table(arrow.replace_schema_metadata(metadata), stream)
    return stream.getvalue()
