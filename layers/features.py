"""
Areas, lines and names as layers: frames drawn by the page's own script from inert data.

As with `layers.symbols`, each layer can be added to anybody's ``folium.Map``, and no text of
the data becomes markup or code.
"""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from layers._fills import fills_of
from layers._frames import bounds_of, in_degrees, in_the_plane, lonlat_of, require_columns
from layers._words import Phrase, known
from layers.legend import LegendEntry, LegendSection
from layers.payload import AtlasLayer, encode_geometry, exact_rows
from layers.scales import (
    TOO_FEW,
    Scale,
    categorical_scale,
    number_words,
    sequential_scale,
)
from layers.text import plain

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["area_layer", "label_layer", "line_layer"]


def area_layer(
    areas: gpd.GeoDataFrame,
    *,
    name: str,
    value: str | None = None,
    scale: Scale | None = None,
    too_few: tuple[str, float] | None = None,
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
    too_few : tuple of str and float, optional
        A column and its least number: ``("reports", 5)`` leaves areas with fewer than five
        reports, or with none known, without a class. They are drawn as "too few to say" and
        their value does not enter the page.
    label : str, optional
        Column whose text is shown when an area is pointed at or focused. A column of the same
        name with ``_km`` at its end, such as ``name_km``, is shown to readers of Khmer.
    style : str, default "area"
        Look of the outlines: ``area``, ``land``, ``province``, ``water``, ``cell`` or
        ``cluster``.
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
    SchemaError
        If a named column does not exist.
    TypeError
        If `areas` is not a GeoDataFrame.
    ValueError
        If `too_few` is given without `value`.

    Notes
    -----
    The legend counts the areas of each class. A share of few reports leaps with every one of
    them: rates need `too_few`, counts do not.

    Examples
    --------
    >>> import geo, layers
    >>> counts = geo.count_by_area(geo.example_sites(), geo.load_reference("provinces"))
    >>> layer = layers.area_layer(counts, name="Confirmed", value="confirmed", label="name")
    >>> len(layer.payload["shapes"])
    25
    >>> reports = counts["confirmed"] + counts["suspected"]
    >>> shares = counts.assign(reports=reports, share=100 * counts["confirmed"] / reports)
    >>> layer = layers.area_layer(
    ...     shares, name="Confirmed, % of reports", value="share", too_few=("reports", 5)
    ... )
    >>> [(entry.label, entry.note, entry.count) for entry in layer.legend[0].entries][-1]
    ('too few to say', 'fewer than 5 reports', 20)
    """
    frame = in_degrees(areas, "Polygon", "MultiPolygon", argument="areas")
    require_columns(frame, (value,), "value")
    require_columns(frame, (label,), "label")
    if too_few is not None and value is None:
        message = "too_few is for the classes of a column: name it with value="
        raise ValueError(message)
    require_columns(frame, too_few[:1] if too_few else (), "too_few")
    frame = frame[frame.geometry.notna()]
    payload: dict[str, Any] = {
        "title": plain(name),
        "style": plain(style),
        "shapes": [encode_geometry(g) for g in frame.geometry],
        "fills": [],
        **_names(frame, label),
        "values": [],
    }
    legend: tuple[LegendSection, ...] = ()
    if value is not None:
        few = _few(frame, too_few)
        values = frame[value].mask(few)
        scale = scale or _default_scale(values, plain(name))
        fills = [TOO_FEW if unsaid else scale(v) for v, unsaid in zip(values, few, strict=True)]
        payload["values"] = [
            "too few to say" if unsaid else _value_words(v)
            for v, unsaid in zip(values, few, strict=True)
        ]
        legend = (_value_legend(scale, name, values, few, too_few),)
        payload |= fills_of(fills, legend[0], np.flatnonzero(few).tolist())
    return AtlasLayer(
        "areas",
        payload,
        name=name,
        bounds=_extent(frame),
        legend=legend,
        attribution=plain(areas.attrs.get("attribution", "")),
        show=show,
        control=control,
        exact=exact_rows(frame),
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
    SchemaError
        If the column `label` does not exist.
    TypeError
        If `lines` is not a GeoDataFrame.

    Examples
    --------
    >>> import geo, layers
    >>> border = geo.load_reference("land_border", country="KH")
    >>> layers.line_layer(border, name="Land border").attribution
    'Land borders: © OpenStreetMap contributors, ODbL'
    """
    frame = in_degrees(lines, "LineString", "MultiLineString", argument="lines")
    require_columns(frame, (label,), "label")
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
        bounds=_extent(frame),
        attribution=plain(lines.attrs.get("attribution", "")),
        show=show,
        control=control,
        exact=exact_rows(frame),
    )


