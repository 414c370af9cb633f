"""
Sites as symbols: one per place, sized by count, split by status, with its uncertainty.

Every function returns a plain Folium layer that can be added to anybody's ``folium.Map``.
The rows travel as deflated columns in a script tag that browsers do not run; the scripts in
``assets/`` draw them on canvas and write them with ``textContent``, so nothing in the data can
become markup or code. One way serves one row and a million.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.errors import SchemaError, SensitivityWarning
from layers._arguments import several
from layers._frames import (
    bounds_of,
    column,
    drawable_radii,
    in_degrees,
    in_the_plane,
    lonlat_of,
    require_columns,
)
from layers.columns import (
    Words,
    along_curve,
    number_column,
    pack,
    steps_column,
    values_column,
    words_column,
    words_of,
)
from layers.legend import LegendEntry, LegendSection, symbol_unit_px
from layers.payload import DECIMALS, AtlasLayer, SiteTally, exact_rows
from layers.scales import STATUS_SCALE, Scale
from layers.text import plain, safe_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd

    from layers.columns import Column

__all__ = ["site_layer", "uncertainty_layer"]

# What a card shows of a report, besides its name. An allow-list: no other column ever
# enters a page unless the author names it in `details`.
_CARD_COLUMNS = (
    *("site_id", "locality", "admin1", "country", "operating", "state_response"),
    *("first_reported", "last_reported", "location_level", "release_scheme"),
    *("source", "source_date"),
)

_MOST_CHOICES = 60  # of one filter: a longer list is searched, not chosen from


def site_layer(
    sites: gpd.GeoDataFrame,
    *,
    name: str = "Reported sites",
    scale: Scale = STATUS_SCALE,
    status_notes: Mapping[str, str] | None = None,
    details: Sequence[str] = (),
    filters: Sequence[str] = (),
    show: bool = True,
) -> AtlasLayer:
    """
    Draw reports as symbols: one per place, sized by count, split by status.

    Reports that share one coordinate are one symbol: its area grows with their number, its
    sectors show their status. Where symbols would overlap on the screen they are merged,
    with hairlines or dots at the places, and part again as the reader zooms in. The symbol opens
    a card that lists every report with its source.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, any number of rows; rows without a location are counted and listed in the
        page's table, not drawn.
    name : str
        Name in layer controls.
    scale : Scale
        Colours of ``status``.
    status_notes : mapping of str to str, optional
        What each status rests on in these data, for the legend: ``{"confirmed": "a court says
        so"}``. Nothing is said without it.
    details : sequence of str
        Columns shown as text in each report's entry. Only these, those of `filters` and the
        card's own columns (id, names of places, status, response, dates, level, radius,
        source) enter the page.
    filters : sequence of str
        Columns of categories by which the page around a map lets its readers choose reports;
        each of several values joined by a vertical bar counts. They enter the page.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    CRSError
        If `sites` has no coordinate reference system.
    GeometryError
        If a geometry is not a point.
    SchemaError
        If a column of `details` or `filters` does not exist, or one of `filters` holds no
        categories but a different value in nearly every row.
    TypeError
        If `sites` is not a GeoDataFrame, or `details` or `filters` not a list of names.

    Warns
    -----
    SensitivityWarning
        If rows of a frame with ``sensitivity`` that are not ``public`` are drawn at their own
        coordinates. `save_html` repeats it for the whole map.

    Examples
    --------
    >>> import folium, geo, layers
    >>> layer = layers.site_layer(geo.example_sites())
    >>> _ = layer.add_to(folium.Map(tiles=None))
    >>> len(layer.tally.places), layer.tally.unlocated
    (30, 18)
    """
    frame = in_degrees(sites, "Point", argument="sites")
    shown = several(details, str, "details")
    require_columns(frame, shown, "details")
    chosen = _categories(frame, filters)
    exact = _warned(frame)
    ids = words_of(column(frame, "site_id"))
    order, places, reports = _arranged(frame, ids)
    polar = int((frame.geometry.notna() & ~in_the_plane(frame)).sum())
    largest = int(reports.max(initial=0))
    status, palette = _statuses(frame, scale)
    cards, responses = _cards(frame, ids, order)
    payload = {
        "title": plain(name),
        "largest": largest,
        "unit_px": symbol_unit_px(largest),
        "statuses": palette,
        "polar": polar,
        "symbols": pack(
            {
                **_points(places),
                "reports": number_column(reports.astype(float)),
                "status": number_column(status[order].astype(float)),
            }
        ),
        "cards": pack(cards),
        "details": pack({plain(d): values_column(frame[d].iloc[order]) for d in shown}),
        "filters": list(chosen),
        # By position: two names may be one text without their control characters.
        "choices": pack(
            {
                str(i): words_column(words.take(order))
                for i, (name, words) in enumerate(chosen.items())
                if name not in {"status", *cards}
            }
        ),
    }
    tally = SiteTally(places, reports, len(frame) - int(reports.sum()) - polar, polar, responses)
    return AtlasLayer(
        "sites",
        payload,
        name=name,
        bounds=bounds_of(places),
        legend=_site_legend(scale, _status(frame), largest, status_notes or {}),
        attribution=plain(sites.attrs.get("attribution", "")),
        show=show,
        tally=tally,
        exact=exact,
    )


def uncertainty_layer(
    sites: gpd.GeoDataFrame,
    *,
    name: str = "How sure the place is",
    colour: str = STATUS_SCALE.colours[0],
    of: AtlasLayer | None = None,
    show: bool = True,
) -> AtlasLayer:
    """
    Draw the circle within which each reported place truly lies, to scale.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites; each distinct pair of point and ``uncertainty_m`` is one circle. Rows without
        a location or a radius are not drawn.
    name : str
        Name in layer controls.
    colour : str
        Colour of the circles and of their line in the legend, as ``#rrggbb``.
    of : AtlasLayer, optional
        The `site_layer` of the same sites on the same map. The page then takes the places from
        it, once, and only the circles of those reports are drawn that it shows.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    CRSError
        If `sites` has no coordinate reference system.
    GeometryError
        If a geometry is not a point.
    TypeError
        If `sites` is not a GeoDataFrame.

    Warns
    -----
    SensitivityWarning
        As in `site_layer`, unless the places are those `of` a layer, which has warned of them.

    Examples
    --------
    >>> import geo, layers
    >>> layer = layers.uncertainty_layer(geo.example_sites())
    >>> [column["n"] for column in layer.payload["discs"]["columns"]]
    [35, 35, 35]
    """
    frame = in_degrees(sites, "Point", argument="sites")
    radius = drawable_radii(frame)
    drawn = in_the_plane(frame) & radius.notna()
    frame, radius = frame[drawn], radius[drawn]
    exact = _warned(frame) if of is None else 0
    lonlat = lonlat_of(frame)
    discs = pd.DataFrame({"lon": lonlat[:, 0], "lat": lonlat[:, 1], "radius": radius.to_numpy()})
    discs = discs.drop_duplicates().sort_values("radius", ignore_index=True)
    discs = discs.iloc[_along(discs[["lon", "lat"]].to_numpy())]
    columns = {
        **_points(discs[["lon", "lat"]].to_numpy()),
        "radius": number_column(discs["radius"].to_numpy()),
    }
    payload: dict[str, Any] = {"title": plain(name), "colour": colour}
    payload |= {"discs": pack(columns)} if of is None else {"of": of.get_name()}
    entry = LegendEntry("the true place lies within", colour, "disc")
    legend = (LegendSection(plain(name), (entry,)),) if len(discs) else ()
    return AtlasLayer(
        "discs", payload, name=name, bounds=bounds_of(lonlat), legend=legend, show=show, exact=exact
    )


def _categories(frame: gpd.GeoDataFrame, filters: Sequence[str]) -> dict[str, Words]:
    """Return the values of the columns by which readers may choose, by plain name."""
    names = tuple(dict.fromkeys(several(filters, str, "filters")))
    require_columns(frame, names, "filters")
    found = {}
    for name in names:
        words = words_of(column(frame, name))
        values = {value.strip() for text in words.words for value in text.split("|")} - {""}
        if name == frame.geometry.name or len(values) > _MOST_CHOICES:
            message = (
                f"filters names {name!r}, which holds {len(values)} different values: readers "
                f"choose among at most {_MOST_CHOICES}. Name a column of categories, or group "
                "its values first"
            )
            raise SchemaError(message)
        found[plain(name)] = words
    return found


def _warned(frame: gpd.GeoDataFrame) -> int:
    """Count the rows that are not public but shown where they are, and say so if there are any."""
    count = exact_rows(frame)
    if count:
        message = (
            f"{count} reports are marked restricted or protected, or not at all, and are drawn at "
            "their own coordinates: keep this map private, or leave them out before you save it"
        )
        warnings.warn(message, SensitivityWarning, stacklevel=3)
    return count


def _arranged(frame: gpd.GeoDataFrame, ids: Words) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Put rows in the page's order: place by place along a curve, then those without a symbol.

    Returns the positions of the rows, the distinct places (longitude, latitude) and how many
    rows stand at each. Rows of one place follow their ids; last come those too near a pole, then
    those without a location.
    """
    drawn = in_the_plane(frame)
    lonlat = lonlat_of(frame[drawn])
    units = _units(lonlat)
    # One number for each pair makes equal places equal numbers.
    keys, first, inverse = np.unique(
        units[:, 0] << 32 | units[:, 1] & 0xFFFFFFFF, return_index=True, return_inverse=True
    )
    curve = along_curve(*units[first].T)
    rank = np.empty(len(keys), dtype=np.int64)
    rank[curve] = np.arange(len(keys))
    unlocated = frame.geometry.isna().to_numpy()
    place = np.where(unlocated, len(keys) + 1, len(keys))
    place[drawn] = rank[inverse.ravel()]
    order = np.lexsort((_id_ranks(ids), place))
    return order, lonlat[first][curve], np.bincount(place, minlength=len(keys))[: len(keys)]


