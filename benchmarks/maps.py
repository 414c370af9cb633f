"""Maps of many points beside Folium's: build time, file size, and navigation to all points drawn.

Run from the repository: ``python benchmarks/maps.py [--runs 3] [TASK ...]``. Both sides run in
turn, show the same rows and columns, and are opened from disk in Chromium without network. Folium's
pages ask hosts for their scripts; for the browser alone, copies of them are made that find Leaflet,
jQuery and markercluster (``pip install XStatic-Leaflet-MarkerCluster``) on disk instead. What they
would fetch is not counted in their size; ours has Leaflet inside.
"""

from __future__ import annotations

import argparse
import gc
import re
import shutil
import statistics
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import folium
import geopandas as gpd
import numpy as np
from folium.plugins import FastMarkerCluster
from playwright.sync_api import Browser, TimeoutError, sync_playwright  # noqa: A004 - Playwright's own

import layers

if TYPE_CHECKING:
    from collections.abc import Callable

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COLUMNS = ["site_id", "name", "status", "first_reported", "source_url", "confidence"]
PATIENCE_MS = 150_000
VIEW = {"location": [12.6, 105.0], "zoom_start": 7, "tiles": None}

# What a page must reach before it counts as drawn: Folium adds everything before `load`; we draw
# all symbols at once. Then the second frame has been painted.
THEIRS = "document.readyState === 'complete' || new Promise(d => addEventListener('load', d))"
OURS = (
    "new Promise(d => { const look = () => { const found = Object.values(window)"
    ".find(v => v && v.setShown); if (found && found.groups.length) d();"
    "else setTimeout(look, 5); }; look(); })"
)
FRAMES = "await new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"
PANS = """async () => {
    const layer = Object.values(window).find(v => v && v.setShown), map = layer._map, times = [];
    for (const x of [300, -300, 300, -300, 300]) {
        const start = performance.now();
        map.panBy([x, 0], { animate: false });
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[2];
}"""


class Task(NamedTuple):
    """A map of Folium's, with what is asked of ours: how many times faster and smaller."""

    rows: int
    build: Callable[[gpd.GeoDataFrame, Path], object] | None
    targets: tuple[float, float, float]


def frame(n: int) -> gpd.GeoDataFrame:
    """Draw n reports in 60 towns around Cambodia, with six columns."""
    rng = np.random.default_rng(7)
    towns = np.column_stack([rng.uniform(102.4, 107.5, 60), rng.uniform(10.5, 14.6, 60)])
    lonlat = towns[rng.integers(0, 60, n)] + rng.normal(0, 0.18, (n, 2))
    names = np.array([f"Name {i} {j} {k}" for i in range(10) for j in range(12) for k in range(40)])
    addresses = np.array([f"https://example.org/report/{i}" for i in range(200)])
    days = np.datetime64("2012-01-01") + rng.integers(0, 3650, n)
    return gpd.GeoDataFrame(
        {
            "site_id": [f"KH-{i:07d}" for i in range(n)],
            "name": names[rng.integers(0, len(names), n)],
            "status": rng.choice(["confirmed", "suspected", "rejected", "unknown"], n),
            "first_reported": days.astype(str),
            "source_url": addresses[rng.integers(0, len(addresses), n)],
            "confidence": np.round(rng.random(n), 2),
        },
        geometry=gpd.points_from_xy(*lonlat.T),
        crs=4326,
    )


def ours(sites: gpd.GeoDataFrame, path: Path) -> None:
    """Build a layer of symbols with cards, on a bare map."""
    page = folium.Map(**VIEW)
    layers.site_layer(sites, details=["confidence"]).add_to(page)
    layers.save_html(page, path)


def circles(sites: gpd.GeoDataFrame, path: Path) -> None:
    """Build a circle with a popup for each row."""
    page = folium.Map(**VIEW)
    for row in sites.itertuples():
        words = "<br>".join(f"{name}: {getattr(row, name)}" for name in COLUMNS)
        place = [row.geometry.y, row.geometry.x]
        folium.CircleMarker(place, radius=4, popup=folium.Popup(words)).add_to(page)
    page.save(path)


def geojson(sites: gpd.GeoDataFrame, path: Path) -> None:
    """Build one layer of circles with popups of fields."""
    page = folium.Map(**VIEW)
    folium.GeoJson(
        sites, marker=folium.CircleMarker(radius=4), popup=folium.GeoJsonPopup(fields=COLUMNS)
    ).add_to(page)
    page.save(path)


