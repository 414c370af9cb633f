"""Edge corrections of sums over pairs: from arrays of points to K, in metres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import translate

from geo._outlines import Outline, in_rows
from geo._resolution import metres
from geo._threads import in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._pairs import Frame, Steps

    Floats = NDArray[np.float64]

__all__ = [
    "CORRECTIONS",
    "border_distance",
    "frame_of",
    "k_of_sums",
    "overlap_shares",
    "pair_sum",
    "steps_of",
]

CORRECTIONS = ("none", "border", "isotropic", "translation", "periodic")
_BLOCKS = 64  # of points i, whatever the number of threads, so that sums are added in one order
_FINE, _ROUGH = (48, 180), (24, 96)  # rows and directions of the table of overlaps
_CELLS = 4096  # in which distances are looked up


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


def frame_of(outline: Outline, correction: str, reach_m: float, *, rough: bool = False) -> Frame:
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
    rough : bool, default False
        Whether overlaps may be off by some 1e-4, as where patterns are only compared with each
        other.

    Returns
    -------
    Frame
        For the kernels; with a table of overlaps if the window is no rectangle and pairs are to be
        corrected by translation.

    Raises
    ------
    ValueError
        If a periodic window is asked for distances beyond its shorter side.
    """
    import geo._pairs as loops  # noqa: PLC0415 - numba loads with the first sum

    if correction == "periodic" and reach_m > min(outline.sides):
        message = (
            f"Distances go to {metres(reach_m)}, and the shorter side of the window is "
            f"{metres(min(outline.sides))}: beyond it a periodic window meets itself again."
        )
        raise ValueError(message)
    table = np.empty((0, 0))
    if correction == "translation" and not outline.rectangular:
        # directions at equal steps along the side of a diamond, as the kernels find them
        rows, turns = _ROUGH if rough else _FINE
        turn = np.linspace(0, 2, turns + 1)[:-1]
        way = (1 - turn) + 1j * np.minimum(turn, 2 - turn)
        shifts = np.multiply.outer(np.linspace(0, reach_m, rows + 1), way / np.abs(way)).ravel()
        shares = overlap_shares(outline, shifts.real, shifts.imag).reshape(rows + 1, turns)
        table = np.ascontiguousarray(np.hstack([shares, shares[:, :1]]))
    west, south, _, _ = outline.box
    return loops.Frame(
        west, south, *outline.sides, outline.rectangular, outline.edges, table, float(reach_m)
    )


def steps_of(r: Floats) -> Steps:
    """
    Prepare distances to be found fast.

    Parameters
    ----------
    r : numpy.ndarray, shape (m,)
        Rising.

    Returns
    -------
    Steps
        For the kernels.
    """
    import geo._pairs as loops  # noqa: PLC0415

    most = float(r[-1])
    scale = _CELLS / most if most > 0 else 0.0
    # a hair earlier than each cell begins, whatever way its beginning was rounded
    begins = np.arange(_CELLS + 2) / scale * (1 - 1e-12) if most > 0 else np.zeros(_CELLS + 2)
    guess = np.minimum(np.searchsorted(r, begins, side="left"), len(r) - 1)
    return loops.Steps(np.ascontiguousarray(r), guess, scale)


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


def k_of_sums(
    total: Floats, n: Floats | int, m: Floats | int, area_m2: float, inner: Floats | None = None
) -> Floats:
    """
    Turn sums over pairs into K.

    Parameters
    ----------
    total : numpy.ndarray, shape (..., k)
        The weights of the pairs up to each distance.
    n, m : int or numpy.ndarray
        Points that look, and points that each of them sees; under border correction all that are
        seen.
    area_m2 : float
        Of the window.
    inner : numpy.ndarray, shape (..., k), optional
        Under border correction the points that look at each distance.

    Returns
    -------
    numpy.ndarray, shape (..., k)
        Square metres; NaN where no point looks.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total * area_m2 / ((n if inner is None else inner) * m))


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
        Of the points on either side; that of the others only if there are any.
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

    last = None if border is None else np.searchsorted(r, border, side="right") - 1
    if other is None:
        # neighbours in the array are neighbours in the plane
        rows = in_rows(xy, outline, float(r[-1]), weight=weight, last=last)
        points = rows.points
    else:
        rows = in_rows(other, outline, float(r[-1]), weight=other_weight)
        # in an order of their own: sums must not depend on that of the rows
        points = in_rows(xy, outline, float(r[-1]), weight=weight, last=last).points
    out = np.zeros((blocks, len(r) + 1))
    starts = np.linspace(0, len(xy), blocks + 1).astype(int)
    steps, code = steps_of(r), CORRECTIONS.index(correction)

    def add(first: int, stop: int) -> None:
        for block in range(first, stop):
            loops.pair_sums(
                starts[block],
                starts[block + 1],
                points,
                other is None,
                rows,
                steps,
                code,
                frame,
                out[block],
            )

    in_threads(add, blocks, portion=1)
    return np.cumsum(out.sum(axis=0))[: len(r)]
