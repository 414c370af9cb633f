"""Proximity and clustering beside the peers: seconds, ratio, and whether the answers are right.

Run from the repository: ``python benchmarks/proximity.py [--runs 5] [TASK ...]``. Both sides run in
turn in one process and start from the same places: ours and geopandas from a GeoDataFrame, scipy
and scikit-learn from arrays of longitude and latitude, which spares them the way there.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Geod
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN
from sklearn.neighbors import BallTree

import geo

if TYPE_CHECKING:
    from collections.abc import Callable

UTM = 32648
SPHERE_M = 6_371_008.8
WGS84 = Geod(ellps="WGS84")
AXIS_M, ECCENTRICITY2 = WGS84.a, WGS84.es


class Task(NamedTuple):
    """Two ways to one answer, and what to say of the answers."""

    peer: str
    target: float
    ours: Callable[[], object]
    theirs: Callable[[], object]
    verdict: Callable[[object, object], str]
    runs: int = 5


def mekong(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points in 97-110 E, 5-24 N: seven tenths in 300 clusters, the rest anywhere."""
    shape, rng = np.random.default_rng(99), np.random.default_rng(seed)
    centre = np.column_stack([shape.uniform(97.5, 109.5, 300), shape.uniform(5.5, 23.5, 300)])
    spread, share = shape.uniform(0.03, 0.4, 300), shape.dirichlet(np.ones(300))
    cluster = rng.choice(300, n, p=share)
    near = centre[cluster] + spread[cluster, None] * rng.standard_normal((n, 2))
    anywhere = np.column_stack([rng.uniform(97, 110, n), rng.uniform(5, 24, n)])
    return tuple(np.where(rng.random(n)[:, None] < 0.3, anywhere, near).T)  # noqa: PLR2004 - three tenths


def border(vertices: int) -> shapely.LineString:
    """Draw a wandering line of about 2,600 km from 97.8 E 20 N to 107 E 10.5 N."""
    along = np.linspace(0, 1, vertices)[:, None]
    wander = np.cumsum(np.random.default_rng(3).standard_normal((vertices, 2)), axis=0)
    wander -= along * wander[-1]
    straight = [97.8, 20.0] + along * [9.2, -9.5]
    return shapely.LineString(straight + wander * 1.2 / np.abs(wander).max())


def frame(lon: np.ndarray, lat: np.ndarray) -> gpd.GeoDataFrame:
    """Make a frame of points."""
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=4326)


