"""Gives each voxel the label that it is connected to: as water runs down, voxel by voxel, to the course it is near.

The voxels that are nearest to one course need not be connected to it by their faces, where a neurite is thin. So each voxel
that is nearly as near to another neurite goes where its steps towards the courses lead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.drawn import Vec
from teravox.kernels.synthetic.nearest import Nearest

SAFE = 4.0  # voxels nearer than any other neurite, from where all further steps stay in this one
STEPS = 12  # after which one stops: nearly all are safe by then
AROUND = STEPS + 1  # voxels that are looked at around a box


@compiled
def drain(nearest: Nearest, start: Vec, size: Vec) -> NDArray[np.uint32]:
    """The labels of a box that begins at `start` of what is known and has AROUND voxels about it, or the volume's end."""
    labels = np.empty((size[2], size[1], size[0]), np.uint32)
    for k in range(size[2]):
        for j in range(size[1]):
            for i in range(size[0]):
                x, y, z = start[0] + i, start[1] + j, start[2] + k
                steps = 0
                while nearest.margins[z, y, x] < SAFE and nearest.ways[z, y, x] & 0x3F and steps < STEPS:
                    x, y, z = _step(nearest, x, y, z)
                    steps += 1
                labels[k, j, i] = nearest.labels[z, y, x]
    return labels


@compiled
def _step(nearest: Nearest, x: int, y: int, z: int) -> Vec:
    """The next voxel: of those nearer to the course the one that is deepest in the same neurite, else towards the course."""
    way, label = nearest.ways[z, y, x], nearest.labels[z, y, x]
    axis, deepest = 0, np.float32(-1)
    for n in range(3):
        if deepest < 0 and way >> 6 == n:
            axis = n
        move = way >> (2 * n) & 3
        if move:
            p, q, r = _moved(x, y, z, n, move)
            if nearest.labels[r, q, p] == label and nearest.margins[r, q, p] > deepest:
                axis, deepest = n, nearest.margins[r, q, p]
    return _moved(x, y, z, axis, way >> (2 * axis) & 3)


@compiled
def _moved(x: int, y: int, z: int, axis: int, move: int) -> Vec:
    by = 1 if move == 1 else -1
    if axis == 0:
        return x + by, y, z
    if axis == 1:
        return x, y + by, z
    return x, y, z + by
