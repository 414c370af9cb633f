"""A map on its sheet: heading, map, legend, and what stands beneath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import GeometryError
from layers._drawing import (
    draw_bar,
    draw_discs,
    draw_layer,
    draw_symbols,
    require_drawable,
    swatch_of,
)
from layers._frames import bounds_of, require_crs
from layers._key import Block, Sizes, blocks_of, columns, draw_blocks, height_of
from layers._letters import SMALLEST_PT, height_mm, line_mm, printable, wrapped
from layers._marks import Places, Symbol, places_of, symbols_of
from layers._naming import Names, draw_names
from layers._paper import INK, SOFT, Paper
from layers._plane import Plane, plane_of
from layers._words import sentence
from layers.furniture import ABSENCE, DISCLAIMER, distinct_credits
from layers.ground import COVERAGE, ground_layers
from layers.legend import LegendSection
from layers.regions import displaced_legend, paper_layers, split_released
from layers.scales import STATUS_SCALE
from layers.symbols import site_layer, uncertainty_layer
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from layers.payload import AtlasLayer
    from layers.scales import Scale

    View: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry

__all__ = ["Words", "map_sheet"]

Bounds = tuple[float, float, float, float]

_REGION: Bounds = (102.3, 10.3, 107.7, 14.8)  # Cambodia: what a map without any location shows
_LEAST_SPAN_DEG = 0.4  # one town alone is shown with its surroundings, not at the door
_EDGE_MM = 1.0  # margin of the sheet
_GAP_MM = 2.5
_KEY_MM = 42.0  # width of a legend beside the map
_WIDE_MM = 130.0  # from here on the legend stands beside the map
_TITLE_PT, _NEXT_PT = 9.0, 7.0
_NAMED = 3  # places that the words for those who cannot see the map name


class Words(TypedDict):
    """The words around a map; without a date, that of the data is found."""

    title: str
    subtitle: str
    source: str
    date: str | None


@dataclass(frozen=True)
class _Map:
    """What is drawn within the frame of the map."""

    plane: Plane
    sites: gpd.GeoDataFrame
    layers: tuple[AtlasLayer, ...]
    places: Places
    symbols: list[Symbol]
    unit_mm: float
    scale: Scale
    sheet_mm: float  # width of all
    apart: dict[str, int]  # rows without a point that have a reason of their own

    @property
    def shown(self) -> int:
        """Number of reports within the frame."""
        return sum(symbol.total for symbol in self.symbols)

    def draw(self, axes: Axes) -> None:
        """Draw from the ground up; names find their room last."""
        plane, names = self.plane, Names(self.plane)
        for layer in self.layers:
            draw_layer(axes, plane, layer)
        draw_discs(axes, plane, self.sites, self.scale.colours[0])
        draw_symbols(axes, plane, self.places, self.symbols, self.scale)
        names.take(*(symbol.box for symbol in self.symbols))
        draw_bar(axes, plane, names)
        labels = [layer for layer in self.layers if layer.kind == "labels"]
        draw_names(axes, plane, self.places, self.symbols, labels, names)


def map_sheet(
    sites: gpd.GeoDataFrame,
    *,
    words: Words,
    status_notes: Mapping[str, str],
    own: Sequence[AtlasLayer],
    view: View | None,
    width_mm: float,
) -> Paper:
    """
    Draw a map of reports with everything around it.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites.
    words : Words
        Title, subtitle, source and date.
    status_notes : mapping of str to str
        For the legend.
    own : sequence of AtlasLayer
        The author's layers.
    view : geopandas.GeoDataFrame, geopandas.GeoSeries, shapely.Geometry or None
        What is shown.
    width_mm : float
        Width of the sheet.

    Returns
    -------
    Paper
        The figure.
    """
    require_drawable(own)
    sites, regions, apart = split_released(sites)
    own = (*paper_layers(regions), *own)
    scale = STATUS_SCALE
    # The layers of the screen know legend and credits: both media then say the same.
    reports = site_layer(sites, scale=scale, status_notes=status_notes)
    discs = uncertainty_layer(sites, colour=scale.colours[0])
    places = places_of(sites, scale)
    bounds = (
        _around(places, own[:1] if regions is not None else ()) if view is None else _extent(view)
    )
    beside = _KEY_MM + _GAP_MM if width_mm >= _WIDE_MM else 0.0
    plane = plane_of(_spread(bounds), width_mm - 2 * _EDGE_MM - beside)
    seen = _seen(plane)
    stack = (*ground_layers(seen, seen, gpd.GeoSeries([], crs=4326)), *own)
    drawn = _Map(plane, sites, stack, places, *symbols_of(places, plane), scale, width_mm, apart)
    sections = [*reports.legend, *displaced_legend(sites), *discs.legend, *_own_sections(own)]
    blocks = blocks_of(sections, _sizes(drawn), _notes(drawn, len(sites)))
    date = _latest(sites) if words["date"] is None else plain(words["date"])
    foot = _foot(plain(words["source"]), date, plane, (*stack, reports))
    alt = _alt(plain(words["title"]), reports, drawn, len(sites))
    return _composed(words, drawn, blocks, foot, alt)


@dataclass(frozen=True)
class _Layout:
    """Where the parts of a sheet stand, in millimetres from its upper left corner."""

    width: float
    height: float
    top: float  # of the map
    key: tuple[tuple[float, float, float], ...]  # left and upper edge of each column, its width
    foot: tuple[float, float, float]


def _composed(words: Words, drawn: _Map, blocks: list[Block], foot: str, alt: str) -> Paper:
    """Put heading, map, legend and foot on a sheet that is as high as they need."""
    plane, width = drawn.plane, drawn.sheet_mm
    room = width - 2 * _EDGE_MM
    beside = plane.width_mm < room
    title, subtitle = printable(words["title"]), printable(words["subtitle"])
    head = [
        *((line, _TITLE_PT, "bold", INK) for line in wrapped(title, room, _TITLE_PT, "bold")),
        *((line, _NEXT_PT, "normal", SOFT) for line in wrapped(subtitle, room, _NEXT_PT)),
    ]
    top = _EDGE_MM + sum(line_mm(size, line) for line, size, *_ in head) + (1.0 if head else 0.0)
    key_room = _KEY_MM if beside else (room - _GAP_MM) / 2
    key = columns(blocks, 1 if beside else 2, key_room)
    layout = _layout(plane, top, width, max(height_of(column, key_room) for column in key), foot)
    paper = Paper(width, layout.height, title=title, alt=alt)
    page = paper.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(layout.height, 0))
    page.set_axis_off()
    paper.write(head, _EDGE_MM, _EDGE_MM)
    drawn.draw(_frame(paper, plane, top))
    for column, (left, upper, wide) in zip(key, layout.key, strict=True):
        draw_blocks(page, column, (left, upper), wide)
    left, upper, wide = layout.foot
    lines = wrapped(foot, wide, SMALLEST_PT)
    paper.write([(line, SMALLEST_PT, "normal", SOFT) for line in lines], left, upper)
    return paper


def _layout(plane: Plane, top: float, width: float, tall: float, foot: str) -> _Layout:
    """Arrange the parts: the legend beside a map that leaves it room, else beneath it."""
    room, under = width - 2 * _EDGE_MM, top + plane.height_mm
    side = _EDGE_MM + plane.width_mm + _GAP_MM
    foot_mm = height_mm(wrapped(foot, room, SMALLEST_PT), SMALLEST_PT)
    if plane.width_mm >= room:
        half = (room - _GAP_MM) / 2
        key = tuple((_EDGE_MM + i * (half + _GAP_MM), under + _GAP_MM, half) for i in (0, 1))
        upper = under + _GAP_MM + tall
        return _Layout(width, upper + foot_mm + _EDGE_MM, top, key, (_EDGE_MM, upper, room))
    narrow_mm = height_mm(wrapped(foot, _KEY_MM, SMALLEST_PT), SMALLEST_PT)
    key = ((side, top, _KEY_MM),)
    if tall + narrow_mm <= plane.height_mm:  # a tall map leaves room for the foot too
        upper = under - narrow_mm
        return _Layout(width, under + _EDGE_MM, top, key, (side, upper, _KEY_MM))
    upper = top + max(plane.height_mm, tall) + 1.0
    return _Layout(width, upper + foot_mm + _EDGE_MM, top, key, (_EDGE_MM, upper, room))


def _frame(paper: Paper, plane: Plane, top: float) -> Axes:
    """Make the map's own axes, in millimetres, with a line around them."""
    width, height = paper.size_mm
    low = 1 - (top + plane.height_mm) / height
    place = (_EDGE_MM / width, low, plane.width_mm / width, plane.height_mm / height)
    limits: dict[str, Any] = {"xlim": (0, plane.width_mm), "ylim": (0, plane.height_mm)}
    frame: Axes = paper.add_axes(place, xticks=[], yticks=[], gid="map", **limits)
    for spine in frame.spines.values():
        spine.set_visible(True)
    return frame


