"""Points that seek or avoid each other: processes with known functions, to test a test with."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import shapely

from geo._inputs import positive_length, positive_number
from geo._patterns import plane_of
from geo._resolution import metres
from geo.nullmodels import NullModel

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["matern_hardcore", "thomas"]

_SPREADS = 5  # standard deviations beyond the window in which parents are drawn


def thomas(
    window: Window, *, parents_per_km2: float, offspring: float, spread_m: float
) -> NullModel:
    """
    Draw a Thomas process: parents at random, each with children scattered around it.

    Parameters
    ----------
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons, as in `ripley_k`.
    parents_per_km2 : float
        Intensity of the parents, which are not part of the pattern.
    offspring : float
        Mean number of children of a parent (Poisson).
    spread_m : float
        Standard deviation of the distance of a child along each axis, in metres.

    Returns
    -------
    NullModel
        Draws the number of points itself.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If the window is empty or no polygon.
    ValueError
        If a parameter is no positive number.

    Notes
    -----
    ``K(r) = pi r^2 + (1 - exp(-r^2 / 4 s^2)) / k`` with the intensity k of the parents [1]_. These
    are drawn up to five spreads beyond the window's box, so that its edge is like its middle.

    References
    ----------
    .. [1] Thomas, M. (1949). A generalization of Poisson's binomial limit for use in ecology.
       Biometrika 36, 18-25.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> model = geo.thomas(window, parents_per_km2=20, offspring=5, spread_m=30)
    >>> bool(30 < len(model.simulate(rng=1)) < 250)
    True
    """
    area, crs = plane_of(window)
    kappa = positive_number(parents_per_km2, "parents_per_km2") / 1e6
    mean, spread = positive_number(offspring, "offspring"), positive_length(spread_m, "spread_m")
    west, south, east, north = area.buffer(_SPREADS * spread).bounds
    shapely.prepare(area)

    def draw(_: int, rng: np.random.Generator) -> Floats:
        n_parents = rng.poisson(kappa * (east - west) * (north - south))
        parents = rng.uniform([west, south], [east, north], (n_parents, 2))
        children = np.repeat(parents, rng.poisson(mean, n_parents), axis=0)
        children = children + rng.normal(0, spread, children.shape)
        return np.asarray(children[shapely.contains_xy(area, *children.T)])

    return NullModel(
        name="Thomas process",
        words=f"Points come in clusters of {mean:g} on average, {metres(spread)} wide.",
        homogeneous=True,
        fixed_n=False,
        window=area,
        crs=crs,
        draw=draw,
    )


def matern_hardcore(window: Window, *, per_km2: float, distance_m: float) -> NullModel:
    """
    Draw Matern's second hard-core process: random points, thinned so that none are close.

    Parameters
    ----------
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons, as in `ripley_k`.
    per_km2 : float
        Intensity before thinning.
    distance_m : float
        No two points are nearer than this, in metres.

    Returns
    -------
    NullModel
        Draws the number of points itself.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If the window is empty or no polygon.
    ValueError
        If a parameter is no positive number.

    Notes
    -----
    Every point of a Poisson process has a random age and is deleted if an older one is nearer than
    `distance_m`; what is left has the intensity ``(1 - exp(-per_km2 pi d^2)) / (pi d^2)`` [1]_.

    References
    ----------
    .. [1] Matern, B. (1960). Spatial variation. Meddelanden fran Statens Skogsforskningsinstitut
       49(5).

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> drawn = geo.matern_hardcore(window, per_km2=200, distance_m=50).simulate(rng=1)
    >>> len(geo.pairs_within(drawn.to_frame("geometry"), distance_m=49))
    0
    """
    area, crs = plane_of(window)
    density = positive_number(per_km2, "per_km2") / 1e6
    reach = positive_length(distance_m, "distance_m")
    west, south, east, north = area.buffer(reach).bounds
    shapely.prepare(area)

    def draw(_: int, rng: np.random.Generator) -> Floats:
        # thinning needs neighbours by age; scipy loads with the first draw
        from scipy.spatial import cKDTree  # noqa: PLC0415

        n = rng.poisson(density * (east - west) * (north - south))
        points = rng.uniform([west, south], [east, north], (n, 2))
        # positions are ages: the earlier point of a close pair deletes the later one
        pairs = cKDTree(points).query_pairs(reach, output_type="ndarray")
        kept = np.ones(n, dtype=bool)
        kept[pairs.max(axis=1)] = False
        kept &= shapely.contains_xy(area, *points.T)
        return np.asarray(points[kept])

    return NullModel(
        name="Matern hard core",
        words=f"No two points are nearer than {metres(reach)}; otherwise they are random.",
        homogeneous=True,
        fixed_n=False,
        window=area,
        crs=crs,
        draw=draw,
    )
