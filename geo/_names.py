"""Names of places compared across scripts and spellings.

A name is folded, cut into words, freed of unit words and written in Latin letters. Khmer
romanisations agree on consonants far more than on vowels (``Poi Pet``, ``Paoy Paet``,
``Poipet``), so each word is compared by its consonants, in a spelling of their own, and only then
by three rough classes of vowels.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import Indel

__all__ = ["SAME_NAME", "fold", "is_telling", "name_score", "same_name", "skeleton"]

SAME_NAME = 0.9
"""Least `name_score` at which two names count as spellings of one name."""

_GENERIC_WEIGHT = 0.3
_ANOTHER_NUMBER = 0.5  # the most that Village 4 and Village 6 can score
_NO_NUMBER = 0.85  # the most that Village and Village 6 can score
_FEWEST_CONSONANTS = 3
_NEARLY_EQUAL = 0.9
_SHORTEST_HEAD = 4  # letters: shorter generic words begin too many other names
# Words that many names share and that therefore say little: one line for each, in its spellings.
_GENERIC = """
kampong kompong compong kampung kompung kampon កំពង់
preah prah preas ព្រះ
phnum phnom pnom pnum ភ្នំ
ou o or au អូរ
svay svai ស្វាយ
prey prei ព្រៃ
kaoh koh koah kas កោះ
veal veel វាល
thma thmor thmar ថ្ម
chrey chrei ជ្រៃ
boeng boeung beung bung boung បឹង
tuol toul tul ទួល
trapeang trapaing tropeang trapang ត្រពាំង
preaek prek preak ព្រែក
stueng stung steung stoeng ស្ទឹង
srae sre ស្រែ
phsar psar phsa ផ្សារ
chamkar chamcar ចំការ
anlong anlung អន្លង់
banteay bantey បន្ទាយ
voat wat vat វត្ត
kouk kok គោក
tuek teuk toek tek ទឹក
ta តា
ti ទី
pou po pour ពោធិ៍ ពោធិ
the
of
casino
hotel
resort
compound
building
park
centre center
complex
group
zone
"""
# Words that tell neighbours apart, but whose consonants in Khmer script do not: new and great.
_TELLING = """
thmei thmey ថ្មី
thum thom ធំ
chas ចាស់
touch តូច
dach ដាច់
leu loeu លើ
kraom krom ក្រោម
kandal កណ្ដាល កណ្តាល
cheung choeung ជើង
tboung tbong ត្បូង
kaeut koeut កើត
lech លិច
"""
_UNITS = frozenset(
    {"district", "commune", "village", "town", "city", "province", "township", "municipality"}
)
_UNITS_KHMER = ("រាជធានី", "ខេត្ត", "ក្រុង", "ស្រុក", "ខណ្ឌ", "សង្កាត់", "ឃុំ", "ភូមិ")
_UNITS_FIRST = _UNITS.union(
    {"krong", "khaet", "khett", "khet", "srok", "khan", "sangkat", "khum", "phum", "phumi"},
    _UNITS_KHMER,
)
# Last words that number a name: Boeung Keng Kang III, Kok Trom Ka.
_MARKS = """
1 i
2 ii
3 iii
4 iv
5 v
6 vi
7 vii
8 viii
9 ix
10 x
a ka ក
b kha ខ
c ko គ
d kho ឃ
"""
# The same in Khmer words, which count by adding: dab pram pir is 10 + 5 + 2.
_COUNTS = """
1 muoy
2 pir pi
3 bei bey
4 buon boun
5 pram bram
6 prammuoy
7 prampir
8 prambei
9 prambuon
10 dab
20 mphei
"""
_SPELLINGS = tuple(
    (re.compile(found), written)
    for found, written in (
        ("chh|tch|ch|tj|j", "C"),
        ("ck|kh|gh|[cq]|g(?<!ng)", "k"),
        ("ngk?", "G"),
        ("nh|gn|ny(?=[aeiou])", "n"),
        ("ph|bh|[bf]", "p"),
        ("th|dh|d", "t"),
        ("sh|z", "s"),
        ("[vw](?=[aeiouyrl])", "V"),  # before a vowel: otherwise it is one (Bak Dav, Bak Dau)
        ("[vw]", "u"),
        ("y(?=[aeou])(?<![aeiou].)", "Y"),
        ("(?<=[aeiouy])[rh]$", ""),  # silent at the end: Thmor, Thma; Kaoh, Kao
        ("(?<!^)h", ""),
    )
)
_VOWELS = re.compile("[aeiouy]+")
_KHMER = re.compile("[\u1780-\u17b3]")  # letters that can begin a word
_SUBSCRIPT = "\u17d2"
_SILENT = (
    (re.compile("[\u1780-\u17a2][\u17b7\u17bb]?\u17cd"), ""),  # letters under a toandakhiat
    (re.compile("\u17cb"), ""),  # bantoc shortens a vowel
    (re.compile("\u17c6(?=\u1784)"), ""),  # before ng a nikahit is no m
    (re.compile("\u17a2"), "a"),
)
_ACCENTS = range(0x0300, 0x0370)
_MODIFIERS = range(0x02B0, 0x0300)  # letters by category, apostrophes by use


class _Word(NamedTuple):
    """One word of a name: its letters, what they sound like and how much it says."""

    letters: str
    consonants: str
    vowels: tuple[frozenset[str], ...] | None
    number: str
    generic: bool

    @property
    def weight(self) -> float:
        """How much the word says."""
        return _GENERIC_WEIGHT if self.generic else 1.0


def fold(text: str) -> str:
    """
    Bring a name to the form in which equal names are equal texts.

    Parameters
    ----------
    text : str
        Any name, in any script.

    Returns
    -------
    str
        Case folded, without accents on Latin letters, without punctuation and invisible
        characters, words divided by single spaces. Other scripts keep their marks.

    Examples
    --------
    >>> from geo._names import fold
    >>> fold("  Kâmpóng-Cham "), fold("O'Smach")
    ('kampong cham', 'o smach')
    """
    kept = []
    for mark in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()):
        kind = unicodedata.category(mark)
        if kind == "Cf" or ord(mark) in _ACCENTS:
            continue
        letter = kind[0] in "LNM" and ord(mark) not in _MODIFIERS
        kept.append(mark if letter else " ")
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))


def skeleton(text: str) -> str:
    """
    Give the consonants of a name, the same for the spellings of Khmer romanisation.

    Parameters
    ----------
    text : str
        Any name, in any script.

    Returns
    -------
    str
        Consonants in a spelling of their own, without unit words and spaces; an ``a`` for a
        vowel that begins the name. Empty where nothing can be read.

    Examples
    --------
    >>> from geo._names import skeleton
    >>> skeleton("O'Smach"), skeleton("Osmach"), skeleton("ក្រុងប៉ោយប៉ែត"), skeleton("Poipet City")
    ('asmC', 'asmC', 'ppt', 'ppt')
    """
    return _joined(_words(text)).consonants


def name_score(a: str, b: str) -> float:
    r"""
    Score how likely two names are spellings of one name.

    Words are paired by their best likeness s (Indel ratio of consonants, lessened by vowels
    that differ), and the score is the weighted Dice share

    .. math:: \frac{\sum s\,(w_a + w_b)}{\sum w_a + \sum w_b}

    with w = 0.3 for words that many names share (Kampong, Preah, casino) and 1 for the others.

    Parameters
    ----------
    a, b : str
        Names in any script.

    Returns
    -------
    float
        From 0 to 1, the same when the names are exchanged; 0 where one cannot be read.

    Notes
    -----
    Names whose words are divided differently are also compared undivided. Numbers that differ
    (Village 4, Village 6) keep a score at or below 0.5. Vowels count only where both words
    are written in Latin letters: Khmer script does not write all of them.

    Examples
    --------
    >>> from geo._names import name_score
    >>> round(name_score("Poi Pet", "Paoy Paet"), 2), round(name_score("ប៉ោយប៉ែត", "Poipet"), 2)
    (1.0, 1.0)
    >>> round(name_score("Kampong Cham", "Kampong Chhnang"), 2)
    0.54
    """
    first, second = sorted((fold(a), fold(b)))
    return _score(first, second)


def same_name(a: str, b: str) -> bool:
    """
    Tell whether two names are spellings of one name: `name_score` of at least `SAME_NAME`.

    Parameters
    ----------
    a, b : str
        Names in any script.

    Returns
    -------
    bool
        Whether they are; names without anything to read are the same as none.

    Examples
    --------
    >>> from geo._names import same_name
    >>> same_name("Mongkol Borey", "Mongkul Bourey"), same_name("Preah Sihanouk", "Preah Vihear")
    (True, False)
    """
    return name_score(a, b) >= SAME_NAME


def is_telling(text: str) -> bool:
    """
    Tell whether a name has a word that is more than a unit, a number or a word many names share.

    Parameters
    ----------
    text : str
        Any name, in any script.

    Returns
    -------
    bool
        Whether it can set one place apart from others.

    Examples
    --------
    >>> from geo._names import is_telling
    >>> is_telling("Golden Sun Casino"), is_telling("Casino 7"), is_telling("Phum Thmei")
    (True, False, True)
    """
    return any(not (word.generic or word.number) for word in _words(text))


@lru_cache(maxsize=1 << 16)
def _score(a: str, b: str) -> float:
    """Score two folded names, the lesser first."""
    if a == b:
        return 1.0 if a else 0.0
    left, right = _words(a), _words(b)
    if not left or not right:
        return 0.0
    score = _paired(left, right)
    if len(left) != len(right):
        score = max(score, _undivided(left, right))
    numbers = ["".join(word.number for word in words) for words in (left, right)]
    if numbers[0] != numbers[1]:
        return min(score, _ANOTHER_NUMBER if all(numbers) else _NO_NUMBER)
    return score


def _paired(left: tuple[_Word, ...], right: tuple[_Word, ...]) -> float:
    """Pair words by likeness, the heaviest likeness first, and give the Dice share."""
    pairs = sorted(
        (
            (-_alike(one, two) * (one.weight + two.weight), i, j)
            for i, one in enumerate(left)
            for j, two in enumerate(right)
        ),
    )
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    shared = 0.0
    for gain, i, j in pairs:
        if i not in taken_left and j not in taken_right:
            taken_left.add(i)
            taken_right.add(j)
            shared -= gain
    return shared / sum(word.weight for word in left + right)


def _undivided(left: tuple[_Word, ...], right: tuple[_Word, ...]) -> float:
    """Compare names whose words are divided differently: much must be equal to say anything."""
    one, two = _joined(left), _joined(right)
    if one.consonants != two.consonants or len(one.consonants) < _FEWEST_CONSONANTS:
        return 0.0
    likeness = _alike(one, two)
    return likeness if likeness >= _NEARLY_EQUAL else 0.0


def _alike(one: _Word, two: _Word) -> float:
    """Likeness of two words, from 0 to 1."""
    if one.letters == two.letters:
        return 1.0
    if one.number or two.number or (one.generic and two.generic):
        return float(one.number == two.number and one.letters == two.letters)
    likeness = Indel.normalized_similarity(one.consonants, two.consonants)
    if one.vowels is None or two.vowels is None:
        return likeness
    # The fewer consonants there are, the more of the name is in its vowels.
    share = {0: 0.8, 1: 0.6, 2: 0.35}.get(max(len(one.consonants), len(two.consonants)), 0.25)
    return likeness * (1 - share * _vowel_distance(one.vowels, two.vowels))


def _vowel_distance(one: tuple[frozenset[str], ...], two: tuple[frozenset[str], ...]) -> float:
    """Share of vowels that differ: open against back counts half, a vowel without partner too."""
    total = 0.0
    for left, right in zip_longest(one, two, fillvalue=frozenset[str]()):
        if not left or not right or (left | right == {"a", "o"} and not left & right):
            total += 0.5
        elif not left & right:
            total += 1.0
    return total / max(len(one), len(two), 1)


@lru_cache(maxsize=1 << 16)
def _words(text: str) -> tuple[_Word, ...]:
    """Cut a name into words without those that only name a kind of unit."""
    words = [part for word in fold(text).split() for part in _parts(word)]
    while len(words) > 1 and words[-1] in _UNITS:
        words = words[:-1]
    words, number = _number(words)
    fewest = 0 if number else 1
    while len(words) > fewest and words[0] in _UNITS_FIRST:
        words = words[1:]
    read = [_word(word) for word in words]
    if number:
        read.append(_Word(number, number, (), number, generic=False))
    return tuple(word for word in read if word.letters)


def _number(words: list[str]) -> tuple[list[str], str]:
    """Take the number off the end of a name, and what only makes it an ordinal."""
    rest, number = list(words), ""
    if rest and rest[-1].isdecimal():
        number = str(int(rest.pop()))
    elif len(rest) > 1 and rest[-1] in _MARK:
        number = _MARK[rest.pop()]
    else:
        total = 0
        while len(rest) > 1 and rest[-1] in _COUNT:
            total += int(_COUNT[rest.pop()])
        number = str(total or "")
    if number and len(rest) > 1 and rest[-1] in ("ti", "ទី"):
        rest.pop()
    return rest, number


def _parts(word: str) -> list[str]:
    """Cut a word before and after digits, and at unit words and known words glued to it."""
    parts = re.findall(r"\d+|\D+", word)
    return [piece for part in parts for piece in _unglued(part)]


def _unglued(word: str) -> list[str]:
    """Cut units and known words off both ends of a word."""
    if cut := _HEAD.match(word):
        return [cut.group(), *_unglued(word[cut.end() :])]
    if cut := _TAIL.search(word):
        return [*_unglued(word[: cut.start()]), cut.group()]
    return [word]


def _word(word: str) -> _Word:
    """Read one word."""
    known = _SPELLED.get(word)
    latin = re.sub("[^a-z0-9]", "", known or _romanised(word))
    if latin.isdigit():
        return _Word(latin, latin, (), latin, generic=False)
    vowels = _vowel_classes(latin) if known or word.isascii() else None
    return _Word(latin, _consonants(latin), vowels, "", generic=known in _GENERICS)


def _romanised(word: str) -> str:
    """Write a word in Latin letters, without the letters that Khmer writes and does not say."""
    for found, written in _SILENT:
        word = found.sub(written, word)
    return anyascii(word).casefold()


def _joined(words: tuple[_Word, ...]) -> _Word:
    """Write the words of a name as one."""
    letters = "".join(word.letters for word in words)
    spelt = all(word.vowels is not None for word in words)
    return _Word(
        letters, _consonants(letters), _vowel_classes(letters) if spelt else None, "", generic=False
    )


def _consonants(latin: str) -> str:
    """Consonants of a word in Latin letters, doubled ones once, an ``a`` for a first vowel."""
    for found, written in _SPELLINGS:
        latin = found.sub(written, latin)
    first = "a" if latin[:1] in set("aeiouy") else ""
    return first + _VOWELS.sub("", re.sub(r"(\D)\1+", r"\1", latin))


def _vowel_classes(latin: str) -> tuple[frozenset[str], ...]:
    """Classes of each run of vowels: open a, front e, back o; several where it glides."""
    classes = {"a": "a", "e": "e", "i": "e", "y": "e", "o": "o", "u": "o"}
    return tuple(
        frozenset(classes[letter] for letter in run.group()) for run in _VOWELS.finditer(latin)
    )


def _spellings(table: str) -> dict[str, str]:
    """Map every spelling in a table to the first of its line."""
    return {word: line.split()[0] for line in table.strip().splitlines() for word in line.split()}


def _either(words: list[str]) -> str:
    """Pattern of any of some words, the longest first so that none hides a longer one."""
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


_MARK, _COUNT = _spellings(_MARKS), _spellings(_COUNTS)
_SPELLED = _spellings(_GENERIC) | _spellings(_TELLING)
_GENERICS = frozenset(_spellings(_GENERIC).values())
_KHMER_KNOWN = [word for word in (*_SPELLED, *_UNITS_KHMER) if _KHMER.match(word)]
_LATIN_HEADS = [
    word
    for line in _GENERIC.splitlines()
    for word in line.split()
    if _KHMER.search(line) and word.isascii() and len(word) >= _SHORTEST_HEAD
]
# What follows must begin a syllable, or the head is only the same letters by chance.
_HEAD = re.compile(
    f"({_either(_KHMER_KNOWN)})(?={_KHMER.pattern})|({_either(_LATIN_HEADS)})(?=[a-z]{{3}})"
)
_TAIL = re.compile(f"(?<!^)(?<!{_SUBSCRIPT})({_either(_KHMER_KNOWN)})$")
