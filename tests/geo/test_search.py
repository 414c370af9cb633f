"""The compiled searches against Karney on all pairs, scikit-learn, threads, forks and memory."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import textwrap
import tracemalloc
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import LineString
from sklearn.cluster import DBSCAN

from geo import _index, _search, _trees
from geo._dbscan import label_points
from geo._index import pair_lengths, portions_of
from geo._search import Search
from geo.clustering import dbscan
from geo.errors import ResolutionWarning
from geo.geodesy import ecef, place_points
from geo.proximity import distance_to

GEOD = Geod(ellps="WGS84")
ROOT = Path(__file__).parents[2]
MANY = 17_000  # enough rows for several threads
HALF_MERIDIAN_M = 20_003_931.4586

lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 0.0, 179.9999, -179.9999]))
lats = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999, -89.9999]))
places = st.tuples(lons, lats)

# where a grid of a hundredth of a degree is put: equator, Cambodia, antimeridian, pole
corners = st.sampled_from([(0, 0), (104, 12), (180, -17), (-180, 65), (30, 89.97), (-90, -89.97)])
cells = st.tuples(st.integers(-6, 6), st.integers(-6, 6))


def on_grid(corner, chosen) -> tuple[np.ndarray, np.ndarray]:
    lon, lat = np.array(chosen, dtype=float).reshape(-1, 2).T / 100
    lon = (corner[0] + lon + 180) % 360 - 180
    return lon, np.clip(corner[1] + lat, -90, 90)


def globe(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))


def clumps(n: int, seed: int, centre=(104.0, 12.0), spread=0.02) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    middle = centre + 6 * spread * rng.standard_normal((5, 2))
    lon, lat = (middle[rng.integers(0, 5, n)] + spread * rng.standard_normal((n, 2))).T
    return (lon + 180) % 360 - 180, np.clip(lat, -90, 90)


def karney(lon1, lat1, lon2, lat2) -> np.ndarray:
    """Lengths of all pairs, straight from pyproj."""
    parts = np.broadcast_arrays(np.asarray(lon1)[:, None], np.asarray(lat1)[:, None], lon2, lat2)
    return np.asarray(GEOD.inv(*(part.ravel() for part in parts))[2]).reshape(parts[0].shape)


def square(lon, lat) -> np.ndarray:
    """Lengths among points, the same in both directions."""
    half = np.triu(karney(lon, lat, lon, lat), 1)
    return half + half.T


# ------------------------------------------------------------------ lengths of pairs


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ((-180, 180), (-90, 90)),
        ((-180, 180), (89.4, 90)),
        ((-180, 180), (-90, -89.4)),
        ((179.5, 180), (-60, 60)),
        ((-180, 180), (-0.3, 0.3)),
    ],
    ids=["globe", "north", "south", "antimeridian", "equator"],
)
def test_short_lengths_are_those_of_karney_to_15_nm_up_to_50_km(lon, lat):
    rng = np.random.default_rng(1)
    n = 40_000
    x, y = rng.uniform(*lon, n), rng.uniform(*lat, n)
    # every order of magnitude, and 50 km itself
    metres = np.minimum(10 ** rng.uniform(-3, 4.8, n), 49_999.999)
    x2, y2, _ = GEOD.fwd(x, y, rng.uniform(0, 360, n), metres)
    row, found = np.arange(n), np.empty(n)
    _trees.short_lengths(0, n, ecef(x, y), row, ecef(x2, y2), row, found)
    assert np.abs(found - GEOD.inv(x, y, x2, y2)[2]).max() <= 15e-9


@pytest.mark.parametrize("step", [5e-324, 1e-162, 1e-158, 1e-150, 1e-100, 1e-20])
def test_places_closer_than_numbers_can_be_squared_are_at_distance_zero(step):
    points = place_points([0.0, step], [0.0, 0.0])
    length = pair_lengths(points, np.array([0, 1]), points, np.array([1, 0]))
    assert np.abs(length).max() <= 15e-9


def test_long_pairs_are_measured_by_karney_itself():
    lon, lat = globe(300, 2)
    points = place_points(lon, lat)
    i, j = np.triu_indices(300, 1)
    length = pair_lengths(points, i, points, j)
    long = length > 60_000
    assert long.sum() > 40_000
    expected = np.array(GEOD.inv(lon[i], lat[i], lon[j], lat[j])[2])
    assert np.abs(length - expected).max() <= 15e-9
    back = pair_lengths(points, j, points, i)
    assert (back == length).all()


# ------------------------------------------------------------------ DBSCAN


def sklearn_labels(metres, eps_m, min_samples) -> list[int]:
    model = DBSCAN(eps=eps_m, min_samples=min_samples, metric="precomputed")
    return model.fit(metres).labels_.tolist()


@given(corners, st.lists(cells, min_size=1, max_size=40), st.floats(0.5, 8000), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_dbscan_labels_are_those_of_sklearn_number_for_number(corner, chosen, eps_m, min_samples):
    lon, lat = on_grid(corner, chosen)
    metres = square(lon, lat)
    assume(np.abs(metres - eps_m).min() > 1e-7)
    labels, _ = label_points(place_points(lon, lat), eps_m, min_samples)
    assert labels.tolist() == sklearn_labels(metres, eps_m, min_samples)


@given(
    corners,
    st.lists(cells, min_size=2, max_size=25, unique=True),
    st.data(),
    st.sampled_from([-1e-5, -1e-6, 1e-6, 1e-5]),
    st.integers(2, 5),
)
@settings(max_examples=150, deadline=None)
def test_dbscan_decides_pairs_next_to_the_limit_as_karney_does(corner, chosen, data, off, least):
    lon, lat = on_grid(corner, chosen)
    metres = square(lon, lat)
    eps_m = data.draw(st.sampled_from(np.unique(metres[metres > 1]).tolist() or [1.0])) + off
    assume(np.abs(metres - eps_m).min() > 1e-7)
    labels, _ = label_points(place_points(lon, lat), eps_m, least)
    assert labels.tolist() == sklearn_labels(metres, eps_m, least)


@given(st.lists(places, min_size=1, max_size=25), st.floats(1, 2.1e7), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_dbscan_on_the_globe_at_any_distance_is_that_of_sklearn(chosen, eps_m, min_samples):
    lon, lat = np.transpose(chosen)
    metres = square(lon, lat)
    assume(np.abs(metres - eps_m).min() > 1e-6)
    labels, _ = label_points(place_points(lon, lat), eps_m, min_samples)
    assert labels.tolist() == sklearn_labels(metres, eps_m, min_samples)


@pytest.mark.parametrize("centre", [(104, 12), (180, -17), (12, 89.9)])
def test_dbscan_of_many_points_is_that_of_sklearn(centre):
    lon, lat = clumps(800, 3, centre)
    lon[::7], lat[::7] = lon[0], lat[0]
    metres = square(lon, lat)
    for eps_m, least in ((150, 3), (900, 5), (900, 40), (20_000, 4)):
        labels, _ = label_points(place_points(lon, lat), eps_m, least)
        assert labels.tolist() == sklearn_labels(metres, eps_m, least)


def test_dbscan_counts_the_points_that_had_a_choice():
    lon, lat = clumps(400, 4, spread=0.03)
    eps_m, least = 1200.0, 6
    metres = square(lon, lat)
    labels, ambiguous = label_points(place_points(lon, lat), eps_m, least)
    near = metres <= eps_m
    core = near.sum(axis=1) >= least
    choices = [len(set(labels[near[row] & core])) for row in range(len(lon))]
    expected = sum(many > 1 for row, many in enumerate(choices) if not core[row])
    assert ambiguous == expected > 0


@pytest.mark.parametrize("room", [1, 100, 5000])
def test_dbscan_joins_all_pairs_that_the_bounds_leave_open(monkeypatch, room):
    # every step along the equator is as long as the next one, to a nanometre
    lon, lat = np.arange(300) / 100, np.zeros(300)
    step = float(GEOD.inv(0, 0, 0.01, 0)[2])
    monkeypatch.setattr("geo._dbscan._OPEN", room)
    for eps_m, expected in ((step + 1e-7, 0), (step - 1e-7, -1)):
        labels, _ = label_points(place_points(lon, lat), eps_m, 2)
        assert (labels == expected).all()


# ------------------------------------------------------------------ counts


def assert_counts(lon, lat, targets, limit, radius, sign):
    found = Search(place_points(*targets), radius).count(place_points(lon, lat), limit, sign=sign)
    metres = karney(lon, lat, *targets)
    most = limit[:, None] + sign * radius
    sure, possible = (((metres <= most + off) & (most >= 0)).sum(axis=1) for off in (-2e-8, 2e-8))
    assert (sure <= found).all()
    assert (found <= possible).all()
    return sure == possible


@given(
    st.lists(st.tuples(places, st.floats(-10, 2.1e7)), min_size=1, max_size=9),
    st.lists(st.tuples(places, st.floats(0, 2.1e7)), min_size=1, max_size=20),
    st.sampled_from([-1, 0, 1]),
)
@settings(max_examples=200, deadline=None)
def test_counts_are_those_of_all_pairs_with_the_limit_of_each(sources, others, sign):
    (lon, lat), limit = np.transpose([place for place, _ in sources]), [m for _, m in sources]
    target, radius = np.transpose([place for place, _ in others]), [m for _, m in others]
    assert_counts(lon, lat, target, np.array(limit), np.array(radius), sign)


@pytest.mark.parametrize("n", [1, 8, 9, 64, 65, 513, 700])
@pytest.mark.parametrize("sign", [-1, 0, 1])
def test_counts_hold_whatever_the_number_of_targets_fills_of_the_index(n, sign):
    rng = np.random.default_rng(n)
    lon, lat = clumps(60, n)
    targets = clumps(n, n)  # in the same clumps
    limit, radius = rng.uniform(0, 4000, 60), rng.choice([0.0, 30.0, 900.0, 5000.0], n)
    decided = assert_counts(lon, lat, targets, limit, radius, sign)
    assert decided.all()


@pytest.mark.parametrize("reach", [1e6, 5e6, 1e7, 1.5e7, 1.99e7, 20_003_900.0, 2.1e7, np.inf])
def test_counts_over_thousands_of_kilometres_are_those_of_all_pairs(reach):
    lon, lat = globe(60, 5)
    # and the places opposite to each of them, where chords say least
    x, y = globe(340, 6)
    targets = np.append(x, (lon + 360) % 360 - 180), np.append(y, -lat)
    decided = assert_counts(lon, lat, targets, np.full(60, reach), np.zeros(400), 0)
    assert decided.all()
    whole = Search(place_points(*targets)).count(place_points(lon, lat), np.full(60, reach))
    assert (whole == 400).all() == (reach > HALF_MERIDIAN_M)


def test_counts_at_the_exact_limit_are_decided_by_the_last_digit():
    lon, lat = globe(200, 7)
    x, y = lon + 0.001, lat * 0.9999
    metres = np.array([GEOD.inv(*ends)[2] for ends in zip(lon, lat, x, y, strict=True)])
    other = np.array([GEOD.inv(*ends)[2] for ends in zip(x, y, lon, lat, strict=True)])
    same = metres == other  # in both directions, so that it does not matter which is measured
    assert same.sum() > 50
    for row in np.flatnonzero(same):
        search, point = (
            Search(place_points(x[[row]], y[[row]])),
            place_points(lon[[row]], lat[[row]]),
        )
        assert search.count(point, metres[[row]]).tolist() == [1]
        assert search.count(point, np.nextafter(metres[[row]], 0)).tolist() == [0]


def test_portions_change_no_count(monkeypatch):
    lon, lat = globe(150, 8)
    points, limit = place_points(lon, lat), np.full(150, 9e6)
    whole = Search(points).count(points, limit)
    monkeypatch.setattr(_index, "_PAIRS", 3)
    assert (Search(points).count(points, limit) == whole).all()


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(1, 12))
def test_portions_hold_every_pair_once_and_no_more_than_fits(counts, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_index, "_PAIRS", most)
        portions = [
            (rows, starts.tolist(), out)
            for rows, starts, out in portions_of(np.array(counts, dtype=np.int64))
        ]
    rows = [row for part, _, _ in portions for row in range(len(counts))[part]]
    assert rows == list(range(len(counts)))
    for part, starts, (first, second) in portions:
        sizes = counts[part]
        assert starts == [sum(sizes[:at]) for at in range(len(sizes))]
        assert len(first) == len(second) == sum(sizes)
        assert len(sizes) == 1 or sum(sizes) <= most


# ------------------------------------------------------------------ order, threads, processes


def sites_of(lon, lat) -> gpd.GeoDataFrame:
    radius = np.resize([30.0, 250.0, 5000.0], len(lon))
    return gpd.GeoDataFrame(
        {"uncertainty_m": radius}, geometry=gpd.points_from_xy(lon, lat), crs=4326
    )


@pytest.mark.parametrize("centre", [(104, 12), (180, -17), (12, 89.9)])
def test_order_of_rows_changes_no_bit_of_a_count_or_a_distance(centre):
    lon, lat = clumps(500, 9, centre)
    lon[::5], lat[::5] = lon[1], lat[1]
    order = np.random.default_rng(1).permutation(500)
    points, shuffled = place_points(lon, lat), place_points(lon[order], lat[order])
    limit = np.random.default_rng(2).uniform(0, 5000, 500)
    radius = np.random.default_rng(3).uniform(0, 900, 500)
    for sign in (-1, 0, 1):
        one = Search(points, radius).count(points, limit, sign=sign)
        other = Search(shuffled, radius[order]).count(shuffled, limit[order], sign=sign)
        assert (one[order] == other).all()
    _, length = _search.nearest_points(points, points, k=4)
    _, again = _search.nearest_points(shuffled, shuffled, k=4)
    assert np.abs(length[order] - again).max() <= 1e-7
    labels, ambiguous = label_points(points, 400.0, 5)
    relabelled, same = label_points(shuffled, 400.0, 5)
    assert ambiguous == same
    assert ((labels < 0)[order] == (relabelled < 0)).all()


WORK = """
    import hashlib, warnings
    import geopandas as gpd, numpy as np, shapely
    import geo
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    n = 17_000
    lon, lat = 104 + rng.normal(0, 1, n), 12 + rng.normal(0, 1, n)
    lon[:300], lat[:300] = rng.uniform(-180, 180, 300), rng.uniform(-90, 90, 300)
    lon, lat = lon.round(3), lat.round(3)
    radius = rng.choice([10.0, 250.0, 500.0], n)
    places = gpd.points_from_xy(lon, lat)
    sites = gpd.GeoDataFrame({"uncertainty_m": radius}, geometry=places, crs=4326)
    line = shapely.LineString(np.cumsum(rng.normal(0, 0.05, (60, 2)), axis=0) + [104, 12])
    near = sites.iloc[300:]
    for answer in (
        geo.nearest(sites, sites, k=3)[["target", "distance_m"]],
        geo.count_within(sites, distance_m=[500, 2000]).drop(columns="site"),
        geo.pairs_within(sites, distance_m=200),
        geo.distance_to(near, line),
        geo.distance_to(near, line, edges="geodesic"),
        geo.dbscan(sites, eps_m=400).labels.to_frame(),
        geo.hdbscan(sites).details,
    ):
        table = np.ascontiguousarray(answer.to_numpy(dtype=float))
        print(len(table), hashlib.sha256(table.tobytes()).hexdigest())
