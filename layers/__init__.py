"""Maps, pages and the command line."""

from layers.export import save_html
from layers.features import area_layer, label_layer, line_layer
from layers.figures import plot, save_figure, site_figure
from layers.legend import legend
from layers.maps import SiteMap, site_map
from layers.scales import STATUS_SCALE, Scale, categorical_scale, sequential_scale
from layers.symbols import site_layer, uncertainty_layer

__all__ = [
    "STATUS_SCALE",
    "Scale",
    "SiteMap",
    "area_layer",
    "categorical_scale",
    "label_layer",
    "legend",
    "line_layer",
    "plot",
    "save_figure",
    "save_html",
    "sequential_scale",
    "site_figure",
    "site_layer",
    "site_map",
    "uncertainty_layer",
]
