import hashlib
import hmac
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from scipy import stats
from shapely import Point, box

import geo
from geo._displacing import (
    displace,
    donut_radius,
    donut_scheme,
    laplace_radius,
    laplace_scheme,
)
from geo._generalising import discs
from geo._keys import checked_key
from geo.errors import CRSError, GeometryError, SchemaError

GEOD = Geod(ellps="WGS84")
KEY = hashlib.sha256(b"a key of the tests").digest()
OTHER_KEY = hashlib.sha256(b"another key of the tests").digest()
SEA = box(60, -20, 64, -16)  # open ocean, far from any land
RING = {"min_m": 1000, "max_m": 5000}


@pytest.fixture(scope="module")
def districts():
    return geo.load_reference("districts")


@pytest.fixture(scope="module")
def provinces():
    return geo.load_reference("provinces")


def sites_at(lon, lat, radius_m=500.0, **columns):
    """Sites of invented places."""
    lon, lat = np.atleast_1d(lon), np.atleast_1d(lat)
    ids = [f"S{i:05d}" for i in range(len(lon))]
    table = {"site_id": ids, "uncertainty_m": radius_m, **columns}
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def at_sea(n, seed=1, **columns):
    rng = np.random.default_rng(seed)
    return sites_at(rng.uniform(61, 63, n), rng.uniform(-19, -17, n), **columns)


def ocean(**columns):
    return gpd.GeoDataFrame({"name": ["Ocean"], **columns}, geometry=[SEA], crs="EPSG:4326")


def halves():
    """Two districts of one province of sea, side by side at 62 E."""
    fine = gpd.GeoDataFrame(
        {"name": ["West", "East"], "code": ["P1D1", "P1D2"], "province": "Ocean"},
        geometry=[box(60, -20, 62, -16), box(62, -20, 64, -16)],
        crs="EPSG:4326",
    )
    return {"district": fine, "province": ocean(code="P1")}


def circle(lon, lat, radius_m, n=360):
    x, y, _ = GEOD.fwd(np.full(n, lon), np.full(n, lat), np.arange(n) * 360 / n, [radius_m] * n)
    return shapely.points(x, y)


def displacement(sites, masked):
    """Distance and direction from each site to where it was put."""
    true = sites.set_index("site_id").geometry.loc[masked["site_id"]]
    azimuth, _, away = GEOD.inv(true.x, true.y, masked.geometry.x, masked.geometry.y)
    return np.asarray(away), np.asarray(azimuth)


def texts(frame):
    """All that a frame says: cells, labels, index, attrs, but for the geometry."""
    table = pd.DataFrame(frame.drop(columns="geometry"))
    cells = [str(cell) for column in table for cell in table[column]]
    return " ".join([*cells, *map(str, table.columns), *map(str, table.index), str(frame.attrs)])


# ----------------------------------------------------------------------------- areas


@settings(max_examples=25, deadline=None)
@given(
    lon=st.floats(102.4, 107.4),
    lat=st.floats(10.6, 14.6),
    radius_m=st.floats(10, 60_000),
)
def test_the_area_contains_the_circle_and_no_finer_one_does(lon, lat, radius_m):
    released = geo.generalise(sites_at(lon, lat, radius_m))
    shape = released.geometry.iloc[0]
    level = released["location_level"].iloc[0]
    if shape is not None:
        assert shapely.covers(shape, circle(lon, lat, radius_m)).all()
    # a doubt of less than 2 % decides for the coarser level, so 5 % more is no doubt
    wide = circle(lon, lat, radius_m * 1.05 + 5)
    for finer, areas in (
        ("district", geo.load_reference("districts")),
        ("province", geo.load_reference("provinces")),
    ):
        if level == finer:
            break
        for area in areas.geometry[areas.intersects(Point(lon, lat))]:
            assert not shapely.covers(area, wide).all()


def test_a_stated_country_decides_which_areas_count(provinces):
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(102.4, 107.4, 400), rng.uniform(10.6, 14.6, 400)
    radius = rng.uniform(100, 30_000, 400)
    sites = sites_at(lon, lat, radius, country="KH")
    released = geo.generalise(sites, level="province").set_index("site_id")
    apart = geo.assign_areas(sites, provinces)["how"].eq("none").to_numpy()
    assert released.geometry[apart].isna().all()
    some = released["location_level"].eq("province").to_numpy()
    assert some.sum() > 100
    for row in np.flatnonzero(some):
        others = provinces.geometry[provinces["code"] != released["admin1_code"].iloc[row]]
        rim = circle(lon[row], lat[row], radius[row], 60)
        assert not any(shapely.intersects(other, rim).any() for other in others)


