"""Reports known to an area only, as a reader meets them: found, counted, listed, never a point."""

import json
import re

import folium
import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geo
import layers
from layers.regions import region_layer

pytestmark = pytest.mark.browser

WIDE, PHONE = (1200, 800), (390, 844)
SITES = "Object.values(window).find((v) => v && v.setShown)"
HOSTILE = "</script><img src=x onerror=alert(1)>"
SHAPES = {
    "Square": shapely.box(104.2, 12.2, 104.8, 12.8),
    "Ring": shapely.box(103, 11, 107, 14).difference(shapely.box(103.4, 11.4, 106.6, 13.6)),
    "Corner": shapely.box(105, 11.5, 106, 13).difference(shapely.box(104, 11.6, 105.9, 14)),
    HOSTILE: shapely.box(104.4, 12.4, 104.5, 12.5),
}  # fmt: skip


def released():
    """Five reports in each shape, of either status, and some at a point."""
    rows = [
        (f"{k}{i}", "confirmed" if i < 2 else "suspected", "district area", shape, name)
        for k, (name, shape) in enumerate(SHAPES.items())
        for i in range(5)
    ]
    point = shapely.Point(104.55, 12.85)
    rows += [(f"p{i}", "confirmed", "exact", point, "Square") for i in range(3)]
    columns = ["site_id", "status", "release_scheme", "geometry", "admin2"]
    frame = pd.DataFrame(rows, columns=columns).assign(uncertainty_m=9000.0, sensitivity="public")
    frame["operating"] = ["operating", "closed"] * 11 + ["closed"]
    frame["source_url"] = [f"https://example.org/{i}" for i in frame["site_id"]]
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=4326)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    file = tmp_path_factory.mktemp("areas") / "map.html"
    return layers.save_html(layers.site_map(released(), title="Areas"), file)


@pytest.fixture(scope="module")
def view():
    return geo.public_view(geo.example_sites())


@pytest.fixture(scope="module")
def areas(view):
    return view[view.geometry.notna() & view.geom_type.ne("Point")]


def opened(watch, path, size=WIDE, **options):
    watched = watch(*size, **options)
    page = watched.open(path)
    page.wait_for_selector("#ca-filter > *", state="attached")
    return watched, page


def drawn(page):
    """Each area: what it says, whether Tab leads to it, and whether it is there to be seen."""
    return page.evaluate(
        """() => [...document.querySelectorAll("path.ca-filled")].map((path) => ({
            words: path.getAttribute("aria-label"), stop: path.getAttribute("tabindex") === "0",
            hidden: path.getAttribute("aria-hidden") === "true",
            gone: path.style.display === "none", active: path.classList.contains("ca-active"),
        }))"""
    )


def in_view(page):
    """The part of the earth that the map shows."""
    west, south, east, north = page.evaluate(
        f"{SITES}._map.getBounds().toBBoxString().split(',').map(Number)"
    )
    return shapely.box(west, south, east, north)


def choose(page, column, value):
    page.click("[data-tab=filter]")
    page.locator(f"[data-filter={column}] label", has_text=value).locator("input").click()
    page.wait_for_timeout(100)


# Tab stops


@pytest.mark.parametrize(
    ("lat", "lng", "zoom"),
    [(12.5, 105, 7), (12.5, 104.5, 12), (12.2, 105.5, 11), (13.8, 105, 10), (5, 100, 8)],
    ids=["all", "within the ring and a square", "beside the corner", "on the ring", "elsewhere"],
)
def test_tab_leads_to_the_areas_in_view_and_to_no_other(watch, shapes, lat, lng, zoom):
    _, page = opened(watch, shapes)
    page.evaluate(f"void {SITES}._map.setView([{lat}, {lng}], {zoom}, {{ animate: false }})")
    seen = in_view(page)
    found = {area["words"].split(", district")[0]: area["stop"] for area in drawn(page)}
    assert found == {name: shape.intersects(seen) for name, shape in SHAPES.items()}
    assert all(area["hidden"] != area["stop"] for area in drawn(page))
    sizes = page.locator("path.ca-filled[tabindex='0']").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect()).map((box) => box.width * box.height)"
    )
    assert all(size > 0 for size in sizes)


