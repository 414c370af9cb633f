"""What changed between two releases, as a layer of areas with signs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from shapely import Polygon, box

from layers._attacks import discs
from layers._fills import INK, filled
from layers.comparing import CHANGES, ReleaseComparison
from layers.legend import LegendEntry, LegendSection
from layers.scales import Scale
from layers.text import plain

if TYPE_CHECKING:
    import geopandas as gpd

    from layers.payload import AtlasLayer

__all__ = ["CHANGE_SCALE", "change_layer"]

# Hues of Okabe and Ito, as light as ground under names and symbols; nothing for what is as it was.
# The signs say the same without any colour.
CHANGE_SCALE = Scale(
    name="Change",
    keys=CHANGES,
    colours=("#74b4dc", "#e8915f", "#f2cb6c", "#e6e2d8"),
    labels=(
        "added (+)",
        "removed (\N{MINUS SIGN})",
        "changed (\N{WHITE UP-POINTING TRIANGLE})",
        "unchanged",
    ),
)
_SEVERAL = "#b5acc6"
_BAR = box(-0.62, -0.16, 0.62, 0.16)
_SIGNS = {
    "added": shapely.union(_BAR, box(-0.16, -0.62, 0.16, 0.62)),
    "removed": _BAR,
    "changed": Polygon(
        [(0, 0.68), (0.74, -0.56), (-0.74, -0.56)], [[(0, 0.26), (-0.36, -0.34), (0.36, -0.34)]]
    ),
}
_WITHIN = 0.55  # radius of a sign, of the circle that fits into the area
_SMALLEST, _LARGEST = 0.8, 1.6  # of the median one
_LEAST = 0.012  # radius of a point's circle, of the extent, so that it is seen
_APART = 1.7  # of a sign's radius, between several
_LETTERS = 60  # of a tooltip, which is one line
_POINT = 0  # type of geometry
_M_PER_DEG = 111_195.0


def change_layer(
    comparison: ReleaseComparison,
    *,
    name: str = "Changes since the last release",
    show: bool = True,
) -> AtlasLayer:
    """
    Draw what was added, removed and changed between two releases.

    Parameters
    ----------
    comparison : ReleaseComparison
        From `compare_releases`.
    name : str
        Name in layer controls and heading of the legend.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer: released areas, and circles around released points, once each, in the
        colour and with the signs of what changed there. Pointing at one says it in words. The
        legend counts rows, those without a place too.

    Raises
    ------
    TypeError
        If `comparison` is no ReleaseComparison.

    Notes
    -----
    A changed row is drawn where it is now, a removed one where it was. Where some rows are as they
    were, the others give the colour. A circle is that of ``uncertainty_m``, but never smaller than
    can be seen.

    Examples
    --------
    >>> import geo
    >>> from layers.changes import change_layer
    >>> from layers.comparing import compare_releases
    >>> sites = geo.example_sites()
    >>> old = geo.generalise(sites.iloc[:90], level="province")
    >>> layer = change_layer(compare_releases(old, geo.generalise(sites, level="province")))
    >>> [(entry.label, entry.count, entry.note) for entry in layer.legend[0].entries]
    [('added (+)', 7, ''), ('unchanged', 90, '18 without a place')]
    """
    if not isinstance(comparison, ReleaseComparison):
        message = (
            f"change_layer draws a ReleaseComparison, not a {type(comparison).__name__}: "
            "change_layer(compare_releases(old, new))"
        )
        raise TypeError(message)
    rows = comparison.to_frame()
    placed = rows[rows.geometry.notna() & ~rows.geometry.is_empty]
    shapes = _drawn(placed)
    order, codes = _stacked(shapes)
    shapes = shapes[order]
    groups: list[list[Any]] = [[] for _ in shapes]
    for code, row in zip(codes, placed.itertuples(), strict=True):
        groups[code].append(row)
    found = [{row.change for row in here} for here in groups]
    kinds = [[kind for kind in _SIGNS if kind in here] for here in found]
    fills = [
        _SEVERAL if len(signs) > 1 else CHANGE_SCALE(signs[0] if signs else "unchanged")
        for signs in kinds
    ]
    drawn = _signs(shapes, kinds)
    return filled(
        [*shapes, *drawn],
        [*map(_words, groups), *[""] * len(drawn)],
        [*fills, *[INK] * len(drawn)],
        name=name,
        legend=LegendSection(plain(name), _entries(rows, placed, fills.count(_SEVERAL))),
        attribution=rows.attrs.get("attribution", ""),
        show=show,
    )


def _drawn(placed: gpd.GeoDataFrame) -> np.ndarray:
    """Draw a circle for each point, and areas as they are."""
    shapes: np.ndarray = placed.geometry.to_numpy().astype(object)
    points = shapely.get_type_id(shapes) == _POINT
    radius = placed["uncertainty_m"].fillna(0.0).to_numpy(dtype=float)[points]
    west, south, east, north = placed.total_bounds
    seen_m = _LEAST * max(east - west, north - south) * _M_PER_DEG if points.any() else 0.0
    shapes[points] = discs(shapes[points], np.maximum(radius, max(seen_m, 1.0)))
    return shapes


def _stacked(shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give one of each distinct shape, the largest first, and which of these each shape is."""
    codes, distinct = pd.factorize(shapely.to_wkb(shapely.normalize(shapes)))
    _, first = np.unique(codes, return_index=True)
    rank = np.argsort(-shapely.area(shapes[first]), kind="stable")
    place = np.empty(len(distinct), dtype=np.int64)
    place[rank] = np.arange(len(distinct))
    return first[rank], place[codes]


