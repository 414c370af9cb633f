"""Are sites more clustered than places that would have been reported alike? And what else bends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from geo._cells import cell_text, clean
from geo._drawing import drawer_of
from geo._evaluation import Evaluator, function_named, many_curves
from geo._functions import distances_of, facts_of
from geo._inputs import whole_number
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._ranks import global_envelope
from geo._resolution import counted
from geo._sampling import streams
from geo._simulations import simulated
from geo.envelopes import EnvelopeTest
from geo.errors import SchemaError
from geo.nullmodels import random_labelling
from geo.pattern import ripley_k

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._patterns import Pattern

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry
    Correction: TypeAlias = Literal["none", "border", "isotropic", "translation", "periodic"]

__all__ = ["bias_ledger", "case_control", "ledger_sentences"]

_ALTERNATIVES = ("two-sided", "greater", "less")
_CONTROLS = (
    "What passes the same filter for both, such as where reporters go, is allowed for; controls "
    "that were less likely to be reported than the sites are none."
)
_LEDGER = ("mechanism", "direction", "done", "residual")
_DIRECTIONS = {
    "more": "makes reports more frequent than sites",
    "fewer": "makes reports rarer than sites",
    "either": "makes reports more frequent in some places and rarer in others",
    "unknown": "bends the reports in a direction that is not known",
}


def case_control(
    cases: gpd.GeoDataFrame,
    controls: gpd.GeoDataFrame,
    window: Window,
    *,
    distances_m: Sequence[float],
    n_simulations: int = 999,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    correction: Correction = "isotropic",
    rng: np.random.Generator | int | None = None,
    progress: bool = True,
) -> EnvelopeTest:
    r"""
    Test whether cases are more clustered than controls, whatever makes places of both likely.

    Parameters
    ----------
    cases : geopandas.GeoDataFrame
        Points in the window, at least two with a location: the reported sites.
    controls : geopandas.GeoDataFrame
        Points, at least two: places of the same kind with the same chance of being reported, such
        as hotels and casinos that the same outlets name without an allegation.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons in which a report was possible, as in `ripley_k`.
    distances_m : sequence of float
        Rising, in metres; to be chosen before looking.
    n_simulations : int, default 999
        How many times labels are exchanged.
    alternative : {"two-sided", "greater", "less"}, default "two-sided"
        Whether any difference counts, or only cases that are more clustered ("greater") or less.
    correction : {"none", "border", "isotropic", "translation", "periodic"}, default "isotropic"
        How the edge of the window is allowed for.
    rng : None, int or numpy.random.Generator, optional
        For the same answer again, whatever the number of threads.
    progress : bool, default True
        Whether a bar is shown if the work lasts longer than two seconds.

    Returns
    -------
    EnvelopeTest
        ``observed`` is D in square metres, with one p-value for all distances and the global
        envelope that belongs to it; ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a point lies outside the window, or the window is no polygon.
    ValueError
        If there are too few points, distances do not rise, or an argument is none of the above.

    Warns
    -----
    CoincidentPointsWarning
        If there are fewer coordinates than located points by a tenth or more.

    Notes
    -----
    .. math:: D(r) = K_{cases}(r) - K_{controls}(r)

    which is 0 if the cases are a random sample of all places of both [1]_. The labels are
    exchanged, the places stay, and curves are ranked as a whole, as in `envelope_test`, at the
    distances that the radii resolve.

    Where people looked may be known instead, also where they found nothing: a table of areas with
    the effort spent in each, such as days or images searched. Then it is the baseline,
    ``envelope_test(sites, window, null=inhomogeneous_poisson(effort, weight="days"))``; a column
    ``days * hotels`` makes it the offset of another baseline. Areas without effort have a 0, and
    cannot be the place of a report. `reports_per_effort` counts by the same table.

    References
    ----------
    .. [1] Diggle, P. J., Chetwynd, A. G. (1991). Second-order analysis of spatial clustering for
       inhomogeneous populations. Biometrics 47, 1155-1163.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> model = geo.thomas(window, parents_per_km2=8, offspring=8, spread_m=20)
    >>> cases = model.simulate(rng=3).to_frame("geometry").assign(uncertainty_m=1.0)
    >>> controls = geo.csr(window).simulate(60, rng=4).to_frame("geometry")
    >>> controls = controls.assign(uncertainty_m=1.0)
    >>> geo.case_control(
    ...     cases, controls, window, distances_m=[25, 50, 100], n_simulations=199, rng=1
    ... ).pvalue
    0.01
    """
    if alternative not in _ALTERNATIVES:
        message = f"alternative is {alternative!r}; it must be one of {', '.join(_ALTERNATIVES)}."
        raise ValueError(message)
    many = whole_number(n_simulations, "n_simulations")
    one, other = planar_pattern(cases, window), planar_pattern(controls, window)
    _require_pairs(one, other)
    outline = outline_of(one.window)
    distances = distances_of(distances_m, one.n + other.n, outline)
    name, chosen = function_named(ripley_k, correction, outline)
    evaluator = Evaluator(name, chosen, outline, distances, one.n)
    model = random_labelling(cases, controls, window)
    facts = facts_of(one, outline, other)
    observed = _differences(evaluator, [(one.xy, other.xy)])
    draw = drawer_of(model, one, other)
    curves = simulated(
        lambda some: _differences(evaluator, [draw(stream) for stream in some]),
        streams(rng, many),
        progress=progress,
    )
    whole = np.vstack([observed, curves])
    tested = _tested(distances, facts["smallest_m"], whole)
    low, high = np.full((2, len(distances)), np.nan)
    low[tested], high[tested], pvalue = global_envelope(whole[:, tested], alternative)
    return EnvelopeTest(
        distances_m=distances,
        observed=observed[0],
        expected=curves.mean(axis=0),
        low=low,
        high=high,
        tested=tested,
        pvalue=pvalue,
        function="case-control difference of K",
        correction=chosen,
        test="rank",
        alternative=alternative,
        null=replace(model, words=f"{model.words} {_CONTROLS}"),
        curves=curves,
        n=one.n,
        facts=facts,
    )


def bias_ledger(rows: pd.DataFrame | Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """
    Write down what bends the reports, what was done about it, and what remains.

    Parameters
    ----------
    rows : pandas.DataFrame or sequence of mapping
        One row per mechanism: ``mechanism``, such as sources in one language, access to a border,
        raids that the press followed or imagery of one date; ``direction`` of reports against
        sites, ``more``, ``fewer``, ``either`` or ``unknown``; what was ``done``; and what is
        ``residual``. Every cell says something: "nothing" is an answer.

    Returns
    -------
    pandas.DataFrame
        These four columns, text in one line each.

    Raises
    ------
    SchemaError
        If there are no rows, a column is missing or unknown, or a cell is empty, no such direction
        or a mechanism twice; see ``.problems``.

    Examples
    --------
    >>> import geo
    >>> ledger = geo.bias_ledger(
    ...     [
    ...         {
    ...             "mechanism": "raids that the press followed",
    ...             "direction": "more",
    ...             "done": "sites known from raids alone shown apart",
    ...             "residual": "large in 2025",
    ...         }
    ...     ]
    ... )
    >>> geo.ledger_sentences(ledger)[0]
    'Raids that the press followed: makes reports more frequent than sites. Done: sites known
    from raids alone shown apart. What remains: large in 2025.'
    """
    given = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    lacking = [name for name in _LEDGER if name not in given]
    strange = [str(name) for name in given.columns if name not in _LEDGER]
    if lacking or strange or given.empty:
        message = (
            f"A ledger has one row or more and the columns {', '.join(_LEDGER)}. Found "
            f"{counted(len(given), 'row')}; missing: {', '.join(lacking) or 'none'}; not among "
            f"them: {', '.join(strange) or 'none'}."
        )
        raise SchemaError(message)
    table = pd.DataFrame(
        {name: [_line(cell) for cell in given[name]] for name in _LEDGER}, dtype="string"
    )
    table["direction"] = table["direction"].str.lower()
    faults = _ledger_faults(table)
    if faults:
        problems = pd.DataFrame(faults, columns=["row", "column", "value", "problem"])
        message = f"{counted(len(faults), 'problem')} in the ledger, such as {faults[0][3]}."
        raise SchemaError(message, problems)
    return table


def ledger_sentences(ledger: pd.DataFrame) -> tuple[str, ...]:
    """
    Say what a ledger holds, for the methods text.

    Parameters
    ----------
    ledger : pandas.DataFrame
        From `bias_ledger`.

    Returns
    -------
    tuple of str
        A paragraph for each mechanism: the ``notes`` of `provenance`.

    Raises
    ------
    SchemaError
        If it is none; see `bias_ledger`.
    """
    return tuple(
        f"{row.mechanism[:1].upper()}{row.mechanism[1:]}: {_DIRECTIONS[row.direction]}. Done: "
        f"{row.done.rstrip('.')}. What remains: {row.residual.rstrip('.')}."
        for row in bias_ledger(ledger).itertuples()
    )


# ---------------------------------------------------------------------------- cases and controls


def _require_pairs(one: Pattern, other: Pattern) -> None:
    """Refuse patterns in which there is no pair to be counted."""
    if min(one.n, other.n) < 2:  # noqa: PLR2004 - a pair
        message = (
            f"{counted(one.n, 'case')} and {counted(other.n, 'control')} with a location: at "
            "least two of each are needed for a pair."
        )
        raise ValueError(message)


def _differences(evaluator: Evaluator, patterns: list[tuple[Floats, Any]]) -> Floats:
    """Return the difference of K of both kinds, for some patterns."""
    both = [
        many_curves(evaluator, [(pattern[kind], None) for pattern in patterns]) for kind in (0, 1)
    ]
    return np.asarray(both[0] - both[1])


def _tested(distances: Floats, smallest_m: float, curves: Floats) -> NDArray[np.bool_]:
    """Return which distances the radii resolve, or all if none, where every curve has a value."""
    resolved = distances >= smallest_m if np.isfinite(smallest_m) else distances >= 0
    tested = (resolved | ~resolved.any()) & np.isfinite(curves).all(axis=0)
    if not tested.any():
        message = (
            "K could not be estimated from every pattern at any of the distances. Give distances_m "
            "that fit the window and the number of points."
        )
        raise ValueError(message)
    return np.asarray(tested)


# ---------------------------------------------------------------------------- the ledger


def _line(cell: object) -> str:
    """Return the text of a cell in one line, empty where there is none."""
    return " ".join(clean(cell_text(cell) or "").split())


def _ledger_faults(table: pd.DataFrame) -> list[tuple[int, str, str, str]]:
    """List what is wrong in a ledger: row, column, value and problem."""
    faults = []
    again = table["mechanism"].str.lower().duplicated()
    for row, cells in enumerate(table.to_dict("records")):
        faults += [(row, name, "", f"an empty {name}") for name in _LEDGER if not cells[name]]
        direction = cells["direction"]
        if direction and direction not in _DIRECTIONS:
            problem = f"a direction that is none of {', '.join(_DIRECTIONS)}"
            faults.append((row, "direction", direction, problem))
        if again[row] and cells["mechanism"]:
            faults.append((row, "mechanism", cells["mechanism"], "a mechanism that stands twice"))
    return faults
