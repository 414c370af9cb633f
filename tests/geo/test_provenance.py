import hashlib
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
from shapely import Point, box

import geo
from geo.errors import ExportError, SchemaError
from geo.provenance import provenance

KEY = hashlib.sha256(b"a key of the tests").digest()
WORDS = {"contact": "a@example.org", "licence": "CC BY 4.0", "citation": "Tests (2026)"}
PLACES = [(104.5512, 12.8534), (104.5723, 12.8612), (104.5512, 12.8534), (104.9017, 12.7433)]


def invented(**columns):
    """Five reports at invented places, one of them without a location."""
    table = {
        "site_id": [f"S{i}" for i in range(5)],
        "status": ["confirmed", "suspected", "confirmed", "confirmed", None],
        "name": ["Blue Heron Hall", "Quiet Mill", "Blue Heron Hall", "Far House", "Nowhere"],
        "locality": ["Phum Canary", "Phum Canary", "Phum Canary", "Phum Far", None],
        "uncertainty_m": [250.0, 500.0, 250.0, 2000.0, np.nan],
        "location_level": ["compound", "street", "compound", "village", "none"],
        "source": ["Paper", "Paper|Radio", "Court", None, "Paper"],
        "source_url": ["https://example.org/1", "https://example.org/1", None, None, None],
        "first_reported": ["2024-03-05", "2023", "2025-01", None, None],
        "last_reported": ["2024-03-06", "2023", "2025-11-30", None, None],
    }
    shapes = [*map(Point, PLACES), None]
    return gpd.GeoDataFrame(table | columns, geometry=shapes, crs=4326)


def ground(east=106):
    return gpd.GeoDataFrame({"name": ["Ground"]}, geometry=[box(103, 11, east, 14)], crs=4326)


def told(sites, released, **words):
    return provenance(sites, released, **(WORDS | words))


def test_tiers_are_counted_apart_and_never_added_up():
    first = told(invented(), invented()).paragraphs()[0]
    assert first.startswith("5 reports read: 3 confirmed, 1 suspected, 1 not stated.")
    bare = told(invented().drop(columns="status"), invented()).paragraphs()[0]
    assert bare == "5 reports read; what is claimed of them is not stated."


def test_location_and_sources_are_those_of_the_rows():
    record = told(invented(), invented()).to_dict()
    assert record["location"] == {
        "levels": {"compound": 2, "street": 1, "village": 1},
        "located": 4,
        "radius_m": {"largest": 2000, "median": 375, "q90": 1550, "smallest": 250, "unknown": 0},
        "unlocated": 1,
    }
    assert record["sources"] == {
        "addresses": 1,
        "first": "2023",
        "last": "2025-11",
        "publishers": 3,
        "rows_without": 1,
    }
    text = told(invented(), invented()).summary()
    assert "4 have a location, 1 have none." in text
    assert "half are at most 380 m and nine in ten at most 1.6 km; the largest is 2 km" in text
    assert "3 sources and 1 different addresses. 1 name no source." in text
    assert "dated from 2023 to 2025-11" in text


@pytest.mark.parametrize(
    ("release", "words"),
    [
        (lambda s: s, "4 as the coordinates reported, 1 without a known location"),
        (
            lambda s: geo.generalise(s, areas=ground(), level="district"),
            "4 as the district that holds the place, 1 without a known location",
        ),
        (
            lambda s: geo.generalise(s, areas=ground(103.99), level="district"),
            "the place of 4 is withheld",
        ),
        (lambda s: geo.generalise(s, cell_size_m=64_000), "as a cell of a grid of 64 km"),
        (
            lambda s: geo.donut_mask(
                s[["S0" in i or "S3" in i for i in s["site_id"]]],
                key=KEY,
                min_m=1000,
                max_m=5000,
                areas=ground(),
                level="district",
            ),
            "2 of 5 rows released: 2 as a point moved by 1 km to 5 km.",
        ),
        (
            lambda s: geo.laplace_mask(
                s.iloc[:1], key=KEY, radius_m=200, areas=ground(), level="district"
            ),
            "1 as a point moved at random, by 289 m in the mean. A moved point is no place",
        ),
    ],
)
def test_what_was_altered_is_said_for_every_scheme(release, words):
    sites = invented()
    made = told(sites, release(sites))
    assert words in made.summary()
    schemes = made.to_dict()["release"]["schemes"]
    assert sum(schemes.values()) == made.to_dict()["release"]["rows"]


def test_neither_text_nor_record_holds_a_coordinate_or_a_name_of_a_row():
    sites = invented(note="ask for the lady at the blue gate")
    with pytest.warns(geo.ResolutionWarning):
        clustering = geo.dbscan(sites, eps_m=5000, min_samples=2)
    centre = geo.mean_center(sites, n_bootstrap=0)
    # the names would be told otherwise: the clustering says where coordinates are shared
    assert "Phum Canary" in clustering.summary()
    released = geo.generalise(sites, areas=ground(), level="district")
    made = told(sites, released, results=[clustering, centre])
    everything = json.dumps(made.to_dict()) + made.summary() + repr(made) + made._repr_html_()
    for cell in (
        "Canary",
        "Heron",
        "Quiet",
        "Far",
        "Nowhere",
        "blue gate",
        "Radio",
        "example.org/1",
    ):
        assert cell not in everything
    assert not re.search(r"1[0-9]{1,2}\.[0-9]{2,}", everything.replace(str(centre.region_m), ""))
    assert made.to_dict()["results"][0]["parameters"]["parameters"] == {
        "eps_m": 5000.0,
        "min_samples": 2,
    }
    assert not {"lon", "lat"} & made.to_dict()["results"][1]["parameters"].keys()
    # what is released may be told
    assert "Phum Canary" in told(sites, sites, results=[clustering]).summary()


