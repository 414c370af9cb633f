from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from shapely import LineString, MultiPolygon, Point, Polygon, box

import geo
from geo._ranks import extreme_rank_lengths, global_envelope, monte_carlo_p
from geo._sampling import sampler_of, streams
from geo.errors import CRSError, GeometryError, SchemaError

SHARED = Path(__file__).parents[3] / "shared" / "reference" / "expected.json"
WINDOW = box(103, 12, 104, 13)
LINE = LineString([(103, 13), (104, 13)])


def frame(lon, lat, **columns) -> gpd.GeoDataFrame:
    columns = {"uncertainty_m": [100.0] * len(lon)} | columns
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs=4326)


def scattered(n: int, seed: int) -> gpd.GeoDataFrame:
    """Draw places of the window, by its plane and not by the sampler under test."""
    rng = np.random.default_rng(seed)
    sine = rng.uniform(np.sin(np.radians(12)), np.sin(np.radians(13)), n)
    return frame(rng.uniform(103, 104, n), np.degrees(np.arcsin(sine)))


def test_of(sites, **options):
    options = {"baseline": WINDOW, "alternative": "less", "n_simulations": 99, "rng": 1} | options
    return geo.proximity_test(sites, LINE, **options)


test_of.__test__ = False


# ------------------------------------------------------------------ drawing places


@pytest.mark.parametrize(
    ("area", "parts"),
    [
        (
            Polygon([(103, 10), (105, 10), (105, 11), (104, 11), (104, 13), (103, 13)]),
            [box(103, 10, 104, 11), box(104, 10, 105, 11), box(103, 11, 104, 13)],
        ),
        (
            box(103, 10, 104, 11).difference(box(103.3, 10.3, 103.7, 10.7)),
            [box(103, 10, 103.3, 11), box(103.7, 10, 104, 11), box(103.3, 10, 103.7, 10.3)],
        ),
        (
            MultiPolygon([box(103, 10, 104, 11), box(106, 60, 107, 61)]),
            [box(103, 10, 104, 11), box(106, 60, 107, 61)],
        ),
    ],
    ids=["corner", "hole", "parts"],
)
def test_places_are_uniform_over_the_ellipsoid(area, parts):
    sampler = sampler_of(gpd.GeoSeries([area], crs=4326))
    lon, lat = sampler.place(sampler.draw(40_000, np.random.default_rng(1)))
    drawn = gpd.GeoSeries(gpd.points_from_xy(lon, lat))
    assert drawn.within(area.buffer(1e-6)).all()
    cells = [cell for part in parts for cell in quarters(part)]
    found = np.array([drawn.within(cell).sum() for cell in cells])
    # areas by another projection than that of the sampler
    true = gpd.GeoSeries(cells, crs=4326).segmentize(0.01).to_crs("ESRI:54034").area
    expected = true / gpd.GeoSeries([area], crs=4326).segmentize(0.01).to_crs("ESRI:54034").area[0]
    spread = np.sqrt(40_000 * expected * (1 - expected))
    assert np.abs((found - 40_000 * expected) / spread).max() < 4


def quarters(part):
    west, south, east, north = part.bounds
    x, y = (west + east) / 2, (south + north) / 2
    return [
        box(west, south, x, y),
        box(x, south, east, y),
        box(west, y, x, north),
        box(x, y, east, north),
    ]


def test_areas_are_drawn_by_their_weight_and_overlaps_only_once():
    areas = gpd.GeoSeries([box(103, 10, 104, 11), box(105, 10, 105.5, 10.5)], crs=4326)
    sampler = sampler_of(areas, np.array([1.0, 3.0]))
    lon, _ = sampler.place(sampler.draw(10_000, np.random.default_rng(2)))
    assert chisquare([(lon < 104.5).sum(), (lon > 104.5).sum()], [2500, 7500]).pvalue > 1e-4
    twice = gpd.GeoSeries([box(103, 10, 104, 11), box(103.5, 10, 105, 11)], crs=4326)
    sampler = sampler_of(twice)
    lon, _ = sampler.place(sampler.draw(10_000, np.random.default_rng(3)))
    assert chisquare(np.histogram(lon, bins=[103, 103.5, 104, 104.5, 105])[0]).pvalue > 1e-4


def test_areas_without_weight_are_never_drawn():
    areas = gpd.GeoSeries([box(103, 10, 104, 11), box(105, 10, 106, 11)], crs=4326)
    sampler = sampler_of(areas, np.array([0.0, 2.0]))
    assert sampler.place(sampler.draw(500, np.random.default_rng(4)))[0].min() > 104.9


def test_streams_are_the_same_whatever_is_drawn_from_the_others():
    one, other = streams(5, 3), streams(5, 3)
    other[0].random(100)
    assert one[1].random() == other[1].random()
    assert streams(5, 3)[0].random() != streams(6, 3)[0].random()


