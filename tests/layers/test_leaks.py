"""Ways in which exact places escaped from real publications, each built from invented sites.

The numbers are those of the study of leaks that the gate is built on. What no search of bytes can
find stands at the end: pictures of a map, orders of rows, counts that differ by one.
"""

import base64
import gzip
import html
import io
import json
import re
import struct
import urllib.parse
import zipfile
import zlib

import folium
import folium.plugins
import geopandas as gpd
import h3
import nbformat
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image, PngImagePlugin

import geo
import layers
from layers._codes import geohashes, mercator, mgrs_squares, plus_codes, utm, utm_zones
from layers.ground import ground_layers
from layers.scanner import scan

VIEW = (103.4, 11.0, 106.0, 14.0)


def invented_sites(n, seed, decimals=9):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "id": [f"C{i:03d}" for i in range(n)],
            "name": [f"Canary yard {i}" for i in range(n)],
            "lat": rng.uniform(11.2, 13.8, n).round(decimals),
            "lon": rng.uniform(103.6, 105.8, n).round(decimals),
            "radius_m": rng.choice([30, 250, 2000], n),
            "country": "KH",
            "verbatim_location": [f"{40 + i} m north of the invented mill {i}" for i in range(n)],
            "source_file": [f"canary-notes-{i}.xlsx" for i in range(n)],
        }
    )
    sites = geo.validate_sites(table)
    phones = [f"+855 12 34{i:02d} 67" for i in range(n)]
    distances = rng.uniform(1e3, 9e4, n).round(4)
    return sites.assign(phone=phones, distance_to_border_m=distances)


SITES = invented_sites(12, 1)
RELEASED = geo.generalise(SITES)


def page(*children):
    made = folium.Map([12.5, 104.9], zoom_start=8, tiles=None)
    for child in children:
        child.add_to(made)
    return made.get_root().render().encode()


def file_of(frame, tmp_path, name, **options):
    path = tmp_path / name
    frame.to_parquet(path) if name.endswith("parquet") else frame.to_file(path, **options)
    return path


def with_every_column(_):
    return page(
        folium.GeoJson(
            RELEASED.merge(SITES[["site_id", "phone"]]), tooltip=folium.GeoJsonTooltip(["status"])
        )
    )


def explored(_):
    return SITES.explore(tooltip="name", popup=False, tiles=None).get_root().render().encode()


def heat_map(_):
    return page(folium.plugins.HeatMap(SITES.get_coordinates()[["y", "x"]].to_numpy().tolist()))


def marker_cluster(_):
    points = SITES.get_coordinates()[["y", "x"]].to_numpy().tolist()
    return page(folium.plugins.MarkerCluster(points))


def fitted_bounds(_):
    made = folium.Map(tiles=None)
    west, south, east, north = SITES.total_bounds
    made.fit_bounds([[south, west], [north, east]])
    return made.get_root().render().encode()


def mean_for_a_centre(_):
    lonlat = SITES.get_coordinates().mean()
    return folium.Map([lonlat["y"], lonlat["x"]], tiles=None).get_root().render().encode()


def popup_with_script(_):
    return page(folium.Marker([12.5, 104.9], popup="<img src=x onerror=alert(1)>"))


def hosts_of_others(_):
    made = folium.Map([12.5, 104.9])
    return made.get_root().render().encode()


def notebook_with_outputs(tmp_path):
    shown = nbformat.v4.new_output("execute_result", {"text/html": heat_map(None).decode()})
    cell = nbformat.v4.new_code_cell("m", outputs=[shown])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    return tmp_path / "a.ipynb"


def geojson_with_all_digits(_):
    return SITES[["site_id", "geometry"]].to_json().encode()


def rounded_with_columns(_):
    rounded = SITES.assign(lat=SITES.geometry.y, lon=SITES.geometry.x)
    rounded = rounded.set_geometry(shapely.set_precision(SITES.geometry.to_numpy(), 0.1), crs=4326)
    return rounded[["lat", "lon", "geometry"]].to_json().encode()


