"""Whether numbers of a file are coordinates of places, or agree with them by chance.

A file with many numbers, held against many places, agrees here and there by chance. How often is
read from the file itself: from the numbers that come near a place, in the same order and company,
without agreeing with it. Agreements are findings where so many are less likely than `_LIKELY`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layers._numbers import EXACT, FINE, Numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["Pairs", "Plane", "agreeing_pairs", "agreeing_values", "plane_of"]

_LIKELY = 5e-3  # pairs agree by chance in fewer files than this; to miss one is worse
_LIKELY_ALONE = 1e-4  # and single numbers, of which every file has more
_NEAR = 500.0  # cells: numbers this near tell how often chance leads to the same one
_SHARE = 1.5 / (2 * _NEAR)  # of what is near that agrees: half a unit above, one below
_MOST_NEAR = 0.5  # of the whole plane's degree: beyond, the country itself ends
_ROWS = 1_000_000  # agreements that are looked at in one go
_CLASSES = 14  # powers of ten of a cell, from 100 to 1e-9 and below
_SLACK = 1e-10
_PAIR = 2


class Axis(NamedTuple):
    """Coordinates of all places along one axis, sorted, and the place of each."""

    values: Floats
    order: Ints

    def within(self, low: Floats, high: Floats) -> tuple[Ints, Ints]:
        """Tell from where to where the coordinates lie between bounds."""
        first = np.searchsorted(self.values, low).astype(np.int64)
        last = first.copy()
        # Most numbers are no place's: the second search is for the few that are.
        some = np.append(self.values, np.inf)[first] <= high
        last[some] = np.searchsorted(self.values, high[some], side="right")
        return first, last


class Plane(NamedTuple):
    """
    The places in one coordinate system, without signs.

    Parameters
    ----------
    form : str
        What a pair of these coordinates is called.
    x, y : numpy.ndarray
        Coordinates: longitude and latitude, or metres.
    place : numpy.ndarray of int
        Which place each pair is; several may be one.
    degree : float
        One degree in units of the plane.
    by_x, by_y : Axis
        The same, sorted.
    """

    form: str
    x: Floats
    y: Floats
    place: Ints
    degree: float
    by_x: Axis
    by_y: Axis

    @property
    def ranges(self) -> list[tuple[float, float]]:
        """Least and greatest of either axis."""
        pad = 1e-4 * self.degree
        return [
            (max(axis.values[0] - pad, pad), axis.values[-1] + pad)
            for axis in (self.by_x, self.by_y)
        ]


class Pairs(NamedTuple):
    """Agreements: rows of the plane, and the numbers that are their latitude and longitude."""

    row: Ints
    first: Ints
    second: Ints
    rank: Ints


def plane_of(form: str, x: Floats, y: Floats, place: Ints, degree: float = 1.0) -> Plane:
    """
    Sort places along both axes.

    Parameters
    ----------
    form : str
        What a pair of these coordinates is called.
    x, y : numpy.ndarray
        Coordinates; pairs that are not finite are left out.
    place : numpy.ndarray of int
        Which place each pair is.
    degree : float, default 1
        One degree in units of the plane.

    Returns
    -------
    Plane
        The places.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y, place = np.abs(x[known]), np.abs(y[known]), place[known]
    by_x, by_y = (
        Axis(values[order], order)
        for values, order in ((x, np.argsort(x, kind="stable")), (y, np.argsort(y, kind="stable")))
    )
    return Plane(form, x, y, place, degree, by_x, by_y)


