from __future__ import annotations

import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, affinity, box

import geo
from geo import density_at_sites, kernel_density, relative_risk, select_bandwidth
from geo.errors import (
    CoincidentPointsWarning,
    CRSError,
    ExportError,
    GeometryError,
    ResolutionWarning,
)

HERE = Path(__file__).parents[1] / "reference"
SHARED = Path(__file__).parents[3] / "shared" / "reference"
EXPECTED = json.loads((HERE / "density.json").read_text(encoding="utf-8"))
CLASSICS = [name for name in EXPECTED if name != "source"]
PLANE = "EPSG:32648"
# windows as boxes that do not overlap, so that the mass of a kernel in them is known
BOXES = {
    "rectangle": [box(0, 0, 1000, 600)],
    "L": [box(0, 0, 1000, 400), box(0, 400, 400, 1000)],
    "ring": [
        box(0, 0, 1000, 300),
        box(0, 700, 1000, 1000),
        box(0, 300, 300, 700),
        box(600, 300, 1000, 700),
    ],
    "apart": [box(0, 0, 400, 1000), box(600, 200, 1000, 900)],
}


def in_plane(*shapes):
    return gpd.GeoSeries([shapely.union_all(shapes)], crs=PLANE)


def placed(xy, **columns):
    places = gpd.points_from_xy(*np.asarray(xy, float).T)
    return gpd.GeoDataFrame(
        {"uncertainty_m": np.zeros(len(xy)), **columns}, geometry=places, crs=PLANE
    )


def scattered(window, n, seed):
    rng = np.random.default_rng(seed)
    west, south, east, north = window.total_bounds
    xy = rng.uniform([west, south], [east, north], (50 * n, 2))
    return xy[shapely.contains_xy(window.union_all(), *xy.T)][:n]


def cdf(z):
    return np.vectorize(math.erf)(z / math.sqrt(2)) / 2


def mass_in_boxes(xy, spread, boxes):
    x, y = np.asarray(xy).T
    total = np.zeros(len(x))
    for west, south, east, north in (shape.bounds for shape in boxes):
        across = cdf((east - x) / spread) - cdf((west - x) / spread)
        total += across * (cdf((north - y) / spread) - cdf((south - y) / spread))
    return total


def kernels(at, xy, spread):
    gap = ((np.asarray(at)[:, None] - np.asarray(xy)[None]) ** 2).sum(axis=-1)
    return np.exp(-gap / (2 * spread**2)) / (2 * np.pi * spread**2)


def by_hand(at, xy, spread, boxes, edge, weight=1.0, power=1):
    below, share = 1.0, 1.0
    if edge == "uniform":
        below = mass_in_boxes(at, spread, boxes)
    if edge == "diggle":
        share = mass_in_boxes(xy, spread, boxes)
    each = (np.broadcast_to(weight, len(xy)) / share * kernels(at, xy, spread)) ** power
    return each.sum(axis=1) ** (1 / power) / below * 1e6


def centres_inside(surface):
    row, column = np.nonzero(~np.isnan(surface.estimate))
    return np.column_stack([surface.x[column], surface.y[row]]), surface.estimate[row, column]


def classic(name, folder=HERE):
    points = pd.read_csv(folder / "patterns" / f"{name}_points.csv", comment="#")
    rings = pd.read_csv(folder / "patterns" / f"{name}_window.csv", comment="#")
    parts = [
        (ring["hole"].iloc[0], ring[["x", "y"]].to_numpy(float))
        for _, ring in rings.groupby("ring")
    ]
    window = Polygon(*[xy for hole, xy in parts if not hole], [xy for hole, xy in parts if hole])
    places = gpd.points_from_xy(points["x"], points["y"])
    return gpd.GeoDataFrame(points, geometry=places, crs=PLANE), in_plane(window)


def shared():
    if not SHARED.exists():
        pytest.skip("the reference values are not beside the repository")
    return json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))


# ------------------------------------------------------------------ the reference


@pytest.mark.parametrize("name", CLASSICS)
def test_bandwidths_of_the_classic_patterns(name):
    sites, window = classic(name)
    for method, expected in EXPECTED[name]["bw"].items():
        found = select_bandwidth(sites, window, method=method)
        assert found.bandwidth_m == pytest.approx(expected, rel=1e-12)


