"""Rules about rows: who is in them, what nobody decided, what their words tell, and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

import geo
from layers._draft import Problem, ids_of, places
from layers._frames import column
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layers._draft import Draft

__all__ = [
    "leaked",
    "protected",
    "telling_text",
    "uncited",
    "undecided",
    "unlisted",
    "untimely",
]

_LISTED = {*geo.RELEASED_COLUMNS, *geo.CITATION_COLUMNS, "locality"}
_REFUSED = {
    "sensitivity": {"protected"},
    "consent": {"none", "internal", "no", "refused", "withdrawn"},
    "personal_data": {"true", "yes", "1", "1.0"},
    "personalData": {"true", "yes", "1", "1.0"},
}
_TOLD = ("source", "source_url", "locality", "admin1", "admin2", "admin3")
_TELLING = {
    "a coordinate": (
        r"(?<![\d.,])\d{1,3}(\.\d{3,}|,\d{4,})|\d\s*°\s*\d|"
        r"\b[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}\b"
    ),
    "a distance with a direction": (
        r"\b\d+([.,]\d+)?\s*(m|km|met(re|er)s?|kilomet(re|er)s?)\b.{0,24}"
        r"\b(north|south|east|west|from|of|behind|opposite)"
    ),
    "a telephone number": r"(?<![\w/.-])\+?\d[\d ().-]{7,}\d(?![\w/-])",
    "an e-mail address": r"[\w.+-]+@[\w-]+\.\w{2,}",
    "an account": r"(?<![\w.])@[A-Za-z]\w{3,}|\b(t\.me|wa\.me|telegram\.me)/\S+",
    "a passport number": r"\b[A-Z]{1,2}\d{6,9}\b",
    "a wallet": r"\b(0x[0-9a-fA-F]{40}|T[1-9A-HJ-NP-Za-km-z]{33}|bc1[a-z0-9]{25,59})\b",
    "a link to a map": r"\b(goo\.gl/maps|maps\.app\.goo|google\.\w+/maps|what3words|w3w\.co)\b",
}
_BUILDING_M = 1_000.0
_CASED = ("a passport number", "a wallet")  # they are spelt in capitals
_IN_ADDRESSES = ("a coordinate", "an account", "an e-mail address", "a link to a map")
# what looks like the above and is not: days, spans of years, identifiers of articles
_INNOCENT = re.compile(
    r"\b\d{4}-\d{2}-\d{2}\b|\b(?:19|20)\d\d\s*[-\u2013/]\s*(?:19|20)\d\d\b|\bdoi(?:\.org/|:\s*)\S+",
    re.IGNORECASE,
)
_ISO = r"\d{4}(-\d{2}(-\d{2})?)?(?!\d)"


def protected(draft: Draft) -> Iterator[Problem]:
    """
    Find rows that may never leave: protected, without consent, or with personal data.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    for name, words in _REFUSED.items():
        texts = column(draft.known, name).astype("string").str.strip().str.casefold()
        refused = texts.isin(words).to_numpy(dtype=bool)
        for site_id in draft.known.index[refused]:
            yield Problem(f"{name} says that it is not for the public", site_id, name)
    yield from leaked(draft, "G01")


def unlisted(draft: Draft) -> Iterator[Problem]:
    """
    Find columns that nobody listed, and their values in the output.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each column, and one for each value found.
    """
    for name in draft.view.columns:
        if name not in _LISTED and name not in draft.policy.columns:
            yield Problem(f"column {name!r} is not on the list", where="the released rows")
    yield from leaked(draft, "G02")


def leaked(draft: Draft, rule: str) -> Iterator[Problem]:
    """
    Give what was found in the bytes under a rule.

    Parameters
    ----------
    draft : Draft
        The release.
    rule : str
        Its name.

    Yields
    ------
    Problem
        One for each finding.
    """
    for found in draft.leaks[draft.leaks["rule"] == rule].itertuples():
        site_id = None if pd.isna(found.site_id) else str(found.site_id)
        yield Problem(str(found.form), site_id, str(found.where))


def undecided(draft: Draft) -> Iterator[Problem]:
    """
    Find rows for which nobody said how open they are, or what they claim.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row and column.
    """
    ids = ids_of(draft.sites)
    for name in ("sensitivity", "status"):
        given = column(draft.sites, name).astype("string")
        wrong = ~given.isin(geo.VOCABULARIES[name]).to_numpy(dtype=bool)
        for site_id in ids[wrong]:
            yield Problem(f"no {name} is stated, or none that is known", site_id, name)


