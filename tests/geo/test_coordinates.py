"""Coordinates as people write them, and what only looks like one."""

from __future__ import annotations

import math

import pyproj
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geo.coordinates import Reading, parse_column, parse_coordinates
from geo.errors import SchemaError

# One place written in many ways: 10.6275 N, 103.5221 E; seconds 37'39", 31'19.6".
LATITUDE, LONGITUDE = 10.6275, 103.5221
DEGREE_M = 156_904
PLACE = "https://www.google.com/maps/place"

SAME_PLACE = [
    # decimal degrees
    "10.6275, 103.5221",
    "10.6275,103.5221",
    "10.6275;103.5221",
    "10.6275 103.5221",
    "10.6275\t103.5221",
    "10.6275 / 103.5221",
    "10.6275|103.5221",
    "  (10.6275, 103.5221)\n",
    "[10.6275, 103.5221]",
    "+10.6275, +103.5221",
    "10.6275N 103.5221E",
    "10.6275 n, 103.5221 e",
    "N10.6275E103.5221",
    "N 10.6275, E 103.5221",
    "E103.5221 N10.6275",
    "10.6275° N, 103.5221° E",
    "10.6275°, 103.5221°",
    "10.6275 deg N 103.5221 deg E",
    "10.6275 North, 103.5221 East",
    "lat 10.6275 lon 103.5221",
    "Latitude: 10.6275, Longitude: 103.5221",
    "lng=103.5221, lat=10.6275",
    "Long 103.5221 Lat 10.6275",
    "lat/long: 10.6275, 103.5221",
    "lon, lat: 103.5221, 10.6275",
    "GPS: 10.6275, 103.5221",
    "GPS coordinates: 10.6275, 103.5221 (WGS84)",
    '{"lat": 10.6275, "lng": 103.5221}',
    "103.5221, 10.6275",
    # decimal commas
    "10,6275; 103,5221",
    "10,6275, 103,5221",
    "10,6275,103,5221",
    "10,6275 103,5221",
    "10,6275° N, 103,5221° E",
    # minutes and seconds
    "10°37'39\"N 103°31'19.6\"E",
    "10°37'39\"N103°31'19.6\"E",
    "10 deg 37'39\"N 103 deg 31'19.6\"E",
    "N10 37 39 E103 31 19.6",
    "10 37 39 N 103 31 19.6 E",
    "10 37 39, 103 31 19.6",
    "10 37 39.0 103 31 19.6",
    "10:37:39N 103:31:19.6E",
    "10:37:39, 103:31:19.6",
    "10-37-39N 103-31-19.6E",
    "10d37m39s N, 103d31m19.6s E",
    "10d37m39sN103d31m19.6sE",
    "10d37m39s, 103d31m19.6s",
    "10DEG37MIN39SEC N 103DEG31MIN19.6SEC E",
    "10° 37 39 N 103° 31 19.6 E",
    "10º37\u201939”N 103º31\u201919.6”E",
    "10˚37\u203239″N, 103˚31\u203219.6″E",
    "10°37'39''N 103°31'19.6''E",
    "10o37'39\"N 103o31'19.6\"E",
    "10°37'39,0\"N; 103°31'19,6\"E",
    "N 10° 37.650 E 103° 31.326",
    "10°37.65'N 103°31.326'E",
    "10 37.65N 103 31.326E",
    "10 37.65, 103 31.326",
    "10-37.65N 103-31.326E",
    "10d37.65m N 103d31.326m E",
    "10°37,65'N, 103°31,326'E",
    "103739N 1033119.6E",
    "103739.0N1033119.6E",
    "N103739 E1033119.6",
    "1037.650N 10331.326E",
    "1037.6500,N,10331.3260,E",
    "+10.6275+103.5221/",
    "+10.6275+103.5221+012.300/",
    "+103739+1033119.6/",
    # grids
    "48P 338332 1175177",
    "48 P 338332 1175177",
    "48P 0338332 1175177",
    "48N 338332 1175177",
    "48 N 338332mE 1175177mN",
    "UTM zone 48N: 338332 E, 1175177 N",
    "338332E 1175177N 48P",
    "Zone 48 North, Easting: 338332, Northing: 1175177",
    "48PUS3833275177",
    "48P US 38332 75177",
    "48 p us 38332 75177",
    "MGRS: 48PUS3875",
    "48PUS37",
    "7P25JGHC+2R",
    # texts of programs
    "POINT (103.5221 10.6275)",
    "point(103.5221 10.6275)",
    "POINT Z (103.5221 10.6275 12.0)",
    "SRID=4326;POINT(103.5221 10.6275)",
    "geo:10.6275,103.5221",
    "geo:10.6275,103.5221,12;crs=wgs84;u=35",
    "geo:0,0?q=10.6275,103.5221(ភ្នំ)",
    f"{PLACE}/10%C2%B037'39.0%22N+103%C2%B031'19.6%22E/@11.6,104.9,17z",
    f"{PLACE}/X/@11.6,104.9,17z/data=!3m1!4b1!4m4!3m3!8m2!3d10.6275!4d103.5221",
    f"{PLACE}/10.6275,103.5221",
    f"{PLACE}/ភ្នំ/@10.6275,103.5221,17z",
    "https://www.google.com/maps/@10.6275,103.5221,17z",
    "https://www.google.com.kh/maps/@10.6275,103.5221,15.5z/data=!3m1!1e3",
    "https://www.google.com/maps/@10.6275,103.5221,1500m/data=!3m1!1e3",
    "https://www.google.com/maps/search/?api=1&query=10.6275%2C103.5221",
    "https://www.google.com/maps/search/10.6275,+103.5221",
    "http://maps.google.com?q=10.6275,103.5221",
    "https://maps.google.com/maps?q=10.6275%2C103.5221&z=17&hl=en",
    "maps.google.com/?q=loc:10.6275,103.5221(Gate)",
    "https://maps.google.com/?ll=10.6275,103.5221",
    "https://maps.google.com/?ll=10.6275,103.5221&z=15",
    "https://www.openstreetmap.org/?mlat=10.6275&mlon=103.5221#map=15/11.6/104.9",
    "https://www.openstreetmap.org/#map=15/10.6275/103.5221",
    "https://www.openstreetmap.org/way/1#map=15/10.6275/103.5221&layers=N",
    "https://maps.apple.com/?ll=10.6275,103.5221&q=Dropped%20Pin&t=m",
    "https://maps.apple.com/place?coordinate=10.6275,103.5221&name=X",
    # other digits and characters
    "១០.៦២៧៥, ១០៣.៥២២១",
    "១០,៦២៧៥; ១០៣,៥២២១",
    "၁၀.၆၂၇၅, ၁၀၃.၅၂၂၁",
    "".join(
        chr(0x660 + int(c)) if c.isdecimal() else c for c in "10\u066b6275\u060c 103\u066b5221"
    ),
    "１０．６２７５，１０３．５２２１",  # noqa: RUF001 - full-width on purpose
    "10.6275,\u00a0103.5221",
    "\ufeff10.6275\u200b, 103.5221\u200e",
    "10.6275\u2009103.5221",
]

