"""What the points would look like by chance: models to draw patterns from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import shapely

from geo._inputs import positive_length
from geo._outlines import outline_of
from geo._patterns import planar_pattern, plane_of
from geo._resolution import metres
from geo._sampling import Sampler, triangles_of
from geo.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Window: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = [
    "NullModel",
    "csr",
    "inhomogeneous_poisson",
    "matern_hardcore",
    "random_labelling",
    "thomas",
]

_SPREADS = 5  # standard deviations beyond the window in which parents are drawn


@dataclass(frozen=True, eq=False)
class NullModel:
    """
    A model to draw point patterns from.

    Parameters
    ----------
    name : str
        What it is called.
    words : str
        What it assumes, in a sentence.
    homogeneous : bool
        Whether every place of the window is alike.
    fixed_n : bool
        Whether the number of points is given; else the model draws it.
    window : shapely.Polygon or shapely.MultiPolygon
        In the plane.
    crs : pyproj.CRS
        Of the plane, in metres.
    draw : callable
        From a number of points and a stream to an array of shape (n, 2) in the plane.
    """

    name: str
    words: str
    homogeneous: bool
    fixed_n: bool
    window: BaseGeometry
    crs: CRS
    draw: Callable[[int, np.random.Generator], Floats]

    def simulate(
        self, n: int = 0, *, rng: np.random.Generator | int | None = None
    ) -> gpd.GeoSeries:
        """
        Draw one pattern.

        Parameters
        ----------
        n : int
            How many points, if the model does not draw the number itself.
        rng : None, int or numpy.random.Generator, optional
            For the same pattern again.

        Returns
        -------
        geopandas.GeoSeries
            Points in the coordinate reference system of the plane.
        """
        xy = self.draw(n, np.random.default_rng(rng))
        return gpd.GeoSeries(gpd.points_from_xy(*xy.T), crs=self.crs)

    def __repr__(self) -> str:
        return f"NullModel({self.name})"


def csr(window: Window) -> NullModel:
    """
    Draw a given number of independent points, uniformly in a window.

    Parameters
    ----------
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons, as in `ripley_k`.

    Returns
    -------
    NullModel
        Complete spatial randomness, conditional on the number of points.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If the window is empty or no polygon.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> len(geo.csr(window).simulate(5, rng=1))
    5
    """
    area, crs = plane_of(window)
    return NullModel(
        name="complete spatial randomness",
        words="Under the hypothesis every place of the window is equally likely.",
        homogeneous=True,
        fixed_n=True,
        window=area,
        crs=crs,
        draw=_uniform(area),
    )


def inhomogeneous_poisson(areas: gpd.GeoDataFrame, *, weight: str = "weight") -> NullModel:
    """
    Draw a given number of independent points within areas, by their weight.

    Parameters
    ----------
    areas : geopandas.GeoDataFrame
        Polygons that do not overlap, whose union is the window: provinces, or the cells of a
        surface.
    weight : str, default "weight"
        The column that says what share of the points falls into each area, such as population.

    Returns
    -------
    NullModel
        Conditional on the number of points; uniform within each area.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If an area is no polygon.
    SchemaError
        If there is no such column, or a weight is no number from 0 on, or all are 0.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> areas = geopandas.GeoDataFrame(
    ...     {"weight": [1, 9]},
    ...     geometry=[box(0, 0, 500, 1000), box(500, 0, 1000, 1000)],
    ...     crs="EPSG:32648",
    ... )
    >>> drawn = geo.inhomogeneous_poisson(areas).simulate(1000, rng=1)
    >>> bool(850 < (drawn.x > 500).sum() < 950)
    True
    """
    if weight not in areas:
        message = f"The areas have no column {weight!r}. Give the name of one with their weights."
        raise SchemaError(message)
    area, crs = plane_of(areas)
    value = areas[weight].to_numpy(dtype=np.float64, na_value=np.nan)
    if not (np.isfinite(value) & (value >= 0)).all() or not value.sum() > 0:
        message = f"The weights in {weight!r} must be numbers from 0 on, not all of them 0."
        raise SchemaError(message)
    plane = areas.geometry.to_crs(crs).to_numpy()
    corners, share = triangles_of(plane[value > 0], value[value > 0])
    return NullModel(
        name=f"Poisson by {weight}",
        words=f"Under the hypothesis points fall into areas by {weight}, uniformly within each.",
        homogeneous=False,
        fixed_n=True,
        window=area,
        crs=crs,
        draw=Sampler(corners, share).draw,
    )


def random_labelling(
    sites: gpd.GeoDataFrame | gpd.GeoSeries,
    controls: gpd.GeoDataFrame | gpd.GeoSeries,
    window: Window,
) -> NullModel:
    """
    Draw sites among all places of sites and controls, as if labels were exchanged.

    Parameters
    ----------
    sites, controls : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points in the window.
    window : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Polygons, as in `ripley_k`.

    Returns
    -------
    NullModel
        Whatever makes places likely for both kinds is allowed for: a function of the sites that
        leaves this envelope tells the sites from the controls.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a point lies outside the window, or the window is no polygon.

    References
    ----------
    .. [1] Diggle, P. J., Chetwynd, A. G. (1991). Second-order analysis of spatial clustering for
       inhomogeneous populations. Biometrics 47, 1155-1163.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> window = geopandas.GeoSeries([box(0, 0, 1000, 1000)], crs="EPSG:32648")
    >>> places = geopandas.GeoSeries.from_xy(range(6), range(6), crs="EPSG:32648")
    >>> model = geo.random_labelling(places[:2], places[2:], window)
    >>> bool(model.simulate(2, rng=1).isin(places).all())
    True
    """
    one, other = planar_pattern(sites, window), planar_pattern(controls, window)
    both = np.concatenate([one.xy, other.xy])
    return NullModel(
        name="random labelling",
        words=(
            "Under the hypothesis the sites are as many, taken at random, of the "
            f"{len(both)} places of sites and controls together."
        ),
        homogeneous=False,
        fixed_n=True,
        window=one.window,
        crs=one.crs,
        draw=lambda n, rng: rng.permutation(both)[:n],
    )


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
    kappa = positive_length(parents_per_km2, "parents_per_km2") / 1e6
    mean, spread = positive_length(offspring, "offspring"), positive_length(spread_m, "spread_m")
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
    density = positive_length(per_km2, "per_km2") / 1e6
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


def _uniform(area: BaseGeometry) -> Callable[[int, np.random.Generator], Floats]:
    """Return how to draw uniformly in an area of the plane."""
    outline = outline_of(area)
    if outline.rectangular:
        low, sides = np.array(outline.box[:2]), np.array(outline.sides)
        return lambda n, rng: low + rng.random((n, 2)) * sides
    return Sampler(*triangles_of(np.array([area], dtype=object), np.ones(1))).draw
