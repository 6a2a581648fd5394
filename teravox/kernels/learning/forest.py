"""A forest of decision trees as arrays, which says probabilities of classes fast.

Boosted trees and random forests of any origin have this one form. A voxel gets the same probabilities, to the last bit,
among whichever others it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import read_only
from teravox.kernels.learning.leaf_sums import LINKS, scale_of, whole_leaves
from teravox.kernels.learning.tree import Tree, check_tree
from teravox.kernels.learning.tree_masks import MOST_LEAVES, TreeMasks, mask_trees, predict_masked
from teravox.kernels.learning.tree_walk import TreeWalk, lay_out, predict_walked

Floats = NDArray[np.float32]
Link = Literal["mean", "sigmoid", "softmax"]


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees, and what becomes of what their leaves say.

    `mean`: the leaves are shares of all classes, and the mean over the trees is taken. `sigmoid`: the leaves have one
    value each, whose sum speaks for the second of two classes. `softmax`: each tree has one value a leaf, for the sum
    of the class that is its `output`.
    """

    features: int
    classes: int
    link: Link
    trees: tuple[Tree, ...]

    def predict(self, features: Floats) -> Floats:
        """The probabilities of the classes, by voxel and class, from the features, by feature and voxel."""
        result = np.empty((features.shape[1], self.classes), np.float32)
        self.predict_into(features, result)
        return result

    def predict_into(self, features: Floats, result: Floats) -> None:
        """Fill in the probabilities; ValueError where a feature is not a number."""
        if features.dtype != np.float32 or features.ndim != 2 or len(features) != self.features:
            raise ValueError(
                f"the forest takes {self.features} features as float32, by feature and voxel, not {features.dtype} of {features.shape}"
            )
        if result.dtype != np.float32 or result.shape != (features.shape[1], self.classes):
            raise ValueError(f"{result.dtype} of {result.shape} has no room for {self.classes} classes of each voxel")
        features = read_only(np.ascontiguousarray(features))
        link, outputs = LINKS[self.link], 1 if self.link == "sigmoid" else self.classes
        bits = features.view(np.int32)
        if isinstance(self._layout, TreeMasks):
            is_done = predict_masked(bits, self._layout, outputs, link, self._unit, result)
        else:
            is_done = predict_walked(bits, self._layout, outputs, link, self._unit, result)
        if not is_done:
            raise ValueError("a feature has values that are not numbers (NaN)")

    def check(self) -> None:
        """Refuse trees that cannot be right: ValueError with what is wrong."""
        if not self.trees:
            raise ValueError("it has no trees")
        width = self.classes if self.link == "mean" else 1
        for number, tree in enumerate(self.trees):
            try:
                check_tree(tree, self.features)
            except ValueError as error:
                raise ValueError(f"its tree {number} is broken: {error}") from None
            last = tree.output if self.link == "softmax" else 0
            if tree.values.shape[1:] != (width,) or tree.output != last or not 0 <= last < self.classes:
                raise ValueError(f"its tree {number} is broken: it does not speak of the {self.classes} classes")
        if self.link == "sigmoid" and self.classes != 2:
            raise ValueError(f"it tells {self.classes} classes apart by one number, which is enough for 2")

    @cached_property
    def _scale(self) -> float:
        return scale_of(self.trees)

    @cached_property
    def _unit(self) -> float:
        """What one of the whole numbers stands for."""
        return 1 / self._scale / (len(self.trees) if self.link == "mean" else 1)

    @cached_property
    def _layout(self) -> TreeMasks | TreeWalk:
        leaves = [whole_leaves(tree, self._scale) for tree in self.trees]
        if all(len(tree.values) <= MOST_LEAVES for tree in self.trees):
            return mask_trees(self.trees, self.features, leaves)
        return lay_out(self.trees, leaves)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Forest) and self._said == other._said

    def __hash__(self) -> int:
        return hash(self._said)

    @cached_property
    def _said(self) -> tuple[Any, ...]:
        """All of it as values that can be compared."""
        trees = tuple((*(part.tobytes() for part in tree[:5]), tree.output) for tree in self.trees)
        return self.features, self.classes, self.link, trees