NO_PLACE = [
    # what other readers get wrong in silence
    "7M5R+5J",
    "w1r8q0",
    "10d37m39s",
    # half a coordinate, or more than one
    "",
    "   ",
    "10.6275",
    "10.6275 N",
    "10°37'39\"N",
    "10.6275, 103.5221, 12",
    "10.6275 N, 103.5221",
    "10.6275, 103.5221 E",
    "10.6275 N, 103.5221 N",
    "-10.6275 S, 103.5221 E",
    "N 10.6275 N, 103.5221 E",
    "lat 10.6275 N, lon 103.5221 S",
    "lat 10.6275, 103.5221",
    "10.6275, 103.5221.",
    "near 10.6275, 103.5221",
    "10.6275, 103.5221 Sihanoukville",
    "10.6275-103.5221",
    "10.6275 – 103.5221",  # noqa: RUF001 - a dash between two numbers
    "10.6275 103,5221",
    # out of range
    "90.5, 180.5",
    "103.5, 104.5",
    "10°60'00\"N 103°31'00\"E",
    "10°37'60\"N 103°31'00\"E",
    "10 61.5 N 103 31.3 E",
    "90°00'01\"N 103°31'00\"E",
    "106039N 1033119E",
    "10373N 1033119E",
    "103739 1033119",
    "POINT (103.5 90.5)",
    "POINT EMPTY",
    "POINT (103.5221, 10.6275)",
    "POINT Z (103.5221 10.6275)",
    "SRID=32648;POINT(338332 1175177)",
    "LINESTRING (103 10, 104 11)",
    # grids
    "338332 1175177",
    "48P",
    "48PUS",
    "48P 338332",
    "61P 338332 1175177",
    "00P 338332 1175177",
    "48I 338332 1175177",
    "48C 338332 1175177",
    "48P 1175177 338332",
    "48QUS3833275177",
    "48PAS3833275177",
    "48PUS383327517",
    "48PUS 38332 7517",
    "48PUI3833275177",
    "61PUS3833275177",
    "32XNH1212",
    "7P23JGHC+2",
    "7P23JGH0+2R",
    "7P2A0000+",
    "G+",
    "+",
    "+66",
    # words, numbers of every day
    "Sihanoukville",
    "12 St. 310, Phnom Penh",
    "unknown",
    "N/A",
    "see map",
    "+855 12 345 678",
    "012 345 678",
    "012 34 56 48",
    "+85512345678",
    "2024-03-31",
    "31/12/2024",
    "31.12.2024",
    "2024-03-31T10:30:15",
    "12 05 24 13 30 15",
    "10:30",
    "10:30 11:45",
    "10:30-11:45",
    "10:37:39 20:31:19",
    "10 37 39, 20 31 19.6",
    "10h30m 11h45m",
    "192.168.1.1",
    "10.1.2",
    "v10.1.2",
    "10.1.2, 103.5",
    "1/2",
    "4.5/5",
    "24/7",
    "10 12",
    "10, 103",
    "10,50",
    "$10.50",
    "10.50 USD",
    "1,200.50",
    "1,103.50",
    "1.103,50",
    "1 050,75",
    "1,200 2,500",
    "10.5 x 12.5",
    "#10.5, #103.5",
    "10 #.5, 103 #.5",
    "# #, 10.5 103.5",
    "10.6²\u00b2, 103.5",
    "10½, 103½",
    "50%, 60%",
    "1e1, 1e2",
    "nan, nan",
    "inf, inf",
    # addresses
    "https://maps.app.goo.gl/AbCdEfGh1234",
    "https://goo.gl/maps/AbCdEfGh",
    "https://www.google.com/maps/place/Phnom+Penh",
    "https://www.google.com/maps/dir/10.6,103.5/11.5,104.9/@11.0,104.2,9z",
    "https://www.google.com/maps/@10.6275,103.5221,3a,75y,90h,90t/data=!3m6!1e1",
    "https://www.google.com/search?q=10.6275,103.5221",
    "https://www.google.com.evil.example/maps/@10.6275,103.5221,17z",
    "https://example.org/maps/@10.6275,103.5221,17z",
    "https://example.org/?q=10.6275,103.5221",
    "https://www.google.com/maps/@100.6275,103.5221,17z",
    "https://osm.org/go/4wrCm--",
    "https://[::1/maps/@10.6275,103.5221,17z",
    "geo:10.6275",
    "geo:91,181",
    "geo:10.6275,103.5221;crs=nad27",
    "geo:0,0?q=Phnom+Penh",
]


