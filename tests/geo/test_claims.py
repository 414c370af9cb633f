"""Shares and months: exact intervals against published ones, and what unknown values leave open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
from geo._claims_intervals import clopper_pearson
from geo.claims import by_month, share
from geo.errors import SchemaError

RESPONSES = {"not_investigated": 30, "intervened_still_operating": 6, "unclear": 5, "closed": 12}
FAILED = {"state_response": ["not_investigated", "intervened_still_operating"]}


def reports(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def confirmed() -> pd.DataFrame:
    words = [word for word, n in RESPONSES.items() for _ in range(n)]
    return reports(status="confirmed", state_response=words)


# ------------------------------------------------------------------ intervals


@pytest.mark.parametrize(
    ("count", "n", "published"),
    [
        # Newcombe, R. G. (1998). Statistics in Medicine 17, 857-872, table I
        (81, 263, (0.2527, 0.3676)),
        (15, 148, (0.0578, 0.1617)),
        (0, 20, (0.0000, 0.1684)),
        (1, 29, (0.0009, 0.1776)),
    ],
)
def test_exact_intervals_are_the_published_ones(count, n, published):
    assert clopper_pearson(count, n, 0.95) == pytest.approx(published, abs=5e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.sampled_from([0.8, 0.95, 0.99]))
def test_exact_intervals_are_those_of_scipy(count, more, level):
    from scipy.stats import binomtest

    if count + more:
        known = binomtest(count, count + more).proportion_ci(level, method="exact")
        assert clopper_pearson(count, count + more, level) == pytest.approx(known, abs=1e-12)


def test_exact_intervals_cover_the_truth_at_least_as_often_as_they_say():
    from scipy.stats import binom

    n, truth = 30, np.linspace(0.02, 0.98, 49)
    ends = np.array([clopper_pearson(k, n, 0.95) for k in range(n + 1)])
    held = (ends[:, :1] <= truth) & (truth <= ends[:, 1:])
    chance = binom(n, truth).pmf(np.arange(n + 1)[:, None])
    assert ((held * chance).sum(axis=0) >= 0.95).all()


# ------------------------------------------------------------------ shares


def test_two_thirds_of_53_is_a_claim_with_bounds():
    found = share(confirmed(), FAILED)
    (row,) = found.to_frame().to_dict("records")
    assert (row["n"], row["yes"], row["no"], row["unknown"]) == (53, 36, 12, 5)
    assert (row["share_min"], row["share_max"]) == (36 / 53, 41 / 53)
    assert row["low"] == clopper_pearson(36, 53, 0.95)[0]
    assert row["high"] == clopper_pearson(41, 53, 0.95)[1]
    text = found.summary()
    assert "Of 53 reports (confirmed), state response is not investigated or" in text
    assert "for 36 and possibly for 5 more, for which it is not known: 68% to 77%" in text


def test_confirmed_and_suspected_stand_in_rows_of_their_own():
    sites = reports(
        status=["suspected", "confirmed", None, "confirmed", "suspected"],
        operating=["operating", "closed", "operating", "operating", "unknown"],
    )
    table = share(sites, {"operating": "operating"}).to_frame().set_index("status")
    assert list(table.index) == ["confirmed", "suspected", "unknown"]
    assert table["n"].tolist() == [2, 2, 1]
    assert table["yes"].tolist() == [1, 1, 1]
    assert table["unknown"].tolist() == [0, 1, 0]
    whole = share(sites, {"operating": "operating"}, by=None).to_frame()
    assert whole["rows"].tolist() == ["all"]
    assert whole["yes"].tolist() == [3]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=40))
def test_whatever_the_unknown_values_are_the_share_lies_in_the_bounds(values):
    condition = pd.Series(values, dtype="boolean", name="walls")
    (row,) = share(reports(site_id=range(len(values))), condition).to_frame().to_dict("records")
    assert row["yes"] + row["no"] + row["unknown"] == len(values)
    for guess in (True, False):
        truth = condition.fillna(guess).mean()
        assert row["share_min"] <= truth <= row["share_max"]
    assert row["low"] <= row["share_min"] <= row["share_max"] <= row["high"]


def test_conditions_on_several_columns_are_false_where_one_is():
    sites = reports(
        operating=["operating", "closed", "unknown", "operating"],
        abuses=["torture|forced_labour", None, "forced_labour", None],
    )
    asked = {"operating": "operating", "abuses": ["torture", "slavery"]}
    (row,) = share(sites, asked).to_frame().to_dict("records")
    # the second is closed and the third lacks both, whatever else is unknown of them
    assert (row["yes"], row["no"], row["unknown"]) == (1, 2, 1)


def test_a_word_for_unknown_can_be_asked_for():
    (row,) = share(confirmed(), {"state_response": "unclear"}).to_frame().to_dict("records")
    assert (row["yes"], row["unknown"]) == (5, 0)


def test_rows_of_one_source_widen_the_interval():
    rng = np.random.default_rng(3)
    truth = np.repeat(rng.random(12) < 0.5, 10)
    sites = reports(source=np.repeat([f"paper {i}" for i in range(12)], 10))
    condition = pd.Series(truth)
    exact = share(sites, condition).to_frame().iloc[0]
    drawn = share(sites, condition, resample="source", rng=1)
    row = drawn.to_frame().iloc[0]
    assert drawn.method == "bootstrap by source"
    assert row["high"] - row["low"] > 2 * (exact["high"] - exact["low"])
    # of twelve sources that agree within themselves, the share varies like that of twelve rows
    mean = truth.mean()
    assert row["high"] - mean == pytest.approx(1.96 * np.sqrt(mean * (1 - mean) / 12), rel=0.25)
    order = rng.permutation(len(sites))
    again = share(sites.iloc[order], condition.iloc[order], resample="source", rng=1)
    pd.testing.assert_frame_equal(again.to_frame(), drawn.to_frame())


def test_what_every_source_says_alike_is_as_sure_as_so_many_rows_and_one_source_says_nothing():
    sites = reports(source=["a"] * 10 + ["b"] * 10 + ["c"] * 4)
    for always in (True, False):
        condition = pd.Series([always] * 24)
        row = share(sites, condition, resample="source", rng=1).to_frame().iloc[0]
        ends = clopper_pearson(3 * always, 3, 0.95)
        assert (row["low"], row["high"]) == pytest.approx(ends)
    condition = pd.Series([True, False] * 12)
    row = share(sites.assign(source="a"), condition, resample="source").to_frame().iloc[0]
    assert (row["low"], row["high"]) == (0.0, 1.0)


def test_the_example_sites_can_be_asked_and_stay_as_they_are():
    sites = geo.example_sites()
    before = sites.copy()
    found = share(sites, {"operating": "operating"})
    assert found.to_frame()["n"].sum() == len(sites)
    pd.testing.assert_frame_equal(pd.DataFrame(sites), pd.DataFrame(before))
    assert "<b>" not in share(sites, sites["name"].notna().rename("<b>"))._repr_html_()


def test_what_cannot_be_counted_is_refused():
    sites = confirmed()
    with pytest.raises(ValueError, match="state_response has no value 'not investigated'"):
        share(sites, {"state_response": "not investigated"})
    with pytest.raises(SchemaError, match="no column 'walls'"):
        share(sites, {"walls": "yes"})
    with pytest.raises(SchemaError, match="no column 'country' to count by"):
        share(sites, FAILED, by="country")
    with pytest.raises(SchemaError, match="no column 'source' to draw by"):
        share(sites, FAILED, resample="source")
    with pytest.raises(ValueError, match="another index"):
        share(sites, pd.Series([True] * 53, index=range(1, 54)))
    with pytest.raises(TypeError, match="not of truth values"):
        share(sites, pd.Series(range(53)))
    with pytest.raises(TypeError, match="a Series of truth values"):
        share(sites, "state_response == 'closed'")
    with pytest.raises(ValueError, match="level is 95"):
        share(sites, FAILED, level=95)


def test_no_rows_have_no_share():
    found = share(confirmed().iloc[:0], FAILED)
    assert found.to_frame().empty
    assert found.summary()
    assert "0 reports" in repr(found)
    (row,) = share(confirmed().iloc[:0], FAILED, by=None).to_frame().to_dict("records")
    assert (row["n"], row["low"], row["high"]) == (0, 0.0, 1.0)
    text = share(confirmed().iloc[:0], FAILED, by=None).summary()
    assert text.startswith("There are no reports")
    assert "nan" not in text


# ------------------------------------------------------------------ months


def test_a_year_is_any_of_its_months_and_never_its_first():
    sites = reports(
        status=["confirmed", "confirmed", "confirmed", "suspected", "confirmed"],
        first_reported=["2024-02-11", "2024-02", "2024", "2023-12-31", None],
    )
    table = by_month(sites)
    counts = table[table["status"] == "confirmed"].set_index("month")
    assert counts.index[0] == "2023-12"
    assert counts.index[-2] == "2024-12"
    assert counts.loc["2024-01", ["count_min", "count_max"]].tolist() == [0, 1]
    assert counts.loc["2024-02", ["count_min", "count_max"]].tolist() == [2, 3]
    assert counts["count_min"].iloc[:-1].sum() == 2
    assert counts["count_max"].iloc[:-1].sum() == 1 + 1 + 12
    # the year is over before its report is sure, and may have begun with it
    assert counts["total_min"].iloc[:-1].tolist() == [0, 0] + [2] * 10 + [3]
    assert counts["total_max"].iloc[:-1].tolist() == [0, 1] + [3] * 11
    suspected = table[table["status"] == "suspected"].set_index("month")
    assert suspected["count_min"].tolist() == [1] + [0] * 13
    undated = table[table["month"].isna()].set_index("status")
    assert undated["count_max"].to_dict() == {"confirmed": 1, "suspected": 0}


dates = st.one_of(
    st.none(),
    st.integers(2019, 2022).map(str),
    st.dates(pd.Timestamp("2019-01-01").date(), pd.Timestamp("2022-12-31").date()).map(str),
    st.dates(pd.Timestamp("2019-01-01").date(), pd.Timestamp("2022-12-31").date()).map(
        lambda day: str(day)[:7]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(dates, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_any_days_that_partial_dates_may_mean_are_counted_within_the_bounds(values, random):
    table = by_month(reports(first_reported=values), by=None)
    undated = table[table["month"].isna()]["count_min"].item()
    assert undated == sum(value is None for value in values)
    days = [
        value if value is None or len(value) > 4 else f"{value}-{random.randint(1, 12):02d}"
        for value in values
    ]
    counts = pd.Series([day[:7] for day in days if day]).value_counts()
    months = table[table["month"].notna()].set_index("month")
    truth = counts.reindex(months.index).fillna(0)
    assert truth.sum() == len(values) - undated
    assert (months["count_min"] <= truth).all()
    assert (truth <= months["count_max"]).all()
    assert (months["total_min"] <= truth.cumsum()).all()
    assert (truth.cumsum() <= months["total_max"]).all()


def test_months_of_another_column_and_of_the_examples_lose_no_report():
    sites = geo.example_sites()
    table = by_month(sites, by=None)
    whole = table[table["month"].isna()]["count_min"].item() + sites["first_reported"].notna().sum()
    assert whole == len(sites)
    other = by_month(reports(seen=["2020-05-01T10:00Z"]), column="seen")
    assert other["month"].tolist()[0] == "2020-05"
    empty = by_month(reports(first_reported=[None, None]))
    assert empty["count_max"].tolist() == [2]
    assert by_month(reports(status=[], first_reported=[])).empty


def test_what_is_no_date_is_refused_with_all_its_rows():
    sites = reports(first_reported=["2024-13", "2024-02-30", "spring", "2024"])
    with pytest.raises(SchemaError) as caught:
        by_month(sites)
    assert caught.value.problems["row"].tolist() == [0, 1, 2]
    with pytest.raises(SchemaError, match="no column 'opened'"):
        by_month(sites, column="opened")
