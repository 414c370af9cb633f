"""The page for every reader: languages, schemes, paper, keyboard, screen readers, small screens."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

import geo
import layers

pytestmark = pytest.mark.browser

WIDE, PHONE = (1200, 800), (390, 844)
STRINGS = json.loads((Path(layers.__file__).parent / "assets" / "strings.json").read_text("utf-8"))
SITES = "Object.values(window).find((v) => v && v.setShown)"
KHMER = re.compile("[\u1780-\u17ff]")


def until(page, wanted):
    """Wait for a thing to be so; the page's policy forbids Playwright's own way of waiting."""
    for _ in range(100):
        if page.evaluate(wanted):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came: {wanted}")


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    """A page of all located reports at points, of either status."""
    folder = tmp_path_factory.mktemp("pinned")
    page = layers.site_map(geo.example_sites(), view=geo.load_reference("provinces"))
    layers.save_html(page, folder / "map.html")
    return folder


def opened(watch, demo, size=WIDE, **options):
    watched = watch(*size, **options)
    page = watched.open(demo / "map.html")
    until(page, f"{SITES}.cards !== null")
    return watched, page


def switch(page, language):
    page.locator(f"[data-language={language}]").click()
    assert page.evaluate("document.documentElement.lang") == language


def open_card(page, group=0):
    page.evaluate(f"{SITES}.open({SITES}.groups[{group}])")
    assert page.locator(".ca-card").is_visible()


def narrow(page):
    """Leave out what is suspected, as a reader does it."""
    page.click("[data-tab=filter]")
    boxes = page.locator("[data-filter=status] input")
    boxes.nth(1).click()
    until(page, f"{SITES}.shown !== null")


def violations(page):
    """What axe-core finds wrong, for people to read."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(v["id"], [node["html"][:120] for node in v["nodes"][:3]]) for v in found]


# Accessibility rules


@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    [(WIDE, "en", "light"), (WIDE, "km", "dark"), (PHONE, "en", "dark"), (PHONE, "km", "light")],
    ids=["wide", "wide Khmer dark", "phone dark", "phone Khmer"],
)
def test_axe_finds_nothing(watch, demo, size, language, scheme):
    watched, page = opened(watch, demo, size, color_scheme=scheme)
    switch(page, language)
    for tab in page.locator("[role=tab]").all():
        tab.click()
        assert violations(page) == [], tab.get_attribute("data-tab")
    narrow(page)
    assert violations(page) == []
    open_card(page)
    assert violations(page) == []
    watched.assert_quiet()


def test_axe_would_find_something(watch, demo):
    _, page = opened(watch, demo)
    page.evaluate("document.querySelector('.ca-home').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('.ca-home').removeAttribute('title')")
    page.evaluate("document.querySelector('.ca-home').textContent = ''")
    page.evaluate("document.querySelector('.ca-note').style.color = '#eee'")
    assert {"button-name", "color-contrast"} <= {rule for rule, _ in violations(page)}


# Languages


def words_of(page):
    """All that the page says around its map: texts and accessible names."""
    return page.evaluate(
        """() => {
        const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode()) {
            const node = walk.currentNode;
            const within = node.parentElement.closest("script, style, .ca-labels");
            if (!within) found.push(node.data.trim());
        }
        for (const node of document.querySelectorAll("[aria-label], [title], [placeholder]"))
            for (const name of ["aria-label", "title", "placeholder"])
                if (!node.matches(".ca-symbol")) found.push(node.getAttribute(name) || "");
        return found.filter(Boolean);
    }"""
    )


@pytest.mark.parametrize("tab", ["legend", "filter", "table", "methods"])
def test_no_english_word_of_ours_is_left_in_khmer(watch, demo, tab):
    _, page = opened(watch, demo)
    page.click(f"[data-tab={tab}]")
    open_card(page)
    before = words_of(page)
    switch(page, "km")
    ours = {s["en"] for s in STRINGS.values() if s["en"] != s["km"]}
    # Names in rows of the data stay as they are.
    data = set(
        page.locator(".ca-table tbody bdi, .ca-card li bdi, .ca-card li b").all_inner_texts()
    )
    left = [w for w in words_of(page) if w in ours - data]
    assert left == []
    assert sum(map(bool, map(KHMER.search, words_of(page)))) > 30
    switch(page, "en")
    assert words_of(page) == before
    labels = page.locator(".ca-label-place").all_inner_texts()
    assert not [label for label in labels if KHMER.search(label)]


