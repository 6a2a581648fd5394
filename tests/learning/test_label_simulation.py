"""Suggested slices need fewer labels than slices taken by chance, where slices differ."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
from numpy.typing import NDArray

from teravox.kernels.learning.features import compute
from teravox.kernels.learning.selection import matrix
from teravox.kernels.learning.simulation import Painter, Round, mean_dice, simulate
from teravox.kernels.synthetic.strokes import paint_strokes

pytest.importorskip("lightgbm", reason="training needs the extra learn")

SHAPE = (24, 40, 40)
FEW = Painter(strokes=6, length=8, method="boosting", trees=12, leaves=8)
SEEDS = range(6)


@pytest.fixture(scope="module")
def volume() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Bright blobs in an image that grows darker, and dark specks in its last slices only: features and classes."""
    rng = np.random.default_rng(7)
    z = np.arange(SHAPE[0])[:, np.newaxis, np.newaxis] / SHAPE[0]
    blobs = scipy.ndimage.gaussian_filter(rng.normal(size=SHAPE), (1, 3, 3)) > 0.01
    specks = (scipy.ndimage.gaussian_filter(rng.normal(size=SHAPE), (1, 2, 2)) > 0.04) & (z > 0.7)
    truth = np.where(specks, 2, blobs.astype(int))
    gray = 150 - 30 * z + 40 * (truth == 1) - 40 * (truth == 2) + rng.normal(size=SHAPE) * 6
    selection = matrix(("gaussian-smoothing", "gaussian-gradient-magnitude"), (0.7, 1.6), flat=True)
    return compute(gray.clip(0, 255).astype(np.uint8), selection, (1, 1, 1)), truth


def means(curves: list[list[Round]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The labels and the Dice after each slice, as means over all runs."""
    labels, dice = np.array([[(one.labels, one.dice) for one in run] for run in curves]).mean(axis=0).T
    return labels, dice


def test_suggested_slices_need_fewer_labels_than_those_of_chance(
    volume: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    suggested = [simulate(*volume, "suggested", 5, seed, FEW) for seed in SEEDS]
    random = [simulate(*volume, "random", 5, seed, FEW) for seed in SEEDS]
    assert [one[0] for one in suggested] == [one[0] for one in random]  # both begin with the same
    (labels, dice), (by_chance, reached) = means(suggested), means(random)
    assert labels[np.argmax(dice > reached[-1])] < 0.7 * by_chance[-1]
    assert (dice[1:] > reached[1:]).all()


def test_a_simulation_is_the_same_again_and_labels_each_slice_once(
    volume: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    features, truth = volume[0][:, :5], volume[1][:5]
    once = simulate(features, truth, "suggested", 9, 3, FEW)
    assert simulate(features, truth, "suggested", 9, 3, FEW) == once
    assert sorted(one.position for one in once) == [0, 1, 2, 3, 4]


def test_dice_is_the_mean_of_the_classes() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    assert mean_dice(truth, truth, 3) == 1
    assert mean_dice(np.array([0, 0, 1, 1, 1, 0]), truth, 3) == pytest.approx((4 / 6 + 4 / 5 + 0) / 3)


def test_strokes_stay_within_their_class_and_every_class_has_some() -> None:
    truth = np.kron(np.arange(6).reshape(2, 3) % 3, np.ones((20, 20), int))
    painted = paint_strokes(truth, 9, 15, np.random.default_rng(0))
    assert set(np.unique(painted)) == {0, 1, 2, 3}
    assert (painted[painted > 0] == truth[painted > 0] + 1).all()
    assert 60 < (painted > 0).sum() <= 9 * 15
    assert scipy.ndimage.label(painted > 0, np.ones((3, 3)))[1] <= 9
    again = paint_strokes(truth, 9, 15, np.random.default_rng(0))
    assert (again == painted).all()


def test_a_class_of_one_voxel_gets_a_stroke_of_one() -> None:
    truth = np.zeros((5, 5), int)
    truth[2, 2] = 1
    assert (paint_strokes(truth, 2, 4, np.random.default_rng(0)) == 2).sum() == 1