@pytest.mark.parametrize("radius_m", [1.0, 250.0, 12_000.0, 48_000.0])
@pytest.mark.parametrize("lat", [0.0, 12.0, -55.0, 70.0])
def test_discs_are_drawn_around_circles_and_hardly_beyond(lat, radius_m):
    (disc,) = discs(np.array([62.0]), np.array([lat]), np.array([radius_m]))
    assert shapely.covers(disc, circle(62.0, lat, radius_m)).all()
    assert not shapely.covers(disc, circle(62.0, lat, 1.025 * radius_m)).any()


def test_a_town_outside_its_outline_is_held_by_the_radius():
    # O'Smach, a town of public record, lies 1.8 km outside the shipped outline
    released = geo.generalise(sites_at(103.69571, 14.42479, 500, country="KH")).iloc[0]
    assert released["admin1"] == "Oddar Meanchey"
    centre = shapely.centroid(shapely.minimum_bounding_circle(released.geometry))
    _, _, away = GEOD.inv(centre.x, centre.y, 103.69571, 14.42479)
    assert away + 500 < released["uncertainty_m"]


def test_areas_along_the_outer_edge_have_six_kilometres_more(provinces):
    # invented places in Oddar Meanchey, at the border, and in Kampong Thom, which has none
    sites = sites_at([103.6, 104.9], [14.2, 12.7], country="KH")
    believed = geo.generalise(sites, level="province")["uncertainty_m"]
    bare = provinces.drop(columns="country")
    plain = geo.generalise(sites, areas=bare, level="province")["uncertainty_m"]
    assert (believed - plain).tolist() == [6000, 0]


def test_the_radius_is_the_areas_and_says_nothing_of_the_site():
    near, far = [62.9, 62.95], [61.1, 63.0]
    sites = sites_at([*near, *far], [-18.0, -18.5, -17, -19.0], [10, 400, 90, 3000])
    released = geo.generalise(sites, areas=ocean(), level="province")
    assert len(set(released["uncertainty_m"])) == 1
    corners = np.array(SEA.exterior.coords)
    _, _, away = GEOD.inv(*np.full((5, 2), [62.0, -18.0]).T, *corners.T)
    assert away.max() <= released["uncertainty_m"].iloc[0] <= away.max() + 300


@pytest.mark.parametrize(
    ("held", "level"), [((0, 9), "province"), ((4, 5), "province"), ((5, 4), "district")]
)
def test_an_area_needs_enough_premises(held, level):
    west, east = held
    points = [Point(61, -19 + i / 5) for i in range(west)]
    points += [Point(63, -19 + i / 5).buffer(0.01) for i in range(east)]
    candidates = gpd.GeoSeries(points, crs="EPSG:4326").to_crs("EPSG:3395")
    released = geo.generalise(sites_at(61.5, -18), areas=halves(), candidates=candidates)
    assert released["location_level"].tolist() == [level]


def test_too_few_premises_at_every_level_withhold_the_place():
    # one that is listed twice is no other
    candidates = gpd.GeoSeries(
        [Point(61.49 + i / 1000, -18) for i in (0, 1, 2, 3, 3)], crs="EPSG:4326"
    )
    for options in ({"areas": halves()}, {"cell_size_m": 10_000}):
        released = geo.generalise(sites_at(61.5, -18), candidates=candidates, **options)
        assert released["release_scheme"].tolist() == ["withheld"]
        assert released.geometry.isna().all()
        assert np.isnan(released["uncertainty_m"]).all()
        none = candidates.iloc[:0]
        again = geo.generalise(sites_at(61.5, -18), candidates=none, **options)
        assert again.geometry.isna().all()


def test_the_reason_for_a_coarser_area_is_not_told():
    candidates = gpd.GeoSeries.from_xy([61.0] * 5, [-18.0, -18.1, -18.2, -18.3, -18.4], crs=4326)
    near_the_edge, few_premises = Point(61.999, -18), Point(63, -18)
    sites = sites_at([near_the_edge.x, few_premises.x], [-18, -18])
    released = geo.generalise(sites, areas=halves(), candidates=candidates)
    assert released["location_level"].tolist() == ["province", "province"]
    told = released.drop(columns=["site_id", "geometry"]).astype("string")
    assert told.drop_duplicates().shape[0] == 1