def distance_m(reading, latitude, longitude):
    return pyproj.Geod(ellps="WGS84").inv(reading.longitude, reading.latitude, longitude, latitude)[
        2
    ]


def only(text, **options):
    readings = parse_coordinates(text, **options)
    assert len(readings) == 1, readings
    return readings[0]


@pytest.mark.parametrize("text", SAME_PLACE)
def test_a_place_is_the_same_in_every_notation(text):
    reading = only(text)
    # Seconds stand for 0.4 m more than the decimals.
    assert distance_m(reading, LATITUDE, LONGITUDE) <= max(reading.precision_m, 2)
    assert parse_coordinates(text, country="KH") == (reading,)
    assert parse_coordinates(text, country="MM") == ()


@pytest.mark.parametrize("text", NO_PLACE)
def test_what_is_no_coordinate_is_not_read(text):
    assert parse_coordinates(text) == ()


def test_letters_before_the_numbers_belong_to_the_number_after_them():
    reading = only("N10 37 39 E103 31 19.6")
    assert reading.latitude == pytest.approx(10 + 37 / 60 + 39 / 3600, abs=1e-12)
    assert reading.longitude == pytest.approx(103 + 31 / 60 + 19.6 / 3600, abs=1e-12)
    assert reading.notation == "degrees, minutes and seconds"


