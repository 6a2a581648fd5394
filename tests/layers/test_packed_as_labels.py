"""Raw labels whose chunks gzip packs by the repetitions of labels."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.make import chunks, make_layer, read_layer, voxels

from teravox.pipeline.layers import encoding
from teravox.pipeline.layers.layer import Layer

SHARDS = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 0,
    "hash": "identity",
    "minishard_bits": 6,
    "shard_bits": 0,
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}


def open_layer(folder: Path, dtype: str = "uint32", sharding: dict[str, Any] | None = None) -> Layer:
    path = make_layer(folder, voxels((20, 19, 18), dtype, labels=9), type="segmentation", compress="br")

    def change(raw: dict[str, Any]) -> dict[str, Any]:
        return raw | {"scales": [raw["scales"][0] | {"key": "new", "sharding": sharding}]}

    return Layer.open(path).change_info(change)


@pytest.mark.parametrize("sharding", [None, SHARDS])
def test_large_layers_read_as_cloudvolume_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sharding: dict[str, Any] | None
) -> None:
    layer = open_layer(tmp_path, sharding=sharding)
    array = voxels((20, 19, 18), "uint32", labels=9, seed=1)
    layer.write(layer.bounds(0), 0, array)
    usual = chunks(str(tmp_path))
    monkeypatch.setattr(encoding, "LARGE", 1)
    layer.write(layer.bounds(0), 0, array)
    packed = chunks(str(tmp_path))
    assert packed.keys() == usual.keys()
    assert packed != usual
    assert np.array_equal(read_layer(str(tmp_path), 0), array)
    assert np.array_equal(layer.read(layer.bounds(0), 0), array)
    layer.write(layer.bounds(0), 0, array)
    assert chunks(str(tmp_path)) == packed


@pytest.mark.parametrize(("dtype", "level"), [("uint32", 7), ("uint64", None)])
def test_a_level_that_was_asked_for_and_other_labels_go_the_usual_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str, level: int | None
) -> None:
    layer = open_layer(tmp_path, dtype)
    array = voxels((20, 19, 18), dtype, labels=9, seed=1)
    layer.write(layer.bounds(0), 0, array, level=7)
    usual = chunks(str(tmp_path))
    monkeypatch.setattr(encoding, "LARGE", 1)
    layer.write(layer.bounds(0), 0, array, level=level)
    assert chunks(str(tmp_path)) == usual
    assert gzip.decompress(usual["new/0-8_0-8_0-8.gz"]) == array[:8, :8, :8].tobytes("F")
