"""The hosts that a map calls when it is read: tiles, pictures, films and data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from branca.element import Element, Link
from folium.plugins import Realtime

from geo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["hosts_of"]

# Where Folium's elements keep addresses, and what a policy calls that.
_FIELDS = {
    "tiles": "img-src",
    "url": "img-src",
    "image": "img-src",
    "video_url": "media-src",
    "embed_link": "connect-src",
}
_OPTIONS = ("icon_url", "shadow_url")
# HTML in a script that loads when it is shown: popups, tooltips, icons.
_WRITTEN = re.compile(
    r"""<(?P<tag>\w+)\b[^<>]*?\b(?:src|srcset|poster|data)\s*=\s*(?:\\?["']|\\u0027)?\s*"""
    r"""(?P<address>(?:https?:)?//[^\s"'<>\\]+)"""
)
# Nothing else may become a word of a policy.
_HOST = re.compile(r"[\w.*-]+(:\d+)?|\[[0-9a-f:]+\](:\d+)?", re.ASCII | re.IGNORECASE)


def hosts_of(elements: Iterable[Element], code: str) -> dict[str, list[str]]:
    """
    Find what a map loads besides scripts and styles.

    Parameters
    ----------
    elements : iterable of branca.element.Element
        All elements of the map.
    code : str
        The page's own scripts, with the HTML that they write.

    Returns
    -------
    dict of str to list of str
        Scheme and host of each source, by the directive of a policy that allows it.

    Raises
    ------
    ExportError
        If an address is no host's.
    """
    every = list(elements)
    found = {("img-src", address) for element in every for address in _pictures(element)}
    found |= {loaded for element in every for loaded in _loads(element)}
    for match in _WRITTEN.finditer(_plain(code)):
        tag = match["tag"].lower()
        kind = {"iframe": "frame-src", "video": "media-src", "audio": "media-src"}.get(
            tag, "img-src"
        )
        address = match["address"]
        found.add((kind, f"https:{address}" if address.startswith("//") else address))
    hosts: dict[str, list[str]] = {}
    for kind, source in sorted({(kind, _source(address)) for kind, address in found}):
        hosts.setdefault(kind, []).append(source)
    return hosts


def _pictures(element: Element) -> list[str]:
    """Return addresses of marker images."""
    options = getattr(element, "options", None) or {}
    return _remote(options.get(name) for name in _OPTIONS)


def _loads(element: Element) -> list[tuple[str, str]]:
    """Return the addresses that an element keeps, with the directive for each."""
    if isinstance(element, Link):  # scripts and styles have their own way into the page
        return []
    fields = dict(_FIELDS)
    if isinstance(element, Realtime):
        fields["src"] = "connect-src"
    kept = ((kind, getattr(element, name, None)) for name, kind in fields.items())
    return [(kind, a) for kind, value in kept for a in _remote([value])]


def _remote(values: Iterable[object]) -> list[str]:
    """Return the addresses that are not within the page."""
    return [a for a in values if isinstance(a, str) and not a.startswith("data:")]


def _plain(code: str) -> str:
    """Read HTML that Folium wrote into JavaScript as HTML."""
    return code.replace(r"\u003c", "<").replace(r"\u003e", ">")


def _source(address: str) -> str:
    """Return scheme and host of an address, as a policy names them."""
    parts = urlsplit(address)
    # "{s}.tile.example.org" stands for several hosts, of which a policy knows only "*.".
    host = re.sub(r"^[^.]*\{[^}]*\}[^.]*", "*", parts.netloc)
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        message = (
            f"the map takes pictures or data from {address!r}, a place beside the page: give the "
            "address of a host, or what is meant itself"
        )
        raise ExportError(message)
    return f"{parts.scheme}://{host}"
