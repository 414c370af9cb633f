"""What each site was released as, so that no second release narrows down the first.

An area and a ring, or a district and a hexagon, each protect a place; together they leave only
where they overlap. A `ReleaseRegistry` remembers what was released and refuses that.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._generalising import discs
from geo._keys import checked_key, outside_projects, read_key
from geo._ledger import Entry, locked, read_ledger, write_ledger
from geo._releasing import identifiers
from geo.errors import ExportError, GeometryError
from geo.projection import to_degrees

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from geo._ledger import Ledger

__all__ = ["ReleaseRegistry", "load_key"]

_SAME_DEG = 1.5e-5  # the last of 5 decimals may be rounded otherwise elsewhere
_SLIVER = 1e-6  # of an area, by which outlines differ when they are written and read
_POINT = 0


def load_key(path: str | os.PathLike[str]) -> bytes:
    """
    Read the key of random masks from a file outside of every project.

    Parameters
    ----------
    path : path-like
        At least 32 random bytes, or their hexadecimal digits. Made once, with
        ``Path(...).write_bytes(secrets.token_bytes(32))``, and kept: another key would displace
        every site anew, and the two releases could be averaged.

    Returns
    -------
    bytes
        The key.

    Raises
    ------
    ExportError
        If a folder above the file holds ``.git``, ``.hg``, ``.svn``, ``pyproject.toml`` or
        ``setup.py``: what lies in a project is shared with it.
    NotFoundError
        If there is no such file.
    ReadError
        If the file cannot be read, or is short, text, or repeats itself.

    Examples
    --------
    >>> import geo, secrets
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "masks.key")
    ...     n = file.write_bytes(secrets.token_bytes(32))
    ...     len(geo.load_key(file))
    32
    """
    return read_key(path)


class ReleaseRegistry:
    """
    What each site was released as, in a file outside of every project.

    A site that was released may be released again as the same, or as an area that contains what
    was released before. Anything else is refused, for the place is known to lie in both.

    Parameters
    ----------
    path : path-like
        The file. It is made by the first `record`, and readable for its owner only.
    key : bytes, optional
        The key of the masks. With it the file is sealed, so that another key, or a change by
        hand, is noticed; a registry that was once opened with a key needs it from then on.

    Raises
    ------
    ExportError
        If the file lies within a project tree.
    ReadError
        If the file is something else, damaged, or sealed with another key.
    TypeError
        If the key is no bytes.
    ValueError
        If the key is short, text or repeats itself.

    Notes
    -----
    The file holds released geometries and ids, never the places of sites. It is private all the
    same: it links releases. Sites without a geometry in a release are not recorded.

    What a registry cannot know: releases that were not recorded, and one place under two ids.

    Examples
    --------
    >>> import geo
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> table = pd.DataFrame({"lat": [12.85], "lon": [104.55], "radius_m": [500], "country": "KH"})
    >>> sites = geo.validate_sites(table)
    >>> with TemporaryDirectory() as folder:
    ...     registry = geo.ReleaseRegistry(Path(folder, "releases.json"))
    ...     registry.record(geo.generalise(sites), release="2026-01")
    ...     registry.record(geo.generalise(sites, level="province"), release="2026-02")
    ...     registry.to_frame()[["site_id", "release", "scheme"]]
        site_id  release         scheme
    0  row-0001  2026-01  district area
    1  row-0001  2026-02  province area
    """

    def __init__(self, path: str | os.PathLike[str], *, key: bytes | None = None) -> None:
        self._path = Path(path)
        self._key = None if key is None else checked_key(key)
        outside_projects(self._path, "The registry")
        read_ledger(self._path, self._key)

    def check(self, released: gpd.GeoDataFrame) -> None:
        """
        Refuse a release that narrows down an earlier one; write nothing.

        Parameters
        ----------
        released : geopandas.GeoDataFrame
            Points or polygons with ``site_id``; ``release_scheme`` and ``uncertainty_m`` are used
            if they are there.

        Raises
        ------
        ExportError
            If any site was released as something that the new geometry does not contain;
            ``problems`` names each with the schemes.
        GeometryError
            If a geometry is neither point nor polygon.
        ReadError
            If the file is something else, damaged, or sealed with another key.
        SchemaError
            If ids are missing or repeated.
        """
        _require_nested(read_ledger(self._path, self._key), _entries(released, ""))

    def record(self, released: gpd.GeoDataFrame, *, release: str) -> None:
        """
        Check a release and write it down, in one step.

        Parameters
        ----------
        released : geopandas.GeoDataFrame
            As for `check`.
        release : str
            Name of the release, such as a date.

        Raises
        ------
        ExportError
            As for `check`; or if another release is being recorded, or the file cannot be
            written. The file is then as it was.
        GeometryError
            If a geometry is neither point nor polygon.
        ReadError
            If the file is something else, damaged, or sealed with another key.
        SchemaError
            If ids are missing or repeated.
        ValueError
            If the release has no name.
        """
        if not (isinstance(release, str) and release.strip()):
            message = f"release is {release!r}; give the release a name, such as its date."
            raise ValueError(message)
        entries = _entries(released, release.strip())
        with locked(self._path):
            ledger = read_ledger(self._path, self._key)
            _require_nested(ledger, entries)
            for site_id, entry in entries.items():
                before = ledger["sites"].setdefault(site_id, [])
                if all(not _same(entry, old) for old in before):
                    before.append(entry)
            if release.strip() not in ledger["releases"]:
                ledger["releases"].append(release.strip())
            write_ledger(self._path, ledger, self._key)

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give what was released.

        Returns
        -------
        geopandas.GeoDataFrame
            In EPSG:4326: ``site_id``, ``release``, ``scheme``, ``uncertainty_m``, ``sha256`` of
            what was released, and its geometry; one row for each different one of a site.

        Raises
        ------
        ReadError
            If the file is something else, damaged, or sealed with another key.
        """
        ledger = read_ledger(self._path, self._key)
        rows = [
            {"site_id": site_id, **entry, "geometry": shapely.from_wkb(entry["geometry"])}
            for site_id, entries in sorted(ledger["sites"].items())
            for entry in entries
        ]
        columns = ["site_id", "release", "scheme", "uncertainty_m", "sha256", "geometry"]
        return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), crs="EPSG:4326")

    def __repr__(self) -> str:
        ledger = read_ledger(self._path, self._key)
        seal = "sealed with a key" if ledger["keyed"] else "without a key"
        return (
            f"ReleaseRegistry({len(ledger['sites'])} sites, {len(ledger['releases'])} releases, "
            f"{seal})"
        )


