"""Point patterns beside the peers: seconds, ratio, and whether the answers agree.

Run from the repository: ``python benchmarks/pattern.py [--runs 5] [TASK ...]``. The peers are
pointpats and KDEpy, and spatstat where R is installed (Debian: r-base-core,
r-cran-spatstat.explore); a peer that is missing is said. All sides of a task run one after the
other on the same points. Ours starts from a GeoDataFrame, the peers from bare arrays. Distances
are in metres; the unit square of the peers is a square kilometre.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

import geo

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE_M = 1000.0
SLOW_S = 20.0  # what lasts longer is run once
SQUARE = gpd.GeoSeries([shapely.box(0, 0, SIDE_M, SIDE_M)], crs="EPSG:32648")
QUARTER = np.linspace(0, 0.25, 513) * SIDE_M
FIFTH = np.linspace(0, 0.2, 513) * SIDE_M
TWENTY = np.linspace(0, 0.25, 20) * SIDE_M
READ = """
suppressPackageStartupMessages(library(spatstat.explore)); options(warn = -1)
xy <- as.matrix(read.csv("points.csv", header = FALSE))
ring <- as.matrix(read.csv("ring.csv", header = FALSE))
square <- owin(c(0, 1000), c(0, 1000))
W <- if (nrow(ring) == 4) square else owin(poly = list(x = ring[, 1], y = ring[, 2]))
X <- ppp(xy[, 1], xy[, 2], window = W, check = FALSE)
r <- scan("distances.csv", quiet = TRUE); set.seed(1)
for (i in 1:RUNS) { start <- proc.time()[["elapsed"]]; answer <- {CALL}
  spent <- proc.time()[["elapsed"]] - start; cat("seconds", spent, "\\n"); if (spent > SLOW) break }
