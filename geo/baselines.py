"""Nearer than what? Sites against a baseline that says where they could have been."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._inputs import (
    POINT,
    coordinates,
    lengths,
    problems_of,
    radii,
    shapes_of,
    whole_number,
)
from geo._ranks import global_envelope, monte_carlo_p
from geo._resolution import counted, metres, unresolved
from geo._sampling import sampler_of, streams
from geo._shapes import inside, unsigned_distance
from geo.errors import GeometryError, SchemaError
from geo.geodesy import place_points
from geo.proximity import distance_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    # what a baseline gives for each stream: the distances of as many places as there are sites
    Draw = Callable[[list[np.random.Generator]], Floats]

__all__ = ["ProximityTest", "proximity_test"]

_ALTERNATIVES = ("less", "greater", "two-sided")
_OPPOSITE = {"less": "greater", "greater": "less", "two-sided": "two-sided"}
_SIDES = {"less": "nearer", "greater": "farther", "two-sided": "nearer or farther"}
_POINTS_AT_ONCE = 200_000
_KINDS = {
    "uniform": (
        "The baseline is uniform over the window: every place in it counts as equally likely, also "
        "where nobody lives and nobody reports."
    ),
    "weighted areas": "The baseline draws places within areas by their weight.",
    "weighted places": (
        "The baseline draws among given places by their weight; a place of weight 0 is never drawn."
    ),
    "controls": (
        "The baseline is a set of control places: sites and controls change their labels at random."
    ),
}


@dataclass(frozen=True, eq=False)
class ProximityTest:
    """
    The answer of `proximity_test`: whether sites are nearer to a feature than a baseline says.

    Parameters
    ----------
    statistic : float
        Mean geodesic distance of the sites to the feature, in metres.
    pvalue : float
        Of the mean distance, ``(r + 1) / (n_simulations + 1)``.
    expected : float
        Mean of the simulated mean distances, in metres.
    null_distribution : numpy.ndarray, shape (n_simulations,)
        The simulated mean distances, in metres.
    distribution : pandas.DataFrame
        One row per distance: ``within_m``; ``share`` of the sites within it; ``expected``, the
        mean share under the baseline; ``resolvable``, whether the locations can tell this
        distance; ``low`` and ``high``, the global 95 % envelope, missing where they cannot.
    distribution_pvalue : float
        Of the shares within all resolvable distances at once, by extreme rank length; of all
        distances if none is resolvable.
    baseline : str
        ``uniform``, ``weighted areas``, ``weighted places`` or ``controls``.
    alternative : str
        What counts against the hypothesis: the sites being nearer ("less"), farther ("greater")
        or either ("two-sided").
    n_simulations, n_sites, n_places, n_controls, n_unlocated, n_outside : int
        Simulations; sites used, and the coordinates that they stand at; controls, if they are the
        baseline; sites without a location, which could not be used; and sites recorded outside
        the areas of the baseline, but within their radius of it.
    """

    statistic: float
    pvalue: float
    expected: float
    null_distribution: Floats
    distribution: pd.DataFrame
    distribution_pvalue: float
    baseline: str
    alternative: str
    n_simulations: int
    n_sites: int
    n_places: int
    n_controls: int
    n_unlocated: int
    n_outside: int

    def to_frame(self) -> pd.DataFrame:
        """
        Give the shares within each distance.

        Returns
        -------
        pandas.DataFrame
            A copy of ``distribution``.
        """
        return self.distribution.copy()

    def summary(self) -> str:
        """
        Say in plain words what was found and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        side = _SIDES[self.alternative]
        tested = self.distribution.dropna()["within_m"]
        span = " to ".join(dict.fromkeys([metres(tested.iloc[0]), metres(tested.iloc[-1])]))
        found = (
            f"{counted(self.n_sites, 'located report')}: mean distance {_km(self.statistic)}, "
            f"against {_km(self.expected)} under the baseline. Test of whether they are {side}: "
            f"p = {self.pvalue:.3g} for the mean distance, p = {self.distribution_pvalue:.3g} for "
            f"the shares within {span} at once ({counted(self.n_simulations, 'simulation')})."
        )
        parts = [found, _KINDS[self.baseline]]
        if self.baseline == "controls":
            parts.append(f"There are {self.n_controls}.")
        if self.n_places < self.n_sites:
            parts.append(
                f"Caution: the reports stand at {counted(self.n_places, 'coordinate')}; those at "
                "the same one are not independent, so that p is too small."
            )
        if self.n_unlocated:
            parts.append(
                f"{counted(self.n_unlocated, 'report')} without a location could not be used."
            )
        if self.n_outside:
            parts.append(
                f"{counted(self.n_outside, 'report')} recorded outside the baseline's areas, but "
                "within the radius of the record, counted as recorded."
            )
        blurred = self.distribution.loc[~self.distribution["resolvable"], "within_m"]
        if len(blurred):
            listed = ", ".join(metres(length) for length in blurred)
            whole = self.distribution["resolvable"].any()
            meaning = "p leaves them out" if whole else "p rests on them"
            parts.append(f"Caution: the radii of the reports cannot resolve {listed}; {meaning}.")
        parts.append("Distances are of reported places: reports follow those who report.")
        return " ".join(parts)

    def __repr__(self) -> str:
        return (
            f"ProximityTest(mean {_km(self.statistic)} against {_km(self.expected)}, "
            f"p={self.pvalue:.3g}, {self.alternative}; {self.baseline} baseline, "
            f"{self.n_sites} sites, {self.n_simulations} simulations)"
        )

    def _repr_html_(self) -> str:
        table = self.distribution.to_html(index=False, escape=True, border=0, na_rep="")
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def proximity_test(
    sites: gpd.GeoDataFrame,
    feature: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    *,
    baseline: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    alternative: Literal["less", "greater", "two-sided"],
    distances_m: Sequence[float] = (1000.0, 5000.0, 10_000.0, 25_000.0, 50_000.0),
    n_simulations: int = 999,
    rng: np.random.Generator | int | None = None,
    progress: bool = True,
) -> ProximityTest:
    """
    Test whether sites are nearer to a feature than a baseline says they would be.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, in any coordinate reference system. Rows without geometry are left out and counted.
    feature : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Points, lines or polygons, as in `distance_to`: borders, crossings, casinos.
    baseline : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Where the sites could have been. Polygons: uniformly in them, or, with a column
        ``weight`` (such as population), in each by its weight and uniformly within. Points with
        a column ``weight``: among them by their weight (towns by population), each at most once
        if no two sites share a coordinate. Points without
        it: control sites, such as other businesses, which the sites exchange labels with.
    alternative : {"less", "greater", "two-sided"}
        Whether small distances count against the baseline (the sites are nearer), large ones, or
        both.
    distances_m : sequence of float, default (1000, 5000, 10000, 25000, 50000)
        At which the shares of sites are compared, in metres.
    n_simulations : int, default 999
        How many times as many places as there are sites are drawn.
    rng : None, int or numpy.random.Generator, optional
        For the same answer again; each simulation has a stream of its own.
    progress : bool, default True
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    ProximityTest
        Mean distance, shares within each distance, p-values, ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry does not fit, points and polygons are mixed in the baseline, it is empty,
        or a site lies outside its polygons by more than the radius of its record (see
        ``.problems``).
    SchemaError
        If a weight is negative or no number, or all are 0; see ``.problems``.
    ValueError
        If no site has a location, `alternative` is unknown, a distance is no length,
        `n_simulations` is no whole number from 1 on, or more sites than places are to be distinct.

    Notes
    -----
    The hypothesis is that sites are independent draws from the baseline; with controls, that sites
    and controls are draws from one population, whatever it is, which asks less. The answer is
    only as good as the baseline: against a uniform one, whatever follows people looks near to
    roads, towns and borders.

    p-values are ``(r + 1) / (n + 1)``, ties counted against the hypothesis. The shares within all
    distances that the radii resolve (see `distance_bands`) are tested at once by extreme rank
    length [1]_, whose global envelope is left by the observed shares only if that test rejects at
    5 %; shares that tie with it may lie on it. Reports at one coordinate are not independent:
    test one of each place, against places
    drawn once each, or areas. Distances are geodesic, as in `distance_to`; draws from areas are
    uniform in an equal-area projection centred on them.

    References
    ----------
    .. [1] Myllymaki, M., Mrkvicka, T., Grabarnik, P., Seijo, H., Hahn, U. (2017). Global envelope
       tests for spatial processes. Journal of the Royal Statistical Society B 79, 381-404.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import LineString, box
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 4},
    ...     geometry=geopandas.points_from_xy([103.1, 103.4, 103.6, 103.9], [14.2] * 4),
    ...     crs="EPSG:4326",
    ... )
    >>> border = LineString([(103.0, 14.3), (104.0, 14.3)])
    >>> test = geo.proximity_test(
    ...     sites, border, baseline=box(103, 13.3, 104, 14.3), alternative="less", rng=1
    ... )
    >>> test.baseline, test.pvalue < 0.01, test.statistic < test.expected
    ('uniform', True, True)
    """
    if alternative not in _ALTERNATIVES:
        message = f"alternative is {alternative!r}; it must be one of {', '.join(_ALTERNATIVES)}."
        raise ValueError(message)
    reaches = np.unique(lengths(distances_m, "distances_m"))
    many = whole_number(n_simulations, "n_simulations")
    observed = distance_to(sites, feature)["distance_m"]
    used = sites[observed.notna()]
    if not len(used):
        message = "No site has a location, so there is no distance to compare."
        raise ValueError(message)
    own = observed.dropna().to_numpy()
    if isinstance(feature, shapely.Geometry):
        feature = gpd.GeoSeries([feature], crs=4326)
    kind, draw, n_controls, n_outside = _prepared(baseline, used, own, feature)
    means, shares = _simulate(draw, streams(rng, many), reaches, len(own), progress=progress)
    curves = np.vstack([_shares(own, reaches), shares])
    resolvable = np.array([not unresolved(used, float(reach)) for reach in reaches])
    tested = resolvable | ~resolvable.any()
    low, high = np.full((2, len(reaches)), np.nan)
    # nearer sites have larger shares
    low[tested], high[tested], together = global_envelope(curves[:, tested], _OPPOSITE[alternative])
    distribution = pd.DataFrame(
        {
            "within_m": reaches,
            "share": curves[0],
            "expected": shares.mean(axis=0),
            "resolvable": resolvable,
            "low": np.clip(low, 0, 1),
            "high": np.clip(high, 0, 1),
        }
    )
    return ProximityTest(
        statistic=float(own.mean()),
        pvalue=monte_carlo_p(float(own.mean()), means, alternative),
        expected=float(means.mean()),
        null_distribution=means,
        distribution=distribution,
        distribution_pvalue=together,
        baseline=kind,
        alternative=alternative,
        n_simulations=many,
        n_sites=len(own),
        n_places=_n_places(used),
        n_controls=n_controls,
        n_unlocated=len(sites) - len(own),
        n_outside=n_outside,
    )


