from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod
from shapely import box

import geo
from geo._evaluation import Evaluator, one_curve
from geo._outlines import outline_of
from geo._patterns import planar_pattern
from geo._realisations import destinations
from geo._redrawing import redrawer_of
from geo.errors import GeometryError, ResolutionWarning, SchemaError
from geo.uncertainty import Propagated, propagate, realisations

GEOD = Geod(ellps="WGS84")
PLANE = "EPSG:32648"
EQUAL = geo.local_crs(shapely.Point(104.54, 12.85))
SIDE = 300_000.0
UNIT = 15_000.0
WINDOW = gpd.GeoSeries([box(0, 0, SIDE, SIDE)], crs=PLANE)
UNITS = gpd.GeoSeries(
    [
        box(x, y, x + UNIT, y + UNIT)
        for x in np.arange(0, SIDE, UNIT)
        for y in np.arange(0, SIDE, UNIT)
    ],
    crs=PLANE,
)


def sites_at(lon, lat, radius, **columns):
    return gpd.GeoDataFrame(
        {"uncertainty_m": np.broadcast_to(np.asarray(radius, dtype=float), len(lon)), **columns},
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4326",
    )


def in_plane(xy, radius, crs=PLANE):
    points = gpd.GeoSeries.from_xy(*xy.T, crs=crs)
    radius = np.broadcast_to(np.asarray(radius, dtype=float), len(xy))
    return gpd.GeoDataFrame({"uncertainty_m": radius}, geometry=points)


def some_sites(n=40, radius=2000.0, seed=5, **columns):
    lon, lat = np.random.default_rng(seed).uniform([104.2, 12.6], [104.8, 13.0], (n, 2)).T
    return sites_at(lon, lat, radius, site_id=[f"s{i:03}" for i in range(n)], **columns)


def drawn_places(sites, n, **options):
    draws = realisations(sites, n=n, rng=1, **options)
    return np.array([shapely.get_coordinates(draw.geometry.to_numpy()) for draw in draws])


def disc_area(lon, lat, radius):
    bearing = np.linspace(0, 360, 3600, endpoint=False)
    corners = GEOD.fwd(np.full(3600, lon), np.full(3600, lat), bearing[::-1], np.full(3600, radius))
    return GEOD.polygon_area_perimeter(*corners[:2])[0]


# ---------------------------------------------------------------------------- draws


@pytest.mark.parametrize("lat", [0.0, 12.85, 45.0, 89.0])
@pytest.mark.parametrize("radius", [30.0, 48_000.0, 300_000.0])
def test_distances_grow_as_the_area_of_the_geodesic_disc(lat, radius):
    u = np.array([0.1, 0.5, 0.9])
    lon, y = destinations(*(np.full(3, x) for x in (104.54, lat, radius)), u, np.full(3, 0.3))
    _, _, s = GEOD.inv(np.full(3, 104.54), np.full(3, lat), lon, y)
    share = [disc_area(104.54, lat, each) / disc_area(104.54, lat, radius) for each in s]
    assert share == pytest.approx(u, abs=2e-6)


def test_draws_are_uniform_in_area_and_bearing_and_never_outside():
    places = drawn_places(sites_at([104.54] * 50, [12.85] * 50, 5000.0), 400).reshape(-1, 2)
    start = np.full(len(places), 104.54), np.full(len(places), 12.85)
    bearing, _, s = GEOD.inv(*start, *places.T)
    assert s.max() <= 5000.0 + 1e-6
    rings = np.histogram((s / 5000.0) ** 2, bins=10, range=(0, 1))[0]
    turns = np.histogram(bearing % 360, bins=12, range=(0, 360))[0]
    for counts in (rings, turns):
        expected = len(places) / len(counts)
        # the 99.99 % quantile of chi squared with 11 degrees of freedom is 37
        assert ((counts - expected) ** 2 / expected).sum() < 37


