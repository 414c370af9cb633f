"""Hexagons of one size in a plane, and which of them holds a point."""

from __future__ import annotations

import numpy as np
import shapely

__all__ = ["hexagons_of"]

_ROOT = np.sqrt(3.0)
_MOST_CELLS = 2.0**26  # in a row: two numbers below it make one that a float holds
_TURNS = np.radians(np.arange(30, 360, 60))


def hexagons_of(xy: np.ndarray, width_m: float) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the hexagons that hold some points, and the hexagon of each point.

    Parameters
    ----------
    xy : numpy.ndarray of float, shape (n, 2)
        Points in metres.
    width_m : float
        Distance between opposite sides, which is that between neighbouring centres.

    Returns
    -------
    hexagons : numpy.ndarray of shapely.Polygon
        Those with a point, from the south, row by row; one of all is centred on (0, 0).
    place : numpy.ndarray of int, shape (n,)
        Position of each point's hexagon.

    Notes
    -----
    The nearest centre in the three axes of the grid: of the rounded coordinates, which sum to
    zero, the one that moved most is set by the other two.
    """
    row = xy[:, 1] * 2 / (_ROOT * width_m)
    column = xy[:, 0] / width_m - row / 2
    axes = np.stack([column, row, -column - row])
    whole = np.rint(axes)
    moved = np.abs(whole - axes)
    most = moved.argmax(axis=0)
    each = np.arange(len(xy))
    whole[most, each] = -(whole.sum(axis=0) - whole[most, each])
    # one number for each hexagon, rising by rows
    _, first, place = np.unique(
        whole[1] * _MOST_CELLS + whole[0], return_index=True, return_inverse=True
    )
    column, row = whole[:2, first]
    x = width_m * (column + row / 2)
    y = width_m * _ROOT / 2 * row
    side = width_m / _ROOT
    corners = np.stack(
        [x[:, None] + side * np.cos(_TURNS), y[:, None] + side * np.sin(_TURNS)], axis=-1
    )
    return np.asarray(shapely.polygons(corners)), place
