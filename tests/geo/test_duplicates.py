"""Reports of one site: found, not chained, merged without loss; against a known truth."""

import os
import re
import subprocess
import sys
from functools import cache
from itertools import combinations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal
from pyproj import Geod

from geo import duplicates
from geo._evidence import KINDS
from geo.duplicates import find_duplicates, merge_duplicates
from geo.errors import CRSError, GeometryError, SchemaError
from geo.examples import example_sites
from geo.reference import load_reference
from geo.schema import validate_sites

GEOD = Geod(ellps="WGS84")
HERE = (104.0, 12.0)  # fields: no town of the gazetteer is near

# ------------------------------------------------------------------------- a set of known truth

# Words of names that casinos, parks and places of the region have, none of them of a real site.
BRANDS = [
    "Golden", "Silver", "Royal", "Lucky", "Dragon", "Phoenix", "Jade", "Pearl", "Crown",
    "Diamond", "Fortune", "Victory", "Oriental", "Naga", "Angkor", "Rumduol", "Sovann",
    "Reaksmei", "Borei", "Mongkol", "Chey", "Sambath", "Samnang", "Thansuor", "Apsara",
    "Jinlong", "Huang", "Baoli", "Fuxing", "Tianhe", "Xinghai", "Wanda", "Hengfu", "Long",
    "Kirin", "Lotus", "Orchid", "Venus", "Empire",
]  # fmt: skip
GENERIC = [
    "Kampong", "Phnum", "Kaoh", "Svay", "Prey", "Boeng", "Stueng", "Tuol", "Trapeang", "Preaek",
]  # fmt: skip
KIND_WORDS = ["Casino", "Hotel", "Park", "Compound", ""]
# How sources write the same word otherwise: pairs seen in press, GeoNames and official lists.
SPELLINGS = {
    "Kampong": ["Kompong"], "Phnum": ["Phnom"], "Kaoh": ["Koh"], "Prey": ["Prei"],
    "Boeng": ["Boeung", "Beung"], "Stueng": ["Steung", "Stung"], "Tuol": ["Toul"],
    "Trapeang": ["Tropeang"], "Preaek": ["Prek"], "Sovann": ["Sovan"], "Reaksmei": ["Raksmey"],
    "Borei": ["Borey"], "Mongkol": ["Mongkul"], "Chey": ["Jey", "Chei"], "Rumduol": ["Rumdoul"],
    "Samnang": ["Somnang"], "Thansuor": ["Thansur"], "Jinlong": ["Jin Long"],
    "Fuxing": ["Fu Xing"], "Tianhe": ["Tian He"], "Xinghai": ["Xing Hai"], "Baoli": ["Bao Li"],
    "Hengfu": ["Heng Fu"], "Naga": ["Nagga"], "Phoenix": ["Phenix"], "Fortune": ["Fortuna"],
}  # fmt: skip
RADII = {"building": 30, "compound": 250, "street": 500, "village": 2_000, "town": 5_000}
RADII["district"] = 17_000
LEVELS = list(RADII)


def respell(rng, name, kind, town):
    """Write a site's name as another source would."""
    text = " ".join(rng.choice([word, *SPELLINGS.get(word, [])]) for word in name.split())
    if rng.random() < 0.1:
        text = text.replace(" ", "-")
    if rng.random() < 0.1:
        text = text.upper()
    if rng.random() < 0.5:
        text = f"{text} {kind}".strip()
    if rng.random() < 0.15:
        text = f"{text}, {town}" if rng.random() < 0.5 else f"{town} {text}"
    if rng.random() < 0.03:
        at = rng.integers(1, len(text) - 1)  # a letter lost
        text = text[:at] + text[at + 1 :]
    if rng.random() < 0.02:
        return rng.choice(["", f"Compound in {town}", "Casino building"])
    return text


def sites_of(rng, towns, count):
    """Sites within 3 km of towns, as many in each, no two of one name in a town."""
    sites = {}
    while len(sites) < count:
        town = towns.iloc[len(sites) % len(towns)]
        name = " ".join(rng.choice(BRANDS, rng.choice([2, 2, 3]), replace=False))
        if rng.random() < 0.25:
            name = f"{rng.choice(GENERIC)} {name}"
        if (town["name"], name) in sites:
            continue
        number = f" {rng.integers(2, 9)}" if rng.random() < 0.05 else ""
        lon, lat, _ = GEOD.fwd(
            town["longitude"], town["latitude"], rng.uniform(0, 360), 3000 * rng.random() ** 0.5
        )
        host = rng.choice(["casino", "hotel", "office"])
        sites[town["name"], name] = (town, name + number, rng.choice(KIND_WORDS), lon, lat, host)
    return list(sites.values())


