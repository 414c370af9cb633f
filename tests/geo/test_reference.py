import hashlib
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from geo.areal import assign_areas
from geo.errors import NotFoundError
from geo.examples import example_sites
from geo.proximity import distance_to
from geo.reference import load_reference

ROOT = Path(__file__).parents[2]
DATA = ROOT / "geo" / "data"
SAMPLES = ROOT / "tests" / "reference"
COD_AB = ROOT.parent / "shared" / "data" / "khm_adm1_cod_ab_2018.gpkg"
LAYERS = ["provinces", "districts", "countries", "land_border", "coastline", "water", "towns"]
NEIGHBOURS = {"LA": 17, "MM": 14, "TH": 77, "VN": 63}
UTM_48N = "EPSG:32648"
WORLD_EQUAL_AREA = "EPSG:8857"

needs_cod_ab = pytest.mark.skipif(
    not COD_AB.exists(), reason="the whole official boundaries are not here; a sample is tested"
)


@pytest.fixture(scope="module")
def provinces():
    return load_reference("provinces")


@pytest.fixture(scope="module")
def border():
    return load_reference("land_border")


def shipped_files():
    return sorted(path for path in DATA.iterdir() if path.suffix in {".parquet", ".csv", ".gz"})


def town(name):
    towns = load_reference("towns", country="KH")
    return towns.loc[towns["name"] == name].sort_values("population").geometry.iloc[-1]


def at(lon, lat):
    return gpd.GeoDataFrame(geometry=[shapely.Point(lon, lat)], crs="EPSG:4326")


# The files


def test_sources_lists_the_sha256_and_size_of_every_shipped_file():
    text = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    listed = re.findall(r"\| `([^`]+)` \| ([\d,]+) \| ([0-9a-f]{64}) \|", text)
    actual = [
        (path.name, f"{path.stat().st_size:,}", hashlib.sha256(path.read_bytes()).hexdigest())
        for path in shipped_files()
    ]
    assert sorted(listed) == actual


def test_sources_names_licence_and_rows_of_every_shipped_file():
    text = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    table = text.partition("## What each file is")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.split("|")] for line in table.splitlines() if "`" in line
    ]
    described = {cells[1].strip("`"): cells for cells in rows if cells[0] == ""}
    assert sorted(described) == [path.name for path in shipped_files()]
    for path in shipped_files():
        cells = described[path.name]
        read = gpd.read_parquet if path.suffix == ".parquet" else pd.read_csv
        assert int(cells[2].replace(",", "")) == len(read(path))
        assert re.search("CC BY 4.0|public domain|as above", cells[4])


def test_sources_gives_every_attribution_as_it_is_printed():
    text = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    listed = text.partition("Attribution, to be printed")[2].partition("\n\nCC BY")[0]
    printed = {example_sites().attrs["attribution"]}
    for layer in LAYERS:
        printed |= set(load_reference(layer).attrs["attribution"].split("; "))
    assert len(printed) == 6
    for credit in printed:
        assert re.search(rf"^\d\. {re.escape(credit)}( \(.*\))?$", listed, re.MULTILINE), credit


def test_sources_names_every_report_that_links_to_a_test_or_staging_host():
    text = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    reports = pd.read_csv(DATA / "reported_sites.csv", dtype="str")
    host = reports["source_url"].str.extract(r"^https?://([^/]+)")[0]
    doubtful = host.str.match(r"(?:test|staging|uat|dev|stage|preview|beta)[.-]").fillna(
        value=False
    )
    assert doubtful.sum() == 5
    for report, name in zip(reports.loc[doubtful, "report_id"], host[doubtful], strict=True):
        assert report in text
        assert name in text


