"""What X-ray tomography makes of an object: noise, and rings around the axis of rotation, which bad detector elements leave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.drawn import Vec
from teravox.kernels.synthetic.hashing import bell, mix, unit

EDGE = 1.6  # voxels over which the grey value of a thing falls to that of what is around it


@compiled
def expose(
    seed: np.uint64,
    size: Vec,
    low: Vec,
    level: NDArray[np.float32],
    rings: float,
    noise: float,
    image: NDArray[np.uint8],
) -> None:
    """Write the grey values of a box, in z, y, x: the true ones with rings, at most so bright, and noise of that deviation."""
    for j in range(image.shape[1]):
        for i in range(image.shape[2]):
            x, y = low[0] + i, low[1] + j
            ring = rings * _ring(mix(seed, -6), size, x, y)
            for k in range(image.shape[0]):
                value = level[k, j, i] + ring + noise * bell(mix(mix(mix(mix(seed, -5), low[2] + k), y), x))
                image[k, j, i] = np.uint8(min(max(value + 0.5, 0.0), 255.0))


@compiled
def soften(off: float) -> float:
    """How much of a voxel is filled, from 0 to 1, that lies so far outside of a surface, or inside where it is negative."""
    return min(max(0.5 - off / EDGE, 0.0), 1.0)


@compiled
def _ring(state: np.uint64, size: Vec, x: int, y: int) -> float:
    """How much brighter a voxel is for the ring it lies in, from -1 to 1; the axis goes through the middle of x and y."""
    u, v = x - (size[0] - 1) / 2, y - (size[1] - 1) / 2
    radius = np.sqrt(u * u + v * v)
    ring = int(radius)
    part = radius - ring
    return float(_strength(state, ring) * (1 - part) + _strength(state, ring + 1) * part)


@compiled
def _strength(state: np.uint64, ring: int) -> float:
    """The strength of a ring, which its neighbours share in part."""
    total = unit(mix(state, ring - 1)) + 2 * unit(mix(state, ring)) + unit(mix(state, ring + 1))
    return total / 2 - 1
