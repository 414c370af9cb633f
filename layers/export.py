"""
One file, no host, the same bytes: from a Folium map to a page that can be published.

Folium writes links to content delivery networks into every page. Here each link is
replaced by the file itself, taken from the XStatic packages and checked by its sha256;
what the page does not use is dropped, and a link that cannot be replaced is an error.
The page then gets a Content-Security-Policy that allows exactly the scripts it contains,
so that even a mistake in escaping could run nothing and call nobody.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import OrderedDict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from branca.element import Element, Figure, Link

from geo._files import write_bytes
from geo.errors import ExportError
from layers.payload import figure_of
from layers.policy import policy

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import folium

__all__ = ["page_html", "save_html"]

_LEAFLET = "xstatic.pkg.leaflet"
_JQUERY = "xstatic.pkg.jquery"
# (package, file, sha256 of the file as its publisher released it)
_FILES = {
    "leaflet.js": (
        _LEAFLET,
        "leaflet.js",
        "5819285cec137b229c94e1ee5ad73e8b6b84345a4367d60f75fe477fe0fb7b03",
    ),
    "leaflet.css": (
        _LEAFLET,
        "leaflet.css",
        "90b693d86392a4779c861b28cf307e7e59c3fb35328c4d8b95f58f814d38c722",
    ),
    "jquery": (
        _JQUERY,
        "jquery.min.js",
        "fc9a93dd241f6b045cbff0481cf4e1901becd0e12fb45166a8f17f95823f0b1a",
    ),
}
# Parts of Folium's standard head, and the code in a page that would need them.
_OPTIONAL = {
    "jquery-": re.compile(r"\$\(|\$\.|jQuery"),
    "bootstrap.bundle": re.compile(r"bootstrap\."),
    "bootstrap.min.css": re.compile(r"L\.AwesomeMarkers"),
    "bootstrap-glyphicons": re.compile(r"L\.AwesomeMarkers"),
    "fontawesome-free": re.compile(r"L\.AwesomeMarkers"),
    "leaflet.awesome-markers": re.compile(r"L\.AwesomeMarkers"),
    "leaflet.awesome.rotate": re.compile(r"L\.AwesomeMarkers"),
}
_LINK = re.compile(
    r'<script src="(?P<js>[^"]*)"></script>|<link rel="stylesheet" href="(?P<css>[^"]*)"\s*/>'
)
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_SUFFIXES = (".html", ".htm")
_VIEWPORT = re.compile(r'<meta name="viewport" content="[^"]*"\s*/>')


def save_html(site_map: folium.Map, path: str | os.PathLike[str], *, online: bool = False) -> Path:
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
    online : bool, default False
        Allow background tiles, which each reader's browser fetches from their hosts.

    Returns
    -------
    pathlib.Path
        The path written.

    Raises
    ------
    ExportError
        If the page would need a host: a plugin's script, a web font, tiles. If the name
        has another suffix, or the file cannot be written there.

    Notes
    -----
    The same map gives the same bytes in any process. The page carries a
    Content-Security-Policy with the hash of each of its scripts.

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
    return write_bytes(target, page_html(site_map, online=online).encode())


def page_html(site_map: folium.Map, *, online: bool = False) -> str:
    """
    Return the page that `save_html` writes.

    Parameters
    ----------
    site_map : folium.Map
        Any Folium map.
    online : bool, default False
        Allow background tiles.

    Returns
    -------
    str
        The whole page.

    Raises
    ------
    ExportError
        If the page would need a host.
    """
    figure = figure_of(site_map)
    text = _rendered(figure)
    sources = _picture_sources(figure)
    if sources and not online:
        message = (
            f"this map has background tiles or pictures, which every reader's browser fetches from "
            f"{', '.join(sources)}: leave them out, or allow it with online=True"
        )
        raise ExportError(message)
    styled = 'style="' in text
    text = _inlined(text)
    text = _VIEWPORT.sub(
        '<meta name="viewport" content="width=device-width, initial-scale=1" />', text
    )
    text = text.replace("<html>", '<html lang="en">', 1)
    head = policy(text, sources, style_attributes=styled)
    return text.replace("<head>", f"<head>\n{head}", 1)


def _rendered(figure: Figure) -> str:
    """Render a page and leave it as it was: Folium adds calls and icons anew each time."""
    before = [(part, OrderedDict(part._children)) for part in _elements(figure, set())]  # noqa: SLF001  # no other way
    try:
        return _renumbered(figure.render(), figure)
    finally:
        for part, children in before:
            part._children = children  # noqa: SLF001  # no other way


def _renumbered(text: str, figure: Element) -> str:
    """Replace Folium's random ids by their order of appearance."""
    known = {element._id for element in _elements(figure, set())}  # noqa: SLF001  # no other way
    number: dict[str, str] = {}

    def short(match: re.Match[str]) -> str:
        found = match[0]
        return number.setdefault(found, f"{len(number) + 1}") if found in known else found

    return _ID.sub(short, text)