def test_the_stops_of_the_demonstration_are_the_areas_in_view(watch, demo, areas):
    _, page = opened(watch, demo / "map.html")
    distinct = areas.geometry.drop_duplicates()
    for press in (None, ".ca-beyond", ".ca-home"):
        if press:
            page.click(press)
        wanted = distinct.intersects(in_view(page)).sum()
        assert sum(area["stop"] for area in drawn(page)) == wanted, press
        assert wanted < len(distinct) or press == ".ca-beyond"


# The way from a report to its area


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("by", ["table", "search"])
def test_a_report_leads_to_its_area_and_to_all_reports_in_it(watch, demo, areas, size, by):
    watched, page = opened(watch, demo / "map.html", size)
    if by == "table":
        page.click("[data-tab=table]")
        page.locator(".ca-table button", has_text="Timor-Leste").click()
    else:
        page.fill("#ca-find", "timor")
        page.keyboard.press("Enter")
    assert page.inner_text(".ca-card h2") == "Timor-Leste, country"
    assert "somewhere in this area" in page.inner_text(".ca-card .ca-meta >> nth=1")
    here = areas[areas["country"] == "TL"]
    assert page.locator(".ca-card li").count() == len(here)
    links = page.locator(".ca-card .ca-source a")
    assert {a.get_attribute("href") for a in links.all()} == set(here["source_url"])
    (active,) = (area for area in drawn(page) if area["active"])
    assert active["words"].startswith("Timor-Leste, country: 1 suspected.")
    assert active["stop"]
    page.keyboard.press("Escape")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == active["words"]
    assert page.inner_text(".ca-tip") == active["words"]
    assert not any(area["active"] for area in drawn(page))
    watched.assert_quiet()


def test_the_area_lies_beside_its_card(watch, demo):
    _, page = opened(watch, demo / "map.html")
    page.click("[data-tab=table]")
    page.locator(".ca-table button", has_text="Timor-Leste").click()
    card = page.locator(".ca-card").bounding_box()
    area = page.locator("path.ca-filled.ca-active").bounding_box()
    assert area["x"] + area["width"] <= card["x"]


def test_an_area_too_small_to_be_seen_is_brought_near(watch, demo):
    _, page = opened(watch, demo / "map.html", PHONE)
    before = page.locator("path.ca-filled[aria-label^='Kampong Rou']").bounding_box()["width"]
    page.fill("#ca-find", "kampong rou")
    page.keyboard.press("Enter")
    after = page.locator("path.ca-filled.ca-active").bounding_box()["width"]
    assert before < 30
    assert after > 60


@pytest.mark.parametrize("by", ["Enter", " ", "pointer"])
def test_an_area_opens_its_card(watch, demo, areas, by):
    watched, page = opened(watch, demo / "map.html")
    path = page.locator("path.ca-filled[aria-label^='Preah Sihanouk']")
    assert path.get_attribute("role") == "button"
    if by == "pointer":
        inner = areas[areas["admin1"].eq("Preah Sihanouk")].geometry.iloc[0]
        at = shapely.point_on_surface(inner.difference(shapely.box(100, 9, 103.8, 12)))
        x, y = page.evaluate(
            f"""() => {{
            const {{ x, y }} = {SITES}._map.latLngToContainerPoint([{at.y}, {at.x}]);
            const box = {SITES}._map.getContainer().getBoundingClientRect();
            return [box.x + x, box.y + y];
        }}"""
        )
        page.mouse.click(x, y)
    else:
        path.focus()
        page.keyboard.press(by)
    here = areas[areas["admin1"].eq("Preah Sihanouk")]
    assert page.inner_text(".ca-card h2") == "Preah Sihanouk, province"
    ids = page.locator(".ca-card .ca-source .ca-whole:last-child").all_inner_texts()
    assert sorted(ids) == sorted(here["site_id"])
    page.locator(".leaflet-control-zoom-in").click()
    page.wait_for_timeout(400)
    assert page.locator(".ca-card").is_hidden()
    assert not any(area["active"] for area in drawn(page))
    watched.assert_quiet()


