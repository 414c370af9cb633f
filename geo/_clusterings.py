"""What a clustering is: labels, and how they are told in a table and in words."""

from __future__ import annotations

import html
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo._inputs import coordinates, radii
from geo._resolution import counted, find_limits, metres, place_names, unresolved
from geo.geodesy import geodesic_length, medoid, place_points
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["NOISE", "Clustering"]

NOISE = -1
_CLAIMED = ("confirmed", "suspected")  # the tiers that a cluster is meant to be of
_ROWS_SHOWN = 20  # of the table in a notebook
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


@dataclass(frozen=True, eq=False)
class Clustering:
    """
    The answer of `dbscan`, `hdbscan` and `optics`: which site belongs to which cluster.

    Parameters
    ----------
    labels : pandas.Series of Int64
        Cluster of each site, indexed like the sites: 0, 1, ...; -1 for noise, that is for a site
        in no cluster; missing for a site without location.
    method : str
        ``DBSCAN``, ``HDBSCAN`` or ``OPTICS``.
    parameters : Mapping
        What the function was asked, by the names of its parameters.
    sites : geopandas.GeoDataFrame
        A copy of the frame that was clustered.
    details : pandas.DataFrame
        What else the method tells of each site, indexed like the sites, missing without a
        location: ``probability`` of HDBSCAN; ``order`` of the visit, ``reachability_m``,
        ``core_distance_m`` and ``predecessor`` (index label) of OPTICS; no column of DBSCAN.
    persistence : tuple of float, optional
        How well each cluster stands apart, from 0 to 1; only of HDBSCAN.
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
    method: str
    parameters: Mapping[str, float | None]
    sites: gpd.GeoDataFrame
    details: pd.DataFrame
    persistence: tuple[float, ...] | None = None
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
            index label) of the site with the least sum of distances to all the others (in clusters
            of over 5000 places, of those nearest to the middle);
            ``place``, its locality, or else its name; ``radius_m``, the geodesic distance from
            the medoid to the farthest member; ``max_uncertainty_m``, the largest radius of
            a member, missing if any is unknown; of HDBSCAN, ``persistence``, how well the
            cluster stands apart.
        """
        return self._table(self.n_clusters)

    def _table(self, n_rows: int) -> pd.DataFrame:
        """Describe the first clusters."""
        lon, lat = coordinates(self.sites, "sites")
        radius = radii(self.sites)
        columns: dict[str, list[object]] = {name: [] for name in _COLUMNS}
        for cluster, rows in islice(self.members(), n_rows):
            described = _describe(self.sites.iloc[rows], lon[rows], lat[rows])
            columns["cluster"].append(cluster)
            columns["max_uncertainty_m"].append(float(radius[rows].max()))
            for name, value in described.items():
                columns[name].append(value)
        numbers = ["radius_m", "max_uncertainty_m"]
        if self.persistence is not None:
            columns["persistence"] = list(self.persistence[:n_rows])
            numbers.append("persistence")
        return pd.DataFrame(columns).astype(
            {
                **dict.fromkeys(("cluster", "size", "confirmed", "suspected", "n_places"), "Int64"),
                "medoid": self.sites.get("site_id", self.sites.index).dtype,
                "place": "string",
                **dict.fromkeys(numbers, "float64"),
            }
        )

    def members(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """
        Yield each cluster with the positions of its sites.

        Yields
        ------
        tuple
            The number of the cluster and the rows of its members, rising.
        """
        labels = self.labels.to_numpy(dtype=np.int64, na_value=NOISE)
        order = np.argsort(labels, kind="stable")
        ends = np.searchsorted(labels[order], np.arange(self.n_clusters + 1))
        for cluster in range(self.n_clusters):
            yield cluster, order[ends[cluster] : ends[cluster + 1]]

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
        method = f"Method: {self.method} on geodesic distance (WGS 84). {self._rule()}"
        return " ".join([found, *self._tiers(), *self._left_out(), method, *self._cautions()])

    def _rule(self) -> str:
        """Return the sentence on what makes a cluster."""
        asked = self.parameters
        if self.method == "DBSCAN":
            return (
                f"Reports up to {metres(asked['eps_m'] or 0)} apart are neighbours; a report with "
                f"at least {asked['min_samples']} neighbours, itself included, is the core of a "
                "cluster."
            )
        if self.method == "HDBSCAN":
            return (
                f"A cluster has at least {asked['min_cluster_size']} reports and is denser than "
                f"what surrounds it, by the distance within which {asked['min_samples']} reports "
                "lie, itself included; no distance was set beforehand."
            )
        most = asked["max_eps_m"]
        within = "" if most is None else f" within {metres(most)}"
        steep = 100 * (asked["xi"] or 0)
        return (
            f"A cluster is where the distance within which {asked['min_samples']} reports "
            f"lie{within}, itself included, falls and rises by at least {steep:g}%."
        )

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
        asked = self.parameters
        finding = find_limits(self.sites, asked.get("eps_m"), int(asked["min_samples"] or 1))
        unknown = np.isnan(radii(self.sites)[self.labels.notna().to_numpy()]).any()
        eps_m = asked.get("eps_m")
        coarse = "" if unknown or eps_m is None else unresolved(self.sites, eps_m)
        if finding:
            yield f"Caution: {finding}"
        elif unknown:
            yield (
                "Caution: some reports carry no radius, so whether their locations are "
                "precise enough for this distance is unknown."
            )
        elif not coarse:
            yield "Clusters are of reported places, each known to within its radius only."
        if coarse and self.labels.notna().any():
            yield coarse

    def __repr__(self) -> str:
        asked = ", ".join(
            f"{name}={value}" if value is None else f"{name}={value:g}"
            for name, value in self.parameters.items()
        )
        return (
            f"Clustering({counted(self.n_clusters, 'cluster')}, {self.n_noise} noise, "
            f"{self.n_unlocated} without location; {self.method}, {asked})"
        )

    def _repr_html_(self) -> str:
        # the two classes keep notebooks from reading dollar signs in names as formulas
        shown = self._table(min(self.n_clusters, _ROWS_SHOWN))
        table = shown.to_html(index=False, escape=True, border=0, na_rep="")
        if self.n_clusters > _ROWS_SHOWN:
            table += f"<p>The first {_ROWS_SHOWN} of {self.n_clusters} clusters.</p>"
        return (
            f'<div class="tex2jax_ignore mathjax_ignore">{table}'
            f"<p>{html.escape(self.summary())}</p></div>"
        )


def _describe(members: gpd.GeoDataFrame, lon: Floats, lat: Floats) -> dict[str, object]:
    """Return the row of one cluster, without its number and its radii."""
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
    }
