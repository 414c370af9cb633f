"""
What several releases of the same sites tell together, which none of them tells alone.

Nothing here knows a true place: an attacker has none, only what was published.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from pyproj import Geod, Proj

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import geopandas as gpd

__all__ = ["AREA_LEVELS", "FEW", "SAME_DEG", "averaging", "differencing", "discs", "intersection"]

AREA_LEVELS = ("country", "admin1", "admin2", "admin3")
FEW = 5  # a count below it that changes by one speaks of one site
SAME_DEG = 1.5e-5  # the last of 5 decimals may be rounded otherwise elsewhere

_RING = re.compile(r"donut (\d[\d.e+]*) to (\d[\d.e+]*) m")
_EARTH = Geod(ellps="WGS84")
# `over`: longitudes that run on beyond 180 degrees stay together
_EQUAL_AREA = Proj(proj="cea", lat_ts=30, ellps="WGS84", over=True)
_CORNERS = 72
_TURN, _HALF_TURN = 360.0, 180.0
# of a polygon with the area of its circle
_OUTWARD = float(np.sqrt((2 * np.pi / _CORNERS) / np.sin(2 * np.pi / _CORNERS)))
_POINT = 0  # type of geometry
_SEVERAL = 2
_MEAN_OF_NORMAL = float(np.sqrt(np.pi) / 2)  # mean distance by root mean square, in the plane


def intersection(editions: Sequence[gpd.GeoDataFrame]) -> pd.DataFrame:
    """
    Find what is left of each site's area where all its releases overlap.

    Parameters
    ----------
    editions : sequence of geopandas.GeoDataFrame
        Releases in degrees, by site id.

    Returns
    -------
    pandas.DataFrame
        By ``site_id``, of sites with a place in two releases or more: ``n_releases``,
        ``area_km2`` (the smallest of one release alone), ``before_km2`` (left by all but the
        last release), ``left_km2`` (left by all) and ``share``, of the smallest.
    """
    told = pd.concat([_shapes(edition) for edition in editions], keys=range(len(editions)))
    told["code"] = pd.factorize(shapely.to_wkb(told["shape"].to_numpy(dtype=object)))[0]
    shape_of = told.drop_duplicates("code").set_index("code")["shape"]
    earlier = told.loc[: len(editions) - 2].groupby("site_id")["code"].agg(_distinct)
    by_site = told.groupby("site_id", sort=True)["code"].agg([_distinct, "size"])
    by_site = by_site[by_site["size"] >= _SEVERAL]
    sets = [*zip(earlier.reindex(by_site.index), by_site[_distinct.__name__], strict=True)]
    # many sites share their areas: what each set of shapes leaves is found once
    found = {
        (before, codes): _overlaps([shape_of[code] for code in codes], len(before))
        for before, codes in {*sets}
    }
    area, before, left = np.array([found[codes] for codes in sets]).reshape(-1, 3).T
    table = {"n_releases": by_site["size"].astype("int64"), "area_km2": area}
    table |= {"before_km2": before, "left_km2": left, "share": np.minimum(left / area, 1.0)}
    return pd.DataFrame(table, index=by_site.index)


def averaging(editions: Sequence[gpd.GeoDataFrame]) -> pd.DataFrame:
    """
    Find how near the mean of several points that were released of a site comes to it.

    Parameters
    ----------
    editions : sequence of geopandas.GeoDataFrame
        Releases in degrees, by site id.

    Returns
    -------
    pandas.DataFrame
        By ``site_id``, of sites with a point in two releases or more that is not called exact:
        ``n_releases``, ``n_draws`` (points that differ), ``apart_m`` (the two farthest),
        ``spread_m`` (root mean square displacement, judged by the points alone), ``one_m`` and
        ``averaged_m`` (the mean error that an attacker expects of one point and of the average;
        missing where there is one draw only, and so nothing gained).
    """
    points: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for edition in editions:
        shapes = edition.geometry.to_numpy()
        moved = (shapely.get_type_id(shapes) == _POINT) & ~shapely.is_empty(shapes)
        moved &= (_schemes(edition) != "exact").to_numpy(dtype=bool)
        lonlat = shapely.get_coordinates(shapes[moved]).tolist()
        for name, (lon, lat) in zip(edition.index[moved], lonlat, strict=True):
            points[str(name)].append((lon, lat))
    several = {name: points[name] for name in sorted(points) if len(points[name]) >= _SEVERAL}
    columns = ["n_releases", "n_draws", "apart_m", "spread_m", "one_m", "averaged_m"]
    rows = [_average(np.array(of_site)) for of_site in several.values()]
    table = pd.DataFrame(rows, columns=columns, index=pd.Index(several, name="site_id", dtype=str))
    return table.astype({"n_releases": "int64", "n_draws": "int64"})


def differencing(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Find counts whose difference is one site.

    Parameters
    ----------
    old, new : geopandas.GeoDataFrame
        The last release and this one, by site id.

    Returns
    -------
    pandas.DataFrame
        ``attack``: ``old and new``, counts by area and status that differ by one where one of them
        is below five; ``total less rows``, counts of an area of which all but one row also name
        a finer area. ``level``, ``area``, ``status``, and the two counts, ``first`` and
        ``second``.
    """
    rows = [*_between(old, new), *_remainders(new)]
    return pd.DataFrame(rows, columns=["attack", "level", "area", "status", "first", "second"])