def test_s_after_letters_is_seconds_and_s_after_symbols_is_south():
    assert only("10d37m39s S, 103d31m19s E").latitude < 0
    assert only("10°37'39\"S 103°31'19\"E").latitude < 0
    assert only("10 37 39 S 103 31 19 E").latitude < 0
    for reading in parse_coordinates("10d37m39s 20d31m19s"):
        assert reading.latitude > 0
    # The letters leave it open whether seconds or South is meant.
    assert parse_coordinates("10d37m39S 103d31m19E") == ()


def test_signs_of_every_kind_are_minus_when_they_touch_the_number():
    for minus in "-−–‐‑－":  # noqa: RUF001 - look-alikes on purpose
        reading = only(f"{minus}10.6275, {minus}103.5221")
        assert (reading.latitude, reading.longitude) == (-10.6275, -103.5221)
    assert only("-0°30'00\", -103°30'00\"").latitude == -0.5
    assert only("0°30'S 0°15'W") == Reading(
        -0.5, -0.25, "degrees and minutes", only("0°30'S 0°15'W").precision_m
    )


def test_two_numbers_without_letters_have_both_orders_unless_something_excludes_one():
    both = parse_coordinates("10.63, 20.52")
    assert [(r.latitude, r.longitude) for r in both] == [(10.63, 20.52), (20.52, 10.63)]
    assert [r.notation for r in both] == [
        "decimal degrees, latitude first",
        "decimal degrees, longitude first",
    ]
    assert only("103.5221, 10.6275").notation == "decimal degrees, longitude first"
    assert len(parse_coordinates("10.5, 10.5")) == 1
    assert len(parse_coordinates("10.63N, 20.52E")) == 1
    assert len(parse_coordinates("30 37 39, 40 31 19.6")) == 2


def test_country_takes_readings_away_and_never_adds_any():
    assert [r.latitude for r in parse_coordinates("20.5, 85.2")] == [20.5, 85.2]
    assert parse_coordinates("20.5, 85.2", country="KH") == ()
    assert parse_coordinates("20.5, 85.2", country="IN") == parse_coordinates("20.5, 85.2")
    for country in ("kh", "KHM", "", "Cambodia"):
        with pytest.raises(SchemaError, match="alpha-2"):
            parse_coordinates("10.6, 103.5", country=country)


def test_n_and_s_of_utm_are_bands_and_hemispheres():
    band, hemisphere = parse_coordinates("48S 338000 3800000")
    assert band.notation == "UTM, band S"
    assert band.latitude == pytest.approx(34.3286, abs=1e-4)
    assert hemisphere.notation == "UTM, southern hemisphere"
    assert hemisphere.latitude == pytest.approx(-55.9181, abs=1e-4)
    assert only("48N 338000 500000").notation == "UTM"
    assert only("48N 338000 1175000").notation == "UTM, northern hemisphere"
    # The example of the Wikipedia article on UTM: the CN Tower.
    tower = only("17T 630084 4833438")
    assert (tower.latitude, tower.longitude) == pytest.approx((43.642561, -79.387143), abs=2e-5)


def test_commas_are_decimal_marks_or_separators_as_the_whole_text_requires():
    assert (only("10,62 103,52").latitude, only("10,62 103,52").longitude) == (10.62, 103.52)
    assert only("10,62 103,52").notation.startswith("decimal degrees, decimal comma")
    assert parse_coordinates("10,62,103") == ()
    assert parse_coordinates("10,627 N 103,522 E")[0].latitude == 10.627


