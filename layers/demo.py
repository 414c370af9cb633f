"""The demonstration: from the shipped reports to a folder that could be published."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import pandas as pd

import geo
from geo._files import make_folder, write_bytes
from layers.export import save_html
from layers.features import area_layer
from layers.furniture import DISCLAIMER, distinct_credits
from layers.maps import site_map

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import geopandas as gpd

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
        "Reports are placed at the town or district that their source names, with a radius that "
        "holds the true place. Confirmed means that an authority, court, embassy, UN body or NGO "
        "is cited; suspected means that press, monitors or survivors allege it."
    ),
    "Distances are geodesics on the WGS 84 ellipsoid. Their interval is what the radius implies.",
    (
        f"Clusters are DBSCAN on these distances: {MIN_SAMPLES} or more reports, each within "
        f"{EPS_M / 1000:g} km of enough others."
    ),
    "Reports without a location are counted in the province that they name.",
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
    Map the shipped reports, count them by province, cluster them, measure to the border.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist; files of the same names in it are replaced.

    Returns
    -------
    Demo
        The files and a summary in words.

    Raises
    ------
    ExportError
        If the folder cannot be made or written.

    Examples
    --------
    >>> import tempfile
    >>> from layers.demo import write_demo
    >>> folder = tempfile.TemporaryDirectory()
    >>> write_demo(folder.name).files[0]
    'map.html'
    >>> folder.cleanup()
    """
    sites = geo.example_sites()
    provinces = geo.load_reference("provinces")
    clustering = _cluster(sites)
    border = _border_distances(sites)
    tables = {
        "by_province.csv": _by_province(sites, provinces),
        "clusters.csv": clustering.to_frame(),
        "distance_to_border.csv": border,
    }
    summary = _summary(sites, clustering, border)
    page = site_map(
        sites,
        title=TITLE,
        subtitle=_subtitle(sites),
        source=SOURCE,
        methods=(*summary, *_METHODS),
        status_notes=STATUS_NOTES,
        layers=[_cluster_layer(clustering)],
        details=["status_basis"],
        view=provinces,
    )
    target = make_folder(folder)
    save_html(page, target / "map.html")
    geo.write_sites(sites, target / "sites.geojson")
    for name, table in tables.items():
        write_bytes(target / name, table.to_csv(index=False, lineterminator="\n").encode())
    credits_ = [layer.attribution for layer in page.atlas_layers]
    write_bytes(target / "README.txt", _readme(summary, _METHODS, credits_).encode())
    return Demo(target, ("map.html", "sites.geojson", *tables, "README.txt"), summary)


def _cluster(sites: gpd.GeoDataFrame) -> geo.Clustering:
    """Cluster the reports; what the warning says stands in the clustering's summary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", geo.ResolutionWarning)
        return geo.dbscan(sites, eps_m=EPS_M, min_samples=MIN_SAMPLES)


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


def _by_province(sites: gpd.GeoDataFrame, provinces: gpd.GeoDataFrame) -> pd.DataFrame:
    """Count reports by province; the last row holds those of other countries."""
    return pd.DataFrame(geo.count_by_area(sites, provinces).drop(columns="geometry"))


def _border_distances(sites: gpd.GeoDataFrame) -> pd.DataFrame:
    """Measure each report's distance to a land border of its own country."""
    places = ["site_id", "country", "admin1", "locality", "status", "location_level"]
    frame = pd.DataFrame(sites[[*places, "uncertainty_m"]])
    measured = sites["country"].isin(_BORDER_COUNTRIES)
    distances = pd.concat(
        [
            geo.distance_to(group, geo.load_reference("land_border", country=str(country)))
            for country, group in sites[measured].groupby("country", observed=True)
        ]
    )
    frame = frame.join(distances.round(0))
    stand_in = sites["location_proxy"].eq("yes").fillna(value=False)
    frame["note"] = ""
    frame.loc[stand_in, "note"] = "stand-in for a place that could not be located"
    frame.loc[~measured, "note"] = "no shipped land border for this country"
    frame.loc[sites.geometry.isna(), "note"] = "no location"
    return frame


def _subtitle(sites: gpd.GeoDataFrame) -> str:
    """Say in one sentence what the circles are."""
    years = sites["first_reported"].dropna().str[:4]
    last = sites["last_reported"].dropna().str[:4].max()
    at_home = int((sites["country"] == "KH").sum())
    return (
        f"{len(sites)} public reports, {years.min()} to {last}, {at_home} of them in Cambodia. "
        "A circle is a town or district, not a building; its size is the number of reports, and "
        "circles that would touch are merged."
    )


def _summary(
    sites: gpd.GeoDataFrame, clustering: geo.Clustering, border: pd.DataFrame
) -> tuple[str, ...]:
    """Say what was read, found and left out."""
    status = sites["status"].value_counts()
    located = int(sites.geometry.notna().sum())
    home = border[(border["country"] == "KH") & border["distance_m"].notna()]
    direct = home[home["note"] == ""]
    sure, possible = (
        int((direct[c] <= NEAR_M).sum()) for c in ("distance_max_m", "distance_min_m")
    )
    read = (
        f"{len(sites)} reports were read: {status['confirmed']} confirmed, {status['suspected']} "
        f"suspected. {located} have a location, {len(sites) - located} do not; these are counted "
        "in the tables and not drawn. A report is not a site: several may describe the same one."
    )
    depends = f"for {possible - sure} it depends on where that is, " if possible > sure else ""
    near = (
        f"Of the {len(home)} located reports in Cambodia, {len(home) - len(direct)} stand at a "
        f"substitute place and are left out here. Of the other {len(direct)}, {sure} lie within "
        f"{NEAR_M / 1000:g} km of the land border wherever within the radius the true place is; "
        f"{depends}the remaining {len(direct) - possible} do not, wherever it is."
    )
    return (read, clustering.summary(), near)


def _readme(summary: Iterable[str], methods: Iterable[str], credits_: Iterable[str]) -> str:
    """Write the text file that explains the folder."""
    files = (
        "map.html                the map, one file, opens without network",
        "sites.geojson           every report; those without a location have a null geometry",
        "by_province.csv         confirmed and suspected by province of Cambodia, and elsewhere",
        "clusters.csv            one row per cluster of reports",
        "distance_to_border.csv  metres to a land border of the report's country, with interval",
    )
    sources = distinct_credits(credits_)
    blocks = (TITLE, *summary, "FILES", "\n".join(files), "METHODS", *methods, "SOURCES", SOURCE)
    text = "\n\n".join(b if "\n" in b else fill(b, 88) for b in (*blocks, *sources, DISCLAIMER))
    return text + "\n"
