"""Functions of distance from bare arrays, many times over: what simulations need of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geo._corrections import CORRECTIONS, border_distance, frame_of, k_of_sums, pair_sum, steps_of
from geo._smoothing import SMOOTHED, Smoother, half_width, smoothed_sum
from geo.errors import GeometryError
from geo.pattern import pair_correlation, ripley_k, ripley_l
from geo.spacing import (
    corrected_share,
    empty_space_f,
    grid_of,
    j_function,
    nearest_neighbor_g,
    nearest_of,
    ratio_j,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo._functions import SummaryFunction
    from geo._outlines import Outline
    from geo._pairs import Frame, Steps

    Floats = NDArray[np.float64]

__all__ = ["Evaluator", "function_named", "many_curves", "one_curve"]

_NAMES = {
    ripley_l: "L",
    ripley_k: "K",
    pair_correlation: "pair correlation",
    nearest_neighbor_g: "G",
    empty_space_f: "F",
    j_function: "J",
}
_CROSS = (ripley_l, ripley_k, pair_correlation, nearest_neighbor_g)  # of two kinds of points
_SPACINGS = ("none", "border", "kaplan-meier", "hanisch")
_MANY = 2000  # points from which one pattern is worth more than one thread


@dataclass(frozen=True, eq=False)
class Evaluator:
    """
    A function of distance, ready for many patterns in one window.

    Parameters
    ----------
    name : str
        ``K``, ``L``, ``G``, ``F``, ``J`` or ``pair correlation``.
    correction : str
        One that the function has.
    outline : Outline
        The window.
    distances_m : numpy.ndarray, shape (m,)
        Rising.
    n : int
        Points that are looked at in the pattern observed, by which the kernel of the pair
        correlation is as wide as it is.

    Attributes
    ----------
    frame, steps : Frame, Steps
        The window and the distances, for sums over pairs.
    smoother : Smoother
        Of the pair correlation.
    places, edge : numpy.ndarray
        From where empty space is measured, and how far that is from the outline.
    """

    name: str
    correction: str
    outline: Outline
    distances_m: Floats
    n: int = 0
    frame: Frame | None = field(init=False, default=None)
    steps: Steps | None = field(init=False, default=None)
    smoother: Smoother | None = field(init=False, default=None)
    places: Floats | None = field(init=False, default=None)
    edge: Floats | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.name in ("K", "L"):
            reach = float(self.distances_m[-1])
            frame = frame_of(self.outline, self.correction, reach, rough=True)
            object.__setattr__(self, "frame", frame)
            object.__setattr__(self, "steps", steps_of(self.distances_m))
        elif self.name == "pair correlation":
            half = half_width(None, self.n, self.outline, self.correction)
            smoother = Smoother(self.outline, self.distances_m, half, self.correction, True)  # noqa: FBT003
            object.__setattr__(self, "smoother", smoother)
        elif self.name in ("F", "J"):
            places = grid_of(self.outline)
            object.__setattr__(self, "places", places)
            object.__setattr__(self, "edge", border_distance(places, self.outline))


def function_named(
    function: Callable[..., SummaryFunction],
    correction: str | None,
    outline: Outline,
    *,
    cross: bool = False,
    wraps: bool = False,
) -> tuple[str, str]:
    """
    Recognise a function and its edge correction.

    Parameters
    ----------
    function : callable
        One of those that can be simulated.
    correction : str or None
        Asked for; None for the function's own.
    outline : Outline
        The window.
    cross : bool, default False
        Whether the points that are looked at are of another kind.
    wraps : bool, default False
        Whether patterns are drawn that go on at the other side of the window.

    Returns
    -------
    name, correction : str
        As `Evaluator` knows them.

    Raises
    ------
    GeometryError
        If the correction is not for this window.
    ValueError
        If the function or its correction is none of these.
    """
    if function not in _NAMES or (cross and function not in _CROSS):
        choice = ", ".join(known.__name__ for known in (_CROSS if cross else _NAMES))
        kinds = "two kinds" if cross else "one kind"
        message = f"function is {function!r}; for points of {kinds} it must be one of {choice}."
        raise ValueError(message)
    name = _NAMES[function]
    known: tuple[str, ...] = _SPACINGS
    own = "kaplan-meier"
    if name in ("K", "L"):
        known, own = CORRECTIONS, "periodic" if wraps else "isotropic"
    elif name == "pair correlation":
        known, own = SMOOTHED, "isotropic"
    chosen = correction or own
    if chosen not in known:
        message = f"correction is {chosen!r}; it must be one of {', '.join(known)}."
        raise ValueError(message)
    if wraps and chosen != "periodic":
        message = (
            f"A random shift goes on at the other side of the window, and {chosen} measures "
            "only within it, so that the test would reject more often than it states. Use ripley_l "
            "or ripley_k, whose periodic correction goes around as well."
        )
        raise ValueError(message)
    if chosen == "periodic" and not outline.rectangular:
        message = "A periodic correction needs a window that is a rectangle, which this one is not."
        raise GeometryError(message)
    return name, chosen


def one_curve(evaluator: Evaluator, xy: Floats, other: Floats | None = None) -> Floats:
    """
    Evaluate a function for one pattern.

    Parameters
    ----------
    evaluator : Evaluator
        The function and the window.
    xy : numpy.ndarray, shape (n, 2)
        Points in the window.
    other : numpy.ndarray, shape (m, 2), optional
        Points of another kind that they look at.

    Returns
    -------
    numpy.ndarray, shape (m,)
        Its values; NaN where it cannot be estimated.
    """
    outline, distances = evaluator.outline, evaluator.distances_m
    n, m = len(xy), len(xy) - 1 if other is None else len(other)
    if n < 1 or m < 1:  # a model may draw too few for a pair
        return np.zeros(len(distances))
    if evaluator.name in ("G", "F", "J"):
        return _spacing_curve(evaluator, xy, other)
    if evaluator.frame is not None and other is None:
        return np.asarray(_pair_curves(evaluator, [xy])[0])
    blocks = 1 if n < _MANY else 64
    if evaluator.smoother is not None:
        total = smoothed_sum(evaluator.smoother, xy, other, blocks=blocks)
        g = total * outline.area_m2 / (2 * np.pi * n * m)
        return np.asarray(np.where(distances > 0, g, np.nan))
    border = border_distance(xy, outline) if evaluator.correction == "border" else None
    total = pair_sum(
        xy,
        other,
        outline,
        evaluator.frame,  # type: ignore[arg-type]
        distances,
        evaluator.correction,
        border=border,
        blocks=blocks,
    )
    inner = None
    if border is not None:
        inner = np.float64(n) - np.searchsorted(np.sort(border), distances).astype(np.float64)
    k = k_of_sums(total, n, m, outline.area_m2, inner)
    return np.asarray(np.sqrt(k / np.pi) if evaluator.name == "L" else k)


def many_curves(evaluator: Evaluator, patterns: list[tuple[Floats, Floats | None]]) -> Floats:
    """
    Evaluate a function for some patterns.

    Parameters
    ----------
    evaluator : Evaluator
        The function and the window.
    patterns : list of tuple
        Points, and those of another kind or None, as in `one_curve`.

    Returns
    -------
    numpy.ndarray, shape (len(patterns), m)
        A curve each.
    """
    if evaluator.frame is not None and all(other is None for _, other in patterns):
        return _pair_curves(evaluator, [xy for xy, _ in patterns])
    return np.array([one_curve(evaluator, *pattern) for pattern in patterns])


def _pair_curves(evaluator: Evaluator, patterns: list[Floats]) -> Floats:
    """Return K or L of some patterns of one kind, in one compiled loop."""
    import geo._pairs as loops  # noqa: PLC0415 - numba loads with the first sum

    n = np.array([len(xy) for xy in patterns])
    out = np.zeros((len(patterns), len(evaluator.distances_m) + 1))
    inner = np.zeros((len(patterns), len(evaluator.distances_m)))
    loops.pattern_sums(
        0,
        len(patterns),
        np.concatenate(patterns),
        np.append(0, np.cumsum(n)),
        evaluator.steps,  # type: ignore[arg-type]
        CORRECTIONS.index(evaluator.correction),
        evaluator.frame,  # type: ignore[arg-type]
        out,
        inner,
    )
    bordered, many = evaluator.correction == "border", n[:, None]
    area = evaluator.outline.area_m2
    k = k_of_sums(out[:, :-1], many, many - (not bordered), area, inner if bordered else None)
    # a pattern without a pair has no neighbours at any distance
    k[n < 2] = 0.0  # noqa: PLR2004 - a pair
    return np.asarray(np.sqrt(k / np.pi) if evaluator.name == "L" else k)


def _spacing_curve(evaluator: Evaluator, xy: Floats, other: Floats | None) -> Floats:
    """Return G, F or J of one pattern."""
    outline, distances, correction = evaluator.outline, evaluator.distances_m, evaluator.correction
    if evaluator.places is not None and evaluator.edge is not None:
        length = nearest_of(evaluator.places, xy, outline)
        empty = corrected_share(length, evaluator.edge, outline, distances, correction)
        if evaluator.name == "F":
            return empty
    length, edge = nearest_of(xy, other, outline), border_distance(xy, outline)
    near = corrected_share(length, edge, outline, distances, correction)
    return near if evaluator.name == "G" else ratio_j(near, empty)
