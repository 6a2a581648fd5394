"""Finds nuclei that were given labels of their own, and gives them to the cells around them: pits of avocados."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled
from teravox.kernels.skeleton.bodies import find_bodies

Components = NDArray[np.uint32]
Numbers = NDArray[Any]  # unsigned whole numbers in x, y and z, in Fortran order
Distances = NDArray[np.float32]
Step = tuple[float, float, float]

LONGEST = 6.0  # radii: a pit is no longer than this along any axis, and a process is
MEET = 0.8  # of the rays that meet anything: so many meet the same number
HIT = 13  # of 26 rays: so many meet something before the array ends


def join_pits(
    numbers: Numbers, components: Components, count: int, distances: Distances, least: float, step: Step
) -> bool:
    """Give each pit the number of what is around it, in place; whether there was any.

    A pit is a component with a radius beyond `least` nanometres that is no longer than wide. From its deepest voxel rays
    go to the 26 neighbours and on; what is around it is the number that most of them meet first, background aside.
    """
    bodies = find_bodies(components, count, numbers)
    radius = np.zeros(count + 1, np.float32)
    deepest = np.zeros(count + 1, np.int64)
    _find_deepest(components.reshape(-1, order="F"), distances.reshape(-1, order="F"), radius, deepest)
    longest = ((bodies.high - bodies.low + 1) * np.array(step)).max(axis=1)
    fruits = np.zeros(count + 1, numbers.dtype)
    for pit in np.flatnonzero((radius > least) & (longest <= LONGEST * radius)).tolist():
        x, y, z = np.unravel_index(deepest[pit], numbers.shape, order="F")
        hits = np.sort(_look_around(numbers, int(x), int(y), int(z)))
        met, times = np.unique(hits[hits > 0], return_counts=True)
        if times.sum() >= HIT and times.max() >= MEET * times.sum():
            fruits[pit] = met[times.argmax()]
    if not fruits.any():
        return False
    _paint(numbers.reshape(-1, order="F"), components.reshape(-1, order="F"), fruits)
    return True


@compiled
def _find_deepest(  # pragma: no cover - compiled
    components: Components, distances: Distances, radius: Distances, deepest: NDArray[np.int64]
) -> None:
    for at in range(len(components)):
        here = components[at]
        if here != 0 and distances[at] > radius[here] and distances[at] < np.inf:
            radius[here] = distances[at]
            deepest[here] = at


@compiled
def _look_around(numbers: Numbers, x: int, y: int, z: int) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """What rays from a voxel meet first that is neither its number nor background; 0 where they leave the array."""
    nx, ny, nz = numbers.shape
    own = numbers[x, y, z]
    hits = np.zeros(27, np.int64)
    for ray in range(27):
        a, b, c = ray % 3 - 1, ray // 3 % 3 - 1, ray // 9 - 1
        i, j, k = x + a, y + b, z + c
        while (a != 0 or b != 0 or c != 0) and 0 <= i < nx and 0 <= j < ny and 0 <= k < nz:
            if numbers[i, j, k] != 0 and numbers[i, j, k] != own:
                hits[ray] = numbers[i, j, k]
                break
            i, j, k = i + a, j + b, k + c
    return hits


@compiled
def _paint(flat: Numbers, components: Components, fruits: Numbers) -> None:  # pragma: no cover - compiled
    for at in range(len(flat)):
        if fruits[components[at]] != 0:
            flat[at] = fruits[components[at]]
