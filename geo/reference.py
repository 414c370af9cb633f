"""The shipped reference data: outlines, coast, water, towns, the land border.

`data/SOURCES.md` says where every file comes from, under which licence, and how good it is.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.ops

from geo.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from numpy.typing import NDArray

__all__ = ["load_reference"]

# Credits are joined by "; " so that a map can print each of them once.
_CAMBODIA = (
    "Boundaries: geoBoundaries (Runfola et al. 2020), source Open Development Cambodia, "
    "CC BY 4.0, modified: simplified, gaps filled, recoded"
)
_OUTLINES = "Outlines and water: Natural Earth"
_NAMES = "Names of areas: GDDE, Ministry of Economy and Finance (data.mef.gov.kh)"
_GEONAMES = "Places: GeoNames, CC BY 4.0"
_CREDITS = {
    "provinces": (_CAMBODIA, _OUTLINES, _NAMES),
    "districts": (_CAMBODIA, _OUTLINES, _NAMES),
    "countries": (_CAMBODIA, _OUTLINES),
    "land_border": ("Land borders: © OpenStreetMap contributors, ODbL",),
    "coastline": (_CAMBODIA, _OUTLINES),
    "water": (_OUTLINES,),
    "towns": (_GEONAMES,),
}
_FIVE = ("KH", "LA", "MM", "TH", "VN")
# Asia/Bangkok is Thailand and the north of Vietnam: `_zone_country` tells them apart.
_ZONES = {
    "Asia/Bangkok": "TH",
    "Asia/Dhaka": "BD",
    "Asia/Ho_Chi_Minh": "VN",
    "Asia/Kolkata": "IN",
    "Asia/Kuala_Lumpur": "MY",
    "Asia/Phnom_Penh": "KH",
    "Asia/Shanghai": "CN",
    "Asia/Vientiane": "LA",
    "Asia/Yangon": "MM",
}
# A border within an estuary up to twice this wide (6.6 km) is a land border still: the
# Pakchan at Ranong, the Naf at Teknaf. Straight coasts stay where they are.
_ESTUARY_DEG = 0.03


def load_reference(layer: str, *, country: str | None = None) -> gpd.GeoDataFrame:
    """
    Load a layer of the shipped reference data.

    The layers and their columns beside ``geometry``:

    - ``provinces``: ``code`` (P-code for Cambodia, ISO 3166-2 elsewhere), ``name``,
      ``name_km``, ``country``. Cambodia's 25; those of LA, MM, TH and VN by `country`.
    - ``districts``: the same and ``province_code``, ``province``. Cambodia's 208.
    - ``countries``: ``country``, ``name``, ``scale``. KH, LA, MM, TH, VN at 1:10 million;
      the countries around them at 1:50 million, cut to 60-150 E, 15 S-55 N.
    - ``land_border``: ``country_a``, ``country_b``, ``name``; one row for each two countries
      that share a border on land, at least one of them KH, LA, MM, TH or VN.
    - ``coastline``: ``scale``. The outer edge of ``countries`` where it is sea.
    - ``water``: ``kind`` (``lake``, ``river``). For drawing, never for distances.
    - ``towns``: ``geonameid``, ``name``, ``name_km``, ``country``, ``population`` (0 where
      GeoNames does not know it), ``admin1_code`` (GeoNames' own), ``aliases`` (joined with a
      vertical bar), ``latitude``, ``longitude``. 2,984 places in KH, LA, MM, TH, VN.

    Parameters
    ----------
    layer : str
        The name of the layer.
    country : str, optional
        ISO 3166-1 alpha-2 code, in capitals or not. Without it ``provinces`` and
        ``districts`` are Cambodia's and the other layers cover the whole region.

    Returns
    -------
    geopandas.GeoDataFrame
        The rows in EPSG:4326, a fresh copy at each call. ``attrs["attribution"]`` is the
        text to print wherever the layer is shown, ``attrs["layer"]`` its name.

    Raises
    ------
    NotFoundError
        If there is no such layer, or the layer has no rows for the country.

    Notes
    -----
    Cambodia's provinces agree with the official ones (COD-AB 2018) in 98.8 % of the country;
    along the land border their outer edge is off by a median of 0.7 km and by 4.4 km at worst,
    so whether a place is in Cambodia must be read from the land border. Districts are those
    of 2014 named and coded as in 2025: Bavet and Chantrea have no polygon of their own. The
    land border is taken from OpenStreetMap by way of `tzfpy`: it lies within a median of 70 m
    of the official line, and stops at the coast (good to about 2 km along the line). Borders
    are drawn as the sources draw them, which says nothing on who is right.

    Examples
    --------
    >>> import geo
    >>> len(geo.load_reference("provinces")), len(geo.load_reference("districts"))
    (25, 208)
    >>> border = geo.load_reference("land_border", country="KH")
    >>> border["country_a"].tolist(), border["country_b"].tolist()
    (['KH', 'KH', 'KH'], ['LA', 'TH', 'VN'])
    """
    if layer not in _CREDITS:
        message = f"There is no reference layer {layer!r}; choose one of {', '.join(_CREDITS)}."
        raise NotFoundError(message)
    frame = _land_border() if layer == "land_border" else _read(layer)
    code = "KH" if country is None and layer == "provinces" else country
    if code is not None:
        code = str(code).strip().upper()
        frame = _within_country(frame, layer, code)
    frame = frame.reset_index(drop=True)
    foreign = layer == "provinces" and code != "KH"
    frame.attrs = {
        "attribution": "; ".join((_OUTLINES,) if foreign else _CREDITS[layer]),
        "layer": layer,
    }
    return frame


def _data() -> Traversable:
    """Return the folder of the shipped files."""
    return resources.files("geo") / "data"


@cache
def _read(layer: str) -> gpd.GeoDataFrame:
    """Read a shipped layer once; callers get copies."""
    if layer == "towns":
        return _read_towns()
    with resources.as_file(_data() / f"{layer}.parquet") as path:
        return gpd.read_parquet(path)


def _read_towns() -> gpd.GeoDataFrame:
    """Read the towns as points; an empty cell is a missing value, "NA" is a name."""
    text = {"name": "str", "name_km": "str", "country": "str", "aliases": "str"}
    with resources.as_file(_data() / "towns.csv.gz") as path:
        towns = pd.read_csv(
            path, dtype={**text, "admin1_code": "str"}, keep_default_na=False, na_values=[""]
        )
    points = gpd.points_from_xy(towns["longitude"], towns["latitude"])
    return gpd.GeoDataFrame(towns, geometry=points, crs="EPSG:4326")


def _within_country(frame: gpd.GeoDataFrame, layer: str, country: str) -> gpd.GeoDataFrame:
    """Keep the rows of one country, or say which countries there are."""
    columns = [name for name in ("country", "country_a", "country_b") if name in frame]
    if not columns:
        message = f"The layer {layer!r} is not divided by country; load it without country=."
        raise NotFoundError(message)
    chosen = (frame[columns] == country).any(axis=1)
    if not chosen.any():
        codes = sorted({code for column in columns for code in frame[column].dropna()})
        message = (
            f"The layer {layer!r} has no country {country!r}; "
            f"it has {', '.join(codes)} (ISO 3166-1 alpha-2)."
        )
        raise NotFoundError(message)
    return frame[chosen]


@cache
def _land_border() -> gpd.GeoDataFrame:
    """Trace the shared edges of the countries' time zones, as far as there is land."""
    edges = pd.concat([_zone_edges(zone) for zone in _ZONES], ignore_index=True)
    corners = ["x0", "y0", "x1", "y1"]
    edges = edges.drop_duplicates([*corners, "country"])
    # Neighbouring zones share their edges corner by corner, so equality is exact.
    shared = edges.merge(edges, on=corners, suffixes=("_a", "_b"))
    shared = shared[shared["country_a"] < shared["country_b"]]
    ours = shared["country_a"].isin(_FIVE) | shared["country_b"].isin(_FIVE)
    names = _read("countries").set_index("country")["name"]
    land = _land()
    rows = []
    for (a, b), pair in shared[ours].groupby(["country_a", "country_b"], sort=True):
        line = _on_land(pair[corners].to_numpy().reshape(-1, 2, 2), land)
        rows.append((a, b, f"{names[a]}–{names[b]}", line))  # noqa: RUF001 an en dash joins equals
    columns = ["country_a", "country_b", "name", "geometry"]
    return gpd.GeoDataFrame(rows, columns=columns, crs="EPSG:4326")


