"""Plots of draws, counts and shares: what is drawn is what the results say."""

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.collections import LineCollection, PolyCollection

import geo
import layers
from layers._paper import content

WINDOW = shapely.box(102.8, 10.8, 106.2, 14.2)
HOSTILE = "$\\frac{$ <b>"
pytestmark = pytest.mark.filterwarnings("ignore::geo.errors.ResolutionWarning")


def sites(n=40, uncertainty_m=8000.0, seed=5):
    xy = np.random.default_rng(seed).uniform((103, 11), (106, 14), (n, 2))
    columns = {
        "site_id": [f"s{i}" for i in range(n)],
        "status": (["confirmed", "suspected", "suspected"] * n)[:n],
        "uncertainty_m": uncertainty_m,
        "location_method": "assigned",
        "state_response": (["closed", "unknown", "not_investigated", "closed"] * n)[:n],
    }
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(*xy.T), crs=4326)


def drawn_by(statistic, frame=None, n_draws=29):
    frame = sites() if frame is None else frame
    return geo.propagate(statistic, frame, n_draws=n_draws, rng=1, progress=False)


def spans(axes):
    """Left end, right end and height of each line with caps."""
    return [
        (start[0], end[0], start[1])
        for lines in axes.collections
        if isinstance(lines, LineCollection)
        for start, end in lines.get_segments()
    ]


def dots(axes, label):
    (found,) = (c for c in axes.collections if c.get_label() == label)
    return found.get_offsets().data


def legend_of(figure):
    return [t.get_text() for t in figure.legends[0].get_texts()]


def note_of(figure):
    return " ".join(t.get_text() for t in figure.texts)


def names_of(axes):
    return [t.get_text() for t in axes.get_yticklabels()]


# ------------------------------------------------------------------------- draws


def west(frame):
    return int((frame.geometry.x < 104.5).sum())


def test_a_number_is_an_interval_for_each_set_of_rows():
    result = drawn_by(west, sites().assign(source=["A"] * 25 + ["B"] * 15))
    drawn = layers.plot(result)
    axes, table = drawn.axes[0], result.to_frame()
    assert names_of(axes) == ["all", "without the largest source"]
    assert names_of(axes) == table["rows"].tolist()
    wanted = [(row.low, row.high, i) for i, row in enumerate(table.itertuples())]
    assert spans(axes) == [pytest.approx(span) for span in wanted]
    assert dots(axes, "median of draws")[:, 0].tolist() == table["median"].tolist()
    assert dots(axes, "reported places")[:, 0].tolist() == table["reported"].tolist()
    assert "29 draws of the true places, what the places leave open" in note_of(drawn)
    assert drawn.alt == result.summary()


def test_a_measured_place_makes_the_interval_one_of_sensitivity():
    drawn = layers.plot(drawn_by(west, sites().assign(location_method="measured")))
    assert "a sensitivity interval" in " ".join(note_of(drawn).split())


def test_a_series_is_a_row_for_each_label_the_first_on_top():
    labels = [HOSTILE, "ភ្នំពេញ"]
    result = drawn_by(lambda f: pd.Series([west(f), len(f)], labels, dtype=float))
    drawn = layers.plot(result)
    axes = drawn.axes[0]
    assert names_of(axes) == labels
    assert spans(axes)[1] == pytest.approx((40, 40, 1))
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert HOSTILE.encode() not in content(drawn, "svg")
    assert b"frac{$ &lt;b&gt;" in content(drawn, "svg")


def test_a_long_series_says_what_is_left_out():
    result = drawn_by(lambda f: pd.Series(np.arange(26.0) + len(f), [f"v{i}" for i in range(26)]))
    drawn = layers.plot(result)
    assert names_of(drawn.axes[0]) == [f"v{i}" for i in range(20)]
    assert "6 more values are not drawn" in " ".join(note_of(drawn).split())


