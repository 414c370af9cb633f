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
from shapely import MultiPolygon, Polygon, box

import geo
from geo._corrections import frame_of, overlap_shares, pair_sum
from geo._outlines import outline_of
from geo.errors import CRSError, GeometryError, SchemaError

HERE = Path(__file__).parents[1] / "reference"
SHARED = Path(__file__).parents[3] / "shared" / "reference"
EXPECTED = json.loads((HERE / "patterns.json").read_text(encoding="utf-8"))
CLASSICS = [name for name in EXPECTED if name != "source"]
PLANE = "EPSG:32648"
CORRECTIONS = {
    "none": "K_none",
    "border": "K_border",
    "isotropic": "K_isotropic",
    "translation": "K_translate",
}
SPACINGS = {"none": "raw", "border": "rs", "kaplan-meier": "km", "hanisch": "hanisch"}
L_SHAPE = Polygon([(0, 0), (1000, 0), (1000, 400), (400, 400), (400, 1000), (0, 1000)])
RING = box(0, 0, 1000, 1000).difference(box(300, 300, 600, 700))
APART = MultiPolygon([box(0, 0, 400, 1000), box(600, 200, 1000, 900)])


def read(folder: Path, name: str) -> tuple[gpd.GeoDataFrame, gpd.GeoSeries]:
    points = pd.read_csv(folder / f"{name}_points.csv", comment="#")
    rings = pd.read_csv(folder / f"{name}_window.csv", comment="#")
    parts = [
        (hole.iloc[0], xy)
        for _, hole, xy in (
            (number, ring["hole"], ring[["x", "y"]].to_numpy(float))
            for number, ring in rings.groupby("ring")
        )
    ]
    window = Polygon(*[xy for hole, xy in parts if not hole], [xy for hole, xy in parts if hole])
    places = gpd.points_from_xy(points["x"], points["y"])
    return gpd.GeoDataFrame(points, geometry=places, crs=PLANE), gpd.GeoSeries([window], crs=PLANE)


def classic(name: str) -> tuple[gpd.GeoDataFrame, gpd.GeoSeries, dict]:
    return *read(HERE / "patterns", name), EXPECTED[name]


def shared(name: str) -> tuple[gpd.GeoDataFrame, gpd.GeoSeries, dict]:
    if not SHARED.exists():
        pytest.skip("the reference values are not beside the repository")
    whole = json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))
    return *read(SHARED / "patterns", name), whole["patterns"][name]


