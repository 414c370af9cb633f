"""Premises or cells of a surface that true places are drawn from, instead of any ground."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo._index import within
from geo._inputs import coordinates
from geo._search import candidate_pairs
from geo._surfaces import DensitySurface
from geo.errors import ResolutionWarning, SchemaError
from geo.geodesy import place_points

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from geo._confines import Confines
    from geo._realisations import Places

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Weights: TypeAlias = DensitySurface | gpd.GeoDataFrame | gpd.GeoSeries

__all__ = ["Candidates", "candidates_of"]


class _Spots(NamedTuple):
    """Where true places may be, how likely each is, and the cells around them, if any."""

    lon: Floats
    lat: Floats
    weight: Floats
    cell_m: float
    crs: CRS | None


@dataclass(frozen=True, eq=False)
class Candidates:
    """
    Which spots each place may truly be at.

    Parameters
    ----------
    serves : numpy.ndarray of bool, shape (p,)
        Which places have any.
    rank : numpy.ndarray of int, shape (p,)
        Which of those each is.
    spot : numpy.ndarray of int, shape (m,)
        The spots of the first, those of the second, and so on.
    cumulative : numpy.ndarray, shape (m,)
        The rank and the share of the spots of a place up to each.
    lon, lat : numpy.ndarray
        Of the spots, in degrees.
    cell_m : float
        Side of the cell around each; 0 for none.
    crs : pyproj.CRS, optional
        The plane of the cells.
    """

    serves: Flags
    rank: Ints
    spot: Ints
    cumulative: Floats
    lon: Floats
    lat: Floats
    cell_m: float
    crs: CRS | None

    def take(self, place: Ints, u: Floats, v: Floats, w: Floats) -> tuple[Floats, Floats]:
        """
        Draw places by the weights of their spots.

        Parameters
        ----------
        place : numpy.ndarray of int, shape (m,)
            Which.
        u, v, w : numpy.ndarray, shape (m,)
            Uniform numbers from 0 to 1.

        Returns
        -------
        lon, lat : numpy.ndarray, shape (m,)
            Degrees: a spot, or a place uniform in its cell.
        """
        found = np.searchsorted(self.cumulative, self.rank[place] + u, side="right")
        spot = self.spot[np.minimum(found, len(self.spot) - 1)]
        lon, lat = self.lon[spot], self.lat[spot]
        if self.crs is None:
            return lon, lat
        change = Transformer.from_crs(4326, self.crs, always_xy=True)
        x, y = change.transform(lon, lat)
        x, y = x + (v - 0.5) * self.cell_m, y + (w - 0.5) * self.cell_m
        lon, lat = change.transform(x, y, direction="INVERSE")
        return np.asarray(lon), np.asarray(lat)


def candidates_of(weights: Weights, places: Places, confines: Confines) -> Candidates:
    """
    Find the spots that each place may truly be at.

    Parameters
    ----------
    weights : DensitySurface, geopandas.GeoDataFrame or geopandas.GeoSeries
        A surface; or premises, with the column ``weight`` or without.
    places : Places
        From `geo._realisations.places_of`.
    confines : Confines
        Where they may be.

    Returns
    -------
    Candidates
        Of places that have a radius; of a surface, if it is not less than a cell.

    Raises
    ------
    SchemaError
        If a weight is no number from 0 on.

    Warns
    -----
    ResolutionWarning
        If a place has none: it is drawn without weights.
    """
    spots = _spots(weights)
    asked = (places.radius > 0) & (places.radius >= spots.cell_m)
    place, spot = _reached(places, confines, spots, asked)
    order = np.lexsort((spot, place))
    place, spot = place[order], spot[order]
    serves = np.zeros(places.n, dtype=bool)
    serves[place] = True
    lost = int((asked & ~serves).sum())
    if lost:
        warnings.warn(
            f"{lost} of {places.n} places have none of the weights where they may be, and are "
            "drawn as if there were no weights.",
            ResolutionWarning,
            stacklevel=4,
        )
    rank = np.cumsum(serves) - 1
    total = np.bincount(place, spots.weight[spot], minlength=places.n)
    running = np.cumsum(spots.weight[spot] / total[place])
    return Candidates(serves, rank, spot, running, spots.lon, spots.lat, spots.cell_m, spots.crs)


def _spots(weights: Weights) -> _Spots:
    """Return the spots of a surface or of premises."""
    if isinstance(weights, DensitySurface):
        mass = np.nan_to_num(weights.estimate * weights.surface.covered_m2)
        row, column = np.nonzero(mass > 0)
        change = Transformer.from_crs(weights.crs, 4326, always_xy=True)
        lon, lat = change.transform(weights.x[column], weights.y[row])
        cell_m = weights.cell_size_m
        return _Spots(np.asarray(lon), np.asarray(lat), mass[row, column], cell_m, weights.crs)
    lon, lat = coordinates(weights, "weights")
    mass = np.ones(len(lon))
    if isinstance(weights, gpd.GeoDataFrame) and "weight" in weights:
        given = pd.to_numeric(weights["weight"], errors="coerce")
        mass = given.to_numpy(np.float64, na_value=np.nan)
    if not (np.isfinite(mass) & (mass >= 0)).all():
        message = "The column 'weight' of the premises must hold numbers from 0 on."
        raise SchemaError(message)
    use = ~np.isnan(lon) & (mass > 0)
    return _Spots(lon[use], lat[use], mass[use], 0.0, None)


def _reached(places: Places, confines: Confines, spots: _Spots, asked: Flags) -> tuple[Ints, Ints]:
    """Return the pairs of places and of spots where they may be."""
    found: list[tuple[Ints, Ints]] = []
    points = place_points(spots.lon, spots.lat)
    circles = np.flatnonzero(asked & ~confines.serves)
    centres = place_points(places.lon[circles], places.lat[circles])
    for i, j in candidate_pairs(centres, points, places.radius[circles]):
        near = within(centres, i, points, j, places.radius[circles[i]])
        shape = confines.shape[circles[i]]
        near &= shapely.intersects_xy(shape, spots.lon[j], spots.lat[j]) | (shape == None)  # noqa: E711
        found.append((circles[i[near]], j[near]))
    tree = shapely.STRtree(shapely.points(spots.lon, spots.lat))
    whole = np.flatnonzero(asked & confines.serves)
    i, j = tree.query(confines.units.shapes[confines.unit[whole]], predicate="intersects")
    found.append((whole[i], j))
    return (
        np.concatenate([pair[0] for pair in found]),
        np.concatenate([pair[1] for pair in found]),
    )
