"""Places moved by a draw that only the key can repeat.

The draw of a site is HMAC-SHA256 [1]_ under the key, over the scheme with its parameters, the
site's id and a counter. It depends on nothing else: not on the order of rows, the other rows, or
the place. So a second release repeats the first, and there is nothing to average. The parameters
are part of it, because the same direction with another radius would give the place away: with two
rings, one twice the other, it is twice the first masked place less the second.

References
----------
.. [1] Krawczyk, H., Bellare, M. and Canetti, R. (1997). HMAC: keyed-hashing for message
   authentication. RFC 2104.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geo.geodesy import WGS84

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

__all__ = [
    "Scheme",
    "displace",
    "donut_radius",
    "donut_scheme",
    "draws",
    "laplace_radius",
    "laplace_scheme",
    "sharing",
]

_NAME = b"compound-atlas displacement 1"
_TRIES = 400
_DECIMALS = 5  # of a degree: a metre, so that no digit speaks of more
_BITS = 53
_TAIL = 0.999
_SAME = 7  # decimals by which coordinates are the same: a centimetre


class Scheme(NamedTuple):
    """How far places are moved: its name for readers and in full, its quantiles, and its end."""

    name: str
    parameters: str
    quantile: Callable[[Floats], Floats]
    longest_m: float


def donut_radius(p: Floats, min_m: float, max_m: float) -> Floats:
    """
    Give the quantiles of the distance from the middle of a ring, uniform by area.

    Parameters
    ----------
    p : numpy.ndarray of float
        Probabilities.
    min_m, max_m : float
        The ring, in metres.

    Returns
    -------
    numpy.ndarray of float
        Metres.

    Examples
    --------
    >>> from geo._displacing import donut_radius
    >>> float(donut_radius(0.5, 1000.0, 5000.0).round(1))
    3605.6
    """
    return np.asarray(np.sqrt(min_m**2 + p * (max_m**2 - min_m**2)))


def laplace_radius(p: Floats, epsilon_per_m: float) -> Floats:
    """
    Give the quantiles of the distance of planar Laplace noise.

    Parameters
    ----------
    p : numpy.ndarray of float
        Probabilities, less than 1.
    epsilon_per_m : float
        Per metre.

    Returns
    -------
    numpy.ndarray of float
        Metres: ``-(W((p - 1) / e) + 1) / epsilon``, W the branch of Lambert's function below -1.

    Examples
    --------
    >>> from geo._displacing import laplace_radius
    >>> float(laplace_radius(0.5, 1.0).round(6))
    1.678347
    """
    # Imported here: SciPy is slow to load.
    from scipy.special import lambertw  # noqa: PLC0415 see above

    q = np.asarray(p, dtype=np.float64)
    return np.asarray(-(lambertw((q - 1) / np.e, k=-1).real + 1) / epsilon_per_m)


def laplace_scheme(epsilon_per_m: float) -> Scheme:
    """
    Give the scheme of planar Laplace noise, without its last thousandth.

    Parameters
    ----------
    epsilon_per_m : float
        Per metre.

    Returns
    -------
    Scheme
        Distances up to the quantile 0.999, so that a radius can hold the true place.
    """
    longest = float(laplace_radius(np.array(_TAIL), epsilon_per_m))
    return Scheme(
        f"planar Laplace of mean {2 / epsilon_per_m:.0f} m",
        f"planar Laplace {epsilon_per_m!r} per m",
        lambda p: laplace_radius(p * _TAIL, epsilon_per_m),
        longest,
    )


def donut_scheme(min_m: float, max_m: float) -> Scheme:
    """
    Give the scheme of a ring.

    Parameters
    ----------
    min_m, max_m : float
        In metres.

    Returns
    -------
    Scheme
        Distances within the ring.
    """
    return Scheme(
        f"donut {min_m:g} to {max_m:g} m",
        f"donut {min_m!r} to {max_m!r} m",
        lambda p: donut_radius(p, min_m, max_m),
        max_m,
    )


def draws(key: bytes, scheme: str, ids: Sequence[str], counter: int) -> tuple[Floats, Floats]:
    """
    Draw two numbers for each site that only the key can repeat.

    Parameters
    ----------
    key : bytes
        The key.
    scheme : str
        The scheme with its parameters in full.
    ids : sequence of str
        The sites.
    counter : int
        Which try it is.

    Returns
    -------
    tuple of numpy.ndarray of float, shape (n,)
        Within 0 and 1, both exclusive.
    """
    # lengths first, so that no two different inputs are the same text
    head = _framed(_NAME, scheme.encode(), str(counter).encode())
    digests = [hmac.digest(key, head + name.encode(), "sha256") for name in ids]
    words = np.frombuffer(b"".join(digests), dtype=">u8").reshape(-1, 4)[:, :2]
    numbers = ((words >> np.uint64(64 - _BITS)).astype(np.float64) + 0.5) / 2**_BITS
    return numbers[:, 0], numbers[:, 1]


def _framed(*parts: bytes) -> bytes:
    """Join parts so that they can be told apart."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def displace(
    ids: Sequence[str], lon: Floats, lat: Floats, units: Shapes, key: bytes, scheme: Scheme
) -> tuple[Floats, Floats]:
    """
    Move places along geodesics to where they still are in their unit.

    Parameters
    ----------
    ids : sequence of str
        The sites.
    lon, lat : numpy.ndarray of float, shape (n,)
        Degrees.
    units : numpy.ndarray of shapely geometries, shape (n,)
        What each must stay in.
    key : bytes
        The key.
    scheme : Scheme
        How far.

    Returns
    -------
    tuple of numpy.ndarray of float, shape (n,)
        Longitude and latitude to 5 decimals; NaN where 400 tries did not stay in the unit.

    Notes
    -----
    A draw that leaves the unit is drawn again under the next number of the counter. Moving it to
    the edge instead would tell that the place is near the edge, and where along it.
    """
    x, y = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    shapely.prepare(units)
    left = np.arange(len(ids))
    for counter in range(_TRIES):
        if not len(left):
            break
        u, v = draws(key, scheme.parameters, [ids[int(i)] for i in left], counter)
        to_lon, to_lat, _ = WGS84.fwd(lon[left], lat[left], 360 * v, scheme.quantile(u))
        to_lon, to_lat = np.round(to_lon, _DECIMALS), np.round(to_lat, _DECIMALS)
        stays = shapely.intersects_xy(units[left], to_lon, to_lat)
        x[left[stays]], y[left[stays]] = to_lon[stays], to_lat[stays]
        left = left[~stays]
    return x, y


def sharing(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    """
    Tell which places are those of several sites.

    Parameters
    ----------
    lon, lat : numpy.ndarray of float, shape (n,)
        Degrees, NaN where missing.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        To a centimetre.
    """
    table = pd.DataFrame({"lon": lon, "lat": lat}).round(_SAME)
    return np.asarray(table.duplicated(keep=False) & table["lon"].notna(), dtype=bool)
