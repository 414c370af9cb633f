"""What bends reports: where people looked and found nothing, and the sources that tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo._claims_intervals import poisson_interval
from geo._propagations import value_of
from geo.areal import count_by_area
from geo.errors import SchemaError
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo._propagations import Value

    Floats = NDArray[np.float64]

__all__ = ["leave_one_out", "reports_per_effort"]

_CLAIMED = ("confirmed", "suspected")  # told of every area, also where nothing was found


def reports_per_effort(
    sites: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    *,
    effort: str,
    name: str = "name",
    level: float = 0.95,
) -> pd.DataFrame:
    r"""
    Count reports by area for the effort that was spent looking, also where nothing was found.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, or missing geometries. Without a column ``status`` all are ``unknown``.
    areas : geopandas.GeoDataFrame
        Polygons that do not overlap, one row for each area that people looked at or did not.
    effort : str
        Column of `areas` with the effort, such as days or images searched: 0 where nobody looked,
        missing where that is unknown.
    name : str, default "name"
        Column of `areas` that names them.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per area and status, in the order of `areas`: ``area``, ``status``, ``n`` reports,
        ``effort``, ``rate``, reports by one unit of effort, and ``low`` and ``high``, its interval.
        Confirmed and suspected reports have rows everywhere, others if they occur at all. The last
        rows, ``elsewhere``, are reports in none of the areas.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If the sites are no points, or the areas no valid polygons.
    SchemaError
        If a column is missing, or an effort is no number from 0 on; see ``.problems``.
    ValueError
        If `level` is not between 0 and 1.

    Notes
    -----
    Sites belong to areas as `assign_areas` says. Intervals are the exact ones of a Poisson
    count n [1]_,

    .. math:: \tfrac{1}{2} \chi^2_{2 n}(\alpha / 2), \quad
       \tfrac{1}{2} \chi^2_{2 n + 2}(1 - \alpha / 2)

    divided by the effort. Where somebody looked and found nothing, the rate is 0, and ``high`` says
    what could have been missed; where nobody looked it could be anything. Several reports of one
    raid are no independent ones, and make such intervals too narrow.

    Against the same table patterns are tested with ``inhomogeneous_poisson(areas, weight=effort)``.

    References
    ----------
    .. [1] Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> areas = geopandas.GeoDataFrame(
    ...     {"name": ["West", "East"], "days": [10.0, 40.0]},
    ...     geometry=[box(104.0, 12.0, 104.5, 13.0), box(104.5, 12.0, 105.0, 13.0)],
    ...     crs="EPSG:4326",
    ... )
    >>> sites = geopandas.GeoDataFrame(
    ...     {"status": ["confirmed"] * 2},
    ...     geometry=geopandas.points_from_xy([104.2, 104.3], [12.5, 12.4]),
    ...     crs="EPSG:4326",
    ... )
    >>> found = geo.reports_per_effort(sites, areas, effort="days").round(2)
    >>> found.loc[found["status"] == "confirmed", ["area", "n", "rate", "low", "high"]]
            area  n  rate   low  high
    0       West  2   0.2  0.02  0.72
    2       East  0   0.0  0.00  0.09
    4  elsewhere  0   NaN  0.00   inf
    """
    if not 0 < level < 1:
        message = f"level is {level!r}; it must be a number between 0 and 1."
        raise ValueError(message)
    spent = np.append(_efforts(areas, effort), np.nan)
    counts = count_by_area(sites, areas, name=name)
    told = [word for word in VOCABULARIES["status"] if word in _CLAIMED or counts[word].any()]
    n = counts[told].to_numpy(np.int64)
    low, high = poisson_interval(n, level)
    looked = np.where(spent > 0, spent, np.nan)[:, None]
    return pd.DataFrame(
        {
            "area": np.repeat(counts[name].astype("string").array, len(told)),
            "status": pd.array(told * len(counts), dtype="string"),
            "n": n.ravel(),
            "effort": np.repeat(spent, len(told)),
            "rate": (n / looked).ravel(),
            # without effort nothing is ruled out
            "low": np.nan_to_num(low / looked, nan=0.0).ravel(),
            "high": np.nan_to_num(high / looked, nan=np.inf).ravel(),
        }
    )


def leave_one_out(
    statistic: Callable[[gpd.GeoDataFrame], object], sites: gpd.GeoDataFrame, *, by: str = "source"
) -> pd.DataFrame:
    """
    Compute a statistic again without each source, to see whether it hangs on one.

    Parameters
    ----------
    statistic : callable
        From Sites to a number, a Series of numbers, a `SummaryFunction` or a `Clustering`, as in
        `propagate`; the labels of its answer must not depend on the rows.
    sites : geopandas.GeoDataFrame
        One row per report.
    by : str, default "source"
        The column whose values are left out one at a time; rows without a value stay.

    Returns
    -------
    pandas.DataFrame
        One row per source and number of the answer: ``left_out``, missing for all rows and then
        from the source of the most rows on; ``n`` rows that are left; ``label`` within the answer;
        ``value``; ``change`` against all rows; ``problem``, why there is no value.

    Raises
    ------
    SchemaError
        If there is no such column.
    TypeError
        If the statistic answers something else.
    ValueError
        If the statistic cannot be computed from all rows, or answers with other labels.

    Notes
    -----
    A number that one source makes or unmakes is that source's, however narrow its interval. That
    it moves with none is no proof: sources quote each other.

    Examples
    --------
    >>> import geo, pandas
    >>> sites = pandas.DataFrame({"source": ["a", "a", "b", None]})
    >>> geo.leave_one_out(len, sites)[["left_out", "n", "value", "change"]]
      left_out  n  value  change
    0     <NA>  4    4.0     0.0
    1        a  2    2.0    -2.0
    2        b  3    3.0    -1.0
    """
    if by not in sites:
        message = f"The sites have no column {by!r} to leave out by. Give the name of one."
        raise SchemaError(message)
    whole = value_of(statistic(sites))
    named = sites[by].astype("string")
    often = named.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    parts = []
    for source in [None, *often.index]:
        rows = np.ones(len(sites), dtype=bool)
        value, problem = whole, None
        if source is not None:
            rows = (named != source).fillna(value=True).to_numpy(dtype=bool)
            value, problem = _without(statistic, sites[rows], whole)
        part = {"n": int(rows.sum()), "label": whole.labels, "value": value.numbers}
        part |= {"change": value.numbers - whole.numbers, "problem": problem}
        parts.append(pd.DataFrame({"left_out": source, **part}))
    table = pd.concat(parts, ignore_index=True)
    return table.astype({"left_out": "string", "problem": "string"})


def _without(
    statistic: Callable[[gpd.GeoDataFrame], object], some: gpd.GeoDataFrame, whole: Value
) -> tuple[Value, str | None]:
    """Return the answer for some of the rows, or none and why it could not be computed."""
    try:
        value = value_of(statistic(some))
    except ValueError as error:
        return whole._replace(numbers=np.full(len(whole.numbers), np.nan)), str(error)
    if value.kind != whole.kind or not value.labels.equals(whole.labels):
        message = (
            "The statistic answered with other labels when rows were left out, so that nothing "
            "can be compared. Let it answer the same ones, with reindex() or fixed distances_m."
        )
        raise ValueError(message)
    return value, None


def _efforts(areas: gpd.GeoDataFrame, column: str) -> Floats:
    """Return the effort spent in each area, NaN where it is unknown."""
    if column not in areas:
        message = f"areas has no column {column!r} of efforts. Give the name of one."
        raise SchemaError(message)
    value = pd.to_numeric(areas[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    missing = areas[column].isna().to_numpy(dtype=bool)
    wrong = ~missing & ~(np.isfinite(value) & (value >= 0))
    if wrong.any():
        message = (
            f"{wrong.sum()} of {len(areas)} efforts in {column!r} are no numbers from 0 on. Give 0 "
            "where nobody looked, and nothing where that is unknown."
        )
        problems = pd.DataFrame(
            {
                "row": np.flatnonzero(wrong),
                "column": column,
                "value": areas[column][wrong].to_numpy(),
                "problem": "no number from 0 on",
            },
            index=areas.index[wrong],
        )
        raise SchemaError(message, problems)
    return np.asarray(value)
