"""The risk between two kinds of reports: where one is more frequent among both than elsewhere."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo._contours import in_degrees, regions_above
from geo._functions import sentences
from geo._pointsums import sums_at_points
from geo._resolution import counted, metres
from geo._surfaces import cells_of, write_grid
from geo._windowmass import mass_on_grid

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from geo._kernelsums import Grid
    from geo._outlines import Outline
    from geo._patterns import Pattern
    from geo._surfaces import Surface
    from geo.density import BandwidthSelection

    Floats = NDArray[np.float64]

__all__ = [
    "RelativeRisk",
    "label_likelihood",
    "log_ratio",
    "relabelled",
    "shares_at",
    "standardised",
]

_BANDWIDTHS = 32  # tried for a common bandwidth
_LEVEL = 0.05
_SMALLEST = 5e-324  # of all numbers: what is less became 0
_MOST_TIMES = 1000  # a risk beyond has no meaning as a number
_SIDES = {"greater": "higher", "less": "lower", "two-sided": "higher or lower"}


@dataclass(frozen=True, eq=False)
class RelativeRisk:
    """
    The answer of `relative_risk`: the density of cases over that of controls.

    Parameters
    ----------
    log_risk : numpy.ndarray, shape (rows, columns)
        Natural logarithm of the ratio of both densities, each of which integrates to one, at the
        centre of each cell, rows from south to north; 0 where cases are as frequent among all as
        elsewhere; infinite where one kind is so far away that its density is no number any more;
        NaN outside the window, and where all reports are too far away to say.
    pvalue : numpy.ndarray, shape (rows, columns)
        Of each cell by itself, NaN where the risk is.
    bandwidth_m : float
        Standard deviation of the kernel, of cases and controls alike.
    selection : BandwidthSelection or None
        How it was chosen, if it was not given.
    alternative : str
        Which deviations count.
    n_simulations : int
        Relabellings behind the p-values; 0 if they are those of a normal distribution.
    case_share, control_share : pandas.Series
        For each case and each control, with the caller's index: the probability that a report
        there is a case, from all other reports.
    surface : Surface
        The cells: their grid, the window within each, its plane.
    n_cases, n_controls : int
        Reports used.
    facts : dict
        As in `SummaryFunction`, of cases and controls together.
    """

    log_risk: Floats
    pvalue: Floats
    bandwidth_m: float
    selection: BandwidthSelection | None
    alternative: str
    n_simulations: int
    case_share: pd.Series
    control_share: pd.Series
    surface: Surface
    n_cases: int
    n_controls: int
    facts: dict[str, Any]

    @property
    def x(self) -> Floats:
        """Eastings of the centres of the columns, in the plane of the window."""
        return self.surface.grid.x

    @property
    def y(self) -> Floats:
        """Northings of the centres of the rows, from south to north."""
        return self.surface.grid.y

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give the cells, cut off at the edge of the window.

        Returns
        -------
        geopandas.GeoDataFrame
            Polygons, EPSG:4326, from the south-west, row by row: ``log_risk`` and ``pvalue``.
        """
        inside = self.surface.inside
        columns = {"log_risk": self.log_risk[inside], "pvalue": self.pvalue[inside]}
        cells = cells_of(self.surface)
        return in_degrees(gpd.GeoDataFrame(columns, geometry=cells, crs=self.surface.crs))

    def to_raster(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the logarithm of the risk as an ESRI ASCII grid, with its projection beside it.

        Parameters
        ----------
        path : path-like
            A name that ends in ``.asc``; a file ``.prj`` goes beside it.

        Returns
        -------
        pathlib.Path
            The path written.

        Raises
        ------
        ExportError
            If the name ends otherwise, or a file cannot be written.
        """
        return write_grid(path, self.log_risk, self.surface)

    def tolerance_contours(self, level: float = _LEVEL) -> gpd.GeoDataFrame:
        """
        Give the areas where the p-value is at most a level.

        Parameters
        ----------
        level : float, default 0.05
            Between 0 and 1.

        Returns
        -------
        geopandas.GeoDataFrame
            EPSG:4326, a row per connected area, from the west: ``level``, ``area_km2`` and
            ``mean_log_risk``, over the cells whose centres lie in it (missing if none does). By
            chance alone, such areas are to be expected: about this share of the window, if the
            risk is the same everywhere.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            message = f"level is {level!r}; it must be a number between 0 and 1."
            raise ValueError(message)
        place = self.x, self.y, self.surface.window
        area = regions_above(-self.pvalue, -level, *place)
        parts = gpd.GeoSeries([area], crs=self.surface.crs).explode(ignore_index=True)
        parts = parts[parts.geom_type == "Polygon"]
        parts = parts[~parts.is_empty]
        parts = parts.iloc[np.lexsort((parts.bounds["miny"], parts.bounds["minx"]))]
        row, column = np.nonzero(self.surface.inside)
        centres = gpd.GeoSeries.from_xy(self.x[column], self.y[row], crs=self.surface.crs)
        centre, part = parts.sindex.query(centres, predicate="within") if len(parts) else ([], [])
        risk = pd.Series(self.log_risk[row, column][centre]).groupby(np.asarray(part, int)).mean()
        frame = gpd.GeoDataFrame(
            {
                "level": np.full(len(parts), float(level)),
                "area_km2": parts.area.to_numpy() / 1e6,
                "mean_log_risk": risk.reindex(range(len(parts))).to_numpy(dtype=np.float64),
            },
            geometry=parts.to_numpy(),
            crs=self.surface.crs,
        )
        return in_degrees(frame)

    def summary(self) -> str:
        """
        Say in plain words what was estimated and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        inside = self.surface.inside
        risk = self.log_risk[inside]
        low = self.pvalue[inside] <= _LEVEL
        share = float(np.average(low, weights=self.surface.covered_m2[inside]))
        how = (
            counted(self.n_simulations, "random relabelling")
            if self.n_simulations
            else "the normal distribution"
        )
        found = (
            f"{counted(self.n_cases, 'case')} against {counted(self.n_controls, 'control')}: "
            f"relative risk from {_times(np.nanmin(risk))} to {_times(np.nanmax(risk))}, Gaussian "
            f"kernel of bandwidth {metres(float(f'{self.bandwidth_m:.4g}'))}, edge corrected. The "
            f"risk is {_SIDES[self.alternative]} at the 5 % level in {share:.1%} of the window, "
            f"each cell tested by itself ({how}); about 5 % are to be expected by chance."
        )
        parts = [found]
        unknown = np.average(np.isnan(risk), weights=self.surface.covered_m2[inside])
        if unknown > 0:
            parts.append(f"{unknown:.1%} of the window is too far from any report to say.")
        if self.selection is not None:
            parts.append(
                "The bandwidth was chosen by the likelihood of each label from the others."
            )
            if self.selection.at_border:
                parts.append(
                    "Caution: it is the end of the interval searched: the data do not show a risk "
                    "that varies. Give a bandwidth, and look at several."
                )
        parts.extend(sentences(self.facts, self.n_cases + self.n_controls))
        if self.bandwidth_m < self.facts["smallest_m"]:
            parts.append("Caution: the radii of the reports do not resolve this bandwidth.")
        parts.append(
            "Both kinds are places that were reported: what makes one kind more likely to be "
            "reported somewhere looks like risk."
        )
        return " ".join(parts)

    def __repr__(self) -> str:
        return (
            f"RelativeRisk({counted(self.n_cases, 'case')}, {counted(self.n_controls, 'control')}, "
            f"bandwidth {metres(float(f'{self.bandwidth_m:.4g}'))}, log risk "
            f"{np.nanmin(self.log_risk):.2g} to {np.nanmax(self.log_risk):.2g})"
        )

    def _repr_html_(self) -> str:
        return (
            f"<div><code>{html.escape(repr(self))}</code><p>{html.escape(self.summary())}</p></div>"
        )


def _times(log_risk: float) -> str:
    """Write a risk for a reader."""
    if abs(log_risk) > np.log(_MOST_TIMES):
        return f"more than {_MOST_TIMES}" if log_risk > 0 else f"less than {1 / _MOST_TIMES:g}"
    return f"{np.exp(log_risk):.2g}"


def log_ratio(cases: Floats, controls: Floats, n: tuple[int, int]) -> Floats:
    """
    Return the logarithm of the relative risk from sums of kernels.

    Parameters
    ----------
    cases, controls : numpy.ndarray
        Sums around the cases, and around the controls.
    n : tuple of int
        How many there are.

    Returns
    -------
    numpy.ndarray
        Of the ratio of densities that integrate to one.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(cases) - np.log(controls) + np.log(n[1] / n[0]))


