"""Distances to lines and polygons of either kind of edge, signed ones, groups and drawn lines."""

from __future__ import annotations

import tracemalloc
import warnings
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import GeometryCollection, LineString, MultiPoint, MultiPolygon, Point, Polygon, box

from geo.errors import GeometryError
from geo.proximity import distance_to, nearest

GEOD = Geod(ellps="WGS84")
DISTANCE = ["distance_m", "distance_min_m", "distance_max_m"]
lons = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 0.0, 179.9999, -179.9999]))
lats = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, 89.9999, -89.9999]))
places = st.tuples(lons, lats)


def frame_of(lonlat, *, radius=None, index=None, **columns) -> gpd.GeoDataFrame:
    geometry = [None if place is None else Point(place) for place in lonlat]
    if radius is not None:
        columns["uncertainty_m"] = np.broadcast_to(radius, len(geometry))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326, index=index)


def feature_of(shapes, **columns) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


def karney(one, other) -> float:
    return GEOD.inv(*one, *other)[2]


def globe(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [rng.uniform(-180, 180, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))]
    )


# ------------------------------------------------------------------ brute force


def geodesic(edge):
    """Return the curve along a geodesic: from shares of it to longitude and latitude."""
    azimuth, _, length = GEOD.inv(*edge)

    def curve(share):
        same = np.ones_like(share)
        return GEOD.fwd(edge[0] * same, edge[1] * same, azimuth * same, length * share)[:2]

    return curve


def straight(edge):
    """Return the curve that is straight in longitude and latitude."""

    def curve(share):
        return edge[0] + (edge[2] - edge[0]) * share, edge[1] + (edge[3] - edge[1]) * share

    return curve


def golden(place, curve, scans=2001) -> float:
    """Least length from a place to a curve, by a fine scan and golden sections at every dip."""

    def length(share):
        lon, lat = curve(share)
        return np.asarray(GEOD.inv(place[0] + 0 * share, place[1] + 0 * share, lon, lat)[2])

    share = np.linspace(0, 1, scans)
    scan = length(share)
    dips = np.flatnonzero(
        (scan <= np.append(np.inf, scan[:-1])) & (scan <= np.append(scan[1:], np.inf))
    )
    dips = dips[np.argsort(scan[dips])[:8]]
    low, high = share[np.maximum(dips - 1, 0)], share[np.minimum(dips + 1, scans - 1)]
    for _ in range(75):
        third, half = high - (high - low) * 0.618_033_988, low + (high - low) * 0.618_033_988
        left = length(third) < length(half)
        low, high = np.where(left, low, third), np.where(left, half, high)
    return float(min(scan.min(), length(low).min(), length(high).min()))


def golden_rings(place, rings, kind=straight) -> float:
    """Least length from a place to any edge of some rings."""
    edges = [(*one, *other) for ring in rings for one, other in pairwise(ring.coords)]
    return min(golden(place, kind(edge), 301) for edge in edges)


# ------------------------------------------------------------------ geodesic edges

EDGES = {
    "a street": ((103.0, 12.0, 103.001, 12.0005), 0.003),
    "a province": ((102, 14, 104, 14.3), 1.5),
    "a continent": ((-10, 36, 60, 55), 25),
    "an ocean": ((-75, 40, 140, 35), 30),
    "15,000 km": ((0, 10, 135, -5), 40),
    "nearly opposite": ((0, 30, 178, -29), 60),
    "antimeridian": ((170, 60, -160, 65), 15),
    "the antimeridian itself": ((180, -20, -180, 20), 15),
    "beside the pole": ((0, 89.9, 170, 89.95), 0.5),
    "over the pole": ((20, 80, -160, 85), 20),
    "from the pole": ((77, 90, 10, 70), 20),
    "a meridian": ((104, -5, 104, 40), 20),
    "the equator": ((90, 0, 120, 0), 20),
}


