"""The demo map as a reader meets it: from disk, without network, on two screens."""

import pytest

import geo
import layers
from layers import STATUS_SCALE

pytestmark = pytest.mark.browser

WIDE, PHONE = (1200, 800), (390, 844)


@pytest.fixture(scope="module")
def view():
    """What is public of the shipped reports: points, areas, and rows of neither."""
    return geo.public_view(geo.example_sites())


@pytest.fixture(scope="module")
def places(view):
    return view[view.geom_type == "Point"]


@pytest.fixture(scope="module")
def areas(view):
    return view[view.geometry.notna() & view.geom_type.ne("Point")]


@pytest.fixture(scope="module")
def pinned(tmp_path_factory):
    """A page of all located reports at points, of either status."""
    file = tmp_path_factory.mktemp("pinned") / "map.html"
    view = geo.load_reference("provinces")
    return layers.save_html(layers.site_map(geo.example_sites(), view=view), file)


def reports_behind_symbols(page):
    """Press every symbol of the whole map, zooming in nowhere, and collect the ids listed."""
    rows = []
    for symbol in page.locator(".ca-symbol").all():
        symbol.focus()
        page.keyboard.press("Enter")
        assert page.locator(".ca-card").is_visible()
        ids = page.locator(".ca-card .ca-source .ca-whole:last-child").all_inner_texts()
        assert len(ids) == page.locator(".ca-card li").count()
        rows += ids
        page.keyboard.press("Escape")
        assert page.locator(".ca-card").is_hidden()
    return rows


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_opens_without_network_and_without_complaint(watch, demo, view, places, areas, size):
    watched = watch(*size)
    page = watched.open(demo / "map.html")
    assert page.locator("path.ca-province").count() == 25
    assert page.locator(".ca-symbol").count() >= 10
    nowhere = int(view.geometry.isna().sum())
    assert min(len(places), len(areas), nowhere) > 10
    said = f"{len(places)} at a place, {len(areas)} known to an area only, {nowhere} without"
    assert said in page.inner_text(".ca-panel")
    assert page.title() == page.inner_text("h1")
    watched.assert_quiet()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_report_at_a_place_is_behind_a_symbol(watch, demo, places, size):
    watched = watch(*size)
    page = watched.open(demo / "map.html")
    page.click(".ca-beyond")
    assert sorted(reports_behind_symbols(page)) == sorted(places["site_id"])
    watched.assert_quiet()


def drawn(page):
    """Every symbol: its name, radius, counts, and the colour in the middle of each sector."""
    return page.evaluate(
        """() => {
        const layer = Object.values(window).find((v) => v && v.setShown);
        const canvas = document.querySelector(".leaflet-ca-symbol-pane canvas");
        const pen = canvas.getContext("2d"), corner = L.DomUtil.getPosition(canvas);
        const pixel = (x, y) => {
            const at = [x - corner.x, y - corner.y].map(Math.floor);
            const [r, g, b] = pen.getImageData(...at, 1, 1).data;
            return "rgb(" + r + ", " + g + ", " + b + ")";
        };
        return layer.groups.map(({ x, y, radius, counts, total, place }) => {
            let from = 0;
            const sectors = counts.map((count, i) => {
                const angle = 2 * Math.PI * (from + count / 2) / total - Math.PI / 2;
                from += count;
                // Between the number, where there is one, and the rim.
                const share = total === 1 ? 0.4 : 0.78;
                if (!count || (total > 1 && radius < 10)) return null;
                const dx = share * radius * Math.cos(angle), dy = share * radius * Math.sin(angle);
                return [layer.statuses[i].key, pixel(x + dx, y + dy)];
            }).filter(Boolean);
            const name = layer.nameOf(place), rim = pixel(x, y + radius);
            return { name, x, y, radius, total, sectors, rim };
        });
    }"""
    )


def test_legend_colours_are_the_symbols_colours(watch, pinned):
    page = watch().open(pinned)
    legend = page.eval_on_selector_all(
        "#ca-legend .ca-key li",
        "all => all.map(e => [e.querySelector('span').firstChild.textContent,"
        " getComputedStyle(e.querySelector('circle')).fill])",
    )
    legend = {word: colour for word, colour in legend if word in STATUS_SCALE.labels}
    labels = dict(zip(STATUS_SCALE.keys, STATUS_SCALE.labels, strict=True))
    sectors = [sector for symbol in drawn(page) for sector in symbol["sectors"]]
    assert {status for status, _ in sectors} == {"confirmed", "suspected"}
    assert all(legend[labels[status]] == colour for status, colour in sectors)


@pytest.mark.parametrize("largest", ["Sihanoukville", "Phnom Penh"], ids=["pinned", "demo"])
def test_the_circles_are_as_large_as_the_legend_says(watch, demo, pinned, largest):
    page = watch().open(pinned if largest == "Sihanoukville" else demo / "map.html")
    legend = page.eval_on_selector_all(
        ".ca-sizes circle", "all => all.map(e => Number(e.getAttribute('r')))"
    )
    symbols = {symbol["name"]: symbol for symbol in drawn(page)}
    assert symbols[largest]["radius"] == pytest.approx(max(legend), abs=0.06)
    assert symbols[largest]["rim"] == "rgb(124, 27, 19)"
    for symbol in symbols.values():
        assert symbol["radius"] == pytest.approx(legend[0] * symbol["total"] ** 0.5, abs=0.3)


