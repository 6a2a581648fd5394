"""`image downsample` needs no more memory than it says, measured in a process of its own."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.make import Array, Vec

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.tasks.image.downsample import Downsample

SIZE = (512, 512, 256)
LIBRARIES = 250_000_000  # what a case may promise beside what it is about

RUN_ALONE = """
import sys, msgspec
from pathlib import Path
from teravox.tasks.image.downsample import Downsample
job = msgspec.json.decode(sys.argv[1], type=Downsample)
job.run(job.pieces()[0])
status = Path("/proc/self/status").read_text()  # ru_maxrss would tell of the parent, too
print(int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


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
    block = noise((256, 256, 64), dtype)
    for box in Grid(bounds, (256, 256, 64)):
        layer.write(box, 0, block, compress=None)
    return layer


def measured(job: Downsample) -> int:
    """The peak of a process that runs the job's first piece and nothing else."""
    ran = subprocess.run(
        [sys.executable, "-c", RUN_ALONE, msgspec.json.encode(job).decode()], capture_output=True, text=True, check=True
    )
    return int(ran.stdout)


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
    layer = noisy_layer(tmp_path, size, dtype, type, encoding)
    job = Downsample(layer.url, num_mips=2, shape=size, **options)
    job.prepare()
    (piece,) = job.pieces()
    promised = job.memory(piece)
    assert measured(job) <= promised
    assert promised <= LIBRARIES + times * layer.bounds(0).voxels * layer.dtype.itemsize


def test_little_memory_makes_small_shards_that_are_kept_to(tmp_path: Path) -> None:
    layer = noisy_layer(tmp_path, SIZE, "uint8", "image", "raw")
    large, small = (
        Downsample(layer.url, num_mips=1, factor=(2, 1, 1), sharded=True, memory_limit=limit)
        for limit in (10**9, 250_000_000)
    )
    of_large = math.prod(large._plan().target.unit(1))
    small.prepare()
    assert max(map(small.memory, small.pieces())) <= small.memory_limit
    assert math.prod(Layer.open(layer.url).unit(1)) < of_large
    assert list(large.pieces()) != []  # the shards that are there now serve it too
    assert measured(small) <= small.memory_limit
