"""Surfaces: every report counted, units that fit, bands where the geodesic says."""

import json
import warnings
from dataclasses import replace

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

import geo
import layers
from layers._hexagons import hexagons_of
from layers.export import page_html
from layers.legend import legend_html
from layers.payload import DECIMALS
from layers.surfaces import _in_words
from layers.text import script_json

EARTH = Geod(ellps="WGS84")
HOSTILE = "</script><img src=x onerror=alert(1)>`${alert(2)}{{7*7}}"


def sites(*points, **columns):
    """Reports at points (None for no location), well located."""
    n = len(points)
    base = {
        "site_id": [f"s{i}" for i in range(n)],
        "status": ["confirmed"] * n,
        "uncertainty_m": [100.0] * n,
    }
    geometry = [None if p is None else shapely.Point(p) for p in points]
    return gpd.GeoDataFrame(base | columns, geometry=geometry, crs=4326)


def shapes_of(layer):
    """The polygons that the page draws, in degrees."""
    return [
        shapely.MultiPolygon(
            [
                shapely.Polygon(*[(rings := [_ring(r) for r in part])[0]], rings[1:])
                for part in parts
            ]
        )
        for parts in layer.payload["shapes"]
    ]


def _ring(steps):
    return np.cumsum(np.reshape(steps, (-1, 2)), axis=0)[:, ::-1] / 10**DECIMALS


def notes(layer):
    return [(e.label, e.count, e.note) for s in layer.legend for e in s.entries]


# ------------------------------------------------------------------------------------ hexagons


@given(
    st.lists(st.tuples(st.floats(-9e4, 9e4), st.floats(-9e4, 9e4)), min_size=1, max_size=40),
    st.floats(50, 5e4),
)
def test_each_point_lies_in_its_hexagon_and_hexagons_do_not_overlap(points, width):
    xy = np.array(points)
    hexagons, place = hexagons_of(xy, width)
    assert place.max() + 1 == len(hexagons) == len(set(place))
    gap = shapely.distance(shapely.points(xy), hexagons[place])
    assert gap.max() <= 1e-6
    assert shapely.area(hexagons) == pytest.approx(np.sqrt(3) / 2 * width**2)
    assert shapely.union_all(hexagons).area == pytest.approx(shapely.area(hexagons).sum())


@pytest.mark.parametrize("where", [(105.0, 12.5), (20.0, 67.0), (-70.0, -40.0)])
def test_hexagons_are_as_wide_and_as_large_on_the_ground_as_they_say(where):
    layer = layers.hex_layer(sites(where, (where[0] + 3, where[1] + 2)), size_m=20_000)
    for shape in shapes_of(layer):
        (part,) = shape.geoms
        area, _ = EARTH.geometry_area_perimeter(part)
        assert abs(area) == pytest.approx(np.sqrt(3) / 2 * 20_000**2, rel=2e-4)
        corner = shapely.get_coordinates(part)[:-1]
        middles = (corner + np.roll(corner, -1, axis=0)) / 2
        _, _, across = EARTH.inv(*middles[:3].T, *middles[3:].T)
        assert across == pytest.approx(20_000, rel=2e-3)


SPOTS = st.sampled_from([None, (104.9, 11.5), (104.9, 11.6), (102.5, 13.6), (103.5, 10.6)])
STATUS = st.sampled_from(["confirmed", "suspected", "rejected", "unknown", None])


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(SPOTS, STATUS), max_size=20), st.randoms())
def test_every_report_is_counted_once_by_its_status_in_any_order(rows, random):
    rows = [(spot, status or "unknown") for spot, status in rows]
    mixed = random.sample(rows, len(rows))
    made = [
        layers.hex_layer(sites(*(s for s, _ in r), status=[c for _, c in r]), size_m=30_000)
        for r in (rows, mixed)
    ]
    assert made[0].payload == made[1].payload
    assert made[0].legend == made[1].legend
    words = dict(zip(layers.STATUS_SCALE.labels, layers.STATUS_SCALE.keys, strict=True))
    told = dict.fromkeys(words.values(), 0)
    for label in made[0].payload["labels"]:
        for part in label.split(", "):
            count, word = part.split(" ", 1)
            told[words[word]] += int(count)
    located = [status for spot, status in rows if spot]
    assert told == {key: located.count(key) for key in told}
    missing = [count for label, count, _ in notes(made[0]) if label == "in no hexagon"]
    assert sum(missing) == len(rows) - len(located)


