"""From sites to what is public: the same bytes, whole or not at all."""

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from folium.plugins import HeatMap, MarkerCluster
from matplotlib.figure import Figure

import geo
from layers import _gate, _placing
from layers.figures import site_figure
from layers.maps import SiteMap, site_map
from layers.release import publish, publish_data
from layers.rules import RULES, ReleasePolicy
from layers.scanner import scan
from layers.surfaces import density_layer, hex_layer
from layers.surroundings import cluster_layer, nearest_layer
from layers.symbols import site_layer, uncertainty_layer
from layers.text import Inert, html

ROOT = Path(__file__).parents[2]
POLICY = ReleasePolicy(
    contact="corrections@example.org",
    licence="CC BY 4.0",
    citation="Example (2026)",
    date="2026-12-01",
)
KEY = bytes(range(7, 39))
N = 12


def invented(**columns):
    """Twelve invented places in the countryside: four public, six restricted, two protected."""
    i = np.arange(N)
    table = pd.DataFrame(
        {
            "id": [f"KX-10{k:02}" for k in i],
            "name": [f"Invented Garden {k}" for k in i],
            "lat": np.round(12.7012345 + 0.0231 * i, 7),
            "lon": np.round(104.4012345 + 0.0317 * (i * 5 % N), 7),
            "radius_m": 300.0,
            "status": ["confirmed"] * 8 + ["suspected"] * 4,
            "sensitivity": ["public"] * 4 + ["restricted"] * 4 + ["public", "restricted"]
            + ["protected"] * 2,
            "country": "KH",
            "admin1": "Kampong Thom",
            "source": "Gazette",
            "source_url": "https://example.org/a",
            "first_reported": "2025-11-03",
            "remark": [f"behind the old mill {k}" for k in i],
        }
    )  # fmt: skip
    return geo.validate_sites(table.assign(**columns))


def light(view, *, methods, layers=()):
    """Draw a small page with the methods."""
    page = SiteMap()
    for point in view.geometry[view.geom_type == "Point"]:
        folium.CircleMarker([point.y, point.x]).add_to(page)
    for layer in layers:
        layer.add_to(page)
    words = "".join(f"<p>{html(text)}</p>" for text in methods)
    page.get_root().html.add_child(Inert(words))
    return page


def results(view):
    points = view[view.geom_type == "Point"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.ResolutionWarning)
        clusters = geo.dbscan(points, eps_m=20_000, min_samples=3)
    counts = pd.DataFrame({"status": view["status"].astype(str), "note": "=1+1"})
    return {"clusters": clusters, "counts": counts.groupby(["status", "note"]).size().reset_index()}


def contents(folder):
    """Every file in a folder by name, lock files and hidden ones too."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() if p.is_file() else None
        for p in folder.rglob("*")
    }


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A folder, as users publish it."""
    sites = invented()
    draw = partial(site_map, title="Invented places")
    target = tmp_path_factory.mktemp("release") / "atlas"
    return publish(draw, target, sites=sites, policy=POLICY, results=results, figure=site_figure)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page that was published before, and its folder's content."""
    target = tmp_path_factory.mktemp("page") / "map.html"
    publish(light, target, sites=invented(), policy=POLICY)
    return target


# ------------------------------------------------------------------------------ what is published


def test_a_folder_holds_page_data_tables_figures_methods_and_manifest(released):
    assert set(contents(released.path)) - {"data", "tables", "figures"} == {
        "map.html",
        "data/released.csv",
        "data/released.geojson",
        "tables/clusters.csv",
        "tables/counts.csv",
        "figures/map.svg",
        "figures/map.pdf",
        "figures/map.png",
        "README.txt",
        "manifest.json",
    }
    assert [p.name for p in released.path.parent.iterdir()] == ["atlas"]


def test_the_manifest_is_of_these_files_and_says_what_was_decided(released):
    manifest = json.loads((released.path / "manifest.json").read_bytes())
    assert manifest == released.manifest
    files = {n: data for n, data in contents(released.path).items() if data is not None}
    hashes = {n: hashlib.sha256(data).hexdigest() for n, data in files.items()}
    del hashes["manifest.json"]
    assert manifest["outputs"] == hashes
    assert manifest["rows"] == {
        "read": 12,
        "released": 10,
        "left out as protected": 2,
        "by scheme": {"district area": 6, "exact": 4},
    }
    assert manifest["rules"] == {"passed": [rule.name for rule in RULES], "overrides": []}
    assert manifest["date"] == "2026-12-01"
    assert manifest["contact"] == "corrections@example.org"
    assert re.fullmatch(r"[0-9a-f]{64}", manifest["input"]["sha256"])
    assert manifest["software"]["geopandas"] == gpd.__version__


