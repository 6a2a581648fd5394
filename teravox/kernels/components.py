"""The connected components of one box, and what of them lies on its faces."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Voxels = NDArray[Any]  # x, y and z, of whatever the layer holds
Labels = NDArray[np.uint32]  # the components of a box: 1 and up, 0 for background
Numbers = NDArray[np.uint32]
Sides = NDArray[np.uint8]

LOW, HIGH = 0, 1


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


def count_chosen(labels: Labels, number: int, chosen: NDArray[np.bool_]) -> Numbers:
    """The voxels of each component that are chosen, the first at 0."""
    counts = np.zeros(number + 1, np.uint32)
    _count_chosen(labels.reshape(-1, order="F"), np.asfortranarray(chosen).reshape(-1, order="F"), counts)
    return counts[1:]


def cut_surface(labels: Labels, number: int, sides: Iterable[int], voxels: Voxels | None) -> Surface:
    """What lies on these faces of a box; without voxels, all components hold the same."""
    faces = {one: _face(labels, one) for one in sides}
    touched = np.zeros(number + 1, np.uint8)
    for one, face in faces.items():
        touched[face] |= np.uint8(1 << one)
    touched[0] = 0
    found = np.flatnonzero(touched)
    numbers = np.zeros(number + 1, np.min_scalar_type(len(found)))
    numbers[found] = np.arange(1, len(found) + 1)
    planes = {one: numbers[face] for one, face in faces.items()}
    values = None
    if voxels is not None:
        table = np.zeros(len(found) + 1, np.uint64)
        for one, plane in planes.items():
            table[plane] = _face(voxels, one).astype(np.uint64)
        values = table[1:]
    return Surface(found.astype(np.uint32), touched[found], values, planes)


def _face(array: Voxels, one: int) -> Voxels:
    axis, end = divmod(one, 2)
    at = -1 if end == HIGH else 0
    return array[at] if axis == 0 else array[:, at] if axis == 1 else array[:, :, at]


@compiled
def _count(flat: Labels, counts: Numbers) -> None:
    start = 0
    for at in range(1, len(flat) + 1):
        if at == len(flat) or flat[at] != flat[start]:
            counts[flat[start]] += at - start
            start = at


@compiled
def _count_chosen(flat: Labels, chosen: NDArray[np.bool_], counts: Numbers) -> None:
    for at in range(len(flat)):
        counts[flat[at]] += chosen[at]
