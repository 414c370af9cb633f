"""How far it is from points, and from anywhere, to the nearest point: G, F and J."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import shapely

from geo._corrections import border_distance
from geo._functions import SummaryFunction, distances_of, facts_of
from geo._outlines import in_rows, outline_of
from geo._patterns import planar_pattern
from geo._resolution import counted
from geo._threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._outlines import Outline
    from geo._patterns import Pattern

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
    Correction: TypeAlias = Literal["none", "border", "kaplan-meier", "hanisch"]

__all__ = [
    "corrected_share",
    "empty_space_f",
    "grid_of",
    "j_function",
    "kaplan_meier",
    "nearest_in_each",
    "nearest_neighbor_g",
    "nearest_of",
    "ratio_j",
]

_CORRECTIONS = ("none", "border", "kaplan-meier", "hanisch")
_GRID = 128  # cells along each side of the window's box, whose middles are the places of F


def nearest_neighbor_g(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    other: gpd.GeoDataFrame | None = None,
    distances_m: Sequence[float] | None = None,
    correction: Correction = "kaplan-meier",
) -> SummaryFunction:
    """
    Estimate G: the share of points whose nearest neighbour is within a distance.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least two with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    other : geopandas.GeoDataFrame, optional
        Points of another kind in the same window: the cross G, to the nearest of them.
    distances_m : sequence of float, optional
        Rising, in metres; without it as in `ripley_k`.
    correction : {"none", "border", "kaplan-meier", "hanisch"}, default "kaplan-meier"
        How the edge of the window is allowed for, beyond which a nearer neighbour may be.

    Returns
    -------
    SummaryFunction
        ``G``, from 0 to 1; ``1 - exp(-intensity pi r^2)`` under complete spatial randomness.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, or the window is no polygon.
    ValueError
        If there are too few sites, distances do not rise, or the correction is unknown.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than located reports by a tenth or more.

    Notes
    -----
    With d the distance to the nearest neighbour and b that to the outline, both of a point, border
    takes the points with b >= r; Kaplan-Meier takes d as censored by b, the product over all
    observed distances s <= r of 1 - #(d = s <= b) / #(min(d, b) >= s); Hanisch takes the points
    with d <= b, each by one over the area left when the window is eroded by d [1]_. Where nothing
    is left a point counts for nothing; if no point is left, G is NaN.

    References
    ----------
    .. [1] Baddeley, A., Rubak, E., Turner, R. (2015). Spatial Point Patterns: Methodology and
       Applications with R. CRC Press, chapter 8.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [10.0] * 4},
    ...     geometry=geopandas.points_from_xy([200, 300, 600, 800], [500, 500, 400, 700]),
    ...     crs="EPSG:32648",
    ... )
    >>> g = geo.nearest_neighbor_g(sites, window, distances_m=[0, 100, 350], correction="none")
    >>> g.estimate
    array([0.  , 0.5 , 0.75])
    """
    pattern = planar_pattern(sites, window)
    others = None if other is None else planar_pattern(other, window)
    outline = outline_of(pattern.window)
    _require(pattern.n, 1 if others is None else others.n, correction, others is None)
    seen = pattern if others is None else others
    distances = distances_of(distances_m, seen.n, outline)
    length = nearest_of(pattern.xy, None if others is None else others.xy, outline)
    estimate = corrected_share(
        length, border_distance(pattern.xy, outline), outline, distances, correction
    )
    return _function(
        "G" if others is None else "cross G",
        pattern,
        seen,
        outline,
        distances,
        estimate,
        correction,
    )


def empty_space_f(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    distances_m: Sequence[float] | None = None,
    correction: Correction = "kaplan-meier",
) -> SummaryFunction:
    """
    Estimate F: the share of the window within a distance of a point.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least one with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    distances_m : sequence of float, optional
        Rising, in metres; without it as in `ripley_k`.
    correction : {"none", "border", "kaplan-meier", "hanisch"}, default "kaplan-meier"
        As in `nearest_neighbor_g`; Hanisch is that of Chiu and Stoyan here.

    Returns
    -------
    SummaryFunction
        ``F``, from 0 to 1; ``1 - exp(-intensity pi r^2)`` under complete spatial randomness.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, or the window is no polygon.
    ValueError
        If no site has a location, distances do not rise, or the correction is unknown.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than located reports by a tenth or more.

    Notes
    -----
    Distances are measured exactly from the middles of 128 x 128 cells of the window's box that lie
    in the window, and corrected as in `nearest_neighbor_g`.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [10.0]},
    ...     geometry=geopandas.points_from_xy([500], [500]),
    ...     crs="EPSG:32648",
    ... )
    >>> f = geo.empty_space_f(sites, window, distances_m=[0, 250], correction="none")
    >>> f.estimate.round(3)
    array([0.   , 0.197])
    """
    pattern = planar_pattern(sites, window)
    outline = outline_of(pattern.window)
    _require(pattern.n, 1, correction, pair=False)
    distances = distances_of(distances_m, pattern.n, outline)
    places = grid_of(outline)
    length = nearest_of(places, pattern.xy, outline)
    estimate = corrected_share(
        length, border_distance(places, outline), outline, distances, correction
    )
    return _function("F", pattern, pattern, outline, distances, estimate, correction)


def j_function(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    distances_m: Sequence[float] | None = None,
    correction: Correction = "kaplan-meier",
) -> SummaryFunction:
    """
    Estimate J, which compares G with F: below 1 if points seek each other, above if they avoid.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least two with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    distances_m : sequence of float, optional
        Rising, in metres; without it as in `ripley_k`.
    correction : {"none", "border", "kaplan-meier", "hanisch"}, default "kaplan-meier"
        As in `nearest_neighbor_g`.

    Returns
    -------
    SummaryFunction
        ``J = (1 - G) / (1 - F)``, 1 under complete spatial randomness; NaN where F is 1.

    Raises
    ------
    CRSError
        As in `nearest_neighbor_g`.
    GeometryError
        As in `nearest_neighbor_g`.
    ValueError
        As in `nearest_neighbor_g`.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than located reports by a tenth or more.

    References
    ----------
    .. [1] van Lieshout, M. N. M., Baddeley, A. J. (1996). A nonparametric measure of spatial
       interaction in point patterns. Statistica Neerlandica 50, 344-361.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [10.0] * 4},
    ...     geometry=geopandas.points_from_xy([200, 300, 600, 800], [500, 500, 400, 700]),
    ...     crs="EPSG:32648",
    ... )
    >>> geo.j_function(sites, window, distances_m=[0, 100], correction="none").estimate.round(2)
    array([1.  , 0.56])
    """
    g = nearest_neighbor_g(sites, window, distances_m=distances_m, correction=correction)
    f = empty_space_f(sites, window, distances_m=distances_m, correction=correction)
    ratio = ratio_j(g.estimate, f.estimate)
    return replace(g, name="J", estimate=ratio, theoretical=np.ones(len(ratio)))


# ---------------------------------------------------------------------------- estimates


def nearest_of(xy: Floats, other: Floats | None, outline: Outline) -> Floats:
    """
    Measure the distance from points to the nearest other one.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        From where.
    other : numpy.ndarray, shape (m, 2), or None
        To where; None for the other ones among the same points.
    outline : Outline
        The window of both.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Metres.
    """
    import geo._neighbours as loops  # noqa: PLC0415 - numba loads with the first search

    seen = xy if other is None else other
    spread = np.sqrt(outline.area_m2 / max(len(seen), 1))
    rows = in_rows(seen, outline, float(2 * spread))
    x, y = (np.ascontiguousarray(part) for part in xy.T)
    of = np.arange(len(x)) if other is None else np.full(len(x), -1)
    length = np.empty(len(x))
    in_threads(
        lambda start, stop: loops.nearest_distances(start, stop, x, y, of, rows, length), len(x)
    )
    return length


def nearest_in_each(patterns: list[Floats], outline: Outline) -> list[Floats]:
    """
    Measure the distances from points to the nearest other one, for many patterns.

    Parameters
    ----------
    patterns : list of numpy.ndarray, shape (n, 2)
        Points in the same window.
    outline : Outline
        The window.

    Returns
    -------
    list of numpy.ndarray
        Metres, as `nearest_of` measures them.
    """
    import geo._neighbours as loops  # noqa: PLC0415 - numba loads with the first search

    cuts = np.append(0, np.cumsum([len(xy) for xy in patterns]))
    length = np.empty(cuts[-1])
    spread = np.sqrt(outline.area_m2 * len(patterns) / max(cuts[-1], 1))
    low, high = float(outline.box[1]), float(outline.sides[1])
    loops.pattern_distances(
        0, len(patterns), np.concatenate(patterns), cuts, float(2 * spread), low, high, length
    )
    return np.split(length, cuts[1:-1])


def grid_of(outline: Outline) -> Floats:
    """
    Lay the places from which empty space is measured.

    Parameters
    ----------
    outline : Outline
        The window.

    Returns
    -------
    numpy.ndarray, shape (k, 2)
        Middles of the cells of its box that lie in it.
    """
    west, south, _, _ = outline.box
    wide, high = outline.sides
    middle = (np.arange(_GRID) + 0.5) / _GRID
    x, y = np.meshgrid(west + middle * wide, south + middle * high)
    places = np.column_stack([x.ravel(), y.ravel()])
    shapely.prepare(outline.window)
    return np.asarray(places[shapely.intersects_xy(outline.window, *places.T)])


def ratio_j(g: Floats, f: Floats) -> Floats:
    """
    Compare the distributions of distances from points and from anywhere.

    Parameters
    ----------
    g, f : numpy.ndarray, shape (m,)
        Both.

    Returns
    -------
    numpy.ndarray, shape (m,)
        J; NaN where f is 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(f < 1, (1 - g) / (1 - f), np.nan)