def test_the_methods_are_in_the_page_and_in_the_text(released):
    paragraphs = released.provenance.paragraphs()
    assert any("corrections@example.org" in text for text in paragraphs)
    told = (released.path / "map.html").read_text(encoding="utf-8")
    words = " ".join((released.path / "README.txt").read_text(encoding="utf-8").split())
    for text in paragraphs:
        assert str(html(text)) in told
        assert " ".join(text.split()) in words


def test_nothing_of_the_sites_is_in_any_file_but_what_is_public(released):
    sites = invented()
    hidden = sites[sites["sensitivity"] != "public"]
    hidden = hidden.drop(columns=["source", "source_url"])  # as in public rows
    assert scan(released.path, against=hidden, progress=False).empty
    assert not {"KX-1010", "KX-1011"} & set(released.view["site_id"])
    for data in contents(released.path).values():
        assert not re.search(rb"KX-101[01]|Invented Garden|old mill", data or b"")


def test_the_public_places_are_where_their_source_has_them(released):
    rows = gpd.read_file(released.path / "data" / "released.geojson").set_index("site_id")
    exact = rows[rows["release_scheme"] == "exact"]
    assert list(exact.index) == ["KX-1000", "KX-1001", "KX-1002", "KX-1003"]
    assert exact.geometry["KX-1001"].equals(shapely.Point(104.55973, 12.72433))


def test_tables_hold_no_formula(released):
    table = pd.read_csv(released.path / "tables" / "counts.csv")
    assert table["note"].eq("'=1+1").all()
    assert table["0"].sum() == 10


def test_a_summary_says_how_much_was_published(released):
    assert released.summary() == (
        "10 rows were published (6 district area, 4 exact); 23 of 23 rules were met. No rule was "
        "overridden."
    )
    assert repr(released) == "Release('atlas', 10 rows)"


PROCESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_release import KEY, POLICY, invented, light, results
import geo
from layers.release import publish, publish_data
folder = Path(sys.argv[1])
sites = invented()
if sys.argv[3] == "2":
    sites = sites.sample(frac=1, random_state=3).set_index("name", drop=False)
publish(light, folder / "atlas", sites=sites, policy=POLICY, results=results)
for suffix in ("gpkg", "parquet"):
    publish_data(folder / f"sites.{suffix}", sites=sites, policy=POLICY)
