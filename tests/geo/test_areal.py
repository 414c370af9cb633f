import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely import Point, box

from geo.areal import assign_areas, count_by_area
from geo.errors import CRSError, GeometryError, SchemaError
from geo.examples import example_sites
from geo.reference import load_reference

STATUSES = ["confirmed", "suspected", "rejected", "unknown"]
OSMACH = Point(103.69571, 14.42479)


@pytest.fixture(scope="module")
def provinces():
    return load_reference("provinces")


@pytest.fixture(scope="module")
def districts():
    return load_reference("districts")


def make_sites(points, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(points), crs="EPSG:4326")


def squares(**columns):
    """Two squares side by side with a common edge at 101 E, named A and B."""
    outlines = [box(100, 10, 101, 11), box(101, 10, 102, 11)]
    return gpd.GeoDataFrame({"name": ["A", "B"], **columns}, geometry=outlines, crs="EPSG:4326")


def north_of(lat, metres):
    lon, lat, _ = Geod(ellps="WGS84").fwd(100.5, lat, 0, metres)
    return Point(lon, lat)


# Where a point lies


def test_points_get_the_area_that_contains_them(provinces):
    rng = np.random.default_rng(7)
    points = gpd.points_from_xy(rng.uniform(102, 108, 500), rng.uniform(9.5, 15, 500))
    answer = assign_areas(make_sites(points), provinces)
    for point, area, how in zip(points, answer["area"], answer["how"], strict=True):
        inside = [
            name
            for name, outline in zip(provinces["name"], provinces.geometry, strict=True)
            if outline.covers(point)
        ]
        assert (how == "within") == bool(inside)
        if inside:
            assert area == inside[0]


def test_a_point_on_a_common_edge_goes_to_the_first_area():
    sites = make_sites([Point(101, 10.5)])
    assert assign_areas(sites, squares())["area"].tolist() == ["A"]
    assert assign_areas(sites, squares().iloc[::-1])["area"].tolist() == ["B"]


def test_osmach_lies_outside_and_is_given_to_the_nearest_province(provinces):
    answer = assign_areas(make_sites([OSMACH], country=["KH"]), provinces)
    assert answer.iloc[0].tolist() == ["Oddar Meanchey", "nearest"]


def test_the_nearest_area_is_taken_up_to_six_kilometres_of_geodesic():
    sites = make_sites([north_of(11, 5_999), north_of(11, 6_001)])
    answer = assign_areas(sites, squares())
    assert answer["how"].tolist() == ["nearest", "none"]
    assert answer["area"].iloc[0] == "A"
    assert answer["area"].isna().tolist() == [False, True]


def test_the_nearest_area_is_found_at_high_latitudes():
    areas = squares().set_geometry([box(100, 79, 101, 80), box(101, 79, 102, 80)])
    lon, lat, _ = Geod(ellps="WGS84").fwd(102, 79.5, 90, 5_900)
    assert assign_areas(make_sites([Point(lon, lat)]), areas)["area"].tolist() == ["B"]


def test_of_equally_near_areas_the_first_is_taken():
    sites = make_sites([Point(101, 11.03)])
    assert assign_areas(sites, squares())["area"].tolist() == ["A"]
    assert assign_areas(sites, squares().iloc[::-1])["area"].tolist() == ["B"]


def test_the_nearest_area_must_not_be_in_another_country():
    areas = squares(country=["KH", "TH"])
    beside_a = Point(100.5, 11.03)
    near_the_edge = Point(100.98, 11.03)
    sites = make_sites(
        [beside_a, beside_a, beside_a, near_the_edge], country=["KH", "TH", None, "TH"]
    )
    answer = assign_areas(sites, areas)
    assert answer["how"].tolist() == ["nearest", "none", "nearest", "nearest"]
    assert answer["area"].dropna().tolist() == ["A", "A", "B"]


def test_the_country_named_does_not_move_a_point_that_lies_within():
    sites = make_sites([Point(100.5, 10.5)], country=["TH"])
    answer = assign_areas(sites, squares(country=["KH", "KH"]))
    assert answer.iloc[0].tolist() == ["A", "within"]


