"""What is to be known of every label of an array, counted run by run along x in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.label_table import ROW, Rows
from teravox.kernels.slots import ROOM, Slots, find_slot, make_slots

Labels = NDArray[Any]  # unsigned whole numbers
Vec = tuple[int, int, int]

TABULATING = 350  # bytes of a label while `tabulate` works
_NUMBERS = 10  # of a label while runs are counted


def tabulate(voxels: Labels, corner: Vec, most: int) -> Rows | None:
    """The rows of an array of x, y and z whose first voxel lies at `corner`; None if it holds more than `most` labels."""
    flat = voxels.reshape(-1, order="F")
    flat.flags.writeable = False  # one way to be compiled, whether the voxels can be written or not
    labels, numbers = _count(flat, (voxels.shape[0], voxels.shape[1]), most)
    if len(labels) > most:
        return None
    order = np.argsort(labels)
    numbers = numbers[order]
    at = np.array(corner, np.int64)
    rows = np.empty(len(order), ROW)
    rows["label"] = labels[order]
    rows["voxels"] = numbers[:, 0]
    rows["min"] = numbers[:, 1:4] + at
    rows["max"] = numbers[:, 4:7] + at
    rows["sum"] = numbers[:, 7:10] + at * numbers[:, :1]
    return rows


def _count(flat: Labels, size: tuple[int, int], most: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Labels in the order of their coming, and their numbers; some more than `most`, and not all, if there are."""
    labels, numbers = np.empty(ROOM, np.uint64), np.empty((ROOM, _NUMBERS), np.int64)
    at = used = 0
    while True:
        slots = make_slots(labels[:used], len(labels))
        at, used = _count_runs(flat, *size, at, used, slots, labels, numbers)
        if at == len(flat) or used > most:
            return labels[:used], numbers[:used]
        labels, numbers = (np.concatenate([full, np.empty_like(full)]) for full in (labels, numbers))


@compiled
def _count_runs(  # pragma: no cover - compiled
    flat: Labels,
    nx: int,
    ny: int,
    at: int,
    used: int,
    slots: Slots,
    labels: NDArray[np.uint64],
    numbers: NDArray[np.int64],
) -> tuple[int, int]:
    """Count from `at` on, run by run along x, until all is counted or a label comes for which there is no room.

    It returns where it stopped and how many labels there are. The numbers of a label are its voxels, its lower
    corner, its upper corner, and the sums of its coordinates.
    """
    start = at - at % nx
    y = start // nx % ny
    z = start // nx // ny
    while at < len(flat):
        end = start + nx
        while at < end:
            voxel = flat[at]
            begin = at
            at += 1
            while (
                at + 4 <= end
                and ((flat[at] ^ voxel) | (flat[at + 1] ^ voxel) | (flat[at + 2] ^ voxel) | (flat[at + 3] ^ voxel)) == 0
            ):
                at += 4
            while at < end and flat[at] == voxel:
                at += 1
            label = np.uint64(voxel)
            slot = find_slot(labels, slots, label)
            if slots[slot] < 0:
                if used == len(labels):
                    return begin, used
                slots[slot] = used
                labels[used] = label
                for number in range(_NUMBERS):
                    numbers[used, number] = 0
                numbers[used, 1] = nx
                numbers[used, 2] = y
                numbers[used, 3] = z
                used += 1
            row = np.uint64(slots[slot])
            first = begin - start
            last = at - start
            count = last - first
            numbers[row, 0] += count
            numbers[row, 1] = min(numbers[row, 1], first)
            numbers[row, 2] = min(numbers[row, 2], y)
            numbers[row, 4] = max(numbers[row, 4], last)
            numbers[row, 5] = max(numbers[row, 5], y + 1)
            numbers[row, 6] = z + 1
            numbers[row, 7] += (count * (first + last - 1)) >> 1
            numbers[row, 8] += count * y
            numbers[row, 9] += count * z
        start = end
        y += 1
        if y == ny:
            y = 0
            z += 1
    return at, used
