from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

import geo
from geo.errors import GeometryError, SchemaError

HERE = Path(__file__).parents[1] / "reference"
EXPECTED = json.loads((HERE / "marks.json").read_text(encoding="utf-8"))
PLANE = "EPSG:32648"
L_SHAPE = Polygon([(0, 0), (1000, 0), (1000, 400), (400, 400), (400, 1000), (0, 1000)])


def in_plane(shape) -> gpd.GeoSeries:
    return gpd.GeoSeries([shape], crs=PLANE)


def marked(window, n: int, seed: int) -> gpd.GeoDataFrame:
    sites = geo.csr(in_plane(window)).simulate(n, rng=seed)
    held = np.random.default_rng(seed).gamma(2, 50, n)
    return gpd.GeoDataFrame({"held": held, "uncertainty_m": 1.0}, geometry=sites)


def inside_share(place, d: float, window) -> float:
    circle = shapely.Point(place).buffer(d, quad_segs=2000).exterior
    return circle.intersection(window).length / circle.length


def brute_force(sites, window, r, half: float, correction: str):
    """The two double sums of the definition, pair by pair."""
    xy, mark = sites.get_coordinates().to_numpy(), sites["held"].to_numpy()
    top, low = np.zeros(len(r)), np.zeros(len(r))
    for i, j in np.ndindex(len(xy), len(xy)):
        d = np.hypot(*(xy[j] - xy[i]))
        if i == j or d >= r[-1] + half:
            continue
        weight = 1.0
        if correction == "isotropic":
            weight /= inside_share(xy[i], d, window)
        elif correction == "translation":
            moved = shapely.affinity.translate(window, *(xy[j] - xy[i]))
            weight *= window.area / window.intersection(moved).area
        kernel = weight * np.maximum(1 - ((r - d) / half) ** 2, 0)
        top += kernel * mark[i] * mark[j]
        low += kernel
    with np.errstate(invalid="ignore"):
        return top / low / mark.mean() ** 2


@pytest.mark.parametrize("correction", ["none", "translation", "isotropic"])
def test_it_is_that_of_spatstat(correction):
    points = pd.read_csv(HERE / "patterns" / "japanesepines_points.csv", comment="#")
    points["held"] = 1 + (37 * np.arange(len(points))) % 11 + 8 * points["x"]
    places = gpd.points_from_xy(points["x"], points["y"])
    k = geo.mark_correlation(
        gpd.GeoDataFrame(points, geometry=places, crs=PLANE),
        in_plane(box(0, 0, 1, 1)),
        mark="held",
        bandwidth_m=EXPECTED["half_width"],
        distances_m=EXPECTED["r"],
        correction=correction,
    )
    # that R bins distances first is the whole difference: see the exact sums below
    assert k.estimate == pytest.approx(EXPECTED[correction], rel=1e-4)


@pytest.mark.parametrize("window", [box(0, 0, 1000, 800), L_SHAPE], ids=["box", "corner"])
@pytest.mark.parametrize(
    ("correction", "rel"), [("none", 1e-12), ("translation", 1e-12), ("isotropic", 1e-6)]
)
def test_it_is_the_ratio_of_the_exact_sums(window, correction, rel):
    sites = marked(window, 30, 3)
    r = np.array([0.0, 40.0, 100.0, 220.0])
    k = geo.mark_correlation(
        sites,
        in_plane(window),
        mark="held",
        bandwidth_m=50,
        distances_m=r,
        correction=correction,
    )
    # the overlap of a window that is no rectangle is interpolated, circles are cut by polygons
    wide = rel if window is not L_SHAPE or correction != "translation" else 2e-4
    assert k.estimate == pytest.approx(brute_force(sites, window, r, 50, correction), rel=wide)


@given(st.integers(2, 30), st.integers(0, 10**6), st.floats(0.1, 1e6))
@settings(max_examples=30, deadline=None)
def test_equal_marks_give_one_and_units_do_not_matter(n, seed, unit):
    sites, window = marked(L_SHAPE, n, seed), in_plane(L_SHAPE)
    r = [0, 100, 300, 600]
    same = geo.mark_correlation(sites.assign(held=unit), window, mark="held", distances_m=r)
    seen = ~np.isnan(same.estimate)
    assert same.estimate[seen] == pytest.approx(np.ones(seen.sum()), rel=1e-9)
    one = geo.mark_correlation(sites, window, mark="held", distances_m=r)
    other = geo.mark_correlation(
        sites.assign(held=sites["held"] * unit)[::-1], window, mark="held", distances_m=r
    )
    assert other.estimate == pytest.approx(one.estimate, rel=1e-9, nan_ok=True)