KEYS = [("noedge", None), ("edge", "uniform"), ("diggle", "diggle")]


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize(("key", "edge"), KEYS)
def test_densities_at_points_of_the_classic_patterns(name, key, edge):
    sites, window = classic(name)
    expected = EXPECTED[name]
    for left_out, suffix in ((True, "_loo"), (False, "")):
        if f"points_{key}{suffix}_first5" in expected:
            found = density_at_sites(
                sites, window, bandwidth_m=expected["sigma"], edge=edge, leave_one_out=left_out
            )
            assert found.index.equals(sites.index)
            assert np.allclose(
                found[:5] / 1e6, expected[f"points_{key}{suffix}_first5"], rtol=1e-12
            )


@pytest.mark.parametrize("name", ["amacrine", "lansing", "bei", "humberside"])
def test_bandwidths_of_other_published_patterns(name):
    expected = shared()["patterns"][name]["bw"]
    sites, window = classic(name, SHARED)
    for method, key in (
        ("diggle", "diggle"),
        ("ppl", "ppl"),
        ("cvl", "CvL"),
        ("scott", "scott_iso"),
    ):
        if expected[key] and (name, method) != ("lansing", "ppl"):
            found = select_bandwidth(sites, window, method=method)
            assert found.bandwidth_m == pytest.approx(expected[key], rel=1e-10)


@pytest.mark.parametrize("name", ["amacrine", "humberside"])
def test_relative_risk_of_published_patterns(name):
    expected = shared()["relative_risk"][name]
    sites, window = classic(name, SHARED)
    first, second = expected["levels"]
    of = {level: sites[sites["mark"] == level] for level in (first, second)}
    found = relative_risk(of[second], of[first], window, bandwidth_m=expected["sigma"])
    share = pd.concat([found.case_share, found.control_share]).sort_index()
    assert np.allclose(share[:5], expected["relrisk_points_edge_first5"], rtol=1e-12)
    chosen = relative_risk(of[second], of[first], window, cell_size_m=expected["sigma"]).selection
    assert chosen.bandwidth_m == pytest.approx(expected["bw.relrisk"]["likelihood"], rel=1e-12)
    assert chosen.at_border
    assert "end of the interval" in chosen.summary()


# ------------------------------------------------------------------ against sums by hand


@pytest.mark.parametrize("name", BOXES)
@pytest.mark.parametrize("edge", ["uniform", "diggle", None])
@pytest.mark.parametrize(("n", "spread"), [(1, 60.0), (40, 150.0), (40, 5000.0), (2500, 40.0)])
def test_every_cell_is_the_exact_sum(name, edge, n, spread):
    window = in_plane(*BOXES[name])
    xy = scattered(window, n, seed=n)
    found = kernel_density(placed(xy), window, bandwidth_m=spread, cell_size_m=30, edge=edge)
    at, values = centres_inside(found)
    expected = by_hand(at, xy, spread, BOXES[name], edge)
    assert np.abs(values / expected - 1).max() < 2e-5
    assert np.isnan(found.estimate).sum() == found.estimate.size - len(at)


@pytest.mark.parametrize("edge", ["uniform", "diggle"])
def test_a_kernel_much_narrower_than_the_window(edge):
    window = in_plane(*BOXES["ring"])
    xy = np.vstack([scattered(window, 2500, seed=11), [[0, 0], [1000, 1000], [300, 300]]])
    found = kernel_density(placed(xy), window, bandwidth_m=8, cell_size_m=8, edge=edge)
    at, values = (part[::7] for part in centres_inside(found))
    expected = by_hand(at, xy, 8.0, BOXES["ring"], edge)
    assert np.abs(values / expected - 1).max() < 2e-5


def test_far_from_all_sites_the_digits_are_kept():
    window = in_plane(box(0, 0, 1000, 1000))
    xy = np.random.default_rng(1).normal(200, 15, (3000, 2))
    found = kernel_density(placed(xy), window, bandwidth_m=20, edge=None)
    at, values = (part[::50] for part in centres_inside(found))
    expected = by_hand(at, xy, 20.0, BOXES["rectangle"], None)
    near = expected > 1e-30 * expected.max()
    assert (expected[near] < 1e-20 * expected.max()).any()
    assert np.abs(values[near] / expected[near] - 1).max() < 1e-4


