"""
Layers: frames drawn by the page's own script from inert data.

Every function returns a plain Folium layer that can be added to anybody's
``folium.Map``. The rows travel as JSON in a script tag that browsers do not run; the
scripts in ``assets/`` build symbols and texts with ``textContent``, so nothing in the
data can become markup or code.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo.errors import CRSError, GeometryError, SensitivityWarning
from layers.legend import STATUS_NOTES, LegendEntry, LegendSection, symbol_unit_px
from layers.payload import DECIMALS, AtlasLayer, encode_geometry
from layers.scales import STATUS_SCALE, Scale, categorical_scale, sequential_scale
from layers.text import plain, safe_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import geopandas as gpd

__all__ = ["area_layer", "label_layer", "line_layer", "site_layer", "uncertainty_layer"]

# What a card shows of a report, besides its name. An allow-list: no other column ever
# enters a page unless the author names it in `details`.
_CARD_COLUMNS = (
    "site_id",
    "locality",
    "admin1",
    "country",
    "operating",
    "state_response",
    "first_reported",
    "last_reported",
    "location_level",
    "source",
    "source_date",
)

# "Sihanoukville, Sangkat Bei", "Poipet (plaza ...)", "Koh Kong town": what a label leaves out.
_DETAIL = re.compile(r"( (city|commune|district|municipality|town|township))?((,| \().*)?$")


def site_layer(
    sites: gpd.GeoDataFrame,
    *,
    name: str = "Reported sites",
    scale: Scale = STATUS_SCALE,
    details: Sequence[str] = (),
    show: bool = True,
) -> AtlasLayer:
    """
    Draw reports as symbols: one per place, sized by count, split by status.

    Reports that share one coordinate are one symbol: its area grows with their number, its
    sectors show their status. Where symbols would overlap on the screen they are merged,
    with hairlines to the places, and part again as the reader zooms in. The symbol opens a
    card that lists every report with its source.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, any number of rows; rows without a location are counted and listed in the
        page's table, not drawn.
    name : str
        Name in layer controls.
    scale : Scale
        Colours of ``status``.
    details : sequence of str
        Columns shown as text in each report's entry. Only these and the card's own columns
        (id, names of places, status, response, dates, level, radius, source) enter the page.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    CRSError
        If `sites` has no coordinate reference system.
    GeometryError
        If a geometry is not a point.
    KeyError
        If a column of `details` does not exist.

    Warns
    -----
    SensitivityWarning
        If rows marked ``restricted`` or ``protected`` are drawn at their own coordinates.

    Examples
    --------
    >>> import folium, geo, layers
    >>> layer = layers.site_layer(geo.example_sites())
    >>> _ = layer.add_to(folium.Map(tiles=None))
    >>> len(layer.payload["places"])
    30
    """
    frame = _degrees(sites, "Point")
    missing = [column for column in details if column not in frame.columns]
    if missing:
        message = f"details names {missing}, but the columns are {list(frame.columns)}"
        raise KeyError(message)
    _warn_sensitive(frame)
    located = frame.geometry.notna().to_numpy()
    lonlat = np.round(shapely.get_coordinates(frame.geometry[located]), DECIMALS)
    places, inverse = _distinct(lonlat)
    largest = int(np.bincount(inverse).max(initial=0))
    place = np.full(len(frame), -1)
    place[located] = inverse
    columns = {c: _texts(frame, c) for c in dict.fromkeys((*_CARD_COLUMNS, *details))}
    status = _column(frame, "status").astype(object).fillna("unknown")
    payload = {
        "title": plain(name),
        "status": [scale.index(s) for s in status],
        "statuses": _palette(scale),
        "unit_px": symbol_unit_px(largest),
        "places": [[lat, lon] for lon, lat in places.tolist()],
        "labels": _place_labels(columns["locality"], place, len(places)),
        "place": place,
        "name": _texts(frame, "name"),
        "radius": _radii(frame),
        "url": [safe_url(u) for u in _column(frame, "source_url")],
        "details": [plain(d) for d in details],
        "columns": columns,
    }
    return AtlasLayer(
        "sites",
        payload,
        name=name,
        bounds=_bounds(lonlat),
        legend=_site_legend(scale, status, largest),
        attribution=plain(sites.attrs.get("attribution", "")),
        show=show,
    )


def uncertainty_layer(
    sites: gpd.GeoDataFrame, *, name: str = "How sure the place is", show: bool = True
) -> AtlasLayer:
    """
    Draw the circle within which each reported place truly lies, to scale.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites; each distinct pair of point and ``uncertainty_m`` is one circle. Rows without
        a location or a radius are not drawn.
    name : str
        Name in layer controls.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    CRSError
        If `sites` has no coordinate reference system.
    GeometryError
        If a geometry is not a point.

    Examples
    --------
    >>> import geo, layers
    >>> layer = layers.uncertainty_layer(geo.example_sites())
    >>> layer.payload["discs"][0]
    [-9.2, 124.38333, 15000.0]
    """
    frame = _degrees(sites, "Point")
    radius = pd.to_numeric(_column(frame, "uncertainty_m"), errors="coerce")
    drawn = frame.geometry.notna() & radius.gt(0)
    frame, radius = frame[drawn], radius[drawn]
    lonlat = np.round(shapely.get_coordinates(frame.geometry), DECIMALS)
    discs = np.unique(np.column_stack([lonlat[:, ::-1], radius]), axis=0)
    colour = STATUS_SCALE.colours[0]
    payload = {"title": plain(name), "discs": discs.tolist(), "colour": colour}
    entry = LegendEntry("the true place lies within", colour, "disc")
    legend = (LegendSection(plain(name), (entry,)),) if len(discs) else ()
    return AtlasLayer("discs", payload, name=name, bounds=_bounds(lonlat), legend=legend, show=show)


def area_layer(
    areas: gpd.GeoDataFrame,
    *,
    name: str,
    value: str | None = None,
    scale: Scale | None = None,
    label: str | None = None,
    style: str = "area",
    show: bool = True,
    control: bool = True,
) -> AtlasLayer:
    """
    Draw areas: outlines, or a choropleth of one column.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        Polygons; rows without a geometry are not drawn.
    name : str
        Name in layer controls.
    value : str, optional
        Column that colours the areas.
    scale : Scale, optional
        Colours of `value`; by default classes from `sequential_scale`.
    label : str, optional
        Column whose text is shown when an area is pointed at or focused.
    style : str, default "area"
        Look of the outlines: ``area``, ``land``, ``province``, ``water`` or ``cluster``.
    show : bool, default True
        Whether the layer is drawn when the map opens.
    control : bool, default True
        Whether readers can switch it on and off.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    CRSError
        If `areas` has no coordinate reference system.
    GeometryError
        If a geometry is not a polygon.
    KeyError
        If a named column does not exist.

    Examples
    --------
    >>> import geo, layers
    >>> counts = geo.count_by_area(geo.example_sites(), geo.load_reference("provinces"))
    >>> layer = layers.area_layer(counts, name="Confirmed", value="confirmed", label="name")
    >>> len(layer.payload["shapes"])
    25
    """
    frame = _degrees(areas, "Polygon", "MultiPolygon")
    frame = frame[frame.geometry.notna()]
    fills: list[str] = []
    legend: tuple[LegendSection, ...] = ()
    if value is not None:
        scale = scale or _default_scale(frame[value])
        fills = [scale(v) for v in frame[value]]
        pairs = zip(scale.labels, scale.colours, strict=True)
        legend = (
            LegendSection(scale.name or name, tuple(LegendEntry(w, c, "square") for w, c in pairs)),
        )
    payload = {
        "title": plain(name),
        "style": plain(style),
        "shapes": [encode_geometry(g) for g in frame.geometry],
        "fills": fills,
        "labels": [] if label is None else [plain(t) for t in frame[label]],
        "values": [] if value is None else [plain(v) for v in frame[value]],
    }
    return AtlasLayer(
        "areas",
        payload,
        name=name,
        bounds=_frame_bounds(frame),
        legend=legend,
        attribution=plain(areas.attrs.get("attribution", "")),
        show=show,
        control=control,
    )


def line_layer(
    lines: gpd.GeoDataFrame,
    *,
    name: str,
    label: str | None = None,
    style: str = "line",
    show: bool = True,
    control: bool = True,
) -> AtlasLayer:
    """
    Draw lines: a border, a coast, rivers, connections.

    Parameters
    ----------
    lines : geopandas.GeoDataFrame
        Lines; rows without a geometry are not drawn.
    name : str
        Name in layer controls.
    label : str, optional
        Column whose text is shown when a line is pointed at or focused.
    style : str, default "line"
        Look of the lines: ``line``, ``border``, ``coast`` or ``river``.
    show : bool, default True
        Whether the layer is drawn when the map opens.
    control : bool, default True
        Whether readers can switch it on and off.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    CRSError
        If `lines` has no coordinate reference system.
    GeometryError
        If a geometry is not a line.

    Examples
    --------
    >>> import geo, layers
    >>> border = geo.load_reference("land_border", country="KH")
    >>> layers.line_layer(border, name="Land border").attribution
    'Land borders: © OpenStreetMap contributors, ODbL'
    """
    frame = _degrees(lines, "LineString", "MultiLineString")
    frame = frame[frame.geometry.notna()]
    payload = {
        "title": plain(name),
        "style": plain(style),
        "shapes": [encode_geometry(g) for g in frame.geometry],
        "labels": [] if label is None else [plain(t) for t in frame[label]],
    }
    return AtlasLayer(
        "lines",
        payload,
        name=name,
        bounds=_frame_bounds(frame),
        attribution=plain(lines.attrs.get("attribution", "")),
        show=show,
        control=control,
    )


def label_layer(
    points: gpd.GeoDataFrame, *, name: str, label: str = "name", style: str = "style"
) -> AtlasLayer:
    """
    Write names on the map; where two would collide the earlier row is kept.

    Parameters
    ----------
    points : geopandas.GeoDataFrame
        Points in order of importance; an optional column ``min_zoom`` says from which
        zoom on each is written.
    name : str
        Name in layer controls.
    label : str, default "name"
        Column with the words.
    style : str, default "style"
        Column with the look of each: ``town``, ``country`` or ``sea``.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    CRSError
        If `points` has no coordinate reference system.
    GeometryError
        If a geometry is not a point.

    Examples
    --------
    >>> import geo, layers
    >>> towns = geo.load_reference("towns", country="KH").head(3).assign(style="town")
    >>> layers.label_layer(towns, name="Place names").payload["labels"][0]
    ['Phnom Penh', 11.56245, 104.91601, 'town', 0.0]
    """
    frame = _degrees(points, "Point")
    frame = frame[frame.geometry.notna()]
    lonlat = np.round(shapely.get_coordinates(frame.geometry), DECIMALS)
    zooms = frame["min_zoom"] if "min_zoom" in frame.columns else np.zeros(len(frame))
    rows = zip(frame[label], lonlat.tolist(), frame[style], zooms, strict=True)
    labels = [[plain(word), lat, lon, plain(look), float(z)] for word, (lon, lat), look, z in rows]
    payload = {"title": plain(name), "labels": labels}
    return AtlasLayer(
        "labels",
        payload,
        name=name,
        bounds=_bounds(lonlat),
        attribution=plain(points.attrs.get("attribution", "")),
    )


def _degrees(frame: gpd.GeoDataFrame, *kinds: str) -> gpd.GeoDataFrame:
    """Bring a frame to EPSG:4326, or say why it cannot be drawn."""
    if frame.crs is None:
        message = (
            "the frame has no coordinate reference system, so its numbers cannot be placed: "
            "say what they are with `frame.set_crs(...)`, for example EPSG:4326 for degrees"
        )
        raise CRSError(message)
    degrees = frame.to_crs(4326)
    empty = degrees.geometry.is_empty  # False where it is missing
    if empty.any():
        degrees = degrees.set_geometry(degrees.geometry.mask(empty))
    wrong = degrees.geometry.notna() & ~degrees.geom_type.isin(kinds)
    if wrong.any():
        found = sorted(set(degrees.geom_type[wrong]))
        message = (
            f"{int(wrong.sum())} of {len(frame)} geometries are {', '.join(found)}, but this "
            f"layer draws {' and '.join(kinds)}: choose the layer that fits, or leave them out"
        )
        rows = pd.DataFrame({"row": frame.index[wrong], "problem": degrees.geom_type[wrong]})
        raise GeometryError(message, rows)
    return degrees


def _warn_sensitive(frame: gpd.GeoDataFrame) -> None:
    """Say that a map shows rows whose places the researcher marked as not public."""
    marked = _column(frame, "sensitivity").isin(["restricted", "protected"])
    count = int((marked & frame.geometry.notna()).sum())
    if count:
        message = (
            f"{count} reports are marked restricted or protected and are drawn at their own "
            "coordinates: keep this map private, or leave them out before you save it"
        )
        warnings.warn(message, SensitivityWarning, stacklevel=3)


def _column(frame: gpd.GeoDataFrame, name: str) -> pd.Series:
    """Return a column, all missing where the frame has none of that name."""
    if name in frame.columns:
        return frame[name]
    return pd.Series(pd.NA, index=frame.index, dtype=object)


def _texts(frame: gpd.GeoDataFrame, name: str) -> list[str]:
    """Return a column as plain texts."""
    return [plain(value) for value in _column(frame, name)]


def _radii(frame: gpd.GeoDataFrame) -> list[float | None]:
    """Return the radii in metres, None where there is none."""
    radius = pd.to_numeric(_column(frame, "uncertainty_m"), errors="coerce")
    return [None if pd.isna(r) else round(float(r), 1) for r in radius]


def _distinct(lonlat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct places and each row's place."""
    if not len(lonlat):
        return lonlat.reshape(0, 2), np.zeros(0, dtype=int)
    places, inverse = np.unique(lonlat, axis=0, return_inverse=True)
    return places, inverse.ravel()


