"""Readers choose reports: by value, by date, by name; by mouse and by keyboard alone."""

import calendar
import datetime as dt
import html
import re
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import layers

pytestmark = pytest.mark.browser

LAYER = "Object.values(window).find((v) => v && v.setShown)"
VIEW = f"""(() => {{
    const map = {LAYER}._map, {{ lat, lng }} = map.getCenter();
    return [map.getZoom(), lat, lng];
}})()"""
HOSTILE = [
    "</script><script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "${window.ran=1} {{7*7}}",
    "~",
    "a,b&c=d%",
    "__proto__",
    "=1+1",
]
DATES = ["2019", "2020-02", "2020-02-29", "2021-12-31", "2022-06", None, "spring", "2021-13"]


def frame(n=400, seed=3):
    rng = np.random.default_rng(seed)
    towns = rng.uniform([103, 10.8], [107, 14], (12, 2))
    points = shapely.points(np.round(towns[rng.integers(0, 12, n)], 3))
    points[::9] = None
    hosts = np.array(["casino", "hotel", "casino|hotel", "villa | casino", "", None, *HOSTILE])
    columns = {
        "site_id": [f"KH-{i:04d}" for i in range(n)],
        "name": [f"Site {i}" for i in range(n)],
        "locality": rng.choice(["Poipet", "Bavet town", "Sihanoukville"], n),
        "status": rng.choice(["confirmed", "suspected", "rejected"], n),
        "operating": rng.choice(["operating", "closed", "unknown"], n),
        "host_type": rng.choice(hosts, n),
        "first_reported": rng.choice(np.array(DATES, dtype=object), n),
        "last_reported": rng.choice(np.array(DATES, dtype=object), n),
        "uncertainty_m": rng.choice([500.0, 8000.0, 25000.0, np.nan], n),
    }
    return gpd.GeoDataFrame(columns, geometry=points, crs=4326)


@pytest.fixture(scope="module")
def rows():
    return frame()


@pytest.fixture(scope="module")
def file(rows, tmp_path_factory):
    page = layers.site_map(rows, title="Chosen", filters=["status", "operating", "host_type"])
    return layers.save_html(page, tmp_path_factory.mktemp("filters") / "map.html")


def opened(watched, path, address=""):
    watched.page.goto(path.as_uri() + address)
    ready(watched.page)
    return watched.page


def ready(page):
    page.wait_for_selector("#ca-filter > *", state="attached")
    settle(page)


def settle(page):
    """Wait until what was chosen is shown."""
    page.wait_for_timeout(60)


def shown(page):
    """Ids of the rows that the map shows."""
    return page.evaluate(
        f"(() => {{ const layer = {LAYER};"
        ' return Array.from(layer.order(), (row) => layer.cards.text("site_id", row)); })()'
    )


def box(page, group, value):
    """The box of one value: labels of other values may hold it."""
    labels = page.locator(f"[data-filter='{group}'] label:has(bdi)")
    words = labels.locator("bdi").all_inner_texts()
    found = [k for k, text in enumerate(words) if text.split() == value.split()]
    assert len(found) == 1, (value, found)
    return labels.nth(found[0]).locator("input")


def count_of(page, group, value):
    return box(page, group, value).locator("xpath=..").locator(".ca-count").inner_text()


def values_of(cell):
    parts = cell.split("|") if isinstance(cell, str) else []
    return [part.strip() for part in parts if part.strip()] or [""]


def test_everything_is_shown_and_counted_when_the_page_opens(watch, file, rows):
    watched = watch()
    page = opened(watched, file)
    assert shown(page) == sorted(rows["site_id"])
    assert page.inner_text(".ca-state [role=status]") == f"All {len(rows)} reports"
    assert page.locator(".ca-state button").is_hidden()
    page.click("#ca-tab-filter")
    for status, n in rows["status"].value_counts().items():
        assert count_of(page, "status", status) == str(n)
    hosts = rows["host_type"].map(values_of).explode().value_counts()
    assert count_of(page, "host_type", "not stated") == str(hosts.pop(""))
    for host, n in hosts.items():
        assert count_of(page, "host_type", host.replace("_", " ")) == str(n)
    assert page.evaluate("window.ran") is None
    assert "#" not in page.url
    watched.assert_quiet()


