"""The ground in Chromium: what is drawn is where it should be, and the locator follows."""

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

import geo
import layers

pytestmark = pytest.mark.browser

EARTH = Geod(ellps="WGS84")
# The map by any layer of sites on it; all that comes later has been read and drawn.
MAP = "Object.values(window).find((v) => v && v.setShown)._map"
READY = f"(async () => {{ await {MAP}._atlasTurn; }})()"
GO = f"([lat, lon, zoom]) => void {MAP}.setView([lat, lon], zoom, {{ animate: false }})"


def opened(watched, path):
    page = watched.open(path)
    page.evaluate(READY)
    return page


def inside(page, selector, lonlat):
    """Which paths of a class have each point in their filling, by the browser's own reckoning."""
    return page.evaluate(
        f"""([selector, lonlat]) => {{
            const map = {MAP}, paths = [...document.querySelectorAll(selector)];
            return lonlat.map(([lon, lat]) => {{
                const {{ x, y }} = map.latLngToLayerPoint([lat, lon]);
                return paths.flatMap((p, i) => (p.isPointInFill(new DOMPoint(x, y)) ? [i] : []));
            }});
        }}""",
        [selector, lonlat.tolist()],
    )


@pytest.mark.parametrize(("zoom", "off_deg"), [(6, 0.03), (8, 0.01), (10, 0.004)])
def test_provinces_and_land_are_drawn_where_they_are(watch, demo, zoom, off_deg):
    watched = watch()
    page = opened(watched, demo / "map.html")
    page.evaluate(GO, [11.2, 103.9, zoom])
    west, south, east, north = page.evaluate(
        f"(() => {{ const b = {MAP}.getBounds();"
        " return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]; })()"
    )
    rng = np.random.default_rng(zoom)
    lonlat = rng.uniform([west, south], [east, north], (300, 2))
    points = shapely.points(lonlat)
    provinces = geo.load_reference("provinces").geometry.to_numpy()
    lines = shapely.union_all(shapely.boundary(provinces))
    clear = ~shapely.dwithin(points, lines, off_deg)
    found = inside(page, "path.ca-province", lonlat[clear])
    expected = [np.nonzero(shapely.contains(provinces, p))[0].tolist() for p in points[clear]]
    assert clear.sum() > 100
    assert found == expected
    assert any(found)
    land = shapely.union_all(geo.load_reference("countries").geometry.to_numpy())
    clear = ~shapely.dwithin(points, land.boundary, 2 * off_deg)
    found = [bool(hit) for hit in inside(page, "path.ca-land", lonlat[clear])]
    assert found == shapely.contains(land, points[clear]).tolist()
    assert len(set(found)) == 2
    watched.assert_quiet()


def test_the_ground_lies_in_its_order_whatever_is_read_first(watch, demo):
    page = opened(watch(), demo / "map.html")
    order = page.eval_on_selector_all(
        ".leaflet-ca-land-pane path", "all => all.map(p => p.getAttribute('class').split(' ')[0])"
    )
    assert list(dict.fromkeys(order)) == ["ca-sea", "ca-land", "ca-province"]


def test_where_the_outlines_end_there_is_no_coast(watch, demo):
    page = opened(watch(), demo / "map.html")
    lines, ends = page.evaluate(
        f"""(() => {{
            const found = [];
            {MAP}.eachLayer((l) => {{
                if (l.options.className === "ca-coast") found.push(...l.getLatLngs());
            }});
            const tags = [...document.querySelectorAll("script[type='application/json']")];
            const texts = tags.map((tag) => tag.textContent);
            const data = texts.find((text) => text.startsWith('{{"title":"Land"'));
            return [found.map((line) => line.map((p) => [p.lng, p.lat])), JSON.parse(data).ends];
        }})()"""
    )
    coast = shapely.multilinestrings([shapely.LineString(line) for line in lines])
    cut = shapely.box(*ends).exterior
    assert coast.length > 100
    assert coast.intersection(cut).length == 0
    land = page.locator("path.ca-land")
    assert land.count() == 1


