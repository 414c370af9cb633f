import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

import geo
from geo._stability import stability_of
from geo.errors import ResolutionWarning
from geo.uncertainty import propagate


def sites_at(xy, radius):
    return gpd.GeoDataFrame(
        {"uncertainty_m": radius, "location_level": "village"},
        geometry=gpd.points_from_xy(*np.transpose(xy)),
        crs="EPSG:4326",
        index=[f"row {i}" for i in range(len(xy))],
    )


def clustered(labels):
    """Give a clustering that says what a test wants."""
    sites = sites_at(np.zeros((len(labels), 2)), 1.0)
    values = pd.Series(pd.array(labels, dtype="Int64"), index=sites.index, name="cluster")
    return geo.Clustering(values, "DBSCAN", {"eps_m": 1.0, "min_samples": 2}, sites, sites[[]])


def random_draws(n=14, draws=50, seed=1):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 4, (draws, n)).astype(float)
    labels[:, 3] = np.nan
    # numbers are those of clusters that there are
    for row in labels:
        used = np.unique(row[row >= 0])
        row[row >= 0] = np.searchsorted(used, row[row >= 0])
    own = [None if i == 3 else int(label) for i, label in enumerate(np.nan_to_num(labels[0]))]
    return clustered(own), labels


def test_pairs_are_counted_as_by_hand():
    reference, labels = random_draws()
    found = stability_of(reference, labels).co_assignment.toarray()
    for i in range(14):
        for j in range(14):
            together = (labels[:, i] == labels[:, j]) & (labels[:, i] >= 0)
            assert found[i, j] == together.mean()


def test_jaccard_is_that_of_the_sets_most_alike():
    reference, labels = random_draws()
    found = stability_of(reference, labels).jaccard
    own = reference.labels.to_numpy(float, na_value=np.nan)
    for cluster in range(reference.n_clusters):
        members = set(np.flatnonzero(own == cluster))
        best = []
        for row in labels:
            others = [set(np.flatnonzero(row == k)) for k in range(4)]
            best.append(max(len(members & other) / len(members | other) for other in others))
        assert found[cluster] == pytest.approx(np.mean(best))


def test_noise_and_consensus_by_site():
    labels = np.array([[0, 0, 1, 1, -1, np.nan]] * 3 + [[0, 1, 1, -1, -1, np.nan]] * 2, dtype=float)
    stable = stability_of(clustered([0, 0, 1, 1, -1, None]), labels)
    assert stable.noise[:5].tolist() == [0, 0, 0, 0.4, 1]
    assert np.isnan(stable.noise.iloc[5])
    assert stable.consensus[:5].tolist() == [0, 0, 1, 1, -1]
    assert stable.consensus.isna().tolist() == [False] * 5 + [True]
    assert stable.jaccard == pytest.approx([(3 * 1 + 2 * 1 / 2) / 5, (3 * 1 + 2 * 1 / 3) / 5])
    assert stable.verdict == ["stable", "doubtful"]
    assert stable.to_frame()["size"].tolist() == [2, 2]


def test_draws_without_any_cluster_make_every_cluster_unstable():
    stable = stability_of(clustered([0, 0, 0]), np.full((4, 3), -1.0))
    assert stable.jaccard.tolist() == [0]
    assert stable.co_assignment.nnz == 0
    assert stable.verdict == ["unstable"]
    assert stable.consensus.tolist() == [-1] * 3


def test_clusters_of_places_hold_and_clusters_of_a_gazetteer_fall_apart():
    rng = np.random.default_rng(4)
    measured = rng.normal([104.3, 12.8], 0.002, (20, 2))
    coded = np.tile([104.8, 12.8], (12, 1))
    sites = sites_at(np.vstack([measured, coded]), [100.0] * 20 + [6000.0] * 12)
    with pytest.warns(ResolutionWarning):
        result = propagate(
            lambda drawn: geo.dbscan(drawn, eps_m=800.0, min_samples=4), sites, n_draws=99, rng=1
        )
    assert result.stability.verdict == ["stable", "unstable"]
    assert result.stability.noise.iloc[20:].min() > 0.5
    assert (result.stability.consensus == 0).sum() == 20
    assert result.reported["clusters"] == 2
    assert result.median["clusters"] == 1
    text = result.summary()
    assert "1 stable (mean Jaccard above 0.75), 1 unstable (mean Jaccard below 0.6)." in text
    assert "doubtful" not in text
    assert "Caution" not in result.stability.summary()
    assert "All (32 reports): clusters 1 [1, 1], 2 as reported; sites in none" in text
    assert repr(result).startswith("Propagated(clusters 1 [1, 1], 2 as reported; posterior")
    assert "ClusterStability(99 draws; mean Jaccard 1.00, 0." in repr(result.stability)


def test_a_cluster_at_one_coordinate_that_holds_says_so_and_names_its_place():
    sites = sites_at([[104.3, 12.8]] * 5 + [[104.8, 12.8]], 3000.0).assign(locality="Example town")
    with pytest.warns(ResolutionWarning):
        result = propagate(
            lambda drawn: geo.dbscan(drawn, eps_m=9000.0, min_samples=4), sites, n_draws=9, rng=1
        )
    (row,) = result.stability.to_frame().to_dict("records")
    assert (row["place"], row["size"], row["n_places"]) == ("Example town", 5, 1)
    assert (row["jaccard"], row["verdict"]) == (1, "stable")
    assert "1 of the stable ones have a single coordinate" in result.stability.summary()
    assert "Example" not in result.summary()


def test_a_thousand_sites_are_redrawn_and_clustered_as_often_as_asked():
    rng = np.random.default_rng(1)
    xy = rng.uniform([103, 11], [106, 14], (20, 2))[rng.integers(0, 20, 1000)]
    sites = sites_at(xy + rng.normal(0, 0.02, (1000, 2)), 1000.0)
    sites.index = range(1000)
    result = propagate(lambda drawn: geo.dbscan(drawn, eps_m=2000.0), sites, n_draws=99, rng=2)
    together = result.stability.co_assignment
    assert together.shape == (1000, 1000)
    assert together.nnz < 200_000
    assert (together != together.T).nnz == 0
    assert together.diagonal() == pytest.approx(1 - result.stability.noise)