def _signs(shapes: np.ndarray, kinds: list[list[str]]) -> list[shapely.Geometry]:
    """Draw the signs of each area side by side, where no smaller area lies over it."""
    marked = [i for i, found in enumerate(kinds) if found]
    tree = shapely.STRtree(shapes)
    circles = []
    for i in marked:
        above = [j for j in tree.query(shapes[i], predicate="intersects") if j > i]
        bare = shapely.difference(shapes[i], shapely.union_all(shapes[above]))
        circles.append(_widest(shapes[i] if shapely.is_empty(bare) else bare))
    wide = 1 + (np.array([len(kinds[i]) for i in marked]) - 1) * _APART / 2
    sizes = _WITHIN * np.array([radius for _, _, radius in circles]) / wide
    if marked:
        sizes = np.clip(sizes, _SMALLEST * np.median(sizes), _LARGEST * np.median(sizes))
    drawn = []
    for i, (lon, lat, _), size in zip(marked, circles, sizes, strict=True):
        scale = np.array([size / np.cos(np.radians(lat)), size])
        for k, kind in enumerate(kinds[i]):
            x = (k - (len(kinds[i]) - 1) / 2) * _APART
            sign = shapely.transform(_SIGNS[kind], lambda xy, x=x: xy + np.array([x, 0.0]))
            drawn.append(shapely.transform(sign, lambda xy, s=scale, m=(lon, lat): xy * s + m))
    return drawn


def _widest(shape: shapely.Geometry) -> tuple[float, float, float]:
    """Give the middle of the widest circle within a shape and its radius, in degrees north."""
    narrow = float(np.cos(np.radians(shapely.get_coordinates(shapely.centroid(shape))[0, 1])))
    flat = shapely.transform(shape, lambda xy: xy * [narrow, 1.0])
    low, high = shapely.bounds(flat).reshape(2, 2)
    line = shapely.maximum_inscribed_circle(flat, tolerance=float((high - low).max()) / 200)
    (x, y), _ = shapely.get_coordinates(line)
    return float(x) / narrow, float(y), float(shapely.length(line))


def _words(here: list[Any]) -> str:
    """Say what changed in one area, in a line."""
    place = plain(here[0].area) or plain(here[0].release_scheme)
    counts = Counter(row.change for row in here)
    said = ", ".join(f"{counts[kind]} {kind}" for kind in CHANGES if counts[kind])
    reasons = Counter(plain(row.reason) for row in here if row.change == "changed")
    told: list[str] = []
    for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        told.append(reason if n == len(here) else f"{n} of them {reason}")
        if sum(map(len, [place, said, *told])) > _LETTERS:
            told[-1] = "and more" if len(told) > 1 else ""
            break
    because = f" ({'; '.join(told)})" if any(told) else ""
    return f"{place}: {said}{because}"


def _entries(
    rows: gpd.GeoDataFrame, placed: gpd.GeoDataFrame, n_several: int
) -> tuple[LegendEntry, ...]:
    """Describe the colours, with the rows of each, those without a place too."""
    entries = []
    for kind, label, colour in zip(CHANGES, CHANGE_SCALE.labels, CHANGE_SCALE.colours, strict=True):
        n, shown = (int((frame["change"] == kind).sum()) for frame in (rows, placed))
        note = f"{n - shown:,} without a place" if n > shown else ""
        if n:
            entries.append(LegendEntry(label, colour, "square", count=n, note=note))
    if n_several:
        note = "counted above by row, here by area"
        several = LegendEntry("several in one area", _SEVERAL, "square", n_several, note)
        entries.append(several)
    return tuple(entries)