def test_levels_must_lie_within_each_other():
    areas = halves()
    areas["district"].loc[1, "geometry"] = box(62, -20, 64.5, -16)
    with pytest.raises(GeometryError, match=r"'East'.*levels that nest") as caught:
        geo.generalise(sites_at(61, -18), areas=areas)
    assert caught.value.problems["value"].tolist() == ["East"]


def test_communes_are_taken_from_the_caller():
    communes = gpd.GeoDataFrame(
        {"name": ["ឃុំសមុទ្រ"], "code": ["P1D1C1"], "district": ["West"], "province": ["Ocean"]},
        geometry=[box(60.5, -19, 61.5, -17)],
        crs="EPSG:4326",
    )
    released = geo.generalise(
        sites_at([61, 61.8], [-18, -18]), areas={"commune": communes, **halves()}
    )
    assert released["location_level"].tolist() == ["commune", "district"]
    assert released["admin3"].tolist() == ["ឃុំសមុទ្រ", pd.NA]
    assert released["admin2"].tolist() == ["West", "West"]
    assert released["admin1"].tolist() == ["Ocean", "Ocean"]
    with pytest.raises(ValueError, match="no areas of level 'commune'"):
        geo.generalise(sites_at(61, -18), level="commune")


def test_neighbours_have_provinces_only():
    released = geo.generalise(sites_at([96.0, 103.0], [21.0, 16.0], country=["MM", "TH"]))
    assert released["location_level"].tolist() == ["province", "province"]
    assert released["admin1_code"].str[:2].tolist() == ["MM", "TH"]


def test_shipped_levels_lie_within_each_other(districts, provinces):
    whole = provinces.set_index("code").geometry
    fine = districts.geometry.to_numpy()
    outside = shapely.difference(fine, whole.loc[districts["province_code"]].to_numpy())
    assert (shapely.area(outside) < 1e-9 * shapely.area(fine)).all()


# ----------------------------------------------------------------------------- cells


@settings(max_examples=25, deadline=None)
@given(
    lon=st.floats(-179, 179),
    lat=st.floats(-70, 70),
    radius_m=st.floats(1, 20_000),
    size=st.sampled_from([500.0, 5000.0, 12_345.6]),
)
def test_a_cell_contains_the_circle_and_has_its_area(lon, lat, radius_m, size):
    released = geo.generalise(sites_at(lon, lat, radius_m), cell_size_m=size)
    shape = released.geometry.iloc[0]
    if shape is None:
        return
    x, y = np.array([(p.x, p.y) for p in circle(lon, lat, radius_m)]).T
    x = lon + (x - lon + 180) % 360 - 180
    assert shapely.intersects_xy(shape, x, y).all()
    side = float(released["release_scheme"].iloc[0].split()[0])
    assert np.log2(side / size) == pytest.approx(round(np.log2(side / size)), abs=1e-4)
    # parallels are no geodesics: many corners make them so
    area, _ = GEOD.geometry_area_perimeter(shapely.segmentize(shape, 1e-3 * side / 1e5 + 1e-3))
    assert abs(area) == pytest.approx(side**2, rel=1e-4)


def test_a_doubled_cell_contains_the_cell():
    rng = np.random.default_rng(5)
    sites = sites_at(rng.uniform(100, 110, 200), rng.uniform(8, 20, 200), 100)
    fine, coarse = (geo.generalise(sites, cell_size_m=size) for size in (5000, 10_000))
    assert fine["release_scheme"].eq("5000 m cell").sum() > 150
    assert shapely.covers(coarse.geometry, fine.geometry).all()


def test_cells_and_areas_are_not_mixed():
    with pytest.raises(ValueError, match="they do not nest"):
        geo.generalise(sites_at(61, -18), cell_size_m=5000, level="district")
    for size in (0, -1, np.nan, "5000"):
        with pytest.raises(ValueError, match="cell_size_m"):
            geo.generalise(sites_at(61, -18), cell_size_m=size)


# ----------------------------------------------------------------------------- what rows keep