"""


class Peer(NamedTuple):
    """Another way to one answer: seconds of each run, and the answer if it can be compared."""

    name: str
    target: float
    run: Callable[[int], tuple[list[float], np.ndarray | None]]


class Task(NamedTuple):
    """What ours does, beside whom."""

    ours: Callable[[], np.ndarray | None]
    peers: tuple[Peer, ...]


def star() -> gpd.GeoSeries:
    """Draw a wavy outline of 200 vertices."""
    turn = np.linspace(0, 2 * np.pi, 201)[:-1]
    radius = 0.4 + 0.06 * np.sin(5 * turn) + 0.03 * np.cos(11 * turn)
    ring = SIDE_M * (0.5 + radius[:, None] * np.column_stack([np.cos(turn), np.sin(turn)]))
    return gpd.GeoSeries([shapely.Polygon(ring)], crs=SQUARE.crs)


def uniform(n: int, window: gpd.GeoSeries = SQUARE) -> gpd.GeoDataFrame:
    """Draw n points at random."""
    sites = geo.csr(window).simulate(n, rng=1).to_frame("geometry")
    return sites.assign(uncertainty_m=1.0)


def timed(
    work: Callable[[], np.ndarray | None], runs: int
) -> tuple[list[float], np.ndarray | None]:
    """Run some times, once if it is slow."""
    spent: list[float] = []
    answer = None
    while len(spent) < runs and (not spent or spent[-1] < SLOW_S):
        gc.collect()
        start = time.perf_counter()
        answer = work()
        spent.append(time.perf_counter() - start)
    return spent, answer


def spatstat(
    call: str,
    sites: gpd.GeoDataFrame,
    window: gpd.GeoSeries = SQUARE,
    distances: np.ndarray = QUARTER,
    *,
    target: float,
    column: str | None = None,
) -> Peer:
    """Let spatstat do it; `column` of its answer is compared."""

    def run(runs: int) -> tuple[list[float], np.ndarray | None]:
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder)
            np.savetxt(here / "points.csv", sites.get_coordinates(), delimiter=",", fmt="%.17g")
            ring = window.exterior.get_coordinates()[:-1]
            np.savetxt(here / "ring.csv", ring, delimiter=",", fmt="%.17g")
            np.savetxt(here / "distances.csv", distances, fmt="%.17g")
            text = READ.replace("{CALL}", call).replace("RUNS", str(runs))
            text = text.replace("SLOW", str(SLOW_S))
            if column:
                text += f'write(answer[["{column}"]], "answer.csv", ncolumns = 1)\n'
            (here / "task.R").write_text(text, encoding="utf-8")
            done = subprocess.run(
                ["Rscript", "task.R"],  # noqa: S607 - wherever R is
                cwd=here,
                check=True,
                capture_output=True,
                text=True,
            )
            lines = [line for line in done.stdout.splitlines() if line.startswith("seconds")]
            answer = np.loadtxt(here / "answer.csv") if column else None
            return [float(line.split()[1]) for line in lines], answer

    return Peer("spatstat", target, run)


def pointpats(work: str, sites: gpd.GeoDataFrame, *, target: float) -> Peer:
    """Let pointpats do it."""
    xy = sites.get_coordinates().to_numpy()

    def run(runs: int) -> tuple[list[float], np.ndarray | None]:
        from pointpats import distance_statistics as peer  # noqa: PLC0415 - may be missing

        if work == "k":
            return timed(lambda: peer.k(xy, support=TWENTY)[1], runs)
        hull = None if work == "square" else xy
        options = {} if hull is None else {"hull": "convex"}
        return timed(lambda: peer.l_test(xy, support=TWENTY, n_simulations=999, **options)[1], runs)

    return Peer("pointpats", target, run)


def k_task(n: int, correction: str, *peers: Peer, distances: np.ndarray = QUARTER) -> Task:
    """Estimate K of n points in the square."""
    sites = uniform(n)
    return Task(
        lambda: geo.ripley_k(sites, SQUARE, distances_m=distances, correction=correction).estimate,
        peers,
    )


def simulated(
    sites: gpd.GeoDataFrame, window: gpd.GeoSeries, distances: np.ndarray, correction: str
) -> None:
    """Simulate L 999 times."""
    geo.envelope_test(
        sites,
        window,
        distances_m=distances,
        correction=correction,
        n_simulations=999,
        rng=1,
        progress=False,
    )


def l_task(n: int, correction: str, target: float, *more: Peer) -> Task:
    """Test n points in the square with 999 simulations of L."""
    sites = uniform(n)
    call = f'envelope(X, Lest, nsim = 999, correction = "{correction}", verbose = FALSE, r = r)'
    return Task(
        lambda: simulated(sites, SQUARE, QUARTER, correction),
        (spatstat(call, sites, target=target), *more),
    )


def polygon_k() -> Task:
    """Estimate the isotropic K in a polygon."""
    window = star()
    sites = uniform(1000, window)
    call = 'Kest(X, r = r, correction = "isotropic")'
    return Task(
        lambda: geo.ripley_k(sites, window, distances_m=FIFTH, correction="isotropic").estimate,
        (spatstat(call, sites, window, FIFTH, target=0.05, column="iso"),),
    )


def polygon_l() -> Task:
    """Test in a polygon with the translation correction."""
    window = star()
    sites = uniform(1000, window)
    return Task(
        lambda: simulated(sites, window, FIFTH, "translation"),
        (pointpats("hull", sites, target=0.05),),
    )


def clark_evans() -> Task:
    """Test Clark and Evans' index with 999 simulations."""
    sites = uniform(1000)
    call = 'clarkevans.test(X, correction = "none", nsim = 999, method = "MonteCarlo")'
    return Task(
        lambda: geo.clark_evans(sites, SQUARE, n_simulations=999, rng=1) and None,
        (spatstat(call, sites, target=0.2),),
    )


def density() -> Task:
    """Estimate an edge-corrected density of 100,000 points on 512 x 512 cells."""
    sites = uniform(100_000)
    xy = sites.get_coordinates().to_numpy()

    def plain(runs: int) -> tuple[list[float], np.ndarray | None]:
        from KDEpy import FFTKDE  # noqa: PLC0415 - may be missing

        return timed(lambda: FFTKDE(bw=20.0).fit(xy).evaluate((512, 512))[1] * 0, runs)

    return Task(
        lambda: (
            geo.kernel_density(
                sites, SQUARE, bandwidth_m=20, cell_size_m=SIDE_M / 512, edge="uniform"
            )
            and None
        ),
        (
            spatstat("density(X, sigma = 20, dimyx = 512)", sites, target=0.05),
            Peer("KDEpy (no edge)", 0.5, plain),
        ),
    )


