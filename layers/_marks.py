"""Reports as marks on paper: places, and symbols that do not hide each other."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, partial
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from layers._frames import column, in_degrees, in_the_plane, lonlat_of
from layers._letters import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from layers._plane import Plane
    from layers.scales import Scale

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "SMALLEST_MM",
    "Places",
    "Symbol",
    "places_of",
    "radius_mm",
    "symbols_of",
    "without_asides",
]

_UNIT_MM = 1.05  # radius of one report, where that keeps the largest within bounds
_LARGEST_SHARE = 0.036  # of the map's width: radius of the symbol with most reports
SMALLEST_MM = 0.75
_OVERLAP = 0.95  # symbols merge where they are nearer than this share of their radii
_DOT_MM = 1.0  # symbols in a square of this size overlap, however small they are
_NEARLY = 0.95

_ASIDE = re.compile(r"(,| \().*$")
_KIND = re.compile(r" (city|commune|district|municipality|town|township)$")


@dataclass(frozen=True, eq=False)
class Places:
    """
    The distinct places of a frame.

    Parameters
    ----------
    lonlat : numpy.ndarray, shape (n, 2)
        Degrees.
    counts : numpy.ndarray of int, shape (n, k)
        Reports by status, in the order of the scale; last those of none of its keys.
    rows : numpy.ndarray of int
        Positions of the located rows, place by place.
    words : tuple of numpy.ndarray
        Locality, name and province of each located row.
    n_unlocated, n_polar : int
        Rows without a location, and too near a pole to be drawn.
    """

    lonlat: Floats
    counts: Ints
    rows: Ints
    words: tuple[NDArray[np.object_], ...]
    n_unlocated: int
    n_polar: int

    @cached_property
    def _starts(self) -> Ints:
        return np.append(0, np.cumsum(self.counts.sum(axis=1)))

    def name(self, place: int) -> str:
        """
        Say what a place is called: its locality, else the one site there, else its province.

        Parameters
        ----------
        place : int
            Its position.

        Returns
        -------
        str
            Empty where nothing is known.
        """
        rows = self.rows[self._starts[place] : self._starts[place + 1]]
        localities, names, provinces = (
            Counter(filter(None, (printable(word) for word in words[rows]))) for words in self.words
        )
        if localities:
            return _KIND.sub("", without_asides(_commonest(localities)))
        if len(names) == 1 or not provinces:
            return without_asides(_commonest(names))
        return _commonest(provinces)


@dataclass
class Symbol:
    """
    One mark for one or several places.

    Parameters
    ----------
    members : list of int
        Positions of its places, the one where it stands first.
    mm : numpy.ndarray, shape (2,)
        Where it stands.
    counts : numpy.ndarray of int, shape (k,)
        Reports by status.
    radius_mm : float
        Its size.
    """

    members: list[int]
    mm: Floats
    counts: Ints
    radius_mm: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, lower, right, upper edge in millimetres, with the ring around it."""
        (x, y), r = self.mm.tolist(), self.radius_mm + 0.3
        return (x - r, y - r, x + r, y + r)

    @property
    def total(self) -> int:
        """Number of reports."""
        return int(self.counts.sum())


def places_of(sites: gpd.GeoDataFrame, scale: Scale) -> Places:
    """
    Gather the rows that share a coordinate.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites.
    scale : Scale
        Its keys are the statuses that are told apart.

    Returns
    -------
    Places
        In the order of their coordinates, whatever the order of the rows.
    """
    frame = in_degrees(sites, "Point", argument="sites")
    drawn = in_the_plane(frame)
    n_located = int(frame.geometry.notna().sum())
    here = frame[drawn]
    places, place = np.unique(lonlat_of(here), axis=0, return_inverse=True)
    place = place.ravel()
    status = column(here, "status").astype(object).fillna("unknown")
    kinds = status.map({key: i for i, key in enumerate(scale.keys)}).fillna(len(scale.keys))
    counts = np.zeros((len(places), len(scale.keys) + 1), dtype=np.int64)
    np.add.at(counts, (place, kinds.to_numpy(int)), 1)
    rows = np.argsort(place, kind="stable")
    words = tuple(column(here, c).to_numpy(object) for c in ("locality", "name", "admin1"))
    return Places(places, counts, rows, words, len(frame) - n_located, n_located - len(here))


def radius_mm(total: int, unit_mm: float) -> float:
    """
    Return the radius of a symbol, so that area is proportional to count.

    Parameters
    ----------
    total : int
        Its reports.
    unit_mm : float
        Radius of one report, from `symbols_of`.

    Returns
    -------
    float
        In millimetres; never too small to be seen.
    """
    return max(SMALLEST_MM, unit_mm * sqrt(total))