def test_the_legend_says_which_statuses_a_colour_stands_for():
    frame = sites((105, 12), (105, 12), (104, 11), status=["confirmed", "suspected", "suspected"])
    both = layers.hex_layer(frame, size_m=10_000)
    assert both.legend[0].title == "Reports per hexagon, 10 km wide (1 confirmed, 2 suspected)"
    assert sorted(both.payload["labels"]) == ["1 confirmed, 1 suspected", "1 suspected"]
    one = layers.hex_layer(frame, size_m=10_000, status="confirmed")
    assert one.legend[0].title.startswith("Reports per hexagon: confirmed only, 10 km")
    assert [e.label for e in one.legend[0].entries] == ["0", "1"]
    with pytest.raises(ValueError, match="status is 'maybe'"):
        layers.hex_layer(frame, size_m=10_000, status="maybe")


def test_hexagons_finer_than_the_radii_are_announced():
    coarse = sites((105, 12), (104, 11), uncertainty_m=[5000.0, 5000.0])
    with pytest.warns(geo.ResolutionWarning, match="size_m=10000"):
        layers.hex_layer(coarse, size_m=9_999)
    layers.hex_layer(coarse, size_m=10_000)
    with pytest.warns(geo.ResolutionWarning, match="1 of 2 .* no radius"):
        layers.hex_layer(coarse.assign(uncertainty_m=[10.0, None]), size_m=10_000)
    with pytest.warns(geo.SensitivityWarning, match="^1 reports"):
        layers.hex_layer(sites((1, 1), (2, 2), sensitivity=["public", "protected"]), size_m=5e4)


def test_hexagons_at_the_antimeridian_stay_whole_and_beside_their_points():
    layer = layers.hex_layer(sites((179.99, -17.0), (-179.99, -17.0)), size_m=50_000)
    for shape in shapes_of(layer):
        west, _, east, _ = shape.bounds
        assert east - west < 1
    assert layer.bounds[0] > 179


@pytest.mark.parametrize("size", [0, -5, np.nan, np.inf, "10", True, None])
def test_a_size_that_is_no_length_is_refused(size):
    with pytest.raises(ValueError, match="size_m is"):
        layers.hex_layer(sites((1, 1)), size_m=size)


def test_sites_too_far_apart_for_one_plane_are_refused():
    with pytest.raises(geo.GeometryError, match="one region at a time"):
        layers.hex_layer(sites((0, 0), (120, 0)), size_m=10_000)


def test_areas_around_a_pole_are_refused():
    with pytest.raises(geo.GeometryError, match="holds a pole"):
        layers.hex_layer(sites((10, 84.5)), size_m=2_000_000)
    with pytest.raises(geo.GeometryError, match="holds a pole"):
        layers.distance_layer(shapely.Point(10, -89), distances_m=[10_000, 500_000])


# ------------------------------------------------------------------------------------ densities


WINDOW = gpd.GeoSeries([shapely.box(0, 0, 40_000, 40_000)], crs=32648)


def planar(n, seed, **columns):
    xy = np.random.default_rng(seed).uniform(2000, 38_000, (n, 2))
    base = {"uncertainty_m": np.full(n, 100.0)}
    return gpd.GeoDataFrame(base | columns, geometry=gpd.points_from_xy(*xy.T), crs=32648)


@pytest.fixture(scope="module")
def surface():
    return geo.kernel_density(planar(60, 1), WINDOW, bandwidth_m=4000, cell_size_m=800)


def test_a_density_is_told_in_a_unit_that_needs_few_figures(surface):
    layer = layers.density_layer(surface)
    peak = float(np.nanmax(surface.estimate))
    (section,) = layer.legend
    area = float(section.title.split("per ")[1].split(" km")[0].replace(",", ""))
    ends = [e.label.split(" to ") for e in section.entries]
    assert float(ends[-1][1]) == pytest.approx(peak * area, rel=5e-3)
    assert 1 <= float(ends[-1][0]) < 10
    assert [a[1] for a in ends[:-1]] == [b[0] for b in ends[1:]]
    assert max(len(e.label) for e in section.entries) <= 12
    assert "60 reports, smoothed over 4 km" in section.title
    assert all(word.endswith("km²") for word in layer.payload["labels"])