def scattered(window, n: int, seed: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    west, south, east, north = window.bounds
    xy = rng.uniform([west, south], [east, north], (20 * n, 2))
    xy = xy[shapely.contains_xy(window, *xy.T)][:n]
    places = gpd.points_from_xy(*xy.T)
    return gpd.GeoDataFrame({"uncertainty_m": 1.0}, geometry=places, crs=PLANE, index=range(n))


def in_plane(window) -> gpd.GeoSeries:
    return gpd.GeoSeries([window], crs=PLANE)


def agree(found, expected, tolerance=1e-8):
    expected = np.array(expected, dtype=float)
    assert (np.isnan(found) == np.isnan(expected)).all()
    assert np.nanmax(np.abs(found - expected)) <= tolerance * np.nanmax(np.abs(expected))


# ------------------------------------------------------------------ the reference


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize("correction", CORRECTIONS)
def test_k_of_the_classic_patterns(name, correction):
    sites, window, expected = classic(name)
    exact = expected["exact"]
    k = geo.ripley_k(sites, window, distances_m=exact["rK"], correction=correction)
    agree(k.estimate, exact[CORRECTIONS[correction]])
    length = geo.ripley_l(sites, window, distances_m=exact["rK"], correction=correction)
    agree(length.estimate, np.sqrt(np.array(exact[CORRECTIONS[correction]], float) / np.pi))
    assert (length.theoretical == length.distances_m).all()


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize("correction", SPACINGS)
def test_g_f_and_j_of_the_classic_patterns(name, correction):
    sites, window, expected = classic(name)
    exact = expected["exact"]
    for function, letter in (
        (geo.nearest_neighbor_g, "G"),
        (geo.empty_space_f, "F"),
        (geo.j_function, "J"),
    ):
        key = f"{letter}_{SPACINGS[correction]}"
        if key in exact:
            found = function(sites, window, distances_m=exact["rG"], correction=correction)
            agree(found.estimate, exact[key])


@pytest.mark.parametrize("name", CLASSICS)
def test_other_statistics_of_the_classic_patterns(name):
    sites, window, expected = classic(name)
    pcf, lam = expected["pcf"], expected["Kinhom"]
    for key in ("trans_divr", "trans_divd", "iso_divr", "iso_divd"):
        g = geo.pair_correlation(
            sites,
            window,
            bandwidth_m=pcf["h_halfwidth"],
            divisor=key[-1],
            distances_m=pcf["r"],
            correction="translation" if key.startswith("trans") else "isotropic",
        )
        agree(g.estimate, pcf[key])
    west, south, east, north = window.total_bounds
    x, y = sites.geometry.x, sites.geometry.y
    intensity = (
        len(sites)
        / window.area[0]
        * np.exp(
            0.6 * (x - (west + east) / 2) / (east - west)
            - 0.4 * (y - (south + north) / 2) / (north - south)
        )
    )
    for correction, key in (("border", "border"), ("translation", "trans"), ("isotropic", "iso")):
        k = geo.ripley_k(
            sites, window, intensity=intensity * 1e6, distances_m=lam["r"], correction=correction
        )
        agree(k.estimate, lam[key])
    periodic = expected["K_periodic"]
    k = geo.ripley_k(sites, window, distances_m=periodic["r"], correction="periodic")
    agree(k.estimate, periodic["per"])


@pytest.mark.parametrize("name", CLASSICS)
def test_clark_evans_and_quadrats_of_the_classic_patterns(name):
    sites, window, expected = classic(name)
    for key, correction in (("naive", "none"), ("Donnelly", "donnelly")):
        index = geo.clark_evans(sites, window, correction=correction, n_simulations=0)
        assert index.statistic == pytest.approx(expected["clarkevans"][key], rel=1e-9)
    guard = expected["guard"]
    width = guard["erosion_radius"]
    index = geo.clark_evans(sites, window, correction="guard", guard_m=width, n_simulations=0)
    assert index.statistic == pytest.approx(guard["guard"], rel=1e-9)
    for nx, ny in ((5, 5), (3, 4)):
        quadrat = expected[f"quadrat_{nx}x{ny}"]
        test = geo.quadrat_test(sites, window, nx=nx, ny=ny)
        assert test.statistic == pytest.approx(quadrat["statistic"]["X2"], rel=1e-9)
        assert test.pvalue == pytest.approx(quadrat["p"], rel=1e-6)
        assert sorted(test.cells["count"]) == sorted(quadrat["observed"])


@pytest.mark.parametrize("name", ["amacrine", "bei", "lansing", "humberside"])
def test_k_and_g_of_the_larger_patterns(name):
    sites, window, expected = shared(name)
    exact = expected["exact"]
    for correction, key in CORRECTIONS.items():
        wanted = exact.get(key) or exact.get(f"{key}_shapely")
        if wanted is not None:
            k = geo.ripley_k(sites, window, distances_m=exact["rK"], correction=correction)
            agree(k.estimate, wanted)
    for correction, key in SPACINGS.items():
        if f"G_{key}" in exact:
            g = geo.nearest_neighbor_g(
                sites, window, distances_m=exact["rG"], correction=correction
            )
            agree(g.estimate, exact[f"G_{key}"])


def test_cross_and_dot_k_of_two_kinds():
    sites, window, _ = shared("amacrine")
    whole = json.loads((SHARED / "expected.json").read_text(encoding="utf-8"))
    expected = whole["multitype"]["amacrine"]
    on, off = sites[sites["mark"] == "on"], sites[sites["mark"] == "off"]
    for key, dot in (("Kcross", False), ("Kdot", True)):
        for correction, column in (("none", "un"), ("translation", "trans"), ("isotropic", "iso")):
            k = geo.ripley_k(
                on,
                window,
                other=off,
                dot=dot,
                distances_m=expected[key]["r"],
                correction=correction,
            )
            agree(k.estimate, expected[key][column])


# ------------------------------------------------------------------ brute force in any window


def isotropic_by_circles(xy, window, r):
    """Sum the weights of pairs by cutting circles of many sides with the window."""
    total = np.zeros(len(r))
    for i, place in enumerate(xy):
        for j, other in enumerate(xy):
            d = np.hypot(*(place - other))
            if i == j or d > r[-1]:
                continue
            circle = shapely.Point(place).buffer(d, quad_segs=2000).exterior
            share = circle.intersection(window).length / circle.length
            total += (d <= r) / share
    return total


@pytest.mark.parametrize("window", [L_SHAPE, RING, APART], ids=["corner", "hole", "parts"])
def test_isotropic_weights_are_shares_of_circles(window):
    sites = scattered(window, 12, 1)
    xy, outline = sites.get_coordinates().to_numpy(), outline_of(window)
    r = np.array([100.0, 300.0, 600.0])
    frame = frame_of(outline, "isotropic", r[-1])
    found = pair_sum(xy, None, outline, frame, r, "isotropic")
    assert found == pytest.approx(isotropic_by_circles(xy, window, r), rel=1e-5)


@pytest.mark.parametrize("window", [L_SHAPE, RING, APART], ids=["corner", "hole", "parts"])
def test_translation_weights_are_overlaps_and_the_table_is_near_them(window):
    sites = scattered(window, 40, 2)
    xy, outline = sites.get_coordinates().to_numpy(), outline_of(window)
    r = np.array([50.0, 150.0, 250.0])
    exact = geo.ripley_k(sites, in_plane(window), distances_m=r, correction="translation")
    expected = np.zeros(3)
    for i, j in np.ndindex(40, 40):
        shift = xy[j] - xy[i]
        if i != j and np.hypot(*shift) <= r[-1]:
            moved = shapely.affinity.translate(window, *shift)
            expected += (np.hypot(*shift) <= r) * window.area / window.intersection(moved).area
    assert exact.estimate == pytest.approx(expected * window.area / (40 * 39), rel=1e-12)
    table = pair_sum(xy, None, outline, frame_of(outline, "translation", r[-1]), r, "translation")
    assert table == pytest.approx(expected, rel=2e-3)
    assert overlap_shares(outline, np.zeros(1), np.zeros(1)) == pytest.approx([1.0])


@pytest.mark.parametrize("window", [box(0, 0, 1000, 800), L_SHAPE, RING], ids=["box", "L", "ring"])
def test_border_counts_and_nearest_distances_by_brute_force(window):
    sites = scattered(window, 80, 3)
    xy = sites.get_coordinates().to_numpy()
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    edge = shapely.distance(shapely.points(xy), window.boundary)
    r = np.array([0.0, 20.0, 60.0, 130.0])
    k = geo.ripley_k(sites, in_plane(window), distances_m=r, correction="border")
    inner = edge[:, None] >= r
    pairs = ((apart[:, :, None] <= r) & inner[:, None, :]).sum(axis=(0, 1))
    assert k.estimate == pytest.approx(pairs / inner.sum(axis=0) * window.area / 80, rel=1e-12)
    g = geo.nearest_neighbor_g(sites, in_plane(window), distances_m=r, correction="none")
    assert g.estimate == pytest.approx((apart.min(axis=1)[:, None] <= r).mean(axis=0))
    cross = geo.nearest_neighbor_g(
        sites.iloc[:30], in_plane(window), other=sites.iloc[30:], distances_m=r, correction="none"
    )
    nearest = apart[:30, 30:].min(axis=1)
    assert cross.estimate == pytest.approx((nearest[:, None] <= r).mean(axis=0))


@given(st.integers(2, 40), st.integers(0, 10**6), st.sampled_from(sorted(CORRECTIONS)))
@settings(max_examples=40, deadline=None)
@pytest.mark.filterwarnings("ignore::geo.errors.CoincidentPointsWarning")  # ties are the point
def test_pairs_on_a_grid_count_with_their_ties(n, seed, correction):
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, 6, (n, 2)) * 100.0 + 250
    window = box(0, 0, 1000, 1000)
    sites = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=PLANE)
    r = np.array([0.0, 100.0, 200.0])
    k = geo.ripley_k(sites, in_plane(window), distances_m=r, correction=correction)
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    counts = (apart[..., None] <= r).sum(axis=(0, 1))
    if correction in ("none", "isotropic", "border"):
        # nothing here is as near to the outline as 200 m
        area = 1e6 / (n * n) if correction == "border" else 1e6 / (n * (n - 1))
        assert k.estimate == pytest.approx(counts * area)
    else:
        assert (k.estimate >= counts * 1e6 / (n * (n - 1)) - 1e-6).all()