@cache
def known_truth(seed, *, sites=300, reports=900, per_town=15):
    """Reports with the site that each speaks of: several sites in every town, radii 30 m-17 km."""
    rng = np.random.default_rng(seed)
    towns = load_reference("towns", country="KH")
    towns = towns[towns["population"] > 0].sample(max(sites // per_town, 2), random_state=seed)
    truth = sites_of(rng, towns, sites)
    rows = []
    of = np.concatenate([np.arange(sites), rng.integers(0, sites, reports - sites)])
    for number, site in enumerate(rng.permutation(of)):
        town, name, kind, x, y, host = truth[site]
        level = rng.choice(LEVELS)
        if level in ("town", "district"):
            x, y = town["longitude"], town["latitude"]
        else:
            x, y, _ = GEOD.fwd(x, y, rng.uniform(0, 360), RADII[level] * rng.random() ** 0.5)
        year = rng.integers(2020, 2026)
        rows.append(
            {
                "site_id": f"r{number:05d}",
                "name": respell(rng, name, kind, town["name"]),
                "locality": town["name"],
                "host_type": host if rng.random() < 0.5 else "",
                "status": rng.choice(["confirmed", "suspected"]),
                "first_reported": rng.choice([f"{year}", f"{year}-0{rng.integers(1, 10)}"]),
                "source": f"source {rng.integers(0, 40)}",
                "location_level": level,
                "uncertainty_m": RADII[level],
                "truth": site,
                "geometry": shapely.Point(x, y),
            }
        )
    return gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326")


@cache
def found(seed):
    """Pairs found in a known truth."""
    return find_duplicates(known_truth(seed))


def ends(pairs):
    """Both ids of each pair."""
    return set(zip(pairs["left"], pairs["right"], strict=True))


def true_pairs(reports):
    """Pairs of reports that speak of one site."""
    ids = reports["site_id"].groupby(reports["truth"])
    return {pair for _, some in ids for pair in combinations(sorted(some), 2)}


def measured(reports, pairs):
    """Precision and recall of `same`, and how many true pairs are called different or missed."""
    true = true_pairs(reports)
    same, review = (ends(pairs[pairs["decision"] == word]) for word in ("same", "review"))
    return {
        "precision": len(same & true) / len(same),
        "recall": len(same & true) / len(true),
        "review": len(review & true) / len(true),
        "lost": len(true - same - review),
        "true": len(true),
        "reviews": len(review),
    }


SEEDS = range(5)


@pytest.mark.parametrize("seed", SEEDS)
def test_same_is_right_and_finds_most_and_the_rest_is_in_review(seed):
    result = measured(known_truth(seed), found(seed))
    assert result["precision"] >= 0.98
    assert result["recall"] >= 0.90
    assert result["lost"] <= 0.005 * result["true"]
    # What a person has to look at stays a small part of what there is to compare.
    assert result["reviews"] <= 0.1 * len(found(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_reports_tied_to_one_site_are_all_near_each_other_and_none_is_different(seed):
    assert not chained(known_truth(seed), found(seed))


def groups_of(ids, pairs):
    """Ids tied by `same`, by plain search."""
    tied = {name: {name} for name in ids}
    for left, right in ends(pairs[pairs["decision"] == "same"]):
        joint = tied[left] | tied[right]
        tied.update(dict.fromkeys(joint, joint))
    return {frozenset(group) for group in tied.values()}


def chained(reports, pairs):
    """Pairs tied to one site that are different or out of reach."""
    listed = ends(pairs[pairs["decision"] != "different"])
    groups = groups_of(reports["site_id"], pairs)
    return {pair for g in groups for pair in combinations(sorted(g), 2)} - listed


# ------------------------------------------------------------------------- small sets


def sites(*rows, crs="EPSG:4326", **common):
    """Reports a, b, c, ...: all like `common`, each with what is its own; `at` is metres east."""
    cells = []
    for row, own in enumerate(rows):
        cell = {"site_id": "abcdefgh"[row], "uncertainty_m": 250.0, "at": 0.0} | common | own
        at = cell.pop("at")
        lon, lat, _ = GEOD.fwd(*HERE, 90, at or 0.0)
        cell["geometry"] = None if at is None else shapely.Point(lon, lat)
        if at is None:
            cell["uncertainty_m"] = None
        cells.append(cell)
    return gpd.GeoDataFrame(cells, geometry="geometry", crs=crs)


def decisions(pairs):
    """Decision of each pair, such as {"ab": "same"}."""
    return dict(zip(pairs["left"] + pairs["right"], pairs["decision"], strict=True))


def test_one_report_has_no_pairs_and_the_empty_table_has_the_same_columns():
    none, some = find_duplicates(sites({})), find_duplicates(sites({}, {}))
    assert len(none) == 0
    assert len(some) == 1
    assert none.dtypes.to_dict() == some.dtypes.to_dict()
    assert list(none) == [
        *("left", "right", "distance_m", "name_score", "weight", "evidence", "decision"),
    ]


def test_one_name_at_one_place_is_one_site_and_another_name_is_not():
    pairs = find_duplicates(
        sites({"name": "Golden Sun Casino"}, {"name": "GOLDEN-SUN"}, {"name": "Blue Moon Casino"})
    )
    assert decisions(pairs) == {"ab": "same", "ac": "review", "bc": "review"}
    wide = find_duplicates(
        sites({"name": "Golden Sun"}, {"name": "Blue Moon Casino"}, uncertainty_m=5000)
    )
    assert decisions(wide) == {"ab": "different"}


@pytest.mark.parametrize(
    "other", ["ជ័យមង្គល", "Jey Mongkul", "Chei Mongkol Hotel", "CHEYMONGKOL", "Chéy  Mongkôl"]
)
def test_names_are_compared_across_scripts_and_spellings(other):
    pairs = find_duplicates(sites({"name": "Chey Mongkol"}, {"name": other}))
    assert decisions(pairs) == {"ab": "same"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Golden Sun 2", "Golden Sun 3"),
        ("Golden Sun", "Golden Sun 2"),
        ("Golden Sun", "Golden Moon"),
        ("Kampong Chey", "Kampong Sambath"),
    ],
)
def test_neighbours_with_like_names_are_never_the_same(one, other):
    pairs = find_duplicates(sites({"name": one}, {"name": other}, locality="L", host_type="hotel"))
    assert "same" not in set(pairs["decision"])


def test_any_of_several_names_and_aliases_counts():
    frame = sites({"name": "Blue Moon|Golden Sun"}, {"name": "Red Star", "aliases": "Golden Sunn"})
    assert decisions(find_duplicates(frame)) == {"ab": "same"}


@pytest.mark.parametrize(
    "names",
    [
        (None, None),
        ("", "Golden Sun"),
        ("Scam compound", "scam compound"),
        ("Casino 7", "Casino 7"),
        ("Compound in Kampong Speu", "Compound in Kampong Speu"),
        ("The hotel near Osmach", "Hotel, Ou Smach"),
        ("Kompong Speu compound", "Kompong Speu compound"),
        ("—", "—"),
        ("\u200b", "\u200b"),
        ("7", "7"),
    ],
)
def test_circles_that_overlap_without_telling_names_are_never_the_same(names):
    frame = sites(
        *({"name": name} for name in names),
        uncertainty_m=30.0,
        locality="O'Smach",
        admin1="Kampong Speu",
        host_type="casino",
    )
    pairs = find_duplicates(frame)
    assert decisions(pairs) == {"ab": "review"}
    assert pairs["name_score"].isna().all()


def test_a_town_nearby_in_a_name_tells_nothing_and_far_away_it_does():
    town = load_reference("towns", country="KH").set_index("name").loc["Paoy Paet"]
    frame = sites({"name": "Poipet Casino"}, {"name": "Poipet Casino"}, uncertainty_m=30.0)
    assert decisions(find_duplicates(frame)) == {"ab": "same"}
    there = frame.set_geometry([shapely.Point(town["longitude"], town["latitude"])] * 2, crs=4326)
    assert decisions(find_duplicates(there)) == {"ab": "review"}


def test_without_names_nothing_of_a_known_truth_is_the_same():
    frame = known_truth(0).assign(name=None)
    assert "same" not in set(find_duplicates(frame)["decision"])


@pytest.mark.parametrize("middle", [1, 2, 3])
def test_vague_points_never_chain_sites_that_are_out_of_reach(middle):
    # Two casinos of one name in two towns, and vague reports that could mean either.
    apart = 15_000 * (middle + 1)
    vague = [{"at": apart * (i + 1) / (middle + 1), "uncertainty_m": 17_000} for i in range(middle)]
    frame = sites({"at": 0}, *vague, {"at": apart}, name="Golden Sun")
    pairs = find_duplicates(frame)
    assert len(pairs) >= middle + 1
    assert not chained(frame, pairs)
    first, last = frame["site_id"].iloc[[0, -1]]
    (group,) = (g for g in groups_of(frame["site_id"], pairs) if first in g)
    assert last not in group


def test_a_vague_report_between_two_sites_leaves_each_of_them_whole():
    frame = sites(
        {"name": "Golden Sun Moon", "at": 0},
        {"name": "Golden Sun Moon", "at": 100},
        {"name": "Golden Sun Moon", "at": 20_000},
        {"name": "Golden Sun Moon", "at": 20_100},
        {"name": "Golden Sun Moon", "at": 10_000, "uncertainty_m": 17_000},
    )
    same = {pair for pair, word in decisions(find_duplicates(frame)).items() if word == "same"}
    assert same == {"ab", "cd"}


def test_a_chain_that_no_single_report_closes_goes_to_review_altogether():
    # Each is the same as the next, in doubt with the one after it, out of reach of the last.
    frame = sites(
        {"at": 0, "uncertainty_m": 30},
        {"at": 10_000, "uncertainty_m": 17_000},
        {"at": 17_150, "uncertainty_m": 17_000},
        {"at": 27_150, "uncertainty_m": 30},
        name="Golden Sun",
    )
    pairs = find_duplicates(frame)
    assert decisions(pairs) == dict.fromkeys(("ab", "ac", "bc", "bd", "cd"), "review")
    assert (pairs["weight"] >= 5).sum() == 3


def test_reports_without_location_are_listed_by_name_within_their_province_for_review():
    frame = sites(
        {"name": "Golden Sun"},
        {"name": "Golden Sun Casino", "at": None},
        {"name": "Golden-Sunn", "at": None, "admin1": "កំពង់ចាម"},
        {"name": "Golden Sun", "at": None, "admin1": "Kampot"},
        {"name": "Golden Sun", "at": None, "admin1": None},
        {"name": None, "at": None},
        {"name": "Casino", "at": None},
        {"name": "Golden Sun 2", "at": None},
        admin1="Kampong Cham",
    )
    pairs = find_duplicates(frame)
    assert decisions(pairs) == dict.fromkeys(("ab", "ac", "bc"), "review")
    assert pairs["distance_m"].isna().all()
    assert pairs["evidence"].str.contains("without location", regex=False).all()


EVIDENCE = [
    ({"name": "Golden Sun"}, {"name": "Golden Sun"}, "same name (+6)"),
    ({"name": "Golden Sun Casino"}, {"name": "Golden Sun Hotel"}, "nearly the same name (+4)"),
    ({"name": "Golden Sun"}, {"name": "Golden Sun 2"}, "similar names (+2)"),
    ({"name": "Golden Sun Rise"}, {"name": "Golden Sun Fort"}, "names share some words (+0)"),
    ({"name": "Golden Sun"}, {"name": "Blue Moon"}, "different names (-5)"),
    ({"name": "Golden Sun"}, {}, "no telling name on both sides (+0)"),
    ({}, {"at": 400}, "within both radii, 1 km together (+3)"),
    ({}, {"uncertainty_m": 5000}, "within both radii, 12 km together (+1)"),
    ({}, {"uncertainty_m": 17_000}, "within both radii, too wide to tell (+0)"),
    ({}, {"at": 700}, "farther apart than both radii (-2)"),
    ({"locality": "Chamkar"}, {"locality": "Chamcar"}, "same locality (+1)"),
    ({"locality": "Chamkar Leu"}, {"locality": "Boeng Kok"}, "different localities (-1)"),
    ({"admin1": "Kampot"}, {"admin1": "Kandal"}, "different admin1 (-4)"),
    (
        {"admin1": "Kampot", "admin1_code": "KH07"},
        {"admin1": "Kampot", "admin1_code": "KH08"},
        "different admin1 (-4)",
    ),
    ({"admin2": "Samraong"}, {"admin2": "Bavet"}, "different admin2 (-1)"),
    ({"host_type": "casino|hotel"}, {"host_type": "Hotel"}, "same host type (+1)"),
    ({"host_type": "casino"}, {"host_type": "office"}, "different host types (-1)"),
    ({"last_reported": "2019"}, {"first_reported": "2023-05"}, "reported years apart (-1)"),
    ({"status": "rejected"}, {"status": "suspected"}, "status or activity contradict (-0.5)"),
    ({"operating": "operating"}, {"operating": "closed"}, "status or activity contradict (-0.5)"),
]


@pytest.mark.parametrize(("one", "other", "text"), EVIDENCE)
def test_each_evidence_is_written_and_weighed_whichever_side_shows_it(one, other, text):
    both = [find_duplicates(sites(*rows)).iloc[0] for rows in ((one, other), (other, one))]
    for pair in both:
        assert text in pair["evidence"].split("; ")
        written = re.findall(r"\(([+-][\d.]+)\)", pair["evidence"])
        assert pair["weight"] == sum(map(float, written))
    assert_series_equal(*both)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"admin1": "Kampong Cham"}, {"admin1": "ខេត្តកំពង់ចាម"}),
        ({"admin1": "X", "admin1_code": "KH07"}, {"admin1": "Y", "admin1_code": "KH07"}),
        ({"last_reported": "2021"}, {"first_reported": "2023-05"}),
        ({"first_reported": "2019", "last_reported": "2023"}, {"first_reported": "2023-05"}),
        ({"status": "confirmed"}, {"status": "suspected"}),
        ({"operating": "unknown"}, {"operating": "closed"}),
        ({"host_type": "casino"}, {}),
    ],
)
def test_what_does_not_contradict_weighs_nothing(one, other):
    (pair,) = find_duplicates(sites(one, other)).to_dict("records")
    assert pair["weight"] == 3


