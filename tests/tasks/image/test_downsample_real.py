"""`image downsample` on real volumes, against NumPy on the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.copies import do
from layers.make import Array, make_layer, read_layer
from real_volumes import real, real_cortex

from teravox.tasks.image.downsample import Downsample


def cells(array: Array) -> Array:
    """The four voxels of each cell of 2 x 2 x 1, along the first axis."""
    return np.stack([array[x::2, y::2] for x in (0, 1) for y in (0, 1)])


@pytest.mark.parametrize("sharded", [False, True])
def test_labels_of_a_cortex_become_the_most_frequent_of_their_cells(tmp_path: Path, sharded: bool) -> None:
    array = np.asfortranarray(real_cortex()[100:356, 50:306, 200:328, np.newaxis])
    path = make_layer(
        tmp_path, array, chunk=(64, 64, 32), type="segmentation", encoding="compressed_segmentation", offset=(5, -7, 9)
    )
    do(Downsample(path, num_mips=2, sharded=sharded, shape=(256, 256, 64)))
    below = array
    for mip in (1, 2):
        made = read_layer(path, mip)
        voxels = cells(below)
        counts = (voxels[:, np.newaxis] == voxels).sum(1)
        assert np.array_equal((voxels == made).sum(0), counts.max(0))
        below = made


@pytest.mark.parametrize("sharded", [False, True])
def test_an_electron_micrograph_becomes_the_rounded_means(tmp_path: Path, sharded: bool) -> None:
    with np.load(real("fib25_medulla/gray_unlabelled.npz")) as file:
        grey = next(iter(file.values()))
    array = np.asfortranarray(grey.T[:240, :240, :100, np.newaxis])
    path = make_layer(tmp_path, array, chunk=(48, 40, 25))
    do(Downsample(path, factor=(2, 2, 2), num_mips=2, sharded=sharded))
    for mip in (1, 2):
        x, y, z = (n // 2**mip for n in array.shape[:3])
        means = array.reshape((x, 2**mip, y, 2**mip, z, 2**mip)).astype(float).mean((1, 3, 5))
        assert np.array_equal(read_layer(path, mip)[..., 0], np.rint(means).astype(np.uint8))
