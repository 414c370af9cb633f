"""True places drawn from reported ones: in the circle of each, where it may be at all.

A circle is geodesic. In geodesic polar coordinates the area within s of its centre grows as on a
sphere of the same Gaussian curvature, 1 / (M N), but for terms of (e^2 / 12) (s / N)^3: 1e-9 of the
density at 100 km. So a bearing at random and the quantiles of a spherical cap are uniform by area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo._columns import DEFAULT_RADIUS_M
from geo._inputs import coordinates, radii
from geo._threads import in_threads
from geo.errors import SchemaError
from geo.geodesy import ECCENTRICITY2, SEMI_MINOR_M, WGS84, geodesic_length
from geo.projection import WGS84 as DEGREES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo._candidates import Candidates
    from geo._confines import Confines

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Streams = list[np.random.Generator]

__all__ = ["Drawer", "Places", "destinations", "measured_rows", "places_of"]

_MEASURED = ("building", "compound")  # levels that a gazetteer does not give
_LARGEST_M = 5_000_000.0  # beyond an eighth of a turn a circle is no place
_TRIES = 64  # at most, at once, for a place outside of where it may be
_CENTIMETRE = 0.01


@dataclass(frozen=True, eq=False)
class Places:
    """
    What is drawn: places, each of one row or of several that report the same place.

    Parameters
    ----------
    lon, lat : numpy.ndarray, shape (p,)
        Degrees, in an order that does not depend on that of the rows.
    radius : numpy.ndarray, shape (p,)
        Metres.
    measured : numpy.ndarray of bool, shape (p,)
        Whether the coordinate is the true place and an error, not a place that stands for it.
    row : numpy.ndarray of int, shape (p,)
        The row that locates each, the most precise one.
    of_row : numpy.ndarray of int, shape (n,)
        The place of each row; -1 for a row without location.
    """

    lon: Floats
    lat: Floats
    radius: Floats
    measured: Flags
    row: Ints
    of_row: Ints

    @property
    def n(self) -> int:
        """Number of places."""
        return len(self.lon)


def places_of(sites: gpd.GeoDataFrame) -> Places:
    """
    Take the places that sites report.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points with ``uncertainty_m``.

    Returns
    -------
    Places
        One for each located row, but for rows that share a ``place_id``: these are one place,
        where the most precise of them says.

    Raises
    ------
    CRSError
        If the frame has no coordinate reference system.
    GeometryError
        If a geometry is no point.
    SchemaError
        If a located row has no radius, or one of more than 5000 km; see ``.problems``.
    """
    lon, lat = coordinates(sites, "sites")
    radius = radii(sites)
    located = ~np.isnan(lon)
    _require_radii(sites, located & ~(radius <= _LARGEST_M))
    identity = sites["site_id"] if "site_id" in sites else sites.index.to_series()
    table = pd.DataFrame(
        {"radius": radius, "lon": lon, "lat": lat, "identity": identity.astype(str).to_numpy()}
    )[located]
    # the most precise first, and the order of rows must not matter
    rows = table.sort_values(["radius", "lon", "lat", "identity"], kind="stable").index.to_numpy()
    place = np.arange(len(rows))
    if "place_id" in sites:
        shared = pd.factorize(sites["place_id"].iloc[rows])[0]
        place = np.where(shared >= 0, shared, len(rows) + place)
    number, _ = pd.factorize(place)
    first = np.full(number.max(initial=-1) + 1, len(rows))
    np.minimum.at(first, number, np.arange(len(rows)))
    chosen = rows[first]
    of_row = np.full(len(sites), -1)
    of_row[rows] = number
    measured = measured_rows(sites)[chosen]
    return Places(lon[chosen], lat[chosen], radius[chosen], measured, chosen, of_row)


def measured_rows(sites: gpd.GeoDataFrame) -> Flags:
    """
    Tell which coordinates were measured, by ``location_method`` or else by the level.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        With ``uncertainty_m``; with the columns ``location_method`` and ``location_level``, or one
        of them, or neither.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        Where the method is missing, buildings and compounds are measured, all coarser levels
        assigned; where the level is missing too, radii below that of a street are measured.
    """
    fine = radii(sites) < DEFAULT_RADIUS_M["street"]
    if "location_level" in sites:
        level = sites["location_level"].astype("object")
        told = (level.notna() & (level != "none")).to_numpy(bool)
        fine = np.where(told, level.isin(_MEASURED).to_numpy(bool), fine)
    if "location_method" not in sites:
        return fine
    method = sites["location_method"].astype("object")
    return np.where(method.notna(), (method == "measured").to_numpy(bool), fine)


def _require_radii(sites: gpd.GeoDataFrame, wrong: Flags) -> None:
    """Refuse rows whose true place could be anywhere."""
    if not wrong.any():
        return
    given = sites["uncertainty_m"] if "uncertainty_m" in sites else pd.Series(np.nan, sites.index)
    problems = pd.DataFrame(
        {
            "row": np.flatnonzero(wrong),
            "column": "uncertainty_m",
            "value": given[wrong].to_numpy(),
            "problem": "no radius to draw in",
        },
        index=sites.index[wrong],
    )
    message = (
        f"{wrong.sum()} of {len(sites)} sites have a location but no radius up to 5000 km within "
        "which the true place could be drawn. Give uncertainty_m, or location_level to "
        "validate_sites(), which then fills it."
    )
    raise SchemaError(message, problems)


def destinations(
    lon: Floats, lat: Floats, radius: Floats, u: Floats, v: Floats
) -> tuple[Floats, ...]:
    """
    Go from places to places in their circles, uniformly by area.

    Parameters
    ----------
    lon, lat, radius : numpy.ndarray, shape (m,)
        Degrees and metres.
    u, v : numpy.ndarray, shape (m,)
        Uniform numbers from 0 to 1, for the distance and the bearing.

    Returns
    -------
    lon, lat : numpy.ndarray, shape (m,)
        Degrees; the place itself where the radius is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from geo._realisations import destinations
    >>> one = np.ones(1)
    >>> lon, lat = destinations(104.0 * one, 12.0 * one, 5000.0 * one, 0.25 * one, 0.25 * one)
    >>> round(float(lon[0]), 4), round(float(lat[0]), 4)
    (104.023, 12.0)
    """
    curved = SEMI_MINOR_M / (1 - ECCENTRICITY2 * np.sin(np.radians(lat)) ** 2)
    s = 2 * curved * np.arcsin(np.sqrt(u) * np.sin(radius / (2 * curved)))
    x, y = np.empty(len(lon)), np.empty(len(lon))

    def go(start: int, stop: int) -> None:
        part = slice(start, stop)
        x[part], y[part], _ = WGS84.fwd(lon[part], lat[part], 360 * v[part], s[part])

    in_threads(go, len(lon))
    still = radius == 0
    x[still], y[still] = lon[still], lat[still]
    return x, y


@dataclass(frozen=True, eq=False)
class Drawer:
    """
    Sites whose true places can be drawn, as often as one likes.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        As given.
    places : Places
        What they report.
    confines : Confines
        Where the true places may be beside their circles.
    candidates : Candidates, optional
        Premises or cells that they are drawn from.
    """

    sites: gpd.GeoDataFrame
    places: Places
    confines: Confines
    candidates: Candidates | None = None

    def draw(self, rngs: Streams) -> tuple[Floats, Floats]:
        """
        Draw the true places.

        Parameters
        ----------
        rngs : list of numpy.random.Generator
            One for each draw.

        Returns
        -------
        lon, lat : numpy.ndarray, shape (draws, n)
            Degrees of each row; NaN for those without location.
        """
        numbers = np.stack([rng.random((3, self.places.n)) for rng in rngs])
        every = np.tile(np.arange(self.places.n), len(rngs))
        lon, lat = self._propose(every, *np.moveaxis(numbers, 1, 0).reshape(3, -1))
        shape = (len(rngs), self.places.n)
        lon, lat = lon.reshape(shape), lat.reshape(shape)
        self._mend(rngs, lon, lat)
        nowhere = np.full((len(rngs), 1), np.nan)  # what -1 takes
        return (
            np.hstack([lon, nowhere])[:, self.places.of_row],
            np.hstack([lat, nowhere])[:, self.places.of_row],
        )

    def frames(self, rngs: Streams) -> Iterator[gpd.GeoDataFrame]:
        """
        Draw the true places, as Sites.

        Parameters
        ----------
        rngs : list of numpy.random.Generator
            One for each draw.

        Yields
        ------
        geopandas.GeoDataFrame
            The sites as given, but for the geometry.
        """
        lon, lat = self.draw(rngs)
        crs = self.sites.crs
        if crs != DEGREES:
            change = Transformer.from_crs(DEGREES, crs, always_xy=True)
            lon, lat = change.transform(lon, lat)
        located = self.places.of_row >= 0
        points = np.full(lon.shape, None, dtype=object)
        points[:, located] = shapely.points(lon[:, located], lat[:, located])
        at = self.sites.columns.get_loc(self.sites.active_geometry_name)
        for drawn in points:
            frame = self.sites.copy(deep=False)
            frame.isetitem(at, gpd.array.GeometryArray(drawn, crs=crs))
            yield frame

    def _propose(self, place: Ints, u: Floats, v: Floats, w: Floats) -> tuple[Floats, Floats]:
        """Return a place to be tried for each of some places."""
        lon, lat = np.empty(len(place)), np.empty(len(place))
        left = np.ones(len(place), dtype=bool)
        for source in (self.candidates, self.confines):
            if source is None:
                continue
            use = left & source.serves[place]
            if use.any():
                lon[use], lat[use] = source.take(place[use], u[use], v[use], w[use])
            left &= ~use
        at, known = place[left], self.places
        lon[left], lat[left] = destinations(
            known.lon[at], known.lat[at], known.radius[at], u[left], v[left]
        )
        return lon, lat

    def _fits(self, place: Ints, lon: Floats, lat: Floats) -> Flags:
        """Tell which places may be where they were drawn."""
        fits = np.asarray(shapely.intersects_xy(self.confines.shape[place], lon, lat))
        fits |= self.confines.shape[place] == None  # noqa: E711 - each by itself
        if self.candidates is not None:
            # a cell may stick out of the circle
            near = self.candidates.serves[place] & ~self.confines.serves[place]
            at, known = place[near], self.places
            s = geodesic_length(known.lon[at], known.lat[at], lon[near], lat[near])
            fits[near] &= s <= known.radius[at] + _CENTIMETRE
        return fits

    def _mend(self, rngs: Streams, lon: Floats, lat: Floats) -> None:
        """Draw again, in place, what lies where it may not be."""
        asked = np.array([shape is not None for shape in self.confines.shape], dtype=bool)
        if self.candidates is not None:
            asked |= self.candidates.serves
        at = np.flatnonzero(asked)
        pending = np.zeros(lon.shape, dtype=bool)
        place = np.tile(at, len(rngs))
        pending[:, at] = ~self._fits(place, lon[:, at].ravel(), lat[:, at].ravel()).reshape(
            len(rngs), -1
        )
        tries = 1
        while pending.any():
            draw, place = np.nonzero(pending)
            many = pending.sum(axis=1)
            # each draw goes on in its own stream, whatever the others need
            numbers = np.concatenate(
                [rng.random((n * tries, 3)) for rng, n in zip(rngs, many, strict=True) if n]
            )
            tried = np.repeat(place, tries)
            x, y = self._propose(tried, *numbers.T)
            fits = self._fits(tried, x, y).reshape(-1, tries)
            met = np.flatnonzero(fits.any(axis=1))
            chosen = met * tries + fits[met].argmax(axis=1)
            lon[draw[met], place[met]], lat[draw[met], place[met]] = x[chosen], y[chosen]
            pending[draw[met], place[met]] = False
            tries = min(2 * tries, _TRIES)