def _zone_edges(zone: str) -> pd.DataFrame:
    """Return the edges of a time zone, lesser corner first, with the country of each."""
    frames = []
    for rings in _zone_polygons(zone):
        country = _zone_country(zone, rings[0])
        for ring in rings:
            start, end = ring[:-1], ring[1:]
            turned = (start[:, 0] > end[:, 0]) | (
                (start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1])
            )
            edges = np.where(turned[:, None], np.hstack([end, start]), np.hstack([start, end]))
            frame = pd.DataFrame(edges, columns=["x0", "y0", "x1", "y1"])
            frames.append(frame.assign(country=country))
    return pd.concat(frames, ignore_index=True)


def _zone_polygons(zone: str) -> Iterator[list[NDArray[np.float64]]]:
    """Yield the polygons of a time zone as lists of rings."""
    # Imported here: the module maps several megabytes that only this layer needs.
    from tzfpy import get_tz_polygon_geojson  # noqa: PLC0415 see above

    for feature in json.loads(get_tz_polygon_geojson(zone))["features"]:
        geometry: dict[str, Any] = feature["geometry"]
        several = geometry["type"] == "MultiPolygon"
        for polygon in geometry["coordinates"] if several else [geometry["coordinates"]]:
            yield [np.asarray(ring, dtype=np.float64) for ring in polygon]


