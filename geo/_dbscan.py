"""DBSCAN on exact geodesic distance: which cluster each of many points belongs to.

The definition is that of Ester et al. (1996); `geo.clustering.dbscan` says what it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo._clusterings import NOISE
from geo._index import plant, within
from geo._search import candidate_pairs, count_up_to
from geo._threads import in_threads
from geo.geodesy import chord_beyond, chord_within

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from geo._trees import Tree
    from geo.geodesy import Points

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

__all__ = ["label_points"]

_OPEN = 1024  # pairs for which there is room at first, and twice that whenever they are more


def _linkage() -> ModuleType:
    """Load the compiled loops."""
    import geo._linkage as loops  # noqa: PLC0415 - numba loads with the first search

    return loops


def label_points(points: Points, eps_m: float, min_samples: int) -> tuple[Ints, int]:
    """
    Label points as scikit-learn numbers them.

    Parameters
    ----------
    points : Points
        The points, n of them.
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
    n = len(points.lon)
    if not n:
        return np.empty(0, dtype=np.int64), 0
    tree = plant(points.xyz)
    # from here on, all stand in the order of the tree
    placed = points.at(tree.order)
    core = count_up_to(placed, tree, eps_m, min_samples) >= min_samples
    cores = np.empty(len(tree.boxes), dtype=np.int64)
    _linkage().first_cores(tree, core, cores)
    number = _number_cores(placed, tree, core, cores, eps_m)
    lowest, highest = _reach(placed, tree, core, cores, number, eps_m)
    labels = np.empty(n, dtype=np.int64)
    labels[tree.order] = lowest
    return labels, int((lowest < highest).sum())


def _bounds2(eps_m: float) -> tuple[float, float]:
    """Return the squares of the chords that are surely within and surely beyond a distance."""
    return max(float(chord_within(eps_m)), 0.0) ** 2, float(chord_beyond(eps_m)) ** 2


def _number_cores(points: Points, tree: Tree, core: Flags, cores: Ints, eps_m: float) -> Ints:
    """Return the cluster of each core, by the first row among its cores; `NOISE` elsewhere."""
    parent = np.arange(len(core))
    room = _OPEN
    while True:
        i, j = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        n_open = _linkage().join_cores(tree, core, cores, *_bounds2(eps_m), parent, i, j)
        if n_open <= room:
            break
        room = 2 * n_open
    met = within(points, i[:n_open], points, j[:n_open], eps_m)
    for a, b in zip(i[:n_open][met], j[:n_open][met], strict=True):
        _linkage().join(parent, a, b)
    at = np.flatnonzero(core)
    roots = np.empty(len(core), dtype=np.int64)
    _linkage().roots_of(parent, roots)
    earliest = np.full(len(core), len(core))
    np.minimum.at(earliest, roots[at], tree.order[at])
    number = np.full(len(core), NOISE)
    used = np.flatnonzero(earliest < len(core))
    number[used[np.argsort(earliest[used])]] = np.arange(len(used))
    return np.where(core, number[roots], NOISE)


def _reach(
    points: Points, tree: Tree, core: Flags, cores: Ints, number: Ints, eps_m: float
) -> tuple[Ints, Ints]:
    """Return the lowest and the highest cluster with a core near each point, or `NOISE`."""
    reached = np.empty((len(core), 3), dtype=np.int64)
    in_threads(
        lambda start, stop: _linkage().reach_cores(
            start, stop, tree, core, cores, number, *_bounds2(eps_m), reached
        ),
        len(core),
    )
    open_, at = np.flatnonzero(reached[:, 2]), np.flatnonzero(core)
    if len(open_):
        _reach_open(points, open_, at, number, eps_m, reached)
    return reached[:, 0], reached[:, 1]


def _reach_open(
    points: Points, open_: Ints, at: Ints, number: Ints, eps_m: float, reached: Ints
) -> None:
    """Decide by geodesics which cores some points reach."""
    for i, j in candidate_pairs(points.at(open_), points.at(at), eps_m):
        met = within(points, open_[i], points, at[j], eps_m)
        row, found = open_[i[met]], number[at[j[met]]]
        reached[row, 0] = np.where(reached[row, 0] < 0, found.max(initial=0), reached[row, 0])
        np.minimum.at(reached[:, 0], row, found)
        np.maximum.at(reached[:, 1], row, found)
