import errno
import hashlib
import json
import os
import threading

import geopandas as gpd
import pandas as pd
import pytest
from shapely import LineString, Point, box

import geo
from geo import _files
from geo.errors import ExportError, GeometryError, NotFoundError, ReadError, SchemaError

KEY = hashlib.sha256(b"a key of the tests").digest()
OTHER_KEY = hashlib.sha256(b"another key of the tests").digest()
RING = {"min_m": 1000, "max_m": 5000, "level": "province"}


def ocean():
    return gpd.GeoDataFrame({"name": ["Ocean"]}, geometry=[box(60, -20, 64, -16)], crs="EPSG:4326")


def sites():
    """Sites at invented places in the open ocean."""
    return gpd.GeoDataFrame(
        {"site_id": ["A", "B", "C"], "uncertainty_m": 300.0},
        geometry=gpd.points_from_xy([61.17, 62.3, 62.94], [-18.14, -18.2, -17.28]),
        crs="EPSG:4326",
    )


def frame(**shapes):
    return gpd.GeoDataFrame(
        {"site_id": list(shapes)}, geometry=list(shapes.values()), crs="EPSG:4326"
    )


def donut(key=KEY, **options):
    return geo.donut_mask(sites(), key=key, areas=ocean(), **{**RING, **options})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "releases.json"


# ------------------------------------------------------------------------------- what nests


def test_the_same_release_may_be_repeated(path):
    registry = geo.ReleaseRegistry(path, key=KEY)
    for release in ("2026-01", "2026-02"):
        registry.record(donut(), release=release)
    assert registry.to_frame()["release"].tolist() == ["2026-01"] * 3
    assert "3 sites, 2 releases, sealed" in repr(registry)


def test_a_coarser_area_may_follow_and_a_finer_one_not(path):
    registry = geo.ReleaseRegistry(path)
    cells = {size: geo.generalise(sites(), cell_size_m=size) for size in (5000, 10_000)}
    registry.record(cells[5000], release="1")
    registry.record(cells[10_000], release="2")
    assert registry.to_frame()["scheme"].tolist() == ["5000 m cell", "10000 m cell"] * 3
    other = geo.ReleaseRegistry(path.with_name("other.json"))
    other.record(cells[10_000], release="1")
    with pytest.raises(ExportError, match="3 of 3 sites were released otherwise"):
        other.record(cells[5000], release="2")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (donut, lambda: donut(min_m=1001)),
        (donut, lambda: donut(OTHER_KEY)),
        (donut, lambda: geo.generalise(sites(), cell_size_m=1000)),
        (lambda: geo.generalise(sites(), cell_size_m=50_000), donut),
        (
            lambda: geo.generalise(sites(), cell_size_m=5000),
            lambda: geo.generalise(sites(), cell_size_m=7000),
        ),
        (sites, donut),
    ],
    ids=["parameters", "key", "point to cell", "cell to point", "cells", "exact to point"],
)
def test_a_release_that_intersects_another_is_refused(path, first, second):
    registry = geo.ReleaseRegistry(path)
    registry.record(first(), release="2026-01")
    before = path.read_bytes()
    with pytest.raises(ExportError, match="released otherwise before") as caught:
        registry.check(second())
    assert set(caught.value.problems["row"]) <= {"A", "B", "C"}
    assert "2026-01" in caught.value.problems["problem"].iloc[0]
    with pytest.raises(ExportError, match="released otherwise before"):
        registry.record(second(), release="2026-02")
    assert path.read_bytes() == before


def test_an_area_that_holds_the_whole_circle_of_a_point_may_follow(path):
    registry = geo.ReleaseRegistry(path)
    point = frame(A=Point(62, -18)).assign(uncertainty_m=1000.0)
    registry.record(point, release="1")
    with pytest.raises(ExportError):
        registry.check(frame(A=box(61.995, -18.1, 62.1, -17.9)))
    registry.check(frame(A=box(61.9, -18.1, 62.1, -17.9)))


def test_a_corrected_place_is_a_second_release(path):
    registry = geo.ReleaseRegistry(path, key=KEY)
    registry.record(donut(), release="1")
    moved = sites().set_geometry(sites().geometry.translate(0.001, 0))
    with pytest.raises(ExportError, match="elsewhere"):
        registry.check(geo.donut_mask(moved, key=KEY, areas=ocean(), **RING))