def million() -> Task:
    """Estimate K of a million points in 1,000 x 1,000 km up to 5 km, for the memory it takes."""
    side = 1e6
    window = gpd.GeoSeries([shapely.box(0, 0, side, side)], crs=SQUARE.crs)
    sites = uniform(1_000_000, window)
    distances = np.linspace(0, 5000, 129)

    def ours() -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        geo.ripley_k(sites, window, distances_m=distances)
        more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"  (peak memory grew by {more:.0f} MiB)")

    return Task(ours, ())


def cambodia() -> Task:
    """Test 1,000 points in Cambodia's outline with 999 simulations of the isotropic L."""
    window = geo.load_reference("countries", country="KH").geometry
    sites = uniform(1000, window)
    return Task(
        lambda: geo.envelope_test(sites, window, rng=1, progress=False) and None,
        (),
    )


def kest(n: int, correction: str, column: str, target: float) -> Peer:
    """Let spatstat estimate K of the points of `k_task`."""
    call = f'Kest(X, r = r, correction = "{correction}", nlarge = Inf)'
    return spatstat(call, uniform(n), target=target, column=column)


TASKS: dict[str, Callable[[], Task]] = {
    "K-none-10k": lambda: k_task(
        10_000, "none", pointpats("k", uniform(10_000), target=0.04), distances=TWENTY
    ),
    "K-border-10k": lambda: k_task(10_000, "border", kest(10_000, "border", "border", 0.3)),
    "K-border-100k": lambda: k_task(100_000, "border", kest(100_000, "border", "border", 0.2)),
    "K-isotropic-10k": lambda: k_task(10_000, "isotropic", kest(10_000, "isotropic", "iso", 0.18)),
    "K-isotropic-polygon": polygon_k,
    "L-isotropic-200": lambda: l_task(
        200, "isotropic", 0.02, pointpats("square", uniform(200), target=0.08)
    ),
    "L-border-1000": lambda: l_task(1000, "border", 0.12),
    "L-isotropic-1000": lambda: l_task(
        1000, "isotropic", 0.2, pointpats("square", uniform(1000), target=0.05)
    ),
    "L-border-5000": lambda: l_task(5000, "border", 0.25),
    "L-translation-polygon": polygon_l,
    "clark-evans": clark_evans,
    "density": density,
    "K-million": million,
    "L-cambodia": cambodia,
}


def missing(peer: Peer) -> bool:
    """Whether a peer is not installed."""
    if peer.name == "spatstat":
        return shutil.which("Rscript") is None
    return importlib.util.find_spec(peer.name.split()[0]) is None


def agreement(ours: np.ndarray | None, theirs: np.ndarray | None) -> str:
    """Say by how much two answers differ."""
    if ours is None or theirs is None or ours.shape != theirs.shape:
        return ""
    both = np.isfinite(ours) & np.isfinite(theirs) & (theirs != 0)
    return f"differ by {np.abs(ours[both] / theirs[both] - 1).max():.1e} at most"


def main() -> None:
    """Print a line for each task and peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], metavar="TASK")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    print(f"{'task':22} {'peer':16} {'ours':>8} {'theirs':>8} {'ratio':>6} {'target':>6}")
    for name in asked.tasks or TASKS:
        task = TASKS[name]()
        task.ours()  # compiles
        seconds, answer = timed(task.ours, asked.runs)
        ours = statistics.median(seconds)
        if not task.peers:
            print(f"{name:22} {'-':16} {ours:8.3f}", flush=True)
        for peer in task.peers:
            if missing(peer):
                print(f"{name:22} {peer.name:16} {ours:8.3f}  not installed", flush=True)
                continue
            spent, other = peer.run(asked.runs)
            theirs = statistics.median(spent)
            print(
                f"{name:22} {peer.name:16} {ours:8.3f} {theirs:8.3f} {ours / theirs:6.3f} "
                f"{peer.target:6.2f}  {agreement(answer, other)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