def test_a_slanted_window_has_the_mass_of_its_turned_rectangle():
    turned = affinity.rotate(box(0, 0, 1000, 600), 30, origin=(0, 0))
    window = in_plane(turned)
    xy = scattered(window, 30, seed=4)
    found = kernel_density(placed(xy), window, bandwidth_m=120, cell_size_m=25)
    at, values = centres_inside(found)
    back = np.array([[math.cos(a), -math.sin(a)] for a in (math.radians(30),)])
    turn = np.vstack([back, [[math.sin(math.radians(30)), math.cos(math.radians(30))]]])
    mass = mass_in_boxes(at @ turn, 120.0, BOXES["rectangle"])
    assert np.abs(values / (kernels(at, xy, 120.0).sum(axis=1) / mass * 1e6) - 1).max() < 1e-6
    assert found.surface.covered_m2.sum() == pytest.approx(600_000, rel=1e-12)


def test_an_outline_of_many_corners_takes_nodes_and_agrees():
    blob = Point(500, 500).buffer(450, quad_segs=600)
    xy = scattered(in_plane(blob), 50, seed=2)
    many = kernel_density(placed(xy), in_plane(blob), bandwidth_m=80, cell_size_m=20)
    few = kernel_density(
        placed(xy),
        in_plane(Point(500, 500).buffer(450, quad_segs=100)),
        bandwidth_m=80,
        cell_size_m=20,
    )
    both = ~np.isnan(many.estimate) & ~np.isnan(few.estimate)
    assert np.abs(many.estimate[both] / few.estimate[both] - 1).max() < 2e-4
    # the centre of a disc has a mass in closed form
    centre = many.estimate[np.abs(many.y - 500).argmin(), np.abs(many.x - 500).argmin()]
    at = np.array([[many.x[np.abs(many.x - 500).argmin()], many.y[np.abs(many.y - 500).argmin()]]])
    assert np.hypot(*(at[0] - 500)) < 20
    mass = 1 - math.exp(-(450**2) / (2 * 80**2))
    assert centre == pytest.approx(float(kernels(at, xy, 80.0).sum() / mass * 1e6), rel=1e-4)


@pytest.mark.parametrize("edge", ["uniform", "diggle", None])
def test_standard_error_is_the_root_of_squared_kernels(edge):
    window = in_plane(*BOXES["L"])
    xy = scattered(window, 60, seed=3)
    weight = np.linspace(0.5, 2, 60)
    found = kernel_density(
        placed(xy),
        window,
        bandwidth_m=90,
        edge=edge,
        weights=weight,
        standard_error=True,
        cell_size_m=40,
    )
    at, _ = centres_inside(found)
    error = found.standard_error[~np.isnan(found.estimate)]
    assert np.allclose(error, by_hand(at, xy, 90.0, BOXES["L"], edge, weight, power=2), rtol=1e-6)


@pytest.mark.parametrize("edge", ["uniform", "diggle", None])
def test_adaptive_kernels_are_summed_each_with_its_own_bandwidth(edge):
    window, boxes = in_plane(*BOXES["L"]), BOXES["L"]
    xy = np.vstack(
        [scattered(window, 40, seed=5), np.random.default_rng(6).normal(150, 10, (40, 2))]
    )
    found = kernel_density(
        placed(xy), window, bandwidth_m=60, edge=edge, adaptive=True, cell_size_m=20
    )
    pilot = by_hand(xy, xy, 60.0, boxes, edge)
    mean = np.exp(np.log(pilot).mean())
    spread = np.minimum(60 * np.sqrt(mean / pilot), 300)
    assert spread.max() > 3 * spread.min()
    at, values = centres_inside(found)
    share = mass_in_boxes(xy, spread, boxes) if edge == "diggle" else 1.0
    expected = (kernels(at, xy, spread) / share).sum(axis=1) * 1e6
    if edge == "uniform":
        there = by_hand(at, xy, 60.0, boxes, edge)
        wanted = np.clip(60 * np.sqrt(mean / there), spread.min(), spread.max())
        expected /= mass_in_boxes(at, wanted, boxes)
    assert np.abs(values / expected - 1).max() < 1e-3
    assert "adaptive" in found.summary()


