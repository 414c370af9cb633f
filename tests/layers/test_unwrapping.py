"""Whatever a file is wrapped in, a place and a word in it come to light, or an error does."""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import sqlite3
import struct
import zipfile
import zlib
from contextlib import closing, suppress
from urllib.parse import quote

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import geo
import layers
from geo.errors import ReadError
from layers import _unwrapping
from layers._unwrapping import views
from layers.columns import number_column, pack, steps_column, words_column, words_of
from layers.export import notebook_html, page_html
from layers.payload import encode_geometry, pack_shapes

LON, LAT = 104.55317, 12.85291  # a field: nobody's
WORD = "Kdei Thmey Lodge"
SECRET = f"{WORD}; {LAT}, {LON}; ក្តីថ្មី"
NOISE = np.random.default_rng(7).bytes(300)


def texts_of(data, name="file"):
    return [v.content for v in views(data, name) if isinstance(v.content, str)]


def points_of(data, name="file"):
    found = [v.content for v in views(data, name) if isinstance(v.content, np.ndarray)]
    return np.concatenate([np.zeros((0, 2)), *found])


def has_point(points, tolerance=1e-9, lon=LON, lat=LAT):
    return bool((np.abs(points - [lon, lat]) < tolerance).all(axis=1).any())


def is_seen(data, secret=SECRET):
    return any(secret in text for text in texts_of(data))


def zipped(data, name="a.txt", method=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def chunk(kind, content):
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def png(*chunks):
    file = io.BytesIO()
    Image.new("L", (9, 9)).save(file, "PNG")
    whole = file.getvalue()
    return whole[:33] + b"".join(chunks) + whole[33:]


def raw_deflate(data):
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush()


def pdf(stream, filters):
    return b"%%PDF-1.4\n1 0 obj\n<</Filter %s>>\nstream\n%s\nendstream\nendobj\n" % (
        filters,
        stream,
    )


def escaped_slashes(data):
    return json.dumps({"a": base64.b64encode(data).decode()}).replace("/", r"\/").encode()


def javascript(data):
    units = [f"{u:04x}" for u in np.frombuffer(data.decode().encode("utf-16-le"), "<u2").tolist()]
    return "".join(f"\\u{unit}" for unit in units).encode()


TEXTUAL = {
    "as it is": lambda d: d,
    "entities": lambda d: "".join(f"&#{ord(c)};" for c in d.decode()).encode(),
    "hexadecimal entities": lambda d: "".join(f"&#x{ord(c):x};" for c in d.decode()).encode(),
    "srcdoc": lambda d: f'<iframe srcdoc="{html.escape(d.decode())}">'.encode(),
    "percent": lambda d: "".join(f"%{b:02X}" for b in d).encode(),
    "quoted": lambda d: quote(d.decode()).encode(),
    "JSON": lambda d: json.dumps([d.decode()]).encode(),
    "JSON as it is": lambda d: json.dumps([d.decode()], ensure_ascii=False).encode(),
    "JavaScript": javascript,
    "bytes of Python": lambda d: repr(d).encode(),
}
BINARY = {
    "base64": lambda d: b"data:a/b;base64," + base64.b64encode(d),
    "base64 for addresses": lambda d: b"?q=" + base64.urlsafe_b64encode(d),
    "base64 without padding": lambda d: b"'" + base64.b64encode(d).rstrip(b"=") + b"'",
    "base64 in lines": lambda d: (
        b"Content:\r\n\r\n" + base64.encodebytes(d).replace(b"\n", b"\r\n")
    ),
    "base64 in lines of JSON": lambda d: json.dumps({"a": base64.encodebytes(d).decode()}).encode(),
    "base64 with slashes escaped": escaped_slashes,
    "base64 behind a path": lambda d: b"https://example.org/a/bc/" + base64.b64encode(d),
    "base64 in percent": lambda d: quote(base64.b64encode(d), safe="").encode(),
    "hexadecimal": lambda d: b"\\x" + d.hex().encode(),
    "capital hexadecimal": lambda d: b"<" + d.hex().upper().encode() + b">",
    "gzip": lambda d: gzip.compress(d, mtime=0),
    "gzip within": lambda d: NOISE + gzip.compress(d, mtime=0) + NOISE,
    "bz2": bz2.compress,
    "bz2 within": lambda d: NOISE + bz2.compress(d) + NOISE,
    "xz": lzma.compress,
    "xz within": lambda d: NOISE + lzma.compress(d) + NOISE,
    "zlib": zlib.compress,
    "zlib within": lambda d: NOISE + zlib.compress(d) + NOISE,
    "deflate in base64": lambda d: b'"' + base64.b64encode(raw_deflate(d)) + b'"',
    "zip": zipped,
    "stored zip": lambda d: zipped(d, method=zipfile.ZIP_STORED),
    "bzipped zip": lambda d: zipped(d, method=zipfile.ZIP_BZIP2),
    "zip of lzma": lambda d: zipped(d, method=zipfile.ZIP_LZMA),
    "zip within": lambda d: NOISE + zipped(d) + NOISE,
    "PNG's zTXt": lambda d: png(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(d))),
    "PNG's iTXt": lambda d: png(chunk(b"iTXt", b"XML\0\1\0\0\0" + zlib.compress(d))),
    "behind a PNG": lambda d: png() + gzip.compress(d),
    "PDF": lambda d: pdf(zlib.compress(d, 1), b"/FlateDecode"),
    "ASCII85 in PDF": lambda d: pdf(base64.a85encode(d) + b"~>", b"/ASCII85Decode"),
}
ONCE = {
    "UTF-8 with a mark": lambda d: b"\xef\xbb\xbf" + d,
    "UTF-16 with a mark": lambda d: d.decode().encode("utf-16"),
    "UTF-16, lowest first": lambda d: d.decode().encode("utf-16-le"),
    "UTF-16, highest first": lambda d: d.decode().encode("utf-16-be"),
    "UTF-32 with a mark": lambda d: d.decode().encode("utf-32"),
}
WRAPPERS = TEXTUAL | BINARY


