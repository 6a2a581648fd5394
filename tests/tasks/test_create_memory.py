"""What a piece of `create` takes, measured in a process of its own, against what it promises; also of 100-GB files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types
import numpy as np
import pytest
from memory_alone import measure_memory
from sources import write

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.layer import Layer
from teravox.tasks.create import Create

NM = (4.0, 4.0, 40.0)
SIZE = (512, 512, 1024)  # of what is read as one: much more than the libraries take
HUGE = (8000, 5000, 2500)


def sparse_npy(folder: Path, size: Vec) -> Path:
    """Zeros that take no place on the disk."""
    path = folder / "big.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"shape": size[::-1], "fortran_order": False, "descr": "|u1"})
        begin = file.tell()
    os.truncate(path, begin + size[0] * size[1] * size[2])
    return path


def sparse_hdf5(folder: Path, size: Vec) -> Path:
    with h5py.File(folder / "big.h5", "w") as file:
        file.create_dataset("raw", shape=size[::-1], chunks=(64, 256, 256), dtype="u1")
    return folder / "big.h5"


def sparse_zarr(folder: Path, size: Vec) -> Path:
    import zarr

    zarr.create_array(folder / "big.zarr", shape=size[::-1], chunks=(64, 128, 128), dtype="u1")
    return folder / "big.zarr"


def packed_tiff(folder: Path, size: Vec) -> Path:
    return write.tiff_packed(folder, np.zeros(size, np.uint8, order="F"))


def packed_nifti(folder: Path, size: Vec) -> Path:
    return write.nifti_gz(folder, np.zeros(size, np.uint8, order="F"))


def wide_slices(folder: Path, size: Vec) -> Path:
    return write.slices(folder, np.zeros((size[0] * 4, size[1] * 4, size[2] // 16), np.uint8, order="F"))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (sparse_npy, {"shape": SIZE}),
        (sparse_npy, {"shape": SIZE, "axes": "xyz"}),
        (sparse_npy, {"sharded": True, "memory_limit": 800_000_000}),
        (sparse_hdf5, {"shape": SIZE}),
        (sparse_zarr, {"shape": SIZE}),
        (packed_tiff, {"shape": SIZE}),
        (packed_nifti, {"shape": SIZE}),
        (wide_slices, {"shape": (2048, 2048, 64)}),
    ],
)
def test_a_piece_needs_no_more_memory_than_it_says(
    tmp_path: Path, make: Callable[[Path, Vec], Path], options: dict[str, Any]
) -> None:
    src = make(tmp_path, SIZE)
    if options.get("axes"):
        options = options | {"shape": (SIZE[2], SIZE[1], SIZE[0])}
    job = Create(str(src), str(tmp_path / "out"), resolution=NM, chunk_size=(64, 64, 64), **options)
    job.prepare()
    piece = job.pieces()[0]
    promised = job.memory(piece)

    assert measure_memory(job).peak <= promised <= job.memory_limit
    assert promised < piece.voxels + 630_000_000


def mark_npy(folder: Path, at: Vec) -> Path:
    """100 GB of zeros, but for a few voxels."""
    path = sparse_npy(folder, HUGE)
    begin = path.stat().st_size - HUGE[0] * HUGE[1] * HUGE[2]
    with path.open("r+b") as file:
        file.seek(begin + (at[2] * HUGE[1] + at[1]) * HUGE[0] + at[0])
        file.write(b"\x01\x02\x03")
    return path


def mark_hdf5(folder: Path, at: Vec) -> Path:
    path = sparse_hdf5(folder, HUGE)
    with h5py.File(path, "r+") as file:
        file["raw"][at[2], at[1], at[0] : at[0] + 3] = [1, 2, 3]
    return path


@pytest.mark.parametrize("mark", [mark_npy, mark_hdf5])
def test_a_hundred_gigabytes_are_read_in_small_parts(tmp_path: Path, mark: Callable[[Path, Vec], Path]) -> None:
    x, y, z = 4000, 600, 1300
    src = mark(tmp_path, (x, y, z))
    job = Create(
        str(src),
        str(tmp_path / "out"),
        resolution=NM,
        memory_limit=400_000_000,
        compress="none",
        chunk_size=(64, 64, 32),
    )
    job.prepare()
    pieces = job.pieces()
    around = Box((x - 1, y, z), (x + 4, y + 1, z + 1))
    (inside,) = (at for at, piece in enumerate(pieces) if piece.intersect(around) == around)

    assert len(pieces) > 400
    assert measure_memory(job, inside).peak <= job.memory(pieces[inside]) <= 400_000_000
    assert Layer.open(str(tmp_path / "out")).read(around, 0).ravel().tolist() == [0, 1, 2, 3, 0]
