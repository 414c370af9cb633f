"""One call from rows to a page, whatever the rows are."""

import io
import re

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import geo
import layers
from layers.export import page_html
from layers.furniture import Furniture


def sites(*points, **columns):
    """A frame of reports at points (None for no location)."""
    n = len(points)
    base = {
        "site_id": pd.Series([f"s{i}" for i in range(n)], dtype=str),
        "status": ["suspected"] * n,
        "uncertainty_m": [5000.0] * n,
    }
    geometry = [None if p is None else shapely.Point(p) for p in points]
    return gpd.GeoDataFrame(base | columns, geometry=geometry, crs=4326)


def words_of(page):
    """The page without its scripts, of which one holds every word in both languages."""
    return re.sub(r"<script.*?</script>", "", page_html(page), flags=re.DOTALL)


def furniture(page):
    return next(c for c in page._children.values() if isinstance(c, Furniture))  # noqa: SLF001  # no other way


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (sites(), "0 shown, 0 without a location."),
        (gpd.GeoDataFrame(geometry=[], crs=4326), "0 shown, 0 without a location."),
        (sites(None, None), "0 shown, 2 without a location."),
        (sites((104.9, 11.5)), "1 shown, 0 without a location."),
        (sites((104.9, 11.5), None), "1 shown, 1 without a location."),
        (sites((179.9, -17), (-179.9, -17)), "2 shown, 0 without a location."),
        (sites((0, 90), (0, -90)), "2 too near a pole for this map."),
    ],
    ids=["empty", "no columns", "none located", "one", "some located", "antimeridian", "poles"],
)
def test_every_frame_has_a_map(frame, words):
    assert words in page_html(layers.site_map(frame))


def test_a_map_without_any_location_shows_cambodia():
    west, south, east, north = furniture(layers.site_map(sites(None))).view
    assert west < 102.4
    assert east > 107.6
    assert south < 10.5
    assert north > 14.6


def test_one_site_opens_with_its_surroundings():
    west, south, east, north = furniture(layers.site_map(sites((104.9, 11.5)))).view
    assert (east - west, north - south) == pytest.approx((0.4, 0.4))
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((104.9, 11.5))


def test_sites_on_both_sides_of_the_antimeridian_open_close_to_them():
    west, _, east, _ = furniture(layers.site_map(sites((179.9, -17), (-179.9, -17)))).view
    assert east - west < 10


def test_rows_beyond_the_shipped_ground_are_counted_in_words():
    page = page_html(layers.site_map(sites((-70, -30), (-70, -30), (104.9, 11.5), None)))
    assert "2 of those shown lie beyond the drawn land." in page
    assert "lie beyond the drawn land" not in words_of(layers.site_map(sites((104.9, 11.5))))


@pytest.mark.parametrize(
    "view",
    [
        shapely.box(103, 10, 105, 12),
        gpd.GeoSeries([shapely.box(103, 10, 105, 12)], crs=4326),
        gpd.GeoDataFrame(geometry=[shapely.box(103, 10, 105, 12)], crs=4326),
        gpd.GeoDataFrame(geometry=[shapely.Point(103, 10), shapely.Point(105, 12)], crs=4326),
    ],
    ids=["geometry", "series", "frame", "points"],
)
def test_a_view_is_what_opens(view):
    page = furniture(layers.site_map(sites((106, 13)), view=view))
    assert page.view == (103, 10, 105, 12)
    assert page.everything != page.view


def test_a_view_in_metres_is_brought_to_degrees():
    view = gpd.GeoSeries([shapely.box(103, 10, 105, 12)], crs=4326)
    found = furniture(layers.site_map(sites((104, 11)), view=view.to_crs(3857))).view
    assert found == pytest.approx((103, 10, 105, 12))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("view", [shapely.Polygon(), gpd.GeoSeries([], crs=4326)])
def test_an_empty_view_is_refused(view):
    with pytest.raises(geo.GeometryError):
        page_html(layers.site_map(sites((104, 11)), view=view))


def test_a_view_without_reference_system_is_refused():
    with pytest.raises(geo.CRSError):
        layers.site_map(sites((104, 11)), view=gpd.GeoSeries([shapely.Point(104, 11)]))


def test_bad_frames_are_refused_as_errors_of_ours():
    with pytest.raises(geo.CRSError):
        layers.site_map(sites((1, 1)).set_crs(None, allow_override=True))
    with pytest.raises(geo.GeometryError):
        layers.site_map(sites((1, 1)).set_geometry([shapely.box(0, 0, 1, 1)], crs=4326))
    with pytest.raises(geo.SchemaError, match="nope"):
        layers.site_map(sites((1, 1)), details=["nope"])


def test_the_date_is_the_latest_one_stated():
    frame = sites(None, None, last_reported=["2024-03", None], source_date=["2023", "2024-01-05"])
    assert furniture(layers.site_map(frame)).caption.date == "2024-03"
    assert furniture(layers.site_map(frame, date="1999")).caption.date == "1999"
    assert furniture(layers.site_map(frame, date="")).caption.date == ""
    assert furniture(layers.site_map(sites(None))).caption.date == ""
    assert "Data to" not in words_of(layers.site_map(sites(None)))


def test_a_frame_in_metres_gives_the_same_page():
    frame = sites((104.9, 11.5), (102.5, 13.6), None)
    assert page_html(layers.site_map(frame.to_crs(32648))) == page_html(layers.site_map(frame))


