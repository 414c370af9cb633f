"""HDBSCAN and OPTICS against scikit-learn, scipy, the definition itself, and worked by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Geod
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from shapely import Point

from geo.clustering import hdbscan, optics
from geo.errors import CRSError, GeometryError, ResolutionWarning, SchemaError

GEOD = Geod(ellps="WGS84")
SEMI_MAJOR_M = 6_378_137.0

# the clusters that the tests make on purpose out of shared places
pytestmark = pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")


def frame_of(lonlat, *, index=None, **columns) -> gpd.GeoDataFrame:
    geometry = [None if place is None else Point(place) for place in lonlat]
    columns["uncertainty_m"] = np.full(len(geometry), 5.0)
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326, index=index)


def clumps(n: int, seed: int, centre=(104.0, 12.0), spread=0.02) -> np.ndarray:
    """Places in groups of different density, none of them shared."""
    rng = np.random.default_rng(seed)
    middle = centre + 6 * spread * rng.standard_normal((4, 2))
    width = spread * np.array([0.2, 0.5, 1, 2])
    group = rng.integers(0, 4, n)
    lonlat = middle[group] + width[group, None] * rng.standard_normal((n, 2))
    return np.column_stack([(lonlat[:, 0] + 180) % 360 - 180, lonlat[:, 1]])


def around_pole(n: int, seed: int, pole: float) -> np.ndarray:
    """The same groups in the plane that touches a pole."""
    x, y = (clumps(n, seed, (0, 0), 0.02) * 111_320).T
    lat = 90 - np.hypot(x, y) / 111_690
    return np.column_stack([np.degrees(np.arctan2(y, x)), np.copysign(lat, pole)])


def globe(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    return np.column_stack([rng.uniform(-180, 180, n), lat])


WHERE = {
    "Cambodia": clumps(150, 1),
    "country": clumps(150, 2, spread=0.5),
    "continent": clumps(120, 3, (20, 10), spread=2.0),
    "antimeridian": clumps(150, 4, (180, -17), spread=0.05),
    "north pole": around_pole(150, 5, 1.0),
    "south pole": around_pole(150, 6, -1.0),
    "globe": globe(150, 7),
}
regions = pytest.mark.parametrize("lonlat", WHERE.values(), ids=WHERE)


def karney(lonlat) -> np.ndarray:
    """Lengths of all pairs, the same in both directions."""
    lon, lat = np.reshape(lonlat, (-1, 2)).T
    i, j = np.triu_indices(len(lon), 1)
    metres = np.zeros((len(lon), len(lon)))
    metres[i, j] = GEOD.inv(lon[i], lat[i], lon[j], lat[j])[2]
    return metres + metres.T


def mutual(metres, min_samples) -> np.ndarray:
    """Mutual reachability by its definition."""
    core = np.sort(metres, axis=1)[:, min_samples - 1]
    answer = np.maximum(np.maximum(metres, core[:, None]), core)
    np.fill_diagonal(answer, 0)
    return answer


def partition(labels) -> list[int]:
    """Number clusters by their first member, so that partitions can be compared."""
    numbers: dict[int, int] = {}
    return [numbers.setdefault(int(label), len(numbers)) if label >= 0 else -1 for label in labels]


# ------------------------------------------------------------------ the definition


def by_definition(reach, least):
    """
    HDBSCAN as Campello et al. define it, one level after the other, on a dense matrix.

    At each height, all joins of that height or more are undone at once; what then has at least
    `least` members is a cluster or goes on being one, and what has fewer leaves it.
    """
    reach = np.where(np.eye(len(reach), dtype=bool), 0, np.maximum(reach, 1e-6))
    clusters = []

    def grow(rows, birth, parent):
        number = len(clusters)
        clusters.append({"rows": rows, "birth": birth, "parent": parent, "leave": {}, "death": 0.0})
        while True:
            inner = reach[np.ix_(rows, rows)]
            tree = minimum_spanning_tree(inner).toarray()
            height = tree.max()
            tree[tree >= height] = 0
            _, part = connected_components(tree, directed=False)
            parts = [rows[part == at] for at in range(part.max() + 1)]
            large = [rows_of for rows_of in parts if len(rows_of) >= least]
            for rows_of in parts:
                if len(rows_of) < least:
                    clusters[number]["leave"].update(dict.fromkeys(rows_of.tolist(), height))
            if len(large) != 1:
                break
            rows = large[0]
        if large:
            clusters[number]["death"] = height
            for rows_of in large:
                clusters[number]["leave"].update(dict.fromkeys(rows_of.tolist(), height))
            for rows_of in large:
                grow(rows_of, height, number)

    grow(np.arange(len(reach)), np.inf, -1)
    return clusters


def chosen_by_definition(reach, least):
    """Labels, probabilities and persistence of the clusters with the greatest excess of mass."""
    clusters = by_definition(reach, least)

    def stability(number):
        own = clusters[number]
        return sum(1 / height - 1 / own["birth"] for height in own["leave"].values())

    def best(number):
        below = [at for at, own in enumerate(clusters) if own["parent"] == number]
        inner = [best(at) for at in below]
        total = sum(value for value, _ in inner)
        found = [row for _, rows in inner for row in rows]
        if number and stability(number) >= total:
            return stability(number), [number]
        return total, found

    labels, probability = np.full(len(reach), -1), np.zeros(len(reach))
    persistence = {}
    for number in best(0)[1]:
        own = clusters[number]
        rows = np.array(sorted(own["leave"]))
        leave = np.array([own["leave"][row] for row in rows])
        labels[rows] = number
        probability[rows] = leave.min() / leave
        persistence[int(rows.min())] = float(np.mean(1 - leave / own["birth"]))
    return partition(labels), probability, [persistence[row] for row in sorted(persistence)]


# ------------------------------------------------------------------ hdbscan


@pytest.mark.parametrize("apart", [1.0, 300.0, 8000.0, 49_000.0])
def test_optics_takes_a_place_at_exactly_the_greatest_distance(apart):
    rng = np.random.default_rng(11)
    for lon, lat in globe(20, 12):
        place = GEOD.fwd(lon, lat, rng.uniform(0, 360), apart)[:2]
        lonlat = [(lon, lat), place]
        within = float(karney(lonlat)[0, 1])
        other = float(GEOD.inv(*place, lon, lat)[2])
        answer = optics(frame_of(lonlat), min_samples=2, max_eps_m=max(within, other))
        assert answer.details["reachability_m"].iloc[1] == pytest.approx(within, abs=30e-9)
        nothing = optics(frame_of(lonlat), min_samples=2, max_eps_m=within - 1e-6)
        assert np.isinf(nothing.details["reachability_m"]).all()


def test_optics_tells_coincident_reports_apart_from_others():
    sites = frame_of([(104, 12)] * 5 + [(104.1, 12)] * 5 + [(104.5, 12.3)])
    answer = optics(sites, min_samples=3)
    assert answer.labels.tolist()[:10] == [0] * 5 + [1] * 5
    assert answer.details["core_distance_m"].iloc[:10].tolist() == [0] * 10


# ------------------------------------------------------------------ words and bad input


@pytest.mark.parametrize("method", [hdbscan, optics])
@pytest.mark.parametrize("many", [2, 3, 22])
def test_summary_counts_in_english(method, many):
    words = method(frame_of(clumps(40, 14)), min_samples=many).summary()
    assert f" {many} reports" in words or f"{many}nd" in words or f"{many}rd" in words
    assert f"{many}th" not in words


@pytest.mark.parametrize(("xi", "said"), [(0.05, "5%"), (0.2, "20%"), (0.004, "0.4%")])
def test_summary_says_how_steep_a_change_must_be(xi, said):
    assert f"at least {said}" in optics(frame_of(clumps(40, 14)), xi=xi).summary()


def test_methods_are_named_with_what_was_asked():
    sites = frame_of(clumps(40, 15))
    answer = hdbscan(sites, min_cluster_size=np.int16(4))
    assert dict(answer.parameters) == {"min_cluster_size": 4, "min_samples": 4}
    assert answer.method == "HDBSCAN"
    answer = optics(sites, max_eps_m=np.float32(5000), xi=np.float64(0.1))
    assert dict(answer.parameters) == {"min_samples": 5, "max_eps_m": 5000.0, "xi": 0.1}
    assert repr(answer).endswith("OPTICS, min_samples=5, max_eps_m=5000, xi=0.1)")
    assert answer.persistence is None


@pytest.mark.parametrize("wrong", [0, -1, 1, 2.5, "5", True, None, np.nan, [5]])
def test_sizes_must_count_from_2(wrong):
    sites = frame_of(clumps(10, 16))
    with pytest.raises(ValueError, match="min_cluster_size is"):
        hdbscan(sites, min_cluster_size=wrong)
    with pytest.raises(ValueError, match="min_samples is"):
        optics(sites, min_samples=wrong)
    if wrong not in (1, None):
        with pytest.raises(ValueError, match="min_samples is"):
            hdbscan(sites, min_samples=wrong)


@pytest.mark.parametrize("wrong", [0, 1, -0.1, 2, "0.05", True, None, np.nan, [0.05]])
def test_xi_must_be_a_share(wrong):
    with pytest.raises(ValueError, match="xi is"):
        optics(frame_of(clumps(10, 17)), xi=wrong)


@pytest.mark.parametrize("wrong", [0, -5, np.nan, np.inf, "5000", True, [5]])
def test_greatest_distance_must_be_a_length(wrong):
    with pytest.raises(ValueError, match="max_eps_m is"):
        optics(frame_of(clumps(10, 18)), max_eps_m=wrong)


@pytest.mark.parametrize("method", [hdbscan, optics])
def test_frames_that_cannot_be_clustered_are_refused_and_none_is_changed(method):
    sites = frame_of(clumps(30, 19))
    before = sites.copy()
    answer = method(sites)
    pd.testing.assert_frame_equal(sites, before)
    answer.sites.loc[0, "uncertainty_m"] = 99.0
    pd.testing.assert_frame_equal(sites, before)
    with pytest.raises(CRSError):
        method(sites.set_crs(None, allow_override=True))
    with pytest.raises(GeometryError, match="no points"):
        method(sites.set_geometry(sites.to_crs(32648).buffer(9).to_crs(4326)))
    with pytest.raises(SchemaError, match="negative"):
        # the radius is part of the answer: it is checked at once
        method(sites.assign(uncertainty_m=-1.0)).to_frame()


@pytest.mark.parametrize("method", [hdbscan, optics])
def test_shared_coordinates_warn_at_the_line_of_the_caller(method):
    sites = frame_of([(104, 12)] * 6 + [(105, 12), (106, 12)], locality="Somewhere")
    with pytest.warns(ResolutionWarning, match="6 at Somewhere") as caught:
        method(sites)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "eps_m" not in str(caught[0].message)


@pytest.mark.parametrize("method", [hdbscan, optics])
@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_product([list("abcd"), range(10)]),
        pd.Index(list("xyxy") * 10),
        pd.Index([1, "a", (), 2.5] * 10, dtype=object),
        pd.Index(np.arange(40, dtype="uint64") + np.uint64(2**63)),
    ],
    ids=["levels", "repeated", "mixed", "large"],
)
def test_labels_of_any_kind_are_kept(method, index):
    sites = frame_of(clumps(40, 20))
    plain, answer = method(sites), method(sites.set_axis(index))
    assert answer.labels.index.equals(index)
    assert answer.details.index.equals(index)
    assert answer.labels.tolist() == plain.labels.tolist()
    if method is optics:
        before = plain.details["predecessor"]
        assert answer.details["predecessor"].isna().tolist() == before.isna().tolist()
        assert answer.details["predecessor"].dropna().tolist() == (
            index.take(before.dropna().astype(int)).tolist()
        )
    assert len(answer.to_frame()) == answer.n_clusters > 0
