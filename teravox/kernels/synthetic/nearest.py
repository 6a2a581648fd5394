"""Which course is the nearest to each voxel of a box, and how much nearer than that of another neurite."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.courses import Pieces
from teravox.kernels.synthetic.drawn import Vec

MARGIN = 8.0  # voxels; beyond it nobody asks how much nearer
THICK, LONG = 0.13, 1.5  # of mitochondria: half their width in spacings, half their length in pieces
FREE = 5.0  # voxels by which the inside of a neurite must be nearer to its course than to others, for a mitochondrion
SIZES = (64, 16, 4)  # of cells in cells: what is too far from one is not looked at for its voxels

Order = NDArray[np.int64]  # numbers of pieces


class Nearest(NamedTuple):
    """Of each voxel of a box."""

    labels: NDArray[np.uint32]
    margins: NDArray[np.float32]  # how many voxels nearer than the next neurite, at most MARGIN
    ways: NDArray[
        np.uint8
    ]  # towards the course: 2 bits an axis (0 stay, 1 up, 2 down), and in bits 6 and 7 the best axis
    bodies: NDArray[np.bool_]  # whether it lies in a mitochondrion


@compiled
def find_nearest(pieces: Pieces, low: Vec, high: Vec, spacing: float) -> tuple[Nearest, float]:
    """What is nearest to each voxel of a box, in z, y, x, and the largest distance of any.

    It is the same in whatever box a voxel is, if `pieces` has all that are within that distance and MARGIN of the box.
    """
    shape = (high[2] - low[2], high[1] - low[1], high[0] - low[0])
    labels, margins = np.empty(shape, np.uint32), np.empty(shape, np.float32)
    ways, bodies = np.empty(shape, np.uint8), np.empty(shape, np.bool_)
    nearest, furthest = Nearest(labels, margins, ways, bodies), 0.0
    lists = np.empty((4, len(pieces.keys)), np.int64)  # of pieces: all, and those that matter to a cell of each size
    counts = np.zeros(4, np.int64)
    counts[0] = len(pieces.keys)
    for n in range(len(pieces.keys)):
        lists[0, n] = n
    wide, tall, deep = -(-shape[2] // SIZES[0]), -(-shape[1] // SIZES[0]), -(-shape[0] // SIZES[0])
    many = (SIZES[0] // SIZES[1]) ** 3, (SIZES[1] // SIZES[2]) ** 3
    for number in range(wide * tall * deep * many[0] * many[1]):
        # In the order of the large cells, in them of the middle ones, in these of the small ones.
        small, rest = number % many[1], number // many[1]
        middle, large = rest % many[0], rest // many[0]
        i, j, k = _corner(large, wide, tall, SIZES[0])
        p, q, r = _corner(middle, SIZES[0] // SIZES[1], SIZES[0] // SIZES[1], SIZES[1])
        u, v, w = _corner(small, SIZES[1] // SIZES[2], SIZES[1] // SIZES[2], SIZES[2])
        x, y, z = low[0] + i, low[1] + j, low[2] + k
        for level in range(3):
            if level == 1:
                x, y, z = x + p, y + q, z + r
            if level == 2:
                x, y, z = x + u, y + v, z + w
            inside = x < high[0] and y < high[1] and z < high[2]
            if inside and (level == 2 or (small == 0 and (level == 1 or middle == 0))):
                of = lists[level, : counts[level]]
                counts[level + 1] = _select(pieces, of, (x, y, z), SIZES[level], high, lists[level + 1])
        furthest = max(furthest, _fill(pieces, lists[3, : counts[3]], (x, y, z), low, high, spacing, nearest))
    return nearest, np.sqrt(furthest)


@compiled
def _corner(number: int, wide: int, high: int, size: int) -> Vec:
    """The corner of a cell of a pile, x fastest."""
    return number % wide * size, number // wide % high * size, number // (wide * high) * size


@compiled
def _select(pieces: Pieces, of: Order, corner: Vec, size: int, high: Vec, into: Order) -> int:
    """Those pieces that may be the nearest to some voxel of a cell, or by less than MARGIN further off; how many they are."""
    x, y, z = (
        (corner[0] + min(corner[0] + size, high[0]) - 1) / 2,
        (corner[1] + min(corner[1] + size, high[1]) - 1) / 2,
        (corner[2] + min(corner[2] + size, high[2]) - 1) / 2,
    )
    radius = np.sqrt((x - corner[0]) ** 2 + (y - corner[1]) ** 2 + (z - corner[2]) ** 2)
    limit, found = np.inf, 0
    for piece in of:
        distance = np.sqrt(measure_piece(pieces, piece, x, y, z)[0])
        if distance <= limit:
            limit = min(limit, distance + 2 * radius + MARGIN + 0.01)
            into[found] = piece
            found += 1
    kept = 0
    for n in range(found):
        if np.sqrt(measure_piece(pieces, into[n], x, y, z)[0]) <= limit:
            into[kept] = into[n]
            kept += 1
    return kept


@compiled
def measure_piece(pieces: Pieces, piece: int, x: float, y: float, z: float) -> tuple[float, float]:
    """The squared distance of a point from a piece, and where along it the nearest point lies, from 0 to 1."""
    ends = pieces.ends
    a, b, c = ends[piece, 0], ends[piece, 1], ends[piece, 2]
    u, v, w = ends[piece, 3] - a, ends[piece, 4] - b, ends[piece, 5] - c
    along = ((x - a) * u + (y - b) * v + (z - c) * w) / (u * u + v * v + w * w)
    along = min(max(along, 0.0), 1.0)
    dx, dy, dz = a + along * u - x, b + along * v - y, c + along * w - z
    return dx * dx + dy * dy + dz * dz, along


@compiled
def _fill(pieces: Pieces, of: Order, corner: Vec, low: Vec, high: Vec, spacing: float, into: Nearest) -> float:
    """Write the voxels of a cell, and return the largest squared distance."""
    furthest = 0.0
    for z in range(corner[2], min(corner[2] + SIZES[2], high[2])):
        for y in range(corner[1], min(corner[1] + SIZES[2], high[1])):
            for x in range(corner[0], min(corner[0] + SIZES[2], high[0])):
                best, first, second, where = -1, np.inf, np.inf, 0.0
                for piece in of:
                    distance, along = measure_piece(pieces, piece, float(x), float(y), float(z))
                    if best >= 0 and pieces.labels[piece] == pieces.labels[best]:
                        if distance < first or (distance == first and pieces.keys[piece] < pieces.keys[best]):
                            best, first, where = piece, distance, along
                    elif distance < first or (distance == first and pieces.keys[piece] < pieces.keys[best]):
                        best, first, second, where = piece, distance, first, along
                    elif distance < second:
                        second = distance
                furthest = max(furthest, first)
                margin = min(np.sqrt(second) - np.sqrt(first), MARGIN)
                k, j, i = z - low[2], y - low[1], x - low[0]
                into.labels[k, j, i] = pieces.labels[best]
                into.margins[k, j, i] = margin
                into.ways[k, j, i] = _way(pieces, best, where, float(x), float(y), float(z))
                off = (where - pieces.bodies[best]) / LONG
                room = 1 - off * off
                into.bodies[k, j, i] = margin > FREE and room > 0 and first < THICK * THICK * spacing * spacing * room
    return furthest


@compiled
def _way(pieces: Pieces, piece: int, along: float, x: float, y: float, z: float) -> int:
    """Which steps lead nearer to the nearest point of a piece."""
    ends = pieces.ends
    dx = ends[piece, 0] + along * (ends[piece, 3] - ends[piece, 0]) - x
    dy = ends[piece, 1] + along * (ends[piece, 4] - ends[piece, 1]) - y
    dz = ends[piece, 2] + along * (ends[piece, 5] - ends[piece, 2]) - z
    way = _sign(dx) | _sign(dy) << 2 | _sign(dz) << 4
    if abs(dx) >= abs(dy) and abs(dx) >= abs(dz):
        return way
    return way | (1 if abs(dy) >= abs(dz) else 2) << 6


@compiled
def _sign(far: float) -> int:
    return 1 if far > 0.5 else 2 if far < -0.5 else 0
