"""The demonstration: its figures follow from the rows, its bytes from nothing else."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import geo
from layers.demo import POLICY, _near, write_demo
from layers.scanner import scan

ROOT = Path(__file__).parents[2]
FILES = {
    *("map.html", "README.txt", "manifest.json", "data/released.csv", "data/released.geojson"),
    *("figures/map.svg", "figures/map.pdf", "figures/map.png"),
    *("tables/by_province.csv", "tables/clusters.csv", "tables/distance_to_border.csv"),
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo") / "out")


@pytest.fixture(scope="module")
def sites():
    return geo.example_sites()


def test_another_process_writes_the_same_bytes(demo, tmp_path):
    code = "import sys; from layers.demo import write_demo; write_demo(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", code, tmp_path / "again"],
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "2", "TZ": "Asia/Phnom_Penh", "LC_ALL": "C"},
    )
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (demo.folder / name).read_bytes(), name


def test_it_runs_without_network(tmp_path, monkeypatch):
    def refused(*args):
        message = f"the demonstration called {args}"
        raise AssertionError(message)

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert len(write_demo(tmp_path).files) == len(FILES)


def test_the_files_are_those_it_names(demo):
    found = {p.relative_to(demo.folder).as_posix() for p in demo.folder.rglob("*") if p.is_file()}
    assert found == set(demo.files) == FILES


def test_what_is_suspected_appears_no_finer_than_a_district(demo, sites):
    frame = gpd.read_file(demo.folder / "data" / "released.geojson")
    doubtful = frame["status"] == "suspected"
    assert doubtful.sum() == (sites["status"] == "suspected").sum()
    assert not (frame.geom_type[doubtful] == "Point").any()
    assert frame["locality"][doubtful].isna().all()
    assert frame["source_url"].notna().all()


def test_the_page_holds_no_place_of_what_is_suspected_but_towns_of_what_is_confirmed(demo, sites):
    suspected = sites[(sites["status"] == "suspected") & sites.geometry.notna()]
    assert scan(
        demo.folder,
        against=suspected,
        released=gpd.read_file(demo.folder / "data" / "released.geojson"),
        progress=False,
    ).empty


def test_the_manifest_says_what_was_decided_and_holds_the_hashes(demo):
    manifest = json.loads((demo.folder / "manifest.json").read_bytes())
    for name, sha256 in manifest["outputs"].items():
        assert hashlib.sha256((demo.folder / name).read_bytes()).hexdigest() == sha256, name
    assert manifest["rules"]["overrides"] == [o._asdict() for o in POLICY.overrides]
    assert len(manifest["rules"]["passed"]) == 22
    assert manifest["rows"]["read"] == manifest["rows"]["released"] == 97


def test_every_report_is_counted_in_one_province_or_elsewhere(demo, sites):
    table = pd.read_csv(demo.folder / "tables" / "by_province.csv")
    counts = table.select_dtypes("number")
    statuses = ["confirmed", "suspected", "rejected", "unknown"]
    assert counts[statuses].to_numpy().sum() == len(sites) == 97
    for status in statuses:
        assert counts[status].sum() == (sites["status"] == status).sum()
    assert len(table) == 26


def test_distances_have_their_interval_and_every_row_is_there(demo, sites):
    table = pd.read_csv(demo.folder / "tables" / "distance_to_border.csv")
    assert table["site_id"].tolist() == sorted(sites["site_id"])
    low, mid, high = (table[c] for c in ("distance_min_m", "distance_m", "distance_max_m"))
    known = mid.notna()
    assert (low[known] <= mid[known]).all()
    assert (mid[known] <= high[known]).all()
    assert (low[known] >= 0).all()
    radius = table["uncertainty_m"][known]
    # A point moves by its radius at most: so does its distance (rounded to metres here).
    assert (high[known] - mid[known] <= radius + 1).all()
    assert (mid[known] - low[known] <= radius + 1).all()
    assert table.loc[~known, "note"].notna().all()
    assert (table["note"] == "no location").sum() == sites.geometry.isna().sum()
    areas = (sites["status"] == "suspected") & sites.geometry.notna()
    assert set(table["site_id"][table["note"] == "published as an area"]) == set(
        sites["site_id"][areas]
    )


def test_clusters_hold_at_least_what_their_definition_asks(demo):
    table = pd.read_csv(demo.folder / "tables" / "clusters.csv")
    assert len(table) >= 1
    size = next(c for c in ("size", "reports", "n", "sites", "count") if c in table)
    assert table[size].min() >= 5


def test_the_text_says_what_was_read_what_was_left_out_and_whose_data_these_are(demo, sites):
    text = " ".join((demo.folder / "README.txt").read_text(encoding="utf-8").split())
    missing = int(sites.geometry.isna().sum())
    assert f"{len(sites)} reports read" in text
    assert f"{len(sites) - missing} have a location, {missing} have none" in text
    assert "as the district that holds the place" in text
    for credit in ("GeoNames", "Natural Earth"):
        assert credit in text
    for name in set(demo.files) - {"README.txt"}:
        assert name in text
    assert max(map(len, (demo.folder / "README.txt").read_text().splitlines())) <= 100


def test_the_geojson_holds_every_report_and_reads_back(demo, sites):
    frame = gpd.read_file(demo.folder / "data" / "released.geojson")
    assert frame["site_id"].tolist() == sorted(sites["site_id"])
    assert frame.geometry.isna().sum() == sites.geometry.isna().sum()


def test_an_output_that_cannot_be_a_folder_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(geo.ExportError, match="file"):
        write_demo(file)
    assert file.read_text() == "kept"


def test_the_distances_in_words_are_those_of_the_table(demo):
    table = pd.read_csv(demo.folder / "tables" / "distance_to_border.csv")
    home = table[(table["country"] == "KH") & table["distance_m"].notna()]
    direct = home[home["note"].isna()]
    surely = (direct["distance_max_m"] <= 20_000).sum()
    by_chance = ((direct["distance_min_m"] <= 20_000) & (direct["distance_max_m"] > 20_000)).sum()
    never = (direct["distance_min_m"] > 20_000).sum()
    (words,) = [s for s in demo.summary if "land border" in s]
    start = f"Of the {len(home)} reports at a point in Cambodia, {len(home) - len(direct)} stand at"
    assert words.startswith(start)
    assert f"Of the other {len(direct)}, {surely} lie within 20 km" in words
    assert f"the remaining {never} do not" in words
    assert (f"for {by_chance} it depends" in words) == (by_chance > 0)
    assert surely + by_chance + never == len(direct)


def test_the_sentence_tells_apart_what_is_sure_and_what_the_radius_leaves_open():
    border = pd.DataFrame(
        {
            "country": "KH",
            "note": ["", "", "", "", "stand-in"],
            "distance_m": [1e3, 19e3, 21e3, 90e3, 1e3],
            "distance_min_m": [0, 10e3, 12e3, 80e3, 0],
            "distance_max_m": [9e3, 28e3, 30e3, 99e3, 9e3],
        }
    )
    words = _near(border)
    assert "Of the other 4, 1 lie within 20 km" in words
    assert "for 2 it depends on where that is, the remaining 1 do not" in words
