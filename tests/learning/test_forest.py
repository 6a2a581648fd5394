"""Forests say what their trees say, what LightGBM and scikit-learn say, and the same among whichever other voxels."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning.some_models import draw_forest, draw_tree, walk
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier  # type: ignore[import-untyped]  # it has no types

from teravox.kernels.learning.forest import Forest, Link
from teravox.kernels.learning.train import train_forest
from teravox.kernels.learning.tree import Tree, at_most, below

Floats = NDArray[np.float32]


def voxels(number: int, features: int = 4, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(0, 40, (features, number)).astype(np.float32)


def linked(sums: NDArray[np.float64], link: Link, trees: int) -> NDArray[np.float64]:
    if link == "mean":
        means: NDArray[np.float64] = sums / trees
        return means
    if link == "sigmoid":
        second = 1 / (1 + np.exp(-sums[:, 0]))
        return np.stack([1 - second, second], axis=1)
    powers = np.exp(sums)
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


@settings(max_examples=25, deadline=None)
@given(
    link=st.sampled_from(["mean", "sigmoid", "softmax"]),
    leaves=st.sampled_from([1, 2, 3, 31, 32, 33, 70]),
    classes=st.integers(2, 4),
    number=st.sampled_from([1, 5, 63, 64, 65, 256, 300]),
    seed=st.integers(0, 99),
)
def test_a_voxel_gets_what_the_leaves_it_falls_into_say(
    link: Link, leaves: int, classes: int, number: int, seed: int
) -> None:
    classes = 2 if link == "sigmoid" else classes
    forest = draw_forest(link, classes=classes, leaves=leaves, seed=seed)
    forest.check()
    features = voxels(number, seed=seed)
    features[:, ::3] = np.float32(0)  # many that are equal
    found = forest.predict(features)
    assert np.abs(found - linked(walk(forest, features), link, len(forest.trees))).max() < 1e-6
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("leaves", [16, 40])
def test_a_value_that_is_the_threshold_goes_left_also_where_it_is_nothing_or_infinite(leaves: int) -> None:
    forest = draw_forest("mean", leaves=leaves, seed=3)
    zero = [
        tree._replace(threshold=np.where(np.arange(leaves - 1) % 2, np.float32(0), np.float32(-0.0)))
        for tree in forest.trees
    ]
    forest = Forest(4, 2, "mean", tuple(zero))
    values = np.array([0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45, 3e38], np.float32)
    features = np.ascontiguousarray(np.stack([np.roll(values, by) for by in range(4)]))
    assert np.abs(forest.predict(features) - walk(forest, features) / len(forest.trees)).max() < 1e-6
    for few in (
        features[:, :1],
        features[:, 1:2],
        np.maximum(features, 0),
        np.minimum(features, 0),
    ):  # the threshold is
        few = np.ascontiguousarray(few)  # the smallest of all that are asked, or the largest
        assert np.abs(forest.predict(few) - walk(forest, few) / len(forest.trees)).max() < 1e-6


@pytest.mark.parametrize("leaves", [20, 50])
def test_the_same_voxel_gets_the_same_bits_among_any_others(leaves: int) -> None:
    forest = draw_forest("softmax", classes=3, trees=9, leaves=leaves)
    features = voxels(700)
    whole = forest.predict(features)
    order = np.random.default_rng(0).permutation(700)
    assert np.array_equal(forest.predict(np.ascontiguousarray(features[:, order])), whole[order])
    for start, stop in ((0, 1), (13, 270), (699, 700)):
        assert np.array_equal(forest.predict(np.ascontiguousarray(features[:, start:stop])), whole[start:stop])


@pytest.mark.parametrize("leaves", [20, 50])
def test_what_is_no_number_is_refused(leaves: int) -> None:
    features = voxels(300)
    for wrong in (np.nan, -np.nan):
        features[2, 270] = wrong
        with pytest.raises(ValueError, match="not numbers"):
            draw_forest(leaves=leaves).predict(features)


def test_features_and_room_of_other_shapes_are_refused() -> None:
    forest = draw_forest()
    with pytest.raises(ValueError, match="takes 4 features as float32"):
        forest.predict(voxels(5, features=3))
    with pytest.raises(ValueError, match="takes 4 features as float32"):
        forest.predict(voxels(5).astype(np.float64))
    with pytest.raises(ValueError, match="no room for 2 classes"):
        forest.predict_into(voxels(5), np.empty((4, 2), np.float32))


@settings(max_examples=50, deadline=None)
@given(threshold=st.floats(-(2.0**99), 2.0**99), value=st.floats(-(2.0**99), 2.0**99, width=32))
def test_rounded_thresholds_part_the_same_numbers(threshold: float, value: float) -> None:
    limits = np.array([threshold])
    for number in (value, float(np.float32(threshold))):
        one = np.float32(number)
        assert (one <= at_most(limits)[0]) == (float(one) <= threshold)
        assert (one <= below(limits)[0]) == (float(one) < threshold)


def trained(classes: int) -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(5)
    features = rng.normal(0, 1, (6, 3000)).astype(np.float32)
    features[3] = np.round(features[3])  # with many equal values
    noisy = features[0] + features[1] * features[3] + rng.normal(0, 0.3, 3000)
    return features, np.digitize(noisy, np.quantile(noisy, np.arange(1, classes) / classes))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("leaves", [31, 60])
def test_boosted_trees_say_what_lightgbm_says(classes: int, leaves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[lightgbm.Booster] = []
    train = lightgbm.train

    def remember(*given: Any) -> lightgbm.Booster:
        made.append(train(*given))
        return made[-1]

    monkeypatch.setattr(lightgbm, "train", remember)
    features, labels = trained(classes)
    forest = train_forest(features, labels, classes, trees=6, leaves=leaves)
    expected = np.asarray(made[0].predict(np.ascontiguousarray(features.T)))
    expected = np.stack([1 - expected, expected], axis=1) if classes == 2 else expected
    assert max(len(tree.values) for tree in forest.trees) > leaves // 2
    assert np.abs(forest.predict(features) - expected).max() < 1e-6


@pytest.mark.parametrize("leaves", [31, 300])
def test_random_forests_say_what_scikit_learn_says(leaves: int) -> None:
    features, labels = trained(3)
    forest = train_forest(features, labels, 3, method="forest", trees=10, leaves=leaves, weights=np.ones(3000), seed=4)
    theirs = RandomForestClassifier(10, max_leaf_nodes=leaves, random_state=4)
    theirs.fit(features.T, labels, np.ones(3000))
    expected = theirs.predict_proba(np.ascontiguousarray(features.T))
    assert np.abs(forest.predict(features) - expected).max() < 1e-6


def test_broken_trees_are_refused() -> None:
    good = draw_tree(np.random.default_rng(0), 4, 5, 1)
    wrong: list[tuple[Tree, str]] = [
        (good._replace(left=good.left[:-1]), "differ in length"),
        (good._replace(values=good.values[:-1]), "not one more"),
        (good._replace(feature=good.feature + np.int32(4)), "not one of the 4"),
        (good._replace(left=good.right), "child of one node"),
        (good._replace(left=np.zeros_like(good.left)), "child of one node"),
        (good._replace(threshold=good.threshold * np.float32(np.nan)), "no number"),
        (good._replace(values=good.values * np.float32(np.inf)), "no number"),
        (good._replace(output=1), "does not speak of the 2 classes"),
    ]
    for tree, sentence in wrong:
        with pytest.raises(ValueError, match=sentence):
            Forest(4, 2, "sigmoid", (tree,)).check()
    circle = Tree(
        np.zeros(3, np.int32),
        np.zeros(3, np.float32),
        np.array([-1, 2, 1], np.int32),
        np.array([-2, -3, -4], np.int32),
        np.zeros((4, 1), np.float32),
    )
    with pytest.raises(ValueError, match="circle"):
        Forest(4, 2, "sigmoid", (circle,)).check()
