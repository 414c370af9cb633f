"""The same error of places in a pattern and in the patterns that it is compared with.

A simulated point is the truth. It is first recorded as the sites are, with the radius of one of
them or as its unit, and then both it and the sites are drawn anew from what was recorded. Curves
that are means over such draws differ by chance alone if the sites do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import shapely

from geo._confines import in_triangles, make_ready, stands_for
from geo._evaluation import many_curves
from geo._inputs import whole_number
from geo._patterns import surfaces_of
from geo._realisations import measured_rows, places_of
from geo._sampling import triangles_of
from geo.errors import GeometryError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._evaluation import Evaluator
    from geo._patterns import Pattern
    from geo.nullmodels import NullModel

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Shapes = NDArray[np.object_]
    Areas: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["Redrawer", "redrawer_of"]

_ROUNDS = 1000  # after which a place whose circle hardly meets its shape stays where it is
_SIDE_DEG = 0.05  # sides no longer than this bend by less than a metre when they are projected


@dataclass(frozen=True, eq=False)
class Redrawer:
    """
    How the places of a pattern were recorded, and are drawn anew.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        The sites in the plane, in an order that does not depend on that of the rows.
    radius : numpy.ndarray, shape (n,)
        Of each, in metres.
    whole : numpy.ndarray of bool, shape (n,)
        Whether it stands for a whole unit.
    shapes : numpy.ndarray of shapely geometries
        The units within the window, prepared; or the window.
    corners, cumulative : numpy.ndarray
        The same as triangles, each shape having the same share.
    n_draws : int
        Draws of each pattern.
    """

    xy: Floats
    radius: Floats
    whole: NDArray[np.bool_]
    shapes: Shapes
    corners: Floats
    cumulative: Floats
    n_draws: int

    def curve_of_sites(self, evaluator: Evaluator, rng: np.random.Generator) -> Floats:
        """
        Evaluate a function of the sites.

        Parameters
        ----------
        evaluator : Evaluator
            The function.
        rng : numpy.random.Generator
            The stream to draw from.

        Returns
        -------
        numpy.ndarray, shape (m,)
            Its mean over draws of the true places.
        """
        rows = np.arange(len(self.xy))
        return self._mean_curve(evaluator, self.xy, rows, _units_of(self.xy, self.shapes), rng)

    def curve_of_truth(self, evaluator: Evaluator, xy: Floats, rng: np.random.Generator) -> Floats:
        """
        Evaluate a function of a simulated pattern.

        Parameters
        ----------
        evaluator : Evaluator
            The function.
        xy : numpy.ndarray, shape (k, 2)
            True places.
        rng : numpy.random.Generator
            The stream to draw from.

        Returns
        -------
        numpy.ndarray, shape (m,)
            Its mean over draws from what would have been recorded of these places.
        """
        n = len(self.xy)
        rows = np.arange(n) if len(xy) == n else rng.integers(0, n, len(xy))
        unit = _units_of(xy, self.shapes)
        recorded = self._in_circles(xy, rows, unit, 1, rng)[0]
        return self._mean_curve(evaluator, recorded, rows, unit, rng)

    def _mean_curve(
        self, evaluator: Evaluator, xy: Floats, rows: Ints, unit: Ints, rng: np.random.Generator
    ) -> Floats:
        """Return the mean of a function over draws from recorded places."""
        drawn = self._in_circles(xy, rows, unit, self.n_draws, rng)
        whole = np.flatnonzero(self.whole[rows])
        if len(whole):
            u, v, w = rng.random((3, self.n_draws * len(whole)))
            pick = (np.tile(unit[whole], self.n_draws) + u) / len(self.shapes)
            place = in_triangles(self.corners, self.cumulative, pick, v, w)
            drawn[:, whole] = place.reshape(self.n_draws, len(whole), 2)
        return np.asarray(many_curves(evaluator, [(each, None) for each in drawn]).mean(axis=0))

    def _in_circles(
        self, xy: Floats, rows: Ints, unit: Ints, n_draws: int, rng: np.random.Generator
    ) -> Floats:
        """Draw places in the circles of those that have one, and within their shapes."""
        drawn = np.repeat(xy[None], n_draws, axis=0)
        radius = np.where(self.whole[rows], 0.0, self.radius[rows])
        draw, point = np.nonzero(np.repeat(radius[None] > 0, n_draws, axis=0))
        for _ in range(_ROUNDS):
            if not len(draw):
                break
            u, turn = rng.random((2, len(draw)))
            far, angle = radius[point] * np.sqrt(u), 2 * np.pi * turn
            place = xy[point] + np.column_stack([far * np.cos(angle), far * np.sin(angle)])
            out = ~shapely.intersects_xy(self.shapes[unit[point]], *place.T)
            drawn[draw[~out], point[~out]] = place[~out]
            draw, point = draw[out], point[out]
        return drawn


def redrawer_of(
    sites: gpd.GeoDataFrame,
    pattern: Pattern,
    others: Pattern | None,
    model: NullModel,
    within: Areas | None,
    n_draws: int,
) -> Redrawer:
    """
    Say how the places of sites were recorded.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        With ``uncertainty_m``.
    pattern : Pattern
        The sites in the plane.
    others : Pattern or None
        Points of another kind, with which there is no redrawing.
    model : NullModel
        What is simulated.
    within : geopandas.GeoDataFrame, geopandas.GeoSeries, shapely geometry or None
        Units that places are assigned to.
    n_draws : int
        Draws of each pattern.

    Returns
    -------
    Redrawer
        Of the sites.

    Raises
    ------
    GeometryError
        If a circle does not meet any unit.
    SchemaError
        If a located site has no radius; see ``.problems``.
    ValueError
        If several sites are one place, or the model draws no places of its own.
    """
    if others is not None:
        message = "n_draws is for one kind of points. Test two kinds as reported, with n_draws=0."
        raise ValueError(message)
    if model.given is not None:
        message = (
            f"The null model ({model.name}) rearranges reported places, of which no other truth "
            "can be drawn. With n_draws take csr(), inhomogeneous_poisson() or a cluster process."
        )
        raise ValueError(message)
    places = places_of(sites)
    if places.n < pattern.n:
        message = (
            f"{pattern.n} located sites are {places.n} places by their place_id. A pattern has "
            "each place once: keep one report of each."
        )
        raise ValueError(message)
    radius = sites["uncertainty_m"].to_numpy(np.float64)[pattern.rows]
    measured = measured_rows(sites)[pattern.rows]
    order = np.lexsort((measured, radius, pattern.xy[:, 1], pattern.xy[:, 0]))
    xy, radius, measured = pattern.xy[order], radius[order], measured[order]
    shapes = np.array([pattern.window], dtype=object)
    whole = np.zeros(len(xy), dtype=bool)
    if within is not None:
        shapes = _units_in(within, pattern)
        whole = stands_for(radius, measured, shapely.area(shapes)[_units_of(xy, shapes)])
    corners, cumulative = triangles_of(shapes, np.ones(len(shapes)))
    make_ready(shapes)
    _require_met(xy, np.where(whole, np.inf, radius), shapes)
    draws = whole_number(n_draws, "n_draws")
    return Redrawer(xy, radius, whole, shapes, corners, cumulative, draws)


def _require_met(xy: Floats, radius: Floats, shapes: Shapes) -> None:
    """Refuse sites whose circle does not meet their unit."""
    gap = shapely.distance(shapely.points(xy), shapes[_units_of(xy, shapes)])
    apart = int((gap > radius).sum())
    if apart:
        message = (
            f"The circles of {apart} of {len(xy)} sites do not meet any of the areas of within. "
            "Give areas that cover the window, or larger radii."
        )
        raise GeometryError(message)


def _units_in(within: Areas, pattern: Pattern) -> Shapes:
    """Return the units in the plane of a pattern, as far as they lie in its window."""
    units = gpd.GeoSeries(surfaces_of(within))
    if units.crs.is_geographic:
        units = units.segmentize(_SIDE_DEG)
    shapes = shapely.intersection(units.to_crs(pattern.crs).to_numpy(), pattern.window)
    kept: Shapes = shapes[shapely.area(shapes) > 0]
    if not len(kept):
        message = "None of the areas of within lies in the window. Give those that cover it."
        raise ValueError(message)
    return kept


def _units_of(xy: Floats, shapes: Shapes) -> Ints:
    """Return the first shape that holds each point, or else the nearest."""
    if len(shapes) == 1:
        return np.zeros(len(xy), dtype=np.int64)
    points = shapely.points(xy)
    tree = shapely.STRtree(shapes)
    unit = np.full(len(xy), len(shapes))
    np.minimum.at(unit, *tree.query(points, predicate="intersects"))
    outside = np.flatnonzero(unit == len(shapes))
    unit[outside] = tree.nearest(points[outside])
    return unit
