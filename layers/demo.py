"""The demonstration: from the shipped reports to a folder that could be published."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import geo
from geo._files import make_folder
from layers.features import area_layer
from layers.figures import site_figure
from layers.maps import site_map
from layers.release import publish
from layers.rules import ReleasePolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    from matplotlib.figure import Figure

    from layers.maps import SiteMap
    from layers.payload import AtlasLayer

__all__ = ["Demo", "write_demo"]

EPS_M = 25_000.0  # some three times the commonest radius, 8 km: less would be below many radii
MIN_SAMPLES = 5
NEAR_M = 20_000.0
_BORDER_COUNTRIES = ("KH", "LA", "MM", "TH", "VN")

TITLE = "Reported scam compounds in Cambodia and the region"
SOURCE = "Compiled from public reporting; every report links to its source."
STATUS_NOTES = {
    "confirmed": "an authority, court, embassy, UN body or NGO is cited for it",
    "suspected": "alleged by press, monitors or survivors",
}
_METHODS = (
    (
        "Confirmed means that an authority, court, embassy, UN body or NGO is cited; suspected "
        "means that press, monitors or survivors allege it, and is shown no finer than a district."
    ),
    "Distances are geodesics on the WGS 84 ellipsoid. Their interval is what the radius implies.",
    "Reports without a location are counted in the province that they name.",
)
# Every row is cited public reporting, at the town that its source names: see SOURCES.md.
POLICY = ReleasePolicy(
    contact="the issue tracker of Compound Atlas",
    licence="CC BY 4.0",
    citation=f"Compound Atlas contributors (2026): {TITLE}",
    date="2026-12-01",
    columns=("status_basis", "location_proxy"),
).override(
    "G13",
    reason="One report says how far its province lies from the capital, as the newspaper does.",
    reviewer="the maintainers",
)


@dataclass(frozen=True, eq=False)
class Demo:
    """
    What the demonstration found and wrote.

    Parameters
    ----------
    folder : pathlib.Path
        Where the files are.
    files : tuple of str
        Their names.
    summary : tuple of str
        What was read, found and left out, in sentences.
    """

    folder: Path
    files: tuple[str, ...]
    summary: tuple[str, ...]


def write_demo(folder: str | Path) -> Demo:
    """
    Publish the shipped reports: a map, counts by province, clusters, distances to the border.

    Everything goes through `publish`: confirmed reports stand at the towns that their sources
    name, suspected ones in the district or province that holds the place.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist; an earlier demonstration in it is replaced.

    Returns
    -------
    Demo
        The files and a summary in words.

    Raises
    ------
    ExportError
        If the folder cannot be made or written, or holds other files.

    Examples
    --------
    >>> import tempfile
    >>> from layers.demo import write_demo
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_demo(folder + "/demo").files[0]
    'README.txt'
    """
    target = Path(folder)
    make_folder(target.parent)
    sites = geo.example_sites()
    release = publish(_page, target, sites=sites, policy=POLICY, results=_results, figure=_figure)
    clusters, near = _cluster(release.view), _near(_border_distances(release.view))
    summary = (*release.provenance.paragraphs()[:2], release.summary(), clusters.summary(), near)
    return Demo(target, (*sorted(release.manifest["outputs"]), "manifest.json"), summary)


def _results(view: gpd.GeoDataFrame) -> dict[str, object]:
    """Count, cluster and measure what is public."""
    return {
        "by_province": _by_province(view, geo.load_reference("provinces")),
        "clusters": _cluster(view),
        "distance_to_border": _border_distances(view),
    }


def _page(view: gpd.GeoDataFrame, *, methods: Sequence[str]) -> SiteMap:
    """Draw what is public, with the methods."""
    return site_map(
        view,
        title=TITLE,
        subtitle=_subtitle(view),
        source=SOURCE,
        methods=(_near(_border_distances(view)), *_METHODS, *methods),
        status_notes=STATUS_NOTES,
        layers=[_cluster_layer(_cluster(view))],
        details=["status_basis"],
        view=geo.load_reference("provinces"),
    )


def _figure(view: gpd.GeoDataFrame) -> Figure:
    """Draw it for print."""
    return site_figure(
        view,
        title=TITLE,
        source=SOURCE,
        status_notes=STATUS_NOTES,
        view=geo.load_reference("provinces"),
    )


def _placed(view: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Blank what is an area: it counts by its name, and is no point."""
    return view.assign(geometry=view.geometry.where(view.geom_type == "Point"))


