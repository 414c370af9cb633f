"""Layers in Chromium under strain: hidden, huge, narrow, by keyboard alone."""

import html
import json
import time

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely

import geo
import layers

pytestmark = pytest.mark.browser

MANY = 10_000


def sites(lonlat, **columns):
    n = len(lonlat)
    base = {"site_id": [f"s{i}" for i in range(n)], "status": ["suspected"] * n}
    columns = base | {"locality": ["Place"] * n, "uncertainty_m": [500.0] * n} | columns
    return gpd.GeoDataFrame(columns, geometry=shapely.points(lonlat), crs=4326)


@pytest.fixture(scope="module")
def many_points():
    rng = np.random.default_rng(7)
    return rng.uniform([102.6, 10.6], [107.4, 14.4], (MANY, 2))


@pytest.fixture(scope="module")
def many(many_points, tmp_path_factory):
    file = tmp_path_factory.mktemp("many") / "map.html"
    names = [f"Place {i % 500}" for i in range(MANY)]
    return layers.save_html(layers.site_map(sites(many_points, locality=names)), file)


def counts_on_symbols(page):
    """What the symbols' accessible names say, added up."""
    names = page.eval_on_selector_all(
        ".ca-symbol", "all => all.map(e => e.getAttribute('aria-label'))"
    )
    return [int(n.rsplit(": ", 1)[1].split()[0].replace(",", "")) for n in names]


def test_of_ten_thousand_points_none_is_lost(watch, many):
    watched = watch()
    assert sum(counts_on_symbols(watched.open(many))) == MANY
    watched.assert_quiet()


def test_ten_thousand_points_open_in_time(watch, many):
    page = watch().page
    start = time.perf_counter()
    page.goto(many.as_uri())
    page.wait_for_selector(".ca-symbol")
    assert page.evaluate("document.querySelectorAll('*').length") < 10_000
    assert time.perf_counter() - start < 5


def test_ten_thousand_points_are_few_symbols(watch, many):
    assert watch().open(many).locator(".ca-symbol").count() < 600


def test_every_report_of_a_merged_symbol_is_in_its_card(watch, many):
    page = watch().open(many)
    counts = counts_on_symbols(page)
    at = int(np.argmin(counts))
    symbol = page.locator(".ca-symbol").nth(at)
    symbol.focus()
    page.keyboard.press("Enter")
    assert page.locator(".ca-card li").count() == counts[at]


@pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_clusters_that_do_not_come_back_are_faint(watch, tmp_path, scheme):
    near = [(104.5 + i / 1000, 12) for i in range(5)]
    far = [(105 + i / 1000, 13) for i in range(5)]
    radii = [1.0] * 5 + [900.0] * 5
    frame = sites([*near, *far], uncertainty_m=radii, location_method=["assigned"] * 10)
    found = geo.propagate(
        lambda rows: geo.dbscan(rows, eps_m=500, min_samples=3), frame,
        n_draws=19, rng=3, progress=False,
    )  # fmt: skip
    clusters = layers.cluster_layer(found.stability.reference, stability=found.stability)
    page_map = layers.site_map(frame, layers=[clusters])
    watched = watch(color_scheme=scheme)
    page = watched.open(layers.save_html(page_map, tmp_path / "map.html"))
    look = """all => all.map((one) => {
        const { fill, fillOpacity, stroke, strokeDasharray } = getComputedStyle(one);
        return [fill, Number(fillOpacity), stroke, strokeDasharray !== "none"];
    })"""
    paths = page.locator("path.ca-cluster.ca-filled").evaluate_all(look)
    assert [path[1] for path in paths] == clusters.payload["opacities"]
    assert paths[0][1] > 1.5 * paths[1][1] > 0
    ink = page.evaluate("CompoundAtlas.ink('ink')")
    page.evaluate("ink => { document.body.style.color = ink; }", ink)
    assert {path[2] for path in paths} == {page.evaluate("getComputedStyle(document.body).color")}
    assert all(path[3] for path in paths)
    key = page.locator(".ca-part", has_text="Clusters").locator("li")
    steps = key.filter(has_text="stable").locator("rect:nth-of-type(2)").evaluate_all(look)
    assert [step[0] for step in steps] == [paths[0][0], paths[1][0]]
    assert steps[0][1] == pytest.approx(paths[0][1])
    assert (
        page.locator("path.ca-cluster")
        .first.get_attribute("aria-label")
        .endswith("100% of it comes back, on average, in 19 draws of the true places")
    )
    page.screenshot(path=tmp_path / "shot.png")
    watched.assert_quiet()


@pytest.fixture
def few(many_points, tmp_path):
    """Points enough to be merged, few enough to be quick."""
    return layers.save_html(layers.site_map(sites(many_points[:600])), tmp_path / "few.html")


def zoom_in(page, steps):
    for _ in range(steps):
        page.click(".leaflet-control-zoom-in")
        page.wait_for_timeout(400)


