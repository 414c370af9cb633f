"""A statistic of reported places and of draws of the true ones, side by side."""

from __future__ import annotations

import html
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from geo._clusterings import Clustering
from geo._functions import SummaryFunction
from geo._resolution import counted, metres

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo._stability import ClusterStability

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["ALL", "FINE", "LESS", "Propagated", "Value", "row_sets", "table_of", "value_of"]

ALL, FINE = "all", "building or compound"
LESS = "without the largest source"
_ENDS = (0.025, 0.5, 0.975)
_COLUMNS = ("reported", "mean", "median", "low", "high", "mc_error", "missing")


class Value(NamedTuple):
    """What a statistic answered: of what kind, its numbers, and what each of them is called."""

    kind: str
    numbers: Floats
    labels: pd.Index


@dataclass(frozen=True, eq=False)
class Propagated:
    """
    The answer of `propagate`: a statistic under the uncertainty of the places.

    Parameters
    ----------
    table : pandas.DataFrame
        As `to_frame` gives it.
    kind : str
        ``posterior``: all places drawn were assigned, so that the interval is about where sites
        are. ``sensitivity``: some were measured, whose error a draw adds a second time, so that
        the interval says what the places could do to the statistic, and is no confidence interval.
    of : str
        ``number``, ``Series``, ``Clustering`` or the name of a function of distance.
    draws : numpy.ndarray, shape (n_draws, m)
        The statistic of all rows in each draw.
    stability : ClusterStability or None
        Of a clustering.
    left_out : dict of str to str
        Sets of rows of which it could not be computed, and why.
    facts : dict
        ``n_sites``, ``n_unlocated``, ``n_measured`` and ``n_assigned`` rows that are drawn,
        ``n_whole`` in their whole unit, ``n_apart`` places whose circle does not meet where they
        should be, ``smallest_m`` that the radii resolve.
    """

    table: pd.DataFrame
    kind: str
    of: str
    draws: Floats
    stability: ClusterStability | None
    left_out: dict[str, str]
    facts: dict[str, Any]

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return len(self.draws)

    @property
    def reported(self) -> float | pd.Series:
        """The statistic of the reported places."""
        return self._of_all("reported")

    @property
    def mean(self) -> float | pd.Series:
        """Its mean over the draws, such as an expected count."""
        return self._of_all("mean")

    @property
    def median(self) -> float | pd.Series:
        """Its median over the draws."""
        return self._of_all("median")

    @property
    def low(self) -> float | pd.Series:
        """The lower end of the middle 95 % of the draws."""
        return self._of_all("low")

    @property
    def high(self) -> float | pd.Series:
        """The upper end of the middle 95 % of the draws."""
        return self._of_all("high")

    @property
    def mc_error(self) -> float | pd.Series:
        """Standard error of median and ends for the number of draws, the largest of the three."""
        return self._of_all("mc_error")

    def _of_all(self, column: str) -> float | pd.Series:
        """Return a column of the rows on all sites: a number for a number."""
        chosen = self.table[self.table["rows"] == ALL]
        if self.of == "number":
            return float(chosen[column].iloc[0])
        return chosen.set_index("label")[column]

    def to_frame(self) -> pd.DataFrame:
        """
        Give the statistic, its interval, and the same for less of the rows.

        Returns
        -------
        pandas.DataFrame
            ``rows``: ``all``, ``building or compound``, ``without the largest source``; ``n``, how
            many; ``label`` within the statistic, such as a distance; ``reported``, of the
            reported places; ``mean``, ``median``, ``low`` and ``high`` of the draws, the last two
            holding the middle 95 %; ``mc_error``, what another seed could change in these;
            ``missing``, the share of the draws in which it could not be estimated; of a function
            of distance ``resolvable``.
        """
        return self.table.copy()

    def summary(self) -> str:
        """
        Say in plain words what was drawn, what came out, and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        return " ".join([*self._drawn(), *self._found(), *self._cautions()])

    def _found(self) -> Iterator[str]:
        """Yield the sentences on the result."""
        if self.of in ("number", "Clustering"):
            for rows, table in self.table.groupby("rows", sort=False):
                told = "; ".join(self._said(row) for row in table.to_dict("records"))
                many = counted(int(table["n"].iloc[0]), "report")
                yield f"{str(rows)[:1].upper()}{str(rows)[1:]} ({many}): {told}."
        else:
            yield f"{self.of} of {counted(len(self.draws.T), 'value')}: see to_frame()."
        for rows, why in self.left_out.items():
            yield f"Not computed for {rows}: {why}"
        if self.stability is not None:
            yield self.stability.summary()

    def _said(self, row: Mapping[Hashable, Any]) -> str:
        """Say what one number came to."""
        what = "" if self.of == "number" else f"{row['label']} "
        found = f"{row['median']:.4g} [{row['low']:.4g}, {row['high']:.4g}]"
        return f"{what}{found}, {row['reported']:.4g} as reported"

    def _drawn(self) -> Iterator[str]:
        """Yield the sentences on the draws."""
        facts = self.facts
        kinds = [f"{facts[f'n_{kind}']} {kind}" for kind in ("assigned", "measured")]
        whole = f", {facts['n_whole']} in their whole unit" if facts["n_whole"] else ""
        yield (
            f"Median [middle 95 %] of {counted(self.n_draws, 'draw')} of the true places, "
            f"{' and '.join(kinds)}{whole}."
        )
        if self.kind == "sensitivity":
            yield (
                "Measured places hold their error already and a draw adds it again: this is a "
                "sensitivity interval, and no confidence interval."
            )

    def _cautions(self) -> Iterator[str]:
        """Yield the sentences on what this cannot carry."""
        facts = self.facts
        if facts["n_unlocated"]:
            yield f"Not drawn: {counted(facts['n_unlocated'], 'report')} without a location."
        if facts["n_apart"]:
            yield (
                f"Caution: {counted(facts['n_apart'], 'circle')} did not meet where the place "
                "should be, and were drawn in whole."
            )
        if facts["smallest_m"] > 0:
            smallest = float(f"{facts['smallest_m']:.2g}")
            yield f"The radii of the reports resolve distances from {metres(smallest)} on."

    def __repr__(self) -> str:
        shown = self.of
        if self.of in ("number", "Clustering"):
            shown = self._said(self.table.to_dict("records")[0])
        return (
            f"Propagated({shown}; {self.kind}, {self.n_draws} draws, "
            f"{counted(self.facts['n_sites'], 'site')})"
        )

    def _repr_html_(self) -> str:
        table = self.table.to_html(index=False, escape=True, border=0, na_rep="", max_rows=12)
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def value_of(answer: object) -> Value:
    """
    Take the numbers out of what a statistic answered.

    Parameters
    ----------
    answer : object
        A number, Series, SummaryFunction or Clustering.

    Returns
    -------
    Value
        Of a clustering, the number of clusters and of sites in none.

    Raises
    ------
    TypeError
        If it is none of these.
    """
    if isinstance(answer, SummaryFunction):
        return Value(answer.name, answer.estimate, pd.Index(answer.distances_m))
    if isinstance(answer, Clustering):
        numbers = np.array([answer.n_clusters, answer.n_noise], dtype=np.float64)
        return Value("Clustering", numbers, pd.Index(["clusters", "sites in none"]))
    if isinstance(answer, pd.Series) and not isinstance(answer.index, pd.MultiIndex):
        numbers = pd.to_numeric(answer).to_numpy(dtype=np.float64, na_value=np.nan)
        return Value("Series", numbers, answer.index)
    if isinstance(answer, Real | np.bool_):
        return Value("number", np.array([float(answer)]), pd.Index(["value"]))
    message = (
        f"The statistic answered a {type(answer).__name__}. It must answer a number, a Series of "
        "numbers, a SummaryFunction or a Clustering: take one out of what it answers."
    )
    raise TypeError(message)


def row_sets(sites: gpd.GeoDataFrame) -> tuple[dict[str, Flags], dict[str, str]]:
    """
    Choose the rows for which a statistic is computed beside all.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        With the columns ``location_level`` and ``source``, or without.

    Returns
    -------
    sets : dict of str to numpy.ndarray of bool
        Rows by the name of their set.
    left_out : dict of str to str
        Why there is no such set.
    """
    sets, left_out = {ALL: np.ones(len(sites), dtype=bool)}, {}
    if "location_level" not in sites:
        left_out[FINE] = "there is no column location_level."
    else:
        fine = sites["location_level"].isin(["building", "compound"]).to_numpy(bool)
        if fine.any():
            sets[FINE] = fine
        else:
            left_out[FINE] = "no report is so precise."
    named = sites["source"].dropna().astype(str) if "source" in sites else pd.Series(dtype=str)
    if named.nunique() < 2:  # noqa: PLR2004 - one source, without which nothing is left
        left_out[LESS] = "there are no two sources."
    else:
        often = named.value_counts()
        largest = min(often.index[often == often.max()])
        sets[LESS] = ~(sites["source"].astype("object") == largest).fillna(value=False).to_numpy(
            bool
        )
    return sets, left_out


def table_of(rows: str, n: int, reported: Value, draws: Floats) -> pd.DataFrame:
    """
    Sum up the draws of a statistic.

    Parameters
    ----------
    rows : str
        The name of the set of rows.
    n : int
        How many these are.
    reported : Value
        Of the reported places.
    draws : numpy.ndarray, shape (draws, m)
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        As in `Propagated.to_frame`.
    """
    told = np.array([_told(column[~np.isnan(column)]) for column in draws.T]).reshape(-1, 5)
    missing = np.isnan(draws).mean(axis=0)
    table = pd.DataFrame(np.column_stack([reported.numbers, told, missing]), columns=list(_COLUMNS))
    table.insert(0, "label", reported.labels)
    table.insert(0, "n", n)
    table.insert(0, "rows", rows)
    return table


def _told(drawn: Floats) -> Floats:
    """Return mean, median, both ends and their Monte Carlo error."""
    n = len(drawn)
    if not n:
        return np.full(5, np.nan)
    ordered = np.sort(drawn)
    share = np.array(_ENDS)
    at = np.array([np.floor((n + 1) * share[0]) - 1, 0, np.ceil((n + 1) * share[2]) - 1])
    low, _, high = ordered[np.clip(at, 0, n - 1).astype(int)]
    # the order statistics a standard error of the rank to either side
    spread = np.sqrt(n * share * (1 - share))
    ends = np.clip(np.round(n * share + np.outer([-1, 1], spread)), 0, n - 1).astype(int)
    error = np.max(ordered[ends[1]] - ordered[ends[0]]) / 2
    return np.array([drawn.mean(), np.median(drawn), low, high, error])
