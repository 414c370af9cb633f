import hashlib
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod
from shapely import LineString, box

import geo
from geo.errors import CRSError, GeometryError, SchemaError

GEOD = Geod(ellps="WGS84")
KEY = hashlib.sha256(b"a key of the tests").digest()


def ocean():
    return gpd.GeoDataFrame({"name": ["Ocean"]}, geometry=[box(60, -20, 64, -16)], crs="EPSG:4326")


def at_sea(n, seed=1, **columns):
    """Sites at invented places in the open ocean."""
    rng = np.random.default_rng(seed)
    points = gpd.points_from_xy(rng.uniform(61, 63, n), rng.uniform(-19, -17, n))
    table = {"site_id": [f"S{i:05d}" for i in range(n)], "uncertainty_m": 300.0, **columns}
    return gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326")


def donut(sites, key=KEY):
    return geo.donut_mask(sites, key=key, min_m=1000, max_m=5000, areas=ocean(), level="province")


def naive(sites, seed):
    """Points moved within the same ring, but drawn anew each time."""
    rng = np.random.default_rng(seed)
    n = len(sites)
    r = np.sqrt(1000**2 + rng.random(n) * (5000**2 - 1000**2))
    x, y, _ = GEOD.fwd(sites.geometry.x, sites.geometry.y, rng.uniform(0, 360, n), r)
    return sites.assign(uncertainty_m=5300.0).set_geometry(
        gpd.points_from_xy(x, y, crs="EPSG:4326")
    )


def test_candidates_are_those_within_the_released_area_or_circle():
    sites = at_sea(40)
    rng = np.random.default_rng(2)
    premises = gpd.GeoSeries(
        gpd.points_from_xy(rng.uniform(60, 64, 3000), rng.uniform(-20, -16, 3000)), crs="EPSG:4326"
    )
    cells = geo.generalise(sites, cell_size_m=20_000)
    risk = geo.disclosure_risk(sites, cells, candidates=premises.to_crs("EPSG:3395"))
    expected = [int(premises.within(cell).sum()) for cell in cells.geometry]
    assert risk.sites["candidates"].tolist() == expected
    assert risk.least_candidates == min(expected)

    points = donut(sites)
    found = geo.disclosure_risk(sites, points, candidates=premises).sites["candidates"]
    for row, count in zip(points.itertuples(), found, strict=True):
        _, _, away = GEOD.inv(premises.x, premises.y, *np.full((3000, 2), row.geometry.coords[0]).T)
        within = int((away <= row.uncertainty_m).sum())
        assert within <= count <= int((away <= row.uncertainty_m * 1.03).sum())


def test_areas_are_geodesic():
    sites = at_sea(10)
    risk = geo.disclosure_risk(sites, geo.generalise(sites, cell_size_m=10_000))
    side = risk.sites["scheme"].str.split().str[0].astype(float)
    assert risk.sites["area_km2"].to_numpy() == pytest.approx((side / 1000) ** 2, rel=1e-4)


def test_linkage_and_displacement_are_those_of_brute_force():
    sites, masked = at_sea(150), donut(at_sea(150))
    risk = geo.disclosure_risk(sites, masked)
    x, y = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
    linked = []
    for i, point in enumerate(masked.geometry):
        _, _, away = GEOD.inv(x, y, np.full(150, point.x), np.full(150, point.y))
        linked.append(away.argmin() == i)
        assert risk.sites["displacement_m"].iloc[i] == pytest.approx(away[i], abs=1e-6)
    assert risk.sites["linked"].tolist() == linked
    assert risk.linkage_rate == np.mean(linked)
    assert 0.2 < risk.linkage_rate < 1


def test_rows_with_the_same_attributes_hide_each_other():
    sites = at_sea(
        4,
        status="confirmed",
        host_type=["casino", "casino", "hotel", "casino"],
        last_reported=["2025-03-01", "2025-03-29", "2025-03", "2025-04"],
    )
    released = geo.generalise(sites, areas=ocean(), level="province")
    risk = geo.disclosure_risk(sites, released)
    assert risk.sites["alike"].tolist() == [2, 2, 1, 1]
    assert risk.n_unique == 2
    # in cells of their own, nobody is alike
    apart = geo.disclosure_risk(sites, geo.generalise(sites, cell_size_m=1000))
    assert apart.n_unique == 4


