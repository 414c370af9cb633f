"""Figures on paper say what the data say, to scale, in text, in the same bytes."""

import hashlib
import os
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from math import hypot, pi

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

import geo
import layers
from layers import _letters
from layers._letters import SMALLEST_PT, fonts_for, wrapped
from layers._marks import SMALLEST_MM, places_of, symbols_of
from layers._paper import content
from layers._plane import decode_geometry, plane_of
from layers.furniture import DISCLAIMER, distinct_credits
from layers.payload import encode_geometry

SVG = "{http://www.w3.org/2000/svg}"
MM = 25.4 / 72  # of a point
KHMER = "ភ្នំពេញ"
CAMBODIA = shapely.box(102.3, 10.3, 107.7, 14.8)


def sites(*points, **columns):
    """A frame of reports at points (None for no location)."""
    n = len(points)
    base = {
        "site_id": pd.Series([f"s{i}" for i in range(n)], dtype=str),
        "status": ["suspected"] * n,
        "uncertainty_m": [5000.0] * n,
    }
    geometry = [None if p is None else shapely.Point(p) for p in points]
    return gpd.GeoDataFrame(base | columns, geometry=geometry, crs=4326)


def words(svg):
    """Every text of a picture, in order."""
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314  # our own file


def axes_of(figure):
    return next(axes for axes in figure.axes if axes.get_gid() == "map")


def bar_of(figure):
    """Length of the scale bar in metres as it says, and in millimetres as it is drawn."""
    axes = axes_of(figure)
    (bar,) = (c for c in axes.collections if c.get_gid() == "scale-bar")
    (line,) = bar.get_segments()
    (said,) = (t.get_text() for t in axes.texts if re.fullmatch(r"[\d,.]+ k?m", t.get_text()))
    number, unit = said.split()
    return float(number.replace(",", "")) * (1000 if unit == "km" else 1), np.ptp(line[:, 0])


def rims(figure):
    """Middles and radii of the symbols, in millimetres."""
    circles = [a for a in axes_of(figure).get_children() if isinstance(a, Circle)]
    return [(c.center, c.radius) for c in circles if not c.get_fill()]


@pytest.fixture(scope="module")
def example():
    return geo.example_sites()


@pytest.fixture(scope="module", params=[85, 170])
def figure(request, example):
    return layers.site_figure(
        example, title="Title", subtitle="Below", source="Src.", width_mm=request.param
    )


@pytest.fixture(scope="module")
def svg(figure):
    return content(figure, "svg").decode()


# ---------------------------------------------------------------------------- what it says


def test_a_figure_says_what_the_data_say(example, svg):
    found = words(svg)
    text = " ".join(found)
    located = int(example.geometry.notna().sum())
    assert found[0] == "Title"
    assert found[1] == "Below"
    assert f"{located} shown, {len(example) - located} without a location." in text
    for status, count in example["status"].value_counts().items():
        if count:
            assert found.count(status) == 1
            assert str(count) in found
    assert "rejected" not in found
    assert "Src. Data to 2026-02-11. Lambert azimuthal equal-area projection (WGS 84)" in text
    assert DISCLAIMER in text
    names = ("provinces", "countries", "land_border", "coastline", "water", "towns")
    credits_ = distinct_credits(geo.load_reference(n).attrs["attribution"] for n in names)
    for credit in (*credits_, *distinct_credits([example.attrs["attribution"]])):
        assert text.count(credit) == 1


def test_no_letter_is_smaller_than_six_points_and_none_is_drawn_as_an_outline(svg):
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)]
    assert len(sizes) >= 30
    assert min(sizes) >= SMALLEST_PT
    assert "<use" not in re.sub(r'<use xlink:href="#[mC]', "", svg)  # glyphs would be used


def test_a_figure_is_as_wide_as_a_column(figure, svg):
    root = ET.fromstring(svg)  # noqa: S314  # our own file
    width = float(root.get("width").removesuffix("pt")) * MM
    assert width == pytest.approx(figure.size_mm[0], abs=1e-4)
    assert round(width, 3) in {85, 170}


