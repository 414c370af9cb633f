"""Sums of Gaussians around many points, at points."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geo._kernelsums import from_nodes, gaussian, in_order, n_nodes, read_at, spread_onto
from geo._threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo._outlines import Outline
    from geo._spreading import Rows

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["sums_at_points"]

_FEW = 4096  # points of which every pair is summed
_MOST_NODES = 1 << 24
_NEAR = 9.0  # bandwidths beyond which a point adds less than 3e-18 of a kernel's height
_DIGITS = 1e10  # how many times what was left out a sum must be
_ISOLATED = 0.1  # of a kernel's height: sums at points below this are not read from nodes


def sums_at_points(
    xy: Floats, weight: Floats, spread_m: float, outline: Outline, at: Floats | None = None
) -> Floats:
    """
    Sum Gaussian densities around points at places, or at each point around all others.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points.
    weight : numpy.ndarray, shape (n,)
        Their masses.
    spread_m : float
        Standard deviation.
    outline : Outline
        The window that holds them.
    at : numpy.ndarray, shape (m, 2), optional
        Places; without them, the points, where each leaves out itself.

    Returns
    -------
    numpy.ndarray, shape (m,) or (n,)
        Mass per square metre.
    """
    order = in_order(xy, weight)
    sorted_xy, sorted_weight = xy[order], weight[order]
    places = sorted_xy if at is None else at
    own = np.arange(len(xy)) if at is None else np.full(len(at), -1)
    height = 1 / (2 * np.pi * spread_m**2)
    if len(xy) <= _FEW or n_nodes(spread_m, outline.box) > _MOST_NODES:
        total = _pair_sums(sorted_xy, sorted_weight, spread_m, outline, places, own) * height
    else:
        nodes = spread_onto(sorted_xy, sorted_weight, spread_m, outline.box)
        smooth = from_nodes(nodes, spread_m, nodes.x, nodes.y, gaussian)
        total = read_at(nodes, smooth, places)
        if at is None:
            total -= sorted_weight * height
        # what is left of a difference, or lies between two peaks, has lost digits
        lone = np.flatnonzero(total < _ISOLATED * height * sorted_weight.max())
        total[lone] = height * _pair_sums(
            sorted_xy, sorted_weight, spread_m, outline, places[lone], own[lone]
        )
    if at is not None:
        return total
    given = np.empty(len(xy))
    given[order] = total
    return given


def _pair_sums(
    xy: Floats, weight: Floats, spread_m: float, outline: Outline, at: Floats, own: Ints
) -> Floats:
    """Return the sums of Gaussians of height 1 at places, each term computed."""
    # numba loads with the first surface
    import geo._spreading as loops  # noqa: PLC0415

    total = np.empty(len(at))
    far = float(np.hypot(*outline.sides)) * 1.01
    todo, reach = np.arange(len(at)), min(_NEAR * spread_m, far)
    while len(todo):
        rows, found = _in_rows(xy, weight, reach), np.empty(len(todo))
        arguments = at[todo], own[todo], rows, spread_m, reach, found
        in_threads(partial(_sum, loops.gaussian_sums, arguments), len(todo), portion=256)
        total[todo] = found
        # where all is far away, what was left out may count
        lost = np.exp(-0.5 * (reach / spread_m) ** 2) * weight.sum()
        todo = todo[found < _DIGITS * lost] if reach < far else todo[:0]
        reach = min(4 * reach, far)
    return total


def _sum(kernel: Callable[..., None], arguments: tuple[object, ...], start: int, stop: int) -> None:
    """Call a kernel for some rows."""
    kernel(start, stop, *arguments)


def _in_rows(xy: Floats, weight: Floats, reach: float) -> Rows:
    """Put points into rows of half a reach."""
    # numba loads with the first surface
    from geo._spreading import Rows  # noqa: PLC0415

    low, height = float(xy[:, 1].min()), float(np.ptp(xy[:, 1]))
    wanted = int(np.clip(2 * height / reach, 1, np.sqrt(len(xy))))
    height = height / wanted if height > 0 else 1.0
    row = np.minimum(((xy[:, 1] - low) / height).astype(np.int64), wanted - 1)
    order = np.lexsort((xy[:, 0], row))
    first = np.searchsorted(row[order], np.arange(wanted + 1))
    x, y = (np.ascontiguousarray(xy[order, k]) for k in (0, 1))
    return Rows(x, y, weight[order], order, first, low, height)
