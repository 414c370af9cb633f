"""
What a file gives away, or does to its readers, besides what it says.

========= =========================================================================
rule      what is found
========= =========================================================================
``G14``   code that no policy holds: scripts, handlers, ``javascript:`` addresses
``G15``   hosts that are asked as soon as the file is opened
``G17``   who made it, where and when; layers and geometries besides the one meant
``G22``   outputs in a notebook
========= =========================================================================
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from geo.errors import ReadError
from layers._imprints import imprints
from layers._inflating import DamagedError
from layers._markup import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["exposures"]

_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_SVG = re.compile(rb"<svg[\s>]")
_START = 4096  # bytes, in which a file says what it is
_PICTURE = re.compile(rb"data:image/(?:png|jpe?g|tiff);base64,([A-Za-z0-9+/=]+)")

_STYLE_ADDRESS = re.compile(
    r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^\s"')]+)""", re.IGNORECASE
)
# Calls in a script, and HTML that a script or a description writes.
_CALLED = re.compile(
    r"""(?:\b(?:fetch|import|importScripts|open|tileLayer(?:\.wms)?|imageOverlay|sendBeacon|get|ajax"""
    r"""|getJSON|load|Worker|WebSocket|EventSource|URL)\(\s*(?:["']GET["']\s*,\s*)?"""
    r"""|\b(?:src|srcset|poster|url|action|data)\s*[:=]\s*)"""
    r"""\\?["'`](?P<address>(?:(?:https?|wss?):)?//[^\s"'`<>\\]+)""",
    re.IGNORECASE,
)
_KML_ADDRESS = re.compile(r"<href>\s*(?:<!\[CDATA\[)?\s*((?:https?:)?//[^\s<\]]+)", re.IGNORECASE)
_RELATION = re.compile(r"<Relationship\s[^<>]*>")
_TARGET = re.compile(r'\bTarget="((?:https?:)?//[^"]+)"')
_HOST = re.compile(r"[\w.*{}-]+", re.ASCII)


def exposures(data: bytes, name: str) -> list[tuple[str, str]]:
    """
    Find what a file gives away or does besides what it says.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, of which only the suffix counts.

    Returns
    -------
    list of tuple of str
        Rule and words, each pair once. Nothing of what the file says is in the words, but the
        hosts that it asks.

    Raises
    ------
    ReadError
        If the file is damaged or encrypted, or its markup is none.

    Examples
    --------
    >>> from layers._exposure import exposures
    >>> exposures(b'<!DOCTYPE html><p onclick="go()">', "page.html")
    [('G14', 'a page without a Content-Security-Policy'), ('G14', '1 handler in an attribute')]
    """
    suffix = f".{name.rpartition('.')[2].lower()}"
    start = data[:_START]
    is_page = suffix in {".html", ".htm"} or (
        # the output of a notebook may hold a page
        suffix != ".ipynb" and _HTML.search(start) is not None
    )
    is_svg = not is_page and (suffix == ".svg" or _SVG.search(start) is not None)
    found: list[tuple[str, str]] = []
    if is_page or is_svg:
        markup = _markup(data)
        found += [("G14", words) for words in _active(markup, is_page=is_page)]
        found += [("G15", words) for words in _host_words(_hosts(markup))]
        found += [("G17", "an author")] if markup.authors else []
    elif suffix == ".ipynb":
        found += _notebook(data)
    else:
        text = data.decode("utf-8", "replace")
        addresses = _STYLE_ADDRESS.findall(text) if suffix == ".css" else []
        found += [("G15", words) for words in _host_words([*addresses, *_in_text(text)])]
    found += [("G17", words) for words in imprints(data, is_page=is_page)]
    for picture in _PICTURE.findall(data):
        with suppress(DamagedError):  # it may be one piece of several
            found += [("G17", words) for words in imprints(_decoded(picture), is_page=False)]
    return list(dict.fromkeys(found))


