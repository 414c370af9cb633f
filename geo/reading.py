"""Files to Sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from geo import _features, _intake, _keeping, _kml, _recognition, _tables, schema
from geo.errors import NotFoundError, ReadError, SchemaError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import geopandas as gpd

__all__ = ["read_report", "read_sites"]

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


def read_sites(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    location_level: str | None = None,
    repair: bool = False,
) -> gpd.GeoDataFrame:
    r"""
    Read a file into Sites, or report everything that is wrong with it at once.

    Reads CSV and TSV (comma, semicolon, tab or vertical bar; UTF-8, or UTF-16 with byte order
    mark), GeoJSON, GeoPackage, KML and KMZ (all folders), GeoParquet and Excel (with the extra
    ``excel``). Nothing is fetched, and nothing is guessed that the file does not prove.

    A file says where its rows are in one of three ways: by points or two columns of numbers, by
    one column of text (``coordinates``) in any notation of `parse_coordinates`, or, where it
    has neither, by names of places, which `find_locality` looks up.

    Parameters
    ----------
    path : path-like
        The file. Its suffix says the format.
    columns : mapping of str to str, optional
        Schema names by the file's own column names, as for `validate_sites`.
    layer : str, optional
        Which layer of a GeoPackage, folder of a KML or sheet of a workbook. Without it a
        GeoPackage or workbook must have just one that fits, and a KML is read whole.
    location_level : str, optional
        Level of the points that have neither radius nor level of their own, such as
        ``"compound"``: it gives them the radius of `DEFAULT_RADIUS_M`.
    repair : bool, default False
        Whether to apply corrections that are proved. They are reported as faults otherwise.

    Returns
    -------
    geopandas.GeoDataFrame
        Sites, one row per record in the file's order, with ``source_file`` (the name without
        its folder) and ``source_row`` (in a sheet the header is row 1; elsewhere features count
        from 1). ``attrs["source_sha256"]`` is the hash of the file's bytes. What was done is in
        `read_report`; ``location_note`` says it of a row where there is something to say.

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
    A Google My Maps export needs the radius or the level of its places, as a column or for all
    of them with `location_level`: a pin says nothing about how well it is known.

    A radius is never less than what the notation of a coordinate leaves open (its
    ``precision_m``), or than the named place, whatever the file gives. The text that was read
    is kept in ``verbatim_location``. A coordinate with several readings is settled by the
    row's ``country`` and then by its ``admin1``; where more than one is left, it is a fault.
    The decimal comma is settled for a whole column.

    A correction is proved if it is the only one that brings a point into the row's country and
    province: latitude and longitude exchanged, signs changed, minutes (and seconds) typed as
    decimals. A point whose circle misses its province and that no correction explains is
    called doubtful in its ``location_note``.

    Rows are located by name only in a file without coordinates, and only where one place is
    left: homonyms stay without a point, and the note lists them. Rows that a file with
    coordinates leaves blank stay without a point.

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
    frame, attrs = _keeping.with_kept(frame, file, data)
    rows = [int(row) for row in frame.index]
    frame = frame.reset_index(drop=True)
    taken = _intake.take_in(
        frame, columns=columns or {}, rows=rows, location_level=location_level, repair=repair
    )
    frame = _with_origin(taken.frame, file.name, rows, taken.columns)
    sites = schema.sites_from(frame, columns=taken.columns, rows=rows, faults=taken.faults)
    sites.attrs = attrs | {"read_report": taken.steps}
    return sites


def read_report(sites: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Tell what `read_sites` did to a file: what it recognised, located, repaired and assumed.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites as `read_sites` returned them.

    Returns
    -------
    pandas.DataFrame
        One row per step: ``step`` (``recognised``, ``mapped``, ``kept``, ``located``,
        ``not located``, ``repaired``, ``doubtful``, ``assumed``), ``column`` of the file,
        ``n_rows`` with which it was done, ``rows`` (the numbers of the first of them) and
        ``detail``.

    Raises
    ------
    SchemaError
        If the Sites carry no report.

    Examples
    --------
    >>> import geo
    >>> report = geo.read_report(geo.example_sites())
    >>> report.loc[report["step"].str.endswith("located"), ["step", "n_rows", "detail"]]
               step  n_rows                  detail
    20      located      79                 numbers
    21  not located      18  no coordinate is given
    """
    if "read_report" not in sites.attrs:
        message = (
            "These Sites carry no report: read_sites keeps it in .attrs, which pandas drops when "
            "frames are combined. Ask for it right after reading."
        )
        raise SchemaError(message)
    return pd.DataFrame(sites.attrs["read_report"])


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
