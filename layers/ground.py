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
    from layers.payload import AtlasLayer

__all__ = ["COVERAGE", "ground_layers"]

Bounds = tuple[float, float, float, float]

# The shipped outlines end here (geo/data/SOURCES.md); beyond, nothing is known.
COVERAGE: Bounds = (60.0, -15.0, 150.0, 55.0)
_CLEAR_M = 12_000.0  # a symbol already names its town: no second name this near
_SMALLEST_NAMED_DEG2 = 0.3  # areas smaller than some 60 km across would hide behind their name

# Only names that no neighbour disputes.
_SEAS = (
    ("Gulf of Thailand", 101.6, 9.9),
    ("Andaman Sea", 96.0, 11.5),
    ("Bay of Bengal", 89.0, 16.0),
)

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
        Land, provinces, water, coast, land border and names, from the bottom up.
    """
    near, far = _padded(view, 0.6), _padded(everything, 1.0)
    countries = _clipped(geo.load_reference("countries"), far)
    provinces = _clipped(geo.load_reference("provinces"), far)
    water = geo.load_reference("water")
    is_lake = water.geom_type.isin(["Polygon", "MultiPolygon"])
    lakes, rivers = _clipped(water[is_lake], far), _generalised(water[~is_lake], near, far)
    coast = _generalised(geo.load_reference("coastline"), near, far)
    border = _generalised(geo.load_reference("land_border"), near, far, detail=3)
    names = _names(countries, provinces, places, view, far)
    return [
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
    view: Bounds,
    far: Bounds,
) -> gpd.GeoDataFrame:
    """Collect the names to write, the most important first."""
    parts = [
        _named_areas(countries, view, "country", 4.0),
        _towns(places, far),
        _named_areas(provinces, view, "province", 8.5),
        _seas(far),
    ]
    frame = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=4326)
    frame.attrs["attribution"] = geo.load_reference("towns", country="KH").attrs["attribution"]
    return frame


def _named_areas(areas: gpd.GeoDataFrame, view: Bounds, style: str, zoom: float) -> pd.DataFrame:
    """Place each area's name well inside its largest part, within the view if it is there."""
    named = (
        areas[shapely.area(areas.geometry.to_numpy()) > _SMALLEST_NAMED_DEG2]
        if style == "country"
        else areas
    )
    points = []
    for geometry in named.geometry:
        seen = shapely.clip_by_rect(geometry, *view)
        shown = seen if seen.area > _SMALLEST_NAMED_DEG2 else geometry
        largest = max(shapely.get_parts(shown), key=shapely.area)
        points.append(
            shapely.get_point(shapely.maximum_inscribed_circle(largest, tolerance=0.05), 0)
        )
    columns = {"name": named["name"].to_numpy(), "geometry": points}
    return pd.DataFrame(columns | {"style": style, "min_zoom": zoom})


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
