"""What a file does to its readers, and what it says of its makers."""

import base64
import gzip
import hashlib
import io
import json
import sqlite3
import struct
import zipfile
import zlib
from contextlib import closing, suppress

import folium
import geopandas as gpd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import geo
import layers
from geo.errors import HostWarning, ReadError
from layers._exposure import exposures
from layers.export import notebook_html

HOME = "/ho" + "me"  # no path of a machine stands in this repository

ROWS = [(104.55317, 12.85291), (104.1, 12.5)]  # fields: nobody's
TIME = "a time of day at which it was made"


def sites(**attrs):
    frame = gpd.GeoDataFrame(
        {
            "site_id": ["s1", "s2"],
            "name": ["Kdei Thmey Lodge", "Phum A"],
            "status": "suspected",
            "uncertainty_m": 500.0,
        },
        geometry=[shapely.Point(p) for p in ROWS],
        crs=4326,
    )
    frame = geo.validate_sites(frame)
    frame.attrs = attrs
    return frame


def hashed(code):
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


def page(body, words="script-src 'none'"):
    policy = f"default-src 'none'; {words}"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return f"<!DOCTYPE html><html><head>{meta}</head><body>{body}</body></html>".encode()


@pytest.fixture(scope="module")
def our_map():
    return layers.site_map(sites(), title="Canary")


def test_our_pages_do_nothing_and_say_nothing(our_map, tmp_path):
    layers.save_html(our_map, tmp_path / "whole.html", progress=False)
    layers.save_html(our_map, tmp_path / "map.html", split=True, progress=False)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert [exposures(file.read_bytes(), file.name) for file in files] == [[], [], []]


def test_a_page_that_calls_hosts_by_choice_names_them(tmp_path):
    own = folium.Map(tiles="https://tiles.example.org/{z}/{x}/{y}.png", attr="a")
    with pytest.warns(HostWarning):
        layers.save_html(own, tmp_path / "map.html", online=True, progress=False)
    found = exposures((tmp_path / "map.html").read_bytes(), "map.html")
    assert found == [("G15", "it calls tiles.example.org")]


def test_a_page_of_folium_alone_has_no_policy_and_calls_many(tmp_path):
    own = folium.Map([12, 104])
    own.save(str(tmp_path / "map.html"))
    found = exposures((tmp_path / "map.html").read_bytes(), "map.html")
    assert ("G14", "a page without a Content-Security-Policy") in found
    hosts = {words for rule, words in found if rule == "G15"}
    assert {"it calls cdn.jsdelivr.net", "it calls tile.openstreetmap.org"} <= hosts


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<img src="data:image/gif;base64,AA" onerror="go()">', "1 handler in an attribute"),
        ('<p ONCLICK=a onload="b">', "2 handlers in an attribute"),
        ('<a href="javascript:go()">a</a>', "1 address that is a script"),
        ('<a href=" java&#10;script:go()">a</a>', "1 address that is a script"),
        ('<svg><a xlink:href="javascript:go()">a</a></svg>', "1 address that is a script"),
        ("<script>go()</script>", "1 script that the policy does not know"),
        ("<script>a</script><script>b</script>", "2 scripts that the policy does not know"),
        ('<script src="a.js"></script>', "1 script from a file of its own"),
        ('<iframe srcdoc="<p>"></iframe>', "1 frame with a page of its own"),
    ],
)
def test_code_in_a_page_is_named(body, words):
    assert exposures(page(body), "a.html") == [("G14", words)]


def test_a_script_that_the_policy_knows_is_no_fault_and_inert_data_are_none():
    assert exposures(page("<script>go()</script>", f"script-src {hashed('go()')}"), "a.html") == []
    assert exposures(page('<script type="application/json">{"a":1}</script>'), "a.html") == []
    changed = page("<script>go(1)</script>", f"script-src {hashed('go()')}")
    assert exposures(changed, "a.html") == [("G14", "1 script that the policy does not know")]


@pytest.mark.parametrize(
    "words", ["script-src 'unsafe-inline'", "script-src 'unsafe-eval'", "script-src https: *"]
)
def test_a_policy_that_forbids_nothing_is_none(words):
    found = exposures(page("", words), "a.html")
    assert ("G14", "a Content-Security-Policy that lets any script run") in found


