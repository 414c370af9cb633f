"""What a table of reported sites holds, and the check of every row against it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import _cells, _points, _recognition, _rows
from geo._columns import (
    COORDINATES,
    COUNTRIES,
    DEFAULT_RADIUS_M,
    PLACE_COLUMNS,
    SITE_SCHEMA,
    VOCABULARIES,
    Column,
)
from geo.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo._cells import Fault

__all__ = ["DEFAULT_RADIUS_M", "SITE_SCHEMA", "VOCABULARIES", "Column", "validate_sites"]


def validate_sites(
    frame: pd.DataFrame, *, columns: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """
    Turn a table into Sites, or report everything that is wrong with it at once.

    Column names are recognised whatever their case, spaces, hyphens and underscores, by
    the names of `SITE_SCHEMA`, Darwin Core's and common spellings. A table that has every
    column which Sites always have is read by these names alone.

    Parameters
    ----------
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        One row per reported site: with columns ``latitude`` and ``longitude`` in degrees as
        numbers or text, or with points in any coordinate reference system.
    columns : mapping of str to str, optional
        Schema names by the table's own names, ``{"Breite": "latitude"}``, for columns that are
        not recognised. What is named here wins over what would be recognised.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows and index in EPSG:4326: the columns of `SITE_SCHEMA` in their order,
        unknown columns untouched, then ``geometry``. A row without a place keeps a missing
        geometry. Passing the answer again changes nothing.

    Raises
    ------
    SchemaError
        If there are no rows or no coordinate columns, if two columns mean the same, or if any
        cell breaks the schema. ``problems`` then has one row per fault: ``row`` (the frame's
        ``source_row`` if it has that, otherwise the position from 0), ``column``, ``value``
        and ``problem``, by row and then by column.
    CRSError
        If a GeoDataFrame has no coordinate reference system.
    GeometryError
        If a GeoDataFrame holds anything but points.
    TypeError
        If `frame` is not a DataFrame.

    Notes
    -----
    A missing ``uncertainty_m`` is filled from ``location_level`` by `DEFAULT_RADIUS_M`; a point
    with neither is a fault. A missing ``status``, ``operating`` or ``state_response`` becomes
    ``unknown``, and the ``location_level`` of a row without a point becomes ``none``. A table
    without ids gets them from its row numbers (``row-0001``). Text is stripped and brought to
    Unicode NFC, except ``verbatim_location``. Dates are kept to the day, month or year: a time
    of day is left off. Coordinate columns become the geometry.

    Examples
    --------
    >>> import geo
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"Lat": ["13.66"], "Lon": ["102.56"], "Place": ["Poipet"], "Radius m": [5000]}
    ... )
    >>> sites = geo.validate_sites(table)
    >>> sites[["site_id", "locality", "uncertainty_m", "status"]]
        site_id locality  uncertainty_m   status
    0  row-0001   Poipet         5000.0  unknown
    """
    return sites_from(frame, columns=columns, rows=None)


def sites_from(
    frame: pd.DataFrame,
    *,
    columns: Mapping[str, str] | None,
    rows: Sequence[int] | None,
    faults: Sequence[Fault] = (),
) -> gpd.GeoDataFrame:
    """
    Do the work of `validate_sites` for rows whose numbers in their file are known.

    Parameters
    ----------
    frame : pandas.DataFrame or geopandas.GeoDataFrame
        As for `validate_sites`.
    columns : mapping of str to str or None
        As for `validate_sites`.
    rows : sequence of int or None
        The number by which each row is reported.
    faults : sequence of Fault, default ()
        What has been found to be wrong already.

    Returns
    -------
    geopandas.GeoDataFrame
        As for `validate_sites`.

    Raises
    ------
    SchemaError
        As for `validate_sites`.
    TypeError
        If `frame` is not a DataFrame.
    """
    if not isinstance(frame, pd.DataFrame):
        message = f"validate_sites takes a DataFrame or GeoDataFrame, not {type(frame).__name__}."
        raise TypeError(message)
    if frame.empty:
        message = "There are no rows: Sites need at least one reported site."
        raise SchemaError(message)
    attrs = dict(frame.attrs)
    frame = _with_geometry(frame)
    labels = _recognition.recognise(frame.columns, columns)
    labels.pop("coordinates", None)  # text is `read_sites`' to read: here it is an unknown column
    if isinstance(frame, gpd.GeoDataFrame) and len(COORDINATES.keys() & labels) == 1:
        # One coordinate beside a geometry says nothing: it stays as an unknown column.
        labels = {name: label for name, label in labels.items() if name not in COORDINATES}
    read: dict[str, list[Any]] = {}
    faults = list(faults)
    for column in SITE_SCHEMA[:-1]:
        if column.name in labels:
            read[column.name], found = _read_column(frame[labels[column.name]], column)
            faults += found
    numbers = list(rows) if rows is not None else _row_numbers(read.get("source_row"))
    shown = numbers or list(range(len(frame)))
    countries = read.get("country", [None] * len(frame))
    coordinates, found = _coordinates(frame, labels, countries, shown)
    faults += found
    located = ~np.isnan(coordinates).all(axis=1)
    _fill(read, located, numbers or [i + 1 for i in range(len(frame))])
    faults += _row_faults(read, labels, located, shown)
    if faults:
        raise _rows.schema_error(faults, shown)
    _require_places(read, located)
    sites = _assemble(frame, labels, read, coordinates)
    sites.attrs = attrs
    return sites


def _with_geometry(frame: pd.DataFrame) -> pd.DataFrame:
    """Frame as a GeoDataFrame with geometry in `geometry`, or one without any geometry."""
    labels = [str(label) for label in frame.columns]
    _recognition.require_distinct(labels)
    active = frame.active_geometry_name if isinstance(frame, gpd.GeoDataFrame) else None
    if active is None and "geometry" in labels:
        if isinstance(frame["geometry"].dtype, gpd.array.GeometryDtype):
            whole: pd.DataFrame = gpd.GeoDataFrame(frame, geometry="geometry")
            return whole
        message = (
            "The column 'geometry' holds no geometries: rename it, or make it one with "
            "geopandas.GeoSeries.from_wkt."
        )
        raise SchemaError(message)
    if active not in (None, "geometry"):
        if "geometry" in labels:
            message = f"Both {active!r} and 'geometry' could be the place: drop one of them."
            raise SchemaError(message)
        renamed: pd.DataFrame = gpd.GeoDataFrame(frame).rename_geometry("geometry")
        return renamed
    return frame if active else pd.DataFrame(frame)


def _read_column(values: pd.Series, column: Column) -> tuple[list[Any], list[Fault]]:
    """Cells of one schema column, read by its kind."""
    label = str(values.name)
    texts, faults = _cells.read_texts(values, label, verbatim=column.kind == "verbatim")
    answer: tuple[list[Any], list[Fault]]
    match column.kind:
        case "word":
            answer = _cells.read_words(texts, label, column.vocabulary)
        case "words":
            answer = _cells.read_lists(texts), []
        case "country":
            answer = _cells.read_codes(texts, label, COUNTRIES)
        case "number":
            answer = _cells.read_numbers(texts, label, "metres such as 500")
        case "integer":
            answer = _cells.read_integers(texts, label)
        case "date":
            answer = _cells.read_dates(texts, label)
        case "url":
            answer = _cells.read_urls(texts, label)
        case _:
            answer = texts, []
    return answer[0], faults + answer[1]


def _row_numbers(source_row: list[Any] | None) -> list[int] | None:
    """Numbers of the rows in their file, where each has one of its own."""
    if source_row is None or None in source_row or len(set(source_row)) < len(source_row):
        return None
    return source_row


def _coordinates(
    frame: pd.DataFrame, labels: Mapping[str, object], countries: list[str | None], rows: list[int]
) -> tuple[np.ndarray[Any, Any], list[Fault]]:
    """Latitude and longitude of every row, NaN where missing, with their faults."""
    given = [name for name in ("latitude", "longitude") if name in labels]
    drawn = isinstance(frame, gpd.GeoDataFrame)
    faults: list[Fault] = []
    if not drawn and len(given) < len(COORDINATES):
        raise SchemaError(_recognition.no_coordinates(frame.columns, given))
    if drawn:
        points = _points.points_of(frame, rows)
        faults += _points.geometry_faults(points, countries)
        if len(given) < len(COORDINATES):
            return points, faults
    texts = []
    numbers = []
    for name in given:
        values = frame[labels[name]]
        text, found = _cells.read_texts(values, str(values.name))
        number, more = _cells.read_numbers(text, str(values.name), "degrees such as 11.5625")
        texts.append(text)
        numbers.append(number)
        faults += found + more
    columns = np.array(numbers, dtype=float).T
    names = (str(labels["latitude"]), str(labels["longitude"]))
    faults += _points.coordinate_faults(columns, names, (texts[0], texts[1]), countries)
    if drawn:
        faults += _points.disagreement_faults(columns, points, names[0])
        columns = np.where(np.isnan(points), columns, points)
    return columns, faults


def _fill(read: dict[str, list[Any]], located: np.ndarray[Any, Any], numbers: list[int]) -> None:
    """Fill what the schema lets be missing, in place."""
    count = len(located)
    for column in SITE_SCHEMA[:-1]:
        if column.always:
            read.setdefault(column.name, [None] * count)
    for name in ("status", "operating", "state_response"):
        read[name] = [word or "unknown" for word in read[name]]
    level = read["location_level"]
    read["location_level"] = [
        word or (None if at else "none") for word, at in zip(level, located, strict=True)
    ]
    if not any(read["site_id"]):
        read["site_id"] = [f"row-{number:04d}" for number in numbers]
    radii = [np.nan if radius is None else radius for radius in read["uncertainty_m"]]
    read["uncertainty_m"] = [
        DEFAULT_RADIUS_M.get(word, np.nan) if at and np.isnan(radius) else radius
        for radius, word, at in zip(radii, level, located, strict=True)
    ]


def _row_faults(
    read: Mapping[str, list[Any]],
    labels: Mapping[str, object],
    located: np.ndarray[Any, Any],
    rows: list[int],
) -> list[Fault]:
    """Faults that only a whole row, or all rows together, can show."""
    name = {column.name: str(labels.get(column.name, column.name)) for column in SITE_SCHEMA}
    radii = np.array(read["uncertainty_m"], dtype=float)
    return [
        *_rows.id_faults(read["site_id"], name["site_id"], rows),
        *_rows.radius_faults(radii, read["location_level"], located, name["uncertainty_m"]),
        *_rows.order_faults(read["first_reported"], read["last_reported"], name["first_reported"]),
    ]


def _require_places(read: Mapping[str, list[Any]], located: np.ndarray[Any, Any]) -> None:
    """Raise SchemaError if no row says anything about where it is."""
    if located.any() or any(any(read.get(name, ())) for name in PLACE_COLUMNS):
        return
    message = (
        "No row says where it is: give latitude and longitude, or name the place in one of "
        f"{', '.join(PLACE_COLUMNS)}."
    )
    raise SchemaError(message)


def _assemble(
    frame: pd.DataFrame,
    labels: Mapping[str, object],
    read: Mapping[str, list[Any]],
    coordinates: np.ndarray[Any, Any],
) -> gpd.GeoDataFrame:
    """Sites from the columns read and the frame's unknown ones."""
    dtypes = {"word": "category", "number": "float64", "integer": "Int64"}
    data: dict[Any, Any] = {}
    for column in SITE_SCHEMA[:-1]:
        if column.name not in read:
            continue
        dtype: Any = dtypes.get(column.kind, "string")
        if column.kind == "word":
            dtype = pd.CategoricalDtype(list(column.vocabulary))
        data[column.name] = pd.array(read[column.name], dtype=dtype)
    sites = pd.DataFrame(data, index=frame.index)
    rest = frame.drop(columns=[*labels.values(), "geometry"], errors="ignore")
    located = ~np.isnan(coordinates).any(axis=1)
    points = np.full(len(frame), None, dtype=object)
    points[located] = shapely.points(coordinates[located, ::-1])
    geometry = gpd.GeoSeries(points, index=frame.index, crs="EPSG:4326")
    return gpd.GeoDataFrame(pd.concat([sites, rest], axis=1), geometry=geometry)
