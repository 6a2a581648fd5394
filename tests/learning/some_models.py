"""Models that were not trained: their trees are drawn, so that tests of what models do need no training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.classes import make_classes
from teravox.kernels.learning.forest import Forest, Link
from teravox.kernels.learning.model import Model, write_model
from teravox.kernels.learning.selection import FILTERS, Feature, Selection
from teravox.kernels.learning.tree import Tree
from teravox.kernels.segmentation.scale import Zyx

QUICK = Selection(tuple(Feature(name, 0.7) for name in FILTERS))


def draw_tree(
    rng: np.random.Generator, features: int, leaves: int, width: int, output: int = 0, spread: float = 40.0
) -> Tree:
    """A tree that grew by splitting leaves at random."""
    feature: list[int] = []
    threshold: list[float] = []
    children: list[list[int]] = []
    ends: list[tuple[int, int]] = [(-1, 0)]  # whose child each leaf is, on which side
    while len(ends) < leaves:
        parent, side = ends.pop(int(rng.integers(len(ends))))
        place = len(feature)
        feature.append(int(rng.integers(features)))
        threshold.append(float(rng.normal(0, spread)))
        children.append([0, 0])
        if parent >= 0:
            children[parent][side] = place
        ends += [(place, 0), (place, 1)]
    for leaf, (parent, side) in enumerate(ends):
        if parent >= 0:
            children[parent][side] = ~leaf
    values = rng.normal(0, 0.3, (leaves, width))
    if width > 1:
        values = np.abs(values) / np.abs(values).sum(axis=1, keepdims=True)
    sides = np.array(children, np.int32).reshape(-1, 2)
    return Tree(
        np.array(feature, np.int32),
        np.array(threshold, np.float32),
        sides[:, 0].copy(),
        sides[:, 1].copy(),
        values.astype(np.float32),
        output,
    )


def draw_forest(
    link: Link = "sigmoid", *, features: int = 4, classes: int = 2, trees: int = 6, leaves: int = 8, seed: int = 0
) -> Forest:
    rng = np.random.default_rng(seed)
    width = classes if link == "mean" else 1
    made = tuple(
        draw_tree(rng, features, leaves, width, number % classes if link == "softmax" else 0) for number in range(trees)
    )
    return Forest(features, classes, link, made)


def draw_model(
    *names: str,
    selection: Selection = QUICK,
    channels: int = 1,
    resolution: Zyx | None = None,
    leaves: int = 8,
    seed: int = 0,
) -> Model:
    """A model of voxels with these classes, membrane and inside without any."""
    classes = make_classes(names or ("membrane", "inside"))
    forest = draw_forest("mean", features=selection.columns(channels), classes=len(classes), leaves=leaves, seed=seed)
    return Model("voxels", classes, selection, channels, resolution, forest, None, {"made": "by chance"})


def write_some_model(folder: Path, **said: object) -> str:
    """The path of a file with a drawn model."""
    path = folder / "some.model"
    write_model(path, draw_model(**said))  # type: ignore[arg-type]  # what draw_model takes
    return str(path)


def walk(forest: Forest, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the leaves of each voxel say, summed by class, walked to one by one."""
    sums = np.zeros((features.shape[1], forest.classes))
    for tree in forest.trees:
        for voxel in range(features.shape[1]):
            at = 0 if len(tree.feature) else -1
            while at >= 0:
                goes_left = features[tree.feature[at], voxel] <= tree.threshold[at]
                at = int((tree.left if goes_left else tree.right)[at])
            sums[voxel, tree.output : tree.output + tree.values.shape[1]] += tree.values[~at]
    return sums
