"""A release as files of data: what is published of each row, and nothing of how it was made."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import shapely

from geo.errors import ExportError
from layers._frames import require_columns, require_crs
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["SUFFIXES", "data_bytes"]

SUFFIXES = (".csv", ".geojson", ".gpkg", ".geoparquet", ".parquet")
"""The files that `data_bytes` makes."""

_DECIMALS = 5  # of a degree: a metre, finer than any place that is released
_LAYER = "sites"  # never the name of a file: the same rows give the same bytes
_PLACE = ("latitude", "longitude")
_WRITTEN = "1970-01-01T00:00:00.000Z"  # a GeoPackage says when it was made
_COUNTERS = (24, 92)  # of SQLite's transactions: sqlite.org/fileformat2.html, section 1.3
_MARK = "\ufeff"
# What spreadsheet programs reckon with: also after blanks, and as the wide signs of East Asia.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def data_bytes(released: gpd.GeoDataFrame, suffix: str) -> bytes:
    """
    Make the data file of a release.

    The rows are ordered by ``site_id``. Texts are NFC without control characters, and what is
    blank is missing; coordinates are degrees with 5 decimals. The file holds no index, no
    ``attrs``, no second geometry, and no time at which it was made: the same rows give the same
    bytes.

    Parameters
    ----------
    released : geopandas.GeoDataFrame
        Released rows with ``site_id``: points, polygons or missing geometries.
    suffix : str
        ``.geojson`` (RFC 7946), ``.gpkg`` (GeoPackage with one layer ``sites``), ``.parquet`` or
        ``.geoparquet`` (GeoParquet), or ``.csv``.

    Returns
    -------
    bytes
        The whole file.

    Raises
    ------
    CRSError
        If the rows have no coordinate reference system.
    ExportError
        If the suffix is another, a column cannot be written or holds other geometries, or a
        number is infinite.
    SchemaError
        If there is no column ``site_id``.
    TypeError
        If `released` is not a GeoDataFrame.

    Notes
    -----
    The table (CSV) is for people with spreadsheet programs. It is UTF-8 with a byte order mark,
    without which they misread Khmer. ``latitude`` and ``longitude`` are those of points; a row
    that is known to an area only has none, and its area is named by ``admin1``, ``admin2`` and
    their codes. A cell of a grid has no name: take another format for the outlines.

    A text that begins with ``=``, ``+``, ``-`` or ``@`` gets an apostrophe before it in the
    table, so that no spreadsheet program takes a stranger's words for a formula. This is a
    release, made to be opened; the working copy of `geo.write_sites` changes no text.
    """
    kind = str(suffix).casefold()
    if kind not in SUFFIXES:
        message = f"A release has no data file {suffix!r}: choose among {', '.join(SUFFIXES)}."
        raise ExportError(message)
    frame = _public(released)
    match kind:
        case ".csv":
            return _csv(frame)
        case ".geojson":
            return _geojson(frame)
        case ".gpkg":
            return _geopackage(frame)
        case _:
            return _geoparquet(frame)


# --------------------------------------------------------------------------------- the rows


def _public(released: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows by ``site_id`` with plain columns and rounded geometries, and nothing else."""
    require_crs(released, "released")
    require_columns(released, ("site_id",), "released")
    rows = released.to_crs(4326)
    rows = rows.iloc[np.argsort([plain(name) for name in rows["site_id"]], kind="stable")]
    given = [label for label in rows.columns if label != rows.geometry.name]
    names = [plain(label) for label in given]
    _check_names(names)
    columns = {
        name: _plain_column(rows.iloc[:, rows.columns.get_loc(label)], name)
        for name, label in zip(names, given, strict=True)
    }
    geometry = gpd.GeoSeries(_rounded(rows.geometry.to_numpy()), crs=4326)
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=geometry)


def _check_names(names: list[str]) -> None:
    """Raise ExportError unless every format can tell the columns apart."""
    taken: set[str] = {"geometry", *_PLACE}
    for name in names:
        if not name or name.casefold() in taken:
            message = (
                f"A column is called {name!r}, which is blank, the name of another one but for "
                "its case, or one of geometry, latitude and longitude: rename it."
            )
            raise ExportError(message)
        taken.add(name.casefold())


