"""Points that carry a number: whether those near to each other carry larger or smaller ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from geo._functions import SummaryFunction, distances_of, facts_of
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._resolution import counted
from geo._smoothing import Smoother, half_width, smoothed_sum
from geo.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._patterns import Pattern

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["mark_correlation"]

_PAIR = 2


def mark_correlation(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    mark: str,
    bandwidth_m: float | None = None,
    distances_m: Sequence[float] | None = None,
    correction: Literal["none", "isotropic", "translation"] = "isotropic",
) -> SummaryFunction:
    r"""
    Estimate Stoyan's mark correlation: the product of the numbers of two points at a distance.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least two with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    mark : str
        The column with a number from 0 on for every site that has a location, such as the people
        held there.
    bandwidth_m : float, optional
        Half the width of the Epanechnikov kernel, in metres; without it as in `pair_correlation`.
    distances_m : sequence of float, optional
        As in `ripley_k`.
    correction : {"none", "isotropic", "translation"}, default "isotropic"
        As in `ripley_k`.

    Returns
    -------
    SummaryFunction
        ``k_mm``, without unit; 1 if the numbers have nothing to do with each other, more if points
        at this distance carry larger ones than usual, less if smaller. NaN where no two points are
        so far from each other.

    Raises
    ------
    CRSError
        As in `ripley_k`.
    GeometryError
        As in `ripley_k`.
    SchemaError
        If there is no such column, or it has no number from 0 on for some site with a location, or
        all are 0; see ``.problems``.
    ValueError
        As in `ripley_k`, or if `bandwidth_m` is no positive length.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than located reports by a tenth or more.

    Notes
    -----
    .. math:: \hat k_{mm}(r) = \frac{\sum_{i \ne j} m_i m_j \, k_h(r - d_{ij}) \, e_{ij}}
       {\bar m^2 \sum_{i \ne j} k_h(r - d_{ij}) \, e_{ij}}

    with the Epanechnikov kernel k of half width h and the weights e of `ripley_k` [1]_; the
    function ``markcorr`` of spatstat. Unlike the pair correlation it takes the points as given and
    asks about their marks alone.

    References
    ----------
    .. [1] Stoyan, D., Stoyan, H. (1994). Fractals, Random Shapes and Point Fields. Wiley, section
       15.4.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [10.0] * 4, "held": [300, 200, 20, 80]},
    ...     geometry=geopandas.points_from_xy([200, 300, 600, 800], [500, 500, 400, 700]),
    ...     crs="EPSG:32648",
    ... )
    >>> k = geo.mark_correlation(
    ...     sites, window, mark="held", bandwidth_m=50, distances_m=[100, 360], correction="none"
    ... )
    >>> k.estimate.round(2)
    array([2.67, 0.09])
    """
    pattern = planar_pattern(sites, window)
    outline = outline_of(pattern.window)
    distances = distances_of(distances_m, pattern.n, outline)
    if pattern.n < _PAIR:
        message = f"{counted(pattern.n, 'site')} with a location: too few for a pair."
        raise ValueError(message)
    half = half_width(bandwidth_m, pattern.n, outline, correction)
    value = _marks_of(sites, mark, pattern)
    smoother = Smoother(outline, distances, half, correction, by_distance=False)
    product = smoothed_sum(smoother, pattern.xy, None, weight=value)
    pairs = smoothed_sum(smoother, pattern.xy, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.where(pairs > 0, product / pairs, np.nan) / value.mean() ** 2
    return SummaryFunction(
        name="mark correlation",
        distances_m=distances,
        estimate=estimate,
        theoretical=np.ones(len(distances)),
        correction=correction,
        n=pattern.n,
        n_other=pattern.n,
        facts=facts_of(pattern, outline),
    )


def _marks_of(sites: gpd.GeoDataFrame, mark: str, pattern: Pattern) -> Floats:
    """Return the number of each site that has a location."""
    if mark not in sites:
        message = f"The sites have no column {mark!r}. Give the name of one with numbers."
        raise SchemaError(message)
    given = sites[mark].iloc[pattern.rows]
    numeric = is_numeric_dtype(given) and not is_bool_dtype(given)
    value = (
        given.to_numpy(dtype=np.float64, na_value=np.nan)
        if numeric
        else np.full(len(given), np.nan)
    )
    wrong = ~(np.isfinite(value) & (value >= 0))
    if wrong.any():
        problems = pd.DataFrame(
            {
                "row": pattern.rows[wrong],
                "column": mark,
                "value": given[wrong].to_numpy(),
                "problem": "no number from 0 on",
            },
            index=given.index[wrong],
        )
        message = (
            f"{wrong.sum()} of {len(given)} sites have no number from 0 on in {mark!r}. Leave "
            "them out, and say so beside the figure, or give them their number."
        )
        raise SchemaError(message, problems)
    if not value.any():
        message = f"All numbers in {mark!r} are 0, so there is nothing to compare them with."
        raise SchemaError(message)
    return np.asarray(value)
