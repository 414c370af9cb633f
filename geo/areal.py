"""Reports by area: which province or district each one belongs to, and how many there are."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._inputs import coordinates
from geo.errors import GeometryError, SchemaError
from geo.projection import to_degrees
from geo.proximity import distance_to
from geo.schema import VOCABULARIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["assign_areas", "count_by_area"]

# The outer edge of the shipped provinces is off by up to 4.4 km along the land border, and islets
# that it lacks lie up to 4.8 km off, so a town may lie outside: O'Smach does, by 1.8 km.
_NEAREST_WITHIN_M = 6_000.0
_SIEVE_DEG = 0.055  # of latitude: more than that everywhere

_NOWHERE = -1
_HOW = ("within", "nearest", "name", "none")
_COUNTS = (*VOCABULARIES["status"], "by_nearest", "by_name")
_IGNORED = str.maketrans("đ", "d", " \u00a0\u200b-\u2010\u2011\u2012\u2013'\u2018\u2019\u02bc`")


def assign_areas(
    sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, name: str = "name"
) -> pd.DataFrame:
    """
    Assign each site to one area, and say by which rule.

    1. ``within``: the area that contains the point. A point on an edge that areas share
       belongs to the first of them in the order of `areas`.
    2. ``nearest``: no area contains the point, but one lies within 6 km (geodesic), which is
       more than the error of the shipped outlines. Where both frames name a country, only
       areas of the site's own country come into question.
    3. ``name``: the site has no location, and its ``admin1`` is the name of exactly one
       area of its country. Where `areas` has a column ``province`` (districts), ``admin2``
       is compared, and ``province`` must agree with ``admin1`` if the site gives it.
    4. ``none``: none of these.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, or missing geometries; the columns ``country``, ``admin1`` and ``admin2``
        are used if they are there.
    areas : geopandas.GeoDataFrame
        Polygons in any coordinate reference system; ``country``, ``province``, ``name_km``
        and ``aliases`` (joined with a vertical bar) are used if they are there.
    name : str
        Column of `areas` that names them.

    Returns
    -------
    pandas.DataFrame
        One row per site, with the index of `sites`: ``area`` (from ``areas[name]``, missing
        where there is none) and ``how`` (category: ``within``, ``nearest``, ``name``,
        ``none``).

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If the sites are not points, or the areas not valid polygons.
    SchemaError
        If `areas` has no column `name`.

    Notes
    -----
    Names are compared without case, accents, spaces, hyphens and apostrophes. Spellings are
    not guessed: they are those of the columns `name`, ``name_km`` and ``aliases``. The
    radius of a site (``uncertainty_m``) is not looked at: a site near an edge may belong to
    the area beyond it. The point decides over the country that a site names: where `areas`
    are those of several countries, a border town may lie ``within`` its neighbour's outline.

    Examples
    --------
    >>> import geo
    >>> import geopandas as gpd
    >>> sites = gpd.GeoDataFrame(
    ...     {"country": "KH", "admin1": ["Phnom Penh", None, "kampong-cham"]},
    ...     geometry=gpd.points_from_xy([104.92, 103.69571, None], [11.55, 14.42479, None]),
    ...     crs="EPSG:4326",
    ... )
    >>> geo.assign_areas(sites, geo.load_reference("provinces"))
                 area      how
    0      Phnom Penh   within
    1  Oddar Meanchey  nearest
    2    Kampong Cham     name
    """
    position, how = _place(sites, _checked_areas(areas, name), name)
    names = areas[name].reset_index(drop=True)
    area = names.reindex(np.where(position == _NOWHERE, len(names), position))
    return pd.DataFrame(
        {"area": area.array, "how": pd.Categorical(how, categories=_HOW)}, index=sites.index
    )


def count_by_area(
    sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, name: str = "name"
) -> gpd.GeoDataFrame:
    """
    Count the reports in each area, every status in a column of its own.

    Sites belong to areas as `assign_areas` says. What belongs to none is counted in a last
    row, so that the four status columns add up to the number of sites.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points, or missing geometries. Without a column ``status`` all are ``unknown``.
    areas : geopandas.GeoDataFrame
        Polygons in any coordinate reference system.
    name : str
        Column of `areas` that names them.

    Returns
    -------
    geopandas.GeoDataFrame
        One row per area in the order of `areas`, in EPSG:4326, with all their columns and
        ``confirmed``, ``suspected``, ``rejected``, ``unknown`` (reports of that status), and
        ``by_nearest`` and ``by_name`` (how many of these reports were placed by these
        rules). The last row, named ``elsewhere``, has no geometry.

    Raises
    ------
    CRSError
        If a frame has no coordinate reference system.
    GeometryError
        If the sites are not points, or the areas not valid polygons.
    SchemaError
        If `areas` has no column `name`, or has one of the columns to be counted, or a
        status is none of the vocabulary.

    Notes
    -----
    Statuses are never added up: a suspected site is no confirmed one. A row of `sites` is
    a report; several reports can concern one site.

    Examples
    --------
    >>> import geo
    >>> counts = geo.count_by_area(geo.example_sites(), geo.load_reference("provinces"))
    >>> len(counts), int(counts[["confirmed", "suspected", "rejected", "unknown"]].sum().sum())
    (26, 97)
    """
    checked = _checked_areas(areas, name)
    if taken := [column for column in _COUNTS if column in areas]:
        message = f"areas already has the columns {taken}; rename or drop them before counting."
        raise SchemaError(message)
    position, how = _place(sites, checked, name)
    tallies = {status: _status(sites) == status for status in VOCABULARIES["status"]}
    tallies |= {"by_nearest": how == "nearest", "by_name": how == "name"}
    rows = np.where(position == _NOWHERE, len(checked), position)
    counts = {
        column: np.bincount(rows[counted], minlength=len(checked) + 1)
        for column, counted in tallies.items()
    }
    result = _with_elsewhere(checked, name).assign(**counts)
    result.attrs = dict(areas.attrs)
    return result


def _place(
    sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, name: str
) -> tuple[NDArray[np.intp], NDArray[np.object_]]:
    """Position in `areas` of each site's area, or -1, and the rule that found it."""
    lon, lat = coordinates(sites, "sites")
    located = np.isfinite(lon)
    places = np.where(located, shapely.points(np.nan_to_num(lon), np.nan_to_num(lat)), None)
    points = gpd.GeoSeries(places, crs="EPSG:4326")
    position = np.full(len(sites), _NOWHERE, dtype=np.intp)
    how = np.full(len(sites), "none", dtype=object)

    def settle(rule: str, wanted: NDArray[np.bool_], found: NDArray[np.intp]) -> None:
        new = wanted & (found != _NOWHERE)
        position[new], how[new] = found[new], rule

    settle("within", located, _containing(points, areas))
    outside = located & (position == _NOWHERE)
    settle("nearest", outside, _nearest(points, sites, areas, np.flatnonzero(outside)))
    settle("name", ~located, _namesake(sites, areas, name))
    return position, how