def test_a_layer_that_is_off_is_switched_on_by_its_report(watch, shapes):
    _, page = opened(watch, shapes)
    box = page.get_by_label("Reports known to an area only")
    box.uncheck()
    assert drawn(page) == []
    page.click("[data-tab=table]")
    page.locator(".ca-table button", has_text="Corner").first.click()
    assert page.inner_text(".ca-card h2") == "Corner, district"
    assert [area["active"] for area in drawn(page)].count(True) == 1
    page.click("[data-tab=legend]")
    assert box.is_checked()


# What is chosen


def test_areas_and_their_keys_follow_the_filters(watch, shapes):
    _, page = opened(watch, shapes)
    rows = released()
    choose(page, "status", "confirmed")
    words = [area["words"] for area in drawn(page)]
    assert all(": 3 suspected. The places are" in said for said in words)
    choose(page, "operating", "closed")
    shown = rows[rows["status"].eq("suspected") & rows["operating"].eq("operating")]
    for area in drawn(page):
        name = area["words"].split(", district")[0]
        n = int((shown["admin2"] == name).sum())
        assert f": {n} suspected. The place" in area["words"]
        assert area["stop"]
    page.click("[data-tab=legend]")
    key = page.locator(".ca-part", has_text="Reports known to an area only").locator("small")
    assert key.inner_text() == f"{len(shown)} suspected"
    assert "claims, responses and areas follow the filter" in page.inner_text(".ca-panel")
    page.locator("path.ca-filled").first.focus()
    page.keyboard.press("Enter")
    ids = page.locator(".ca-card .ca-source .ca-whole:last-child").all_inner_texts()
    assert set(ids) <= set(shown["site_id"])
    assert len(ids) in {1, 2}


def test_an_area_without_a_report_that_is_shown_is_not_drawn(watch, shapes):
    _, page = opened(watch, shapes)
    choose(page, "status", "suspected")
    choose(page, "status", "confirmed")
    assert all(area["gone"] and not area["stop"] for area in drawn(page))
    page.click("[data-tab=legend]")
    key = page.locator(".ca-part", has_text="Reports known to an area only").locator("small")
    assert key.inner_text() == "no reports"
    page.get_by_label("Reports known to an area only").uncheck()
    page.get_by_label("Reports known to an area only").check()
    assert all(area["gone"] for area in drawn(page))
    page.locator(".ca-state button").click()
    page.wait_for_timeout(100)
    assert not any(area["gone"] for area in drawn(page))
    assert key.inner_text() == "8 confirmed, 12 suspected"


def test_reports_in_areas_outside_the_view_are_counted(watch, shapes):
    _, page = opened(watch, shapes)
    page.evaluate(f"void {SITES}._map.setView([5, 100], 9, {{ animate: false }})")
    assert page.inner_text(".ca-beyond").startswith(f"{len(released())} reports outside")
    page.click(".ca-beyond")
    assert not page.locator(".ca-beyond").is_visible()
    assert all(area["stop"] for area in drawn(page))


def test_a_file_of_rows_has_the_name_of_the_area_and_no_point(watch, demo, areas):
    _, page = opened(watch, demo / "map.html")
    written = page.evaluate(
        f"(async () => (await CompoundAtlas.writeRows('geojson', [{SITES}])).text())()"
    )
    features = {f["properties"]["site_id"]: f for f in json.loads(written)["features"]}
    for row in areas.itertuples():
        feature = features[row.site_id]
        assert feature["geometry"] is None
        assert feature["properties"]["locality"].endswith(f"({row.release_scheme})")
    table = page.evaluate(
        f"(async () => (await CompoundAtlas.writeRows('csv', [{SITES}])).text())()"
    )
    ends = {line.split(",")[0]: line.strip()[-2:] for line in table.splitlines()}
    assert {ends[site_id] for site_id in areas["site_id"]} == {",,"}


