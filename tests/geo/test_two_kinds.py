from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Polygon, box

import geo
from geo._drawing import drawer_of
from geo._evaluation import Evaluator, one_curve
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo.envelopes import _compared
from geo.errors import GeometryError

PLANE = "EPSG:32648"
BOX = gpd.GeoSeries([box(0, 0, 1000, 1000)], crs=PLANE)
L_SHAPE = Polygon([(0, 0), (1000, 0), (1000, 400), (400, 400), (400, 1000), (0, 1000)])
CLUSTERS = geo.thomas(BOX, parents_per_km2=8, offspring=4, spread_m=50)


def sites_of(xy) -> gpd.GeoDataFrame:
    places = gpd.points_from_xy(*np.asarray(xy).T)
    return gpd.GeoDataFrame(geometry=places, crs=PLANE).assign(uncertainty_m=1.0)


def drawn(model, n: int, seed: int) -> gpd.GeoDataFrame:
    return sites_of(model.draw(n, np.random.default_rng(seed)))


def run(sites, other, null, **options):
    options = {"n_simulations": 99, "rng": 1, "progress": False} | options
    return geo.envelope_test(sites, BOX, other=other, null=null, **options)


# ------------------------------------------------------------------ what is drawn


def test_a_shift_moves_all_sites_alike_around_the_rectangle():
    sites = drawn(CLUSTERS, 0, 1)
    window = gpd.GeoSeries([box(-200, 0, 1000, 1500)], crs=PLANE)
    model = geo.random_shift(sites, window)
    moved = model.simulate(rng=2).get_coordinates().to_numpy()
    assert shapely.contains_xy(window[0], *moved.T).all()
    step = (moved - sites.get_coordinates().to_numpy()) % [1200, 1500]
    assert step == pytest.approx(np.broadcast_to(step[0], step.shape), abs=1e-8)
    again = model.simulate(rng=2).get_coordinates().to_numpy()
    assert (again == moved).all()
    steps = [model.draw(0, np.random.default_rng(seed))[0] for seed in range(400)]
    assert np.mean(steps, axis=0) == pytest.approx([400, 750], rel=0.1)


def test_a_shift_is_refused_where_it_would_break_the_pattern():
    corner = gpd.GeoSeries([L_SHAPE], crs=PLANE)
    with pytest.raises(GeometryError, match="needs a window that is a rectangle"):
        geo.random_shift(sites_of([(10, 10), (20, 20)]), corner)
    with pytest.raises(GeometryError, match="needs a window that is a rectangle"):
        geo.random_shift(sites_of([(10, 10)]), BOX.to_crs(4326))


def test_labels_that_are_not_drawn_for_the_sites_are_those_of_the_others():
    sites, other = drawn(CLUSTERS, 0, 3), drawn(CLUSTERS, 0, 4)
    one, two = planar_pattern(sites, BOX), planar_pattern(other, BOX)
    draw = drawer_of(geo.random_labelling(sites, other, BOX), one, two)
    xy, seen = draw(np.random.default_rng(5))
    assert (len(xy), len(seen)) == (one.n, two.n)
    both = np.vstack([xy, seen])
    assert sorted(map(tuple, both)) == sorted(map(tuple, np.vstack([one.xy, two.xy])))
    assert not np.array_equal(xy, one.xy)


# ------------------------------------------------------------------ what is evaluated


@pytest.mark.parametrize(
    ("function", "corrections"),
    [
        (geo.ripley_k, ("none", "border", "isotropic", "translation", "periodic")),
        (geo.ripley_l, ("isotropic", "border")),
        (geo.pair_correlation, ("none", "isotropic", "translation")),
        (geo.nearest_neighbor_g, ("none", "border", "kaplan-meier", "hanisch")),
    ],
)
def test_curves_of_two_kinds_are_the_public_function(function, corrections):
    sites, other, r = drawn(CLUSTERS, 0, 6), drawn(geo.csr(BOX), 40, 7), [10, 60, 120]
    for correction in corrections:
        null = geo.random_shift(sites, BOX) if correction == "periodic" else CLUSTERS
        options = {"distances_m": r, "correction": correction}
        result = run(sites, other, null, function=function, n_simulations=3, **options)
        expected = function(sites, BOX, other=other, **options)
        assert result.observed == pytest.approx(expected.estimate, rel=1e-12)
        assert (result.function, result.correction) == (expected.name, correction)
        # the first simulation is the function of the first pattern that the model draws
        moved = function(drawn_first(null), BOX, other=other, **options)
        assert result.curves[0] == pytest.approx(moved.estimate, rel=1e-12)


def drawn_first(model) -> gpd.GeoDataFrame:
    seed = np.random.default_rng(1).integers(0, 2**63, size=3)[0]
    return sites_of(model.draw(0, np.random.default_rng(int(seed))))


# ------------------------------------------------------------------ the error rate