# Published table of the point-radius method (Wieczorek et al. 2004): metres, rounded up.
@pytest.mark.parametrize(
    ("latitude", "longitude", "metres"),
    [
        ("0°N", "0°E", 156_904),
        ("0.0N", "0.0E", 15_691),
        ("0.00N", "0.00E", 1_570),
        ("0.000N", "0.000E", 157),
        ("0.0000N", "0.0000E", 16),
        ("30.0N", "0.0E", 14_697),
        ("30.00N", "0.00E", 1_470),
        ("30.000N", "0.000E", 147),
        ("0°0'N", "0°0'E", 2_616),
        ("0°0.0'N", "0°0.0'E", 262),
        ("0°0'0\"N", "0°0'0\"E", 44),
        ("0 0 0 N", "0 0 0 E", 44),
    ],
)
def test_precision_is_the_published_one(latitude, longitude, metres):
    reading = only(f"{latitude} {longitude}")
    # The table itself rounds 1,569.04 to 1,570.
    assert reading.precision_m == pytest.approx(metres, abs=1)
    assert math.ceil(reading.precision_m) in {metres, metres - (metres in {1_570, 14_697, 1_470})}


def test_precision_of_the_published_worked_examples():
    assert only("10.27, -123.60").precision_m == pytest.approx(1556.8, abs=0.1)
    # Half a degree is 77.87 km; the digits say a tenth.
    assert only("10.0, -123.5").precision_m == pytest.approx(77_870 / 5, abs=1)


def test_precision_of_grids_cameras_and_stated_uncertainty():
    assert only("48P 338332 1175177").precision_m == pytest.approx(math.sqrt(2))
    assert only("48P 338332.5 1175177.5").precision_m == pytest.approx(math.sqrt(2) / 10)
    assert only("48PUS38").precision_m == pytest.approx(math.sqrt(2) * 10_000)
    assert only("geo:10.6275,103.5221;u=35").precision_m == 35
    assert only("geo:10.6275,103.5221;u=0").precision_m == pytest.approx(15.56, abs=0.01)
    assert only("7P25JGHC+2R").precision_m == pytest.approx(DEGREE_M * 1.25e-4 / 2, rel=0.02)
    # Zoom 0: the equator on 256 pixels, 156,543 m each.
    camera = only("https://www.google.com/maps/@0.00000,10.00000,10z")
    assert camera.precision_m == pytest.approx(156_543.03 / 1024 * math.hypot(960, 540), rel=1e-6)
    assert "camera" in camera.notation
    assert only("https://www.openstreetmap.org/#map=10/0.00000/10.00000").precision_m == (
        pytest.approx(camera.precision_m)
    )
    link = "https://www.google.com/maps/place/X/@10.6,103.5,9z/data=!3d10.6275!4d103.5221"
    assert only(link).notation == "Google Maps pin"


# Vectors of the Open Location Code specification: south, west, north, east.
@pytest.mark.parametrize(
    ("code", "box"),
    [
        ("7FG49Q00+", (20.35, 2.75, 20.4, 2.8)),
        ("7FG49QCJ+2V", (20.37, 2.782125, 20.370125, 2.78225)),
        ("7FG49QCJ+2VX", (20.3701, 2.78221875, 20.370125, 2.78225)),
        ("7FG49QCJ+2VXGJ", (20.370113, 2.782234375, 20.370114, 2.78223632813)),
        ("8FVC2222+22", (47.0, 8.0, 47.000125, 8.000125)),
        ("4VCPPQGP+Q9", (-41.273125, 174.785875, -41.273, 174.786)),
        ("62G20000+", (0, -180, 1, -179)),
        ("22220000+", (-90, -180, -89, -179)),
        ("22222222+22", (-90.0, -180.0, -89.999875, -179.999875)),
        ("6VGX0000+", (0, 179, 1, 180)),
        ("6FH32222+222", (1, 1, 1.000025, 1.00003125)),
        ("CFX3X2X2+X2", (89.999875, 1, 90, 1.000125)),
        ("84000000+", (30, -140, 50, -120)),
        ("849VGJQF+VX7QR3J", (37.53966912, -122.3750698242, 37.53966916, -122.3750697021)),
        ("849VGJQF+VX7QR3J7QR3J", (37.53966912, -122.3750698242, 37.53966916, -122.3750697021)),
        ("8fwc2345+", (48.0, 6.0, 50.0, 12.0)),
    ],
)
def test_plus_codes_are_the_cells_of_the_specification(code, box):
    reading = only(code)
    if code == "8fwc2345+":  # the specification only calls it valid
        assert box[0] < reading.latitude < box[2]
        return
    south, west, north, east = box
    assert reading.latitude == pytest.approx((south + north) / 2, abs=1e-9)
    assert reading.longitude == pytest.approx((west + east) / 2, abs=1e-9)


