"""Two releases: what changed is told in words, and the published attacks find what they find."""

import hashlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod
from shapely import LineString, Point, box

import geo
from geo.errors import CRSError, GeometryError, SchemaError
from layers.comparing import compare_releases

EARTH = Geod(ellps="WGS84")
KEY = hashlib.sha256(b"a key of the tests").digest()
RING = "donut 1000 to 5000 m"


def places(n, seed=1):
    """Sites at invented places in the open ocean."""
    rng = np.random.default_rng(seed)
    points = gpd.points_from_xy(rng.uniform(61, 63, n), rng.uniform(-19, -17, n))
    table = {"site_id": [f"S{i:05d}" for i in range(n)], "uncertainty_m": 300.0}
    return gpd.GeoDataFrame(table, geometry=points, crs=4326)


def moved(sites, radius_m, rng, **columns):
    """Points drawn anew, in any direction."""
    x, y, _ = EARTH.fwd(
        sites.geometry.x, sites.geometry.y, rng.uniform(0, 360, len(sites)), radius_m
    )
    return sites.assign(**columns).set_geometry(gpd.points_from_xy(x, y, crs=4326))


def ring(sites, rng):
    """A ring without a key: uniform by area."""
    radius = np.sqrt(1000**2 + rng.random(len(sites)) * (5000**2 - 1000**2))
    return moved(sites, radius, rng, uncertainty_m=5300.0, release_scheme=RING)


def keyed(sites):
    sea = gpd.GeoDataFrame({"name": ["Sea"]}, geometry=[box(60, -20, 64, -16)], crs=4326)
    return geo.donut_mask(sites, key=KEY, min_m=1000, max_m=5000, areas=sea, level="province")


