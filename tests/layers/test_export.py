"""One file, no host, the same bytes, a policy that fits: or an error and nothing written."""

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import folium
import folium.plugins
import pytest
import shapely
from branca.element import JavascriptLink
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
import layers
from layers import export
from layers._rendering import rendered
from layers.export import notebook_html, page_html

ROOT = Path(__file__).parents[2]
HEX = "d41d8cd98f00b204e9800998ecf8427e"  # the md5 of nothing: looks like one of Folium's ids
TILES = "https://tiles.example.org/{z}/{x}/{y}.png"


class Page(HTMLParser):
    """Every tag of a page, and what stands inside its scripts and styles."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.inline = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag, attrs = self.tags[-1] if self.tags else ("", {})
        if tag in {"script", "style"} and data.strip():
            self.inline.append((tag, attrs.get("type", ""), data))

    @property
    def policy(self):
        (words,) = (
            a["content"] for _, a in self.tags if a.get("http-equiv") == "Content-Security-Policy"
        )
        return {part.split()[0]: part.split()[1:] for part in words.split(";")}


def plain_map(*children):
    page = folium.Map([11.5, 104.9], zoom_start=8, tiles=None)
    for child in children:
        child.add_to(page)
    return page


def few_sites():
    return layers.site_map(geo.example_sites().head(3))


def inside_a_group(child):
    group = folium.FeatureGroup(name="group")
    child.add_to(group)
    return group


def feature(**properties):
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": "a",
                "properties": properties,
                "geometry": {"type": "Point", "coordinates": [104, 11]},
            }
        ],
    }


def anybodys_map():
    """A map of Folium's own objects that hold ids of their own."""
    return plain_map(
        layers.site_layer(geo.example_sites()),
        folium.Marker([11, 104], popup="a", tooltip="b"),
        inside_a_group(folium.CircleMarker([12, 104], popup=folium.Popup("c"))),
        folium.Marker([11, 105], icon=folium.DivIcon(html="<b>d</b>")),
        folium.Marker([11, 106], popup=folium.Popup(folium.IFrame("e"))),
        folium.GeoJson(
            feature(md5=HEX),
            tooltip=folium.GeoJsonTooltip(["md5"]),
            style_function=lambda _: {"color": "red"},
        ),
        folium.Marker([11, 107], icon=folium.Icon("red"), popup=folium.Popup("f", lazy=True)),
        folium.LayerControl(),
    )


@pytest.fixture(scope="module")
def example_page():
    return page_html(layers.site_map(geo.example_sites(), title="Title"))


def test_the_same_map_twice_gives_the_same_bytes_and_two_maps_of_the_same_too():
    for make in (anybodys_map, few_sites):
        page = make()
        first = page_html(page)
        assert page_html(page) == first
        assert page_html(make()) == first


def test_showing_a_map_in_a_notebook_changes_nothing_in_what_is_saved():
    page = few_sites()
    first = page_html(page)
    page._repr_html_()  # as a notebook calls it
    assert page_html(page) == first


def test_two_processes_give_the_same_bytes():
    code = (
        "import hashlib, test_export, geo, layers;"
        "own = layers.site_map(geo.example_sites().head(9), details=['status_basis']);"
        "[print(hashlib.sha256(test_export.page_html(page).encode()).hexdigest())"
        " for page in (own, test_export.anybodys_map())]"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        )
        for seed in ("1", "2")
    ]
    found = [process.communicate()[0].split() for process in running]
    assert found[0] == found[1]
    assert [len(hash_) for hash_ in found[0]] == [64, 64]


