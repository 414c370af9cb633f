"""The parts of the scanner against published examples, other programs and brute force."""

import json

import geopandas as gpd
import h3
import mgrs
import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
from layers._agreeing import agreeing_pairs, agreeing_values, plane_of
from layers._binary_numbers import binary_numbers, integer_pairs
from layers._codes import geohashes, mercator, mgrs_squares, plus_codes, utm, utm_zones
from layers._numbers import array_numbers, plain_bytes, text_numbers
from layers._values import find_values, values_of
from layers.scanner import scan

HEADS = np.ones(1000, dtype=bool)
REGION = (102.4, 107.6, 10.4, 14.6)


def one(value):
    return np.array([float(value)])


def sites_at(*places, **columns):
    lat, lon = zip(*places, strict=True)
    ids = [f"S{i:03d}" for i in range(len(places))]
    points = gpd.points_from_xy(lon, lat)
    return gpd.GeoDataFrame({"site_id": ids, **columns}, geometry=points, crs=4326)


def invented(n, seed, decimals=9):
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(11, 14, n).round(decimals), rng.uniform(103, 106, n).round(decimals)
    return sites_at(*zip(lat.tolist(), lon.tolist(), strict=True))


def numbers_of(text, form):
    found = [n for name, n in text_numbers(plain_bytes(text), HEADS) if name == form]
    return sorted(value for numbers in found for value in numbers.value.tolist())


def found_in(content, sites, **options):
    found = scan(content, against=sites, **options)
    return found[found["rule"].isin(["G10", "G02"])]


# Codes


def test_published_codes_of_places():
    assert geohashes(one(10.40744), one(57.64911), 11) == ["u4pruydqqvj"]
    assert plus_codes(one(103.854503), one(1.286785))[0].startswith("6PH57VP3PR")
    assert plus_codes(one(8.524997), one(47.365590))[0].startswith("8FVC9G8F6X")


@given(st.floats(-180, 179.999), st.floats(-90, 89.999))
@settings(max_examples=60, deadline=None)
def test_codes_lead_back_to_their_place(lon, lat):
    (hashed,), (plus,) = geohashes(one(lon), one(lat)), plus_codes(one(lon), one(lat))
    (read,) = geo.parse_coordinates(hashed, geohash=True)
    assert (read.latitude, read.longitude) == pytest.approx((lat, lon), abs=4e-7)
    (read,) = geo.parse_coordinates(f"{plus[:8]}+{plus[8:]}")
    assert (read.latitude, read.longitude) == pytest.approx((lat, lon), abs=1e-6)


def test_mgrs_is_what_the_reference_software_writes():
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(-180, 180, 500), rng.uniform(-79.9, 83.9, 500)
    zones = utm_zones(lon, lat)
    easting, northing = utm(lon, lat, zones)
    squares = mgrs_squares(easting, northing, zones, lat)
    for row in range(500):
        expected = mgrs.MGRS().toMGRS(lat[row], lon[row]).lstrip("0")
        assert expected[:-10] == squares[row]
        digits = [int(expected[-10:-5]), int(expected[-5:])]
        within = [easting[row] % 1e5, northing[row] % 1e5]
        assert np.allclose(digits, within, rtol=0, atol=1.01)


def test_web_mercator_is_epsg_3857():
    project = pyproj.Transformer.from_crs(4326, 3857, always_xy=True)
    assert np.allclose(
        mercator(one(104.55), one(12.85)), np.array([project.transform(104.55, 12.85)]).T
    )


# Numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.8514, 104.5536", [12.8514, 104.5536]),
        ("[104.5536,12.8514,-7.5]", [7.5, 12.8514, 104.5536]),
        ("12,8514; 104,5536", [12.8514, 104.5536]),
        ("១២.៨៥១៤ ១០៤.៥៥៣៦", [12.8514, 104.5536]),
        ("1.285140e+01 1.045536E2", [1.28514, 12.8514, 104.5536]),
        ("12 . 8514 and 12. 8514", []),
        ("", []),
        ("7", []),
    ],
)
def test_decimal_numbers_of_a_text(text, expected):
    found = numbers_of(text, "decimal degrees")
    assert set(np.round(expected, 9)) <= set(np.round(found, 9))
    assert expected or not found


