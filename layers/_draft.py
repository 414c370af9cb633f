"""A release before it is one: what the rules look at."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

import geo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import geopandas as gpd
    from folium import Map
    from numpy.typing import NDArray

    from layers.rules import ReleasePolicy

    Flags = NDArray[np.bool_]

__all__ = ["EXACT", "FOUND", "Draft", "Problem", "ids_of", "places", "view_of"]

EXACT = "exact"  # the scheme of a row at the coordinates that its source gives
FOUND = ("rule", "site_id", "form", "where")
"""Columns of what `scan` finds."""

_POINT, _SURFACES = 0, (3, 6)  # types of geometry
_DECIMALS = 6  # of a degree, to which two places are one


class Problem(NamedTuple):
    """
    What breaks a rule, in words without a coordinate.

    Parameters
    ----------
    problem : str
        What was found.
    site_id : str, optional
        The row.
    where : str
        The file or column.
    """

    problem: str
    site_id: str | None = None
    where: str = ""


def ids_of(frame: pd.DataFrame) -> pd.Index:
    """
    Give the ids of rows in the form in which they are released.

    Parameters
    ----------
    frame : pandas.DataFrame
        With a column ``site_id``.

    Returns
    -------
    pandas.Index of str
        Unicode NFC, without blanks around; empty where there is none.

    Raises
    ------
    SchemaError
        If there is no such column.
    """
    if "site_id" not in frame:
        message = (
            "The rows have no column site_id. A release needs a stable, opaque id for each of "
            "them: validate_sites() gives one."
        )
        raise geo.SchemaError(message)
    given = frame["site_id"].astype(object)
    texts = given.where(given.notna(), "").map(str)
    return pd.Index([unicodedata.normalize("NFC", text).strip() for text in texts], dtype=object)


@dataclass(frozen=True, eq=False)
class Draft:
    """
    All that a release is made of.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        What the researcher knows.
    view : geopandas.GeoDataFrame
        What of it is released, as `geo.public_view` gives it.
    policy : ReleasePolicy
        What was promised and decided.
    files : mapping of str to bytes
        The output by relative name.
    paragraphs : tuple of str
        The methods, as the page has to show them.
    page : folium.Map, optional
        The map.
    answers : mapping of str to Result or pandas.DataFrame
        Statistics by name.
    tables : mapping of str to pandas.DataFrame
        What of them is written.
    figure : matplotlib.figure.Figure, optional
        Beside the map.
    functions : tuple of callable
        What drew and computed all this.
    warned : tuple of str
        What they were warned of on the way: places that are not public.
    registry : geo.ReleaseRegistry, optional
        Of earlier releases.
    previous : geopandas.GeoDataFrame, optional
        The last release.
    leaks : pandas.DataFrame
        What was found in the bytes of the output, with the columns of `FOUND`.

    Attributes
    ----------
    known : geopandas.GeoDataFrame
        The rows of the sites that are in the view, in degrees, one for each and in its order.
    exact, displaced, areas : numpy.ndarray of bool
        Which rows of the view stand at their own points, at others, or are areas.
    hidden : numpy.ndarray, shape (n, 2)
        Longitude and latitude of the places that are not released, and are no town of the
        gazetteer.
    """

    sites: gpd.GeoDataFrame
    view: gpd.GeoDataFrame
    policy: ReleasePolicy
    files: Mapping[str, bytes] = field(default_factory=dict)
    paragraphs: tuple[str, ...] = ()
    page: Map | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figure: Any = None
    functions: tuple[Callable[..., Any], ...] = ()
    warned: tuple[str, ...] = ()
    registry: geo.ReleaseRegistry | None = None
    previous: gpd.GeoDataFrame | None = None
    leaks: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(FOUND)))

    @cached_property
    def known(self) -> gpd.GeoDataFrame:
        """Rows of the sites by the ids of the view."""
        rows = self.sites.to_crs(4326).set_axis(ids_of(self.sites), axis=0)
        return rows.reindex(ids_of(self.view))

    @cached_property
    def exact(self) -> Flags:
        """Rows of the view at their own points."""
        named = self.view["release_scheme"].astype("string").eq(EXACT).fillna(value=False)
        return np.asarray(self._points & named.to_numpy(dtype=bool))

    @cached_property
    def displaced(self) -> Flags:
        """Rows of the view at points that are not their own."""
        return self._points & ~self.exact

    @cached_property
    def areas(self) -> Flags:
        """Rows of the view that are areas."""
        return np.isin(shapely.get_type_id(self.view.geometry.to_numpy()), _SURFACES)

    @cached_property
    def hidden(self) -> NDArray[np.float64]:
        """Places that are not released."""
        shapes = self.sites.to_crs(4326).geometry.to_numpy()
        shapes = shapes[(shapely.get_type_id(shapes) == _POINT) & ~shapely.is_empty(shapes)]
        open_ = self.known.geometry.to_numpy()[self.exact]
        towns = geo.load_reference("towns").geometry.to_numpy()
        shown = {*places(open_), *places(towns)}
        return np.array(sorted({*places(shapes)} - shown)).reshape(-1, 2)

    @property
    def _points(self) -> Flags:
        """Rows of the view that are points."""
        return np.asarray(shapely.get_type_id(self.view.geometry.to_numpy()) == _POINT)


def places(points: NDArray[np.object_]) -> list[tuple[float, float]]:
    """
    Give the coordinates of points, as far as they tell two places apart.

    Parameters
    ----------
    points : numpy.ndarray of shapely.Geometry
        In degrees; what is missing is left out.

    Returns
    -------
    list of tuple of float
        Longitude and latitude.
    """
    lonlat = np.round(shapely.get_coordinates(points), _DECIMALS) + 0.0
    return [(lon, lat) for lon, lat in lonlat.tolist()]


def view_of(
    sites: gpd.GeoDataFrame, policy: ReleasePolicy, masked: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    """
    Give the rows to be released, those that were displaced among them.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites with ``sensitivity`` and ``status`` in every row.
    policy : ReleasePolicy
        How fine they may be.
    masked : geopandas.GeoDataFrame or None
        Rows of `geo.donut_mask` or `geo.laplace_mask`.

    Returns
    -------
    geopandas.GeoDataFrame
        As from `geo.public_view`.

    Raises
    ------
    GeometryError
        If there are areas among the masked rows.
    SchemaError
        If the sites cannot be released, or rows are masked that are not to be.
    """
    moved = pd.Index([]) if masked is None else ids_of(masked)
    # whatever was displaced says no more than an area would: nobody's name, nothing of its own
    displaced = ids_of(sites).isin(moved) & sites["sensitivity"].eq("public").to_numpy(dtype=bool)
    view = geo.public_view(
        sites.assign(
            sensitivity=sites["sensitivity"].astype("string").mask(displaced, "restricted")
        ),
        exact=policy.exact,
        level=policy.level,
        candidates=policy.candidates,
        min_candidates=policy.min_candidates,
        columns=policy.columns,
    )
    return view if masked is None else _displaced(view, masked, moved)


def _displaced(view: gpd.GeoDataFrame, masked: gpd.GeoDataFrame, ids: pd.Index) -> gpd.GeoDataFrame:
    """Put the points of a mask in the place of areas, and take nothing else from it."""
    if not ids.is_unique or not ids.isin(view["site_id"]).all():
        message = "masked has rows that are not to be released, or twice: give those of donut_mask."
        raise geo.SchemaError(message)
    given = masked.to_crs(4326).set_axis(ids, axis=0).reindex(view["site_id"])
    shapes = given.geometry.to_numpy()
    if not set(given.geom_type.dropna()) <= {"Point"}:
        message = "masked has areas; it is for points of donut_mask and laplace_mask."
        raise geo.GeometryError(message)
    there = given.geometry.notna().to_numpy() & ~given.geometry.is_empty.to_numpy()
    scheme = given["release_scheme"].astype("string").fillna("").to_numpy()[there]
    told = [
        f"Location displaced at random ({name}): nothing is known to be at this point. Dates to "
        "the month."
        for name in scheme
    ]
    view = view.copy()
    view.loc[there, "geometry"] = shapes[there]
    view.loc[there, "uncertainty_m"] = given["uncertainty_m"].to_numpy(dtype=float)[there]
    view.loc[there, "location_level"] = None
    view.loc[there, "location_method"] = "assigned"
    view.loc[there, "release_scheme"] = scheme
    view.loc[there, "data_generalizations"] = told
    return view
