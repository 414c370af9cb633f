"""Feature files: GeoJSON, GeoPackage and GeoParquet; the index counts features from 1."""

from __future__ import annotations

import json
import re
import sqlite3
import warnings
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely

from geo import _recognition
from geo._keeping import KEY
from geo._tables import decode
from geo.errors import GeoWarning, NotFoundError, ReadError

__all__ = ["read_geojson", "read_geopackage", "read_geoparquet"]


def _refuse_constant(text: str) -> NoReturn:
    """Refuse NaN and Infinity, which are not JSON."""
    message = f"{text} is not JSON"
    raise ValueError(message)


def _geojson_document(data: bytes, name: str) -> dict[str, Any]:
    """Document of a GeoJSON file as a FeatureCollection."""
    text = decode(data, name)
    if not text.strip():
        message = f"{name} is empty."
        raise ReadError(message)
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
        if re.search(r"\\u[dD][89a-fA-F]", text):
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        message = f"{name} is not valid JSON: {error}. It may be cut short: export it again."
        raise ReadError(message) from error
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "Feature":
        return {"features": [document]}
    features = document.get("features") if kind == "FeatureCollection" else None
    if not isinstance(features, list):
        found = f"type {kind!r}" if kind else "JSON of another kind"
        message = f"{name} is {found}: a GeoJSON FeatureCollection is needed."
        raise ReadError(message)
    return dict(document)


def _geojson_crs(document: dict[str, Any], name: str) -> pyproj.CRS:
    """Return WGS 84, unless the file names another as it could before RFC 7946."""
    crs = document.get("crs")
    if crs is None:
        return pyproj.CRS("EPSG:4326")
    try:
        return pyproj.CRS(crs["properties"]["name"])
    except (KeyError, TypeError, pyproj.exceptions.CRSError) as error:
        message = f"{name} names a coordinate reference system that is unknown: {crs!r}."
        raise ReadError(message) from error


def _feature(feature: Any, number: int, name: str) -> tuple[dict[str, Any], Any]:  # noqa: ANN401
    """Properties and shape of one feature."""
    try:
        properties = dict(feature["properties"] or {})
        shape = feature["geometry"]
        if shape is not None and shape.get("coordinates", shape.get("geometries")) == []:
            shape = None
        geometry = None if shape is None else shapely.geometry.shape(shape)
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        RecursionError,
        shapely.errors.ShapelyError,
    ) as error:
        message = f"Feature {number} of {name} is no GeoJSON feature ({error})."
        raise ReadError(message) from error
    if "geometry" in properties:
        message = f"Feature {number} of {name} has a property called 'geometry': rename it."
        raise ReadError(message)
    return properties, geometry


def read_geojson(data: bytes, name: str) -> gpd.GeoDataFrame:
    """
    Features of a GeoJSON file; null geometries stay, text is not interpreted.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for errors.

    Returns
    -------
    geopandas.GeoDataFrame
        One row per feature, indexed by its number.

    Raises
    ------
    ReadError
        If it is no GeoJSON or has no features.
    """
    document = _geojson_document(data, name)
    crs = _geojson_crs(document, name)
    features = document["features"]
    read = [_feature(feature, number, name) for number, feature in enumerate(features, start=1)]
    if not read:
        message = f"{name} has no features."
        raise ReadError(message)
    index = range(1, len(read) + 1)
    labels = dict.fromkeys(label for properties, _ in read for label in properties)
    frame = pd.DataFrame(
        {label: _series([p.get(label) for p, _ in read]) for label in labels},
        index=range(len(read)),
    ).set_axis(index)
    ids = [feature.get("id") for feature in features]
    if any(i is not None for i in ids) and "site_id" not in _recognition.find(list(labels)):
        frame.insert(0, "site_id", [None if i is None else str(i) for i in ids])
    geometry = gpd.GeoSeries([shape for _, shape in read], index=index, crs=crs)
    sites = gpd.GeoDataFrame(frame, geometry=geometry)
    sites.attrs = {KEY: document.get(KEY)}
    return sites


