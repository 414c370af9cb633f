"""Places as codes: geohash, Plus Code, UTM, MGRS and web mercator, written for many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "PLUS_DIGITS",
    "from_mercator",
    "from_utm",
    "geohashes",
    "mercator",
    "mgrs_squares",
    "plus_codes",
    "utm",
    "utm_zones",
]

PLUS_DIGITS = "23456789CFGHJMPQRVWX"
_GEOHASH_DIGITS = "0123456789bcdefghjkmnpqrstuvwxyz"
_BANDS = "CDEFGHJKLMNPQRSTUVWXX"  # 8 degrees each from 80 S; the last has 12
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")  # zones 1, 2, 3, then again
_ROWS = "ABCDEFGHJKLMNPQRSTUV"  # 100 km each; even zones begin at F
_SPHERE_M = 6_378_137.0
_MOST_LATITUDE = 85.06  # where web mercator ends


def geohashes(lon: Floats, lat: Floats, length: int = 12) -> list[str]:
    """
    Write places as geohashes.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    length : int, default 12
        Number of characters, at most 12.

    Returns
    -------
    list of str
        In small letters.
    """
    bits = 5 * length
    east, north = (bits + 1) // 2, bits // 2
    columns = _cell((lon + 180) / 360, 2**east)
    rows = _cell((lat + 90) / 180, 2**north)
    whole = np.zeros(len(lon), dtype=np.int64)
    for bit in range(bits):
        axis, left = (rows, north) if bit % 2 else (columns, east)
        whole = (whole << 1) | ((axis >> (left - 1 - bit // 2)) & 1)
    digits = [(whole >> (5 * (length - 1 - i))) & 31 for i in range(length)]
    return _written(digits, _GEOHASH_DIGITS)


def plus_codes(lon: Floats, lat: Floats) -> list[str]:
    """
    Write places as Open Location Codes of 15 digits, without the plus sign.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.

    Returns
    -------
    list of str
        In capitals; the plus sign belongs after the eighth digit.
    """
    # Ten digits in pairs of base 20, then five of four columns by five rows.
    rows = _fine_cell(lat + 90, 8000 * 5**5, 180 * 8000 * 5**5)
    columns = _fine_cell(lon + 180, 8000 * 4**5, 360 * 8000 * 4**5)
    grid = []
    for _ in range(5):
        grid.append((rows % 5) * 4 + columns % 4)
        rows, columns = rows // 5, columns // 4
    pairs: list[Ints] = []
    for _ in range(5):
        pairs += [columns % 20, rows % 20]
        rows, columns = rows // 20, columns // 20
    return _written(pairs[::-1] + grid[::-1], PLUS_DIGITS)


def mercator(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """
    Project to web mercator, EPSG:3857.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.

    Returns
    -------
    tuple of numpy.ndarray
        Metres east and north.
    """
    clipped = np.radians(np.clip(lat, -_MOST_LATITUDE, _MOST_LATITUDE))
    return _SPHERE_M * np.radians(lon), _SPHERE_M * np.arctanh(np.sin(clipped))


def from_mercator(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """
    Undo `mercator`.

    Parameters
    ----------
    x, y : numpy.ndarray
        Metres.

    Returns
    -------
    tuple of numpy.ndarray
        Longitude and latitude in degrees.
    """
    return np.degrees(x / _SPHERE_M), np.degrees(np.arctan(np.sinh(y / _SPHERE_M)))


def utm_zones(lon: Floats, lat: Floats) -> Ints:
    """
    Tell the UTM zone of each place.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.

    Returns
    -------
    numpy.ndarray of int
        From 1 to 60, with the exceptions of Norway and Svalbard.
    """
    zones = (np.floor((lon + 180) / 6) % 60 + 1).astype(np.int64)
    norway = (lat >= 56) & (lat < 64) & (lon >= 3) & (lon < 12)  # noqa: PLR2004 - the grid's own
    svalbard = (lat >= 72) & (lon >= 0) & (lon < 42)  # noqa: PLR2004 - the grid's own
    wide = np.select([lon < 9, lon < 21, lon < 33], [31, 33, 35], 37)  # noqa: PLR2004
    answer: Ints = np.where(norway, 32, np.where(svalbard, wide, zones))
    return answer


def utm(lon: Floats, lat: Floats, zones: Ints) -> tuple[Floats, Floats]:
    """
    Project each place to a UTM zone of WGS 84.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    zones : numpy.ndarray of int
        The zone of each, its own or one beside it.

    Returns
    -------
    tuple of numpy.ndarray
        Easting and northing in metres, from 10,000 km south of the equator in the south.
    """
    import pyproj  # noqa: PLC0415 - loads a library of its own

    easting, northing = np.full(len(lon), np.nan), np.full(len(lon), np.nan)
    for zone in np.unique(zones).tolist():
        here = zones == zone
        project = pyproj.Proj(proj="utm", zone=zone, ellps="WGS84")
        easting[here], northing[here] = project(lon[here], lat[here])
    return easting, np.where(lat < 0, northing + 1e7, northing)


def from_utm(easting: Floats, northing: Floats, *, zone: int) -> tuple[Floats, Floats]:
    """
    Undo `utm` in one zone, for places north of the equator.

    Parameters
    ----------
    easting, northing : numpy.ndarray
        Metres.
    zone : int
        The zone.

    Returns
    -------
    tuple of numpy.ndarray
        Longitude and latitude in degrees.
    """
    import pyproj  # noqa: PLC0415 - loads a library of its own

    project = pyproj.Proj(proj="utm", zone=zone, ellps="WGS84")
    lon, lat = project(easting, northing, inverse=True)
    return np.asarray(lon), np.asarray(lat)


def mgrs_squares(easting: Floats, northing: Floats, zones: Ints, lat: Floats) -> list[str]:
    """
    Name the square of 100 km that holds each place, as MGRS does.

    Parameters
    ----------
    easting, northing : numpy.ndarray
        Metres, of `utm`.
    zones : numpy.ndarray of int
        The zone of each.
    lat : numpy.ndarray
        Degrees, for the band; none where there is no band.

    Returns
    -------
    list of str
        Zone without a leading zero, band, column and row: ``48PVV``; empty outside of the grid.
    """
    names = []
    for e, n, zone, y in zip(easting, northing, zones.tolist(), lat, strict=True):
        column = int(e // 1e5) - 1
        if not (-80 <= y <= 84 and 0 <= column < 8):  # noqa: PLR2004 - the grid's own
            names.append("")
            continue
        row = (int(n // 1e5) + (0 if zone % 2 else 5)) % 20
        band = _BANDS[int((y + 80) // 8)]
        names.append(f"{zone}{band}{_COLUMNS[(zone - 1) % 3][column]}{_ROWS[row]}")
    return names


def _cell(share: Floats, cells: int) -> Ints:
    """Give the cell that holds each place along an axis."""
    whole: Ints = np.floor(share * cells).astype(np.int64)
    return np.clip(whole, 0, cells - 1)


def _fine_cell(degrees: Floats, per_degree: int, cells: int) -> Ints:
    """Give the cell of each place; one on an edge is in the cell that it begins."""
    # Degrees in binary fall just short of many edges: 1e-6 of a cell makes up for it.
    whole: Ints = np.floor(degrees * per_degree + 1e-6).astype(np.int64)
    return np.clip(whole, 0, cells - 1)


def _written(digits: list[Ints], alphabet: str) -> list[str]:
    """Join columns of digits to words."""
    letters = np.frombuffer(alphabet.encode(), dtype=np.uint8)
    table = letters[np.stack(digits, axis=1)]
    return [bytes(row).decode() for row in table]