# ---------------------------------------------------------------------------- extents


def _spread(bounds: Bounds) -> Bounds:
    """Widen an extent that is too small to be seen in its surroundings."""
    west, south, east, north = bounds
    dx = max(0.0, _LEAST_SPAN_DEG - (east - west)) / 2
    dy = max(0.0, _LEAST_SPAN_DEG - (north - south)) / 2
    return west - dx, south - dy, east + dx, north + dy


def _around(places: Places, regions: Sequence[AtlasLayer]) -> Bounds:
    """Return the extent of places and areas, that of Cambodia where there are none."""
    corners = [layer.bounds for layer in regions if layer.bounds]
    lonlat = np.vstack([places.lonlat, np.reshape(corners, (-1, 2))])
    return bounds_of(lonlat) or _REGION


def _extent(view: View) -> Bounds:
    """Return west, south, east, north of a view in degrees."""
    if isinstance(view, shapely.Geometry):
        corners = np.asarray(shapely.bounds(view))
    else:
        require_crs(view, "view")
        corners = np.asarray(view.to_crs(4326).total_bounds)
    if not np.isfinite(corners).all():
        message = "`view` is empty: give at least one geometry, or leave it out to see every site"
        raise GeometryError(message)
    west, south, east, north = corners.tolist()
    return west, south, east, north


