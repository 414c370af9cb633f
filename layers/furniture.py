"""What stands around a map: title, legend, switches, table, methods, sources."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from branca.element import MacroElement
from folium.template import Template
from markupsafe import Markup

from layers.legend import legend_html
from layers.payload import AtlasLayer, add_assets, figure_of
from layers.text import Inert, html, script_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layers.payload import SiteTally

__all__ = ["DISCLAIMER", "Caption", "Furniture", "distinct_credits"]

DISCLAIMER = "Boundaries and names imply no opinion on the status of any territory."
ABSENCE = (
    "Not marked does not mean absent: the map shows where sites were reported, which follows "
    "where reporters looked."
)
_ABSENCE_NOTE = Markup('<p class="ca-note">{}</p>').format(ABSENCE)


@dataclass(frozen=True)
class Caption:
    """
    The words around a map.

    Parameters
    ----------
    title, subtitle : str
        Heading and one sentence beneath it.
    source : str
        Where the rows come from.
    date : str
        Date of the data, as ISO 8601.
    methods : tuple of str
        Paragraphs of the methods panel.
    """

    title: str
    subtitle: str = ""
    source: str = ""
    date: str = ""
    methods: tuple[str, ...] = ()


class Furniture(MacroElement):
    """
    The page around a map, built from the layers on it.

    Parameters
    ----------
    caption : Caption
        The words.
    layers : sequence of AtlasLayer
        The map's layers, from the bottom up.
    view, everything : tuple of float
        West, south, east, north of the opening view and of all located rows.
    outside : int
        Located rows beyond the shipped ground.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "CompoundAtlas.page({{ this._parent.get_name() }}, {{ this.data_id|tojson }});"
        "{% endmacro %}"
    )

    def __init__(
        self,
        caption: Caption,
        layers: Sequence[AtlasLayer],
        *,
        view: tuple[float, ...],
        everything: tuple[float, ...],
        outside: int = 0,
    ) -> None:
        super().__init__()
        self._name = "Furniture"
        self.caption = caption
        self.layers = tuple(layers)
        self.view = view
        self.everything = everything
        self.outside = outside

    @property
    def data_id(self) -> str:
        """Id of the script tag with what the page's script needs."""
        return f"{self.get_name()}_data"

    def render(self, **kwargs: object) -> None:  # type: ignore[override]  # as in MacroElement
        """
        Put title, panel and footer around the map.

        Parameters
        ----------
        **kwargs : object
            Passed to Folium.

        Raises
        ------
        ExportError
            If it has not been added to a map.
        """
        figure = figure_of(self)
        figure.title = html(self.caption.title)
        add_assets(figure, "page.css", "page.js")
        data = {
            "sites": [layer.get_name() for layer in self._site_layers()],
            "view": _corners(self.view),
            "everything": _corners(self.everything),
        }
        tag = f'<script type="application/json" id="{self.data_id}">{script_json(data)}</script>'
        # First in the page, so that it is read first; the style sheet sets the places.
        figure.html.add_child(Inert(self._header()), name="compound_atlas_header", index=0)
        body = str(self._panel() + self._footer()) + tag
        figure.html.add_child(Inert(body), name="compound_atlas_panel")
        super().render(**kwargs)

    def _site_layers(self) -> list[AtlasLayer]:
        """Return the layers whose rows the table lists."""
        return [layer for layer in self.layers if layer.kind == "sites"]

    def _tallies(self) -> list[SiteTally]:
        """Return the counts of the layers of sites."""
        return [layer.tally for layer in self.layers if layer.tally is not None]

    def _header(self) -> Markup:
        """Write title and subtitle."""
        subtitle = (
            Markup("<p>{}</p>").format(_isolated(self.caption.subtitle))
            if self.caption.subtitle
            else ""
        )
        head = Markup('<header class="ca-header"><h1>{}</h1>{}</header>')
        return head.format(_isolated(self.caption.title), subtitle)

    def _panel(self) -> Markup:
        """Write the panel with its tabs."""
        tabs = (("legend", "Legend"), ("table", "Table"), ("methods", "Methods"))
        buttons = Markup("").join(
            Markup(
                '<button type="button" role="tab" id="ca-tab-{0}" data-tab="{0}" '
                'aria-controls="ca-{0}" aria-selected="{2}" tabindex="{3}">{1}</button>'
            ).format(key, word, "true" if not i else "false", 0 if not i else -1)
            for i, (key, word) in enumerate(tabs)
        )
        contents = (self._legend(), self._table(), self._methods())
        sections = Markup("").join(
            Markup(
                '<section role="tabpanel" id="ca-{0}" class="ca-{0}" '
                'aria-labelledby="ca-tab-{0}"{1}>{2}</section>'
            ).format(key, "" if not i else Markup(" hidden"), contents[i])
            for i, (key, _) in enumerate(tabs)
        )
        panel = Markup(
            '<aside class="ca-panel" data-tab="legend" aria-label="About this map">'
            '<div class="ca-tabs" role="tablist">{}</div>{}</aside>'
        )
        return panel.format(buttons, sections)

    def _legend(self) -> Markup:
        """Write the legend: symbols, what is missing, switches, responses."""
        symbols = legend_html(s for layer in reversed(self.layers) for s in layer.legend)
        return symbols + self._counts() + self._switches() + self._responses() + _ABSENCE_NOTE

    def _known_responses(self) -> dict[str, int]:
        """Count the state's response over all rows; empty if nothing is known of any."""
        counts: Counter[str] = Counter()
        for tally in self._tallies():
            counts.update(tally.responses)
        return counts if counts.keys() - {"unknown"} else {}

    def _responses(self) -> Markup:
        """Draw the state's responses as bars."""
        counts = self._known_responses()
        if not counts:
            return Markup("")
        largest = max(counts.values())
        rows = Markup("").join(
            Markup(
                '<tr><th scope="row">{}</th><td><svg width="64" height="8" aria-hidden="true">'
                '<rect width="{:.1f}" height="8" fill="#a9a79f"/></svg></td><td>{:,}</td></tr>'
            ).format(html(word.replace("_", " ")), 64 * count / largest, count)
            for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )
        return Markup(
            '<h3>State response, as reported</h3><table class="ca-bars"><tbody>{}</tbody></table>'
        ).format(rows)

    def _counts(self) -> Markup:
        """Say how many rows are on the map and how many cannot be."""
        tallies = self._tallies()
        shown = sum(int(tally.reports.sum()) for tally in tallies)
        missing = sum(tally.unlocated for tally in tallies)
        polar = sum(tally.polar for tally in tallies)
        note = Markup(
            '<p class="ca-note"><b>{:,} shown, {:,} without a location.</b> {}{}'
            "Counts and table include all.</p>"
        )
        too_far = Markup("{:,} too near a pole for this map. ").format(polar) if polar else ""
        beyond = (
            Markup("{:,} of those shown lie beyond the drawn land. ").format(self.outside)
            if self.outside
            else ""
        )
        return note.format(shown, missing, too_far, beyond)

    def _switches(self) -> Markup:
        """Write one switch per layer that readers may turn off."""
        lines = Markup("").join(
            Markup('<label><input type="checkbox" data-layer="{}" checked>{}</label>').format(
                layer.get_name(), _isolated(layer.title)
            )
            for layer in reversed(self.layers)
            if layer.control
        )
        return Markup(
            '<div class="ca-switches"><h3>Layers</h3><div class="ca-layers">{}</div></div>'
        ).format(lines)

    def _table(self) -> Markup:
        """Write the empty table; the page fills it when it is opened."""
        claim = "Claim and response" if self._known_responses() else "Claim"
        heads = ("Place", claim, "Location", "Source")
        cells = Markup("").join(
            Markup('<th role="columnheader" scope="col">{}</th>').format(h) for h in heads
        )
        # The roles keep it a table for screen readers where the style sheet stacks its cells.
        return Markup(
            '<table class="ca-table" role="table"><thead role="rowgroup"><tr role="row">{}</tr>'
            '</thead><tbody role="rowgroup"></tbody></table>'
            '<button type="button" class="ca-more" hidden></button>'
        ).format(cells)

    def _methods(self) -> Markup:
        """Write the methods, then what every map of this package does."""
        common = (
            (
                "A symbol stands at one reported point; its area is the number of reports there. "
                "Symbols that would overlap are drawn as one, with a line or a dot to each place."
            ),
            "A dashed circle holds the true place. Nothing finer than it is claimed.",
            ABSENCE,
        )
        paragraphs = Markup("").join(
            Markup("<p>{}</p>").format(_isolated(p)) for p in (*self.caption.methods, *common)
        )
        credits_ = Markup("").join(
            Markup("<li>{}</li>").format(_isolated(a)) for a in self._attributions()
        )
        return paragraphs + Markup("<h3>Sources and licences</h3><ul>{}</ul>").format(credits_)

    def _footer(self) -> Markup:
        """Write source, date, attributions and the disclaimer."""
        words: list[Any] = []
        if self.caption.source:
            words.append(_isolated(self.caption.source))
        if self.caption.date:
            words.append(Markup("Data to {}.").format(_isolated(self.caption.date)))
        words += [_isolated(a) for a in self._attributions()]
        words.append(DISCLAIMER)
        line = Markup(" ").join(words)
        return Markup('<footer class="ca-footer"><p>{}</p></footer>').format(line)

    def _attributions(self) -> list[str]:
        """Gather whom the layers must name, each once."""
        return distinct_credits(layer.attribution for layer in self.layers)


def distinct_credits(attributions: Iterable[str]) -> list[str]:
    """
    Split attributions into their credits and keep each once.

    Parameters
    ----------
    attributions : iterable of str
        Credits joined by "; ", as `geo.load_reference` gives them.

    Returns
    -------
    list of str
        Distinct credits, each a sentence.
    """
    found = dict.fromkeys(c.strip(" .") for a in attributions for c in a.split("; "))
    return [f"{credit}." for credit in found if credit]


def _isolated(value: object) -> Markup:
    """Escape a text and keep its direction from disturbing its neighbours."""
    return Markup('<bdi dir="auto">{}</bdi>').format(html(value))


def _corners(bounds: tuple[float, ...]) -> list[list[float]]:
    """Turn west, south, east, north into Leaflet's corners."""
    west, south, east, north = bounds
    return [[south, west], [north, east]]
