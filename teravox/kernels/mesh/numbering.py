"""Numbers the labels of an array in place, and says how much there is of each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.slots import ROOM, Slots, find_slot, make_slots

Flat = NDArray[Any]  # unsigned whole numbers, in the order of the memory
Numbers = NDArray[Any]  # unsigned whole numbers, of the same or half as many bytes
Voxels = NDArray[Any]  # unsigned whole numbers in x, y and z
Counts = NDArray[np.int64]


def number_labels(flat: Flat) -> tuple[Numbers, NDArray[np.uint64]]:
    """Replace each label by its number, in the same memory, and return the numbers and the labels by number.

    Background is number 0, also where there is none; the others are numbered as they come. 64-bit labels become 32-bit
    numbers, in the first half of their memory. There may be fewer than 2^31 labels.
    """
    numbers = flat.view(np.uint32)[: len(flat)] if flat.dtype.itemsize == 8 else flat
    labels = np.zeros(ROOM, np.uint64)
    at, used = 0, 1
    while True:
        slots = make_slots(labels[:used], len(labels))
        at, used = _number(flat, numbers, at, used, slots, labels)
        if at == len(flat):
            return numbers, labels[:used]
        labels = np.concatenate([labels, np.zeros_like(labels)])


def count_crossings(numbers: Voxels, labels: int) -> Counts:
    """How many vertices the surface of each number has: its edges to neighbours along x, y and z that are another one."""
    counts = np.zeros(labels, np.int64)
    _count_crossings(numbers, counts)
    counts[0] = 0
    return counts


def count_voxels(flat: Flat, labels: int) -> Counts:
    """How many voxels each number has."""
    counts = np.zeros(labels, np.int64)
    _count_voxels(flat, counts)
    return counts


@compiled
def renumber(flat: Flat, table: Numbers, out: Flat) -> None:  # pragma: no cover - compiled
    """Put table[number] in the place of each number; `out` may be `flat`."""
    before, said = flat[0], table[flat[0]]
    for at in range(len(flat)):
        if flat[at] != before:
            before = flat[at]
            said = table[before]
        out[at] = said


@compiled
def _number(  # pragma: no cover - compiled
    flat: Flat, numbers: Numbers, at: int, used: int, slots: Slots, labels: NDArray[np.uint64]
) -> tuple[int, int]:
    """Number from `at` on until the end, or until a label comes for which there is no room; where, and how many there are.

    A number is written only where the labels before it were read.
    """
    n = len(flat)
    while at < n:
        label = np.uint64(flat[at])
        slot = find_slot(labels, slots, label)
        number = slots[slot]
        if number < 0:
            if used == len(labels):
                return at, used
            number = np.int32(used)
            slots[slot] = number
            labels[used] = label
            used += 1
        while at < n and np.uint64(flat[at]) == label:
            numbers[at] = number
            at += 1
    return at, used


@compiled
def _count_voxels(flat: Flat, counts: Counts) -> None:  # pragma: no cover - compiled
    start = 0
    for at in range(1, len(flat) + 1):
        if at == len(flat) or flat[at] != flat[start]:
            counts[flat[start]] += at - start
            start = at


@compiled
def _count_crossings(numbers: Voxels, counts: Counts) -> None:  # pragma: no cover - compiled
    nx, ny, nz = numbers.shape
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                here = numbers[x, y, z]
                if x + 1 < nx and numbers[x + 1, y, z] != here:
                    counts[here] += 1
                    counts[numbers[x + 1, y, z]] += 1
                if y + 1 < ny and numbers[x, y + 1, z] != here:
                    counts[here] += 1
                    counts[numbers[x, y + 1, z]] += 1
                if z + 1 < nz and numbers[x, y, z + 1] != here:
                    counts[here] += 1
                    counts[numbers[x, y, z + 1]] += 1
