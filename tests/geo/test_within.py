"""Probabilities within a distance: closed forms, a million draws, and the count they make."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import LineString, Point, Polygon, box

import geo
from geo._within_counts import count_distribution, interval_of
from geo.errors import CRSError, GeometryError, SchemaError
from geo.proximity import nearest
from geo.reach import within_distance
from geo.within import admin_fractions, probability_within

GEOD = Geod(ellps="WGS84")
BORDER = LineString([(104.0, 11.0), (104.0, 15.0)])  # a meridian, which is a geodesic
EAST = box(104.0, 11.0, 106.0, 15.0)


def sites_at(lonlat, radius, **columns) -> gpd.GeoDataFrame:
    geometry = [None if place is None else Point(place) for place in lonlat]
    columns["uncertainty_m"] = np.broadcast_to(np.asarray(radius, dtype=float), len(geometry))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def east_of_border(metres) -> list[tuple[float, float]]:
    return [GEOD.fwd(104.0, 13.0, 90.0, d)[:2] for d in np.atleast_1d(metres)]


def below(t) -> float:
    """The share of a disc of radius 1 on one side of a line at t from its centre."""
    t = np.clip(t, -1, 1)
    return 1 - (np.arccos(t) - t * np.sqrt(1 - t * t)) / np.pi


def strip(d, u, reach) -> float:
    return below((reach - d) / u) - below((-reach - d) / u)


def chances(sites, feature, reach) -> np.ndarray:
    return probability_within(sites, feature, distance_m=reach).sites["probability"].to_numpy()


def drawn(lon, lat, radius, n) -> gpd.GeoDataFrame:
    """Places evenly spread over a geodesic disc: a low-discrepancy sequence."""
    share = (0.5 + np.arange(1, n + 1)[:, None] * [0.7548776662466927, 0.5698402909980532]) % 1
    ends = GEOD.fwd(
        np.full(n, lon), np.full(n, lat), 360 * share[:, 1], radius * np.sqrt(share[:, 0])
    )
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*ends[:2]), crs=4326)


# ------------------------------------------------------------------ one place


@pytest.mark.parametrize(
    ("metres", "radius", "published"),
    [(1500, 30, 1.00), (1500, 3000, 0.605), (5000, 5900, 0.191)],
)
def test_the_worked_cases_at_a_straight_border_come_out(metres, radius, published):
    found = chances(sites_at(east_of_border(metres), radius), BORDER, 2000)
    assert found == pytest.approx([published], abs=1e-3)


@pytest.mark.parametrize("radius", [30.0, 250.0, 5000.0, 48_000.0])
@pytest.mark.parametrize("reach", [200.0, 2000.0, 50_000.0])
def test_near_a_straight_border_the_share_is_a_segment_of_the_disc(radius, reach):
    metres = np.unique(np.maximum(reach + radius * np.linspace(-1.1, 1.1, 15), 0))
    found = chances(sites_at(east_of_border(metres), radius), BORDER, reach)
    assert found == pytest.approx([strip(d, radius, reach) for d in metres], abs=1e-4)


def test_inside_a_half_plane_nearness_has_one_side():
    metres = np.array([-6000, -3000, -500, 0, 500, 4900])
    sites = sites_at(east_of_border(metres), 5000.0)
    for reach in (0.0, 2000.0):
        expected = below((reach + metres) / 5000)
        assert chances(sites, EAST, reach) == pytest.approx(expected, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 3), st.floats(0.05, 3), st.floats(0, 360), st.floats(-75, 75))
def test_near_a_point_the_share_is_the_lens_of_two_discs(apart, reach, azimuth, lat):
    u, d, big = 5000.0, 5000.0 * apart, 5000.0 * reach
    place = GEOD.fwd(179.98, lat, azimuth, d)[:2]
    (found,) = chances(sites_at([place], u), Point(179.98, lat), big)
    one, other = Point(0, 0).buffer(u, 256), Point(d, 0).buffer(big, 256)
    lens = one.intersection(other).area / one.area
    assert found == pytest.approx(lens, abs=1e-3)


def test_a_million_draws_around_towns_agree():
    towns = geo.load_reference("towns", country="KH").iloc[::3]
    towns = gpd.points_from_xy(towns["longitude"], towns["latitude"])
    towns = gpd.GeoSeries(towns, crs=4326)
    lon, lat, radius = towns.x[0] + 0.05, towns.y[0], 17_000.0
    (found,) = chances(sites_at([(lon, lat)], radius), towns, 6000.0)
    near = nearest(drawn(lon, lat, radius, 1_000_000), towns, max_distance_m=6000.0)["target"]
    assert 0.05 < found < 0.95
    assert found == pytest.approx(near.notna().mean(), abs=1e-3)


TRIANGLE, HOLE = [(103.98, 12.98), (104.03, 12.99), (104.0, 13.05)], [
    (104.0, 12.995), (104.01, 13.0), (104.0, 13.01)
]  # fmt: skip
OVERLAPPING = [
    box(103.98, 12.98, 104.01, 13.0),
    box(104.0, 12.99, 104.05, 13.02),
    LineString([(103.9, 12.97), (104.1, 12.97)]),
    None,
]
TOUCHING = [box(103.0, 12.0, 104.003, 14.0), box(104.003, 12.0, 104.02, 14.0)]


@pytest.mark.parametrize(
    ("feature", "reach"),
    [
        (geo.load_reference("land_border", country="KH"), 1000.0),
        (LineString([(103.9, 13.0), (104.02, 13.03), (104.0, 12.9)]), 900.0),
        (Polygon(TRIANGLE, [HOLE]), 0.0),
        (Polygon(TRIANGLE), 700.0),
        (gpd.GeoSeries(OVERLAPPING, crs=4326), 300.0),
        (gpd.GeoSeries(TOUCHING, crs=4326), 10.0),
    ],
    ids=["border", "line", "hole", "triangle", "overlapping", "touching"],
)
def test_draws_agree_for_lines_polygons_holes_and_mixtures(feature, reach):
    lon, lat, radius = 104.002, 13.001, 4000.0
    if reach == 1000.0:
        lon, lat = 102.56, 13.64
    (found,) = chances(sites_at([(lon, lat)], radius), feature, reach)
    draws = drawn(lon, lat, radius, 30_000)
    near = within_distance(draws, feature, distance_m=reach)["within"]
    assert 0.01 < found < 0.99
    assert found == pytest.approx(near.mean(), abs=1e-3)


@pytest.mark.parametrize(
    ("lon", "lat"), [(179.995, -17.0), (-179.995, -17.0), (0.0, 89.99), (40.0, -89.985)]
)
def test_nothing_is_special_at_the_antimeridian_and_at_the_poles(lon, lat):
    west = Polygon([(179.9, -17.1), (180, -17.1), (180, -16.99), (179.9, -16.99)])
    east = Polygon([(-180, -17.1), (-179.9, -17.1), (-179.9, -16.99), (-180, -16.99)])
    south = Polygon([(-180, -90), (180, -90), (180, -89.97), (0, -89.99), (-180, -89.97)])
    north = LineString([(0, 89.98), (0, 90), (120, 90), (120, 89.98)])
    feature = gpd.GeoSeries([west, east, north, south], crs=4326)
    (found,) = chances(sites_at([(lon, lat)], 2500.0), feature, 200.0)
    draws = drawn(lon, lat, 2500.0, 1000)
    near = within_distance(draws, feature, distance_m=200.0)["within"]
    assert 0.05 < found < 0.95
    assert found == pytest.approx(near.mean(), abs=4e-3)


def test_what_the_interval_decides_is_exactly_zero_or_one():
    sites = sites_at(east_of_border([0, 900, 5000, 40_000]), [100.0, 100.0, 2999.0, 0.0])
    assert chances(sites, BORDER, 1000).tolist() == [1.0, 1.0, 0.0, 0.0]
    on = sites_at(east_of_border([1000]), 0.0)
    assert chances(on, BORDER, GEOD.inv(*east_of_border([1000])[0], 104.0, 13.0)[2] + 1e-6) == 1.0


# ------------------------------------------------------------------ the count


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])), max_size=70))
def test_the_distribution_of_the_count_is_that_of_one_event_after_the_other(values):
    chance = np.array(values)
    expected = np.append(1.0, np.zeros(len(chance)))
    for one in chance:
        expected[1:] = expected[1:] * (1 - one) + expected[:-1] * one
        expected[0] *= 1 - one
    found = count_distribution(chance)
    assert found == pytest.approx(expected, abs=1e-13)
    assert (count_distribution(chance[::-1]) == found).all()


def test_equal_probabilities_give_the_binomial_distribution():
    from scipy.stats import binom

    found = count_distribution(np.full(53, 0.3))
    assert found == pytest.approx(binom(53, 0.3).pmf(np.arange(54)), abs=1e-14)
    assert interval_of(found) == tuple(binom(53, 0.3).ppf([0.025, 0.975]))


def test_the_interval_of_the_count_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(4)
    metres = rng.uniform(0, 9000, 60)
    radius = rng.choice([250.0, 2000.0, 5900.0], 60)
    sites = sites_at(east_of_border(metres), radius)
    found = probability_within(sites, BORDER, distance_m=2000)
    # along the normal of a border that is straight, the truth is at d + u sqrt(s) cos(a)
    share, turn = rng.random((2, 2000, 60))
    truth = metres + radius * np.sqrt(share) * np.cos(2 * np.pi * turn)
    counts = (np.abs(truth) <= 2000).sum(axis=1)
    low, high = found.interval
    assert 0.94 <= ((counts >= low) & (counts <= high)).mean() <= 0.99
    assert found.expected == pytest.approx(counts.mean(), abs=0.15)
    # counted at the recorded places, the number is hardly ever right
    assert (counts == (metres <= 2000).sum()).mean() < 0.3


def test_what_is_unknown_is_counted_and_stays_in_the_bounds():
    places = [*east_of_border([100, 1500, 30_000]), None, *east_of_border([500, 500])]
    sites = sites_at(places, [50, 3000, 50, 50, np.nan, np.inf])
    sites.index = list("abcdef")
    before = sites.copy()
    found = probability_within(sites, BORDER, distance_m=2000)
    table = found.sites
    assert list(table.index) == list("abcdef")
    assert table["probability"].isna().tolist() == [False, False, False, True, True, True]
    assert found.expected == pytest.approx(1.605, abs=1e-3)
    assert (found.n_unlocated, found.n_unknown_radius) == (1, 2)
    assert found.bounds == (1, 5)
    assert found.interval == (1, 2)
    assert len(found.distribution) == 4
    assert "3 reports without a location or a radius" in found.summary()
    nothing = probability_within(sites[3:], BORDER, distance_m=2000).summary()
    assert "Of 3 reports (unknown), none is known well enough to expect it within 2 km" in nothing
    assert "are expected" not in nothing
    pd.testing.assert_frame_equal(pd.DataFrame(sites), pd.DataFrame(before))


def test_reports_of_one_place_are_a_caution_by_their_disc_or_by_their_place_id():
    places = east_of_border([1500, 1500, 1800, 2100, 30_000])
    sites = sites_at(places, [3000, 3000, 2900, 2900, 50])
    assert probability_within(sites, BORDER, distance_m=2000).n_shared == 2
    named = sites.assign(place_id=[None, None, "a", "a", "a"])
    found = probability_within(named, BORDER, distance_m=2000)
    assert found.n_shared == 4
    assert "4 of the undecided reports share" in found.summary()
    assert found.interval == probability_within(sites, BORDER, distance_m=2000).interval


def test_confirmed_and_suspected_are_counted_apart():
    sites = sites_at(east_of_border([100, 1500, 1500, 30_000]), [50, 3000, 3000, 50])
    sites["status"] = ["suspected", "confirmed", "confirmed", None]
    found = probability_within(sites, BORDER, distance_m=2000)
    table = found.to_frame().set_index("status")
    assert list(table.index) == ["confirmed", "suspected", "unknown"]
    assert table["expected"].tolist() == pytest.approx([2 * 0.6056, 1.0, 0.0], abs=1e-3)
    assert table["n"].tolist() == [2, 1, 1]
    assert table["reported"].tolist() == [2, 1, 0]
    assert found.n_shared == 2
    text = found.summary()
    assert "Of 2 reports (confirmed), 1.2 are expected within 2 km" in text
    assert "at most 2. Reported places within: 2." in text
    assert "2 of the undecided reports share place and radius" in text
    assert "104" not in text
    assert "&lt;" not in found._repr_html_()


def test_the_order_of_rows_and_the_projection_change_nothing():
    rng = np.random.default_rng(1)
    sites = sites_at(east_of_border(rng.uniform(0, 8000, 40)), rng.uniform(100, 6000, 40))
    one = probability_within(sites, BORDER, distance_m=2000)
    order = rng.permutation(40)
    other = probability_within(sites.iloc[order], BORDER, distance_m=2000)
    assert (other.sites["probability"].sort_index() == one.sites["probability"]).all()
    assert other.expected == one.expected
    assert (other.distribution == one.distribution).all()
    plane = probability_within(sites.to_crs(32648), BORDER, distance_m=2000)
    assert plane.expected == pytest.approx(one.expected, abs=1e-6)


def test_no_rows_and_no_known_place_give_an_empty_count():
    for sites in (sites_at([], []), sites_at([None, None], 50.0)):
        found = probability_within(sites, BORDER, distance_m=2000)
        assert found.expected == 0
        assert found.interval == (0, 0)
        assert found.bounds == (0, len(sites))
        assert found.to_frame()["n"].tolist() == [len(sites)]
        assert found.summary()


def test_what_cannot_be_asked_is_refused():
    sites = sites_at(east_of_border([100]), 50.0)
    for wrong in (-1.0, np.nan, np.inf, "2000", True):
        with pytest.raises(ValueError, match="distance_m is"):
            probability_within(sites, BORDER, distance_m=wrong)
    with pytest.raises(GeometryError, match="The feature is empty"):
        probability_within(sites, LineString(), distance_m=1)
    with pytest.raises(SchemaError, match="negative"):
        probability_within(sites.assign(uncertainty_m=-1.0), BORDER, distance_m=1)
    with pytest.raises(CRSError):
        probability_within(sites.set_crs(None, allow_override=True), BORDER, distance_m=1)


# ------------------------------------------------------------------ areas


def provinces(**columns) -> gpd.GeoDataFrame:
    shapes = [box(103, 12, 104, 14), box(104, 12, 105, 14)]
    return gpd.GeoDataFrame({"name": ["West", "East"], **columns}, geometry=shapes, crs=4326)


def test_fractions_are_the_shares_of_the_disc_on_either_side():
    sites = sites_at(east_of_border([1000, -8000]), 5000.0, site_id=["a", "b"])
    found = admin_fractions(sites, provinces())
    assert found["site_id"].tolist() == ["a", "a", "b"]
    assert found["area"].tolist() == ["East", "West", "West"]
    inside = below(0.2)
    assert found["fraction"].tolist() == pytest.approx([inside, 1 - inside, 1.0], abs=1e-4)


def test_what_lies_in_no_area_is_elsewhere_and_nothing_is_lost():
    places = [(105.0, 13.0), (120.0, 13.0), None, (104.0, 13.0), (103.5, 13.0)]
    sites = sites_at(places, [5000, 5000, 5000, 0, np.nan])
    found = admin_fractions(sites, provinces())
    assert found["site_id"].tolist() == [0, 0, 1, 2, 3, 3, 4]
    by_site = found.groupby("site_id")
    assert set(by_site["area"].get_group(0)) == {"East", "elsewhere"}
    assert by_site["fraction"].get_group(0).tolist() == pytest.approx([0.5, 0.5], abs=1e-3)
    assert found.loc[2, ["area", "fraction"]].tolist() == ["elsewhere", 1.0]
    assert found.loc[[3, 6], ["area", "fraction"]].isna().all(axis=None)


def test_fractions_of_the_examples_sum_to_one():
    found = admin_fractions(geo.example_sites(), geo.load_reference("provinces"))
    total = found.groupby("site_id")["fraction"].sum(min_count=1).dropna()
    assert total.to_numpy() == pytest.approx(1.0, abs=2e-3)
    assert len(total) == geo.example_sites().geometry.notna().sum()


def test_areas_that_are_none_are_refused():
    sites = sites_at(east_of_border([100]), 50.0)
    with pytest.raises(SchemaError, match="no column 'code'"):
        admin_fractions(sites, provinces(), name="code")
    line = provinces().set_geometry([BORDER, EAST])
    with pytest.raises(GeometryError, match="1 of 2 areas are no polygons") as caught:
        admin_fractions(sites, line)
    assert caught.value.problems["row"].tolist() == [0]
