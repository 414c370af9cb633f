"""Descriptions of places to points with a radius, by the point-radius method.

"10 km NE of X", "near X", "between X and Y" and "X commune, Y district" are read with the rules
of Wieczorek et al. [1]_ and Chapman and Wieczorek [2]_: the radius holds every place that the
words can mean, so what contributes to it is added up, never averaged.

References
----------
.. [1] Wieczorek, J., Guo, Q. and Hijmans, R. J. (2004). The point-radius method for
   georeferencing locality descriptions and calculating associated uncertainty. International
   Journal of Geographical Information Science 18, 745-767.
.. [2] Chapman, A. D. and Wieczorek, J. R. (2020). Georeferencing Best Practices. GBIF.
   https://doi.org/10.15468/doc-gg7h-s853
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import shapely

from geo import _phrases
from geo._places import Place, country_named, next_town_m, province_named
from geo._provinces import FIVE, province_codes, province_outline
from geo._radii import covering_circle, nearest_point, offset_radius
from geo._settling import is_nested, likeliest, may_overlap, settle
from geo.errors import NotFoundError
from geo.gazetteer import candidates, frame_of
from geo.geodesy import WGS84
from geo.reference import load_reference

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Location", "find_locality", "locate"]

_BORDER_M = 10_000.0  # "near the border", "at the border": what reports still call so


class Location(NamedTuple):
    """One place for a description, or the reason why there is none; and what was assumed."""

    place: Place | None
    reason: str
    note: str


class _Reading(NamedTuple):
    """All that a description can mean, and why."""

    places: tuple[Place, ...]
    note: str = ""


class _Scope(NamedTuple):
    """Where and when a description was written."""

    country: str | None
    admin1: str | None
    date: str | None


def find_locality(
    text: str,
    *,
    country: str | None = None,
    admin1: str | None = None,
    date: str | None = None,
) -> gpd.GeoDataFrame:
    r"""
    Find every place that a description can mean, each with a radius that covers it.

    Understood are the names of `find_places`, and around them ``10 km NE of X``,
    ``about 40 km south of X``, ``2 km E and 1.5 km N of X``, ``10 km from X``, ``near X``,
    ``outskirts of X``, ``X area``, ``between X and Y``, ``X-Y border``, ``near the Viet Nam
    border``, ``opposite X``, ``X commune, Y district`` and ``X (details)``.

    Parameters
    ----------
    text : str
        A description of one place.
    country : str, optional
        ISO 3166-1 alpha-2 code of the place; the X of an offset may lie abroad.
    admin1 : str, optional
        Name or code of the province of the place; the X of an offset may lie elsewhere.
    date : str, optional
        When it was written, ISO 8601, possibly partial.

    Returns
    -------
    geopandas.GeoDataFrame
        As from `find_places`; ``kind`` may also be ``offset``, ``near``, ``between`` or
        ``border``, and ``source`` says how the point was made.

    Raises
    ------
    NotFoundError
        If there is no such country, or no such province in a country of the gazetteer.
    ValueError
        If `date` is no year, month or day.

    Notes
    -----
    An offset of distance d, known to half its implied unit p (10.5 km: 0.25 km, 15 km: 0.5 km,
    140 km: 5 km), in a direction known to half an angle a (N 45, NE 22.5, NNE 11.25 degrees),
    from X with radius r, lies within

    .. math:: r + \max_{D = d \pm p} \sqrt{(D\cos a - d)^2 + (D\sin a)^2}

    of the point at d, the farthest corner of the sector and all of X around it. "About" makes
    p ten times as wide, up to a quarter of d. Near X is the extent of X and half the way to
    the next town; between X and Y is half the way and the larger of the two radii. A point
    that falls outside `admin1` is moved to its edge and the radius is widened by as much.

    Examples
    --------
    >>> import geo
    >>> geo.find_locality("10 km NW of Bavet", country="KH")[["kind", "admin1", "radius_m"]]
         kind      admin1  radius_m
    0  offset  Svay Rieng    9030.0
    """
    return frame_of(_read(text, _scope(country, admin1, date)).places)


def locate(
    text: str,
    *,
    country: str | None = None,
    admin1: str | None = None,
    date: str | None = None,
) -> Location:
    """
    Find the one place that a description means, or say why there is none.

    Parameters
    ----------
    text, country, admin1, date : str
        As for `find_locality`.

    Returns
    -------
    Location
        ``place`` is None where ``reason`` is not empty.

    Notes
    -----
    Places of one name that lie inside each other are one answer: the town if GeoNames knows
    how many people live there, otherwise the largest of them, which holds the others.
    """
    if country is not None and country not in FIVE and country.isalpha():
        return Location(None, f"no gazetteer of {country}: it covers {', '.join(FIVE)}", "")
    try:
        scope = _scope(country, admin1, date)
        return _locate(" ".join(text.split()), scope)
    except (NotFoundError, ValueError) as error:
        return Location(None, f"unknown: {error}", "")


@lru_cache(maxsize=1 << 15)
def _locate(text: str, scope: _Scope) -> Location:
    """Read a description and settle on one place."""
    reading = _read(text, scope)
    place, reason, note = settle(reading.places)
    if not reading.places:
        where = ", ".join(filter(None, (scope.admin1, scope.country)))
        reason = reading.note or f"unknown: no place called {text!r}"
        reason = f"{reason} in {where}" if where and not reading.note else reason
        return Location(None, reason, "")
    return Location(place, reason, "; ".join(filter(None, (reading.note, note))))


def _scope(country: str | None, admin1: str | None, date: str | None) -> _Scope:
    """Check a scope by asking the gazetteer for nothing in it."""
    candidates("", country=country, admin1=admin1, date=date)
    return _Scope(country, admin1, date)


# ------------------------------------------------------------------------- what the words say


def _read(text: str, scope: _Scope) -> _Reading:
    """Read a description with brackets and commas."""
    text = " ".join(text.split())
    bracketed = _phrases.DETAILS.fullmatch(text)
    if bracketed and bracketed["head"].strip(" ,"):
        head = f"{bracketed['head']} {bracketed['tail']}".strip(" ,")
        return _read_bracketed(head, bracketed["detail"], scope)
    parts = [part.strip() for part in re.split(r"[,;،]\s+", text) if part.strip()]
    if len(parts) == 1:
        return _read_part(parts[0], scope)
    return _read_parts(parts, scope)


def _read_bracketed(head: str, detail: str, scope: _Scope) -> _Reading:
    """Read what is before brackets; what is in them only adds to a province's name."""
    unstated = _phrases.UNSTATED.search(detail) is not None
    if scope.admin1 is not None and _names_province(head, scope):
        codes = province_codes(scope.admin1, scope.country)
        whole = _Reading(tuple(province_named(code) for code in sorted(codes)), "only the province")
        if unstated:
            return whole
        inner = _read_phrase(detail, scope)
        if inner and inner.places:
            # Both hold the place: what is larger than the province says nothing more.
            return min(inner, whole, key=lambda found: found.places[0].radius_m)
    reading = _read(head, scope)
    if reading.places:
        unused = "" if unstated else f"not used: {detail!r}"
        return _Reading(reading.places, "; ".join(filter(None, (reading.note, unused))))
    inner = _read(detail, scope)
    return inner._replace(note=f"from the brackets: {detail!r}") if inner.places else reading


