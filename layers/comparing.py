"""
Two releases side by side: what changed, and what both tell together.

A reader keeps every release. What a new one gives away depends on the old ones, which nobody can
call back; so they are attacked together before the new one is published.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import geo
from geo.errors import SchemaError
from layers._attacks import AREA_LEVELS, FEW, SAME_DEG, averaging, differencing, intersection
from layers._fills import length_words
from layers._frames import column, in_degrees, require_columns
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CHANGES", "ReleaseComparison", "compare_releases"]

CHANGES = ("added", "removed", "changed", "unchanged")
_KINDS = ("Point", "Polygon", "MultiPolygon")
_AREAS = (*AREA_LEVELS[1:], *(f"{level}_code" for level in AREA_LEVELS[1:]))
# what follows from the place, and is not told again beside it
_OF_PLACE = {
    *_AREAS,
    *("uncertainty_m", "location_level", "location_method"),
    *("data_generalizations", "information_withheld"),
}
_NOT_COMPARED = {"site_id", "release_scheme", "geometry"}
# of these the words may be shown; of others only that they differ
_SHOWN = {*geo.RELEASED_COLUMNS} - {"data_generalizations", "information_withheld"}
_TOLD = ("status", "area", "release_scheme")
_LESS = 0.99  # of an area, from which on it is the same but for its outline


@dataclass(frozen=True, eq=False)
class ReleaseComparison:
    """
    The answer of `compare_releases`.

    Parameters
    ----------
    changes : geopandas.GeoDataFrame
        One row per site of the two last releases.
    intersection, averaging, differencing : pandas.DataFrame
        What all releases tell together: see `attacks`.
    n_releases : int
        Releases compared, the new one among them.
    """

    changes: gpd.GeoDataFrame
    intersection: pd.DataFrame
    averaging: pd.DataFrame
    differencing: pd.DataFrame
    n_releases: int

    @property
    def counts(self) -> dict[str, int]:
        """Rows that were added, removed, changed and left as they were."""
        found = self.changes["change"].value_counts()
        return {change: int(found.get(change, 0)) for change in CHANGES}

    @property
    def n_narrowed(self) -> int:
        """Sites that all releases leave less room than the narrowest alone."""
        return int((self.intersection["share"] < _LESS).sum())

    @property
    def n_redrawn(self) -> int:
        """Sites of which points were released that differ, and can be averaged."""
        return int((self.averaging["n_draws"] > 1).sum())

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give what became of each site.

        Returns
        -------
        geopandas.GeoDataFrame
            In EPSG:4326 by ``site_id``: ``change`` (added, removed, changed, unchanged),
            ``reason`` in words, ``status``, ``area`` (the finest that is named),
            ``release_scheme``, ``uncertainty_m`` and the geometry of the new release, of removed
            sites those of the old one.
        """
        return self.changes.copy()

    def attacks(self) -> dict[str, pd.DataFrame]:
        """
        Give what all releases tell together, which none of them tells alone.

        Returns
        -------
        dict of str to pandas.DataFrame
            ``intersection``, by ``site_id``: ``n_releases`` with a place, ``area_km2`` of the
            narrowest alone, ``before_km2`` and ``left_km2`` where all earlier and where all
            overlap, ``share`` that is left of the narrowest. ``averaging``, by
            ``site_id``: ``n_releases`` with a point, ``n_draws`` that differ, ``apart_m``,
            ``spread_m``, and the mean error that is expected of one point (``one_m``) and of the
            average (``averaged_m``), missing where there is nothing to average. ``differencing``:
            counts whose difference is one site. Private: they say which sites to attack.
        """
        return {
            "intersection": self.intersection.copy(),
            "averaging": self.averaging.copy(),
            "differencing": self.differencing.copy(),
        }

    def summary(self) -> str:
        """
        Say in plain words what changed and what the releases tell together.

        Returns
        -------
        str
            A paragraph without coordinates, ids or names.
        """
        return " ".join([*_changed(self), *_narrowed(self), *_averaged(self), *_differing(self)])

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {change}" for change, n in self.counts.items())
        return (
            f"ReleaseComparison({counts}; {self.n_narrowed} narrowed, {self.n_redrawn} redrawn, "
            f"{len(self.differencing)} counts differ by one)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def compare_releases(
    old: gpd.GeoDataFrame | Sequence[gpd.GeoDataFrame], new: gpd.GeoDataFrame
) -> ReleaseComparison:
    """
    Find what changed between releases, and attack them together.

    Parameters
    ----------
    old : geopandas.GeoDataFrame or sequence of geopandas.GeoDataFrame
        The release before, or all earlier ones, the oldest first: points or polygons with
        ``site_id``, from `geo.generalise` and the masks, or sites released as they are. Changes
        are told from the last of them, attacks use all.
    new : geopandas.GeoDataFrame
        The release to come.

    Returns
    -------
    ReleaseComparison
        ``to_frame()`` by site, ``attacks()``, ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry is neither point nor polygon.
    SchemaError
        If ids are missing or repeated.
    TypeError
        If a release is not a GeoDataFrame.
    ValueError
        If there is no earlier release.

    Notes
    -----
    *Intersection*: a site lies in the area of every release. That of a point is the circle of its
    ``uncertainty_m``, or, where ``release_scheme`` names a ring, the ring. Areas that nest leave
    the narrowest; an overlap of nothing means that the place was corrected or is wrong.

    *Averaging*: n fresh draws leave an expected error near ``sqrt(pi E[r^2] / (4 n))``, r being
    the displacement. Its mean square is judged by the points alone, so no scheme must be known.
    Masks under one key repeat the same point, and leave nothing to average.

    *Differencing*: a count below five that changes by one is a site, and so is the total of an
    area less the rows that name a finer one. The rows themselves tell as much as long as they are
    published; it matters where tables are. Give every release there ever was.

    Examples
    --------
    >>> import geo
    >>> import pandas as pd
    >>> from layers.comparing import compare_releases
    >>> table = pd.DataFrame(
    ...     {"id": ["A1", "A2"], "lat": 12.85, "lon": 104.55, "radius_m": 500}
    ... )
    >>> sites = geo.validate_sites(table.assign(country="KH", status="confirmed"))
    >>> old = geo.generalise(sites.assign(status=["suspected", "confirmed"]), level="province")
    >>> compared = compare_releases(old, geo.generalise(sites))
    >>> compared.to_frame()["reason"].tolist()
    ['place from province area to district area; status from suspected to confirmed',
     'place from province area to district area']
    >>> compared.counts
    {'added': 0, 'removed': 0, 'changed': 2, 'unchanged': 0}
    """
    earlier = [old] if isinstance(old, pd.DataFrame) else list(old)
    if not earlier:
        message = "there is no earlier release to compare with: give at least one"
        raise ValueError(message)
    editions = [_edition(frame, "old") for frame in earlier] + [_edition(new, "new")]
    last, this = editions[-2:]
    before = {name for edition in editions[:-2] for name in edition.index}
    credits_ = (frame.attrs.get("attribution", "") for frame in (new, *earlier[::-1]))
    changes = _changes(last, this, before)
    changes.attrs["attribution"] = "; ".join(dict.fromkeys(filter(None, map(plain, credits_))))
    return ReleaseComparison(
        changes=changes,
        intersection=intersection(editions),
        averaging=averaging(editions),
        differencing=differencing(last, this),
        n_releases=len(editions),
    )