@pytest.mark.parametrize("edge", ["uniform", "diggle", None])
def test_densities_at_many_sites_agree_with_sums_by_hand(edge):
    window = in_plane(box(0, 0, 1000, 600))
    xy = np.vstack([scattered(window, 5000, seed=7) * [0.5, 1], [[900, 300], [990, 10]]])
    found = density_at_sites(placed(xy), window, bandwidth_m=20, edge=edge).to_numpy()
    rows = np.r_[:200, 5000, 5001]
    share = mass_in_boxes(xy, 20.0, BOXES["rectangle"])
    each = kernels(xy[rows], xy, 20.0) / (share if edge == "diggle" else 1.0)
    each[np.arange(len(rows)), rows] = 0
    expected = each.sum(axis=1) / (share[rows] if edge == "uniform" else 1.0) * 1e6
    assert np.abs(found[rows] / expected - 1).max() < 1e-5


def test_a_lonely_site_has_the_density_of_the_nearest_other():
    window = in_plane(box(0, 0, 100_000, 1000))
    xy = np.array([[500, 500], [40_500, 500.0]])
    found = density_at_sites(placed(xy), window, bandwidth_m=2000, edge=None)
    assert np.allclose(found, math.exp(-200) / (2 * math.pi * 4), rtol=1e-9)


# ------------------------------------------------------------------ invariants


@settings(max_examples=20, deadline=None)
@given(
    name=st.sampled_from(sorted(BOXES)),
    n=st.integers(1, 60),
    spread=st.floats(40, 400),
    seed=st.integers(0, 2**32 - 1),
)
def test_diggles_correction_integrates_to_the_number_of_sites(name, n, spread, seed):
    window = in_plane(*BOXES[name])
    found = kernel_density(
        placed(scattered(window, n, seed)),
        window,
        bandwidth_m=spread,
        cell_size_m=10,
        edge="diggle",
    )
    assert found.total == pytest.approx(n, rel=4e-3)
    assert found.to_frame()["expected"].sum() == pytest.approx(found.total, rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    east=st.integers(-(2**20), 2**20), north=st.integers(-(2**20), 2**20), seed=st.integers(0, 99)
)
def test_moving_everything_changes_nothing(east, north, seed):
    window = in_plane(*BOXES["ring"])
    xy = scattered(window, 30, seed)
    options = {"bandwidth_m": 80.0, "cell_size_m": 50.0}
    here = kernel_density(placed(xy), window, **options)
    away = [affinity.translate(shape, east / 4, north / 4) for shape in BOXES["ring"]]
    # numbers of this plane must stay longitudes and latitudes somewhere
    there = kernel_density(
        placed(np.add(xy, (east / 4 + 4e5, north / 4 + 1e6))),
        in_plane(*[affinity.translate(shape, 4e5, 1e6) for shape in away]),
        **options,
    )
    assert np.allclose(here.estimate, there.estimate, rtol=1e-6, equal_nan=True)


@pytest.mark.parametrize("n", [50, 2500])
@pytest.mark.parametrize("edge", ["uniform", "diggle"])
def test_order_of_rows_and_number_of_threads_change_no_byte(n, edge, monkeypatch):
    window = in_plane(*BOXES["L"])
    xy = scattered(window, n, seed=8).round(0)
    weight = np.random.default_rng(9).uniform(0, 1, n)
    sites = placed(xy)
    order = np.random.default_rng(10).permutation(n)
    options = {"bandwidth_m": 60.0, "edge": edge, "standard_error": True}
    one = kernel_density(sites, window, weights=weight, **options)
    other = kernel_density(sites.iloc[order], window, weights=weight[order], **options)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    alone = kernel_density(sites, window, weights=weight, **options)
    for found in (other, alone):
        assert found.estimate.tobytes() == one.estimate.tobytes()
        assert found.standard_error.tobytes() == one.standard_error.tobytes()
    at = density_at_sites(sites, window, bandwidth_m=60, edge=edge)
    again = density_at_sites(sites.iloc[order], window, bandwidth_m=60, edge=edge)
    assert at.sort_index().equals(again.sort_index())