def test_the_language_is_switched_by_keyboard_and_says_which_is_chosen(watch, demo):
    _, page = opened(watch, demo)
    khmer, english = (page.locator(f"[data-language={code}]") for code in ("km", "en"))
    assert english.get_attribute("aria-pressed") == "true"
    khmer.focus()
    page.keyboard.press("Enter")
    assert [b.get_attribute("aria-pressed") for b in (khmer, english)] == ["true", "false"]
    assert khmer.evaluate("node => node === document.activeElement")
    assert page.locator("html").get_attribute("lang") == "km"
    assert page.locator("[data-tab=table]").inner_text() == STRINGS["table"]["km"]


def test_the_address_keeps_the_language(watch, demo):
    watched, page = opened(watch, demo)
    switch(page, "km")
    until(page, "location.hash === '#lang=km'")
    page.reload()
    until(page, "document.documentElement.lang === 'km'")
    assert page.locator("[data-tab=table]").inner_text() == STRINGS["table"]["km"]
    page.evaluate("location.hash = '#lang=constructor'")
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.lang") == "km"
    watched.assert_quiet()


def test_an_open_card_and_the_table_change_their_language(watch, pinned):
    _, page = opened(watch, pinned)
    page.click("[data-tab=table]")
    open_card(page)
    switch(page, "km")
    assert page.locator(".ca-card li").count() == 16
    tags = set(page.locator(".ca-card .ca-tag").all_inner_texts())
    assert tags == {STRINGS["term-confirmed"]["km"], STRINGS["term-suspected"]["km"]}
    assert STRINGS["name-sihanoukville"]["km"] in page.inner_text(".ca-card h2")
    rows = page.locator(".ca-table tbody tr")
    assert rows.count() == 97
    assert rows.filter(has_text=STRINGS["no-location"]["km"]).count() == 18


def test_what_the_author_wrote_stays_as_it_is(watch, demo):
    _, page = opened(watch, demo)
    kept = ("h1", ".ca-header p", ".ca-key small", ".ca-methods p:first-child bdi")
    before = [page.locator(place).first.inner_text() for place in kept]
    switch(page, "km")
    assert [page.locator(place).first.inner_text() for place in kept] == before


def test_text_from_right_to_left_is_shown_so(watch, tmp_path):
    name = "مجمع قرب الحدود 1"
    sites = gpd.GeoDataFrame(
        {"site_id": ["a"], "name": [name], "status": ["confirmed"], "uncertainty_m": [5000.0]},
        geometry=[shapely.Point(104.9, 11.5)],
        crs=4326,
    )
    file = tmp_path / "map.html"
    layers.save_html(layers.site_map(sites, title=name), file)
    page = watch().open(file)
    open_card(page)
    page.click("[data-tab=table]")
    places = ("h1 bdi", ".ca-card h2 bdi", ".ca-report-title b", ".ca-label-place bdi", "td bdi")
    for place in places:
        node = page.locator(place).first
        assert node.inner_text() == name
        assert node.evaluate("node => getComputedStyle(node).direction") == "rtl", place
    # What is around it still reads from left to right.
    assert page.locator("body").evaluate("node => getComputedStyle(node).direction") == "ltr"


# Schemes and colours


