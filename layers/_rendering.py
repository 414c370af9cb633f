"""A Folium page taken apart: head, body and script, with its texts left as texts."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import folium
from branca.element import Element
from jinja2 import TemplateError
from tqdm import tqdm

from geo.errors import ExportError
from layers.text import Inert, html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branca.element import Figure

__all__ = ["Parts", "elements_of", "rendered"]

# An id follows a name: `map_0123...`. Without the low line this would take long on large data.
_ID = re.compile(r"_([0-9a-f]{32})(?![0-9a-f])")
# What would end a template literal of JavaScript or start an expression in it, or in Jinja, as
# which Folium reads each script again.
_ACTIVE = re.compile(r"[\\`{]")
_TEMPLATE = re.compile(r"\{[{%#]")
_ESCAPES = {"`": r"\`", "\\": r"\\", "{": r"\x7b"}


@dataclass(frozen=True)
class Parts:
    """
    What a page is made of.

    Parameters
    ----------
    title : str
        Title, as HTML.
    head, body : str
        HTML.
    script : str
        JavaScript that builds the map.
    """

    title: str
    head: str
    body: str
    script: str


def rendered(figure: Figure, *, progress: bool = False) -> Parts:
    """
    Render a page and leave it as it was: Folium adds calls and icons anew each time.

    Parameters
    ----------
    figure : branca.element.Figure
        The page.
    progress : bool, default False
        Show a bar if this lasts more than two seconds.

    Returns
    -------
    Parts
        Head, body and script, without random ids. Texts of popups and tooltips are escaped
        for the JavaScript in which Folium writes them, and nothing that was rendered is read
        as a template again.

    Raises
    ------
    ExportError
        If a text that Folium reads as a Jinja template is none.
    """
    elements = list(elements_of(figure))
    children = [(part, part._children) for part in elements]  # noqa: SLF001  # no other way
    texts = [(part, part.text) for part in elements if isinstance(part, folium.Tooltip)]
    total = sum(len(own) for _, own in children)
    try:
        with tqdm(total=total, delay=2, disable=not progress, desc="map elements") as bar:
            for part, own in children:
                part._children = _Counted(own, bar)  # noqa: SLF001  # no other way
            _quote(elements)
            parts = _parts(figure, {id(part) for part in elements})
    except TemplateError as error:
        message = (
            "Folium reads the texts on a map as templates, and one holds '{{', '{%' or '{#' "
            f"({error}): show it with a layer of this package, or write it otherwise"
        )
        raise ExportError(message) from error
    finally:
        for part, own in children:
            part._children = own  # noqa: SLF001  # no other way
        for part, text in texts:
            part.text = text
    return _renumbered(parts, {part._id for part in elements})  # noqa: SLF001  # no other way


def elements_of(element: Element) -> Iterator[Element]:
    """
    Walk an element tree, attributes that are elements included, each element once.

    Parameters
    ----------
    element : branca.element.Element
        The root.

    Yields
    ------
    branca.element.Element
        The root and all that is below it.
    """
    seen: set[int] = set()
    waiting = [element]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        attributes = [value for value in vars(part).values() if isinstance(value, Element)]
        below = [*part._children.values(), *attributes]  # noqa: SLF001  # no other way
        waiting += [child for child in reversed(below) if isinstance(child, Element)]


class _Counted(OrderedDict[str, Element]):
    """The children of an element, counted as they are rendered."""

    def __init__(self, children: OrderedDict[str, Element], bar: Any) -> None:  # noqa: ANN401  # tqdm has no types
        super().__init__(children)
        self._bar = bar
        self._asked = False

    def items(self) -> Iterator[tuple[str, Element]]:  # type: ignore[override]  # loops only
        """Yield the children; Folium asks for them in order to render them."""
        first, self._asked = not self._asked, True
        for item in super().items():
            yield item
            if first:
                self._bar.update()


class _Quoted(Element):
    """A part of a popup, as text within a template literal of JavaScript."""

    def __init__(self, part: Element) -> None:
        super().__init__()
        self._part = part

    def render(self, **kwargs: object) -> str:
        """
        Render the part and escape what JavaScript would act on.

        Parameters
        ----------
        **kwargs : object
            Passed to Folium.

        Returns
        -------
        str
            The part's HTML.
        """
        # Folium itself has escaped the backticks of a popup by then.
        return _quoted((self._part.render(**kwargs) or "").replace(r"\`", "`"))


def _quote(elements: list[Element]) -> None:
    """Have popups and tooltips written as texts. The caller puts all back."""
    for part in elements:
        if isinstance(part, folium.Tooltip):
            part.text = _quoted(part.text)
        elif isinstance(part, folium.Popup):
            contents = part.html._children  # noqa: SLF001  # no other way
            for name, child in list(contents.items()):
                contents[name] = _Quoted(child)


def _quoted(text: str) -> str:
    """Escape a text for a template literal of JavaScript and for Jinja."""
    return _ACTIVE.sub(lambda m: _ESCAPES[m[0]], text)


def _parts(figure: Figure, known: set[int]) -> Parts:
    """Render what stands on a page, then read head, body and script."""
    for child in list(figure._children.values()):  # noqa: SLF001  # no other way
        child.render()
    head, body, script = (
        "\n".join(_text(child, known) for child in part._children.values())  # noqa: SLF001  # no other way
        for part in (figure.header, figure.html, figure.script)
    )
    # Within a script these would end it, or hide its end.
    script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return Parts(str(html(figure.title)), head, body, script)


def _text(child: Element, known: set[int]) -> str:
    """Return what a part of a page says, which is no template, whatever the part is."""
    if isinstance(child, Inert):
        return child.text
    if type(child) is not Element or child._template_str is None:  # noqa: SLF001  # no other way
        return child.render() or ""
    text = child._template_str  # noqa: SLF001  # no other way
    if id(child) in known and _TEMPLATE.search(text):
        message = (
            f"a part of the page is a template, which would be run here: {text.strip()[:80]!r}. A "
            "text of the data may have become one. If it is your own, add what it renders to"
        )
        raise ExportError(message)
    return text


def _renumbered(parts: Parts, known: set[str]) -> Parts:
    """Replace Folium's random ids by their order of appearance."""
    number: dict[str, str] = {}

    def short(match: re.Match[str]) -> str:
        found = match[1]
        return f"_{number.setdefault(found, str(len(number) + 1))}" if found in known else match[0]

    def final(text: str) -> str:
        # As a browser reads it, or hashes would not fit: lines, no NUL, no half characters.
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        return _ID.sub(short, text).encode(errors="replace").decode()

    return Parts(final(parts.title), final(parts.head), final(parts.body), final(parts.script))
