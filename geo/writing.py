"""Sites to files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo import _exports, _files, _keeping, _recognition, schema
from geo.errors import ExportError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    import geopandas as gpd

__all__ = ["write_sites"]

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_FORMATS = {
    "GeoPackage (.gpkg)": {".gpkg"},
    "GeoParquet (.parquet, .geoparquet)": {".parquet", ".geoparquet"},
    "GeoJSON (.geojson, .json)": {".geojson", ".json"},
    "KML (.kml)": {".kml"},
    "CSV or TSV (.csv, .tsv)": set(_DELIMITERS),
}
# https://dwc.tdwg.org/terms/: what has a term of the same meaning. A site is a dcterms:Location.
_DARWIN_CORE = {
    "site_id": "locationID",
    "country": "countryCode",
    "admin1": "stateProvince",
    "admin2": "county",
    "admin3": "municipality",
    "verbatim_location": "verbatimLocality",
    "location_note": "georeferenceRemarks",
    "uncertainty_m": "coordinateUncertaintyInMeters",
    "source_url": "references",
    "latitude": "decimalLatitude",
    "longitude": "decimalLongitude",
}


def write_sites(
    sites: gpd.GeoDataFrame, path: str | os.PathLike[str], *, darwin_core: bool = False
) -> Path:
    """
    Write Sites to a file that `read_sites` reads back as they were.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, or anything that `validate_sites` accepts.
    path : path-like
        The file; its folder must exist. Its suffix says the format: ``.gpkg`` (GeoPackage, one
        layer ``sites``), ``.parquet`` or ``.geoparquet`` (GeoParquet), ``.geojson`` or ``.json``
        (RFC 7946), ``.kml`` (KML 2.2), ``.csv`` or ``.tsv``. A file of this name is replaced,
        unless it is read-only.
    darwin_core : bool
        Whether columns get the names of Darwin Core where it has a term of the same meaning:
        ``decimalLatitude``, ``coordinateUncertaintyInMeters``, ``countryCode``,
        ``stateProvince``, ``county``, ``municipality``, ``verbatimLocality``,
        ``georeferenceRemarks``, ``references``, and ``locationID`` for ``site_id``. CSV then has
        ``geodeticDatum``, too, which says EPSG:4326.

    Returns
    -------
    pathlib.Path
        The file written, whole or not at all. The same Sites give the same bytes.

    Raises
    ------
    ExportError
        If the suffix is another, the file cannot be written there, or a column or cell cannot be
        written so that it can be read back; ``problems`` then lists the cells.
    SchemaError
        If rows break the schema.

    Warns
    -----
    GeoWarning
        If ``attrs`` hold what JSON cannot give back: that is left out.

    Notes
    -----
    What comes back is every row and column with its dtype (text, numbers, truth, times, periods,
    categories, objects that JSON can say), what is missing and what is empty, and the ``attrs``
    but ``source_sha256``, which is always the hash of the file read. Not kept are the index and
    what marks a missing cell among objects (it becomes None). Rows that name no ``source_file``
    are from this file once it is read.

    GeoPackage and GeoParquet keep coordinates as they are. GeoJSON, KML and CSV have them in
    degrees with 7 decimals, at most 6 mm off, as RFC 7946 advises.

    CSV has no room for dtypes and attrs. Where there is more than text, a second file
    ``NAME.csv-metadata.json`` holds them, as W3C's CSV on the Web has it. It carries the hash of
    the CSV, so that `read_sites` leaves it out, with a warning, once the CSV was edited.

    This is a working copy, not a release: every column and every place is written as it is. In
    particular a text that begins with ``=``, ``+``, ``-`` or ``@`` is left intact, for a changed
    cell would be a changed report; a spreadsheet program may take it for a formula, so import
    the columns as text there.

    Examples
    --------
    >>> import geo
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> table = pd.DataFrame({"lat": [13.66], "lon": [102.56], "radius_m": [5000], "visits": [3]})
    >>> with TemporaryDirectory() as folder:
    ...     file = geo.write_sites(geo.validate_sites(table), Path(folder, "sites.gpkg"))
    ...     geo.read_sites(file)[["site_id", "uncertainty_m", "visits", "geometry"]]
        site_id  uncertainty_m  visits              geometry
    0  row-0001         5000.0       3  POINT (102.56 13.66)
    """
    file = Path(path)
    if file.suffix.casefold() not in set().union(*_FORMATS.values()):
        message = f"The format {file.suffix!r} is not written: use one of {', '.join(_FORMATS)}."
        raise ExportError(message)
    valid = schema.validate_sites(sites)
    contents = _contents(valid, file, _DARWIN_CORE if darwin_core else {})
    _put_together(contents)
    return file


def _contents(
    sites: gpd.GeoDataFrame, file: Path, names: Mapping[str, str]
) -> dict[Path, bytes | None]:
    """Bytes of every file that belongs to Sites; None for one that must not be there."""
    suffix = file.suffix.casefold()
    frame = sites.rename(columns=names)
    if names:
        _check_darwin_core(frame.columns, names)
    if suffix in _DELIMITERS:
        frame = _with_coordinates(frame, names)
    table = _exports.table_of(frame)
    keep = _keeping.kept(table.described, sites.attrs)
    match suffix:
        case ".gpkg":
            return {file: _exports.geopackage(table, keep, frame.geometry)}
        case ".parquet" | ".geoparquet":
            return {file: _exports.geoparquet(table, keep, frame)}
        case ".kml":
            return {file: _exports.kml(table, keep)}
        case ".csv" | ".tsv":
            return _with_metadata(table, keep, file)
        case _:
            return {file: _exports.geojson(table, keep)}


def _with_coordinates(sites: gpd.GeoDataFrame, names: Mapping[str, str]) -> gpd.GeoDataFrame:
    """Sites with the place in columns too, before its radius."""
    latitude, longitude = (names.get(name, name) for name in ("latitude", "longitude"))
    places = {
        latitude: sites.geometry.y.round(_exports.DECIMALS),
        longitude: sites.geometry.x.round(_exports.DECIMALS),
    }
    if names:
        datum = sites.geometry.notna().map({True: _keeping.DATUM})
        places["geodeticDatum"] = datum.astype("string")
    at = sites.columns.get_loc(names.get("uncertainty_m", "uncertainty_m"))
    for position, (label, values) in enumerate(places.items(), start=at):
        if label in sites.columns:
            message = f"A table has the place in a column {label!r}, and there is one: rename it."
            raise ExportError(message)
        sites.insert(position, label, values)
    return sites


def _check_darwin_core(labels: Iterable[object], names: Mapping[str, str]) -> None:
    """Raise ExportError if a column of the user's would be read as one of the schema's."""
    ours = {column.name: names.get(column.name, column.name) for column in schema.SITE_SCHEMA}
    for meaning, found in _recognition.find(labels).items():
        others = [label for label in found if label != ours.get(meaning)]
        if others or len(found) > 1:
            message = (
                f"With Darwin Core's names the column {str([*others, *found][0])!r} would be read "
                f"as {meaning!r}: rename it, or write without darwin_core=True."
            )
            raise ExportError(message)


def _with_metadata(
    table: _exports.Table, keep: dict[str, Any], file: Path
) -> dict[Path, bytes | None]:
    """Delimited text, and what lies beside it for the dtypes and attrs if there are any."""
    delimiter = _DELIMITERS[file.suffix.casefold()]
    data = _exports.delimited(table, delimiter)
    for column in keep["columns"]:
        empty = [row for row, text in enumerate(table.texts[column["name"]]) if text == ""]
        if empty:
            column["empty"] = empty
    metadata = _keeping.csv_metadata(keep, file, data, delimiter)
    beside = _keeping.metadata_file(file)
    if not beside.exists() or _keeping.is_ours(beside):
        return {file: data, beside: metadata}
    if metadata is None:
        return {file: data}
    message = (
        f"The dtypes and attrs go into {beside.name}, but that is already there and was not "
        "written by write_sites: move it away, or choose another name or .gpkg."
    )
    raise ExportError(message)


def _put_together(contents: Mapping[Path, bytes | None]) -> None:
    """Write files together: where one fails, the others are put back as they were."""
    before = {file: file.read_bytes() if file.is_file() else None for file in contents}
    done = []
    try:
        for file, content in contents.items():
            _put(file, content)
            done.append(file)
    except BaseException:
        for file in done:
            with suppress(OSError, ExportError):
                _put(file, before[file])
        raise


def _put(file: Path, content: bytes | None) -> None:
    """Write a file, or take it away."""
    if content is None:
        file.unlink(missing_ok=True)
    else:
        _files.write_bytes(file, content)
