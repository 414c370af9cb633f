"""
Exact lengths on the WGS 84 ellipsoid, searched through straight chords.

Every length here is that of the shortest geodesic, by Karney's algorithm [1]_. Searching needs
an order that a tree can use, so points are placed in space (ECEF) and searched by the chord c
between them. A pair's geodesic length s is tied to its chord from both sides. Let

    RMIN = b^2 / a   (the meridian at the equator),   RMAX = a^2 / b   (any direction at a pole)

be the least and the greatest radius of normal curvature. Then, for every pair of points,

    c >  2 RMAX sin(s0 / 2 RMAX)   implies   s > s0       (`chord_beyond`)
    c <= 2 RMIN sin(s0 / 2 RMIN)   implies   s <= s0      (`chord_within`)

*First line.* No principal radius exceeds RMAX, so the ellipsoid rolls freely inside a ball of
that radius (Blaschke [2]_) and is an intersection of such balls. With any two points it holds
their spindle, the intersection of all RMAX balls through both. Projecting a curve onto a convex
body does not lengthen it, hence a path on the surface is no shorter than the shortest way round
the spindle: an arc of radius RMAX over the chord, which gives s >= 2 RMAX asin(c / 2 RMAX).

*Second line.* The curvature of a geodesic in space is its normal curvature, at most 1 / RMIN. By
Schur's comparison theorem [3]_ its chord is at least that of a plane arc of radius RMIN and equal
length: c >= 2 RMIN sin(s / 2 RMIN), which can be inverted while s <= pi RMIN. For longer s, nearly
antipodal, let w be the angle at the centre. The central section is a path of length at most
RMAX w, so w >= s / RMAX, and both points lie outside the ball of radius b, so
c >= 2 b sin(w / 2) > 12 711 km > 2 RMIN: such a pair never passes the test of the second line.

The gap between the lines is about c^3 / 24 (1 / RMIN^2 - 1 / RMAX^2): 20 nm at 1 km, 2 cm at
100 km, 21 m at 1000 km. Only pairs inside it need a geodesic to be decided. A slack of 1e-6 m on
each side covers the rounding of coordinates in space (below 1e-8 m).

*Short lengths* need no iteration. Let p and q be the two places, D = diag(a^-2, a^-2, b^-2), the
ellipsoid being x'Dx = 1, d = p - q and m = p + q. Then d'Dm = p'Dp - q'Dq = 0: chord and middle are
conjugate, and the surface point above the middle has its tangent plane along the chord [4]_. The
normal curvature there, in the direction of the chord, is

    k = (d'Dd / c^2) sqrt(m'Dm) / |Dm|,   and   s = (2 / k) asin(k c / 2) + O(e^2 c^5 / RMIN^4)

is the arc of that curvature over the chord. What is neglected is how curvature changes along the
way: 5 nm up to 20 km, 9 nm at 50 km, growing with the fifth power (measured against Karney over a
million pairs of each length, poles and equator among them). It costs no sine, and exchanging p
and q changes no bit. Searches use it up to 50 km and Karney's algorithm beyond.

Edges of lines and polygons are straight in longitude and latitude, as in GeoJSON [5]_, unless they
are asked for as geodesics. An edge whose longitudes differ by more than 180 degrees is taken the
short way round; one that differs by exactly 360 is a full turn along its parallel, the way
whole-world boxes are written.

References
----------
.. [1] Karney, C. F. F. (2013). Algorithms for geodesics. Journal of Geodesy 87, 43-55.
   https://doi.org/10.1007/s00190-012-0578-z
.. [2] Blaschke, W. (1916). Kreis und Kugel. Veit, Leipzig, section 24.
.. [3] Schur, A. (1921). Ueber die Schwarzsche Extremaleigenschaft des Kreises unter den Kurven
   konstanter Kruemmung. Mathematische Annalen 83, 143-148.
.. [4] Salmon, G. (1874). A treatise on the analytic geometry of three dimensions. Hodges,
   Foster, Dublin, chapter 5: conjugate diameters of quadrics.
.. [5] RFC 7946, The GeoJSON Format, sections 3.1.1 and 3.1.9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

from geo._threads import in_threads

__all__ = [
    "ECCENTRICITY2",
    "RMAX_M",
    "RMIN_M",
    "SEMI_MAJOR_M",
    "SEMI_MINOR_M",
    "SLACK_M",
    "WGS84",
    "Points",
    "chord_beyond",
    "chord_within",
    "ecef",
    "geodesic_length",
    "longest_length",
    "medoid",
    "place_points",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SEMI_MAJOR_M = 6_378_137.0
_FLATTENING = 1 / 298.257223563
SEMI_MINOR_M = SEMI_MAJOR_M * (1 - _FLATTENING)
RMIN_M = SEMI_MINOR_M**2 / SEMI_MAJOR_M
RMAX_M = SEMI_MAJOR_M**2 / SEMI_MINOR_M

ECCENTRICITY2 = _FLATTENING * (2 - _FLATTENING)
WGS84 = Geod(ellps="WGS84")
SLACK_M = 1e-6
_MANY = 5000  # points from which a medoid is sought among those near the middle only
_TRIED = 30  # of these


# ---------------------------------------------------------------------------- lengths and bounds


def ecef(lon: ArrayLike, lat: ArrayLike) -> Floats:
    """
    Place points of the ellipsoid's surface in space.

    Parameters
    ----------
    lon, lat : array-like of float, shape (n,)
        Degrees, WGS 84.

    Returns
    -------
    numpy.ndarray, shape (n, 3)
        Earth-centred coordinates in metres.
    """
    lam, phi = np.radians(lon), np.radians(lat)
    normal = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY2 * np.sin(phi) ** 2)
    axial = normal * np.cos(phi)
    return np.stack(
        [axial * np.cos(lam), axial * np.sin(lam), normal * (1 - ECCENTRICITY2) * np.sin(phi)],
        axis=-1,
    )


def geodesic_length(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> Floats:
    """
    Measure the shortest geodesic between points, by Karney's algorithm.

    Parameters
    ----------
    lon1, lat1, lon2, lat2 : array-like of float
        Degrees, WGS 84; broadcast against each other.

    Returns
    -------
    numpy.ndarray of float
        Metres, within 15 nm; NaN where a coordinate is missing. Exchanging the two ends
        gives the same number to the last bit.
    """
    parts = np.broadcast_arrays(lon1, lat1, lon2, lat2)
    shape = parts[0].shape
    x1, y1, x2, y2 = (np.asarray(part, dtype=np.float64).ravel() for part in parts)
    swap = (x1 > x2) | ((x1 == x2) & (y1 > y2))
    ends = [np.where(swap, there, here) for here, there in ((x1, x2), (y1, y2), (x2, x1), (y2, y1))]
    length = np.empty(len(x1))

    def measure(start: int, stop: int) -> None:
        a, b, c, d = (end[start:stop] for end in ends)
        length[start:stop] = WGS84.inv(a, b, c, d, return_back_azimuth=False)[2]

    in_threads(measure, len(length))
    return length.reshape(shape)


def chord_within(length_m: ArrayLike) -> Floats:
    """
    Give the chord up to which two points surely lie within a geodesic length.

    Parameters
    ----------
    length_m : array-like of float
        Geodesic length s0 in metres.

    Returns
    -------
    numpy.ndarray of float
        Metres; every pair with a chord of at most this has s <= s0.
    """
    half = np.minimum(np.asarray(length_m, dtype=np.float64) / (2 * RMIN_M), np.pi / 2)
    return 2 * RMIN_M * np.sin(half) - SLACK_M


def chord_beyond(length_m: ArrayLike) -> Floats:
    """
    Give the chord above which two points surely lie farther apart than a geodesic length.

    Parameters
    ----------
    length_m : array-like of float
        Geodesic length s0 in metres.

    Returns
    -------
    numpy.ndarray of float
        Metres; every pair with a chord above this has s > s0.
    """
    half = np.minimum(np.asarray(length_m, dtype=np.float64) / (2 * RMAX_M), np.pi / 2)
    return 2 * RMAX_M * np.sin(half) + SLACK_M


def longest_length(chord_m: ArrayLike) -> Floats:
    """
    Give the greatest geodesic length that two points with a given chord can have.

    Parameters
    ----------
    chord_m : array-like of float
        Chord in metres.

    Returns
    -------
    numpy.ndarray of float
        Metres, the inverse of `chord_within`; infinite where the bound does not reach.
    """
    ratio = (np.asarray(chord_m, dtype=np.float64) + SLACK_M) / (2 * RMIN_M)
    return np.where(ratio <= 1, 2 * RMIN_M * np.arcsin(np.minimum(ratio, 1)), np.inf)


# ---------------------------------------------------------------------------- points to points


@dataclass(frozen=True, eq=False)
class Points:
    """
    Points in degrees and in space.

    Parameters
    ----------
    lon, lat : numpy.ndarray, shape (n,)
        Degrees, WGS 84, none missing.
    xyz : numpy.ndarray, shape (n, 3)
        The same points by `ecef`.
    """

    lon: Floats
    lat: Floats
    xyz: Floats

    def at(self, rows: Ints) -> Points:
        """Return the points at some positions."""
        return Points(self.lon[rows], self.lat[rows], self.xyz[rows])


def place_points(lon: ArrayLike, lat: ArrayLike) -> Points:
    """
    Make `Points` from degrees.

    Parameters
    ----------
    lon, lat : array-like of float, shape (n,)
        Degrees, WGS 84, none missing.

    Returns
    -------
    Points
        The points with their places in space.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    xyz = np.empty((len(x), 3))

    def place(start: int, stop: int) -> None:
        xyz[start:stop] = ecef(x[start:stop], y[start:stop])

    in_threads(place, len(x))
    return Points(x, y, xyz)


