"""Plots of what the true places, unknown values and chance leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator, PercentFormatter

import geo
from layers._fills import length_words
from layers._letters import printable
from layers._paper import INK
from layers._plot_parts import (
    BAND,
    CHANCE,
    MOST_ROWS,
    PARTS,
    RIM,
    SPAN,
    along_distance,
    dashed,
    name_rows,
    short_names,
    units,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Draw = Callable[[Any, Axes], str]

__all__ = ["drawer_of", "heading_of"]

_ALL = "all"  # rows, as `geo.Propagated` calls them
_SEEN = 1e-3  # a probability that a bar can show
_LIMITS = {0.6: "unstable", 0.75: "stable"}  # of the mean Jaccard: below, and above
_REPORTED: dict[str, Any] = {"marker": "D", "facecolor": "#fffdf9", "zorder": 4, "s": 14}
_REPORTED |= {"edgecolor": CHANCE, "linewidth": 0.9, "label": "reported places"}
_MIDDLE: dict[str, Any] = {"color": INK, "marker": "o", "s": 12, "zorder": 3}


def drawer_of(result: object) -> Draw | None:
    """
    Choose the plot of a kind of result.

    Parameters
    ----------
    result : object
        Any result.

    Returns
    -------
    callable or None
        From result and axes to a note in words; None for what is not drawn here.
    """
    if isinstance(result, geo.Propagated):
        return _propagated
    kinds: dict[type, Draw] = {
        geo.ClusterStability: _stability,
        geo.WithinDistance: _within,
        geo.Share: _share,
    }
    return kinds.get(type(result))


def heading_of(result: Any) -> str:  # noqa: ANN401  # any of the results
    """
    Say what a result is of.

    Parameters
    ----------
    result : object
        One that `drawer_of` has a plot of.

    Returns
    -------
    str
        A heading.
    """
    if isinstance(result, geo.WithinDistance):
        return f"Reports within {length_words(result.distance_m)} of the feature"
    if isinstance(result, geo.Share):
        return f"Share of reports: {printable(result.condition)}"
    if isinstance(result, geo.ClusterStability) or result.stability is not None:
        return "Clusters in draws of the true places"
    of = "Statistic" if result.of in ("number", "Series") else result.of
    return f"{of[:1].upper()}{of[1:]} in draws of the true places"


# ---------------------------------------------------------------------------- draws


def _propagated(result: geo.Propagated, axes: Axes) -> str:
    """Draw a statistic with the middle of its draws."""
    if result.stability is not None:
        return _stability(result.stability, axes)
    table = result.to_frame()
    if result.of == "number":
        note = _rows(axes, table, table["rows"].tolist())
        axes.set_xlabel("Statistic")
    elif result.of == "Series":
        table = table[table["rows"] == _ALL]
        note = _rows(axes, table, table["label"].tolist())
        axes.set_xlabel("Statistic")
    else:
        note = _curve(axes, result, table[table["rows"] == _ALL])
    what = (
        "a sensitivity interval: measured places hold their error already"
        if result.kind == "sensitivity"
        else "what the places leave open"
    )
    return f"Middle 95 % of {result.n_draws:,} draws of the true places, {what}.{note}"


def _curve(axes: Axes, result: geo.Propagated, table: pd.DataFrame) -> str:
    """Draw a function of distance as a band over its distances."""
    at = table["label"].to_numpy(float)
    low, median, high, reported = (
        units(result.of, table[name].to_numpy(float))
        for name in ("low", "median", "high", "reported")
    )
    axes.fill_between(at / 1000, low, high, color=BAND, linewidth=0, label="middle 95 % of draws")
    axes.plot(at / 1000, median, color=INK, zorder=3, label="median of draws")
    axes.plot(at / 1000, reported, **dashed("reported places"))
    along_distance(axes, result.of, at, float(result.facts["smallest_m"]))
    return ""


def _rows(axes: Axes, table: pd.DataFrame, names: Sequence[object]) -> str:
    """Draw an interval for each number, with its median and the reported places."""
    shown = table.head(MOST_ROWS)
    rows = np.arange(len(shown))
    low, median, high, reported = (
        shown[name].to_numpy(float) for name in ("low", "median", "high", "reported")
    )
    _span(axes, (low, high), rows, "middle 95 % of draws")
    axes.scatter(median, rows, label="median of draws", **_MIDDLE)
    axes.scatter(reported, rows, **_REPORTED)
    name_rows(axes, [printable(name) for name in names[:MOST_ROWS]])
    return _left(len(table) - len(shown), "values")


def _stability(result: geo.ClusterStability, axes: Axes) -> str:
    """Draw how much of each cluster comes back, the most stable on top."""
    whole = result.to_frame().sort_values(["jaccard", "cluster"], ascending=[False, True])
    shown = whole.head(MOST_ROWS)
    look: dict[str, Any] = {"height": 0.7, "color": BAND, "edgecolor": CHANCE, "linewidth": 0.6}
    axes.barh(np.arange(len(shown)), shown["jaccard"].to_numpy(float), **look)
    for limit, word in _LIMITS.items():
        side = "below" if word == "unstable" else "above"
        look = dashed(f"{word} {side} {limit:g}")
        look |= {"color": INK} if word == "stable" else {}
        axes.axvline(limit, zorder=3, **look)
    name_rows(axes, short_names(shown["place"].tolist(), shown["cluster"].tolist()))
    axes.set_xlim(0, 1)
    axes.set_xlabel("Mean Jaccard: how much of a cluster comes back")
    counts = whole["verdict"].value_counts()
    told = ", ".join(f"{counts[w]} {w}" for w in ("stable", "doubtful", "unstable") if w in counts)
    left = _left(len(whole) - len(shown), "clusters")
    return f"{result.n_draws:,} draws of the true places: {told or 'no cluster'}.{left}"


# ---------------------------------------------------------------------------- counts and shares


def _within(result: geo.WithinDistance, axes: Axes) -> str:
    """Draw how probable each count within the distance is, claims apart."""
    table = result.to_frame()
    if table.empty:
        message = "there is no report in this result: give at least one"
        raise ValueError(message)
    claims = pd.Series("unknown", index=result.sites.index, dtype="string")
    if "status" in result.sites:
        claims = result.sites["status"].astype("string").fillna("unknown")
    curves = {
        word: _distribution(result.sites["probability"][(claims == word).to_numpy()].dropna())
        for word in table["status"]
    }
    top, room = max(curve.max() for curve in curves.values()), 0.8 / len(curves)
    for k, row in enumerate(table.itertuples()):
        beside = (k - (len(curves) - 1) / 2) * room
        _claim(axes, row, curves[row.status], (beside, room), top * (1.1 + 0.14 * k), first=not k)
    axes.set_ylim(0, top * (1.1 + 0.14 * len(curves)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"Reports within {length_words(result.distance_m)}")
    axes.set_ylabel("Probability of the count")
    unknown = result.n_unlocated + result.n_unknown_radius
    spread = f" Of unknown place or radius, and so possible only: {unknown:,}." if unknown else ""
    return f"Lines, one for each claim: dot, what is expected.{spread}"


def _distribution(chance: pd.Series) -> Floats:
    """Find how probable each number is of events that occur with these probabilities."""
    curve = np.ones(1)
    for share in np.sort(chance[(chance > 0) & (chance < 1)]):
        curve = np.convolve(curve, [1 - share, share])
    return np.concatenate([np.zeros(int((chance == 1).sum())), curve])


def _claim(  # what is drawn, and where
    axes: Axes,
    row: Any,  # noqa: ANN401  # a named tuple
    curve: Floats,
    place: tuple[float, float],
    height: float,
    *,
    first: bool,
) -> None:
    """Draw the counts of one claim, and over them its interval and bounds."""
    look = {**PARTS.get(row.status, PARTS["other or not stated"]), **RIM}
    beside, room = place
    counts = np.flatnonzero(curve > _SEEN)
    axes.bar(counts + beside, curve[counts], width=room, label=printable(row.status), **look)
    # of the lines, one for each claim, the legend has one
    bounds, interval = ("surely to possibly", "95 % interval") if first else (None, None)
    _span(axes, (row.surely, row.possibly), height, bounds)
    line: dict[str, Any] = {"color": CHANCE, "linewidth": 2.4}
    axes.plot([row.low, row.high], [height] * 2, label=interval, **line)
    axes.scatter(row.expected, height, **{**_MIDDLE, "color": look["facecolor"], "edgecolor": INK})


def _share(result: geo.Share, axes: Axes) -> str:
    """Draw shares with what is unknown, and the interval of sampling around both."""
    whole = result.to_frame()
    shown = whole.head(MOST_ROWS)
    rows = np.arange(len(shown))
    least, most, low, high = (
        shown[name].to_numpy(float) for name in ("share_min", "share_max", "low", "high")
    )
    look: dict[str, Any] = {"height": 0.4, "color": BAND, "edgecolor": CHANCE, "linewidth": 0.6}
    axes.barh(rows, most - least, left=least, label="none to all of the unknown", **look)
    _span(axes, (low, high), rows, f"{100 * result.level:g} % interval around both")
    axes.scatter(least, rows, label="known to meet it", **_MIDDLE)
    kinds = ["all reports"] * len(shown) if result.by is None else shown[result.by].tolist()
    totals = zip(kinds, shown["yes"], shown["unknown"], shown["n"], strict=True)
    names = [f"{printable(kind)}\n{yes} of {n}" + (f", {open_} unknown" if open_ else "")
             for kind, yes, open_, n in totals]  # fmt: skip
    name_rows(axes, names)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("Share of the reports")
    return (
        f"Interval: {result.method}, for rows taken at random from more. Reports are not."
        f"{_left(len(whole) - len(shown), 'values')}"
    )


def _span(axes: Axes, ends: tuple[Any, Any], rows: Any, label: str | None) -> None:  # noqa: ANN401  # numbers or arrays
    """Draw lines from one end to the other, with caps."""
    low, high = ends
    axes.errorbar((low + high) / 2, rows, xerr=(high - low) / 2, label=label, **SPAN)


def _left(count: int, what: str) -> str:
    """Say how many are not drawn."""
    return f" {count:,} more {what} are not drawn." if count else ""
