"""Legends: what symbols and colours mean, in words, with counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from branca.element import MacroElement
from folium.template import Template
from markupsafe import Markup

from geo.errors import GeometryError
from layers._arguments import several
from layers._words import sentence, term
from layers.payload import LAYER_ASSETS, AtlasLayer, add_assets, figure_of
from layers.text import Inert, html

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FILL_OPACITY",
    "Legend",
    "LegendEntry",
    "LegendSection",
    "keys_html",
    "legend",
    "legend_html",
    "symbol_unit_px",
]

# The quiet colours of the scale of statuses have a pattern, so that grey print tells them apart;
# assets/symbols.js draws the same.
_PATTERNS = {
    "#8d8474": Markup('<path class="ca-hatch" d="M3.2 11.5 11.5 3.2M6.5 14.8 14.8 6.5"/>'),
    "#d9d5cc": Markup('<path class="ca-dots" d="M6 7h0M12 7h0M6 11.5h0M12 11.5h0M9 9.2h0"/>'),
}
# Square swatches of areas of which too little is known: the same lines as on the map.
_HATCHING = "M2 6.7 6.7 2M2 11.3 11.3 2M2 16 16 2M6.7 16 16 6.7M11.3 16 16 11.3"
FILL_OPACITY = 0.85  # of areas: borders and rivers beneath show through
HATCHED_SHARE = 0.4  # of that opacity, between the lines
_LARGEST_PX = 22.0  # radius of the symbol with most reports
_UNIT_PX = 5.5  # radius of one report, where that keeps the largest within bounds
# The smallest radius for a count of so many digits, so that its number can be read and its
# sectors be seen; assets/symbols.js draws by the same rule.
_ROOM_PX = (0.0, 5.0, 8.5, 11.5, 14.5)


@dataclass(frozen=True)
class LegendEntry:
    """
    One line of a legend.

    Parameters
    ----------
    label : str
        What the symbol means.
    colour : str
        Its ``#rrggbb`` colour, taken from the layer's `Scale`.
    shape : str
        ``circle``, ``disc``, ``square`` or ``line``.
    count : int, optional
        How many rows it stands for.
    note : str
        Explanation in smaller type.
    dashed : bool, default False
        Whether the line, or that around the square, is dashed on the map.
    hatched : bool, default False
        Whether the square is hatched on the map.
    opacity : float, optional
        Of the square, where it is not that of its section.
    """

    label: str
    colour: str
    shape: str
    count: int | None = None
    note: str = ""
    dashed: bool = False
    hatched: bool = False
    opacity: float | None = None


@dataclass(frozen=True)
class LegendSection:
    """
    Lines of a legend under one heading.

    Parameters
    ----------
    title : str
        Heading.
    entries : tuple of LegendEntry
        The lines.
    sizes : int
        Largest count of reports at one place, for a row of sized circles; 0 for none.
    opacity : float, default 0.85
        Of the squares, as on the map.
    graded : bool, default False
        Whether the colours of the squares are an order from light to dark, or from both sides
        to the middle: on a dark ground the page then turns it round, so that what stands out
        on paper does there too.
    """

    title: str
    entries: tuple[LegendEntry, ...] = ()
    sizes: int = 0
    opacity: float = FILL_OPACITY
    graded: bool = False


def symbol_unit_px(largest: int) -> float:
    """
    Return the radius of a symbol of one report, so that area is proportional to count.

    Parameters
    ----------
    largest : int
        Most reports at one place.

    Returns
    -------
    float
        Radius in pixels; a symbol of n reports has this times sqrt(n), or what its number needs.
    """
    return round(min(_UNIT_PX, _LARGEST_PX / sqrt(max(largest, 1))), 3)


def legend_html(sections: Iterable[LegendSection]) -> Markup:
    """
    Write legend sections as HTML.

    Parameters
    ----------
    sections : iterable of LegendSection
        Sections in order; a section that repeats an earlier one is written once.

    Returns
    -------
    markupsafe.Markup
        Safe HTML.
    """
    parts = []
    for section in dict.fromkeys(sections):
        parts.append(Markup("<h2>{}</h2>").format(term(section.title)))
        if section.sizes:
            parts.append(_size_row(section.sizes))
        if section.entries:
            lines = Markup("").join(_line(entry, section) for entry in section.entries)
            parts.append(Markup('<ul class="ca-key">{}</ul>').format(lines))
    return Markup("").join(parts)


def keys_html(layers: Iterable[AtlasLayer]) -> Markup:
    """
    Write the legends of layers, each marked with the layers that it explains.

    Parameters
    ----------
    layers : iterable of AtlasLayer
        Layers in the order of the legend.

    Returns
    -------
    markupsafe.Markup
        Safe HTML, in which the page's script greys what is switched off.
    """
    owners: dict[LegendSection, list[str]] = {}
    for layer in layers:
        for section in layer.legend:
            owners.setdefault(section, []).append(layer.get_name())
    part = Markup('<div class="ca-part" data-layers="{}">{}</div>')
    return Markup("").join(
        part.format(" ".join(names), legend_html([section])) for section, names in owners.items()
    )


def legend(*layers: AtlasLayer) -> Legend:
    """
    Make a legend box for any Folium map from the layers drawn on it.

    Parameters
    ----------
    *layers : AtlasLayer
        Layers of this package; the colours are theirs.

    Returns
    -------
    Legend
        Add it to a map with ``.add_to(folium_map)``. `site_map` has a legend already.

    Raises
    ------
    GeometryError
        If none of the layers has anything to explain.
    TypeError
        If one of them is no layer of this package.

    Examples
    --------
    >>> import folium, geo, layers
    >>> sites = layers.site_layer(geo.example_sites())
    >>> page = folium.Map(tiles=None)
    >>> _ = sites.add_to(page)
    >>> _ = layers.legend(sites).add_to(page)
    """
    content = keys_html(several(layers, AtlasLayer, "layers"))
    if not content:
        message = "these layers have no legend: give at least one with symbols or a scale"
        raise GeometryError(message)
    return Legend(content)


class Legend(MacroElement):
    """
    A legend box in the lower right corner of a Folium map.

    Parameters
    ----------
    content : markupsafe.Markup
        HTML from `keys_html`.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "CompoundAtlas.box({{ this.box_id|tojson }}, {{ this._parent.get_name() }});"
        "{% endmacro %}"
    )

    def __init__(self, content: Markup) -> None:
        super().__init__()
        self._name = "Legend"
        self.content = content

    @property
    def box_id(self) -> str:
        """Id of the element that holds the legend until the map takes it."""
        return f"{self.get_name()}_box"

    def render(self, **kwargs: object) -> None:  # type: ignore[override]  # as in MacroElement
        """
        Put the legend into the page.

        Parameters
        ----------
        **kwargs : object
            Passed to Folium.

        Raises
        ------
        ExportError
            If the legend has not been added to a map.
        """
        figure = figure_of(self)
        add_assets(figure, *LAYER_ASSETS)
        box = Markup(
            '<section class="ca-legend ca-box" id="{}" data-label="legend" aria-label="{}" hidden>'
            "{}</section>"
        )
        text = str(box.format(self.box_id, sentence("legend"), self.content))
        figure.html.add_child(Inert(text), name=self.box_id)
        super().render(**kwargs)


