"""The most frequent voxel of each cell, for labels, which cannot be averaged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of whatever the layer holds
Vec = tuple[int, int, int]


def modes(array: Array, factor: Vec, *, sparse: bool = False) -> Array:
    """The most frequent voxel of each cell; of several, one that depends on nothing but their places in the cell.

    With `sparse`, 0 is chosen only where there is nothing else. Cells at the upper faces count what is there.
    """
    if factor == (2, 2, 2) or (factor == (2, 2, 1) and not sparse):
        return _by_channel(array, factor, sparse=sparse)
    from teravox.kernels.counted_mode import count_modes  # its compiler takes longer to load than small jobs take

    return count_modes(array, factor, sparse=sparse)


def _by_channel(array: Array, factor: Vec, *, sparse: bool) -> Array:
    """By tinybrain; one channel at a time, since of several it reads beyond the end."""
    from tinybrain import downsample_segmentation

    channels = [array[..., c] for c in range(array.shape[3])]
    modes = [downsample_segmentation(np.require(c, None, ["F", "W"]), factor, sparse=sparse)[0] for c in channels]
    return np.stack(modes, axis=3) if len(modes) > 1 else modes[0][..., np.newaxis]
