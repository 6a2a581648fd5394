"""Trees of any size, walked through from the root by several voxels at a time, which wait for memory together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.learning.keys import INFINITE, key, keys_of
from teravox.kernels.learning.leaf_sums import fill_in
from teravox.kernels.learning.tree import Floats, Tree, Whole

BATCH = 64  # voxels whose features are laid side by side, and for which a tree stays in the cache
TOGETHER = 8  # voxels that take each step of a tree together


class TreeWalk(NamedTuple):
    """The nodes of all trees, leaves behind them; a leaf is its own child, so that those who are there already stay."""

    starts: Whole  # by tree, its root
    node: Whole  # by node: its feature, its threshold as a key, and its children to the left and to the right
    leaf: Whole  # by node, its row of `values`; 0 where it is none
    values: NDArray[np.int32]  # by leaf and output
    output: Whole  # by tree, the first class that its values belong to


def lay_out(trees: Sequence[Tree], leaves: Sequence[Whole]) -> TreeWalk:
    """The nodes of trees one after another, with what leaves say as whole numbers."""
    nodes = [len(tree.feature) for tree in trees]
    ends = [len(tree.values) for tree in trees]
    starts = np.concatenate([[0], np.cumsum([a + b for a, b in zip(nodes, ends, strict=True)])])
    first_leaf = np.concatenate([[0], np.cumsum(ends)])
    size = int(starts[-1])
    leaf, node = np.zeros(size, np.int32), np.zeros((size, 4), np.int32)
    node[:, 2:] = np.arange(size)[:, np.newaxis]
    for number, tree in enumerate(trees):
        start, behind = int(starts[number]), nodes[number]
        inner = node[start : start + behind]
        inner[:, 0], inner[:, 1] = tree.feature, keys_of(tree.threshold)
        for side, to in enumerate((tree.left, tree.right), 2):
            inner[:, side] = start + np.where(to >= 0, to, behind + ~to)
        leaf[start + behind : start + behind + ends[number]] = first_leaf[number] + np.arange(ends[number])
    return TreeWalk(
        starts=read_only(starts[:-1].astype(np.int32)),
        node=read_only(node),
        leaf=read_only(leaf),
        values=read_only(np.concatenate(leaves)),
        output=read_only(np.array([tree.output for tree in trees], np.int32)),
    )


@compiled
def predict_walked(
    features: Whole,
    layout: TreeWalk,
    outputs: int,
    link: int,
    unit: float,
    result: Floats,
) -> bool:
    """Fill in the probabilities from the bits of features, by feature and voxel; False where one is no number."""
    starts, node, leaf, values, output = layout
    number, voxels = features.shape
    given = np.zeros((BATCH, number), np.int32)
    sums = np.empty((outputs, BATCH), np.int32)
    at = np.empty(TOGETHER, np.int32)
    for start in range(0, voxels, BATCH):
        width = min(BATCH, voxels - start)
        for one in range(number):
            for voxel in range(width):
                found = key(features[one, start + voxel])
                if found < ~INFINITE or found > INFINITE:
                    return False
                given[voxel, one] = found
        sums[:] = 0
        for tree in range(len(starts)):
            for first in range(0, width, TOGETHER):
                at[:] = starts[tree]
                is_on_its_way = True
                while is_on_its_way:
                    is_on_its_way = False
                    for voxel in range(TOGETHER):
                        old = at[voxel]
                        side = np.int32(given[first + voxel, node[old, 0]] > node[old, 1])
                        new = node[old, 2 + side]
                        at[voxel] = new
                        is_on_its_way |= new != old
                for voxel in range(TOGETHER):
                    row = leaf[at[voxel]]
                    for one in range(values.shape[1]):
                        sums[output[tree] + one, first + voxel] += values[row, one]
        fill_in(sums[:, :width], link, unit, start, result)
    return True
