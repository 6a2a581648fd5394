"""Blocks of labels against the library that everybody writes them with."""

from __future__ import annotations

from typing import Any

import compressed_segmentation as reference
import numpy as np
import pytest
import tinybrain
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.compressed_segmentation.memory import has_rows
from teravox.kernels.compressed_segmentation.modes import can_take_modes, unpack_modes
from teravox.kernels.compressed_segmentation.pack import pack_labels
from teravox.kernels.compressed_segmentation.unpack import WRONG, find_fault, unpack_labels

Labels = NDArray[Any]  # uint32 or uint64
Vec = tuple[int, int, int]
SIDES = st.tuples(*[st.integers(1, 21)] * 3)
BLOCKS = st.sampled_from([(8, 8, 8), (8, 8, 8), (1, 1, 1), (2, 3, 5), (16, 4, 1), (7, 1, 9)])


def labels_of(shape: Vec, dtype: str, count: int, seed: int) -> Labels:
    """Labels in clumps, as many different ones as asked for, from all over what the type can hold."""
    random = np.random.default_rng(seed)
    names = random.integers(0, np.iinfo(dtype).max, count, dtype=dtype, endpoint=True)
    clumps = random.integers(0, count, [-(-n // 3) for n in shape])
    large = np.kron(clumps, np.ones((3, 3, 3), int))[: shape[0], : shape[1], : shape[2]]
    return np.asfortranarray(names[large])


def their_words(labels: Labels, block: Vec) -> NDArray[np.uint32]:
    """What the library makes of one channel, without the list of channels before it."""
    return np.frombuffer(reference.compress(labels.copy(order="F"), block, order="F"), "<u4")[1:]


def unpacked(words: NDArray[np.uint32], block: Vec, like: Labels) -> Labels:
    out = np.empty(like.shape, like.dtype, order="F")
    assert find_fault(words, block, like.shape, like.itemsize // 4) == 0
    unpack_labels(words, block, out)
    return out


@settings(deadline=None, max_examples=100)
@given(
    SIDES,
    st.sampled_from(["uint32", "uint64"]),
    st.sampled_from([1, 2, 3, 5, 17, 300, 5000]),
    BLOCKS,
    st.integers(0, 99),
)
def test_labels_are_packed_to_the_very_words_of_the_library(
    shape: Vec, dtype: str, count: int, block: Vec, seed: int
) -> None:
    labels = labels_of(shape, dtype, count, seed)
    words = pack_labels(labels, block)
    assert np.array_equal(words, their_words(labels, block))
    assert np.array_equal(unpacked(words, block, labels), labels)


@settings(deadline=None, max_examples=50)
@given(SIDES, st.sampled_from(["uint32", "uint64"]), st.integers(0, 99), st.data())
def test_a_part_of_a_larger_array_is_packed_and_unpacked_where_it_lies(
    shape: Vec, dtype: str, seed: int, data: st.DataObject
) -> None:
    before, behind = (data.draw(st.tuples(*[st.integers(0, 3)] * 3)) for _ in range(2))
    size = tuple(a + n + b for a, n, b in zip(before, shape, behind, strict=True))
    part = tuple(slice(a, a + n) for a, n in zip(before, shape, strict=True))
    labels = labels_of(size, dtype, 20, seed)
    words = pack_labels(labels[part], (8, 8, 8))
    assert np.array_equal(words, their_words(labels[part], (8, 8, 8)))
    out = np.full(size, 7, dtype, order="F")
    unpack_labels(words, (8, 8, 8), out[part])
    expected = np.full(size, 7, dtype)
    expected[part] = labels[part]
    assert np.array_equal(out, expected)


def test_every_voxel_may_have_a_label_of_its_own() -> None:
    labels = np.arange(32 * 16 * 16, dtype=np.uint64).reshape((32, 16, 16), order="F") << np.uint64(40)
    for block in ((8, 8, 8), (32, 16, 16)):
        words = pack_labels(labels, block)
        assert np.array_equal(words, their_words(labels, block))
        assert np.array_equal(unpacked(words, block, labels), labels)


def test_indices_of_32_bits_are_read() -> None:
    """Others may write them; nobody needs them."""
    labels = np.array([5, 9, 9, 7], np.uint32).reshape((4, 1, 1), order="F")
    words = np.array([32 << 24 | 6, 2, 0, 2, 2, 1, 5, 7, 9], np.uint32)
    assert np.array_equal(unpacked(words, (4, 1, 1), labels), labels)


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
def test_words_that_are_cut_off_anywhere_have_a_fault(dtype: str) -> None:
    labels = labels_of((9, 10, 11), dtype, 200, 1)
    words = pack_labels(labels, (8, 8, 8))
    faults = {find_fault(words[:size], (8, 8, 8), labels.shape, labels.itemsize // 4) for size in range(len(words))}
    assert faults == {WRONG.index(name) for name in WRONG if "width" not in name and name}


def test_words_with_any_bit_flipped_have_a_fault_or_can_be_unpacked() -> None:
    """What is read beyond the end would be found by luck only, so the words lie at the end of a page that must not be read on."""
    import mmap

    labels = labels_of((16, 16, 8), "uint64", 60, 2)
    words = pack_labels(labels, (8, 8, 8))
    pages = -(-words.nbytes // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    _forbid(memory, pages * mmap.PAGESIZE)
    guarded = np.frombuffer(memory, np.uint32)[pages * mmap.PAGESIZE // 4 - len(words) : pages * mmap.PAGESIZE // 4]
    random = np.random.default_rng(0)
    found = set()
    for _ in range(2000):
        guarded[:] = words
        guarded[random.integers(0, len(words))] ^= np.uint32(1 << int(random.integers(0, 32)))
        fault = find_fault(guarded, (8, 8, 8), labels.shape, 2)
        found.add(fault)
        if not fault:
            unpack_labels(guarded, (8, 8, 8), np.empty_like(labels, order="F"))
    assert len(found) > 2


def _forbid(memory: Any, start: int) -> None:  # Any: an mmap, which as an address is known to ctypes alone
    """Have the system end whoever reads the last page."""
    import ctypes
    import mmap

    address = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + start
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(mmap.PAGESIZE), 0) == 0


def test_tables_that_lie_too_far_for_the_format_are_refused() -> None:
    labels = np.arange(1 << 23, dtype=np.uint64).reshape((256, 256, 128), order="F")
    with pytest.raises(OverflowError, match="24 bits"):
        pack_labels(labels, (8, 8, 8))


def test_an_array_whose_rows_do_not_lie_in_memory_one_by_one_is_known() -> None:
    labels = np.zeros((4, 5, 6), np.uint32, order="F")
    assert has_rows(labels)
    assert has_rows(labels[1:3, 2:, :4])
    assert not has_rows(labels[::-1])
    assert not has_rows(labels[:, ::-1])
    assert not has_rows(np.ascontiguousarray(labels))


EVEN_BLOCKS = st.sampled_from([(8, 8, 8), (8, 8, 8), (4, 2, 3), (16, 4, 1), (2, 16, 5), (6, 10, 2), (32, 2, 2)])


def modes_of(words: NDArray[np.uint32], block: Vec, like: Labels) -> Labels:
    larger = np.zeros((like.shape[0] // 2 + 3, like.shape[1] // 2 + 2, like.shape[2] + 1), like.dtype, order="F")
    out = larger[1:-2, 1:-1, :-1]
    unpack_modes(words, block, out)
    assert larger.astype(object).sum() == out.astype(object).sum()  # nothing is written beside it
    return out


@settings(deadline=None, max_examples=100)
@given(
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from(["uint32", "uint64"]),
    st.sampled_from([1, 2, 3, 5, 17, 300]),
    EVEN_BLOCKS,
    st.integers(0, 99),
)
def test_modes_of_packed_labels_are_those_of_the_labels(
    half: Vec, dtype: str, count: int, block: Vec, seed: int
) -> None:
    shape = (2 * half[0], 2 * half[1], half[2])
    clumps = labels_of(shape, dtype, count, seed)
    noise = np.random.default_rng(seed).permuted(clumps, axis=0)
    for labels in (clumps, np.asfortranarray(noise)):
        assert can_take_modes(block, labels.shape)
        (expected,) = tinybrain.downsample_segmentation(labels, (2, 2, 1))
        assert np.array_equal(modes_of(pack_labels(labels, block), block, labels), expected)


def test_two_indices_that_stand_for_one_label_count_as_one_in_modes() -> None:
    labels = np.zeros((4, 2, 1), np.uint32, order="F")
    labels[:, :, 0] = [[1, 3], [2, 3], [1, 2], [3, 2]]
    words = pack_labels(labels, (4, 2, 1)).copy()
    table = np.flatnonzero(words == 2)[-1]
    words[table] = 1
    same = np.where(labels == 2, 1, labels).astype(np.uint32)
    assert np.array_equal(unpacked(words, (4, 2, 1), labels), same)
    assert modes_of(words, (4, 2, 1), labels)[:, 0, 0].tolist() == [1, 1]


@pytest.mark.parametrize(("block", "shape"), [((8, 7, 8), (8, 14, 8)), ((8, 8, 8), (9, 8, 8)), ((8, 8, 8), (8, 15, 8))])
def test_modes_are_not_taken_where_a_cell_lies_in_two_blocks_or_is_cut_off(block: Vec, shape: Vec) -> None:
    assert not can_take_modes(block, shape)
