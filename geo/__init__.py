"""Reported sites as GeoDataFrames: reading, proximity, clustering and areal counts."""

from geo.areal import assign_areas, count_by_area
from geo.baselines import ProximityTest, proximity_test
from geo.clustering import Clustering, cluster_areas, dbscan, hdbscan, optics
from geo.coordinates import Reading, parse_coordinates
from geo.duplicates import find_duplicates, merge_duplicates
from geo.envelopes import EnvelopeTest, envelope_test
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
from geo.nullmodels import (
    NullModel,
    csr,
    inhomogeneous_poisson,
    matern_hardcore,
    random_labelling,
    thomas,
)
from geo.pattern import pair_correlation, ripley_k, ripley_l
from geo.projection import local_crs, max_scale_error
from geo.proximity import distance_matrix, distance_to, geodesic_distance, nearest
from geo.quadrats import QuadratTest, quadrat_test
from geo.reach import count_within, distance_bands, pairs_within, within_distance
from geo.reading import read_report, read_sites
from geo.reference import load_reference
from geo.schema import DEFAULT_RADIUS_M, SITE_SCHEMA, VOCABULARIES, validate_sites
from geo.spacing import (
    ClarkEvans,
    clark_evans,
    empty_space_f,
    j_function,
    nearest_neighbor_g,
)
from geo.writing import write_sites

__all__ = [
    "DEFAULT_RADIUS_M",
    "SITE_SCHEMA",
    "VOCABULARIES",
    "CRSError",
    "ClarkEvans",
    "Clustering",
    "EnvelopeTest",
    "ExportError",
    "GeoError",
    "GeoWarning",
    "GeometryError",
    "NotFoundError",
    "NullModel",
    "ProximityTest",
    "QuadratTest",
    "ReadError",
    "Reading",
    "ResolutionWarning",
    "SchemaError",
    "SensitivityWarning",
    "assign_areas",
    "clark_evans",
    "cluster_areas",
    "count_by_area",
    "count_within",
    "csr",
    "dbscan",
    "distance_bands",
    "distance_matrix",
    "distance_to",
    "empty_space_f",
    "envelope_test",
    "example_sites",
    "find_duplicates",
    "find_locality",
    "find_places",
    "geodesic_distance",
    "hdbscan",
    "inhomogeneous_poisson",
    "j_function",
    "load_reference",
    "local_crs",
    "matern_hardcore",
    "max_scale_error",
    "merge_duplicates",
    "nearest",
    "nearest_neighbor_g",
    "optics",
    "pair_correlation",
    "pairs_within",
    "parse_coordinates",
    "proximity_test",
    "quadrat_test",
    "random_labelling",
    "read_report",
    "read_sites",
    "ripley_k",
    "ripley_l",
    "thomas",
    "validate_sites",
    "within_distance",
    "write_sites",
]