def test_row_order_does_not_change_a_draw_and_the_sites_stay_as_they_were():
    sites = some_sites()
    before = sites.copy()
    shuffled = sites.sample(frac=1, random_state=3)
    for one, other in zip(
        realisations(sites, n=3, rng=7), realisations(shuffled, n=3, rng=7), strict=True
    ):
        assert one.geometry.equals(other.geometry.loc[one.index])
        assert one.drop(columns=["geometry", "redrawn"]).equals(before.drop(columns="geometry"))
    assert sites.equals(before)


def test_the_number_of_threads_and_of_draws_does_not_change_a_draw(monkeypatch):
    sites = some_sites(radius=30_000.0, country="KH")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    alone = drawn_places(sites, 40)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    assert np.array_equal(alone, drawn_places(sites, 40))
    assert not np.array_equal(alone[0], alone[1])


def test_rows_of_one_place_move_together_and_rows_at_one_coordinate_do_not():
    sites = sites_at(
        [104.5, 104.5, 104.6, 104.5],
        [12.8] * 4,
        [2000.0, 2000.0, 300.0, 2000.0],
        place_id=["a", None, "a", "b"],
    )
    places = drawn_places(sites, 50)
    assert np.array_equal(places[:, 0], places[:, 2])
    assert (np.abs(places[:, 0] - [104.6, 12.8]) < 0.004).all()
    assert (places[:, 1] != places[:, 3]).all()


def test_what_has_no_circle_stays_and_what_has_no_place_stays_without():
    sites = sites_at([104.5, 104.6], [12.8, 12.9], [0.0, 500.0])
    sites = pd.concat([sites, gpd.GeoDataFrame(geometry=[None], crs=4326)], ignore_index=True)
    draw = next(realisations(sites, n=1, rng=1))
    assert draw.geometry[0].equals(sites.geometry[0])
    assert not draw.geometry[1].equals(sites.geometry[1])
    assert draw.geometry[2] is None
    assert draw["redrawn"].astype(object).where(draw["redrawn"].notna(), "").tolist() == [
        "",
        "assigned",
        "",
    ]


@pytest.mark.parametrize("radius", [np.nan, np.inf, 1e8])
def test_a_place_without_a_usable_radius_is_refused_by_row(radius):
    with pytest.raises(SchemaError, match="1 of 2 sites have a location but no radius") as caught:
        realisations(sites_at([104.5, 104.6], [12.8, 12.8], [30.0, radius]), n=1)
    assert caught.value.problems["row"].tolist() == [1]
    assert "104" not in str(caught.value)


def test_the_method_decides_what_is_measured_and_else_the_level_and_else_the_radius():
    sites = sites_at(
        [104.5] * 7,
        [12.8] * 7,
        [30.0, 30.0, 250.0, 500.0, 250.0, 30.0, 6000.0],
        location_level=["building", "building", "compound", "street", "village", None, None],
        location_method=[None, "assigned", "measured", None, None, None, None],
    )
    draw = next(realisations(sites, n=1, rng=1))
    assert draw["redrawn"].tolist() == [
        "measured",
        "assigned",
        "measured",
        "assigned",
        "assigned",
        "measured",
        "assigned",
    ]


def test_a_projected_frame_is_drawn_in_its_own_coordinates():
    sites = some_sites()
    projected = sites.to_crs(PLANE)
    one, other = next(realisations(sites, n=1, rng=4)), next(realisations(projected, n=1, rng=4))
    assert other.crs == projected.crs
    assert one.to_crs(PLANE).geometry.distance(other.geometry).max() < 1e-5


# ---------------------------------------------------------------------------- confines


