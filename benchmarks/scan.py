"""The leak scanner: seconds for a large page against many sites, and for a small clean release.

Run from the repository: ``python benchmarks/scan.py [--sites 10000] [--megabytes 20]``. Places,
names and outlines are invented. The large page holds outlines as folium writes them, and the sites
have ten columns of text. Seconds are those of the clock, and in brackets those of the processor.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from typing import TYPE_CHECKING

import folium
import numpy as np
import pandas as pd

import geo
import layers

if TYPE_CHECKING:
    import geopandas as gpd

TARGET_S = 10.0
BYTES_PER_VERTEX = 21.7
WEST, SOUTH, EAST, NORTH = 102.5, 10.5, 107.0, 14.5


def invented_sites(n: int) -> gpd.GeoDataFrame:
    """Draw sites with ten columns of text."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "id": [f"B{i:05d}" for i in range(n)],
            "name": [f"Invented yard number {i}" for i in range(n)],
            "lat": rng.uniform(SOUTH, NORTH, n).round(6),
            "lon": rng.uniform(WEST, EAST, n).round(6),
            "radius_m": 250.0,
            "source_url": [f"https://paper.example.org/2024/report-{i}.html" for i in range(n)],
            "verbatim_location": [f"behind the mill of invented family {i}" for i in range(n)],
        }
    )
    for k in range(7):
        table[f"remark_{k}"] = [f"remark {k} on yard {i}, invented" for i in range(n)]
    return geo.validate_sites(table)


def outlines_page(megabytes: float) -> bytes:
    """Write a page with the outlines of many invented areas."""
    rng = np.random.default_rng(2)
    corners = int(megabytes * 1e6 / BYTES_PER_VERTEX) // 1000
    features = []
    for i in range(1000):
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radius = 0.05 * (1 + 0.1 * rng.random(corners))
        x = rng.uniform(WEST, EAST) + radius * np.cos(angle)
        y = rng.uniform(SOUTH, NORTH) + radius * np.sin(angle)
        ring = np.column_stack([x, y]).round(5)
        ring[-1] = ring[0]
        geometry = {"type": "Polygon", "coordinates": [ring.tolist()]}
        features.append({"type": "Feature", "properties": {"area": i}, "geometry": geometry})
    page = folium.Map([12.5, 104.9], zoom_start=8, tiles=None).get_root().render()
    data = json.dumps({"type": "FeatureCollection", "features": features})
    return f"{page}<script>geo_json_add({data});</script>".encode()


def seconds(
    source: bytes, sites: gpd.GeoDataFrame, released: gpd.GeoDataFrame
) -> tuple[float, float]:
    """Scan once and check that no site was found."""
    start, start_cpu = time.perf_counter(), time.process_time()
    found = layers.scan(source, against=sites, released=released, progress=False)
    taken = time.perf_counter() - start, time.process_time() - start_cpu
    if found["site_id"].notna().any():
        sys.exit(f"false alarms: {found['form'].unique().tolist()}")
    return taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=10_000)
    parser.add_argument("--megabytes", type=float, default=20.0)
    given = parser.parse_args()
    sites = invented_sites(given.sites)
    nothing = geo.generalise(sites.head(0))
    page = outlines_page(given.megabytes)
    few = sites.head(50)
    release = geo.generalise(few)
    small = release.to_json().encode()
    print(f"{'task':<44} {'seconds':>8}")
    for repeat in ("first", "again"):
        taken, cpu = seconds(page, sites, nothing)
        name = f"{len(page) / 1e6:.1f} MB page, {len(sites):,} sites, {repeat}"
        verdict = "within" if taken < TARGET_S else "MORE THAN"
        print(f"{name:<44} {taken:>8.2f} ({cpu:.2f})  {verdict} {TARGET_S:.0f} s")
        taken, cpu = seconds(small, few, release)
        name = f"{len(small) / 1e3:.0f} kB GeoJSON, {len(few)} sites, {repeat}"
        print(f"{name:<44} {taken:>8.2f} ({cpu:.2f})")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
