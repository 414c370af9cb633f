"""
Reports that are known to an area only: drawn as the area, never as a point within it.

A released frame holds points, polygons and missing geometries. `split_released` parts it for a
map: what is known to an area becomes a `region_layer` and a row of the table, and no symbol.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import geo
from geo.errors import GeometryError
from layers._fills import counts_words, filled, length_words, status_counts
from layers._frames import column, in_degrees, require_columns, texts
from layers._words import Phrase, known
from layers.columns import number_column, pack, words_column, words_of
from layers.features import label_layer
from layers.legend import LegendEntry, LegendSection
from layers.scales import STATUS_SCALE
from layers.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.payload import AtlasLayer

__all__ = ["Parts", "displaced_legend", "paper_layers", "region_layer", "split_released"]

# A colour of no status; so faint that the ground and smaller areas are seen through it.
_INK, _HOLLOW, _OPACITY = "#6a3d9a", "none", 0.16
_COUNTRY = "country area"
_NAME = "Reports known to an area only"

_POINTS, _SURFACES = (0,), (3, 6)  # types of geometry
_IN_AREA = r" (?:area|cell)$"
_CELL = re.compile(r"^([\d.]+(?:e\+\d+)?) m cell$")
_RING = re.compile(r"^donut \S+ to ([\d.]+(?:e\+\d+)?) m$")
_NOISE = re.compile(r"^planar Laplace of mean ([\d.]+) m$")
_NOT_MOVED = ("", "exact", "none", "withheld")
_NAMED_BY = {"commune": "admin3", "district": "admin2", "province": "admin1"}
_SPOTS = 3  # of an area, on each side: where its label may stand


class Parts(NamedTuple):
    """
    A released frame, parted for a map.

    Parameters
    ----------
    points : geopandas.GeoDataFrame
        Every row; those known to an area only have no geometry, and their area's words as
        ``locality``.
    regions : geopandas.GeoDataFrame or None
        The rows known to an area only; None where there are none.
    apart : dict of str to int
        How many rows without a point have a reason of their own, by it.
    """

    points: gpd.GeoDataFrame
    regions: gpd.GeoDataFrame | None
    apart: dict[str, int]


def split_released(sites: gpd.GeoDataFrame) -> Parts:
    """
    Part the rows of a released frame that stand at a point from those known to an area only.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, or a released frame; without the column ``release_scheme`` nothing is parted.

    Returns
    -------
    Parts
        The rows for symbols and table, those for areas, and their number.

    Raises
    ------
    GeometryError
        If a row that was released as an area is a point.
    """
    if not isinstance(sites, gpd.GeoDataFrame) or sites.active_geometry_name is None:
        return Parts(sites, None, {})  # the layers say what is wrong
    if "release_scheme" not in sites.columns:
        return Parts(sites, None, {})
    in_area, scheme = _in_area(sites), _schemes(sites)
    withheld = int((scheme == "withheld").sum())
    apart = {"n-in-area": int(in_area.sum()), "n-withheld": withheld}
    apart = {reason: n for reason, n in apart.items() if n}
    if not in_area.any():
        return Parts(sites, None, apart)
    regions = sites[in_area]
    locality = column(sites, "locality").astype(object)
    locality[in_area] = [f"{name} ({kind})" if name else kind for name, kind in _named(regions)]
    points = sites.assign(locality=locality)
    return Parts(points.set_geometry(sites.geometry.mask(in_area)), regions, apart)


def region_layer(released: gpd.GeoDataFrame, *, name: str = _NAME, show: bool = True) -> AtlasLayer:
    """
    Draw the areas of a release that reports are known to lie in.

    Parameters
    ----------
    released : geopandas.GeoDataFrame
        A released frame, as from `geo.generalise`. Its points and its rows without a geometry
        are not drawn.
    name : str
        Name in layer controls.
    show : bool, default True
        Whether the layer is drawn when the map opens.

    Returns
    -------
    AtlasLayer
        One area for each distinct polygon, the largest lowest, with its reports by status in
        words. Whole countries are outlines, so that they do not cover what lies within.

    Raises
    ------
    CRSError
        If `released` has no coordinate reference system.
    GeometryError
        If a geometry is neither point nor polygon, or a row released as an area is a point.
    SchemaError
        If there is no column ``release_scheme``.
    TypeError
        If `released` is not a GeoDataFrame.

    Examples
    --------
    >>> import geo
    >>> from layers.regions import region_layer
    >>> sites = geo.example_sites()
    >>> released = geo.generalise(sites[sites["status"] == "suspected"], level="province")
    >>> layer = region_layer(released)
    >>> layer.payload["labels"][-1].split(". ")[0]
    'Preah Sihanouk, province: 9 suspected'
    """
    areas = _areas(released)
    entries = _entries(areas)
    layer = filled(
        [area.shape for area in areas],
        [_words(area) for area in areas],
        [_HOLLOW if area.kind == _COUNTRY else _INK for area in areas],
        name=name,
        legend=LegendSection(plain(name), tuple(entries.values()), opacity=_OPACITY),
        style="cluster",
        attribution=released.attrs.get("attribution", ""),
        show=show,
    )
    layer.payload |= _rows(areas) | {"keys": [list(entries).index(area.kind) for area in areas]}
    return layer


def paper_layers(regions: gpd.GeoDataFrame | None) -> tuple[AtlasLayer, ...]:
    """
    Draw the areas of a release for a sheet of paper, which cannot be pointed at.

    Parameters
    ----------
    regions : geopandas.GeoDataFrame or None
        From `split_released`.

    Returns
    -------
    tuple of AtlasLayer
        Tints, outlines, and the reports by status in words, which have some spots of each area
        to choose from; none where there are no regions.
    """
    if regions is None:
        return ()
    tint, outlines = region_layer(regions), region_layer(regions)
    seen_through = f"{_INK}{round(255 * _OPACITY):02x}"
    tint.payload["fills"] = [c.replace(_INK, seen_through) for c in tint.payload["fills"]]
    outlines.payload["fills"] = []
    rows = [
        # a look for each area: names of one look that read the same would be written once
        {"name": counts_words(area.counts), "style": f"area {number}", "geometry": at}
        for number, area in enumerate(reversed(_areas(regions)))
        if area.kind != _COUNTRY  # its number would seem to belong to what is near
        for at in _spots(area.shape)
    ]
    columns = ["name", "style", "geometry"]
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs=4326)
    return tint, outlines, label_layer(frame, name="Reports by area")


def displaced_legend(sites: gpd.GeoDataFrame) -> tuple[LegendSection, ...]:
    """
    Say which symbols do not stand where their reports are, and why.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Sites, or a released frame.

    Returns
    -------
    tuple of LegendSection
        One section, with a line for each way of displacing; none where nothing was displaced.
    """
    if "release_scheme" not in sites.columns:
        return ()
    scheme = _schemes(sites)
    moved = sites.geometry.notna() & ~scheme.isin(_NOT_MOVED) & ~scheme.str.contains(_IN_AREA)
    if not moved.any():
        return ()
    names, group = np.unique(scheme[moved].to_numpy(dtype=str), return_inverse=True)
    counts = status_counts(_status(sites)[moved.to_numpy()], group, len(names))
    entries = tuple(
        LegendEntry(_moved(name), STATUS_SCALE.colours[0], "disc", note=counts_words(row))
        for name, row in zip(names.tolist(), counts.tolist(), strict=True)
    )
    return (LegendSection("Displaced places", entries),)


# ------------------------------------------------------------------------- rows and areas


class _Area(NamedTuple):
    """A distinct polygon: what it is called, its kind, its reports by status, and their ids."""

    shape: shapely.Geometry
    name: str
    kind: str
    counts: list[int]
    ids: list[str]


def _areas(released: gpd.GeoDataFrame) -> list[_Area]:
    """Gather the rows that share a polygon, the largest first."""
    frame = in_degrees(released, "Point", "Polygon", "MultiPolygon", argument="released")
    require_columns(frame, ("release_scheme",), "released")
    frame = frame[_in_area(frame)]
    shapes = shapely.normalize(frame.geometry.to_numpy())
    outlines, first, group = np.unique(
        shapely.to_wkb(shapes, hex=True).astype(str), return_index=True, return_inverse=True
    )
    counts = status_counts(_status(frame), group, len(outlines)).tolist()
    # rows that share a polygon but differ in its name: one of them, whatever their order
    names: dict[int, tuple[str, str]] = {}
    ids: dict[int, list[str]] = {}
    rows = zip(group.tolist(), _named(frame), texts(frame, "site_id"), strict=True)
    for number, named, site_id in rows:
        names[number] = min(named, names.get(number, named))
        ids.setdefault(number, []).append(site_id)
    order = np.lexsort((outlines, -_size(shapes[first])))
    return [_Area(shapes[first[i]], *names[i], counts[i], ids[i]) for i in order.tolist()]


def _rows(areas: Sequence[_Area]) -> dict[str, Any]:
    """Tell the page in which area each report lies; of reports without an id of their own, not."""
    pairs = sorted((site_id, number) for number, a in enumerate(areas) for site_id in a.ids)
    ids = [site_id for site_id, _ in pairs]
    if not all(ids) or len(set(ids)) < len(ids):
        return {}
    columns = {
        "site_id": words_column(words_of(pd.Series(ids, dtype=object))),
        "area": number_column(np.array([number for _, number in pairs], dtype=float)),
    }
    return {"rows": pack(columns)}


def _schemes(frame: gpd.GeoDataFrame) -> pd.Series:
    """Return how each row was released, empty where nothing is said."""
    codes, schemes = pd.factorize(column(frame, "release_scheme").astype(object))
    words = np.array([*map(plain, schemes), ""], dtype=object)  # the last is of code -1: missing
    return pd.Series(words[codes], index=frame.index, dtype="str")


def _status(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Return what is claimed of each row."""
    found: np.ndarray = column(frame, "status").astype(object).fillna("unknown").to_numpy()
    return found


