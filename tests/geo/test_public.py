"""The public view: how coarse each row becomes, and what of its words is left."""

import re

import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal

import geo

SECRET = ["name", "verbatim_location", "source_file", "source_row", "remark"]


def invented(**columns):
    table = pd.DataFrame(
        {
            "id": [f"A{i}" for i in range(6)],
            "name": "Invented Garden",
            "lat": [12.85, 12.8512345, 12.86, 12.87, 12.88, None],
            "lon": [104.55, 104.5512345, 104.56, 104.57, 104.58, None],
            "radius_m": [300.0] * 5 + [None],
            "status": [
                "confirmed",
                "confirmed",
                "suspected",
                "suspected",
                "confirmed",
                "confirmed",
            ],
            "sensitivity": ["public", "restricted", "public", "restricted", "protected", "public"],
            "country": "KH",
            "admin1": "Kampong Thom",
            "source": "Gazette",
            "source_url": "https://example.org/a",
            "source_date": "2026-01-15",
            "first_reported": "2025-11-03",
            "remark": "behind the mill",
        }
    )
    return geo.validate_sites(table.assign(**columns))


def test_sensitivity_and_status_decide():
    view = geo.public_view(invented()).set_index("site_id")
    assert view["release_scheme"].to_dict() == {
        "A0": "exact",
        "A1": "district area",
        "A2": "district area",
        "A3": "district area",
        "A5": "none",
    }
    assert view.geometry["A0"].equals(shapely.Point(104.55, 12.85))
    assert view.geometry.geom_type[["A1", "A2", "A3"]].isin(["Polygon", "MultiPolygon"]).all()


def test_protected_rows_leave_no_trace():
    assert "A4" not in geo.public_view(invented()).to_json()


def test_only_public_rows_say_who_reported_them():
    view = geo.public_view(invented()).set_index("site_id")
    assert view["source"].notna().to_dict() == {
        "A0": True,
        "A1": False,
        "A2": True,
        "A3": False,
        "A5": True,
    }
    assert view["information_withheld"].str.contains("sources")[["A1", "A3"]].all()
    assert not view["information_withheld"].str.contains("sources")[["A0", "A2"]].any()


def test_no_column_of_the_researchers_enters_by_itself():
    view = geo.public_view(invented())
    assert not set(SECRET) & set(view.columns)
    assert set(view.columns) <= {*geo.RELEASED_COLUMNS, *geo.CITATION_COLUMNS, "locality"}
    assert "behind the mill" not in view.to_json()


def test_a_column_that_is_asked_for_is_shown_where_the_point_is():
    view = geo.public_view(invented(), columns=["remark"]).set_index("site_id")
    assert view["remark"].notna().to_dict() == {
        "A0": True,
        "A1": False,
        "A2": False,
        "A3": False,
        "A5": True,
    }


def test_suspected_rows_keep_their_points_only_where_that_is_asked_for():
    view = geo.public_view(invented(), exact=("confirmed", "suspected")).set_index("site_id")
    assert view["release_scheme"]["A2"] == "exact"
    assert view["release_scheme"]["A3"] == "district area", "restricted stays restricted"


def test_areas_hold_the_place_and_the_radius_is_never_smaller():
    sites = invented()
    view = geo.public_view(sites).set_index("site_id")
    known = sites.set_index("site_id").loc[view.index]
    areas = view.geometry.geom_type.isin(["Polygon", "MultiPolygon"])
    assert view.geometry[areas].covers(known.geometry[areas]).all()
    assert (view["uncertainty_m"][areas] >= known["uncertainty_m"][areas]).all()


def test_the_order_of_rows_and_their_labels_tell_nothing():
    sites = invented()
    mixed = sites.sample(frac=1, random_state=4).set_index(pd.Index(list("zyxwvu")))
    pd.testing.assert_frame_equal(geo.public_view(sites), geo.public_view(mixed))


def test_points_are_rounded_to_a_metre_and_dates_to_a_month():
    view = geo.public_view(invented(sensitivity="public")).set_index("site_id")
    assert view.geometry["A1"].equals(shapely.Point(104.55123, 12.85123))
    assert view["first_reported"].dropna().map(re.compile(r"\d{4}-\d{2}$").match).all()


@pytest.mark.parametrize("column", ["sensitivity", "status"])
def test_nothing_is_public_by_default(column):
    sites = invented()
    with pytest.raises(geo.SchemaError, match=f"no {column}"):
        geo.public_view(sites.drop(columns=column))
    with pytest.raises(geo.SchemaError, match=f"^2 of 6 sites have no {column}") as caught:
        geo.public_view(sites.assign(**{column: sites[column].where(sites["site_id"] < "A4")}))
    assert len(caught.value.problems) == 2


def test_an_unknown_word_is_no_decision():
    with pytest.raises(geo.SchemaError, match="sensitivity"):
        geo.public_view(invented().assign(sensitivity="open"))


def test_columns_that_do_not_exist_are_refused():
    with pytest.raises(geo.SchemaError, match="phone"):
        geo.public_view(invented(), columns=["phone"])
    with pytest.raises(geo.SchemaError, match="geometry"):
        geo.public_view(invented(), columns=["geometry"])


@pytest.mark.parametrize("name", ["old-sugar_mill", "Old Sugar Mill", "OLDSUGARMILL"])
def test_a_name_for_an_id_of_a_hidden_place_is_refused(name):
    sites = invented(name=["A0", "old sugar mill", "A2", "A3", "mill at a road", "A5"])
    for row in (1, 4):
        ids = sites["site_id"].where(sites.index != sites.index[row], name)
        renamed = sites.assign(site_id=ids)
        if row == 1:
            with pytest.raises(geo.SchemaError, match="1 of 3 sites have their name") as caught:
                geo.public_view(renamed)
            assert "sugar" not in str(caught.value).casefold()
        else:  # of another row, and left out
            assert name not in set(geo.public_view(renamed)["site_id"])


def test_no_rows_and_one_row():
    sites = invented()
    assert geo.public_view(sites[:0]).empty
    assert len(geo.public_view(sites[:1])) == 1
    assert geo.public_view(sites[4:5]).empty


def test_the_input_is_not_changed():
    sites = invented()
    before = sites.copy()
    geo.public_view(sites)
    assert_geodataframe_equal(sites, before)
