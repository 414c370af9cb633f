"""The columns of a page: read back exactly, the same in every process, and nothing besides."""

import base64
import os
import subprocess
import sys
import unicodedata
import zlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from column_reader import rows_of, unpack
from hypothesis import example, given
from hypothesis import strategies as st

import geo
import layers
from layers.columns import (
    along_curve,
    number_column,
    pack,
    steps_column,
    values_column,
    words_column,
    words_of,
)
from layers.text import plain

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "អូរស្មាច់ <b>ខ្មែរ</b>",
    "مجمع \u202eoverride \u2066isolate",
    "\u2028line\u2029end\u0000nul",
    "</script><script>alert(1)</script>",
    "lone \ud800 surrogate",
    "e\u0301 and \u00e9",
    "tab\tand\nline",
    "\U0001f5fa",
]


def back(values):
    return unpack(pack({"x": words_column(words_of(pd.Series(values, dtype=object)))}))["x"]


@given(st.lists(st.one_of(st.text(max_size=8), st.none(), st.sampled_from(HOSTILE)), min_size=1))
@example(["", None])
@example([None])
def test_texts_come_back(values):
    assert back(values) == [plain(v) for v in values]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"KH-{i:04d}" for i in range(50)], "numbered"),
        ([f"s{i}" for i in range(50)], "numbered"),
        (["9", "10", "100"], "numbered"),
        (["7"], "numbered"),
        (["x7"], "numbered"),
        (["x0", "x00"], "words"),  # one padding cannot give both
        (["x1", "x01"], "words"),
        (["a1", "b1"], "words"),
        (["x1", "x"], "words"),
        (["x1", ""], "words"),
        (["x1", "x²"], "words"),  # a digit to Unicode, not to a reader of numbers
        (["x1", "x٣"], "words"),
        (["n9999999999", "n1"], "words"),
        (["a"] * 9, "words"),
        ([f"{i} words" for i in range(70_000)], "text"),
        ([f"{i % 30_000} words" for i in range(70_000)], "words"),
    ],
    ids=str,
)
def test_each_form_of_text_is_exact(values, kind):
    column = words_column(words_of(pd.Series(values, dtype=object)))
    assert column.about["kind"] == kind
    assert unpack(pack({"x": column}))["x"] == values


@given(st.permutations([f"s{i}" for i in range(12)]))
def test_words_are_in_their_order_so_that_dates_can_be_compared_by_code(values):
    dates = ["2024", "2024-03", "2023-12-31", "", "2024-03-01"]
    words = words_of(pd.Series([*dates, *values], dtype=object))
    assert words.words == sorted(words.words)
    assert [words.words[i] for i in words.codes] == [*dates, *values]


def test_what_is_equal_but_reads_otherwise_stays_apart():
    values = [1, True, 1.0, "1", np.int64(1), [1]]
    assert back(values) == ["1", "True", "1.0", "1", "1", "[1]"]


@pytest.mark.parametrize(
    "series",
    [
        pd.Series(["b", None, "a", "b"], dtype="category"),
        pd.Series(pd.Categorical(["b", None, "a"], categories=["c", "b", "a"])),
        pd.Series(["b", pd.NA, "a"], dtype="string"),
        pd.Series(["b", None, "a"], dtype=str),
        pd.Series([True, False, True]),
        pd.Series([True, None], dtype="boolean"),
        pd.Series(pd.to_datetime(["2024-03-01", None])),
        pd.Series([np.float32(0.1), np.float32(np.nan)]),
        pd.Series([2**60, 2**60 + 1]),
        pd.Series([], dtype=str),
    ],
    ids=lambda s: str(s.dtype),
)
def test_columns_of_every_type_read_as_their_texts(series):
    assert unpack(pack({"x": values_column(series)}))["x"] == [plain(v) for v in series]


NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(2**40), 2**40).map(float),
    st.decimals(-1000, 1000, places=3).map(float),
)