def _id_ranks(ids: Words) -> np.ndarray:
    """Return where each row's id comes among all: ``s2`` before ``s10``."""
    lengths = np.array([len(word) for word in ids.words], dtype=np.int64)
    rank = np.empty(len(lengths), dtype=np.int64)
    rank[np.lexsort((np.arange(len(lengths)), lengths))] = np.arange(len(lengths))
    ranks: np.ndarray = rank[ids.codes]
    return ranks


def _units(lonlat: np.ndarray) -> np.ndarray:
    """Return coordinates as whole numbers of the page's unit."""
    units: np.ndarray = np.rint(lonlat.reshape(-1, 2) * 10**DECIMALS).astype(np.int64)
    return units


def _along(lonlat: np.ndarray) -> np.ndarray:
    """Return the order of points along a curve."""
    return along_curve(*_units(lonlat).T)


def _points(lonlat: np.ndarray) -> dict[str, Column]:
    """Encode points."""
    lon, lat = _units(lonlat).T
    return {"lon": steps_column(lon), "lat": steps_column(lat)}


def _status(frame: gpd.GeoDataFrame) -> pd.Series:
    """Return what is claimed of each row."""
    if "status" not in frame.columns:
        return pd.Series("unknown", index=frame.index, dtype=object)
    return frame["status"].astype(object).fillna("unknown")


