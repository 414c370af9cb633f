"""What a page may do: the refusal of everything remote, and its Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from geo.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["policy", "refuse_scripts"]

_REMOTE_STYLE = re.compile(r"@import[^;]*|url\((?!data:|#|[\"']data:)[^)]*\)")

# Attributes that make a browser ask for something as soon as the page, or a link in it, is used.
_LOADING = {"src", "srcset", "data", "poster", "action", "formaction", "background", "ping"}
# Elements that bring another document with them, or move this one.
_REFUSED = {"iframe", "frame", "object", "embed", "base", "portal"}
# A style attribute in HTML that a script writes; its quotes may be escaped for JavaScript.
_WRITTEN_STYLE = re.compile(r"""\bstyle\s*=\s*(\\?["']|\\u0027)(.*?)\1""", re.DOTALL)
# One that is put together when the page is read has no hash beforehand.
_COMPOSED = re.compile(r"""\$\{|["'`]\s*\+""")
_UNESCAPED = {r"\u003c": "<", r"\u003e": ">", r"\u0026": "&", r"\u0027": "'", r"\"": '"'}
# A document in a popup, as `folium.IFrame` writes it.
_FRAME = re.compile(r"src=\\?[\"']data:text/html;charset=utf-8;base64,([A-Za-z0-9+/=]*)")


class _Page(HTMLParser):
    """Collect a page's own scripts and styles, and whatever would load from elsewhere."""

    def __init__(self, page: str, allowed: Iterable[str] = ()) -> None:
        super().__init__(convert_charrefs=True)
        self.remote: list[str] = []
        self.handlers: list[str] = []
        self.attributes: list[str] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self._allowed = set(filter(None, allowed))
        self._folders = [f"{word}/" for word in self._allowed]
        self._within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        runs = tag == "style" or (tag == "script" and not _inert(values.get("type", "")))
        self._within = tag if runs else ""
        if self._within and "src" not in values:
            self.inline[tag].append("")
        if tag in _REFUSED or values.get("http-equiv", "").lower() == "refresh":
            self.remote.append(f"<{tag}>")
        self.attributes += [value for name, value in values.items() if name == "style"]
        for name, value in values.items():
            loads = name in _LOADING or (name in {"href", "xlink:href"} and tag != "a")
            styled = name == "style" and _REMOTE_STYLE.search(value)
            own = value in self._allowed or value.startswith(("data:", "#", *self._folders))
            if styled or (loads and value and not own):
                self.remote.append(f"<{tag} {name}={value!r}>")
            if name.startswith("on"):
                self.handlers.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  # HTMLParser's signature
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within and self.inline[self._within]:
            self.inline[self._within][-1] += data


def refuse_scripts(body: str) -> None:
    """
    Stop if there are scripts among the elements of a page.

    Parameters
    ----------
    body : str
        HTML in which texts from data may stand, such as legends.

    Raises
    ------
    ExportError
        If a script or a handler is found: nobody could tell whether the author or the data
        wrote it.
    """
    parsed = _Page(body)
    found = [f"<script>{text.strip()}" for text in parsed.inline["script"]] + parsed.handlers
    if found:
        listed = "; ".join(f"{text[:60]!r}" for text in found[:5])
        message = (
            f"there are scripts among the elements of the page: {listed}. A text of the data may "
            "have become one: escape it. If it is your own, add its code to "
            "`get_root().script` instead"
        )
        raise ExportError(message)


def policy(page: str, code: str, allowed: Mapping[str, list[str]], *, beside: str = "") -> str:
    """
    Write the policy that allows a page's own scripts and styles and nothing else.

    Parameters
    ----------
    page : str
        The whole page; each inline script and style is allowed by its sha256.
    code : str
        The scripts that write HTML; each style attribute in that HTML is allowed too, by its
        sha256, or all of them if a script composes one. They can neither run nor load anything.
    allowed : mapping of str to list of str
        What the page may load besides, for each directive.
    beside : str, default ""
        Address of the page's own file of data.

    Returns
    -------
    str
        A ``meta`` element for the head of the page, before any script.

    Raises
    ------
    ExportError
        If an element, a style or a redirection of the page would ask a host.
    """
    parsed = _Page(page, [word for words in allowed.values() for word in words] + [beside])
    styles, attributes = parsed.inline["style"], parsed.attributes + _written_styles(code)
    remote = parsed.remote + [found for text in styles for found in _REMOTE_STYLE.findall(text)]
    if remote:
        message = (
            f"the page would load from elsewhere: {'; '.join(remote[:5])}. "
            "Leave out the Folium object that writes this"
        )
        raise ExportError(message)
    frames = [_Page(base64.b64decode(text).decode()) for text in _FRAME.findall(code)]
    for frame in frames:  # a frame within the page is under the page's own policy
        styles = styles + frame.inline["style"]
        attributes = attributes + frame.attributes
    rules = {
        "script-src": _hashes(parsed.inline["script"]),
        "style-src": _hashes(styles),
        "style-src-attr": _attribute_words(attributes),
        "img-src": ["data:"],
        "font-src": ["data:"] if any("data:font" in text for text in styles) else [],
        "frame-src": ["data:"] if frames else [],
    }
    for name, words in allowed.items():
        rules[name] = rules.get(name, []) + words
    kept = {name: words for name, words in rules.items() if words}
    always = [("default-src", ["'none'"]), ("base-uri", ["'none'"]), ("form-action", ["'none'"])]
    content = "; ".join(f"{name} {' '.join(words)}" for name, words in [*always, *kept.items()])
    return f'<meta http-equiv="Content-Security-Policy" content="{content}" />'


def _attribute_words(attributes: list[str]) -> list[str]:
    """Return the words that allow style attributes."""
    if any(_COMPOSED.search(text) for text in attributes):
        return ["'unsafe-inline'"]
    return ["'unsafe-hashes'", *_hashes(attributes)] if attributes else []


def _inert(kind: str) -> bool:
    """Say whether a browser only keeps a script element of this type."""
    return "json" in kind or kind == "text/plain"


def _written_styles(code: str) -> list[str]:
    """Return the style attributes in HTML that scripts write."""
    texts = dict.fromkeys(match[2] for match in _WRITTEN_STYLE.finditer(code))
    return [unescape(_plain(text)) for text in texts]


def _plain(text: str) -> str:
    """Undo the escapes with which Folium puts text into JavaScript."""
    for escaped, character in _UNESCAPED.items():
        text = text.replace(escaped, character)
    return text


def _hashes(texts: Iterable[str]) -> list[str]:
    """Return the policy's word for each text: its sha256."""
    found = (base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in texts)
    return [f"'sha256-{h}'" for h in dict.fromkeys(found)]
