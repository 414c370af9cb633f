"""What lies within a distance: one answer at the reported places, and the two that bound it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_list_like

from geo._index import pair_lengths, within
from geo._inputs import any_length, coordinates, lengths, radii, target_radii
from geo._resolution import unresolved
from geo._search import Search, candidate_pairs
from geo.geodesy import Points, place_points
from geo.proximity import distance_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

__all__ = ["count_within", "distance_bands", "pairs_within", "within_distance"]

_CLAIMED = ("confirmed", "suspected")


def within_distance(
    sites: gpd.GeoDataFrame,
    feature: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    *,
    distance_m: float,
    edges: Literal["planar", "geodesic"] = "planar",
) -> pd.DataFrame:
    """
    Tell which sites lie within a geodesic distance of a feature.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, n rows, in any coordinate reference system.
    feature : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Points, lines or polygons, as in `distance_to`.
    distance_m : float
        Greatest distance in metres; a site at exactly this distance is within.
    edges : {"planar", "geodesic"}, default "planar"
        What runs between two vertices, as in `distance_to`.

    Returns
    -------
    pandas.DataFrame, shape (n, 3)
        Indexed like `sites`, of dtype boolean: ``within`` at the reported place; ``surely``,
        wherever in its radius the true place lies; ``possibly``, if some place in it is within.
        Missing where the site has no location; the last two also where its radius is unknown.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry does not fit; see `distance_to`.
    ValueError
        If `distance_m` is negative or no number, or `edges` is unknown.

    Notes
    -----
    A site that is possibly but not surely within is one that the location cannot decide: say so,
    rather than count it. The comparison is exact to the 1e-6 m of `distance_to`.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import LineString
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0, 5000.0]},
    ...     geometry=geopandas.points_from_xy([103.0, 103.0], [14.2, 14.2]),
    ...     crs="EPSG:4326",
    ... )
    >>> border = LineString([(102.0, 14.3), (104.0, 14.3)])
    >>> geo.within_distance(sites, border, distance_m=12_000)
       within  surely  possibly
    0    True    True      True
    1    True   False      True
    """
    reach = any_length(distance_m, "distance_m")
    measured = distance_to(sites, feature, edges=edges)
    answer = pd.DataFrame(index=sites.index)
    for name, column in (
        ("within", "distance_m"),
        ("surely", "distance_max_m"),
        ("possibly", "distance_min_m"),
    ):
        length = measured[column]
        answer[name] = (length <= reach).astype("boolean").mask(length.isna())
    return answer


def distance_bands(
    sites: gpd.GeoDataFrame,
    feature: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    *,
    distances_m: Sequence[float] = (1000.0, 5000.0, 10_000.0, 25_000.0),
    edges: Literal["planar", "geodesic"] = "planar",
) -> pd.DataFrame:
    """
    Count the sites within each of several distances of a feature, with what the radii leave open.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, in any coordinate reference system.
    feature : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Points, lines or polygons, as in `distance_to`.
    distances_m : sequence of float, default (1000, 5000, 10000, 25000)
        The distances, in metres; each band reaches from 0 to one of them.
    edges : {"planar", "geodesic"}, default "planar"
        What runs between two vertices, as in `distance_to`.

    Returns
    -------
    pandas.DataFrame
        One row per distance, rising: ``within_m``; ``count`` of sites at their reported places,
        ``count_min`` wherever they lie in their radii and ``count_max`` that could be, of
        ``n_located`` sites with a location; ``confirmed`` and ``suspected``, how many of ``count``
        have that status (missing if the sites have none); ``resolvable``, whether the locations
        can tell this distance; ``note``, in words. Sites of unknown radius count as possible and
        never as sure.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry does not fit; see `distance_to`.
    ValueError
        If a distance is negative or no number, or there is none, or `edges` is unknown.

    Notes
    -----
    A distance below twice the 75th percentile of ``uncertainty_m`` is not resolvable: a site
    within it could as well be recorded outside, and the reverse. Reported places then tell about
    the gazetteer; ``count_min`` and ``count_max`` are what can be said.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import LineString
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0, 5000.0]},
    ...     geometry=geopandas.points_from_xy([103.0, 103.0], [14.2, 14.2]),
    ...     crs="EPSG:4326",
    ... )
    >>> border = LineString([(102.0, 14.3), (104.0, 14.3)])
    >>> bands = geo.distance_bands(sites, border, distances_m=[1000, 12_000])
    >>> bands[["within_m", "count", "count_min", "count_max", "resolvable"]]
       within_m  count  count_min  count_max  resolvable
    0    1000.0      0          0          0       False
    1   12000.0      2          1          2        True
    """
    reaches = np.unique(lengths(distances_m, "distances_m"))
    measured = distance_to(sites, feature, edges=edges)
    located = measured["distance_m"].notna()
    status = sites.get("status")
    rows = []
    for reach in reaches:
        here = measured["distance_m"] <= reach
        known = measured["distance_min_m"].where(measured["distance_min_m"].notna(), 0.0)
        note = unresolved(sites, float(reach))
        claimed = {
            tier: pd.NA if status is None else int((here & (status == tier)).sum())
            for tier in _CLAIMED
        }
        rows.append(
            {
                "within_m": float(reach),
                "count": int(here.sum()),
                "count_min": int((measured["distance_max_m"] <= reach).sum()),
                "count_max": int((located & (known <= reach)).sum()),
                "n_located": int(located.sum()),
                **claimed,
                "resolvable": not note,
                "note": note,
            }
        )
    whole = dict.fromkeys(("count", "count_min", "count_max", "n_located"), "int64")
    return pd.DataFrame(rows).astype(
        {**whole, **dict.fromkeys(_CLAIMED, "Int64"), "note": "string"}
    )


def count_within(
    sites: gpd.GeoDataFrame,
    targets: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    *,
    distance_m: float | Sequence[float],
) -> pd.DataFrame:
    """
    Count the targets within a geodesic distance of each site.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, n rows, in any coordinate reference system.
    targets : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Points. Without it, the other sites: a site does not count itself.
    distance_m : float or sequence of float
        Greatest distance in metres, or several; a target at exactly this distance counts.

    Returns
    -------
    pandas.DataFrame, shape (n, 3)
        Indexed like `sites`, whole numbers: ``count`` at the reported places; ``count_min``,
        the targets that are within the distance wherever both lie in their radii;
        ``count_max``, those that could be. Missing where the site has no location; the last
        two also where a radius is unknown, of the site or of any located target. For several
        distances, one row per site and distance, in the order of `sites`: ``site`` (index label),
        ``distance_m`` and the three counts.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry is no point; for lines and polygons use `distance_to`.
    ValueError
        If a distance is negative or no number, or there is none.

    Notes
    -----
    A pair at distance d surely counts if ``d + u <= distance_m`` and possibly if
    ``d - u <= distance_m``, u being the sum of both radii (see `geodesic_distance`). Targets
    without location are in none of the three counts.

    Examples
    --------
    >>> import geo, geopandas
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0, 250.0, 5000.0]},
    ...     geometry=geopandas.points_from_xy([103.0, 103.01, 103.02], [13.0, 13.0, 13.0]),
    ...     crs="EPSG:4326",
    ... )
    >>> geo.count_within(sites, distance_m=2000.0)
       count  count_min  count_max
    0      1          1          2
    1      2          1          2
    2      1          0          2
    """
    one = not is_list_like(distance_m)
    reaches = lengths(distance_m, "distance_m")
    lon, lat = coordinates(sites, "sites")
    radius = radii(sites)
    hint = "count_within counts points; distance_to measures to lines and polygons."
    others = (lon, lat) if targets is None else coordinates(targets, "targets", hint)
    own = radius if targets is None else target_radii(targets)
    located, there = np.isfinite(lon), np.isfinite(others[0])
    known = ~np.isnan(radius[located]) & ~np.isnan(own[there]).any()
    points = place_points(lon[located], lat[located])
    pool = points if targets is None else place_points(others[0][there], others[1][there])
    search = Search(pool, own[there])
    parts = []
    for reach in reaches:
        counts = _bounds(points, radius[located], known, search, reach)
        if targets is None:
            # each site has met itself, at distance 0 with twice its radius
            counts -= np.stack([known | True, 2 * radius[located] <= reach, known | True])
        parts.append(_table(counts, located, known, sites.index))
    if one:
        return parts[0]
    row = np.repeat(np.arange(len(sites)), len(reaches))
    table = pd.concat(parts).iloc[np.arange(len(row)).reshape(len(reaches), -1).T.ravel()]
    table.insert(0, "distance_m", np.tile(reaches, len(sites)))
    table.insert(0, "site", sites.index[row])
    return table.reset_index(drop=True)


def pairs_within(sites: gpd.GeoDataFrame, *, distance_m: float) -> pd.DataFrame:
    """
    List the pairs of sites within a geodesic distance of each other.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, in any coordinate reference system.
    distance_m : float
        Greatest distance in metres between the reported places; exactly this one counts.

    Returns
    -------
    pandas.DataFrame
        One row per pair, each pair once: ``site`` and ``other`` (index labels, `site` standing
        first in the frame), ``distance_m``, ``distance_min_m``, ``distance_max_m``; in the order
        of the frame. Sites without location are in no pair.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If a geometry is no point.
    ValueError
        If `distance_m` is negative or no number.

    Notes
    -----
    Exact by the bounds of `geo.geodesy`. Pairs whose reported places lie farther apart can be
    nearer in truth: ``count_max`` of `count_within` says how many. The table grows with the number
    of pairs, which `count_within` tells beforehand.

    Examples
    --------
    >>> import geo, geopandas
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0, 250.0, 5000.0]},
    ...     geometry=geopandas.points_from_xy([103.0, 103.01, 103.02], [13.0, 13.0, 13.0]),
    ...     crs="EPSG:4326",
    ...     index=["a", "b", "c"],
    ... )
    >>> geo.pairs_within(sites, distance_m=2000).round(1)
      site other  distance_m  distance_min_m  distance_max_m
    0    a     b      1084.8           584.8          1584.8
    1    b     c      1084.8             0.0          6334.8
    """
    reach = any_length(distance_m, "distance_m")
    lon, lat = coordinates(sites, "sites")
    located = np.flatnonzero(np.isfinite(lon))
    points = place_points(lon[located], lat[located])
    nothing = np.empty(0, dtype=np.int64)
    pairs = [(nothing, nothing, np.empty(0))]
    for i, j in candidate_pairs(points, points, reach):
        once = np.flatnonzero(i < j)
        met = once[within(points, i[once], points, j[once], reach)]
        # portions come by the first site; within one only the second is to be put in order
        a, b = i[met], j[met]
        order = np.lexsort((b, a))
        a, b = a[order], b[order]
        pairs.append((located[a], located[b], pair_lengths(points, a, points, b)))
    first, second, length = (np.concatenate(side) for side in zip(*pairs, strict=True))
    radius = radii(sites)
    both = radius[first] + radius[second]
    return pd.DataFrame(
        {
            "site": sites.index[first],
            "other": sites.index[second],
            "distance_m": length,
            "distance_min_m": np.maximum(length - both, 0),
            "distance_max_m": length + both,
        }
    )


# ---------------------------------------------------------------------------- what is counted


def _bounds(points: Points, radius: Floats, known: Flags, search: Search, reach: float) -> Ints:
    """Count targets that are, surely are and possibly are within reach, shape (3, n)."""
    counts = np.zeros((3, len(radius)), dtype=np.int64)
    counts[0] = search.count(points, np.full(len(radius), reach))
    if known.any():
        own = np.nan_to_num(radius)
        # a site of endless radius is surely within nothing, even without an end
        sure = np.where(np.isinf(own), -1.0, reach - np.where(np.isinf(own), 0.0, own))
        counts[1] = search.count(points, sure, sign=-1)
        counts[2] = search.count(points, reach + own, sign=1)
    return counts


def _table(counts: Ints, located: Flags, known: Flags, index: pd.Index) -> pd.DataFrame:
    """Return the three counts of every site, missing where they cannot be known."""
    columns = {}
    for name, values, valid in zip(
        ("count", "count_min", "count_max"), counts, (known | True, known, known), strict=True
    ):
        spread, missing = np.zeros(len(located), dtype=np.int64), np.ones(len(located), dtype=bool)
        spread[located], missing[located] = values, ~valid
        columns[name] = pd.arrays.IntegerArray(spread, missing)
    return pd.DataFrame(columns, index=index)
