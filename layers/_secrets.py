"""What must not be found in a release: the places of sites in every form, and what may be."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

import geo
from layers._agreeing import plane_of
from layers._codes import (
    from_mercator,
    from_utm,
    geohashes,
    mercator,
    mgrs_squares,
    plus_codes,
    utm,
    utm_zones,
)

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from layers._agreeing import Plane

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["DEGREE_M", "Known", "Secrets", "Square", "known_of", "secrets_of"]

DEGREE_M = 111_000.0
_MOST_CORNERS = 2000  # of a diagram: whoever publishes one shows these among the rest
_SAME_DEG = 2e-7  # two spellings of one place: some centimetres
_REFERENCES = (
    *("provinces", "districts", "countries", "land_border"),
    *("coastline", "water"),
)


class Square(NamedTuple):
    """Places within one square of 100 km of MGRS: metres from its corner."""

    easting: Floats
    northing: Floats
    place: Ints


class Secrets(NamedTuple):
    """
    Places that must not be found, in the forms that they can have.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Distinct places in degrees.
    sites : list of list of str
        The ids of the sites at each place.
    degrees : tuple of Plane
        The places, and what can be reckoned from them, in degrees.
    metres : tuple of Plane
        The places in web mercator and UTM.
    heads : numpy.ndarray of bool
        Which whole degrees occur.
    geohashes, plus_codes, short_codes : list of tuple of str and int
        Sorted codes with their places; short ones lack the first four digits.
    squares : dict of str to Square
        The places by their squares of MGRS.
    """

    lon: Floats
    lat: Floats
    sites: list[list[str]]
    degrees: tuple[Plane, ...]
    metres: tuple[Plane, ...]
    heads: Bools
    geohashes: list[tuple[str, int]]
    plus_codes: list[tuple[str, int]]
    short_codes: list[tuple[str, int]]
    squares: dict[str, Square]

    @property
    def ranges(self) -> list[tuple[float, float]]:
        """Least and greatest of every axis of every plane of the places."""
        return [pair for plane in (self.degrees[0], *self.metres) for pair in plane.ranges]


class Known:
    """
    Coordinates that may be shown: those that were released, and those that everybody has.

    Parameters
    ----------
    released : numpy.ndarray, shape (n, 2)
        Longitude and latitude of points and vertices that were released.
    """

    def __init__(self, released: Floats) -> None:
        self._released = released
        self._towns: Floats | None = None
        self._all: Any = None

    @property
    def towns(self) -> Floats:
        """What was released, and the towns of the gazetteer."""
        if self._towns is None:
            points = geo.load_reference("towns").geometry.to_numpy()
            self._towns = np.concatenate([self._released, shapely.get_coordinates(points)])
        return self._towns

    @cached_property
    def _sorted(self) -> Floats:
        """Every number of them, without its sign."""
        return np.sort(np.abs(self.towns).ravel())

    def values(self, value: Floats, unit: Floats) -> Bools:
        """
        Tell which numbers are a coordinate of a town, or one that was released.

        Parameters
        ----------
        value : numpy.ndarray
            Numbers without signs.
        unit : numpy.ndarray
            Of their last digits.

        Returns
        -------
        numpy.ndarray of bool
            Whether each may be shown.
        """
        low = np.searchsorted(self._sorted, value - unit / 2)
        high = np.searchsorted(self._sorted, value + unit, side="right")
        answer: Bools = high > low
        return answer

    def pairs(self, lon: Floats, lat: Floats, unit: Floats) -> Bools:
        """
        Tell which pairs are a vertex of the shipped layers, or one that was released.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            Degrees without signs.
        unit : numpy.ndarray
            Of their last digits.

        Returns
        -------
        numpy.ndarray of bool
            Whether each may be shown.
        """
        from scipy.spatial import cKDTree  # noqa: PLC0415 - loads a library of its own

        if self._all is None:
            shapes = [geo.load_reference(name).geometry.to_numpy() for name in _REFERENCES]
            drawn = shapely.get_coordinates(np.concatenate(shapes))
            self._all = cKDTree(np.abs(np.concatenate([self.towns, drawn])))
        # A number rounded or cut off stands for what is half a unit below to one above.
        middle = np.column_stack([lon + unit / 4, lat + unit / 4])
        distance, _ = self._all.query(middle, p=np.inf)
        answer: Bools = distance <= 0.75 * unit + _SAME_DEG / 100
        return answer

    def places(self, lon: Floats, lat: Floats) -> Bools:
        """
        Tell which places are a town of the gazetteer, or one that was released.

        Parameters
        ----------
        lon, lat : numpy.ndarray
            Degrees.

        Returns
        -------
        numpy.ndarray of bool
            Whether each may be shown in any form.
        """
        return _same(lon, lat, self.towns)


def known_of(released: gpd.GeoDataFrame | None) -> Known:
    """
    Collect what was released.

    Parameters
    ----------
    released : geopandas.GeoDataFrame or None
        A release, in any coordinate reference system.

    Returns
    -------
    Known
        Its points and vertices.
    """
    return Known(_vertices(released))


def secrets_of(
    against: gpd.GeoDataFrame, ids: list[str], released: gpd.GeoDataFrame | None
) -> Secrets:
    """
    Index the places of sites that were not released.

    Parameters
    ----------
    against : geopandas.GeoDataFrame
        Sites; what is no point has no place.
    ids : list of str
        The id of each.
    released : geopandas.GeoDataFrame or None
        What was released of them.

    Returns
    -------
    Secrets
        Their places.
    """
    shapes = against.to_crs(4326).geometry.to_numpy()
    is_point = (shapely.get_type_id(shapes) == 0) & ~shapely.is_empty(shapes)
    row = np.flatnonzero(is_point)
    lon, lat = shapely.get_coordinates(shapes[row]).T
    fits = np.isfinite(lon) & np.isfinite(lat) & ~_same(lon, lat, _points(released))
    row, lon, lat = row[fits], lon[fits], lat[fits]
    distinct, place = np.unique(np.column_stack([lon, lat]), axis=0, return_inverse=True)
    sites: list[list[str]] = [[] for _ in distinct]
    for i, at in zip(row.tolist(), place.ravel().tolist(), strict=True):
        sites[at].append(ids[i])
    return _indexed(distinct[:, 0].copy(), distinct[:, 1].copy(), sites)


def _indexed(lon: Floats, lat: Floats, sites: list[list[str]]) -> Secrets:
    """Give places all their forms."""
    place = np.arange(len(lon))
    zones = utm_zones(lon, lat)
    easting, northing = utm(lon, lat, zones)
    beside = [(zones + step - 1) % 60 + 1 for step in (-1, 1)]
    projected = [(easting, northing), *(utm(lon, lat, zone) for zone in beside)]
    x, y = (np.concatenate(part) for part in zip(*projected, strict=True))
    codes = plus_codes(lon, lat)
    heads = np.zeros(1000, dtype=np.bool_)
    for axis in (lon, lat):
        for nudge in (-1e-3, 0, 1e-3):
            heads[np.abs(axis + nudge).astype(np.int64)] = True
    return Secrets(
        lon,
        lat,
        sites,
        (plane_of("decimal degrees", lon, lat, place), *_reckoned(lon, lat)),
        (
            plane_of("web mercator", *mercator(lon, lat), place, DEGREE_M),
            plane_of("UTM", x, y, np.tile(place, 3), DEGREE_M),
        ),
        heads,
        sorted(zip(geohashes(lon, lat), place.tolist(), strict=True)),
        sorted(zip(codes, place.tolist(), strict=True)),
        sorted(zip((code[4:] for code in codes), place.tolist(), strict=True)),
        _by_square(easting, northing, mgrs_squares(easting, northing, zones, lat)),
    )


def _by_square(easting: Floats, northing: Floats, names: list[str]) -> dict[str, Square]:
    """Group places by their squares of MGRS."""
    squares = {}
    every = np.array(names, dtype=object)
    for name in sorted({name for name in names if name}):
        at = np.flatnonzero(every == name)
        squares[name] = Square(easting[at] % 1e5, northing[at] % 1e5, at)
    return squares


def _reckoned(lon: Floats, lat: Floats) -> list[Plane]:
    """Give what tells of several places at once: means, bounds, corners of a Voronoi diagram."""
    if len(lon) < 2:  # noqa: PLR2004 - of one place it is the place
        return []
    west, east, south, north = lon.min(), lon.max(), lat.min(), lat.max()
    x = np.array([lon.mean(), np.median(lon), (west + east) / 2, west, east, west, east])
    y = np.array([lat.mean(), np.median(lat), (south + north) / 2, south, north, north, south])
    forms = {
        "mean or bounds of all sites": (x, y),
        "corner of a Voronoi diagram": _corners(lon, lat),
    }
    return [plane_of(form, x, y, np.full(len(x), -1)) for form, (x, y) in forms.items() if len(x)]


def _corners(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Give the corners of the Voronoi diagrams in degrees, in web mercator and in one UTM zone."""
    from scipy.spatial import QhullError, Voronoi  # noqa: PLC0415 - loads a library of its own

    zone = int(np.median(utm_zones(lon, lat)))
    planes = ((lon, lat), mercator(lon, lat), utm(lon, lat, np.full(len(lon), zone)))
    parts = []
    for number, (x, y) in enumerate(planes):
        try:
            corners = Voronoi(np.column_stack([x - x.mean(), y - y.mean()])).vertices
        except (QhullError, ValueError):  # fewer than four places, or all on a line
            continue
        corner = corners[:, 0] + x.mean(), corners[:, 1] + y.mean()
        back = (lambda *degrees: degrees, from_mercator, partial(from_utm, zone=zone))[number]
        parts.append(np.column_stack(back(*corner))[:: len(corners) // _MOST_CORNERS + 1])
    every = np.concatenate(parts) if parts else np.zeros((0, 2))
    every = every[(np.abs(every) <= [180, 90]).all(axis=1)]
    return every[:, 0], every[:, 1]


def _points(released: gpd.GeoDataFrame | None) -> Floats:
    """Give the points among what was released."""
    if released is None:
        return np.zeros((0, 2))
    shapes = released.to_crs(4326).geometry.to_numpy()
    points: Floats = shapely.get_coordinates(shapes[shapely.get_type_id(shapes) == 0])
    return points


def _vertices(released: gpd.GeoDataFrame | None) -> Floats:
    """Give the points and vertices of what was released."""
    if released is None:
        return np.zeros((0, 2))
    vertices: Floats = shapely.get_coordinates(released.to_crs(4326).geometry.to_numpy())
    return vertices


def _same(lon: Floats, lat: Floats, others: Floats) -> Bools:
    """Tell which places are one of the others."""
    if not len(others) or not len(lon):
        return np.zeros(len(lon), dtype=np.bool_)
    from scipy.spatial import cKDTree  # noqa: PLC0415 - loads a library of its own

    distance, _ = cKDTree(others).query(np.column_stack([lon, lat]), p=np.inf)
    answer: Bools = distance <= _SAME_DEG
    return answer
