"""Where sums over pairs are easily wrong: ties, touching circles, shared coordinates, two kinds."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

import geo
from geo._circles import polygon_weights, room_to_cut
from geo._outlines import outline_of

PLANE = "EPSG:32648"
SQUARE = box(0, 0, 1000, 1000)
L_SHAPE = Polygon([(0, 0), (1000, 0), (1000, 400), (400, 400), (400, 1000), (0, 1000)])


def points(xy) -> gpd.GeoDataFrame:
    places = gpd.points_from_xy(*np.asarray(xy, dtype=float).T)
    return gpd.GeoDataFrame(
        {"uncertainty_m": 0.001}, geometry=places, crs=PLANE, index=range(len(xy))
    )


def window(shape) -> gpd.GeoSeries:
    return gpd.GeoSeries([shape], crs=PLANE)


def share_by_angles(shape, x: float, y: float, d: float) -> float:
    """Cut a circle with every edge, and ask of the middle of each arc whether it lies inside."""
    turns = [0.0]
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        corners = shapely.get_coordinates(ring) - (x, y)
        for p, q in pairwise(corners):
            step = q - p
            a, b, c = step @ step, 2 * p @ step, p @ p - d * d
            if b * b - 4 * a * c <= 0:
                continue
            for sign in (-1, 1):
                t = (-b + sign * np.sqrt(b * b - 4 * a * c)) / (2 * a)
                if -1e-12 <= t <= 1 + 1e-12:
                    turns.append(np.arctan2(*(p + t * step)[::-1]) % (2 * np.pi))
    turns = np.unique(turns)
    ends = np.append(turns[1:], turns[0] + 2 * np.pi)
    middle = (turns + ends) / 2
    inside = shapely.contains_xy(shape, x + d * np.cos(middle), y + d * np.sin(middle))
    return float((ends - turns)[inside].sum() / (2 * np.pi))


@pytest.mark.parametrize("alone", [True, False], ids=["farthest", "among others"])
def test_circles_through_a_vertex_are_cut_by_both_of_its_edges(alone):
    hole = [(400, 200), (500, 300), (450, 350)]
    shape = Polygon([(0, 0), (1000, 0), (600, 500), (900, 900), (0, 800), (250, 400)], [hole])
    corners = shapely.get_coordinates(shape)
    outline, cuts = outline_of(shape), room_to_cut(9, 2)
    rng = np.random.default_rng(1)
    places = [
        (x, y) for x, y in rng.integers(0, 1000, (400, 2)) if shape.contains(shapely.Point(x, y))
    ]
    for x, y in places:
        for u, v in corners:
            d = np.array([np.hypot(u - x, v - y)] if alone else [np.hypot(u - x, v - y), 1500.0])
            weight = np.empty(len(d))
            polygon_weights(outline.edges, float(x), float(y), d, weight, cuts)
            share = share_by_angles(shape, x, y, d[0])
            assert weight[0] == pytest.approx(min(1 / max(share, 1e-9), 100), rel=1e-6)


def test_a_neighbour_in_the_farthest_corner_weighs_the_most():
    shape, r = box(0, 0, 1000, 700), [1300.0]
    k = geo.ripley_k(points([(0, 0), (1000, 700)]), window(shape), distances_m=r).estimate[0]
    near = geo.ripley_k(
        points([(0, 0), (1000 - 1e-9, 700)]), window(shape), distances_m=r
    ).estimate[0]
    assert k == pytest.approx(100 * shape.area)
    assert near == pytest.approx(k)


def test_pairs_at_one_coordinate_count_at_distance_nought_alone():
    xy = np.random.default_rng(2).uniform(0, 1000, (20, 2))
    doubled = points(np.vstack([xy, xy[:3]]))
    for r in ([0], [0, 10]):
        with pytest.warns(geo.CoincidentPointsWarning, match="23 .* stand at 20 coordinates"):
            k = geo.ripley_k(doubled, window(SQUARE), distances_m=r, correction="none")
        assert k.estimate[0] == pytest.approx(6 * 1e6 / (23 * 22))


def test_the_border_correction_with_an_intensity_leaves_no_hair_behind():
    rng = np.random.default_rng(3)
    for _ in range(30):
        sites = points(rng.uniform(0, 1000, (25, 2)))
        k = geo.ripley_k(
            sites,
            window(SQUARE),
            intensity=rng.uniform(5, 50, 25),
            distances_m=np.linspace(0, 499, 60),
            correction="border",
        )
        assert not np.isinf(k.estimate).any()
        assert (k.estimate[np.isfinite(k.estimate)] >= 0).all()
        assert k.estimate[0] == 0


def test_two_kinds_need_both_intensities_or_none():
    rng = np.random.default_rng(4)
    one, other = points(rng.uniform(0, 1000, (5, 2))), points(rng.uniform(0, 1000, (4, 2)))
    for wrong, message in (
        ({"other": other, "intensity": np.ones(5)}, "intensity of both"),
        ({"other": other, "other_intensity": np.ones(4)}, "intensity of both"),
        ({"other_intensity": np.ones(4)}, "give them as other"),
        ({"dot": True}, "give them as other"),
    ):
        with pytest.raises(ValueError, match=message):
            geo.ripley_k(one, window(SQUARE), **wrong)


def test_a_periodic_window_is_not_asked_beyond_its_side():
    sites = points(np.random.default_rng(5).uniform(0, 300, (30, 2)))
    strip = window(box(0, 0, 1000, 300))
    with pytest.raises(ValueError, match="meets itself again"):
        geo.ripley_k(sites, strip, distances_m=[10, 301], correction="periodic")
    with pytest.raises(ValueError, match="meets itself again"):
        geo.envelope_test(sites, strip, distances_m=[10, 301], correction="periodic")


def test_models_of_other_points_are_refused_for_one_kind_too():
    rng = np.random.default_rng(6)
    a, b, c = (points(rng.uniform(0, 1000, (20, 2))) for _ in range(3))
    for null in (geo.random_labelling(b, c, window(SQUARE)), geo.random_shift(b, window(SQUARE))):
        with pytest.raises(ValueError, match=r"other points|nothing about them alone"):
            geo.envelope_test(a, window(SQUARE), null=null, n_simulations=19)
    own = geo.random_labelling(a, c, window(SQUARE))
    assert geo.envelope_test(a, window(SQUARE), null=own, n_simulations=19, rng=1).n == 20


def test_the_order_of_rows_changes_no_byte():
    rng = np.random.default_rng(7)
    a, b = points(rng.uniform(0, 390, (30, 2))), points(rng.uniform(0, 390, (40, 2)))
    area, swap = window(L_SHAPE), rng.permutation(30)
    null = geo.random_labelling(a, b, area), geo.random_labelling(a.iloc[swap], b, area)
    for mine, again in (
        [
            geo.envelope_test(s, area, null=n, n_simulations=39, rng=1).curves
            for s, n in zip((a, a.iloc[swap]), null, strict=True)
        ],
        [geo.ripley_k(s, area, other=b).estimate for s in (a, a.iloc[swap])],
        [geo.pair_correlation(s, area, other=b).estimate for s in (a, a.iloc[swap])],
    ):
        assert mine.tobytes() == again.tobytes()


def test_clark_evans_does_not_invent_distances_that_the_edge_hides():
    beside = points([(0, y) for y in range(50, 1000, 100)] + [(500, 500)])
    with pytest.raises(ValueError, match="nothing to go by"):
        geo.clark_evans(beside, window(SQUARE))
    inner = points([*beside.get_coordinates().to_numpy(), (400, 500)])
    assert geo.clark_evans(inner, window(SQUARE), n_simulations=0).mean_m == pytest.approx(100)
    with pytest.raises(ValueError, match="nothing to go by"):
        geo.clark_evans(points([(1, 500), (999, 500)]), window(SQUARE))
    with pytest.raises(ValueError, match="only"):
        geo.clark_evans(inner, window(SQUARE), guard_m=10.0)
