"""Groups of sites that lie close together: DBSCAN on exact geodesic distance."""

from __future__ import annotations

import html
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._dbscan import NOISE, label_points
from geo._hulls import hull_of, require_radii
from geo._inputs import coordinates, positive_length, radii, whole_number
from geo._resolution import ADVICE, counted, find_limits, metres, place_names
from geo.errors import ResolutionWarning
from geo.geodesy import geodesic_length, medoid, place_points
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Clustering", "cluster_areas", "dbscan"]

_CLAIMED = ("confirmed", "suspected")  # the tiers that a cluster is meant to be of


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
        return int((self.labels == NOISE).sum())

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
            A paragraph without coordinates: clusters and sizes, the status of the reports in
            them, what was left out, the method, and what the locations cannot carry. Rejected
            and unknown reports among the members are a caution of their own.
        """
        located = len(self.labels) - self.n_unlocated
        sizes = self.labels[self.labels >= 0].value_counts()
        largest = f" The largest has {sizes.max()} reports." if len(sizes) else ""
        found = (
            f"{counted(located, 'located report')}: {counted(self.n_clusters, 'cluster')}; "
            f"{counted(self.n_noise, 'report')} in none.{largest}"
        )
        method = (
            f"Method: DBSCAN on geodesic distance (WGS 84). Reports up to {metres(self.eps_m)} "
            f"apart are neighbours; a report with at least {self.min_samples} neighbours, itself "
            "included, is the core of a cluster."
        )
        return " ".join([found, *self._tiers(), *self._left_out(), method, *self._cautions()])

    def _left_out(self) -> Iterator[str]:
        """Yield the sentence on reports without a location."""
        if self.n_unlocated:
            yield (
                f"{counted(self.n_unlocated, 'report')} without a location could not be considered."
            )
        elif len(self.labels):
            yield "Every report has a location."

    def _tiers(self) -> Iterator[str]:
        """Yield the sentences on what is claimed of the clusters' members."""
        members = (self.labels >= 0).fillna(value=False).to_numpy(dtype=bool)
        if not members.any():
            return
        if "status" not in self.sites:
            yield "The reports carry no status, so confirmed and suspected ones are not told apart."
            return
        *known, unknown = VOCABULARIES["status"]
        status = self.sites["status"][members]
        tally = {tier: int((status == tier).sum()) for tier in known}
        tally[unknown] = len(status) - sum(tally.values())
        shown = [f"{n} {tier}" for tier, n in tally.items() if n or tier in _CLAIMED]
        yield f"Status of the reports in clusters: {', '.join(shown)}."
        doubtful = [f"{tier} ({n})" for tier, n in tally.items() if n and tier not in _CLAIMED]
        if doubtful:
            yield (
                f"Caution: reports of status {' and '.join(doubtful)} count like any other; to "
                "leave them out, select by status before clustering."
            )

    def _cautions(self) -> Iterator[str]:
        """Yield the sentences on what the clusters cannot carry."""
        if self.n_ambiguous:
            yield (
                f"{counted(self.n_ambiguous, 'report')} within reach of more than one cluster "
                "counted in the one with the lowest number."
            )
        finding = find_limits(self.sites, self.eps_m, self.min_samples)
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
        labels = self.labels.to_numpy(dtype=np.int64, na_value=NOISE)
        order = np.argsort(labels, kind="stable")
        ends = np.searchsorted(labels[order], np.arange(self.n_clusters + 1))
        for cluster in range(self.n_clusters):
            yield cluster, self.sites.iloc[order[ends[cluster] : ends[cluster + 1]]]

    def __repr__(self) -> str:
        return (
            f"Clustering({counted(self.n_clusters, 'cluster')}, {self.n_noise} noise, "
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
    reach, enough = positive_length(eps_m, "eps_m"), whole_number(min_samples, "min_samples")
    lon, lat = coordinates(sites, "sites")
    finding = find_limits(sites, reach, enough)
    if finding:
        warnings.warn(f"{finding} {ADVICE}", ResolutionWarning, stacklevel=2)
    located = np.flatnonzero(np.isfinite(lon))
    found, ambiguous = label_points(lon[located], lat[located], reach, enough)
    labels = pd.array(np.full(len(sites), NOISE), dtype="Int64")
    labels[np.isnan(lon)] = pd.NA
    labels[located] = pd.array(found, dtype="Int64")
    return Clustering(
        labels=pd.Series(labels, index=sites.index, name="cluster"),
        eps_m=reach,
        min_samples=enough,
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
    TypeError
        If `clustering` is no `Clustering`.

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
    if not isinstance(clustering, Clustering):
        message = (
            f"cluster_areas draws what dbscan() answers, a Clustering, not a "
            f"{type(clustering).__name__}: cluster_areas(dbscan(sites, eps_m=...))."
        )
        raise TypeError(message)
    clustered = (clustering.labels >= 0).fillna(value=False).to_numpy(dtype=bool)
    require_radii(clustering.sites, clustered)
    table = clustering.to_frame()[["cluster", "size", "confirmed", "suspected"]]
    hulls = [hull_of(members) for _, members in clustering._members()]  # noqa: SLF001 - same module
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(hulls, index=table.index), crs=4326)


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
        "place": place_names(there).iloc[chosen],
        "radius_m": float(length.max()),
        "max_uncertainty_m": float(radii(members).max()),
    }