def _cluster(view: gpd.GeoDataFrame) -> geo.Clustering:
    """Cluster the reports at points; what the warning says stands in the clustering's summary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.ResolutionWarning)
        points = view[view.geom_type == "Point"]
        return geo.dbscan(points, eps_m=EPS_M, min_samples=MIN_SAMPLES)


def _cluster_layer(clustering: geo.Clustering) -> AtlasLayer:
    """Outline the clusters; off until the reader asks, because they describe towns."""
    areas = geo.cluster_areas(clustering)
    words = [
        f"Cluster {row.cluster}: {row.confirmed} confirmed, {row.suspected} suspected"
        for row in areas.itertuples()
    ]
    name = f"Clusters ({MIN_SAMPLES} or more reports within {EPS_M / 1000:g} km)"
    return area_layer(
        areas.assign(words=words), name=name, style="cluster", label="words", show=False
    )


def _by_province(view: gpd.GeoDataFrame, provinces: gpd.GeoDataFrame) -> pd.DataFrame:
    """Count reports by province; the last row holds those of other countries or of no province."""
    counts = geo.count_by_area(_placed(view), provinces).drop(columns="geometry")
    return pd.DataFrame(counts)


def _border_distances(view: gpd.GeoDataFrame) -> pd.DataFrame:
    """Measure the distance of each report at a point to a land border of its own country."""
    placed = _placed(view)
    places = ["site_id", "country", "admin1", "locality", "status", "location_level"]
    frame = pd.DataFrame(placed[[*places, "uncertainty_m"]])
    measured = placed["country"].isin(_BORDER_COUNTRIES)
    distances = pd.concat(
        [
            geo.distance_to(group, geo.load_reference("land_border", country=str(country)))
            for country, group in placed[measured].groupby("country", observed=True)
        ]
    )
    frame = frame.join(distances.round(0))
    stand_in = placed["location_proxy"].eq("yes").fillna(value=False)
    frame["note"] = ""
    frame.loc[stand_in, "note"] = "stand-in for a place that could not be located"
    frame.loc[~measured, "note"] = "no shipped land border for this country"
    frame.loc[view.geometry.isna(), "note"] = "no location"
    frame.loc[view.geometry.notna() & placed.geometry.isna(), "note"] = "published as an area"
    return frame


def _subtitle(view: gpd.GeoDataFrame) -> str:
    """Say in one sentence what the circles are."""
    years = view["first_reported"].dropna().str[:4]
    last = view["last_reported"].dropna().str[:4].max()
    at_home = int((view["country"] == "KH").sum())
    return (
        f"{len(view)} public reports, {years.min()} to {last}, {at_home} of them in Cambodia. "
        "A circle is a town or district, not a building; its size is the number of reports. What "
        "is only suspected is somewhere in a shaded area."
    )


def _near(border: pd.DataFrame) -> str:
    """Say how many reports are near to the border, and for how many that cannot be said."""
    home = border[(border["country"] == "KH") & border["distance_m"].notna()]
    direct = home[home["note"] == ""]
    sure, possible = (
        int((direct[c] <= NEAR_M).sum()) for c in ("distance_max_m", "distance_min_m")
    )
    depends = f"for {possible - sure} it depends on where that is, " if possible > sure else ""
    return (
        f"Of the {len(home)} reports at a point in Cambodia, {len(home) - len(direct)} stand at a "
        f"substitute place and are left out here. Of the other {len(direct)}, {sure} lie within "
        f"{NEAR_M / 1000:g} km of the land border wherever within the radius the true place is; "
        f"{depends}the remaining {len(direct) - possible} do not, wherever it is."
    )
