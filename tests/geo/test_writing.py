"""Sites to files and back: every format, dtype and odd cell, and what lies beside them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import unicodedata
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo import _files
from geo.errors import ExportError, GeoWarning, SchemaError
from geo.reading import read_sites
from geo.schema import SITE_SCHEMA, validate_sites
from geo.writing import write_sites

ROOT = Path(__file__).parents[2]
SUFFIXES = [".gpkg", ".parquet", ".geojson", ".kml", ".csv", ".tsv"]
EXACT = {".gpkg", ".parquet"}
KHMER = "ភ្នំពេញ"


def table(**columns):
    return pd.DataFrame(
        {
            "site_id": ["A", "B", "C"],
            "latitude": [11.5, None, -0.1234567],
            "longitude": [104.9, None, 179.9999999],
            "uncertainty_m": [500, None, 12.5],
            "source_file": "old.csv",
            "source_row": [2, 3, 10**17 + 1],
            **columns,
        }
    )


def sites_with(**columns):
    return validate_sites(table(**columns))


def assert_same(again, sites):
    """Values, dtypes, categories and what kind of object a cell is."""
    assert_geodataframe_equal(again, sites)
    assert again.crs == sites.crs
    for label in sites.columns:
        one, two = again[label], sites[label]
        assert str(one.dtype) == str(two.dtype)
        if isinstance(two.dtype, pd.CategoricalDtype):
            assert one.cat.categories.dtype == two.cat.categories.dtype
            assert one.cat.categories.tolist() == two.cat.categories.tolist()
            assert one.cat.ordered == two.cat.ordered
        if two.dtype == object:
            assert one.tolist() == [None if isna(cell) else cell for cell in two]


def isna(cell):
    return not isinstance(cell, list | dict) and pd.isna(cell)


def there_and_back(sites, folder, suffix, **options):
    return read_sites(write_sites(sites, Path(folder, f"a{suffix}"), **options))


def reported_sites():
    for file in (
        ROOT / "geo/data/reported_sites.csv",
        ROOT.parent / "shared/data/reported_sites.csv",
    ):
        if file.exists():
            return file
    return pytest.skip("the reported sites are not here")


@pytest.mark.parametrize("darwin_core", [False, True])
@pytest.mark.parametrize("suffix", [*SUFFIXES, ".json", ".geoparquet", ".KML"])
def test_the_reported_sites_survive_writing_and_reading(tmp_path, suffix, darwin_core):
    sites = read_sites(reported_sites())
    assert_same(there_and_back(sites, tmp_path, suffix, darwin_core=darwin_core), sites)


HOURS = pd.date_range("2024-03-30T22:00", periods=3, freq="h")
LEVELS = pd.CategoricalDtype(["low", "high", "never"], ordered=True)
COLUMNS = {
    "int8": pd.Series([1, -2, 3], dtype="int8"),
    "uint64": pd.Series([1, 2, 2**64 - 1], dtype="uint64"),
    "whole with gaps": pd.Series([1, None, 2**62 + 1], dtype="Int64"),
    "float32": pd.Series([0.1, None, 1e-30], dtype="float32"),
    "float64": pd.Series([1 / 3, None, 5e-324]),
    "Float64 with gaps": pd.Series([0.1, None, 1e300], dtype="Float64"),
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "str": pd.Series(["", None, "NA"], dtype="str"),
    "string": pd.Series(["", None, "007"], dtype="string"),
    "white": pd.Series([" ", "\t\r\n", "\r"], dtype="string"),
    "all missing": pd.Series([None] * 3, dtype="string"),
    "all empty": pd.Series([""] * 3, dtype="string"),
    "object of text": pd.Series(["", None, KHMER], dtype=object),
    "object": pd.Series([{"a": [1, None]}, None, "x"], dtype=object),
    "lists": pd.Series([["a"], [], None], dtype=object),
    "time": pd.Series(HOURS),
    "nanoseconds": pd.Series(HOURS.as_unit("ns") + pd.Timedelta(7, "ns")),
    "old time": pd.Series(["1500-01-01", None, "2024"], dtype="datetime64[s]"),
    "summer time": pd.Series(HOURS.tz_localize("UTC").tz_convert("Europe/Berlin")),
    "UTC": pd.Series(HOURS.tz_localize("UTC")),
    "offset": pd.Series(HOURS.tz_localize(dt.timezone(dt.timedelta(hours=7)))),
    "span": pd.Series([pd.Timedelta(-1, "ns"), None, pd.Timedelta(days=5)]),
    "month": pd.Series(pd.period_range("2024-01", periods=3, freq="M")),
    "week": pd.Series(pd.period_range("2024-01", periods=3, freq="W")),
    "ordered": pd.Series(["low", None, "high"], dtype=LEVELS),
    "whole categories": pd.Series([1, None, 3], dtype=pd.CategoricalDtype([3, 1])),
    "time categories": pd.Series(HOURS).astype("category"),
    "truth categories": pd.Series([True, None, False], dtype=pd.CategoricalDtype([True, False])),
    "empty category": pd.Series(["", None, "x"], dtype="category"),
    "no categories": pd.Series([None] * 3, dtype=pd.CategoricalDtype([])),
    "description": pd.Series(["<b>", None, ""], dtype="string"),
    "layer": pd.Series(["a", "", None], dtype="string"),
    "fid": pd.Series([7, 7, 7]),
    "Geom": pd.Series([1, 2, 3]),
    "rowid": pd.Series([1, 1, 1]),
    "lat": pd.Series(["x", "y", "z"], dtype="string"),
    'a "b", <c> & ' + KHMER: pd.Series([1.5, 2.0, 3.0]),
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_dtype_comes_back_as_it_was(tmp_path, suffix):
    sites = sites_with(admin2=pd.array([None] * 3, dtype="string"), name=["=1+1", None, KHMER])
    sites = sites.drop(columns="geometry").assign(**COLUMNS).set_geometry(sites.geometry)
    again = there_and_back(sites, tmp_path, suffix)
    assert_same(again, sites)
    assert again["object of text"].tolist() == ["", None, KHMER]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_infinity_comes_back_where_the_format_has_it(tmp_path, suffix):
    sites = sites_with(n=[np.inf, None, -np.inf])
    if suffix == ".geojson":
        with pytest.raises(ExportError, match="no finite number") as caught:
            write_sites(sites, tmp_path / "a.geojson")
        assert caught.value.problems["row"].tolist() == [0, 2]
        assert not list(tmp_path.iterdir())
    else:
        assert_same(there_and_back(sites, tmp_path, suffix), sites)


TEXT = st.text(max_size=12) | st.sampled_from(["", " ", "NA", "007", "=1+1", KHMER, "a\r\nb", '"'])
PRINTED = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]), max_size=6)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PRINTED,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PRINTED, inner, max_size=3),
    max_leaves=5,
).filter(lambda cell: "Infinity" not in json.dumps(cell))
WHOLE = st.integers(-(2**63), 2**63 - 1)
MOMENT = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))  # noqa: DTZ001 - naive
KINDS = {
    "string": TEXT | st.none(),
    "str": TEXT | st.none(),
    "object": NESTED,
    "int64": WHOLE,
    "Int64": WHOLE | st.none(),
    "float64": st.floats(allow_infinity=False),
    "boolean": st.booleans() | st.none(),
    "bool": st.booleans(),
    "datetime64[us]": MOMENT | st.none(),
    "datetime64[us, Asia/Phnom_Penh]": MOMENT | st.none(),
    "category": TEXT | st.none(),
}
DEGREES = (
    st.tuples(st.floats(-90, 90), st.floats(-180, 180))
    .map(lambda pair: tuple(round(number, 7) for number in pair))
    .filter(any)  # at 0, 0 programs put what they do not know
)


@st.composite
def any_sites(draw):
    count = draw(st.integers(1, 4))
    many = {"min_size": count, "max_size": count}
    places = draw(st.lists(DEGREES | st.none(), **many))
    frame = pd.DataFrame(
        {
            "site_id": [f"S{n}" for n in range(count)],
            "latitude": [place and place[0] for place in places],
            "longitude": [place and place[1] for place in places],
            "uncertainty_m": draw(st.lists(st.floats(1e-3, 2e7), **many)),
            "name": draw(st.lists(TEXT, **many)),
            "verbatim_location": ["x", *draw(st.lists(TEXT, **many))][:count],
            "first_reported": draw(st.lists(st.sampled_from(["2024", "2024-03", None]), **many)),
            "status": draw(st.lists(st.sampled_from(["confirmed", "unknown", None]), **many)),
            "source_file": "old.csv",
            "source_row": draw(st.lists(st.integers(0, 10**18 - 1), **many)),
        }
    )
    for number, kind in enumerate(draw(st.lists(st.sampled_from(list(KINDS)), max_size=5))):
        cells = draw(st.lists(KINDS[kind], **many))
        frame[f"own {number}"] = pd.Series(cells, dtype=kind)
    return validate_sites(frame)


def characters(sites):
    """All that is text in a frame, one character after another."""
    columns = (sites[label].astype(object) for label in sites.columns if label != "geometry")
    return {c for values in columns for cell in values if isinstance(cell, str) for c in cell}


def is_xml(character):
    code = ord(character)
    return character in "\t\n\r" or 0x20 <= code <= 0xFFFD or code >= 0x10000


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(sites=any_sites())
@settings(max_examples=60, deadline=None)
def test_any_sites_survive_or_are_a_named_problem(suffix, sites):
    held = characters(sites)
    cannot = {
        ".kml": not all(map(is_xml, held)),
        ".geojson": False,
        ".parquet": False,
    }.get(suffix, "\0" in held)
    with TemporaryDirectory() as folder:
        if cannot:
            with pytest.raises(ExportError, match="character"):
                there_and_back(sites, folder, suffix)
            assert not list(Path(folder).iterdir())
        else:
            assert_same(there_and_back(sites, folder, suffix), sites)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180))
@settings(max_examples=25, deadline=None)
def test_a_point_comes_back_within_a_centimetre_or_exactly(suffix, latitude, longitude):
    place = {"latitude": [latitude], "longitude": [longitude], "uncertainty_m": [1]}
    # Nothing is at 0, 0, where programs put what they do not know, nor less than 6 mm from it.
    assume(round(latitude, 7) or round(longitude, 7))
    sites = validate_sites(pd.DataFrame(place))
    with TemporaryDirectory() as folder:
        point = there_and_back(sites, folder, suffix).geometry.iloc[0]
    off = max(abs(point.x - longitude), abs(point.y - latitude))
    assert off == 0 if suffix in EXACT else off <= 0.5e-7 + 1e-13


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_one_row_and_no_place_at_all_come_back(tmp_path, suffix):
    frame = table(locality=["x", "y", "z"]).assign(latitude=None, longitude=None)
    for sites in (validate_sites(frame), validate_sites(frame.iloc[:1]), sites_with().iloc[:1]):
        for darwin_core in (False, True):
            again = there_and_back(sites, tmp_path, suffix, darwin_core=darwin_core)
            assert_same(again, sites)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_attrs_come_back_but_the_hash_is_that_of_the_file(tmp_path, suffix):
    sites = sites_with()
    note = {KHMER: [1, 2.5, None, True, "\0<&>]]>\r"]}
    sites.attrs = {"source_sha256": "old", "note": note}
    file = write_sites(sites, tmp_path / f"a{suffix}")
    again = read_sites(file)
    assert again.attrs["note"] == note
    assert again.attrs["source_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert sites.attrs["source_sha256"] == "old"


@pytest.mark.parametrize(
    "value",
    [object(), {1: "a"}, (1,), float("nan"), "\ud800", pd.DataFrame({"a": [1]}), np.int64(1)],
    ids=["object", "number key", "tuple", "nan", "surrogate", "frame", "numpy number"],
)
def test_attrs_that_json_cannot_give_back_are_named(tmp_path, value):
    sites = sites_with()
    sites.attrs = {"odd": value, "even": 2}
    with pytest.warns(GeoWarning, match="'odd'") as caught:
        file = write_sites(sites, tmp_path / "a.geojson")
    assert caught[0].filename == __file__
    attrs = read_sites(file).attrs
    assert attrs["even"] == 2
    assert "odd" not in attrs


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_index_and_the_input_are_left_alone(tmp_path, suffix):
    sites = sites_with(n=[1, 2, 3]).set_axis(["x", "y", "z"])
    before = sites.copy()
    one = write_sites(sites, tmp_path / f"one{suffix}")
    two = write_sites(sites.set_axis([9, 9, 9]), tmp_path / f"two{suffix}")
    assert one.read_bytes() == two.read_bytes()
    assert_geodataframe_equal(sites, before)


WRITER = """
import sys
import pandas as pd
from geo import read_sites, write_sites
sites = read_sites(sys.argv[1])
sites["visits"] = range(len(sites))
sites["grade"] = pd.Series(list("ab") * len(sites)).head(len(sites)).astype("category")
sites.attrs["note"] = {"a": 1}
for suffix in sys.argv[3:]:
    write_sites(sites, f"{sys.argv[2]}/a{suffix}")