@given(st.lists(NUMBERS, max_size=30))
@example([0.0, 2.0**32 - 3])
@example([0.0, 2.0**32 - 2])
@example([0.0, 2.0**53])
@example([0.1 + 0.2])
def test_numbers_come_back_exactly(values):
    found = unpack(pack({"x": number_column(np.array(values, dtype=float))}))["x"]
    assert np.array_equal(found, np.array(values, dtype=float), equal_nan=True)


def test_numbers_with_few_decimals_are_short():
    assert number_column(np.array([0.25, 1.0, np.nan])).about["kind"] == "number"
    assert number_column(np.array([5000.0, 8000.0])).about["width"] == 2
    assert number_column(np.array([np.pi])).about["kind"] == "float"
    assert number_column(np.array([np.inf, 1.0])).about["kind"] == "float"


def test_whole_numbers_of_a_table_are_numbers():
    for dtype in ("int64", "uint8", "Int64", "float64", "Float64"):
        column = values_column(pd.Series([3, 1, 2], dtype=dtype))
        assert column.about["kind"] == "number"
        assert unpack(pack({"x": column}))["x"] == [3, 1, 2]


UNITS = st.integers(-18_000_000, 36_000_000)


@given(st.lists(st.tuples(UNITS, UNITS), min_size=1, unique=True, max_size=60), st.randoms())
def test_the_order_along_the_curve_is_of_the_points_alone(points, random):
    x, y = np.array(points).T
    order = along_curve(x, y)
    assert sorted(order) == list(range(len(points)))
    shuffled = random.sample(points, len(points))
    u, v = np.array(shuffled).T
    again = along_curve(u, v)
    assert [points[i] for i in order] == [shuffled[i] for i in again]


def test_the_curve_steps_from_neighbour_to_neighbour():
    """On a full square of 2**k points Hilbert's curve never leaps."""
    side = 32
    x, y = (a.ravel() for a in np.meshgrid(np.arange(side), np.arange(side)))
    # The square is stretched over the curve's own, of which it fills every (2**16 - 1) / 31st.
    order = along_curve(x, y)
    steps = np.abs(np.diff(x[order])) + np.abs(np.diff(y[order]))
    assert (steps == 1).all()


@given(st.lists(UNITS, max_size=40))
def test_steps_come_back(values):
    column = steps_column(np.array(values, dtype=np.int64))
    assert unpack(pack({"x": column}))["x"] == values


def made(n, seed=3):
    """Rows with every column of a card, many at one place, some without."""
    rng = np.random.default_rng(seed)
    lonlat = np.round(rng.uniform([102, 10], [107, 14], (n, 2)), 1)
    geometry = shapely.points(lonlat)
    geometry[::7] = None
    return gpd.GeoDataFrame(
        {
            "site_id": [f"s{i}" for i in range(n)],
            "name": pd.Series([HOSTILE[i % len(HOSTILE)] for i in range(n)], dtype=object),
            "status": rng.choice(["confirmed", "suspected", "rejected"], n),
            "locality": [f"Place {i % 11}" for i in range(n)],
            "first_reported": [f"20{i % 24:02d}-{1 + i % 12:02d}" for i in range(n)],
            "source_url": [f"https://example.org/{i % 5}" for i in range(n)],
            "uncertainty_m": rng.choice([500.0, 8000.0, np.nan], n),
            "share": np.round(rng.random(n), 2),
        },
        geometry=geometry,
        crs=4326,
    )


def test_every_row_comes_back_with_its_place_and_its_words():
    frame = made(400).sample(frac=1, random_state=1)
    rows = rows_of(layers.site_layer(frame, details=["share"]))
    by_id = frame.set_index("site_id")
    assert sorted(rows.cards["site_id"]) == sorted(by_id.index)
    for i, name in enumerate(rows.cards["site_id"]):
        row = by_id.loc[name]
        assert rows.status[i] == row["status"]
        for column in ("name", "locality", "first_reported", "source_url"):
            assert rows.cards[column][i] == plain(row[column])
        assert rows.details["share"][i] == row["share"]
        assert rows.cards["radius"][i] == pytest.approx(row["uncertainty_m"], nan_ok=True)
        if row.geometry is None:
            assert rows.place[i] == -1
        else:
            assert rows.places[rows.place[i]] == (row.geometry.x, row.geometry.y)