@pytest.mark.parametrize("wrapper", WRAPPERS | ONCE)
def test_a_text_is_seen_through_each_wrapping(wrapper):
    wrapped = (WRAPPERS | ONCE)[wrapper](SECRET.encode())
    assert (wrapped == SECRET.encode()) == (wrapper == "as it is")
    assert is_seen(wrapped)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(sorted(BINARY)), min_size=2, max_size=4))
def test_a_text_is_seen_through_wrappings_within_each_other(wrappers):
    data = SECRET.encode()
    for wrapper in wrappers:
        data = BINARY[wrapper](data)
    assert is_seen(data)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(TEXTUAL)), min_size=2, max_size=4))
def test_a_text_is_seen_through_languages_within_each_other(wrappers):
    data = SECRET.encode()
    for wrapper in wrappers:
        data = TEXTUAL[wrapper](data)
    assert is_seen(data)


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=12, max_size=3000), st.sampled_from(sorted(BINARY)))
def test_bytes_are_seen_as_they_are(data, wrapper):
    wrapped = BINARY[wrapper](b"begin" + data + b"end")
    blobs = [v.content for v in views(wrapped, "file") if isinstance(v.content, bytes)]
    assert any(b"begin" + data + b"end" in blob for blob in blobs)


def test_the_bytes_come_first_then_their_text_and_nothing_twice():
    data = json.dumps([WORD, WORD]).encode() + base64.b64encode(SECRET.encode()) * 2
    found = list(views(data, "a.json"))
    assert found[0] == ("a.json", data)
    assert found[1] == ("a.json", data.decode())
    contents = [(type(v.content), v.content) for v in found]
    assert len(set(contents)) == len(contents)
    assert list(views(data, "a.json")) == found


