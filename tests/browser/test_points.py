"""Points in Chromium: every row and word arrives, every symbol stands right and is reached."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import layers
from layers.text import plain

pytestmark = pytest.mark.browser

LAYER = "Object.values(window).find((v) => v && v.setShown)"
HOSTILE = [
    "</script><script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "${window.ran=1} `backtick` \\0 {{7*7}}",
    "អូរស្មាច់ ខ្មែរ",
    "مجمع \u202eoverride \u2066isolate",
    "\u2028line\u2029end\u0000nul",
    "\U0001f5fa map, <!-- --> ]]>",
    "",
    None,
]


def frame(lonlat, **columns):
    n = len(lonlat)
    points = shapely.points(lonlat)
    points[np.isnan(lonlat[:, 0])] = None
    base = {"site_id": [f"s{i}" for i in range(n)], "status": ["suspected"] * n}
    return gpd.GeoDataFrame(base | columns, geometry=points, crs=4326)


def generated(n, seed=5):
    """Reports in towns and alone, some coincident, some without a place, with hostile words."""
    rng = np.random.default_rng(seed)
    towns = rng.uniform([102.6, 10.6], [107.4, 14.4], (40, 2))
    lonlat = np.round(towns[rng.integers(0, 40, n)] + rng.normal(0, 0.05, (n, 2)), 3)
    lonlat[::11] = np.nan
    return frame(
        lonlat,
        name=pd.Series([HOSTILE[i] for i in rng.integers(0, len(HOSTILE), n)], dtype=object),
        status=rng.choice(["confirmed", "suspected", "rejected", "unknown"], n),
        first_reported=rng.choice(["2021", "2022-03", "2023-03-04"], n),
        uncertainty_m=rng.choice([250.0, 8000.5, np.nan], n),
        mixed=[f"{HOSTILE[i % 7]} {i}" for i in range(n)],
        third=rng.integers(0, 9, n) / 3,
    )


@pytest.fixture(scope="module")
def rows():
    return generated(3000)


@pytest.fixture(scope="module")
def file(rows, tmp_path_factory):
    page = layers.site_map(rows, details=["mixed", "third"])
    return layers.save_html(page, tmp_path_factory.mktemp("points") / "map.html")


def opened(watched, path):
    page = watched.open(path)
    page.evaluate(f"async () => {{ await {LAYER}.ready; }}")
    return page


def test_every_point_and_every_word_comes_back_exactly(watch, file, rows):
    watched = watch()
    page = opened(watched, file)
    found = page.evaluate(
        f"""() => {{
        const layer = {LAYER}, n = layer.places.status.length;
        const {{ cards, places }} = layer, radius = cards.column("radius").numbers();
        const point = (place) => [places.lon[place], places.lat[place]];
        return Array.from({{ length: n }}, (_, row) => [
            cards.text("site_id", row), cards.text("name", row), cards.text("first_reported", row),
            radius[row] || null,
            layer.details.map((column) => column.text(row)),
            layer.statuses[places.status[row]].key,
            row < places.rows ? point(places.of(row)) : null,
        ]);
    }}"""
    )
    assert len(found) == len(rows)
    assert sorted(f[0] for f in found) == sorted(rows["site_id"])
    by_id = rows.set_index("site_id")
    for site_id, name, first, radius, (mixed, third), status, point in found:
        row = by_id.loc[site_id]
        assert (name, first, status) == (plain(row["name"]), row["first_reported"], row["status"])
        assert mixed == plain(row["mixed"])
        assert float(third) == row["third"]
        assert radius == (None if np.isnan(row["uncertainty_m"]) else row["uncertainty_m"])
        assert point == (None if row.geometry is None else [row.geometry.x, row.geometry.y])
    assert page.evaluate("window.ran") is None
    watched.assert_quiet()


def mercator(lonlat, zoom):
    """Pixels of the world, from the definition of the spherical Mercator projection."""
    lon, lat = np.radians(lonlat).T
    xy = np.column_stack([lon + np.pi, np.pi - np.log(np.tan(np.pi / 4 + lat / 2))])
    return xy / (2 * np.pi) * 256 * 2**zoom


def test_three_hundred_presses_find_what_brute_force_finds(watch, tmp_path):
    rng = np.random.default_rng(11)
    # Places on a lattice some 70 pixels apart, shaken: none is merged, some nearly touch.
    lattice = np.stack(np.meshgrid(np.arange(12), np.arange(10)), -1).reshape(-1, 2)
    lonlat = np.round([104.5, 11.5] + 0.096 * (lattice + rng.uniform(-0.15, 0.15, (120, 2))), 5)
    reports = rng.integers(1, 13, 120)
    place = np.repeat(np.arange(120), reports)
    sites = frame(lonlat[place], site_id=[f"{p}/{k}" for k, p in enumerate(place)])
    page = opened(watch(), layers.save_html(layers.site_map(sites), tmp_path / "map.html"))
    zoom, west, north = page.evaluate(
        f"""() => {{
        const map = {LAYER}._map;
        map.setView([11.95, 105.05], 9.25, {{ animate: false }});
        const min = map.project(map.containerPointToLatLng([0, 0]));
        return [map.getZoom(), min.x, min.y];
    }}"""
    )
    xy = mercator(lonlat, zoom) - [west, north]
    radius = np.maximum(14, np.ceil(2 * page.evaluate(f"{LAYER}.unit") * np.sqrt(reports) + 6) / 2)
    left, top, *size = page.locator(".folium-map").bounding_box().values()
    inside = (xy > 0).all(axis=1) & (xy < size).all(axis=1)
    assert page.locator(".ca-symbol").count() == inside.sum() > 50
    around = xy[rng.choice(np.flatnonzero(inside), 150)] + rng.uniform(-20, 20, (150, 2))
    anywhere = rng.uniform([60, 60], np.array(size) - 60, (150, 2))
    # A browser is asked about whole pixels.
    corner = np.array([left, top])
    presses = np.rint(np.vstack([anywhere, around]) + corner)
    hits = 0
    for x, y in presses:
        gap = np.hypot(*(xy + corner - [x, y]).T) - radius
        gap[~inside] = np.inf
        covering = np.flatnonzero(gap < -1.5)
        if len(covering) > 1 or (np.abs(gap) <= 1.5).any():
            continue  # on an edge, or where two buttons overlap
        found = page.evaluate(
            """([x, y]) => {
            const node = document.elementFromPoint(x, y)?.closest(".ca-symbol");
            return node && node.dataset.place;
        }""",
            [x, y],
        )
        if not len(covering):
            assert found is None
            continue
        hits += 1
        point = page.evaluate(f"(p) => [{LAYER}.places.lon[p], {LAYER}.places.lat[p]]", int(found))
        assert point == lonlat[covering[0]].tolist()
    assert hits > 60


def test_arrows_lead_to_every_symbol_and_one_is_in_the_order_of_tab(watch, file):
    page = opened(watch(), file)
    assert page.locator(".ca-symbol").count() > 30
    assert page.locator(".ca-symbol[tabindex='0']").count() == 1
    page.locator(".ca-symbol[tabindex='0']").focus()
    where = "document.activeElement.getAttribute('data-place')"
    page.keyboard.press("Home")
    first = page.evaluate(where)
    page.keyboard.press("End")
    last = page.evaluate(where)
    assert first != last
    assert page.locator(".ca-symbol[tabindex='0']").get_attribute("data-place") == last
    box = page.locator(".ca-symbol:focus").bounding_box()
    page.keyboard.press("ArrowLeft")
    moved = page.locator(".ca-symbol:focus").bounding_box()
    assert moved["x"] < box["x"]
    ring = page.eval_on_selector(
        ".ca-symbol:focus",
        "e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]",
    )
    assert ring[0] == "solid"
    assert float(ring[1].removesuffix("px")) >= 2
    reached = page.evaluate(
        f"""() => {{
        const layer = {LAYER}, reached = new Set([layer._current]), waiting = [layer._current];
        while (waiting.length) {{
            const from = waiting.pop();
            for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {{
                layer.focus(from);
                if (layer._step(dx, dy) && !reached.has(layer._current)) {{
                    reached.add(layer._current);
                    waiting.push(layer._current);
                }}
            }}
        }}
        return [reached.size, layer._seen.length];
    }}"""
    )
    assert reached[0] == reached[1]


def test_an_arrow_beyond_the_last_symbol_moves_the_map(watch, file):
    page = opened(watch(), file)
    page.evaluate(f"void {LAYER}._map.setView([12.5, 105], 10, {{ animate: false }})")
    page.locator(".ca-symbol[tabindex='0']").focus()
    for _ in range(40):
        before = page.evaluate(f"{LAYER}._map.getCenter().lng")
        page.keyboard.press("ArrowRight")
        if page.evaluate(f"{LAYER}._map.getCenter().lng") > before:
            break
    else:
        pytest.fail("the map never moved")
    assert page.evaluate("document.activeElement.className") == "ca-symbol"


def spoken(page):
    """What the buttons in view say, added up."""
    names = page.eval_on_selector_all(
        ".ca-symbol", "all => all.map((e) => e.getAttribute('aria-label'))"
    )
    return sum(int(name.rsplit(": ", 1)[1].split()[0].replace(",", "")) for name in names)


def test_a_mask_shows_only_its_rows_everywhere(watch, file, rows):
    watched = watch()
    page = opened(watched, file)
    located = rows.geometry.notna()
    assert spoken(page) == located.sum()
    confirmed = rows["status"] == "confirmed"
    counts = page.evaluate(
        f"""() => {{
        const layer = {LAYER}, keys = layer.statuses.map((status) => status.key);
        const slot = keys.indexOf("confirmed"), {{ status }} = layer.places;
        layer.setShown(Uint8Array.from(status, (value) => value === slot));
        return Object.fromEntries(keys.map((key, i) => [key, layer.shownCounts()[i]]));
    }}"""
    )
    assert counts.pop("confirmed") == confirmed.sum()
    assert set(counts.values()) == {0}
    assert spoken(page) == (confirmed & located).sum()
    page.click("[data-tab=table]")
    assert page.locator(".ca-table tbody tr").count() == 100
    assert f"{confirmed.sum() - 100} rows left" in page.inner_text(".ca-more")
    assert "suspected" not in page.inner_text(".ca-table tbody")
    page.locator(".ca-symbol").first.focus()
    page.keyboard.press("Enter")
    assert "suspected" not in page.inner_text(".ca-card")
    page.evaluate(f"{LAYER}.setShown(null)")
    assert spoken(page) == located.sum()
    assert f"{len(rows) - 100:,} rows left" in page.inner_text(".ca-more")
    watched.assert_quiet()


def test_the_table_writes_a_hundred_rows_at_a_time_each_row_once(watch, file, rows):
    page = opened(watch(), file)
    page.click("[data-tab=table]")
    for written in (100, 200, 300):
        assert page.locator(".ca-table tbody tr").count() == written
        assert f"{len(rows) - written:,} rows left" in page.inner_text(".ca-more")
        page.click(".ca-more")
    ids = page.eval_on_selector_all(".ca-table tbody tr", "all => all.map((e) => e.dataset.row)")
    assert len(set(ids)) == len(ids) == 400


def test_a_card_of_thousands_of_reports_grows_as_it_is_read(watch, tmp_path):
    sites = frame(np.tile([104.9, 11.5], (2500, 1)), locality=["Place"] * 2500)
    page = opened(watch(), layers.save_html(layers.site_map(sites), tmp_path / "map.html"))
    page.locator(".ca-symbol").click()
    assert "2,500 reports" in page.inner_text(".ca-card")
    assert 100 <= page.locator(".ca-card li").count() <= 300
    for _ in range(60):
        page.eval_on_selector(".ca-reports", "e => { e.scrollTop = e.scrollHeight; }")
        page.wait_for_timeout(20)
        if page.locator(".ca-card li").count() == 2500:
            break
    assert page.locator(".ca-card li").count() == 2500
    page.eval_on_selector(".ca-reports", "e => { e.scrollTop = e.scrollHeight; }")
    page.wait_for_timeout(50)
    assert page.locator(".ca-rest").is_hidden()


def test_a_browser_that_cannot_inflate_says_so(watch, file):
    watched = watch()
    watched.page.add_init_script("delete window.DecompressionStream;")
    page = watched.open(file)
    assert "too old" in page.inner_text(".ca-problem")
    # what is drawn lies in deflated columns; what is said does not
    assert "without a location" in page.inner_text(".ca-panel")
    assert page.locator("h1").is_visible()
    assert page.locator(".ca-footer").is_visible()


HERE, THERE = (104.9, 11.5), (103.5, 10.6)


@pytest.mark.parametrize(
    ("points", "columns", "names"),
    [
        ([HERE], {"name": ["Crown hotel (block 2)"]}, ["Crown hotel"]),
        ([HERE], {"name": ["Sunrise city"]}, ["Sunrise city"]),
        ([HERE], {"name": ["A"], "locality": ["Bavet town, east"]}, ["Bavet"]),
        ([HERE] * 2, {"name": ["A", "B"], "admin1": ["Kandal", "Kandal"]}, ["Kandal"]),
        ([THERE, HERE], {"name": ["A", "B"], "admin1": ["Kandal", "Kandal"]}, ["A", "B"]),
        ([HERE] * 2, {"name": ["A", "A"], "admin1": ["Kandal", None]}, ["A"]),
        ([HERE] * 2, {"name": ["B", "A"]}, ["A"]),
        ([HERE], {"name": [None]}, []),
        (
            [HERE] * 4,
            {"locality": ["Poipet (plaza)", "Poipet town", "Kbal Spean, Poipet", ""]},
            ["Poipet"],
        ),
    ],
)
def test_places_are_named_by_locality_then_by_the_site_then_by_the_province(
    watch, tmp_path, points, columns, names
):
    sites = frame(np.array(points, dtype=float), **columns)
    page = opened(watch(), layers.save_html(layers.site_map(sites), tmp_path / "map.html"))
    assert sorted(page.locator(".ca-label-place").all_inner_texts()) == names


def test_discs_are_to_scale(watch, tmp_path):
    sites = frame(np.array([[104.9, 11.5], [104.9, 60.0]]), uncertainty_m=[40_000.0, 40_000.0])
    page = opened(watch(), layers.save_html(layers.site_map(sites), tmp_path / "map.html"))
    wide, high = page.evaluate(
        """() => {
        const layer = Object.values(window).find((v) => v && v.high && v.wide);
        return [Array.from(layer.wide), Array.from(layer.high)];
    }"""
    )
    # At zoom 0 the equator is 256 pixels; Mercator stretches by the secant of the latitude.
    for lat, *found in zip((11.5, 60.0), sorted(wide), sorted(high), strict=True):
        expected = 40_000 / (2 * np.pi * 6_371_008.8 * np.cos(np.radians(lat))) * 256
        assert found == pytest.approx([expected] * 2, rel=2e-3)


def test_layers_can_be_taken_away_before_they_are_read(watch, tmp_path):
    import folium

    page = folium.Map([11.5, 104.9], zoom_start=8, tiles=None)
    layers.site_layer(generated(50), show=False).add_to(page)
    layers.uncertainty_layer(generated(50), show=False).add_to(page)
    folium.LayerControl(collapsed=False).add_to(page)
    watched = watch()
    shown = opened(watched, layers.save_html(page, tmp_path / "map.html"))
    assert shown.locator(".ca-symbol").count() == 0
    for box in shown.locator(".leaflet-control-layers-overlays input").all():
        box.check()
    assert shown.locator(".ca-symbol").count() > 3
    for box in shown.locator(".leaflet-control-layers-overlays input").all():
        box.uncheck()
    assert shown.locator(".ca-symbol, .ca-sheet-canvas").count() == 0
    watched.assert_quiet()
