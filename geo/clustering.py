"""Groups of sites that lie close together: DBSCAN on exact geodesic distance."""

from __future__ import annotations

import html
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

from geo._inputs import coordinates, radii
from geo.errors import GeometryError, ResolutionWarning, SchemaError
from geo.geodesy import Points, candidate_pairs, geodesic_length, medoid, place_points, within
from geo.projection import local_crs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Clustering", "cluster_areas", "dbscan"]

_NOISE = -1
_NAMES_SHOWN = 5
_DISC_CORNERS = 72
_SIDE_M = 5000.0


@dataclass(frozen=True, eq=False)
class Clustering:
    """
    The answer of `dbscan`: which site belongs to which cluster.

    Parameters
    ----------
    labels : pandas.Series of Int64
        Cluster of each site, indexed like the sites: 0, 1, ...; -1 for noise, that is for a site
        in no cluster; missing for a site without location.
    eps_m : float
        Distance in metres up to which two sites are neighbours.
    min_samples : int
        Neighbours, itself among them, that make a site the core of a cluster.
    sites : geopandas.GeoDataFrame
        A copy of the frame that was clustered.
    n_ambiguous : int, default 0
        Sites at the border of more than one cluster; they count in the one with the lowest
        number.

    Attributes
    ----------
    n_clusters : int
        Number of clusters.
    n_noise : int
        Located sites in no cluster.
    n_unlocated : int
        Sites without location, which could not be clustered.
    """

    labels: pd.Series
    eps_m: float
    min_samples: int
    sites: gpd.GeoDataFrame
    n_ambiguous: int = 0

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.labels.max(skipna=True)) + 1 if self.labels.notna().any() else 0

    @property
    def n_noise(self) -> int:
        """Located sites in no cluster."""
        return int((self.labels == _NOISE).sum())

    @property
    def n_unlocated(self) -> int:
        """Sites without location."""
        return int(self.labels.isna().sum())

    def to_frame(self) -> pd.DataFrame:
        """
        Describe each cluster in one row.

        Returns
        -------
        pandas.DataFrame
            ``cluster``; ``size``, the number of sites; ``confirmed`` and ``suspected``, how
            many of them have that status (others count in the size only; missing if the sites
            have no status); ``n_places``, distinct coordinates; ``medoid``, the ``site_id`` (or
            index label) of the site with the least sum of distances to all the others;
            ``place``, its locality, or else its name; ``radius_m``, the geodesic distance from
            the medoid to the farthest member; ``max_uncertainty_m``, the largest radius of
            a member, missing if any is unknown.
        """
        columns: dict[str, list[object]] = {name: [] for name in _COLUMNS}
        for cluster, members in self._members():
            for name, value in {"cluster": cluster, **_describe(members)}.items():
                columns[name].append(value)
        return pd.DataFrame(columns).astype(
            {
                **dict.fromkeys(("cluster", "size", "confirmed", "suspected", "n_places"), "Int64"),
                "medoid": self.sites.get("site_id", self.sites.index).dtype,
                "place": "string",
                "radius_m": "float64",
                "max_uncertainty_m": "float64",
            }
        )

    def summary(self) -> str:
        """
        Say in plain words what was found and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        located = len(self.labels) - self.n_unlocated
        sizes = self.labels[self.labels >= 0].value_counts()
        largest = f" The largest has {sizes.max()} reports." if len(sizes) else ""
        found = (
            f"{_count(located, 'located report')}: {_count(self.n_clusters, 'cluster')}; "
            f"{_count(self.n_noise, 'report')} in none.{largest}"
        )
        left_out = (
            f"{_count(self.n_unlocated, 'report')} without a location could not be considered."
        )
        method = (
            f"Method: DBSCAN on geodesic distance (WGS 84). Reports up to {_metres(self.eps_m)} "
            f"apart are neighbours; a report with at least {self.min_samples} neighbours, itself "
            "included, is the core of a cluster."
        )
        return " ".join([found, left_out, method, *self._cautions()])

    def _cautions(self) -> Iterator[str]:
        """Yield the sentences on what the clusters cannot carry."""
        if self.n_ambiguous:
            yield (
                f"{_count(self.n_ambiguous, 'report')} within reach of more than one cluster "
                "counted in the one with the lowest number."
            )
        finding = _resolution(self.sites, self.eps_m, self.min_samples)
        if finding:
            yield f"Caution: {finding}"
        elif np.isnan(radii(self.sites)[self.labels.notna().to_numpy()]).any():
            yield (
                "Caution: some reports carry no radius, so whether their locations are "
                "precise enough for this distance is unknown."
            )
        else:
            yield ("Clusters are of reported places, each known to within its radius only.")

    def _members(self) -> Iterator[tuple[int, gpd.GeoDataFrame]]:
        """Yield each cluster's number and its sites."""
        labels = self.labels.to_numpy(dtype=np.int64, na_value=_NOISE)
        order = np.argsort(labels, kind="stable")
        ends = np.searchsorted(labels[order], np.arange(self.n_clusters + 1))
        for cluster in range(self.n_clusters):
            yield cluster, self.sites.iloc[order[ends[cluster] : ends[cluster + 1]]]

    def __repr__(self) -> str:
        return (
            f"Clustering({_count(self.n_clusters, 'cluster')}, {self.n_noise} noise, "
            f"{self.n_unlocated} without location; eps_m={self.eps_m:g}, "
            f"min_samples={self.min_samples})"
        )

    def _repr_html_(self) -> str:
        # the two classes keep notebooks from reading dollar signs in names as formulas
        table = self.to_frame().to_html(index=False, escape=True, border=0, na_rep="")
        return (
            f'<div class="tex2jax_ignore mathjax_ignore">{table}'
            f"<p>{html.escape(self.summary())}</p></div>"
        )


