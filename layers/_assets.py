"""Scripts and styles in the page in place of links to hosts."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urljoin

import folium
import pandas as pd

from geo.errors import ExportError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

__all__ = ["Inliner", "script_tag"]


class _Packaged(NamedTuple):
    """A file of an XStatic package, with the sha256 of what its publisher released."""

    package: str
    file: str
    sha256: str
    requirement: str


_LEAFLET = "XStatic-Leaflet==1.9.3.*"
_PACKAGED = {
    r"/leaflet@1\.9\.3/dist/leaflet\.js$": _Packaged(
        "xstatic.pkg.leaflet",
        "leaflet.js",
        "5819285cec137b229c94e1ee5ad73e8b6b84345a4367d60f75fe477fe0fb7b03",
        _LEAFLET,
    ),
    r"/leaflet@1\.9\.3/dist/leaflet\.css$": _Packaged(
        "xstatic.pkg.leaflet",
        "leaflet.css",
        "90b693d86392a4779c861b28cf307e7e59c3fb35328c4d8b95f58f814d38c722",
        _LEAFLET,
    ),
    r"/jquery[-/]3\.7\.1(/jquery)?\.min\.js$": _Packaged(
        "xstatic.pkg.jquery",
        "jquery.min.js",
        "fc9a93dd241f6b045cbff0481cf4e1901becd0e12fb45166a8f17f95823f0b1a",
        "XStatic-jQuery==3.7.1.*",
    ),
    # The colour scales of branca and Folium's choropleths; 3.5.5 is asked for.
    r"/d3/3\.5\.\d+/d3\.min\.js$": _Packaged(
        "xstatic.pkg.d3",
        "d3.js",
        "0c0b24005903a9d71beb93837fc1fc618b81780f14601c729030227c16b3ef51",
        "XStatic-D3==3.5.17.*",
    ),
}
# Files that Folium brings along and links to all the same, such as the heat map's script.
_FOLIUM = re.compile(r"/python-visualization/folium[^/]*/folium/templates/([\w.]+)$")
_ICONS = r"L\.AwesomeMarkers"
# Parts of Folium's standard head, and the code in a page that would need them.
_OPTIONAL = {
    r"/jquery[-/]3[^/]*": r"\$\(|\$\.|jQuery",
    r"/bootstrap\.bundle\.": r"\bbootstrap\.",
    r"/bootstrap\.min\.css$": r"(?!)",  # no part of a map; `assets` can ask for it
    r"/bootstrap-glyphicons\.css$": r'"prefix": "glyphicon"',
    r"/fontawesome-free@": r'"prefix": "fa"',
    r"/leaflet\.awesome-markers\.(js|css)$": _ICONS,
    r"/leaflet\.awesome\.rotate\.": r"fa-rotate-[1-9]",
}
_PIN = re.compile(r"L\.AwesomeMarkers\.icon\(\s*\{(.*?)\}\s*\)", re.DOTALL)
_LINK = re.compile(
    r"<script\b(?P<script>[^>]*?\bsrc\s*=\s*[^>]*)>\s*</script>"
    r"|<link\b(?P<style>[^>]*?\brel\s*=\s*[\"']?stylesheet\b[^>]*?)/?>",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"""\b(?:src|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_MODULE = re.compile(r"""\btype\s*=\s*["']?module\b""", re.IGNORECASE)
_URL = re.compile(r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^\s"')]*))\s*\)""")
_IMPORT = re.compile(r"""@import\s+(?:url\()?\s*["']?([^"')\s;]+)""")
# By suffix, not by the machine's own table, which may say otherwise elsewhere.
_TYPES = {
    ".png": "image/png",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".eot": "application/vnd.ms-fontobject",
}
_OWN = Path(__file__).parent / "assets"


def script_tag(text: str, *, module: bool = False) -> str:
    """
    Write a script into a page.

    Parameters
    ----------
    text : str
        JavaScript.
    module : bool, default False
        Whether it is a module.

    Returns
    -------
    str
        The element, without the comment that would send browsers for a source map.
    """
    text = re.sub(r"//[#@] sourceMappingURL=\S+", "", text)
    text = text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    kind = ' type="module"' if module else ""
    return f"<script{kind}>{_lines(text)}</script>"


class Inliner:
    """
    Replaces links by files, and notes every address for which there is none.

    Parameters
    ----------
    code : str
        The page's own scripts, which decide what of Folium's standard head is needed.
    assets : mapping of str to path-like
        Files for addresses, by the author.
    linked : iterable of str
        The addresses of `assets` to which the page itself links.
    online : bool, default False
        Leave links for which there is no file.

    Attributes
    ----------
    missing : dict of str to str
        Addresses without a file, and what is wrong.
    remote : dict of str to str
        Addresses left in the page, and the policy's word for their kind.
    supplied : str
        The scripts that the author supplies and the page uses.
    """

    def __init__(
        self,
        code: str,
        assets: Mapping[str, str | os.PathLike[str]],
        linked: Iterable[str],
        *,
        online: bool = False,
    ) -> None:
        self.missing: dict[str, str] = {}
        self.remote: dict[str, str] = {}
        self._assets = {address: Path(file) for address, file in assets.items()}
        scripts = [address for address in sorted(linked) if address.endswith(".js")]
        self.supplied = "\n".join(self._read(self._assets[a], a) for a in scripts)
        self._code = code + self.supplied
        self._online = online
        self._done: set[str] = set()
        supplied = any("/leaflet.awesome-markers.js" in address for address in assets)
        self._own_pins = not supplied and all(_plain_pin(pin) for pin in _PIN.findall(code))

    def inlined(self, markup: str) -> str:
        """
        Put files in place of links, or drop what the page does not use.

        Parameters
        ----------
        markup : str
            HTML.

        Returns
        -------
        str
            The HTML with what could be found.
        """
        return _LINK.sub(self._replaced, markup)

    def refuse_missing(self) -> None:
        """
        Stop if an address has no file.

        Raises
        ------
        ExportError
            With every address; ``problems`` has them as rows.
        """
        if not self.missing:
            return
        rows = pd.DataFrame({"address": list(self.missing), "problem": list(self.missing.values())})
        listed = "\n".join(f"  {address} ({why})" for address, why in self.missing.items())
        message = (
            f"the page needs what cannot be put into it:\n{listed}\n"
            "Leave out the Folium object that asks for it, supply each file with "
            "assets={address: path}, or let readers fetch it with online=True"
        )
        raise ExportError(message, rows)

    def _replaced(self, match: re.Match[str]) -> str:
        """Return what stands in place of a link."""
        kind = "script-src" if match["script"] else "style-src"
        attributes = match["script"] or match["style"]
        found = _ADDRESS.search(attributes)
        address = next(filter(None, found.groups()), "") if found else ""
        if address in self._done or not self._needed(address):
            return ""
        self._done.add(address)
        if self._own_pins and "/leaflet.awesome-markers." in address:
            own = (_OWN / "pins.js").read_text(encoding="utf-8")
            return script_tag(own) if kind == "script-src" else ""
        path = self._file(address)
        if path is None:
            return self._left(address, kind)
        text = self._read(path, address)
        if kind == "script-src":
            tag = script_tag(text, module=bool(_MODULE.search(attributes)))
            return tag + self._marker_images(path)
        return f"<style>{_lines(self._style(text, path, address))}</style>"

    def _needed(self, address: str) -> bool:
        """Say whether a page uses a link of Folium's standard head; others it always does."""
        if self._own_pins and "bootstrap-glyphicons" in address:
            return False
        uses = [use for part, use in _OPTIONAL.items() if re.search(part, address)]
        return address in self._assets or not uses or bool(re.search(uses[0], self._code))

    def _file(self, address: str) -> Path | None:
        """Return the file for an address, if there is one."""
        if address in self._assets:
            return self._assets[address]
        if own := _FOLIUM.search(address):
            file = Path(folium.__file__).parent / "templates" / own[1]
            return file if file.is_file() else None
        for pattern, packaged in _PACKAGED.items():
            if re.search(pattern, address):
                try:
                    return _checked(packaged)
                except ModuleNotFoundError:
                    self.missing[address] = f"install {packaged.requirement}"
        return None

    def _left(self, address: str, kind: str) -> str:
        """Leave a link as it is, if the author allows it."""
        if self._online and not address.startswith(("http://", "https://", "//")):
            self.missing[address] = "a place beside the page"
        elif self._online:
            self.missing.pop(address, None)
            full = f"https:{address}" if address.startswith("//") else address
            # These would end a word of the policy, the policy or the attribute.
            full = re.sub(r"[;,\s\"'<>]", lambda m: quote(m[0]), full)
            self.remote[full] = kind
            if kind == "script-src":
                return f'<script src="{escape(full)}"></script>'
            return f'<link rel="stylesheet" href="{escape(full)}" />'
        else:
            self.missing.setdefault(address, "no package has it")
        return ""

    def _read(self, path: Path, address: str) -> str:
        """Return a file's text; a file that cannot be read is noted as missing."""
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "no text in UTF-8"
            self.missing[address] = f"{str(path)!r} cannot be read: {why}"
            return ""

    def _style(self, text: str, path: Path, address: str) -> str:
        """Return a style sheet with the sheets, images and fonts it asks for inside."""

        def sheet(match: re.Match[str]) -> str:
            self.missing[urljoin(address, match[1])] = f"a style sheet that {address} imports"
            return match[0]

        def data(match: re.Match[str]) -> str:
            name = next(filter(None, match.groups()), "")
            if not name or name.startswith(("data:", "#")):
                return match[0]
            bare = re.sub(r"[?#].*", "", name)
            source = urljoin(address, bare)
            local = None if re.match(r"(https?:)?//", bare) else path.parent / bare
            return f"url({self._data_uri(self._assets.get(source, local), source)})"

        _IMPORT.sub(sheet, text)
        text = re.sub(r"/\*# sourceMappingURL=[^*]*\*/", "", text)
        return _URL.sub(data, text).replace("</style", "<\\/style")

    def _data_uri(self, path: Path | None, address: str) -> str:
        """Return a picture or a font as a data URI."""
        try:
            if path is not None:
                return _data_uri(path)
            self.missing[address] = "a style sheet asks for it"
        except OSError as error:
            self.missing[address] = f"{str(path)!r} cannot be read: {error.strerror}"
        return "data:,"

    def _marker_images(self, leaflet: Path) -> str:
        """Give Leaflet its marker images, which it would otherwise look for beside the page."""
        # A marker without an icon of its own, also one that GeoJSON makes of a point.
        used = re.search(r"L\.marker\(|L\.Marker\b|geoJson\(|geoJSON\(|icon", self._code)
        folder = leaflet.parent / "images"
        if leaflet.name != "leaflet.js" or not used or not folder.is_dir():
            return ""
        names = {
            "iconUrl": "marker-icon.png",
            "iconRetinaUrl": "marker-icon-2x.png",
            "shadowUrl": "marker-shadow.png",
        }
        options = ",".join(f'{key}:"{_data_uri(folder / name)}"' for key, name in names.items())
        return f'<script>L.Icon.Default.mergeOptions({{{options},imagePath:""}});</script>'


def _plain_pin(options: str) -> bool:
    """Say whether a pin is upright with Folium's default sign or none: `pins.js` draws those."""
    sign = re.search(r'"icon": "([^"]*)"', options)
    turned = re.search(r'"extraClasses": "fa-rotate-(?!0")', options)
    return (sign is None or sign[1] in {"info-sign", ""}) and not turned


def _checked(packaged: _Packaged) -> Path:
    """Return the path of a file of an XStatic package, checked by its sha256."""
    path = Path(import_module(packaged.package).BASE_DIR) / packaged.file
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != packaged.sha256:
        message = (
            f"{packaged.package} has another {packaged.file} (sha256 {found}) than the one this "
            f"version was tested with: install {packaged.requirement}"
        )
        raise ExportError(message)
    return path


def _data_uri(path: Path) -> str:
    """Return a file as a data URI."""
    kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _lines(text: str) -> str:
    """End lines as browsers read them, or hashes would not fit."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
