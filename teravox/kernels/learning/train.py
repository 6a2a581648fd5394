"""Trains a forest, by gradient boosting with LightGBM or as a random forest with scikit-learn."""

from __future__ import annotations

import importlib
import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.tree import Tree, at_most

Floats = NDArray[np.float32]
Labels = NDArray[Any]  # of any whole numbers
Weights = NDArray[np.float64]
Method = Literal["boosting", "forest"]

TREES: dict[Method, int] = {"boosting": 50, "forest": 50}
LEAVES = 31
LEARNING_RATE = 0.15
FEWEST_IN_LEAF = 20  # voxels, where there are enough
MANY = 2000  # samples, of which each boosted tree may see all; of fewer it would be too sure (docs/decisions/0015)
PART = 0.5  # of fewer samples, and of the features, that each sees
DAMPING = 5.0  # samples' worth of doubt in each of its leaves


def train_forest(
    features: Floats,
    labels: Labels,
    classes: int,
    *,
    weights: Weights | None = None,
    method: Method = "boosting",
    trees: int | None = None,
    leaves: int = LEAVES,
    seed: int = 0,
    threads: int = 1,
) -> Forest:
    """A forest that tells classes apart by features, by feature and sample; labels count from 0.

    The same samples, parameters and seed make the same forest, in however many threads. Without weights each class
    counts as much as every other. Boosting makes so many trees for each class, but one kind of them for two classes.
    """
    _check(features, labels, classes)
    trees = TREES[method] if trees is None else trees
    weights = balanced(labels, classes) if weights is None else weights * (len(weights) / weights.sum())
    given = np.ascontiguousarray(features.T)
    train = _boost if method == "boosting" else _bag
    forest = train(given, np.asarray(labels, np.int32), classes, weights, trees, leaves, seed, threads)
    forest.check()
    return forest


def balanced(labels: Labels, classes: int) -> Weights:
    """Weights by which all classes that there are count the same, 1 in the mean."""
    counts = np.bincount(labels, minlength=classes)
    there = np.count_nonzero(counts)
    weights: Weights = (len(labels) / there / np.maximum(counts, 1))[labels]
    return weights


def require_libraries() -> None:
    """Raise ModuleNotFoundError with a remedy where training cannot be done."""
    for name in ("lightgbm", "sklearn"):
        _library(name)


def _check(features: Floats, labels: Labels, classes: int) -> None:
    if features.ndim != 2 or features.shape[1] != len(labels):
        raise ValueError(f"features of shape {features.shape} are not those of {len(labels)} samples")
    if not np.isfinite(features).all():
        raise ValueError("a feature has values that are not finite numbers")
    if len(np.unique(labels)) < 2 or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"samples of at least two of the {classes} classes are needed, and of no others")


def _boost(
    features: Floats,
    labels: NDArray[np.int32],
    classes: int,
    weights: Weights,
    trees: int,
    leaves: int,
    seed: int,
    threads: int,
) -> Forest:
    lightgbm = _library("lightgbm")
    fewest = int(np.bincount(labels, minlength=classes)[np.unique(labels)].min())
    parameters = {
        "objective": "binary" if classes == 2 else "multiclass",
        "num_leaves": leaves,
        "learning_rate": LEARNING_RATE,
        "min_data_in_bin": 1,
        "min_data_in_leaf": max(1, min(FEWEST_IN_LEAF, fewest // 10)),
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbose": -1,
    }
    if len(labels) < MANY:
        parameters |= {"feature_fraction": PART, "bagging_fraction": PART, "bagging_freq": 1, "lambda_l2": DAMPING}
    if classes > 2:
        parameters["num_class"] = classes
    booster = lightgbm.train(parameters, lightgbm.Dataset(features, labels, weight=weights), trees)
    made = booster.dump_model()["tree_info"]
    outputs = 1 if classes == 2 else classes
    link: Literal["sigmoid", "softmax"] = "sigmoid" if classes == 2 else "softmax"
    return Forest(
        features.shape[1],
        classes,
        link,
        tuple(_boosted_tree(one["tree_structure"], number % outputs) for number, one in enumerate(made)),
    )


def _boosted_tree(root: dict[str, Any], output: int) -> Tree:
    """A tree from LightGBM's description of it."""
    feature: list[int] = []
    threshold: list[float] = []
    children: list[list[int]] = []
    values: list[float] = []
    todo: list[tuple[dict[str, Any], int, int]] = [(root, -1, 0)]  # a node, and whose child it is on which side
    while todo:
        node, parent, side = todo.pop()
        if "split_index" in node:
            place = len(feature)
            feature.append(node["split_feature"])
            threshold.append(node["threshold"])
            children.append([0, 0])
            todo += [(node["right_child"], place, 1), (node["left_child"], place, 0)]
        else:
            values.append(node["leaf_value"])
            place = -len(values)
        if parent >= 0:
            children[parent][side] = place
    sides = np.array(children, np.int32).reshape(-1, 2)
    return Tree(
        feature=np.array(feature, np.int32),
        threshold=at_most(np.array(threshold, np.float64)),
        left=sides[:, 0].copy(),
        right=sides[:, 1].copy(),
        values=np.array(values, np.float32)[:, np.newaxis],
        output=output,
    )


def _bag(
    features: Floats,
    labels: NDArray[np.int32],
    classes: int,
    weights: Weights,
    trees: int,
    leaves: int,
    seed: int,
    threads: int,
) -> Forest:
    _library("sklearn")
    ensemble = importlib.import_module("sklearn.ensemble")
    forest = ensemble.RandomForestClassifier(trees, max_leaf_nodes=leaves, random_state=seed, n_jobs=threads)
    with warnings.catch_warnings():
        forest.fit(features, labels, weights)
    made = tuple(_bagged_tree(one.tree_, forest.classes_, classes) for one in forest.estimators_)
    return Forest(features.shape[1], classes, "mean", made)


def _bagged_tree(found: Any, there: NDArray[np.int32], classes: int) -> Tree:  # Any: scikit-learn's own arrays
    """A tree from scikit-learn's arrays, in which classes without a sample are missing."""
    is_leaf = found.children_left < 0
    place = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1).astype(np.int32)
    inner = ~is_leaf
    counts = found.value[is_leaf, 0, :]
    values = np.zeros((len(counts), classes), np.float32)
    values[:, there] = counts / counts.sum(axis=1, keepdims=True)
    return Tree(
        feature=found.feature[inner].astype(np.int32),
        threshold=at_most(found.threshold[inner].astype(np.float64)),
        left=place[found.children_left[inner]],
        right=place[found.children_right[inner]],
        values=values,
    )


def _library(name: str) -> Any:  # Any: a module
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"Training needs {name}, which is not installed. Install it with: pip install 'teravox[learn]'"
        ) from missing