@pytest.mark.parametrize("make", [anybodys_map, few_sites])
def test_nothing_is_loaded_from_anywhere(make):
    page = Page(page_html(make()))
    loads = [
        (tag, name, value)
        for tag, attrs in page.tags
        for name, value in attrs.items()
        if name in {"src", "srcset", "href", "data", "poster", "action", "background", "ping"}
        and not (tag == "a" and name == "href")
        and not (value or "").startswith(("data:", "#"))
    ]
    assert loads == []
    assert not [
        d for tag, _, d in page.inline if tag == "style" and re.search(r"url\((?!data:|#)", d)
    ]
    scripts = "".join(d for tag, kind, d in page.inline if tag == "script" and not kind)
    assert not re.search(r"sourceMappingURL|\bfetch\(|cdn\.|cdnjs", scripts)


@pytest.mark.parametrize("make", [anybodys_map, few_sites])
def test_the_policy_comes_first_and_covers_every_inline_script_and_style_exactly(make):
    text = page_html(make())
    page = Page(text)
    head = [tag for tag, _ in page.tags].index("head")
    assert page.tags[head + 1][1].get("http-equiv") == "Content-Security-Policy"
    assert text.index("Content-Security-Policy") < text.index("<script")
    policy = page.policy
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
    assert policy["img-src"] == ["data:"]
    assert set(policy) <= {
        "default-src",
        "script-src",
        "style-src",
        "style-src-attr",
        "img-src",
        "frame-src",
        "base-uri",
        "form-action",
    }
    for tag, source in (("script", "script-src"), ("style", "style-src")):
        hashes = {
            f"'sha256-{base64.b64encode(hashlib.sha256(data.encode()).digest()).decode()}'"
            for name, kind, data in page.inline
            if name == tag and kind != "application/json"
        }
        assert set(policy[source]) == hashes


def test_unused_parts_of_foliums_head_are_dropped(example_page):
    lean = {"jquery", "bootstrap", "awesome", "glyphicon"}
    head = example_page.lower()
    assert not [word for word in lean if word in head]
    assert "jQuery" in page_html(anybodys_map())


@pytest.mark.parametrize(
    ("child", "address"),
    [
        (folium.plugins.MarkerCluster, "leaflet.markercluster.js"),
        (folium.plugins.Fullscreen, "Control.FullScreen.min.js"),
        (lambda: folium.Marker([1, 1], icon=folium.Icon(icon="home")), "awesome-markers.js"),
    ],
    ids=["cluster", "fullscreen", "icon"],
)
def test_what_needs_a_host_is_refused_by_its_address(tmp_path, child, address):
    with pytest.raises(geo.ExportError, match=re.escape(address)):
        layers.save_html(plain_map(child()), tmp_path / "map.html")
    assert list(tmp_path.iterdir()) == []


def test_tiles_are_refused_unless_the_author_allows_their_host():
    page = plain_map(folium.TileLayer(TILES, attr="Example"))
    with pytest.raises(geo.ExportError, match=r"tiles\.example\.org.*online=True"):
        page_html(page)
    assert Page(page_html(page, online=True)).policy["img-src"] == [
        "data:",
        "https://tiles.example.org",
    ]


def test_subdomains_of_tile_hosts_are_allowed_together():
    page = plain_map(folium.TileLayer("https://{s}.example.org/{z}/{x}/{y}.png", attr="E"))
    policy = Page(page_html(page, online=True)).policy
    assert policy["img-src"] == ["data:", "https://*.example.org"]


REMOTE = {
    "tiles in a group": lambda: inside_a_group(folium.TileLayer(TILES, attr="E")),
    "web map service": lambda: folium.WmsTileLayer("https://wms.example.org/", layers="a"),
    "image": lambda: folium.raster_layers.ImageOverlay(
        "https://images.example.org/a.png", [[1, 1], [2, 2]]
    ),
    "video": lambda: folium.raster_layers.VideoOverlay(
        "https://images.example.org/a.mp4", [[1, 1], [2, 2]]
    ),
    "marker image": lambda: folium.Marker(
        [1, 1], icon=folium.CustomIcon("https://images.example.org/a.png")
    ),
}