def agreeing_pairs(
    numbers: Numbers,
    planes: Sequence[Plane],
    *,
    reach: int,
    steps: int,
    finest: float,
    known: Callable[[Floats, Floats, Floats], Bools] | None = None,
) -> list[Ints]:
    """
    Find places both of whose coordinates stand near each other.

    Parameters
    ----------
    numbers : Numbers
        In the units of the planes.
    planes : sequence of Plane
        The places, and what else lies where they do.
    reach : int
        How far apart the two may stand; with three decimals only, side by side.
    steps : int
        How many numbers of that size apart, at most.
    finest : float
        Numbers agree if they differ by this, however fine they are.
    known : callable, optional
        Tells which pairs of x and y, with their tolerance, may be shown.

    Returns
    -------
    list of numpy.ndarray of int
        Rows of each plane, without repetition.
    """
    none = np.zeros(0, dtype=np.int64)
    numbers = _candidates(numbers, planes[0], finest)
    if len(numbers.at) < _PAIR:
        return [none] * len(planes)
    answer = []
    for plane in planes:
        found, chance = _pairs(numbers, plane, reach, steps)
        if known is not None and len(found.row):
            unit = np.maximum(numbers.unit[found.first], numbers.unit[found.second])
            shown = known(numbers.value[found.second], numbers.value[found.first], unit)
            found = Pairs(*(part[~shown] for part in found))
        rows = [none]
        for rank in np.unique(found.rank).tolist():
            here = np.unique(found.row[found.rank == rank])
            if _is_finding(_places(plane, here), chance[rank], _LIKELY):
                rows.append(here)
        answer.append(np.unique(np.concatenate(rows)))
    return answer


def agreeing_values(
    numbers: Numbers,
    plane: Plane,
    *,
    finest: float,
    known: Callable[[Floats, Floats], Bools] | None = None,
) -> Ints:
    """
    Find places of which one coordinate stands alone, where chance cannot explain it.

    Parameters
    ----------
    numbers : Numbers
        In the units of the plane.
    plane : Plane
        The places.
    finest : float
        Numbers agree if they differ by this, however fine they are.
    known : callable, optional
        Tells which numbers, with their tolerance, may be shown.

    Returns
    -------
    numpy.ndarray of int
        Rows of the plane, without repetition.
    """
    rows = [np.zeros(0, dtype=np.int64)]
    fine = numbers.cell < FINE * plane.degree
    for axis in (plane.by_x, plane.by_y):
        if not len(axis.values) or not fine.any():
            continue
        pad = plane.degree
        near = (numbers.value > axis.values[0] - pad) & (numbers.value < axis.values[-1] + pad)
        chosen = _floored(numbers.take(fine & near), finest)
        ranks = _rank(chosen.cell)
        for rank in np.unique(ranks).tolist():
            here = chosen.take(ranks == rank)
            rows.append(_alone(here, axis, plane.degree, known))
    return np.unique(np.concatenate(rows))


def _alone(
    numbers: Numbers,
    axis: Axis,
    degree: float,
    known: Callable[[Floats, Floats], Bools] | None,
) -> Ints:
    """Find coordinates of one axis among numbers of one precision."""
    value, index = np.unique(numbers.value, return_index=True)
    unit, cell = numbers.unit[index], float(numbers.cell.max())
    number, at = _agreements(value, unit, axis)
    if not len(number):
        return number
    if known is not None:
        shown = known(value[number], unit[number])
        number, at = number[~shown], at[~shown]
    distinct = np.unique(axis.values)
    near = min(_NEAR * cell, _MOST_NEAR * degree)
    around = np.searchsorted(value, distinct + near) - np.searchsorted(value, distinct - near)
    close = np.searchsorted(value, distinct + cell) - np.searchsorted(value, distinct - 1.5 * cell)
    share = min(1.0, 1.5 * cell / (2 * near))
    local = float((around - np.minimum(close, around)).sum()) * share
    span = max(float(distinct[-1] - distinct[0]), degree)
    overall = len(value) * len(distinct) * 1.5 * cell / span
    hits = len(np.unique(value[number]))
    if not hits or not _is_finding(hits, max(local, overall), _LIKELY_ALONE):
        return np.zeros(0, dtype=np.int64)
    return axis.order[at]


def _candidates(numbers: Numbers, plane: Plane, finest: float) -> Numbers:
    """Keep numbers that can be a coordinate of the plane, beside one that is fine enough."""
    if not len(plane.x) or len(numbers.at) < _PAIR:
        return numbers.take(np.zeros(0, dtype=np.int64))
    near = np.zeros(len(numbers.at), dtype=np.bool_)
    pad = _MOST_NEAR * plane.degree
    for axis in (plane.by_x, plane.by_y):
        near |= (numbers.value > axis.values[0] - pad) & (numbers.value < axis.values[-1] + pad)
    numbers = _floored(numbers.take(near), finest)
    fine = numbers.cell < FINE * plane.degree
    beside = fine.copy()
    beside[1:] |= fine[:-1]
    beside[:-1] |= fine[1:]
    return numbers.take(beside)


