"""What each site was released as, so that no second release narrows down the first.

An area and a ring, or a district and a hexagon, each protect a place; together they leave only
where they overlap. A `ReleaseRegistry` remembers what was released and refuses that.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo._files import locked
from geo._generalising import discs
from geo._inputs import radii
from geo._keys import checked_key, outside_projects, read_key
from geo._ledger import Entry, read_ledger, write_ledger
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
_POINT, _SURFACES = 0, (3, 6)  # types of geometry


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
    >>> table = pd.DataFrame({"id": ["A1"], "lat": 12.85, "lon": 104.55, "radius_m": 500})
    >>> sites = geo.validate_sites(table)
    >>> with TemporaryDirectory() as folder:
    ...     registry = geo.ReleaseRegistry(Path(folder, "releases.json"))
    ...     registry.record(geo.generalise(sites), release="2026-01")
    ...     registry.record(geo.generalise(sites, level="province"), release="2026-02")
    ...     registry.to_frame()[["site_id", "release", "scheme"]]
      site_id  release         scheme
    0      A1  2026-01  district area
    1      A1  2026-02  province area
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
        _require_nested(read_ledger(self._path, self._key), _release(released, ""))

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
        name = release.strip()
        new = _release(released, name)
        busy = f"Another release is being recorded in {self._path.name!r}"
        with locked(self._path, busy):
            ledger = read_ledger(self._path, self._key)
            _require_nested(ledger, new)
            for site_id, entry in new.sites.items():
                before = ledger["sites"].setdefault(site_id, [])
                if entry["shape"] not in {old["shape"] for old in before}:
                    before.append(entry)
            ledger["shapes"] |= new.shapes
            if name not in ledger["releases"]:
                ledger["releases"].append(name)
            write_ledger(self._path, ledger, self._key)

    def to_frame(self) -> gpd.GeoDataFrame:
        """
        Give what was released.

        Returns
        -------
        geopandas.GeoDataFrame
            In EPSG:4326: ``site_id``, ``release`` (the first of it), ``scheme``,
            ``uncertainty_m`` and the geometry; one row for each different geometry of a site.

        Raises
        ------
        ReadError
            If the file is something else, damaged, or sealed with another key.
        """
        ledger = read_ledger(self._path, self._key)
        rows = [
            {"site_id": site_id, **entry, "geometry": ledger["shapes"][entry["shape"]]}
            for site_id, entries in sorted(ledger["sites"].items())
            for entry in entries
        ]
        columns = ["site_id", "release", "scheme", "uncertainty_m", "geometry"]
        table = pd.DataFrame(rows, columns=columns)
        table["geometry"] = shapely.from_wkb(table["geometry"].to_numpy(dtype=object))
        return gpd.GeoDataFrame(table, crs="EPSG:4326")

    def __repr__(self) -> str:
        ledger = read_ledger(self._path, self._key)
        seal = "sealed with a key" if ledger["keyed"] else "without a key"
        return (
            f"ReleaseRegistry({len(ledger['sites'])} sites, {len(ledger['releases'])} releases, "
            f"{seal})"
        )


class _Release(NamedTuple):
    """A release to be compared: what each site is released as, and the shapes of it."""

    sites: dict[str, Entry]
    shapes: dict[str, str]


def _release(released: gpd.GeoDataFrame, name: str) -> _Release:
    """Take down what is released of each site that has a geometry."""
    shapes = shapely.normalize(to_degrees(released).to_numpy())
    ids = identifiers(released)
    kind = shapely.get_type_id(shapes)
    there = (kind >= 0) & ~shapely.is_empty(shapes)
    if not np.isin(kind[there], (_POINT, *_SURFACES)).all():
        message = "A release has points or polygons; other geometries cannot be compared."
        raise GeometryError(message)
    schemes = ["exact" if one == _POINT else "unnamed" for one in kind]
    if "release_scheme" in released:
        named = released["release_scheme"].astype("string")
        schemes = named.where(named.notna(), pd.Series(schemes, named.index)).tolist()
    # a radius that is not known is no radius: the point itself is what was told
    radius = np.nan_to_num(radii(released), nan=0.0, posinf=0.0)
    binaries = shapely.to_wkb(shapes, output_dimension=2)
    digests = {binary: hashlib.sha256(binary).hexdigest() for binary in {*binaries[there]}}
    sites = {
        ids[i]: Entry(
            release=name,
            scheme=str(schemes[i]),
            shape=digests[binaries[i]],
            uncertainty_m=float(radius[i]),
        )
        for i in np.flatnonzero(there)
    }
    return _Release(sites, {digest: binary.hex() for binary, digest in digests.items()})


def _require_nested(ledger: Ledger, new: _Release) -> None:
    """Raise ExportError where something released before is not contained."""
    found = list(_conflicts(ledger, new))
    if not found:
        return
    problems = pd.DataFrame(found, columns=["row", "column", "value", "problem"])
    message = (
        f"{len(found)} of {len(new.sites)} sites were released otherwise before, such as "
        f"{found[0][0]} ({found[0][3]}). The places would be known to lie in both: release them as "
        "before, or as an area that contains it. Or withdraw the sites and report them anew under "
        "other ids."
    )
    raise ExportError(message, problems)


def _conflicts(ledger: Ledger, new: _Release) -> Iterator[tuple[str, str, str, str]]:
    """Yield the id and what is wrong with each site that cannot be released so."""
    shapes = {**ledger["shapes"], **new.shapes}

    @cache
    def agree(shape: str, before: str, told_m: float, *, same_scheme: bool) -> bool:
        after, earlier = (shapely.from_wkb(shapes[name]) for name in (shape, before))
        # as before, but for the last digit
        if same_scheme and shapely.equals_exact(after, earlier, tolerance=_SAME_DEG):
            return True
        return _contains(after, earlier, told_m)

    for site_id, entry in new.sites.items():
        for old in ledger["sites"].get(site_id, []):
            same = entry["scheme"] == old["scheme"]
            if (same and entry["shape"] == old["shape"]) or agree(
                entry["shape"], old["shape"], old["uncertainty_m"], same_scheme=same
            ):
                continue
            problem = f"{old['scheme']} in {old['release']!r}, now {entry['scheme']}"
            if same:
                problem += ", elsewhere"
            yield site_id, "geometry", entry["scheme"], problem
            break


def _contains(shape: BaseGeometry, before: BaseGeometry, told_m: float) -> bool:
    """Tell whether an area contains all that an earlier release left possible."""
    if shapely.get_type_id(shape) == _POINT:
        return False
    if shapely.get_type_id(before) == _POINT:
        before = discs(np.array([before.x]), np.array([before.y]), np.array([told_m]))[0]
    outside = shapely.area(shapely.difference(before, shape))
    return bool(outside <= _SLIVER * shapely.area(before))
