"""Searches among points, proved by the chord bounds of `geo.geodesy`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from geo._index import pair_lengths, plant, portions_of, walk, within, z_order
from geo._threads import in_threads
from geo.geodesy import Points, chord_beyond, geodesic_length

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import ArrayLike, NDArray

    from geo._trees import Tree

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Search", "candidate_pairs", "count_up_to", "nearest_points"]

_TIE_DECIMALS = 7  # lengths are good to 15 nm: closer than 1e-7 m is the same length


def _kernels() -> ModuleType:
    """Load the compiled loops."""
    import geo._kernels as loops  # noqa: PLC0415 - numba loads with the first search

    return loops


# ---------------------------------------------------------------------------- nearest


def nearest_points(
    points: Points, targets: Points, *, k: int = 1, max_distance_m: float = np.inf
) -> tuple[Ints, Floats]:
    """
    Find the k nearest targets of each point, proved by the chord bounds.

    Parameters
    ----------
    points, targets : Points
        From where and to where.
    k : int, default 1
        How many neighbours.
    max_distance_m : float, optional
        Targets farther than this do not count.

    Returns
    -------
    position : numpy.ndarray of int, shape (n, k)
        Positions in ``targets`` by rising distance, -1 where there is none. Lengths that are
        equal when rounded to 1e-7 m are a tie, and the lower position comes first.
    length_m : numpy.ndarray of float, shape (n, k)
        Geodesic lengths, NaN where there is none.

    Notes
    -----
    The k + 1 nearest chords are found and the first k measured. Where the last chord is beyond
    the k-th geodesic (`chord_beyond`), no other target can be nearer or tie; elsewhere all targets
    that could are measured.
    """
    n = len(points.lon)
    if not n or not len(targets.lon):
        return np.full((n, k), -1, dtype=np.int64), np.full((n, k), np.nan)
    with ThreadPoolExecutor(1) as aside:
        later = aside.submit(walk, points.xyz)
        kept, along = _first_of_each(targets, k)
        pool = targets if len(kept) == len(targets.lon) else targets.at(kept)
        tree, (places, order) = plant(pool.xyz, order=along), later.result()
    limit2 = np.inf if np.isinf(max_distance_m) else float(chord_beyond(max_distance_m)) ** 2
    near, square = np.empty((n, k + 1), dtype=np.int64), np.empty((n, k + 1))
    in_threads(
        lambda start, stop: _kernels().nearest_chords(
            start, stop, places, order, limit2, tree, near, square
        ),
        n,
    )
    position, length = _measured(points, pool, near[:, :k])
    reach = chord_beyond(np.max(length, axis=1, initial=0.0, where=~np.isnan(length)))
    open_ = np.flatnonzero(square[:, k] <= reach**2)
    for i, j in _pairs(points.at(open_), tree, length[open_].max(axis=1, initial=0.0)):
        _keep_nearest(points, pool, open_[i], j, (position, length))
    _settle(points, pool, position, length, max_distance_m)
    far = ~(length <= max_distance_m)
    position[far], length[far] = -1, np.nan
    return position if pool is targets else np.where(position >= 0, kept[position], -1), length


def _measured(points: Points, targets: Points, near: Ints) -> tuple[Ints, Floats]:
    """Return the neighbours of every point in the order of their lengths, and these."""
    row, column = np.nonzero(near >= 0)
    length = np.full(near.shape, np.nan)
    length[row, column] = pair_lengths(points, row, targets, near[row, column])
    if near.shape[1] == 1:
        return near.copy(), length
    rounded = np.round(length, _TIE_DECIMALS)
    # the order of chords is that of lengths but for ties and the gap between the bounds
    order = np.lexsort((near, rounded), axis=1)
    return np.take_along_axis(near, order, axis=1), np.take_along_axis(length, order, axis=1)


def _settle(
    points: Points, targets: Points, position: Ints, length: Floats, limit_m: float
) -> None:
    """Measure by Karney what lies so near to the limit that its last digits decide."""
    row, column = np.nonzero(np.abs(length - limit_m) < 10.0**-_TIE_DECIMALS)
    target = position[row, column]
    length[row, column] = geodesic_length(
        points.lon[row], points.lat[row], targets.lon[target], targets.lat[target]
    )


def _keep_nearest(
    points: Points, targets: Points, i: Ints, j: Ints, answer: tuple[Ints, Floats]
) -> None:
    """Measure all pairs of some rows and write their nearest, in order, into the answer."""
    position, length = answer
    measured = pair_lengths(points, i, targets, j)
    order = np.lexsort((j, np.round(measured, _TIE_DECIMALS), i))
    i, j, measured = i[order], j[order], measured[order]
    first = np.flatnonzero(np.diff(i, prepend=-1))
    rank = np.arange(len(i)) - np.repeat(first, np.diff(first, append=len(i)))
    keep = rank < position.shape[1]
    position[i[keep], rank[keep]] = j[keep]
    length[i[keep], rank[keep]] = measured[keep]


def _first_of_each(points: Points, k: int) -> tuple[Ints, Ints]:
    """
    Return the first k positions at each coordinate, and the order of these along the Z-curve.

    More of them cannot be an answer.
    """
    order, codes = z_order(points.xyz)
    same = np.diff(codes[order]) == 0
    if not same.any():
        return np.arange(len(order)), order
    # only where codes repeat can coordinates do so
    shared = np.flatnonzero(np.append(same, False) | np.append(False, same))
    rows = order[shared]
    rows = rows[np.lexsort((rows, points.lat[rows], points.lon[rows]))]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(points.lon[rows]) != 0) | (np.diff(points.lat[rows]) != 0)
    first = np.flatnonzero(new)
    rank = np.arange(len(rows)) - np.repeat(first, np.diff(first, append=len(rows)))
    kept = np.ones(len(order), dtype=bool)
    kept[rows[rank >= k]] = False
    renumbered = np.cumsum(kept) - 1
    return np.flatnonzero(kept), renumbered[order[kept[order]]]


# ---------------------------------------------------------------------------- within a distance


class Search:
    """
    Targets indexed for counting, once for several distances.

    Parameters
    ----------
    targets : Points
        To where.
    radius : numpy.ndarray, shape (m,), optional
        A radius of each target in metres.
    """

    def __init__(self, targets: Points, radius: Floats | None = None) -> None:
        self._targets = targets
        self._radius = None if radius is None else np.nan_to_num(radius)
        self._tree = plant(targets.xyz, radius=self._radius) if len(targets.lon) else None

    def count(self, points: Points, limit_m: Floats, *, sign: int = 0) -> Ints:
        """
        Count the targets within a limit of each point.

        Parameters
        ----------
        points : Points
            From where, n of them.
        limit_m : numpy.ndarray, shape (n,)
            Greatest geodesic length in metres; a negative one is met by none.
        sign : int, default 0
            The limit of a pair is that of its point plus `sign` times the target's radius.

        Returns
        -------
        numpy.ndarray of int, shape (n,)
            Exact: by the chord where it proves the answer, else by the geodesic.
        """
        n, tree = len(points.lon), self._tree
        if not n or tree is None:
            return np.zeros(n, dtype=np.int64)
        # the targets themselves stand in the tree in the order of a walk
        way = (tree.low, tree.order) if points is self._targets else walk(points.xyz)
        counts = _bounds_of_counts(way, tree, limit_m, sign)
        found, open_ = counts[:, 0].copy(), np.flatnonzero(counts[:, 0] < counts[:, 1])
        doubt = counts[open_, 1] - counts[open_, 0]
        for i, j in _listed(points, open_, tree, limit_m, sign, doubt):
            limit = limit_m[i] + (0 if self._radius is None else sign * self._radius[j])
            met = within(points, i, self._targets, j, limit)
            found += np.bincount(i[met], minlength=n)
        return found


def count_up_to(points: Points, tree: Tree, limit_m: float, enough: int) -> Ints:
    """
    Count the points of a tree within a distance of each of them, up to a number.

    Parameters
    ----------
    points : Points
        In the order of the tree.
    tree : Tree
        Of the same points.
    limit_m : float
        Greatest geodesic length in metres.
    enough : int
        A point with as many is not counted further.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        Each counts itself; exact below `enough`.
    """
    n = len(points.lon)
    limit = np.full(n, limit_m)
    counts = _bounds_of_counts((tree.low, np.arange(n)), tree, limit, 0, enough)
    open_ = np.flatnonzero((counts[:, 0] < enough) & (counts[:, 1] > counts[:, 0]))
    found, rank = counts[:, 0].copy(), np.empty(n, dtype=np.int64)
    rank[tree.order] = np.arange(n)
    for i, j in _listed(points, open_, tree, limit, 0, counts[open_, 1] - counts[open_, 0]):
        met = within(points, i, points, rank[j], limit_m)
        found += np.bincount(i[met], minlength=n)
    return found


def candidate_pairs(
    points: Points, targets: Points, reach_m: ArrayLike
) -> Iterator[tuple[Ints, Ints]]:
    """
    Yield, in portions, every pair that may be within reach.

    Parameters
    ----------
    points, targets : Points
        From where and to where.
    reach_m : float or array-like of float, shape (len(points),)
        Greatest geodesic length of interest, for all points or for each.

    Yields
    ------
    tuple of two numpy.ndarray of int
        Positions in ``points`` and in ``targets``. No pair within reach is left out; pairs
        barely beyond it may be among them (`within` decides). All pairs of one point come in
        the same portion.
    """
    if len(points.lon) and len(targets.lon):
        yield from _pairs(points, plant(targets.xyz), reach_m)


def _pairs(points: Points, tree: Tree, reach_m: ArrayLike) -> Iterator[tuple[Ints, Ints]]:
    """Yield every pair that may be within reach of points."""
    n = len(points.lon)
    limit = np.ascontiguousarray(np.broadcast_to(np.asarray(reach_m, dtype=np.float64), n))
    counts = _bounds_of_counts(walk(points.xyz), tree, limit, 0)[:, 1]
    yield from _listed(points, np.arange(n), tree, limit, None, counts)


def _bounds_of_counts(
    way: tuple[Floats, Ints],
    tree: Tree,
    limit_m: Floats,
    sign: int,
    enough: int = np.iinfo(np.int64).max,
) -> Ints:
    """Return how many targets of each point are surely and possibly within its limit."""
    counts = np.empty((len(limit_m), 2), dtype=np.int64)
    in_threads(
        lambda start, stop: _kernels().count_chords(
            start, stop, *way, limit_m, sign, enough, tree, counts
        ),
        len(limit_m),
    )
    return counts


def _listed(
    points: Points, rows: Ints, tree: Tree, limit_m: Floats, sign: int | None, counts: Ints
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs of some rows in portions; with a sign, only those that are open."""
    for part, starts, out in portions_of(counts):
        chosen = rows[part]

        def search(start: int, stop: int, chosen: Ints = chosen, ends: Any = (starts, out)) -> None:  # noqa: ANN401 - arrays for the kernel
            _kernels().list_chords(
                start,
                stop,
                points.xyz,
                chosen,
                limit_m,
                sign or 0,
                sign is not None,
                tree,
                *ends,
            )

        in_threads(search, len(chosen))
        yield out