def corrected_share(
    length: Floats, border: Floats, outline: Outline, distances: Floats, correction: str
) -> Floats:
    """
    Estimate the distribution of distances that the edge of a window cuts short.

    Parameters
    ----------
    length, border : numpy.ndarray, shape (n,)
        Distances of places to the nearest point, and to the outline.
    outline : Outline
        The window.
    distances : numpy.ndarray, shape (m,)
        Where the distribution is asked.
    correction : str
        As in `nearest_neighbor_g`.

    Returns
    -------
    numpy.ndarray, shape (m,)
        The share of places whose distance is within each; NaN where it cannot be estimated.
    """
    ordered = np.sort(length)
    if correction == "none":
        return np.searchsorted(ordered, distances, side="right") / len(length)
    if correction == "border":
        inner = border[None, :] >= distances[:, None]
        near = (length[None, :] <= distances[:, None]) & inner
        with np.errstate(invalid="ignore"):
            return np.asarray(near.sum(axis=1) / inner.sum(axis=1))
    if correction == "hanisch":
        seen = np.sort(length[length <= border])
        left = outline.eroded_areas(seen)
        seen, left = seen[left > 0], left[left > 0]
        if not len(seen):
            return np.full(len(distances), np.nan)
        mass = np.append(0, np.cumsum(1 / left))
        return np.asarray(mass[np.searchsorted(seen, distances, side="right")] / mass[-1])
    at, survival = kaplan_meier(length, border)
    return np.asarray(1 - np.append(1.0, survival)[np.searchsorted(at, distances, side="right")])