def test_a_policy_behind_a_script_comes_too_late():
    code = "go()"
    late = f"<html><script>{code}</script>".encode() + page("", f"script-src {hashed(code)}")
    assert exposures(late, "a.html") == [("G14", "a script before the Content-Security-Policy")]


def test_a_drawing_with_code_is_named():
    inside = (
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>a</script><g onclick='a'/>"
        b"<image href='https://pictures.example.org/a.png'/></svg>"
    )
    assert exposures(inside, "a.svg") == [
        ("G14", "1 handler in an attribute"),
        ("G14", "1 script in a drawing"),
        ("G15", "it calls pictures.example.org"),
    ]


def test_our_figures_say_nothing(tmp_path):
    for suffix in ("svg", "pdf", "png"):
        path = layers.save_figure(layers.site_figure(sites()), tmp_path / f"a.{suffix}")
        assert exposures(path.read_bytes(), path.name) == []


@pytest.mark.parametrize(
    "body",
    [
        '<img src="https://a.example.org/x">',
        '<img srcset="b.png, //a.example.org/x 2x">',
        '<link rel="preconnect" href="//a.example.org">',
        '<video poster="https://a.example.org/x"></video>',
        '<object data="https://a.example.org/x"></object>',
        '<form action="https://a.example.org/x"></form>',
        '<a ping="https://a.example.org/x" href="#">a</a>',
        "<p style=\"background: url( 'https://A.example.org:443/x' )\">",
        "<style>@import '//a.example.org/x'</style>",
        "<style>p { background: url(https://u:p@a.example.org/x) }</style>",
        '<meta http-equiv="refresh" content="0; url=https://a.example.org/x">',
        '<image href="https://a.example.org/x">',
    ],
)
def test_what_a_browser_loads_is_named(body):
    assert ("G15", "it calls " + "a.example.org") in [
        (rule, words.removesuffix(":443")) for rule, words in exposures(page(body), "a.html")
    ]


@pytest.mark.parametrize(
    "code",
    [
        "fetch('https://a.example.org/x')",
        'new Image().src = "//a.example.org/x"',
        "L.tileLayer(`https://a.example.org/{z}`)",
        "x.open('GET', 'https://a.example.org')",
        r'bindPopup("<img src=\"https://a.example.org/x\">")',
    ],
)
def test_what_a_script_calls_is_named_unless_the_policy_forbids_it(code):
    words = ("G15", "it calls a.example.org")
    assert words in exposures(f"<!DOCTYPE html><script>{code}</script>".encode(), "a.html")
    held = page(f"<script>{code}</script>", f"script-src {hashed(code)}")
    assert exposures(held, "a.html") == []
    allowed = page("", "connect-src https://a.example.org")
    assert exposures(allowed, "a.html") == [words]


def test_links_that_readers_follow_are_no_calls():
    body = '<a href="https://example.org/">a</a><map><area href="//example.org"></map>'
    assert exposures(page(body), "a.html") == []
    assert exposures(b'{"url_of": 1, "note": "https://example.org/a"}', "a.geojson") == []
    assert exposures(b"name,source_url\na,https://example.org/a\n", "a.csv") == []


def test_other_files_that_call_hosts():
    kml = b"<kml><Icon><href>http://a.example.org/i.png</href></Icon></kml>"
    described = b"<kml><description><![CDATA[<img src='//a.example.org/i'>]]></description></kml>"
    linked = b"<kml><description><![CDATA[<a href='//a.example.org/i'>a</a>]]></description></kml>"
    style = b"#a{--x:url(https://a.example.org/f)}"
    picture = (
        b'<Relationship Id="a" Type="http://x/image" Target="https://a.example.org/i" '
        b'TargetMode="External"/>'
    )
    hyperlink = picture.replace(b"x/image", b"x/hyperlink")
    words = [("G15", "it calls a.example.org")]
    assert [exposures(d, "a.kml") for d in (kml, described, linked)] == [words, words, []]
    assert exposures(style, "a.css") == words
    assert [exposures(d, "a.rels") for d in (picture, hyperlink)] == [words, []]


# Who, where and when


