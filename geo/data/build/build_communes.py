"""Build geo/data/communes.csv.gz: one circle for each commune polygon of Cambodia.

Run from the root of the repository (SOURCES.md says where the polygons come from and how
they got their codes)::

    python geo/data/build/build_communes.py \
        --communes khm_adm3_geoboundaries_coded.parquet --out geo/data

The same polygons give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Geod

SOURCE_SHA256 = "f4ef6554d6e110e9bf2f0a2b20aa4b7fa5107e4fc95ffa83d3e1967663c9d148"
GEOD = Geod(ellps="WGS84")
STEP_M = 10.0  # radii are rounded up to this
# The polygons have ten corners on average: of the outlines in full detail 90 % lie within 380 m.
SIMPLIFIED_M = 500.0


def main() -> None:
    """Read the polygons, write the circles, print what was written."""
    parser = argparse.ArgumentParser(description="Build the circles of communes.")
    parser.add_argument("--communes", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found = hashlib.sha256(arguments.communes.read_bytes()).hexdigest()
    if found != SOURCE_SHA256:
        message = f"{arguments.communes} is not the file of SOURCES.md: its sha256 is {found}."
        raise SystemExit(message)
    circles = circles_of(gpd.read_parquet(arguments.communes))
    path = arguments.out / "communes.csv.gz"
    text = circles.to_csv(index=False, lineterminator="\n")
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    content = path.read_bytes()
    print(f"| `{path.name}` | {len(content):,} | {hashlib.sha256(content).hexdigest()} |")
    print(f"{len(circles)} circles, median radius {circles['radius_m'].median():,.0f} m")


def circles_of(communes: gpd.GeoDataFrame) -> pd.DataFrame:
    """P-code, centre and covering radius of each commune that one polygon has the code of."""
    # Two polygons far apart bear the code of Pongro: one of them is not it, so neither counts.
    coded = communes[communes["commune_code"].notna()]
    coded = coded[~coded["commune_code"].duplicated(keep=False)].sort_values("commune_code")
    rows = []
    for code, polygon in zip(coded["commune_code"], coded.geometry, strict=True):
        centre = centre_of(polygon)
        lon, lat = np.round([centre.x, centre.y], 5)
        corners = shapely.get_coordinates(polygon)
        size = len(corners)
        reach = GEOD.inv(np.full(size, lon), np.full(size, lat), corners[:, 0], corners[:, 1])[2]
        radius = np.ceil((reach.max() + SIMPLIFIED_M) / STEP_M) * STEP_M
        rows.append((f"KH{code}", f"{lon:.5f}", f"{lat:.5f}", int(radius)))
    return pd.DataFrame(rows, columns=["code", "longitude", "latitude", "radius_m"])


def centre_of(polygon: shapely.Geometry) -> shapely.Point:
    """Centre of the least circle around a polygon, or the point of the polygon nearest to it."""
    stretch = np.cos(np.radians(polygon.centroid.y))
    flat = shapely.transform(polygon, lambda corners: corners * [stretch, 1.0])
    middle = shapely.centroid(shapely.minimum_bounding_circle(flat))
    inside = shapely.get_point(shapely.shortest_line(flat, middle), 0)
    return shapely.Point(inside.x / stretch, inside.y)


if __name__ == "__main__":
    main()
