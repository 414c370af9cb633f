"""Layers: what enters a page, and nothing else; every row counted."""

import warnings
from collections import Counter

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from column_reader import rows_of, unpack
from hypothesis import example, given
from hypothesis import strategies as st

import geo
import layers
from layers.export import page_html
from layers.payload import DECIMALS, encode_geometry

HALF_UNIT = 0.5 * 10.0**-DECIMALS
DEGREES = st.tuples(st.floats(-180, 180), st.floats(-85, 85))
LINES = st.lists(DEGREES, min_size=2, max_size=12).map(shapely.LineString)


def sites(*points, **columns):
    """A frame of reports at points (None for no location)."""
    n = len(points)
    base = {
        "site_id": [f"s{i}" for i in range(n)],
        "status": ["confirmed"] * n,
        "locality": ["Poipet"] * n,
        "uncertainty_m": [5000.0] * n,
    }
    geometry = [None if p is None else shapely.Point(p) for p in points]
    return gpd.GeoDataFrame(base | columns, geometry=geometry, crs=4326)


def decoded(steps):
    """What the page's script makes of one ring or line: longitude and latitude."""
    return np.cumsum(np.reshape(steps, (-1, 2)), axis=0)[:, ::-1] / 10**DECIMALS


def assert_near(steps, ring):
    """Each vertex within half a unit; only vertices that rounding made equal are merged."""
    expected = shapely.get_coordinates(ring)
    found = decoded(steps)
    kept = np.r_[True, np.any(np.diff(np.round(expected, DECIMALS), axis=0) != 0, axis=1)]
    if len(found) == len(expected[kept]):
        assert np.abs(found - expected[kept]).max() <= HALF_UNIT * (1 + 1e-6)
    # A vertex on the very edge between two units may be rounded to either.
    gaps = np.abs(found[:, None] - expected[None]).max(axis=2)
    assert gaps.min(axis=0).max() <= HALF_UNIT * (1 + 1e-6)
    assert gaps.min(axis=1).max() <= HALF_UNIT * (1 + 1e-6)
    assert np.any(np.diff(found, axis=0) != 0, axis=1).all()


@st.composite
def polygons(draw):
    """Polygons with up to two holes, anywhere, of any size."""
    x, y = draw(st.floats(-170, 170)), draw(st.floats(-75, 75))
    size = draw(st.floats(1e-6, 9))
    shell = shapely.box(x, y, x + size, y + size)
    for share in draw(st.lists(st.sampled_from([0.1, 0.6]), unique=True, max_size=2)):
        corner = x + share * size, y + share * size
        shell -= shapely.box(*corner, corner[0] + 0.2 * size, corner[1] + 0.2 * size)
    return shell


@given(LINES)
@example(shapely.LineString([(179.999995, -0.000005), (-179.999995, 0)]))
def test_lines_come_back_within_half_a_unit(line):
    ((steps,),) = encode_geometry(line)
    assert_near(steps, line)


@given(st.lists(polygons(), min_size=1, max_size=3))
def test_polygons_with_holes_and_parts_come_back_within_half_a_unit(parts):
    encoded = encode_geometry(shapely.MultiPolygon(parts))
    assert len(encoded) == len(parts)
    for rings, part in zip(encoded, parts, strict=True):
        originals = [part.exterior, *part.interiors]
        assert len(rings) == len(originals)
        for steps, ring in zip(rings, originals, strict=True):
            assert_near(steps, ring)


def test_a_single_geometry_is_one_part_and_a_multiline_has_its_parts():
    square = shapely.box(0, 0, 1, 1)
    assert encode_geometry(square) == encode_geometry(shapely.MultiPolygon([square]))
    two = shapely.MultiLineString([[(0, 0), (1, 1)], [(5, 5), (6, 6)]])
    assert [decoded(s).tolist() for (s,) in encode_geometry(two)] == [
        [[0, 0], [1, 1]],
        [[5, 5], [6, 6]],
    ]


SPOTS = st.sampled_from([None, (104.9, 11.5), (104.900001, 11.5), (102.5, 13.6), (103.5, 10.6)])
STATUS = st.sampled_from(["confirmed", "suspected", "rejected", "unknown", None])


