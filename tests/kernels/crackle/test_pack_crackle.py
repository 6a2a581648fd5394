"""crackle data against those of its own library, byte by byte."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from kernels.crackle.cells import labels_of_cells
from kernels.packing import pack_in_threads
from layers.make import Array
from real_volumes import real_cortex

from teravox.kernels.crackle.pack import SLAB, pack_crackle


def by_library(labels: Array) -> bytes:
    import crackle

    return bytes(crackle.compress(np.asfortranarray(labels), parallel=1))


@settings(max_examples=150, deadline=None)
@given(labels_of_cells())
def test_the_bytes_are_those_of_the_library(labels: Array) -> None:
    assert pack_crackle(labels) == by_library(labels)


@pytest.mark.parametrize("count", [1, 3, 1 << 16])
def test_more_voxels_than_are_worked_on_at_once_are_packed(count: int) -> None:
    labels = np.random.default_rng(0).integers(0, count, (150, 301, 6), np.uint32).repeat(2, 0)
    assert labels[..., :3].size > SLAB
    assert pack_crackle(labels) == by_library(labels)


def test_a_plane_wider_than_its_numbers_of_one_byte_is_packed() -> None:
    labels = np.zeros((300, 260, 1), np.uint16)
    labels[20:290, 30:255] = 5
    labels[280:, 250:] = 6
    assert pack_crackle(labels) == by_library(labels)


def test_regions_that_meet_later_have_one_label() -> None:
    comb = np.ones((140, 30, 2), np.uint32)
    comb[::4, :-3] = 2
    comb[2::8, 3:] = 3
    assert pack_crackle(comb) == by_library(comb)


def test_parts_of_arrays_and_other_orders_of_memory_are_packed() -> None:
    labels = np.random.default_rng(0).integers(0, 3, (20, 21, 22), np.uint64).repeat(2, 0)
    labels.flags.writeable = False
    for part in (labels[3:, :-2, 1::2], labels.T, np.asfortranarray(labels)):
        assert pack_crackle(part) == by_library(part)


def test_labels_are_packed_in_several_threads_at_once() -> None:
    packed = pack_in_threads(pack_crackle)
    assert [made for _, made in packed] == [{by_library(array)} for array, _ in packed]


def test_labels_of_cortex_are_packed_as_by_the_library() -> None:
    labels = real_cortex()[:256, 100:300, 200:264]
    assert pack_crackle(labels) == by_library(labels)