def standardised(
    among: Floats, rest: Floats, spread: float, outline: Outline, grid: Grid, n: tuple[int, int]
) -> Floats:
    """
    Return the standardised logarithm of the risk.

    Parameters
    ----------
    among, rest : numpy.ndarray
        Sums of kernels around the cases, and around the controls.
    spread : float
        Bandwidth.
    outline : Outline
        The window.
    grid : Grid
        The cells.
    n : tuple of int
        Cases and controls.

    Returns
    -------
    numpy.ndarray
        Standard normal, if the risk is the same everywhere.

    Notes
    -----
    With the density f of both kinds together and the mass e of the kernel in the window, the
    variance is ``(1 / n1 + 1 / n2) int k^2 / (e^2 f)`` (Hazelton and Davies 2009). A sum too small
    to be a number counts as the smallest one, which brings the score nearer to 0.
    """
    mass = mass_on_grid(outline, spread, grid)
    squared = mass_on_grid(outline, spread / np.sqrt(2), grid) / (4 * np.pi * spread**2)
    density = (among + rest) / mass / sum(n)
    risk = log_ratio(np.maximum(among, _SMALLEST), np.maximum(rest, _SMALLEST), n)
    # the root of each by itself: far from all reports their quotient would have no end
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt((1 / n[0] + 1 / n[1]) * squared)
        return np.asarray(risk * mass * np.sqrt(density) / deviation)


