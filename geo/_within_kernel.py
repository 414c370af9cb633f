"""Compiled shares of discs that lie near to straight pieces, in the plane of each disc.

A disc is cut by parallel lines. On a line, what is near to a piece is one interval, whose ends have
closed forms, and so is what lies inside an outline between two crossings; only the sum over the
lines is a quadrature. The lines look towards the nearest piece, so that the outline of what is near
crosses them instead of running along with them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo._trees import compiled, inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Spans = tuple[Floats, Floats]

__all__ = ["REFERENCE", "Pieces", "disc_shares"]

LINES = 384
REFERENCE = (0.2971, 0.1637)  # radii east and north: where outlines run by no rule
_HERE = 1e-9  # of a radius


class Pieces(NamedTuple):
    """
    Straight pieces around discs, each in the plane of its disc, whose centre is the origin.

    Parameters
    ----------
    first : numpy.ndarray of int, shape (n + 1,)
        Where the pieces of each disc start.
    ends : numpy.ndarray, shape (m, 4)
        x and y of the start and of the end of each piece, in metres.
    """

    first: Ints
    ends: Floats


@compiled
def disc_shares(
    start: int,
    stop: int,
    radius: Floats,
    reach: float,
    near: Pieces,
    outline: Pieces,
    inside: NDArray[np.bool_],
    out: Floats,
) -> None:
    """Write the share of each disc within reach of pieces, or inside the outline around some."""
    for i in range(start, stop):
        pieces = near.ends[near.first[i] : near.first[i + 1]]
        rings = outline.ends[outline.first[i] : outline.first[i + 1]]
        out[i] = _share(radius[i], reach, pieces, rings, inside[i])


@compiled
def _share(radius: float, reach: float, pieces: Floats, rings: Floats, inside: bool) -> float:  # noqa: FBT001
    """Return the share of one disc; `inside` tells of its place of reference."""
    east, north = _facing(pieces if len(pieces) else rings, radius)
    pieces, rings = _turned(pieces, east, north), _turned(rings, east, north)
    x = radius * (REFERENCE[0] * east + REFERENCE[1] * north)
    y = radius * (REFERENCE[1] * east - REFERENCE[0] * north)
    room = len(pieces) + len(rings) + 1
    spans, crossings = (np.empty(room), np.empty(room)), np.empty(len(rings) + 2)
    total = 0.0
    for k in range(LINES):
        turn = math.pi * ((k + 0.5) / LINES - 0.5)
        level, half = radius * math.sin(turn), radius * math.cos(turn)
        found = _near_spans(pieces, reach, level, half, spans)
        if found >= 0 and (inside or len(rings)):
            crossed = _crossings(rings, level, half, crossings)
            within = _inside_at(rings, x, y, level, inside) != _between(rings, level, x, -half)
            found = _inner_spans(crossings, crossed, within, spans, found)
        total += half * (2.0 * half if found < 0 else _joint_length(spans, found))
    return min(total / (LINES * radius * radius), 1.0)


# ---------------------------------------------------------------------------- the direction


@compiled
def _facing(pieces: Floats, radius: float) -> tuple[float, float]:
    """Return the direction of the nearest place of some pieces, or across the one underfoot."""
    least, east, north = np.inf, 1.0, 0.0
    for j in range(len(pieces)):
        x, y, dx, dy = _start_and_way(pieces, j)
        square = dx * dx + dy * dy
        share = min(max(-(x * dx + y * dy) / square, 0.0), 1.0) if square > 0.0 else 0.0
        foot_x, foot_y = x + share * dx, y + share * dy
        apart = math.sqrt(foot_x * foot_x + foot_y * foot_y)
        if apart < least:
            least = apart
            if apart > _HERE * radius:
                east, north = foot_x / apart, foot_y / apart
            elif square > 0.0:
                east, north = -dy / math.sqrt(square), dx / math.sqrt(square)
    return east, north


@compiled
def _turned(pieces: Floats, east: float, north: float) -> Floats:
    """Return pieces with a direction turned onto the first axis."""
    turned = np.empty_like(pieces)
    for j in range(len(pieces)):
        for end in (0, 2):
            x, y = pieces[j, end], pieces[j, end + 1]
            turned[j, end], turned[j, end + 1] = x * east + y * north, y * east - x * north
    return turned


@inlined
def _start_and_way(pieces: Floats, j: int) -> tuple[float, float, float, float]:
    """Return where a piece starts and where it goes."""
    x, y = pieces[j, 0], pieces[j, 1]
    return x, y, pieces[j, 2] - x, pieces[j, 3] - y


# ---------------------------------------------------------------------------- near to pieces


@compiled
def _near_spans(pieces: Floats, reach: float, level: float, half: float, spans: Spans) -> int:
    """Write what of a line is within reach of each piece; -1 if one of them reaches all of it."""
    found = 0
    for j in range(len(pieces)):
        low, high = _near_span(pieces, j, reach, level)
        low, high = max(low, -half), min(high, half)
        if low >= high:
            continue
        if low == -half and high == half:
            return -1
        spans[0][found], spans[1][found] = low, high
        found += 1
    return found


@compiled
def _near_span(pieces: Floats, j: int, reach: float, level: float) -> tuple[float, float]:
    """Return the ends of what of a line is within reach of a piece, low above high if nothing."""
    x, y, dx, dy = _start_and_way(pieces, j)
    up = level - y
    if max(up, up - dy) < -reach or min(up, up - dy) > reach:
        return np.inf, -np.inf
    low, high = _ends_span(x, dx, up, dy, reach)
    length = math.sqrt(dx * dx + dy * dy)
    if length > 0.0:
        # beside the piece: between the lines through its ends, and no farther from it than reach
        ux, uy = dx / length, dy / length
        one, other = _between_lines(ux, uy * up, 0.0, length)
        three, four = _between_lines(-uy, ux * up, -reach, reach)
        if max(one, three) < min(other, four):
            low, high = min(low, x + max(one, three)), max(high, x + min(other, four))
    return low, high


@inlined
def _ends_span(x: float, dx: float, up: float, dy: float, reach: float) -> tuple[float, float]:
    """Return what of a line is within reach of the two ends of a piece, together."""
    low, high = np.inf, -np.inf
    if abs(up) <= reach:
        wide = math.sqrt(reach * reach - up * up)
        low, high = x - wide, x + wide
    if abs(up - dy) <= reach:
        wide = math.sqrt(reach * reach - (up - dy) * (up - dy))
        low, high = min(low, x + dx - wide), max(high, x + dx + wide)
    return low, high


@inlined
def _between_lines(slope: float, offset: float, least: float, most: float) -> tuple[float, float]:
    """Return for which numbers t the sum ``slope * t + offset`` is between two others."""
    low, high = -np.inf, np.inf
    if slope != 0.0:
        one, other = (least - offset) / slope, (most - offset) / slope
        low, high = min(one, other), max(one, other)
    elif offset < least or offset > most:
        low, high = np.inf, -np.inf
    return low, high


# ---------------------------------------------------------------------------- inside an outline


@inlined
def _crosses(one: float, other: float, level: float) -> bool:
    """Tell whether a piece passes a level, a vertex on it counting as above."""
    return (one <= level) != (other <= level)


@compiled
def _crossings(rings: Floats, level: float, half: float, crossings: Floats) -> int:
    """Write where an outline crosses a line, in rising order between the ends of the line."""
    crossings[0], found = -half, 1
    for j in range(len(rings)):
        x, y, dx, dy = _start_and_way(rings, j)
        if _crosses(y, y + dy, level):
            at = x + dx * (level - y) / dy
            if -half < at < half:
                crossings[found] = at
                found += 1
    crossings[:found].sort()
    crossings[found] = half
    return found + 1


@compiled
def _inside_at(rings: Floats, x: float, y: float, level: float, inside: bool) -> bool:  # noqa: FBT001
    """Tell whether a place at a level is inside, from what is known of one above or below it."""
    for j in range(len(rings)):
        start, up, dx, dy = _start_and_way(rings, j)
        if _crosses(start, start + dx, x):
            at = up + dy * (x - start) / dx
            if min(y, level) < at <= max(y, level):
                inside = not inside
    return inside


@compiled
def _between(rings: Floats, level: float, one: float, other: float) -> bool:
    """Tell whether an outline crosses a line an odd number of times between two places."""
    odd = False
    for j in range(len(rings)):
        x, y, dx, dy = _start_and_way(rings, j)
        if _crosses(y, y + dy, level):
            at = x + dx * (level - y) / dy
            if min(one, other) < at <= max(one, other):
                odd = not odd
    return odd


@compiled
def _inner_spans(crossings: Floats, crossed: int, within: bool, spans: Spans, found: int) -> int:  # noqa: FBT001
    """Write what of a line lies inside an outline, from whether its first place does."""
    for k in range(0 if within else 1, crossed - 1, 2):
        spans[0][found], spans[1][found] = crossings[k], crossings[k + 1]
        found += 1
    return found


@compiled
def _joint_length(spans: Spans, found: int) -> float:
    """Return the length of some intervals together, what they share once."""
    total, end = 0.0, -np.inf
    for k in np.argsort(spans[0][:found]):
        low, high = max(spans[0][k], end), spans[1][k]
        if high > low:
            total += high - low
            end = high
    return total
