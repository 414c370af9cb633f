"""Rules that choose the bandwidth of a density, and what they choose."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._functions import facts_of, found_in, sentences
from geo._kernelsums import Grid, in_order, sums_on_grid
from geo._outlines import outline_of
from geo._pointsums import sums_at_points
from geo._resolution import counted, metres
from geo._windowmass import mass_at_points, mass_on_grid
from geo.pattern import ripley_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo._outlines import Outline
    from geo._patterns import Pattern

    Floats = NDArray[np.float64]

__all__ = ["BandwidthSelection", "select"]

METHODS = ("diggle", "ppl", "cvl", "scott")
_TRIED = 16  # bandwidths
_DISTANCES = 512  # of K
_FEW, _MANY = 1000, 3000  # points from which a cheaper correction is used for K
_CELLS = 128  # along the longer side, over which a density is integrated
_PLACES = 2
_WORDS = {
    "diggle": "least mean square error if the reports are a Cox process (Berman and Diggle 1989)",
    "ppl": "likelihood of each report from the others (Loader 1999)",
    "cvl": "inverse densities that sum to the area (Cronie and van Lieshout 2018)",
    "scott": "rule of thumb for one normal heap (Scott 1992)",
    "relative risk": "likelihood of each label from the other reports (Kelsall and Diggle 1998)",
}


@dataclass(frozen=True, eq=False)
class BandwidthSelection:
    """
    The answer of `select_bandwidth`.

    Parameters
    ----------
    bandwidth_m : float
        The best of those tried, in metres.
    method : str
        The rule.
    tried_m : numpy.ndarray, shape (m,)
        The bandwidths tried, rising; one for a rule of thumb.
    criterion : numpy.ndarray, shape (m,)
        The less, the better; empty for a rule of thumb.
    at_border : bool
        Whether the best is the first or the last of those tried, so that the rule found no best.
    n : int
        Reports used.
    facts : dict
        As in `SummaryFunction`.
    """

    bandwidth_m: float
    method: str
    tried_m: Floats
    criterion: Floats
    at_border: bool
    n: int
    facts: dict[str, float]

    def to_frame(self) -> pd.DataFrame:
        """
        Give the curve of the criterion.

        Returns
        -------
        pandas.DataFrame
            ``bandwidth_m``, ``criterion`` (the less, the better).
        """
        return pd.DataFrame({"bandwidth_m": self.tried_m, "criterion": self.criterion})

    def summary(self) -> str:
        """
        Say in plain words what was chosen and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        found = (
            f"Bandwidth {metres(float(f'{self.bandwidth_m:.4g}'))} for "
            f"{counted(self.n, 'located report')}: {_WORDS[self.method]}."
        )
        parts = [found]
        if self.at_border:
            parts.append(
                "Caution: it is the end of the interval searched, from "
                f"{metres(float(f'{self.tried_m[0]:.4g}'))} to "
                f"{metres(float(f'{self.tried_m[-1]:.4g}'))}: this rule finds no best bandwidth "
                "for these reports."
            )
        parts.extend(sentences(self.facts, self.n))
        if self.bandwidth_m < self.facts["smallest_m"]:
            parts.append("Caution: the radii of the reports do not resolve this bandwidth.")
        parts.append("Other rules choose others: look at the surface of several.")
        return " ".join(parts)

    def __repr__(self) -> str:
        where = ", at the border" if self.at_border else ""
        return (
            f"BandwidthSelection({metres(float(f'{self.bandwidth_m:.3g}'))}, {self.method}{where})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def select(pattern: Pattern, method: str) -> BandwidthSelection:
    """
    Choose a bandwidth for a pattern.

    Parameters
    ----------
    pattern : Pattern
        The points.
    method : str
        The rule.

    Returns
    -------
    BandwidthSelection
        What it chose.

    Raises
    ------
    ValueError
        If the rule is unknown or there are fewer than two places.
    """
    if method not in METHODS:
        message = f"method is {method!r}; it must be one of {', '.join(METHODS)}."
        raise ValueError(message)
    if len(np.unique(pattern.xy, axis=0)) < _PLACES:
        message = (
            f"{counted(pattern.n, 'site')} at one place say nothing about a bandwidth; at least "
            "two places are needed."
        )
        raise ValueError(message)
    outline = outline_of(pattern.window)
    if method == "scott":
        return chosen(
            method,
            np.array([_scott(pattern.xy)]),
            np.empty(0),
            pattern.n,
            found_in(pattern, outline),
        )
    if method == "diggle":
        tried, criterion = _diggle(pattern, outline)
    else:
        tried = _ladder(pattern.xy, outline)
        rule = _likelihood if method == "ppl" else _inverse_sum
        criterion = np.array([rule(pattern.xy, float(spread), outline) for spread in tried])
    # the K that diggle fits warns of shared coordinates by itself
    collect = facts_of if method == "ppl" else found_in
    return chosen(method, tried, criterion, pattern.n, collect(pattern, outline))


def chosen(
    method: str, tried: Floats, criterion: Floats, n: int, facts: dict[str, float]
) -> BandwidthSelection:
    """
    Take the bandwidth with the least criterion.

    Parameters
    ----------
    method : str
        The rule.
    tried, criterion : numpy.ndarray
        Bandwidths and what each is worth; no criterion if there is one bandwidth.
    n : int
        Points.
    facts : dict
        As in `SummaryFunction`.

    Returns
    -------
    BandwidthSelection
        The choice.
    """
    best = int(np.nanargmin(criterion)) if len(criterion) else 0
    return BandwidthSelection(
        bandwidth_m=float(tried[best]),
        method=method,
        tried_m=tried,
        criterion=criterion,
        at_border=len(criterion) > 0 and best in (0, len(tried) - 1),
        n=n,
        facts=facts,
    )


def _scott(xy: Floats) -> float:
    """Return the geometric mean of the deviations along the axes, less with more points."""
    deviation = np.maximum(xy.std(axis=0, ddof=1), np.finfo(float).eps)
    return float(np.exp(np.log(deviation).mean()) * len(xy) ** (-1 / 6))


def _ladder(xy: Floats, outline: Outline) -> Floats:
    """Return bandwidths from the least distance of two places to half the window's diameter."""
    # only a search needs scipy
    from scipy.spatial import cKDTree  # noqa: PLC0415

    nearest = cKDTree(xy).query(xy, k=2)[0][:, 1]
    alone = nearest[nearest > 0]
    if not len(alone):
        # every place is shared
        places = np.unique(xy, axis=0)
        alone = cKDTree(places).query(places, k=2)[0][:, 1]
    corners = shapely.get_coordinates(outline.window.convex_hull)
    diameter = max(np.hypot(*(corners - corner).T).max() for corner in corners)
    return np.geomspace(alone.min(), diameter / 2, _TRIED)


def _likelihood(xy: Floats, spread: float, outline: Outline) -> float:
    """Return the logarithm of the likelihood of each point from the others, its sign changed."""
    there = sums_at_points(xy, np.ones(len(xy)), spread, outline)
    with np.errstate(divide="ignore"):
        logs = np.log(there / mass_at_points(outline, spread, xy)).sum()
    return float(_integral(xy, spread, outline) - logs)


def _integral(xy: Floats, spread: float, outline: Outline) -> float:
    """Return what the uniformly corrected density sums to over the window."""
    cell = max(outline.sides) / _CELLS
    rows, columns = (
        max(int(np.ceil(side / cell * (1 - 1e-12))), 1) for side in outline.sides[::-1]
    )
    grid = Grid(outline.box[0], outline.box[1], cell, (rows, columns))
    covered = grid.covered(outline)
    inside = covered > 0
    if spread < cell:
        # so narrow a kernel lies within the window, or is corrected by what it is nearly itself
        return float(len(xy))
    ordered = xy[in_order(xy)]
    values = sums_on_grid(ordered, np.ones(len(xy)), spread, grid)[inside]
    return float((values / mass_on_grid(outline, spread, grid)[inside] * covered[inside]).sum())


def _inverse_sum(xy: Floats, spread: float, outline: Outline) -> float:
    """Return the squared difference between the area and the sum of inverse densities."""
    there = sums_at_points(xy, np.ones(len(xy)), spread, outline) + 1 / (2 * np.pi * spread**2)
    return float(((1 / there).sum() - outline.area_m2) ** 2)


def _diggle(pattern: Pattern, outline: Outline) -> tuple[Floats, Floats]:
    """Return bandwidths and the mean square error of a disc of twice each, but for a constant."""
    area = outline.area_m2
    crowded = np.sqrt(1000 * area / (np.pi * pattern.n))
    r = np.linspace(0, min(min(outline.sides) / 4, crowded), _DISTANCES)
    correction: Literal["isotropic", "translation", "border"] = (
        "isotropic" if pattern.n < _FEW else "translation" if pattern.n < _MANY else "border"
    )
    places = gpd.GeoDataFrame(geometry=shapely.points(pattern.xy), crs=pattern.crs)
    window = gpd.GeoSeries([pattern.window], crs=pattern.crs)
    k = ripley_k(places, window, distances_m=r.tolist(), correction=correction).estimate
    radius = r[(r <= r[-1] / 2) & (r > 0)]
    rise = np.diff(k)
    overlaps = np.array([(_overlap(r[:-1], h) * rise).sum() for h in radius])
    disc = np.pi * radius**2
    there = np.interp(radius, r, k)
    return radius / 2, (area / pattern.n - 2 * there) / disc + overlaps / disc**2


def _overlap(distance: Floats, radius: float) -> Floats:
    """Return the area that two discs share."""
    half = np.minimum(distance / (2 * radius), 1)
    return np.asarray(2 * radius**2 * (np.arccos(half) - half * np.sqrt(1 - half**2)))