def kaplan_meier(length: Floats, border: Floats) -> tuple[Floats, Floats]:
    """
    Estimate how many of some distances survive, of which the edge of the window cuts some short.

    Parameters
    ----------
    length, border : numpy.ndarray, shape (n,)
        Distances of places to the nearest point, and to the outline.

    Returns
    -------
    at : numpy.ndarray, shape (k,)
        Where survival falls.
    survival : numpy.ndarray, shape (k,)
        What it falls to.
    """
    observed = np.minimum(length, border)
    at, events = np.unique(length[length <= border], return_counts=True)
    at_risk = len(length) - np.searchsorted(np.sort(observed), at, side="left")
    return at, np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)


def _function(
    name: str,
    pattern: Pattern,
    seen: Pattern,
    outline: Outline,
    distances: Floats,
    estimate: Floats,
    correction: str,
) -> SummaryFunction:
    """Return a distribution of distances as a result."""
    return SummaryFunction(
        name=name,
        distances_m=distances,
        estimate=estimate,
        theoretical=1 - np.exp(-seen.n / outline.area_m2 * np.pi * distances**2),
        correction=correction,
        n=pattern.n,
        n_other=seen.n,
        facts=facts_of(pattern, outline, None if seen is pattern else seen),
    )


def _require(n: int, m: int, correction: str, pair: bool) -> None:  # noqa: FBT001 - private
    """Refuse what has no nearest neighbour."""
    if correction not in _CORRECTIONS:
        message = f"correction is {correction!r}; it must be one of {', '.join(_CORRECTIONS)}."
        raise ValueError(message)
    if n < 1 + pair or m < 1:
        message = f"{counted(n, 'site')} with a location: too few for a nearest neighbour."
        raise ValueError(message)
