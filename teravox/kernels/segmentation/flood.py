"""Floods a boundary map from seeds: a watershed without lines, the same in each run.

Heights are whole numbers of 16 bits on a fixed scale, so a voxel has the same height in whichever box it is read. Among
equal heights, what was reached first goes on first; a basin that is reached late is filled at the height of its pass.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.prefetch import prefetch
from teravox.kernels.segmentation.checks import Labels, Mask

Heights = NDArray[np.uint16]  # z, y and x

TOP = 65534  # the height of 1.0
OUTSIDE = 65535  # above all of them

_AHEAD = 8  # turns, after which what was asked for has come
_OPEN = np.uint32(1 << 31)  # a cell of a voxel without a label is this and its height; of another one, its label or 0


def heights_of(boundary: NDArray[np.float32]) -> Heights:
    """The heights of values from 0 to 1; what is beyond is cut."""
    heights = np.empty(boundary.shape, np.uint16)
    _fill_heights(read_only(boundary.reshape(-1)), heights.reshape(-1))
    return heights


def flood(
    heights: Heights, seeds: Labels, mask: Mask | None = None, *, min_size: int = 0, per_slice: bool = False
) -> Labels:
    """The label of the seed from which each voxel of the mask is reached first, in their order numbered from 1.

    Segments of fewer than `min_size` voxels are given up, and flooded again from those that remain. What no seed
    reaches is 0. With `per_slice`, each z is flooded alone.
    """
    box = heights.shape
    if 0 in box:
        return np.zeros(box, np.uint32)
    shelled = (box[0] + 2, box[1] + 2, box[2] + 2)
    if shelled[0] * shelled[1] * shelled[2] >= 1 << 31:
        raise ValueError(f"a box of {box} has more than 2^31 voxels: use smaller blocks")
    cells = np.zeros(shelled, np.uint32)
    inner = cells[1:-1, 1:-1, 1:-1]
    np.bitwise_or(heights, _OPEN, out=inner)
    np.copyto(inner, seeds, where=seeds != 0)
    if mask is not None:
        inner[~mask] = 0
    heights = read_only(heights)
    highest = int(seeds.max())
    steps = (0 if per_slice else shelled[1] * shelled[2], shelled[2])
    _spread(cells, heights, *steps)
    if min_size > 1 and _give_up(inner, heights, highest, min_size):
        _spread(cells, heights, *steps)
    return _number(inner, highest)


@compiled
def _fill_heights(values: NDArray[np.float32], heights: NDArray[np.uint16]) -> None:
    for at in range(len(values)):
        value = min(max(values[at], np.float32(0)), np.float32(1))
        heights[at] = np.uint16(value * np.float32(TOP) + np.float32(0.5))


@compiled
def _is_shore(cells: NDArray[np.uint32], at: int, plane: int, row: int) -> bool:
    """Whether a voxel has a label and one beside it has none yet."""
    return bool(
        0 < cells[at] < _OPEN
        and (
            cells[at - plane] >= _OPEN
            or cells[at - row] >= _OPEN
            or cells[at - 1] >= _OPEN
            or cells[at + 1] >= _OPEN
            or cells[at + row] >= _OPEN
            or cells[at + plane] >= _OPEN
        )
    )


@compiled
def _spread(shelled: NDArray[np.uint32], heights: Heights, plane: int, row: int) -> None:
    """Flood the open cells from those with labels, in place; around the box is a shell of closed ones.

    `plane` and `row` are the steps to the next one, and 0 for one that is not beside.
    """
    cells = shelled.reshape(-1)
    planes, rows, columns = heights.shape
    first = np.zeros(65537, np.int64)  # by height: where its voxels wait
    for z in range(planes):
        for y in range(rows):
            at = ((z + 1) * (rows + 2) + y + 1) * (columns + 2)
            for x in range(columns):
                at += 1
                if cells[at] >= _OPEN or _is_shore(cells, at, plane, row):
                    first[np.int64(heights[z, y, x]) + 1] += 1
    end = np.empty(65536, np.int64)
    for height in range(65536):
        first[height + 1] += first[height]
        end[height] = first[height]
    waiting = np.empty(first[65536], np.int32)
    for z in range(planes):
        for y in range(rows):
            at = ((z + 1) * (rows + 2) + y + 1) * (columns + 2)
            for x in range(columns):
                at += 1
                if _is_shore(cells, at, plane, row):
                    height = int(heights[z, y, x])
                    waiting[end[height]] = at
                    end[height] += 1

    lower = np.zeros(1 << 16, np.int32)  # a ring of what is no higher than the water: its turn comes before it rises
    for water in range(65536):
        turn, stop = first[water], end[water]
        head, tail = 0, 0
        while turn < stop or head != tail:
            if turn < stop:
                at = int(waiting[turn])
                turn += 1
                if turn + _AHEAD < stop:
                    _ask_for(cells, int(waiting[turn + _AHEAD]), plane, row)
            else:
                at = int(lower[head])
                head = (head + 1) & (len(lower) - 1)
                _ask_for(cells, int(lower[(head + _AHEAD) & (len(lower) - 1)]), plane, row)  # or of long ago: no harm
            label = cells[at]
            for step in (-plane, -row, -1, 1, row, plane):
                beside = at + step
                cell = cells[beside]
                if cell < _OPEN:
                    continue
                cells[beside] = label
                height = int(cell - _OPEN)
                if height > water:
                    waiting[end[height]] = beside
                    end[height] += 1
                    continue
                lower[tail] = beside
                tail = (tail + 1) & (len(lower) - 1)
                if tail == head:
                    tail = len(lower)
                    lower = _doubled(lower, head)
                    head = 0


@compiled
def _ask_for(cells: NDArray[np.uint32], at: int, plane: int, row: int) -> None:
    """Have what is around a voxel in the cache when its turn comes."""
    for step in (-plane, -row, 0, row, plane):
        prefetch(cells, at + step)


@compiled
def _doubled(ring: NDArray[np.int32], head: int) -> NDArray[np.int32]:
    """A full ring with room for as many again; its head comes first."""
    size = len(ring)
    larger = np.empty(2 * size, np.int32)
    for at in range(size):
        larger[at] = ring[(head + at) & (size - 1)]
    return larger


@compiled
def _give_up(cells: Labels, heights: Heights, highest: int, min_size: int) -> bool:
    """Open the cells of small segments again; whether there were any."""
    planes, rows, columns = heights.shape
    sizes = np.zeros(highest + 1, np.int64)
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                if cells[z, y, x] < _OPEN:
                    sizes[cells[z, y, x]] += 1
    found = False
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                cell = cells[z, y, x]
                if 0 < cell < _OPEN and sizes[cell] < min_size:
                    cells[z, y, x] = _OPEN | np.uint32(heights[z, y, x])
                    found = True
    return found


@compiled
def _mark_present(cells: Labels, present: NDArray[np.uint32]) -> None:
    planes, rows, columns = cells.shape
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                if cells[z, y, x] < _OPEN:
                    present[cells[z, y, x]] = 1


@compiled
def _translate(cells: Labels, table: NDArray[np.uint32], labels: Labels) -> None:
    planes, rows, columns = cells.shape
    for z in range(planes):
        for y in range(rows):
            for x in range(columns):
                cell = cells[z, y, x]
                labels[z, y, x] = table[cell] if cell < _OPEN else 0


def _number(cells: Labels, highest: int) -> Labels:
    """The labels in their order numbered from 1, without gaps; the rest is 0."""
    table = np.zeros(highest + 1, np.uint32)
    _mark_present(read_only(cells), table)
    table[0] = 0
    np.cumsum(table, out=table)
    labels = np.empty(cells.shape, np.uint32)
    _translate(read_only(cells), table, labels)
    return labels