def test_a_layer_that_cannot_be_read_is_said_once_and_the_others_are_drawn(watch, demo, tmp_path):
    text = (demo / "map.html").read_text(encoding="utf-8")
    for title in ("Rivers", "Lakes"):
        start = text.index('"bytes":"', text.index(f'{{"title":"{title}"')) + len('"bytes":"')
        text = text[:start] + "AAAA" + text[start + 4 :]
    file = tmp_path / "map.html"
    file.write_text(text, encoding="utf-8")
    page = watch().open(file)
    assert page.locator("[role=alert]").count() == 1
    assert "could not be read" in page.inner_text("[role=alert]")
    assert page.locator("path.ca-province").count() == 25
    assert page.locator("path.ca-border").count() > 0
    assert page.locator("path.ca-river").count() == 0


@pytest.mark.parametrize("lat", [12, 60])
def test_the_scale_bar_is_true_at_the_maps_latitude(watch, demo, lat):
    page = opened(watch(), demo / "map.html")
    worst = 0.0
    for zoom in (3, 4.25, 5.5, 7, 8.75, 10, 11.5, 13):
        page.evaluate(GO, [lat, 105, zoom])
        words, *ends = page.evaluate(
            f"""(() => {{
                const map = {MAP}, bar = document.querySelector(".leaflet-control-scale-line");
                const half = parseFloat(bar.style.width) / 2;
                const {{ x, y }} = map.getSize().divideBy(2);
                const [a, b] = [-half, half].map((d) => map.containerPointToLatLng([x + d, y]));
                return [bar.textContent, a.lng, a.lat, b.lng, b.lat];
            }})()"""
        )
        number, unit = words.split()
        said = float(number) * {"km": 1000, "m": 1}[unit]
        worst = max(worst, abs(said / EARTH.inv(*ends)[2] - 1))
    assert 0 < worst < 0.01


# ---------------------------------------------------------------------------- locator


def locator(page):
    """The rectangle and the locator's frame, in pixels."""
    return page.evaluate(
        """() => {
            const box = document.querySelector(".ca-inset"), svg = box.querySelector("svg");
            const rect = box.querySelector(".ca-inset-view");
            const value = (node, name) => Number(node.getAttribute(name));
            const [x, y, w, h] = ["x", "y", "width", "height"].map((name) => value(rect, name));
            const size = [value(svg, "width"), value(svg, "height")];
            return { x, y, w, h, size, shown: box.getBoundingClientRect().width > 0 };
        }"""
    )


def test_the_locator_shows_where_the_view_is_and_follows_it(watch, demo):
    watched = watch()
    page = opened(watched, demo / "map.html")
    first = locator(page)
    assert first["shown"]
    assert max(first["size"]) == pytest.approx(108)
    assert len(page.get_attribute(".ca-inset-land", "d")) > 500
    page.evaluate(f"void {MAP}.panBy([200, 100], {{ animate: false }})")
    moved = locator(page)
    # Both maps have the same projection: the shift is the view's own, on a smaller scale.
    width = page.evaluate(f"{MAP}.getSize().x")
    scale = first["w"] / width
    assert moved["x"] - first["x"] == pytest.approx(200 * scale, abs=0.2)
    assert moved["y"] - first["y"] == pytest.approx(100 * scale, abs=0.2)
    assert moved["w"] == pytest.approx(first["w"], abs=0.2)
    watched.assert_quiet()


def test_the_locator_stands_where_the_view_lies_on_the_earth(watch, demo):
    page = opened(watch(), demo / "map.html")
    page.evaluate(GO, [12.0, 104.0, 9])
    west, south, east, north = page.evaluate(
        "(() => { const call = [...document.scripts].map((s) => s.textContent)"
        ".find((t) => t.includes('CompoundAtlas.locator('));"
        "return JSON.parse(call.match(/CompoundAtlas\\.locator\\([^[]*(\\[[^\\]]*\\])/)[1]); })()"
    )
    found = locator(page)
    mercator = [np.arcsinh(np.tan(np.radians(v))) for v in (south, 12.0, north)]
    across = (104.0 - west) / (east - west)
    down = (mercator[2] - mercator[1]) / (mercator[2] - mercator[0])
    assert (found["x"] + found["w"] / 2) / found["size"][0] == pytest.approx(across, abs=0.005)
    assert (found["y"] + found["h"] / 2) / found["size"][1] == pytest.approx(down, abs=0.005)


