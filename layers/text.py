"""
The one door through which text enters HTML.

Names, places and notes come from strangers' spreadsheets. Everything that a page shows
passes one of the functions here, one for each channel:

========================= ======================================================
channel                   function
========================= ======================================================
HTML that we write        `html`
JSON inside a script tag  `script_json` (the page then uses ``textContent`` only)
links                     `safe_url`
a page within a frame     `srcdoc`
strings given to Folium   `folium_html`: Folium writes them into JavaScript template
                          literals and Leaflet into ``innerHTML``, so HTML escaping
                          alone would let ``${...}`` run
========================= ======================================================

`Inert` puts finished text into a Folium page. Folium's own `Element` would compile the
text as a Jinja template, so a place called ``{{ 7*7 }}`` would be evaluated.
"""

from __future__ import annotations

import json
import unicodedata
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from branca.element import Element
from folium.template import Template
from markupsafe import Markup, escape

__all__ = ["Inert", "folium_html", "html", "plain", "safe_url", "script_json", "srcdoc"]

# Characters that HTML escaping leaves alone but a JavaScript template literal, a Jinja
# template or Leaflet's own `{name}` templates would act on.
_ACTIVE = {ord(c): f"&#{ord(c)};" for c in "`$\\{}"}


def plain(value: object) -> str:
    r"""
    Turn any value into plain text: composed Unicode, no control characters.

    Parameters
    ----------
    value : object
        Text, number or missing value.

    Returns
    -------
    str
        The text; empty for a missing value. Line breaks and tabs become spaces.

    Examples
    --------
    >>> from layers.text import plain
    >>> plain("O'Smach\r\n")
    "O'Smach"
    >>> plain(None)
    ''
    """
    if isinstance(value, str) and value.isascii() and value.isprintable():
        return value.strip()  # nothing to compose or to leave out: of a million texts, most
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    # Cc: NUL and friends break parsers; Cs: lone surrogates cannot be written as UTF-8.
    spaced = (" " if c in "\t\n\r" else c for c in str(value))
    kept = "".join(c for c in spaced if unicodedata.category(c) not in {"Cc", "Cs"})
    return unicodedata.normalize("NFC", kept).strip()


def html(value: object) -> Markup:
    """
    Escape a value for HTML that we write ourselves, as text or within quoted attributes.

    Parameters
    ----------
    value : object
        Text, number, missing value; `markupsafe.Markup` is passed through.

    Returns
    -------
    markupsafe.Markup
        Safe HTML; combine it with ``Markup("<b>{}</b>").format(...)``.

    Examples
    --------
    >>> from layers.text import html
    >>> html("<script>alert(1)</script>")
    Markup('&lt;script&gt;alert(1)&lt;/script&gt;')
    """
    return value if isinstance(value, Markup) else escape(plain(value))


def folium_html(value: object) -> str:
    """
    Escape a value for a string that Folium or Leaflet will treat as HTML or JavaScript.

    Parameters
    ----------
    value : object
        Text, number or missing value.

    Returns
    -------
    str
        HTML in which quotes, backticks, ``$``, backslashes and braces are entities.

    Examples
    --------
    >>> from layers.text import folium_html
    >>> folium_html("${alert(1)}")
    '&#36;&#123;alert(1)&#125;'
    """
    return str(html(value)).translate(_ACTIVE)


def safe_url(value: object) -> str:
    """
    Return a web address that may become a link, or nothing.

    Parameters
    ----------
    value : object
        The address as the data have it.

    Returns
    -------
    str
        The address if it is ``http`` or ``https`` with a host; empty otherwise, so
        ``javascript:`` and ``data:`` never become links.

    Examples
    --------
    >>> from layers.text import safe_url
    >>> safe_url("https://example.org/a"), safe_url("javascript:alert(1)")
    ('https://example.org/a', '')
    """
    address = plain(value)
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme.lower() in {"http", "https"} and parts.netloc else ""


def script_json(value: object) -> str:
    r"""
    Write a value as JSON that is inert inside ``<script type="application/json">``.

    Parameters
    ----------
    value : object
        Dictionaries, lists, text, numbers (NumPy ones too); keys keep their order.

    Returns
    -------
    str
        JSON without ``<``, ``>`` and ``&``: no ``</script>`` or ``<!--`` can occur. The
        same value gives the same text.

    Raises
    ------
    ValueError
        If a number is not finite: JSON has no word for it.

    Examples
    --------
    >>> from layers.text import script_json
    >>> script_json({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_number
    )
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def srcdoc(page: str) -> str:
    """
    Escape a finished page for the ``srcdoc`` of a frame, changing nothing in it.

    Parameters
    ----------
    page : str
        A whole page of ours.

    Returns
    -------
    str
        The page as an attribute's value.

    Examples
    --------
    >>> from layers.text import srcdoc
    >>> srcdoc('<p title="a">')
    '&lt;p title=&#34;a&#34;&gt;'
    """
    return str(escape(page))


def _number(value: object) -> object:
    """Give JSON a Python number or list for a NumPy one."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    message = f"{type(value).__name__} cannot be written as JSON"
    raise TypeError(message)


class Inert(Element):
    """
    A piece of a Folium page that is written as it is, never compiled as a template.

    Parameters
    ----------
    text : str
        Finished HTML.
    """

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Inert"
        self.text = text