def label_layer(
    points: gpd.GeoDataFrame, *, name: str, label: str = "name", style: str = "style"
) -> AtlasLayer:
    """
    Write names on the map; where two would collide the earlier row is kept.

    A ``town`` has a dot where it is. Any other look names an area: rows of the same name and
    look are then places where the name may stand, and the first that is in view and free gets
    it, so a country keeps its name when part of it is hidden.

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
    SchemaError
        If a named column does not exist.
    TypeError
        If `points` is not a GeoDataFrame.

    Examples
    --------
    >>> import geo, layers
    >>> towns = geo.load_reference("towns", country="KH").head(3).assign(style="town")
    >>> layers.label_layer(towns, name="Place names").payload["labels"][0]
    ['Phnom Penh', 11.56245, 104.91601, 'town', 0.0]
    """
    frame = in_degrees(points, "Point", argument="points")
    require_columns(frame, (label,), "label")
    require_columns(frame, (style,), "style")
    frame = frame[in_the_plane(frame)]
    lonlat = lonlat_of(frame)
    zooms = frame["min_zoom"] if "min_zoom" in frame.columns else np.zeros(len(frame))
    rows = zip(frame[label], lonlat.tolist(), frame[style], zooms, strict=True)
    labels = [[plain(word), lat, lon, plain(look), float(z)] for word, (lon, lat), look, z in rows]
    payload = {"title": plain(name), "labels": labels}
    return AtlasLayer(
        "labels",
        payload,
        name=name,
        bounds=bounds_of(lonlat),
        attribution=plain(points.attrs.get("attribution", "")),
        exact=exact_rows(frame),
    )


def _names(frame: gpd.GeoDataFrame, label: str | None) -> dict[str, Any]:
    """Return the name of each area, and in Khmer where the frame has it."""
    if label is None:
        return {"labels": []}
    names = {"labels": [plain(name) for name in frame[label]]}
    if f"{label}_km" in frame.columns:
        names["labels_km"] = [plain(name) for name in frame[f"{label}_km"]]
    return names


def _few(frame: gpd.GeoDataFrame, too_few: tuple[str, float] | None) -> np.ndarray:
    """Tell which areas have too few of something to be given a class."""
    if too_few is None:
        return np.zeros(len(frame), dtype=bool)
    column, least = too_few
    # what is missing is not known to be enough
    enough = pd.to_numeric(frame[column]).astype("Float64") >= least
    few: np.ndarray = ~enough.fillna(value=False).to_numpy(dtype=bool)
    return few


def _value_words(value: object) -> str:
    """Write a value as a reader can take it in: four figures of a fraction."""
    if isinstance(value, Real) and not isinstance(value, bool | np.bool_) and isfinite(value):
        number = float(value)
        return number_words(number if number == round(number) else float(f"{number:.4g}"))
    return plain(value)


def _value_legend(
    scale: Scale,
    name: str,
    values: pd.Series,
    few: np.ndarray,
    too_few: tuple[str, float] | None,
) -> LegendSection:
    """Describe a choropleth's colours with the areas of each, of those without a class too."""
    found = np.array([scale.index(value) for value in values], dtype=np.int64)[~few]
    counts = np.bincount(found + 1, minlength=len(scale.keys) + 1).tolist()
    entries = [
        LegendEntry(label, colour, "square", count=count)
        for label, colour, count in zip(scale.labels, scale.colours, counts[1:], strict=True)
    ]
    if counts[0]:
        entries.append(LegendEntry("no value", scale.missing, "square", count=counts[0]))
    if too_few is not None and few.any():
        column, least = too_few
        what = known(plain(column).replace("_", " "))
        note = Phrase("fewer", least=number_words(least), what=what)
        n_few = int(few.sum())
        entries.append(LegendEntry("too few to say", TOO_FEW, "square", n_few, note, hatched=True))
    title = Phrase("of-areas", name=known(scale.name or name))
    return LegendSection(title, tuple(entries), graded=scale.classes)


def _default_scale(values: pd.Series, name: str) -> Scale:
    """Choose classes for numbers and hues for categories."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return sequential_scale(values, name=name)
    return categorical_scale(values, name=name)


def _extent(frame: gpd.GeoDataFrame) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of a frame, None if it is empty."""
    return bounds_of(shapely.get_coordinates(frame.geometry.to_numpy()))
