"""Coordinates as people write them: every notation, every reading, the precision it implies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from geo._grids import Place, read_geohash, read_mgrs, read_plus_code, read_utm
from geo._links import is_link, read_link
from geo._notations import LATITUDE_FIRST, LONGITUDE_FIRST, normalise, read_pair, read_wkt
from geo._points import BOXES
from geo.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Reading", "is_in_country", "parse_column", "parse_coordinates"]

# A link with all its fields is shorter than this; no other notation needs 200 characters.
_LONGEST_LINK = 4000
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """
    One place that a text can mean.

    Parameters
    ----------
    latitude, longitude : float
        Degrees on WGS 84.
    notation : str
        How the text was read, in words.
    precision_m : float
        What the last digit leaves open, in metres: see `parse_coordinates`. It is the least
        that the radius of a site can be, never the radius itself.
    """

    latitude: float
    longitude: float
    notation: str
    precision_m: float


def parse_coordinates(
    text: str,
    *,
    country: str | None = None,
    near: tuple[float, float] | None = None,
    geohash: bool = False,
) -> tuple[Reading, ...]:
    r"""
    Read the coordinates that a text is, in every way in which it can be read.

    The whole text is a coordinate or nothing is read: no part of it is left out, and nothing
    is guessed. Accept a place where one reading is left, and ask a person where there are more.

    Parameters
    ----------
    text : str
        Decimal degrees; degrees and minutes; degrees, minutes and seconds (marks, letters,
        spaces, colons, DDMMSS); UTM with its zone; MGRS to 10 km or finer; Plus Codes; WKT
        points; ISO 6709; ``geo:`` URIs; links of Google Maps, OpenStreetMap and Apple Maps.
        Digits may be of any script.
    country : str, optional
        ISO 3166-1 alpha-2 code of the country in which the place must be. It takes readings
        away that cannot be in KH, LA, MM, TH or VN, by a rough outline; other codes
        take none away.
    near : tuple of float, optional
        Latitude and longitude of a place in whose surroundings a short Plus Code was given.
    geohash : bool, default False
        Whether the text is known to be a geohash; then it is read as nothing else. Most
        short words are geohashes as well, so this is never assumed.

    Returns
    -------
    tuple of Reading
        Empty where the text is no coordinate. Latitude first comes before longitude first.

    Raises
    ------
    SchemaError
        If `country` is not two letters or `near` is not a latitude and a longitude.

    Notes
    -----
    Two numbers without letters or labels are read in both orders; a first number beyond 90
    leaves only "longitude first", which `notation` then says. Commas are decimal marks or
    separators as the whole text requires. What is as likely something else is not read: two
    bare whole numbers (``10 12``, ``1/2``), numbers with thousands separators (``1,200.50``;
    ``1,200 2,500``, which `parse_column` may settle), pairs of times (``10:30 11:45``: plain
    degrees and minutes below 24 on both axes), a hemisphere letter on one axis only. ``s``
    after minutes written as ``m`` is seconds and never South; ``h`` is not read, as an hour
    is 15 degrees. An easting and northing without zone, a shortened link and a short Plus
    Code without `near` are no places.

    `precision_m` is, with the unit :math:`p` of the last digit given (a trailing zero is
    given) in degrees, and the lengths of a degree on WGS 84 at that latitude,

    .. math:: p \, \sqrt{M(\varphi)^2 + P(\varphi)^2}

    that is the whole unit, as in the point-radius method [1]_; of unequal axes each has its
    own unit. For UTM and MGRS it is the diagonal of the grid cell, an MGRS cell
    being read as its centre. Plus Codes and geohashes are cut off by programs and never
    rounded: their centre with half the diagonal of the cell. ``u`` of a ``geo:`` URI counts
    if it is larger. ``!3d!4d`` of Google Maps is the pin. ``@`` is only the camera, with half
    the diagonal of a window of 1920 x 1080 px, where a pixel is
    :math:`2 \pi \cdot 6378137 \cos \varphi / (256 \cdot 2^{zoom})` m [2]_; it is read only where
    nothing is marked.

    References
    ----------
    .. [1] Wieczorek, J., Guo, Q. and Hijmans, R. (2004). The point-radius method for
       georeferencing locality descriptions. IJGIS 18(8), 745-767.
    .. [2] OpenStreetMap Wiki, "Zoom levels".

    Examples
    --------
    >>> import geo
    >>> geo.parse_coordinates("N10 37 39 E103 31 19.6")
    (Reading(latitude=10.6275, longitude=103.522..., notation='degrees, minutes and seconds',
    precision_m=30.8...),)
    >>> [(r.latitude, r.longitude) for r in geo.parse_coordinates("10.63, 20.52")]
    [(10.63, 20.52), (20.52, 10.63)]
    >>> geo.parse_coordinates("7M5R+5J")
    ()
    """
    _check_arguments(country, near)
    places = dict.fromkeys(_read(text, near, geohash=geohash))
    return _readings(places, country)


def parse_column(
    texts: Iterable[str | None], *, country: str | None = None
) -> list[tuple[Reading, ...]]:
    """
    Read a column of coordinates, whose cells settle together what one alone leaves open.

    Two things are inferred, once for the whole column and never cell by cell:

    - Whether a comma before three digits (``10,627 103,522``) is a decimal mark or separates
      thousands. Other cells prove the first (``10,62 103,52``), or the second by decimal points.
    - The order of the axes. Where a cell can be read latitude first and longitude first, and
      the other cells prove one of the two and none the other, only that reading is kept.

    Parameters
    ----------
    texts : iterable of str or None
        The cells of one column of one file.
    country : str, optional
        As in `parse_coordinates`.

    Returns
    -------
    list of tuple of Reading
        For every cell the readings that are left; empty for None.

    Raises
    ------
    SchemaError
        If `country` is not two letters, or if commas before three digits can be either in
        the whole column; ``problems`` shows both ways to read each of the cells.

    Notes
    -----
    Commas as decimal marks and commas between the axes never compete. As separator one
    comma stands between two axes of equally many numbers, an even number in all; as decimal
    mark it would join two of them to an odd number, which no two equal axes have.

    Examples
    --------
    >>> from geo.coordinates import parse_column
    >>> column = parse_column(["103.5221, 10.6275", "85.3, 20.1"])
    >>> [(r.latitude, r.longitude) for readings in column for r in readings]
    [(10.6275, 103.5221), (20.1, 85.3)]
    """
    _check_arguments(country, None)
    cells = list(texts)
    distinct = [text for text in dict.fromkeys(cells) if text]
    read = {text: parse_coordinates(text, country=country) for text in distinct}
    read |= _settle_commas(read, cells, country)
    orders = {text: _orders(readings) for text, readings in read.items()}
    proven = {order for only in orders.values() if len(only) == 1 for order in only}
    if len(proven) == 1:
        for text, only in orders.items():
            if len(only) > 1:
                read[text] = tuple(r for r in read[text] if _orders([r]) == proven)
    return [read[text] if text else () for text in cells]


def _settle_commas(
    read: Mapping[str, tuple[Reading, ...]], cells: Sequence[str | None], country: str | None
) -> dict[str, tuple[Reading, ...]]:
    """Return readings of the cells whose commas may separate thousands, if the column tells."""
    doubtful = {}
    commas = (t for t, readings in read.items() if not readings and ("," in t or not t.isascii()))
    for text in commas:
        places = dict.fromkeys(_read(text, None, decimal_comma=True))
        if readings := _readings(places, country):
            doubtful[text] = readings
    degrees = [
        (text, r.notation)
        for text, readings in read.items()
        for r in readings
        if r.notation.startswith(("decimal degrees", "degrees"))
    ]
    comma = any("decimal comma" in notation for _, notation in degrees)
    dot = any("." in text for text, notation in degrees if "decimal comma" not in notation)
    if not doubtful or dot:
        # Decimal points prove the thousands; where both occur, nothing is proven.
        return {}
    if comma:
        return doubtful
    rows = [(i, text) for i, text in enumerate(cells) if text in doubtful]
    raise _ambiguous(rows, doubtful)


def _ambiguous(
    rows: Sequence[tuple[int, str]], doubtful: Mapping[str, tuple[Reading, ...]]
) -> SchemaError:
    """Say how the commas of a column can be read, with the cells."""
    problems = [
        f"decimal commas give {doubtful[text][0].latitude:g}, {doubtful[text][0].longitude:g}; "
        f"thousands separators give {re.sub(',', '', text)}, which is no place"
        for _, text in rows
    ]
    table = pd.DataFrame(
        {
            "row": [i for i, _ in rows],
            "column": "coordinates",
            "value": [text for _, text in rows],
            "problem": problems,
        }
    )
    message = (
        f"{len(rows)} cells have a comma before three digits, which is a decimal comma or "
        f"separates thousands, and no other cell of the column tells which. "
        f"{rows[0][1]!r}: {problems[0]}. Write decimal points, or hemisphere letters (N, E)."
    )
    return SchemaError(message, table)


def _check_arguments(country: str | None, near: tuple[float, float] | None) -> None:
    """Raise SchemaError for what is no country code or no place."""
    if country is not None and not re.fullmatch("[A-Z]{2}", country):
        message = (
            f"country={country!r} is not an ISO 3166-1 alpha-2 code: give two capital letters "
            "such as 'KH' or 'TH', or leave it out."
        )
        raise SchemaError(message)
    # Written so that a NaN is refused too.
    if near is not None and not (abs(near[0]) <= 90 and abs(near[1]) <= 180):  # noqa: PLR2004 - degrees
        message = (
            f"near={near!r} is not a latitude (-90 to 90) and a longitude (-180 to 180): give the "
            "place in degrees, latitude first."
        )
        raise SchemaError(message)


def _read(
    text: str,
    near: tuple[float, float] | None,
    *,
    geohash: bool = False,
    decimal_comma: bool = False,
) -> Iterator[Place]:
    """Every reading of a text, notation by notation in a fixed order."""
    if len(text) > _LONGEST_LINK:
        return
    if not geohash and is_link(text):
        yield from read_link(text)
        return
    plain = normalise(text)
    if plain is None or len(plain) > _LONGEST:
        return
    capitals = plain.upper()
    if geohash:
        yield from read_geohash(capitals)
    elif "POINT" in capitals:
        yield from read_wkt(capitals)
    else:
        if "+" in capitals:
            yield from read_plus_code(capitals, near)
        yield from read_mgrs(capitals)
        yield from read_utm(capitals)
        yield from read_pair(plain, decimal_comma=decimal_comma)


def _readings(places: Iterable[Place], country: str | None) -> tuple[Reading, ...]:
    """Keep readings that can be in a country."""
    return tuple(
        Reading(*place)
        for place in places
        if is_in_country(place.latitude, place.longitude, country)
    )


def is_in_country(latitude: float, longitude: float, country: str | None) -> bool:
    """
    Tell whether a place can be in a country, by the country's rough outline.

    Parameters
    ----------
    latitude, longitude : float
        Degrees.
    country : str or None
        ISO 3166-1 alpha-2 code.

    Returns
    -------
    bool
        True for None and for countries without an outline here: nothing is known of them.
    """
    if country is None or country not in BOXES:
        return True
    west, south, east, north = BOXES[country]
    return south <= latitude <= north and west <= longitude <= east


def _orders(readings: Iterable[Reading]) -> set[str]:
    """Which orders of the axes occur among readings that the text itself does not order."""
    return {
        order
        for reading in readings
        for order in (LATITUDE_FIRST, LONGITUDE_FIRST)
        if reading.notation.endswith(order)
    }
