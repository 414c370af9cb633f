"""What stands round a map: counts, credits and switches agree with the rows."""

import re
from html.parser import HTMLParser

import folium
import geopandas as gpd
import pytest
import shapely

import geo
import layers
from layers.export import page_html
from layers.furniture import DISCLAIMER, distinct_credits
from layers.legend import LegendEntry, LegendSection, keys_html, legend_html, symbol_unit_px


class Page(HTMLParser):
    """Text and tags of a page, by the section of the panel they stand in."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.sections, self.inputs, self._open = {"": ""}, [], [""]
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in {"section", "footer", "header"}:
            self._open.append(attrs.get("id") or attrs.get("class") or tag)
            self.sections[self._open[-1]] = ""
        if tag == "input":
            self.inputs.append(attrs)
        self._silent += tag in {"script", "style"}

    def handle_endtag(self, tag):
        if tag in {"section", "footer", "header"}:
            self._open.pop()
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data):
        if not self._silent:
            self.sections[self._open[-1]] += data


@pytest.fixture(scope="module")
def example():
    return geo.example_sites()


@pytest.fixture(scope="module")
def read(example):
    return Page(page_html(layers.site_map(example, title="T", subtitle="S", source="Src.")))


def test_legend_counts_are_the_frames(example, read):
    counts = example["status"].value_counts()
    legend = read.sections["ca-legend"]
    for status in ("confirmed", "suspected"):
        assert f"{status}{counts[status]}" in legend
    assert "rejected" not in legend
    responses = example["state_response"].dropna().value_counts()
    for word, count in responses[responses > 0].items():
        assert f"{word.replace('_', ' ')}{count}" in legend


def test_what_a_status_rests_on_is_only_said_when_it_is_given(example, read):
    assert "court" not in read.sections["ca-legend"]
    noted = layers.site_map(example, status_notes={"confirmed": "a court says so"})
    count = (example["status"] == "confirmed").sum()
    assert f"confirmeda court says so{count}" in Page(page_html(noted)).sections["ca-legend"]


def test_rows_shown_and_rows_without_location_are_both_said(example, read):
    located = int(example.geometry.notna().sum())
    words = f"{located} shown, {len(example) - located} without a location."
    assert words in read.sections["ca-legend"]


def test_every_credit_stands_once_under_the_map_and_once_in_the_methods(read):
    credits_ = distinct_credits(
        geo.load_reference(name).attrs["attribution"]
        for name in ("provinces", "countries", "land_border", "coastline", "water", "towns")
    )
    assert len(credits_) >= 3
    for section in ("ca-footer", "ca-methods"):
        for credit in credits_:
            assert read.sections[section].count(credit) == 1, credit
    assert read.sections["ca-footer"].count(DISCLAIMER) == 1
    assert "Src." in read.sections["ca-footer"]


def test_there_is_one_switch_for_every_layer_that_can_be_switched(example):
    extra = layers.line_layer(
        geo.load_reference("land_border", country="KH"), name="Extra & more", show=False
    )
    page = layers.site_map(example, layers=[extra])
    switchable = [layer for layer in page.atlas_layers if layer.control]
    read = Page(page_html(page))
    switches = [attrs for attrs in read.inputs if "data-layer" in attrs]
    assert len(switches) == len(switchable) < len(page.atlas_layers)
    for layer in switchable:
        assert read.sections["ca-legend"].count(layer.title) >= 1
    assert "Extra & more" in read.sections["ca-legend"]


def test_credits_are_split_and_kept_once():
    assert distinct_credits(["A; B.", "", "B", "A; C"]) == ["A.", "B.", "C."]
    assert distinct_credits([]) == []


@pytest.mark.parametrize("largest", [1, 2, 16, 17, 100, 10_000])
def test_symbols_keep_their_area_in_proportion_and_stay_in_bounds(largest):
    unit = symbol_unit_px(largest)
    assert 0 < unit <= 5.5
    assert unit * largest**0.5 <= 22 + 0.001 * largest**0.5


def test_a_legend_escapes_its_words_and_repeats_no_section():
    entry = LegendEntry("<b>", "#000000", "square", count=1234, note="${x}")
    section = LegendSection("<i>", (entry,))
    text = str(legend_html([section, section]))
    assert text.count("&lt;i&gt;") == 1
    assert ">1,234</b>" in text
    assert "&lt;b&gt;" in text
    assert "<i>" not in text


def test_squares_are_drawn_over_land_as_pale_as_on_the_map():
    plain, hatched = (LegendEntry("x", "#184b4f", "square", hatched=on) for on in (False, True))
    section = LegendSection("t", (plain, hatched), opacity=0.5, graded=True)
    text = str(legend_html([section]))
    assert re.findall(r'data-graded="(.*?)" fill-opacity="(.*?)"', text) == [
        ("#184b4f", "0.5"),
        ("#184b4f", "0.2"),
    ]
    assert text.count("ca-hatching") == 1
    assert text.count("ca-ground") == 2
    own = LegendSection("t", (plain,))
    assert 'data-fill="#184b4f" fill-opacity="0.85"' in str(legend_html([own]))


def test_a_dashed_outline_has_a_dashed_key():
    keys = [LegendEntry("x", "#184b4f", "line", dashed=on) for on in (False, True)]
    plain, dashed = (str(legend_html([LegendSection("t", (key,))])) for key in keys)
    assert "stroke-dasharray" in dashed
    assert "stroke-dasharray" not in plain


def test_every_key_names_the_layers_that_it_explains(example):
    one, two = (layers.site_layer(example, name=name) for name in ("One", "Two"))
    discs = layers.uncertainty_layer(example)
    parts = re.findall('data-layers="(.*?)"', str(keys_html([one, two, discs])))
    both = f"{one.get_name()} {two.get_name()}"
    assert parts == [both, both, discs.get_name()]


def test_the_size_row_names_one_some_and_most():
    text = str(legend_html([LegendSection("n", sizes=30)]))
    assert re.findall(r">([\d,]+)</text>", text) == ["1", "10", "30"]
    assert re.findall(r">([\d,]+)</text>", str(legend_html([LegendSection("n", sizes=1)]))) == ["1"]


def test_a_legend_needs_something_to_explain():
    lines = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=4326)
    with pytest.raises(geo.GeometryError, match="no legend"):
        layers.legend(layers.line_layer(lines, name="x"))
    with pytest.raises(geo.GeometryError, match="no legend"):
        layers.legend()


def test_a_legend_belongs_on_a_map(example):
    box = layers.legend(layers.site_layer(example))
    with pytest.raises(geo.ExportError, match="add_to"):
        box.render()
    page = folium.Map(tiles=None)
    box.add_to(page)
    read = Page(page_html(page))
    (words,) = [text for key, text in read.sections.items() if key.startswith("legend_")]
    assert "confirmed" in words


def test_a_legend_of_something_else_is_refused(example):
    with pytest.raises(TypeError, match="`layers` holds a GeoDataFrame"):
        layers.legend(example)


def test_circles_have_the_colour_that_their_legend_shows(example):
    layer = layers.uncertainty_layer(example, colour="#0072b2")
    assert layer.payload["colour"] == layer.legend[0].entries[0].colour == "#0072b2"