def test_a_value_can_be_left_out_with_the_mouse_and_everything_follows(watch, file, rows):
    watched = watch()
    page = opened(watched, file)
    page.click("#ca-tab-filter")
    box(page, "status", "suspected").click()
    settle(page)
    kept = rows[rows["status"] != "suspected"]
    located = int(kept.geometry.notna().sum())
    assert shown(page) == sorted(kept["site_id"])
    assert page.inner_text(".ca-state [role=status]") == f"{len(kept)} of 400 reports"
    n = int((rows["status"] == "suspected").sum())
    assert count_of(page, "status", "suspected") == f"0 of {n}"
    closed = int((kept["operating"] == "closed").sum())
    assert count_of(page, "operating", "closed").startswith(f"{closed} of ")
    page.click("#ca-tab-legend")
    words = page.inner_text("#ca-legend")
    assert f"{located} shown, {len(kept) - located} without a location." in words
    assert "Counts of claims and responses follow the filter" in words
    assert f"suspected\n0 of {n}" in words
    names = page.eval_on_selector_all(".ca-symbol", "all => all.map((e) => e.ariaLabel)")
    on_map = sum(int(name.rsplit(": ", 1)[1].split()[0].replace(",", "")) for name in names)
    assert on_map == located
    page.click("#ca-tab-table")
    while page.locator(".ca-more").is_visible():
        page.click(".ca-more")
    assert page.locator(".ca-table tbody tr").count() == len(kept)
    assert "suspected" not in page.inner_text(".ca-table tbody")
    page.click(".ca-state button")
    settle(page)
    assert shown(page) == sorted(rows["site_id"])
    assert page.evaluate("document.activeElement.id") == "ca-tab-table"
    watched.assert_quiet()


def test_each_of_several_values_counts_for_itself(watch, file, rows):
    page = opened(watch(), file)
    page.click("#ca-tab-filter")
    page.click("[data-filter=host_type] .ca-every button >> nth=1")
    settle(page)
    assert shown(page) == []
    for value in ("casino", HOSTILE[1], ""):
        box(page, "host_type", value or "not stated").check()
    settle(page)
    chosen = {"casino", HOSTILE[1], ""}
    kept = rows[rows["host_type"].map(lambda cell: bool(chosen & set(values_of(cell))))]
    assert shown(page) == sorted(kept["site_id"])
    assert len(kept) > 20
    page.click("[data-filter=host_type] .ca-every button >> nth=0")
    settle(page)
    assert len(shown(page)) == len(rows)


def test_the_keyboard_alone_chooses_and_keeps_its_place(watch, file, rows):
    watched = watch()
    page = opened(watched, file)
    page.focus("#ca-tab-legend")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "ca-tab-filter"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "checkbox":
            break
    label = "document.activeElement.closest('label').querySelector('bdi').textContent"
    value = page.evaluate(label)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Space")
    settle(page)
    assert shown(page) == sorted(rows.loc[rows["status"] != value, "site_id"])
    assert page.evaluate(label) == value
    page.keyboard.press("Space")
    settle(page)
    assert len(shown(page)) == len(rows)
    watched.assert_quiet()


def test_an_open_card_does_not_take_the_focus_from_a_filter(watch, file):
    page = opened(watch(), file)
    page.click("#ca-tab-filter")
    page.locator(".ca-symbol").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".ca-card").is_visible()
    box(page, "status", "confirmed").focus()
    page.keyboard.press("Space")
    settle(page)
    assert page.locator(".ca-card").is_hidden()
    assert page.evaluate("document.activeElement.type") == "checkbox"


@cache
def days(date):
    """First and last day that a date may mean."""
    if not isinstance(date, str) or not date[0].isdigit():
        return None
    parts = [int(part) for part in date.split("-")]
    try:
        if len(parts) == 1:
            return dt.date(parts[0], 1, 1), dt.date(parts[0], 12, 31)
        if len(parts) == 2:
            last = calendar.monthrange(*parts)[1]
            return dt.date(*parts, 1), dt.date(*parts, last)
        return (dt.date(*parts),) * 2
    except (ValueError, calendar.IllegalMonthError):
        return None