def canary():
    """Sites whose every column tells the place, with what a release may keep of it."""
    lon, lat = 104.56789, 12.86421
    sites = sites_at([lon, 104.61234], [lat, 12.91357], 300)
    text = f"{lat}, {lon}"
    spelt = {
        "name": "Red gate 12.86421N 104.56789E",
        "verbatim_location": text,
        "location_note": "1286421 10456789",
        "locality": text,
        "admin1": text,
        "admin2": "Canary",
        "source": text,
        "source_url": f"https://example.org/@{lat},{lon}",
        "source_date": "2025-03-04",
        "source_file": "canary.csv",
        "source_row": 17,
        "phone": "012 864 21",
        "latitude": lat,
        "longitude": lon,
        "evidence": f"media|{text}",
        "host_type": text,
        "first_reported": "2024-11-23",
        "last_reported": f"2025 {text}",
        "status": "confirmed",
        "state_response": text,
        "country": "KH",
    }
    sites = sites.assign(**spelt, second=gpd.GeoSeries(sites.geometry.array, sites.index))
    sites.attrs = {"source": text, "attribution": text}
    return sites.set_axis([f"{lat},{lon}", "canary"], axis=0)


@pytest.mark.parametrize(
    "release",
    [
        geo.generalise,
        lambda sites: geo.generalise(sites, cell_size_m=5000),
        lambda sites: geo.donut_mask(sites, key=KEY, **RING),
        lambda sites: geo.laplace_mask(sites, key=KEY, radius_m=1000),
    ],
    ids=["areas", "cells", "donut", "laplace"],
)
def test_nothing_of_the_place_is_left_in_any_cell(release):
    sites = canary()
    before = sites.copy()
    released = release(sites)
    said = texts(released)
    for digits in ("104.5", "12.86", "1286421", "10456789", "12.91", "104.61", "Canary", "canary"):
        assert digits not in said
    assert not re.search(r"\d\.\d{3,}", said)
    vertices = set(shapely.get_coordinates(released.geometry).round(4).ravel().tolist())
    assert not vertices & {104.5679, 12.8642, 104.6123, 12.9136}
    assert set(released.columns) <= set(geo.RELEASED_COLUMNS)
    assert released.index.tolist() == [0, 1]
    assert released["evidence"].tolist() == ["media", "media"]
    assert released["first_reported"].tolist() == ["2024-11", "2024-11"]
    assert released["last_reported"].tolist() == ["2025", "2025"]
    assert released["state_response"].isna().all()
    pd.testing.assert_frame_equal(pd.DataFrame(sites), pd.DataFrame(before))


@pytest.mark.parametrize(
    "site_id", ["12.864_104.567", "KH12864104567", "N128642E1045678", "a 3.1415"]
)
def test_an_id_that_spells_the_coordinate_is_refused(site_id):
    sites = sites_at(104.56789, 12.86421).assign(site_id=site_id)
    with pytest.raises(SchemaError, match="spells a coordinate") as caught:
        geo.generalise(sites)
    assert site_id not in str(caught.value) + str(caught.value.problems)


def test_sites_without_a_location_stay_without():
    sites = sites_at([61.0, np.nan, np.nan], [-18.0, np.nan, np.nan], [500, np.nan, np.nan])
    sites = sites.assign(country="KH", admin1=["", "kampong-cham", "near the bridge"])
    sites.loc[1:, "geometry"] = None
    for released in (
        geo.generalise(sites, areas={"province": geo.load_reference("provinces")}),
        geo.donut_mask(sites, key=KEY, **RING),
    ):
        assert released.geometry.isna().all()
        assert released["release_scheme"].tolist() == ["withheld", "none", "none"]
        assert released["admin1"].tolist() == [pd.NA, "Kampong Cham", pd.NA]
        assert released["admin1_code"].tolist() == [pd.NA, "KH03", pd.NA]
    cells = geo.generalise(sites, cell_size_m=5000)
    assert cells.geometry.isna().tolist() == [False, True, True]
    assert "admin1" not in cells


