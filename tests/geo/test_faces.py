"""What a notebook's output holds of sites that are not public, and that all else is as before."""

import re
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import nbformat
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from nbclient import NotebookClient

from geo._faces import coarse_view

ROOT = Path(__file__).parents[2]
LAT, LON = 12.853417, 104.556982
DIGITS = ("853", "5569", "5570", "12,85", "12°")  # of the place, as a face may hold them

MAKE = f"""
import geopandas as gpd, pandas as pd, shapely
table = {{
    "site_id": ["secret", "open", "nowhere"],
    "sensitivity": pd.Categorical(["protected", "public", None]),
    "verbatim_location": ["12°51'12.3\\"N, by the mill", "13.111222, 105.333444", None],
    "latitude": [{LAT}, 13.111222, None],
    "Breite": [{LAT}, 13.111222, None],
    "Decimal Longitude": ["{LON}", "105.333444", "104.556982"],
    "gps": ["48P {LAT}", "a", "b"],
    "location_note": ["map link @{LAT},{LON}", "map link @13.111222", "no link, 1,250 people"],
    "uncertainty_m": [250.125, 30.5, 17000.0],
}}
places = [shapely.Point({LON}, {LAT}), shapely.Point(105.333444, 13.111222), None]
sites = gpd.GeoDataFrame(table, geometry=places, crs=4326)
sites["disc"] = sites.geometry.buffer(0.004)
same = sites.copy(deep=True)
bare = sites.drop(columns="sensitivity")
public = sites.assign(sensitivity="public")
class Named(gpd.GeoDataFrame):
    def _repr_html_(self):
        return "a face of its own"
named = Named(bare)
"""
SHOWN = ("bare", "public", "[bare, public]", "named", "pd.DataFrame(sites)", "sites.geometry")
HIDDEN = (
    "sites",
    "sites.drop(columns=['disc', 'verbatim_location'])",
    "[sites]",
    "sites.to_crs(32648)",
    "sites.set_crs(None, allow_override=True)",
    "sites.set_geometry('disc')",
)
OPTIONS = {
    "'display.max_columns', 3, 'display.html.border', 7": "'display.max_columns', None",
    "'display.notebook_repr_html', False": "'display.notebook_repr_html', True",
    "'display.large_repr', 'info'": "'display.large_repr', 'truncate'",
    "'styler.render.repr', 'latex'": "'styler.render.repr', 'html'",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What cells of a real notebook give, before geo is imported and after."""
    cells = [MAKE, *SHOWN, "import geo", *(f"{word}  # after" for word in SHOWN), *HIDDEN]
    cells += ["pd.testing.assert_frame_equal(sites, same)", "pd.set_option('display.max_rows', 2)"]
    for option, back in OPTIONS.items():
        cells += [f"pd.set_option({option})", f"sites  # {option}", f"pd.set_option({back})"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        patch.setenv("IPYTHONDIR", str(folder))
        beside = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=beside).execute()
    return {cell.source: cell.outputs for cell in notebook.cells}


def data(outputs, cell):
    """The formats of one cell's only output."""
    (output,) = outputs[cell]
    assert output.output_type == "execute_result"
    return dict(output.data)


@pytest.mark.parametrize("cell", SHOWN)
def test_other_frames_are_displayed_exactly_as_before(outputs, cell):
    before = data(outputs, cell)
    assert data(outputs, f"{cell}  # after") == before
    assert cell == "named" or "12.85342" in before["text/plain"]


def test_the_frame_itself_stays_as_it_is(outputs):
    assert outputs["pd.testing.assert_frame_equal(sites, same)"] == []


@pytest.mark.parametrize("cell", [*HIDDEN, *(f"sites  # {option}" for option in OPTIONS)])
def test_no_format_of_an_output_holds_the_digits(outputs, cell):
    said = "".join(map(str, data(outputs, cell).values()))
    assert not [digits for digits in DIGITS if digits in said]


@pytest.mark.parametrize("format_", ["text/html", "text/plain"])
def test_rows_that_are_not_public_are_marked_and_others_are_exact(outputs, format_):
    shown = data(outputs, HIDDEN[1])[format_]
    assert shown.count("POINT (104.6 12.9), rounded: not public") == 1
    assert "POINT (105.33344 13.11122)" in shown
    assert shown.count("withheld in this view") == 5
    assert "no link, 1,250 people" in shown


def test_options_of_pandas_are_respected(outputs):
    framed, plain, info, latex = (data(outputs, f"sites  # {option}") for option in OPTIONS)
    assert 'border="7"' in framed["text/html"]
    assert re.search(r"3 rows . 11 columns", framed["text/html"])
    assert "Decimal Longitude" not in framed["text/html"]
    assert "text/html" not in plain
    assert "RangeIndex: 3 entries" in info["text/plain"]
    assert "rounded: not public" in latex["text/latex"]


# ---------------------------------------------------------------------------- in this process


def frame_of(*points, **columns):
    base = {"sensitivity": ["protected"] * len(points)}
    return gpd.GeoDataFrame(base | columns, geometry=list(points), crs=4326)


PLACE = shapely.Point(LON, LAT)


@pytest.mark.parametrize(
    ("marks", "hidden"),
    [
        (["public", "public"], []),
        (["public", "restricted"], [1]),
        (["protected", "public"], [0]),
        ([None, "Public"], [0, 1]),  # what nobody decided is not public
        (pd.array([pd.NA, "public"], dtype="string"), [0]),
        (pd.Categorical([None, "public"]), [0]),
    ],
    ids=str,
)
def test_only_rows_that_say_public_are_public(marks, hidden):
    view = coarse_view(frame_of(PLACE, PLACE).assign(sensitivity=marks))
    shown = [] if view is None else view["geometry"].str.contains("rounded").to_numpy().nonzero()[0]
    assert list(shown) == hidden


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (PLACE, "POINT (104.6 12.9), rounded: not public"),
        (PLACE.buffer(0.01), "POLYGON (104.6 12.9), rounded: not public"),
        (shapely.LineString([(104.51, 12.81), (104.62, 12.93)]), "LINESTRING (104.6 12.9), round"),
        (shapely.Point(-0.04, -0.01), "POINT (0.0 0.0), rounded: not public"),
        (shapely.Point(), "POINT, withheld: not public"),
        (None, None),
    ],
    ids=["point", "disc", "line", "zero", "empty", "missing"],
)
def test_every_shape_is_one_rounded_place(shape, words):
    (shown,) = coarse_view(frame_of(shape))["geometry"]
    assert shown == words if words is None else shown.startswith(words)


