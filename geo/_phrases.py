"""The phrases that describe a place by another, as patterns for `geo.localities`."""

from __future__ import annotations

import re

from geo._radii import offset_precision

__all__ = ["COUNTRY_WORDS", "HALF_ANGLE", "POINTS", "distance_of", "letters_of"]

_MILE_M = 1609.344
_UNITS_M = {"k": 1000.0, "mi": _MILE_M, "m": 1.0}  # by how the unit's word begins
POINTS = (
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
    "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
)  # fmt: skip
HALF_ANGLE = {1: 45.0, 2: 22.5, 3: 11.25}  # by the letters of a direction
COUNTRY_WORDS = {
    "cambodia": "KH", "cambodian": "KH", "thailand": "TH", "thai": "TH", "vietnam": "VN",
    "viet nam": "VN", "vietnamese": "VN", "laos": "LA", "lao": "LA", "laotian": "LA",
    "lao pdr": "LA", "myanmar": "MM", "burma": "MM", "burmese": "MM", "china": "CN",
    "chinese": "CN",
}  # fmt: skip

_COUNTRY = "|".join(sorted(COUNTRY_WORDS, key=len, reverse=True))
_POINT = "(?:north|south|east|west|[nsew])"
_DIRECTION = rf"(?:due\s+)?(?P<dir{{0}}>{_POINT}(?:[\s-]*{_POINT})*)(?:ern)?"
_DISTANCE = (
    r"(?P<about{0}>about|around|approximately|approx\.?|some|circa|ca\.?|c\.|~|roughly)?\s*"
    r"(?P<number{0}>\d+(?:[.,]\d+)?)\s*"
    r"(?P<unit{0}>km|kilomet(?:re|er)s?|m|met(?:re|er)s?|mi|miles?)"
)
_DASH = r"\s*[\u2013-]\s*"
_AT = r"(?:near(?:\s+to)?|at|on|along|close\s+to|next\s+to)"
_OF = (
    r"(?:near(?:\s+to)?|close\s+to|next\s+to|around|outside(?:\s+of)?"
    r"|(?:outskirts|suburbs|vicinity|area|surroundings)\s+of"
    r"|(?:just\s+)?(?:north|south|east|west)(?:[\s-]*(?:east|west))?\s+of)"
)


def _pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern that must match a whole description."""
    return re.compile(text + r"\s*", re.IGNORECASE)


OFFSET = _pattern(
    rf"{_DISTANCE.format('')}\s*(?:to\s+the\s+)?"
    rf"(?:{_DIRECTION.format('')}\s+(?:of|from)|from)\s+(?P<x>\S.*)"
)
ORTHOGONAL = _pattern(
    rf"{_DISTANCE.format('')}\s*{_DIRECTION.format('')}\s*(?:and|,|&)\s*"
    rf"{_DISTANCE.format('2')}\s*{_DIRECTION.format('2')}\s+(?:of|from)\s+(?P<x>\S.*)"
)
NEAR = _pattern(rf"(?:(?:on|in|at)\s+)?(?:the\s+)?{_OF}\s+(?P<x>\S.*)")
AREA = _pattern(r"(?P<x>\S.*?)\s+(?:casino\s+area|border\s+area|area|surroundings|outskirts)")
BETWEEN = _pattern(r"(?:half\s*way\s+)?between\s+(?P<x>\S.*?)\s+and\s+(?P<y>\S.*)")
OPPOSITE = _pattern(r"(?:opposite|across\s+(?:the\s+(?:border|river)\s+)?from)\s+(?P<x>\S.*)")
BORDER = _pattern(
    rf"(?:{_AT}\s+)?(?:the\s+)?(?:(?P<x>\S.*?)[\s\u2013-]+)??"
    rf"(?P<c1>{_COUNTRY})?(?:{_DASH}(?P<c2>{_COUNTRY}))?"
    rf"\s*border(?:\s+(?:area|crossing|region))?"
    rf"(?:\s+(?:with|to)\s+(?:the\s+)?(?P<c3>{_COUNTRY}))?"
)
PAIR_BORDER = _pattern(rf"(?P<x>\S.*?){_DASH}(?P<y>\S.*?)\s+border(?:\s+(?:area|crossing))?")
UNSTATED = re.compile(
    r"\b(?:not\s+(?:given|stated|known|specified)|unknown|unspecified)\b", re.IGNORECASE
)
DETAILS = re.compile(r"(?P<head>[^()]*?)\s*\((?P<detail>[^()]*)\)\s*(?P<tail>[^()]*)")


def distance_of(match: re.Match[str], which: str) -> tuple[float, float]:
    """
    Give the distance that a phrase states.

    Parameters
    ----------
    match : re.Match
        Of `OFFSET` or `ORTHOGONAL`.
    which : str
        Empty for the first distance, ``2`` for the second.

    Returns
    -------
    tuple of float
        The distance and half its unit in metres.
    """
    word = match[f"unit{which}"].lower()
    unit = next(size for start, size in _UNITS_M.items() if word.startswith(start))
    number = match[f"number{which}"]
    precision = offset_precision(number, about=bool(match[f"about{which}"]))
    return float(number.replace(",", ".")) * unit, precision * unit


def letters_of(direction: str) -> str:
    """
    Write a direction in letters.

    Parameters
    ----------
    direction : str
        ``south-east``, ``South East``, ``SE``.

    Returns
    -------
    str
        One of `POINTS`, or letters that are no direction.

    Examples
    --------
    >>> from geo._phrases import letters_of
    >>> letters_of("north-northeast"), letters_of("se")
    ('NNE', 'SE')
    """
    words = re.findall(_POINT, direction.lower())
    return "".join(word[0].upper() for word in words)