@pytest.mark.parametrize(("edge", "spread"), EDGES.values(), ids=EDGES)
def test_distance_to_a_geodesic_is_that_of_golden_sections(edge, spread):
    rng = np.random.default_rng(1)
    share = rng.uniform(-0.1, 1.1, 7)
    near = np.transpose(geodesic(edge)(share)) + rng.uniform(-spread, spread, (7, 2))
    near = np.column_stack([(near[:, 0] + 180) % 360 - 180, np.clip(near[:, 1], -90, 90)])
    chosen = np.vstack([near, globe(3, 2)])
    answer = distance_to(frame_of(chosen), LineString([edge[:2], edge[2:]]), edges="geodesic")
    expected = [golden(place, geodesic(edge)) for place in chosen]
    assert np.abs(answer["distance_m"] - expected).max() <= 1e-6


@given(st.lists(places, min_size=1, max_size=3), places, places, st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_no_place_of_a_geodesic_anywhere_is_nearer_than_the_answer(chosen, start, end, share):
    # between opposite places there are many shortest ways, and none is the edge
    assume(karney(start, end) < 19_900_000)
    line = LineString([start, end])
    answer = distance_to(frame_of(chosen), line, edges="geodesic")["distance_m"]
    for place, length in zip(chosen, answer, strict=True):
        lon, lat = geodesic((*start, *end))(np.array([share]))
        assert length <= karney(place, (lon[0], lat[0])) + 1e-6
        assert length <= golden(place, geodesic((*start, *end)), 301) + 1e-6


@pytest.mark.parametrize("edge", [((0, 89.5), (1, 89.5)), ((0, 60), (0, 60.005))])
@pytest.mark.parametrize("edges", ["planar", "geodesic"])
def test_from_the_other_side_of_the_globe_an_edge_is_nearest_at_an_end(edge, edges):
    opposite = [(180 + edge[0][0], -89.99), (0.001, -90), (180, -60.0025), (180, -60)]
    answer = distance_to(frame_of(opposite), LineString(edge), edges=edges)["distance_m"]
    way = geodesic((*edge[0], *edge[1])) if edges == "geodesic" else straight((*edge[0], *edge[1]))
    lon, lat = way(np.linspace(0, 1, 2001))
    for place, length in zip(opposite, answer, strict=True):
        assert length <= min(karney(place, at) for at in zip(lon, lat, strict=True)) + 1e-6


def test_places_along_a_geodesic_are_at_distance_zero():
    edge = (-75, 40, 140, 35)
    lon, lat = geodesic(edge)(np.linspace(0, 1, 50))
    answer = distance_to(
        frame_of(zip(lon, lat, strict=True)), LineString([edge[:2], edge[2:]]), edges="geodesic"
    )
    assert answer["distance_m"].max() <= 1e-6


def test_many_edges_give_the_least_of_all():
    rng = np.random.default_rng(3)
    vertices = np.cumsum(rng.normal(0, 4, (8, 2)), axis=0) + np.array([104, 12])
    chosen = rng.uniform([90, 0], [120, 25], (6, 2))
    answer = distance_to(frame_of(chosen), LineString(vertices), edges="geodesic")
    for place, length in zip(chosen, answer["distance_m"], strict=True):
        least = min(
            golden(place, geodesic((*one, *other)), 501) for one, other in pairwise(vertices)
        )
        assert length == pytest.approx(least, abs=1e-6)


def test_short_edges_are_nearly_the_same_either_way_and_long_ones_are_not():
    sites = frame_of([(103, 12.0002)])
    short = LineString([(102.99, 12), (103.01, 12)])
    one, other = (distance_to(sites, short, edges=edges) for edges in ("planar", "geodesic"))
    assert abs(one - other)["distance_m"].iloc[0] < 0.05
    # the documented sag of an edge of 100 km at 15 north: 52 m
    line = LineString([(103, 15), (103 + 100_000 / (111_320 * np.cos(np.radians(15))), 15)])
    middle = frame_of([shapely.line_interpolate_point(line, 0.5, normalized=True).coords[0]])
    sag = distance_to(middle, line, edges="geodesic")["distance_m"].iloc[0]
    assert sag == pytest.approx(52, abs=1)


# ------------------------------------------------------------------ inside of geodesic edges


def beside(edge, off_m, shares) -> tuple[np.ndarray, np.ndarray]:
    """Return places at a distance to the left and to the right of a geodesic."""
    lon, lat = geodesic(edge)(shares)
    end = np.full_like(lon, edge[2]), np.full_like(lon, edge[3])
    azimuth = np.asarray(GEOD.inv(lon, lat, *end)[0])
    sides = (
        np.column_stack(GEOD.fwd(lon, lat, azimuth + turn, np.full_like(lon, off_m))[:2])
        for turn in (-90, 90)
    )
    return tuple(sides)


# the northern edge of a polygon
TOPS = {
    "100 km": (103, 15, 103.93, 15),
    "3000 km at 60 north": (0, 60, 58, 60),
    "a third of the globe": (0, 45, 120, 45),
    "to 88 north": (0, 60, 172, 60),
    "from the equator to the equator": (0, 0, 179.6, 0),
}


def under(edge) -> Polygon:
    """Return a triangle below a northern edge."""
    west, lat, east, _ = edge
    return Polygon([(west, lat), (east, lat), ((west + east) / 2, lat - 4)])


@pytest.mark.parametrize("edge", TOPS.values(), ids=TOPS)
def test_inside_and_outside_of_a_geodesic_edge_are_told_apart_to_2_mm(edge):
    # evenly, and close to where it is nearest to the pole
    shares = np.append(np.linspace(0.02, 0.98, 200), 0.5 + np.geomspace(1e-7, 0.05, 200))
    outer, inner = beside(edge, 0.002, shares)
    sites = frame_of(np.vstack([outer, inner]))
    metres = distance_to(sites, under(edge), edges="geodesic")["distance_m"].to_numpy()
    assert (metres[:400] > 0).all()
    assert metres[:400] == pytest.approx(np.full(400, 0.002), abs=2e-6)
    assert (metres[400:] == 0).all()


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    "area",
    [
        under((0, 60, 179, 60)),
        under((0, 80, 179.99, 80)),
        under((10, 89.9, 160, 89.9)),
        Polygon([(0, 60), (180, 60), (90, 50)]),  # along two meridians, over the pole
        Polygon([(0, -60), (180, -60), (90, -50)]),
    ],
)
def test_polygons_with_geodesic_edges_beside_a_pole_are_refused_but_not_lines(area, signed):
    # degrees cannot tell the two sides of them: a wrong side must not be answered
    with pytest.raises(GeometryError, match="pole"):
        distance_to(frame_of([(90, 80)]), area, edges="geodesic", signed=signed)
    # as lines they have no inside
    line = distance_to(frame_of([(90, 80)]), area.exterior, edges="geodesic")["distance_m"]
    expected = golden_rings((90, 80), [area.exterior], geodesic)
    assert line.iloc[0] == pytest.approx(expected, abs=1e-6)


