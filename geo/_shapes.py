"""Exact distance from points to points, lines and polygons in any mixture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo._edges import Foot, nearest_on_edges
from geo._geodesics import densified
from geo._index import pair_lengths
from geo._inputs import POINT, parts_of, point_numbers, problems_of
from geo._pieces import Edges, index_edges
from geo._search import candidate_pairs, nearest_points
from geo.errors import GeometryError
from geo.geodesy import Points, chord_beyond, longest_length, place_points

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

__all__ = [
    "Shape",
    "bounds_to_points",
    "feet_on",
    "inside",
    "measure",
    "nearest_shapes",
    "prepare",
    "require_surfaces",
    "signed_distance",
    "unsigned_distance",
]

_HALF_TURN = 180
_SURFACES = (3, 6)  # shapely's type numbers of a polygon and of several


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


def prepare(shapes: NDArray[np.object_], *, geodesic: bool = False) -> Shape:
    """
    Index the points, lines and rings of some geometries.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries
        In degrees, none missing or empty; together they are one feature.
    geodesic : bool, default False
        Whether edges are geodesics; else they are straight in longitude and latitude.

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
    ends = (*vertices[:-1][joined].T, *vertices[1:][joined].T)
    edges = index_edges(*ends, geodesic=geodesic)
    if geodesic:
        polygons = densified(polygons)
    outline = np.concatenate([places.xyz, edges.start])
    centre = (outline.min(axis=0) + outline.max(axis=0)) / 2
    radius = np.linalg.norm(outline - centre, axis=1).max() + 2 * edges.half_m
    return Shape(places, edges, polygons, centre, float(radius))


def measure(points: Points, shape: Shape) -> Foot:
    """
    Find the nearest place of a shape for each point.

    Parameters
    ----------
    points : Points
        From where.
    shape : Shape
        To where.

    Returns
    -------
    Foot
        Its distance and where it is; inside a polygon, 0 and the point itself.
    """
    foot = nearest_on_edges(points, shape.edges)
    if len(shape.places.lon):
        position, length = (part[:, 0] for part in nearest_points(points, shape.places))
        near = np.flatnonzero(length < foot.length_m)
        foot.length_m[near] = length[near]
        foot.lon[near] = shape.places.lon[position[near]]
        foot.lat[near] = shape.places.lat[position[near]]
    within = inside(points, shape.polygons)
    foot.length_m[within] = 0.0
    foot.lon[within], foot.lat[within] = points.lon[within], points.lat[within]
    return foot


def unsigned_distance(points: Points, shapes: NDArray[np.object_], *, geodesic: bool) -> Floats:
    """
    Measure the distance from points to geometries that are one feature, 0 inside.

    Parameters
    ----------
    points : Points
        From where.
    shapes : numpy.ndarray of shapely geometries
        In degrees, none missing or empty.
    geodesic : bool
        Whether edges are geodesics; else they are straight in longitude and latitude.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Metres.
    """
    return measure(points, prepare(shapes, geodesic=geodesic)).length_m


def bounds_to_points(
    points: Points, places: Points, radius: Floats
) -> tuple[Floats, Floats, Floats]:
    """
    Measure the distance to the nearest of some places, and what their radii leave open.

    Parameters
    ----------
    points : Points
        From where.
    places : Points
        To where, at least one.
    radius : numpy.ndarray, shape (m,)
        Each place may be anywhere within its radius, in metres; NaN where that is unknown.

    Returns
    -------
    length_m, low_m, high_m : numpy.ndarray of float, shape (n,)
        The least distance, the least of distance less radius, and of distance plus radius; NaN in
        the last two if any radius is.
    """
    length = nearest_points(points, places)[1][:, 0]
    low, high = np.full((2, len(length)), np.inf)
    if np.isnan(radius).any():
        return length, low * np.nan, high * np.nan
    # no place farther than this can have the least difference or the least sum
    reach = length + (radius.max() - radius.min())
    for i, j in candidate_pairs(points, places, reach):
        found = pair_lengths(points, i, places, j)
        np.minimum.at(low, i, found - radius[j])
        np.minimum.at(high, i, found + radius[j])
    return length, low, high


def signed_distance(points: Points, shapes: NDArray[np.object_], *, geodesic: bool) -> Floats:
    """
    Measure the distance from points to the outline of polygons, negative inside.

    Parameters
    ----------
    points : Points
        From where.
    shapes : numpy.ndarray of shapely geometries
        Polygons in degrees, none missing or empty; inner borders of several do not count.
    geodesic : bool
        Whether edges are geodesics; else they are straight in longitude and latitude.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Metres.
    """
    parts = parts_of(shapes)
    if geodesic and len(parts) > 1:
        parts, geodesic = densified(parts), False
    filled = densified(parts) if geodesic else parts
    if geodesic:
        # one polygon keeps its own vertices, between which edges run as they are meant to
        outline = shapely.get_rings(parts)
    else:
        outline, filled = _outline(parts)
    length = (
        measure(points, prepare(outline, geodesic=geodesic)).length_m if len(outline) else np.inf
    )
    return np.where(inside(points, filled), -length, length)


