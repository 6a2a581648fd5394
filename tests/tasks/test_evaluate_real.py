"""`evaluate` on real volumes, against scikit-image on the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluation.evaluating import evaluate
from layers.make import Array, make_layer
from real_volumes import real
from skimage import metrics

METRICS: Any = metrics  # which has no types


def real_array(file: str, name: str) -> Array:
    """An array of a real volume, as x, y, z and channel."""
    path = real(file)
    if path.suffix == ".h5":
        import h5py  # type: ignore[import-untyped]  # it has no types

        with h5py.File(path) as volume:
            return np.asfortranarray(np.asarray(volume[name]).T[..., np.newaxis])
    with np.load(path) as volume:
        return np.asfortranarray(volume[name].T[..., np.newaxis])


def test_an_oversegmentation_of_neurons_is_scored_as_scikit_image_does(tmp_path: Path) -> None:
    file = "fib25_medulla/train_z000-130.npz"
    truth, tested = real_array(file, "groundtruth"), real_array(file, "overseg")
    layers = [
        make_layer(tmp_path / name, one, chunk=(64, 64, 64), type="segmentation", compress=False)
        for name, one in (("a", truth), ("b", tested))
    ]
    report = evaluate(layers[0], layers[1], tmp_path / "d", shape=(128, 128, 64))
    assert report.labels is not None
    x, y = truth[..., 0].astype(np.int64), tested[..., 0].astype(np.int64)
    split, merge = METRICS.variation_of_information(x, y, ignore_labels=[0])
    assert (report.labels.vi.split, report.labels.vi.merge) == pytest.approx((split, merge), abs=1e-9)
    error, recall, precision = METRICS.adapted_rand_error(x, y)
    rand = report.labels.rand
    assert (rand.adapted_error, rand.recall, rand.precision) == pytest.approx((error, recall, precision), abs=1e-9)
    assert rand.precision is not None
    assert rand.recall is not None
    assert rand.precision > rand.recall  # it is split rather than merged


@pytest.mark.parametrize("file", ["plantseg/1135_mini.h5", "plantseg/1136_mini.h5"])
def test_cells_match_themselves_and_less_so_the_further_they_are_moved(tmp_path: Path, file: str) -> None:
    cells = real_array(file, "label")
    first = make_layer(tmp_path / "a", cells, chunk=(64, 64, 64), compress=False)
    means = []
    for far in (0, 1, 3):
        second = make_layer(tmp_path / f"b{far}", np.roll(cells, far, 1), chunk=(64, 64, 64), compress=False)
        objects = evaluate(first, second, tmp_path / f"d{far}").objects
        assert objects is not None
        assert objects.mean_accuracy is not None
        means.append(objects.mean_accuracy)
    assert means[0] == 1.0 > means[1] > means[2]


def test_dark_is_a_fair_guess_at_membrane(tmp_path: Path) -> None:
    file = "isbi2012/train_z00-20.npz"
    membrane, grey = real_array(file, "membrane_gt") == 0, real_array(file, "raw")
    first = make_layer(tmp_path / "a", membrane[:256, :256].astype(np.uint8), chunk=(64, 64, 20), compress=False)
    second = make_layer(tmp_path / "b", 255 - grey[:256, :256], chunk=(64, 64, 20), compress=False)
    report = evaluate(first, second, tmp_path / "d", probabilities=True)
    assert report.probability is not None
    from scipy.stats import mannwhitneyu

    truth, value = membrane[:256, :256].ravel(), 255 - grey[:256, :256].ravel()
    statistic = mannwhitneyu(value[truth], value[~truth]).statistic
    area = statistic / (truth.sum() * (~truth).sum())
    assert report.probability.curve.roc_auc == pytest.approx(area, abs=1e-9)
    assert area > 0.8