@pytest.mark.parametrize(
    "path",
    [
        f"{HOME}/dara/maps/a.csv",
        "/Users/dara",
        "C:\\Users\\dara\\a.csv",
        "C:\\\\Users\\\\dara",
        "file:///srv/a",
    ],
)
def test_paths_of_folders_are_found(path):
    for name, data in {
        "a.json": json.dumps({"from": path}).encode(),
        "a.html": page(f"<p>{path}</p>"),
        "a.gz": gzip.compress(path.encode(), mtime=0),
    }.items():
        assert exposures(data, name) == [("G17", "the path of somebody's folder")]


def test_addresses_that_look_like_folders_are_none():
    for text in (f"https://example.org{HOME}/a", f"a{HOME}/b", "at home/office", "profile://a"):
        assert exposures(text.encode(), "a.txt") == []


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "geojson", "kml", "csv"])
def test_written_sites_say_nothing_of_their_making(suffix, tmp_path):
    geo.write_sites(sites(), tmp_path / f"a.{suffix}")
    for path in tmp_path.iterdir():
        assert exposures(path.read_bytes(), path.name) == []


def test_attrs_and_second_geometries_of_a_table_are_found(tmp_path):
    plain = sites()[["geometry"]]
    plain.assign(other=plain.geometry).to_parquet(tmp_path / "a.parquet")
    two = exposures((tmp_path / "a.parquet").read_bytes(), "a.parquet")
    assert two == [("G17", "several geometry columns")]
    noted = plain.copy()
    noted.attrs = {"by": "Dara"}
    noted.to_parquet(tmp_path / "b.parquet")
    geo.write_sites(sites(by="Dara"), tmp_path / "c.parquet")
    for name in ("b.parquet", "c.parquet"):
        assert exposures((tmp_path / name).read_bytes(), name) == [("G17", "attrs of the frame")]


def test_layers_and_times_in_a_geopackage_are_found(tmp_path):
    path = tmp_path / "a.gpkg"
    sites()[["geometry"]].to_file(path, layer="exact")
    assert exposures(path.read_bytes(), "a.gpkg") == [("G17", TIME)]
    sites()[["geometry"]].to_file(path, layer="public", mode="a")
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE gpkg_contents SET last_change = '2026-01-05T00:00:00.000Z'")
        database.commit()
    assert exposures(path.read_bytes(), "a.gpkg") == [
        ("G17", "several layers in one GeoPackage"),
        ("G17", "several geometry columns"),
    ]


def zipped(members, when=(1980, 1, 1, 0, 0, 0)):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, when), data)
    return file.getvalue()


def test_times_in_archives_are_found():
    packed = [("G17", "a time of day at which it was packed")]
    assert exposures(zipped({"a": b"a"}), "a.zip") == []
    assert exposures(zipped({"a": b"a"}, (2026, 1, 5, 13, 1, 2)), "a.zip") == packed
    assert exposures(gzip.compress(b"a", mtime=0), "a.gz") == []
    assert exposures(gzip.compress(b"a", mtime=1_700_000_000), "a.gz") == packed


def test_makers_of_documents_are_found():
    core = (
        b"<cp:coreProperties><dc:creator>Dara</dc:creator>"
        b'<dcterms:created xsi:type="dcterms:W3CDTF">2026-01-05T13:01:02Z</dcterms:created>'
    )
    document = zipped({"docProps/core.xml": core})
    assert exposures(document, "a.docx") == [("G17", "an author"), ("G17", TIME)]
    info = b"%PDF-1.4\n<</Author (Dara) /CreationDate (D:20260105130102Z)>>"
    assert exposures(info, "a.pdf") == [("G17", "an author"), ("G17", TIME)]
    packed = b"%PDF-1.5\nstream\n" + zlib.compress(info[9:]) + b"\nendstream"
    assert exposures(packed, "a.pdf") == [("G17", "an author"), ("G17", TIME)]
    dated = b"%PDF-1.4\n<</Author () /Producer (Matplotlib) /CreationDate (D:20260105000000Z)>>"
    assert exposures(dated, "a.pdf") == []
    assert exposures(page('<meta name="author" content="Dara">'), "a.html") == [
        ("G17", "an author")
    ]


