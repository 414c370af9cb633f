"""The ground of a map: land, water, provinces, borders and names, from the shipped data."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import geo
from layers.features import area_layer, label_layer, line_layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layers.payload import AtlasLayer

__all__ = ["COVERAGE", "ground_layers"]

Bounds = tuple[float, float, float, float]

# The shipped outlines end here (geo/data/SOURCES.md); beyond, nothing is known.
COVERAGE: Bounds = (60.0, -15.0, 150.0, 55.0)
_CLEAR_M = 12_000.0  # a symbol already names its town: no second name this near
_SMALLEST_NAMED_DEG2 = 0.3  # areas smaller than some 60 km across would hide behind their name

# Only names that no neighbour disputes; of several places the first in view is taken.
_SEAS = (
    ("Gulf of Thailand", 101.6, 9.9),
    ("Gulf of Thailand", 101.9, 11.1),
    ("Andaman Sea", 96.0, 11.5),
    ("Bay of Bengal", 89.0, 16.0),
)

_OUTLINE_ERROR_DEG = 0.05  # a town on a coast or border may lie outside its country's outline
# A country's name has some places to choose from in the opening view, and some beyond it.
_NAME_PLACES = 6
_COUNTRY_ZOOM, _OTHER_COUNTRY_ZOOM, _PROVINCE_ZOOM = 3.0, 4.0, 8.5

# Abroad: the smallest population that a town needs to be named, from each zoom on.
_TOWN_ZOOMS = ((1_000_000, 5.5), (250_000, 6.75), (100_000, 8.0))


def ground_layers(view: Bounds, everything: Bounds, places: gpd.GeoSeries) -> list[AtlasLayer]:
    """
    Draw the shipped ground; no host is asked for anything.

    Parameters
    ----------
    view : tuple of float
        West, south, east, north in degrees of the opening view, drawn in detail.
    everything : tuple of float
        Extent that must be covered, drawn more coarsely outside the view.
    places : geopandas.GeoSeries
        Points (EPSG:4326) whose symbols carry their own names; towns near them are not
        named again.

    Returns
    -------
    list of AtlasLayer
        Sea, land, provinces, lakes, rivers, coast, land border and names, from the bottom up.
    """
    near, far = _padded(view, 0.6), _padded(everything, 1.0)
    countries = _clipped(geo.load_reference("countries"), far)
    provinces = _clipped(geo.load_reference("provinces"), far)
    water = geo.load_reference("water")
    is_lake = water.geom_type.isin(["Polygon", "MultiPolygon"])
    lakes, rivers = _clipped(water[is_lake], far), _generalised(water[~is_lake], near, far)
    coast = _generalised(geo.load_reference("coastline"), near, far)
    border = _generalised(geo.load_reference("land_border"), near, far, detail=3)
    names = _names(countries, provinces, places, (view, everything, far))
    return [
        area_layer(_sea(far), name="Sea", style="sea", control=False),
        area_layer(_generalised(countries, near, far), name="Land", style="land", control=False),
        area_layer(provinces, name="Provinces of Cambodia", style="province"),
        area_layer(lakes, name="Lakes", style="water", control=False),
        line_layer(rivers, name="Rivers", style="river"),
        line_layer(coast, name="Coast", style="coast", control=False),
        line_layer(border, name="Land borders", style="border"),
        label_layer(names, name="Names of places"),
    ]


def _padded(bounds: Bounds, share: float) -> Bounds:
    """Widen an extent on all sides by a share of its larger span, within the coverage."""
    west, south, east, north = bounds
    margin = share * max(east - west, north - south)
    low = np.maximum([west - margin, south - margin], COVERAGE[:2])
    high = np.minimum([east + margin, north + margin], COVERAGE[2:])
    return (*low.tolist(), *high.tolist())


def _sea(box: Bounds) -> gpd.GeoDataFrame:
    """Return what is water unless land is drawn on it; beyond, nothing is known and drawn."""
    west, south, east, north = box
    known = [shapely.box(*box)] if west < east and south < north else []
    return gpd.GeoDataFrame(geometry=known, crs=4326)


def _clipped(frame: gpd.GeoDataFrame, box: Bounds) -> gpd.GeoDataFrame:
    """Cut a layer to a box; what only touches the box is left out."""
    west, south, east, north = box
    if west >= east or south >= north:
        return frame.iloc[:0]
    cut = shapely.clip_by_rect(frame.geometry.to_numpy(), west, south, east, north)
    same = shapely.get_dimensions(cut) == shapely.get_dimensions(frame.geometry.to_numpy())
    clipped = frame.set_geometry(gpd.GeoSeries(cut, index=frame.index, crs=frame.crs))
    clipped = clipped[same & ~shapely.is_empty(cut)]
    clipped.attrs = frame.attrs
    return clipped


def _generalised(
    frame: gpd.GeoDataFrame, near: Bounds, far: Bounds, *, detail: int = 1
) -> gpd.GeoDataFrame:
    """Simplify a layer to what a screen can show: finely near the view, coarsely beyond."""
    fine = _clipped(frame, near)
    span_near, span_far = (max(b[2] - b[0], b[3] - b[1]) for b in (near, far))
    fine = fine.set_geometry(fine.geometry.simplify(span_near / 4000 / detail))
    if span_far < 2 * span_near:
        rest = _clipped(frame, far)
        rest = rest.set_geometry(rest.geometry.difference(shapely.box(*near)))
    else:
        rest = _clipped(frame, far)
        simple = rest.geometry.simplify(span_far / 2000)
        rest = rest.set_geometry(shapely.make_valid(simple.to_numpy()))
        rest = rest.set_geometry(rest.geometry.difference(shapely.box(*near)))
    kinds = shapely.get_dimensions(frame.geometry.to_numpy()).max(initial=0)
    parts = pd.concat([fine, rest]).explode()
    parts = parts[~parts.is_empty & (shapely.get_dimensions(parts.geometry.to_numpy()) == kinds)]
    joined = gpd.GeoDataFrame(parts, geometry=parts.geometry, crs=frame.crs)
    joined.attrs = frame.attrs
    return joined


def _names(
    countries: gpd.GeoDataFrame,
    provinces: gpd.GeoDataFrame,
    places: gpd.GeoSeries,
    boxes: tuple[Bounds, Bounds, Bounds],
) -> gpd.GeoDataFrame:
    """Collect the names to write, the most important first; boxes from the opening view out."""
    view, _, far = boxes
    matters = _reported(countries, places) | countries.intersects(shapely.box(*view)).to_numpy()
    parts = [
        _named_countries(countries[matters], boxes, _COUNTRY_ZOOM),
        _named_countries(countries[~matters], boxes, _OTHER_COUNTRY_ZOOM),
        _towns(places, far),
        _named_provinces(provinces, view),
        _seas(far),
    ]
    frame = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=4326)
    frame.attrs["attribution"] = geo.load_reference("towns", country="KH").attrs["attribution"]
    return frame


def _reported(areas: gpd.GeoDataFrame, places: gpd.GeoSeries) -> np.ndarray:
    """Tell in which areas there is a place, as far as outlines this coarse can."""
    points = shapely.multipoints(shapely.get_coordinates(places.to_numpy()))
    near: np.ndarray = shapely.dwithin(areas.geometry.to_numpy(), points, _OUTLINE_ERROR_DEG)
    return near


def _named_countries(
    countries: gpd.GeoDataFrame, boxes: Iterable[Bounds], zoom: float
) -> pd.DataFrame:
    """Name countries where they have room, within each box from the smallest to the largest."""
    named = countries[shapely.area(countries.geometry.to_numpy()) > _SMALLEST_NAMED_DEG2]
    rows = dict.fromkeys(
        (name, point)
        for name, area in zip(named["name"], named.geometry, strict=True)
        for box in boxes
        for point in _roomy_points(shapely.clip_by_rect(area, *box), _NAME_PLACES)
    )
    frame = pd.DataFrame(list(rows), columns=["name", "geometry"])
    return frame.assign(style="country", min_zoom=zoom)


def _named_provinces(provinces: gpd.GeoDataFrame, view: Bounds) -> pd.DataFrame:
    """Name provinces, each well inside the part of it that is in view."""
    points = []
    for area in provinces.geometry:
        seen = _roomy_points(shapely.clip_by_rect(area, *view), 1)
        points += seen or _roomy_points(area, 1, smallest_deg2=0.0)
    columns = {"name": provinces["name"].to_numpy(), "geometry": points}
    return pd.DataFrame(columns | {"style": "province", "min_zoom": _PROVINCE_ZOOM})


def _roomy_points(
    area: shapely.Geometry, most: int, *, smallest_deg2: float = _SMALLEST_NAMED_DEG2
) -> list[shapely.Point]:
    """Return the centre of the largest circle within an area, then of what that leaves, and on."""
    points: list[shapely.Point] = []
    while len(points) < most and area.area > smallest_deg2:
        largest = max(shapely.get_parts(area), key=shapely.area)
        radius = shapely.maximum_inscribed_circle(largest, tolerance=0.05)
        points.append(shapely.get_point(radius, 0))
        area = area.difference(points[-1].buffer(radius.length))
    return points


def _towns(places: gpd.GeoSeries, box: Bounds) -> pd.DataFrame:
    """Choose towns, leaving out those that a symbol names already."""
    towns = geo.load_reference("towns").cx[box[0] : box[2], box[1] : box[3]]
    if len(places):
        towns = towns[(geo.distance_to(towns, places)["distance_m"] > _CLEAR_M).to_numpy()]
    chosen = json.loads((files("layers") / "assets" / "towns.json").read_text(encoding="utf-8"))
    home = pd.DataFrame(chosen["towns"], columns=["geonameid", "name", "min_zoom"])
    home = home.merge(towns[["geonameid", "geometry"]], on="geonameid")
    abroad = towns[(towns["country"] != "KH") & (towns["population"] >= _TOWN_ZOOMS[-1][0])]
    abroad = abroad.sort_values(["population", "geonameid"], ascending=[False, True])
    step = (abroad["population"].to_numpy()[:, None] < [p for p, _ in _TOWN_ZOOMS]).sum(axis=1)
    abroad = abroad.assign(min_zoom=np.array([z for _, z in _TOWN_ZOOMS])[step])
    columns = ["name", "geometry", "min_zoom"]
    return pd.concat([home[columns], pd.DataFrame(abroad[columns])]).assign(style="town")


def _seas(box: Bounds) -> pd.DataFrame:
    """Name the seas within the box."""
    rows = [s for s in _SEAS if box[0] < s[1] < box[2] and box[1] < s[2] < box[3]]
    points = shapely.points([(lon, lat) for _, lon, lat in rows]) if rows else []
    columns = {"name": [name for name, *_ in rows], "geometry": points}
    return pd.DataFrame(columns | {"style": "sea", "min_zoom": 5.0})
