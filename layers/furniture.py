"""What stands around a map: title, legend, switches, table, methods, sources."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from branca.element import MacroElement
from folium.template import Template
from markupsafe import Markup

from layers._tools import TOOL_ASSETS, search_box, state_line, tool_bar
from layers._words import Phrase, joined, sentence, term, word
from layers.legend import keys_html
from layers.payload import AtlasLayer, add_assets, figure_of
from layers.text import Inert, html, plain, script_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layers.payload import SiteTally

__all__ = ["DISCLAIMER", "Caption", "Furniture", "distinct_credits"]

DISCLAIMER = sentence("disclaimer")
ABSENCE = sentence("absence")
_LANGUAGES = (("en", "English"), ("km", "ខ្មែរ"))


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
    apart : mapping of str to int, optional
        Of the rows without a symbol, those that have a reason of their own, by its words.
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
        apart: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        self._name = "Furniture"
        self.caption = caption
        self.layers = tuple(layers)
        self.view = view
        self.everything = everything
        self.outside = outside
        self.apart = apart or {}

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
        add_assets(figure, "page.css", *TOOL_ASSETS, "reader.js", "page.js")
        data = {
            "sites": [layer.get_name() for layer in self._site_layers()],
            "areas": [layer.get_name() for layer in self.layers if "rows" in layer.payload],
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
        head = Markup(
            '<a class="ca-skip" href="#ca-tab-table">{}</a>'
            '<header class="ca-header"><div><h1>{}</h1>{}</div>{}{}</header>'
        )
        title = _isolated(self.caption.title)
        tools = tool_bar() if self._site_layers() else Markup("")
        return head.format(word("skip"), title, subtitle, tools, _language_switch())

    def _panel(self) -> Markup:
        """Write the panel with its tabs."""
        works = bool(self._site_layers())
        contents = {
            "legend": self._legend(),
            **({"filter": Markup("")} if works else {}),
            "table": self._table(),
            "methods": self._methods(),
        }
        buttons = Markup("").join(
            Markup(
                '<button type="button" role="tab" id="ca-tab-{0}" data-tab="{0}" '
                'aria-controls="ca-{0}" aria-selected="{2}" tabindex="{3}">{1}</button>'
            ).format(key, word(key), "true" if not i else "false", 0 if not i else -1)
            for i, key in enumerate(contents)
        )
        sections = Markup("").join(
            Markup(
                '<section role="tabpanel" id="ca-{0}" class="ca-{0}" '
                'aria-labelledby="ca-tab-{0}"{1}>{2}</section>'
            ).format(key, "" if not i else Markup(" hidden"), content)
            for i, (key, content) in enumerate(contents.items())
        )
        panel = Markup(
            '<aside class="ca-panel" data-tab="legend" data-label="about" aria-label="{0}">{3}'
            '<div class="ca-tabs" role="tablist" data-label="about" aria-label="{0}">{1}</div>'
            "{4}{2}</aside>"
        )
        search = search_box() if works else Markup("")
        state = state_line(sum(tally.total for tally in self._tallies())) if works else Markup("")
        return panel.format(sentence("about"), buttons, sections, search, state)

    def _legend(self) -> Markup:
        """Write the legend: symbols, what is missing, switches, responses."""
        symbols = keys_html(reversed(self.layers))
        absence = _note(word("absence"))
        return symbols + self._counts() + self._switches() + self._responses() + absence

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
                '<rect width="{:.1f}" height="8"/></svg></td><td data-of="{}">{:,}</td></tr>'
            ).format(term(response.replace("_", " ")), 64 * count / largest, html(response), count)
            for response, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        )
        table = Markup('<h2>{}</h2><table class="ca-bars"><tbody>{}</tbody></table>')
        return table.format(word("responses"), rows)

    def _counts(self) -> Markup:
        """Say how many rows are on the map and how many cannot be."""
        tallies = self._tallies()
        shown = sum(int(tally.reports.sum()) for tally in tallies)
        missing = sum(tally.unlocated for tally in tallies)
        polar = sum(tally.polar for tally in tallies)
        words = [Markup("<b>{}</b>").format(self._shown(shown, missing))]
        words += [word("polar", n=polar)] if polar else []
        words += [word("beyond-land", n=self.outside)] if self.outside else []
        return _note(Markup(" ").join([*words, word("all-counted")]))

    def _shown(self, shown: int, missing: int) -> Markup:
        """Say how many rows have a symbol, and why the others have none."""
        if not self.apart:
            return word("shown", n=shown, missing=missing)
        rest = missing - sum(self.apart.values())
        counts = {"n-placed": shown, **self.apart, "n-missing": rest}
        return word("apart", counts=joined(Phrase(key, n=n) for key, n in counts.items()))

    def _switches(self) -> Markup:
        """Write one switch per layer that readers may turn off."""
        lines = Markup("").join(
            Markup('<label><input type="checkbox" data-layer="{}" checked>{}</label>').format(
                layer.get_name(), _isolated(term(layer.title))
            )
            for layer in reversed(self.layers)
            if layer.control
        )
        return Markup(
            '<div class="ca-switches"><h2>{}</h2><div class="ca-layers">{}</div>'
            '<p class="ca-said" aria-live="polite"></p></div>'
        ).format(word("layers"), lines)

    def _table(self) -> Markup:
        """Write the empty table; the page fills it when it is opened."""
        claim = "head-claim-response" if self._known_responses() else "head-claim"
        heads = ("head-place", claim, "head-location", "head-source")
        cells = Markup("").join(
            Markup('<th role="columnheader" scope="col">{}</th>').format(word(h)) for h in heads
        )
        # The roles keep it a table for screen readers where the style sheet stacks its cells.
        return Markup(
            '<table class="ca-table" role="table"><thead role="rowgroup"><tr role="row">{}</tr>'
            '</thead><tbody role="rowgroup"></tbody></table>'
            '<button type="button" class="ca-more" hidden></button>'
        ).format(cells)

    def _methods(self) -> Markup:
        """Write the methods, then what every map of this package does."""
        common = (word("about-symbols"), word("about-discs"), word("absence"))
        paragraphs = Markup("").join(
            Markup("<p>{}</p>").format(_isolated(p)) for p in (*self.caption.methods, *common)
        )
        credits_ = Markup("").join(
            Markup("<li>{}</li>").format(_isolated(a)) for a in self._attributions()
        )
        return paragraphs + Markup("<h2>{}</h2><ul>{}</ul>").format(word("credits"), credits_)

    def _footer(self) -> Markup:
        """Write source, date, attributions and the disclaimer."""
        words: list[Any] = []
        if self.caption.source:
            words.append(_isolated(self.caption.source))
        if self.caption.date:
            words.append(_isolated(word("data-to", date=plain(self.caption.date))))
        words += [_isolated(a) for a in self._attributions()]
        words.append(word("disclaimer"))
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


def _language_switch() -> Markup:
    """Write a button for each language, which says its name in itself."""
    buttons = Markup("").join(
        Markup(
            '<button type="button" data-language="{0}" lang="{0}" aria-pressed="{2}">{1}</button>'
        ).format(code, name, "false" if i else "true")
        for i, (code, name) in enumerate(_LANGUAGES)
    )
    group = '<div class="ca-languages" role="group" data-label="language" aria-label="{}">{}</div>'
    return Markup(group).format(sentence("language"), buttons)  # noqa: S704  # ours


def _note(words: Markup) -> Markup:
    """Write a paragraph in small type."""
    return Markup('<p class="ca-note">{}</p>').format(words)


def _isolated(value: object) -> Markup:
    """Escape a text and keep its direction from disturbing its neighbours."""
    return Markup('<bdi dir="auto">{}</bdi>').format(html(value))


def _corners(bounds: tuple[float, ...]) -> list[list[float]]:
    """Turn west, south, east, north into Leaflet's corners."""
    west, south, east, north = bounds
    return [[south, west], [north, east]]
