"""Which clusters are still there when the reported places are replaced by those that may be true.

Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data
Analysis 52, 258-271. https://doi.org/10.1016/j.csda.2006.11.025
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo._clusterings import NOISE
from geo._resolution import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._clusterings import Clustering

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["ClusterStability", "stability_of"]

_UNSTABLE, _STABLE = 0.6, 0.75  # mean Jaccard below and above which Hennig speaks of these
_VERDICTS = {
    "stable": f"above {_STABLE}",
    "doubtful": f"{_UNSTABLE} to {_STABLE}",
    "unstable": f"below {_UNSTABLE}",
}
_MAJORITY = 0.5
_AT_ONCE = 128  # draws whose pairs are counted together


@dataclass(frozen=True, eq=False)
class ClusterStability:
    """
    How clusters of reported places fare in draws of the true ones.

    Parameters
    ----------
    reference : Clustering
        Of the reported places.
    jaccard : numpy.ndarray, shape (n_clusters,)
        Of each cluster, the mean over the draws of its likeness to the cluster that is most
        alike: the sites that both have by those that either has.
    co_assignment : scipy.sparse.csr_array, shape (n, n)
        The share of the draws in which two sites are in one cluster, by position; on the diagonal,
        that in which a site is in any.
    noise : pandas.Series of float
        The share of the draws in which each site is in no cluster; missing without location.
    consensus : pandas.Series of Int64
        Groups of sites tied by pairs that are together in more than half of the draws, numbered by
        their first row; -1 for none; missing without location.
    n_draws : int
        Number of draws.
    """

    reference: Clustering
    jaccard: Floats
    co_assignment: Any
    noise: pd.Series
    consensus: pd.Series
    n_draws: int

    @property
    def verdict(self) -> list[str]:
        """``stable`` (above 0.75), ``doubtful`` or ``unstable`` (below 0.6), by cluster."""
        return [
            "unstable" if mean < _UNSTABLE else "stable" if mean > _STABLE else "doubtful"
            for mean in self.jaccard
        ]

    def to_frame(self) -> pd.DataFrame:
        """
        Judge each cluster of the reported places.

        Returns
        -------
        pandas.DataFrame
            ``cluster``, ``place``, ``size`` and ``n_places``, distinct coordinates, as in
            `Clustering.to_frame`; ``jaccard``, ``verdict``.
        """
        table = self.reference.to_frame()[["cluster", "place", "size", "n_places"]]
        verdict = pd.array(self.verdict, dtype="string")
        return table.assign(jaccard=self.jaccard, verdict=verdict)

    def summary(self) -> str:
        """
        Say in plain words which clusters hold.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        table = self.to_frame()
        tally = [
            f"{n} {word} (mean Jaccard {limits})"
            for word, limits in _VERDICTS.items()
            if (n := int((table["verdict"] == word).sum()))
        ]
        agreed = int(self.consensus.max(skipna=True)) + 1 if self.consensus.notna().any() else 0
        looked_up = int(((table["verdict"] == "stable") & (table["n_places"] == 1)).sum())
        caution = (
            f" Caution: {looked_up} of the stable ones have a single coordinate. That these hold "
            "says that the reports name one place, and nothing about sites within it."
        )
        return (
            f"{counted(len(table), 'cluster')} of reported places over "
            f"{counted(self.n_draws, 'draw')} of the true ones{': ' if tally else ''}"
            f"{', '.join(tally)}. {counted(agreed, 'group')} of sites together in more than half "
            f"of the draws.{caution if looked_up else ''}"
        )

    def __repr__(self) -> str:
        listed = ", ".join(f"{mean:.2f}" for mean in self.jaccard[:8])
        more = ", ..." if len(self.jaccard) > 8 else ""  # noqa: PLR2004 - one line
        return f"ClusterStability({self.n_draws} draws; mean Jaccard {listed or 'of none'}{more})"

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, escape=True, border=0, na_rep="", max_rows=20)
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def stability_of(reference: Clustering, labels: Floats) -> ClusterStability:
    """
    Compare clusters of reported places with those of draws.

    Parameters
    ----------
    reference : Clustering
        Of the reported places.
    labels : numpy.ndarray, shape (draws, n)
        Of each draw: 0, 1, ...; -1 for noise; NaN without location.

    Returns
    -------
    ClusterStability
        By cluster, by site and by pair.
    """
    given = reference.labels
    located = given.notna().to_numpy(bool)
    drawn = np.where(np.isnan(labels), NOISE, labels).astype(np.int64)
    own = given.to_numpy(dtype=np.int64, na_value=NOISE)
    together = _pair_shares(drawn)
    noise = np.where(located, (drawn == NOISE).mean(axis=0), np.nan)
    return ClusterStability(
        reference=reference,
        jaccard=_mean_jaccard(own, drawn, reference.n_clusters),
        co_assignment=together,
        noise=pd.Series(noise, index=given.index, name="noise"),
        consensus=pd.Series(
            pd.arrays.IntegerArray(_tied(together), ~located), index=given.index, name="consensus"
        ),
        n_draws=len(drawn),
    )


def _mean_jaccard(own: Ints, drawn: Ints, n_clusters: int) -> Floats:
    """Return the mean likeness of each cluster to the most alike one of each draw."""
    total = np.zeros(n_clusters)
    size = np.bincount(own[own >= 0], minlength=n_clusters)
    for labels in drawn:
        n = int(labels.max(initial=NOISE)) + 1
        if not n:
            continue
        both = (own >= 0) & (labels >= 0)
        shared = np.bincount(own[both] * n + labels[both], minlength=n_clusters * n)
        shared = shared.reshape(n_clusters, n)
        there = np.bincount(labels[labels >= 0], minlength=n)
        total += (shared / (size[:, None] + there - shared)).max(axis=1)
    return total / len(drawn)


def _pair_shares(drawn: Ints) -> Any:  # noqa: ANN401 - scipy's types are not known here
    """Return the share of the draws in which two sites are in one cluster."""
    # SciPy takes as long to load as the rest of the library
    from scipy.sparse import csr_array  # noqa: PLC0415

    n = drawn.shape[1]
    total = csr_array((n, n), dtype=np.int32)
    for start in range(0, len(drawn), _AT_ONCE):
        some = drawn[start : start + _AT_ONCE]
        draw, site = np.nonzero(some >= 0)
        column = draw * n + some[draw, site]
        _, column = np.unique(column, return_inverse=True)
        one = np.ones(len(site), dtype=np.int32)
        member = csr_array((one, (site, column)), shape=(n, column.max(initial=-1) + 1))
        total = total + member @ member.T
    total.sort_indices()
    return csr_array((total.data / len(drawn), total.indices, total.indptr), shape=(n, n))


def _tied(together: Any) -> Ints:  # noqa: ANN401 - scipy's types are not known here
    """Return the groups of sites tied by pairs that are mostly together."""
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - as above

    _, group = connected_components(together > _MAJORITY, directed=False)
    several = np.bincount(group)[group] > 1
    labels = np.full(len(group), NOISE)
    # numbered by their first row
    labels[several] = pd.factorize(group[several])[0]
    return labels
