"""A map of places that are not public says so: where it is made, shown and saved, once each."""

import io
import warnings

import folium
import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geo
import layers
from layers.export import notebook_html, page_html
from layers.payload import AtlasLayer, exact_rows

PLACES = [shapely.Point(104.55 + 0.05 * i, 12.85) for i in range(4)]


def sites(**columns):
    base = {"site_id": ["a", "b", "c", "d"], "uncertainty_m": [250.0] * 4}
    return gpd.GeoDataFrame(base | columns, geometry=PLACES, crs=4326)


def marked():
    return sites(sensitivity=["public", "restricted", "protected", None])


def quiet(make, *args, **options):
    """Make a layer or a map; what is said at its making is not looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.SensitivityWarning)
        return make(*args, **options)


def said(act):
    """The sensitivity warnings of an act; any other is an error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("error")
        warnings.simplefilter("always", geo.SensitivityWarning)
        act()
    return [str(warning.message) for warning in caught]


def on_a_map(*parts):
    page = layers.SiteMap()
    for part in parts:
        part.add_to(page)
    return page


WAYS = {
    "save_html": layers.save_html,
    "save": lambda page, file: page.save(file),
    "to a stream": lambda page, _: page.save(io.BytesIO(), close_file=False),
    "notebook_html": lambda page, _: notebook_html(page),
    "shown": lambda page, _: page._repr_html_(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_way_out_warns_once_and_points_to_publish(way, tmp_path):
    page = on_a_map(quiet(layers.site_layer, marked()))
    (words,) = said(lambda: way(page, tmp_path / "map.html"))
    assert words.startswith("reports that are not public are shown at their own coordinates")
    assert "(3 in 'Reported sites')" in words
    assert "use layers.publish" in words
    assert "104." not in words
    assert "12.8" not in words


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(
    "frame",
    [
        sites(),
        sites(sensitivity=["public"] * 4),
        marked().iloc[:1],
        marked().set_geometry([None] * 4),
    ],
    ids=["no column", "all public", "public rows", "nowhere"],
)
def test_maps_of_what_is_public_say_nothing(way, frame, tmp_path):
    frame = gpd.GeoDataFrame(frame, geometry="geometry", crs=4326)
    assert said(lambda: way(on_a_map(layers.site_layer(frame)), tmp_path / "map.html")) == []


def test_a_warning_that_is_an_error_leaves_nothing_on_the_disk(tmp_path):
    page = on_a_map(quiet(layers.site_layer, marked()))
    with pytest.raises(geo.SensitivityWarning):
        layers.save_html(page, tmp_path / "map.html", split=True)
    assert list(tmp_path.iterdir()) == []


def test_making_a_layer_warns_and_the_circles_of_a_layer_do_not_warn_again():
    frame = marked()
    for make in (layers.site_layer, layers.uncertainty_layer):
        (words,) = said(lambda make=make: make(frame))
        assert words.startswith("3 reports are marked restricted or protected, or not at all")
    symbols = quiet(layers.site_layer, frame)
    assert said(lambda: layers.uncertainty_layer(frame, of=symbols)) == []


def test_a_whole_map_warns_once_when_it_is_made_and_once_when_it_is_saved(tmp_path):
    pages = []
    (made,) = said(lambda: pages.append(layers.site_map(marked())))
    (saved,) = said(lambda: layers.save_html(pages[0], tmp_path / "map.html"))
    assert "keep this map private" in made
    assert "(3 in 'Reported sites')" in saved


def test_what_a_layer_prints_of_itself_holds_no_coordinates():
    layer = layers.site_layer(sites())
    assert "reports=" in repr(layer.tally)
    assert "104." not in repr(layer) + repr(layer.tally)


def test_one_warning_names_every_layer_wherever_it_stands_on_the_map():
    group = folium.FeatureGroup(name="group")
    quiet(layers.uncertainty_layer, marked().iloc[:2]).add_to(group)
    page = on_a_map(quiet(layers.site_layer, marked(), name="A 'name'\n"), group)
    (words,) = said(lambda: page_html(page))
    assert "(3 in \"A 'name'\", 1 in 'How sure the place is')" in words


def test_any_layer_can_say_how_many_rows_it_gives_away():
    payload = {"title": "x", "shapes": [], "fills": [], "labels": [], "values": [], "style": "area"}
    layer = AtlasLayer("areas", payload, name="hulls", bounds=None, exact=1234)
    assert "(1,234 in 'hulls')" in said(lambda: page_html(on_a_map(layer)))[0]
    assert AtlasLayer("areas", payload, name="hulls", bounds=None).exact == 0


def test_released_rows_are_not_exact_whatever_else_is_joined_to_them():
    frame = marked()
    released = geo.generalise(frame).merge(frame[["site_id", "sensitivity"]], on="site_id")
    assert exact_rows(released) == 0
    key = bytes(range(32))
    masked = geo.donut_mask(frame, key=key, min_m=1000, max_m=5000)
    masked = masked.merge(frame[["site_id", "sensitivity"]], on="site_id")
    assert said(lambda: page_html(on_a_map(layers.site_layer(masked)))) == []
    back = masked.assign(release_scheme=["exact", "exact", None, "donut 1000 to 5000 m"])
    assert exact_rows(back) == 2  # the second and the third; the first is public


@pytest.mark.parametrize(
    ("marks", "count"),
    [
        (["public"] * 4, 0),
        (["protected"] * 4, 4),
        ([None] * 4, 4),
        (["Public", "PUBLIC", " public", "public"], 3),
        (pd.Categorical(["public", None, "restricted", "public"]), 2),
        (pd.array(["public", pd.NA, "restricted", "public"], dtype="string"), 2),
    ],
    ids=str,
)
def test_what_nobody_called_public_is_not_public(marks, count):
    frame = sites(sensitivity=marks)
    before = frame.copy(deep=True)
    assert exact_rows(frame) == count
    pd.testing.assert_frame_equal(frame, before)
    assert exact_rows(frame.set_geometry(gpd.GeoSeries([None] * 4, crs=4326))) == 0


def test_circles_that_cannot_be_drawn_are_not_counted():
    frame = marked().assign(uncertainty_m=[250.0, None, 250.0, 250.0])
    assert quiet(layers.uncertainty_layer, frame).exact == 2