def test_a_map_saves_to_a_path_and_into_a_file(tmp_path):
    page = layers.site_map(sites((104.9, 11.5)))
    expected = page_html(page).encode()
    paths = [tmp_path / "a.html", str(tmp_path / "b.html"), str(tmp_path / "c.html").encode()]
    for path in paths:
        page.save(path)
    assert [p.read_bytes() for p in sorted(tmp_path.iterdir())] == [expected] * 3
    kept = io.BytesIO()
    page.save(kept, close_file=False)
    assert kept.getvalue() == expected
    closed = io.BytesIO()
    page.save(closed)
    assert closed.closed


def test_a_notebook_shows_the_same_page_in_a_frame():
    from html import unescape

    page = layers.site_map(sites((104.9, 11.5)), title='"quoted" & <b>')
    frame = page._repr_html_()
    assert frame.startswith('<iframe srcdoc="')
    inside = frame.removeprefix('<iframe srcdoc="').split('"', 1)[0]
    assert unescape(inside) == page_html(page)


def test_tiles_take_the_place_of_the_ground_only_when_asked_for():
    own = layers.site_map(sites((104.9, 11.5)))
    tiled = layers.site_map(sites((104.9, 11.5)), tiles="OpenStreetMap")
    assert len(tiled.atlas_layers) == 2 < len(own.atlas_layers)
    with pytest.raises(geo.ExportError, match="openstreetmap"):
        page_html(tiled)
    assert "openstreetmap" in page_html(tiled, online=True)


def test_the_authors_layers_lie_between_the_ground_and_the_symbols():
    extra = layers.area_layer(
        gpd.GeoDataFrame(geometry=[shapely.box(104, 11, 105, 12)], crs=4326), name="Mine"
    )
    titles = [layer.title for layer in layers.site_map(sites((1, 1)), layers=[extra]).atlas_layers]
    assert titles[-3:] == ["Mine", "How sure the place is", "Reported sites"]


def test_text_of_the_page_is_text():
    page = page_html(layers.site_map(sites(None), title="{{7*7}}</title><script>x", source="<i>"))
    assert "<title>{{7*7}}&lt;/title&gt;&lt;script&gt;x</title>" in page
    assert "<i>" not in page


def test_points_too_near_a_pole_are_counted_apart_and_do_not_move_the_view():
    page = layers.site_map(sites((0, 90), (0, 89.9), (0, -85.1), (104.9, 11.5), None))
    words = page_html(page)
    assert "1 shown, 1 without a location." in words
    assert "3 too near a pole for this map." in words
    west, south, east, north = furniture(page).everything
    assert (west + east) / 2 == pytest.approx(104.9)
    assert (south + north) / 2 == pytest.approx(11.5)
    discs, symbols = page.atlas_layers[-2:]
    assert (discs.kind, symbols.kind) == ("discs", "sites")
    assert discs.payload["of"] == symbols.get_name()
    assert len(symbols.tally.places) == 1
    assert "too near a pole" not in words_of(layers.site_map(sites((0, 84.9))))


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("`methods` is the text 'A sentence.'", {"methods": "A sentence."}),
        ("`details` is the text 'status'", {"details": "status"}),
        ("`methods` is a int", {"methods": 3}),
        ("`details` holds a int", {"details": [1]}),
        ("`layers` is a AtlasLayer", {"layers": layers.site_layer(sites(None))}),
        ("`layers` holds a GeoDataFrame", {"layers": [sites(None)]}),
    ],
)
def test_a_list_is_not_taken_apart_into_letters(words, options):
    with pytest.raises(TypeError, match=words.replace(".", r"\.")):
        layers.site_map(sites(None), **options)


@pytest.mark.parametrize(
    "draw",
    [
        layers.site_map,
        layers.site_layer,
        layers.uncertainty_layer,
        lambda frame: layers.area_layer(frame, name="x"),
        lambda frame: layers.line_layer(frame, name="x"),
        lambda frame: layers.label_layer(frame, name="x"),
    ],
)
def test_a_table_without_geometry_is_named(draw):
    with pytest.raises(TypeError, match="is a DataFrame, where a GeoDataFrame is needed"):
        draw(pd.DataFrame({"latitude": [11.5], "longitude": [104.9]}))
    with pytest.raises(geo.GeometryError, match="no geometry column"):
        draw(gpd.GeoDataFrame({"a": [1]}))


def test_responses_are_left_out_where_none_is_known():
    unknown = words_of(layers.site_map(sites(None, None, state_response=["unknown", None])))
    assert "State response, as reported" not in unknown
    assert "Claim and response" not in unknown
    known = words_of(layers.site_map(sites(None, None, state_response=["unknown", "closed"])))
    assert "State response, as reported" in known
    assert "Claim and response" in known


def ground(page, title):
    (layer,) = [layer for layer in page.atlas_layers if layer.title == title]
    return layer


def test_no_sea_is_drawn_where_no_land_is_known():
    assert ground(layers.site_map(sites((0, 51.5))), "Sea").bounds is None
    west, south, east, north = ground(layers.site_map(sites((0, 51.5), (105, 12))), "Sea").bounds
    assert west >= 60
    assert south >= -15
    assert east <= 150
    assert north <= 55


def test_every_country_with_a_report_can_be_named_in_the_opening_view_and_beyond():
    view = geo.load_reference("provinces")
    page = layers.site_map(geo.example_sites(), view=view)
    names = [n for n in ground(page, "Names of places").payload["labels"] if n[3] == "country"]
    west, south, east, north = furniture(page).view
    for country in ("Cambodia", "Thailand", "Laos", "Vietnam"):
        points = [(lon, lat) for name, lat, lon, *_ in names if name == country]
        seen = [west < lon < east and south < lat < north for lon, lat in points]
        assert seen[0]
        assert country == "Cambodia" or not all(seen)
    outlines = geo.load_reference("countries").set_index("name").geometry
    for name, lat, lon, *_ in names:
        assert outlines[name].buffer(0.01).contains(shapely.Point(lon, lat))
