"""The gate: what was drawn is written, read back, searched and judged; then it is moved, or not."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geo._files import locked
from geo.errors import PublishRefused
from layers._draft import ids_of
from layers._placing import move, partial, require_ours, write
from layers.rules import RULES, broken
from layers.scanner import scan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geo
    from layers._draft import Draft
    from layers._placing import Place
    from layers.rules import ReleasePolicy

__all__ = ["passed", "refuse"]

_LISTED = 12  # rows in a message; all are in its table
_FEW = 5  # hidden places
_LEFT_OUT = "site_id of a row that is left out"


def passed(draft: Draft, place: Place, record: geo.Provenance) -> dict[str, Any]:
    """
    Write a draft, search and judge it, and move it to its place.

    Parameters
    ----------
    draft : Draft
        The release.
    place : Place
        Where it goes.
    record : geo.Provenance
        What was read, run and changed.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    ExportError
        If something cannot be written, or somebody else is publishing there.
    PublishRefused
        If a rule is broken and not overridden.
    ReadError
        If the output holds something that cannot be searched, or the registry is damaged.
    """
    names = [*draft.files, place.manifest]
    busy = f"Somebody else is publishing {place.target.name!r}"
    with locked(place.owner, busy), partial(place) as new:
        require_ours(place, names)
        manifest = _manifest(draft, record)
        text = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        write(new, {**draft.files, place.manifest: text.encode()})
        refuse(broken(replace(draft, leaks=_leaks(new, draft))), draft.policy)
        if draft.registry is not None:
            # before it is public: what is public and not recorded could be contradicted
            draft.registry.record(draft.view, release=draft.policy.date)
        move(place, new, names)
    return manifest


def _leaks(path: Path, draft: Draft) -> pd.DataFrame:
    """Search the bytes of a file or folder for what is not released."""
    ids = pd.Series(ids_of(draft.sites), index=draft.sites.index)
    sought = draft.sites.assign(**{_LEFT_OUT: ids.where(~ids.isin(draft.view["site_id"]))})
    if "source_file" in sought:
        # what our own files are called says nothing of a file of the same name
        ours = {name.rpartition("/")[2] for name in draft.files}
        sought["source_file"] = sought["source_file"].astype("string").mask(lambda s: s.isin(ours))
    sought.attrs = {}
    found = scan(path, against=sought, released=draft.view, progress=False)
    found.loc[found["form"] == f"value of {_LEFT_OUT!r}", "rule"] = "G01"
    return pd.concat([found, *_people(path, draft)], ignore_index=True)


def _people(path: Path, draft: Draft) -> Iterator[pd.DataFrame]:
    """Search for the people of the policy's list, without giving their names."""
    names = [name for name in draft.policy.names if name.strip()]
    if not names:
        return
    numbers = [f"name {i + 1} of the list" for i in range(len(names))]
    sought = gpd.GeoDataFrame(
        {"site_id": numbers, "person": names}, geometry=[None] * len(names), crs=4326
    )
    found = scan(path, against=sought, progress=False)
    found = found[found["form"] == "value of 'person'"]
    yield found.assign(rule="G13", form=found["site_id"], site_id=pd.NA)


def refuse(found: pd.DataFrame, policy: ReleasePolicy) -> None:
    """
    Refuse what breaks a rule that nobody overrode.

    Parameters
    ----------
    found : pandas.DataFrame
        From `broken`.
    policy : ReleasePolicy
        With the overrides.

    Raises
    ------
    PublishRefused
        If there is anything.
    """
    soft = {rule.name for rule in RULES if not rule.hard}
    signed = {name for name in found["rule"].unique() if name in soft and policy.overridden(name)}
    open_ = found[~found["rule"].isin(signed)].reset_index(drop=True)
    if len(open_):
        raise PublishRefused("\n".join(_findings(open_, soft)), open_)


def _findings(found: pd.DataFrame, soft: set[str]) -> Iterator[str]:
    """Say what was found, by rule, without a place."""
    n, names = len(found), list(dict.fromkeys(found["rule"]))
    yield (
        f"Not published: {n} {'finding' if n == 1 else 'findings'} under {len(names)} "
        f"{'rule' if len(names) == 1 else 'rules'}. Nothing was written."
    )
    for rule in RULES:
        some = found[found["rule"] == rule.name]
        if some.empty:
            continue
        ids = list(dict.fromkeys(some["site_id"].dropna()))
        who = f" Rows: {', '.join(ids[:_LISTED])}{' ...' if len(ids) > _LISTED else ''}."
        what = "; ".join(list(dict.fromkeys(some["problem"]))[:3])
        may = "cannot be overridden"
        if rule.name in soft:
            may = "can be overridden, on the record" + ", by two people" * (rule.reviewers > 1)
        yield f"{rule.name}, {rule.refuses} ({may}): {what}.{who if ids else ''}"


def _manifest(draft: Draft, record: geo.Provenance) -> dict[str, Any]:
    """Put down what the release says of itself to a machine."""
    told, policy = record.to_dict(), draft.policy
    if 0 < len(draft.hidden) < _FEW:
        # whoever has all of the input but one place could try places until the hash fits
        told["input"]["sha256"] = f"withheld: fewer than {_FEW} places are hidden"
    kept = draft.view["release_scheme"].value_counts().sort_index()
    return {
        **told,
        "date": policy.date,
        "rules": {
            "passed": [rule.name for rule in RULES if not policy.overridden(rule.name)],
            "overrides": [o._asdict() for o in policy.overrides if policy.overridden(o.rule)],
        },
        "policy": {
            "level": policy.level,
            "columns": list(policy.columns),
            "min_candidates": policy.min_candidates,
            "embargo_days": policy.embargo_days,
        },
        "rows": {
            "read": len(draft.sites),
            "released": len(draft.view),
            "left out as protected": int((draft.sites["sensitivity"] == "protected").sum()),
            "by scheme": {str(scheme): int(n) for scheme, n in kept.items()},
        },
        "outputs": {
            name: hashlib.sha256(data).hexdigest() for name, data in sorted(draft.files.items())
        },
    }