def test_only_sites_that_were_released_count(path):
    registry = geo.ReleaseRegistry(path)
    none = frame(A=None, B=Point(62, -18))
    registry.record(none, release="1")
    assert registry.to_frame()["site_id"].tolist() == ["B"]
    registry.record(frame(A=box(60, -20, 61, -19), C=Point(61, -19)), release="2")
    assert registry.to_frame()["scheme"].tolist() == ["unnamed", "exact", "exact"]
    # part of a release is no other release
    registry.record(frame(C=Point(61, -19)), release="3")


def test_the_frame_gives_back_what_was_released(path):
    released = geo.generalise(sites(), cell_size_m=5000)
    registry = geo.ReleaseRegistry(path)
    registry.record(released, release="1")
    kept = registry.to_frame()
    assert kept.geometry.geom_equals(released.geometry).all()
    assert kept.crs == released.crs
    empty = geo.ReleaseRegistry(path.with_name("none.json")).to_frame()
    assert len(empty) == 0


def test_no_exact_place_is_in_the_file(path):
    geo.ReleaseRegistry(path).record(geo.generalise(sites(), cell_size_m=5000), release="1")
    text = path.read_text(encoding="utf-8")
    for point in sites().geometry:
        assert point.wkb_hex.casefold() not in text.casefold()
        assert f"{point.x}" not in text
    assert not path.stat().st_mode & 0o077


def test_releases_that_cannot_be_recorded_are_refused(path):
    registry = geo.ReleaseRegistry(path)
    with pytest.raises(GeometryError, match="points or polygons"):
        registry.check(frame(A=LineString([(61, -18), (62, -18)])))
    with pytest.raises(SchemaError, match="share a site_id"):
        registry.check(pd.concat([frame(A=Point(61, -18))] * 2))
    for name in ("", "  ", None):
        with pytest.raises(ValueError, match="give the release a name"):
            registry.record(frame(A=Point(61, -18)), release=name)
    assert not path.exists()


# ---------------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\x00", b"[]", b"{}", b'"text"', b'{"seal": "x"}', b"[" * 100_000],
    ids=["empty", "bytes", "list", "object", "text", "seal only", "deep"],
)
def test_a_foreign_file_is_refused_and_left(path, content):
    path.write_bytes(content)
    with pytest.raises(ReadError, match="no release registry"):
        geo.ReleaseRegistry(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("key", [None, KEY], ids=["without key", "with key"])
def test_a_registry_changed_by_hand_is_refused(path, key):
    registry = geo.ReleaseRegistry(path, key=key)
    registry.record(donut(), release="1")
    document = json.loads(path.read_bytes())
    del document["sites"]["A"]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ReadError, match="changed by hand or damaged"):
        registry.record(donut(OTHER_KEY), release="2")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReadError, match="damaged"):
        geo.ReleaseRegistry(path, key=key)


def test_another_key_or_none_is_refused(path):
    geo.ReleaseRegistry(path, key=KEY).record(donut(), release="1")
    with pytest.raises(ReadError, match="sealed with another key"):
        geo.ReleaseRegistry(path, key=OTHER_KEY)
    with pytest.raises(ReadError, match="open it with key="):
        geo.ReleaseRegistry(path)


def test_a_registry_is_sealed_once_a_key_comes_into_use(path):
    geo.ReleaseRegistry(path).record(geo.generalise(sites(), cell_size_m=5000), release="1")
    geo.ReleaseRegistry(path, key=KEY).record(
        geo.generalise(sites(), cell_size_m=10_000), release="2"
    )
    with pytest.raises(ReadError, match="open it with key="):
        geo.ReleaseRegistry(path)
    assert len(geo.ReleaseRegistry(path, key=KEY).to_frame()) == 6


