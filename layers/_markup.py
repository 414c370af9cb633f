"""What a page or a drawing may run and load, as its markup says."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser

__all__ = ["Markup"]

# Attributes that make a browser ask for something before any link is followed.
_LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction", "manifest"}
_LINKS = {"a", "area"}
_ADDRESSES = {"href", "xlink:href", *_LOADING}
_INERT = ("json", "text/plain", "text/template")


class Markup(HTMLParser):
    """
    A page or a drawing, taken apart.

    Parameters
    ----------
    text : str
        HTML or SVG.

    Attributes
    ----------
    policies : list of dict
        Words of each Content-Security-Policy by directive.
    policy_first : bool
        Whether no script stands before the first of them.
    scripts, styles : list of str
        Code of each script that runs; style sheets and style attributes.
    script_addresses, loads : list of str
        Addresses of scripts; remote addresses of all that is loaded.
    handlers, script_links, frames : int
        Attributes that are code, addresses that are code, frames that hold a page.
    authors : int
        Elements that name an author.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.policies: list[dict[str, list[str]]] = []
        self.policy_first = False
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.script_addresses: list[str] = []
        self.loads: list[str] = []
        self.handlers = self.script_links = self.frames = self.authors = 0
        self._inside: list[str] | None = None
        self.feed(text)
        self.close()

    @property
    def policy_sources(self) -> list[str]:
        """Addresses of the hosts that every policy lets the page call."""
        words = [word for rules in self.policies[:1] for named in rules.values() for word in named]
        sources = [word for word in words if "'" not in word]
        hosts = [w if "//" in w else f"//{w}" for w in sources if "." in w or "//" in w]
        return hosts + [
            "//*" for word in sources if word in {"*", "http:", "https:", "ws:", "wss:"}
        ]

    @property
    def is_strict(self) -> bool:
        """Whether the page can call nobody but whom its policy names."""
        return any("default-src" in rules for rules in self.policies)

    @property
    def is_loose(self) -> bool:
        """Whether no policy keeps a script of somebody else's from running."""
        return all(_is_loose(_script_words(rules)) for rules in self.policies)

    def allows(self, script: str) -> bool:
        """
        Tell whether the page's policies know a script.

        Parameters
        ----------
        script : str
            Its code.

        Returns
        -------
        bool
            Whether each policy has its hash.
        """
        digests = (
            (name, getattr(hashlib, name)(script.encode("utf-8", "replace")).digest())
            for name in ("sha256", "sha384", "sha512")
        )
        words = {f"'{name}-{base64.b64encode(digest).decode()}'" for name, digest in digests}
        return all(words & set(_script_words(rules) or ()) for rules in self.policies)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Take in an element.

        Parameters
        ----------
        tag : str
            Its name.
        attrs : list of tuple
            Its attributes.
        """
        values = {name: value or "" for name, value in reversed(attrs)}  # the first one counts
        self._inside = None
        if tag == "script":
            self._script(values)
        elif tag == "style":
            self.styles.append("")
            self._inside = self.styles
        elif tag == "meta":
            self._meta(values)
        elif tag in {"iframe", "object", "embed"} and (
            values.get("srcdoc") or _is_page(values.get("src", "") or values.get("data", ""))
        ):
            self.frames += 1
        for name, value in values.items():
            self._attribute(tag, name, value)

    def handle_endtag(self, tag: str) -> None:
        """
        Take in the end of an element.

        Parameters
        ----------
        tag : str
            Its name.
        """
        if tag in {"script", "style"}:
            self._inside = None

    def handle_data(self, data: str) -> None:
        """
        Take in text.

        Parameters
        ----------
        data : str
            The text.
        """
        if self._inside is not None:
            self._inside[-1] += data

    def _script(self, values: dict[str, str]) -> None:
        """Take in a script unless a browser only keeps it."""
        kind = values.get("type", "").lower()
        if any(word in kind for word in _INERT):
            return
        address = values.get("src") or values.get("href") or values.get("xlink:href")
        if address:
            self.script_addresses.append(address)
            return
        self.scripts.append("")
        self._inside = self.scripts

    def _meta(self, values: dict[str, str]) -> None:
        """Take in what a page says of itself."""
        kind, content = values.get("http-equiv", "").lower(), values.get("content", "")
        if kind == "content-security-policy":
            if not self.policies:
                self.policy_first = not self.scripts and not self.script_addresses
            parts = [part.split() for part in content.split(";")]
            # Of a directive that comes twice, the first counts.
            self.policies.append({part[0].lower(): part[1:] for part in reversed(parts) if part})
        elif kind == "refresh" and "url" in content.lower():
            self.loads.append(content.partition("=")[2].strip(" '\""))
        elif values.get("name", "").lower() in {"author", "creator", "dc.creator"} and content:
            self.authors += 1

    def _attribute(self, tag: str, name: str, value: str) -> None:
        """Take in an attribute."""
        address = value.strip()
        if name.startswith("on"):
            self.handlers += 1
        elif name == "style":
            self.styles.append(value)
        elif name in _ADDRESSES:
            plain = "".join(address.split()).lower()
            self.script_links += plain.startswith(("javascript:", "vbscript:"))
            if (name in _LOADING or tag not in _LINKS) and (name != "action" or tag == "form"):
                parts = address.split(",") if name == "srcset" else [address]
                remote = [part.split()[0] for part in parts if part.split()]
                self.loads += [part for part in remote if _is_remote(part)]
        elif name == "ping":
            self.loads += [part for part in address.split() if _is_remote(part)]


def _is_remote(address: str) -> bool:
    """Tell whether an address is a host's."""
    return address.lower().startswith(("http://", "https://", "//", "ftp://", "ws://", "wss://"))


def _is_page(address: str) -> bool:
    """Tell whether an address holds a page in itself."""
    return address.strip().lower().startswith(("data:text/html", "data:image/svg"))


def _script_words(rules: dict[str, list[str]]) -> list[str] | None:
    """Return what a policy says of scripts, None if it says nothing."""
    return rules.get("script-src", rules.get("default-src"))


def _is_loose(words: list[str] | None) -> bool:
    """Tell whether a policy lets scripts run that it does not name."""
    if words is None:
        return True
    unsafe = {"'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:", "blob:"}
    return any(word.lower() in unsafe for word in words)
