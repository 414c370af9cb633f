"""Data files of a release: what other programs read from them, and what is not in them."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
import zlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

import geo
from layers._data_files import SUFFIXES, data_bytes

FINE = 12.850001234567  # digits that no release may show
DISTRICT = shapely.box(104.4, 12.7, 104.7, FINE)
KHMER = "ភូមិមិនពិត"  # "a village that is not real"


def released(*geometries, **columns):
    """Released rows, by default a point, an area and a row without a location."""
    shapes = geometries or (shapely.Point(104.550001234567, FINE), DISTRICT, None)
    n = len(shapes)
    base = {
        "site_id": [f"T{i}" for i in range(n)],
        "status": pd.Categorical(["confirmed", "suspected", "suspected"][:n]),
        "admin2": pd.array(["Invented", "Invented", None][:n], dtype="string"),
        "uncertainty_m": [500.0, 29_100.5, np.nan][:n],
    }
    return gpd.GeoDataFrame(base | columns, geometry=list(shapes), crs=4326)


def read(data, suffix, tmp_path):
    """What the programs of other people make of a file."""
    file = tmp_path / f"data{suffix}"
    file.write_bytes(data)
    return gpd.read_parquet(file) if "parquet" in suffix else gpd.read_file(file)


def table(data):
    """What a spreadsheet program makes of a table."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s != ".csv"])
def test_rows_points_areas_and_missing_places_come_back(suffix, tmp_path):
    given = released(locality=[KHMER, "=cmd()", None], visits=pd.array([3, None, -2], "Int64"))
    back = read(data_bytes(given, suffix), suffix, tmp_path)
    assert back.crs.to_epsg() == 4326
    assert list(back.columns) == list(given.columns)
    assert back["site_id"].tolist() == ["T0", "T1", "T2"]
    assert back["status"].tolist() == ["confirmed", "suspected", "suspected"]
    assert back["locality"].fillna("").tolist() == [KHMER, "=cmd()", ""]
    assert back["uncertainty_m"].fillna(-1).tolist() == [500.0, 29_100.5, -1]
    assert back["visits"].fillna(0).tolist() == [3, 0, -2]
    assert back.geometry.isna().tolist() == [False, False, True]
    assert back.geometry.iloc[0].equals(shapely.Point(104.55, 12.85))
    assert back.geometry.iloc[1].equals(shapely.box(104.4, 12.7, 104.7, 12.85))


def test_a_table_has_degrees_of_points_only_and_names_of_areas():
    rows = table(data_bytes(released(), ".csv"))
    assert [(row["latitude"], row["longitude"]) for row in rows] == [
        ("12.85", "104.55"),
        ("", ""),
        ("", ""),
    ]
    assert [row["admin2"] for row in rows] == ["Invented", "Invented", ""]
    assert [row["uncertainty_m"] for row in rows] == ["500", "29100.5", ""]


def test_a_table_opens_with_khmer_in_a_spreadsheet_program():
    data = data_bytes(released(locality=[KHMER] * 3), ".csv")
    assert data.startswith(b"\xef\xbb\xbf")
    assert pd.read_csv(io.BytesIO(data))["locality"].tolist() == [KHMER] * 3
    assert data.count(b"\r\n") == data.count(b"\n") == 4


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+855", "-2", "@SUM(A1)", " =1", "\t=1", "\r=1", "\uff1d1", "\x00=1"],
)
def test_no_text_of_a_table_is_a_formula(text):
    given = released(locality=[text, "a", None]).rename(columns={"admin2": text.strip("\x00")})
    data = data_bytes(given, ".csv")
    cells = [cell for row in table(data) for pair in row.items() for cell in pair]
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@\uff1d")]
    plain = json.loads(data_bytes(given, ".geojson"))["features"][0]["properties"]["locality"]
    assert plain == text.strip("\x00 \t\r")


