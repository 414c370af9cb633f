"""What a page may do: the refusal of everything remote, and its Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from geo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["policy"]

_REMOTE_STYLE = re.compile(r"@import[^;]*|url\((?!data:|#|[\"']data:)[^)]*\)")

# Attributes that make a browser ask for something as soon as the page, or a link in it, is used.
_LOADING = {"src", "srcset", "data", "poster", "action", "formaction", "background", "ping"}
# Elements that bring another document with them, or move this one.
_REFUSED = {"iframe", "frame", "object", "embed", "base", "portal"}


class _Page(HTMLParser):
    """Collect a page's own scripts and styles, and whatever would load from elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.remote: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self._within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        runs = tag == "style" or (tag == "script" and "json" not in values.get("type", ""))
        self._within = tag if runs else ""
        if self._within:
            self.inline[tag].append("")
        if tag in _REFUSED or values.get("http-equiv", "").lower() == "refresh":
            self.remote.append(f"<{tag}>")
        for name, value in values.items():
            loads = name in _LOADING or (name in {"href", "xlink:href"} and tag != "a")
            styled = name == "style" and _REMOTE_STYLE.search(value)
            if styled or (loads and value and not value.startswith(("data:", "#"))):
                self.remote.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  # HTMLParser's signature
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            self.inline[self._within][-1] += data


def policy(page: str, sources: Iterable[str] = (), *, style_attributes: bool = False) -> str:
    """
    Write the policy that allows a page's own scripts and styles and nothing else.

    Parameters
    ----------
    page : str
        The whole page; each inline script and style is allowed by its sha256.
    sources : iterable of str
        Where pictures may come from besides the page itself.
    style_attributes : bool, default False
        Allow ``style="..."``, which Folium's own popups carry; it can neither run nor load.

    Returns
    -------
    str
        A ``meta`` element for the head of the page, before any script.

    Raises
    ------
    ExportError
        If an element, a style or a redirection of the page would ask a host.
    """
    parsed = _Page(page)
    styles = parsed.inline["style"]
    remote = parsed.remote + [found for text in styles for found in _REMOTE_STYLE.findall(text)]
    if remote:
        message = (
            f"the page would load from elsewhere: {'; '.join(remote[:5])}. "
            "Leave out the Folium object that writes this"
        )
        raise ExportError(message)
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(_hashes(parsed.inline["script"])) or "'none'",
        "style-src": " ".join(_hashes(styles)) or "'none'",
        "img-src": " ".join(["data:", *sources]),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    if style_attributes:
        rules["style-src-attr"] = "'unsafe-inline'"
    content = "; ".join(f"{name} {words}" for name, words in rules.items())
    return f'<meta http-equiv="Content-Security-Policy" content="{content}" />'


def _hashes(texts: Iterable[str]) -> list[str]:
    """Return the policy's word for each text: its sha256."""
    found = (base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in texts)
    return [f"'sha256-{h}'" for h in dict.fromkeys(found)]
