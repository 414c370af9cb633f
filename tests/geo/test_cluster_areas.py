"""Areas of clusters: every true place inside, whatever the shape and wherever on the globe."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import Point

from geo.clustering import cluster_areas, dbscan, hdbscan, optics
from geo.errors import GeometryError, SchemaError

GEOD = Geod(ellps="WGS84")
SHAPES = ["convex_hull", "concave_hull", "discs"]
every_shape = pytest.mark.parametrize("shape", SHAPES)

# the clusters that the tests make on purpose out of coarse or shared places
pytestmark = pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")


def frame_of(lonlat, radius=250.0, **columns) -> gpd.GeoDataFrame:
    geometry = [None if place is None else Point(place) for place in lonlat]
    columns["uncertainty_m"] = np.broadcast_to(np.asarray(radius, dtype=float), len(geometry))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def one_area(lonlat, radius, shape, **options):
    """Return the area of a cluster of all these places."""
    clustering = dbscan(frame_of(lonlat, radius), eps_m=2.1e7, min_samples=1)
    areas = cluster_areas(clustering, shape=shape, **options)
    assert len(areas) == 1
    assert areas.geometry.is_valid.all()
    assert areas.crs == "EPSG:4326"
    return areas.geometry.iloc[0]


def square_metres(area) -> float:
    return abs(GEOD.geometry_area_perimeter(shapely.normalize(area).segmentize(0.01))[0])


def parts_of_plane(area) -> float:
    return sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in shapely.get_parts(area))


def circles(lonlat, radius, share, bearings=720) -> np.ndarray:
    """Places around each of some places, at a share of its radius."""
    lon, lat = np.repeat(np.asarray(lonlat, dtype=float), bearings, axis=0).T
    metres = np.repeat(np.broadcast_to(radius, len(lonlat)).astype(float), bearings) * share
    azimuth = np.tile(np.linspace(0, 360, bearings, endpoint=False), len(lonlat))
    return np.column_stack(GEOD.fwd(lon, lat, azimuth, metres)[:2])


def assert_inside(area, places):
    lon, lat = places.T
    outside = ~shapely.intersects_xy(area, lon, lat)
    assert not outside.any(), f"{outside.sum()} of {len(places)} outside, {places[outside][0]}"


def boomerang(n=24) -> np.ndarray:
    """Two arms of places, with nothing between them."""
    arm = np.linspace(0, 0.4, n // 2)
    return np.vstack(
        [np.column_stack([104 + arm, 12 + arm]), np.column_stack([104 - arm, 12 + arm])]
    )


# ------------------------------------------------------------------ every true place is inside


@every_shape
@pytest.mark.parametrize("radius", [30.0, 5000.0, 48_000.0])
def test_the_whole_disc_of_a_place_is_inside_to_its_edge(shape, radius):
    for lat in (0.0, 12.0, -45.0, 65.0):
        area = one_area([(104, lat)], radius, shape)
        # bearings of half a degree meet the middle of each side, where it comes nearest
        for share in (0, 0.5, 0.99, 1 - 1e-9):
            assert_inside(area, circles([(104, lat)], radius, share))
        # and little more than the disc
        assert square_metres(area) < np.pi * radius**2 * 1.004


@every_shape
@pytest.mark.parametrize("seed", range(8))
def test_true_places_of_any_cluster_are_inside(shape, seed):
    rng = np.random.default_rng(seed)
    lat = rng.choice([0, 12, 50, -33])
    spread = rng.choice([0.01, 0.3, 2.0])
    lonlat = (rng.uniform(-180, 180), lat) + spread * rng.standard_normal((12, 2))
    lonlat[:, 0] = (lonlat[:, 0] + 180) % 360 - 180
    radius = rng.choice([30.0, 250.0, 5000.0, 17_000.0], 12)
    area = one_area(lonlat, radius, shape)
    for share in (0, 1 - 1e-9, *rng.random(3)):
        assert_inside(area, circles(lonlat, radius, share, bearings=144))


@every_shape
@pytest.mark.parametrize("radius", [2e5, 1e6, 3e6])
def test_discs_of_hundreds_of_kilometres_are_inside_too(shape, radius):
    area = one_area([(20, 10)], radius, shape)
    assert_inside(area, circles([(20, 10)], radius, 1 - 1e-9))


@every_shape
def test_a_radius_of_nothing_is_a_place(shape):
    # several at one place, in a line, and as a triangle; nothing says that a radius is more than 0
    for lonlat in (
        [(104, 12)] * 3,
        [(104, 12), (104.001, 12)],
        [(104, 12), (104.001, 12), (104, 12.001)],
    ):
        area = one_area(lonlat, 0.0, shape)
        assert not area.is_empty
        assert shapely.distance(area, shapely.points(lonlat)).max() < 1e-7
        wider = one_area(lonlat, 0.0, shape, buffer_m=100.0)
        assert_inside(wider, circles(lonlat, 100.0, 0.999))


# ------------------------------------------------------------------ shapes


def test_shapes_hold_each_other_and_differ():
    lonlat = boomerang()
    convex, concave, discs = (one_area(lonlat, 900.0, shape) for shape in SHAPES)
    assert square_metres(concave) < 0.8 * square_metres(convex)
    assert square_metres(discs) < square_metres(concave)
    # to within what a side bends between two vertices
    assert square_metres(shapely.difference(concave, convex)) < 1e-6 * square_metres(convex)
    assert square_metres(shapely.difference(discs, concave)) < 1e-6 * square_metres(convex)
    middle = Point(104, 12.3)
    assert convex.contains(middle)
    assert not discs.intersects(middle)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_concave_hull_is_never_larger_than_the_convex_one(seed):
    rng = np.random.default_rng(seed)
    lonlat = (104, 12) + rng.choice([0.01, 0.2]) * rng.standard_normal(
        (int(rng.integers(1, 20)), 2)
    )
    radius = rng.choice([30.0, 900.0, 9000.0], len(lonlat))
    convex, concave, discs = (square_metres(one_area(lonlat, radius, shape)) for shape in SHAPES)
    assert discs <= concave * (1 + 1e-6)
    assert concave <= convex * (1 + 1e-6)
    assert discs <= np.pi * (radius**2).sum() * 1.004


def test_convex_hull_of_two_discs_is_a_stadium():
    lonlat, radius = [(104.0, 0.0), (104.1, 0.0)], 2000.0
    length = GEOD.inv(*lonlat[0], *lonlat[1])[2]
    area = one_area(lonlat, radius, "convex_hull")
    assert square_metres(area) == pytest.approx(np.pi * radius**2 + 2 * radius * length, rel=2e-3)


def test_discs_that_lie_apart_are_several_polygons_and_those_that_meet_are_one():
    apart = one_area([(104, 12), (104.1, 12)], 1000.0, "discs")
    assert apart.geom_type == "MultiPolygon"
    assert len(apart.geoms) == 2
    assert parts_of_plane(apart) == pytest.approx(2 * np.pi * 1000**2, rel=4e-3)
    for shape in ("convex_hull", "concave_hull"):
        assert one_area([(104, 12), (104.1, 12)], 1000.0, shape).geom_type == "Polygon"
    meeting = one_area([(104, 12), (104.1, 12)], 5500.0, "discs")
    assert meeting.geom_type == "Polygon"


def test_discs_in_a_ring_leave_a_hole():
    turns = np.arange(0, 360, 20.0)
    lon, lat, _ = GEOD.fwd(np.full(18, 104), np.full(18, 12), turns, np.full(18, 10_000))
    ring = np.column_stack([lon, lat])
    area = one_area(ring, 2000.0, "discs")
    assert area.geom_type == "Polygon"
    assert len(area.interiors) == 1
    assert not area.intersects(Point(104, 12))
    inner = GEOD.fwd(np.full(18, 104), np.full(18, 12), turns, np.full(18, 8100))
    assert shapely.intersects_xy(area, *inner[:2]).all()
    assert one_area(ring, 2000.0, "convex_hull").contains(Point(104, 12))
    # and when the hole closes, there is none
    assert not one_area(ring, 10_100.0, "discs").interiors


def test_a_hole_may_lie_across_the_antimeridian():
    turns = np.arange(0, 360, 20.0)
    lon, lat, _ = GEOD.fwd(np.full(18, 179.98), np.full(18, -17), turns, np.full(18, 10_000))
    ring = np.column_stack([lon, lat])
    area = one_area(ring, 2000.0, "discs")
    assert_inside(area, circles(ring, 2000.0, 0.999))
    for inner in (179.96, 179.999, -179.98, -179.999):
        assert not area.intersects(Point(inner, -17))
    moved = one_area(ring - [75.98, 0], 2000.0, "discs")
    assert parts_of_plane(area) == pytest.approx(parts_of_plane(moved), rel=1e-6)


@every_shape
def test_areas_across_the_antimeridian_are_those_of_elsewhere_cut_in_two(shape):
    lonlat = boomerang() - [104, 29]
    there = np.column_stack([(lonlat[:, 0] + 180.1 + 180) % 360 - 180, lonlat[:, 1]])
    area, plain = one_area(there, 4000.0, shape), one_area(lonlat, 4000.0, shape)
    assert area.geom_type == "MultiPolygon"
    west, _, east, _ = area.bounds
    assert (west, east) == (-180, 180)
    assert all(part.bounds[2] - part.bounds[0] < 1 for part in area.geoms)
    assert_inside(area, circles(there, 4000.0, 0.999))
    assert parts_of_plane(area) == pytest.approx(parts_of_plane(plain), rel=1e-6)
    # the two sides meet along the antimeridian
    turned = shapely.transform(area, lambda xy: np.column_stack([xy[:, 0] % 360, xy[:, 1]]))
    assert shapely.union_all(shapely.get_parts(turned)).geom_type == plain.geom_type


@every_shape
def test_shapes_are_the_same_at_every_longitude(shape):
    lonlat, turn = boomerang(), np.array([200, 0])
    one, other = (one_area(places, 900.0, shape) for places in (lonlat, lonlat - turn))
    moved = shapely.transform(other, lambda xy: xy + turn)
    assert shapely.hausdorff_distance(moved, one) < 1e-5


@every_shape
def test_shared_places_and_row_order_change_no_area(shape):
    lonlat, radius = boomerang(), np.resize([250.0, 900.0], 24)
    plain = one_area(lonlat, radius, shape)
    order = np.random.default_rng(1).permutation(48) % 24
    again = one_area(lonlat[order], radius[order], shape)
    assert again.equals(plain)


# ------------------------------------------------------------------ buffer


@every_shape
@pytest.mark.parametrize("buffer_m", [10.0, 1000.0, np.float32(5000)])
def test_buffer_widens_every_disc_by_that_distance(shape, buffer_m):
    lonlat, radius = boomerang(), np.resize([250.0, 900.0], 24)
    wider = one_area(lonlat, radius, shape, buffer_m=buffer_m)
    assert_inside(wider, circles(lonlat, radius + buffer_m, 1 - 1e-6, bearings=72))
    assert wider.equals(one_area(lonlat, radius + buffer_m, shape))
    plain = one_area(lonlat, radius, shape)
    assert square_metres(wider) > square_metres(plain)
    if shape == "convex_hull":
        # the outline of a convex area moves by just that distance: Steiner's formula
        ring = shapely.get_exterior_ring(plain)
        around = abs(GEOD.geometry_length(ring))
        grown = square_metres(wider) - square_metres(plain)
        assert grown == pytest.approx(around * buffer_m + np.pi * buffer_m**2, rel=5e-3)


@every_shape
def test_no_buffer_is_the_default(shape):
    lonlat = boomerang()
    assert one_area(lonlat, 900.0, shape).equals(one_area(lonlat, 900.0, shape, buffer_m=0))


@pytest.mark.parametrize("wrong", [-1, -1e-9, np.nan, "5", "5 km", True, None, [5]])
def test_buffer_must_be_a_length(wrong):
    clustering = dbscan(frame_of([(104, 12)] * 3), eps_m=10, min_samples=3)
    with pytest.raises(ValueError, match="buffer_m is"):
        cluster_areas(clustering, buffer_m=wrong)


@pytest.mark.parametrize("endless", [np.inf, 1e8])
def test_buffer_that_reaches_a_pole_from_anywhere_is_refused(endless):
    clustering = dbscan(frame_of([(104, 12)] * 3), eps_m=10, min_samples=3)
    with pytest.raises(GeometryError, match="pole"):
        cluster_areas(clustering, buffer_m=endless)


@pytest.mark.parametrize("wrong", ["hull", "Discs", "", None, 3, ["discs"], True])
def test_shapes_must_be_known(wrong):
    clustering = dbscan(frame_of([(104, 12)] * 3), eps_m=10, min_samples=3)
    with pytest.raises(ValueError, match="'convex_hull', 'concave_hull', 'discs'"):
        cluster_areas(clustering, shape=wrong)
    # also when there is nothing to draw
    with pytest.raises(ValueError, match="shape is"):
        cluster_areas(dbscan(frame_of([]), eps_m=10), shape=wrong)


# ------------------------------------------------------------------ poles and tables


@every_shape
def test_areas_that_hold_a_pole_are_refused(shape):
    around = [(lon, 89.9) for lon in range(-180, 180, 30)]
    clustering = dbscan(frame_of(around, 9000.0), eps_m=1e5, min_samples=2)
    with pytest.raises(GeometryError, match="pole"):
        cluster_areas(clustering, shape=shape)
    with pytest.raises(GeometryError, match="pole"):
        one_area([(30, 89.9)], 12_000.0, shape)


@every_shape
def test_areas_of_all_methods_are_drawn_in_the_order_of_clusters(shape):
    rng = np.random.default_rng(2)
    lonlat = np.vstack(
        [centre + 0.003 * rng.standard_normal((9, 2)) for centre in ((104, 12), (105, 11))]
    )
    sites = frame_of([*lonlat, None], status="suspected")
    for clustering in (
        dbscan(sites, eps_m=2000, min_samples=3),
        hdbscan(sites, min_cluster_size=4),
        optics(sites, min_samples=4, max_eps_m=5000),
    ):
        areas = cluster_areas(clustering, shape=shape)
        assert areas["cluster"].tolist() == [0, 1]
        assert areas["size"].tolist() == areas["suspected"].tolist()
        assert clustering.n_clusters == 2
        for cluster, rows in clustering.members():
            assert_inside(areas.geometry.iloc[cluster], circles(lonlat[rows], 250.0, 0.999, 36))
    nothing = cluster_areas(dbscan(sites.iloc[:0], eps_m=5), shape=shape)
    assert len(nothing) == 0
    assert nothing.crs == "EPSG:4326"


@every_shape
def test_unknown_radii_are_refused_for_every_shape(shape):
    sites = frame_of([(104, 12)] * 4, [250.0, np.nan, 250.0, 250.0])
    clustering = dbscan(sites, eps_m=10, min_samples=3)
    with pytest.raises(SchemaError, match="1 of 4 clustered sites"):
        cluster_areas(clustering, shape=shape, buffer_m=500.0)


@every_shape
def test_drawing_warns_of_nothing_and_changes_nothing(shape):
    clustering = dbscan(frame_of(boomerang()), eps_m=5000, min_samples=2)
    before = clustering.sites.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cluster_areas(clustering, shape=shape)
    assert clustering.sites.equals(before)
