"""Compiled searches among pieces of edges: the loops behind `geo._edges`, on `geo._trees`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geo._trees import Tree, compiled, descend, inlined, items_of, stack_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Place = tuple[float, float, float]

__all__ = ["list_feet", "nearest_feet"]


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
            first, last = items_of(stack[0][depth], 0, len(tree.low))
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
            first, last = items_of(stack[0][depth], 0, len(tree.low))
            for j in range(first, last):
                if math.sqrt(_foot2(place, starts, vectors, j)) - sag_m[j] <= reach_m[row]:
                    if not counting:
                        out[0][cursor], out[1][cursor] = row, j
                    cursor += 1
        if counting:
            ends[row] = cursor
