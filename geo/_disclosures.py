"""What a release gives away and what it costs, as a result."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo._resolution import counted, metres

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["FEW", "DisclosureRisk"]

FEW = 5  # candidates, below which an area as good as names the site
_LEAST = 3  # sites below which a mean is told to nobody: of one site it is that site's own


@dataclass(frozen=True, eq=False)
class DisclosureRisk:
    """
    The answer of `disclosure_risk`.

    Parameters
    ----------
    sites : pandas.DataFrame
        One row per released site, by ``site_id``: ``scheme``, ``candidates`` (premises left
        possible, missing where no layer was given), ``area_km2`` left possible,
        ``displacement_m`` from the reported point to the reader's best guess, ``held`` (whether
        the released radius holds the reported point), ``linked`` (whether no other site is nearer
        to the guess), ``alike`` (released rows with the same attributes, itself among them).
        Private: a displacement is a ring around the site.
    attack : pandas.DataFrame
        By number of releases ``n``: ``repeated_m``, the mean error of a reader who averages
        releases that repeat each other; ``redrawn_m``, of one who averages fresh draws of the same
        size; ``measured_m`` and ``left_km2``, the mean error of the average of the first n of the
        releases given, and the mean area where they overlap.
    statistics : pandas.DataFrame
        By name: ``true``, ``released`` and ``change`` (relative, missing for a shift).
    n : int
        Sites.
    n_located : int
        Sites with a location.
    n_released : int
        Of these, with a released geometry.
    n_releases : int
        Releases given.
    """

    sites: pd.DataFrame
    attack: pd.DataFrame
    statistics: pd.DataFrame
    n: int
    n_located: int
    n_released: int
    n_releases: int

    @property
    def linkage_rate(self) -> float:
        """Share of released sites to whose released place no other site is nearer."""
        return float(self.sites["linked"].mean()) if len(self.sites) else np.nan

    @property
    def least_candidates(self) -> float:
        """Fewest premises left possible for a site; NaN where no layer was given."""
        known = self.sites["candidates"].dropna()
        return float(known.min()) if len(known) else np.nan

    @property
    def n_unique(self) -> int:
        """Sites whose published attributes no other row shares."""
        return int((self.sites["alike"] == 1).sum())

    def to_frame(self) -> pd.DataFrame:
        """
        Give the measures of every released site.

        Returns
        -------
        pandas.DataFrame
            A copy of ``sites``.
        """
        return self.sites.copy()

    def summary(self) -> str:
        """
        Say in plain words what the release gives away and what it costs.

        Returns
        -------
        str
            A paragraph without coordinates, ids or any single site's displacement.
        """
        return " ".join(_sentences(self))

    def __repr__(self) -> str:
        least = self.least_candidates
        left = "candidates unknown" if np.isnan(least) else f"at least {least:.0f} candidates"
        return (
            f"DisclosureRisk({self.n_released} of {counted(self.n_located, 'located site')} "
            f"released, {left}, {self.linkage_rate:.0%} linked, {self.n_unique} unique)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def _sentences(risk: DisclosureRisk) -> Iterator[str]:
    """Yield what is to be told."""
    yield (
        f"{risk.n_released} of {counted(risk.n_located, 'located site')} released with a place, "
        f"{risk.n - risk.n_located} more without one."
    )
    if not risk.n_released:
        return
    lost = int((~risk.sites["held"]).sum())
    if lost:
        yield f"Error: for {counted(lost, 'site')} the released radius does not hold the place."
    yield _candidates(risk)
    yield (
        f"{risk.linkage_rate:.0%} of them have no other site nearer to their released place; "
        f"{risk.n_unique} are alone with their published attributes."
    )
    if risk.n_released < _LEAST:
        yield "Too few for a mean that does not tell of one of them."
        return
    yield from _distances(risk)


def _candidates(risk: DisclosureRisk) -> str:
    """Say how many premises are left possible."""
    known = risk.sites["candidates"].dropna().astype(float)
    if known.empty:
        return (
            "How many plausible premises the released areas hold is unknown: give candidates. "
            f"The least leaves {risk.sites['area_km2'].min():,.0f} km2."
        )
    few = int((known < FEW).sum())
    return (
        f"The released areas hold {known.min():,.0f} plausible premises at least and "
        f"{known.quantile(0.1):,.0f} or more for nine sites in ten; {few} have fewer than {FEW}."
    )


def _distances(risk: DisclosureRisk) -> Iterator[str]:
    """Yield what an attacker gains from more releases, and what the reader loses."""
    far = risk.sites["displacement_m"]
    yield (
        f"A reader's best guess is off by {_about(far.mean())} in the mean (median "
        f"{_about(far.median())}), however often the release is repeated; drawn anew each time, "
        f"it would be {_about(risk.attack.loc[10, 'redrawn_m'])} after 10 releases."
    )
    if risk.n_releases > 1:
        last = risk.attack.loc[risk.n_releases]
        yield (
            f"The average of the {risk.n_releases} releases given is off by "
            f"{_about(last['measured_m'])}, and they overlap in {last['left_km2']:,.3g} km2."
        )
    changes = [
        f"{name} by {row['change']:+.1%}"
        for name, row in risk.statistics.iterrows()
        if np.isfinite(row["change"])
    ]
    shift = risk.statistics.loc["shift of the mean centre in metres", "released"]
    yield f"Computed from the release, statistics change: {', '.join(changes)}."
    yield f"The mean centre moves by {_about(shift)}."


def _about(length_m: float) -> str:
    """Write a length to two digits, so that it is no measurement of a place."""
    return "an unknown length" if np.isnan(length_m) else metres(float(f"{length_m:.2g}"))