def test_a_function_of_distance_is_a_band():
    result = drawn_by(lambda f: geo.ripley_l(f, WINDOW))
    drawn = layers.plot(result)
    axes = drawn.axes[0]
    table = result.to_frame().query("rows == 'all'")
    (band,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    (path,) = band.get_paths()
    at = table["label"].to_numpy(float) / 1000
    x, y = path.vertices.T
    ends = {km: (y[x == km].min(), y[x == km].max()) for km in at[1:-1:20]}
    low, high = (dict(zip(at, table[name] / 1000, strict=True)) for name in ("low", "high"))
    assert ends == {km: pytest.approx((low[km], high[km])) for km in ends}
    median, reported = axes.lines
    assert median.get_ydata() == pytest.approx(table["median"].to_numpy() / 1000)
    assert reported.get_ydata() == pytest.approx(table["reported"].to_numpy() / 1000)
    assert axes.get_ylabel() == "L (km)"
    (gray,) = (p for p in axes.patches if mpl.colors.to_hex(p.get_facecolor()) == "#d9d5cc")
    assert gray.get_width() == pytest.approx(16)  # twice the radius
    assert {"not resolvable", "middle 95 % of draws"} <= set(legend_of(drawn))


def clustered(names):
    """A cluster known to the metre, and one whose reports may be far apart."""
    lonlat = [(104 + i / 1000, 12) for i in range(5)] + [(105 + i / 1000, 13) for i in range(5)]
    frame = sites(10, uncertainty_m=[1.0] * 5 + [20_000.0] * 5)
    frame = frame.set_geometry(gpd.points_from_xy(*np.transpose(lonlat), crs=4326))
    frame["locality"] = [names[0]] * 5 + [names[1]] * 5
    return drawn_by(lambda f: geo.dbscan(f, eps_m=500, min_samples=3), frame, n_draws=9)


def test_the_stability_of_clusters_is_bars_with_the_limits_of_verdicts():
    result = clustered([HOSTILE, "ភ្នំពេញ"])
    drawn = layers.plot(result.stability)
    assert len(layers.plot(result).axes[0].patches) == len(drawn.axes[0].patches) == 2
    axes = drawn.axes[0]
    widths = [bar.get_width() for bar in axes.containers[0]]
    assert widths == sorted(result.stability.jaccard, reverse=True)
    assert [line.get_xdata()[0] for line in axes.lines] == [0.6, 0.75]
    assert names_of(axes) == [HOSTILE, "ភ្នំពេញ"]
    assert "9 draws of the true places: 1 stable, 1 unstable." in note_of(drawn)
    assert {"unstable below 0.6", "stable above 0.75"} == set(legend_of(drawn))
    assert axes.get_xlim() == (0, 1)


def test_no_cluster_is_said_in_words():
    result = drawn_by(lambda f: geo.dbscan(f, eps_m=1.0, min_samples=9), n_draws=3)
    assert "3 draws of the true places: no cluster." in note_of(layers.plot(result.stability))


# ------------------------------------------------------------------------- counts


LINE = shapely.LineString([(104.5, 10), (104.5, 15)])


def test_a_count_within_a_distance_is_drawn_for_each_claim():
    frame = sites()
    frame.loc[3, "geometry"] = None
    result = geo.probability_within(frame, LINE, distance_m=30_000)
    drawn = layers.plot(result)
    axes, table = drawn.axes[0], result.to_frame()
    assert table["status"].tolist() == ["confirmed", "suspected"]
    for row, bars in zip(table.itertuples(), axes.containers[::2], strict=True):
        assert bars.get_label() == row.status
        middles = [bar.get_x() + bar.get_width() / 2 for bar in bars]
        heights = np.array([bar.get_height() for bar in bars])
        assert heights.sum() == pytest.approx(1, abs=0.01)
        assert heights @ np.round(middles) == pytest.approx(row.expected, abs=0.15)
        assert np.ptp(np.subtract(middles, np.round(middles))) == pytest.approx(0, abs=1e-9)
    ends = [span[:2] for span in spans(axes)]
    assert ends == [pytest.approx(pair) for pair in zip(table.surely, table.possibly, strict=True)]
    lines = [tuple(line.get_xdata()) for line in axes.lines if line.get_linewidth() > 2]
    assert lines == list(zip(table.low, table.high, strict=True))
    assert "and so possible only: 1." in " ".join(note_of(drawn).split())
    assert legend_of(drawn).count("95 % interval") == 1
    assert drawn.alt == result.summary()
    tops = [height for *_, height in spans(axes)]
    assert min(tops) > max(bar.get_height() for bars in axes.containers[::2] for bar in bars)
    assert axes.get_ylim()[1] > max(tops)


def test_the_bars_of_one_claim_are_the_distribution_of_the_result():
    result = geo.probability_within(sites().drop(columns="status"), LINE, distance_m=30_000)
    (bars,) = layers.plot(result).axes[0].containers[::2]
    seen = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in bars}
    assert seen == {count: pytest.approx(result.distribution[count], abs=1e-12) for count in seen}
    assert result.distribution.sum() - sum(seen.values()) < 0.01


