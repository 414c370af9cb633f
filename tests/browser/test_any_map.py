"""Anybody's Folium map, saved: it opens without network, it works, no text in it runs."""

import re

import folium
import geopandas as gpd
import pytest
import shapely
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template

import geo
import layers

pytestmark = pytest.mark.browser

CENTRE = [11.5, 104.9]
RAN = "document.body.dataset.ran='{}'"
HOSTILE = {
    "image": f'<img src="data:," onerror="{RAN.format("image")}">',
    "script": f"<script>{RAN.format('script')}</script>",
    "closed": f"</script><script>{RAN.format('closed')}</script>",
    "literal": f"${{{RAN.format('literal')}}}",
    "backtick": f"`;{RAN.format('backtick')};`",
    "escaped backtick": f"\\`;{RAN.format('backtick')};\\`",
    "backslash": "C:\\0\\1 \\u{110000} end\\",
    "template": "{{ 7*191 }} {% raw %} {#",
    "comment": "<!-- <script>",
    "drawing": f'<svg onload="{RAN.format("drawing")}"></svg>',
    "link": "<a href=\"javascript:document.body.dataset.ran='link'\">link</a>",
    "lines": "a\r\nb\rc\u2028d\0e",
    "khmer": "អូរស្មាច់",
}
GENERAL = "Words and <b>bold</b>"


def plain_map(*children, **options):
    page = folium.Map(CENTRE, zoom_start=8, tiles=None, **options)
    for child in children:
        child.add_to(page)
    return page


def square(west, south, **properties):
    return {
        "type": "Feature",
        "id": properties.get("name", "a"),
        "properties": properties,
        "geometry": shapely.box(west, south, west + 0.3, south + 0.3).__geo_interface__,
    }


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def saved(watch, tmp_path, page, **options):
    watched = watch()
    watched.open(layers.save_html(page, tmp_path / "map.html", **options))
    return watched


def open_popups(page):
    """Open every popup and tooltip of the map and return the words of the popups."""
    return page.evaluate(
        """() => {
            const words = [], seen = new Set();
            const map = Object.values(window).find(v => v instanceof L.Map);
            map.options.closePopupOnClick = false;
            const visit = layer => {
                if (seen.has(layer)) return;
                seen.add(layer);
                if (layer.getTooltip && layer.getTooltip()) layer.openTooltip();
                if (layer.getPopup && layer.getPopup()) {
                    layer.openPopup();
                    const content = layer.getPopup().getElement();
                    words.push(content.querySelector(".leaflet-popup-content").innerText.trim());
                }
                if (layer.eachLayer) layer.eachLayer(visit);
            };
            map.eachLayer(visit);
            return words;
        }"""
    )


