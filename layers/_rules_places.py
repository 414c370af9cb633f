"""Rules about places: how fine they are, where pins stand, and what was released before."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import geo
from layers._attacks import discs
from layers._draft import EXACT, Problem
from layers._frames import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from layers._draft import Draft

    Flags = NDArray[np.bool_]

__all__ = ["conflict", "few_premises", "pins", "suspected_places", "too_fine", "unregistered"]

_COARSE = ("district", "province", "country")
_DISPLACED = re.compile(r"(?:donut (\S+) to (\S+)|planar Laplace of mean \S+) m")
_SHORT = 1e-5  # of a length, by which a scheme that is written with 6 digits may differ
_ROUNDED_M = 1.0  # by which a point may move that is written with 5 decimals
_OUTLINE_M = 6_000.0  # how far beyond an outer border `geo.generalise` believes the source
_DEGREE_M = 111_000.0


def suspected_places(draft: Draft) -> Iterator[Problem]:
    """
    Find rows that are not confirmed at places finer than a district.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    status = column(draft.known, "status").astype("string").fillna("no status")
    doubtful = status.ne("confirmed").to_numpy(dtype=bool)
    rows = doubtful & _fine(draft)
    schemes = draft.view["release_scheme"][rows]
    for site_id, word, scheme in zip(draft.known.index[rows], status[rows], schemes, strict=True):
        yield Problem(f"{word}, and released as {scheme}", site_id, "geometry")


def few_premises(draft: Draft) -> Iterator[Problem]:
    """
    Find places that leave too few premises to choose from.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    candidates, least = draft.policy.candidates, draft.policy.min_candidates
    ids = draft.view["site_id"].to_numpy()
    if candidates is None:
        for site_id in ids[_fine(draft) & ~draft.exact]:
            problem = "finer than a district, and no candidates were given to count there"
            yield Problem(problem, site_id, "geometry")
        return
    spots = shapely.point_on_surface(candidates.geometry.to_crs(4326).dropna().to_numpy())
    # premises at one point hide nobody better than one
    tree = shapely.STRtree(shapely.points(np.unique(shapely.get_coordinates(spots), axis=0)))
    rows = np.flatnonzero(draft.areas | draft.displaced)
    outlines, outline = np.unique(shapely.to_wkb(_reach(draft)[rows]), return_inverse=True)
    inside, _ = tree.query(shapely.from_wkb(outlines), predicate="covers")
    counts = np.bincount(inside, minlength=len(outlines))[outline]
    for site_id, n in zip(ids[rows], counts.tolist(), strict=True):
        if n < least:
            yield Problem(f"{n} plausible premises, and {least} are asked for", site_id, "geometry")


def too_fine(draft: Draft) -> Iterator[Problem]:
    """
    Find places finer than their sensitivity, or than what is known of them.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    known, ids = draft.known, draft.view["site_id"].to_numpy()
    open_ = column(known, "sensitivity").astype("string").eq("public").fillna(value=False)
    for site_id in ids[draft.exact & ~open_.to_numpy(dtype=bool)]:
        yield Problem("released at its own point, and not public", site_id, "geometry")
    told, radius = (
        pd.to_numeric(column(frame, "uncertainty_m"), errors="coerce").to_numpy(dtype=float)
        for frame in (draft.view, known)
    )
    away = _away_m(draft)
    moved = np.where(draft.displaced, away, 0.0)
    with np.errstate(invalid="ignore"):
        shown = draft.areas | draft.exact | draft.displaced
        smaller = shown & ~(told + _ROUNDED_M >= np.nan_to_num(radius) + np.nan_to_num(moved))
        outside = draft.areas & (away > _OUTLINE_M * (1 + 1e-3))
    for site_id in ids[smaller]:
        yield Problem("a smaller radius than is known", site_id, "uncertainty_m")
    for site_id in ids[outside]:
        yield Problem("the area does not hold the place", site_id, "geometry")
    for site_id in ids[_not_moved(draft, away)]:
        yield Problem("a displaced point that did not move as its scheme says", site_id, "geometry")


