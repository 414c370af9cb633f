"""Rules about what was computed and drawn: of which places, and whether it gives them away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import folium
import geopandas as gpd
import numpy as np
import shapely

from layers._codes import from_mercator
from layers._draft import Problem
from layers._reached import reached
from layers._rendering import elements_of
from layers.payload import DECIMALS, AtlasLayer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from branca.element import Element
    from numpy.typing import NDArray

    from layers._draft import Draft

    Floats = NDArray[np.float64]

__all__ = ["revealing"]

_FEWEST = 3
_GIVING = ("HeatMap", "HeatMapWithTime", "MarkerCluster", "FastMarkerCluster", "FastOverlayMarker")
_COUNTS = ("n", "n_sites", "n_cases", "n_points")  # what results call the places they are of
_SAME_DEG = 1e-4  # ten metres: between the middle of a circle and the place it was drawn around
_ROUND = 0.1  # by which the radii of a circle may differ: a degree is shorter from west to east
_CORNERS = 4
_WHERE = ("get_offsets", "get_xydata", "get_unitless_position")  # of points, lines, texts


def revealing(draft: Draft) -> Iterator[Problem]:
    """
    Find statistics and layers that give their points away.

    Parameters
    ----------
    draft : Draft
        The release.

    Yields
    ------
    Problem
        One for each.
    """
    for words in draft.warned:
        yield Problem(words, where="the functions that draw")
    for title, answer in (*draft.answers.items(), *draft.tables.items()):
        for words in dict.fromkeys(_revealed(answer, draft)):
            yield Problem(words, where=f"result {title!r}")
    found = dict.fromkeys(
        words
        for function in draft.functions
        for value in reached(function)
        for words in _revealed(value, draft)
    )
    for words in found:
        yield Problem(f"{words}: use the argument only", where="what a function refers to")
    yield from _drawn(draft)
    yield from _plotted(draft)


def _revealed(value: Any, draft: Draft) -> Iterator[str]:  # noqa: ANN401 - any answer
    """Yield what is wrong with a statistic, a table or a layer."""
    kind = type(value).__name__
    if isinstance(value, AtlasLayer) and value.exact:
        yield f"a layer of {value.exact} reports that are not public, at their own points"
    if isinstance(value, gpd.GeoDataFrame | gpd.GeoSeries):
        n = _hidden_among(value, draft)
        if n:
            yield f"a {kind} with {n} places that are not released"
    if not hasattr(value, "summary"):
        return
    for part in vars(value).values() if hasattr(value, "__dict__") else ():
        if isinstance(part, gpd.GeoDataFrame | gpd.GeoSeries) and _hidden_among(part, draft):
            yield f"a {kind} of places that are not released"
    yield from _too_few(value, draft)


def _too_few(result: Any, draft: Draft) -> Iterator[str]:  # noqa: ANN401 - any result
    """Yield what is wrong with the number of places of a statistic, and with its distances."""
    kind, n_points = type(result).__name__, int((draft.exact | draft.displaced).sum())
    counts = [getattr(result, name, None) for name in _COUNTS]
    for n in (n for n in counts if isinstance(n, int | np.integer)):
        if n < _FEWEST:
            yield f"a {kind} of {n} places gives them away"
        if n > n_points:
            yield f"a {kind} of {n} places, and {n_points} are released as points"
    masks = draft.view["uncertainty_m"][draft.displaced]
    masked_m = 0.0 if masks.empty else float(masks.max())
    bandwidth = getattr(result, "bandwidth_m", None)
    if isinstance(bandwidth, int | float) and bandwidth < masked_m:
        yield f"a {kind} with a bandwidth below the radius of displaced places"
    distances = np.ravel(np.asarray(getattr(result, "distances_m", ()), dtype=float))
    if masked_m and (distances[distances > 0] < masked_m).any():
        yield f"a {kind} at distances below the radius of displaced places"


def _hidden_among(frame: gpd.GeoDataFrame | gpd.GeoSeries, draft: Draft) -> int:
    """Count the points of a frame that are places which are not released."""
    if frame.crs is None or (
        isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is None
    ):
        return 0
    shapes = frame.geometry.to_crs(4326).to_numpy()
    points = shapes[(shapely.get_type_id(shapes) == 0) & ~shapely.is_empty(shapes)]
    hidden = {tuple(place) for place in draft.hidden.tolist()}
    found = np.round(shapely.get_coordinates(points), 6) + 0.0
    return sum(tuple(place) in hidden for place in found.tolist())


def _drawn(draft: Draft) -> Iterator[Problem]:
    """Yield what is wrong with the parts of the map."""
    if draft.page is None:
        return
    parts = list(elements_of(draft.page))
    hides = len(draft.hidden) > 0
    for kind in dict.fromkeys(type(part).__name__ for part in parts):
        if hides and kind in _GIVING:
            yield Problem(f"a {kind} holds every point", where="the map")
    for part in parts:
        for words in _revealed(part, draft) if isinstance(part, AtlasLayer) else ():
            yield Problem(words, where="the map")
    middles = [middle for part in parts for ring in _rings(part) for middle in _middle(ring)]
    if n := _at_hidden(np.reshape(middles, (-1, 2)), draft):
        yield Problem(f"{n} circles or boxes around places not released", where="the map")


def _plotted(draft: Draft) -> Iterator[Problem]:
    """Yield what a figure draws at places that are not released: numbers that its files round."""
    if draft.figure is None:
        return
    drawn: list[Floats] = [np.empty((0, 2))]
    for part in draft.figure.findobj():
        for name in _WHERE:
            if hasattr(part, name):
                given = np.ma.filled(np.ma.asarray(getattr(part, name)()), np.nan)
                drawn.append(np.asarray(given, dtype=float).reshape(-1, 2))
    spots = np.concatenate(drawn)
    spots = spots[np.isfinite(spots).all(axis=1)]
    with np.errstate(over="ignore"):
        mercator = np.column_stack(from_mercator(*spots.T))
    if n := _at_hidden(np.concatenate([spots, mercator]), draft):
        yield Problem(f"{n} marks at places that are not released", where="the figure")


def _at_hidden(spots: Floats, draft: Draft) -> int:
    """Count the spots, in degrees, at places that are not released."""
    tree = shapely.STRtree(shapely.points(draft.hidden))
    around = tree.query(shapely.points(spots), predicate="dwithin", distance=_SAME_DEG)[0]
    return len(np.unique(around))


def _rings(part: Element) -> Iterator[Floats]:
    """Yield the outlines that a part of a map draws, as longitude and latitude."""
    if isinstance(part, AtlasLayer):
        for shape in part.payload.get("shapes", ()):
            for ring in (ring for piece in shape for ring in piece):
                steps = np.reshape(np.asarray(ring, dtype=float), (-1, 2))
                yield np.cumsum(steps, axis=0)[:, ::-1] / 10**DECIMALS
    elif isinstance(part, folium.GeoJson):
        features = part.data.get("features", [part.data])
        drawn = [feature.get("geometry", feature) for feature in features]
        shapes = [shapely.geometry.shape(geometry) for geometry in drawn if geometry]
        for shape in shapely.get_parts(shapes):
            yield shapely.get_coordinates(getattr(shape, "exterior", shape))
    elif isinstance(part, folium.FitBounds):
        yield _box(part.bounds)
    elif isinstance(part, folium.Rectangle):
        yield _box(part.locations)
    elif isinstance(part, folium.vector_layers.BaseMultiLocation):
        yield np.reshape(np.asarray(part.locations, dtype=float), (-1, 2))[:, ::-1]


def _box(corners: Sequence[Sequence[float]]) -> Floats:
    """Outline of a rectangle that is given by two corners, latitude first."""
    (south, west), (north, east) = np.sort(np.asarray(corners, dtype=float), axis=0)
    return np.array([[west, south], [east, south], [east, north], [west, north]])


def _middle(ring: Floats) -> Iterator[Floats]:
    """Yield the middle of an outline that is a circle or a box."""
    corners = ring[:-1] if len(ring) and (ring[0] == ring[-1]).all() else ring
    if len(corners) < _CORNERS:
        return
    middle = corners.mean(axis=0)
    radii = np.hypot(*(corners - middle).T)
    if radii.std() <= _ROUND * radii.mean():
        yield middle