@pytest.mark.parametrize(
    "text",
    [
        "12°51'05.0\"N",
        "12° 51\u2032 5.0\u2033",
        "12 deg 51' 5.00\" N",
        "N12-51-05.0",
        "12 51 05.0",
        "12:51:05.0",
        "12d51m5.0s",
        "12 degrees 51 minutes 5.0 seconds",
        "N 12° 51.08333",
        "12,51.08333N",
        "1251.08333,N",
        "125105.0N",
        "125105",
        "១២°៥១'០៥.០\"",
    ],
)
def test_degrees_minutes_and_seconds_of_a_text(text):
    expected = 12 + 51 / 60 + 5 / 3600
    found = numbers_of(text, "degrees, minutes, seconds")
    assert min(abs(value - expected) for value in found) < 1e-6


@given(st.integers(0, 179), st.integers(0, 10**9 - 1), st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_every_decimal_number_is_read_as_python_reads_it(whole, fraction, digits):
    text = f"{whole}.{fraction % 10**digits:0{digits}d}"
    ((_, numbers), *_) = text_numbers(plain_bytes(f"x{text}y"), HEADS)
    assert numbers.value.tolist() == pytest.approx([float(text)], abs=1e-12)
    assert numbers.cell[0] == pytest.approx(10.0 ** -len(text.rstrip("0").partition(".")[2]))


@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", ">f4"])
@pytest.mark.parametrize("offset", range(9))
def test_binary_numbers_are_found_at_every_offset(kind, offset):
    data = b"\xaa" * offset + np.array([104.5536, 12.8514], dtype=kind).tobytes() + b"\xaa" * 3
    found = {}
    for _, numbers in binary_numbers(data, [(100.0, 110.0), (10.0, 15.0)]):
        found |= dict(zip(numbers.at.tolist(), numbers.value.tolist(), strict=True))
    size = np.dtype(kind).itemsize
    assert found[offset] == pytest.approx(104.5536, abs=8e-6)
    assert found[offset + size] == pytest.approx(12.8514, abs=8e-6)


@pytest.mark.parametrize("kind", ["<i4", ">i4"])
@pytest.mark.parametrize("scale", [1e5, 1e6, 1e7])
def test_binary_whole_numbers_are_found_in_either_order(kind, scale):
    pair = np.array([round(104.5536 * scale), round(12.8514 * scale)], dtype=kind)
    for values in (pair, pair[::-1]):
        data = b"abc" + values.tobytes() + b"de"
        found = [n.value for _, n in integer_pairs(data, (10.0, 15.0), (100.0, 110.0))]
        assert {12.8514, 104.5536} <= set(np.concatenate(found).round(6))


# Agreement


def brute_pairs(values, units, x, y):
    """Places both of whose coordinates are neighbours among numbers, rounded or cut off."""

    def agrees(true, value, unit):
        return -unit / 2 - 1e-10 <= true - value <= unit + 1e-10

    return sorted(
        k
        for k in range(len(x))
        if any(
            agrees(y[k], values[i], units[i]) and agrees(x[k], values[j], units[j])
            for i in range(len(values))
            for j in (i - 1, i + 1)
            if 0 <= j < len(values)
        )
    )


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(103, 106, 40), rng.uniform(11, 14, 40)
    shown = rng.choice(40, 15, replace=False)
    words = []
    for k in shown:
        pair = [f"{y[k]:.5f}", f"{x[k]:.5f}"]
        words += [*pair[:: rng.choice([-1, 1])], f"{rng.uniform(11, 14):.5f}"]
    ((_, numbers), *_) = text_numbers(plain_bytes(" ".join(words)), HEADS)
    plane = plane_of("degrees", x, y, np.arange(40))
    (found,) = agreeing_pairs(numbers, [plane], reach=200, steps=1, finest=1e-9)
    assert found.tolist() == brute_pairs(numbers.value, numbers.unit, x, y)
    assert set(shown.tolist()) <= set(found.tolist())


def test_numbers_far_apart_are_no_pair():
    plane = plane_of("degrees", one(104.5536), one(12.8514), np.array([0]))
    for gap, expected in ((150, 1), (250, 0)):
        text = f"12.8514{' ' * gap}104.5536"
        ((_, numbers), *_) = text_numbers(plain_bytes(text), HEADS)
        (found,) = agreeing_pairs(numbers, [plane], reach=200, steps=8, finest=1e-6)
        assert len(found) == expected


def test_chance_agreements_of_many_numbers_are_no_findings():
    rng = np.random.default_rng(8)
    x, y = rng.uniform(103, 106, 10_000), rng.uniform(11, 14, 10_000)
    plane = plane_of("degrees", x, y, np.arange(10_000))
    vertices = np.column_stack([rng.uniform(103, 106, 200_000), rng.uniform(11, 14, 200_000)])
    for decimals in (3, 4, 5):
        numbers = array_numbers(vertices.round(decimals))
        (found,) = agreeing_pairs(numbers, [plane], reach=5, steps=1, finest=1e-6)
        assert not len(found)
        assert not len(agreeing_values(numbers, plane, finest=1e-9))


def test_all_places_among_many_numbers_are_findings():
    rng = np.random.default_rng(9)
    x, y = rng.uniform(103, 106, 1000), rng.uniform(11, 14, 1000)
    plane = plane_of("degrees", x, y, np.arange(1000))
    vertices = np.column_stack([rng.uniform(103, 106, 50_000), rng.uniform(11, 14, 50_000)])
    vertices[::50] = np.column_stack([x, y])
    numbers = array_numbers(vertices.round(4))
    (found,) = agreeing_pairs(numbers, [plane], reach=5, steps=1, finest=1e-6)
    assert len(found) == 1000


def test_one_coordinate_alone_counts_if_it_is_exact():
    sites = invented(20, 3)
    south = sites.geometry.y.iloc[4]
    for text, expected in ((f"{south:.8f}", ["S004"]), (f"{south:.3f}", [])):
        found = found_in(f'{{"south": {text}}}'.encode(), sites)
        assert found["site_id"].tolist() == expected


def test_four_bounds_with_four_decimals_count_together():
    sites = invented(20, 5, decimals=4)
    west, south, east, north = sites.total_bounds
    found = found_in(f"map.fitBounds([[{south}, {west}], [{north}, {east}]])".encode(), sites)
    alone = found["form"] == "decimal degrees, one axis"
    at_edge = sites.geometry.x.isin([west, east]) | sites.geometry.y.isin([south, north])
    assert len(set(found["site_id"][alone])) > 1
    assert set(found["site_id"].dropna()) <= set(sites["site_id"][at_edge])
    assert "mean or bounds of all sites" in set(found["form"])


# Values


def test_values_are_found_whatever_their_case_blanks_and_width():
    sites = sites_at((12.85, 104.55), name=["Invented  Yard of Stoung"])
    values = values_of(sites, ["A"], None)
    for text in (
        "in INVENTED yard\nof stoung.",
        "Inven\u00adted \u200byard of Stoung",
        "<b>\uff29nvented Yard of Stoung</b>",
    ):
        assert find_values(text, values) == {0}
    for text in ("reinvented yard of stoung", "invented yard of stoungs", "invented yard"):
        assert find_values(text, values) == set()


def test_telephone_numbers_are_found_in_any_grouping():
    sites = sites_at((12.85, 104.55), phone=["+855 12 345 6789"])
    values = values_of(sites, ["A"], None)
    for text in ("tel:+855123456789", "(855) 12-345-6789", "855.12.345.67.89"):
        assert find_values(f"call {text} now", values) == {0}


def test_telephone_numbers_within_a_sentence_are_sought_by_themselves():
    texts = [
        "Ask for the owner, +855 12 345 678.",
        "or 012-345-999 (nights)",
        "2019-2021: 10000000",
    ]
    sites = sites_at(*[(12.85, 104.55)] * 3, remark=texts)
    values = values_of(sites, ["A", "B", "C"], None)
    owners = {text.decode(): ids for text, ids in zip(values.texts, values.owners, strict=True)}
    assert owners["85512345678"] == [("A", "remark")]
    assert owners["012345999"] == [("B", "remark")]
    assert len(owners) == 5
    assert len(find_values("tel. 855 12 345 678 or 012 345 999", values)) == 2
    assert len(found_in(b"tel. 855 12 345 678", sites)) == 1


def test_many_values_are_those_of_brute_force():
    rng = np.random.default_rng(2)
    words = ["".join(rng.choice(list("abcd"), 7)) for _ in range(400)]
    sites = sites_at(*[(12.0, 104.0)] * 400, remark=words)
    values = values_of(sites, sites["site_id"].tolist(), None)
    text = " ".join("".join(rng.choice(list("abcd"), 7)) for _ in range(4000))
    expected = {word for word in words if word in text.split()}
    assert len(expected) > 10
    assert {values.texts[i].decode() for i in find_values(text, values)} == expected


def test_what_says_nothing_of_a_site_is_no_private_value():
    sites = sites_at(
        *[(12.8514, 104.5536)] * 6,
        name=["Phnom Penh", "special_economic_zone", "2024-05-11", "short", "12345", "Cambodia"],
    )
    page = b"Phnom Penh, special economic zone, 2024-05-11, short, 12345, Cambodia"
    assert not len(found_in(page, sites))


def test_values_in_the_release_are_not_private():
    sites = sites_at((12.8514, 104.5536), (13.1234, 104.9876), name=["Invented A", "Invented B"])
    released = sites.head(1)
    found = found_in(b"Invented A and Invented B", sites, released=released)
    assert found["site_id"].tolist() == ["S001"]
    assert found["form"].tolist() == ["value of 'name'"]


# What may be shown


def test_places_released_exactly_and_vertices_of_areas_are_no_secrets():
    sites = invented(30, 6)
    released = sites.copy()
    areas = released.to_crs(32648).buffer(5000, quad_segs=4).to_crs(4326)
    released.loc[10:, "geometry"] = areas[10:]
    found = found_in(released.to_json().encode(), sites, released=released)
    assert not len(found)
    found = found_in(sites.to_json().encode(), sites, released=released)
    assert set(found["site_id"].dropna()) == set(sites["site_id"][10:])


def test_a_town_of_the_gazetteer_is_public_and_a_place_in_it_is_not():
    towns = geo.load_reference("towns", country="KH")
    lat, lon = towns["latitude"].iloc[40], towns["longitude"].iloc[40]
    sites = sites_at((lat, lon), (round(lat + 0.0011, 6), round(lon - 0.0013, 6)))
    page = sites.to_json() + geohashes(one(lon), one(lat), 9)[0]
    assert set(found_in(page.encode(), sites)["site_id"].dropna()) == {"S001"}


# The table


def test_answers_hold_no_coordinate_and_no_value_and_no_order():
    sites = invented(12, 1).assign(name=[f"Invented yard {i}" for i in range(12)])
    page = sites.to_json().encode()
    found = scan(page, against=sites)
    turned = scan(page, against=sites.iloc[::-1].set_axis(range(12)))
    pd.testing.assert_frame_equal(found, turned)
    assert found.columns.tolist() == ["rule", "site_id", "form", "where"]
    assert not found.duplicated().any()
    told = found.to_csv()
    assert "yard" not in told
    assert not any(f"{value:.2f}" in told for value in sites.geometry.x)


def test_a_folder_is_searched_file_by_file(tmp_path):
    sites = invented(3, 1)
    (tmp_path / "deep").mkdir()
    (tmp_path / "clean.txt").write_text("nothing")
    (tmp_path / "deep" / "leak.csv").write_text(sites.to_wkt().to_csv())
    found = scan(tmp_path, against=sites)
    assert set(found["where"]) == {"deep/leak.csv"}
    assert set(found["site_id"].dropna()) == set(sites["site_id"])


def test_sites_in_another_system_are_the_same_places():
    sites = invented(3, 1)
    found = found_in(sites.to_json().encode(), sites.to_crs(32648))
    assert set(found["site_id"].dropna()) == set(sites["site_id"])


def test_rows_without_a_point_have_no_place_and_may_have_values():
    sites = sites_at((12.8514, 104.5536), (13.1, 104.2), name=["Invented A", "Invented B"])
    sites.loc[1, "geometry"] = None
    found = found_in(b"Invented B 12.8514, 104.5536", sites)
    assert found[["rule", "site_id"]].to_numpy().tolist() == [["G02", "S001"], ["G10", "S000"]]


def test_what_cannot_be_scanned_is_said(tmp_path):
    sites = invented(2, 1)
    with pytest.raises(geo.NotFoundError, match="no file"):
        scan(tmp_path / "none.html", against=sites)
    with pytest.raises(geo.SchemaError, match="site_id"):
        scan(b"", against=sites.drop(columns="site_id"))
    with pytest.raises(geo.CRSError, match="against"):
        scan(b"", against=sites.set_crs(None, allow_override=True))


def test_h3_cells_are_found_from_level_7_on():
    sites = invented(3, 1)
    lat, lon = sites.geometry.y.iloc[1], sites.geometry.x.iloc[1]
    for level in range(5, 16):
        cell = h3.latlng_to_cell(lat, lon, level)
        for text in (cell, cell.upper(), json.dumps({"cell": h3.str_to_int(cell)})):
            found = found_in(text.encode(), sites)
            assert ("S001" in set(found["site_id"])) == (level >= 7)


def test_a_table_without_geometry_is_named():
    with pytest.raises(TypeError, match="`against` is a DataFrame"):
        scan(b"", against=pd.DataFrame({"site_id": ["a"]}))
