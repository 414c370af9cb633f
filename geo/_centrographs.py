"""What centrography answers: centres and spreads, as frames and in words."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from shapely import Point

from geo._centres import ellipse_around
from geo._resolution import counted, metres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Center", "StandardDeviationalEllipse", "StandardDistance"]

_VAGUE_DEG = 45  # a bearing known no better than this is none


@dataclass(frozen=True, eq=False)
class Center:
    """
    The answer of `mean_center` and `median_center`.

    Parameters
    ----------
    kind : str
        ``mean`` or ``median``.
    lon, lat : float
        Degrees, WGS 84.
    region_m : float
        Radius around the centre that is its 95 % confidence region; NaN if there is no bootstrap,
        or all reports stand at one coordinate.
    replicates_m : numpy.ndarray, shape (n_bootstrap, 2)
        Metres east and north of the centre where those of the replicates lie.
    n, n_bootstrap : int
        Reports used, replicates.
    weights : str or None
        The column that the reports are weighted by.
    facts : dict
        What the answer rests on: ``n_unlocated`` rows without a location, ``n_weightless`` rows of
        weight 0, ``n_places`` distinct coordinates, ``radius_m`` the (weighted) mean of the known
        ``uncertainty_m``, ``n_unknown`` radii.
    """

    kind: str
    lon: float
    lat: float
    region_m: float
    replicates_m: Floats
    n: int
    n_bootstrap: int
    weights: str | None
    facts: dict[str, float]

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give the centre as a frame.

        Returns
        -------
        geopandas.GeoDataFrame
            One row in EPSG:4326: ``kind``, ``n``, ``region_m``, ``radius_m``, ``geometry``.
        """
        columns = {
            "kind": [self.kind],
            "n": [self.n],
            "region_m": [self.region_m],
            "radius_m": [self.facts["radius_m"]],
        }
        return gpd.GeoDataFrame(columns, geometry=[Point(self.lon, self.lat)], crs=4326)

    def summary(self) -> str:
        """
        Say in plain words what was found and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        found = f"{self.kind.capitalize()} centre of {_reports(self.n, self.weights)}."
        if np.isfinite(self.region_m):
            found += (
                f" Its 95 % confidence region reaches {_length(self.region_m)} around it "
                f"({counted(self.n_bootstrap, 'bootstrap replicate')})."
            )
        return " ".join([found, *_sentences(self.n, self.n_bootstrap, self.facts)])

    def __repr__(self) -> str:
        return (
            f"Center({self.kind}, 95 % within {_length(self.region_m)}, {counted(self.n, 'site')})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


@dataclass(frozen=True, eq=False)
class StandardDistance:
    """
    The answer of `standard_distance`.

    Parameters
    ----------
    distance_m : float
        Root of the (weighted) mean squared geodesic distance to the mean centre.
    interval_m : tuple of float
        Its 95 % interval; NaN as in `Center`.
    lon, lat : float
        The mean centre, degrees, WGS 84.
    n, n_bootstrap : int
        Reports used, replicates.
    weights : str or None
        The column that the reports are weighted by.
    facts : dict
        As in `Center`.
    """

    distance_m: float
    interval_m: tuple[float, float]
    lon: float
    lat: float
    n: int
    n_bootstrap: int
    weights: str | None
    facts: dict[str, float]

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give the circle with this radius around the mean centre.

        Returns
        -------
        geopandas.GeoDataFrame
            One row in EPSG:4326: ``n``, ``distance_m``, ``low_m``, ``high_m``, ``geometry``, a
            geodesic circle, cut at the antimeridian; empty if the reports do not spread.
        """
        columns = {
            "n": [self.n],
            "distance_m": [self.distance_m],
            "low_m": [self.interval_m[0]],
            "high_m": [self.interval_m[1]],
        }
        circle, _ = ellipse_around((self.lon, self.lat), self.distance_m, self.distance_m, 0)
        return gpd.GeoDataFrame(columns, geometry=[circle], crs=4326)

    def summary(self) -> str:
        """
        Say in plain words what was found and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        found = (
            f"Standard distance of {_reports(self.n, self.weights)} from the mean centre: "
            f"{_length(self.distance_m)}{_between(self.interval_m)}."
        )
        return " ".join([found, *_sentences(self.n, self.n_bootstrap, self.facts)])

    def __repr__(self) -> str:
        return (
            f"StandardDistance({_length(self.distance_m)}{_between(self.interval_m)}, "
            f"{counted(self.n, 'site')})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


@dataclass(frozen=True, eq=False)
class StandardDeviationalEllipse:
    """
    The answer of `standard_deviational_ellipse`.

    Parameters
    ----------
    major_m, minor_m : float
        Semi-axes, one standard deviation along each.
    bearing_deg : float
        Of the major axis, clockwise from north at the mean centre, from 0 to below 180; NaN if
        both axes are equal.
    area_km2 : float
        On the ellipsoid.
    major_interval_m, minor_interval_m : tuple of float
        95 % intervals; NaN as in `Center`.
    bearing_margin_deg : float
        95 % of the replicates differ by no more from the bearing; at most 90.
    lon, lat : float
        The mean centre, degrees, WGS 84.
    n, n_bootstrap : int
        Reports used, replicates.
    weights : str or None
        The column that the reports are weighted by.
    facts : dict
        As in `Center`.
    """

    major_m: float
    minor_m: float
    bearing_deg: float
    area_km2: float
    major_interval_m: tuple[float, float]
    minor_interval_m: tuple[float, float]
    bearing_margin_deg: float
    lon: float
    lat: float
    n: int
    n_bootstrap: int
    weights: str | None
    facts: dict[str, float]

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give the ellipse as a frame.

        Returns
        -------
        geopandas.GeoDataFrame
            One row in EPSG:4326: ``n``, ``major_m``, ``minor_m``, ``bearing_deg``, ``area_km2``,
            ``major_low_m``, ``major_high_m``, ``minor_low_m``, ``minor_high_m``,
            ``bearing_margin_deg``, ``geometry``: 720 corners, each along the geodesic from the
            centre, cut at the antimeridian; empty if an axis is 0.
        """
        columns = {
            "n": [self.n],
            "major_m": [self.major_m],
            "minor_m": [self.minor_m],
            "bearing_deg": [self.bearing_deg],
            "area_km2": [self.area_km2],
            "major_low_m": [self.major_interval_m[0]],
            "major_high_m": [self.major_interval_m[1]],
            "minor_low_m": [self.minor_interval_m[0]],
            "minor_high_m": [self.minor_interval_m[1]],
            "bearing_margin_deg": [self.bearing_margin_deg],
        }
        place = self.lon, self.lat
        ellipse, _ = ellipse_around(place, self.major_m, self.minor_m, self.bearing_deg)
        return gpd.GeoDataFrame(columns, geometry=[ellipse], crs=4326)

    def summary(self) -> str:
        """
        Say in plain words what was found and what it rests on.

        Returns
        -------
        str
            A paragraph without coordinates.
        """
        found = (
            f"Standard deviational ellipse of {_reports(self.n, self.weights)}: semi-axes "
            f"{_length(self.major_m)}{_between(self.major_interval_m)} and "
            f"{_length(self.minor_m)}{_between(self.minor_interval_m)}, one standard deviation "
            f"along each; {self.area_km2:.3g} km2."
        )
        if np.isfinite(self.bearing_deg):
            found += f" The longer axis bears {_bearing(self.bearing_deg)} from north"
            known = np.isfinite(self.bearing_margin_deg)
            found += f" (within {self.bearing_margin_deg:.0f} degrees)." if known else "."
        if self.bearing_margin_deg > _VAGUE_DEG:
            found += " Caution: no direction can be told; another sample could bear anywhere."
        return " ".join([found, *_sentences(self.n, self.n_bootstrap, self.facts)])

    def __repr__(self) -> str:
        return (
            f"StandardDeviationalEllipse({_length(self.major_m)} by {_length(self.minor_m)}, "
            f"bearing {_bearing(self.bearing_deg)}, {counted(self.n, 'site')})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.summary())}</p>"


def _sentences(n: int, n_bootstrap: int, facts: dict[str, float]) -> Iterator[str]:
    """Yield the sentences on what an answer rests on."""
    if facts["n_unlocated"]:
        left_out = counted(int(facts["n_unlocated"]), "report")
        yield f"{left_out} without a location could not be used."
    if facts["n_weightless"]:
        yield f"{counted(int(facts['n_weightless']), 'report')} of weight 0 left out."
    if n_bootstrap and facts["n_places"] == 1:
        yield "No interval can be given: all stand at one coordinate."
    elif facts["n_places"] < n:
        too = ", so that the interval is too narrow" if n_bootstrap else ""
        yield (
            f"Caution: the reports stand at {counted(int(facts['n_places']), 'coordinate')}; those "
            f"at the same one are not independent{too}."
        )
    if np.isfinite(facts["radius_m"]) and facts["radius_m"] > 0:
        yield (
            f"The places are known to within {_length(facts['radius_m'])} on average (mean of "
            "uncertainty_m): if all of them err in one direction the centre errs by as much, and "
            "the interval does not know of it."
        )
    if facts["n_unknown"]:
        yield f"Caution: {facts['n_unknown']} of {n} radii are unknown."
    yield "This describes reports: they follow those who report, not only where sites are."


def _reports(n: int, weights: str | None) -> str:
    """Return how many reports there are, and their weights."""
    return counted(n, "located report") + (f", weighted by {weights}" if weights else "")


def _length(length_m: float) -> str:
    """Write a length for a reader, to three digits."""
    return metres(float(f"{length_m:.3g}")) if np.isfinite(length_m) else "an unknown length"


def _bearing(bearing_deg: float) -> str:
    """Write the bearing of an axis, which has no sense: 180 degrees are 0."""
    return f"{round(bearing_deg) % 180} degrees" if np.isfinite(bearing_deg) else "unknown"


def _between(interval_m: tuple[float, float]) -> str:
    """Write an interval for a reader, if there is one."""
    low, high = interval_m
    if np.isnan(low):
        return ""
    if np.isinf(high):
        return f" (95 % interval from {_length(low)} on)"
    return f" (95 % interval {_length(low)} to {_length(high)})"
