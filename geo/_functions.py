"""What a function of distance is: its estimate, what chance would give, and what it rests on."""

from __future__ import annotations

import html
import inspect
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo._inputs import lengths
from geo._patterns import HULL, n_distinct
from geo._resolution import counted, metres
from geo.errors import CoincidentPointsWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geo._outlines import Outline
    from geo._patterns import Pattern

    Floats = NDArray[np.float64]

__all__ = [
    "CONCENTRATION",
    "SummaryFunction",
    "distances_of",
    "facts_of",
    "found_in",
    "sentences",
]

CONCENTRATION = (
    "A small p speaks of a concentration of reports: people, roads and reporters are not spread "
    "evenly either, so it is not yet one of sites."
)

_UNTESTED = ("mark correlation",)  # what envelope_test() does not take
_STEPS = 128  # of the default distances
_MOST_NEIGHBOURS = 1000  # expected within the greatest default distance
_MANY = 0.1  # of the reports: if as many share coordinates, they make the short distances
_STRAIGHT = 0.01  # lengths wrong by no more are not worth a sentence


@dataclass(frozen=True, eq=False)
class SummaryFunction:
    """
    A function of distance, estimated from a point pattern.

    Parameters
    ----------
    name : str
        What it is, such as ``K`` or ``L``.
    distances_m : numpy.ndarray, shape (m,)
        Rising, in metres.
    estimate, theoretical : numpy.ndarray, shape (m,)
        The function, and its value under complete spatial randomness; NaN where it cannot be
        estimated.
    correction : str
        How the edge of the window was allowed for.
    n : int
        Points from which the function looks.
    n_other : int
        Points that it looks at.
    facts : dict
        What the estimate rests on: ``area_km2`` of the window, ``window``, the words of
        `study_window` on what it was made of, if any; ``n_points`` used,
        ``n_unlocated`` rows without a location, ``n_places`` distinct coordinates, ``smallest_m``
        that the radii resolve, ``scale_error`` of lengths in the plane; those of two kinds
        together where there are two.
    """

    name: str
    distances_m: Floats
    estimate: Floats
    theoretical: Floats
    correction: str
    n: int
    n_other: int
    facts: dict[str, Any]

    @property
    def resolvable(self) -> NDArray[np.bool_]:
        """Whether the radii of the sites can tell each distance."""
        return np.asarray(self.distances_m >= self.facts["smallest_m"])

    def to_frame(self) -> pd.DataFrame:
        """
        Give the function as a table.

        Returns
        -------
        pandas.DataFrame
            ``distance_m``, ``estimate``, ``theoretical``, ``resolvable``.
        """
        return pd.DataFrame(
            {
                "distance_m": self.distances_m,
                "estimate": self.estimate,
                "theoretical": self.theoretical,
                "resolvable": self.resolvable,
            }
        )

    def summary(self) -> str:
        """
        Say in plain words what was estimated and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        looked = f" and {self.n_other} others" if self.facts["n_points"] > self.n else ""
        found = (
            f"{self.name} of {counted(self.n, 'located report')}{looked}, from "
            f"{metres(float(self.distances_m[0]))} to {metres(float(self.distances_m[-1]))}, "
            f"{self.correction} edge correction."
        )
        parts = [found, *sentences(self.facts, int(self.facts["n_points"]))]
        if np.isnan(self.estimate).all():
            parts.append("Caution: it could not be estimated at any of these distances.")
        untold = int((~self.resolvable).sum())
        if untold and np.isfinite(self.facts["smallest_m"]):
            parts.append(
                f"{untold} of {counted(len(self.distances_m), 'distance')} are less and not "
                "resolvable."
            )
        end = ": whether it differs from chance is for envelope_test() to say."
        if self.name in _UNTESTED:
            end = ", and none is at hand: numbers that differ by chance alone can look like this."
        return " ".join([*parts, f"This is an estimate and no test{end}"])

    def __repr__(self) -> str:
        return (
            f"SummaryFunction({self.name}, {len(self.distances_m)} distances up to "
            f"{metres(float(self.distances_m[-1]))}, {self.correction} correction, "
            f"{counted(self.n, 'point')})"
        )

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, escape=True, border=0, na_rep="", max_rows=12)
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def sentences(facts: dict[str, Any], n: int) -> Iterator[str]:
    """
    Yield the sentences on what a statistic rests on.

    Parameters
    ----------
    facts : dict
        From `facts_of`.
    n : int
        Number of points.

    Yields
    ------
    str
        A sentence each.
    """
    area = facts["area_km2"]
    written = f"{area:,.0f}" if area >= 100 else f"{area:.3g}"  # noqa: PLR2004 - three digits
    made = f" ({facts['window']})" if facts["window"] else ""
    if facts["window"].startswith(HULL):
        yield (
            f"Caution: the window, {written} km2{made}, is guessed from sites: where else a report "
            "was possible is not known, and what looks clustered depends on it."
        )
    else:
        yield f"Window: {written} km2{made}, where a report was possible."
    if facts["scale_error"] > _STRAIGHT:
        yield (
            f"Caution: lengths in the plane are wrong by up to {facts['scale_error']:.0%}; give "
            "the window in degrees, and a smaller one if it is."
        )
    if facts["n_unlocated"]:
        left_out = counted(int(facts["n_unlocated"]), "report")
        yield f"{left_out} without a location could not be used."
    if facts["n_places"] < n:
        yield (
            f"Caution: the reports stand at {counted(int(facts['n_places']), 'coordinate')}; short "
            "distances describe how places are looked up (the gazetteer), not where sites are."
        )
    if np.isnan(facts["smallest_m"]):
        yield "Caution: some radii are unknown, so what distances can be resolved is unknown too."
    elif facts["smallest_m"] > 0:
        smallest = float(f"{facts['smallest_m']:.2g}")
        yield f"The radii of the reports resolve distances from {metres(smallest)} on."


def facts_of(pattern: Pattern, outline: Outline, others: Pattern | None = None) -> dict[str, Any]:
    """
    Collect what a statistic of distances between points rests on.

    Parameters
    ----------
    pattern : Pattern
        The points.
    outline : Outline
        Their window.
    others : Pattern, optional
        Points of another kind.

    Returns
    -------
    dict
        As in `SummaryFunction`.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than points by a tenth or more.
    """
    facts = found_in(pattern, outline, others)
    n, n_places = facts["n_points"], facts["n_places"]
    if n - n_places >= _MANY * n > 0:
        warnings.warn(
            f"{n} located reports stand at {counted(n_places, 'coordinate')}: what is measured at "
            "short distances is how places are looked up (the gazetteer), not where sites are. Use "
            "one report per place, or say so beside the figure.",
            CoincidentPointsWarning,
            stacklevel=_level_outside(),
        )
    return facts


def _level_outside() -> int:
    """Count the frames from the one that warns to the first outside of this package."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__package__") == __package__:
        frame, level = frame.f_back, level + 1
    return level


