"""What unpacks to more than it may, whatever it says of itself."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

import pytest
import zstandard

from teravox.pipeline.storage.compression import compress, compress_parts, decompress
from teravox.pipeline.store import Compression

HOW: list[Compression] = list(get_args(Compression))
MOST = 1_000_000
BOMB = bytes(200 * MOST)


@contextmanager
def little_memory() -> Iterator[None]:
    """No more Python memory than a few of those objects that are allowed."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * MOST


@pytest.fixture(scope="module", params=HOW)
def bomb(request: pytest.FixtureRequest) -> tuple[bytes, Compression]:
    how: Compression = request.param
    return bytes(compress(BOMB, how)), how


def test_what_unpacks_to_too_much_is_refused_before_it_fills_the_memory(bomb: tuple[bytes, Compression]) -> None:
    data, how = bomb
    assert len(data) < MOST
    with little_memory(), pytest.raises(ValueError, match="more than the 1,000,000 bytes that it may have"):
        decompress(data, how, MOST)


@pytest.mark.parametrize("how", [*HOW, None])
def test_what_is_packed_in_parts_unpacks_to_the_whole(how: Compression | None) -> None:
    parts = [os.urandom(1000), b"", bytes(99_000), b"end"]
    packed = b"".join(compress_parts(parts, how))
    assert packed == b"".join(compress_parts(parts, how))
    assert decompress(packed, how) == b"".join(parts)


@pytest.mark.parametrize("how", HOW)
def test_what_unpacks_to_just_enough_is_read(how: Compression) -> None:
    data = os.urandom(1000) + bytes(99_000)
    packed = bytes(compress(data, how))
    assert decompress(packed, how, 100_000) == data
    with pytest.raises(ValueError, match="more than the 99,999 bytes"):
        decompress(packed, how, 99_999)


@pytest.mark.parametrize("how", HOW)
def test_what_is_cut_off_is_refused_with_a_limit_too(how: Compression) -> None:
    packed = bytes(compress(os.urandom(1000) + bytes(99_000), how))
    for size in (1, 5, len(packed) // 2, len(packed) - 1):
        with pytest.raises(ValueError, match=f"no whole {how} object"):
            decompress(packed[:size], how, MOST)


@pytest.mark.parametrize("said", [0, 1000, MOST, 4_000_000_000])
def test_gzip_that_lies_about_its_size_takes_no_memory_for_it(said: int) -> None:
    packed = gzip.compress(BOMB)[:-4] + struct.pack("<I", said)
    with little_memory(), pytest.raises(ValueError, match="more than the 1,000,000"):
        decompress(packed, "gzip", MOST)


def test_small_gzip_that_says_it_is_huge_takes_no_memory_for_it() -> None:
    packed = gzip.compress(b"small")[:-4] + struct.pack("<I", 4_000_000_000)
    with little_memory(), pytest.raises(ValueError, match="no whole gzip object"):
        decompress(packed, "gzip")


def test_equal_gzip_members_in_a_row_are_read_each() -> None:
    assert decompress(gzip.compress(b"abc") * 3, "gzip") == b"abc" * 3


@pytest.mark.parametrize("tail", [b"x", b"garbage!", b"\x1f\x8b\x08", bytes(3)])
def test_gzip_with_something_behind_it_is_refused(tail: bytes) -> None:
    with pytest.raises(ValueError, match="no whole gzip object"):
        decompress(gzip.compress(b"abc" * 1000) + tail, "gzip")


def test_gzip_members_in_a_row_count_together() -> None:
    packed = b"".join(gzip.compress(bytes(600_000)) for _ in range(2))
    assert decompress(packed, "gzip", 1_200_000) == bytes(1_200_000)
    with pytest.raises(ValueError, match="more than the 1,000,000"):
        decompress(packed, "gzip", MOST)


def test_a_zstd_stream_that_does_not_say_its_size_is_refused_on_the_way() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    packed = stream.compress(BOMB) + stream.flush()
    with little_memory(), pytest.raises(ValueError, match="more than the 1,000,000"):
        decompress(packed, "zstd", MOST)


def test_what_is_not_compressed_is_measured_too() -> None:
    assert decompress(b"x" * 10, None, 10) == b"x" * 10
    with pytest.raises(ValueError, match="more than the 9 bytes"):
        decompress(b"x" * 10, None, 9)