def overlapping(rows, start, end, *, undated):
    kept = []
    for row in rows.itertuples():
        spans = [s for s in (days(row.first_reported), days(row.last_reported)) if s]
        if not spans:
            kept.append(undated)
            continue
        low, high = min(s[0] for s in spans), max(s[1] for s in spans)
        kept.append(low <= end and high >= start)
    return rows[kept]


def slide(page, end, presses, key):
    page.focus(f"input[data-end={end}]")
    for _ in range(presses):
        page.keyboard.press(key)
    settle(page)


def test_dates_are_intervals_and_what_is_not_known_is_never_hidden_unasked(watch, file, rows):
    watched = watch()
    page = opened(watched, file)
    page.click("#ca-tab-filter")
    said = page.locator("[data-filter=dates] .ca-slide span")
    assert said.all_inner_texts() == ["from January 2019", "to June 2022"]
    # From March 2020: a report of February 2020 is not, one of "2020" would be in it.
    slide(page, "from", 14, "ArrowRight")
    slide(page, "to", 5, "ArrowLeft")
    assert said.all_inner_texts() == ["from March 2020", "to January 2022"]
    assert page.get_attribute("input[data-end=from]", "aria-valuetext") == "March 2020"
    start, end = dt.date(2020, 3, 1), dt.date(2022, 1, 31)
    kept = overlapping(rows, start, end, undated=True)
    assert shown(page) == sorted(kept["site_id"])
    assert 0 < len(kept) < len(rows)
    unknown = len(rows) - len(overlapping(rows, start.min, end.max, undated=False))
    assert count_of(page, "dates", "date not known") == str(unknown)
    assert box(page, "dates", "date not known").is_checked()
    box(page, "dates", "date not known").click()
    settle(page)
    kept = overlapping(rows, start, end, undated=False)
    assert shown(page) == sorted(kept["site_id"])
    assert count_of(page, "dates", "date not known") == f"0 of {unknown}"
    # The sliders do not pass each other.
    slide(page, "to", 1, "Home")
    assert said.all_inner_texts() == ["from January 2019", "to January 2019"]
    slide(page, "from", 1, "End")
    assert said.all_inner_texts() == ["from June 2022", "to June 2022"]
    kept = overlapping(rows, dt.date(2022, 6, 1), dt.date(2022, 6, 30), undated=False)
    assert shown(page) == sorted(kept["site_id"])
    watched.assert_quiet()