"""


def test_another_process_at_another_time_writes_the_same_bytes(tmp_path):
    written = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Phnom_Penh")):
        folder = tmp_path / seed
        folder.mkdir()
        command = [sys.executable, "-c", WRITER, reported_sites(), folder, *SUFFIXES]
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        written.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert len(written[0]) == len(SUFFIXES) + 2
    assert written[0] == written[1]


def test_text_formats_are_utf8_with_seven_decimals(tmp_path):
    frame = pd.DataFrame({"lat": [1 / 3], "lon": [2.0], "radius_m": 3, "name": KHMER})
    for suffix in (".csv", ".geojson", ".kml"):
        text = write_sites(validate_sites(frame), tmp_path / f"a{suffix}").read_bytes().decode()
        assert KHMER in text
        assert "0.3333333" in text
        assert "0.33333333" not in text


# What others read.


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".kml"])
def test_gdal_reads_points_and_columns(tmp_path, suffix):
    sites = sites_with(name=["<b>x</b>", None, KHMER], n=[1, 2, 3], yes=[True, False, True])
    file = write_sites(sites, tmp_path / f"a{suffix}")
    assert len(pyogrio.list_layers(file)) == 1
    other = gpd.read_file(file).rename(columns={"Name": "name"})
    assert other.crs == "EPSG:4326"
    assert other.geometry.iloc[0] == shapely.Point(104.9, 11.5)
    assert other.geometry.isna().tolist() == [False, True, False]
    assert other["name"].fillna("?").tolist() == ["<b>x</b>", "?", KHMER]
    assert other["status"].tolist() == ["unknown"] * 3
    assert other["n"].tolist() == [1, 2, 3]
    assert other["yes"].tolist() == [True, False, True]
    assert other["uncertainty_m"].fillna(-1).tolist() == [500, -1, 12.5]


def test_geopandas_reads_the_geoparquet(tmp_path):
    file = write_sites(sites_with(n=[1, 2, 3]), tmp_path / "a.parquet")
    other = gpd.read_parquet(file)
    assert other.crs == "EPSG:4326"
    assert other.geometry.iloc[0] == shapely.Point(104.9, 11.5)
    assert other["n"].dtype == "int64"
    geo = json.loads(pq.read_schema(file).metadata[b"geo"])
    assert geo["columns"]["geometry"]["geometry_types"] == ["Point"]


def test_a_geopackage_is_whole_and_says_no_time(tmp_path):
    file = write_sites(sites_with(), tmp_path / "a.gpkg")
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        contents = database.execute("SELECT table_name, data_type, last_change FROM gpkg_contents")
        assert contents.fetchall() == [("sites", "features", "1970-01-01T00:00:00.000Z")]
    database.close()


def test_geojson_has_what_it_keeps_as_a_foreign_member(tmp_path):
    document = json.loads(write_sites(sites_with(), tmp_path / "a.geojson").read_text())
    assert list(document) == ["type", "compound_atlas", "features"]
    assert document["features"][1]["geometry"] is None
    assert document["features"][0]["geometry"] == {"type": "Point", "coordinates": [104.9, 11.5]}


def test_kml_holds_text_never_markup(tmp_path):
    name = "<script>alert(1)</script>]]>&amp;"
    sites = sites_with(name=[name, None, "x"], **{"<i>": ["</kml>", 'a="b"', "\r"]})
    root = ET.parse(write_sites(sites, tmp_path / "a.kml")).getroot()  # noqa: S314 - our own
    space = "{http://www.opengis.net/kml/2.2}"
    assert root.tag == f"{space}kml"
    assert not [e for e in root.iter() if not e.tag.startswith(space)]
    assert not list(root.iter(f"{space}description"))
    places = list(root.iter(f"{space}Placemark"))
    assert [place.findtext(f"{space}name") for place in places] == [name, None, "x"]
    assert [place.find(f"{space}Point") is None for place in places] == [False, True, False]
    declared = {e.get("name"): e.get("type") for e in root.iter(f"{space}SimpleField")}
    used = {e.get("name") for e in root.iter(f"{space}SimpleData")}
    assert used <= declared.keys()
    assert declared["uncertainty_m"] == "double"
    assert declared["<i>"] == declared["source_row"] == "string"  # its rows pass 32 bits


def test_csv_has_coordinate_columns_and_blank_cells_for_what_is_missing(tmp_path):
    text = write_sites(sites_with(n=[1, 2, 3]), tmp_path / "a.csv").read_text()
    header, first, second, _ = (line.split(",") for line in text.splitlines())
    assert dict(zip(header, first, strict=True))["latitude"] == "11.5"
    assert dict(zip(header, first, strict=True))["uncertainty_m"] == "500"
    assert dict(zip(header, second, strict=True))["longitude"] == ""
    assert dict(zip(header, second, strict=True))["n"] == "2"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_a_spreadsheet_takes_for_a_formula_is_left_intact(tmp_path, suffix):
    names = ["=1+1", "@SUM(A1)", "-1"]
    assert there_and_back(sites_with(name=names), tmp_path, suffix)["name"].tolist() == names


# Darwin Core.


def test_darwin_core_names_stand_in_the_header(tmp_path):
    sites = sites_with(
        country=["KH", None, None],
        admin2="d",
        admin3="c",
        n=[1, 2, 3],
    )
    file = write_sites(sites, tmp_path / "a.csv", darwin_core=True)
    header, *lines = file.read_text().splitlines()
    terms = {
        *("locationID", "countryCode", "stateProvince", "county", "municipality", "locality"),
        *("decimalLatitude", "decimalLongitude", "geodeticDatum"),
        *("coordinateUncertaintyInMeters", "verbatimLocality", "references"),
    } - {"verbatimLocality"}
    labels = header.split(",")
    assert terms <= set(labels)
    kept = {column.name for column in SITE_SCHEMA} - {"geometry"}
    assert set(labels) - terms <= kept | {"n"}
    datum = [dict(zip(labels, line.split(","), strict=True))["geodeticDatum"] for line in lines]
    assert datum == ["EPSG:4326", "", "EPSG:4326"]
    assert_same(read_sites(file), sites)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_darwin_core_keeps_what_it_has_no_term_for(tmp_path, suffix):
    sites = sites_with(verbatim_location=[" x ", None, "y"], admin2=["d", "", None])
    sites = sites.assign(n=[1, 2, 3], grade=pd.Categorical(["a", None, "b"])).drop(columns="n")
    again = there_and_back(sites, tmp_path, suffix, darwin_core=True)
    assert_same(again[sites.columns], sites)
    assert set(again.columns) == set(sites.columns)


@pytest.mark.parametrize("label", ["county", "Name", "village", "lat", "decimalLatitude"])
@pytest.mark.parametrize("suffix", [".csv", ".geojson"])
def test_darwin_core_refuses_columns_that_would_be_read_as_another(tmp_path, label, suffix):
    sites = sites_with(admin2=["d", None, None])
    sites = sites.drop(columns="geometry").assign(**{label: "x"}).set_geometry(sites.geometry)
    assert_same(there_and_back(sites, tmp_path, suffix), sites)
    with pytest.raises(ExportError, match=rf"{label}.*would be read as"):
        write_sites(sites, tmp_path / f"b{suffix}", darwin_core=True)


def test_a_datum_of_others_is_left_as_it_is(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("id,decimalLatitude,decimalLongitude,radius_m,geodeticDatum\nA,1,2,3,WGS72\n")
    assert read_sites(file)["geodeticDatum"].tolist() == ["WGS72"]


# What lies beside a table.


def test_a_table_of_text_is_one_file(tmp_path):
    sites = sites_with(note=pd.array(["x", None, KHMER], dtype="string"))
    sites.attrs = {"source_sha256": "x"}
    for name in ("a.csv", "a.tsv"):
        assert_same(read_sites(write_sites(sites, tmp_path / name)), sites)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "a.tsv"]


def test_the_file_beside_a_table_is_csv_on_the_web(tmp_path):
    sites = sites_with(n=[1, 2, 3], day=pd.to_datetime(["2024-03-01"] * 3), note="")
    file = write_sites(sites, tmp_path / "a b.tsv")
    document = json.loads((tmp_path / "a b.tsv-metadata.json").read_text())
    assert document["@context"] == "http://www.w3.org/ns/csvw"
    assert document["url"] == "a%20b.tsv"
    assert document["dialect"] == {"delimiter": "\t"}
    columns = {c["titles"]: c["datatype"] for c in document["tableSchema"]["columns"]}
    assert list(columns) == file.read_text().splitlines()[0].split("\t")
    assert columns["n"] == "integer"
    assert columns["latitude"] == "double"
    assert columns["day"] == "dateTime"
    assert columns["status"] == "string"


def test_an_edited_table_is_read_without_its_old_metadata(tmp_path):
    sites = sites_with(n=[1, 2, 3])
    file = write_sites(sites, tmp_path / "a.csv")
    file.write_bytes(file.read_bytes().replace(b"A,", b"Z,"))
    with pytest.warns(
        GeoWarning, match=r"a\.csv has changed since a\.csv-metadata\.json"
    ) as caught:
        again = read_sites(file)
    assert caught[0].filename == __file__
    assert again["site_id"].tolist() == ["Z", "B", "C"]
    assert again["n"].tolist() == ["1", "2", "3"]


def test_metadata_goes_when_it_is_no_longer_needed(tmp_path):
    file = write_sites(sites_with(n=[1, 2, 3]), tmp_path / "a.csv")
    assert len(list(tmp_path.iterdir())) == 2
    write_sites(sites_with(), file)
    assert list(tmp_path.iterdir()) == [file]


def test_metadata_of_others_is_neither_read_nor_replaced(tmp_path):
    beside = tmp_path / "a.csv-metadata.json"
    for content in ('{"@context": "http://www.w3.org/ns/csvw", "url": "a.csv"}', '{"notes": [1]}'):
        beside.write_text(content)
        with pytest.raises(ExportError, match="was not written by write_sites"):
            write_sites(sites_with(n=[1, 2, 3]), tmp_path / "a.csv")
        assert list(tmp_path.iterdir()) == [beside]
        sites = sites_with()
        assert_same(there_and_back(sites, tmp_path, ".csv"), sites)
        assert beside.read_text() == content
        (tmp_path / "a.csv").unlink()


HOSTILE = [
    "{",
    "\xff",
    "[" * 100_000,
    '{"notes": 5}',
    '{"notes": {"compound_atlas": 1}}',
    '{"notes": [{"compound_atlas": 1}]}',
    '{"notes": [{"compound_atlas": {"sha256": []}}]}',
    '{"notes": [{"compound_atlas": ' + "[" * 5_000 + "]" * 5_000 + "}]}",
]


@pytest.mark.parametrize("content", HOSTILE, ids=lambda text: text[:50])
def test_malformed_metadata_is_a_warning_at_most(tmp_path, content):
    sites = sites_with()
    file = write_sites(sites, tmp_path / "a.csv")
    (tmp_path / "a.csv-metadata.json").write_text(content, encoding="latin-1")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        again = read_sites(file)
    assert_same(again, sites)
    assert {warning.category for warning in said} <= {GeoWarning}


def read_keeping(folder, change):
    """Read sites whose GeoJSON keeps something else, and what was said."""
    file = write_sites(sites_with(n=[1, 2, 3], note=["a", "b", ""]), Path(folder, "a.geojson"))
    document = json.loads(file.read_text())
    document["compound_atlas"] = change(document["compound_atlas"])
    file.write_text(json.dumps(document))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        again = read_sites(file)
    assert {warning.category for warning in said} <= {GeoWarning}
    assert again["site_id"].tolist() == ["A", "B", "C"]
    return again, " ".join(str(warning.message) for warning in said)


@pytest.mark.parametrize(
    "words",
    [
        {"dtype": "__import__('os').abort()"},
        {"dtype": "datetime64[ns, dateutil//etc/passwd]"},
        {"dtype": "datetime64[ns, /etc/passwd]"},
        {"dtype": "datetime64[ns, Nowhere/Land]"},
        {"dtype": "period[X]"},
        {"dtype": "bool"},
        {"dtype": "datetime64[ns]"},
        {"dtype": "interval[int64]"},
        {"dtype": ["int64"]},
        {"dtype": None},
        {},
        {"dtype": "json"},
        {"dtype": "category"},
        {"dtype": "category", "of": "int64", "categories": [1, 2], "ordered": False},
        {"dtype": "category", "of": "int64", "categories": [1, 1, 2, 3], "ordered": False},
        {"dtype": "category", "of": "category", "categories": [1, 2, 3], "ordered": False},
        {"dtype": "category", "of": "int64", "categories": 5, "ordered": False},
        {"dtype": "int64", "empty": [0]},
        {"dtype": "int64", "empty": [10**30]},
        {"dtype": "int64", "empty": "x"},
    ],
    ids=str,
)
def test_dtypes_that_do_not_fit_are_named_and_the_column_left(tmp_path, words):
    def change(keep):
        columns = [{"name": "n", **words} if c["name"] == "n" else c for c in keep["columns"]]
        return {**keep, "columns": columns}

    again, said = read_keeping(tmp_path, change)
    assert "'n'" in said
    assert again["n"].tolist() == [1, 2, 3]
    assert again["note"].dtype == "str"


@pytest.mark.parametrize(
    "keep",
    [
        5,
        "x",
        [],
        {},
        {"version": 2, "columns": [], "attrs": {}},
        {"version": 1, "columns": 5, "attrs": {}},
        {"version": 1, "columns": {"a": 1}, "attrs": {}},
        {"version": 1, "columns": [5], "attrs": {}},
        {"version": 1, "columns": [{"name": []}], "attrs": {}},
        {"version": 1, "columns": [], "attrs": []},
    ],
    ids=str,
)
def test_what_is_kept_and_not_understood_is_said(tmp_path, keep):
    again, said = read_keeping(tmp_path, lambda _: keep)
    assert "not understood" in said
    assert again["n"].tolist() == [1, 2, 3]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "dtype", "of", "categories", "n"]), inner)
    ),
    max_leaves=8,
)


@given(keep=JSON, columns=JSON, column=JSON, dtype=st.sampled_from(["category", "json", "Int8"]))
@settings(max_examples=40, deadline=None)
def test_whatever_is_kept_the_rows_are_read(keep, columns, column, dtype):
    words = column if isinstance(column, dict) else {"categories": column}
    whole = {"version": 1, "attrs": {}}
    with TemporaryDirectory() as folder:
        read_keeping(folder, lambda _: keep)
        read_keeping(folder, lambda _: {**whole, "columns": columns})
        named = {"of": "int64", "ordered": False, **words, "name": "n", "dtype": dtype}
        read_keeping(folder, lambda _: {**whole, "columns": [named]})


def test_a_geopackage_edited_elsewhere_keeps_what_still_fits(tmp_path):
    sites = sites_with(n=[1, 2, 3], grade=pd.Categorical(["a", None, "b"]), gone=[1, 2, 3])
    file = write_sites(sites, tmp_path / "a.gpkg")
    edited = gpd.read_file(file).drop(columns="gone")
    edited["grade"] = ["a", "new", "b"]
    metadata = pyogrio.read_info(file)["layer_metadata"]
    pyogrio.write_dataframe(edited, file, layer="sites", layer_metadata=metadata)
    with pytest.warns(GeoWarning, match=r"'grade' \('new' is none of its categories\)"):
        again = read_sites(file)
    assert again["grade"].tolist() == ["a", "new", "b"]
    assert again["n"].dtype == "int64"
    assert "gone" not in again.columns


# What cannot be written.


def test_another_format_is_named_with_those_that_are_written(tmp_path):
    for name in ("a.xlsx", "a.kmz", "a.shp", "a"):
        words = r"GeoPackage.*GeoParquet.*GeoJSON.*KML.*CSV"
        with pytest.raises(ExportError, match=words):
            write_sites(sites_with(), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_a_character_is_named(tmp_path, suffix):
    sites = sites_with().assign(note=pd.Series(["", "\ud800", "x"], dtype=object))
    with pytest.raises(
        ExportError, match=r"row 1 \(site 'B'\), column 'note'.*surrogate"
    ) as caught:
        write_sites(sites, tmp_path / f"a{suffix}")
    assert caught.value.problems["row"].tolist() == [1]
    nested = sites.assign(note=pd.Series([["\udfff"], None, 1], dtype=object))
    with pytest.raises(ExportError, match="surrogate"):
        write_sites(nested, tmp_path / f"a{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("character", ["\0", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_carry_is_named(tmp_path, character):
    sites = sites_with(verbatim_location=["ok", f"a{character}b", None])
    with pytest.raises(ExportError, match=r"site 'B'.*'verbatim_location'.*XML") as caught:
        write_sites(sites, tmp_path / "a.kml")
    assert caught.value.problems["column"].tolist() == ["verbatim_location"]
    with pytest.raises(ExportError, match=r"name of the column"):
        write_sites(sites_with(**{f"a{character}b": [1, 2, 3]}), tmp_path / "a.kml")
    assert not list(tmp_path.iterdir())


def test_a_cell_too_long_for_readers_of_tables_is_named(tmp_path):
    sites = sites_with(note=["x" * 131_072, "y", "z"])
    assert_same(there_and_back(sites, tmp_path, ".csv"), sites)
    longer = sites.assign(note="x" * 131_073)
    with pytest.raises(ExportError, match=r"131,072 characters"):
        write_sites(longer, tmp_path / "b.csv")
    assert_same(there_and_back(longer, tmp_path, ".gpkg"), longer)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pd.Series([1j, 2j, 3j]), "complex128"),
        (pd.Series([dt.date(2024, 3, 1)] * 3), "JSON"),
        (pd.Series([(1,), None, "x"], dtype=object), "JSON"),
        (pd.Series([{1: 2}, None, "x"], dtype=object), "JSON"),
        (pd.cut(pd.Series([1, 2, 3]), 2), "interval"),
        (pd.Series([1, "1", None], dtype=object).astype("category"), "categories"),
        (pd.Series([1, 2, 3], dtype="int64[pyarrow]"), "pyarrow"),
        (gpd.GeoSeries([shapely.Point(1, 2)] * 3), "geometry"),
    ],
    ids=str,
)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_no_file_gives_back_is_named(tmp_path, values, words, suffix):
    with pytest.raises(ExportError, match=f"'own'.*{words}"):
        write_sites(sites_with().assign(own=values), tmp_path / f"a{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("label", ["", " x", "x\n", 7])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_column_names_that_would_change_are_refused(tmp_path, label, suffix):
    sites = sites_with(own=[1, 2, 3]).rename(columns={"own": label})
    with pytest.raises(ExportError, match=re.escape(repr(label))):
        write_sites(sites, tmp_path / f"a{suffix}")


def test_names_that_a_format_takes_for_one_are_refused(tmp_path):
    with pytest.raises(ExportError, match=r"'name'.*'NAME'.*only in case"):
        write_sites(sites_with().assign(NAME="x"), tmp_path / "a.gpkg")
    sites = sites_with()
    sites = sites.drop(columns="geometry").assign(latitude="x").set_geometry(sites.geometry)
    assert_same(there_and_back(sites, tmp_path, ".gpkg"), sites)
    with pytest.raises(ExportError, match="'latitude'"):
        write_sites(sites, tmp_path / "a.csv")
    with pytest.raises(ExportError, match="'geodeticDatum'"):
        write_sites(sites_with(geodeticDatum="x"), tmp_path / "a.csv", darwin_core=True)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_where_nothing_can_be_written_is_named(tmp_path, suffix):
    with pytest.raises(ExportError, match="folder exists"):
        write_sites(sites_with(), tmp_path / "none" / f"a{suffix}")
    (tmp_path / f"b{suffix}").mkdir()
    with pytest.raises(ExportError, match="is a folder"):
        write_sites(sites_with(), tmp_path / f"b{suffix}")
    file = tmp_path / f"c{suffix}"
    file.write_text("old")
    file.chmod(0o444)
    with pytest.raises(ExportError, match="read-only"):
        write_sites(sites_with(), file)
    assert file.read_text() == "old"
    with pytest.raises(SchemaError):
        write_sites(sites_with().assign(status="x"), tmp_path / f"d{suffix}")
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failure_leaves_both_files_as_they_were(tmp_path, monkeypatch, failing):
    file = write_sites(sites_with(n=[1, 2, 3]), tmp_path / "a.csv")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    real = _files._replace
    calls = []

    def replace(path, content):
        calls.append(path)
        if len(calls) == failing:
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setattr(_files, "_replace", replace)
    with pytest.raises(ExportError, match="No space left"):
        write_sites(sites_with(n=[4, 5, 6]), file)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    calls.clear()
    with pytest.raises(ExportError, match="No space left"):
        write_sites(sites_with(n=[4, 5, 6]), tmp_path / "new.csv")
    assert {path.name for path in tmp_path.iterdir()} == before.keys()


def test_rows_without_an_origin_are_from_the_file_once_it_is_read(tmp_path):
    sites = validate_sites(table().drop(columns=["source_file", "source_row"]))
    again = there_and_back(sites, tmp_path, ".gpkg")
    assert again["source_file"].tolist() == ["a.gpkg"] * 3
    assert again["source_row"].tolist() == [1, 2, 3]


def test_composed_khmer_text_is_not_changed(tmp_path):
    text = unicodedata.normalize("NFD", "é") + KHMER + "\u200b"
    sites = sites_with(verbatim_location=[text, None, None], own=[text, "", None])
    for suffix in SUFFIXES:
        again = there_and_back(sites, tmp_path, suffix)
        assert again["own"].iloc[0] == again["verbatim_location"].iloc[0] == text
