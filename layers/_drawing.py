"""Layers drawn on paper: the same shapes and colours as on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Circle, Wedge
from matplotlib.path import Path

from geo.errors import ExportError
from layers._frames import drawable_radii, in_degrees, in_the_plane, lonlat_of
from layers._letters import SMALLEST_PT
from layers._marks import SMALLEST_MM
from layers._paper import INK
from layers._plane import decode_geometry
from layers.legend import LegendEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from layers._marks import Places, Symbol
    from layers._naming import Names
    from layers._plane import Plane
    from layers.payload import AtlasLayer
    from layers.scales import Scale

__all__ = [
    "PAPER",
    "RIM",
    "draw_bar",
    "draw_discs",
    "draw_layer",
    "draw_symbol",
    "draw_symbols",
    "require_drawable",
    "swatch_of",
]

RIM, PAPER = "#7c1b13", "#fffdf9"
_MOST_HAIRS = 12  # as on the screen: lines to hundreds would hide the map

# The looks of `assets/layers.js`, in points.
_AREAS: dict[str, dict[str, Any]] = {
    "sea": {"facecolor": "#dbe5ea", "linewidth": 0},
    "land": {"facecolor": "#e9e6de", "edgecolor": "#e9e6de", "linewidth": 0.3},
    "province": {"facecolor": "#f6f2e8", "edgecolor": "#cfc7b6", "linewidth": 0.35},
    "water": {"facecolor": "#dbe5ea", "linewidth": 0},
    "cell": {"facecolor": "none", "edgecolor": "#f6f2e8", "linewidth": 0.3},
    "area": {"facecolor": "#a3271d1a", "edgecolor": RIM, "linewidth": 0.5},
    "cluster": {"facecolor": "none", "edgecolor": INK, "linewidth": 0.7, "linestyle": (0, (5, 3))},
}
_HATCH = "#8d8474"  # of what too little is known of
_LINES: dict[str, dict[str, Any]] = {
    "line": {"color": "#0b5d7a", "linewidth": 0.8},
    "border": {"color": "#857b6b", "linewidth": 0.6},
    "coast": {"color": "#b9c6cc", "linewidth": 0.4},
    "river": {"color": "#c3d5dd", "linewidth": 0.5},
}


def require_drawable(layers: Sequence[AtlasLayer]) -> None:
    """
    Raise unless paper can show the layers.

    Parameters
    ----------
    layers : sequence of AtlasLayer
        The author's layers.

    Raises
    ------
    ExportError
        If one is of another kind than areas, lines or names.
    """
    for layer in layers:
        if layer.kind not in {"areas", "lines", "labels"}:
            message = (
                f"the layer {layer.title!r} is of the kind {layer.kind!r}, which a figure cannot "
                "show: give areas, lines and names in `layers=`, and reports as the first argument"
            )
            raise ExportError(message)


def draw_layer(axes: Axes, plane: Plane, layer: AtlasLayer) -> None:
    """
    Draw areas or lines; names are for `draw_names`.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In millimetres.
    plane : Plane
        The sheet.
    layer : AtlasLayer
        A layer of this package.
    """
    if layer.kind == "areas":
        _draw_areas(axes, plane, layer)
    elif layer.kind == "lines":
        _draw_lines(axes, plane, layer)


def swatch_of(layer: AtlasLayer) -> list[LegendEntry]:
    """
    Explain a layer that has no legend by its name.

    Parameters
    ----------
    layer : AtlasLayer
        A layer of this package.

    Returns
    -------
    list of LegendEntry
        One line for areas and lines; none for names.
    """
    style = layer.payload.get("style", "")
    if layer.kind == "lines":
        return [LegendEntry(layer.title, _LINES.get(style, _LINES["line"])["color"], "line")]
    if layer.kind == "areas":
        look = _AREAS.get(style, _AREAS["area"])
        hollow = look["facecolor"] == "none"
        return [
            LegendEntry(layer.title, look["edgecolor"], "line", dashed=True)
            if hollow
            else LegendEntry(layer.title, look["facecolor"], "square")
        ]
    return []


def _draw_areas(axes: Axes, plane: Plane, layer: AtlasLayer) -> None:
    """Draw polygons in the look, or the fills, of the layer."""
    data = layer.payload
    look = dict(_AREAS.get(data["style"], _AREAS["area"]))
    shapes = np.array([decode_geometry(s, areas=True) for s in data["shapes"]], dtype=object)
    drawn = plane.drawn(shapes) if len(shapes) else shapes
    seen = [i for i, shape in enumerate(drawn) if not shape.is_empty and shape.area > 0]
    if data["fills"]:
        look["facecolor"] = [data["fills"][i] for i in seen]
        if "opacities" in data:
            pairs = zip(look["facecolor"], (data["opacities"][i] for i in seen), strict=True)
            look["facecolor"] = [to_rgba(colour, opacity) for colour, opacity in pairs]
        else:
            look["edgecolor"] = PAPER
    paths = [_polygon_path(drawn[i]) for i in seen]
    axes.add_collection(PathCollection(paths, **look), autolim=False)
    hatched = [_polygon_path(drawn[i]) for i in data.get("hatched", []) if i in set(seen)]
    if hatched:
        marks: dict[str, Any] = {"facecolor": "none", "edgecolor": _HATCH, "linewidth": 0}
        axes.add_collection(PathCollection(hatched, hatch="////", **marks), autolim=False)
    if "ends" in data:
        # As on the screen: no coast where only the outlines end.
        edge = shapely.difference(shapely.boundary(shapes), shapely.box(*data["ends"]).exterior)
        parts = _parts(plane.drawn(edge))
        axes.add_collection(LineCollection(parts, zorder=1, **_LINES["coast"]), autolim=False)


def _draw_lines(axes: Axes, plane: Plane, layer: AtlasLayer) -> None:
    """Draw lines in the look of the layer."""
    data = layer.payload
    shapes = np.array([decode_geometry(s, areas=False) for s in data["shapes"]], dtype=object)
    parts = _parts(plane.drawn(shapes) if len(shapes) else shapes)
    look = _LINES.get(data["style"], _LINES["line"])
    axes.add_collection(LineCollection(parts, capstyle="round", zorder=1, **look), autolim=False)


def _parts(lines: NDArray[np.object_]) -> list[NDArray[np.float64]]:
    """Return the coordinates of each line that is not empty."""
    return [shapely.get_coordinates(p) for p in shapely.get_parts(lines) if not p.is_empty]


def draw_discs(axes: Axes, plane: Plane, sites: gpd.GeoDataFrame, colour: str) -> None:
    """
    Draw circles of uncertainty, true on the earth.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In millimetres.
    plane : Plane
        The sheet.
    sites : geopandas.GeoDataFrame
        Sites; each distinct pair of point and ``uncertainty_m`` is one circle.
    colour : str
        Their colour.
    """
    frame = in_degrees(sites, "Point", argument="sites")
    radius = drawable_radii(frame)
    drawn = in_the_plane(frame) & radius.notna()
    discs = np.column_stack([lonlat_of(frame[drawn]), radius[drawn]])
    # One smaller than the smallest symbol would lie beneath it, unseen.
    discs = np.unique(discs[discs[:, 2] > SMALLEST_MM * plane.m_per_mm], axis=0)
    circles = plane.circles(discs[:, :2], discs[:, 2])
    seen = shapely.intersects(circles, shapely.box(*plane.box))
    look: dict[str, Any] = {"linewidth": 0.4, "linestyle": (0, (2, 2.4))}
    paths = [_polygon_path(circle) for circle in circles[seen]]
    look |= {"facecolor": f"{colour}0b", "edgecolor": f"{colour}99"}
    axes.add_collection(PathCollection(paths, **look), autolim=False)


def _polygon_path(shape: shapely.Geometry) -> Path:
    """Turn polygons into one path, holes wound the other way so that they stay open."""
    vertices, codes = [], []
    parts = shapely.get_parts(shape)
    for part in shapely.orient_polygons(parts[shapely.get_dimensions(parts) == 2]):  # noqa: PLR2004  # surfaces
        for ring in (part.exterior, *part.interiors):
            points = shapely.get_coordinates(ring)
            vertices.append(points)
            codes.append(np.r_[Path.MOVETO, np.full(len(points) - 2, Path.LINETO), Path.CLOSEPOLY])
    return Path(np.concatenate(vertices), np.concatenate(codes).astype(np.uint8))


# ---------------------------------------------------------------------------- symbols


def draw_symbol(
    axes: Axes, mm: Sequence[float] | NDArray[np.float64], radius_mm: float, parts: dict[str, int]
) -> None:
    """
    Draw one symbol: its sectors clockwise from the top, a rim, a pale ring around it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In millimetres.
    mm : sequence of float
        Its middle.
    radius_mm : float
        Its radius.
    parts : dict
        Number of reports by colour; none for an empty circle.
    """
    at, total = (float(mm[0]), float(mm[1])), sum(parts.values())
    axes.add_artist(Circle(at, radius_mm + 0.28, facecolor=PAPER, linewidth=0))
    done = 0
    for colour, count in parts.items():
        if count == total:
            axes.add_artist(Circle(at, radius_mm, facecolor=colour, linewidth=0))
        elif count:
            turn = [90 - 360 * share / total for share in (done + count, done)]
            axes.add_artist(Wedge(at, radius_mm, *turn, facecolor=colour, linewidth=0))
        done += count
    axes.add_artist(Circle(at, radius_mm, fill=False, edgecolor=RIM, linewidth=0.7))


def draw_symbols(
    axes: Axes, plane: Plane, places: Places, symbols: Sequence[Symbol], scale: Scale
) -> None:
    """
    Draw the symbols of all reports, with hairlines to the places that have joined one.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In millimetres.
    plane : Plane
        The sheet.
    places : Places
        The places.
    symbols : sequence of Symbol
        From `symbols_of`.
    scale : Scale
        Colours by status.
    """
    mm = plane.mm(places.lonlat)
    joined = [
        (s.mm, mm[i]) for s in symbols if len(s.members) <= _MOST_HAIRS for i in s.members[1:]
    ]
    axes.add_collection(LineCollection(joined, colors=RIM, linewidths=0.4, zorder=1), autolim=False)
    for _, end in joined:
        axes.add_artist(Circle((float(end[0]), float(end[1])), 0.35, facecolor=RIM, linewidth=0))
    colours = (*scale.colours, scale.missing)
    for symbol in reversed(symbols):
        parts: dict[str, int] = {}
        for colour, count in zip(colours, symbol.counts.tolist(), strict=True):
            parts[colour] = parts.get(colour, 0) + count
        draw_symbol(axes, symbol.mm, symbol.radius_mm, {c: n for c, n in parts.items() if n})


# ---------------------------------------------------------------------------- the scale


def draw_bar(axes: Axes, plane: Plane, names: Names) -> None:
    """
    Draw the scale bar and where north is, in the lower corner that is freer.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In millimetres.
    plane : Plane
        The sheet.
    names : Names
        What is taken; the bar takes its own room.
    """
    length_m, long = plane.scale_bar()
    words = f"{length_m / 1000:,g} km" if length_m >= 1000 else f"{length_m:g} m"  # noqa: PLR2004  # a kilometre
    wide = long + 7.5
    left = names.freer(((2.0, 2.0), (plane.width_mm - wide - 2.0, 2.0)), (wide, 6.0))[0]
    bottom = 2.6
    names.take((left - 1, bottom - 1, left + wide + 1, bottom + 5))
    ends = np.array([[left, bottom + 0.9], [left, bottom], [left + long, bottom]])
    outline = np.vstack([ends, [left + long, bottom + 0.9]])
    axes.add_collection(
        LineCollection([outline], colors=INK, linewidths=0.8, gid="scale-bar"), autolim=False
    )
    axes.text(left + long / 2, bottom + 1.1, words, ha="center", va="bottom", size=SMALLEST_PT)
    foot = np.array([left + long + 4.5, bottom])
    tip = foot + 2.6 * plane.north(_pair(foot))
    arrow = {"arrowstyle": "-|>,head_length=0.25,head_width=0.12", "lw": 0.7, "color": INK}
    arrow |= {"shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=_pair(tip), xytext=_pair(foot), arrowprops=arrow)
    axes.text(*_pair(tip + np.array([0, 0.2])), "N", ha="center", va="bottom", size=SMALLEST_PT)


def _pair(mm: NDArray[np.float64]) -> tuple[float, float]:
    """Return a point as two plain numbers."""
    return float(mm[0]), float(mm[1])