@given(st.lists(st.tuples(SPOTS, STATUS), max_size=25))
def test_reports_at_one_point_are_one_place_and_every_count_adds_up(rows):
    frame = sites(*(spot for spot, _ in rows), status=[status for _, status in rows])
    layer = layers.site_layer(frame)
    found = rows_of(layer)
    located = [spot for spot, _ in rows if spot]
    assert len(found.place) == len(found.status) == len(found.cards["site_id"]) == len(rows)
    assert len(found.places) == len({(round(x, 5), round(y, 5)) for x, y in located})
    for name, place in zip(found.cards["site_id"], found.place, strict=True):
        spot, status = rows[int(name[1:])]
        assert (place < 0) == (spot is None)
        assert found.status[found.cards["site_id"].index(name)] == (status or "unknown")
        if spot is not None:
            assert found.places[place] == pytest.approx(spot, abs=HALF_UNIT)
    assert layer.tally.unlocated == len(rows) - len(located)
    assert layer.tally.reports.tolist() == found.reports
    expected = Counter(status or "unknown" for _, status in rows)
    assert Counter(found.status) == expected
    words = dict(zip(layers.STATUS_SCALE.labels, layers.STATUS_SCALE.keys, strict=True))
    legend = {words[e.label]: e.count for s in layer.legend for e in s.entries}
    assert legend == dict(expected)


def test_the_largest_symbol_in_the_legend_is_the_largest_place():
    layer = layers.site_layer(sites((1, 1), (1, 1), (1, 1), (2, 2), None))
    assert [s.sizes for s in layer.legend if s.sizes] == [3]
    assert layers.site_layer(sites(None)).legend[0].sizes == 0


def test_only_the_columns_of_the_card_enter_payload_and_page():
    canary = "CANARY-7f3e"
    private = ["victim_phone", "notes", "verbatim_location", "source_file", "evidence", "abuses"]
    frame = sites((104.9, 11.5), None, **{column: [canary, canary] for column in private})
    frame = frame.assign(open_note=["shown one", "shown two"])
    page = layers.site_map(frame, details=["open_note"])
    text = page_html(page)
    assert canary not in text
    assert not [c for c in private if f'"{c}"' in text]
    layer = page.atlas_layers[-1]
    assert canary not in str(vars(rows_of(layer)))
    assert rows_of(layer).details == {"open_note": ["shown one", "shown two"]}
    opened = layers.site_layer(frame, details=["notes"])
    assert rows_of(opened).details == {"notes": [canary, canary]}


def test_a_layers_frame_and_its_exact_coordinates_do_not_enter_the_page():
    frame = sites((104.912345678, 11.598765432), geometry_backup=["104.912345678"])
    made = layers.site_map(frame)
    page = page_html(made)
    assert rows_of(made.atlas_layers[-1]).places == [(104.91235, 11.59877)]
    assert "104.912345678" not in page
    assert "11.5987654" not in page


def test_details_that_do_not_exist_are_named():
    with pytest.raises(geo.SchemaError, match="nope"):
        layers.site_layer(sites((1, 1)), details=["status", "nope"])


AREAS = gpd.GeoDataFrame({"v": [1.0]}, geometry=[shapely.box(1, 1, 2, 2)], crs=4326)
LAYERS = {
    "site_layer": layers.site_layer,
    "uncertainty_layer": layers.uncertainty_layer,
    "area_layer": lambda frame: layers.area_layer(frame, name="x"),
    "line_layer": lambda frame: layers.line_layer(frame, name="x"),
    "label_layer": lambda frame: layers.label_layer(frame.assign(name="a", style="town"), name="x"),
}
FITS = {
    "site_layer": sites((1, 1)),
    "uncertainty_layer": sites((1, 1)),
    "area_layer": AREAS,
    "line_layer": AREAS.set_geometry(AREAS.boundary),
    "label_layer": sites((1, 1)),
}


@pytest.mark.parametrize("make", LAYERS)
def test_a_frame_without_crs_is_refused(make):
    frame = FITS[make].set_crs(None, allow_override=True)
    with pytest.raises(geo.CRSError, match="set_crs"):
        LAYERS[make](frame)


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize(
    "wrong",
    [
        shapely.MultiPoint([(1, 1), (2, 2)]),
        shapely.GeometryCollection([shapely.Point(1, 1)]),
        shapely.LinearRing([(0, 0), (1, 0), (1, 1)]),
    ],
    ids=lambda g: g.geom_type,
)
def test_the_wrong_kind_of_geometry_is_named_with_its_row(make, wrong):
    frame = pd.concat([FITS[make], FITS[make]]).set_axis(["right", "wrong"])
    frame.geometry = [frame.geometry.iloc[0], wrong]
    with pytest.raises(geo.GeometryError, match=f"1 of 2 .*{wrong.geom_type}") as caught:
        LAYERS[make](frame)
    assert caught.value.problems["row"].tolist() == ["wrong"]