def medoid(points: Points, weight: Floats) -> int:
    """
    Find the point with the least weighted sum of geodesic lengths to all the others.

    Parameters
    ----------
    points : Points
        At least one.
    weight : numpy.ndarray of float, shape (n,)
        How many reports each point stands for.

    Returns
    -------
    int
        Position; sums that are equal when rounded to 1e-6 m are a tie, and the lower
        longitude, then the lower latitude comes first.

    Notes
    -----
    S(j) >= abs(S(i) - W d(i, j)) by the triangle inequality, W being the sum of weights; a
    point whose bound exceeds the best sum so far is never measured. Of more than 5000 points only
    the 30 nearest to their middle are tried.
    """
    order = np.lexsort((points.lat, points.lon))
    centre = np.average(points.xyz, axis=0, weights=weight)
    outward = np.argsort(np.linalg.norm(points.xyz - centre, axis=1), kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    bound, best = np.zeros(len(order)), (np.inf, 0, 0)
    for i in outward if len(order) <= _MANY else outward[:_TRIED]:
        if bound[i] > best[0] + SLACK_M:
            continue
        length = geodesic_length(points.lon[i], points.lat[i], points.lon, points.lat)
        total = float(length @ weight)
        best = min(best, (round(total, 6), int(rank[i]), int(i)))
        np.maximum(bound, np.abs(total - weight.sum() * length), out=bound)
    return best[2]