def luminance(colour):
    values = np.array(colour) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a, b):
    """Return the contrast of two colours as WCAG 2.2 defines it."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def rgb(colour):
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def inks(page, *names):
    found = page.evaluate("names => names.map((name) => CompoundAtlas.ink(name))", list(names))
    return dict(zip(names, map(rgb, found), strict=True))


GROUNDS = ("land", "abroad", "water", "paper")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_and_symbols_stand_out_from_the_ground(watch, demo, scheme):
    _, page = opened(watch, demo, color_scheme=scheme)
    texts = {
        "ink": GROUNDS,
        "soft": ("paper",),
        "link": ("paper",),
        "town": ("land", "abroad"),
        "country": ("land", "abroad"),
        "province-name": ("land",),
        "sea": ("water",),
    }
    graphics = {"rim": GROUNDS, "subject": GROUNDS, "link": GROUNDS, "border": ("land", "abroad")}
    colours = inks(page, *texts, *graphics, *GROUNDS)
    for least, pairs in ((4.5, texts), (3, graphics)):
        for name, grounds in pairs.items():
            for ground in grounds:
                assert contrast(colours[name], colours[ground]) >= least, (name, ground)
    assert (luminance(colours["paper"]) < 0.1) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_rim_of_uncertainty_stands_out(watch, demo, scheme):
    """Of the dashes, the strongest pixel of each circle is compared with the land."""
    _, page = opened(watch, demo, color_scheme=scheme)
    pixels = page.evaluate(
        """() => {
        const canvas = document.querySelector(".leaflet-ca-disc-pane canvas");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let best = [0, 0, 0, 0];
        for (let i = 0; i < data.length; i += 4)
            if (data[i + 3] > best[3]) best = Array.from(data.slice(i, i + 4));
        return best;
    }"""
    )
    share = pixels[3] / 255
    for name, ground in inks(page, "land", "water").items():
        mixed = [share * a + (1 - share) * b for a, b in zip(pixels[:3], ground, strict=True)]
        assert contrast(mixed, ground) >= 3, name


def canvas_colours(page):
    return {
        tuple(colour)
        for colour in page.evaluate(
            """() => {
        const canvas = document.querySelector(".leaflet-ca-symbol-pane canvas");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const found = new Map();
        for (let i = 0; i < data.length; i += 4) {
            const key = data.slice(i, i + 3).join();
            if (data[i + 3] === 255) found.set(key, (found.get(key) || 0) + 1);
        }
        return [...found].filter(([, n]) => n > 40).map(([key]) => key.split(",").map(Number));
    }"""
        )
    }


def test_the_map_follows_the_scheme_while_it_is_open(watch, demo):
    _, page = opened(watch, demo, color_scheme="light")
    light = inks(page, "paper", "rim", "subject")
    assert set(light.values()) <= canvas_colours(page)
    page.emulate_media(color_scheme="dark")
    until(page, "CompoundAtlas.ink('paper') !== '#fffdf9'")
    dark = inks(page, "paper", "rim", "subject")
    assert not set(light.values()) & canvas_colours(page)
    assert set(dark.values()) <= canvas_colours(page)
    legend = page.locator("#ca-legend .ca-key circle").first
    assert rgb(legend.get_attribute("fill")) == dark["subject"]
    land = page.locator("path.ca-province").first.evaluate("node => getComputedStyle(node).fill")
    assert tuple(map(int, re.findall(r"\d+", land))) == inks(page, "land")["land"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_colour_of_a_scale_can_be_seen_on_dark_ground(watch, demo, scheme):
    _, page = opened(watch, demo, color_scheme=scheme)
    given = ["#000000", "#0072b2", "#7c1b13", "#8d8474", "#d9d5cc", "#fffdf9"]
    shown = page.evaluate("all => all.map((one) => CompoundAtlas.shade(one))", given)
    if scheme == "light":
        assert shown == given
    else:
        land, rim = inks(page, "land", "rim").values()
        assert min(contrast(rgb(colour), land) for colour in shown[:-1]) >= 3
        assert contrast(rgb(shown[-1]), rim) >= 3  # hollow, and its rim is seen


# Machado, Oliveira and Fernandes (2009), "A Physiologically-based Model for Simulation of Color
# Vision Deficiency", severity 1.0, for linear light.
VISIONS = {
    "red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "grey": [[0.2126, 0.7152, 0.0722]] * 3,
}


def seen(colour, vision):
    values = np.array(colour) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    turned = np.clip(np.array(VISIONS[vision]) @ linear, 0, 1)
    back = np.where(turned <= 0.0031308, turned * 12.92, 1.055 * turned ** (1 / 2.4) - 0.055)
    return tuple(255 * back)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_claims_are_told_apart_without_colour(watch, demo, scheme):
    _, page = opened(watch, demo, color_scheme=scheme)
    filled, hollow = page.evaluate(
        "all => all.map((one) => CompoundAtlas.shade(one))", layers.STATUS_SCALE.colours[:2]
    )
    for vision in VISIONS:
        assert contrast(seen(rgb(filled), vision), seen(rgb(hollow), vision)) >= 3, vision


def test_quiet_statuses_have_a_pattern_in_map_and_legend(watch, tmp_path):
    statuses = layers.STATUS_SCALE.keys
    sites = gpd.GeoDataFrame(
        {"site_id": [*"abcd"], "status": list(statuses), "uncertainty_m": 5000.0},
        geometry=[shapely.Point(104 + i, 12) for i in range(4)],
        crs=4326,
    )
    file = tmp_path / "map.html"
    layers.save_html(layers.site_map(sites), file)
    page = watch(device_scale_factor=3).open(file)
    marked = page.evaluate(
        f"""() => {{
        const layer = {SITES}, canvas = document.querySelector(".leaflet-ca-symbol-pane canvas");
        const pen = canvas.getContext("2d"), corner = L.DomUtil.getPosition(canvas);
        return Object.fromEntries(layer.groups.map((group) => {{
            const [x, y] = [(group.x - corner.x) * 3, (group.y - corner.y) * 3].map(Math.round);
            const data = pen.getImageData(x - 8, y - 8, 17, 17).data, lights = new Set();
            for (let i = 0; i < data.length; i += 4) lights.add(data[i + 1] >> 5);
            return [layer.statuses[group.counts.indexOf(1)].key, lights.size];
        }}));
    }}"""
    )
    assert marked["confirmed"] == marked["suspected"] == 1
    assert marked["rejected"] > 1
    assert marked["unknown"] > 1
    patterns = page.locator("#ca-legend .ca-key li").evaluate_all(
        "all => all.map((one) => one.querySelectorAll('.ca-hatch, .ca-dots').length)"
    )
    assert patterns[:4] == [0, 0, 1, 1]


def test_no_two_statuses_look_alike_in_grey():
    looks = [
        (luminance(rgb(colour)), colour in {"#8d8474", "#d9d5cc"})
        for colour in layers.STATUS_SCALE.colours
    ]
    for (a, marked), (b, other) in combinations(looks, 2):
        low, high = sorted((a, b))
        assert (high + 0.05) / (low + 0.05) >= 2 or marked != other


def test_forced_colours_keep_what_is_chosen_apart(watch, demo):
    _, page = opened(watch, demo, forced_colors="active")
    borders = page.locator("[role=tab]").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).borderBottomColor)"
    )
    assert borders[0] not in borders[1:]
    assert len(set(borders[1:])) == 1
    pressed = page.locator(".ca-languages button").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).borderTopWidth)"
    )
    assert pressed == ["3px", "1px"]
    words = page.locator(".ca-label-place").first
    assert words.evaluate("node => getComputedStyle(node).forcedColorAdjust") == "none"


# Motion


@pytest.mark.parametrize("wish", ["reduce", "no-preference"])
def test_a_reader_who_wants_no_motion_gets_none(watch, demo, wish):
    _, page = opened(watch, demo, reduced_motion=wish)
    page.evaluate(
        """() => {
        window.seen = new Set();
        const watch = () => {
            for (const node of document.querySelectorAll(".leaflet-pan-anim, .leaflet-zoom-anim"))
                for (const name of node.classList) if (name.endsWith("-anim")) seen.add(name);
        };
        const options = { subtree: true, attributes: true, attributeFilter: ["class"] };
        new MutationObserver(watch).observe(document.body, options);
    }"""
    )
    page.locator(".folium-map").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(400)
    page.locator(".leaflet-control-zoom-in").click()
    page.wait_for_timeout(400)
    moved = {"leaflet-pan-anim", "leaflet-zoom-anim"}
    assert set(page.evaluate("[...seen]")) == (set() if wish == "reduce" else moved)


# Paper


def test_paper_has_the_map_its_legend_and_words_but_no_controls(watch, demo):
    watched, page = opened(watch, demo, color_scheme="dark")
    before = page.evaluate(f"[{SITES}._map.getZoom(), {SITES}._map.getCenter()]")
    page.click("[data-tab=methods]")
    page.emulate_media(media="print", color_scheme="light")
    page.wait_for_timeout(200)
    for shown in ("h1", ".ca-summary", ".folium-map", "#ca-legend", ".ca-sizes", ".ca-footer"):
        assert page.locator(shown).is_visible(), shown
    hidden = (".leaflet-bar", ".ca-tabs", ".ca-languages", ".ca-tools", ".ca-search", ".ca-act")
    for control in (*hidden, ".ca-switches", ".ca-state button"):
        assert not page.locator(control).first.is_visible(), control
    words = page.inner_text("body")
    view = geo.public_view(geo.example_sites())
    points, nowhere = int((view.geom_type == "Point").sum()), int(view.geometry.isna().sum())
    counts = f"{points} at a place, {len(view) - points - nowhere} known to an area only, {nowhere}"
    for said in (STRINGS["disclaimer"]["en"], f"{counts} without a location.", "OpenStreetMap"):
        assert said in words
    assert rgb("#fffdf9") == inks(page, "paper")["paper"]
    assert inks(page, "rim")["rim"] in canvas_colours(page)
    ratios = page.locator("canvas").evaluate_all("all => all.map((c) => c.width / c.clientWidth)")
    assert min(ratios) >= 3  # 288 dots to the inch and more
    page.emulate_media(media="screen", color_scheme="dark")
    until(page, f"{SITES}._map.getZoom() === {before[0]}")
    after = page.evaluate(f"[{SITES}._map.getZoom(), {SITES}._map.getCenter()]")
    assert after[1]["lat"] == pytest.approx(before[1]["lat"], abs=0.02)
    assert page.locator("canvas").first.evaluate("c => c.width / c.clientWidth") == 1
    assert page.locator(".ca-tabs").is_visible()
    watched.assert_quiet()


@pytest.mark.parametrize("landscape", [False, True], ids=["portrait", "landscape"])
def test_prints_on_a4(watch, demo, landscape):
    watched, page = opened(watch, demo)
    paper = page.pdf(format="A4", landscape=landscape, print_background=True)
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert 1 <= len(sizes) <= 2  # the table and the methods were not open
    wide, high = (float(size) for size in sizes[0])
    assert (wide > high) == landscape
    watched.assert_quiet()


def test_a_view_that_the_reader_chose_is_printed_and_kept(watch, demo):
    _, page = opened(watch, demo)
    page.evaluate(f"void {SITES}._map.setView([13.6, 102.6], 9, {{ animate: false }})")
    page.emulate_media(media="print")
    page.wait_for_timeout(200)
    lat, lng = page.evaluate(f"Object.values({SITES}._map.getCenter())")
    assert (lat, lng) == (pytest.approx(13.6, abs=0.1), pytest.approx(102.6, abs=0.1))
    page.emulate_media(media="screen")
    page.wait_for_timeout(200)
    until(page, f"{SITES}._map.getZoom() === 9")


# Screen readers


def test_the_map_has_a_name_and_a_summary_of_counts_alone(watch, demo):
    _, page = opened(watch, demo)
    region = page.get_by_role("main", name=f"Map: {page.title()}")
    summary = page.locator(f"#{region.get_attribute('aria-describedby')}").inner_text()
    sites = geo.public_view(geo.example_sites())
    claims = sites["status"].value_counts()
    points = int((sites.geom_type == "Point").sum())
    areas = int(sites.geometry.notna().sum()) - points
    said = f"{len(sites)} reports, {points} at a place on the map, {areas} known to an area only."
    assert said in summary
    assert f"confirmed ({claims['confirmed']}), suspected ({claims['suspected']})" in summary
    provinces = Counter(sites["admin1"].dropna()).most_common(3)
    assert all(f"{name} ({n})" in summary for name, n in provinces)
    assert not re.search(r"\d\.\d", summary)  # no coordinate
    switch(page, "km")
    assert KHMER.search(page.locator("#ca-summary").inner_text())


def test_the_summary_follows_what_is_shown(watch, demo):
    _, page = opened(watch, demo)
    page.evaluate(
        f"""() => {{
        const layer = {SITES};
        layer.setShown(Uint8Array.from(layer.places.status, (status) => status === 0 ? 1 : 0));
    }}"""
    )
    confirmed = geo.example_sites()["status"].eq("confirmed").sum()
    summary = page.locator("#ca-summary").inner_text()
    assert summary.startswith(f"{confirmed} reports, ")
    assert "suspected" not in summary


# Keyboard


def test_the_first_stop_leads_to_the_table(watch, demo):
    _, page = opened(watch, demo)
    page.keyboard.press("Tab")
    skip = page.locator(".ca-skip")
    assert skip.evaluate("node => node === document.activeElement")
    assert skip.bounding_box()["width"] > 100  # it is seen when it has the focus
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "ca-tab-table"
    assert page.locator(".ca-table tbody tr").count() == 97


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_stop_of_tab_is_seen_and_they_follow_the_page(watch, demo, scheme):
    _, page = opened(watch, demo, color_scheme=scheme)
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
            const node = document.activeElement, style = getComputedStyle(node);
            if (node === document.body) return null;
            const box = node.getBoundingClientRect(), last = window.lastStop;
            window.lastStop = node;
            // places are compared, not counted: a tooltip that comes or goes would change a count
            const follows = !last || last.compareDocumentPosition(node) & 4;
            return { follows: Boolean(follows), style: style.outlineStyle,
                     size: box.width * box.height, width: parseFloat(style.outlineWidth),
                     name: node.outerHTML.slice(0, 90) };
        }"""
        )
        if stop is None:
            break
        assert stop["style"] not in {"none", "hidden"}, stop
        assert stop["width"] >= 2, stop
        assert stop["size"] > 0, stop
        assert stop["follows"], stop
        stops.append(stop["name"])
    assert stop is None, "Tab never leaves the page"
    assert len(stops) >= 10


