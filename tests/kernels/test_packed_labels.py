"""compresso data whose labels are replaced, against those of the replaced labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import Array, Vec

from teravox.kernels.compresso import pack_compresso
from teravox.kernels.packed_labels import relabel_compresso
from teravox.pipeline.layers.codecs.compresso import decode_compresso


def some_labels(size: Vec, seed: int, block: int) -> Array:
    coarse = np.random.default_rng(seed).integers(0, 9, size, np.uint32)
    return np.asfortranarray(coarse.repeat(block, 0).repeat(block, 1)[: size[0], : size[1]])


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 18)] * 3),
    seed=st.integers(0, 999),
    block=st.integers(1, 5),
    dtype=st.sampled_from([np.uint32, np.uint64]),
    is_told_apart=st.booleans(),
)
def test_relabelled_data_are_those_of_other_labels(
    size: Vec, seed: int, block: int, dtype: Any, is_told_apart: bool
) -> None:
    labels = some_labels(size, seed, block)
    high = np.iinfo(dtype).max - 7
    table = np.array([0, high, 4, 8, high - 1, 1, 77, 7, 300], dtype)
    if not is_told_apart:
        table[[2, 5, 6]] = 0
    packed = pack_compresso(labels)
    assert packed is not None
    found = relabel_compresso(packed, table)
    assert found is not None
    shape = (*size, 1)
    assert np.array_equal(decode_compresso(found, shape, np.dtype(dtype))[..., 0], table[labels])
    if is_told_apart:
        assert found == pack_compresso(table[labels])


def test_labels_that_look_like_words_of_the_format_are_left_to_others() -> None:
    dots = np.indices((4, 4, 1)).sum(0, dtype=np.uint32) % 2 + np.uint32(1)
    packed, high = pack_compresso(dots), np.iinfo(np.uint32).max
    assert packed is not None
    assert relabel_compresso(packed, np.array([0, 5, high], np.uint32)) is None
    looks_so = pack_compresso(np.where(dots == 1, high, dots).astype(np.uint32))
    assert looks_so is not None
    assert relabel_compresso(looks_so, np.zeros(3, np.uint32)) is None
