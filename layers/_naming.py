"""Names on a printed map: written where there is room, the most important first."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from layers._letters import POINTS_PER_MM, SMALLEST_PT, fonts_for, printable, width_mm
from layers._paper import INK, SOFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from layers._marks import Places, Symbol
    from layers._plane import Plane
    from layers.payload import AtlasLayer

__all__ = ["Names", "draw_names"]

_CAPITALS = 0.73  # height of capitals, by the size of the letters
_GROUND = "#f6f2e8"
_PX_PER_MM = 96 / 25.4  # of a screen, which the zooms of names are made for
_FEWER = 0.1  # of a zoom: a sheet cannot be zoomed into, so it names less
_TILE_PX = 256
_RIM_MM = 0.5  # names keep off the edge of the map

_LABELS: dict[str, dict[str, Any]] = {
    "town": {"color": "#4c5361"},
    "country": {"color": "#6d717b", "weight": "bold"},
    "province": {"color": "#6d6656", "style": "italic"},
    "sea": {"color": "#56717f", "style": "italic"},
}


@dataclass
class Names:
    """
    Room for names on the sheet: what stands somewhere keeps others away.

    Parameters
    ----------
    plane : Plane
        The sheet.
    """

    plane: Plane
    _taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def take(self, *boxes: tuple[float, float, float, float]) -> None:
        """
        Keep names away from what stands here.

        Parameters
        ----------
        *boxes : tuple of float
            Left, lower, right, upper edge in millimetres.
        """
        self._taken += boxes

    def freer(
        self, corners: Sequence[tuple[float, float]], size: tuple[float, float]
    ) -> tuple[float, float]:
        """
        Choose the place that least is in the way of.

        Parameters
        ----------
        corners : sequence of tuple of float
            Lower left corners to choose from, the best first.
        size : tuple of float
            Width and height.

        Returns
        -------
        tuple of float
            One of the corners.
        """
        taken = np.array(self._taken).reshape(-1, 4)

        def met(corner: tuple[float, float]) -> int:
            meets = (taken[:, 0] < corner[0] + size[0]) & (corner[0] < taken[:, 2])
            meets &= (taken[:, 1] < corner[1] + size[1]) & (corner[1] < taken[:, 3])
            return int(meets.sum())

        return min(corners, key=met)

    def beside(
        self, mm: tuple[float, float], size: tuple[float, float], clear_mm: float
    ) -> tuple[float, float] | None:
        """
        Find room for a name beside a mark.

        Parameters
        ----------
        mm : tuple of float
            The middle of the mark.
        size : tuple of float
            Width and height of the name.
        clear_mm : float
            Distance from the middle of the mark.

        Returns
        -------
        tuple of float or None
            The middle of the name.
        """
        (x, y), (wide, high) = mm, size
        right, up, side = clear_mm + wide / 2, clear_mm + high / 2, 0.3 * wide
        steps = [(right, 0), (-right, 0), (0, -up), (0, up)]
        steps += [(dx, dy) for dx in (side, -side, right, -right) for dy in (-up, up)]
        return self._first([(x + dx, y + dy) for dx, dy in steps], size)

    def over(
        self, mm: tuple[float, float], size: tuple[float, float]
    ) -> tuple[float, float] | None:
        """
        Find room for a name on a spot.

        Parameters
        ----------
        mm : tuple of float
            The spot.
        size : tuple of float
            Width and height of the name.

        Returns
        -------
        tuple of float or None
            The spot, if it is free.
        """
        return self._first([mm], size)

    def _first(
        self, middles: list[tuple[float, float]], size: tuple[float, float]
    ) -> tuple[float, float] | None:
        """Return the first middle around which there is room, and take it."""
        taken = np.array(self._taken).reshape(-1, 4)
        for x, y in middles:
            box = (x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
            within = min(box[:2]) > _RIM_MM and box[2] < self.plane.width_mm - _RIM_MM
            within = within and box[3] < self.plane.height_mm - _RIM_MM
            meets = (taken[:, 0] < box[2]) & (box[0] < taken[:, 2])
            meets &= (taken[:, 1] < box[3]) & (box[1] < taken[:, 3])
            if within and not meets.any():
                self._taken.append(box)
                return x, y
        return None


def draw_names(
    axes: Axes,
    plane: Plane,
    places: Places,
    symbols: Sequence[Symbol],
    labels: Sequence[AtlasLayer],
    names: Names,
) -> None:
    """
    Write names where there is room: first of the symbols, then of the layers.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In millimetres.
    plane : Plane
        The sheet.
    places : Places
        The places and what they are called.
    symbols : sequence of Symbol
        The largest first.
    labels : sequence of AtlasLayer
        Layers of names.
    names : Names
        What is taken already.
    """
    for symbol in symbols:
        name = places.name(symbol.members[0])
        if not name:
            continue
        others = len(symbol.members) - 1
        reports = f" ({symbol.total:,})" if symbol.total > 1 else ""
        wordings = [f"{name} and {others} more{reports}"] if others else []
        for words in (*wordings, f"{name}{reports}", name):
            size = _size(words, "bold")
            middle = names.beside(_pair(symbol.mm), size, symbol.radius_mm + 0.7)
            if middle:
                _write(axes, words, middle, color=INK, weight="bold")
                break
    written: set[tuple[str, str]] = set()
    rows = [row for layer in labels for row in layer.payload["labels"]]
    for words, lat, lon, look, zoom in rows:
        if zoom > _zoom(plane) or (look != "town" and (words, look) in written):
            continue
        if _draw_label(axes, plane, words, plane.mm(np.array([[lon, lat]]))[0], look, names):
            written.add((words, look))


def _draw_label(
    axes: Axes, plane: Plane, name: str, mm: NDArray[np.float64], look: str, names: Names
) -> bool:
    """Write one name of the ground, a town's beside its dot."""
    if not ((mm >= 0) & (mm <= [plane.width_mm, plane.height_mm])).all():
        return False
    style = _LABELS.get(look, _LABELS["province"])
    words = printable(name.upper() if look == "country" else name)
    size = _size(words, style.get("weight", "normal"))
    at = _pair(mm)
    middle = names.beside(at, size, 0.7) if look == "town" else names.over(at, size)
    if middle is None:
        return False
    if look == "town":
        axes.add_artist(Circle(at, 0.3, facecolor=SOFT, linewidth=0))
    _write(axes, words, middle, **style)
    return True