# ------------------------------------------------------------------ ranks


def lexicographic_shares(curves, alternative):
    """The definition, curve against curve."""
    n = len(curves)
    below = (curves[:, None] > curves[None]).sum(axis=1) + (
        (curves[:, None] == curves[None]).sum(axis=1) + 1
    ) / 2
    ranks = {"less": below, "greater": n + 1 - below, "two-sided": np.minimum(below, n + 1 - below)}
    vectors = [tuple(sorted(row)) for row in ranks[alternative].tolist()]
    return [sum(other <= one for other in vectors) / n for one in vectors]


@given(st.integers(2, 12), st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_extreme_rank_lengths_are_those_of_the_definition(n, m, seed):
    curves = np.random.default_rng(seed).integers(0, 4, (n, m)).astype(float)
    for alternative in ("less", "greater", "two-sided"):
        share = extreme_rank_lengths(curves, alternative)
        assert share == pytest.approx(lexicographic_shares(curves, alternative))


@pytest.mark.parametrize("alternative", ["less", "greater", "two-sided"])
def test_a_curve_leaves_the_envelope_exactly_if_its_test_rejects(alternative):
    rng = np.random.default_rng(6)
    outcomes = set()
    for drift in np.linspace(-3, 3, 60):
        curves = rng.standard_normal((200, 5)).cumsum(axis=1)
        curves[0] += drift
        low, high, pvalue = global_envelope(curves, alternative)
        leaves = bool(((curves[0] < low) | (curves[0] > high)).any())
        assert leaves == (pvalue <= 0.05)
        outcomes.add(leaves)
    assert outcomes == {True, False}


@pytest.mark.parametrize("alternative", ["less", "greater", "two-sided"])
def test_curves_that_tie_leave_the_envelope_only_if_their_test_rejects(alternative):
    rng = np.random.default_rng(8)
    left = on_it = 0
    for _ in range(600):
        curves = rng.binomial(12, 0.3, (60, 3)) / 12
        low, high, pvalue = global_envelope(curves, alternative)
        leaves = bool(((curves[0] < low) | (curves[0] > high)).any())
        assert not leaves or pvalue <= 0.05
        left += leaves
        on_it += pvalue <= 0.05 and not leaves
    assert left
    assert on_it


def test_extreme_rank_lengths_agree_with_the_reference():
    if not SHARED.exists():
        pytest.skip("the reference values are not beside the repository")
    for case in json.loads(SHARED.read_text())["envelopes"].values():
        curves = np.vstack([case["obs"], case["sims"]])
        expected = case["rank_envelope_direct"]
        assert extreme_rank_lengths(curves, "two-sided")[0] == expected["p_erl"]
        first = extreme_rank_lengths(curves[:, :1].repeat(2, axis=1), "two-sided")
        assert first.max() == 1


def test_monte_carlo_p_counts_ties_against_the_hypothesis():
    simulated = np.array([1.0, 2.0, 2.0, 3.0])
    assert monte_carlo_p(2.0, simulated, "less") == 4 / 5
    assert monte_carlo_p(2.0, simulated, "greater") == 4 / 5
    assert monte_carlo_p(0.0, simulated, "less") == 1 / 5
    assert monte_carlo_p(0.0, simulated, "two-sided") == 2 / 5
    assert monte_carlo_p(2.0, simulated, "two-sided") == 1.0


# ------------------------------------------------------------------ the test itself


def rejections(p_values) -> float:
    return float((np.array(p_values) <= 0.05).mean())


def level_under_uniform(run):
    result = test_of(scattered(12, run), n_simulations=39, rng=run, distances_m=[5e3, 2e4, 6e4])
    return result.pvalue, result.distribution_pvalue


def level_under_controls(run):
    both = scattered(40, run)
    result = test_of(
        both.iloc[:12],
        baseline=both.iloc[12:].geometry,
        rng=run,
        alternative="two-sided",
        distances_m=np.linspace(5000, 100_000, 12),
    )
    return result.pvalue, result.distribution_pvalue


def level_under_weights(run):
    rng = np.random.default_rng(run)
    towns = scattered(60, 7).assign(weight=np.arange(1.0, 61.0))
    drawn = rng.choice(60, 12, p=towns["weight"] / towns["weight"].sum())
    result = test_of(towns.iloc[drawn].reset_index(drop=True), baseline=towns, rng=run)
    return result.pvalue, result.distribution_pvalue


def level_under_weights_once_each(run):
    # reports drawn by weight with repetition, of which one of each place is kept
    rng = np.random.default_rng(run)
    towns = scattered(60, 7).assign(weight=np.arange(1.0, 61.0) ** 3)
    drawn = pd.unique(rng.choice(60, 30, p=towns["weight"] / towns["weight"].sum()))
    sites = towns.iloc[drawn].reset_index(drop=True)
    result = test_of(sites, baseline=towns, rng=run, distances_m=[20_000, 50_000])
    return result.pvalue, result.distribution_pvalue


@pytest.mark.parametrize(
    "level",
    [
        level_under_uniform,
        level_under_controls,
        level_under_weights,
        level_under_weights_once_each,
    ],
)
def test_under_its_own_null_five_percent_tests_reject_three_to_seven(level):
    means, shares = zip(*(level(run) for run in range(1000)), strict=True)
    assert 0.03 <= rejections(means) <= 0.07
    # shares of a dozen sites tie often, and ties count against the hypothesis
    assert rejections(shares) <= 0.07


def test_random_labels_agree_with_all_labellings():
    lat = [12.9, 12.5, 12.7, 12.2, 12.4, 12.1, 12.6]
    sites, controls = frame([103.5] * 2, lat[:2]), frame([103.5] * 5, lat[2:])
    result = test_of(sites, baseline=controls.geometry, n_simulations=20_000)
    # the nearer to the line, the larger the latitude
    distance = geo.distance_to(frame([103.5] * 7, lat), LINE)["distance_m"].to_numpy()
    means = np.array([distance[list(pick)].mean() for pick in combinations(range(7), 2)])
    exact = (means <= distance[:2].mean() + 1e-9).mean()
    assert result.pvalue == pytest.approx(exact, abs=4 * np.sqrt(exact / 20_000))
    assert result.expected == pytest.approx(distance.mean(), rel=0.01)
    assert (result.n_controls, result.baseline) == (5, "controls")


def test_sites_on_the_line_are_near_and_not_far():
    sites = frame(np.linspace(103.1, 103.9, 10), [12.99] * 10)
    near, far, both = (
        test_of(sites, alternative=alternative) for alternative in ("less", "greater", "two-sided")
    )
    assert (near.pvalue, far.pvalue, both.pvalue) == (0.01, 1.0, 0.02)
    assert near.distribution_pvalue == 0.01
    assert far.distribution_pvalue > 0.9
    assert near.distribution["share"].tolist() == [0, 1, 1, 1, 1]
    rejected = near.distribution["share"] > near.distribution["high"]
    assert rejected.any()
    assert near.statistic == geo.distance_to(sites, LINE)["distance_m"].mean()


def test_expected_distance_is_that_of_the_window():
    result = test_of(scattered(50, 8), n_simulations=400)
    grid = scattered(20_000, 9)
    assert result.expected == pytest.approx(
        geo.distance_to(grid, LINE)["distance_m"].mean(), rel=0.02
    )
    assert result.null_distribution.shape == (400,)


def test_same_seed_same_answer_and_row_order_changes_nothing_of_the_sites():
    sites = scattered(15, 10)
    one, same, other = test_of(sites), test_of(sites), test_of(sites, rng=2)
    assert (one.null_distribution == same.null_distribution).all()
    assert (one.null_distribution != other.null_distribution).any()
    assert test_of(sites[::-1]).pvalue == one.pvalue


def test_weights_move_the_baseline():
    sites = frame(np.linspace(103.1, 103.9, 8), [12.8] * 8)
    areas = gpd.GeoDataFrame(
        {"weight": [1.0, 99.0]},
        geometry=[box(103, 12, 104, 12.7), box(103, 12.7, 104, 13)],
        crs=4326,
    )
    heavy = test_of(sites, baseline=areas)
    even = test_of(sites, baseline=areas.geometry)
    assert heavy.expected < even.expected / 2
    assert (heavy.baseline, even.baseline) == ("weighted areas", "uniform")
    assert even.expected == test_of(sites).expected or even.expected == pytest.approx(
        test_of(sites).expected, rel=0.1
    )


# ------------------------------------------------------------------ words and limits


def test_words_name_the_baseline_and_what_was_left_out():
    sites = pd.concat([scattered(6, 11), frame([None, None], [None, None])], ignore_index=True)
    words = test_of(sites).summary()
    assert words.startswith("6 located reports: mean distance")
    assert "uniform over the window" in words
    assert "2 reports without a location could not be used." in words
    assert "Caution: the reports stand at" not in words
    assert "cannot resolve" not in words
    assert "uniform baseline, 6 sites, 99 simulations" in repr(test_of(sites))
    assert "103" not in words


def test_reports_at_one_coordinate_and_coarse_radii_are_cautions():
    sites = frame([103.5] * 6, [12.9] * 6, uncertainty_m=[10_000.0] * 6)
    result = test_of(sites)
    assert result.n_places == 1
    assert "the reports stand at 1 coordinate;" in result.summary()
    assert "cannot resolve 1 km, 5 km, 10 km; p leaves them out" in result.summary()
    assert result.distribution["resolvable"].tolist() == [False, False, False, True, True]
    assert result.distribution["low"].isna().tolist() == [True, True, True, False, False]
    vague = test_of(sites.assign(uncertainty_m=90_000.0))
    assert "p rests on them" in vague.summary()
    assert vague.distribution["high"].notna().all()


def test_a_site_outside_the_window_is_named_unless_its_radius_reaches_in():
    sites = frame([103.5, 103.5, 104.001], [12.5, 13.5, 12.5], uncertainty_m=[10.0, 10.0, 500.0])
    with pytest.raises(GeometryError, match="1 of 3 sites lie outside") as raised:
        test_of(sites)
    assert raised.value.problems["row"].tolist() == [1]
    kept = test_of(sites.drop(index=1))
    assert kept.n_outside == 1
    assert "1 report recorded outside the baseline's areas" in kept.summary()
    unknown = sites.drop(index=1).assign(uncertainty_m=None)
    with pytest.raises(GeometryError, match="1 of 2 sites lie outside"):
        test_of(unknown)


def test_distinct_sites_need_as_many_places():
    towns = scattered(5, 1).assign(weight=[1.0, 1.0, 0.0, 0.0, 1.0])
    sites = scattered(4, 2)
    with pytest.raises(ValueError, match="3 places of the baseline with a weight above 0"):
        test_of(sites, baseline=towns)
    assert test_of(sites.iloc[[0, 0, 1, 2]], baseline=towns).n_places == 3


def test_words_do_not_say_that_p_rests_on_what_it_leaves_out():
    sites = frame(np.linspace(103.1, 103.9, 4), [12.9] * 4, uncertainty_m=[10_000.0] * 4)
    words = test_of(sites, distances_m=[5e3, 1e4, 2.5e4, 5e4]).summary()
    assert "cannot resolve 5 km, 10 km; p leaves them out" in words


@pytest.mark.parametrize("weight", [[-1.0, 1.0], ["many", 1.0], [None, 1.0], [np.inf, 1.0]])
def test_weights_that_are_no_weights_are_named(weight):
    areas = gpd.GeoDataFrame(
        {"weight": weight}, geometry=[box(103, 12, 103.5, 13), box(103.5, 12, 104, 13)], crs=4326
    )
    with pytest.raises(SchemaError, match="1 of 2 weights") as raised:
        test_of(scattered(3, 1), baseline=areas)
    assert raised.value.problems["row"].tolist() == [0]
    with pytest.raises(SchemaError, match="All weights"):
        test_of(scattered(3, 1), baseline=areas.assign(weight=0))


def test_baselines_that_are_none_are_refused():
    sites = scattered(3, 1)
    with pytest.raises(GeometryError, match="baseline is empty"):
        test_of(sites, baseline=gpd.GeoSeries([], crs=4326))
    mixed = gpd.GeoSeries([WINDOW, Point(103.5, 12.5)], crs=4326)
    with pytest.raises(GeometryError, match="1 of 2 rows of the baseline are no polygons"):
        test_of(sites, baseline=mixed)
    with pytest.raises(GeometryError, match="no polygons"):
        test_of(sites, baseline=LINE)
    with pytest.raises(CRSError):
        test_of(sites, baseline=gpd.GeoSeries([WINDOW]))


def test_arguments_are_checked():
    sites = scattered(3, 1)
    with pytest.raises(ValueError, match="alternative is 'nearer'"):
        test_of(sites, alternative="nearer")
    with pytest.raises(ValueError, match="n_simulations is 0"):
        test_of(sites, n_simulations=0)
    with pytest.raises(ValueError, match="distances_m is empty"):
        test_of(sites, distances_m=[])
    with pytest.raises(ValueError, match="No site has a location"):
        test_of(frame([None], [None]))
    with pytest.raises(TypeError, match="baseline"):
        geo.proximity_test(sites, LINE, alternative="less")
    with pytest.raises(TypeError, match="alternative"):
        geo.proximity_test(sites, LINE, baseline=WINDOW)


def test_missing_and_empty_rows_of_the_baseline_are_no_place():
    baseline = gpd.GeoSeries([None, WINDOW, Polygon()], crs=4326)
    sites = scattered(5, 12)
    assert test_of(sites, baseline=baseline).pvalue == test_of(sites).pvalue


def test_inputs_are_not_changed():
    sites = scattered(5, 13)
    areas = gpd.GeoDataFrame({"weight": [1.0]}, geometry=[WINDOW], crs=4326)
    before, was = sites.copy(), areas.copy()
    test_of(sites, baseline=areas)
    pd.testing.assert_frame_equal(sites, before)
    pd.testing.assert_frame_equal(areas, was)
