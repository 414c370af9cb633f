"""A null model set to work on the points that are tested: what fits, and what is drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely
from pyproj import Transformer

from geo.errors import GeometryError
from geo.nullmodels import csr

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geo._patterns import Pattern
    from geo.nullmodels import NullModel

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["drawer_of", "model_for"]

_SAME_AREA = 1e-6  # of the window: what projecting and rounding may make of its outline
_SIDE_M = 2000.0  # sides no longer than this bend by some centimetres when they are projected


def model_for(
    null: NullModel | None, window: Window, pattern: Pattern, others: Pattern | None
) -> NullModel:
    """
    Take the model of chance, which must be one for these points and this window.

    Parameters
    ----------
    null : NullModel or None
        As given; None for complete spatial randomness.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        As given.
    pattern : Pattern
        The sites.
    others : Pattern or None
        Points of another kind.

    Returns
    -------
    NullModel
        Fit to be drawn from.

    Raises
    ------
    GeometryError
        If it is drawn in another window.
    ValueError
        If there is none for two kinds, or it was made from other points.
    """
    if null is None and others is not None:
        message = (
            "A test of two kinds of points needs a null model that says what is asked: "
            "random_shift(sites, window), random_labelling(sites, other, window) or csr(window)."
        )
        raise ValueError(message)
    model = csr(window) if null is None else _moved(null, pattern)
    _require_same_window(model, pattern)
    if model.given is None:
        return model
    if others is None:
        if model.wraps or len(model.given) <= pattern.n:
            message = (
                f"The null model ({model.name}) keeps the sites as they are to each other, so that "
                "nothing about them alone can be tested. Give the points of another kind as other."
            )
            raise ValueError(message)
        fits = _among(pattern.xy, model.given)
    else:
        points = pattern.xy if model.wraps else np.vstack([pattern.xy, others.xy])
        fits = np.array_equal(_sorted(points), _sorted(model.given))
    if not fits:
        whom = "these sites" if others is None or model.wraps else "these sites and the others"
        message = (
            f"The null model ({model.name}) was made from other points than {whom}. Make it from "
            "the same."
        )
        raise ValueError(message)
    return model


def drawer_of(
    model: NullModel, pattern: Pattern, others: Pattern | None
) -> Callable[[np.random.Generator], tuple[Floats, Floats | None]]:
    """
    Say how patterns are drawn from a model.

    Parameters
    ----------
    model : NullModel
        From `model_for`.
    pattern : Pattern
        The sites.
    others : Pattern or None
        Points of another kind.

    Returns
    -------
    callable
        From a stream to the sites and the others that they look at, if any.
    """
    n = pattern.n
    if others is None:
        return lambda rng: (model.draw(n, rng), None)
    seen = others.xy
    if model.given is None or model.wraps:
        return lambda rng: (model.draw(n, rng), seen)

    def labelled(rng: np.random.Generator) -> tuple[Floats, Floats]:
        # all places, of which those not drawn for the sites are the others
        both = model.draw(n + len(seen), rng)
        return both[:n], both[n:]

    return labelled


def _among(xy: Floats, places: Floats) -> bool:
    """Whether points are all among some places, those of one coordinate as often."""
    there, held = np.unique(places, axis=0, return_counts=True)
    every, found = np.unique(np.vstack([xy, places]), axis=0, return_counts=True)
    return len(every) == len(there) and bool((found <= 2 * held).all())


def _sorted(xy: Floats) -> Floats:
    """Return points in an order of their own."""
    return np.asarray(xy[np.lexsort(xy.T)])


def _moved(model: NullModel, pattern: Pattern) -> NullModel:
    """
    Put a model into the plane of the points, if both planes keep areas.

    The cells of a surface and the window that they fill have other middles, and so other planes.
    """
    apart = model.crs != pattern.crs and model.given is None
    if not apart or not all(_keeps_areas(crs) for crs in (model.crs, pattern.crs)):
        return model
    change = Transformer.from_crs(model.crs, pattern.crs, always_xy=True)

    def draw(n: int, rng: np.random.Generator) -> Floats:
        return np.column_stack(change.transform(*model.draw(n, rng).T))

    outline = shapely.transform(
        shapely.segmentize(model.window, _SIDE_M), change.transform, interleaved=False
    )
    return replace(model, window=outline, crs=pattern.crs, draw=draw)


def _keeps_areas(crs: CRS) -> bool:
    """Whether a plane is one of those that frames in degrees are put into."""
    operation = crs.coordinate_operation
    return operation is not None and "Equal Area" in operation.method_name


def _require_same_window(model: NullModel, pattern: Pattern) -> None:
    """Refuse a model whose patterns do not lie in the window."""
    same = model.crs == pattern.crs and shapely.area(
        shapely.symmetric_difference(model.window, pattern.window)
    ) <= _SAME_AREA * shapely.area(pattern.window)
    if not same:
        message = (
            f"The null model ({model.name}) is drawn in another window or another projection than "
            "the sites are tested in, so that nothing could be compared. Make it from the same "
            "window."
        )
        raise GeometryError(message)
