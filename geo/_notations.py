"""Coordinates as two numbers with or without marks: decimal degrees, minutes, seconds, WKT.

A text is split into its numbers and its *shape*, the text with `#` for every number. The shape
alone says which numbers are degrees, minutes and seconds of which axis; columns have few
shapes, so each is understood once.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from geo._cells import _SPACES, _ZERO_WIDTH
from geo._grids import Place, extent_m

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "LATITUDE_FIRST",
    "LONGITUDE_FIRST",
    "normalise",
    "read_numbers",
    "read_pair",
    "read_wkt",
]

# How the notation ends where nothing but the numbers tells the axes apart.
LATITUDE_FIRST = ", latitude first"
LONGITUDE_FIRST = ", longitude first"

_LOOK_ALIKES = {
    "°": "\xba\u02da\u2070\u2218\u25e6\u1d52",
    "'": "\u2018\u2019\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02c8\xb4`\uff07",
    '"': "\u201c\u201d\u201f\u201e\u2033\u2036\u02ba\u02dd\u3003\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d",
    ",": "\u060c\u3001",
    ".": "\u066b",
    " ": _SPACES,
    # Directions of writing are marked by characters without width as well.
    "": _ZERO_WIDTH
    + "\xad\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
}


class _Characters(dict[int, str]):
    """Table for `str.translate`: look-alikes, digits of every script, full-width characters."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            character = str(digit)
        elif 0xFF01 <= code <= 0xFF5E:  # noqa: PLR2004 - the full-width block
            # NFKC of the whole text would turn 10² into 102 and º into the letter o.
            character = chr(code - 0xFEE0)
        return character


_CHARACTERS = _Characters(
    {ord(alike): plain for plain, alikes in _LOOK_ALIKES.items() for alike in alikes}
)
# The sign # is what a shape has in place of numbers.
_FOREIGN = re.compile(r"[^\x20-\x22\x24-\x7e°]")
_LETTER_O = re.compile(r"(?<=\d)o(?![A-Za-z])")


def normalise(text: str) -> str | None:
    """Text in plain characters and single spaces; None if it cannot be a coordinate."""
    if not text.isascii():
        text = text.translate(_CHARACTERS)
    text = " ".join(text.split())
    if not text or _FOREIGN.search(text):
        return None
    return text.replace("''", '"')


_NUMBER = {".": re.compile(r"\d+(?:\.\d+)?"), ",": re.compile(r"\d+(?:,\d+)?")}
_DECIMAL_COMMA = re.compile(r"\d,\d")
# One number: 1,103.50 and 1.103,50 and 1 050,75.
_THOUSANDS = re.compile(
    r"[+-]?\d{1,3}(?:(?:,\d{3})+(?:\.\d+)?|(?:\.\d{3})+,\d+|(?: \d{3})+(?:[.,]\d+)?)"
)
_DATUM = re.compile(r"^\(?WGS[ -]?84\)?[:,;]? | ?[,;]? ?\(?WGS[ -]?84\)?$")
_HEAD = re.compile(r"(?:(?:GPS )?(?:CO-?ORDINATES?|COORDS?|LOCATION|POSITION)|GPS)\.? ?[:=]? ?")
_ORDER = re.compile(
    r"\(?(?:(LAT(?:ITUDE)?) ?[,/;|] ?(?:LON(?:G(?:ITUDE)?)?|LNG)"
    r"|(?:LON(?:G(?:ITUDE)?)?|LNG) ?[,/;|] ?LAT(?:ITUDE)?)\)? ?[:=]? ?"
)
_SEPARATOR = re.compile(r" ?[,;/|] ?| |")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}

