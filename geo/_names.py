"""Names of places compared across scripts and spellings.

A name is folded, cut into words, freed of unit words and written in Latin letters. Khmer
romanisations agree on consonants far more than on vowels (``Poi Pet``, ``Paoy Paet``,
``Poipet``), so each word is compared by its consonants, in a spelling of their own, and only then
by three rough classes of vowels.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from anyascii import anyascii
from rapidfuzz.distance import Indel

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SAME_NAME", "fold", "name_score", "same_name", "skeleton", "telling_skeleton"]

SAME_NAME = 0.9
"""Least `name_score` at which two names count as spellings of one name."""

_GENERIC_WEIGHT = 0.3
_ANOTHER_NUMBER = 0.5  # the most that Village 4 and Village 6 can score
_NO_NUMBER = 0.85  # the most that Village and Village 6 can score
_FEWEST_CONSONANTS, _MANY_LETTERS = 3, 5  # either makes a joined word clear
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
        ("ngk?", "G"),
        ("ck|kh|gh|[cgq]", "k"),
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
_CLASSES = str.maketrans("iyu", "eeo")
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


@dataclass(frozen=True, eq=False, slots=True)  # told apart by identity: quick to look up
class _Word:
    """One word of a name: its letters, what they sound like and how much it says."""

    letters: str
    consonants: str
    vowels: tuple[frozenset[str], ...] | None
    number: str
    generic: bool = False
    weight: float = 1.0


class _Name(NamedTuple):
    """A name read once: its words, two neighbours written as one, and all of it as one word."""

    words: tuple[_Word, ...]
    sounds: frozenset[str]
    joints: tuple[_Word, ...]
    joint_sounds: frozenset[str]
    whole: _Word
    number: str


@lru_cache(maxsize=1 << 16)
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


@lru_cache(maxsize=1 << 16)
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
    return _joined(_words(fold(text))).consonants


def name_score(a: str, b: str) -> float:
    r"""
    Score how likely two names are spellings of one name.

    Words are paired by their best likeness s (Indel ratio of consonants, lessened by vowels
    that differ, or of letters if that is more; squared below 0.9), and the score is the weighted
    Dice share

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
    0.35
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


def telling_skeleton(text: str) -> str:
    """
    Give the skeleton of the words that are more than a unit, a number or one many names share.

    Parameters
    ----------
    text : str
        Any name, in any script.

    Returns
    -------
    str
        As by `skeleton`; empty where nothing sets the place apart from others.

    Examples
    --------
    >>> from geo._names import telling_skeleton
    >>> telling_skeleton("Golden Sun Casino"), telling_skeleton("Casino 7")
    ('kltnsn', '')
    """
    words = _read(fold(text)).words
    return _joined([word for word in words if not (word.generic or word.number)]).consonants


@lru_cache(maxsize=1 << 14)
def _score(a: str, b: str) -> float:
    """Score two folded names, the lesser first."""
    if a == b:
        return 1.0 if a else 0.0
    left, right = _read(a), _read(b)
    if not left.words or not right.words:
        return 0.0
    words = _divided_alike(left, right), _divided_alike(right, left)
    score = max(_paired(*words), _undivided(left, right))
    if left.number != right.number:
        return min(score, _ANOTHER_NUMBER if left.number and right.number else _NO_NUMBER)
    return score


def _paired(left: tuple[_Word, ...], right: tuple[_Word, ...]) -> float:
    """Pair words by likeness, the heaviest likeness first, and give the Dice share."""
    gains = [
        (gain, -i, -j)
        for i, one in enumerate(left)
        for j, two in enumerate(right)
        if (gain := _gain(one, two))
    ]
    gains.sort(reverse=True)
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    shared = 0.0
    for gain, i, j in gains:
        if i not in taken_left and j not in taken_right:
            taken_left.add(i)
            taken_right.add(j)
            shared += gain
    return shared / sum([word.weight for word in left + right])


@lru_cache(maxsize=1 << 18)
def _gain(one: _Word, two: _Word) -> float:
    """Likeness of two words by the weight of both."""
    return _alike(one, two) * (one.weight + two.weight)