def found_in(pattern: Pattern, outline: Outline, others: Pattern | None = None) -> dict[str, Any]:
    """
    Collect what a statistic rests on.

    Parameters
    ----------
    pattern : Pattern
        The points.
    outline : Outline
        Their window.
    others : Pattern, optional
        Points of another kind.

    Returns
    -------
    dict
        As in `SummaryFunction`.
    """
    kinds = [pattern] if others is None else [pattern, others]
    # what one kind cannot resolve the other cannot mend, and nothing is known if one is unknown
    smallest = np.max([kind.smallest_m for kind in kinds])
    return {
        "area_km2": outline.area_m2 / 1e6,
        "window": pattern.basis,
        "n_points": sum(kind.n for kind in kinds),
        "n_unlocated": sum(kind.n_unlocated for kind in kinds),
        "n_places": n_distinct(np.vstack([kind.xy for kind in kinds])),
        "smallest_m": round(float(smallest), 3),
        "scale_error": pattern.scale_error,
    }


def distances_of(given: Sequence[float] | None, n: int, outline: Outline) -> Floats:
    """
    Return the distances at which a function is estimated.

    Parameters
    ----------
    given : sequence of float or None
        Rising, in metres, if any.
    n : int
        Number of points.
    outline : Outline
        Their window.

    Returns
    -------
    numpy.ndarray
        As given; else 129 from 0 to a quarter of the shorter side of the window's box, or to
        where 1000 neighbours are expected, whichever is less.

    Raises
    ------
    ValueError
        If they do not rise, or one is no length.
    """
    if given is None:
        crowded = np.sqrt(_MOST_NEIGHBOURS * outline.area_m2 / (np.pi * max(n, 1)))
        return np.linspace(0, min(min(outline.sides) / 4, crowded), _STEPS + 1)
    distances = lengths(given, "distances_m")
    if not (np.diff(distances) > 0).all() or np.isinf(distances).any():
        message = "distances_m do not rise. Give each distance once, from the shortest on."
        raise ValueError(message)
    return distances
