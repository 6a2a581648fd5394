"""How large a box is that a source is read in: within memory, reading each block of the source as few times as possible."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from teravox.pipeline.box import Vec

SAMPLE = 64  # boxes along an axis, from which the others are estimated
ENOUGH = 1 << 27  # bytes of voxels: larger boxes are only taken where they save reading
PAYS = 0.9  # of what is read before: less than that is worth a larger box


def choose_shape(
    whole: Vec, unit: Vec, block: Vec, voxel_bytes: int, fits: Callable[[Vec], bool], first: str = "xyz"
) -> Vec:
    """The shape of boxes, in multiples of `unit`, that tile `whole`; at least one unit, whether it fits or not.

    Blocks are counted from the corner of `whole`. What is read of them in vain shrinks first, then boxes grow along
    the axis that comes `first`.
    """
    shape = _clip(unit, whole, unit)
    while True:
        now = reading(shape, whole, block)
        best: tuple[float, int, int, Vec] | None = None
        for axis, larger in _larger(shape, whole, unit, block):
            size = _clip(larger, whole)
            if not fits(size):
                continue
            then = reading(larger, whole, block)
            pays = then < now * PAYS
            if pays or (then <= now and math.prod(size) * voxel_bytes <= ENOUGH):
                rank = (then, first.index("xyz"[axis]), math.prod(size), larger)
                best = rank if best is None or rank < best else best
        if best is None:
            return shape
        shape = best[-1]


def reading(shape: Vec, whole: Vec, block: Vec) -> float:
    """How many times each voxel of a source is read on average, where boxes of a shape tile the whole."""
    return math.prod(_reading(s, w, b) for s, w, b in zip(shape, whole, block, strict=True))


def _reading(shape: int, whole: int, block: int) -> float:
    """The same along one axis: blocks that each box touches, against those that there are."""
    boxes = -(-whole // shape)
    if boxes == 1:
        return 1.0
    looked_at = min(boxes, math.lcm(shape, block) // shape, SAMPLE)  # boxes; later ones lie to blocks as these do
    read = wanted = 0
    for low in range(0, looked_at * shape, shape):
        high = min(low + shape, whole)
        read += min(-(-high // block) * block, whole) - low // block * block
        wanted += high - low
    return read / wanted


def _larger(shape: Vec, whole: Vec, unit: Vec, block: Vec) -> Iterator[tuple[int, Vec]]:
    """Shapes that are larger along one axis, and which one: fewer boxes along it, or boxes that end where blocks do."""
    for axis in range(3):
        n, w, u = shape[axis], whole[axis], unit[axis]
        if n >= w:
            continue
        cells, of = -(-w // u), -(-n // u)
        boxes = -(-cells // of)
        step = math.lcm(u, block[axis]) // u
        wished = {of * 2, -(-cells // (boxes - 1)) if boxes > 1 else cells, cells, -(-(of + 1) // step) * step}
        for count in sorted(number for number in wished if number > of):
            longer = [*shape]
            longer[axis] = min(count, cells) * u
            yield axis, (longer[0], longer[1], longer[2])


def _clip(shape: Vec, whole: Vec, least: Vec | None = None) -> Vec:
    x, y, z = (
        min(s, w) if least is None else max(u, min(s, w)) for s, w, u in zip(shape, whole, least or shape, strict=True)
    )
    return (x, y, z)
