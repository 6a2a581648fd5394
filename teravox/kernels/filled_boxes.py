"""The boxes around the connected parts of an image that are not empty."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # x, y, z and channel, of whatever the layer holds
Vec = tuple[int, int, int]

WORKING = 20  # bytes that a voxel takes beside itself, at worst: mask, labels, and what finds and measures them


class Filled(NamedTuple):
    """The half-open box around a part, and how many voxels of the part lie in it."""

    min: Vec
    max: Vec
    voxels: int


def filled_boxes(array: Array, above: float, least: int) -> list[Filled]:
    """The parts whose voxels are larger than `above` in any channel, if they have `least` voxels or more.

    Voxels that touch by a face, an edge or a corner belong together. Parts are sorted by their lower corners, z first.
    """
    import cc3d

    mask = np.zeros(array.shape[:3], np.bool_, order="F")
    for channel in range(array.shape[3]):
        mask |= array[..., channel] > above
    labels = cc3d.connected_components(mask, connectivity=26)
    found = cc3d.statistics(labels, no_slice_conversion=True)
    boxes, counts = found["bounding_boxes"].astype(int), found["voxel_counts"]
    parts = []
    for part in range(1, len(counts)):
        if counts[part] >= max(1, least):
            x0, x1, y0, y1, z0, z1 = boxes[part].tolist()
            parts.append(Filled((x0, y0, z0), (x1 + 1, y1 + 1, z1 + 1), int(counts[part])))
    return sorted(parts, key=lambda part: (part.min[::-1], part.max[::-1], part.voxels))
