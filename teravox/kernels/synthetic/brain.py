"""Brain as X-ray tomography sees it: bright vessels that branch, dark round cells between them, and which voxel is what.

Vessels follow the courses of neurites, far apart. Cells lie on the places of a lattice, each pushed aside at random; places
where a cell would meet a vessel stay empty, and so do some others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.courses import Pieces, lay_pieces, most_labels, stack
from teravox.kernels.synthetic.drawn import Vec, check_place, new_image, places_along, voxels_along
from teravox.kernels.synthetic.hashing import mix, mix3, unit
from teravox.kernels.synthetic.nearest import measure_piece
from teravox.kernels.synthetic.texture import Field, lay_field, look_up
from teravox.kernels.synthetic.tomograph import EDGE, expose, soften

CELL, VESSEL = 1, 2  # classes; 0 is everything else
TISSUE, CELLS, VESSELS = 125.0, 80.0, 185.0  # grey values
CLOUDS, CLOUD = 18.0, 24  # the texture of the tissue: how far it goes up and down, and the size of its meshes
SMALLER = 0.25  # by how much of the largest radius a cell may be smaller
THICKER = 0.3  # of a vessel's radius, by which it may be thicker or thinner
APART = 3.0  # voxels between a cell and the next, or a vessel
ASIDE = 0.12  # of the lattice's spacing, by which a cell is pushed along each axis at most
HERE = 0.7  # of the places have a cell


class Brain(NamedTuple):
    """A box of a volume; arrays of x, y, z in Fortran order."""

    image: NDArray[np.uint8]
    truth: NDArray[np.uint32]  # which cell or vessel
    classes: NDArray[np.uint8]


def draw_brain(
    size: Vec,
    low: Vec,
    high: Vec,
    seed: int,
    *,
    radius: float = 5.0,
    vessel: float = 3.0,
    spacing: int = 48,
    rings: float = 8.0,
    noise: float = 14.0,
) -> Brain:
    """The box from `low` to `high` of a volume of that size, with cells of about that radius.

    `vessel` is the radius of vessels, `spacing` what lies between the middles of two, `rings` how much brighter or darker
    a ring may be, and `noise` a standard deviation. Cells touch nothing. ValueError where that cannot be drawn.
    """
    check_place(size, low, high)
    if radius < 3 or vessel < 1:
        raise ValueError(f"cells of radius {radius} and vessels of {vessel} are too small: they need 3 and 1 voxels")
    beams = stack(size, spacing, seed)
    step = (2 * radius + APART) / (1 - 2 * ASIDE)
    places = [int(n / step) + 3 for n in size]
    first_vessel = places[0] * places[1] * places[2]
    if first_vessel + most_labels(beams) >= 1 << 32:
        raise ValueError(f"a volume of {size} voxels has more cells and vessels than 32 bits can count")
    thickest = (1 + THICKER) * vessel
    pieces = lay_pieces(beams, low, high, 2 * radius + APART + thickest + EDGE, 0.0)
    image = new_image(low, high)
    truth = np.zeros(image.shape, np.uint32, order="F")
    classes = np.zeros(image.shape, np.uint8, order="F")
    level = np.empty(image.shape, np.float32, order="F")
    _paint_clouds(lay_field(beams.seed, -2, low, high, CLOUD), low, level.T)
    _paint_cells(beams.seed, (places[0], places[1]), step, radius, pieces, thickest, low, level.T, truth.T, classes.T)
    _paint_vessels(beams.seed, pieces, vessel, first_vessel, low, level.T, truth.T, classes.T)
    expose(beams.seed, size, low, level.T, rings, noise, image.T)
    return Brain(image, truth, classes)


@compiled
def _paint_clouds(clouds: Field, low: Vec, level: NDArray[np.float32]) -> None:
    for k in range(level.shape[0]):
        for j in range(level.shape[1]):
            for i in range(level.shape[2]):
                cloud = look_up(clouds, low, CLOUD, low[0] + i, low[1] + j, low[2] + k)
                level[k, j, i] = np.float32(TISSUE + CLOUDS * cloud)


@compiled
def _paint_cells(
    seed: np.uint64,
    places: tuple[int, int],
    step: float,
    largest: float,
    pieces: Pieces,
    thickest: float,
    low: Vec,
    level: NDArray[np.float32],
    truth: NDArray[np.uint32],
    classes: NDArray[np.uint8],
) -> None:
    """Write the cells that reach into a box, in z, y, x."""
    reach = largest + EDGE + ASIDE * step
    for k in range(*places_along(step, reach, low[2], truth.shape[0])):
        for j in range(*places_along(step, reach, low[1], truth.shape[1])):
            for i in range(*places_along(step, reach, low[0], truth.shape[2])):
                state = mix(mix3(seed, i, j, k), -7)
                if unit(mix(state, 0)) >= HERE:
                    continue
                x = (i + 0.5 + ASIDE * (2 * unit(mix(state, 1)) - 1)) * step
                y = (j + 0.5 + ASIDE * (2 * unit(mix(state, 2)) - 1)) * step
                z = (k + 0.5 + ASIDE * (2 * unit(mix(state, 3)) - 1)) * step
                radius = largest * (1 - SMALLER * unit(mix(state, 4)))
                if _is_free(pieces, x, y, z, radius + APART + thickest):
                    cell = (k * places[1] + j) * places[0] + i + 1
                    _paint_ball(x, y, z, radius, cell, low, level, truth, classes)


@compiled
def _is_free(pieces: Pieces, x: float, y: float, z: float, distance: float) -> bool:
    nearest = np.inf
    for piece in range(len(pieces.keys)):
        nearest = min(nearest, measure_piece(pieces, piece, x, y, z)[0])
    return bool(nearest >= distance * distance)


@compiled
def _paint_ball(
    x: float,
    y: float,
    z: float,
    radius: float,
    label: int,
    low: Vec,
    level: NDArray[np.float32],
    truth: NDArray[np.uint32],
    classes: NDArray[np.uint8],
) -> None:
    around = radius + EDGE
    for c in range(*voxels_along(z - around, z + around, low[2], level.shape[0])):
        for b in range(*voxels_along(y - around, y + around, low[1], level.shape[1])):
            for a in range(*voxels_along(x - around, x + around, low[0], level.shape[2])):
                off = np.sqrt((a - x) * (a - x) + (b - y) * (b - y) + (c - z) * (c - z)) - radius
                k, j, i = c - low[2], b - low[1], a - low[0]
                if off < 0:
                    truth[k, j, i] = label
                    classes[k, j, i] = CELL
                full = np.float32(soften(off))
                level[k, j, i] += (np.float32(CELLS) - level[k, j, i]) * full


@compiled
def _paint_vessels(
    seed: np.uint64,
    pieces: Pieces,
    vessel: float,
    first: int,
    low: Vec,
    level: NDArray[np.float32],
    truth: NDArray[np.uint32],
    classes: NDArray[np.uint8],
) -> None:
    """Write the vessels of a box, in z, y, x; where two meet, a voxel belongs to that in which it is deeper."""
    deepest = np.full(truth.shape, np.float32(EDGE))  # how far outside, or inside where it is negative
    for piece in range(len(pieces.keys)):
        label = pieces.labels[piece]
        radius = vessel * (1 + THICKER * (2 * unit(mix(mix(seed, -8), label)) - 1))
        around = radius + EDGE
        ends = pieces.ends[piece]
        from_z, to_z = min(ends[2], ends[5]) - around, max(ends[2], ends[5]) + around
        from_y, to_y = min(ends[1], ends[4]) - around, max(ends[1], ends[4]) + around
        from_x, to_x = min(ends[0], ends[3]) - around, max(ends[0], ends[3]) + around
        for c in range(*voxels_along(from_z, to_z, low[2], truth.shape[0])):
            for b in range(*voxels_along(from_y, to_y, low[1], truth.shape[1])):
                for a in range(*voxels_along(from_x, to_x, low[0], truth.shape[2])):
                    distance = np.sqrt(measure_piece(pieces, piece, float(a), float(b), float(c))[0])
                    off = np.float32(distance - radius)
                    k, j, i = c - low[2], b - low[1], a - low[0]
                    name = np.uint32(first + label)
                    if off < deepest[k, j, i] or (off == deepest[k, j, i] and name < truth[k, j, i]):
                        deepest[k, j, i] = off
                        if off < 0:
                            truth[k, j, i] = name
                            classes[k, j, i] = VESSEL
    for k in range(truth.shape[0]):
        for j in range(truth.shape[1]):
            for i in range(truth.shape[2]):
                full = np.float32(soften(deepest[k, j, i]))
                level[k, j, i] += (np.float32(VESSELS) - level[k, j, i]) * full
