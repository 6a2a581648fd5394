"""`image downsample` needs no more memory than it says, measured in a process of its own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import Array, Vec
from memory_alone import measure_memory

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box, Grid
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.tasks.image.downsample import Downsample

SIZE = (512, 512, 256)
ON_THE_WAY = 80_000_000  # bytes of chunks of 64 x 64 x 64, at most, in eight threads


def noise(size: Vec, dtype: str) -> Array:
    """What no codec makes smaller."""
    random = np.random.default_rng(0)
    if dtype == "float32":
        return np.asfortranarray(random.normal(0, 1, (*size, 1)).astype(dtype))
    return np.asfortranarray(np.frombuffer(random.bytes(math.prod(size) * np.dtype(dtype).itemsize), dtype)).reshape(
        (*size, 1), order="F"
    )


def noisy_layer(folder: Path, size: Vec, dtype: str, type: str, encoding: str) -> Layer:
    bounds = Box((0, 0, 0), size)
    scale = new_scale(bounds=bounds, resolution=(4, 4, 40), chunk=(64, 64, 64), encoding=encoding_words(encoding))
    layer = create_layer(str(folder), new_info(type=type, data_type=dtype, channels=1, scales=[scale]))
    x, y, z = map(min, (256, 256, 64), size)
    block = noise((x, y, z), dtype)
    for box in Grid(bounds, (x, y, z)):
        layer.write(box, 0, block, compress=None)
    return layer


def measured(job: Downsample, folder: Path, type: str, encoding: str) -> tuple[int, int]:
    """The peak of a process that runs the job's first piece, and what of it is not the libraries that such a job loads."""
    dtype = Layer.open(job.layer).dtype.name
    warm = msgspec.structs.replace(
        job, layer=noisy_layer(folder, (64, 64, 64), dtype, type, encoding).url, num_mips=1, shape=None
    )
    warm.prepare()
    return measure_memory(job, warm=warm)


CASES = [
    ("uint8", "raw", "image", {}, 1),
    ("float32", "raw", "image", {"factor": (2, 2, 2)}, 2),
    ("uint64", "raw", "image", {}, 2),
    ("uint64", "raw", "segmentation", {"sparse": True}, 2),
    ("uint64", "compressed_segmentation", "segmentation", {}, 2),
    ("uint8", "raw", "image", {"sharded": True, "factor": (2, 1, 1)}, 4),
    ("uint64", "raw", "segmentation", {"sharded": True, "compress": "none"}, 2),
    ("uint64", "compressed_segmentation", "segmentation", {"sharded": True}, 3),
]


@pytest.mark.parametrize(("dtype", "encoding", "type", "options", "times"), CASES)
def test_a_piece_needs_no_more_memory_than_it_says(
    tmp_path: Path, dtype: str, encoding: str, type: str, options: dict[str, Any], times: int
) -> None:
    size = SIZE if dtype == "uint8" else (256, 256, 256)
    layer = noisy_layer(tmp_path / "layer", size, dtype, type, encoding)
    job = Downsample(layer.url, num_mips=2, shape=size, **options)
    job.prepare()
    (piece,) = job.pieces()
    promised = job.memory(piece)
    peak, own = measured(job, tmp_path / "warm", type, encoding)
    assert peak <= promised
    assert own <= promised - LIBRARIES
    assert promised <= LIBRARIES + ON_THE_WAY + times * layer.bounds(0).voxels * layer.dtype.itemsize


def test_little_memory_makes_small_shards_that_are_kept_to(tmp_path: Path) -> None:
    layer = noisy_layer(tmp_path / "layer", SIZE, "uint8", "image", "raw")
    large, small = (
        Downsample(layer.url, num_mips=1, factor=(2, 1, 1), sharded=True, memory_limit=limit)
        for limit in (10**9, LIBRARIES + 50_000_000)
    )
    of_large = math.prod(large._plan().target.unit(1))
    small.prepare()
    assert max(map(small.memory, small.pieces())) <= small.memory_limit
    assert math.prod(Layer.open(layer.url).unit(1)) < of_large
    assert list(large.pieces()) != []  # the shards that are there now serve it too
    assert measured(small, tmp_path / "warm", "image", "raw")[0] <= small.memory_limit
