from __future__ import annotations

import warnings
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Polygon, box

import geo
from geo._joining import joined
from geo._patterns import plane_of
from geo.errors import CRSError, GeometryError, WindowWarning

PLANE = "EPSG:32648"
WIDE = (500_000.0, 1_300_000.0)  # where that projection is at home


def series(*shapes, crs=4326) -> gpd.GeoSeries:
    return gpd.GeoSeries(list(shapes), crs=crs)


def rings(area) -> int:
    return len(shapely.get_rings(shapely.get_parts(area)))


def points(*places, crs=4326) -> gpd.GeoDataFrame:
    geometry = gpd.points_from_xy(*np.transpose(places))
    return gpd.GeoDataFrame({"name": "កំពត"}, geometry=geometry, crs=crs, index=range(len(places)))


# ------------------------------------------------------------------ areas


def test_a_polygon_stays_as_it_is():
    hole = box(103, 11, 105, 13).difference(box(103.5, 11.5, 104, 12))
    for given_as in (hole, series(hole), series(hole, None), series(hole).to_frame("geometry")):
        window = geo.study_window(given_as)
        assert list(window.columns) == ["basis", "geometry"]
        assert window["basis"].tolist() == ["a given area"]
        assert shapely.equals_exact(window.geometry[0], hole)
        assert window.crs == "EPSG:4326"


def test_provinces_are_one_country_without_inner_edges():
    provinces = geo.load_reference("provinces")
    window = geo.study_window(provinces)
    assert window["basis"].item() == "the union of 25 areas"
    assert window.attrs["attribution"] == provinces.attrs["attribution"]
    # the mainland and islands, none of them with a hole: inner edges would be rings
    parts = shapely.get_parts(window.geometry.item())
    assert rings(window.geometry.item()) == len(parts)
    area = plane_of(window)[0].area / 1e6
    assert area == pytest.approx(181_035, rel=0.02)  # the official area, with the lake
    one_by_one = provinces.to_crs("ESRI:54034").area.sum() / 1e6
    assert area == pytest.approx(one_by_one, rel=1e-4)


@pytest.mark.parametrize("gap_m", [1e-9, 1e-4, 0.3, 0.9])
def test_openings_of_less_than_a_metre_are_closed(gap_m):
    x, y = WIDE
    apart = [box(x, y, x + 1000, y + 900), box(x + 1000 + gap_m, y, x + 2000, y + 900)]
    for crs, unit in ((PLANE, 1.0), ("EPSG:2263", 0.3048006096)):
        scaled = [shapely.affinity.scale(part, 1 / unit, 1 / unit, origin=(0, 0)) for part in apart]
        window = geo.study_window(series(*scaled, crs=crs)).geometry.item()
        assert window.geom_type == "Polygon"
        assert window.area * unit**2 == pytest.approx(2000 * 900, rel=1e-6)
        assert window.length * unit == pytest.approx(5800, rel=1e-5)


def test_openings_of_more_than_a_metre_are_kept():
    x, y = WIDE
    apart = series(box(x, y, x + 100, y + 90), box(x + 101.5, y, x + 200, y + 90), crs=PLANE)
    window = geo.study_window(apart).geometry.item()
    assert window.geom_type == "MultiPolygon"
    assert window.area == pytest.approx(apart.area.sum(), rel=1e-12)


def test_a_sliver_between_three_areas_in_degrees_is_closed():
    # a thin wedge, half a metre wide, open at the south
    wedge = 0.5 / 109_000
    pieces = series(
        box(104, 11, 104.5, 11.5),
        Polygon([(104.5 + wedge, 11), (105, 11), (105, 11.5), (104.5, 11.5)]),
        box(104, 11.5, 105, 12),
    )
    window = geo.study_window(pieces).geometry.item()
    assert rings(window) == 1
    assert window.length == pytest.approx(4, abs=1e-4)
    # today's functions take the pieces themselves, and must see the same window
    assert plane_of(pieces)[0].length == pytest.approx(plane_of(window)[0].length, rel=1e-4)


