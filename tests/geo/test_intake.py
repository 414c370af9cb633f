"""Tables as people keep them: coordinates as text, names alone, contradictions within a row."""

from __future__ import annotations

import csv
import io
import math
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo._provinces import province_codes
from geo.errors import GeoWarning, ReadError, SchemaError
from geo.examples import example_sites
from geo.reading import read_report, read_sites
from geo.reference import load_reference
from geo.schema import DEFAULT_RADIUS_M, validate_sites
from geo.writing import write_sites

GEOD = Geod(ellps="WGS84")


@pytest.fixture
def write(tmp_path):
    def write(text, name="table.csv"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write


def one_column(*texts, country="KH", admin1="", radius=500):
    """Write a table with one column of coordinates as text."""
    stream = io.StringIO(newline="")
    rows = csv.writer(stream)
    rows.writerow(["country", "admin1", "Coordinates", "uncertainty_m"])
    rows.writerows([country, admin1, text, radius] for text in texts)
    return stream.getvalue()


def in_names_mode(file, **options):
    """Read a file that names places only, which has to be said each time."""
    with pytest.warns(GeoWarning, match="located by the names"):
        return read_sites(file, **options)


def problems_of(file, **options):
    with pytest.raises(SchemaError) as caught:
        read_sites(file, **options)
    return caught.value.problems


# --------------------------------------------------------------------------- coordinates as text

POIPET = (13.6582, 102.5637)
NOTATIONS = [
    "13.6582, 102.5637", "13,6582; 102,5637", "13.6582N 102.5637E", "N13.6582° E102.5637°",
    "13°39'29.5\"N 102°33'49.3\"E", "13° 39.492' N, 102° 33.822' E", "N13 39 29.5 E102 33 49.3",
    "POINT (102.5637 13.6582)", "geo:13.6582,102.5637", "48P 236425 1511245", "48PTA3644611249",
    "១៣.៦៥៨២, ១០២.៥៦៣៧", "https://maps.google.com/?q=13.6582,102.5637",
    "https://www.openstreetmap.org/?mlat=13.6582&mlon=102.5637#map=15/13.6/102.5",
]  # fmt: skip


@pytest.mark.parametrize("text", NOTATIONS)
def test_a_column_of_text_in_any_notation_gives_points_and_keeps_the_text(write, text):
    sites = read_sites(write(one_column(text)))
    point = sites.geometry[0]
    assert GEOD.inv(point.x, point.y, *POIPET[::-1])[2] < 25
    assert sites["verbatim_location"].tolist() == [text]
    assert "Coordinates" not in sites
    assert sites["uncertainty_m"].tolist() == [500.0]


def test_a_radius_is_never_less_than_the_notation_tells(write):
    camera = "https://www.google.com/maps/@13.6582,102.5637,12z"
    sites = read_sites(write(one_column("13.6, 102.5", "13.6582, 102.5637", camera)))
    coarse, fine, seen = sites["uncertainty_m"]
    assert coarse == pytest.approx(math.hypot(11_063, 10_826), rel=0.002)  # a tenth of a degree
    assert fine == 500.0
    assert seen > 25_000  # half the diagonal of a screen at zoom 12
    assert sites["location_note"].notna().tolist() == [True, False, True]
    assert "radius widened from 500 m" in sites["location_note"][0]


def test_a_level_for_the_whole_file_is_said_and_never_overrides_a_row(write):
    text = (
        "coords,location_level,uncertainty_m\n"
        '"13.6582, 102.5637",,\n"13.6582, 102.5637",town,\n"13.6582, 102.5637",,80\n,,9\n'
    )
    sites = read_sites(write(text), location_level="compound")
    assert sites["uncertainty_m"].tolist()[:3] == [250.0, 5000.0, 80.0]
    assert sites["location_level"].astype("str").tolist()[1] == "town"
    assert sites["location_level"].astype("str").tolist()[3] == "none"
    report = read_report(sites)
    assumed = report[report["step"] == "assumed"].set_index("detail")["rows"]
    assert assumed["compound, for the whole file"] == "2"
    with pytest.raises(SchemaError, match="location_level='country' implies no radius"):
        read_sites(write(text), location_level="country")
    assert (problems_of(write(text))["row"] == 2).all()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hello", "not a coordinate"), ("13.6582", "not a coordinate"),
        ("tel +855 12 345 678", "not a coordinate"),
        ("13.6582, 102.5637, 14.1", "not a coordinate"), ("=1+1", "not a coordinate"),
        ("<script>alert(1)</script>", "not a coordinate"), ("7M5R+5J", "not a coordinate"),
    ],
)  # fmt: skip
def test_what_is_no_single_place_is_a_problem_of_its_row(write, text, kind):
    problems = problems_of(write(one_column("13.6582, 102.5637", text, country="")))
    assert problems["row"].tolist() == [3]
    assert problems["column"].tolist() == ["Coordinates"]
    assert problems["value"].tolist() == [text]
    assert kind in problems["problem"][0]


