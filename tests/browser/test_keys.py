"""Computed layers and their keys: the same colours, hatching, words and counts on every ground."""

import io
import re
import warnings
from itertools import pairwise

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely

import geo
import layers

pytestmark = pytest.mark.browser

WIDE, PHONE = (1200, 800), (390, 844)
SITES = "Object.values(window).find((v) => v && v.setShown)"


def until(page, wanted):
    for _ in range(100):
        if page.evaluate(wanted):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came: {wanted}")


def example():
    rng = np.random.default_rng(4)
    xy = rng.uniform(0, 100_000, (60, 2))
    frame = gpd.GeoDataFrame(
        {
            "site_id": [f"s{i}" for i in range(60)],
            "status": ["confirmed"] * 25 + ["suspected"] * 35,
            "state_response": ["closed"] * 30 + ["unclear"] * 30,
            "sensitivity": "public",
            "uncertainty_m": 3000.0,
        },
        geometry=gpd.points_from_xy(*(xy + np.array([450_000, 1_300_000])).T),
        crs=32648,
    )
    return frame.to_crs(4326)


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A map of every computed layer; clusters are off when it opens."""
    frame, provinces = example(), geo.load_reference("provinces")
    window = gpd.GeoSeries([shapely.box(450e3, 1300e3, 550e3, 1400e3)], crs=32648)
    line = gpd.GeoSeries([shapely.LineString([(104.6, 11.8), (105.4, 12.6)])], crs=4326)
    inside = frame[frame.to_crs(32648).within(window.iloc[0])]
    counts = geo.count_by_area(frame, provinces).assign(n=lambda t: t["confirmed"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.ResolutionWarning)
        made = [
            layers.area_layer(counts, name="N", value="n", too_few=("n", 2), label="name"),
            layers.hex_layer(frame, size_m=20_000),
            layers.density_layer(geo.kernel_density(inside, window, bandwidth_m=15_000)),
            layers.distance_layer(line, distances_m=[1000, 10_000], sites=frame),
            layers.line_layer(gpd.GeoDataFrame(geometry=line), name="L", style="border"),
            layers.cluster_layer(geo.dbscan(frame, eps_m=9000, min_samples=3), show=False),
        ]
    file = tmp_path_factory.mktemp("full") / "map.html"
    return layers.save_html(layers.site_map(frame, layers=made, view=provinces), file)


def opened(watch, file, size=WIDE, **options):
    watched = watch(*size, **options)
    page = watched.open(file)
    until(page, f"{SITES}.cards !== null")
    until(page, "document.querySelectorAll('path.ca-filled').length > 40")
    return watched, page


def violations(page):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(v["id"], [node["html"][:120] for node in v["nodes"][:3]]) for v in found]


@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    [(WIDE, "en", "dark"), (WIDE, "km", "light"), (PHONE, "en", "light"), (PHONE, "km", "dark")],
)
def test_axe_finds_nothing_in_keys_on_and_off(watch, full, size, language, scheme):
    watched, page = opened(watch, full, size, color_scheme=scheme)
    page.click(f"[data-language={language}]")
    assert page.locator(".ca-off").count() == 1
    assert violations(page) == []
    watched.assert_quiet()


# Colours


def looks(page):
    """Fill and opacity of areas on the map, and of squares in the legend."""
    drawn = page.eval_on_selector_all(
        "path.ca-filled:not([fill^=url])",
        "all => all.map((e) => [e.getAttribute('fill'), Number(e.getAttribute('fill-opacity'))])",
    )
    keys = page.eval_on_selector_all(
        ".ca-key rect[fill-opacity]",
        "all => all.map((e) => [e.getAttribute('fill'), Number(e.getAttribute('fill-opacity'))])",
    )
    return {tuple(look) for look in drawn}, {tuple(look) for look in keys}


def test_the_legend_shows_the_very_colours_drawn_and_follows_the_scheme(watch, full):
    _, page = opened(watch, full, color_scheme="light")
    light, keys = looks(page)
    assert light <= keys
    page.emulate_media(color_scheme="dark")
    until(page, "CompoundAtlas.ink('paper') !== '#fffdf9'")
    dark, keys = looks(page)
    assert dark <= keys
    assert len(dark) == len(light) >= 8
    assert not {colour for colour, _ in dark} & {colour for colour, _ in light}


def luminance(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_strongest_class_stands_out_most_on_either_ground(watch, full, scheme):
    _, page = opened(watch, full, color_scheme=scheme)
    land = page.evaluate("CompoundAtlas.ink('land')")
    for ramp in (layers.sequential_scale([0, 1, 2, 4, 16]).colours, layers.scales.greens(5)):
        shown = page.evaluate("all => all.map(CompoundAtlas.gradedShade)", list(ramp))
        from_land = [contrast(colour, land) for colour in shown]
        assert from_land == sorted(from_land)
        assert from_land[0] >= 1.1
        assert from_land[-1] >= 4.5
        assert min(contrast(a, b) for a, b in pairwise(shown)) >= 1.25
    below, less, same, more, above = page.evaluate(
        "all => all.map(CompoundAtlas.gradedShade)", list(layers.diverging_scale().colours)
    )
    assert contrast(same, land) < min(contrast(side, land) for side in (below, less, more, above))


def pixels(page, selector):
    """The middle of the largest element of its kind, as numbers."""
    from matplotlib.image import imread

    box = page.evaluate(
        """(selector) => {
        const all = [...document.querySelectorAll(selector)];
        const boxes = all.map((e) => e.getBoundingClientRect());
        const box = boxes.sort((a, b) => b.width * b.height - a.width * a.height)[0];
        return [box.x + box.width / 2, box.y + box.height / 2];
    }""",
        selector,
    )
    clip = {"x": box[0] - 14, "y": box[1] - 14, "width": 28, "height": 28}
    return imread(io.BytesIO(page.screenshot(clip=clip)))[..., :3]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_areas_with_too_few_are_hatched_in_map_and_legend(watch, tmp_path, scheme):
    areas = gpd.GeoDataFrame(
        {"v": [5.0, 6.0], "n": [9, 1]},
        geometry=[shapely.box(104, 11, 105, 13), shapely.box(105, 11, 106, 13)],
        crs=4326,
    )
    page = folium.Map([12, 105], zoom_start=8, tiles=None)
    layer = layers.area_layer(areas, name="V", value="v", too_few=("n", 5)).add_to(page)
    layers.legend(layer).add_to(page)
    watched = watch(color_scheme=scheme)
    shown = watched.open(layers.save_html(page, tmp_path / "map.html"))
    fills = shown.eval_on_selector_all(
        "path.ca-filled", "all => all.map((e) => e.attributes.fill.value)"
    )
    assert fills[0].startswith("#")
    (pattern,) = re.findall(r"url\(#(.*)\)", fills[1])
    assert shown.locator(f"pattern#{pattern} path.ca-hatching").count() == 1
    assert shown.locator(".ca-key li").last.locator("path.ca-hatching").count() == 1
    assert shown.locator(".ca-key path.ca-hatching").count() == 1
    grey = pixels(shown, "path.ca-filled[fill^=url]") @ [0.2126, 0.7152, 0.0722]
    assert np.ptp(grey) > 0.1
    assert np.ptp(pixels(shown, "path.ca-filled:not([fill^=url])")) < 0.9
    watched.assert_quiet()


def test_the_border_is_drawn_over_the_bands_with_ground_around_it(watch, full):
    _, page = opened(watch, full)
    depth = "(name) => Number(getComputedStyle(document.querySelector(name)).zIndex)"
    line, area = (page.evaluate(depth, f".leaflet-ca-{name}-pane") for name in ("line", "area"))
    assert line > area
    width = "all => all.map((e) => Number(e.getAttribute('stroke-width')))"
    cases = page.eval_on_selector_all(".leaflet-ca-line-pane path.ca-casing", width)
    lines = page.eval_on_selector_all(".leaflet-ca-line-pane path.ca-border", width)
    assert len(cases) == len(lines) > 1
    assert min(cases) >= max(lines) + 1.5


def test_circles_that_overlap_in_thousands_leave_the_map_readable(watch, tmp_path):
    rng = np.random.default_rng(3)
    frame = gpd.GeoDataFrame(
        {"site_id": [f"s{i}" for i in range(3000)], "uncertainty_m": 20_000.0},
        geometry=shapely.points(rng.normal([105, 12], 0.2, (3000, 2))),
        crs=4326,
    )
    page = folium.Map([12, 105], zoom_start=8, tiles=None)
    layers.uncertainty_layer(frame).add_to(page)
    shown = watch().open(layers.save_html(page, tmp_path / "map.html"))
    shown.wait_for_timeout(500)
    strongest = shown.evaluate(
        """() => {
        const canvas = document.querySelector(".leaflet-ca-disc-pane canvas");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let most = 0;
        for (let i = 3; i < data.length; i += 4) most = Math.max(most, data[i]);
        return most / 255;
    }"""
    )
    assert 0.05 < strongest < 0.3


# Switches


def test_the_key_of_a_layer_that_is_off_says_so_in_step_with_its_switch(watch, full):
    watched, page = opened(watch, full)
    off = page.locator(".ca-part.ca-off")
    assert off.locator("h2").all_inner_texts() == ["Clusters (off)"]
    assert page.inner_text(".ca-said") == ""
    switch = page.locator(".ca-layers label", has_text="Reports by hexagon").locator("input")
    switch.focus()
    page.keyboard.press("Space")
    assert [t.split(",")[0] for t in off.locator("h2").all_inner_texts()] == [
        "Clusters (off)",
        "Reports per hexagon",
    ]
    assert page.inner_text(".ca-said") == "Reports by hexagon: off"
    page.click("[data-language=km]")
    assert off.locator("h2").first.inner_text() == "ចង្កោម (បិទ)"
    page.click("[data-language=en]")
    switch.focus()
    page.keyboard.press("Space")
    assert off.count() == 1
    assert page.inner_text(".ca-said") == "Reports by hexagon: on"
    assert switch.evaluate("e => e === document.activeElement")
    watched.assert_quiet()


def test_the_key_on_a_plain_map_follows_folium_s_own_control(watch, tmp_path):
    page = folium.Map([12, 105], zoom_start=6, tiles=None)
    layer = layers.site_layer(example(), name="S").add_to(page)
    layers.legend(layer).add_to(page)
    folium.LayerControl(collapsed=False).add_to(page)
    shown = watch().open(layers.save_html(page, tmp_path / "map.html"))
    assert shown.locator(".ca-off").count() == 0
    shown.click(".leaflet-control-layers-overlays input")
    assert shown.locator(".ca-legend .ca-off h2").last.inner_text() == "Claim (off)"


def test_counts_of_the_legend_follow_the_filters(watch, full):
    _, page = opened(watch, full)
    key = {word: page.locator(f'.ca-key [data-of="{word}"]') for word in ("confirmed", "suspected")}
    bars = {word: page.locator(f'.ca-bars [data-of="{word}"]') for word in ("closed", "unclear")}
    assert key["suspected"].inner_text() == "35"
    page.click("[data-tab=filter]")
    page.locator("[data-filter=status] label", has_text="suspected").click()
    until(page, f"{SITES}.shown !== null")
    page.click("[data-tab=legend]")
    assert key["suspected"].inner_text() == "0 of 35"
    assert key["confirmed"].inner_text() == "25"
    assert (bars["closed"].inner_text(), bars["unclear"].inner_text()) == ("25 of 30", "0 of 30")
    page.click("[data-language=km]")
    assert key["suspected"].inner_text() == "0 ក្នុង 35"
    page.click("[data-language=en]")
    page.click(".ca-state button")
    until(page, f"{SITES}.shown === null")
    assert key["suspected"].inner_text() == "35"


# Words


def test_keys_and_tooltips_of_computed_layers_are_said_in_khmer(watch, full):
    watched, page = opened(watch, full)
    page.click("[data-language=km]")
    said = page.locator(".ca-part").all_inner_texts()
    assert len(said) == 8
    left = re.findall("[A-Za-z]{2,}", " ".join(said))
    assert set(left) == {"DBSCAN"}
    names = page.eval_on_selector_all("path[aria-label]", "all => all.map((e) => e.ariaLabel)")
    assert len(names) > 40
    assert re.findall("[A-Za-z]{2,}", " ".join(names)) == []
    assert any(name.startswith("កំពង់ធំ៖") for name in names)
    page.locator("path.ca-cell").first.focus()
    assert re.search("[ក-អ]", page.inner_text(".leaflet-tooltip"))
    page.click("[data-language=en]")
    again = page.eval_on_selector_all("path[aria-label]", "all => all.map((e) => e.ariaLabel)")
    assert any(name.startswith("Kampong Thom: ") for name in again)
    watched.assert_quiet()


# Paper


def test_paper_says_that_the_table_lists_all_only_where_it_does(watch, full):
    _, page = opened(watch, full)
    for tab, printed in (("legend", False), ("table", True)):
        page.click(f"[role=tab][data-tab={tab}]")
        page.emulate_media(media="print")
        page.wait_for_timeout(300)
        assert page.locator(".ca-way").is_visible() is printed
        assert page.locator(".ca-off").first.is_hidden()
        page.emulate_media(media="screen")


def test_the_legend_of_a_plain_map_is_printed_beside_no_place(watch, tmp_path):
    page = folium.Map([12, 105], zoom_start=6, tiles=None)
    layer = layers.site_layer(example()).add_to(page)
    layers.legend(layer).add_to(page)
    shown = watch().open(layers.save_html(page, tmp_path / "map.html"))
    inside = "document.querySelector('.folium-map').contains(document.querySelector('.ca-legend'))"
    assert shown.evaluate(inside)
    shown.evaluate("void window.dispatchEvent(new Event('beforeprint'))")
    assert not shown.evaluate(inside)
    shown.emulate_media(media="print")
    box, legend = (shown.locator(s).bounding_box() for s in (".folium-map", ".ca-legend"))
    assert legend["y"] >= box["y"] + box["height"]
    shown.emulate_media(media="screen")
    shown.evaluate("void window.dispatchEvent(new Event('afterprint'))")
    assert shown.evaluate(inside)


def test_a_large_map_of_a_notebook_opens_from_the_notebooks_folder(watch, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("layers.export._LARGEST_INLINE", 100_000)
    link = layers.export.notebook_html(layers.site_map(example(), title="Large"))
    beside = tmp_path / "notebook.html"
    beside.write_text(f"<!doctype html><meta charset=utf-8>{link}", encoding="utf-8")
    watched = watch()
    page = watched.open(beside)
    with page.context.expect_page() as found:
        page.click("a")
    found.value.wait_for_load_state()
    assert found.value.title() == "Large"
