"""Coordinates as cells of a grid: UTM, MGRS, Plus Codes, geohash.

Texts arrive normalised by `geo._notations.normalise` and in capitals.
"""

from __future__ import annotations

import functools
import math
import re
from typing import TYPE_CHECKING, NamedTuple

import pyproj

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Place", "extent_m", "read_geohash", "read_mgrs", "read_plus_code", "read_utm"]

_EQUATOR_M = 6_378_137.0  # WGS 84
_FLATTENING = 1 / 298.257223563
_BANDS = "CDEFGHJKLMNPQRSTUVWX"  # 8 degrees each from 80 S; X has 12
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")  # zones 1, 2, 3, then again
_ROWS = "ABCDEFGHJKLMNPQRSTUV"  # 100 km each; even zones begin at F
_PLUS_DIGITS = "23456789CFGHJMPQRVWX"
_GEOHASH_DIGITS = "0123456789BCDEFGHJKMNPQRSTUVWXYZ"

_ZONE = r"(?P<zone{0}>\d{{1,2}}) ?(?P<letter{0}>[C-HJ-NP-X])(?:(?<=N)ORTH|(?<=S)OUTH)?"
_EASTING = r"(?:E(?:ASTING)? ?[:=]? ?)?0?(?P<easting>[1-8]\d{5}(?:[.,]\d{1,6})?) ?(?:M ?E|E|M)?"
_NORTHING = r"(?:N(?:ORTHING)? ?[:=]? ?)?(?P<northing>\d{1,8}(?:[.,]\d{1,6})?) ?(?:M ?N|N|M)?"
_UTM = re.compile(
    rf"(?:UTM ?:? ?)?(?:ZONE ?)?(?:{_ZONE.format('')}[ ,;:]{{1,2}})?"
    rf"{_EASTING}[ ,;/]{{1,2}}{_NORTHING}"
    rf"(?:[ ,;]{{1,2}}(?:UTM ?)?(?:ZONE ?)?{_ZONE.format('_last')})?"
)
_MGRS = re.compile(
    r"(?:MGRS ?:? ?)?(\d{1,2}) ?([C-HJ-NP-X]) ?([A-HJ-NP-Z])([A-HJ-NP-V]) ?"
    r"(\d{1,10})(?: (\d{1,5}))?"
)
_PLUS = re.compile(rf"([{_PLUS_DIGITS}]*)(0*)\+([{_PLUS_DIGITS}]{{2,16}})?")
_GEOHASH = re.compile(rf"[{_GEOHASH_DIGITS}]{{1,12}}")


class Place(NamedTuple):
    """One reading: degrees, the name of the notation, and the precision in metres."""

    latitude: float
    longitude: float
    notation: str
    precision_m: float


def extent_m(latitude: float, height_deg: float, width_deg: float) -> float:
    """Diagonal of a rectangle in degrees, from the lengths of one degree on WGS 84 there."""
    e2 = _FLATTENING * (2 - _FLATTENING)
    phi = math.radians(latitude)
    w = math.sqrt(1 - e2 * math.sin(phi) ** 2)
    meridian_m = math.radians(_EQUATOR_M * (1 - e2) / w**3)
    parallel_m = math.radians(_EQUATOR_M / w * math.cos(phi))
    return math.hypot(height_deg * meridian_m, width_deg * parallel_m)


@functools.cache
def _transverse_mercator(zone: int, *, south: bool) -> pyproj.Proj:
    """Projection of one UTM zone."""
    return pyproj.Proj(proj="utm", zone=zone, south=south, ellps="WGS84")


def _unproject(
    zone: int, easting_m: float, northing_m: float, *, south: bool
) -> tuple[float, float] | None:
    """Latitude and longitude of a UTM position, None where the zone does not reach."""
    if not 1 <= zone <= 60:  # noqa: PLR2004 - zones of 6 degrees
        return None
    unproject = _transverse_mercator(zone, south=south)
    longitude, latitude = unproject(easting_m, northing_m, inverse=True)
    # A zone overlaps its neighbours by 40 km at most (0.6 degrees); those of Norway and
    # Svalbard are up to 6 degrees wider on one side.
    reach = 6.6 if latitude > 56 else 3.6  # noqa: PLR2004 - see above
    aside = abs((longitude - (6 * zone - 183) + 180) % 360 - 180)
    beyond = -latitude if south else latitude
    if not -1e-9 <= beyond <= 84.5 or aside > reach:  # noqa: PLR2004 - the grid ends at 84 N
        return None
    return latitude, (longitude + 180) % 360 - 180


def _in_band(latitude: float, band: str, margin_m: float) -> bool:
    """Whether a latitude band holds a latitude, or comes within a margin of it."""
    south = 8.0 * _BANDS.index(band) - 80
    margin = margin_m / 110_000
    return south - margin <= latitude <= south + (12 if band == "X" else 8) + margin


def read_utm(text: str) -> Iterator[Place]:
    """
    Read zone, easting and northing.

    N and S are latitude bands and hemispheres: both readings come back where both can be.
    """
    found = _UTM.fullmatch(text)
    if found is None or bool(found["zone"]) == bool(found["zone_last"]):
        return
    zone = int(found["zone"] or found["zone_last"])
    letter = found["letter"] or found["letter_last"]
    numbers = [found[name].replace(",", ".") for name in ("easting", "northing")]
    easting_m, northing_m = map(float, numbers)
    # The coarser of the two: `338000 1175000.5` is known to a metre.
    grid_m = max(10.0 ** -len(number.partition(".")[2]) for number in numbers)
    as_band = _unproject(zone, easting_m, northing_m, south=letter < "N")
    if as_band and not _in_band(as_band[0], letter, grid_m):
        as_band = None
    as_hemisphere = None
    if letter in "NS":
        as_hemisphere = _unproject(zone, easting_m, northing_m, south=letter == "S")
    both = letter in "NS" and as_band != as_hemisphere
    precision_m = math.hypot(grid_m, grid_m)
    if as_band:
        yield Place(*as_band, f"UTM, band {letter}" if both else "UTM", precision_m)
    if as_hemisphere and both:
        hemisphere = "northern" if letter == "N" else "southern"
        yield Place(*as_hemisphere, f"UTM, {hemisphere} hemisphere", precision_m)


