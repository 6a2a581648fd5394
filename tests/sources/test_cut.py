"""How a source is cut: within memory, and so that its blocks are read few times."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.sources.cut import choose_shape, reading

lengths = st.tuples(*[st.integers(1, 60)] * 3)


def measure(shape: Vec, whole: Vec, block: Vec) -> float:
    """The voxels of all blocks that all boxes touch, counted one by one."""
    read = 0
    for box in Grid(Box((0, 0, 0), whole), shape):
        spans = [min(-(-b // n) * n, w) - a // n * n for a, b, n, w in zip(box.min, box.max, block, whole, strict=True)]
        read += math.prod(spans)
    return read / math.prod(whole)


@given(whole=lengths, shape=lengths, block=lengths)
def test_what_is_read_is_foreseen(whole: Vec, shape: Vec, block: Vec) -> None:
    assert np.isclose(reading(shape, whole, block), measure(shape, whole, block), rtol=0.35)
    assert reading(whole, whole, block) == 1


@given(whole=lengths, unit=st.tuples(*[st.integers(1, 9)] * 3), block=lengths, most=st.integers(1, 100_000))
def test_shapes_are_whole_units_that_fit_and_read_no_more(whole: Vec, unit: Vec, block: Vec, most: int) -> None:
    def fits(size: Vec) -> bool:
        return math.prod(size) <= most

    shape = choose_shape(whole, unit, block, 1, fits)
    assert all(n % u == 0 for n, u in zip(shape, unit, strict=True))
    assert shape == unit or fits(Box((0, 0, 0), shape).intersect(Box((0, 0, 0), whole)).size)
    assert reading(shape, whole, block) <= reading(unit, whole, block) + 1e-9


def choose(whole: Vec, block: Vec, most: float) -> Vec:
    return choose_shape(whole, (128, 128, 64), block, 1, lambda size: math.prod(size) <= most)


def test_slices_are_read_once_where_a_slab_fits() -> None:
    shape = choose((2000, 2000, 5000), (2000, 2000, 1), 3e9)
    assert (shape[0] >= 2000, shape[1] >= 2000, shape[2]) == (True, True, 64)


def test_slices_that_are_too_large_are_read_as_few_times_as_memory_allows() -> None:
    whole, block = (10_000, 8_000, 5_000), (10_000, 8_000, 1)
    shape = choose(whole, block, 3e9)
    assert (reading(shape, whole, block), shape[2]) == (2, 64)


def test_boxes_end_where_the_chunks_of_the_source_end() -> None:
    whole, block = (10_000, 8_000, 5_000), (256, 256, 96)
    shape = choose(whole, block, 1e9)
    assert reading(shape, whole, block) == 1
    assert (shape[0] % 256 == 0 or shape[0] >= 10_000) and shape[1] % 256 == 0 and shape[2] % 192 == 0