def test_the_country_and_then_the_province_choose_between_readings(write):
    # Both orders are places on Earth; one alone is in Cambodia.
    sites = read_sites(write(one_column("103.5, 10.6", "10.6, 103.5")))
    assert sites.geometry.y.tolist() == [10.6, 10.6]
    problems = problems_of(write(one_column("10.63, 20.52", country="")))
    assert "10.63, 20.52" in problems["problem"][0]
    assert "20.52, 10.63" in problems["problem"][0]
    # Both orders are in Myanmar's outline, one in Mon State's.
    text = one_column("16.5 97.6", country="MM", admin1="Mon", radius=20_000)
    assert read_sites(write(text)).geometry.y.tolist() == [16.5]


def test_commas_are_settled_by_the_column_or_shown_with_both_readings(write):
    decided = read_sites(write(one_column("10,627 103,522", "10,62 103,52", radius=5000)))
    assert decided.geometry.y.tolist() == [10.627, 10.62]
    problems = problems_of(write(one_column("10,627 103,522", "10,628 103,523")))
    assert problems["row"].tolist() == [2, 3]
    assert "decimal commas give 10.627, 103.522" in problems["problem"][0]
    assert "10627 103522" in problems["problem"][0]


def test_numbers_stand_before_text_and_text_fills_what_they_leave_blank(write):
    text = (
        "latitude,longitude,coordinates,uncertainty_m\n"
        '13.6,102.5,"1.0, 2.0 E",500\n,,"13.65, 102.56",500\n11.5,104.9,yes,500\n'
    )
    sites = read_sites(write(text))
    assert sites.geometry.y.tolist() == [13.6, 13.65, 11.5]
    assert sites["coordinates"].tolist()[2] == "yes"  # not all of it is kept elsewhere


def test_cells_that_are_no_numbers_are_read_together(write):
    text = (
        "lat;lon;radius_m\n13,6582;102,5637;500\n13°39'29.5\"N;102°33'49.3\"E;500\n"
        '"13,6582; 102,5637";;500\n;;9\n'
    )
    sites = read_sites(write(text))
    assert sites.geometry.y.dropna().round(3).tolist() == [13.658] * 3
    assert sites.geometry.isna().tolist() == [False, False, False, True]


def test_decimal_commas_are_not_mixed_with_decimal_points(write):
    problems = problems_of(write("lat;lon;radius_m\n13,658;102,563;500\n13.658;102.563;500\n"))
    assert problems["row"].tolist() == [2, 2]
    assert "13.658 with a decimal comma, 13658 with a thousands separator" in (
        problems["problem"].tolist()[0] + problems["problem"].tolist()[1]
    )


def test_a_short_plus_code_is_read_near_the_place_named_with_it(write):
    sites = read_sites(write(one_column("HW6X+37 Phnom Penh, Cambodia", radius=30)))
    point = sites.geometry[0]
    assert GEOD.inv(point.x, point.y, 104.916, 11.562)[2] < 40_000
    problems = problems_of(write(one_column("HW6X+37")))
    assert problems["problem"].str.startswith("not a coordinate").all()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.booleans())