def test_everything_of_foliums_core_works_without_network(watch, tmp_path):
    group = folium.FeatureGroup(name="Group")
    folium.CircleMarker([11.7, 104.6], popup=folium.Popup("Circle", show=True)).add_to(group)
    folium.Circle([11.7, 104.9], radius=3000, tooltip="disc").add_to(group)
    framed = folium.IFrame('<p style="color: red">In a frame</p>', width=200, height=80)
    page = plain_map(
        folium.Marker(CENTRE, popup=GENERAL, tooltip="tip"),
        folium.Marker([11.5, 105.3], icon=folium.Icon(color="red"), popup="Pin"),
        folium.Marker(
            [11.2, 105.3], icon=folium.DivIcon(html='<div style="font-size: 24px">Words</div>')
        ),
        folium.Marker(
            [11.2, 104.9], popup=folium.Popup(framed), icon=folium.Icon(icon_color="#fff")
        ),
        folium.Marker([11.0, 104.9], popup=folium.Popup("<i>Late</i>", lazy=True)),
        folium.GeoJson(
            collection(square(104.2, 11.2, name="Area")),
            popup=folium.GeoJsonPopup(["name"], style="color: green"),
            tooltip=folium.GeoJsonTooltip(["name"], aliases=["Name"]),
            style_function=lambda _: {"fillColor": "#0a0"},
            highlight_function=lambda _: {"weight": 4},
        ),
        folium.GeoJson(shapely.Point(105.3, 11.7).__geo_interface__),
        folium.PolyLine([[11, 104], [12, 105]], tooltip="line"),
        folium.Rectangle([[10.8, 104], [11, 104.2]]),
        folium.Polygon([[10.8, 105], [11, 105.2], [10.8, 105.3]]),
        folium.LatLngPopup(),
        group,
        folium.LayerControl(collapsed=False),
        control_scale=True,
    )
    watched = saved(watch, tmp_path, page)
    shown = watched.page
    words = open_popups(shown)
    assert {"Words and bold", "Pin", "Circle"} <= set(words)
    assert any("Area" in w for w in words)
    pins = shown.locator("img.leaflet-marker-icon")
    sizes = pins.evaluate_all("all => all.map(e => [e.complete, e.naturalWidth > 0])")
    assert sizes == [[True, True]] * 5  # the point of GeoJSON is a marker too
    assert (
        shown.locator("div.leaflet-marker-icon div").evaluate("e => getComputedStyle(e).fontSize")
        == "24px"
    )
    shown.locator(".leaflet-control-layers input[type=checkbox]").last.click()
    assert shown.locator("path.leaflet-interactive").count() >= 4
    watched.assert_quiet()


def test_a_frame_in_a_popup_is_shown_with_its_own_styles(watch, tmp_path):
    framed = folium.IFrame(
        '<style>p { margin: 7px }</style><p style="color: rgb(1, 2, 3)">In a frame</p>'
        f"<script>{RAN.format('frame')}</script>",
        width=200,
        height=80,
    )
    watched = saved(watch, tmp_path, plain_map(folium.Marker(CENTRE, popup=folium.Popup(framed))))
    watched.page.locator("img.leaflet-marker-icon").click()
    inside = watched.page.frame_locator(".leaflet-popup iframe").locator("p")
    assert inside.inner_text() == "In a frame"
    assert inside.evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert inside.evaluate("e => getComputedStyle(e).marginTop") == "7px"
    assert inside.evaluate("() => document.body.dataset.ran") is None
    assert all("script" in line for line in watched.console)  # that one was refused


def test_a_choropleth_and_a_colour_scale_are_drawn(watch, tmp_path):
    pytest.importorskip("xstatic.pkg.d3")
    areas = collection(square(104, 11, name="a"), square(104.5, 11, name="b"))
    page = plain_map(
        folium.Choropleth(
            areas,
            data=gpd.pd.DataFrame({"name": ["a", "b"], "n": [1.0, 5.0]}),
            columns=["name", "n"],
            key_on="feature.properties.name",
            legend_name="Reports per area",
        )
    )
    watched = saved(watch, tmp_path, page)
    legend = watched.page.locator(".legend.leaflet-control")
    assert "Reports per area" in legend.inner_text()
    assert legend.locator("rect").count() > 5
    fills = watched.page.locator("path.leaflet-interactive").evaluate_all(
        "all => all.map(e => e.getAttribute('fill'))"
    )
    assert len(set(fills)) == 2
    watched.assert_quiet()