def uncited(draft: Draft) -> Iterator[Problem]:
    """
    Find exact places without the public record that they were taken from, or hidden elsewhere.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    view = draft.view
    cited = pd.Series(data=False, index=view.index)
    for name in ("source", "source_url"):
        cited |= column(view, name).map(plain).ne("")
    for site_id in view["site_id"][draft.exact & ~cited.to_numpy(dtype=bool)]:
        yield Problem("an exact place without a source", site_id, "source")
    closed, shut = (
        column(frame, "sensitivity").astype("string").ne("public").fillna(value=True).to_numpy(bool)
        for frame in (draft.sites, draft.known)
    )
    hidden = {*places(draft.sites.to_crs(4326).geometry[closed].to_numpy())}
    # a town holds many places; a building is one, whatever its rows say
    small = view["uncertainty_m"].lt(_BUILDING_M).fillna(value=False).to_numpy(dtype=bool)
    one = draft.exact & small & ~shut
    for site_id, place in zip(
        view["site_id"][one], places(draft.known.geometry[one].to_numpy()), strict=True
    ):
        if place in hidden:
            yield Problem("a row that is not public has the same place", site_id, "geometry")


def telling_text(draft: Draft) -> Iterator[Problem]:
    """
    Find words that say what the geometry hides, and people of the policy's list.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each cell and kind.
    """
    view = draft.view
    shown = {name: view[name] for name in (*_TOLD, *draft.policy.columns) if name in view}
    for name, values in shown.items():
        for site_id, text in zip(view["site_id"], _texts(values), strict=True):
            for kind in _kinds(text, draft.policy.names, address=name == "source_url"):
                yield Problem(kind, site_id, name)
    for title, table in draft.tables.items():
        texts = {text for name in table for text in _texts(table[name])}
        kinds = {kind for text in texts for kind in _kinds(text, draft.policy.names)}
        for kind in sorted(kinds):
            yield Problem(kind, where=f"table {title!r}")
    yield from leaked(draft, "G13")


def _texts(values: pd.Series) -> list[str]:
    """Texts of a column; of one of numbers or shapes none, which other rules look at."""
    if pd.api.types.is_numeric_dtype(values.dtype) or str(values.dtype) == "geometry":
        return [""] * len(values)
    return [plain(value) for value in values]


def _kinds(text: str, names: tuple[str, ...], *, address: bool = False) -> Iterator[str]:
    """Yield what a text tells that it should not."""
    if not text:
        return
    folded = text.casefold()
    for number, name in enumerate(names, start=1):
        wanted = plain(name).casefold()
        if wanted and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", folded):
            yield f"name {number} of the list"
    text = _INNOCENT.sub(" ", text)
    for kind in _IN_ADDRESSES if address else _TELLING:
        if re.search(_TELLING[kind], text, 0 if kind in _CASED else re.IGNORECASE):
            yield kind


def untimely(draft: Draft) -> Iterator[Problem]:
    """
    Find rows whose review is due, or whose embargo is not over.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    known, policy = draft.known, draft.policy
    for name in ("review_date", "reviewDate"):
        stated = column(known, name).astype("string").str.strip().fillna("")
        due = stated.ne("") & (stated.lt(policy.date) | ~stated.str.match(_ISO))
        for site_id in known.index[due.to_numpy(dtype=bool)]:
            yield Problem("its review was due before the release", site_id, name)
    day = datetime.strptime(policy.date, "%Y-%m-%d").replace(tzinfo=UTC)
    since = (day - timedelta(days=policy.embargo_days)).date().isoformat()
    closed = column(known, "sensitivity").astype("string").ne("public").fillna(value=True)
    for name in ("first_reported", "last_reported", "source_date"):
        stated = column(known, name).astype("string").str.strip().fillna("")
        # a month is over on its last day: "2026-11" is later than 2026-11-05
        late = stated.ne("") & ((stated + "~").gt(since) | ~stated.str.match(_ISO))
        for site_id in known.index[(closed & late).to_numpy(dtype=bool)]:
            problem = f"not public, and reported in the last {policy.embargo_days} days"
            yield Problem(problem, site_id, name)