@pytest.mark.parametrize("kind", REMOTE)
def test_pictures_from_a_host_are_found_wherever_they_are(kind):
    with pytest.raises(geo.ExportError, match=r"example\.org"):
        page_html(plain_map(REMOTE[kind]()))


@pytest.mark.parametrize(
    "markup",
    [
        "<script src='https://example.org/a.js'></script>",
        "<link rel='stylesheet' href='https://example.org/a.css'>",
        '<iframe src="https://example.org/"></iframe>',
        '<img srcset="https://example.org/a.png 2x">',
        '<base href="https://example.org/">',
        '<style>@import "https://example.org/a.css";</style>',
        "<style>p { background: url(https://example.org/a.png) }</style>",
        '<style>p { background: url("//example.org/a.png") }</style>',
    ],
)
def test_markup_of_the_authors_own_may_not_load_either(markup):
    page = plain_map()
    page.get_root().html.add_child(folium.Element(markup))
    with pytest.raises(geo.ExportError, match=r"example\.org"):
        page_html(page)


def test_links_are_no_loads():
    page = plain_map()
    page.get_root().html.add_child(folium.Element('<a href="https://example.org/">a</a>'))
    assert '<a href="https://example.org/">' in page_html(page)


def test_nothing_is_written_when_a_page_is_refused_or_its_folder_cannot_hold_it(tmp_path):
    old = tmp_path / "map.html"
    old.write_text("the old page")
    with pytest.raises(geo.ExportError):
        layers.save_html(plain_map(folium.plugins.MarkerCluster()), old)
    assert old.read_text() == "the old page"
    with pytest.raises(geo.ExportError, match="missing"):
        layers.save_html(plain_map(), tmp_path / "missing" / "map.html")
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(geo.ExportError, match=r"folder\.html"):
        layers.save_html(plain_map(), tmp_path / "folder.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.html", "map.html"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(geo.ExportError, match="Permission denied"):
            layers.save_html(plain_map(), tmp_path / "map.html")
    finally:
        tmp_path.chmod(0o700)


def test_a_write_that_breaks_off_leaves_the_old_page(tmp_path, monkeypatch):
    old = tmp_path / "map.html"
    old.write_text("the old page")

    def full(*_):
        message = "No space left on device"
        raise OSError(28, message)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(geo.ExportError, match="No space left"):
        layers.save_html(plain_map(), old)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["the old page"]


def test_a_saved_page_is_as_readable_as_any_file(tmp_path):
    other = tmp_path / "other"
    other.touch()
    written = layers.save_html(plain_map(), tmp_path / "map.html")
    assert written.stat().st_mode == other.stat().st_mode
    assert written.read_bytes().decode("utf-8").startswith("<!DOCTYPE html>")


def test_text_that_looks_like_an_id_is_left_alone():
    text = page_html(layers.site_map(geo.example_sites().head(3), title=HEX, subtitle=f"<{HEX}>"))
    assert text.count(HEX) == 3  # the title twice, the subtitle
    text = page_html(plain_map(folium.GeoJson(feature(md5=HEX, name=f"map_{HEX}"))))
    assert f'"{HEX}"' in text
    assert f'"map_{HEX}"' in text


def test_no_random_id_is_left(example_page):
    known = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", example_page))
    urls = " ".join(geo.example_sites()["source_url"].dropna())
    assert {u for u in known if u not in urls} == set()


def test_a_layer_is_no_page():
    with pytest.raises(geo.ExportError, match="add_to"):
        page_html(layers.site_layer(geo.example_sites()))


def test_a_leaflet_that_was_not_tested_is_refused(monkeypatch, tmp_path):
    import xstatic.pkg.leaflet

    (tmp_path / "leaflet.js").write_text("window.L = {};")
    (tmp_path / "leaflet.css").write_text("")
    monkeypatch.setattr(xstatic.pkg.leaflet, "BASE_DIR", str(tmp_path))
    with pytest.raises(geo.ExportError, match=r"another leaflet\.\w+ \(sha256"):
        page_html(plain_map())


@pytest.mark.parametrize("name", ["reports.csv", "reports.geojson", "map", ".html", "a.html.gz"])
def test_a_page_replaces_nothing_that_is_not_a_page(tmp_path, name):
    file = tmp_path / name
    file.write_text("evidence")
    with pytest.raises(geo.ExportError, match=r"\.html or \.htm"):
        layers.save_html(plain_map(), file)
    assert file.read_text() == "evidence"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("name", ["a.html", "a.htm", "A.HTML"])
def test_a_page_has_a_pages_name(tmp_path, name):
    assert layers.save_html(plain_map(), tmp_path / name).read_text().startswith("<!DOCTYPE html>")


def test_a_read_only_page_is_not_replaced(tmp_path):
    file = tmp_path / "map.html"
    file.write_text("published")
    file.chmod(0o400)
    with pytest.raises(geo.ExportError, match="read-only"):
        layers.save_html(plain_map(), file)
    assert file.read_text() == "published"


def linked(*addresses):
    """A map whose page links to scripts and styles, as plugins do."""
    page = plain_map()
    for address in addresses:
        link = folium.CssLink if address.endswith(".css") else JavascriptLink
        page.get_root().header.add_child(link(address))
    return page


HOST = "https://plugins.example.org/1.0/dist"


def test_all_that_is_missing_is_named_at_once_with_what_to_do():
    with pytest.raises(geo.ExportError, match=r"assets=.*online=True") as caught:
        page_html(linked(f"{HOST}/a.js", f"{HOST}/a.css", f"{HOST}/b.js"))
    expected = [f"{HOST}/a.js", f"{HOST}/a.css", f"{HOST}/b.js"]
    assert caught.value.problems["address"].tolist() == expected
    assert all(address in str(caught.value) for address in expected)


def test_supplied_files_stand_in_the_page_with_what_their_styles_ask_for(tmp_path):
    (tmp_path / "a.js").write_text("window.supplied = '</script>';\n//# sourceMappingURL=a.js.map")
    (tmp_path / "icons").mkdir()
    (tmp_path / "icons" / "a.woff2").write_bytes(b"font")
    css = "@font-face { font-family: a; src: url('icons/a.woff2?v=1#x') }"
    (tmp_path / "a.css").write_text(css)
    files = {f"{HOST}/a.js": tmp_path / "a.js", f"{HOST}/a.css": str(tmp_path / "a.css")}
    text = page_html(linked(*files), assets=files)
    page = Page(text)
    assert any("window.supplied" in data for tag, _, data in page.inline if tag == "script")
    font = base64.b64encode(b"font").decode()
    assert f"url(data:font/woff2;base64,{font})" in text
    assert page.policy["font-src"] == ["data:"]
    assert "sourceMappingURL" not in text
    assert "plugins.example.org" not in text


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, r"cannot be read: No such file"),
        (b"\xff\xfe\x00", "no text in UTF-8"),
        (b"p { background: url(lost.png) }", rf"{HOST}/lost\.png .*No such file"),
        (b"p { background: url(https://other.example.org/x.png) }", r"other\.example\.org/x\.png"),
        (b"p { background: url(//other.example.org/x.png) }", r"other\.example\.org/x\.png"),
        (b"@import 'more.css';", rf"{HOST}/more\.css"),
        (b"@import url(//other.example.org/more.css);", r"other\.example\.org/more\.css"),
    ],
)
def test_a_supplied_style_that_needs_more_says_what(tmp_path, content, named):
    file = tmp_path / "a.css"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(geo.ExportError, match=named):
        page_html(linked(f"{HOST}/a.css"), assets={f"{HOST}/a.css": file})