# Readers


def test_areas_speak_khmer(watch, shapes):
    _, page = opened(watch, shapes)
    page.locator("path.ca-filled").first.focus()
    page.keyboard.press("Enter")
    page.locator("[data-language=km]").click()
    said = [area["words"] for area in drawn(page)]
    key = page.locator(".ca-part", has_text=re.compile("ត្រឹមតំបន់")).inner_text()
    meta = page.locator(".ca-card .ca-meta").all_inner_texts()
    names = [words.split(", ")[0] for words in said]
    assert sorted(names) == sorted(SHAPES)
    rest = [words.removeprefix(name) for words, name in zip(said, names, strict=True)]
    assert not re.search("[A-Za-z]", " ".join([*rest, key, *meta]))
    choose(page, "status", "សង្ស័យ")
    assert "សង្ស័យ" not in drawn(page)[0]["words"]


def test_names_of_areas_that_the_page_knows_are_said_in_khmer(watch, demo):
    _, page = opened(watch, demo / "map.html")
    page.locator("[data-language=km]").click()
    said = [area["words"].split(", ")[0] for area in drawn(page)]
    assert {"កម្ពុជា", "បន្ទាយមានជ័យ", "ព្រះសីហនុ"} <= set(said)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keys_look_like_the_areas(watch, demo, scheme):
    _, page = opened(watch, demo / "map.html", color_scheme=scheme)
    look = """(node, sides) => {
        const style = getComputedStyle(node);
        return [style.fill, style.fillOpacity, style.stroke, style.strokeDasharray !== "none"];
    }"""
    part = page.locator(".ca-part", has_text="Reports known to an area only")
    district = page.locator("path.ca-filled[aria-label*=', district']").first.evaluate(look)
    key = part.locator("li", has_text="district").locator("rect")
    tint, line = key.nth(1).evaluate(look), key.nth(2).evaluate(look)
    assert tint[:2] == district[:2]
    assert line[2:] == district[2:]
    hollow = part.locator("li", has_text="outlined").locator("rect")
    assert [one.evaluate(look)[0] for one in hollow.all()][1:] == ["none", "none"]


def test_axe_finds_nothing_in_the_card_of_an_area(watch, demo):
    from axe_playwright_python.sync_playwright import Axe

    _, page = opened(watch, demo / "map.html")
    page.click("[data-tab=table]")
    page.locator(".ca-table button", has_text="Preah Sihanouk (province").first.click()
    assert page.locator(".ca-card").is_visible()
    assert Axe().run(page).response["violations"] == []


def test_hostile_names_stay_text(watch, shapes):
    watched, page = opened(watch, shapes)
    path = page.locator("path.ca-filled").last
    path.focus()
    assert page.inner_text(".ca-tip").startswith(f"{HOSTILE}, district")
    page.keyboard.press("Enter")
    assert page.inner_text(".ca-card h2") == f"{HOSTILE}, district"
    watched.assert_quiet()


def test_areas_on_any_map_say_what_they_hold(watch, tmp_path):
    page_map = folium.Map(location=[12.5, 105], zoom_start=7, tiles=None)
    region_layer(released()).add_to(page_map)
    watched = watch()
    page = watched.open(layers.save_html(page_map, tmp_path / "map.html"))
    found = drawn(page)
    assert len(found) == len(SHAPES)
    assert all("2 confirmed, 3 suspected. The places" in area["words"] for area in found)
    assert all(area["stop"] for area in found)
    assert page.locator("path.ca-filled").first.get_attribute("role") == "img"
    watched.assert_quiet()
