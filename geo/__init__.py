"""Reported sites as GeoDataFrames: reading, proximity, clustering and areal counts."""

from geo.areal import assign_areas, count_by_area
from geo.clustering import Clustering, cluster_areas, dbscan
from geo.coordinates import Reading, parse_coordinates
from geo.duplicates import find_duplicates, merge_duplicates
from geo.errors import (
    CRSError,
    ExportError,
    GeoError,
    GeometryError,
    GeoWarning,
    NotFoundError,
    ReadError,
    ResolutionWarning,
    SchemaError,
    SensitivityWarning,
)
from geo.examples import example_sites
from geo.gazetteer import find_places
from geo.localities import find_locality
from geo.projection import local_crs, max_scale_error
from geo.proximity import count_within, distance_to, geodesic_distance, nearest
from geo.reading import read_report, read_sites
from geo.reference import load_reference
from geo.schema import DEFAULT_RADIUS_M, SITE_SCHEMA, VOCABULARIES, validate_sites
from geo.writing import write_sites

__all__ = [
    "DEFAULT_RADIUS_M",
    "SITE_SCHEMA",
    "VOCABULARIES",
    "CRSError",
    "Clustering",
    "ExportError",
    "GeoError",
    "GeoWarning",
    "GeometryError",
    "NotFoundError",
    "ReadError",
    "Reading",
    "ResolutionWarning",
    "SchemaError",
    "SensitivityWarning",
    "assign_areas",
    "cluster_areas",
    "count_by_area",
    "count_within",
    "dbscan",
    "distance_to",
    "example_sites",
    "find_duplicates",
    "find_locality",
    "find_places",
    "geodesic_distance",
    "load_reference",
    "local_crs",
    "max_scale_error",
    "merge_duplicates",
    "nearest",
    "parse_coordinates",
    "read_report",
    "read_sites",
    "validate_sites",
    "write_sites",
]
