"""Edge corrections of sums over pairs: from arrays of points to K, in metres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import translate

from geo._outlines import Outline, in_rows
from geo._threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._pairs import Frame

    Floats = NDArray[np.float64]

__all__ = ["CORRECTIONS", "border_distance", "frame_of", "pair_sum"]

CORRECTIONS = ("none", "border", "isotropic", "translation", "periodic")
_BLOCKS = 64  # of points i, whatever the number of threads, so that sums are added in one order
_ROWS, _TURNS = 48, 180  # of the table of overlaps


def border_distance(xy: Floats, outline: Outline) -> Floats:
    """
    Measure the distance from points to the outline of their window.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        Points in the window.
    outline : Outline
        The window.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Metres.
    """
    import geo._pairs as loops  # noqa: PLC0415 - numba loads with the first sum

    x, y = (np.ascontiguousarray(part) for part in xy.T)
    distance = np.empty(len(x))
    in_threads(
        lambda start, stop: loops.border_distances(start, stop, x, y, outline.edges, distance),
        len(x),
    )
    return distance


def frame_of(outline: Outline, correction: str, reach_m: float) -> Frame:
    """
    Prepare a window for the weights of pairs.

    Parameters
    ----------
    outline : Outline
        The window.
    correction : str
        One of `CORRECTIONS`.
    reach_m : float
        The greatest distance of a pair.

    Returns
    -------
    Frame
        For the kernels; with a table of overlaps if the window is no rectangle and pairs are to be
        corrected by translation.
    """
    import geo._pairs as loops  # noqa: PLC0415 - numba loads with the first sum

    table = np.empty((0, 0))
    if correction == "translation" and not outline.rectangular:
        steps, turns = np.linspace(0, reach_m, _ROWS + 1), np.linspace(0, np.pi, _TURNS + 1)
        shifts = np.multiply.outer(steps, np.exp(1j * turns[:-1])).ravel()
        shares = overlap_shares(outline, shifts.real, shifts.imag).reshape(_ROWS + 1, _TURNS)
        table = np.ascontiguousarray(np.hstack([shares, shares[:, :1]]))
    return loops.Frame(*outline.sides, outline.edges, table, float(reach_m))


def overlap_shares(outline: Outline, dx: Floats, dy: Floats) -> Floats:
    """
    Measure the share of a window that overlaps with itself when it is moved.

    Parameters
    ----------
    outline : Outline
        The window.
    dx, dy : numpy.ndarray, shape (k,)
        By how much, in metres.

    Returns
    -------
    numpy.ndarray, shape (k,)
        From 0 to 1, exact.
    """
    share = np.empty(len(dx))

    def measure(start: int, stop: int) -> None:
        moved = [
            translate(outline.window, *shift)
            for shift in zip(dx[start:stop], dy[start:stop], strict=True)
        ]
        share[start:stop] = shapely.area(shapely.intersection(outline.window, moved))

    in_threads(measure, len(dx))
    return share / outline.area_m2


def pair_sum(
    xy: Floats,
    other: Floats | None,
    outline: Outline,
    frame: Frame,
    r: Floats,
    correction: str,
    *,
    weight: Floats | None = None,
    other_weight: Floats | None = None,
    border: Floats | None = None,
    blocks: int = _BLOCKS,
) -> Floats:
    """
    Add the weights of all ordered pairs by distance.

    Parameters
    ----------
    xy : numpy.ndarray, shape (n, 2)
        The points from which pairs are seen.
    other : numpy.ndarray, shape (m, 2), or None
        The points that they see; None for the same points, of which none sees itself.
    outline : Outline
        The window.
    frame : Frame
        From `frame_of`.
    r : numpy.ndarray, shape (k,)
        Rising distances.
    correction : str
        One of `CORRECTIONS`.
    weight, other_weight : numpy.ndarray, optional
        Of the points on either side.
    border : numpy.ndarray, shape (n,), optional
        Distances of `xy` to the outline, for the border correction.
    blocks : int
        How many parts are summed for themselves; one for small patterns in many threads.

    Returns
    -------
    numpy.ndarray, shape (k,)
        The sum over the pairs at each distance or less; under border correction, over those whose
        first point is at least as far from the outline.
    """
    import geo._pairs as loops  # noqa: PLC0415 - numba loads with the first sum

    seen = xy if other is None else other
    rows = in_rows(seen, outline, float(r[-1]))
    if other is None:
        # neighbours in the array are neighbours in the plane
        x, y, of = rows.x, rows.y, rows.order
        weight = np.ones(len(x)) if weight is None else weight[of]
        border = None if border is None else border[of]
    else:
        x, y = (np.ascontiguousarray(part) for part in xy.T)
        of = np.full(len(x), -1)
        weight = np.ones(len(x)) if weight is None else weight
    other_weight = np.ones(len(seen)) if other_weight is None else other_weight
    row_weight = np.ascontiguousarray(other_weight[rows.order])
    edge = np.empty(0) if border is None else np.ascontiguousarray(border)
    out = np.zeros((blocks, len(r) + 1))
    cuts = np.linspace(0, len(x), blocks + 1).astype(int)
    code = CORRECTIONS.index(correction)

    def add(first: int, last: int) -> None:
        for block in range(first, last):
            loops.pair_sums(
                cuts[block],
                cuts[block + 1],
                x,
                y,
                of,
                weight,
                rows,
                row_weight,
                r,
                code,
                frame,
                edge,
                out[block],
            )

    in_threads(add, blocks, portion=1)
    return np.cumsum(out.sum(axis=0))[: len(r)]
