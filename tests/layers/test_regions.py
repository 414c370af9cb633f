"""Areas of a release: every row counted, none turned into a point, nothing told but its area."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from column_reader import unpack

import geo
import layers
from layers._words import Phrase, known
from layers.export import page_html
from layers.regions import displaced_legend, paper_layers, region_layer, split_released

COUNTRY = shapely.box(103, 12, 106, 14)
PROVINCE = shapely.box(104, 12.5, 105, 13.5)
DISTRICT = shapely.box(104.4, 12.7, 104.7, 13)
OTHER = shapely.box(104.7, 12.7, 105, 13)
POINT = shapely.Point(104.55, 12.85)


def released(rows):
    """A released frame of (id, status, scheme, geometry, province, district)."""
    columns = ["site_id", "status", "release_scheme", "geometry", "admin1", "admin2"]
    frame = pd.DataFrame(rows, columns=columns)
    radius = frame["geometry"].map(lambda g: None if g is None else 9000.0).astype("Float64")
    frame = frame.assign(country="KH", uncertainty_m=radius)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=4326)


def mixed():
    """Rows at a point, in areas of every level, withheld, and without a location."""
    return released(
        [
            ("T1", "confirmed", "exact", POINT, "Inland", "Nowhere"),
            ("T2", "suspected", "district area", DISTRICT, "Inland", "Nowhere"),
            ("T3", "suspected", "district area", DISTRICT, "Inland", "Nowhere"),
            ("T4", "confirmed", "district area", DISTRICT, "Inland", "Nowhere"),
            ("T5", "suspected", "province area", PROVINCE, "Inland", None),
            ("T6", "suspected", "country area", COUNTRY, None, None),
            ("T7", "suspected", "5000 m cell", OTHER, None, None),
            ("T8", "rejected", "withheld", None, None, None),
            ("T9", "suspected", "none", None, "Inland", None),
        ]
    )


def shuffled(frame):
    """The same rows in another order, under other labels, with other starts of the rings."""
    frame = frame.sample(frac=1, random_state=3).set_axis([f"r{i}" for i in range(len(frame))])
    turned = [
        shapely.Polygon([*g.exterior.coords[2:-1], *g.exterior.coords[:3]])
        if isinstance(g, shapely.Polygon)
        else g
        for g in frame.geometry
    ]
    return frame.set_geometry(gpd.GeoSeries(turned, index=frame.index, crs=4326))


def drawn(layer):
    """The polygons of a layer, as the page draws them."""
    shapes = []
    for parts in layer.payload["shapes"]:
        rings = [np.cumsum(np.reshape(r, (-1, 2)), axis=0)[:, ::-1] / 1e5 for p in parts for r in p]
        shapes.append(shapely.union_all([shapely.Polygon(ring) for ring in rings]))
    return shapes


def test_each_polygon_is_one_area_with_its_reports_by_status():
    layer = region_layer(mixed())
    one = "The place is somewhere in this area, not at its middle."
    several = one.replace("place is", "places are")
    assert [str(words) for words in layer.payload["labels"]] == [
        f"Cambodia, country: 1 suspected. {one}",
        f"Inland, province: 1 suspected. {one}",
        f"5 km cell: 1 suspected. {one}",
        f"Nowhere, district: 1 confirmed, 2 suspected. {several}",
    ]
    wanted = (COUNTRY, PROVINCE, OTHER, DISTRICT)
    assert all(found.equals(area) for found, area in zip(drawn(layer), wanted, strict=True))


def test_only_countries_are_outlines_and_no_area_has_a_colour_of_a_status():
    fills = region_layer(mixed()).payload["fills"]
    assert fills[0] == "none"
    assert "none" not in fills[1:]
    assert not set(fills) & set(layers.STATUS_SCALE.colours)


def test_the_legend_counts_levels_and_statuses_apart():
    (section,) = region_layer(mixed()).legend
    assert [(entry.label, str(entry.note), entry.count) for entry in section.entries] == [
        ("somewhere in a district", "1 confirmed, 2 suspected", None),
        ("somewhere in a 5 km cell", "1 suspected", None),
        ("somewhere in a province", "1 suspected", None),
        ("somewhere in a country, outlined", "1 suspected", None),
    ]


def test_keys_are_pieces_of_the_areas_as_they_are_drawn():
    layer = region_layer(mixed())
    (section,) = layer.legend
    assert all(entry.shape == "square" and entry.dashed for entry in section.entries)
    assert {entry.opacity for entry in section.entries} == {layer.payload["opacity"]}
    kinds = [str(label).split(":")[0] for label in layer.payload["labels"]]
    for fill, key, kind in zip(layer.payload["fills"], layer.payload["keys"], kinds, strict=True):
        assert section.entries[key].colour == fill
        assert kind.split(", ")[-1] in section.entries[key].label


def test_the_page_is_told_in_which_area_each_report_lies():
    layer = region_layer(mixed())
    rows = unpack(layer.payload["rows"])
    told = dict(zip(rows["site_id"], rows["area"], strict=True))
    assert told == {"T2": 3, "T3": 3, "T4": 3, "T5": 1, "T6": 0, "T7": 2}


@pytest.mark.parametrize("ids", [None, "T1", ["T1", "T2", "T3", "T4", "T5", "T6", "", "T8", "T9"]])
def test_of_reports_that_cannot_be_told_apart_it_is_told_of_none(ids):
    frame = mixed().drop(columns="site_id") if ids is None else mixed().assign(site_id=ids)
    layer = region_layer(frame)
    assert "rows" not in layer.payload
    assert len(layer.payload["labels"]) == 4


def test_words_of_areas_can_change_their_language():
    frame = mixed()
    frame.loc[3, ["geometry", "admin2"]] = [shapely.box(105, 12.7, 105.3, 13), None]
    layer = region_layer(frame)
    labels = layer.payload["labels"]
    assert layer.payload["said"].keys() == set(labels)
    assert any(label.startswith("A district: 1 confirmed. ") for label in labels)
    (section,) = layer.legend
    assert all(isinstance(entry.label, Phrase) for entry in section.entries)
    assert isinstance(known(section.title), Phrase)


def test_larger_areas_lie_lower_wherever_they_are():
    """A box of 1 degree is larger at the equator than at 60 degrees north."""
    north, south = shapely.box(10, 60, 11.9, 61), shapely.box(10, 0, 11, 1)
    rows = [
        ("T1", "suspected", "district area", north, None, "North"),
        ("T2", "suspected", "district area", south, None, "South"),
    ]
    labels = region_layer(released(rows)).payload["labels"]
    assert [label.split(",")[0] for label in labels] == ["South", "North"]


def test_the_order_of_rows_and_corners_changes_nothing():
    one, other = region_layer(mixed()), region_layer(shuffled(mixed()))
    assert one.payload == other.payload
    assert one.legend == other.legend
    assert one.bounds == other.bounds


def test_a_frame_without_areas_is_a_layer_without_shapes():
    for rows in (mixed().iloc[[0, 7, 8]], mixed().iloc[:0]):
        layer = region_layer(rows)
        assert layer.payload["shapes"] == []
        assert layer.bounds is None
        assert layer.legend == ()


def test_real_releases_count_every_report_once():
    sites = geo.example_sites()
    given = geo.generalise(sites, level="district")
    parts = split_released(given)
    layer = region_layer(given)
    numbers = [
        sum(int(part.split()[0]) for part in words.split(": ")[1].split(". ")[0].split(", "))
        for words in map(str, layer.payload["labels"])
    ]
    n_areas = int(given.geometry.notna().sum())
    assert sum(numbers) == n_areas == len(parts.regions)
    assert len(numbers) == len({g.wkb for g in given.geometry if g is not None})
    assert parts.apart["n-in-area"] == n_areas


def test_parting_keeps_every_row_and_leaves_no_point_for_an_area():
    given = mixed()
    before = given.copy()
    points, regions, apart = split_released(given)
    assert points["site_id"].tolist() == given["site_id"].tolist()
    assert points.geometry.notna().tolist() == [True] + [False] * 8
    assert regions["site_id"].tolist() == ["T2", "T3", "T4", "T5", "T6", "T7"]
    assert apart == {"n-in-area": 6, "n-withheld": 1}
    assert points["locality"].fillna("").tolist() == [
        "",
        *["Nowhere (district area)"] * 3,
        "Inland (province area)",
        "Cambodia (country area)",
        "5 km cell",
        "",
        "",
    ]
    pd.testing.assert_frame_equal(pd.DataFrame(given), pd.DataFrame(before))


def test_a_name_of_a_place_is_not_shown_for_a_row_that_is_known_to_an_area():
    points, *_ = split_released(mixed().assign(locality="the very village"))
    assert (points["locality"] == "the very village").tolist() == [True, *[False] * 6, True, True]


def test_frames_that_were_not_released_are_left_as_they_are():
    sites = geo.example_sites()
    assert split_released(sites).points is sites
    assert split_released(sites)[1:] == (None, {})
    footprints = gpd.GeoDataFrame({"site_id": ["T1"]}, geometry=[DISTRICT], crs=4326)
    with pytest.raises(geo.errors.GeometryError, match="Polygon"):
        layers.site_map(footprints)
    with pytest.raises(geo.errors.GeometryError, match="Polygon"):
        layers.site_map(footprints.assign(release_scheme="exact"))


def test_a_point_in_place_of_an_area_is_refused():
    given = mixed()
    middles = given.set_geometry(shapely.centroid(given.geometry.to_numpy()), crs=4326)
    for draw in (region_layer, split_released, layers.site_map, layers.site_figure):
        with pytest.raises(geo.errors.GeometryError, match=r"6 of 9 rows.*are points") as caught:
            draw(middles)
        assert caught.value.problems["row"].tolist() == [1, 2, 3, 4, 5, 6]
        assert "104." not in str(caught.value)


def test_what_is_no_release_is_refused_in_words():
    with pytest.raises(geo.errors.SchemaError, match="release_scheme"):
        region_layer(mixed().drop(columns="release_scheme"))
    with pytest.raises(geo.errors.CRSError):
        region_layer(mixed().set_crs(None, allow_override=True))
    with pytest.raises(TypeError, match="GeoDataFrame"):
        region_layer(pd.DataFrame(mixed()))


def test_names_of_areas_stay_text():
    bad = "</script><img src=x onerror=alert(1)>{{7*7}}`${1}`\x00"
    given = mixed().assign(admin1=bad, admin2=bad)
    page = page_html(layers.site_map(given))
    assert "<img src=x" not in page
    assert "\x00" not in page
    labels = region_layer(given).payload["labels"]
    assert any(str(label).startswith("</script><img src=x onerror=alert(1)>") for label in labels)


def test_displaced_points_say_so_in_the_legend():
    rows = [
        ("T1", "confirmed", "exact", POINT, None, None),
        ("T2", "confirmed", "donut 1000 to 5000 m", shapely.Point(104.5, 12.8), None, None),
        ("T3", "rejected", "donut 1000 to 5000 m", shapely.Point(104.4, 12.8), None, None),
        ("T4", "confirmed", "planar Laplace of mean 289 m", shapely.Point(104.3, 12.8), None, None),
        ("T5", "confirmed", "moved by hand", shapely.Point(104.2, 12.8), None, None),
        ("T6", "confirmed", "withheld", None, None, None),
        ("T7", "suspected", "district area", DISTRICT, None, "Nowhere"),
    ]
    (section,) = displaced_legend(released(rows))
    assert [(entry.label, str(entry.note)) for entry in section.entries] == [
        ("displaced by up to 5 km to protect the place", "1 confirmed, 1 rejected"),
        ("displaced (moved by hand) to protect the place", "1 confirmed"),
        ("displaced by 289 m on average to protect the place", "1 confirmed"),
    ]
    assert displaced_legend(mixed()) == ()
    assert displaced_legend(geo.example_sites()) == ()
    assert "displaced by up to 5 km to protect the place" in page_html(
        layers.site_map(released(rows))
    )


def test_real_displacements_are_recognised():
    sites = geo.example_sites().drop_duplicates("geometry")
    sites = sites[(sites["status"] == "confirmed") & sites.geometry.notna()]
    sites = sites.assign(site_id=[f"T-{7 * i + 3:03}" for i in range(len(sites))])
    key = bytes(range(7, 7 + 64))
    for masked, words in (
        (geo.donut_mask(sites, key=key, min_m=1000, max_m=5000), "by up to 5 km to"),
        (geo.laplace_mask(sites, key=key, radius_m=200), "by 289 m on average to"),
    ):
        (section,) = displaced_legend(masked)
        assert words in section.entries[0].label


def test_the_map_counts_lists_and_draws_released_rows():
    page = layers.site_map(mixed())
    by_kind = {layer.title: layer for layer in page.atlas_layers}
    symbols = by_kind["Reported sites"]
    assert symbols.tally.places.tolist() == [[104.55, 12.85]]
    assert symbols.tally.total == 9
    titles = [layer.title for layer in page.atlas_layers]
    assert titles.index("Reports known to an area only") < titles.index("Reported sites")
    written = page_html(page)
    counted = "1 at a place, 6 known to an area only, 1 withheld, 1 without a location."
    assert counted in written
    cards = unpack(symbols.payload["cards"])
    assert sorted(cards["locality"])[-3:] == ["Nowhere (district area)"] * 3


def test_the_map_of_areas_alone_opens_on_them():
    given = mixed().iloc[[1, 4]]
    page = layers.site_map(given)
    west, south, east, north = PROVINCE.bounds
    opening = f"[[{south - 0.01},{west - 0.01}],[{north + 0.01},{east + 0.01}]]"
    assert f'"view":{opening}' in page_html(page)


def test_maps_of_sites_say_what_they_said():
    assert "79 shown, 18 without a location." in page_html(layers.site_map(geo.example_sites()))


@pytest.mark.parametrize("n", [0, 1])
def test_maps_of_hardly_any_released_row_can_be_made(n):
    for rows in (mixed().iloc[:n], mixed().iloc[5 : 5 + n]):
        assert "</html>" in page_html(layers.site_map(rows))


def test_figures_show_areas_with_their_reports_and_count_them():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = layers.site_figure(mixed(), width_mm=170)
    counted = "1 at a place, 6 known to an area only, 1 withheld, 1 without a location."
    assert counted in figure.alt
    words = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert "1 confirmed, 2 suspected" in words
    assert "somewhere in a district" in words


def test_paper_writes_the_reports_within_each_area_but_a_country():
    tint, outlines, labels = paper_layers(split_released(mixed()).regions)
    shapes = {"P": PROVINCE, "O": OTHER, "D": DISTRICT}
    looks = dict.fromkeys(row[3] for row in labels.payload["labels"])
    assert len(looks) == 3
    for look, area in zip(looks, "DOP", strict=True):
        spots = [shapely.Point(r[2], r[1]) for r in labels.payload["labels"] if r[3] == look]
        assert len(spots) >= 4
        assert shapely.covers(shapes[area], spots).all()
    assert outlines.payload["fills"] == []
    assert tint.payload["shapes"] == outlines.payload["shapes"]
    assert paper_layers(None) == ()
