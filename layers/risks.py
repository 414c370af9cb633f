"""
Relative risks as layers: where one kind of report is more frequent among both than elsewhere.

As with `layers.features`, each layer can be added to anybody's ``folium.Map``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

import geo
from layers._fills import INK, filled, length_words, require_result
from layers._words import Phrase, known
from layers.legend import LegendEntry, LegendSection
from layers.scales import diverging_scale, number_words
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from layers.payload import AtlasLayer

__all__ = ["risk_layer", "tolerance_layer"]

_SIDES = {"greater": "risk-higher", "less": "risk-lower", "two-sided": "risk-either"}
_OPACITY = 0.75  # rivers and borders are the way to read a surface


def risk_layer(
    risk: geo.RelativeRisk,
    *,
    breaks: Sequence[float] = (0.5, 0.8, 1.25, 2.0),
    name: str = "Relative risk",
    show: bool = True,
) -> AtlasLayer:
    """
    Draw where one kind of report is more frequent among both than elsewhere.

    Parameters
    ----------
    risk : geo.RelativeRisk
        From `geo.relative_risk`.
    breaks : sequence of float, default (0.5, 0.8, 1.25, 2)
        Upper bounds of the four lower classes of the ratio, as in `diverging_scale`; it is 1
        where cases are as frequent among both as elsewhere.
    name : str
        Name in layer controls, and what is compared with what.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer. Which deviations chance alone could have made is told by
        `tolerance_layer`, to be drawn over it.

    Raises
    ------
    TypeError
        If `risk` is no RelativeRisk.
    ValueError
        If the breaks are not four positive numbers that rise.

    Notes
    -----
    Linear in the logarithm between the centres of cells. Cells that are too far from any report
    have no class.

    Examples
    --------
    >>> import geo, geopandas, layers
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 10_000, 10_000)], crs="EPSG:32648")
    >>> x, y = [2000, 2500, 3000, 8000, 7000, 5000], [2000, 3000, 2000, 8000, 7500, 5000]
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 6},
    ...     geometry=geopandas.points_from_xy(x, y),
    ...     crs="EPSG:32648",
    ... )
    >>> risk = geo.relative_risk(
    ...     sites[:3], sites[3:], window, bandwidth_m=2000, cell_size_m=500, progress=False
    ... )
    >>> layers.risk_layer(risk).payload["labels"]
    ['up to 0.5 times', '0.5 to 0.8 times', '0.8 to 1.25 times', '1.25 to 2 times', 'over 2 times']
    """
    require_result(
        risk, geo.RelativeRisk, "risk_layer", "relative_risk(cases, controls, window, ...)"
    )
    scale = diverging_scale(name=plain(name), breaks=breaks)
    if not breaks[0] > 0:
        message = f"breaks are of a ratio, which is above 0, but the first is {breaks[0]!r}"
        raise ValueError(message)
    bands, unsaid = _risk_bands(risk, np.log(np.asarray(breaks, dtype=float)))
    shapes = [*bands.geometry, *([unsaid] if unsaid else [])]
    kinds = [scale.index(np.exp(top)) for top in bands["to_per_km2"].fillna(np.inf)]
    colours = [scale.colours[i] for i in kinds]
    words = [Phrase("times", ratio=scale.labels[i]) for i in kinds]
    far = known("too far from any report to say")
    entries = [
        LegendEntry(label, colour, "square")
        for label, colour in zip(scale.labels, scale.colours, strict=True)
    ]
    if unsaid:
        entries.append(LegendEntry(far, scale.missing, "square", hatched=True))
    title = Phrase(
        "risk-title",
        name=known(name),
        cases=int(risk.n_cases),
        controls=int(risk.n_controls),
        distance=length_words(risk.bandwidth_m),
    )
    return filled(
        shapes,
        [*words, far][: len(shapes)],
        [*colours, scale.missing][: len(shapes)],
        name=name,
        legend=LegendSection(title, tuple(entries), opacity=_OPACITY, graded=True),
        hatched=range(len(words), len(shapes)),
        show=show,
    )


def tolerance_layer(
    risk: geo.RelativeRisk,
    *,
    level: float = 0.05,
    name: str = "More than chance",
    show: bool = True,
) -> AtlasLayer:
    """
    Outline where a relative risk differs by more than chance.

    Parameters
    ----------
    risk : geo.RelativeRisk
        From `geo.relative_risk`.
    level : float, default 0.05
        Largest p-value within the outlines.
    name : str
        Name in layer controls.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        A Folium layer of dashed outlines; each tells its mean risk and its area.

    Raises
    ------
    TypeError
        If `risk` is no RelativeRisk.
    ValueError
        If `level` is not between 0 and 1.

    Examples
    --------
    >>> import geo, geopandas, layers
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 10_000, 10_000)], crs="EPSG:32648")
    >>> x, y = [2000, 2500, 3000, 8000, 7000, 5000], [2000, 3000, 2000, 8000, 7500, 5000]
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [250.0] * 6},
    ...     geometry=geopandas.points_from_xy(x, y),
    ...     crs="EPSG:32648",
    ... )
    >>> risk = geo.relative_risk(
    ...     sites[:3], sites[3:], window, bandwidth_m=2000, cell_size_m=500, progress=False
    ... )
    >>> layers.tolerance_layer(risk, level=0.2).legend[0].entries[0].label
    'risk is higher, p up to 0.2'
    """
    require_result(risk, geo.RelativeRisk, "tolerance_layer", "relative_risk(cases, controls, ...)")
    areas = risk.tolerance_contours(level)
    words = [
        _tolerated(mean, area, level)
        for mean, area in zip(areas["mean_log_risk"], areas["area_km2"], strict=True)
    ]
    note = Phrase("risk-chance", share=number_words(100 * level))
    label = Phrase(_SIDES[risk.alternative], level=f"{level:g}")
    entry = LegendEntry(label, INK, "line", count=len(areas), note=note, dashed=True)
    return filled(
        list(areas.geometry),
        words,
        [],
        name=name,
        legend=LegendSection(plain(name), (entry,)),
        style="cluster",
        show=show,
    )


def _tolerated(mean: float, area_km2: float, level: float) -> str:
    """Say how large an area and the risk in it are."""
    size = f"{float(f'{area_km2:.3g}'):,.10g}"
    if np.isnan(mean):
        return Phrase("risk-area-open", level=f"{level:g}", area=size)
    return Phrase("risk-area", ratio=f"{np.exp(mean):.2g}", level=f"{level:g}", area=size)


def _risk_bands(
    risk: geo.RelativeRisk, levels: np.ndarray
) -> tuple[gpd.GeoDataFrame, shapely.Geometry | None]:
    """Return the bands between levels of a log risk, and the part without one."""
    known = risk.log_risk[np.isfinite(risk.log_risk)]
    below = min(float(known.min(initial=0.0)), float(levels[0])) - 1
    # contours of a surface, whatever stands on it: here the logarithm
    surface = geo.DensitySurface(
        estimate=np.where(np.isfinite(risk.log_risk), risk.log_risk, np.nan),
        standard_error=None,
        bandwidth_m=risk.bandwidth_m,
        edge=None,
        adaptive=False,
        surface=risk.surface,
        n=risk.n_cases + risk.n_controls,
        mass=float(risk.n_cases + risk.n_controls),
        facts=risk.facts,
    )
    bands = surface.contours([below, *levels])
    if np.isfinite(risk.log_risk[risk.surface.inside]).all():
        return bands, None
    cells = risk.to_frame()
    far = cells.geometry[~np.isfinite(cells["log_risk"])]
    unsaid = shapely.union_all(far.to_numpy(), grid_size=1e-7)
    bands = bands.set_geometry(bands.geometry.difference(unsaid))
    return bands[~bands.is_empty], unsaid