def test_a_decided_count_is_one_bar_and_other_claims_have_a_colour():
    frame = sites(6, uncertainty_m=1.0).assign(status=HOSTILE)
    drawn = layers.plot(geo.probability_within(frame, LINE, distance_m=900_000))
    axes = drawn.axes[0]
    (bar,) = axes.containers[0]
    assert (round(bar.get_x() + bar.get_width() / 2), bar.get_height()) == (6, 1)
    assert HOSTILE in legend_of(drawn)
    assert content(drawn, "svg")


def test_a_count_of_no_report_is_refused():
    with pytest.raises(ValueError, match="no report"):
        layers.plot(geo.probability_within(sites(0), LINE, distance_m=1000))


# ------------------------------------------------------------------------- shares


@pytest.mark.parametrize("by", ["status", None])
def test_a_share_has_its_bounds_and_its_interval(by):
    result = geo.share(sites(), {"state_response": ["closed"]}, by=by)
    drawn = layers.plot(result)
    axes, table = drawn.axes[0], result.to_frame()
    bars = next(c for c in axes.containers if c.get_label() == "none to all of the unknown")
    found = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    assert found == [pytest.approx(p) for p in zip(table.share_min, table.share_max, strict=True)]
    assert spans(axes) == [
        pytest.approx((row.low, row.high, i)) for i, row in enumerate(table.itertuples())
    ]
    kinds = ["all reports"] if by is None else table["status"].tolist()
    assert names_of(axes) == [
        f"{kind}\n{row.yes} of {row.n}, {row.unknown} unknown"
        for kind, row in zip(kinds, table.itertuples(), strict=True)
    ]
    assert axes.get_xlim() == (0, 1)
    assert "Clopper-Pearson, for rows taken at random from more" in " ".join(note_of(drawn).split())
    assert "state response is closed" in drawn.axes[0].figure.alt


def test_hostile_values_of_a_share_stay_text():
    frame = sites().assign(kind=[HOSTILE, "ភ្នំពេញ"] * 20)
    drawn = layers.plot(geo.share(frame, frame["status"].eq("confirmed"), by="kind"))
    assert {name.split("\n")[0] for name in names_of(drawn.axes[0])} == {HOSTILE, "ភ្នំពេញ"}
    assert content(drawn, "svg")


# ------------------------------------------------------------------------- all of them


def all_results():
    return {
        "number": lambda: drawn_by(west),
        "curve": lambda: drawn_by(lambda f: geo.ripley_l(f, WINDOW)),
        "clusters": lambda: clustered(["A", "B"]),
        "within": lambda: geo.probability_within(sites(), LINE, distance_m=30_000),
        "share": lambda: geo.share(sites(), {"state_response": ["closed"]}),
    }


@pytest.mark.parametrize("kind", all_results())
def test_the_same_result_is_the_same_file_and_stands_on_any_axes(kind):
    result = all_results()[kind]()
    assert content(layers.plot(result), "svg") == content(layers.plot(result), "svg")
    own = mpl.figure.Figure()
    left, right = own.subplots(1, 2)
    assert layers.plot(result, ax=left, title=HOSTILE) is own
    assert left.get_title() == HOSTILE
    assert not right.lines
