"""The index in space as the searches use it, and the lengths of pairs that they find.

The tree itself is compiled (`geo._trees`). It loads with the first search, for numba alone takes
longer to load than the rest of the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo._threads import in_threads
from geo.geodesy import Points, chord_beyond, chord_within, geodesic_length

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import ArrayLike, NDArray

    from geo._trees import Tree

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["pair_lengths", "plant", "portions_of", "walk", "within", "z_order"]

SHORT_M = 50_000.0  # up to here a length is the arc over its chord, beyond it is Karney's
_PAIRS = 1_000_000  # pairs held in memory at once


def _trees() -> ModuleType:
    """Load the compiled tree."""
    import geo._trees as loops  # noqa: PLC0415 - numba loads with the first search

    return loops


def z_order(xyz: Floats) -> tuple[Ints, NDArray[np.uint64]]:
    """
    Order points along the Z-curve, so that neighbours in the order are near in space.

    Parameters
    ----------
    xyz : numpy.ndarray, shape (n, 3)
        Places in space.

    Returns
    -------
    order : numpy.ndarray of int, shape (n,)
        Positions, equal places by rising position.
    codes : numpy.ndarray of uint64, shape (n,)
        The place of each point on the curve.
    """
    codes = np.empty(len(xyz), dtype=np.uint64)
    in_threads(lambda start, stop: _trees().z_codes(start, stop, xyz, codes), len(xyz))
    return np.argsort(codes, kind="stable"), codes


def walk(xyz: Floats) -> tuple[Floats, Ints]:
    """
    Put points in the order of the Z-curve.

    Parameters
    ----------
    xyz : numpy.ndarray, shape (n, 3)
        Places in space.

    Returns
    -------
    places : numpy.ndarray, shape (n, 3)
        The same places, neighbours one after the other.
    order : numpy.ndarray of int, shape (n,)
        Their positions.
    """
    order, _ = z_order(xyz)
    return _taken(xyz, order), order


def plant(
    low: Floats,
    high: Floats | None = None,
    *,
    radius: Floats | None = None,
    order: Ints | None = None,
) -> Tree:
    """
    Index points or boxes in space.

    Parameters
    ----------
    low, high : numpy.ndarray, shape (n, 3)
        Corners of the boxes, at least one; without `high`, points.
    radius : numpy.ndarray, shape (n,), optional
        A radius of each item, for `Search`.
    order : numpy.ndarray of int, shape (n,), optional
        From `z_order`, if it is known.

    Returns
    -------
    Tree
        For the kernels.
    """
    loops = _trees()
    if order is None:
        order, _ = z_order(low if high is None else (low + high) / 2)
    sizes = [-(-len(low) // loops.FANOUT)]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // loops.FANOUT))
    first = np.concatenate([[0], np.cumsum(sizes)])
    placed = _taken(low, order)
    tree = loops.Tree(
        low=placed,
        high=placed if high is None else _taken(high, order),
        radius=np.empty(0) if radius is None else radius[order],
        order=order,
        first=first,
        boxes=np.empty((first[-1], 8)),
    )
    loops.fill_boxes(tree)
    return tree  # type: ignore[no-any-return]


def _taken(rows: Floats, order: Ints) -> Floats:
    """Return rows in another order: in threads, because it waits for memory."""
    taken = np.empty((len(order), rows.shape[1]))
    in_threads(
        lambda start, stop: np.take(rows, order[start:stop], 0, taken[start:stop]), len(order)
    )
    return taken


# ---------------------------------------------------------------------------- pairs


def pair_lengths(points: Points, i: Ints, targets: Points, j: Ints) -> Floats:
    """
    Measure the geodesic length of pairs.

    Parameters
    ----------
    points, targets : Points
        Where the pairs' positions point to.
    i, j : numpy.ndarray of int, shape (m,)
        Positions in ``points`` and in ``targets``.

    Returns
    -------
    numpy.ndarray of float, shape (m,)
        Metres, within 15 nm; exchanging the two ends gives the same number to the last bit.
    """
    length = np.empty(len(i))
    loops = _trees()
    in_threads(
        lambda start, stop: loops.short_lengths(start, stop, points.xyz, i, targets.xyz, j, length),
        len(i),
    )
    far = np.flatnonzero(~(length <= SHORT_M))
    if len(far):
        a, b = i[far], j[far]
        length[far] = geodesic_length(points.lon[a], points.lat[a], targets.lon[b], targets.lat[b])
    return length


def within(
    points: Points, i: Ints, targets: Points, j: Ints, length_m: ArrayLike
) -> NDArray[np.bool_]:
    """
    Decide for pairs whether their geodesic length is at most a limit.

    Parameters
    ----------
    points, targets : Points
        Where the pairs' positions point to.
    i, j : numpy.ndarray of int, shape (m,)
        Positions in ``points`` and in ``targets``.
    length_m : float or array-like of float, shape (m,)
        The limit in metres, for all pairs or for each; a negative one is met by none.

    Returns
    -------
    numpy.ndarray of bool, shape (m,)
        Exact: by the chord where it proves the answer, else by the geodesic.
    """
    limit = np.broadcast_to(np.asarray(length_m, dtype=np.float64), i.shape)
    chord = np.linalg.norm(points.xyz[i] - targets.xyz[j], axis=1)
    inside: NDArray[np.bool_] = (chord <= chord_within(limit)) & (limit >= 0)
    open_ = np.flatnonzero(~inside & (chord <= chord_beyond(limit)) & (limit >= 0))
    a, b = i[open_], j[open_]
    length = geodesic_length(points.lon[a], points.lat[a], targets.lon[b], targets.lat[b])
    inside[open_] = length <= limit[open_]
    return inside


def portions_of(counts: Ints) -> Iterator[tuple[slice, Ints, tuple[Ints, Ints]]]:
    """
    Cut rows into portions whose pairs fit into memory.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (n,)
        How many pairs each row has.

    Yields
    ------
    tuple
        Consecutive rows, where the pairs of each of them start, and room for the two sides of
        all their pairs.
    """
    ends = np.cumsum(counts)
    at = 0
    while at < len(counts):
        before = ends[at] - counts[at]
        stop = max(at + 1, int(np.searchsorted(ends, before + _PAIRS, side="right")))
        total = int(ends[stop - 1] - before)
        starts = ends[at:stop] - counts[at:stop] - before
        yield slice(at, stop), starts, (np.empty(total, np.int64), np.empty(total, np.int64))
        at = stop
