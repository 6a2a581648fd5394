"""`image transfer` needs no more memory than it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.copies import do, with_memory
from layers.make import make_layer, voxels
from memory_alone import measure_memory

from teravox.pipeline.base_memory import LIBRARIES
from teravox.tasks.image.transfer import Transfer


@pytest.mark.parametrize(
    ("dtype", "encoding", "options"),
    [
        ("uint8", "raw", {"compress": "none"}),
        ("uint64", "raw", {"sharded": True, "compress": "none"}),
        ("uint8", "raw", {"sharded": True, "compress": "none", "num_mips": 2}),
        ("float32", "raw", {"chunk_size": (40, 40, 40), "num_mips": 1, "compress": "none"}),
        ("uint64", "compressed_segmentation", {"encoding": "crackle", "sharded": True}),
        ("uint32", "raw", {"chunk_size": (128, 128, 32), "encoding": "compresso"}),
    ],
)
@pytest.mark.parametrize("from_shards", [False, True])
def test_a_piece_needs_no_more_memory_than_it_says(
    tmp_path: Path, dtype: str, encoding: str, options: dict[str, Any], from_shards: bool
) -> None:
    block = voxels((64, 64, 64), dtype, labels=None if dtype in ("uint8", "float32") else 200)
    jobs = []
    for times, share in (((1, 1, 1), 0), ((4, 4, 3), 1 if dtype == "uint64" else 0.6)):
        folder = tmp_path / str(share)
        array = np.asfortranarray(np.tile(block, (*times, 1)))
        type = "segmentation" if dtype in ("uint32", "uint64") else "image"
        source = make_layer(folder / "source", array, chunk=(64, 64, 64), encoding=encoding, type=type, compress=False)
        if from_shards:
            do(Transfer(source, str(folder / "shards"), sharded=True, compress="none"))
            source = str(folder / "shards")
        jobs.append(with_memory(Transfer(source, str(folder / "dest"), **options), share))
        jobs[-1].prepare()
    job = jobs[1]
    promised = job.memory(job.pieces()[0])
    assert promised == max(map(job.memory, job.pieces())) <= job.memory_limit
    peak, growth = measure_memory(job, warm=jobs[0])
    assert peak <= promised
    assert growth <= promised - LIBRARIES
