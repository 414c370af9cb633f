"""Compiled loops of `density`: points spread onto nodes and read from them, covered cells, sums.

Kernels fill the arrays they are given for the rows from ``start`` to ``stop``, and add in the order
of the points, so that an answer does not depend on how the rows are shared among threads.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo._trees import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "HALF",
    "WIDTH",
    "Rows",
    "cover_cells",
    "gaussian_sums",
    "mass_at",
    "read_nodes",
    "spread",
]

HALF = 6  # nodes on either side that a point is spread to
WIDTH = 0.9  # the standard deviation it is spread with, in steps between nodes
FAR = 9.5  # bandwidths beyond which less than 1e-19 of a kernel is left
_FADING = tuple(math.exp(-(k**2) / (2 * WIDTH**2)) for k in range(1 - HALF, HALF + 1))


class Rows(NamedTuple):
    """
    Points in rows, each from west to east.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (n,)
        Coordinates.
    weight : numpy.ndarray, shape (n,)
        Masses.
    order : numpy.ndarray of int, shape (n,)
        The position at which each was given.
    first : numpy.ndarray of int, shape (rows + 1,)
        Where each row starts.
    low, height : float
        The bottom of the first row, and the height of all.
    """

    x: Floats
    y: Floats
    weight: Floats
    order: Ints
    first: Ints
    low: float
    height: float


@compiled
def spread(
    start: int, stop: int, across: Floats, up: Floats, weight: Floats, first: Ints, nodes: Floats
) -> None:
    """
    Spread points onto nodes, each by a narrow Gaussian.

    Parameters
    ----------
    start, stop : int
        The rows of nodes to fill.
    across, up : numpy.ndarray, shape (n,)
        Positions in steps between nodes, by rising `up`.
    weight : numpy.ndarray, shape (n,)
        Mass of each point.
    first : numpy.ndarray of int, shape (rows + 1,)
        The first point above each row of nodes.
    nodes : numpy.ndarray, shape (rows, columns)
        Filled.
    """
    rows, columns = nodes.shape
    flat = nodes.reshape(-1)
    narrow = 1 / (2 * WIDTH * WIDTH)
    norm = 1 / (2 * math.pi * WIDTH * WIDTH)
    line = np.empty(2 * HALF)
    nodes[start:stop] = 0.0
    for i in range(first[max(start - HALF, 0)], first[min(stop + HALF, rows)]):
        column, row = int(across[i]), int(up[i])
        right, above = across[i] - column, up[i] - row
        # exp(-(k - d)^2 s) in powers, with two exponentials an axis (Greengard and Lee 2004)
        share = weight[i] * norm * math.exp(-narrow * (right * right + above * above))
        east, north = math.exp(2 * narrow * right), math.exp(2 * narrow * above)
        step = (east * north) ** (1 - HALF)
        for k in range(2 * HALF):
            line[k] = share * step * _FADING[k]
            step *= east
        rise = 1.0
        west = column + 1 - HALF
        for j in range(2 * HALF):
            on = row + j + 1 - HALF
            if start <= on < stop:
                height = rise * _FADING[j]
                # unsigned, as a number below 0 would count from the end, which is asked each time
                place = np.uint64(on * columns + west)
                for k in range(2 * HALF):
                    flat[place + np.uint64(k)] += height * line[k]
            rise *= north


@compiled
def read_nodes(
    start: int, stop: int, across: Floats, up: Floats, nodes: Floats, values: Floats
) -> None:
    """
    Interpolate a smooth function between nodes, by polynomials of degree 5 along each axis.

    Parameters
    ----------
    start, stop : int
        The points to fill.
    across, up : numpy.ndarray, shape (n,)
        Positions in steps between nodes, at least 3 from the outermost.
    nodes : numpy.ndarray, shape (rows, columns)
        The function.
    values : numpy.ndarray, shape (n,)
        Filled.
    """
    for i in range(start, stop):
        column, row = int(across[i]), int(up[i])
        right, above = across[i] - column, up[i] - row
        total = 0.0
        for j in range(-2, 4):
            line = 0.0
            for k in range(-2, 4):
                line += _lagrange(right, k) * nodes[row + j, column + k]
            total += _lagrange(above, j) * line
        values[i] = total


@compiled
def _lagrange(x: float, k: int) -> float:
    """Return the polynomial that is 1 at k and 0 at the other whole numbers from -2 to 3."""
    value = 1.0
    for other in range(-2, 4):
        if other != k:
            value *= (x - other) / (k - other)
    return value


@compiled
def cover_cells(edges: Floats, own: Floats, passed: Floats) -> None:
    """
    Add up what the edges of a window say about the area of it in each cell.

    Parameters
    ----------
    edges : numpy.ndarray, shape (m, 4)
        Ends of the edges in cells from the corner of the grid, the interior on the left.
    own, passed : numpy.ndarray, shape (rows, columns)
        Zeros; then the share of each cell covered is `own` plus all that was `passed` in cells
        east of it.
    """
    rows, columns = own.shape
    for e in range(edges.shape[0]):
        x1, y1, x2, y2 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if y1 == y2:
            continue
        sign = 1.0
        if y1 > y2:
            x1, y1, x2, y2, sign = x2, y2, x1, y1, -1.0
        slope = (x2 - x1) / (y2 - y1)
        row, last = max(int(y1), 0), min(int(y2), rows - 1)
        for j in range(row, last + 1):
            low, high = max(y1, float(j)), min(y2, j + 1.0)
            if high <= low:
                continue
            a, b = x1 + (low - y1) * slope, x1 + (high - y1) * slope
            if a > b:
                a, b = b, a
            lift = sign * (high - low)
            left, right = min(max(int(a), 0), columns - 1), min(max(int(b), 0), columns - 1)
            for k in range(left, right + 1):
                west = a if k == left else float(k)
                east = b if k == right else k + 1.0
                part = lift if left == right else lift * (east - west) / (b - a)
                passed[j, k] += part
                own[j, k] += part * ((west + east) / 2 - k)


@compiled
def mass_at(
    start: int, stop: int, xy: Floats, spread_m: Floats, nodes: Floats, mass: Floats
) -> None:
    """
    Write the share of each point's kernel that lies in a window.

    Parameters
    ----------
    start, stop : int
        The points to fill.
    xy : numpy.ndarray, shape (n, 2)
        Points.
    spread_m : numpy.ndarray, shape (n,)
        Their bandwidths.
    nodes : numpy.ndarray, shape (q, 3)
        Places on the outline by rising y, and the rise that each stands for.
    mass : numpy.ndarray, shape (n,)
        Filled.
    """
    for i in range(start, stop):
        scale = 1 / (math.sqrt(2.0) * spread_m[i])
        total = 0.0
        q, end = 0, nodes.shape[0]
        while q < end:
            middle = (q + end) // 2
            if nodes[middle, 1] < xy[i, 1] - FAR * spread_m[i]:
                q = middle + 1
            else:
                end = middle
        while q < nodes.shape[0] and nodes[q, 1] <= xy[i, 1] + FAR * spread_m[i]:
            across, up = (nodes[q, 0] - xy[i, 0]) * scale, (nodes[q, 1] - xy[i, 1]) * scale
            total += nodes[q, 2] * math.exp(-up * up) * math.erf(across)
            q += 1
        mass[i] = total * scale / (2 * math.sqrt(math.pi))


@compiled
def gaussian_sums(
    start: int,
    stop: int,
    xy: Floats,
    own: Ints,
    rows: Rows,
    spread_m: float,
    reach_m: float,
    total: Floats,
) -> None:
    """
    Sum a Gaussian, 1 at its centre, of the distances from places to points.

    Parameters
    ----------
    start, stop : int
        The places to fill.
    xy : numpy.ndarray, shape (n, 2)
        Places.
    own : numpy.ndarray of int, shape (n,)
        The point that is the place itself and does not count, as it was given; -1 for none.
    rows : Rows
        The points.
    spread_m : float
        Standard deviation.
    reach_m : float
        Farther points are left out.
    total : numpy.ndarray, shape (n,)
        Filled.
    """
    last = len(rows.first) - 2
    scale = 1 / (2 * spread_m * spread_m)
    for i in range(start, stop):
        x, y = xy[i, 0], xy[i, 1]
        low = min(max(int((y - reach_m - rows.low) / rows.height), 0), last)
        high = min(max(int((y + reach_m - rows.low) / rows.height), 0), last)
        value = 0.0
        for row in range(low, high + 1):
            left, right = rows.first[row], rows.first[row + 1]
            end = right
            while left < right:
                middle = (left + right) // 2
                if rows.x[middle] < x - reach_m:
                    left = middle + 1
                else:
                    right = middle
            for j in range(left, end):
                across = rows.x[j] - x
                if across > reach_m:
                    break
                above = rows.y[j] - y
                if rows.order[j] != own[i]:
                    value += rows.weight[j] * math.exp(-(across * across + above * above) * scale)
        total[i] = value


@compiled
def multiply(  # noqa: C901 - a compiled loop
    start: int, stop: int, left: Floats, right: Floats, product: Floats
) -> None:
    """
    Add the product of two matrices, in an order that no number of threads changes.

    Parameters
    ----------
    start, stop : int
        The rows to fill.
    left, right : numpy.ndarray, shape (m, k) and (k, n)
        The matrices.
    product : numpy.ndarray, shape (m, n)
        Added to.
    """
    inner, columns = right.shape
    whole = inner - inner % 4
    # two rows and four terms at once: numbers are fetched and stored less often than multiplied
    for i in range(start, stop - 1, 2):
        for p in range(0, whole, 4):
            a, b, c, d = left[i, p], left[i, p + 1], left[i, p + 2], left[i, p + 3]
            e, f, g, h = left[i + 1, p], left[i + 1, p + 1], left[i + 1, p + 2], left[i + 1, p + 3]
            for j in range(columns):
                q, r, s, t = right[p, j], right[p + 1, j], right[p + 2, j], right[p + 3, j]
                product[i, j] += a * q + b * r + c * s + d * t
                product[i + 1, j] += e * q + f * r + g * s + h * t
        for p in range(whole, inner):
            for j in range(columns):
                product[i, j] += left[i, p] * right[p, j]
                product[i + 1, j] += left[i + 1, p] * right[p, j]
    if (stop - start) % 2:
        i = stop - 1
        for p in range(0, whole, 4):
            a, b, c, d = left[i, p], left[i, p + 1], left[i, p + 2], left[i, p + 3]
            for j in range(columns):
                q, r, s, t = right[p, j], right[p + 1, j], right[p + 2, j], right[p + 3, j]
                product[i, j] += a * q + b * r + c * s + d * t
        for p in range(whole, inner):
            for j in range(columns):
                product[i, j] += left[i, p] * right[p, j]