def test_paths_say_nothing_of_the_content():
    data = zipped(zipped(SECRET.encode(), name=f"{WORD}.txt"), name=f"{WORD}.zip")
    found = list(views(data, "release.zip"))
    assert any(WORD in v.content for v in found if isinstance(v.content, str))
    assert not any("Kdei" in v.where for v in found)
    assert "release.zip > member 1 > member 1" in {v.where for v in found}


def test_an_escape_of_one_language_does_not_hide_another_that_is_meant():
    address = "https://example.org/?a=1&b=%20x"
    data = json.dumps({"html": html.escape(address)}).replace("/", r"\/").encode()
    assert is_seen(data, address)


def test_names_and_comments_of_an_archive_are_read():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        info = zipfile.ZipInfo("café.txt")
        info.comment = gzip.compress(b"of the member")
        archive.writestr(info, b"a")
        archive.comment = gzip.compress(b"of the archive")
    found = texts_of(file.getvalue())
    assert {"café.txt", "of the member", "of the archive"} <= set(found)


def test_a_member_that_no_directory_lists_is_read():
    first = zipped(SECRET.encode())
    assert is_seen(first[: first.index(b"PK\1\2")] + zipped(b"innocent"))


def test_words_in_latin_letters_and_in_binary_files_are_read():
    assert is_seen("Café Kdei".encode("cp1252"), "Café Kdei")
    assert is_seen(NOISE + "ក្តីថ្មី Kdei".encode() + NOISE, "ក្តីថ្មី Kdei")
    assert is_seen(NOISE * 9 + WORD.encode("utf-16-le") + NOISE * 9, WORD)
    assert is_seen(NOISE * 9 + WORD.encode("utf-16-be") + NOISE * 9, WORD)


def test_a_word_that_tags_part_is_read_whole():
    document = b"<?xml version='1.0'?><w:p><w:r><w:t>Kdei Th</w:t></w:r><w:t>mey Lodge</w:t></w:p>"
    assert is_seen(zipped(document, name="word/document.xml"), WORD)
    assert is_seen(b"<p>Kdei <b>T</b>hmey&#32;Lodge<script>a < b</script></p>", WORD)


def test_a_word_that_a_pdf_shows_in_pieces_is_read_whole():
    shown = b"BT /F1 12 Tf 10 10 Td [(Kdei Th) -20 (mey) 5 ( Lodge)] TJ (x) Tj ET"
    assert is_seen(pdf(zlib.compress(shown), b"/FlateDecode"), WORD)


# Our own pages


def sites(**columns):
    lonlat = [(LON, LAT), (104.1, 12.5), (104.7, 13.1)]
    frame = gpd.GeoDataFrame(
        {
            "site_id": ["s1", "s2", "s3"],
            "name": [WORD, "Phum A", "Phum B"],
            "status": "suspected",
            "uncertainty_m": [500.0, 800.0, 900.0],
            **columns,
        },
        geometry=[shapely.Point(p) for p in lonlat],
        crs=4326,
    )
    return geo.validate_sites(frame)


@pytest.fixture(scope="module")
def page():
    frame = sites(own_lat=[LAT, 1.5, 2.5], exact=[LON + 1e-9, 1 / 3, 2.0])
    return layers.site_map(frame, title="Canary", details=["own_lat", "exact"], filters=[])


def check_page(data, name):
    found = list(views(data, name))
    points = np.concatenate([v.content for v in found if isinstance(v.content, np.ndarray)])
    texts = [v.content for v in found if isinstance(v.content, str)]
    assert has_point(points)
    assert any(WORD in text for text in texts)
    # Numbers of one row stand in one line, whether whole multiples or floats.
    assert any(f"{LAT}\t{LON + 1e-9!r}" in text.split("\n") for text in texts)
    return found


def test_a_page_gives_back_the_places_that_it_draws(page):
    data = page_html(page).encode()
    assert WORD.encode() not in data
    assert str(LAT).encode() not in data
    check_page(data, "map.html")