def test_weights_count_like_repeated_sites_and_inputs_stay_as_they_are():
    window = in_plane(box(0, 0, 1000, 600))
    xy = np.array([[100.0, 100], [800, 500]])
    sites = placed(xy)
    before = sites.copy()
    weighted = kernel_density(sites, window, bandwidth_m=100, weights=[1, 3])
    repeated = kernel_density(placed(xy[[0, 1, 1, 1]]), window, bandwidth_m=100)
    assert np.allclose(weighted.estimate, repeated.estimate, rtol=1e-12)
    assert "coordinate" in repeated.summary()
    assert sites.equals(before)


# ------------------------------------------------------------------ windows and results


def test_degrees_and_the_antimeridian_give_the_same_surface():
    def surface(lon_0):
        parts = [box(lon_0 - 1, -17, min(lon_0 + 1, 180), -16)]
        if lon_0 + 1 > 180:
            parts.append(box(-180, -17, lon_0 + 1 - 360, -16))
        window = gpd.GeoSeries([MultiPolygon(parts) if len(parts) > 1 else parts[0]], crs=4326)
        lon = np.array([lon_0 - 0.5, lon_0 + 0.4, lon_0 + 0.9])
        lon = np.where(lon > 180, lon - 360, lon)
        sites = gpd.GeoDataFrame(
            {"name": ["ភ្នំពេញ", "<b>", None]},
            geometry=gpd.points_from_xy(lon, [-16.5, -16.2, -16.9]),
            crs=4326,
        )
        return kernel_density(sites, window, bandwidth_m=20_000, cell_size_m=5000, edge="diggle")

    plain, across = surface(100), surface(180)
    assert across.total == pytest.approx(3, rel=2e-3)
    assert np.nanmax(across.estimate) == pytest.approx(np.nanmax(plain.estimate), rel=1e-2)
    frame = across.to_frame()
    assert frame.crs == "EPSG:4326"
    assert frame["area_km2"].sum() == pytest.approx(plain.to_frame()["area_km2"].sum(), rel=1e-2)


def test_cells_of_the_frame_are_the_window_and_feed_a_null_model():
    window = in_plane(*BOXES["ring"])
    found = kernel_density(
        placed(scattered(window, 20, 1)),
        window,
        bandwidth_m=150,
        cell_size_m=70,
        standard_error=True,
    )
    frame = found.to_frame()
    assert list(frame.columns) == [
        "density_per_km2",
        "standard_error",
        "area_km2",
        "expected",
        "geometry",
    ]
    plane = frame.to_crs(PLANE)
    assert np.allclose(plane.area, frame["area_km2"] * 1e6, rtol=1e-6)
    assert plane.area.sum() == pytest.approx(window.area.sum(), rel=1e-6)
    model = geo.inhomogeneous_poisson(plane, weight="expected")
    assert len(model.simulate(10, rng=1)) == 10


def test_the_region_above_a_level_is_a_disc_around_one_site():
    window = in_plane(box(0, 0, 1000, 1000))
    found = kernel_density(placed([[500, 500]]), window, bandwidth_m=100, cell_size_m=10, edge=None)
    peak = 1e6 / (2 * np.pi * 100**2)
    levels = [peak * math.exp(-2), peak * math.exp(-0.5)]
    bands = found.contours(levels).to_crs(PLANE)
    assert np.allclose(bands.area, [np.pi * (4 - 1) * 1e4, np.pi * 1e4], rtol=3e-3)
    assert bands["from_per_km2"].tolist() == levels
    assert np.isnan(bands["to_per_km2"].iloc[-1])
    assert found.contours([peak * 2]).empty


@pytest.mark.parametrize("name", BOXES)
def test_bands_fill_the_window_without_overlap(name):
    window = in_plane(*BOXES[name])
    found = kernel_density(
        placed(scattered(window, 30, 2)), window, bandwidth_m=100, cell_size_m=25
    )
    bands = found.contours(6).to_crs(PLANE)
    assert bands.area.sum() == pytest.approx(window.area.sum(), rel=1e-6)
    assert shapely.union_all(bands.geometry.to_numpy()).area == (
        pytest.approx(window.area.sum(), rel=1e-6)
    )


