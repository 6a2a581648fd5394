"""The connected components of one box, and what of them lies on its faces."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.equal_runs import Runs, Values, paint

Voxels = NDArray[Any]  # x, y and z, of whatever the layer holds
Labels = NDArray[np.uint32]  # the components of a box: 1 and up, 0 for background
Numbers = NDArray[np.uint32]
Sides = NDArray[np.uint8]

LOW, HIGH = 0, 1
_AT_ONCE = 1 << 18  # runs


class Surface(NamedTuple):
    """The components that touch chosen faces of a box; they are numbered 1 and up in the order of their labels."""

    labels: Numbers  # by number - 1: the component in the box
    sides: Sides  # by number - 1: the faces that it touches, a bit for each side
    values: NDArray[np.uint64] | None  # by number - 1: what its voxels hold; None where all hold the same
    planes: dict[int, Numbers]  # side → the numbers on its face, 0 for what is background


def side(axis: int, end: int) -> int:
    """The number of a face: its bit in `sides` is 1 << side."""
    return 2 * axis + end


def in_range(voxels: Voxels, lowest: float | None, highest: float | None) -> NDArray[np.bool_]:
    """Which voxels lie within limits, both of them included; whole numbers are compared exactly."""
    if voxels.dtype.kind in "iu":
        limits = np.iinfo(voxels.dtype)
        low = limits.min if lowest is None else max(limits.min, math.ceil(lowest))
        high = limits.max if highest is None else min(limits.max, math.floor(highest))
        if low > high:
            return np.zeros(voxels.shape, np.bool_, order="F")
        lowest = low if low > limits.min else None
        highest = high if high < limits.max else None
    if lowest is None and highest is None:
        return np.ones(voxels.shape, np.bool_, order="F")
    if lowest is None:
        return np.asarray(voxels <= highest)
    inside = np.asarray(voxels >= lowest)
    if highest is not None:
        inside &= voxels <= highest
    return inside


def label(voxels: Voxels, connectivity: int) -> tuple[Labels, int]:
    """Number the components of equal voxels that are not 0, and say how many there are."""
    import cc3d

    if voxels.dtype == np.bool_:  # of which cc3d 4.1.1 expects too few components where each voxel is one, and gives up
        voxels = voxels.view(np.uint8)
    labels, number = cc3d.connected_components(
        np.asfortranarray(voxels), 0, cast("Literal[6, 18, 26]", connectivity), return_N=True, out_dtype=np.uint32
    )
    return np.asfortranarray(labels, np.uint32), int(number)


def count(labels: Labels, number: int) -> Numbers:
    """The voxels of each component, the first at 0."""
    counts = np.zeros(number + 1, np.uint32)
    _count(labels.reshape(-1, order="F"), counts)
    return counts[1:]


def cut_surface(runs: Runs, sides: Iterable[int], held: Values | None) -> Surface:
    """What lies on these faces of a box; without what runs hold, all components hold the same."""
    faces = {one: _paint_face(runs, one) for one in sides}
    touched = np.zeros(runs.number + 1, np.uint8)
    for one, face in faces.items():
        touched[face] |= np.uint8(1 << one)
    touched[0] = 0
    found = np.flatnonzero(touched)
    numbers = np.zeros(runs.number + 1, np.min_scalar_type(len(found)))
    numbers[found] = np.arange(1, len(found) + 1)
    planes = {one: numbers[face] for one, face in faces.items()}
    values = None
    if held is not None:
        table = np.zeros(len(found) + 1, np.uint64)
        for begin in range(0, len(held), _AT_ONCE):
            some = slice(begin, begin + _AT_ONCE)
            table[numbers[runs.labels[some]]] = held[some]
        values = table[1:]
    return Surface(found.astype(np.uint32), touched[found], values, planes)


def _paint_face(runs: Runs, one: int) -> Labels:
    axis, end = divmod(one, 2)
    low, high = [0, 0, 0], list(runs.shape)
    if end == HIGH:
        low[axis] = high[axis] - 1
    else:
        high[axis] = 1
    return paint(runs, (low[0], low[1], low[2]), (high[0], high[1], high[2])).squeeze(axis)


@compiled
def _count(flat: Labels, counts: Numbers) -> None:
    start = 0
    for at in range(1, len(flat) + 1):
        if at == len(flat) or flat[at] != flat[start]:
            counts[flat[start]] += at - start
            start = at
