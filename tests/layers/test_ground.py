"""The ground: shapes come back from the page exactly, fit together, and stay small."""

import html
import json
import re
from functools import cache

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xyzservices
from column_reader import unpack
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
import layers
from layers._plane import decode_geometry
from layers.export import page_html
from layers.ground import COVERAGE, Locator, ground_layers
from layers.payload import encode_geometry, pack_shapes

CAMBODIA = (102.3, 10.4, 107.6, 14.7)
REGION = (97.7, -9.2, 124.4, 24.0)
TOWN = (104.7, 11.3, 105.1, 11.7)
NOWHERE = gpd.GeoSeries([], crs=4326)

# ---------------------------------------------------------------------------- shapes


def whole(ring):
    """What is left of a ring or line in units of 1e-5 degree: no point twice in a row."""
    units = np.rint(shapely.get_coordinates(ring) * 1e5).astype(int).tolist()
    return [p for i, p in enumerate(units) if not i or p != units[i - 1]]


def expected(shape):
    """Parts of rings of points; a polygon's ring without the point that closes it."""
    parts = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "LineString":
            parts.append([whole(part)])
        else:
            rings = [whole(ring) for ring in (part.exterior, *part.interiors)]
            parts.append([ring[:-1] or ring for ring in rings])
    return parts


def read(packed):
    """A second decoder: the shapes in units of 1e-5 degree, from the columns' description."""
    columns = unpack(packed)
    about = {column["name"]: column for column in packed["columns"]}
    unit = 10 ** (5 - about["lat"]["decimals"])
    assert about["lon"]["decimals"] == about["lat"]["decimals"]
    points = iter(zip(columns["lon"], columns["lat"], strict=True))
    n_points, n_rings = iter(columns["points"]), iter(columns["rings"])

    def ring():
        return [[v * unit for v in next(points)] for _ in range(int(next(n_points)))]

    shapes = [
        [[ring() for _ in range(int(next(n_rings)))] for _ in range(int(n))]
        for n in columns["parts"]
    ]
    assert [*points, *n_points, *n_rings] == []
    return shapes


POINTS = st.tuples(st.floats(-200, 200), st.floats(-85, 85))


@st.composite
def polygons(draw):
    """Rectangles and triangles of any size, down to less than a unit, with up to two holes."""
    x, y = draw(POINTS)
    size = draw(st.sampled_from([1e-6, 4e-6, 2e-5, 1e-3, 0.7, 12]))
    shell = [(x, y), (x + size, y), (x + size, y + size), (x, y + size)][: draw(st.integers(3, 4))]
    holes = [
        [(x + s * size, y + t * size / 9) for s, t in ((a, 1), (a + 0.1, 1), (a + 0.1, 2))]
        for a in draw(st.lists(st.sampled_from([0.5, 0.7]), unique=True, max_size=2))
    ]
    return shapely.Polygon(shell, holes)


AREAS = st.lists(st.lists(polygons(), max_size=3).map(shapely.MultiPolygon), max_size=4)
LINES = st.lists(st.lists(POINTS, min_size=2, max_size=6).map(shapely.LineString), max_size=4)


@settings(deadline=None, max_examples=50)
@given(AREAS)
def test_areas_come_back_exactly_with_holes_parts_and_rings_of_any_size(shapes):
    packed = pack_shapes([encode_geometry(shape) for shape in shapes], areas=True)
    assert read(packed) == [expected(shape) for shape in shapes]
    assert packed == pack_shapes([encode_geometry(shape) for shape in shapes], areas=True)


@settings(deadline=None, max_examples=50)
@given(LINES)
def test_lines_come_back_exactly_and_closed_ones_stay_closed(shapes):
    closed = shapely.LineString([(1, 1), (2, 1), (2, 2), (1, 1)])
    shapes = [*shapes, closed]
    packed = pack_shapes([encode_geometry(shape) for shape in shapes], areas=False)
    assert read(packed) == [expected(shape) for shape in shapes]


def test_what_lies_across_the_antimeridian_stays_as_it_was_counted():
    onward = shapely.box(179.5, -1, 180.5, 1)
    apart = shapely.MultiPolygon([shapely.box(179.5, -1, 180, 1), shapely.box(-180, -1, -179.5, 1)])
    shapes = [onward, apart]
    found = read(pack_shapes([encode_geometry(shape) for shape in shapes], areas=True))
    assert found == [expected(shape) for shape in shapes]
    assert max(lon for lon, _ in found[0][0][0]) == 18_050_000
    assert len(found[1]) == 2


