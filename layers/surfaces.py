"""
What is spread over an area as layers: hexagons and densities.

As with `layers.features`, each layer can be added to anybody's ``folium.Map``. Surfaces lie
beneath the symbols in a hue of their own, and say in the legend what they rest on.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from pyproj import Transformer

import geo
from geo.errors import GeometryError, ResolutionWarning, SensitivityWarning
from layers._fills import (
    INK,
    continuous,
    counts_words,
    filled,
    length_words,
    require_result,
    status_counts,
)
from layers._frames import column, drawable_radii, in_degrees, in_the_plane, lonlat_of
from layers._hexagons import hexagons_of
from layers._words import Phrase, known
from layers.legend import LegendEntry, LegendSection
from layers.scales import (
    STATUS_SCALE,
    Scale,
    greens,
    number_words,
    sequential_scale,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import shapely

    from layers.payload import AtlasLayer

__all__ = ["density_layer", "hex_layer"]

_FARTHEST_M = 6e6  # beyond, hexagons of the plane are slivers on the globe
_MOST_BANDS = 5  # that can be told apart
_OPACITY = 0.75  # rivers and borders are the way to read a surface
_TINY = 1e-9  # of a logarithm, lost in rounding


def hex_layer(
    sites: gpd.GeoDataFrame,
    *,
    size_m: float,
    status: str | None = None,
    name: str = "Reports by hexagon",
    scale: Scale | None = None,
    show: bool = True,
) -> AtlasLayer:
    """
    Count reports in hexagons of equal area.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites; rows without a location are counted in the legend.
    size_m : float
        Width of a hexagon in metres, from side to opposite side.
    status : str, optional
        The one status whose reports are coloured, such as ``confirmed``. Without it the
        colour stands for all reports, and the legend says of which statuses they are.
    name : str
        Name in layer controls.
    scale : Scale, optional
        Colours of the counts; by default classes from `sequential_scale`.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer; each hexagon tells its reports by status.

    Raises
    ------
    CRSError
        If `sites` has no coordinate reference system, or surrounds the globe.
    GeometryError
        If a geometry is not a point, or the sites are too far apart for one plane.
    TypeError
        If `sites` is not a GeoDataFrame.
    ValueError
        If `size_m` is not a positive length.

    Warns
    -----
    ResolutionWarning
        If the radii do not tell which hexagon a report belongs to.
    SensitivityWarning
        If rows marked ``restricted`` or ``protected`` are counted: a hexagon is no mask.

    Notes
    -----
    Hexagons lie in `geo.local_crs` of the located sites, one of them around its centre: their
    areas are equal on the ground. Other sites have another grid. A width below twice the 75th
    percentile of the radii is not resolved, as in `geo.distance_bands`.

    Examples
    --------
    >>> import warnings, geo, layers
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", geo.ResolutionWarning)
    ...     layer = layers.hex_layer(geo.example_sites(), size_m=50_000)
    >>> len(layer.payload["shapes"]), layer.payload["labels"][0]
    (25, '1 suspected')
    """
    frame = in_degrees(sites, "Point", argument="sites")
    width = _length(size_m, "size_m")
    here = frame[in_the_plane(frame)]
    _warn_of_rows(here, width)
    shapes, place = _hexagons(here, width)
    claimed = column(here, "status").astype(object).fillna("unknown").to_numpy()
    counts = status_counts(claimed, place, len(shapes))
    if status is not None and status not in STATUS_SCALE.keys:
        listed = ", ".join(map(repr, STATUS_SCALE.keys))
        message = f"status is {status!r}; it must be one of {listed}"
        raise ValueError(message)
    kind = STATUS_SCALE.index(status)
    shown = counts.sum(axis=1) if status is None else counts[:, kind]
    if scale is None:
        scale = sequential_scale(shown)
        scale = replace(scale, colours=greens(len(scale.keys)))
    entries = [
        LegendEntry(label, colour, "square")
        for label, colour in zip(scale.labels, scale.colours, strict=True)
    ]
    missing = len(frame) - len(here)
    if missing:
        polar = int(frame.geometry.notna().sum()) - len(here)
        note = known("without a location" + (", or too near a pole" if polar else ""))
        entries.append(LegendEntry("in no hexagon", scale.missing, "square", missing, note))
    of = counts_words(counts.sum(axis=0)) or known("no reports")
    if status is None:
        title = Phrase("hex-title", width=length_words(width), counts=of)
    else:
        only = known(STATUS_SCALE.labels[kind])
        title = Phrase("hex-title-of", status=only, width=length_words(width), counts=of)
    return filled(
        shapes,
        [counts_words(row) for row in counts],
        [scale(count) for count in shown],
        name=name,
        legend=LegendSection(title, tuple(entries), opacity=_OPACITY, graded=True),
        attribution=sites.attrs.get("attribution", ""),
        show=show,
    )


def density_layer(
    surface: geo.DensitySurface,
    *,
    levels: Sequence[float] | None = None,
    name: str = "Concentration of reports",
    show: bool = True,
) -> AtlasLayer:
    """
    Draw a density as bands between levels, in reports per so many square kilometres.

    Parameters
    ----------
    surface : geo.DensitySurface
        From `geo.kernel_density`.
    levels : sequence of float, optional
        Where bands begin, in reports per km2, at most five; by default the last five of 1, 2,
        5, 10, 20, 50, ... below the maximum. What lies below the first is not coloured.
    name : str
        Name in layer controls.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer.

    Raises
    ------
    TypeError
        If `surface` is no DensitySurface.
    ValueError
        If there are more than five levels or none, or they do not rise from above 0 on.

    Notes
    -----
    Steps of 1, 2, 5 show a core and its surroundings alike, where equal steps would show the core
    alone; a flat surface stays flat. The unit (per 1, 10, 100, 1,000 ... km2) is the one in which
    the highest band begins between 1 and 10.

    Examples
    --------
    >>> import geo, geopandas, layers
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 10_000, 10_000)], crs="EPSG:32648")
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 4},
    ...     geometry=geopandas.points_from_xy([2000, 2500, 3000, 8000], [2000, 3000, 2000, 8000]),
    ...     crs="EPSG:32648",
    ... )
    >>> layer = layers.density_layer(geo.kernel_density(sites, window, bandwidth_m=1000))
    >>> layer.legend[0].title
    'Reports per 10 km² (4 reports, smoothed over 1 km)'
    >>> layer.payload["labels"][-1]
    '2 to 4 reports per 10 km²'
    """
    require_result(
        surface, geo.DensitySurface, "density_layer", "kernel_density(sites, window, ...)"
    )
    highest = float(np.nanmax(surface.estimate, initial=0.0))
    found = _levels(highest) if levels is None else _checked_levels(levels)
    nothing = gpd.GeoDataFrame({"from_per_km2": []}, geometry=[])
    bands = surface.contours(found) if found else nothing
    unit, words = _in_words(found, highest)
    colours = greens(len(found))
    drawn = [found.index(value) for value in bands["from_per_km2"]]
    entries = [
        LegendEntry(label, colour, "square") for label, colour in zip(words, colours, strict=True)
    ]
    if entries and not surface.resolvable:
        note = "finer than the radii of the reports can tell"
        entries.append(LegendEntry("caution", INK, "line", note=note))
    weighted = not np.isclose(surface.mass, surface.n)
    title = Phrase(
        "density-title-weighted" if weighted else "density-title",
        unit=unit,
        reports=Phrase("reports", n=int(surface.n)),
        distance=length_words(surface.bandwidth_m),
    )
    band = "density-band-weighted" if weighted else "density-band"
    return filled(
        list(bands.geometry),
        [Phrase(band, span=words[i], unit=unit) for i in drawn],
        [colours[i] for i in drawn],
        name=name,
        legend=LegendSection(title, tuple(entries), opacity=_OPACITY, graded=True),
        show=show,
    )


def _length(value: float, argument: str) -> float:
    """Return a positive length in metres."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < np.inf:
        message = f"{argument} is {value!r}; it must be a positive number of metres"
        raise ValueError(message)
    return float(value)


