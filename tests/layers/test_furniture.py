"""What stands around a map: its parts, its words, and which columns come with them."""

from html.parser import HTMLParser

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from column_reader import unpack

import geo
import layers
from layers.export import page_html


def sites(n=6, **columns):
    points = shapely.points([(104 + i / 10, 12) for i in range(n)])
    return gpd.GeoDataFrame(
        {"site_id": [f"s{i}" for i in range(n)]} | columns, geometry=points, crs=4326
    )


class Parts(HTMLParser):
    """Ids of a page, and those that its elements refer to."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.refers = [], []
        self.feed(page)

    def handle_starttag(self, _tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        for name in ("aria-controls", "aria-labelledby", "for"):
            self.refers += values[name].split() if name in values else []


def symbols(page):
    return next(layer for layer in page.atlas_layers if layer.kind == "sites")


def chosen(page):
    return symbols(page).payload["filters"]


def test_every_part_that_is_referred_to_is_there_once():
    parts = Parts(page_html(layers.site_map(geo.example_sites())))
    assert len(parts.ids) == len(set(parts.ids))
    assert set(parts.refers) <= set(parts.ids)
    assert {"ca-find", "ca-found", "ca-filter", "ca-tab-filter", "ca-files"} <= set(parts.ids)


def test_what_is_known_of_the_schema_can_be_chosen_without_being_named():
    assert chosen(layers.site_map(geo.example_sites())) == ["status", "operating", "state_response"]
    unknown = sites(status="confirmed", operating="unknown", state_response=[None] * 6)
    assert chosen(layers.site_map(unknown)) == ["status"]
    assert chosen(layers.site_map(sites())) == []
    assert chosen(layers.site_map(geo.example_sites(), filters=[])) == []


def test_only_the_columns_that_are_named_enter_the_page():
    frame = sites(kind=["casino", "hotel|casino", None, "", "villa", " "], private="kept at home")
    page = layers.site_map(frame, filters=["kind"])
    (column,) = unpack(symbols(page).payload["choices"]).values()
    assert sorted(column) == ["", "", "", "casino", "hotel|casino", "villa"]
    assert "kept at home" not in page_html(page)
    assert unpack(symbols(layers.site_map(frame)).payload["choices"]) == {}


def test_a_column_that_cards_carry_already_is_not_carried_twice():
    frame = sites(operating=["closed", "operating"] * 3, country="KH", status="confirmed")
    payload = symbols(layers.site_map(frame, filters=["operating", "country", "status"])).payload
    assert payload["filters"] == ["operating", "country", "status"]
    assert payload["choices"]["columns"] == []


def test_a_name_given_twice_is_one_filter():
    assert chosen(layers.site_map(sites(kind="x"), filters=["kind", "kind"])) == ["kind"]


@pytest.mark.parametrize(
    ("error", "words", "filters"),
    [
        (geo.SchemaError, r"filters names \['host'\]", ["host"]),
        (geo.SchemaError, "'note', which holds 61 different values", ["note"]),
        (geo.SchemaError, "'geometry'", ["geometry"]),
        (TypeError, "`filters` is the text 'status'", "status"),
        (TypeError, "`filters` holds a int", [1]),
    ],
)
def test_what_cannot_be_chosen_from_is_refused(error, words, filters):
    frame = sites(61, note=[f"note {i}" for i in range(61)])
    with pytest.raises(error, match=words):
        layers.site_map(frame, filters=filters)


def test_sixty_values_are_chosen_from_and_one_row_may_hold_several():
    frame = sites(30, note=[f"a{i} | b{i}" for i in range(30)])
    assert chosen(layers.site_map(frame, filters=["note"])) == ["note"]


def test_the_order_of_the_rows_does_not_change_the_page():
    frame = sites(kind=list("abcabc"), status=["confirmed", "suspected"] * 3)
    shuffled = frame.sample(frac=1, random_state=2)
    pages = [page_html(layers.site_map(f, filters=["kind"])) for f in (frame, shuffled)]
    assert pages[0] == pages[1]


def test_nothing_that_a_page_was_made_from_is_changed():
    frame = sites(kind=pd.Categorical(list("abcabc")))
    before = frame.copy(deep=True)
    layers.site_map(frame, filters=["kind"])
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(before))


def test_circles_of_their_own_map_carry_their_own_places():
    frame = sites(uncertainty_m=500.0)
    own = layers.uncertainty_layer(frame)
    of = layers.uncertainty_layer(frame, of=layers.site_layer(frame))
    assert unpack(own.payload["discs"]).keys() == {"lon", "lat", "radius"}
    assert "discs" not in of.payload
    assert of.legend == own.legend
    assert of.bounds == own.bounds


def test_the_line_above_the_map_counts_every_row():
    frame = sites()
    frame.loc[0, "geometry"] = None
    assert ">All 6 reports<" in page_html(layers.site_map(frame))
    assert ">1 report<" in page_html(layers.site_map(sites(1)))
