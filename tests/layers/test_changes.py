"""The layer of changes: every row counted, every change told by colour, sign and word."""

import json

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Point, box

import layers
from layers.changes import CHANGE_SCALE, change_layer
from layers.comparing import CHANGES, compare_releases
from layers.export import page_html
from layers.payload import DECIMALS
from layers.scales import Scale

HOSTILE = "</script><img src=x onerror=alert(1)>`${alert(2)}{{7*7}}"
WEST, EAST = box(104, 12, 104.5, 12.5), box(104.5, 12, 105, 12.5)
AROUND = box(103.5, 11.5, 105.5, 13)


def release(**places):
    """A release of invented sites, each with its shape, or shape and status."""
    pairs = [p if isinstance(p, tuple) else (p, "confirmed") for p in places.values()]
    shapes, status = zip(*pairs, strict=True)
    names = {WEST.wkb: "West", EAST.wkb: "East", AROUND.wkb: "Around"}
    table = {
        "site_id": list(places),
        "status": list(status),
        "admin1": [names.get(s.wkb) if s else None for s in shapes],
        "uncertainty_m": [None if s is None else 40_000.0 for s in shapes],
        "release_scheme": ["withheld" if s is None else "province area" for s in shapes],
    }
    return gpd.GeoDataFrame(table, geometry=list(shapes), crs=4326)


def drawn(layer):
    """Polygons that the page draws, in degrees, with fill and words."""
    shapes = []
    for parts in layer.payload["shapes"]:
        rings = [
            [np.cumsum(np.reshape(r, (-1, 2)), axis=0)[:, ::-1] / 10**DECIMALS for r in part]
            for part in parts
        ]
        shapes.append(shapely.MultiPolygon([shapely.Polygon(r[0], r[1:]) for r in rings]))
    return [*zip(shapes, layer.payload["fills"], layer.payload["labels"], strict=True)]


def entries(layer):
    return [(e.label, e.count, e.note) for e in layer.legend[0].entries]


OLD = release(A=WEST, B=(EAST, "suspected"), C=AROUND, D=None, E=AROUND)
NEW = release(A=WEST, B=EAST, F=AROUND, E=AROUND, G=None)


def test_the_legend_counts_every_row_once_with_a_place_or_without():
    layer = change_layer(compare_releases(OLD, NEW))
    assert entries(layer) == [
        ("added (+)", 2, "1 without a place"),
        ("removed (−)", 2, "1 without a place"),  # noqa: RUF001
        ("changed (△)", 1, ""),
        ("unchanged", 2, ""),
        ("several in one area", 1, "counted above by row, here by area"),
    ]
    assert layer.legend[0].title == "Changes since the last release"


def test_each_area_is_drawn_once_under_smaller_ones_and_says_what_changed():
    shapes = drawn(change_layer(compare_releases(OLD, NEW)))
    areas = [(shape, fill, words) for shape, fill, words in shapes if words]
    assert areas[0][2] == "Around: 1 added, 1 removed, 1 unchanged"
    assert sorted(words for _, _, words in areas[1:]) == [
        "East: 1 changed (status from suspected to confirmed)",
        "West: 1 unchanged",
    ]
    colours = {words[:4]: fill for _, fill, words in areas}
    assert colours["East"] == CHANGE_SCALE("changed")
    assert colours["West"] == CHANGE_SCALE("unchanged")
    assert colours["Arou"] not in CHANGE_SCALE.colours
    assert areas[0][0].symmetric_difference(AROUND).area < 1e-6


def test_signs_stand_within_their_area_clear_of_smaller_ones():
    shapes = drawn(change_layer(compare_releases(OLD, NEW)))
    signs = [shape for shape, _, words in shapes if not words]
    assert len(signs) == 3  # added and removed around, changed in the east
    assert sum(sign.within(EAST) for sign in signs) == 1
    outside = [s for s in signs if s.within(AROUND) and not s.intersects(WEST.union(EAST))]
    assert len(outside) == 2
    assert not outside[0].intersects(outside[1])
    widths = sorted(s.bounds[2] - s.bounds[0] for s in signs)
    assert widths[-1] < 3 * widths[0]