def test_planar_and_geodesic_insides_differ_between_parallel_and_geodesic():
    edge = (0, 60, 58, 60)
    area = Polygon([(0, 60), (58, 60), (29, 40)])
    lon, lat = geodesic(edge)(np.array([0.5]))
    assert lat[0] > 62
    between = frame_of([(lon[0], 61), (lon[0], lat[0] - 1e-6), (lon[0], lat[0] + 1e-6)])
    assert (distance_to(between, area)["distance_m"] > 100_000).all()
    found = distance_to(between, area, edges="geodesic")["distance_m"]
    assert found.iloc[:2].tolist() == [0, 0]
    assert found.iloc[2] == pytest.approx(0.111, abs=0.002)
    signed = distance_to(between, area, edges="geodesic", signed=True)["distance_m"]
    assert signed.iloc[1] == pytest.approx(-0.111, abs=0.002)
    assert signed.iloc[0] == pytest.approx(
        -golden_rings((lon[0], 61), [area.exterior], geodesic), abs=1e-6
    )


@pytest.mark.parametrize("shift", [0, 150, 180, -200])
def test_geodesic_insides_do_not_depend_on_where_the_antimeridian_is(shift):
    corners = np.array([(0, 60), (30, 62), (25, 70), (5, 68)])
    hole = [(10, 63.5), (20, 64), (15, 66)]
    rng = np.random.default_rng(4)
    sites = rng.uniform([-5, 58], [35, 72], (200, 2))
    plain = distance_to(frame_of(sites), Polygon(corners, [hole]), edges="geodesic", signed=True)
    turn = np.array([shift, 0])
    moved = Polygon(corners + turn, [np.array(hole) + turn])
    there = np.column_stack([(sites[:, 0] + shift + 180) % 360 - 180, sites[:, 1]])
    answer = distance_to(frame_of(there), moved, edges="geodesic", signed=True)
    assert (plain["distance_m"] < 0).sum() > 20
    assert np.abs(answer["distance_m"] - plain["distance_m"]).max() <= 1e-6


