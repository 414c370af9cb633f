"""
The data of a page in a file beside it.

A page opened from a disk may not fetch files, and a script beside it would be code that no
hash can vouch for there: browsers check the hash of a script only if a host sent it. A style
sheet is let in, and can run nothing: its custom properties hold the texts, from which
``assets/apart.js`` takes them.
"""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from urllib.parse import quote

from layers._assets import script_tag

__all__ = ["parted"]

_DATA = re.compile(
    r'<script type="(?P<type>application/json|text/plain)" id="(?P<id>\w+_data)"(?P<more>[^<>]*)>'
    r"(?P<text>[^<]*)</script>"
)
# Within a quoted string of a style sheet these would end it; browsers decode them again.
_MARKS = re.compile("[%'\"\\\\\n\r\f\0]")
_PART = 300_000  # characters: Chromium drops a custom property of two million bytes


def parted(body: str, stem: str) -> tuple[str, str, str]:
    """
    Take the data out of a page.

    Parameters
    ----------
    body : str
        HTML with inert script tags whose ids end in ``_data``.
    stem : str
        Name of the page's file, without suffix.

    Returns
    -------
    body : str
        The HTML with empty tags, and what fills them again.
    name : str
        Name of the file of data; it changes with what the file holds, so that a page never
        meets the data of another version.
    data : str
        What the file holds: a style sheet. Empty if the page has no data.
    """
    rules: list[str] = []

    def emptied(match: re.Match[str]) -> str:
        text = match["text"]
        parts = [text[i : i + _PART] for i in range(0, len(text), _PART)]
        properties = ";\n".join(
            f'--part-{i}:"{_MARKS.sub(lambda m: quote(m[0]), part)}"'
            for i, part in enumerate(parts)
        )
        rules.append(f"#{match['id']}{{\n{properties}\n}}\n")
        length = len(text.encode("utf-16-le")) // 2  # as JavaScript counts
        return (
            f'<script type="{match["type"]}" id="{match["id"]}"{match["more"]} '
            f'data-length="{length}" data-parts="{len(parts)}"></script>'
        )

    body = _DATA.sub(emptied, body)
    data = "".join(rules)
    if not data:
        return body, "", ""
    name = f"{stem}-data-{hashlib.sha256(data.encode()).hexdigest()[:12]}.css"
    script = (files("layers") / "assets" / "apart.js").read_text(encoding="utf-8")
    filler = script_tag(script).replace("<script", f'<script data-file="{quote(name)}"', 1)
    return f'{body}\n<link rel="stylesheet" href="{quote(name)}" />\n{filler}', name, data
