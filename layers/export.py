"""
One file, no host, the same bytes: from a Folium map to a page that can be published.

Folium writes links to content delivery networks into every page. Here each link is
replaced by the file itself, taken from the XStatic packages and checked by its sha256;
what the page does not use is dropped, and a link that cannot be replaced is an error.
The page then gets a Content-Security-Policy that allows exactly the scripts it contains,
so that even a mistake in escaping could run nothing and call nobody.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from markupsafe import Markup

from geo._files import write_bytes
from geo.errors import ExportError, HostWarning, SensitivityWarning
from layers._apart import parted
from layers._assets import Inliner, script_tag
from layers._hosts import hosts_of
from layers._rendering import Parts, elements_of, rendered
from layers.payload import AtlasLayer, figure_of
from layers.policy import policy, refuse_scripts
from layers.text import srcdoc

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import folium

__all__ = ["notebook_html", "page_html", "save_html"]

_SUFFIXES = (".html", ".htm")
_LARGEST_INLINE = 5_000_000  # bytes: a notebook keeps a second copy of what it shows
_DATA_FILE = re.compile(r'<link rel="stylesheet" href="([^"/:]+-data-[0-9a-f]{12}\.css)" />')
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_VIEWPORT = re.compile(r'<meta name="viewport" content="[^"]*"\s*/>')
_WHOLE_VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1" />'
_FRAME = '<iframe srcdoc="{}" width="100%" height="640" frameborder="0" title="Map"></iframe>'


def save_html(
    site_map: folium.Map,
    path: str | os.PathLike[str],
    *,
    assets: Mapping[str, str | os.PathLike[str]] | None = None,
    online: bool = False,
    split: bool = False,
    progress: bool = True,
) -> Path:
    """
    Write a map as one HTML file that opens without network.

    Parameters
    ----------
    site_map : folium.Map
        Any Folium map; `site_map` makes one with a whole page around it.
    path : path-like
        Where the page goes: a name that ends in ``.html`` or ``.htm``, in a folder that
        exists. It is written under a temporary name and moved, so a reader never sees half
        a page.
    assets : mapping of str to path-like, optional
        Files for scripts and styles of Folium's plugins, by the address that the plugin asks
        for. What a style sheet asks for in turn lies where the sheet says, seen from its file.
    online : bool, default False
        Let each reader's browser fetch background tiles, pictures, and scripts and styles for
        which there is no file, from their hosts.
    split : bool, default False
        Write the data of this package's layers into a second file in the same folder, for
        very large maps: ``map.html`` and ``map-data-<hash>.css``, a style sheet because that
        is what a page on a disk may read. Both are published together.
    progress : bool, default True
        Show a bar if writing lasts more than two seconds.

    Returns
    -------
    pathlib.Path
        The path of the page.

    Raises
    ------
    ExportError
        If the page would need a host: a plugin's script, a web font, tiles; all scripts and
        styles are named at once. If a text of the data has become a script. If the name has
        another suffix, or the file cannot be written there.

    Warns
    -----
    HostWarning
        If the page calls hosts, with `online`; it names them.
    SensitivityWarning
        If layers of this package show rows that are not public at their own coordinates; once,
        for all of them. What Folium's own objects show is not known here.

    Notes
    -----
    The same map gives the same bytes in any process. The page carries a
    Content-Security-Policy with the hash of each of its scripts and style attributes.

    Texts in popups and tooltips of Folium's own objects are written as the HTML that they are,
    but nothing in them runs: not as JavaScript, not as a handler, not as a template. Style
    attributes in them do apply. Layers of this package show texts as text.

    Where `split` replaces a page, the file of data that the old page used is removed.

    Examples
    --------
    >>> import tempfile, geo, layers
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> page = layers.site_map(geo.example_sites())
    >>> layers.save_html(page, Path(folder.name) / "map.html").name
    'map.html'
    >>> folder.cleanup()
    """
    target = Path(path)
    # Evidence lies beside the pages made of it: a mistaken name must not replace a table.
    if target.suffix.lower() not in _SUFFIXES:
        message = (
            f"{target.name!r} is no name for a page: give one that ends in "
            f"{' or '.join(_SUFFIXES)}, such as '{target.stem or 'map'}.html'"
        )
        raise ExportError(message)
    stem = target.stem if split else None
    page = _page(site_map, assets or {}, online=online, stem=stem, progress=progress)
    if page.hosts:
        message = (
            f"each reader's browser will call {', '.join(page.hosts)}: these hosts learn who "
            "reads the map and when, and the map changes or ends when they do"
        )
        warnings.warn(message, HostWarning, stacklevel=2)
    _warn_of_exact(site_map)
    old = _data_file_of(target)
    if page.data:
        write_bytes(target.with_name(page.data_name), page.data.encode())
    try:
        written = write_bytes(target, page.text.encode())
    except ExportError:
        if page.data and page.data_name != old:
            _remove(target.with_name(page.data_name))
        raise
    if old and old != page.data_name:
        _remove(target.with_name(old))
    return written


def page_html(
    site_map: folium.Map,
    *,
    assets: Mapping[str, str | os.PathLike[str]] | None = None,
    online: bool = False,
) -> str:
    """
    Return the page that `save_html` writes.

    Parameters
    ----------
    site_map : folium.Map
        Any Folium map.
    assets : mapping of str to path-like, optional
        Files for scripts and styles, by address.
    online : bool, default False
        Let the page call hosts.

    Returns
    -------
    str
        The whole page.

    Raises
    ------
    ExportError
        If the page would need a host, or a text of the data has become a script.

    Warns
    -----
    SensitivityWarning
        As in `save_html`.
    """
    page = _page(site_map, assets or {}, online=online).text
    _warn_of_exact(site_map)
    return page


def notebook_html(site_map: folium.Map) -> str:
    """
    Return what a notebook shows of a map.

    Parameters
    ----------
    site_map : folium.Map
        Any Folium map.

    Returns
    -------
    str
        A frame with the whole page in it. A page above 5 MB is written into the working
        folder instead, as ``map-<hash>.html``, and linked: the notebook would keep another
        copy of all of it.

    Raises
    ------
    ExportError
        If the page cannot be made.

    Warns
    -----
    SensitivityWarning
        As in `save_html`: the output of a cell is kept in the notebook.
    """
    page = _page(site_map, {}, online=True, progress=True).text
    _warn_of_exact(site_map)
    content = page.encode()
    if len(content) <= _LARGEST_INLINE:
        return _FRAME.format(srcdoc(page))
    file = Path(f"map-{hashlib.sha256(content).hexdigest()[:12]}.html")
    size = f"{len(content) / 1e6:,.1f} MB"
    try:
        write_bytes(file, content)
    except ExportError as error:
        advice = Markup("<p>This map has {}, too much for a notebook. Use save_html. ({})</p>")
        return str(advice.format(size, error))
    link = Markup(
        "<p>This map has {}, too much for a notebook; it was written to the working folder: "
        '<a href="{}" target="_blank" rel="noopener">{}</a></p>'
    )
    return str(link.format(size, file.name, file.name))


class _Page(NamedTuple):
    """A page, its data if they lie apart, and the hosts it calls."""

    text: str
    data_name: str
    data: str
    hosts: list[str]


def _page(
    site_map: folium.Map,
    assets: Mapping[str, str | os.PathLike[str]],
    *,
    online: bool,
    stem: str | None = None,
    progress: bool = False,
) -> _Page:
    """Make a page; with a stem, its data lie apart under that name."""
    figure = figure_of(site_map)
    parts = rendered(figure, progress=progress)
    hosts = hosts_of(elements_of(figure), parts.script + parts.body)
    if hosts and not online:
        message = (
            f"this map has background tiles, pictures or data, which every reader's browser "
            f"fetches from {', '.join(_distinct(hosts))}: leave them out, or allow it with "
            "online=True"
        )
        raise ExportError(message)
    code = "".join([parts.script, *_SCRIPT.findall(parts.head)])
    linked = {address for address in assets if address in parts.head or address in parts.body}
    inliner = Inliner(code, assets, linked, online=online)
    head, body = inliner.inlined(parts.head), inliner.inlined(parts.body)
    inliner.refuse_missing()
    refuse_scripts(body)
    allowed = _allowed(hosts, inliner.remote)
    called = _distinct(allowed)
    body, data_name, data = parted(body, stem) if stem is not None else (body, "", "")
    if data:  # browsers differ in which of the two a page on a disk is granted
        allowed.setdefault("style-src", []).extend(["'self'", "file:"])
    done = Parts(parts.title, head, body, parts.script)
    text = _document(done, inliner.supplied, allowed, beside=quote(data_name))
    return _Page(text, data_name, data, called)


def _warn_of_exact(site_map: folium.Map) -> None:
    """Say once that a map shows rows that are not public where they are, and in which layers."""
    elements = elements_of(figure_of(site_map))
    layers = [part for part in elements if isinstance(part, AtlasLayer) and part.exact]
    if layers:
        shown = ", ".join(f"{layer.exact:,} in {layer.title!r}" for layer in layers)
        message = (
            f"reports that are not public are shown at their own coordinates ({shown}): use "
            "layers.publish, which generalises them and refuses to leak, or keep the page private"
        )
        warnings.warn(message, SensitivityWarning, stacklevel=3)


def _allowed(hosts: dict[str, list[str]], remote: dict[str, str]) -> dict[str, list[str]]:
    """Return what a page may load, by directive: hosts, and the very addresses of scripts."""
    allowed = {kind: list(sources) for kind, sources in hosts.items()}
    for address, kind in remote.items():
        allowed.setdefault(kind, []).append(address)
        if kind == "style-src":  # its fonts and pictures, whatever they are called
            source = "/".join(address.split("/")[:3])
            for more in ("font-src", "img-src"):
                words = allowed.setdefault(more, [])
                words += [] if source in words else [source]
    return allowed


def _distinct(allowed: Mapping[str, list[str]]) -> list[str]:
    """Return scheme and host of everything allowed, each once."""
    return sorted({"/".join(a.split("/")[:3]) for sources in allowed.values() for a in sources})


def _document(parts: Parts, supplied: str, allowed: Mapping[str, list[str]], *, beside: str) -> str:
    """Put a page together, its policy first."""
    head = f"<title>{parts.title or 'Map'}</title>\n{_VIEWPORT.sub(_WHOLE_VIEWPORT, parts.head)}"
    body = f"{parts.body}\n{script_tag(parts.script)}"
    start, rest = '<!DOCTYPE html>\n<html lang="en">\n<head>\n', f"{head}\n</head>\n<body>\n{body}"
    rest += "\n</body>\n</html>\n"
    return start + policy(rest, parts.script + supplied, allowed, beside=beside) + "\n" + rest


def _data_file_of(page: Path) -> str:
    """Return the name of the file of data that a page on the disk uses, or nothing."""
    try:
        found = _DATA_FILE.search(page.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return ""
    name = unquote(found[1]) if found else ""
    return name if name.startswith(f"{page.stem}-data-") and Path(name).name == name else ""


def _remove(file: Path) -> None:
    """Remove a file of data that no page uses any longer."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        message = (
            f"{str(file)!r} holds the data of a page that was replaced and cannot be removed "
            f"({error.strerror}): remove it before the folder is published"
        )
        raise ExportError(message) from error
