"""The courses of neurites: lines through all of a volume that wander, begin, end and branch, and do not meet.

They follow three sets of straight lines, along x, y and z, that pass each other at half the spacing, like beams in a stack.
Nodes lie on them four to a spacing, each pushed aside by less than what would let two lines meet, and all then moved with
what is around them. Lines are cut here and there, and a part along y or z may hang on a part along x that it passes: then
both are one neurite.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.synthetic.drawn import Vec
from teravox.kernels.synthetic.hashing import mix, mix3, unit

NODES = 4  # to a spacing
WINDOW = 8  # pieces of a line, of which at most one is cut out
CUT = 0.4  # of the windows
MISSING = 0.25  # of the lines along y and z
BRANCHES = 0.15  # of the places where a line along y or z passes one along x
ASIDE = 0.21  # spacings, by which a node may be off its straight line: below a quarter, no two lines meet
BEND = 6  # nodes, after which a line may have turned
DRIFT, EDDY = 0.9, 4.0  # spacings: how far all is moved together, and after how many it moves otherwise
AWAY = (
    ASIDE + DRIFT + 1
)  # spacings, the most that anything of a line is off its straight line, a branch's begin included
NO_BODY = 1e9

Corner = tuple[float, float, float]
Place = NDArray[np.float64]  # x, y, z


class Pieces(NamedTuple):
    """Straight pieces of courses, in no order that matters."""

    ends: NDArray[np.float64]  # by piece: x, y, z of its start and of its end
    labels: NDArray[np.uint32]
    keys: NDArray[np.int64]  # distinct; of two pieces as near, the smaller key is the nearer
    bodies: NDArray[np.float64]  # how many pieces along the line the middle of a mitochondrion is off this one's start


class Beams(NamedTuple):
    """How the lines lie in the whole volume."""

    counts: Vec  # of spacings along each axis
    spacings: Corner
    size: Vec
    seed: np.uint64


def stack(size: Vec, spacing: int, seed: int) -> Beams:
    """The lines of a volume: so many of them that their spacing is near the one that is wanted."""
    if spacing < 16:
        raise ValueError(f"a spacing of {spacing} voxels is too small for neurites: they need 16")
    if min(size) * 2 < spacing:
        raise ValueError(f"a volume of {size} voxels is too thin for neurites {spacing} apart: halve it at most")
    x, y, z = (max(1, round(n / spacing)) for n in size)
    beams = Beams((x, y, z), (size[0] / x, size[1] / y, size[2] / z), size, np.uint64(seed & 0xFFFFFFFFFFFFFFFF))
    if most_labels(beams) >= 1 << 32:
        raise ValueError(f"a volume of {size} voxels has more neurites than 32 bits can count")
    return beams


def most_labels(beams: Beams) -> int:
    """A number that no label of a line is above."""
    return int(_first_of(beams.counts, 3) * _parts(beams.counts))


def lay_pieces(beams: Beams, low: Vec, high: Vec, reach: float, bodies: float) -> Pieces:
    """All pieces that are within so many voxels of a box, and some more."""
    x, y, z = (n - reach for n in low)
    p, q, r = (n + reach for n in high)
    room = 1 << 12
    while True:
        pieces = Pieces(np.empty((room, 6)), np.empty(room, np.uint32), np.empty(room, np.int64), np.empty(room))
        found = _lay(beams, (x, y, z), (p, q, r), bodies, pieces)
        if found <= room:
            return Pieces(pieces.ends[:found], pieces.labels[:found], pieces.keys[:found], pieces.bodies[:found])
        room = found


@compiled
def _first_of(counts: Vec, axis: int) -> int:
    """The number of the first line along an axis; of axis 3: how many there are."""
    first = 0
    for before in range(axis):
        first += counts[(before + 1) % 3] * counts[(before + 2) % 3]
    return first


@compiled
def _parts(counts: Vec) -> int:
    """More than what a line can be cut into."""
    return max(counts[0], counts[1], counts[2]) * NODES // WINDOW + 2


@compiled
def _line(counts: Vec, axis: int, i: int, j: int) -> int:
    return _first_of(counts, axis) + j * counts[(axis + 1) % 3] + i


@compiled
def _is_cut(state: np.uint64, piece: int) -> bool:
    """Whether a piece of a line is left out; two that follow each other never are."""
    window = mix(mix(state, 1), piece // WINDOW)
    return unit(window) < CUT and mix(window, 0) % np.uint64(WINDOW - 1) == np.uint64(piece % WINDOW)


@compiled
def _part_at(state: np.uint64, node: int) -> int:
    """Which part of a line a node lies on."""
    cuts = 0
    for piece in range(node):
        cuts += _is_cut(state, piece)
    return cuts


@compiled
def _aside(state: np.uint64, node: int) -> float:
    """How far a node is off the straight line, from -1 to 1: slow turns and a tremble."""
    turn, part = node // BEND, (node % BEND) / BEND
    part = part * part * (3 - 2 * part)
    slow = unit(mix(state, 2 * turn)) * (1 - part) + unit(mix(state, 2 * turn + 2)) * part
    return 0.65 * (2 * slow - 1) + 0.35 * (2 * unit(mix(state, 2 * node + 1)) - 1)


@compiled
def _place(beams: Beams, axis: int, i: int, j: int, node: int, place: Place) -> None:
    """Where a node is; within the volume, and so are the straight lines between such."""
    state = mix(beams.seed, _line(beams.counts, axis, i, j))
    u, v = (axis + 1) % 3, (axis + 2) % 3
    place[axis] = node / NODES
    place[u] = i + 0.25 + ASIDE * _aside(mix(state, 2), node)
    place[v] = j + 0.75 + ASIDE * _aside(mix(state, 3), node)
    _move(beams, place)


@compiled
def _move(beams: Beams, place: Place) -> None:
    """Move a place, in spacings, with what is around it, and turn it into voxels; what is at a side of the volume stays there."""
    x, y, z = place[0] / EDDY, place[1] / EDDY, place[2] / EDDY
    i, j, k = int(x), int(y), int(z)
    for axis in range(3):
        state = mix(mix(beams.seed, -1), axis)
        moved = 0.0
        for corner in range(8):
            p, q, r = corner & 1, corner >> 1 & 1, corner >> 2
            weight = (x - i if p else 1 - x + i) * (y - j if q else 1 - y + j) * (z - k if r else 1 - z + k)
            moved += weight * (2 * unit(mix3(state, i + p, j + q, k + r)) - 1)
        free = min(place[axis], beams.counts[axis] - place[axis]) / 2
        far = place[axis] + DRIFT * moved * min(max(free, 0.0), 1.0)
        place[axis] = min(max(far * beams.spacings[axis], 0.0), beams.size[axis] - 1.0)


@compiled
def _hangs_on(beams: Beams, axis: int, i: int, j: int, node: int) -> tuple[int, int, int]:
    """The line along x that may be branched off at a node, and its node there; (-1, -1, -1): none."""
    counts = beams.counts
    chance = mix(mix(mix(beams.seed, _line(counts, axis, i, j)), 4), node)
    other = mix(chance, 0) % np.uint64(2) == np.uint64(0)  # of the two lines on either side
    if unit(chance) >= BRANCHES:
        return -1, -1, -1
    if axis == 1 and node % NODES == 1:
        return node // NODES, i - 1 if other and i > 0 else i, NODES * j + 3
    if axis == 2 and node % NODES == 3:
        return j + 1 if other and j + 1 < counts[1] else j, node // NODES, NODES * i + 1
    return -1, -1, -1


@compiled
def _lay(beams: Beams, low: Corner, high: Corner, bodies: float, pieces: Pieces) -> int:
    """Write the pieces near a box and return how many there are; where they are more than there is room, repeat it with more."""
    counts, found, last = beams.counts, 0, len(pieces.keys) - 1
    away = AWAY * max(beams.spacings[0], beams.spacings[1], beams.spacings[2])
    longest = max(counts[0], counts[1], counts[2]) * NODES + 1
    names = np.empty(longest, np.int64)  # of the parts of a line
    knots = np.empty(longest, np.int64)  # by part: the node where it hangs on a line along x, or -1
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for number in range(counts[u] * counts[v]):
            j, i = number // counts[u], number % counts[u]
            if not low[u] - away < (i + 0.25) * beams.spacings[u] < high[u] + away:
                continue
            if not low[v] - away < (j + 0.75) * beams.spacings[v] < high[v] + away:
                continue
            state = mix(beams.seed, _first_of(counts, axis) + number)
            if axis > 0 and unit(mix(state, 0)) < MISSING:
                continue
            _name_parts(beams, axis, i, j, names, knots)
            part = 0
            for step in range(counts[axis] * NODES * 2):  # the branch at each node, and then the piece after it
                node, is_piece = step // 2, step % 2 == 1
                cut = is_piece and _is_cut(state, node)
                along = (node + 0.5) / NODES * beams.spacings[axis]
                if low[axis] - away < along < high[axis] + away and not cut and (is_piece or node == knots[part]):
                    p, q, to = (i, j, node + 1) if is_piece else _hangs_on(beams, axis, i, j, node)
                    place = min(found, last)
                    _place(beams, axis, i, j, node, pieces.ends[place, :3])
                    _place(beams, axis if is_piece else 0, p, q, to, pieces.ends[place, 3:])
                    if _is_near(pieces.ends[place], low, high):
                        pieces.labels[place] = names[part] + 1
                        pieces.keys[place] = (_first_of(counts, axis) + number) * longest * 2 + step
                        pieces.bodies[place] = _body(state, node, bodies) if is_piece else NO_BODY
                        found += 1
                part += cut
    return found


@compiled
def _name_parts(beams: Beams, axis: int, i: int, j: int, names: NDArray[np.int64], knots: NDArray[np.int64]) -> None:
    """Number the neurites that the parts of a line belong to, and find where they hang on others: at the first place that may be."""
    line, parts, part = _line(beams.counts, axis, i, j), _parts(beams.counts), 0
    state = mix(beams.seed, line)
    names[0], knots[0] = line * parts, -1
    for node in range(beams.counts[axis] * NODES):
        if axis > 0 and knots[part] < 0:
            p, q, knot = _hangs_on(beams, axis, i, j, node)
            if knot >= 0:
                trunk = _line(beams.counts, 0, p, q)
                names[part] = trunk * parts + _part_at(mix(beams.seed, trunk), knot)
                knots[part] = node
        if _is_cut(state, node):
            part += 1
            names[part], knots[part] = line * parts + part, -1


@compiled
def _body(state: np.uint64, node: int, bodies: float) -> float:
    """How far the middle of the mitochondrion is off the start of a piece: there is at most one to a spacing, over three pieces."""
    middle = node // NODES * NODES + 2
    if node % NODES > 0 and unit(mix(mix(state, 5), middle)) < bodies:
        return middle + 0.5 - node
    return NO_BODY


@compiled
def _is_near(ends: Place, low: Corner, high: Corner) -> bool:
    near = True
    for n in range(3):
        near &= max(ends[n], ends[3 + n]) >= low[n] and min(ends[n], ends[3 + n]) <= high[n]
    return near