_DEGREE = r"\ ?(?:°|DEG(?:REES?|\.)?|D)"
_MINUTE = r"\ ?(?:MIN(?:UTES?|\.)?|M)"
_SECOND = r"\ ?(?:SEC(?:ONDS?|\.)?|S)"
_AXIS = re.compile(
    rf"""
    (?:["']?(?P<label>LAT(?:ITUDE)?|LON(?:G(?:ITUDE)?)?|LNG)["']?\.?\ ?[:=]?\ ?)?
    (?:(?P<before>N(?:ORTH)?|S(?:OUTH)?|E(?:AST)?|W(?:EST)?)\ ?[:=]?\ ?)?
    (?P<sign>[+-])?
    (?:
      (?P<marked>
          \#(?:{_DEGREE}|\ )\ ?\#\ ?'\ ?\#(?:\ ?")?         # symbols; S after them is South
        | \#{_DEGREE}\ ?\#\ \#(?:\ ?")?
        | \#(?:{_DEGREE}|\ )\ ?\#\ ?'
        | \#{_DEGREE}\ ?\#
        | \#{_DEGREE}\ ?\#{_MINUTE}\ ?\#{_SECOND}             # letters; S after them is seconds
        | \#{_DEGREE}\ ?\#{_MINUTE}
        | \#{_DEGREE}
      )
      | (?P<hyphens>\#-\#(?:-\#)?)
      | (?P<bare>\#(?:\ \#){{0,2}} | \#(?::\#){{1,2}})
    )
    (?:\ ?(?P<after>N(?:ORTH)?|S(?:OUTH)?|E(?:AST)?|W(?:EST)?))?
    """,
    re.VERBOSE,
)
_COMPACT = re.compile(
    r"(?P<n1>[NS])? ?(?P<lat>(?:\d{2}){2,3}(?:[.]\d{1,20})?),? ?(?P<n2>[NS])?[ ,;/]{0,2}"
    r"(?P<e1>[EW])? ?(?P<lon>\d(?:\d{2}){2,3}(?:[.]\d{1,20})?),? ?(?P<e2>[EW])?"
)
_ISO_6709 = re.compile(
    r"(?P<lat>[+-](?:\d{2}){1,3}(?:\.\d{1,20})?)(?P<lon>[+-]\d(?:\d{2}){1,3}(?:\.\d{1,20})?)"
    r"(?:[+-]\d+(?:\.\d+)?)?(?:CRSWGS_?84)?(?P<end>/)?"
)
_WKT_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,20})?)"
_WKT = re.compile(
    r"(?:SRID=4326; ?)?POINT ?(Z|M|ZM)? ?\( ?"
    rf"{_WKT_NUMBER} {_WKT_NUMBER}((?: [+-]?\d{{1,9}}(?:\.\d{{1,20}})?){{0,2}}) ?\)"
)

_NAMES = ("", "decimal degrees", "degrees and minutes", "degrees, minutes and seconds")


class _Axis(NamedTuple):
    """Half a shape: which axis (empty if it does not say), its sign, how many numbers."""

    axis: str
    negative: bool
    parts: int
    plain: bool  # no mark, letter or label tells a coordinate from other numbers


class _Plan(NamedTuple):
    """One way to understand a shape."""

    first: _Axis
    second: _Axis
    separator: str
    latitude_first: bool | None


def _axis(shape: str) -> tuple[_Axis, bool, bool] | None:
    """Half a shape, and whether a letter or label stands before it, or after it."""
    found = _AXIS.fullmatch(shape)
    if found is None:
        return None
    label, before, after = found["label"], found["before"], found["after"]
    letter = (before or after or " ")[0]
    if (before and after) or (letter != " " and found["sign"] == "-"):
        return None
    if found["hyphens"] and letter == " ":
        return None
    axis = "" if letter == " " else "lat" if letter in "NS" else "lon"
    if label:
        named = "lat" if label.startswith("LA") else "lon"
        if axis and axis != named:
            return None
        axis = named
    half = _Axis(
        axis,
        letter in "SW" or found["sign"] == "-",
        found[0].count("#"),
        plain=not axis and not found["marked"],
    )
    return half, bool(label or before), bool(after)


@functools.lru_cache(maxsize=4096)
def _plans(shape: str) -> tuple[_Plan, ...]:
    """Every way to understand a shape as two axes."""
    shape = shape[found.end() :] if (found := _HEAD.match(shape)) else shape
    order = None
    if found := _ORDER.match(shape):
        order = found[1] is not None
        shape = shape[found.end() :]
    while len(shape) > 2 and shape[-1] == _BRACKETS.get(shape[0]):  # noqa: PLR2004 - "()"
        shape = shape[1:-1].strip()
    plans = []
    for end in range(1, len(shape)):
        separator = _SEPARATOR.match(shape, end)
        if shape[end - 1] == " " or separator is None:
            continue
        first, second = _axis(shape[:end]), _axis(shape[separator.end() :])
        if first is None or second is None:
            continue
        # Without a space between them only letters tell where one axis ends.
        if not separator[0] and not (first[2] or second[1]):
            continue
        plan = _plan(first[0], second[0], separator[0], order)
        if plan is not None:
            plans.append(plan)
    return tuple(plans)


