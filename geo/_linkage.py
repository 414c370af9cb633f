"""Compiled joining of points in space: the loops behind `dbscan`, `hdbscan` and `optics`.

All take the points in the order of their `geo._kernels.Tree` and keep no lists of neighbours, so
that memory grows with the points alone. Places known to lie within a distance of each other are
told by squares of chords; pairs between the two bounds of `geo.geodesy` are handed back open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo._kernels import FANOUT, Tree, compiled, descend, short_length, stack_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

__all__ = [
    "first_cores",
    "grow_clusters",
    "join",
    "join_cores",
    "merge_edges",
    "order_points",
    "reach_cores",
    "root_of",
    "roots_of",
    "spanning_tree",
]


_ERROR_M = 2e-8  # of a short length and of Karney's together, up to
_ERROR_FROM_M = 50_000.0  # from where the error of a short length grows with its fifth power


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


# ---------------------------------------------------------------------------- DBSCAN


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


# ---------------------------------------------------------------------------- HDBSCAN


@compiled
def spanning_tree(tree: Tree, reach_m: Floats, out_i: Ints, out_j: Ints) -> None:
    """
    Write the edges of a minimum spanning tree under mutual reachability (Boruvka's rounds).

    `reach_m` is the core distance of each point, in the order of the tree. Of equal edges the one
    met first is taken: a cycle of such choices has edges of one length, any of which may be left
    out.
    """
    n, n_edges = len(reach_m), 0
    parent, root = np.arange(n), np.arange(n)
    least, same = np.empty(len(tree.boxes)), np.empty(len(tree.boxes), np.int64)
    _lowest(tree, reach_m, least)
    best, best_i, best_j = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    while n_edges < n - 1:
        roots_of(parent, root)
        _shared(tree, root, same)
        best[:], best_i[:], best_j[:] = np.inf, -1, -1
        _nearest_strangers(tree, reach_m, root, least, same, best, best_i, best_j)
        for i in range(n):
            if best_i[i] < 0:
                continue
            a, b = root_of(parent, best_i[i]), root_of(parent, best_j[i])
            if a != b:
                join(parent, a, b)
                out_i[n_edges], out_j[n_edges] = best_i[i], best_j[i]
                n_edges += 1


@compiled
def _lowest(tree: Tree, values: Floats, least: Floats) -> None:
    """Write the least value of every node."""
    for level in range(len(tree.first) - 1):
        below = len(values) if level == 0 else tree.first[level] - tree.first[level - 1]
        for i in range(tree.first[level + 1] - tree.first[level]):
            found = np.inf
            for j in range(i * FANOUT, min((i + 1) * FANOUT, below)):
                found = min(found, values[j] if level == 0 else least[tree.first[level - 1] + j])
            least[tree.first[level] + i] = found


@compiled
def _shared(tree: Tree, root: Ints, same: Ints) -> None:
    """Write the set that all items of a node belong to, -1 where they belong to several."""
    for level in range(len(tree.first) - 1):
        below = len(root) if level == 0 else tree.first[level] - tree.first[level - 1]
        for i in range(tree.first[level + 1] - tree.first[level]):
            found = -2
            for j in range(i * FANOUT, min((i + 1) * FANOUT, below)):
                value = root[j] if level == 0 else same[tree.first[level - 1] + j]
                found = value if found in (-2, value) else -1
            same[tree.first[level] + i] = found


@compiled
def _nearest_strangers(
    tree: Tree,
    reach_m: Floats,
    root: Ints,
    least: Floats,
    same: Ints,
    best: Floats,
    best_i: Ints,
    best_j: Ints,
) -> None:
    """Write the shortest edge that leaves each set."""
    stack = stack_of(tree.first)
    nodes, levels, bounds = stack
    for i in range(len(root)):
        own = root[i]
        if reach_m[i] >= best[own]:
            continue
        place = (tree.low[i, 0], tree.low[i, 1], tree.low[i, 2])
        nodes[0], levels[0], bounds[0] = 0, len(tree.first) - 2, 0.0
        depth = 1
        while depth:
            depth -= 1
            node, level = nodes[depth], levels[depth]
            box, cut = tree.first[level] + node, best[own]
            if same[box] == own or least[box] >= cut or bounds[depth] >= cut * cut:
                continue
            if level > 0:
                depth = descend(tree, stack, depth, cut * cut, place)
                continue
            for j in range(node * FANOUT, min((node + 1) * FANOUT, len(root))):
                if root[j] == own or reach_m[j] >= best[own]:
                    continue
                length = max(short_length(tree.low, i, tree.low, j), reach_m[i], reach_m[j])
                if length < best[own]:
                    best[own], best_i[own], best_j[own] = length, i, j


@compiled
def merge_edges(i: Ints, j: Ints, left: Ints, right: Ints, size: Ints) -> None:
    """Write the two nodes that each edge joins, the shortest first, and the size of all nodes."""
    n = len(i) + 1
    parent, node = np.arange(n), np.arange(n)
    size[:n] = 1
    for edge in range(n - 1):
        a, b = root_of(parent, i[edge]), root_of(parent, j[edge])
        left[edge], right[edge] = node[a], node[b]
        join(parent, a, b)
        node[root_of(parent, a)] = n + edge
        size[n + edge] = size[left[edge]] + size[right[edge]]


@compiled
def grow_clusters(
    left: Ints,
    right: Ints,
    height_m: Floats,
    size: Ints,
    least: int,
    start: Ints,
    leave_m: Floats,
    spans: Ints,
    life_m: Floats,
    stability: Floats,
) -> int:
    """
    Follow clusters from the root of the hierarchy to where they fall apart; return their number.

    Joins of one height happen at once: a node and those below it of equal height have all their
    children in common, so that it does not matter in which order equal edges were taken. The
    columns of `spans` are a cluster's parent, its first place and its size; those of `life_m` its
    birth and its death, the height at which it splits into clusters, 0 if it never does.
    """
    n = len(left) + 1
    start[2 * n - 2] = 0
    for node in range(2 * n - 2, n - 1, -1):
        start[left[node - n]] = start[node]
        start[right[node - n]] = start[node] + size[left[node - n]]
    pile, large, roots = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    spans[0], life_m[0], roots[0] = np.array([-1, 0, n]), np.array([np.inf, 0.0]), 2 * n - 2
    stability[0] = 0.0
    cluster, n_clusters = 0, 1
    while cluster < n_clusters:
        node = roots[cluster]
        while node >= n:
            height = height_m[node - n]
            n_large, depth = 0, 1
            pile[0] = node
            while depth:
                depth -= 1
                at = pile[depth]
                for child in (left[at - n], right[at - n]):
                    if child >= n and height_m[child - n] == height:
                        pile[depth] = child
                        depth += 1
                    elif size[child] >= least:
                        large[n_large] = child
                        n_large += 1
                    else:
                        leave_m[start[child] : start[child] + size[child]] = height
            staying = size[large[0]] if n_large == 1 else 0
            stability[cluster] += (size[node] - staying) / height
            if n_large == 1:
                node = large[0]
                continue
            if n_large:
                life_m[cluster, 1] = height
            for child in large[:n_large]:
                spans[n_clusters] = np.array([cluster, start[child], size[child]])
                life_m[n_clusters] = np.array([height, 0.0])
                roots[n_clusters], stability[n_clusters] = child, -size[child] / height
                n_clusters += 1
            break
        cluster += 1
    return n_clusters


# ---------------------------------------------------------------------------- OPTICS


@compiled
def order_points(
    tree: Tree,
    row_of: Ints,
    core_m: Floats,
    most_m: float,
    ordering: Ints,
    reachability: Floats,
    predecessor: Ints,
) -> None:
    """
    Write the order in which OPTICS visits points, and from where each was reached.

    Arrays are in the order of the rows; `row_of` gives the row of each item of the tree.
    """
    n = len(core_m)
    place_of, done = np.empty(n, np.int64), np.zeros(n, np.bool_)
    for item in range(n):
        place_of[row_of[item]] = item
    reachability[:], predecessor[:] = np.inf, -1
    stack = stack_of(tree.first)
    nodes, levels, _ = stack
    for turn in range(n):
        row, least = -1, np.inf
        for other in range(n):
            if not done[other] and (row < 0 or reachability[other] < least):
                row, least = other, reachability[other]
        done[row] = True
        ordering[turn] = row
        if core_m[row] == np.inf:
            continue
        i = place_of[row]
        place = (tree.low[i, 0], tree.low[i, 1], tree.low[i, 2])
        nodes[0], levels[0] = 0, len(tree.first) - 2
        depth = 1
        while depth:
            depth -= 1
            if levels[depth] > 0:
                depth = descend(tree, stack, depth, (most_m + _ERROR_M) ** 2, place)
                continue
            node = nodes[depth]
            for j in range(node * FANOUT, min((node + 1) * FANOUT, n)):
                other = row_of[j]
                if done[other]:
                    continue
                length = short_length(tree.low, i, tree.low, j)
                if length > most_m + _ERROR_M:
                    continue
                # what its error cannot tell from the core distance is the core distance
                if length - core_m[row] <= _ERROR_M * max(1.0, (length / _ERROR_FROM_M) ** 5):
                    length = core_m[row]
                if length < reachability[other]:
                    reachability[other], predecessor[other] = length, row