def test_a_page_whose_data_lie_apart_gives_them_back(page, tmp_path):
    layers.save_html(page, tmp_path / "map.html", split=True, progress=False)
    (data,) = tmp_path.glob("*.css")
    check_page(data.read_bytes(), "data.css")
    assert not has_point(points_of((tmp_path / "map.html").read_bytes()))


def test_data_that_are_cut_in_parts_are_put_together(page, tmp_path, monkeypatch):
    monkeypatch.setattr("layers._apart._PART", 100)
    layers.save_html(page, tmp_path / "map.html", split=True, progress=False)
    (data,) = tmp_path.glob("*.css")
    check_page(data.read_bytes(), "data.css")


def test_a_page_in_a_notebook_gives_back_the_places(page):
    output = {"output_type": "display_data", "data": {"text/html": [notebook_html(page)]}}
    notebook = {"nbformat": 4, "cells": [{"cell_type": "code", "outputs": [output]}]}
    check_page(json.dumps(notebook).encode(), "a.ipynb")


def test_a_zipped_page_gives_back_the_places(page):
    check_page(zipped(page_html(page).encode(), name="map.html"), "map.zip")


def test_outlines_and_circles_give_back_all_their_points():
    ring = np.array([(LON, LAT), (104.9, 12.9), (104.8, 13.3)])
    hole = np.array([(104.7, 12.95), (104.75, 12.95), (104.72, 12.98)])
    area = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Polygon(ring, [hole])], crs=4326)
    line = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.LineString(ring + 1)], crs=4326)
    added = [
        layers.area_layer(area, name="A"),
        layers.line_layer(line, name="L"),
        layers.uncertainty_layer(sites()),
    ]
    for layer, expected in zip(added, (np.r_[ring, hole], ring + 1, ring[:1]), strict=True):
        written = dict(layer.payload)
        plain = json.dumps(written).encode()
        if "shapes" in written:
            written["shapes"] = pack_shapes(written["shapes"], areas=layer.kind == "areas")
        packed = json.dumps(written).encode()
        for data in (plain, packed):
            found = points_of(data)
            assert all(has_point(found, lon=x, lat=y) for x, y in expected)


coordinates = st.lists(
    st.tuples(st.integers(-18_000_000, 18_000_000), st.integers(-9_000_000, 9_000_000)),
    min_size=1,
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(coordinates, st.integers(0, 6))
def test_every_packed_coordinate_comes_back(units, decimals):
    lon, lat = np.array(units).T
    columns = {
        "lon": steps_column(lon, decimals=decimals),
        "n": number_column(np.arange(len(lon)) / 8),
        "lat": steps_column(lat, decimals=decimals),
    }
    found = [
        v.content
        for v in views(json.dumps(pack(columns)).encode(), "a.json")
        if isinstance(v.content, np.ndarray)
    ]
    assert np.array_equal(found[0], np.array(units) / 10.0**decimals)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1), min_size=1),
    st.integers(0, 3),
)
def test_every_packed_text_comes_back(words, repeats):
    column = words_column(words_of(pd.Series([w for w in words for _ in range(repeats + 1)])))
    lines = "\n".join(texts_of(json.dumps({"a": pack({"a": column})}).encode())).split("\n")
    assert {str(w) for w in words_of(pd.Series(words)).words} <= set(lines)


def test_numbered_and_long_texts_come_back():
    ids = pd.Series([f"KH-{i:05d}" for i in range(9000)])
    many = pd.Series([f"place {i} {i * i}" for i in range(70_000)])
    data = json.dumps(
        pack({k: words_column(words_of(s)) for k, s in {"a": ids, "b": many}.items()})
    )
    lines = {line for text in texts_of(data.encode()) for line in text.split("\n")}
    assert set(ids) | set(many) <= lines


