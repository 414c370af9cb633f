from __future__ import annotations

import pickle
import warnings
from collections import Counter
from copy import deepcopy

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import Point

from geo._resolution import advice
from geo.clustering import Clustering, cluster_areas, dbscan, hdbscan, optics
from geo.errors import CRSError, GeometryError, ResolutionWarning, SchemaError

GEOD = Geod(ellps="WGS84")

COLUMNS = [
    "cluster",
    "size",
    "confirmed",
    "suspected",
    "n_places",
    "medoid",
    "place",
    "radius_m",
    "max_uncertainty_m",
]

# the clusters that the tests make on purpose out of coarse or shared places
quiet = pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")


def frame_of(lonlat, *, radius=250.0, index=None, **columns) -> gpd.GeoDataFrame:
    geometry = [None if place is None else Point(place) for place in lonlat]
    columns["uncertainty_m"] = np.broadcast_to(radius, len(geometry))
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326, index=index)


def cloud(n: int, seed: int, **columns) -> gpd.GeoDataFrame:
    """Clumps on a background, some places shared, some rows without a place."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform([103, 11], [105, 13], (4, 2))
    lonlat = centres[rng.integers(0, 4, n)] + rng.normal(0, 0.02, (n, 2))
    lonlat = np.where(rng.random((n, 1)) < 0.3, rng.uniform([103, 11], [105, 13], (n, 2)), lonlat)
    shared = rng.random(n) < 0.3
    lonlat[shared] = lonlat[rng.integers(0, n, shared.sum())]
    places = [None if rng.random() < 0.1 else tuple(place) for place in lonlat]
    return frame_of(places, index=[f"s{row}" for row in range(n)], **columns)


def reference_labels(sites, eps_m, min_samples) -> list[int | None]:
    """DBSCAN as Ester et al. wrote it, in row order, on all pairs of located rows."""
    rows = np.flatnonzero(~(sites.geometry.isna() | sites.geometry.is_empty))
    lon, lat = sites.geometry.iloc[rows].x.to_numpy(), sites.geometry.iloc[rows].y.to_numpy()
    n = len(rows)
    i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    metres = np.array(GEOD.inv(lon[i.ravel()], lat[i.ravel()], lon[j.ravel()], lat[j.ravel()])[2])
    near = metres.reshape(n, n) <= eps_m
    near |= near.T
    core = near.sum(axis=1) >= min_samples
    label = np.full(n, -1)
    cluster = 0
    for seed in range(n):
        if label[seed] != -1 or not core[seed]:
            continue
        queue = [seed]
        label[seed] = cluster
        while queue:
            at = queue.pop()
            if core[at]:
                for other in np.flatnonzero(near[at] & (label == -1)):
                    label[other] = cluster
                    queue.append(other)
        cluster += 1
    answer: list[int | None] = [None] * len(sites)
    for row, found in zip(rows, label, strict=True):
        answer[row] = int(found)
    return answer


def as_list(labels: pd.Series) -> list[int | None]:
    return [None if pd.isna(label) else int(label) for label in labels]


# ------------------------------------------------------------------ labels


@quiet
@pytest.mark.parametrize("eps_m", [300, 1500, 4000, 30_000])
@pytest.mark.parametrize("min_samples", [1, 2, 4, 9])
def test_labels_and_their_numbers_are_those_of_the_definition(eps_m, min_samples):
    sites = cloud(120, 1)
    answer = dbscan(sites, eps_m=eps_m, min_samples=min_samples)
    assert as_list(answer.labels) == reference_labels(sites, eps_m, min_samples)
    assert answer.labels.dtype == "Int64"
    assert list(answer.labels.index) == list(sites.index)


@quiet
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.tuples(st.integers(-6, 6), st.integers(-6, 6)),
        ),
        max_size=30,
    ),
    st.sampled_from([(0, 0), (180, -17), (104, 12), (30, 89.97)]),
    st.sampled_from([150.0, 1120.0, 2500.0]),
    st.integers(1, 5),
)
@settings(max_examples=120, deadline=None)
def test_labels_on_grids_anywhere_are_those_of_the_definition(cells, centre, eps_m, min_samples):
    places = [
        None if cell is None else (centre[0] + cell[0] / 100, min(centre[1] + cell[1] / 100, 90))
        for cell in cells
    ]
    sites = frame_of(places)
    answer = dbscan(sites, eps_m=eps_m, min_samples=min_samples)
    assert as_list(answer.labels) == reference_labels(sites, eps_m, min_samples)


@quiet
def test_labels_do_not_depend_on_portions(monkeypatch):
    sites = cloud(150, 2)
    whole = dbscan(sites, eps_m=2000, min_samples=4)
    monkeypatch.setattr("geo._index._PAIRS", 40)
    pd.testing.assert_series_equal(dbscan(sites, eps_m=2000, min_samples=4).labels, whole.labels)


def test_distance_of_exactly_eps_counts_and_a_little_more_does_not():
    sites = frame_of([(103, 12), (103.01, 12.01)])
    metres = GEOD.inv(103, 12, 103.01, 12.01)[2]
    assert dbscan(sites, eps_m=metres, min_samples=2).n_clusters == 1
    assert dbscan(sites, eps_m=np.nextafter(metres, 0), min_samples=2).n_clusters == 0


@quiet
@given(st.integers(0, 1000), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_row_order_changes_only_numbers_and_ambiguous_border_sites(seed, order):
    sites = cloud(80, seed)
    one = dbscan(sites, eps_m=2500, min_samples=5)
    other = dbscan(sites.sample(frac=1, random_state=order), eps_m=2500, min_samples=5)
    both = pd.DataFrame({"one": one.labels, "other": other.labels.reindex(sites.index)})
    assert (both["one"].isna() == both["other"].isna()).all()
    assert ((both["one"] == -1) == (both["other"] == -1)).fillna(value=True).all()
    pairs = Counter(map(tuple, both[both["one"] >= 0].to_numpy().tolist()))
    strays = sum(pairs.values()) - sum(
        max(count for pair, count in pairs.items() if pair[0] == cluster)
        for cluster in range(one.n_clusters)
    )
    assert one.n_clusters == other.n_clusters
    assert one.n_ambiguous == other.n_ambiguous
    assert strays <= one.n_ambiguous


def test_border_site_between_two_clusters_goes_to_the_lower_number_and_is_counted():
    # two rows of four, and one site between their ends that is near one of each
    steps = [-0.05, -0.04, -0.03, -0.02, 0, 0.02, 0.03, 0.04, 0.05]
    sites = frame_of([(104 + step, 0) for step in steps])
    answer = dbscan(sites, eps_m=2300, min_samples=4)
    assert as_list(answer.labels) == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert answer.n_ambiguous == 1
    assert "more than one cluster" in answer.summary()


# ------------------------------------------------------------------ the answer


def test_counts_and_printouts_of_a_small_answer():
    sites = frame_of([(103, 12), (103.001, 12), (103.002, 12), (105, 12), None])
    answer = dbscan(sites, eps_m=500, min_samples=3)
    assert (answer.n_clusters, answer.n_noise, answer.n_unlocated) == (1, 1, 1)
    assert repr(answer) == (
        "Clustering(1 cluster, 1 noise, 1 without location; DBSCAN, eps_m=500, min_samples=3)"
    )
    summary = answer.summary()
    assert "4 located reports: 1 cluster; 1 report in none. The largest has 3 reports." in summary
    assert "1 report without a location could not be considered." in summary
    assert "500 m" in summary


def statuses_in_clusters(summary) -> dict[str, int]:
    """Read the sentence on statuses back."""
    sentence = summary.partition("Status of the reports in clusters: ")[2].partition(".")[0]
    return {tier: int(count) for count, tier in (part.split() for part in sentence.split(", "))}


TIERS = ["confirmed", "suspected", "rejected", "unknown"]


@quiet
@given(st.integers(0, 1000), st.lists(st.sampled_from([*TIERS, None]), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_summary_counts_every_tier_in_the_clusters(seed, mix):
    sites = cloud(60, seed)
    sites["status"] = np.random.default_rng(seed).choice(np.array(mix, dtype=object), len(sites))
    answer = dbscan(sites, eps_m=3000, min_samples=4)
    members = sites.loc[(answer.labels >= 0).fillna(value=False).to_numpy(dtype=bool), "status"]
    tally = members.fillna("unknown").value_counts().to_dict()
    summary = answer.summary()
    if not len(members):
        assert "Status" not in summary
        return
    said = statuses_in_clusters(summary)
    assert {tier: count for tier, count in said.items() if count} == tally
    assert said.keys() >= {"confirmed", "suspected"}
    assert sum(said.values()) == answer.to_frame()["size"].sum()
    for tier in ("rejected", "unknown"):
        assert (f"{tier} ({tally.get(tier)})" in summary) == (tier in tally)
    assert ("Caution: reports of status" in summary) == bool({"rejected", "unknown"} & set(tally))


def test_rejected_reports_are_members_only_with_a_caution():
    rows = [(103 + row / 1000, 12) for row in range(9)]
    sites = frame_of(rows, status=["confirmed"] * 5 + ["rejected"] * 3 + [None])
    summary = dbscan(sites, eps_m=250).summary()
    assert "Status of the reports in clusters: 5 confirmed, 0 suspected, 3 rejected, 1 " in summary
    assert "Caution: reports of status rejected (3) and unknown (1) count like any other" in summary
    claimed = sites.assign(status=["confirmed"] * 5 + ["suspected"] * 4)
    assert "Caution" not in dbscan(claimed, eps_m=250).summary()
    # beyond reach a rejected report is noise, and of no cluster
    sites.loc[8, "status"] = "suspected"
    sites.loc[5:7, "geometry"] = [Point(110 + row, 1) for row in range(3)]
    apart = dbscan(sites, eps_m=250).summary()
    assert "5 confirmed, 0 suspected." in apart
    assert "Caution" not in apart


@quiet
@pytest.mark.parametrize("dtype", ["category", "string", "object"])
def test_a_status_out_of_the_vocabulary_counts_as_unknown(dtype):
    status = pd.Series(["confirmed", "Confirmed", "alleged", pd.NA], dtype=dtype)
    summary = dbscan(frame_of([(103, 12)] * 4, status=status), eps_m=10, min_samples=3).summary()
    assert statuses_in_clusters(summary) == {"confirmed": 1, "suspected": 0, "unknown": 3}


def test_summary_says_when_no_report_carries_a_status():
    rows = [(103 + row / 1000, 12) for row in range(9)]
    assert "carry no status" in dbscan(frame_of(rows), eps_m=250).summary()
    assert "status" not in dbscan(frame_of(rows, radius=5.0), eps_m=10).summary()


def test_reports_without_location_are_spoken_of_only_if_there_are_any():
    placed = dbscan(frame_of([(103, 12), (104, 12)], radius=5.0), eps_m=10).summary()
    assert "Every report has a location." in placed
    assert "could not be considered" not in placed
    nothing = dbscan(frame_of([]), eps_m=10).summary()
    assert "could not be considered" not in nothing
    assert "has a location" not in nothing


@quiet
def test_printouts_hold_no_coordinate():
    sites = cloud(60, 3, locality="Somewhere")
    answer = dbscan(sites, eps_m=3000, min_samples=4)
    text = repr(answer) + answer.summary() + answer._repr_html_()
    for number in np.append(sites.geometry.dropna().x, sites.geometry.dropna().y):
        assert f"{number:.3f}" not in text


@quiet
def test_table_describes_each_cluster():
    sites = frame_of(
        [(103, 12), (103.01, 12), (103.01, 12), (103.03, 12), (110, 1), (110, 1), (110, 1), (0, 0)],
        radius=[100, 200, 300, 400, 5, np.nan, 5, 5],
        site_id=["d", "c", "b", "a", "x", "y", "z", "n"],
        status=[
            "confirmed",
            "suspected",
            "suspected",
            "rejected",
            "confirmed",
            None,
            "unknown",
            "confirmed",
        ],
        locality=["D", None, None, "A", "X", "X", "X", "N"],
        name=["d", "c", "of b", "a", "x", "y", "z", "n"],
    )
    table = dbscan(sites, eps_m=2500, min_samples=3).to_frame()
    assert list(table.columns) == COLUMNS
    first, second = table.to_dict("records")
    assert (first["size"], first["confirmed"], first["suspected"], first["n_places"]) == (
        4,
        1,
        2,
        3,
    )
    # the two reports at 103.01 have the least sum; of their two ids, the first
    assert (first["medoid"], first["place"]) == ("b", "of b")
    assert first["radius_m"] == pytest.approx(GEOD.inv(103.01, 12, 103.03, 12)[2], abs=1e-8)
    assert first["max_uncertainty_m"] == 400
    assert (second["size"], second["confirmed"], second["suspected"]) == (3, 1, 0)
    assert (second["n_places"], second["radius_m"], second["place"]) == (1, 0, "X")
    assert np.isnan(second["max_uncertainty_m"])


@quiet
def test_table_does_not_depend_on_row_order_beyond_the_numbers():
    sites = cloud(100, 11, site_id=[f"id{row:03}" for row in range(100)])
    one = dbscan(sites, eps_m=2000, min_samples=4)
    other = dbscan(sites.iloc[::-1], eps_m=2000, min_samples=4)
    assert one.n_ambiguous == 0
    pd.testing.assert_frame_equal(
        one.to_frame().drop(columns="cluster").sort_values("medoid", ignore_index=True),
        other.to_frame().drop(columns="cluster").sort_values("medoid", ignore_index=True),
    )


@quiet
def test_table_without_status_says_so_and_without_clusters_is_empty():
    sites = frame_of([(103, 12)] * 3, index=["r", "q", "p"])
    table = dbscan(sites, eps_m=10, min_samples=3).to_frame()
    assert table[["confirmed", "suspected"]].isna().all(axis=None)
    assert table["medoid"].tolist() == ["p"]
    empty = dbscan(sites, eps_m=10, min_samples=4).to_frame()
    assert len(empty) == 0
    assert (empty.dtypes == table.dtypes).all()


@pytest.mark.parametrize("rows", [[], [None, None]])
def test_frames_without_any_place_give_no_cluster(rows):
    answer = dbscan(frame_of(rows), eps_m=100)
    assert (answer.n_clusters, answer.n_noise, answer.n_unlocated) == (0, 0, len(rows))
    assert len(answer.labels) == len(rows)
    assert len(cluster_areas(answer)) == 0
    assert "0 clusters" in answer.summary()


@quiet
def test_hostile_names_are_shown_as_text():
    nasty = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    sites = frame_of([(103, 12)] * 5, locality=nasty, site_id=[f"{nasty}{row}" for row in range(5)])
    shown = dbscan(sites, eps_m=10)._repr_html_()
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown


@quiet
def test_clusterings_can_be_sent_to_other_processes():
    sites = cloud(60, 3)
    for answer in (
        dbscan(sites, eps_m=4000, min_samples=3),
        hdbscan(sites, min_cluster_size=4),
        optics(sites, min_samples=4),
    ):
        for copy in (pickle.loads(pickle.dumps(answer)), deepcopy(answer)):  # noqa: S301 - our own
            pd.testing.assert_series_equal(copy.labels, answer.labels)
            assert copy.parameters == answer.parameters
            assert copy.summary() == answer.summary()


@quiet
def test_a_notebook_shows_the_first_clusters_only_and_says_so():
    places = [(100 + 0.1 * i, 12) for i in range(25) for _ in range(3)]
    shown = dbscan(frame_of(places), eps_m=10, min_samples=3)._repr_html_()
    assert "The first 20 of 25 clusters." in shown
    assert shown.count("<tr") == 1 + 20


@quiet
def test_the_answer_keeps_its_own_copy_of_the_sites():
    sites = cloud(30, 5)
    before = sites.copy()
    answer = dbscan(sites, eps_m=1000)
    pd.testing.assert_frame_equal(sites, before)
    sites["uncertainty_m"] = 0.0
    pd.testing.assert_frame_equal(answer.sites, before)
    with pytest.raises(AttributeError):
        answer.method = "other"  # type: ignore[misc]


# ------------------------------------------------------------------ warnings


def test_shared_coordinates_and_coarse_radii_are_one_warning_in_plain_words():
    sites = frame_of(
        [(103, 12)] * 6 + [(104, 12)] * 2 + [(105, 12), None],
        radius=[5000.0] * 8 + [100.0, 5000.0],
        locality=["Poipet"] * 5 + ["Poi Pet", "Bavet", "Bavet", "Kampot", None],
    )
    with pytest.warns(ResolutionWarning) as caught:
        answer = dbscan(sites, eps_m=1000, min_samples=5)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert "8 of 9 located reports share their coordinate" in message
    assert "6 at Poipet" in message
    assert "Bavet" not in message
    assert "8 of 9 located reports are known less precisely than 1 km" in message
    assert "gazetteer" in message
    assert "count_by_area" in message
    assert "103" not in message
    assert message.removesuffix(advice(1000)).strip() in answer.summary()


def test_many_small_shared_places_warn_too_and_only_some_are_listed():
    places = [(103 + row / 10, 12) for row in range(7) for _ in range(2)]
    sites = frame_of(places, locality=[f"P{row}" for row in range(7) for _ in range(2)])
    with pytest.warns(ResolutionWarning, match="2 at P0, .* and 2 more places") as caught:
        dbscan(sites, eps_m=1000)
    assert "less precisely" not in str(caught[0].message)


def test_precise_and_separate_places_do_not_warn():
    rows = [(103 + row / 1000, 12) for row in range(9)] + [(103, 12)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = dbscan(frame_of(rows), eps_m=250)
    assert "Caution" not in answer.summary()


def test_unknown_radii_are_said_in_the_summary():
    rows = [(103 + row / 1000, 12) for row in range(9)]
    answer = dbscan(frame_of(rows).drop(columns="uncertainty_m"), eps_m=250)
    assert "no radius" in answer.summary()


# ------------------------------------------------------------------ areas


@quiet
def test_area_holds_every_place_that_the_radii_allow():
    sites = cloud(80, 6).assign(status="suspected")
    sites["uncertainty_m"] = np.random.default_rng(0).choice([30.0, 2000.0, 17_000.0], len(sites))
    answer = dbscan(sites, eps_m=4000, min_samples=4)
    areas = cluster_areas(answer)
    assert areas.crs == "EPSG:4326"
    assert list(areas.columns) == ["cluster", "size", "confirmed", "suspected", "geometry"]
    assert areas["size"].tolist() == areas["suspected"].tolist()
    assert areas.geometry.is_valid.all()
    for cluster, area in zip(areas["cluster"], areas.geometry, strict=True):
        members = sites[(answer.labels == cluster).fillna(value=False).to_numpy(dtype=bool)]
        for bearing in range(0, 360, 7):
            azimuth = np.full(len(members), bearing)
            lon, lat, _ = GEOD.fwd(
                members.geometry.x, members.geometry.y, azimuth, members["uncertainty_m"] * 0.9999
            )
            assert shapely.intersects_xy(area, lon, lat).all()


def test_area_of_a_long_chain_holds_its_middle():
    # 315 km along a geodesic, which runs 1.9 km north of the straight line in degrees
    chain = [(100, 45), *GEOD.npts(100, 45, 104, 45, 60), (104, 45)]
    sites = frame_of(chain, radius=[1500] + [250] * 60 + [1500])
    area = cluster_areas(dbscan(sites, eps_m=6000, min_samples=2)).geometry.iloc[0]
    for bearing in (0, 90, 180, 270):
        lon, lat = np.transpose(chain)
        lon, lat, _ = GEOD.fwd(lon, lat, np.full(62, bearing), np.full(62, 249.9))
        assert shapely.intersects_xy(area, lon, lat).all()


@quiet
def test_area_of_one_place_is_its_disc():
    sites = frame_of([(104, 12)] * 3, radius=2000.0)
    area = cluster_areas(dbscan(sites, eps_m=10, min_samples=3)).geometry.iloc[0]
    square_metres = abs(GEOD.geometry_area_perimeter(area)[0])
    assert np.pi * 2000**2 < square_metres < np.pi * 2000**2 * 1.002


def test_area_across_the_antimeridian_is_cut_there():
    sites = frame_of([(179.99, -17), (-179.99, -17), (180, -17.01)], radius=3000.0)
    with pytest.warns(ResolutionWarning):
        area = cluster_areas(dbscan(sites, eps_m=2500, min_samples=2)).geometry.iloc[0]
    assert area.geom_type == "MultiPolygon"
    assert area.is_valid
    west, _, east, _ = area.bounds
    assert (west, east) == (-180, 180)
    assert all(part.bounds[2] - part.bounds[0] < 0.1 for part in area.geoms)
    assert area.intersects(Point(179.99, -17))
    assert area.intersects(Point(-179.99, -17))
    assert not area.intersects(Point(0, -17))


@quiet
def test_area_around_a_pole_is_refused():
    sites = frame_of([(lon, 89.99) for lon in range(-180, 180, 60)])
    with pytest.raises(GeometryError, match="pole"):
        cluster_areas(dbscan(sites, eps_m=2000, min_samples=3))


@quiet
@pytest.mark.parametrize("radius", [10_001_966.0, 1e9, np.inf])
def test_a_radius_that_reaches_a_pole_from_anywhere_is_refused(radius):
    sites = frame_of([(104, 12)] * 3, radius=radius)
    with pytest.raises(GeometryError, match="pole"):
        cluster_areas(dbscan(sites, eps_m=10, min_samples=3))


@quiet
def test_area_needs_the_radius_of_every_clustered_site_and_of_no_other():
    sites = frame_of([(104, 12)] * 3 + [(90, 0)], radius=[5.0, 5.0, 5.0, np.nan])
    assert len(cluster_areas(dbscan(sites, eps_m=10, min_samples=3))) == 1
    sites.loc[1, "uncertainty_m"] = np.nan
    with pytest.raises(SchemaError, match="1 of 3 clustered sites") as caught:
        cluster_areas(dbscan(sites, eps_m=10, min_samples=3))
    assert caught.value.problems["row"].tolist() == [1]


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    "eps_m", [0, -1, np.nan, np.inf, "5000", "5 km", True, np.True_, None, pd.NA, [5000], 5j]
)
def test_eps_must_be_a_length(eps_m):
    with pytest.raises(ValueError, match="eps_m"):
        dbscan(cloud(5, 1), eps_m=eps_m)


@pytest.mark.parametrize("min_samples", [0, -3, 2.5, True, "5", None, np.nan])
def test_min_samples_must_count(min_samples):
    with pytest.raises(ValueError, match="min_samples"):
        dbscan(cloud(5, 1), eps_m=10, min_samples=min_samples)


def test_numbers_of_numpy_are_numbers():
    sites = cloud(20, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResolutionWarning)
        one = dbscan(sites, eps_m=2000, min_samples=3)
        other = dbscan(sites, eps_m=np.float32(2000), min_samples=np.int8(3))
    pd.testing.assert_series_equal(one.labels, other.labels)
    assert [type(value) for value in other.parameters.values()] == [float, int]


def test_areas_are_drawn_of_clusterings_only():
    sites = cloud(5, 1)
    for wrong in (sites, None, sites.geometry):
        with pytest.raises(TypeError, match=r"a Clustering, not a \w+: cluster_areas\(dbscan"):
            cluster_areas(wrong)


def test_radii_that_are_no_numbers_are_named():
    sites = frame_of([(103, 12), (104, 12)], radius=None)
    sites["uncertainty_m"] = ["5 km", "250"]
    with pytest.raises(SchemaError, match="1 of 2 radii are no numbers, such as 5 km"):
        dbscan(sites, eps_m=10)


def test_frames_that_cannot_be_clustered_are_refused():
    with pytest.raises(CRSError, match="no coordinate reference system"):
        dbscan(cloud(5, 1).set_crs(None, allow_override=True), eps_m=10)
    polygons = gpd.GeoDataFrame(geometry=[shapely.box(103, 12, 104, 13)], crs=4326)
    with pytest.raises(GeometryError, match="no points but Polygon"):
        dbscan(polygons, eps_m=10)


@quiet
def test_clusterings_compare_by_identity():
    answer = dbscan(frame_of([(103, 12)]), eps_m=10)
    assert isinstance(answer, Clustering)
    assert answer == answer  # noqa: PLR0124 - that it does not raise is the point
    assert answer != dbscan(frame_of([(103, 12)]), eps_m=10)
