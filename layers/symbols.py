"""
Sites as symbols: one per place, sized by count, split by status, with its uncertainty.

Every function returns a plain Folium layer that can be added to anybody's ``folium.Map``.
The rows travel as JSON in a script tag that browsers do not run; the scripts in ``assets/``
build symbols and texts with ``textContent``, so nothing in the data can become markup or code.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.errors import SensitivityWarning
from layers._arguments import several
from layers._frames import (
    bounds_of,
    column,
    drawable_radii,
    in_degrees,
    in_the_plane,
    lonlat_of,
    require_columns,
    texts,
)
from layers.legend import LegendEntry, LegendSection, symbol_unit_px
from layers.payload import AtlasLayer
from layers.scales import STATUS_SCALE, Scale
from layers.text import plain, safe_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    import geopandas as gpd

__all__ = ["site_layer", "uncertainty_layer"]

# What a card shows of a report, besides its name. An allow-list: no other column ever
# enters a page unless the author names it in `details`.
_CARD_COLUMNS = (
    "site_id",
    "locality",
    "admin1",
    "country",
    "operating",
    "state_response",
    "first_reported",
    "last_reported",
    "location_level",
    "source",
    "source_date",
)

# What a label leaves out: "Sihanoukville, Sangkat Bei", "Poipet (plaza ...)"; and of a place,
# but not of a site that is called so, its kind: "Koh Kong town".
_ASIDE = re.compile(r"(,| \().*$")
_KIND = re.compile(r" (city|commune|district|municipality|town|township)$")

# Where a row stands that has no symbol, as the page's script knows it.
_UNLOCATED, _BEYOND = -1, -2


def site_layer(
    sites: gpd.GeoDataFrame,
    *,
    name: str = "Reported sites",
    scale: Scale = STATUS_SCALE,
    status_notes: Mapping[str, str] | None = None,
    details: Sequence[str] = (),
    show: bool = True,
) -> AtlasLayer:
    """
    Draw reports as symbols: one per place, sized by count, split by status.

    Reports that share one coordinate are one symbol: its area grows with their number, its
    sectors show their status. Where symbols would overlap on the screen they are merged,
    with hairlines to the places, and part again as the reader zooms in. The symbol opens a
    card that lists every report with its source.

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
        Columns shown as text in each report's entry. Only these and the card's own columns
        (id, names of places, status, response, dates, level, radius, source) enter the page.
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
        If a column of `details` does not exist.
    TypeError
        If `sites` is not a GeoDataFrame, or `details` not a list of names.

    Warns
    -----
    SensitivityWarning
        If rows marked ``restricted`` or ``protected`` are drawn at their own coordinates.

    Examples
    --------
    >>> import folium, geo, layers
    >>> layer = layers.site_layer(geo.example_sites())
    >>> _ = layer.add_to(folium.Map(tiles=None))
    >>> len(layer.payload["places"])
    30
    """
    frame = in_degrees(sites, "Point", argument="sites")
    shown = several(details, str, "details")
    require_columns(frame, shown, "details")
    _warn_sensitive(frame)
    lonlat = lonlat_of(frame[in_the_plane(frame)])
    places, place = _places(frame, lonlat)
    largest = int(np.bincount(place[place >= 0]).max(initial=0))
    payload = {
        "title": plain(name),
        "unit_px": symbol_unit_px(largest),
        "places": [[lat, lon] for lon, lat in places.tolist()],
        "labels": _place_labels(frame, place, len(places)),
        "place": place,
        **_rows(frame, scale, shown),
    }
    return AtlasLayer(
        "sites",
        payload,
        name=name,
        bounds=bounds_of(lonlat),
        legend=_site_legend(scale, _status(frame), largest, status_notes or {}),
        attribution=plain(sites.attrs.get("attribution", "")),
        show=show,
    )


def uncertainty_layer(
    sites: gpd.GeoDataFrame,
    *,
    name: str = "How sure the place is",
    colour: str = STATUS_SCALE.colours[0],
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

    Examples
    --------
    >>> import geo, layers
    >>> layer = layers.uncertainty_layer(geo.example_sites())
    >>> layer.payload["discs"][0]
    [-9.2, 124.38333, 15000.0]
    """
    frame = in_degrees(sites, "Point", argument="sites")
    radius = drawable_radii(frame)
    drawn = in_the_plane(frame) & radius.notna()
    frame, radius = frame[drawn], radius[drawn]
    lonlat = lonlat_of(frame)
    discs = np.unique(np.column_stack([lonlat[:, ::-1], radius]), axis=0)
    payload = {"title": plain(name), "discs": discs.tolist(), "colour": colour}
    entry = LegendEntry("the true place lies within", colour, "disc")
    legend = (LegendSection(plain(name), (entry,)),) if len(discs) else ()
    return AtlasLayer(
        "discs", payload, name=name, bounds=bounds_of(lonlat), legend=legend, show=show
    )