def test_any_text_is_read_or_a_named_problem_and_never_lost(write, texts, repair):
    texts = [text.replace("\r", "").replace("\n", "").replace("\0", "") for text in texts]
    texts = ["".join(c for c in text if not "\ud800" <= c <= "\udfff") for text in texts]
    file = write(one_column("13.6582, 102.5637", *texts))
    numbers = set(range(2, len(texts) + 3))
    try:
        sites = read_sites(file, repair=repair)
    except SchemaError as error:
        found = set(error.problems["row"])
        assert found
        assert found <= numbers
    else:
        assert sites["source_row"].tolist() == sorted(numbers)


# ------------------------------------------------------------------------------------ names only


def test_the_shipped_reports_are_located_from_their_names_alone(tmp_path):
    reports = example_sites()
    bare = pd.DataFrame(reports.drop(columns=["geometry", "uncertainty_m", "location_level"]))
    bare = bare.drop(columns=["location_method", "source_file", "source_row"])
    file = tmp_path / "names.csv"
    bare.to_csv(file, index=False)
    located = in_names_mode(file)
    assert len(located) == 97
    found = located.geometry.notna()
    assert found.sum() >= 85
    both = found & reports.geometry.notna()
    for at in np.flatnonzero(both):
        one, other = located.geometry[at], reports.geometry[at]
        gap = GEOD.inv(one.x, one.y, other.x, other.y)[2]
        assert gap <= reports["uncertainty_m"][at], reports["site_id"][at]
    outlines = load_reference("provinces", country="KH").set_index("code").geometry
    for at in np.flatnonzero(found & (reports["country"] == "KH")):
        (code,) = province_codes(reports["admin1"][at], "KH")
        gap = outlines[code].distance(located.geometry[at])
        assert gap < 0.02, reports["site_id"][at]
    reasons = located.loc[~found, "location_note"]
    assert reasons.str.startswith("not located: ").all()
    report = read_report(located)
    assert report.loc[report["step"] == "located", "n_rows"].sum() == found.sum()
    assert report.loc[report["step"] == "not located", "n_rows"].sum() == (~found).sum()


def test_each_row_located_by_name_says_what_it_stands_for(write):
    sites = in_names_mode(
        write(
            "name,country,province,place\nx,KH,Banteay Meanchey,Poi Pet\ny,KH,Kandal,\n"
            "z,KH,Svay Rieng,10 km NW of Bavet\nu,,,ប៉ោយប៉ែត\nv,KH,,Chrey Thum\nw,KH,Pursat,Thma Da\n"
        )
    )
    levels = sites["location_level"].astype("str").tolist()
    assert levels[:4] == ["town", "province", "district", "town"]
    assert sites["location_method"].astype("str").tolist()[:4] == ["assigned"] * 4
    assert sites["verbatim_location"].tolist()[:3] == ["Poi Pet", "Kandal", "10 km NW of Bavet"]
    assert sites["country"][3] == "KH"
    assert sites["admin1"][3] == "Banteay Meanchey"
    assert (sites["uncertainty_m"][:4] >= [5000, 20_000, 9030, 5000]).all()
    assert sites.geometry[4] is None
    assert "ambiguous" in sites["location_note"][4]
    assert "Svay Rieng" in sites["location_note"][4]


def test_a_given_radius_only_ever_grows(write):
    text = "country,place,uncertainty_m\nKH,Poipet,100\nKH,Poipet,90000\n"
    assert in_names_mode(write(text))["uncertainty_m"].tolist() == [7100.0, 90_000.0]


def test_rows_with_coordinate_columns_are_never_located_by_name(write):
    text = "latitude,longitude,uncertainty_m,place\n13.6,102.5,500,Poipet\n,,,Poipet\n"
    sites = read_sites(write(text))
    assert sites.geometry.isna().tolist() == [False, True]
    report = read_report(sites)
    assert report.loc[report["step"] == "not located", "detail"].tolist() == [
        "no coordinate is given"
    ]


@pytest.mark.parametrize("header", ["Lattitude,Longtitude", "latitud,longitud", "Coordinats,x"])
def test_a_misspelt_column_of_coordinates_is_not_taken_for_none(write, header):
    with pytest.raises(SchemaError, match="No column is recognised"):
        read_sites(write(f"{header},place\n13.6,102.5,Poipet\n"))


def test_a_table_without_any_place_is_an_error(write):
    with pytest.raises(SchemaError, match="No column is recognised"):
        read_sites(write("name,country\nx,KH\n"))