@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_in_the_texts_of_foliums_own_objects_runs(watch, tmp_path, kind):
    text = HOSTILE[kind]
    properties = {"name": text if kind != "template" else "{{ 7*191 }}"}
    page = plain_map(
        folium.Marker(CENTRE, popup=text, tooltip=text),
        folium.Marker([11.2, 104.9], popup=folium.Popup(text, parse_html=True)),
        folium.Marker([11.0, 104.9], popup=folium.Popup(text, lazy=True)),
        folium.CircleMarker([11.7, 104.6], popup=folium.Popup(text), tooltip=folium.Tooltip(text)),
        folium.GeoJson(
            collection(square(104.2, 11.2, **properties)),
            popup=folium.GeoJsonPopup(["name"]),
            tooltip=folium.GeoJsonTooltip(["name"]),
        ),
        folium.FeatureGroup(name=properties["name"]),
        folium.Marker([11.5, 105.3], icon=folium.DivIcon(html=properties["name"])),
        folium.LayerControl(collapsed=False),
    )
    page.get_root().title = text
    watched = saved(watch, tmp_path, page)
    words = open_popups(watched.page)
    assert len(words) == 5
    watched.page.wait_for_timeout(100)
    assert watched.page.evaluate("document.body.dataset.ran") is None
    assert watched.dialogs == []
    assert watched.failed == []
    # The policy's refusals are the only words in the console: no script broke.
    refusals = [line for line in watched.console if "Content Security Policy" in line]
    assert watched.console == refusals
    assert "1337" not in watched.page.content()
    if kind in {"khmer", "literal", "backslash", "template"}:
        assert words[0] == words[1] == text


def test_without_its_policy_only_handlers_would_run(watch, tmp_path):
    """What the policy is there for: HTML of Folium's popups is HTML."""
    file = layers.save_html(
        plain_map(folium.Marker(CENTRE, popup=HOSTILE["image"])), tmp_path / "map.html"
    )
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text))
    page = watch().open(file)
    assert page.evaluate("document.body.dataset.ran") == "image"


