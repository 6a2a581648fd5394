"""Which components of two neighbouring boxes touch each other."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.components import HIGH, LOW, Numbers, Surface, side

Vec = tuple[int, int, int]
Names = NDArray[np.uint32]

REACH = {6: 1, 18: 2, 26: 3}  # connectivity → in how many axes two voxels may differ by 1 and still touch


def directions(connectivity: int) -> list[Vec]:
    """Where the neighbours of a box lie that it can touch; of two opposite directions, one."""
    return [
        (x, y, z)
        for x, y, z in itertools.product((-1, 0, 1), repeat=3)
        if (x, y, z) > (0, 0, 0) and abs(x) + abs(y) + abs(z) <= REACH[connectivity]
    ]


def touching(here: Surface, there: Surface, direction: Vec, connectivity: int) -> tuple[Names, Names]:
    """The pairs of numbers of components that touch, each pair once and in order; `there` lies in the direction from `here`."""
    a, b = _rim(here, direction), _rim(there, (-direction[0], -direction[1], -direction[2]))
    free = REACH[connectivity] - sum(map(abs, direction))
    steps = [step for step in itertools.product((-1, 0, 1), repeat=a.ndim) if sum(map(abs, step)) <= free]
    met = [_meet(a[_window(step)], b[_window(tuple(-n for n in step))], here, there) for step in steps]
    pairs = np.unique(np.concatenate(met))
    return (pairs >> np.uint64(32)).astype(np.uint32), pairs.astype(np.uint32)


def _rim(surface: Surface, direction: Vec) -> Numbers:
    """The face, edge or corner that lies towards a direction; its axes are those in which the direction is 0."""
    axis = next(axis for axis in range(3) if direction[axis])
    plane = surface.planes[side(axis, HIGH if direction[axis] > 0 else LOW)]
    others = [n for other, n in enumerate(direction) if other != axis]
    rim: Numbers = plane[tuple(slice(None) if n == 0 else slice(-1, None) if n > 0 else slice(0, 1) for n in others)]
    return rim.reshape([length for length, n in zip(rim.shape, others, strict=True) if n == 0])


def _window(step: tuple[int, ...]) -> tuple[slice, ...]:
    """What is left of an array when another one is laid over it that many voxels further."""
    return tuple(slice(max(0, -n), -n if n > 0 else None) for n in step)


def _meet(a: Numbers, b: Numbers, here: Surface, there: Surface) -> NDArray[np.uint64]:
    """The pairs at the same places, as one number each."""
    pairs = (a.astype(np.uint64) << np.uint64(32)) | b
    flat = pairs.reshape(-1)
    pairs = flat[np.concatenate([[True], flat[1:] != flat[:-1]])] if flat.size else flat
    pairs = np.unique(pairs)
    one, other = pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)
    both = (one > 0) & (other > 0)
    pairs, one, other = pairs[both], one[both].astype(np.int64), other[both].astype(np.int64)
    if here.values is None or there.values is None:
        return pairs
    alike: NDArray[np.uint64] = pairs[here.values[one - 1] == there.values[other - 1]]
    return alike
