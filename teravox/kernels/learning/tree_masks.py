"""Small trees, looked up by masks of their leaves instead of being walked through.

Each leaf of a tree is a bit, from left to right. A node that a voxel passes on the right rules out the leaves to its
left, and the first leaf that nobody has ruled out is the voxel's (https://doi.org/10.1145/2766462.2767733). The nodes of
all trees are asked feature by feature, with rising thresholds, for a batch of voxels at once: a node whose threshold is
below all of these voxels has one answer for all, and the nodes above all of them need not be asked. Since neighbours are
alike, that is so for most nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.learning.keys import INFINITE, LAST, key, keys_of
from teravox.kernels.learning.leaf_sums import fill_in
from teravox.kernels.learning.tree import Floats, Tree, Whole

MOST_LEAVES = 32  # the bits of a mask
BATCH = 256  # voxels at once

_EVERYTHING = np.uint32(0xFFFFFFFF)
_HASH = np.uint32(0x077CB531)  # times powers of two, of which the upper 5 bits all differ (de Bruijn)
_SHIFT = np.uint32(27)


class TreeMasks(NamedTuple):
    """Nodes sorted by feature and threshold, and leaves at the place that their bit is hashed to."""

    starts: Whole  # by feature, its first node; one more at the end
    threshold: Whole  # as keys
    tree: Whole
    mask: NDArray[np.uint32]
    values: NDArray[np.int32]  # by tree, output and leaf
    output: Whole  # by tree, the first class that its values belong to


def mask_trees(trees: Sequence[Tree], features: int, leaves: Sequence[Whole]) -> TreeMasks:
    """Trees of at most MOST_LEAVES leaves, with what these say as whole numbers."""
    feature = np.concatenate([tree.feature for tree in trees])
    threshold = np.concatenate([tree.threshold for tree in trees])
    owner = np.repeat(np.arange(len(trees), dtype=np.int32), [len(tree.feature) for tree in trees])
    values = np.zeros((len(trees), leaves[0].shape[1], MOST_LEAVES), np.int32)
    masks = []
    for number, tree in enumerate(trees):
        mask, order = _mask_nodes(tree)
        masks.append(mask)
        bits = np.uint32(1) << np.arange(len(order), dtype=np.uint32)
        values[number][:, (bits * _HASH) >> _SHIFT] = leaves[number][order].T
    rising = np.lexsort((threshold, feature))
    return TreeMasks(
        starts=read_only(np.searchsorted(feature[rising], np.arange(features + 1)).astype(np.int32)),
        threshold=read_only(keys_of(threshold[rising])),
        tree=read_only(owner[rising]),
        mask=read_only(np.concatenate(masks)[rising]),
        values=read_only(values),
        output=read_only(np.array([tree.output for tree in trees], np.int32)),
    )


def _mask_nodes(tree: Tree) -> tuple[NDArray[np.uint32], list[int]]:
    """By node the leaves that stay when it is passed on the right, and the leaves from left to right."""
    mask = np.zeros(len(tree.feature), np.uint32)
    order: list[int] = []
    first: dict[int, int] = {}  # by node whose left side was begun, the place of the first leaf there
    todo = [0 if len(tree.feature) else -1]
    while todo:
        at = todo.pop()
        if at < 0:
            order.append(~at)
        elif at not in first:
            first[at] = len(order)
            todo += [int(tree.right[at]), at, int(tree.left[at])]
        else:
            mask[at] = 0xFFFFFFFF ^ ((1 << len(order)) - (1 << first[at]))
    return mask, order


@compiled
def predict_masked(
    features: Whole,
    layout: TreeMasks,
    outputs: int,
    link: int,
    unit: float,
    result: Floats,
) -> bool:
    """Fill in the probabilities from the bits of features, by feature and voxel; False where one is no number."""
    starts, threshold, tree, mask, values, output = layout
    voxels, trees = features.shape[1], len(values)
    row = np.empty(BATCH, np.int32)
    own = np.empty((trees, BATCH), np.uint32)  # by tree and voxel, the leaves that are left
    shared = np.empty(trees, np.uint32)  # by tree, those that are left to all voxels of the batch
    is_mixed = np.empty(trees, np.bool_)
    sums = np.empty((outputs, BATCH), np.int32)
    for start in range(0, voxels, BATCH):
        width = min(BATCH, voxels - start)
        shared[:] = _EVERYTHING
        is_mixed[:] = False
        for feature in range(len(starts) - 1):
            if not _rule_out(
                features[feature, start : start + width],
                threshold[starts[feature] : starts[feature + 1]],
                tree[starts[feature] : starts[feature + 1]],
                mask[starts[feature] : starts[feature + 1]],
                row,
                own,
                shared,
                is_mixed,
            ):
                return False
        sums[:] = 0
        for which in range(trees):
            _add_leaves(values[which], own[which, :width], shared[which], is_mixed[which], sums[output[which] :])
        fill_in(sums[:, :width], link, unit, start, result)
    return True


@compiled
def _rule_out(
    given: Whole,
    threshold: Whole,
    tree: Whole,
    mask: NDArray[np.uint32],
    row: Whole,
    own: NDArray[np.uint32],
    shared: NDArray[np.uint32],
    is_mixed: NDArray[np.bool_],
) -> bool:
    """Ask the nodes of one feature; False where the feature is no number."""
    width = len(given)
    for at in range(width):
        row[at] = key(given[at])
    lowest, highest = LAST, -LAST
    for at in range(width):
        lowest, highest = min(lowest, row[at]), max(highest, row[at])
    if lowest < ~INFINITE or highest > INFINITE:
        return False
    for node in range(len(threshold)):
        limit, which, left = threshold[node], tree[node], mask[node]
        if limit >= highest:
            break
        if limit < lowest:
            shared[which] &= left
            continue
        into = own[which]
        if is_mixed[which]:
            for at in range(width):
                into[at] &= left if row[at] > limit else _EVERYTHING
        else:
            is_mixed[which] = True
            for at in range(width):
                into[at] = left if row[at] > limit else _EVERYTHING
    return True


@compiled
def _add_leaves(
    values: NDArray[np.int32], own: NDArray[np.uint32], shared: np.uint32, is_mixed: bool, sums: NDArray[np.int32]
) -> None:
    """Add what the first leaf that is left says."""
    width = len(own)
    if is_mixed:
        for at in range(width):
            left = own[at] & shared
            own[at] = (left & (~left + np.uint32(1))) * _HASH
        for one in range(len(values)):
            leaf, into = values[one], sums[one]
            for at in range(width):
                into[at] += leaf[own[at] >> _SHIFT]
    else:
        place = np.uint32((shared & (~shared + np.uint32(1))) * _HASH) >> _SHIFT
        for one in range(len(values)):
            value, into = values[one, place], sums[one]
            for at in range(width):
                into[at] += value
