"""Counting in cells: whether the number of points in them varies more than by chance."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import geopandas as gpd
import numpy as np
import shapely

from geo._contours import in_degrees, surfaces_in
from geo._functions import CONCENTRATION, facts_of, sentences
from geo._inputs import positive_length, whole_number
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._ranks import monte_carlo_p
from geo._resolution import counted
from geo._sampling import streams
from geo._simulations import simulated
from geo.nullmodels import csr

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._outlines import Outline
    from geo._patterns import Pattern

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Cells: TypeAlias = NDArray[np.object_]
    Finder: TypeAlias = Callable[[Floats], tuple[Ints, NDArray[np.bool_]]]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["QuadratTest", "quadrat_test"]

_LEAST = 1e-9  # of the window, below which a cell is only rounding
_TOUCHING_M = 1e-3  # what a projection moves by less than this is where it was
_FEW = 5  # expected in a cell, below which chi-square is a poor approximation


@dataclass(frozen=True, eq=False)
class QuadratTest:
    """
    The answer of `quadrat_test`.

    Parameters
    ----------
    statistic : float
        Pearson's chi-square of the counts.
    pvalue : float
        From the chi-square distribution, or from simulations if there are any.
    df : int
        Degrees of freedom, one less than the cells.
    alternative : str
        ``two-sided``, ``greater`` (clustering) or ``less`` (regularity).
    cells : geopandas.GeoDataFrame
        In EPSG:4326: ``count``, ``expected`` and ``geometry`` of every cell.
    n_simulations : int
        0 if the p-value is that of the distribution.
    n : int
        Sites used.
    facts : dict
        As in `SummaryFunction`.
    """

    statistic: float
    pvalue: float
    df: int
    alternative: str
    cells: gpd.GeoDataFrame
    n_simulations: int
    n: int
    facts: dict[str, Any]

    def to_frame(self) -> pd.DataFrame:
        """
        Give the cells.

        Returns
        -------
        geopandas.GeoDataFrame
            A copy of ``cells``.
        """
        return self.cells.copy()

    def summary(self) -> str:
        """
        Say in plain words what was tested and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        how = (
            f"{counted(self.n_simulations, 'simulation')}"
            if self.n_simulations
            else "chi-square distribution"
        )
        found = (
            f"{counted(self.n, 'located report')} in {counted(len(self.cells), 'cell')}: "
            f"chi-square {self.statistic:.1f} with {self.df} degrees of freedom, "
            f"p = {self.pvalue:.3g} ({self.alternative}, {how})."
        )
        parts = [found, *sentences(self.facts, self.n)]
        side = float(np.sqrt(self.facts["area_km2"] * 1e6 / len(self.cells)))
        if side < self.facts["smallest_m"]:
            parts.append(
                "Caution: that is more than the width of a cell, so which cell a report belongs to "
                "is not resolvable."
            )
        few = int((self.cells["expected"] < _FEW).sum())
        if few and not self.n_simulations:
            parts.append(
                f"Caution: {counted(few, 'cell')} with fewer than {_FEW} expected; the "
                "distribution is only an approximation: use n_simulations."
            )
        parts.append("Under the hypothesis every place of the window is equally likely.")
        parts.append(CONCENTRATION)
        return " ".join(parts)

    def __repr__(self) -> str:
        return (
            f"QuadratTest(chi-square {self.statistic:.1f}, df={self.df}, p={self.pvalue:.3g}, "
            f"{self.alternative}, {len(self.cells)} cells, {counted(self.n, 'point')})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def quadrat_test(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    nx: int = 5,
    ny: int = 5,
    hexagon_m: float | None = None,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    n_simulations: int = 0,
    rng: np.random.Generator | int | None = None,
    progress: bool = True,
) -> QuadratTest:
    """
    Count points in cells and test whether the counts vary as those of random points.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least one with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    nx, ny : int, default 5
        Cells along each side of the window's box; parts outside the window are cut off.
    hexagon_m : float, optional
        The side of hexagons, in metres, in place of rectangles.
    alternative : {"two-sided", "greater", "less"}, default "two-sided"
        Whether counts vary more ("greater", clustering), less, or either.
    n_simulations : int, default 0
        With more than 0 the p-value is that of simulated patterns of as many points.
    rng : None, int or numpy.random.Generator, optional
        For the same simulations again, whatever the number of threads.
    progress : bool, default True
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    QuadratTest
        Statistic, p-value, cells, ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, or the window is no polygon.
    ValueError
        If no site has a location, there is only one cell, or an argument is none of those above.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than located reports by a tenth or more.

    Notes
    -----
    ``sum (count - expected)^2 / expected`` with the expectation by area; two-sided, twice the
    smaller of both tails [1]_. A point on the border between cells belongs to the one south and
    west of it, as in spatstat, unless the part of that cell inside the window does not reach it:
    then to the first cell that does, from the south-west on. Every point is in one cell.

    References
    ----------
    .. [1] Cressie, N., Read, T. R. C. (1984). Multinomial goodness-of-fit tests. Journal of the
       Royal Statistical Society B 46, 440-464.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [10.0] * 4},
    ...     geometry=geopandas.points_from_xy([200, 300, 100, 800], [200, 100, 400, 700]),
    ...     crs="EPSG:32648",
    ... )
    >>> geo.quadrat_test(sites, window, nx=2, ny=2)
    QuadratTest(chi-square 6.0, df=3, p=0.223, two-sided, 4 cells, 4 points)
    """
    if alternative not in ("two-sided", "greater", "less"):
        message = f"alternative is {alternative!r}; it must be two-sided, greater or less."
        raise ValueError(message)
    if n_simulations:
        whole_number(n_simulations, "n_simulations")
    pattern = planar_pattern(sites, window)
    if not pattern.n:
        message = "No site has a location, so there is nothing to count."
        raise ValueError(message)
    outline = outline_of(pattern.window)
    if hexagon_m is None:
        whole, finder = _rectangles(outline, whole_number(nx, "nx"), whole_number(ny, "ny"))
    else:
        whole, finder = _hexagons(outline, positive_length(hexagon_m, "hexagon_m"))
    cut = surfaces_in(np.asarray(shapely.intersection(whole, outline.window)))
    kept = np.asarray(shapely.area(cut) > _LEAST * outline.area_m2)
    cells = cut[kept]
    if len(cells) < 2:  # noqa: PLR2004 - nothing to compare with
        message = "There is only one cell. Use more or smaller ones."
        raise ValueError(message)
    counts = partial(_counts, finder=finder, cut=cut, kept=kept)
    count = counts(pattern.xy)
    expected = pattern.n * shapely.area(cells) / outline.area_m2
    statistic = float(((count - expected) ** 2 / expected).sum())
    drawn = _simulated(pattern, counts, expected, streams(rng, n_simulations), progress=progress)
    frame = gpd.GeoDataFrame(
        {"count": count, "expected": expected}, geometry=cells, crs=pattern.crs
    )
    return QuadratTest(
        statistic=statistic,
        pvalue=_pvalue(statistic, len(cells) - 1, drawn, alternative),
        df=len(cells) - 1,
        alternative=alternative,
        cells=in_degrees(frame),
        n_simulations=n_simulations,
        n=pattern.n,
        facts=facts_of(pattern, outline),
    )