# What has no location


@pytest.mark.parametrize(
    ("written", "province"),
    [
        ("Phnom Penh", "Phnom Penh"),
        ("phnom-penh", "Phnom Penh"),
        ("PHNOM\u00a0PENH ", "Phnom Penh"),
        ("Kratié", "Kratie"),
        ("Krâchéh", "Kratie"),
        ("ភ្នំពេញ", "Phnom Penh"),
        ("Tbong Khmum", "Tboung Khmum"),
        ("Otdar Meanchey", "Oddar Meanchey"),
        ("Sihanoukville", "Preah Sihanouk"),
    ],
)
def test_a_site_without_location_is_placed_by_the_name_of_its_province(
    provinces, written, province
):
    answer = assign_areas(make_sites([None], country=["KH"], admin1=[written]), provinces)
    assert answer.iloc[0].tolist() == [province, "name"]


@pytest.mark.parametrize("written", ["", None, "Phnom", "Penh", "ភនពេញ", "Bangkok", "-", "|"])
def test_a_name_that_no_area_bears_places_nothing(provinces, written):
    answer = assign_areas(make_sites([None], country=["KH"], admin1=[written]), provinces)
    assert answer["how"].tolist() == ["none"]
    assert answer["area"].isna().all()


def test_vietnamese_names_are_found_without_their_marks():
    vietnam = load_reference("provinces", country="VN")
    sites = make_sites([None, None], country=["VN", "VN"], admin1=["Dak Lak", "dong nai"])
    assert assign_areas(sites, vietnam)["area"].tolist() == ["Đắk Lắk", "Đồng Nai"]


def test_a_name_that_several_areas_bear_places_nothing_unless_the_country_decides():
    areas = squares(country=["KH", "TH"]).assign(name="Same", code=["A", "B"])
    sites = make_sites([None, None, None], country=[None, "TH", "VN"], admin1=["Same"] * 3)
    answer = assign_areas(sites, areas, name="code")
    assert answer["how"].tolist() == ["none"] * 3
    answer = assign_areas(sites, areas)
    assert answer["how"].tolist() == ["none", "name", "none"]


def test_a_located_site_is_never_placed_by_name(provinces):
    sites = make_sites([Point(0, 0)], country=["KH"], admin1=["Phnom Penh"])
    assert assign_areas(sites, provinces)["how"].tolist() == ["none"]


def test_districts_are_found_by_admin2_in_the_province_named(districts):
    sites = make_sites(
        [None] * 4,
        country=["KH"] * 4,
        admin1=["Kandal", None, "Takeo", "Kandal"],
        admin2=["Ta Khmau", "Ta Khmau", "Ta Khmau", None],
    )
    answer = assign_areas(sites, districts)
    assert answer["how"].tolist() == ["name", "name", "none", "none"]
    assert answer["area"].dropna().tolist() == ["Ta Khmau", "Ta Khmau"]


@pytest.mark.parametrize("point", [None, Point(), Point(np.nan, np.nan)])
def test_missing_empty_and_nan_points_are_sites_without_location(provinces, point):
    sites = make_sites([point], country=["KH"], admin1=["Kampot"])
    assert assign_areas(sites, provinces).iloc[0].tolist() == ["Kampot", "name"]


# The answer's shape


def test_the_answer_has_the_index_of_the_sites_and_leaves_them_unchanged(provinces):
    sites = make_sites([OSMACH, None, Point(104.92, 11.55)], admin1=["x", "Kep", "y"])
    sites.index = ["b", "a", "a"]
    before, areas_before = sites.copy(), provinces.copy()
    answer = assign_areas(sites, provinces)
    assert answer.index.equals(sites.index)
    assert answer["area"].tolist() == ["Oddar Meanchey", "Kep", "Phnom Penh"]
    assert answer["how"].cat.categories.tolist() == ["within", "nearest", "name", "none"]
    pd.testing.assert_frame_equal(sites, before)
    pd.testing.assert_frame_equal(provinces, areas_before)


