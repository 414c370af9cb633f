"""Do points seek each other or avoid each other? The index of Clark and Evans, in one number."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from geo._corrections import border_distance
from geo._functions import facts_of, sentences
from geo._inputs import positive_length, whole_number
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._ranks import monte_carlo_p
from geo._resolution import counted, metres
from geo._sampling import streams
from geo._simulations import simulated
from geo.errors import GeometryError
from geo.nullmodels import csr
from geo.spacing import kaplan_meier, nearest_in_each

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._outlines import Outline

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["ClarkEvans", "clark_evans"]

_CORRECTIONS = ("none", "donnelly", "cdf", "guard")
_ALTERNATIVES = ("two-sided", "greater", "less")


@dataclass(frozen=True, eq=False)
class ClarkEvans:
    """
    The answer of `clark_evans`.

    Parameters
    ----------
    statistic : float
        Mean distance to the nearest neighbour over its expectation under randomness: below 1 if
        points seek each other, above if they avoid.
    pvalue : float
        That of complete spatial randomness; NaN if it was not simulated and has no formula.
    mean_m, expected_m : float
        Both distances, in metres.
    correction : str
        How the edge of the window was allowed for.
    alternative : str
        Which deviations count.
    n_simulations : int
        From how many random patterns the p-value comes; 0 if from the normal approximation.
    n : int
        Points from which the neighbour was sought.
    facts : dict
        As in `SummaryFunction`.
    """

    statistic: float
    pvalue: float
    mean_m: float
    expected_m: float
    correction: str
    alternative: str
    n_simulations: int
    n: int
    facts: dict[str, float]

    @property
    def resolvable(self) -> bool:
        """Whether the radii of the sites can tell the mean distance."""
        return self.mean_m >= self.facts["smallest_m"]

    def to_frame(self) -> pd.DataFrame:
        """
        Give the answer as a table.

        Returns
        -------
        pandas.DataFrame
            One row: ``statistic``, ``pvalue``, ``mean_m``, ``expected_m``, ``correction``,
            ``alternative``, ``n_simulations``, ``n``, ``resolvable``.
        """
        names = ["statistic", "pvalue", "mean_m", "expected_m", "correction", "alternative"]
        names += ["n_simulations", "n", "resolvable"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self) -> str:
        """
        Say in plain words what was tested, what came out, and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        found = (
            f"Clark-Evans index of {counted(self.n, 'located report')}: {self.statistic:.3f} "
            f"({self.correction} correction): the nearest neighbour is at "
            f"{metres(round(self.mean_m))} on average, against {metres(round(self.expected_m))} "
            "under complete spatial randomness."
        )
        parts = [found]
        if np.isfinite(self.pvalue):
            source = (
                counted(self.n_simulations, "random pattern")
                if self.n_simulations
                else "the normal approximation, which ignores the edge"
            )
            parts.append(f"p = {self.pvalue:.3g} ({self.alternative}; from {source}).")
        parts.extend(sentences(self.facts, int(self.facts["n_points"])))
        if self.mean_m < self.facts["smallest_m"]:
            parts.append("Caution: that is more than the mean distance, which is not resolvable.")
        parts.append(
            "A small p speaks of a concentration of reports: people, roads and reporters are not "
            "spread evenly either, so it is not yet one of sites."
        )
        return " ".join(parts)

    def __repr__(self) -> str:
        return (
            f"ClarkEvans({self.statistic:.3f}, p={self.pvalue:.3g}, {self.correction} correction, "
            f"{counted(self.n, 'point')})"
        )

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, escape=True, border=0)
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def clark_evans(
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    correction: Literal["none", "donnelly", "cdf", "guard"] = "cdf",
    guard_m: float | None = None,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    n_simulations: int = 999,
    rng: np.random.Generator | int | None = None,
    progress: bool = True,
) -> ClarkEvans:
    r"""
    Compare the mean distance to the nearest neighbour with that of random points (Clark-Evans).

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least two with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    correction : {"none", "donnelly", "cdf", "guard"}, default "cdf"
        How the edge of the window is allowed for: not at all, which makes points look regular;
        Donnelly's formula, for rectangles only; the mean of the Kaplan-Meier G, as far as the edge
        leaves it; or only points at least `guard_m` from the outline.
    guard_m : float, optional
        Metres, for the guard.
    alternative : {"two-sided", "greater", "less"}, default "two-sided"
        Whether any deviation counts, or only an index above that of random points (points avoid
        each other) or below it (they seek each other).
    n_simulations : int, default 999
        How many random patterns of as many points are drawn for the p-value. With 0 it is that of
        the normal approximation, for which there is a formula without edge correction only.
    rng : None, int or numpy.random.Generator, optional
        For the same p-value again, whatever the number of threads.
    progress : bool, default True
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    ClarkEvans
        The index and its p-value, ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, or Donnelly's formula is asked for a window that is no
        rectangle.
    ValueError
        If there are too few sites, an argument is none of those above, or a guard has no width or
        leaves no site.

    Notes
    -----
    .. math:: R = 2 \bar d \sqrt{n / |W|}

    [1]_; Donnelly's expectation is ``0.5 sqrt(A / n) + (0.0514 + 0.0412 / sqrt(n)) P / n`` with the
    perimeter P [2]_. Simulated indices are corrected like that of the sites, so that the test keeps
    its level whatever the correction; a pattern of which a guard leaves nothing is drawn but not
    counted as extreme. The normal approximation takes the mean distance to have the
    standard deviation ``sqrt((4 - pi) A / (4 pi)) / n``.

    References
    ----------
    .. [1] Clark, P. J., Evans, F. C. (1954). Distance to nearest neighbor as a measure of spatial
       relationships in populations. Ecology 35, 445-453.
    .. [2] Donnelly, K. (1978). Simulations to determine the variance and edge effect of total
       nearest neighbour distance. In Hodder, I. (ed.), Simulation Studies in Archaeology, 91-95.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [10.0] * 4},
    ...     geometry=geopandas.points_from_xy([200, 300, 600, 800], [500, 500, 400, 700]),
    ...     crs="EPSG:32648",
    ... )
    >>> geo.clark_evans(sites, window, correction="none", rng=1)
    ClarkEvans(0.877, p=0.324, none correction, 4 points)
    """
    if correction not in _CORRECTIONS:
        message = f"correction is {correction!r}; it must be none, donnelly, cdf or guard."
        raise ValueError(message)
    if alternative not in _ALTERNATIVES:
        message = f"alternative is {alternative!r}; it must be one of {', '.join(_ALTERNATIVES)}."
        raise ValueError(message)
    pattern = planar_pattern(sites, window)
    outline = outline_of(pattern.window)
    guard = _guard(correction, guard_m, outline)
    if pattern.n < 2:  # noqa: PLR2004 - a pair
        message = f"{counted(pattern.n, 'site')} with a location: too few for a nearest neighbour."
        raise ValueError(message)
    length = nearest_in_each([pattern.xy], outline)[0]
    mean, expected, n = _distances(pattern.xy, length, outline, correction, guard)
    if n == 0:
        message = (
            f"No site is {metres(guard)} from the outline. Give a smaller guard_m."
            if correction == "guard"
            else "The outline is nearer to every site than another site is, so that the cdf "
            "correction has nothing to go by. Use none, donnelly or a guard."
        )
        raise ValueError(message)
    index = mean / expected
    if n_simulations:
        rngs = streams(rng, whole_number(n_simulations, "n_simulations"))
        draw = partial(csr(window).draw, pattern.n)

        def indices(streams_of: list[np.random.Generator]) -> Floats:
            patterns = [draw(stream) for stream in streams_of]
            lengths = nearest_in_each(patterns, outline)
            of = [
                _distances(xy, length, outline, correction, guard)
                for xy, length in zip(patterns, lengths, strict=True)
            ]
            return np.array([mean / expected for mean, expected, _ in of])

        pvalue = monte_carlo_p(index, simulated(indices, rngs, progress=progress), alternative)
    else:
        plain = correction == "none"
        pvalue = _normal_p(mean, expected, n, outline, alternative) if plain else np.nan
    return ClarkEvans(
        statistic=index,
        pvalue=pvalue,
        mean_m=mean,
        expected_m=expected,
        correction=correction,
        alternative=alternative,
        n_simulations=n_simulations,
        n=n,
        facts=facts_of(pattern, outline),
    )


