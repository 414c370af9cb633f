"""Reported sites as GeoDataFrames: reading, proximity, clustering and areal counts."""

from geo import _faces
from geo._functions import SummaryFunction
from geo._stability import ClusterStability
from geo.aggregation import ClarkEvans, clark_evans
from geo.areal import assign_areas, count_by_area
from geo.baselines import ProximityTest, proximity_test
from geo.bias import leave_one_out, reports_per_effort
from geo.casecontrol import bias_ledger, case_control, ledger_sentences
from geo.centrography import (
    Center,
    StandardDeviationalEllipse,
    StandardDistance,
    mean_center,
    median_center,
    standard_deviational_ellipse,
    standard_distance,
)
from geo.claims import Share, by_month, share
from geo.clustering import Clustering, cluster_areas, dbscan, hdbscan, optics
from geo.coordinates import Reading, parse_coordinates
from geo.density import (
    BandwidthSelection,
    DensitySurface,
    RelativeRisk,
    density_at_sites,
    kernel_density,
    relative_risk,
    select_bandwidth,
)
from geo.disclosure import DisclosureRisk, disclosure_risk
from geo.duplicates import find_duplicates, merge_duplicates
from geo.envelopes import EnvelopeTest, envelope_test
from geo.errors import (
    CoincidentPointsWarning,
    CRSError,
    ExportError,
    GeoError,
    GeometryError,
    GeoWarning,
    HostWarning,
    NotFoundError,
    PublishRefused,
    ReadError,
    ResolutionWarning,
    SchemaError,
    SensitivityWarning,
    WindowWarning,
)
from geo.examples import example_sites
from geo.gazetteer import find_places
from geo.localities import find_locality
from geo.marks import mark_correlation
from geo.masking import RELEASED_COLUMNS, donut_mask, generalise, laplace_mask
from geo.nullmodels import (
    NullModel,
    csr,
    inhomogeneous_poisson,
    random_labelling,
    random_shift,
)
from geo.pattern import pair_correlation, ripley_k, ripley_l
from geo.processes import matern_hardcore, thomas
from geo.projection import local_crs, max_scale_error
from geo.provenance import Provenance, provenance
from geo.proximity import distance_matrix, distance_to, geodesic_distance, nearest
from geo.public import CITATION_COLUMNS, public_view
from geo.quadrats import QuadratTest, quadrat_test
from geo.reach import count_within, distance_bands, pairs_within, within_distance
from geo.reading import read_report, read_sites
from geo.reference import load_reference
from geo.registry import ReleaseRegistry, load_key
from geo.schema import DEFAULT_RADIUS_M, SITE_SCHEMA, VOCABULARIES, validate_sites
from geo.spacing import (
    empty_space_f,
    j_function,
    nearest_neighbor_g,
)
from geo.uncertainty import Propagated, propagate, realisations
from geo.windows import study_window
from geo.within import WithinDistance, admin_fractions, probability_within
from geo.wording import check_words
from geo.writing import write_sites

__all__ = [
    "CITATION_COLUMNS",
    "DEFAULT_RADIUS_M",
    "RELEASED_COLUMNS",
    "SITE_SCHEMA",
    "VOCABULARIES",
    "BandwidthSelection",
    "CRSError",
    "Center",
    "ClarkEvans",
    "ClusterStability",
    "Clustering",
    "CoincidentPointsWarning",
    "DensitySurface",
    "DisclosureRisk",
    "EnvelopeTest",
    "ExportError",
    "GeoError",
    "GeoWarning",
    "GeometryError",
    "HostWarning",
    "NotFoundError",
    "NullModel",
    "Propagated",
    "Provenance",
    "ProximityTest",
    "PublishRefused",
    "QuadratTest",
    "ReadError",
    "Reading",
    "RelativeRisk",
    "ReleaseRegistry",
    "ResolutionWarning",
    "SchemaError",
    "SensitivityWarning",
    "Share",
    "StandardDeviationalEllipse",
    "StandardDistance",
    "SummaryFunction",
    "WindowWarning",
    "WithinDistance",
    "admin_fractions",
    "assign_areas",
    "bias_ledger",
    "by_month",
    "case_control",
    "check_words",
    "clark_evans",
    "cluster_areas",
    "count_by_area",
    "count_within",
    "csr",
    "dbscan",
    "density_at_sites",
    "disclosure_risk",
    "distance_bands",
    "distance_matrix",
    "distance_to",
    "donut_mask",
    "empty_space_f",
    "envelope_test",
    "example_sites",
    "find_duplicates",
    "find_locality",
    "find_places",
    "generalise",
    "geodesic_distance",
    "hdbscan",
    "inhomogeneous_poisson",
    "j_function",
    "kernel_density",
    "laplace_mask",
    "leave_one_out",
    "ledger_sentences",
    "load_key",
    "load_reference",
    "local_crs",
    "mark_correlation",
    "matern_hardcore",
    "max_scale_error",
    "mean_center",
    "median_center",
    "merge_duplicates",
    "nearest",
    "nearest_neighbor_g",
    "optics",
    "pair_correlation",
    "pairs_within",
    "parse_coordinates",
    "probability_within",
    "propagate",
    "provenance",
    "proximity_test",
    "public_view",
    "quadrat_test",
    "random_labelling",
    "random_shift",
    "read_report",
    "read_sites",
    "realisations",
    "relative_risk",
    "reports_per_effort",
    "ripley_k",
    "ripley_l",
    "select_bandwidth",
    "share",
    "standard_deviational_ellipse",
    "standard_distance",
    "study_window",
    "thomas",
    "validate_sites",
    "within_distance",
    "write_sites",
]

_faces.register()
