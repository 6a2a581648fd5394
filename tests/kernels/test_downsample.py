"""The kernels against plain loops over the whole array."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.average import averages
from teravox.kernels.counted_mode import count_modes
from teravox.kernels.downsample import downsample
from teravox.kernels.mode import modes
from teravox.kernels.slabs import MOST_SQUARES, Method, sizes_above, working_bytes

Array = NDArray[Any]  # of any voxel type
Vec = tuple[int, int, int]

DTYPES = ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32"]
FACTORS: list[Vec] = [(2, 2, 1), (2, 2, 2), (3, 3, 1), (1, 1, 2), (2, 3, 4)]


def volume(size: Vec, dtype: str, seed: int, *, channels: int = 1, labels: int | None = None) -> Array:
    """Voxels over the whole range of a type, or few labels with many zeros."""
    random = np.random.default_rng(seed)
    shape = (*size, channels)
    if labels is not None:
        return np.asfortranarray(random.integers(0, labels, shape).astype(dtype))
    if dtype == "float32":
        return np.asfortranarray(random.normal(0, 1000, shape).astype(dtype))
    info = np.iinfo(dtype)
    voxels = random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    voxels[random.random(shape) < 0.2] = info.max
    voxels[random.random(shape) < 0.2] = 0
    return np.asfortranarray(voxels)


def cells(array: Array, cell: Vec) -> dict[tuple[int, int, int, int], list[Any]]:
    """The voxels of each cell, x fastest."""
    found: dict[tuple[int, int, int, int], list[Any]] = {}
    for c, z, y, x in itertools.product(*map(range, reversed(array.shape))):
        place = (x // cell[0], y // cell[1], z // cell[2], c)
        found.setdefault(place, []).append(array[x, y, z, c].item())
    return found


def mean(voxels: list[Any], *, sparse: bool) -> int:
    if sparse:
        voxels = [v for v in voxels if v != 0] or [0]
    return round(Fraction(sum(voxels), len(voxels)))  # halves to the even one


def power(factor: Vec, mip: int) -> Vec:
    return (factor[0] ** mip, factor[1] ** mip, factor[2] ** mip)


sizes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6))


@settings(max_examples=120, deadline=None)
@given(
    sizes, st.sampled_from(DTYPES[:-1]), st.sampled_from(FACTORS), st.integers(1, 3), st.booleans(), st.integers(0, 99)
)
def test_averages_are_the_rounded_means_of_full_size_voxels(
    size: Vec, dtype: str, factor: Vec, mips: int, sparse: bool, seed: int
) -> None:
    array = volume(size, dtype, seed, channels=1 + seed % 2)
    for mip, result in enumerate(downsample(array, factor, mips, "average", sparse=sparse), start=1):
        assert result.dtype == array.dtype
        expected = cells(array, power(factor, mip))
        assert {place: result[place].item() for place in np.ndindex(result.shape)} == {
            place: mean(voxels, sparse=sparse) for place, voxels in expected.items()
        }


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 3)),
    st.sampled_from(["uint8", "int8"]),
    st.integers(1, MOST_SQUARES),
    st.integers(0, 99),
)
def test_averages_of_squares_of_bytes_are_those_of_wider_numbers(size: Vec, dtype: str, mips: int, seed: int) -> None:
    array = volume(size, dtype, seed, channels=1 + seed % 2, labels=None if seed % 3 else 3)
    for small, wide in zip(
        averages(array, (2, 2, 1), mips), averages(array.astype(np.int16), (2, 2, 1), mips), strict=True
    ):
        assert small.dtype == array.dtype
        assert np.array_equal(small, wide)


@settings(max_examples=40, deadline=None)
@given(sizes, st.sampled_from(FACTORS), st.booleans(), st.integers(0, 99))
def test_averages_of_floating_point_voxels_are_summed_in_double_precision(
    size: Vec, factor: Vec, sparse: bool, seed: int
) -> None:
    array = volume(size, "float32", seed)
    array[array < -800] = 0
    for mip, result in enumerate(averages(array, factor, 2, sparse=sparse), start=1):
        for place, voxels in cells(array, power(factor, mip)).items():
            kept = [v for v in voxels if v != 0 or not sparse] or [0.0]
            assert result[place] == pytest.approx(sum(kept) / len(kept), rel=1e-6, abs=1e-4)


@settings(max_examples=120, deadline=None)
@given(sizes, st.sampled_from(DTYPES), st.sampled_from(FACTORS), st.booleans(), st.integers(0, 99))
def test_a_mode_is_a_most_frequent_voxel_of_its_cell(
    size: Vec, dtype: str, factor: Vec, sparse: bool, seed: int
) -> None:
    array = volume(size, dtype, seed, channels=1 + seed % 3, labels=4)
    below = array
    for result in downsample(array, factor, 2, "mode", sparse=sparse):
        for place, voxels in cells(below, factor).items():
            counts = Counter(v for v in voxels if v != 0 or not sparse) or Counter([0])
            assert counts[result[place].item()] == max(counts.values())
        below = result


def test_sparse_modes_choose_labels_over_background() -> None:
    array = np.zeros((4, 2, 2, 1), np.uint64, order="F")
    array[1, 1, 0] = 2**63 + 5
    assert modes(array, (2, 2, 1), sparse=True)[:, :, :, 0].ravel(order="F").tolist() == [2**63 + 5, 0, 0, 0]
    assert modes(array, (2, 2, 2), sparse=True)[:, :, :, 0].ravel(order="F").tolist() == [2**63 + 5, 0]
    assert modes(array, (2, 2, 1)).max() == 0


@pytest.mark.parametrize("sparse", [False, True])
def test_counting_and_tinybrain_agree_where_a_mode_is_the_only_one(sparse: bool) -> None:
    array = volume((31, 17, 9), "uint32", 5, labels=3)
    counted, fast = count_modes(array, (2, 2, 2), sparse=sparse), modes(array, (2, 2, 2), sparse=sparse)
    for place, voxels in cells(array, (2, 2, 2)).items():
        counts = Counter(v for v in voxels if v != 0 or not sparse).most_common(2)
        if len(counts) == 1 or (len(counts) == 2 and counts[0][1] > counts[1][1]):
            assert counted[place] == fast[place] == counts[0][0]


@settings(max_examples=60, deadline=None)
@given(sizes, st.sampled_from(DTYPES), st.sampled_from(FACTORS), st.integers(1, 3), st.integers(0, 99))
def test_min_max_and_stride_take_the_extremes_and_the_first(
    size: Vec, dtype: str, factor: Vec, mips: int, seed: int
) -> None:
    array = volume(size, dtype, seed, channels=2)
    expected: list[tuple[Method, Any]] = [("min", min), ("max", max), ("stride", lambda voxels: voxels[0])]
    for method, pick in expected:
        for mip, result in enumerate(downsample(array, factor, mips, method), start=1):
            assert result.shape[:3] == sizes_above(size, factor, mip)
            for place, voxels in cells(array, power(factor, mip)).items():
                assert result[place].item() == pick(voxels)


@pytest.mark.parametrize("method", ["average", "mode", "min", "max", "stride"])
@pytest.mark.parametrize("factor", FACTORS)
def test_results_do_not_depend_on_slabs_or_memory_order(
    method: Method, factor: Vec, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = volume((13, 11, 21), "uint16", 3, channels=2, labels=5)
    whole = downsample(array, factor, 2, method)
    monkeypatch.setattr("teravox.kernels.slabs.SLAB", 1)
    assert all(map(np.array_equal, whole, downsample(array, factor, 2, method)))
    assert all(map(np.array_equal, whole, downsample(np.ascontiguousarray(array), factor, 2, method)))
    assert all(result.flags.f_contiguous for result in whole)


def test_an_array_that_must_not_be_written_stays_as_it_is() -> None:
    array = volume((9, 8, 7), "uint8", 1)
    copy = array.copy(order="F")
    array.flags.writeable = False
    for method in ("average", "mode", "min", "max", "stride"):
        for factor in FACTORS:
            downsample(array, factor, 2, method)
    assert np.array_equal(array, copy)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint64", "float32"])
@pytest.mark.parametrize("method", ["average", "mode", "min", "stride"])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("factor", [(2, 2, 1), (2, 2, 2), (3, 3, 1)])
def test_working_bytes_are_not_exceeded(
    dtype: str, method: Method, sparse: bool, factor: Vec, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tracemalloc

    monkeypatch.setattr("teravox.kernels.slabs.SLAB", 1 << 18)
    size = (121, 119, 64)
    array = volume(size, dtype, 2)
    results = sum(np.prod(sizes_above(size, factor, mip)) * array.itemsize for mip in (1, 2))
    downsample(array, factor, 2, method, sparse=sparse)  # what is imported is not counted
    tracemalloc.start()
    try:
        downsample(array, factor, 2, method, sparse=sparse)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    promised = working_bytes(size, 1, array.itemsize, factor, 2, method, sparse=sparse)
    assert peak <= results + promised + 100_000
