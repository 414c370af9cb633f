"""How many sites lie within a distance, and in which areas, given how well they are located."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._claims_tiers import tiers
from geo._inputs import any_length, coordinates, problems_of, radii, shapes_of
from geo._resolution import counted, metres
from geo._shapes import inside, measure, prepare
from geo._within_counts import count_distribution, interval_of, n_at_one_place
from geo._within_shares import shares_within
from geo.errors import GeometryError, SchemaError
from geo.geodesy import chord_beyond, place_points
from geo.proximity import distance_to

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.geodesy import Points

    Floats = NDArray[np.float64]

__all__ = ["WithinDistance", "admin_fractions", "probability_within"]

_LEAST_SHARE = 1e-3  # as exact as shares of discs are stated to be
_COUNTS = ("n", "reported", "expected", "low", "high", "surely", "possibly", "n_unknown")


@dataclass(frozen=True, eq=False)
class WithinDistance:
    """
    The answer of `probability_within`: how many sites lie within a distance of a feature.

    Parameters
    ----------
    distance_m : float
        The distance, in metres.
    sites : pandas.DataFrame
        With the index of the sites: ``distance_m``, ``distance_min_m``, ``distance_max_m`` as in
        `distance_to`; ``probability``, missing where location or radius are; and ``status``, if the
        sites have one.
    expected : float
        Expected number within, of the sites with a probability.
    distribution : numpy.ndarray, shape (n + 1,)
        The probability that 0, 1, ... n of them are within.
    interval : tuple of int
        The 95 % interval of that number.
    bounds : tuple of int
        The fewest that must be within wherever the true places are, and the most that can be: also
        every site without location or radius.
    n_unlocated, n_unknown_radius, n_shared : int
        Sites without location; located ones whose radius is unknown or without end; and sites of
        undecided answer that share place and radius, or a ``place_id``, with another one.
    """

    distance_m: float
    sites: pd.DataFrame
    expected: float
    distribution: Floats
    interval: tuple[int, int]
    bounds: tuple[int, int]
    n_unlocated: int
    n_unknown_radius: int
    n_shared: int

    def to_frame(self) -> pd.DataFrame:
        """
        Count by status, for what is suspected is not established.

        Returns
        -------
        pandas.DataFrame
            One row per status that occurs: ``status``, ``n``; ``reported``, how many reported
            places are within, whatever their radii; ``expected``, ``low`` and ``high``, of those
            whose location and radius are known; ``surely`` and ``possibly``, of all;
            ``n_unknown``. Sites without a column of statuses are ``unknown``.
        """
        rows = []
        for word, chosen in tiers(self.sites, "status").items():
            table = self.sites[chosen]
            chance = table["probability"].dropna().to_numpy()
            ends = interval_of(count_distribution(chance))
            reported = int((table["distance_m"] <= self.distance_m).sum())
            bounds = _bounds_of(table, self.distance_m)
            counts = (word, len(table), reported, float(chance.sum()), *ends, *bounds)
            rows.append((*counts, len(table) - len(chance)))
        return pd.DataFrame(rows, columns=["status", *_COUNTS]).astype({"status": "string"})

    def summary(self) -> str:
        """
        Say in plain words how many are within, and what that rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        far = metres(self.distance_m)
        parts = []
        for row in self.to_frame().itertuples():
            expected = (
                f"{row.expected:.1f} are expected within {far} of the feature, 95 % interval "
                f"{row.low} to {row.high}"
            )
            if row.n_unknown == row.n:
                expected = f"none is known well enough to expect it within {far} of the feature"
            parts.append(
                f"Of {counted(row.n, 'report')} ({row.status}), {expected}; at least {row.surely} "
                f"wherever the true places are, at most {row.possibly}. Reported places within: "
                f"{row.reported}."
            )
        parts.append(
            "A true place counts as equally likely anywhere within the radius of its record, and "
            "as independent of the others."
        )
        unknown = self.n_unlocated + self.n_unknown_radius
        if unknown:
            parts.append(
                f"{counted(unknown, 'report')} without a location or a radius: not in what is "
                "expected, and counted in full in what is possible."
            )
        if self.n_shared:
            parts.append(
                f"Caution: {self.n_shared} of the undecided reports share place and radius, or a "
                "place_id, with another one. If they are at one place, the interval is too narrow: "
                "give them one place_id and use propagate()."
            )
        return " ".join(parts)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"WithinDistance({metres(self.distance_m)}: {self.expected:.1f} of "
            f"{counted(len(self.sites), 'report')} expected, 95 % {low} to {high}; bounds "
            f"{self.bounds[0]} to {self.bounds[1]})"
        )

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, escape=True, border=0, na_rep="")
        return f"<div>{table}<p>{html.escape(self.summary())}</p></div>"