def _names_province(text: str, scope: _Scope) -> bool:
    """Whether a text is the name of the province of the scope."""
    try:
        named = province_codes(text, scope.country)
    except NotFoundError:
        return False
    return bool(named & province_codes(str(scope.admin1), scope.country))


def _read_parts(parts: list[str], scope: _Scope) -> _Reading:
    """Read parts of which each must hold the place: the smallest that agrees with all."""
    read = {part: likeliest(_read_part(part, scope).places) for part in parts}
    known = {part: places for part, places in read.items() if places}
    missing = [
        part for part in parts if not read[part] and part.lower() not in _phrases.COUNTRY_WORDS
    ]
    note = f"not found: {', '.join(map(repr, missing))}" if missing else ""
    if not known:
        return _Reading(())
    for agree in (is_nested, may_overlap):
        fits = {
            part: [
                place
                for place in places
                if all(
                    any(agree(place, other) for other in others)
                    for name, others in known.items()
                    if name != part
                )
            ]
            for part, places in known.items()
        }
        if all(fits.values()):
            finest = min(fits, key=lambda part: (min(p.radius_m for p in fits[part]), part))
            return _Reading(tuple(fits[finest]), note)
    return _Reading((), f"contradiction: no place is in all of {', '.join(map(repr, known))}")


