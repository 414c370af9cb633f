"""DBSCAN on exact geodesic distance: which cluster each of many points belongs to.

The definition is that of Ester et al. (1996); `geo.clustering.dbscan` says what it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import Points, candidate_pairs, place_points, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["NOISE", "label_points"]

NOISE = -1


def label_points(lon: Floats, lat: Floats, eps_m: float, min_samples: int) -> tuple[Ints, int]:
    """
    Label points as scikit-learn numbers them.

    Parameters
    ----------
    lon, lat : numpy.ndarray of float, shape (n,)
        Degrees, WGS 84, none missing.
    eps_m : float
        Two points at most this far apart are neighbours, in metres.
    min_samples : int
        Neighbours, itself among them, that make a point a core.

    Returns
    -------
    labels : numpy.ndarray of int, shape (n,)
        0, 1, ... by the row of the first core; `NOISE` for points in no cluster.
    n_ambiguous : int
        Points that had a choice of clusters and got the lowest.
    """
    # many reports share one place: each place is searched once and weighs as many as it has
    place, first, back, weight = np.unique(
        np.column_stack([lon, lat]),
        axis=0,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    points = place_points(place[:, 0], place[:, 1])
    core = _cores(points, weight, eps_m, min_samples)
    number = _number_cores(_chosen(points, core), first[core], eps_m)
    lowest, highest = _reach(points, core, number, eps_m)
    ambiguous = int(weight[(highest >= 0) & (lowest < highest)].sum())
    return np.where(highest >= 0, lowest, NOISE)[back.ravel()], ambiguous


def _cores(points: Points, weight: Ints, eps_m: float, min_samples: int) -> Ints:
    """Return the positions of the points with enough neighbours."""
    neighbours = np.zeros(len(weight))
    for i, j in _neighbours(points, points, eps_m):
        neighbours += np.bincount(i, weight[j], len(weight))
    return np.flatnonzero(neighbours >= min_samples)


def _number_cores(cores: Points, first: Ints, eps_m: float) -> Ints:
    """Return the cluster of each core, numbered by the first row that stands at one of its own."""
    component = np.arange(len(first))
    for i, j in _neighbours(cores, cores, eps_m):
        component = _joined(component, i, j)
    earliest = np.full(len(first), first.max(initial=-1) + 1)
    np.minimum.at(earliest, component, first)
    number = np.full(len(first), NOISE)
    used = np.unique(component)
    number[used[np.argsort(earliest[used])]] = np.arange(len(used))
    return number[component]


def _reach(points: Points, core: Ints, number: Ints, eps_m: float) -> tuple[Ints, Ints]:
    """Return the lowest and the highest cluster with a core near each point; highest -1: none."""
    n = len(points.lon)
    lowest, highest = np.full(n, len(core)), np.full(n, NOISE)
    lowest[core] = highest[core] = number
    border = np.setdiff1d(np.arange(n), core)
    for i, j in _neighbours(_chosen(points, border), _chosen(points, core), eps_m):
        np.minimum.at(lowest, border[i], number[j])
        np.maximum.at(highest, border[i], number[j])
    return lowest, highest


def _chosen(points: Points, rows: Ints) -> Points:
    """Return the points at some positions."""
    return Points(points.lon[rows], points.lat[rows], points.xyz[rows])


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
