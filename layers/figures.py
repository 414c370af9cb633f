"""
The same layers on paper: figures as SVG, PDF and PNG, and plots of results.

Figures are matplotlib's, so everything of theirs can be added before they are saved. They are
drawn in an equal-area projection centred on what they show, at the width of a journal's column,
with no letter smaller than 6 points. Text stays text that an art desk can edit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geo._files import write_bytes
from layers._arguments import several
from layers.payload import AtlasLayer

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    import geopandas as gpd
    import pandas as pd
    import shapely
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    import geo
    from geo._functions import SummaryFunction

    Plotted: TypeAlias = (
        SummaryFunction
        | geo.EnvelopeTest
        | geo.Clustering
        | geo.Propagated
        | geo.ClusterStability
        | geo.WithinDistance
        | geo.Share
        | pd.DataFrame
    )

__all__ = ["plot", "save_figure", "site_figure"]


def site_figure(
    sites: gpd.GeoDataFrame,
    *,
    title: str = "Reported sites",
    subtitle: str = "",
    source: str = "",
    date: str | None = None,
    status_notes: Mapping[str, str] | None = None,
    layers: Sequence[AtlasLayer] = (),
    view: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry | None = None,
    width_mm: float = 170.0,
) -> Figure:
    """
    Draw reported sites for print, as `site_map` does for the screen.

    The figure has symbols by place, circles of uncertainty to scale, a legend with counts, a
    scale bar, and beneath it the source, the projection and all attributions.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, as from `geo.read_sites`. Rows without a location are counted, not drawn. Of a
        released frame, rows known to an area only are outlines with their number.
    title, subtitle : str
        Heading and one sentence beneath it.
    source : str
        Where the rows come from; printed under the map.
    date : str, optional
        Date of the data; by default the latest ``last_reported`` or ``source_date``.
    status_notes : mapping of str to str, optional
        What each status rests on in these data, for the legend.
    layers : sequence of AtlasLayer
        More layers, drawn between the ground and the symbols: from `area_layer`, `line_layer`
        or `label_layer`.
    view : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely.Geometry, optional
        What the map shows; by default every located row. What lies outside is counted.
    width_mm : float, default 170
        Width of the figure: 85 for one column of a journal, 170 for two.

    Returns
    -------
    matplotlib.figure.Figure
        For `save_figure`. Its attribute ``alt`` says in words what it shows.

    Raises
    ------
    CRSError
        If `sites` or `view` has no coordinate reference system.
    ExportError
        If a layer is of a kind that paper cannot show, or no installed font can write a text.
    GeometryError
        If a geometry is neither a point nor an area of a release, a row released as an area
        is a point, `view` is empty, or the map would span more than 120 degrees.
    TypeError
        If `sites` is not a GeoDataFrame, or something else than layers stands in `layers`.
    ValueError
        If `width_mm` is not between 60 and 400.

    Notes
    -----
    The projection is Lambert's azimuthal equal-area one about the middle of the map; the scale
    bar is true there, along the geodesic from west to east, and the figure says by how much
    lengths are wrong at worst elsewhere. Symbols that would overlap are drawn as one, at the
    place of the largest.

    Examples
    --------
    >>> import geo, layers
    >>> figure = layers.site_figure(geo.example_sites(), width_mm=85)
    >>> figure.alt
    'Map: Reported sites. 97 reports: 60 confirmed, 37 suspected. ...'
    """
    from layers._paper import style  # noqa: PLC0415  # matplotlib is loaded when it is used
    from layers._sheet import map_sheet  # noqa: PLC0415  # as above

    with style():
        return map_sheet(
            sites,
            words={"title": title, "subtitle": subtitle, "source": source, "date": date},
            status_notes=status_notes or {},
            own=several(layers, AtlasLayer, "layers"),
            view=view,
            width_mm=_width(width_mm),
        )


def plot(
    result: Plotted,
    *,
    ax: Axes | None = None,
    title: str = "",
    width_mm: float = 85.0,
) -> Figure:
    """
    Draw a result with what it can and cannot carry.

    Parameters
    ----------
    result : SummaryFunction, EnvelopeTest, Clustering, pandas.DataFrame or another result
        A function of distance, such as `geo.ripley_l` gives; `geo.envelope_test`;
        `geo.dbscan` and its like; the table of `geo.distance_bands`; `geo.propagate` and the
        ``stability`` of its clusters; `geo.probability_within`; or `geo.share`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; without it, those of a new figure.
    title : str
        Heading; by default what the result says of itself.
    width_mm : float, default 85
        Width of a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        The figure of `ax`, or a new one whose attribute ``alt`` is the result's summary.

    Raises
    ------
    ExportError
        If no installed font can write a text.
    TypeError
        If there is no plot for such a result.
    ValueError
        If `width_mm` is not between 60 and 400, or there is nothing in a result to draw.

    Notes
    -----
    Distances that the radii of the reports cannot resolve are shaded and say so. The envelope
    of a test is the global one that belongs to its p-value; a test without one (DCLF) shows the
    pointwise range of the simulations, which is no test and is labelled so.

    Examples
    --------
    >>> import geo, layers
    >>> border = geo.load_reference("land_border", country="KH")
    >>> figure = layers.plot(geo.distance_bands(geo.example_sites(), border))
    >>> figure.axes[0].get_ylabel()
    'Reports within the distance'
    """
    from layers._paper import style  # noqa: PLC0415  # matplotlib is loaded when it is used
    from layers._plots import draw  # noqa: PLC0415  # as above

    with style():
        return draw(result, ax, title, _width(width_mm))


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """
    Write a figure as SVG, PDF or PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        From `site_figure` or `plot`, or any other.
    path : path-like
        Where it goes: a name that ends in ``.svg``, ``.pdf`` or ``.png``, in a folder that
        exists. It is written under a temporary name and moved.

    Returns
    -------
    pathlib.Path
        The path written.

    Raises
    ------
    ExportError
        If the name has another suffix, or the file cannot be written there.
    TypeError
        If `figure` is no figure of matplotlib.

    Notes
    -----
    The same figure gives the same bytes in any process, with the same versions of matplotlib
    and of the fonts. Text is text: SVG names the fonts, PDF carries their TrueType outlines
    (type 42). PNG has 300 dots per inch. Title and words of the figure become the file's.

    Examples
    --------
    >>> import tempfile, geo, layers
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> figure = layers.site_figure(geo.example_sites())
    >>> layers.save_figure(figure, Path(folder.name) / "map.pdf").name
    'map.pdf'
    >>> folder.cleanup()
    """
    from matplotlib.figure import Figure as AnyFigure  # noqa: PLC0415  # as above

    from layers._paper import content, suffix_of  # noqa: PLC0415  # as above

    if not isinstance(figure, AnyFigure):
        message = (
            f"save_figure writes figures of matplotlib, not a {type(figure).__name__}: "
            "make one with site_figure(sites) or plot(result)"
        )
        raise TypeError(message)
    target = Path(path)
    return write_bytes(target, content(figure, suffix_of(target)))


def _width(width_mm: float) -> float:
    """Return a width that a sheet can have."""
    narrowest, widest = 60, 400
    if not narrowest <= width_mm <= widest:
        message = f"width_mm is {width_mm!r}; it must be between {narrowest} and {widest}."
        raise ValueError(message)
    return float(width_mm)