@settings(max_examples=5, deadline=None)
@given(order=st.permutations(range(12)), size=st.integers(1, 12))
def test_neither_order_nor_other_rows_change_a_release(order, size):
    sites = at_sea(12, status="confirmed").set_axis(list("abcdefghijkl"), axis=0)
    some = sites.iloc[list(order)[:size]]
    for release in (
        lambda frame: geo.generalise(frame, areas=halves()),
        lambda frame: geo.generalise(frame, cell_size_m=5000),
        lambda frame: geo.donut_mask(frame, key=KEY, areas=halves(), **RING),
        lambda frame: geo.laplace_mask(frame, key=KEY, areas=halves(), radius_m=500),
    ):
        whole = release(sites)
        expected = whole[whole["site_id"].isin(some["site_id"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(pd.DataFrame(release(some)), pd.DataFrame(expected))


def test_sites_in_metres_are_released_as_those_in_degrees():
    sites = at_sea(5)
    there = sites.to_crs("EPSG:32741")
    for release in (
        lambda frame: geo.generalise(frame, areas=halves()),
        lambda frame: geo.donut_mask(frame, key=KEY, areas=halves(), **RING),
    ):
        one, two = release(sites), release(there)
        assert one.drop(columns="geometry").equals(two.drop(columns="geometry"))
        assert shapely.equals_exact(one.geometry, two.geometry, tolerance=1.1e-5).all()


def test_frames_without_rows_and_with_khmer_ids():
    sites = at_sea(2).assign(site_id=["ទី១", "ទី២"])
    for release in (
        lambda frame: geo.generalise(frame, areas=halves()),
        lambda frame: geo.generalise(frame, cell_size_m=5000),
        lambda frame: geo.donut_mask(frame, key=KEY, areas=halves(), **RING),
    ):
        assert release(sites)["site_id"].tolist() == ["ទី១", "ទី២"]
        assert len(release(sites.iloc[:0])) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sites: sites.drop(columns="site_id"), "no column site_id"),
        (lambda sites: sites.assign(site_id=["S1", None]), "have no site_id"),
        (lambda sites: sites.assign(site_id=["S1", " S1 "]), "share a site_id"),
        (lambda sites: sites.drop(columns="uncertainty_m"), "without a radius"),
        (lambda sites: sites.assign(uncertainty_m=[500, np.inf]), "without a radius"),
        (lambda sites: sites.assign(uncertainty_m=[500, -1]), "negative"),
    ],
)
def test_incomplete_sites_are_refused(change, message):
    for release in (geo.generalise, lambda sites: geo.donut_mask(sites, key=KEY, **RING)):
        with pytest.raises(SchemaError, match=message):
            release(change(at_sea(2)))


def test_wrong_areas_and_levels_are_refused():
    sites = at_sea(2)
    with pytest.raises(ValueError, match="level is 'town'"):
        geo.generalise(sites, level="town")
    with pytest.raises(ValueError, match="Say what areas are"):
        geo.generalise(sites, areas=ocean())
    with pytest.raises(ValueError, match=r"levels \['lake'\]"):
        geo.generalise(sites, areas={"lake": ocean()})
    with pytest.raises(ValueError, match="There are no areas of level 'province'"):
        geo.generalise(sites, areas=ocean().iloc[:0], level="province")
    with pytest.raises(SchemaError, match="no column 'name'"):
        geo.generalise(sites, areas=ocean().drop(columns="name"), level="province")
    with pytest.raises(GeometryError, match="no valid polygons"):
        geo.generalise(
            sites, areas=ocean().boundary.to_frame("geometry").assign(name="x"), level="province"
        )
    with pytest.raises(CRSError):
        geo.generalise(sites.set_crs(None, allow_override=True))
    with pytest.raises(ValueError, match="min_candidates"):
        geo.generalise(sites, min_candidates=0)


# ----------------------------------------------------------------------------- distances


def test_quantiles_of_planar_laplace():
    expected = {
        0.05: 0.355362,
        0.25: 0.961279,
        0.5: 1.678347,
        0.75: 2.692635,
        0.9: 3.889720,
        0.95: 4.743865,
        0.99: 6.638352,
        0.999: 9.233413,
    }
    p = np.array(list(expected))
    assert laplace_radius(p, 1.0) == pytest.approx(list(expected.values()), abs=1e-6)
    assert laplace_radius(p, 1.0) == pytest.approx(stats.gamma(2).ppf(p), rel=1e-12)
    # ln 4 within 200 m, and at 1 km five times as far
    epsilon = np.log(4) / 200
    assert epsilon == pytest.approx(0.0069315, abs=1e-7)
    far = laplace_radius(np.array([0.5, 0.95, 0.99]), epsilon)
    assert far == pytest.approx([242.1, 684.4, 957.7], abs=0.05)
    assert laplace_radius(np.array([0.5]), epsilon / 5) == pytest.approx(5 * far[:1])


