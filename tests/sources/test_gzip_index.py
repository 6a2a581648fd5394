"""Files that are packed as a whole: any place in them is found, by an index that the job keeps beside its layer."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from layers.make import files_of, read_layer, voxels
from sources import write

from teravox.pipeline.sources import gzip_bytes
from teravox.pipeline.sources.gzip_bytes import GzipBytes
from teravox.tasks.create import INDICES, Create

SHAPE = (64, 64, 8)


def packed(folder: Path, size: int = 3_000_000, *, before: bytes = b"") -> tuple[Path, bytes]:
    plain = np.random.default_rng(0).integers(0, 8, size, np.uint8).tobytes()
    (folder / "a.gz").write_bytes(before + gzip.compress(plain))
    return folder / "a.gz", plain


@contextmanager
def opened(path: Path, size: int, begin: int = 0) -> Iterator[GzipBytes]:
    file = GzipBytes(str(path), begin=begin, size=size)
    try:
        yield file
    finally:
        file.close()


def fill(file: GzipBytes, start: int, size: int) -> bytes:
    buffer = bytearray(size)
    file.fill(memoryview(buffer), start)
    return bytes(buffer)


@pytest.mark.parametrize("before", [b"", b"a header of 20 bytes"])
def test_any_place_is_found_with_and_without_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes
) -> None:
    monkeypatch.setattr(gzip_bytes, "LEAST", 1 << 18)
    path, plain = packed(tmp_path, before=before)
    with opened(path, len(plain), len(before)) as file:
        index = file.make_index()
    for known in (None, index):
        with opened(path, len(plain), len(before)) as file:
            if known is not None:
                file.use_index(known)
            for start in (2_900_000, 0, 1_000_000, 1_000_001):
                assert fill(file, start, 5000) == plain[start : start + 5000]
    assert len(index) > 5 * gzip_bytes.WINDOW


def test_with_an_index_what_lies_before_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from teravox.pipeline.storage.tally import TALLY

    monkeypatch.setattr(gzip_bytes, "LEAST", 1 << 18)
    monkeypatch.setattr(gzip_bytes, "READ_BUFFER", 1 << 16)
    monkeypatch.setattr(gzip_bytes, "STREAM_BUFFER", 1 << 16)
    path, plain = packed(tmp_path)
    with opened(path, len(plain)) as file:
        index = file.make_index()
    with opened(path, len(plain)) as file:
        file.use_index(index)
        TALLY.begin("mem://nowhere")
        fill(file, 2_500_000, 1000)
    assert TALLY.end().bytes_in < path.stat().st_size / 3


def test_an_index_lasts_as_long_as_the_job(tmp_path: Path) -> None:
    array = voxels((64, 64, 40), "uint8")[..., 0]
    src = write.nifti_gz(tmp_path, array)
    job = Create(str(src), str(tmp_path / "out"), resolution=(1, 1, 1), chunk_size=(64, 64, 8), shape=SHAPE)
    job.prepare()
    (kept,) = (tmp_path / "out" / INDICES).parent.iterdir()
    before = kept.stat()
    job.prepare()
    assert kept.stat().st_mtime_ns == before.st_mtime_ns
    for piece in reversed(job.pieces()):
        job.run(piece)
    job.finish()
    assert not kept.parent.exists()
    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], array)
    made = files_of(str(tmp_path / "out"))
    job.run(job.pieces()[3])  # a late repeat finds its place without it
    assert files_of(str(tmp_path / "out")) == made


def test_few_pieces_need_no_index(tmp_path: Path) -> None:
    src = write.nifti_gz(tmp_path, voxels((64, 64, 16), "uint8")[..., 0])
    Create(str(src), str(tmp_path / "out"), resolution=(1, 1, 1), chunk_size=(64, 64, 8), shape=SHAPE).prepare()
    assert set(files_of(str(tmp_path / "out"))) == {"info"}


def test_a_changed_file_has_another_index(tmp_path: Path) -> None:
    path, plain = packed(tmp_path)
    names = set()
    for time in (1, 2):
        os.utime(path, ns=(time, time))
        with opened(path, len(plain)) as file:
            names.add(file.index_name())
    assert len(names) == 2
