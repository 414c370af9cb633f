"""
What stands around reports as layers: distances of a feature, nearest targets, clusters.

As with `layers.features`, each layer can be added to anybody's ``folium.Map``.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import geo
from geo.errors import GeometryError, SchemaError
from layers._clusters import cluster_words, faded
from layers._fills import INK, LINE, continuous, filled, length_words
from layers._frames import bounds_of, in_degrees, require_columns, require_crs
from layers._words import Phrase, joined, known, said_by
from layers.legend import LegendEntry, LegendSection
from layers.payload import AtlasLayer, encode_geometry, exact_rows
from layers.scales import greens
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Literal

__all__ = ["cluster_layer", "distance_layer", "nearest_layer"]

_MOST_BANDS = 5  # that can be told apart
_WORST = 0.01  # scale error beyond which the plane no longer serves
_STEP_DEG = 0.02  # between points of a straight edge, which the projection bends
_MANY = 200  # corners of a feature, from which on it is drawn with fewer
_SIMPLER, _SIMPLER_M = 0.01, 20.0  # of a distance, or metres: how far a line may move for that
_QUARTER, _ROUGH_QUARTER = 24, 8  # sides of a quarter circle: chords 0.05 % and 0.5 % inside it
_FINEST_M = 1.0  # what coordinates of five decimals can show
_LONGEST_M = 10_000.0  # side of an outline, straight in degrees


def distance_layer(
    feature: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry,
    *,
    distances_m: Sequence[float] = (1000.0, 5000.0, 10_000.0, 25_000.0),
    sites: gpd.GeoDataFrame | None = None,
    name: str = "Distance",
    show: bool = True,
) -> AtlasLayer:
    """
    Draw bands within distances of a border, a coast or a point.

    Parameters
    ----------
    feature : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely.Geometry
        Points, lines or polygons, together one feature, as in `geo.distance_to`; a bare geometry
        is taken as EPSG:4326. The inside of a polygon is at distance 0.
    distances_m : sequence of float, default (1000, 5000, 10000, 25000)
        Up to five distances in metres.
    sites : geopandas.GeoDataFrame, optional
        Reports to be counted in the legend, with what their radii leave open, by
        `geo.distance_bands`; they are not drawn.
    name : str
        Name in layer controls and heading of the legend: from what the distance is.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer, the nearest band darkest. A band reaches from the next smaller distance
        to its own, the count in the legend from 0. With `sites`, bands that their radii cannot
        tell are pale and hatched.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If the feature is empty, or so large that no plane keeps its distances to 1 %.
    TypeError
        If `feature` is no frame, series or geometry.
    ValueError
        If a distance is not positive, or there is none or more than five.

    Notes
    -----
    Bands are buffers in the equal-area plane centred on the feature, whose scale error is 0.06 %
    over Cambodia and never more than 1 % (`geo.max_scale_error`). Chords lie 0.05 % inside. A
    feature of more than 200 corners is drawn with fewer: the edge of a band is then off by up to
    2.5 % of its distance, or 45 m if that is more. Edges of a feature are straight in longitude
    and latitude. Counts are not taken from the drawing: they are exact.

    Examples
    --------
    >>> import geo, layers
    >>> border = geo.load_reference("land_border", country="KH")
    >>> layer = layers.distance_layer(
    ...     border, distances_m=[5000, 25_000], sites=geo.example_sites(), name="Land border"
    ... )
    >>> [(entry.label, entry.count) for entry in layer.legend[0].entries]
    [('within 5 km', 19), ('within 25 km', 24)]
    """
    reaches = _distances(distances_m)
    shapes = _feature(feature)
    bands = _bands(shapes, reaches)
    words = [Phrase("within", distance=length_words(reach)) for reach in reaches]
    colours = greens(len(reaches))[::-1]
    entries = [
        LegendEntry(word, colour, "square") for word, colour in zip(words, colours, strict=True)
    ]
    if sites is not None:
        table = geo.distance_bands(sites, shapes, distances_m=reaches)
        entries = [
            replace(entry, count=row["count"], note=_left_open(row), hatched=not row["resolvable"])
            for entry, row in zip(entries, table.to_dict("records"), strict=True)
        ]
    return filled(
        bands,
        [Phrase("named", name=known(name), words=word) for word in words],
        colours,
        name=name,
        legend=LegendSection(plain(name), tuple(entries), graded=True),
        hatched=[i for i, entry in enumerate(entries) if entry.hatched],
        attribution=getattr(feature, "attrs", {}).get("attribution", ""),
        show=show,
        exact=exact_rows(feature) if isinstance(feature, gpd.GeoDataFrame) else 0,
    )


def nearest_layer(
    links: gpd.GeoDataFrame, *, name: str = "Nearest", show: bool = True
) -> AtlasLayer:
    """
    Draw the lines from reports to their nearest targets.

    Parameters
    ----------
    links : geopandas.GeoDataFrame
        From `geo.nearest` with ``lines=True``. What ``target`` holds is shown: give the targets
        their names as index.
    name : str
        Name in layer controls.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer; each line tells its target and the distance with its interval. Lines that
        share both ends are drawn once. The legend counts the rows that have no line.

    Raises
    ------
    CRSError
        If `links` has no coordinate reference system.
    GeometryError
        If a geometry is not a line.
    SchemaError
        If a column of `geo.nearest` is missing.
    TypeError
        If `links` is not a GeoDataFrame.

    Notes
    -----
    A line begins at the report's own coordinates, and nothing in `links` says whether these are
    public: leave protected reports out before `geo.nearest`.

    Examples
    --------
    >>> import geo, layers
    >>> towns = geo.load_reference("towns", country="KH").set_index("name")
    >>> links = geo.nearest(geo.example_sites(), towns, max_distance_m=100_000, lines=True)
    >>> layer = layers.nearest_layer(links, name="Nearest town")
    >>> layer.payload["labels"][0]
    'Andoung Tuek, 51.4 km (31.4 km to 71.4 km)'
    """
    if isinstance(links, pd.DataFrame) and not isinstance(links, gpd.GeoDataFrame):
        message = "`links` has no lines: use geo.nearest(sites, targets, lines=True)"
        raise SchemaError(message)
    frame = in_degrees(links, "LineString", "MultiLineString", argument="links")
    needed = ("target", "distance_m", "distance_min_m", "distance_max_m")
    require_columns(frame, needed, "nearest_layer, as geo.nearest(..., lines=True) gives them,")
    nowhere = int(frame["distance_m"].isna().sum())
    same = int((frame.geometry.isna() & frame["distance_m"].notna()).sum())
    words = [_link_words(row) for row in frame.itertuples()]
    same_words = pd.DataFrame({"w": words, "g": frame.geometry.to_wkb()}, index=frame.index)
    drawn = frame.geometry.notna() & ~same_words.duplicated()
    labels = [words[i] for i in np.flatnonzero(drawn)]
    frame = frame[drawn]
    missing = {"at-target": same, "no-target": nowhere}
    note = joined((Phrase(key, count=n) for key, n in missing.items() if n), "also")
    entry = LegendEntry("to the nearest target", LINE, "line", len(links) - nowhere - same, note)
    payload = {
        "title": plain(name),
        "style": "line",
        "shapes": [encode_geometry(shape) for shape in frame.geometry],
        "labels": labels,
        "said": said_by(labels),
    }
    return AtlasLayer(
        "lines",
        payload,
        name=name,
        bounds=bounds_of(shapely.get_coordinates(frame.geometry.to_numpy())),
        legend=(LegendSection(plain(name), (entry,)),) if len(links) else (),
        attribution=plain(links.attrs.get("attribution", "")),
        show=show,
        exact=exact_rows(links),
    )


def cluster_layer(
    clustering: geo.Clustering,
    *,
    shape: Literal["convex_hull", "concave_hull", "discs"] = "convex_hull",
    stability: geo.ClusterStability | None = None,
    name: str = "Clusters",
    show: bool = True,
) -> AtlasLayer:
    """
    Outline the areas within which the true places of clusters lie.

    Parameters
    ----------
    clustering : geo.Clustering
        From `geo.dbscan` and its like, of sites with ``uncertainty_m``.
    shape : {"convex_hull", "concave_hull", "discs"}, default "convex_hull"
        As in `geo.cluster_areas`.
    stability : geo.ClusterStability, optional
        From `geo.propagate` of the same clustering: the less of a cluster comes back in draws of
        the true places, the fainter its area is filled.
    name : str
        Name in layer controls.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer of dashed outlines. Each tells its place, its reports by status and how
        well they are located; the legend how many reports are in no cluster. With `stability`,
        the areas are filled, and each tells how much of it comes back.

    Raises
    ------
    GeometryError
        If the area of a cluster holds a pole.
    SchemaError
        If a clustered site has no radius.
    TypeError
        If `clustering` is no Clustering.
    ValueError
        If `stability` is of another clustering.

    Notes
    -----
    An outline follows the circles of its outermost reports, and so tells where these are: leave
    protected reports out before clustering.

    Examples
    --------
    >>> import geo, geopandas, layers
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 3, "status": ["confirmed", "suspected", "confirmed"]},
    ...     geometry=geopandas.points_from_xy([103.0, 103.01, 103.02], [13.0] * 3),
    ...     crs="EPSG:4326",
    ... )
    >>> layer = layers.cluster_layer(geo.dbscan(sites, eps_m=1500.0, min_samples=3))
    >>> layer.payload["labels"]
    ['Cluster 0: 2 confirmed, 1 suspected; each known to within 250 m']
    """
    areas = geo.cluster_areas(clustering, shape=shape)
    opacities, entries = faded(clustering, stability)
    inside = clustering.labels.to_numpy(dtype=np.int64, na_value=-1) >= 0
    note = Phrase(
        "cluster-rest", none=int(clustering.n_noise), unlocated=int(clustering.n_unlocated)
    )
    label = Phrase("cluster-key", method=clustering.method)
    entry = LegendEntry(label, INK, "line", count=len(areas), note=note, dashed=True)
    layer = filled(
        list(areas.geometry),
        cluster_words(clustering, stability),
        [INK] * len(opacities),
        name=name,
        legend=LegendSection(plain(name), (entry, *entries)),
        style="cluster",
        attribution=clustering.sites.attrs.get("attribution", ""),
        show=show,
        exact=exact_rows(clustering.sites[inside]),
    )
    layer.payload |= {"opacities": opacities} if opacities else {}
    return layer


def _distances(distances_m: Sequence[float]) -> list[float]:
    """Return distances that can be drawn, rising, each once."""
    found = np.unique(np.asarray(distances_m, dtype=float).ravel())
    fit = np.isfinite(found).all() and (found > 0).all()
    if not fit or not 1 <= len(found) <= _MOST_BANDS:
        message = (
            f"distances_m must be one to {_MOST_BANDS} positive numbers of metres, not "
            f"{list(distances_m)}"
        )
        raise ValueError(message)
    return [float(value) for value in found]


def _feature(feature: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry) -> gpd.GeoSeries:
    """Return what a distance is from, in degrees."""
    if isinstance(feature, shapely.Geometry):
        feature = gpd.GeoSeries([feature], crs=4326)
    require_crs(feature, "feature")
    shapes = gpd.GeoSeries(feature.geometry).to_crs(4326)
    shapes = shapes[~(shapes.isna() | shapes.is_empty)]
    if shapes.empty:
        message = "`feature` is empty: there is nothing to be near to. Check what was selected"
        raise GeometryError(message)
    return shapes


def _bands(shapes: gpd.GeoSeries, reaches: list[float]) -> list[shapely.Geometry]:
    """Return the band that ends at each distance, in degrees."""
    plane = geo.local_crs(shapes)
    dense = gpd.GeoSeries([_dense(shape) for shape in shapes], crs=4326)
    whole = shapely.union_all(dense.to_crs(plane).to_numpy())
    rough = shapely.get_num_coordinates(shapes.to_numpy()).sum() > _MANY
    discs = [_disc(whole, reach, rough=rough) for reach in reaches]
    rings = [discs[0], *(shapely.difference(b, a) for a, b in pairwise(discs))]
    degrees = gpd.GeoSeries(shapely.segmentize(rings, _LONGEST_M), crs=plane).to_crs(4326)
    if not np.isfinite(shapely.get_coordinates(degrees.to_numpy())).all() or (
        geo.max_scale_error(degrees, plane) > _WORST
    ):
        message = (
            "the feature is so large that distances in one plane would be wrong by more than "
            f"{_WORST:.0%}: draw one part of it at a time"
        )
        raise GeometryError(message)
    (middle,) = gpd.GeoSeries([shapely.Point(0, 0)], crs=plane).to_crs(4326)
    return continuous(degrees.to_numpy(), middle.x)


def _dense(shape: shapely.Geometry) -> shapely.Geometry:
    """Follow the straight edges of a shape in small steps, those of lines the short way round."""
    if "LineString" in shape.geom_type:
        shape = shapely.transform(
            shape, lambda xy: np.column_stack([np.unwrap(xy[:, 0], period=360), xy[:, 1]])
        )
    return shapely.segmentize(shape, _STEP_DEG)


def _disc(whole: shapely.Geometry, reach: float, *, rough: bool) -> shapely.Geometry:
    """Return all within a distance, of a long border with no more corners than can be seen."""
    off = max(_SIMPLER * reach, _SIMPLER_M) if rough else _FINEST_M
    sides = _ROUGH_QUARTER if rough else _QUARTER
    return shapely.simplify(
        shapely.buffer(shapely.simplify(whole, off), reach, quad_segs=sides), off
    )


def _left_open(row: dict[Hashable, Any]) -> str:
    """Say what the radii leave open of a count."""
    least, most = row["count_min"], row["count_max"]
    span = Phrase("span", a=f"{least:,}", b=f"{most:,}")
    open_ = Phrase("by-radii", span=span) if least < most else ""
    return joined((open_, "" if row["resolvable"] else known("not resolvable")), "also")


def _link_words(row: Any) -> str:  # noqa: ANN401  # a named tuple
    """Say where a line leads and how far."""
    if pd.isna(row.distance_m):
        return ""
    ends = {"target": plain(row.target), "distance": length_words(row.distance_m)}
    if pd.isna(row.distance_min_m):
        return Phrase("link-open", **ends)
    low, high = (length_words(m) for m in (row.distance_min_m, row.distance_max_m))
    return Phrase("link", **ends, least=low, most=high)
