"""Reports of one site: pairs found by place and name, weighed in the open, merged without loss."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geo._evidence import (
    NEARLY_SAME_NAME,
    Pairs,
    describe,
    pair_scores,
    show,
    telling_names,
    texts,
    weigh,
)
from geo._index import within
from geo._merging import merge_groups
from geo._names import SAME_NAME, skeleton, telling_skeleton
from geo._search import candidate_pairs
from geo.errors import GeometryError, SchemaError
from geo.geodesy import geodesic_length, place_points
from geo.schema import validate_sites

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Texts = NDArray[np.object_]

__all__ = ["find_duplicates", "merge_duplicates"]

_MARGIN_M = 250.0  # the radius of a compound: two reports may stand at two of its gates
_MOST_PAIRS = 5_000_000  # in some 3 GB
_SAME, _DIFFERENT = 5.0, -3.0
_DECISIONS = ["same", "review", "different"]


def find_duplicates(
    sites: gpd.GeoDataFrame, *, max_distance_m: float | None = None
) -> pd.DataFrame:
    r"""
    Find pairs of reports that may speak of one site, and weigh what says so.

    A pair is looked at if its geodesic distance d can be bridged,

    .. math:: d \le u_{left} + u_{right} + 250\,\mathrm{m}

    with u the ``uncertainty_m``. What the pair shows adds up to a weight, in the manner of
    Fellegi and Sunter [1]_, by the table below.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Reports, as `validate_sites` takes them. ``name`` may hold several names joined by a
        vertical bar, and so may ``aliases`` if there is such a column.
    max_distance_m : float, optional
        Greatest distance of a pair, where the radii and the margin allow more.

    Returns
    -------
    pandas.DataFrame
        One row per pair: ``left`` and ``right`` (``site_id``, the lesser first),
        ``distance_m`` (missing without location), ``name_score`` (0 to 1, missing where a
        name is missing or says only place and kind), ``weight``, ``evidence`` (what speaks for
        and against, with its weight) and ``decision`` (``same``, ``review``, ``different``).
        In order of decision, falling weight and ids. Pairs that are not listed lie too far
        apart.

    Raises
    ------
    SchemaError
        If `validate_sites` finds faults.
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If there is anything but points, or if more than 5 million pairs are within reach.
    ValueError
        If `max_distance_m` is negative or NaN.

    Notes
    -----
    The weights are set by judgement; there are no labelled reports to fit them to.

    ======  ===================================  ================================================
    weight  evidence                             reason
    ======  ===================================  ================================================
    +6      same name                            hardly two sites within reach share one
    +4      nearly the same name                 a word of the kind of site, or a letter, differs
    +2      similar names                        neighbours have similar names too
    +0      names share some words               Golden and Royal are everywhere
    +0      no telling name on both sides        nothing to compare
    -5      different names                      not less, for sites are renamed
    +3      within both radii, 1 km together     hardly two sites have room in it
    +1      within both radii, 12 km together    a town holds many sites
    +0      within both radii, too wide to tell  a district holds more
    -2      farther apart than both radii        one of the radii would have to be wrong
    +0      without location                     nothing to compare
    +1      same locality                        it holds several sites and often gave the point
    -1      different localities                 one may name the village, one the commune
    -4      different admin1                     sources seldom mistake the province
    -1      different admin2                     sources often mistake the district
    +1      same host type                       there are few types
    -1      different host types                 hotels have casinos, casinos have offices
    -1      reported years apart                 sites close, and others open in their place
    -0.5    status or activity contradict        both change with time and source
    ======  ===================================  ================================================

    Names are the same from a score of 0.9, nearly so from 0.86, similar from 0.75 and share
    words from 0.6. A name tells nothing by the towns nearby, the row's own areas and words such
    as "compound" in it. Localities that are the town or an area are left out; areas that agree
    weigh nothing, for that follows from being near. Years apart are more than three.

    ``same`` takes a telling name on both sides, the same or nearly so, and a weight of at least
    5: circles that overlap are never enough. ``different`` is a weight of at most -3.

    Where two reports are each the same as a third, but different from each other or too far
    apart, the third would chain what does not belong together (a vague report often does): its
    pairs with the two go to review. What is still chained, over several reports, goes to review
    altogether.

    A report without location is compared with the reports of its admin1 only, by name; pairs
    with the same name are listed, for review at most.

    References
    ----------
    .. [1] Fellegi, I. P. and Sunter, A. B. (1969). A theory for record linkage. Journal of the
       American Statistical Association 64, 1183-1210.

    Examples
    --------
    >>> import geo, geopandas
    >>> reports = geopandas.GeoDataFrame(
    ...     {
    ...         "site_id": ["a", "b", "c"],
    ...         "name": ["Golden Sun Casino", "Golden Sunn", "Blue Moon Casino"],
    ...         "uncertainty_m": [250.0, 5000.0, 250.0],
    ...     },
    ...     geometry=geopandas.points_from_xy([103.5, 103.51, 103.5], [10.6, 10.61, 10.6]),
    ...     crs="EPSG:4326",
    ... )
    >>> pairs = geo.find_duplicates(reports)
    >>> pairs[["left", "right", "weight", "decision"]]
      left right  weight   decision
    0    a     b     7.0       same
    1    a     c    -2.0     review
    2    b     c    -4.0  different
    >>> pairs["evidence"][0]
    'same name (+6); within both radii, 12 km together (+1)'
    """
    if max_distance_m is not None and not max_distance_m >= 0:
        message = f"max_distance_m is {max_distance_m!r}; it must be a length in metres."
        raise ValueError(message)
    reports = validate_sites(sites).sort_values("site_id", ignore_index=True)
    names = telling_names(reports)
    pairs = _join(
        _near(reports, names, np.inf if max_distance_m is None else max_distance_m),
        _namesakes(reports, names),
    )
    shown = show(reports, pairs)
    weight = weigh(shown)
    named, located = pairs.scores >= NEARLY_SAME_NAME, np.isfinite(pairs.distance)
    decision = np.select(
        [(weight >= _SAME) & named & located, (weight <= _DIFFERENT) & located],
        ["same", "different"],
        "review",
    ).astype(object)
    decision = _unchain(decision, pairs, len(reports))
    words = pd.Categorical(decision, _DECISIONS)
    order = np.lexsort((pairs.right, pairs.left, -weight, words.codes))
    ids = reports["site_id"].array
    return pd.DataFrame(
        {
            "left": ids[pairs.left[order]],
            "right": ids[pairs.right[order]],
            "distance_m": pairs.distance[order],
            "name_score": pairs.scores[order],
            "weight": weight[order],
            "evidence": pd.array(describe(shown)[order], dtype="string"),
            "decision": words[order],
        }
    )


def merge_duplicates(sites: gpd.GeoDataFrame, pairs: pd.DataFrame) -> gpd.GeoDataFrame:
    """
    Make one site of the reports that are tied by pairs decided as ``same``.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Reports, as `validate_sites` takes them.
    pairs : pandas.DataFrame
        ``left`` and ``right`` (``site_id``) and ``decision``, as `find_duplicates` answers or
        as a person corrected it.

    Returns
    -------
    geopandas.GeoDataFrame
        Sites, one row per site, in the order and with the index labels of the reports whose
        ``site_id`` each keeps: the first of its reports in order of id. Beside the columns of
        the schema: ``n_reports``; ``report_ids``, ``source_urls`` and ``report_rows``
        (``file:row``), joined by vertical bars; ``n_confirmed``, ``n_suspected``,
        ``n_rejected``, ``n_unknown``; ``conflicts``, the columns in which the reports
        contradict each other; ``aliases``, all other names.

    Raises
    ------
    SchemaError
        If `validate_sites` finds faults, if a pair names no report, or if reports tied to
        one site are also decided to be ``different``; see ``.problems``.
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If there is anything but points.

    Notes
    -----
    - Place: that of the report with the least ``uncertainty_m`` (``measured`` before
      ``assigned``, then by id), with its level, method, areas and locality; the areas that
      it does not have come from the next. It is a conflict if another report's circle does not
      reach it.
    - ``status``: the strongest claim that any report makes, with the counts beside it. Where
      some reject what others claim it is ``unknown``, and a conflict.
    - ``operating``, ``state_response``: as last reported; ``unknown`` and a conflict if the
      last reports disagree.
    - ``first_reported``: the earliest, ``last_reported``: the latest; of partial dates the one
      whose interval holds the extreme day. A report with one of the two counts for both, where
      any report has the other.
    - ``sensitivity``: the most protective. Lists such as ``abuses``: all values.
    - ``source``: all, joined. ``source_url`` and ``source_date``: of the latest source.
    - Unknown columns: the value if all reports that have one agree, else missing and a conflict.

    Merged sites can be merged again. The reports themselves are in `sites`, which is not
    changed: keep it.

    Examples
    --------
    >>> import geo, geopandas
    >>> reports = geopandas.GeoDataFrame(
    ...     {
    ...         "site_id": ["a", "b"],
    ...         "name": ["Golden Sun Casino", "Golden Sunn"],
    ...         "status": ["suspected", "confirmed"],
    ...         "uncertainty_m": [5000.0, 250.0],
    ...     },
    ...     geometry=geopandas.points_from_xy([103.51, 103.5], [10.61, 10.6]),
    ...     crs="EPSG:4326",
    ... )
    >>> merged = geo.merge_duplicates(reports, geo.find_duplicates(reports))
    >>> merged[["site_id", "report_ids", "status", "n_confirmed", "uncertainty_m"]]
      site_id report_ids     status  n_confirmed  uncertainty_m
    0       a        a|b  confirmed            1          250.0
    """
    reports = validate_sites(sites)
    ids = pd.Index(reports["site_id"])
    left, right = _positions(ids, pairs, "left"), _positions(ids, pairs, "right")
    _require_words(pairs)
    decision = pairs["decision"].to_numpy(dtype=object)
    same = decision == "same"
    # Numbered in order of their ids, so that the first member of a group is the first id.
    order = np.argsort(reports["site_id"].to_numpy(dtype=object), kind="stable")
    rank = np.argsort(order)
    group = _components(rank[left[same]], rank[right[same]], len(reports))
    _require_agreement(pairs, (decision == "different") & (group[rank[left]] == group[rank[right]]))
    groups = [order[members].tolist() for members in _groups(group)]
    return merge_groups(reports, sorted(groups))


# ---------------------------------------------------------------------------- pairs


def _near(reports: gpd.GeoDataFrame, names: list[tuple[str, ...]], most_m: float) -> Pairs:
    """Pairs of located reports whose circles can be bridged, the lesser position first."""
    located = np.flatnonzero(reports.geometry.notna())
    at = shapely.get_coordinates(reports.geometry.array[located])
    points = place_points(at[:, 0], at[:, 1])
    radius = reports["uncertainty_m"].to_numpy(dtype=np.float64)[located]
    # Each pair is looked for once, from its larger circle: that reaches all smaller ones.
    rank = np.empty(len(located), dtype=np.intp)
    rank[np.argsort(radius, kind="stable")] = np.arange(len(located))
    found = [np.empty((2, 0), dtype=np.intp)]
    for i, j in candidate_pairs(points, points, np.minimum(2 * radius + _MARGIN_M, most_m)):
        smaller = rank[j] < rank[i]
        a, b = i[smaller], j[smaller]
        limit = np.minimum(radius[a] + radius[b] + _MARGIN_M, most_m)
        near = within(points, a, points, b, limit)
        found.append(np.sort([a[near], b[near]], axis=0))
        _require_few(sum(part.shape[1] for part in found), reports)
    left, right = np.concatenate(found, axis=1)
    distance = geodesic_length(
        points.lon[left], points.lat[left], points.lon[right], points.lat[right]
    )
    left, right = located[left], located[right]
    return Pairs(left, right, distance, pair_scores(names, left, right))


def _require_few(count: int, reports: gpd.GeoDataFrame) -> None:
    """Raise GeometryError if there are too many pairs, and say what to do."""
    if count <= _MOST_PAIRS:
        return
    shared = reports.geometry.dropna().to_wkb().value_counts().iloc[:1].sum()
    message = (
        f"More than {_MOST_PAIRS:,} pairs of {len(reports):,} reports are within reach of each "
        f"other or have one name; up to {shared:,} share one point. Compare them by parts, such "
        "as each admin1, leave out reports without a name at the points of towns, or give "
        "max_distance_m."
    )
    raise GeometryError(message)


def _namesakes(reports: gpd.GeoDataFrame, names: list[tuple[str, ...]]) -> Pairs:
    """Pairs with the same name within one admin1, at least one of them without location."""
    missing = reports.geometry.isna().to_numpy()
    alike: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, area in enumerate(texts(reports, "admin1")):
        # Names that are the same sound the same but for kinds of site and slips.
        for sound in {telling_skeleton(name) for name in names[row] if area}:
            alike[skeleton(area), sound].append(row)
    groups = [np.array(rows) for rows in alike.values() if missing[rows].any()]
    _require_few(sum(len(rows) ** 2 // 2 for rows in groups), reports)
    found = [np.empty((2, 0), dtype=np.intp)]
    found += [rows[np.array(np.triu_indices(len(rows), 1))] for rows in groups]
    left, right = np.unique(np.concatenate(found, axis=1), axis=1)
    scores = pair_scores(names, left, right)
    listed = (scores >= SAME_NAME) & (missing[left] | missing[right])
    return Pairs(left[listed], right[listed], np.full(listed.sum(), np.nan), scores[listed])


def _join(one: Pairs, other: Pairs) -> Pairs:
    """Both lists of pairs as one."""
    return Pairs(*(np.concatenate(parts) for parts in zip(one, other, strict=True)))


# ---------------------------------------------------------------------------- chains


def _unchain(decision: Texts, pairs: Pairs, count: int) -> Texts:
    """Send pairs that chain reports which are not the same as each other to review."""
    decision = decision.copy()
    same = np.flatnonzero(decision == "same")
    ties = _ends(pairs, same)
    tied: dict[int, set[int]] = defaultdict(set)
    for a, b in ties:
        tied[a].add(b)
        tied[b].add(a)
    chaining = {
        (min(middle, end), max(middle, end))
        for left, right in _contradicted(decision, pairs, count)
        for middle in tied[left] & tied[right]
        for end in (left, right)
    }
    decision[same[[ends in chaining for ends in ties]]] = "review"
    # What is contradicted still is tied over more than one report: all its ties are doubtful.
    doubtful = [left for left, _ in _contradicted(decision, pairs, count)]
    same = np.flatnonzero(decision == "same")
    group = _components(pairs.left[same], pairs.right[same], count)
    decision[same[np.isin(group[pairs.left[same]], group[doubtful])]] = "review"
    return decision


def _contradicted(decision: Texts, pairs: Pairs, count: int) -> list[tuple[int, int]]:
    """Find reports that ties make one site, but that are different or too far apart."""
    same = decision == "same"
    group = _components(pairs.left[same], pairs.right[same], count)
    friends = (group[pairs.left] == group[pairs.right]) & (decision != "different")
    # Few groups lack a pair: only those are looked at pair by pair.
    size = np.bincount(group)
    lacking = np.bincount(group[pairs.left[friends]], minlength=len(size)) < size * (size - 1) / 2
    known = set(_ends(pairs, np.flatnonzero(friends & lacking[group[pairs.left]])))
    return [
        ends
        for rows in _groups(group)
        if lacking[group[rows[0]]]
        for ends in combinations(rows, 2)
        if ends not in known
    ]


def _ends(pairs: Pairs, some: Ints) -> list[tuple[int, int]]:
    """Both reports of some pairs, the lesser first."""
    return list(zip(pairs.left[some].tolist(), pairs.right[some].tolist(), strict=True))


def _components(left: Ints, right: Ints, count: int) -> Ints:
    """Give each report the number of its group, by the pairs that tie them."""
    # Loading scipy takes as long as the rest of `import geo`.
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    ties = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    return np.asarray(connected_components(ties, directed=False)[1], dtype=np.intp)


def _groups(group: Ints) -> list[list[int]]:
    """Positions of the members of each group, in order."""
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    return [part.tolist() for part in np.split(order, cuts)] if len(group) else []


# ---------------------------------------------------------------------------- merging


def _positions(ids: pd.Index, pairs: pd.DataFrame, side: str) -> Ints:
    """Positions of the reports that one side of the pairs names."""
    missing = {"left", "right", "decision"} - set(pairs.columns)
    if missing:
        message = (
            f"The pairs have no column {', '.join(sorted(missing))}; left, right and decision are "
            "needed, as find_duplicates answers."
        )
        raise SchemaError(message)
    position = ids.get_indexer(pairs[side].astype("string"))
    if (position < 0).any():
        unknown = pairs[position < 0]
        message = (
            f"{len(unknown)} of {len(pairs)} pairs name a {side} site_id that no report has. "
            "Give the reports and the pairs that were found among them."
        )
        raise SchemaError(message, unknown)
    return np.asarray(position, dtype=np.intp)


def _require_words(pairs: pd.DataFrame) -> None:
    """Raise SchemaError if a decision is none of the three."""
    wrong = pairs[~pairs["decision"].isin(_DECISIONS)]
    if len(wrong):
        message = (
            f"{len(wrong)} of {len(pairs)} decisions are not one of {', '.join(_DECISIONS)}. "
            "Correct them."
        )
        raise SchemaError(message, wrong)


def _require_agreement(pairs: pd.DataFrame, against: NDArray[np.bool_]) -> None:
    """Raise SchemaError if reports are tied to one site and decided to be different."""
    if against.any():
        message = (
            f"{against.sum()} pairs are decided to be different, but other pairs tie both their "
            "reports to one site. Decide these pairs, or the ones between, otherwise."
        )
        raise SchemaError(message, pairs[against])