def index_as_feature_id(_):
    return RELEASED.set_index(SITES["name"])[["status", "geometry"]].to_json().encode()


def second_layer(tmp_path):
    path = file_of(SITES[["geometry"]], tmp_path, "a.gpkg", layer="sites")
    RELEASED.to_file(path, layer="public", mode="a")
    return path


def extent_of_a_layer(tmp_path):
    return file_of(SITES[["geometry"]].to_crs(32648), tmp_path, "a.gpkg", layer="sites")


def second_geometry(tmp_path):
    return file_of(RELEASED.assign(point=SITES.geometry), tmp_path, "a.parquet")


def attributes_of_a_frame(tmp_path):
    frame = RELEASED.copy()
    frame.attrs["centre"] = SITES.get_coordinates().iloc[3].tolist()
    return file_of(frame, tmp_path, "a.parquet")


def photograph(_):
    point = SITES.geometry.iloc[2]

    def angle(value):
        minutes, seconds = divmod(value * 3600, 60)
        degrees, minutes = divmod(minutes, 60)
        return (degrees, minutes, round(seconds, 3))

    notes = Image.Exif()
    gps = {1: "N", 2: angle(point.y), 3: "E", 4: angle(point.x)}
    notes.get_ifd(0x8825).update(gps)
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, "JPEG", exif=notes)
    return made.getvalue()


def picture_with_text(_):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", SITES.geometry.iloc[5].wkt, zip=True)
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, "PNG", pnginfo=notes)
    return made.getvalue()


def view_of_a_kml(_):
    point = SITES.geometry.iloc[4]
    look = f"<LookAt><longitude>{point.x}</longitude><latitude>{point.y}</latitude></LookAt>"
    return f"<?xml version='1.0'?><kml><Document>{look}</Document></kml>".encode()


def name_in_an_archive(_):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("release/Canary yard 7.txt", "nothing")
    return made.getvalue()


def shapefile(tmp_path):
    SITES[["name", "geometry"]].to_file(tmp_path / "a.shp")
    return tmp_path


def distances(_):
    return SITES[["site_id", "distance_to_border_m"]].to_csv().encode()


def hull(_):
    return gpd.GeoSeries([SITES.union_all().convex_hull], crs=4326).to_json().encode()


def voronoi(plane):
    def made(_):
        sites = SITES.to_crs(plane)
        areas = shapely.get_parts(shapely.voronoi_polygons(sites.union_all()))
        return gpd.GeoSeries(areas, crs=plane).to_crs(4326).to_json().encode()

    return made


def least_and_greatest(_):
    return pd.DataFrame({"min": SITES.get_coordinates().min()}).to_csv().encode()


def remark(_):
    return b"<p>It lies 43 m north of the invented mill 3.</p>"


def manifest(_):
    return json.dumps({"inputs": ["canary-notes-3.xlsx"], "rows": 12}).encode()


def change_log(_):
    point = SITES.geometry.iloc[3]
    return f"- Canary yard 3 moved to {point.y:.4f} N, {point.x:.4f} E\n".encode()


def object_of_git(_):
    text = SITES.to_wkt().to_csv().encode()
    return zlib.compress(b"blob %d\0" % len(text) + text)