def _in_area(frame: gpd.GeoDataFrame) -> np.ndarray:
    """Tell which rows are polygons released as areas; a point among those is refused."""
    scheme = _schemes(frame).str.contains(_IN_AREA).to_numpy(dtype=bool)
    shapes = frame.geometry.to_numpy()
    kind = np.where(shapely.is_empty(shapes), -1, shapely.get_type_id(shapes))
    pins = scheme & np.isin(kind, _POINTS)
    if pins.any():
        message = (
            f"{int(pins.sum())} of {len(frame)} rows were released as areas, but are points: a "
            "point within an area says that the place is there. Give the polygons, as "
            "`geo.generalise` returns them"
        )
        rows = pd.DataFrame({"row": frame.index[pins], "problem": "a point in place of an area"})
        raise GeometryError(message, rows)
    in_area: np.ndarray = scheme & np.isin(kind, _SURFACES)
    return in_area


def _size(shapes: np.ndarray) -> np.ndarray:
    """Measure areas on the sphere, to put them in an order."""

    def flat(lonlat: np.ndarray) -> np.ndarray:
        return np.column_stack([np.radians(lonlat[:, 0]), np.sin(np.radians(lonlat[:, 1]))])

    sizes: np.ndarray = shapely.area(shapely.transform(shapes, flat))
    return sizes


