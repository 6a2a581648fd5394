"""Chooses the cells into which the levels of a label's mesh are cut."""

from __future__ import annotations

import msgspec

from teravox.pipeline.box import Vec
from teravox.pipeline.meshes.forged import Forged

FINEST = 32  # points of the lattice for each half voxel, where a label is in one cell; Draco packs the same for fewer
LEAST_FACES = 256  # of the coarsest level, about; with fewer there is nothing to gain
FLOAT_BITS = 24  # of a whole number that fits in a float of 32 bits


class Octree(msgspec.Struct, frozen=True):
    """Cells of level l begin at origin + n * 2^l * cell, in half voxels of the whole volume, n from 0 up on each axis.

    With `points` there is but one cell of one level, and its lattice has that many points for each half voxel.
    """

    origin: Vec
    cell: Vec
    levels: int
    points: int = 0

    def size(self, level: int) -> Vec:
        """The size of a cell of a level, in half voxels."""
        x, y, z = self.cell
        return (x << level, y << level, z << level)

    def corner(self, level: int, cell: Vec) -> Vec:
        """Where a cell of a level begins."""
        x, y, z = (o + n * s for o, n, s in zip(self.origin, cell, self.size(level), strict=True))
        return (x, y, z)


class Wish(msgspec.Struct, frozen=True):
    """What somebody asked of the levels of detail."""

    least_cell: Vec  # voxels
    most_levels: int | None  # as many as it takes until one cell holds all
    bits: int  # of a position


def choose_octree(low: Vec, high: Vec, faces: int, forged: Forged, wish: Wish) -> Octree:
    """The octree of a label whose vertices, in half voxels, lie from `low` to `high`, both included."""
    extent = [b - a for a, b in zip(low, high, strict=True)]
    if all(length <= 2 * least for length, least in zip(extent, wish.least_cell, strict=True)):
        return _one_cell(low, max(extent), forged, wish.bits)
    cell = _least_cell(forged, wish.least_cell)
    origin = _origin(low, forged)
    levels = _levels(origin, high, cell, wish.most_levels)
    while levels > 1 and faces < LEAST_FACES * 4 ** (levels - 1):
        cell = _double(cell)
        levels = _levels(origin, high, cell, wish.most_levels)
    return Octree(origin, cell, levels)


def grid_start(forged: Forged) -> Vec:
    """The first plane of the forge's grid, in half voxels."""
    x, y, z = forged.bounds.min
    return (2 * x, 2 * y, 2 * z)


def _one_cell(low: Vec, extent: int, forged: Forged, bits: int) -> Octree:
    """A cell of its own, whose lattice holds every half voxel: then nothing is rounded, and it packs best."""
    last = (1 << bits) - 1
    start = grid_start(forged)
    x, y, z = (s + _floor_to_float(a - s) for a, s in zip(low, start, strict=True))
    extent += max(a - b for a, b in zip(low, (x, y, z), strict=True))
    points = min(FINEST, last // max(1, extent))
    if not points:
        return Octree((x, y, z), (extent, extent, extent), 1)
    points = 1 << (points.bit_length() - 1)  # so that the size of the cell, last / points, is a whole number of 32 bits
    return Octree((x, y, z), (extent, extent, extent), 1, points)


def _floor_to_float(number: int) -> int:
    """The next number below that 32 bits of a float can hold."""
    spare = max(0, abs(number).bit_length() - FLOAT_BITS)
    return number >> spare << spare


def _least_cell(forged: Forged, least: Vec) -> Vec:
    """The forge's cell, doubled until it is large enough along each axis, or larger than the volume."""
    x, y, z = forged.cell
    cell = (2 * x, 2 * y, 2 * z)
    wanted = [2 * min(a, b) for a, b in zip(least, forged.bounds.size, strict=True)]
    while any(have < want for have, want in zip(cell, wanted, strict=True)):
        cell = _double(cell)
    return cell


def _origin(low: Vec, forged: Forged) -> Vec:
    """The last crossing of the forge's planes below a place."""
    x, y, z = (s + (a - s) // (2 * c) * (2 * c) for a, s, c in zip(low, grid_start(forged), forged.cell, strict=True))
    return (x, y, z)


def _levels(origin: Vec, high: Vec, cell: Vec, most: int | None) -> int:
    """How many levels there are until one cell holds all, or as many as there may be."""
    cells = max(-(-(b - a) // c) for a, b, c in zip(origin, high, cell, strict=True))
    levels = max(0, cells - 1).bit_length() + 1
    return levels if most is None else min(levels, most)


def _double(cell: Vec) -> Vec:
    x, y, z = cell
    return (2 * x, 2 * y, 2 * z)
