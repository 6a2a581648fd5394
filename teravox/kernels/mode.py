"""The most frequent voxel of each cell, for labels, which cannot be averaged."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of whatever the layer holds
Vec = tuple[int, int, int]


def modes(array: Array, factor: Vec, *, sparse: bool = False) -> Array:
    """The most frequent voxel of each cell; of several, one that depends on nothing but their places in the cell.

    With `sparse`, 0 is chosen only where there is nothing else. Cells at the upper faces count what is there.
    """
    if factor == (2, 2, 1) and not sparse:
        return _by_channel(array, factor, sparse=False)
    if factor == (2, 2, 2):
        return _by_channel(array, factor, sparse=sparse)
    return count_modes(array, factor, sparse=sparse)


def _by_channel(array: Array, factor: Vec, *, sparse: bool) -> Array:
    """By tinybrain; one channel at a time, since of several it reads beyond the end."""
    from tinybrain import downsample_segmentation

    channels = [array[..., c] for c in range(array.shape[3])]
    modes = [downsample_segmentation(np.require(c, None, ["F", "W"]), factor, sparse=sparse)[0] for c in channels]
    return np.stack(modes, axis=3) if len(modes) > 1 else modes[0][..., np.newaxis]


def count_modes(array: Array, factor: Vec, *, sparse: bool = False) -> Array:
    """By counting, for any factor: of several most frequent voxels the one that comes first in the cell, x fastest."""
    places = [(x, y, z) for z, y, x in itertools.product(*map(range, reversed(factor)))]
    voxels = [array[x :: factor[0], y :: factor[1], z :: factor[2]] for x, y, z in places]
    best = np.array(voxels[0], order="F")
    counts = _count(voxels, 0, sparse=sparse)
    for place in range(1, len(voxels)):
        voxel = voxels[place]
        inside = tuple(slice(0, n) for n in voxel.shape)
        count = _count(voxels, place, sparse=sparse)
        better = count > counts[inside]
        np.copyto(best[inside], voxel, where=better)
        np.copyto(counts[inside], count, where=better)
    return best


def _count(voxels: list[Array], place: int, *, sparse: bool) -> NDArray[np.uint32]:
    """How often the voxel at a place comes again at later places; one that came before has been counted there."""
    voxel = voxels[place]
    count = np.ones(voxel.shape, np.uint32, order="F")
    for other in voxels[place + 1 :]:
        shared = tuple(slice(0, min(a, b)) for a, b in zip(voxel.shape, other.shape, strict=True))
        count[shared] += voxel[shared] == other[shared]
    if sparse:
        count[voxel == 0] = 0
    return count
