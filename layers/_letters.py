"""Letters on paper: fonts for every script, measured lines, and where they break."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import text_to_path

from geo.errors import ExportError
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "FAMILY",
    "MM_PER_INCH",
    "POINTS_PER_MM",
    "SMALLEST_PT",
    "fonts_for",
    "height_mm",
    "line_mm",
    "printable",
    "width_mm",
    "wrapped",
]

MM_PER_INCH = 25.4
POINTS_PER_MM = 72 / MM_PER_INCH
SMALLEST_PT = 6.0  # what journals ask for at least
FAMILY = "DejaVu Sans"  # comes with matplotlib, so every machine has it

# The Debian package that brings a script's letters, by the first word of their Unicode names.
_PACKAGES = {
    "KHMER": "fonts-khmeros or fonts-noto-core",
    "CJK": "fonts-noto-cjk",
    "HIRAGANA": "fonts-noto-cjk",
    "KATAKANA": "fonts-noto-cjk",
    "HANGUL": "fonts-noto-cjk",
}
_OTHER_PACKAGE = "fonts-noto-core"
# Of several fonts with the letters, one meant for running text; then by name.
_PREFERRED = ("Noto Sans Khmer", "Khmer OS Content", "Khmer OS Battambang", "Khmer OS")


def printable(value: object) -> str:
    """
    Turn any value into text that can be printed.

    Parameters
    ----------
    value : object
        Text, number or missing value.

    Returns
    -------
    str
        Plain text without what Unicode says is no character, which no picture may hold.
    """
    return "".join(c for c in plain(value) if not _is_none(ord(c)))


def _is_none(code: int) -> bool:
    """Tell whether a number is reserved never to be a character."""
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004  # the standard's


@lru_cache(maxsize=4096)
def fonts_for(text: str) -> list[str]:
    """
    Choose the fonts that can write a text.

    Parameters
    ----------
    text : str
        Plain text in any script.

    Returns
    -------
    list of str
        The font of all figures, and after it one that has the letters it lacks.

    Raises
    ------
    ExportError
        If no installed font has them: the message names the package that does.
    """
    lacking = frozenset(c for c in text if ord(c) not in _base_letters() and not _silent(c))
    return [FAMILY] if not lacking else [FAMILY, _font_with(lacking)]


def _silent(character: str) -> bool:
    """Tell whether a character has no form of its own."""
    return unicodedata.category(character) in {"Cf", "Zs"}


@cache
def _base_letters() -> frozenset[int]:
    """Return the characters that the font of all figures has."""
    path = font_manager.findfont(FAMILY, fallback_to_default=False)
    return frozenset(FT2Font(path).get_charmap())


@cache
def _font_with(letters: frozenset[str]) -> str:
    """Find an upright font of ordinary weight with all the letters."""
    needed = {ord(c) for c in letters}
    found: dict[str, str] = {}
    for path in sorted(font_manager.findSystemFonts()):
        try:
            font = FT2Font(path)
            entry = font_manager.ttfFontProperty(font)
        except (OSError, RuntimeError, NotImplementedError):  # bitmaps and broken files
            continue
        plain_face = entry.style == "normal" and entry.weight == 400  # noqa: PLR2004  # "regular"
        if plain_face and needed <= font.get_charmap().keys():
            found.setdefault(entry.name, path)
    if not found:
        raise ExportError(_no_font(letters))
    rank = {name: i for i, name in enumerate(_PREFERRED)}
    name: str = min(found, key=lambda family: (rank.get(family, len(rank)), family))
    # A font that was installed after matplotlib listed them is not in its list.
    if name not in font_manager.get_font_names():
        font_manager.fontManager.addfont(found[name])
    return name


def _no_font(letters: frozenset[str]) -> str:
    """Say which letters cannot be written and what would bring them."""
    shown = sorted(letters)[:8]
    scripts = sorted({unicodedata.name(c, "UNNAMED").split()[0] for c in shown})
    packages = sorted({_PACKAGES.get(script, _OTHER_PACKAGE) for script in scripts})
    return (
        f"no installed font can write {' '.join(shown)} "
        f"({', '.join(script.capitalize() for script in scripts)}): install one, for example "
        f"with `apt install {' '.join(packages)}` on Debian, or leave these letters out"
    )


# ---------------------------------------------------------------------------- lines


@lru_cache(maxsize=4096)
def _width_mm(text: str, size_pt: float, weight: str) -> float:
    """Measure a line as it will be printed."""
    font = font_manager.FontProperties(family=fonts_for(text), size=size_pt, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    # Letters fitted to the grid of a screen come out a little wider.
    return 1.01 * float(width) / POINTS_PER_MM


def width_mm(text: str, size_pt: float, weight: str = "normal") -> float:
    """
    Measure a line as it will be printed.

    Parameters
    ----------
    text : str
        One line.
    size_pt : float
        Size of the letters.
    weight : str, default "normal"
        ``normal`` or ``bold``.

    Returns
    -------
    float
        Its width in millimetres.
    """
    return _width_mm(text, size_pt, weight) if text else 0.0


def wrapped(text: str, room_mm: float, size_pt: float, weight: str = "normal") -> list[str]:
    """
    Break a text into lines that fit.

    Parameters
    ----------
    text : str
        Plain text.
    room_mm : float
        Width of the lines.
    size_pt : float
        Size of the letters.
    weight : str, default "normal"
        ``normal`` or ``bold``.

    Returns
    -------
    list of str
        Lines; a word that is longer than a line is broken between letters, never within
        one that several characters make up.
    """
    lines: list[str] = []
    for word in printable(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_mm(longer, size_pt, weight) <= room_mm:
            lines[-1] = longer
            continue
        lines.append("")
        for letter in _letters(word):
            if lines[-1] and width_mm(lines[-1] + letter, size_pt, weight) > room_mm:
                lines.append("")
            lines[-1] += letter
    return lines


_COENG = "\u17d2"  # makes the next Khmer consonant a sign beneath this one


def _letters(word: str) -> list[str]:
    """Split a word into letters with all that belongs to each."""
    letters: list[str] = []
    for character in word:
        joined = letters and (
            unicodedata.category(character)[0] == "M" or letters[-1].endswith(_COENG)
        )
        if joined:
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def line_mm(size_pt: float, words: str = "") -> float:
    """
    Return the height of a line.

    Parameters
    ----------
    size_pt : float
        Size of the letters.
    words : str
        The line: scripts that stack signs above and below their letters take more.

    Returns
    -------
    float
        In millimetres.
    """
    leading = 1.3 if len(fonts_for(words)) == 1 else 1.65
    return leading * size_pt / POINTS_PER_MM


def height_mm(lines: Iterable[str], size_pt: float) -> float:
    """
    Return the height of lines one beneath the other.

    Parameters
    ----------
    lines : iterable of str
        The lines.
    size_pt : float
        Size of the letters.

    Returns
    -------
    float
        In millimetres.
    """
    return sum(line_mm(size_pt, line) for line in lines)
