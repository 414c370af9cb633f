import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo._places import gather_places, gather_spellings
from geo._provinces import province_codes
from geo._units import split_unit
from geo.errors import NotFoundError
from geo.gazetteer import find_places
from geo.geodesy import geodesic_length
from geo.reference import load_reference

ROOT = Path(__file__).parents[2]
POLYGONS = ROOT.parent / "shared" / "data" / "khm_adm3_geoboundaries_coded.parquet"
COLUMNS = [
    "code", "name", "name_km", "kind", "country", "admin1", "admin1_code", "admin2",
    "admin2_code", "admin3", "admin3_code", "radius_m", "score", "source", "geometry",
]  # fmt: skip


def kinds(name, **scope):
    found = find_places(name, **scope)
    return list(zip(found["kind"], found["code"], strict=True))


def first(name, **scope):
    return find_places(name, **scope).iloc[0]


# The data


def test_every_kind_of_place_is_there_in_the_official_number():
    counts = pd.Series([place.kind for place in gather_places() if place.country == "KH"])
    cambodian = counts.value_counts()
    assert cambodian["province"] == 25
    assert cambodian["district"] == 210
    assert cambodian["commune"] == 1661
    # 14,576 villages of the official list, and GeoNames' small places
    assert (
        sum(place.kind == "village" and place.code.startswith("KH") for place in gather_places())
        == 14_576
    )
    assert cambodian["town"] > 200


def test_codes_keep_their_zeros_and_names_are_clean():
    places = [place for place in gather_places() if place.kind in {"commune", "village"}]
    official = [place for place in places if place.code.startswith("KH")]
    assert {len(place.code) for place in official} == {8, 10}
    assert not [place for place in official if "\u200b" in f"{place.name}{place.name_km}"]
    assert all(place.admin1_code == place.code[:4] for place in official)


def test_every_place_has_a_point_and_a_radius():
    table = pd.DataFrame(gather_places())
    assert (table["radius_m"] > 0).all()
    assert table["longitude"].between(92, 118).all()
    assert table["latitude"].between(5, 29).all()


@pytest.mark.skipif(not POLYGONS.exists(), reason="the polygons are not part of the repository")
def test_every_corner_of_a_communes_polygon_is_within_its_circle():
    circles = pd.read_csv(ROOT / "geo" / "data" / "communes.csv.gz").set_index("code")
    polygons = gpd.read_parquet(POLYGONS).dropna(subset=["commune_code"])
    polygons = polygons[~polygons["commune_code"].duplicated(keep=False)]
    assert sorted("KH" + polygons["commune_code"]) == list(circles.index)
    corners = polygons.set_index("KH" + polygons["commune_code"]).geometry.get_coordinates()
    at = circles.loc[corners.index]
    reach = geodesic_length(at["longitude"], at["latitude"], corners["x"], corners["y"])
    assert (reach + 500 <= at["radius_m"].to_numpy()).all()
    # The least circle cannot be much larger than the half diagonal of the bounding box.
    box = polygons.geometry.bounds.set_index("KH" + polygons["commune_code"])
    half = geodesic_length(box["minx"], box["miny"], box["maxx"], box["maxy"]) / 2
    assert np.median(circles.loc[box.index, "radius_m"] - 500) < np.median(half)


@pytest.mark.parametrize(("layer", "kind"), [("provinces", "province"), ("districts", "district")])
def test_every_corner_of_a_unit_is_within_its_circle(layer, kind):
    places = {place.code: place for place in gather_places() if place.kind == kind}
    for code, outline in load_reference(layer).set_index("code").geometry.items():
        place = places[code]
        x, y = shapely.get_coordinates(outline).T
        assert geodesic_length(place.longitude, place.latitude, x, y).max() <= place.radius_m


def test_every_alias_is_a_place_of_the_gazetteer_and_none_has_a_position_of_its_own():
    aliases = pd.read_csv(ROOT / "geo" / "data" / "aliases.csv", dtype=str, keep_default_na=False)
    places = {place.code: place for place in gather_places()}
    assert list(aliases.columns) == [
        "alias", "target_kind", "target", "radius_m", "language", "valid_from", "valid_to", "note",
    ]  # fmt: skip
    assert not aliases.duplicated(["alias", "target"]).any()
    assert (aliases["note"] != "").all()
    names = aliases["target_kind"] == "name"
    known = {place.name for place in places.values()}
    assert set(aliases.loc[names, "target"]) <= known
    for row in aliases[~names].itertuples():
        place = places[row.target]
        assert place.kind == row.target_kind
        # never finer than the place that it stands for
        assert not row.radius_m or float(row.radius_m) >= place.radius_m