def _markup(data: bytes) -> Markup:
    """Take a page or a drawing apart."""
    try:
        return Markup(data.decode("utf-8", "replace"))
    except AssertionError as error:  # how HTMLParser says that it does not know a declaration
        message = "its markup cannot be read: write it again"
        raise ReadError(message) from error


def _active(markup: Markup, *, is_page: bool) -> Iterator[str]:
    """Name code that would run though no policy vouches for it."""
    if is_page and not markup.policies:
        yield "a page without a Content-Security-Policy"
    elif is_page and not markup.policy_first:
        yield "a script before the Content-Security-Policy"
    scripts = markup.scripts if markup.policies else []
    bare = 0 if is_page else len(markup.scripts) + len(markup.script_addresses)
    counted = {
        "handler in an attribute": markup.handlers,
        "address that is a script": markup.script_links,
        "script that the policy does not know": sum(not markup.allows(text) for text in scripts),
        "script from a file of its own": len(markup.script_addresses) if is_page else 0,
        "script in a drawing": bare,
        "frame with a page of its own": markup.frames,
    }
    for words, count in counted.items():
        if count:
            noun, _, rest = words.partition(" ")
            yield f"{count} {noun}{'' if count == 1 else _plural(noun)} {rest}"
    if markup.policies and markup.is_loose:
        yield "a Content-Security-Policy that lets any script run"


def _plural(noun: str) -> str:
    """Return how a noun ends when there are several."""
    return "es" if noun.endswith("s") else "s"


def _hosts(markup: Markup) -> Iterator[str]:
    """Return the addresses that a browser would call."""
    yield from markup.loads
    for style in markup.styles:
        yield from _STYLE_ADDRESS.findall(style)
    yield from markup.policy_sources
    if not markup.is_strict:
        for script in markup.scripts:
            yield from (match["address"] for match in _CALLED.finditer(unescape(script)))


def _in_text(text: str) -> Iterator[str]:
    """Return the addresses that KML and Office programs call when they open a file."""
    if "<kml" in text:
        yield from _KML_ADDRESS.findall(text)
        yield from (match["address"] for match in _CALLED.finditer(unescape(text)))
    for relation in _RELATION.findall(text):
        if 'TargetMode="External"' in relation and "/hyperlink" not in relation:
            yield from _TARGET.findall(relation)


def _host_words(addresses: Iterable[str]) -> list[str]:
    """Name the hosts of addresses."""
    words = set()
    for address in addresses:
        try:
            host = urlsplit(address).netloc.rpartition("@")[2]
        except ValueError:
            host = ""
        known = _HOST.fullmatch(host.partition(":")[0]) is not None
        words.add(f"it calls {host.lower()}" if known else "it calls a host")
    return sorted(words)


def _notebook(data: bytes) -> Iterator[tuple[str, str]]:
    """Look through a notebook."""
    try:
        notebook = json.loads(data)
        cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
        metadata = dict(notebook.get("metadata") or {})
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = "it is called a notebook and cannot be read as one: write it again"
        raise ReadError(message) from error
    full = sum(bool(cell.get("outputs")) for cell in cells)
    if full:
        yield "G22", f"outputs in {full} {'cell' if full == 1 else 'cells'}"
    if metadata.get("widgets"):
        yield "G22", "the state of widgets"
    if metadata.get("authors"):
        yield "G17", "an author"
    if any(_timed(cell) for cell in cells):
        yield "G17", "times at which cells ran"
    written = unescape(json.dumps([cell.get("outputs") for cell in cells]))
    called = (match["address"] for match in _CALLED.finditer(written))
    yield from (("G15", words) for words in _host_words(called))


def _timed(cell: dict[str, Any]) -> bool:
    """Tell whether a cell says when it ran."""
    metadata = cell.get("metadata")
    return isinstance(metadata, dict) and bool(metadata.get("execution"))


def _decoded(text: bytes) -> bytes:
    """Decode base64, or nothing."""
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""