def test_columns_that_somebody_else_wrote_are_read_as_any_text():
    good = pack({"lon": steps_column(np.array([1])), "lat": steps_column(np.array([2]))})
    for change in (
        {"bytes": "????"},
        {"bytes": 3},
        {"columns": 7},
        {"columns": [{"name": "a", "kind": "steps", "n": 10**15, "width": 4, "decimals": 5}]},
        {"columns": [{"name": "a", "kind": "steps", "n": -1, "width": 4, "decimals": 5}]},
        {"columns": [{"name": "a", "kind": "words", "n": 1, "width": 1, "size": 10**9}]},
        {"columns": [{"name": "a", "kind": "float", "n": 10**12, "width": 8}]},
        {"columns": [{"name": "a", "kind": "other", "n": 1, "width": 1}]},
        {"columns": [{}]},
    ):
        assert is_seen(json.dumps([good | change, SECRET], ensure_ascii=False).encode())


def test_what_lies_behind_the_columns_is_read_too():
    packed = pack({"n": number_column(np.array([1.0]))})
    stream = raw_deflate(zlib.decompress(base64.b64decode(packed["bytes"]), -15) + SECRET.encode())
    for data in (stream, base64.b64decode(packed["bytes"]) + SECRET.encode()):
        packed["bytes"] = base64.b64encode(data).decode()
        assert is_seen(json.dumps(packed).encode())


# Files of geographic data


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "geojson", "kml", "csv"])
def test_sites_are_seen_in_every_format(suffix, tmp_path):
    geo.write_sites(sites(), tmp_path / f"sites.{suffix}")
    data = (tmp_path / f"sites.{suffix}").read_bytes()
    assert is_seen(data, WORD)
    if suffix in {"gpkg", "parquet"}:
        assert has_point(points_of(data))
    else:
        assert any(str(LON) in text and str(LAT) in text for text in texts_of(data))


@pytest.mark.parametrize("suffix", ["gpkg", "parquet"])
def test_projected_geometries_come_in_degrees(suffix, tmp_path):
    frame = sites()[["geometry"]].to_crs(32648)
    path = tmp_path / f"a.{suffix}"
    frame.to_parquet(path) if suffix == "parquet" else frame.to_file(path)
    assert has_point(points_of(path.read_bytes()), 1e-8)


def test_the_index_of_a_geopackage_gives_points_away_without_their_table(tmp_path):
    sites()[["geometry"]].to_file(tmp_path / "a.gpkg")
    with closing(sqlite3.connect(tmp_path / "a.gpkg")) as database:
        database.execute("DROP TABLE IF EXISTS gpkg_contents")
        nodes = database.execute("SELECT data FROM rtree_a_geom_node").fetchall()
    with closing(sqlite3.connect(tmp_path / "b.db")) as database:
        database.execute("CREATE TABLE rtree_a_geom_node (nodeno, data)")
        database.executemany("INSERT INTO rtree_a_geom_node VALUES (1, ?)", nodes)
        database.commit()
    assert has_point(points_of((tmp_path / "b.db").read_bytes()), 2e-5)


def test_a_database_is_read_as_it_is_on_the_disk(tmp_path):
    for mode in ("DELETE", "WAL"):
        path = tmp_path / f"{mode}.db"
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"PRAGMA journal_mode = {mode}")
            database.execute("PRAGMA encoding = 'UTF-16'")
            database.execute('CREATE TABLE "a ""b" (t TEXT, x REAL, y REAL, b BLOB)')
            row = ("ក្តី", LON, LAT, gzip.compress(SECRET.encode()))
            database.execute('INSERT INTO "a ""b" VALUES (?, ?, ?, ?)', row)
            database.commit()
        data = path.read_bytes()
        assert is_seen(data, f"ក្តី\t{LON}\t{LAT}")
        assert is_seen(data)


