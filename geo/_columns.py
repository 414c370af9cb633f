"""The columns of Sites as data: names, meanings, vocabularies, radii, other spellings."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALWAYS",
    "COORDINATES",
    "COUNTRIES",
    "DEFAULT_RADIUS_M",
    "NAMES",
    "PLACE_COLUMNS",
    "SITE_SCHEMA",
    "VOCABULARIES",
    "Column",
]


@dataclass(frozen=True)
class Column:
    """
    One column of the Sites schema.

    Parameters
    ----------
    name : str
        Name in a frame.
    kind : str
        How cells are read: ``id``, ``text``, ``verbatim``, ``word`` (one of `vocabulary`),
        ``words`` (several, joined by a vertical bar), ``country``, ``number``, ``integer``,
        ``date``, ``url`` or ``point``.
    meaning : str
        What a cell says.
    vocabulary : tuple of str
        The words allowed; for ``words`` the words suggested.
    synonyms : tuple of str
        Other names accepted on reading, Darwin Core's among them.
    always : bool
        Whether Sites have the column even when the source does not.
    """

    name: str
    kind: str
    meaning: str
    vocabulary: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    always: bool = False


VOCABULARIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "status": ("confirmed", "suspected", "rejected", "unknown"),
        "operating": ("operating", "closed", "unknown"),
        "state_response": (
            "not_investigated",
            "intervened_still_operating",
            "closed",
            "unclear",
            "unknown",
        ),
        "location_level": (
            "building",
            "compound",
            "street",
            "village",
            "town",
            "commune",
            "district",
            "province",
            "country",
            "none",
        ),
        "location_method": ("measured", "assigned"),
        "sensitivity": ("public", "restricted", "protected"),
        "evidence": (
            "testimony",
            "media",
            "satellite",
            "registry",
            "social",
            "official",
            "visit",
        ),
        "abuses": (
            "slavery",
            "human_trafficking",
            "forced_labour",
            "child_labour",
            "torture",
            "deprivation_of_liberty",
        ),
        "security_features": (
            "walls",
            "barbed_wire",
            "barred_windows",
            "cameras",
            "guards",
            "weapons",
            "single_gate",
            "watchtower",
        ),
        "host_type": ("casino", "hotel", "office", "residential", "special_economic_zone"),
    }
)
"""Words of the coded columns. Those of ``word`` columns are all there are; those of ``words``
columns are suggestions taken from what public reports record."""

DEFAULT_RADIUS_M: Mapping[str, float] = MappingProxyType(
    {
        "building": 30.0,
        "compound": 250.0,
        "street": 500.0,
        "village": 2_000.0,
        "town": 5_000.0,
        "commune": 6_000.0,
        "district": 17_000.0,
        "province": 48_000.0,
    }
)
"""Radius in metres of a place of each ``location_level`` when the source gives none: equal-area
floors for Cambodia. A country has none: it needs a radius of its own."""


def _words(name: str, meaning: str, *synonyms: str, always: bool = True) -> Column:
    """Column with one word of its vocabulary."""
    return Column(name, "word", meaning, VOCABULARIES[name], synonyms, always)


def _lists(name: str, meaning: str, *synonyms: str) -> Column:
    """Column with several words joined by a vertical bar."""
    return Column(name, "words", meaning, VOCABULARIES[name], synonyms)


def _text(name: str, meaning: str, *synonyms: str, kind: str = "text") -> Column:
    """Column that Sites have only when the source gives it."""
    return Column(name, kind, meaning, (), synonyms)


def _main(name: str, kind: str, meaning: str, *synonyms: str) -> Column:
    """Column that Sites always have."""
    return Column(name, kind, meaning, (), synonyms, always=True)


SITE_SCHEMA: tuple[Column, ...] = (
    _main(
        "site_id",
        "id",
        "Unique, stable and opaque; never derived from a coordinate",
        *("id", "report_id", "record_id", "occurrenceID", "locationID"),
    ),
    _main("name", "text", "Name of the site", "site_name", "title"),
    _words("status", "What is claimed; tiers are never summed silently", "site_status"),
    _words("operating", "Whether it operates, as last reported", "operating_status"),
    _words("state_response", "What the state did, as reported", "government_response"),
    _main(
        "country",
        "country",
        "ISO 3166-1 alpha-2 code",
        *("countryCode", "country_name", "iso2", "iso_a2"),
    ),
    _main(
        "admin1",
        "text",
        "Province",
        *(
            "stateProvince",
            "province",
            "province_name",
            "adm1",
            "adm1_name",
            "adm1_en",
            "admin1_name",
        ),
    ),
    _text(
        "admin2",
        "District",
        *("county", "district", "district_name", "adm2", "adm2_name", "adm2_en", "admin2_name"),
    ),
    _text(
        "admin3",
        "Commune",
        *("municipality", "commune", "commune_name", "adm3", "adm3_name", "adm3_en", "admin3_name"),
    ),
    _text("admin1_code", "P-code of the province", "adm1_pcode", "admin1_pcode", "province_code"),
    _text("admin2_code", "P-code of the district", "adm2_pcode", "admin2_pcode", "district_code"),
    _text("admin3_code", "P-code of the commune", "adm3_pcode", "admin3_pcode", "commune_code"),
    _main("locality", "text", "Named place", "town", "city", "village", "place", "place_name"),
    _main(
        "uncertainty_m",
        "number",
        "Radius in metres that holds the true place; required where there is a point",
        *("coordinateUncertaintyInMeters", "uncertainty_meters", "uncertainty_metres"),
        *("radius_m", "accuracy_m"),
    ),
    _words(
        "location_level",
        "Kind of place that the point stands for",
        *("georeferenceLevel", "location_precision"),
    ),
    _words("location_method", "Measured (GPS, imagery) or assigned (gazetteer, centroid)"),
    _text(
        "verbatim_location",
        "Exactly what the source said",
        *("verbatimLocality", "place_desc", "place_description"),
        kind="verbatim",
    ),
    _text("location_note", "How the place was found, or why it was not", "georeferenceRemarks"),
    _words("sensitivity", "How coarse a release must be", always=False),
    _main("first_reported", "date", "ISO 8601, possibly partial", "first_report", "first_seen"),
    _main("last_reported", "date", "ISO 8601, possibly partial", "last_report", "last_seen"),
    _lists("evidence", "Kinds of evidence", "evidence_type", "source_type"),
    _lists("abuses", "Kinds of abuse reported", "abuse_types"),
    _lists("security_features", "What keeps people in"),
    _lists("host_type", "What the place is besides", "site_type", "building_type"),
    _main("source", "text", "Who says so", "source_publisher", "publisher", "source_name"),
    _main("source_url", "url", "Where it can be read", "url", "link", "references", "source_link"),
    _main("source_date", "date", "When it was said", "published", "publication_date"),
    _main("source_file", "text", "File the row came from"),
    _main("source_row", "integer", "Row of that file: the header of a sheet is row 1"),
    Column("geometry", "point", "Point in EPSG:4326, or missing", always=True),
)
"""The columns of Sites in their order."""

COORDINATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "latitude": ("lat", "decimalLatitude"),
        "longitude": ("lon", "lng", "long", "decimalLongitude"),
    }
)
COORDINATE_TEXT = (
    *("coordinate", "coords", "coord", "lat_lon", "lat_lng", "lat_long", "latitude_longitude"),
    *(
        "gps",
        "gps_coordinates",
        "verbatimCoordinates",
        "map_link",
        "google_maps",
        "google_maps_link",
    ),
    *("plus_code", "mgrs", "utm"),
)
PLACE_COLUMNS = ("country", "admin1", "admin2", "admin3", "locality", "verbatim_location")
COUNTRIES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("cambodia", "kampuchea", "kingdomofcambodia", "khm"), "KH"),
        **dict.fromkeys(("laos", "laopdr", "laopeoplesdemocraticrepublic", "lao"), "LA"),
        **dict.fromkeys(("myanmar", "burma", "myanmarburma", "mmr"), "MM"),
        **dict.fromkeys(("thailand", "tha"), "TH"),
        **dict.fromkeys(("vietnam", "socialistrepublicofvietnam", "vnm"), "VN"),
    }
)
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {column.name: column.synonyms for column in SITE_SCHEMA[:-1]}
    | dict(COORDINATES)
    | {"coordinates": COORDINATE_TEXT}
)
ALWAYS = frozenset(column.name for column in SITE_SCHEMA[:-1] if column.always)