def test_means_of_donuts_and_laplace():
    u = (np.arange(100_000) + 0.5) / 100_000
    assert donut_radius(u, 1000, 5000).mean() == pytest.approx(3444, abs=0.5)
    assert donut_radius(u, 500, 2000).mean() == pytest.approx(1400, abs=0.5)
    far = laplace_radius(u, 1.0)
    assert far.mean() == pytest.approx(2, abs=1e-4)
    assert (far**2).mean() == pytest.approx(6, abs=2e-3)
    assert far.mean() * 200 / np.log(4) == pytest.approx(288.5, abs=0.1)


@settings(max_examples=200, deadline=None)
@given(p=st.floats(0.001, 0.998), q=st.floats(0.001, 0.998), epsilon=st.floats(1e-4, 0.05))
def test_planar_laplace_is_geo_indistinguishable(p, q, epsilon):
    # density per area at two distances from one place: those from two places to one point differ
    # by no more than the places do
    def log_density(at):
        step = 1e-5 * np.array([-1.0, 1.0])
        low, high = laplace_radius(at + step, epsilon)
        middle = laplace_radius(np.array([at]), epsilon)[0]
        return np.log(2e-5 / (high - low) / middle), middle

    (one, r), (two, s) = log_density(p), log_density(q)
    assert abs(one - two) <= epsilon * abs(r - s) + 1e-3