def test_bands_hold_the_cells_whose_density_is_theirs(surface):
    levels = [0.01, 0.03, 0.05]
    layer = layers.density_layer(surface, levels=levels)
    cells = surface.to_frame()
    middle = cells.to_crs(surface.crs).centroid.to_crs(4326).to_numpy()
    value = cells["density_per_km2"].to_numpy()
    kind = np.searchsorted(levels, value, side="right")
    for k, shape in enumerate(shapes_of(layer), start=1):
        inside = shapely.contains(shape, middle)
        clear = np.abs(value[:, None] - levels).min(axis=1) > 2e-4  # not on a contour
        assert (inside == (kind == k))[clear].all()


@pytest.mark.parametrize(
    ("levels", "highest", "unit", "last"),
    [
        ([2e-6, 5e-6], 7.777e-6, "per 1,000,000 km²", "5 to 7.78"),
        ([0.01], 0.02, "per 100 km²", "1 to 2"),
        ([1.0, 10.0], 15.0, "per km²", "10 to 15"),
        ([1000.0], 1234.5, "per km²", "1,000 to 1,230"),
        ([3.0], 1.0, "per km²", "3"),
        ([], 0.0, "per km²", None),
    ],
)
def test_units_follow_the_last_level(levels, highest, unit, last):
    found, words = _in_words(levels, highest)
    assert (found, words[-1] if words else None) == (unit, last)


@pytest.mark.parametrize("levels", [[], [2, 1], [0, 1], [1, 1], [1, 2, 3, 4, 5, 6], [np.nan]])
def test_levels_that_cannot_be_drawn_are_refused(surface, levels):
    with pytest.raises(ValueError, match="levels must be one to 5"):
        layers.density_layer(surface, levels=levels)


def test_levels_above_every_value_leave_an_empty_layer_with_its_legend(surface):
    layer = layers.density_layer(surface, levels=[1000.0])
    assert layer.payload["shapes"] == []
    assert layer.bounds is None
    assert "legend" in page_html(added(layer))


def test_a_density_finer_than_the_radii_carries_a_caution():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.ResolutionWarning)
        coarse = planar(5, 2).assign(uncertainty_m=9000.0)
        blurred = geo.kernel_density(coarse, WINDOW, bandwidth_m=2000, cell_size_m=1000)
    assert not blurred.resolvable
    assert notes(layers.density_layer(blurred))[-1][2].startswith("finer than the radii")


# -------------------------------------------------------------------------------- relative risk


@pytest.fixture(scope="module")
def risk():
    everything = planar(120, 3)
    west = everything.geometry.x < 16_000
    return geo.relative_risk(
        everything[west], everything[~west], WINDOW, bandwidth_m=5000, cell_size_m=1000,
        progress=False,
    )  # fmt: skip


def test_bands_of_risk_hold_the_cells_of_their_class(risk):
    layer = layers.risk_layer(risk)
    scale = layers.diverging_scale()
    cells = risk.to_frame()
    middle = cells.to_crs(risk.surface.crs).centroid.to_crs(4326).to_numpy()
    ratio = np.exp(cells["log_risk"].to_numpy())
    clear = np.abs(np.log(ratio)[:, None] - np.log(scale.keys[:-1])).min(axis=1) > 1e-2
    found = np.full(len(cells), "", dtype=object)
    for shape, colour in zip(shapes_of(layer), layer.payload["fills"], strict=True):
        found[shapely.contains(shape, middle)] = colour
    assert (found == [scale(value) for value in ratio])[clear].all()
    assert clear.mean() > 0.9


def test_where_nothing_can_be_said_there_is_no_class_of_risk(risk):
    unknown = risk.log_risk.copy()
    unknown[:12, :12] = np.nan
    layer = layers.risk_layer(replace(risk, log_risk=unknown))
    *said, unsaid = shapes_of(layer)
    assert layer.payload["labels"][-1] == "too far from any report to say"
    assert notes(layer)[-1][0] == "too far from any report to say"
    cells = risk.to_frame()
    nowhere = cells.geometry[np.isnan(unknown[risk.surface.inside])].union_all()
    assert unsaid.symmetric_difference(nowhere).area < 1e-3 * nowhere.area
    assert shapely.union_all(said).intersection(nowhere).area < 1e-3 * nowhere.area


def test_tolerance_outlines_are_those_of_the_result(risk):
    layer = layers.tolerance_layer(risk, level=0.05)
    areas = risk.tolerance_contours(0.05)
    assert len(areas) > 0
    drawn = shapely.union_all(shapes_of(layer))
    assert drawn.symmetric_difference(areas.union_all()).area < 1e-3 * drawn.area
    ((label, count, note),) = notes(layer)
    assert (label, count) == ("risk is higher, p up to 0.05", len(areas))
    assert "5 % of the window" in note
    assert layer.payload["fills"] == []