def test_the_documented_table_is_the_one_in_use():
    rows = re.findall(r"^ *([+-][\d.]+) +(\S.*?)  +\S", find_duplicates.__doc__, re.MULTILINE)
    items = [item for kind in KINDS for item in kind if item.text]
    assert sorted(rows) == sorted((f"{item.weight:+g}", item.text) for item in items)
    assert {item.text for item in items} >= {text.rpartition(" ")[0] for *_, text in EVIDENCE}


# ------------------------------------------------------------------------- any set

POOL = ["Golden Sun", "Golden Sun Casino", "Blue Moon", "Casino", None, "Golden Sun 2", "ជ័យមង្គល"]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(POOL) | st.text(max_size=12),
            "aliases": st.none() | st.text(max_size=12),
            "locality": st.sampled_from(["Bavet", "O'Smach", None]) | st.text(max_size=8),
            "admin1": st.sampled_from(["Kampot", None]),
            "at": st.sampled_from([0.0, 300.0, 9_000.0, 25_000.0, None]),
            "uncertainty_m": st.sampled_from([30.0, 250.0, 5_000.0, 17_000.0]),
            "status": st.sampled_from(["confirmed", "rejected", "unknown"]),
            "first_reported": st.sampled_from(["2019", "2024-03", None]),
            "last_reported": st.sampled_from(["2024-03-05", "2025", None]),
        }
    ),
    min_size=1,
    max_size=8,
)


