"""What plots have in common: their looks, and axes of distance, of names and of claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layers._letters import fonts_for, printable
from layers._marks import without_asides
from layers._paper import INK
from layers.scales import STATUS_SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "BAND",
    "CHANCE",
    "FOUND",
    "KM",
    "MOST_ROWS",
    "PARTS",
    "RIM",
    "SHADED",
    "SPAN",
    "UNRESOLVED",
    "along_distance",
    "dashed",
    "name_rows",
    "short_names",
    "units",
]

BAND, CHANCE = "#c3d5dd", "#0b5d7a"
SHADED: dict[str, Any] = {"facecolor": "#d9d5cc", "alpha": 0.55, "linewidth": 0, "zorder": 0}
FOUND: dict[str, Any] = {"color": INK, "zorder": 3, "label": "these reports"}
SPAN: dict[str, Any] = {"fmt": "none", "ecolor": INK, "elinewidth": 0.9, "capsize": 1.6}
SPAN |= {"capthick": 0.9}
UNRESOLVED = "not resolvable"
KM = 1000.0
MOST_ROWS = 20  # whose names can be read
_BY_NAME = {  # axis labels; other functions go by their own names
    "K": "K (km²)",
    "L": "L (km)",
    "G": "G: share with a neighbour",
    "F": "F: share of the window near a report",
    "J": "J = (1 - G) / (1 - F)",
}
_MORE = "#8d8474"  # status neither confirmed nor suspected
PARTS: dict[str, dict[str, Any]] = {
    "confirmed": {"facecolor": STATUS_SCALE("confirmed")},
    "suspected": {"facecolor": STATUS_SCALE("suspected")},
    "other or not stated": {"facecolor": _MORE},
}
RIM: dict[str, Any] = {"edgecolor": "#7c1b13", "linewidth": 0.6}


def units(name: str, values: Floats) -> Floats:
    """
    Give K in square kilometres and L in kilometres, as their axes say.

    Parameters
    ----------
    name : str
        Of a function of distance.
    values : numpy.ndarray
        Its values, of metres.

    Returns
    -------
    numpy.ndarray
        The values in the unit of the axis.
    """
    power = {"K": 2, "L": 1}.get(name.removeprefix("cross "), 0)
    return np.asarray(values / KM**power)


def dashed(label: str) -> dict[str, Any]:
    """
    Return the look of what is compared with what was found.

    Parameters
    ----------
    label : str
        What it is.

    Returns
    -------
    dict
        Options of a line.
    """
    return {"color": CHANCE, "linestyle": (0, (4, 2)), "linewidth": 0.8, "label": label}


def along_distance(axes: Axes, name: str, distances_m: Floats, smallest_m: float) -> None:
    """
    Shade what the radii cannot resolve, and say what the axes are.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With a function of distance.
    name : str
        The function.
    distances_m : numpy.ndarray
        Its distances, rising.
    smallest_m : float
        The least that the radii resolve; NaN if they are missing.
    """
    first, last = distances_m[0] / KM, distances_m[-1] / KM
    smallest = smallest_m / KM
    if np.isnan(smallest):
        axes.axvspan(first, last, label="radii missing: resolution unknown", **SHADED)
    elif smallest > first:
        axes.axvspan(first, min(smallest, last), label=UNRESOLVED, **SHADED)
    axes.set_xlim(first, last)
    axes.set_xlabel("Distance (km)")
    kind = name.removeprefix("cross ")
    cross = "Cross " if kind != name else ""
    words = _BY_NAME.get(kind, kind)
    axes.set_ylabel(f"{cross}{words}" if kind in _BY_NAME else words[:1].upper() + words[1:])
    axes.yaxis.set_major_formatter("{x:,g}")


def short_names(places: Sequence[object], numbers: Sequence[object]) -> list[str]:
    """
    Name clusters by their places, those without one by their numbers.

    Parameters
    ----------
    places, numbers : sequence
        Of each cluster.

    Returns
    -------
    list of str
        Names that a figure can write.
    """
    pairs = zip(places, numbers, strict=True)
    return [without_asides(printable(place)) or f"cluster {number}" for place, number in pairs]


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """
    Write a name left of each row, the first on top.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        With a row at 0, 1, ...
    names : sequence of str
        The names, of one line or more.
    """
    axes.set_yticks(np.arange(len(names)), list(names))
    for tick, name in zip(axes.get_yticklabels(), names, strict=True):
        tick.set(family=fonts_for(name.replace("\n", " ")), color=INK, parse_math=False)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