def test_bands_of_a_ragged_window_are_valid_in_degrees():
    rng = np.random.default_rng(12)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 400))
    far = 40_000 * rng.uniform(0.7, 1, 400)
    window = gpd.GeoSeries([Polygon(np.column_stack([far * np.cos(turn), far * np.sin(turn)]))])
    window = window.translate(5e5, 1.4e6).set_crs(PLANE)
    sites = placed(scattered(window, 60, 3))
    found = kernel_density(sites, window, bandwidth_m=3000)
    bands = found.contours(7)
    assert bands.is_valid.all()
    assert set(bands.geom_type) <= {"Polygon", "MultiPolygon"}
    assert bands.to_crs(PLANE).area.sum() == pytest.approx(window.area.sum(), rel=1e-6)
    assert found.to_frame().is_valid.all()
    areas = relative_risk(sites[:20], sites[20:], window, bandwidth_m=4000).tolerance_contours(0.2)
    assert areas.is_valid.all()
    assert len(areas)


def test_a_raster_says_where_its_cells_are(tmp_path):
    window = in_plane(*BOXES["L"])
    found = kernel_density(
        placed(scattered(window, 9, 1)), window, bandwidth_m=200, cell_size_m=110
    )
    path = found.to_raster(tmp_path / "density.asc")
    head = dict(line.split() for line in path.read_text().splitlines()[:6])
    grid = np.loadtxt(path, skiprows=6)
    assert (int(head["nrows"]), int(head["ncols"])) == grid.shape == found.estimate.shape
    assert float(head["cellsize"]) == 110
    grid[grid == float(head["NODATA_value"])] = np.nan
    assert np.allclose(grid[::-1], found.estimate, rtol=1e-8, equal_nan=True)
    assert "UTM" in path.with_suffix(".prj").read_text()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["density.asc", "density.prj"]
    with pytest.raises(ExportError, match=r"\.asc"):
        found.to_raster(tmp_path / "density.tif")


def test_results_speak_plainly():
    window = in_plane(box(0, 0, 1000, 1000))
    sites = placed([[100, 100], [100, 100], [600, 700]], name=["ភូមិ", "<script>", "c"])
    sites.loc[3] = sites.loc[2].copy()
    sites.loc[3, "geometry"] = None
    found = kernel_density(sites, window, bandwidth_m=100)
    words = found.summary()
    assert "Concentration of reports: 3 located reports" in words
    assert "1 report without a location" in words
    assert "2 coordinates" in words
    assert "uniform edge correction" in words
    assert "hot spot" not in words + repr(found)
    assert "cluster" not in words + repr(found)
    assert "script" not in found._repr_html_()
    assert found.n == 3


def test_radii_that_do_not_resolve_the_bandwidth_are_said():
    window = in_plane(box(0, 0, 10_000, 10_000))
    sites = placed(scattered(window, 20, 1)).assign(uncertainty_m=500.0)
    with pytest.warns(ResolutionWarning, match="resolve"):
        found = kernel_density(sites, window, bandwidth_m=900, cell_size_m=500)
    assert not found.resolvable
    assert "shows more than is known" in found.summary()
    assert kernel_density(sites, window, bandwidth_m=1000, cell_size_m=500).resolvable


# ------------------------------------------------------------------ bandwidths


def test_a_selection_shows_its_curve():
    sites, window = classic("redwood")
    found = select_bandwidth(sites, window, method="ppl")
    frame = found.to_frame()
    best = frame.loc[frame["criterion"].idxmin(), "bandwidth_m"]
    assert best == found.bandwidth_m
    assert len(frame) == 16
    assert not found.at_border
    cells = select_bandwidth(*classic("cells"), method="ppl")
    assert cells.at_border
    assert "end of the interval" in cells.summary()
    assert "ppl" in repr(cells)