def valid(rows):
    """Sites of any cells that the schema takes."""
    frame = sites(*rows)
    try:
        return validate_sites(frame)
    except SchemaError:  # characters that no cell may hold
        return validate_sites(frame.assign(name="Golden Sun", aliases=None, locality="Bavet"))


@settings(deadline=None, max_examples=40)
@given(rows=ROWS, seed=st.integers(0, 2**32 - 1))
def test_row_order_and_index_never_change_an_answer(rows, seed):
    frame = valid(rows)
    shuffled = frame.sample(frac=1, random_state=seed)
    pairs = find_duplicates(frame)
    assert_frame_equal(pairs, find_duplicates(shuffled))
    one, other = merge_duplicates(frame, pairs), merge_duplicates(shuffled, pairs)
    assert_frame_equal(one, other.loc[one.index])


@settings(deadline=None, max_examples=40)
@given(rows=ROWS)
def test_a_pair_is_the_same_whichever_report_has_the_lesser_id(rows):
    frame = valid(rows)
    turned = dict(zip(frame["site_id"], frame["site_id"][::-1], strict=True))
    mirrored = find_duplicates(frame.assign(site_id=frame["site_id"].map(turned)))
    one = find_duplicates(frame)
    one = one.assign(left=one["right"].map(turned), right=one["left"].map(turned))
    by = ["left", "right"]
    assert_frame_equal(
        one.sort_values(by, ignore_index=True).astype(mirrored.dtypes),
        mirrored.sort_values(by, ignore_index=True),
    )