def test_zooming_in_parts_merged_symbols(watch, few):
    page = watch().open(few)
    before = counts_on_symbols(page)
    assert sum(before) == 600 > len(before)
    zoom_in(page, 4)
    after = counts_on_symbols(page)
    assert max(after) < max(before)
    assert np.mean(after) < np.mean(before)


def test_panning_away_and_back_draws_the_same_with_every_hairline(watch, few):
    page = watch().open(few)
    zoom_in(page, 6)
    name = page.eval_on_selector(".folium-map", "e => e.id")
    members, pictures = [], []
    for x in (3000, -3000, 3000, -3000):
        page.evaluate(f"void window[{json.dumps(name)}].panBy([{x}, 0], {{animate: false}})")
        members.append(
            page.evaluate(
                "Object.values(window).find((v) => v && v.setShown)"
                ".groups.map((group) => group.members.length)"
            )
        )
        pictures.append(
            page.eval_on_selector(".leaflet-ca-symbol-pane canvas", "canvas => canvas.toDataURL()")
        )
    assert sum(members[1]) > 0  # hairlines lead to these
    assert members[3] == members[1]
    assert pictures[3] == pictures[1] != pictures[0]


def test_symbols_are_large_enough_for_a_finger(watch, demo):
    page = watch(390, 844, has_touch=True).open(demo / "map.html")
    boxes = page.eval_on_selector_all(
        ".ca-symbol", "all => all.map(e => e.getBoundingClientRect()).map(b => [b.width, b.height])"
    )
    assert boxes
    assert min(min(box) for box in boxes) >= 24  # WCAG 2.2, target size (minimum)


def test_the_keyboard_alone_opens_and_closes_a_card_and_focus_returns(watch, demo):
    watched = watch()
    page = watched.open(demo / "map.html")
    name = "document.activeElement.getAttribute('aria-label')"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('ca-symbol')"):
            break
    chosen = page.evaluate(name)
    assert chosen
    assert "report" in chosen
    page.keyboard.press("Enter")
    assert page.locator(".ca-card").is_visible()
    assert page.evaluate("document.activeElement.closest('.ca-card') !== null")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator(".ca-card").is_hidden()
    assert page.evaluate(name) == chosen
    page.keyboard.press(" ")
    assert page.locator(".ca-card").is_visible()
    watched.assert_quiet()


def test_arrow_keys_move_between_tabs_and_round(watch, demo):
    page = watch().open(demo / "map.html")
    page.focus("[data-tab=legend][role=tab]")
    for key, tab in (
        ("ArrowRight", "filter"),
        ("ArrowRight", "table"),
        ("ArrowRight", "methods"),
        ("ArrowRight", "legend"),
        ("ArrowLeft", "methods"),
    ):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.dataset.tab") == tab
        visible = page.locator("[role=tabpanel]:visible")
        assert visible.count() == 1
        assert visible.get_attribute("id") == f"ca-{tab}"
        assert page.locator("[role=tab][aria-selected=true]").count() == 1
        assert page.locator("[role=tab][tabindex='0']").count() == 1


def test_a_map_in_a_hidden_frame_fits_its_view_when_it_is_shown(watch, demo, tmp_path):
    text = (demo / "map.html").read_text(encoding="utf-8")
    file = tmp_path / "hidden.html"
    file.write_text(
        "<!doctype html><meta charset=utf-8><div id=tab style='display:none'><iframe width=900 "
        f'height=600 srcdoc="{html.escape(text)}"></iframe></div>',
        encoding="utf-8",
    )
    watched = watch()
    page = watched.open(file)
    page.evaluate("document.getElementById('tab').style.display = 'block'")
    page.wait_for_timeout(500)
    frame = page.frame_locator("iframe")
    container = frame.locator(".folium-map").bounding_box()
    assert container["width"] > 300
    boxes = [p.bounding_box() for p in frame.locator("path.ca-province").all()]
    assert len(boxes) == 25
    wide = max(b["x"] + b["width"] for b in boxes) - min(b["x"] for b in boxes)
    high = max(b["y"] + b["height"] for b in boxes) - min(b["y"] for b in boxes)
    assert max(wide / container["width"], high / container["height"]) > 0.75
    assert wide <= container["width"]
    assert high <= container["height"]
    watched.assert_quiet()


def test_nothing_scrolls_sideways_on_the_narrowest_screen(watch, demo):
    page = watch(320, 640).open(demo / "map.html")
    for tab in ("legend", "table", "methods"):
        page.click(f"[role=tab][data-tab={tab}]")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, tab
    page.locator(".ca-symbol").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    card = page.locator(".ca-card").bounding_box()
    assert card["x"] >= 0
    assert card["x"] + card["width"] <= 320


LONG = "Sangkat" * 60