# ---------------------------------------------------------------------------- the index


def _guard(correction: str, guard_m: float | None, outline: Outline) -> float:
    """Return the width of the guard, and refuse what a correction is not for."""
    if correction == "donnelly" and not outline.rectangular:
        message = "Donnelly's formula is for rectangles; use cdf or guard for this window."
        raise GeometryError(message)
    if correction != "guard":
        if guard_m is not None:
            message = 'guard_m is for correction="guard" only.'
            raise ValueError(message)
        return 0.0
    if guard_m is None:
        message = "The guard needs its width: give guard_m, in metres."
        raise ValueError(message)
    return positive_length(guard_m, "guard_m")


def _distances(
    xy: Floats, length: Floats, outline: Outline, correction: str, guard: float
) -> tuple[float, float, int]:
    """Return the mean distance to the nearest neighbour, what is expected, and of how many."""
    n = len(xy)
    expected = 0.5 * np.sqrt(outline.area_m2 / n)
    if correction == "donnelly":
        expected += (0.0514 + 0.0412 / np.sqrt(n)) * 2 * sum(outline.sides) / n
    elif correction == "guard":
        inner = border_distance(xy, outline) >= guard
        if not inner.any():
            return np.nan, float(expected), 0
        return float(length[inner].mean()), float(expected), int(inner.sum())
    elif correction == "cdf":
        at, survival = kaplan_meier(length, border_distance(xy, outline))
        # the mean of the part of the distribution that the edge leaves
        mass = -np.diff(np.append(1.0, survival))
        if not len(at):
            return np.nan, float(expected), 0
        return float(mass @ at / mass.sum()), float(expected), n
    return float(length.mean()), float(expected), n


# ---------------------------------------------------------------------------- the p-value


def _normal_p(mean: float, expected: float, n: int, outline: Outline, alternative: str) -> float:
    """Return the p-value of the normal approximation."""
    deviation = np.sqrt((4 - np.pi) * outline.area_m2 / (4 * np.pi)) / n
    z = (mean - expected) / deviation
    # each tail by itself: one minus the other would round small ones to 0
    low, high = 0.5 * math.erfc(-z / math.sqrt(2)), 0.5 * math.erfc(z / math.sqrt(2))
    return {"less": low, "greater": high, "two-sided": min(1.0, 2 * min(low, high))}[alternative]