def test_a_place_that_says_no_more_than_its_unit_is_uniform_in_the_whole_of_it():
    # an L of three equal squares: half of the circle would lie elsewhere
    corner = [(104.0, 12.0), (104.2, 12.0), (104.2, 12.1), (104.1, 12.1), (104.1, 12.2)]
    unit = shapely.Polygon([*corner, (104.0, 12.2)])
    sites = sites_at([104.08] * 50, [12.08] * 50, 14_000.0, location_level="district")
    places = drawn_places(sites, 60, within=gpd.GeoSeries([unit], crs=4326)).reshape(-1, 2)
    assert shapely.intersects_xy(unit.buffer(1e-6), *places.T).all()
    east, north = places[:, 0] > 104.1, places[:, 1] > 12.1
    areas = [
        -GEOD.geometry_area_perimeter(square.reverse())[0]
        for square in (box(104, 12, 104.1, 12.1), box(104.1, 12, 104.2, 12.1))
    ]
    share = np.abs(areas[1]) / (2 * np.abs(areas[0]) + np.abs(areas[1]))
    for part in (east, north, ~east & ~north):
        assert part.mean() == pytest.approx(share, abs=4 * np.sqrt(share / len(places)))


def test_a_fine_place_stays_in_its_circle_and_in_its_unit():
    units = gpd.GeoSeries([box(104, 12, 104.5, 13), box(104.5, 12, 105, 13)], crs=4326)
    sites = sites_at([104.49, 104.51] * 20, [12.5] * 40, 5000.0, location_level="village")
    places = drawn_places(sites, 50, within=units)
    assert (places[:, ::2, 0] <= 104.5).all()
    assert (places[:, 1::2, 0] >= 104.5).all()
    start = np.full(1000, 104.49), np.full(1000, 12.5)
    _, _, s = GEOD.inv(*start, *places[:, ::2].reshape(-1, 2).T)
    assert s.max() <= 5000.0 + 1e-6
    # what falls outside is drawn again, so that the circle that is left is filled evenly
    cut = 0.01 * 111_320 * np.cos(np.radians(12.5)) / 5000.0
    west = 0.5 / (0.5 + (np.arcsin(cut) + cut * np.sqrt(1 - cut**2)) / np.pi)
    share = (places[:, ::2, 0] < 104.49).mean()
    assert share == pytest.approx(west, abs=4 * np.sqrt(0.25 / 1000))


def test_draws_stay_in_the_country_up_to_its_land_border_and_on_land():
    from tzfpy import get_tz

    border = geo.load_reference("land_border", country="KH").geometry.to_numpy()
    on_it = shapely.line_interpolate_point(border, 0.5, normalized=True)
    sites = sites_at(*shapely.get_coordinates(on_it).T, 5000.0, country="KH")
    places = drawn_places(sites, 100).reshape(-1, 2)
    assert {get_tz(lon, lat) for lon, lat in places} == {"Asia/Phnom_Penh"}
    land = geo.load_reference("countries").query("country == 'KH'").geometry.iloc[0]
    shore = sites_at([103.15], [10.95], 12_000.0, country="KH")
    anywhere = drawn_places(shore.drop(columns="country"), 100).reshape(-1, 2)
    assert not shapely.intersects_xy(land, *anywhere.T).all()
    assert shapely.intersects_xy(land, *drawn_places(shore, 100).reshape(-1, 2).T).all()


def test_a_circle_apart_from_its_country_is_drawn_in_whole_and_said():
    sites = sites_at([104.54, 100.5], [12.85, 13.7], 500.0, country="KH")
    with pytest.warns(ResolutionWarning, match="The circles of 1 of 2 places do not meet"):
        places = drawn_places(sites, 5)
    assert (np.abs(places[:, 1] - [100.5, 13.7]) < 0.006).all()


def test_premises_are_drawn_by_their_weight_among_those_in_the_circle():
    sites = sites_at([104.54] * 30, [12.85] * 30, 3000.0)
    premises = gpd.GeoDataFrame(
        {"weight": [1.0, 3.0, 100.0, 0.0]},
        geometry=gpd.points_from_xy([104.55, 104.53, 104.64, 104.54], [12.85, 12.85, 12.85, 12.85]),
        crs=4326,
    )
    places = drawn_places(sites, 100, weights=premises)[..., 0].ravel()
    assert set(places) == {104.55, 104.53}
    assert (places == 104.53).mean() == pytest.approx(0.75, abs=4 * np.sqrt(0.1875 / 3000))
    with pytest.warns(ResolutionWarning, match="1 of 1 places have none of the weights"):
        drawn_places(sites_at([105.5], [12.0], 500.0), 2, weights=premises)
    with pytest.raises(SchemaError, match="numbers from 0 on"):
        realisations(sites, weights=premises.assign(weight=-1.0))


