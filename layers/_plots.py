"""Plots of results: what was found, what chance would give, and what cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

import geo
from layers._fills import length_words
from layers._letters import MM_PER_INCH, SMALLEST_PT, fonts_for, height_mm, printable, wrapped
from layers._paper import INK, SOFT, Paper
from layers._plot_parts import (
    BAND,
    FOUND,
    KM,
    MOST_ROWS,
    PARTS,
    RIM,
    SHADED,
    SPAN,
    UNRESOLVED,
    along_distance,
    dashed,
    name_rows,
    short_names,
    units,
)
from layers._plots_uncertainty import drawer_of, heading_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from geo._functions import SummaryFunction

    Floats = NDArray[np.float64]
    Draw = Callable[[Any, Axes], str]

__all__ = ["draw"]

_TESTS = {"rank": "extreme rank length", "mad": "maximum deviation", "dclf": "DCLF"}
_LEGEND: dict[str, Any] = {
    "borderaxespad": 0.0,
    "borderpad": 0.0,
    "columnspacing": 1.4,
    "frameon": False,
    "handlelength": 1.8,
    "handletextpad": 0.6,
    "labelspacing": 0.3,
}
_EDGE_MM = 1.5
_TITLE_PT = 8.0
_LEGEND_MM = 3.1  # a row of the legend
_ASPECT = 0.6  # height of a plot by its width


def draw(result: object, axes: Axes | None, title: str, width_mm: float) -> Figure:
    """
    Draw a result on axes, or on those of a new sheet.

    Parameters
    ----------
    result : object
        What `layers.plot` takes.
    axes : matplotlib.axes.Axes or None
        Where to draw.
    title : str
        Heading.
    width_mm : float
        Width of a new sheet.

    Returns
    -------
    matplotlib.figure.Figure
        The figure drawn on.

    Raises
    ------
    TypeError
        If there is no plot for such a result.
    """
    onto = _drawer(result)
    heading = printable(title) or _heading(result)
    if axes is None:
        paper = Paper(width_mm, _ASPECT * width_mm, title=heading, alt=_words(result))
        axes = paper.add_subplot()
        _furnish(paper, axes, onto(result, axes))
        return paper
    onto(result, axes)
    axes.set_title(heading, family=fonts_for(heading))
    axes.legend()
    figure = axes.get_figure(root=True)
    if figure is None:
        message = "`ax` stands on no figure: make it with `Figure().add_subplot()`"
        raise TypeError(message)
    return figure


def _drawer(result: object) -> Draw:
    """Choose the plot of a kind of result."""
    if isinstance(result, geo.EnvelopeTest):
        return _envelope
    if isinstance(result, geo.Clustering):
        return _clusters
    if isinstance(result, pd.DataFrame) and {"within_m", "count_max"} <= set(result.columns):
        return _bands
    if hasattr(result, "distances_m") and hasattr(result, "theoretical"):
        return _function
    if (uncertain := drawer_of(result)) is not None:
        return uncertain
    message = (
        f"there is no plot of a {type(result).__name__}: give a function of distance such as "
        "ripley_l(...), an envelope_test(...), a clustering, a table of distance_bands(...), or "
        "what propagate(...), probability_within(...) or share(...) gives"
    )
    raise TypeError(message)


def _furnish(paper: Paper, axes: Axes, note: str) -> None:
    """Put heading, legend and note around a plot, on a sheet that is higher by their height."""
    width, plot_mm = paper.size_mm
    room, rows = width - 2 * _EDGE_MM, -(-len(axes.get_legend_handles_labels()[1]) // 2)
    head = wrapped(paper.title, room, _TITLE_PT, "bold")
    foot = wrapped(note, room, SMALLEST_PT)
    head_mm, foot_mm = height_mm(head, _TITLE_PT), height_mm(foot, SMALLEST_PT)
    top = _EDGE_MM + head_mm + rows * _LEGEND_MM + 1.0
    height = top + plot_mm + foot_mm + 2 * _EDGE_MM
    paper.set_size_inches(width / MM_PER_INCH, height / MM_PER_INCH)
    paper.write(((line, _TITLE_PT, "bold", INK) for line in head), _EDGE_MM, _EDGE_MM)
    under = height - foot_mm - _EDGE_MM
    paper.write(((line, SMALLEST_PT, "normal", SOFT) for line in foot), _EDGE_MM, under)
    if rows:
        corner = (_EDGE_MM / width, 1 - (_EDGE_MM + head_mm + 0.8) / height)
        labels = axes.get_legend_handles_labels()
        paper.legend(*labels, loc="upper left", ncols=2, bbox_to_anchor=corner, **_LEGEND)
    low, high = (foot_mm + _EDGE_MM) / height, 1 - top / height
    paper.set_layout_engine(
        "constrained",
        rect=(0, low, 1, high - low),
        w_pad=_EDGE_MM / MM_PER_INCH,
        h_pad=_EDGE_MM / MM_PER_INCH,
    )


def _heading(result: Any) -> str:  # noqa: ANN401  # any of the results
    """Say what a result is of."""
    if isinstance(result, geo.EnvelopeTest):
        return f"{result.function} of {result.n:,} reports, tested against chance"
    if isinstance(result, geo.Clustering):
        return f"Clusters of reports ({result.method})"
    if isinstance(result, pd.DataFrame):
        return "Reports by distance"
    if drawer_of(result) is not None:
        return heading_of(result)
    return f"{result.name[:1].upper()}{result.name[1:]} of {result.n:,} reports"


def _words(result: Any) -> str:  # noqa: ANN401  # any of the results
    """Say in words what a result shows."""
    if isinstance(result, pd.DataFrame):
        rows = result[["within_m", "count", "count_min", "count_max"]].itertuples(index=False)
        return " ".join(
            f"Within {length_words(within)}: {count:,} reports "
            f"(at least {low:,}, at most {high:,})."
            for within, count, low, high in rows
        )
    return str(result.summary())


# ---------------------------------------------------------------------------- functions


def _function(result: SummaryFunction, axes: Axes) -> str:
    """Draw an estimated function beside what chance would give."""
    km = result.distances_m / KM
    axes.plot(km, units(result.name, result.estimate), **FOUND)
    axes.plot(km, units(result.name, result.theoretical), **dashed("complete randomness"))
    along_distance(axes, result.name, result.distances_m, result.facts["smallest_m"])
    return f"An estimate and no test; edge correction: {result.correction}."


def _envelope(result: geo.EnvelopeTest, axes: Axes) -> str:
    """Draw a tested function with the envelope that belongs to its p-value."""
    km, name = result.distances_m / KM, result.function
    if np.isfinite(result.low).any():
        low, high = result.low, result.high
        label = "global 95 % envelope (the test)"
    else:
        pointwise = result.pointwise()
        low, high = (pointwise[c].to_numpy() for c in ("low_pointwise", "high_pointwise"))
        label = "pointwise 95 % range (no test)"
    low, high = units(name, low), units(name, high)
    axes.fill_between(km, low, high, color=BAND, linewidth=0, label=label)
    axes.plot(km, units(name, result.observed), **FOUND)
    axes.plot(km, units(name, result.expected), **dashed("mean of the simulations"))
    along_distance(axes, name, result.distances_m, result.facts["smallest_m"])
    return _verdict(result)


def _verdict(result: geo.EnvelopeTest) -> str:
    """Say in words what a p-value says."""
    at = result.distances_m[result.tested]
    rejected = result.pvalue <= 0.05  # noqa: PLR2004  # the level of the envelope
    differs = "differs from" if rejected else "cannot be told from"
    outside = _outside(result) if rejected else ""
    span = f"{length_words(at[0])} to {length_words(at[-1])}"
    return (
        f"p = {result.pvalue:.3g} for all distances from {span} at once "
        f"({_TESTS.get(result.test, result.test)}, {result.alternative}): the pattern "
        f"{differs} the null model ({result.null.name}, {result.n_simulations:,} simulations)."
        f"{outside}"
    )


def _outside(result: geo.EnvelopeTest) -> str:
    """Say at which distances a curve leaves its envelope, and to which side."""
    sides = {
        "above": result.tested & (result.observed > result.high),
        "below": result.tested & (result.observed < result.low),
    }
    found = []
    for side, where in sides.items():
        at = result.distances_m[where]
        if len(at):
            span = (
                length_words(at[0])
                if len(at) == 1
                else f"{length_words(at[0])} to {length_words(at[-1])}"
            )
            found.append(f"{side} the envelope at {span}")
    return f" It lies {' and '.join(found)}." if found else ""


# ---------------------------------------------------------------------------- counts


def _clusters(result: geo.Clustering, axes: Axes) -> str:
    """Draw the size of each cluster by what is claimed, the largest on top."""
    whole = result.to_frame().sort_values(["size", "cluster"], ascending=[False, True])
    table = whole.head(MOST_ROWS)
    rows, done = np.arange(len(table)), np.zeros(len(table))
    for label, parts in _by_claim(table["size"], table).items():
        if parts.any():
            axes.barh(rows, parts, left=done, height=0.7, label=label, **PARTS[label], **RIM)
            done += parts
    name_rows(axes, short_names(table["place"], table["cluster"]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("Reports")
    rest = (
        f" {len(whole) - len(table):,} smaller clusters are not drawn."
        if len(whole) > len(table)
        else ""
    )
    return (
        f"{result.n_noise:,} located reports in no cluster, {result.n_unlocated:,} without a "
        f"location.{rest}"
    )


def _bands(result: pd.DataFrame, axes: Axes) -> str:
    """Draw counts within distances, with what the radii leave open."""
    if result.empty:
        message = "the table of distance bands has no rows: give at least one distance"
        raise ValueError(message)
    x, done = np.arange(len(result)), np.zeros(len(result))
    for label, parts in _by_claim(result["count"], result).items():
        if parts.any():
            axes.bar(x, parts, bottom=done, width=0.6, label=label, **PARTS[label], **RIM)
            done += parts
    low, high = (result[c].to_numpy(float) for c in ("count_min", "count_max"))
    axes.errorbar(x + 0.4, low, [0 * low, high - low], label="surely to possibly within", **SPAN)
    untold = np.flatnonzero(~result["resolvable"].to_numpy(bool))
    for at in untold:
        axes.axvspan(at - 0.5, at + 0.5, label=UNRESOLVED if at == untold[0] else None, **SHADED)
    axes.set_xticks(x, [length_words(within) for within in result["within_m"]])
    axes.set_xlim(-0.5, len(x) - 0.5)
    axes.set_ylim(0, max(high.max(), 1) * 1.05)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("Within this distance of the feature")
    axes.set_ylabel("Reports within the distance")
    located = int(result["n_located"].iloc[0])
    return f"Of {located:,} reports with a location. Each bar counts those to its left again."


def _by_claim(total: pd.Series, table: pd.DataFrame) -> dict[str, Floats]:
    """Divide counts by what is claimed."""
    parts = {c: table[c].fillna(0).to_numpy(float) for c in ("confirmed", "suspected")}
    rest = total.to_numpy(float) - parts["confirmed"] - parts["suspected"]
    return {**parts, "other or not stated": rest}
