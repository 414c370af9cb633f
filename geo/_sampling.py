"""Places drawn at random inside areas: never point by point, and exactly as the areas weigh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer

from geo._inputs import parts_of
from geo.projection import local_crs

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Sampler", "sampler_of", "streams", "triangles_of"]

_SIDE_DEG = 0.05  # sides no longer than this bend by less than a metre when they are projected


@dataclass(frozen=True, eq=False)
class Sampler:
    """
    Areas cut into triangles, from which places are drawn.

    Parameters
    ----------
    corners : numpy.ndarray, shape (triangles, 3, 2)
        In a plane where areas are true, in metres.
    cumulative : numpy.ndarray, shape (triangles,)
        The share of the places in each triangle and those before it.
    to_degrees : pyproj.Transformer, optional
        From the plane to longitude and latitude, for `place`.
    """

    corners: Floats
    cumulative: Floats
    to_degrees: Transformer | None = None

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """
        Draw places in the plane.

        Parameters
        ----------
        n : int
            How many.
        rng : numpy.random.Generator
            The stream to draw from.

        Returns
        -------
        numpy.ndarray, shape (n, 2)
            Metres in the plane of the sampler.
        """
        pick, u, v = rng.random((3, n))
        last = len(self.cumulative) - 1
        triangle = np.minimum(np.searchsorted(self.cumulative, pick, side="right"), last)
        a, b, c = np.moveaxis(self.corners[triangle], 1, 0)
        # uniform in a triangle: the square root undoes its narrowing (Turk 1990)
        root = np.sqrt(u)[:, None]
        across = v[:, None]
        return np.asarray((1 - root) * a + root * (1 - across) * b + root * across * c)

    def place(self, xy: Floats) -> tuple[Floats, Floats]:
        """
        Turn places of the plane into degrees.

        Parameters
        ----------
        xy : numpy.ndarray, shape (n, 2)
            From `draw`.

        Returns
        -------
        lon, lat : numpy.ndarray, shape (n,)
            Degrees, WGS 84.
        """
        transformer = self.to_degrees or Transformer.from_crs(4326, 4326, always_xy=True)
        lon, lat = transformer.transform(*xy.T)
        return np.asarray(lon), np.asarray(lat)


def sampler_of(areas: gpd.GeoSeries, weight: Floats | None = None) -> Sampler:
    """
    Prepare areas to be drawn from.

    Parameters
    ----------
    areas : geopandas.GeoSeries
        Valid polygons in EPSG:4326, none missing or empty.
    weight : numpy.ndarray, shape (n,), optional
        How much of all places falls into each area; without it, all areas together are one window
        and places are uniform in it, also where areas overlap.

    Returns
    -------
    Sampler
        Its plane is the equal-area projection centred on the areas.
    """
    crs = local_crs(areas)
    plane = areas.segmentize(_SIDE_DEG).to_crs(crs).to_numpy()
    if weight is None:
        plane, weight = np.array([shapely.union_all(plane)], dtype=object), np.ones(1)
    return Sampler(
        *triangles_of(plane[weight > 0], weight[weight > 0]),
        to_degrees=Transformer.from_crs(crs, 4326, always_xy=True),
    )


def triangles_of(areas: NDArray[np.object_], weight: Floats) -> tuple[Floats, Floats]:
    """
    Cut areas of the plane into triangles.

    Parameters
    ----------
    areas : numpy.ndarray of shapely geometries, shape (n,)
        Valid polygons.
    weight : numpy.ndarray, shape (n,)
        How much of all places falls into each area.

    Returns
    -------
    corners : numpy.ndarray, shape (triangles, 3, 2)
        Of the triangles.
    cumulative : numpy.ndarray, shape (triangles,)
        The share of the places in each triangle and those before it.
    """
    corners, shares = [], []
    for area, share in zip(areas, weight, strict=True):
        parts = parts_of(np.array([area], dtype=object))
        triangles = np.concatenate(
            [shapely.get_parts(shapely.constrained_delaunay_triangles(part)) for part in parts]
        )
        size = shapely.area(triangles)
        corners.append(shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3])
        shares.append(share * size / size.sum())
    cumulative = np.cumsum(np.concatenate(shares))
    return np.concatenate(corners), cumulative / cumulative[-1]


def streams(rng: np.random.Generator | int | None, n: int) -> list[np.random.Generator]:
    """
    Make one stream of random numbers for each simulation.

    Parameters
    ----------
    rng : None, int or numpy.random.Generator
        Where all come from.
    n : int
        How many.

    Returns
    -------
    list of numpy.random.Generator
        The i-th is the same however the simulations are shared among threads.
    """
    seeds = np.random.default_rng(rng).integers(0, 2**63, size=n)
    return [np.random.default_rng(int(seed)) for seed in seeds]
