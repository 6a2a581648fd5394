"""Which voxels lie near the border of a label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]  # x, y and z, of any type
Mask = NDArray[np.bool_]
Vec = tuple[int, int, int]


def near_borders(labels: Labels, reach: Vec) -> Mask:
    """Where another label is among the voxels that lie up to `reach` away in x, y and z, corners of that box included."""
    near = np.zeros(labels.shape, np.bool_, order="F")
    for axis, far in enumerate(reach):
        if not far:
            continue
        along = near.copy(order="F")  # what is near a border in the axes before, anywhere within the reach of this one
        for step in range(1, far + 1):
            along[_from(axis, step)] |= near[_up_to(axis, -step)]
            along[_up_to(axis, -step)] |= near[_from(axis, step)]
        changes = labels[_from(axis, 1)] != labels[_up_to(axis, -1)]
        for step in range(far):  # a change between n and n + 1 is within the reach of n + 1 - far … n + far
            length = changes.shape[axis] - step
            if length <= 0:
                break
            along[_from(axis, 1 + step)] |= changes[_up_to(axis, length)]
            along[_up_to(axis, length)] |= changes[_from(axis, step)]
        near = along
    return near


def _from(axis: int, start: int) -> tuple[slice, ...]:
    return tuple(slice(start, None) if n == axis else slice(None) for n in range(3))


def _up_to(axis: int, stop: int) -> tuple[slice, ...]:
    return tuple(slice(None, stop) if n == axis else slice(None) for n in range(3))
