"""The window in the plane as the pair sums need it: edges, area, box, erosion, overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._neighbours import Points, Rows

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Outline", "in_rows", "outline_of", "points_of"]

_SIDES = 4  # of a rectangle
_ARC_SEGMENTS = 64  # sides of a quarter circle where an eroded window has round corners


@dataclass(frozen=True, eq=False)
class Outline:
    """
    A window, ready for sums over pairs.

    Parameters
    ----------
    window : shapely.Polygon or shapely.MultiPolygon
        In metres.
    edges : numpy.ndarray, shape (m, 4)
        Ends x1, y1, x2, y2 of every side, the interior on the left.
    area_m2 : float
        Of the window.
    box : tuple of float
        West, south, east, north.
    rectangular : bool
        Whether the window is its own box.
    """

    window: BaseGeometry
    edges: Floats
    area_m2: float
    box: tuple[float, float, float, float]
    rectangular: bool

    @property
    def sides(self) -> tuple[float, float]:
        """Width and height of the box, in metres."""
        west, south, east, north = self.box
        return east - west, north - south

    def eroded_areas(self, distance_m: Floats) -> Floats:
        """
        Measure what is left of the window farther than some distances from its outline.

        Parameters
        ----------
        distance_m : numpy.ndarray
            Distances.

        Returns
        -------
        numpy.ndarray of float
            Square metres.
        """
        if self.rectangular:
            wide, high = (np.maximum(side - 2 * distance_m, 0) for side in self.sides)
            return wide * high
        eroded = shapely.buffer(self.window, -distance_m, quad_segs=_ARC_SEGMENTS)
        return np.asarray(shapely.area(eroded))


def outline_of(window: BaseGeometry) -> Outline:
    """
    Take a window apart.

    Parameters
    ----------
    window : shapely.Polygon or shapely.MultiPolygon
        In metres, valid.

    Returns
    -------
    Outline
        Its edges and measures.
    """
    parts = shapely.orient_polygons(shapely.get_parts(window))
    vertices, ring = shapely.get_coordinates(shapely.get_rings(parts), return_index=True)
    # rings are closed, and a side without length has no direction
    begins = (ring[1:] == ring[:-1]) & np.any(vertices[1:] != vertices[:-1], axis=1)
    vertices, ring = vertices[:-1][begins], ring[:-1][begins]
    before, after = _neighbours(ring)
    (x, y), (u, v) = (vertices - vertices[before]).T, (vertices[after] - vertices).T
    # where two sides are one straight line there is no corner
    corner = x * v != y * u
    vertices, ring = vertices[corner], ring[corner]
    edges = np.ascontiguousarray(np.hstack([vertices, vertices[_neighbours(ring)[1]]]))
    box = tuple(map(float, window.bounds))
    area = float(window.area)
    wide, high = box[2] - box[0], box[3] - box[1]
    return Outline(
        window=window,
        edges=edges,
        area_m2=area,
        box=box,  # type: ignore[arg-type]
        rectangular=len(parts) == 1
        and len(edges) == _SIDES
        and abs(area - wide * high) <= 1e-12 * area,
    )


def _neighbours(ring: Ints) -> tuple[Ints, Ints]:
    """Return the positions of the vertices before and after each one of its closed ring."""
    first = np.searchsorted(ring, ring, side="left")
    past = np.searchsorted(ring, ring, side="right")
    at = np.arange(len(ring))
    before, after = at - 1, at + 1
    return np.where(at == first, past - 1, before), np.where(after == past, first, after)


def in_rows(
    xy: Floats,
    outline: Outline,
    reach_m: float,
    *,
    weight: Floats | None = None,
    last: Ints | None = None,
) -> Rows:
    """
    Put points into rows for `geo._pairs`.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points in the plane.
    outline : Outline
        The window that holds them.
    reach_m : float
        The distance within which neighbours are sought.
    weight : numpy.ndarray, shape (n,), optional
        What each counts for, one without it.
    last : numpy.ndarray of int, shape (n,), optional
        For the border correction, the last distance at which each counts.

    Returns
    -------
    Rows
        For the kernels.
    """
    # numba loads with the first sum
    import geo._neighbours as loops  # noqa: PLC0415

    points = points_of(xy, weight=weight, last=last)
    return loops.in_rows(points, float(reach_m), float(outline.box[1]), float(outline.sides[1]))


def points_of(xy: Floats, *, weight: Floats | None = None, last: Ints | None = None) -> Points:
    """
    Put points into columns for `geo._pairs`.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points in the plane.
    weight : numpy.ndarray, shape (n,), optional
        What each counts for, one without it.
    last : numpy.ndarray of int, shape (n,), optional
        For the border correction, the last distance at which each counts.

    Returns
    -------
    Points
        For the kernels.
    """
    import geo._neighbours as loops  # noqa: PLC0415

    x, y = (np.ascontiguousarray(part, dtype=np.float64) for part in xy.T)
    return loops.Points(
        x,
        y,
        np.empty(0) if weight is None else np.ascontiguousarray(weight),
        np.zeros(len(x), dtype=np.int64) if last is None else np.ascontiguousarray(last),
    )
