"""What a release gives away: linkage, candidates, averaging; and what it costs the reader."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Proj

from geo._disclosures import DisclosureRisk
from geo._generalising import discs, premises_of
from geo._inputs import coordinates, radii
from geo._radii import covering_circle
from geo._releasing import identifiers
from geo.centrography import mean_center, standard_distance
from geo.errors import GeometryError, SchemaError
from geo.geodesy import ecef, geodesic_length
from geo.projection import to_degrees
from geo.proximity import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

__all__ = ["DisclosureRisk", "disclosure_risk"]

_RELEASES = (1, 2, 5, 10, 50, 100)
_POINT, _SURFACES = 0, (3, 6)  # types of geometry
_TIE_M = 1e-6
_EQUAL_AREA = Proj(proj="cea", lat_ts=30, ellps="WGS84")
_NOT_ATTRIBUTES = ("site_id", "geometry", "data_generalizations", "information_withheld")
_SHIFT = "shift of the mean centre in metres"


class _Edition(NamedTuple):
    """One release: the best guess of each site, what shape it leaves possible, and which area."""

    lon: Floats
    lat: Floats
    shapes: Shapes
    uncertainty_m: Floats
    area: NDArray[np.intp]  # the same number for the same polygon, -1 for a point


def disclosure_risk(
    sites: gpd.GeoDataFrame,
    released: gpd.GeoDataFrame | Sequence[gpd.GeoDataFrame],
    *,
    candidates: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> DisclosureRisk:
    """
    Measure what a release gives away, and how it changes what is read from it.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites with their places, as they were given to `generalise` or a mask.
    released : geopandas.GeoDataFrame or sequence of geopandas.GeoDataFrame
        Points or polygons with ``site_id``. Several releases, the oldest first, are attacked
        together; everything else is measured on the last.
    candidates : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Plausible premises, as for `generalise`.

    Returns
    -------
    DisclosureRisk
        ``sites``, ``attack``, ``statistics``; ``summary()`` in words.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If sites are no points, or what is released neither points nor polygons.
    SchemaError
        If ids are missing or repeated, or something was released that is not among the sites.
    ValueError
        If there is no release.

    Notes
    -----
    The reader's best guess is the released point, or the point of an area that is nearest to the
    middle of its enclosing circle. What a point leaves possible is the circle of its
    ``uncertainty_m``. That is generous: who knows the scheme takes off the hole of a ring and what
    lies outside the unit, so that displaced sites have fewer candidates than are counted here.

    *Linkage*: who knows all sites but not which is which takes the nearest. *Averaging*: n fresh
    draws leave an expected error near ``sqrt(pi E[r^2] / (4 n))``, r being the displacement: the
    mean of n displacements is nearly normal with variance ``E[r^2] / (2 n)`` along each axis
    (0.7 km becomes 0.2 km after 10 copies and 0.1 km after 50 [1]_). Releases that repeat each
    other leave it as it is.

    The measures say nothing of what else is public: a name, a photograph or an article.

    References
    ----------
    .. [1] Cassa, C. A., Wieland, S. C. and Mandl, K. D. (2008). Re-identification of home
       addresses from spatial locations anonymized by Gaussian skew. International Journal of
       Health Geographics 7, 45. https://doi.org/10.1186/1476-072X-7-45

    Examples
    --------
    >>> import geo
    >>> sites = geo.example_sites()
    >>> risk = geo.disclosure_risk(sites, geo.generalise(sites, level="province"))
    >>> risk.n_located, risk.n_released, bool(risk.sites["held"].all())
    (79, 79, True)
    """
    releases = [released] if isinstance(released, gpd.GeoDataFrame) else list(released)
    if not releases:
        message = "There is no release to attack: give at least one."
        raise ValueError(message)
    lon, lat = coordinates(sites, "sites")
    ids = identifiers(sites)
    located = np.isfinite(lon)
    known = {name: i for i, name in enumerate(ids) if located[i]}
    frames = [_matched(frame, ids) for frame in releases]
    in_all = set.intersection(*(set(frame.index[_has_shape(frame)]) for frame in frames))
    told = sorted(in_all & known.keys())
    rows = np.array([known[name] for name in told], dtype=np.intp)
    editions = [_edition(frame.loc[told]) for frame in frames]
    true_lon, true_lat = lon[rows], lat[rows]
    table = _measures(frames[-1].loc[told], editions[-1], (true_lon, true_lat), (lon, lat))
    table.insert(1, "candidates", _candidates(editions[-1], premises_of(candidates)))
    return DisclosureRisk(
        sites=table,
        attack=_attack(editions, true_lon, true_lat),
        statistics=_statistics(lon[located], lat[located], editions[-1]),
        n=len(sites),
        n_located=int(located.sum()),
        n_released=len(told),
        n_releases=len(releases),
    )


def _matched(frame: gpd.GeoDataFrame, known: list[str]) -> gpd.GeoDataFrame:
    """Release in EPSG:4326 by site id, all of whose ids are known."""
    degrees = frame.set_geometry(to_degrees(frame))
    ids = identifiers(frame)
    if strange := sorted(set(ids) - set(known)):
        message = (
            f"{len(strange)} of {len(ids)} released rows are none of the sites, such as "
            f"{strange[0]!r}. Compare a release with the sites that it was made from."
        )
        raise SchemaError(message, pd.DataFrame({"value": strange, "problem": "no such site"}))
    return degrees.set_axis(pd.Index(ids, name="site_id"), axis=0)


def _has_shape(frame: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Tell which rows have a geometry that can be compared."""
    shapes = frame.geometry.to_numpy()
    kind = shapely.get_type_id(shapes)
    there = (kind >= 0) & ~shapely.is_empty(shapes)
    if not np.isin(kind[there], (_POINT, *_SURFACES)).all():
        message = "A release has points or polygons; other geometries cannot be compared."
        raise GeometryError(message)
    return np.asarray(there)