def relabelled(
    sums: Callable[[Floats], Floats],
    label: Floats,
    rngs: list[np.random.Generator],
    *,
    progress: bool,
) -> tuple[Floats, Floats]:
    """
    Count how often labels drawn at random give a risk as high, and as low, in each cell.

    Parameters
    ----------
    sums : callable
        From the masses of all points to the sums of their kernels. Those around the cases rise with
        the risk, as those around all points stay.
    label : numpy.ndarray, shape (n,)
        1 for cases, 0 for controls.
    rngs : list of numpy.random.Generator
        A stream for each drawing.
    progress : bool
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    above, below : numpy.ndarray
        ``(r + 1) / (n_simulations + 1)``, ties counted.
    """
    # only simulations need a bar; the one made of text asks for nothing in notebooks
    from tqdm import tqdm  # noqa: PLC0415

    cases = sums(label)
    above, below = np.ones(cases.shape), np.ones(cases.shape)
    for rng in tqdm(rngs, delay=2, disable=not progress, desc="simulations"):
        drawn = sums(rng.permutation(label))
        above += drawn >= cases
        below += drawn <= cases
    return above / (len(rngs) + 1), below / (len(rngs) + 1)


def shares_at(
    cases: Pattern, controls: Pattern, spread: float, outline: Outline
) -> tuple[Floats, Floats]:
    """
    Estimate at each report the probability that it is a case, from all others.

    Parameters
    ----------
    cases, controls : Pattern
        Reports of both kinds.
    spread : float
        Bandwidth.
    outline : Outline
        The window.

    Returns
    -------
    numpy.ndarray, numpy.ndarray
        At the cases and at the controls. The edge of the window cancels out.
    """
    one, other = np.ones(cases.n), np.ones(controls.n)
    own = sums_at_points(cases.xy, one, spread, outline)
    crossed = sums_at_points(controls.xy, other, spread, outline, at=cases.xy)
    seen = sums_at_points(cases.xy, one, spread, outline, at=controls.xy)
    rest = sums_at_points(controls.xy, other, spread, outline)
    with np.errstate(divide="ignore", invalid="ignore"):
        return own / (own + crossed), seen / (seen + rest)


def label_likelihood(cases: Pattern, controls: Pattern, outline: Outline) -> tuple[Floats, Floats]:
    """
    Return bandwidths and how unlikely the labels are with each.

    Parameters
    ----------
    cases, controls : Pattern
        Reports of both kinds.
    outline : Outline
        The window.

    Returns
    -------
    tried, criterion : numpy.ndarray
        Rising bandwidths; minus the mean logarithm of the probability of each label, from the
        other reports.
    """
    # only a search needs scipy
    from scipy.spatial import cKDTree  # noqa: PLC0415

    places = np.unique(np.concatenate([cases.xy, controls.xy]), axis=0)
    least = cKDTree(places).query(places, k=2)[0][:, 1].min() if len(places) > 1 else 0.0
    # Stoyan's rule of thumb for the rarer kind and for the more frequent one
    rare, frequent = (
        0.15 / np.sqrt(n / outline.area_m2)
        for n in (min(cases.n, controls.n), max(cases.n, controls.n))
    )
    low = max(least, frequent / 5)
    high = max(min(np.hypot(*outline.sides) / 4, 20 * rare), 2 * low)
    tried = np.geomspace(low, high, _BANDWIDTHS)
    criterion = np.empty(len(tried))
    for k, spread in enumerate(tried):
        at_cases, at_controls = shares_at(cases, controls, float(spread), outline)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.concatenate([at_cases, 1 - at_controls]))
        criterion[k] = np.nan_to_num(-logs.mean(), nan=np.inf)
    return tried, criterion