# ------------------------------------------------------------------ invariants


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_row_order_moving_and_units_change_nothing(correction):
    sites, window = scattered(L_SHAPE, 60, 4), in_plane(L_SHAPE)
    r = [50, 100, 150]
    one = geo.ripley_k(sites, window, distances_m=r, correction=correction).estimate
    other = geo.ripley_k(sites[::-1], window, distances_m=r, correction=correction).estimate
    assert other == pytest.approx(one, rel=1e-12)
    moved = geo.ripley_k(
        sites.set_geometry(sites.translate(5000, 700)),
        window.translate(5000, 700),
        distances_m=r,
        correction=correction,
    )
    assert moved.estimate == pytest.approx(one, rel=1e-9)
    feet = "EPSG:2263"
    in_feet = sites.set_geometry(sites.scale(1 / 0.3048006096, 1 / 0.3048006096, origin=(0, 0)))
    scaled = geo.ripley_k(
        in_feet.set_crs(feet, allow_override=True),
        window.scale(1 / 0.3048006096, 1 / 0.3048006096, origin=(0, 0)).set_crs(
            feet, allow_override=True
        ),
        distances_m=r,
        correction=correction,
    )
    assert scaled.estimate == pytest.approx(one, rel=1e-5)


def test_window_in_pieces_is_one_window():
    sites = scattered(L_SHAPE, 40, 5)
    pieces = gpd.GeoSeries([box(0, 0, 400, 1000), box(400, 0, 1000, 400), None], crs=PLANE)
    one = geo.ripley_k(sites, in_plane(L_SHAPE), distances_m=[50, 200])
    assert geo.ripley_k(sites, pieces, distances_m=[50, 200]).estimate == pytest.approx(
        one.estimate
    )


