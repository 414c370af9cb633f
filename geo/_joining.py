"""Areas that touch made one: without the slivers that rounding leaves between neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo._inputs import parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["joined"]

_GAP_M = 1.0  # neighbours no farther apart than this are meant to touch
_METRES_PER_DEGREE = 111_195.0
_MITRE = {"join_style": "mitre", "mitre_limit": 5.0}
_SURFACE = 2  # dimensions


def joined(areas: NDArray[np.object_], metres_per_unit: float | None) -> BaseGeometry:
    """
    Unite areas, and close what is open between them by less than a metre.

    Parameters
    ----------
    areas : numpy.ndarray of shapely geometries
        Valid polygons, none missing; what has no area is left aside.
    metres_per_unit : float or None
        The length of a unit of the plane in metres; None for degrees.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Their union, whose outline is exactly theirs if nothing had to be closed, and else within
        a centimetre. A hole that an area has by itself stays, however narrow.
    """
    parts = parts_of(areas)
    parts = parts[shapely.get_dimensions(parts) == _SURFACE]
    if len(parts) == 1:
        return shapely.force_2d(parts[0])
    united = shapely.force_2d(shapely.union_all(parts))
    across, up = _scales(united, metres_per_unit)
    in_metres = shapely.transform(united, lambda xy: xy * [across, up])
    # widened and narrowed by half a gap, corners kept: only what is narrower is changed
    wide = shapely.buffer(in_metres, _GAP_M / 2, **_MITRE)
    closed = shapely.buffer(wide, -_GAP_M / 2, **_MITRE)
    if not _opened(in_metres, closed):
        return united
    own = shapely.difference(_holes_of(parts), united)
    closed = _without(closed, shapely.transform(own, lambda xy: xy * [across, up]))
    return shapely.transform(closed, lambda xy: xy / [across, up])


def _holes_of(parts: NDArray[np.object_]) -> BaseGeometry:
    """Return the holes that areas have by themselves, which are not between neighbours."""
    rings = [ring for part in parts for ring in part.interiors]
    return shapely.union_all(shapely.polygons(rings)) if rings else shapely.Polygon()


def _without(closed: BaseGeometry, holes: BaseGeometry) -> BaseGeometry:
    """Open again what was closed of some holes: those that are too narrow to be left of them."""
    each = shapely.get_parts(holes)
    narrow = each[shapely.is_empty(shapely.buffer(each, -_GAP_M / 2, **_MITRE))]
    return closed.difference(shapely.union_all(narrow)) if len(narrow) else closed


def _scales(area: BaseGeometry, metres_per_unit: float | None) -> tuple[float, float]:
    """Return the metres of a unit across and up, in the middle of the area."""
    if metres_per_unit is not None:
        return metres_per_unit, metres_per_unit
    _, south, _, north = shapely.bounds(area)
    # at a pole a degree of longitude has no length to divide by
    across = max(np.cos(np.radians((south + north) / 2)), 1e-3)
    return _METRES_PER_DEGREE * float(across), _METRES_PER_DEGREE


def _opened(united: BaseGeometry, closed: BaseGeometry) -> bool:
    """Tell whether closing an area has changed more than rounding does."""
    rings = [len(shapely.get_rings(shapely.get_parts(area))) for area in (united, closed)]
    # a gap may have no width to speak of, but its two sides are part of the outline
    return rings[0] != rings[1] or shapely.length(united) - shapely.length(closed) > _GAP_M
