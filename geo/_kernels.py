"""Compiled searches in space: the loops behind `geo._search`.

One index serves every search. Items (points, or pieces of edges) stand in Z-order, eight to a
leaf, eight nodes to the node above, and every node has the box that holds its items. A node i of
level l holds the items from ``i * 8^(l + 1)`` on, so the hierarchy needs no pointers. In space
neither the poles nor the antimeridian are special.

A kernel fills the arrays it is given for the rows from ``start`` to ``stop`` and holds no lock, so
that ordinary threads share the work. Nothing here rests on a threading layer of its own, which
could not be used from worker processes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit

from geo.geodesy import RMAX_M, RMIN_M, SEMI_MAJOR_M, SEMI_MINOR_M, SLACK_M

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Place = tuple[float, float, float]
    Stack = tuple[Ints, Ints, Floats]

__all__ = [
    "FANOUT",
    "Tree",
    "compiled",
    "count_chords",
    "descend",
    "fill_boxes",
    "list_chords",
    "list_feet",
    "nearest_chords",
    "nearest_feet",
    "short_length",
    "short_lengths",
    "stack_of",
    "z_codes",
]

FANOUT = 8
_DEPTH = 160  # every level adds seven nodes at most: enough for more items than there is memory
_PLUS, _MINUS = 6, 7  # columns of the boxes: the greatest and the least radius within
_EQUATOR2, _POLAR2 = SEMI_MAJOR_M**-2, SEMI_MINOR_M**-2
_LEAST2 = (
    1e-30  # square of a chord so short that its own length serves, and could not be divided by
)
_HALF_CUBE_M = 6_400_000.0  # the ellipsoid lies within this of the centre on every axis
_Z_STEPS = (1 << 21) - 1

F = TypeVar("F", bound="Callable[..., object]")


class Tree(NamedTuple):
    """
    Items in space, indexed.

    Parameters
    ----------
    low, high : numpy.ndarray, shape (n, 3)
        The corners of each item's box, in Z-order; the same array for points.
    radius : numpy.ndarray, shape (n,) or (0,)
        The radius of each item in metres; empty if there are none to be considered.
    order : numpy.ndarray of int, shape (n,)
        The position at which each item was given.
    first : numpy.ndarray of int
        Where each level starts among the nodes, and where the last one ends.
    boxes : numpy.ndarray, shape (nodes, 8)
        Least and greatest x, y, z of every node, then its greatest and its least radius.
    """

    low: Floats
    high: Floats
    radius: Floats
    order: Ints
    first: Ints
    boxes: Floats


def compiled(function: F) -> F:
    """Compile a kernel on first use, and keep it on disk for the next process."""
    try:
        return cast("F", njit(nogil=True, cache=True)(function))
    except RuntimeError:  # nowhere to keep it: neither the package nor a home can be written
        return cast("F", njit(nogil=True)(function))


def inlined(function: F) -> F:
    """Compile a part of kernels into each of them: a call would cost more than its work."""
    return cast("F", njit(inline="always")(function))


# ---------------------------------------------------------------------------- building


@compiled
def _spread(value: float) -> np.uint64:
    """Put two empty bits after every bit of a coordinate."""
    v = np.uint64((value + _HALF_CUBE_M) / (2 * _HALF_CUBE_M) * _Z_STEPS)
    v = (v | v << np.uint64(32)) & np.uint64(0x1F00000000FFFF)
    v = (v | v << np.uint64(16)) & np.uint64(0x1F0000FF0000FF)
    v = (v | v << np.uint64(8)) & np.uint64(0x100F00F00F00F00F)
    v = (v | v << np.uint64(4)) & np.uint64(0x10C30C30C30C30C3)
    return (v | v << np.uint64(2)) & np.uint64(0x1249249249249249)


@compiled
def z_codes(start: int, stop: int, xyz: Floats, codes: NDArray[np.uint64]) -> None:
    """Write the place of each point on the Z-curve, in steps of 6 m."""
    for i in range(start, stop):
        x, y, z = _spread(xyz[i, 0]), _spread(xyz[i, 1]), _spread(xyz[i, 2])
        codes[i] = x | y << np.uint64(1) | z << np.uint64(2)


@compiled
def fill_boxes(tree: Tree) -> None:
    """Write the box of every node, from the leaves up."""
    boxes, first = tree.boxes, tree.first
    for level in range(len(first) - 1):
        below = len(tree.low) if level == 0 else first[level] - first[level - 1]
        for i in range(first[level + 1] - first[level]):
            node = first[level] + i
            boxes[node, :3], boxes[node, 3:6] = np.inf, -np.inf
            boxes[node, _PLUS], boxes[node, _MINUS] = -np.inf, np.inf
            for j in range(i * FANOUT, min((i + 1) * FANOUT, below)):
                if level > 0:
                    _widen(
                        boxes,
                        node,
                        boxes[first[level - 1] + j, :3],
                        boxes[first[level - 1] + j, 3:6],
                    )
                    plus, minus = (
                        boxes[first[level - 1] + j, _PLUS],
                        boxes[first[level - 1] + j, _MINUS],
                    )
                else:
                    _widen(boxes, node, tree.low[j], tree.high[j])
                    plus = minus = tree.radius[j] if len(tree.radius) else 0.0
                boxes[node, _PLUS] = max(boxes[node, _PLUS], plus)
                boxes[node, _MINUS] = min(boxes[node, _MINUS], minus)


@compiled
def _widen(boxes: Floats, node: int, low: Floats, high: Floats) -> None:
    """Make a box hold another one."""
    for axis in range(3):
        boxes[node, axis] = min(boxes[node, axis], low[axis])
        boxes[node, 3 + axis] = max(boxes[node, 3 + axis], high[axis])


# ---------------------------------------------------------------------------- lengths and bounds


@inlined
def _apart2(place: Place, b: Floats, j: int) -> float:
    """Return the square of the chord from a place to one of many."""
    dx, dy, dz = b[j, 0] - place[0], b[j, 1] - place[1], b[j, 2] - place[2]
    return dx * dx + dy * dy + dz * dz


@compiled
def short_length(a: Floats, i: int, b: Floats, j: int) -> float:
    """Return the geodesic length of two places from their chord; `geo.geodesy` has the formula."""
    dx, dy, dz = a[i, 0] - b[j, 0], a[i, 1] - b[j, 1], a[i, 2] - b[j, 2]
    mx, my, mz = a[i, 0] + b[j, 0], a[i, 1] + b[j, 1], a[i, 2] + b[j, 2]
    across, up = dx * dx + dy * dy, dz * dz
    chord2 = across + up
    if chord2 < _LEAST2:
        return math.sqrt(chord2)
    axial, polar = mx * mx + my * my, mz * mz
    along = (across * _EQUATOR2 + up * _POLAR2) / chord2
    middle = axial * _EQUATOR2 + polar * _POLAR2
    slope = axial * _EQUATOR2 * _EQUATOR2 + polar * _POLAR2 * _POLAR2
    if middle == 0.0:
        return math.pi * SEMI_MINOR_M
    half = 0.5 * math.sqrt(chord2 * middle / slope) * along
    return math.sqrt(chord2) * (math.asin(half) / half if half < 1.0 else 0.5 * math.pi)


@compiled
def short_lengths(
    start: int, stop: int, a: Floats, i: Ints, b: Floats, j: Ints, out: Floats
) -> None:
    """Write the short lengths of pairs."""
    for row in range(start, stop):
        out[row] = short_length(a, i[row], b, j[row])


@compiled
def _within2(length_m: float) -> float:
    """Return the square of `geo.geodesy.chord_within`, or -1 where no chord passes."""
    if length_m < 0.0:
        return -1.0
    chord = 2 * RMIN_M * math.sin(min(length_m / (2 * RMIN_M), 0.5 * math.pi)) - SLACK_M
    return max(chord, 0.0) ** 2  # places that coincide are within any length


@compiled
def _beyond2(length_m: float) -> float:
    """Return the square of `geo.geodesy.chord_beyond`, or -1 where every chord is beyond."""
    if length_m < 0.0:
        return -1.0
    return (2 * RMAX_M * math.sin(min(length_m / (2 * RMAX_M), 0.5 * math.pi)) + SLACK_M) ** 2


@inlined
def _nearest2(boxes: Floats, node: int, x: float, y: float, z: float) -> float:
    """Return the square of the least distance from a place to a box."""
    dx = max(max(boxes[node, 0] - x, x - boxes[node, 3]), 0.0)
    dy = max(max(boxes[node, 1] - y, y - boxes[node, 4]), 0.0)
    dz = max(max(boxes[node, 2] - z, z - boxes[node, 5]), 0.0)
    return dx * dx + dy * dy + dz * dz


@inlined
def _gap2(boxes: Floats, node: int, group: Floats) -> float:
    """Return the square of the least distance between two boxes."""
    dx = max(max(boxes[node, 0] - group[0, 3], group[0, 0] - boxes[node, 3]), 0.0)
    dy = max(max(boxes[node, 1] - group[0, 4], group[0, 1] - boxes[node, 4]), 0.0)
    dz = max(max(boxes[node, 2] - group[0, 5], group[0, 2] - boxes[node, 5]), 0.0)
    return dx * dx + dy * dy + dz * dz


@inlined
def _span2(boxes: Floats, node: int, group: Floats) -> float:
    """Return the square of the greatest distance between two boxes."""
    dx = max(group[0, 3] - boxes[node, 0], boxes[node, 3] - group[0, 0])
    dy = max(group[0, 4] - boxes[node, 1], boxes[node, 4] - group[0, 1])
    dz = max(group[0, 5] - boxes[node, 2], boxes[node, 5] - group[0, 2])
    return dx * dx + dy * dy + dz * dz


# ---------------------------------------------------------------------------- walking the tree


@compiled
def stack_of(first: Ints) -> Stack:
    """Return a stack that holds the root: its node, its level, its bound."""
    nodes, levels = np.zeros(_DEPTH, np.int64), np.zeros(_DEPTH, np.int64)
    levels[0] = len(first) - 2
    return nodes, levels, np.zeros(_DEPTH)


@inlined
def descend(tree: Tree, stack: Stack, depth: int, cut: float, place: Place) -> int:
    """Put the children of the node at `depth` within `cut` on the stack, the nearest on top."""
    nodes, levels, bounds = stack
    x, y, z = place
    node, level = nodes[depth], levels[depth] - 1
    base, start, best = tree.first[level], depth, depth
    for i in range(node * FANOUT, min((node + 1) * FANOUT, tree.first[level + 1] - base)):
        bound = _nearest2(tree.boxes, base + i, x, y, z)
        if bound <= cut:
            nodes[depth], levels[depth], bounds[depth] = i, level, bound
            if bound < bounds[best]:
                best = depth
            depth += 1
    if depth > start:
        top = depth - 1
        nodes[best], nodes[top] = nodes[top], nodes[best]
        bounds[best], bounds[top] = bounds[top], bounds[best]
    return depth


@compiled
def nearest_chords(
    start: int,
    stop: int,
    places: Floats,
    order: Ints,
    limit2: float,
    tree: Tree,
    position: Ints,
    chord2: Floats,
) -> None:
    """
    Write the items nearest to places by chord; the places stand in `order`.

    All columns of `position` but the last are the nearest. The last is the next one if it is near
    enough to be nearer by geodesic than one of them; if it is farther, any item or none. Eight
    neighbouring places walk the tree together, each with its own limit.
    """
    first, boxes, low = tree.first, tree.boxes, tree.low
    wanted = position.shape[1]
    k = wanted - 1
    nodes, levels, bounds = stack_of(first)
    xyz, group, cut = np.empty((FANOUT, 3)), np.empty((1, 8)), np.empty(FANOUT)
    found, square = np.empty((FANOUT, wanted), np.int64), np.empty((FANOUT, wanted))
    seed = np.full(k, -1)
    for at in range(start, stop, FANOUT):
        m = min(FANOUT, stop - at)
        _box_of(places, at, m, xyz, group)
        farthest = 0.0
        for q in range(m):
            cut[q] = limit2
            if seed[k - 1] >= 0:
                # the answer is no farther than what a place before has found, which is as much
                worst = 0.0
                for c in range(k):
                    worst = max(worst, _apart2((xyz[q, 0], xyz[q, 1], xyz[q, 2]), low, seed[c]))
                cut[q] = min(limit2, _band2(worst))
            farthest = max(farthest, cut[q])
        found[:m], square[:m] = -1, np.inf
        nodes[0], levels[0], bounds[0] = 0, len(first) - 2, 0.0
        depth = 1
        while depth:
            depth -= 1
            if bounds[depth] > farthest:
                continue
            node, level = nodes[depth], levels[depth]
            if level > 0:
                base, begin, best = first[level - 1], depth, depth
                for i in range(node * FANOUT, min((node + 1) * FANOUT, first[level] - base)):
                    bound = _gap2(boxes, base + i, group)
                    if bound <= farthest:
                        nodes[depth], levels[depth], bounds[depth] = i, level - 1, bound
                        if bound < bounds[best]:
                            best = depth
                        depth += 1
                if depth > begin:
                    top = depth - 1
                    nodes[best], nodes[top] = nodes[top], nodes[best]
                    bounds[best], bounds[top] = bounds[top], bounds[best]
                continue
            farthest = 0.0
            leaf, end = node * FANOUT, min((node + 1) * FANOUT, len(low))
            for q in range(m):
                x, y, z = xyz[q, 0], xyz[q, 1], xyz[q, 2]
                if _nearest2(boxes, node, x, y, z) <= cut[q]:
                    for j in range(leaf, end):
                        dx, dy, dz = low[j, 0] - x, low[j, 1] - y, low[j, 2] - z
                        d2 = dx * dx + dy * dy + dz * dz
                        if d2 <= cut[q] and d2 < square[q, k]:
                            _insert(found[q], square[q], j, d2)
                            cut[q] = min(cut[q], _band2(square[q, k - 1]))
                farthest = max(farthest, cut[q])
        seed[:] = found[m - 1, :k]
        for q in range(m):
            row = order[at + q]
            for c in range(wanted):
                position[row, c] = tree.order[found[q, c]] if found[q, c] >= 0 else -1
                chord2[row, c] = square[q, c]


@compiled
def _box_of(places: Floats, at: int, m: int, xyz: Floats, group: Floats) -> None:
    """Write some places that stand next to each other, and their box."""
    group[0, :3], group[0, 3:6] = np.inf, -np.inf
    for q in range(m):
        for axis in range(3):
            value = places[at + q, axis]
            xyz[q, axis] = value
            group[0, axis] = min(group[0, axis], value)
            group[0, 3 + axis] = max(group[0, 3 + axis], value)


@inlined
def _band2(chord2: float) -> float:
    """
    Return the square of a chord within which are all that may be no longer than a given one.

    No less than ``chord_beyond(longest_length(chord))``, whose square exceeds that of the chord by
    a factor of at most 1 + 5e-17 chord^2 up to 5000 km, plus the slack on both sides.
    """
    if chord2 > 2.5e13:  # noqa: PLR2004 - the square of 5000 km
        return np.inf
    return chord2 * (1.0 + 1e-16 * chord2) + 6.0 * SLACK_M * (math.sqrt(chord2) + SLACK_M)


@inlined
def _insert(found: Ints, square: Floats, item: int, value: float) -> None:
    """Put an item among the nearest, in the place of the farthest."""
    c = len(found) - 1
    while c > 0 and square[c - 1] > value:
        found[c], square[c] = found[c - 1], square[c - 1]
        c -= 1
    found[c], square[c] = item, value


@compiled
def count_chords(
    start: int,
    stop: int,
    places: Floats,
    order: Ints,
    limit_m: Floats,
    sign: int,
    enough: int,
    tree: Tree,
    counts: Ints,
) -> None:
    """
    Count the items that are surely and that are possibly within the limit of each place.

    The limit of a pair is that of the place plus `sign` times the radius of the item. The
    columns of `counts` are the sure and the possible ones; places with `enough` sure ones may
    be left at that. The places stand in `order`, and eight neighbours walk the tree together.
    """
    first, boxes, low = tree.first, tree.boxes, tree.low
    nodes, levels, _ = stack_of(first)
    within2, beyond2 = np.empty(FANOUT), np.empty(FANOUT)
    group, xyz = np.empty((1, 8)), np.empty((FANOUT, 3))
    sure, possible = np.empty(FANOUT, np.int64), np.empty(FANOUT, np.int64)
    for at in range(start, stop, FANOUT):
        m = min(FANOUT, stop - at)
        _box_of(places, at, m, xyz, group)
        least, most = np.inf, -np.inf
        for q in range(m):
            least, most = min(least, limit_m[order[at + q]]), max(most, limit_m[order[at + q]])
            within2[q], beyond2[q] = (
                _within2(limit_m[order[at + q]]),
                _beyond2(limit_m[order[at + q]]),
            )
        sure[:], possible[:] = 0, 0
        all_within2, any_beyond2 = _within2(least), _beyond2(most)
        nodes[0], levels[0] = 0, len(first) - 2
        depth = 1
        while depth and sure[:m].min() < enough:
            depth -= 1
            node, level = nodes[depth], levels[depth]
            box = first[level] + node
            if sign:
                plus, minus = sign * boxes[box, _PLUS], sign * boxes[box, _MINUS]
                all_within2 = _within2(least + min(plus, minus))
                any_beyond2 = _beyond2(most + max(plus, minus))
            begin, end = _items_of(node, level, len(low))
            if _span2(boxes, box, group) <= all_within2:
                sure += end - begin
                possible += end - begin
                continue
            if level > 0:
                base = first[level - 1]
                for i in range(node * FANOUT, min((node + 1) * FANOUT, first[level] - base)):
                    nodes[depth], levels[depth] = i, level - 1
                    if _gap2(boxes, base + i, group) <= any_beyond2:
                        depth += 1
                continue
            for q in range(m):
                x, y, z = xyz[q, 0], xyz[q, 1], xyz[q, 2]
                w2, b2, n_sure, n_possible = within2[q], beyond2[q], 0, 0
                for j in range(begin, end):
                    if sign:
                        limit = limit_m[order[at + q]] + sign * tree.radius[j]
                        w2, b2 = _within2(limit), _beyond2(limit)
                    dx, dy, dz = low[j, 0] - x, low[j, 1] - y, low[j, 2] - z
                    d2 = dx * dx + dy * dy + dz * dz
                    n_sure += d2 <= w2
                    n_possible += d2 <= b2
                sure[q] += n_sure
                possible[q] += n_possible
        for q in range(m):
            counts[order[at + q], 0], counts[order[at + q], 1] = sure[q], possible[q]


@inlined
def _items_of(node: int, level: int, n: int) -> tuple[int, int]:
    """Return the first item of a node and the one after its last."""
    size = FANOUT ** (level + 1)
    return node * size, min((node + 1) * size, n)


@compiled
def list_chords(
    start: int,
    stop: int,
    places: Floats,
    rows: Ints,
    limit_m: Floats,
    sign: int,
    open_only: bool,  # noqa: FBT001 - kernels take no keywords
    tree: Tree,
    ends: Ints,
    out: tuple[Ints, Ints],
) -> None:
    """Write the pairs that are possibly within the limit of their place, or only the open ones."""
    stack = stack_of(tree.first)
    for at in range(start, stop):
        row, cursor = rows[at], ends[at]
        place = (places[row, 0], places[row, 1], places[row, 2])
        most = tree.boxes[len(tree.boxes) - 1, _PLUS if sign > 0 else _MINUS]
        cut = _beyond2(limit_m[row] + sign * most)
        stack[0][0], stack[1][0], stack[2][0] = 0, len(tree.first) - 2, 0.0
        depth = 1
        while depth:
            depth -= 1
            if stack[1][depth] > 0:
                depth = descend(tree, stack, depth, cut, place)
                continue
            first, last = _items_of(stack[0][depth], 0, len(tree.low))
            for j in range(first, last):
                limit = limit_m[row] + (sign * tree.radius[j] if sign else 0.0)
                d2 = _apart2(place, tree.low, j)
                if d2 <= _beyond2(limit) and not (open_only and d2 <= _within2(limit)):
                    out[0][cursor], out[1][cursor] = row, tree.order[j]
                    cursor += 1


# ---------------------------------------------------------------------------- pieces of edges


@inlined
def _foot2(place: Place, starts: Floats, vectors: Floats, j: int) -> float:
    """Return the square of the distance from a place to the chord of a piece."""
    wx, wy, wz = place[0] - starts[j, 0], place[1] - starts[j, 1], place[2] - starts[j, 2]
    ux, uy, uz = vectors[j, 0], vectors[j, 1], vectors[j, 2]
    square = ux * ux + uy * uy + uz * uz
    share = (ux * wx + uy * wy + uz * wz) / square if square > 0.0 else 0.0
    share = min(max(share, 0.0), 1.0)
    wx, wy, wz = wx - share * ux, wy - share * uy, wz - share * uz
    return wx * wx + wy * wy + wz * wz


@compiled
def nearest_feet(
    start: int,
    stop: int,
    places: Floats,
    order: Ints,
    tree: Tree,
    starts: Floats,
    vectors: Floats,
    piece: Ints,
) -> None:
    """Write the piece whose chord is nearest to each place; the places stand in `order`."""
    stack, seed = stack_of(tree.first), -1
    for at in range(start, stop):
        row, found = order[at], seed
        place = (places[at, 0], places[at, 1], places[at, 2])
        cut = np.inf if seed < 0 else _foot2(place, starts, vectors, seed)
        stack[0][0], stack[1][0], stack[2][0] = 0, len(tree.first) - 2, 0.0
        depth = 1
        while depth:
            depth -= 1
            if stack[2][depth] > cut:
                continue
            if stack[1][depth] > 0:
                depth = descend(tree, stack, depth, cut, place)
                continue
            first, last = _items_of(stack[0][depth], 0, len(tree.low))
            for j in range(first, last):
                d2 = _foot2(place, starts, vectors, j)
                if d2 < cut:
                    cut, found = d2, j
        seed = found
        piece[row] = found


@compiled
def list_feet(
    start: int,
    stop: int,
    places: Floats,
    reach_m: Floats,
    tree: Tree,
    starts: Floats,
    vectors: Floats,
    sag_m: Floats,
    ends: Ints,
    out: tuple[Ints, Ints],
) -> None:
    """Write the pieces that may come within reach of places; without room, only count them."""
    stack, counting = stack_of(tree.first), len(out[0]) == 0
    for row in range(start, stop):
        cut, cursor = reach_m[row] ** 2, 0 if counting else ends[row]
        place = (places[row, 0], places[row, 1], places[row, 2])
        stack[0][0], stack[1][0], stack[2][0] = 0, len(tree.first) - 2, 0.0
        depth = 1
        while depth:
            depth -= 1
            if stack[1][depth] > 0:
                depth = descend(tree, stack, depth, cut, place)
                continue
            first, last = _items_of(stack[0][depth], 0, len(tree.low))
            for j in range(first, last):
                if math.sqrt(_foot2(place, starts, vectors, j)) - sag_m[j] <= reach_m[row]:
                    if not counting:
                        out[0][cursor], out[1][cursor] = row, j
                    cursor += 1
        if counting:
            ends[row] = cursor