class Plugin(JSCSSMixin, MacroElement):
    """A plugin as Folium's are: a script and a style sheet at addresses."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "madeUp({{ this._parent.get_name() }}, `{{ this.words }}`);"
        "{% endmacro %}"
    )
    words = '<p class="made-up" style="width: 50px">Made up</p>'
    default_js = [("made_up", "https://plugins.example.org/1.0/dist/made-up.js")]  # noqa: RUF012  # Folium's way
    default_css = [("made_up_css", "https://plugins.example.org/1.0/dist/made-up.css")]  # noqa: RUF012


def test_a_plugin_works_from_files_that_the_author_supplies(watch, tmp_path):
    folder = tmp_path / "plugin"
    (folder / "dist").mkdir(parents=True)
    (folder / "images").mkdir()
    dot = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    (folder / "images" / "dot.svg").write_text(dot)
    (folder / "dist" / "made-up.js").write_bytes(
        b"function madeUp(map, words) {\r\n  const control = L.control();\r\n"
        b"  const box = L.DomUtil.create('div'); box.innerHTML = words;\r\n"
        b"  control.onAdd = () => box;\r\n"
        b"  control.addTo(map); /* </script> <!-- */\r\n}\r\n//# sourceMappingURL=made-up.js.map"
    )
    (folder / "dist" / "made-up.css").write_bytes(
        b".made-up {\r\n  color: rgb(1, 2, 3); background: url('../images/dot.svg#a') }\r\n"
    )
    address = "https://plugins.example.org/1.0/dist/made-up"
    watched = saved(
        watch,
        tmp_path,
        plain_map(Plugin()),
        assets={
            f"{address}.js": folder / "dist" / "made-up.js",
            f"{address}.css": str(folder / "dist" / "made-up.css"),
        },
    )
    words = watched.page.locator(".made-up")
    assert words.inner_text() == "Made up"
    style = words.evaluate(
        "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundImage, e.offsetWidth]"
    )
    assert style[0] == "rgb(1, 2, 3)"
    assert style[1].startswith('url("data:image/svg+xml;base64,')
    assert style[2] == 50
    watched.assert_quiet()


def sites(names):
    n = len(names)
    points = shapely.points([(104 + i % 40 * 0.05, 10.5 + i // 40 * 0.05) for i in range(n)])
    columns = {"site_id": [f"s{i}" for i in range(n)], "status": ["suspected"] * n}
    return gpd.GeoDataFrame(
        columns | {"locality": names, "uncertainty_m": 500.0}, geometry=points, crs=4326
    )


def data_of(page):
    return page.evaluate(
        "[...document.querySelectorAll('script[id$=_data]')]"
        ".map(e => [e.id, e.type, e.textContent])"
    )


def test_a_page_with_its_data_apart_is_the_same_map(watch, tmp_path):
    names = [*HOSTILE.values(), "50 % ' \" \\ \n", "អូរស្មាច់ 😀" * 50, *map(str, range(90))]
    page = layers.site_map(sites(names), title="Apart")
    whole, parted = watch(), watch()
    folder = tmp_path / "a folder's name, with %41 and ខ្មែរ"
    folder.mkdir()
    whole.open(layers.save_html(page, folder / "whole.html"))
    parted.open(layers.save_html(page, folder / "my map's ផែនទី.html", split=True))
    assert data_of(parted.page) == data_of(whole.page)
    assert len(data_of(whole.page)) > 5
    assert "[role=alert]" not in parted.page.content()
    whole.assert_quiet()
    parted.assert_quiet()


def test_large_data_apart_arrive_whole(watch, tmp_path):
    text = "".join(chr(33 + i % 90) for i in range(1_300_000)) + "ខ" * 400_000 + "😀" * 300_001
    layer = layers.label_layer(
        gpd.GeoDataFrame(
            {"words": [text], "style": ["town"]}, geometry=[shapely.Point(104.9, 60)], crs=4326
        ),
        name="Large",
        label="words",
    )
    watched = saved(watch, tmp_path, plain_map(layer), split=True)
    shown = watched.page.evaluate(
        "JSON.parse(document.querySelector('script[id$=_data]').textContent).labels[0][0]"
    )
    assert shown == text
    watched.assert_quiet()


def test_a_page_without_its_data_says_so(watch, tmp_path):
    layers.save_html(layers.site_map(sites(["a"])), tmp_path / "map.html", split=True)
    (data,) = tmp_path.glob("map-data-*.css")
    text = data.read_text(encoding="utf-8")
    data.write_text(text[: len(text) // 2], encoding="utf-8")
    page = watch().open(tmp_path / "map.html")
    assert data.name in page.inner_text("[role=alert]")
    data.unlink()
    page = watch().open(tmp_path / "map.html")
    assert data.name in page.inner_text("[role=alert]")


def test_a_file_of_data_can_run_nothing(watch, tmp_path):
    layers.save_html(layers.site_map(sites(["a"])), tmp_path / "map.html", split=True)
    (data,) = tmp_path.glob("map-data-*.css")
    (tmp_path / "evil.js").write_text(RAN.format("file"))
    bad = f"</style><script>{RAN.format('data')}</script>* {{ background: url(evil.png) }}"
    data.write_text(data.read_text(encoding="utf-8") + bad, encoding="utf-8")
    watched = watch()
    page = watched.open(tmp_path / "map.html")
    page.evaluate(
        "const s = document.createElement('script'); s.src = 'evil.js'; document.body.append(s);"
    )
    page.wait_for_timeout(100)
    assert page.evaluate("document.body.dataset.ran") is None
    assert not [r for r in watched.requests if r.endswith("evil.png")]


def test_a_script_of_a_host_is_allowed_by_its_very_address(watch, tmp_path):
    with pytest.warns(geo.HostWarning, match=r"plugins\.example\.org"):
        file = layers.save_html(plain_map(Plugin()), tmp_path / "map.html", online=True)
    watched = watch()
    watched.page.context.set_offline(False)
    page = watched.open(file)
    assert sorted(r for r in watched.requests if r.startswith("http")) == [
        "https://plugins.example.org/1.0/dist/made-up.css",
        "https://plugins.example.org/1.0/dist/made-up.js",
    ]
    blocked = page.evaluate(
        "new Promise(done => { document.addEventListener('securitypolicyviolation',"
        " e => done(e.blockedURI)); const s = document.createElement('script');"
        " s.src = 'https://plugins.example.org/other.js'; document.body.append(s); })"
    )
    assert blocked == "https://plugins.example.org/other.js"
