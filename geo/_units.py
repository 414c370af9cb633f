"""Names of units of administration: the word for the kind of unit, and the name without it."""

from __future__ import annotations

import re

from geo._names import fold

__all__ = ["compact", "split_unit"]

_TOWN = frozenset({"town", "district"})  # a krong is a district and the town in it
_UNIT_WORDS = {
    "province": frozenset({"province"}),
    "district": frozenset({"district"}),
    "commune": frozenset({"commune"}),
    "village": frozenset({"village"}),
    "town": _TOWN,
}
_BEFORE = {
    "khaet": "province", "khett": "province", "khet": "province", "province of": "province",
    "krong": "town", "city of": "town", "town of": "town", "municipality of": "town",
    "srok": "district", "khan": "district", "khand": "district", "district of": "district",
    "sangkat": "commune", "sankat": "commune", "khum": "commune", "commune of": "commune",
    "phum": "village", "phumi": "village", "village of": "village",
}  # fmt: skip
_AFTER = {
    "province": "province", "state": "province", "khaet": "province",
    "city": "town", "town": "town", "municipality": "town", "krong": "town",
    "district": "district", "township": "district", "srok": "district", "khan": "district",
    "commune": "commune", "sangkat": "commune", "khum": "commune", "tract": "commune",
    "ward": "commune", "village": "village", "phum": "village",
}  # fmt: skip
_KHMER = {
    "រាជធានី": "province", "ខេត្ត": "province", "ទីក្រុង": "town", "ក្រុង": "town",
    "ស្រុក": "district", "ខណ្ឌ": "district", "សង្កាត់": "commune", "ឃុំ": "commune",
    "ភូមិ": "village",
}  # fmt: skip


def split_unit(name: str) -> tuple[str, frozenset[str] | None]:
    """
    Take the word for the kind of place off a name.

    Parameters
    ----------
    name : str
        A name, with or without such a word before or after it.

    Returns
    -------
    tuple of str and (frozenset of str or None)
        The bare name and the kinds that the word allows; None if there is no such word.

    Examples
    --------
    >>> from geo._units import split_unit
    >>> split_unit("Sangkat Bei"), split_unit("Kampong Cham")
    (('Bei', frozenset({'commune'})), ('Kampong Cham', None))
    """
    text = " ".join(name.replace("\u200b", "").split())
    for prefix, unit in _KHMER.items():
        if text.startswith(prefix) and text.removeprefix(prefix).strip():
            return text.removeprefix(prefix).strip(), _UNIT_WORDS[unit]
    before = _PREFIX.match(text)
    if before:
        return before["rest"], _UNIT_WORDS[_BEFORE[before["unit"].lower()]]
    after = _SUFFIX.match(text)
    if after:
        return after["rest"], _UNIT_WORDS[_AFTER[after["unit"].lower()]]
    return text, None


_PREFIX = re.compile(rf"(?P<unit>{'|'.join(_BEFORE)})\s+(?:the\s+)?(?P<rest>\S.*)", re.IGNORECASE)
_SUFFIX = re.compile(rf"(?P<rest>.*\S)\s+(?P<unit>{'|'.join(_AFTER)})$", re.IGNORECASE)


def compact(text: str) -> str:
    """Fold a name and write it as one word: Poi Pet, Poipet."""
    return fold(text).replace(" ", "")