"""


def test_two_processes_write_the_same_bytes_whatever_the_order_of_rows(tmp_path):
    running = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Phnom_Penh")):
        (tmp_path / seed).mkdir()
        words = [sys.executable, "-c", PROCESS, tmp_path / seed, Path(__file__).parent, seed]
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        running.append(subprocess.Popen(words, cwd=ROOT, env=env))
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    one, other = (contents(tmp_path / seed) for seed in ("1", "2"))
    assert len(one) == 14
    assert one == other


# ---------------------------------------------------------------------------- behind our back


def exact_points():
    points = invented().geometry
    return [[y, x] for x, y in zip(points.x, points.y, strict=True)]


def clustered():
    cluster = MarkerCluster()
    for at in exact_points():
        folium.Marker(at).add_to(cluster)
    return cluster


def clustering(sites):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.ResolutionWarning)
        return geo.dbscan(sites, eps_m=20_000, min_samples=3)


def discs(sites):
    return sites.assign(geometry=sites.to_crs(32648).buffer(500).to_crs(4326))[["geometry"]]


def surface(sites):
    window = gpd.GeoSeries([shapely.box(104.0, 12.3, 105.2, 13.4)], crs=4326)
    return geo.kernel_density(sites, window=window, bandwidth_m=20_000, cell_size_m=20_000)


# Layers of the exact places, which no function was given: (what finds them, the layer)
BEHIND = {
    "a heat map": ({"G10", "G12"}, lambda: HeatMap(exact_points())),
    "clusters of markers": ({"G10", "G12"}, clustered),
    "GeoJSON with all columns": ({"G02", "G10"}, lambda: folium.GeoJson(invented().to_json())),
    "rounded GeoJSON": (
        {"G10"},
        lambda: folium.GeoJson(
            gpd.GeoSeries(shapely.set_precision(invented().geometry.array, 0.001)).to_json()
        ),
    ),
    "hulls": ({"G10"}, lambda: folium.GeoJson(invented().union_all().convex_hull)),
    "a cluster at one place": (
        {"G12"},
        lambda: cluster_layer(
            geo.dbscan(pd.concat([invented().tail(1)] * 2), eps_m=600, min_samples=2)
        ),
    ),
    "layer of sites": ({"G10", "G12"}, lambda: site_layer(invented())),
    "circles of uncertainty": ({"G10", "G12"}, lambda: uncertainty_layer(invented())),
    "hexagons": ({"G12"}, lambda: hex_layer(invented(), size_m=5_000)),
    "lines to the nearest town": (
        {"G10"},
        lambda: nearest_layer(geo.nearest(invented(), geo.load_reference("towns"), lines=True)),
    ),
    "a name in a popup": ({"G02"}, lambda: folium.Marker([12, 104], popup="Invented Garden 7")),
    "the id of a row that is left out": (
        {"G01"},
        lambda: folium.Marker([12, 104], tooltip="see KX-1011"),
    ),
}


@pytest.mark.filterwarnings("ignore::geo.SensitivityWarning", "ignore::geo.ResolutionWarning")
@pytest.mark.parametrize("case", BEHIND)
def test_a_layer_of_the_exact_places_is_refused(case, tmp_path):
    rules, layer = BEHIND[case]

    def draw(view, *, methods):
        return light(view, methods=methods, layers=[layer()])

    with pytest.raises(geo.PublishRefused) as caught:
        publish(draw, tmp_path / "map.html", sites=invented(), policy=POLICY)
    assert rules <= set(caught.value.problems["rule"])
    assert not re.search(r"1[0-9]{1,2}\.\d{3}", f"{caught.value}{caught.value.problems.to_json()}")
    assert contents(tmp_path) == {}


def reaching(sites):
    """Functions that refer to more than their argument."""
    grid = surface(sites)
    clusters = clustering(sites)
    return {
        "a density": lambda view, *, methods: light(
            view, methods=methods, layers=[density_layer(grid)]
        ),
        "clusters": lambda view, *, methods: light(
            view, methods=methods, layers=[cluster_layer(clusters)]
        ),
        "rows": partial(light_of, rows=sites),
    }


def light_of(view, *, methods, rows):
    return light(view.assign(n=len(rows)), methods=methods)


@pytest.mark.filterwarnings("ignore::geo.ResolutionWarning")
@pytest.mark.parametrize("name", ["a density", "clusters", "rows"])
def test_a_function_that_refers_to_the_exact_places_is_refused(name, tmp_path):
    draw = reaching(invented())[name]
    with pytest.raises(geo.PublishRefused, match="use the argument only") as caught:
        publish(draw, tmp_path / "map.html", sites=invented(), policy=POLICY)
    assert "G12" in set(caught.value.problems["rule"])
    assert contents(tmp_path) == {}


@pytest.mark.filterwarnings("ignore::geo.SensitivityWarning", "ignore::geo.ResolutionWarning")
@pytest.mark.parametrize(
    ("words", "rules"),
    [
        ({"results": lambda _: {"clusters": clustering(invented())}}, {"G12"}),
        ({"results": lambda _: {"middle": geo.mean_center(invented(), n_bootstrap=0)}}, {"G12"}),
        ({"results": lambda _: {"rows": pd.DataFrame(invented().drop(columns="geometry"))}},
         {"G01", "G02"}),
        ({"results": lambda _: {"near": distances()}}, {"G11"}),
        ({"figure": lambda _: site_layer(invented()) and Figure()}, {"G12"}),
    ],
    ids=["clusters", "a mean", "a table", "distances", "a figure"],
)  # fmt: skip
def test_results_and_figures_of_the_exact_places_are_refused(words, rules, tmp_path):
    with pytest.raises(geo.PublishRefused) as caught:
        publish(light, tmp_path / "atlas", sites=invented(), policy=POLICY, **words)
    assert rules <= set(caught.value.problems["rule"])
    assert contents(tmp_path) == {}


def distances():
    border = geo.load_reference("land_border", country="KH")
    return geo.distance_to(invented(), border).assign(site_id=invented()["site_id"])


@pytest.mark.parametrize("move", [
    lambda page: page.fit_bounds([[12.7012345, 104.4012345], [12.9553345, 104.7499345]]),
    lambda page: page.location.__setitem__(slice(None), np.mean(exact_points(), axis=0).tolist()),
], ids=["bounds", "middle"])  # fmt: skip
def test_bounds_and_middle_of_the_exact_places_are_refused(move, tmp_path):
    def draw(view, *, methods):
        page = light(view, methods=methods)
        move(page)
        return page

    with pytest.raises(geo.PublishRefused, match="G10"):
        publish(draw, tmp_path / "map.html", sites=invented(), policy=POLICY)


def test_tiles_are_for_a_person_to_allow(tmp_path):
    def draw(view, *, methods):
        return light(view, methods=methods, layers=[
            folium.TileLayer("https://tile.example.org/{z}/{x}/{y}.png", attr="Example")
        ])  # fmt: skip

    target = tmp_path / "map.html"
    with pytest.raises(geo.PublishRefused, match=r"it calls tile\.example\.org"):
        publish(draw, target, sites=invented(), policy=POLICY)
    signed = POLICY.override("G15", reason="Readers know.", reviewer="Editor")
    release = publish(draw, target, sites=invented(), policy=signed)
    assert release.manifest["rules"]["overrides"] == [
        {"rule": "G15", "reason": "Readers know.", "reviewer": "Editor"}
    ]
    assert "G15" not in release.manifest["rules"]["passed"]
    assert release.summary().endswith("Overridden: G15 (Editor: Readers know.).")


def test_an_override_that_tells_a_place_is_refused(tmp_path):
    sites = invented(source_url="https://t.me/somebody")
    signed = POLICY.override("G13", reason="It is at 12.8167345, 104.5597345.", reviewer="Editor")
    with pytest.raises(geo.GeoError):
        publish_data(tmp_path / "rows.csv", sites=sites, policy=signed)
    assert contents(tmp_path) == {}


def test_people_of_the_list_are_found_wherever_they_stand_and_not_named(tmp_path):
    policy = ReleasePolicy(**vars(POLICY) | {"names": ("Somebody Else",)})

    def draw(view, *, methods):
        return light(view, methods=(*methods, "Photograph: somebody else"))

    with pytest.raises(geo.PublishRefused, match="name 1 of the list") as caught:
        publish(draw, tmp_path / "map.html", sites=invented(), policy=policy)
    assert set(caught.value.problems["rule"]) == {"G13"}
    assert "omebody" not in str(caught.value)


# --------------------------------------------------------------------------------- what it takes


@pytest.mark.parametrize("given", [SiteMap(), None, "map.html"])
def test_a_map_that_was_drawn_already_is_refused(given, tmp_path):
    with pytest.raises(TypeError, match="give the function"):
        publish(given, tmp_path / "map.html", sites=invented(), policy=POLICY)
    with pytest.raises(TypeError, match="results is a dict"):
        publish(light, tmp_path / "map.html", sites=invented(), policy=POLICY, results={})


@pytest.mark.parametrize(
    ("words", "error", "said"),
    [
        ({"site_map": lambda _, methods: methods}, TypeError, "gave a tuple"),
        ({"site_map": lambda _, **__: 1 / 0}, ZeroDivisionError, "division"),
        ({"site_map": lambda _: SiteMap()}, TypeError, "methods"),
        ({"results": lambda _: [1]}, TypeError, "dictionary"),
        ({"results": lambda _: {"mean": 3.5}}, TypeError, "'mean' is a float"),
        ({"results": lambda _: {"../../out": pd.DataFrame()}}, ValueError, "letters"),
        ({"results": lambda _: {"/out": pd.DataFrame()}}, ValueError, "letters"),
        ({"results": lambda _: {"": pd.DataFrame()}}, ValueError, "letters"),
        ({"results": lambda _: {"a": pd.DataFrame(), "A": pd.DataFrame()}}, ValueError, "capitals"),
        ({"figure": lambda _: "drawn"}, TypeError, "gave a str"),
    ],
)  # fmt: skip
def test_functions_that_raise_or_give_something_else_leave_nothing(words, error, said, tmp_path):
    given = {"site_map": light, "sites": invented(), "policy": POLICY} | words
    with pytest.raises(error, match=said):
        publish(given.pop("site_map"), tmp_path / "atlas", **given)
    assert contents(tmp_path) == {}


def test_functions_cannot_change_what_is_judged(tmp_path):
    sites = invented()

    def draw(view, *, methods):
        sites["geometry"] = gpd.points_from_xy([100.0] * N, [1.0] * N)
        page = light(view, methods=methods)
        view["geometry"] = None
        folium.Marker(exact_points()[6]).add_to(page)
        return page

    with pytest.raises(geo.PublishRefused, match="G10"):
        publish(draw, tmp_path / "map.html", sites=sites, policy=POLICY)


@pytest.mark.parametrize("name", ["map.pdf", "release.v1", "sites.csv"])
def test_a_page_ends_in_html_and_a_folder_in_nothing(name, tmp_path):
    with pytest.raises(geo.ExportError, match="publish_data"):
        publish(light, tmp_path / name, sites=invented(), policy=POLICY)


@pytest.mark.parametrize("path", ["", ".", "..", "/"])
def test_a_path_without_a_name_is_refused(path):
    with pytest.raises(geo.ExportError, match="names no file"):
        publish(light, path, sites=invented(), policy=POLICY)


def test_data_of_another_suffix_and_a_folder_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(geo.ExportError, match=r"\.xlsx"):
        publish_data(tmp_path / "rows.xlsx", sites=invented(), policy=POLICY)
    with pytest.raises(geo.ExportError, match="check that its folder"):
        publish_data(tmp_path / "no" / "rows.csv", sites=invented(), policy=POLICY)
    assert contents(tmp_path) == {}


def test_without_promises_nothing_is_published(tmp_path):
    with pytest.raises(geo.PublishRefused) as caught:
        publish(light, tmp_path / "map.html", sites=invented())
    assert caught.value.problems["rule"].tolist() == ["G20"] * 3
    with pytest.raises(geo.PublishRefused, match=r"G03, rows without") as caught:
        publish_data(tmp_path / "a.csv", sites=invented(sensitivity=None))
    assert caught.value.problems["rule"].value_counts().to_dict() == {"G03": 12, "G20": 3}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sites: sites.assign(site_id="KX"), "share a site_id"),
        (lambda sites: sites.drop(columns="site_id"), "no column site_id"),
        (lambda sites: sites.assign(uncertainty_m=np.nan), "without a radius"),
        (lambda sites: sites.set_crs(None, allow_override=True), "coordinate reference"),
        (lambda sites: geo.generalise(sites).assign(sensitivity="public"), "point"),
    ],
)
def test_sites_that_cannot_be_released_are_refused(change, said, tmp_path):
    with pytest.raises(geo.GeoError, match=said):
        publish_data(tmp_path / "rows.csv", sites=change(invented()), policy=POLICY)
    assert contents(tmp_path) == {}


def test_the_sites_are_left_as_they_were(page):
    sites = invented()
    before = sites.copy()
    publish_data(page.parent / "rows.csv", sites=sites, policy=POLICY)
    pd.testing.assert_frame_equal(sites, before)


# ----------------------------------------------------------------------------- few and odd sites


@pytest.mark.parametrize(
    ("some", "n"),
    [
        (lambda sites: sites.iloc[:0], 0),
        (lambda sites: sites.iloc[:1], 1),
        (lambda sites: sites.iloc[10:], 0),
        (lambda sites: sites.iloc[4:8], 4),
        (lambda sites: sites.assign(geometry=None, uncertainty_m=np.nan), 10),
    ],
    ids=["none", "one", "protected only", "areas only", "nowhere"],
)
def test_few_sites_and_sites_without_a_place(some, n, tmp_path):
    sites = some(invented()).set_geometry("geometry", crs=4326)
    release = publish(
        site_map if sites.empty else light, tmp_path / "atlas", sites=sites, policy=POLICY
    )
    assert len(release.view) == n
    assert scan(release.path, against=sites, released=release.view, progress=False).empty


def test_the_hash_of_the_input_is_kept_back_where_it_would_let_one_place_be_tried(tmp_path):
    sites = invented().iloc[:5]
    release = publish_data(tmp_path / "rows.csv", sites=sites, policy=POLICY)
    assert release.manifest["input"]["sha256"].startswith("withheld")
    whole = hashlib.sha256(b"x").hexdigest()
    sites = invented().iloc[:4]
    sites.attrs["source_sha256"] = whole
    release = publish_data(tmp_path / "open.csv", sites=sites, policy=POLICY)
    assert release.manifest["input"]["sha256"] == whole


def test_a_table_that_is_called_as_ours_is_no_leak_and_another_one_is(tmp_path):
    sites = invented(source_file="sites.csv")
    publish(light, tmp_path / "atlas", sites=sites, policy=POLICY)
    with pytest.raises(geo.PublishRefused, match="value of 'source_file'"):
        publish(
            lambda view, *, methods: light(view, methods=(*methods, "from inbox_2026.csv")),
            tmp_path / "map.html",
            sites=invented(source_file="inbox_2026.csv"),
            policy=POLICY,
        )


def test_hostile_and_khmer_text_is_text(tmp_path):
    texts = [
        "<script>alert(1)</script>\r\nsecond line",
        "${alert(1)} {{7*7}} {% raw %}",
        "=cmd|' /C calc'!A0",
        "ក្រសួងមហាផ្ទៃ \u202e\0",
    ]
    sites = invented(source=texts * 3).assign(source_url="javascript:alert(1)")
    release = publish(
        partial(site_map, title=texts[0], details=["source"]),
        tmp_path / "atlas",
        sites=sites,
        policy=POLICY,
    )
    told = (release.path / "map.html").read_bytes()
    assert b"<script>alert(1)" not in told
    assert "ក្រសួង".encode() in contents(release.path)["data/released.csv"]
    table = pd.read_csv(release.path / "data" / "released.csv", dtype=str)
    assert not table.map(lambda cell: str(cell).lstrip()[:1] in {"=", "+", "@"}).any(axis=None)


def test_labels_of_rows_tell_nothing(tmp_path):
    odd = invented().set_index(pd.MultiIndex.from_product([["12.70123"], range(N)]))
    one = publish_data(tmp_path / "a.csv", sites=odd, policy=POLICY)
    other = publish_data(tmp_path / "b.csv", sites=invented(), policy=POLICY)
    assert [*one.manifest["outputs"].values()] == [*other.manifest["outputs"].values()]


# ------------------------------------------------------------------------- masks and earlier ones


def premises():
    x, y = np.meshgrid(np.linspace(104.2, 105.0, 40), np.linspace(12.5, 13.2, 40))
    return gpd.GeoSeries(shapely.points(x.ravel(), y.ravel()), crs=4326)


def test_masks_are_published_with_a_registry_and_never_otherwise_again(tmp_path):
    sites, policy = invented(), ReleasePolicy(**vars(POLICY) | {"candidates": premises()})
    ledger = geo.ReleaseRegistry(tmp_path / "ledger.json", key=KEY)
    masked = geo.donut_mask(sites.iloc[4:8], key=KEY, min_m=1000, max_m=5000)
    words = {"sites": sites, "policy": policy, "masked": masked}
    target = tmp_path / "map.html"
    with pytest.raises(geo.PublishRefused, match=r"G09.*no registry is given"):
        publish(light, target, **words)
    release = publish(light, target, **words, registry=ledger)
    assert "4 donut 1000 to 5000 m" in release.summary()
    before = contents(tmp_path)
    again = publish(light, target, **words, registry=ledger)
    assert again.manifest == release.manifest
    words["masked"] = geo.laplace_mask(sites.iloc[4:8], key=KEY, radius_m=400)
    with pytest.raises(geo.PublishRefused, match="G09, masks") as caught:
        publish(light, target, **words, registry=ledger)
    assert set(caught.value.problems["site_id"]) == set(masked["site_id"])
    assert contents(tmp_path) == before


def test_a_registry_that_was_changed_or_is_locked_publishes_nothing(page, tmp_path):
    before = contents(page.parent)
    file = tmp_path / "ledger.json"
    ledger = geo.ReleaseRegistry(file, key=KEY)
    ledger.record(geo.generalise(invented().iloc[4:8]), release="first")
    words = {"sites": invented(), "policy": POLICY, "registry": ledger}
    (tmp_path / "ledger.json.lock").touch()
    with pytest.raises(geo.ExportError, match="Another release is being recorded"):
        publish(light, page, **words)
    (tmp_path / "ledger.json.lock").unlink()
    file.write_bytes(file.read_bytes().replace(b"first", b"third"))
    with pytest.raises(geo.ReadError, match="changed by hand"):
        publish(light, page, **words)
    with pytest.raises(geo.ReadError, match="another key"):
        geo.ReleaseRegistry(file, key=KEY[::-1])
    assert contents(page.parent) == before


def test_one_more_report_in_a_district_is_for_a_person_to_decide(tmp_path):
    first = publish_data(tmp_path / "a.csv", sites=invented().iloc[:7], policy=POLICY).view
    words = {"sites": invented().iloc[:8], "previous": first}
    with pytest.raises(geo.PublishRefused, match="G18"):
        publish_data(tmp_path / "b.csv", **words, policy=POLICY)
    signed = POLICY.override("G18", reason="It is in the press.", reviewer="Editor")
    assert publish_data(tmp_path / "b.csv", **words, policy=signed).manifest["rules"]["overrides"]


# --------------------------------------------------------------------- as a whole, or not at all


def test_a_refusal_leaves_the_earlier_release_and_nothing_else(page):
    before = contents(page.parent)
    with pytest.raises(geo.PublishRefused, match="G20"):
        publish(lambda view, **_: light(view, methods=()), page, sites=invented(), policy=POLICY)
    assert contents(page.parent) == before


def failing(function, *, at, code=errno.ENOSPC):
    """A function that fails as a full disk does the n-th time that it is called."""
    calls = iter(range(1000))

    def called(*args, **words):
        if next(calls) == at:
            raise OSError(code, os.strerror(code))
        return function(*args, **words)

    return called


STEPS = [
    *[("write_bytes", at) for at in range(4)],
    *[("rename", at) for at in range(4)],
    ("mkdir", 0),
    ("mkdtemp", 0),
    ("open", 0),
]


@pytest.mark.parametrize("kind", ["atlas", "map.html"])
@pytest.mark.parametrize(("step", "at"), STEPS)
def test_a_full_disk_leaves_the_earlier_release_whole(step, at, kind, tmp_path, monkeypatch):
    draft, record = drafted()
    place = _placing.Place(tmp_path / kind, "manifest.json")
    monkeypatch.setattr(_gate, "scan", lambda *_, **__: draft.leaks.copy())
    _gate.passed(draft, place, record)
    before = contents(tmp_path)
    holder = {"mkdtemp": _placing.tempfile, "open": os}.get(step, Path)
    monkeypatch.setattr(holder, step, failing(getattr(holder, step), at=at))
    try:
        _gate.passed(draft, place, record)
    except geo.ExportError as error:
        assert "No space left on device" in str(error)  # noqa: PT017 - it may fit, too
        # before the lock is held there is nothing that could have been published
        assert ("Nothing was published" in str(error)) == (step != "open")  # noqa: PT017
    else:
        assert (step, at) in {("write_bytes", 3), ("rename", 2), ("rename", 3)}
    assert contents(tmp_path) == before


def drafted():
    """A draft of two files that breaks no rule."""
    if not DRAFT:
        from layers._draft import Draft, view_of

        sites = invented().iloc[:4]
        view = view_of(sites, POLICY, None)
        record = geo.provenance(
            sites, view, contact="c@example.org", licence="CC BY 4.0", citation="Example"
        )
        told = "".join(f"<p>{html(text)}</p>" for text in record.paragraphs()).encode()
        files = {"map.html": told, "tables.csv": b"a,b\n1,2\n"}
        DRAFT.append((Draft(sites, view, POLICY, files, record.paragraphs()), record))
    return DRAFT[0]


DRAFT = []


@pytest.mark.parametrize("kind", ["atlas", "map.html"])
@pytest.mark.parametrize("at", range(4))
def test_somebody_who_stops_the_program_keeps_the_earlier_release(kind, at, tmp_path, monkeypatch):
    draft, record = drafted()
    place = _placing.Place(tmp_path / kind, "manifest.json")
    monkeypatch.setattr(_gate, "scan", lambda *_, **__: draft.leaks.copy())
    _gate.passed(draft, place, record)
    before = contents(tmp_path)
    whole, calls = Path.rename, iter(range(1000))

    def stopped(self, goal):
        if next(calls) == at:
            raise KeyboardInterrupt
        return whole(self, goal)

    monkeypatch.setattr(Path, "rename", stopped)
    if at < 2 or kind == "map.html":
        with pytest.raises(KeyboardInterrupt):
            _gate.passed(draft, place, record)
    assert contents(tmp_path) == before


def test_what_cannot_be_put_back_is_kept(tmp_path, monkeypatch):
    draft, record = drafted()
    place = _placing.Place(tmp_path / "atlas", "manifest.json")
    monkeypatch.setattr(_gate, "scan", lambda *_, **__: draft.leaks.copy())
    _gate.passed(draft, place, record)
    before = contents(tmp_path / "atlas")
    whole, calls = Path.rename, iter(range(1000))

    def broken(self, goal):
        if next(calls) > 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return whole(self, goal)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="nput/output"):
        _gate.passed(draft, place, record)
    (kept,) = tmp_path.glob(".atlas.*/before/atlas")
    assert contents(kept) == before


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_release import POLICY, invented, light
import geo
from layers.release import publish
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    publish(light, Path(sys.argv[1]), sites=invented(), policy=POLICY)
except geo.ExportError as error:
    print(error)
"""

