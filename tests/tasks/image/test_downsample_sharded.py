"""`image downsample` into shards: what is there stays as it is sharded, and what is above it follows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from layers.copies import do
from layers.make import Vec, files_of, make_layer, read_layer, voxels

from teravox.cli.main import main
from teravox.kernels.downsample import downsample
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers import one_pass
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.store import Store
from teravox.tasks.image.downsample import Downsample


def shards(path: str) -> dict[str, bytes]:
    return {key: data for key, data in files_of(path).items() if key.endswith(".shard")}


def test_what_is_above_a_sharded_mip_is_sharded_too_unless_that_is_not_wanted(tmp_path: Path) -> None:
    array = voxels((64, 64, 16), "uint64", labels=9)
    once, twice, plain = (
        make_layer(tmp_path / name, array, type="segmentation") for name in ("once", "twice", "plain")
    )
    do(Downsample(once, num_mips=2, sharded=True))
    for path, sharded in ((twice, None), (plain, False)):
        do(Downsample(path, num_mips=1, sharded=True))
        do(Downsample(path, mip=1, num_mips=1, sharded=sharded))
    for path, second in ((once, True), (twice, True), (plain, False)):
        scales = json.loads(Path(path, "info").read_text())["scales"]
        assert ["sharding" in scale for scale in scales] == [False, True, second]
        for mip in (1, 2):
            assert np.array_equal(read_layer(path, mip), downsample(array, (2, 2, 1), 2, "mode")[mip - 1])


def test_sharded_mips_are_written_again_as_they_are_sharded(tmp_path: Path) -> None:
    array = voxels((64, 64, 16), "uint8")
    path = make_layer(tmp_path, array)
    do(Downsample(path, num_mips=2, sharded=True, shape=(32, 32, 8)))
    before = files_of(path)
    assert len([key for key in before if key.endswith(".shard")]) == 16
    do(Downsample(path, num_mips=2))
    assert files_of(path).keys() == before.keys()
    assert shards(path) == {key: data for key, data in before.items() if key.endswith(".shard")}
    with pytest.raises(BadInput, match=r"mip 1 of layer .* is sharded, and stays so; leave --no-sharded out"):
        Downsample(path, num_mips=2, sharded=False).prepare()
    with pytest.raises(BadUsage, match="shards can be packed with gzip or not at all, not with br"):
        Downsample(path, num_mips=2, compress="br").prepare()
    plain = make_layer(tmp_path / "plain", array)
    do(Downsample(plain, num_mips=1))
    with pytest.raises(BadInput, match=r"mip 1 of layer .* is not sharded, and stays so; leave --sharded out"):
        Downsample(plain, num_mips=1, sharded=True).prepare()


def test_a_part_of_the_volume_makes_its_whole_shards(tmp_path: Path) -> None:
    array = voxels((128, 128, 16), "uint8")
    whole, part = (make_layer(tmp_path / name, array, offset=(3, 5, 7)) for name in ("whole", "part"))
    for path, bounds in ((whole, None), (part, Box((40, 6, 8), (41, 70, 9)))):
        do(Downsample(path, num_mips=2, sharded=True, shape=(64, 64, 16)))
        for key in shards(path):
            Path(path, key).unlink()
        do(Downsample(path, num_mips=2, bounds=bounds))
    assert len(shards(whole)) == 8
    assert len(shards(part)) == 4
    assert shards(part).items() <= shards(whole).items()


def test_a_missing_chunk_leaves_no_shard_behind(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((64, 64, 8), "uint8"))
    (tmp_path / "4_4_40" / "56-64_56-64_0-8.gz").unlink()
    with pytest.raises(BadInput, match="is missing"):
        do(Downsample(path, num_mips=1, sharded=True))
    assert shards(path) == {}


def test_a_sharded_mip_is_a_source_like_any_other(tmp_path: Path) -> None:
    array = voxels((64, 48, 16), "uint32", labels=9)
    path = make_layer(tmp_path, array, type="segmentation", offset=(-3, 5, 7))
    do(Downsample(path, num_mips=1, sharded=True))
    do(Downsample(path, mip=1, num_mips=2, sharded=False, encoding="compresso"))
    expected = downsample(downsample(array, (2, 2, 1), 1, "mode")[0], (2, 2, 1), 2, "mode")
    assert [np.array_equal(read_layer(path, mip), expected[mip - 2]) for mip in (2, 3)] == [True, True]


def test_the_shards_of_the_new_mips_are_said_before_they_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_layer(tmp_path, voxels((64, 64, 16), "uint8"))
    words = ["image", "downsample", path, "--num-mips", "2", "--sharded", "--shape", "32,32,8"]
    bits = "minishard_bits 0, shard_bits 3, chunks packed as gzip"
    said = [
        f"file://{path} scale 8_8_40: 8 shards of 16,16,8 voxels (2.0 kB before encoding); preshift_bits 2, {bits}",
        f"file://{path} scale 16_16_40: 8 shards of 8,8,8 voxels (512 bytes before encoding); preshift_bits 0, {bits}",
    ]
    before = files_of(path)
    assert main([*words, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("chosen")] == [f"chosen  {sentence}" for sentence in said]
    assert files_of(path) == before
    assert main([*words, "--queue", str(tmp_path / "q")]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == said
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    sharding = [scale.get("sharding") for scale in Layer.open(path, fresh=True).raw["scales"]]
    assert [(one["preshift_bits"], one["shard_bits"]) for one in sharding[1:]] == [(2, 3), (0, 3)]


def test_shards_appear_as_soon_as_they_are_whole_and_each_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_pass, "BLOCK", 1)
    path = make_layer(tmp_path, voxels((128, 128, 16), "uint8"), chunk=(8, 8, 8))
    job = Downsample(path, num_mips=2, sharded=True, shape=(128, 128, 16), memory_limit=1 << 31)
    job.prepare()
    raw = Layer.open(path).raw
    for mip, inside in ((1, 3), (2, 4)):  # small shards, as if there were little memory
        sharding = raw["scales"][mip]["sharding"]
        sharding["shard_bits"] += sharding["preshift_bits"] - inside
        sharding["preshift_bits"] = inside
    layer = Layer.open(path).write_info(raw)
    order: list[str] = []
    put = type(layer.store).put

    def note(store: Store, key: str, *args: object, **words: object) -> None:
        order.append(key.partition("/")[0])
        put(store, key, *args, **words)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(type(layer.store), "put", note)
    (piece,) = job.pieces()
    job.run(piece)

    written = [key for key in order if key != "info"]
    assert len(written) == len(shards(path)) == len(set(job.outputs(piece)))
    first_of_the_second = written.index("16_16_40")
    assert 0 < first_of_the_second < written.count("8_8_40")
    for mip in (1, 2):
        assert np.array_equal(read_layer(path, mip), downsample(read_layer(path, 0), (2, 2, 1), 2, "average")[mip - 1])


@pytest.mark.parametrize(("size", "chunk"), [((70, 50, 20), (8, 8, 8)), ((33, 65, 9), (16, 8, 4))])
def test_shards_and_chunks_hold_the_same_voxels(tmp_path: Path, size: Vec, chunk: Vec) -> None:
    array = voxels(size, "uint32", labels=9)
    paths = [make_layer(tmp_path / name, array, chunk=chunk, type="segmentation") for name in ("plain", "sharded")]
    for path in paths:
        do(Downsample(path, factor=(2, 2, 2), num_mips=2, sharded=path == paths[1]))
    infos = [json.loads(Path(path, "info").read_text())["scales"] for path in paths]
    for mip in (1, 2):
        assert {word: value for word, value in infos[1][mip].items() if word != "sharding"} == infos[0][mip]
        assert np.array_equal(read_layer(paths[1], mip), read_layer(paths[0], mip))