def test_risk_of_other_results_is_refused(risk, surface):
    with pytest.raises(TypeError, match="density_layer draws a DensitySurface, not a Rel"):
        layers.density_layer(risk)
    for make in (layers.risk_layer, layers.tolerance_layer):
        with pytest.raises(TypeError, match="RelativeRisk, not a DensitySurface"):
            make(surface)
    with pytest.raises(ValueError, match="above 0"):
        layers.risk_layer(risk, breaks=[-1, 0.5, 1, 2])


# ------------------------------------------------------------------------------------ distances


BORDER = geo.load_reference("land_border", country="KH")
LINE = shapely.LineString([(102.0, 14.3), (104.0, 14.3)])


@pytest.mark.parametrize(
    ("feature", "distances", "bound"),
    [
        (shapely.Point(104.9, 11.5), [1000, 50_000, 200_000], 0.0012),
        (LINE, [500, 20_000], 0.0012),
        (gpd.GeoSeries([shapely.box(104, 12, 105, 13)], crs=4326), [10_000], 0.0012),
        (BORDER, [1000, 5000, 25_000], 0.025),
    ],
    ids=["point", "line", "polygon", "border"],
)
def test_the_edge_of_a_band_is_as_far_as_it_says_by_the_geodesic(feature, distances, bound):
    layer = layers.distance_layer(feature, distances_m=distances)
    shapes = shapes_of(layer)
    within = [shapely.union_all(shapes[: k + 1]) for k in range(len(shapes))]
    for reach, area in zip(sorted(distances), within, strict=True):
        # what was cut apart and joined again may keep hairs as wide as the rounding
        rim = shapely.get_coordinates(shapely.buffer(area, 3e-5).boundary)[::7]
        rim = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*rim.T), crs=4326)
        measured = geo.distance_to(rim, feature)["distance_m"]
        off = np.abs(measured - reach)
        assert off.max() <= max(bound * reach, 45 if bound > 0.02 else 0) + 8


def test_bands_do_not_overlap_and_the_inside_of_a_polygon_is_within():
    square = shapely.box(104, 12, 105, 13)
    shapes = shapes_of(layers.distance_layer(square, distances_m=[20_000, 10_000, 20_000]))
    assert len(shapes) == 2
    assert shapes[0].covers(shapely.Point(104.5, 12.5))
    assert shapes[0].intersection(shapes[1]).area < 1e-4


def test_counts_beside_the_bands_are_those_of_distance_bands():
    frame = geo.example_sites()
    layer = layers.distance_layer(BORDER, distances_m=[5000, 25_000], sites=frame, name=HOSTILE)
    table = geo.distance_bands(frame, BORDER, distances_m=[5000, 25_000])
    assert [count for _, count, _ in notes(layer)] == table["count"].tolist()
    assert notes(layer)[0][
        2
    ] == f"{table.count_min[0]} to {table.count_max[0]} by their radii; " + ("not resolvable")
    assert layer.attribution == "Land borders: © OpenStreetMap contributors, ODbL"