def probability_within(
    sites: gpd.GeoDataFrame,
    feature: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry,
    *,
    distance_m: float,
) -> WithinDistance:
    r"""
    Find how probable it is for each site to lie within a distance, and how many do.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points with ``uncertainty_m``, in any coordinate reference system.
    feature : geopandas.GeoDataFrame, geopandas.GeoSeries or shapely geometry
        Points, lines or polygons, in any mixture, as in `distance_to`. All rows together are one
        feature, which is taken to be where it is drawn.
    distance_m : float
        The distance in metres, inside a polygon 0.

    Returns
    -------
    WithinDistance
        A probability for each site, the exact distribution of the count, ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If a geometry does not fit; see `distance_to`.
    SchemaError
        If a radius is negative or no number.
    ValueError
        If `distance_m` is negative, infinite or no number.

    Notes
    -----
    The probability is the share of the disc of radius u around the recorded place that lies within
    `distance_m` of the feature: the true place is assigned (a centroid, a town), and uniform in its
    disc. For a straight border at d with D the distance, it is a segment of the disc,

    .. math:: P = 1 - \frac{\arccos t - t \sqrt{1 - t^2}}{\pi}, \quad t = (D - d) / u

    less the one beyond the other side. Of any feature the share is measured without simulation, in
    the azimuthal equidistant plane about each site, to 1e-3 for radii of 10 m to 300 km; the sites
    that ``[d - u, d + u]`` decides are exactly 0 or 1. The count is the sum of independent trials
    of different probability, a Poisson binomial variable [1]_, whose distribution is convolved from
    them.

    References
    ----------
    .. [1] Hong, Y. (2013). On computing the distribution function for the Poisson binomial
       distribution. Computational Statistics & Data Analysis 59, 41-51.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import LineString
    >>> sites = geopandas.GeoDataFrame(
    ...     {"uncertainty_m": [30.0, 5900.0]},
    ...     geometry=geopandas.points_from_xy([104.0137, 104.0457], [13.0, 13.0]),
    ...     crs="EPSG:4326",
    ... )
    >>> border = LineString([(104.0, 12.0), (104.0, 14.0)])
    >>> found = geo.probability_within(sites, border, distance_m=2000)
    >>> found
    WithinDistance(2 km: 1.2 of 2 reports expected, 95 % 1 to 2; bounds 1 to 2)
    >>> found.sites["probability"].round(2).tolist()
    [1.0, 0.19]
    """
    reach = any_length(distance_m, "distance_m")
    if np.isinf(reach):
        message = "distance_m is infinite: everything lies within it. Give a length in metres."
        raise ValueError(message)
    table = distance_to(sites, feature)
    lon, lat = coordinates(sites, "sites")
    located, radius = np.isfinite(lon), radii(sites)
    known = located & np.isfinite(radius)
    gap_m = table["distance_m"].to_numpy()
    chance = np.full(len(sites), np.nan)
    chance[known] = gap_m[known] + radius[known] <= reach
    open_ = np.flatnonzero(known & (gap_m - radius <= reach) & (gap_m + radius > reach))
    place, back = np.unique(np.column_stack([lon, lat, radius])[open_], axis=0, return_inverse=True)
    if len(open_):
        first = open_[np.unique(back, return_index=True)[1]]
        points = place_points(place[:, 0], place[:, 1])
        shapes = _present(feature)
        chance[open_] = shares_within(points, place[:, 2], gap_m[first], shapes, reach)[back]
    table["probability"] = chance
    if "status" in sites:
        table["status"] = sites["status"]
    distribution = count_distribution(chance[known])
    return WithinDistance(
        distance_m=reach,
        sites=table,
        expected=float(np.sort(chance[known]).sum()),
        distribution=distribution,
        interval=interval_of(distribution),
        bounds=_bounds_of(table, reach),
        n_unlocated=int((~located).sum()),
        n_unknown_radius=int((located & ~known).sum()),
        n_shared=n_at_one_place(sites.iloc[open_], back),
    )