def _containing(points: gpd.GeoSeries, areas: gpd.GeoDataFrame) -> NDArray[np.intp]:
    """First area whose interior or edge holds the point."""
    site, area = areas.sindex.query(points.to_numpy(), predicate="intersects")
    return _first(site, area, len(points))


def _nearest(
    points: gpd.GeoSeries,
    sites: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    rows: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Nearest area within reach in the site's country; of equally near ones the first."""
    x, y = points.iloc[rows].x.to_numpy(), points.iloc[rows].y.to_numpy()
    reach = _SIEVE_DEG / np.cos(np.deg2rad(np.minimum(np.abs(y) + _SIEVE_DEG, 89.9)))
    boxes = shapely.box(x - reach, y - _SIEVE_DEG, x + reach, y + _SIEVE_DEG)
    site, area = areas.sindex.query(boxes, predicate="intersects")
    site = rows[site]
    agree = _countries_agree(sites, areas, site, area)
    site, area = site[agree], area[agree]
    distance_m = np.empty(len(site))
    for i in np.unique(area):
        near = area == i
        there = gpd.GeoDataFrame(geometry=points.iloc[site[near]].array, crs=points.crs)
        distance_m[near] = distance_to(there, areas.geometry.iloc[[i]])["distance_m"]
    reached = distance_m <= _NEAREST_WITHIN_M
    order = np.lexsort((area[reached], distance_m[reached]))
    site, area = site[reached][order], area[reached][order]
    found = np.full(len(points), _NOWHERE, dtype=np.intp)
    known, first = np.unique(site, return_index=True)
    found[known] = area[first]
    return found


def _namesake(sites: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, name: str) -> NDArray[np.intp]:
    """Only area that bears the name which the site gives."""
    districts = "province" in areas
    asked = _folded(sites, "admin2" if districts else "admin1")
    pairs = pd.DataFrame({"name": asked, "site": np.arange(len(sites))})
    pairs = pairs[pairs["name"] != ""].merge(_called(areas, name), on="name")
    site, area = pairs["site"].to_numpy(), pairs["area"].to_numpy()
    agree = _countries_agree(sites, areas, site, area)
    if districts:
        given, province = _folded(sites, "admin1")[site], _folded(areas, "province")[area]
        agree &= (given == "") | (given == province)
    site, area = site[agree], area[agree]
    found = _first(site, area, len(sites))
    found[np.bincount(site, minlength=len(sites)) > 1] = _NOWHERE
    return found


def _called(areas: gpd.GeoDataFrame, name: str) -> pd.DataFrame:
    """Table of all folded names of the areas, in any script and spelling."""
    columns = [name, *(column for column in ("name_km", "aliases") if column in areas)]
    names = pd.concat([areas[column].astype(object).dropna().astype("str") for column in columns])
    names = names.str.split("|").explode().map(_fold)
    table = pd.DataFrame({"name": names.astype(object), "area": names.index}).drop_duplicates()
    return table[table["name"] != ""]


def _first(site: NDArray[np.intp], area: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Least area of each site, or -1."""
    found = np.full(size, np.iinfo(np.intp).max, dtype=np.intp)
    np.minimum.at(found, site, area)
    found[found == np.iinfo(np.intp).max] = _NOWHERE
    return found


def _countries_agree(
    sites: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    site: NDArray[np.intp],
    area: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Whether the countries of site and area agree; an unknown country agrees with any."""
    ours, theirs = _folded(sites, "country")[site], _folded(areas, "country")[area]
    return np.asarray((ours == "") | (theirs == "") | (ours == theirs), dtype=np.bool_)


def _folded(frame: pd.DataFrame, column: str) -> NDArray[np.object_]:
    """Names fit for comparison; empty where there is none."""
    if column not in frame:
        return np.full(len(frame), "", dtype=object)
    values = frame[column].astype(object)
    return np.array([_fold(value) for value in values.where(values.notna(), "")], dtype=object)


def _fold(value: Any) -> str:  # noqa: ANN401 a cell may hold anything
    """Fold case, Latin accents, spaces, hyphens and apostrophes; keep Khmer vowel signs."""
    letters = unicodedata.normalize("NFD", str(value).casefold())
    plain = "".join(letter for letter in letters if not "\u0300" <= letter <= "\u036f")
    return unicodedata.normalize("NFC", plain).translate(_IGNORED)


def _status(sites: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the status of each site, `unknown` where it is not given."""
    if "status" not in sites:
        return np.full(len(sites), "unknown", dtype=object)
    status = sites["status"].astype(object)
    status = status.where(status.notna(), "unknown")
    wrong = np.flatnonzero(~status.isin(VOCABULARIES["status"]))
    if len(wrong):
        words = ", ".join(VOCABULARIES["status"])
        message = (
            f"{len(wrong)} sites have a status that is none of {words}; "
            "validate_sites shows and types them."
        )
        problems = {
            "row": wrong,
            "column": "status",
            "value": status.iloc[wrong].array,
            "problem": f"not one of {words}",
        }
        raise SchemaError(message, pd.DataFrame(problems))
    return np.asarray(status, dtype=object)


def _with_elsewhere(areas: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Add a last row for what lies in none of the areas."""
    # A missing cell would turn integers into floats and truth values into objects.
    kinds = {"b": "boolean", "i": "Int64", "u": "UInt64"}
    nullable = {
        column: kinds[dtype.kind]
        for column, dtype in areas.dtypes.items()
        if isinstance(dtype, np.dtype) and dtype.kind in kinds and column != name
    }
    longer = areas.astype(nullable)
    if not isinstance(longer[name].dtype, pd.StringDtype):
        longer[name] = longer[name].astype(object)
    longer = longer.reindex(range(len(areas) + 1))
    longer.loc[len(areas), name] = "elsewhere"
    return longer


def _checked_areas(areas: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Areas in EPSG:4326 with rows numbered from 0, or the reason why they cannot serve."""
    if name not in areas:
        message = f"areas has no column {name!r}; name= one of {list(areas.columns)}."
        raise SchemaError(message)
    degrees = areas.set_geometry(to_degrees(areas)).reset_index(drop=True)
    faults = list(_area_faults(degrees.geometry))
    if faults:
        problems = pd.DataFrame(faults, columns=["row", "problem"])
        message = (
            f"{len(faults)} of {len(areas)} areas are not valid polygons: "
            f"{', '.join(sorted(set(problems['problem'])))}. Leave out what is no polygon; "
            "repair the others with areas.make_valid()."
        )
        raise GeometryError(message, problems)
    return degrees


def _area_faults(outlines: gpd.GeoSeries) -> Iterator[tuple[int, str]]:
    """Yield the row and the fault of every outline that is no valid polygon."""
    kinds = outlines.geom_type.to_numpy()
    valid = outlines.is_valid.to_numpy()
    for row, (outline, kind) in enumerate(zip(outlines, kinds, strict=True)):
        if outline is None or outline.is_empty:
            yield row, "no geometry"
        elif kind not in ("Polygon", "MultiPolygon"):
            yield row, str(kind)
        elif not valid[row]:
            yield row, "invalid polygon"
