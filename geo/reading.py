"""Files to Sites and back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo import _features, _files, _kml, _recognition, _tables, schema
from geo.errors import ExportError, NotFoundError, ReadError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import geopandas as gpd

__all__ = ["read_sites", "write_sites"]

_TEXT_SUFFIXES = {".csv", ".tsv", ".txt"}
_LAYERED = {".gpkg", ".kml", ".kmz", ".xlsx"}
_FORMATS = {
    "CSV or TSV (.csv, .tsv, .txt)": _TEXT_SUFFIXES,
    "GeoJSON (.geojson, .json)": {".geojson", ".json"},
    "GeoPackage (.gpkg)": {".gpkg"},
    "KML (.kml, .kmz)": {".kml", ".kmz"},
    "GeoParquet (.parquet, .geoparquet)": {".parquet", ".geoparquet"},
    "Excel (.xlsx)": {".xlsx"},
}
_DECIMALS = 7  # RFC 7946, section 11.2: about a centimetre; more would claim more than is known


def read_sites(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
) -> gpd.GeoDataFrame:
    r"""
    Read a file into Sites, or report everything that is wrong with it at once.

    Reads CSV and TSV (comma, semicolon, tab or vertical bar; UTF-8, or UTF-16 with byte order
    mark), GeoJSON, GeoPackage, KML and KMZ (all folders), GeoParquet and Excel (with the extra
    ``excel``). Nothing is fetched, and nothing is guessed that the file does not prove.

    Parameters
    ----------
    path : path-like
        The file. Its suffix says the format.
    columns : mapping of str to str, optional
        Schema names by the file's own column names, as for `validate_sites`.
    layer : str, optional
        Which layer of a GeoPackage, folder of a KML or sheet of a workbook. Without it a
        GeoPackage or workbook must have just one that fits, and a KML is read whole.

    Returns
    -------
    geopandas.GeoDataFrame
        Sites, one row per record in the file's order, with ``source_file`` (the name without
        its folder) and ``source_row`` (in a sheet the header is row 1; elsewhere features count
        from 1). ``attrs["source_sha256"]`` is the hash of the file's bytes.

    Raises
    ------
    NotFoundError
        If there is no such file, or no such layer in it.
    ReadError
        If the file cannot be understood: its format, encoding, delimiter or content.
    SchemaError
        If rows break the schema; ``problems`` names the rows as the file numbers them.
    CRSError
        If a GeoPackage or GeoParquet has no coordinate reference system.
    GeometryError
        If the file holds anything but points.

    Notes
    -----
    Blank cells are missing; "NA" is Namibia. Blank rows are not records. A ``source_file`` or
    ``source_row`` that the file already gives for a row is kept: the first origin counts.
    A Google My Maps export needs the radius or the ``location_level`` of each place as a
    column, for a pin says nothing about how well it is known.

    Examples
    --------
    >>> import geo
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "reports.csv")
    ...     _ = file.write_text("Lat;Lon;Place;Level\n13.66;102.56;Poipet;town\n;;Takeo;\n")
    ...     sites = geo.read_sites(file, columns={"Level": "location_level"})
    >>> sites[["site_id", "locality", "uncertainty_m", "location_level"]]
        site_id locality  uncertainty_m location_level
    0  row-0002   Poipet         5000.0           town
    1  row-0003    Takeo            NaN           none
    """
    file = Path(path)
    data = _file_bytes(file)
    frame = _read(file, data, columns or {}, layer)
    rows = [int(row) for row in frame.index]
    frame = _with_origin(frame.reset_index(drop=True), file.name, rows, columns or {})
    sites = schema.sites_from(frame, columns=columns, rows=rows)
    sites.attrs = {"source_sha256": hashlib.sha256(data).hexdigest()}
    return sites


def _file_bytes(file: Path) -> bytes:
    """Bytes of a file whose format is known."""
    known = ", ".join(_FORMATS)
    if not file.exists():
        message = f"There is no file {str(file)!r}: check the name and the folder."
        raise NotFoundError(message)
    if file.is_dir():
        message = f"{str(file)!r} is a folder: give one file in it. Formats read are {known}."
        raise ReadError(message)
    if file.suffix.casefold() not in set().union(*_FORMATS.values()):
        message = (
            f"The format {file.suffix!r} of {file.name} is not read. Save it as one of {known}."
        )
        raise ReadError(message)
    try:
        data = file.read_bytes()
    except OSError as error:
        message = f"{file.name} cannot be opened ({error.strerror}): check its permissions."
        raise ReadError(message) from error
    if not data:
        message = f"{file.name} is empty (0 bytes): copy or export it again."
        raise ReadError(message)
    return data


def _read(file: Path, data: bytes, columns: Mapping[str, str], layer: str | None) -> pd.DataFrame:
    """Table of a file, indexed by the numbers of its rows."""
    suffix = file.suffix.casefold()
    name = file.name
    if layer is not None and suffix not in _LAYERED:
        message = f"{name} has no layers: leave out layer={layer!r}."
        raise ReadError(message)
    frame: pd.DataFrame
    match suffix:
        case ".geojson" | ".json":
            frame = _features.read_geojson(data, name)
        case ".gpkg":
            frame = _features.read_geopackage(file, data, layer)
        case ".parquet" | ".geoparquet":
            frame = _features.read_geoparquet(data, name)
        case ".kml":
            frame = _kml.read_kml(data, name, layer)
        case ".kmz":
            frame = _kml.read_kmz(data, name, layer)
        case ".xlsx":
            frame = _tables.read_excel(data, name, layer, columns)
        case _:
            frame = _tables.read_text_table(data, name, columns)
    return frame


def _with_origin(
    frame: pd.DataFrame, name: str, rows: list[int], columns: Mapping[str, str]
) -> pd.DataFrame:
    """Frame whose rows say which file and row they are from, unless they say so already."""
    if not frame.columns.is_unique:
        return frame  # validation refuses it, with the names
    origin = {"source_file": name, "source_row": pd.Series(rows, index=frame.index)}
    found = _recognition.find(list(frame.columns))
    mapped = {ours: theirs for theirs, ours in columns.items() if theirs in frame.columns}
    known = {ours: mapped.get(ours, found.get(ours, [ours])[0]) for ours in origin}
    there = [label for label in known.values() if label in frame.columns]
    told = frame[there].notna().any(axis=1).to_numpy()
    for ours, label in known.items():
        given = frame[label].astype(object) if label in there else pd.Series(pd.NA, frame.index)
        frame[label] = given.mask(~told, origin[ours])
    return frame


def write_sites(sites: gpd.GeoDataFrame, path: str | os.PathLike[str]) -> Path:
    """
    Write Sites as GeoJSON (RFC 7946) or CSV: the same bytes for the same Sites.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, or anything that `validate_sites` accepts.
    path : path-like
        The file, ending in ``.geojson`` or ``.csv``; its folder must exist. It is written whole
        or not at all, in UTF-8.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    ExportError
        If the suffix is another, the folder does not exist, or a cell cannot be written.
    SchemaError
        If rows break the schema.

    Notes
    -----
    Coordinates are rounded to 7 decimals, about a centimetre. In CSV the place is in columns
    ``latitude`` and ``longitude``, and a missing cell and an empty text are the same. Every
    column is written as it is: this is a working copy, not a release. In particular a text that
    begins with ``=``, ``+``, ``-`` or ``@`` is left intact, for a changed cell would be a changed
    report; a spreadsheet program may take it for a formula, so import the columns as text there.

    Examples
    --------
    >>> import geo
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> table = pd.DataFrame({"lat": [13.66], "lon": [102.56], "radius_m": [5000]})
    >>> with TemporaryDirectory() as folder:
    ...     file = geo.write_sites(geo.validate_sites(table), Path(folder, "sites.geojson"))
    ...     geo.read_sites(file)[["site_id", "uncertainty_m", "geometry"]]
        site_id  uncertainty_m              geometry
    0  row-0001         5000.0  POINT (102.56 13.66)
    """
    file = Path(path)
    writers = {".geojson": _geojson, ".csv": _csv}
    writer = writers.get(file.suffix.casefold())
    if writer is None:
        message = f"The format {file.suffix!r} is not written: use .geojson or .csv."
        raise ExportError(message)
    valid = schema.validate_sites(sites)
    try:
        content = writer(valid).encode()
    except UnicodeEncodeError as error:
        message = f"A cell holds half a character (a lone surrogate) at {error.object!r:.60}."
        raise ExportError(message) from error
    except ValueError as error:
        message = f"A cell cannot be written as {file.suffix} ({error}): it is no finite number."
        raise ExportError(message) from error
    try:
        return _files.write_bytes(file, content)
    except OSError as error:
        message = f"{str(file)!r} cannot be written ({error.strerror}): does its folder exist?"
        raise ExportError(message) from error


def _cells(values: pd.Series) -> list[Any]:
    """Plain Python values, None where missing; radii without a needless ".0"."""
    cells: list[Any] = values.astype(object).where(values.notna(), None).tolist()
    if values.name != "uncertainty_m":
        return cells
    return [int(cell) if cell is not None and cell.is_integer() else cell for cell in cells]


def _places(sites: gpd.GeoDataFrame) -> list[tuple[float, float] | None]:
    """Round longitude and latitude of each site, None where it has no point."""
    pairs = zip(sites.geometry.x, sites.geometry.y, sites.geometry.notna(), strict=True)
    return [(round(x, _DECIMALS), round(y, _DECIMALS)) if at else None for x, y, at in pairs]


def _geojson(sites: gpd.GeoDataFrame) -> str:
    """FeatureCollection with one feature per line."""
    table = sites.drop(columns="geometry")
    names = [str(label) for label in table.columns]
    columns = [_cells(table[label]) for label in table.columns]
    lines = []
    for place, *cells in zip(_places(sites), *columns, strict=True):
        geometry = place and {"type": "Point", "coordinates": place}
        properties = dict(zip(names, cells, strict=True))
        feature = {"type": "Feature", "properties": properties, "geometry": geometry}
        lines.append(json.dumps(feature, ensure_ascii=False, allow_nan=False, default=str))
    body = ",\n".join(lines)
    return f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n'


def _csv(sites: gpd.GeoDataFrame) -> str:
    """Table with the coordinates where the schema has the place."""
    table = sites.drop(columns="geometry")
    places = _places(sites)
    at = table.columns.get_loc("uncertainty_m")
    table.insert(at, "longitude", [None if p is None else p[0] for p in places])
    table.insert(at, "latitude", [None if p is None else p[1] for p in places])
    columns = [_cells(table[label]) for label in table.columns]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)  # CRLF, as RFC 4180 has it; a lone CR in a cell is then quoted too
    writer.writerow(map(str, table.columns))
    writer.writerows(zip(*columns, strict=True))
    text = stream.getvalue()
    if "\0" in text:
        message = "A cell holds a NUL character, which CSV cannot carry: remove it or use .geojson."
        raise ExportError(message)
    return text