def in_space(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Place points in space, as a user of a k-d tree has to."""
    lam, phi = np.radians(lon), np.radians(lat)
    normal = AXIS_M / np.sqrt(1 - ECCENTRICITY2 * np.sin(phi) ** 2)
    axial = normal * np.cos(phi)
    return np.column_stack(
        [axial * np.cos(lam), axial * np.sin(lam), normal * (1 - ECCENTRICITY2) * np.sin(phi)]
    )


def wrong_neighbours(places: tuple, targets: tuple, ours: np.ndarray, theirs: np.ndarray) -> str:
    """Judge two choices of neighbours by Karney's lengths."""
    one = WGS84.inv(*places, targets[0][ours], targets[1][ours])[2]
    other = WGS84.inv(*places, targets[0][theirs], targets[1][theirs])[2]
    return f"ours {(one > other + 1e-7).sum()} wrong, theirs {(other > one + 1e-7).sum()}"


def nearest_task(n: int, target: float, peer: str) -> Task:
    """Find the nearest of n targets for n points."""
    places, targets = mekong(n, 1), mekong(n, 2)
    sites, others = frame(*places), frame(*targets)

    def utm() -> np.ndarray:
        joined = gpd.sjoin_nearest(sites.to_crs(UTM), others.to_crs(UTM), distance_col="d")
        return joined[~joined.index.duplicated()]["index_right"].to_numpy()

    def haversine() -> np.ndarray:
        tree = BallTree(np.radians(np.column_stack(targets[::-1])), metric="haversine")
        return tree.query(np.radians(np.column_stack(places[::-1])), k=1)[1][:, 0]

    def chords() -> np.ndarray:
        return cKDTree(in_space(*targets)).query(in_space(*places), workers=-1)[1]

    theirs = {"sjoin_nearest, UTM": utm, "BallTree, haversine": haversine, "cKDTree, ECEF": chords}
    return Task(
        peer=peer,
        target=target,
        ours=lambda: geo.nearest(sites, others)["target"].to_numpy(dtype=np.int64),
        theirs=theirs[peer],
        verdict=partial(wrong_neighbours, places, targets),
        runs=1 if peer.startswith("BallTree") else 5,
    )


def count_task(n: int, target: float, peer: str) -> Task:
    """Count the points within 1 km of each of n points."""
    places = mekong(n, 1)
    sites = frame(*places)

    def chords() -> np.ndarray:
        xyz = in_space(*places)
        return cKDTree(xyz).query_ball_point(xyz, 1000, return_length=True, workers=-1) - 1

    def utm() -> np.ndarray:
        plane = sites.geometry.to_crs(UTM)
        pairs = plane.sindex.query(plane, predicate="dwithin", distance=1000)
        return np.bincount(pairs[0], minlength=n) - 1

    return Task(
        peer=peer,
        target=target,
        ours=lambda: geo.count_within(sites, distance_m=1000)["count"].to_numpy(np.int64),
        theirs=chords if peer.startswith("cKDTree") else utm,
        verdict=lambda a, b: f"{(a != b).sum()} rows differ",
    )


def dbscan_task(n: int, target: float) -> Task:
    """Cluster n points at 1 km."""
    places = mekong(n, 1)
    sites = frame(*places)
    return Task(
        peer="scikit-learn, kd_tree, ECEF",
        target=target,
        ours=lambda: geo.dbscan(sites, eps_m=1000, min_samples=10).labels.to_numpy(np.int64),
        theirs=lambda: (
            DBSCAN(eps=1000, min_samples=10, algorithm="kd_tree", n_jobs=-1)
            .fit(in_space(*places))
            .labels_
        ),
        verdict=lambda a, b: f"{(a != b).sum()} labels differ, {a.max() + 1} clusters",
    )


def border_task(n: int, vertices: int, target: float) -> Task:
    """Measure from n points to a line of many vertices."""
    sites, line = frame(*mekong(n, 1)), border(vertices)

    def utm() -> np.ndarray:
        plane = gpd.GeoSeries([line], crs=4326).to_crs(UTM).iloc[0]
        shapely.prepare(plane)
        return shapely.distance(sites.to_crs(UTM).geometry.to_numpy(), plane)

    return Task(
        peer="shapely distance, UTM",
        target=target,
        ours=lambda: geo.distance_to(sites, line)["distance_m"].to_numpy(),  # noqa: PLW0108 - measured anew
        theirs=utm,
        verdict=lambda a, b: f"theirs is off by up to {np.abs(a - b).max():,.0f} m",
    )


TASKS: dict[str, Callable[[], Task]] = {
    "nearest-100k": lambda: nearest_task(100_000, 0.30, "sjoin_nearest, UTM"),
    "nearest-1m-balltree": lambda: nearest_task(1_000_000, 0.15, "BallTree, haversine"),
    "nearest-1m-ckdtree": lambda: nearest_task(1_000_000, 0.6, "cKDTree, ECEF"),
    "count-1m-ckdtree": lambda: count_task(1_000_000, 0.25, "cKDTree, ECEF"),
    "count-1m-dwithin": lambda: count_task(1_000_000, 0.06, "geopandas dwithin, UTM"),
    "dbscan-1m": lambda: dbscan_task(1_000_000, 0.2),
    "border-20k": lambda: border_task(20_000, 20_000, 0.12),
}


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Run once."""
    gc.collect()
    start = time.perf_counter()
    answer = work()
    return time.perf_counter() - start, answer


def memory_of_dbscan() -> str:
    """Measure in a process of its own by how much clustering a million points raises the peak."""
    program = (
        "import resource, sys; sys.path.insert(0, 'benchmarks')\n"
        "import geo\nfrom proximity import frame, mekong\n"
        "geo.dbscan(frame(*mekong(20_000, 1)), eps_m=1000, min_samples=10)\n"
        "sites = frame(*mekong(1_000_000, 1))\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = peak()\n"
        "geo.dbscan(sites, eps_m=float(sys.argv[1]), min_samples=10)\n"
        "print(round(peak() - before))"
    )
    extra = [
        subprocess.run(  # noqa: S603 - this interpreter, our own words
            [sys.executable, "-c", program, eps], check=True, capture_output=True, text=True
        ).stdout.strip()
        for eps in ("1000", "5000")
    ]
    return f"DBSCAN, 1M points: {extra[0]} MiB more than the frame at 1 km, {extra[1]} at 5 km"


def main() -> None:
    """Print a line for each task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], metavar="TASK")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    start = time.perf_counter()
    warm = frame(*mekong(100, 1))
    geo.nearest(warm, warm)
    geo.count_within(warm, distance_m=1000)
    geo.dbscan(warm, eps_m=1000)
    geo.distance_to(warm, border(100))
    print(f"first calls: {time.perf_counter() - start:.1f} s (compiled, or read from disk)")
    print(f"{'task':20} {'peer':28} {'ours':>7} {'theirs':>7} {'ratio':>6} {'target':>6}")
    for name in asked.tasks or TASKS:
        task = TASKS[name]()
        runs = min(asked.runs, task.runs)
        pairs = [(timed(task.ours), timed(task.theirs)) for _ in range(runs)]
        ours, theirs = (statistics.median(pair[side][0] for pair in pairs) for side in (0, 1))
        verdict = task.verdict(pairs[-1][0][1], pairs[-1][1][1])
        print(
            f"{name:20} {task.peer:28} {ours:7.2f} {theirs:7.2f} {ours / theirs:6.3f} "
            f"{task.target:6.2f}  {verdict}",
            flush=True,
        )
    if not asked.tasks:
        print(memory_of_dbscan())


if __name__ == "__main__":
    main()