def pins(draft: Draft) -> Iterator[Problem]:
    """
    Find pins where nothing is known to be, and that nobody says are displaced.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    ids = draft.view["site_id"].to_numpy()
    scheme = draft.view["release_scheme"].astype("string").fillna("")
    named = scheme.str.fullmatch(_DISPLACED).to_numpy(dtype=bool)
    for site_id in ids[draft.displaced & ~named]:
        yield Problem("a point that is neither exact nor said to be displaced", site_id, "geometry")
    before = column(draft.known, "release_scheme").astype("string").fillna(EXACT)
    elsewhere = draft.exact & (
        before.ne(EXACT).to_numpy(dtype=bool) | (_away_m(draft) > _ROUNDED_M)
    )
    for site_id in ids[elsewhere]:
        yield Problem("called exact, and is not where it is known to be", site_id, "geometry")


def unregistered(draft: Draft) -> Iterator[Problem]:
    """
    Find masks that no registry keeps, and what contradicts an earlier release.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    if draft.registry is None:
        for site_id in draft.view["site_id"][draft.displaced]:
            yield Problem("displaced, and no registry is given", site_id, "registry")
        return
    try:
        draft.registry.check(draft.view)
    except geo.ExportError as error:
        problems = error.problems if error.problems is not None else pd.DataFrame()
        for row in problems.itertuples():
            yield Problem(str(row.problem), str(row.row), "registry")


def conflict(draft: Draft) -> Iterator[Problem]:
    """
    Find places finer than a district where there is fighting.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each row.
    """
    if draft.policy.conflict_areas is None:
        return
    fighting = shapely.union_all(draft.policy.conflict_areas.geometry.to_crs(4326).to_numpy())
    rows = _fine(draft)
    there = shapely.intersects(_reach(draft)[rows], fighting)
    for site_id in draft.view["site_id"].to_numpy()[rows][there]:
        yield Problem("in an area of fighting", site_id, "geometry")


def _fine(draft: Draft) -> Flags:
    """Rows at places finer than a district: points, and areas of no level that is as coarse."""
    coarse = column(draft.view, "location_level").astype("string").isin(_COARSE)
    small = draft.areas & ~coarse.to_numpy(dtype=bool)
    return np.asarray(draft.exact | draft.displaced | small)


def _reach(draft: Draft) -> NDArray[np.object_]:
    """Where each row may be by what is released: its area, or the circle around its point."""
    shapes = draft.view.geometry.to_numpy().copy()
    points = draft.exact | draft.displaced
    radius = draft.view["uncertainty_m"].fillna(0.0).to_numpy(dtype=float)[points]
    shapes[points] = discs(shapes[points], np.maximum(radius, 1.0))
    return np.asarray(shapes, dtype=object)


def _away_m(draft: Draft) -> NDArray[np.float64]:
    """How far each place is from what it is released as; missing where either is."""
    released, places = draft.view.geometry, draft.known.geometry
    away = np.full(len(released), np.nan)
    points = draft.exact | draft.displaced
    here, there = (
        gpd.GeoDataFrame(geometry=shapes[points].to_numpy(), crs=4326)
        for shapes in (released, places)
    )
    away[points] = geo.geodesic_distance(here, there)["distance_m"].to_numpy(dtype=float)
    degrees = shapely.distance(released.to_numpy(), places.to_numpy())
    # never more than it is: a place at an outer border is nobody's mistake
    scale = _DEGREE_M * np.cos(np.radians(shapely.get_y(places.to_numpy())))
    return np.where(draft.areas, degrees * scale, away)


def _not_moved(draft: Draft, away: NDArray[np.float64]) -> Flags:
    """Displaced rows that stand nearer or farther than their scheme lets them."""
    scheme = draft.view["release_scheme"].astype("string").fillna("")
    ring = scheme.str.extract(_DISPLACED).astype(float)
    nearest = ring[0].fillna(0.0).to_numpy() * (1 - _SHORT) - _ROUNDED_M
    farthest = ring[1].fillna(np.inf).to_numpy() * (1 + _SHORT) + _ROUNDED_M
    far_enough = (away > _ROUNDED_M) & (away >= nearest) & (away <= farthest)
    return np.asarray(draft.displaced & ~far_enough)
