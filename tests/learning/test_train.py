"""Training: the same in any number of threads, all classes alike, and sentences for samples that teach nothing."""

from __future__ import annotations

import importlib
import sys
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import (  # type: ignore[import-untyped]  # it has no types
    average_precision_score,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.utils.class_weight import compute_sample_weight  # type: ignore[import-untyped]  # as before

from teravox.kernels.learning import scores, train
from teravox.kernels.learning.folds import LonelyClass, assign_folds
from teravox.kernels.learning.train import balanced, train_forest

Method = Literal["boosting", "forest"]
Floats = NDArray[np.float32]
METHODS: tuple[Method, ...] = ("boosting", "forest")


def samples(number: int = 600, rare: float = 0.5, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    """Two classes that overlap, by the first of three features."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(number) < rare).astype(np.int64)
    features = rng.normal(0, 1, (3, number)).astype(np.float32)
    features[0] += 1.5 * labels
    return features, labels


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", [600, 2100])
def test_threads_change_nothing_and_the_seed_does(method: Method, number: int) -> None:
    features, labels = samples(number)
    one = train_forest(features, labels, 2, method=method, trees=2, seed=7)
    assert train_forest(features, labels, 2, method=method, trees=2, seed=7, threads=2 if number == 600 else 1) == one
    other = train_forest(features, labels, 2, method=method, trees=2, seed=8)
    assert (other != one) is (method == "forest" or number == 600)  # boosting by many samples leaves nothing to chance


@pytest.mark.parametrize("method", METHODS)
def test_a_rare_class_counts_as_much_as_a_frequent_one(method: Method) -> None:
    features, labels = samples(2000, rare=0.03)
    found = train_forest(features, labels, 2, method=method, trees=20, leaves=4).predict(features).argmax(axis=1)
    assert (found[labels == 1] == 1).mean() > 0.6
    even = train_forest(features, labels, 2, method=method, trees=20, leaves=4, weights=np.ones(2000)).predict(features)
    assert (even.argmax(axis=1)[labels == 1] == 1).mean() < 0.4


def test_balanced_weights_are_scikit_learn_s() -> None:
    labels = np.array([0, 0, 0, 2, 2, 1])
    assert np.allclose(balanced(labels, 4), compute_sample_weight("balanced", labels))


@pytest.mark.parametrize("method", METHODS)
def test_a_class_without_a_sample_is_never_likely(method: Method) -> None:
    features, labels = samples()
    found = train_forest(features, labels * 2, 3, method=method, trees=5).predict(features)
    assert found[:, 1].max() < 0.1
    assert set(found.argmax(axis=1).tolist()) == {0, 2}


@pytest.mark.parametrize("method", METHODS)
def test_ten_samples_are_learnt_from(method: Method) -> None:
    features = np.arange(10, dtype=np.float32)[np.newaxis]
    labels = (np.arange(10) > 4).astype(np.int64)
    assert np.array_equal(train_forest(features, labels, 2, method=method).predict(features).argmax(axis=1), labels)


def test_samples_that_teach_nothing_are_refused() -> None:
    features, labels = samples(20)
    for wrong in (np.nan, np.inf):
        broken = features.copy()
        broken[1, 3] = wrong
        with pytest.raises(ValueError, match="not finite"):
            train_forest(broken, labels, 2)
    for few, classes in ((labels * 0, 2), (labels + 1, 2), (labels - 1, 2)):
        with pytest.raises(ValueError, match="at least two of the 2 classes"):
            train_forest(features, few, classes)
    with pytest.raises(ValueError, match="not those of 19 samples"):
        train_forest(features, labels[1:], 2)


@pytest.mark.parametrize("name", ["lightgbm", "sklearn"])
def test_what_is_not_installed_is_named_with_the_remedy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=rf"needs {name}, .* pip install 'teravox\[learn\]'"):
        train.require_libraries()


def test_predicting_needs_no_library_of_training() -> None:
    for module in ("forest", "model", "model_file", "tree_masks", "tree_walk", "use", "parts"):
        found = importlib.import_module(f"teravox.kernels.learning.{module}")
        assert not {"lightgbm", "sklearn"} & set(vars(found))


def test_scores_are_scikit_learn_s() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, 500)
    probabilities = rng.dirichlet((1, 1, 1), 500).astype(np.float32)
    probabilities[np.arange(500), truth] += 0.4
    probabilities = np.round(probabilities, 2)  # with many equal ones
    said = scores.likeliest(probabilities)
    assert np.array_equal(scores.confusion(truth, said, 3), confusion_matrix(truth, said))
    precision, recall, f, _ = precision_recall_fscore_support(truth, said)
    for one, found in enumerate(scores.score_classes(truth, probabilities)):
        expected = (
            precision[one],
            recall[one],
            f[one],
            roc_auc_score(truth == one, probabilities[:, one]),
            average_precision_score(truth == one, probabilities[:, one]),
        )
        assert found == pytest.approx(expected, abs=1e-9)


def test_a_class_that_is_absent_has_no_scores() -> None:
    found = scores.score_classes(np.zeros(4, np.int64), np.full((4, 2), 0.5, np.float32))
    assert found[0] == scores.ClassScore(1.0, 1.0, 1.0, None, 1.0)
    assert found[1] == scores.ClassScore(None, None, None, None, None)


def test_samples_of_a_block_are_held_back_together_and_every_class_is_in_every_fold() -> None:
    rng = np.random.default_rng(0)
    places = rng.integers(0, 256, (3000, 3))
    labels = (rng.random(3000) < 0.1).astype(np.int64)
    fold = assign_folds(places, labels, 5, (4.0, 4.0, 4.0))
    _, block = np.unique(places // 64, axis=0, return_inverse=True)
    assert all(len(set(fold[block.reshape(-1) == one].tolist())) == 1 for one in range(int(block.max()) + 1))
    for one in (0, 1):
        shares = np.bincount(fold[labels == one], minlength=5) / (labels == one).sum()
        assert shares.min() > 0.1
    assert np.array_equal(fold, assign_folds(places, labels, 5, (4.0, 4.0, 4.0)))


def test_blocks_become_smaller_where_labels_lie_close_and_flatter_where_slices_are_thick() -> None:
    places = np.array([(x, 0, z) for x in range(40) for z in range(5)])
    labels = (places[:, 0] % 2).astype(np.int64)
    assert len(set(assign_folds(places, labels, 4, (4.0, 4.0, 4.0)).tolist())) == 4
    thick = assign_folds(places, labels, 4, (40.0, 4.0, 4.0))
    assert len(set(thick.tolist())) == 4
    assert len(set(thick[places[:, 0] == 0].tolist())) > 1


def test_a_class_in_one_place_cannot_be_held_back() -> None:
    places = np.array([(200, 0, 0), (0, 0, 0), (1, 0, 0), (90, 0, 0)])
    with pytest.raises(LonelyClass) as lonely:
        assign_folds(places, np.array([0, 1, 1, 0]), 3, (1.0, 1.0, 1.0))
    assert lonely.value.number == 1