# ---------------------------------------------------------------------------- cells


def _rectangles(outline: Outline, nx: int, ny: int) -> tuple[Cells, Finder]:
    """Return the cells of the window's box, and how to find those of points."""
    west, south, _, _ = outline.box
    wide, high = outline.sides
    i, j = (index.ravel() for index in np.meshgrid(np.arange(nx), np.arange(ny)))
    x, y = np.linspace(west, west + wide, nx + 1), np.linspace(south, south + high, ny + 1)

    def find(xy: Floats) -> tuple[Ints, NDArray[np.bool_]]:
        column, row = np.searchsorted(x, xy[:, 0]), np.searchsorted(y, xy[:, 1])
        on_border = (x[np.minimum(column, nx)] == xy[:, 0]) | (y[np.minimum(row, ny)] == xy[:, 1])
        cell = np.clip(row - 1, 0, ny - 1) * nx + np.clip(column - 1, 0, nx - 1)
        return cell, np.asarray(on_border)

    return np.asarray(shapely.box(x[i], y[j], x[i + 1], y[j + 1])), find


def _hexagons(outline: Outline, side: float) -> tuple[Cells, Finder]:
    """Return hexagons that cover the window's box, and how to find those of points."""
    west, south, _, _ = outline.box
    wide, high = outline.sides
    columns = np.arange(-1, int(wide / (1.5 * side)) + 2)
    rows = np.arange(-1, int(high / (np.sqrt(3) * side)) + 2)
    i, j = (index.ravel() for index in np.meshgrid(columns, rows))
    x = west + 1.5 * side * i
    y = south + np.sqrt(3) * side * (j + 0.5 * (i % 2))
    turn = np.arange(6) * np.pi / 3
    corners = np.stack(
        [x[:, None] + side * np.cos(turn), y[:, None] + side * np.sin(turn)], axis=-1
    )
    cells = np.asarray(shapely.polygons(corners))
    tree = shapely.STRtree(cells)

    def find(xy: Floats) -> tuple[Ints, NDArray[np.bool_]]:
        point, cell = tree.query(shapely.points(xy), predicate="intersects")
        order = np.lexsort((x[cell], y[cell], point))
        first = order[np.flatnonzero(np.diff(point[order], prepend=-1))]
        found = np.zeros(len(xy), dtype=np.int64)
        found[point[first]] = cell[first]
        # rounding may leave a hair between two hexagons
        return found, np.asarray(np.bincount(point, minlength=len(xy)) != 1)

    return cells, find