PATHS = [
    ("1 every column in a page", with_every_column, "G02"),
    ("1 explored", explored, "G10"),
    ("2 heat map", heat_map, "G10"),
    ("2 marker cluster", marker_cluster, "G10"),
    ("3 bounds", fitted_bounds, "G10"),
    ("3 mean as centre", mean_for_a_centre, "G10"),
    ("4 popup", popup_with_script, "G14"),
    ("5 hosts", hosts_of_others, "G15"),
    ("6 text in a picture", picture_with_text, "G10"),
    ("7 notebook", notebook_with_outputs, "G10"),
    ("7 notebook, rule of outputs", notebook_with_outputs, "G22"),
    ("8 all digits", geojson_with_all_digits, "G10"),
    ("8 columns beside rounded points", rounded_with_columns, "G10"),
    ("8 index", index_as_feature_id, "G02"),
    ("9 second layer", second_layer, "G10"),
    ("9 projected layer", extent_of_a_layer, "G10"),
    ("10 second geometry", second_geometry, "G10"),
    ("10 attributes", attributes_of_a_frame, "G10"),
    ("11 photograph", photograph, "G10"),
    ("11 view of a KML", view_of_a_kml, "G10"),
    ("11 name in an archive", name_in_an_archive, "G02"),
    ("11 shapefile", shapefile, "G10"),
    ("11 shapefile, names", shapefile, "G02"),
    ("13 distances", distances, "G02"),
    ("14 hull", hull, "G10"),
    ("16 Voronoi in degrees", voronoi(4326), "G10"),
    ("16 Voronoi in web mercator", voronoi(3857), "G10"),
    ("16 Voronoi in UTM", voronoi(32648), "G10"),
    ("17 least and greatest", least_and_greatest, "G10"),
    ("19 remark", remark, "G02"),
    ("20 file names in a manifest", manifest, "G02"),
    ("21 change log", change_log, "G10"),
    ("22 object of git", object_of_git, "G10"),
]


@pytest.mark.parametrize(("build", "rule"), [p[1:] for p in PATHS], ids=[p[0] for p in PATHS])
def test_every_way_out_is_found(build, rule, tmp_path):
    found = scan(build(tmp_path), against=SITES, released=RELEASED)
    assert rule in set(found["rule"])


# A canary planted into a good release


def clean_page(seed, n=40):
    sites = invented_sites(n, seed, decimals=int(np.random.default_rng(seed).choice([5, 6, 9])))
    released = geo.generalise(sites)
    made = folium.Map([12.5, 104.9], zoom_start=8, tiles=None)
    for layer in ground_layers(VIEW, VIEW, gpd.GeoSeries([], crs=4326)):
        layer.add_to(made)
    layers.area_layer(released[released.geometry.notna()], name="Areas").add_to(made)
    return sites, released, layers.export.page_html(made)


def parts_of(value, last):
    degrees, rest = divmod(value * 3600, 3600)
    return f"{degrees:.0f}", f"{rest // 60:02.0f}", f"{rest % 60:0{3 + last}.{last}f}"


