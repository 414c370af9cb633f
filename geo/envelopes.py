"""Does a pattern differ from chance at any distance? One test for the whole curve."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from geo._drawing import drawer_of, model_for
from geo._evaluation import Evaluator, function_named, many_curves, one_curve
from geo._functions import CONCENTRATION, distances_of, facts_of, found_in, sentences
from geo._inputs import whole_number
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._ranks import global_envelope, monte_carlo_p
from geo._redrawing import redrawer_of
from geo._resolution import counted, metres
from geo._sampling import streams
from geo._simulations import simulated
from geo.pattern import ripley_l

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._functions import SummaryFunction
    from geo._patterns import Pattern
    from geo.nullmodels import NullModel

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["EnvelopeTest", "envelope_test"]

_TESTS = ("rank", "mad", "dclf")
_ALTERNATIVES = ("two-sided", "greater", "less")
_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class EnvelopeTest:
    """
    The answer of `envelope_test`.

    Parameters
    ----------
    distances_m : numpy.ndarray, shape (m,)
        In metres.
    observed, expected : numpy.ndarray, shape (m,)
        The function of the sites, and its mean over the simulations.
    low, high : numpy.ndarray, shape (m,)
        The global 95 % envelope, which the observed function leaves only if the test rejects at 5 %
        (always then, but for ties); NaN at distances that were not tested, and for DCLF, which
        has none.
    tested : numpy.ndarray of bool, shape (m,)
        The distances that the test is about: those that the radii resolve, or all if none is; and
        at which the function could be estimated from every pattern.
    pvalue : float
        Of the whole curve, ties counted against the hypothesis.
    function : str
        The name of the function.
    correction : str
        How the edge of the window was allowed for.
    test : str
        ``rank`` (extreme rank length), ``mad`` or ``dclf``.
    alternative : str
        Which deviations count.
    null : NullModel
        What the simulations are drawn from.
    curves : numpy.ndarray, shape (n_simulations, m)
        The simulated functions.
    n : int
        Sites used.
    facts : dict
        As in `SummaryFunction`.
    n_draws : int, default 0
        Draws of the true places that every function is the mean over; 0 if reported places were
        taken as true.
    """

    distances_m: Floats
    observed: Floats
    expected: Floats
    low: Floats
    high: Floats
    tested: NDArray[np.bool_]
    pvalue: float
    function: str
    correction: str
    test: str
    alternative: str
    null: NullModel
    curves: Floats
    n: int
    facts: dict[str, float]
    n_draws: int = 0

    @property
    def n_simulations(self) -> int:
        """Number of simulations."""
        return len(self.curves)

    @property
    def resolvable(self) -> NDArray[np.bool_]:
        """Whether the radii of the sites can tell each distance."""
        return np.asarray(self.distances_m >= self.facts["smallest_m"])

    def to_frame(self) -> pd.DataFrame:
        """
        Give the curve with its envelope.

        Returns
        -------
        pandas.DataFrame
            ``distance_m``, ``observed``, ``expected``, ``low``, ``high``, ``tested``,
            ``resolvable``.
        """
        return pd.DataFrame(
            {
                "distance_m": self.distances_m,
                "observed": self.observed,
                "expected": self.expected,
                "low": self.low,
                "high": self.high,
                "tested": self.tested,
                "resolvable": self.resolvable,
            }
        )

    def pointwise(self, *, level: float = _LEVEL) -> pd.DataFrame:
        """
        Give the range of the simulations at each distance by itself, which is no test.

        Parameters
        ----------
        level : float, default 0.95
            The share of the simulations inside, at each distance; between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            ``distance_m``, ``low_pointwise``, ``high_pointwise``. A curve leaves this range
            somewhere far more often than one minus the level, by chance alone.

        Raises
        ------
        ValueError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            message = f"level is {level!r}; it must be a number between 0 and 1."
            raise ValueError(message)
        low, high = np.full((2, len(self.distances_m)), np.nan)
        seen = ~np.isnan(self.curves).all(axis=0)
        ends = [(1 - level) / 2, (1 + level) / 2]
        low[seen], high[seen] = np.nanquantile(self.curves[:, seen], ends, axis=0)
        return pd.DataFrame(
            {"distance_m": self.distances_m, "low_pointwise": low, "high_pointwise": high}
        )

    def summary(self) -> str:
        """
        Say in plain words what was tested, what came out, and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        named = {"rank": "extreme rank length", "mad": "maximum deviation", "dclf": "DCLF"}
        at = self.distances_m[self.tested]
        others = int(self.facts["n_points"]) - self.n
        looked = f" and {others} others" if others else ""
        found = (
            f"{self.function} of {counted(self.n, 'located report')}{looked}, {self.correction} "
            f"edge correction, from {metres(float(at[0]))} to {metres(float(at[-1]))} at once "
            f"({named[self.test]}, {self.alternative}, "
            f"{counted(self.n_simulations, 'simulation')}): p = {self.pvalue:.3g}."
        )
        parts = [found, self.null.words, *sentences(self.facts, int(self.facts["n_points"]))]
        parts.extend(self._left_out())
        if self.n_draws:
            parts.append(
                f"Every curve is the mean over {counted(self.n_draws, 'draw')} of true places, of "
                "the sites and of simulated patterns that were recorded as the sites are."
            )
        if self.null.homogeneous and self.null.fixed_n:
            parts.append(CONCENTRATION)
        return " ".join(parts)

    def _left_out(self) -> Iterator[str]:
        """Yield the sentences on the distances that the test is not about, or should not be."""
        unresolved = ~self.resolvable & np.isfinite(self.facts["smallest_m"])
        if unresolved.all() and self.n_draws:
            yield "Caution: the radii resolve none of these distances: little could be found."
        elif unresolved.all():
            yield (
                "Caution: the radii resolve none of these distances, so that the test is about how "
                "places are looked up, not about where sites are."
            )
        elif unresolved.any():
            yield "The test leaves out the distances that the radii cannot resolve."
            shared = self.facts["n_places"] < self.facts["n_points"]
            if shared and self.function.endswith(("K", "L")):
                yield (
                    f"But {self.function} counts all pairs up to a distance: those at one "
                    "coordinate stay in it throughout. One report per place, or "
                    "pair_correlation(), leaves them out."
                )
        unknown = int((~self.tested & (unresolved.all() | ~unresolved)).sum())
        if unknown:
            yield (
                f"It leaves out {counted(unknown, 'distance')} at which {self.function} could not "
                "be estimated from every pattern."
            )

    def __repr__(self) -> str:
        return (
            f"EnvelopeTest({self.function}, p={self.pvalue:.3g}, {self.test}, "
            f"{self.alternative}; {self.null.name}, {counted(self.n, 'point')}, "
            f"{self.n_simulations} simulations)"
        )

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, escape=True, border=0, na_rep="", max_rows=12)
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def envelope_test(  # noqa: PLR0913 - what a test is asked
    sites: gpd.GeoDataFrame,
    window: Window,
    *,
    other: gpd.GeoDataFrame | None = None,
    function: Callable[..., SummaryFunction] = ripley_l,
    correction: str | None = None,
    distances_m: Sequence[float] | None = None,
    null: NullModel | None = None,
    n_simulations: int = 999,
    n_draws: int = 0,
    within: Window | None = None,
    test: Literal["rank", "mad", "dclf"] = "rank",
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    rng: np.random.Generator | int | None = None,
    progress: bool = True,
) -> EnvelopeTest:
    """
    Test a pattern against a null model, at all distances at once.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points in the window, at least two with a location.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    other : geopandas.GeoDataFrame, optional
        Points of another kind in the same window: is the function of these, as the sites see
        them, what chance gives? Such a test needs its `null`.
    function : callable, default ripley_l
        `ripley_l`, `ripley_k`, `pair_correlation`, `nearest_neighbor_g`, or for one kind
        `empty_space_f` or `j_function`.
    correction : str, optional
        Of that function; without it, its own default, or periodic for a random shift.
    distances_m : sequence of float, optional
        Rising, in metres; to be chosen before looking. Without it as in `ripley_k`.
    null : NullModel, optional
        What chance is, made from the same window; without it `csr`. With `other` it says what is
        asked: `random_shift` of the sites, whether two kinds that may each cluster keep to
        themselves; `random_labelling` of both, whether they differ at all; `csr`, whether sites
        that do not cluster by themselves stand near the others.
    n_simulations : int, default 999
        How many patterns are drawn.
    n_draws : int, default 0
        Draws of the true places within the radii, 99 for example: sites and simulated patterns are
        then compared by the mean of the function over as many draws, simulated places being
        recorded as the sites are and drawn anew like them. 0 takes reported places as true: many
        that stand for a district at its centre then look clustered by themselves.
    within : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry, optional
        With `n_draws`, the units that places are assigned to, as in `realisations`.
    test : {"rank", "mad", "dclf"}, default "rank"
        Extreme rank length; the maximum absolute deviation; or the mean squared deviation of
        Diggle, Cressie, Loosmore and Ford.
    alternative : {"two-sided", "greater", "less"}, default "two-sided"
        Whether any deviation counts, or only functions above ("greater", clustering for K and L) or
        below what chance gives.
    rng : None, int or numpy.random.Generator, optional
        For the same answer again, whatever the number of threads.
    progress : bool, default True
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    EnvelopeTest
        One p-value, the global envelope that belongs to it, ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site lies outside the window, the window is no polygon or no rectangle for a periodic
        correction, or the null model is drawn in another one.
    ValueError
        If there are too few sites, an argument is none of those above, there is `other` and no
        `null`, or `null` was made from other points than these; with `n_draws` if there is `other`,
        several sites share a ``place_id``, or the model draws no places of its own; with `within`
        alone.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than located reports by a tenth or more.

    Notes
    -----
    A curve read distance by distance raises a false alarm far more often than each distance by
    itself. Ranked as a whole it does not [1]_: p = (r + 1) / (n + 1), r being the simulations at
    least as extreme. MAD and DCLF measure the deviation of each curve from the mean of all
    others [2]_.
    Distances below twice the 75th percentile of the radii are left out of the test if the radii
    resolve any; see ``tested``. K and L still hold the pairs at shorter distances, such as reports
    that share a coordinate. A p-value near the level, of few points above all, moves with the
    seed: 4,999 simulations settle it.

    References
    ----------
    .. [1] Myllymaki, M., Mrkvicka, T., Grabarnik, P., Seijo, H., Hahn, U. (2017). Global envelope
       tests for spatial processes. Journal of the Royal Statistical Society B 79, 381-404.
    .. [2] Baddeley, A., Diggle, P. J., Hardegen, A., Lawrence, T., Milne, R. K., Nair, G. (2014).
       On tests of spatial pattern based on simulation envelopes. Ecological Monographs 84, 477-489.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> model = geo.thomas(window, parents_per_km2=5, offspring=10, spread_m=20)
    >>> sites = model.simulate(rng=3).to_frame("geometry").assign(uncertainty_m=1.0)
    >>> result = geo.envelope_test(sites, window, n_simulations=99, rng=1)
    >>> result.pvalue, result.null
    (0.01, NullModel(complete spatial randomness))
    """
    if test not in _TESTS:
        message = f"test is {test!r}; it must be one of {', '.join(_TESTS)}."
        raise ValueError(message)
    if alternative not in _ALTERNATIVES:
        message = f"alternative is {alternative!r}; it must be one of {', '.join(_ALTERNATIVES)}."
        raise ValueError(message)
    many = whole_number(n_simulations, "n_simulations")
    pattern = planar_pattern(sites, window)
    others = None if other is None else planar_pattern(other, window)
    outline = outline_of(pattern.window)
    distances = distances_of(distances_m, pattern.n, outline)
    seen = _require_points(pattern, others)
    model = model_for(null, window, pattern, others)
    name, chosen = function_named(
        function, correction, outline, cross=others is not None, wraps=model.wraps
    )
    evaluator = Evaluator(name, chosen, outline, distances, seen)
    if within is not None and not n_draws:
        message = "within says where places are drawn anew; give n_draws with it, 99 for example."
        raise ValueError(message)
    draw = drawer_of(model, pattern, others)
    if n_draws:
        redrawer = redrawer_of(sites, pattern, others, model, within, n_draws)
        # drawn places do not coincide
        facts = {**found_in(pattern, outline), "n_places": pattern.n}
        *rngs, own = streams(rng, many + 1)
        observed = redrawer.curve_of_sites(evaluator, own)
        curves = simulated(
            lambda some: np.array(
                [redrawer.curve_of_truth(evaluator, draw(each)[0], each) for each in some]
            ),
            rngs,
            progress=progress,
        )
    else:
        facts = facts_of(pattern, outline, others)
        observed = one_curve(evaluator, pattern.xy, None if others is None else others.xy)
        curves = simulated(
            lambda some: many_curves(evaluator, [draw(stream) for stream in some]),
            streams(rng, many),
            progress=progress,
        )
    smallest = facts["smallest_m"]
    tested = distances >= smallest if np.isfinite(smallest) else np.ones(len(distances), dtype=bool)
    tested = tested if tested.any() else np.ones(len(distances), dtype=bool)
    # where a curve cannot be estimated (no point so far from the border) none is compared
    tested &= np.isfinite(observed) & np.isfinite(curves).all(axis=0)
    if not tested.any():
        message = (
            f"{name} could not be estimated from every pattern at any of the distances. Give "
            "distances_m that fit the window and the number of points."
        )
        raise ValueError(message)
    low, high = np.full((2, len(distances)), np.nan)
    whole = np.vstack([observed, curves])[:, tested]
    low[tested], high[tested], pvalue = _compared(whole, test, alternative)
    return EnvelopeTest(
        distances_m=distances,
        observed=observed,
        expected=curves.mean(axis=0),
        low=low,
        high=high,
        tested=tested,
        pvalue=pvalue,
        function=name if others is None else f"cross {name}",
        correction=chosen,
        test=test,
        alternative=alternative,
        null=model,
        curves=curves,
        n=pattern.n,
        facts=facts,
        n_draws=n_draws,
    )


def _require_points(pattern: Pattern, others: Pattern | None) -> int:
    """Return the number of points that are looked at, if there is a pair at all."""
    few = pattern.n < 1 + (others is None) or (others is not None and others.n < 1)
    if few:
        also = "" if others is None else f", {others.n} others"
        message = f"{counted(pattern.n, 'site')} with a location{also}: too few for a pattern."
        raise ValueError(message)
    return pattern.n if others is None else others.n


def _compared(curves: Floats, test: str, alternative: str) -> tuple[Floats, Floats, float]:
    """Return the global envelope and the p-value of the first of some curves."""
    if test == "rank":
        return global_envelope(curves, alternative, _LEVEL)
    n = len(curves)
    # leave one out: the observed curve must not be judged by a mean that it is part of
    reference = (curves.sum(axis=0) - curves) / (n - 1)
    deviation = curves - reference
    if alternative == "two-sided":
        size = np.abs(deviation)
    else:
        size = np.maximum(deviation if alternative == "greater" else -deviation, 0)
    measure = size.max(axis=1) if test == "mad" else (size**2).mean(axis=1)
    pvalue = monte_carlo_p(float(measure[0]), measure[1:], "greater")
    nothing = np.full(curves.shape[1], np.nan)
    if test == "dclf":
        return nothing, nothing, pvalue
    # the largest deviation with which a curve is not yet among the most extreme five percent
    share = (measure[:, None] <= measure[None, :]).mean(axis=1)
    width = measure[share > 1 - _LEVEL + 1e-12].max()
    low = reference[0] - (width if alternative != "greater" else np.inf)
    high = reference[0] + (width if alternative != "less" else np.inf)
    return low, high, pvalue
