"""The legend of a figure: what symbols and colours mean, in words, with counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from layers._drawing import PAPER, RIM, draw_symbol
from layers._letters import SMALLEST_PT, fonts_for, height_mm, line_mm, width_mm, wrapped
from layers._marks import radius_mm
from layers._paper import INK, SOFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from layers.legend import LegendEntry, LegendSection

__all__ = ["Block", "Sizes", "blocks_of", "columns", "draw_blocks", "height_of"]

_LINE = line_mm(SMALLEST_PT)
_SWATCH_MM = 5.0  # room of a swatch, left of its words
_GAP_MM = 1.8  # between blocks
_COUNT_MM = 8.0  # room of a count, right of its words


@dataclass(frozen=True)
class Sizes:
    """
    The circles of a legend, as large as on the map.

    Parameters
    ----------
    totals : tuple of int
        Reports of each, rising.
    unit_mm : float
        Radius of one report.
    """

    totals: tuple[int, ...]
    unit_mm: float

    def radius(self, total: int) -> float:
        """
        Return the radius of one circle.

        Parameters
        ----------
        total : int
            Its reports.

        Returns
        -------
        float
            In millimetres.
        """
        return radius_mm(total, self.unit_mm)


@dataclass(frozen=True)
class Block:
    """
    One part of a legend that stays together.

    Parameters
    ----------
    title : str
        Heading; empty for none.
    entries : tuple of LegendEntry
        Lines with a swatch.
    sizes : Sizes, optional
        A row of circles.
    note : str
        A paragraph.
    """

    title: str = ""
    entries: tuple[LegendEntry, ...] = ()
    sizes: Sizes | None = None
    note: str = ""

    def height(self, room_mm: float) -> float:
        """
        Measure the block.

        Parameters
        ----------
        room_mm : float
            Its width.

        Returns
        -------
        float
            Its height in millimetres, with the gap beneath it.
        """
        lines = wrapped(self.title, room_mm, SMALLEST_PT, "bold")
        lines += [line for entry in self.entries for line, _ in _lines(entry, room_mm)]
        lines += wrapped(self.note, room_mm, SMALLEST_PT)
        words = height_mm(lines, SMALLEST_PT)
        circles = 2 * self.sizes.radius(self.sizes.totals[-1]) + 1.2 + _LINE if self.sizes else 0.0
        return words + 0.5 * len(self.entries) + circles + _GAP_MM


def blocks_of(
    sections: Sequence[LegendSection], sizes: Sizes | None, notes: Sequence[str]
) -> list[Block]:
    """
    Turn the legends of layers into blocks.

    Parameters
    ----------
    sections : sequence of LegendSection
        Sections in order; a repeated one is written once.
    sizes : Sizes or None
        The sizes of the symbols on this map, if it has any.
    notes : sequence of str
        Paragraphs at the end.

    Returns
    -------
    list of Block
        The blocks.
    """
    first = [] if sizes is None else [Block("Reports at one symbol", sizes=sizes)]
    words = [Block(s.title, s.entries) for s in dict.fromkeys(sections) if s.entries]
    return [*first, *words, *(Block(note=note) for note in notes if note)]


def columns(blocks: Sequence[Block], n: int, room_mm: float) -> list[list[Block]]:
    """
    Divide blocks among columns, in reading order, so that the tallest is least tall.

    Parameters
    ----------
    blocks : sequence of Block
        The blocks.
    n : int
        Number of columns, 1 or 2.
    room_mm : float
        Width of each.

    Returns
    -------
    list of list of Block
        The columns.
    """
    if n == 1:
        return [list(blocks)]

    def tallest(cut: int) -> float:
        sides = (blocks[:cut], blocks[cut:])
        return max(height_of(side, room_mm) for side in sides)

    cut = min(range(len(blocks) + 1), key=tallest)
    return [list(blocks[:cut]), list(blocks[cut:])]


def height_of(blocks: Sequence[Block], room_mm: float) -> float:
    """
    Measure a column.

    Parameters
    ----------
    blocks : sequence of Block
        Its blocks.
    room_mm : float
        Its width.

    Returns
    -------
    float
        Its height in millimetres.
    """
    return sum(block.height(room_mm) for block in blocks)


def draw_blocks(
    axes: Axes, blocks: Sequence[Block], corner_mm: tuple[float, float], room_mm: float
) -> None:
    """
    Draw blocks one beneath the other.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The whole sheet in millimetres, from its upper left corner.
    blocks : sequence of Block
        The blocks.
    corner_mm : tuple of float
        The upper left corner of the first.
    room_mm : float
        Their width.
    """
    left_mm, top = corner_mm
    for block in blocks:
        y = top
        for line in wrapped(block.title, room_mm, SMALLEST_PT, "bold"):
            y = _put(axes, line, left_mm, y, weight="bold")
        if block.sizes:
            _draw_sizes(axes, block.sizes, left_mm, y)
        for entry in block.entries:
            y = _draw_entry(axes, entry, left_mm, y, room_mm)
        for line in wrapped(block.note, room_mm, SMALLEST_PT):
            y = _put(axes, line, left_mm, y, color=SOFT)
        top += block.height(room_mm)


def _lines(entry: LegendEntry, room_mm: float) -> list[tuple[str, str]]:
    """Return the lines of an entry, each with its colour."""
    room = room_mm - _SWATCH_MM
    label = wrapped(entry.label, room - (0 if entry.count is None else _COUNT_MM), SMALLEST_PT)
    note = wrapped(entry.note, room, SMALLEST_PT)
    return [(line, INK) for line in label or [""]] + [(line, SOFT) for line in note]


def _draw_entry(axes: Axes, entry: LegendEntry, left: float, top: float, room_mm: float) -> float:
    """Draw swatch, words and count of one line; return where the next begins."""
    _draw_swatch(axes, entry, left + 1.6, top + _LINE / 2)
    if entry.count is not None:
        words = f"{entry.count:,}"
        _put(axes, words, left + room_mm - width_mm(words, SMALLEST_PT, "bold"), top, weight="bold")
    for line, colour in _lines(entry, room_mm):
        top = _put(axes, line, left + _SWATCH_MM, top, color=colour)
    return top + 0.5


def _draw_swatch(axes: Axes, entry: LegendEntry, x: float, y: float) -> None:
    """Draw the symbol of one line with the layer's own colour."""
    if entry.shape == "circle":
        draw_symbol(axes, (x, y), 1.1, {entry.colour: 1})
    elif entry.shape == "disc":
        look: dict[str, Any] = {"linewidth": 0.5, "linestyle": (0, (2, 1.6))}
        axes.add_artist(
            Circle((x, y), 1.2, facecolor=f"{entry.colour}14", edgecolor=entry.colour, **look)
        )
    elif entry.shape == "line":
        stroke: Any = (0, (3, 1.6)) if entry.dashed else "-"
        ends = ([x - 1.6, x + 1.6], [y, y])
        axes.add_artist(Line2D(*ends, color=entry.colour, linewidth=0.9, linestyle=stroke))
    else:
        colour = to_rgba(entry.colour, entry.opacity)
        look = {"facecolor": colour, "edgecolor": "#8d8474", "linewidth": 0.4}
        look |= {"edgecolor": INK, "linestyle": (0, (2, 1.2))} if entry.dashed else {}
        look["hatch"] = "////" if entry.hatched else None
        axes.add_artist(Rectangle((x - 1.6, y - 1.0), 3.2, 2.0, **look))


def _draw_sizes(axes: Axes, sizes: Sizes, left: float, top: float) -> None:
    """Draw circles on one line, each over its number."""
    floor = top + 2 * sizes.radius(sizes.totals[-1]) + 0.8
    x = left
    for total in sizes.totals:
        radius, words = sizes.radius(total), f"{total:,}"
        half = max(radius, width_mm(words, SMALLEST_PT) / 2)
        x += half
        at = (x, floor - radius)
        axes.add_artist(Circle(at, radius, facecolor=PAPER, edgecolor=RIM, linewidth=0.7))
        axes.text(x, floor + 0.4, words, ha="center", va="top", size=SMALLEST_PT, color=SOFT)
        x += half + 3.0


def _put(axes: Axes, words: str, x: float, top: float, **options: Any) -> float:  # noqa: ANN401  # matplotlib's
    """Write one line beneath `top`; return where the next begins."""
    high = line_mm(SMALLEST_PT, words)
    middle = top + high / 2
    family = fonts_for(words)
    axes.text(x, middle, words, size=SMALLEST_PT, va="center_baseline", family=family, **options)
    return top + high
