"""Functions of distance from bare arrays, many times over: what simulations need of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geo._corrections import CORRECTIONS, border_distance, frame_of, pair_sum
from geo.pattern import ripley_k, ripley_l
from geo.spacing import (
    corrected_share,
    empty_space_f,
    grid_of,
    nearest_neighbor_g,
    nearest_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo._functions import SummaryFunction
    from geo._outlines import Outline
    from geo._pairs import Frame

    Floats = NDArray[np.float64]

__all__ = ["Evaluator", "function_named", "one_curve"]

_SPACINGS = ("none", "border", "kaplan-meier", "hanisch")
_MANY = 2000  # points from which one pattern is worth more than one thread


@dataclass(frozen=True, eq=False)
class Evaluator:
    """
    A function of distance, ready for many patterns in one window.

    Parameters
    ----------
    name : str
        ``K``, ``L``, ``G`` or ``F``.
    correction : str
        One that the function has.
    outline : Outline
        The window.
    distances_m : numpy.ndarray, shape (m,)
        Rising.

    Attributes
    ----------
    frame : Frame
        Of the window, for sums over pairs.
    places, edge : numpy.ndarray
        From where empty space is measured, and how far that is from the outline.
    """

    name: str
    correction: str
    outline: Outline
    distances_m: Floats
    frame: Frame | None = field(init=False, default=None)
    places: Floats | None = field(init=False, default=None)
    edge: Floats | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.name in ("K", "L"):
            frame = frame_of(self.outline, self.correction, float(self.distances_m[-1]))
            object.__setattr__(self, "frame", frame)
        elif self.name == "F":
            places = grid_of(self.outline)
            object.__setattr__(self, "places", places)
            object.__setattr__(self, "edge", border_distance(places, self.outline))


def function_named(
    function: Callable[..., SummaryFunction], correction: str | None, n: int
) -> tuple[str, str]:
    """
    Recognise a function and its edge correction.

    Parameters
    ----------
    function : callable
        One of those that can be simulated.
    correction : str or None
        Asked for; None for the function's own.
    n : int
        Number of points.

    Returns
    -------
    name, correction : str
        As `Evaluator` knows them.

    Raises
    ------
    ValueError
        If the function or its correction is none of these, or there are too few points.
    """
    names = {ripley_l: "L", ripley_k: "K", nearest_neighbor_g: "G", empty_space_f: "F"}
    if function not in names:
        message = (
            f"function is {function!r}; it must be ripley_l, ripley_k, nearest_neighbor_g or "
            "empty_space_f."
        )
        raise ValueError(message)
    name = names[function]
    known = CORRECTIONS if name in ("K", "L") else _SPACINGS
    chosen = correction or ("isotropic" if name in ("K", "L") else "kaplan-meier")
    if chosen not in known:
        message = f"correction is {chosen!r}; it must be one of {', '.join(known)}."
        raise ValueError(message)
    if n < 2:  # noqa: PLR2004 - a pair
        message = f"{n} sites have a location: too few for a pattern."
        raise ValueError(message)
    return name, chosen


def one_curve(evaluator: Evaluator, xy: Floats) -> Floats:
    """
    Evaluate a function for one pattern.

    Parameters
    ----------
    evaluator : Evaluator
        The function and the window.
    xy : numpy.ndarray, shape (n, 2)
        Points in the window.

    Returns
    -------
    numpy.ndarray, shape (m,)
        Its values; NaN where it cannot be estimated.
    """
    outline, distances = evaluator.outline, evaluator.distances_m
    n = len(xy)
    if n < 2:  # noqa: PLR2004 - a model may draw too few for a pair
        return np.zeros(len(distances))
    if evaluator.name == "G":
        length, edge = nearest_of(xy, None, outline), border_distance(xy, outline)
        return corrected_share(length, edge, outline, distances, evaluator.correction)
    if evaluator.places is not None and evaluator.edge is not None:
        length = nearest_of(evaluator.places, xy, outline)
        return corrected_share(length, evaluator.edge, outline, distances, evaluator.correction)
    border = border_distance(xy, outline) if evaluator.correction == "border" else None
    total = pair_sum(
        xy,
        None,
        outline,
        evaluator.frame,  # type: ignore[arg-type]
        distances,
        evaluator.correction,
        border=border,
        blocks=1 if n < _MANY else 64,
    )
    if border is None:
        k = total * outline.area_m2 / (n * (n - 1))
    else:
        inner = n - np.searchsorted(np.sort(border), distances, side="left")
        with np.errstate(invalid="ignore", divide="ignore"):
            k = total / inner * outline.area_m2 / n
    return np.asarray(np.sqrt(k / np.pi) if evaluator.name == "L" else k)
