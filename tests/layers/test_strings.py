"""The words of the page: complete in both languages, used, and true to the shipped names."""

import json
import re
from pathlib import Path

import pytest

import geo
import layers
from layers._words import sentence, term, word

PACKAGE = Path(layers.__file__).parent
STRINGS = json.loads((PACKAGE / "assets" / "strings.json").read_text(encoding="utf-8"))
KHMER = re.compile("[\u1780-\u17d3]")  # letters and vowels, not the marks between sentences
# Keys that the scripts put together or choose between.
COMPOSED = re.compile(
    r"^(term|name)-|^(placed|reported|dates|found|zoom|download|choose|head)(-|$)"
)


def test_every_sentence_is_there_in_both_languages():
    for key, said in STRINGS.items():
        assert set(said) == {"en", "km"}, key
        english, khmer = (re.sub(r"\{\w+\}", "", said[code]) for code in ("en", "km"))
        assert KHMER.search(khmer) or not re.search("[A-Za-z]", english), key


@pytest.mark.parametrize("key", STRINGS)
def test_both_languages_say_the_same_values(key):
    english, khmer = (set(re.findall(r"\{(\w+)\}", STRINGS[key][code])) for code in ("en", "km"))
    assert english == khmer


def test_khmer_text_is_whole():
    for key, said in STRINGS.items():
        # A sign that joins letters needs a letter after it, a vowel one before it.
        assert not re.search("\u17d2(?![\u1780-\u17a2])", said["km"]), key
        assert not re.search("(^|[^\u1780-\u17d3])[\u17b6-\u17c5]", said["km"]), key
        assert "\u17a3" not in said["km"], key  # a letter that Unicode discourages
        assert "\u17a4" not in said["km"], key


def test_terms_and_names_are_distinct():
    for prefix in ("term-", "name-"):
        english = [said["en"] for key, said in STRINGS.items() if key.startswith(prefix)]
        assert len(english) == len(set(english))


def test_every_sentence_that_is_asked_for_exists_and_each_is_used():
    sources = [*PACKAGE.glob("assets/*.js"), *PACKAGE.glob("*.py")]
    code = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    quoted = set(re.findall(r"[\"']([a-z][a-z-]*)[\"']", code))
    quoted |= set(re.findall(r'data-(?:word|label)=\\?"([a-z-]+)"', code))
    asked = set(re.findall(r"\b(?:say|parts|word|sentence)\(\"([a-z][a-z-]*)\"", code))
    asked = {key for key in asked if not key.endswith("-")}  # the rest of it is a value
    assert asked <= STRINGS.keys()
    unused = {key for key in STRINGS.keys() - quoted if not COMPOSED.search(key)}
    assert unused == set()


def test_words_of_the_schema_are_known():
    columns = {column.name: column.vocabulary for column in geo.SITE_SCHEMA}
    terms = {said["en"] for key, said in STRINGS.items() if key.startswith("term-")}
    for name in ("status", "operating", "state_response", "location_level"):
        assert {value.replace("_", " ") for value in columns[name]} <= terms
    assert {*layers.STATUS_SCALE.labels, layers.STATUS_SCALE.name} <= terms


def test_names_are_those_of_the_shipped_data():
    frames = [geo.load_reference(name) for name in ("provinces", "towns", "districts")]
    shipped = {}
    for frame in frames:
        here = frame[frame["country"].eq("KH") & frame["name_km"].notna()]
        for name, khmer in zip(here["name"], here["name_km"], strict=True):
            shipped.setdefault(name, set()).add(khmer)
    names = {s["en"]: s["km"] for key, s in STRINGS.items() if key.startswith("name-")}
    compared = [name for name in names if name in shipped]
    assert len(compared) >= 25
    assert {name: names[name] for name in compared if names[name] not in shipped[name]} == {}
    provinces = geo.load_reference("provinces")["name"]
    assert set(provinces) <= names.keys()


def test_sentences_have_their_singular():
    assert sentence("reports", n=1) == "1 report"
    assert sentence("reports", n=0) == "0 reports"
    assert sentence("reports", n=1234) == "1,234 reports"


def test_values_in_a_sentence_are_text():
    hostile = '"><script>{n}</script>'
    written = str(word("data-to", date=hostile))
    assert "<script>" not in written
    assert written.count("<span") == 1
    assert term(hostile) == "&#34;&gt;&lt;script&gt;{n}&lt;/script&gt;"