def test_what_a_style_asks_for_can_be_supplied_by_its_address(tmp_path):
    (tmp_path / "a.css").write_text("p { background: url(../img/x.png) }")
    (tmp_path / "x.png").write_bytes(b"picture")
    files = {
        f"{HOST}/a.css": tmp_path / "a.css",
        "https://plugins.example.org/1.0/img/x.png": tmp_path / "x.png",
    }
    text = page_html(linked(f"{HOST}/a.css"), assets=files)
    assert f"url(data:image/png;base64,{base64.b64encode(b'picture').decode()})" in text


def test_a_folder_is_no_asset(tmp_path):
    with pytest.raises(geo.ExportError, match="directory"):
        page_html(linked(f"{HOST}/a.js"), assets={f"{HOST}/a.js": tmp_path})


def test_an_asset_that_no_page_asks_for_changes_nothing(tmp_path):
    page = plain_map()
    assert page_html(page, assets={f"{HOST}/a.js": tmp_path / "missing"}) == page_html(page)


def test_online_leaves_a_script_by_its_very_address_and_names_the_host(tmp_path):
    page = linked(f"{HOST}/a.js", f"{HOST}/a.css")
    with pytest.warns(geo.HostWarning, match=r"call https://plugins\.example\.org:"):
        file = layers.save_html(page, tmp_path / "map.html", online=True)
    policy = Page(file.read_text(encoding="utf-8")).policy
    assert f"{HOST}/a.js" in policy["script-src"]
    assert f"{HOST}/a.css" in policy["style-src"]
    assert policy["font-src"] == ["https://plugins.example.org"]
    assert not [word for word in policy["script-src"] if word in {"'self'", "https:", "*"}]