@given(st.integers(2, 5), st.integers(2, 5), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_a_country_cut_into_cells_is_itself_again(nx, ny, random):
    x = sorted({0.0, 1000.0, *(random.uniform(5, 995) for _ in range(nx))})
    y = sorted({0.0, 800.0, *(random.uniform(5, 795) for _ in range(ny))})
    cells = [box(w, s, e, n) for w, e in pairwise(x) for s, n in pairwise(y)]
    random.shuffle(cells)
    # moved by less than a tenth of a millimetre, as by a projection
    cells = [shapely.affinity.translate(c, random.uniform(-1e-5, 1e-5)) for c in cells]
    area = joined(np.array(cells, dtype=object), 1.0)
    assert (area.geom_type, rings(area)) == ("Polygon", 1)
    assert area.area == pytest.approx(800_000, rel=1e-6)
    assert shapely.hausdorff_distance(area, box(0, 0, 1000, 800)) < 0.01


def test_corners_and_holes_survive_closing():
    x, y = WIDE
    star = Polygon([(0, 0), (400, 30), (800, 0), (770, 400), (800, 800), (0, 800)])
    star = shapely.affinity.translate(star.difference(box(100, 500, 130, 530)), x, y)
    beside = box(x - 300.5, y, x - 0.5, y + 800)
    window = geo.study_window(series(star, beside, crs=PLANE)).geometry.item()
    assert rings(window) == 2
    for corner in shapely.points(shapely.get_coordinates(star)[2:5]):
        assert window.exterior.distance(corner) < 0.01
    assert window.covers(star.buffer(-0.02))


def test_areas_are_widened_by_metres_on_the_ground():
    area = series(box(103, 12, 104, 13))
    window = geo.study_window(area, buffer_m=2000)
    assert window["basis"].item() == "a given area, widened by 2 km"
    rim = gpd.GeoSeries(shapely.points(shapely.get_coordinates(window.geometry.item())), crs=4326)
    # a parallel is no geodesic: short sides keep one near to the other
    far = geo.distance_to(rim.to_frame("geometry"), area.segmentize(0.01))["distance_m"]
    assert far.between(1979, 2021).all()
    provinces = geo.load_reference("provinces")
    wider = geo.study_window(provinces, buffer_m=1000)
    assert shapely.covers(wider.geometry.item(), geo.study_window(provinces).geometry.item())
    x, y = WIDE
    planar = geo.study_window(series(box(x, y, x + 900, y + 900), crs=PLANE), buffer_m=100)
    assert planar.crs == PLANE
    assert planar.total_bounds == pytest.approx([x - 100, y - 100, x + 1000, y + 1000], abs=1)


def test_sites_just_outside_a_window_are_told_what_to_do():
    sites = points((103.5, 12.5), (104.005, 12.5))
    with pytest.raises(GeometryError, match=r"study_window\(window, buffer_m=") as raised:
        geo.ripley_k(sites, box(103, 12, 104, 13))
    assert raised.value.problems["row"].tolist() == [1]
    wider = geo.study_window(box(103, 12, 104, 13), buffer_m=2000)
    assert geo.ripley_k(sites, wider, distances_m=[100_000]).n == 2


def test_windows_may_lie_on_the_antimeridian():
    halves = series(box(178, -18, 180, -16), box(-180, -18, -179, -16))
    for window in (geo.study_window(halves), geo.study_window(halves, buffer_m=1000)):
        area, _ = plane_of(window)
        assert (area.geom_type, rings(area)) == ("Polygon", 1)
    whole = plane_of(box(0, -18, 3, -16))[0]
    assert plane_of(halves)[0].area == pytest.approx(whole.area, rel=1e-6)
    with pytest.warns(WindowWarning):
        around = geo.study_window(points((179.5, -17), (-179.5, -17.2)), buffer_m=5000)
    assert around.geometry.item().geom_type == "MultiPolygon"
    assert plane_of(around)[0].geom_type == "Polygon"


# ------------------------------------------------------------------ sites


def test_a_hull_of_sites_is_a_guess_that_is_announced():
    sites = points((103, 11), (104, 11), (103.5, 12), (103.5, 11.3))
    with pytest.warns(WindowWarning, match="guessed from the sites: the convex hull of 4 sites"):
        window = geo.study_window(sites, buffer_m=5000)
    assert window["basis"].item() == "the convex hull of 4 sites, widened by 5 km"
    rim = gpd.GeoSeries(shapely.points(shapely.get_coordinates(window.geometry.item())), crs=4326)
    hull = series(sites.geometry.union_all().convex_hull)
    far = geo.distance_to(rim.to_frame("geometry"), hull)["distance_m"]
    # the hull of the plane and that of degrees are some metres apart over a hundred kilometres
    assert far.between(4900, 5200).all()
    corners = gpd.GeoSeries(sites.geometry.iloc[:3], crs=4326)
    nearest = geo.distance_to(corners.to_frame("geometry"), window.boundary)["distance_m"]
    assert nearest.to_numpy() == pytest.approx(5000, rel=2e-3)


def test_one_site_rows_without_a_place_and_a_plane():
    x, y = WIDE
    sites = gpd.GeoDataFrame(geometry=[shapely.Point(x, y), None], crs=PLANE)
    with pytest.warns(WindowWarning, match="hull of 1 site, widened by 100 m"):
        window = geo.study_window(sites, buffer_m=100)
    assert window.crs == PLANE
    assert window.area.item() == pytest.approx(np.pi * 100**2, rel=0.01)
    with pytest.warns(WindowWarning):
        ground = geo.study_window(sites.to_crs(4326), buffer_m=100)
    assert ground.to_crs(PLANE).area.item() == pytest.approx(np.pi * 100**2, rel=0.01)
    with pytest.warns(WindowWarning):
        assert geo.study_window(shapely.Point(103, 11), buffer_m=100).crs == "EPSG:4326"


def test_row_order_changes_nothing_and_inputs_stay():
    provinces = geo.load_reference("provinces")
    before = provinces.copy()
    one, other = geo.study_window(provinces), geo.study_window(provinces[::-1])
    assert shapely.equals(one.geometry.item(), other.geometry.item())
    assert provinces.equals(before)
    sites = points((103, 11), (104, 11), (103.5, 12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WindowWarning)
        hulls = [geo.study_window(s, buffer_m=10).geometry.item() for s in (sites, sites[::-1])]
    assert shapely.equals_exact(*hulls, tolerance=1e-12)


# ------------------------------------------------------------------ what is refused


def test_what_is_no_window_is_refused():
    bow = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(GeometryError, match="polygons are invalid") as raised:
        geo.study_window(series(box(5, 5, 6, 6), bow))
    assert raised.value.problems["row"].tolist() == [1]
    line = shapely.LineString([(0, 0), (1, 1)])
    for wrong in (series(line), series(box(0, 0, 1, 1), shapely.Point(0, 0))):
        with pytest.raises(GeometryError, match="are no polygons") as raised:
            geo.study_window(wrong)
        assert len(raised.value.problems) == 1
    for empty in (series(), series(None), series(Polygon()), series(MultiPolygon())):
        with pytest.raises(GeometryError, match="window is empty"):
            geo.study_window(empty)
        with pytest.raises(GeometryError, match="window is empty"):
            geo.study_window(empty, buffer_m=10)
    with pytest.raises(CRSError):
        geo.study_window(series(box(0, 0, 1, 1), crs=None))
    with pytest.raises(TypeError):
        geo.study_window([box(0, 0, 1, 1)])


def test_buffers_are_lengths_and_sites_need_one():
    with pytest.raises(ValueError, match="Give the area that was searched"):
        geo.study_window(points((103, 11)))
    for wrong in (0, -5, np.nan, np.inf, "10", True):
        with pytest.raises(ValueError, match="buffer_m is"):
            geo.study_window(box(0, 0, 1, 1), buffer_m=wrong)


def test_a_window_that_holds_a_pole_is_refused():
    sites = points((0, 89), (120, 89), (-120, 89))
    with pytest.warns(WindowWarning), pytest.raises(GeometryError, match="holds a pole"):
        geo.study_window(sites, buffer_m=1000)
