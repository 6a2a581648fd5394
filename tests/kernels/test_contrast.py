"""Contrast of small arrays, against NumPy and OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.clahe import Axis, equalize_slice, map_bytes
from teravox.kernels.histogram import count_values, no_counts
from teravox.kernels.stretch import find_limits, look_up, make_table, smooth_limits

Array = NDArray[Any]  # of 8 or 16 bits without sign

U8, U16 = np.dtype(np.uint8), np.dtype(np.uint16)
dtypes = st.sampled_from([U8, U16])
sizes = st.tuples(*[st.integers(1, 9)] * 3, st.integers(1, 3))


def noise(shape: tuple[int, ...], dtype: np.dtype[Any], seed: int = 0) -> Array:
    most = np.iinfo(dtype).max
    values = np.random.default_rng(seed).normal(0.4 * most, 0.15 * most, shape)
    return np.asfortranarray(values.clip(0, most).astype(dtype))


@settings(max_examples=50, deadline=None)
@given(size=sizes, dtype=dtypes, cut=st.booleans(), locked=st.booleans())
def test_values_are_counted_by_slice_and_channel(
    size: tuple[int, int, int, int], dtype: np.dtype[Any], cut: bool, locked: bool
) -> None:
    voxels = noise(size, dtype)
    voxels = voxels[::2] if cut else voxels
    voxels.flags.writeable = not locked
    counts = no_counts(size[2], size[3], dtype)

    count_values(voxels, counts)
    count_values(voxels, counts)

    for z in range(size[2]):
        for channel in range(size[3]):
            expected = np.bincount(voxels[:, :, z, channel].ravel(), minlength=np.iinfo(dtype).max + 1)
            assert np.array_equal(counts[z, channel], 2 * expected)


@given(
    values=st.lists(st.integers(0, 9), max_size=40),
    low=st.sampled_from([0.0, 0.01, 0.25, 0.49]),
    high=st.sampled_from([0.0, 0.1, 0.5]),
)
def test_limits_are_the_values_at_the_ends_of_what_is_left(values: list[int], low: float, high: float) -> None:
    found = find_limits(np.bincount(values or [0], minlength=256).astype(np.uint64) * bool(values), low, high)

    left = sorted(values)[int(low * len(values)) : len(values) - int(high * len(values))]
    assert found == ((left[0], left[-1]) if left and left[0] < left[-1] else None)


def test_limits_of_half_the_voxels_are_quartiles() -> None:
    assert find_limits(np.ones(256, np.uint64), 0.25, 0.25) == (64, 191)
    assert find_limits(np.zeros(256, np.uint64), 0, 0) is None
    assert find_limits(np.eye(256, dtype=np.uint64)[7] * np.uint64(1 << 40), 0, 0) is None


def test_limits_are_smoothed_over_slices_that_have_some() -> None:
    limits = {3: (10.0, 20.0), 4: None, 5: (20.0, 60.0), 9: (0.0, 255.0)}

    assert smooth_limits(limits, 3, 0) == (10, 20)
    assert smooth_limits(limits, 4, 0) is None
    assert smooth_limits(limits, 4, 1) == (15, 40)
    assert smooth_limits(limits, 7, 1) is None
    assert smooth_limits(limits, 7, 2) == (10, 157.5)


@given(
    low=st.floats(0, 30000),
    width=st.floats(1, 30000),
    least=st.integers(0, 100),
    most=st.integers(101, 255),
    source=dtypes,
    dest=dtypes,
)
def test_a_table_spreads_the_limits_evenly(
    low: float, width: float, least: int, most: int, source: np.dtype[Any], dest: np.dtype[Any]
) -> None:
    table = make_table((low, low + width), least, most, source, dest)

    expected = np.interp(np.arange(np.iinfo(source).max + 1), [low, low + width], [least, most])
    assert table.dtype == dest
    assert np.abs(table - expected).max() <= 0.5 + 1e-6


def test_without_limits_a_table_keeps_values() -> None:
    assert np.array_equal(make_table(None, 3, 9, U16, U16), np.arange(65536))
    assert np.array_equal(make_table(None, 3, 9, U16, U8), np.rint(np.arange(65536) / 257))
    assert np.array_equal(make_table(None, 3, 9, U8, U16), np.arange(256) * 257)


@settings(max_examples=50, deadline=None)
@given(size=sizes, source=dtypes, dest=dtypes, cut=st.booleans())
def test_voxels_are_looked_up_in_the_table_of_their_slice(
    size: tuple[int, int, int, int], source: np.dtype[Any], dest: np.dtype[Any], cut: bool
) -> None:
    voxels = noise(size, source)[:: 2 if cut else 1]
    tables = noise((size[3], size[2], np.iinfo(source).max + 1), dest, seed=1).transpose(1, 0, 2).copy()

    result = look_up(voxels, tables)

    assert (result.dtype, result.shape, result.flags.f_contiguous) == (dest, voxels.shape, True)
    for z in range(size[2]):
        for channel in range(size[3]):
            assert np.array_equal(result[:, :, z, channel], tables[z, channel][voxels[:, :, z, channel]])


def clahe(
    slice_: Array, tile: tuple[int, int], clip_limit: float, *, keep_background: bool = False, at: Any = None
) -> Array:
    """The part `at` ((x0, x1), (y0, y1)) of a slice, made of no more of it than is needed."""
    (x0, x1), (y0, y1) = at or ((0, slice_.shape[0]), (0, slice_.shape[1]))
    x, y = Axis(x0, x1, tile[0], slice_.shape[0]), Axis(y0, y1, tile[1], slice_.shape[1])
    result = np.empty((x1 - x0, y1 - y0), slice_.dtype, order="F")
    around = np.asfortranarray(slice_[slice(*x.span()), slice(*y.span())])
    equalize_slice(around, x, y, clip_limit, result, keep_background=keep_background)
    return result


def divides_alike(size: tuple[int, int], grid: tuple[int, int]) -> bool:
    """Where it divides one side only, OpenCV adds a row of voxels to each tile of the other side too."""
    return bool(size[0] % grid[0]) == bool(size[1] % grid[1])


@pytest.mark.parametrize("dtype", [U8, U16])
@pytest.mark.parametrize("clip_limit", [0.5, 2.0, 40.0])
@pytest.mark.parametrize(
    ("size", "grid"),
    [((256, 256), (8, 8)), ((250, 250), (8, 8)), ((61, 47), (3, 5)), ((64, 90), (1, 1)), ((300, 96), (6, 4))],
)
def test_a_slice_becomes_what_opencv_makes_of_it(
    dtype: np.dtype[Any], clip_limit: float, size: tuple[int, int], grid: tuple[int, int]
) -> None:
    assert divides_alike(size, grid)
    slice_ = noise(size, dtype)
    tile = (-(-size[0] // grid[0]), -(-size[1] // grid[1]))

    result = clahe(slice_, tile, clip_limit)

    expected = cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=(grid[1], grid[0])).apply(slice_)
    difference: Array = np.abs(result.astype(int) - expected.astype(int))
    assert difference.max() <= 1  # where a value lies between two whole ones, and was computed in another order
    assert (difference > 0).mean() < 0.001
    assert result.std() > slice_.std()


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    tile=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    keep_background=st.booleans(),
    data=st.data(),
)
def test_a_part_of_a_slice_is_made_as_in_the_whole(
    size: tuple[int, int], tile: tuple[int, int], keep_background: bool, data: st.DataObject
) -> None:
    slice_ = noise(size, U8)
    slice_[slice_ < 60] = 0
    starts = [data.draw(st.integers(0, n - 1)) for n in size]
    part = [(a, data.draw(st.integers(a + 1, n))) for a, n in zip(starts, size, strict=True)]

    whole = clahe(slice_, tile, 2.0, keep_background=keep_background)

    assert np.array_equal(
        clahe(slice_, tile, 2.0, keep_background=keep_background, at=part), whole[slice(*part[0]), slice(*part[1])]
    )


def test_a_part_needs_its_tiles_and_their_neighbours_only() -> None:
    assert Axis(1024, 1536, 256, 10_000).span() == (768, 1792)
    assert Axis(0, 100, 256, 10_000).span() == (0, 256)
    assert Axis(9900, 10_000, 256, 10_000).span() == (9728, 10_000)
    assert map_bytes(Axis(1024, 1536, 256, 10_000), Axis(0, 100, 256, 10_000), U16) == 4 * 65536 * 2


@pytest.mark.parametrize("dtype", [U8, U16])
def test_background_stays_and_does_not_count(dtype: np.dtype[Any]) -> None:
    slice_ = noise((30, 40), dtype)
    slice_[:, 17:29] = 0
    there = slice_ > 0

    result = clahe(slice_, (40, 40), 2.0, keep_background=True)

    only = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(1, 1)).apply(slice_[there].reshape(1, -1))
    assert np.array_equal(result[there], only.ravel())
    assert not result[~there].any()
    assert clahe(slice_, (40, 40), 2.0)[~there].all()


def test_a_tile_of_background_changes_nothing() -> None:
    tile = np.tile(noise((1, 8), U8), (8, 1))
    slice_ = np.asfortranarray(np.concatenate([tile, np.zeros_like(tile)]))

    result = clahe(slice_, (8, 8), 2.0, keep_background=True)

    near, far = result[0].astype(float), slice_[7]  # what its own map says, and values 3/8 on the way to the other tile
    assert np.array_equal(result[7], np.rint(near * 0.625 + far * 0.375))
    assert not result[8:].any()


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    voxels = noise((4, 4, 2, 1), U8)
    with pytest.raises(ValueError, match="counts of"):
        count_values(voxels, no_counts(2, 1, U16))
    with pytest.raises(ValueError, match="tables of"):
        look_up(voxels, np.zeros((2, 2, 256), U8))
    axis = Axis(0, 4, 2, 4)
    for shape in ((4, 3), (5, 4)):
        with pytest.raises(ValueError, match="does not cover"):
            equalize_slice(voxels[:, :, 0, 0], axis, axis, 2.0, np.empty(shape, U8), keep_background=True)