def test_a_surface_draws_places_by_its_density_and_within_the_circle():
    window = gpd.GeoSeries([box(-20_000, -20_000, 20_000, 20_000)], crs=EQUAL)
    west = np.random.default_rng(2).uniform([-12_000, -12_000], [-4000, 12_000], (200, 2))
    known = in_plane(west, 30.0, EQUAL)
    surface = geo.kernel_density(known, window, bandwidth_m=2000.0, cell_size_m=500.0)
    sites = in_plane(np.zeros((20, 2)), 10_000.0, EQUAL)
    places = drawn_places(sites, 100, weights=surface).reshape(-1, 2)
    assert np.hypot(*places.T).max() < 10_001.0
    grid = surface.to_frame().to_crs(EQUAL)
    middle = grid.geometry.centroid
    inside = np.hypot(middle.x, middle.y) < 10_000
    expected = np.average(middle.x[inside], weights=grid["expected"][inside])
    assert places[:, 0].mean() == pytest.approx(expected, abs=150.0)


# ---------------------------------------------------------------------------- propagation


def near_meridian(drawn):
    line = gpd.GeoSeries([shapely.LineString([(104.0, -3.0), (104.0, 3.0)])], crs=4326)
    return (geo.distance_to(drawn, line)["distance_m"] <= 2000.0).sum()


@pytest.mark.parametrize(
    ("recorded_m", "radius", "chance"),
    [(1500, 30.0, 1.0), (1500, 3000.0, 0.605), (5000, 5900.0, 0.191)],
)
def test_an_expected_count_is_the_sum_of_the_chances(recorded_m, radius, chance):
    lon, _, _ = GEOD.fwd(104.0, 0.0, 90.0, recorded_m)
    result = propagate(near_meridian, sites_at([lon] * 100, [0.0] * 100, radius), n_draws=99, rng=2)
    spread = np.sqrt(chance * (1 - chance) / 9900)
    assert result.mean / 100 == pytest.approx(chance, abs=4 * spread + 5e-4)
    assert result.low <= result.median <= result.high
    assert result.reported == (100 if recorded_m < 2000 else 0)


def test_the_interval_covers_the_true_count_as_often_as_it_says_and_the_naive_count_does_not():
    rng = np.random.default_rng(11)
    centre = shapely.Point(104.5, 12.8)

    def count(lon, lat):
        start = np.full(np.shape(lon), centre.x), np.full(np.shape(lon), centre.y)
        return (GEOD.inv(*start, lon, lat)[2] <= 10_000.0).sum(axis=-1)

    held, naive, many = [], [], 168
    for _ in range(6):
        recorded = np.array([centre.x, centre.y]) + rng.uniform(-0.12, 0.12, (300, 2))
        # the truth is drawn by its own code
        far = 6000.0 * np.sqrt(rng.random((many, 300)))
        lon, lat = (np.tile(x, (many, 1)) for x in recorded.T)
        x, y, _ = GEOD.fwd(lon, lat, rng.uniform(0, 360, (many, 300)), far)
        truth = count(x, y)
        result = propagate(
            lambda drawn: int(count(drawn.geometry.x.to_numpy(), drawn.geometry.y.to_numpy())),
            sites_at(*recorded.T, 6000.0, location_level="commune"),
            n_draws=199,
            rng=rng,
        )
        assert result.kind == "posterior"
        held.append((result.low <= truth) & (truth <= result.high))
        naive.append(truth == result.reported)
    assert 0.93 <= np.mean(held) <= 0.97
    assert np.mean(naive) < 0.3


