"""The parts of slices, taken tile by tile, against SciPy on whole slices."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from teravox.kernels.slice_parts import PART, Parts, SliceParts, TooManyParts

Labels = NDArray[np.uint64]
CROSS = ndimage.generate_binary_structure(2, 1)
SQUARE = ndimage.generate_binary_structure(2, 2)


def in_tiles(voxels: NDArray[Any], height: int, width: int, *, corners: bool, by_label: bool = False) -> Parts:
    parts = SliceParts(len(voxels), voxels.shape[2], corners=corners, room=10_000)
    for row in range(0, voxels.shape[1], height):
        for column in range(0, voxels.shape[2], width):
            parts.add(voxels[:, row : row + height, column : column + width], row, column)
    return parts.found(by_label=by_label)


def by_scipy(voxels: NDArray[Any], *, corners: bool, by_label: bool = False) -> list[tuple[float, ...]]:
    """Slice, label, area, row and column of every part, sorted."""
    found = []
    for at, plane in enumerate(voxels):
        for label in np.unique(plane[plane > 0]):
            parts, number = ndimage.label(plane == label, SQUARE if corners else CROSS)
            parts, number = ((plane == label).astype(int), 1) if by_label else (parts, number)
            for part in range(1, number + 1):
                row, column = ndimage.center_of_mass(parts == part)
                found.append((at, int(label), int((parts == part).sum()), row, column))
    return sorted(found, key=lambda one: (one[0], one[1], one[3], one[4]))


def listed(parts: Parts) -> list[tuple[float, ...]]:
    return list(zip(*(column.tolist() for column in parts), strict=True))


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    tile=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    labels=st.integers(1, 3),
    corners=st.booleans(),
    by_label=st.booleans(),
    seed=st.integers(0, 999),
)
def test_parts_are_those_of_whole_slices(
    size: tuple[int, int, int], tile: tuple[int, int], labels: int, corners: bool, by_label: bool, seed: int
) -> None:
    voxels = np.random.default_rng(seed).integers(0, labels + 1, size).astype(np.uint16)
    found = in_tiles(voxels, *tile, corners=corners, by_label=by_label)
    wanted = by_scipy(voxels, corners=corners, by_label=by_label)
    assert [one[:3] for one in listed(found)] == [one[:3] for one in wanted]
    np.testing.assert_allclose([one[3:] for one in listed(found)], [one[3:] for one in wanted])


def test_the_same_numbers_come_of_any_tiles() -> None:
    voxels = (ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(2, 40, 50)), (0, 2, 2)) > 0).astype(
        np.uint8
    )
    whole = in_tiles(voxels, 40, 50, corners=False)
    assert len(whole.areas) == 20
    for tile in ((7, 9), (1, 50), (40, 1)):
        for ours, theirs in zip(in_tiles(voxels, *tile, corners=False), whole, strict=True):
            assert ours.tobytes() == theirs.tobytes()


def test_labels_of_64_bits_are_kept_apart() -> None:
    voxels = np.array([[[2**63, 2**63 + 1, 0, 2**63]]], np.uint64)
    found = in_tiles(voxels, 1, 1, corners=True)
    assert found.labels.tolist() == [2**63, 2**63, 2**63 + 1]
    assert found.areas.tolist() == [1, 1, 1]


def test_more_parts_than_there_is_room_for_are_an_error() -> None:
    voxels = np.eye(6, dtype=np.uint8)[np.newaxis]
    parts = SliceParts(1, 6, corners=False, room=5)
    with pytest.raises(TooManyParts):
        parts.add(voxels, 0, 0)
    parts = SliceParts(1, 6, corners=True, room=5)
    parts.add(voxels, 0, 0)
    assert parts.found(by_label=False).areas.tolist() == [6]


def test_a_part_takes_no_more_memory_than_is_said() -> None:
    voxels = np.random.default_rng(0).integers(0, 3, (4, 128, 128)).astype(np.uint32)
    in_tiles(voxels[:, :8, :8], 4, 4, corners=False)  # which compiles
    parts = SliceParts(4, 128, corners=False, room=100_000)
    tracemalloc.start()
    for row in range(0, 128, 16):
        for column in range(0, 128, 16):
            parts.add(voxels[:, row : row + 16, column : column + 16], row, column)
    found = parts.found(by_label=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.areas) > 10_000
    assert 0.2 * PART < peak / len(found.areas) < PART


def test_there_may_be_nothing() -> None:
    found = in_tiles(np.zeros((2, 3, 4), np.uint32), 2, 2, corners=False)
    assert [len(column) for column in found] == [0] * 5
