"""What a function of distance is: its estimate, what chance would give, and what it rests on."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo._inputs import lengths
from geo._patterns import n_distinct
from geo._resolution import counted, metres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geo._outlines import Outline
    from geo._patterns import Pattern

    Floats = NDArray[np.float64]

__all__ = ["SummaryFunction", "distances_of", "facts_of", "sentences"]

_STEPS = 128  # of the default distances
_MOST_NEIGHBOURS = 1000  # expected within the greatest default distance


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
        What the estimate rests on: ``area_km2`` of the window, ``n_points`` used,
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
    facts: dict[str, float]

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
        untold = int((~self.resolvable).sum())
        if untold and np.isfinite(self.facts["smallest_m"]):
            parts.append(
                f"{untold} of {counted(len(self.distances_m), 'distance')} are less and not "
                "resolvable."
            )
        end = (
            "This is an estimate and no test: whether it differs from chance is for "
            "envelope_test() to say."
        )
        return " ".join([*parts, end])

    def __repr__(self) -> str:
        return (
            f"SummaryFunction({self.name}, {len(self.distances_m)} distances up to "
            f"{metres(float(self.distances_m[-1]))}, {self.correction} correction, "
            f"{counted(self.n, 'point')})"
        )

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, escape=True, border=0, na_rep="", max_rows=12)
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def sentences(facts: dict[str, float], n: int) -> Iterator[str]:
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
    yield f"Window: {written} km2, where a report was possible."
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


def facts_of(pattern: Pattern, outline: Outline, others: Pattern | None = None) -> dict[str, float]:
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