def _seen(plane: Plane) -> Bounds:
    """Return the extent in degrees that the frame shows, within the shipped ground."""
    edge = shapely.segmentize(shapely.box(*plane.box), plane.width_mm / 16)
    lonlat = plane.lonlat(shapely.get_coordinates(edge))
    west, south, east, north = bounds_of(lonlat) or _REGION
    return west, south, east, north


def _beyond(drawn: _Map) -> int:
    """Count the reports within the frame where no ground is known."""
    lonlat, totals = drawn.places.lonlat, drawn.places.counts.sum(axis=1)
    rows = [i for symbol in drawn.symbols for i in symbol.members]
    here = lonlat[rows]
    known = ((here >= COVERAGE[:2]) & (here <= COVERAGE[2:])).all(axis=1)
    return int(totals[rows][~known].sum())


# ---------------------------------------------------------------------------- words


def _sizes(drawn: _Map) -> Sizes | None:
    """Choose circles for the legend: one report, some, and the most of this map."""
    if not drawn.symbols:
        return None
    most = drawn.symbols[0].total
    return Sizes(tuple(sorted({1, max(1, round(most / 3)), most})), drawn.unit_mm)


def _own_sections(own: Sequence[AtlasLayer]) -> list[LegendSection]:
    """Return the legends of the author's layers; one without is explained by its name."""
    plain_ones = tuple(entry for layer in own if not layer.legend for entry in swatch_of(layer))
    sections = [section for layer in own for section in layer.legend]
    return [*sections, LegendSection("Also shown", plain_ones)]


def _notes(drawn: _Map, n_rows: int) -> list[str]:
    """Say what is on the map, what cannot be, and how to read it."""
    places = drawn.places
    outside = n_rows - drawn.shown - places.n_unlocated - places.n_polar
    beyond = _beyond(drawn)
    apart, without = drawn.apart, places.n_unlocated - sum(drawn.apart.values())
    counts = [f"{drawn.shown:,} {'at a place' if apart else 'shown'}"]
    counts += [sentence(key, n=n) for key, n in apart.items()]
    counts += [f"{without:,} without a location"]
    counts += [f"{outside:,} outside this map"] if outside else []
    counts += [f"{places.n_polar:,} too near a pole"] if places.n_polar else []
    told = f"{', '.join(counts)}."
    told += f" {beyond:,} of those shown lie beyond the drawn land." if beyond else ""
    told += " The counts by claim include all." if n_rows > drawn.shown else ""
    merged = any(len(symbol.members) > 1 for symbol in drawn.symbols)
    how = "Symbols that would overlap are drawn as one, with lines to the places if they are few."
    return [told, f"{how} {ABSENCE}" if merged else ABSENCE]


def _foot(source: str, date: str, plane: Plane, stack: Sequence[AtlasLayer]) -> str:
    """Write source, date, projection, credits and the disclaimer."""
    error = max(100 * plane.scale_error, 0.01)
    words = [
        source,
        f"Data to {date}." if date else "",
        f"{plane.name}; lengths true at the centre, to within {error:.1g} % elsewhere.",
        *distinct_credits(layer.attribution for layer in stack),
        DISCLAIMER,
    ]
    return " ".join(word for word in words if word)


def _alt(title: str, reports: AtlasLayer, drawn: _Map, n_rows: int) -> str:
    """Say in words what the map shows."""
    entries = [entry for section in reports.legend for entry in section.entries]
    claims = ", ".join(f"{entry.count:,} {entry.label}" for entry in entries)
    told = f"{n_rows:,} {'report' if n_rows == 1 else 'reports'}"
    told += f": {claims}." if claims else "."
    rows = [i for symbol in drawn.symbols for i in symbol.members]
    totals = drawn.places.counts.sum(axis=1)
    rows = sorted(rows, key=lambda i: (-totals[i], i))[:_NAMED]
    names = [f"{n} ({totals[i]:,})" for i in rows if (n := drawn.places.name(i))]
    most = f"Most stand at {', '.join(names)}." if names else ""
    return " ".join(filter(None, [f"Map: {title}.", told, _notes(drawn, n_rows)[0], most]))


def _latest(sites: gpd.GeoDataFrame) -> str:
    """Return the latest date in the data, as far as it is stated."""
    columns_ = [c for c in ("last_reported", "source_date") if c in sites.columns]
    stated = pd.concat([sites[c] for c in columns_]).dropna() if columns_ else pd.Series(dtype=str)
    return max(stated.astype(str), default="")
