"""The public view: every row as coarse as its sensitivity and its status ask, and no finer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._releasing import (
    NOT_LOCATED,
    RELEASED_COLUMNS,
    Unit,
    identifiers,
    places_of,
    refuse,
    released_frame,
)
from geo.errors import SchemaError
from geo.masking import generalise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo._releasing import Places

__all__ = ["CITATION_COLUMNS", "EXACT", "public_view"]

CITATION_COLUMNS = ("source", "source_url", "source_date")
"""Columns of `public_view` that say where a report was public before, and no others."""

EXACT = "exact"  # the scheme of a row at the coordinates that its source gives
_PLACE_COLUMNS = ("locality",)
_DECIMALS = 5  # of a degree: a metre
_LEAST = 6  # characters of a name: shorter ones are codes
_KEPT = "Names, free text, days of dates, file and row."
_CITED = "Coordinates, names, free text, days of dates, file and row."
_LEVELS = ("public", "restricted", "protected")
_DEFAULT_EXACT = ("confirmed",)


def public_view(
    sites: gpd.GeoDataFrame,
    *,
    exact: Sequence[str] = _DEFAULT_EXACT,
    level: str = "district",
    areas: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    candidates: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    min_candidates: int = 5,
    columns: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """
    Give the rows of sites as they may leave for the public.

    ============== ========== ==================================================================
    sensitivity    status     what becomes of the row
    ============== ========== ==================================================================
    ``public``     in `exact` keeps its point, its radius and its source
    ``public``     another    becomes an area, as from `generalise`, and keeps its source
    ``restricted`` any        becomes an area; nothing says who reported it
    ``protected``  any        is left out
    ============== ========== ==================================================================

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites with ``sensitivity`` and ``status`` in every row.
    exact : sequence of str
        The values of ``status`` whose public rows keep their points; a point accuses whoever is
        there, so that by default only what is confirmed does.
    level : {"commune", "district", "province", "country"}
        The finest area of the other rows.
    areas, candidates, min_candidates
        As for `generalise`.
    columns : sequence of str
        More columns of the sites, for the rows that keep their points; empty in the others.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326 by ``site_id`` with a new index: the columns of `RELEASED_COLUMNS` and
        `CITATION_COLUMNS`, ``locality`` of the rows that keep their points, and `columns`.
        ``release_scheme`` is ``exact`` where the point is that of the source, to 5 decimals.
        ``attrs["attribution"]`` names the sources of reports and areas, and nothing else is there.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If sites are no points.
    SchemaError
        If ids are missing, repeated, spell a coordinate or the name of a place that becomes an
        area, a point has no radius, ``sensitivity`` or ``status`` is missing in a row, or a
        column of `columns` does not exist.
    ValueError
        If `level` has no areas.

    Examples
    --------
    >>> import geo
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {
    ...         "id": ["A1", "A2", "A3"],
    ...         "lat": 12.85,
    ...         "lon": 104.55,
    ...         "radius_m": 500,
    ...         "status": ["confirmed", "suspected", "confirmed"],
    ...         "sensitivity": ["public", "public", "protected"],
    ...     }
    ... )
    >>> geo.public_view(geo.validate_sites(table))[["site_id", "release_scheme"]]
      site_id release_scheme
    0      A1          exact
    1      A2  district area
    """
    _require_decided(sites)
    _require_columns(sites, columns)
    places = places_of(sites)
    sensitivity = places.frame["sensitivity"].astype("string")
    keeps = (sensitivity == "public") & places.frame["status"].astype("string").isin(exact)
    open_ = _exact_rows(_some(places, keeps), columns)
    others = places.frame[~keeps & (sensitivity != "protected")]
    _require_opaque(others)
    hidden = generalise(
        others, level=level, areas=areas, candidates=candidates, min_candidates=min_candidates
    )
    credit = [frame.attrs.get("attribution", "") for frame in (sites, hidden)]
    cited = others.set_index(pd.Index(identifiers(others)))
    cited = cited[cited["sensitivity"].astype("string") == "public"]
    for name in (c for c in CITATION_COLUMNS if c in cited):
        text = cited[name].astype("string")
        hidden[name] = pd.array(hidden["site_id"].map(text), dtype="string")
    hidden.loc[hidden["site_id"].isin(cited.index), "information_withheld"] = _CITED
    return _together([open_, hidden], "; ".join(dict.fromkeys(filter(None, credit))))


def _require_decided(sites: gpd.GeoDataFrame) -> None:
    """Raise SchemaError unless somebody decided for each row how open it is, and what it claims."""
    for column, words in (("sensitivity", ", ".join(_LEVELS)), ("status", "confirmed, suspected")):
        known = (
            sites[column].notna() if column in sites else pd.Series(data=False, index=sites.index)
        )
        if column == "sensitivity" and column in sites:
            known &= sites[column].astype("string").isin(_LEVELS)
        refuse(
            sites,
            ~known.to_numpy(dtype=bool),
            column,
            f"have no {column} ({words} ...). Nothing is public by default: decide for each row "
            f"before it is released, as in sites.assign({column}=...).",
        )


def _require_opaque(sites: gpd.GeoDataFrame) -> None:
    """Raise SchemaError if an id is the name of its place, in whatever spelling."""
    if "name" not in sites:
        return
    pairs = zip(identifiers(sites), sites["name"], strict=True)
    same = [_letters(a) == _letters(b) and len(_letters(a)) >= _LEAST for a, b in pairs]
    refuse(
        sites,
        np.array(same, dtype=bool),
        "site_id",
        "have their name for a site_id. It is published: make it opaque, such as a running number.",
        show=False,
    )


def _letters(text: object) -> str:
    """Letters and digits of a text, without case; empty for what is missing."""
    return re.sub(r"[\W_]+", "", text).casefold() if isinstance(text, str) else ""


def _require_columns(sites: gpd.GeoDataFrame, columns: Sequence[str]) -> None:
    """Raise SchemaError if a column that is to be shown does not exist, or holds the place."""
    names = [columns] if isinstance(columns, str) else list(columns)
    if absent := [name for name in names if name not in sites or name == sites.geometry.name]:
        message = (
            f"columns names {absent[0]!r}, which is no column of text or numbers of the sites."
        )
        raise SchemaError(message)


def _some(places: Places, rows: pd.Series) -> Places:
    """Take some of the sites."""
    chosen = np.flatnonzero(rows.to_numpy(dtype=bool))
    frame = places.frame.iloc[chosen].reset_index(drop=True)
    ids = [places.ids[i] for i in chosen]
    return type(places)(frame, ids, places.lon[chosen], places.lat[chosen], places.radius_m[chosen])


def _exact_rows(places: Places, columns: Sequence[str]) -> gpd.GeoDataFrame:
    """Rows at their own points, with what says where they were public before."""
    frame = places.frame
    names = [name for name in RELEASED_COLUMNS if name.startswith("admin") and name in frame]
    texts = {name: frame[name].astype("string") for name in names}
    levels = frame["location_level"] if "location_level" in frame else [None] * len(frame)
    points = shapely.points(places.lon.round(_DECIMALS), places.lat.round(_DECIMALS))
    units = [
        Unit(
            geometry=points[i],
            uncertainty_m=float(places.radius_m[i]),
            level=level if isinstance(level, str) else None,
            scheme=EXACT,
            note="None: the point is as the source gives it.",
            names={name: text[i] for name, text in texts.items() if pd.notna(text[i])},
        )
        if located
        else NOT_LOCATED._replace(
            names={name: text[i] for name, text in texts.items() if pd.notna(text[i])}
        )
        for i, (located, level) in enumerate(zip(places.located, levels, strict=True))
    ]
    released = released_frame(places, units, _KEPT)
    if "location_method" in frame:
        released["location_method"] = frame["location_method"].to_numpy()
    for name in dict.fromkeys([*CITATION_COLUMNS, *_PLACE_COLUMNS, *columns]):
        if name in frame and name not in released:
            released[name] = frame[name].array
    return released


def _together(frames: Sequence[gpd.GeoDataFrame], credit: str) -> gpd.GeoDataFrame:
    """One frame by ``site_id`` of several, columns in one order."""
    for frame in frames:
        frame.attrs = {}
    order: dict[Any, None] = dict.fromkeys([*RELEASED_COLUMNS[:-1]])
    order |= dict.fromkeys(c for frame in frames for c in frame.columns if c != "geometry")
    filled = [frame for frame in frames if len(frame)] or list(frames[:1])
    rows = pd.concat(filled).sort_values("site_id", kind="stable", ignore_index=True)
    present = [c for c in order if c in rows]
    view = gpd.GeoDataFrame(rows[[*present, "geometry"]], geometry="geometry", crs="EPSG:4326")
    if credit:
        view.attrs["attribution"] = credit
    return view
