"""One call from Sites to a map with its page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import GeometryError
from layers._arguments import several
from layers._frames import bounds_of, require_crs
from layers.export import notebook_html, page_html, save_html
from layers.furniture import Caption, Furniture
from layers.ground import COVERAGE, Locator, ground_layers
from layers.payload import AtlasLayer
from layers.regions import displaced_legend, region_layer, split_released
from layers.symbols import site_layer, uncertainty_layer
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xyzservices import TileProvider  # type: ignore[import-untyped]

__all__ = ["SiteMap", "site_map"]

_LEAST_SPAN_DEG = 0.4  # one town alone opens with its surroundings, not at the door
_MANY_PLACES, _CELL_DEG = 2000, 0.05
_AIR = 0.01  # around areas, by their size: their outermost corners are seen as such
_REGION = (102.3, 10.3, 107.7, 14.8)  # Cambodia: what a map without any location shows


class SiteMap(folium.Map):
    """
    A Folium map that shows, saves and embeds itself without any host.

    Parameters
    ----------
    tiles : str or xyzservices.TileProvider or folium.TileLayer or None
        Background tiles, by explicit choice; they call a host from every reader's browser.
    """

    def __init__(self, tiles: str | TileProvider | folium.TileLayer | None = None) -> None:
        super().__init__(
            location=[12.6, 105.0],
            zoom_start=7,
            tiles=tiles,
            zoom_snap=0.25,
            zoom_delta=0.5,
            wheel_px_per_zoom_level=120,
            attribution_control=tiles is not None,
            font_size="15px",
        )
        # Folium hands zoom limits to its tile layer only; plugins ask the map for them.
        self.options.update(min_zoom=3, max_zoom=13)
        self._name = "SiteMap"

    @property
    def atlas_layers(self) -> list[AtlasLayer]:
        """The map's layers of this package, from the bottom up."""
        return [c for c in self._children.values() if isinstance(c, AtlasLayer)]

    def __repr__(self) -> str:
        """Name the map without an address in memory, which would change with every run."""
        return f"SiteMap({len(self.atlas_layers)} layers)"

    def save(
        self,
        outfile: str | bytes | Path | BinaryIO,
        close_file: bool = True,  # noqa: FBT001, FBT002  # Folium's signature
        **kwargs: Any,  # noqa: ANN401  # Folium's signature
    ) -> None:
        """
        Write the map as one file that needs no host; the same page as `save_html`.

        Parameters
        ----------
        outfile : path-like or binary file
            Where the page goes; a path ends in ``.html`` or ``.htm``.
        close_file : bool, default True
            Whether to close a file that was handed in, as Folium does.
        **kwargs : Any
            Options of `save_html`.

        Warns
        -----
        SensitivityWarning
            As in `save_html`.
        """
        if isinstance(outfile, str | bytes | Path):
            save_html(self, os.fsdecode(outfile), **kwargs)
            return
        outfile.write(page_html(self, **kwargs).encode())
        if close_file:
            outfile.close()

    def _repr_html_(self, **_: object) -> str:
        """Show the finished page inline in a notebook."""
        return notebook_html(self)


def site_map(  # noqa: PLR0913  # each is one part of the page
    sites: gpd.GeoDataFrame,
    *,
    title: str = "Reported sites",
    subtitle: str = "",
    source: str = "",
    date: str | None = None,
    methods: Sequence[str] = (),
    status_notes: Mapping[str, str] | None = None,
    layers: Sequence[AtlasLayer] = (),
    details: Sequence[str] = (),
    filters: Sequence[str] | None = None,
    view: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry | None = None,
    tiles: str | TileProvider | folium.TileLayer | None = None,
) -> SiteMap:
    """
    Draw reported sites on a ground of their own, with the page that a publication needs.

    The map has symbols by place, circles of uncertainty, a legend with counts, layer
    switches, filters by category and date, a search over names, a table of the reports shown
    and their download, a methods panel, a scale bar and all attributions. Nothing is fetched
    from any host, now or when the page is read.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, as from `geo.read_sites`. Rows without a location are counted and listed. Of a
        released frame, rows known to an area only are areas, as in `region_layer`.
    title, subtitle : str
        Heading and one sentence beneath it.
    source : str
        Where the rows come from; printed under the map.
    date : str, optional
        Date of the data; by default the latest ``last_reported`` or ``source_date``.
    methods : sequence of str
        Paragraphs for the methods panel.
    status_notes : mapping of str to str, optional
        What each status rests on in these data, for the legend: ``{"confirmed": "a court says
        so"}``. Nothing is said without it.
    layers : sequence of AtlasLayer
        More layers, drawn between the ground and the symbols.
    details : sequence of str
        Columns shown as text in each report's entry; no other column of the author's own
        enters the page.
    filters : sequence of str, optional
        Columns of categories by which readers choose the reports that are shown; each of
        several values joined by a vertical bar counts. They enter the page. By default what
        is known of ``status``, ``operating`` and ``state_response``. Dates of reports can
        be chosen wherever there are any.
    view : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely.Geometry, optional
        What the map shows when it opens; by default every located row. What lies outside
        is counted on the map.
    tiles : str, xyzservices.TileProvider or folium.TileLayer, optional
        Background tiles in place of the shipped ground; they need a host, which `save_html`
        names. A key in their address is published with the page.

    Returns
    -------
    SiteMap
        A `folium.Map`: other Folium objects can be added to it, and `save_html` writes it.

    Raises
    ------
    CRSError
        If `sites` or `view` has no coordinate reference system.
    GeometryError
        If a geometry is neither a point nor an area of a release, a row released as an area
        is a point, or `view` is empty.
    SchemaError
        If a column of `details` or `filters` does not exist, or one of `filters` holds no
        categories but a different value in nearly every row.
    TypeError
        If `sites` is not a GeoDataFrame, or a text stands where a list is needed.
    ValueError
        If `tiles` need a key that they do not have.

    Warns
    -----
    SensitivityWarning
        As in `site_layer`.

    Examples
    --------
    >>> import geo, layers
    >>> page = layers.site_map(geo.example_sites(), title="Reported sites")
    >>> type(page).__name__
    'SiteMap'
    """
    paragraphs = several(methods, str, "methods")
    own_layers = several(layers, AtlasLayer, "layers")
    chosen = _known(sites) if filters is None else filters
    points, regions, apart = split_released(sites)
    symbols = site_layer(points, status_notes=status_notes, details=details, filters=chosen)
    symbols.legend += displaced_legend(points)
    discs = uncertainty_layer(points, of=symbols)
    areas = [] if regions is None else [region_layer(regions)]
    everything = _spread(_around(symbols, areas))
    opening = everything if view is None else _spread(_extent(view))
    places = _thinned(symbols)
    ground = [] if tiles is not None else ground_layers(opening, everything, places)
    stack = [*ground, *areas, *own_layers, discs, symbols]
    page = SiteMap(tiles)
    for layer in stack:
        layer.add_to(page)
    for land in (layer for layer in ground if "ends" in layer.payload):
        Locator(land, view=opening, everything=everything).add_to(page)
    stated = _latest(sites) if date is None else date
    caption = Caption(title, subtitle, source, stated, paragraphs)
    outside = 0 if tiles is not None else _beyond(symbols)
    around = Furniture(
        caption, stack, view=opening, everything=everything, outside=outside, apart=apart
    )
    around.add_to(page)
    return page


