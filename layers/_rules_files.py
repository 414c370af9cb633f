"""Rules about the page: pictures that came with it, words over it, and what it does not explain."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING

from folium import CustomIcon
from folium.raster_layers import ImageOverlay, VideoOverlay

import geo
from layers._draft import Problem
from layers._rendering import elements_of
from layers.furniture import Furniture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layers._draft import Draft

__all__ = [
    "overstated",
    "pictures",
    "unexplained",
]

_PICTURE = re.compile(
    rb"data:image/(?:jpe?g|webp|avif|heic|tiff)|<(?:image|video)\b"
    rb"|<img\b[^<>]{0,300}\bsrc\s*=\\?[\"']?\s*data:"
)
# what a reader does not see: comments, scripts, styles; and the tags themselves
_MARKUP = re.compile(
    r"<!--.*?-->|<(script|style|template|noscript)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE
)
_IN_FIGURES = ("AxesImage", "BboxImage", "FigureImage", "NonUniformImage")


def pictures(draft: Draft) -> Iterator[Problem]:
    """
    Find pictures that came with the map.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each kind and file.
    """
    if draft.page is not None:
        kinds = (ImageOverlay, VideoOverlay, CustomIcon)
        for element in elements_of(draft.page):
            if isinstance(element, kinds):
                yield Problem(f"a {type(element).__name__} nobody reviewed", where="the map")
    for name, data in _pages(draft):
        if _PICTURE.search(data):
            yield Problem("a photograph or film nobody reviewed", where=name)
    if draft.figure is not None:
        kinds_ = {type(part).__name__ for part in draft.figure.findobj()}
        for kind in sorted(kinds_ & {*_IN_FIGURES}):
            yield Problem(f"an {kind} nobody reviewed", where="the figure")


def unexplained(draft: Draft) -> Iterator[Problem]:
    """
    Find what a reader needs and does not get.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each promise that is empty, and each page without the methods.
    """
    for name in ("contact", "licence", "citation"):
        if not str(getattr(draft.policy, name)).strip():
            yield Problem(f"no {name}: give ReleasePolicy({name}=...)", where="policy")
    n = len(draft.paragraphs)
    for name, data in _pages(draft):
        text = _words(_MARKUP.sub("", data.decode("utf-8", "replace")))
        missing = sum(_words(escape(p)) not in text for p in draft.paragraphs)
        if missing or not n:
            yield Problem(f"{missing} of {n} paragraphs on methods are not there", where=name)


def overstated(draft: Draft) -> Iterator[Problem]:
    """
    Find words over the map that the statistics shown do not carry.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each word, with what to say instead.
    """
    if draft.page is None:
        return
    points = draft.view[draft.view.geom_type == "Point"]
    results = [answer for answer in draft.answers.values() if hasattr(answer, "summary")]
    for element in elements_of(draft.page):
        if isinstance(element, Furniture):
            for text in (element.caption.title, element.caption.subtitle):
                for found in geo.check_words(text, results=results, sites=points).itertuples():
                    problem = f"{found.words!r}: {found.problem} {found.instead}"
                    yield Problem(problem, where="the words over the map")


def _pages(draft: Draft) -> Iterator[tuple[str, bytes]]:
    """Yield the pages of the output with their names."""
    yield from (file for file in draft.files.items() if file[0].lower().endswith((".html", ".htm")))


def _words(text: str) -> str:
    """Text of HTML with its blanks as one."""
    return " ".join(unescape(text).split())
