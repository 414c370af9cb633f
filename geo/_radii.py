"""Radii of the point-radius method, and the circles around shapes.

What contributes to a radius is added up, so that it holds every place that the words can mean
(`geo.localities` names the sources).
"""

from __future__ import annotations

import math
from typing import Any

import shapely

from geo.geodesy import WGS84, geodesic_length

__all__ = [
    "coordinate_radius",
    "covering_circle",
    "nearest_point",
    "offset_precision",
    "offset_radius",
]

_ROUND_M = 100.0  # circles are rounded up to this, which covers the bulge of edges


def offset_precision(number: str, *, about: bool = False) -> float:
    """
    Give half the unit to which a distance is stated, in the distance's own unit.

    Parameters
    ----------
    number : str
        As it was written: ``10.5`` says more than ``10``.
    about : bool
        Whether it is called approximate.

    Returns
    -------
    float
        Half of one fraction (10.5: 0.25; 10.25: 0.125), decimal (10.1: 0.05) or power of ten
        (15: 0.5; 100: 5; 140: 5; 1000: 50), after Chapman and Wieczorek (2020), section 3.4.

    Examples
    --------
    >>> from geo._radii import offset_precision
    >>> [offset_precision(text) for text in ("10.5", "10", "15", "100", "140", "1000")]
    [0.25, 0.5, 0.5, 5.0, 5.0, 50.0]
    """
    whole, _, decimals = number.replace(",", ".").partition(".")
    if decimals.strip("0"):
        fractions = {"5": 0.5, "25": 0.25, "75": 0.25}
        unit = fractions.get(decimals, 10.0 ** -len(decimals))
    elif decimals:
        unit = 10.0 ** -len(decimals)
    else:
        zeros = len(whole) - len(whole.rstrip("0"))
        unit = 10.0 ** min(zeros, max(len(whole) - 2, 0))
    if about:
        unit = max(unit, min(10 * unit, float(number.replace(",", ".")) / 2))
    return unit / 2


def offset_radius(
    distance_m: float, precision_m: float, half_angle_deg: float, extent_m: float
) -> float:
    """
    Give the radius around the end of an offset that holds every place it can mean.

    Parameters
    ----------
    distance_m, precision_m, half_angle_deg, extent_m : float
        The distance, half its unit, the angle on either side of the direction, and the radius
        of the place from which it is measured; metres and degrees.

    Returns
    -------
    float
        Metres: the farthest corner of the sector, and the extent.

    Examples
    --------
    >>> from geo._radii import offset_radius
    >>> round(offset_radius(10_000.0, 0.0, 22.5, 0.0))
    3902
    """
    angle = math.radians(half_angle_deg)
    corners = (
        math.hypot(reach * math.cos(angle) - distance_m, reach * math.sin(angle))
        for reach in (distance_m + precision_m, max(distance_m - precision_m, 0.0))
    )
    return max(*corners, precision_m) + extent_m


def coordinate_radius(latitude: float, precision_deg: float, extent_m: float = 0.0) -> float:
    """
    Give the radius of a coordinate of some precision, and of what it is the centre of.

    Parameters
    ----------
    latitude : float
        Degrees, WGS 84.
    precision_deg : float
        The last digit or unit of the notation in degrees: 0.01, or 1/3600 for seconds.
    extent_m : float
        Radius of the named place in metres.

    Returns
    -------
    float
        Metres: the diagonal of a cell of the precision, and the extent.

    Examples
    --------
    >>> from geo._radii import coordinate_radius
    >>> round(coordinate_radius(0.0, 0.01)), round(coordinate_radius(30.0, 0.001))
    (1569, 147)
    """
    phi, e2 = math.radians(latitude), WGS84.es
    root = 1 - e2 * math.sin(phi) ** 2
    north = WGS84.a * (1 - e2) / root**1.5
    east = WGS84.a * math.cos(phi) / math.sqrt(root)
    return math.radians(precision_deg) * math.hypot(north, east) + extent_m


def covering_circle(shape: shapely.Geometry) -> tuple[float, float, float]:
    """
    Give the least circle around a shape, with its centre drawn into the shape.

    Parameters
    ----------
    shape : shapely geometry
        In degrees, not across the antimeridian.

    Returns
    -------
    tuple of float
        Longitude and latitude of the centre, and the geodesic radius in metres that holds every
        corner, rounded up to 100 m.
    """
    stretch = math.cos(math.radians((shape.bounds[1] + shape.bounds[3]) / 2))
    flat = shapely.transform(shape, lambda corners: corners * [stretch, 1.0])
    middle = shapely.centroid(shapely.minimum_bounding_circle(flat))
    inside: Any = shapely.get_point(shapely.shortest_line(flat, middle), 0)
    lon, lat = round(inside.x / stretch, 5), round(inside.y, 5)
    corners = shapely.get_coordinates(shape)
    reach = float(geodesic_length(lon, lat, corners[:, 0], corners[:, 1]).max())
    return lon, lat, math.ceil(reach / _ROUND_M + 0.5) * _ROUND_M


def nearest_point(
    shape: shapely.Geometry, longitude: float, latitude: float
) -> tuple[float, float, float]:
    """
    Give the point of a shape that is nearest to a place.

    Parameters
    ----------
    shape : shapely geometry
        In degrees.
    longitude, latitude : float
        The place in degrees.

    Returns
    -------
    tuple of float
        Longitude, latitude and the geodesic distance in metres; 0 inside a polygon.

    Notes
    -----
    The foot is found in a plane that is true at the place's latitude, good enough to widen a
    radius by; exact distances to shapes are `geo.distance_to`'s.
    """
    stretch = math.cos(math.radians(latitude))
    flat = shapely.transform(shape, lambda corners: corners * [stretch, 1.0])
    point = shapely.Point(longitude * stretch, latitude)
    foot: Any = shapely.get_point(shapely.shortest_line(flat, point), 0)
    lon, lat = foot.x / stretch, foot.y
    return lon, lat, float(geodesic_length(lon, lat, longitude, latitude))