def _edition(frame: gpd.GeoDataFrame) -> _Edition:
    """Guess and shape of every row, which has a geometry."""
    shapes = frame.geometry.to_numpy().astype(object)
    radius = np.nan_to_num(radii(frame), nan=0.0)
    points = shapely.get_type_id(shapes) == _POINT
    lon, lat = np.empty(len(shapes)), np.empty(len(shapes))
    lon[points], lat[points] = shapely.get_x(shapes[points]), shapely.get_y(shapes[points])
    shapes[points] = discs(lon[points], lat[points], radius[points])
    # areas are shared by many sites, and their circles take time
    area = np.full(len(shapes), -1, dtype=np.intp)
    area[~points] = pd.factorize(shapely.to_wkb(shapes[~points]))[0]
    _, first, back = np.unique(area[~points], return_index=True, return_inverse=True)
    middles = [covering_circle(shape)[:2] for shape in shapes[~points][first]]
    lon[~points], lat[~points] = np.array(middles).reshape(-1, 2)[back].T
    return _Edition(lon, lat, shapes, radius, area)


def _measures(
    frame: gpd.GeoDataFrame,
    edition: _Edition,
    true: tuple[Floats, Floats],
    everyone: tuple[Floats, Floats],
) -> pd.DataFrame:
    """Measures of each released site but its candidates."""
    away = geodesic_length(*true, edition.lon, edition.lat)
    scheme = pd.Series(pd.NA, index=frame.index, dtype="string")
    if "release_scheme" in frame:
        scheme = frame["release_scheme"].astype("string")
    holding = shapely.intersects_xy(edition.shapes, *true) if len(frame) else np.zeros(0, bool)
    return pd.DataFrame(
        {
            "scheme": scheme,
            "area_km2": _area_km2(edition.shapes),
            "displacement_m": away,
            "held": holding | (away <= edition.uncertainty_m),
            "linked": away <= _nearest_m((edition.lon, edition.lat), everyone) + _TIE_M,
            "alike": _alike(frame, edition.area),
        },
        index=frame.index,
    )


def _candidates(edition: _Edition, premises: Shapes | None) -> pd.arrays.IntegerArray:
    """How many premises each released shape holds."""
    if premises is None:
        return pd.array([pd.NA] * len(edition.shapes), dtype="Int64")
    row, _ = shapely.STRtree(premises).query(edition.shapes, predicate="covers")
    return pd.array(np.bincount(row, minlength=len(edition.shapes)), dtype="Int64")


def _area_km2(shapes: Shapes) -> Floats:
    """Areas on the ellipsoid, by a projection that keeps them."""
    flat = shapely.transform(shapes, lambda xy: np.stack(_EQUAL_AREA(*xy.T), axis=1))
    return np.asarray(shapely.area(flat) / 1e6, dtype=np.float64)


