"""Numbers the connected pieces of a mask."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np

from teravox.kernels.components import count, label
from teravox.kernels.segmentation.checks import Labels, Mask

_IN_SLICE = {6: 4, 18: 8, 26: 8}  # of two dimensions


def number_parts(
    voxels: Mask, *, connectivity: Literal[6, 18, 26], min_size: int = 0, per_slice: bool = False
) -> Labels:
    """Number the connected pieces from 1 in the order of their first voxels; those of fewer voxels are 0."""
    if voxels.size == 0:
        return np.zeros(voxels.shape, np.uint32)
    if per_slice:
        import cc3d

        labels = np.empty(voxels.shape, np.uint32)
        number = 0
        for plane, result in zip(voxels, labels, strict=True):
            pieces, found = cc3d.connected_components(
                plane.view(np.uint8),
                connectivity=cast("Literal[4, 8]", _IN_SLICE[connectivity]),
                return_N=True,
                out_dtype=np.uint32,
            )
            result[...] = pieces
            result[plane] += np.uint32(number)
            number += int(found)
    else:
        turned, number = label(voxels.T, connectivity)
        labels = turned.T
    if min_size <= 1 or number == 0:
        return labels
    kept = count(labels.T, number) >= min_size
    table = np.zeros(number + 1, np.uint32)
    table[1:][kept] = np.arange(1, kept.sum() + 1)
    np.take(table, labels, out=labels, mode="clip")
    return labels
