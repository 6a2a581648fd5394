"""Tables of labels against cc3d and NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.label_runs import tabulate
from teravox.kernels.label_table import ROW, centroids, merge, widen

MANY = 10**9


def rows_of(array: NDArray[Any], corner: tuple[int, int, int] = (0, 0, 0)) -> NDArray[np.void]:
    rows = tabulate(array, corner, MANY)
    assert rows is not None
    return rows


@settings(max_examples=80, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 20)] * 3),
    corner=st.tuples(*[st.integers(-50, 50)] * 3),
    labels=st.integers(1, 40),
    dtype=st.sampled_from(["uint8", "uint16", "uint32", "uint64"]),
    seed=st.integers(0, 100),
)
def test_rows_are_what_cc3d_says(
    size: tuple[int, int, int], corner: tuple[int, int, int], labels: int, dtype: str, seed: int
) -> None:
    most = min(labels, size[0] * size[1] * size[2])  # cc3d takes no more
    array = np.random.default_rng(seed).integers(0, most, size).astype(dtype, order="F")
    array = array.repeat(3, axis=0).copy(order="F")  # runs
    rows = rows_of(array, corner)
    said = cc3d.statistics(array, no_slice_conversion=True)
    there = np.flatnonzero(said["voxel_counts"])
    assert rows["label"].tolist() == there.tolist()
    assert rows["voxels"].tolist() == said["voxel_counts"][there].tolist()
    boxes = said["bounding_boxes"][there].astype(int)
    assert np.array_equal(rows["min"], boxes[:, ::2] + corner)
    assert np.array_equal(rows["max"], boxes[:, 1::2] + 1 + corner)
    assert np.allclose(rows["sum"] / rows["voxels"][:, None], said["centroids"][there] + corner)


def test_every_voxel_may_be_a_label_of_its_own() -> None:
    array = np.random.default_rng(1).permutation(40**3).astype(np.uint64) + np.uint64(2**63)
    rows = rows_of(array.reshape((40, 40, 40), order="F"))
    assert np.array_equal(rows["label"], np.arange(40**3, dtype=np.uint64) + np.uint64(2**63))
    at = int(np.flatnonzero(array == rows["label"][77])[0])
    place = [at % 40, at // 40 % 40, at // 1600]
    assert rows[77]["min"].tolist() == rows[77]["sum"].tolist() == place
    assert (rows["voxels"] == 1).all()


def test_labels_that_share_a_slot_are_kept_apart() -> None:
    labels = (np.arange(5000, dtype=np.uint64) << np.uint64(40)).repeat(2)
    rows = rows_of(labels.reshape((2, 50, 100), order="F"))
    assert np.array_equal(rows["label"], labels[::2])
    assert (rows["voxels"] == 2).all()


def test_the_array_stays_as_it_was() -> None:
    array = np.zeros((4, 4, 4), np.uint8, order="F")
    rows_of(array)
    array[0] = 1


@pytest.mark.parametrize(("most", "is_told"), [(999, False), (1000, True)])
def test_too_many_labels_are_told(most: int, is_told: bool) -> None:
    array = np.arange(1000, dtype=np.uint32).reshape((10, 10, 10), order="F")
    assert (tabulate(array, (0, 0, 0), most) is not None) == is_told


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(1, 23), max_size=3, unique=True), seed=st.integers(0, 100), random=st.randoms())
def test_parts_merged_in_any_order_are_the_whole(cuts: list[int], seed: int, random: Any) -> None:
    array = np.random.default_rng(seed).integers(0, 9, (24, 5, 4)).astype(np.uint16, order="F")
    ends = [0, *sorted(cuts), 24]
    parts = [rows_of(np.asfortranarray(array[a:b]), (a, 0, 0)) for a, b in itertools.pairwise(ends)]
    random.shuffle(parts)
    assert merge(np.concatenate(parts)).tobytes() == rows_of(array).tobytes()
    wide = merge(np.concatenate([widen(part) for part in parts]))
    assert np.allclose(centroids(wide), rows_of(array)["sum"] / rows_of(array)["voxels"][:, None])


def test_sums_beyond_64_bits_have_a_centroid() -> None:
    row = np.zeros(1, ROW)
    row["voxels"] = 1 << 32
    row["sum"] = [[(1 << 31) * (1 << 31), -((1 << 31) << 31), 0]]
    wide = merge(np.concatenate([widen(row)] * 64))
    assert wide["voxels"].tolist() == [64 << 32]
    assert centroids(wide).tolist() == [[1 << 30, -(1 << 30), 0]]


def test_nothing_merged_is_nothing() -> None:
    assert len(merge(np.empty(0, ROW))) == 0