@pytest.fixture
def long_words(tmp_path):
    columns = {c: [LONG, LONG] for c in ("locality", "name", "admin1", "source", "mine")}
    frame = sites([(104.9, 11.5), (104.9004, 11.5)], **columns)
    page = layers.site_map(
        frame, title=LONG, subtitle=LONG, source=LONG, methods=[LONG], details=["mine"]
    )
    return layers.save_html(page, tmp_path / "long.html")


def overflowing(page, selector):
    """Elements in which something sticks out to the side."""
    return page.eval_on_selector_all(
        f"{selector}, {selector} *",
        # A heading or label that only a screen reader meets is clipped to a pixel on purpose.
        "all => all.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
        ".filter(e => !e.closest('thead, .ca-search > label'))"
        ".map(e => e.tagName + '.' + e.className)",
    )


@pytest.mark.parametrize("size", [(1200, 800), (320, 640)], ids=["wide", "narrow"])
def test_long_unbroken_words_do_not_break_the_card(watch, long_words, size):
    page = watch(*size).open(long_words)
    page.locator(".ca-symbol").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".ca-card li").count() == 2
    assert overflowing(page, ".ca-card") == []


@pytest.mark.parametrize("size", [(1200, 800), (320, 640)], ids=["wide", "narrow"])
def test_long_unbroken_words_do_not_break_the_page(watch, long_words, size):
    page = watch(*size).open(long_words)
    for tab in ("legend", "table", "methods"):
        page.click(f"[role=tab][data-tab={tab}]")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], tab
        assert overflowing(page, ".ca-panel") == [], tab


def test_a_plain_map_names_whom_its_layers_owe_their_data(watch, tmp_path):
    areas = geo.load_reference("provinces")
    areas.attrs["attribution"] = '<img src=x onerror="document.body.dataset.ran=1"> & others'
    page = folium.Map([11.5, 104.9], zoom_start=8, tiles=None)
    layers.area_layer(areas, name="Provinces", style="province").add_to(page)
    layers.site_layer(geo.example_sites()).add_to(page)
    watched = watch()
    shown = watched.open(layers.save_html(page, tmp_path / "map.html"))
    line = shown.inner_text(".leaflet-control-attribution")
    assert areas.attrs["attribution"] in line
    assert "GeoNames" in line
    assert shown.locator(".leaflet-control-attribution img").count() == 0
    watched.assert_quiet()


def test_plain_folium_markers_with_popups_work_offline(watch, tmp_path):
    page = folium.Map([11.5, 104.9], zoom_start=8, tiles=None)
    folium.Marker([9.9, 103.0], popup="Words in a popup", tooltip="tip").add_to(page)
    group = folium.FeatureGroup(name="Group")
    layers.site_layer(geo.example_sites()).add_to(group)
    group.add_to(page)
    watched = watch()
    shown = watched.open(layers.save_html(page, tmp_path / "map.html"))
    shown.locator("img.leaflet-marker-icon").click()
    assert shown.inner_text(".leaflet-popup-content") == "Words in a popup"
    assert shown.locator(".ca-symbol").count() > 5
    assert watched.failed == []
    assert watched.requests[1:] == [r for r in watched.requests[1:] if r.startswith("data:")]


def test_a_folium_popup_leaves_no_complaint_in_the_console(watch, tmp_path):
    page = folium.Map([11.5, 104.9], zoom_start=8, tiles=None)
    folium.Marker([11.5, 104.9], popup="Words", tooltip="tip").add_to(page)
    watched = watch()
    shown = watched.open(layers.save_html(page, tmp_path / "map.html"))
    shown.locator("img.leaflet-marker-icon").click()
    watched.assert_quiet()


def test_allowed_tiles_are_asked_for_and_no_other_host_is(watch, tmp_path):
    page = folium.Map([11.5, 104.9], zoom_start=8, tiles=None)
    folium.TileLayer("https://tiles.example.org/{z}/{x}/{y}.png", attr="E").add_to(page)
    with pytest.warns(geo.HostWarning, match="tiles"):
        file = layers.save_html(page, tmp_path / "map.html", online=True)
    watched = watch()
    watched.page.context.set_offline(False)
    shown = watched.open(file)
    asked = [r for r in watched.requests if r.startswith("http")]
    assert asked
    assert all(a.startswith("https://tiles.example.org/8/") for a in asked)
    blocked = shown.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation',"
        " e => done(e.blockedURI)); new Image().src = 'https://other.example.org/a.png'; })"
    )
    assert "other.example.org" in blocked


def test_an_empty_map_opens_quietly(watch, tmp_path):
    frame = sites(np.zeros((1, 2))).iloc[:0]
    watched = watch()
    page = watched.open(layers.save_html(layers.site_map(frame), tmp_path / "map.html"))
    assert page.locator("path.ca-province").count() == 25
    assert page.locator(".ca-symbol").count() == 0
    page.click("[data-tab=table]")
    assert page.locator(".ca-table tbody tr").count() == 0
    watched.assert_quiet()