def test_the_shipped_data_is_under_two_megabytes():
    files = [path for path in DATA.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(path.stat().st_size for path in files) < 2_000_000


# Every layer


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_valid_as_it_is_and_projected(layer):
    frame = load_reference(layer)
    assert frame.crs == "EPSG:4326"
    assert len(frame)
    assert frame.geometry.notna().all()
    assert frame.is_valid.all()
    # UTM 48N is no plane for countries 40 degrees away from its meridian.
    assert frame.to_crs(WORLD_EQUAL_AREA if layer == "countries" else UTM_48N).is_valid.all()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_carries_its_name_and_attribution(layer):
    frame = load_reference(layer)
    assert frame.attrs["layer"] == layer
    assert re.search("Natural Earth|GeoNames|OpenStreetMap", frame.attrs["attribution"])


@pytest.mark.parametrize("layer", ["provinces", "districts", "countries", "coastline"])
def test_the_change_to_the_cambodian_outlines_is_stated(layer):
    text = load_reference(layer).attrs["attribution"]
    assert "geoBoundaries (Runfola et al. 2020), source Open Development Cambodia" in text
    assert "CC BY 4.0, modified: simplified, gaps filled, recoded" in text


def test_openstreetmap_is_named_where_it_is_used_and_nowhere_else():
    named = [
        layer for layer in LAYERS if "© OpenStreetMap" in load_reference(layer).attrs["attribution"]
    ]
    assert named == ["land_border"]


@pytest.mark.parametrize("layer", LAYERS)
def test_each_call_returns_a_copy_of_its_own(layer):
    first = load_reference(layer)
    first["note"] = "mine"
    first.iloc[0, 0] = None
    first.attrs["attribution"] = "mine"
    second = load_reference(layer)
    assert "note" not in second
    assert second.iloc[0, 0] is not None
    assert second.attrs["attribution"] != "mine"


def test_an_unknown_layer_is_answered_with_the_layers_there_are():
    with pytest.raises(NotFoundError, match="provinces, districts, countries, land_border"):
        load_reference("communes")


@pytest.mark.parametrize(
    ("layer", "country", "there"),
    [
        ("provinces", "CN", "KH, LA, MM, TH, VN"),
        ("provinces", "KHM", "KH, LA, MM, TH, VN"),
        ("provinces", "", "KH, LA, MM, TH, VN"),
        ("provinces", 855, "KH, LA, MM, TH, VN"),
        ("districts", "TH", "KH"),
        ("towns", "PH", "KH, LA, MM, TH, VN"),
        ("land_border", "PH", "BD, CN, IN, KH, LA, MM, MY, TH, VN"),
    ],
)
def test_an_unknown_country_is_answered_with_those_there_are(layer, country, there):
    with pytest.raises(NotFoundError, match=there):
        load_reference(layer, country=country)


@pytest.mark.parametrize("written", ["kh", "Kh", " KH "])
@pytest.mark.parametrize("layer", ["provinces", "districts", "countries", "land_border", "towns"])
def test_a_country_is_found_in_any_case_and_with_the_same_credits(layer, written):
    meant = load_reference(layer, country="KH")
    found = load_reference(layer, country=written)
    assert found.attrs == meant.attrs
    pd.testing.assert_frame_equal(found, meant)


@pytest.mark.parametrize("layer", ["water", "coastline"])
def test_a_layer_without_countries_says_so(layer):
    with pytest.raises(NotFoundError, match="not divided by country"):
        load_reference(layer, country="KH")


# Provinces and districts


def test_cambodia_has_25_provinces_with_official_codes(provinces):
    assert provinces["code"].tolist() == [f"KH{n:02}" for n in range(1, 26)]
    assert (provinces["country"] == "KH").all()
    assert provinces["name"].is_unique
    assert provinces["name_km"].notna().all()


def test_cambodia_has_208_districts_each_in_its_province(provinces):
    districts = load_reference("districts")
    assert len(districts) == 208
    assert districts["code"].is_unique
    assert (districts["code"].str[:4] == districts["province_code"]).all()
    names = provinces.set_index("code")["name"]
    assert (districts["province_code"].map(names) == districts["province"]).all()


@pytest.mark.parametrize("layer", ["provinces", "districts"])
def test_areas_of_cambodia_are_a_coverage(layer):
    assert shapely.coverage_is_valid(load_reference(layer).geometry.to_numpy())


def test_a_province_is_the_union_of_its_districts(provinces):
    districts = load_reference("districts")
    for code, outline in zip(provinces["code"], provinces.geometry, strict=True):
        parts = districts.geometry[districts["province_code"] == code].to_numpy()
        assert shapely.equals(shapely.coverage_union_all(parts), outline)


@pytest.mark.parametrize(("country", "count"), NEIGHBOURS.items())
def test_a_neighbours_provinces_are_a_coverage_with_codes_and_names(country, count):
    provinces = load_reference("provinces", country=country)
    assert len(provinces) == count
    assert provinces["code"].is_unique
    assert provinces["code"].str.startswith(f"{country}-").all()
    assert provinces["name"].is_unique
    assert provinces.is_valid.all()
    assert provinces.to_crs(UTM_48N).is_valid.all()
    assert shapely.coverage_is_valid(provinces.geometry.to_numpy())
    assert "Natural Earth" in provinces.attrs["attribution"]


@pytest.mark.parametrize(
    ("place", "province"),
    [
        (shapely.Point(104.92, 11.55), "Phnom Penh"),
        ("Suong", "Tboung Khmum"),
        ("Anlong Veaeng", "Oddar Meanchey"),
        ("Ta Khmau", "Kandal"),
        ("Bavet", "Svay Rieng"),
        ("Paoy Paet", "Banteay Meanchey"),
        ("Koh Kong", "Koh Kong"),
        ("Pailin", "Pailin"),
        ("Sihanoukville", "Preah Sihanouk"),
    ],
)
def test_a_town_lies_in_its_province(provinces, place, province):
    point = town(place) if isinstance(place, str) else place
    assert provinces.loc[provinces.contains(point), "name"].tolist() == [province]


def official_sample(name):
    """Read a sample of the official boundaries; its head says whose they are."""
    table = pd.read_csv(SAMPLES / name, comment="#")
    points = gpd.points_from_xy(table["longitude"], table["latitude"])
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326")


def test_sampled_places_get_their_official_province(provinces):
    places = official_sample("official_provinces.csv")
    assert len(places) == 2_000
    assert places["province"].nunique() == 25
    ours = assign_areas(places, provinces, name="code")
    right = ours["area"] == places["province"]
    assert (right & (ours["how"] == "within")).mean() >= 0.985
    assert right.mean() >= 0.99
    by_province = right.groupby(places["province"]).mean()
    assert by_province.min() >= 0.95


def test_the_outer_edge_is_as_far_from_the_official_one_as_documented(provinces):
    places = official_sample("official_land_border.csv")
    edge = gpd.GeoSeries([provinces.union_all().boundary], crs="EPSG:4326")
    off_m = distance_to(places, edge)["distance_m"]
    assert np.median(off_m) == pytest.approx(700, abs=50)
    assert np.quantile(off_m, 0.9) == pytest.approx(2_700, abs=50)
    assert off_m.max() <= 4_400
    text = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    assert "a median of 0.7 km off, 90 % within 2.7 km, at worst 4.4 km" in " ".join(text.split())
    words = " ".join(load_reference.__doc__.split())
    assert "their outer edge is off by a median of 0.7 km and by 4.4 km at worst" in words


@needs_cod_ab
def test_the_samples_are_those_of_the_official_boundaries():
    official = gpd.read_file(COD_AB)
    official["geometry"] = official.make_valid()
    places = official_sample("official_provinces.csv")
    truth = assign_areas(places, official, name="ADM1_PCODE")
    assert (truth["how"] == "within").all()
    assert (truth["area"] == places["province"]).all()
    outline = official.to_crs(UTM_48N).union_all().boundary
    on_it = official_sample("official_land_border.csv").to_crs(UTM_48N)
    assert on_it.distance(outline).max() < 2  # five decimals of a degree


@needs_cod_ab
def test_25_000_random_points_get_their_official_province(provinces):
    official = gpd.read_file(COD_AB)
    official["geometry"] = official.make_valid()
    west, south, east, north = official.total_bounds
    rng = np.random.default_rng(20250701)
    lon = rng.uniform(west, east, 60_000)
    lat = np.degrees(np.arcsin(rng.uniform(*np.sin(np.radians([south, north])), 60_000)))
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    truth = assign_areas(points, official, name="ADM1_PCODE")
    inside = np.flatnonzero(truth["how"] == "within")[:25_000]
    assert len(inside) == 25_000
    ours = assign_areas(points.iloc[inside], provinces, name="code")
    right = ours["area"] == truth["area"].iloc[inside]
    assert (right & (ours["how"] == "within")).mean() >= 0.985
    assert right.mean() >= 0.99


def test_every_corner_of_a_sampled_commune_lies_within_its_circle():
    corners = pd.read_csv(SAMPLES / "commune_corners.csv", comment="#")
    circles = pd.read_csv(DATA / "communes.csv.gz").set_index("code")
    assert corners["code"].unique().tolist() == circles.index[::25].tolist()
    at = circles.loc[corners["code"]].reset_index(drop=True)
    _, _, reach = Geod(ellps="WGS84").inv(
        at["longitude"], at["latitude"], corners["longitude"], corners["latitude"]
    )
    # 500 m for what the outline lost when it was simplified; rounding of the sample: 0.1 m
    assert (reach + 500 <= at["radius_m"] + 0.1).all()
    farthest = pd.Series(reach).groupby(corners["code"]).max()
    # and no wider than that: the radius is the farthest corner's, rounded up to 10 m
    assert (circles.loc[farthest.index, "radius_m"] - 500 - farthest <= 10.1).all()


# Countries and coast


def test_all_countries_together_are_a_coverage_without_holes():
    countries = load_reference("countries").geometry.to_numpy()
    assert shapely.coverage_is_valid(countries)
    land = shapely.coverage_union_all(countries)
    assert sum(len(part.interiors) for part in shapely.get_parts(land)) == 0


@pytest.mark.parametrize("country", ["KH", *NEIGHBOURS])
def test_a_country_is_the_union_of_its_provinces(country):
    provinces = load_reference("provinces", country=country).geometry.to_numpy()
    outline = load_reference("countries", country=country).geometry.iloc[0]
    union = shapely.coverage_union_all(provinces)
    # Common corners with the countries around may lie up to a grid step off the edge.
    assert shapely.hausdorff_distance(union, outline) < 1e-6


def test_country_codes_are_those_of_capitals():
    countries = load_reference("countries")
    capitals = {
        "KH": (104.92, 11.55), "LA": (102.6, 17.97), "MM": (96.13, 19.75), "TH": (100.5, 13.75),
        "VN": (105.85, 21.03), "CN": (116.4, 39.9), "MY": (101.69, 3.14), "PH": (121.0, 14.6),
        "TL": (125.57, -8.58), "ID": (106.83, -6.25), "IN": (77.2, 28.6), "BD": (90.4, 23.7),
        "TW": (121.5, 25.0), "JP": (139.5, 35.7), "KR": (127.0, 37.5), "KP": (125.75, 39.0),
        "NP": (85.3, 27.7), "BT": (89.6, 27.5), "LK": (80.0, 6.9), "MN": (106.9, 47.9),
        "SG": (103.82, 1.36), "BN": (114.9, 4.85), "PK": (73.1, 33.7), "AF": (69.2, 34.5),
    }  # fmt: skip
    for code, (lon, lat) in capitals.items():
        found = countries.loc[countries.contains(shapely.Point(lon, lat)), "country"]
        assert found.tolist() == [code]


def test_the_coastline_bounds_land_on_one_side_only():
    coast = load_reference("coastline")
    assert sorted(coast["scale"]) == ["1:10m", "1:50m"]
    lines = coast.geometry.to_numpy()
    box = shapely.box(60, -15, 150, 55).boundary
    assert shapely.length(shapely.intersection(lines, box)).sum() == 0
    land = shapely.coverage_union_all(load_reference("countries").geometry.to_numpy())
    edge = shapely.length(shapely.difference(land.boundary, box))
    assert shapely.length(lines).sum() == pytest.approx(edge)


def test_landlocked_countries_have_no_coast():
    coast = load_reference("coastline").union_all()
    laos = load_reference("countries", country="LA").geometry.iloc[0]
    assert shapely.intersection(coast, laos).length == 0


# The land border


def test_the_land_border_has_one_row_for_each_two_neighbours(border):
    pairs = set(zip(border["country_a"], border["country_b"], strict=True))
    assert pairs == {
        ("BD", "MM"), ("CN", "LA"), ("CN", "MM"), ("CN", "VN"), ("IN", "MM"), ("KH", "LA"),
        ("KH", "TH"), ("KH", "VN"), ("LA", "MM"), ("LA", "TH"), ("LA", "VN"), ("MM", "TH"),
        ("MY", "TH"),
    }  # fmt: skip
    assert len(border) == len(pairs)
    assert (border["country_a"] < border["country_b"]).all()
    assert (border.geom_type == "MultiLineString").all()


def test_cambodia_has_three_land_borders():
    names = load_reference("land_border", country="KH")["name"].tolist()
    assert names == ["Cambodia\u2013Laos", "Cambodia\u2013Thailand", "Cambodia\u2013Vietnam"]


@pytest.mark.parametrize(
    ("a", "b", "published_km"),
    [
        # CIA World Factbook, "Land boundaries"
        ("KH", "LA", 555), ("KH", "TH", 817), ("KH", "VN", 1158), ("LA", "VN", 2161),
        ("LA", "TH", 1845), ("LA", "MM", 238), ("CN", "LA", 475), ("CN", "VN", 1297),
        ("CN", "MM", 2129), ("MM", "TH", 2416), ("MY", "TH", 595), ("IN", "MM", 1468),
        ("BD", "MM", 271),
    ],
)  # fmt: skip
def test_a_land_border_is_as_long_as_published(border, a, b, published_km):
    row = border[(border["country_a"] == a) & (border["country_b"] == b)]
    length_km = Geod(ellps="WGS84").geometry_length(row.geometry.iloc[0]) / 1000
    # Rivers and ridges have no one length; a border drawn out to sea is off by more.
    assert length_km == pytest.approx(published_km, rel=0.07)


@pytest.mark.parametrize(
    ("lon", "lat", "distance_m"),
    [
        (102.56365, 13.65805, 900),  # Poipet
        (103.69571, 14.42479, 1200),  # O'Smach
        (106.13557, 11.06317, 3000),  # Bavet
    ],
)
def test_casino_towns_lie_as_far_from_the_border_as_measured(lon, lat, distance_m):
    border = load_reference("land_border", country="KH")
    measured = distance_to(at(lon, lat), border)["distance_m"].iloc[0]
    assert measured == pytest.approx(distance_m, abs=100)


@pytest.mark.parametrize(
    ("country", "lon", "lat"),
    [("TH", 102.9145, 11.6465), ("VN", 104.4495, 10.4250)],  # Hat Lek; Prek Chak
)
def test_cambodias_land_border_ends_at_the_coast(country, lon, lat):
    border = load_reference("land_border", country="KH")
    line = border[border["country_b"] == country]
    ends = shapely.get_parts(line.geometry.iloc[0].boundary)
    southern = min(ends, key=lambda end: end.y)
    assert distance_to(at(lon, lat), southern)["distance_m"].iloc[0] < 2000


def test_the_land_border_passes_sampled_places_of_the_official_one(border):
    cambodia = border[(border["country_a"] == "KH") | (border["country_b"] == "KH")]
    off_m = distance_to(official_sample("official_land_border.csv"), cambodia)["distance_m"]
    assert len(off_m) == 500
    assert np.median(off_m) < 70
    assert np.quantile(off_m, 0.9) < 180
    assert off_m.max() < 1_200


@needs_cod_ab
def test_the_whole_land_border_follows_the_official_one():
    official = gpd.read_file(COD_AB)
    outline = shapely.union_all(official.make_valid().to_crs(UTM_48N).to_numpy()).boundary
    lines = load_reference("land_border", country="KH").to_crs(UTM_48N).union_all()
    points = shapely.points(shapely.get_coordinates(shapely.segmentize(lines, 500)))
    off_m = shapely.distance(points, outline)
    assert np.median(off_m) < 70
    assert np.quantile(off_m, 0.9) < 180


# Towns and reports


def test_towns_carry_names_and_points():
    towns = load_reference("towns")
    assert towns["country"].value_counts().to_dict() == {
        "TH": 1072, "VN": 893, "MM": 575, "KH": 337, "LA": 107,
    }  # fmt: skip
    assert towns["geonameid"].is_unique
    assert (towns.geometry.x == towns["longitude"]).all()
    assert (towns.geometry.y == towns["latitude"]).all()
    khmer = towns["name_km"].dropna()
    assert khmer.str.fullmatch("[\u1780-\u17ff ]+").all()


@pytest.mark.parametrize(
    ("name", "khmer"),
    [
        ("Phnom Penh", "ភ្នំពេញ"),
        ("Ta Khmau", "តាខ្មៅ"),
        ("Siem Reap", "សៀមរាប"),
        ("Paoy Paet", "ប៉ោយប៉ែត"),
        ("Bavet", "បាវិត"),
    ],
)
def test_a_town_bears_its_own_khmer_name(name, khmer):
    towns = load_reference("towns", country="KH")
    assert khmer in set(towns.loc[towns["name"] == name, "name_km"])


def test_example_sites_are_the_97_reports():
    sites = example_sites()
    assert len(sites) == 97
    assert sites.geometry.isna().sum() == 18
    assert sites["country"].value_counts().to_dict() == {
        "KH": 73, "MM": 14, "PH": 8, "LA": 1, "TL": 1,
    }  # fmt: skip
    assert "GeoNames" in sites.attrs["attribution"]
