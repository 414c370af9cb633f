"""The share of a kernel that lies in a window: integrals along the outline (Green's theorem)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo._kernelsums import (
    FEW,
    Grid,
    box_of,
    from_nodes,
    in_order,
    n_nodes,
    product,
    read_at,
    spread_onto,
)
from geo._threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._outlines import Outline

    Floats = NDArray[np.float64]

__all__ = ["mass_at_points", "mass_on_grid"]

_MOST_TERMS = 20_000_000  # of outline and points, or nodes, before the other costs less


def mass_on_grid(outline: Outline, spread_m: float, grid: Grid) -> Floats:
    """
    Return the share of a kernel around the centre of every cell that lies in a window.

    Parameters
    ----------
    outline : Outline
        The window.
    spread_m : float
        Standard deviation.
    grid : Grid
        The cells.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Between 0 and 1.
    """
    if outline.rectangular:
        west, south, east, north = outline.box
        return np.outer(
            _between(south, north, grid.y, spread_m), _between(west, east, grid.x, spread_m)
        )
    edge = _outline_nodes(outline, spread_m)
    if len(edge) <= FEW:
        return product(edge[:, :2], edge[:, 2], spread_m, grid, _step)
    nodes = spread_onto(edge[:, :2], edge[:, 2], spread_m, box_of(grid))
    return from_nodes(nodes, spread_m, grid.x, grid.y, _step, 0.5)


def mass_at_points(outline: Outline, spread_m: Floats | float, xy: Floats) -> Floats:
    """
    Return the share of the kernel around each point that lies in a window.

    Parameters
    ----------
    outline : Outline
        The window.
    spread_m : float or numpy.ndarray, shape (n,)
        Standard deviation.
    xy : numpy.ndarray, shape (n, 2)
        Points in the window.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Between 0 and 1.
    """
    # numba loads with the first surface
    import geo._spreading as loops  # noqa: PLC0415

    if outline.rectangular:
        west, south, east, north = outline.box
        return _between(south, north, xy[:, 1], spread_m) * _between(west, east, xy[:, 0], spread_m)
    edge = _outline_nodes(outline, float(np.min(spread_m)))
    if (
        isinstance(spread_m, np.ndarray)
        or len(edge) * len(xy) <= _MOST_TERMS
        or n_nodes(spread_m, outline.box) > _MOST_TERMS
    ):
        mass = np.empty(len(xy))
        each = np.broadcast_to(np.asarray(spread_m, dtype=np.float64), len(xy)).copy()
        in_threads(
            lambda start, stop: loops.mass_at(start, stop, xy, each, edge, mass),
            len(xy),
            portion=512,
        )
        return mass
    nodes = spread_onto(edge[:, :2], edge[:, 2], spread_m, outline.box)
    return read_at(nodes, from_nodes(nodes, spread_m, nodes.x, nodes.y, _step, 0.5), xy)


def _step(gap: Floats, spread_m: Floats | float) -> Floats:
    """
    Return the mass of a Gaussian below a gap, less one half.

    With the Gaussian along the other axis, its sum along an outline is the mass in the window by
    Green's theorem; the half, which would add 0, is left out for the digits.
    """
    # only densities need scipy
    from scipy.special import erf  # noqa: PLC0415

    return np.asarray(0.5 * erf(gap / (np.sqrt(2) * spread_m)))


def _between(low: float, high: float, at: Floats, spread_m: Floats | float) -> Floats:
    """Return the mass of a Gaussian around places between two bounds."""
    return _step(high - at, spread_m) - _step(low - at, spread_m)


def _outline_nodes(outline: Outline, spread_m: float) -> Floats:
    """Return places along the outline of a window, and the rise that each stands for, by y."""
    edges = outline.edges[outline.edges[:, 1] != outline.edges[:, 3]]
    start, run = edges[:, :2], edges[:, 2:] - edges[:, :2]
    # pieces of half a bandwidth, each read at three places (Gauss-Legendre, of order 6)
    pieces = np.maximum(np.ceil(2 * np.hypot(*run.T) / spread_m), 1).astype(np.int64)
    edge = np.repeat(np.arange(len(edges)), pieces)
    piece = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    place, share = np.polynomial.legendre.leggauss(3)
    along = (piece[:, None] + 0.5 + place / 2) / pieces[edge, None]
    x, y = (start[edge, k, None] + along * run[edge, k, None] for k in (0, 1))
    rise = run[edge, 1, None] * share / 2 / pieces[edge, None]
    nodes = np.column_stack([x.ravel(), y.ravel(), rise.ravel()])
    return np.ascontiguousarray(nodes[in_order(nodes[:, :2], nodes[:, 2])])