"""


def run(script, *arguments, **environment) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_number_of_threads_changes_no_bit_of_an_answer():
    one = run(WORK, NUMBA_NUM_THREADS="1").split()
    assert len(one) == 14
    assert run(WORK, NUMBA_NUM_THREADS="2").split() == one


def _count_in_worker(seed: int) -> list[int]:
    points = place_points(*clumps(MANY, seed))
    return Search(points).count(points, np.full(MANY, 300.0)).tolist()


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)
def test_searches_work_in_a_forked_worker_after_threads_ran_in_the_parent(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    here = _count_in_worker(10)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        # a lock that was held while forking would never be given back
        there = pool.apply_async(_count_in_worker, (10,)).get(timeout=60)
    assert there == here
    assert sum(here) > 2 * MANY


GROWTH = """
    import resource, sys
    import numpy as np
    from geo._dbscan import label_points
    from geo.geodesy import place_points
    rng = np.random.default_rng(1)
    n, eps_m = 15_000, float(sys.argv[1])
    points = place_points(104 + rng.normal(0, 0.01, n), 12 + rng.normal(0, 0.01, n))
    label_points(points, 1.0, 5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    labels, _ = label_points(points, eps_m, 5)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(after - before, int(labels.max()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count memory otherwise")
def test_memory_of_dbscan_does_not_grow_with_eps():
    # at 20 km all 225 million pairs are neighbours: a list of them would take gigabytes
    grown, last = map(int, run(GROWTH, 20_000).split())
    assert last == 0
    assert grown < 40 * 1024


def test_distance_from_far_away_to_a_border_keeps_within_its_portions():
    # 80 places on the globe and 400 edges
    lon, lat = globe(80, 1)
    steps = np.random.default_rng(1).normal(0, 0.05, (401, 2))
    border = LineString(np.array([104, 12]) + np.cumsum(steps, axis=0))
    sites = sites_of(lon, lat)
    tracemalloc.start()
    try:
        distance_to(sites, border)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 200 * 2**20


def test_clusters_of_many_points_do_not_depend_on_order_beyond_their_numbers():
    lon, lat = clumps(MANY, 11)
    sites = sites_of(lon, lat)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResolutionWarning)
        one = dbscan(sites, eps_m=120.0, min_samples=6)
        other = dbscan(sites.iloc[::-1], eps_m=120.0, min_samples=6)
    pairs = np.column_stack([one.labels, other.labels.reindex(sites.index)]).astype(int)
    assert one.n_clusters == other.n_clusters > 10
    assert one.n_noise == other.n_noise
    assert one.n_ambiguous == other.n_ambiguous
    # every cluster has the same sites but for those that had a choice
    _, sizes = np.unique(pairs, axis=0, return_counts=True)
    assert np.sort(sizes)[::-1][: one.n_clusters + 1].sum() >= MANY - one.n_ambiguous
