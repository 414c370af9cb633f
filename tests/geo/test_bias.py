"""Reports by effort and without each source: exact numbers, and what is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, poisson
from shapely import box

import geo
from geo._claims_intervals import poisson_interval
from geo.bias import leave_one_out, reports_per_effort
from geo.errors import GeometryError, SchemaError

AREAS = gpd.GeoDataFrame(
    {"name": ["ជ្រៃ", "West", "East", "North"], "days": [10, 40, 0, None]},
    geometry=[box(x, 12.0, x + 0.5, 13.0) for x in (104.0, 104.5, 105.0, 105.5)],
    crs=4326,
)


def sites_at(lon, **columns):
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, [12.5] * len(lon)), crs=4326)


# ------------------------------------------------------------------ effort


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_intervals_of_counts_are_those_of_garwood_and_cover_as_often_as_they_say(level):
    n = np.arange(60)
    low, high = poisson_interval(n, level)
    tail = (1 - level) / 2
    assert low[1:] == pytest.approx(chi2.ppf(tail, 2 * n[1:]) / 2)
    assert high == pytest.approx(chi2.ppf(1 - tail, 2 * n + 2) / 2)
    assert low[0] == 0
    truth = np.linspace(0.05, 20, 300)
    held = (low[:, None] <= truth) & (truth <= high[:, None])
    assert ((held * poisson(truth).pmf(n[:, None])).sum(axis=0) >= level - 1e-9).all()


def test_where_people_looked_and_found_nothing_is_told_from_where_nobody_looked():
    sites = sites_at([104.1, 104.2, 104.3, 105.1, 110.0], status=["confirmed"] * 4 + ["suspected"])
    before, areas = sites.copy(), AREAS.copy()
    table = reports_per_effort(sites, AREAS, effort="days")
    rows = table[table["status"] == "confirmed"].set_index("area")
    assert rows["n"].to_dict() == {"ជ្រៃ": 3, "West": 0, "East": 1, "North": 0, "elsewhere": 0}
    assert rows.loc["ជ្រៃ", ["rate", "low", "high"]].tolist() == pytest.approx(
        [0.3, 0.0619, 0.8767], abs=5e-5
    )
    # nothing found in 40 days: the exact form of the rule of three, for both sides
    assert rows.loc["West", ["rate", "low", "high"]].tolist() == pytest.approx(
        [0.0, 0.0, -np.log(0.025) / 40]
    )
    for area in ("East", "North", "elsewhere"):
        assert np.isnan(rows.loc[area, "rate"])
        assert rows.loc[area, ["low", "high"]].tolist() == [0.0, np.inf]
    suspected = table[table["status"] == "suspected"].set_index("area")
    assert suspected["n"].sum() == suspected.loc["elsewhere", "n"] == 1
    assert table["n"].sum() == len(sites)
    pd.testing.assert_frame_equal(pd.DataFrame(sites), pd.DataFrame(before))
    pd.testing.assert_frame_equal(pd.DataFrame(AREAS), pd.DataFrame(areas))


def test_reports_without_status_are_unknown_and_no_reports_have_an_upper_end():
    table = reports_per_effort(sites_at([104.1]), AREAS, effort="days")
    assert table.groupby("status")["n"].sum().to_dict() == {
        "confirmed": 0,
        "suspected": 0,
        "unknown": 1,
    }
    empty = reports_per_effort(sites_at([]), AREAS, effort="days", level=0.9)
    assert empty["status"].unique().tolist() == ["confirmed", "suspected"]
    assert empty["high"].iloc[0] == pytest.approx(-np.log(0.05) / 10)


def test_efforts_are_checked():
    sites = sites_at([104.1])
    with pytest.raises(SchemaError, match="no column 'hours'"):
        reports_per_effort(sites, AREAS, effort="hours")
    for wrong in (-1, np.inf, "many"):
        days = AREAS["days"].astype(object).where(AREAS.index != 1, wrong)
        with pytest.raises(SchemaError, match="1 of 4 efforts") as caught:
            reports_per_effort(sites, AREAS.assign(days=days), effort="days")
        assert caught.value.problems["row"].tolist() == [1]
    with pytest.raises(ValueError, match="level is 95"):
        reports_per_effort(sites, AREAS, effort="days", level=95)
    with pytest.raises(GeometryError):
        reports_per_effort(sites, AREAS.set_geometry(AREAS.boundary), effort="days")


# ------------------------------------------------------------------ sources


def test_each_source_is_left_out_from_the_largest_on_and_rows_without_one_stay():
    sites = sites_at([104.1, 104.2, 104.3, 104.4, 104.5, 104.6], source=[*"bbacc", None])
    table = leave_one_out(lambda some: some.geometry.x.sum(), sites)
    assert table["left_out"].fillna("").tolist() == ["", "b", "c", "a"]
    assert table["n"].tolist() == [6, 4, 4, 5]
    assert table["change"].tolist() == pytest.approx([0, -208.3, -208.9, -104.3])
    assert table["value"].tolist() == pytest.approx([626.1, 417.8, 417.2, 521.8])
    assert table["problem"].isna().all()
    again = leave_one_out(lambda some: some.geometry.x.sum(), sites[::-1])
    assert again["left_out"].equals(table["left_out"])


def test_answers_keep_their_labels_and_failures_their_reason():
    sites = sites_at([104.1, 104.2, 105.3], source=[*"aab"], status=["confirmed", "suspected", "x"])

    def counts(some):
        if len(some) == 1:
            message = "Too few."
            raise ValueError(message)
        return some["status"].value_counts().reindex(["confirmed", "suspected"], fill_value=0)

    table = leave_one_out(counts, sites)
    assert table["label"].tolist() == ["confirmed", "suspected"] * 3
    assert table["value"].fillna(-1).tolist() == [1, 1, -1, -1, 1, 1]
    assert table["problem"].fillna("").tolist() == ["", "", "Too few.", "Too few.", "", ""]
    clusters = leave_one_out(lambda some: geo.dbscan(some, eps_m=20_000, min_samples=2), sites)
    found = clusters.set_index(["left_out", "label"])["value"]
    assert found["b", "clusters"] == 1
    assert found["a", "clusters"] == 0


def test_what_cannot_be_left_out_is_refused():
    sites = sites_at([104.1, 104.2], source=[*"ab"])
    with pytest.raises(SchemaError, match="no column 'paper'"):
        leave_one_out(len, sites, by="paper")
    with pytest.raises(ValueError, match="other labels"):
        leave_one_out(lambda some: some.geometry.x, sites)
    with pytest.raises(TypeError, match="answered a str"):
        leave_one_out(lambda _: "many", sites)
    only = leave_one_out(len, sites.assign(source=None))
    assert only["n"].tolist() == [2]
