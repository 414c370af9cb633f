"""The ground of a map: land, water, provinces, borders and names, from the shipped data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import MacroElement
from folium.template import Template

import geo
from layers.features import area_layer, label_layer, line_layer
from layers.payload import add_assets, figure_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layers.payload import AtlasLayer

__all__ = ["COVERAGE", "Locator", "ground_layers"]

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

_DECIMALS = 4  # of a degree: half a pixel at the closest zoom
_FINE, _COARSE = 10_000, 1000  # parts of an extent that its drawing tells apart: near, and beyond
_LEAST_MARGIN_DEG = 8.0  # one town alone still lies in its region
_AROUND = 1.5  # of a view, on each side: what its locator shows at least
_SAME_DEG = 1e-7  # the shipped outlines are rounded

_OUTLINE_ERROR_DEG = 0.05  # a town on a coast or border may lie outside its country's outline
# A country's name has some places to choose from in the opening view, and some beyond it.
_NAME_PLACES = 6
_NAMED_DEG = 0.02  # how well outlines must be known to find the room for a name
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
        Sea, land, provinces, lakes, rivers, land borders and names, from the bottom up.
    """
    near, far = _padded(view, 0.6, 0.0), _padded(everything, 1.0, _LEAST_MARGIN_DEG)
    lens = _lens(near, far)
    countries = _clipped(geo.load_reference("countries"), far)
    land, provinces = (_rounded(_clipped(part, far)) for part in _outlines(lens))
    water = _rounded(_clipped(geo.load_reference("water"), far))
    is_lake = water.geom_type.isin(["Polygon", "MultiPolygon"])
    rivers, border = (
        _rounded(_clipped(_generalised(lines, lens), far))
        for lines in (water[~is_lake], geo.load_reference("land_border"))
    )
    names = _names(countries, provinces, places, (view, everything, far))
    ground = area_layer(land, name="Land", style="land", control=False)
    if len(land):
        ground.payload["ends"] = list(far)  # what is no coast, though the outlines end there
    return [
        area_layer(_sea(far), name="Sea", style="sea", control=False),
        ground,
        area_layer(provinces, name="Provinces of Cambodia", style="province"),
        area_layer(water[is_lake], name="Lakes", style="water", control=False),
        line_layer(rivers, name="Rivers", style="river"),
        line_layer(border, name="Land borders", style="border"),
        label_layer(names, name="Names of places"),
    ]


