"""A look at some voxels of a layer: the contrast that shows an image, and labels that are worth selecting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Vec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

    Array = NDArray[Any]  # of the layer's data type

MOST: Vec = (512, 512, 16)  # voxels, from the middle
TAILS = (0.5, 99.5)  # percent of the voxels that are not background
Range = tuple[float, float]


def take_sample(layer: Layer) -> Array:
    """Voxels from the middle of the smallest mip that has something there; missing chunks count as background."""
    voxels = None
    for mip in reversed(range(len(layer.info.scales))):
        voxels = layer.read(layer.bounds(mip).middle(MOST), mip, fill_missing=True)
        if voxels.any():
            return voxels
    assert voxels is not None  # a layer has at least one mip
    return voxels


def contrast_of(sample: Array) -> Range:
    """The voxel values that black and white should stand for."""
    import numpy as np

    finite = sample[np.isfinite(sample)]
    values = finite[finite != 0]
    if not values.size:
        return (0.0, 1.0)
    low, high = (float(value) for value in np.percentile(values, TAILS))
    if finite.dtype.kind in "iu":
        low, high = float(math.floor(low)), float(math.ceil(high))
    if low == high:  # a mask: background is black
        low, high = min(low, 0.0), max(high, 0.0)
    return (low, high)


def largest_labels(sample: Array, most: int) -> tuple[int, ...]:
    """The labels with the most voxels, the largest first; background is none."""
    import fastremap
    import numpy as np

    labels, counts = fastremap.unique(sample, return_counts=True)
    labels, counts = labels[labels != 0], counts[labels != 0]
    return tuple(map(int, labels[np.argsort(-counts.astype(np.int64), kind="stable")][:most]))
