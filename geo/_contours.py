"""Areas above a level of a surface known at the centres of cells: marching squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo._antimeridian import cut_polygon, jumps

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

__all__ = ["in_degrees", "regions_above", "surfaces_in"]

_COLLECTION = 7  # shapely's type number


def regions_above(
    values: Floats, level: float, x: Floats, y: Floats, window: BaseGeometry
) -> BaseGeometry:
    """
    Return where a surface is at a level or above it.

    Parameters
    ----------
    values : numpy.ndarray, shape (rows, columns)
        At the centres of cells, NaN outside the window.
    level : float
        The level.
    x, y : numpy.ndarray, shape (columns,) and (rows,)
        The centres, rising by even steps.
    window : shapely.Polygon or shapely.MultiPolygon
        That the cells cover.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        Within the window; empty if the surface is nowhere so high.

    Notes
    -----
    Linear along the sides of the squares between four centres. Where two opposite corners are above
    and two below, those above are joined.
    """
    # the outermost cells continue outwards, so that every place of the window has four corners
    height = np.pad(_filled(values), 1, mode="edge")
    step = window.length if len(x) * len(y) == 1 else float(max(np.ptp(x), np.ptp(y)))
    step /= max(len(x) - 1, len(y) - 1, 1)
    x, y = (np.concatenate([[at[0] - step], at, [at[-1] + step]]) for at in (x, y))
    high = height >= level
    corners = np.stack([high[:-1, :-1], high[:-1, 1:], high[1:, 1:], high[1:, :-1]])
    whole, some = np.asarray(corners.all(axis=0)), np.asarray(corners.any(axis=0))
    if not some.any():
        return shapely.Polygon()
    pieces = [_rows(whole, x, y), _parts(height - level, some & ~whole, x, y)]
    return shapely.intersection(shapely.union_all(np.concatenate(pieces)), window)


def in_degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Put polygons of a plane into longitude and latitude.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Valid polygons.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, valid: rounding may cross what only touched. In parts on both sides where they
        cross the antimeridian.
    """
    oriented = shapely.orient_polygons(surfaces_in(frame.geometry.to_numpy()))
    frame = frame.set_geometry(oriented, crs=frame.crs).to_crs(4326)
    shapes = frame.geometry.to_numpy().copy()
    for row in np.flatnonzero(jumps(shapes)):
        parts = [piece for part in shapely.get_parts(shapes[row]) for piece in cut_polygon(part)]
        shapes[row] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return frame.set_geometry(
        shapely.make_valid(shapes, method="structure", keep_collapsed=False), crs=4326
    )


def surfaces_in(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """
    Leave out the lines and points along which areas that were cut only touched.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries, shape (n,)
        What an intersection returned.

    Returns
    -------
    numpy.ndarray of shapely.Polygon or shapely.MultiPolygon, shape (n,)
        Lines and points by themselves have no area and stay.
    """
    found = shapes.copy()
    for row in np.flatnonzero(shapely.get_type_id(shapes) == _COLLECTION):
        flat = [part for part in shapely.get_parts(shapes[row]) if part.geom_type == "Polygon"]
        found[row] = flat[0] if len(flat) == 1 else shapely.MultiPolygon(flat)
    return found


def _filled(values: Floats) -> Floats:
    """Give cells outside the window the value of the nearest inside."""
    outside = np.isnan(values)
    if not outside.any():
        return values
    # only windows that are no rectangle need scipy here
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415

    nearest = distance_transform_edt(outside, return_distances=False, return_indices=True)
    return np.asarray(values[tuple(nearest)])


def _rows(whole: NDArray[np.bool_], x: Floats, y: Floats) -> NDArray[np.object_]:
    """Return the squares that are above, those beside each other as one box."""
    padded = np.pad(whole, ((0, 0), (1, 1))).astype(np.int8)
    change = padded[:, 1:] - padded[:, :-1]
    row, first = np.nonzero(change == 1)
    _, last = np.nonzero(change == -1)
    return np.asarray(shapely.box(x[first], y[row], x[last], y[row + 1]))


def _parts(height: Floats, mixed: NDArray[np.bool_], x: Floats, y: Floats) -> NDArray[np.object_]:
    """Return the parts above 0 of squares that are above at some corners only."""
    row, column = np.nonzero(mixed)
    r, c = row + np.array([0, 0, 1, 1])[:, None], column + np.array([0, 1, 1, 0])[:, None]
    z, at = height[r, c], np.stack([x[c], y[r]], axis=-1)
    other, there = np.roll(z, -1, axis=0), np.roll(at, -1, axis=0)
    above, crossed = z >= 0, (z >= 0) != (other >= 0)
    # the same two corners give the same place from both squares that share them
    swap = np.asarray((there < at).any(axis=-1))
    z, other = np.where(swap, other, z), np.where(swap, z, other)
    start, end = np.where(swap[..., None], there, at), np.where(swap[..., None], at, there)
    share = np.divide(z, z - other, out=np.zeros_like(z), where=crossed)
    crossing = start + share[..., None] * (end - start)
    # around each square: a corner, what lies between it and the next, the next ...
    ring = np.stack([at, crossing], axis=1).reshape(8, -1, 2).swapaxes(0, 1)
    kept = np.stack([above, crossed], axis=1).reshape(8, -1).T
    square = np.nonzero(kept)[0]
    return np.asarray(shapely.polygons(shapely.linearrings(ring[kept], indices=square)))