# --------------------------------------------------------------------------------------- repairs


def axes(latitude, longitude, *, admin1="", country="KH", radius=500):
    header = "latitude,longitude,country,admin1,uncertainty_m\n"
    return f"{header}{latitude},{longitude},{country},{admin1},{radius}\n"


REPAIRS = [
    (axes("104.92", "11.55"), "swapped", (11.55, 104.92)),
    (axes("104.92", "11.55", country=""), "swapped", (11.55, 104.92)),
    (axes("-11.55", "104.92"), "latitude has the wrong sign", (11.55, 104.92)),
    (axes("11.55", "-104.92"), "longitude has the wrong sign", (11.55, 104.92)),
    (axes("-11.55", "-104.92"), "have the wrong sign", (11.55, 104.92)),
    # Poipet, 13 39 N 102 34 E, typed with the minutes as decimals: that is in Battambang.
    (axes("13.39", "102.34", admin1="Banteay Meanchey", radius=2000), "minutes",
     (13 + 39 / 60, 102 + 34 / 60)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "place"), REPAIRS)
def test_a_repair_is_reported_and_only_applied_when_asked_for(write, text, words, place):
    file = write(text)
    problems = problems_of(file)
    assert len(problems) == 1
    assert words in problems["problem"][0]
    assert "repair=True" in problems["problem"][0]
    sites = read_sites(file, repair=True)
    point = sites.geometry[0]
    assert (point.y, point.x) == pytest.approx(place, abs=1e-9)
    assert sites["location_note"][0].startswith("repaired: ")
    given_texts = text.splitlines()[1].split(",")[:2]
    assert sites["verbatim_location"][0] == ", ".join(given_texts)
    report = read_report(sites)
    assert report.loc[report["step"] == "repaired", "rows"].tolist() == ["2"]


def test_several_corrections_are_shown_and_none_is_applied(write):
    text = axes("13.3930", "102.3345", admin1="Banteay Meanchey")
    for repair in (False, True):
        problems = problems_of(write(text), repair=repair)
        assert "several corrections fit" in problems["problem"][0]
        assert "13.655, 102.557" in problems["problem"][0] or "13.655" in problems["problem"][0]


def test_a_contradiction_without_correction_is_a_problem_or_a_doubt(write):
    problems = problems_of(write(axes("35.0", "139.0")))
    assert problems["problem"].tolist() == ["not in KH: correct the coordinates or the country"]
    sites = read_sites(write(axes("11.55", "104.92", admin1="Kampot")))
    assert sites["location_note"].tolist() == ["doubtful: the point is not in Kampot"]
    report = read_report(sites)
    assert report.loc[report["step"] == "doubtful", "detail"].tolist() == [
        "the point is not in Kampot"
    ]


def test_a_circle_that_reaches_its_province_is_no_contradiction(write):
    sites = read_sites(write(axes("11.55", "104.92", admin1="Kandal", radius=12_000)))
    assert "location_note" not in sites


def test_points_of_feature_files_are_repaired_too(write):
    text = (
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":'
        '{"country":"KH","uncertainty_m":500},"geometry":{"type":"Point","coordinates":'
        "[11.55,104.92]}}]}"
    )
    file = write(text, "points.geojson")
    assert "swapped" in problems_of(file)["problem"][0]
    sites = read_sites(file, repair=True)
    assert (sites.geometry[0].x, sites.geometry[0].y) == (104.92, 11.55)


def test_a_kml_of_my_maps_needs_the_level_of_its_pins_once(write):
    text = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>A</name>'
        "<Point><coordinates>104.92,11.55,0</coordinates></Point></Placemark></Document></kml>"
    )
    file = write(text, "pins.kml")
    assert "location_level=" in problems_of(file)["problem"][0]
    assert read_sites(file, location_level="compound")["uncertainty_m"].tolist() == [250.0]


def test_repaired_sites_survive_writing_and_reading(write, tmp_path):
    sites = read_sites(write(REPAIRS[0][0]), repair=True)
    again = read_sites(write_sites(sites, tmp_path / "again.csv"))
    assert again.geometry.geom_equals(sites.geometry).all()
    assert again["location_note"].tolist() == sites["location_note"].tolist()