def _spread(bounds: tuple[float, ...]) -> tuple[float, float, float, float]:
    """Widen an extent that is too small to be seen in its surroundings."""
    west, south, east, north = bounds
    dx = max(0.0, _LEAST_SPAN_DEG - (east - west)) / 2
    dy = max(0.0, _LEAST_SPAN_DEG - (north - south)) / 2
    return west - dx, south - dy, east + dx, north + dy


def _around(symbols: AtlasLayer, areas: Sequence[AtlasLayer]) -> tuple[float, ...]:
    """Return the extent of all rows with some air around areas; Cambodia's where there are none."""
    west, south, east, north = np.array([a.bounds for a in areas if a.bounds]).reshape(-1, 4).T
    air = _AIR * np.max([east - west, north - south], axis=0)
    corners = np.array([west - air, south - air, east + air, north + air]).T.tolist()
    corners += [symbols.bounds] if symbols.bounds else []
    return bounds_of(np.reshape(corners, (-1, 2))) or _REGION


def _extent(view: gpd.GeoDataFrame | gpd.GeoSeries | shapely.Geometry) -> tuple[float, ...]:
    """Return west, south, east, north of a view in degrees."""
    if isinstance(view, shapely.Geometry):
        corners = shapely.bounds(view)
    else:
        require_crs(view, "view")
        corners = view.to_crs(4326).total_bounds
    if not np.isfinite(corners).all():
        message = "`view` is empty: give at least one geometry, or leave it out to see every site"
        raise GeometryError(message)
    return tuple(float(c) for c in corners)


def _thinned(symbols: AtlasLayer) -> gpd.GeoSeries:
    """Return the places, of very many one for each small cell: names keep clear of either."""
    lonlat = np.zeros((0, 2)) if symbols.tally is None else symbols.tally.places
    if len(lonlat) > _MANY_PLACES:
        _, first = np.unique(np.round(lonlat / _CELL_DEG), axis=0, return_index=True)
        lonlat = lonlat[np.sort(first)]
    return gpd.GeoSeries(shapely.points(lonlat), crs=4326)


def _known(sites: gpd.GeoDataFrame) -> list[str]:
    """Return the columns of the schema by which readers can choose, if there is a choice."""
    if not isinstance(sites, gpd.GeoDataFrame):
        return []  # `site_layer` says so
    columns = [c for c in ("status", "operating", "state_response") if c in sites.columns]
    return [c for c in columns if set(map(plain, sites[c].unique())) - {"", "unknown"}]


def _latest(sites: gpd.GeoDataFrame) -> str:
    """Return the latest date in the data, as far as it is stated."""
    columns = [c for c in ("last_reported", "source_date") if c in sites.columns]
    stated = pd.concat([sites[c] for c in columns]).dropna() if columns else pd.Series(dtype=str)
    return max(stated.astype(str), default="")


def _beyond(symbols: AtlasLayer) -> int:
    """Count rows outside the shipped ground."""
    if symbols.tally is None:
        return 0
    west, south, east, north = COVERAGE
    lon, lat = symbols.tally.places.T
    beyond = (lon < west) | (lon > east) | (lat < south) | (lat > north)
    return int(symbols.tally.reports[beyond].sum())