def test_bands_that_the_radii_cannot_tell_are_hatched_in_map_and_legend():
    frame = sites((104.5, 12.02), (104.6, 12.03), uncertainty_m=[3000.0, 3000.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.ResolutionWarning)
        layer = layers.distance_layer(BORDER, distances_m=[1000, 4000, 25_000], sites=frame)
        table = geo.distance_bands(frame, BORDER, distances_m=[1000, 4000, 25_000])
    told = table["resolvable"].tolist()
    assert told == [False, False, True]
    assert [not entry.hatched for entry in layer.legend[0].entries] == told
    assert layer.payload["hatched"] == [0, 1]
    assert layers.distance_layer(BORDER, distances_m=[1000]).payload["hatched"] == []


def test_a_line_across_the_antimeridian_has_a_band_around_it_alone():
    line = shapely.LineString([(179.5, -17), (-179.5, -17)])
    (shape,) = shapes_of(layers.distance_layer(line, distances_m=[10_000]))
    west, _, east, _ = shape.bounds
    assert 1.1 < east - west < 1.3


@pytest.mark.parametrize("wrong", [[], [0], [-1], [np.nan], [np.inf], range(1, 8)])
def test_distances_that_cannot_be_drawn_are_refused(wrong):
    with pytest.raises(ValueError, match="distances_m must be"):
        layers.distance_layer(LINE, distances_m=wrong)


def test_features_that_cannot_serve_are_refused():
    empty = gpd.GeoSeries([None, shapely.Point()], crs=4326)
    with pytest.raises(geo.GeometryError, match="is empty"):
        layers.distance_layer(empty)
    with pytest.raises(geo.CRSError, match="set_crs"):
        layers.distance_layer(gpd.GeoSeries([LINE]))
    with pytest.raises(TypeError, match="GeoDataFrame"):
        layers.distance_layer([LINE])
    with pytest.raises(geo.GeometryError, match="one part of it at a time"):
        layers.distance_layer(shapely.LineString([(0, 0), (60, 0)]))


# ---------------------------------------------------------------------------- links and clusters


def test_links_tell_target_and_interval_and_count_what_has_no_line():
    frame = sites((105, 12), (105, 12), (104, 11), None, (103, 12))
    targets = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([105.1, 104.0], [12.0, 11.0]), crs=4326, index=[HOSTILE, "ខ្មែរ"]
    )
    links = geo.nearest(frame, targets, max_distance_m=50_000, lines=True)
    layer = layers.nearest_layer(links, name="Nearest")
    assert len(layer.payload["shapes"]) == 1
    assert layer.payload["labels"] == [f"{HOSTILE}, 10.9 km (10.8 km to 11 km)"]
    assert notes(layer) == [("to the nearest target", 2, "1 at the target itself; 2 without")]
    bare = layers.nearest_layer(
        geo.nearest(frame.drop(columns="uncertainty_m"), targets, lines=True)
    )
    assert "(radius unknown)" in bare.payload["labels"][0]
    with pytest.raises(geo.SchemaError, match="lines=True"):
        layers.nearest_layer(geo.nearest(frame, targets))
    with pytest.raises(geo.SchemaError, match="distance_min_m"):
        layers.nearest_layer(links.drop(columns="distance_min_m"))


def test_clusters_tell_place_status_and_radius_and_what_is_in_none():
    frame = sites(
        *[(105.0, 12.0)] * 3, (105.001, 12), (90, 12), None,
        status=["confirmed", "suspected", "rejected", None, "confirmed", "confirmed"],
        locality=["ភ្នំពេញ"] * 6,
        uncertainty_m=[900.0, 50, 50, 50, 50, 50],
    )  # fmt: skip
    with pytest.warns(geo.ResolutionWarning):
        clustering = geo.dbscan(frame, eps_m=500, min_samples=3)
    layer = layers.cluster_layer(clustering)
    assert layer.payload["labels"] == [
        (
            "ភ្នំពេញ: 1 confirmed, 1 suspected, 1 rejected, 1 not stated; each known to within "
            "900 m, coarser than the 500 m that join them"
        )
    ]
    ((_, count, note),) = notes(layer)
    assert (count, note) == (1, "1 located reports in none, 1 not located")
    (shape,) = shapes_of(layer)
    assert shape.covers(shapely.points([(105.0, 12.0), (105.001, 12)])).all()
    with pytest.raises(TypeError, match="cluster_areas draws"):
        layers.cluster_layer(frame)


def two_clusters():
    """One of five reports known to the metre, one of five known to 20 km, and their stability."""
    near = [(105 + i / 1000, 12) for i in range(5)]
    far = [(104 + i / 1000, 13) for i in range(5)]
    frame = sites(*near, *far, uncertainty_m=[1.0] * 5 + [20_000.0] * 5)
    frame["location_method"] = "assigned"

    def cluster(rows):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", geo.ResolutionWarning)
            return geo.dbscan(rows, eps_m=500, min_samples=3)

    drawn = geo.propagate(cluster, frame, n_draws=19, rng=3, progress=False)
    return cluster(frame), drawn.stability


@pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")
def test_the_less_of_a_cluster_comes_back_the_fainter_it_is():
    clustering, stability = two_clusters()
    assert stability.verdict == ["stable", "unstable"]
    layer = layers.cluster_layer(clustering, stability=stability)
    strong, faint = layer.payload["opacities"]
    assert strong == pytest.approx(0.4)
    assert faint == pytest.approx(0.4 * stability.jaccard[1], abs=1e-3)
    assert faint < 0.6 * strong
    assert layer.payload["labels"][0].endswith("100% of it comes back, on average, in 19 draws of "
                                               "the true places")  # fmt: skip
    assert f"; {stability.jaccard[1]:.0%} of it" in layer.payload["labels"][1]
    _, *steps = layer.legend[0].entries
    assert [(step.label, step.count) for step in steps] == [("stable", 1), ("unstable", 1)]
    assert steps[0].opacity > steps[1].opacity
    shown = str(legend_html(layer.legend))
    assert f'fill-opacity="{steps[1].opacity:.3g}"' in shown
    bare = layers.cluster_layer(clustering)
    assert "opacities" not in bare.payload
    assert bare.payload["fills"] == []


@pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")
def test_the_stability_of_other_clusters_is_refused():
    clustering, stability = two_clusters()
    other = geo.dbscan(clustering.sites, eps_m=500, min_samples=9)
    with pytest.raises(ValueError, match="another clustering"):
        layers.cluster_layer(other, stability=stability)


# ------------------------------------------------------------------------------- what all must do


def added(layer):
    page = folium.Map(tiles=None)
    layer.add_to(page)
    layers.legend(layer).add_to(page)
    return page


def made(name):
    """One of each layer, named with hostile text."""
    frame = sites((105, 12), (105.01, 12), (105.02, 12), locality=[HOSTILE] * 3)
    return {
        "area_layer": lambda: layers.area_layer(
            gpd.GeoDataFrame(
                {HOSTILE: [1.0, 2.0], "n": [1, 9]}, geometry=[shapely.box(1, 1, 2, 2)] * 2, crs=4326
            ),
            name=name, value=HOSTILE, too_few=("n", 5), label=HOSTILE,
        ),
        "hex_layer": lambda: layers.hex_layer(frame, size_m=10_000, name=name),
        "distance_layer": lambda: layers.distance_layer(LINE, sites=frame, name=name),
        "nearest_layer": lambda: layers.nearest_layer(
            geo.nearest(frame[:1], frame[1:].set_index("locality"), lines=True), name=name
        ),
        "cluster_layer": lambda: layers.cluster_layer(
            geo.dbscan(frame, eps_m=3000, min_samples=2), name=name
        ),
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")
@pytest.mark.parametrize("kind", made(""))
def test_hostile_text_stays_text(kind):
    layer = made(HOSTILE)[kind]()
    page = added(layer)
    assert "<img src=x" not in page_html(page)
    shown = script_json(layer.payload)
    assert HOSTILE in json.loads(shown)["title"]
    assert not set("<>&") & set(shown)
    assert layer.title == HOSTILE
    assert "$" not in layer.layer_name


@pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")
@pytest.mark.parametrize("kind", made(""))
def test_the_same_input_makes_the_same_layer_that_paper_can_show(kind):
    first, second = made("x")[kind](), made("x")[kind]()
    assert first.payload == second.payload
    assert first.kind in {"areas", "lines"}
    assert first.bounds is not None


def test_no_rows_make_no_hexagons_no_links_and_no_clusters():
    nothing = sites()
    empty = [
        layers.hex_layer(nothing, size_m=1000),
        layers.hex_layer(sites((0, 89)), size_m=1000),
        layers.nearest_layer(geo.nearest(nothing, sites((1, 1)), lines=True)),
        layers.cluster_layer(geo.dbscan(nothing, eps_m=10)),
    ]
    for layer in empty:
        assert layer.payload["shapes"] == []
        assert layer.bounds is None
        page = folium.Map(tiles=None)
        layer.add_to(page)
        assert f"CompoundAtlas.{layer.kind}(" in page_html(page)


def test_inputs_stay_as_they_are():
    frame = sites((105, 12), (105.01, 12), None)
    before = frame.copy(deep=True)
    layers.hex_layer(frame, size_m=5000)
    layers.distance_layer(frame, sites=frame)
    layers.cluster_layer(geo.dbscan(frame, eps_m=3000, min_samples=2))
    pd.testing.assert_frame_equal(frame, before)


def test_a_picture_of_the_readers_own_is_carried_within_the_page(tmp_path):
    array = np.zeros((4, 4, 4))
    array[..., 0] = array[..., 3] = 1.0
    picture = tmp_path / "scan.png"
    from PIL import Image

    Image.new("RGB", (3, 2), "blue").save(picture)
    page = folium.Map(tiles=None)
    bounds = [[11, 104], [12, 105]]
    folium.raster_layers.ImageOverlay(array, bounds).add_to(page)
    folium.raster_layers.ImageOverlay(str(picture), bounds).add_to(page)
    text = page_html(page)
    assert text.count("data:image/png;base64,") >= 2
    assert str(tmp_path) not in text
