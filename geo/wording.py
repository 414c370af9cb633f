"""Words that say more than an analysis carries, and what to say instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from geo._inputs import coordinates, radii
from geo._resolution import metres, resolved_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd

__all__ = ["check_words"]

_LEVEL = 0.05
_FIRST = "Dates are those of first reports: a crackdown makes more reports and fewer sites."
_COLUMNS = ("words", "problem", "instead")

# a clause: what a negation speaks of does not reach beyond
_CLAUSE = re.compile(r"[^.!?;:,\n]+(?:[.,](?=\d)[^.!?;:,\n]+)*")
_BUT = re.compile(r"\b(?:but|although|though|while|whereas|yet)\b", re.IGNORECASE)
_NEGATION = re.compile(
    r"\b(?:no|not|never|cannot|nor|neither|without|nothing|none|whether|rather than|instead of"
    r"|\w+n['\u2019]t)\b(?!\s+(?:only|just|merely|fewer|less|doubt|wonder|surprising\w*)\b)",
    re.IGNORECASE,
)
_REACH = 7  # words before a word that a negation still speaks of
_DENIED = re.compile(
    r"(?:\b(?:not|never|cannot)|n['\u2019]t)\s+(?:be\s+|been\s+)?(?:claimed|detected|established|found"
    r"|implied|inferred|known|proved|proven|resolved|seen|shown|supported|tested|told)\b",
    re.IGNORECASE,
)
_CLUSTER = re.compile(r"\b(?:clusters?|clustered|clustering|hot[\s-]?spots?)\b", re.IGNORECASE)
_TREND = re.compile(
    r"\b(?:increas(?:e|es|ed|ing)|grow(?:s|n|ing|th)?|grew|surg(?:e|es|ed|ing)|soar(?:s|ed|ing)?"
    r"|decreas(?:e|es|ed|ing)|declin(?:e|es|ed|ing)|(?<!high[- ])(?:ris(?:e|es|en|ing)|rose)"
    r"|boom(?:s|ed|ing)|mushroom(?:s|ed|ing)|expand(?:s|ed|ing)?|proliferat\w+|multipl(?:y|ied)"
    r"|(?:doubl|tripl|quadrupl)(?:ed|ing)|shr(?:inks?|ank|unk|inking)|more and more)\b",
    re.IGNORECASE,
)
_OF_REPORTS = re.compile(r"\breport(?:s|ing)?\b", re.IGNORECASE)
_LENGTH = re.compile(
    r"(?<![\w.,])(?P<number>\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)[\s\u00a0\u202f-]?"
    r"(?P<unit>km|kilomet(?:re|er)s?|m|met(?:re|er)s?)\b(?![\u00b2\u00b3]|\^?[23]\b)",
    re.IGNORECASE,
)
# lengths that somebody chose or that tell the precision itself are no distances measured
_CHOSEN = re.compile(
    r"\b(?:radius|radii|uncertaint\w+|precis\w+|accura\w+|known to within|grid|cells?|buffer\w*"
    r"|bandwidth|resol\w+|tall|high|wide)\b",
    re.IGNORECASE,
)


class _Grounds(NamedTuple):
    """What the analysis can carry."""

    clusters: str  # why it cannot speak of clusters; empty if it can
    radius_m: float  # of the reports, NaN if unknown


def check_words(
    text: str, *, results: Sequence[Any] = (), sites: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """
    Look through a title, a caption or a summary for words that the analysis does not carry.

    1. Clusters and hot spots need a test against a baseline that rejects: against complete spatial
       randomness alone, reports are concentrated wherever people and reporters are.
    2. Growth and decline cannot be read from dates of first reports, unless it is that of reports.
    3. Distances with more digits than the radii of the reports allow are rounded to one significant
       digit of the radius.

    Parameters
    ----------
    text : str
        What is to be published.
    results : sequence
        The answers it rests on, such as those of `envelope_test`, `proximity_test` or
        `case_control`.
    sites : geopandas.GeoDataFrame, optional
        The reports, for their radii; without them the radii that `results` know of are taken.

    Returns
    -------
    pandas.DataFrame
        One row per finding, in the order of the text: ``words``, ``problem``, and what to say
        ``instead``. None if all can stand.

    Raises
    ------
    TypeError
        If the text is none.

    Notes
    -----
    Words are found, not understood, and in English alone: what is denied in the same clause passes,
    and so does growth of reports. Distances are judged by the 75th percentile of the radii; those
    that are chosen, such as the width of a cell, pass.

    Examples
    --------
    >>> import geo
    >>> found = geo.check_words("Compounds are clustered, 1,987 m from the border on average.")
    >>> found[["words", "instead"]].to_dict("records")
    [{'words': 'clustered', 'instead': 'Reports are concentrated.'}]
    >>> len(geo.check_words("Reports are concentrated; sites need not be clustered."))
    0
    """
    if not isinstance(text, str):
        message = f"text is a {type(text).__name__}, where a str is needed. Check one at a time."
        raise TypeError(message)
    grounds = _Grounds(_why_no_clusters(results), _radius_of(results, sites))
    found = [
        (start + at, *finding)
        for start, clause in _clauses(text)
        for at, *finding in _findings(clause, grounds)
    ]
    rows = [finding for _, *finding in sorted(found)]
    return pd.DataFrame(rows, columns=list(_COLUMNS), dtype="string")


def _clauses(text: str) -> Iterator[tuple[int, str]]:
    """Yield the clauses of a text, and where each starts."""
    for match in _CLAUSE.finditer(text):
        start, words = match.start(), match.group()
        for turn in [*_BUT.finditer(words), None]:
            stop = match.end() if turn is None else match.start() + turn.start()
            yield start, text[start:stop]
            start = stop


def _findings(clause: str, grounds: _Grounds) -> Iterator[tuple[int, str, str, str]]:
    """Yield where words stand in a clause, the words, what is wrong and what to say instead."""
    rules = [(_CLUSTER, grounds.clusters, "Reports are concentrated.")]
    if not _OF_REPORTS.search(clause):
        rules.append((_TREND, _FIRST, "The number of reports changed; that of sites is not known."))
    for rule, problem, instead in rules:
        for match in rule.finditer(clause) if problem else ():
            if not _is_denied(clause, match):
                yield match.start(), match.group(), problem, instead
    if not _CHOSEN.search(clause):
        for match in _LENGTH.finditer(clause):
            yield from _too_precise(match, grounds.radius_m)


def _is_denied(clause: str, match: re.Match[str]) -> bool:
    """Tell whether a word is denied: by what stands shortly before it, or by the verb after it."""
    before = " ".join(clause[: match.start()].split()[-_REACH:])
    return bool(
        _NEGATION.search(f"{before} {match.group()}") or _DENIED.search(clause, match.end())
    )


def _too_precise(match: re.Match[str], radius_m: float) -> Iterator[tuple[int, str, str, str]]:
    """Yield a length that has more digits than a radius allows."""
    if not (np.isfinite(radius_m) and radius_m > 0):
        return
    unit = 1000.0 if match["unit"].lower().startswith("k") else 1.0
    length = float(re.sub("[,\u00a0\u202f]", "", match["number"])) * unit
    step = 10.0 ** np.floor(np.log10(radius_m))
    rounded = step * np.floor(length / step + 0.5)
    if np.isclose(length, rounded, rtol=1e-9, atol=0.0):
        return
    instead = f"about {metres(float(rounded))}" if rounded else f"less than {metres(float(step))}"
    problem = f"A quarter of the reports are known to within {_rough(radius_m)} or worse."
    yield match.start(), match.group(), problem, instead


def _rough(length_m: float) -> str:
    """Write a length to two digits."""
    return metres(float(f"{length_m:.2g}"))


# ---------------------------------------------------------------------------- what is carried


def _why_no_clusters(results: Sequence[Any]) -> str:
    """Say why the results do not speak of clusters of sites; nothing if one of them does."""
    tests = [result for result in results if np.isfinite(_pvalue(result))]
    based = [result for result in tests if _has_baseline(result)]
    if any(_pvalue(result) <= _LEVEL and _is_together(result) for result in based):
        return ""
    if based:
        return "No test against a baseline or controls finds more clustering at 5 %."
    if tests:
        return (
            "The hypothesis takes every place as equally likely, and reports follow people, roads "
            "and reporters: only a test against a baseline or controls can speak of clusters."
        )
    return "No test against a baseline or controls is given that could carry it."


def _pvalue(result: Any) -> float:  # noqa: ANN401 - any answer
    """Return the p-value of a result, NaN if it is no test."""
    value = getattr(result, "pvalue", None)
    return float(value) if isinstance(value, float | int) else float("nan")


def _has_baseline(result: Any) -> bool:  # noqa: ANN401 - any answer
    """Tell whether a result compares with where sites could have been or been reported."""
    null = getattr(result, "null", None)
    if null is not None:
        return not getattr(null, "homogeneous", True)
    return getattr(result, "baseline", None) not in (None, "uniform")


def _is_together(result: Any) -> bool:  # noqa: ANN401 - any answer
    """Tell whether what a test found is points nearer together than its baseline, or to a place."""
    observed, expected = (getattr(result, name, None) for name in ("observed", "expected"))
    if observed is None:
        return bool(getattr(result, "statistic", 0.0) <= (expected or 0.0))
    # empty space, and the ratio J, are less where points cluster
    sign = -1 if result.function in ("F", "J") else 1
    edge = result.high if sign > 0 else result.low
    if np.isnan(edge).all():
        edge = expected
    return bool((sign * (observed - edge)[result.tested]).max() > 0)


def _radius_of(results: Sequence[Any], sites: gpd.GeoDataFrame | None) -> float:
    """Return the 75th percentile of the radii of located reports, NaN if there is none."""
    if sites is not None:
        lon, _ = coordinates(sites, "sites")
        radius = radii(sites)
        return resolved_from(radius[np.isfinite(lon) & ~np.isnan(radius)]) / 2
    known = [getattr(result, "facts", None) or {} for result in results]
    smallest = [float(facts.get("smallest_m", np.nan)) for facts in known]
    return max((least for least in smallest if not np.isnan(least)), default=np.nan) / 2
