"""A bundle of fibres as X-ray tomography sees it: bright rods along z that bend a little and never touch, and which is which.

The fibres lie on the places of a hexagonal packing. Each wanders by itself, by less than the gaps are wide, and all
wander together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.drawn import Drawn, Vec, check_place, new_image, places_along, voxels_along
from teravox.kernels.synthetic.hashing import mix, unit
from teravox.kernels.synthetic.tomograph import EDGE, expose, soften

FIBRE, BETWEEN = 160.0, 100.0  # grey values
APART = 20 / 7  # radii, from one fibre to the next
THICKER = 1 / 7  # of the radius, by which a fibre may be thicker or thinner
ASIDE = 0.15  # of the radius, by which a fibre may be off its place along each axis
SWAY = 0.8  # of the radius, by which all may be
NODES = 64  # slices, after which a fibre goes another way
ROW = np.sqrt(0.75)  # of the spacing, between rows


def draw_fibres(
    size: Vec, low: Vec, high: Vec, seed: int, *, radius: float = 7.0, rings: float = 6.0, noise: float = 8.0
) -> Drawn:
    """The box from `low` to `high` of a volume of that size, with fibres of about that radius along z.

    All begin at the first slice and end at the last one. `rings` is how much brighter or darker a ring may be, and `noise` a
    standard deviation. ValueError where that cannot be drawn.
    """
    check_place(size, low, high)
    if radius < 3:
        raise ValueError(f"a radius of {radius} voxels is too small for fibres: they need 3")
    image = new_image(low, high)
    truth = np.zeros(image.shape, np.uint32, order="F")
    level = np.full(image.shape, np.float32(BETWEEN), order="F")
    seed_bits = np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
    _paint_fibres(seed_bits, size, low, radius, level.T, truth.T)
    expose(seed_bits, size, low, level.T, rings, noise, image.T)
    return Drawn(image, truth)


@compiled
def _way(state: np.uint64, z: int) -> float:
    """How far something is off its place in a slice, from -1 to 1."""
    node, part = z // NODES, (z % NODES) / NODES
    return 2 * (unit(mix(state, node)) * (1 - part) + unit(mix(state, node + 1)) * part) - 1


@compiled
def _paint_fibres(
    seed: np.uint64, size: Vec, low: Vec, radius: float, level: NDArray[np.float32], truth: NDArray[np.uint32]
) -> None:
    """Write the fibres of a box, in z, y, x."""
    spacing, off = APART * radius, (ASIDE + SWAY) * radius
    row = ROW * spacing
    across = int(size[0] / spacing) + 1
    reach = off + (1 + THICKER) * radius + EDGE
    for j in range(*places_along(row, reach, low[1], truth.shape[1])):
        for i in range(across):
            x, y = (i + 0.5 * (j % 2)) * spacing, j * row
            if x < off or y < off or x > size[0] - 1 - off or y > size[1] - 1 - off:
                continue  # its axis could leave the volume, and come back as another fibre
            if not low[0] - reach <= x <= low[0] + truth.shape[2] + reach:
                continue
            fibre = j * across + i
            state = mix(mix(seed, -7), fibre)
            thick = radius * (1 + THICKER * (2 * unit(mix(state, 0)) - 1))
            for k in range(truth.shape[0]):
                z = low[2] + k
                p = x + radius * (ASIDE * _way(mix(state, 1), z) + SWAY * _way(mix(seed, -8), z))
                q = y + radius * (ASIDE * _way(mix(state, 2), z) + SWAY * _way(mix(seed, -9), z))
                _paint_disc(p - low[0], q - low[1], thick, fibre + 1, level[k], truth[k])


@compiled
def _paint_disc(
    x: float, y: float, radius: float, label: int, level: NDArray[np.float32], truth: NDArray[np.uint32]
) -> None:
    around = radius + EDGE
    for j in range(*voxels_along(y - around, y + around, 0, level.shape[0])):
        for i in range(*voxels_along(x - around, x + around, 0, level.shape[1])):
            off = np.sqrt((i - x) * (i - x) + (j - y) * (j - y)) - radius
            if off < 0:
                truth[j, i] = label
            level[j, i] = max(level[j, i], np.float32(BETWEEN + (FIBRE - BETWEEN) * soften(off)))
