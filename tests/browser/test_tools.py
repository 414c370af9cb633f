"""Reports are found by name in any script, and saved exactly as they are shown."""

import csv
import io
import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import layers
from layers.text import plain

pytestmark = pytest.mark.browser

LAYER = "Object.values(window).find((v) => v && v.setShown)"
NAMES = [
    "Élan Palace",
    "O'Smach resort",
    "Đồng Hới hotel",
    "កាស៊ីណូ មាស",
    "កាស៊ីណូ មស",
    "Crown (block 2)",
    "</ul><img src=x onerror=window.ran=1>",
    "=HYPERLINK(1)",
    '@cmd, "quoted"',
    "+855 12 345 678",
    "-1",
    "\u202eoverride",
    None,
]


@pytest.fixture(scope="module")
def rows():
    n = len(NAMES)
    lonlat = np.column_stack([103 + np.arange(n) / 4, 11 + np.arange(n) / 7])
    points = shapely.points(lonlat.round(3))
    points[3] = None
    columns = {
        "site_id": [f"s{i}" for i in range(n)],
        "name": NAMES,
        "locality": ["Poipet city" if i % 2 else "Bavet" for i in range(n)],
        "admin1": ["Banteay Meanchey" if i % 2 else "Svay Rieng" for i in range(n)],
        "country": "KH",
        "status": ["confirmed" if i % 3 else "suspected" for i in range(n)],
        "state_response": ["closed" if i % 2 else "unknown" for i in range(n)],
        "first_reported": [f"20{10 + i}-03" for i in range(n)],
        "uncertainty_m": [500.5 if i % 4 else np.nan for i in range(n)],
        "source": "A paper",
        "source_url": "https://example.org/a?b=1&c=2",
        "count": np.arange(n) - 3,
        "share": np.arange(n) / 3,
        "tier": ["-a" if i % 2 else "b" for i in range(n)],
        "secret": "never in the page",
    }
    return gpd.GeoDataFrame(columns, geometry=points, crs=4326)


@pytest.fixture(scope="module")
def file(rows, tmp_path_factory):
    page = layers.site_map(
        rows,
        title='Sites: "2024" / ខ្មែរ <b>..',
        details=["count", "share"],
        filters=["status", "tier"],
    )
    return layers.save_html(page, tmp_path_factory.mktemp("tools") / "map.html")


def opened(watched, path, address=""):
    page = watched.page
    page.goto(path.as_uri() + address)
    page.wait_for_selector("#ca-filter > *", state="attached")
    page.wait_for_timeout(60)
    return page


def look_for(page, words):
    page.fill("#ca-find", words)
    page.wait_for_timeout(60)
    rows = page.locator("#ca-found li > bdi").all_inner_texts()
    return rows, page.inner_text(".ca-found-note")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("elan", ["Élan Palace"]),
        ("ÉLAN  pal", ["Élan Palace"]),
        ("palace", ["Élan Palace"]),
        ("osmach", ["O'Smach resort"]),
        ("o\u2019smach", ["O'Smach resort"]),
        ("dong hoi", ["Đồng Hới hotel"]),
        ("កាស៊ីណូ", ["កាស៊ីណូ មស", "កាស៊ីណូ មាស"]),
        ("មស", ["កាស៊ីណូ មស"]),  # its vowel tells it from the other
        ("onerror", ["</ul><img src=x onerror=window.ran=1>"]),
        ("(block", ["Crown (block 2)"]),
        ("nowhere", []),
        (".*", []),
    ],
)
def test_names_are_found_in_any_script_and_spelling(watch, file, words, found):
    watched = watch()
    page = opened(watched, file)
    rows, note = look_for(page, words)
    assert sorted(rows) == found
    assert note == (f"{len(found)} found." if found else "Nothing found.")
    assert page.evaluate("window.ran") is None
    watched.assert_quiet()


def test_well_known_places_are_found_in_both_scripts(watch, file, rows):
    page = opened(watch(), file)
    khmer, _ = look_for(page, "ប៉ោយប៉ែត")
    english, _ = look_for(page, "poipet")
    assert sorted(khmer) == sorted(english)
    assert len(khmer) == (rows["locality"] == "Poipet city").sum()


