"""Groups of sites that lie close together, on exact geodesic distance."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._clusterings import NOISE, Clustering
from geo._dbscan import label_points
from geo._hierarchies import (
    choose_clusters,
    no_clusters,
    optics_order,
    reachability_tree,
    steep_clusters,
)
from geo._hulls import SHAPES, area_of, require_radii
from geo._inputs import (
    any_length,
    coordinates,
    index_labels,
    positive_length,
    whole_number,
)
from geo._resolution import advice, find_limits
from geo.errors import ResolutionWarning
from geo.geodesy import Points, place_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._hierarchies import Order

__all__ = ["Clustering", "cluster_areas", "dbscan", "hdbscan", "optics"]


def dbscan(sites: gpd.GeoDataFrame, *, eps_m: float, min_samples: int = 5) -> Clustering:
    """
    Find clusters of sites by density, on exact geodesic distance (DBSCAN).

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, in any coordinate reference system. Rows without geometry stay in the answer with
        a missing label.
    eps_m : float
        Two sites at most this far apart are neighbours, in metres.
    min_samples : int, default 5
        A site with at least this many neighbours, itself included, is the core of a cluster.

    Returns
    -------
    Clustering
        ``labels`` per site, ``to_frame()`` per cluster, ``summary()`` in words.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If a geometry is no point; see ``.problems``.
    ValueError
        If `eps_m` is not a positive length or `min_samples` no whole number from 1 on.

    Warns
    -----
    ResolutionWarning
        If many sites share coordinates, or most radii exceed `eps_m`: the clusters would then
        describe the gazetteer and not the sites.

    Notes
    -----
    Core sites that are neighbours belong to one cluster; a site that is no core but the neighbour
    of one belongs to its cluster; the rest is noise [1]_. Clusters are numbered as scikit-learn
    does on the located rows: by their first core site in row order, and a border site goes to
    the lowest-numbered cluster in reach. Apart from the numbers, only such border sites between
    two clusters (``n_ambiguous``) can depend on row order.

    Neighbours are decided by the chord bounds of `geo.geodesy`, so no distance is approximated. No
    list of neighbours is kept: memory does not grow with `eps_m`.

    References
    ----------
    .. [1] Ester, M., Kriegel, H.-P., Sander, J., Xu, X. (1996). A density-based algorithm for
       discovering clusters in large spatial databases with noise. KDD-96, 226-231.

    Examples
    --------
    >>> import geo, geopandas
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 4},
    ...     geometry=geopandas.points_from_xy([103.0, 103.01, 103.02, 104.0], [13.0] * 4),
    ...     crs="EPSG:4326",
    ...     index=["a", "b", "c", "d"],
    ... )
    >>> clustering = geo.dbscan(sites, eps_m=1500.0, min_samples=3)
    >>> clustering
    Clustering(1 cluster, 1 noise, 0 without location; DBSCAN, eps_m=1500, min_samples=3)
    >>> clustering.labels.tolist()
    [0, 0, 0, -1]
    """
    reach, enough = positive_length(eps_m, "eps_m"), whole_number(min_samples, "min_samples")
    points, located = _located(sites)
    _warn_of_limits(sites, reach, enough)
    found, ambiguous = label_points(points, reach, enough)
    return Clustering(
        labels=_labels(sites, located, found),
        method="DBSCAN",
        parameters={"eps_m": reach, "min_samples": enough},
        sites=sites.copy(),
        details=pd.DataFrame(index=sites.index),
        n_ambiguous=ambiguous,
    )


def hdbscan(
    sites: gpd.GeoDataFrame, *, min_cluster_size: int = 5, min_samples: int | None = None
) -> Clustering:
    """
    Find clusters of any density, on exact geodesic distance (HDBSCAN).

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, in any coordinate reference system. Rows without geometry stay in the answer with
        a missing label.
    min_cluster_size : int, default 5
        Fewest sites of a cluster, at least 2.
    min_samples : int, optional
        Density at a site is measured by the distance to its `min_samples`-th nearest, the site
        itself being the first; without it, `min_cluster_size`. Larger values leave more as noise.

    Returns
    -------
    Clustering
        ``labels`` per site, numbered by their first site in row order; ``details`` with the
        ``probability`` of each; ``to_frame()`` per cluster, with ``persistence``; ``summary()``.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If a geometry is no point; see ``.problems``.
    ValueError
        If `min_cluster_size` is no whole number from 2 on, or `min_samples` none from 1 on.

    Warns
    -----
    ResolutionWarning
        If many sites share coordinates: the clusters would then describe the gazetteer.

    Notes
    -----
    Two sites join at their mutual reachability, the largest of their distance and both core
    distances; clusters are the parts of that hierarchy with the greatest excess of mass [1]_. Every
    core distance is the length of several joins, and a spanning tree takes them one by one: in
    other software the order of rows then decides what splits from what. Here equal joins happen
    at once, so that row order changes nothing but numbers. Fewer than `min_cluster_size` or
    `min_samples` located sites are all noise, and the whole is never one cluster.

    Persistence is the mean over a cluster's sites of ``1 - leaves / joins``: `joins` is the
    distance at which the cluster merges with anything else, `leaves` the one at which the site
    leaves it or it falls apart. It is the stability of [1]_ in relative distance, which coincident
    reports cannot make infinite.

    Joins up to 50 km are compared to 15 nm; of longer ones that differ by less than 3 cm at 1000 km
    or 6 m at 3000 km, the other may be taken: cluster one region of the world at a time.

    References
    ----------
    .. [1] Campello, R. J. G. B., Moulavi, D., Sander, J. (2013). Density-based clustering based
       on hierarchical density estimates. PAKDD 2013, 160-172.
       https://doi.org/10.1007/978-3-642-37456-2_14

    Examples
    --------
    >>> import geo, geopandas
    >>> lon = [103.0, 103.001, 103.002, 103.1, 103.12, 103.15, 104.0]
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [30.0] * 7},
    ...     geometry=geopandas.points_from_xy(lon, [13.0] * 7),
    ...     crs="EPSG:4326",
    ... )
    >>> clustering = geo.hdbscan(sites, min_cluster_size=3, min_samples=2)
    >>> clustering.labels.tolist()
    [0, 0, 0, 1, 1, 1, -1]
    """
    size = whole_number(min_cluster_size, "min_cluster_size")
    enough = size if min_samples is None else whole_number(min_samples, "min_samples")
    if size == 1:
        message = "min_cluster_size is 1; it must be at least 2, for one site is no cluster."
        raise ValueError(message)
    points, located = _located(sites)
    _warn_of_limits(sites, None, enough)
    if len(located) >= max(size, enough):
        found = choose_clusters(*reachability_tree(points, enough), size)
    else:
        found = no_clusters(len(located))
    probability = np.full(len(sites), np.nan)
    probability[located] = found.probability
    return Clustering(
        labels=_labels(sites, located, found.labels),
        method="HDBSCAN",
        parameters={"min_cluster_size": size, "min_samples": enough},
        sites=sites.copy(),
        details=pd.DataFrame({"probability": probability}, index=sites.index),
        persistence=tuple(found.persistence.tolist()),
    )


def optics(
    sites: gpd.GeoDataFrame,
    *,
    min_samples: int = 5,
    max_eps_m: float | None = None,
    xi: float = 0.05,
) -> Clustering:
    """
    Order sites by density and cut clusters at steep changes, on exact distance (OPTICS).

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, in any coordinate reference system. Rows without geometry stay in the answer with
        a missing label.
    min_samples : int, default 5
        A site with at least this many neighbours, itself included, is a core; also the fewest
        sites of a cluster, at least 2.
    max_eps_m : float, optional
        Two sites farther apart than this are no neighbours, in metres.
    xi : float, default 0.05
        Least relative change of reachability at the edge of a cluster, between 0 and 1.

    Returns
    -------
    Clustering
        ``labels`` per site; ``details`` with ``order``, ``reachability_m``, ``core_distance_m``
        and ``predecessor`` of each; ``to_frame()`` per cluster; ``summary()`` in words.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If a geometry is no point; see ``.problems``.
    ValueError
        If `min_samples` is no whole number from 2 on, `max_eps_m` no positive length, or `xi`
        not between 0 and 1.

    Warns
    -----
    ResolutionWarning
        If many sites share coordinates: the clusters would then describe the gazetteer.

    Notes
    -----
    The order starts at the first row and goes on to the site that is reached at the least
    distance [1]_, so it depends on row order where distances tie, as in scikit-learn, whose
    numbers these are and which cuts the clusters. Distances over 50 km are compared to 3 cm at
    1000 km and 6 m at 3000 km: cluster one region of the world at a time. Time grows with the
    square of the number of
    sites: 20,000 take some seconds; `max_eps_m` makes it less.

    References
    ----------
    .. [1] Ankerst, M., Breunig, M. M., Kriegel, H.-P., Sander, J. (1999). OPTICS: ordering points
       to identify the clustering structure. SIGMOD 1999, 49-60.
       https://doi.org/10.1145/304182.304187

    Examples
    --------
    >>> import geo, geopandas
    >>> lon = [103.0, 103.001, 103.002, 103.1, 103.101, 103.102]
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [30.0] * 6},
    ...     geometry=geopandas.points_from_xy(lon, [13.0] * 6),
    ...     crs="EPSG:4326",
    ... )
    >>> geo.optics(sites, min_samples=3).labels.tolist()
    [0, 0, 0, 1, 1, 1]
    """
    enough = whole_number(min_samples, "min_samples")
    most = None if max_eps_m is None else positive_length(max_eps_m, "max_eps_m")
    if enough == 1:
        message = "min_samples is 1; it must be at least 2, for one site is no cluster."
        raise ValueError(message)
    if not (isinstance(xi, Real) and 0 < xi < 1):
        message = f"xi is {xi!r}; it must be a number between 0 and 1."
        raise ValueError(message)
    points, located = _located(sites)
    _warn_of_limits(sites, None, enough)
    order = optics_order(points, enough, np.inf if most is None else most)
    found = steep_clusters(order, enough, float(xi))
    return Clustering(
        labels=_labels(sites, located, found),
        method="OPTICS",
        parameters={"min_samples": enough, "max_eps_m": most, "xi": float(xi)},
        sites=sites.copy(),
        details=_visit(sites, located, order),
    )


def _visit(sites: gpd.GeoDataFrame, located: NDArray[np.int64], order: Order) -> pd.DataFrame:
    """Return the columns of OPTICS for every site."""
    ordering, reachability, core, predecessor = order
    turn = np.empty(len(ordering), dtype=np.int64)
    turn[ordering] = np.arange(len(ordering))
    before = np.append(located, -1)[predecessor]
    found = pd.DataFrame(
        {
            "order": pd.array(turn, dtype="Int64"),
            "reachability_m": reachability,
            "core_distance_m": core,
            "predecessor": index_labels(sites.index, before),
        },
        index=located,
    )
    return found.reindex(range(len(sites))).set_axis(sites.index)


def cluster_areas(
    clustering: Clustering,
    *,
    shape: Literal["convex_hull", "concave_hull", "discs"] = "convex_hull",
    buffer_m: float = 0.0,
) -> gpd.GeoDataFrame:
    """
    Draw the area within which the true places of each cluster lie.

    Parameters
    ----------
    clustering : Clustering
        Of sites with ``uncertainty_m``.
    shape : {"convex_hull", "concave_hull", "discs"}, default "convex_hull"
        Around the members' uncertainty discs: the least convex area; one that follows them into
        bays; or the discs themselves, which may lie apart.
    buffer_m : float, default 0
        By how much every disc is drawn larger, in metres.

    Returns
    -------
    geopandas.GeoDataFrame
        One row per cluster, in EPSG:4326: ``cluster``, ``size``, ``confirmed``, ``suspected`` (as
        in `Clustering.to_frame`) and ``geometry``. Whatever the shape, every true place lies
        inside. Cut at the antimeridian where it crosses.

    Raises
    ------
    GeometryError
        If the area of a cluster holds a pole.
    SchemaError
        If a clustered site has no radius; see ``.problems``.
    TypeError
        If `clustering` is no `Clustering`.
    ValueError
        If `shape` is none of the three, or `buffer_m` is negative or no number.

    Notes
    -----
    Discs are geodesic circles, polygons of 72 corners around them, and areas are taken in the
    local equal-area projection of the cluster; beside a pole its sides may cut into discs. The
    concave hull leaves out triangles with a side
    longer than three tenths of the way from the shortest to the longest side between corners, but
    nothing of the discs. Showing an area in place of points does not
    anonymise: a cluster at one place is one disc, with the place at its centre.

    Examples
    --------
    >>> import geo, geopandas
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 3},
    ...     geometry=geopandas.points_from_xy([103.0, 103.01, 103.02], [13.0] * 3),
    ...     crs="EPSG:4326",
    ... )
    >>> areas = geo.cluster_areas(geo.dbscan(sites, eps_m=1500.0, min_samples=3))
    >>> areas[["cluster", "size"]]
       cluster  size
    0        0     3
    """
    if not isinstance(clustering, Clustering):
        message = (
            f"cluster_areas draws what dbscan() and its like answer, a Clustering, not a "
            f"{type(clustering).__name__}: cluster_areas(dbscan(sites, eps_m=...))."
        )
        raise TypeError(message)
    if shape not in SHAPES:
        message = f"shape is {shape!r}; it must be one of {', '.join(map(repr, SHAPES))}."
        raise ValueError(message)
    wider = any_length(buffer_m, "buffer_m")
    clustered = (clustering.labels >= 0).fillna(value=False).to_numpy(dtype=bool)
    require_radii(clustering.sites, clustered)
    table = clustering.to_frame()[["cluster", "size", "confirmed", "suspected"]]
    areas = [area_of(clustering.sites.iloc[rows], shape, wider) for _, rows in clustering.members()]
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(areas, index=table.index), crs=4326)


def _located(sites: gpd.GeoDataFrame) -> tuple[Points, NDArray[np.int64]]:
    """Return the points of the sites that have one, and their positions."""
    lon, lat = coordinates(sites, "sites")
    located = np.flatnonzero(np.isfinite(lon))
    return place_points(lon[located], lat[located]), located


def _labels(
    sites: gpd.GeoDataFrame, located: NDArray[np.int64], found: NDArray[np.int64]
) -> pd.Series:
    """Return the cluster of every site, missing without a location."""
    labels, missing = np.full(len(sites), NOISE), np.ones(len(sites), dtype=bool)
    labels[located], missing[located] = found, False
    values = pd.arrays.IntegerArray(labels, missing)
    return pd.Series(values, index=sites.index, name="cluster")


def _warn_of_limits(sites: gpd.GeoDataFrame, eps_m: float | None, min_samples: int) -> None:
    """Warn, at the line of the caller, of what the locations cannot carry."""
    finding = find_limits(sites, eps_m, min_samples)
    if finding:
        warnings.warn(f"{finding} {advice(eps_m)}", ResolutionWarning, stacklevel=3)
