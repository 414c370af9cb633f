"""How far, how near and how many: geodesic distances that carry their uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._inputs import any_length, coordinates, radii, shapes_of, target_radii, whole_number
from geo._shapes import measure, nearest_shapes, prepare
from geo.errors import GeometryError
from geo.geodesy import candidate_pairs, geodesic_length, place_points, within

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

__all__ = ["count_within", "distance_to", "geodesic_distance", "nearest"]


def geodesic_distance(
    sites: gpd.GeoDataFrame, others: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Point
) -> pd.DataFrame:
    """
    Measure the geodesic distance from each site to another point, row by row.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, n rows, in any coordinate reference system.
    others : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely.Point
        Either n rows of points, matched by position and not by index, or one point in EPSG:4326.

    Returns
    -------
    pandas.DataFrame, shape (n, 3)
        Indexed like `sites`: ``distance_m``, ``distance_min_m``, ``distance_max_m``, all in
        metres; missing where either place is missing.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry is no point or lies outside longitude and latitude; see ``.problems``.
    ValueError
        If `others` has another number of rows.

    Notes
    -----
    Lengths are those of Karney on the WGS 84 ellipsoid, within 15 nm [1]_. The true distance lies
    within ``[max(0, d - u), d + u]`` by the triangle inequality, u being the ``uncertainty_m`` of
    the site plus that of the other if it has that column; without the column the other is taken
    as exact. Where the radius of a site is unknown (no value, or no such column) the interval
    is missing: it is never taken as 0.

    References
    ----------
    .. [1] Karney, C. F. F. (2013). Algorithms for geodesics. Journal of Geodesy 87, 43-55.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import Point
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [5000.0]}, geometry=[Point(103.0, 13.0)], crs="EPSG:4326"
    ... )
    >>> geo.geodesic_distance(sites, Point(104.0, 13.0)).round(1)
       distance_m  distance_min_m  distance_max_m
    0    108484.7        103484.7        113484.7
    """
    lon, lat = coordinates(sites, "sites")
    radius = radii(sites)
    if isinstance(others, shapely.Point):
        others = gpd.GeoSeries([others] * len(sites), crs=4326)
    if len(others) != len(sites):
        message = (
            f"There are {len(sites)} sites and {len(others)} others; they are matched row by row. "
            "Give as many others as sites, or one point. nearest() finds partners."
        )
        raise ValueError(message)
    other_lon, other_lat = coordinates(others, "others")
    length = geodesic_length(lon, lat, other_lon, other_lat)
    return pd.DataFrame(_interval(length, radius + target_radii(others)), index=sites.index)


def nearest(
    sites: gpd.GeoDataFrame,
    targets: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    k: int = 1,
    max_distance_m: float | None = None,
) -> pd.DataFrame:
    """
    Find the k targets that are geodesically nearest to each site.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, in any coordinate reference system.
    targets : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points, lines or polygons, in any coordinate reference system. The distance to a polygon
        is 0 inside. Rows without geometry cannot be found.
    k : int, default 1
        How many targets for each site.
    max_distance_m : float, optional
        Targets farther than this do not count.

    Returns
    -------
    pandas.DataFrame
        One row per site and rank, in the order of `sites`: ``site`` and ``target`` (index
        labels), ``rank`` (from 1), ``distance_m``, ``distance_min_m``, ``distance_max_m``. A site
        without location, or without any target in range, keeps one row of rank 1 with a missing
        target and missing distances. Fewer than k targets in range give fewer rows.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site is no point, or a geometry is invalid; see ``.problems``.
    ValueError
        If `k` is no whole number from 1 on, or `max_distance_m` is negative or no number.

    Notes
    -----
    The answer is proved, not approximated: see `geo.geodesy`. Distances that are equal when rounded
    to 1e-7 m are a tie and the target that stands first comes first. A target at the very place of
    a site is at distance 0, also when it is the site itself: look among other sites with k + 1.

    The interval is that of the distance to *this* target (see `geodesic_distance`). Within its
    radius a site may be nearer to another target: `distance_to` has the interval of the distance
    to the nearest one, whichever it is.

    Examples
    --------
    >>> import geo, geopandas
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [2000.0, 2000.0]},
    ...     geometry=geopandas.points_from_xy([103.0, 106.0], [13.0, 11.0]),
    ...     crs="EPSG:4326",
    ...     index=["a", "b"],
    ... )
    >>> towns = geopandas.GeoSeries(
    ...     geopandas.points_from_xy([103.2, 106.1], [13.1, 11.1]),
    ...     index=["x", "y"],
    ...     crs="EPSG:4326",
    ... )
    >>> geo.nearest(sites, towns)[["site", "target", "distance_m"]].round(0)
      site target  distance_m
    0    a      x     24351.0
    1    b      y     15548.0
    """
    many = whole_number(k, "k")
    limit = np.inf if max_distance_m is None else any_length(max_distance_m, "max_distance_m")
    lon, lat = coordinates(sites, "sites")
    shapes = shapes_of(targets)
    located = np.flatnonzero(np.isfinite(lon))
    points = place_points(lon[located], lat[located])
    position, length = nearest_shapes(points, shapes, many, limit)
    found = position >= 0
    found[:, 0] = True
    row, rank = np.nonzero(_spread(found, located, len(lon), fill=np.arange(many) == 0))
    target = _spread(position, located, len(lon), fill=-1)[row, rank]
    distance = _spread(length, located, len(lon), fill=np.nan)[row, rank]
    radius = radii(sites)[row] + np.append(target_radii(targets), np.nan)[target]
    return pd.DataFrame(
        {
            "site": _labels(sites.index, row),
            "target": _labels(targets.index, target),
            "rank": rank + 1,
            **_interval(distance, radius),
        }
    )


def distance_to(
    sites: gpd.GeoDataFrame, feature: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
) -> pd.DataFrame:
    """
    Measure the geodesic distance from each site to the nearest part of a feature.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, n rows, in any coordinate reference system.
    feature : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Points, lines or polygons, in any mixture; a bare geometry is taken as EPSG:4326. All rows
        together are one feature, such as a border in many pieces.

    Returns
    -------
    pandas.DataFrame, shape (n, 3)
        Indexed like `sites`: ``distance_m`` (0 inside a polygon), ``distance_min_m``,
        ``distance_max_m``, all in metres; missing where the site has no location.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site is no point, if the feature is empty, or if a polygon of it is invalid or
        has an edge across more than half the globe; see ``.problems``.

    Notes
    -----
    Edges are straight in longitude and latitude, the model of GeoJSON (RFC 7946), and so is what
    counts as inside. Between vertices 100 km apart at 15 degrees north this differs from a
    geodesic by up to 52 m, 10 km apart by 0.5 m. Lengths are within 1e-6 m for these edges. A
    line's edge whose longitudes differ by more than 180 degrees is taken the short way, across the
    antimeridian; polygons must be cut there, as GeoJSON demands.

    The interval holds the distance from the true place, whichever part is nearest to it
    (see `geodesic_distance`). If the feature has a column ``uncertainty_m``, each of its rows may
    lie anywhere within its own radius.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import LineString, Point
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [5000.0]}, geometry=[Point(103.0, 14.0)], crs="EPSG:4326"
    ... )
    >>> border = LineString([(102.0, 14.3), (104.0, 14.3)])
    >>> geo.distance_to(sites, border).round(0)
       distance_m  distance_min_m  distance_max_m
    0     33192.0         28192.0         38192.0
    """
    lon, lat = coordinates(sites, "sites")
    radius = radii(sites)
    if isinstance(feature, shapely.Geometry):
        feature = gpd.GeoSeries([feature], crs=4326)
    shapes = shapes_of(feature)
    present = np.array([shape is not None for shape in shapes], dtype=bool)
    if not present.any():
        message = "The feature is empty: there is nothing to measure to. Check what was selected."
        raise GeometryError(message)
    located = np.flatnonzero(np.isfinite(lon))
    points = place_points(lon[located], lat[located])
    own = target_radii(feature)
    length, low, high = (np.full(len(lon), np.nan) for _ in range(3))
    length[located], low[located], high[located] = np.inf, np.inf, np.inf
    for value in np.unique(own[present]):
        same = present & (np.isnan(own) if np.isnan(value) else own == value)
        part = measure(points, prepare(shapes[same]))
        length[located] = np.minimum(length[located], part)
        low[located] = np.minimum(low[located], np.maximum(part - value, 0))
        high[located] = np.minimum(high[located], part + value)
    return pd.DataFrame(
        {
            "distance_m": length,
            "distance_min_m": np.maximum(low - radius, 0),
            "distance_max_m": high + radius,
        },
        index=sites.index,
    )


def count_within(
    sites: gpd.GeoDataFrame,
    targets: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    *,
    distance_m: float,
) -> pd.DataFrame:
    """
    Count the targets within a geodesic distance of each site.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, n rows, in any coordinate reference system.
    targets : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Points. Without it, the other sites: a site does not count itself.
    distance_m : float
        Greatest distance in metres; a target at exactly this distance counts.

    Returns
    -------
    pandas.DataFrame, shape (n, 3)
        Indexed like `sites`, whole numbers: ``count`` at the reported places; ``count_min``,
        the targets that are within the distance wherever both lie in their radii;
        ``count_max``, those that could be. Missing where the site has no location; the last
        two also where a radius is unknown, of the site or of any located target.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry is no point; for lines and polygons use `distance_to`.
    ValueError
        If `distance_m` is negative or no number.

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
    reach = any_length(distance_m, "distance_m")
    lon, lat = coordinates(sites, "sites")
    radius = radii(sites)
    hint = "count_within counts points; distance_to measures to lines and polygons."
    others = (lon, lat) if targets is None else coordinates(targets, "targets", hint)
    own = radius if targets is None else target_radii(targets)
    located, there = np.isfinite(lon), np.isfinite(others[0])
    known = ~np.isnan(radius[located]) & ~np.isnan(own[there]).any()
    counts = _count(
        (lon[located], lat[located], np.nan_to_num(radius[located])),
        (others[0][there], others[1][there], np.nan_to_num(own[there])),
        reach,
    )
    if targets is None:
        # each site has met itself, at distance 0 with twice its radius
        counts -= np.stack([known | True, 2 * radius[located] <= reach, known | True])
    answer = pd.DataFrame(index=sites.index)
    for name, values, valid in zip(
        ("count", "count_min", "count_max"), counts, (known | True, known, known), strict=True
    ):
        column = pd.array(np.zeros(len(lon), dtype=np.int64), dtype="Int64")
        column[~located] = pd.NA
        column[located] = pd.array(values, dtype="Int64")
        column[np.flatnonzero(located)[~valid]] = pd.NA
        answer[name] = column
    return answer


