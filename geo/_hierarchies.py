"""HDBSCAN and OPTICS on geodesic distance: hierarchies of density, and clusters cut from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo._clusterings import NOISE
from geo._index import pair_lengths, plant
from geo._search import nearest_points
from geo.geodesy import chord_beyond

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from geo.geodesy import Points

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Order = tuple[Ints, Floats, Floats, Ints]  # ordering, reachability, core distance, predecessor

__all__ = [
    "Hierarchy",
    "choose_clusters",
    "no_clusters",
    "optics_order",
    "reachability_tree",
    "steep_clusters",
]

_TIE_M = 1e-7  # lengths are good to 15 nm: closer than this is the same length
_LEAST_M = 1e-6  # coincident points count as this far apart, because a density must be finite


def _spanning() -> ModuleType:
    """Load the compiled loops."""
    import geo._spanning as loops  # noqa: PLC0415 - numba loads with the first search

    return loops


def core_distances(points: Points, min_samples: int) -> Floats:
    """
    Measure how far each point's `min_samples`-th neighbour is, the point being its first.

    Parameters
    ----------
    points : Points
        The points, n of them.
    min_samples : int
        Which neighbour.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Metres; infinite where there are fewer points.
    """
    if min_samples > len(points.lon):
        return np.full(len(points.lon), np.inf)
    return nearest_points(points, points, k=min_samples)[1][:, -1]


# ---------------------------------------------------------------------------- HDBSCAN


def reachability_tree(points: Points, min_samples: int) -> tuple[Ints, Ints, Floats]:
    """
    Find a minimum spanning tree under mutual reachability distance.

    Parameters
    ----------
    points : Points
        At least `min_samples` points, n of them.
    min_samples : int
        Which neighbour gives the core distance.

    Returns
    -------
    i, j : numpy.ndarray of int, shape (n - 1,)
        Positions of the two ends of each edge.
    length_m : numpy.ndarray of float, shape (n - 1,)
        The larger of the geodesic distance and both core distances, within 15 nm.

    Notes
    -----
    Edges of up to 50 km are compared by lengths good to 15 nm; longer ones by the arc over their
    chord, good to 0.3 um at 100 km, 0.1 mm at 300 km, 3 cm at 1000 km and 6 m at 3000 km, so that
    of two longer edges closer than that the other one may have been taken. Their lengths are
    measured in the end. Of equal edges any may be taken: what they join is the same.
    """
    tree = plant(points.xyz)
    core = core_distances(points, min_samples)
    i, j = (np.empty(max(len(core) - 1, 0), dtype=np.int64) for _ in range(2))
    _spanning().spanning_tree(tree, core[tree.order], i, j)
    i, j = tree.order[i], tree.order[j]
    length = pair_lengths(points, i, points, j)
    return i, j, np.maximum(np.maximum(length, core[i]), core[j])


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """
    The clusters chosen from a hierarchy.

    Parameters
    ----------
    labels : numpy.ndarray of int, shape (n,)
        Clusters numbered by their first point, -1 for noise.
    probability : numpy.ndarray of float, shape (n,)
        How strongly each point belongs to its cluster: the density up to which it does, in shares
        of the greatest in the cluster; 0 for noise.
    persistence : numpy.ndarray of float, shape (clusters,)
        How well each cluster stands apart, from 0 to 1.
    """

    labels: Ints
    probability: Floats
    persistence: Floats


def no_clusters(n: int) -> Hierarchy:
    """
    Leave all points as noise.

    Parameters
    ----------
    n : int
        How many points.

    Returns
    -------
    Hierarchy
        Without clusters.
    """
    return Hierarchy(np.full(n, NOISE), np.zeros(n), np.empty(0))


def choose_clusters(i: Ints, j: Ints, length_m: Floats, min_cluster_size: int) -> Hierarchy:
    """
    Choose the clusters of a spanning tree by excess of mass (Campello et al. 2013).

    Parameters
    ----------
    i, j, length_m : numpy.ndarray, shape (n - 1,)
        From `reachability_tree`.
    min_cluster_size : int
        Fewest points of a cluster, at least 2.

    Returns
    -------
    Hierarchy
        The clusters.

    Notes
    -----
    Many edges of a spanning tree are equally long, each core distance being the length of several.
    Taken one by one, their order decides what splits from what; here those within 1e-7 m of
    each other are taken at once, so the answer depends on the distances alone and not on the
    order of rows. The whole is never a cluster.

    Persistence is the mean over a cluster's points of ``1 - leaves / joins``, `joins` being the
    distance at which it merges with anything else and `leaves` the one at which the point leaves
    or the cluster falls apart: Campello's stability, the sum of ``1 / leaves - 1 / joins``, in
    relative distance.
    """
    n = len(i) + 1
    order = np.argsort(length_m, kind="stable")
    height = _at_once(np.maximum(length_m[order], _LEAST_M))
    left, right = np.empty(n - 1, dtype=np.int64), np.empty(n - 1, dtype=np.int64)
    size, start = np.empty(2 * n - 1, dtype=np.int64), np.empty(2 * n - 1, dtype=np.int64)
    _spanning().merge_edges(i[order], j[order], left, right, size)
    leave, spans = np.empty(n), np.empty((n, 3), dtype=np.int64)
    life, stability = np.empty((n, 2)), np.empty(n)
    found = _spanning().grow_clusters(
        left, right, height, size, min_cluster_size, start, leave, spans, life, stability
    )
    place = start[:n]
    chosen = _excess_of_mass(spans[:found, 0], stability[:found])
    cluster = np.full(n, NOISE)
    for row in chosen:
        _, first, count = spans[row]
        cluster[first : first + count] = row
    return _described(cluster[place], leave[place], life)


def _at_once(height: Floats) -> Floats:
    """Return rising heights, those that only rounding tells apart made one."""
    new = np.diff(height, prepend=-np.inf) > _TIE_M
    return np.asarray(height[np.flatnonzero(new)][np.cumsum(new) - 1])


def _excess_of_mass(parent: Ints, stability: Floats) -> Ints:
    """Return the clusters that are more stable than those that they split into."""
    best, below = stability.copy(), np.zeros(len(parent))
    chosen = np.zeros(len(parent), dtype=bool)
    for row in range(len(parent) - 1, 0, -1):
        chosen[row] = stability[row] >= below[row]
        best[row] = max(stability[row], below[row])
        below[parent[row]] += best[row]
    for row in range(1, len(parent)):
        # within a chosen cluster nothing else is chosen
        if parent[row] > 0 and (chosen[parent[row]] or best[parent[row]] == np.inf):
            chosen[row], best[row] = False, np.inf
        elif chosen[row]:
            best[row] = 0.0
    return np.flatnonzero(chosen)


def _described(cluster: Ints, leave_m: Floats, life_m: Floats) -> Hierarchy:
    """Return the clusters numbered by their first point, and how points and clusters hold."""
    member = cluster >= 0
    used, first, number = np.unique(cluster[member], return_index=True, return_inverse=True)
    rank = np.empty(len(used), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(used))
    labels = np.full(len(cluster), NOISE)
    labels[member] = rank[number]
    # a point that stays to the end leaves when the cluster splits
    birth, death = life_m[cluster[member]].T
    leaves = np.maximum(leave_m[member], death)
    densest = np.full(len(used), np.inf)
    np.minimum.at(densest, labels[member], leaves)
    probability = np.zeros(len(cluster))
    probability[member] = densest[labels[member]] / leaves
    apart = np.bincount(labels[member], 1 - leaves / birth) / np.bincount(labels[member])
    return Hierarchy(labels, probability, apart if len(used) else np.empty(0))


# ---------------------------------------------------------------------------- OPTICS


def optics_order(points: Points, min_samples: int, most_m: float) -> Order:
    """
    Order points by density (Ankerst et al. 1999).

    Parameters
    ----------
    points : Points
        The points, n of them.
    min_samples : int
        Neighbours, itself among them, that make a point a core.
    most_m : float
        Neighbours farther than this do not count; may be infinite.

    Returns
    -------
    ordering : numpy.ndarray of int, shape (n,)
        Positions in the order of the visit.
    reachability_m, core_m : numpy.ndarray of float, shape (n,)
        For each point, infinite where it was not reached or is no core.
    predecessor : numpy.ndarray of int, shape (n,)
        From where each point was reached, -1 if it was not.
    """
    if not len(points.lon):
        nothing = np.empty(0, dtype=np.int64)
        return nothing, np.empty(0), np.empty(0), nothing
    tree = plant(points.xyz)
    core = core_distances(points, min_samples)
    core[core > most_m + _TIE_M] = np.inf
    n = len(core)
    ordering, predecessor = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    reachability = np.empty(n)
    reach = min(most_m, float(chord_beyond(np.inf)) * 4)
    _spanning().order_points(tree, tree.order, core, reach, ordering, reachability, predecessor)
    to = np.flatnonzero(predecessor >= 0)
    length = pair_lengths(points, predecessor[to], points, to)
    reachability[to] = np.maximum(length, core[predecessor[to]])
    return ordering, reachability, core, predecessor


def steep_clusters(order: Order, min_samples: int, xi: float) -> Ints:
    """
    Cut clusters where reachability falls and rises steeply.

    Parameters
    ----------
    order : tuple
        From `optics_order`.
    min_samples : int
        As there.
    xi : float
        Least relative change of reachability at the edge of a cluster.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Clusters as scikit-learn numbers them, -1 for noise.
    """
    # `import geo` stays light; scikit-learn loads when it is used
    from sklearn.cluster import cluster_optics_xi  # noqa: PLC0415

    ordering, reachability, _, predecessor = order
    if len(ordering) < min_samples:
        return np.full(len(ordering), NOISE)
    labels, _ = cluster_optics_xi(
        reachability=np.maximum(reachability, _LEAST_M),
        predecessor=predecessor,
        ordering=ordering,
        min_samples=min_samples,
        xi=xi,
    )
    return np.asarray(labels, dtype=np.int64)
