"""Exact distance from points to points, lines and polygons in any mixture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo._edges import Edges, distance_to_edges, index_edges
from geo._inputs import POINT, parts_of
from geo.geodesy import Points, chord_beyond, longest_length, nearest_points, place_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = ["Shape", "measure", "nearest_shapes", "prepare"]


@dataclass(frozen=True, eq=False)
class Shape:
    """
    Geometries ready to be measured to, with a ball in space that holds their outline.

    Parameters
    ----------
    places : Points
        Those that are points.
    edges : Edges
        Of the lines and of the rings of polygons.
    polygons : numpy.ndarray of shapely geometries
        Those with an inside.
    centre : numpy.ndarray, shape (3,)
        Of the ball, in metres from the earth's centre.
    radius_m : float
        Of the ball.
    """

    places: Points
    edges: Edges
    polygons: NDArray[np.object_]
    centre: Floats
    radius_m: float


def prepare(shapes: NDArray[np.object_]) -> Shape:
    """
    Index the points, lines and rings of some geometries.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries
        In degrees, none missing or empty; together they are one feature.

    Returns
    -------
    Shape
        To be measured to.
    """
    parts = parts_of(shapes)
    dimension = shapely.get_dimensions(parts)
    polygons = parts[dimension == 2]  # noqa: PLR2004 - surfaces
    places = place_points(*shapely.get_coordinates(parts[dimension == 0]).T)
    lines = np.concatenate([parts[dimension == 1], shapely.get_rings(polygons)])
    vertices, line = shapely.get_coordinates(lines, return_index=True)
    joined = line[1:] == line[:-1]
    edges = index_edges(*vertices[:-1][joined].T, *vertices[1:][joined].T)
    outline = np.concatenate([places.xyz, edges.tree.data])
    centre = (outline.min(axis=0) + outline.max(axis=0)) / 2
    radius = np.linalg.norm(outline - centre, axis=1).max() + edges.half_m
    return Shape(places, edges, polygons, centre, float(radius))


def measure(points: Points, shape: Shape) -> Floats:
    """
    Measure the geodesic distance from points to a shape.

    Parameters
    ----------
    points : Points
        From where.
    shape : Shape
        To where.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Metres; 0 inside a polygon.
    """
    length = distance_to_edges(points, shape.edges)
    if len(shape.places.lon):
        length = np.minimum(length, nearest_points(points, shape.places)[1][:, 0])
    return np.where(_inside(points, shape.polygons), 0.0, length)


def nearest_shapes(
    points: Points, shapes: NDArray[np.object_], k: int, limit_m: float
) -> tuple[Ints, Floats]:
    """
    Find the k nearest of some geometries, each of them a target of its own.

    Parameters
    ----------
    points : Points
        From where.
    shapes : numpy.ndarray of shapely geometries
        In degrees; None where there is no target.
    k : int
        How many.
    limit_m : float
        Targets farther than this do not count.

    Returns
    -------
    position : numpy.ndarray of int, shape (n, k)
        Positions in `shapes` by rising distance, -1 where there is none.
    length_m : numpy.ndarray of float, shape (n, k)
        Geodesic distances, 0 inside a polygon, NaN where there is none.
    """
    present = np.flatnonzero([shape is not None for shape in shapes])
    if all(shapely.get_type_id(shapes[present]) == POINT):
        targets = place_points(shapely.get_x(shapes[present]), shapely.get_y(shapes[present]))
        position, length = nearest_points(points, targets, k=k, max_distance_m=limit_m)
        return np.where(position >= 0, np.append(present, -1)[position], -1), length
    prepared = [(int(row), prepare(shapes[[row]])) for row in present]
    return _nearest_of(points, prepared, k, limit_m)


def _nearest_of(
    points: Points, targets: list[tuple[int, Shape]], k: int, limit: float
) -> tuple[Ints, Floats]:
    """Return the k nearest of any shapes, measuring only those that may be among them."""
    n = len(points.lon)
    # no k-th nearest is farther than the k-th of the farthest that each target can be
    most = np.full((n, k), np.inf)
    for _, shape in targets:
        bound = longest_length(_gap(points, shape) + shape.radius_m)
        most = np.partition(np.column_stack([most, bound]), k - 1, axis=1)[:, :k]
    reach = np.minimum(most.max(axis=1), limit)
    position, length = np.full((n, k), -1, dtype=np.intp), np.full((n, k), np.inf)
    for target, shape in targets:
        near = _gap(points, shape) - shape.radius_m <= chord_beyond(reach)
        rows = np.flatnonzero(near | _inside(points, shape.polygons))
        part = measure(Points(points.lon[rows], points.lat[rows], points.xyz[rows]), shape)
        lengths = np.column_stack([length[rows], part])
        positions = np.column_stack([position[rows], np.full(len(rows), target)])
        # stable: of equal lengths, the target that stands first stays first
        order = np.argsort(np.round(lengths, 7), axis=1, kind="stable")[:, :k]
        position[rows] = np.take_along_axis(positions, order, axis=1)
        length[rows] = np.take_along_axis(lengths, order, axis=1)
        reach[rows] = np.minimum(reach[rows], length[rows].max(axis=1))
    far = (length > limit) | np.isinf(length)
    position[far], length[far] = -1, np.nan
    return position, length


def _gap(points: Points, shape: Shape) -> Floats:
    """Return the chord from points to the centre of a shape."""
    return np.asarray(np.linalg.norm(points.xyz - shape.centre, axis=1))


def _inside(points: Points, polygons: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which points are inside or on any polygon."""
    inside = np.zeros(len(points.lon), dtype=bool)
    shapely.prepare(polygons)
    for polygon in polygons:
        west, south, east, north = polygon.bounds
        level = (points.lat >= south) & (points.lat <= north)
        # three turns: longitudes may be written beyond 180 degrees on either side
        for lon in (points.lon - 360, points.lon, points.lon + 360):
            near = np.flatnonzero(level & (lon >= west) & (lon <= east))
            inside[near] |= shapely.intersects_xy(polygon, lon[near], points.lat[near])
    return inside