def symbols_of(places: Places, plane: Plane) -> tuple[list[Symbol], float]:
    """
    Merge places whose symbols would overlap, as the map on the screen does.

    Parameters
    ----------
    places : Places
        What is drawn.
    plane : Plane
        Where; places beyond its edge are left out.

    Returns
    -------
    symbols : list of Symbol
        The largest first: each stands at its largest place, and the others have joined it.
    unit_mm : float
        Radius of one report, such that the largest symbol keeps within its bounds.
    """
    mm = plane.mm(places.lonlat)
    inside = np.flatnonzero(((mm >= 0) & (mm <= [plane.width_mm, plane.height_mm])).all(axis=1))
    dots = _dots(inside, mm, places.counts.sum(axis=1))

    most_mm = _LARGEST_SHARE * plane.width_mm

    def merged(radius: Callable[[int], float]) -> list[Symbol]:
        each = [Symbol(dot, mm[dot[0]], places.counts[dot].sum(axis=0), 0.0) for dot in dots]
        return _apart(each, radius)

    def fitting(symbols: list[Symbol], largest_mm: float) -> float:
        most = max((symbol.total for symbol in symbols), default=1)
        return min(_UNIT_MM, largest_mm / sqrt(most))

    unit = fitting(merged(lambda _: SMALLEST_MM), most_mm)
    # Larger symbols take in more of the others and grow again: until the largest has its size.
    while True:
        symbols = merged(partial(radius_mm, unit_mm=unit))
        smaller = fitting(symbols, most_mm)
        if smaller >= _NEARLY * unit:
            break
        unit = smaller
    if len(symbols) > 1 and unit * sqrt(max(s.total for s in symbols)) < 2 * SMALLEST_MM:
        # So dense that only specks would be left: share the map out evenly instead.
        symbols = merged(lambda _: most_mm / 2)
        unit = fitting(symbols, most_mm / 2)
    for symbol in symbols:
        symbol.radius_mm = radius_mm(symbol.total, unit)
    return sorted(symbols, key=lambda s: (-s.total, tuple(s.mm))), unit


def _apart(symbols: list[Symbol], radius: Callable[[int], float]) -> list[Symbol]:
    """Let symbols join the nearest larger one that they would overlap, until none does."""
    before = len(symbols) + 1
    while len(symbols) < before:
        before = len(symbols)
        symbols = _joined(symbols, radius)
    return symbols


def _joined(symbols: list[Symbol], radius: Callable[[int], float]) -> list[Symbol]:
    """Let each symbol, the largest first, stand by itself or join one that does."""
    kept: list[Symbol] = []
    centres, radii = np.empty((len(symbols), 2)), np.empty(len(symbols))
    for symbol in sorted(symbols, key=lambda s: (-s.total, tuple(s.mm))):
        n, own = len(kept), radius(symbol.total)
        gap = np.hypot(*(centres[:n] - symbol.mm).T)
        gap = np.where(gap < _OVERLAP * (own + radii[:n]), gap, np.inf)
        nearest = int(gap.argmin()) if n else 0
        if n and np.isfinite(gap[nearest]):
            host = kept[nearest]
            host.members = host.members + symbol.members
            host.counts = host.counts + symbol.counts
            radii[nearest] = radius(host.total)
            continue
        centres[n], radii[n] = symbol.mm, own
        kept.append(symbol)
    return kept


def _dots(rows: Ints, mm: Floats, totals: Ints) -> list[list[int]]:
    """Group places that no print can part, the largest of each group first."""
    order = rows[np.lexsort((rows, -totals[rows]))]
    groups: dict[tuple[int, int], list[int]] = {}
    for row, (x, y) in zip(order.tolist(), (mm[order] // _DOT_MM).astype(int), strict=True):
        groups.setdefault((x, y), []).append(row)
    return list(groups.values())


def without_asides(text: str) -> str:
    """
    Shorten what a place is called to what a label has room for.

    Parameters
    ----------
    text : str
        For example "Sihanoukville, Sangkat Bei" or "Poipet (plaza opposite the market)".

    Returns
    -------
    str
        What stands before the first comma or bracket.
    """
    return _ASIDE.sub("", text)


def _commonest(words: Counter[str]) -> str:
    """Return the commonest; of equally common ones the shortest, then first in the alphabet."""
    return min(words, key=lambda word: (-words[word], len(word), word), default="")
