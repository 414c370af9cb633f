"""Binary geometries: WKB of all kinds, and what GeoPackage puts before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["GEOMETRY", "system_of", "vertices"]

_HEADER = 8  # bytes
_ENVELOPES = (0, 32, 48, 48, 64)  # bytes, by the code in the flags of a GeoPackage geometry
# The first bytes of WKB, with the flags of PostGIS and the numbers of ISO 19125 for heights.
GEOMETRY = re.compile(
    rb"GP\0|\x01[\x01-\x11]\0\0[\0\x20\x40\x60\x80\xa0\xc0\xe0]"
    rb"|\x01[\xb9-\xf9][\x03\x07\x0b]\0\0"
    rb"|\0[\0\x20\x40\x60\x80\xa0\xc0\xe0]\0(?:\0[\x01-\x11]|[\x03\x07\x0b][\xb9-\xf9])"
)


def vertices(blobs: Iterable[bytes], crs: object = None) -> NDArray[np.float64]:
    """
    Read binary geometries: WKB, as such or with the header of a GeoPackage.

    Parameters
    ----------
    blobs : iterable of bytes
        Geometries; what is none is left out.
    crs : object, optional
        Their coordinate reference system, as pyproj understands it.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        Longitude and latitude of all vertices.
    """
    bodies = [_body(blob) for blob in blobs if GEOMETRY.match(blob)]
    if not bodies:
        return np.zeros((0, 2))
    shapes = shapely.from_wkb(np.array(bodies, dtype=object), on_invalid="ignore")
    every: NDArray[np.float64] = shapely.get_coordinates(shapes)
    found: NDArray[np.float64] = every[np.isfinite(every).all(axis=1)]
    return found if crs is None else _in_degrees(found, crs)


def _body(blob: bytes) -> bytes:
    """Cut off the header of a GeoPackage."""
    if not blob.startswith(b"GP\0") or len(blob) < _HEADER:
        return blob
    envelope = (blob[3] >> 1) & 7
    return blob[_HEADER + (_ENVELOPES[envelope] if envelope < len(_ENVELOPES) else 0) :]


def _in_degrees(xy: NDArray[np.float64], crs: object) -> NDArray[np.float64]:
    """Turn coordinates of a projection into degrees; others are left as they are."""
    from pyproj import CRS, Transformer  # noqa: PLC0415  # takes long to load
    from pyproj.exceptions import ProjError  # noqa: PLC0415

    try:
        known = CRS.from_user_input(crs)
        if known.is_geographic:
            return xy
        transformer = Transformer.from_crs(known, 4326, always_xy=True)
        degrees = np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
    except (ProjError, TypeError, ValueError):
        return xy
    finite: NDArray[np.float64] = degrees[np.isfinite(degrees).all(axis=1)]
    return finite


def system_of(blob: bytes) -> int:
    """
    Return the number of the reference system in the header of a GeoPackage geometry.

    Parameters
    ----------
    blob : bytes
        The geometry.

    Returns
    -------
    int
        The number; 0 if there is no header.
    """
    if not blob.startswith(b"GP\0") or len(blob) < _HEADER:
        return 0
    return int.from_bytes(blob[4:8], "little" if blob[3] & 1 else "big", signed=True)