@pytest.mark.parametrize("make", LAYERS)
def test_missing_and_empty_geometries_are_not_drawn_and_break_nothing(make):
    frame = pd.concat([FITS[make]] * 3).set_axis([7, 7, 7])
    kind = type(frame.geometry.iloc[0])
    frame.geometry = [frame.geometry.iloc[0], None, kind()]
    layer = LAYERS[make](frame)
    if make == "site_layer":
        assert rows_of(layer).place == [0, -1, -1]
    elif make == "uncertainty_layer":
        assert len(discs_of(layer)) == 1
    else:
        assert len(layer.payload["shapes" if "shapes" in layer.payload else "labels"]) == 1


@pytest.mark.parametrize("make", LAYERS)
def test_an_empty_frame_makes_an_empty_layer_that_renders(make):
    layer = LAYERS[make](FITS[make].iloc[:0])
    assert layer.bounds is None
    page = folium.Map(tiles=None)
    layer.add_to(page)
    assert f"CompoundAtlas.{layer.kind}(" in page_html(page)


@pytest.mark.parametrize("make", LAYERS)
def test_other_reference_systems_are_brought_to_degrees(make):
    frame = FITS[make]
    metres = frame.to_crs(32648)
    before = metres.geometry.iloc[0].wkb
    expected, found = LAYERS[make](frame), LAYERS[make](metres)
    assert found.bounds == pytest.approx(expected.bounds, abs=1e-5)
    assert metres.crs == 32648
    assert metres.geometry.iloc[0].wkb == before


@pytest.mark.parametrize(
    "index", [[5, 5, 5], ["a", None, "a"], [(1, 2), (1, 2), (3, 4)], [2, 0, 1]]
)
def test_labels_of_the_index_do_not_matter(index):
    frame = sites((1, 1), (1, 1), (2, 2), uncertainty_m=[1.0, 2.0, None])
    labelled = frame.copy()
    labelled.index = pd.Index(index, tupleize_cols=False)
    assert rows_of(layers.site_layer(labelled)).place == [0, 0, 1]
    assert layers.uncertainty_layer(labelled).payload == layers.uncertainty_layer(frame).payload
    assert labelled.index.equals(pd.Index(index, tupleize_cols=False))


def test_inputs_stay_as_they_are():
    frame = geo.example_sites()
    before = frame.copy(deep=True)
    layers.site_map(frame, details=["status_basis"])
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == before.attrs


