"""Reported sites as GeoDataFrames: reading, proximity, clustering and areal counts."""

from geo.areal import assign_areas, count_by_area
from geo.baselines import ProximityTest, proximity_test
from geo.clustering import Clustering, cluster_areas, dbscan, hdbscan, optics
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
from geo.proximity import distance_matrix, distance_to, geodesic_distance, nearest
from geo.reach import count_within, distance_bands, pairs_within, within_distance
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
    "ProximityTest",
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
    "distance_bands",
    "distance_matrix",
    "distance_to",
    "example_sites",
    "find_duplicates",
    "find_locality",
    "find_places",
    "geodesic_distance",
    "hdbscan",
    "load_reference",
    "local_crs",
    "max_scale_error",
    "merge_duplicates",
    "nearest",
    "optics",
    "pairs_within",
    "parse_coordinates",
    "proximity_test",
    "read_report",
    "read_sites",
    "validate_sites",
    "within_distance",
    "write_sites",
]
