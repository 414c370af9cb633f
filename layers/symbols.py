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
from layers._frames import bounds_of, column, in_degrees, lonlat_of, radii, texts
from layers.legend import STATUS_NOTES, LegendEntry, LegendSection, symbol_unit_px
from layers.payload import AtlasLayer
from layers.scales import STATUS_SCALE, Scale
from layers.text import plain, safe_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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

# "Sihanoukville, Sangkat Bei", "Poipet (plaza ...)", "Koh Kong town": what a label leaves out.
_DETAIL = re.compile(r"( (city|commune|district|municipality|town|township))?((,| \().*)?$")


def site_layer(
    sites: gpd.GeoDataFrame,
    *,
    name: str = "Reported sites",
    scale: Scale = STATUS_SCALE,
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
    KeyError
        If a column of `details` does not exist.

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
    frame = in_degrees(sites, "Point")
    missing = [column for column in details if column not in frame.columns]
    if missing:
        message = f"details names {missing}, but the columns are {list(frame.columns)}"
        raise KeyError(message)
    _warn_sensitive(frame)
    located = frame.geometry.notna().to_numpy()
    lonlat = lonlat_of(frame[located])
    places, inverse = _distinct(lonlat)
    largest = int(np.bincount(inverse).max(initial=0))
    place = np.full(len(frame), -1)
    place[located] = inverse
    columns = {c: texts(frame, c) for c in dict.fromkeys((*_CARD_COLUMNS, *details))}
    status = column(frame, "status").astype(object).fillna("unknown")
    payload = {
        "title": plain(name),
        "status": [scale.index(s) for s in status],
        "statuses": _palette(scale),
        "unit_px": symbol_unit_px(largest),
        "places": [[lat, lon] for lon, lat in places.tolist()],
        "labels": _place_labels(columns["locality"], place, len(places)),
        "place": place,
        "name": texts(frame, "name"),
        "radius": [None if pd.isna(r) else round(r, 1) for r in radii(frame)],
        "url": [safe_url(u) for u in column(frame, "source_url")],
        "details": [plain(d) for d in details],
        "columns": columns,
    }
    return AtlasLayer(
        "sites",
        payload,
        name=name,
        bounds=bounds_of(lonlat),
        legend=_site_legend(scale, status, largest),
        attribution=plain(sites.attrs.get("attribution", "")),
        show=show,
    )


def uncertainty_layer(
    sites: gpd.GeoDataFrame, *, name: str = "How sure the place is", show: bool = True
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

    Examples
    --------
    >>> import geo, layers
    >>> layer = layers.uncertainty_layer(geo.example_sites())
    >>> layer.payload["discs"][0]
    [-9.2, 124.38333, 15000.0]
    """
    frame = in_degrees(sites, "Point")
    radius = radii(frame)
    drawn = frame.geometry.notna() & radius.notna()
    frame, radius = frame[drawn], radius[drawn]
    lonlat = lonlat_of(frame)
    discs = np.unique(np.column_stack([lonlat[:, ::-1], radius]), axis=0)
    colour = STATUS_SCALE.colours[0]
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


def _distinct(lonlat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct places and each row's place."""
    if not len(lonlat):
        return lonlat.reshape(0, 2), np.zeros(0, dtype=int)
    places, inverse = np.unique(lonlat, axis=0, return_inverse=True)
    return places, inverse.ravel()


def _place_labels(localities: Iterable[str], place: np.ndarray, n_places: int) -> list[str]:
    """Name each place by its reports: the commonest locality, without its details."""
    words: list[Counter[str]] = [Counter() for _ in range(n_places)]
    for text, position in zip(localities, place, strict=True):
        word = _DETAIL.sub("", text, count=1).strip()
        if position >= 0 and word:
            words[position][word] += 1
    # The commonest; of equally common ones the shortest, then the first in the alphabet.
    return [min(w, key=lambda k: (-w[k], len(k), k), default="") for w in words]


def _palette(scale: Scale) -> list[dict[str, str]]:
    """Return the statuses' words and colours for the page, in legend order."""
    rows = zip(scale.keys, scale.labels, scale.colours, strict=True)
    return [{"key": plain(k), "label": plain(w), "colour": c} for k, w, c in rows]


def _site_legend(scale: Scale, status: pd.Series, largest: int) -> tuple[LegendSection, ...]:
    """Describe size and status; statuses that do not occur are left out."""
    counts = status.value_counts()
    entries = [
        LegendEntry(
            label, colour, "circle", count=int(counts[key]), note=STATUS_NOTES.get(str(key), "")
        )
        for key, label, colour in zip(scale.keys, scale.labels, scale.colours, strict=True)
        if counts.get(key, 0)
    ]
    other = int(counts.sum()) - sum(entry.count or 0 for entry in entries)
    if other:
        entries.append(LegendEntry("other", scale.missing, "circle", count=other))
    size = (LegendSection("Reports placed at one point", sizes=largest),) if largest else ()
    return (*size, *((LegendSection(scale.name, tuple(entries)),) if entries else ()))