def _statuses(frame: gpd.GeoDataFrame, scale: Scale) -> tuple[np.ndarray, list[dict[str, str]]]:
    """Return each row's position in the page's list of statuses, and that list."""
    codes, keys = pd.factorize(_status(frame))
    palette = _palette(scale)
    position = np.array([scale.index(key) for key in keys], dtype=np.int64)
    return (position % len(palette))[codes], palette  # -1, of any other status, is the last


def _cards(
    frame: gpd.GeoDataFrame, ids: Words, order: np.ndarray
) -> tuple[dict[str, Column], dict[str, int]]:
    """Encode what cards and table show of each row, and count the state's responses."""
    columns = {"site_id": words_column(ids.take(order))}
    responses: dict[str, int] = {}
    for name in ("name", *_CARD_COLUMNS[1:], "source_url"):
        if name not in frame.columns:
            continue
        words = words_of(frame[name])
        if name == "source_url":
            words = words.each(safe_url)
        if name == "state_response":
            responses = words.counts()
        if any(words.words):
            columns[name] = words_column(words.take(order))
    radius = drawable_radii(frame).to_numpy()[order]
    columns["radius"] = number_column(np.round(radius, 1))
    return columns, responses


def _palette(scale: Scale) -> list[dict[str, str]]:
    """Return words and colours for the page, in legend order; last, those of any other status."""
    rows = [*zip(scale.keys, scale.labels, scale.colours, strict=True)]
    rows.append(("other", "other", scale.missing))
    return [{"key": plain(k), "label": plain(w), "colour": c} for k, w, c in rows]


def _site_legend(
    scale: Scale, status: pd.Series, largest: int, notes: Mapping[str, str]
) -> tuple[LegendSection, ...]:
    """Describe size and status; statuses that do not occur are left out."""
    counts = status.value_counts()
    entries = [
        LegendEntry(
            label, colour, "circle", count=int(counts[key]), note=plain(notes.get(str(key)))
        )
        for key, label, colour in zip(scale.keys, scale.labels, scale.colours, strict=True)
        if counts.get(key, 0)
    ]
    other = int(counts.sum()) - sum(entry.count or 0 for entry in entries)
    if other:
        entries.append(LegendEntry("other", scale.missing, "circle", count=other))
    size = (LegendSection("Reports in one circle", sizes=largest),) if largest else ()
    return (*size, *((LegendSection(scale.name, tuple(entries)),) if entries else ()))
