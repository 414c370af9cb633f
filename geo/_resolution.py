"""What the locations of some sites can carry: shared coordinates and coarse radii, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo._inputs import coordinates, radii

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "advice",
    "counted",
    "find_limits",
    "metres",
    "place_names",
    "resolved_from",
    "unresolved",
]

_NAMES_SHOWN = 5


def advice(eps_m: float | None) -> str:
    """
    Say what to do about such limits.

    Parameters
    ----------
    eps_m : float or None
        The distance asked for, in metres, if there is one.

    Returns
    -------
    str
        A sentence.
    """
    larger = "" if eps_m is None else "Use a larger eps_m, count"
    return (
        f"{larger or 'Count'} by province or district with count_by_area(), or obtain better "
        "locations."
    )


def find_limits(sites: gpd.GeoDataFrame, eps_m: float | None, min_samples: int) -> str:
    """
    Say what in the locations cannot carry clusters at a distance.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points; rows without location are left aside.
    eps_m : float or None
        The distance asked for, in metres, if there is one.
    min_samples : int
        Reports at one coordinate that make it worth naming.

    Returns
    -------
    str
        Sentences without coordinates; nothing if every location can.
    """
    lon, lat = coordinates(sites, "sites")
    located = np.isfinite(lon)
    if not located.any():
        return ""
    frame = sites[located]
    parts = [
        _shared_finding(frame, np.column_stack([lon[located], lat[located]]), min_samples),
        "" if eps_m is None else _radius_finding(frame, eps_m),
    ]
    if not any(parts):
        return ""
    meaning = (
        "Such clusters describe how places are looked up (the gazetteer), not where the sites are."
    )
    return " ".join([part for part in parts if part] + [meaning])


def unresolved(sites: gpd.GeoDataFrame, distance_m: float) -> str:
    """
    Say that the radii of some sites cannot tell a distance.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        Points; rows without location are left aside.
    distance_m : float
        The distance, in metres.

    Returns
    -------
    str
        A sentence; nothing if they can: the distance is at least twice the 75th percentile of
        the radii, none of which is unknown.
    """
    lon, _ = coordinates(sites, "sites")
    radius = radii(sites)[np.isfinite(lon)]
    if not len(radius):
        return "Not resolvable: no report has a location."
    if np.isnan(radius).any():
        return (
            f"Perhaps not resolvable: {np.isnan(radius).sum()} of {len(radius)} radii are unknown."
        )
    quartile = resolved_from(radius) / 2
    if distance_m >= 2 * quartile:
        return ""
    return (
        f"Not resolvable: a quarter of the reports are known to within {metres(quartile)} or "
        f"worse, and {metres(distance_m)} is less than twice that."
    )


def resolved_from(radius: Floats) -> float:
    """
    Give the smallest distance that radii can tell.

    Parameters
    ----------
    radius : numpy.ndarray, shape (n,)
        Radii of located reports in metres, NaN where unknown.

    Returns
    -------
    float
        Twice their 75th percentile; NaN if there is none, or one is unknown.
    """
    if not len(radius) or np.isnan(radius).any():
        return float("nan")
    with np.errstate(invalid="ignore"):
        # between two radii without end there is nothing to interpolate
        return 2 * float(np.nan_to_num(np.percentile(radius, 75), nan=np.inf))


def place_names(sites: gpd.GeoDataFrame) -> pd.Series:
    """
    Name the place of each site.

    Parameters
    ----------
    sites : geopandas.GeoDataFrame
        With the columns ``locality`` and ``name``, or one of them, or neither.

    Returns
    -------
    pandas.Series of object
        The locality, or else the name; missing where a site has neither.
    """
    names = pd.Series(pd.NA, index=sites.index, dtype="object")
    for column in ("locality", "name"):
        if column in sites:
            given = sites[column].astype("object")
            names = names.where(names.notna(), given.where(given.notna() & (given != ""), pd.NA))
    return names


def counted(number: int, noun: str) -> str:
    """
    Join a number to its noun.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        In the singular, with a plural on s.

    Returns
    -------
    str
        For example ``1 report`` or ``2 reports``.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def metres(length_m: float) -> str:
    """
    Write a length for a reader.

    Parameters
    ----------
    length_m : float
        In metres.

    Returns
    -------
    str
        In kilometres from 1000 m on.
    """
    return f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"  # noqa: PLR2004 - a kilometre


def _shared_finding(sites: gpd.GeoDataFrame, places: Floats, min_samples: int) -> str:
    """Say which coordinates many sites share."""
    # hashing, not sorting: a million places must not cost a second
    back = pd.DataFrame(places).groupby([0, 1], sort=False).ngroup().to_numpy()
    size = np.bincount(back)
    shared = size > 1
    n_shared = int(size[shared].sum())
    heavy = shared & (size >= min_samples)
    if not heavy.any() and n_shared <= len(places) / 4:
        return ""
    named = pd.DataFrame({"place": back, "name": place_names(sites).to_numpy()}).dropna()
    named["name"] = named["name"].astype(str)
    # the most frequent name of a place, the first in the alphabet among equals
    often = named.groupby(["place", "name"], sort=False).size().reset_index(name="n")
    often = often.sort_values(["n", "name"], ascending=[False, True]).drop_duplicates("place")
    called = often.set_index("place")["name"]
    listed = [
        (-int(size[place]), called.get(place, "a place without a name").split(" (")[0])
        for place in np.flatnonzero(heavy if heavy.any() else shared)
    ]
    listed.sort()
    shown = ", ".join(f"{-count} at {name}" for count, name in listed[:_NAMES_SHOWN])
    more = len(listed) - _NAMES_SHOWN
    tail = f" and {counted(more, 'more place')}" if more > 0 else ""
    return (
        f"{n_shared} of {len(places)} located reports share their coordinate with another one "
        f"({shown}{tail})."
    )


def _radius_finding(sites: gpd.GeoDataFrame, eps_m: float) -> str:
    """Say how many radii exceed the distance asked."""
    coarse = int((radii(sites) > eps_m).sum())
    if coarse <= len(sites) / 2:
        return ""
    return (
        f"{coarse} of {len(sites)} located reports are known less precisely than "
        f"{metres(eps_m)}: their radius is larger than the distance asked for."
    )