def lens(a, b, d):
    """Area that two circles share (the textbook formula)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        x = (d**2 + a**2 - b**2) / (2 * d)
        y = (d**2 + b**2 - a**2) / (2 * d)
        shared = (
            a**2 * np.arccos(np.clip(x / a, -1, 1))
            + b**2 * np.arccos(np.clip(y / b, -1, 1))
            - 0.5 * np.sqrt(np.clip((a + b - d) * (d + a - b) * (d - a + b) * (d + a + b), 0, None))
        )
    inside = np.where(d <= abs(a - b), np.pi * min(a, b) ** 2, shared)
    return np.where(d >= a + b, 0.0, inside)


def expected_left(n, a=1.0, b=5.0):
    """
    Mean area that n rings leave, in closed form but for one integral.

    The middle of a ring is uniform in a ring around the true place, so a point at distance d is
    left by it with probability p(d), the share of that ring which lies in the ring around the
    point: the mean area is the integral of p^n over the plane.
    """
    d = np.linspace(1e-6, 2 * b, 20_001)
    shared = lens(b, b, d) - 2 * lens(a, b, d) + lens(a, a, d)
    p = shared / (np.pi * (b**2 - a**2))
    return np.trapezoid(p**n * 2 * np.pi * d, d)


def test_rings_leave_what_the_integral_says():
    assert expected_left(1) == pytest.approx(75.398, rel=1e-4)
    rng = np.random.default_rng(5)
    sites = places(150)
    releases = [ring(sites, rng) for _ in range(10)]
    for n in (2, 5, 10):
        compared = compare_releases(releases[: n - 1], releases[n - 1])
        table = compared.attacks()["intersection"]
        assert (table["n_releases"] == n).all()
        assert table["area_km2"].to_numpy() == pytest.approx(75.398, rel=2e-3)
        # the mean of 150 sites, within three standard errors
        off = table["left_km2"].std() / np.sqrt(150)
        assert table["left_km2"].mean() == pytest.approx(expected_left(n), abs=3 * off)
        off = table["before_km2"].std() / np.sqrt(150) + 0.2
        assert table["before_km2"].mean() == pytest.approx(expected_left(n - 1), abs=3 * off)
    assert compared.n_narrowed == 150
    assert "150 are narrowed down where releases overlap" in compared.summary()


def test_what_rings_leave_holds_the_place():
    rng = np.random.default_rng(6)
    sites = places(30)
    table = compare_releases([ring(sites, rng), ring(sites, rng)], ring(sites, rng)).intersection
    assert (table["left_km2"] > 0).all()


def test_averaging_falls_as_published_without_knowing_the_scheme():
    # donut 1 to 5 km: 1,443 (1,429 by theory) after 5 releases, 1,015 (1,010) after 10
    rng = np.random.default_rng(7)
    sites = places(250)
    releases = [ring(sites, rng) for _ in range(10)]
    for n, theory in ((5, 1429), (10, 1010)):
        compared = compare_releases(releases[: n - 1], releases[n - 1])
        table = compared.averaging
        assert (table["n_draws"] == n).all()
        pooled = np.sqrt((table[["spread_m", "averaged_m"]] ** 2).mean())
        assert pooled["spread_m"] == pytest.approx(np.sqrt(13e6), rel=0.03)
        assert pooled["averaged_m"] == pytest.approx(theory, rel=0.03)
        # an attacker who believes this is right: the true error of the mean
        mean = sum(np.column_stack([r.geometry.x, r.geometry.y]) for r in releases[:n]) / n
        _, _, off = EARTH.inv(sites.geometry.x, sites.geometry.y, *mean.T)
        assert np.mean(off) == pytest.approx(pooled["averaged_m"], rel=0.07)
    assert "who averages them is off by 1 km" in compared.summary()


def test_the_scaling_of_the_published_attack():
    # 0.7 km with one copy, 0.2 km with 10 and 0.1 km with 50 (Cassa et al. 2008)
    rng = np.random.default_rng(8)
    sites = places(60)
    releases = [moved(sites, rng.rayleigh(700 / np.sqrt(np.pi / 2), 60), rng) for _ in range(50)]
    for n, far in ((10, 221), (50, 99)):
        table = compare_releases(releases[: n - 1], releases[n - 1]).averaging
        pooled = np.sqrt((table[["one_m", "averaged_m"]] ** 2).mean())
        assert pooled["one_m"] == pytest.approx(700, rel=0.06)
        assert pooled["averaged_m"] == pytest.approx(far, rel=0.06)


def test_under_a_key_nothing_is_gained():
    sites = places(40)
    compared = compare_releases([keyed(sites)] * 4, keyed(sites.sample(frac=1, random_state=1)))
    assert (compared.averaging["n_draws"] == 1).all()
    assert compared.averaging["averaged_m"].isna().all()
    assert compared.intersection["share"].to_numpy() == pytest.approx(1.0)
    assert (compared.n_narrowed, compared.n_redrawn) == (0, 0)
    assert compared.counts == {"added": 0, "removed": 0, "changed": 0, "unchanged": 40}
    assert "averaging them gains nothing" in compared.summary()
    assert "tells no more of any" in compared.summary()


def test_a_last_digit_is_no_new_draw():
    site = places(1)
    again = site.set_geometry(site.geometry.translate(1e-5))
    compared = compare_releases(site, again)
    assert compared.averaging["n_draws"].tolist() == [1]
    assert compared.counts["unchanged"] == 1


def areas(*shapes, ids=None, **columns):
    names = ids or [f"S{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame({"site_id": names} | columns, geometry=list(shapes), crs=4326)


def test_areas_that_nest_leave_the_narrowest_and_others_their_overlap():
    big, within, beside = (
        box(104, 12, 104.4, 12.4),
        box(104, 12, 104.2, 12.2),
        box(104.2, 12, 105, 13),
    )
    old = areas(big, big, big, within)
    table = compare_releases(old, areas(within, big, beside, box(105, 13, 106, 14))).intersection
    geodesic = [abs(EARTH.geometry_area_perimeter(s)[0]) / 1e6 for s in (big, within)]
    assert table["left_km2"].iloc[:2].tolist() == pytest.approx(geodesic[::-1], rel=1e-3)
    assert table["before_km2"].iloc[0] == pytest.approx(geodesic[0], rel=1e-3)
    assert table["share"].iloc[:2].tolist() == pytest.approx([1, 1])
    half = abs(EARTH.geometry_area_perimeter(box(104.2, 12, 104.4, 12.4))[0]) / 1e6
    assert table["left_km2"].iloc[2] == pytest.approx(half, rel=1e-3)
    assert table["left_km2"].iloc[3] == 0
    words = compare_releases(old, areas(within, big, beside, box(105, 13, 106, 14))).summary()
    assert "Of 1 the releases do not overlap" in words
    assert "1 are narrowed down where releases overlap" in words
    assert "Of 2 the new one leaves less room" in words


def test_an_area_across_the_antimeridian_is_one():
    old = areas(Point(179.99, -17), uncertainty_m=[5000.0], release_scheme="exact")
    new = areas(Point(-179.99, -17), uncertainty_m=[5000.0], release_scheme="exact")
    (row,) = compare_releases(old, new).intersection.itertuples()
    d = EARTH.inv(179.99, -17, -179.99, -17)[2] / 1000
    assert row.left_km2 == pytest.approx(float(lens(5.0, 5.0, np.array(d))), rel=5e-3)


def test_a_point_called_exact_is_not_averaged():
    old = areas(Point(104, 12), release_scheme="exact", uncertainty_m=[100.0])
    new = areas(Point(104.01, 12), release_scheme="exact", uncertainty_m=[100.0])
    assert compare_releases(old, new).averaging.empty


def test_every_change_is_told_by_its_columns():
    square, other = box(104, 12, 105, 13), box(104, 12, 104.5, 12.5)
    old = areas(
        *(square, square, None, square, square, square),
        ids=list("ABCDEF"),
        status=["suspected", "confirmed", "confirmed", "confirmed", None, "confirmed"],
        release_scheme=["province area"] * 2 + ["withheld"] + ["province area"] * 3,
        uncertainty_m=[9000.0, 9000.0, np.nan, 9000.0, 9000.0, 9000.0],
        admin1=["P"] * 6,
        note="old text",
    )
    new = areas(
        *(square, other, square, other, square, square),
        ids=list("ABCDEG"),
        status=["confirmed", "confirmed", "confirmed", "confirmed", None, "suspected"],
        release_scheme=["province area", "district area"] + ["province area"] * 4,
        uncertainty_m=[9000, 4000, 9000, 4000, 8000, 9000],
        admin1=["P"] * 6,
        note=["old text"] * 4 + ["a secret word", "old text"],
    )
    frame = compare_releases(old, new).to_frame().set_index("site_id")
    assert frame["change"].astype(str).tolist() == ["changed"] * 5 + ["removed", "added"]
    assert frame["reason"].tolist() == [
        "status from suspected to confirmed",
        "place from province area to district area",
        "place from withheld to province area",
        "place: another province area",
        "uncertainty m from 9,000 to 8,000; note differs",
        "no longer released",
        "new",
    ]
    assert frame.crs == "EPSG:4326"
    assert frame.loc["B", "geometry"].equals(other)
    assert frame.loc["F", "geometry"].equals(square)
    assert compare_releases(new, new).counts["unchanged"] == 6


def test_how_a_column_is_kept_is_no_change():
    old = areas(Point(104, 12), Point(105, 12), status=["confirmed", None], uncertainty_m=[500, 9])
    new = old.astype({"status": "string", "uncertainty_m": "Float64"}).iloc[::-1]
    new["status"] = new["status"].astype("category")
    assert compare_releases(old, new.to_crs(3395)).counts["unchanged"] == 2


def test_a_site_that_comes_back_is_told_as_such_and_attacked_with_its_past():
    here = areas(Point(104, 12), Point(105, 12), uncertainty_m=[500.0, 500.0])
    compared = compare_releases([here, here.iloc[:1]], here)
    frame = compared.to_frame()
    assert frame["change"].astype(str).tolist() == ["unchanged", "added"]
    assert frame["reason"].iloc[1] == "released before, but not in the last release"
    assert compared.intersection["n_releases"].tolist() == [3, 2]


def test_counts_that_differ_by_one_are_found():
    # province P: 4 confirmed become 5, 1 suspected becomes 2; Q: 7 become 8; R: 3 become 1
    def edition(counts):
        rows = [
            {"country": "KH", "admin1": area, "status": status}
            for (area, status), n in counts.items()
            for _ in range(n)
        ]
        table = pd.DataFrame(rows).assign(site_id=[f"S{i}" for i in range(len(rows))])
        return gpd.GeoDataFrame(table, geometry=[Point(104, 12)] * len(rows), crs=4326)

    old = edition(
        {("P", "confirmed"): 4, ("P", "suspected"): 1, ("Q", "confirmed"): 7, ("R", "confirmed"): 3}
    )
    new = edition(
        {("P", "confirmed"): 5, ("P", "suspected"): 2, ("Q", "confirmed"): 8, ("R", "confirmed"): 1}
    )
    table = compare_releases(old, new).differencing
    assert table.to_dict("split")["data"] == [
        ["old and new", "country", "KH", "suspected", 1, 2],
        ["old and new", "admin1", "P, KH", "confirmed", 4, 5],
        ["old and new", "admin1", "P, KH", "suspected", 1, 2],
    ]
    assert compare_releases(new, new).differencing.empty


def test_a_total_less_the_rows_of_finer_areas_leaves_one():
    frame = areas(
        *[Point(104, 12)] * 6,
        country="KH",
        admin1=["P", "P", "P", "Q", "Q", "Q"],
        admin2=["D", "D", None, "E", None, None],
        status="confirmed",
    )
    table = compare_releases(frame, frame).differencing
    assert table.to_dict("split")["data"] == [
        ["total less rows", "admin1", "P, KH", "confirmed", 3, 2]
    ]
    assert "1 count of an area exceeds" in compare_releases(frame, frame).summary()


def test_the_summary_tells_no_place_and_no_site():
    rng = np.random.default_rng(9)
    sites = places(30)
    compared = compare_releases([ring(sites, rng), ring(sites, rng)], ring(sites, rng))
    for text in (compared.summary(), repr(compared), compared._repr_html_()):
        assert "S0" not in text
        for point in sites.geometry:
            assert f"{point.x:.2f}" not in text
            assert f"{-point.y:.2f}" not in text


def test_hostile_text_stays_text():
    bad = "</script><img src=x onerror=alert(1)>\x00\u202e"
    old = areas(Point(104, 12), status=["confirmed"], release_scheme=[bad], admin1=[bad])
    new = areas(Point(104, 12), status=[bad], release_scheme=["exact"], admin1=["P"])
    compared = compare_releases(old, new)
    assert "\x00" not in compared.to_frame()["reason"].iloc[0]
    assert "<img" not in compared._repr_html_()


def test_the_order_of_rows_changes_nothing_and_nothing_given_is_changed():
    rng = np.random.default_rng(10)
    sites = places(20).assign(status="confirmed", admin1="P")
    old, new = ring(sites, rng), ring(sites, rng).iloc[2:]
    before = old.copy(deep=True), new.copy(deep=True)
    first = compare_releases(old, new)
    second = compare_releases(old.sample(frac=1, random_state=1), new.iloc[::-1])
    pd.testing.assert_frame_equal(old, before[0])
    pd.testing.assert_frame_equal(new, before[1])
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())
    for name, table in first.attacks().items():
        pd.testing.assert_frame_equal(table, second.attacks()[name])


def test_empty_releases_can_be_compared():
    one = areas(Point(104, 12), uncertainty_m=[5.0])
    assert compare_releases(one.iloc[:0], one).counts["added"] == 1
    assert compare_releases(one, one.iloc[:0]).counts["removed"] == 1
    assert compare_releases(one.iloc[:0], one.iloc[:0]).to_frame().empty
    gone = areas(None, release_scheme=["none"])
    assert compare_releases(gone, gone).counts["unchanged"] == 1


def test_what_cannot_be_compared_is_refused():
    one = areas(Point(104, 12))
    with pytest.raises(ValueError, match="no earlier release"):
        compare_releases([], one)
    with pytest.raises(TypeError, match="GeoDataFrame is needed"):
        compare_releases(pd.DataFrame(one), one)
    with pytest.raises(CRSError):
        compare_releases(one.set_crs(None, allow_override=True), one)
    with pytest.raises(GeometryError, match="LineString"):
        compare_releases(one, areas(LineString([(1, 1), (2, 2)])))
    with pytest.raises(SchemaError, match="2 of 2 rows of `new`"):
        compare_releases(one, areas(Point(1, 1), Point(2, 2), ids=["A", " A "]))
    with pytest.raises(SchemaError, match="site_id"):
        compare_releases(one.drop(columns="site_id"), one)


def test_a_ring_is_drawn_with_the_area_of_a_ring():
    # radius and ring by the words of the scheme, whatever uncertainty_m holds
    two = areas(Point(104, 60), uncertainty_m=[99_000.0], release_scheme=["donut 500 to 2000 m"])
    (row,) = compare_releases(two, two).intersection.itertuples()
    assert row.area_km2 == pytest.approx(np.pi * (4 - 0.25), rel=3e-3)
    assert row.left_km2 == row.area_km2