def _zoom(plane: Plane) -> float:
    """Tell which zoom of the screen shows the earth at this size."""
    equator_m = 40_075_016.7 * float(np.cos(np.radians(plane.centre[1])))
    return log2(equator_m / plane.m_per_mm / _TILE_PX * _PX_PER_MM) - _FEWER


def _size(words: str, weight: str) -> tuple[float, float]:
    """Measure a name, with a little air."""
    return width_mm(words, SMALLEST_PT, weight) + 0.6, 1.15 * SMALLEST_PT / POINTS_PER_MM


def _write(axes: Axes, words: str, middle: tuple[float, float], **style: Any) -> None:  # noqa: ANN401  # matplotlib's
    """Write a name around its middle, on a pale edge that lines do not strike through."""
    family = fonts_for(words)
    font = {key: style[key] for key in ("weight", "style") if key in style}
    outline = TextPath((0, 0), words, prop=FontProperties(family=family, size=SMALLEST_PT, **font))
    left = middle[0] - width_mm(words, SMALLEST_PT, style.get("weight", "normal")) / 2
    base = middle[1] - _CAPITALS / 2 * SMALLEST_PT / POINTS_PER_MM
    there = Affine2D().scale(1 / POINTS_PER_MM).translate(left, base)
    halo = {"linewidth": 1.6, "edgecolor": f"{_GROUND}cc", "facecolor": "none"}
    # As a path of its own, for an effect of the text's would make outlines of its letters.
    edge = PathPatch(outline, transform=there + axes.transData, joinstyle="round", **halo)
    axes.add_artist(edge)
    axes.text(left, base, words, size=SMALLEST_PT, va="baseline", family=family, **style)


def _pair(mm: NDArray[np.float64]) -> tuple[float, float]:
    """Return a point as two plain numbers."""
    return float(mm[0]), float(mm[1])