def test_what_begins_with_the_words_comes_first(watch, tmp_path):
    names = ["Grand New Crown", "Uncrowned", "Crown", "Crown hotel"]
    sites = gpd.GeoDataFrame(
        {"site_id": list("abcd"), "name": names},
        geometry=shapely.points([[104 + i, 12] for i in range(4)]),
        crs=4326,
    )
    file = layers.save_html(layers.site_map(sites), tmp_path / "map.html")
    rows, _ = look_for(opened(watch(), file), "crown")
    assert set(rows[:2]) == {"Crown", "Crown hotel"}
    assert rows[2:] == ["Grand New Crown", "Uncrowned"]


def test_a_result_is_chosen_by_keyboard_and_opens_its_card(watch, file):
    watched = watch()
    page = opened(watched, file)
    page.focus("#ca-find")
    page.keyboard.type("bavet")
    page.wait_for_timeout(60)
    field = page.locator("#ca-find")
    assert field.get_attribute("role") == "combobox"
    assert field.get_attribute("aria-expanded") == "true"
    assert field.get_attribute("aria-activedescendant") is None
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    option = page.locator(f"#{active}")
    assert option.get_attribute("aria-selected") == "true"
    assert page.locator("#ca-found [aria-selected=true]").count() == 1
    name = option.locator("bdi").first.inner_text()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")  # round to the last
    last = page.locator("#ca-found li").last
    assert field.get_attribute("aria-activedescendant") == last.get_attribute("id")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_timeout(60)
    assert page.locator(".ca-card").is_visible()
    assert name in page.inner_text(".ca-card")
    assert page.evaluate("document.activeElement.closest('.ca-card') !== null")
    assert field.get_attribute("aria-expanded") == "false"
    watched.assert_quiet()


def test_escape_closes_the_list_and_then_clears_the_field(watch, file):
    page = opened(watch(), file)
    look_for(page, "bavet")
    page.keyboard.press("Escape")
    assert page.locator("#ca-found").is_hidden()
    assert page.input_value("#ca-find") == "bavet"
    page.keyboard.press("Escape")
    assert page.input_value("#ca-find") == ""


def test_a_result_is_chosen_with_the_mouse(watch, file):
    page = opened(watch(390, 844, has_touch=True), file)
    look_for(page, "élan")
    page.locator("#ca-found li").first.tap()
    page.wait_for_timeout(60)
    assert "Élan Palace" in page.inner_text(".ca-card")
    assert page.locator(".ca-card").bounding_box()["y"] < 844


def test_a_report_without_a_place_is_shown_in_the_table(watch, file):
    watched = watch()
    page = opened(watched, file)
    look_for(page, NAMES[3])
    assert "no location" in page.inner_text("#ca-found")
    page.keyboard.press("Enter")
    page.wait_for_timeout(60)
    assert page.get_attribute(".ca-panel", "data-tab") == "table"
    assert NAMES[3] in page.evaluate("document.activeElement.textContent")
    assert page.evaluate("document.activeElement.tagName") == "TR"
    watched.assert_quiet()


def test_only_reports_that_are_shown_are_found_and_the_others_are_counted(watch, file, rows):
    page = opened(watch(), file, "#status=confirmed")
    found, note = look_for(page, "bavet")
    here = rows[rows["locality"] == "Bavet"]
    shown = (here["status"] == "confirmed").sum()
    assert len(found) == shown
    left = len(here) - shown
    assert note == f"{shown} found. {left} more are left out by the filters."


def saved(page, kind, tmp_path, *, keyboard=False):
    if page.locator("#ca-files").is_hidden():
        page.click(".ca-save")
    with page.expect_download() as download:
        if keyboard:
            page.focus(f"[data-download={kind}]")
            page.keyboard.press("Enter")
        else:
            page.click(f"[data-download={kind}]")
    path = tmp_path / f"saved.{kind}"
    download.value.save_as(path)
    return download.value.suggested_filename, path.read_bytes()


COLUMNS = [
    "site_id", "name", "locality", "admin1", "country", "state_response",
    "first_reported", "source", "source_url", "status", "uncertainty_m", "tier", "count", "share",
]  # fmt: skip


def cell(value):
    return None if value is None or pd.isna(value) else value