def fast(sites: gpd.GeoDataFrame, path: Path) -> None:
    """Build clustered markers whose popups are made when the page is read."""
    page = folium.Map(**VIEW)
    rows = np.column_stack([sites.geometry.y, sites.geometry.x, sites[COLUMNS]]).tolist()
    callback = (
        "function (row) { var marker = L.marker(new L.LatLng(row[0], row[1]));"
        "marker.bindPopup(function () { var p = document.createElement('p');"
        "p.textContent = row.slice(2).join(', '); return p; }); return marker; }"
    )
    FastMarkerCluster(rows, callback=callback).add_to(page)
    page.save(path)


TASKS = {
    "circles-10k": Task(10_000, circles, (20, 25, 6)),
    "geojson-100k": Task(100_000, geojson, (10, 15, 0)),
    "fast-100k": Task(100_000, fast, (2, 5, 6)),
    "ours-1m": Task(1_000_000, None, (0, 0, 0)),
}


def on_disk(path: Path) -> Path:
    """Copy a page of Folium's so that it finds its scripts without a host."""
    files = {}
    for package in ("leaflet", "jquery", "leaflet_markercluster"):
        try:
            folder = Path(import_module(f"xstatic.pkg.{package}").BASE_DIR)
        except ModuleNotFoundError:
            continue
        files |= {file.name.lower(): file for file in folder.rglob("*") if file.is_file()}
    files = {
        re.sub(r"^jquery\.min", "jquery-3.7.1.min", name): file for name, file in files.items()
    }

    def local(match: re.Match[str]) -> str:
        name = match[2].rsplit("/", 1)[-1].lower()
        if name.startswith("leaflet.markercluster") and name not in files:
            message = "install XStatic-Leaflet-MarkerCluster to open this page"
            raise SystemExit(message)
        return f'{match[1]}="{files[name].as_uri()}"' if name in files else f'{match[1]}="data:,"'

    copy = path.with_name(f"local-{path.name}")
    text = path.read_text(encoding="utf-8")
    copy.write_text(re.sub(r'(src|href)="(https://[^"]*)"', local, text), encoding="utf-8")
    return copy


def drawn(browser: Browser, path: Path, ready: str) -> tuple[float, float]:
    """Return seconds until all points are on the screen, and milliseconds of a redraw of ours."""
    context = browser.new_context(viewport={"width": 1200, "height": 800}, offline=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    try:
        page.goto(path.as_uri(), wait_until="commit")
        watch = f"async () => {{ await ({ready}); {FRAMES}; return performance.now(); }}"
        seconds = page.evaluate(watch) / 1000
        return seconds, page.evaluate(PANS) if ready == OURS else np.nan
    except TimeoutError:
        return np.inf, np.nan
    finally:
        context.close()


def built(
    work: Callable[[gpd.GeoDataFrame, Path], object], sites: gpd.GeoDataFrame, path: Path
) -> float:
    """Return the seconds that a page takes to be written."""
    gc.collect()
    start = time.perf_counter()
    work(sites, path)
    return time.perf_counter() - start


def measure(task: Task, runs: int, browser: Browser, folder: Path) -> list[str]:
    """Build and open both sides in turn and return lines of a table."""
    sites = frame(task.rows)
    sides = {"ours": ours} | ({"theirs": task.build} if task.build else {})
    found: dict[str, list[tuple[float, float, float, float]]] = {side: [] for side in sides}
    for _ in range(runs):
        for side, work in sides.items():
            path = folder / f"{side}.html"
            seconds = built(work, sites, path)
            size = path.stat().st_size / 1e6
            opened = path if side == "ours" else on_disk(path)
            wait = drawn(browser, opened, OURS if side == "ours" else THEIRS)
            found[side].append((seconds, size, *wait))
    middle = {
        side: [statistics.median(c) for c in zip(*r, strict=True)] for side, r in found.items()
    }
    lines = []
    for i, what in enumerate(("build s", "size MB", "drawn s")):
        own, other = middle["ours"][i], middle.get("theirs", [np.nan] * 4)[i]
        lines.append(f"{what:8} {own:8.2f} {other:8.2f} {other / own:7.1f} {task.targets[i]:6g}")
    lines.append(f"{'pan ms':8} {middle['ours'][3]:8.0f}")
    return lines


def main() -> None:
    """Print a table for each task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], metavar="TASK")
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    print(f"{'task':14} {'':8} {'ours':>8} {'theirs':>8} {'ratio':>7} {'target':>6}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        first = Path(folder) / "first.html"
        ours(frame(100), first)
        drawn(browser, first, OURS)  # the browser's own first page is nobody's
        for name in asked.tasks or TASKS:
            for line in measure(TASKS[name], asked.runs, browser, Path(folder)):
                print(f"{name:14} {line}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
