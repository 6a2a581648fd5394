"""Decision trees of vigra's random forests, as ilastik stores them: two rows of numbers for each tree.

The topology begins with the numbers of columns and classes; the root follows. A node is its type, the address of its
parameters, the addresses of its two children, and a column; a leaf ends after the address of its parameters.
Parameters begin with a weight; then comes a node's threshold, or what each class has of a leaf.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.tree import Tree, below

Topology = NDArray[np.int64]
Numbers = NDArray[np.float64]

ROOT = 2  # the address of the first node
THRESHOLD, LEAF = 0, 0x40000000  # the types of nodes that ilastik's forests are made of
NODE_SIZE, LEAF_SIZE = 5, 2
AT_PARAMETERS, AT_LESS, AT_REST, AT_COLUMN = 1, 2, 3, 4
ROUNDING = 1e-5  # of shares that sum to 1


def decode_tree(topology: Topology, parameters: Numbers, columns: int, classes: int) -> Tree:
    """The tree; ValueError where the numbers are none, however they came about."""
    if len(topology) < ROOT + LEAF_SIZE or (topology[0], topology[1]) != (columns, classes):
        raise ValueError(f"a tree is not one of {columns} columns and {classes} classes, as the forest is")
    nodes, leaves = _walk(topology)
    at_node, at_leaf = topology[nodes + AT_PARAMETERS], topology[leaves + AT_PARAMETERS]
    _check_addresses(at_node, 2, len(parameters))
    _check_addresses(at_leaf, 1 + classes, len(parameters))
    feature = topology[nodes + AT_COLUMN]
    if ((feature < 0) | (feature >= columns)).any():
        raise ValueError(f"a tree asks for a column beyond the {columns} that there are")
    thresholds = parameters[at_node + 1]
    if np.isnan(thresholds).any():
        raise ValueError("a tree has a threshold that is not a number")
    numbers = np.zeros(len(topology), np.int32)
    numbers[nodes] = np.arange(len(nodes))
    numbers[leaves] = ~np.arange(len(leaves))
    return Tree(
        feature.astype(np.int32),
        below(thresholds),
        numbers[topology[nodes + AT_LESS]],
        numbers[topology[nodes + AT_REST]],
        _shares(parameters[at_leaf[:, None] + 1 + np.arange(classes)]),
    )


def _walk(topology: Topology) -> tuple[Topology, Topology]:
    """The addresses of the nodes and of the leaves, level by level."""
    nodes, leaves = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    seen = np.zeros(len(topology), np.bool_)
    level = np.array([ROOT])
    while level.size:
        if ((level < ROOT) | (level > len(topology) - LEAF_SIZE)).any():
            raise ValueError(f"a tree leads to an address beyond its {len(topology)} numbers")
        seen[level] = True
        types = topology[level]
        leaf = types == LEAF
        inner = level[~leaf]
        if (types[~leaf] != THRESHOLD).any():
            raise ValueError("a tree has nodes that compare something else than one column with a threshold")
        if (inner > len(topology) - NODE_SIZE).any():
            raise ValueError(f"a tree leads to an address beyond its {len(topology)} numbers")
        nodes.append(inner)
        leaves.append(level[leaf])
        level = np.concatenate([topology[inner + AT_LESS], topology[inner + AT_REST]])
        inside = level[(level >= 0) & (level < len(topology))]
        if seen[inside].any() or len(np.unique(inside)) < len(inside):
            raise ValueError("a tree leads to one of its nodes twice")
    return np.concatenate(nodes), np.concatenate(leaves)


def _check_addresses(addresses: Topology, size: int, length: int) -> None:
    if ((addresses < 0) | (addresses > length - size)).any():
        raise ValueError(f"a tree has parameters beyond its {length} numbers")


def _shares(values: Numbers) -> NDArray[np.float32]:
    sums = values.sum(axis=1, keepdims=True)
    if not (np.isfinite(values).all() and (values >= 0).all() and (np.abs(sums - 1) < ROUNDING).all()):
        raise ValueError("a tree has a leaf whose shares of the classes do not sum to 1")
    result: NDArray[np.float32] = (values / sums).astype(np.float32)
    return result
