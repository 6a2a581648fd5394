"""Finds the voxels in a plane between two pieces through which skeletons go, so that those of both pieces meet there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.components import label

Plane = NDArray[Any]  # unsigned whole numbers; 0 is background
Lengths = NDArray[np.float32]
Rows = NDArray[np.int64]  # (k, 2): places in the plane


def border_targets(plane: Plane, step: tuple[float, float]) -> Rows:
    """One voxel of each connected part of a number in a plane: the one that is deepest inside of it.

    Parts are connected by sides or corners of voxels, and the outline of the plane bounds them, too. Of several that are
    equally deep it is the one nearest to the middle of its part, and then the first one. It depends on nothing but which
    voxels of the plane are of the same number, so who looks at it from the other side finds the same.
    """
    import edt

    parts, count = label(plane[..., np.newaxis], 26)
    parts = parts[..., 0]
    if count == 0:
        return np.empty((0, 2), np.int64)
    depths = edt.edt(np.asfortranarray(parts), anisotropy=step, black_border=True, parallel=1)
    found = np.full((count, 2), -1, np.int64)
    _find_deepest(parts, depths, float(step[0]), float(step[1]), found)
    return found


@compiled
def _find_deepest(  # pragma: no cover - compiled
    parts: NDArray[np.uint32], depths: Lengths, a: float, b: float, found: Rows
) -> None:
    count = len(found)
    sums = np.zeros((count, 2), np.int64)
    sizes = np.zeros(count, np.int64)
    deepest = np.zeros(count, np.float32)
    nearest = np.full(count, np.inf)
    width, height = parts.shape
    for y in range(height):
        for x in range(width):
            part = np.int64(parts[x, y]) - 1
            if part >= 0:
                sums[part, 0] += x
                sums[part, 1] += y
                sizes[part] += 1
                deepest[part] = max(deepest[part], depths[x, y])
    for y in range(height):
        for x in range(width):
            part = np.int64(parts[x, y]) - 1
            if part >= 0 and depths[x, y] == deepest[part]:
                # times the size, so that whole numbers stay whole
                across = np.float64(x * sizes[part] - sums[part, 0]) * a
                along = np.float64(y * sizes[part] - sums[part, 1]) * b
                far = across * across + along * along
                if far < nearest[part]:
                    nearest[part] = far
                    found[part, 0] = x
                    found[part, 1] = y
