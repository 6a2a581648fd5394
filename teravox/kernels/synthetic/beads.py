"""A pack of beads as X-ray tomography sees it: bright balls, nearly touching, with rings and noise, and which is which.

The beads lie on the places of a close packing, each pushed aside at random. Each is as large as its own radius
and those of its neighbours allow; so two may touch, and none overlap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.drawn import Drawn, Vec, check_place, new_image, voxels_along
from teravox.kernels.synthetic.hashing import mix, mix3, unit
from teravox.kernels.synthetic.tomograph import EDGE, expose, soften

BEAD, BETWEEN = 173.0, 90.0  # grey values
ASIDE = 0.09  # of the spacing, by which a bead is pushed along each axis at most
SMALLER = 0.25  # by how much of the largest radius a bead may be smaller
TWO = np.sqrt(2.0)


def draw_beads(
    size: Vec, low: Vec, high: Vec, seed: int, *, radius: float = 16.0, rings: float = 12.0, noise: float = 15.0
) -> Drawn:
    """The box from `low` to `high` of a volume of that size, full of beads of about that radius.

    `rings` is how much brighter or darker a ring may be, and `noise` a standard deviation. ValueError where that cannot be
    drawn.
    """
    check_place(size, low, high)
    if radius < 3:
        raise ValueError(f"a radius of {radius} voxels is too small for beads: they need 3")
    spacing = 2.1 * radius
    cells = [int(n / (spacing / TWO)) + 6 for n in size]
    if cells[0] * cells[1] * cells[2] >= 1 << 32:
        raise ValueError(f"a volume of {size} voxels has more beads than 32 bits can count")
    image = new_image(low, high)
    truth = np.zeros(image.shape, np.uint32, order="F")
    level = np.full(image.shape, np.float32(BETWEEN), order="F")
    state = np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
    _paint_beads(state, (cells[0], cells[1]), low, high, spacing, radius, level.T, truth.T)
    expose(state, size, low, level.T, rings, noise, image.T)
    return Drawn(image, truth)


@compiled
def _centre(state: np.uint64, i: int, j: int, k: int, spacing: float) -> tuple[float, float, float]:
    """Where the bead of a place of the packing is; places have an even sum."""
    bead, half = mix3(state, i, j, k), spacing / TWO
    x = i * half + ASIDE * spacing * (2 * unit(mix(bead, 1)) - 1)
    y = j * half + ASIDE * spacing * (2 * unit(mix(bead, 2)) - 1)
    return x, y, k * half + ASIDE * spacing * (2 * unit(mix(bead, 3)) - 1)


@compiled
def _wish(state: np.uint64, i: int, j: int, k: int, radius: float) -> float:
    """The radius that a bead would have by itself."""
    return radius * (1.12 - SMALLER * unit(mix(mix3(state, i, j, k), 4)))


@compiled
def _radius(state: np.uint64, i: int, j: int, k: int, spacing: float, radius: float) -> float:
    """The radius that a bead has beside its neighbours: two that would overlap both give way, each in proportion to its size."""
    x, y, z = _centre(state, i, j, k, spacing)
    own = _wish(state, i, j, k, radius)
    share = 1.0
    for dk in range(-2, 3):
        for dj in range(-2, 3):
            for di in range(-2, 3):
                if (di + dj + dk) % 2 == 0 and (di != 0 or dj != 0 or dk != 0):
                    p, q, r = _centre(state, i + di, j + dj, k + dk, spacing)
                    apart = np.sqrt((p - x) * (p - x) + (q - y) * (q - y) + (r - z) * (r - z))
                    share = min(share, apart / (own + _wish(state, i + di, j + dj, k + dk, radius)))
    return own * share


@compiled
def _paint_beads(
    state: np.uint64,
    cells: tuple[int, int],
    low: Vec,
    high: Vec,
    spacing: float,
    radius: float,
    level: NDArray[np.float32],
    truth: NDArray[np.uint32],
) -> None:
    """Write the beads that reach into a box, in z, y, x."""
    half, reach = spacing / TWO, 1.12 * radius + EDGE + ASIDE * spacing
    for k in range(int(np.floor((low[2] - reach) / half)), int((high[2] + reach) / half) + 1):
        for j in range(int(np.floor((low[1] - reach) / half)), int((high[1] + reach) / half) + 1):
            for i in range(int(np.floor((low[0] - reach) / half)), int((high[0] + reach) / half) + 1):
                if (i + j + k) % 2:
                    continue
                x, y, z = _centre(state, i, j, k, spacing)
                r = _radius(state, i, j, k, spacing, radius)
                bead = ((k + 3) * cells[1] + j + 3) * cells[0] + i + 4
                _paint_ball(x - low[0], y - low[1], z - low[2], r, bead, level, truth)


@compiled
def _paint_ball(
    x: float, y: float, z: float, radius: float, label: int, level: NDArray[np.float32], truth: NDArray[np.uint32]
) -> None:
    around = radius + EDGE
    for k in range(*voxels_along(z - around, z + around, 0, level.shape[0])):
        for j in range(*voxels_along(y - around, y + around, 0, level.shape[1])):
            for i in range(*voxels_along(x - around, x + around, 0, level.shape[2])):
                off = np.sqrt((i - x) * (i - x) + (j - y) * (j - y) + (k - z) * (k - z)) - radius
                if off < 0:
                    truth[k, j, i] = label
                level[k, j, i] = max(level[k, j, i], np.float32(BETWEEN + (BEAD - BETWEEN) * soften(off)))
