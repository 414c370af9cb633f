"""
What a notebook shows of sites that are not public: their places to a tenth of a degree.

The output of a cell is saved with the notebook, and notebooks are sent on and published. Where a
GeoDataFrame has a column ``sensitivity``, each row that does not say ``public`` in it is therefore
displayed with

- its geometries as ``POINT (104.5 12.8), rounded: not public``,
- numbers rounded to one decimal in columns that are called latitude or longitude or repeat the
  coordinates of every row, and no number there that is no degree,
- ``verbatim_location``, texts of coordinates and any text that holds numbers with three decimals
  or degree signs as ``withheld in this view``.

The frame itself is not changed, and neither are other rows and other frames.

This guards against accidents, not against anybody: names and addresses are shown, and so are exact
places by whatever is no such frame or is not displayed by IPython. A GeoSeries, one row of a
frame, or a frame of some of the columns does not know that its places are not public; ``print``,
``str`` and files do not ask.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo._columns import ALWAYS
from geo._recognition import find

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pyproj import CRS

__all__ = ["coarse_view", "register"]

_DECIMALS = 1  # of a degree: 11 km
_WITHHELD = "withheld in this view"
_TURN = 180  # degrees
_SAME, _LEAST = 1e-3, 10  # relative: numbers this close to coordinates are these; of at least 10
_FINE = re.compile(r"\d(?:\.\d{3}|,\d{4}|\s?°)")  # three digits after a comma are thousands


def register() -> None:
    """
    Let a running IPython display sites that are not public rounded.

    Without one nothing happens; IPython is never imported.
    """
    current = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = current() if current else None
    if shell is None:
        return
    formatters = shell.display_formatter.formatters
    for kind, face in (("text/html", _face), ("text/latex", _face), ("text/plain", _plain_face)):
        formatters[kind].for_type(gpd.GeoDataFrame, face(formatters[kind]))


def coarse_view(frame: gpd.GeoDataFrame) -> pd.DataFrame | None:
    """
    Give what may be displayed of a frame in which some rows are not public.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Any.

    Returns
    -------
    pandas.DataFrame or None
        The same rows and columns, geometries as text; None if all rows may be displayed.
    """
    marks = frame.loc[:, frame.columns == "sensitivity"]  # none, one, or two of one name
    hidden = ~marks.isin(["public"]).all(axis=1).to_numpy(dtype=bool)
    if not hidden.any():
        return None
    named = find(label for label in frame.columns if str(label) not in ALWAYS)
    axes = [*named.get("latitude", ()), *named.get("longitude", ())]
    texts = [*named.get("coordinates", ()), *named.get("verbatim_location", ())]
    located = frame.active_geometry_name is not None
    places = _places(frame.geometry[hidden]) if located else np.zeros((int(hidden.sum()), 0))
    view = pd.DataFrame(frame)
    for i, label in enumerate(frame.columns):
        column = frame.iloc[:, i]
        if isinstance(column.dtype, gpd.array.GeometryDtype):
            view.isetitem(i, _words(gpd.GeoSeries(column), hidden))
        elif pd.api.types.is_float_dtype(column.dtype):
            if label in axes or _repeats(column[hidden], places):
                rounded = column.round(_DECIMALS).where(column.abs() <= _TURN)
                view.isetitem(i, column.mask(hidden, rounded))
        else:
            told = hidden if label in {*axes, *texts} else _fine(column, hidden)
            if told.any():
                view.isetitem(i, column.astype(object).mask(told & column.notna(), _WITHHELD))
    return view


def _face(formatter: Any) -> Callable[[gpd.GeoDataFrame], object]:  # noqa: ANN401  # of IPython
    """Return what displays frames in one format, as before wherever all rows are public."""
    before = formatter.for_type(gpd.GeoDataFrame)

    def shown(frame: gpd.GeoDataFrame) -> object:
        view = coarse_view(frame)
        if view is not None:
            return formatter(view)
        return before(frame) if before else getattr(frame, formatter.print_method)()

    return shown


def _plain_face(formatter: Any) -> Callable[[gpd.GeoDataFrame, Any, bool], None]:  # noqa: ANN401
    """Return what writes frames as plain text, within lists and other containers too."""
    before = formatter.for_type(gpd.GeoDataFrame)

    def printed(frame: gpd.GeoDataFrame, printer: Any, cycle: bool) -> None:  # noqa: ANN401, FBT001
        view = coarse_view(frame)
        if view is not None:
            printer.pretty(view)
        elif before:
            before(frame, printer, cycle)
        else:
            with printer.group():
                for i, line in enumerate(repr(frame).splitlines()):
                    if i:
                        printer.break_()
                    printer.text(line)

    return printed


def _places(geometry: gpd.GeoSeries) -> NDArray[np.float64]:
    """Coordinates in the middle of each geometry: in its own system, and in degrees."""
    middles = _middles(geometry)
    return np.column_stack([middles, _degrees(middles, geometry.crs)])


def _middles(geometry: gpd.GeoSeries) -> NDArray[np.float64]:
    """Coordinates in the middle of each geometry, not finite where there is none."""
    middles = shapely.centroid(geometry.to_numpy())
    middles[shapely.is_empty(middles)] = None
    return np.column_stack([shapely.get_x(middles), shapely.get_y(middles)])


def _degrees(xy: NDArray[np.float64], crs: CRS | None) -> NDArray[np.float64]:
    """Longitude and latitude of coordinates, not finite where they are not known."""
    if crs is None:
        return np.full(xy.shape, np.nan)
    return np.column_stack(Transformer.from_crs(crs, 4326, always_xy=True).transform(*xy.T))


def _words(geometry: gpd.GeoSeries, hidden: NDArray[np.bool_]) -> pd.Series:
    """Geometries as they are written; those of hidden rows by one rounded place."""
    whole = geometry.array._formatter(boxed=True)  # noqa: SLF001  # what pandas asks arrays for
    words = np.full(len(geometry), None, dtype=object)
    words[~hidden] = [None if g is None else whole(g) for g in geometry.to_numpy()[~hidden]]
    kinds = geometry.geom_type.str.upper().to_numpy(dtype=object)[hidden]
    places = np.round(_places(geometry[hidden])[:, 2:], _DECIMALS) + 0.0  # no minus at zero
    words[hidden] = [
        None if pd.isna(kind) else _rounded_words(kind, x, y)
        for kind, (x, y) in zip(kinds, places.tolist(), strict=True)
    ]
    return pd.Series(words, index=geometry.index, dtype=object)


def _rounded_words(kind: str, x: float, y: float) -> str:
    """Write one geometry of a row that is not public."""
    if not np.isfinite(x + y):
        return f"{kind}, withheld: not public"
    return f"{kind} ({x:.{_DECIMALS}f} {y:.{_DECIMALS}f}), rounded: not public"


def _repeats(numbers: pd.Series, places: NDArray[np.float64]) -> bool:
    """Tell whether a column repeats one of the coordinates of every row that has both."""
    off = np.abs(numbers.to_numpy(dtype=float, na_value=np.nan)[:, None] - places)
    known = np.isfinite(off)
    same = off <= _SAME * np.maximum(np.abs(places), _LEAST)
    return bool((known.any(axis=0) & (same | ~known).all(axis=0)).any())


def _fine(column: pd.Series, hidden: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which hidden rows have a text with a fine number in it."""
    told = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_string_dtype(column.dtype) or isinstance(column.dtype, pd.CategoricalDtype):
        codes, words = pd.factorize(column[hidden].astype(str), use_na_sentinel=False)
        fine = [bool(_FINE.search(str(word))) for word in words]
        told[hidden] = np.array(fine, dtype=bool)[codes]
    return told