def _line(entry: LegendEntry, section: LegendSection) -> Markup:
    """Write one line: symbol, words, count, note."""
    count = Markup("")
    if entry.count is not None:
        # the page counts again by these names when readers leave rows out
        count = Markup('<b data-of="{}">{:,}</b>').format(html(entry.label), entry.count)
    note = Markup("<small>{}</small>").format(term(entry.note)) if entry.note else Markup("")
    words = Markup("<li>{}<span>{}{}</span>{}</li>")
    return words.format(_swatch(entry, section), term(entry.label), note, count)


def _swatch(entry: LegendEntry, section: LegendSection) -> Markup:
    """Draw the symbol of one line with the layer's own colour."""
    shapes = {
        "circle": '<circle cx="9" cy="9" r="7" fill="{0}" data-fill="{0}" class="ca-rim"/>{1}',
        "disc": '<circle cx="9" cy="9" r="7" fill="{0}" data-fill="{0}" fill-opacity=".08" '
        'stroke="{0}" data-stroke="{0}" stroke-dasharray="2 2.4"/>',
        "line": '<path d="M1 9H17" stroke="{0}" data-stroke="{0}" stroke-width="2.2"{2}/>',
    }
    if entry.shape == "square":
        symbol = _square(entry, section)
    else:
        dashes = Markup(' stroke-dasharray="4 2.5"') if entry.dashed else ""
        symbol = Markup(shapes[entry.shape]).format(  # noqa: S704  # our own constants above
            entry.colour, _PATTERNS.get(entry.colour, ""), dashes
        )
    return Markup('<svg width="18" height="18" aria-hidden="true">{}</svg>').format(symbol)


def _square(entry: LegendEntry, section: LegendSection) -> Markup:
    """Draw a piece of an area as it is on the land: what lies beneath shows through."""
    opacity = section.opacity if entry.opacity is None else entry.opacity
    opacity *= HATCHED_SHARE if entry.hatched else 1
    lines = f'<path d="{_HATCHING}" class="ca-hatching"/>' if entry.hatched else ""
    box = '<rect x="2" y="2" width="14" height="14" '
    edge = 'class="ca-dashed"' if entry.dashed else 'fill="none" stroke="#8d8474"'
    square = (
        f'{box}class="ca-ground"/>{box}fill="{{0}}" data-{{1}}="{{0}}" fill-opacity="{{2:.3g}}"/>'
        f"{lines}{box}{edge}/>"
    )
    kind = "graded" if section.graded else "fill"
    return Markup(square).format(entry.colour, kind, opacity)  # noqa: S704  # our own constants


def _size_row(largest: int) -> Markup:
    """Draw circles for one, some and most reports, as large as on the map."""
    unit = symbol_unit_px(largest)
    counts = sorted({1, max(1, round(largest / 3)), largest})
    radii = [max(_ROOM_PX[min(4, len(str(n)))], unit * sqrt(n)) for n in counts]
    x, height, symbols = 2.0, 2 * radii[-1] + 4, []
    for count, radius in zip(counts, radii, strict=True):
        x += radius + 2
        symbols.append(
            Markup(
                '<circle cx="{0:.1f}" cy="{1:.1f}" r="{2:.1f}" fill="none" class="ca-rim"/>'
                '<text x="{0:.1f}" y="{3:.1f}">{4:,}</text>'
            ).format(x, height - 2 - radius, radius, height + 12, count)
        )
        x += radius + 26
    return Markup(
        '<svg class="ca-sizes" data-largest="{}" width="{:.0f}" height="{:.0f}" '
        'aria-hidden="true">{}</svg>'
    ).format(largest, x, height + 16, Markup("").join(symbols))