def test_rows_that_are_not_public_are_announced_where_they_are_drawn():
    frame = sites(
        (1, 1), (2, 2), None, (3, 3), sensitivity=["restricted", "protected", "protected", "public"]
    )
    with pytest.warns(geo.SensitivityWarning, match="^2 reports"):
        layers.site_layer(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.site_layer(frame.iloc[2:])
        layers.site_layer(frame.drop(columns="sensitivity"))


def discs_of(layer):
    """Longitude, latitude and radius of each circle."""
    columns = unpack(layer.payload["discs"])
    lon, lat = ([v / 1e5 for v in columns[name]] for name in ("lon", "lat"))
    return sorted(zip(lon, lat, columns["radius"], strict=True))


def test_discs_are_drawn_once_for_each_point_and_radius():
    frame = sites((1, 1), (1, 1), (1, 1), (2, 2), None, uncertainty_m=[5.0, 5.0, 9.0, None, 7.0])
    layer = layers.uncertainty_layer(frame)
    assert discs_of(layer) == [(1, 1, 5), (1, 1, 9)]
    for nothing in (frame.drop(columns="uncertainty_m"), sites((1, 1), uncertainty_m=[-5.0])):
        assert discs_of(layers.uncertainty_layer(nothing)) == []


def test_only_web_addresses_become_links():
    urls = ["https://example.org/a", "javascript:alert(1)", None]
    layer = layers.site_layer(sites((1, 1), (1, 1), (1, 1), source_url=urls))
    assert rows_of(layer).cards["source_url"] == ["https://example.org/a", "", ""]


def test_a_choropleths_legend_is_its_scale():
    frame = pd.concat([AREAS] * 4).assign(v=[0, 3, 8, None], word=["a", "b", None, "d"])
    layer = layers.area_layer(frame, name="Counts", value="v", label="word")
    scale = layers.sequential_scale([0, 3, 8])
    assert layer.payload["fills"] == [scale(0), scale(3), scale(8), scale.missing]
    assert layer.payload["labels"] == ["a", "b", "", "d"]
    (section,) = layer.legend
    assert [(e.label, e.colour) for e in section.entries] == [
        *zip(scale.labels, scale.colours, strict=True),
        ("no value", scale.missing),
    ]


def test_areas_with_too_few_have_no_class_and_their_value_stays_out_of_the_page():
    frame = pd.concat([AREAS] * 5).assign(
        v=[50.0, 12.3456789, 33.0, 100.0, 66.6], reports=[5, 9, 4, 1, None], word=list("abcde")
    )
    layer = layers.area_layer(
        frame, name="Share, %", value="v", too_few=("reports", 5), label="word"
    )
    few = "too few to say"
    assert layer.payload["values"] == ["50", "12.35", few, few, few]
    assert "66.6" not in str(layer.payload)
    scale = layers.sequential_scale([50.0, 12.3456789])
    assert layer.payload["fills"][:2] == [scale(50.0), scale(12.3456789)]
    assert len(set(layer.payload["fills"][2:])) == 1
    assert layer.payload["fills"][2] not in {*scale.colours, scale.missing}
    (section,) = layer.legend
    assert section.title == "Share, % (number of areas)"
    assert (section.entries[-1].label, section.entries[-1].note) == (few, "fewer than 5 reports")
    assert sum(entry.count for entry in section.entries) == len(frame)
    assert layer.payload["hatched"] == [2, 3, 4]
    assert [entry.hatched for entry in section.entries].count(True) == 1
    assert section.entries[-1].hatched
    enough = layers.area_layer(frame, name="x", value="v", too_few=("v", 1))
    assert few not in enough.payload["values"]


def test_areas_are_as_opaque_as_their_legend_and_turn_with_it():
    frame = pd.concat([AREAS] * 2).assign(v=[1, 2], word=["a", "b"])
    numbers, words = (layers.area_layer(frame, name="x", value=c) for c in ("v", "word"))
    for layer, graded in ((numbers, True), (words, False)):
        (section,) = layer.legend
        assert layer.payload["opacity"] == section.opacity
        assert layer.payload["graded"] is section.graded is graded
        assert layer.payload["hatched"] == []


def test_names_in_khmer_are_carried_where_the_frame_has_them():
    frame = pd.concat([AREAS] * 2).assign(word=["a", "b"], word_km=["ក", None])
    layer = layers.area_layer(frame, name="x", label="word")
    assert layer.payload["labels_km"] == ["ក", ""]
    assert "labels_km" not in layers.area_layer(frame, name="x", label="word_km").payload


def test_too_few_needs_a_value_and_a_column():
    with pytest.raises(ValueError, match="value="):
        layers.area_layer(AREAS, name="x", too_few=("v", 5))
    with pytest.raises(geo.SchemaError, match="too_few names \\['nope'\\]"):
        layers.area_layer(AREAS, name="x", value="v", too_few=("nope", 5))


@given(st.lists(st.integers(0, 40) | st.none(), min_size=1, max_size=12))
def test_every_area_is_counted_once_in_a_choropleths_legend(values):
    frame = pd.concat([AREAS] * len(values)).assign(v=pd.array(values, dtype="Int64"))
    layer = layers.area_layer(frame, name="x", value="v")
    fills = Counter(layer.payload["fills"])
    assert {e.colour: e.count for e in layer.legend[0].entries if e.count} == fills


def test_columns_of_words_and_of_truth_values_can_colour_areas():
    frame = pd.concat([AREAS, AREAS]).assign(v=["x", "y"])
    assert len(set(layers.area_layer(frame, name="n", value="v").payload["fills"])) == 2
    truths = layers.area_layer(frame.assign(v=[True, False]), name="n", value="v")
    assert len(set(truths.payload["fills"])) == 2


@pytest.mark.parametrize("column", ["value", "label"])
def test_a_column_that_does_not_exist_is_named(column):
    with pytest.raises(geo.SchemaError, match="nope"):
        layers.area_layer(AREAS, name="x", **{column: "nope"})


def test_layer_names_reach_foliums_control_escaped():
    layer = layers.line_layer(FITS["line_layer"], name="<img src=x> ${y} `")
    assert layer.layer_name == "&lt;img src=x&gt; &#36;&#123;y&#125; &#96;"
    assert layer.title == "<img src=x> ${y} `"


def test_a_map_can_fit_a_layers_extent():
    page = folium.Map(tiles=None)
    layers.site_layer(sites((104, 11), (106, 13), None)).add_to(page)
    assert page.get_bounds() == [[11, 104], [13, 106]]


@pytest.mark.parametrize("column", ["label", "style"])
def test_columns_of_names_and_lines_that_do_not_exist_are_named(column):
    points = AREAS.set_geometry(AREAS.representative_point()).assign(style="town", name="x")
    with pytest.raises(geo.SchemaError, match=f"{column} names \\['nope'\\]"):
        layers.label_layer(points, name="x", **{column: "nope"})
    if column == "label":
        with pytest.raises(geo.SchemaError, match="nope"):
            layers.line_layer(AREAS.set_geometry(AREAS.boundary), name="x", label="nope")