def _place_labels(localities: Iterable[str], place: np.ndarray, n_places: int) -> list[str]:
    """Name each place by its reports: the commonest locality, without its details."""
    short = pd.Series([_DETAIL.sub("", text, count=1).strip() for text in localities], dtype=str)
    labels = [""] * n_places
    for position, words in short[place >= 0].groupby(place[place >= 0]):
        counts = words[words != ""].value_counts()
        if len(counts):
            best = counts.index[counts == counts.iloc[0]]
            labels[int(str(position))] = min(best, key=lambda w: (len(w), w))
    return labels


def _palette(scale: Scale) -> list[dict[str, str]]:
    """Return the statuses' words and colours for the page, in legend order."""
    rows = zip(scale.keys, scale.labels, scale.colours, strict=True)
    return [{"key": plain(k), "label": plain(w), "colour": c} for k, w, c in rows]


def _site_legend(scale: Scale, status: pd.Series, largest: int) -> tuple[LegendSection, ...]:
    """Describe size and status; statuses that do not occur are left out."""
    counts = status.value_counts()
    entries = tuple(
        LegendEntry(
            label, colour, "circle", count=int(counts[key]), note=STATUS_NOTES.get(str(key), "")
        )
        for key, label, colour in zip(scale.keys, scale.labels, scale.colours, strict=True)
        if counts.get(key, 0)
    )
    size = (LegendSection("Reports placed at one point", sizes=largest),) if largest else ()
    return (*size, *((LegendSection(scale.name, entries),) if entries else ()))


def _default_scale(values: pd.Series) -> Scale:
    """Choose classes for numbers and hues for categories."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return sequential_scale(values, name=str(values.name))
    return categorical_scale(values, name=str(values.name))


def _bounds(lonlat: np.ndarray) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of points, None if there are none."""
    if not len(lonlat):
        return None
    return (*lonlat.min(axis=0).tolist(), *lonlat.max(axis=0).tolist())


def _frame_bounds(frame: gpd.GeoDataFrame) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of a frame, None if it is empty."""
    return None if frame.empty else tuple(float(b) for b in frame.total_bounds)  # type: ignore[return-value]
