"""Reports as vectors from a place, and the places that minimise distances to all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._antimeridian import cut_outline
from geo._inputs import coordinates, radii
from geo._threads import in_threads
from geo.errors import GeometryError, SchemaError
from geo.geodesy import SEMI_MINOR_M, WGS84, ecef

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Vectors: TypeAlias = NDArray[np.complex128]
    Place: TypeAlias = tuple[float, float]

__all__ = [
    "Reports",
    "ellipse_around",
    "geodesic_center",
    "planar_median",
    "reports_of",
    "vectors_from",
]

# Within balls of these radii the centre is unique (Afsari 2011): the curvature of the ellipsoid
# is at most 1 / b^2, and no geodesic shorter than pi b meets another one twice.
_MEAN_REACH_M = np.pi * SEMI_MINOR_M / 2
_MEDIAN_REACH_M = np.pi * SEMI_MINOR_M / 4

_STEP_M = 1e-7  # a shorter step ends a search; geodesics are known to 15 nm
_FLAT_STEP_M = 1e-3
_MOST_STEPS = 10_000
_BALL_STEPS = 300
_MOST_TURNS = 500  # of a search in the plane
_LINE_M = 1e-6  # vectors no farther than this from a line lie on it
_SAME_M = 1e-9  # vectors shorter than this are none
_CORNERS = 720
_THIN_M = 1e-3  # an ellipse with a shorter axis has no area
_POLE, _HALF_TURN = 90.0, 180.0


@dataclass(frozen=True, eq=False)
class Reports:
    """
    Located reports, sorted by longitude and latitude, so that the order of rows has no effect.

    Parameters
    ----------
    lon, lat : numpy.ndarray, shape (n,)
        Degrees, WGS 84, each place written in one way.
    weight : numpy.ndarray, shape (n,)
        More than 0.
    radius : numpy.ndarray, shape (n,)
        Metres, NaN where unknown.
    n_unlocated, n_weightless : int
        Rows without a location, and rows with one whose weight is 0; neither is among the n.
    """

    lon: Floats
    lat: Floats
    weight: Floats
    radius: Floats
    n_unlocated: int
    n_weightless: int

    @property
    def n(self) -> int:
        """Number of reports."""
        return len(self.lon)

    @property
    def n_places(self) -> int:
        """Number of distinct coordinates."""
        return 1 + int(((np.diff(self.lon) != 0) | (np.diff(self.lat) != 0)).sum())


def reports_of(sites: gpd.GeoDataFrame | gpd.GeoSeries, weights: str | None) -> Reports:
    """
    Take the located reports from a frame.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame or geopandas.GeoSeries
        Points.
    weights : str or None
        A column of numbers from 0 on.

    Returns
    -------
    Reports
        At least one.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If a geometry is no point.
    SchemaError
        If there is no such column, a located row has no weight from 0 on, or all weights are 0.
    ValueError
        If no row has a location.
    """
    lon, lat = coordinates(sites, "sites")
    located = np.isfinite(lon)
    if not located.any():
        message = f"None of {len(lon)} sites has a location, so there is no centre."
        raise ValueError(message)
    weight = np.ones(len(lon)) if weights is None else _weights(sites, weights, located)
    radius = radii(sites) if isinstance(sites, gpd.GeoDataFrame) else np.full(len(lon), np.nan)
    used = located & (weight > 0)
    # one name for each place; adding 0 turns a negative zero into zero
    lon, lat = lon[used] + 0.0, lat[used] + 0.0
    beyond = (lon <= -_HALF_TURN) | (lon > _HALF_TURN)
    lon[beyond] = _HALF_TURN - (_HALF_TURN - lon[beyond]) % 360
    lon[np.abs(lat) == _POLE] = 0
    order = np.lexsort((radius[used], weight[used], lat, lon))
    return Reports(
        lon=lon[order],
        lat=lat[order],
        weight=weight[used][order],
        radius=radius[used][order],
        n_unlocated=int((~located).sum()),
        n_weightless=int((located & (weight == 0)).sum()),
    )


def _weights(
    sites: gpd.GeoDataFrame | gpd.GeoSeries, column: str, located: NDArray[np.bool_]
) -> Floats:
    """Return the weights of sites, each a number from 0 on where there is a location."""
    if not (isinstance(sites, gpd.GeoDataFrame) and isinstance(column, str) and column in sites):
        message = (
            f"The sites have no column {column!r}. weights is the name of a column with numbers "
            "from 0 on; sites.assign(...) adds one."
        )
        raise SchemaError(message)
    weight = pd.to_numeric(sites[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = located & ~((weight >= 0) & np.isfinite(weight))
    if wrong.any() or not weight[located].sum() > 0:
        problems = pd.DataFrame(
            {
                "row": np.flatnonzero(wrong),
                "column": column,
                "value": sites[column][wrong].to_numpy(),
                "problem": "not a number from 0 on",
            },
            index=sites.index[wrong],
        )
        message = (
            f"{wrong.sum()} of {located.sum()} weights in {column!r} are no numbers from 0 on. "
            "Fill them in, or leave these rows out."
            if wrong.any()
            else f"All weights in {column!r} are 0, so there is no centre."
        )
        raise SchemaError(message, problems)
    return np.asarray(np.where(located, weight, 0.0))


# ---------------------------------------------------------------------------- from place to place


def vectors_from(place: Place, lon: Floats, lat: Floats) -> Vectors:
    """
    Give the way from a place to others: the azimuthal equidistant projection centred on it.

    Parameters
    ----------
    place : tuple of float
        Longitude and latitude.
    lon, lat : numpy.ndarray, shape (n,)
        Degrees.

    Returns
    -------
    numpy.ndarray of complex, shape (n,)
        Metres east and, imaginary, north, as the shortest geodesic starts; its length is theirs.
    """
    way = np.empty(len(lon), dtype=np.complex128)

    def measure(start: int, stop: int) -> None:
        here = np.full(stop - start, place[0]), np.full(stop - start, place[1])
        azimuth, _, length = WGS84.inv(*here, lon[start:stop], lat[start:stop])
        way[start:stop] = np.asarray(length) * 1j * np.exp(-1j * np.radians(azimuth))

    in_threads(measure, len(lon))
    return way


def _moved(place: Place, way: complex) -> Place:
    """Follow a geodesic from a place."""
    azimuth = 90 - float(np.degrees(np.angle(way)))
    lon, lat, _ = WGS84.fwd(*place, azimuth, abs(way))
    return (_HALF_TURN if lon == -_HALF_TURN else float(lon)), float(lat)


def ellipse_around(
    place: Place, major_m: float, minor_m: float, bearing_deg: float
) -> tuple[shapely.Polygon | shapely.MultiPolygon, float]:
    """
    Draw an ellipse by geodesics from its middle.

    Parameters
    ----------
    place : tuple of float
        Longitude and latitude.
    major_m, minor_m : float
        Semi-axes.
    bearing_deg : float
        Of the major one, clockwise from north; any if NaN.

    Returns
    -------
    area : shapely.Polygon or shapely.MultiPolygon
        With 720 corners in degrees, cut at the antimeridian (RFC 7946, section 3.1.9), around a
        pole where it holds one; empty if it is thinner than 1 mm.
    area_km2 : float
        Of the ellipse on the ellipsoid.
    """
    if minor_m < _THIN_M:
        return shapely.Polygon(), 0.0
    turn = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    way = major_m * np.cos(turn) + 1j * minor_m * np.sin(turn)
    azimuth = np.nan_to_num(bearing_deg) - np.degrees(np.angle(way))
    lon, lat, _ = WGS84.fwd(
        np.full(_CORNERS, place[0]), np.full(_CORNERS, place[1]), azimuth, abs(way)
    )
    area, _ = WGS84.polygon_area_perimeter(lon, lat)
    # an ellipse is larger than the polygon of so many corners in it
    larger = turn[1] / np.sin(turn[1])
    outline = np.column_stack([np.unwrap(lon, period=360), lat])
    return cut_outline(outline), float(abs(area) * larger / 1e6)


# ---------------------------------------------------------------------------- centres


def _start(reports: Reports, reach_m: float, name: str) -> Place:
    """Return a place within reach of all reports, or refuse them."""
    xyz = ecef(reports.lon, reports.lat)
    middle = np.average(xyz, axis=0, weights=reports.weight)
    farthest = np.inf
    # the mean direction serves nearly always; else the middle of a ball around all, which comes
    # closer by going a smaller and smaller part of the way to the farthest (Badoiu, Clarkson 2003)
    for steps in (0, _BALL_STEPS):
        for step in range(2, steps + 2):
            middle += (xyz[((xyz - middle) ** 2).sum(axis=1).argmax()] - middle) / step
        place = (
            float(np.degrees(np.arctan2(middle[1], middle[0]))),
            float(np.degrees(np.arctan2(middle[2], np.hypot(middle[0], middle[1])))),
        )
        reach = float(np.abs(vectors_from(place, reports.lon, reports.lat)).max())
        if reach < reach_m:
            return place
        farthest = min(farthest, reach)
    message = (
        f"No place found has all sites within {reach_m / 1000:,.0f} km, the best has them within "
        f"{farthest / 1000:,.0f}: there may be several {name} centres, as between antipodes. "
        "Select the sites of one part of the world first."
    )
    raise GeometryError(message)


def _settled(
    reports: Reports, place: Place, step_of: Callable[[Vectors], complex], name: str
) -> Place:
    """Return the place from which a step, taken from the vectors to the reports, leads nowhere."""
    if reports.n_places == 1:
        return float(reports.lon[0]), float(reports.lat[0])
    last = np.inf
    for _ in range(_MOST_STEPS):
        way = vectors_from(place, reports.lon, reports.lat)
        step = step_of(way)
        hit = np.flatnonzero(way == step)
        place = (
            (float(reports.lon[hit[0]]), float(reports.lat[hit[0]]))
            if len(hit)
            else _moved(place, step)
        )
        # where the sum hardly changes, rounding keeps the steps from getting shorter
        if abs(step) < _STEP_M or last <= abs(step) < _FLAT_STEP_M:
            return place
        last = abs(step)
    message = (
        f"The search for the {name} centre does not settle, because the sites reach almost around "
        "the globe. Select the sites of one part of the world first."
    )
    raise GeometryError(message)


def geodesic_center(reports: Reports, kind: str) -> Place:
    """
    Find the place with the least sum of squared geodesic distances, or of plain ones.

    Parameters
    ----------
    reports : Reports
        With their weights.
    kind : str
        ``mean`` for squares, ``median`` for plain ones.

    Returns
    -------
    tuple of float
        Longitude and latitude; exactly those of a report if they are the median.

    Raises
    ------
    GeometryError
        If no place has all reports within 9985 km, for a median 4993 km.

    Notes
    -----
    Half the mean square falls fastest along the mean vector; walking along this never overshoots,
    because no second derivative exceeds 1 where the surface is convex. For the median, one in the
    plane of `vectors_from` replaces the place that these are counted from, until it stays: there
    directions are those of the geodesics, and so is the condition for a minimum.
    """
    place = _start(reports, _MEAN_REACH_M, "mean")
    share = reports.weight / reports.weight.sum()
    place = _settled(reports, place, lambda way: complex((share * way).sum()), kind)
    if kind == "mean":
        return place
    _start(reports, _MEDIAN_REACH_M, kind)
    return _settled(reports, place, lambda way: planar_median(way, reports.weight), kind)


def _middle_of_line(way: Vectors, weight: Floats) -> complex | None:
    """Return the middle of all medians of vectors along one line through 0; None off a line."""
    longest = way[int(np.abs(way).argmax())]
    if abs(longest) <= _LINE_M:
        return None
    line = complex(longest / abs(longest))
    turned = way * np.conj(line)
    if np.abs(turned.imag).max() > _LINE_M:
        return None
    order = np.argsort(turned.real, kind="stable")
    below = np.cumsum(weight[order])
    half = below[-1] / 2
    first = int(np.searchsorted(below, half * (1 - 1e-12)))
    # past the first only if exactly half of the weight lies up to it
    last = first + int(below[first] <= half * (1 + 1e-12))
    return line * float(turned.real[order[first]] + turned.real[order[last]]) / 2


def planar_median(way: Vectors, weight: Floats) -> complex:
    """
    Find the point of the plane with the least weighted sum of distances.

    Parameters
    ----------
    way : numpy.ndarray of complex, shape (n,)
        Points around 0, where the search begins.
    weight : numpy.ndarray, shape (n,)
        From 0 on.

    Returns
    -------
    complex
        The point; exactly one of those given if that is it; the middle of all such points if
        those given lie on one line through 0.

    Notes
    -----
    Steps are those of Newton where they lower the sum and of Weiszfeld elsewhere. A given point is
    the answer if the pull of all others is no more than its weight (Vardi and Zhang); the nearest
    one is asked whenever it changes, so that no search has to creep up to it. With u the unit
    vectors and d the distances, the second derivative maps a step s to ``A s - B conj(s)``,
    ``A = sum(w / 2d)``, ``B = sum(w u^2 / 2d)``.
    """
    some = weight > 0
    way, weight = way[some], weight[some]
    middle = _middle_of_line(way, weight)
    if middle is not None:
        return middle
    point, asked = 0j, set()
    for _ in range(_MOST_TURNS):
        gap = way - point
        distance = np.abs(gap)
        nearest = int(distance.argmin())
        if nearest not in asked:
            asked.add(nearest)
            pull, own, _, _ = _forces(way - way[nearest], weight)
            if abs(pull) <= own * (1 + 1e-12):
                return complex(way[nearest])
        pull, own, a, b = _forces(gap, weight)
        step = pull / (2 * a) * max(0.0, 1 - own / max(abs(pull), own, 1e-300))
        pivot = a * a - abs(b) ** 2
        if own == 0 and pivot > 1e-12 * a * a:
            newton = (a * pull + b * pull.conjugate()) / pivot
            total = float((weight * distance).sum())
            reached = float((weight * np.abs(gap - newton)).sum())
            step = newton if reached <= total * (1 + 1e-14) else step
        point += step
        if abs(step) < _STEP_M / 10:
            break
    return point


def _forces(gap: Vectors, weight: Floats) -> tuple[complex, float, float, complex]:
    """Return the pull of points on 0, the weight at 0, and the second derivative's A and B."""
    distance = np.abs(gap)
    away = distance > _SAME_M
    own = 0.0
    if not away.all():
        own = float(weight[~away].sum())
        gap, distance, weight = gap[away], distance[away], weight[away]
        if not len(gap):
            return 0j, own, 1.0, 0j
    unit, firm = gap / distance, weight / (2 * distance)
    return (
        complex((weight * unit).sum()),
        own,
        float(firm.sum()),
        complex((firm * unit * unit).sum()),
    )