def test_no_address_can_write_into_the_policy():
    hostile = f"{HOST}/a.js;script-src *,x' y.js"
    policy = Page(page_html(linked(hostile), online=True)).policy
    assert "*" not in policy["script-src"]
    assert f"{HOST}/a.js%3Bscript-src%20*%2Cx%27%20y.js" in policy["script-src"]
    popup = "<img src='https://example.org;frame-src'>"
    with pytest.raises(geo.ExportError, match=r"example\.org;frame-src"):
        page_html(plain_map(folium.Marker([1, 1], popup=popup)), online=True)


def test_a_page_that_calls_nobody_gives_no_warning(tmp_path):
    layers.save_html(plain_map(folium.Marker([1, 1])), tmp_path / "map.html", online=True)


def test_tiles_that_are_allowed_are_named(tmp_path):
    page = plain_map(folium.TileLayer(TILES, attr="E"))
    with pytest.warns(geo.HostWarning, match=r"https://tiles\.example\.org"):
        layers.save_html(page, tmp_path / "map.html", online=True)


def test_data_that_a_page_would_fetch_are_refused_and_can_be_allowed():
    address = "https://data.example.org/a.geojson"
    page = plain_map()
    layer = folium.GeoJson(feature(a=1))
    layer.embed, layer.embed_link = False, address
    layer.add_to(page)
    with pytest.raises(geo.ExportError, match=r"data\.example\.org"):
        page_html(page)
    policy = Page(page_html(page, online=True)).policy
    assert policy["connect-src"] == ["https://data.example.org"]


@pytest.mark.parametrize("quote", ['"', "'", ""])
@pytest.mark.parametrize("make", [folium.Popup, folium.Tooltip, lambda t: folium.DivIcon(html=t)])
def test_pictures_in_popups_and_icons_are_found(make, quote):
    part = make(f"<img alt='x' src={quote}https://images.example.org/a.png{quote} >")
    marker = folium.Marker([1, 1], icon=part if isinstance(part, folium.DivIcon) else None)
    page = plain_map(marker if isinstance(part, folium.DivIcon) else marker.add_child(part))
    with pytest.raises(geo.ExportError, match=r"images\.example\.org"):
        page_html(page)
    assert "https://images.example.org" in Page(page_html(page, online=True)).policy["img-src"]