def _edition(frame: gpd.GeoDataFrame, argument: str) -> gpd.GeoDataFrame:
    """Bring a release to degrees and order it by id."""
    degrees = in_degrees(frame, *_KINDS, argument=argument)
    require_columns(degrees, ("site_id",), f"`{argument}` of compare_releases")
    ids = pd.Index([plain(value) for value in degrees["site_id"]], name="site_id", dtype=object)
    wrong = ids.duplicated(keep=False) | (ids == "")
    if wrong.any():
        message = (
            f"{int(wrong.sum())} of {len(ids)} rows of `{argument}` have no site_id, or share it: "
            "releases are compared site by site, so give each its own"
        )
        rows = {"row": np.flatnonzero(wrong), "value": ids[wrong], "problem": "no id of its own"}
        raise SchemaError(message, pd.DataFrame(rows))
    degrees = (
        degrees.rename_geometry("geometry") if degrees.geometry.name != "geometry" else degrees
    )
    return degrees.set_axis(ids, axis=0).sort_index()


# ------------------------------------------------------------------------------------- changes


def _changes(last: gpd.GeoDataFrame, this: gpd.GeoDataFrame, before: set[str]) -> gpd.GeoDataFrame:
    """Put together what became of each site."""
    ids = last.index.union(this.index).sort_values()
    both = last.index.intersection(this.index)
    reasons = dict(zip(both, _reasons(last.loc[both], this.loc[both]), strict=True))
    for name in ids.difference(last.index):
        reasons[name] = "released before, but not in the last release" if name in before else "new"
    reasons |= dict.fromkeys(ids.difference(this.index), "no longer released")
    kinds = [
        "added" if name not in last.index
        else "removed" if name not in this.index
        else "changed" if reasons[name]
        else "unchanged"
        for name in ids
    ]  # fmt: skip
    gone = last.loc[ids.difference(this.index)]
    shown = pd.concat([_shown(this), _shown(gone)]).loc[ids]
    table = {
        "site_id": pd.array(ids, dtype="string"),
        "change": pd.Categorical(kinds, categories=list(CHANGES)),
        "reason": pd.array([reasons[name] for name in ids], dtype="string"),
        **{name: pd.array(shown[name], dtype="string") for name in _TOLD},
        "uncertainty_m": shown["uncertainty_m"].to_numpy(dtype=float, na_value=np.nan),
    }
    return gpd.GeoDataFrame(table, geometry=list(shown["geometry"]), crs=4326)