def test_degrees_are_projected_on_the_window():
    window = box(103, 12, 104, 13)
    model = geo.csr(window)
    sites = model.simulate(300, rng=1).to_crs(4326)
    k = geo.ripley_k(sites.to_frame("geometry"), window, distances_m=[10_000], correction="none")
    true = geo.count_within(sites.to_frame("geometry"), distance_m=10_000)["count"].sum()
    area = gpd.GeoSeries([window], crs=4326).segmentize(0.01).to_crs("ESRI:54034").area[0]
    assert k.estimate[0] == pytest.approx(true * area / (300 * 299), rel=5e-3)


@pytest.mark.parametrize("window", [box(0, 0, 1000, 1000), L_SHAPE], ids=["box", "corner"])
def test_k_of_a_thomas_process_is_that_of_the_theory(window):
    kappa, spread = 25e-6, 40.0
    model = geo.thomas(in_plane(window), parents_per_km2=25, offspring=6, spread_m=spread)
    r = np.array([20.0, 60.0, 120.0, 200.0])
    outline = outline_of(window)
    frame = frame_of(outline, "isotropic", r[-1])
    pairs = np.zeros(4)
    for run in range(300):
        xy = model.draw(0, np.random.default_rng(run))
        if len(xy) > 1:
            pairs += pair_sum(xy, None, outline, frame, r, "isotropic", blocks=1)
    # the ratio of means: the mean of ratios would be biased by the random number of points
    lam2 = (kappa * 6) ** 2
    k = pairs / 300 / (lam2 * window.area)
    theory = np.pi * r**2 + (1 - np.exp(-(r**2) / (4 * spread**2))) / kappa
    assert k == pytest.approx(theory, rel=0.03)


