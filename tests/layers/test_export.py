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

import geo
import layers
from layers.export import page_html

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
        folium.LayerControl(),
    )


@pytest.fixture(scope="module")
def example_page():
    return page_html(layers.site_map(geo.example_sites(), title="Title"))


def test_the_same_map_twice_gives_the_same_bytes_and_two_maps_of_the_same_too():
    for make in (anybodys_map, lambda: layers.site_map(geo.example_sites())):
        page = make()
        first = page_html(page)
        assert page_html(page) == first
        assert page_html(make()) == first


def test_showing_a_map_in_a_notebook_changes_nothing_in_what_is_saved():
    page = layers.site_map(geo.example_sites())
    first = page_html(page)
    page._repr_html_()  # as a notebook calls it
    assert page_html(page) == first


def test_two_processes_give_the_same_bytes():
    code = (
        "import hashlib, geo, layers; from layers.export import page_html;"
        "page = page_html(layers.site_map(geo.example_sites(), details=['status_basis']));"
        "print(hashlib.sha256(page.encode()).hexdigest())"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1]
    assert len(found[0].strip()) == 64


@pytest.mark.parametrize("make", [anybodys_map, lambda: layers.site_map(geo.example_sites())])
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


@pytest.mark.parametrize("make", [anybodys_map, lambda: layers.site_map(geo.example_sites())])
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
        (lambda: folium.Marker([1, 1], icon=folium.Icon()), "leaflet.awesome-markers.js"),
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
    frame = geo.example_sites().head(2)
    frame["name"] = [HEX, f"map_{HEX}"]
    text = page_html(layers.site_map(frame, title=HEX, subtitle=f"<{HEX}>"))
    assert text.count(HEX) == 5  # the title twice, the subtitle, two names
    assert f'"map_{HEX}"' in text
    assert HEX in page_html(plain_map(folium.GeoJson(feature(md5=HEX))))


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