@pytest.mark.parametrize("scheme", [donut_scheme(1000.0, 5000.0), laplace_scheme(0.002)])
def test_direction_is_uniform_and_distance_as_stated(scheme):
    n = 100_000
    ids = [f"S{i}" for i in range(n)]
    lon, lat = np.full(n, 62.0), np.full(n, -18.0)
    units = np.full(n, SEA, dtype=object)
    x, y = displace(ids, lon, lat, units, KEY, scheme)
    azimuth, _, away = GEOD.inv(lon, lat, x, y)
    assert stats.kstest((azimuth / 360) % 1, "uniform").pvalue > 0.001
    assert away.max() <= scheme.longest_m + 1
    expected = scheme.quantile((np.arange(n) + 0.5) / n)
    assert np.abs(np.sort(away) - expected)[: -n // 100].max() < 60
    if scheme.name.startswith("donut"):
        assert away.min() >= 999
    # quarters around the axes get the same: an offset drawn by coordinates does not do that
    near = np.abs((azimuth + 45) % 90 - 45) < 15
    assert near.mean() == pytest.approx(1 / 3, abs=0.01)


def test_the_draw_is_the_hmac_that_is_documented():
    released = geo.donut_mask(
        sites_at(62.0, -18.0), key=KEY, areas=ocean(), level="province", **RING
    )

    def framed(*parts):
        return b"".join(len(part).to_bytes(8, "big") + part for part in parts)

    text = framed(b"compound-atlas displacement 1", b"donut 1000.0 to 5000.0 m", b"0") + b"S00000"
    digest = hmac.new(KEY, text, hashlib.sha256).digest()
    u, v = (((int.from_bytes(digest[i : i + 8], "big") >> 11) + 0.5) / 2**53 for i in (0, 8))
    x, y, _ = GEOD.fwd(62.0, -18.0, 360 * v, np.sqrt(1000**2 + u * (5000**2 - 1000**2)))
    assert released.geometry.iloc[0].coords[0] == pytest.approx((x, y), abs=0.6e-5)


# ----------------------------------------------------------------------------- displaced sites


def test_every_displaced_point_stays_in_its_district_and_its_radius_holds(districts):
    rng = np.random.default_rng(11)
    lon, lat = rng.uniform(102.6, 107.2, 3000), rng.uniform(10.8, 14.2, 3000)
    sites = sites_at(lon, lat, rng.uniform(10, 900, 3000))
    unit = geo.assign_areas(sites, districts, name="code")
    inside = unit["how"].eq("within").to_numpy()
    for masked in (
        geo.donut_mask(sites, key=KEY, **RING),
        geo.laplace_mask(sites, key=KEY, radius_m=1000),
    ):
        told = masked.geometry.notna().to_numpy()
        assert (told & inside).sum() > 0.97 * inside.sum()
        some = told & inside
        put = masked[some]
        assert (put["admin2_code"].to_numpy() == unit["area"][some].to_numpy()).all()
        outlines = districts.set_index("code").geometry.loc[put["admin2_code"]]
        assert shapely.covers(outlines.to_numpy(), put.geometry.to_numpy()).all()
        # drawn again and not pushed back: hardly any lies on the edge
        rim = shapely.distance(shapely.boundary(outlines.to_numpy()), put.geometry.to_numpy())
        assert (rim < 2e-5).mean() < 0.005
        away, _ = displacement(sites, put)
        own = sites.set_index("site_id")["uncertainty_m"].loc[put["site_id"]]
        assert (away + own.to_numpy() <= put["uncertainty_m"]).all()
        assert (put.geometry.x.round(5) == put.geometry.x).all()


def test_a_site_that_has_no_room_is_withheld():
    small = gpd.GeoDataFrame(
        {"name": ["Islet"]}, geometry=[Point(62, -18).buffer(0.005)], crs="EPSG:4326"
    )
    sites = sites_at([62.0, 63.0], [-18.0, -18.0])
    masked = geo.donut_mask(sites, key=KEY, areas=small, level="district", **RING)
    assert masked["release_scheme"].tolist() == ["withheld", "withheld"]
    assert masked.geometry.isna().all()


def averaged(releases, lon, lat):
    """Mean error of a reader who averages what was released, in metres."""
    x = np.mean([release.geometry.x for release in releases], axis=0)
    y = np.mean([release.geometry.y for release in releases], axis=0)
    return GEOD.inv(lon, lat, x, y)[2].mean()


@pytest.mark.parametrize(
    ("kind", "naive_m"),
    [
        ("donut", {1: 3447, 5: 1443, 10: 1015, 50: 454}),
        ("laplace", {1: 1438, 5: 689, 10: 492, 50: 222}),
    ],
)
def test_averaging_defeats_a_naive_mask_and_not_the_keyed_one(kind, naive_m):
    rng = np.random.default_rng(20)
    epsilon = np.log(4) / 1000
    for n, expected in naive_m.items():
        size = (n, 20_000)
        r = donut_radius(rng.random(size), 1000, 5000)
        if kind == "laplace":
            r = rng.gamma(2, 1 / epsilon, size)
        turn = rng.uniform(0, 2 * np.pi, size)
        mean = np.hypot((r * np.sin(turn)).mean(axis=0), (r * np.cos(turn)).mean(axis=0))
        assert mean.mean() == pytest.approx(expected, rel=0.03)

    sites = at_sea(1000, status="confirmed")
    options = {"key": KEY, "areas": ocean(), "level": "province"}

    def release(frame):
        if kind == "laplace":
            return geo.laplace_mask(frame, radius_m=1000, **options)
        return geo.donut_mask(frame, **RING, **options)

    shuffled = [
        release(sites.sample(frac=1, random_state=i).assign(name=str(i))) for i in range(10)
    ]
    lon, lat = sites.geometry.x, sites.geometry.y
    alone = averaged(shuffled[:1], lon, lat)
    assert alone == pytest.approx(naive_m[1], rel=0.05)
    assert averaged(shuffled, lon, lat) == pytest.approx(alone, abs=1e-6)


def test_two_rings_do_not_give_the_place_away():
    sites = at_sea(500)
    first, second = (
        geo.donut_mask(sites, key=KEY, min_m=low, max_m=high, areas=ocean(), level="province")
        for low, high in ((1000, 5000), (2000, 10_000))
    )
    # with the same draw for both, twice the first less the second would be the place itself
    x, y = (
        2 * getattr(first.geometry, axis) - getattr(second.geometry, axis) for axis in ("x", "y")
    )
    _, _, off = GEOD.inv(sites.geometry.x, sites.geometry.y, x, y)
    assert np.median(off) > 5000


def test_another_key_id_or_parameter_draws_anew():
    sites = at_sea(300)
    options = {"areas": ocean(), "level": "province"}
    base = geo.donut_mask(sites, key=KEY, **RING, **options)
    renamed = sites.assign(site_id="T" + sites["site_id"])
    for other in (
        geo.donut_mask(sites, key=OTHER_KEY, **RING, **options),
        geo.donut_mask(sites, key=KEY, min_m=1000, max_m=5001, **options),
        geo.donut_mask(renamed, key=KEY, **RING, **options),
    ):
        here, there = (displacement(s, m)[1] for s, m in ((sites, base), (sites, base)))
        there = displacement(renamed if other["site_id"].iloc[0][0] == "T" else sites, other)[1]
        turned = np.radians(here - there)
        assert np.hypot(np.cos(turned).mean(), np.sin(turned).mean()) < 0.15


def test_a_corrected_coordinate_moves_the_point_alike():
    sites = sites_at(62.0, -18.0)
    moved = sites_at(62.01, -18.02)
    options = {"key": KEY, "areas": ocean(), "level": "province", **RING}
    first, second = (geo.donut_mask(frame, **options) for frame in (sites, moved))
    step = np.subtract(second.geometry.iloc[0].coords[0], first.geometry.iloc[0].coords[0])
    assert step == pytest.approx([0.01, -0.02], abs=1e-4)


def test_several_sites_at_one_point_are_refused():
    sites = sites_at([62.0, 62.0, 62.5], [-18.0, -18.0, -18.0])
    for mask in (
        lambda: geo.donut_mask(sites, key=KEY, **RING),
        lambda: geo.laplace_mask(sites, key=KEY, radius_m=500),
    ):
        with pytest.raises(SchemaError, match="2 of 3 sites share a point") as caught:
            mask()
        assert caught.value.problems["row"].tolist() == [0, 1]
    assert geo.generalise(sites, areas=halves())["location_level"].eq("province").sum() == 2


def test_suspected_sites_and_row_numbers_are_refused():
    suspected = at_sea(2).assign(status=["confirmed", "suspected"])
    with pytest.raises(SchemaError, match="1 of 2 sites are only suspected"):
        geo.donut_mask(suspected, key=KEY, **RING)
    numbered = at_sea(2).assign(site_id=["row-0001", "A"])
    with pytest.raises(SchemaError, match="number of their row"):
        geo.donut_mask(numbered, key=KEY, **RING)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("a passphrase that is long enough to be thirty-two", TypeError),
        (None, TypeError),
        (12345, TypeError),
        (b"", ValueError),
        (KEY[:31], ValueError),
        (b"a passphrase that is long enough to be thirty-two", ValueError),
        (KEY.hex().encode(), ValueError),
        (bytes(32), ValueError),
        (b"\x00\xff" * 32, ValueError),
    ],
)
def test_a_key_that_can_be_guessed_is_refused(key, error):
    for mask, options in ((geo.donut_mask, RING), (geo.laplace_mask, {"radius_m": 500})):
        with pytest.raises(error, match="random bytes") as caught:
            mask(at_sea(2), key=key, **options)
        assert "passphrase" not in str(caught.value)


