"""Nervous tissue as an electron microscope sees it: neurites with membranes and mitochondria, and which voxel is whose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.courses import Beams, lay_pieces, stack
from teravox.kernels.synthetic.draining import AROUND, drain
from teravox.kernels.synthetic.drawn import Drawn, Vec, check_place, new_image
from teravox.kernels.synthetic.hashing import bell, mix, unit
from teravox.kernels.synthetic.nearest import MARGIN, Nearest, find_nearest
from teravox.kernels.synthetic.texture import Field, lay_field, look_up

INSIDE, MEMBRANE, BODY = 150.0, 70.0, 105.0  # grey values
CLOUDS, CLOUD = 10.0, 16  # the texture within cells: how far it goes up and down, and the size of its meshes
WIDE, BLUR_WIDE = (
    5.0,
    7.5,
)  # voxels nearer than the next neurite at which the membrane has ended, in sharp and blurred slices
BLUR_DARK = 0.45  # of a membrane's darkness is left in a blurred slice
SLICES = 3  # that are blurred together
HOLE = 24  # the size of meshes of the field that says where membranes are missing


def draw_neurites(
    size: Vec,
    low: Vec,
    high: Vec,
    seed: int,
    *,
    spacing: int = 32,
    bodies: float = 0.35,
    blurred: float = 0.0,
    holes: float = 0.0,
    noise: float = 14.0,
) -> Drawn:
    """The box from `low` to `high` of a volume of that size, whose neurites are about half the spacing thick.

    `bodies` is how often there is a mitochondrion, `blurred` the share of slices in which membranes are faint, `holes` the
    share of the volume in which they are missing, and `noise` a standard deviation. Each label is connected by the faces of
    its voxels in the whole volume. ValueError where that cannot be drawn.
    """
    check_place(size, low, high)
    for name, share in (("bodies", bodies), ("blurred", blurred), ("holes", holes)):
        if not 0 <= share <= 1:
            raise ValueError(f"{name} is a share from 0 to 1, not {share}")
    beams = stack(size, spacing, seed)
    a, b = _grow(low, high, size)
    nearest = _know(beams, a, b, bodies)
    start = (low[0] - a[0], low[1] - a[1], low[2] - a[2])
    truth = drain(nearest, start, (high[0] - low[0], high[1] - low[1], high[2] - low[2]))
    image = new_image(low, high)
    clouds = lay_field(beams.seed, -2, low, high, CLOUD)
    gaps = lay_field(beams.seed, -3, low, high, HOLE)
    _paint(nearest, start, low, beams.seed, clouds, gaps, blurred, _level(holes), noise, image.T)
    return Drawn(image, truth.T)


def _know(beams: Beams, low: Vec, high: Vec, bodies: float) -> Nearest:
    """What is nearest to the voxels of a box; courses are looked for further and further away until none can be missing."""
    spacing = max(beams.spacings)
    reach = spacing + MARGIN
    while True:
        pieces = lay_pieces(beams, low, high, reach, bodies)
        if len(pieces.keys):
            nearest, furthest = find_nearest(pieces, low, high, spacing)
            if furthest + MARGIN <= reach:
                return nearest
        reach *= 1.3


def _grow(low: Vec, high: Vec, size: Vec) -> tuple[Vec, Vec]:
    a, b, c = (max(0, n - AROUND) for n in low)
    d, e, f = (min(m, n + AROUND) for n, m in zip(high, size, strict=True))
    return (a, b, c), (d, e, f)


def _level(share: float) -> float:
    """Above which level so large a share of a smooth field lies; measured."""
    shares = [0.0, 0.01, 0.03, 0.1, 0.2, 0.5, 0.8, 1.0]
    levels = [1.1, 0.71, 0.6, 0.42, 0.28, 0.0, -0.28, -1.1]
    return float(np.interp(share, shares, levels))


@compiled
def _paint(
    nearest: Nearest,
    start: Vec,
    low: Vec,
    seed: np.uint64,
    clouds: Field,
    gaps: Field,
    blurred: float,
    gap_level: float,
    noise: float,
    image: NDArray[np.uint8],
) -> None:
    """Write the grey values of a box, in z, y, x."""
    depth, height, width = image.shape
    for k in range(depth):
        z = low[2] + k
        faint = unit(mix(mix(seed, -4), z // SLICES)) < blurred
        wide = BLUR_WIDE if faint else WIDE
        strong = BLUR_DARK if faint else 1.0
        for j in range(height):
            y = low[1] + j
            row = mix(mix(mix(seed, -5), z), y)
            for i in range(width):
                x = low[0] + i
                here = start[2] + k, start[1] + j, start[0] + i
                value = BODY if nearest.bodies[here] else INSIDE
                value += CLOUDS * look_up(clouds, low, CLOUD, x, y, z)
                near = nearest.margins[here] / wide
                if near < 1:
                    dark = strong * (1 - near * near) * (1 - near * near)
                    if gap_level < 1:
                        missing = (look_up(gaps, low, HOLE, x, y, z) - gap_level) * 10
                        dark *= 1 - min(max(missing, 0.0), 1.0)
                    value += (MEMBRANE - value) * dark
                value += noise * bell(mix(row, x))
                image[k, j, i] = np.uint8(min(max(value + 0.5, 0.0), 255.0))