def test_signs_tell_the_kinds_apart_without_colour():
    kinds = {}
    for kind, old, new in (
        ("added", release(X=EAST), release(X=EAST, A=WEST)),
        ("removed", release(X=EAST, A=WEST), release(X=EAST)),
        ("changed", release(X=EAST, A=WEST), release(X=EAST, A=(WEST, "suspected"))),
        ("unchanged", release(X=EAST, A=WEST), release(X=EAST, A=WEST)),
    ):
        shapes = drawn(change_layer(compare_releases(old, new)))
        signs = [shape for shape, _, words in shapes if not words]
        kinds[kind] = signs[0] if signs else None
        assert {fill for _, fill, words in shapes if words.startswith("West")} == {
            CHANGE_SCALE(kind)
        }
    assert kinds["unchanged"] is None
    corners = {k: len(s.geoms[0].exterior.coords) - 1 for k, s in kinds.items() if s}
    assert corners == {"added": 12, "removed": 4, "changed": 3}


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    share = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_signs_and_names_can_be_read_on_every_colour():
    layer = change_layer(compare_releases(OLD, NEW))
    ink = {fill for _, fill, words in drawn(layer) if not words}
    assert len(ink) == 1
    for entry in layer.legend[0].entries:
        high, low = luminance(entry.colour), luminance(*ink)
        assert (high + 0.05) / (low + 0.05) > 4.5


def test_the_scale_is_that_of_the_changes():
    assert isinstance(CHANGE_SCALE, Scale)
    assert CHANGE_SCALE.keys == CHANGES
    assert len(set(CHANGE_SCALE.colours)) == 4


def test_a_point_is_its_circle_but_large_enough_to_be_seen():
    points = release(A=Point(104, 12), B=Point(105, 12), C=Point(104, 13))
    points["uncertainty_m"] = [20_000.0, 30.0, np.nan]
    shapes = drawn(change_layer(compare_releases(points.iloc[:0], points)))
    tall = sorted(s.bounds[3] - s.bounds[1] for s, _, words in shapes if words)
    assert tall[2] == pytest.approx(40_000 / 110_600, rel=0.01)
    assert tall[0] == pytest.approx(2 * 0.012, rel=0.02)
    assert tall[0] == pytest.approx(tall[1], rel=0.01)


def test_tooltips_stay_short_however_much_changed():
    n = 40
    old = release(**{f"S{i}": (WEST, "suspected") for i in range(n)})
    new = release(**{f"S{i}": (WEST, "confirmed") for i in range(n)})
    old["operating"], new["operating"] = "operating", [f"closed in part {i}" for i in range(n)]
    labels = change_layer(compare_releases(old, new)).payload["labels"]
    assert labels[0].startswith("West: 40 changed")
    assert max(map(len, labels)) < 80


def test_hostile_text_does_nothing():
    old, new = release(A=WEST), release(A=(WEST, HOSTILE))
    new["admin1"] = HOSTILE
    new.attrs["attribution"] = HOSTILE
    page = folium.Map(tiles=None)
    layer = change_layer(compare_releases(old, new), name=HOSTILE)
    layer.add_to(page)
    layers.legend(layer).add_to(page)
    text = page_html(page)
    assert "<img src=x" not in text
    assert "</script><img" not in text


def test_the_order_of_rows_changes_no_byte():
    one = change_layer(compare_releases(OLD, NEW)).payload
    other = change_layer(compare_releases(OLD.iloc[::-1], NEW.sample(frac=1, random_state=2)))
    assert json.dumps(one) == json.dumps(other.payload)


def test_releases_without_any_place_have_a_legend_only():
    layer = change_layer(compare_releases(release(A=None), release(A=None, B=None)))
    assert layer.payload["shapes"] == []
    assert layer.bounds is None
    assert entries(layer) == [
        ("added (+)", 1, "1 without a place"),
        ("unchanged", 1, "1 without a place"),
    ]


def test_credits_of_both_releases_are_handed_on():
    old, new = OLD.copy(), NEW.copy()
    old.attrs["attribution"], new.attrs["attribution"] = "Survey of old", "Survey of new"
    assert change_layer(compare_releases(old, new)).attribution == "Survey of new; Survey of old"


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="change_layer draws a ReleaseComparison"):
        change_layer(OLD)
