"""The rules of a release, as a table, and the policy of a publisher who is bound by them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

import geo
from layers import _rules_files, _rules_numbers, _rules_places, _rules_results, _rules_rows
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    import geopandas as gpd

    from layers._draft import Draft, Problem

__all__ = ["RULES", "Override", "ReleasePolicy", "Rule", "broken"]

_CONFIRMED = ("confirmed",)
_LEVELS = ("district", "province", "country")  # that ship


class Rule(NamedTuple):
    """
    One reason to refuse a release.

    Parameters
    ----------
    name : str
        Such as ``G04``.
    refuses : str
        What is refused.
    why : str
        The harm it prevents.
    hard : bool
        Whether nobody may override it.
    check : callable
        Yields what a draft has of it.
    reviewers : int
        How many different people must sign an override.
    """

    name: str
    refuses: str
    why: str
    hard: bool
    check: Callable[[Draft], Iterable[Problem]]
    reviewers: int = 1


_H, _S = True, False
_ROWS, _PLACES, _NUMBERS = _rules_rows, _rules_places, _rules_numbers
_RESULTS, _FILES = _rules_results, _rules_files


def _found(rule: str) -> Callable[[Draft], Iterable[Problem]]:
    """Make the check of a rule that only reads what the search of the output found."""
    return partial(_ROWS.leaked, rule=rule)


RULES: tuple[Rule, ...] = tuple(
    Rule(*row)
    for row in (
        ("G01", "protected places, people, and what nobody consented to",
         "violence against survivors and those who shelter them", _H, _ROWS.protected),
        ("G02", "columns that are not on the list",
         "one forgotten column names the place or the person", _H, _ROWS.unlisted),
        ("G03", "rows without sensitivity or status",
         "nothing is harmless because nobody thought about it", _H, _ROWS.undecided),
        ("G04", "what is not confirmed, finer than a district",
         "a pin on a suspicion accuses whoever is there", _S, _PLACES.suspected_places),
        ("G05", "exact places without a public record",
         "the only source may be a person who can be found", _S, _ROWS.uncited),
        ("G06", "areas with too few plausible premises",
         "an area with one casino names the casino", _S, _PLACES.few_premises),
        ("G07", "places finer than their sensitivity or their radius allow",
         "false precision, or an exact place by mistake", _H, _PLACES.too_fine),
        ("G08", "pins for places that are not there",
         "a displaced pin accuses whoever lives under it", _S, _PLACES.pins),
        ("G09", "masks without key and registry, or against an earlier release",
         "two releases of one place intersect or average", _H, _PLACES.unregistered),
        ("G10", "coordinates in the bytes of the output",
         "the exact place, in whatever spelling", _H, _found("G10")),
        ("G11", "numbers that are too exact, or distances that locate",
         "three distances to landmarks give a place", _H, _NUMBERS.exact_numbers),
        ("G12", "statistics that give their points away",
         "hulls, narrow kernels and groups of two hold exact places", _H, _RESULTS.revealing),
        ("G13", "text with places, persons, telephones or accounts",
         "the words say what the geometry hides", _S, _ROWS.telling_text),
        ("G14", "active content, or a page without a policy",
         "text of hostile sites runs in the reader's browser", _H, _found("G14")),
        ("G15", "hosts that the page calls",
         "others learn who reads about which place", _S, _found("G15")),
        ("G16", "pictures that nobody reviewed",
         "faces, plates and the data of a camera", _S, _FILES.pictures),
        ("G17", "metadata: authors, paths, times, older layers",
         "they name the researcher, or hold what was removed", _H, _found("G17")),
        ("G18", "small counts that changed by one since the last release",
         "the difference is one site", _S, _NUMBERS.differences),
        ("G19", "reviews that are due, and embargoes that are not over",
         "people may still be inside", _S, _ROWS.untimely),
        ("G20", "no methods, licence, citation or contact",
         "who is harmed by a mistake must be able to say so", _H, _FILES.unexplained),
        ("G21", "places finer than a district where there is fighting",
         "a list of buildings full of captives is a list of targets", _S, _PLACES.conflict, 2),
        ("G22", "notebooks with outputs",
         "outputs hold whole tables and pages", _H, _found("G22")),
        ("G23", "titles that say more than was found",
         "where somebody looked is read as where sites are", _S, _FILES.overstated),
    )
)  # fmt: skip
"""Every reason to refuse a release, in order."""

_BY_NAME = {rule.name: rule for rule in RULES}


class Override(NamedTuple):
    """
    The decision to publish against a rule; it is printed in the manifest.

    Parameters
    ----------
    rule : str
        Name of the rule.
    reason : str
        Why.
    reviewer : str
        Who answers for it.
    """

    rule: str
    reason: str
    reviewer: str


@dataclass(frozen=True, eq=False)
class ReleasePolicy:
    """
    What a publisher promises and decides; without arguments it refuses for want of a contact.

    Parameters
    ----------
    contact : str
        Where corrections and requests to take down go: an address that will be answered.
    licence : str
        Of the release, such as ``CC BY 4.0``.
    citation : str
        How the release is cited.
    date : str, optional
        Date of the release, ``2026-12-01``; by default the day of publishing (UTC). Give it to
        get the same bytes on another day.
    level : {"district", "province", "country"}
        The finest area for what is not released at its own point.
    columns : sequence of str
        More columns of the sites to show, of the rows at their own points only.
    candidates : geopandas.GeoDataFrame, optional
        Plausible premises, as for `geo.generalise`.
    min_candidates : int
        How many of them an area must hold.
    conflict_areas : geopandas.GeoDataFrame, optional
        Polygons where there is fighting.
    embargo_days : int
        How long a report that is not public must have been known.
    names : sequence of str
        Names of people that may not appear anywhere. They are not printed.
    notes : sequence of str
        More sentences for the methods, such as `geo.ledger_sentences` gives of what may bias the
        reports.
    overrides : sequence of Override
        Use `override` to add one.

    Raises
    ------
    ValueError
        If `date` is no date, `level` unknown, or an override one that cannot be.
    TypeError
        If a text stands where a list is needed.

    Examples
    --------
    >>> import layers
    >>> policy = layers.ReleasePolicy(
    ...     contact="corrections@example.org", licence="CC BY 4.0", citation="Example (2026)"
    ... )
    >>> policy.override("G04", reason="The court named the town.", reviewer="Editor").overrides
    (Override(rule='G04', reason='The court named the town.', reviewer='Editor'),)
    """

    contact: str = ""
    licence: str = ""
    citation: str = ""
    date: str = ""
    level: str = "district"
    columns: tuple[str, ...] = ()
    candidates: gpd.GeoDataFrame | None = field(default=None, repr=False)
    min_candidates: int = 5
    conflict_areas: gpd.GeoDataFrame | None = field(default=None, repr=False)
    embargo_days: int = 30
    names: tuple[str, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        """Check what would fail late."""
        if self.date and not _is_day(self.date):
            message = f"date is {self.date!r}; write it as 2026-12-01."
            raise ValueError(message)
        if self.level not in _LEVELS:
            message = f"level is {self.level!r}; it must be one of {', '.join(_LEVELS)}."
            raise ValueError(message)
        for name in ("min_candidates", "embargo_days"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                message = f"{name} is {value!r}; it must be a whole number from 0 on."
                raise ValueError(message)
        for name in ("columns", "names", "notes", "overrides"):
            value = getattr(self, name)
            if isinstance(value, str):
                message = f"{name} is the text {value!r}; give a list."
                raise TypeError(message)
            object.__setattr__(self, name, tuple(value))
        for given in self.overrides:
            _require_soft(*given)

    def dated(self) -> ReleasePolicy:
        """
        Give the policy with a date.

        Returns
        -------
        ReleasePolicy
            With today's (UTC) if it has none.
        """
        today = datetime.now(UTC).date().isoformat()
        return self if self.date else dataclasses.replace(self, date=today)

    def override(self, rule: str, *, reason: str, reviewer: str) -> ReleasePolicy:
        """
        Decide to publish against a soft rule, on the record.

        Parameters
        ----------
        rule : str
            Such as ``G04``.
        reason : str
            Why; it is printed in the manifest.
        reviewer : str
            Who answers for it; printed, too. Some rules ask for two.

        Returns
        -------
        ReleasePolicy
            A policy with this override; this one is as it was.

        Raises
        ------
        ValueError
            If there is no such rule, it is a hard one, or reason or reviewer are empty.
        """
        return dataclasses.replace(
            self, overrides=(*self.overrides, Override(rule, reason, reviewer))
        )

    def overridden(self, rule: str) -> bool:
        """
        Tell whether enough people signed against a rule.

        Parameters
        ----------
        rule : str
            Such as ``G04``.

        Returns
        -------
        bool
            Whether it is overridden.
        """
        people = {_who(o.reviewer) for o in self.overrides if o.rule == rule}
        return len(people) >= _BY_NAME[rule].reviewers

    @property
    def exact(self) -> tuple[str, ...]:
        """Values of ``status`` whose public rows are released at their own points."""
        return tuple(geo.VOCABULARIES["status"]) if self.overridden("G04") else _CONFIRMED


def _is_day(text: object) -> bool:
    """Tell whether a text is a day as 2026-12-01."""
    try:
        return isinstance(text, str) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _who(name: str) -> str:
    """Name of a person, the same however it is written."""
    return plain(" ".join(name.split())).casefold()


def _require_soft(rule: str, reason: str, reviewer: str) -> None:
    """Raise ValueError unless an override is of a soft rule and says why and who."""
    if rule not in _BY_NAME:
        message = f"There is no rule {rule!r}; the rules are G01 to {RULES[-1].name}."
        raise ValueError(message)
    if _BY_NAME[rule].hard:
        message = (
            f"{rule} ({_BY_NAME[rule].refuses}) cannot be overridden: {_BY_NAME[rule].why}. Change "
            "what is published."
        )
        raise ValueError(message)
    if not all(isinstance(text, str) and _who(text) for text in (reason, reviewer)):
        message = (
            f"An override of {rule} needs a reason and the name of a reviewer; both are printed."
        )
        raise ValueError(message)


def broken(draft: Draft, rules: Collection[str] = tuple(_BY_NAME)) -> pd.DataFrame:
    """
    Apply rules to a draft.

    Parameters
    ----------
    draft : Draft
        A release that is not published yet.
    rules : collection of str, optional
        Which; by default all.

    Returns
    -------
    pandas.DataFrame
        ``rule``, ``site_id``, ``problem``, ``where``: one row per finding, overridden or not.
    """
    found = [
        (rule.name, problem.site_id, problem.problem, problem.where)
        for rule in RULES
        if rule.name in rules
        for problem in rule.check(draft)
    ]
    return pd.DataFrame(found, columns=["rule", "site_id", "problem", "where"], dtype="string")
