"""Compiled searches among points: the loops behind `geo._search`, on the tree of `geo._trees`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geo._trees import (
    FANOUT,
    MINUS,
    PLUS,
    Tree,
    apart2,
    beyond_chord2,
    compiled,
    descend,
    gap2,
    gap_to_box2,
    inlined,
    items_of,
    span2,
    stack_of,
    within_chord2,
)
from geo.geodesy import SLACK_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["count_chords", "list_chords", "nearest_chords"]


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
                    worst = max(worst, apart2((xyz[q, 0], xyz[q, 1], xyz[q, 2]), low, seed[c]))
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
                    bound = gap2(boxes, base + i, group)
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
                if gap_to_box2(boxes, node, x, y, z) <= cut[q]:
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
                within_chord2(limit_m[order[at + q]]),
                beyond_chord2(limit_m[order[at + q]]),
            )
        sure[:], possible[:] = 0, 0
        all_within2, any_beyond2 = within_chord2(least), beyond_chord2(most)
        nodes[0], levels[0] = 0, len(first) - 2
        depth = 1
        while depth and sure[:m].min() < enough:
            depth -= 1
            node, level = nodes[depth], levels[depth]
            box = first[level] + node
            if sign:
                plus, minus = sign * boxes[box, PLUS], sign * boxes[box, MINUS]
                all_within2 = within_chord2(least + min(plus, minus))
                any_beyond2 = beyond_chord2(most + max(plus, minus))
            begin, end = items_of(node, level, len(low))
            if span2(boxes, box, group) <= all_within2:
                sure += end - begin
                possible += end - begin
                continue
            if level > 0:
                base = first[level - 1]
                for i in range(node * FANOUT, min((node + 1) * FANOUT, first[level] - base)):
                    nodes[depth], levels[depth] = i, level - 1
                    if gap2(boxes, base + i, group) <= any_beyond2:
                        depth += 1
                continue
            for q in range(m):
                x, y, z = xyz[q, 0], xyz[q, 1], xyz[q, 2]
                w2, b2, n_sure, n_possible = within2[q], beyond2[q], 0, 0
                for j in range(begin, end):
                    if sign:
                        limit = limit_m[order[at + q]] + sign * tree.radius[j]
                        w2, b2 = within_chord2(limit), beyond_chord2(limit)
                    dx, dy, dz = low[j, 0] - x, low[j, 1] - y, low[j, 2] - z
                    d2 = dx * dx + dy * dy + dz * dz
                    n_sure += d2 <= w2
                    n_possible += d2 <= b2
                sure[q] += n_sure
                possible[q] += n_possible
        for q in range(m):
            counts[order[at + q], 0], counts[order[at + q], 1] = sure[q], possible[q]


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
        most = tree.boxes[len(tree.boxes) - 1, PLUS if sign > 0 else MINUS]
        cut = beyond_chord2(limit_m[row] + sign * most)
        stack[0][0], stack[1][0], stack[2][0] = 0, len(tree.first) - 2, 0.0
        depth = 1
        while depth:
            depth -= 1
            if stack[1][depth] > 0:
                depth = descend(tree, stack, depth, cut, place)
                continue
            first, last = items_of(stack[0][depth], 0, len(tree.low))
            for j in range(first, last):
                limit = limit_m[row] + (sign * tree.radius[j] if sign else 0.0)
                d2 = apart2(place, tree.low, j)
                if d2 <= beyond_chord2(limit) and not (open_only and d2 <= within_chord2(limit)):
                    out[0][cursor], out[1][cursor] = row, tree.order[j]
                    cursor += 1