def _plan(first: _Axis, second: _Axis, separator: str, order: bool | None) -> _Plan | None:  # noqa: FBT001 - private
    """Two halves as a plan, None where they contradict each other."""
    axes = {first.axis, second.axis}
    if axes == {"lat", "lon"}:
        latitude_first = first.axis == "lat"
        return _Plan(first, second, separator, latitude_first) if order is None else None
    if axes != {""}:
        return None
    if (first.plain or second.plain) and first.parts != second.parts:
        return None
    return _Plan(first, second, separator, order)


def _value(tokens: Sequence[str], mark: str, *, negative: bool) -> tuple[float, float] | None:
    """Degrees of one axis and the unit of its last digit; None if a number is out of place."""
    *before, last = tokens
    whole, _, decimals = last.partition(mark)
    if len((*before, whole)[0]) > 3 or len(decimals) > 20:  # noqa: PLR2004 - digits
        return None
    degrees, base = float(f"{whole}.{decimals}"), 1
    if before:
        # Two digits and less than 60 for minutes and seconds; only the last has decimals.
        sixtieths = [*before[1:], whole]
        if any(mark in token for token in before) or any(len(token) > 2 for token in sixtieths):  # noqa: PLR2004 - digits
            return None
        numbers = [*map(float, before), degrees]
        if max(numbers[1:]) >= 60:  # noqa: PLR2004 - minutes and seconds
            return None
        base = 60 ** len(before)
        degrees = sum(number * base / 60**place for place, number in enumerate(numbers)) / base
    return -degrees if negative else degrees, 10.0 ** -len(decimals) / base


def _is_no_place(plan: _Plan, tokens: Sequence[str], mark: str) -> bool:
    """Whether plain numbers are as likely a count, a price, a time or a telephone number."""
    if not (plan.first.plain and plan.second.plain) or plan.latitude_first is not None:
        return False
    decimals = [mark in token for token in tokens]
    parts = plan.first.parts
    if parts == 1:
        # 1/2, 4.5/5, 10 12: two whole numbers say nothing.
        return not (all(decimals) if "/" in plan.separator else any(decimals))
    # 10:30 11:45 are times of day; 012 34 56 48 is a telephone number.
    clock = max(float(tokens[0]), float(tokens[parts])) < 24  # noqa: PLR2004 - hours
    return clock or (plan.separator == " " and not any(decimals))


def _by_shape(text: str, mark: str, *, settled: bool = True) -> Iterator[Place]:
    """Read a text in which `mark` is the decimal mark; unless `settled`, not 1,200 2,500."""
    tokens: list[str] = _NUMBER[mark].findall(text)
    if not 2 <= len(tokens) <= 6:  # noqa: PLR2004 - one to three numbers for each axis
        return
    shape = _NUMBER[mark].sub("#", text)
    for plan in _plans(shape):
        middle = plan.first.parts
        if _is_no_place(plan, tokens, mark):
            continue
        plain = plan.first.plain and plan.second.plain and plan.latitude_first is None
        if plain and not settled and all(len(t.partition(mark)[2]) == 3 for t in tokens):  # noqa: PLR2004 - thousands
            continue
        doubtful = mark == "," and plan.separator == "," and shape.count("#,#")
        if doubtful and not all(mark in token for token in tokens[middle - 1 : middle + 1]):
            continue
        first = _value(tokens[:middle], mark, negative=plan.first.negative)
        second = _value(tokens[middle:], mark, negative=plan.second.negative)
        name = _NAMES[max(plan.first.parts, plan.second.parts)]
        name += ", decimal comma" if mark == "," else ""
        if plan.latitude_first is None:
            yield from _place(first, second, name + LATITUDE_FIRST)
            if first is None or second is None or first[0] != second[0]:
                yield from _place(second, first, name + LONGITUDE_FIRST)
        else:
            yield from _place(*((first, second) if plan.latitude_first else (second, first)), name)


