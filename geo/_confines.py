"""Where a true place may be beside its circle: in its unit, and in its country on land."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from geo._joining import joined
from geo._patterns import surfaces_of
from geo._sampling import triangles_of
from geo.errors import ResolutionWarning
from geo.geodesy import WGS84
from geo.projection import local_crs, to_degrees
from geo.reference import _FIVE, _ZONES, _land, _zone_country, _zone_polygons, load_reference

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo._realisations import Places

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Shapes = NDArray[np.object_]
    Areas: TypeAlias = gpd.GeoDataFrame | gpd.GeoSeries | BaseGeometry

__all__ = ["Confines", "Units", "confines_of", "in_triangles", "make_ready", "stands_for"]

_SIDE_DEG = 0.05  # sides no longer than this bend by less than a metre when they are projected
_CORNERS, _AROUND = 64, 1.0013  # of polygons that hold a circle, and how much wider they are
_TRIED = 512  # places of a circle that are tried, and how many of them must serve
_FEWEST = 2
_GOLDEN = (np.sqrt(5) - 1) / 2


@dataclass(frozen=True, eq=False)
class Units:
    """
    Areas that places may stand for.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries, shape (k,)
        In degrees, prepared.
    corners, cumulative : numpy.ndarray
        The same as triangles, as in `geo._sampling.Sampler`, each unit having the same share.
    to_degrees : pyproj.Transformer
        From the plane of the triangles.
    """

    shapes: Shapes
    corners: Floats
    cumulative: Floats
    to_degrees: Transformer


@dataclass(frozen=True, eq=False)
class Confines:
    """
    Where some places may be.

    Parameters
    ----------
    shape : numpy.ndarray of shapely geometries, shape (p,)
        What a drawn place must lie in, prepared; None where nothing is to be asked.
    serves : numpy.ndarray of bool, shape (p,)
        Which places stand for a whole unit, and are drawn in it.
    unit : numpy.ndarray of int, shape (p,)
        The position of the unit, -1 for none.
    units : Units
        All of them.
    n_apart : int
        Places whose circle does not meet the unit or the country that they are said to be in.
    """

    shape: Shapes
    serves: Flags
    unit: Ints
    units: Units
    n_apart: int

    def take(self, place: Ints, u: Floats, v: Floats, w: Floats) -> tuple[Floats, Floats]:
        """
        Draw places that stand for a unit.

        Parameters
        ----------
        place : numpy.ndarray of int, shape (m,)
            Which.
        u, v, w : numpy.ndarray, shape (m,)
            Uniform numbers from 0 to 1.

        Returns
        -------
        lon, lat : numpy.ndarray, shape (m,)
            Degrees, uniform by area in the unit of each.
        """
        units = self.units
        pick = (self.unit[place] + u) / len(units.shapes)
        xy = in_triangles(units.corners, units.cumulative, pick, v, w)
        lon, lat = units.to_degrees.transform(*xy.T)
        return np.asarray(lon), np.asarray(lat)


def make_ready(shapes: Shapes) -> None:
    """
    Prepare shapes to be asked by several threads.

    Parameters
    ----------
    shapes : numpy.ndarray of shapely geometries
        Polygons, prepared in place.
    """
    shapely.prepare(shapes)
    # the index behind is built by the first question, which must not be two at once
    shapely.intersects(shapes, shapely.point_on_surface(shapes))


def in_triangles(corners: Floats, cumulative: Floats, pick: Floats, v: Floats, w: Floats) -> Floats:
    """
    Find the places of some numbers in triangles, uniformly by area.

    Parameters
    ----------
    corners, cumulative : numpy.ndarray
        From `geo._sampling.triangles_of`.
    pick, v, w : numpy.ndarray, shape (m,)
        Uniform numbers from 0 to 1: which triangle, and where in it.

    Returns
    -------
    numpy.ndarray, shape (m, 2)
        In the plane of the triangles.
    """
    found = np.searchsorted(cumulative, pick, side="right")
    a, b, c = np.moveaxis(corners[np.minimum(found, len(cumulative) - 1)], 1, 0)
    # uniform in a triangle: the square root undoes its narrowing (Turk 1990)
    root, across = np.sqrt(v)[:, None], w[:, None]
    return np.asarray((1 - root) * a + root * (1 - across) * b + root * across * c)


def stands_for(radius: Floats, measured: Flags, area_m2: Floats) -> Flags:
    """
    Tell which coordinates stand for a whole unit.

    Parameters
    ----------
    radius : numpy.ndarray, shape (m,)
        Of the circles, in metres.
    measured : numpy.ndarray of bool, shape (m,)
        Whether they were measured, and so stand for nothing but themselves.
    area_m2 : numpy.ndarray, shape (m,)
        Of the units; NaN for none.

    Returns
    -------
    numpy.ndarray of bool, shape (m,)
        Those whose circle has at least half the area of the unit: they say no more than the unit.
    """
    return np.asarray(~measured & (np.pi * radius**2 >= area_m2 / 2))


def confines_of(sites: gpd.GeoDataFrame, places: Places, within: Areas | None) -> Confines:
    """
    Find where the places of some sites may be.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        With the column ``country``, or without.
    places : Places
        Of the sites.
    within : geopandas.GeoDataFrame, geopandas.GeoSeries, shapely geometry or None
        Units, or the study window.

    Returns
    -------
    Confines
        For each place.

    Warns
    -----
    ResolutionWarning
        If circles do not meet the unit or the country that they should.
    """
    shape = _countries(sites, places)
    unit, serves = np.full(places.n, -1), np.zeros(places.n, dtype=bool)
    units = Units(
        np.empty(0, dtype=object),
        np.empty((0, 3, 2)),
        np.empty(0),
        Transformer.from_crs(4326, 4326, always_xy=True),
    )
    if within is not None:
        units, area = _units(within)
        unit = _units_at(places, units.shapes)
        serves = stands_for(places.radius, places.measured, area[unit])
        shape = _common(shape, units.shapes, unit)
        # these are drawn in their unit as it is, which no outline of a country fits
        shape[serves] = None
    shape, n_apart = _met(places, shape)
    return Confines(shape, serves, unit, units, n_apart)


def _units(within: Areas) -> tuple[Units, Floats]:
    """Return units and their areas in square metres."""
    given = to_degrees(gpd.GeoSeries(surfaces_of(within)))
    crs = local_crs(given)
    plane = given.segmentize(_SIDE_DEG).to_crs(crs).to_numpy()
    shapes = given.to_numpy()
    make_ready(shapes)
    back = Transformer.from_crs(crs, 4326, always_xy=True)
    corners, cumulative = triangles_of(plane, np.ones(len(plane)))
    return Units(shapes, corners, cumulative, back), np.asarray(shapely.area(plane))


def _units_at(places: Places, shapes: Shapes) -> Ints:
    """Return the first unit that holds each place, or else the nearest."""
    points = shapely.points(places.lon, places.lat)
    tree = shapely.STRtree(shapes)
    unit = np.full(places.n, len(shapes))
    place, found = tree.query(points, predicate="intersects")
    np.minimum.at(unit, place, found)
    outside = np.flatnonzero(unit == len(shapes))
    # whether the circle reaches it at all is seen later
    unit[outside] = tree.nearest(points[outside])
    return unit


def _common(shape: Shapes, units: Shapes, unit: Ints) -> Shapes:
    """Return what countries and units have in common, cut once for each pair of them."""
    known: dict[tuple[int, int], BaseGeometry] = {}
    found = np.empty(len(shape), dtype=object)
    for place, (land, number) in enumerate(zip(shape, unit.tolist(), strict=True)):
        key = (id(land), number)
        if key not in known:
            cut = units[number]
            known[key] = cut if land is None else shapely.intersection(cut, land)
        found[place] = known[key]
    return found


def _met(places: Places, shape: Shapes) -> tuple[Shapes, int]:
    """Leave out of shapes what holds a whole circle, and warn of what does not meet it."""
    shapely.prepare(shape)
    shape = shape.copy()
    # a place without a circle stays where it is
    shape[places.radius == 0] = None
    asked = np.flatnonzero(shapely.get_type_id(shape) >= 0)
    held = _holds(places, asked, shape[asked])
    shape[asked[held]] = None
    asked = asked[~held]
    apart = asked[~_meets(places, asked, shape[asked])]
    shape[apart] = None
    if len(apart):
        warnings.warn(
            f"The circles of {len(apart)} of {places.n} places do not meet the land of their "
            "country, or the area that they should lie within. These are drawn in the whole "
            "circle: check their country, their radius and their location.",
            ResolutionWarning,
            stacklevel=5,
        )
    return shape, len(apart)


def _holds(places: Places, at: Ints, shape: Shapes) -> Flags:
    """Tell which circles lie wholly within a shape."""
    around = _AROUND * np.repeat(places.radius[at], _CORNERS) + 1.0
    bearing = np.tile(np.arange(_CORNERS) * 360.0 / _CORNERS, len(at))
    lon, lat = (np.repeat(number[at], _CORNERS) for number in (places.lon, places.lat))
    x, y, _ = WGS84.fwd(lon, lat, bearing, around)
    rings = np.stack([x, y], axis=-1).reshape(-1, _CORNERS, 2)
    held = np.asarray(shapely.contains_properly(shape, shapely.polygons(rings)))
    # across the antimeridian such a ring is not the circle
    return held & (np.ptp(rings[:, :, 0], axis=1) < 180) if len(at) else held  # noqa: PLR2004


def _meets(places: Places, at: Ints, shape: Shapes) -> Flags:
    """Tell which circles have a part in a shape that can be drawn in."""
    # evenly over the circle: the spiral of a sunflower
    turn = np.arange(_TRIED) * _GOLDEN % 1
    share = (np.arange(_TRIED) + 0.5) / _TRIED
    far = np.outer(places.radius[at], np.sqrt(share)).ravel()
    lon, lat = (np.repeat(number[at], _TRIED) for number in (places.lon, places.lat))
    x, y, _ = WGS84.fwd(lon, lat, 360 * np.tile(turn, len(at)), far)
    inside = shapely.intersects_xy(np.repeat(shape, _TRIED), x, y)
    return np.asarray(inside.reshape(-1, _TRIED).sum(axis=1) >= _FEWEST)


def _countries(sites: gpd.GeoDataFrame, places: Places) -> Shapes:
    """Return the land of the country that each place is said to be in, None where unknown."""
    shape = np.full(places.n, None, dtype=object)
    if "country" in sites:
        stated = sites["country"].astype("object").iloc[places.row]
        for code in sorted({code for code in stated if isinstance(code, str)}):
            land = _land_of(code.upper())
            for place in np.flatnonzero((stated == code).to_numpy(bool)):
                shape[place] = land
    return shape


@cache
def _land_of(country: str) -> BaseGeometry | None:
    """Return the land of a country: up to the land border, which outlines miss by kilometres."""
    zones = [zone for zone in sorted(_ZONES) if country in _FIVE and country in _shares(zone)]
    parts = [
        shapely.Polygon(rings[0], rings[1:])
        for zone in zones
        for rings in _zone_polygons(zone)
        if _zone_country(zone, rings[0]) == country
    ]
    if parts:
        return shapely.intersection(joined(np.array(parts, dtype=object), None), _land())
    outlines = load_reference("countries")
    known = outlines.geometry[outlines["country"] == country]
    return known.iloc[0] if len(known) else None


def _shares(zone: str) -> tuple[str, ...]:
    """Return the countries of a time zone."""
    return ("TH", "VN") if zone == "Asia/Bangkok" else (_ZONES[zone],)