# ------------------------------------------------------------------ signed distances


def assert_signed(chosen, feature, outline, inside, **options):
    """Check signed distances against golden sections to a known outline."""
    answer = distance_to(frame_of(chosen), feature, signed=True, **options)["distance_m"]
    for place, within, length in zip(chosen, inside, answer, strict=True):
        expected = golden_rings(place, outline)
        assert length == pytest.approx(-expected if within else expected, abs=2e-6), place


GRID = [box(x, y, x + 2, y + 2) for x in (100, 102, 104) for y in (10, 12)]
WHOLE = box(100, 10, 106, 14)


def test_borders_between_polygons_are_no_outline():
    rng = np.random.default_rng(5)
    chosen = [*map(tuple, rng.uniform([99, 9], [107, 15], (12, 2))), (102.001, 12.001), (104, 12)]
    inside = [WHOLE.intersects(Point(place)) for place in chosen]
    assert sum(inside) > 5
    assert_signed(chosen, feature_of(GRID), [WHOLE.exterior], inside)
    # the same as three rows, two of which have parts that do not touch
    rows = [MultiPolygon([GRID[0], GRID[3]]), MultiPolygon([GRID[1], GRID[2]]), *GRID[4:]]
    assert_signed(chosen, feature_of(rows), [WHOLE.exterior], inside)


def test_a_hole_among_polygons_is_outside_and_its_edge_an_outline():
    parts = [box(0, 0, 3, 1), box(0, 2, 3, 3), box(0, 1, 1, 2), box(2, 1, 3, 2)]
    chosen = [(1.5, 1.5), (1.2, 1.9), (0.9, 1.5), (0.1, 1.5), (1.5, 0.7), (1.0, 0.999), (-0.2, 1)]
    rings = [box(0, 0, 3, 3).exterior, box(1, 1, 2, 2).exterior]
    inside = [False, False, True, True, True, True, False]
    assert_signed(chosen, feature_of(parts), rings, inside)
    whole = Polygon(rings[0], [rings[1]])
    assert_signed(chosen, whole, rings, inside)


def test_an_island_in_a_lake_is_inside():
    lake = Polygon(box(0, 0, 4, 4).exterior, [box(1, 1, 3, 3).exterior])
    island = box(1.8, 1.8, 2.2, 2.2)
    rings = [lake.exterior, lake.interiors[0], island.exterior]
    chosen = [(2, 2), (1.5, 1.5), (0.5, 2), (5, 5)]
    assert_signed(chosen, feature_of([lake, island]), rings, [True, False, True, False])


def test_overlapping_polygons_have_one_outline():
    parts = [box(0, 0, 2, 2), box(1, 0, 3, 2)]
    assert_signed(
        [(1.5, 1), (1.01, 1), (2.01, 1), (3.5, 1)],
        feature_of(parts),
        [box(0, 0, 3, 2).exterior],
        [True, True, True, False],
    )


CUTS = {
    "two": [box(178, 0, 180, 2), box(-180, 0, -178, 2)],
    "two, the west larger": [box(179, 0, 180, 2), box(-180, 0, -177, 2)],
    "three": [box(178, 0, 180, 2), box(-180, 0, -179, 2), box(-179, 0, -178, 2)],
    "four": [
        box(178, 0, 179, 2),
        box(179, 0, 180, 2),
        box(-180, 0, -179, 2),
        box(-179, 0, -178, 2),
    ],
    "written beyond": [box(178, 0, 182, 2)],
    "written below": [box(-182, 0, -178, 2)],
}


@pytest.mark.parametrize("parts", CUTS.values(), ids=CUTS)
def test_the_cut_at_the_antimeridian_is_no_outline(parts):
    bounds = [part.bounds for part in parts]
    turned = [
        (west % 360, south, west % 360 + east - west, north) for west, south, east, north in bounds
    ]
    whole = box(min(b[0] for b in turned), 0, max(b[2] for b in turned), 2)
    places_at = [(180, 1), (-180, 1), (179.9, 1), (-179.9, 1.3), (-179.01, 1), (178.99, 1)]
    places_at += [(-176.5, 1), (177, 0.5), (0, 0)]
    inside = [whole.intersects(Point(lon % 360, lat)) for lon, lat in places_at]
    assert inside[0]
    assert_signed(places_at, feature_of(parts), [whole.exterior], inside)