def test_rows_in_another_order_get_the_same_answers(provinces):
    sites = example_sites()
    answer = assign_areas(sites, provinces)
    shuffled = sites.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(assign_areas(shuffled, provinces).loc[sites.index], answer)
    counts = count_by_area(sites, provinces)
    pd.testing.assert_frame_equal(count_by_area(shuffled, provinces), counts)


def test_projected_frames_give_the_same_answers(provinces):
    sites = example_sites()
    answer = assign_areas(sites, provinces)
    projected = assign_areas(sites.to_crs("EPSG:32648"), provinces.to_crs("EPSG:32648"))
    pd.testing.assert_frame_equal(projected, answer)
    assert count_by_area(sites, provinces.to_crs("EPSG:32648")).crs == "EPSG:4326"


# Counts


def test_every_report_is_counted_once(provinces):
    sites = example_sites()
    counts = count_by_area(sites, provinces)
    assert counts["name"].tolist() == [*provinces["name"], "elsewhere"]
    assert counts[STATUSES].to_numpy().sum() == len(sites) == 97
    for status in STATUSES:
        assert counts[status].sum() == (sites["status"] == status).sum()
    how = assign_areas(sites, provinces)["how"]
    assert counts["by_nearest"].sum() == (how == "nearest").sum()
    assert counts["by_name"].sum() == (how == "name").sum()
    assert all(counts[column].dtype.kind == "i" for column in (*STATUSES, "by_nearest", "by_name"))


def test_all_reports_on_cambodia_find_a_province_and_no_others_do(provinces):
    sites = example_sites()
    counts = count_by_area(sites, provinces)
    elsewhere = counts.iloc[-1]
    assert elsewhere[STATUSES].sum() == (sites["country"] != "KH").sum()
    assert elsewhere.geometry is None
    named = assign_areas(sites, provinces)
    located = named["how"].isin(["within", "nearest"])
    assert (named.loc[located, "area"] == sites.loc[located, "admin1"]).all()


points = st.one_of(st.none(), st.builds(Point, st.floats(99.9, 102.1), st.floats(9.9, 11.1)))
rows = st.lists(
    st.tuples(points, st.sampled_from([*STATUSES, None]), st.sampled_from(["A", "b", "x", None]))
)


@given(rows)
def test_the_columns_add_up_whatever_the_sites(rows):
    table = pd.DataFrame(rows, columns=["geometry", "status", "admin1"], dtype=object)
    sites = gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")
    counts = count_by_area(sites, squares())
    assert counts["name"].tolist() == ["A", "B", "elsewhere"]
    assert counts[STATUSES].to_numpy().sum() == len(rows)
    assert counts["unknown"].sum() == sum(status in ("unknown", None) for _, status, _ in rows)
    placed = counts[STATUSES].sum(axis=1)
    assert (counts["by_nearest"] + counts["by_name"] <= placed).all()
    assert counts[["by_nearest", "by_name"]].iloc[-1].tolist() == [0, 0]
    for position, outline in enumerate(squares().geometry):
        inside = sum(point is not None and outline.covers(point) for point, _, _ in rows)
        on_edge = sum(point is not None and point.x == 101 for point, _, _ in rows)
        assert placed.iloc[position] >= inside - on_edge * position


def test_without_a_status_all_reports_are_unknown(provinces):
    counts = count_by_area(make_sites([OSMACH, None]), provinces)
    assert counts[STATUSES].sum().tolist() == [0, 0, 0, 2]


def test_all_columns_of_the_areas_are_kept_with_their_kinds():
    areas = squares(people=[7, 8], coastal=[True, False], share=[0.5, 0.25])
    areas.index = ["p", "q"]
    areas.attrs["attribution"] = "somebody"
    counts = count_by_area(make_sites([Point(100.5, 10.5)]), areas)
    assert counts["people"].tolist()[:2] == [7, 8]
    assert pd.api.types.is_integer_dtype(counts["people"])
    assert pd.api.types.is_bool_dtype(counts["coastal"])
    assert counts[["people", "coastal", "share"]].iloc[-1].isna().all()
    assert counts.geometry.iloc[:2].tolist() == areas.geometry.tolist()
    assert counts.attrs["attribution"] == "somebody"