def _nearest_m(of: tuple[Floats, Floats], among: tuple[Floats, Floats], k: int = 1) -> Floats:
    """Distance from each place to the k-th nearest of others; NaN where there are fewer."""
    if not len(of[0]):
        return np.zeros(0)
    places, others = (gpd.GeoSeries.from_xy(*xy, crs="EPSG:4326") for xy in (of, among))
    found = nearest(gpd.GeoDataFrame(geometry=places), others[np.isfinite(among[0])], k=k)
    ranked = found[found["rank"] == k].set_index("site")["distance_m"]
    return np.asarray(ranked.reindex(range(len(of[0]))), dtype=np.float64)


def _alike(frame: gpd.GeoDataFrame, area: NDArray[np.intp]) -> NDArray[np.int64]:
    """How many rows have the same published attributes; an area is one of them."""
    columns = [name for name in frame.columns if name not in _NOT_ATTRIBUTES]
    told = pd.DataFrame({name: frame[name].astype("string").fillna("") for name in columns})
    told["area"] = area
    group = told.groupby(list(told.columns), sort=False).ngroup().to_numpy()
    return np.asarray(np.bincount(group, minlength=1)[group])


def _attack(editions: Sequence[_Edition], lon: Floats, lat: Floats) -> pd.DataFrame:
    """Error of a reader who averages releases, and the area where they overlap."""
    last = editions[-1]
    away = geodesic_length(lon, lat, last.lon, last.lat)
    counts = sorted({*_RELEASES, *range(1, len(editions) + 1)})
    table = pd.DataFrame(index=pd.Index(counts, name="n"))
    mean = float(away.mean()) if len(away) else math.nan
    square = float((away**2).mean()) if len(away) else math.nan
    table["repeated_m"] = mean
    table["redrawn_m"] = [mean if n == 1 else math.sqrt(math.pi * square / (4 * n)) for n in counts]
    table["measured_m"], table["left_km2"] = np.nan, np.nan
    if not len(lon):
        return table
    total, left = np.zeros((len(lon), 3)), editions[0].shapes
    for n, edition in enumerate(editions, start=1):
        total += ecef(edition.lon, edition.lat)
        off = np.linalg.norm(total / n - ecef(lon, lat), axis=1)
        left = left if n == 1 else shapely.intersection(left, edition.shapes)
        table.loc[n, "measured_m"] = float(off.mean())
        table.loc[n, "left_km2"] = float(_area_km2(left).mean())
    return table


def _statistics(lon: Floats, lat: Floats, edition: _Edition) -> pd.DataFrame:
    """Headline numbers from the true places of all sites and from the released ones."""
    true, told = _headlines(lon, lat), _headlines(edition.lon, edition.lat)
    names = [name for name in true if not name.startswith("centre")]
    table = pd.DataFrame(
        {"true": [true[name] for name in names], "released": [told[name] for name in names]},
        index=pd.Index(names, name="statistic"),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        table["change"] = table["released"] / table["true"] - 1
    table["change"] = table["change"].where(np.isfinite(table["change"]))
    centres = (true["centre lon"], true["centre lat"], told["centre lon"], told["centre lat"])
    table.loc[_SHIFT] = [0.0, float(geodesic_length(*centres)), np.nan]
    return table


def _headlines(lon: Floats, lat: Floats) -> dict[str, float]:
    """Count, spacing, spread and centre of places."""
    points = gpd.GeoSeries.from_xy(lon, lat, crs="EPSG:4326")
    numbers = dict.fromkeys(
        (
            "located sites",
            "mean distance to the nearest other site in metres",
            "standard distance in metres",
            "centre lon",
            "centre lat",
        ),
        np.nan,
    )
    numbers["located sites"] = float(len(points))
    if len(points) > 1:
        spacing = _nearest_m((lon, lat), (lon, lat), k=2)
        numbers["mean distance to the nearest other site in metres"] = float(spacing.mean())
    if len(points):
        centre = mean_center(points, n_bootstrap=0)
        spread = standard_distance(points, n_bootstrap=0)
        numbers["standard distance in metres"] = float(spread.distance_m)
        numbers["centre lon"], numbers["centre lat"] = centre.lon, centre.lat
    return numbers
