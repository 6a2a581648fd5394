"""Runs of equal voxels along x, and which of them are connected.

There are far fewer of them than voxels, and all that is asked about components can be said run by run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.set_bytes import EIGHT, first_set

Voxels = NDArray[Any]  # x, y and z, of whatever the layer holds
Places = NDArray[np.signedinteger[Any]]
Labels = NDArray[np.uint32]
Values = NDArray[np.unsignedinteger[Any]]  # uint64 for voxels of 8 bytes, else uint32
Vec = tuple[int, int, int]

_BACKGROUND = -1
_STEP = 8  # voxels that are painted at once; what is too much, the next run paints over
_ONE = np.uint64(1)
_AT_ONCE = 1 << 17  # voxels whose runs are connected while they are still in the cache


class Runs(NamedTuple):
    """The runs of a box, row by row; those of a row end where the next row begins."""

    shape: Vec
    starts: Places  # by run: its first voxel, counted through the box with x fastest; then where the last one ends
    labels: Places  # by run: its component, from 1 up in the order of their first voxels; 0 for background
    rows: Places  # by row, y faster than z: its first run; then how many runs there are
    number: int  # of components


def find_runs(slabs: Iterable[Voxels], shape: Vec, connectivity: int) -> tuple[Runs, Values]:
    """The runs of equal voxels of a box with the components that those make that are not 0, and what the voxels of each run hold.

    The box comes in slabs across z, the lowest first; one may be overwritten when the next is asked for.
    """
    nx, ny, nz = shape
    rows: Places | None = None
    done = 0
    for slab in slabs:
        flat = slab.reshape(-1, order="F").view(f"u{slab.itemsize}")
        if rows is None:
            most = nx * ny * nz + 1  # pages of memory that no run needs are never there
            place: type[np.signedinteger[Any]] = np.int32 if most <= 2**31 else np.int64
            rows, starts, parents = np.zeros(ny * nz + 1, place), np.empty(most, place), np.empty(most, place)
            values: Values = np.empty(most, np.uint64 if slab.itemsize == 8 else np.uint32)
        height = ny * slab.shape[2]
        if slab.shape[:2] != (nx, ny) or done + height > ny * nz:
            raise ValueError(f"a slab of {slab.shape} voxels does not fit into a box of {shape}")
        for row in range(0, height, max(1, _AT_ONCE // nx)):
            part = read_only(flat[row * nx : min(row + max(1, _AT_ONCE // nx), height) * nx])
            _find(part, nx, done + row, starts, parents, values, rows)
            _join(starts, parents, values, rows, ny, done + row, done + row + len(part) // nx, connectivity)
        done += height
    if rows is None or done != ny * nz:
        raise ValueError(f"slabs of {done} rows do not fill a box of {shape}")
    found = int(rows[-1])
    number = _number(parents, found)
    return Runs(shape, starts[: found + 1], parents[:found], rows, number), values[:found]


def paint(runs: Runs, low: Vec, high: Vec) -> Labels:
    """The component of each voxel of a part of the box, in Fortran order."""
    (x, y, z), (to_x, to_y, to_z) = low, high
    size = (to_x - x) * (to_y - y) * (to_z - z)
    part = np.empty(size + _STEP, np.uint32)
    nx, ny, _ = runs.shape
    _paint(runs.starts, runs.labels, runs.rows, nx, ny, low, high, part)
    return part[:size].reshape((to_x - x, to_y - y, to_z - z), order="F")


def count_voxels(runs: Runs, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.uint32]:
    """The voxels of each component, or those that are chosen, the first at 0."""
    counts = np.zeros(runs.number + 1, np.uint32)
    flat = np.ones(0, np.bool_) if chosen is None else np.asfortranarray(chosen).reshape(-1, order="F")
    _count(runs.starts, runs.labels, flat, counts)
    return counts[1:]


@compiled
def _find(flat: Voxels, nx: int, first: int, starts: Places, parents: Places, values: Values, rows: Places) -> None:
    """Fill in the runs of some rows from the first on, each a set of its own."""
    found = np.int64(rows[first])
    begins = np.zeros(-(-nx // EIGHT) * EIGHT, np.uint8)  # whether a run begins at a voxel of the row
    words = begins.view(np.uint64)
    begins[0] = 1
    last = first + len(flat) // nx
    for row in range(first, last):
        voxels = flat[(row - first) * nx : (row - first + 1) * nx]
        for x in range(1, nx):
            begins[x] = voxels[x] != voxels[x - 1]
        for place in range(len(words)):
            word = words[place]
            while word:
                at = EIGHT * place + first_set(word)
                word &= word - _ONE
                starts[found] = row * nx + at
                parents[found] = _BACKGROUND if voxels[at] == 0 else found
                values[found] = voxels[at]
                found += 1
        rows[row + 1] = found
    starts[found] = last * nx


@compiled
def _join(
    starts: Places,
    parents: Places,
    values: Values,
    rows: Places,
    ny: int,
    first: int,
    last: int,
    connectivity: int,
) -> None:
    """Join the runs of some rows with those that they touch in the rows before.

    All is in one loop, since each call of a function with arrays takes longer than what is done for two runs.
    """
    for row in range(first, last):
        y = row % ny
        for neighbour in range(2 if connectivity == 6 else 4):
            if neighbour == 0:
                is_there, other, corners = y > 0, row - 1, connectivity > 6
            elif neighbour == 1:
                is_there, other, corners = row >= ny, row - ny, connectivity > 6
            elif neighbour == 2:
                is_there, other, corners = row >= ny and y > 0, row - ny - 1, connectivity > 18
            else:
                is_there, other, corners = row >= ny and y < ny - 1, row - ny + 1, connectivity > 18
            if not is_there:
                continue
            a, b = np.int64(rows[row]), np.int64(rows[other])
            stop, other_stop = np.int64(rows[row + 1]), np.int64(rows[other + 1])
            shift = starts[a] - starts[b]
            step = 0  # 1 and 2: to the corners where two runs end together
            while a < stop:
                one, two = a + (step == 1), b + (step == 2)
                if one < stop and two < other_stop and values[one] == values[two] and parents[one] != parents[two]:
                    while parents[one] != one:
                        parents[one] = parents[parents[one]]
                        one = np.int64(parents[one])
                    while parents[two] != two:
                        parents[two] = parents[parents[two]]
                        two = np.int64(parents[two])
                    if one < two:
                        parents[two] = one
                    else:
                        parents[one] = two
                ending = starts[a + 1] - starts[b + 1] - shift
                if ending == 0 and corners and step < 2:
                    step += 1
                    continue
                step = 0
                a += ending <= 0
                b += ending >= 0


@compiled
def _number(parents: Places, found: int) -> int:
    """Put the component of each run in the place of its parent; how many there are."""
    number = 0
    for run in range(found):
        if parents[run] == run:
            number += 1
            parents[run] = number
        elif parents[run] == _BACKGROUND:
            parents[run] = 0
        else:
            parents[run] = parents[parents[run]]
    return number


@compiled
def _paint(starts: Places, labels: Places, rows: Places, nx: int, ny: int, low: Vec, high: Vec, part: Labels) -> None:
    at = 0
    for z in range(low[2], high[2]):
        for y in range(low[1], high[1]):
            row = z * ny + y
            run = np.int64(rows[row])
            while starts[run + 1] <= row * nx + low[0]:
                run += 1
            shift = at - (row * nx + low[0])
            end = at + high[0] - low[0]
            while at < end:
                label = np.uint32(labels[run])
                run += 1
                stop = min(end, starts[run] + shift)
                for begin in range(at, stop, _STEP):
                    for k in range(begin, begin + _STEP):
                        part[k] = label
                at = stop


@compiled
def _count(starts: Places, labels: Places, chosen: NDArray[np.bool_], counts: Labels) -> None:
    for run in range(len(labels)):
        if len(chosen):
            for at in range(starts[run], starts[run + 1]):
                counts[labels[run]] += chosen[at]
        else:
            counts[labels[run]] += starts[run + 1] - starts[run]
