"""Arrays in a scratch: the same as in memory, one after another, and never more than there is room for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.scratch import (
    IN_MEMORY,
    Scratch,
    flags,
    give_back,
    in_use,
    ints,
    keys_of_floats,
    longs,
    pairs,
    rows,
    stable_order,
)


def scratch_of(words: int) -> Scratch:
    made = np.full(words, -1, np.int64)
    made[0] = 1
    return made


def test_arrays_lie_beside_each_other_and_can_be_given_back() -> None:
    scratch = scratch_of(100)
    made = [longs(scratch, 3), flags(scratch, 9, True), ints(scratch, 5), pairs(scratch, 4)]
    made.append(rows(scratch, (5, 3), np.dtype(np.uint8)))
    for value, array in enumerate(made):
        array[...] = value % 2
    assert [(array.size, set(array.ravel().tolist())) for array in made] == [
        (3, {0}),
        (9, {True}),
        (5, {0}),
        (8, {1}),
        (15, {0}),
    ]
    assert all(np.shares_memory(array, scratch) for array in made)
    mark = in_use(scratch)
    first = longs(scratch, 2)
    give_back(scratch, mark)
    assert np.shares_memory(longs(scratch, 2), first)


def test_a_scratch_that_is_full_says_so() -> None:
    scratch = scratch_of(10)
    longs(scratch, 9)
    with pytest.raises(MemoryError, match="smaller"):
        longs(scratch, 1)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 2**11, 2**33 + 5, 2**64 - 1]) | st.integers(0, 2**64 - 1), max_size=40), st.data()
)
def test_keys_are_put_in_the_same_order_in_memory_and_in_a_scratch(keys: list[int], data: st.DataObject) -> None:
    array = np.array(keys, np.uint64)
    before = np.array(data.draw(st.permutations(range(len(keys)))), np.int64)
    wanted = before[np.argsort(array[before], kind="stable")]
    scratch = scratch_of(20 * len(keys) + 20)
    assert np.array_equal(stable_order(array, before, IN_MEMORY), wanted)
    assert np.array_equal(stable_order(array, before, scratch), wanted)
    assert in_use(scratch) == 1 + len(keys)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(allow_nan=False), max_size=20))
def test_keys_of_numbers_are_in_their_order(values: list[float]) -> None:
    array = np.array(values)
    assert np.array_equal(np.argsort(keys_of_floats(array, IN_MEMORY), kind="stable"), np.argsort(array, kind="stable"))