def _divided_alike(name: _Name, other: _Name) -> tuple[_Word, ...]:
    """Join two words that the other name writes as one: Poi Pet Casino, Poipet Casino."""
    if other.sounds.isdisjoint(name.joint_sounds):
        return name.words
    words: list[_Word] = []
    i = 0
    while i < len(name.words):
        joint = name.joints[i : i + 1]
        written = [word for word in other.words for one in joint if _nearly_equal(one, word)]
        words.append(joint[0] if written else name.words[i])
        i += 2 if written else 1
    return tuple(words)


def _undivided(left: _Name, right: _Name) -> float:
    """Compare names whose words are divided differently: much must be equal to say anything."""
    if len(left.words) == len(right.words) or not _nearly_equal(left.whole, right.whole):
        return 0.0
    return _alike(left.whole, right.whole)


def _nearly_equal(joint: _Word, word: _Word) -> bool:
    """Tell whether a word that was joined is another one, and clear enough to say so."""
    if joint.consonants != word.consonants or not _is_clear(joint):
        return False
    return _alike(joint, word) >= _NEARLY_EQUAL


def _is_clear(word: _Word) -> bool:
    """Tell whether a word that was joined has enough to it to be recognised."""
    long = word.vowels is not None and len(word.letters) >= _MANY_LETTERS
    return long or len(word.consonants) >= _FEWEST_CONSONANTS


def _alike(one: _Word, two: _Word) -> float:
    """Likeness of two words, from 0 to 1."""
    if one.letters == two.letters:
        return 1.0
    if one.number or two.number or (one.generic and two.generic):
        return float(one.number == two.number and one.letters == two.letters)
    likeness = Indel.normalized_similarity(one.consonants, two.consonants)
    if one.vowels is not None and two.vowels is not None:
        # The fewer consonants there are, the more of the name is in its vowels.
        share = {0: 0.8, 1: 0.6, 2: 0.35}.get(max(len(one.consonants), len(two.consonants)), 0.25)
        likeness *= 1 - share * _vowel_distance(one.vowels, two.vowels)
        if Indel.distance(one.letters, two.letters) == 1:
            likeness = max(likeness, _slip(one, two))
    # Squared where it is not near: one equal word must not carry another one along.
    return likeness if likeness >= _NEARLY_EQUAL else likeness**2


def _slip(one: _Word, two: _Word) -> float:
    """Likeness of words of which one lost a letter in typing; short ones are others (Chey)."""
    few = min(len(one.letters), len(two.letters)) < _MANY_LETTERS
    return 0.0 if few else Indel.normalized_similarity(one.letters, two.letters)


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
def _read(folded: str) -> _Name:
    """Read a folded name."""
    words = _words(folded)
    joints = tuple(_joined(pair) for pair in pairwise(words))
    return _Name(
        words,
        frozenset(word.consonants for word in words),
        joints,
        frozenset(joint.consonants for joint in joints),
        _joined(words),
        "".join(word.number for word in words),
    )


def _words(folded: str) -> tuple[_Word, ...]:
    """Cut a name into words without those that only name a kind of unit."""
    words = [part for word in folded.split() for part in _parts(word)]
    while len(words) > 1 and words[-1] in _UNITS:
        words = words[:-1]
    words, number = _number(words)
    fewest = 0 if number else 1
    while len(words) > fewest and words[0] in _UNITS_FIRST:
        words = words[1:]
    read = [_word(word) for word in words]
    if number:
        read.append(_Word(number, number, (), number))
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


@lru_cache(maxsize=1 << 16)
def _word(word: str) -> _Word:
    """Read one word."""
    known = _SPELLED.get(word)
    latin = re.sub("[^a-z0-9]", "", known or _romanised(word))
    if latin.isdigit():
        return _Word(latin, latin, (), latin)
    vowels = _vowel_classes(latin) if known or word.isascii() else None
    generic = known in _GENERICS
    weight = _GENERIC_WEIGHT if generic else 1.0
    return _Word(latin, _consonants(latin), vowels, "", generic, weight)


def _romanised(word: str) -> str:
    """Write a word in Latin letters, without the letters that Khmer writes and does not say."""
    for found, written in _SILENT:
        word = found.sub(written, word)
    return anyascii(word).casefold()


def _joined(words: Sequence[_Word]) -> _Word:
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
    return tuple(_vowel_class(run) for run in _VOWELS.findall(latin))


@lru_cache(maxsize=1 << 12)
def _vowel_class(run: str) -> frozenset[str]:
    """Classes of one run of vowels."""
    return frozenset(run.translate(_CLASSES))


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
