"""What a layer of clusters says of each, and how faint those are that do not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from layers._fills import INK, counts_words, length_words, status_counts
from layers._frames import column
from layers._words import Phrase, known
from layers.legend import LegendEntry
from layers.text import plain

if TYPE_CHECKING:
    import geo

__all__ = ["cluster_words", "faded"]

_FILLED = 0.4  # opacity of a cluster that comes back in every draw, through which symbols show
_HELD = {"stable": 1.0, "doubtful": 0.675, "unstable": 0.3}  # what the legend shows of it


def cluster_words(clustering: geo.Clustering, stability: geo.ClusterStability | None) -> list[str]:
    """
    Say of each cluster where it is, how sure that is, and how much of it comes back.

    Parameters
    ----------
    clustering : geo.Clustering
        The clusters.
    stability : geo.ClusterStability or None
        Of the same clusters.

    Returns
    -------
    list of str
        A sentence for each.
    """
    table = clustering.to_frame()
    labels = clustering.labels.to_numpy(dtype=np.int64, na_value=-1)
    claimed = column(clustering.sites, "status").astype(object).fillna("unknown").to_numpy()
    counts = status_counts(claimed[labels >= 0], labels[labels >= 0], len(table))
    reach = clustering.parameters.get("eps_m")
    words = []
    for number, row in enumerate(table.itertuples()):
        numbered = Phrase("cluster", number=int(row.cluster))
        said: str = Phrase(
            "cluster-words",
            place=numbered if pd.isna(row.place) else plain(row.place),
            counts=counts_words(counts[number]),
            distance=length_words(row.max_uncertainty_m),
        )
        if reach is not None and row.max_uncertainty_m > reach:
            said = Phrase("cluster-coarse", words=said, distance=length_words(reach))
        if stability is not None:
            share = f"{stability.jaccard[number]:.0%}"
            said = Phrase("cluster-held", words=said, share=share, n=stability.n_draws)
        words.append(said)
    return words


def faded(
    clustering: geo.Clustering, stability: geo.ClusterStability | None
) -> tuple[list[float], list[LegendEntry]]:
    """
    Fill clusters the fainter, the less of them comes back in draws of the true places.

    Parameters
    ----------
    clustering : geo.Clustering
        The clusters.
    stability : geo.ClusterStability or None
        Of the same clusters.

    Returns
    -------
    list of float
        Opacity of each area; none without `stability`.
    list of LegendEntry
        A line for each verdict that occurs.

    Raises
    ------
    ValueError
        If `stability` is of other clusters.
    """
    if stability is None:
        return [], []
    if not stability.reference.labels.equals(clustering.labels):
        message = "`stability` is of another clustering: give that of these, from `geo.propagate`"
        raise ValueError(message)
    found = stability.verdict
    entries = [
        LegendEntry(known(word), INK, "square", found.count(word), opacity=_FILLED * share)
        for word, share in _HELD.items()
        if word in found
    ]
    return [round(_FILLED * share, 3) for share in stability.jaccard.tolist()], entries
