"""Coordinates in addresses: geo: URIs and the links of map services. Nothing is ever opened."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote_plus, urlsplit

from geo._cells import clean
from geo._notations import LONGITUDE_FIRST, normalise, read_numbers, read_pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from geo._grids import Place

__all__ = ["is_link", "read_link"]

_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,20})?)"
_PAIR = re.compile(rf"\s*{_NUMBER}\s*,\s*{_NUMBER}\s*")
_LABELLED = re.compile(r"(?:loc:)?([^()]+?)(?:\([^()]*\))?", re.IGNORECASE)
_GEO_URI = re.compile(
    rf"geo:{_NUMBER},{_NUMBER}(?:,[+-]?\d{{1,9}}(?:\.\d{{1,20}})?)?((?:;[^;?]*)*)(?:\?(.*))?",
    re.IGNORECASE,
)
_LINK = re.compile(
    r"(?:https?://)?(?:(?:www|maps)\.)?"
    r"(?:google\.[a-z]{2,3}(?:\.[a-z]{2})?|(?:openstreetmap|osm)\.org|apple\.com)[/?]\S*",
    re.IGNORECASE,
)
_PIN = re.compile(rf"!3d{_NUMBER}!4d{_NUMBER}(?![\d.])")
_CAMERA = re.compile(rf"/@{_NUMBER},{_NUMBER},(\d{{1,8}}(?:\.\d{{1,9}})?)([zm])(?=[/,]|$)")
_TYPED = re.compile(r"/maps/(?:place|search)/([^/@]+)")
_OSM_MAP = re.compile(rf"(?:.*&)?map=(\d{{1,2}}(?:\.\d{{1,9}})?)/{_NUMBER}/{_NUMBER}(?:&.*)?")

# Web Mercator at zoom 0: the equator on 256 pixels.
_PIXEL_M = 2 * math.pi * 6_378_137 / 256
_HALF_WINDOW_PX = math.hypot(1920, 1080) / 2
_DEEPEST_ZOOM = 24


def _camera(latitude: str, longitude: str, zoom: str, notation: str) -> Iterator[Place]:
    """
    Read the middle of a map window, as wide as half the diagonal of what it showed.

    Equator on 256 px * cos(latitude) / 2**zoom is a pixel, the window 1920 x 1080 of them.
    """
    if not 0 <= float(zoom) <= _DEEPEST_ZOOM:
        return
    for place in read_numbers(latitude, longitude, notation):
        pixel_m = _PIXEL_M * math.cos(math.radians(place.latitude)) / 2 ** float(zoom)
        shown_m = pixel_m * _HALF_WINDOW_PX
        yield place._replace(precision_m=max(shown_m, place.precision_m))


def _typed(text: str, notation: str) -> Iterator[Place]:
    """Read what stands in a search field: latitude first, whatever the notation."""
    found = _LABELLED.fullmatch(text.strip())
    plain = normalise(found[1]) if found else None
    if plain is None:
        return
    if pair := _PAIR.fullmatch(plain):
        yield from read_numbers(pair[1], pair[2], notation)
        return
    for place in read_pair(plain):
        if not place.notation.endswith(LONGITUDE_FIRST):
            yield place._replace(notation=notation)


def _fields(query: str) -> dict[str, str]:
    """Fields of a query, the first of each name; none where there are too many."""
    try:
        return {name: values[0] for name, values in parse_qs(query, max_num_fields=100).items()}
    except ValueError:
        return {}


def _read_geo_uri(text: str) -> Iterator[Place]:
    """
    Read a geo: URI (RFC 5870), and of Android's `geo:0,0?q=latitude,longitude(label)`.

    The uncertainty `u` counts where it is larger than what the digits say.
    """
    found = _GEO_URI.fullmatch(text)
    if found is None:
        return
    latitude, longitude, parameters, query = found.groups()
    given = dict(part.lower().partition("=")[::2] for part in parameters.split(";") if part)
    uncertainty = given.get("u", "0")
    if given.get("crs", "wgs84") != "wgs84" or not re.fullmatch(r"\d{1,8}(\.\d+)?", uncertainty):
        return
    fields = _fields(query or "")
    if "q" in fields:
        yield from _typed(fields["q"], "geo URI")
        return
    for place in read_numbers(latitude, longitude, "geo URI"):
        yield place._replace(precision_m=max(float(uncertainty), place.precision_m))


def is_link(text: str) -> bool:
    """Whether a text is an address, of a map service or not."""
    start = text[:12].lower()
    return "geo:" in start or "://" in start or ("/" in text and bool(_LINK.fullmatch(text)))


def read_link(text: str) -> Iterator[Place]:
    """
    Read a geo: URI or a link of Google Maps, OpenStreetMap or Apple Maps.

    A marked place is the answer, and the camera only where nothing is marked.
    Shortened links hold no coordinate.
    """
    text = clean(text)
    if text[:4].lower() == "geo:":
        yield from _read_geo_uri(text)
        return
    if not _LINK.fullmatch(text):
        return
    try:
        link = urlsplit(text if "://" in text[:9] else f"https://{text}")
    except ValueError:
        return
    fields = _fields(link.query)
    host = link.netloc.lower()
    if "google" in host:
        yield from _read_google(link, fields)
    elif host == "maps.apple.com":
        yield from _read_apple(fields)
    elif "apple" not in host:
        yield from _read_openstreetmap(link, fields)


def _read_google(link: SplitResult, fields: Mapping[str, str]) -> Iterator[Place]:
    """Read Google Maps: pin, else what was searched for, else the camera."""
    path = unquote_plus(link.path)
    on_maps = path.startswith("/maps") or link.netloc.lower().startswith("maps.")
    # The ends of a route and where a street-level photograph was taken are other claims.
    route = path.startswith("/maps/dir") or not fields.keys().isdisjoint(
        ("saddr", "daddr", "origin", "destination", "cbll")
    )
    if not on_maps or route:
        return
    pins = dict.fromkeys(_PIN.findall(path))
    if pins:
        for latitude, longitude in pins:
            yield from read_numbers(latitude, longitude, "Google Maps pin")
        return
    searched = [found[1]] if (found := _TYPED.match(path)) else []
    searched += [fields[name] for name in ("q", "query") if name in fields]
    for text in searched:
        places = list(_typed(text, "Google Maps place"))
        if places:
            yield from places
            return
    centre = _PAIR.fullmatch(fields.get("ll", fields.get("center", "")))
    if centre and "z" not in fields and "zoom" not in fields and not searched:
        yield from read_numbers(centre[1], centre[2], "Google Maps place")
    elif centre:
        zoom = fields.get("z", fields.get("zoom", ""))
        if re.fullmatch(r"\d{1,2}(\.\d+)?", zoom):
            yield from _camera(centre[1], centre[2], zoom, "Google Maps camera")
    elif camera := _CAMERA.search(path):
        yield from _google_camera(*camera.groups())


def _google_camera(latitude: str, longitude: str, number: str, unit: str) -> Iterator[Place]:
    """Read `@latitude,longitude` with a zoom, or with the height shown in metres."""
    if unit == "z":
        yield from _camera(latitude, longitude, number, "Google Maps camera")
        return
    # Half the diagonal of a 16:9 window is its height, within 2 %.
    for place in read_numbers(latitude, longitude, "Google Maps camera"):
        yield place._replace(precision_m=max(1.02 * float(number), place.precision_m))


def _read_apple(fields: Mapping[str, str]) -> Iterator[Place]:
    """Read Apple Maps: `coordinate` and `ll` are places, `center` and `sll` are not."""
    for name in ("coordinate", "ll", "q"):
        if pair := _PAIR.fullmatch(fields.get(name, "")):
            yield from read_numbers(pair[1], pair[2], "Apple Maps place")
            return


def _read_openstreetmap(link: SplitResult, fields: Mapping[str, str]) -> Iterator[Place]:
    """Read OpenStreetMap: the marker, else the camera."""
    if marker := _PAIR.fullmatch(f"{fields.get('mlat', '')},{fields.get('mlon', '')}"):
        yield from read_numbers(marker[1], marker[2], "OpenStreetMap marker")
        return
    if camera := _OSM_MAP.fullmatch(link.fragment):
        zoom, latitude, longitude = camera.groups()
        yield from _camera(latitude, longitude, zoom, "OpenStreetMap camera")
        return
    old = [fields.get(name, "") for name in ("lat", "lon", "zoom")]
    if _PAIR.fullmatch(",".join(old[:2])) and re.fullmatch(r"\d{1,2}(\.\d+)?", old[2]):
        yield from _camera(old[0], old[1], old[2], "OpenStreetMap camera")