def _shown(edition: gpd.GeoDataFrame) -> pd.DataFrame:
    """Give what a map says of each row."""
    area = pd.Series("", index=edition.index, dtype=object)
    for level in AREA_LEVELS:
        named = column(edition, level).astype(object).fillna("")
        area = area.where(named == "", named)
    shown = pd.DataFrame({"status": column(edition, "status").astype(object), "area": area})
    shown["release_scheme"] = _places(edition)
    shown["uncertainty_m"] = pd.to_numeric(column(edition, "uncertainty_m"), errors="coerce")
    shown["geometry"] = edition.geometry.to_numpy()
    return shown


def _places(edition: gpd.GeoDataFrame) -> list[str]:
    """Say of each row what it is released as."""
    words = {"Point": "exact point", "": "no place"}
    unnamed = [words.get(kind, "area") for kind in edition.geom_type.fillna("")]
    named = [plain(scheme) for scheme in column(edition, "release_scheme")]
    return ["no place" if n == "none" else n or u for n, u in zip(named, unnamed, strict=True)]


def _reasons(last: gpd.GeoDataFrame, this: gpd.GeoDataFrame) -> list[str]:
    """Say of each row in both releases what differs; nothing where nothing does."""
    a, b = (shapely.normalize(edition.geometry.to_numpy()) for edition in (last, this))
    same = shapely.equals_exact(a, b, tolerance=SAME_DEG)
    same |= shapely.is_missing(a) & shapely.is_missing(b)
    was, becomes = _places(last), _places(this)
    found: list[list[str]] = [[] for _ in was]
    for row, (one, other) in enumerate(zip(was, becomes, strict=True)):
        if one != other:
            found[row].append(f"place from {one} to {other}")
        elif not same[row]:
            found[row].append(f"place: another {other}")
    moved = np.array([bool(words) for words in found], dtype=bool)
    for name in last.columns.intersection(this.columns, sort=False):
        if name in _NOT_COMPARED:
            continue
        pair = _words(last[name]), _words(this[name])
        differs = np.array([one != other for one, other in zip(*pair, strict=True)], dtype=bool)
        told = differs & ~moved if name in _OF_PLACE else differs
        label = plain(name).replace("_", " ")
        for row in np.flatnonzero(told).tolist():
            one, other = (words[row].replace("_", " ") or "not stated" for words in pair)
            ends = f"{label} from {one} to {other}" if name in _SHOWN else f"{label} differs"
            found[row].append(ends)
    return ["; ".join(words) for words in found]