def _spots(shape: shapely.Geometry) -> list[shapely.Point]:
    """Give some points of an area, the one with most room around it first."""
    west, south, east, north = shape.bounds
    x, y = np.linspace(west, east, _SPOTS + 1), np.linspace(south, north, _SPOTS + 1)
    pieces = [
        shapely.clip_by_rect(shape, x[i], y[j], x[i + 1], y[j + 1])
        for i in range(_SPOTS)
        for j in range(_SPOTS)
    ]
    pieces = sorted((p for p in pieces if p.area > 0), key=lambda piece: -piece.area)
    return [shapely.point_on_surface(piece) for piece in (shape, *pieces)]


# ---------------------------------------------------------------------------------- words


def _named(frame: gpd.GeoDataFrame) -> list[tuple[str, str]]:
    """Return the name of each row's area, empty where it has none, and its kind."""
    kinds = [_kind(scheme) for scheme in _schemes(frame)]
    known = {level: texts(frame, name) for level, name in _NAMED_BY.items()}
    known["country"] = _countries(frame)
    return [
        (known[level][row] if (level := kind.removesuffix(" area")) in known else "", kind)
        for row, kind in enumerate(kinds)
    ]


def _countries(frame: gpd.GeoDataFrame) -> list[str]:
    """Return the name of each row's country, its code where no name is shipped."""
    codes = texts(frame, "country")
    if not any(codes):
        return codes
    shipped = geo.load_reference("countries")
    names: dict[Any, Any] = dict(zip(shipped["country"], shipped["name"], strict=True))
    return [plain(names.get(code, code)) for code in codes]


def _kind(scheme: str) -> str:
    """Return a way of releasing as readers say it: "district area", "5 km cell"."""
    cell = _CELL.match(scheme)
    return Phrase("region-cell", width=length_words(float(cell[1]))) if cell else scheme


def _level(kind: str) -> str:
    """Return what an area is of its kind: "province", "5 km cell"."""
    return kind if isinstance(kind, Phrase) else known(kind.removesuffix(" area"))


def _words(area: _Area) -> str:
    """Write what an area is, its reports, and that it is no place."""
    level = title = _level(area.kind)
    if area.name:
        title = Phrase("both", a=area.name, b=level)
    elif not isinstance(area.kind, Phrase):
        title = Phrase("region-unnamed", kind=level)
    where = Phrase("region-where", n=sum(area.counts))
    return Phrase("region-words", title=title, counts=counts_words(area.counts), where=where)


def _entries(areas: Sequence[_Area]) -> dict[str, LegendEntry]:
    """Count the reports of each level by status, the finest level first."""
    entries = {}
    for kind in reversed(dict.fromkeys(area.kind for area in areas)):
        counts = np.sum([area.counts for area in areas if area.kind == kind], axis=0).tolist()
        hollow = kind == _COUNTRY
        entries[kind] = LegendEntry(
            Phrase("region-key-outlined" if hollow else "region-key", kind=_level(kind)),
            _HOLLOW if hollow else _INK,
            "square",
            note=counts_words(counts),
            dashed=True,
            opacity=_OPACITY,
        )
    return entries


def _moved(scheme: str) -> str:
    """Say how far symbols stand from their places, and why."""
    if ring := _RING.match(scheme):
        return f"displaced by up to {length_words(float(ring[1]))} to protect the place"
    if noise := _NOISE.match(scheme):
        return f"displaced by {length_words(float(noise[1]))} on average to protect the place"
    return f"displaced ({scheme}) to protect the place"