def test_columns_of_every_kind_are_read(tmp_path):
    table = pa.table(
        {
            "lat": [LAT, None],
            "lon": [LON, None],
            "kind": pa.array(["a", "b"]).dictionary_encode(),
            "deep": [{"note": [SECRET]}, None],
            "blob": [gzip.compress(b"in a blob"), None],
        }
    ).replace_schema_metadata({"own": gzip.compress(b"in the metadata")})
    pyarrow.feather.write_feather(table, tmp_path / "a.arrow", compression="lz4")
    pa.parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    for name in ("a.arrow", "a.parquet"):
        found = texts_of((tmp_path / name).read_bytes())
        assert any(f"{LAT}\t{LON}\ta\t" in text and SECRET in text for text in found)
        assert {"in a blob", "in the metadata"} <= set(found)


def test_geometries_in_words_are_seen():
    point = shapely.Point(LON, LAT)
    height = shapely.Point(LON, LAT, 7)
    for wkb in (
        shapely.to_wkb(point),
        shapely.to_wkb(point, byte_order=0),
        shapely.to_wkb(shapely.set_srid(point, 4326), include_srid=True),
        shapely.to_wkb(height),
        shapely.to_wkb(height, flavor="iso"),
        shapely.to_wkb(height, flavor="iso", byte_order=0),
    ):
        assert has_point(points_of(b"geom\n" + wkb.hex().encode()))
        assert has_point(points_of(json.dumps([base64.b64encode(wkb).decode()]).encode()))


def test_the_place_in_a_photograph_is_read():
    exif = Image.Exif()
    exif[270] = WORD
    exif.get_ifd(0x8825).update({1: "S", 2: (12.0, 30.0, 36.0), 3: "E", 4: (104.0, 15.0, 0.0)})
    for kind in ("JPEG", "PNG"):
        file = io.BytesIO()
        Image.new("L", (9, 9)).save(file, kind, exif=exif)
        assert has_point(points_of(file.getvalue()), lon=104.25, lat=-12.51)
        assert is_seen(file.getvalue(), WORD)


# Hostile files


def encrypted_zip():
    data = bytearray(zipped(SECRET.encode()))
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def damaged():
    sheet = io.BytesIO()
    pa.parquet.write_table(pa.table({"a": [1]}), sheet)
    member = bytearray(zipped(SECRET.encode() * 9))
    member[50] ^= 255
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE a (b)")
    return {
        "a truncated gzip": gzip.compress(SECRET.encode())[:-9],
        "a truncated bz2": bz2.compress(SECRET.encode())[:-9],
        "a truncated xz": lzma.compress(SECRET.encode())[:-9],
        "a truncated ZIP": zipped(SECRET.encode())[:-9],
        "a damaged member": bytes(member),
        "an encrypted ZIP": encrypted_zip(),
        "an encrypted ZIP within": NOISE + encrypted_zip(),
        "a truncated database": database.serialize()[:3000],
        "a truncated Parquet": sheet.getvalue()[:-9],
        "a truncated PNG": png()[:-20],
        "a truncated photograph": b"\xff\xd8\xff\xe1",
        "an encrypted PDF": pdf(b"", b"/Encrypt 2 0 R"),
        "a 7z": b"7z\xbc\xaf\x27\x1c" + NOISE,
        "an old Office file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NOISE,
    }


@pytest.mark.parametrize("what", damaged())
def test_what_cannot_be_read_is_not_called_clean(what):
    for data in (damaged()[what], zipped(damaged()[what])):
        with pytest.raises(
            ReadError, match=r"^file\.bin cannot be checked, for (it is a|member 1)"
        ):
            list(views(data, "file.bin"))