def _outline(parts: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """
    Return the outline of polygons, and these merged.

    Neither the borders between them are part of it, nor edges along the antimeridian with
    polygons on both sides, nor those at a pole, which are points.
    """
    within = np.concatenate([_turned(parts, turn) for turn in (-1, 0, 1)])
    merged = parts_of(np.array([shapely.union_all(within)]))
    outline = shapely.union_all(shapely.get_rings(merged))
    cut = [shapely.LineString([(x, -90), (x, 90)]) for x in (-_HALF_TURN, _HALF_TURN)]
    west, east = (shapely.intersection(outline, meridian) for meridian in cut)
    both = shapely.intersection(shapely.transform(west, _one_turn_on), east)
    poles = [shapely.LineString([(-_HALF_TURN, y), (_HALF_TURN, y)]) for y in (-90, 90)]
    seams = [both, shapely.transform(both, _one_turn_back), *poles]
    rest = shapely.difference(outline, shapely.union_all(seams))
    return parts_of(np.array([rest])), merged


def _turned(parts: NDArray[np.object_], turn: int) -> NDArray[np.object_]:
    """Return what of polygons lies within a turn of longitude, written within 180 degrees."""
    west = (2 * turn - 1) * _HALF_TURN
    bounds = shapely.bounds(parts)
    crossing = parts[(bounds[:, 0] < west + 2 * _HALF_TURN) & (bounds[:, 2] > west)]
    cut = shapely.intersection(crossing, shapely.box(west, -90, west + 2 * _HALF_TURN, 90))
    moved = shapely.transform(cut, lambda xy: xy - np.array([2 * turn * _HALF_TURN, 0]))
    return np.asarray(moved[shapely.area(moved) > 0])


def _one_turn_on(vertices: Floats) -> Floats:
    """Return vertices with longitudes a full turn greater."""
    return np.asarray(vertices + [2 * _HALF_TURN, 0])  # noqa: RUF005 - a sum, not a longer list


def _one_turn_back(vertices: Floats) -> Floats:
    """Return vertices with longitudes a full turn less."""
    return np.asarray(vertices - [2 * _HALF_TURN, 0])


def require_surfaces(
    feature: gpd.GeoDataFrame | gpd.GeoSeries, shapes: NDArray[np.object_]
) -> None:
    """
    Refuse to sign distances to what has no inside.

    Parameters
    ----------
    feature : geopandas.GeoDataFrame or geopandas.GeoSeries
        As it was given.
    shapes : numpy.ndarray of shapely geometries
        The same in degrees, None where missing or empty.

    Raises
    ------
    GeometryError
        If a geometry is neither a polygon nor several; see ``.problems``.
    """
    flat = (shapely.get_type_id(shapes) >= 0) & ~np.isin(shapely.get_type_id(shapes), _SURFACES)
    if flat.any():
        message = (
            f"{flat.sum()} of {len(shapes)} parts of the feature are no polygons, so that nothing "
            "is inside. Signed distances need polygons; polygonize() makes them of closed lines."
        )
        raise GeometryError(message, problems_of(feature.geometry, flat, "no polygon"))


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
    kind = shapely.get_type_id(shapes)
    present = np.flatnonzero(kind >= 0)
    if (kind[present] == POINT).all():
        whole = len(present) == len(shapes)
        targets = place_points(*point_numbers(shapes if whole else shapes[present]))
        position, length = nearest_points(points, targets, k=k, max_distance_m=limit_m)
        if whole:
            return position, length
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
        rows = np.flatnonzero(near | inside(points, shape.polygons))
        lengths = np.column_stack([length[rows], measure(points.at(rows), shape).length_m])
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


def feet_on(points: Points, shapes: NDArray[np.object_], position: Ints) -> tuple[Floats, Floats]:
    """
    Tell where on its target each point is nearest to it.

    Parameters
    ----------
    points : Points
        From where.
    shapes : numpy.ndarray of shapely geometries
        The targets, in degrees.
    position : numpy.ndarray of int, shape (n,)
        The target of each point, -1 for none.

    Returns
    -------
    lon, lat : numpy.ndarray of float, shape (n,)
        Degrees; NaN where there is no target.
    """
    lon, lat = np.full(len(position), np.nan), np.full(len(position), np.nan)
    kind = shapely.get_type_id(shapes[position])
    plain = np.flatnonzero((position >= 0) & (kind == POINT))
    lon[plain], lat[plain] = shapely.get_coordinates(shapes[position[plain]]).T
    others = (position >= 0) & (kind != POINT)
    for target in np.unique(position[others]):
        rows = np.flatnonzero(position == target)
        foot = measure(points.at(rows), prepare(shapes[[target]]))
        lon[rows], lat[rows] = foot.lon, foot.lat
    return lon, lat


def inside(points: Points, polygons: NDArray[np.object_]) -> NDArray[np.bool_]:
    """
    Tell which points are inside or on any polygon.

    Parameters
    ----------
    points : Points
        The points.
    polygons : numpy.ndarray of shapely geometries
        In degrees, their edges straight in longitude and latitude.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        Whether each point is.
    """
    found = np.zeros(len(points.lon), dtype=bool)
    shapely.prepare(polygons)
    for polygon in polygons:
        west, south, east, north = polygon.bounds
        level = (points.lat >= south) & (points.lat <= north)
        # three turns: longitudes may be written beyond 180 degrees on either side
        for lon in (points.lon - 360, points.lon, points.lon + 360):
            near = np.flatnonzero(level & (lon >= west) & (lon <= east))
            found[near] |= shapely.intersects_xy(polygon, lon[near], points.lat[near])
    return found
