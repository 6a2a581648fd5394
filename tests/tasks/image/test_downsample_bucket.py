"""`image downsample` in a bucket of a real S3 server."""

from __future__ import annotations

from pathlib import Path

import pytest
from layers.make import files_of, make_layer, voxels

from teravox.pipeline.box import Box
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.open import open_store
from teravox.tasks.image.downsample import Downsample


@pytest.mark.server
def test_a_bucket_gets_the_same_bytes_as_a_folder(tmp_path: Path, layer_in_bucket: str) -> None:
    path = make_layer(tmp_path, voxels((40, 40, 9), "uint8"), offset=(3, 5, 1))
    folder, store = open_store(path), open_store(layer_in_bucket)
    for key in folder.list():
        data = folder.get(key)
        assert data is not None
        store.put(key, data, compress="gzip" if "/" in key else None)
    for layer in (path, layer_in_bucket):
        job = Downsample(layer, num_mips=2)
        job.prepare()
        for piece in job.pieces():
            job.run(piece)
        job.finish()
    assert set(store.list()) == set(folder.list())
    chunks = [key for key in folder.list() if "/" in key]
    assert len(chunks) > 50
    assert store.get_many(chunks) == folder.get_many(chunks)
    assert b"image downsample" in (files_of(path)["provenance"] or b"")


@pytest.mark.server
def test_an_info_that_others_changed_is_seen_when_it_must_be_fresh(layer_in_bucket: str) -> None:
    info = (
        b'{"type":"image","data_type":"uint8","num_channels":1,"scales":[{"key":"s","size":[8,8,%d],'
        b'"chunk_sizes":[[8,8,8]],"resolution":[1,1,1],"encoding":"raw"}]}'
    )
    open_store(layer_in_bucket).put("info", info % 8)
    assert Layer.open(layer_in_bucket).bounds(0) == Box((0, 0, 0), (8, 8, 8))
    open_store(layer_in_bucket).put("info", info % 9)
    assert Layer.open(layer_in_bucket).bounds(0).size[2] == 8  # as it was some seconds ago
    assert Layer.open(layer_in_bucket, fresh=True).bounds(0).size[2] == 9
    assert Layer.open(layer_in_bucket).bounds(0).size[2] == 9