def _counts(xy: Floats, *, finder: Finder, cut: Cells, kept: NDArray[np.bool_]) -> Ints:
    """Count points in the cells that are kept, each point in one that reaches it."""
    cell, on_border = finder(xy)
    doubtful = np.flatnonzero(on_border | ~kept[cell])
    points = np.asarray(shapely.points(xy[doubtful]))
    away = shapely.distance(points, cut[cell[doubtful]]) > _TOUCHING_M
    cells = cut[kept]
    number = np.cumsum(kept) - 1
    for k in np.flatnonzero(away | ~kept[cell[doubtful]]):
        # the nearest, which is that of a point in a sliver too thin to be a cell
        gap = shapely.distance(points[k], cells)
        nearest = np.flatnonzero(gap <= gap.min() + _TOUCHING_M)[0]
        cell[doubtful[k]] = np.flatnonzero(kept)[nearest]
    return np.bincount(number[cell], minlength=len(cells))


def _simulated(
    pattern: Pattern,
    counts: Callable[[Floats], Ints],
    expected: Floats,
    rngs: list[np.random.Generator],
    *,
    progress: bool,
) -> Floats:
    """Return the statistic of patterns drawn at random."""
    if not rngs:
        return np.empty(0)
    draw = csr(gpd.GeoSeries([pattern.window], crs=pattern.crs)).draw

    def statistics(some: list[np.random.Generator]) -> Floats:
        drawn = np.array([counts(draw(pattern.n, stream)) for stream in some])
        return np.asarray(((drawn - expected) ** 2 / expected).sum(axis=1))

    return simulated(statistics, rngs, progress=progress)


def _pvalue(statistic: float, df: int, drawn: Floats, alternative: str) -> float:
    """Return the p-value, by the distribution if nothing was drawn."""
    if len(drawn):
        return monte_carlo_p(statistic, drawn, alternative)
    # only a test needs scipy, which takes as long to load as the rest of the library
    from scipy.stats import chi2  # noqa: PLC0415

    above, below = float(chi2.sf(statistic, df)), float(chi2.cdf(statistic, df))
    return {"greater": above, "less": below, "two-sided": min(1.0, 2 * min(above, below))}[
        alternative
    ]