def discs(points: np.ndarray, radius_m: np.ndarray) -> np.ndarray:
    """
    Draw polygons with the area of circles on the ellipsoid.

    Parameters
    ----------
    points : numpy.ndarray of shapely.Point, shape (n,)
        Their middles, in degrees.
    radius_m : numpy.ndarray, shape (n,)
        In metres.

    Returns
    -------
    numpy.ndarray of shapely.Polygon, shape (n,)
        In degrees; longitudes run on beyond 180.
    """
    middle = np.repeat(shapely.get_coordinates(points), _CORNERS, axis=0)
    azimuth = np.tile(np.arange(_CORNERS) * _TURN / _CORNERS, len(points))
    away = np.repeat(radius_m * _OUTWARD, _CORNERS)
    lon, lat, _ = _EARTH.fwd(middle[:, 0], middle[:, 1], azimuth, away)
    lon = middle[:, 0] + (np.asarray(lon) - middle[:, 0] + _HALF_TURN) % _TURN - _HALF_TURN
    corners = np.column_stack([lon, lat]).reshape(len(points), _CORNERS, 2)
    discs: np.ndarray = np.asarray(shapely.polygons(corners), dtype=object)
    return discs


# ----------------------------------------------------------------------------- what is possible


def _schemes(edition: gpd.GeoDataFrame) -> pd.Series:
    """Give what each row says that it is released as."""
    if "release_scheme" not in edition:
        return pd.Series("", index=edition.index, dtype=object)
    return edition["release_scheme"].astype(object).fillna("")


def _shapes(edition: gpd.GeoDataFrame) -> pd.DataFrame:
    """Draw where each site may be: its area, the circle around its point, or the ring."""
    shapes = edition.geometry.to_numpy().astype(object)
    there = (shapely.get_type_id(shapes) >= 0) & ~shapely.is_empty(shapes)
    edition, shapes = edition[there], shapes[there]
    points = shapely.get_type_id(shapes) == _POINT
    radius = np.zeros(len(edition))
    if "uncertainty_m" in edition:
        known = pd.to_numeric(edition["uncertainty_m"], errors="coerce").astype(float)
        radius = np.nan_to_num(known.to_numpy(), nan=0.0, posinf=0.0)
    rings = [_RING.fullmatch(str(scheme)) for scheme in _schemes(edition)]
    inner = np.array([float(ring[1]) if ring else 0.0 for ring in rings])
    outer = np.array([float(ring[2]) if ring else r for ring, r in zip(rings, radius, strict=True)])
    ringed = points & (inner > 0)
    holes = discs(shapes[ringed], inner[ringed])
    shapes[points] = discs(shapes[points], np.maximum(outer[points], 1.0))
    shapes[ringed] = shapely.difference(shapes[ringed], holes)
    return pd.DataFrame({"site_id": edition.index.astype(str), "shape": shapes})