_ADVICE = (
    "Use a larger eps_m, count by province or district with count_by_area(), or obtain better "
    "locations."
)
_COLUMNS = (
    "cluster",
    "size",
    "confirmed",
    "suspected",
    "n_places",
    "medoid",
    "place",
    "radius_m",
    "max_uncertainty_m",
)


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
        If `eps_m` is not a positive length or `min_samples` is below 1.

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

    Neighbours are decided by the chord bounds of `geo.geodesy`, so no distance is approximated.

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
    Clustering(1 cluster, 1 noise, 0 without location; eps_m=1500, min_samples=3)
    >>> clustering.labels.tolist()
    [0, 0, 0, -1]
    """
    if not 0 < eps_m < np.inf:
        message = f"eps_m is {eps_m!r}; it must be a length in metres, more than 0."
        raise ValueError(message)
    if not isinstance(min_samples, int | np.integer) or min_samples < 1:
        message = f"min_samples is {min_samples!r}; it must be a whole number of at least 1."
        raise ValueError(message)
    lon, lat = coordinates(sites, "sites")
    finding = _resolution(sites, eps_m, min_samples)
    if finding:
        warnings.warn(f"{finding} {_ADVICE}", ResolutionWarning, stacklevel=2)
    located = np.flatnonzero(np.isfinite(lon))
    found, ambiguous = _labels(lon[located], lat[located], float(eps_m), int(min_samples))
    labels = pd.array(np.full(len(sites), _NOISE), dtype="Int64")
    labels[np.isnan(lon)] = pd.NA
    labels[located] = pd.array(found, dtype="Int64")
    return Clustering(
        labels=pd.Series(labels, index=sites.index, name="cluster"),
        eps_m=float(eps_m),
        min_samples=int(min_samples),
        sites=sites.copy(),
        n_ambiguous=ambiguous,
    )


def cluster_areas(clustering: Clustering) -> gpd.GeoDataFrame:
    """
    Draw the area within which the true places of each cluster lie, one polygon per cluster.

    Parameters
    ----------
    clustering : Clustering
        From `dbscan`, of sites with ``uncertainty_m``.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326: ``cluster``, ``size``, ``confirmed``, ``suspected`` (as in
        `Clustering.to_frame`) and ``geometry``, the convex hull of the members' uncertainty
        discs, so that every true place lies inside. Cut at the antimeridian where it crosses.

    Raises
    ------
    GeometryError
        If the area of a cluster holds a pole.
    SchemaError
        If a clustered site has no radius; see ``.problems``.

    Notes
    -----
    Discs are geodesic circles, polygons of 72 corners around them, and the hull is taken in the
    local equal-area projection of the cluster. Showing an area in place of points does not
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
    _require_radii(clustering)
    table = clustering.to_frame()[["cluster", "size", "confirmed", "suspected"]]
    hulls = [_hull(members) for _, members in clustering._members()]  # noqa: SLF001 - same module
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(hulls, index=table.index), crs=4326)


# ---------------------------------------------------------------------------- the algorithm


