"""The p-value of Clark and Evans' index: published values, level, power, and what it says."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from shapely import Polygon, box

import geo
from geo._sampling import streams

# clarkevans.test() of the R package spatstat.explore 3.0-6, correction "none", on the three
# classic patterns of tests/reference/patterns
NORMAL = {
    "redwood": (9.22261067515251e-09, 4.61130531105682e-09, 0.999999995388695),
    "japanesepines": (0.323573930158522, 0.838213034920739, 0.161786965079261),
}
# with Donnelly's correction and 999 simulations
SIMULATED = {"redwood": (0.002, 0.001, 1.0), "cells": (0.002, 1.0, 0.001)}
ALTERNATIVES = ("two-sided", "less", "greater")
PLANE = "EPSG:32648"
SQUARE = gpd.GeoSeries([box(0, 0, 1000, 1000)], crs=PLANE)
PATTERNS = Path(__file__).parents[1] / "reference" / "patterns"


def classic(name: str) -> tuple[gpd.GeoDataFrame, gpd.GeoSeries]:
    points = pd.read_csv(PATTERNS / f"{name}_points.csv", comment="#")
    ring = pd.read_csv(PATTERNS / f"{name}_window.csv", comment="#")
    places = gpd.points_from_xy(points["x"], points["y"])
    window = Polygon(ring[["x", "y"]].to_numpy(float))
    return gpd.GeoDataFrame(points, geometry=places, crs=PLANE), gpd.GeoSeries([window], crs=PLANE)


@pytest.mark.parametrize("name", NORMAL)
def test_the_normal_p_is_the_published_one(name):
    sites, window = classic(name)
    for alternative, p in zip(ALTERNATIVES, NORMAL[name], strict=True):
        index = geo.clark_evans(
            sites, window, correction="none", alternative=alternative, n_simulations=0
        )
        assert index.pvalue == pytest.approx(p, rel=1e-9)
        assert "normal approximation" in index.summary()


@pytest.mark.parametrize("name", SIMULATED)
def test_the_simulated_p_is_the_published_one(name):
    sites, window = classic(name)
    for alternative, p in zip(ALTERNATIVES, SIMULATED[name], strict=True):
        index = geo.clark_evans(
            sites, window, correction="donnelly", alternative=alternative, rng=1
        )
        assert index.pvalue == pytest.approx(p, abs=1e-12)


def test_the_p_is_the_rank_among_random_patterns():
    sites = geo.csr(SQUARE).simulate(50, rng=3).to_frame("geometry").assign(uncertainty_m=1.0)
    found = geo.clark_evans(sites, SQUARE, correction="none", n_simulations=19, rng=5)
    model, indices = geo.csr(SQUARE), []
    for stream in streams(5, 19):
        xy = model.draw(50, stream)
        apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        np.fill_diagonal(apart, np.inf)
        indices.append(2 * apart.min(axis=1).mean() * np.sqrt(50 / 1e6))
    below = sum(index <= found.statistic for index in indices) + 1
    above = sum(index >= found.statistic for index in indices) + 1
    assert found.pvalue == pytest.approx(min(1, 2 * min(below, above) / 20))


@pytest.mark.parametrize("correction", ["none", "cdf", "guard"])
def test_the_level_is_kept_whatever_the_correction(correction):
    model, rejected, runs = geo.csr(SQUARE), 0, 300
    guard = 80 if correction == "guard" else None
    for run in range(runs):
        sites = model.simulate(25, rng=run).to_frame("geometry").assign(uncertainty_m=1.0)
        index = geo.clark_evans(
            sites, SQUARE, correction=correction, guard_m=guard, n_simulations=39, rng=run + 1000
        )
        rejected += index.pvalue <= 0.05
    low, high = binom.ppf([0.001, 0.999], runs, 0.05)
    assert low <= rejected <= high


def test_one_stream_per_simulation_whatever_the_threads(monkeypatch):
    sites = geo.csr(SQUARE).simulate(60, rng=1).to_frame("geometry").assign(uncertainty_m=1.0)
    answers = set()
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        answers.add(geo.clark_evans(sites, SQUARE, n_simulations=99, rng=7).pvalue)
    assert len(answers) == 1


def test_what_it_says_and_refuses():
    sites = geo.csr(SQUARE).simulate(30, rng=1).to_frame("geometry").assign(uncertainty_m=1.0)
    index = geo.clark_evans(sites, SQUARE, n_simulations=99, rng=1)
    assert "99 random patterns" in index.summary()
    assert "concentration of reports" in index.summary()
    assert index.to_frame()["pvalue"].item() == index.pvalue
    plain = geo.clark_evans(sites, SQUARE, n_simulations=0)
    assert np.isnan(plain.pvalue)
    assert "p =" not in plain.summary()
    for wrong, message in (
        ({"alternative": "clustered"}, "alternative is 'clustered'"),
        ({"correction": "edge"}, "correction is 'edge'"),
        ({"correction": "guard"}, "give guard_m"),
        ({"correction": "guard", "guard_m": 490.0}, "No site is 490 m"),
        ({"n_simulations": -1}, "n_simulations"),
    ):
        with pytest.raises(ValueError, match=message):
            geo.clark_evans(sites, SQUARE, **wrong)
    with pytest.raises(ValueError, match="1 site with a location"):
        geo.clark_evans(sites.iloc[:1], SQUARE)
