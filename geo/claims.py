"""How many, of how many, and since when: counts with what missing values leave open."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_list_like

from geo._cells import read_dates, read_texts
from geo._claims_intervals import bootstrap_interval, clopper_pearson
from geo._claims_tiers import tiers
from geo._inputs import whole_number
from geo._resolution import counted
from geo._rows import schema_error
from geo.errors import SchemaError
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["Share", "by_month", "share"]

Condition: TypeAlias = "pd.Series | Mapping[str, str | Sequence[str]]"

_COLUMNS = ("n", "yes", "no", "unknown", "share_min", "share_max", "low", "high")
_MONTHLY = ("count_min", "count_max", "total_min", "total_max")
_OPEN = ("unknown", "unclear")
_YEAR, _MONTHS = 4, 12  # digits of a year, months in it


@dataclass(frozen=True, eq=False)
class Share:
    """
    The answer of `share`: how many rows meet a condition, and how many may.

    Parameters
    ----------
    condition : str
        In words.
    by : str or None
        The column whose values are counted apart.
    table : pandas.DataFrame
        One row per value: the value, ``n`` rows, of which ``yes`` meet the condition, ``no`` do not
        and ``unknown`` may; ``share_min`` and ``share_max``, the share if none and if all of the
        unknown do; ``low`` and ``high``, the interval of sampling around both.
    level : float
        Of the interval.
    method : str
        ``Clopper-Pearson``, or what was drawn anew.
    n : int
        Rows in all.
    """

    condition: str
    by: str | None
    table: pd.DataFrame
    level: float
    method: str
    n: int

    def to_frame(self) -> pd.DataFrame:
        """
        Give the counts and shares.

        Returns
        -------
        pandas.DataFrame
            A copy of ``table``.
        """
        return self.table.copy()

    def summary(self) -> str:
        """
        Say in plain words how many meet the condition, and what is not known.

        Returns
        -------
        str
            A paragraph.
        """
        parts = [self._said(row) for row in self.table.to_dict("records")]
        parts.append(
            f"Intervals ({100 * self.level:g} %, {self.method}) are for rows taken at random from "
            "more; "
            "reports are not, and what is true of them need not be of sites that nobody reported."
        )
        return " ".join(parts)

    def _said(self, row: Mapping[str, object]) -> str:
        """Say what one row of the table holds."""
        n, yes, unknown = (int(str(row[name])) for name in ("n", "yes", "unknown"))
        if not n:
            return "There are no reports, so nothing is known of a share."
        low, high, least, most = (
            f"{row[name]:.0%}" for name in ("share_min", "share_max", "low", "high")
        )
        tier = "" if self.by is None else f" ({row[self.by]})"
        first = f"Of {counted(n, 'report')}{tier}, {self.condition} for {yes}"
        if not unknown:
            return f"{first}, {low} (interval {least} to {most}); it is known for all."
        return (
            f"{first} and possibly for {unknown} more, for which it is not known: {low} to {high} "
            f"(interval {least} to {most})."
        )

    def __repr__(self) -> str:
        known = int(self.table["unknown"].sum())
        return (
            f"Share({self.condition}; {counted(self.n, 'report')}, {known} unknown, "
            f"by {self.by or 'nothing'})"
        )

    def _repr_html_(self) -> str:
        table = self.table.to_html(index=False, escape=True, border=0, na_rep="")
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def share(
    sites: pd.DataFrame,
    condition: Condition,
    *,
    by: str | None = "status",
    resample: str | None = None,
    level: float = 0.95,
    n_resamples: int = 1999,
    rng: np.random.Generator | int | None = None,
) -> Share:
    """
    Count the sites that meet a condition, with the bounds that unknown values imply.

    Parameters
    ----------
    sites : pandas.DataFrame or geopandas.GeoDataFrame
        One row per report, with or without a place.
    condition : pandas.Series of bool, or mapping of str to str or sequence of str
        For each site True, False or missing, which is unknown; or columns with the values that meet
        it, all of them at once: ``{"state_response": ["not_investigated", "unclear"]}``. A cell may
        hold several values, joined by a vertical bar. One that is missing, ``unknown`` or
        ``unclear`` is unknown, unless these words are asked for.
    by : str or None, default "status"
        A column whose values are counted apart, so that what is suspected is never added to what is
        confirmed; None counts all rows together.
    resample : str, optional
        A column that says which rows hang together, such as ``source``: its values are drawn anew
        in a bootstrap. Without it the interval is exact, for independent rows.
    level : float, default 0.95
        Of the interval.
    n_resamples : int, default 1999
        How many times groups are drawn.
    rng : None, int or numpy.random.Generator, optional
        For the same answer again.

    Returns
    -------
    Share
        A row of counts and shares for each value, ``summary()`` in words.

    Raises
    ------
    SchemaError
        If there is no such column.
    TypeError
        If `condition` is neither.
    ValueError
        If a Series has another index, a value is not in its vocabulary, or `level` is not between 0
        and 1.

    Notes
    -----
    With k of n that meet the condition and m unknown, the share lies in ``[k / n, (k + m) / n]``
    whatever the unknown values are. The interval reaches from the lower end of that of Clopper and
    Pearson [1]_ for k to the upper end of that for k + m.

    References
    ----------
    .. [1] Clopper, C. J., Pearson, E. S. (1934). The use of confidence or fiducial limits
       illustrated in the case of the binomial. Biometrika 26, 404-413.

    Examples
    --------
    >>> import geo, pandas
    >>> words = ["not_investigated"] * 30 + ["intervened_still_operating"] * 6
    >>> words += ["unclear"] * 5 + ["closed"] * 12
    >>> sites = pandas.DataFrame({"status": "confirmed", "state_response": words})
    >>> asked = {"state_response": ["not_investigated", "intervened_still_operating"]}
    >>> found = geo.share(sites, asked)
    >>> found.to_frame()[["status", "n", "yes", "unknown", "share_min", "share_max"]].round(3)
          status   n  yes  unknown  share_min  share_max
    0  confirmed  53   36        5      0.679      0.774
    """
    if not 0 < level < 1:
        message = f"level is {level!r}; it must be a number between 0 and 1."
        raise ValueError(message)
    many = whole_number(n_resamples, "n_resamples")
    met, words = _met(sites, condition)
    surely = met.fillna(value=False).to_numpy(dtype=bool)
    possibly = met.fillna(value=True).to_numpy(dtype=bool)
    if resample is not None and resample not in sites:
        message = f"The sites have no column {resample!r} to draw by. Give the name of one."
        raise SchemaError(message)
    generator = np.random.default_rng(rng)
    rows = []
    for value, chosen in tiers(sites, by).items():
        n, yes, most = int(chosen.sum()), int(surely[chosen].sum()), int(possibly[chosen].sum())
        if resample is None:
            low, high = clopper_pearson(yes, n, level)[0], clopper_pearson(most, n, level)[1]
        else:
            sides = surely[chosen], possibly[chosen]
            low, high = bootstrap_interval(sides, sites[resample][chosen], level, many, generator)
        counts = {"n": n, "yes": yes, "no": n - most, "unknown": most - yes}
        bounds = {"share_min": yes / n if n else np.nan, "share_max": most / n if n else np.nan}
        rows.append({by or "rows": value, **counts, **bounds, "low": low, "high": high})
    return Share(
        condition=words,
        by=by,
        table=pd.DataFrame(rows, columns=[by or "rows", *_COLUMNS]),
        level=level,
        method="Clopper-Pearson" if resample is None else f"bootstrap by {resample}",
        n=len(sites),
    )


def by_month(
    sites: pd.DataFrame, *, column: str = "first_reported", by: str | None = "status"
) -> pd.DataFrame:
    """
    Count dates by month, with what partial dates leave open.

    Parameters
    ----------
    sites : pandas.DataFrame or geopandas.GeoDataFrame
        One row per report.
    column : str, default "first_reported"
        ISO 8601 dates, possibly partial: ``2024`` is any month of that year, never its first.
    by : str or None, default "status"
        A column whose values are counted apart; None counts all rows together.

    Returns
    -------
    pandas.DataFrame
        One row per value and month, from the first month that is possible to the last: the value,
        ``month`` (``2024-03``), ``count_min`` of dates that lie in it and ``count_max`` of those
        that may; ``total_min`` and ``total_max``, the same of dates up to its end: every partial
        date at its latest, and at its earliest. The last row of each value, without a month,
        counts the rows without a date, and has no totals.

    Raises
    ------
    SchemaError
        If there is no such column, or a cell is no such date; see ``.problems``.

    Notes
    -----
    A first report is no opening: months with more of them are months in which more was reported,
    after a raid or a press report as well as after a move.

    Examples
    --------
    >>> import geo, pandas
    >>> dates = ["2024-02-11", "2024-02", "2024", None]
    >>> sites = pandas.DataFrame({"status": "confirmed", "first_reported": dates})
    >>> geo.by_month(sites).iloc[[0, 1, 2, 11, -1]]
           status    month  count_min  count_max  total_min  total_max
    0   confirmed  2024-01          0          1          0          1
    1   confirmed  2024-02          2          3          2          3
    2   confirmed  2024-03          0          1          2          3
    11  confirmed  2024-12          0          1          3          3
    12  confirmed     <NA>          1          1       <NA>       <NA>
    """
    if column not in sites:
        message = f"The sites have no column {column!r} of dates. Give the name of one."
        raise SchemaError(message)
    texts, faults = read_texts(sites[column], column)
    dates, more = read_dates(texts, column)
    if faults or more:
        raise schema_error([*faults, *more], list(range(len(sites))))
    first, last = _months(dates)
    dated = first >= 0
    start, stop = (int(first[dated].min()), int(last[dated].max()) + 1) if dated.any() else (0, 0)
    names = [f"{month // _MONTHS:04d}-{month % _MONTHS + 1:02d}" for month in range(start, stop)]
    parts = []
    for value, chosen in tiers(sites, by).items():
        here = chosen & dated
        least = np.bincount(first[here & (first == last)] - start, minlength=stop - start)
        begun = np.cumsum(np.bincount(first[here] - start, minlength=stop - start))
        ended = np.cumsum(np.bincount(last[here] - start, minlength=stop - start))
        undated = int((chosen & ~dated).sum())
        part = {
            "month": pd.array([*names, None], dtype="string"),
            "count_min": np.append(least, undated),
            "count_max": np.append(begun - np.append(0, ended[:-1])[: stop - start], undated),
            "total_min": pd.array([*ended, None], dtype="Int64"),
            "total_max": pd.array([*begun, None], dtype="Int64"),
        }
        label = {} if by is None else {by: pd.array([value] * len(part["month"]), dtype="string")}
        parts.append(pd.DataFrame({**label, **part}))
    if not parts:
        return pd.DataFrame(columns=[*filter(None, [by]), "month", *_MONTHLY])
    return pd.concat(parts, ignore_index=True)


# ---------------------------------------------------------------------------- what is asked


def _met(sites: pd.DataFrame, condition: Condition) -> tuple[pd.Series, str]:
    """Return for each row whether it meets a condition, missing where unknown, and the words."""
    if isinstance(condition, pd.Series):
        if not condition.index.equals(sites.index):
            message = (
                "The condition has another index than the sites, so that rows could be mixed up. "
                "Make it from the same frame."
            )
            raise ValueError(message)
        return _as_truth(condition), f"{condition.name or 'the condition'} holds"
    if not isinstance(condition, Mapping) or not condition:
        message = (
            "condition is a Series of truth values, or a mapping of columns to the values that "
            f"meet it, not {type(condition).__name__}."
        )
        raise TypeError(message)
    met = pd.Series(data=True, index=sites.index, dtype="boolean")
    words = []
    for column, given in condition.items():
        values = [str(value) for value in given] if is_list_like(given) else [str(given)]
        _require_values(sites, column, values)
        # what is false in one column is false however little is known of the others
        met &= _has_any(sites[column], set(values))
        words.append(f"{column} is {' or '.join(values)}".replace("_", " "))
    return met, " and ".join(words)


def _as_truth(condition: pd.Series) -> pd.Series:
    """Return truth values that may be missing, from a column that holds nothing else."""
    known = condition.dropna()
    if not (is_bool_dtype(condition) or all(isinstance(one, bool | np.bool_) for one in known)):
        message = (
            f"The condition is of dtype {condition.dtype}, not of truth values. Compare it first: "
            "sites['capacity'] > 100."
        )
        raise TypeError(message)
    return condition.astype("boolean")


def _require_values(sites: pd.DataFrame, column: str, values: Sequence[str]) -> None:
    """Refuse a column that is not there, and words that none of its cells could hold."""
    if column not in sites:
        message = f"The sites have no column {column!r}, on which the condition depends."
        raise SchemaError(message)
    known = VOCABULARIES.get(column, ())
    strange = [value for value in values if value not in known and value not in set(sites[column])]
    if known and strange:
        message = (
            f"{column} has no value {', '.join(map(repr, strange))}: it is one of "
            f"{', '.join(known)}."
        )
        raise ValueError(message)


def _has_any(cells: pd.Series, values: set[str]) -> pd.Series:
    """Tell which cells hold one of some values, missing where a cell does not say."""
    parts = [{part.strip() for part in str(cell).split("|")} for cell in cells]
    met = pd.Series([bool(part & values) for part in parts], index=cells.index, dtype="boolean")
    says_nothing = [not (part - {*_OPEN, ""}) for part in parts]
    return met.mask(~met & (cells.isna().to_numpy() | np.array(says_nothing, dtype=bool)))


def _months(dates: Sequence[str | None]) -> tuple[Ints, Ints]:
    """Return the first and the last month that each date may lie in, counted; -1 if missing."""
    first, last = np.full((2, len(dates)), -1, dtype=np.int64)
    for row, date in enumerate(dates):
        if date is not None:
            year, month = int(date[:_YEAR]), date[_YEAR + 1 : _YEAR + 3]
            first[row] = year * _MONTHS + (int(month) - 1 if month else 0)
            last[row] = first[row] if month else first[row] + _MONTHS - 1
    return first, last
