"""The window in the plane as the pair sums need it: edges, area, box, erosion, overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._pairs import Rows

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Outline", "in_rows", "outline_of"]

_SIDES = 4  # of a rectangle
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
    joined = ring[1:] == ring[:-1]
    edges = np.ascontiguousarray(np.hstack([vertices[:-1][joined], vertices[1:][joined]]))
    # a side without length has no direction
    edges = edges[np.any(edges[:, :2] != edges[:, 2:], axis=1)]
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


def in_rows(xy: Floats, outline: Outline, reach_m: float) -> Rows:
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

    Returns
    -------
    Rows
        For the kernels.
    """
    # numba loads with the first sum
    import geo._pairs as loops  # noqa: PLC0415

    high = outline.sides[1]
    # no more rows than make sense, and a whole number of them: the last must end at the box
    wanted = int(max(min(np.ceil(2 * high / reach_m) if reach_m > 0 else 1, np.sqrt(len(xy))), 1))
    height = high / wanted * (1 + 1e-12) if high > 0 else 1.0
    row = np.minimum(((xy[:, 1] - outline.box[1]) / height).astype(np.int64), wanted - 1)
    row = np.maximum(row, 0)
    order = np.lexsort((xy[:, 0], row))
    first = np.searchsorted(row[order], np.arange(wanted + 1))
    return loops.Rows(
        x=np.ascontiguousarray(xy[order, 0]),
        y=np.ascontiguousarray(xy[order, 1]),
        order=order,
        first=first,
        low=float(outline.box[1]),
        height=float(height),
    )