def _elements(element: Element, seen: set[int]) -> Iterator[Element]:
    """Walk an element tree, attributes that are elements included, each element once."""
    if id(element) in seen:
        return
    seen.add(id(element))
    yield element
    attributes = [value for value in vars(element).values() if isinstance(value, Element)]
    for child in [*element._children.values(), *attributes]:  # noqa: SLF001  # no other way
        if isinstance(child, Element):
            yield from _elements(child, seen)


def _inlined(text: str) -> str:
    """Put the files behind Folium's links into the page, or drop what it does not use."""
    own_code = "".join(_SCRIPT.findall(text))
    markers = "L.marker(" in own_code

    def replace(match: re.Match[str]) -> str:
        address = match["js"] or match["css"]
        name = address.rsplit("/", 1)[-1]
        if name == "leaflet.js":
            return f"<script>{_script_file('leaflet.js')}</script>{_marker_images(wanted=markers)}"
        if name == "leaflet.css":
            return f"<style>{_leaflet_style()}</style>"
        needed = next((p for key, p in _OPTIONAL.items() if key in address), None)
        if needed is not None and not needed.search(own_code):
            return ""
        if name.startswith("jquery-"):
            return f"<script>{_script_file('jquery')}</script>"
        message = (
            f"the page needs {address}, which cannot be put into the file: leave out the Folium "
            "object that asks for it (a plugin, or an icon other than Leaflet's own)"
        )
        raise ExportError(message)

    return _LINK.sub(replace, text)


def _asset(name: str) -> Path:
    """Return the path of a file of an XStatic package, checked by its sha256."""
    package, file, expected = _FILES[name]
    path = Path(import_module(package).BASE_DIR) / file
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        message = (
            f"{package} has another {file} (sha256 {found}) than the one this version was "
            f"tested with: install the version that pyproject.toml names"
        )
        raise ExportError(message)
    return path


def _script_file(name: str) -> str:
    """Return a script without the comment that would send browsers for a source map."""
    script = _asset(name).read_text(encoding="utf-8")
    script = re.sub(r"//# sourceMappingURL=\S+", "", script)
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _leaflet_style() -> str:
    """Return Leaflet's style sheet with its images inside."""
    path = _asset("leaflet.css")
    style = path.read_text(encoding="utf-8")
    return re.sub(
        r"url\((images/[\w.-]+)\)", lambda m: f"url({_data_uri(path.parent / m[1])})", style
    )


def _data_uri(path: Path) -> str:
    """Return an image as a data URI."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _marker_images(*, wanted: bool) -> str:
    """Give Leaflet its marker images, which it would otherwise look for beside the page."""
    if not wanted:
        return ""
    folder = _asset("leaflet.css").parent / "images"
    names = {
        "iconUrl": "marker-icon.png",
        "iconRetinaUrl": "marker-icon-2x.png",
        "shadowUrl": "marker-shadow.png",
    }
    options = ",".join(f'{key}:"{_data_uri(folder / name)}"' for key, name in names.items())
    return f'<script>L.Icon.Default.mergeOptions({{{options},imagePath:""}});</script>'


def _picture_sources(figure: Figure) -> list[str]:
    """Return where tiles, pictures and marker images come from, wherever in the map they are."""
    addresses = []
    for element in _elements(figure, set()):
        if isinstance(element, Link):  # scripts and styles: `_inlined` sees to them
            continue
        options = getattr(element, "options", None) or {}
        found = [getattr(element, name, None) for name in ("tiles", "url", "video_url")]
        addresses += [*found, options.get("icon_url"), options.get("shadow_url")]
    remote = (a for a in addresses if isinstance(a, str) and not a.startswith("data:"))
    return sorted({_source(address) for address in remote})


def _source(address: str) -> str:
    """Return scheme and host of an address, as a policy names them."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        message = (
            f"the map takes pictures from {address!r}, a place beside the page: give the "
            "address of a host, or an image within the page"
        )
        raise ExportError(message)
    # "{s}.tile.example.org" stands for several hosts, of which a policy knows only "*.".
    host = re.sub(r"^[^.]*\{[^}]*\}[^.]*", "*", parts.netloc)
    return f"{parts.scheme}://{host}"