def _words(values: pd.Series) -> list[str]:
    """Write values so that equal ones are equal, however a column keeps them."""
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        numbers = values.astype(float)
        return ["" if np.isnan(number) else f"{number:,.10g}" for number in numbers]
    return [plain(value) for value in values]


# --------------------------------------------------------------------------------------- words


def _changed(compared: ReleaseComparison) -> Iterator[str]:
    """Yield how many rows changed."""
    counts = ", ".join(f"{n:,} {change}" for change, n in compared.counts.items())
    others = compared.n_releases - 2
    more = f", and {others} earlier ones in the attacks" if others else ""
    yield f"Compared with the last release{more}: {counts}."


def _narrowed(compared: ReleaseComparison) -> Iterator[str]:
    """Yield what is left where releases overlap."""
    table = compared.intersection
    if table.empty:
        yield "No site has a place in several releases."
        return
    yield f"{len(table):,} sites have a place in several releases."
    gone = table["left_km2"] == 0
    finer = table[(table["left_km2"] < _LESS * table["before_km2"]) & ~gone]
    less = table[(table["share"] < _LESS) & ~gone]
    if len(finer):
        yield (
            f"Of {len(finer):,} the new one leaves less room than all before it: in the mean "
            f"{_figures(finer['left_km2'].mean())} of {_figures(finer['before_km2'].mean())} km²."
        )
    if len(less):
        yield (
            f"{len(less):,} are narrowed down where releases overlap: in the mean from "
            f"{_figures(less['area_km2'].mean())} km² in the narrowest alone to "
            f"{_figures(less['left_km2'].mean())} km², at worst to {less['share'].min():.2g} of it."
        )
    if gone.any():
        yield (
            f"Of {int(gone.sum()):,} the releases do not overlap: a place was corrected, or one "
            "release is wrong."
        )
    if finer.empty and less.empty and not gone.any():
        yield "The new one tells no more of any than those before it."


def _averaged(compared: ReleaseComparison) -> Iterator[str]:
    """Yield what an average gains."""
    table = compared.averaging
    if table.empty:
        return
    drawn = table[table["n_draws"] > 1]
    if drawn.empty:
        yield f"The points of {len(table):,} sites are repeated: averaging them gains nothing."
        return
    one, mean = (float(np.sqrt((drawn[name] ** 2).mean())) for name in ("one_m", "averaged_m"))
    yield (
        f"The points of {len(drawn):,} sites were drawn up to {drawn['n_draws'].max()} times: "
        f"who averages them is off by {_about(mean)}, who takes one by {_about(one)}."
    )


def _differing(compared: ReleaseComparison) -> Iterator[str]:
    """Yield what counts give away."""
    kinds = compared.differencing["attack"].value_counts()
    if n := int(kinds.get("old and new", 0)):
        what = "count by area and status changes" if n == 1 else "counts by area and status change"
        yield f"{n:,} {what} by one where one of the two is below {FEW}."
    if n := int(kinds.get("total less rows", 0)):
        what = "count of an area exceeds" if n == 1 else "counts of an area exceed"
        yield f"{n:,} {what} those of the finer areas within it by one."
    if kinds.empty:
        yield "No small count by area and status differs by one."


def _figures(number: float) -> str:
    """Write a number with three figures, large ones in full."""
    return f"{float(f'{number:.3g}'):,.10g}"


def _about(length_m: float) -> str:
    """Write a length to two digits."""
    return length_words(float(f"{length_m:.2g}"))
