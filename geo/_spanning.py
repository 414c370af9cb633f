"""Compiled hierarchies of density: the loops behind `hdbscan` and `optics`, on `geo._trees`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo._linkage import join, root_of, roots_of
from geo._trees import FANOUT, Tree, compiled, descend, short_length, stack_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["grow_clusters", "merge_edges", "order_points", "spanning_tree"]

_ERROR_M = 2e-8  # of a short length and of Karney's together, up to
_ERROR_FROM_M = 50_000.0  # from where the error of a short length grows with its fifth power


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