@pytest.mark.parametrize("address", ["", "#status=confirmed&from=2012&to=2019-03", "#status="])
def test_the_table_saved_is_the_rows_shown(watch, file, rows, tmp_path, address):
    watched = watch()
    page = opened(watched, file, address)
    name, data = saved(page, "csv", tmp_path)
    assert name == "Sites-2024-ខ្មែរ-b.csv"
    text = data.decode("utf-8")
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == text.count("\n")
    head, *lines = csv.reader(io.StringIO(text[1:], newline=""), strict=True)
    assert set(head) == {*COLUMNS, "latitude", "longitude"}
    kept = rows
    if address.endswith("="):
        kept = rows.iloc[:0]
    elif address:
        years = rows["first_reported"].str[:4].astype(int)
        kept = rows[(rows["status"] == "confirmed") & years.between(2012, 2019)]
    assert len(lines) == len(kept)
    by_id = kept.set_index("site_id", drop=False)
    for line in lines:
        found = dict(zip(head, line, strict=True))
        row = by_id.loc[found["site_id"]]
        for column in COLUMNS:
            value = cell(row[column])
            if value is None:
                assert found[column] == ""
            elif isinstance(value, str):
                # No spreadsheet may reckon with it, and nothing else is changed.
                assert not re.match(r"[=@]|[+-](?!\d+$)", found[column])
                assert found[column].removeprefix("'") == plain(value)
            else:
                assert float(found[column]) == value
        place = row.geometry
        point = [found["latitude"], found["longitude"]]
        if place is None:
            assert point == ["", ""]
        else:
            assert [float(p) for p in point] == [place.y, place.x]
    assert b"never in the page" not in data
    watched.assert_quiet()


def test_the_map_data_saved_are_the_rows_shown(watch, file, rows, tmp_path):
    watched = watch()
    page = opened(watched, file, "#tier=b")
    page.focus(".ca-save")
    page.keyboard.press("Enter")
    n = (rows["tier"] == "b").sum()
    assert f"the {n} reports chosen" in page.inner_text("#ca-files p")
    name, data = saved(page, "geojson", tmp_path, keyboard=True)
    assert name == "Sites-2024-ខ្មែរ-b.geojson"
    found = json.loads(data)
    assert set(found) == {"type", "features"}
    kept = rows[rows["tier"] == "b"].set_index("site_id", drop=False)
    assert len(found["features"]) == n
    for feature in found["features"]:
        row = kept.loc[feature["properties"]["site_id"]]
        assert set(feature) == {"type", "properties", "geometry"}
        for column in COLUMNS:
            value = cell(row[column])
            expected = plain(value) if isinstance(value, str) else value
            assert feature["properties"][column] == expected
        place = row.geometry
        assert feature["geometry"] == (
            None if place is None else {"type": "Point", "coordinates": [place.x, place.y]}
        )
    page.focus("[data-download=csv]")
    page.keyboard.press("Escape")
    assert page.locator("#ca-files").is_hidden()
    assert page.evaluate("document.activeElement.className") == "ca-save"
    watched.assert_quiet()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("CON", "reports"),
        ("…", "reports"),
        ("a\u202egnp.exe", "a-gnp-exe"),
        ("ខ្មែរ ២០២៤", "ខ្មែរ-២០២៤"),
        ("x" * 200, "x" * 80),
    ],
)
def test_a_file_may_be_called_so_anywhere(watch, file, title, name):
    page = opened(watch(), file)
    assert page.evaluate("(title) => CompoundAtlas.fileName(title)", title) == name


def test_a_hundred_thousand_reports_are_searched_and_saved(watch, tmp_path):
    n = 100_000
    rng = np.random.default_rng(4)
    points = shapely.points(np.round(rng.uniform([103, 11], [107, 14], (n, 2)), 4))
    names = [f"Hall {i:06d} of Élan" for i in range(n)]  # each its own: no two are one word
    base = {"site_id": [f"s{i:06d}" for i in range(n)], "name": names}
    base["status"] = rng.choice(["confirmed", "suspected"], n)
    sites = gpd.GeoDataFrame(base, geometry=points, crs=4326)
    watched = watch()
    file = layers.save_html(layers.site_map(sites), tmp_path / "map.html")
    page = opened(watched, file, "#status=suspected")
    page.fill("#ca-find", "elan")
    page.wait_for_selector(".ca-found-note:not(:empty)")
    shown = (sites["status"] == "suspected").sum()
    assert f"The first 50 of {shown:,} found." in page.inner_text(".ca-found-note")
    _, data = saved(page, "csv", tmp_path)
    found = pd.read_csv(io.BytesIO(data), encoding="utf-8-sig").set_index("site_id")
    kept = sites[sites["status"] == "suspected"].set_index("site_id")
    assert found.index.tolist() == kept.index.tolist()
    assert found["name"].tolist() == kept["name"].tolist()
    assert np.array_equal(found["longitude"], kept.geometry.x)
    watched.assert_quiet()
