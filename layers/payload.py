"""What a layer puts into a page: inert data, our own scripts, and geometry in short."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import folium
import numpy as np
import shapely
from branca.element import Element, Figure
from folium.template import Template

from geo.errors import ExportError
from layers.columns import number_column, pack, steps_column
from layers.text import Inert, folium_html, plain, script_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from layers.legend import LegendSection

__all__ = [
    "DECIMALS",
    "LAYER_ASSETS",
    "AtlasLayer",
    "SiteTally",
    "add_assets",
    "encode_geometry",
    "exact_rows",
    "figure_of",
    "pack_shapes",
]

DECIMALS = 5  # of a degree: about one metre, finer than any reported place

LAYER_ASSETS = (
    "layers.css",
    "strings.json",
    "core.js",
    "language.js",
    "colours.js",
    "rows.js",
    "symbols.js",
    "canvas.js",
    "card.js",
    "layers.js",
    "discs.js",
    "regions.js",
    "places.js",
    "sites.js",
)

_ASSETS = files("layers") / "assets"


@dataclass(frozen=True, eq=False)
class SiteTally:
    """
    What the page around a layer of sites says of its rows.

    Parameters
    ----------
    places : numpy.ndarray
        Longitude and latitude of each distinct place.
    reports : numpy.ndarray
        Rows at each place.
    unlocated, polar : int
        Rows without a location, and rows too near a pole to be drawn.
    responses : dict of str to int
        Rows by the state's response, where one is given.
    """

    places: np.ndarray = field(repr=False)  # a notebook shows what a cell ends with
    reports: np.ndarray
    unlocated: int
    polar: int
    responses: dict[str, int]

    @property
    def total(self) -> int:
        """Number of rows, with a symbol or without."""
        return int(self.reports.sum()) + self.unlocated + self.polar


class AtlasLayer(folium.map.Layer):
    """
    A Folium layer whose rows are inert data and whose drawing is a script of ours.

    Parameters
    ----------
    kind : str
        Which function of ``assets/layers.js`` draws it.
    payload : dict
        Rows for the page, as JSON can hold them.
    name : str
        Name in layer controls.
    bounds : tuple of float or None
        West, south, east, north in degrees.
    legend : tuple of LegendSection
        What the layer's symbols mean.
    attribution : str
        Who must be named where the layer is shown.
    show : bool, default True
        Whether the layer is drawn when the map opens.
    control : bool, default True
        Whether readers can switch it on and off.
    tally : SiteTally, optional
        Of a layer of sites, its counts.
    exact : int, default 0
        How many rows that are not public the layer shows at their own coordinates, as
        `exact_rows` counts them: `save_html` warns of them.

    Attributes
    ----------
    payload, bounds, legend, attribution, tally, exact, title
        As given; `title` is the name as plain text.
    """

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "var {{ this.get_name() }} = CompoundAtlas.credit("
        "CompoundAtlas.{{ this.kind }}({{ this.data_id|tojson }}), {{ this.attribution|tojson }});"
        "{% endmacro %}"
    )

    def __init__(
        self,
        kind: str,
        payload: dict[str, Any],
        *,
        name: str,
        bounds: tuple[float, float, float, float] | None,
        legend: tuple[LegendSection, ...] = (),
        attribution: str = "",
        show: bool = True,
        control: bool = True,
        tally: SiteTally | None = None,
        exact: int = 0,
    ) -> None:
        # Leaflet's layer control writes names as HTML.
        super().__init__(name=folium_html(name), overlay=True, control=control, show=show)
        self._name = "AtlasLayer"
        self.kind = kind
        self.payload = payload
        self.title = plain(name)
        self.bounds = bounds
        self.legend = legend
        self.attribution = attribution
        self.tally = tally
        self.exact = exact

    @property
    def data_id(self) -> str:
        """Id of the script tag that holds the layer's data."""
        return f"{self.get_name()}_data"

    def render(self, **kwargs: object) -> None:  # type: ignore[override]  # as in MacroElement
        """
        Put the layer's script, style and data into the page.

        Parameters
        ----------
        **kwargs : object
            Passed to Folium.

        Raises
        ------
        ExportError
            If the layer has not been added to a map.
        """
        figure = figure_of(self)
        add_assets(figure, *LAYER_ASSETS)
        written = dict(self.payload)
        if "shapes" in written:
            written["shapes"] = pack_shapes(written["shapes"], areas=self.kind == "areas")
        data = f'<script type="application/json" id="{self.data_id}">{script_json(written)}'
        figure.html.add_child(Inert(data + "</script>"), name=self.data_id)
        super().render(**kwargs)

    def _get_self_bounds(self) -> list[list[float | None]]:
        """Tell Folium the extent, for ``fit_bounds(map.get_bounds())``."""
        if self.bounds is None:
            return [[None, None], [None, None]]
        west, south, east, north = self.bounds
        return [[south, west], [north, east]]