def test_a_doubt_is_noted_once_however_often_a_file_is_read(write, tmp_path):
    sites = read_sites(write(axes("11.55", "104.92", admin1="Kampot")))
    again = read_sites(write_sites(sites, tmp_path / "again.csv"))
    assert again["location_note"].tolist() == sites["location_note"].tolist()


# ---------------------------------------------------------------------------------------- report


def test_the_report_accounts_for_every_row_and_column(write):
    text = "ID,Breite,Länge,Level,Extra\na,13.65,102.56,town,1\nb,104.92,11.55,town,2\nc,,,,3\n"
    columns = {"Breite": "latitude", "Länge": "longitude", "Level": "location_level"}
    sites = read_sites(write(text), columns=columns, repair=True)
    report = read_report(sites)
    steps = report.set_index("column")["step"]
    assert steps["ID"] == "recognised"
    assert steps["Breite"] == "mapped"
    assert steps["Extra"] == "kept"
    placed = report[report["step"].isin(["located", "not located"])]
    assert placed["n_rows"].sum() == 3
    assert report.columns.tolist() == ["step", "column", "n_rows", "rows", "detail"]
    with pytest.raises(SchemaError, match="carry no report"):
        read_report(
            validate_sites(
                pd.DataFrame(sites.drop(columns="geometry")).assign(
                    latitude=13.6, longitude=102.5, uncertainty_m=500.0
                )
            )
        )


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("lat,lon,location_level\n11.5,104.9,country\n", "uncertainty_m", "no default radius"),
        ("lat,lon,location_level\n11.5,104.9,none\n", "uncertainty_m", "no default radius"),
        ('coords,radius_m,location_level\n"11.5, 104.9",-5,building\n', "radius_m", "more than 0"),
        ('coords,radius_m\n"11.5, 104.9",nan\n', "radius_m", "not a number"),
        ("place,radius_m\nPoipet,inf\n", "radius_m", "not a number"),
        ("place,location_level\nPoipet,vilage\n", "location_level", "did you mean village"),
        ("place,location_method\nPoipet,guessed\n", "location_method", "measured, assigned"),
        ("place,country\nPoipet,Atlantis\n", "country", "not a country code"),
    ],
)
@pytest.mark.parametrize("level", [None, "town"])
def test_what_is_found_never_hides_what_is_wrong_in_a_cell(write, text, column, words, level):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeoWarning)
        problems = problems_of(write(text), location_level=level)
    told = problems.loc[problems["column"] == column, "problem"]
    assert told.str.contains(words).any(), problems


def test_rows_that_all_stay_without_a_point_are_still_rows(write):
    sites = read_sites(write("place\nNowhereville\nNeverland town\n"))
    assert sites.geometry.isna().all()
    assert sites["location_note"].str.startswith("not located: unknown").all()
    sites = read_sites(write("coordinates,place\n,Poipet\n,Bavet\n"))
    assert sites["locality"].tolist() == ["Poipet", "Bavet"]
    assert sites.geometry.isna().all()


def test_columns_of_one_name_are_an_error_whatever_they_are(write):
    with pytest.raises(SchemaError, match="Several columns are called 'Notes'"):
        read_sites(write("lat,lon,radius_m,Notes,Notes\n11.5,104.9,50,a,b\n"))


def test_half_of_the_coordinates_is_an_error_that_names_the_files_own_columns(write):
    with pytest.raises(SchemaError, match=r"The table has 'lat', 'place'\."):
        read_sites(write("lat,place\n11.5,Poipet\n"))


def test_a_kml_point_of_no_numbers_is_an_error(write):
    text = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>'
        "<Point><coordinates>nan,nan</coordinates></Point></Placemark></Document></kml>"
    )
    with pytest.raises(ReadError, match="finite numbers"):
        read_sites(write(text, "nan.kml"))


def test_plain_tables_are_read_without_a_word(write):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sites = read_sites(write("latitude,longitude,uncertainty_m\n13.65,102.56,500\n"))
    assert "location_note" not in sites
    assert DEFAULT_RADIUS_M["town"] == 5000.0