def test_draws_of_measured_places_spread_twice_as_far_and_are_called_sensitivity():
    rng = np.random.default_rng(3)
    n, radius = 2000, 3000.0
    truth = np.full(n, 104.5), np.full(n, 12.8)
    x, y, _ = GEOD.fwd(*truth, rng.uniform(0, 360, n), radius * np.sqrt(rng.random(n)))
    sites = sites_at(x, y, radius, location_method="measured")
    spread = [
        np.mean(GEOD.inv(*truth, *places.T)[2] ** 2)
        for places in (np.column_stack([x, y]), drawn_places(sites, 1)[0])
    ]
    assert spread[0] == pytest.approx(radius**2 / 2, rel=0.06)
    assert spread[1] == pytest.approx(2 * spread[0], rel=0.06)
    result = propagate(len, sites[:5], n_draws=3, rng=1)
    assert result.kind == "sensitivity"
    assert "no confidence interval" in result.summary()
    assert propagate(len, sites[:5].assign(uncertainty_m=0.0), n_draws=3).kind == "posterior"


@cache
def thomas_patterns(runs):
    """Points of a Thomas process of 20 parents in 300 x 300 km, and the run of each."""
    side, margin = 300_000.0, 20_000.0
    wide = gpd.GeoSeries([box(-margin, -margin, side + margin, side + margin)], crs=PLANE)
    model = geo.thomas(wide, parents_per_km2=20 / 90_000, offspring=5, spread_m=1500.0)
    patterns = [model.simulate(rng=run).get_coordinates().to_numpy() for run in range(runs)]
    return np.vstack(patterns), np.repeat(np.arange(runs), [len(xy) for xy in patterns])


def k_of_noisy_thomas(distances, error, runs):
    """K of such points with an error, by what their intensity is known to be."""
    points, run = thomas_patterns(runs)
    points = error(points)
    inside = ((points > 0) & (points < SIDE)).all(axis=1)
    outline = outline_of(WINDOW[0])
    total = 0.0
    for one in range(runs):
        xy = points[inside & (run == one)]
        evaluator = Evaluator("K", "translation", outline, distances, len(xy))
        total += one_curve(evaluator, xy) * len(xy) * (len(xy) - 1)
    return total / runs / 100.0**2


def theory_of_thomas(distances, variance):
    return np.pi * distances**2 + (1 - np.exp(-(distances**2) / (4 * variance))) * SIDE**2 / 20


@pytest.mark.parametrize("s", [0.0, 1000.0, 3000.0])
def test_noise_hides_clusters_as_the_formula_of_thomas_says(s):
    r = np.array([1000.0, 2000.0, 5000.0])
    noise = np.random.default_rng(1)
    found = k_of_noisy_thomas(r, lambda points: points + noise.normal(0, s, points.shape), 300)
    assert found == pytest.approx(theory_of_thomas(r, 1500.0**2 + s**2), rel=0.05)


def test_redrawing_what_was_measured_adds_the_noise_a_second_time():
    radius = 3000.0  # whose uniform disc has the variance of s = 1.5 km on each axis
    r = np.array([1000.0, 2000.0])

    def redrawn(points):
        rng = np.random.default_rng(1)
        far, turn = radius * np.sqrt(rng.random(len(points))), 2 * np.pi * rng.random(len(points))
        steps = np.column_stack([far * np.cos(turn), far * np.sin(turn)])
        sites = in_plane(points + steps, radius, EQUAL)
        return next(realisations(sites, n=1, rng=1)).get_coordinates().to_numpy()

    found = k_of_noisy_thomas(r, redrawn, 300)
    once, twice = (theory_of_thomas(r, times * 1500.0**2) for times in (2, 3))
    assert found == pytest.approx(twice, rel=0.1)
    assert (found < 0.8 * once).all()


# ---------------------------------------------------------------------------- answers