# ---------------------------------------------------------------------------- baselines


def _prepared(
    baseline: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    sites: gpd.GeoDataFrame,
    own: Floats,
    feature: gpd.GeoDataFrame | gpd.GeoSeries,
) -> tuple[str, Draw, int, int]:
    """Return what a baseline is, how to draw from it, its controls, and the sites outside."""
    if isinstance(baseline, shapely.Geometry):
        baseline = gpd.GeoSeries([baseline], crs=4326)
    shapes = shapes_of(baseline)
    kind = shapely.get_type_id(shapes)
    present = kind >= 0
    if not present.any():
        message = "The baseline is empty, so there is nowhere that the sites could have been."
        raise GeometryError(message)
    weighted = isinstance(baseline, gpd.GeoDataFrame) and "weight" in baseline
    weight = _weights(baseline, present) if weighted else None
    target = shapes_of(feature)
    target = target[shapely.get_type_id(target) >= 0]
    if (kind[present] == POINT).all():
        lon, lat = shapely.get_coordinates(shapes[present]).T
        there = unsigned_distance(place_points(lon, lat), target, geodesic=False)
        if weight is None:
            return "controls", _relabel(own, there), len(there), 0
        distinct = _n_places(sites) == len(own)
        return "weighted places", _among(there, weight[present], len(own), distinct), 0, 0
    flat = present & (shapely.get_dimensions(shapes) != 2)  # noqa: PLR2004 - surfaces
    if flat.any():
        message = (
            f"{flat.sum()} of {len(shapes)} rows of the baseline are no polygons, and not all are "
            "single points. Give areas, or places, not both; explode() takes multipoints apart."
        )
        raise GeometryError(message, problems_of(baseline.geometry, flat, "not a polygon"))
    n_outside = _outside(sites, shapes[present])
    areas = gpd.GeoSeries(shapes[present], crs=4326)
    sampler = sampler_of(areas, None if weight is None else weight[present])

    def draw(rngs: list[np.random.Generator]) -> Floats:
        places = np.concatenate([sampler.draw(len(own), rng) for rng in rngs])
        points = place_points(*sampler.place(places))
        return unsigned_distance(points, target, geodesic=False).reshape(len(rngs), -1)

    return "uniform" if weight is None else "weighted areas", draw, 0, n_outside