def read_mgrs(text: str) -> Iterator[Place]:
    """
    Read an MGRS cell of 10 km or finer: its centre, with the cell's diagonal.

    Half the diagonal would do for cells cut by a program; people also round.
    """
    found = _MGRS.fullmatch(text)
    if found is None:
        return
    zone, band, column, row, first, second = found.groups()
    digits = first + (second or "")
    if len(digits) % 2 or (second and len(first) != len(second)):
        return
    half = len(digits) // 2
    columns = _COLUMNS[(int(zone) - 1) % 3]
    # Svalbard is divided into wider zones, and these do not exist.
    if column not in columns or (band == "X" and int(zone) in {32, 34, 36}):
        return
    grid_m = 10.0 ** (5 - half)
    square = columns.index(column) + 1
    easting_m = square * 1e5 + (int(digits[:half]) + 0.5) * grid_m
    row_number = (_ROWS.index(row) - (5 if int(zone) % 2 == 0 else 0)) % 20
    cycle_m = row_number * 1e5 + (int(digits[half:]) + 0.5) * grid_m
    # Row letters come again every 2,000 km, a band is at most 1,340 km high.
    for northing_m in (cycle_m + 2e6 * turn for turn in range(5)):
        place = _unproject(int(zone), easting_m, northing_m, south=band < "N")
        if place and _in_band(place[0], band, 0.75 * grid_m):
            yield Place(*place, "MGRS", math.hypot(grid_m, grid_m))


def _plus_offset(digits: str) -> tuple[float, float, float, float]:
    """South-west corner from 90 S 180 W and size in degrees of a cell; pairs, then 5 x 4."""
    south = west = 0
    for latitude, longitude in zip(digits[:10:2], digits[1:10:2], strict=True):
        south = south * 20 + _PLUS_DIGITS.index(latitude)
        west = west * 20 + _PLUS_DIGITS.index(longitude)
    # Whole numbers of the finest cell: no error adds up.
    rows = columns = 20 ** (len(digits[:10]) // 2 - 1)
    for digit in digits[10:15]:
        south = south * 5 + _PLUS_DIGITS.index(digit) // 4
        west = west * 4 + _PLUS_DIGITS.index(digit) % 4
        rows, columns = rows * 5, columns * 4
    return 20 * south / rows, 20 * west / columns, 20 / rows, 20 / columns


def read_plus_code(text: str, near: tuple[float, float] | None) -> Iterator[Place]:
    """
    Read an Open Location Code: the centre of its cell, with half the cell's diagonal.

    A short code is the nearest to `near` of all cells that end in it; without `near`
    it is no place.
    """
    found = _PLUS.fullmatch(text)
    if found is None:
        return
    head, padding, tail = found[1], found[2], found[3] or ""
    if len(head) % 2 or len(padding) % 2 or len(head + padding) > 8 or not head + tail:  # noqa: PLR2004 - digits
        return
    if len(head + padding) < 8:  # noqa: PLR2004 - the digits before the plus sign
        # Digits alone (`+66`, `22+22`) are telephone numbers and sums rather than codes.
        if near is not None and not padding and not (head + tail).isdecimal():
            yield from _nearest_plus_code(head + tail, 8 - len(head), near)
        return
    if (padding and tail) or not head:
        return
    south, west, height, width = _plus_offset(head + tail)
    if south < 180 and west < 360:  # noqa: PLR2004 - degrees from the corner
        latitude, longitude = south - 90 + height / 2, west - 180 + width / 2
        yield Place(latitude, longitude, "Plus Code", extent_m(latitude, height, width) / 2)


def _nearest_plus_code(digits: str, missing: int, near: tuple[float, float]) -> Iterator[Place]:
    """Cell of a code that lacks its first 2, 4, 6 or 8 digits, nearest to a place."""
    period = 20.0 ** (2 - missing / 2)  # the cells that end alike are this far apart
    south, west, height, width = _plus_offset("22" * (missing // 2) + digits)
    inner = (south + height / 2, west + width / 2)
    latitude, longitude = (
        offset + period * round((place + origin - offset) / period) - origin
        for offset, place, origin in zip(inner, near, (90, 180), strict=True)
    )
    # The nearest cell may be beyond a pole.
    latitude += period if latitude < -90 else -period if latitude > 90 else 0  # noqa: PLR2004 - pole
    longitude = (longitude + 180) % 360 - 180
    precision_m = extent_m(latitude, height, width) / 2
    yield Place(latitude, longitude, "short Plus Code", precision_m)


def read_geohash(text: str) -> Iterator[Place]:
    """Read a geohash: the centre of its cell, with half the cell's diagonal."""
    if not _GEOHASH.fullmatch(text):
        return
    bits = "".join(f"{_GEOHASH_DIGITS.index(digit):05b}" for digit in text)
    rows, columns = bits[1::2], bits[::2]
    height, width = 180 / 2 ** len(rows), 360 / 2 ** len(columns)
    latitude = (int(rows, 2) + 0.5) * height - 90
    longitude = (int(columns, 2) + 0.5) * width - 180
    yield Place(latitude, longitude, "geohash", extent_m(latitude, height, width) / 2)