def spellings(lat, lon, rng):
    """A place in every notation that people and programs write."""
    x, y = np.array([lon]), np.array([lat])
    zone = utm_zones(x, y)
    (east,), (north,) = utm(x, y, zone)
    (east_next,), (north_next,) = utm(x, y, zone + 1)
    (mx,), (my,) = mercator(x, y)
    d = int(rng.integers(3, 9))
    between = str(rng.choice([", ", ",", "; ", " ", "\t", "|", "/"]))
    a, b = parts_of(lat, 1), parts_of(lon, 1)
    square = mgrs_squares(np.array([east]), np.array([north]), zone, y)[0]
    plus, hashed = plus_codes(x, y)[0], geohashes(x, y, int(rng.integers(7, 13)))[0]
    digits = {48 + i: 0x17E0 + i for i in range(10)}
    level = int(rng.integers(7, 16))
    minutes = (f"{lat % 1 * 60:07.4f}", f"{lon % 1 * 60:07.4f}")
    return [
        f"{lat:.{d}f}{between}{lon:.{d}f}",
        f"[{lon:.{d}f}, {lat:.{d}f}]",
        f"{lat!r},{lon!r}",
        f"{str(lat)[:7]} {str(lon)[:8]}",
        f"-{lat:.5f} -{lon:.5f}",
        f"N{lat:.4f}° E{lon:.4f}°",
        f"{lat:.5f} {lon:.5f}".replace(".", ","),
        f"{lat:.8e} {lon:.8e}",
        f"{lat:.5f} {lon:.5f}".translate(digits),
        json.dumps({"lat": lat, "name": "x" * int(rng.integers(120)), "lng": lon}),
        f"POINT ({lon:.6f} {lat:.6f})",
        f"{a[0]}°{a[1]}'{a[2]}\"N {b[0]}°{b[1]}'{b[2]}\"E",
        f"{a[0]}° {a[1]}\u2032 {a[2]}\u2033 N, {b[0]}° {b[1]}\u2032 {b[2]}\u2033 E",
        f"{a[0]} deg {a[1]} min {a[2]} sec, {b[0]} deg {b[1]} min {b[2]} sec",
        f"{':'.join(a)}N {':'.join(b)}E",
        f"N{'-'.join(a)} E{'-'.join(b)}",
        f"{''.join(a)}N {''.join(b)}E",
        f"{int(lat)}° {minutes[0]}' N {int(lon)}° {minutes[1]}' E",
        f"{int(lat):02d}{minutes[0]},N,{int(lon):03d}{minutes[1]},E",
        f'"latitudeE7": {round(lat * 1e7)}, "longitudeE7": {round(lon * 1e7)}',
        f"{mx:.2f},{my:.2f}",
        f"[{int(mx)},{int(my)}]",
        f"{zone[0]}P {east:.0f} {north:.0f}",
        f"{east_next:.1f} mE {north_next:.1f} mN",
        f"{square}{int(east % 1e5):05d}{int(north % 1e5):05d}",
        f"{square[:-2]} {square[-2:]} {int(east % 1e5 / 10):04d} {int(north % 1e5 / 10):04d}",
        hashed,
        hashed.upper(),
        f"{plus[:8]}+{plus[8:10]}",
        f"{plus[:8]}+{plus[8:11]}".lower(),
        f"{plus[4:8]}+{plus[8:10]} Stoung",
        h3.latlng_to_cell(lat, lon, level),
        str(h3.str_to_int(h3.latlng_to_cell(lat, lon, level))),
    ]


def binaries(lat, lon, rng):
    """A place as programs store it, among other bytes."""
    kind = str(rng.choice(["<f8", ">f8", "<f4", ">f4", "<i4", ">i4"]))
    pair = np.array([lon, lat] if rng.random() < 0.5 else [lat, lon])
    pair = np.rint(pair * 1e7) if kind.endswith("i4") else pair
    stored = pair.astype(kind).tobytes()
    point = [stored, shapely.Point(lon, lat).wkb, struct.pack("<ddd", lon, lat, 12.0)]
    data = rng.bytes(int(rng.integers(9))) + point[rng.integers(3)] + rng.bytes(20)
    wraps = (base64.b64encode(data), base64.b64encode(zlib.compress(data)), data.hex().encode())
    return wraps[rng.integers(3)].decode()


def raw_deflate(data):
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return deflate.compress(data) + deflate.flush()


WRAPS = {
    "plain": str,
    "entities": html.escape,
    "numbered entities": lambda t: "".join(f"&#{ord(c)};" for c in t),
    "percent": urllib.parse.quote,
    "percent of all": lambda t: "".join(f"%{b:02X}" for b in t.encode()),
    "JSON": json.dumps,
    "escapes": lambda t: "".join(f"\\u{ord(c):04x}" for c in t),
    "base64": lambda t: base64.b64encode(f"Some words: {t} and more".encode()).decode(),
    "zlib": lambda t: base64.b64encode(zlib.compress(f"{t} words".encode())).decode(),
    "deflate": lambda t: base64.b64encode(raw_deflate(f"{t} words".encode())).decode(),
    "gzip": lambda t: base64.b64encode(gzip.compress(f"{t} words".encode(), mtime=0)).decode(),
    "hexadecimal": lambda t: f"map: {t} :map".encode().hex(),
}
STYLES = ("<!-- {} -->", "<p title='{}'></p>", "<p>{}</p>", "\n{}\n")