def test_readers_who_cannot_see_it_are_told(example, figure, svg):
    root = ET.fromstring(svg)  # noqa: S314  # our own file
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "Title"
    assert root[1].tag == f"{SVG}desc"
    assert root[1].text == figure.alt
    assert figure.alt.startswith("Map: Title. 97 reports: 60 confirmed, 37 suspected. 79 shown")
    largest = example.dropna(subset=["geometry"]).groupby("geometry").size().max()
    assert f"Sihanoukville ({largest})" in figure.alt


def test_rows_outside_the_view_are_counted(example):
    drawn = layers.site_figure(example, view=CAMBODIA)
    here = sum(example.intersects(shapely.box(101.5, 10, 108.5, 15)))
    shown, missing, outside = map(int, re.findall(r"(\d+) (?:shown|without|outside)", drawn.alt))
    assert missing == 18
    assert shown + missing + outside == len(example)
    assert int(example.intersects(CAMBODIA).sum()) <= shown <= here


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (sites(), "0 shown, 0 without a location."),
        (gpd.GeoDataFrame(geometry=[], crs=4326), "0 shown, 0 without a location."),
        (sites(None, None), "0 shown, 2 without a location."),
        (sites((104.9, 11.5)), "1 shown, 0 without a location."),
        (sites((179.9, -17), (-179.9, -17)), "2 of those shown lie beyond the drawn land."),
        (sites((10, 88), (11, 87)), "0 shown, 0 without a location, 2 too near a pole."),
    ],
    ids=["empty", "no columns", "none located", "one", "antimeridian", "poles"],
)
def test_every_frame_has_a_figure(frame, told):
    before = frame.copy()
    drawn = layers.site_figure(frame, width_mm=85)
    assert told in " ".join(words(content(drawn, "svg")))
    assert_geodataframe_equal(frame, before)


def test_across_the_antimeridian_neighbours_stay_neighbours():
    drawn = layers.site_figure(sites((179.8, -17), (-179.8, -17)), width_mm=85)
    (first, _), (second, _) = rims(drawn)
    length, mm = bar_of(drawn)
    paper = hypot(first[0] - second[0], first[1] - second[1]) * length / mm
    true = geo.geodesic_distance(sites((179.8, -17)), sites((-179.8, -17)))["distance_m"].iloc[0]
    assert paper == pytest.approx(true, rel=1e-3)
    assert "17° S, 180° " in " ".join(t.get_text() for t in drawn.texts)


def test_half_the_world_is_refused_in_words():
    with pytest.raises(geo.GeometryError, match="would span 170 by 0 degrees"):
        layers.site_figure(sites((0, 0), (170, 0)))
    with pytest.raises(geo.GeometryError, match="`view` is empty"):
        layers.site_figure(sites((104, 12)), view=shapely.Point())


@pytest.mark.parametrize("width", [10, 1000, float("nan")])
def test_a_width_that_no_sheet_has_is_refused(width):
    with pytest.raises(ValueError, match="between 60 and 400"):
        layers.site_figure(sites((104, 12)), width_mm=width)


def test_places_that_are_not_public_are_warned_of():
    frame = sites((-64, 12), sensitivity=["protected"])
    with pytest.warns(geo.SensitivityWarning, match="1 reports are marked"):
        layers.site_figure(frame, width_mm=85)


# ---------------------------------------------------------------------------- to scale


@pytest.mark.parametrize(("west", "east", "lat"), [(-64, -62, 12), (-2.6, -2.2, 53), (96, 124, -9)])
def test_the_scale_bar_is_true_at_the_maps_latitude(west, east, lat):
    middle = (west + east) / 2
    near = sites((middle - 0.15, lat), (middle + 0.15, lat), (west, lat), (east, lat))
    drawn = layers.site_figure(near, width_mm=170)
    plane = plane_of((west, lat - 0.2, east, lat + 0.2), 123.5)
    length, mm = bar_of(drawn)
    assert mm == pytest.approx(plane.scale_bar()[1], rel=1e-9)
    x = plane.mm([plane.centre])[0, 0]
    y = plane.mm([plane.centre])[0, 1]
    ends = plane.lonlat([[x - mm / 2, y], [x + mm / 2, y]])
    true = geo.geodesic_distance(sites(ends[0]), sites(ends[1]))["distance_m"].iloc[0]
    assert length == pytest.approx(true, rel=1e-3)