def exact_rows(frame: gpd.GeoDataFrame) -> int:
    """
    Count the rows of a frame that are not public and whose geometry is their own.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Any frame that a layer is made of.

    Returns
    -------
    int
        Located rows that do not say ``public`` in a column ``sensitivity``: nothing is public
        because nobody decided. Without the column there are none. Rows with another
        ``release_scheme`` than ``exact`` have been moved or generalised, and do not count.
    """
    marks = frame.loc[:, frame.columns == "sensitivity"]
    private = ~marks.isin(["public"]).all(axis=1) & frame.geometry.notna()
    if "release_scheme" in frame.columns:
        scheme = frame["release_scheme"]
        private &= scheme.isna() | scheme.isin(["exact"])
    return int(private.sum())


def figure_of(element: Element) -> Figure:
    """
    Return the page that an element stands on.

    Parameters
    ----------
    element : branca.element.Element
        A layer or another part of a map.

    Returns
    -------
    branca.element.Figure
        The page.

    Raises
    ------
    ExportError
        If the element has not been added to a map.
    """
    figure = element.get_root()
    if not isinstance(figure, Figure):
        message = "this is drawn on a map: add it with `.add_to(folium_map)` first"
        raise ExportError(message)
    return figure


def add_assets(figure: Figure, *names: str) -> None:
    """
    Put our own scripts, styles and strings into a page's head, each once.

    Parameters
    ----------
    figure : branca.element.Figure
        The page.
    *names : str
        File names in ``layers/assets``.
    """
    for name in names:
        text = (_ASSETS / name).read_text(encoding="utf-8")
        if name.endswith(".json"):
            inert = f'<script type="application/json" id="ca-{name.removesuffix(".json")}">'
            page_text = f"{inert}{script_json(json.loads(text))}</script>"
        else:
            tag = "style" if name.endswith(".css") else "script"
            page_text = f"<{tag}>\n{text}</{tag}>"
        figure.header.add_child(Inert(page_text), name=f"compound_atlas_{name}")


def encode_geometry(geometry: shapely.Geometry) -> list[list[list[int]]]:
    """
    Write lines or polygons as whole numbers of 1e-5 degree, each the step from the last.

    Parameters
    ----------
    geometry : shapely.Geometry
        Lines or polygons in degrees.

    Returns
    -------
    list
        Parts of rings (or of one line) of alternating steps in latitude and longitude.
    """
    parts = []
    for part in shapely.get_parts(geometry):
        rings = [part] if part.geom_type == "LineString" else [part.exterior, *part.interiors]
        steps = []
        for ring in rings:
            whole = np.rint(shapely.get_coordinates(ring)[:, ::-1] * 10**DECIMALS).astype(int)
            moves = np.diff(whole, axis=0, prepend=0)
            # Points that rounding made equal add nothing to the drawing.
            moves = moves[np.r_[True, moves[1:].any(axis=1)]]
            steps.append(moves.ravel().tolist())
        parts.append(steps)
    return parts


def pack_shapes(shapes: Sequence[list[list[list[int]]]], *, areas: bool) -> dict[str, Any]:
    """
    Write encoded shapes as columns, which take a third of the room and no parsing.

    Parameters
    ----------
    shapes : sequence
        Each from `encode_geometry`.
    areas : bool
        Whether they are polygons, whose rings the page closes itself.

    Returns
    -------
    dict
        Packed columns: parts of each shape, rings of each part, points of each ring, and the
        latitude and longitude of each point in as few decimals as hold all of them.
    """
    parts = [part for shape in shapes for part in shape]
    rings = [np.cumsum(np.reshape(r, (-1, 2)), axis=0) for part in parts for r in part]
    if areas:
        rings = [ring[: max(1, len(ring) - 1)] for ring in rings]
    whole = np.concatenate(rings) if rings else np.zeros((0, 2), np.int64)
    spare = next(k for k in range(DECIMALS, -1, -1) if not (whole % 10**k).any())
    lat, lon = (whole // 10**spare).T
    counts = {
        "parts": [len(shape) for shape in shapes],
        "rings": [len(part) for part in parts],
        "points": [len(ring) for ring in rings],
    }
    columns = {name: number_column(np.array(n, dtype=float)) for name, n in counts.items()}
    decimals = DECIMALS - spare
    columns["lat"] = steps_column(lat, decimals=decimals)
    columns["lon"] = steps_column(lon, decimals=decimals)
    return pack(columns)
