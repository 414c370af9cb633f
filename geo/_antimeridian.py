"""Areas in degrees that cross the antimeridian or hold a pole, cut as RFC 7946 asks (3.1.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["cut_outline", "cut_polygon", "jumps"]

_POLE, _HALF_TURN = 90.0, 180.0
_HAIR_DEG = 1e-9  # by which rounding may put a hole outside of its shell


def jumps(polygons: NDArray[np.object_]) -> NDArray[np.bool_]:
    """
    Tell which areas have a side that jumps from one end of the longitudes to the other.

    Parameters
    ----------
    polygons : numpy.ndarray of shapely.Polygon or shapely.MultiPolygon, shape (n,)
        In degrees, none missing, with sides of less than half a turn.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True where an area must be cut.
    """
    found = np.zeros(len(polygons), dtype=bool)
    bounds = shapely.bounds(polygons)
    wide = np.flatnonzero(bounds[:, 2] - bounds[:, 0] > _HALF_TURN)
    for row in wide:
        vertices, ring = shapely.get_coordinates(
            shapely.get_rings(shapely.get_parts(polygons[row])), return_index=True
        )
        step = np.abs(np.diff(vertices[:, 0]))[ring[1:] == ring[:-1]]
        found[row] = bool((step > _HALF_TURN).any())
    return found


def cut_polygon(polygon: shapely.Polygon) -> list[shapely.Polygon]:
    """
    Cut an area whose longitudes jump at the antimeridian.

    Parameters
    ----------
    polygon : shapely.Polygon
        In degrees, its shell counterclockwise as seen from above, with sides of less than half a
        turn.

    Returns
    -------
    list of shapely.Polygon
        Its parts on both sides; the area itself if it does not cross.
    """
    shell = _unwrapped(polygon.exterior)
    if abs(shell[-1, 0] - shell[0, 0]) > _HALF_TURN:
        # the ring closes only around a pole
        whole = cut_outline(shell[:-1])
        holes = [piece for ring in polygon.interiors for piece in _sides(_unwrapped(ring), [])]
        return list(shapely.get_parts(whole.difference(shapely.union_all(holes))))
    west = shell[:, 0].min() - _HAIR_DEG
    holes = []
    for ring in polygon.interiors:
        hole = _unwrapped(ring)
        hole[:, 0] -= 360 * np.floor((hole[:, 0].min() - west) / 360)
        holes.append(hole)
    return _sides(shell, holes)


def cut_outline(outline: Floats) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Cut the area within an outline, which may go around a pole.

    Parameters
    ----------
    outline : numpy.ndarray, shape (n, 2)
        Degrees, not closed, with longitudes that do not jump.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        With longitudes from -180 to 180.
    """
    lon, lat = outline.T
    turns = np.round((lon[-1] - lon[0]) / 360)
    if turns:
        # once around the globe: what is inside, north of an outline that runs east, has a pole
        lon = (lon + _HALF_TURN) % 360 - _HALF_TURN
        order = np.argsort(lon)
        lon, lat = lon[order], lat[order]
        edge = np.interp(_HALF_TURN, [lon[-1], lon[0] + 360], [lat[-1], lat[0]])
        ends = [[_HALF_TURN, edge], [_HALF_TURN, turns * _POLE], [-_HALF_TURN, turns * _POLE]]
        return shapely.Polygon(
            [*zip(lon, lat, strict=True), *map(tuple, ends), (-_HALF_TURN, edge)]
        )
    parts = _sides(outline, [])
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _sides(shell: Floats, holes: list[Floats]) -> list[shapely.Polygon]:
    """Return an area whose longitudes do not jump as parts with longitudes from -180 to 180."""
    whole = shapely.Polygon(shell, holes)
    if shell[:, 0].min() >= -_HALF_TURN and shell[:, 0].max() <= _HALF_TURN:
        return [whole]
    parts: list[shapely.Polygon] = []
    for turn in (-360, 0, 360):
        side = whole.intersection(shapely.box(turn - _HALF_TURN, -90, turn + _HALF_TURN, 90))
        pieces = shapely.get_parts(side)
        parts.extend(shapely.transform(pieces[shapely.area(pieces) > 0], lambda xy: xy - [turn, 0]))  # noqa: B023 - called at once
    return parts


def _unwrapped(ring: shapely.LinearRing) -> Floats:
    """Return the vertices of a ring with longitudes that do not jump."""
    vertices: Floats = shapely.get_coordinates(ring)
    vertices[:, 0] = np.unwrap(vertices[:, 0], period=360)
    return vertices
