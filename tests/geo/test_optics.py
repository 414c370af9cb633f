from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pytest
from sklearn.cluster import OPTICS

import geo
from geo.geodesy import geodesic_length


def scattered(n: int, seed: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    centre = rng.uniform([103, 11], [107, 14], (12, 2))
    places = centre[rng.integers(0, 12, n)] + rng.normal(0, 0.05, (n, 2))
    return gpd.GeoDataFrame(
        {"uncertainty_m": 10.0}, geometry=gpd.points_from_xy(*places.T), crs=4326, index=range(n)
    )


@pytest.mark.parametrize("most", [None, 20_000.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_reachability_and_labels_are_those_of_scikit_learn(seed, most):
    sites = scattered(300, seed)
    lon, lat = sites.geometry.x.to_numpy(), sites.geometry.y.to_numpy()
    apart = geodesic_length(lon[:, None], lat[:, None], lon, lat)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reach = np.inf if most is None else most
        expected = OPTICS(min_samples=5, metric="precomputed", max_eps=reach).fit(apart)
    found = geo.optics(sites, min_samples=5, max_eps_m=most)
    order = found.details["order"].to_numpy(dtype=int)
    assert (np.argsort(order) == expected.ordering_).all()
    reachability = found.details["reachability_m"].to_numpy()
    finite = np.isfinite(expected.reachability_)
    assert (np.isfinite(reachability) == finite).all()
    assert reachability[finite] == pytest.approx(expected.reachability_[finite], abs=1e-7)
    assert found.labels.tolist() == expected.labels_.tolist()


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_fewer_sites_than_a_core_needs_are_noise(n):
    found = geo.optics(scattered(5, 4).iloc[:n], min_samples=4)
    assert found.labels.tolist() == [-1] * n


def test_rows_without_a_place_stay_without_an_answer():
    sites = scattered(30, 5)
    sites.loc[3, "geometry"] = None
    found = geo.optics(sites, min_samples=4)
    assert found.labels.isna().sum() == found.details["order"].isna().sum() == 1