def _zone_country(zone: str, ring: NDArray[np.float64]) -> str:
    """Return the country of a polygon; where a zone covers two, the one that is nearer."""
    if zone != "Asia/Bangkok":
        return _ZONES[zone]
    outlines = _read("countries").set_index("country").geometry
    middle = shapely.Point(ring.mean(axis=0))
    nearer_thailand = middle.distance(outlines["TH"]) < middle.distance(outlines["VN"])
    return "TH" if nearer_thailand else "VN"


def _land() -> shapely.Geometry:
    """Unite the countries that the land border touches."""
    countries = _read("countries")
    return shapely.coverage_union_all(
        countries.geometry[countries["country"].isin(set(_ZONES.values()))].to_numpy()
    )


def _on_land(edges: NDArray[np.float64], land: shapely.Geometry) -> shapely.MultiLineString:
    """Join edges to a line and cut off its ends at sea."""
    parts: Any = shapely.linestrings(edges)
    merged = shapely.line_merge(shapely.multilinestrings(parts))
    # Every land border is one line; what lies apart from it runs between waters.
    line = max(shapely.get_parts(merged), key=shapely.length)
    on_land = [shapely.intersection(line, land)]
    at_sea = shapely.difference(line, land)
    if not at_sea.is_empty:
        near = shapely.intersection(land, shapely.box(*shapely.buffer(at_sea, 0.2).bounds))
        closed = shapely.buffer(shapely.buffer(near, _ESTUARY_DEG), -_ESTUARY_DEG)
        on_land.append(shapely.intersection(line, closed))
    pieces = shapely.get_parts(on_land)
    pieces = pieces[shapely.length(pieces) > 0]
    ends = np.concatenate([shapely.get_point(pieces, 0), shapely.get_point(pieces, -1)])
    along = shapely.line_locate_point(line, ends)
    # From the first to the last point on land: a ford in between belongs to the border.
    stretch: Any = shapely.ops.substring(line, along.min(), along.max())
    return shapely.MultiLineString([stretch])
