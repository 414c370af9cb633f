"""Placemarks of KML and KMZ: every folder, nothing fetched, no entity expanded."""

from __future__ import annotations

import itertools
import math
import warnings
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import shapely

from geo._archives import open_archive
from geo._keeping import KEY
from geo.errors import GeoWarning, NotFoundError, ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_kml", "read_kmz"]

_FOLDERS = {"kml", "Document", "Folder"}
_GEOMETRIES = {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Model", "Track"}
_GEOMETRIES |= {"MultiTrack"}
# Styling and viewing say nothing about the site.
_IGNORED = {"Style", "StyleMap", "styleUrl", "visibility", "open", "LookAt", "Camera", "Region"}
_IGNORED |= {"Snippet", "snippet", "balloonVisibility", "ExtendedData"} | _GEOMETRIES
_RESERVED = {"", "geometry"}
_MIN_RING = 4


class _Builder(ET.TreeBuilder):
    """Tree builder that refuses document types, with which entity bombs begin."""

    def doctype(self, name: str, _public: str | None, _system: str | None) -> None:
        message = f"it declares a document type ({name}), which no KML needs"
        raise ValueError(message)


def _local(element: ET.Element) -> str:
    """Tag without namespace: KML has had several."""
    return str(element.tag).rpartition("}")[2]


def _children(element: ET.Element, *tags: str) -> list[ET.Element]:
    """Children with one of these local names."""
    return [child for child in element if _local(child) in tags]


def _text(element: ET.Element, tag: str) -> str | None:
    """Text of the first child of this name."""
    for child in _children(element, tag):
        return "".join(child.itertext())
    return None


def _placemarks(root: ET.Element) -> Iterator[tuple[ET.Element, tuple[str, ...]]]:
    """Every placemark in the order of the file, with the names of the folders around it."""
    stack: list[tuple[ET.Element, tuple[str, ...]]] = [(root, ())]
    while stack:
        element, path = stack.pop()
        tag = _local(element)
        if tag == "Placemark":
            yield element, path
        elif tag != "NetworkLinkControl":
            name = (_text(element, "name") or "").strip() if tag == "Folder" else ""
            inside = (*path, name) if name else path
            stack += [(child, inside) for child in reversed(element)]


def _coordinates(element: ET.Element) -> list[tuple[float, float]]:
    """Longitudes and latitudes of a geometry; heights are left off."""
    text = _text(element, "coordinates")
    tuples = [part.split(",") for part in (text or "").split()]
    if any(len(part) not in (2, 3) for part in tuples):
        message = f"coordinates are longitude,latitude[,height], not {(text or '').strip()[:60]!r}"
        raise ValueError(message)
    places = [(float(longitude), float(latitude)) for longitude, latitude, *_ in tuples]
    if not all(math.isfinite(number) for place in places for number in place):
        message = f"coordinates are finite numbers, not {(text or '').strip()[:60]!r}"
        raise ValueError(message)
    return places


def _geometry(element: ET.Element) -> Any:  # noqa: ANN401 - shapely is untyped
    """Shape of a KML geometry element, None where it has no coordinates."""
    tag = _local(element)
    if tag in ("MultiGeometry", "MultiTrack"):
        parts = [_geometry(child) for child in element if _local(child) in _GEOMETRIES]
        parts = [part for part in parts if part is not None]
        return shapely.GeometryCollection(parts) if len(parts) > 1 else next(iter(parts), None)
    if tag == "Polygon":
        outer = [
            r for b in _children(element, "outerBoundaryIs") for r in b if _local(r) == "LinearRing"
        ]
        places = _coordinates(outer[0]) if outer else []
        return shapely.Polygon(places) if len(places) >= _MIN_RING else None
    if tag == "Track":
        words = [("".join(c.itertext())).split()[:2] for c in _children(element, "coord")]
        places = [(float(longitude), float(latitude)) for longitude, latitude in words]
    elif tag == "Model":
        at = _children(element, "Location")
        texts = [(_text(e, "longitude"), _text(e, "latitude")) for e in at]
        places = [(float(x or "nan"), float(y or "nan")) for x, y in texts]
    else:
        places = _coordinates(element)
    if not places:
        return None
    if len(places) == 1:
        return shapely.Point(places[0])
    return shapely.MultiPoint(places) if tag == "Point" else shapely.LineString(places)


def _extended(placemark: ET.Element) -> Iterator[tuple[str, str | None]]:
    """Names and values of the extended data."""
    for data in _children(placemark, "ExtendedData"):
        for element in data.iter():
            tag = _local(element)
            if tag == "Data":
                yield element.get("name", ""), _text(element, "value")
            elif tag == "SimpleData":
                yield element.get("name", ""), "".join(element.itertext())


def _properties(placemark: ET.Element) -> Iterator[tuple[str, str | None]]:
    """Names and values of what a placemark says."""
    yield "kml_id", placemark.get("id")
    for child in placemark:
        tag = _local(child)
        if tag in ("TimeStamp", "TimeSpan"):
            yield from ((_local(part), "".join(part.itertext())) for part in child)
        elif tag not in _IGNORED:
            yield tag, "".join(child.itertext())
    yield from _extended(placemark)


def _kept(root: ET.Element) -> str | None:
    """Text that `write_sites` put beside the placemarks."""
    for document in _children(root, "Document"):
        for label, value in _extended(document):
            if label == KEY:
                return value
    return None


def _fields(root: ET.Element) -> list[str]:
    """Names of the fields that the document declares."""
    schemas = [s for document in _children(root, "Document") for s in _children(document, "Schema")]
    return [field.get("name", "") for s in schemas for field in _children(s, "SimpleField")]


def _free_name(record: dict[str, str], label: str, value: str) -> str:
    """Name under which a value does not overwrite another."""
    # My Maps repeats the name and the description as extended data under the same names.
    names = itertools.chain([label], (f"{label}_{n}" for n in itertools.count(2)))
    return next(n for n in names if record.get(n, value) == value and n not in _RESERVED)


def _record(
    placemark: ET.Element, folder: str, number: int, name: str, *, blank: bool
) -> tuple[dict[str, str], Any]:
    """Columns and shape of one placemark; blank text is there only where it is meant."""
    record = {"layer": folder} if folder else {}
    for label, value in _properties(placemark):
        if value is None or not (blank or value.strip()):
            continue
        record[_free_name(record, label, value)] = value
    try:
        shapes = [_geometry(child) for child in placemark if _local(child) in _GEOMETRIES]
    except (ValueError, shapely.errors.ShapelyError) as error:
        message = f"Placemark {number} of {name} has no readable geometry: {error}."
        raise ReadError(message) from error
    if len(shapes) > 1:
        message = f"Placemark {number} of {name} has {len(shapes)} geometries; it may have one."
        raise ReadError(message)
    return record, shapes[0] if shapes else None


def _parse(data: bytes, name: str) -> ET.Element:
    """Root of a KML document."""
    try:
        parser = ET.XMLParser(target=_Builder())  # noqa: S314 - document types are refused
        parser.feed(data)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError, RecursionError) as error:
        message = f"{name} cannot be read as KML: {error}. Export the data again."
        raise ReadError(message) from error
    if _local(root) not in _FOLDERS:
        message = f"{name} is XML, but not KML: its root is {_local(root)!r}."
        raise ReadError(message)
    return root