def disguised(lat, lon, rng):
    """A place in some spelling, wrapped in some way, in some part of a page."""
    if rng.random() < 0.25:
        words = binaries(lat, lon, rng)
    else:
        texts = spellings(lat, lon, rng)
        words = WRAPS[str(rng.choice(list(WRAPS)))](texts[rng.integers(len(texts))])
    return STYLES[rng.integers(len(STYLES))].replace("{}", words)


@pytest.mark.parametrize("seed", range(4))
def test_places_planted_anywhere_in_any_form_are_found(seed):
    """Fifty of them, five in a page: each must be found, and no other."""
    sites, released, good = clean_page(seed)
    kept = sites[["site_id", "geometry"]]
    assert not scan(good.encode(), against=kept, released=released)["site_id"].notna().any()
    # The scripts of a page are long, always the same, and were looked at already.
    body = re.sub(r"<(script|style)>.*?</\1>", "", good, flags=re.DOTALL)
    spots = [found.end() for found in re.finditer(r">(?=\s*<)|\n", body)]
    rng = np.random.default_rng(seed)
    for _ in range(10):
        rows = rng.choice(len(sites), 5, replace=False)
        points = [sites.geometry.iloc[row] for row in rows]
        planted = [disguised(point.y, point.x, rng) for point in points]
        mutant = body
        # From the last spot to the first, so that none is within what was planted before.
        for spot, words in zip(sorted(rng.choice(spots, 5), reverse=True), planted, strict=True):
            mutant = mutant[:spot] + words + mutant[spot:]
        found = scan(mutant.encode(), against=kept, released=released)
        assert set(found["site_id"].dropna()) == set(sites["site_id"].iloc[rows]), planted


# Clean releases


@pytest.mark.parametrize("seed", range(100))
def test_a_clean_release_raises_no_alarm(seed, tmp_path):
    rng = np.random.default_rng(seed)
    sites = invented_sites(int(rng.integers(2, 80)), 1000 + seed, int(rng.choice([4, 5, 6, 9])))
    scheme = rng.integers(3)
    if scheme == 0:
        released = geo.generalise(sites)
    elif scheme == 1:
        released = geo.generalise(sites, cell_size_m=float(rng.choice([5e3, 1e4, 2e4])))
    else:
        released = geo.donut_mask(sites, key=bytes(range(32)), min_m=2e3, max_m=5e3)
    released.to_file(tmp_path / "release.geojson")
    pd.DataFrame(released.drop(columns="geometry")).to_csv(tmp_path / "release.csv")
    if seed % 10 == 0:
        released.to_file(tmp_path / "release.gpkg")
        released.to_parquet(tmp_path / "release.parquet")
        shown = released[released.geometry.notna()]
        made = folium.Map(tiles=None)
        for layer in ground_layers(VIEW, VIEW, gpd.GeoSeries([], crs=4326)):
            layer.add_to(made)
        draw = layers.site_layer if scheme == 2 else layers.area_layer
        draw(shown, name="Released").add_to(made)
        west, south, east, north = shown.total_bounds
        made.fit_bounds([[south, west], [north, east]])
        layers.save_html(made, tmp_path / "map.html")
    found = scan(tmp_path, against=sites, released=released)
    assert not found["rule"].isin(["G02", "G10"]).any(), found


# What a search of bytes cannot find: other rules of the gate forbid to make it


def test_a_picture_of_a_map_an_order_and_a_count_are_not_found():
    made = io.BytesIO()
    Image.new("RGB", (8, 8)).save(made, "PNG")
    order = "\n".join(SITES.sort_values("site_id")["site_id"]).encode()
    for content in (made.getvalue(), order, b"Stoung: 12 sites, last month 11"):
        assert not scan(content, against=SITES, released=RELEASED)["site_id"].notna().any()