def _distinct(codes: pd.Series) -> tuple[int, ...]:
    """Give the shapes of a site, each once, in the order of their releases."""
    return tuple(dict.fromkeys(codes))


def _overlaps(shapes: list[shapely.Geometry], n_before: int) -> tuple[float, float, float]:
    """Measure the smallest of some shapes, what the first n have in common, and what all have."""
    turned = shapely.get_coordinates(shapely.centroid(shapes[0]))[0, 0]

    def flat(lonlat: np.ndarray) -> np.ndarray:
        onward = (lonlat[:, 0] - turned + _HALF_TURN) % _TURN - _HALF_TURN
        return np.column_stack(_EQUAL_AREA(onward, lonlat[:, 1]))

    plane = shapely.make_valid([shapely.transform(shape, flat) for shape in shapes])
    left = [plane[0]]
    for shape in plane[1:]:
        left.append(shapely.intersection(left[-1], shape))
    km2 = shapely.area([*plane, left[n_before - 1], left[-1]]) / 1e6
    return float(km2[:-2].min()), float(km2[-2]), float(km2[-1])


def _average(lonlat: np.ndarray) -> tuple[float, ...]:
    """Describe the points of one site."""
    drawn = lonlat[:1]
    for point in lonlat[1:]:
        if (np.abs(drawn - point) > SAME_DEG).any(axis=1).all():
            drawn = np.vstack([drawn, point])
    n = len(drawn)
    if n == 1:
        return (len(lonlat), 1, 0.0, np.nan, np.nan, np.nan)
    pairs = np.array([(*a, *b) for a, b in combinations(drawn, 2)])
    _, _, apart = _EARTH.inv(*pairs.T)
    # the squares of all distances hold the variance, without a mean to be taken on a globe
    spread = float(np.sqrt((apart**2).sum() / (n * (n - 1))))
    one = _MEAN_OF_NORMAL * spread
    return (len(lonlat), n, float(apart.max()), spread, one, one / np.sqrt(n))


# -------------------------------------------------------------------------------------- counts


def _cells(edition: gpd.GeoDataFrame, level: str) -> pd.DataFrame:
    """Give the area of a level and the status of each row; no area where it names none."""
    columns = AREA_LEVELS[: AREA_LEVELS.index(level) + 1]
    named = [edition[c].astype(object).fillna("") for c in columns if c in edition]
    status = edition.get("status", pd.Series("not stated", index=edition.index))
    area = [", ".join(str(n) for n in names[::-1] if n) for names in zip(*named, strict=True)]
    if level not in edition:
        area = [""] * len(edition)
    else:
        area = [a if n else "" for a, n in zip(area, named[-1], strict=True)]
    return pd.DataFrame({"area": area, "status": status.astype(object).fillna("not stated")})


def _counts(cells: pd.DataFrame) -> pd.Series:
    """Count rows by area and status, of those that name an area."""
    return cells[cells["area"] != ""].groupby(["area", "status"], sort=True).size()


def _between(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> Iterator[tuple[object, ...]]:
    """Yield counts of two releases that differ by one."""
    for level in AREA_LEVELS:
        pair = [_counts(_cells(edition, level)) for edition in (old, new)]
        before, after = pair[0].align(pair[1], fill_value=0)
        for (area, status), first in before.items():
            second = after[area, status]
            if abs(first - second) == 1 and min(first, second) < FEW:
                yield "old and new", level, area, status, int(first), int(second)


def _remainders(new: gpd.GeoDataFrame) -> Iterator[tuple[object, ...]]:
    """Yield areas of which all but one row name a finer area."""
    levels = [level for level in AREA_LEVELS if level in new]
    for level, finer in pairwise(levels):
        cells = _cells(new, level)
        total = _counts(cells)
        told = _counts(cells.assign(area=cells["area"].where(_cells(new, finer)["area"] != "", "")))
        for (area, status), n in told.items():
            if total[area, status] - n == 1:
                yield "total less rows", level, area, status, int(total[area, status]), int(n)