def test_the_order_of_rows_changes_no_byte():
    frame = made(200)
    expected = layers.site_layer(frame).payload
    discs = layers.uncertainty_layer(frame).payload
    for seed in range(3):
        shuffled = frame.sample(frac=1, random_state=seed)
        assert layers.site_layer(shuffled).payload == expected
        assert layers.uncertainty_layer(shuffled).payload == discs


def test_reports_of_one_place_follow_their_numbers():
    points = shapely.points([(104, 11)] * 12)
    frame = gpd.GeoDataFrame({"site_id": [f"s{i}" for i in range(12)]}, geometry=points, crs=4326)
    assert rows_of(layers.site_layer(frame.iloc[::-1])).cards["site_id"] == [*frame["site_id"]]


def bytes_of(layer):
    packs = [p for p in layer.payload.values() if isinstance(p, dict)]
    return b"".join(zlib.decompress(base64.b64decode(p["bytes"]), -15) for p in packs)


@pytest.mark.filterwarnings("ignore::geo.errors.SensitivityWarning")
def test_values_of_no_other_column_are_in_the_bytes():
    frame = made(50)
    private = ["notes", "verbatim_location", "source_file", "evidence", "admin2", "sensitivity"]
    canary = [f"CANARY-{i}-7f3e" for i in range(50)]
    frame = frame.assign(**dict.fromkeys(private, canary))
    layer, discs = layers.site_layer(frame), layers.uncertainty_layer(frame)
    assert b"CANARY" not in bytes_of(layer) + bytes_of(discs)
    assert "CANARY" not in str(layer.payload) + str(discs.payload)
    assert b"CANARY-49-7f3e" in bytes_of(layers.site_layer(frame, details=["notes"]))


def test_no_finer_coordinate_is_in_the_bytes():
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(104.912345678, 11.598765432)], crs=4326)
    assert rows_of(layers.site_layer(frame)).places == [(104.91235, 11.59877)]


def test_the_bytes_are_the_same_in_every_process():
    code = (
        "import hashlib, json, geo, layers; layer = layers.site_layer(geo.example_sites());"
        "print(hashlib.sha256(json.dumps(layer.payload).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_a_hundred_thousand_rows_stay_below_two_megabytes():
    rng = np.random.default_rng(7)
    n = 100_000
    frame = gpd.GeoDataFrame(
        {
            "site_id": [f"KH-{i:07d}" for i in range(n)],
            "name": [f"Name {i}" for i in rng.integers(0, 4800, n)],
            "status": rng.choice(["confirmed", "suspected"], n),
            "first_reported": np.datetime_as_string(
                np.datetime64("2012-01-01") + rng.integers(0, 3650, n)
            ),
            "source_url": [f"https://example.org/report/{i}" for i in rng.integers(0, 200, n)],
            "share": np.round(rng.random(n), 2),
        },
        geometry=shapely.points(rng.normal([104.9, 12], 0.8, (n, 2))),
        crs=4326,
    )
    layer = layers.site_layer(frame, details=["share"])
    assert sum(len(p["bytes"]) for p in layer.payload.values() if isinstance(p, dict)) < 1.6e6


def test_hostile_texts_are_plain_before_they_are_packed():
    rows = rows_of(layers.site_layer(made(60)))
    for text in rows.cards["name"]:
        assert text == unicodedata.normalize("NFC", text)
        assert not {unicodedata.category(c) for c in text} & {"Cc", "Cs"}


def test_the_example_reports_are_all_there():
    rows = rows_of(layers.site_layer(geo.example_sites()))
    assert (len(rows.place), rows.place.count(-1), len(rows.places)) == (97, 18, 30)