def test_where_circles_hold_more_than_any_place_the_legend_follows(watch, demo):
    page = watch().open(demo / "map.html")
    before = page.text_content(".ca-sizes")
    page.evaluate(
        "void Object.values(window).find((v) => v && v.setShown)"
        "._map.setView([15, 110], 3, { animate: false })"
    )
    largest = max(drawn(page), key=lambda symbol: symbol["total"])
    assert page.text_content(".ca-sizes") != before
    assert str(largest["total"]) in page.text_content(".ca-sizes")
    circle = page.locator(".ca-sizes circle").last
    assert float(circle.get_attribute("r")) == pytest.approx(largest["radius"], abs=0.06)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("full", [False, True], ids=["demo", "pinned"])
def test_a_card_lists_every_report_with_its_source_and_spares_its_symbol(
    watch, demo, pinned, places, size, full
):
    page = watch(*size).open(pinned if full else demo / "map.html")
    symbol = page.locator(".ca-symbol[aria-label^='Sihanoukville']")
    symbol.click()
    sites = geo.example_sites() if full else places
    here = sites[sites.geometry.geom_equals(sites.geometry[sites["site_id"] == "KH-012"].iloc[0])]
    assert len(here) > 5
    links = page.locator(".ca-card .ca-source a")
    assert page.locator(".ca-card li").count() == len(here) == links.count()
    assert {a.get_attribute("href") for a in links.all()} == set(here["source_url"])
    for link in links.all():
        assert link.get_attribute("target") == "_blank"
        assert link.get_attribute("rel") == "noopener noreferrer"
    card, mark = page.locator(".ca-card").bounding_box(), symbol.bounding_box()
    apart = (
        card["x"] >= mark["x"] + mark["width"]
        or card["x"] + card["width"] <= mark["x"]
        or card["y"] >= mark["y"] + mark["height"]
    )
    assert apart, (card, mark)


def test_a_source_link_asks_for_its_address(watch, demo):
    watched = watch()
    page = watched.open(demo / "map.html")
    page.locator(".ca-symbol[aria-label^='Bavet']").click()
    link = page.locator(".ca-card .ca-source a").first
    address = link.get_attribute("href")
    asked = []
    page.context.on("request", lambda r: asked.append(r.url))
    with page.context.expect_page():
        link.click()
    page.wait_for_timeout(200)
    assert asked[0] == address


def test_opens_on_all_of_cambodia_on_a_phone(watch, demo):
    page = watch(*PHONE).open(demo / "map.html")
    box = page.locator(".folium-map").bounding_box()
    assert box["height"] >= PHONE[1] / 2
    paths = page.locator("path.ca-province").all()
    boxes = [p.bounding_box() for p in paths]
    assert min(b["x"] for b in boxes) >= box["x"]
    assert max(b["x"] + b["width"] for b in boxes) <= box["x"] + box["width"]
    assert min(b["y"] for b in boxes) >= box["y"]
    assert max(b["y"] + b["height"] for b in boxes) <= box["y"] + box["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_table_lists_every_report_and_leads_to_the_map(watch, demo, view, places, areas):
    watched = watch()
    page = watched.open(demo / "map.html")
    page.click("[data-tab=table]")
    rows = page.locator(".ca-table tbody tr")
    assert rows.count() == len(view)
    assert rows.filter(has_text="no location").count() == view.geometry.isna().sum()
    assert rows.filter(has_text="known to an area only").count() == len(areas)
    assert rows.filter(has=page.locator("button")).count() == len(places) + len(areas)
    page.locator(".ca-table button", has_text="Pi Thnou").click()
    assert "Pi Thnou" in page.inner_text(".ca-card h2")
    watched.assert_quiet()


def test_layers_can_be_switched_off_and_on(watch, demo, places, areas):
    page = watch().open(demo / "map.html")
    switch = page.get_by_label("Provinces of Cambodia")
    assert switch.is_checked()
    switch.uncheck()
    assert page.locator("path.ca-province").count() == 0
    switch.check()
    assert page.locator("path.ca-province").count() == 25
    assert not page.get_by_label("Clusters").is_checked()
    shaded = page.locator("path.ca-filled")
    assert shaded.count() == areas.geometry.to_wkb().nunique()
    page.get_by_label("Clusters").check()
    with pytest.warns(geo.ResolutionWarning):
        found = geo.dbscan(places, eps_m=25_000.0, min_samples=5)
    assert page.locator("path.ca-cluster:not(.ca-filled)").count() == len(found.to_frame()) > 1
    page.get_by_label("Reports known to an area only").uncheck()
    assert shaded.count() == 0


def test_symbols_never_overlap_much(watch, demo):
    page = watch(*PHONE).open(demo / "map.html")
    circles = [(symbol["x"], symbol["y"], symbol["radius"]) for symbol in drawn(page)]
    assert len(circles) >= 10
    for i, (x, y, r) in enumerate(circles):
        for u, v, s in circles[i + 1 :]:
            assert (x - u) ** 2 + (y - v) ** 2 >= (0.6 * max(r, s)) ** 2


def test_shows_in_a_notebooks_frame(watch, tmp_path):
    from layers import site_map

    page_html = site_map(geo.example_sites(), title="In a frame")._repr_html_()
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html><meta charset=utf-8><body>{page_html}", encoding="utf-8")
    watched = watch()
    page = watched.open(file)
    frame = page.frame_locator("iframe")
    assert frame.locator("path.ca-province").count() == 25
    assert frame.locator(".ca-symbol").count() >= 10
    watched.assert_quiet()