def test_the_same_is_told_for_precise_rows_and_without_the_largest_source():
    levels = ["building"] * 10 + ["town"] * 30
    sites = some_sites(location_level=levels, source=["b"] * 15 + ["a"] * 15 + [None] * 10)
    table = propagate(len, sites, n_draws=9).to_frame()
    assert table["rows"].tolist() == ["all", "building or compound", "without the largest source"]
    # two sources are as large: the first by name is left out
    assert table["n"].tolist() == table["median"].tolist() == [40, 10, 25]


def test_a_set_of_rows_for_which_nothing_can_be_computed_is_named_with_its_reason():
    def fussy(drawn):
        if len(drawn) < 40:
            message = "Too few."
            raise ValueError(message)
        return 1.0

    sites = some_sites(location_level=["building"] * 5 + ["town"] * 35)
    result = propagate(fussy, sites, n_draws=3)
    assert result.left_out["building or compound"] == "Too few."
    assert result.left_out["without the largest source"] == "there are no two sources."
    assert "Not computed for building or compound: Too few." in result.summary()


def test_a_series_keeps_its_labels_and_a_function_its_distances():
    sites = some_sites().set_axis([f"row {i}" for i in range(40)])
    east = propagate(lambda drawn: drawn.geometry.x, sites, n_draws=99, rng=1)
    assert east.median.index.tolist() == sites.index.tolist()
    assert (east.high - east.low).between(0.02, 0.037).all()
    assert (np.abs(east.median - sites.geometry.x) < 0.006).all()
    window = gpd.GeoSeries([box(104, 12.4, 105, 13.2)], crs=4326)
    function = propagate(
        lambda drawn: geo.ripley_l(drawn, window, distances_m=[1000.0, 8000.0]), sites, n_draws=19
    )
    table = function.to_frame()
    assert function.of == "L"
    assert table["label"].tolist() == [1000.0, 8000.0]
    assert table["resolvable"].tolist() == [False, True]


def test_answers_that_cannot_be_compared_are_refused():
    sites = some_sites(4)
    with pytest.raises(TypeError, match="answered a DataFrame"):
        propagate(lambda drawn: drawn.geometry.bounds, sites)
    with pytest.raises(ValueError, match="other labels of a draw"):
        propagate(lambda drawn: drawn.geometry.x.set_axis(drawn.geometry.x), sites, n_draws=3)
    with pytest.raises(ValueError, match="n_draws is 0"):
        propagate(len, sites, n_draws=0)
    with pytest.raises(ValueError, match=r"n is 1\.5"):
        realisations(sites, n=1.5)


def test_monte_carlo_error_is_what_another_seed_changes():
    sites = some_sites(1)

    def east(drawn):
        return float(drawn.geometry.x.iloc[0])

    results = [propagate(east, sites, n_draws=100, rng=seed) for seed in range(20)]
    spread = max(
        np.std([getattr(each, end) for each in results]) for end in ("low", "median", "high")
    )
    told = np.mean([each.mc_error for each in results])
    assert told / 1.6 < spread < told * 1.6


def test_answers_speak_without_coordinates_and_escape_what_they_are_told():
    sites = some_sites(5)
    result = propagate(lambda _: pd.Series([1.0], index=["<script>"]), sites, n_draws=3)
    assert isinstance(result, Propagated)
    assert "<script>" not in result._repr_html_()
    assert "12.8" not in result.summary()
    assert "posterior, 3 draws, 5 sites" in repr(result)


# ---------------------------------------------------------------------------- tests


def half_coded(rng):
    """Points of chance, every other of which is known by the centre of its unit only."""
    xy = rng.random((100, 2)) * SIDE
    xy[::2] = (np.floor(xy[::2] / UNIT) + 0.5) * UNIT
    return in_plane(xy, np.tile([UNIT / np.sqrt(2), 1.0], 50))


