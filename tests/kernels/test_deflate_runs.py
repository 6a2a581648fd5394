from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.deflate.code_lengths import LONGEST, find_lengths
from teravox.kernels.deflate.runs import pack

Bytes = NDArray[np.uint8]


def unpacked(data: Bytes) -> bytes:
    """By zlib, which also looks whether anything follows."""
    inflater = zlib.decompressobj()
    plain = inflater.decompress(pack(data).tobytes() + zlib.adler32(data.data).to_bytes(4, "big"))
    assert inflater.eof
    assert not inflater.unused_data
    return plain


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 1200), st.sampled_from([1, 2, 5, 256])), min_size=1, max_size=8),
    st.integers(0, 99),
)
def test_bytes_come_back_as_they_were(parts: list[tuple[int, int]], seed: int) -> None:
    """Parts of one value, of few and of all."""
    random = np.random.default_rng(seed)
    data = np.concatenate(
        [(random.integers(0, values, size) + random.integers(0, 256)).astype(np.uint8) for size, values in parts]
    )
    assert unpacked(data) == data.tobytes()


@pytest.mark.parametrize("size", [1, 7, 8, 9, (1 << 17) - 1, 1 << 17, (1 << 17) + 9, 300_001])
def test_any_number_of_bytes_comes_back(size: int) -> None:
    noise = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    few: Bytes = noise // np.uint8(128)
    for data in (noise, few, np.full(size, 255, np.uint8)):
        assert unpacked(data) == data.tobytes()


def test_bytes_that_are_ever_rarer_come_back() -> None:
    """Whose best code has more bits than deflate allows."""
    data = np.repeat(np.arange(24, dtype=np.uint8), np.maximum(1, 0.6 ** np.arange(24) * 50_000).astype(int))
    np.random.default_rng(0).shuffle(data)
    assert unpacked(data) == data.tobytes()
    counts = np.zeros(286, np.int64)
    counts[:30] = 2 ** np.arange(30)
    lengths = np.empty(286, np.uint8)
    find_lengths(counts, lengths)
    assert lengths[:30].min() == 1
    assert lengths.max() <= LONGEST
    assert (0.5 ** lengths[:30]).sum() == 1
    assert not lengths[30:].any()


def test_noise_takes_as_few_bytes_as_a_search_makes_of_it() -> None:
    noise = np.random.default_rng(0).normal(0, 9, 200_000).astype(np.int8).view(np.uint8)
    assert pack(noise).size <= len(zlib.compress(noise.data, 9))


def test_one_byte_again_and_again_takes_hardly_any() -> None:
    assert pack(np.zeros(1 << 20, np.uint8)).size < 6000