def test_escape_closes_the_card_and_gives_the_focus_back(watch, demo):
    _, page = opened(watch, demo)
    symbol = page.locator(".ca-symbol[tabindex='0']")
    symbol.focus()
    place = symbol.get_attribute("data-place")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('.ca-card') !== null")
    page.keyboard.press("Escape")
    assert page.locator(".ca-card").is_hidden()
    assert page.evaluate("document.activeElement.dataset.place") == place


# Fingers and small screens


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_targets_are_large_enough(watch, demo, size):
    """Of WCAG 2.2: 24 pixels; links within a sentence are exempt."""
    _, page = opened(watch, demo, size)
    for tab in page.locator("[role=tab]").all():
        tab.click()
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, input, select, summary, .ca-close")]
            .map((node) => node.type === "checkbox" ? node.parentElement : node)
            .filter((node) => node.offsetParent && node.getClientRects().length)
            .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
            .filter(([, box]) => box.width < 23.9 || box.height < 23.9)
            .map(([html, box]) => [html, box.width, box.height])"""
        )
        assert small == []


@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("size", [(640, 400), (320, 256), PHONE], ids=["200 %", "400 %", "phone"])
def test_nothing_has_to_be_scrolled_sideways(watch, demo, size, language):
    """1280 pixels enlarged to 200 and 400 %, as WCAG 2.2 (1.4.10) asks, and a phone."""
    _, page = opened(watch, demo, size)
    switch(page, language)
    for tab in page.locator("[role=tab]").all():
        tab.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        box = page.locator(".ca-panel").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
    assert page.locator(".folium-map").bounding_box()["height"] >= 200