def _plain_column(values: pd.Series, name: str) -> pd.Series:
    """Cells as truth, numbers or text, whatever they were."""
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind):
        return pd.Series(values.astype("boolean").array)
    if pd.api.types.is_integer_dtype(kind):
        return pd.Series(values.astype("Int64").array)
    if pd.api.types.is_float_dtype(kind):
        numbers = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(numbers).any():
            message = f"The column {name!r} holds an infinite number, which is no fact: remove it."
            raise ExportError(message)
        return pd.Series(numbers)
    if any(isinstance(cell, shapely.Geometry) for cell in values):
        message = (
            f"The column {name!r} holds geometries beside the released ones: drop it, for it may "
            "be the places that the release is to protect."
        )
        raise ExportError(message)
    return pd.Series([plain(cell) or None for cell in values], dtype="str")


def _rounded(shapes: np.ndarray) -> np.ndarray:
    """Geometries in two dimensions to 5 decimals, valid if they were; nothing for empty ones."""

    def near(degrees: np.ndarray) -> np.ndarray:
        rounded: np.ndarray = np.round(degrees, _DECIMALS) + 0.0  # no -0.0
        return rounded

    found = np.asarray(shapely.transform(shapes, near), dtype=object)
    broken = shapely.is_valid(shapes) & ~shapely.is_valid(found)
    mended = shapely.set_precision(shapely.force_2d(shapes[broken]), 10.0**-_DECIMALS)
    found[broken] = shapely.transform(mended, near)
    found[shapely.is_empty(found)] = None
    # RFC 7946, section 3.1.6: outer rings run against the clock
    return np.asarray(shapely.orient_polygons(found), dtype=object)


def _cells(values: pd.Series) -> list[Any]:
    """Cells as Python has them, None where missing; whole numbers without a fraction."""
    cells = [None if pd.isna(cell) else cell for cell in values.astype(object)]
    return [int(c) if isinstance(c, float) and c.is_integer() else c for c in cells]


# -------------------------------------------------------------------------------- the files


def _geojson(frame: gpd.GeoDataFrame) -> bytes:
    """Build a FeatureCollection with one feature per line."""
    columns = {name: _cells(frame[name]) for name in frame.columns if name != "geometry"}
    lines = []
    for shape, *cells in zip(frame.geometry, *columns.values(), strict=True):
        geometry = None if shape is None else shapely.geometry.mapping(shape)
        properties = dict(zip(columns, cells, strict=True))
        feature = {"type": "Feature", "properties": properties, "geometry": geometry}
        lines.append(json.dumps(feature, ensure_ascii=False, allow_nan=False))
    body = ",\n".join(lines)
    return f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'.encode()


def _csv(frame: gpd.GeoDataFrame) -> bytes:
    """Build a table that a spreadsheet program opens as text and numbers."""
    columns = {name: _cells(frame[name]) for name in frame.columns if name != "geometry"}
    shapes = frame.geometry.to_numpy()
    # of anything else than a point, neither is a number
    place = zip(_PLACE, (shapely.get_y(shapes), shapely.get_x(shapes)), strict=True)
    columns |= {name: _cells(pd.Series(degrees)) for name, degrees in place}
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)  # lines end in CR LF, as RFC 4180 has it
    writer.writerow([_safe(name) for name in columns])
    writer.writerows([_safe(cell) for cell in row] for row in zip(*columns.values(), strict=True))
    return f"{_MARK}{stream.getvalue()}".encode()


def _safe(cell: object) -> object:
    """Keep a text a text where a spreadsheet program opens it."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def _geopackage(frame: gpd.GeoDataFrame) -> bytes:
    """Build a GeoPackage with one layer of any geometries."""
    taken = {name.casefold() for name in frame.columns}
    stream = io.BytesIO()
    pyogrio.write_dataframe(
        frame,
        stream,
        driver="GPKG",
        layer=_LAYER,
        geometry_type="Unknown",  # points and polygons in one
        layer_options={"FID": _free("fid", taken), "GEOMETRY_NAME": _free("geom", taken)},
    )
    return _undated(stream.getvalue())


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
        database.commit()
        file = bytearray(database.serialize())
    # GDAL makes more or fewer transactions with the time that they take
    for counter in _COUNTERS:
        file[counter : counter + 4] = b"\0\0\0\1"
    return bytes(file)


def _geoparquet(frame: gpd.GeoDataFrame) -> bytes:
    """Build a GeoParquet file that knows of no frame."""
    stream = io.BytesIO()
    frame.to_parquet(stream, index=False)
    arrow = pq.read_table(stream)
    places = json.loads(arrow.schema.metadata[b"geo"])
    places.pop("creator", None)  # nor what pandas says of index, versions and attrs
    stream = io.BytesIO()
    pq.write_table(arrow.replace_schema_metadata({"geo": json.dumps(places)}), stream)
    return stream.getvalue()
