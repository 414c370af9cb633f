"""Compiled joining of points in space: sets that grow together, and the loops behind `dbscan`.

Points stand in the order of their `geo._trees.Tree`, and no lists of neighbours are kept, so that
memory grows with the points alone. Places known to lie within a distance of each other are told
by squares of chords; pairs between the two bounds of `geo.geodesy` are handed back open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo._trees import FANOUT, Tree, compiled, descend, stack_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

__all__ = ["first_cores", "join", "join_cores", "reach_cores", "root_of", "roots_of"]


@compiled
def root_of(parent: Ints, i: int) -> int:
    """Return what stands for the set of an item, and shorten the way to it."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@compiled
def roots_of(parent: Ints, roots: Ints) -> None:
    """Write what stands for the set of every item."""
    for i in range(len(parent)):
        roots[i] = root_of(parent, i)


@compiled
def join(parent: Ints, i: int, j: int) -> None:
    """Make one set of the sets of two items; the lower one stands for it."""
    a, b = root_of(parent, i), root_of(parent, j)
    if a < b:
        parent[b] = a
    elif b < a:
        parent[a] = b


@compiled
def first_cores(tree: Tree, core: Flags, cores: Ints) -> None:
    """Write the first core of every node, -1 where there is none."""
    for level in range(len(tree.first) - 1):
        below = len(core) if level == 0 else tree.first[level] - tree.first[level - 1]
        for i in range(tree.first[level + 1] - tree.first[level]):
            found = -1
            for j in range(i * FANOUT, min((i + 1) * FANOUT, below)):
                inner = j if core[j] else -1
                found = inner if level == 0 else cores[tree.first[level - 1] + j]
                if found >= 0:
                    break
            cores[tree.first[level] + i] = found


@compiled
def _diagonal2(boxes: Floats, node: int) -> float:
    """Return the square of the greatest distance within a box."""
    dx, dy = boxes[node, 3] - boxes[node, 0], boxes[node, 4] - boxes[node, 1]
    dz = boxes[node, 5] - boxes[node, 2]
    return dx * dx + dy * dy + dz * dz


@compiled
def join_cores(
    tree: Tree,
    core: Flags,
    cores: Ints,
    within2: float,
    beyond2: float,
    parent: Ints,
    open_i: Ints,
    open_j: Ints,
) -> int:
    """
    Join all cores within the distance; return how many pairs of different sets stayed open.

    A node whose box is no wider than the distance holds cores of one set. It is passed over by
    every core of that set, and left once a core has been joined to it, so that dense places cost
    no more than sparse ones.
    """
    _join_within_boxes(tree, core, cores, within2, parent)
    n_open, stack = 0, stack_of(tree.first)
    nodes, levels, _ = stack
    for i in range(len(core)):
        if not core[i]:
            continue
        place = (tree.low[i, 0], tree.low[i, 1], tree.low[i, 2])
        nodes[0], levels[0] = 0, len(tree.first) - 2
        depth = 1
        while depth:
            depth -= 1
            node, level = nodes[depth], levels[depth]
            box, size = tree.first[level] + node, FANOUT ** (level + 1)
            # pairs are met once, from the lower of the two
            if (node + 1) * size <= i + 1 or cores[box] < 0:
                continue
            narrow = _diagonal2(tree.boxes, box) <= within2
            if narrow and root_of(parent, cores[box]) == root_of(parent, i):
                continue
            if level > 0:
                depth = descend(tree, stack, depth, beyond2, place)
                continue
            for j in range(max(node * size, i + 1), min((node + 1) * size, len(core))):
                if not core[j]:
                    continue
                d2 = _square(tree.low, i, j)
                if d2 <= within2:
                    join(parent, i, j)
                    if narrow:
                        break
                elif d2 <= beyond2 and root_of(parent, i) != root_of(parent, j):
                    if n_open < len(open_i):
                        open_i[n_open], open_j[n_open] = i, j
                    n_open += 1
    return n_open


@compiled
def _join_within_boxes(tree: Tree, core: Flags, cores: Ints, within2: float, parent: Ints) -> None:
    """Join the cores of every node that is no wider than the distance."""
    for level in range(len(tree.first) - 1):
        size = FANOUT ** (level + 1)
        for i in range(tree.first[level + 1] - tree.first[level]):
            box = tree.first[level] + i
            if cores[box] < 0 or _diagonal2(tree.boxes, box) > within2:
                continue
            # nodes below are narrow too: joining the first core of each is enough
            step = 1 if level == 0 else FANOUT**level
            for j in range(i * size, min((i + 1) * size, len(core)), step):
                other = (
                    cores[tree.first[level - 1] + j // step] if level else (j if core[j] else -1)
                )
                if other >= 0:
                    join(parent, cores[box], other)


@compiled
def _square(xyz: Floats, i: int, j: int) -> float:
    """Return the square of the chord between two points."""
    dx, dy, dz = xyz[i, 0] - xyz[j, 0], xyz[i, 1] - xyz[j, 1], xyz[i, 2] - xyz[j, 2]
    return dx * dx + dy * dy + dz * dz


@compiled
def reach_cores(
    start: int,
    stop: int,
    tree: Tree,
    core: Flags,
    cores: Ints,
    number: Ints,
    within2: float,
    beyond2: float,
    reached: Ints,
) -> None:
    """
    Write the lowest and the highest cluster with a core near each point that is no core.

    The columns of `reached` are these two, and how many cores are so near to the limit that
    they stay open.
    """
    stack = stack_of(tree.first)
    nodes, levels, _ = stack
    for i in range(start, stop):
        reached[i, 0] = reached[i, 1] = number[i]
        reached[i, 2] = 0
        if core[i]:
            continue
        place = (tree.low[i, 0], tree.low[i, 1], tree.low[i, 2])
        nodes[0], levels[0] = 0, len(tree.first) - 2
        depth = 1
        while depth:
            depth -= 1
            node, level = nodes[depth], levels[depth]
            if cores[tree.first[level] + node] < 0:
                continue
            if level > 0:
                depth = descend(tree, stack, depth, beyond2, place)
                continue
            for j in range(node * FANOUT, min((node + 1) * FANOUT, len(core))):
                if not core[j]:
                    continue
                d2 = _square(tree.low, i, j)
                if d2 <= within2:
                    low = reached[i, 0]
                    reached[i, 0] = number[j] if low < 0 else min(low, number[j])
                    reached[i, 1] = max(reached[i, 1], number[j])
                elif d2 <= beyond2:
                    reached[i, 2] += 1