def _read_part(text: str, scope: _Scope) -> _Reading:
    """Read a phrase or a name."""
    phrase = _read_phrase(text, scope)
    if phrase is not None and phrase.places:
        return phrase
    named = candidates(text, country=scope.country, admin1=scope.admin1, date=scope.date)
    return _Reading(named) if named or phrase is None else phrase


def _read_phrase(text: str, scope: _Scope) -> _Reading | None:
    """Read a phrase around names; None where it is none."""
    for pattern, reader in (
        (_phrases.ORTHOGONAL, _orthogonal),
        (_phrases.OFFSET, _offset),
        (_phrases.BETWEEN, _between),
        (_phrases.OPPOSITE, _opposite),
        (_phrases.PAIR_BORDER, _between),
        (_phrases.BORDER, _border),
        (_phrases.NEAR, _near),
        (_phrases.AREA, _near),
    ):
        match = pattern.fullmatch(text)
        if match:
            reading = reader(match, scope)
            if reading.places or pattern not in (_phrases.PAIR_BORDER, _phrases.BORDER):
                return _within_scope(reading, scope)
            if pattern is _phrases.BORDER:
                return reading
    return None


# ---------------------------------------------------------------------------------- the phrases


def _anchors(name: str, scope: _Scope) -> tuple[Place, ...]:
    """Places that a phrase starts from: in the province, else in the country, else anywhere."""
    name = name.strip(" ,")
    for country, admin1 in ((scope.country, scope.admin1), (scope.country, None), (None, None)):
        found = candidates(name, country=country, admin1=admin1, date=scope.date)
        if not found and ", " in name:
            found = _read_parts(name.split(", "), _Scope(country, admin1, scope.date)).places
        if found:
            one, _, _ = settle(found)
            return (one,) if one else found
    return ()


def _made(anchor: Place, kind: str, at: tuple[float, float], radius_m: float, how: str) -> Place:
    """Make a place of a phrase from the place that it starts from."""
    return anchor._replace(
        code="", name=how, name_km=None, kind=kind, admin2=None, admin2_code=None, admin3=None,
        admin3_code=None, longitude=round(at[0], 5), latitude=round(at[1], 5),
        radius_m=math.ceil(radius_m), source=f"{how}; {anchor.source}", population=0,
    )  # fmt: skip


def _offset(match: re.Match[str], scope: _Scope) -> _Reading:
    """Read "10 km NE of X" or "10 km from X"."""
    distance, precision = _phrases.distance_of(match, "")
    made = []
    for x in _anchors(match["x"], scope):
        if match["dir"]:
            letters = _phrases.letters_of(match["dir"])
            if letters not in _phrases.POINTS:
                return _Reading((), f"unknown: {match['dir']!r} is no direction")
            azimuth = _phrases.POINTS.index(letters) * 22.5
            lon, lat, _ = WGS84.fwd(x.longitude, x.latitude, azimuth, distance)
            radius = offset_radius(
                distance, precision, _phrases.HALF_ANGLE[len(letters)], x.radius_m
            )
        else:
            lon, lat, radius = x.longitude, x.latitude, distance + precision + x.radius_m
        made.append(_made(x, "offset", (lon, lat), radius, match.group().strip()))
    return _Reading(tuple(made))


def _orthogonal(match: re.Match[str], scope: _Scope) -> _Reading:
    """Read "2 km E and 1.5 km N of X": both distances are exact in direction."""
    steps = [
        (_phrases.letters_of(match[f"dir{i}"]), *_phrases.distance_of(match, i)) for i in ("", "2")
    ]
    if any(letters not in _phrases.POINTS for letters, _, _ in steps):
        return _Reading((), f"unknown: no direction in {match.group()!r}")
    made = []
    for x in _anchors(match["x"], scope):
        lon, lat = x.longitude, x.latitude
        for letters, distance, _ in steps:
            lon, lat, _ = WGS84.fwd(lon, lat, _phrases.POINTS.index(letters) * 22.5, distance)
        radius = math.hypot(steps[0][2], steps[1][2]) + x.radius_m
        made.append(_made(x, "offset", (lon, lat), radius, match.group().strip()))
    return _Reading(tuple(made))


def _near(match: re.Match[str], scope: _Scope) -> _Reading:
    """Read "near X": the extent of X and half the way to the next town."""
    return _Reading(
        tuple(
            _made(
                x, "near", (x.longitude, x.latitude), x.radius_m + next_town_m(x) / 2,
                match.group().strip(),
            )
            for x in _anchors(match["x"], scope)
        )
    )  # fmt: skip


