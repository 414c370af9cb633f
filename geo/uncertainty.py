"""What reported places can carry: any statistic, over draws of the places that may be true."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from geo._candidates import candidates_of
from geo._clusterings import Clustering
from geo._confines import confines_of
from geo._functions import SummaryFunction
from geo._inputs import radii, whole_number
from geo._propagations import ALL, Propagated, row_sets, table_of, value_of
from geo._realisations import Drawer, places_of
from geo._resolution import resolved_from
from geo._sampling import streams
from geo._simulations import simulated
from geo._stability import stability_of
from geo.errors import GeoWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._propagations import Value
    from geo._surfaces import DensitySurface

    Statistic: TypeAlias = Callable[[gpd.GeoDataFrame], object]
    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Areas: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
    Weights: TypeAlias = DensitySurface | gpd.GeoDataFrame | gpd.GeoSeries

__all__ = ["Propagated", "propagate", "realisations"]

_AT_ONCE = 32  # draws made together


def realisations(
    sites: gpd.GeoDataFrame,
    *,
    n: int = 999,
    rng: np.random.Generator | int | None = None,
    within: Areas | None = None,
    weights: Weights | None = None,
) -> Iterator[gpd.GeoDataFrame]:
    """
    Draw the true places of sites, as often as asked, from what the reported ones say.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points with ``uncertainty_m``. Rows without geometry stay without.
    n : int, default 999
        How many draws.
    rng : None, int or numpy.random.Generator, optional
        For the same draws again; each draw has a stream of its own.
    within : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry, optional
        Units such as districts, or the study window. A place stays in the unit that holds it, or
        is nearest. An assigned place whose circle has at least half the area of its unit says no
        more than the unit, and is drawn in the whole of it.
    weights : DensitySurface, geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        What the ground is likely to hold: a surface; or premises, with the column ``weight`` or
        without, one of which the true place then is. Circles smaller than a cell of the surface
        are drawn in without it.

    Returns
    -------
    iterator of geopandas.GeoDataFrame
        The sites in their own coordinate reference system, with other points, and the column
        ``redrawn``: ``assigned``, ``measured``, or missing where nothing was drawn.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a site is no point, or `within` no polygon.
    SchemaError
        If a located site has no radius up to 5000 km, see ``.problems``; or a weight is no number
        from 0 on.
    ValueError
        If `n` is no whole number from 1 on.

    Warns
    -----
    ResolutionWarning
        If circles do not meet the unit or the country that they should, or the weights.

    Notes
    -----
    Places are uniform by area in their geodesic circle, as far as it lies in the unit and, where
    ``country`` is stated, on the land of the country up to its land border: what falls outside is
    drawn again. A radius of 0 stays where it is. Rows of one ``place_id`` are one place, drawn
    once, from the most precise of them; all other rows are drawn by themselves, also where
    they share a coordinate.

    Where the reported place stands for the true one (``location_method`` ``assigned``: gazetteer,
    centroid), draws restore what the coding took away. Where it was ``measured``, it holds an error
    already and a draw adds another: a pattern drawn from it is more spread than the truth, not as
    much, so that such draws show sensitivity only. Where the method is missing, buildings and
    compounds are taken as measured and coarser levels as assigned.

    Drawn places are derived from exact ones: they are as private as these.

    Examples
    --------
    >>> import geopandas
    >>> from geo.uncertainty import realisations
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [2000.0, 30.0], "location_level": ["village", "building"]},
    ...     geometry=geopandas.points_from_xy([104.54, 104.61], [12.85, 12.81]),
    ...     crs="EPSG:4326",
    ... )
    >>> draws = list(realisations(sites, n=3, rng=1))
    >>> len(draws), draws[0]["redrawn"].tolist()
    (3, ['assigned', 'measured'])
    """
    drawer = _drawer(sites, within, weights)
    rngs = streams(rng, whole_number(n, "n"))

    def drawn() -> Iterator[gpd.GeoDataFrame]:
        for start in range(0, len(rngs), _AT_ONCE):
            yield from drawer.frames(rngs[start : start + _AT_ONCE])

    return drawn()


def propagate(
    statistic: Statistic,
    sites: gpd.GeoDataFrame,
    *,
    n_draws: int = 999,
    rng: np.random.Generator | int | None = None,
    within: Areas | None = None,
    weights: Weights | None = None,
    progress: bool = True,
) -> Propagated:
    """
    Carry the uncertainty of places through any statistic.

    Parameters
    ----------
    statistic : callable
        From Sites to a number, a Series of numbers, a `SummaryFunction` or a `Clustering`. It is
        called from several threads at once (``NUMBA_NUM_THREADS=1`` for one), and must answer the
        same labels whatever the places.
    sites : geopandas.GeoDataFrame
        As in `realisations`.
    n_draws : int, default 999
        Draws of the true places.
    rng : None, int or numpy.random.Generator, optional
        For the same answer again, whatever the number of threads.
    within, weights : optional
        As in `realisations`.
    progress : bool, default True
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    Propagated
        Median and middle 95 % of the draws, for all rows, for those known to the building or
        compound, and without the largest source; of a clustering, ``stability``.

    Raises
    ------
    CRSError, GeometryError, SchemaError
        As in `realisations`.
    TypeError
        If the statistic answers something else.
    ValueError
        If `n_draws` is no whole number from 1 on, or a draw is answered with other labels.

    Warns
    -----
    ResolutionWarning
        As in `realisations`. What the statistic warns of is shown once, for the reported places.

    Notes
    -----
    The interval is about where sites are, ``posterior``, if all places drawn were assigned; if
    some were measured it shows ``sensitivity`` only, since a draw adds their error a second time.
    To hold measured places where they are, set their ``uncertainty_m`` to 0.

    It is an interval of the statistic of these sites: that others are not reported at all is not in
    it. Sets of rows share the draws, so that they differ by their rows and not by chance. The
    largest source is that of the most rows; of several, the first by name. Others are left out by
    `leave_one_out`.

    A statistic that needs a study window refuses places beyond it: give the window as `within`.

    Examples
    --------
    >>> import geo, geopandas
    >>> from geo.uncertainty import propagate
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [2000.0] * 3, "location_level": "village"},
    ...     geometry=geopandas.points_from_xy([104.50, 104.51, 104.52], [12.85] * 3),
    ...     crs="EPSG:4326",
    ... )
    >>> well = geopandas.GeoSeries.from_xy([104.5], [12.85], crs="EPSG:4326")
    >>> result = propagate(
    ...     lambda drawn: (geo.distance_to(drawn, well)["distance_m"] <= 1500).sum(), sites, rng=1
    ... )
    >>> result.reported, result.low, result.high, result.kind
    (2.0, 0.0, 3.0, 'posterior')
    """
    rngs = streams(rng, whole_number(n_draws, "n_draws"))
    answer = statistic(sites)
    sets, left_out = row_sets(sites)
    reported, failed = _reported(statistic, answer, sites, sets)
    drawer = _drawer(sites, within, weights)
    drawn = _evaluated(statistic, drawer, sets, reported, rngs, progress=progress)
    ends = np.cumsum([len(value.numbers) for value in reported.values()])
    facts = _facts(sites, drawer)
    table = pd.concat(
        [
            table_of(name, int(sets[name].sum()), value, drawn[:, end - len(value.numbers) : end])
            for (name, value), end in zip(reported.items(), ends, strict=True)
        ],
        ignore_index=True,
    )
    if isinstance(answer, SummaryFunction):
        table["resolvable"] = table["label"] >= facts["smallest_m"]
    labels = drawn[:, ends[-1] :]
    return Propagated(
        table=table,
        kind="sensitivity" if facts["n_measured"] else "posterior",
        of=reported[ALL].kind,
        draws=drawn[:, : ends[0]],
        stability=stability_of(answer, labels) if isinstance(answer, Clustering) else None,
        left_out={**left_out, **failed},
        facts=facts,
    )


def _reported(
    statistic: Statistic, answer: object, sites: gpd.GeoDataFrame, sets: dict[str, Flags]
) -> tuple[dict[str, Value], dict[str, str]]:
    """Return the statistic of the reported places by set of rows, and why it has none."""
    reported, failed = {ALL: value_of(answer)}, {}
    with warnings.catch_warnings():
        # said once, of all rows
        warnings.simplefilter("ignore", GeoWarning)
        for name, rows in sets.items():
            if name == ALL:
                continue
            try:
                reported[name] = value_of(statistic(sites[rows]))
            except ValueError as error:
                failed[name] = str(error)
    return reported, failed


def _evaluated(
    statistic: Statistic,
    drawer: Drawer,
    sets: dict[str, Flags],
    reported: dict[str, Value],
    rngs: list[np.random.Generator],
    *,
    progress: bool,
) -> Floats:
    """Return the statistic of every set of rows in every draw, and the labels of clusters."""

    def of_one(frame: gpd.GeoDataFrame) -> Floats:
        answer = statistic(frame)
        found = [_like(value_of(answer), reported[ALL])]
        for name, value in reported.items():
            if name != ALL:
                found.append(_like(value_of(statistic(frame[sets[name]])), value))
        if isinstance(answer, Clustering):
            found.append(answer.labels.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.concatenate(found)

    def of_some(some: list[np.random.Generator]) -> Floats:
        return np.array([of_one(frame) for frame in drawer.frames(some)])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeoWarning)
        return simulated(of_some, rngs, progress=progress, called="draws")


def _like(value: Value, reported: Value) -> Floats:
    """Return the numbers of a draw, which must be those that the reported places have."""
    if value.kind != reported.kind or not value.labels.equals(reported.labels):
        message = (
            f"The statistic answered a {value.kind} with other labels of a draw than a "
            f"{reported.kind} of the reported places, so that the two cannot be compared. Let it "
            "answer the same labels whatever the places, with reindex() or fixed distances_m."
        )
        raise ValueError(message)
    return value.numbers


def _facts(sites: gpd.GeoDataFrame, drawer: Drawer) -> dict[str, Any]:
    """Collect what the draws rest on."""
    places, redrawn = drawer.places, drawer.sites["redrawn"]
    located = places.of_row >= 0
    return {
        "n_sites": len(sites),
        "n_unlocated": int((~located).sum()),
        "n_measured": int((redrawn == "measured").sum()),
        "n_assigned": int((redrawn == "assigned").sum()),
        "n_whole": int(drawer.confines.serves[places.of_row[located]].sum()),
        "n_apart": drawer.confines.n_apart,
        "smallest_m": round(resolved_from(radii(sites)[located]), 3),
    }


def _drawer(sites: gpd.GeoDataFrame, within: Areas | None, weights: Weights | None) -> Drawer:
    """Prepare sites to be drawn."""
    places = places_of(sites)
    confines = confines_of(sites, places, within)
    kind = np.where(places.radius > 0, places.measured.astype(int), -1)
    words = pd.Categorical.from_codes(
        np.append(kind, -1)[places.of_row], categories=["assigned", "measured"]
    )
    marked = sites.assign(redrawn=words)
    if weights is None:
        return Drawer(marked, places, confines)
    candidates = candidates_of(weights, places, confines)
    shape, both = confines.shape.copy(), candidates.serves & confines.serves
    # the cells of a unit may stick out of it
    shape[both] = confines.units.shapes[confines.unit[both]]
    return Drawer(marked, places, replace(confines, shape=shape), candidates)