def test_the_attack_by_averaging_fails_against_the_key_and_not_against_fresh_draws():
    sites = at_sea(600)
    keyed = [donut(sites.sample(frac=1, random_state=i)) for i in range(10)]
    fresh = [naive(sites, i) for i in range(10)]
    held, broken = (geo.disclosure_risk(sites, releases).attack for releases in (keyed, fresh))
    expected = {1: 3447, 5: 1443, 10: 1015}
    for n, error in expected.items():
        assert broken.loc[n, "measured_m"] == pytest.approx(error, rel=0.06)
        assert broken.loc[n, "redrawn_m"] == pytest.approx(error, rel=0.06)
        assert held.loc[n, "redrawn_m"] == pytest.approx(error, rel=0.06)
        assert held.loc[n, "measured_m"] == pytest.approx(held.loc[n, "repeated_m"], abs=0.1)
        assert held.loc[n, "measured_m"] == pytest.approx(3447, rel=0.05)
    # the published theory for 50 and 100 copies
    assert held.loc[50, "redrawn_m"] == pytest.approx(452, rel=0.05)
    assert held.loc[100, "redrawn_m"] == pytest.approx(320, rel=0.05)
    assert held.loc[10, "left_km2"] == pytest.approx(held.loc[1, "left_km2"])
    assert broken.loc[10, "left_km2"] < 0.6 * broken.loc[1, "left_km2"]


def test_schemes_that_do_not_nest_leave_their_overlap():
    sites = at_sea(200)
    fine, nested, crossing = (
        geo.generalise(sites, cell_size_m=size) for size in (5000, 10_000, 7000)
    )
    alone = geo.disclosure_risk(sites, fine).attack.loc[1, "left_km2"]
    both = geo.disclosure_risk(sites, [fine, nested]).attack.loc[2, "left_km2"]
    crossed = geo.disclosure_risk(sites, [fine, crossing]).attack.loc[2, "left_km2"]
    assert both == pytest.approx(alone)
    assert crossed < 0.75 * alone


def test_the_scaling_of_the_published_attack():
    # 0.7 km with one copy, 0.2 km with 10 and 0.1 km with 50 (Cassa et al. 2008)
    sites = at_sea(400)
    r = 700 / np.sqrt(np.pi / 2)  # the mean of a Rayleigh distance is 700 m
    rng = np.random.default_rng(3)
    x, y, _ = GEOD.fwd(
        sites.geometry.x, sites.geometry.y, rng.uniform(0, 360, 400), rng.rayleigh(r, 400)
    )
    released = sites.set_geometry(gpd.points_from_xy(x, y, crs="EPSG:4326"))
    attack = geo.disclosure_risk(sites, released).attack["redrawn_m"]
    assert attack.loc[[1, 10, 50]].tolist() == pytest.approx([700, 221, 99], rel=0.06)


def test_a_radius_that_does_not_hold_the_place_is_an_error():
    sites = at_sea(5)
    released = donut(sites)
    released.loc[2, "uncertainty_m"] = 500.0
    risk = geo.disclosure_risk(sites, released)
    assert risk.sites["held"].tolist() == [True, True, False, True, True]
    assert "Error: for 1 site the released radius does not hold the place." in risk.summary()
    assert "Error" not in geo.disclosure_risk(sites, donut(sites)).summary()


def test_statistics_are_those_of_the_library():
    sites = at_sea(60)
    released = donut(sites)
    table = geo.disclosure_risk(sites, released).statistics
    for column, frame in (("true", sites), ("released", released)):
        spread = geo.standard_distance(frame.geometry, n_bootstrap=0).distance_m
        near = geo.nearest(frame, frame, k=2)
        spacing = near.loc[near["rank"] == 2, "distance_m"].mean()
        assert table.loc["standard distance in metres", column] == pytest.approx(spread)
        assert table.loc[
            "mean distance to the nearest other site in metres", column
        ] == pytest.approx(spacing)
    change = table["released"] / table["true"] - 1
    assert table["change"].iloc[:3].tolist() == pytest.approx(change.iloc[:3].tolist())
    centres = [geo.mean_center(frame.geometry, n_bootstrap=0) for frame in (sites, released)]
    _, _, shift = GEOD.inv(*(x for c in centres for x in (c.lon, c.lat)))
    assert table.loc["shift of the mean centre in metres", "released"] == pytest.approx(shift)