def _opposite(match: re.Match[str], scope: _Scope) -> _Reading:
    """Read "opposite X": X, the way from it to the border and what lies at the border."""
    made = []
    for x in _anchors(match["x"], scope):
        borders = load_reference("land_border")
        line = shapely.union_all(borders.geometry.to_numpy())
        reach = x.radius_m + nearest_point(line, x.longitude, x.latitude)[2] + _BORDER_M
        made.append(_made(x, "near", (x.longitude, x.latitude), reach, match.group().strip()))
    return _Reading(tuple(made))


def _between(match: re.Match[str], scope: _Scope) -> _Reading:
    """Read "between X and Y": the middle, half the way and the larger radius."""
    made = []
    for x in _anchors(match["x"], scope):
        for y in _anchors(match["y"], scope):
            azimuth, _, gap = WGS84.inv(x.longitude, x.latitude, y.longitude, y.latitude)
            lon, lat, _ = WGS84.fwd(x.longitude, x.latitude, azimuth, gap / 2)
            radius = gap / 2 + max(x.radius_m, y.radius_m)
            made.append(_made(x, "between", (lon, lat), radius, match.group().strip()))
    return _Reading(tuple(made))


def _border(match: re.Match[str], scope: _Scope) -> _Reading:
    """Read "near the Viet Nam border": the stretch of the border in the province."""
    named = {_phrases.COUNTRY_WORDS[match[key].lower()] for key in ("c1", "c2", "c3") if match[key]}
    codes: frozenset[str] = frozenset()
    if match["x"]:
        xs = _anchors(match["x"], scope)
        if not xs:
            return _Reading((), f"unknown: no place called {match['x']!r}")
        if len(xs) > 1 or xs[0].kind != "province":
            return _near(match, scope)
        codes = frozenset({xs[0].code})
    elif scope.admin1:
        codes = province_codes(scope.admin1, scope.country)
    if len(codes) != 1:
        return _Reading((), "unknown: a border is no place by itself; name the province")
    province = province_named(min(codes))
    others = named - {province.country}
    borders = load_reference("land_border", country=province.country)
    if others:
        borders = borders[borders[["country_a", "country_b"]].isin(others).any(axis=1)]
    outline = shapely.buffer(province_outline(province.code), 0.06)
    stretch = shapely.intersection(shapely.union_all(borders.geometry.to_numpy()), outline)
    if stretch.is_empty:
        return _Reading((), f"contradiction: {province.name} has no such border")
    lon, lat, radius = covering_circle(stretch)
    if radius + _BORDER_M >= province.radius_m:
        return _Reading((province,), "the border runs along the whole province")
    how = match.group().strip()
    return _Reading((_made(province, "border", (lon, lat), radius + _BORDER_M, how),))


# ---------------------------------------------------------------------------------- the geometry


def _within_scope(reading: _Reading, scope: _Scope) -> _Reading:
    """Move points into the province or country of the scope; drop circles that miss it."""
    if scope.admin1 is not None:
        codes = sorted(province_codes(scope.admin1, scope.country))
        bounds = [(province_named(code), province_outline(code)) for code in codes]
        where = scope.admin1
    elif scope.country is not None and scope.country in FIVE:
        outline = load_reference("countries", country=scope.country).geometry.iloc[0]
        abroad = [place for place in reading.places if place.country != scope.country]
        if not abroad:
            return reading
        bounds, where = [(country_named(scope.country), outline)], scope.country
    else:
        return reading
    moved = (_moved(place, unit, outline) for unit, outline in bounds for place in reading.places)
    kept = tuple(place for place in moved if place)
    lost = f"contradiction: not in {where}" if reading.places and not kept else ""
    return _Reading(kept, lost or reading.note)


def _moved(place: Place, unit: Place, outline: shapely.Geometry) -> Place | None:
    """Move a point to the edge of a unit that its circle reaches, and widen the radius."""
    lon, lat, gap = nearest_point(outline, place.longitude, place.latitude)
    if gap > place.radius_m:
        return None
    inside = place._replace(country=unit.country, admin1=unit.admin1, admin1_code=unit.admin1_code)
    if gap == 0:
        return inside
    radius_m = math.ceil(place.radius_m + gap)
    return inside._replace(longitude=round(lon, 5), latitude=round(lat, 5), radius_m=radius_m)