@pytest.mark.parametrize(
    ("step", "decimals"), [(1.0, 0), (0.25, 2), (1e-4, 4), (1e-5, 5), (1e-7, 0)]
)
def test_the_precision_is_what_the_coordinates_need_and_is_said(step, decimals):
    square = shapely.box(3, 4, 3 + 3 * step, 4 + 3 * step)
    packed = pack_shapes([encode_geometry(square)], areas=True)
    assert {c["name"]: c.get("decimals") for c in packed["columns"]}["lat"] == decimals


# ---------------------------------------------------------------------------- what is drawn


def drawn(layer):
    areas = layer.kind == "areas"
    return np.array([decode_geometry(s, areas=areas) for s in layer.payload["shapes"]])


@cache
def ground(view, everything):
    return {layer.title: layer for layer in ground_layers(view, everything, NOWHERE)}


@pytest.fixture
def region():
    return ground(CAMBODIA, REGION)


def weight(stack):
    """Bytes that the layers put into a page."""
    total = 0
    for layer in stack:
        written = dict(layer.payload)
        if "shapes" in written:
            written["shapes"] = pack_shapes(written["shapes"], areas=layer.kind == "areas")
        total += len(json.dumps(written, ensure_ascii=False).encode())
    return total


@pytest.mark.parametrize(
    ("view", "everything"),
    [
        (CAMBODIA, REGION),
        (REGION, REGION),
        (COVERAGE, COVERAGE),
        (TOWN, TOWN),
        (TOWN, COVERAGE),
        ((99.0, 8.0, 109.0, 22.0), (99.0, 8.0, 109.0, 22.0)),
    ],
)
def test_the_ground_of_any_view_stays_below_150_kb(view, everything):
    assert weight(ground(view, everything).values()) < 150_000


def test_provinces_fit_each_other_and_the_land(region):
    provinces, (land,) = drawn(region["Provinces of Cambodia"]), drawn(region["Land"])
    assert len(provinces) == 25
    assert shapely.is_valid(provinces).all()
    assert shapely.coverage_is_valid(provinces)
    outside = shapely.difference(shapely.union_all(provinces), shapely.make_valid(land))
    assert outside.area < 1e-6  # rounding folds a strip of two metres by the sea


def test_outlines_in_view_are_true_to_the_shipped_ones_and_those_beyond_are_coarser(region):
    reference = geo.load_reference("provinces").geometry.to_numpy()
    provinces = drawn(region["Provinces of Cambodia"])
    off = shapely.hausdorff_distance(shapely.boundary(provinces), shapely.boundary(reference))
    assert off.max() < 0.01
    moved = shapely.area(shapely.symmetric_difference(provinces, reference))
    assert (moved < 2e-3 * shapely.area(reference)).all()
    kept = [
        shapely.get_num_coordinates(shapely.clip_by_rect(land, *box))
        for land in (
            drawn(region["Land"])[0],
            shapely.union_all(geo.load_reference("countries").geometry.to_numpy()),
        )
        for box in ((100, 8, 106, 11), (130, 30, 146, 45))
    ]
    assert kept[0] > 0.8 * kept[2]
    assert kept[1] < 0.5 * kept[3]


@pytest.mark.parametrize("view", [TOWN, COVERAGE], ids=["town", "all"])
def test_every_province_is_drawn_however_coarse_the_view(view):
    provinces = drawn(ground(view, COVERAGE)["Provinces of Cambodia"])
    assert len(provinces) == 25
    assert (shapely.area(provinces) > 0).all()


def test_coordinates_have_four_decimals(region):
    for layer in region.values():
        steps = [r for s in layer.payload.get("shapes", []) for part in s for r in part]
        assert all(step % 10 == 0 for ring in steps for step in ring)


def test_land_says_where_the_outlines_end_and_a_map_elsewhere_has_none(region):
    west, south, east, north = region["Land"].payload["ends"]
    assert COVERAGE[0] <= west < REGION[0]
    assert COVERAGE[1] <= south < REGION[1]
    assert (east, north) == COVERAGE[2:]
    corners = shapely.bounds(drawn(region["Land"])[0])
    assert (corners[:2] >= [west, south]).all()
    assert (corners[2:] <= [east, north]).all()
    elsewhere = ground((0, 51, 1, 52), (0, 51, 1, 52))
    assert "ends" not in elsewhere["Land"].payload
    assert all(not len(drawn(layer)) for layer in elsewhere.values() if layer.kind != "labels")


def test_one_town_alone_lies_in_its_region():
    stack = ground(TOWN, TOWN)
    west, south, east, north = stack["Land"].bounds
    assert west < 100
    assert south < 6
    assert east > 110
    assert north > 18


