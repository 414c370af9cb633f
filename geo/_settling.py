"""Settling on one place where several bear a name: only if they lie inside each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from geo._places import Place, centre_gap

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_inside", "is_nested", "likeliest", "may_overlap", "settle"]


def likeliest(places: Iterable[Place]) -> list[Place]:
    """
    Keep what is written exactly so, unless that is villages only.

    Parameters
    ----------
    places : iterable of Place
        Candidates for one name.

    Returns
    -------
    list of Place
        Those of them that are meant. Villages share names and their spellings too often for
        the one that is written the same to be preferred.
    """
    every = list(places)
    exact = [place for place in every if place.score == 1.0]
    return every if all(place.kind == "village" for place in exact) else exact


def settle(places: Iterable[Place]) -> tuple[Place | None, str, str]:
    """
    Settle on one place for candidates that lie inside each other.

    Parameters
    ----------
    places : iterable of Place
        Candidates for one description.

    Returns
    -------
    tuple of (Place or None), str and str
        The place, or None and the reason; and what was assumed.
    """
    pool = likeliest(places)
    if not pool:
        return None, "unknown", ""
    if len(pool) == 1:
        return pool[0], "", ""
    towns = [place for place in pool if place.code.isdigit()]
    if towns:
        town = max(towns, key=lambda place: (place.population, place.radius_m, place.code))
        strays = [place for place in pool if not is_nested(place, town)]
        seat = any(
            place.kind in {"province", "district"} and is_inside(town, place) for place in pool
        )
        if not strays or (seat and all(_minor(place, town) for place in strays)):
            return _town_or_unit(town, pool, strays)
    whole = max(pool, key=lambda place: (place.radius_m, -_depth(place), place.code))
    if all(is_inside(place, whole) for place in pool):
        return whole, "", f"{whole.kind} that holds {len(pool) - 1} others of its name"
    listed = [f"{p.name} ({p.kind}, {p.admin1 or p.country})" for p in pool[:5]]
    more = ", ..." if len(pool) > len(listed) else ""
    return None, f"ambiguous: {len(pool)} places: {', '.join(listed)}{more}", ""


def _town_or_unit(town: Place, pool: list[Place], strays: list[Place]) -> tuple[Place, str, str]:
    """Give the town; where nobody counted its people, the district or commune around it."""
    left = f"; {len(strays)} villages of this name left out" if strays else ""
    units = [
        place for place in pool if place.kind in {"district", "commune"} and is_inside(town, place)
    ]
    if town.population or not units:
        others = sorted({place.kind for place in pool if place is not town})
        return town, "", f"the town, not the {' or '.join(others)}{left}"
    unit = max(units, key=lambda place: place.radius_m)
    reach = math.ceil(centre_gap(town, unit) + unit.radius_m)
    point = unit._replace(longitude=town.longitude, latitude=town.latitude, radius_m=reach)
    source = f"{unit.source}, around its seat {town.source}"
    return point._replace(source=source), "", f"the {unit.kind}, around its seat{left}"


def _minor(place: Place, town: Place) -> bool:
    """Whether a place is a village or commune in the province of a seat."""
    return place.kind in {"village", "commune"} and place.admin1_code == town.admin1_code


def _depth(place: Place) -> int:
    """How many units of administration a place is under."""
    return sum(
        code is not None for code in (place.admin1_code, place.admin2_code, place.admin3_code)
    )


def is_nested(a: Place, b: Place) -> bool:
    """
    Tell whether one place lies in the other.

    Parameters
    ----------
    a, b : Place
        The two places.

    Returns
    -------
    bool
        Whether they do.
    """
    return is_inside(a, b) or is_inside(b, a)


def is_inside(a: Place, b: Place) -> bool:
    """
    Tell whether a place lies in another: by codes, or its point in the other's circle.

    Parameters
    ----------
    a, b : Place
        The two places.

    Returns
    -------
    bool
        Whether they do.
    """
    codes = {
        "country": (a.country, b.country),
        "province": (a.admin1_code, b.admin1_code),
        "district": (a.admin2_code, b.admin2_code),
        "commune": (a.admin3_code, b.admin3_code),
    }
    own, others = codes.get(b.kind, (None, None))
    if own is not None and own == others:
        return True
    # The outlines that gave a town its district are of 2014: its point decides as well.
    if own is not None and others is not None and not a.code.isdigit():
        return False
    return (
        a.admin1_code == b.admin1_code
        and a.radius_m <= b.radius_m
        and centre_gap(a, b) <= b.radius_m
    )


def may_overlap(a: Place, b: Place) -> bool:
    """
    Tell whether two places of one province may share ground.

    Parameters
    ----------
    a, b : Place
        The two places.

    Returns
    -------
    bool
        Whether they do.
    """
    return a.admin1_code == b.admin1_code and centre_gap(a, b) <= a.radius_m + b.radius_m