def test_numbers_of_a_table_stay_numbers():
    rows = table(data_bytes(released(change=[-1.5, 2.0, np.nan]), ".csv"))
    assert [row["change"] for row in rows] == ["-1.5", "2", ""]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_hostile_text_comes_back_as_text(suffix, tmp_path):
    texts = ['"; DROP TABLE sites; --', "a\x00b\ud800c\r\nd,e;\t'f'", "</script><b>\u202e"]
    data = data_bytes(released(locality=pd.Series(texts, dtype=object)), suffix)
    wanted = [texts[0], "abc  d,e; 'f'", texts[2]]
    if suffix == ".csv":
        assert [row["locality"] for row in table(data)] == wanted
        assert pd.read_csv(io.BytesIO(data))["locality"].tolist() == wanted
    else:
        assert read(data, suffix, tmp_path)["locality"].tolist() == wanted


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_neither_order_nor_index_nor_attrs_nor_fine_digits_are_in_a_file(suffix):
    given = released()
    mixed = given.iloc[[2, 0, 1]].set_axis(["secret-a", "secret-b", "secret-c"])
    mixed.attrs = {"secret": "secret-d"}
    data = data_bytes(mixed, suffix)
    assert data == data_bytes(given, suffix)
    for hidden in (b"secret", b"pandas", str(FINE).encode()[:9], np.float64(FINE).tobytes()):
        assert hidden not in data
    assert mixed.attrs == {"secret": "secret-d"}
    assert list(mixed.index) == ["secret-a", "secret-b", "secret-c"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n", [0, 1])
def test_files_of_no_row_and_of_one_can_be_read(suffix, n, tmp_path):
    data = data_bytes(released().iloc[:n], suffix)
    if suffix == ".csv":
        assert len(table(data)) == n
        assert data.decode("utf-8-sig").startswith("site_id,status,")
    else:
        assert len(read(data, suffix, tmp_path)) == n


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_without_any_location_can_be_read(suffix, tmp_path):
    data = data_bytes(released(None, None), suffix)
    if suffix == ".csv":
        assert [row["latitude"] for row in table(data)] == ["", ""]
    else:
        assert read(data, suffix, tmp_path).geometry.isna().all()


def test_another_process_at_another_time_makes_the_same_bytes():
    code = (
        "import sys, zlib; sys.path.insert(0, sys.argv[1]);"
        "from test_data_files import released; from layers._data_files import SUFFIXES, data_bytes;"
        "print(*[zlib.crc32(data_bytes(released(), suffix)) for suffix in SUFFIXES])"
    )
    folder = __file__.rpartition("/")[0]
    command = [sys.executable, "-c", code, folder]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.split() == [str(zlib.crc32(data_bytes(released(), suffix))) for suffix in SUFFIXES]


def test_a_geopackage_has_one_layer_with_the_released_extent_and_no_time(tmp_path):
    given = released()
    file = tmp_path / "data.gpkg"
    file.write_bytes(data_bytes(given, ".gpkg"))
    assert pyogrio.list_layers(file).tolist() == [["sites", "Unknown"]]
    with sqlite3.connect(file) as database:
        contents = database.execute(
            "SELECT table_name, min_x, min_y, max_x, max_y, last_change FROM gpkg_contents"
        ).fetchall()
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    database.close()
    assert contents == [("sites", 104.4, 12.7, 104.7, 12.85, "1970-01-01T00:00:00.000Z")]
    assert "gpkg_metadata" not in tables


def test_a_geoparquet_says_nothing_of_a_frame():
    schema = pq.read_schema(io.BytesIO(data_bytes(released(), ".parquet")))
    assert set(schema.metadata) == {b"geo"}
    said = json.loads(schema.metadata[b"geo"])
    assert list(said["columns"]) == ["geometry"]
    assert said["columns"]["geometry"]["bbox"] == [104.4, 12.7, 104.7, 12.85]


def test_geojson_keeps_to_its_standard():
    """RFC 7946: degrees, no crs, outer rings against the clock, null where there is no place."""
    clockwise = shapely.Polygon([(104, 12), (104, 13), (105, 13), (105, 12)])
    given = released(clockwise, shapely.Point(104.5, 12.5), None).to_crs(32648)
    found = json.loads(data_bytes(given, ".geojson"))
    assert set(found) == {"type", "features"}
    assert [set(feature) for feature in found["features"]] == [
        {"type", "properties", "geometry"}
    ] * 3
    (ring,) = found["features"][0]["geometry"]["coordinates"]
    assert shapely.LinearRing(ring).is_ccw
    assert found["features"][1]["geometry"] == {"type": "Point", "coordinates": [104.5, 12.5]}
    assert found["features"][2]["geometry"] is None


def test_heights_are_not_released():
    found = json.loads(data_bytes(released(shapely.Point(104.5, 12.5, 17.25)), ".geojson"))
    assert found["features"][0]["geometry"]["coordinates"] == [104.5, 12.5]


def test_rounded_areas_stay_valid_and_cover_what_they_covered():
    districts = geo.load_reference("districts", country="KH").geometry.iloc[:40]
    thin = shapely.Polygon([(104, 12), (105, 12.000004), (105, 12.5), (104.5, 12.000003)])
    given = gpd.GeoDataFrame(
        {"site_id": [f"T{i:02}" for i in range(41)]}, geometry=[*districts, thin], crs=4326
    )
    back = gpd.read_parquet(io.BytesIO(data_bytes(given, ".parquet")))
    assert back.is_valid.all()
    moved = shapely.symmetric_difference(back.geometry.to_numpy(), given.geometry.to_numpy())
    assert (shapely.area(moved) <= 0.71e-5 * shapely.length(given.geometry.to_numpy())).all()


def test_geometries_beside_the_released_ones_are_refused():
    given = released()
    for hidden in (given.geometry, given.geometry.astype(object), list(given.geometry)):
        with pytest.raises(geo.errors.ExportError, match=r"true_place.*drop it"):
            data_bytes(given.assign(true_place=hidden), ".gpkg")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SITE_ID": "x"}, "SITE_ID"),
        ({"latitude": 1.0}, "latitude"),
        ({" ": 1.0}, "blank"),
        ({"score": [np.inf, 1, 2]}, "infinite"),
    ],
)
def test_columns_that_no_file_can_carry_are_named(change, words):
    with pytest.raises(geo.errors.ExportError, match=words):
        data_bytes(released().assign(**change), ".csv")


def test_other_suffixes_and_frames_are_refused_in_words():
    with pytest.raises(geo.errors.ExportError, match=r"'.shp'.*\.gpkg"):
        data_bytes(released(), ".shp")
    with pytest.raises(geo.errors.SchemaError, match="site_id"):
        data_bytes(released().drop(columns="site_id"), ".csv")
    with pytest.raises(geo.errors.CRSError):
        data_bytes(released().set_crs(None, allow_override=True), ".csv")


def test_names_of_columns_that_a_geopackage_uses_itself_are_kept(tmp_path):
    given = released(fid=["a", "b", "c"], geom=["d", "e", "f"])
    back = read(data_bytes(given, ".gpkg"), ".gpkg", tmp_path)
    assert back["fid"].tolist() == ["a", "b", "c"]
    assert back["geom"].tolist() == ["d", "e", "f"]