@pytest.mark.parametrize(
    ("full", "near", "short"),
    [
        ("9C3W9QCJ+2VX", (51.3701125, -1.217765625), "+2VX"),
        ("9C3W9QCJ+2VX", (51.3708675, -1.217765625), "CJ+2VX"),
        ("9C3W9QCJ+2VX", (51.3701125, -1.218520625), "CJ+2VX"),
        ("9C3W9QCJ+2VX", (51.3852125, -1.217765625), "9QCJ+2VX"),
        ("9C3W9QCJ+2VX", (51.3701125, -1.202665625), "9QCJ+2VX"),
        ("8FRCXGRF+PM", (47.00, 8.55), "XGRF+PM"),
        ("CFX22222+22", (89.6, 0.0), "2222+2222"),
        ("2CXXXXXX+XX", (-81.0, 0.0), "XXXXXX+XX"),
    ],
)
def test_short_plus_codes_are_found_near_their_reference(full, near, short):
    assert parse_coordinates(short) == ()
    if short == "2222+2222":  # digits alone could be anything
        assert parse_coordinates(short, near=near) == ()
        return
    reading, expected = only(short, near=near), only(full)
    assert reading.latitude == pytest.approx(expected.latitude, abs=1e-9)
    assert reading.longitude == pytest.approx(expected.longitude, abs=1e-9)
    assert reading.notation == "short Plus Code"


@pytest.mark.parametrize("near", [(91, 0), (0, 181), (math.nan, 0)])
def test_a_reference_place_must_be_a_place(near):
    with pytest.raises(SchemaError, match="latitude"):
        parse_coordinates("9QCJ+2VX", near=near)


def test_geohash_is_read_only_where_it_is_declared():
    # The example of the Wikipedia article on geohashes.
    reading = only("ezs42", geohash=True)
    assert (reading.latitude, reading.longitude) == pytest.approx((42.605, -5.603), abs=1e-3)
    assert reading.precision_m == pytest.approx(0.5 * math.hypot(4_882, 3_602), rel=0.01)
    assert parse_coordinates("ezs42") == ()
    assert only("w1r8q0", geohash=True).notation == "geohash"
    for text in ("w1r8q0a", "10.6275, 103.5221", "", "w1r8q0w1r8q0w"):
        assert parse_coordinates(text, geohash=True) == ()


def test_mgrs_agrees_with_the_reference_software():
    mgrs = pytest.importorskip("mgrs").MGRS()
    for latitude, longitude in [
        (10.6275, 103.5221), (-33.86, 151.21), (60.39, 5.32), (78.22, 15.65), (0.001, -0.001),
        (-0.001, 179.99), (-79.9, -179.9), (71.999, 100.001), (83.9, -40.0), (8.0001, 102.0001),
    ]:  # fmt: skip
        for digits in range(1, 6):
            reading = only(mgrs.toMGRS(latitude, longitude, MGRSPrecision=digits))
            grid_m = 10 ** (5 - digits)
            # The centre of the cell; its corners are at half the diagonal.
            assert distance_m(reading, latitude, longitude) <= 0.71 * grid_m * 1.001
            assert reading.precision_m == pytest.approx(math.sqrt(2) * grid_m)


def dms(value, letters, decimals, pattern):
    unit = 10**decimals
    total = round(abs(value) * 3600 * unit)
    minutes, seconds = divmod(total, 60 * unit)
    degrees, minutes = divmod(minutes, 60)
    whole, part = divmod(seconds, unit)
    text = f"{whole:02d}" + (f".{part:0{decimals}d}" if decimals else "")
    return pattern.format(d=degrees, m=minutes, s=text, l=letters[value < 0])