def test_no_two_towns_abroad_are_named_in_one_anothers_outskirts(region):
    rows = [row for row in region["Names of places"].payload["labels"] if row[3] == "town"]
    words, lat, lon, *_ = zip(*rows, strict=True)
    assert "Ho Chi Minh City" in words
    assert "Chợ Lớn" not in words  # a quarter of it
    assert len({word for word in words if word.startswith("Ph") and "Qu" in word}) == 1
    points = gpd.GeoDataFrame(geometry=shapely.points(lon, lat), crs=4326)
    home = geo.load_reference("countries").set_index("country").geometry["KH"]
    points = points[~shapely.dwithin(points.geometry.to_numpy(), home, 0.05)]
    first, second = np.triu_indices(len(points), 1)
    apart = geo.geodesic_distance(points.iloc[first], points.iloc[second])["distance_m"]
    assert apart.min() > 12_000


# ---------------------------------------------------------------------------- locator


def locators(page):
    children = page._children.values()  # noqa: SLF001  # Folium's own way to what is on a map
    return [child for child in children if isinstance(child, Locator)]


def test_the_locator_shows_all_rows_and_the_surroundings_of_the_view():
    page = layers.site_map(geo.example_sites(), view=geo.load_reference("provinces"))
    (locator,) = locators(page)
    west, south, east, north = locator.region
    rows = geo.example_sites().total_bounds
    assert west <= min(rows[0], 102.3 - 5)
    assert south <= min(rows[1], 10.4 - 5)
    assert east >= max(rows[2], 107.6 + 5)
    assert north >= max(rows[3], 14.7 + 5)
    assert west >= COVERAGE[0]
    assert north <= COVERAGE[3]


def test_the_locator_draws_the_land_of_the_map_and_brings_none_of_its_own():
    page = layers.site_map(geo.example_sites())
    text = page_html(page)
    (locator,) = locators(page)
    (land,) = re.findall(r"CompoundAtlas\.locator\(\w+, (\w+), \[[^]]{0,90}\]\);", text)
    assert f'id="{land}_data">{{"title":"Land",' in text
    assert locator.land.title == "Land"


@pytest.mark.parametrize("tiles", [None, "OpenStreetMap"])
def test_there_is_no_locator_without_outlines(tiles):
    where = [(0, 51.5)] if tiles is None else [(104.9, 11.5)]
    frame = gpd.GeoDataFrame({"site_id": ["a"]}, geometry=shapely.points(where), crs=4326)
    assert locators(layers.site_map(frame, tiles=tiles)) == []


# ---------------------------------------------------------------------------- tiles

KEY = "not-a-real-key-0123"
PROVIDER = xyzservices.TileProvider(
    name="Example.Streets",
    url="https://{s}.tiles.example.org/{z}/{x}/{y}{r}.png?key={apikey}",
    attribution="(C) Example mappers",
    html_attribution='&copy; <a href="https://example.org/terms">Example mappers</a>',
    apikey=KEY,
    subdomains="ab",
)


def test_tiles_of_xyzservices_are_credited_and_their_hosts_are_named(tmp_path):
    page = layers.site_map(geo.example_sites(), tiles=PROVIDER)
    assert not any(layer.title == "Land" for layer in page.atlas_layers)
    with pytest.raises(geo.ExportError, match=r"https://\*\.tiles\.example\.org"):
        layers.save_html(page, tmp_path / "map.html")
    with pytest.warns(geo.HostWarning, match=r"https://\*\.tiles\.example\.org") as caught:
        file = layers.save_html(page, tmp_path / "map.html", online=True)
    assert KEY not in str(caught[0].message)
    text = file.read_text(encoding="utf-8")
    (credit,) = re.findall(r'"attribution": "(.*?)",\n', text)
    assert json.loads(f'"{credit}"') == PROVIDER.html_attribution
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="(.*?)"', text)[1]
    assert "https://*.tiles.example.org" in html.unescape(policy)


def test_a_key_is_in_the_address_of_the_tiles_and_nowhere_else(tmp_path):
    page = layers.site_map(geo.example_sites(), tiles=PROVIDER)
    with pytest.warns(geo.HostWarning):
        file = layers.save_html(page, tmp_path / "map.html", online=True)
    text = file.read_text(encoding="utf-8")
    assert text.count(KEY) == text.count("{y}{r}.png?key=" + KEY) == 1


def test_tiles_without_the_key_that_they_need_are_refused():
    asked = xyzservices.TileProvider({**PROVIDER, "apikey": "<insert your key here>"})
    with pytest.raises(ValueError, match="Token is required"):
        layers.site_map(geo.example_sites(), tiles=asked)


def test_the_order_of_places_changes_no_byte():
    places = geo.example_sites().geometry.dropna().drop_duplicates()
    first = ground_layers(TOWN, TOWN, places)
    second = ground_layers(TOWN, TOWN, places.iloc[::-1])
    assert [a.payload for a in first] == [b.payload for b in second]