def test_both_coordinates_of_a_hidden_place_in_a_text_are_refused():
    sites = invented()
    released = geo.generalise(sites, areas=ground(), level="district")
    with pytest.raises(ExportError, match="coordinates of 2 sites") as caught:
        told(sites, released, notes=["It is at 12.853 N, 104.551 E."])
    assert "12.8" not in str(caught.value)
    assert told(sites, released, notes=["p = 12.853 and 104.9"]).summary()
    assert told(sites, sites, notes=["It is at 12.8534 N, 104.5512 E."]).summary()


def test_same_input_same_bytes_in_any_process_and_order():
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]);"
        "from test_provenance import *;"
        "order = [int(c) for c in sys.argv[2]];"
        "s = invented().iloc[order];"
        "r = geo.generalise(s, areas=ground(), level='district');"
        "print(json.dumps([told(s, r).to_dict(), told(s, r).paragraphs()]))"
    )
    folder = str(__file__).rpartition("/")[0]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, folder, order],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone, "USER": zone},
        ).stdout
        for seed, order, zone in (("1", "01234", "UTC"), ("7", "43102", "Asia/Phnom_Penh"))
    }
    assert len(outputs) == 1


def test_the_fingerprint_is_of_what_is_said_and_not_of_how_it_is_kept():
    def fingerprint(frame):
        return told(frame, invented()).to_dict()["input"]["sha256"]

    sites = invented()
    same = fingerprint(sites)
    assert fingerprint(sites.sample(frac=1, random_state=1)) == same
    assert fingerprint(sites[sites.columns[::-1]]) == same
    assert fingerprint(sites.astype({"status": "category", "name": "string"})) == same
    assert fingerprint(sites.assign(name=sites["name"].str.upper())) != same
    moved = sites.set_geometry(sites.geometry.translate(1e-9))
    assert fingerprint(moved) != same
    assert fingerprint(sites.assign(more=None)) != same


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    file = tmp_path / "reports.csv"
    file.write_text("Lat;Lon;Place;Level\n13.66;102.56;Poipet;town\n;;Takeo;\n", encoding="utf-8")
    sites = geo.read_sites(file, columns={"Level": "location_level"})
    record = told(sites, sites).to_dict()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert record["input"] == {"of": "file", "rows": 2, "sha256": digest}
    assert record["reading"] == {"assumed": 1}
    assert "1 given the radius of their level" in told(sites, sites).summary()
    assert str(tmp_path) not in json.dumps(record)


def test_versions_are_those_installed():
    software = told(invented(), invented()).to_dict()["software"]
    for name in ("compound-atlas", "geopandas", "numpy", "shapely"):
        assert software[name] == metadata.version(name)
    assert software["PROJ"] == pyproj.proj_version_str


@dataclass(frozen=True)
class Strange:
    """An answer of somebody's own."""

    share: float
    many: np.int64
    yes: bool
    bounds: tuple
    names: pd.Series
    lat: float = 12.8534

    def summary(self):
        return "All <b>well</b>."


def test_of_a_result_only_plain_values_are_recorded():
    strange = Strange(float("nan"), np.int64(3), True, (1.0, np.inf), pd.Series(["Far House"]))  # noqa: FBT003
    made = told(invented(), invented(), results=[strange])
    assert made.to_dict()["results"] == [
        {
            "parameters": {"bounds": [1.0, None], "many": 3, "share": None, "yes": True},
            "summary": "All <b>well</b>.",
            "type": "Strange",
        }
    ]
    json.dumps(made.to_dict(), allow_nan=False)
    assert "<b>" not in made._repr_html_()


def test_the_record_is_sorted_and_its_copy_can_be_changed():
    made = told(invented(), invented())
    record = made.to_dict()
    assert json.dumps(record) == json.dumps(record, sort_keys=True)
    record["status"]["confirmed"] = 99
    assert made.to_dict()["status"]["confirmed"] == 3


def test_bias_limits_contact_licence_and_citation_are_always_there():
    sites = invented()
    for released in (sites, geo.generalise(sites, areas=ground(), level="district")):
        text = told(sites, released, notes=["Read with care."]).summary()
        assert "not places without compounds" in text
        assert "no legal identification" in text
        assert "Corrections and requests for removal: a@example.org. Licence: CC BY 4.0." in text
        assert "Read with care." in text
    assert "No building can be told" in text


def test_nothing_given_is_changed():
    sites, released = invented(), geo.generalise(invented(), areas=ground(), level="district")
    before = sites.copy(deep=True), released.copy(deep=True)
    told(sites, released)
    pd.testing.assert_frame_equal(sites, before[0])
    pd.testing.assert_frame_equal(released, before[1])


def test_no_rows_at_all_can_be_told():
    none = invented().iloc[:0]
    assert told(none, none).paragraphs()[3].startswith("0 of 0 rows released: none.")


@pytest.mark.parametrize("name", ["contact", "licence", "citation"])
def test_a_release_without_contact_licence_or_citation_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} is empty"):
        told(invented(), invented(), **{name: " \n"})
    with pytest.raises(TypeError, match=f"{name} is a NoneType"):
        told(invented(), invented(), **{name: None})


def test_what_does_not_belong_is_refused():
    strange = invented().assign(site_id=[f"T{i}" for i in range(5)])
    with pytest.raises(SchemaError, match="5 of 5 released rows are none of the sites"):
        told(invented(), strange)
    with pytest.raises(TypeError, match="has no summary"):
        told(invented(), invented(), results=[3])
    with pytest.raises(TypeError, match="put it into brackets"):
        told(invented(), invented(), notes="one text")