@pytest.mark.parametrize(
    "markup",
    ["<script>alert(1)</script>", '<b onclick="alert(1)">b</b>', "<svg/onload=alert(1)>"],
)
def test_scripts_among_the_elements_of_a_page_are_refused(markup):
    page = plain_map()
    page.get_root().html.add_child(folium.Element(f"<ul><li>{markup}</li></ul>"))
    with pytest.raises(geo.ExportError, match=r"get_root\(\)\.script"):
        page_html(page)


def test_the_authors_own_script_runs_from_where_scripts_belong():
    page = plain_map()
    page.get_root().script.add_child(folium.Element("window.mine = '</script>';"))
    assert any("window.mine" in data for tag, _, data in Page(page_html(page)).inline)


def test_templates_in_texts_are_never_run():
    page = plain_map(
        folium.Marker([1, 1], popup="{{ 7*191 }} {% raw %}", tooltip="{{ 7*191 }} {#"),
        folium.GeoJson(feature(name="{{ 7*191 }}"), tooltip=folium.GeoJsonTooltip(["name"])),
        folium.FeatureGroup(name="{{ 7*191 }}"),
    )
    text = page_html(page)
    assert "1337" not in text
    assert '"{{ 7*191 }}"' in text


def test_a_text_that_breaks_foliums_templates_is_named():
    with pytest.raises(geo.ExportError, match=r"'\{%'"):
        page_html(plain_map(folium.GeoJson(feature(name="{% raw %}"))))
    page = plain_map()
    page.get_root().html.add_child(folium.Element("<p>{{ 7*191 }}</p>"))  # as a legend would
    with pytest.raises(geo.ExportError, match="template"):
        page_html(page)


def test_pins_with_foliums_default_sign_need_no_file_and_others_name_theirs():
    pins = [
        folium.Marker([1, i], icon=folium.Icon(color)) for i, color in enumerate(("red", "blue"))
    ]
    text = page_html(plain_map(*pins))
    assert "cadetblue" in text
    assert not re.search(r"glyphicons|fontawesome|bootstrap", text)
    with pytest.raises(geo.ExportError) as caught:
        page_html(plain_map(folium.Marker([1, 1], icon=folium.Icon(icon="cloud", prefix="fa"))))
    assert {a.rsplit("/", 1)[-1] for a in caught.value.problems["address"]} == {
        "leaflet.awesome-markers.js",
        "leaflet.awesome-markers.css",
        "all.min.css",
    }


def test_the_scripts_that_folium_brings_along_need_no_file():
    page = plain_map(folium.plugins.HeatMap([[11, 104, 1.0]]))
    assert "simpleheat" in page_html(page)


def test_a_colour_scale_needs_its_package_or_says_so():
    page = plain_map(folium.LinearColormap(["red", "blue"], caption="scale"))
    try:
        import xstatic.pkg.d3  # noqa: F401
    except ModuleNotFoundError:
        with pytest.raises(geo.ExportError, match="install XStatic-D3"):
            page_html(page)
    else:
        assert "d3.min.js" not in page_html(page)


def only(folder):
    return sorted(p.name for p in folder.iterdir())


def test_a_page_with_its_data_apart_takes_the_old_data_along(tmp_path):
    file = tmp_path / "map.html"
    other = tmp_path / "map-data-0123456789ab.css"
    other.write_text("not ours")
    layers.save_html(few_sites(), file, split=True)
    (first,) = set(only(tmp_path)) - {"map.html", other.name}
    assert re.fullmatch(r"map-data-[0-9a-f]{12}\.css", first)
    page = file.read_bytes()
    layers.save_html(few_sites(), file, split=True)
    assert file.read_bytes() == page
    assert first in only(tmp_path)
    layers.save_html(layers.site_map(geo.example_sites().head(4)), file, split=True)
    assert first not in only(tmp_path)
    assert len(only(tmp_path)) == 3
    layers.save_html(few_sites(), file)
    assert only(tmp_path) == sorted(["map.html", other.name])