def admin_fractions(
    sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, name: str = "name"
) -> pd.DataFrame:
    """
    Share each site out among the areas in which its true place may lie.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points with ``uncertainty_m``, in any coordinate reference system.
    areas : geopandas.GeoDataFrame
        Polygons such as provinces, in any coordinate reference system.
    name : str, default "name"
        Column of `areas` that names them.

    Returns
    -------
    pandas.DataFrame
        One row per site and area that holds some of its disc, in the order of `sites`, the largest
        share first: ``site_id`` (or the index label, if there are no ids), ``area`` and
        ``fraction``. What lies in none of them is ``elsewhere``. A site without location or radius
        keeps one row with a missing area and fraction.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If the sites are no points, or the areas no valid polygons; see ``.problems``.
    SchemaError
        If `areas` has no column `name`, or a radius is negative or no number.

    Notes
    -----
    The share is that of the disc of radius ``uncertainty_m``, to 1e-3; smaller ones are left out.
    Summed by area, it is the expected number of sites; confirmed and suspected ones are to be
    summed for themselves. Discs at a coast or a border reach beyond it: where the record rules out
    what is ``elsewhere``, leave that out and divide by the rest. Where it names its province, that
    is known better than by the disc: see `assign_areas`. Shares are as exact as the outlines are.

    Examples
    --------
    >>> import geo, geopandas
    >>> from shapely import box
    >>> areas = geopandas.GeoDataFrame(
    ...     {"name": ["West", "East"]},
    ...     geometry=[box(104.0, 12.0, 104.5, 13.0), box(104.5, 12.0, 105.0, 13.0)],
    ...     crs="EPSG:4326",
    ... )
    >>> sites = geopandas.GeoDataFrame(
    ...     {"site_id": ["a", "b"], "uncertainty_m": [250.0, 5000.0]},
    ...     geometry=geopandas.points_from_xy([104.2, 104.51], [12.5, 12.5]),
    ...     crs="EPSG:4326",
    ... )
    >>> geo.admin_fractions(sites, areas).round(2)
      site_id  area  fraction
    0       a  West      1.00
    1       b  East      0.64
    2       b  West      0.36
    """
    if name not in areas:
        message = f"areas has no column {name!r}; name= one of {list(areas.columns)}."
        raise SchemaError(message)
    lon, lat = coordinates(sites, "sites")
    radius = radii(sites)
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(radius))
    points, own = place_points(lon[known], lat[known]), radius[known]
    shapes = _surfaces(areas)
    # the last column is what lies in no area
    share = np.zeros((len(known), len(shapes) + 1))
    for position, shape in enumerate(shapes):
        if shape is not None:
            share[:, position] = _share_inside(points, own, np.array([shape], dtype=object))
    share[:, -1] = 1 - share[:, :-1].sum(axis=1)
    site, area = np.nonzero(share > _LEAST_SHARE)
    unknown = np.setdiff1d(np.arange(len(sites)), known)
    labels = np.append(areas[name].astype(object).to_numpy(), ["elsewhere", None])
    table = pd.DataFrame(
        {
            "row": np.append(known[site], unknown),
            "position": np.append(area, np.full(len(unknown), len(shapes) + 1)),
            "fraction": np.append(share[site, area], np.full(len(unknown), np.nan)),
        }
    )
    table = table.sort_values(["row", "fraction", "position"], ascending=[True, False, True])
    ids = sites["site_id"] if "site_id" in sites else sites.index.to_series()
    return pd.DataFrame(
        {
            "site_id": ids.take(table["row"]).array,
            "area": pd.array(labels[table["position"]], dtype="string"),
            "fraction": table["fraction"].to_numpy(),
        }
    )


# ---------------------------------------------------------------------------- shares


def _present(feature: gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry) -> NDArray[np.object_]:
    """Return the geometries of a feature in degrees, without those that are missing."""
    if isinstance(feature, shapely.Geometry):
        feature = gpd.GeoSeries([feature], crs=4326)
    shapes = shapes_of(feature)
    return np.asarray(shapes[shapely.get_type_id(shapes) >= 0])


def _surfaces(areas: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the polygons of areas in degrees, None where missing."""
    shapes = shapes_of(areas)
    flat = (shapely.get_type_id(shapes) >= 0) & (shapely.get_dimensions(shapes) != 2)  # noqa: PLR2004 - surfaces
    if flat.any():
        message = (
            f"{flat.sum()} of {len(shapes)} areas are no polygons, so that nothing lies in them. "
            "Leave them out."
        )
        raise GeometryError(message, problems_of(areas.geometry, flat, "no polygon"))
    return shapes


def _share_inside(points: Points, radius: Floats, shape: NDArray[np.object_]) -> Floats:
    """Return the share of each disc that lies inside an area."""
    body, share = prepare(shape), np.zeros(len(radius))
    gap = np.linalg.norm(points.xyz - body.centre, axis=1) - body.radius_m
    near = np.flatnonzero((gap <= chord_beyond(radius)) | inside(points, body.polygons))
    gap_m = measure(points.at(near), body).length_m
    share[near] = gap_m == 0
    rows = np.flatnonzero((gap_m < radius[near]) & (radius[near] > 0))
    disc = near[rows]
    share[disc] = shares_within(points.at(disc), radius[disc], gap_m[rows], shape, 0.0)
    return share


def _bounds_of(table: pd.DataFrame, reach: float) -> tuple[int, int]:
    """Count the sites that must be within reach, and those that can be."""
    surely = (table["distance_max_m"] <= reach).sum()
    # where location or radius are unknown, so is the least distance
    possibly = (~(table["distance_min_m"] > reach)).sum()
    return int(surely), int(possibly)
