"""Faults that a hostile reader found in the chapter on point patterns, each held where it was."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

import geo
from geo._outlines import outline_of
from geo._patterns import planar_pattern, plane_of
from geo.errors import CoincidentPointsWarning, GeometryError, SchemaError, WindowWarning

PLANE = "EPSG:32648"
SQUARE = box(0, 0, 1000, 1000)
NOTCHED = SQUARE.difference(box(0, 0, 500, 500))


def placed(xy, crs=PLANE):
    places = gpd.points_from_xy(*np.array(xy, float).T)
    return gpd.GeoDataFrame({"uncertainty_m": [0.001] * len(xy)}, geometry=places, crs=crs)


def window_of(shape, crs=PLANE):
    return gpd.GeoSeries([shape], crs=crs)


# ------------------------------------------------------------------ quadrats


def test_a_point_on_the_border_of_a_lost_cell_goes_to_one_that_touches_it():
    sites = placed([[500, 200], [500, 300], [500, 100], [700, 700], [800, 200], [200, 500]])
    found = geo.quadrat_test(sites, window_of(NOTCHED), nx=2, ny=2)
    # three cells: south-east, north-west, north-east
    assert found.cells["count"].tolist() == [4, 1, 1]
    assert found.n == 6


def test_a_point_is_not_counted_in_a_cell_whose_part_does_not_reach_it():
    # of the south-west cell only a corner is in the window, far from the point on its east side
    window = SQUARE.difference(box(0, 0, 500, 400)).difference(box(200, 300, 500, 500))
    found = geo.quadrat_test(placed([[500, 200], [100, 450]]), window_of(window), nx=2, ny=2)
    assert found.cells["count"].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("grid", [{"nx": 3, "ny": 4}, {"hexagon_m": 130.0}])
def test_every_point_is_in_one_cell_also_on_corners_and_in_slivers(grid):
    window = NOTCHED.union(box(1000, 0, 1000.0000001, 600))
    lattice = [(x, y) for x in range(0, 1001, 50) for y in range(0, 1001, 50)]
    inside = [xy for xy in lattice if window.intersects(shapely.Point(xy))]
    found = geo.quadrat_test(placed(inside), window_of(window), **grid)
    assert found.cells["count"].sum() == found.n == len(inside)
    assert found.cells["expected"].sum() == pytest.approx(len(inside))


def test_corners_of_hexagons_are_counted_once():
    # centres and corners of the hexagons themselves, as they are computed
    side, turn = 100.0, np.arange(6) * np.pi / 3
    ring = np.column_stack([300 + side * np.cos(turn), np.sqrt(3) * side * 2 + side * np.sin(turn)])
    found = geo.quadrat_test(placed(ring), window_of(SQUARE), hexagon_m=side)
    assert found.cells["count"].sum() == 6


def test_simulated_quadrats_do_not_depend_on_threads_and_speak_of_reports(monkeypatch):
    sites, window = placed([[100, 900], [600, 600], [700, 700], [800, 200]]), window_of(NOTCHED)
    answers = []
    for threads in ("1", "3"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        asked = {"nx": 2, "ny": 2, "n_simulations": 99, "rng": 7, "progress": False}
        answers.append(geo.quadrat_test(sites, window, **asked).pvalue)
    assert answers[0] == answers[1]
    assert "concentration of reports" in geo.quadrat_test(sites, window, nx=2, ny=2).summary()


# ------------------------------------------------------------------ null models


def cells(weights, shapes, crs=PLANE):
    return gpd.GeoDataFrame({"weight": weights}, geometry=shapes, crs=crs)


def test_a_weight_without_an_area_is_refused_with_its_row():
    areas = cells([1, 9, 5], [box(0, 0, 500, 1000), None, box(500, 0, 1000, 1000)])
    with pytest.raises(GeometryError, match="1 of 3 areas have a weight but no geometry") as error:
        geo.inhomogeneous_poisson(areas)
    assert error.value.problems["row"].tolist() == [1]
    # no weight, no share of the points: the order of what is left must hold
    areas = cells([0, 1, 0], [None, box(0, 0, 500, 1000), box(500, 0, 1000, 1000)])
    drawn = geo.inhomogeneous_poisson(areas).simulate(50, rng=1)
    assert drawn.x.max() <= 500


def test_weights_that_are_no_numbers_are_refused_with_their_rows():
    halves = [box(0, 0, 500, 1000), box(500, 0, 1000, 1000)]
    for wrong in ("ប្រាំ", -1, None):
        with pytest.raises(SchemaError, match="numbers from 0 on") as error:
            geo.inhomogeneous_poisson(cells([1, wrong], halves))
        assert error.value.problems["row"].tolist() == [1]


def test_areas_that_overlap_are_refused_and_those_that_touch_are_not():
    overlapping = [box(0, 0, 500, 1000), box(400, 0, 1000, 1000), box(1000, 0, 1200, 1000)]
    with pytest.raises(GeometryError, match="2 of 3 areas overlap") as error:
        geo.inhomogeneous_poisson(cells([1, 1, 1], overlapping))
    assert error.value.problems["row"].tolist() == [0, 1]
    provinces = geo.load_reference("provinces").assign(weight=1.0)
    assert geo.inhomogeneous_poisson(provinces).name == "Poisson by weight"


def test_a_surface_is_no_frame_and_its_cells_serve_in_the_plane_of_the_window():
    sites, window = placed([[200, 300], [250, 350], [800, 700]]), window_of(NOTCHED.union(SQUARE))
    surface = geo.kernel_density(sites, window, bandwidth_m=200, cell_size_m=100)
    with pytest.raises(TypeError, match=r"surface\.to_frame\(\)"):
        geo.inhomogeneous_poisson(surface)
    areas = surface.to_frame().to_crs(surface.crs)
    model = geo.inhomogeneous_poisson(areas, weight="expected")
    asked = {"distances_m": [100, 200], "n_simulations": 19, "rng": 1, "progress": False}
    assert 0 < geo.envelope_test(sites, window, null=model, **asked).pvalue <= 1


@pytest.mark.parametrize(
    "make",
    [
        lambda window: geo.thomas(window, parents_per_km2=-1, offspring=2, spread_m=5),
        lambda window: geo.thomas(window, parents_per_km2=1, offspring=0, spread_m=5),
        lambda window: geo.matern_hardcore(window, per_km2=0, distance_m=5),
    ],
)
def test_an_intensity_is_not_called_a_length(make):
    with pytest.raises(ValueError, match="must be a number more than 0") as error:
        make(window_of(SQUARE))
    assert "length" not in str(error.value)


# ------------------------------------------------------------------ windows


@pytest.mark.parametrize(
    "shape",
    [
        shapely.union_all([box(0, 0, 400, 1000), box(400, 0, 1000, 1000)]),
        Polygon([(0, 0), (300, 0), (700, 0), (1000, 0), (1000, 1000), (500, 1000), (0, 1000)]),
        # the ring begins in the middle of a side
        Polygon([(500, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]),
    ],
)
def test_vertices_within_a_straight_side_are_no_corners(shape):
    outline = outline_of(shape)
    assert outline.rectangular
    assert len(outline.edges) == 4
    assert {tuple(edge[:2]) for edge in outline.edges} == {
        (0, 0),
        (1000, 0),
        (1000, 1000),
        (0, 1000),
    }
    plain = outline_of(SQUARE)
    assert outline.area_m2 == plain.area_m2
    assert np.allclose(sorted(outline.edges.tolist()), sorted(plain.edges.tolist()), rtol=0, atol=0)


def test_corners_of_all_rings_stay_and_repeated_ones_count_once():
    hole = [(300, 300), (300, 600), (600, 600), (600, 300), (450, 300)]
    shell = [(0, 0), (0, 0), (500, 1e-7), (1000, 0), (1000, 1000), (1000, 1000), (0, 1000)]
    edges = outline_of(Polygon(shell, [hole])).edges
    # a bend of a tenth of a micrometre is a bend
    assert len(edges) == 5 + 4
    assert np.hypot(*(edges[:, 2:] - edges[:, :2]).T).min() > 0


def test_a_rectangle_of_two_boxes_may_be_shifted():
    halves = gpd.GeoSeries([box(0, 0, 400, 1000), box(400, 0, 1000, 1000)], crs=PLANE)
    assert geo.random_shift(placed([[1, 2], [3, 4]]), halves).wraps


def test_the_whole_world_is_refused_in_words():
    with pytest.raises(GeometryError, match="around the globe"):
        geo.csr(box(-180, -90, 180, 90))
    with pytest.raises(GeometryError, match="around the globe"):
        planar_pattern(placed([[0, 0]], 4326), box(-180, -90, 180, 90))


def test_summaries_say_what_the_window_was_made_of():
    sites = placed([[100, 100], [900, 200], [500, 800], [300, 400]])
    with pytest.warns(WindowWarning):
        guessed = geo.study_window(sites, buffer_m=50)
    given = geo.study_window(gpd.GeoSeries([SQUARE], crs=PLANE), buffer_m=10)
    asked = {"distances_m": [10, 50]}
    words = geo.ripley_k(sites, guessed, **asked).summary()
    assert "(the convex hull of 4 sites, widened by 50 m), is guessed from sites" in words
    assert "where a report was possible" not in words
    for result in (
        geo.quadrat_test(sites, guessed, nx=2, ny=2),
        geo.kernel_density(sites, guessed, bandwidth_m=200),
        geo.clark_evans(sites, guessed, n_simulations=0, correction="none"),
    ):
        assert "is guessed from sites" in result.summary()
    words = geo.ripley_k(sites, given, **asked).summary()
    assert "(a given area, widened by 10 m), where a report was possible." in words
    plain = geo.ripley_k(sites, window_of(SQUARE), **asked)
    assert "Window: 1 km2, where a report was possible." in plain.summary()


def test_summaries_say_how_wrong_lengths_in_the_plane_are():
    lon, lat = [25.1, 25.2, 25.3, 25.35], [69.1, 69.2, 69.1, 69.3]
    degrees = placed(np.column_stack([lon, lat]), 4326)
    mercator = window_of(box(25, 69, 25.5, 69.5), 4326).to_crs(3857)
    for result in (
        geo.ripley_k(degrees, mercator, distances_m=[1000, 2000]),
        geo.kernel_density(degrees, mercator, bandwidth_m=20_000),
        geo.clark_evans(degrees, mercator, n_simulations=0, correction="none"),
    ):
        # the scale of the projection is 1 / cos(latitude): 2.8 at 69.5 degrees
        assert "lengths in the plane are wrong by up to 18" in result.summary()
    fair = geo.ripley_k(degrees, box(25, 69, 25.5, 69.5), distances_m=[1000, 2000])
    assert "lengths in the plane" not in fair.summary()


# ------------------------------------------------------------------ the antimeridian


ACROSS = shapely.MultiPolygon([box(179, -17, 180, -16), box(-180, -17, -179, -16)])


def assert_cut(frame, area_km2):
    bounds = shapely.bounds(shapely.get_parts(frame.geometry.to_numpy()))
    assert (bounds[:, 2] - bounds[:, 0]).max() < 2
    assert frame.is_valid.all()
    assert np.abs(frame.total_bounds[[0, 2]]).max() <= 180
    parts = shapely.get_parts(frame.geometry.to_numpy())
    measured = sum(abs(geo.geodesy.WGS84.geometry_area_perimeter(part)[0]) for part in parts) / 1e6
    assert measured == pytest.approx(area_km2, rel=1e-3)


def test_cells_and_bands_are_cut_at_the_antimeridian():
    sites = placed([[179.5, -16.5], [-179.5, -16.4], [179.99, -16.2], [-179.2, -16.9]], 4326)
    quadrats = geo.quadrat_test(sites, ACROSS, nx=3, ny=2)
    assert len(quadrats.cells) == 6
    assert_cut(quadrats.cells, quadrats.facts["area_km2"])
    hexagons = geo.quadrat_test(sites, ACROSS, hexagon_m=30_000)
    assert_cut(hexagons.cells, hexagons.facts["area_km2"])
    surface = geo.kernel_density(sites, ACROSS, bandwidth_m=30_000, cell_size_m=15_000)
    assert_cut(surface.to_frame(), surface.facts["area_km2"])
    assert_cut(surface.contours(4), surface.facts["area_km2"])


def test_holes_stay_in_their_part_and_a_pole_is_held():
    from geo._contours import in_degrees

    ring = shapely.Point(0, 0).buffer(100_000).difference(shapely.Point(20_000, 0).buffer(5000))
    plane = "+proj=laea +lat_0=10 +lon_0=180 +datum=WGS84"
    cut = in_degrees(gpd.GeoDataFrame(geometry=[ring], crs=plane))
    assert_cut(cut, ring.area / 1e6)
    assert not cut.intersects(shapely.Point(-179.818, 10)).any()
    for lat in (90, -90):
        polar = gpd.GeoDataFrame(
            geometry=[shapely.Point(0, 0).buffer(50_000)],
            crs=f"+proj=laea +lat_0={lat} +lon_0=0 +datum=WGS84",
        )
        (cap,) = in_degrees(polar).geometry
        assert cap.is_valid
        assert cap.covers(shapely.Point(77, lat * 0.999))
        assert not cap.intersects(shapely.Point(77, lat * 0.99))


# ------------------------------------------------------------------ small faults


def test_hanisch_leaves_out_lengths_that_erode_the_whole_window():
    strip = window_of(box(0, 0, 1000, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked = {"correction": "hanisch", "distances_m": [0.1, 0.25, 0.6]}
        # all that is seen is at the inradius, or the edge cuts everything short
        for xy in ([[1, 0.5], [1.5, 0.5], [999, 0.5]], [[1, 0.5], [999, 0.5]]):
            none = geo.nearest_neighbor_g(placed(xy), strip, **asked)
            assert np.isnan(none.estimate).all()
            assert "could not be estimated at any" in none.summary()
        some = placed([[1, 0.5], [1.5, 0.5], [500, 0.5], [500.25, 0.5]])
        found = geo.nearest_neighbor_g(some, strip, **asked)
    assert found.estimate.tolist() == [0, 1, 1]
    assert "could not be estimated at any" not in found.summary()


def test_pointwise_ranges_have_a_level_between_0_and_1():
    sites = placed([[200, 300], [250, 350], [800, 700]])
    asked = {"distances_m": [100, 200], "n_simulations": 19, "rng": 1, "progress": False}
    found = geo.envelope_test(sites, window_of(SQUARE), **asked)
    for wrong in (2, 0, -0.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            found.pointwise(level=wrong)


def test_an_axis_of_180_degrees_bears_0():
    east = np.array([-1e-3, -1e-3, 1e-3, 1e-3]) * 0.9
    north = np.array([1.0, 1.001, -1.0, -1.001])
    found = geo.standard_deviational_ellipse(
        placed(np.column_stack([105 + east, 11 + north]), 4326)
    )
    assert 179.5 < found.bearing_deg < 180
    assert "bearing 0 degrees" in repr(found)
    assert "bears 0 degrees" in found.summary()


def test_one_site_is_one_site():
    for measure in (geo.nearest_neighbor_g, geo.j_function):
        with pytest.raises(ValueError, match=r"^1 site with a location: too few"):
            measure(placed([[5, 5]]), window_of(SQUARE))


def test_a_narrow_hole_stays_whether_or_not_there_is_another_part():
    holed = box(0, 0, 100, 100).difference(box(50, 50, 50.5, 50.5))
    alone, _ = plane_of(window_of(holed))
    assert alone.area == pytest.approx(10_000 - 0.25, abs=1e-6)
    # the gap of 0.4 m between both is closed, the hole that one was given is not
    pair = gpd.GeoSeries([holed, box(100.4, 0, 200, 100)], crs=PLANE)
    both, _ = plane_of(pair)
    assert both.geom_type == "Polygon"
    assert both.area == pytest.approx(20_000 - 0.25, abs=1e-6)
    # unless another area fills it
    filled, _ = plane_of(gpd.GeoSeries([*pair, box(50, 50, 50.5, 50.5)], crs=PLANE))
    assert filled.area == pytest.approx(20_000, abs=1e-6)


def test_many_reports_at_one_coordinate_are_warned_of_where_the_caller_stands():
    one_pair = placed([[10 * k, 7 * k] for k in range(1, 21)] + [[10, 7]])
    many = placed([[100, 100], [100, 100], [500, 500], [900, 200]])
    window, asked = window_of(SQUARE), {"distances_m": [10, 50]}
    tested = {"n_simulations": 9, "rng": 1, "progress": False}
    calls = [
        lambda sites: geo.ripley_k(sites, window, **asked),
        lambda sites: geo.ripley_l(sites, window, **asked),
        lambda sites: geo.pair_correlation(sites, window, **asked),
        lambda sites: geo.j_function(sites, window, **asked),
        lambda sites: geo.envelope_test(sites, window, **asked, **tested),
        lambda sites: geo.quadrat_test(sites, window, nx=2, ny=2),
        lambda sites: geo.clark_evans(sites, window, n_simulations=0, correction="none"),
    ]
    for call in calls:
        call(one_pair)
        with pytest.warns(CoincidentPointsWarning, match="4 .* stand at 3 coordinates") as said:
            call(many)
        assert {warning.filename for warning in said} == {__file__}
    # a density says with its bandwidth what it resolves
    geo.kernel_density(many, window, bandwidth_m=100)