def test_no_data_stay_in_the_page_that_are_apart(tmp_path):
    canary = "Canary town"
    points = shapely.points([(104.9, 11.5)])
    frame = geo.example_sites().head(1).assign(geometry=points)
    named = frame[["geometry"]].assign(words=canary, style="town")
    page = plain_map(layers.label_layer(named, name="Towns", label="words"))
    file = layers.save_html(page, tmp_path / "map.html", split=True)
    assert canary not in file.read_text(encoding="utf-8")
    (data,) = tmp_path.glob("map-data-*.css")
    assert canary in data.read_text(encoding="utf-8")


def test_a_page_without_data_has_no_second_file(tmp_path):
    layers.save_html(plain_map(folium.Marker([1, 1])), tmp_path / "map.html", split=True)
    assert only(tmp_path) == ["map.html"]


def test_a_write_that_breaks_off_leaves_the_old_page_and_its_data(tmp_path, monkeypatch):
    file = layers.save_html(few_sites(), tmp_path / "map.html", split=True)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    replace = Path.replace

    def full(self, target):
        if Path(target).name == "map.html":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(geo.ExportError, match="No space left"):
        layers.save_html(layers.site_map(geo.example_sites().head(4)), file, split=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_notebook_shows_a_small_map_and_links_a_large_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = plain_map(folium.Marker([1, 1], popup="words"))
    assert notebook_html(page).startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    assert only(tmp_path) == []
    monkeypatch.setattr(export, "_LARGEST_INLINE", 100_000)
    shown = notebook_html(page)
    (name,) = only(tmp_path)
    assert f'<a href="{name}"' in shown
    assert len(shown) < 500
    assert (tmp_path / name).read_text(encoding="utf-8") == page_html(page)
    assert notebook_html(page) == shown
    assert only(tmp_path) == [name]


def test_a_notebook_in_a_folder_that_cannot_be_written_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export, "_LARGEST_INLINE", 100_000)

    def refuse(**_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    assert "save_html" in notebook_html(plain_map())
    assert only(tmp_path) == []


def test_a_bar_shows_only_work_that_lasts(capsys):
    page_html(plain_map(*[folium.Marker([1, i]) for i in range(5)]))
    assert capsys.readouterr().err == ""


def test_every_element_is_counted_once_while_a_page_is_made(tmp_path, monkeypatch):
    from layers import _rendering

    seen = []

    class Bar:
        def __init__(self, **options):
            seen.append(options)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def update(self):
            seen.append(1)

    monkeypatch.setattr(_rendering, "tqdm", Bar)
    page = plain_map(*[folium.Marker([1, i], popup="a") for i in range(50)])
    layers.save_html(page, tmp_path / "map.html", progress=False)
    options = seen[0]
    assert options["disable"]
    assert options["delay"] == 2
    assert 100 <= len(seen) - 1 <= options["total"]


def test_a_map_of_many_elements_does_not_exhaust_the_stack():
    page = group = plain_map()
    for _ in range(120):
        group = folium.FeatureGroup(name="g").add_to(group)
    assert "feature_group" in page_html(page)


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("`${}\\\n"), max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_is_one_string_of_the_script(text):
    """Read back from the template literal as JavaScript would, it is the text that went in."""
    page = plain_map(folium.Marker([1, 1], tooltip=text))
    script = rendered(page.get_root()).script.rsplit("bindTooltip(", 1)[1]
    literal = re.match(r"\s*`((?:[^`\\]|\\.)*)`", script, re.DOTALL)[1]
    assert not re.search(r"(?<!\\)\{", literal)
    inside = re.search(r"<div>(.*)</div>", literal, re.DOTALL)[1].strip()
    read = re.sub(r"\\(x7b|.)", lambda m: {"x7b": "{"}.get(m[1], m[1]), inside, flags=re.DOTALL)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    assert read == lines.strip()
