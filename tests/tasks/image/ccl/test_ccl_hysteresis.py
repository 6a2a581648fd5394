"""Hysteresis over boxes: what is weak stays where it is connected with something strong, wherever in the volume that is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import make_layer, read_layer
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold
from tasks.image.ccl.components import assert_same_components, do, expected, stages

from teravox.pipeline.errors import BadUsage

SHAPE = (8, 8, 8)
GROUP = (2, 2, 2)


def smooth_noise(seed: int, dtype: str = "uint8", size: tuple[int, int, int] = (21, 18, 13)) -> np.ndarray[Any, Any]:
    """Values from 0 to 200 with hills that reach over several boxes."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=size), 1.5)
    noise -= noise.min()
    return np.asfortranarray((noise / noise.max() * 200).astype(dtype)[..., None])


def found_in(folder: Path, voxels: np.ndarray[Any, Any], **options: Any) -> np.ndarray[Any, Any]:
    source = make_layer(folder / "source", voxels, offset=(3, -5, 1))
    do(stages(source, str(folder / "dest"), shape=SHAPE, group=GROUP, **options))
    return np.asarray(read_layer(str(folder / "dest"), 0)[..., 0])


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 99),
    weak=st.integers(100, 130),
    more=st.integers(0, 50),
    dtype=st.sampled_from(["uint8", "float32"]),
)
def test_it_is_that_of_scikit_image_on_the_whole(
    tmp_path_factory: pytest.TempPathFactory, seed: int, weak: int, more: int, dtype: str
) -> None:
    voxels = smooth_noise(seed, dtype)
    low, high = weak + 0.5, weak + more + 0.5  # which no voxel has
    found = found_in(tmp_path_factory.mktemp("hysteresis"), voxels, threshold_gte=low, strong_gte=high)
    assert_same_components(found, expected(apply_hysteresis_threshold(voxels[..., 0], low, high), 6))


def test_a_strong_voxel_keeps_what_is_connected_with_it_many_boxes_away(tmp_path: Path) -> None:
    voxels = np.zeros((40, 9, 9, 1), np.uint8, order="F")
    voxels[:, 4, 4] = 100  # through five boxes
    voxels[39, 4, 4] = 150
    voxels[:, 1, 1] = 140  # as long, and never strong
    found = found_in(tmp_path, voxels, threshold_gte=90, strong_gte=150)
    assert (found[:, 4, 4] == 1).all()
    assert found.sum() == 40


def test_only_strong_voxels_count_against_dust(tmp_path: Path) -> None:
    voxels = smooth_noise(5)
    found = found_in(tmp_path, voxels, threshold_gte=100, strong_gte=130, dust=40, connectivity=26)
    labels = expected(voxels[..., 0] >= 100, 26)
    strong = np.bincount(labels.ravel(), voxels[..., 0].ravel() >= 130, labels.max() + 1)
    strong[0] = 0
    kept = np.where(strong[labels] >= 40, labels, 0)
    assert 0 < len(np.unique(kept)) < len(np.unique(labels))
    assert_same_components(found, kept)


def test_a_box_of_several_slabs_has_all_its_strong_voxels(tmp_path: Path) -> None:
    voxels = smooth_noise(4, size=(27, 25, 30))  # 16 chunks to a slab
    source = make_layer(tmp_path / "source", voxels)
    do(stages(source, str(tmp_path / "dest"), shape=(32, 32, 32), threshold_gte=110, strong_gte=125))
    found = np.asarray(read_layer(str(tmp_path / "dest"), 0)[..., 0])
    assert_same_components(found, expected(apply_hysteresis_threshold(voxels[..., 0], 109.5, 124.5), 6))


def test_dark_things_are_kept_by_their_darkest_voxels(tmp_path: Path) -> None:
    voxels = smooth_noise(2)
    found = found_in(tmp_path, voxels, threshold_lte=80, strong_lte=50)
    kept = apply_hysteresis_threshold(-voxels[..., 0].astype(float), -80.5, -50.5)
    assert 0 < kept.sum() < (voxels <= 80).sum()
    assert_same_components(found, expected(kept, 6))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strong_gte": 9.0}, "--strong-gte: say with --threshold-gte or --threshold-lte which voxels are labelled"),
        ({"strong_lte": 9.0}, "--strong-lte: say with --threshold-gte"),
        ({"threshold_gte": 5.0, "strong_gte": 4.0}, "--strong-gte: 4 is below --threshold-gte"),
        ({"threshold_lte": 5.0, "strong_lte": 6.0}, "--strong-lte: 6 is above --threshold-lte"),
        ({"threshold_lte": 5.0, "strong_gte": 6.0}, "--strong-gte: no voxel is within the thresholds and strong"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, options: dict[str, float], said: str) -> None:
    source = make_layer(tmp_path / "source", smooth_noise(0))
    dest = tmp_path / "dest"
    with pytest.raises(BadUsage, match=said):
        do(stages(source, str(dest), **options))
    assert not dest.exists()
