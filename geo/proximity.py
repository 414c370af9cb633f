"""How far and to what: geodesic distances that carry their uncertainty."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._geodesics import geodesic_lines
from geo._index import pair_lengths
from geo._inputs import (
    POINT,
    any_length,
    coordinates,
    index_labels,
    point_numbers,
    radii,
    shapes_of,
    target_radii,
    whole_number,
)
from geo._shapes import (
    bounds_to_points,
    feet_on,
    nearest_shapes,
    require_surfaces,
    signed_distance,
    unsigned_distance,
)
from geo.errors import GeometryError
from geo.geodesy import Points, geodesic_length, place_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

__all__ = ["distance_matrix", "distance_to", "geodesic_distance", "nearest"]

_MOST_CELLS = 25_000_000  # 200 MB


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


def distance_matrix(
    sites: gpd.GeoDataFrame, targets: gpd.GeoDataFrame | gpd.GeoSeries | None = None
) -> pd.DataFrame:
    """
    Measure the geodesic distance from every site to every target.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, n rows, in any coordinate reference system.
    targets : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Points, m rows; without it, the sites themselves.

    Returns
    -------
    pandas.DataFrame, shape (n, m)
        Metres between the reported places, indexed like `sites` with the index of `targets` as
        columns; missing where either place is missing.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry is no point; for lines and polygons use `distance_to`.
    ValueError
        If the matrix would have more than 25 million numbers.

    Notes
    -----
    Lengths are within 15 nm (`geodesic_distance` also has the interval that the radii imply). Only
    small inputs need all pairs: `nearest`, `pairs_within` and `count_within`
    answer most questions without.

    Examples
    --------
    >>> import geo, geopandas
    >>> sites = geopandas.GeoDataFrame(
    ...     geometry=geopandas.points_from_xy([103.0, 104.0, 104.0], [13.0, 13.0, 12.0]),
    ...     crs="EPSG:4326",
    ...     index=["a", "b", "c"],
    ... )
    >>> geo.distance_matrix(sites).round(0)
              a         b         c
    a       0.0  108485.0  155090.0
    b  108485.0       0.0  110626.0
    c  155090.0  110626.0       0.0
    """
    others = sites if targets is None else targets
    if len(sites) * len(others) > _MOST_CELLS:
        message = (
            f"All pairs of {len(sites)} sites and {len(others)} targets are too many for one "
            f"table: {_MOST_CELLS:,} is the most. nearest(), pairs_within() and count_within() "
            "answer most questions without it."
        )
        raise ValueError(message)
    hint = "distance_matrix measures to points; distance_to() to lines and polygons."
    lon, lat = coordinates(sites, "sites")
    other_lon, other_lat = (lon, lat) if targets is None else coordinates(targets, "targets", hint)
    length = np.full((len(sites), len(others)), np.nan)
    here, there = np.flatnonzero(np.isfinite(lon)), np.flatnonzero(np.isfinite(other_lon))
    points, pool = place_points(lon, lat), place_points(other_lon, other_lat)
    for row in here:
        # each pair of sites is measured once
        ahead = there[there > row] if targets is None else there
        length[row, ahead] = pair_lengths(points, np.full(len(ahead), row), pool, ahead)
    if targets is None:
        length[here, here] = 0.0
        length = np.fmax(length, length.T)
    return pd.DataFrame(length, index=sites.index, columns=others.index)


def nearest(
    sites: gpd.GeoDataFrame,
    targets: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    k: int = 1,
    max_distance_m: float | None = None,
    by: str | None = None,
    lines: bool = False,
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
    by : str, optional
        A column of `targets`, such as the kind of place: the k nearest of each of its values are
        found.
    lines : bool, default False
        Whether to draw the geodesic to each target.

    Returns
    -------
    pandas.DataFrame
        One row per site and rank, in the order of `sites`: ``site`` and ``target`` (index
        labels), ``rank`` (from 1), ``distance_m``, ``distance_min_m``, ``distance_max_m``. A site
        without location, or without any target in range, keeps one row of rank 1 with a missing
        target and missing distances. Fewer than k targets in range give fewer rows. With `by`, one
        row per site, value and rank, the value in the column ``group``. With `lines`, a
        GeoDataFrame in EPSG:4326, whose ``geometry`` is missing where there is no target or it
        stands at the very place of the site.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site is no point, or a geometry is invalid; see ``.problems``.
    ValueError
        If `k` is no whole number from 1 on, `max_distance_m` is negative or no number, or the
        targets have no column `by`.

    Notes
    -----
    The answer is proved, not approximated: see `geo.geodesy`. Distances that are equal when rounded
    to 1e-7 m are a tie and the target that stands first comes first. A target at the very place of
    a site is at distance 0, also when it is the site itself: look among other sites with k + 1.
    The distance to the k-th nearest is that of the rows with ``rank == k``.

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
    place = (lon, lat, radii(sites))
    shapes, own = shapes_of(targets), target_radii(targets)
    # more than all of them cannot be found, and need no room
    many = min(many, max(len(shapes), 1))
    parts = []
    for group, rows in _groups(targets, by):
        found = _nearest_rows(place, shapes[rows], own[rows], many, limit)
        # a part's targets are positions among its own rows
        found["target"] = np.append(rows, -1)[found["target"]]
        if by is not None:
            value = pd.Series([group] * len(rows), dtype=targets[by].dtype)
            # a group is missing only where there are no targets at all
            found.insert(2, "group", value.iloc[:1].reindex(np.zeros(len(found), int)).array)
        parts.append(found)
    table = parts[0] if len(parts) == 1 else pd.concat(parts).sort_values("site", kind="stable")
    table = table.reset_index(drop=True)
    row, target = table["site"].to_numpy(), table["target"].to_numpy()
    table["site"], table["target"] = (
        index_labels(sites.index, row),
        index_labels(targets.index, target),
    )
    if not lines:
        return table
    drawn = _connections(lon[row], lat[row], shapes, target)
    return gpd.GeoDataFrame(table, geometry=drawn, crs=4326)


def distance_to(
    sites: gpd.GeoDataFrame,
    feature: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    *,
    edges: Literal["planar", "geodesic"] = "planar",
    signed: bool = False,
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
    edges : {"planar", "geodesic"}, default "planar"
        What runs between two vertices: a straight line in longitude and latitude, or a geodesic.
    signed : bool, default False
        Whether the distance from a site inside a polygon is that to its outline, as a negative
        number, rather than 0.

    Returns
    -------
    pandas.DataFrame, shape (n, 3)
        Indexed like `sites`: ``distance_m`` (0 inside a polygon, or negative if `signed`),
        ``distance_min_m``, ``distance_max_m``, all in metres; missing where the site has no
        location.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site is no point, if the feature is empty, if a polygon of it is invalid or has an
        edge across more than half the globe (see ``.problems``), or if `signed` and it is not
        made of polygons alone.
    ValueError
        If `edges` is neither of the two.

    Notes
    -----
    By default edges are straight in longitude and latitude, the model of GeoJSON (RFC 7946), and so
    is what counts as inside. Between vertices 100 km apart at 15 degrees north this differs from a
    geodesic by up to 52 m, 10 km apart by 0.5 m. Lengths are within 1e-6 m for the edges chosen;
    inside and outside of geodesic edges are told apart to within 1 mm, and so is a signed distance
    to several polygons with such edges. A line's edge whose longitudes differ by more than 180
    degrees is taken the short way, across the antimeridian; polygons must be cut there, as GeoJSON
    demands, and with geodesic edges must keep 1 degree away from the poles. Signed distances are to
    the outline of all polygons together, so that a province's border within the country is none,
    nor is the cut at the antimeridian or the edge at a pole. With `signed` the largest radius in a
    column ``uncertainty_m`` of the feature holds for all of it.

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
    if edges not in ("planar", "geodesic"):
        message = f'edges is {edges!r}; it must be "planar" or "geodesic".'
        raise ValueError(message)
    geodesic = edges == "geodesic"
    lon, lat = coordinates(sites, "sites")
    radius = radii(sites)
    if isinstance(feature, shapely.Geometry):
        feature = gpd.GeoSeries([feature], crs=4326)
    shapes = shapes_of(feature, geodesic=geodesic)
    present = shapely.get_type_id(shapes) >= 0
    own = target_radii(feature)
    if signed:
        # one outline of all, so the least exact row decides for it
        own = np.full(len(shapes), own[present].max(initial=0.0))
    if not present.any():
        message = "The feature is empty: there is nothing to measure to. Check what was selected."
        raise GeometryError(message)
    if signed:
        require_surfaces(feature, shapes)
    located = np.flatnonzero(np.isfinite(lon))
    points = place_points(lon[located], lat[located])
    length, low, high = np.full((3, len(lon)), np.nan)
    measured = signed_distance if signed else unsigned_distance
    length[located], low[located], high[located] = _bounds_to(
        points, shapes[present], own[present], partial(measured, geodesic=geodesic)
    )
    least = low - radius
    return pd.DataFrame(
        {
            "distance_m": length,
            "distance_min_m": least if signed else np.maximum(least, 0),
            "distance_max_m": high + radius,
        },
        index=sites.index,
    )


# ---------------------------------------------------------------------------- what is measured


def _bounds_to(
    points: Points,
    shapes: NDArray[np.object_],
    own: Floats,
    measured: Callable[[Points, NDArray[np.object_]], Floats],
) -> tuple[Floats, Floats, Floats]:
    """Return the distance to shapes with radii of their own, and the two that bound it."""
    radius = np.unique(own)
    if len(radius) > 1 and (shapely.get_type_id(shapes) == POINT).all():
        return bounds_to_points(points, place_points(*point_numbers(shapes)), own)
    length, low, high = np.full((3, len(points.lon)), np.inf)
    for value in radius:
        part = measured(points, shapes[np.isnan(own) if np.isnan(value) else own == value])
        length = np.minimum(length, part)
        low, high = np.minimum(low, part - value), np.minimum(high, part + value)
    return length, low, high


def _groups(
    targets: gpd.GeoDataFrame | gpd.GeoSeries, by: str | None
) -> list[tuple[object, NDArray[np.int64]]]:
    """Return the positions of targets for each value of a column, in order of appearance."""
    if by is None:
        return [(None, np.arange(len(targets)))]
    if not isinstance(targets, gpd.GeoDataFrame) or by not in targets:
        message = f"The targets have no column {by!r} to group by. Give the name of one."
        raise ValueError(message)
    code, values = pd.factorize(targets[by], use_na_sentinel=False)
    return [(value, np.flatnonzero(code == at)) for at, value in enumerate(values)] or [
        (None, np.arange(0))
    ]


def _nearest_rows(
    place: tuple[Floats, Floats, Floats],
    shapes: NDArray[np.object_],
    own: Floats,
    k: int,
    limit: float,
) -> pd.DataFrame:
    """Return the rows of `nearest`, with positions in place of labels."""
    lon, lat, radius = place
    located = np.flatnonzero(np.isfinite(lon))
    position, length = nearest_shapes(place_points(lon[located], lat[located]), shapes, k, limit)
    if len(located) < len(lon):
        position = _spread(position, located, len(lon), fill=-1)
        length = _spread(length, located, len(lon), fill=np.nan)
    found = position >= 0
    found[:, 0] = True
    row, rank = np.nonzero(found)
    target, distance = position[found], length[found]
    both = radius[row] + np.append(own, np.nan)[target]
    return pd.DataFrame(
        {"site": row, "target": target, "rank": rank + 1, **_interval(distance, both)}
    )


def _connections(
    lon: Floats, lat: Floats, shapes: NDArray[np.object_], target: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Draw the geodesics from sites to their targets."""
    there = np.flatnonzero(target >= 0)
    ends = np.full((2, len(lon)), np.nan)
    ends[:, there] = feet_on(place_points(lon[there], lat[there]), shapes, target[there])
    return geodesic_lines(lon, lat, *ends)


def _interval(length: Floats, radius: Floats) -> dict[str, Floats]:
    """Return the three columns of a distance with its interval."""
    return {
        "distance_m": length,
        "distance_min_m": np.maximum(length - radius, 0),
        "distance_max_m": length + radius,
    }


def _spread(values: Any, located: NDArray[np.intp], n: int, *, fill: Any) -> NDArray[Any]:  # noqa: ANN401 - any dtype
    """Put the rows of located sites among all sites."""
    spread = np.empty((n, values.shape[1]), dtype=values.dtype)
    spread[:] = fill
    spread[located] = values
    return spread
