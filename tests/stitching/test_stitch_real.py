"""Stitching real volumes: what was whole before it was cut into blocks is whole again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cc3d
import numpy as np
import pytest
from numpy.typing import NDArray
from real_volumes import real, real_cortex
from stitching.make_blocks import cut_into_blocks, stitch
from stitching.test_stitching import assert_same_partition

Array = NDArray[Any]  # of whatever labels


@pytest.mark.parametrize(
    ("shape", "halo", "connectivity"), [((60, 70, 45), (1, 1, 1), 26), ((64, 64, 64), (3, 1, 6), 6)]
)
def test_components_of_blocks_of_dense_cortex_are_those_of_the_whole(
    tmp_path: Path, shape: tuple[int, int, int], halo: tuple[int, int, int], connectivity: Any
) -> None:
    whole = np.asfortranarray(real_cortex()[300:430, 200:320, :100], np.uint32)
    layer = cut_into_blocks(tmp_path, whole, shape=shape, halo=halo, connectivity=connectivity)
    expected = cc3d.connected_components(whole, connectivity=connectivity)
    assert_same_partition(stitch(layer, rule="any", group=(2, 2, 2)), expected)


def test_a_perfect_segmentation_in_blocks_is_perfect_again(tmp_path: Path) -> None:
    """VI in bits against the components of the truth: what a rule splits, and that none merges."""
    truth = np.load(real("fib25_medulla/train_z000-130.npz"))["groundtruth"].transpose(2, 1, 0)[:120, :120, :70]
    whole = np.asfortranarray(truth, np.uint32)
    layer = cut_into_blocks(tmp_path, whole, shape=(60, 60, 70), halo=(20, 20, 20))
    components = cc3d.connected_components(whole, connectivity=6)
    split = {}
    for rule in ("none", "conservative", "medium", "aggressive", "any"):
        stitched = stitch(layer, rule=rule, consecutive=True, dest=str(tmp_path / rule))
        assert conditional_entropy(whole, given=stitched) == pytest.approx(0, abs=1e-12)  # no false merge
        split[rule] = conditional_entropy(stitched, given=components)
    assert split["none"] > 0.5
    assert split["none"] > split["conservative"] >= split["medium"] >= split["aggressive"] >= split["any"]
    assert split["medium"] < 0.008
    assert split["any"] == pytest.approx(0, abs=1e-12)


def conditional_entropy(labels: Array, *, given: Array) -> float:
    """In bits, over voxels that are labelled in both."""
    there = (labels > 0) & (given > 0)
    own = given[there].astype(np.uint64)
    _, pairs = np.unique(own << np.uint64(32) | labels[there].astype(np.uint64), return_counts=True)
    _, alone = np.unique(own, return_counts=True)
    return float((alone * np.log2(alone)).sum() - (pairs * np.log2(pairs)).sum()) / len(own)
