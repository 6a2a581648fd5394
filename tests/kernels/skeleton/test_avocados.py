"""Nuclei with labels of their own are given to the cells around them, and nothing else is."""

from __future__ import annotations

from typing import Any

import edt
import numpy as np
from numpy.typing import NDArray

from teravox.kernels.components import label
from teravox.kernels.skeleton.avocados import join_pits

Voxels = NDArray[Any]  # of small whole numbers
STEP = (10.0, 10.0, 10.0)


def ball(radius: float, size: int = 60) -> NDArray[np.bool_]:
    places = np.indices((size, size, size)) - size // 2
    return np.asarray((places**2).sum(axis=0) <= radius**2)


def joined(voxels: Voxels, least: float = 80.0) -> tuple[Voxels, bool]:
    numbers = np.asfortranarray(voxels)
    components, count = label(numbers, 26)
    distances = edt.edt(numbers, anisotropy=STEP)
    return numbers, join_pits(numbers, components, count, distances, least, STEP)


def test_a_nucleus_becomes_its_cell_also_across_a_gap() -> None:
    cell = ball(25).astype(np.uint8) * 3
    cell[ball(14)] = 0
    cell[ball(12)] = 9
    found, changed = joined(cell.copy())
    assert changed
    assert set(np.unique(found).tolist()) == {0, 3}
    assert (found[ball(12)] == 3).all()
    assert not joined(found)[1]


def test_a_nucleus_at_the_side_becomes_its_cell() -> None:
    cell = ball(25).astype(np.uint8) * 3
    cell[ball(12)] = 9
    found, changed = joined(cell[25:].copy())
    assert changed
    assert set(np.unique(found).tolist()) == {0, 3}


def test_a_process_that_is_wrapped_stays_itself() -> None:
    x, y = np.indices((60, 60)) - 30
    wrapped = np.zeros((60, 60, 200), np.uint8)
    wrapped[x**2 + y**2 <= 20**2] = 3
    wrapped[x**2 + y**2 <= 9**2] = 9
    assert not joined(wrapped)[1]


def test_small_things_and_neighbours_stay_themselves() -> None:
    cell = ball(25).astype(np.uint8) * 3
    cell[ball(6)] = 9
    assert not joined(cell)[1]
    beside = np.zeros((60, 60, 60), np.uint8)
    beside[:30], beside[30:] = 3, 9
    assert not joined(beside)[1]