class Locator(MacroElement):
    """
    A small map of the region, on which the view is a rectangle.

    Parameters
    ----------
    land : AtlasLayer
        The land of `ground_layers`, whose outlines it draws; nothing more enters the page.
    view, everything : tuple of float
        West, south, east, north of the opening view and of all located rows.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "CompoundAtlas.locator({{ this._parent.get_name() }}, {{ this.land.get_name() }}, "
        "{{ this.region|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, land: AtlasLayer, *, view: Bounds, everything: Bounds) -> None:
        super().__init__()
        self._name = "Locator"
        self.land = land
        self.region = list(_region(view, everything, land.payload["ends"]))

    def render(self, **kwargs: object) -> None:  # type: ignore[override]  # as in MacroElement
        """
        Put the locator on the map.

        Parameters
        ----------
        **kwargs : object
            Passed to Folium.

        Raises
        ------
        ExportError
            If it has not been added to a map.
        """
        add_assets(figure_of(self), "inset.css", "inset.js")
        super().render(**kwargs)


def _region(view: Bounds, everything: Bounds, ends: Iterable[float]) -> Bounds:
    """Return all rows and what lies around the view, as far as outlines are known."""
    west, south, east, north = view
    margin = _AROUND * max(east - west, north - south)
    around = np.array([west - margin, south - margin, east + margin, north + margin])
    low, high = np.split(np.array(list(ends)), 2)
    low = np.maximum(np.minimum(around[:2], everything[:2]), low)
    high = np.minimum(np.maximum(around[2:], everything[2:]), high)
    return (*low.tolist(), *high.tolist())


def _padded(bounds: Bounds, share: float, least: float) -> Bounds:
    """Widen an extent by a share of its larger span, or by the least, within the coverage."""
    west, south, east, north = bounds
    margin = max(share * max(east - west, north - south), least)
    low = np.maximum([west - margin, south - margin], COVERAGE[:2])
    high = np.minimum([east + margin, north + margin], COVERAGE[2:])
    return (*np.round(low, _DECIMALS).tolist(), *np.round(high, _DECIMALS).tolist())


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


@dataclass(frozen=True)
class _Lens:
    """
    A plane that is degrees near the view and smaller beyond, where one tolerance fits all.

    What is simplified as a whole has no seam between its fine and its coarse part.
    """

    near: Bounds
    tolerance: float
    shrink: float  # of distances beyond `near`

    def seen(self, lonlat: np.ndarray) -> np.ndarray:
        """Place coordinates in the plane."""
        inside = np.clip(lonlat, self.near[:2], self.near[2:])
        placed: np.ndarray = inside + (lonlat - inside) * self.shrink
        return placed

    def degrees(self, seen: np.ndarray) -> np.ndarray:
        """Return coordinates from the plane."""
        inside = np.clip(seen, self.near[:2], self.near[2:])
        placed: np.ndarray = inside + (seen - inside) / self.shrink
        return placed


def _lens(near: Bounds, far: Bounds) -> _Lens:
    """Choose what a screen can show: fine near the view, coarse beyond."""
    span_near, span_far = (max(b[2] - b[0], b[3] - b[1], 0.0) for b in (near, far))
    fine = max(span_near / _FINE, 10.0**-_DECIMALS)
    return _Lens(near, fine, min(1.0, fine / max(span_far / _COARSE, fine)))


def _outlines(lens: _Lens) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """
    Return the land in one and the provinces, simplified along the arcs that they share.

    No sliver can then open between neighbours, or between provinces and land.
    """
    countries, provinces = geo.load_reference("countries"), geo.load_reference("provinces")
    shapes = countries.geometry.to_numpy()
    at_home = (countries["country"] == "KH").to_numpy(dtype=bool, na_value=False)
    abroad = shapely.get_parts(shapely.coverage_union_all(shapes[~at_home]))
    # Neighbours' outlines have corners on borders where those of the provinces run straight on.
    home = shapely.snap(provinces.geometry.to_numpy(), shapes[at_home][0], _SAME_DEG)
    seen = shapely.transform(np.concatenate([home, abroad]), lens.seen)
    seen = seen[(np.arange(len(seen)) < len(home)) | (shapely.area(seen) > lens.tolerance**2)]
    simple = shapely.transform(shapely.coverage_simplify(seen, lens.tolerance), lens.degrees)
    land = gpd.GeoDataFrame(geometry=[shapely.coverage_union_all(simple)], crs=4326)
    land.attrs = countries.attrs
    provinces = provinces.set_geometry(gpd.GeoSeries(simple[: len(home)], provinces.index, 4326))
    return land, provinces


def _generalised(lines: gpd.GeoDataFrame, lens: _Lens) -> gpd.GeoDataFrame:
    """Simplify lines to what a screen can show."""
    seen = shapely.transform(lines.geometry.to_numpy(), lens.seen)
    simple = shapely.transform(shapely.simplify(seen, lens.tolerance / 2), lens.degrees)
    return lines.set_geometry(gpd.GeoSeries(simple, lines.index, 4326))


def _rounded(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Keep as many decimals as the closest zoom can show."""
    whole = shapely.transform(frame.geometry.to_numpy(), lambda lonlat: np.round(lonlat, _DECIMALS))
    return frame.set_geometry(gpd.GeoSeries(whole, frame.index, 4326))


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
    areas = shapely.simplify(named.geometry.to_numpy(), _NAMED_DEG)
    rows = dict.fromkeys(
        (name, point)
        for name, area in zip(named["name"], areas, strict=True)
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
    abroad = abroad[~_beside_larger(abroad)]
    step = (abroad["population"].to_numpy()[:, None] < [p for p, _ in _TOWN_ZOOMS]).sum(axis=1)
    abroad = abroad.assign(min_zoom=np.array([z for _, z in _TOWN_ZOOMS])[step])
    columns = ["name", "geometry", "min_zoom"]
    return pd.concat([home[columns], pd.DataFrame(abroad[columns])]).assign(style="town")


def _beside_larger(towns: gpd.GeoDataFrame) -> np.ndarray:
    """Tell which towns lie in the outskirts of one before them, or are it in other letters."""
    first, second = np.triu_indices(len(towns), 1)
    here, there = (towns[["geometry"]].iloc[rows] for rows in (first, second))
    near = geo.geodesic_distance(there, here)["distance_m"].to_numpy() <= _CLEAR_M
    return np.isin(np.arange(len(towns)), second[near])


def _seas(box: Bounds) -> pd.DataFrame:
    """Name the seas within the box."""
    rows = [s for s in _SEAS if box[0] < s[1] < box[2] and box[1] < s[2] < box[3]]
    points = shapely.points([(lon, lat) for _, lon, lat in rows]) if rows else []
    columns = {"name": [name for name, *_ in rows], "geometry": points}
    return pd.DataFrame(columns | {"style": "sea", "min_zoom": 5.0})