def _floored(numbers: Numbers, finest: float) -> Numbers:
    """Let numbers agree that differ by less than matters; coarse ones still must be equal."""
    exact = (numbers.unit <= EXACT) & (numbers.cell >= 10 * FINE / 1.1)
    unit = np.where(exact, numbers.unit, np.maximum(numbers.unit, finest))
    return numbers._replace(unit=unit, cell=np.maximum(numbers.cell, finest))


def _agreements(value: Floats, unit: Floats, axis: Axis) -> tuple[Ints, Ints]:
    """Pair each number with each coordinate that it can be, rounded or cut off."""
    low, high = axis.within(value - unit / 2 - _SLACK, value + unit + _SLACK)
    counts = high - low
    number = np.repeat(np.arange(len(value)), counts)
    at = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts - low, counts)
    return number, at


def _pieces(counts: Ints) -> Iterator[slice]:
    """Cut numbers into pieces with not too many agreements each."""
    total = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = int(total[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + _ROWS, side="right")))
        yield slice(start, stop)
        start = stop


def _pairs(numbers: Numbers, plane: Plane, reach: int, steps: int) -> tuple[Pairs, Floats]:
    """Find agreeing pairs, and how many of each precision chance would give."""
    low, high = plane.by_y.within(
        numbers.value - numbers.unit / 2 - _SLACK, numbers.value + numbers.unit + _SLACK
    )
    chance = np.zeros(_CLASSES)
    found = []
    for piece in _pieces(high - low):
        number, at = _agreements(numbers.value[piece], numbers.unit[piece], plane.by_y)
        row = plane.by_y.order[at]
        pairs, expected = _partners(numbers, plane, number + piece.start, row, (reach, steps))
        found.append(pairs)
        chance += expected
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True))), chance


def _partners(
    numbers: Numbers, plane: Plane, number: Ints, row: Ints, within: tuple[int, int]
) -> tuple[Pairs, Floats]:
    """Look around numbers that are the latitude of a place for its longitude."""
    reach, steps = within
    hit = np.zeros(len(number), dtype=np.bool_)
    found, missed = [], []
    last = len(numbers.at) - 1
    for step in [*range(-steps, 0), *range(1, steps + 1)]:
        other = np.clip(number + step, 0, last)
        near = (other == number + step) & (np.abs(numbers.at[other] - numbers.at[number]) <= reach)
        cell = np.maximum(numbers.cell[number], numbers.cell[other])
        fine = np.minimum(numbers.cell[number], numbers.cell[other]) < FINE * plane.degree
        near &= fine & ((cell < FINE * plane.degree / 2) | (abs(step) == 1))
        gap, unit = plane.x[row] - numbers.value[other], numbers.unit[other]
        agree = near & (gap >= -unit / 2 - _SLACK) & (gap <= unit + _SLACK)
        around = np.minimum(_NEAR * numbers.cell[other], _MOST_NEAR * plane.degree)
        chosen = np.flatnonzero(near & ~agree & (np.abs(gap) <= around))
        share = np.minimum(1.0, 1.5 * numbers.cell[other] / (2 * around))
        missed.append((chosen, _rank(cell[chosen]), share[chosen]))
        hits = np.flatnonzero(agree)
        hit[hits] = True
        found.append(Pairs(row[hits], number[hits], other[hits], _rank(cell[hits])))
    rows, ranks, shares = (np.concatenate(part) for part in zip(*missed, strict=True))
    apart = ~hit[rows]
    chance = np.zeros(_CLASSES)
    np.add.at(chance, ranks[apart], shares[apart])
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True))), chance


def _rank(cell: Floats) -> Ints:
    """Give the power of ten of a cell, from 100 down."""
    power = np.rint(np.log10(np.maximum(cell, 1e-11)))
    rank: Ints = np.clip(2 - power, 0, _CLASSES - 1).astype(np.int64)
    return rank


def _places(plane: Plane, rows: Ints) -> int:
    """Count the distinct coordinates of rows."""
    return len(np.unique(np.column_stack([plane.x[rows], plane.y[rows]]), axis=0))


def _is_finding(found: int, expected: float, likely: float) -> bool:
    """Tell whether so many agreements are too many for chance, by Poisson's law."""
    from scipy.special import gammainc  # noqa: PLC0415 - loads a library of its own

    return bool(expected == 0 or gammainc(found, expected) < likely)
