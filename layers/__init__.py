"""Maps, pages and the command line."""

from layers.export import save_html
from layers.features import area_layer, label_layer, line_layer
from layers.figures import plot, save_figure, site_figure
from layers.legend import legend
from layers.maps import SiteMap, site_map
from layers.risks import risk_layer, tolerance_layer
from layers.scales import (
    STATUS_SCALE,
    Scale,
    categorical_scale,
    diverging_scale,
    sequential_scale,
)
from layers.surfaces import density_layer, hex_layer
from layers.surroundings import cluster_layer, distance_layer, nearest_layer
from layers.symbols import site_layer, uncertainty_layer

__all__ = [
    "STATUS_SCALE",
    "Scale",
    "SiteMap",
    "area_layer",
    "categorical_scale",
    "cluster_layer",
    "density_layer",
    "distance_layer",
    "diverging_scale",
    "hex_layer",
    "label_layer",
    "legend",
    "line_layer",
    "nearest_layer",
    "plot",
    "risk_layer",
    "save_figure",
    "save_html",
    "sequential_scale",
    "site_figure",
    "site_layer",
    "site_map",
    "tolerance_layer",
    "uncertainty_layer",
]
