"""What is read of crackle data: all labels, or nothing where a byte is not as it was written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.crackle.cells import labels_of_cells
from layers.make import Array, voxels

from teravox.kernels.crackle.header import Header
from teravox.kernels.crackle.unpack import look_into, unpack_labels
from teravox.kernels.downsample import downsample
from teravox.pipeline.layers.codecs.crackle import check_crackle, decode_crackle, decode_crackle_modes


def by_library(labels: Array, **how: Any) -> bytes:  # of any type
    import crackle

    return bytes(crackle.compress(labels, parallel=1, **how))


def unpack(data: bytes, shape: tuple[int, int, int], itemsize: int) -> Array | None:
    """None where it is left to the library."""
    out = np.zeros(shape, np.uint64 if itemsize == 8 else np.uint32, order="F")
    header = Header.unpack(data)
    if header is None:
        return None
    assert (header.size, header.itemsize) == (shape, itemsize)
    unpack_labels(look_into(data, header, out.dtype), out)
    return out


def unpack_damaged(data: bytes, shape: tuple[int, int, int], itemsize: int) -> Array | None:
    """None where the damage is noticed."""
    try:
        return unpack(data, shape, itemsize)
    except ValueError:
        return None


@settings(max_examples=100, deadline=None)
@given(labels_of_cells())
def test_what_the_library_packs_is_unpacked(labels: Array) -> None:
    found = unpack(by_library(labels), labels.shape, labels.itemsize)
    assert found is not None
    assert np.array_equal(found, labels)


@settings(max_examples=60, deadline=None)
@given(labels_of_cells((70, 20, 3)))
def test_modes_are_those_of_the_voxels(labels: Array) -> None:
    labels = labels[: labels.shape[0] // 2 * 2, : labels.shape[1] // 2 * 2]
    if not labels.size:
        return
    (expected,) = downsample(labels[..., np.newaxis], (2, 2, 1), 1, "mode")
    large = np.zeros((expected.shape[0] + 3, expected.shape[1] + 2, expected.shape[2] + 1, 1), labels.dtype, order="F")
    part = large[2:-1, 1:-1, :-1]
    if decode_crackle_modes(by_library(labels), (*labels.shape, 1), labels.dtype, part):
        assert np.array_equal(part, expected)
        part[...] = 0
    else:
        assert labels.itemsize < 4
    assert not large.any()


@pytest.mark.parametrize("how", [{"markov_model_order": 3}, {"allow_pins": 1}])
def test_what_is_packed_in_rare_ways_is_left_to_the_library(how: dict[str, int]) -> None:
    labels = voxels((30, 21, 5), "uint32", labels=9)
    data = by_library(labels[..., 0], **how)
    assert unpack(data, (30, 21, 5), 4) is None
    assert np.array_equal(decode_crackle(data, labels.shape, labels.dtype), labels)


def broken_at(data: bytes, at: int, bit: int) -> bytes:
    broken = bytearray(data)
    broken[at] ^= 1 << bit
    return bytes(broken)


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.data())
def test_a_flipped_bit_is_noticed_or_means_nothing(is_noise: bool, data: st.DataObject) -> None:
    """Behind the last step of a plane, some bits of its last byte mean nothing; so do some bits of the header."""
    labels = np.random.default_rng(0).integers(0, 40, (9, 8, 3), np.uint32)
    labels = np.asfortranarray(labels if is_noise else labels.repeat(3, 0).repeat(3, 1))
    packed = by_library(labels)
    broken = broken_at(packed, data.draw(st.integers(0, len(packed) - 1)), data.draw(st.integers(0, 7)))
    found = unpack_damaged(broken, labels.shape, 4)
    assert found is None or np.array_equal(found, labels)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=60), st.data())
def test_steps_of_any_bytes_stay_within_the_plane(steps: bytes, data: st.DataObject) -> None:
    """The steps are what the planes' sums are for, and have none of their own."""
    labels = np.asfortranarray(np.random.default_rng(0).integers(0, 9, (7, 5, 2), np.uint32).repeat(3, 0))
    packed = by_library(labels)
    begin = len(packed) - 4 * (labels.shape[2] + 1) - data.draw(st.integers(len(steps), 120))
    broken = packed[:begin] + steps + packed[begin + len(steps) :]
    found = unpack_damaged(broken, labels.shape, 4)
    assert found is None or np.array_equal(found, labels)


def test_data_that_end_too_early_are_not_unpacked() -> None:
    labels = np.asfortranarray(np.random.default_rng(0).integers(0, 9, (7, 5, 2), np.uint64))
    packed = by_library(labels)
    assert unpack(packed, labels.shape, 8) is not None
    for length in range(len(packed)):
        assert unpack_damaged(packed[:length], labels.shape, 8) is None
    with pytest.raises(ValueError, match=f"it has {len(packed) + 1} bytes where {len(packed)} are expected"):
        unpack(packed + b"\0", labels.shape, 8)


def test_damaged_labels_are_refused() -> None:
    labels = np.asfortranarray(np.random.default_rng(0).integers(0, 9, (7, 5, 2, 1), np.uint32))
    packed = by_library(labels[..., 0])
    header = Header.unpack(packed)
    assert header is not None
    begin = header.length + 4 * (labels.shape[2] + 1)
    for at in range(begin, begin + header.label_bytes):
        with pytest.raises(ValueError, match="the check sum of its labels is wrong"):
            decode_crackle(broken_at(packed, at, 0), labels.shape, labels.dtype)


def test_the_plane_that_is_damaged_is_named() -> None:
    labels = np.asfortranarray(np.random.default_rng(0).integers(0, 9, (7, 5, 4, 1), np.uint32))
    packed = by_library(labels[..., 0])
    for plane in range(4):
        with pytest.raises(ValueError, match=f"its plane {plane} is broken, or the check sum of that is"):
            decode_crackle(broken_at(packed, len(packed) - 4 * (4 - plane), 5), labels.shape, labels.dtype)


@pytest.mark.parametrize("how", [{}, {"allow_pins": 1}])
def test_data_whose_labels_are_damaged_are_not_copied(how: dict[str, int]) -> None:
    labels = voxels((30, 21, 5), "uint32", labels=9)
    packed = by_library(labels[..., 0], **how)
    check_crackle(packed, labels.shape, labels.dtype)
    with pytest.raises(ValueError, match="the check sum of its labels is wrong"):
        check_crackle(broken_at(packed, 29 + 4 * 6 + 20, 0), labels.shape, labels.dtype)
