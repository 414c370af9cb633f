"""Centres and spreads against textbook formulas, other software, brute force and symmetry."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer
from scipy.optimize import minimize
from shapely import Point, box

import geo
from geo.errors import CRSError, GeometryError, SchemaError

REFERENCE = Path(__file__).parents[1] / "reference"
SHARED = Path(__file__).parents[3] / "shared" / "reference"
KNOWN = json.loads((REFERENCE / "centrography.json").read_text(encoding="utf-8"))
GEOD = Geod(ellps="WGS84")
PLANE = "+proj=aeqd +lat_0=12 +lon_0=104 +datum=WGS84"
LEVEL = "+proj=aeqd +lat_0=0 +lon_0=104 +datum=WGS84"  # north is up also beside its middle
CENTERS = (geo.mean_center, geo.median_center)
SPREADS = (geo.standard_distance, geo.standard_deviational_ellipse)
ALL = (*CENTERS, *SPREADS)


def frame(lon, lat, **columns) -> gpd.GeoDataFrame:
    columns = {"uncertainty_m": [250.0] * len(lon)} | columns
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs=4326)


def planar(xy, crs=PLANE) -> gpd.GeoSeries:
    return gpd.GeoSeries.from_xy(*np.asarray(xy, dtype=float).T, crs=crs)


def in_plane(result, crs=PLANE):
    return Transformer.from_crs(4326, crs, always_xy=True).transform(result.lon, result.lat)


def scattered(n, seed, spread_deg=1.0) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    return frame(104 + spread_deg * rng.normal(size=n), 12 + spread_deg * rng.normal(size=n))


def sum_of_powers(place, lon, lat, weight, power):
    here = np.full(len(lon), place[0]), np.full(len(lon), place[1])
    return float((weight * np.asarray(GEOD.inv(*here, lon, lat)[2]) ** power).sum())


# ------------------------------------------------------------------ values of others


def test_classic_patterns_have_the_values_of_direct_sums():
    for name, expected in KNOWN["patterns"].items():
        points = pd.read_csv(REFERENCE / "patterns" / f"{name}_points.csv", comment="#")
        agree_with_direct_sums(points[["x", "y"]].to_numpy(), 1000.0, expected)


@pytest.mark.skipif(not SHARED.exists(), reason="the larger patterns are not there")
@pytest.mark.parametrize("name", ["amacrine", "lansing", "humberside"])
def test_larger_patterns_have_the_values_of_direct_sums(name):
    patterns = json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))["patterns"]
    points = pd.read_csv(SHARED / "patterns" / f"{name}_points.csv", comment="#")
    scale = 1.0 if name == "humberside" else 1000.0
    agree_with_direct_sums(
        points[["x", "y"]].to_numpy(), scale, patterns[name]["centrography_direct"]
    )


def agree_with_direct_sums(xy, scale, expected):
    """Compare near the middle of the projection, where it is flat to 1e-8 for a kilometre."""
    # but not in it: PROJ makes one point of all within 0.6 mm of the middle of this projection
    middle = xy.min(axis=0)
    sites = planar((xy - middle) * scale, LEVEL)
    n = len(xy)
    mean, median = (center(sites, n_bootstrap=0) for center in CENTERS)
    assert np.array(in_plane(mean, LEVEL)) / scale + middle == pytest.approx(
        expected["mean_centre"], abs=1e-8 * xy.std()
    )
    assert np.array(in_plane(median, LEVEL)) / scale + middle == pytest.approx(
        expected["euclidean_median"], abs=1e-8 * xy.std()
    )
    distance = geo.standard_distance(sites, n_bootstrap=0).distance_m / scale
    assert distance == pytest.approx(expected["standard_distance_n"], rel=1e-8)
    assert distance * np.sqrt(n / (n - 2)) == pytest.approx(
        expected["standard_distance_n_minus_2_crimestat"], rel=1e-8
    )
    ellipse = geo.standard_deviational_ellipse(sites, n_bootstrap=0)
    squares = np.square([ellipse.major_m, ellipse.minor_m]) / scale**2
    assert squares == pytest.approx(expected["ellipse_cov_eigenvalues_div_n"], rel=1e-8)
    angle = (90 - expected["ellipse_major_axis_angle_deg_ccw_from_x"]) % 180
    assert ellipse.bearing_deg == pytest.approx(angle, abs=1e-5)


def test_twelve_points_have_the_values_of_pointpats():
    known = KNOWN["twelve_points"]
    sites = planar(known["points"])
    mean, median = (center(sites, n_bootstrap=0) for center in CENTERS)
    assert in_plane(mean) == pytest.approx(known["mean_centre"], abs=1e-7)
    assert in_plane(median) == pytest.approx(known["euclidean_median"], abs=2e-5)
    distance = geo.standard_distance(sites, n_bootstrap=0).distance_m
    assert distance == pytest.approx(known["standard_distance"], rel=1e-9)
    ellipse = geo.standard_deviational_ellipse(sites, n_bootstrap=0)
    factor = np.sqrt(2 * 12 / 10)
    assert ellipse.minor_m * factor == pytest.approx(known["minor_times_sqrt2_n_minus_2"], rel=1e-9)
    assert np.radians(ellipse.bearing_deg) == pytest.approx(known["bearing_rad"], abs=1e-5)
    assert np.hypot(ellipse.major_m, ellipse.minor_m) == pytest.approx(distance, rel=1e-12)


def test_textbook_formulas_on_utm_hold_in_a_small_area():
    rng = np.random.default_rng(3)
    weight = rng.integers(1, 6, 40).astype(float)
    xy = rng.normal(size=(40, 2)) @ [[3000, 1000], [0, 1500]] + [500_000, 1_300_000]
    sites = gpd.GeoDataFrame({"w": weight}, geometry=planar(xy, 32648))
    mean = np.average(xy, axis=0, weights=weight)
    cov = np.cov(xy.T, aweights=weight, ddof=0)
    values, vectors = np.linalg.eigh(cov)
    found = in_plane(geo.mean_center(sites, weights="w", n_bootstrap=0), 32648)
    assert found == pytest.approx(mean, abs=0.01)
    ellipse = geo.standard_deviational_ellipse(sites, weights="w", n_bootstrap=0)
    # on the central meridian this projection makes lengths 0.9996 of what they are
    assert [ellipse.minor_m, ellipse.major_m] == pytest.approx(np.sqrt(values) / 0.9996, rel=1e-6)
    east, north = vectors[:, 1]
    assert ellipse.bearing_deg == pytest.approx(np.degrees(np.arctan2(east, north)) % 180, abs=0.01)
    distance = geo.standard_distance(sites, weights="w", n_bootstrap=0).distance_m
    assert distance == pytest.approx(np.sqrt(np.trace(cov)) / 0.9996, rel=1e-6)


# ------------------------------------------------------------------ minima


@pytest.mark.parametrize(("center", "power"), [(geo.mean_center, 2), (geo.median_center, 1)])
@pytest.mark.parametrize("spread", [0.05, 15])
def test_no_other_place_has_a_smaller_sum(center, power, spread):
    rng = np.random.default_rng(7)
    lon, lat = 175 + spread * rng.normal(size=25), 50 + spread * rng.uniform(-1, 1, 25)
    weight = rng.uniform(0.5, 3, 25)
    found = center(frame(lon, lat, w=weight), weights="w", n_bootstrap=0)
    own = sum_of_powers((found.lon, found.lat), lon, lat, weight, power)
    start = [lon.mean(), lat.mean()]
    other = minimize(
        sum_of_powers, start, (lon, lat, weight, power), "Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000},
    )  # fmt: skip
    assert own <= other.fun * (1 + 1e-13)
    assert GEOD.inv(found.lon, found.lat, *other.x)[2] < 0.1 + 2e-8 * spread * 1e5
    for east, north in [(1, 0), (-1, 0), (0, 1), (0, -1)]:
        azimuth = np.degrees(np.arctan2(east, north))
        near = GEOD.fwd(found.lon, found.lat, azimuth, 100)[:2]
        assert sum_of_powers(near, lon, lat, weight, power) > own


def test_symmetry_finds_poles_and_the_antimeridian():
    for center in CENTERS:
        three = center(frame([10, 130, 250], [80, 80, 80]), n_bootstrap=0)
        assert three.lat == pytest.approx(90, abs=1e-9)
        assert center(frame([0, 90, 180, -90], [-70] * 4), n_bootstrap=0).lat < -90 + 1e-9
        two = center(frame([179.9, -179.9], [0, 0]), n_bootstrap=0)
        assert abs(two.lon) == pytest.approx(180, abs=1e-9)
        assert two.lat == pytest.approx(0, abs=1e-9)
    assert geo.mean_center(frame([0, 120, 240], [10] * 3), n_bootstrap=0).lat > 90 - 1e-6


def test_median_is_a_report_that_outweighs_the_others():
    sites = frame([103, 103.4, 103.2, 103.1, 103.1], [12, 12.3, 12.9, 12.2, 12.2])
    center = geo.median_center(sites, rng=1)
    assert (center.lon, center.lat) == (103.1, 12.2)
    # the angles of a triangle are below 120 degrees unless one report is the median itself
    flat = geo.median_center(frame([103, 103.5, 104], [12, 12.1, 12]), n_bootstrap=0)
    assert (flat.lon, flat.lat) == (103.5, 12.1)


def test_median_on_one_geodesic_is_the_middle_of_those_that_serve():
    four = geo.median_center(frame([100, 101, 105, 120], [0, 0, 0, 0]), rng=1)
    assert (four.lon, four.lat) == (pytest.approx(103, abs=1e-9), pytest.approx(0, abs=1e-12))
    assert four.region_m > 0
    five = geo.median_center(frame([100, 101, 105, 120, 101.5], [0] * 5), n_bootstrap=0)
    assert five.lon == pytest.approx(101.5, abs=1e-9)
    weighted = frame([100, 101, 105], [0, 0, 0], w=[1, 1, 5])
    assert geo.median_center(weighted, weights="w", n_bootstrap=0).lon == pytest.approx(105)


def test_nearly_straight_reports_settle():
    lon = np.linspace(104, 104.001, 10)
    center = geo.median_center(frame(lon, np.full(10, 12.0)), n_bootstrap=0)
    assert lon[4] - 1e-9 <= center.lon <= lon[5] + 1e-9


# ------------------------------------------------------------------ invariants


PLACES = st.lists(
    st.tuples(st.floats(-20, 20).map(lambda x: round(x, 3)), st.floats(-15, 15)),
    min_size=1,
    max_size=12,
)


def numbers(function, sites, **options):
    row = function(sites, **options).to_frame()
    return [*row.drop(columns="geometry").iloc[0].tolist(), row.geometry.iloc[0].wkb]


@settings(max_examples=8, deadline=None)
@given(PLACES, st.randoms(use_true_random=False))
def test_row_order_changes_no_byte(places, random):
    lon, lat = np.array(places).T
    sites = frame(lon, lat, w=np.arange(1.0, len(lon) + 1), uncertainty_m=np.arange(len(lon)) + 0.1)
    rows = list(range(len(sites)))
    random.shuffle(rows)
    for function in ALL:
        one, other = (
            numbers(function, given, weights="w", n_bootstrap=99, rng=5)
            for given in (sites, sites.iloc[rows])
        )
        assert str(one) == str(other)


@settings(max_examples=10, deadline=None)
@given(PLACES, st.integers(-179, 179))
def test_turning_the_globe_turns_the_centre(places, turn):
    lon, lat = np.array(places).T
    here, there = frame(lon, lat), frame((lon + turn + 180) % 360 - 180, lat)
    one, other = (geo.mean_center(sites, n_bootstrap=0) for sites in (here, there))
    assert GEOD.inv(one.lon + turn, one.lat, other.lon, other.lat)[2] < 1e-5
    spread, turned = (
        geo.standard_distance(sites, n_bootstrap=0).distance_m for sites in (here, there)
    )
    assert turned == pytest.approx(spread, abs=1e-5)


@settings(max_examples=8, deadline=None)
@given(PLACES, st.data())
def test_weights_are_repetitions(places, data):
    lon, lat = np.array(places).T
    times = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(lon), max_size=len(lon))))
    times[0] = max(times[0], 1)
    weighted = frame(lon, lat, w=times)
    repeated = frame(np.repeat(lon, times), np.repeat(lat, times))
    for center in CENTERS:
        one = center(weighted, weights="w", n_bootstrap=0)
        other = center(repeated, n_bootstrap=0)
        sums = [
            sum_of_powers((c.lon, c.lat), lon, lat, times, 1 + (c.kind == "mean"))
            for c in (one, other)
        ]
        assert sums[0] == pytest.approx(sums[1], rel=1e-12, abs=1e-6)
    one = geo.standard_deviational_ellipse(weighted, weights="w", n_bootstrap=0)
    other = geo.standard_deviational_ellipse(repeated, n_bootstrap=0)
    assert one.major_m == pytest.approx(other.major_m, rel=1e-9, abs=1e-6)


def test_any_projection_and_writing_of_longitude_gives_the_same():
    sites = scattered(30, 1)
    beyond = frame(sites.geometry.x + 360, sites.geometry.y)
    for function in CENTERS:
        one = function(sites, n_bootstrap=0)
        for other in (sites.to_crs(32648), beyond, sites.geometry):
            found = function(other, n_bootstrap=0)
            assert GEOD.inv(one.lon, one.lat, found.lon, found.lat)[2] < 1e-5


def test_seed_and_threads(monkeypatch):
    sites = scattered(40, 2)
    for function in ALL:
        monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
        one = numbers(function, sites, n_bootstrap=199, rng=3)
        monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
        assert str(one) == str(numbers(function, sites, n_bootstrap=199, rng=3))
        assert str(one) != str(numbers(function, sites, n_bootstrap=199, rng=4))


# ------------------------------------------------------------------ intervals


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng, n, runs = np.random.default_rng(11), 15, 500
    back = Transformer.from_crs(PLANE, 4326, always_xy=True)
    truth = np.hypot(20e3, 10e3)
    hits = np.zeros(2)
    for seed in range(runs):
        lon, lat = back.transform(*(rng.normal(size=(n, 2)) * [20e3, 10e3]).T)
        sites = gpd.GeoSeries.from_xy(lon, lat, crs=4326)
        center = geo.mean_center(sites, n_bootstrap=99, rng=seed)
        low, high = geo.standard_distance(sites, n_bootstrap=99, rng=seed).interval_m
        off = GEOD.inv(center.lon, center.lat, 104, 12)[2]
        hits += [off <= center.region_m, low <= truth <= high]
    assert ((hits / runs > 0.93) & (hits / runs < 0.975)).all(), hits / runs


def test_region_is_that_of_replicates_solved_in_full():
    sites = scattered(25, 4, spread_deg=2.5)
    for function in CENTERS:
        center = function(sites, n_bootstrap=99, rng=8)
        seeds = np.random.default_rng(8).integers(0, 2**63, size=99)
        # the order in which reports are drawn from
        ordered = sites.iloc[np.lexsort((sites.geometry.y, sites.geometry.x))]
        for i in range(5):
            rows = np.random.default_rng(int(seeds[i])).integers(0, 25, 25)
            full = function(ordered.iloc[rows], n_bootstrap=0)
            azimuth, _, length = GEOD.inv(center.lon, center.lat, full.lon, full.lat)
            way = length * np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])
            assert np.linalg.norm(center.replicates_m[i] - way) < 0.005 * center.region_m


# ------------------------------------------------------------------ outlines


@pytest.mark.parametrize(
    ("lon", "lat"), [(104, 12), (179.99, -17), (20, 89.5), (-60, -89.9), (0, 0)]
)
def test_outlines_hold_what_is_near(lon, lat):
    rng = np.random.default_rng(5)
    azimuth, length = rng.uniform(0, 360, 60), 4e5 * rng.uniform(size=60)
    x, y, _ = GEOD.fwd(np.full(60, lon), np.full(60, lat), azimuth, length)
    result = geo.standard_distance(frame(x, y), n_bootstrap=0)
    circle = result.to_frame().geometry.iloc[0]
    assert circle.is_valid
    assert box(-180, -90, 180, 90).covers(circle)
    away = np.asarray(GEOD.inv(np.full(60, result.lon), np.full(60, result.lat), x, y)[2])
    clear = np.abs(away - result.distance_m) > 0.001 * result.distance_m
    inside = np.array([circle.covers(Point(*place)) for place in zip(x, y, strict=True)])
    assert (inside == (away < result.distance_m))[clear].all()
    assert 0 < inside.sum() < 60


def test_ellipse_has_its_axes_bearing_and_area():
    rng = np.random.default_rng(6)
    xy = rng.normal(size=(200, 2)) @ [[90e3, 30e3], [0, 20e3]]
    result = geo.standard_deviational_ellipse(planar(xy), n_bootstrap=0)
    row = result.to_frame()
    corners = np.array(row.geometry.iloc[0].exterior.coords)[:-1]
    here = np.full(len(corners), result.lon), np.full(len(corners), result.lat)
    azimuth, _, length = map(np.asarray, GEOD.inv(*here, *corners.T))
    assert length.max() == pytest.approx(result.major_m, rel=1e-9)
    assert length.min() == pytest.approx(result.minor_m, rel=1e-9)
    assert azimuth[length.argmax()] % 180 == pytest.approx(result.bearing_deg, abs=1e-6)
    # the curvature of the earth takes 2e-5 of the area of an ellipse of this size
    flat = np.pi * result.major_m * result.minor_m / 1e6
    assert row["area_km2"].iloc[0] == pytest.approx(flat, rel=1e-4)
    assert result.area_km2 < flat


# ------------------------------------------------------------------ few reports, bad input, words


def test_one_report_is_its_own_centre_without_an_interval():
    sites = frame([103.123456], [11.654321])
    for center in CENTERS:
        found = center(sites, rng=1)
        assert (found.lon, found.lat) == (103.123456, 11.654321)
        assert np.isnan(found.region_m)
        assert "all stand at one coordinate" in found.summary()
    distance = geo.standard_distance(sites, rng=1)
    assert distance.distance_m == 0
    assert np.isnan(distance.interval_m).all()
    assert distance.to_frame().geometry.is_empty.all()
    ellipse = geo.standard_deviational_ellipse(pd.concat([sites] * 5), rng=1)
    assert (ellipse.major_m, ellipse.minor_m, ellipse.area_km2) == (0, 0, 0)
    assert np.isnan(ellipse.bearing_deg)


def test_two_reports_have_no_end_of_an_interval_and_no_area():
    sites = frame([103, 104], [12, 12])
    ellipse = geo.standard_deviational_ellipse(sites, rng=1)
    assert ellipse.minor_m == pytest.approx(0, abs=1e-5)
    assert ellipse.bearing_deg == pytest.approx(90, abs=1e-6)
    assert ellipse.to_frame().geometry.is_empty.all()
    assert geo.standard_distance(sites, rng=1).interval_m == (0, np.inf)
    half = GEOD.inv(103, 12, 104, 12)[2] / 2
    assert geo.standard_distance(sites, n_bootstrap=0).distance_m == pytest.approx(half)


def test_a_round_pattern_has_no_bearing():
    sites = planar([(1000, 0), (-1000, 0), (0, 1000), (0, -1000)])
    ellipse = geo.standard_deviational_ellipse(sites, rng=1)
    assert ellipse.major_m == pytest.approx(ellipse.minor_m)
    assert "nan" not in ellipse.summary()
    round_one = geo.standard_deviational_ellipse(scattered(100, 9), rng=1)
    assert "no direction can be told" in round_one.summary()


@pytest.mark.parametrize("function", ALL)
def test_bad_input_is_refused(function):
    with pytest.raises(ValueError, match="None of 0 sites has a location"):
        function(frame([], []))
    nowhere = frame([103.0, 104.0], [12.0, 12.0])
    nowhere.loc[:, "geometry"] = None
    with pytest.raises(ValueError, match="None of 2 sites"):
        function(nowhere)
    with pytest.raises(CRSError):
        function(gpd.GeoSeries.from_xy([103], [12]))
    with pytest.raises(GeometryError, match="no points"):
        function(gpd.GeoSeries([box(0, 0, 1, 1)], crs=4326))
    for lon, lat in (([0, 180], [0, 0]), ([0, 120, 240], [0, 0, 0]), ([7, 7], [90, -90])):
        with pytest.raises(GeometryError, match="several"):
            function(frame(lon, lat))
    for many in (-1, 5, 2.5, True, "9"):
        with pytest.raises(ValueError, match="n_bootstrap"):
            function(frame([103], [12]), n_bootstrap=many)
    with pytest.raises(SchemaError, match="no column 'w'"):
        function(frame([103], [12]), weights="w")
    with pytest.raises(SchemaError, match="no column"):
        function(frame([103], [12]).geometry, weights="w")
    with pytest.raises(SchemaError, match="are 0"):
        function(frame([103], [12], w=[0]), weights="w")
    for wrong in (-1, np.nan, np.inf, "many", None):
        sites = frame([103, 104, 105], [12, 12, 12], w=[1, wrong, 2]).set_index([list("abc")])
        with pytest.raises(SchemaError, match="1 of 3 weights in 'w'") as caught:
            function(sites, weights="w")
        assert caught.value.problems["row"].tolist() == [1]
        assert caught.value.problems["column"].tolist() == ["w"]


def test_median_of_half_a_globe_is_refused_where_the_mean_is_not():
    sites = frame([0, 120, 240], [20, 20, 20])
    assert geo.mean_center(sites, n_bootstrap=0).lat > 89.999
    with pytest.raises(GeometryError, match="several median centres"):
        geo.median_center(sites)


def test_reports_far_to_one_side_have_a_place_in_reach_of_all():
    # from the mean direction the last is farther than a quarter of the way round, from 40 E not
    sites = frame([0, 0.1, 0, 0.2, 0.1, 0.3, 0, 80], [0, 1, 2, 0, 1, 2, 1, 5])
    median = geo.median_center(sites, n_bootstrap=0)
    assert (median.lon, median.lat) == (0.1, 1)


def test_rows_left_out_are_counted_and_inputs_unchanged():
    sites = frame(
        [103, 104, 104, np.nan, 105],
        [12, 12, 12, np.nan, 13],
        w=[1, 2, 3, np.nan, 0],
        name=["ភ្នំពេញ", "<b>", "x", "y", "z"],
        uncertainty_m=[100.0, 200.0, np.nan, 5.0, 9.0],
    )
    before = sites.copy()
    for function in ALL:
        found = function(sites, weights="w", rng=1)
        assert found.n == 3
        assert found.facts == {
            "n_unlocated": 1,
            "n_weightless": 1,
            "n_places": 2,
            "radius_m": pytest.approx((1 * 100 + 2 * 200) / 3),
            "n_unknown": 1,
        }
        words = found.summary()
        for part in (
            "3 located reports, weighted by w",
            "1 report without a location could not be used",
            "1 report of weight 0 left out",
            "stand at 2 coordinates",
            "within 167 m on average (mean of uncertainty_m)",
            "1 of 3 radii are unknown",
            "describes reports",
        ):
            assert part in words
        # neither words nor printouts show where
        assert "103." not in words + repr(found)
        assert "\n" not in repr(found)
        assert found._repr_html_().startswith("<p>")
    pd.testing.assert_frame_equal(sites, before)


def test_frames_hold_the_numbers():
    sites = scattered(20, 3)
    center = geo.mean_center(sites, rng=1)
    row = center.to_frame()
    assert row.crs == "EPSG:4326"
    assert row.geometry.iloc[0].equals(Point(center.lon, center.lat))
    assert row["region_m"].iloc[0] == center.region_m
    assert center.replicates_m.shape == (999, 2)
    distance = geo.standard_distance(sites, rng=1)
    low, high = distance.interval_m
    assert low < distance.distance_m < high
    assert distance.to_frame()[["low_m", "high_m"]].iloc[0].tolist() == [low, high]
    plain = geo.standard_distance(sites, n_bootstrap=0)
    assert plain.distance_m == distance.distance_m
    assert np.isnan(plain.interval_m).all()
    assert "interval" not in plain.summary().split("The places")[0]