def _weights(baseline: gpd.GeoDataFrame, present: NDArray[np.bool_]) -> Floats:
    """Return the weights of a baseline, each a number from 0 on."""
    weight = pd.to_numeric(baseline["weight"], errors="coerce").to_numpy(
        np.float64, na_value=np.nan
    )
    wrong = present & ~((weight >= 0) & np.isfinite(weight))
    if wrong.any() or not weight[present].sum() > 0:
        problems = pd.DataFrame(
            {
                "row": np.flatnonzero(wrong),
                "column": "weight",
                "value": baseline["weight"][wrong].to_numpy(),
                "problem": "not a number from 0 on",
            },
            index=baseline.index[wrong],
        )
        message = (
            f"{wrong.sum()} of {len(weight)} weights of the baseline are no numbers from 0 on."
            if wrong.any()
            else "All weights of the baseline are 0, so no place could be drawn."
        )
        raise SchemaError(message, problems)
    return np.asarray(weight)


def _outside(sites: gpd.GeoDataFrame, areas: NDArray[np.object_]) -> int:
    """Count the sites outside of areas, none of them by more than its radius."""
    lon, lat = coordinates(sites, "sites")
    points = place_points(lon, lat)
    parts = shapely.get_parts(areas)
    out = np.flatnonzero(~inside(points, parts))
    if not len(out):
        return 0
    gap = unsigned_distance(points.at(out), areas, geodesic=False)
    beyond = np.zeros(len(lon), dtype=bool)
    beyond[out] = ~(gap <= radii(sites)[out])
    if beyond.any():
        message = (
            f"{beyond.sum()} of {len(lon)} sites lie outside the areas of the baseline, by more "
            "than their radius: the baseline says that they could not be there. Enlarge it, or "
            "leave them out."
        )
        raise GeometryError(message, problems_of(sites.geometry, beyond, "outside the baseline"))
    return len(out)