HOLDING = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_release import POLICY, invented, light
from layers.release import publish
target = Path(sys.argv[1])

class Slow:
    def check(self, view):
        (target.parent.parent / "holding").touch()
        while not (target.parent.parent / "go").exists():
            time.sleep(0.02)

    def record(self, view, *, release):
        pass

publish(light, target, sites=invented(), policy=POLICY, registry=Slow())
"""


def words_of(code, target):
    return [sys.executable, "-c", code, target, Path(__file__).parent]


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files there")
def test_a_file_that_the_system_cuts_off_publishes_nothing(page):
    before = contents(page.parent)
    done = subprocess.run(
        words_of(LIMITED, page), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    assert "'map.html' cannot be written (File too large)" in done.stdout
    assert contents(page.parent) == before


def test_of_two_publishers_at_once_the_second_is_sent_away(tmp_path):
    draft, record = drafted()
    target = tmp_path / "site" / "map.html"
    target.parent.mkdir()
    process = subprocess.Popen(words_of(HOLDING, target), cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "holding").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        for other in (target, target.with_name("other.html")):  # they would share a manifest
            with pytest.raises(geo.ExportError, match="Somebody else is publishing"):
                _gate.passed(draft, _placing.Place(other, "manifest.json"), record)
    finally:
        (tmp_path / "go").touch()
        assert process.wait(timeout=60) == 0
    assert set(contents(target.parent)) == {"map.html", "manifest.json"}
    outputs = json.loads(target.with_name("manifest.json").read_bytes())["outputs"]
    assert outputs == {"map.html": hashlib.sha256(target.read_bytes()).hexdigest()}


# ------------------------------------------------------------------------- what is not ours


def test_the_researchers_own_table_is_not_replaced(tmp_path):
    file = tmp_path / "sites.csv"
    geo.write_sites(invented(), file)
    before = contents(tmp_path)
    with pytest.raises(geo.ExportError, match=r"no release put there, such as 'sites\.csv'"):
        publish_data(file, sites=geo.read_sites(file), policy=POLICY)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("atlas", lambda base: (base / "atlas" / "mine.txt").write_text("kept")),
        ("atlas", lambda base: (base / "atlas" / "manifest.json").unlink()),
        ("atlas", lambda base: (base / "atlas" / "manifest.json").write_text("[]")),
        ("map.html", lambda base: (base / "manifest.json").unlink()),
        ("map.html", lambda base: (base / "manifest.json").write_text('{"name": "an app"}')),
    ],
)
def test_what_no_release_put_there_is_not_replaced(name, spoil, tmp_path, monkeypatch):
    draft, record = drafted()
    place = _placing.Place(tmp_path / name, "manifest.json")
    monkeypatch.setattr(_gate, "scan", lambda *_, **__: draft.leaks.copy())
    _gate.passed(draft, place, record)
    spoil(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(geo.ExportError, match="that no release put there"):
        _gate.passed(draft, place, record)
    assert contents(tmp_path) == before


def test_a_second_page_does_not_take_the_manifest_of_the_first(page):
    before = contents(page.parent)
    with pytest.raises(geo.ExportError, match="belongs to another release"):
        publish(light, page.with_name("other.html"), sites=invented(), policy=POLICY)
    assert contents(page.parent) == before


def test_a_file_in_the_place_of_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "atlas").write_text("kept")
    with pytest.raises(geo.ExportError, match="'atlas'"):
        publish(light, tmp_path / "atlas", sites=invented(), policy=POLICY)
    assert (tmp_path / "atlas").read_text() == "kept"


@pytest.mark.parametrize("suffix", [".csv"])
def test_data_have_a_manifest_of_their_own_and_can_be_published_again(suffix, tmp_path):
    file = tmp_path / f"rows{suffix}"
    release = publish_data(file, sites=invented(), policy=POLICY)
    assert set(contents(tmp_path)) == {file.name, f"{file.name}.manifest.json"}
    assert release.manifest["outputs"] == {file.name: hashlib.sha256(file.read_bytes()).hexdigest()}
    before = contents(tmp_path)
    publish_data(file, sites=invented(), policy=POLICY)
    assert contents(tmp_path) == before
    assert scan(file, against=invented(), released=release.view, progress=False).empty
