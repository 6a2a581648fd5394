"""A step of one's own that makes mistakes on purpose: in some blocks it joins two large segments that touch."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint32]


def agglomerate(
    prediction: NDArray[np.float32],  # noqa: ARG001 - as every such step
    supervoxels: Labels,
    *,
    every: Annotated[int, "in one of so many blocks"] = 4,
    corner: tuple[int, int, int] = (0, 0, 0),
) -> Labels:
    """Join the two largest segments that touch, in one of so many blocks; which these are is told by where they lie."""
    if np.random.default_rng([place + (1 << 20) for place in corner]).integers(every):
        return supervoxels
    sizes = np.bincount(supervoxels.ravel())
    found = [pair for axis in range(3) for pair in _touching(supervoxels, axis)]
    if not found:
        return supervoxels
    kept, lost = max(found, key=lambda pair: (min(sizes[pair[0]], sizes[pair[1]]), pair))
    return np.where(supervoxels == lost, np.uint32(kept), supervoxels)


def _touching(labels: Labels, axis: int) -> list[tuple[int, int]]:
    """The pairs of labels that are neighbours along an axis."""
    size = labels.shape[axis]
    before, after = (labels.take(range(start, start + size - 1), axis).astype(np.uint64) for start in (0, 1))
    different = (before != after) & (before != 0) & (after != 0)
    pairs = np.unique(np.minimum(before, after)[different] << np.uint64(32) | np.maximum(before, after)[different])
    return [(int(pair) >> 32, int(pair) & 0xFFFFFFFF) for pair in pairs]
