from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import (
    GeometryCollection,
    LineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)

from geo.errors import CRSError, GeometryError, SchemaError
from geo.proximity import distance_to, geodesic_distance, nearest
from geo.reach import count_within

GEOD = Geod(ellps="WGS84")
DISTANCE = ["distance_m", "distance_min_m", "distance_max_m"]
NEAREST = ["site", "target", "rank", *DISTANCE]
COUNT = ["count", "count_min", "count_max"]


def frame_of(lonlat, *, radius=None, index=None, **columns) -> gpd.GeoDataFrame:
    geometry = [None if place is None else Point(place) for place in lonlat]
    if radius is not None:
        columns["uncertainty_m"] = radius
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326, index=index)


def cloud(n: int, seed: int, *, spread=0.5, radius=True) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    lonlat = np.column_stack(
        [104 + spread * rng.standard_normal(n), 12 + spread * rng.standard_normal(n)]
    )
    radii = rng.choice([250.0, 2000.0, 5000.0, 17000.0], n) if radius else None
    return frame_of(lonlat, radius=radii, index=[f"s{row}" for row in range(n)])


def length(one: Point, other: Point) -> float:
    return GEOD.inv(one.x, one.y, other.x, other.y)[2]


def redrawn(frame: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Put every point anywhere within its radius, often on the circle itself."""
    share = np.where(rng.random(len(frame)) < 0.3, 1, rng.random(len(frame)))
    lon, lat, _ = GEOD.fwd(
        frame.geometry.x,
        frame.geometry.y,
        rng.uniform(0, 360, len(frame)),
        frame["uncertainty_m"] * share,
    )
    return frame.set_geometry(gpd.points_from_xy(lon, lat), crs=4326)


# ------------------------------------------------------------------ geodesic_distance


def test_distance_of_two_airports_is_the_published_one():
    # GeographicLib's own example (GeodSolve): JFK to Singapore Changi, 15347628 m
    jfk = frame_of([(-(73 + 46 / 60 + 44 / 3600), 40 + 38 / 60 + 23 / 3600)], radius=[0.0])
    answer = geodesic_distance(jfk, Point(103 + 59 / 60 + 22 / 3600, 1 + 21 / 60 + 33 / 3600))
    assert answer["distance_m"].iloc[0] == pytest.approx(15_347_628, abs=0.5)


def test_rows_are_matched_by_position_and_keep_the_index_of_the_sites():
    sites = frame_of([(103, 12), (104, 13)], index=["a", "b"])
    others = frame_of([(103, 13), (105, 13)], index=["b", "a"])
    answer = geodesic_distance(sites, others)
    assert list(answer.index) == ["a", "b"]
    assert list(answer.columns) == DISTANCE
    assert answer.loc["a", "distance_m"] == length(Point(103, 12), Point(103, 13))


def test_both_radii_widen_the_interval_and_unknown_ones_are_never_zero():
    sites = frame_of([(103, 12)] * 3, radius=[100.0, np.nan, 100.0])
    others = frame_of([(103, 12.1)] * 3, radius=[30.0, 30.0, np.nan])
    answer = geodesic_distance(sites, others)
    metres = answer["distance_m"].iloc[0]
    assert answer["distance_max_m"].iloc[0] == metres + 130
    assert answer["distance_min_m"].iloc[0] == metres - 130
    assert answer[["distance_min_m", "distance_max_m"]].iloc[1:].isna().all(axis=None)
    assert answer["distance_m"].notna().all()
    without = geodesic_distance(sites.drop(columns="uncertainty_m"), Point(103, 12.1))
    assert without[["distance_min_m", "distance_max_m"]].isna().all(axis=None)


def test_interval_does_not_go_below_zero():
    answer = geodesic_distance(frame_of([(103, 12)], radius=[5000.0]), Point(103, 12.001))
    assert answer["distance_min_m"].tolist() == [0]


def test_missing_places_give_missing_distances():
    sites = frame_of([None, (103, 12), (103, 12), (np.nan, np.nan)], radius=[1.0] * 4)
    sites.loc[2, "geometry"] = Point()
    for others in (frame_of([(103, 12)] * 4), Point(103, 12)):
        answer = geodesic_distance(sites, others)
        assert answer["distance_m"].isna().tolist() == [True, False, True, True]
    assert distance_to(sites, Point(103, 12))["distance_m"].count() == 1
    assert nearest(frame_of([(103, 12)]), sites)["target"].tolist() == [1]
    assert count_within(sites, distance_m=10)["count"].fillna(-1).tolist() == [-1, 0, -1, -1]


def test_another_number_of_rows_is_an_error():
    with pytest.raises(ValueError, match="matched row by row"):
        geodesic_distance(frame_of([(103, 12)]), frame_of([(103, 12), (104, 12)]))


# ------------------------------------------------------------------ nearest


def test_nearest_agrees_with_all_pairs():
    sites, targets = cloud(40, 1), cloud(60, 2)
    answer = nearest(sites, targets, k=3)
    assert list(answer.columns) == NEAREST
    for site, rows in answer.groupby("site", sort=False):
        lengths = pd.Series(
            [length(sites.geometry[site], other) for other in targets.geometry], targets.index
        ).sort_values()
        assert rows["target"].tolist() == lengths.index[:3].tolist()
        assert rows["distance_m"].tolist() == pytest.approx(lengths.iloc[:3].tolist(), abs=1e-8)
        assert rows["rank"].tolist() == [1, 2, 3]


def test_sites_without_location_or_target_in_range_keep_a_row():
    sites = frame_of([None, (103, 12), (150, 0)], radius=[1.0] * 3, index=[10, 20, 30])
    targets = frame_of([None, (103, 12.01), (103, 12.02)], index=[7, 8, 9])
    answer = nearest(sites, targets, k=2, max_distance_m=5000)
    assert answer["site"].tolist() == [10, 20, 20, 30]
    assert answer["rank"].tolist() == [1, 1, 2, 1]
    assert answer["target"].isna().tolist() == [True, False, False, True]
    assert answer["target"].dropna().tolist() == [8, 9]
    assert answer["target"].dtype == answer["site"].dtype == "Int64"
    assert answer[DISTANCE].isna().all(axis=1).tolist() == [True, False, False, True]


@pytest.mark.parametrize("size_deg", [0, 0.01])
def test_order_of_sites_changes_no_answer(size_deg):
    sites, targets = cloud(30, 4), cloud(30, 3)
    if size_deg:
        targets = targets.set_geometry([place.buffer(size_deg) for place in targets.geometry])
    shuffled = nearest(sites.sample(frac=1, random_state=1), targets, k=2)
    pd.testing.assert_frame_equal(
        shuffled.sort_values(["site", "rank"], ignore_index=True),
        nearest(sites, targets, k=2).sort_values(["site", "rank"], ignore_index=True),
    )


def test_other_shapes_are_ranked_as_distance_to_measures_them():
    rng = np.random.default_rng(5)
    centres = rng.uniform([102, 10], [107, 15], (25, 2))
    shapes = [Point(place).buffer(rng.uniform(0.01, 0.4)) for place in centres[:12]]
    shapes += [LineString([place, place + rng.normal(0, 0.3, 2)]) for place in centres[12:20]]
    shapes += [MultiPoint([place, place + 0.1]) for place in centres[20:24]] + [Point(centres[24])]
    targets = gpd.GeoSeries([*shapes, None], crs=4326)
    sites = cloud(60, 6, spread=1.5)
    single = np.column_stack([distance_to(sites, shape)["distance_m"] for shape in shapes])
    answer = nearest(sites, targets, k=3, max_distance_m=90_000)
    expected = [
        [
            (row, target)
            for target in np.argsort(lengths, kind="stable")[:3]
            if lengths[target] <= 9e4
        ]
        or [(row, None)]
        for row, lengths in enumerate(single)
    ]
    labels = [(sites.index[row], target) for rows in expected for row, target in rows]
    assert (single.min(axis=1) == 0).any()
    assert answer["site"].tolist() == [site for site, _ in labels]
    assert answer["target"].astype(object).where(answer["target"].notna(), None).tolist() == [
        target for _, target in labels
    ]
    metres = answer.loc[answer["target"].notna(), "distance_m"]
    assert metres.tolist() == [
        single[row, target] for rows in expected for row, target in rows if target is not None
    ]


def test_inside_of_more_than_half_the_globe_is_nearest_far_from_its_outline():
    targets = gpd.GeoSeries([Point(0.5, 0), box(-180, -60, 180, 90)], crs=4326)
    answer = nearest(frame_of([(0, 0)]), targets)
    assert answer[["target", "distance_m"]].to_numpy().tolist() == [[1, 0]]


def test_a_site_among_the_targets_finds_itself_first():
    sites = cloud(10, 7)
    answer = nearest(sites, sites, k=2)
    assert (answer["target"] == answer["site"])[answer["rank"] == 1].all()
    assert (answer.loc[answer["rank"] == 1, "distance_m"] == 0).all()


def test_nearest_across_the_antimeridian():
    sites = frame_of([(179.9, -17)])
    targets = frame_of([(178, -17), (-179.9, -17)], index=["west", "east"])
    assert nearest(sites, targets)["target"].tolist() == ["east"]


@pytest.mark.parametrize("n_sites", [0, 2])
@pytest.mark.parametrize("n_targets", [0, 2])
def test_empty_frames_give_empty_answers_of_the_same_shape(n_sites, n_targets):
    sites, targets = frame_of([(103, 12)] * n_sites), frame_of([(103, 12)] * n_targets)
    full = nearest(frame_of([(103, 12)]), frame_of([(103, 12)]))
    answer = nearest(sites, targets)
    assert len(answer) == n_sites
    assert (answer.dtypes == full.dtypes).all()


@pytest.mark.parametrize("k", [0, -1, 1.5, True, np.True_, "2", None, np.nan])
def test_k_must_count(k):
    with pytest.raises(ValueError, match="k is"):
        nearest(cloud(2, 1), cloud(2, 2), k=k)


@pytest.mark.parametrize("limit", [-1, np.nan, "5000", True, False, pd.NA, [10], 5j])
def test_limits_must_be_lengths(limit):
    with pytest.raises(ValueError, match="max_distance_m is"):
        nearest(cloud(2, 1), cloud(2, 2), max_distance_m=limit)
    with pytest.raises(ValueError, match="distance_m is"):
        count_within(cloud(2, 1), distance_m=[1000, [limit]])
    if not isinstance(limit, list):
        with pytest.raises(ValueError, match="distance_m is"):
            count_within(cloud(2, 1), distance_m=limit)


def test_limits_may_be_zero_or_without_end():
    sites = frame_of([(103, 12), (103, 12), (104, 12)])
    assert nearest(sites, sites, max_distance_m=np.inf)["target"].tolist() == [0, 0, 2]
    assert nearest(sites, sites, max_distance_m=np.int64(0))["target"].tolist() == [0, 0, 2]
    assert count_within(sites, distance_m=0)["count"].tolist() == [1, 1, 0]


# ------------------------------------------------------------------ distance_to

CAMBODIA = box(102.3, 10.4, 107.6, 14.7)


def test_distance_is_zero_inside_and_on_a_polygon_but_not_in_its_hole():
    ring = Polygon(CAMBODIA.exterior, [box(104, 12, 105, 13).exterior])
    sites = frame_of([(103, 11), (102.3, 12), (104.5, 12.5), (104.01, 12.5)])
    metres = distance_to(sites, ring)["distance_m"]
    assert metres.iloc[:2].tolist() == [0, pytest.approx(0, abs=1e-8)]
    assert metres.iloc[2] == pytest.approx(length(Point(104.5, 12.5), Point(104, 12.5)), rel=1e-3)
    assert metres.iloc[3] == pytest.approx(length(Point(104.01, 12.5), Point(104, 12.5)), rel=1e-6)


def test_distance_to_a_mixture_is_the_least_of_all():
    sites = cloud(30, 8)
    parts = [Point(103, 12), LineString([(104, 13), (105, 13)]), box(104, 11, 104.2, 11.3)]
    collection = GeometryCollection([parts[0], GeometryCollection(parts[1:])])
    single = pd.concat([distance_to(sites, part)["distance_m"] for part in parts], axis=1)
    for feature in (collection, gpd.GeoSeries([*parts, None], crs=4326)):
        answer = distance_to(sites, feature)
        assert answer["distance_m"].tolist() == single.min(axis=1).tolist()
        assert list(answer.index) == list(sites.index)
        assert list(answer.columns) == DISTANCE


def test_feature_in_another_system_is_the_same_feature():
    sites, feature = cloud(20, 9), gpd.GeoSeries([Point(104, 12), Point(105, 12)], crs=4326)
    there = distance_to(sites.to_crs(32648), feature.to_crs(32648))
    assert np.abs(there - distance_to(sites, feature)).max(axis=None) < 1e-5


def test_polygons_cut_at_the_antimeridian_and_beyond_it_are_one_place():
    fiji = frame_of([(179.5, -17), (-179.5, -17), (178, -17)])
    cut = MultiPolygon([box(179, -18, 180, -16), box(-180, -18, -179, -16)])
    beyond = box(179, -18, 181, -16)
    for feature in (cut, beyond):
        metres = distance_to(fiji, feature)["distance_m"]
        assert metres.tolist() == [0, 0, pytest.approx(106_450, rel=1e-3)]


def test_world_box_holds_everything_and_its_polar_cap_ends_at_its_parallel():
    sites = frame_of([(0, 0), (180, 45), (-120, -89)])
    assert distance_to(sites, box(-180, -90, 180, 90))["distance_m"].tolist() == [0, 0, 0]
    cap = distance_to(frame_of([(77, 65), (5, 75)]), box(-180, 70, 180, 90))["distance_m"]
    assert cap.tolist() == [pytest.approx(length(Point(77, 65), Point(77, 70)), abs=1e-6), 0]


def test_polygon_with_an_edge_across_half_the_globe_is_refused():
    with pytest.raises(GeometryError, match="antimeridian") as caught:
        distance_to(frame_of([(0, 0)]), box(-170, -10, 170, 10))
    assert caught.value.problems["row"].tolist() == [0]


def test_invalid_polygon_and_empty_feature_are_refused():
    bowtie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(GeometryError, match="make_valid"):
        distance_to(frame_of([(0, 0)]), bowtie)
    for empty in (Point(), gpd.GeoSeries([None], crs=4326), gpd.GeoSeries([], crs=4326)):
        with pytest.raises(GeometryError, match="nothing to measure to"):
            distance_to(frame_of([(0, 0)]), empty)


def test_sites_without_location_stay_with_missing_distances():
    sites = frame_of([None, (103, 12)], radius=[100.0, 100.0], index=["x", "y"])
    answer = distance_to(sites, CAMBODIA)
    assert answer.loc["x"].isna().all()
    assert answer.loc["y"].tolist() == [0, 0, 100]
    assert distance_to(sites.iloc[:0], CAMBODIA).shape == (0, 3)


# ------------------------------------------------------------------ count_within


def counted(sites, targets, reach, *, itself):
    rows = []
    for row, site in enumerate(sites.itertuples()):
        metres = np.array([length(site.geometry, other) for other in targets.geometry])
        radii = targets["uncertainty_m"].to_numpy() + site.uncertainty_m
        keep = np.arange(len(targets)) != row if itself else slice(None)
        limits = (reach, reach - radii[keep], reach + radii[keep])
        rows.append([int((metres[keep] <= limit).sum()) for limit in limits])
    return rows


@pytest.mark.parametrize("reach", [0, 3000, 12_345.6, 60_000, 500_000])
def test_counts_agree_with_all_pairs(reach):
    sites = pd.concat([cloud(40, 10), cloud(40, 10).iloc[:15], cloud(5, 11)], ignore_index=True)
    answer = count_within(sites, distance_m=reach)
    assert list(answer.columns) == COUNT
    assert answer.to_numpy().tolist() == counted(sites, sites, reach, itself=True)
    targets = cloud(50, 12)
    answer = count_within(sites, targets, distance_m=reach)
    assert answer.to_numpy().tolist() == counted(sites, targets, reach, itself=False)


def test_targets_without_radius_column_are_exact():
    sites = frame_of([(103, 12)], radius=[100.0])
    targets = frame_of([(103, 12.001), (103, 12.01)])
    assert count_within(sites, targets, distance_m=1000).to_numpy().tolist() == [[1, 1, 1]]
    assert count_within(sites, targets, distance_m=1010).to_numpy().tolist() == [[1, 1, 2]]


def test_counts_are_missing_where_they_cannot_be_known():
    sites = frame_of([(103, 12), None, (103, 12)], radius=[10.0, 10.0, np.nan], index=list("abc"))
    targets = frame_of([(103, 12), None], radius=[5.0, np.nan])
    answer = count_within(sites, targets, distance_m=100)
    assert (answer.dtypes == "Int64").all()
    assert answer.isna().to_numpy().tolist() == [
        [False, False, False],
        [True, True, True],
        [False, True, True],
    ]
    unknown = targets.assign(uncertainty_m=np.nan)
    assert count_within(sites, unknown, distance_m=100)["count_max"].isna().all()
    alone = count_within(sites.drop(columns="uncertainty_m"), distance_m=100)
    assert alone["count"].fillna(-1).tolist() == [1, -1, 1]
    assert alone["count_min"].isna().all()


def test_lines_and_polygons_are_sent_to_distance_to():
    with pytest.raises(GeometryError, match="distance_to"):
        count_within(cloud(3, 1), gpd.GeoSeries([CAMBODIA], crs=4326), distance_m=10)


def test_no_sites_give_no_counts():
    answer = count_within(cloud(3, 1).iloc[:0], distance_m=10)
    assert answer.shape == (0, 3)
    assert (answer.dtypes == "Int64").all()


# ------------------------------------------------------------------ intervals


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_every_place_within_the_radii_keeps_the_promised_intervals(seed):
    rng = np.random.default_rng(seed)
    sites, targets = cloud(6, rng, spread=0.2), cloud(5, rng, spread=0.2)
    true_sites, true_targets = redrawn(sites, rng), redrawn(targets, rng)
    line = LineString(rng.uniform([103, 11], [105, 13], (4, 2)))
    slack = 1e-6
    pairs = [
        (
            geodesic_distance(sites, targets.iloc[[0] * 6]),
            geodesic_distance(true_sites, true_targets.iloc[[0] * 6]),
        ),
        (distance_to(sites, line), distance_to(true_sites, line)),
        (distance_to(sites, targets), distance_to(true_sites, true_targets)),
    ]
    for promised, true in pairs:
        assert (promised["distance_min_m"] <= true["distance_m"] + slack).all()
        assert (true["distance_m"] <= promised["distance_max_m"] + slack).all()
    for promised, true in (
        (
            count_within(sites, targets, distance_m=2e4),
            count_within(true_sites, true_targets, distance_m=2e4),
        ),
        (count_within(sites, distance_m=2e4), count_within(true_sites, distance_m=2e4)),
    ):
        assert (promised["count_min"] <= true["count"]).all()
        assert (true["count"] <= promised["count_max"]).all()


def test_interval_to_uncertain_targets_is_that_of_the_nearest_whichever_it_is():
    sites = frame_of([(103, 12)], radius=[0.0])
    targets = frame_of([(103, 12.01), (103, 12.05)], radius=[10.0, 5000.0])
    answer = distance_to(sites, targets).iloc[0]
    near, far = (length(Point(103, 12), place) for place in targets.geometry)
    assert answer.tolist() == pytest.approx([near, far - 5000, near + 10], abs=1e-6)


# ------------------------------------------------------------------ bad input


def all_four(sites, targets):
    return [
        lambda: geodesic_distance(sites, targets),
        lambda: nearest(sites, targets),
        lambda: distance_to(sites, targets),
        lambda: count_within(sites, targets, distance_m=10),
    ]


def test_frames_without_crs_are_refused_on_either_side():
    good, bad = cloud(2, 1), cloud(2, 1).set_crs(None, allow_override=True)
    for call in all_four(good, bad) + all_four(bad, good):
        with pytest.raises(CRSError, match="no coordinate reference system"):
            call()


def test_sites_that_are_no_points_are_named():
    sites = frame_of([(103, 12), (104, 12)], index=["a", "b"])
    sites.loc["b", "geometry"] = CAMBODIA
    for call in all_four(sites, cloud(2, 1)):
        with pytest.raises(GeometryError, match="1 of 2 sites are no points") as caught:
            call()
        assert caught.value.problems.index.tolist() == ["b"]
        assert caught.value.problems["value"].tolist() == ["Polygon"]


def test_places_outside_longitude_and_latitude_are_named():
    for call in all_four(frame_of([(12, 104), (103, 12)]), cloud(2, 1)):
        with pytest.raises(GeometryError, match="swapped") as caught:
            call()
        assert caught.value.problems["row"].tolist() == [0]


def test_negative_radii_are_refused():
    for call in all_four(frame_of([(103, 12)] * 2, radius=[1.0, -1.0]), cloud(2, 1)):
        with pytest.raises(SchemaError, match="negative"):
            call()


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        (["5 km", "250"], [0]),
        ([250.0, "about 2000"], [1]),
        (["nan", "1,000"], [0, 1]),
        ([True, False], [0, 1]),
        ([[250], {}], [0, 1]),
        (pd.Categorical(["wide", "250"]), [0]),
        (pd.to_datetime(["2024-01-01", None]), [0]),
    ],
)
def test_radii_that_are_no_numbers_are_named(written, wrong):
    sites = frame_of([(103, 12)] * 2, index=["a", "b"])
    sites["uncertainty_m"] = written
    for call in all_four(sites, cloud(2, 1)):
        with pytest.raises(SchemaError, match=f"{len(wrong)} of 2 radii are no numbers") as caught:
            call()
        problems = caught.value.problems
        assert problems["row"].tolist() == wrong
        assert problems.index.tolist() == [["a", "b"][row] for row in wrong]
        assert problems["column"].tolist() == ["uncertainty_m"] * len(wrong)
        assert problems["value"].tolist() == [sites["uncertainty_m"].iloc[row] for row in wrong]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["250", " 2e3 "], [250, 2000]),
        (["", "  "], [np.nan, np.nan]),
        ([None, "5.5"], [np.nan, 5.5]),
        (pd.array([250, None], dtype="Int64"), [250, np.nan]),
        (pd.Categorical([0.1, 250.0]), [0.1, 250]),
    ],
)
def test_radii_written_as_text_are_read_and_blank_ones_are_unknown(written, meant):
    sites = frame_of([(103, 12)] * 2)
    sites["uncertainty_m"] = written
    most = distance_to(sites, Point(103, 12))["distance_max_m"]
    np.testing.assert_array_equal(most, meant)


def test_inputs_are_not_changed():
    sites, targets = cloud(5, 1), cloud(5, 2)
    before = sites.copy(), targets.copy()
    for call in all_four(sites, targets):
        call()
    pd.testing.assert_frame_equal(sites, before[0])
    pd.testing.assert_frame_equal(targets, before[1])