def test_hard_core_keeps_its_distance_and_its_intensity():
    window = in_plane(box(0, 0, 2000, 2000))
    model = geo.matern_hardcore(window, per_km2=100, distance_m=60)
    counts = []
    for run in range(60):
        xy = model.draw(0, np.random.default_rng(run))
        counts.append(len(xy))
        apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        assert apart[np.triu_indices(len(xy), 1)].min() > 60
    disc = np.pi * 60**2
    expected = (1 - np.exp(-100e-6 * disc)) / disc * 4e6
    assert np.mean(counts) == pytest.approx(expected, rel=0.04)


# ------------------------------------------------------------------ words and errors


def test_summary_says_what_it_rests_on():
    sites = scattered(RING, 10, 6)
    unlocated = gpd.GeoDataFrame({"uncertainty_m": [1.0]}, geometry=[None], crs=PLANE)
    sites = pd.concat([sites, sites.iloc[:2], unlocated], ignore_index=True)
    known = sites.assign(uncertainty_m=100.0)
    with pytest.warns(geo.CoincidentPointsWarning, match="12 .* stand at 10 coordinates"):
        k = geo.ripley_k(known, in_plane(RING), distances_m=[100, 200, 300])
    words = k.summary()
    assert words.startswith("K of 12 located reports, from 100 m to 300 m, isotropic edge")
    assert "Window: 0.88 km2" in words
    assert "1 report without a location could not be used." in words
    assert "the reports stand at 10 coordinates" in words
    assert "resolve distances from 200 m on" in words
    assert k.resolvable.tolist() == [False, True, True]
    assert k.to_frame()["resolvable"].tolist() == [False, True, True]
    unknown = geo.ripley_k(sites[2:].drop(columns="uncertainty_m"), in_plane(RING))
    assert "some radii are unknown" in unknown.summary()
    assert not unknown.resolvable.any()


def test_what_the_radii_cannot_tell_is_called_not_resolvable():
    sites, window = scattered(RING, 30, 11).assign(uncertainty_m=150.0), in_plane(RING)
    k = geo.ripley_k(sites, window, distances_m=[100, 200, 300, 400])
    assert "2 of 4 distances are less and not resolvable." in k.summary()
    assert "resolvable" not in geo.ripley_k(sites, window, distances_m=[300]).summary()
    index = geo.clark_evans(sites, window)
    assert not index.resolvable
    assert not index.to_frame()["resolvable"].item()
    assert "more than the mean distance, which is not resolvable" in index.summary()
    assert index.summary() in index._repr_html_()
    fine = geo.clark_evans(sites.assign(uncertainty_m=1.0), window)
    assert fine.resolvable
    assert "not resolvable" not in fine.summary()
    cells = geo.quadrat_test(sites, window, nx=5, ny=5)
    assert "more than the width of a cell" in cells.summary()
    assert "more than the width" not in geo.quadrat_test(sites, window, nx=2, ny=2).summary()


def test_words_on_two_kinds_count_both():
    sites, window = scattered(RING, 10, 12), in_plane(RING)
    other = scattered(RING, 7, 13).assign(uncertainty_m=60.0)
    shared = pd.concat([other, sites.iloc[:3].assign(uncertainty_m=60.0)], ignore_index=True)
    for function in (geo.ripley_k, geo.ripley_l, geo.pair_correlation, geo.nearest_neighbor_g):
        with pytest.warns(geo.CoincidentPointsWarning, match="20 .* stand at 17 coordinates"):
            cross = function(sites, window, other=shared, distances_m=[100, 200])
        assert cross.resolvable.tolist() == [False, True]
        assert "10 located reports and 10 others" in cross.summary()
        assert "the reports stand at 17 coordinates" in cross.summary()
        unknown = function(
            sites, window, other=other.drop(columns="uncertainty_m"), distances_m=[100]
        )
        assert "some radii are unknown" in unknown.summary()