def _place(
    latitude: tuple[float, float] | None, longitude: tuple[float, float] | None, notation: str
) -> Iterator[Place]:
    """Read two values, each with the unit of its last digit, if there is such a place."""
    if latitude is None or longitude is None:
        return
    (y, height), (x, width) = latitude, longitude
    if abs(y) <= 90 and abs(x) <= 180:  # noqa: PLR2004 - pole, date line
        yield Place(y, x, notation, extent_m(y, height, width))


def read_numbers(latitude: str, longitude: str, notation: str) -> Iterator[Place]:
    """Read two decimal numbers, perhaps with signs, whose order is known."""
    values = [
        _value([number.lstrip("+-")], ".", negative=number.startswith("-"))
        for number in (latitude, longitude)
    ]
    yield from _place(values[0], values[1], notation)


def _read_digits(
    latitude: str, longitude: str, notation: str, *, south: bool, west: bool
) -> Iterator[Place]:
    """Read DDMMSS.s and DDDMMSS.s, or both without seconds, or degrees alone."""
    halves = []
    for number, first in ((latitude, 2), (longitude, 3)):
        whole, dot, decimals = number.partition(".")
        tokens = [whole[:first], *(whole[i : i + 2] for i in range(first, len(whole), 2))]
        halves.append([*tokens[:-1], tokens[-1] + dot + decimals])
    if len(halves[0]) == len(halves[1]):
        y, x = _value(halves[0], ".", negative=south), _value(halves[1], ".", negative=west)
        yield from _place(y, x, notation)


def _read_compact(text: str) -> Iterator[Place]:
    """Read DDMMSS.sN DDDMMSS.sE, DDMMN DDDMME and NMEA's DDMM.m,N,DDDMM.m,E."""
    found = _COMPACT.fullmatch(text)
    if found is None:
        return
    letters = [found[name] or "" for name in ("n1", "n2", "e1", "e2")]
    # Both letters before their numbers or both after them.
    if [bool(letter) for letter in letters] in ([True, False] * 2, [False, True] * 2):
        south, west = "S" in letters, "W" in letters
        yield from _read_digits(found["lat"], found["lon"], "DDMMSS", south=south, west=west)


def _read_iso_6709(text: str) -> Iterator[Place]:
    """Read +DD.D+DDD.D/ and its forms with minutes and seconds, as cameras write them."""
    found = _ISO_6709.fullmatch(text)
    if found is None or not (found["end"] or "." in found["lat"] + found["lon"]):
        return
    south, west = found["lat"][0] == "-", found["lon"][0] == "-"
    yield from _read_digits(found["lat"][1:], found["lon"][1:], "ISO 6709", south=south, west=west)


def read_pair(text: str, *, decimal_comma: bool = False) -> Iterator[Place]:
    """
    Every reading of a normalised text as two numbers, latitude first before longitude first.

    Dots and commas are never decimal marks at once. With a comma between digits both roles of
    the comma are tried, but `1,200 2,500` is read only if `decimal_comma` is known.
    """
    text = _LETTER_O.sub("°", text) if "o" in text else text
    text = text.upper()
    if "WGS" in text:
        text = _DATUM.sub("", text)
    if _THOUSANDS.fullmatch(text):
        return
    yield from _by_shape(text, ".")
    if "." not in text and _DECIMAL_COMMA.search(text):
        yield from _by_shape(text, ",", settled=decimal_comma)
    yield from _read_compact(text)
    if text[:1] in {"+", "-"}:
        yield from _read_iso_6709(text)


def read_wkt(text: str) -> Iterator[Place]:
    """Read a WKT point in capitals: longitude, latitude; height and measure are left out."""
    found = _WKT.fullmatch(text)
    if found is None:
        return
    kind, x, y, rest = found.groups()
    # Without a letter a third number is a height, as PostGIS writes it.
    if len(rest.split()) in {None: (0, 1), "Z": (1,), "M": (1,), "ZM": (2,)}[kind]:
        yield from read_numbers(y, x, "WKT")