def _labels(lon: Floats, lat: Floats, eps_m: float, min_samples: int) -> tuple[Ints, int]:
    """Return labels as scikit-learn numbers them, and how many had a choice of clusters."""
    # many reports share one place: each place is searched once and weighs as many as it has
    place, first, back, weight = np.unique(
        np.column_stack([lon, lat]),
        axis=0,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    points = place_points(place[:, 0], place[:, 1])
    neighbours = np.zeros(len(place))
    for i, j in _neighbours(points, points, eps_m):
        neighbours += np.bincount(i, weight[j], len(place))
    core = np.flatnonzero(neighbours >= min_samples)
    cores = Points(points.lon[core], points.lat[core], points.xyz[core])
    component = np.arange(len(core))
    for i, j in _neighbours(cores, cores, eps_m):
        component = _joined(component, i, j)
    # clusters are numbered by the row in which their first core stands
    earliest = np.full(len(core), len(lon))
    np.minimum.at(earliest, component, first[core])
    number = np.full(len(core), -1)
    used = np.unique(component)
    number[used[np.argsort(earliest[used])]] = np.arange(len(used))
    lowest, highest = np.full(len(place), len(core)), np.full(len(place), _NOISE)
    lowest[core] = highest[core] = number[component]
    border = np.setdiff1d(np.arange(len(place)), core)
    others = Points(points.lon[border], points.lat[border], points.xyz[border])
    for i, j in _neighbours(others, cores, eps_m):
        np.minimum.at(lowest, border[i], number[component[j]])
        np.maximum.at(highest, border[i], number[component[j]])
    ambiguous = int(weight[(highest >= 0) & (lowest < highest)].sum())
    return np.where(highest >= 0, lowest, _NOISE)[back.ravel()], ambiguous


def _neighbours(points: Points, targets: Points, eps_m: float) -> Iterator[tuple[Ints, Ints]]:
    """Yield, in portions, every pair within `eps_m`."""
    for i, j in candidate_pairs(points, targets, eps_m):
        met = within(points, i, targets, j, eps_m)
        yield i[met], j[met]


def _joined(component: Ints, i: Ints, j: Ints) -> Ints:
    """Merge the components that pairs of members join."""
    # `import geo` stays light; only a search needs scipy.
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    n = len(component)
    edges = coo_array((np.ones(len(i), dtype=bool), (component[i], component[j])), shape=(n, n))
    merged = connected_components(edges, directed=False)[1]
    return np.asarray(merged[component], dtype=np.intp)


# ---------------------------------------------------------------------------- what is said of it


def _describe(members: gpd.GeoDataFrame) -> dict[str, object]:
    """Return the row of one cluster, without its number."""
    lon, lat = coordinates(members, "sites")
    place, back, weight = np.unique(
        np.column_stack([lon, lat]), axis=0, return_inverse=True, return_counts=True
    )
    points = place_points(place[:, 0], place[:, 1])
    centre = medoid(points, weight.astype(np.float64))
    there = members[back.ravel() == centre]
    identity = list(there.get("site_id", there.index))
    chosen = min(range(len(there)), key=lambda row: str(identity[row]))
    length = geodesic_length(points.lon[centre], points.lat[centre], points.lon, points.lat)
    status = members.get("status")
    return {
        "size": len(members),
        "confirmed": pd.NA if status is None else int((status == "confirmed").sum()),
        "suspected": pd.NA if status is None else int((status == "suspected").sum()),
        "n_places": len(place),
        "medoid": identity[chosen],
        "place": _place_names(there).iloc[chosen],
        "radius_m": float(length.max()),
        "max_uncertainty_m": float(radii(members).max()),
    }


def _place_names(sites: gpd.GeoDataFrame) -> pd.Series:
    """Return the locality of each site, or else its name; missing where it has neither."""
    names = pd.Series(pd.NA, index=sites.index, dtype="object")
    for column in ("locality", "name"):
        if column in sites:
            given = sites[column].astype("object")
            names = names.where(names.notna(), given.where(given.notna() & (given != ""), pd.NA))
    return names


def _resolution(sites: gpd.GeoDataFrame, eps_m: float, min_samples: int) -> str:
    """Say what in the locations cannot carry clusters at this distance; nothing if all can."""
    lon, lat = coordinates(sites, "sites")
    located = np.isfinite(lon)
    if not located.any():
        return ""
    frame = sites[located]
    parts = [
        _shared_finding(frame, np.column_stack([lon[located], lat[located]]), min_samples),
        _radius_finding(frame, eps_m),
    ]
    if not any(parts):
        return ""
    meaning = (
        "Such clusters describe how places are looked up (the gazetteer), not where the sites are."
    )
    return " ".join([part for part in parts if part] + [meaning])


def _shared_finding(sites: gpd.GeoDataFrame, places: Floats, min_samples: int) -> str:
    """Say which coordinates many sites share."""
    _, back, size = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    shared = size > 1
    n_shared = int(size[shared].sum())
    heavy = shared & (size >= min_samples)
    if not heavy.any() and n_shared <= len(places) / 4:
        return ""
    names = _place_names(sites).reset_index(drop=True)
    listed = []
    for place in np.flatnonzero(heavy if heavy.any() else shared):
        called = names[back.ravel() == place].dropna().astype(str)
        # the most frequent name, the first in the alphabet among equals
        name = min(called.mode()).split(" (")[0] if len(called) else "a place without a name"
        listed.append((-int(size[place]), name))
    listed.sort()
    shown = ", ".join(f"{-count} at {name}" for count, name in listed[:_NAMES_SHOWN])
    more = len(listed) - _NAMES_SHOWN
    tail = f" and {_count(more, 'more place')}" if more > 0 else ""
    return (
        f"{n_shared} of {len(places)} located reports share their coordinate with another one "
        f"({shown}{tail})."
    )


def _radius_finding(sites: gpd.GeoDataFrame, eps_m: float) -> str:
    """Say how many radii exceed the distance asked."""
    coarse = int((radii(sites) > eps_m).sum())
    if coarse <= len(sites) / 2:
        return ""
    return (
        f"{coarse} of {len(sites)} located reports are known less precisely than "
        f"{_metres(eps_m)}: their radius is larger than the distance asked for."
    )


def _count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _metres(length_m: float) -> str:
    """Return a length in words."""
    return f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"  # noqa: PLR2004 - a kilometre


# ---------------------------------------------------------------------------- what is drawn of it


def _require_radii(clustering: Clustering) -> None:
    """Refuse to draw sites whose radius is unknown."""
    clustered = (clustering.labels >= 0).fillna(value=False).to_numpy(dtype=bool)
    unknown = clustered & np.isnan(radii(clustering.sites))
    if unknown.any():
        problems = pd.DataFrame(
            {
                "row": np.flatnonzero(unknown),
                "column": "uncertainty_m",
                "value": pd.NA,
                "problem": "no radius",
            },
            index=clustering.sites.index[unknown],
        )
        message = (
            f"{unknown.sum()} of {clustered.sum()} clustered sites have no uncertainty_m, so the "
            "area that holds them is unknown. Give each site its radius in metres."
        )
        raise SchemaError(message, problems)


def _hull(members: gpd.GeoDataFrame) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the convex hull of the uncertainty discs, in degrees, cut at the antimeridian."""
    lon, lat = coordinates(members, "sites")
    discs = np.unique(np.column_stack([lon, lat, radii(members)]), axis=0)
    turns = np.linspace(0, 360, _DISC_CORNERS, endpoint=False)
    x, y, radius = (np.repeat(column, _DISC_CORNERS) for column in discs.T)
    # corners a little outside the circle, so that no side cuts into it
    outer = radius / np.cos(np.pi / _DISC_CORNERS)
    x, y, _ = Geod(ellps="WGS84").fwd(x, y, np.tile(turns, len(discs)), outer)
    crs = local_crs(shapely.MultiPoint(discs[:, :2]))
    corners = gpd.GeoSeries([shapely.multipoints(np.column_stack([x, y]))], crs=4326).to_crs(crs)
    # short sides, because a long one bends when it is read as straight in degrees
    hull = corners.iloc[0].convex_hull.segmentize(_SIDE_M)
    ring = gpd.GeoSeries([hull], crs=crs).to_crs(4326).to_numpy()
    return _cut(shapely.get_coordinates(ring))


def _cut(ring: Floats) -> shapely.Polygon | shapely.MultiPolygon:
    """Return the polygon of a ring, in parts on both sides where it crosses the antimeridian."""
    lon = np.unwrap(ring[:, 0], period=360)
    if abs(lon[-1] - lon[0]) > 180:  # noqa: PLR2004 - half a turn: the ring does not close
        message = (
            "The area of a cluster holds a pole, so it has no outline in longitude and latitude. "
            "Leave its sites out, or draw them in a polar projection."
        )
        raise GeometryError(message)
    whole = shapely.Polygon(np.column_stack([lon, ring[:, 1]]))
    parts: list[shapely.Polygon] = []
    for turn in (-360, 0, 360):
        part = whole.intersection(shapely.box(turn - 180, -90, turn + 180, 90))
        if part.area > 0:
            corners = shapely.get_coordinates(part.convex_hull) - [turn, 0]
            parts.append(shapely.Polygon(corners))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
