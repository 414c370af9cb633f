"""Maps, pages and the command line."""

from layers.changes import CHANGE_SCALE, change_layer
from layers.comparing import ReleaseComparison, compare_releases
from layers.export import save_html
from layers.features import area_layer, label_layer, line_layer
from layers.figures import plot, save_figure, site_figure
from layers.legend import legend
from layers.maps import SiteMap, site_map
from layers.regions import region_layer
from layers.release import Release, publish, publish_data
from layers.risks import risk_layer, tolerance_layer
from layers.rules import ReleasePolicy
from layers.scales import (
    STATUS_SCALE,
    Scale,
    categorical_scale,
    diverging_scale,
    sequential_scale,
)
from layers.scanner import scan
from layers.surfaces import density_layer, hex_layer
from layers.surroundings import cluster_layer, distance_layer, nearest_layer
from layers.symbols import site_layer, uncertainty_layer

__all__ = [
    "CHANGE_SCALE",
    "STATUS_SCALE",
    "Release",
    "ReleaseComparison",
    "ReleasePolicy",
    "Scale",
    "SiteMap",
    "area_layer",
    "categorical_scale",
    "change_layer",
    "cluster_layer",
    "compare_releases",
    "density_layer",
    "distance_layer",
    "diverging_scale",
    "hex_layer",
    "label_layer",
    "legend",
    "line_layer",
    "nearest_layer",
    "plot",
    "publish",
    "publish_data",
    "region_layer",
    "risk_layer",
    "save_figure",
    "save_html",
    "scan",
    "sequential_scale",
    "site_figure",
    "site_layer",
    "site_map",
    "tolerance_layer",
    "uncertainty_layer",
]
