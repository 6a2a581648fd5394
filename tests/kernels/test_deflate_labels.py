from __future__ import annotations

import gzip
import zlib

import deflate
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.deflate.labels import gzip_labels

Labels = NDArray[np.uint32]


def cells(shape: tuple[int, int, int], seed: int, values: int, step: int) -> Labels:
    """Boxes of random labels, with some noise where two of them meet."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, values, [n // step + 2 for n in shape], np.uint32) * np.uint32(2654435761)
    x, y, z = (np.arange(n) + random.integers(0, 2, n) for n in shape)
    return np.asfortranarray(coarse[np.ix_(x // step, y // step, z // step)])


def plain(packed: bytes) -> bytes:
    """By zlib, which looks at the sums too and whether anything follows; libdeflate must agree."""
    inflater = zlib.decompressobj(wbits=31)
    data = inflater.decompress(packed)
    assert inflater.eof
    assert not inflater.unused_data
    assert bytes(deflate.gzip_decompress(packed)) == data
    return data


@settings(deadline=None, max_examples=80)
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 40), st.integers(1, 12)),
    st.integers(0, 99),
    st.sampled_from([1, 2, 5, 2**31]),
    st.sampled_from([1, 3, 11, 60]),
)
def test_labels_come_back_as_they_were(shape: tuple[int, int, int], seed: int, values: int, step: int) -> None:
    labels = cells(shape, seed, values, step)[..., np.newaxis]
    assert plain(gzip_labels(labels)) == labels.tobytes("F")


@pytest.mark.parametrize("size", [(1, 1, 1), (64, 64, 64), (64, 64, 65), (200, 100, 20)])
def test_chunks_of_any_size_come_back(size: tuple[int, int, int]) -> None:
    """Also those of several blocks, and those whose next plane lies beyond reach."""
    noise = np.random.default_rng(0).integers(0, 2**32, size, np.uint32)
    for labels in (cells(size, 1, 30, 9), noise, np.full(size, 7, np.uint32), noise // np.uint32(2**31)):
        assert plain(gzip_labels(labels[..., np.newaxis])) == labels.tobytes("F")


def test_a_part_of_a_larger_array_and_several_channels_come_back() -> None:
    labels = np.stack([cells((40, 30, 20), seed, 9, 5) for seed in (1, 2)], axis=3)
    part = labels[3:20, 4:9, 5:]
    assert plain(gzip_labels(part)) == part.tobytes("F")


def test_labels_become_smaller_than_by_a_quick_search() -> None:
    x, y, z = np.indices((64, 64, 64)) / 9.0
    wavy = (np.sin(x + np.sin(y)) + np.sin(y + np.cos(z)) + np.sin(z + x)) * 6
    labels = np.asfortranarray(np.floor(wavy).astype(np.int64) + 77_000).astype(np.uint32, order="F")
    assert len(gzip_labels(labels[..., np.newaxis])) < 0.9 * len(gzip.compress(labels.tobytes("F"), 1))