def read_kml(data: bytes, name: str, layer: str | None) -> gpd.GeoDataFrame:
    """
    Placemarks of all folders, or of one, with the folder's name in ``layer``.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for errors.
    layer : str or None
        Name of a folder, or of nested folders joined by " / ".

    Returns
    -------
    geopandas.GeoDataFrame
        One row per placemark, indexed by its number in the file.

    Raises
    ------
    ReadError
        If it is no KML, declares a document type, or holds no placemark.
    NotFoundError
        If there is no folder of this name.
    """
    root = _parse(data, name)
    links = sum(_local(element) == "NetworkLink" for element in root.iter())
    found = list(_placemarks(root))
    if not found:
        message = f"{name} has no placemarks."
        if links:
            message = (
                f"{name} is only a link to a map elsewhere, which is never followed: it holds no "
                "places itself. Export the data: in Google My Maps choose 'Export to KML/KMZ' "
                "and leave 'Keep data up to date with network link KML' unticked."
            )
        raise ReadError(message)
    if links:
        message = f"{name} also links to {links} other file(s), which were not followed or read."
        warnings.warn(message, GeoWarning, stacklevel=4)
    kept = _kept(root)
    records, shapes, rows = [], [], []
    for number, (placemark, path) in enumerate(found, start=1):
        folder = " / ".join(path)
        if layer is not None and layer != folder and layer not in path:
            continue
        record, shape = _record(placemark, folder, number, name, blank=kept is not None)
        records.append(record)
        shapes.append(shape)
        rows.append(number)
    if not rows:
        folders = sorted({" / ".join(path) for _, path in found if path})
        message = (
            f"{name} has no folder {layer!r}; it has {', '.join(map(repr, folders)) or 'none'}."
        )
        raise NotFoundError(message)
    frame = pd.DataFrame(records, index=rows, dtype="string")
    if kept is not None:  # a column of which no placemark has a value is a column all the same
        labels = [*_fields(root), *frame.columns, "name"]
        frame = frame.reindex(columns=list(dict.fromkeys(labels)))
    sites = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, index=rows, crs="EPSG:4326"))
    sites.attrs = {KEY: kept}
    return sites


def read_kmz(data: bytes, name: str, layer: str | None) -> gpd.GeoDataFrame:
    """
    Placemarks of the KML in a KMZ archive.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name, for errors.
    layer : str or None
        As for `read_kml`.

    Returns
    -------
    geopandas.GeoDataFrame
        As for `read_kml`.

    Raises
    ------
    ReadError
        If it is damaged, unpacks to too much, or it is unclear which KML in it is the map.
    """
    with open_archive(data, name) as archive:
        members = [m for m in archive.namelist() if m.casefold().endswith(".kml")]
        main = [m for m in members if m.casefold() == "doc.kml"]
        if len(members) != 1 and len(main) != 1:
            message = (
                f"{name} holds {len(members)} KML files{': ' if members else ''}"
                f"{', '.join(members)}; one is needed, or one called doc.kml. Unpack it and read "
                "the files one by one."
            )
            raise ReadError(message)
        content = archive.read((main or members)[0])
    if len(members) > 1:
        others = ", ".join(sorted(set(members) - set(main)))
        message = f"Of {name} only doc.kml was read; left out {others}."
        warnings.warn(message, GeoWarning, stacklevel=4)
    return read_kml(content, name, layer)