def rejected(pairs, null: str, *, clumped: bool, correction: str) -> float:
    """The share of tests at 5 % that reject, of patterns that fulfil their hypothesis."""
    outline, r = outline_of(BOX[0]), np.linspace(20, 200, 10)
    uniform = geo.csr(BOX)
    n_rejected = 0
    for seed in range(pairs):
        rng = np.random.default_rng(seed)
        whole = CLUSTERS.draw(0, rng), CLUSTERS.draw(0, rng)
        one, two = whole if clumped else (uniform.draw(30, rng), whole[1])
        if null == "labels":
            both = rng.permutation(np.vstack(whole))
            one, two = both[: len(both) // 2], both[len(both) // 2 :]
        if min(len(one), len(two)) < 2:
            continue
        sites, other = planar_pattern(sites_of(one), BOX), planar_pattern(sites_of(two), BOX)
        model = {
            "shift": lambda: geo.random_shift(sites_of(one), BOX),  # noqa: B023
            "labels": lambda: geo.random_labelling(sites_of(one), sites_of(two), BOX),  # noqa: B023
            "csr": lambda: uniform,
        }[null]()
        draw = drawer_of(model, sites, other)
        evaluator = Evaluator("L", correction, outline, r, other.n)
        curves = [one_curve(evaluator, sites.xy, other.xy)]
        curves += [one_curve(evaluator, *draw(rng)) for _ in range(19)]
        n_rejected += _compared(np.array(curves), "rank", "two-sided")[2] <= 0.05
    return n_rejected / pairs


@pytest.mark.parametrize(
    ("null", "clumped", "correction"),
    [("shift", True, "periodic"), ("labels", True, "isotropic"), ("csr", False, "isotropic")],
)
def test_of_two_kinds_without_relation_one_test_in_twenty_rejects(null, clumped, correction):
    # a sound test of 400 patterns is within these bounds in 999 of 1000 cases
    share = rejected(400, null, clumped=clumped, correction=correction)
    assert 0.018 <= share <= 0.09


def test_kinds_that_seek_each_other_are_found():
    rng = np.random.default_rng(8)
    other = drawn(CLUSTERS, 0, 9)
    places = other.get_coordinates().to_numpy()
    near = np.clip(places + rng.normal(0, 15, places.shape), 0, 1000)
    sites = sites_of(near[::2])
    for null in (geo.random_shift(sites, BOX), geo.csr(BOX)):
        assert run(sites, other, null, alternative="greater").pvalue == 0.01
        assert run(sites, other, null, alternative="less").pvalue > 0.5
    # two kinds apart, each with clusters of its own: no labelling at random looks like that
    west, east = drawn(CLUSTERS, 0, 10), drawn(CLUSTERS, 0, 11)
    west, east = west[west.geometry.x < 450], east[east.geometry.x > 550]
    labels = geo.random_labelling(west, east, BOX)
    assert run(west, east, labels, alternative="less").pvalue == 0.01


# ------------------------------------------------------------------ words and errors


def test_words_tell_of_both_kinds():
    sites, other = drawn(CLUSTERS, 0, 12), drawn(geo.csr(BOX), 25, 13)
    other = pd.concat([other, other.iloc[:1]], ignore_index=True).assign(uncertainty_m=40.0)
    unlocated = gpd.GeoDataFrame({"uncertainty_m": [1.0]}, geometry=[None], crs=PLANE)
    other = pd.concat([other, unlocated], ignore_index=True)
    null = geo.random_shift(sites, BOX)
    result = run(sites, other, null, distances_m=[20, 60, 100, 140])
    assert result.function == "cross L"
    # the coarser kind decides what can be told
    assert result.tested.tolist() == result.resolvable.tolist() == [False, False, True, True]
    words = result.summary()
    for part in (
        f"cross L of {len(sites)} located reports and 26 others",
        "where it lies to the others is chance",
        "1 report without a location could not be used",
        f"the reports stand at {len(sites) + 25} coordinates",
        "resolve distances from 80 m on",
        "leaves out the distances that the radii cannot resolve",
        "Window: 1 km2",
        "periodic edge correction",
        "99 simulations",
    ):
        assert part in words
    assert "concentration of reports" not in words
    k = geo.ripley_k(sites, BOX, other=other, distances_m=[20, 100])
    assert k.resolvable.tolist() == [False, True]
    assert "and 26 others" in k.summary()
    equal = geo.ripley_k(sites, BOX, other=drawn(geo.csr(BOX), len(sites), 14), distances_m=[20])
    assert f"and {len(sites)} others" in equal.summary()


def test_what_cannot_be_tested_is_refused():
    sites, other = drawn(CLUSTERS, 0, 15), drawn(geo.csr(BOX), 20, 16)
    shift = geo.random_shift(sites, BOX)
    with pytest.raises(ValueError, match="needs a null model that says what is asked"):
        run(sites, other, None)
    with pytest.raises(ValueError, match="nothing about them alone can be tested"):
        run(sites, None, shift)
    with pytest.raises(ValueError, match="made from other points than these sites"):
        run(sites.iloc[1:], other, shift)
    with pytest.raises(ValueError, match="these sites and the others"):
        run(sites, other, geo.random_labelling(sites, other.iloc[1:], BOX))
    for options in ({"correction": "isotropic"}, {"function": geo.pair_correlation}):
        with pytest.raises(ValueError, match="goes on at the other side of the window"):
            run(sites, other, shift, **options)
    for function in (geo.empty_space_f, geo.j_function):
        with pytest.raises(ValueError, match="for points of two kinds it must be one of ripley_l"):
            run(sites, other, shift, function=function)
    with pytest.raises(ValueError, match="0 others: too few"):
        run(sites, other.iloc[:0], shift)
    with pytest.raises(GeometryError, match="outside the window"):
        run(sites, sites_of([(5000, 5000)]), shift)
    one = geo.random_shift(sites.iloc[:1], BOX)
    assert run(sites.iloc[:1], other, one, n_simulations=19).n == 1


def test_row_order_changes_nothing():
    sites, other = drawn(CLUSTERS, 0, 17), drawn(geo.csr(BOX), 20, 18)
    shift = run(sites, other, geo.random_shift(sites, BOX))
    back = run(sites[::-1], other[::-1], geo.random_shift(sites[::-1], BOX))
    assert back.curves == pytest.approx(shift.curves, rel=1e-9)
    assert back.pvalue == shift.pvalue