def test_a_slider_follows_the_mouse(watch, file, rows):
    page = opened(watch(), file)
    page.click("#ca-tab-filter")
    slider = page.locator("input[data-end=from]")
    slider.scroll_into_view_if_needed()
    place = slider.bounding_box()
    y = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + 9, y)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] * 0.6, y, steps=8)
    page.mouse.up()
    settle(page)
    month = int(slider.input_value())
    assert 20 < month < 30
    start = dt.date(2019 + month // 12, month % 12 + 1, 1)
    kept = overlapping(rows, start, dt.date.max, undated=True)
    assert shown(page) == sorted(kept["site_id"])


def test_circles_of_uncertainty_are_those_of_the_reports_shown(watch, file, rows):
    page = opened(watch(), file)
    page.click("#ca-tab-filter")
    page.click("[data-filter=operating] .ca-every button >> nth=1")
    box(page, "operating", "closed").check()
    settle(page)
    found = page.evaluate(
        """() => {
        const layer = Object.values(window).find((v) => v && v.discs && v.data);
        const { lon, lat, radius } = layer.discs;
        return [Array.from(radius, (r, i) => [lon[i], lat[i], r]), Array.from(layer.live)];
    }"""
    )

    def circles(some):
        some = some[some.geometry.notna() & some["uncertainty_m"].notna()]
        return set(zip(some.geometry.x, some.geometry.y, some["uncertainty_m"], strict=True))

    every, live = found
    assert len(every) == len(circles(rows))
    assert set(map(tuple, every)) == circles(rows)
    drawn = {tuple(disc) for disc, shows in zip(every, live, strict=True) if shows}
    assert drawn == circles(rows[rows["operating"] == "closed"])
    assert len(drawn) < len(every)


def test_the_address_says_what_is_shown_and_shows_what_it_says(watch, file, rows):
    watched = watch()
    page = opened(watched, file)
    history = page.evaluate("history.length")
    page.click("#ca-tab-filter")
    box(page, "status", "suspected").click()
    page.click("[data-filter=host_type] .ca-every button >> nth=1")
    for value in ("casino", "~", "a,b&c=d%", "not stated"):
        box(page, "host_type", value).check()
    slide(page, "from", 14, "ArrowRight")
    box(page, "dates", "date not known").click()
    page.click(".leaflet-control-zoom-in")
    page.wait_for_timeout(900)
    assert re.search(r"#\d+(\.\d+)?/\d+\.\d+/\d+\.\d+&status=", page.url)
    assert "from=2020-03" in page.url
    assert "undated=no" in page.url
    assert page.evaluate("history.length") == history
    chosen = {"casino", "~", "a,b&c=d%", ""}
    kept = overlapping(rows, dt.date(2020, 3, 1), dt.date.max, undated=False)
    kept = kept[kept["status"] != "suspected"]
    kept = kept[kept["host_type"].map(lambda cell: bool(chosen & set(values_of(cell))))]
    assert shown(page) == sorted(kept["site_id"])
    assert len(kept) > 5
    again = watch()
    copy = opened(again, file, page.url.removeprefix(file.as_uri()))
    assert shown(copy) == shown(page)
    assert copy.evaluate(VIEW) == pytest.approx(page.evaluate(VIEW), abs=0.003)  # half a pixel
    again.assert_quiet()
    watched.assert_quiet()


def test_an_address_opens_its_view_and_its_rows(watch, file, rows):
    watched = watch()
    address = "#9.25/12.5/104.75&status=confirmed&operating=closed,unknown&from=2021&to=2021-12"
    page = opened(watched, file, address)
    page.set_viewport_size({"width": 1000, "height": 700})
    page.wait_for_timeout(200)
    assert page.evaluate(VIEW) == pytest.approx([9.25, 12.5, 104.75], abs=0.01)
    kept = overlapping(rows, dt.date(2021, 1, 1), dt.date(2021, 12, 31), undated=True)
    kept = kept[(kept["status"] == "confirmed") & kept["operating"].isin(["closed", "unknown"])]
    assert shown(page) == sorted(kept["site_id"])
    page.evaluate("void (location.hash = 'status=suspected')")
    page.wait_for_timeout(200)
    assert shown(page) == sorted(rows.loc[rows["status"] == "suspected", "site_id"])
    page.click("#ca-tab-filter")
    assert not box(page, "status", "confirmed").is_checked()
    page.click(".ca-home")
    page.click(".ca-state button")
    page.wait_for_timeout(600)
    assert "#" not in page.url
    watched.assert_quiet()


@pytest.mark.parametrize(
    "address",
    [
        "#99999/91/181&status=%E0%A4%A&host_type=nothing",
        "#NaN/Infinity/1e9&from=2021-99&to=x&undated=maybe",
        "#12/11.5/104.9/7&__proto__=1&constructor=x&=&&&",
        "#<img src=x onerror=window.ran=1>&status=<script>window.ran=1</script>",
        "#javascript:window.ran=1&find=</script>",
        "#" + "a" * 20_000,
        "#%",
    ],
)
def test_a_hostile_address_changes_nothing(watch, file, rows, address):
    watched = watch()
    page = opened(watched, file, address)
    assert len(shown(page)) == len(rows)
    assert page.evaluate("window.ran") is None
    assert page.evaluate("({}).status") is None
    assert 5 < page.evaluate(f"{LAYER}._map.getZoom()") < 10
    watched.assert_quiet()


def test_the_link_is_copied_or_stands_there_to_be_copied(watch, file):
    watched = watch(permissions=["clipboard-read", "clipboard-write"])
    page = opened(watched, file)
    page.click("#ca-tab-filter")
    box(page, "status", "suspected").click()
    settle(page)
    page.focus(".ca-copy")
    page.keyboard.press("Enter")
    page.wait_for_timeout(100)
    assert page.inner_text(".ca-copy") == "Link copied"
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("#status=confirmed,rejected")
    page.evaluate("void (navigator.clipboard.writeText = () => Promise.reject(new Error('no')))")
    page.click(".ca-copy")
    assert page.input_value("#ca-link") == link
    assert page.evaluate("getSelection().toString() || document.activeElement.value") == link
    watched.assert_quiet()


def test_within_another_page_there_is_no_address_to_change(watch, file, tmp_path, rows):
    text = file.read_text(encoding="utf-8")
    outer = tmp_path / "outer.html"
    outer.write_text(
        "<!doctype html><meta charset=utf-8><iframe width=1100 height=700 "
        f'srcdoc="{html.escape(text)}"></iframe>',
        encoding="utf-8",
    )
    watched = watch()
    page = watched.open(outer)
    frame_ = page.frames[1]
    ready(frame_)
    assert frame_.locator(".ca-copy").is_hidden()
    frame_.click("#ca-tab-filter")
    box(frame_, "status", "suspected").click()
    frame_.click(".leaflet-control-zoom-in")
    frame_.wait_for_timeout(900)
    assert shown(frame_) == sorted(rows.loc[rows["status"] != "suspected", "site_id"])
    assert page.url == outer.as_uri()
    watched.assert_quiet()


def test_a_map_without_anything_to_choose_says_so(watch, tmp_path):
    sites = gpd.GeoDataFrame({"site_id": ["a"]}, geometry=shapely.points([[105, 12]]), crs=4326)
    watched = watch()
    page = opened(watched, layers.save_html(layers.site_map(sites), tmp_path / "map.html"))
    page.click("#ca-tab-filter")
    assert "nothing to choose" in page.inner_text("#ca-filter")
    watched.assert_quiet()


def test_a_hundred_thousand_rows_are_chosen_from(watch, tmp_path):
    sites = frame(100_000, seed=8)
    page = layers.site_map(sites, filters=["status", "host_type"])
    watched = watch()
    page = opened(watched, layers.save_html(page, tmp_path / "map.html"), "#status=confirmed")
    page.click("#ca-tab-filter")
    slide(page, "from", 30, "ArrowRight")
    page.wait_for_timeout(300)
    kept = overlapping(sites, dt.date(2021, 7, 1), dt.date.max, undated=True)
    kept = kept[kept["status"] == "confirmed"]
    words = f"{len(kept):,} of 100,000 reports"
    assert page.inner_text(".ca-state [role=status]") == words
    found = page.evaluate(f"Array.from({LAYER}.shownCounts())")
    assert sum(found) == len(kept)
    watched.assert_quiet()


@pytest.mark.parametrize(("size", "least"), [((1200, 800), 24), ((390, 844), 40)])
def test_every_control_is_large_enough_and_none_sticks_out(watch, file, size, least):
    page = opened(watch(*size), file)
    page.click("#ca-tab-filter")
    page.click(".ca-save")
    tall = page.eval_on_selector_all(
        "#ca-filter label, #ca-filter button, #ca-filter input[type=range], .ca-tools button,"
        " #ca-find, .ca-tabs button",
        "all => all.filter((e) => e.offsetParent).map((e) => e.getBoundingClientRect())"
        ".map((b) => Math.min(b.width, b.height))",
    )
    assert len(tall) > 20
    assert min(tall) >= least
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    sticking = page.eval_on_selector_all(
        "#ca-filter, #ca-filter *",
        "all => all.filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1)"
        ".map((e) => e.outerHTML)",
    )
    assert sticking == []


def test_choosing_moves_nothing_in_the_panel(watch, file):
    page = opened(watch(), file)
    page.click("#ca-tab-filter")

    def places():
        return page.eval_on_selector_all(
            "#ca-filter label, #ca-filter legend, .ca-tabs",
            "all => all.map((e) => e.getBoundingClientRect()).map((b) => [b.x, b.y, b.height])",
        )

    before = places()
    box(page, "status", "suspected").click()
    slide(page, "from", 3, "ArrowRight")
    page.evaluate("document.querySelector('.ca-panel').scrollTop = 0")
    assert places() == before


def test_a_frame_with_missing_dates_only_has_no_slider(watch, tmp_path):
    sites = frame(20).assign(first_reported=None, last_reported=pd.NA)
    page = opened(watch(), layers.save_html(layers.site_map(sites), tmp_path / "map.html"))
    assert page.locator("#ca-filter input[type=range]").count() == 0
    assert page.locator("#ca-filter [data-filter=status]").count() == 1
