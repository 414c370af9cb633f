from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import _edges, _index, geodesy
from geo._edges import nearest_on_edges
from geo._index import within
from geo._pieces import index_edges
from geo._search import candidate_pairs, nearest_points
from geo.geodesy import (
    RMAX_M,
    RMIN_M,
    SEMI_MAJOR_M,
    SEMI_MINOR_M,
    chord_beyond,
    chord_within,
    ecef,
    geodesic_length,
    longest_length,
    medoid,
    place_points,
)

TESTS = Path(__file__).parents[1]
FULL_SET = TESTS.parents[1] / "shared" / "data" / "GeodTest-short.dat.gz"
TIE_M = 1e-7
LENGTH_M = 15e-9  # what every length is good to
HALF_MERIDIAN_M = 20_003_931.4586  # Karney 2013: the longest shortest geodesic, pole to pole

lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 0.0, 179.9999, -179.9999]))
lats = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999, -89.9999]))
places = st.tuples(lons, lats)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    table = np.loadtxt(TESTS / "reference" / "geodtest_sample.csv", delimiter=",", skiprows=5)
    return pd.DataFrame(table, columns=["lat1", "lon1", "lat2", "lon2", "s12_m"])


def globe(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def chord_of(lon1, lat1, lon2, lat2):
    return np.linalg.norm(ecef(lon1, lat1) - ecef(lon2, lat2), axis=-1)


def points_of(pairs):
    return place_points([lon for lon, _ in pairs], [lat for _, lat in pairs])


def length_to(points, edges):
    return nearest_on_edges(points, edges).length_m


def all_lengths(points, targets):
    return geodesic_length(points.lon[:, None], points.lat[:, None], targets.lon, targets.lat)


# ------------------------------------------------------------------ lengths


def test_lengths_agree_with_the_published_set_to_15_nm(published):
    length = geodesic_length(published.lon1, published.lat1, published.lon2, published.lat2)
    assert len(published) == 500
    assert np.abs(length - published.s12_m).max() <= LENGTH_M


def test_lengths_agree_with_the_whole_published_set_to_15_nm():
    if not FULL_SET.exists():
        pytest.skip("the whole GeodTest set is not beside the repository")
    lat1, lon1, _, lat2, lon2, _, s12, *_ = np.loadtxt(FULL_SET, unpack=True)
    assert np.abs(geodesic_length(lon1, lat1, lon2, lat2) - s12).max() <= LENGTH_M
    chord = chord_of(lon1, lat1, lon2, lat2)
    assert (chord <= chord_beyond(s12)).all()
    assert (s12 <= longest_length(chord)).all()


def test_quarter_meridian_and_equator_have_their_known_lengths():
    assert geodesic_length(20, 0, 20, 90) == pytest.approx(10_001_965.7293, abs=1e-4)
    assert geodesic_length(10, 0, 100, 0) == pytest.approx(np.pi / 2 * SEMI_MAJOR_M, abs=1e-6)


def test_missing_coordinates_give_missing_lengths_and_shapes_are_broadcast():
    length = geodesic_length(np.array([[0.0], [np.nan]]), 0.0, np.array([1.0, 2.0, np.nan]), 0.0)
    assert length.shape == (2, 3)
    assert np.isnan(length).tolist() == [[False, False, True], [True, True, True]]
    assert geodesic_length([], [], [], []).shape == (0,)


@given(places, places)
def test_length_does_not_depend_on_the_direction(one, other):
    assert geodesic_length(*one, *other) == geodesic_length(*other, *one)


# ------------------------------------------------------------------ bounds


def test_radii_are_those_of_the_meridian_at_the_equator_and_of_the_pole():
    assert abs(RMIN_M - 6_335_439.327) < 1e-3
    assert abs(RMAX_M - 6_399_593.626) < 1e-3
    assert pytest.approx(6_356_752.314_245, abs=1e-6) == SEMI_MINOR_M


def test_both_bounds_hold_on_the_published_set(published):
    chord = chord_of(published.lon1, published.lat1, published.lon2, published.lat2)
    assert (chord <= chord_beyond(published.s12_m)).all()
    assert (published.s12_m <= longest_length(chord)).all()
    assert np.isfinite(longest_length(chord)).sum() > 100


@given(places, places, st.floats(0, HALF_MERIDIAN_M))
@settings(max_examples=300)
def test_chord_tests_never_contradict_the_geodesic(one, other, limit):
    chord, length = chord_of(*one, *other), geodesic_length(*one, *other)
    if chord <= chord_within(limit):
        assert length <= limit
    if chord > chord_beyond(limit):
        assert length > limit


@given(places, st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([1e-6, 1e-3, 0.1, 1, 10]))
@settings(max_examples=300)
def test_chord_tests_never_contradict_a_geodesic_next_to_the_limit(place, east, north, scale):
    lat = float(np.clip(place[1] + scale * north, -90, 90))
    other = (place[0] + scale * east, lat)
    chord, length = chord_of(*place, *other), float(geodesic_length(*place, *other))
    # the geodesic itself as the limit leaves no room for a bound that is a little wrong
    assert not chord > chord_beyond(length)
    assert not chord <= chord_within(length - 1e-9 * max(length, 1))


def test_nearly_antipodal_pairs_never_pass_as_surely_within():
    rng = np.random.default_rng(1)
    lon, lat = globe(20_000, 2)
    other_lon, other_lat = lon + 180 + rng.normal(0, 0.5, 20_000), -lat
    length = geodesic_length(lon, lat, other_lon, other_lat)
    chord = chord_of(lon, lat, other_lon, other_lat)
    assert (length > np.pi * RMIN_M).any()
    assert (chord[length > np.pi * RMIN_M] > 2 * RMIN_M).all()


@given(st.floats(0, 2e7))
def test_longest_length_is_the_inverse_of_chord_within(length):
    back = longest_length(chord_within(length))
    assert back == pytest.approx(min(length, np.pi * RMIN_M), rel=1e-6, abs=1e-5)


# ------------------------------------------------------------------ nearest and within


@given(
    st.lists(places, max_size=8),
    st.lists(places, max_size=12),
    st.integers(1, 4),
    st.one_of(st.just(np.inf), st.floats(0, 2e7)),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_nearest_agrees_with_all_pairs_on_the_globe(sources, others, k, limit, doubled):
    others = others + others[::2] if doubled else others
    points, targets = points_of(sources), points_of(others)
    position, length = nearest_points(points, targets, k=k, max_distance_m=limit)
    lengths = all_lengths(points, targets)
    order = np.argsort(np.round(lengths, 7), axis=1, kind="stable")[:, :k]
    for row, (found, metres) in enumerate(zip(position, length, strict=True)):
        expected = order[row][lengths[row][order[row]] <= limit]
        assert list(found[found >= 0]) == list(expected)
        assert np.abs(metres[found >= 0] - lengths[row][expected]).max(initial=0) <= 2 * LENGTH_M
        assert np.isnan(metres[found < 0]).all()


def test_nearest_agrees_with_all_pairs_for_many_points():
    points, targets = place_points(*globe(400, 3)), place_points(*globe(3000, 4))
    position, length = nearest_points(points, targets, k=5)
    lengths = all_lengths(points, targets)
    assert (position == np.argsort(lengths, axis=1)[:, :5]).all()
    assert np.abs(length - np.sort(lengths, axis=1)[:, :5]).max() <= 2 * LENGTH_M


def test_targets_that_chords_cannot_tell_apart_are_all_measured():
    # from 15,000 km away the chord bounds leave room of kilometres
    rng = np.random.default_rng(5)
    points = place_points([0.0, 0.0], [0.0, 0.1])
    targets = place_points(130 + rng.uniform(0, 0.01, 500), rng.uniform(10, 10.01, 500))
    position, _ = nearest_points(points, targets)
    assert (position[:, 0] == all_lengths(points, targets).argmin(axis=1)).all()


def test_equal_distances_go_to_the_lowest_position():
    points = place_points([0.0], [0.0])
    targets = place_points([1.0, -1.0, 1.0, 0.5, -0.5], np.zeros(5))
    assert nearest_points(points, targets, k=5)[0].tolist() == [[3, 4, 0, 1, 2]]
    assert nearest_points(points, targets, k=2)[0].tolist() == [[3, 4]]


def test_one_place_under_two_longitudes_is_one_place():
    position, length = nearest_points(place_points([180.0], [10.0]), place_points([-180.0], [10.0]))
    assert position.tolist() == [[0]]
    assert length[0, 0] == pytest.approx(0, abs=1e-8)


def test_medoid_of_very_many_points_is_sought_near_their_middle(monkeypatch):
    points = place_points(*globe(400, 13))
    near = place_points(points.lon / 100 + 104, points.lat / 100 + 12)
    weight = np.ones(400)
    exact = medoid(near, weight)
    monkeypatch.setattr(geodesy, "_MANY", 100)
    sums = all_lengths(near, near).sum(axis=1)
    assert sums[medoid(near, weight)] <= 1.05 * sums[exact]


def test_ring_around_the_pole_is_a_tie_of_all():
    targets = place_points(np.arange(-180.0, 180.0), np.full(360, 80.0))
    assert nearest_points(place_points([12.3], [90.0]), targets, k=3)[0].tolist() == [[0, 1, 2]]


@given(st.lists(places, max_size=8), st.lists(places, max_size=8), st.floats(-1, 2e7))
@settings(max_examples=200, deadline=None)
def test_pairs_within_agree_with_all_pairs(sources, others, limit):
    points, targets = points_of(sources), points_of(others)
    found = set()
    for i, j in candidate_pairs(points, targets, max(limit, 0)):
        met = within(points, i, targets, j, limit)
        found |= set(zip(i[met].tolist(), j[met].tolist(), strict=True))
    expected = np.argwhere(all_lengths(points, targets) <= limit)
    assert found == set(map(tuple, expected.tolist()))


def test_pair_at_exactly_the_limit_is_within():
    one, other = place_points([103.0], [12.0]), place_points([103.01], [12.01])
    length = float(geodesic_length(103.0, 12.0, 103.01, 12.01))
    zero = np.array([0])
    assert within(one, zero, other, zero, length).all()
    assert not within(one, zero, other, zero, np.nextafter(length, 0)).any()


def test_portions_change_nothing(monkeypatch):
    points = place_points(*globe(200, 6))
    whole = [pairs for pairs in candidate_pairs(points, points, 3e6)]  # noqa: C416 - symmetry with below
    monkeypatch.setattr(_index, "_PAIRS", 50)
    portions = list(candidate_pairs(points, points, 3e6))
    assert len(portions) > len(whole) == 1
    for side in (0, 1):
        joined = np.concatenate([portion[side] for portion in portions])
        assert (joined == whole[0][side]).all()


@given(st.lists(st.tuples(places, st.integers(1, 9)), min_size=1, max_size=15))
@settings(deadline=None)
def test_medoid_has_the_least_sum_of_lengths(weighted):
    points = points_of([place for place, _ in weighted])
    weight = np.array([float(weight) for _, weight in weighted])
    sums = all_lengths(points, points) @ weight
    assert sums[medoid(points, weight)] <= sums.min() + 2e-6


# ------------------------------------------------------------------ edges


def along(edge, share):
    """Return the point at a share of an edge, the short way round."""
    lon1, lat1, lon2, lat2 = edge
    turn = lon2 - lon1
    if 180 < abs(turn) < 360:
        turn -= np.copysign(360, turn)
    return lon1 + share * turn, np.clip(lat1 + share * (lat2 - lat1), -90, 90)


def golden(points, edge):
    """Least length to one edge by a fine scan and golden sections, knowing nothing of pieces."""

    def length(row, share):
        return geodesic_length(points.lon[row], points.lat[row], *along(edge, share))

    answer = []
    for row in range(len(points.lon)):
        scan = length(row, np.linspace(0, 1, 2001))
        dips = np.flatnonzero(
            (scan <= np.append(np.inf, scan[:-1])) & (scan <= np.append(scan[1:], np.inf))
        )
        dips = dips[np.argsort(scan[dips])[:8]]
        low, high = np.maximum(dips - 1, 0) / 2000, np.minimum(dips + 1, 2000) / 2000
        for _ in range(70):
            third, half = high - (high - low) * 0.618_033_988, low + (high - low) * 0.618_033_988
            left = length(row, third) < length(row, half)
            low, high = np.where(left, low, third), np.where(left, half, high)
        answer.append(min(scan.min(), length(row, low).min(), length(row, high).min()))
    return np.array(answer)


def around(edge, n, spread, seed):
    rng = np.random.default_rng(seed)
    lon = rng.uniform(min(edge[0], edge[2]) - spread, max(edge[0], edge[2]) + spread, n)
    lat = rng.uniform(min(edge[1], edge[3]) - spread, max(edge[1], edge[3]) + spread, n)
    return place_points(lon, np.clip(lat, -90, 90))


@pytest.mark.parametrize(
    ("edge", "spread"),
    [
        ((102.3, 13.5, 102.3, 14.5), 3),  # a meridian
        ((102.3, 14.3, 107.5, 14.3), 3),  # a parallel
        ((102, 10, 107.5, 15), 2),
        ((103.0, 12.0, 103.001, 12.0005), 0.002),  # a street
        ((170, 10, -170, 25), 20),  # across the antimeridian
        ((0, 60, 80, 62), 30),
        ((0, 89.9, 170, 89.95), 2),  # beside the pole
        ((0, 89.99999, 170, 89.999995), 0.5),  # a metre from the pole
        ((20, 90, 30, 89), 2),  # from the pole
        ((0, 39.5, 0, 90), 60),  # to the pole, where rounding goes beyond 90 degrees
        ((-180, 60, 180, 60), 30),  # a full turn
    ],
)
def test_distance_to_an_edge_agrees_with_golden_sections(edge, spread):
    near, far = around(edge, 6, spread, 7), place_points(*globe(4, 8))
    points = place_points(np.append(near.lon, far.lon), np.append(near.lat, far.lat))
    length = length_to(points, index_edges(*np.array([edge], dtype=float).T))
    assert np.abs(length - golden(points, edge)).max() <= 1e-6


@given(
    st.lists(places, min_size=1, max_size=3),
    st.tuples(places, places),
)
@settings(max_examples=40, deadline=None)
def test_distance_to_an_edge_anywhere_agrees_with_golden_sections(sources, ends):
    edge = (*ends[0], *ends[1])
    points = points_of(sources)
    length = length_to(points, index_edges(*np.array([edge], dtype=float).T))
    assert (length - golden(points, edge) <= 1e-6).all()


@given(places, st.tuples(places, places), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_no_point_of_an_edge_is_nearer_than_the_answer(place, ends, share):
    edge = (*ends[0], *ends[1])
    edges = index_edges(*np.array([edge], dtype=float).T)
    some = geodesic_length(*place, *along(edge, share))
    assert length_to(points_of([place]), edges)[0] <= some + 1e-6


@pytest.mark.parametrize("factor", [-1, 0, 1e-3, 0.1, 10, 1e3])
def test_foot_is_found_whatever_the_second_derivative_says(monkeypatch, factor):
    edge = (0, 60, 80, 62)
    near, far = around(edge, 6, 5, 9), place_points(*globe(4, 10))
    points = place_points(np.append(near.lon, far.lon), np.append(near.lat, far.lat))
    edges = index_edges(*np.array([edge], dtype=float).T)
    honest = length_to(points, edges)
    derivatives = _edges._derivatives  # noqa: SLF001 - its third answer may only cost time

    def misled(*arguments):
        length, slope, curve = derivatives(*arguments)
        return length, slope, curve * factor

    monkeypatch.setattr(_edges, "_derivatives", misled)
    assert np.abs(length_to(points, edges) - honest).max() <= 1e-6


def test_points_on_an_edge_are_at_distance_zero():
    share = np.linspace(0, 1, 41)
    points = place_points(102 + 5 * share, 10 + 5 * share)
    assert length_to(points, index_edges([102], [10], [107], [15])).max() <= 1e-8


def test_distance_to_a_meridian_on_the_equator_is_the_arc_of_the_equator():
    edges = index_edges([104.0], [-5.0], [104.0], [5.0])
    length = length_to(place_points([105.0], [0.0]), edges)
    assert length[0] == pytest.approx(np.pi / 180 * SEMI_MAJOR_M, abs=1e-8)


def test_distance_across_a_pole_goes_over_the_pole():
    edges = index_edges([0.0], [80.0], [0.0], [85.0])
    length = length_to(place_points([180.0], [89.0]), edges)
    over = geodesic_length(0, 85, 0, 90) + geodesic_length(180, 90, 180, 89)
    assert length[0] == pytest.approx(float(over), abs=1e-6)


def test_edges_without_length_are_points_and_no_edges_are_infinitely_far():
    points = place_points([103.0], [12.0])
    edges = index_edges([104.0, 100.0], [12.0, 0.0], [104.0, 100.0], [12.0, 0.0])
    assert length_to(points, edges)[0] == geodesic_length(103, 12, 104, 12)
    assert length_to(points, index_edges([], [], [], [])).tolist() == [np.inf]
    assert length_to(place_points([], []), edges).shape == (0,)