# ---------------------------------------------------------------------------- what is measured


def _count(
    sites: tuple[Floats, Floats, Floats], targets: tuple[Floats, Floats, Floats], reach: float
) -> NDArray[np.int64]:
    """Count pairs that are, surely are and possibly are within reach, shape (3, n)."""
    # many reports share one place and radius: each such place is searched once
    here, back = np.unique(np.column_stack(sites), axis=0, return_inverse=True)
    there, weight = np.unique(np.column_stack(targets), axis=0, return_counts=True)
    points, others = place_points(here[:, 0], here[:, 1]), place_points(there[:, 0], there[:, 1])
    widest = reach + here[:, 2] + there[:, 2].max(initial=0.0)
    counts = np.zeros((3, len(here)), dtype=np.int64)
    for i, j in candidate_pairs(points, others, widest):
        both = here[i, 2] + there[j, 2]
        for row, limit in enumerate((reach, reach - both, reach + both)):
            met = within(points, i, others, j, limit)
            counts[row] += np.bincount(i[met], weight[j[met]], len(here)).astype(np.int64)
    return counts[:, back.ravel()]


def _interval(length: Floats, radius: Floats) -> dict[str, Floats]:
    """Return the three columns of a distance with its interval."""
    return {
        "distance_m": length,
        "distance_min_m": np.maximum(length - radius, 0),
        "distance_max_m": length + radius,
    }


def _labels(index: Any, position: NDArray[np.intp]) -> Any:  # noqa: ANN401 - any kind of index
    """Return index labels at positions, missing at -1, without turning numbers into floats."""
    labels = pd.array(index, dtype="Int64" if pd.api.types.is_integer_dtype(index) else None)
    return labels.take(position, allow_fill=True)


def _spread(values: Any, located: NDArray[np.intp], n: int, *, fill: Any) -> NDArray[Any]:  # noqa: ANN401 - any dtype
    """Put the rows of located sites among all sites."""
    spread = np.empty((n, values.shape[1]), dtype=values.dtype)
    spread[:] = fill
    spread[located] = values
    return spread
