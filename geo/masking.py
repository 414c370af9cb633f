"""Protecting places: sites as areas, and sites displaced under a key.

The default is `generalise`: an area is true, nests with every coarser one, and cannot be averaged.
`donut_mask` and `laplace_mask` put points where nothing is known to be; they are for figures that
need points, keyed so that every release repeats the first. What each site was released as belongs
into a `ReleaseRegistry`; what a release gives away is measured by `disclosure_risk`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo._displacing import Scheme, displace, donut_scheme, laplace_scheme, sharing
from geo._generalising import cell_units, discs, level_units, premises_of
from geo._inputs import positive_length, whole_number
from geo._keys import checked_key
from geo._levels import levels_of
from geo._releasing import RELEASED_COLUMNS, WITHHELD, places_of, refuse, released_frame

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

    from geo._releasing import Places, Unit

__all__ = ["RELEASED_COLUMNS", "donut_mask", "generalise", "laplace_mask"]

_WITHHELD = "Coordinates, names, sources, free text, days of dates, file and row."
_ROUND_M = 100.0
_SLACK_M = 1.0  # a displaced point is rounded to 5 decimals


def generalise(
    sites: gpd.GeoDataFrame,
    *,
    level: str | None = None,
    areas: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    cell_size_m: float | None = None,
    candidates: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    min_candidates: int = 5,
) -> gpd.GeoDataFrame:
    """
    Turn sites into the areas that hold them, as the default way to protect places.

    Each site becomes the finest of several nested areas that

    1. contains the whole circle of its ``uncertainty_m``, and
    2. holds at least `min_candidates` plausible premises, where `candidates` are given.

    A site whose circle reaches another area goes to the next coarser level; one that no level
    holds is withheld, with a missing geometry. Sites without a location stay without, and keep
    their province where what they state is its name.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points or missing geometries with ``site_id`` and ``uncertainty_m``, as `validate_sites`
        gives them.
    level : {"commune", "district", "province", "country"}, optional
        The finest level allowed; without it the finest there is. No communes are shipped.
    areas : geopandas.GeoDataFrame or mapping of str to geopandas.GeoDataFrame, optional
        The polygons of `level`, or those of several levels by their names, in any coordinate
        reference system, with ``name`` and, if known, ``code``, ``country``, ``province``,
        ``province_code``, ``district`` and ``district_code``. Without it the shipped districts
        (Cambodia), provinces (and LA, MM, TH, VN) and countries.
    cell_size_m : float, optional
        Instead of areas, cells of a grid, each of this side squared in area, which double up to
        64 times. The lines of the grid are the same for all data; grids of two sizes nest if one
        is the other doubled.
    candidates : geopandas.GeoDataFrame or geopandas.GeoSeries, optional
        Plausible alternative premises, in any coordinate reference system: for a casino compound,
        casinos and hotels. A shape counts where its representative point is; several at one point
        count once.
    min_candidates : int, default 5
        How many of them an area must hold.

    Returns
    -------
    geopandas.GeoDataFrame
        Polygons in EPSG:4326, by ``site_id`` with a new index: the order of rows and their labels
        tell nothing. The columns are those of `RELEASED_COLUMNS` and no others: ``site_id``; of
        the input ``status``, ``operating``, ``state_response``, ``country``, ``evidence``,
        ``abuses``, ``security_features`` and ``host_type`` with words of their vocabularies only,
        ``first_reported`` and ``last_reported`` to the month; from the area ``admin1`` and so on;
        and

        - ``uncertainty_m``: radius of the circle around the area, from the point of the area that
          is nearest to the circle's middle.
        - ``location_level``: the level, missing for a cell, ``none`` without a geometry.
        - ``release_scheme``: ``district area``, ``5000 m cell``, ``withheld``, ``none``.
        - ``data_generalizations``, ``information_withheld``: what was done to the row, in words
          (Darwin Core's terms of the same names).

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If sites are no points, areas no valid polygons, or levels do not lie within each other.
    SchemaError
        If ids are missing, repeated or spell a coordinate, or a point has no radius.
    ValueError
        If `level` is unknown or has no areas, both areas and cells are asked for, or a number is
        none.

    Notes
    -----
    Circles are compared as polygons of 16 corners around them, 2 % outside, so that a doubt
    decides for the coarser level. The reason is not published: that a site went to its province
    because it lies near an edge would say where it lies.

    Where a site states a country and the areas have a column ``country``, the source is believed:
    only areas of that country count, the part of the circle in no area (another country, the sea)
    does not, and a point up to 6 km outside belongs to the nearest area, as in `assign_areas`. The
    radius of areas along the outer edge is then 6 km larger, for the outlines are not exact there.
    Without a stated country the whole circle must lie within the area.

    What premises are plausible is the caller's to judge: an area with one casino protects no
    casino, however many people live in it. Text is not kept because the name of a site, the
    address of an article or a remark names the place whatever its geometry; take what may be shown
    from the sites by ``site_id``, on the record.

    Examples
    --------
    >>> import geo
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"id": ["A1", "A2"], "lat": 12.85, "lon": 104.55, "radius_m": [500, 12000]}
    ... )
    >>> sites = geo.validate_sites(table.assign(country="KH", name="Invented"))
    >>> geo.generalise(sites)[["site_id", "admin1", "admin2", "release_scheme"]]
      site_id        admin1  admin2 release_scheme
    0      A1  Kampong Thom  Stoung  district area
    1      A2  Kampong Thom    <NA>  province area
    """
    whole_number(min_candidates, "min_candidates")
    places = places_of(sites)
    premises = premises_of(candidates)
    if cell_size_m is not None:
        if level is not None or areas is not None:
            message = "Give either cell_size_m or level and areas: they do not nest."
            raise ValueError(message)
        size = positive_length(cell_size_m, "cell_size_m")
        return released_frame(places, cell_units(places, size, premises, min_candidates), _WITHHELD)
    levels = levels_of(areas, level)
    here = places.located
    circles = discs(places.lon[here], places.lat[here], places.radius_m[here])
    units = level_units(places, circles, levels, premises, min_candidates)
    released = released_frame(places, units, _WITHHELD)
    released.attrs = _credits(levels[0].areas)
    return released


def donut_mask(
    sites: gpd.GeoDataFrame,
    *,
    key: bytes,
    min_m: float,
    max_m: float,
    areas: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    level: str | None = None,
) -> gpd.GeoDataFrame:
    """
    Displace sites within a ring, the same way at every release.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        As for `generalise`.
    key : bytes
        At least 32 random bytes, kept outside of the project: see `load_key`.
    min_m, max_m : float
        Least and greatest displacement in metres.
    areas : geopandas.GeoDataFrame or mapping of str to geopandas.GeoDataFrame, optional
        Administrative units that sites stay within, as for `generalise`.
    level : {"commune", "district", "province", "country"}, optional
        The finest unit to stay within; without it the finest there is.

    Returns
    -------
    geopandas.GeoDataFrame
        Points in EPSG:4326 to 5 decimals, with the rows and columns of `generalise`.
        ``uncertainty_m`` holds the true place: `max_m` and the site's own radius, rounded up to
        100 m. ``release_scheme`` names scheme and parameters, for the legend. Sites that no unit
        holds, or that 400 draws do not leave in theirs, are withheld.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If sites are no points, areas no valid polygons, or levels do not lie within each other.
    SchemaError
        If ids are missing, repeated or spell a coordinate, a point has no radius, several sites
        share a point, ids are row numbers, or a site is only suspected: a displaced point accuses
        whoever is there.
    TypeError
        If the key is no bytes.
    ValueError
        If the key is short, text or repeats itself, or a length is none.

    Notes
    -----
    The draw of a site is HMAC-SHA256 under the key, over scheme, parameters and ``site_id``, so it
    depends neither on other rows nor on the place. Distance: ``sqrt(min^2 + u (max^2 - min^2))``,
    uniform by area; direction: uniform; along a geodesic. A draw outside the unit is drawn again.

    *Several sites at one point* would be displaced differently, and their average leads back. They
    are refused rather than given one draw by their place: a draw by place changes with every
    correction of a coordinate, which would be a new release to average. `merge_duplicates` or
    `generalise` them. Sites that only lie close to each other are not told apart from one place
    reported twice.

    The scheme has no formal guarantee: the ring is known to the reader. Corrected coordinates move
    the displaced point by the same vector; a `ReleaseRegistry` refuses that.

    Examples
    --------
    >>> import geo, secrets
    >>> import pandas as pd
    >>> table = pd.DataFrame({"id": ["A1"], "lat": 12.85, "lon": 104.55, "radius_m": 500})
    >>> sites = geo.validate_sites(table)
    >>> key = secrets.token_bytes(32)
    >>> masked = geo.donut_mask(sites, key=key, min_m=1000, max_m=5000)
    >>> masked[["site_id", "admin2", "uncertainty_m", "release_scheme"]]
      site_id  admin2  uncertainty_m        release_scheme
    0      A1  Stoung         5600.0  donut 1000 to 5000 m
    >>> masked.equals(geo.donut_mask(sites, key=key, min_m=1000, max_m=5000))
    True
    """
    low, high = positive_length(min_m, "min_m"), positive_length(max_m, "max_m")
    if low >= high:
        message = f"min_m is {min_m!r} and max_m {max_m!r}; min_m must be less than max_m."
        raise ValueError(message)
    return _displaced(sites, key, donut_scheme(low, high), areas, level)


def laplace_mask(
    sites: gpd.GeoDataFrame,
    *,
    key: bytes,
    epsilon_per_m: float | None = None,
    radius_m: float | None = None,
    privacy_level: float = math.log(4),
    areas: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None = None,
    level: str | None = None,
) -> gpd.GeoDataFrame:
    """
    Displace sites by planar Laplace noise, the same way at every release.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        As for `generalise`.
    key : bytes
        At least 32 random bytes, kept outside of the project: see `load_key`.
    epsilon_per_m : float, optional
        The parameter of geo-indistinguishability. Either this or `radius_m`.
    radius_m : float, optional
        Within this distance two places are as hard to tell apart as `privacy_level` says:
        ``epsilon_per_m = privacy_level / radius_m``.
    privacy_level : float, default ln 4
        The log of the factor by which seeing the released point may change what is believed of two
        places `radius_m` apart.
    areas : geopandas.GeoDataFrame or mapping of str to geopandas.GeoDataFrame, optional
        Administrative units that sites stay within, as for `generalise`.
    level : {"commune", "district", "province", "country"}, optional
        The finest unit to stay within; without it the finest there is.

    Returns
    -------
    geopandas.GeoDataFrame
        As from `donut_mask`; ``uncertainty_m`` is the quantile 0.999 of the displacement,
        ``9.233413 / epsilon_per_m``, and the site's own radius, rounded up to 100 m.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If sites are no points, areas no valid polygons, or levels do not lie within each other.
    SchemaError
        If ids are missing, repeated or spell a coordinate, a point has no radius, several sites
        share a point, ids are row numbers, or a site is only suspected.
    TypeError
        If the key is no bytes.
    ValueError
        If the key is short, text or repeats itself, or a number is none.

    Notes
    -----
    Distance is ``-(W((p - 1) / e) + 1) / epsilon`` with the branch of Lambert's W below -1;
    direction is uniform [1]_. The mean is ``2 / epsilon``. Without limits the log of the ratio of
    densities that two places give a released point is at most epsilon times their distance. Two
    things here weaken that: the farthest thousandth is not drawn, so that ``uncertainty_m`` can
    hold the true place, and places stay within their unit, which is thereby told. For the usual
    epsilon the guarantee is weak in any case [2]_. The rest is as for `donut_mask`.

    References
    ----------
    .. [1] Andres, M. E., Bordenabe, N. E., Chatzikokolakis, K. and Palamidessi, C. (2013).
       Geo-indistinguishability: differential privacy for location-based systems. CCS 2013.
       https://arxiv.org/abs/1212.1984
    .. [2] Oya, S., Troncoso, C. and Perez-Gonzalez, F. (2017). Is geo-indistinguishability what
       you are looking for? WPES 2017. https://arxiv.org/abs/1709.06318

    Examples
    --------
    >>> import geo, secrets
    >>> import pandas as pd
    >>> table = pd.DataFrame({"id": ["A1"], "lat": 12.85, "lon": 104.55, "radius_m": 500})
    >>> key = secrets.token_bytes(32)
    >>> masked = geo.laplace_mask(geo.validate_sites(table), key=key, radius_m=200)
    >>> masked["uncertainty_m"].tolist()
    [1900.0]
    """
    if (epsilon_per_m is None) == (radius_m is None):
        message = "Give either epsilon_per_m or radius_m."
        raise ValueError(message)
    if epsilon_per_m is None and radius_m is not None:
        radius = positive_length(radius_m, "radius_m")
        if not (isinstance(privacy_level, int | float) and 0 < privacy_level < math.inf):
            message = f"privacy_level is {privacy_level!r}; it must be a number more than 0."
            raise ValueError(message)
        epsilon = privacy_level / radius
    else:
        epsilon = float(epsilon_per_m) if isinstance(epsilon_per_m, int | float) else math.nan
    if not 0 < epsilon < math.inf:
        message = f"epsilon_per_m is {epsilon_per_m!r}; it must be a number more than 0."
        raise ValueError(message)
    return _displaced(sites, key, laplace_scheme(epsilon), areas, level)


def _displaced(
    sites: gpd.GeoDataFrame,
    key: bytes,
    scheme: Scheme,
    areas: gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | None,
    level: str | None,
) -> gpd.GeoDataFrame:
    """Sites displaced by a scheme within their units."""
    key = checked_key(key)
    places = places_of(sites)
    _refuse_rows(places)
    levels = levels_of(areas, level)
    here = places.located
    points = np.asarray(shapely.points(places.lon[here], places.lat[here]), dtype=object)
    units = level_units(places, points, levels)
    released = released_frame(places, _moved(places, units, key, scheme), _WITHHELD)
    released.attrs = _credits(levels[0].areas)
    return released


def _refuse_rows(places: Places) -> None:
    """Raise SchemaError for sites that must not be displaced."""
    frame = places.frame
    if "status" in frame:
        suspected = frame["status"].astype("string").eq("suspected").fillna(value=False)
        refuse(
            frame,
            suspected.to_numpy(dtype=bool) & places.located,
            "status",
            "are only suspected. A displaced point would accuse whoever is there: generalise() "
            "them, or leave them out.",
        )
    numbered = frame["site_id"].astype("string").str.fullmatch(r"row-\d+").fillna(value=False)
    refuse(
        frame,
        numbered.to_numpy(dtype=bool),
        "site_id",
        "have the number of their row for a site_id. The draw goes by the id, and one more row in "
        "the file would draw all of them anew: give them stable ids.",
    )
    refuse(
        frame,
        sharing(places.lon, places.lat),
        "geometry",
        "share a point with another one. Displaced differently, their average leads back to it: "
        "use merge_duplicates(), or generalise() them.",
        show=False,
    )


def _moved(places: Places, units: Sequence[Unit], key: bytes, scheme: Scheme) -> list[Unit]:
    """Units with the displaced point of each site in place of their polygons."""
    rows = [i for i, unit in enumerate(units) if unit.geometry is not None]
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [units[i].geometry for i in rows]
    ids = [places.ids[i] for i in rows]
    lon, lat = displace(ids, places.lon[rows], places.lat[rows], shapes, key, scheme)
    reach = places.radius_m[rows] + scheme.longest_m + _SLACK_M
    reach = np.ceil(reach / _ROUND_M) * _ROUND_M
    points = shapely.points(lon, lat)
    moved = [WITHHELD if at else unit for unit, at in zip(units, places.located, strict=True)]
    for i, point, radius, at in zip(rows, points, reach, np.isfinite(lon), strict=True):
        if at:
            unit = units[i]
            note = (
                f"Location displaced at random ({scheme.name}), kept within its {unit.level}: "
                "nothing is known to be at this point. Dates to the month."
            )
            moved[i] = unit._replace(
                geometry=point, uncertainty_m=radius, level=None, scheme=scheme.name, note=note
            )
    return moved


def _credits(areas: pd.DataFrame) -> dict[str, str]:
    """Give what is to be printed where areas are shown."""
    credit = areas.attrs.get("attribution")
    return {"attribution": credit} if isinstance(credit, str) else {}
