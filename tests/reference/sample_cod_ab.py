"""Draw the two samples of the official boundaries of Cambodia that the tests compare with.

    python tests/reference/sample_cod_ab.py khm_adm1_cod_ab_2018.gpkg

The official boundaries (COD-AB) are not in the repository; these are. `official_provinces.csv`
holds random places in Cambodia with the code of their official province: the first of those that
`tests/geo/test_reference.py` draws for the full comparison. `official_land_border.csv` holds places
on the outer ring of the official outline, evenly spaced along it and more than 5 km from the sea
as `geo.load_reference("coastline")` draws it, so that the land border which they are to judge has
no part in choosing them. The same file gives the same bytes.

The official file is not on any package registry. It can be had from HDX; the copy that was used is
the one in the GitHub repository brooklabteam/cambodia-dengue-national-public, data/province-shape,
saved as a GeoPackage. The licence is that of HDX: CC BY-IGO,
creativecommons.org/licenses/by/3.0/igo.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo.areal import assign_areas
from geo.reference import load_reference

SHA256 = "868eeaee3cd98379c7e6ee550ad3cbf7fe2dcc0cdb0ed795a605d6ff201f6532"
SEED = 20250701
DRAWN, KEPT = 60_000, 2_000
ON_BORDER = 500
FROM_SEA_M = 5_000.0
UTM_48N = "EPSG:32648"
HEADER = """\
# {what}
# From: administrative boundaries of Cambodia, level 1 (COD-AB), valid on 2018-10-04.
# OCHA / Department of Geography, MLMUPC, via HDX (data.humdata.org/dataset/cod-ab-khm); CC BY-IGO.
# Changed: {changed} Drawn by sample_cod_ab.py beside this file.
"""


def read_official(path: Path) -> gpd.GeoDataFrame:
    """Read the official provinces; two of their rings cross themselves in the source."""
    official = gpd.read_file(path)
    return official.set_geometry(official.make_valid())


def random_points(official: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Draw points evenly over the sphere in the box around Cambodia."""
    west, south, east, north = official.total_bounds
    rng = np.random.default_rng(SEED)
    lon = rng.uniform(west, east, DRAWN)
    lat = np.degrees(np.arcsin(rng.uniform(*np.sin(np.radians([south, north])), DRAWN)))
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def sample_provinces(official: gpd.GeoDataFrame) -> list[str]:
    """Write as lines the first points that lie in Cambodia, with their province."""
    points = random_points(official)
    # rounded first, so that the code is that of the very place that is written down
    points = points.set_geometry(shapely.transform(points.geometry, lambda xy: np.round(xy, 5)))
    truth = assign_areas(points, official, name="ADM1_PCODE")
    inside = np.flatnonzero(truth["how"] == "within")[:KEPT]
    rows = zip(points.geometry.iloc[inside], truth["area"].iloc[inside], strict=True)
    return [f"{point.x:.5f},{point.y:.5f},{code}" for point, code in rows]


def sample_land_border(official: gpd.GeoDataFrame) -> list[str]:
    """Write as lines points on the official outline away from the sea."""
    land = shapely.union_all(official.to_crs(UTM_48N).geometry.to_numpy())
    ring = max(shapely.get_parts(land), key=shapely.area).exterior
    sea = load_reference("coastline").to_crs(UTM_48N).union_all()
    along = shapely.line_interpolate_point(ring, np.arange(0.0, ring.length, 100.0))
    inland = along[shapely.distance(along, sea) > FROM_SEA_M]
    chosen = inland[np.linspace(0, len(inland) - 1, ON_BORDER).round().astype(int)]
    degrees = gpd.GeoSeries(chosen, crs=UTM_48N).to_crs("EPSG:4326")
    return [f"{point.x:.5f},{point.y:.5f}" for point in degrees]


def main() -> None:
    """Check the file, write both samples beside this script."""
    path = Path(sys.argv[1])
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        message = f"{path} is not the file that the samples were drawn from: its sha256 is {found}."
        raise SystemExit(message)
    official = read_official(path)
    samples = {
        "official_provinces.csv": (
            f"{KEPT:,} random places in Cambodia with the code of their official province.",
            "only the codes of these places were taken.",
            "longitude,latitude,province",
            sample_provinces(official),
        ),
        "official_land_border.csv": (
            f"{ON_BORDER} places on the official outline of Cambodia, more than 5 km from the sea.",
            "only these places were taken, at even distances.",
            "longitude,latitude",
            sample_land_border(official),
        ),
    }
    for name, (what, changed, columns, lines) in samples.items():
        text = HEADER.format(what=what, changed=changed) + "\n".join([columns, *lines]) + "\n"
        Path(__file__).with_name(name).write_bytes(text.encode())


if __name__ == "__main__":
    main()