@pytest.mark.parametrize(
    "parts",
    [
        [box(-180, 70, 180, 90)],
        [box(-180, 70, 0, 90), box(0, 70, 180, 90)],
        [box(-180, 70, -60, 90), box(-60, 70, 60, 90), box(60, 70, 180, 90)],
    ],
    ids=["one", "two", "three"],
)
def test_a_cap_around_the_pole_ends_at_its_parallel_only(parts):
    # neither the pole nor the meridian where the ring was cut is a border of anything
    chosen = [(10, 80), (179, 80), (180, 75), (-179.9, 85), (60.1, 80), (20, 89.99), (0.1, 85)]
    parallel = [straight((west, 70, west + 60, 70)) for west in range(-180, 180, 60)]
    answer = distance_to(frame_of(chosen), feature_of(parts), signed=True)["distance_m"]
    expected = [-min(golden(place, curve, 601) for curve in parallel) for place in chosen]
    assert answer.tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("own", [[5.0] * 6, [5.0, 10.0] * 3, [5.0, np.nan] * 3])
def test_radii_of_the_polygons_do_not_make_borders_between_them(own):
    chosen = [(101.99, 11), (102.01, 11), (104, 12.01), (99.9, 11)]
    feature = feature_of(GRID, uncertainty_m=own)
    assert_signed(chosen, feature, [WHOLE.exterior], [True, True, True, False])


def test_signed_interval_holds_the_distance_of_every_true_place():
    rng = np.random.default_rng(6)
    chosen = rng.uniform([99.8, 9.8], [106.2, 14.2], (40, 2))
    radius = rng.choice([100.0, 5000.0, 30_000.0], 40)
    promised = distance_to(frame_of(chosen, radius=radius), feature_of(GRID), signed=True)
    lon, lat, _ = GEOD.fwd(*chosen.T, rng.uniform(0, 360, 40), radius * rng.random(40))
    true = distance_to(frame_of(zip(lon, lat, strict=True)), feature_of(GRID), signed=True)
    assert (promised["distance_min_m"] <= true["distance_m"] + 1e-6).all()
    assert (true["distance_m"] <= promised["distance_max_m"] + 1e-6).all()
    assert (promised["distance_min_m"] < 0).any()


def test_signed_distances_to_neighbours_with_geodesic_edges_are_within_1_mm():
    parts = feature_of([box(0, 40, 20, 50), box(20, 40, 40, 50)])
    rng = np.random.default_rng(7)
    sites = frame_of(rng.uniform([-3, 37], [43, 54], (300, 2)))
    plain = distance_to(sites, parts, edges="geodesic")["distance_m"]
    signed = distance_to(sites, parts, edges="geodesic", signed=True)["distance_m"]
    outside = plain > 0
    assert 100 < outside.sum() < 250
    assert (signed[~outside] <= 0).all()
    assert np.abs(signed - plain)[outside].max() <= 1.1e-3


def test_a_slanted_geodesic_border_between_neighbours_is_no_outline():
    # each of the two runs along it in its own direction
    corners = [(0, 40), (20, 40), (40, 40), (40, 50), (23, 50), (0, 50)]
    parts = [Polygon([*corners[:2], *corners[4:]]), Polygon(corners[1:5])]
    chosen = [(21.5, 45), (21.4, 45), (20.1, 40.5), (23, 49.9), (10, 44), (50, 45)]
    answer = distance_to(frame_of(chosen), feature_of(parts), edges="geodesic", signed=True)
    expected = [golden_rings(place, [Polygon(corners).exterior], geodesic) for place in chosen]
    signs = [-1, -1, -1, -1, -1, 1]
    assert answer["distance_m"].tolist() == pytest.approx(
        np.multiply(signs, expected).tolist(), abs=1.1e-3
    )