def test_a_full_disk_leaves_the_registry_as_it_was(path, monkeypatch):
    registry = geo.ReleaseRegistry(path)
    registry.record(geo.generalise(sites(), cell_size_m=5000), release="1")
    before = path.read_bytes()
    opened = os.fdopen

    class Full:
        def __init__(self, *arguments):
            self.file = opened(*arguments)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            self.file.write(content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(_files.os, "fdopen", Full)
    with pytest.raises(ExportError, match="No space left"):
        registry.record(geo.generalise(sites(), cell_size_m=10_000), release="2")
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    registry.record(geo.generalise(sites(), cell_size_m=10_000), release="2")


def test_a_second_publisher_is_refused_while_the_first_writes(path):
    registry = geo.ReleaseRegistry(path)
    registry.record(geo.generalise(sites(), cell_size_m=5000), release="1")
    before = path.read_bytes()
    lock = path.with_name("releases.json.lock")
    lock.touch()
    with pytest.raises(ExportError, match=r"Another release.*delete 'releases\.json\.lock'"):
        registry.record(geo.generalise(sites(), cell_size_m=10_000), release="2")
    assert path.read_bytes() == before
    assert lock.exists()


def test_publishers_at_once_are_written_whole_or_refused(path):
    shapes = [frame(**{f"S{i}": Point(61 + i / 100, -18)}) for i in range(8)]
    start = threading.Barrier(len(shapes))
    outcome = {}

    def publish(i):
        registry = geo.ReleaseRegistry(path)
        start.wait()
        try:
            registry.record(shapes[i], release=str(i))
            outcome[f"S{i}"] = "recorded"
        except ExportError:
            outcome[f"S{i}"] = "refused"

    threads = [threading.Thread(target=publish, args=(i,)) for i in range(len(shapes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = {site for site, what in outcome.items() if what == "recorded"}
    assert len(outcome) == len(shapes)
    assert recorded
    assert set(geo.ReleaseRegistry(path).to_frame()["site_id"]) == recorded
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    registry = geo.ReleaseRegistry(tmp_path / "none" / "releases.json")
    with pytest.raises(ExportError, match="check that its folder exists"):
        registry.record(frame(A=Point(61, -18)), release="1")


# ---------------------------------------------------------------------------------- the key


@pytest.mark.parametrize("mark", [".git", "pyproject.toml", ".hg", "setup.py"])
def test_neither_key_nor_registry_may_lie_in_a_project(tmp_path, mark):
    inner = tmp_path / "data" / "private"
    inner.mkdir(parents=True)
    file = inner / "masks.key"
    file.write_bytes(KEY)
    assert geo.load_key(file) == KEY
    (tmp_path / mark).mkdir()
    with pytest.raises(ExportError, match="lies within the project") as caught:
        geo.load_key(file)
    assert KEY.hex() not in str(caught.value)
    with pytest.raises(ExportError, match="lies within the project"):
        geo.ReleaseRegistry(inner / "releases.json")


def test_a_link_does_not_take_a_key_out_of_its_project(tmp_path):
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    (project / ".git").touch()  # a worktree has a file of this name
    (project / "masks.key").write_bytes(KEY)
    (outside / "linked.key").symlink_to(project / "masks.key")
    (outside / "masks.key").write_bytes(KEY)
    (project / "linked.key").symlink_to(outside / "masks.key")
    for file in (outside / "linked.key", project / "linked.key"):
        with pytest.raises(ExportError, match="lies within the project"):
            geo.load_key(file)
    assert geo.load_key(outside / "masks.key") == KEY


def test_a_key_may_be_written_in_hexadecimal_digits(tmp_path):
    file = tmp_path / "masks.key"
    for text in (KEY.hex() + "\n", KEY.hex().upper(), KEY.hex(" ")):
        file.write_text(text, encoding="ascii")
        assert geo.load_key(file) == KEY


@pytest.mark.parametrize(
    "content",
    [b"", KEY[:31], KEY.hex()[:62].encode(), b"my secret passphrase of many words here", bytes(64)],
    ids=["empty", "short", "short digits", "text", "zeros"],
)
def test_a_file_that_is_no_key_is_refused(tmp_path, content):
    file = tmp_path / "masks.key"
    file.write_bytes(content)
    with pytest.raises(ReadError, match=r"'masks\.key' holds no key") as caught:
        geo.load_key(file)
    assert "passphrase" not in str(caught.value)


def test_a_missing_large_or_unreadable_key_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"token_bytes\(32\)"):
        geo.load_key(tmp_path / "none.key")
    with pytest.raises(ReadError, match="cannot be read"):
        geo.load_key(tmp_path)
    large = tmp_path / "large.key"
    large.write_bytes(KEY * 1000)
    with pytest.raises(ReadError, match="more than 4096 bytes"):
        geo.load_key(large)