def test_dara_sakor_covers_both_districts_of_the_zone():
    found = first("Dara Sakor")
    districts = load_reference("districts").set_index("code").geometry
    x, y = shapely.get_coordinates(list(districts[["KH0901", "KH0902"]])).T
    assert geodesic_length(found.geometry.x, found.geometry.y, x, y).max() <= found["radius_m"]


# Names


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("O'Smach", "11591267"), ("O Smach", "11591267"), ("Osmach", "11591267"),
        ("O\u2019Smach", "11591267"), ("អូរស្មាច់", "11591267"), ("Poipet", "1830194"),
        ("Poi Pet", "1830194"), ("Paoy Paet", "1830194"), ("ប៉ោយប៉ែត", "1830194"),
        ("Bavet", "1829516"), ("បាវិត", "1829516"), ("Sihanoukville", "1831142"),
        ("Krong Preah Sihanouk", "1831142"), ("Preah Sihanouk", "1831142"),
        ("Veal Rinh", "KH180214"), ("Dara Sakor", "KH0902"), ("Otres", "1831142"),
        ("Bokor", "KH0709"), ("Phsar Pruhm", "KH24020312"), ("KK Park", "1308052"),
        ("Shwekokko", "13561226"), ("Laukkaing", "13494766"), ("Muse", "1308318"),
        ("Tachileik", "1295301"), ("Golden Triangle SEZ", "11244752"), ("Moc Bai", "1588057"),
        ("Phnom Penh", "1821306"), ("ភ្នំពេញ", "1821306"), ("រាជធានីភ្នំពេញ", "KH12"),
        ("Kompong Cham", "1831173"), ("Tbong Khmum", "KH25"), ("Mondulkiri", "KH11"),
        ("Koh Kong town", "1830468"), ("Mae Sot", "1152188"), ("Phnum Srok", "KH0103"),
    ],
)  # fmt: skip
def test_a_name_is_found_in_each_of_its_spellings(name, code):
    assert code in set(find_places(name)["code"])
    assert find_places(name).iloc[0]["score"] == 1


def test_homonyms_are_all_returned():
    assert kinds("Chrey Thum")[:3] == [
        ("commune", "KH200406"),
        ("village", "KH08120508"),
        ("village", "KH20080503"),
    ]
    exact = find_places("Thmor Da")
    assert exact.loc[exact["score"] == 1, "code"].tolist() == [
        "KH150605",
        "KH03130203",
        "KH03140908",
        "KH12140201",
        "KH16020405",
    ]


@pytest.mark.parametrize(
    ("name", "core", "allowed"),
    [
        ("Sangkat Bei", "Bei", {"commune"}), ("ភូមិជ្រៃធំ", "ជ្រៃធំ", {"village"}),
        ("ខេត្ត កំពត", "កំពត", {"province"}), ("Krong Poi Pet", "Poi Pet", {"town", "district"}),
        ("Koh Thom district", "Koh Thom", {"district"}), ("Khum Thma Da", "Thma Da", {"commune"}),
        ("City of Siem Reap", "Siem Reap", {"town", "district"}), ("Khan", "Khan", None),
        ("Khanh Hoa", "Khanh Hoa", None), ("Kampong Cham", "Kampong Cham", None),
    ],
)  # fmt: skip
def test_a_unit_word_is_taken_off_and_kept_in_mind(name, core, allowed):
    assert split_unit(name) == (core, frozenset(allowed) if allowed else None)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Srok Samraong", "district"), ("ស្រុកសំរោង", "district"), ("Khum Chrey Thum", "commune"),
        ("ភូមិជ្រៃធំ", "village"), ("Phum Chrey Thum", "village"), ("Kampot province", "province"),
    ],
)  # fmt: skip
def test_a_unit_word_keeps_only_its_kind(name, kind):
    assert set(find_places(name, country="KH")["kind"]) == {kind}


def test_a_township_abroad_is_wider_than_its_town():
    found = first("Myawaddy township", country="MM")
    assert found["kind"] == "district"
    assert found["radius_m"] == 40_000