@pytest.mark.parametrize("turn", [0, 76, 180])
def test_borders_that_meet_in_the_middle_of_an_edge_are_no_outline(turn):
    # as where three provinces meet: one long edge faces two short ones
    middle = (105, 11.5)
    corners = [(100, 10), (110, 10), (110, 13), (100, 13)]
    parts = [[(100, 10), (110, 13), (100, 13)], [(100, 10), (105, 10), middle]]
    parts += [[(105, 10), (110, 10), (110, 13), middle]]
    chosen = [(105, 11.5), (103, 11), (105.01, 10.5), (107, 12.05), (99.9, 11)]
    move = np.array([turn - 104, 0])
    pieces = [Polygon(np.array(part) + move) for part in parts]
    places_at = [tuple(np.array(place) + move) for place in chosen]
    ring = Polygon(np.array(corners) + move).exterior
    assert_signed(places_at, feature_of(pieces), [ring], [True, True, True, True, False])


def test_signs_need_polygons():
    sites = frame_of([(0, 0)])
    for flat in (LineString([(0, 0), (1, 1)]), Point(0, 0), feature_of([GRID[0], Point(0, 0)])):
        with pytest.raises(GeometryError, match="no polygons"):
            distance_to(sites, flat, signed=True)
    with pytest.raises(GeometryError, match="1 of 1 parts"):
        distance_to(sites, GeometryCollection([GRID[0], Point(0, 0)]), signed=True)
    with pytest.raises(ValueError, match="edges is"):
        distance_to(sites, GRID[0], edges="great circle")


# ------------------------------------------------------------------ nearest of each group


