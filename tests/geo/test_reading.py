"""Files in every format, whole, odd, hostile and cut short."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import struct
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import (
    CRSError,
    GeoError,
    GeometryError,
    GeoWarning,
    NotFoundError,
    ReadError,
    SchemaError,
)
from geo.reading import read_sites
from geo.writing import write_sites

ROOT = Path(__file__).parents[2]
CSV = "site_id,name,latitude,longitude,uncertainty_m\nA,Ā,11.5,104.9,500\nB,b,,,\n"
KML = (
    '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2">'
    "<Document><name>Map</name>{}</Document></kml>"
)
PLACE = (
    "<Placemark><name>{}</name><description><![CDATA[<b>x</b>  y]]></description>"
    '<ExtendedData><Data name="radius_m"><value>500</value></Data></ExtendedData>'
    "<Point><coordinates>104.9,11.5,0</coordinates></Point></Placemark>"
)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        file = tmp_path / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write


def frame():
    return gpd.GeoDataFrame(
        {"site_id": ["A", "B"], "uncertainty_m": [500.0, None], "n": [1, 2]},
        geometry=[shapely.Point(104.9, 11.5), None],
        crs="EPSG:4326",
    )


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def workbook(path, **sheets):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return book


def reported_sites():
    for file in (
        ROOT / "geo/data/reported_sites.csv",
        ROOT.parent / "shared/data/reported_sites.csv",
    ):
        if file.exists():
            return file
    return pytest.skip("the reported sites are not here")


def test_the_reported_sites_are_97_of_which_79_have_a_place():
    sites = read_sites(reported_sites())
    assert len(sites) == 97
    assert sites.geometry.notna().sum() == 79
    assert (sites["location_level"] == "none").sum() == 18
    assert sites["country"].value_counts().to_dict() == {
        "KH": 73,
        "MM": 14,
        "PH": 8,
        "LA": 1,
        "TL": 1,
    }
    assert sites.loc[sites.geometry.notna(), "uncertainty_m"].gt(0).all()
    assert sites["site_id"].iloc[0] == "KH-001"
    assert sites["source_row"].tolist() == list(range(2, 99))


def test_a_row_leads_back_to_its_file_without_the_folder(write):
    file = write("reports.csv", CSV)
    sites = read_sites(file)
    assert sites["source_file"].tolist() == ["reports.csv"] * 2
    assert sites["source_row"].tolist() == [2, 3]
    assert sites.attrs["source_sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert str(file.parent) not in sites.to_csv()


def test_an_earlier_origin_is_kept_where_it_is_known(write):
    text = "id,lat,lon,radius_m,Source File,Source Row\nA,1,2,3,old.csv,77\nB,1,2,3,,\n"
    sites = read_sites(write("new.csv", text))
    assert sites["source_file"].tolist() == ["old.csv", "new.csv"]
    assert sites["source_row"].tolist() == [77, 3]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_line_end_and_encoding_are_found(write, delimiter, end, encoding):
    text = CSV.replace(",", delimiter).replace("\n", end)
    sites = read_sites(write("a.csv", text.encode(encoding)))
    assert sites["site_id"].tolist() == ["A", "B"]
    assert sites["name"].tolist() == ["Ā", "b"]
    assert sites.geometry.notna().tolist() == [True, False]


def test_a_decimal_comma_between_semicolons_is_no_delimiter(write):
    sites = read_sites(write("a.csv", "lat;lon;radius_m\n11,5;104,9;500\n"))
    assert sites.geometry.iloc[0] == shapely.Point(104.9, 11.5)


def test_mapped_names_decide_the_delimiter_too(write):
    file = write("a.csv", "x;y;r\n104.9;11.5;30\n")
    sites = read_sites(file, columns={"x": "longitude", "y": "latitude", "r": "uncertainty_m"})
    assert sites.geometry.iloc[0] == shapely.Point(104.9, 11.5)


def test_an_ambiguous_delimiter_is_an_error_that_shows_what_was_tried(write):
    with pytest.raises(ReadError, match=r"Tried comma: 2 columns.*semicolon: 2 columns"):
        read_sites(write("a.csv", "lat;a,lon\n1;2,3\n"))


def test_quoted_cells_keep_delimiters_quotes_and_line_ends(write):
    text = 'id,lat,lon,radius_m,Name,"note, too"\nA,1,2,3,"say ""x""\r\nthere","a,b"\nB,x,2,3,n,m\n'
    with pytest.raises(SchemaError) as caught:
        read_sites(write("a.csv", text))
    assert caught.value.problems["row"].tolist() == [3]
    sites = read_sites(write("a.csv", text.replace("B,x", "B,1")))
    assert sites["name"].iloc[0] == 'say "x"\r\nthere'
    assert sites["note, too"].iloc[0] == "a,b"


def test_the_text_na_is_namibia_and_blank_is_missing(write):
    sites = read_sites(write("a.csv", "id,lat,lon,radius_m,country,x\nA,1,2,3,NA,NA\nB,1,2,3,,\n"))
    assert sites["country"].fillna("?").tolist() == ["NA", "?"]
    assert sites["x"].fillna("?").tolist() == ["NA", "?"]


def test_blank_rows_are_no_records_but_count_as_rows(write):
    sites = read_sites(write("a.csv", "id,lat,lon,radius_m\n\n,,,\nA,1,2,3\n , ,,\n"))
    assert sites["source_row"].tolist() == [4]


def test_an_empty_last_column_is_left_out_and_a_full_one_gets_a_name(write):
    sites = read_sites(write("a.csv", "id,lat,lon,radius_m,,\nA,1,2,3,,x\n"))
    assert list(sites.columns)[-2:] == ["column_6", "geometry"]


def test_other_encodings_are_never_guessed(write):
    text = "id,name,lat,lon\nA,ok,1,2\nB,caf\u00e9,1,2\n"
    with pytest.raises(ReadError, match=r"byte 0xe9 in line 3.*UTF-8"):
        read_sites(write("a.csv", text.encode("cp1252")))
    with pytest.raises(ReadError, match="byte 0xe9 in line 3"):
        read_sites(write("a.csv", b"\xef\xbb\xbf" + text.encode("cp1252")))
    with pytest.raises(ReadError, match="UTF-16"):
        read_sites(write("a.csv", text.encode("utf-16")[:-1]))
    with pytest.raises(ReadError, match="NUL byte in line 1"):
        read_sites(write("a.csv", text.encode("utf-16-le").replace(b"\xe9", b"e")))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "0 bytes"),
        ("\n \n", "is empty"),
        ("id,lat,lon\n", "only a header"),
        ("id,lat,lon\nA,1\nB,1,2\nC,1,2,3\n", "row 2 has 2, row 4 has 4"),
        ('id,lat,lon\nA,1,"2\nB,1,2\n', "Row 2"),
        ('id,lat,lon\nA,1,"2"x\n', "Row 2"),
        ("id,lat,lon\nA,1,\x002\n", "NUL byte in line 2"),
        ("id,lat,lon\nA,1," + "9" * 200_000 + "\n", "Row 2"),
    ],
)
def test_broken_tables_are_named(write, text, words):
    with pytest.raises(ReadError, match=words):
        read_sites(write("a.csv", text))


def test_ragged_rows_are_listed(write):
    with pytest.raises(ReadError) as caught:
        read_sites(write("a.csv", "id,lat,lon\nA,1\nC,1,2,3\n"))
    assert caught.value.problems["row"].tolist() == [2, 3]


def test_doubled_or_missing_columns_are_schema_errors(write):
    with pytest.raises(SchemaError, match="'id'"):
        read_sites(write("a.csv", "id,id,lat,lon\nA,B,1,2\n"))
    with pytest.raises(SchemaError, match="'source_row'"):
        read_sites(write("a.csv", "source_row,source_row,lat,lon\n1,2,1,2\n"))
    with pytest.raises(SchemaError, match="decimalLatitude"):
        read_sites(write("a.csv", "site_id,name\nA,B\n"))
    with pytest.raises(SchemaError, match="'name'"):
        read_sites(write("a.csv", "name\nB\n"))


def test_a_missing_file_a_folder_and_an_unknown_format_are_named(tmp_path, write):
    with pytest.raises(NotFoundError, match="no file"):
        read_sites(tmp_path / "none.csv")
    with pytest.raises(ReadError, match="is a folder"):
        read_sites(tmp_path)
    with pytest.raises(ReadError, match=r"'\.shp'.*GeoJSON.*GeoPackage"):
        read_sites(write("a.shp", "x"))
    with pytest.raises(ReadError, match="has no layers"):
        read_sites(write("a.csv", CSV), layer="x")


def test_geojson_keeps_null_geometries_and_text_as_it_is(write):
    features = [
        {
            "type": "Feature",
            "id": 7,
            "properties": {"radius_m": 30, "source_date": "2024-03", "x": "2024-03-01"},
            "geometry": {"type": "Point", "coordinates": [104.9, 11.5, 3]},
        },
        {"type": "Feature", "id": 8, "properties": {"admin1": "Takeo", "l": [1]}, "geometry": None},
        {
            "type": "Feature",
            "id": 9,
            "properties": None,
            "geometry": {"type": "Point", "coordinates": []},
        },
    ]
    document = json.dumps({"type": "FeatureCollection", "features": features})
    sites = read_sites(write("a.geojson", document))
    assert sites["site_id"].tolist() == ["7", "8", "9"]
    assert sites.geometry.notna().tolist() == [True, False, False]
    assert sites["source_date"].iloc[0] == "2024-03"
    assert sites["x"].iloc[0] == "2024-03-01"
    assert sites["source_row"].tolist() == [1, 2, 3]


def test_geojson_in_an_old_reference_system_is_turned_into_degrees(write):
    metric = frame().to_crs("EPSG:32648")
    document = json.loads(metric.to_json())
    document["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32648"}}
    sites = read_sites(write("a.json", json.dumps(document)))
    assert sites.geometry.iloc[0].distance(shapely.Point(104.9, 11.5)) < 1e-8
    document["crs"] = {"type": "name", "properties": {"name": "nonsense"}}
    with pytest.raises(ReadError, match="nonsense"):
        read_sites(write("a.json", json.dumps(document)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" ", "is empty"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[1]", "FeatureCollection is needed"),
        ('{"type": "Topology"}', "Topology"),
        ('{"type": "FeatureCollection", "features": []}', "no features"),
        ('{"type": "FeatureCollection", "features": [1]}', "Feature 1"),
        ('{"type": "Feature", "properties": {}}', "Feature 1"),
        ('{"type": "Feature", "properties": {"x": NaN}, "geometry": null}', "NaN"),
        ('{"type": "Feature", "properties": {"x": "\\ud800"}, "geometry": null}', "not valid"),
        ('{"type": "Feature", "properties": {"geometry": 1}, "geometry": null}', "rename it"),
        (
            '{"type": "Feature", "properties": 0, "geometry": {"type": "Point", "coordinates": 1}}',
            "Feature 1",
        ),
        ('{"type": "Feature", "properties": {}, "geometry": {"type": "X"}}', "Feature 1"),
    ],
)
def test_broken_geojson_is_named(write, text, words):
    with pytest.raises(ReadError, match=words):
        read_sites(write("a.geojson", text))


def test_polygons_are_an_error_in_every_feature_format(tmp_path):
    areas = frame().set_geometry([shapely.box(104, 11, 105, 12), None], crs="EPSG:4326")
    areas.to_file(tmp_path / "a.geojson", driver="GeoJSON")
    areas.to_file(tmp_path / "a.gpkg")
    areas.to_parquet(tmp_path / "a.parquet")
    for name in ("a.geojson", "a.gpkg", "a.parquet"):
        with pytest.raises(GeometryError, match="representative_point"):
            read_sites(tmp_path / name)


def test_a_geopackage_gives_its_points(tmp_path):
    table = frame().assign(source_date=pd.to_datetime(["2024-03-01", None]))
    table.to_crs("EPSG:32648").to_file(tmp_path / "a.gpkg", layer="sites")
    sites = read_sites(tmp_path / "a.gpkg")
    assert sites["site_id"].tolist() == ["A", "B"]
    assert sites["source_date"].fillna("?").tolist() == ["2024-03-01", "?"]
    assert sites["source_row"].tolist() == [1, 2]
    assert sites.geometry.notna().tolist() == [True, False]


def test_the_layer_of_a_geopackage_is_never_guessed(tmp_path):
    file = tmp_path / "a.gpkg"
    frame().to_file(file, layer="one")
    areas = frame().set_geometry([shapely.box(104, 11, 105, 12), None], crs="EPSG:4326")
    areas.to_file(file, layer="areas")
    assert len(read_sites(file)) == 2
    frame().iloc[:1].to_file(file, layer="two")
    with pytest.raises(ReadError, match=r"'one' \(Point\).*'areas'.*'two'.*layer="):
        read_sites(file)
    assert len(read_sites(file, layer="two")) == 1
    with pytest.raises(NotFoundError, match="'three'"):
        read_sites(file, layer="three")


def test_a_geopackage_without_reference_system_is_an_error(tmp_path):
    file = tmp_path / "a.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        frame().set_crs(None, allow_override=True).to_file(file)
    with pytest.raises(CRSError):
        read_sites(file)


def test_a_geopackage_in_write_ahead_mode_is_read_only_when_it_is_whole(tmp_path):
    file = tmp_path / "a.gpkg"
    frame().to_file(file)
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=wal")
    database.execute("CREATE TABLE more (x INTEGER)")
    database.commit()
    with pytest.raises(ReadError, match=r"close it .* QGIS"):
        read_sites(file)
    database.close()
    assert len(read_sites(file)) == 2


def test_a_geopackage_damaged_in_its_own_words_is_named(tmp_path, whole):
    damaged = whole[".gpkg"].replace(b"CREATE TABLE", b"CRE\xffTE TABLE")
    (tmp_path / "a.gpkg").write_bytes(damaged)
    with pytest.raises(ReadError, match="damaged"):
        read_sites(tmp_path / "a.gpkg")


def test_an_empty_layer_has_no_rows(tmp_path):
    frame().iloc[:0].to_file(tmp_path / "a.gpkg")
    frame().iloc[:0].to_parquet(tmp_path / "a.parquet")
    for name in ("a.gpkg", "a.parquet"):
        with pytest.raises(ReadError, match=r"no (features|rows)"):
            read_sites(tmp_path / name)


def test_geoparquet_and_plain_parquet_are_read(tmp_path):
    frame().set_index("site_id").to_parquet(tmp_path / "a.parquet")
    sites = read_sites(tmp_path / "a.parquet")
    assert sites["site_id"].tolist() == ["A", "B"]
    assert sites["n"].tolist() == [1, 2]
    plain = pd.DataFrame({"lat": [11.5], "lon": [104.9], "radius_m": [9]})
    plain.to_parquet(tmp_path / "b.parquet")
    assert read_sites(tmp_path / "b.parquet").geometry.iloc[0] == shapely.Point(104.9, 11.5)


def test_all_folders_of_a_kml_are_read_even_with_the_same_name(write):
    inner = f"<Folder><name>Inner</name>{PLACE.format('c')}</Folder>"
    content = KML.format(
        f"<Folder><name>Same</name>{PLACE.format('a')}</Folder>"
        f"<Folder><name>Same</name>{PLACE.format('b')}{inner}</Folder>{PLACE.format('d')}"
    )
    for name, data in (("a.kml", content), ("a.kmz", zipped(**{"doc.kml": content}))):
        sites = read_sites(write(name, data))
        assert sites["name"].tolist() == ["a", "b", "c", "d"]
        assert sites["layer"].fillna("?").tolist() == ["Same", "Same", "Same / Inner", "?"]
        assert sites["description"].tolist() == ["<b>x</b>  y"] * 4
        assert sites["uncertainty_m"].tolist() == [500.0] * 4
        assert sites["source_row"].tolist() == [1, 2, 3, 4]
    unknown = [name for name in sites.columns if sites[name].isna().all()]
    assert "tessellate" not in unknown
    assert read_sites(write("a.kml", content), layer="Inner")["source_row"].tolist() == [3]
    with pytest.raises(NotFoundError, match="'Same / Inner'"):
        read_sites(write("a.kml", content), layer="x")


def test_a_kml_made_by_gdal_is_read(tmp_path):
    frame().rename(columns={"site_id": "id"}).to_file(tmp_path / "a.kml", driver="LIBKML")
    sites = read_sites(tmp_path / "a.kml")
    assert sites.geometry.notna().tolist() == [True, False]
    assert sites["uncertainty_m"].iloc[0] == 500


def test_a_placemark_without_geometry_keeps_its_row_and_shapes_are_refused(write):
    bare = "<Placemark><name>x</name><address>Takeo</address></Placemark>"
    sites = read_sites(write("a.kml", KML.format(bare + PLACE.format("y"))))
    assert sites.geometry.notna().tolist() == [False, True]
    assert sites["address"].iloc[0] == "Takeo"
    ring = "<coordinates>104,11 105,11 105,12 104,11</coordinates>"
    area = f"<outerBoundaryIs><LinearRing>{ring}</LinearRing></outerBoundaryIs>"
    shapes = f"<MultiGeometry><Polygon>{area}</Polygon></MultiGeometry>"
    line = f"<LineString>{ring}</LineString>"
    for shape in (shapes, line):
        with pytest.raises(GeometryError) as caught:
            read_sites(write("a.kml", KML.format(f"<Placemark>{shape}</Placemark>")))
        assert caught.value.problems["row"].tolist() == [1]


def test_extended_data_never_overwrites_what_the_placemark_says(write):
    data = "".join(
        f'<Data name="{key}"><value>{value}</value></Data>'
        for key, value in {"name": "other", "layer": "mine", "geometry": "g", "": "n"}.items()
    )
    place = PLACE.format("first").replace("<ExtendedData>", f"<ExtendedData>{data}")
    sites = read_sites(write("a.kml", KML.format(f"<Folder><name>F</name>{place}</Folder>")))
    row = sites.iloc[0]
    assert (row["name"], row["layer"]) == ("first", "F")
    assert (row["name_2"], row["layer_2"], row["geometry_2"], row["_2"]) == (
        "other",
        "mine",
        "g",
        "n",
    )


def test_a_kml_that_is_only_a_link_is_never_followed(write):
    link = "<NetworkLink><Link><href>https://example.org/x.kml</href></Link></NetworkLink>"
    for name, data in (
        ("a.kml", KML.format(link)),
        ("a.kmz", zipped(**{"doc.kml": KML.format(link)})),
    ):
        with pytest.raises(ReadError, match=r"only a link.*Export the data"):
            read_sites(write(name, data))
    with pytest.warns(GeoWarning, match="not followed"):
        assert len(read_sites(write("b.kml", KML.format(link + PLACE.format("a"))))) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" ", "cannot be read as KML"),
        ("<kml>", "cannot be read as KML"),
        ("<html></html>", "not KML"),
        (KML.format(""), "no placemarks"),
        ('<!DOCTYPE kml [<!ENTITY a "b">]>' + KML[38:].format("&a;"), "document type"),
        ('<!DOCTYPE kml SYSTEM "file:///etc/passwd">' + KML[38:].format(""), "document type"),
        ('<?xml version="1.0" encoding="klingon"?><kml/>', "cannot be read as KML"),
        (
            KML.format("<Placemark><Point><coordinates>a,b</coordinates></Point></Placemark>"),
            "Placemark 1",
        ),
        (
            KML.format(
                "<Placemark><Point><coordinates>104.9, 11.5</coordinates></Point></Placemark>"
            ),
            "Placemark 1",
        ),
    ],
)
def test_broken_and_hostile_kml_is_named(write, text, words):
    with pytest.raises(ReadError, match=words):
        read_sites(write("a.kml", text))


def test_a_kmz_with_several_maps_or_none_is_named(write):
    content = KML.format(PLACE.format("a"))
    with pytest.raises(ReadError, match="0 KML files"):
        read_sites(write("a.kmz", zipped(**{"a.png": b""})))
    with pytest.raises(ReadError, match=r"2 KML files: a\.kml, b\.kml"):
        read_sites(write("a.kmz", zipped(**{"a.kml": content, "b.kml": content})))
    with pytest.warns(GeoWarning, match=r"left out b\.kml"):
        read_sites(write("a.kmz", zipped(**{"doc.kml": content, "b.kml": content})))


def test_a_zip_bomb_is_refused_by_its_promise_and_by_its_content(write, monkeypatch):
    monkeypatch.setattr("geo._archives._MAX_BYTES", 1_000_000)
    bomb = zipped(**{"doc.kml": b" " * 2_000_000})
    with pytest.raises(ReadError, match="made to do harm"):
        read_sites(write("a.kmz", bomb))
    entry = bomb.index(b"PK\x01\x02")
    lying = bomb[: entry + 24] + struct.pack("<I", 10) + bomb[entry + 28 :]
    with pytest.raises(ReadError, match=r"damaged|not a whole"):
        read_sites(write("a.kmz", lying))


def test_excel_sheets_are_read_with_dates_as_the_sheet_shows_them(tmp_path):
    file = tmp_path / "a.xlsx"
    header = ["id", "lat", "lon", "radius_m", "first_reported", "last_reported", "name", "n"]
    book = workbook(
        file,
        Notes=[["about"], ["x"]],
        Sites=[
            header,
            ["A", 11.5, 104.9, 500, pd.Timestamp("2024-03-01"), pd.Timestamp("2024-03-01"), 7, 1.5],
            [],
            ["B", "11.5", "104.9", "500", "2024", 2025, "x", None],
        ],
    )
    book["Sites"]["E2"].number_format = "[$-409]mmm\\-yy;@"
    book["Sites"]["F2"].number_format = "dd/mm/yyyy"
    book.save(file)
    sites = read_sites(file)
    assert sites["first_reported"].tolist() == ["2024-03", "2024"]
    assert sites["last_reported"].tolist() == ["2024-03-01", "2025"]
    assert sites["name"].tolist() == ["7", "x"]
    assert sites["n"].iloc[0] == 1.5
    assert sites["source_row"].tolist() == [2, 4]
    assert read_sites(file, layer="Sites")["site_id"].tolist() == ["A", "B"]
    with pytest.raises(NotFoundError, match="'Notes', 'Sites'"):
        read_sites(file, layer="x")


def test_the_sheet_is_never_guessed(tmp_path):
    rows = [["lat", "lon", "radius_m"], [11.5, 104.9, 5]]
    workbook(tmp_path / "a.xlsx", One=rows, Two=rows)
    with pytest.raises(ReadError, match="'One', 'Two', of which 2"):
        read_sites(tmp_path / "a.xlsx")
    workbook(tmp_path / "b.xlsx", One=[["x"]], Two=[])
    with pytest.raises(ReadError, match="of which 0"):
        read_sites(tmp_path / "b.xlsx")
    workbook(tmp_path / "c.xlsx", One=rows[:1])
    with pytest.raises(ReadError, match="only a header"):
        read_sites(tmp_path / "c.xlsx")


def test_a_formula_without_a_stored_result_is_named(tmp_path):
    workbook(tmp_path / "a.xlsx", One=[["lat", "lon", "radius_m"], [11.5, 104.9, "=2+3"]])
    with pytest.raises(ReadError, match=r"Row 2 .* formula"):
        read_sites(tmp_path / "a.xlsx")


def test_a_formula_gives_its_stored_result(tmp_path):
    file = tmp_path / "a.xlsx"
    workbook(file, One=[["lat", "lon", "radius_m"], [11.5, 104.9, "=2+3"]])
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = members[sheet].replace(b"<v />", b"<v>5</v>").replace(b"<v/>", b"<v>5</v>")
    file.write_bytes(zipped(**members))
    assert read_sites(file)["uncertainty_m"].tolist() == [5.0]


def test_a_sheet_that_states_a_wrong_size_is_read_whole(tmp_path):
    file = tmp_path / "a.xlsx"
    workbook(file, One=[["lat", "lon", "radius_m"], [11.5, 104.9, 5], [11.5, 104.9, 6]])
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'ref="A1:C3"' in members[sheet]
    members[sheet] = members[sheet].replace(b'ref="A1:C3"', b'ref="A1:C2"')
    file.write_bytes(zipped(**members))
    assert read_sites(file)["uncertainty_m"].tolist() == [5.0, 6.0]


def test_excel_without_openpyxl_says_what_to_install(tmp_path, monkeypatch):
    workbook(tmp_path / "a.xlsx", One=[["lat", "lon"], [1, 2]])
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ReadError, match=r"pip install 'compound-atlas\[excel\]'"):
        read_sites(tmp_path / "a.xlsx")


def valid_files(folder):
    """Bytes of one valid file of each format."""
    table = frame()
    table.to_file(folder / "a.gpkg")
    table.to_parquet(folder / "a.parquet")
    write_sites(table, folder / "a.geojson")
    write_sites(table, folder / "a.csv")
    workbook(folder / "a.xlsx", One=[["lat", "lon", "radius_m"], [11.5, 104.9, 5]])
    (folder / "a.kml").write_text(KML.format(PLACE.format("a") * 3))
    (folder / "a.kmz").write_bytes(zipped(**{"doc.kml": KML.format(PLACE.format("a") * 3)}))
    return {file.suffix: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return valid_files(tmp_path_factory.mktemp("whole"))


SUFFIXES = [".csv", ".geojson", ".gpkg", ".kml", ".kmz", ".parquet", ".xlsx"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(at=st.floats(0, 1, exclude_max=True))
@settings(max_examples=30, deadline=None)
def test_a_file_cut_short_is_named_or_read_in_part_only_where_that_cannot_be_seen(
    whole, suffix, at
):
    content = whole[suffix]
    cut = content[: int(at * len(content))]
    with TemporaryDirectory() as folder:
        file = Path(folder, f"a{suffix}")
        file.write_bytes(cut)
        try:
            read_sites(file)
        except GeoError:
            return
    # A line of text that ends early is a shorter line; every other format shows the damage.
    assert suffix in (".csv", ".geojson")


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1))
@settings(max_examples=30, deadline=None)
def test_a_damaged_file_never_raises_anything_but_a_named_error(whole, suffix, changes):
    content = bytearray(whole[suffix])
    for at, byte in changes:
        content[int(at * len(content))] = byte
    with TemporaryDirectory() as folder:
        file = Path(folder, f"a{suffix}")
        file.write_bytes(content)
        try:
            read_sites(file)
        except (GeoError, GeoWarning) as error:
            assert str(error)  # noqa: PT017 - either outcome will do


@given(st.binary(max_size=200), st.sampled_from(SUFFIXES))
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes_never_raise_anything_but_a_named_error(content, suffix):
    with TemporaryDirectory() as folder:
        file = Path(folder, f"a{suffix}")
        file.write_bytes(content)
        with pytest.raises(GeoError):
            read_sites(file)


def test_a_hundred_thousand_rows_are_read_whole(tmp_path):
    lines = [
        f"S{i},KH,{10 + i % 1000 / 500},{103 + i % 777 / 500},town,2024-03" for i in range(100_000)
    ]
    header = "site_id,country,latitude,longitude,location_level,first_reported"
    file = tmp_path / "a.csv"
    file.write_text("\n".join([header, *lines]))
    sites = read_sites(file)
    assert sites["source_row"].tolist() == list(range(2, 100_002))
    assert sites.geometry.y.iloc[777] == 10 + 777 / 500