@pytest.mark.parametrize("name", ["Bei", "Muoy", "Pir", "Buon"])
def test_numbered_communes_are_found_without_the_word_for_number(name):
    found = find_places(f"Sangkat {name}", admin1="Preah Sihanouk")
    assert found["name"].tolist() == [f"Lekh {name}"]


def test_a_name_that_moved_depends_on_the_date():
    assert [kind for kind, _ in kinds("Kampong Saom")][:2] == ["town", "district"]
    assert first("Kampong Saom", date="2018-05")["code"] == "1831142"
    assert "KH1806" not in set(find_places("Kampong Saom", date="2018-05")["code"])
    assert first("Kampong Saom", date="2026")["code"] == "KH1806"
    assert "1831142" not in set(find_places("Kampong Saom", date="2026")["code"])


def test_no_candidate_lies_outside_of_what_was_asked():
    for name in ("Samraong", "Chrey Thum", "Thmei", "Poipet", "Lao Cai"):
        assert set(find_places(name, country="KH")["country"]) <= {"KH"}
        assert set(find_places(name, admin1="Kandal")["admin1_code"]) <= {"KH08"}


@pytest.mark.parametrize("name", ["Kampong Cham", "Preah Vihear", "Battambang", "Svay Rieng"])
def test_another_provinces_name_is_no_candidate(name):
    for other in ("Kampong Chhnang", "Preah Sihanouk", "Stung Treng"):
        names = set(find_places(other, country="KH")["name"])
        assert name not in names


def test_nothing_found_is_an_empty_frame_with_the_same_columns():
    for empty in (find_places("Xyzzyqq"), find_places(""), find_places("Manila", country="PH")):
        assert len(empty) == 0
        assert list(empty.columns) == COLUMNS
        assert empty.crs == "EPSG:4326"
        assert empty.dtypes.equals(find_places("Poipet").dtypes)


def test_a_province_is_named_in_any_spelling_or_code():
    names = (
        "Otdar Meanchey",
        "Oddar Meanchey",
        "ខេត្តឧត្តរមានជ័យ",
        "KH22",
        "22",
        "oddar meanchey province",
    )
    assert {min(province_codes(name, "KH")) for name in names} == {"KH22"}
    assert province_codes("Shan", "MM") == province_codes("Shan State", None)


@pytest.mark.parametrize(
    "scope", [{"admin1": "Nowhere"}, {"country": "Cambodia"}, {"country": "MM", "admin1": "Kandal"}]
)
def test_an_unknown_country_or_province_is_an_error(scope):
    with pytest.raises(NotFoundError):
        find_places("Bavet", **scope)


def test_a_date_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="no date"):
        find_places("Bavet", date="May 2018")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_text_gets_an_answer_in_a_fixed_order(text):
    found = find_places(text)
    assert list(found.columns) == COLUMNS
    assert found["score"].is_monotonic_decreasing
    assert found["code"].is_unique


def test_towns_are_as_wide_as_their_people_need():
    radius = {place.name: place.radius_m for place in gather_places() if place.kind == "town"}
    assert radius["Ou Smach"] == 5000
    # 5 km * sqrt(1,573,544 / 50,000), rounded up to 100 m
    assert radius["Phnom Penh"] == 28_100
    outline = load_reference("provinces").set_index("code").geometry["KH12"]
    x, y = shapely.get_coordinates(outline).T
    assert geodesic_length(104.91601, 11.56245, x, y).max() < radius["Phnom Penh"]
    assert max(radius.values()) == 30_000


def test_bavet_without_a_polygon_is_around_its_town():
    found = find_places("Bavet", country="KH").set_index("kind")
    assert found.loc["district", "radius_m"] == 17_000
    assert found.loc["district"].geometry == found.loc["town"].geometry
    assert found.loc["town", "admin2_code"] == "KH2008"


def test_a_name_is_found_within_20_ms():
    rng = np.random.default_rng(1)
    find_places("Poipet")
    names = rng.choice(
        sorted({spelling.text for spelling in gather_spellings()[0]}), 300, replace=False
    )
    started = time.process_time()
    for name in names:
        find_places(name)
    # 4 ms where nothing else runs
    assert (time.process_time() - started) / len(names) < 0.02
