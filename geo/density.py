"""Where reports concentrate: smoothed surfaces, their bandwidth, and the risk between two kinds."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from geo._bandwidths import BandwidthSelection, chosen, select
from geo._estimates import at_points, grid_of, smoothed
from geo._functions import found_in
from geo._inputs import positive_length, whole_number
from geo._kernelsums import in_order, summing
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._resolution import metres
from geo._risks import (
    RelativeRisk,
    label_likelihood,
    log_ratio,
    relabelled,
    shares_at,
    standardised,
)
from geo._sampling import streams
from geo._surfaces import DensitySurface, Surface
from geo.errors import ResolutionWarning

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._patterns import Pattern

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
    Edge: TypeAlias = Literal["uniform", "diggle"] | None

__all__ = [
    "BandwidthSelection",
    "DensitySurface",
    "RelativeRisk",
    "density_at_sites",
    "kernel_density",
    "relative_risk",
    "select_bandwidth",
]

_ALTERNATIVES = ("greater", "less", "two-sided")
_EDGES = ("uniform", "diggle", None)


def kernel_density(
    sites: gpd.GeoDataFrame | gpd.GeoSeries,
    window: Window,
    *,
    bandwidth_m: float,
    cell_size_m: float | None = None,
    edge: Edge = "uniform",
    weights: ArrayLike | None = None,
    adaptive: bool = False,
    standard_error: bool = False,
) -> DensitySurface:
    r"""
    Estimate how many reports there are per square kilometre, over a window.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in the window, at least one with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    bandwidth_m : float
        Standard deviation of the Gaussian kernel, in metres; see `select_bandwidth`.
    cell_size_m : float, optional
        Side of the cells, at most the bandwidth; without it, the longer side of the window's box
        by 256, or half the bandwidth if that is less.
    edge : {"uniform", "diggle", None}, default "uniform"
        How the part of a kernel that falls outside the window is allowed for: by the kernel around
        the place where the density is wanted, by that around the report, or not at all.
    weights : array-like of float, optional
        A number from 0 on for each row of `sites`, such as 1 over the reports of one event.
    adaptive : bool, default False
        Whether reports far from others are smoothed more (Abramson).
    standard_error : bool, default False
        Whether a standard error is computed too.

    Returns
    -------
    DensitySurface
        Reports per km2 on a grid; ``to_frame()``, ``to_raster()``, ``contours()``, ``summary()``.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, or the window is no polygon.
    ValueError
        If no site has a location, a length is no positive number, cells are larger than the
        bandwidth or too many, weights are no numbers from 0 on, or `edge` is none of those above.

    Warns
    -----
    ResolutionWarning
        If the radii of the reports do not resolve the bandwidth.

    Notes
    -----
    .. math:: \hat\lambda(u) = \frac{1}{e(u)} \sum_i w_i k(u - x_i) \quad \text{(uniform)}, \qquad
       \hat\lambda(u) = \sum_i \frac{w_i}{e(x_i)} k(u - x_i) \quad \text{(diggle)}

    with the mass e of the kernel around a place that lies in the window [1]_ [2]_. The uniform
    correction is free of bias where the density is constant, and integrates to the number of
    reports only approximately; Diggle's [2]_ integrates to it exactly. The standard error is
    :math:`\sqrt{\sum_i w_i^2 k^2(u - x_i)}`, divided likewise, as for a Poisson process.

    Up to 2000 reports, and with an adaptive kernel, sums are exact. Beyond, each report is spread
    onto nodes a fifth of the bandwidth apart by a Gaussian a little narrower than their spacing,
    and the nodes by what is left of the bandwidth, which is again exact but for 1e-6 of each value,
    and 1e-3 where the nearest report is 16 bandwidths away, so that less than 1e-55 of the maximum
    is left. Edge masses are integrals along the outline (Green's theorem), right to 1e-5.

    An adaptive kernel has the bandwidth :math:`h_i = h \sqrt{g / \tilde\lambda(x_i)}` around report
    i [3]_, with the density of a fixed kernel of the same h and its geometric mean g over the
    reports, and 5 h at most. The uniform correction takes the bandwidth that a report would have
    at u [4]_, interpolated between bandwidths that differ by 5 %: its masses are right to 1e-3.

    References
    ----------
    .. [1] Jones, M. C. (1993). Simple boundary correction for kernel density estimation.
       Statistics and Computing 3, 135-146.
    .. [2] Diggle, P. J. (1985). A kernel method for smoothing point process data. Applied
       Statistics 34, 138-147.
    .. [3] Abramson, I. S. (1982). On bandwidth variation in kernel estimates: a square root law.
       Annals of Statistics 10, 1217-1223.
    .. [4] Davies, T. M., Hazelton, M. L. (2010). Adaptive kernel estimation of spatial relative
       risk. Statistics in Medicine 29, 2423-2437.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 10_000, 10_000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 4},
    ...     geometry=geopandas.points_from_xy([2000, 2500, 3000, 8000], [2000, 3000, 2000, 8000]),
    ...     crs="EPSG:32648",
    ... )
    >>> surface = geo.kernel_density(
    ...     sites, window, bandwidth_m=1000, cell_size_m=250, edge="diggle"
    ... )
    >>> surface
    DensitySurface(4 reports, bandwidth 1 km, edge='diggle', 40 x 40 cells of 250 m, up to ...)
    >>> round(surface.total, 2)
    4.0
    """
    bandwidth = positive_length(bandwidth_m, "bandwidth_m")
    _require_edge(edge)
    pattern = _located(sites, window)
    weight = _weights(weights, sites, pattern)
    outline = outline_of(pattern.window)
    grid = grid_of(outline, bandwidth, cell_size_m)
    facts = found_in(pattern, outline)
    _warn_of_resolution(bandwidth, facts)
    # a weight of 0 adds nothing, and has no bandwidth of its own
    xy, weight = pattern.xy[weight > 0], weight[weight > 0]
    order = in_order(xy, weight)
    values, error = smoothed(
        xy[order],
        weight[order],
        bandwidth,
        outline,
        grid,
        edge=edge,
        adaptive=adaptive,
        standard_error=standard_error,
    )
    covered = grid.covered(outline)
    inside = covered > 0
    return DensitySurface(
        estimate=np.where(inside, 1e6 * values, np.nan),
        standard_error=None if error is None else np.where(inside, 1e6 * error, np.nan),
        bandwidth_m=bandwidth,
        edge=edge,
        adaptive=adaptive,
        surface=Surface(grid, covered, pattern.window, pattern.crs),
        n=pattern.n,
        mass=float(weight.sum()),
        facts=facts,
    )


def density_at_sites(
    sites: gpd.GeoDataFrame | gpd.GeoSeries,
    window: Window,
    *,
    bandwidth_m: float,
    edge: Edge = "uniform",
    leave_one_out: bool = True,
) -> pd.Series:
    """
    Estimate how many reports there are per square kilometre around each report.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in the window, at least one with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    bandwidth_m : float
        Standard deviation of the Gaussian kernel, in metres.
    edge : {"uniform", "diggle", None}, default "uniform"
        As in `kernel_density`.
    leave_one_out : bool, default True
        Whether a report does not count around itself.

    Returns
    -------
    pandas.Series
        Reports per km2, with the index of `sites`; NaN for rows without a location. What
        ``intensity=`` of the inhomogeneous `ripley_k` takes.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, or the window is no polygon.
    ValueError
        If no site has a location, the bandwidth is no positive length, or `edge` is unknown.

    Notes
    -----
    Up to 4096 reports every pair within 9 bandwidths is summed, and all pairs where that is
    nothing; beyond, the surface of `kernel_density` is interpolated to 1e-5, and sums of fewer than
    a tenth of a kernel's height are again made of pairs.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 10_000, 10_000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoSeries.from_xy([2000, 2500, 8000], [2000] * 3, crs="EPSG:32648")
    >>> geo.density_at_sites(sites, window, bandwidth_m=1000).round(3)
    0    0.147
    1    0.145
    2    0.000
    dtype: float64
    """
    bandwidth = positive_length(bandwidth_m, "bandwidth_m")
    _require_edge(edge)
    pattern = _located(sites, window)
    outline = outline_of(pattern.window)
    found = at_points(
        pattern.xy, np.ones(pattern.n), bandwidth, outline, edge, leave_one_out=leave_one_out
    )
    return _per_row(1e6 * found, pattern, sites)


def select_bandwidth(
    sites: gpd.GeoDataFrame | gpd.GeoSeries,
    window: Window,
    *,
    method: Literal["diggle", "ppl", "cvl", "scott"],
) -> BandwidthSelection:
    r"""
    Choose the bandwidth of a density by a rule that is named.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in the window, at least two places.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    method : {"diggle", "ppl", "cvl", "scott"}
        ``diggle``: least mean square error if the reports are a Cox process [1]_; ``ppl``:
        likelihood of each report from the others [2]_; ``cvl``: inverse densities that sum to the
        area [3]_; ``scott``: a rule of thumb for one normal heap [4]_.

    Returns
    -------
    BandwidthSelection
        ``bandwidth_m``, the curve of the criterion, and whether its best is at the border.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, or the window is no polygon.
    ValueError
        If fewer than two places are given, or the method is unknown.

    Warns
    -----
    CoincidentPointsWarning
        From ``diggle`` and ``ppl``, if there are fewer coordinates than located reports by a tenth
        or more.

    Notes
    -----
    The rules serve different ends and differ tenfold on the same reports: none is right for all.
    ``diggle`` and ``ppl`` keep detail, ``cvl`` and ``scott`` smooth. Where many reports share a
    coordinate, ``diggle`` and ``ppl`` fit the gazetteer.

    Searches are those of spatstat: ``diggle`` minimises
    :math:`M(r) = (1/\lambda - 2 K(r)) / \pi r^2 + \int_0^{2r} A_r(s) dK(s) / (\pi r^2)^2`
    with the overlap A of two discs, for r up to half the distances of K in 512 steps and bandwidth
    r / 2 (K isotropic below 1000 reports, by translation below 3000, by border beyond); ``ppl`` and
    ``cvl`` try 16 bandwidths, from the least distance of two reports to half the diameter of the
    window.

    References
    ----------
    .. [1] Berman, M., Diggle, P. (1989). Estimating weighted integrals of the second-order
       intensity of a spatial point process. Journal of the Royal Statistical Society B 51, 81-92.
    .. [2] Loader, C. (1999). Local Regression and Likelihood. Springer, section 5.3.
    .. [3] Cronie, O., van Lieshout, M. N. M. (2018). A non-model-based approach to bandwidth
       selection for kernel estimators of spatial intensity functions. Biometrika 105, 455-462.
    .. [4] Scott, D. W. (1992). Multivariate Density Estimation. Wiley, section 6.3.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 10_000, 10_000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoSeries.from_xy(
    ...     [2000, 2500, 3000, 8000], [2000, 3000, 2000, 8000], crs="EPSG:32648"
    ... )
    >>> geo.select_bandwidth(sites, window, method="scott")
    BandwidthSelection(2.24 km, scott)
    """
    return select(_located(sites, window), method)


def relative_risk(
    cases: gpd.GeoDataFrame | gpd.GeoSeries,
    controls: gpd.GeoDataFrame | gpd.GeoSeries,
    window: Window,
    *,
    bandwidth_m: float | None = None,
    cell_size_m: float | None = None,
    alternative: Literal["greater", "less", "two-sided"] = "greater",
    n_simulations: int = 0,
    rng: np.random.Generator | int | None = None,
    progress: bool = True,
) -> RelativeRisk:
    r"""
    Compare where cases are with where controls are, over a window.

    Parameters
    ----------
    cases, controls : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in the window, at least one of each with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    bandwidth_m : float, optional
        Standard deviation of the Gaussian kernel, of both kinds; without it, the one that makes
        the labels most likely.
    cell_size_m : float, optional
        As in `kernel_density`.
    alternative : {"greater", "less", "two-sided"}, default "greater"
        Which deviations count for the p-values.
    n_simulations : int, default 0
        With more than 0, p-values are those of labels exchanged at random so many times.
    rng : None, int or numpy.random.Generator, optional
        For the same simulations again.
    progress : bool, default True
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    RelativeRisk
        Logarithm of the risk and p-values on a grid; ``tolerance_contours()``, ``summary()``.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a point lies outside the window, or the window is no polygon.
    ValueError
        If cases or controls have no location, a length is no positive number, or an argument is
        none of those above.

    Warns
    -----
    ResolutionWarning
        If the radii of the reports do not resolve the bandwidth.

    Notes
    -----
    .. math:: \hat\rho(u) = \log \frac{\hat f(u)}{\hat g(u)}

    with the densities f of cases and g of controls, each integrating to one, of one bandwidth, so
    that the edge of the window cancels out [1]_. The default bandwidth maximises
    the leave-one-out likelihood of the labels [2]_ among 32, as spatstat searches them. p-values
    are of each cell by itself: normal, with the variance under one common density [3]_, or by
    random relabelling.

    References
    ----------
    .. [1] Kelsall, J. E., Diggle, P. J. (1995). Kernel estimation of relative risk. Bernoulli 1,
       3-16.
    .. [2] Kelsall, J. E., Diggle, P. J. (1998). Spatial variation in risk of disease: a
       nonparametric binary regression approach. Applied Statistics 47, 559-573.
    .. [3] Hazelton, M. L., Davies, T. M. (2009). Inference based on kernel estimates of the
       relative risk function in geographical epidemiology. Biometrical Journal 51, 98-109.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 10_000, 10_000)], crs="EPSG:32648")
    >>> cases = geopandas.GeoSeries.from_xy(
    ...     [2000, 2500, 3000], [2000, 3000, 2000], crs="EPSG:32648"
    ... )
    >>> controls = geopandas.GeoSeries.from_xy(
    ...     [2000, 7000, 8000], [7000, 2000, 8000], crs="EPSG:32648"
    ... )
    >>> geo.relative_risk(cases, controls, window, bandwidth_m=2000, cell_size_m=500)
    RelativeRisk(3 cases, 3 controls, bandwidth 2 km, log risk -11 to 5.3)
    """
    if alternative not in _ALTERNATIVES:
        message = f"alternative is {alternative!r}; it must be one of {', '.join(_ALTERNATIVES)}."
        raise ValueError(message)
    many = whole_number(n_simulations, "n_simulations") if n_simulations else 0
    one, other = _located(cases, window, "case"), _located(controls, window, "control")
    outline = outline_of(one.window)
    facts = found_in(one, outline, other)
    selection = None
    if bandwidth_m is None:
        tried = label_likelihood(one, other, outline)
        selection = chosen("relative risk", *tried, one.n + other.n, facts)
        bandwidth = selection.bandwidth_m
    else:
        bandwidth = positive_length(bandwidth_m, "bandwidth_m")
    _warn_of_resolution(bandwidth, facts)
    grid = grid_of(outline, bandwidth, cell_size_m)
    covered = grid.covered(outline)
    n = one.n, other.n
    xy = np.concatenate([one.xy, other.xy])
    label = np.repeat([1.0, 0.0], n)
    order = in_order(xy, label)
    xy, label = xy[order], label[order]
    sums = summing(xy, bandwidth, grid)
    among, rest = sums(label), sums(1 - label)
    risk = log_ratio(among, rest, n)
    if many:
        above, below = relabelled(sums, label, streams(rng, many), progress=progress)
    else:
        # only densities need scipy
        from scipy.special import ndtr  # noqa: PLC0415

        score = standardised(among, rest, bandwidth, outline, grid, n)
        above, below = ndtr(-score), ndtr(score)
    pvalue = {
        "greater": above,
        "less": below,
        "two-sided": np.minimum(2 * np.minimum(above, below), 1),
    }
    outside = covered <= 0
    at_cases, at_controls = shares_at(one, other, bandwidth, outline)
    return RelativeRisk(
        log_risk=np.where(outside, np.nan, risk),
        pvalue=np.where(outside | np.isnan(risk), np.nan, pvalue[alternative]),
        bandwidth_m=bandwidth,
        selection=selection,
        alternative=alternative,
        n_simulations=many,
        case_share=_per_row(at_cases, one, cases),
        control_share=_per_row(at_controls, other, controls),
        surface=Surface(grid, covered, one.window, one.crs),
        n_cases=one.n,
        n_controls=other.n,
        facts=facts,
    )


# ---------------------------------------------------------------------------- what is given


def _require_edge(edge: object) -> None:
    """Refuse unknown corrections."""
    if edge not in _EDGES:
        message = f'edge is {edge!r}; it must be "uniform", "diggle" or None.'
        raise ValueError(message)


def _warn_of_resolution(bandwidth: float, facts: dict[str, float]) -> None:
    """Warn of a bandwidth that the radii do not carry."""
    if bandwidth < facts["smallest_m"]:
        message = (
            f"The radii of the reports resolve distances from {metres(facts['smallest_m'])} on: a "
            f"bandwidth of {metres(float(f'{bandwidth:.4g}'))} shows more than is known. Use a "
            "larger one."
        )
        warnings.warn(message, ResolutionWarning, stacklevel=3)


def _per_row(
    values: Floats, pattern: Pattern, sites: gpd.GeoDataFrame | gpd.GeoSeries
) -> pd.Series:
    """Return one number per row of the caller, NaN without a location."""
    found = np.full(len(sites), np.nan)
    found[pattern.rows] = values
    return pd.Series(found, index=sites.index)


def _located(
    sites: gpd.GeoDataFrame | gpd.GeoSeries, window: Window, kind: str = "site"
) -> Pattern:
    """Return a pattern that is not empty."""
    pattern = planar_pattern(sites, window)
    if not pattern.n:
        message = f"No {kind} has a location, so there is nothing to smooth."
        raise ValueError(message)
    return pattern


def _weights(
    weights: ArrayLike | None, sites: gpd.GeoDataFrame | gpd.GeoSeries, pattern: Pattern
) -> Floats:
    """Return a weight for each point."""
    if weights is None:
        return np.ones(pattern.n)
    numbers = pd.to_numeric(pd.Series(np.asarray(weights).tolist()), errors="coerce")
    given = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    if given.shape != (len(sites),):
        message = (
            f"There are {len(sites)} rows and weights of shape {given.shape}. Give one number per "
            "row of the sites."
        )
        raise ValueError(message)
    here = given[pattern.rows]
    wrong = ~(np.isfinite(here) & (here >= 0))
    if wrong.any() or not here.sum() > 0:
        message = (
            f"{wrong.sum()} of {len(here)} weights are no numbers from 0 on."
            if wrong.any()
            else "All weights are 0, so there is nothing to smooth."
        )
        raise ValueError(message)
    return np.asarray(here)