def test_withheld_and_unlocated_sites_are_counted():
    sites = at_sea(6)
    sites.loc[0, "geometry"] = None
    released = donut(sites)
    released.loc[1, "geometry"] = None
    risk = geo.disclosure_risk(sites, released)
    assert (risk.n, risk.n_located, risk.n_released) == (6, 5, 4)
    assert risk.sites.index.tolist() == ["S00002", "S00003", "S00004", "S00005"]
    assert risk.statistics.loc["located sites"].tolist()[:2] == [5, 4]
    assert "4 of 5 located sites released with a place, 1 more without one." in risk.summary()


def test_the_summary_tells_no_place_and_no_single_distance():
    sites = at_sea(30)
    risk = geo.disclosure_risk(sites, [donut(sites), donut(sites)])
    for text in (risk.summary(), repr(risk), risk._repr_html_()):
        for point in sites.geometry:
            assert f"{point.x:.2f}" not in text
            assert f"{point.y:.2f}" not in text
        assert not re.search(r"\d{3}\.\d|S0", text)
    few = geo.disclosure_risk(sites.iloc[:2], donut(sites.iloc[:2])).summary()
    assert "Too few for a mean" in few
    assert "off by" not in few
    assert "statistics change" not in few


def test_one_site_none_and_nothing_released():
    sites = at_sea(1)
    one = geo.disclosure_risk(sites, donut(sites))
    assert one.linkage_rate == 1
    assert np.isnan(one.least_candidates)
    assert "candidates unknown" in repr(one)
    nothing = donut(sites)
    nothing.loc[0, "geometry"] = None
    risk = geo.disclosure_risk(sites, nothing, candidates=ocean())
    assert risk.n_released == 0
    assert risk.summary() == "0 of 1 located site released with a place, 0 more without one."
    assert len(risk.to_frame()) == 0
    assert "nan" in repr(risk)


def test_order_does_not_matter_and_frames_are_not_changed():
    sites = at_sea(25)
    released = geo.generalise(sites, cell_size_m=20_000)
    before = sites.copy(), released.copy()
    one = geo.disclosure_risk(sites, released)
    two = geo.disclosure_risk(sites.iloc[::-1], released.sample(frac=1, random_state=4))
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())
    pd.testing.assert_frame_equal(one.attack, two.attack)
    for frame, copy in zip((sites, released), before, strict=True):
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(copy))
    table = one.to_frame()
    table["alike"] = 0
    assert (one.sites["alike"] > 0).all()


def test_releases_that_cannot_be_compared_are_refused():
    sites = at_sea(3)
    released = donut(sites)
    with pytest.raises(SchemaError, match="1 of 3 released rows are none of the sites"):
        geo.disclosure_risk(sites.iloc[:2], released)
    with pytest.raises(ValueError, match="no release"):
        geo.disclosure_risk(sites, [])
    with pytest.raises(SchemaError, match="no column site_id"):
        geo.disclosure_risk(sites, released.drop(columns="site_id"))
    with pytest.raises(CRSError):
        geo.disclosure_risk(sites, released.set_crs(None, allow_override=True))
    line = released.set_geometry(
        gpd.GeoSeries([LineString([(61, -18), (62, -18)])] * 3, crs="EPSG:4326")
    )
    with pytest.raises(GeometryError, match="points or polygons"):
        geo.disclosure_risk(sites, line)


def test_a_place_published_exactly_is_found_at_once():
    sites = at_sea(20)
    risk = geo.disclosure_risk(sites, sites)
    assert risk.linkage_rate == 1
    assert risk.sites["displacement_m"].max() == 0
    assert risk.attack["repeated_m"].max() == 0
