"""Smooth random fields: even at every place, and cut out of one that has no end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.drawn import Vec
from teravox.kernels.synthetic.hashing import mix, mix3, unit

Field = NDArray[np.float64]


@compiled
def lay_field(seed: np.uint64, number: int, low: Vec, high: Vec, mesh: int) -> Field:
    """Random numbers from -1 to 1 at the corners of meshes that cover a box; the first lies at the mesh of `low`."""
    state = mix(seed, number)
    x, y, z = low[0] // mesh, low[1] // mesh, low[2] // mesh
    shape = ((high[0] - 1) // mesh - x + 2, (high[1] - 1) // mesh - y + 2, (high[2] - 1) // mesh - z + 2)
    field = np.empty(shape, np.float64)
    for i in range(shape[0]):
        for j in range(shape[1]):
            for k in range(shape[2]):
                field[i, j, k] = 2 * unit(mix3(state, x + i, y + j, z + k)) - 1
    return field


@compiled
def look_up(field: Field, low: Vec, mesh: int, x: int, y: int, z: int) -> float:
    """What lies between the corners around a voxel, along straight lines."""
    i, j, k = x // mesh, y // mesh, z // mesh
    u, v, w = (x - i * mesh) / mesh, (y - j * mesh) / mesh, (z - k * mesh) / mesh
    i -= low[0] // mesh
    j -= low[1] // mesh
    k -= low[2] // mesh
    near = field[i, j, k] * (1 - u) + field[i + 1, j, k] * u
    near = near * (1 - v) + (field[i, j + 1, k] * (1 - u) + field[i + 1, j + 1, k] * u) * v
    far = field[i, j, k + 1] * (1 - u) + field[i + 1, j, k + 1] * u
    far = far * (1 - v) + (field[i, j + 1, k + 1] * (1 - u) + field[i + 1, j + 1, k + 1] * u) * v
    return float(near * (1 - w) + far * w)