@pytest.mark.filterwarnings("ignore::geo.CoincidentPointsWarning")
def test_places_coded_to_centres_look_clustered_unless_they_are_drawn_anew():
    rng, runs, distances = np.random.default_rng(1), 400, np.array([2000.0, 5000.0, 10_000.0])
    asked = {
        "function": geo.ripley_k,
        "distances_m": distances,
        "n_simulations": 999,
        "rng": 1,
        "progress": False,
    }
    sites = half_coded(rng)
    naive = geo.envelope_test(sites, WINDOW, **asked)
    drawn = geo.envelope_test(sites, WINDOW, n_draws=5, within=UNITS, **asked)
    # chance is the same for all such sites, so that it needs to be simulated once only
    pattern = planar_pattern(sites, WINDOW)
    redrawer = redrawer_of(sites, pattern, None, geo.csr(WINDOW), UNITS, 5)
    evaluator = Evaluator("K", "isotropic", outline_of(WINDOW[0]), distances, 100)
    rows, rejected = np.tile([True, False], 50), np.zeros((2, 3))
    assert np.array_equal(np.sort(redrawer.whole), np.sort(rows))
    limits = [np.quantile(test.curves, 0.95, axis=0) for test in (naive, drawn)]
    for _ in range(runs):
        xy = half_coded(rng).get_coordinates().to_numpy()
        known = replace(redrawer, xy=xy, radius=np.where(rows, 0.0, 1.0), whole=rows)
        curves = one_curve(evaluator, xy), known.curve_of_sites(evaluator, rng)
        rejected += np.array(curves) > limits
    assert rejected[0, 0] > 0.5 * runs
    assert (rejected[1] >= 0.02 * runs).all()
    assert (rejected[1] <= 0.07 * runs).all()


def test_a_test_of_drawn_places_does_not_depend_on_row_order_or_threads(monkeypatch):
    sites = half_coded(np.random.default_rng(1))
    options = {"n_simulations": 39, "n_draws": 9, "rng": 5, "within": UNITS, "progress": False}
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    one = geo.envelope_test(sites, WINDOW, **options)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    other = geo.envelope_test(sites.sample(frac=1, random_state=2), WINDOW, **options)
    assert one.pvalue == other.pvalue
    assert np.array_equal(one.observed, other.observed)
    assert np.array_equal(one.curves, other.curves)
    assert "the mean over 9 draws of true places" in one.summary()


def test_clusters_that_are_larger_than_the_circles_are_still_found():
    model = geo.thomas(WINDOW, parents_per_km2=10 / 90_000, offspring=20, spread_m=4000.0)
    xy = shapely.get_coordinates(model.simulate(rng=2).to_numpy())
    result = geo.envelope_test(
        in_plane(xy, 3000.0), WINDOW, n_simulations=39, n_draws=9, rng=1, progress=False
    )
    assert result.pvalue == 1 / 40


def test_what_cannot_be_drawn_in_a_test_is_refused():
    sites = half_coded(np.random.default_rng(1))
    options = {"n_simulations": 9, "n_draws": 3}
    with pytest.raises(ValueError, match="one kind of points"):
        geo.envelope_test(sites, WINDOW, other=sites, null=geo.csr(WINDOW), **options)
    null = geo.random_labelling(sites, sites, WINDOW)
    with pytest.raises(ValueError, match="rearranges reported places"):
        geo.envelope_test(sites, WINDOW, null=null, **options)
    with pytest.raises(ValueError, match="100 located sites are 1 places"):
        geo.envelope_test(sites.assign(place_id="a"), WINDOW, **options)
    with pytest.raises(ValueError, match="give n_draws with it"):
        geo.envelope_test(sites, WINDOW, within=UNITS)
    with pytest.raises(GeometryError, match="do not meet any of the areas"):
        geo.envelope_test(sites, WINDOW, within=UNITS[:2], **options)
    with pytest.raises(ValueError, match="None of the areas"):
        geo.envelope_test(sites, WINDOW, within=UNITS.translate(1e6), **options)
    with pytest.raises(SchemaError, match="no radius"):
        geo.envelope_test(sites.assign(uncertainty_m=np.nan), WINDOW, **options)
