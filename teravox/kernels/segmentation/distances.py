"""How deep within a mask each voxel lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.segmentation.checks import Mask
from teravox.kernels.segmentation.scale import Zyx, sides

Distances = NDArray[np.float32]  # z, y and x, in the finest voxels


def distances_inside(inside: Mask, reach: float, resolution: Zyx, *, per_slice: bool = False) -> Distances:
    """How far each voxel is from the next one that is not inside; as far as `reach` where there is none."""
    from bioimage_cpp.distance import distance_transform

    _, *across = sampling = sides(resolution)
    distances = np.empty(inside.shape, np.float32)
    if not per_slice:
        if inside.all():
            distances[...] = reach
        else:
            distance_transform(inside, sampling, distances=distances)
        return distances
    for plane, result in zip(inside, distances, strict=True):
        if plane.all():
            result[...] = reach
        else:
            distance_transform(plane, across, distances=result)
    return distances