def ddm(value, letters, decimals, pattern):
    unit = 10**decimals
    degrees, minutes = divmod(round(abs(value) * 60 * unit), 60 * unit)
    whole, part = divmod(minutes, unit)
    text = f"{whole:02d}" + (f".{part:0{decimals}d}" if decimals else "")
    return pattern.format(d=degrees, m=text, l=letters[value < 0])


DMS = ["{d}°{m:02d}'{s}\"{l}", "{l}{d} {m} {s}", "{d}d{m}m{s}s {l}", "{d}:{m}:{s}{l}"]
DDM = ["{d}°{m}'{l}", "{l} {d}° {m}", "{d}-{m}{l}", "{l}{d} {m}"]
latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)


@given(latitudes, longitudes, st.integers(0, 8), st.sampled_from(["; ", " ", ", ", "\t"]))
def test_decimal_degrees_come_back_within_their_precision(latitude, longitude, decimals, between):
    texts = [
        between.join(
            f"{abs(value):.{decimals}f}°{letters[value < 0]}"
            for value, letters in ((latitude, "NS"), (longitude, "EW"))
        ),
        f"lon {longitude:.{decimals}f}{between}lat {latitude:.{decimals}f}",
        f"POINT ({longitude:.{decimals}f} {latitude:.{decimals}f})",
        f"geo:{latitude:.{decimals}f},{longitude:.{decimals}f}",
    ]
    if decimals:
        texts.append(f"{latitude:.{decimals}f}{between}{longitude:.{decimals}f}")
    if decimals and between != ", ":
        texts.append(texts[0].replace(".", ","))
    for text in texts:
        readings = parse_coordinates(text)
        assert any(distance_m(r, latitude, longitude) <= r.precision_m for r in readings), text


@given(latitudes, longitudes, st.integers(0, 4), st.data())
def test_minutes_and_seconds_come_back_within_their_precision(latitude, longitude, decimals, data):
    write, patterns = data.draw(st.sampled_from([(dms, DMS), (ddm, DDM)]))
    pattern = data.draw(st.sampled_from(patterns))
    between = data.draw(st.sampled_from([" ", ", ", "; "]))
    text = write(latitude, "NS", decimals, pattern) + between
    text += write(longitude, "EW", decimals, pattern)
    if data.draw(st.booleans()):
        text = text.translate({ord("0") + i: chr(0x17E0 + i) for i in range(10)})
    reading = only(text)
    assert distance_m(reading, latitude, longitude) <= reading.precision_m, text