@settings(deadline=None, max_examples=40)
@given(rows=ROWS)
def test_any_text_is_answered_within_the_rules(rows):
    frame = valid(rows)
    before = frame.copy(deep=True)
    pairs = find_duplicates(frame)
    assert not chained(frame, pairs)
    assert (pairs["left"] < pairs["right"]).all()
    known = {f"{item.text} ({item.weight:+g})" for kind in KINDS for item in kind}
    assert {part for text in pairs["evidence"] for part in text.split("; ")} <= known
    same = pairs[pairs["decision"] == "same"]
    assert (same["name_score"] >= 0.86).all()
    assert (same["weight"] >= 5).all()
    assert same["distance_m"].notna().all()
    assert (pairs.loc[pairs["decision"] == "different", "weight"] <= -3).all()
    merged = merge_duplicates(frame, pairs)
    assert {frozenset(ids.split("|")) for ids in merged["report_ids"]} == groups_of(
        frame["site_id"], pairs
    )
    assert_frame_equal(validate_sites(merged), merged)
    assert_frame_equal(frame, before)


@pytest.mark.parametrize("most", [None, 0.0, 900.0, 1e9])
def test_pairs_within_reach_are_those_of_all_pairs_measured_one_by_one(most):
    reports = known_truth(7).head(150)
    pairs = find_duplicates(reports, max_distance_m=most)
    rows = reports.set_index("site_id").sort_index()
    expected = {}
    for one, other in combinations(rows.itertuples(), 2):
        length = GEOD.inv(one.geometry.x, one.geometry.y, other.geometry.x, other.geometry.y)[2]
        reach = one.uncertainty_m + other.uncertainty_m + 250
        if length <= min(reach, np.inf if most is None else most):
            expected[one.Index, other.Index] = length
    assert ends(pairs) == expected.keys()
    for left, right, length in pairs[["left", "right", "distance_m"]].itertuples(index=False):
        assert length == pytest.approx(expected[left, right], abs=1e-6)


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from test_duplicates import known_truth
from geo.duplicates import find_duplicates, merge_duplicates
reports = known_truth(3)
pairs = find_duplicates(reports)
text = pairs.to_csv() + merge_duplicates(reports, pairs).to_csv()
sys.stdout.buffer.write(text.encode())
"""


def test_another_process_answers_the_same_bytes():
    script = SCRIPT.format(folder=os.path.dirname(__file__))  # noqa: PTH120 - text for a script
    answers = [
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert len(answers[0]) > 100_000
    assert answers[0] == answers[1]


@pytest.mark.parametrize("length", [-1, float("nan")])
def test_a_greatest_distance_that_is_no_length_is_refused(length):
    with pytest.raises(ValueError, match="must be a length in metres"):
        find_duplicates(sites({}, {}), max_distance_m=length)


def test_frames_that_are_no_sites_are_refused():
    with pytest.raises(CRSError):
        find_duplicates(sites({}, {}, crs=None))
    with pytest.raises(GeometryError):
        find_duplicates(sites({}, {}).set_geometry([shapely.box(104, 12, 105, 13)] * 2, crs=4326))
    with pytest.raises(SchemaError):
        find_duplicates(sites({}, {"site_id": "a"}))


@pytest.mark.parametrize("at", [0.0, None])
def test_too_many_pairs_are_refused_with_what_to_do(monkeypatch, at):
    monkeypatch.setattr(duplicates, "_MOST_PAIRS", 5)
    frame = sites(*[{"at": at}] * 4, name="Golden Sun", admin1="Kampot")
    with pytest.raises(GeometryError, match="Compare them by parts"):
        find_duplicates(frame)


def test_shipped_reports_name_no_site_so_that_none_is_called_the_same():
    reports = example_sites()
    assert reports["name"].isna().all()
    pairs = find_duplicates(reports)
    assert "same" not in set(pairs["decision"])
    # Three reports at O'Smach are the likeliest, and are for a person to read.
    town = set(reports.loc[reports["locality"] == "O'Smach", "site_id"])
    assert ends(pairs.head(3)) == set(combinations(sorted(town), 2))
    # Only reports of two provinces are told apart.
    province = reports.set_index("site_id")["admin1"]
    apart = pairs[pairs["decision"] == "different"]
    assert len(apart) == 6
    assert all(province[left] != province[right] for left, right in ends(apart))
    assert len(merge_duplicates(reports, pairs)) == 97


# ------------------------------------------------------------------------- merging


def tie(*pairs, decision="same"):
    """Pairs as a person may write them: only what is needed."""
    return pd.DataFrame([(left, right, decision) for left, right in pairs], columns=COLUMNS)


COLUMNS = ["left", "right", "decision"]


def merged(*rows, **common):
    """Merge all reports into one site, as a dictionary."""
    frame = sites(*rows, **common)
    ids = frame["site_id"].tolist()
    (row,) = merge_duplicates(frame, tie(*((ids[0], other) for other in ids[1:]))).to_dict(
        "records"
    )
    return {
        name: None if value is not None and pd.isna(value) else value for name, value in row.items()
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_merging_keeps_every_report_and_is_valid(seed):
    reports = known_truth(seed)
    one = merge_duplicates(reports, found(seed))
    ids = [name for text in one["report_ids"] for name in text.split("|")]
    assert sorted(ids) == sorted(reports["site_id"])
    assert one["n_reports"].sum() == len(reports)
    assert (one["n_confirmed"].sum(), one["n_suspected"].sum()) == tuple(
        reports["status"].value_counts()[["confirmed", "suspected"]]
    )
    assert_frame_equal(validate_sites(one), one)
    told = reports.set_index("site_id")
    for site in one.itertuples():
        own = told.loc[site.report_ids.split("|")]
        best = own[own["uncertainty_m"] == own["uncertainty_m"].min()]
        assert site.site_id == min(own.index)
        assert site.geometry in set(best["geometry"])
        assert site.uncertainty_m == best["uncertainty_m"].iloc[0]
        assert set(site.source.split("|")) == set(own["source"])
        assert site.first_reported[:4] == min(own["first_reported"])[:4]
    # Merged sites are Sites: what is found among them is merged without losing the first reports.
    pairs = find_duplicates(one)
    again = merge_duplicates(one, pairs)
    assert sorted(i for text in again["report_ids"] for i in text.split("|")) == sorted(ids)
    assert again["n_reports"].sum() == len(reports)
    assert_frame_equal(merge_duplicates(one, pairs.head(0)), one)


def test_sites_stand_in_the_order_and_with_the_index_of_the_reports_that_they_keep():
    frame = sites({}, {}, {}, {}).iloc[[3, 1, 0, 2]].set_axis(["w", "x", "x", "z"])
    frame.attrs = {"source_sha256": "0"}
    one = merge_duplicates(frame, tie("cb", "da"))
    assert one["site_id"].tolist() == ["b", "a"]
    assert one.index.tolist() == ["x", "x"]
    assert one.attrs == frame.attrs
    assert one["report_ids"].tolist() == ["b|c", "a|d"]


def test_pairs_edited_by_a_person_are_followed():
    frame = sites({"name": "Golden Sun"}, {"name": "Golden Sun"}, {"name": "Blue Moon"})
    pairs = find_duplicates(frame)
    pairs["decision"] = ["different", "same", "review"]
    assert merge_duplicates(frame, pairs)["report_ids"].tolist() == ["a|c", "b"]
    assert len(merge_duplicates(frame, tie("ab", "bc"))) == 1
    assert len(merge_duplicates(frame, tie("ab", decision="review"))) == 3
    assert len(merge_duplicates(frame, tie())) == 3


@pytest.mark.parametrize(
    ("pairs", "message", "problems"),
    [
        (tie("az"), "1 of 1 pairs name a right site_id that no report has", 1),
        (tie("ab", "zb"), "1 of 2 pairs name a left site_id", 1),
        (tie((None, "b")), "left site_id", 1),
        (tie("ab", decision="yes"), "1 of 1 decisions are not one of same, review, different", 1),
        (tie("ab", decision=None), "decisions are not one of", 1),
        (
            pd.concat([tie("ab", "bc"), tie("ac", decision="different")]),
            "1 pairs are decided to be different, but other pairs tie both",
            1,
        ),
    ],
)
def test_pairs_that_cannot_be_followed_are_refused_with_the_pairs_at_fault(
    pairs, message, problems
):
    with pytest.raises(SchemaError, match=message) as caught:
        merge_duplicates(sites({}, {}, {}), pairs)
    assert len(caught.value.problems) == problems


def test_pairs_without_the_columns_needed_are_refused():
    with pytest.raises(SchemaError, match="no column decision, right"):
        merge_duplicates(sites({}, {}), pd.DataFrame({"left": ["a"]}))


def test_the_place_is_that_of_the_best_located_report_with_its_own_words():
    place = {"uncertainty_m": 30.0, "at": 100, "location_level": "building", "admin1": None}
    one = merged(
        {"at": 0, "uncertainty_m": 5000.0, "admin1": "Kampot", "verbatim_location": "in town"},
        place | {"location_method": "assigned", "verbatim_location": "by the road"},
        place | {"location_method": "measured", "verbatim_location": "by the gate", "at": 120},
        {"at": None, "verbatim_location": "somewhere"},
    )
    assert one["uncertainty_m"] == 30
    assert one["location_method"] == "measured"
    assert one["verbatim_location"] == "by the gate"
    assert one["admin1"] == "Kampot"  # it has none of its own
    assert GEOD.inv(*HERE, one["geometry"].x, one["geometry"].y)[2] == pytest.approx(120)
    assert one["conflicts"] is None


@pytest.mark.parametrize(("at", "conflicts"), [(499, None), (501, "geometry")])
def test_a_place_out_of_the_reach_of_the_best_one_is_a_conflict(at, conflicts):
    assert merged({}, {"at": at})["conflicts"] == conflicts


def test_reports_without_any_location_stay_without():
    one = merged({}, {}, at=None, admin1="Kampot")
    assert one["geometry"] is None
    assert one["uncertainty_m"] is None


@pytest.mark.parametrize(
    ("column", "values", "value", "conflict"),
    [
        ("status", ["suspected", "confirmed", "unknown"], "confirmed", False),
        ("status", ["unknown", "suspected"], "suspected", False),
        ("status", ["rejected", "unknown"], "rejected", False),
        ("status", ["rejected", "suspected"], "unknown", True),
        ("sensitivity", ["public", "protected", "restricted"], "protected", False),
        ("sensitivity", ["public", "restricted"], "restricted", False),
        ("sensitivity", ["public", None], None, False),
        ("sensitivity", ["public", "public"], "public", False),
        ("abuses", ["torture|slavery", "slavery", None], "torture|slavery", False),
        ("source", ["A", "B|A"], "A|B", False),
        ("admin1", ["Kampong Cham", "ខេត្តកំពង់ចាម"], "Kampong Cham", False),
        ("admin1", ["Kampot", "Kandal"], "Kampot", True),
        ("first_reported", ["2023-05", "2023", "2024"], "2023", False),
        ("first_reported", ["2023-01", "2023", None], "2023-01", False),
        ("last_reported", ["2023-05", "2023", "2022-12-31"], "2023", False),
        ("last_reported", ["2023-12", "2023", None], "2023-12", False),
        ("operating", ["unknown", "closed"], "closed", False),
        ("operating", ["operating", "closed"], "unknown", True),
        ("notes", ["x", None, "x"], "x", False),
        ("notes", ["x", "y"], None, True),
        (7, ["x", "y"], None, True),
        ("score", [1.5, 1.5], 1.5, False),
        ("first", ["x", None], "x", False),
        ("last", [1, 2], None, True),
        ("checked", [True, True], True, False),
        ("source_row", [3, 5], 3, False),
    ],
)
def test_cells_of_a_merged_site(column, values, value, conflict):
    one = merged(*({column: given} for given in values))
    assert one[column] == value
    assert one["conflicts"] == (str(column) if conflict else None)


def test_counts_stand_beside_the_status():
    one = merged(*({"status": w} for w in ("confirmed", "rejected", "suspected", "suspected")))
    counts = [one[f"n_{w}"] for w in ("confirmed", "suspected", "rejected", "unknown", "reports")]
    assert counts == [1, 2, 1, 0, 4]


def test_activity_is_that_of_the_last_report_which_is_surely_later():
    old = {"operating": "operating", "last_reported": "2023"}
    assert merged(old, {"operating": "closed", "last_reported": "2024"})["operating"] == "closed"
    vague = merged(old, {"operating": "closed", "last_reported": "2023-06"})
    assert (vague["operating"], vague["conflicts"]) == ("unknown", "operating")
    later = {"operating": "unknown", "last_reported": "2025"}
    assert merged(old, later)["operating"] == "operating"


def test_dates_stay_in_order_where_reports_have_only_one_of_them():
    one = merged({"first_reported": "2024"}, {"last_reported": "2022"})
    assert (one["first_reported"], one["last_reported"]) == ("2022", "2024")


def test_names_and_sources_are_all_kept():
    one = merged(
        {"name": "Blue Moon", "source_url": "https://a.example/", "source_date": "2024"},
        {"name": "Golden Sun", "aliases": "Sun|Old Moon", "source_url": "https://b.example/"},
        {"name": "GOLDEN-SUN", "source_url": "https://c.example/", "source_date": "2025"},
        {"name": "—", "source_url": None},
        {"name": "…", "source_url": None},
    )
    assert one["name"] == "Golden Sun"
    assert one["aliases"] == "Blue Moon|—|…|Sun|Old Moon"
    assert one["source_urls"] == "https://a.example/|https://b.example/|https://c.example/"
    assert (one["source_url"], one["source_date"]) == ("https://c.example/", "2025")


def test_rows_in_files_are_kept():
    one = merged(
        {"source_file": "x.csv", "source_row": 4}, {"source_file": "y.csv", "source_row": 2}, {}
    )
    assert one["report_rows"] == "x.csv:4|y.csv:2"


def test_merged_sites_and_new_reports_can_be_merged_together():
    first = merge_duplicates(sites({"status": "confirmed"}, {}, {}), tie("ab"))
    new = sites({"site_id": "d", "status": "suspected"})
    both = pd.concat([first, new], ignore_index=True)
    one = merge_duplicates(both, tie("ad"))
    assert one["report_ids"].tolist() == ["a|b|d", "c"]
    assert one["n_reports"].tolist() == [3, 1]
    assert (one["n_confirmed"][0], one["n_suspected"][0], one["n_unknown"][0]) == (1, 1, 1)


def test_columns_of_a_table_that_only_look_like_counts_do_no_harm():
    one = merged({"n_confirmed": "some", "n_reports": "9"}, {"n_confirmed": None})
    assert (one["n_confirmed"], one["n_unknown"], one["n_reports"]) == (0, 2, 2)