def photograph(kind="JPEG"):
    exif = Image.Exif()
    exif[315], exif[306] = "Dara", "2026:01:05 13:01:02"
    exif.get_ifd(0x8825).update({1: "N", 2: (12.0, 30.0, 36.0), 3: "E", 4: (104.0, 15.0, 0.0)})
    file = io.BytesIO()
    Image.new("L", (9, 9)).save(file, kind, exif=exif)
    return file.getvalue()


def test_what_a_camera_writes_is_found_within_other_files_too():
    words = {
        ("G17", "an author"),
        ("G17", TIME),
        ("G17", "the place where a picture was taken"),
    }
    inline = f'<img src="data:image/jpeg;base64,{base64.b64encode(photograph()).decode()}">'
    for name, data in {
        "a.jpg": photograph(),
        "a.png": photograph("PNG"),
        "a.docx": zipped({"media/a.jpg": photograph()}),
        "a.html": page(inline),
    }.items():
        assert set(exposures(data, name)) == words


def test_texts_and_times_of_a_png_are_found():
    file = io.BytesIO()
    Image.new("L", (9, 9)).save(file, "PNG")
    whole = file.getvalue()

    def with_chunk(kind, content):
        check = struct.pack(">I", zlib.crc32(kind + content))
        return whole[:33] + struct.pack(">I", len(content)) + kind + content + check + whole[33:]

    assert exposures(whole, "a.png") == []
    assert exposures(with_chunk(b"tEXt", b"Author\0Dara"), "a.png") == [("G17", "an author")]
    for chunk in (
        (b"tIME", struct.pack(">H5B", 2026, 1, 5, 13, 1, 2)),
        (b"tEXt", b"date:create\0a"),
    ):
        assert exposures(with_chunk(*chunk), "a.png") == [("G17", TIME)]


# Notebooks


def notebook(*cells, **metadata):
    return json.dumps({"nbformat": 4, "metadata": metadata, "cells": list(cells)}).encode()


def test_outputs_in_a_notebook_are_found(our_map):
    bare = {"cell_type": "code", "source": ["1"], "outputs": [], "metadata": {}}
    output = {"output_type": "display_data", "data": {"text/html": [notebook_html(our_map)]}}
    assert exposures(notebook(bare), "a.ipynb") == []
    full = bare | {"outputs": [output]}
    assert exposures(notebook(bare, full), "a.ipynb") == [("G22", "outputs in 1 cell")]
    assert exposures(notebook(full, full, widgets={"a": 1}), "a.ipynb") == [
        ("G22", "outputs in 2 cells"),
        ("G22", "the state of widgets"),
    ]
    remote = {"data": {"text/html": ["<img src='https://a.example.org/x'>"]}}
    ran = bare | {"outputs": [remote], "metadata": {"execution": {"iopub.status.busy": "a"}}}
    assert exposures(notebook(ran, authors=[{"name": "Dara"}]), "a.ipynb") == [
        ("G22", "outputs in 1 cell"),
        ("G17", "an author"),
        ("G17", "times at which cells ran"),
        ("G15", "it calls a.example.org"),
    ]


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"cells": 3}', b"[" * 100_000])
def test_a_notebook_that_is_none_is_an_error(data):
    with pytest.raises(ReadError, match="cannot be read as one"):
        exposures(data, "a.ipynb")


STARTS = [
    b"",
    b"<svg ",
    b"<!DOCTYPE html><",
    b"PK\3\4",
    b"SQLite format 3\0",
    b"PAR1",
    b"\x1f\x8b\x08",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe1",
    b"%PDF-",
    b'{"cells": [{',
]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["a.html", "a.svg", "a.ipynb", "a.gpkg", "a.css", "a.kml", "a", ".", "a.png"]),
    st.sampled_from(STARTS),
    st.binary(max_size=300) | st.text("<>/='\" srchefonaipt:!-[]{}", max_size=300).map(str.encode),
)
def test_any_bytes_are_looked_through_or_refused(name, start, rest):
    with suppress(ReadError):
        found = exposures(start + rest, name)
        assert {rule for rule, _ in found} <= {"G14", "G15", "G17", "G22"}


def test_words_say_nothing_of_the_content():
    hidden = "Kdei"
    data = page(f'<p onclick="{hidden}"><a href="javascript:{hidden}">/home/{hidden}/</a>')
    assert len(exposures(data, "a.html")) == 3
    assert not any(hidden.lower() in words.lower() for _, words in exposures(data, "a.html"))
