"""Text from data is shown as text and runs nothing, in every channel a page has."""

import re

import folium
import geopandas as gpd
import pytest
import shapely

import layers

pytestmark = pytest.mark.browser

HOSTILE = [
    "<script>window.ran='script'</script>",
    "<img src=x onerror=\"window.ran='img'\">",
    "${window.ran='literal'}",
    "`;window.ran='backtick';`",
    "{{7*7}} {% raw %} {#",
    "</script><script>window.ran='closed'</script>",
    "'\"><svg onload=window.ran='svg'>",
    "\\0 \\u0041 back\\slash \\",
    "javascript:window.ran='url'",
    "អូរស្មាច់ <b>ខ្មែរ</b>",
    "مجمع \u202eoverride \u2066isolate",
    "]]><!-- --> &lt;b&gt; &amp;",
    "\u2028line\u2029end\u0000nul",
]
COLUMNS = (
    "site_id",
    "name",
    "country",
    "admin1",
    "locality",
    "status",
    "operating",
    "state_response",
    "first_reported",
    "last_reported",
    "location_level",
    "source",
    "source_url",
    "source_date",
    "my notes",
)


@pytest.fixture(params=[True, False], ids=["with its policy", "without its policy"])
def page_file(request, tmp_path):
    """A page with hostile text everywhere; the policy must not be what keeps it quiet."""
    n = len(HOSTILE)
    points = shapely.points([(104 + i * 0.8 % 3, 11 + i * 0.17) for i in range(n)])
    columns = {c: [HOSTILE[(i + k) % n] for i in range(n)] for k, c in enumerate(COLUMNS)}
    sites = gpd.GeoDataFrame(columns | {"uncertainty_m": 5000.0}, geometry=points, crs=4326)
    sites.attrs["attribution"] = HOSTILE[0]
    every = " ".join(HOSTILE)
    squares = gpd.GeoDataFrame(
        {"words": HOSTILE, "value": HOSTILE},
        geometry=[shapely.box(103, 12 + i * 0.1, 104, 12.08 + i * 0.1) for i in range(n)],
        crs=4326,
    )
    lines = squares.set_geometry(squares.boundary)
    points_named = squares.set_geometry(squares.representative_point()).assign(style=every)
    scale = layers.Scale(every, tuple(HOSTILE), ("#a3271d",) * n, tuple(HOSTILE))
    extra = [
        layers.area_layer(
            squares, name=every, value="value", scale=scale, label="words", style=every
        ),
        layers.line_layer(lines, name=HOSTILE[1], label="words", style=HOSTILE[0]),
        layers.label_layer(points_named, name=HOSTILE[2], label="words"),
    ]
    page = layers.site_map(
        sites,
        title=every,
        subtitle=every,
        source=every,
        date=every,
        methods=HOSTILE,
        layers=extra,
        details=["my notes"],
    )
    folium.LayerControl(collapsed=False).add_to(page)
    layers.legend(*extra).add_to(page)
    file = tmp_path / "hostile.html"
    layers.save_html(page, file)
    if not request.param:
        text = file.read_text(encoding="utf-8")
        free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        assert free != text
        file.write_text(free, encoding="utf-8")
    return file


def shown(text):
    """The words of a hostile text as a reader sees them: no controls, single spaces."""
    return " ".join(
        re.sub(
            r"[\u0000\u202e\u2066]", "", text.replace("\u2028", " ").replace("\u2029", " ")
        ).split()
    )


def test_hostile_text_is_shown_and_runs_nothing(watch, page_file):
    watched = watch()
    page = watched.open(page_file)
    head = shown(page.inner_text("h1"))
    for text in HOSTILE:
        assert shown(text) in head
    page.click("[data-tab=table]")
    table = shown(page.inner_text(".ca-table"))
    assert shown(HOSTILE[0]) in table
    assert page.locator(".ca-table tbody tr").count() == len(HOSTILE)
    for symbol in page.locator(".ca-symbol").all():
        symbol.focus()
        page.keyboard.press("Enter")
        assert page.locator(".ca-card").is_visible()
        hrefs = [a.get_attribute("href") for a in page.locator(".ca-card a").all()]
        assert all(h.startswith(("http://", "https://")) for h in hrefs)
        page.keyboard.press("Escape")
    for path in page.locator("path.leaflet-interactive").all():
        path.focus()
    assert page.evaluate("window.ran") is None
    assert page.locator("body img[src=x], .ca-card b script").count() == 0
    assert "49" not in head
    watched.assert_quiet()


def test_layer_names_are_text_in_foliums_own_control(watch, page_file):
    page = watch().open(page_file)
    names = shown(page.inner_text(".leaflet-control-layers"))
    assert shown(HOSTILE[1]) in names
    assert shown(HOSTILE[2]) in names
    assert page.locator(".leaflet-control-layers img").count() == 0


def test_layers_work_on_anybodys_folium_map(watch, tmp_path):
    sites = gpd.GeoDataFrame(
        {
            "site_id": ["a"],
            "status": ["confirmed"],
            "locality": [HOSTILE[0]],
            "uncertainty_m": [900.0],
        },
        geometry=shapely.points([(104.9, 11.55)]),
        crs=4326,
    )
    plain_map = folium.Map(location=[11.5, 104.9], zoom_start=8, tiles=None)
    layer = layers.site_layer(sites, name=HOSTILE[1]).add_to(plain_map)
    layers.uncertainty_layer(sites).add_to(plain_map)
    folium.Marker([11.6, 104.9]).add_to(plain_map)
    folium.LayerControl(collapsed=False).add_to(plain_map)
    layers.legend(layer).add_to(plain_map)
    file = layers.save_html(plain_map, tmp_path / "plain.html")
    watched = watch()
    page = watched.open(file)
    assert page.locator("img.leaflet-marker-icon").count() == 1
    assert page.locator(".ca-legend").is_visible()
    page.locator(".ca-symbol").click()
    assert shown(HOSTILE[0]) in shown(page.inner_text(".ca-card"))
    assert page.evaluate("window.ran") is None
    watched.assert_quiet()
