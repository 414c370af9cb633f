"""Densities from points in order: on a grid and at the points, with fixed and adaptive kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo._inputs import positive_length
from geo._kernelsums import Grid, sums_on_grid
from geo._pointsums import sums_at_points
from geo._resolution import metres
from geo._windowmass import mass_at_points, mass_on_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._outlines import Outline

    Floats = NDArray[np.float64]

__all__ = ["at_points", "grid_of", "smoothed"]

_CELLS = 256  # along the longer side of the box
_MOST_CELLS = 1 << 22
_TRIM = 5  # times the bandwidth given, which no adaptive one exceeds
_LADDER = 1.05  # from one bandwidth to the next, between which edge masses are interpolated


def grid_of(outline: Outline, bandwidth: float, cell_size_m: float | None) -> Grid:
    """
    Return the cells over a window.

    Parameters
    ----------
    outline : Outline
        The window.
    bandwidth : float
        That they must not exceed.
    cell_size_m : float or None
        Their side, if it was given.

    Returns
    -------
    Grid
        From the south-western corner of the window's box.

    Raises
    ------
    ValueError
        If they are larger than the bandwidth, or too many.
    """
    wide, high = outline.sides
    if cell_size_m is None:
        cell = min(max(wide, high) / _CELLS, bandwidth / 2)
    else:
        cell = positive_length(cell_size_m, "cell_size_m")
        if cell > bandwidth:
            message = (
                f"Cells of {metres(cell)} are larger than the bandwidth of {metres(bandwidth)}: "
                "most of the surface would lie between their centres. Use smaller cells."
            )
            raise ValueError(message)
    rows, columns = (max(int(np.ceil(side / cell * (1 - 1e-12))), 1) for side in (high, wide))
    if rows * columns > _MOST_CELLS:
        message = (
            f"{columns} x {rows} cells of {metres(cell)} are too many ({_MOST_CELLS:,} at most). "
            "Use a larger bandwidth or larger cells, or a window of the part that matters."
        )
        raise ValueError(message)
    return Grid(outline.box[0], outline.box[1], cell, (rows, columns))


def smoothed(
    xy: Floats,
    weight: Floats,
    bandwidth: float,
    outline: Outline,
    grid: Grid,
    *,
    edge: str | None,
    adaptive: bool,
    standard_error: bool,
) -> tuple[Floats, Floats | None]:
    """
    Return a density at the centre of every cell.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points, in the order of `in_order`.
    weight : numpy.ndarray, shape (n,)
        Their masses, more than 0.
    bandwidth : float
        Standard deviation of the kernel.
    outline : Outline
        The window.
    grid : Grid
        The cells.
    edge, adaptive, standard_error : str or None, bool, bool
        As in `kernel_density`.

    Returns
    -------
    numpy.ndarray, shape (rows, columns)
        Mass per square metre; without meaning in cells outside the window.
    numpy.ndarray or None
        Its standard error, if it was asked for.
    """
    spread = _abramson(xy, weight, bandwidth, outline, edge) if adaptive else bandwidth
    if edge == "diggle":
        weight = weight / mass_at_points(outline, spread, xy)
    below: Floats | float = 1.0
    if edge == "uniform":
        below = (
            _varying_mass(xy, weight, bandwidth, spread, outline, grid)
            if isinstance(spread, np.ndarray)
            else mass_on_grid(outline, bandwidth, grid)
        )
    error = None
    # nothing of a kernel may be left at the corners of a box that are far from its window
    with np.errstate(divide="ignore", invalid="ignore"):
        values = sums_on_grid(xy, weight, spread, grid) / below
        if standard_error:
            # the square of a Gaussian is one of less width
            squared = weight**2 / (4 * np.pi * np.square(spread))
            error = np.sqrt(sums_on_grid(xy, squared, spread / np.sqrt(2), grid)) / below
    return values, error


def at_points(
    xy: Floats,
    weight: Floats,
    spread: float,
    outline: Outline,
    edge: str | None,
    *,
    leave_one_out: bool,
) -> Floats:
    """
    Return the density at each point.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points.
    weight : numpy.ndarray, shape (n,)
        Their masses.
    spread : float
        Standard deviation of the kernel.
    outline : Outline
        The window.
    edge : str or None
        As in `kernel_density`.
    leave_one_out : bool
        Whether a point does not count around itself.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Mass per square metre.
    """
    share = mass_at_points(outline, spread, xy) if edge else np.ones(len(xy))
    given = weight / share if edge == "diggle" else weight
    total = sums_at_points(xy, given, spread, outline)
    if not leave_one_out:
        total += given / (2 * np.pi * spread**2)
    return total / share if edge == "uniform" else total


def _abramson(
    xy: Floats, weight: Floats, bandwidth: float, outline: Outline, edge: str | None
) -> Floats:
    """Return a bandwidth for each point, by the density of a fixed kernel there."""
    pilot = at_points(xy, weight, bandwidth, outline, edge, leave_one_out=False)
    mean = np.exp(np.log(pilot).mean())
    return np.asarray(np.minimum(bandwidth * np.sqrt(mean / pilot), _TRIM * bandwidth))


def _varying_mass(
    xy: Floats, weight: Floats, bandwidth: float, spread: Floats, outline: Outline, grid: Grid
) -> Floats:
    """Return the mass in the window of the kernel that a point at each cell would have."""
    mass = mass_on_grid(outline, bandwidth, grid)
    there = at_points(xy, weight, bandwidth, outline, "uniform", leave_one_out=False)
    mean = np.exp(np.log(there).mean())
    # far from all points the density is 0, and the bandwidth the largest
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = bandwidth * np.sqrt(mean / (sums_on_grid(xy, weight, bandwidth, grid) / mass))
    low, high = float(spread.min()), float(spread.max())
    level = np.log(np.clip(np.nan_to_num(wanted, nan=high), low, high) / low)
    steps = max(int(np.ceil(np.log(high / low) / np.log(_LADDER))), 1)
    level *= steps / np.log(high / low) if high > low else 0.0
    found = np.zeros(grid.shape)
    for k in range(steps + 1):
        near = np.abs(level - k) < 1
        if near.any():
            rung = mass_on_grid(outline, float(low * (high / low) ** (k / steps)), grid)
            found[near] += (1 - np.abs(level - k)[near]) * rung[near]
    return found
