"""`shard image`: a pyramid in shards, as CloudVolume and TensorStore read it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from layers.copies import do, info_of, read_by_tensorstore, with_memory
from layers.make import files_of, make_layer, read_layer, voxels

from teravox.cli.main import main
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.registry import Registry
from teravox.tasks.image.downsample import Downsample
from teravox.tasks.shard.image import Image


@pytest.mark.parametrize("share", [0, 0.1, 1])
@pytest.mark.parametrize(("dtype", "type", "encoding"), [
    ("uint8", "image", "png"), ("uint64", "segmentation", "compressed_segmentation"), ("int16", "image", "raw"),
])  # fmt: skip
def test_every_mip_is_put_into_shards(tmp_path: Path, dtype: str, type: str, encoding: str, share: float) -> None:
    array = voxels((41, 30, 9), dtype, labels=9)
    source = make_layer(tmp_path / "source", array, offset=(3, 5, 1), type=type, encoding=encoding)
    do(Downsample(source, num_mips=2))
    before = files_of(source)
    job = with_memory(Image(source, str(tmp_path / "dest")), share)
    do(job)

    assert files_of(source) == before
    for mip in range(3):
        assert np.array_equal(read_layer(job.dest, mip), read_layer(source, mip))
        assert np.array_equal(read_by_tensorstore(job.dest, mip), read_layer(source, mip))
    names = [key for key in files_of(job.dest) if "/" in key]
    assert all(name.endswith(".shard") for name in names)
    assert len(names) == len(job.pieces())
    assert max(map(job.memory, job.pieces())) <= job.memory_limit


def test_the_scales_stay_but_for_their_sharding(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((61, 50, 9), "uint8"), encoding="jpeg")
    do(Downsample(source, num_mips=1))
    do(Image(source, str(tmp_path / "dest")))
    theirs, ours = info_of(source), info_of(str(tmp_path / "dest"))
    assert all(scale.pop("sharding")["data_encoding"] == "raw" for scale in ours["scales"])
    keep = ("key", "size", "voxel_offset", "resolution", "chunk_sizes", "encoding")
    assert ours["scales"] == [{word: scale[word] for word in keep} for scale in theirs["scales"]]


def test_missing_chunks_stay_missing(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 16, 8), "uint8") | 1)
    (tmp_path / "source" / "4_4_40" / "16-24_0-8_0-8.gz").unlink()
    do(Image(source, str(tmp_path / "dest"), fill_missing=True))
    layer = Layer.open(str(tmp_path / "dest"))
    assert not layer.read(layer.bounds(0), 0, fill_missing=True)[16:24, :8].any()


def test_the_command_shards(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    array = voxels((40, 16, 8), "uint8")
    make_layer(tmp_path / "source", array)
    monkeypatch.chdir(tmp_path)
    assert main(["shard", "image", "./source", "./dest"]) == 0
    out, err = capsys.readouterr()
    assert "dest scale 4_4_40: 1 shard of 40,16,8 voxels (5.1 kB before encoding)" in out
    assert "1 task done" in out
    assert err == ""
    assert np.array_equal(read_layer(str(tmp_path / "dest"), 0), array)
    assert main(["shard", "image", "./source", "./source"]) == 2
    (done,) = json.loads((tmp_path / "dest" / "provenance").read_text())["processing"]
    assert done["method"]["task"] == "shard image"
    assert Registry().find("shard image") is Image