def test_random_keys_are_accepted():
    rng = np.random.default_rng(0)
    for _ in range(5000):
        key = rng.bytes(32)
        assert checked_key(key) == key


@pytest.mark.parametrize(
    ("mask", "options"),
    [
        (geo.donut_mask, {"min_m": 5000, "max_m": 1000}),
        (geo.donut_mask, {"min_m": 0, "max_m": 1000}),
        (geo.donut_mask, {"min_m": 1000, "max_m": np.inf}),
        (geo.laplace_mask, {}),
        (geo.laplace_mask, {"epsilon_per_m": 0.01, "radius_m": 100}),
        (geo.laplace_mask, {"epsilon_per_m": 0}),
        (geo.laplace_mask, {"epsilon_per_m": "0.01"}),
        (geo.laplace_mask, {"epsilon_per_m": np.nan}),
        (geo.laplace_mask, {"radius_m": -5}),
        (geo.laplace_mask, {"radius_m": 100, "privacy_level": 0}),
        (geo.laplace_mask, {"radius_m": 100, "privacy_level": np.inf}),
    ],
)
def test_useless_parameters_are_refused(mask, options):
    with pytest.raises(ValueError, match=r"must be|Give either"):
        mask(at_sea(2), key=KEY, **options)


def test_epsilon_and_radius_are_one_scheme():
    sites = at_sea(5)
    options = {"key": KEY, "areas": ocean(), "level": "province"}
    by_radius = geo.laplace_mask(sites, radius_m=200, **options)
    by_epsilon = geo.laplace_mask(sites, epsilon_per_m=np.log(4) / 200, **options)
    pd.testing.assert_frame_equal(pd.DataFrame(by_radius), pd.DataFrame(by_epsilon))
    assert "planar Laplace" in by_radius["data_generalizations"].iloc[0]
    assert "nothing is known to be at this point" in by_radius["data_generalizations"].iloc[0]