def towns(n: int, seed: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    lonlat = rng.uniform([102, 10], [107, 15], (n, 2))
    chosen = [None if rng.random() < 0.1 else tuple(place) for place in lonlat]
    return frame_of(chosen, index=[f"t{row}" for row in range(n)])


VALUES = {
    "text": np.array(["casino", "town", None, "crossing"], dtype=object),
    "string": pd.array(["casino", "town", None, "crossing"], dtype="string"),
    "categories": pd.Categorical(["a", "b", None, "a"], categories=["a", "z", "b"]),
    "whole": np.array([3, 1, 3, 2]),
    "nullable": pd.array([3, 1, None, 2], dtype="Int64"),
    "numbers": np.array([0.5, np.nan, 1.5, 0.5]),
    "truth": np.array([True, False, True, True]),
    "dates": pd.to_datetime(["2024-01-01", None, "2025-01-01", "2024-01-01"]),
}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("column", ["kind", "site", "group", "rank", "target"])
def test_nearest_by_a_column_is_nearest_within_each_of_its_values(values, column):
    sites = frame_of([(103, 12), None, (105, 13.5)], radius=100.0, index=["a", "b", "a"])
    targets = towns(40, 8)
    targets[column] = pd.Series(values).take(np.resize(np.arange(4), 40)).to_numpy()
    targets[column] = targets[column].astype(pd.Series(values).dtype)
    answer = nearest(sites, targets, k=2, by=column)
    assert list(answer.columns) == ["site", "target", "group", "rank", *DISTANCE]
    assert answer["group"].dtype == targets[column].dtype
    seen = targets[column].drop_duplicates().tolist()
    rows = []
    for row in range(3):
        for value in seen:
            alike = targets[column].isna() if pd.isna(value) else targets[column] == value
            alone = nearest(
                sites.iloc[[row]], targets[alike.fillna(value=False).to_numpy(bool)], k=2
            )
            alone.insert(2, "group", pd.Series([value] * len(alone), dtype=targets[column].dtype))
            rows.append(alone)
    expected = pd.concat(rows, ignore_index=True)
    pd.testing.assert_frame_equal(answer, expected)


def test_nearest_of_each_kind_is_that_of_karney():
    sites, targets = frame_of(globe(30, 9)), frame_of(globe(60, 10))
    targets["kind"] = np.resize(list("abc"), 60)
    answer = nearest(sites, targets, by="kind", max_distance_m=4e6)
    assert len(answer) == 90
    for row in answer.itertuples():
        place = sites.geometry[row.site].coords[0]
        alike = targets[targets["kind"] == row.group]
        metres = pd.Series([karney(place, x.coords[0]) for x in alike.geometry], alike.index)
        if metres.min() > 4e6:
            assert pd.isna(row.target)
            assert np.isnan(row.distance_m)
        else:
            assert row.target == metres.idxmin()
            assert row.distance_m == pytest.approx(metres.min(), abs=30e-9)
    assert answer["target"].isna().any()
    assert answer["target"].notna().any()


def test_groups_of_lines_and_polygons_are_measured_as_distance_to_does():
    shapes = [box(103, 12, 104, 13), LineString([(102, 10), (106, 11)]), MultiPoint([(105, 14)])]
    shapes += [box(106, 14, 107, 15), None]
    targets = feature_of(shapes, kind=["area", "line", "point", "area", "gone"])
    sites = frame_of([(103.5, 12.5), (105.5, 14.5)])
    answer = nearest(sites, targets, by="kind", lines=True)
    assert answer["group"].tolist() == ["area", "line", "point", "gone"] * 2
    assert answer["target"].fillna(-1).tolist() == [0, 1, 2, -1, 3, 1, 2, -1]
    for row in answer[answer["target"].notna()].itertuples():
        alone = distance_to(sites.loc[[row.site]], shapes[row.target])["distance_m"].iloc[0]
        assert row.distance_m == pytest.approx(alone, abs=1e-9)
    assert answer.geometry.isna().tolist() == [True, False, False, True, False, False, False, True]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_no_targets_have_no_group(values):
    sites = frame_of([(103, 12), (104, 12)], radius=1.0)
    targets = frame_of([(103, 12)] * 4)
    targets["kind"] = values
    for some, rows in ((sites, 2), (sites.iloc[:0], 0)):
        answer = nearest(some, targets.iloc[:0], by="kind", lines=True)
        assert len(answer) == rows
        assert list(answer.columns) == ["site", "target", "group", "rank", *DISTANCE, "geometry"]
        # a value that no target has must not be made up
        assert answer["group"].isna().all()
        assert answer[["target", *DISTANCE]].isna().all(axis=None)


def test_a_column_that_is_not_there_is_named():
    sites, targets = frame_of([(103, 12)]), towns(3, 1)
    for wrong in ("kind", 0):
        with pytest.raises(ValueError, match="no column"):
            nearest(sites, targets, by=wrong)
    with pytest.raises(ValueError, match="no column"):
        nearest(sites, targets.geometry, by="kind")


def test_more_neighbours_than_targets_cost_no_more_than_all_of_them():
    sites = frame_of([(103, 12), (104, 12)])
    tracemalloc.start()
    try:
        answer = nearest(sites, sites, k=1_000_000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer["rank"].tolist() == [1, 2, 1, 2]
    assert most < 20 * 2**20


# ------------------------------------------------------------------ drawn lines


def assert_drawn(line, one, other, metres):
    """Check that a line runs along the geodesic between two places."""
    # of several parts, each follows the geodesic, in any order
    parts = sorted(shapely.get_parts(line), key=lambda part: karney(one, part.coords[0]))
    west, south, east, north = shapely.total_bounds(parts)
    assert west >= -180
    assert east <= 180
    assert -90 <= south <= north <= 90
    vertices, part = shapely.get_coordinates(parts, return_index=True)
    assert karney(vertices[0], one) <= 1e-6
    assert karney(vertices[-1], other) <= 1e-6
    for vertex in vertices:
        # on the geodesic, the triangle is flat; where it was cut, nearly so
        over = karney(one, vertex) + karney(vertex, other) - metres
        assert -1e-6 <= over <= 0.05
    lon, lat = vertices.T
    steps = np.asarray(GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2])
    assert steps.max() <= 20_000 + 1e-6
    assert steps[np.diff(part) > 0].max(initial=0) <= 1e-6  # the cut is one place
    assert steps.sum() == pytest.approx(metres, rel=1e-5)


PAIRS = {
    "near": ((103, 12), (103.1, 12.1)),
    "far": ((103, 12), (-70, 40)),
    "antimeridian": ((170, -17), (-175, 30)),
    "antimeridian, westward": ((-179.9, 10), (179.9, 12)),
    "along the antimeridian": ((180, 0), (-180, 10)),
    "from the antimeridian": ((180, 5), (-170, 8)),
    "from its other side": ((-180, 5), (-170, 8)),
    "to the antimeridian": ((-170, 5), (180, 8)),
    "beside the antimeridian": ((-180, 35), (179.9999, 60)),
    "to the pole": ((77, 60), (0, 90)),
    "from the antimeridian to the pole": ((-180, 35), (179.9, -90)),
    "over the pole": ((20, 80), (-160, 85)),
    "from the pole along the antimeridian": ((1.9685478687543423, 90), (180, 0)),
    "beside the pole, over the antimeridian": ((156.03125, 58), (-24, 29)),
    "a kilometre from the pole": ((102, 0), (-79, 66)),
    "the same meridian": ((104, -10), (104, 10)),
    "the equator": ((90, 0), (130, 0)),
    "written beyond": ((190, 0), (200, 5)),
    "written far beyond": ((539.9, 0), (-179.9, 0)),
    "written far below": ((-540, 10), (179, 12)),
}


@pytest.mark.parametrize(("one", "other"), PAIRS.values(), ids=PAIRS)
def test_lines_to_points_run_along_the_geodesic(one, other):
    answer = nearest(frame_of([one]), frame_of([other]), lines=True)
    assert isinstance(answer, gpd.GeoDataFrame)
    assert answer.crs == "EPSG:4326"
    line, metres = answer.geometry.iloc[0], answer["distance_m"].iloc[0]
    assert metres == pytest.approx(karney(one, other), abs=20e-9)
    assert_drawn(line, one, other, metres)


@given(places, places)
@settings(max_examples=60, deadline=None)
def test_lines_between_any_places_run_along_the_geodesic(one, other):
    metres = karney(one, other)
    # between opposite places the way is not unique
    assume(1e-3 < metres < 19_900_000)
    answer = nearest(frame_of([one]), frame_of([other]), lines=True)
    assert_drawn(answer.geometry.iloc[0], one, other, metres)


def test_lines_to_shapes_end_on_them_and_are_missing_inside():
    shapes = [box(103, 12, 104, 13), LineString([(178, -17), (-178, -16)]), MultiPoint([(0, 80)])]
    sites = [(103.5, 12.5), (101, 12.7), (-179, -14), (100, 85), (103, 12), None]
    answer = nearest(frame_of(sites), gpd.GeoSeries(shapes, crs=4326), k=3, lines=True)
    assert len(answer) == 16
    drawn = answer[answer.geometry.notna()]
    missing = answer[answer.geometry.isna()]
    assert len(missing) == 3
    assert (missing["distance_m"].fillna(0) < 1e-8).all()
    for row in drawn.itertuples():
        ends = shapely.get_coordinates(row.geometry)
        foot = max(ends, key=lambda vertex, row=row: karney(sites[row.site], vertex))
        assert_drawn(row.geometry, sites[row.site], foot, row.distance_m)
        assert distance_to(frame_of([foot]), shapes[row.target])["distance_m"].iloc[0] <= 1e-6


def test_lines_change_nothing_else_and_missing_ones_are_none():
    sites = frame_of([(103, 12), None, (150, 0), (103, 12.01)], radius=5.0)
    targets = frame_of([(103, 12), None, (103, 12.02)], radius=[1.0, 1.0, np.nan])
    for options in ({}, {"k": 2}, {"max_distance_m": 5000}):
        plain = nearest(sites, targets, **options)
        drawn = nearest(sites, targets, lines=True, **options)
        pd.testing.assert_frame_equal(pd.DataFrame(drawn.drop(columns="geometry")), plain)
        reached = plain["distance_m"] > 0
        assert drawn.geometry.notna().tolist() == reached.tolist()
    empty = nearest(sites.iloc[:0], targets, lines=True)
    assert isinstance(empty, gpd.GeoDataFrame)
    assert len(empty) == 0


@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]),
        pd.Index(["x", "x", "y"]),
        pd.Index([1, "a", 2.5], dtype=object),
        pd.Index([2**63 + 5, 1, 2], dtype="uint64"),
        pd.date_range("2024-01-01", periods=3),
    ],
    ids=["levels", "repeated", "mixed", "large", "dates"],
)
def test_labels_of_any_kind_are_given_back(index):
    sites = frame_of([(103, 12), None, (103.02, 12)], index=index)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = nearest(sites, sites, k=2, lines=True)
    assert answer["site"].tolist() == index.take([0, 0, 1, 2, 2]).tolist()
    assert answer["target"].isna().tolist() == [False, False, True, False, False]
    assert answer["target"].dropna().tolist() == index.take([0, 2, 2, 0]).tolist()