def test_areas_can_be_named_by_numbers_and_categories():
    sites = make_sites([Point(101.5, 10.5)])
    for names in ([1, 2], pd.Categorical(["A", "B"])):
        areas = squares(number=names)
        assert assign_areas(sites, areas, name="number")["area"].tolist() == [names[1]]
        counts = count_by_area(sites, areas, name="number")
        assert counts["number"].tolist() == [*names, "elsewhere"]
        assert counts["unknown"].tolist() == [0, 1, 0]


# Empty and hostile frames


def test_no_sites_give_an_empty_answer_and_counts_of_zero(provinces):
    sites = example_sites().iloc[:0]
    answer = assign_areas(sites, provinces)
    assert answer.columns.tolist() == ["area", "how"]
    assert len(answer) == 0
    assert count_by_area(sites, provinces)[STATUSES].to_numpy().sum() == 0


def test_no_areas_leave_every_report_elsewhere(provinces):
    sites = example_sites()
    assert (assign_areas(sites, provinces.iloc[:0])["how"] == "none").all()
    counts = count_by_area(sites, provinces.iloc[:0])
    assert counts["name"].tolist() == ["elsewhere"]
    assert counts[STATUSES].to_numpy().sum() == len(sites)


def test_sites_that_all_lack_a_location_are_counted_by_name(provinces):
    sites = example_sites()
    sites = sites[sites.geometry.isna()]
    counts = count_by_area(sites, provinces)
    assert counts[STATUSES].to_numpy().sum() == 18
    assert counts["by_name"].sum() == (sites["country"] == "KH").sum()
    assert counts["by_nearest"].sum() == 0


def test_frames_without_crs_are_refused(provinces):
    bare = gpd.GeoDataFrame(geometry=[OSMACH])
    with pytest.raises(CRSError, match="no coordinate reference system"):
        assign_areas(bare, provinces)
    with pytest.raises(CRSError, match="no coordinate reference system"):
        count_by_area(example_sites(), provinces.set_crs(None, allow_override=True))


def test_areas_that_are_no_polygons_are_refused_with_their_rows():
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    outlines = [box(0, 0, 1, 1), Point(0, 0), None, bow_tie, shapely.Polygon()]
    areas = gpd.GeoDataFrame({"name": list("abcde")}, geometry=outlines, crs="EPSG:4326")
    with pytest.raises(GeometryError, match="4 of 5 areas") as caught:
        assign_areas(make_sites([OSMACH]), areas)
    assert caught.value.problems.to_numpy().tolist() == [
        [1, "Point"],
        [2, "no geometry"],
        [3, "invalid polygon"],
        [4, "no geometry"],
    ]


def test_sites_that_are_no_points_are_refused_with_their_rows(provinces):
    with pytest.raises(GeometryError, match="1 of 2 sites are no points") as caught:
        assign_areas(make_sites([OSMACH, box(0, 0, 1, 1)]), provinces)
    assert caught.value.problems["row"].tolist() == [1]


def test_a_status_out_of_the_vocabulary_is_refused_with_its_row(provinces):
    sites = make_sites([OSMACH] * 3, status=["confirmed", "Confirmed", 3])
    with pytest.raises(SchemaError, match="2 sites have a status") as caught:
        count_by_area(sites, provinces)
    assert caught.value.problems["row"].tolist() == [1, 2]


def test_a_missing_name_column_is_refused(provinces):
    with pytest.raises(SchemaError, match="no column 'title'"):
        assign_areas(make_sites([OSMACH]), provinces, name="title")


def test_counting_twice_is_refused(provinces):
    counts = count_by_area(example_sites(), provinces)
    with pytest.raises(SchemaError, match="already has the columns"):
        count_by_area(example_sites(), counts.iloc[:-1])