def _entries(released: gpd.GeoDataFrame, release: str) -> dict[str, Entry]:
    """Give what is released of each site that has a geometry."""
    shapes = to_degrees(released).to_numpy()
    ids = identifiers(released)
    kind = shapely.get_type_id(shapes)
    there = (kind >= 0) & ~shapely.is_empty(shapes)
    if not np.isin(kind[there], (_POINT, 3, 6)).all():
        message = "A release has points or polygons; other geometries cannot be compared."
        raise GeometryError(message)
    schemes = (
        released["release_scheme"].astype("string").fillna("unnamed").tolist()
        if "release_scheme" in released
        else ["exact" if one == _POINT else "unnamed" for one in kind]
    )
    radius = (
        released["uncertainty_m"].to_numpy(dtype=np.float64, na_value=np.nan)
        if "uncertainty_m" in released
        else np.zeros(len(ids))
    )
    shapes = shapely.normalize(shapes)
    entries = {}
    for i in np.flatnonzero(there):
        binary = shapely.to_wkb(shapes[i], output_dimension=2)
        # a radius that is not known is no radius: the point itself is what was told
        told = float(radius[i]) if np.isfinite(radius[i]) else 0.0
        text = f"{schemes[i]}\0{told!r}\0".encode()
        entries[ids[i]] = Entry(
            release=release,
            scheme=str(schemes[i]),
            geometry=binary.hex(),
            uncertainty_m=told,
            sha256=hashlib.sha256(text + binary).hexdigest(),
        )
    return entries


def _require_nested(ledger: Ledger, entries: dict[str, Entry]) -> None:
    """Raise ExportError where something released before is not contained."""
    problems = pd.DataFrame(
        list(_conflicts(ledger, entries)), columns=["row", "column", "value", "problem"]
    )
    if problems.empty:
        return
    message = (
        f"{len(problems)} of {len(entries)} sites were released otherwise before, such as "
        f"{problems['row'].iloc[0]} ({problems['problem'].iloc[0]}). The places would be known to "
        "lie in both: release them as before, or as an area that contains it. Or withdraw the "
        "sites and report them anew under other ids."
    )
    raise ExportError(message, problems)


def _conflicts(ledger: Ledger, entries: dict[str, Entry]) -> Iterator[tuple[str, str, str, str]]:
    """Yield the id and what is wrong with each site that cannot be released so."""
    for site_id, new in entries.items():
        for old in ledger["sites"].get(site_id, []):
            if not (_same(new, old) or _contains(new, old)):
                problem = f"{old['scheme']} in {old['release']!r}, now {new['scheme']}"
                yield site_id, "geometry", new["scheme"], problem
                break


def _same(new: Entry, old: Entry) -> bool:
    """Tell whether a site is released as before."""
    if new["sha256"] == old["sha256"]:
        return True
    if new["scheme"] != old["scheme"]:
        return False
    shape, before = (shapely.from_wkb(entry["geometry"]) for entry in (new, old))
    return bool(shapely.equals_exact(shape, before, tolerance=_SAME_DEG))


def _contains(new: Entry, old: Entry) -> bool:
    """Tell whether an area contains all that an earlier release left possible."""
    shape, before = shapely.from_wkb(new["geometry"]), _left_possible(old)
    if shapely.get_type_id(shape) == _POINT:
        return False
    outside = shapely.area(shapely.difference(before, shape))
    return bool(outside <= _SLIVER * shapely.area(before))


def _left_possible(entry: Entry) -> BaseGeometry:
    """Where a site may be by a release: the area, or the circle around the point."""
    shape = shapely.from_wkb(entry["geometry"])
    if shapely.get_type_id(shape) != _POINT:
        return shape
    lon, lat = np.array([shape.x]), np.array([shape.y])
    circle: BaseGeometry = discs(lon, lat, np.array([entry["uncertainty_m"]]))[0]
    return circle