def test_the_bar_in_the_file_has_the_length_that_it_says(figure, svg):
    group = re.search(r'<g id="scale-bar">.*?d="([^"]*)"', svg, re.DOTALL)[1]
    x = [float(n) for n in re.findall(r"[ML] ([\d.]+) [\d.]+", group)]
    assert (max(x) - min(x)) * MM == pytest.approx(bar_of(figure)[1], rel=1e-3)


def test_circles_of_uncertainty_are_to_scale():
    drawn = layers.site_figure(sites((-64, 12), (-62, 12), uncertainty_m=[20_000.0, 7000.0]))
    length, mm = bar_of(drawn)
    discs = [c for c in axes_of(drawn).collections if isinstance(c, PathCollection)][-1]
    across = sorted(
        np.ptp(path.vertices, axis=0).mean() * length / mm for path in discs.get_paths()
    )
    assert across == pytest.approx([14_000, 40_000], rel=2e-3)


def test_areas_are_true():
    plane = plane_of((96, -10, 124, 24), 120)
    squares = [shapely.box(x, y, x + 1, y + 1) for x, y in ((97, -9), (110, 7), (122, 22))]
    drawn = plane.drawn(np.array(squares, dtype=object))
    reached = shapely.area(drawn) * plane.m_per_mm**2
    cylindrical = gpd.GeoSeries(squares, crs=4326).segmentize(0.01).to_crs("EPSG:6933").area
    assert reached == pytest.approx(cylindrical.to_numpy(), rel=1e-3)


def test_a_projection_and_its_inverse_meet():
    plane = plane_of((102, 10, 108, 15), 100)
    lonlat = np.array([[102.5, 10.5], [105, 12], [107.9, 14.9]])
    assert plane.lonlat(plane.mm(lonlat)) == pytest.approx(lonlat, abs=1e-7)


@pytest.mark.parametrize("name", ["countries", "water"])
def test_shapes_are_read_back_as_they_were_written(name):
    frame = geo.load_reference(name)
    for shape in frame.geometry.iloc[:: max(1, len(frame) // 12)]:
        areas = shapely.get_dimensions(shape) == 2
        read = decode_geometry(encode_geometry(shape), areas=areas)
        assert (
            shapely.hausdorff_distance(
                read.boundary if areas else read, shape.boundary if areas else shape
            )
            < 1e-5
        )


# ---------------------------------------------------------------------------- symbols


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(1, 30)), max_size=60),
    st.randoms(use_true_random=False),
)
def test_symbols_hide_nothing_and_count_everything_once(cells, random):
    rows = [(103 + x / 15, 11 + y / 15) for x, y, n in cells for _ in range(n)]
    statuses = [("confirmed", "suspected", "odd")[i % 3] for i in range(len(rows))]
    frame = sites(*rows, status=statuses)
    plane = plane_of((103, 11, 107, 14), 80)
    places = places_of(frame, layers.STATUS_SCALE)
    symbols, unit = symbols_of(places, plane)
    assert sum(s.total for s in symbols) == len(rows)
    assert sorted(i for s in symbols for i in s.members) == list(range(len(places.lonlat)))
    for a, b in combinations(symbols, 2):
        assert hypot(*(a.mm - b.mm)) >= 0.94 * (a.radius_mm + b.radius_mm)
    for symbol in symbols:
        assert symbol.counts == pytest.approx(places.counts[symbol.members].sum(axis=0))
        if symbol.radius_mm > SMALLEST_MM:
            assert pi * symbol.radius_mm**2 == pytest.approx(symbol.total * pi * unit**2)
    order = list(range(len(rows)))
    random.shuffle(order)
    again, _ = symbols_of(places_of(frame.iloc[order], layers.STATUS_SCALE), plane)
    assert [(*s.mm, *s.counts) for s in again] == [(*s.mm, *s.counts) for s in symbols]


def test_twenty_thousand_places_still_make_a_legible_map():
    rng = np.random.default_rng(1)
    xy = rng.normal((105, 12.5), 0.7, (20_000, 2))
    frame = gpd.GeoDataFrame(
        {"status": "confirmed"}, geometry=gpd.points_from_xy(*xy.T), index=range(len(xy)), crs=4326
    )
    plane = plane_of((102, 10, 108, 15), 120)
    symbols, unit = symbols_of(places_of(frame, layers.STATUS_SCALE), plane)
    assert 50 < len(symbols) < 1000
    assert symbols[0].radius_mm == unit * symbols[0].total ** 0.5 > 2 * SMALLEST_MM
    assert sum(s.total for s in symbols) == np.sum(
        (plane.mm(xy) > 0).all(axis=1) & (plane.mm(xy) < [120, plane.height_mm]).all(axis=1)
    )