def test_large_marks_near_each_other_are_seen_and_mixed_ones_are_one_on_average():
    window = in_plane(box(0, 0, 1000, 1000))
    sites = marked(window[0], 300, 4)
    lively = sites.assign(held=sites.geometry.x)
    k = geo.mark_correlation(lively, window, mark="held", distances_m=[50, 600])
    assert k.estimate[0] > 1.2
    assert k.estimate[1] < 1
    mixed = [
        geo.mark_correlation(marked(window[0], 100, seed), window, mark="held", distances_m=[80])
        for seed in range(60)
    ]
    assert np.mean([k.estimate[0] for k in mixed]) == pytest.approx(1, abs=0.03)


def test_distances_without_a_pair_are_missing():
    sites = gpd.GeoDataFrame(
        {"held": [1, 2]}, geometry=gpd.points_from_xy([100, 200], [100, 100]), crs=PLANE
    )
    k = geo.mark_correlation(
        sites,
        in_plane(box(0, 0, 1000, 1000)),
        mark="held",
        bandwidth_m=20,
        distances_m=[50, 100, 150],
    )
    assert np.isnan(k.estimate).tolist() == [True, False, True]
    assert k.estimate[1] == pytest.approx(2 / 1.5**2)
    assert k.summary().startswith("mark correlation of 2 located reports, from 50 m to 150 m")


def test_distances_below_twice_the_radii_are_called_not_resolvable_and_no_test_is_promised():
    window = in_plane(L_SHAPE)
    sites = marked(L_SHAPE, 8, 5).assign(uncertainty_m=[10.0] * 4 + [80.0] * 4)
    r = [100.0, 150.0, 160.0, 300.0]
    k = geo.mark_correlation(sites, window, mark="held", distances_m=r)
    assert k.to_frame()["resolvable"].tolist() == [False, False, True, True]
    text = k.summary()
    assert "resolve distances from 160 m on" in text
    assert "2 of 4 distances are less and not resolvable" in text
    assert "envelope_test" not in text
    unknown = geo.mark_correlation(
        sites.drop(columns="uncertainty_m"), window, mark="held", distances_m=r
    )
    assert not unknown.resolvable.any()
    assert "some radii are unknown" in unknown.summary()


def test_marks_are_checked():
    window = in_plane(L_SHAPE)
    sites = marked(L_SHAPE, 6, 5)
    unlocated = pd.concat([sites, gpd.GeoDataFrame({"held": [-1.0]}, geometry=[None], crs=PLANE)])
    k = geo.mark_correlation(unlocated, window, mark="held", distances_m=[100, 200])
    assert (k.n, k.facts["n_unlocated"]) == (6, 1)
    for wrong in (-1, np.nan, np.inf):
        held = sites["held"].where(sites.index != 2, wrong)
        with pytest.raises(SchemaError, match="1 of 6 sites have no number") as raised:
            geo.mark_correlation(sites.assign(held=held), window, mark="held")
        assert raised.value.problems["row"].tolist() == [2]
    for wrong in ("ច្រើន", True, pd.NA):
        with pytest.raises(SchemaError, match="6 of 6 sites have no number"):
            geo.mark_correlation(sites.assign(held=wrong), window, mark="held")
    with pytest.raises(SchemaError, match="are 0"):
        geo.mark_correlation(sites.assign(held=0), window, mark="held")
    with pytest.raises(SchemaError, match="no column 'people'"):
        geo.mark_correlation(sites, window, mark="people")
    whole = sites.assign(held=sites["held"].round().astype("Int64"))
    assert np.isfinite(geo.mark_correlation(whole, window, mark="held").estimate[1:]).any()


def test_arguments_are_checked():
    window, sites = in_plane(L_SHAPE), marked(L_SHAPE, 6, 6)
    before = sites.copy()
    for options, match in (
        ({"correction": "border"}, "correction is 'border'"),
        ({"bandwidth_m": 0}, "bandwidth_m is 0"),
        ({"distances_m": [2, 1]}, "do not rise"),
    ):
        with pytest.raises(ValueError, match=match):
            geo.mark_correlation(sites, window, mark="held", **options)
    with pytest.raises(ValueError, match="too few for a pair"):
        geo.mark_correlation(sites[:1], window, mark="held")
    with pytest.raises(ValueError, match="too few for a pair"):
        geo.mark_correlation(sites[:0], window, mark="held")
    with pytest.raises(GeometryError, match="outside the window"):
        geo.mark_correlation(sites, in_plane(box(0, 0, 1, 1)), mark="held")
    pd.testing.assert_frame_equal(sites, before)
