"""The linter of words: what it refuses, what passes, and what it says instead."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point, box

import geo
from geo.casecontrol import case_control
from geo.wording import check_words

PLANE = "EPSG:32648"
BOX = gpd.GeoSeries([box(0, 0, 1000, 1000)], crs=PLANE)
CLUMPS = geo.thomas(BOX, parents_per_km2=8, offspring=8, spread_m=20)


def points(model, n, seed) -> gpd.GeoDataFrame:
    return model.simulate(n, rng=seed).to_frame("geometry").assign(uncertainty_m=1.0)


def enveloped(sites, null=None, **options):
    options = {"n_simulations": 99, "rng": 1, "progress": False} | options
    return geo.envelope_test(sites, BOX, null=null, **options)


def words(text, **given) -> list[str]:
    return check_words(text, **given)["words"].tolist()


def known_to(radius) -> gpd.GeoDataFrame:
    radius = np.atleast_1d(radius)
    return gpd.GeoDataFrame(
        {"uncertainty_m": radius}, geometry=[Point(104.5, 12.8)] * len(radius), crs=4326
    )


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("Compounds are clustered at the border", ["clustered"]),
        ("A cluster of compounds, and hot spots of forced labour", ["cluster", "hot spots"]),
        ("Hotspots and hot-spot maps; CLUSTERS", ["Hotspots", "hot-spot", "CLUSTERS"]),
        ("Sites are not spread evenly: they are clustered", ["clustered"]),
        ("Not surprisingly they are clustered", ["clustered"]),
        ("There is no doubt that sites are clustered", ["clustered"]),
        ("Sites are not only clustered but growing", ["clustered", "growing"]),
        ("The clustered sites were not investigated", ["clustered"]),
        ("A sharp increase in compounds since 2022", ["increase"]),
        ("Compounds grew from 11 to 27, and closures surged", ["grew", "surged"]),
        (
            "Slave compounds are mushrooming; a booming trade, on the rise",
            ["mushrooming", "booming", "rise"],
        ),
        ("No fewer than four clusters; nothing less than a hot spot", ["clusters", "hot spot"]),
        (
            "The rise of compounds: they doubled, then tripled, and more and more proliferate",
            ["rise", "doubled", "tripled", "more and more", "proliferate"],
        ),
    ],
)
def test_what_no_analysis_carries_is_refused_with_a_sentence_instead(text, refused):
    found = check_words(text)
    assert found["words"].tolist() == refused
    assert list(found.columns) == ["words", "problem", "instead"]
    assert (found["problem"].str.len() > 20).all()
    assert (found["instead"].str.len() > 5).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Reports are concentrated in Preah Sihanouk.",
        "Reports are concentrated; the sites are not clustered.",
        "This does not by itself show that sites are clustered.",
        "No evidence of clustering, no hot spots and no increase in compounds.",
        "It doesn't mean that compounds increased.",
        "Clusters of sites cannot be told from these locations.",
        "The test asks whether sites are clustered.",
        "The number of reports increased after the raids.",
        "An increase in reporting, not in compounds.",
        "Without a baseline nothing is called a cluster.",
        "A high-rise, and a rising number of reports.",
        "A high rise with a double fence, in a multiple of the rows.",
        "That compounds have multiplied is not shown.",
    ],
)
def test_denials_and_words_about_reports_pass(text):
    assert words(text) == []


def test_the_replacements_pass_themselves():
    found = check_words("Clustered hot spots increase, 1,987 m away", sites=known_to(2000))
    assert len(found) == 4
    for instead in found["instead"]:
        assert words(instead, sites=known_to(2000)) == []


def test_only_a_test_against_a_baseline_that_rejects_carries_clusters():
    text = "Sites are clustered"
    sites, even = points(CLUMPS, 0, 3), points(geo.csr(BOX), 60, 4)
    homogeneous = enveloped(sites, alternative="greater")
    assert homogeneous.pvalue == 0.01
    (problem,) = check_words(text, results=[homogeneous])["problem"]
    assert "equally likely" in problem
    options = {"distances_m": [25, 50, 100], "n_simulations": 99, "rng": 1}
    against = case_control(sites, even, BOX, **options)
    assert words(text, results=[homogeneous, against]) == []
    # the same pair the other way round: less clustered, with as small a p
    reverse = case_control(even, sites, BOX, **options)
    assert reverse.pvalue <= 0.05
    assert words(text, results=[reverse]) == ["clustered"]
    nothing = case_control(points(geo.csr(BOX), 60, 5), even, BOX, **options)
    assert nothing.pvalue > 0.05
    (problem,) = check_words(text, results=[nothing])["problem"]
    assert "No test against a baseline" in problem


def test_empty_space_counts_from_below_and_a_uniform_baseline_is_none():
    sites, even = points(CLUMPS, 0, 3), points(geo.csr(BOX), 200, 4)
    labels = geo.random_labelling(sites, even, BOX)
    options = {"function": geo.empty_space_f, "distances_m": [40, 80]}
    assert words("A cluster", results=[enveloped(sites, labels, **options)]) == []
    border = gpd.GeoSeries([Point(0, 0)], crs=PLANE)
    near = gpd.GeoSeries.from_xy(range(5, 65, 2), [5.0] * 30, crs=PLANE).to_frame("geometry")
    options = {"alternative": "less", "n_simulations": 99, "rng": 1, "progress": False}
    uniform = geo.proximity_test(near, border, baseline=BOX, **options)
    assert uniform.pvalue == 0.01
    assert words("Clustered at the gate", results=[uniform]) == ["Clustered"]
    controls = geo.proximity_test(near, border, baseline=even, **options)
    assert words("Clustered at the gate", results=[controls]) == []


@pytest.mark.parametrize(
    ("text", "radius", "instead"),
    [
        ("1,987 m from the border", 2000, ["about 2 km"]),
        ("1987 metres from the border", 2000, ["about 2 km"]),
        ("1.987 km", 250, ["about 2 km"]),
        ("1.987 km", 30, ["about 1.99 km"]),
        ("400 m away", 5000, ["less than 1 km"]),
        ("a 12.4-km walk, then 30 km", 5000, ["about 12 km"]),
        ("1\u202f987 m", 2000, ["about 2 km"]),
        ("about 2 km, and 12 km, 50 km", 2000, []),
        ("1,990 m", 30, []),
        ("a radius of 250 m, a grid of 1.5 km, known to within 130 m", 5000, []),
        ("an area of 1.5 km2 or 2.25 km\u00b2, 12 men, version 1.25", 5000, []),
    ],
)
def test_a_distance_has_no_more_digits_than_the_radius_allows(text, radius, instead):
    found = check_words(text, sites=known_to(radius))
    assert found["instead"].tolist() == instead


def test_the_radius_is_that_of_a_quarter_of_located_sites_or_known_from_the_results():
    text = "1,234 m"
    assert words(text) == []
    mixed = known_to([30.0, 30.0, 5000.0, np.nan])
    mixed.loc[4] = {"uncertainty_m": 50_000.0, "geometry": None}
    assert check_words(text, sites=mixed)["instead"].tolist() == ["about 1 km"]
    assert words(text, sites=known_to([np.nan, np.nan])) == []
    result = enveloped(points(CLUMPS, 0, 3).assign(uncertainty_m=40.0), distances_m=[100, 200])
    found = check_words(text, results=[result])
    assert found["instead"].tolist() == ["about 1.23 km"]
    assert "within 40 m" in found["problem"][0]


def test_summaries_of_the_library_pass_their_own_check():
    sites = points(CLUMPS, 0, 3)
    for result in (enveloped(sites), geo.ripley_l(sites, BOX)):
        assert words(result.summary()) == []


def test_findings_stand_in_the_order_of_the_text_and_the_text_is_one():
    text = "Hot spots 1,987 m away increase; clusters"
    found = words(text, sites=known_to(2000))
    assert found == ["Hot spots", "1,987 m", "increase", "clusters"]
    with pytest.raises(TypeError, match="text is a list"):
        check_words(["Clusters"])