def _hexagons(sites: gpd.GeoDataFrame, width: float) -> tuple[list[shapely.Geometry], np.ndarray]:
    """Return the hexagons with a site, in degrees, and the position of each site's."""
    if sites.empty:
        return [], np.zeros(0, dtype=np.int64)
    plane = geo.local_crs(sites)
    lonlat = lonlat_of(sites)
    # the numbers alone: a million points would take seconds to be made anew
    project = Transformer.from_crs(4326, plane, always_xy=True)
    xy = np.column_stack(project.transform(*lonlat.T))
    if np.abs(xy).max(initial=0.0) + width > _FARTHEST_M:
        message = (
            f"the sites or hexagons reach farther than {_FARTHEST_M / 1e3:,.0f} km from their "
            "middle, too far for one plane: draw one region at a time, in smaller hexagons"
        )
        raise GeometryError(message)
    hexagons, place = hexagons_of(xy, width)
    degrees = gpd.GeoSeries(hexagons, crs=plane).to_crs(4326)
    return continuous(degrees.to_numpy(), float(lonlat[:, 0].mean())), place


def _warn_of_rows(sites: gpd.GeoDataFrame, width: float) -> None:
    """Say what the hexagons cannot carry, and what they do not hide."""
    radius = drawable_radii(sites)
    unknown = int(radius.isna().sum())
    least = 2 * float(np.percentile(radius, 75)) if len(radius) and not unknown else 0.0
    if unknown:
        message = (
            f"{unknown} of {len(radius)} located reports have no radius, so that nobody can say "
            f"whether hexagons of {length_words(width)} are wide enough for them"
        )
        warnings.warn(message, ResolutionWarning, stacklevel=3)
    elif width < least:
        message = (
            f"a quarter of the reports are known to within {length_words(least / 2)} or worse, so "
            f"which hexagon of {length_words(width)} they belong to is not known: use "
            f"size_m={least:.0f} or more, or count by province with geo.count_by_area()"
        )
        warnings.warn(message, ResolutionWarning, stacklevel=3)
    marked = int(column(sites, "sensitivity").isin(["restricted", "protected"]).sum())
    if marked:
        message = (
            f"{marked} reports are marked restricted or protected and are counted in hexagons, "
            "which hide nothing smaller than they are: keep this map private, or leave them out"
        )
        warnings.warn(message, SensitivityWarning, stacklevel=3)