def test_a_stream_that_is_cut_off_within_others_gives_what_it_has():
    text = "\n".join(f"{SECRET} {i}" for i in range(300))
    for stream in (gzip.compress(text.encode(), mtime=0), zlib.compress(text.encode())):
        assert is_seen(NOISE + stream[: len(stream) // 2] + NOISE)


def test_a_damaged_file_in_base64_is_read_as_far_as_it_goes():
    text = "\n".join(f"{SECRET} {i}" for i in range(300))
    cut = gzip.compress(text.encode(), mtime=0)[:-300]
    assert is_seen(b'"' + base64.b64encode(cut) + b'"')
    inside = zipped(cut, method=zipfile.ZIP_STORED)
    assert is_seen(b'"' + base64.b64encode(inside + b"behind it") + b'"')


def bombs():
    zeros = bytes(3_000_000)
    column = io.BytesIO()
    pa.parquet.write_table(pa.table({"a": pa.array(np.zeros(3_000_000, np.int8))}), column)
    return {
        "gzip": gzip.compress(zeros),
        "bz2": bz2.compress(zeros),
        "xz": lzma.compress(zeros),
        "zlib within": NOISE + zlib.compress(zeros),
        "zip": zipped(zeros),
        "zip within": NOISE + zipped(zeros) + NOISE,
        "deflate in base64": base64.b64encode(raw_deflate(zeros)),
        "columns": json.dumps(
            {"columns": [], "bytes": base64.b64encode(raw_deflate(zeros)).decode()}
        ),
        "Parquet": column.getvalue(),
        "many": zipped(b"\n".join(gzip.compress(bytes([i]) * 200_000) for i in range(20))),
    }


@pytest.mark.parametrize("what", bombs())
def test_a_bomb_is_an_error_and_no_full_memory(what, monkeypatch):
    monkeypatch.setattr(_unwrapping, "_MOST_BYTES", 2_000_000)
    data = bombs()[what]
    with pytest.raises(ReadError, match="unpacks to more than can be read"):
        list(views(data if isinstance(data, bytes) else data.encode(), "a"))


def test_wrappings_without_end_are_an_error():
    data = SECRET.encode()
    for _ in range(40):
        data = gzip.compress(data, mtime=0)
    with pytest.raises(ReadError, match="wrapped more than"):
        list(views(data, "a"))
    with pytest.raises(ReadError, match="wrapped more than"):
        list(views(b"%" + b"25" * 40, "a"))


def test_many_copies_of_one_member_are_read_once():
    member = gzip.compress(bytes(100_000) + SECRET.encode(), mtime=0)
    found = list(views(NOISE.join([member] * 50), "a"))
    assert sum(len(v.content) > 100_000 for v in found if isinstance(v.content, bytes)) == 1


STARTS = [
    b"",
    b"PK\3\4",
    b"PK\5\6",
    b"\x1f\x8b\x08\0",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0",
    b"SQLite format 3\0",
    b"PAR1",
    b"ARROW1\0\0",
    b"%PDF-1.4\nstream\n",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe1",
    b"II*\0",
    b"GP\0\3",
    b"\1\1\0\0\0",
    b"x\x9c",
    b'{"columns":[',
    b'{"shapes":[[[',
    b"#a_1_data{\n--part-0:",
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(start, rest):
    with suppress(ReadError):
        assert list(views(start + rest, "a")) or not start + rest


@pytest.fixture(scope="module")
def containers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("containers")
    for suffix in ("gpkg", "parquet"):
        geo.write_sites(sites(), folder / f"a.{suffix}")
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (12.0, 30.0, 36.0), 3: "E", 4: (104.0, 15.0, 0.0)})
    Image.new("L", (9, 9)).save(folder / "a.jpg", exif=exif)
    packed = pack({"lon": steps_column(np.array([1, 5])), "lat": steps_column(np.array([2, 3]))})
    shapes = [encode_geometry(shapely.box(0, 0, 1, 1))]
    whole = [path.read_bytes() for path in sorted(folder.iterdir())]
    return [
        *whole,
        zipped(SECRET.encode() * 9),
        png(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET.encode()))),
        pdf(zlib.compress(SECRET.encode()), b"/FlateDecode"),
        json.dumps(packed | {"shapes": shapes}).encode(),
    ]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_is_read_or_refused(containers, data):
    hurt = bytearray(data.draw(st.sampled_from(containers)))
    for _ in range(data.draw(st.integers(1, 6))):
        hurt[data.draw(st.integers(0, len(hurt) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ReadError):
        list(views(bytes(hurt)[: data.draw(st.integers(1, len(hurt)))], "a"))