def test_selection_refuses_one_place_and_takes_shared_ones():
    window = in_plane(box(0, 0, 1000, 1000))
    for rows in ([[5, 5]], [[5, 5], [5, 5]]):
        with pytest.raises(ValueError, match="two places"):
            select_bandwidth(placed(rows), window, method="scott")
    shared_places = placed([[100, 100], [100, 100], [600, 500], [600, 500]])
    for method in ("cvl", "scott"):
        assert 0 < select_bandwidth(shared_places, window, method=method).bandwidth_m < 1000
    for method in ("diggle", "ppl"):
        with pytest.warns(CoincidentPointsWarning, match="stand at 2 coordinates"):
            found = select_bandwidth(shared_places, window, method=method)
        assert 0 < found.bandwidth_m < 1000
    with pytest.raises(ValueError, match="diggle, ppl"):
        select_bandwidth(shared_places, window, method="best")


# ------------------------------------------------------------------ relative risk


def two_kinds(seed=1, n=120):
    window = in_plane(*BOXES["ring"])
    rng = np.random.default_rng(seed)
    extra = rng.normal([150, 150], 40, (n // 3, 2))
    extra = extra[shapely.contains_xy(window.union_all(), *extra.T)]
    return (
        placed(np.vstack([scattered(window, n // 3, seed + 1), extra])),
        placed(scattered(window, n, seed + 2)),
        window,
    )


def test_log_risk_is_the_ratio_of_densities_and_changes_sign_with_the_labels():
    cases, controls, window = two_kinds()
    found = relative_risk(cases, controls, window, bandwidth_m=100, cell_size_m=40)
    at = np.column_stack([a.ravel() for a in np.meshgrid(found.x, found.y)])
    f, g = (
        kernels(at, kind.get_coordinates().to_numpy(), 100.0).sum(axis=1) / len(kind)
        for kind in (cases, controls)
    )
    inside = ~np.isnan(found.log_risk.ravel())
    assert np.allclose(found.log_risk.ravel()[inside], np.log(f / g)[inside], atol=1e-9)
    mass = mass_in_boxes(at, 100.0, BOXES["ring"])
    squared = mass_in_boxes(at, 100 / math.sqrt(2), BOXES["ring"]) / (4 * np.pi * 100**2)
    n, m = len(cases), len(controls)
    pooled = (n * f + m * g) / (n + m) / mass
    score = np.log(f / g) / np.sqrt((1 / n + 1 / m) * squared / mass**2 / pooled)
    upper = 0.5 - cdf(score)
    assert np.allclose(found.pvalue.ravel()[inside], upper[inside], atol=1e-9)
    back = relative_risk(
        controls, cases, window, bandwidth_m=100, cell_size_m=40, alternative="less"
    )
    assert np.allclose(back.log_risk, -found.log_risk, equal_nan=True)
    assert np.allclose(back.pvalue, found.pvalue, equal_nan=True)
    assert "relative risk from" in found.summary()
    assert "cases" in repr(found)


def test_tolerance_contours_hold_the_cells_below_the_level():
    cases, controls, window = two_kinds()
    found = relative_risk(cases, controls, window, bandwidth_m=70, cell_size_m=15)
    areas = found.tolerance_contours()
    assert (areas["level"] == 0.05).all()
    assert (areas["mean_log_risk"].dropna() > 0).all()
    share = np.nansum((found.pvalue <= 0.05) * found.surface.covered_m2) / 1e6
    assert areas["area_km2"].sum() == pytest.approx(share, rel=0.05)
    plane = areas.to_crs(PLANE)
    assert plane.contains(Point(150, 150)).any()
    for level in (0, 1, 1.5):
        with pytest.raises(ValueError, match="level"):
            found.tolerance_contours(level)


def test_relabelling_is_seeded_and_close_to_the_normal_distribution():
    cases, controls, window = two_kinds()
    options = {"bandwidth_m": 150, "cell_size_m": 50, "alternative": "two-sided"}
    drawn = relative_risk(cases, controls, window, n_simulations=199, rng=3, **options)
    again = relative_risk(cases[::-1], controls, window, n_simulations=199, rng=3, **options)
    assert drawn.pvalue.tobytes() == again.pvalue.tobytes()
    assert np.nanmin(drawn.pvalue) >= 2 / 200
    normal = relative_risk(cases, controls, window, **options)
    assert np.nanmean(np.abs(drawn.pvalue - normal.pvalue)) < 0.1


def test_about_five_percent_of_the_window_is_below_the_level_by_chance():
    window = in_plane(box(0, 0, 1000, 600))
    share = []
    for seed in range(60):
        xy = scattered(window, 150, seed)
        found = relative_risk(
            placed(xy[:50]), placed(xy[50:]), window, bandwidth_m=90, cell_size_m=60
        )
        share.append(np.mean(found.pvalue <= 0.05))
    assert 0.02 < np.mean(share) < 0.08


# ------------------------------------------------------------------ what is refused


def test_bad_input_is_refused_in_words():
    window = in_plane(box(0, 0, 1000, 1000))
    sites = placed([[100, 100], [600, 700]])
    for options, words in (
        ({"bandwidth_m": 0}, "bandwidth_m"),
        ({"bandwidth_m": math.nan}, "bandwidth_m"),
        ({"bandwidth_m": 50, "edge": "none"}, "edge"),
        ({"bandwidth_m": 50, "cell_size_m": 60}, "smaller cells"),
        ({"bandwidth_m": 0.1}, "too many"),
        ({"bandwidth_m": 50, "weights": [1]}, "shape"),
        ({"bandwidth_m": 50, "weights": [1, -1]}, "1 of 2 weights"),
        ({"bandwidth_m": 50, "weights": [1, math.nan]}, "1 of 2 weights"),
        ({"bandwidth_m": 50, "weights": ["a", "2"]}, "1 of 2 weights"),
        ({"bandwidth_m": 50, "weights": [0, 0]}, "All weights"),
    ):
        with pytest.raises(ValueError, match=words):
            kernel_density(sites, window, **options)
    with pytest.raises(ValueError, match="No site has a location"):
        kernel_density(sites[:0], window, bandwidth_m=50)
    with pytest.raises(ValueError, match="No control has a location"):
        relative_risk(sites, sites[:0], window, bandwidth_m=50)
    with pytest.raises(GeometryError, match="outside"):
        density_at_sites(placed([[-5, 5]]), window, bandwidth_m=50)
    with pytest.raises(CRSError):
        kernel_density(sites.set_crs(None, allow_override=True), window, bandwidth_m=50)
    found = kernel_density(sites, window, bandwidth_m=50)
    for levels in ([], [2, 1], [math.nan]):
        with pytest.raises(ValueError, match="levels"):
            found.contours(levels)


def test_one_site_and_a_huge_bandwidth():
    window = in_plane(*BOXES["L"])
    found = kernel_density(placed([[200, 200]]), window, bandwidth_m=1e6, edge="diggle")
    assert found.total == pytest.approx(1, rel=1e-6)
    assert np.nanmax(found.estimate) == pytest.approx(np.nanmin(found.estimate), rel=1e-5)
    alone = density_at_sites(placed([[200, 200]]), window, bandwidth_m=100)
    assert alone.tolist() == [0.0]


# ------------------------------------------------------------------ what a hostile reader found


def test_a_risk_far_from_one_kind_has_a_p_value_and_words_without_infinities():
    cases = placed([[100, 100], [150, 120], [200, 150]])
    controls = placed([[900, 900], [850, 880], [800, 850]])
    # warnings are errors here: no overflow on the way
    found = relative_risk(cases, controls, in_plane(box(0, 0, 10_000, 1000)), bandwidth_m=20)
    inside, endless = found.surface.inside, np.isinf(found.log_risk)
    assert endless.any()
    assert np.array_equal(np.isnan(found.pvalue), np.isnan(found.log_risk))
    # 900 m from the controls, which no number of their density can express
    row, column = np.argmin(abs(found.y - 100)), np.argmin(abs(found.x - 100))
    assert found.pvalue[row, column] < 0.05
    unknown = np.isnan(found.log_risk[inside]).mean()
    words = found.summary()
    assert "relative risk from less than 0.001 to more than 1000," in words
    assert f"{unknown:.1%} of the window is too far from any report to say." in words
    assert "inf" not in words


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8])
def test_a_number_of_bands_is_a_whole_number_of_any_kind(kind):
    surface = kernel_density(
        placed([[300, 300]]), in_plane(box(0, 0, 1000, 600)), bandwidth_m=100, cell_size_m=50
    )
    assert len(surface.contours(kind(5))) == 5
    for wrong in (True, np.True_, 0, -1):
        with pytest.raises(ValueError, match=r"levels is .*whole number of at least 1"):
            surface.contours(wrong)