def test_a_projected_frame_is_shown_in_degrees_and_one_without_system_not_at_all():
    frame = frame_of(PLACE)
    (shown,) = coarse_view(frame.to_crs(32648))["geometry"]
    assert shown == "POINT (104.6 12.9), rounded: not public"
    (shown,) = coarse_view(frame.set_crs(None, allow_override=True))["geometry"]
    assert shown == "POINT, withheld: not public"


def test_coordinates_are_found_by_name_and_by_what_they_are():
    columns = {"LAT": [LAT, 13.5], "lon": [LON, None], "y": [LAT, 99.0], "x7": [LON, 7.0]}
    frame = frame_of(PLACE, shapely.Point(7.0, 80.0), **columns)
    view = coarse_view(frame)
    assert view["LAT"].tolist() == [12.9, 13.5]
    assert view["lon"].iloc[0] == 104.6
    assert view["x7"].tolist() == [104.6, 7.0]
    assert view["y"].tolist() == [LAT, 99.0]  # not of every row: a number of another meaning


def test_coordinates_of_any_system_are_found_and_only_degrees_are_shown():
    frame = frame_of(PLACE, shapely.Point(105, 13)).to_crs(32648)
    frame = frame.assign(east=frame.geometry.x.round(), lat=frame.geometry.y, other=[104.5, 12.8])
    view = coarse_view(frame)
    assert view[["east", "lat"]].isna().all(axis=None)
    assert view["other"].tolist() == [104.5, 12.8]
    unplaced = frame_of(PLACE, Breite=[LAT]).set_crs(None, allow_override=True)
    assert coarse_view(unplaced)["Breite"].tolist() == [12.9]


def test_whole_numbers_and_texts_in_columns_of_coordinates_are_withheld():
    columns = {"latitude": [128534170], "lng": ["104 deg 33.418"], "coordinates": ["twelve"]}
    view = coarse_view(frame_of(PLACE, **columns))
    assert set(view[list(columns)].iloc[0]) == {"withheld in this view"}


def test_two_columns_of_one_name_and_labels_of_any_kind_are_displayed():
    frame = frame_of(PLACE, a=["12.853417"], b=[LAT])
    frame.columns = ["sensitivity", "c", "c", "geometry"]
    view = coarse_view(frame)
    assert view.iloc[0, 1:3].tolist() == ["withheld in this view", 12.9]
    frame.columns = ["sensitivity", 1, ("a", "b"), "geometry"]
    assert coarse_view(frame).iloc[0, 1:3].tolist() == ["withheld in this view", 12.9]
    twice = frame_of(PLACE).assign(other="public")
    twice.columns = ["sensitivity", "geometry", "sensitivity"]
    assert coarse_view(twice).iloc[0, 1].endswith("rounded: not public")


def test_every_geometry_column_is_rounded_and_a_frame_without_active_one_is_shown():
    frame = frame_of(PLACE).assign(old=gpd.GeoSeries([PLACE], crs=4326))
    assert coarse_view(frame)["old"].iloc[0].startswith("POINT (104.6 12.9), rounded")
    bare = gpd.GeoDataFrame({"sensitivity": ["protected"], "verbatim_location": ["a mill"]})
    assert coarse_view(bare)["verbatim_location"].tolist() == ["withheld in this view"]
    assert coarse_view(frame_of().iloc[:0]) is None


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-179, 179), st.floats(-89, 89), st.sampled_from(["public", "x", None])),
        max_size=6,
    )
)
def test_what_is_shown_of_a_hidden_row_depends_on_its_cell_of_a_tenth_of_a_degree_alone(rows):
    lon, lat = (np.array([row[i] for row in rows], dtype=float) for i in (0, 1))
    marks = pd.Series([row[2] for row in rows], dtype=object)

    def shown(lon, lat):
        table = {"sensitivity": marks, "lat": lat, "lon": lon}
        frame = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs=4326)
        before = frame.copy(deep=True)
        view = coarse_view(frame)
        pd.testing.assert_frame_equal(frame, before)
        return view if view is None else view[marks.to_numpy() != "public"]

    first, again = shown(lon, lat), shown(np.round(lon, 1), np.round(lat, 1))
    if first is None:
        assert again is None
    else:
        pd.testing.assert_frame_equal(first, again)


def test_without_a_notebook_ipython_is_not_loaded():
    code = "import sys, geo; assert 'IPython' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_loaded_ipython_that_does_not_run_changes_nothing():
    code = "import IPython, geo; assert IPython.get_ipython() is None"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