def _warn_sensitive(frame: gpd.GeoDataFrame) -> None:
    """Say that a map shows rows whose places the researcher marked as not public."""
    marked = column(frame, "sensitivity").isin(["restricted", "protected"])
    count = int((marked & frame.geometry.notna()).sum())
    if count:
        message = (
            f"{count} reports are marked restricted or protected and are drawn at their own "
            "coordinates: keep this map private, or leave them out before you save it"
        )
        warnings.warn(message, SensitivityWarning, stacklevel=3)


def _places(frame: gpd.GeoDataFrame, lonlat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct places that are drawn, and where among them each row stands."""
    place = np.where(frame.geometry.notna(), _BEYOND, _UNLOCATED)
    if not len(lonlat):
        return lonlat.reshape(0, 2), place
    places, inverse = np.unique(lonlat, axis=0, return_inverse=True)
    place[in_the_plane(frame)] = inverse.ravel()
    return places, place


def _status(frame: gpd.GeoDataFrame) -> pd.Series:
    """Return what is claimed of each row."""
    return column(frame, "status").astype(object).fillna("unknown")


def _rows(frame: gpd.GeoDataFrame, scale: Scale, details: Sequence[str]) -> dict[str, Any]:
    """Return what cards and table show of each row."""
    return {
        "status": [scale.index(s) for s in _status(frame)],
        "statuses": _palette(scale),
        "name": texts(frame, "name"),
        "radius": [None if pd.isna(r) else round(r, 1) for r in drawable_radii(frame)],
        "url": [safe_url(u) for u in column(frame, "source_url")],
        "details": [plain(d) for d in details],
        "columns": {c: texts(frame, c) for c in dict.fromkeys((*_CARD_COLUMNS, *details))},
    }


def _place_labels(frame: gpd.GeoDataFrame, place: np.ndarray, n_places: int) -> list[str]:
    """
    Name each place: by its locality, else by the one site there, else by its province.

    Where several sites share a place without a locality, no single one of them may name it
    unless there is nothing else.
    """
    localities = [_KIND.sub("", _ASIDE.sub("", text)) for text in texts(frame, "locality")]
    names = [_ASIDE.sub("", text) for text in texts(frame, "name")]
    choices = [_counted(words, place, n_places) for words in (localities, names)]
    provinces = _counted(texts(frame, "admin1"), place, n_places)
    return [
        _commonest(locality or (name if len(name) == 1 else province or name))
        for locality, name, province in zip(*choices, provinces, strict=True)
    ]


def _counted(words: Sequence[str], place: np.ndarray, n_places: int) -> list[Counter[str]]:
    """Count the words of the rows at each place."""
    found: list[Counter[str]] = [Counter() for _ in range(n_places)]
    for text, position in zip(words, place, strict=True):
        if position >= 0 and text.strip():
            found[position][text.strip()] += 1
    return found


def _commonest(words: Counter[str]) -> str:
    """Return the commonest; of equally common ones the shortest, then first in the alphabet."""
    return min(words, key=lambda word: (-words[word], len(word), word), default="")


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
    size = (LegendSection("Reports placed at one point", sizes=largest),) if largest else ()
    return (*size, *((LegendSection(scale.name, tuple(entries)),) if entries else ()))