def test_statuses_stay_apart_in_grey_print():
    def lightness(colour):
        linear = [
            ((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92
            for c in mpl.colors.to_rgb(colour)
        ]
        luminance = float(np.dot((0.2126, 0.7152, 0.0722), linear))
        return 116 * luminance ** (1 / 3) - 16

    tones = sorted(lightness(colour) for colour in layers.STATUS_SCALE.colours)
    assert min(np.diff(tones)) > 12


# ---------------------------------------------------------------------------- layers


COARSE = pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")


@COARSE
def test_the_authors_layers_are_drawn_and_explained(example):
    clusters = geo.cluster_areas(
        geo.dbscan(example.dropna(subset=["geometry"]), eps_m=25_000, min_samples=5)
    )
    counts = geo.count_by_area(example, geo.load_reference("provinces"))
    own = [
        layers.area_layer(counts, name="Confirmed reports", value="confirmed"),
        layers.area_layer(clusters, name="Clusters", style="cluster"),
        layers.line_layer(geo.load_reference("land_border", country="KH"), name="Border & <b>"),
        layers.label_layer(
            sites((104.2, 13.9), name=["My $name$"], look=["town"]), name="n", style="look"
        ),
    ]
    drawn = layers.site_figure(example, layers=own, view=CAMBODIA)
    found = words(content(drawn, "svg"))
    for expected in ("confirmed", "Also shown", "Clusters", "Border & <b>", "My $name$"):
        assert expected in found
    axes = axes_of(drawn)
    fills = {mpl.colors.to_hex(c) for p in axes.collections for c in p.get_facecolor()}
    assert set(layers.sequential_scale(counts["confirmed"]).colours) <= fills
    (border,) = (
        c
        for c in axes.collections
        if isinstance(c, LineCollection) and mpl.colors.to_hex(c.get_color()[0]) == "#0b5d7a"
    )
    assert len(border.get_segments()) > 0


def test_what_paper_cannot_show_is_refused(example):
    with pytest.raises(geo.ExportError, match="reports as the first argument"):
        layers.site_figure(example, layers=[layers.site_layer(example)])
    with pytest.raises(TypeError, match="`layers` holds"):
        layers.site_figure(example, layers=["border"])
    with pytest.raises(TypeError, match="GeoDataFrame is needed"):
        layers.site_figure(pd.DataFrame())


# ---------------------------------------------------------------------------- text


HOSTILE = [
    "$x^2$",
    "</text><script>alert(1)</script>",
    "\\frac{1}{2}",
    "{{7*7}} & ${y}",
    "a\x00b\ufffec",
]


def test_hostile_text_is_written_as_it_is():
    frame = sites(*[(-63 + i / 2, 12) for i in range(5)], name=HOSTILE)
    drawn = layers.site_figure(frame, title="$\\alpha$ <b>", subtitle=HOSTILE[1], source=HOSTILE[3])
    svg = content(drawn, "svg")
    found = words(svg)
    for expected in ("$\\alpha$ <b>", HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[3]):
        assert expected in found
    assert "abc" in found
    assert not [e for e in ET.fromstring(svg).iter() if e.tag.endswith(("}script", "}image", "}a"))]  # noqa: S314
    for suffix in ("pdf", "png"):
        assert content(drawn, suffix)


def has_font(text):
    try:
        fonts_for(text)
    except geo.ExportError:
        return False
    return True


@pytest.mark.skipif(not has_font(KHMER), reason="no Khmer font is installed")
def test_khmer_is_written_with_a_font_that_has_it():
    frame = sites((-64.9, 11.5), name=[KHMER])
    drawn = layers.site_figure(frame, title=f"{KHMER} and Latin", width_mm=85)
    svg = content(drawn, "svg").decode()
    assert f"{KHMER} and Latin" in words(svg)
    assert KHMER in words(svg)
    family = fonts_for(KHMER)[-1]
    assert f"font-family: 'DejaVu Sans', '{family}'" in svg
    pdf = content(drawn, "pdf")
    assert family.replace(" ", "").encode().lower() in pdf.lower()
    assert b"/Type3" not in pdf


@pytest.mark.skipif(not has_font(KHMER), reason="no Khmer font is installed")
def test_khmer_signs_stand_in_their_clusters():
    # A vowel written before its consonant, and a subscript beneath it: shaped, they take less
    # room than the same characters side by side.
    whole, apart = _letters.width_mm("ក្រៅ", 10), sum(_letters.width_mm(c, 10) for c in "ក្រៅ")
    assert whole < 0.8 * apart


@pytest.fixture
def no_fonts(monkeypatch):
    caches = (_letters.fonts_for, _letters._font_with, _letters._width_mm)  # noqa: SLF001
    for function in caches:
        function.cache_clear()
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    yield
    for function in caches:
        function.cache_clear()


@pytest.mark.parametrize(
    ("text", "package"),
    [(KHMER, "fonts-khmeros"), ("緬甸", "fonts-noto-cjk"), ("မြဝတီ", "fonts-noto-core")],
)
def test_a_script_without_a_font_is_an_error_that_names_the_package(no_fonts, text, package):  # noqa: ARG001
    with pytest.raises(geo.ExportError, match=package):
        layers.site_figure(sites((-64.9, 11.5)), title=text)


def test_lines_fit_and_lose_nothing():
    text = (
        "A sentence of several words, and one_of_them_is_far_too_long_for_any_line_of_this_width."
    )
    lines = wrapped(text, 30, 6)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(_letters.width_mm(line, 6) <= 30 for line in lines)
    assert wrapped("", 30, 6) == []


# ---------------------------------------------------------------------------- files


def test_pdf_carries_its_fonts_as_truetype(figure):
    pdf = content(figure, "pdf")
    assert pdf.count(b"/FontFile2") >= 2
    assert b"/CIDFontType2" in pdf
    assert b"/Type3" not in pdf
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    assert float(box[1]) * MM == pytest.approx(figure.size_mm[0], abs=0.01)
    assert b"CreationDate" not in pdf


def test_png_has_300_dots_per_inch_and_its_words(figure):
    png = content(figure, "png")
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == tuple(int(mm / 25.4 * 300 + 1e-6) for mm in figure.size_mm)
    chunks = png.split(b"pHYs")[1]
    assert struct.unpack(">II", chunks[:8]) == (11811, 11811)  # dots per metre
    assert b"Title\x00Title" in png


def digest(figure, suffix):
    return hashlib.sha256(content(figure, suffix)).hexdigest()


SMALL = """
import hashlib, geopandas as gpd, layers
from layers._paper import content
frame = gpd.GeoDataFrame({"site_id": ["a", "b", "c"], "status": ["confirmed", "suspected", None],
    "uncertainty_m": [900.0, 20000.0, None], "name": ["One", "Two", "$3$"]},
    geometry=gpd.points_from_xy([104.9, 105.6, 105.6], [11.5, 12.2, 12.2]), crs=4326)
figure = layers.site_figure(frame, title="Same bytes", width_mm=85)
"""


def run_small():
    found = {}
    exec(SMALL, found)  # noqa: S102  # the same words as in the other process
    return found["frame"], found["figure"]


@pytest.fixture(scope="module")
def small():
    frame, figure = run_small()
    return frame, {suffix: digest(figure, suffix) for suffix in ("svg", "pdf", "png")}


def test_the_same_rows_give_the_same_bytes_in_another_process(small):
    code = SMALL + (
        "print(*(hashlib.sha256(content(figure, s)).hexdigest() for s in ('svg', 'pdf', 'png')))"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "MPLBACKEND": "svg"},
    ).stdout.split()
    assert there == list(small[1].values())


def test_the_order_of_rows_changes_no_byte(small):
    turned = layers.site_figure(small[0].iloc[::-1], title="Same bytes", width_mm=85)
    for suffix in ("svg", "png", "svg"):
        assert digest(turned, suffix) == small[1][suffix]


def test_the_readers_own_settings_change_nothing_and_are_kept(small):
    own = {"font.size": 20, "svg.fonttype": "path", "pdf.fonttype": 3, "text.parse_math": True}
    with mpl.rc_context(own):
        _, figure = run_small()
        for suffix in ("svg", "pdf"):
            assert digest(figure, suffix) == small[1][suffix]
        assert {key: mpl.rcParams[key] for key in own} == own


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_a_figure_is_written_whole(tmp_path, suffix):
    own = Figure()
    own.add_subplot().plot([1, 2], label="$x$")
    path = layers.save_figure(own, tmp_path / f"own.{suffix.upper()}")
    assert path.read_bytes() == content(own, suffix)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_is_no_figure_or_no_name_is_refused(tmp_path):
    with pytest.raises(geo.ExportError, match=r"'map\.svg'"):
        layers.save_figure(Figure(), tmp_path / "map.csv")
    with pytest.raises(geo.ExportError, match="cannot be written"):
        layers.save_figure(Figure(), tmp_path / "missing" / "map.svg")
    with pytest.raises(TypeError, match=r"site_figure\(sites\)"):
        layers.save_figure(sites(), tmp_path / "map.svg")
    assert not list(tmp_path.iterdir())


def test_importing_the_layers_does_not_load_matplotlib():
    code = "import sys, layers; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "False"


# ---------------------------------------------------------------------------- plots


WINDOW = shapely.box(103, 11, 106, 14)


@pytest.fixture(scope="module")
def pattern():
    xy = np.random.default_rng(5).uniform((103, 11), (106, 14), (40, 2))
    return sites(*xy, uncertainty_m=[4000.0] * 40, name=[f"P{i}" for i in range(40)])


def legend_of(figure):
    return [t.get_text() for t in figure.legends[0].get_texts()]


def shaded(axes):
    """Left and right edge of what is shaded as not resolvable."""
    return [
        (patch.get_x(), patch.get_x() + patch.get_width())
        for patch in axes.patches
        if mpl.colors.to_hex(patch.get_facecolor()) == "#d9d5cc"
    ]


def test_a_function_of_distance_is_drawn_with_its_units(pattern):
    result = geo.ripley_l(pattern, WINDOW)
    drawn = layers.plot(result)
    axes = drawn.axes[0]
    assert axes.get_xlabel() == "Distance (km)"
    assert axes.get_ylabel() == "L (km)"
    line = axes.lines[0]
    assert line.get_label() == "these reports"
    assert line.get_xdata() == pytest.approx(result.distances_m / 1000)
    assert line.get_ydata() == pytest.approx(result.estimate / 1000)
    assert shaded(axes) == [pytest.approx((0, 8))]  # twice the radius
    assert "not resolvable" in legend_of(drawn)
    assert drawn.alt == result.summary()


def test_k_is_an_area_and_g_a_share(pattern):
    k = geo.ripley_k(pattern, WINDOW)
    axes = layers.plot(k).axes[0]
    assert axes.get_ylabel() == "K (km²)"
    assert axes.lines[0].get_ydata() == pytest.approx(k.estimate / 1e6)
    g = geo.nearest_neighbor_g(pattern, WINDOW)
    axes = layers.plot(g).axes[0]
    assert axes.lines[0].get_ydata() == pytest.approx(g.estimate, nan_ok=True)


def test_radii_that_resolve_all_shade_nothing_and_missing_ones_shade_all(pattern):
    sharp = geo.ripley_l(pattern.assign(uncertainty_m=0.001), WINDOW, distances_m=[1, 1000, 2000])
    assert shaded(layers.plot(sharp).axes[0]) == []
    unknown = geo.ripley_l(
        pattern.assign(uncertainty_m=np.nan), WINDOW, distances_m=[0, 1000, 2000]
    )
    drawn = layers.plot(unknown)
    assert shaded(drawn.axes[0]) == [pytest.approx((0, 2))]
    assert "radii missing: resolution unknown" in legend_of(drawn)


@pytest.mark.parametrize("test", ["rank", "mad", "dclf"])
def test_an_envelope_says_whether_it_is_the_test(pattern, test):
    result = geo.envelope_test(pattern, WINDOW, n_simulations=39, test=test, rng=1, progress=False)
    drawn = layers.plot(result)
    legend = legend_of(drawn)
    note = " ".join(text.get_text() for text in drawn.texts)
    assert ("global 95 % envelope (the test)" in legend) == (test != "dclf")
    assert ("pointwise 95 % range (no test)" in legend) == (test == "dclf")
    assert f"p = {result.pvalue:.3g} for all distances" in note
    assert ("cannot be told from" in note) == (result.pvalue > 0.05)
    assert "complete spatial randomness, 39 simulations" in note


def test_a_rejected_envelope_says_where_and_to_which_side():
    model = geo.thomas(WINDOW, parents_per_km2=0.0005, offspring=8, spread_m=3000)
    sites = model.simulate(rng=4).to_frame("geometry").assign(uncertainty_m=1.0)
    result = geo.envelope_test(sites, WINDOW, n_simulations=99, rng=1, progress=False)
    above = result.distances_m[result.observed > result.high]
    note = " ".join(text.get_text() for text in layers.plot(result).texts)
    assert result.pvalue == 0.01
    assert f"It lies above the envelope at {above[0]:,.0f} m to" in " ".join(note.split())


def test_bands_are_drawn_with_what_the_radii_leave_open(example):
    border = geo.load_reference("land_border", country="KH")
    bands = geo.distance_bands(example, border)
    drawn = layers.plot(bands)
    axes = drawn.axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["1 km", "5 km", "10 km", "25 km"]
    tops = {}
    for bar in (p for container in axes.containers[:2] for p in container):
        at = round(bar.get_x() + bar.get_width() / 2)
        tops[at] = max(tops.get(at, 0), bar.get_y() + bar.get_height())
    assert list(tops.values()) == bands["count"].tolist()
    assert len(shaded(axes)) == int((~bands["resolvable"]).sum())
    spans = next(c for c in axes.collections if isinstance(c, LineCollection)).get_segments()
    assert [tuple(s[:, 1]) for s in spans] == [
        pytest.approx(pair) for pair in bands[["count_min", "count_max"]].itertuples(index=False)
    ]
    assert "Within 25 km:" in drawn.alt


def test_bands_without_status_or_rows(pattern):
    everywhere = [100_000, 900_000]
    bands = geo.distance_bands(
        pattern.drop(columns="status"), shapely.Point(104, 12), distances_m=everywhere
    )
    assert "other or not stated" in legend_of(layers.plot(bands))
    with pytest.raises(ValueError, match="no rows"):
        layers.plot(bands.iloc[:0])


@COARSE
def test_clusters_are_drawn_by_size_and_named_as_they_are(example):
    clustering = geo.dbscan(
        example.assign(locality="$a$ & <b>, aside"), eps_m=25_000, min_samples=3
    )
    axes = layers.plot(clustering).axes[0]
    sizes = sorted(clustering.to_frame()["size"], reverse=True)
    ends = {}
    for bar in (p for container in axes.containers for p in container):
        ends[round(bar.get_y(), 3)] = bar.get_x() + bar.get_width()
    assert list(ends.values()) == sizes
    assert {t.get_text() for t in axes.get_yticklabels()} == {"$a$ & <b>"}
    assert "$a$ & <b>" in words(content(axes.get_figure(), "svg"))


@COARSE
def test_no_clusters_and_too_many_are_said_in_words():
    none = geo.dbscan(sites((104, 12), (106, 13)), eps_m=100, min_samples=2)
    note = " ".join(t.get_text() for t in layers.plot(none).texts)
    assert "2 located reports in no cluster, 0 without a location." in note
    many = sites(*[(100 + i / 4, 12) for i in range(25) for _ in range(2)])
    drawn = layers.plot(geo.dbscan(many, eps_m=6000, min_samples=2))
    assert len(drawn.axes[0].get_yticklabels()) == 20
    assert "5 smaller clusters are not drawn" in " ".join(t.get_text() for t in drawn.texts)


def test_a_plot_can_stand_among_others(pattern):
    own = Figure()
    left, right = own.subplots(1, 2)
    result = geo.ripley_l(pattern, WINDOW, distances_m=[0, 10_000, 20_000])
    assert layers.plot(result, ax=left, title="$A$") is own
    assert left.get_title() == "$A$"
    assert left.get_legend() is not None
    assert not right.lines
    assert content(own, "svg")


@pytest.mark.parametrize("result", [None, 3, pd.DataFrame({"x": [1]}), sites()])
def test_what_has_no_plot_is_refused(result):
    with pytest.raises(TypeError, match="there is no plot of a"):
        layers.plot(result)


@COARSE
def test_notebooks_show_a_figure():
    drawn = layers.plot(geo.dbscan(sites((104, 12)), eps_m=10_000.0, min_samples=2))
    assert drawn._repr_png_() == content(drawn, "png")  # what Jupyter calls
