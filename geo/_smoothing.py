"""Kernel sums over pairs of points by their distance: behind pair and mark correlations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from geo._corrections import frame_of
from geo._inputs import positive_length
from geo._outlines import in_rows
from geo._threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._outlines import Outline
    from geo._pairs import Frame

    Floats = NDArray[np.float64]

__all__ = ["SMOOTHED", "Smoother", "half_width", "smoothed_sum"]

SMOOTHED = ("none", "isotropic", "translation")
_BLOCKS = 64  # of points i, whatever the number of threads, so that sums are added in one order


@dataclass(frozen=True, eq=False)
class Smoother:
    """
    A kernel over distances, ready for many patterns in one window.

    Parameters
    ----------
    outline : Outline
        The window.
    distances_m : numpy.ndarray, shape (m,)
        Rising.
    half_m : float
        Half the width of the Epanechnikov kernel.
    correction : str
        One of `SMOOTHED`.
    by_distance : bool
        Whether each pair is divided by its own distance.

    Attributes
    ----------
    frame : Frame
        Of the window, up to the last distance at which a pair counts.
    """

    outline: Outline
    distances_m: Floats
    half_m: float
    correction: str
    by_distance: bool
    frame: Frame = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", frame_of(self.outline, self.correction, self.reach_m))

    @property
    def reach_m(self) -> float:
        """The distance from which on no pair counts."""
        return float(self.distances_m[-1]) + self.half_m


def half_width(bandwidth_m: float | None, n: int, outline: Outline, correction: str) -> float:
    """
    Return half the width of a kernel over distances.

    Parameters
    ----------
    bandwidth_m : float or None
        As asked; None for Stoyan's ``0.15 / sqrt(intensity)`` times the square root of 5.
    n : int
        Number of points that are looked at.
    outline : Outline
        Their window.
    correction : str
        Of the edge, which must be one of `SMOOTHED`.

    Returns
    -------
    float
        Metres.

    Raises
    ------
    ValueError
        If it is no positive length, or there is no such correction.
    """
    if correction not in SMOOTHED:
        message = f"correction is {correction!r}; it must be one of {', '.join(SMOOTHED)}."
        raise ValueError(message)
    if bandwidth_m is None:
        return float(np.sqrt(5) * 0.15 / np.sqrt(n / outline.area_m2))
    return positive_length(bandwidth_m, "bandwidth_m")


def smoothed_sum(
    smoother: Smoother,
    xy: Floats,
    other: Floats | None,
    *,
    weight: Floats | None = None,
    blocks: int = _BLOCKS,
) -> Floats:
    """
    Add the kernels of all ordered pairs at each distance.

    Parameters
    ----------
    smoother : Smoother
        The kernel and the window.
    xy : numpy.ndarray, shape (n, 2)
        The points from which pairs are seen.
    other : numpy.ndarray, shape (m, 2), or None
        The points that they see; None for the same points, of which none sees itself.
    weight : numpy.ndarray, shape (n,), optional
        Of the points `xy`: without others a pair counts by the product of both.
    blocks : int
        How many parts are summed for themselves; one for small patterns in many threads.

    Returns
    -------
    numpy.ndarray, shape (m,)
        The sums.
    """
    import geo._pairs as loops  # noqa: PLC0415 - numba loads with the first sum

    if other is None:
        # neighbours in the array are neighbours in the plane
        rows = in_rows(xy, smoother.outline, smoother.reach_m, weight=weight)
        points = rows.points
    else:
        rows = in_rows(other, smoother.outline, smoother.reach_m)
        # in an order of their own: sums must not depend on that of the rows
        points = in_rows(xy, smoother.outline, smoother.reach_m, weight=weight).points
    code = {"none": loops.NONE, "isotropic": loops.ISOTROPIC, "translation": loops.TRANSLATION}
    out = np.zeros((blocks, len(smoother.distances_m)))
    starts = np.linspace(0, len(xy), blocks + 1).astype(int)

    def add(first: int, stop: int) -> None:
        for block in range(first, stop):
            loops.pair_densities(
                starts[block],
                starts[block + 1],
                points,
                other is None,
                rows,
                smoother.distances_m,
                smoother.half_m,
                smoother.by_distance,
                code[smoother.correction],
                smoother.frame,
                out[block],
            )

    in_threads(add, blocks, portion=1)
    return np.asarray(out.sum(axis=0))