def _relabel(own: Floats, controls: Floats) -> Draw:
    """Draw by exchanging labels between sites and controls."""
    both = np.concatenate([own, controls])
    return lambda rngs: np.array([rng.permutation(both)[: len(own)] for rng in rngs])


def _among(there: Floats, weight: Floats, n: int, distinct: bool) -> Draw:  # noqa: FBT001 - private
    """Draw among given places by their weight, each once if no two sites share a place."""
    there, weight = there[weight > 0], weight[weight > 0]
    if distinct and n > len(there):
        message = (
            f"There are {n} sites at as many coordinates, and {len(there)} places of the baseline "
            "with a weight above 0: there must be at least as many."
        )
        raise ValueError(message)

    def draw(rngs: list[np.random.Generator]) -> Floats:
        if not distinct:
            share = weight / weight.sum()
            return np.array([there[rng.choice(len(there), n, p=share)] for rng in rngs])
        # the n earliest of waiting times with these rates: repeated draws without the repetitions
        first = (np.argsort(rng.exponential(size=len(there)) / weight)[:n] for rng in rngs)
        return np.array([there[rows] for rows in first])

    return draw


def _n_places(sites: gpd.GeoDataFrame) -> int:
    """Count the distinct coordinates of sites."""
    return len(np.unique(np.column_stack(coordinates(sites, "sites")), axis=0))


def _simulate(
    draw: Draw, rngs: list[np.random.Generator], reaches: Floats, n: int, *, progress: bool
) -> tuple[Floats, Floats]:
    """Return mean distance and shares within each distance for every stream."""
    # only simulations need a bar; the one made of text asks for nothing in notebooks
    from tqdm import tqdm  # noqa: PLC0415

    size = max(1, _POINTS_AT_ONCE // n)
    means, shares = [], []
    with tqdm(total=len(rngs), delay=2, disable=not progress, desc="simulations") as bar:
        for first in range(0, len(rngs), size):
            drawn = draw(rngs[first : first + size])
            means.append(drawn.mean(axis=1))
            shares.append(_shares(drawn, reaches))
            bar.update(len(drawn))
    return np.concatenate(means), np.concatenate(shares)


def _shares(distance: Floats, reaches: Floats) -> Floats:
    """Return the share of distances within each reach, along the last axis."""
    return np.stack([(distance <= reach).mean(axis=-1) for reach in reaches], axis=-1)


def _km(length_m: float) -> str:
    """Write a mean distance for a reader, to two digits."""
    return f"{float(f'{length_m / 1000:.2g}'):g} km"
