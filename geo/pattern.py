"""How points stand to each other at every distance: K, L and the pair correlation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from geo._corrections import (
    CORRECTIONS,
    border_distance,
    frame_of,
    k_of_sums,
    overlap_shares,
    pair_sum,
)
from geo._functions import SummaryFunction, distances_of, facts_of
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._resolution import counted
from geo._smoothing import Smoother, half_width, smoothed_sum
from geo.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._outlines import Outline
    from geo._patterns import Pattern

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
    Correction: TypeAlias = Literal["none", "border", "isotropic", "translation", "periodic"]

__all__ = ["pair_correlation", "ripley_k", "ripley_l"]

_EXACT_PAIRS = 100_000  # of a window that is no rectangle, whose overlap is measured for each


def ripley_k(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    other: gpd.GeoDataFrame | None = None,
    dot: bool = False,
    intensity: ArrayLike | None = None,
    other_intensity: ArrayLike | None = None,
    distances_m: Sequence[float] | None = None,
    correction: Correction = "isotropic",
) -> SummaryFunction:
    r"""
    Estimate Ripley's K: how many others lie within a distance of a point, by intensity.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least two with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible; a bare geometry is taken as EPSG:4326. A projected
        frame is the plane of the estimate, in metres; otherwise that is the equal-area
        projection centred on the window.
    other : geopandas.GeoDataFrame, optional
        Points of another kind in the same window: the cross K, of the others around the sites.
    dot : bool, default False
        Whether the sites themselves count among the others too.
    intensity, other_intensity : array-like of float, optional
        Points per km2 at each row of `sites` and of `other`: the inhomogeneous K, in which every
        point weighs by the inverse, scaled so that the weights of the sites sum to the area.
    distances_m : sequence of float, optional
        Rising, in metres; without it, 129 from 0 to a quarter of the shorter side of the window.
    correction : {"none", "border", "isotropic", "translation", "periodic"}, default "isotropic"
        How the edge of the window is allowed for; periodic for rectangles only.

    Returns
    -------
    SummaryFunction
        ``K`` in square metres; ``pi r^2`` under complete spatial randomness.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, the window is no polygon, or a periodic correction is
        asked for a window that is no rectangle.
    ValueError
        If fewer than two sites have a location, distances do not rise, an intensity is no positive
        number or has another length, or the correction is unknown.

    Notes
    -----
    .. math:: \hat K(r) = \frac{|W|}{n (n - 1)} \sum_{i \ne j} 1(d_{ij} \le r) \, e_{ij}

    with the weight e of the correction [1]_: isotropic, one over the share of the circle around i
    through j that lies inside the window (100 at most, as in spatstat); translation, the area of
    the window over that of its overlap when it is moved from i to j; border, only points i that
    are at least r from the outline, whose number replaces n. Pairs at exactly r count. Windows may
    have holes and several parts. The overlap of a window that is no rectangle is exact for up to
    100,000 pairs within the greatest distance and interpolated beyond: to 1e-4 in compact windows,
    to some percent in those of narrow or scattered parts. No pair weighs more than 100.

    A place where many reports share a coordinate makes K leap at 0: see ``summary()``.

    References
    ----------
    .. [1] Baddeley, A., Rubak, E., Turner, R. (2015). Spatial Point Patterns: Methodology and
       Applications with R. CRC Press, chapter 7.

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
    >>> geo.ripley_k(sites, window, distances_m=[0, 100, 400], correction="none").estimate.round()
    array([     0., 166667., 500000.])
    """
    pattern = planar_pattern(sites, window)
    outline = outline_of(pattern.window)
    distances = distances_of(distances_m, pattern.n, outline)
    others = None if other is None else planar_pattern(other, window)
    _require_together(other, intensity, other_intensity, dot=dot)
    weights = (
        _inverse(intensity, sites, pattern),
        None if others is None else _inverse(other_intensity, other, others),
    )
    _require(pattern, others, outline, correction)
    estimate = _k_of(pattern, others, weights, outline, distances, correction, dot=dot)
    name = "K" if others is None else "cross K" if not dot else "dot K"
    return SummaryFunction(
        name=name if intensity is None else f"inhomogeneous {name}",
        distances_m=distances,
        estimate=estimate,
        theoretical=np.pi * distances**2,
        correction=correction,
        n=pattern.n,
        n_other=pattern.n if others is None else others.n,
        facts=facts_of(pattern, outline, others),
    )


def ripley_l(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    other: gpd.GeoDataFrame | None = None,
    dot: bool = False,
    intensity: ArrayLike | None = None,
    other_intensity: ArrayLike | None = None,
    distances_m: Sequence[float] | None = None,
    correction: Correction = "isotropic",
) -> SummaryFunction:
    """
    Estimate Besag's L, the square root of K over pi: a straight line under randomness.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        As in `ripley_k`.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        As in `ripley_k`.
    other : geopandas.GeoDataFrame, optional
        As in `ripley_k`.
    dot : bool, default False
        As in `ripley_k`.
    intensity, other_intensity : array-like of float, optional
        As in `ripley_k`.
    distances_m : sequence of float, optional
        As in `ripley_k`.
    correction : {"none", "border", "isotropic", "translation", "periodic"}, default "isotropic"
        As in `ripley_k`.

    Returns
    -------
    SummaryFunction
        ``L`` in metres; ``r`` under complete spatial randomness. Its variance hardly depends on
        the distance, which tests over many distances need [1]_.

    Raises
    ------
    CRSError
        As in `ripley_k`.
    GeometryError
        As in `ripley_k`.
    ValueError
        As in `ripley_k`.

    References
    ----------
    .. [1] Besag, J. (1977). Contribution to the discussion of Ripley (1977). Journal of the Royal
       Statistical Society B 39, 193-195.

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
    >>> geo.ripley_l(sites, window, distances_m=[0, 100, 400], correction="none").estimate.round()
    array([  0., 230., 399.])
    """
    k = ripley_k(
        sites,
        window,
        other=other,
        dot=dot,
        intensity=intensity,
        other_intensity=other_intensity,
        distances_m=distances_m,
        correction=correction,
    )
    return replace(
        k,
        name=k.name.replace("K", "L"),
        estimate=np.sqrt(k.estimate / np.pi),
        theoretical=k.distances_m.copy(),
    )


def pair_correlation(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    other: gpd.GeoDataFrame | None = None,
    bandwidth_m: float | None = None,
    divisor: Literal["r", "d"] = "d",
    distances_m: Sequence[float] | None = None,
    correction: Literal["none", "isotropic", "translation"] = "isotropic",
) -> SummaryFunction:
    r"""
    Estimate the pair correlation: how much more often than by chance two points are at a distance.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        As in `ripley_k`.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        As in `ripley_k`.
    other : geopandas.GeoDataFrame, optional
        Points of another kind in the same window: the cross pair correlation.
    bandwidth_m : float, optional
        Half the width of the Epanechnikov kernel, in metres; without it Stoyan's
        ``0.15 / sqrt(intensity)`` times the square root of 5, of the points that are looked at.
    divisor : {"r", "d"}, default "d"
        Whether pairs are divided by the distance at which the function is asked, or by their own,
        which is less biased near 0.
    distances_m : sequence of float, optional
        As in `ripley_k`; the function is not defined at 0.
    correction : {"none", "isotropic", "translation"}, default "isotropic"
        As in `ripley_k`.

    Returns
    -------
    SummaryFunction
        ``g``, without unit; 1 under complete spatial randomness.

    Raises
    ------
    CRSError
        As in `ripley_k`.
    GeometryError
        As in `ripley_k`.
    ValueError
        As in `ripley_k`, or if `bandwidth_m` is no positive length or `divisor` unknown.

    Notes
    -----
    .. math:: \hat g(r) = \frac{|W|}{2 \pi n (n - 1)}
       \sum_{i \ne j} \frac{k_h(r - d_{ij})}{d_{ij}} \, e_{ij}

    with the Epanechnikov kernel k of half width h and the weights e of `ripley_k` [1]_. Pairs at
    one coordinate have no distance to be divided by and count for nothing.

    References
    ----------
    .. [1] Stoyan, D., Stoyan, H. (1994). Fractals, Random Shapes and Point Fields. Wiley, chapter
       15; Guan, Y. (2007). A least-squares cross-validation bandwidth selection approach in pair
       correlation function estimation. Statistics and Probability Letters 77, 1722-1729.

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
    >>> g = geo.pair_correlation(sites, window, bandwidth_m=100, distances_m=[100, 400])
    >>> g.estimate.round(2)
    array([1.99, 1.54])
    """
    if divisor not in ("r", "d"):
        message = f'divisor is {divisor!r}; it must be "r" or "d".'
        raise ValueError(message)
    pattern = planar_pattern(sites, window)
    outline = outline_of(pattern.window)
    distances = distances_of(distances_m, pattern.n, outline)
    others = None if other is None else planar_pattern(other, window)
    _require(pattern, others, outline, correction)
    seen = pattern if others is None else others
    half = half_width(bandwidth_m, seen.n, outline, correction)
    smoother = Smoother(outline, distances, half, correction, divisor == "d")
    total = smoothed_sum(smoother, pattern.xy, None if others is None else others.xy)
    pairs = pattern.n * (seen.n - (others is None))
    with np.errstate(divide="ignore", invalid="ignore"):
        if divisor == "r":
            total = total / distances
        estimate = np.where(distances > 0, total * outline.area_m2 / (2 * np.pi * pairs), np.nan)
    return SummaryFunction(
        name="pair correlation" if others is None else "cross pair correlation",
        distances_m=distances,
        estimate=estimate,
        theoretical=np.ones(len(distances)),
        correction=correction,
        n=pattern.n,
        n_other=seen.n,
        facts=facts_of(pattern, outline, others),
    )


# ---------------------------------------------------------------------------- estimates


def _k_of(
    pattern: Pattern,
    others: Pattern | None,
    weights: tuple[Floats | None, Floats | None],
    outline: Outline,
    distances: Floats,
    correction: str,
    *,
    dot: bool,
) -> Floats:
    """Return K in square metres."""
    total, shown = _k_sum(pattern, others, weights, outline, distances, correction)
    n, m = pattern.n, pattern.n - 1 if others is None else others.n
    if dot and others is not None:
        own, _ = _k_sum(pattern, None, (weights[0], None), outline, distances, correction)
        total, m = total + own, others.n + n
    area = outline.area_m2
    if weights[0] is not None:
        # weights are scaled so that those of the sites sum to the area
        scale = area / weights[0].sum()
        share = area if shown is None else shown
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(total * scale / share)
    # under border correction a point of one kind counts among those that are seen
    seen = m + (shown is not None and others is None)
    return k_of_sums(total, n, seen, area, shown)


def _k_sum(
    pattern: Pattern,
    others: Pattern | None,
    weights: tuple[Floats | None, Floats | None],
    outline: Outline,
    distances: Floats,
    correction: str,
) -> tuple[Floats, Floats | None]:
    """Return the sum over pairs and, under border correction, over points inside by r."""
    weight, other_weight = weights
    seen_weight = weight if others is None else other_weight
    border = border_distance(pattern.xy, outline) if correction == "border" else None
    if correction == "translation" and not outline.rectangular:
        exact = _exact_translation(pattern, others, weights, outline, distances)
        if exact is not None:
            return exact, None
    total = pair_sum(
        pattern.xy,
        None if others is None else others.xy,
        outline,
        frame_of(outline, correction, float(distances[-1])),
        distances,
        correction,
        weight=weight,
        other_weight=seen_weight,
        border=border,
    )
    if border is None:
        return total, None
    # weights that have left leave a hair of rounding behind
    total[np.abs(total) <= 1e-12 * np.abs(total).max(initial=0)] = 0.0
    order = np.argsort(border)
    mass = np.append(
        np.cumsum((np.ones(pattern.n) if weight is None else weight)[order][::-1])[::-1], 0
    )
    return total, mass[np.searchsorted(border[order], distances, side="left")]


def _exact_translation(
    pattern: Pattern,
    others: Pattern | None,
    weights: tuple[Floats | None, Floats | None],
    outline: Outline,
    distances: Floats,
) -> Floats | None:
    """Return the sum with the overlap of every pair measured, or nothing if they are too many."""
    # only this sum needs a list of pairs, and numba loads with the first sum
    from scipy.spatial import cKDTree  # noqa: PLC0415

    from geo._circles import MOST_WEIGHT  # noqa: PLC0415

    reach = float(distances[-1])
    seen = pattern if others is None else others
    tree, other_tree = cKDTree(pattern.xy), cKDTree(seen.xy)
    if tree.count_neighbors(other_tree, reach) > 2 * _EXACT_PAIRS + pattern.n:
        return None
    lists = tree.query_ball_tree(other_tree, reach * (1 + 1e-12))
    i = np.repeat(np.arange(pattern.n), [len(found) for found in lists])
    j = np.array([position for found in lists for position in found], dtype=np.int64)
    if others is None:
        i, j = i[i != j], j[i != j]
    shift = seen.xy[j] - pattern.xy[i]
    # a shift and its reverse overlap alike: measure one of them
    forward = shift if others is not None else np.where(i[:, None] < j[:, None], shift, -shift)
    unique, back = np.unique(forward, axis=0, return_inverse=True)
    share = overlap_shares(outline, *unique.T)[back.ravel()]
    value = 1 / np.maximum(share, 1 / MOST_WEIGHT)
    weight, other_weight = weights
    if weight is not None:
        value = value * weight[i] * (weight if others is None else other_weight)[j]  # type: ignore[index]
    length = np.hypot(*shift.T)
    step = np.searchsorted(distances, length, side="left")
    total = np.cumsum(np.bincount(step, value, len(distances) + 1))
    return np.asarray(total[: len(distances)], dtype=np.float64)


# ---------------------------------------------------------------------------- what is given


def _inverse(
    intensity: ArrayLike | None, sites: gpd.GeoDataFrame, pattern: Pattern
) -> Floats | None:
    """Return the weight of each point, the square metres that it stands for."""
    if intensity is None:
        return None
    values = np.asarray(intensity, dtype=np.float64)
    if values.shape != (len(sites),):
        message = (
            f"There are {len(sites)} rows and an intensity of shape {values.shape}. Give one "
            "number per row, in points per km2."
        )
        raise ValueError(message)
    here = values[pattern.rows]
    wrong = ~(np.isfinite(here) & (here > 0))
    if wrong.any():
        message = (
            f"{wrong.sum()} of {len(here)} intensities are no positive numbers, so that the points "
            "there would weigh without end or nothing."
        )
        raise ValueError(message)
    return 1e6 / here


def _require_together(
    other: gpd.GeoDataFrame | None,
    intensity: ArrayLike | None,
    other_intensity: ArrayLike | None,
    *,
    dot: bool,
) -> None:
    """Refuse arguments that mean nothing without each other."""
    if other is None and (dot or other_intensity is not None):
        message = "dot and other_intensity are for points of another kind: give them as other."
        raise ValueError(message)
    if other is not None and (intensity is None) != (other_intensity is None):
        message = (
            "An inhomogeneous K of two kinds needs the intensity of both: give intensity and "
            "other_intensity, or neither."
        )
        raise ValueError(message)


def _require(pattern: Pattern, others: Pattern | None, outline: Outline, correction: str) -> None:
    """Refuse what K is not defined for."""
    if correction not in CORRECTIONS:
        message = f"correction is {correction!r}; it must be one of {', '.join(CORRECTIONS)}."
        raise ValueError(message)
    if pattern.n < 1 + (others is None) or (others is not None and others.n < 1):
        also = "" if others is None else f", {others.n} others"
        message = f"{counted(pattern.n, 'site')} with a location{also}: too few for a pair."
        raise ValueError(message)
    if correction == "periodic" and not outline.rectangular:
        message = "A periodic correction needs a window that is a rectangle, which this one is not."
        raise GeometryError(message)
