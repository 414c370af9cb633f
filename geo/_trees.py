"""The index behind every search in space, and the bounds that its searches prove things by.

Items (points, or pieces of edges) stand in Z-order, eight to a leaf, eight nodes to the node above,
and every node has the box that holds its items. A node i of level l holds the items from
``i * 8^(l + 1)`` on, so the hierarchy needs no pointers. In space neither the poles nor the
antimeridian are special.

All is compiled, and so are the modules that walk the tree: `geo._kernels` among points, `geo._feet`
among pieces of edges, `geo._linkage` and `geo._spanning` for clusters. A kernel fills the arrays it
is given for the rows from ``start`` to ``stop`` and holds no lock, so that ordinary threads share
the work. Nothing rests on a threading layer of numba's, which could not be used from worker
processes.
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
    "MINUS",
    "PLUS",
    "Tree",
    "apart2",
    "beyond_chord2",
    "compiled",
    "descend",
    "fill_boxes",
    "gap2",
    "gap_to_box2",
    "inlined",
    "items_of",
    "short_length",
    "short_lengths",
    "span2",
    "stack_of",
    "within_chord2",
    "z_codes",
]

FANOUT = 8
PLUS, MINUS = 6, 7  # columns of the boxes: the greatest and the least radius within
_DEPTH = 160  # every level adds seven nodes at most: enough for more items than there is memory
_EQUATOR2, _POLAR2 = SEMI_MAJOR_M**-2, SEMI_MINOR_M**-2
# the square of a chord so short that it is its own length, and could not be divided by
_LEAST2 = 1e-30
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
    """
    Compile a kernel on first use, and keep it on disk for the next process.

    Division is that of the processor: one that asked for zero first could not be done for several
    numbers at once.
    """
    try:
        return cast("F", njit(nogil=True, cache=True, error_model="numpy")(function))
    except RuntimeError:  # nowhere to keep it: neither the package nor a home can be written
        return cast("F", njit(nogil=True, error_model="numpy")(function))


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
            boxes[node, PLUS], boxes[node, MINUS] = -np.inf, np.inf
            for j in range(i * FANOUT, min((i + 1) * FANOUT, below)):
                if level > 0:
                    _widen(
                        boxes,
                        node,
                        boxes[first[level - 1] + j, :3],
                        boxes[first[level - 1] + j, 3:6],
                    )
                    plus, minus = (
                        boxes[first[level - 1] + j, PLUS],
                        boxes[first[level - 1] + j, MINUS],
                    )
                else:
                    _widen(boxes, node, tree.low[j], tree.high[j])
                    plus = minus = tree.radius[j] if len(tree.radius) else 0.0
                boxes[node, PLUS] = max(boxes[node, PLUS], plus)
                boxes[node, MINUS] = min(boxes[node, MINUS], minus)


@compiled
def _widen(boxes: Floats, node: int, low: Floats, high: Floats) -> None:
    """Make a box hold another one."""
    for axis in range(3):
        boxes[node, axis] = min(boxes[node, axis], low[axis])
        boxes[node, 3 + axis] = max(boxes[node, 3 + axis], high[axis])


# ---------------------------------------------------------------------------- lengths and bounds


@inlined
def apart2(place: Place, b: Floats, j: int) -> float:
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
def within_chord2(length_m: float) -> float:
    """Return the square of `geo.geodesy.chord_within`, or -1 where no chord passes."""
    if length_m < 0.0:
        return -1.0
    chord = 2 * RMIN_M * math.sin(min(length_m / (2 * RMIN_M), 0.5 * math.pi)) - SLACK_M
    return max(chord, 0.0) ** 2  # places that coincide are within any length


@compiled
def beyond_chord2(length_m: float) -> float:
    """Return the square of `geo.geodesy.chord_beyond`, or -1 where every chord is beyond."""
    if length_m < 0.0:
        return -1.0
    return (2 * RMAX_M * math.sin(min(length_m / (2 * RMAX_M), 0.5 * math.pi)) + SLACK_M) ** 2


@inlined
def gap_to_box2(boxes: Floats, node: int, x: float, y: float, z: float) -> float:
    """Return the square of the least distance from a place to a box."""
    dx = max(max(boxes[node, 0] - x, x - boxes[node, 3]), 0.0)
    dy = max(max(boxes[node, 1] - y, y - boxes[node, 4]), 0.0)
    dz = max(max(boxes[node, 2] - z, z - boxes[node, 5]), 0.0)
    return dx * dx + dy * dy + dz * dz


@inlined
def gap2(boxes: Floats, node: int, group: Floats) -> float:
    """Return the square of the least distance between two boxes."""
    dx = max(max(boxes[node, 0] - group[0, 3], group[0, 0] - boxes[node, 3]), 0.0)
    dy = max(max(boxes[node, 1] - group[0, 4], group[0, 1] - boxes[node, 4]), 0.0)
    dz = max(max(boxes[node, 2] - group[0, 5], group[0, 2] - boxes[node, 5]), 0.0)
    return dx * dx + dy * dy + dz * dz


@inlined
def span2(boxes: Floats, node: int, group: Floats) -> float:
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
        bound = gap_to_box2(tree.boxes, base + i, x, y, z)
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


@inlined
def items_of(node: int, level: int, n: int) -> tuple[int, int]:
    """Return the first item of a node and the one after its last."""
    size = FANOUT ** (level + 1)
    return node * size, min((node + 1) * size, n)