def _levels(highest: float) -> list[float]:
    """Return the last five of 1, 2, 5, 10, 20, 50, ... below a maximum."""
    if highest <= 0:
        return []
    power = int(np.floor(np.log10(highest)))
    steps = [float(f"{m}e{p}") for p in range(power - 3, power + 1) for m in (1, 2, 5)]
    return [step for step in steps if step < highest][-_MOST_BANDS:]


def _checked_levels(levels: Sequence[float]) -> list[float]:
    """Return levels that can be drawn."""
    found = [float(level) for level in levels]
    rising = all(np.diff([0.0, *found, np.inf]) > 0)
    if not (rising and 1 <= len(found) <= _MOST_BANDS):
        message = (
            f"levels must be one to {_MOST_BANDS} numbers that rise from above 0 on, in reports "
            f"per km2, not {found}"
        )
        raise ValueError(message)
    return found


def _in_words(levels: Sequence[float], highest: float) -> tuple[str, list[str]]:
    """Return the area in which the last level is 1 to 10 reports, and each band in that unit."""
    power = int(np.ceil(-np.log10(levels[-1]) - _TINY)) if len(levels) else 0
    area = 10 ** max(power, 0)
    starts = [level * area for level in levels]
    ends = [*starts[1:], max([highest * area, *starts[-1:]])]
    spans = zip(map(_figures, starts), map(_figures, ends), strict=False)
    words = [Phrase("span", a=low, b=high) if low != high else low for low, high in spans]
    return Phrase("per-area", area=area) if area > 1 else Phrase("per-square"), words


def _figures(number: float) -> str:
    """Write a number with at most three figures."""
    return number_words(float(f"{number:.3g}"))