def test_the_locator_is_for_the_eye_alone(watch, demo):
    page = opened(watch(), demo / "map.html")
    assert page.get_attribute(".ca-inset", "aria-hidden") == "true"
    within = page.eval_on_selector_all(
        ".ca-inset, .ca-inset *",
        "all => all.map(e => [e.tabIndex, getComputedStyle(e).pointerEvents])",
    )
    assert {events for _, events in within} == {"none"}
    assert {index for index, _ in within} == {-1}


def test_there_is_no_locator_on_a_narrow_screen_nor_of_a_view_of_all(watch, demo):
    assert not locator(opened(watch(390, 844), demo / "map.html"))["shown"]
    page = opened(watch(), demo / "map.html")
    page.evaluate(GO, [12.0, 104.0, 3])
    assert not locator(page)["shown"]
    page.evaluate(GO, [12.0, 104.0, 8])
    assert locator(page)["shown"]


def test_the_locator_hides_no_symbol_and_no_name(watch, tmp_path):
    rng = np.random.default_rng(4)
    lonlat = rng.uniform([102.5, 10.6], [107.4, 14.5], (30, 2))
    frame = gpd.GeoDataFrame(
        {"site_id": [f"s{i}" for i in range(30)], "locality": ["Place"] * 30},
        geometry=shapely.points(lonlat),
        crs=4326,
    )
    watched = watch()
    page = opened(watched, layers.save_html(layers.site_map(frame), tmp_path / "map.html"))
    seen = 0
    for lat, lon, zoom in [(12.5, 105, 7.5), (11.5, 104, 8), (13, 106, 8), (12, 105.5, 9)]:
        page.evaluate(GO, [lat, lon, zoom])
        if not locator(page)["shown"]:
            continue
        seen += 1
        under = page.evaluate(
            f"""(() => {{
                const map = {MAP}, box = document.querySelector(".ca-inset");
                const inset = box.getBoundingClientRect();
                const frame = map.getContainer().getBoundingClientRect(), hits = [];
                const corner = map.containerPointToLayerPoint([0, 0]);
                map.eachLayer((layer) => (layer.groups || []).forEach(({{ x, y, radius }}) => {{
                    const [left, top] = [x - corner.x + frame.left, y - corner.y + frame.top];
                    if (left + radius > inset.left && left - radius < inset.right
                        && top + radius > inset.top && top - radius < inset.bottom)
                        hits.push([x, y]);
                }}));
                for (const label of document.querySelectorAll(".ca-label > bdi")) {{
                    const b = label.getBoundingClientRect();
                    if (b.right > inset.left && b.left < inset.right
                        && b.bottom > inset.top && b.top < inset.bottom)
                        hits.push(label.textContent);
                }}
                return hits;
            }})()"""
        )
        assert under == []
    assert seen
    watched.assert_quiet()


def test_areas_and_lines_on_anybodys_map_come_as_soon_as_they_are_read(watch, tmp_path):
    page = folium.Map(location=[12.6, 105.0], zoom_start=7, tiles=None)
    provinces = geo.load_reference("provinces")
    layers.area_layer(provinces, name="Provinces", label="name").add_to(page)
    border = geo.load_reference("land_border", country="KH")
    layers.line_layer(border, name="Border", style="border").add_to(page)
    watched = watch()
    shown = watched.open(layers.save_html(page, tmp_path / "map.html"))
    assert shown.locator("path.ca-area").count() == len(provinces)
    assert shown.locator("path.ca-border").count() == len(border)
    names = shown.eval_on_selector_all(
        "path.ca-area", "all => all.map(p => p.getAttribute('aria-label'))"
    )
    assert names == provinces["name"].tolist()
    watched.assert_quiet()
