"""The check of every row, against faults made one by one."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import CRSError, GeometryError, SchemaError
from geo.schema import DEFAULT_RADIUS_M, SITE_SCHEMA, VOCABULARIES, validate_sites

ALWAYS = [
    "site_id",
    "name",
    "status",
    "operating",
    "state_response",
    "country",
    "admin1",
    "locality",
    "uncertainty_m",
    "location_level",
    "location_method",
    "first_reported",
    "last_reported",
    "source",
    "source_url",
    "source_date",
    "source_file",
    "source_row",
]


def table(**columns):
    """One located row, with these cells in place of the usual ones."""
    row = {"site_id": "A", "latitude": "11.5", "longitude": "104.9", "uncertainty_m": "500"}
    row |= columns
    return pd.DataFrame({key: [value] for key, value in row.items()}, dtype=object)


def points(**columns):
    """One site as a point."""
    frame = pd.DataFrame({"uncertainty_m": [500.0], **{k: [v] for k, v in columns.items()}})
    return gpd.GeoDataFrame(frame, geometry=[shapely.Point(104.9, 11.5)], crs="EPSG:4326")


def faults(frame, **options):
    """Triples of column, value and problem that validation reports."""
    with pytest.raises(SchemaError) as caught:
        validate_sites(frame, **options)
    assert list(caught.value.problems.columns) == ["row", "column", "value", "problem"]
    return [tuple(row[1:]) for row in caught.value.problems.itertuples(index=False)]


def only_fault(frame, **options):
    found = faults(frame, **options)
    assert len(found) == 1, found
    return found[0]


def test_sites_have_the_promised_columns_in_schema_order_then_unknown_ones_then_geometry():
    sites = validate_sites(table(zebra="z", aardvark=3, abuses="torture"))
    order = [column.name for column in SITE_SCHEMA]
    known = [name for name in sites.columns if name in order]
    assert known == sorted(known, key=order.index)
    assert set(ALWAYS) <= set(known)
    assert list(sites.columns)[-3:] == ["zebra", "aardvark", "geometry"]
    assert sites["aardvark"].tolist() == [3]
    assert sites.crs == "EPSG:4326"


def test_columns_have_the_promised_dtypes():
    sites = validate_sites(table(source_row="7", sensitivity="public"))
    assert sites["name"].dtype == "string"
    assert sites["uncertainty_m"].dtype == "float64"
    assert sites["source_row"].dtype == "Int64"
    for name in ("status", "location_level", "location_method", "sensitivity"):
        assert tuple(sites[name].cat.categories) == VOCABULARIES[name]


def test_the_schema_is_data_that_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        SITE_SCHEMA[0].name = "other"
    with pytest.raises(TypeError):
        DEFAULT_RADIUS_M["town"] = 1.0


def test_no_name_is_understood_as_two_columns():
    names = [
        "".join(c for c in s.casefold() if c.isalnum())
        for column in SITE_SCHEMA
        for s in {column.name, *column.synonyms}
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("occurrenceID", "site_id"),
        ("Report ID", "site_id"),
        ("dwc:stateProvince", "admin1"),
        ("PROVINCE", "admin1"),
        ("county", "admin2"),
        ("District", "admin2"),
        ("municipality", "admin3"),
        ("commune", "admin3"),
        ("coordinateUncertaintyInMeters", "uncertainty_m"),
        ("Radius-M", "uncertainty_m"),
        ("accuracy m", "uncertainty_m"),
        ("countryCode", "country"),
        ("verbatimLocality", "verbatim_location"),
        ("URL", "source_url"),
        ("link", "source_url"),
        ("source_publisher", "source"),
        ("First Reported", "first_reported"),
    ],
)
def test_common_spellings_are_recognised(label, name):
    cells = {"uncertainty_m": "500", "source_url": "https://a.b/c", "country": "KH"}
    value = cells.get(name, "2024")
    frame = pd.DataFrame({"LAT": [11.5], "Lng": [104.9], label: [value], "location level": "town"})
    sites = validate_sites(frame)
    assert str(sites[name].iloc[0]).removesuffix(".0") == value
    assert label not in sites.columns


@pytest.mark.parametrize(
    ("lat", "lon"),
    [("lat", "lon"), ("Lat", "LNG"), ("decimalLatitude", "decimalLongitude"), ("LATITUDE", "long")],
)
def test_coordinate_columns_are_recognised_and_become_the_geometry(lat, lon):
    sites = validate_sites(pd.DataFrame({lat: ["11.5"], lon: ["104.9"], "radius_m": [1]}))
    assert sites.geometry.iloc[0] == shapely.Point(104.9, 11.5)
    assert not {lat, lon} & set(sites.columns)


def test_columns_maps_other_names_and_wins_over_what_is_recognised():
    frame = table(id="other").rename(columns={"latitude": "Breite", "site_id": "Nummer"})
    sites = validate_sites(frame, columns={"Breite": "latitude", "Nummer": "site_id"})
    assert sites["site_id"].tolist() == ["A"]
    assert sites["id"].tolist() == ["other"]
    assert_geodataframe_equal(validate_sites(sites), sites)


def test_two_columns_with_one_meaning_are_named():
    with pytest.raises(SchemaError, match="'lat' and 'latitude' all mean 'latitude'"):
        validate_sites(table().assign(lat="3")[["lat", "latitude", "longitude"]])
    with pytest.raises(SchemaError, match="'a' and 'b' all mean 'name'"):
        validate_sites(table(a="1", b="2"), columns={"a": "name", "b": "name"})
    with pytest.raises(SchemaError, match="'claim' and 'status' all mean 'status'"):
        validate_sites(table(claim="confirmed", status="x"), columns={"claim": "status"})


def test_columns_naming_nothing_is_an_error_with_a_suggestion():
    with pytest.raises(SchemaError, match="Did you mean 'latitude'"):
        validate_sites(table(), columns={"latitde": "latitude"})
    with pytest.raises(SchemaError, match="Did you mean 'uncertainty_m'"):
        validate_sites(table(r="1"), columns={"r": "uncertainty"})


def test_doubled_labels_are_an_error():
    frame = table(a="1", b="2")
    frame.columns = [*frame.columns[:-2], "same", "same"]
    with pytest.raises(SchemaError, match="'same'"):
        validate_sites(frame)


def test_text_is_stripped_and_normalised_but_verbatim_text_is_not():
    raw = " \u200bCafe\u0301 \ufeff"
    sites = validate_sites(table(name=raw, verbatim_location=raw, other=raw))
    assert sites["name"].tolist() == ["Caf\u00e9"]
    assert sites["verbatim_location"].tolist() == [raw]
    assert sites["other"].tolist() == [raw]


def test_blank_text_is_missing():
    sites = validate_sites(table(name=" \u200b ", locality="", verbatim_location="\t"))
    assert sites[["name", "locality", "verbatim_location"]].isna().all(axis=None)


def test_the_text_na_is_not_missing():
    assert validate_sites(table(country="NA", name="null"))["country"].tolist() == ["NA"]


def test_khmer_digits_are_numbers():
    sites = validate_sites(
        table(latitude="១១.៥", longitude="១០៤.៩", uncertainty_m="៥០០", source_date="២០២៤-០៣")
    )
    assert sites.geometry.iloc[0] == shapely.Point(104.9, 11.5)
    assert sites["uncertainty_m"].tolist() == [500.0]
    assert sites["source_date"].tolist() == ["2024-03"]


def test_words_are_accepted_in_any_case_with_spaces_or_hyphens():
    sites = validate_sites(
        table(
            status="CONFIRMED", state_response="Intervened still-operating", location_level="Town"
        )
    )
    assert sites["state_response"].tolist() == ["intervened_still_operating"]
    assert sites["location_level"].tolist() == ["town"]


def test_several_values_are_joined_by_bars_without_spaces():
    sites = validate_sites(table(abuses=" torture | forced_labour||", evidence="|"))
    assert sites["abuses"].tolist() == ["torture|forced_labour"]
    assert sites["evidence"].isna().all()


@pytest.mark.parametrize(
    ("given", "code"),
    [("kh", "KH"), ("Cambodia", "KH"), ("Lao PDR", "LA"), ("Viet Nam", "VN"), ("MMR", "MM")],
)
def test_countries_become_alpha2_codes(given, code):
    assert validate_sites(table(country=given))["country"].tolist() == [code]


def test_missing_status_is_unknown_and_missing_level_without_a_point_is_none():
    sites = validate_sites(table(latitude="", longitude="", locality="Takeo"))
    assert sites[["status", "operating", "state_response"]].eq("unknown").all(axis=None)
    assert sites["location_level"].tolist() == ["none"]
    assert sites["location_method"].isna().all()
    assert validate_sites(table())["location_level"].isna().all()


@pytest.mark.parametrize("level", sorted(DEFAULT_RADIUS_M))
def test_a_missing_radius_comes_from_the_level(level):
    sites = validate_sites(table(uncertainty_m="", location_level=level))
    assert sites["uncertainty_m"].tolist() == [DEFAULT_RADIUS_M[level]]
    assert validate_sites(table(location_level=level))["uncertainty_m"].tolist() == [500.0]


def test_a_row_without_a_point_gets_no_radius():
    frame = table(
        latitude="", longitude="", uncertainty_m="", location_level="district", admin1="x"
    )
    assert validate_sites(frame)["uncertainty_m"].isna().all()


def test_ids_come_from_row_numbers_where_there_is_no_id_column():
    frame = pd.concat([table(), table()]).drop(columns="site_id")
    assert validate_sites(frame)["site_id"].tolist() == ["row-0001", "row-0002"]
    frame["source_row"] = [7, 3]
    assert validate_sites(frame)["site_id"].tolist() == ["row-0007", "row-0003"]


def test_the_index_is_kept_and_the_input_unchanged():
    frame = table(name=" x ").set_axis(["label"])
    before = frame.copy(deep=True)
    assert validate_sites(frame).index.tolist() == ["label"]
    pd.testing.assert_frame_equal(frame, before)


def test_dates_may_be_partial_and_lose_their_time_of_day():
    sites = validate_sites(
        table(first_reported="2024", last_reported="2024-03-31T10:00:00Z", source_date="2024-02-29")
    )
    assert sites["last_reported"].tolist() == ["2024-03-31"]
    assert sites["source_date"].tolist() == ["2024-02-29"]
    stamped = validate_sites(table(source_date=pd.Timestamp("2024-03-31")))
    assert stamped["source_date"].tolist() == ["2024-03-31"]
    assert validate_sites(table(source_date=2024.0))["source_date"].tolist() == ["2024"]


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"latitude": "95"}, "latitude", "-90 and 90"),
        ({"longitude": "-181"}, "longitude", "-180 and 180"),
        ({"latitude": "abc"}, "latitude", "not a number"),
        ({"latitude": "1_1"}, "latitude", "not a number"),
        ({"latitude": "nan"}, "latitude", "not a number"),
        ({"longitude": "inf"}, "longitude", "not a number"),
        ({"latitude": "11,5"}, "latitude", "decimal comma"),
        ({"latitude": ""}, "latitude", "longitude is given"),
        ({"longitude": None}, "longitude", "latitude is given"),
        ({"latitude": "0", "longitude": "0.0"}, "latitude", "unknown place"),
        ({"latitude": "104.9", "longitude": "11.5"}, "latitude", "swapped"),
        ({"latitude": "104.9", "longitude": "11.5", "country": "KH"}, "latitude", "lies in KH"),
        ({"latitude": "104.9", "longitude": "11.5", "country": "MM"}, "latitude", "-90 and 90"),
        ({"latitude": "104.9", "longitude": "11.5", "country": "PH"}, "latitude", "-90 and 90"),
        ({"uncertainty_m": ""}, "uncertainty_m", "needs the radius"),
        ({"uncertainty_m": "", "location_level": "country"}, "uncertainty_m", "no default radius"),
        ({"uncertainty_m": "0"}, "uncertainty_m", "more than 0"),
        ({"uncertainty_m": "-5"}, "uncertainty_m", "more than 0"),
        ({"uncertainty_m": "20000001"}, "uncertainty_m", "at most"),
        ({"status": "confirmd"}, "status", "did you mean confirmed"),
        ({"status": "zzz"}, "status", "not one of confirmed, suspected, rejected, unknown"),
        ({"country": "Atlantis"}, "country", "two letters"),
        ({"source_date": "2023-02-30"}, "source_date", "no such date"),
        ({"source_date": "2024-13"}, "source_date", "no such date"),
        ({"source_date": "0000"}, "source_date", "no such date"),
        ({"source_date": "31/03/2024"}, "source_date", "ISO 8601"),
        ({"source_date": "2024-3-1"}, "source_date", "ISO 8601"),
        ({"first_reported": "2024-04", "last_reported": "2024-03"}, "first_reported", "after"),
        ({"source_url": "javascript:alert(1)"}, "source_url", "http://"),
        ({"source_url": "https://a b"}, "source_url", "space"),
        ({"source_url": "www.example.org"}, "source_url", "http://"),
        ({"source_row": "1.5"}, "source_row", "whole number"),
        ({"source_row": "9" * 30}, "source_row", "18 digits"),
        ({"name": "\ud800"}, "name", "surrogate"),
    ],
)
def test_every_fault_is_named(cells, column, words):
    found = only_fault(table(**cells))
    assert found[0] == column
    assert words in found[2]
    if column in cells and cells[column] is not None and column != "name":
        assert found[1] == cells[column]


@pytest.mark.parametrize(
    ("first", "last"),
    [("2024", "2024-03"), ("2024-03-26", "2024-03"), ("2024-03", "2024"), ("2024", "2024")],
)
def test_partial_dates_that_overlap_are_in_order(first, last):
    assert len(validate_sites(table(first_reported=first, last_reported=last))) == 1


@given(
    st.dates(min_value=pd.Timestamp("1000-01-01").date()),
    st.dates(min_value=pd.Timestamp("1000-01-01").date()),
    st.sampled_from([4, 7, 10]),
    st.sampled_from([4, 7, 10]),
)
@settings(max_examples=60, deadline=None)
def test_order_of_dates_agrees_with_intervals(first, last, cut_first, cut_last):
    start = pd.Period(first.isoformat()[:cut_first]).start_time.date()
    end = pd.Period(last.isoformat()[:cut_last]).end_time.date()
    frame = table(
        first_reported=first.isoformat()[:cut_first], last_reported=last.isoformat()[:cut_last]
    )
    if start <= end:
        validate_sites(frame)
    else:
        assert "after" in only_fault(frame)[2]


def test_every_row_of_a_duplicate_id_is_named_with_the_others():
    frame = pd.concat([table(), table(site_id="B"), table(site_id=" A ")])
    assert faults(frame) == [("site_id", "A", "2 rows have this id: 0, 2")] * 2


def test_a_blank_id_among_others_is_a_fault():
    assert "every row needs an id" in only_fault(pd.concat([table(), table(site_id="")]))[2]


def test_all_faults_of_all_rows_come_at_once_by_row_and_column():
    frame = pd.concat(
        [
            table(status="x", latitude="95", longitude="200"),
            table(site_id="B"),
            table(site_id="C", uncertainty_m="-1", source_url="ftp://a"),
        ]
    )
    with pytest.raises(SchemaError) as caught:
        validate_sites(frame)
    problems = caught.value.problems
    assert list(zip(problems["row"], problems["column"], strict=True)) == [
        (0, "latitude"),
        (0, "longitude"),
        (0, "status"),
        (2, "source_url"),
        (2, "uncertainty_m"),
    ]
    message = str(caught.value)
    assert message.startswith("5 problems in 2 of 3 rows")
    assert "2 x out of range" in message
    assert ".problems" in message


def test_faults_name_the_table_s_own_columns_and_its_source_rows():
    frame = table(source_row="42").rename(columns={"latitude": "Lat"}).assign(Lat="95")
    with pytest.raises(SchemaError) as caught:
        validate_sites(frame)
    assert caught.value.problems[["row", "column"]].to_numpy().tolist() == [[42, "Lat"]]


def test_a_long_message_shows_the_first_and_counts_the_rest():
    frame = pd.concat([table(site_id=str(i), status="x" * 500) for i in range(20)])
    with pytest.raises(SchemaError, match="and 15 more") as caught:
        validate_sites(frame)
    assert len(str(caught.value)) < 2_000
    assert len(caught.value.problems) == 20


def test_no_rows_is_an_error():
    with pytest.raises(SchemaError, match="no rows"):
        validate_sites(table().iloc[:0])


def test_no_coordinate_columns_is_an_error_that_says_how_to_name_them():
    with pytest.raises(SchemaError, match="decimalLatitude") as caught:
        validate_sites(table().drop(columns=["latitude", "longitude"]))
    assert "columns=" in str(caught.value)
    with pytest.raises(SchemaError, match="recognised as longitude"):
        validate_sites(table().drop(columns="longitude"))


def test_rows_without_a_location_count_if_they_name_a_place():
    frame = table(latitude="", longitude="")
    assert validate_sites(frame.assign(admin1="Takeo")).geometry.isna().all()
    with pytest.raises(SchemaError, match="No row says where"):
        validate_sites(frame)


def test_something_else_than_a_frame_is_a_type_error():
    with pytest.raises(TypeError, match="list"):
        validate_sites([1])


def test_a_frame_without_crs_is_an_error():
    with pytest.raises(CRSError, match="set_crs"):
        validate_sites(points().set_crs(None, allow_override=True))


def test_a_local_crs_is_an_error():
    local = 'LOCAL_CS["grid",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    with pytest.raises(CRSError, match="cannot be turned"):
        validate_sites(points().set_crs(local, allow_override=True))


def test_another_crs_is_turned_into_degrees():
    sites = validate_sites(points().to_crs("EPSG:32648"))
    assert sites.crs == "EPSG:4326"
    assert sites.geometry.iloc[0].distance(shapely.Point(104.9, 11.5)) < 1e-9


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(104, 11, 105, 12),
        shapely.LineString([(104, 11), (105, 12)]),
        shapely.MultiPoint([(104, 11), (105, 12)]),
    ],
)
def test_anything_but_points_is_an_error_that_says_how_to_make_one(shape):
    frame = pd.concat([points(), points().set_geometry([shape], crs="EPSG:4326")])
    with pytest.raises(GeometryError, match="representative_point") as caught:
        validate_sites(frame)
    assert caught.value.problems["row"].tolist() == [1]


def test_a_multipoint_of_one_and_a_point_with_height_become_points():
    shapes = [shapely.MultiPoint([(104.9, 11.5)]), shapely.Point(104.9, 11.5, 9)]
    frame = pd.concat([points(), points()]).set_geometry(shapes, crs="EPSG:4326")
    assert validate_sites(frame).geometry.to_wkt().tolist() == ["POINT (104.9 11.5)"] * 2


def test_an_empty_geometry_is_missing():
    frame = pd.concat([points(), points()]).set_geometry(
        [shapely.Point(), shapely.Point(104.9, 11.5)], crs="EPSG:4326"
    )
    assert validate_sites(frame).geometry.isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (shapely.Point(11.5, 104.9), "swapped"),
        (shapely.Point(0, 0), "0, 0"),
        (shapely.Point(190, 0.5), "longitude"),
        (shapely.Point(np.inf, 3), "longitude"),
    ],
)
def test_faults_of_points_are_named(point, words):
    found = only_fault(points().set_geometry([point], crs="EPSG:4326"))
    assert found[0] == "geometry"
    assert words in found[2]


def test_a_geometry_by_another_name_is_understood():
    frame = points().rename_geometry("geom")
    assert validate_sites(frame).active_geometry_name == "geometry"
    with pytest.raises(SchemaError, match="'geom' and 'geometry'"):
        validate_sites(frame.assign(geometry="x"))
    with pytest.raises(SchemaError, match="holds no geometries"):
        validate_sites(table(geometry="POINT (1 2)"))
    plain = pd.DataFrame(points())
    assert validate_sites(plain).geometry.notna().all()


def test_coordinate_columns_beside_a_geometry_must_agree():
    assert "latitude" not in validate_sites(points(latitude="11.50001", longitude="104.9"))
    assert "different places" in only_fault(points(latitude="12", longitude="104.9"))[2]
    alone = validate_sites(points(latitude="11.5"))
    assert alone["latitude"].tolist() == ["11.5"]
    empty = points(lat="12", lon="105").set_geometry([None], crs="EPSG:4326")
    assert validate_sites(empty).geometry.iloc[0] == shapely.Point(105, 12)


def test_attrs_are_kept():
    frame = table()
    frame.attrs["note"] = "x"
    assert validate_sites(frame).attrs == {"note": "x"}


def test_row_order_does_not_change_an_answer():
    frame = pd.concat([table(site_id=str(i), latitude=str(10 + i)) for i in range(5)])
    frame = frame.set_axis(range(5))
    turned = validate_sites(frame.iloc[::-1]).sort_index()
    assert_geodataframe_equal(turned, validate_sites(frame))


cell = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(["2024-03", "confirmed", "KH", "town", "11.5", "https://a.b"]),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
)


@given(st.dictionaries(st.sampled_from([c.name for c in SITE_SCHEMA[:-1]]), cell), cell, cell)
@settings(max_examples=150, deadline=None)
def test_any_cells_give_sites_that_pass_unchanged_or_named_problems(cells, latitude, longitude):
    frame = table(**{"latitude": latitude, "longitude": longitude, "locality": "x", **cells})
    try:
        sites = validate_sites(frame)
    except SchemaError as error:
        assert error.problems is None or len(error.problems)  # noqa: PT017 - one of two outcomes
        return
    assert_geodataframe_equal(validate_sites(sites), sites)