def test_default_distances_end_at_a_quarter_of_the_shorter_side():
    k = geo.ripley_k(scattered(box(0, 0, 1000, 800), 10, 7), in_plane(box(0, 0, 1000, 800)))
    assert (k.distances_m[0], k.distances_m[-1], len(k.distances_m)) == (0, 200, 129)


def test_sites_outside_the_window_are_named():
    sites = scattered(box(0, 0, 1000, 1000), 5, 8)
    with pytest.raises(GeometryError, match="sites lie outside the window") as raised:
        geo.ripley_k(sites, in_plane(box(0, 0, 10, 10)))
    assert len(raised.value.problems) == 5


@pytest.mark.parametrize("statistic", ["ripley_k", "nearest_neighbor_g", "quadrat_test"])
def test_windows_that_are_none_are_refused(statistic):
    sites = scattered(L_SHAPE, 5, 9)
    call = getattr(geo, statistic)
    with pytest.raises(GeometryError, match="window is empty"):
        call(sites, gpd.GeoSeries([None], crs=PLANE))
    with pytest.raises(GeometryError, match="no polygons"):
        call(sites, gpd.GeoSeries([L_SHAPE.exterior], crs=PLANE))
    with pytest.raises(CRSError):
        call(sites, gpd.GeoSeries([L_SHAPE]))
    with pytest.raises(CRSError):
        call(sites.set_crs(None, allow_override=True), in_plane(L_SHAPE))


def test_arguments_are_checked():
    sites, window = scattered(L_SHAPE, 5, 10), in_plane(L_SHAPE)
    with pytest.raises(ValueError, match="correction is 'ripley'"):
        geo.ripley_k(sites, window, correction="ripley")
    with pytest.raises(GeometryError, match="window that is a rectangle"):
        geo.ripley_k(sites, window, correction="periodic")
    with pytest.raises(GeometryError, match="for rectangles"):
        geo.clark_evans(sites, window, correction="donnelly")
    with pytest.raises(ValueError, match="do not rise"):
        geo.ripley_k(sites, window, distances_m=[10, 5])
    with pytest.raises(ValueError, match="too few for a pair"):
        geo.ripley_k(sites.iloc[:1], window)
    with pytest.raises(ValueError, match="too few for a nearest"):
        geo.nearest_neighbor_g(sites.iloc[:1], window)
    with pytest.raises(ValueError, match="intensity of shape"):
        geo.ripley_k(sites, window, intensity=[1.0])
    with pytest.raises(ValueError, match="1 of 5 intensities"):
        geo.ripley_k(sites, window, intensity=[1.0, 1.0, 0.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="only one cell"):
        geo.quadrat_test(sites, window, nx=1, ny=1)
    with pytest.raises(SchemaError, match="no column"):
        geo.inhomogeneous_poisson(gpd.GeoDataFrame(geometry=window))


def test_cells_cut_at_the_outline_sum_to_the_points_and_the_area():
    sites, window = scattered(RING, 200, 11), in_plane(RING)
    for options in ({"nx": 4, "ny": 7}, {"hexagon_m": 120}):
        test = geo.quadrat_test(sites, window, **options)
        assert test.cells["count"].sum() == 200
        assert test.cells["expected"].sum() == pytest.approx(200)
    simulated = geo.quadrat_test(sites, window, nx=4, ny=4, n_simulations=999, rng=1)
    assert simulated.pvalue == pytest.approx(
        geo.quadrat_test(sites, window, nx=4, ny=4).pvalue, abs=0.08
    )