def _series(values: list[Any]) -> pd.Series:
    """Values as text where all are text, whole where all are, as pandas finds them otherwise."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {str}:
        return pd.Series(values, dtype="string")
    if kinds == {int} and None in values:
        with suppress(OverflowError):  # as floats they would lose their last digits
            return pd.Series(values, dtype="Int64")
    return pd.Series(values)


def read_geopackage(path: Path, data: bytes, layer: str | None) -> pd.DataFrame:
    """
    Features of one layer of a GeoPackage.

    Parameters
    ----------
    path : pathlib.Path
        Where the file is, to see whether another program is writing to it.
    data : bytes
        The whole file.
    layer : str or None
        The layer; None takes the only one, or the only one with points.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        One row per feature, indexed by its number.

    Raises
    ------
    ReadError
        If it is damaged, open elsewhere, or it is unclear which layer is meant.
    NotFoundError
        If there is no such layer.
    """
    name = path.name
    log = path.with_name(f"{name}-wal")
    if log.exists() and log.stat().st_size:
        message = (
            f"{name} has changes that are not in the file yet ({log.name} lies beside it): close "
            "it in the program that has it open, such as QGIS, and read again."
        )
        raise ReadError(message)
    # Without that log the file is whole; marked so, it can be opened from memory.
    data = data[:18] + b"\x01\x01" + data[20:] if data[18:20] == b"\x02\x02" else data
    try:
        with closing(sqlite3.connect(":memory:")) as database:
            database.deserialize(data)
            state = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except (sqlite3.Error, UnicodeDecodeError, MemoryError, OverflowError) as error:
        state = str(error)
    if state != "ok":
        message = f"{name} is damaged or no GeoPackage ({state}): export it again."
        raise ReadError(message)
    title, frame = _read_layer(data, name, layer)
    if frame.empty:
        message = f"The layer {title!r} of {name} has no features."
        raise ReadError(message)
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame


def _read_layer(data: bytes, name: str, layer: str | None) -> tuple[str, pd.DataFrame]:
    """Title and features of a layer, read from a copy so that nothing appears beside the file."""
    with TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        copy = Path(folder, "copy.gpkg")
        copy.write_bytes(data)
        try:
            title = _choose_layer(copy, name, layer)
            frame: pd.DataFrame = pyogrio.read_dataframe(copy, layer=title)
            metadata = pyogrio.read_info(copy, layer=title)["layer_metadata"] or {}
            frame.attrs = {KEY: metadata.get(KEY)}
        except ReadError:
            raise
        except Exception as error:
            message = f"{name} cannot be read as a GeoPackage ({error}): export it again."
            raise ReadError(message) from error
    for warning in said:
        message = f"{name}: {warning.message}"
        warnings.warn(message, GeoWarning, stacklevel=5)
    return title, frame


def _choose_layer(copy: Path, name: str, layer: str | None) -> str:
    """Choose the layer asked for, the only one, or the only one with points."""
    layers = {str(title): str(kind) for title, kind in pyogrio.list_layers(copy)}
    listed = ", ".join(f"{title!r} ({kind})" for title, kind in layers.items())
    if layer is not None:
        if layer not in layers:
            message = f"{name} has no layer {layer!r}; it has {listed}."
            raise NotFoundError(message)
        return layer
    if len(layers) == 1:
        return next(iter(layers))
    points = [title for title, kind in layers.items() if "Point" in kind]
    if len(points) == 1:
        return points[0]
    message = (
        f"{name} has the layers {listed or 'none'}, of which {len(points)} hold points: say which "
        "one with layer=."
    )
    raise ReadError(message)


def read_geoparquet(data: bytes, name: str) -> pd.DataFrame:
    """
    Rows of a GeoParquet file, or of a Parquet table with coordinate columns.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for errors.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        One row per row, indexed by its number.

    Raises
    ------
    ReadError
        If it is damaged or has no rows.
    """
    try:
        source = pa.BufferReader(data)
        metadata = pq.read_schema(source).metadata or {}
        source.seek(0)
        frame = gpd.read_parquet(source) if b"geo" in metadata else pd.read_parquet(source)
    except Exception as error:
        message = f"{name} cannot be read as GeoParquet ({error}): export it again."
        raise ReadError(message) from error
    if frame.empty:
        message = f"{name} has no rows."
        raise ReadError(message)
    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    frame.attrs = {KEY: metadata.get(KEY.encode())}
    return frame