@given(st.floats(-79.9, 83.9), st.floats(-179.999, 179.999), st.integers(1, 5))
def test_grids_come_back_within_their_precision(latitude, longitude, digits):
    zone = int((longitude + 180) // 6) + 1
    band = (
        "CDEFGHJKLM"[int(latitude // 8) + 10] if latitude < 0 else "NPQRSTUVWXX"[int(latitude // 8)]
    )
    projection = pyproj.Proj(proj="utm", zone=zone, south=latitude < 0, ellps="WGS84")
    easting, northing = projection(longitude, latitude)
    # S is a hemisphere as well, N only where both are the same place.
    readings = parse_coordinates(f"{zone}{band} {easting:.0f} {northing:.0f}")
    assert len(readings) == 1 or band == "S"
    assert any(distance_m(r, latitude, longitude) <= r.precision_m for r in readings)
    mgrs = pytest.importorskip("mgrs").MGRS()
    # Within a decimetre south of the equator that software names a cell of the north.
    assume(not -1e-6 < latitude < 0)
    reading = only(mgrs.toMGRS(latitude, longitude, MGRSPrecision=digits))
    assert distance_m(reading, latitude, longitude) <= reading.precision_m


SOUP = st.text(st.sampled_from("0123456789.,;:/-+'\" °NSEWdmsxPU!@#()\u200b១\u2032"), max_size=60)


@given(st.one_of(st.text(), SOUP, st.text(st.sampled_from("0159.,- NE'\""), max_size=40)))
@example("geo:1,1?" + "a=1&" * 500)
@example("https://www.google.com/maps?" + "a=1&" * 500)
@example("\ud800")
@example("1" * 4000)
def test_any_text_is_read_without_failing_and_only_to_places_on_earth(text):
    near = (11.5, 104.9)
    for readings in (parse_coordinates(text), parse_coordinates(text, near=near, geohash=True)):
        for reading in readings:
            assert abs(reading.latitude) <= 90
            assert abs(reading.longitude) <= 180
            assert reading.precision_m > 0
    assert parse_coordinates(f"x{text}, 10.5") == ()


@given(SOUP)
def test_commas_as_decimal_marks_and_as_separators_never_compete(text):
    readings = parse_coordinates(text)
    assert len({"decimal comma" in r.notation for r in readings}) <= 1


@pytest.mark.parametrize(
    "unit",
    ["1", " ", "'", '"', "1 ", "1'", "1,", "1.", "-1", "(", "N", "1N", "°", "!3d1!4d", "&map=1/1"],
)
@pytest.mark.parametrize("frame", ["{}", "10.6275{}103.5221", "https://maps.google.com/{}x"])
def test_long_texts_come_to_an_end(unit, frame):
    # A pattern that backtracks without end would never come back from here.
    for times in (90, 1000):
        assert len(parse_coordinates(frame.format(unit * times))) <= 2
    assert parse_coordinates(frame.format(unit * 100_000)) == ()


def test_a_column_settles_the_order_of_its_axes():
    cells = ["103.5221, 10.6275", None, "85.3, 20.1", "10°N 103°E", "", "nothing"]
    column = parse_column(cells)
    assert [len(readings) for readings in column] == [1, 0, 1, 1, 0, 0]
    assert (column[2][0].latitude, column[2][0].longitude) == (20.1, 85.3)
    # Letters say nothing on cells without letters, and a divided column nothing at all.
    assert len(parse_column(["10.5°N 103.5°E", "20.1, 85.3"])[1]) == 2
    assert len(parse_column(["103.5, 10.6", "10.6, 103.5", "20.1, 85.3"])[2]) == 2


def test_a_column_settles_what_a_comma_before_three_digits_is():
    doubtful = "10,627 103,522"
    assert parse_coordinates(doubtful) == ()
    settled = parse_column([doubtful, "10,62 103,52"])
    assert (settled[0][0].latitude, settled[0][0].longitude) == (10.627, 103.522)
    assert parse_column([doubtful, "10.62 103.52"])[0] == ()
    assert parse_column([doubtful, "10.62 103.52", "10,62 103,52"])[0] == ()
    with pytest.raises(SchemaError, match="decimal comma or separates thousands") as caught:
        parse_column(["48PUS38", doubtful, "10,628; 103,523"])
    assert caught.value.problems["row"].tolist() == [1, 2]
    assert "10.627, 103.522" in caught.value.problems["problem"][0]
    assert "10627 103522" in caught.value.problems["problem"][0]
    # A country that excludes the place leaves nothing to doubt.
    assert parse_column(["1,200 2,500"], country="KH") == [()]


def test_a_column_reads_a_cell_as_it_is_read_alone():
    cells = [*SAME_PLACE, *NO_PLACE]
    column = parse_column([c for c in cells if c != "1,200 2,500"])
    assert column == [parse_coordinates(c) for c in cells if c != "1,200 2,500"]


def test_a_hundred_thousand_mixed_cells_are_read_one_by_one():
    frames = [
        "10.{0:06d}, 103.{1:06d}", "10°37'{2}.{0}\"N 103°31'{2}.{1}\"E", "48P 338{3} 1175{3}",
        "48PUS38{3}75{3}", "POINT (103.{1} 10.{0})", "N10 37.{0} E103 31.{1}",
        "https://www.google.com/maps/place/X/@10.{0},103.{1},17z/data=!3d10.{0}!4d103.{1}",
        "10,{0}; 103,{1}", "Village no. {0}", "geo:10.{0},103.{1}",
    ]  # fmt: skip
    cells = [
        frames[i % 10].format(i + 100_000, 999_999 - i, i % 50 + 10, i % 900 + 100)
        for i in range(100_000)
    ]
    column = parse_column(cells, country="KH")
    assert sum(len(readings) == 1 for readings in column) >= 80_000
    for i in range(0, 100_000, 97):
        assert column[i] == parse_coordinates(cells[i], country="KH")
