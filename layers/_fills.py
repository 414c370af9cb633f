"""What layers of computed areas share: their payload, continuous degrees, words for counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo.errors import GeometryError
from layers._frames import bounds_of
from layers._words import Phrase, joined, known, said_by
from layers.payload import AtlasLayer, encode_geometry
from layers.scales import STATUS_SCALE
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layers.legend import LegendSection

__all__ = [
    "INK",
    "LINE",
    "continuous",
    "counts_words",
    "filled",
    "fills_of",
    "length_words",
    "require_result",
    "status_counts",
]

INK, LINE = "#1d2330", "#0b5d7a"  # of the styles "cluster" and "line"

_KM = 1000
_HALF_TURN = 180.0


def filled(
    shapes: Sequence[shapely.Geometry],
    words: Iterable[str],
    fills: Sequence[str],
    *,
    name: str,
    legend: LegendSection,
    style: str = "cell",
    hatched: Sequence[int] = (),
    attribution: str = "",
    show: bool = True,
    exact: int = 0,
) -> AtlasLayer:
    """
    Make a layer of polygons, each with words that are shown when it is pointed at.

    Parameters
    ----------
    shapes : sequence of shapely.Geometry
        Polygons in degrees.
    words : iterable of str
        What each says.
    fills : sequence of str
        Colour of each; none for outlines.
    name : str
        Name in layer controls.
    legend : LegendSection
        Explains the fills, and has their opacity; left out where there is nothing to explain.
    style : str, default "cell"
        Look of the outlines, as in `area_layer`.
    hatched : sequence of int
        Positions of the polygons of which too little is known.
    attribution : str
        Who must be named.
    show : bool, default True
        Whether the layer is drawn when the map opens.
    exact : int, default 0
        How many rows that are not public the outlines give away.

    Returns
    -------
    AtlasLayer
        A Folium layer.
    """
    labels = [said if isinstance(said, Phrase) else plain(said) for said in words]
    payload = {
        "title": plain(name),
        "style": style,
        "shapes": [encode_geometry(shape) for shape in shapes],
        **fills_of(fills, legend, hatched),
        "labels": labels,
        "said": said_by(labels),
        "values": [],
    }
    return AtlasLayer(
        "areas",
        payload,
        name=name,
        bounds=bounds_of(shapely.get_coordinates(shapes)),
        legend=(legend,) if legend.entries else (),
        attribution=plain(attribution),
        show=show,
        exact=exact,
    )


def fills_of(
    fills: Sequence[str], legend: LegendSection, hatched: Sequence[int] = ()
) -> dict[str, Any]:
    """
    Return the colours of areas for the page, drawn as their legend shows them.

    Parameters
    ----------
    fills : sequence of str
        Colour of each area; none for outlines.
    legend : LegendSection
        Their legend.
    hatched : sequence of int
        Positions of the areas that are hatched.

    Returns
    -------
    dict
        Part of a payload.
    """
    if not len(fills):
        return {"fills": []}
    look = {"opacity": legend.opacity, "graded": legend.graded, "hatched": list(hatched)}
    return {"fills": list(fills), **look}


def continuous(
    shapes: Sequence[shapely.Geometry] | np.ndarray, longitude: float
) -> list[shapely.Geometry]:
    """
    Count longitudes on from one, so that no shape jumps at the antimeridian.

    Parameters
    ----------
    shapes : sequence of shapely.Geometry
        Polygons in degrees, narrower than half the globe.
    longitude : float
        In the middle of them.

    Returns
    -------
    list of shapely.Geometry
        The same places.

    Raises
    ------
    GeometryError
        If one holds a pole, and so has no outline in longitude and latitude.
    """

    def counted_on(lonlat: np.ndarray) -> np.ndarray:
        turned = (lonlat[:, 0] - longitude + 180) % 360 - 180 + longitude
        return np.column_stack([turned, lonlat[:, 1]])

    placed = [shapely.transform(shape, counted_on) for shape in shapes]
    # an outline around a pole runs through all longitudes, and jumps back once
    corners, ring = shapely.get_coordinates(shapely.get_rings(placed), return_index=True)
    jumps = np.abs(np.diff(corners[:, 0])) > _HALF_TURN
    if (jumps & (np.diff(ring) == 0)).any():
        message = (
            "an area of this layer holds a pole, which a map in longitude and latitude cannot "
            "show: leave out what is so near to it, or use smaller distances"
        )
        raise GeometryError(message)
    return placed


def status_counts(status: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """
    Count the reports of each status in groups.

    Parameters
    ----------
    status : numpy.ndarray of object, shape (n,)
        What is claimed of each report.
    group : numpy.ndarray of int, shape (n,)
        Where it belongs.
    n_groups : int
        How many groups there are.

    Returns
    -------
    numpy.ndarray of int, shape (n_groups, 5)
        Columns in the order of `STATUS_SCALE`; the last holds any other status.
    """
    counts = np.zeros((n_groups, len(STATUS_SCALE.keys) + 1), dtype=np.int64)
    codes, distinct = pd.factorize(status)
    kinds = np.array([STATUS_SCALE.index(value) for value in distinct], dtype=np.int64)
    np.add.at(counts, (group, kinds[codes]), 1)
    return counts


def counts_words(counts: Iterable[int]) -> str:
    """
    Write counts by status, never their sum.

    Parameters
    ----------
    counts : iterable of int
        A row of `status_counts`.

    Returns
    -------
    str
        For example ``3 confirmed, 2 suspected``.
    """
    labels = (*STATUS_SCALE.labels, "of another status")
    pairs = zip(counts, labels, strict=True)
    return joined(Phrase("several", n=int(n), word=known(label)) for n, label in pairs if n)


def length_words(length_m: float) -> str:
    """
    Write a length for a reader.

    Parameters
    ----------
    length_m : float
        In metres.

    Returns
    -------
    str
        In kilometres from 1000 m on, three figures.
    """
    shown = float(f"{length_m:.3g}")
    if shown >= _KM:
        return Phrase("km", n=f"{shown / _KM:,.10g}")
    return Phrase("m", n=f"{shown:.10g}")


def require_result(value: object, kind: type, function: str, made_by: str) -> None:
    """
    Raise unless this is the result that a layer draws.

    Parameters
    ----------
    value : object
        What was given.
    kind : type
        What is needed.
    function : str
        Name of the layer's function.
    made_by : str
        The call that gives such a result.

    Raises
    ------
    TypeError
        If it is of another type.
    """
    if not isinstance(value, kind):
        message = (
            f"{function} draws a {kind.__name__}, not a {type(value).__name__}: "
            f"{function}(geo.{made_by})"
        )
        raise TypeError(message)
