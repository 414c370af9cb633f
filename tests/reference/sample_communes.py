"""Draw the sample of commune outlines that the circles of communes are tested with.

    python tests/reference/sample_communes.py khm_adm3_geoboundaries_coded.parquet

`commune_corners.csv` holds every corner of every twenty-fifth commune in the order of the codes.
`geo/data/SOURCES.md` says where the polygons and their codes come from. The same file gives the
same bytes.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import geopandas as gpd

SHA256 = "f4ef6554d6e110e9bf2f0a2b20aa4b7fa5107e4fc95ffa83d3e1967663c9d148"
EVERY = 25
HEADER = """\
# Every corner of every 25th commune of Cambodia, by P-code.
# From: geoBoundaries (Runfola et al. 2020), source Open Development Cambodia; CC BY 4.0.
# Changed: recoded, rounded to 1e-6 degrees. Drawn by sample_communes.py beside this file.
code,longitude,latitude
"""


def main() -> None:
    """Check the file, write the sample beside this script."""
    path = Path(sys.argv[1])
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        message = f"{path} is not the file that the sample was drawn from: its sha256 is {found}."
        raise SystemExit(message)
    communes = gpd.read_parquet(path).dropna(subset=["commune_code"])
    # two polygons bear the code of Pongro: neither has a circle
    communes = communes[~communes["commune_code"].duplicated(keep=False)]
    chosen = communes.sort_values("commune_code").iloc[::EVERY].set_index("commune_code")
    corners = chosen.geometry.get_coordinates()
    lines = [f"KH{code},{x:.6f},{y:.6f}\n" for code, x, y in corners.itertuples()]
    Path(__file__).with_name("commune_corners.csv").write_bytes((HEADER + "".join(lines)).encode())


if __name__ == "__main__":
    main()
