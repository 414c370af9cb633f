"""Points that contradict their own row, and the one correction that puts them right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo._cells import Fault
from geo._points import BOXES
from geo._provinces import in_province, outline_named
from geo._radii import nearest_point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo._drafts import Draft

    Floats = NDArray[np.float64]

__all__ = ["repair_points"]

_OUTLINE_M = 2_000.0  # how far the shipped outlines may be off
_MINUTES = 60
_EARTH = (-180.0, -90.0, 180.0, 90.0)


class Correction(NamedTuple):
    """Another point, and what must have been wrong for it to be meant."""

    latitude: float
    longitude: float
    kind: str
    words: str


def repair_points(draft: Draft, label: str, *, repair: bool) -> None:
    """
    Correct points that contradict the country or the province of their row, or report them.

    Parameters
    ----------
    draft : Draft
        Rows, changed in place.
    label : str
        The columns that hold the coordinates, for the faults.
    repair : bool
        Whether to apply a correction. It is reported as a fault otherwise.

    Notes
    -----
    A correction is proved if it is the only one that puts the point into the country and the
    province that the row names: latitude and longitude exchanged, signs changed, or degrees
    and minutes read that were typed as if they were decimals.
    """
    for row in _suspects(draft):
        given = draft.points[row].tolist()
        country, admin1 = draft.country(row), draft.cells["admin1"][row]
        found = [c for c in _corrections(*given) if _fits(c, country, admin1)]
        if len(found) == 1 and repair:
            draft.repairs[row] = f"{found[0].words}; written as {_shown(given)}"
            draft.points[row] = found[0].latitude, found[0].longitude
            draft.fill("verbatim_location", row, _shown(given))
            draft.notes[row].append(f"repaired: {draft.repairs[row]}")
        elif found:
            draft.refuse(_fault(row, label, given, found))
        elif not _in_box(draft.points[[row]], None)[0]:
            continue  # the schema names what is no latitude or no longitude
        elif not _in_box(draft.points[[row]], country)[0]:
            problem = f"not in {country}: correct the coordinates or the country"
            draft.refuse(Fault(row, label, _shown(given), "not in its country", problem))
        else:
            draft.notes[row].append(f"doubtful: the point is not in {admin1}")


def _suspects(draft: Draft) -> list[int]:
    """Rows whose point is out of range or country, or whose circle misses the province."""
    groups: dict[tuple[str | None, str | None], list[int]] = {}
    for row in np.flatnonzero(draft.located & draft.points.any(axis=1)).tolist():
        if row not in draft.places:
            key = draft.country(row), draft.cells["admin1"][row]
            groups.setdefault(key, []).append(row)
    suspects: list[int] = []
    for (country, admin1), rows in groups.items():
        points = draft.points[rows]
        outside = np.logical_not(_in_box(points, country))
        inside = in_province(points, country, admin1)
        if inside is not None:
            far = [i for i in np.flatnonzero(~inside & ~outside) if _is_far(draft, rows[i])]
            outside[far] = True
        suspects += [rows[i] for i in np.flatnonzero(outside)]
    return sorted(suspects)


def _in_box(points: Floats, country: str | None) -> NDArray[np.bool_]:
    """Which points can be in a country; on Earth where there is no outline to go by."""
    return _inside(points, BOXES.get(country, _EARTH) if country else _EARTH)


def _inside(points: Floats, box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
    """Which points are between west, south, east and north."""
    west, south, east, north = box
    latitude, longitude = points.T
    inside = (south <= latitude) & (latitude <= north) & (west <= longitude) & (longitude <= east)
    return np.asarray(inside, dtype=np.bool_)


def _is_far(draft: Draft, row: int) -> bool:
    """Whether the circle of a row does not reach the province that the row names."""
    outline = outline_named(draft.cells["admin1"][row], draft.country(row))
    latitude, longitude = draft.points[row].tolist()
    _, _, gap_m = nearest_point(outline, longitude, latitude)
    radius_m = np.nan_to_num(draft.radius_m(row))
    return bool(gap_m > max(radius_m, draft.precision_m[row]) + _OUTLINE_M)


def _corrections(a: float, b: float) -> Iterator[Correction]:
    """Every point that may have been meant, each once."""
    yield Correction(b, a, "swapped", "latitude and longitude are swapped")
    sign = "wrong sign"
    yield Correction(-a, b, sign, "the latitude has the wrong sign")
    yield Correction(a, -b, sign, "the longitude has the wrong sign")
    yield Correction(-a, -b, sign, "latitude and longitude have the wrong sign")
    kind = "minutes as decimals"
    minutes = _sexagesimal(a, seconds=False), _sexagesimal(b, seconds=False)
    seconds = _sexagesimal(a, seconds=True), _sexagesimal(b, seconds=True)
    yield Correction(*minutes, kind, "the decimals are minutes")
    if max(abs(m - s) for m, s in zip(minutes, seconds, strict=True)) > 1e-9:  # noqa: PLR2004 - degrees
        yield Correction(*seconds, kind, "the decimals are minutes and seconds")


def _sexagesimal(number: float, *, seconds: bool) -> float:
    """Degrees of a number whose decimals are minutes (and seconds); NaN where they cannot be."""
    degrees, _, decimals = f"{abs(number):.10f}".partition(".")
    hundredths = int(decimals[2:]) / 10**6  # what follows the first two decimals, below 100
    minutes = int(decimals[:2])
    if minutes >= _MINUTES or (seconds and hundredths >= _MINUTES):
        return math.nan
    part = hundredths / _MINUTES if seconds else hundredths / 100
    return math.copysign(int(degrees) + (minutes + part) / _MINUTES, number)


def _fits(correction: Correction, country: str | None, admin1: str | None) -> bool:
    """Whether a correction is in the country and the province; decimals need the province."""
    latitude, longitude, kind, _ = correction
    point = np.array([[latitude, longitude]])
    if not np.isfinite(point).all() or not _in_box(point, country)[0]:
        return False
    inside = in_province(point, country, admin1)
    if inside is not None:
        return bool(inside[0])
    if kind == "minutes as decimals":
        return False
    # Without a country nothing but an exchange that lies in the region is proved.
    if country:
        return country in BOXES
    return kind == "swapped" and bool(_inside(point, BOXES[None])[0])


def _fault(row: int, label: str, given: list[float], found: list[Correction]) -> Fault:
    """Report corrections that have not been applied."""
    if len(found) > 1:
        listed = "; ".join(f"{c.latitude:.6g}, {c.longitude:.6g} if {c.words}" for c in found)
        problem = f"not where the row says it is; several corrections fit: {listed}"
        return Fault(row, label, _shown(given), "several corrections", problem)
    best = found[0]
    problem = (
        f"{best.words}: latitude {best.latitude:.7g}, longitude {best.longitude:.7g} is where the "
        "row says; correct it, or read with repair=True"
    )
    return Fault(row, label, _shown(given), best.kind, problem)


def _shown(given: list[float]) -> str:
    """Latitude and longitude as they were given."""
    return f"{given[0]:.15g}, {given[1]:.15g}"
