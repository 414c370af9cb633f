"""Sums of Gaussians around many points, at the cells of a grid.

Few points: the sum at every cell is the product of two matrices, since a Gaussian is one along each
axis. Many: each point is spread onto regular nodes by a narrow Gaussian, and the nodes take the
place of the points with what is left of the bandwidth. All terms are positive, so that sums far
from every point keep their digits, which they would lose to the rounding of a Fourier transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo._threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo._outlines import Outline

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    # from the distances of points from cells along an axis, and a bandwidth, to a kernel
    Kernel = Callable[[Floats, Floats | float], Floats]

__all__ = [
    "FEW",
    "Grid",
    "Kernel",
    "Nodes",
    "box_of",
    "from_nodes",
    "gaussian",
    "in_order",
    "n_nodes",
    "product",
    "read_at",
    "spread_onto",
    "summing",
    "sums_on_grid",
]

FEW = 2000  # points whose exact sum costs no more than nodes
_AT_ONCE = 4096  # points at once
_STEPS = 5  # nodes per bandwidth
_BLOCK = 512  # rows or columns of cells at once
_WORTHWHILE = 2_000_000  # multiplications that are worth a thread
_REACH = 38.6  # bandwidths beyond which a Gaussian is 0 in floating point


@dataclass(frozen=True, eq=False)
class Grid:
    """
    Square cells over the box of a window, from its south-western corner.

    Parameters
    ----------
    west, south : float
        The corner, in metres.
    cell_m : float
        Side of the cells.
    shape : tuple of int
        Rows and columns.
    """

    west: float
    south: float
    cell_m: float
    shape: tuple[int, int]

    @property
    def x(self) -> Floats:
        """Eastings of the centres of the columns."""
        return np.asarray(self.west + (np.arange(self.shape[1]) + 0.5) * self.cell_m, np.float64)

    @property
    def y(self) -> Floats:
        """Northings of the centres of the rows, from south to north."""
        return np.asarray(self.south + (np.arange(self.shape[0]) + 0.5) * self.cell_m, np.float64)

    def covered(self, outline: Outline) -> Floats:
        """
        Measure the window within each cell, exactly.

        Parameters
        ----------
        outline : Outline
            The window.

        Returns
        -------
        numpy.ndarray, shape (rows, columns)
            Square metres.
        """
        if outline.rectangular:
            across, up = (
                np.minimum(side - np.arange(n) * self.cell_m, self.cell_m)
                for side, n in zip(outline.sides, self.shape[::-1], strict=True)
            )
            return np.outer(up, across)
        # numba loads with the first surface
        import geo._spreading as loops  # noqa: PLC0415

        corner = np.array([self.west, self.south] * 2)
        own, passed = np.zeros(self.shape), np.zeros(self.shape)
        loops.cover_cells((outline.edges - corner) / self.cell_m, own, passed)
        own[:, :-1] += np.cumsum(passed[:, :0:-1], axis=1)[:, ::-1]
        own[own < 1e-9] = 0.0  # noqa: PLR2004 - rounding, along edges that follow the cells
        return np.minimum(own, 1.0) * self.cell_m**2


class Nodes(NamedTuple):
    """
    Masses at regular nodes, and where these are.

    Parameters
    ----------
    mass : numpy.ndarray, shape (rows, columns)
        Of each node.
    x, y : numpy.ndarray, shape (columns,) and (rows,)
        Coordinates, rising.
    step : float
        Between nodes.
    """

    mass: Floats
    x: Floats
    y: Floats
    step: float


def in_order(xy: Floats, *others: Floats) -> Ints:
    """
    Return an order of points that does not depend on how they were given.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points.
    *others : numpy.ndarray, shape (n,)
        What else tells them apart, such as weights.

    Returns
    -------
    numpy.ndarray of int, shape (n,)
        By y, then x, then the others.
    """
    order = np.argsort(xy[:, 1])
    y = xy[order, 1]
    # a sort by one key costs a fifth, and is enough unless two are equal
    if (y[1:] == y[:-1]).any():
        order = np.lexsort((*others[::-1], xy[:, 0], xy[:, 1]))
    return order


def sums_on_grid(xy: Floats, weight: Floats, spread_m: Floats | float, grid: Grid) -> Floats:
    """
    Sum Gaussian densities around points at the centre of every cell.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points, in the order of `in_order`.
    weight : numpy.ndarray, shape (n,)
        Their masses.
    spread_m : float or numpy.ndarray, shape (n,)
        Standard deviation, the same for all or each its own.
    grid : Grid
        The cells; no point is farther than a cell outside.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Mass per square metre.
    """
    if len(xy) <= FEW or isinstance(spread_m, np.ndarray):
        return product(xy, weight, spread_m, grid, gaussian)
    nodes = spread_onto(xy, weight, spread_m, box_of(grid))
    return from_nodes(nodes, spread_m, grid.x, grid.y, gaussian)


def summing(xy: Floats, spread_m: float, grid: Grid) -> Callable[[Floats], Floats]:
    """
    Prepare sums over the same points with other weights.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points, in the order of `in_order`.
    spread_m : float
        Standard deviation.
    grid : Grid
        The cells.

    Returns
    -------
    callable
        From masses to what `sums_on_grid` returns.
    """
    if len(xy) > FEW:
        return partial(_summed, xy, spread_m, grid)
    up = gaussian(xy[:, 1] - grid.y[:, None], spread_m)
    across = gaussian(xy[:, :1] - grid.x, spread_m)

    def sums(weight: Floats) -> Floats:
        on, total = weight != 0, np.zeros(grid.shape)
        _add_product(up[:, on] * weight[on], across[on], total)
        return total

    return sums


def _summed(xy: Floats, spread_m: float, grid: Grid, weight: Floats) -> Floats:
    """Sum over points that count."""
    on = weight != 0
    return sums_on_grid(xy[on], weight[on], spread_m, grid)


# ---------------------------------------------------------------------------- kernels


def gaussian(gap: Floats, spread_m: Floats | float) -> Floats:
    """
    Return the density of a Gaussian along an axis.

    Parameters
    ----------
    gap : numpy.ndarray
        Distances from its centre.
    spread_m : float or numpy.ndarray
        Standard deviation.

    Returns
    -------
    numpy.ndarray
        Per metre.
    """
    scaled = gap / spread_m
    return np.asarray(np.exp(-0.5 * scaled * scaled) / (np.sqrt(2 * np.pi) * spread_m))


def product(
    xy: Floats, weight: Floats, spread_m: Floats | float, grid: Grid, across: Kernel
) -> Floats:
    """
    Return the exact sum over points at every cell, as a product of matrices.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points.
    weight : numpy.ndarray, shape (n,)
        Their masses.
    spread_m : float or numpy.ndarray, shape (n,)
        Standard deviation.
    grid : Grid
        The cells.
    across : callable
        The kernel along the rows; along the columns it is Gaussian.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        The sums.
    """
    total = np.zeros(grid.shape)
    spreads = np.broadcast_to(np.asarray(spread_m, dtype=np.float64), len(xy))
    for first in range(0, len(xy), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        up = gaussian(xy[part, 1] - grid.y[:, None], spreads[part]) * weight[part]
        _add_product(up, across(xy[part, :1] - grid.x, spreads[part, None]), total)
    return total


def _add_product(left: Floats, right: Floats, total: Floats) -> None:
    """Add the product of two matrices; a library's would change its digits with its threads."""
    # numba loads with the first surface
    import geo._spreading as loops  # noqa: PLC0415

    half = -(-len(total) // 2)
    in_threads(
        lambda start, stop: loops.multiply(start, stop, left, right, total),
        len(total),
        portion=max(half, _WORTHWHILE // max(right.size, 1), 1),
    )


# ---------------------------------------------------------------------------- nodes


def box_of(grid: Grid) -> tuple[float, float, float, float]:
    """
    Return the box of a grid.

    Parameters
    ----------
    grid : Grid
        The cells.

    Returns
    -------
    tuple of float
        West, south, east, north.
    """
    rows, columns = grid.shape
    east, north = grid.west + columns * grid.cell_m, grid.south + rows * grid.cell_m
    return grid.west, grid.south, east, north


def n_nodes(spread_m: float, box: tuple[float, float, float, float]) -> float:
    """
    Count the nodes of a box, roughly.

    Parameters
    ----------
    spread_m : float
        Standard deviation.
    box : tuple of float
        West, south, east, north.

    Returns
    -------
    float
        How many.
    """
    return _STEPS**2 * (box[2] - box[0]) * (box[3] - box[1]) / spread_m**2


def spread_onto(
    xy: Floats, weight: Floats, spread_m: float, box: tuple[float, float, float, float]
) -> Nodes:
    """
    Spread points onto nodes that reach beyond a box.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points in the box, by rising y.
    weight : numpy.ndarray, shape (n,)
        Their masses.
    spread_m : float
        Standard deviation, of which a part is spent on this.
    box : tuple of float
        West, south, east, north.

    Returns
    -------
    Nodes
        For `from_nodes`.
    """
    # numba loads with the first surface
    import geo._spreading as loops  # noqa: PLC0415

    step, margin = spread_m / _STEPS, loops.HALF + 1
    west, south = box[0] - margin * step, box[1] - margin * step
    columns, rows = (int(np.ceil((box[k + 2] - box[k]) / step)) + 2 * margin + 1 for k in (0, 1))
    across, up = (xy[:, 0] - west) / step, (xy[:, 1] - south) / step
    first = np.searchsorted(up, np.arange(rows + 1))
    mass = np.empty((rows, columns))
    in_threads(
        lambda start, stop: loops.spread(start, stop, across, up, weight, first, mass),
        rows,
        portion=max(64, rows // 2 + 1),
    )
    x, y = west + step * np.arange(columns), south + step * np.arange(rows)
    return Nodes(mass, np.asarray(x, np.float64), np.asarray(y, np.float64), step)


def from_nodes(
    nodes: Nodes, spread_m: float, x: Floats, y: Floats, across: Kernel, limit: float = 0.0
) -> Floats:
    """
    Return the sum over nodes at pairs of coordinates, with what is left of the bandwidth.

    Parameters
    ----------
    nodes : Nodes
        Masses.
    spread_m : float
        The bandwidth, before they were spread.
    x, y : numpy.ndarray
        Coordinates, rising.
    across : callable
        The kernel along the rows; along the columns it is Gaussian.
    limit : float, default 0
        What the kernel becomes far to the west of a node, and less of it far to the east.

    Returns
    -------
    numpy.ndarray, shape (len(y), len(x))
        The sums.
    """
    # numba loads with the first surface
    import geo._spreading as loops  # noqa: PLC0415

    left = float(np.sqrt(spread_m**2 - (loops.WIDTH * nodes.step) ** 2))
    total = np.zeros((len(y), len(x)))
    for j in range(0, len(y), _BLOCK):
        rows = slice(j, j + _BLOCK)
        near = _within(nodes.y, y[rows], left)
        strip = np.zeros((len(y[rows]), len(nodes.x)))
        _add_product(gaussian(nodes.y[near] - y[rows, None], left), nodes.mass[near], strip)
        for k in range(0, len(x), _BLOCK):
            columns = slice(k, k + _BLOCK)
            close = _within(nodes.x, x[columns], left)
            part = np.zeros((len(strip), len(x[columns])))
            _add_product(strip[:, close], across(nodes.x[close, None] - x[columns], left), part)
            if limit:
                beyond = strip[:, close.stop :].sum(axis=1) - strip[:, : close.start].sum(axis=1)
                part += limit * beyond[:, None]
            total[rows, columns] = part
    return total


def _within(nodes: Floats, at: Floats, spread_m: float) -> slice:
    """Return the nodes that are not too far from all of some sorted coordinates."""
    reach = _REACH * spread_m
    low, high = np.searchsorted(nodes, [at[0] - reach, at[-1] + reach])
    return slice(int(low), int(high))


def read_at(nodes: Nodes, values: Floats, xy: Floats) -> Floats:
    """
    Interpolate between nodes.

    Parameters
    ----------
    nodes : Nodes
        Where they are.
    values : numpy.ndarray, shape (rows, columns)
        A smooth function at the nodes.
    xy : numpy.ndarray, shape (n, 2)
        Points in the box.

    Returns
    -------
    numpy.ndarray, shape (n,)
        The function at the points.
    """
    # numba loads with the first surface
    import geo._spreading as loops  # noqa: PLC0415

    across, up = (xy[:, 0] - nodes.x[0]) / nodes.step, (xy[:, 1] - nodes.y[0]) / nodes.step
    found = np.empty(len(xy))
    in_threads(
        lambda start, stop: loops.read_nodes(start, stop, across, up, values, found), len(xy)
    )
    return found
