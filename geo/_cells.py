"""Reading one column of cells: text, numbers, dates, words, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import math
import re
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Fault",
    "cell_text",
    "clean",
    "read_codes",
    "read_dates",
    "read_integers",
    "read_lists",
    "read_numbers",
    "read_texts",
    "read_urls",
    "read_words",
]

# Zero-width characters come with copied Khmer text and with byte order marks.
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
# What str.strip takes away by itself, so that one pass clears a mixture of both.
_SPACES = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
    "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_EDGES = _ZERO_WIDTH + _SPACES
_SURROGATE = re.compile("[\ud800-\udfff]")
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")


class Fault(NamedTuple):
    """One thing wrong with one cell; `kind` is what the error message counts."""

    position: int
    column: str
    value: str
    kind: str
    problem: str


def cell_text(value: Any) -> str | None:  # noqa: ANN401 - a cell holds anything
    """Text of a cell as a sheet shows it; None where there is nothing."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, dt.date | dt.time):
        return value.isoformat().removesuffix("T00:00:00")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        # What GeoJSON nests stays JSON.
        nested = isinstance(value, list | dict)
        return json.dumps(value, ensure_ascii=False, default=str) if nested else str(value)
    whole = number.is_integer() and not isinstance(value, bool) and abs(number) < 2**53
    return None if math.isnan(number) else str(int(number)) if whole else str(value)


def clean(text: str) -> str:
    """Text in NFC without white space and zero-width characters at its ends."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text).strip(_EDGES)


def read_texts(
    values: Iterable[Any], column: str, *, verbatim: bool = False
) -> tuple[list[str | None], list[Fault]]:
    """Clean text or None for every cell; verbatim text is only tested for being blank."""
    texts: list[str | None] = []
    faults = []
    for position, value in enumerate(values):
        raw = cell_text(value)
        text = clean(raw) if raw else None
        if text and not text.isascii() and _SURROGATE.search(text):
            problem = "half a character (a lone surrogate): type the text again"
            faults.append(Fault(position, column, ascii(text), "broken text", problem))
            text = None
        texts.append((raw if verbatim else text) if text else None)
    return texts, faults


def read_numbers(
    texts: Sequence[str | None], column: str, example: str
) -> tuple[list[float], list[Fault]]:
    """Finite numbers, NaN where blank; Khmer and other decimal digits are understood."""
    numbers = []
    faults = []
    for position, text in enumerate(texts):
        number = math.nan
        if text is not None:
            with suppress(ValueError):
                number = math.nan if "_" in text else float(text)
            if not math.isfinite(number):
                number = math.nan
                problem = f"not a number: write {example}"
                if _COMMA_NUMBER.fullmatch(text):
                    problem += "; looks like a decimal comma or a thousands separator"
                faults.append(Fault(position, column, text, "not a number", problem))
        numbers.append(number)
    return numbers, faults


def read_integers(texts: Sequence[str | None], column: str) -> tuple[list[int | None], list[Fault]]:
    """Whole numbers that fit 64 bits, None where blank."""
    integers: list[int | None] = []
    faults = []
    for position, text in enumerate(texts):
        integer = None
        if text is not None:
            if re.fullmatch(r"[+-]?\d{1,18}", text):
                integer = int(text)
            else:
                problem = "not a whole number of at most 18 digits"
                faults.append(Fault(position, column, text, "not a number", problem))
        integers.append(integer)
    return integers, faults


def _read_by_value(
    texts: Sequence[str | None], column: str, kind: str, answers: Mapping[str, tuple[str, str]]
) -> tuple[list[str | None], list[Fault]]:
    """Every cell's answer, or its fault, looked up from one reading of each distinct text."""
    read: list[str | None] = []
    faults = []
    for position, text in enumerate(texts):
        answer, problem = ("", "") if text is None else answers[text]
        if text is not None and problem:
            faults.append(Fault(position, column, text, kind, problem))
        read.append(answer or None)
    return read, faults


def _distinct(texts: Sequence[str | None]) -> list[str]:
    """Each text once."""
    return [text for text in dict.fromkeys(texts) if text is not None]


def read_words(
    texts: Sequence[str | None], column: str, vocabulary: Sequence[str]
) -> tuple[list[str | None], list[Fault]]:
    """Words of a vocabulary, whatever their case, with spaces or hyphens for underscores."""

    def read(text: str) -> tuple[str, str]:
        word = re.sub(r"[\s_-]+", "_", text.casefold())
        if word in vocabulary:
            return word, ""
        near = difflib.get_close_matches(word, vocabulary, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return "", f"not one of {', '.join(vocabulary)}{hint}"

    answers = {text: read(text) for text in _distinct(texts)}
    return _read_by_value(texts, column, "unknown word", answers)


def read_lists(texts: Sequence[str | None]) -> list[str | None]:
    """Values joined by vertical bars, without blank ones and the spaces around each."""
    split = ([clean(part) for part in text.split("|")] if text else [] for text in texts)
    return ["|".join(part for part in parts if part) or None for parts in split]


def read_codes(
    texts: Sequence[str | None], column: str, names: Mapping[str, str]
) -> tuple[list[str | None], list[Fault]]:
    """ISO 3166-1 alpha-2 codes, from two letters or one of the names."""

    def read(text: str) -> tuple[str, str]:
        code = names.get(re.sub(r"[\W_]+", "", text.casefold()), text.upper())
        if re.fullmatch("[A-Z]{2}", code):
            return code, ""
        return "", "not a country code: two letters as in ISO 3166-1, such as KH or TH"

    answers = {text: read(text) for text in _distinct(texts)}
    return _read_by_value(texts, column, "unknown country", answers)


def read_dates(texts: Sequence[str | None], column: str) -> tuple[list[str | None], list[Fault]]:
    """Dates as YYYY, YYYY-MM or YYYY-MM-DD; a time of day is left off."""

    def read(text: str) -> tuple[str, str]:
        found = _DATE.fullmatch(text)
        if found is None:
            return "", "not an ISO 8601 date: write 2024-03-31, 2024-03 or 2024"
        year, *rest = (int(part) for part in found.groups() if part)
        try:
            dt.date(year, *rest, *(1, 1)[len(rest) :])
        except ValueError:
            return "", "no such date in the calendar"
        return "-".join([f"{year:04d}", *(f"{part:02d}" for part in rest)]), ""

    answers = {text: read(text) for text in _distinct(texts)}
    return _read_by_value(texts, column, "impossible or non-ISO date", answers)


def read_urls(texts: Sequence[str | None], column: str) -> tuple[list[str | None], list[Fault]]:
    """Addresses on the web; anything else could run something when clicked."""
    problem = "not a web address: it must begin with http:// or https:// and hold no space"
    answers = {t: (t, "") if _URL.fullmatch(t) else ("", problem) for t in _distinct(texts)}
    return _read_by_value(texts, column, "not a web address", answers)
