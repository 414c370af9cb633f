"""What lies within a distance, and all pairs, against Karney on every pair."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import LineString, Point, Polygon, box

from geo.errors import CRSError, GeometryError, SchemaError
from geo.proximity import distance_matrix, distance_to, geodesic_distance
from geo.reach import count_within, distance_bands, pairs_within, within_distance

GEOD = Geod(ellps="WGS84")
DISTANCE = ["distance_m", "distance_min_m", "distance_max_m"]
COUNT = ["count", "count_min", "count_max"]
WITHIN = ["within", "surely", "possibly"]
BANDS = [
    *("within_m", "count", "count_min", "count_max", "n_located"),
    *("confirmed", "suspected", "resolvable", "note"),
]

BORDER = LineString([(102.0, 14.3), (104.0, 14.3)])
lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 0.0, 179.9999, -179.9999]))
lats = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999, -89.9999]))
places = st.tuples(lons, lats)


def frame_of(lonlat, *, radius=None, index=None, **columns) -> gpd.GeoDataFrame:
    geometry = [None if place is None else Point(place) for place in lonlat]
    if radius is not None:
        columns["uncertainty_m"] = np.broadcast_to(radius, len(geometry))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326, index=index)


def cloud(n: int, seed: int, *, centre=(104, 12), spread=0.5) -> gpd.GeoDataFrame:
    """Places with radii; some are shared, some rows have none."""
    rng = np.random.default_rng(seed)
    lon, lat = (centre + spread * rng.standard_normal((n, 2))).T
    lon, lat = (lon + 180) % 360 - 180, np.clip(lat, -90, 90)
    shared = rng.random(n) < 0.2
    lon[shared], lat[shared] = lon[0], lat[0]
    chosen = [None if rng.random() < 0.1 else place for place in zip(lon, lat, strict=True)]
    radius = rng.choice([30.0, 250.0, 2000.0, 5000.0, 17_000.0], n)
    return frame_of(chosen, radius=radius, index=[f"s{row}" for row in range(n)])


def metres_between(sites, targets) -> np.ndarray:
    """Karney on all pairs, NaN where a place is missing."""
    answer = np.full((len(sites), len(targets)), np.nan)
    for row, one in enumerate(sites.geometry):
        for column, other in enumerate(targets.geometry):
            if not (one is None or other is None or one.is_empty or other.is_empty):
                answer[row, column] = GEOD.inv(one.x, one.y, other.x, other.y)[2]
    return answer


# ------------------------------------------------------------------ within_distance


@pytest.mark.parametrize("reach", [0, 900.0, 12_000, np.float32(30_000), 2e6, np.inf])
def test_within_surely_and_possibly_are_the_three_distances_compared(reach):
    sites, targets = cloud(60, 1), cloud(4, 2).dropna()
    answer = within_distance(sites, targets, distance_m=reach)
    assert list(answer.columns) == WITHIN
    assert (answer.dtypes == "boolean").all()
    assert list(answer.index) == list(sites.index)
    metres, own = metres_between(sites, targets), targets["uncertainty_m"].to_numpy()
    radius = sites["uncertainty_m"].to_numpy()
    gone = sites.geometry.isna().to_numpy()
    expected = {
        "within": metres.min(axis=1) <= reach,
        "surely": (metres + own).min(axis=1) + radius <= reach,
        "possibly": (metres - own).min(axis=1) - radius <= reach,
    }
    assert gone.any()
    for name, values in expected.items():
        assert answer[name].isna().tolist() == gone.tolist()
        assert answer[name][~gone].tolist() == values[~gone].tolist()


@given(st.integers(0, 2**32 - 1), st.floats(0, 20_000))
@settings(max_examples=60, deadline=None)
def test_no_true_place_contradicts_surely_or_possibly(seed, reach):
    rng = np.random.default_rng(seed)
    lonlat = rng.uniform([103, 14.1], [104, 14.5], (8, 2))
    radius = rng.choice([30.0, 2000.0, 9000.0], 8)
    answer = within_distance(frame_of(lonlat, radius=radius), BORDER, distance_m=reach)
    share = np.where(rng.random(8) < 0.4, 1, rng.random(8))
    lon, lat, _ = GEOD.fwd(*lonlat.T, rng.uniform(0, 360, 8), radius * share)
    metres = distance_to(frame_of(zip(lon, lat, strict=True)), BORDER)["distance_m"].to_numpy()
    assert (metres[answer["surely"].to_numpy(bool)] <= reach + 2e-6).all()
    assert (metres[~answer["possibly"].to_numpy(bool)] > reach - 2e-6).all()


def test_within_distance_is_unknown_where_the_radius_or_the_place_is():
    sites = frame_of([(103, 14.2), (103, 14.2), None], radius=[100.0, np.nan, 100.0])
    answer = within_distance(sites, BORDER, distance_m=12_000)
    assert answer.isna().to_numpy().tolist() == [[False] * 3, [False, True, True], [True] * 3]
    without = within_distance(sites.drop(columns="uncertainty_m"), BORDER, distance_m=12_000)
    assert without["within"].fillna(value=False).tolist() == [True, True, False]
    assert without[["surely", "possibly"]].isna().all(axis=None)


def test_inside_of_a_polygon_is_within_0_but_surely_only_beyond_the_radius():
    sites = frame_of([(103, 13)], radius=[500.0])
    for reach, expected in ((0, [True, False, True]), (500, [True, True, True])):
        answer = within_distance(sites, box(102, 12, 104, 14), distance_m=reach)
        assert answer.iloc[0].tolist() == expected


def test_edges_that_are_geodesics_can_decide():
    # the geodesic between two places at 60 north runs 1.9 degrees north of the parallel
    sites, line = frame_of([(20, 61.5)], radius=[0.0]), LineString([(0, 60), (40, 60)])
    lon, lat = np.transpose(GEOD.npts(0, 60, 40, 60, 20_000))
    geodesic = GEOD.inv(np.full(20_000, 20), np.full(20_000, 61.5), lon, lat)[2].min()
    parallel = GEOD.inv(20, 61.5, 20, 60)[2]
    assert geodesic < 50_000
    assert parallel > 100_000
    assert not within_distance(sites, line, distance_m=1e5)["within"].iloc[0]
    assert within_distance(sites, line, distance_m=5e4, edges="geodesic")["within"].iloc[0]


@pytest.mark.parametrize("wrong", [-1, np.nan, "1000", True, None, pd.NA, [1000], 5j])
def test_distances_to_a_feature_must_be_lengths(wrong):
    sites = frame_of([(103, 12)])
    with pytest.raises(ValueError, match="distance_m is"):
        within_distance(sites, BORDER, distance_m=wrong)
    with pytest.raises(ValueError, match="distance_m is"):
        pairs_within(sites, distance_m=wrong)
    with pytest.raises(ValueError, match="distances_m is"):
        distance_bands(sites, BORDER, distances_m=[1000, wrong])


def test_unknown_edges_and_no_distance_are_refused():
    sites = frame_of([(103, 12)])
    for call in (within_distance, distance_bands):
        asked = {"distance_m": 5} if call is within_distance else {}
        with pytest.raises(ValueError, match="edges is"):
            call(sites, BORDER, edges="straight", **asked)
    with pytest.raises(ValueError, match="distances_m is empty"):
        distance_bands(sites, BORDER, distances_m=[])
    with pytest.raises(ValueError, match="distance_m is empty"):
        count_within(sites, distance_m=())


# ------------------------------------------------------------------ distance_bands


@pytest.mark.parametrize("kind", ["category", "string", "object"])
def test_bands_count_what_within_distance_tells_of_each(kind):
    sites = cloud(80, 3, centre=(103, 14.3), spread=0.2)
    sites.loc[sites.index[3], "uncertainty_m"] = np.nan
    status = np.resize(["confirmed", "suspected", "rejected", None, "unknown"], 80)
    sites["status"] = pd.Series(status, index=sites.index, dtype=kind)
    reaches = [25_000, 5000.0, np.int64(1000), 5000]
    bands = distance_bands(sites, BORDER, distances_m=reaches)
    assert list(bands.columns) == BANDS
    assert bands["within_m"].tolist() == [1000, 5000, 25_000]
    for band in bands.itertuples():
        each = within_distance(sites, BORDER, distance_m=band.within_m)
        located = each["within"].notna()
        assert band.count == each["within"].sum()
        assert band.count_min == each["surely"].sum()
        # of unknown radius: possible
        assert band.count_max == each.loc[located, "possibly"].fillna(value=True).sum()
        assert band.n_located == located.sum() == sites.geometry.notna().sum()
        here = each["within"].fillna(value=False).to_numpy(bool)
        assert band.confirmed == (status[here] == "confirmed").sum()
        assert band.suspected == (status[here] == "suspected").sum()
    assert bands["count"].iloc[1:].min() > 0
    assert bands["count_max"].is_monotonic_increasing
    assert bands["count_min"].is_monotonic_increasing


def test_bands_that_the_radii_cannot_resolve_say_so():
    # three of four radii are at most 500 m: the 75th percentile is 500 m
    sites = frame_of([(103, 14.2)] * 5, radius=[30.0, 100.0, 400.0, 500.0, 9000.0])
    bands = distance_bands(sites, BORDER, distances_m=[999.9, 1000, 20_000])
    assert bands["resolvable"].tolist() == [False, True, True]
    assert "500 m" in bands["note"].iloc[0]
    assert bands["note"].iloc[1:].tolist() == ["", ""]
    unknown = sites.assign(uncertainty_m=[30.0, 100.0, 400.0, np.nan, 9000.0])
    bands = distance_bands(unknown, BORDER, distances_m=[20_000])
    assert not bands["resolvable"].iloc[0]
    assert "1 of 5 radii are unknown" in bands["note"].iloc[0]


def test_a_radius_without_end_is_possible_everywhere_and_resolves_nothing():
    sites = frame_of([(103, 14.2), (103, 14.2), (103, 14.2)], radius=[np.inf, 10.0, 10.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bands = distance_bands(sites, BORDER, distances_m=[1000, 12_000])
    assert bands["count"].tolist() == [0, 3]
    assert bands["count_min"].tolist() == [0, 2]
    assert bands["count_max"].tolist() == [1, 3]
    assert not bands["note"].str.contains("nan").any()


def test_bands_of_no_sites_and_of_sites_without_status():
    for sites in (frame_of([]), frame_of([None, None], radius=5.0)):
        bands = distance_bands(sites, BORDER)
        assert bands["within_m"].tolist() == [1000, 5000, 10_000, 25_000]
        assert bands[[*COUNT, "n_located"]].to_numpy().sum() == 0
        assert bands[["confirmed", "suspected"]].isna().all(axis=None)
        assert (bands.dtypes[[*COUNT, "n_located"]] == "int64").all()


@pytest.mark.parametrize(
    "given_as",
    [list, tuple, np.array, pd.Series, set, lambda values: (value for value in values)],
)
def test_distances_may_come_as_any_sequence(given_as):
    sites = frame_of([(103, 14.2), (103, 14.25)], radius=[10.0, 10.0])
    reaches = [1000.0, 12_000.0]
    pd.testing.assert_frame_equal(
        distance_bands(sites, BORDER, distances_m=given_as(reaches)),
        distance_bands(sites, BORDER, distances_m=reaches),
    )
    pd.testing.assert_frame_equal(
        count_within(sites, distance_m=given_as(reaches)).sort_values(["site", "distance_m"]),
        count_within(sites, distance_m=reaches).sort_values(["site", "distance_m"]),
        check_like=True,
    )


def test_one_distance_may_be_an_array_without_dimension():
    sites = frame_of([(103, 14.2), (103, 14.25)], radius=[10.0, 10.0])
    pd.testing.assert_frame_equal(
        count_within(sites, distance_m=np.array(9000.0)), count_within(sites, distance_m=9000.0)
    )


# ------------------------------------------------------------------ count_within


@pytest.mark.parametrize("centre", [(104, 12), (180, -17), (40, 89.7)])
def test_counts_for_several_distances_are_those_of_each(centre):
    sites, targets = cloud(50, 4, centre=centre), cloud(70, 5, centre=centre)
    reaches = [40_000.0, 0.0, 9000.0]
    for others in (None, targets):
        answer = count_within(sites, others, distance_m=reaches)
        assert list(answer.columns) == ["site", "distance_m", *COUNT]
        assert answer["site"].tolist() == np.repeat(sites.index, 3).tolist()
        assert answer["distance_m"].tolist() == reaches * len(sites)
        metres = metres_between(sites, sites if others is None else others)
        own = (sites if others is None else others)["uncertainty_m"].to_numpy()
        radius = sites["uncertainty_m"].to_numpy()[:, None]
        if others is None:
            np.fill_diagonal(metres, np.nan)
        for reach in reaches:
            rows = answer[answer["distance_m"] == reach]
            expected = [
                (metres <= reach).sum(axis=1),
                (metres + radius + own <= reach).sum(axis=1),
                (metres - radius - own <= reach).sum(axis=1),
            ]
            gone = sites.geometry.isna().to_numpy()
            assert rows[COUNT].isna().all(axis=1).tolist() == gone.tolist()
            assert (rows[COUNT].to_numpy()[~gone] == np.transpose(expected)[~gone]).all()


def test_one_distance_in_a_list_gives_the_long_table():
    sites = frame_of([(103, 12), (103, 12.001)], radius=[1.0, 1.0], index=["x", "x"])
    assert (
        count_within(sites, distance_m=[500]).to_dict("records")
        == [{"site": "x", "distance_m": 500.0, "count": 1, "count_min": 1, "count_max": 1}] * 2
    )
    assert list(count_within(sites, distance_m=500).columns) == COUNT


def test_a_site_never_counts_itself_whatever_its_radius():
    alone = frame_of([(103, 12)] * 1, radius=[0.15])
    for reach in (0, 0.15, 0.3, 1e6, np.inf):
        assert count_within(alone, distance_m=reach).to_numpy().tolist() == [[0, 0, 0]]
    endless = frame_of([(103, 12), (0, 0)], radius=[np.inf, 10.0])
    counts = count_within(endless, distance_m=[0, 1e8])
    assert counts[COUNT].to_numpy().tolist() == [[0, 0, 1], [1, 0, 1]] * 2


@pytest.mark.parametrize("rows", [[], [None]])
def test_no_places_give_no_counts_for_several_distances(rows):
    answer = count_within(frame_of(rows, radius=1.0), distance_m=[10, 20])
    assert len(answer) == 2 * len(rows)
    assert answer[COUNT].isna().all(axis=None)
    assert (answer.dtypes[COUNT] == "Int64").all()
    full = count_within(frame_of([(103, 12)]), frame_of(rows), distance_m=[10, 20])
    assert full["count"].tolist() == [0, 0]


# ------------------------------------------------------------------ pairs_within


@given(st.lists(places, max_size=14), st.floats(0, 2.1e7), st.integers(0, 3))
@settings(max_examples=120, deadline=None)
def test_pairs_are_those_of_all_pairs_once_each_in_order(chosen, reach, doubled):
    sites = frame_of(chosen + chosen[:doubled], radius=100.0)
    metres = metres_between(sites, sites)
    expected = np.argwhere(np.triu(np.ones_like(metres, dtype=bool), 1) & (metres <= reach))
    assume(np.abs(metres - reach).min(initial=1.0) > 1e-7)
    answer = pairs_within(sites, distance_m=reach)
    assert list(answer.columns) == ["site", "other", *DISTANCE]
    assert answer[["site", "other"]].to_numpy().tolist() == expected.tolist()
    between = metres[tuple(expected.T)]
    assert np.abs(answer["distance_m"].to_numpy() - between).max(initial=0) <= 30e-9
    most = answer["distance_m"] + 200
    assert answer["distance_max_m"].tolist() == most.tolist()
    assert answer["distance_min_m"].tolist() == (most - 400).clip(lower=0).tolist()


@pytest.mark.parametrize("centre", [(104, 12), (180, -17), (40, 89.7)])
def test_pairs_of_many_sites_are_those_of_all_pairs(centre, monkeypatch):
    sites = cloud(300, 6, centre=centre)
    metres = np.triu(np.nan_to_num(metres_between(sites, sites), nan=np.inf), 1)
    metres[np.tril_indices(300)] = np.inf
    whole = pairs_within(sites, distance_m=9000)
    labels = [(f"s{one}", f"s{other}") for one, other in np.argwhere(metres <= 9000)]
    assert list(zip(whole["site"], whole["other"], strict=True)) == labels
    assert len(labels) > 500
    monkeypatch.setattr("geo._index._PAIRS", 37)
    pd.testing.assert_frame_equal(pairs_within(sites, distance_m=9000), whole)


def test_pair_at_exactly_the_distance_is_listed_and_a_little_farther_is_not():
    sites = frame_of([(103, 12), (103.01, 12.01), None])
    metres = geodesic_distance(sites.iloc[:1], Point(103.01, 12.01))["distance_m"].iloc[0]
    assert len(pairs_within(sites, distance_m=metres)) == 1
    assert len(pairs_within(sites, distance_m=np.nextafter(metres, 0))) == 0
    shared = frame_of([(103, 12)] * 3)
    found = pairs_within(shared, distance_m=0)
    assert found[["site", "other"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 2]]
    assert found["distance_m"].tolist() == [0, 0, 0]


def test_pairs_and_counts_tell_the_same():
    sites = cloud(120, 7)
    counts = count_within(sites, distance_m=15_000)["count"]
    pairs = pairs_within(sites, distance_m=15_000)
    ends = pd.concat([pairs["site"], pairs["other"]]).value_counts()
    assert counts.dropna().astype(int).to_dict() == {
        site: int(ends.get(site, 0)) for site in counts.dropna().index
    }


def test_pairs_of_unknown_radius_have_no_interval():
    sites = frame_of([(103, 12)] * 2, radius=[np.nan, 5.0])
    found = pairs_within(sites, distance_m=1)
    assert found["distance_m"].tolist() == [0]
    assert found[DISTANCE[1:]].isna().all(axis=None)


# ------------------------------------------------------------------ distance_matrix


@given(st.lists(st.one_of(st.none(), places), max_size=6), st.lists(places, max_size=6))
@settings(max_examples=80, deadline=None)
def test_matrix_is_karney_on_all_pairs(chosen, others):
    sites, targets = frame_of(chosen), frame_of(others)
    expected = metres_between(sites, targets)
    answer = distance_matrix(sites, targets)
    assert answer.shape == expected.shape
    assert (np.isnan(answer.to_numpy()) == np.isnan(expected)).all()
    assert np.nanmax(np.abs(answer.to_numpy() - expected), initial=0) <= 15e-9
    square = distance_matrix(sites).to_numpy()
    known = np.array([place is not None for place in chosen], dtype=bool)
    np.testing.assert_array_equal(square, square.T)
    assert (np.diag(square)[known] == 0).all()


def test_matrix_has_the_labels_of_both_and_takes_a_series():
    sites = frame_of([(103, 12), None], index=pd.Index(["a", "b"], name="site"))
    targets = gpd.GeoSeries([Point(104, 12)] * 3, index=[7, 7, 8], crs=4326)
    answer = distance_matrix(sites, targets.to_crs(32648))
    assert answer.index.equals(sites.index)
    assert answer.columns.tolist() == [7, 7, 8]
    assert answer.loc["a"].tolist() == pytest.approx([GEOD.inv(103, 12, 104, 12)[2]] * 3, abs=1e-5)
    assert answer.loc["b"].isna().all()


def test_matrix_refuses_what_does_not_fit_a_table():
    one = gpd.GeoSeries([Point(0, 0)], crs=4326)
    many = gpd.GeoSeries(np.repeat(one.to_numpy(), 5001), crs=4326)
    with pytest.raises(ValueError, match=r"5001 sites and 5001 targets .*pairs_within"):
        distance_matrix(many)
    assert distance_matrix(one, many).shape == (1, 5001)
    with pytest.raises(GeometryError, match="distance_to"):
        distance_matrix(frame_of([(0, 0)]), gpd.GeoSeries([BORDER], crs=4326))


# ------------------------------------------------------------------ hostile input

INDEXES = {
    "text and numbers": pd.Index([1, "a", None, 2.5], dtype=object),
    "repeated": pd.Index(["x", "x", "y", "y"]),
    "levels": pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1), ("b", 2)]),
    "dates": pd.date_range("2024-01-01", periods=4),
    "categories": pd.CategoricalIndex(["a", "b", "c", "a"]),
    "truth": pd.Index([True, False, True, False]),
    "nullable": pd.Index([3, 1, 2, None], dtype="Int64"),
    "large": pd.Index([2**63 + 5, 1, 2, 3], dtype="uint64"),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
def test_labels_of_any_kind_are_given_back(index):
    lonlat = [(103, 13), (103.01, 13), None, (103.02, 13)]
    sites = frame_of(lonlat, radius=10.0, index=index)
    plain = sites.reset_index(drop=True)
    for call in (
        lambda frame: within_distance(frame, Point(103, 13), distance_m=1200),
        lambda frame: count_within(frame, distance_m=1200),
        distance_matrix,
    ):
        answer = call(sites)
        assert answer.index.equals(index)
        pd.testing.assert_frame_equal(
            answer.reset_index(drop=True).T.reset_index(drop=True).T,
            call(plain).T.reset_index(drop=True).T,
            check_column_type=False,
        )
    for call, ends in (
        (lambda frame: pairs_within(frame, distance_m=1500), ["site", "other"]),
        (lambda frame: count_within(frame, distance_m=[100, 1500]), ["site"]),
    ):
        answer, expected = call(sites), call(plain)
        for end in ends:
            chosen = index[expected[end]]
            assert [str(label) for label in answer[end]] == [str(label) for label in chosen]
        pd.testing.assert_frame_equal(answer.drop(columns=ends), expected.drop(columns=ends))


def every_call(sites):
    return [
        lambda: within_distance(sites, BORDER, distance_m=1000),
        lambda: distance_bands(sites, BORDER),
        lambda: count_within(sites, distance_m=[10, 20]),
        lambda: pairs_within(sites, distance_m=1000),
    ]


def test_other_systems_heights_and_empty_points_change_nothing():
    plain = frame_of([(103, 14.2), (103.001, 14.2), None], radius=[5.0, 10.0, 10.0])
    dressed = plain.copy()
    dressed.geometry = [Point(103, 14.2, 99), Point(103.001, 14.2, np.nan), Point()]
    projected = plain.to_crs(32648)
    for call, other, third in zip(
        every_call(plain), every_call(dressed), every_call(projected), strict=True
    ):
        pd.testing.assert_frame_equal(call(), other())
        pd.testing.assert_frame_equal(call(), third(), atol=1e-5, rtol=0)


def test_read_only_columns_are_read_and_nothing_is_changed():
    radius = np.array([5.0, 10.0])
    radius.setflags(write=False)
    sites = frame_of([(103, 14.2), (103, 14.201)])
    sites["uncertainty_m"] = pd.Series(radius, copy=False)
    before = sites.copy()
    for call in every_call(sites):
        assert len(call())
    pd.testing.assert_frame_equal(sites, before)


def test_frames_that_cannot_be_measured_are_refused_by_all():
    nowhere = frame_of([(103, 12)]).set_crs(None, allow_override=True)
    areas = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], crs=4326)
    swapped, text = frame_of([(12, 104)]), frame_of([(103, 12)], radius=["5 km"])
    for sites, error, match in (
        (nowhere, CRSError, "no coordinate reference system"),
        (areas, GeometryError, "no points"),
        (swapped, GeometryError, "swapped"),
        (text, SchemaError, "5 km"),
        (frame_of([(103, 12)], radius=-1.0), SchemaError, "negative"),
    ):
        for call in every_call(sites):
            with pytest.raises(error, match=match):
                call()
    for wrong in (nowhere, areas, swapped):
        with pytest.raises((CRSError, GeometryError)):
            distance_matrix(wrong)


def test_an_invalid_feature_is_refused():
    bowtie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    assert not shapely.is_valid(bowtie)
    for call in (lambda *a: within_distance(*a, distance_m=1), distance_bands):
        with pytest.raises(GeometryError, match="make_valid"):
            call(frame_of([(0, 0)]), bowtie)
        with pytest.raises(GeometryError, match="nothing to measure to"):
            call(frame_of([(0, 0)]), gpd.GeoSeries([None], crs=4326))
