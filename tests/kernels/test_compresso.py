"""compresso data against those of its own library, byte by byte."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels.packing import pack_in_threads
from layers.make import Array, Vec

from teravox.kernels.compresso import pack_compresso


def by_library(labels: Array) -> bytes:
    import compresso

    return bytes(compresso.compress(np.require(labels, None, ["F", "W"])))


@settings(max_examples=100, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 26)] * 3),
    dtype=st.sampled_from(["uint8", "uint16", "uint32", "uint64"]),
    block=st.integers(1, 5),
    labels=st.sampled_from([1, 2, 3, 6, 200]),
    is_high=st.booleans(),
    seed=st.integers(0, 1 << 32),
)
def test_the_bytes_are_those_of_the_library(
    size: Vec, dtype: str, block: int, labels: int, is_high: bool, seed: int
) -> None:
    coarse = np.random.default_rng(seed).integers(0, labels, [-(-n // block) for n in size]).astype(dtype)
    array = coarse.repeat(block, 0).repeat(block, 1).repeat(block, 2)[: size[0], : size[1], : size[2]]
    if is_high:  # labels that cannot be told from the words of the format
        array = np.iinfo(dtype).max - array
    assert pack_compresso(array) == by_library(array)


def test_regions_that_meet_later_are_one() -> None:
    comb = np.ones((40, 30, 2), np.uint32)
    comb[::4, :-3] = 2
    comb[2::8, 3:] = 3
    assert pack_compresso(comb) == by_library(comb)


def test_long_runs_without_edges_are_cut() -> None:
    plain = np.full((400, 400, 8), 5, np.uint16)
    plain[399, 399, 7] = 6
    assert pack_compresso(plain) == by_library(plain)


def test_more_patterns_than_can_be_numbered_are_told() -> None:
    noise = np.random.default_rng(0).integers(0, 2, (512, 512, 60), np.uint8)
    assert pack_compresso(noise) is None


def test_parts_and_other_orders_of_memory_are_packed() -> None:
    array = np.random.default_rng(0).integers(0, 3, (20, 21, 22), np.uint32).repeat(2, 0)
    array.flags.writeable = False
    for part in (array[3:, :-2, 1::2], array.T, np.asfortranarray(array)):
        assert pack_compresso(part) == by_library(part)


def test_threads_do_not_disturb_each_other() -> None:
    packed = pack_in_threads(pack_compresso)
    assert [made for _, made in packed] == [{by_library(array)} for array, _ in packed]


def test_a_real_segmentation_has_the_bytes_of_the_library() -> None:
    file = Path(os.environ.get("TERAVOX_DATA", ""), "pinky40", "connectomics.npy.ckl.gz")
    if not file.is_file():
        pytest.skip("TERAVOX_DATA names no folder with pinky40")
    import crackle

    labels = crackle.decompress(gzip.decompress(file.read_bytes()))[:256, 100:300, 200:264]
    assert pack_compresso(labels) == by_library(labels)
