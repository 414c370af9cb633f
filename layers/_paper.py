"""
A sheet of paper: lengths in millimetres, text that stays text, the same bytes.

matplotlib is loaded here and nowhere else; `layers.figures` imports this module within its
functions, so that ``import layers`` stays light.
"""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from geo.errors import ExportError
from layers._letters import FAMILY, MM_PER_INCH, SMALLEST_PT, fonts_for, line_mm, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["FORMATS", "INK", "SOFT", "Paper", "content", "style", "suffix_of"]

Line = tuple[str, float, str, str]  # words, size in points, weight, colour

FORMATS = ("pdf", "png", "svg")
INK, SOFT = "#1d2330", "#5b6270"  # the colours of the web page's words
_DPI = 300

_SETTINGS: dict[str, Any] = {
    "font.family": [FAMILY],
    "font.size": SMALLEST_PT,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a name is no formula
    "text.usetex": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.5,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.formatter.use_mathtext": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "hatch.linewidth": 0.4,
    "lines.linewidth": 1.0,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "compound-atlas",  # ids are made of contents alone
    "pdf.fonttype": 42,  # whole TrueType outlines, which editors can read
    "savefig.facecolor": "white",
}


@contextmanager
def style() -> Iterator[None]:
    """
    Draw and save in the library's style, whatever the reader's own settings of matplotlib are.

    Yields
    ------
    None
        Within the context.
    """
    log = logging.getLogger("matplotlib.font_manager")
    level = log.level
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)  # type: ignore[arg-type]  # names of settings
        # It would complain that a font of another script has no bold face: then it is not bold.
        log.setLevel(logging.ERROR)
        try:
            yield
        finally:
            log.setLevel(level)


class Paper(Figure):
    """
    A figure of matplotlib, measured in millimetres, that knows what it shows in words.

    Parameters
    ----------
    width_mm, height_mm : float
        Size on paper.
    title : str
        Its title, for the properties of the file.
    alt : str
        What it shows, for readers who cannot see it.
    """

    def __init__(self, width_mm: float, height_mm: float, *, title: str, alt: str) -> None:
        super().__init__(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), dpi=_DPI)
        self.title = printable(title)
        self.alt = printable(alt)

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        width, height = self.get_size_inches()
        return float(width) * MM_PER_INCH, float(height) * MM_PER_INCH

    def write(self, lines: Iterable[Line], left_mm: float, upper_mm: float) -> None:
        """
        Write lines one beneath the other.

        Parameters
        ----------
        lines : iterable of tuple
            Words, size in points, weight and colour of each.
        left_mm, upper_mm : float
            Where the first begins, from the left and the upper edge.
        """
        width, height = self.size_mm
        for words, size, weight, colour in lines:
            high = line_mm(size, words)
            look: dict[str, Any] = {"size": size, "weight": weight, "color": colour}
            look |= {"family": fonts_for(words), "va": "center_baseline"}
            look["zorder"] = -1 if upper_mm < height / 2 else 3  # what stands on top is read first
            self.text(left_mm / width, 1 - (upper_mm + high / 2) / height, words, **look)
            upper_mm += high

    def content(self, suffix: str) -> bytes:
        """
        Return the file as bytes; the same figure gives the same ones in any process.

        Parameters
        ----------
        suffix : str
            ``pdf``, ``png`` or ``svg``.

        Returns
        -------
        bytes
            The whole file.
        """
        return content(self, suffix)

    def _repr_png_(self) -> bytes:
        return self.content("png")


def content(figure: Figure, suffix: str) -> bytes:
    """
    Write any figure of matplotlib as bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure; title and words of a `Paper` go into the file's properties.
    suffix : str
        ``pdf``, ``png`` or ``svg``.

    Returns
    -------
    bytes
        The whole file.
    """
    title, alt = getattr(figure, "title", ""), getattr(figure, "alt", "")
    file = io.BytesIO()
    described = "Subject" if suffix == "pdf" else "Description"
    dated = {"pdf": "CreationDate", "svg": "Date"}
    metadata: dict[str, str | None] = {"Title": title, described: alt}
    metadata = {key: value for key, value in metadata.items() if value}
    metadata |= {dated[suffix]: None} if suffix in dated else {}
    with style():
        figure.savefig(file, format=suffix, dpi=_DPI, metadata=metadata)
    if suffix != "svg":
        return file.getvalue()
    return _described(file.getvalue().decode(), title, alt).encode()


def _described(svg: str, title: str, alt: str) -> str:
    """Give a picture its words where screen readers look for them."""
    words = f"<desc>{escape(alt)}</desc>"
    # Its title, where it has one, must stay the first element.
    first = svg.index("</title>") + 8 if title else svg.index(">", svg.index("<svg")) + 1
    return f"{svg[:first]}\n {words}{svg[first:]}".replace("<svg ", '<svg role="img" ', 1)


def suffix_of(path: Path) -> str:
    """
    Return the format that a name asks for.

    Parameters
    ----------
    path : pathlib.Path
        Name of a file.

    Returns
    -------
    str
        ``pdf``, ``png`` or ``svg``.

    Raises
    ------
    ExportError
        If it has another suffix.
    """
    suffix = path.suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        message = (
            f"{path.name!r} is no name for a figure: give one that ends in "
            f"{', '.join('.' + name for name in FORMATS)}, such as '{path.stem or 'map'}.svg'"
        )
        raise ExportError(message)
    return suffix
