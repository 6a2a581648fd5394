"""One decision tree as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Whole = NDArray[np.int32]


class Tree(NamedTuple):
    """A tree in which a voxel goes left where its feature is at most the threshold.

    Children from 0 up are nodes, those below are leaves: -1 is leaf 0, -2 is leaf 1. Node 0 is the root; a tree without
    nodes is leaf 0.
    """

    feature: Whole  # by node
    threshold: Floats
    left: Whole
    right: Whole
    values: Floats  # by leaf, and by class where the tree speaks of all of them
    output: int = 0  # the class of which a tree speaks that has one value a leaf


def at_most(thresholds: NDArray[np.float64]) -> Floats:
    """The largest float32 that is not above each number: a float32 is at most the one exactly if it is at most the other."""
    with np.errstate(over="ignore"):  # beyond all numbers, which is right
        rounded: Floats = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def below(thresholds: NDArray[np.float64]) -> Floats:
    """The largest float32 that is below each number, of trees that go left only where a feature is less than it."""
    rounded = at_most(thresholds)
    return np.where(rounded == thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def check_tree(tree: Tree, features: int) -> None:
    """Refuse a tree that no walk through it could be sure to leave: ValueError with what is wrong."""
    nodes, leaves = len(tree.feature), len(tree.values)
    if not len(tree.threshold) == len(tree.left) == len(tree.right) == nodes:
        raise ValueError("its arrays differ in length")
    if leaves != nodes + 1:
        raise ValueError(f"it has {nodes} nodes and {leaves} leaves, which is not one more")
    if nodes and not 0 <= tree.feature.min() <= tree.feature.max() < features:
        raise ValueError(f"a node asks for a feature that is not one of the {features}")
    children = np.concatenate([tree.left, tree.right])
    if not np.array_equal(
        np.sort(children), np.concatenate([np.arange(-leaves, 0), np.arange(1, nodes)]) if nodes else children
    ):
        raise ValueError("its nodes and leaves are not each the child of one node")
    if np.isnan(tree.threshold).any() or not np.isfinite(tree.values).all():
        raise ValueError("it holds what is no number")
    if nodes and not _is_whole(tree):
        raise ValueError("its nodes go round in a circle")


def _is_whole(tree: Tree) -> bool:
    """Whether every node is reached from the root."""
    seen, front = 0, np.zeros(1, np.int32)
    while len(front):
        seen += len(front)
        children = np.concatenate([tree.left[front], tree.right[front]])
        front = children[children >= 0]
    return seen == len(tree.feature)
