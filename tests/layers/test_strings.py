"""The words of the page: complete in both languages, used, and true to the shipped names."""

import html
import json
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

import geo
import layers
from layers._words import Phrase, joined, known, said_by, sentence, term, word

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
    asked = set(re.findall(r"\b(?:say|parts|word|sentence|Phrase)\(\s*\"([a-z][a-z-]*)\"", code))
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


def test_a_phrase_is_its_english_words_and_keeps_what_it_is_said_from():
    phrase = Phrase("named", name=known("Clusters"), words=Phrase("reports", n=1200))
    assert phrase == "Clusters: 1,200 reports"
    assert phrase.data() == [
        "named",
        {"name": ["term-clusters", {}], "words": ["reports", {"n": 1200}]},
    ]
    written = html.unescape(re.search('data-values="(.*?)"', str(term(phrase)))[1])
    assert json.loads(written) == phrase.data()[1]
    assert said_by(["mine", phrase, phrase]) == {phrase: phrase.data()}


def test_values_of_a_phrase_are_not_filled_again():
    assert Phrase("both", a="{b}", b="x\ny\u0000") == "{b}, x y"
    assert joined([]) == ""
    assert joined(["", "one"]) == "one"


HALF = shapely.box(0, 0, 20_000, 20_000)


def all_layers():
    """One of each layer that computes something, with names that it gives itself."""
    rng = np.random.default_rng(2)
    frame = gpd.GeoDataFrame(
        {"status": ["confirmed", "suspected"] * 30, "uncertainty_m": 900.0},
        geometry=gpd.points_from_xy(*rng.uniform(0, 20_000, (2, 60))),
        crs=32648,
    )
    window = gpd.GeoSeries([HALF], crs=32648)
    halves = frame[frame["status"].eq("confirmed")], frame[frame["status"].ne("confirmed")]
    risk = geo.relative_risk(*halves, window, bandwidth_m=3000, cell_size_m=1000, progress=False)
    line = gpd.GeoSeries([shapely.LineString([(0, 0), (20_000, 20_000)])], crs=32648)
    areas = gpd.GeoDataFrame({"n": [1.0, 9.0], "reports": [1, 9]}, geometry=[HALF] * 2, crs=32648)
    targets = gpd.GeoDataFrame(index=["ឃ"], geometry=[shapely.Point(0, 0)], crs=32648)
    return [
        layers.area_layer(areas, name="Clusters", value="n", too_few=("reports", 5)),
        layers.hex_layer(frame, size_m=5000),
        layers.hex_layer(frame, size_m=5000, status="confirmed"),
        layers.density_layer(geo.kernel_density(frame, window, bandwidth_m=3000)),
        layers.risk_layer(risk),
        layers.tolerance_layer(risk, level=0.9),
        layers.distance_layer(line, sites=frame),
        layers.nearest_layer(geo.nearest(frame, targets, lines=True)),
        layers.cluster_layer(geo.dbscan(frame, eps_m=3000, min_samples=3)),
    ]


@pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")
def test_every_word_that_computed_layers_say_has_its_khmer():
    def unsaid(words):
        """Whether letters would stay English: what is no phrase, or stands in one as bare text."""
        if not isinstance(known(words), Phrase):
            return re.search("[A-Za-z]{2}", words.replace("DBSCAN", "")) is not None
        return any(unsaid(v) for v in known(words).values.values() if isinstance(v, str))

    made = all_layers()
    assert len({layer.title for layer in made}) == 7
    for layer in made:
        said = [layer.title]
        for section in layer.legend:
            said += [section.title]
            said += [word for entry in section.entries for word in (entry.label, entry.note)]
        labels = layer.payload["labels"]
        assert layer.payload.get("said", {}).keys() == set(labels)
        assert [word for word in [*said, *labels] if unsaid(word)] == []
