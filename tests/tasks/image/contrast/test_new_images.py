"""What `image contrast equalize` and `clahe` have in common: how they make a layer of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contrast.jobs import do_side_by_side, grey
from layers.copies import do
from layers.make import Array, Vec, chunks, files_of, make_layer, read_layer, voxels
from memory_alone import measure_memory

from teravox.pipeline.box import Box
from teravox.pipeline.contrast.image_job import ImageJob
from teravox.pipeline.errors import BadInput, BadUsage, Fatal
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.image.contrast.clahe import Clahe
from teravox.tasks.image.contrast.equalize import Equalize
from teravox.tasks.image.contrast.histogram import Histogram

KINDS = [Equalize, Clahe]
both_kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
Kind = type[ImageJob]


def make_source(folder: Path, array: Array, **options: Any) -> str:
    """A layer with its levels."""
    path = make_layer(folder / "em", array, **options)
    do(Histogram(path))
    return path


@both_kinds
@pytest.mark.parametrize(
    ("encoding", "dtype", "channels"),
    [("raw", "uint8", 3), ("raw", "uint16", 1), ("png", "uint8", 1), ("jpeg", "uint8", 1), ("jxl", "uint8", 1)],
)
def test_the_new_layer_is_as_the_source_and_everybody_reads_it(
    tmp_path: Path, kind: Kind, encoding: str, dtype: str, channels: int
) -> None:
    import tensorstore

    path = make_source(tmp_path, grey((40, 37, 9), dtype, channels=channels), encoding=encoding, offset=(1, -2, 3))
    source = json.loads(Path(path, "info").read_text())["scales"][0]
    job = kind(path, str(tmp_path / "new"), compress="none")
    do(job)

    info = json.loads((tmp_path / "new/info").read_text())
    (scale,) = info["scales"]
    assert (info["type"], info["data_type"], info["num_channels"]) == ("image", dtype, channels)
    for word in ("encoding", "chunk_sizes", "size", "voxel_offset", "resolution", "key"):
        assert scale[word] == source[word]
    result = read_layer(job.dest, 0)
    assert result.std() > read_layer(path, 0).std()
    if encoding != "jxl":  # TensorStore reads no jxl here
        store = {"driver": "file", "path": f"{job.dest}/"}
        opened = tensorstore.open({"driver": "neuroglancer_precomputed", "kvstore": store}, read=True).result()
        assert np.array_equal(opened.read().result(), result)


@both_kinds
def test_shards_hold_the_same_voxels(tmp_path: Path, kind: Kind) -> None:
    import tensorstore

    path = make_source(tmp_path, grey((70, 50, 20), "uint8"), offset=(3, 5, 1))
    files, shards = kind(path, str(tmp_path / "files")), kind(path, str(tmp_path / "shards"), sharded=True)
    do(files)
    do(shards)
    assert all(key.endswith(".shard") for key in chunks(shards.dest))
    assert np.array_equal(read_layer(files.dest, 0), read_layer(shards.dest, 0))
    store = {"driver": "file", "path": f"{shards.dest}/"}
    opened = tensorstore.open({"driver": "neuroglancer_precomputed", "kvstore": store}, read=True).result()
    assert np.array_equal(opened.read().result(), read_layer(files.dest, 0))


@both_kinds
def test_a_sharded_source_is_read(tmp_path: Path, kind: Kind) -> None:
    path = make_source(tmp_path, grey((40, 40, 16), "uint8"))
    identity = Clahe(path, str(tmp_path / "sharded"), sharded=True, clip_limit=1e-9, tile_size=(9, 9))
    do(identity)
    do(Histogram(identity.dest))
    whole, parts = kind(identity.dest, str(tmp_path / "a")), kind(identity.dest, str(tmp_path / "b"), shape=(8, 16, 8))
    do(whole)
    do(parts)
    assert chunks(whole.dest) == chunks(parts.dest)


@both_kinds
@pytest.mark.parametrize("sharded", [False, True])
def test_running_again_changes_no_byte(tmp_path: Path, kind: Kind, sharded: bool) -> None:
    path = make_source(tmp_path, grey((40, 40, 9), "uint8"))
    job = kind(path, str(tmp_path / "new"), sharded=sharded)
    do(job)
    before = files_of(job.dest)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    assert files_of(job.dest) == before


@both_kinds
def test_pieces_run_side_by_side(tmp_path: Path, kind: Kind) -> None:
    path = make_source(tmp_path, grey((70, 70, 9), "uint8"), offset=(3, 5, 1))
    do(kind(path, str(tmp_path / "alone"), shape=(32, 32, 8)))
    do_side_by_side(kind(path, str(tmp_path / "shared"), shape=(32, 32, 8)))
    assert chunks(str(tmp_path / "shared")) == chunks(str(tmp_path / "alone"))


@both_kinds
@pytest.mark.parametrize("sharded", [False, True])
def test_outputs_are_what_a_piece_leaves_and_known_before_anything_is_there(
    tmp_path: Path, kind: Kind, sharded: bool
) -> None:
    path = make_source(tmp_path, grey((70, 50, 9), "uint8"), offset=(3, 5, 1))
    job = kind(path, str(tmp_path / "new"), sharded=sharded)
    pieces = list(job.pieces())
    outputs = [set(job.outputs(piece)) for piece in pieces]
    assert not (tmp_path / "new").exists()
    job.prepare()
    for piece, keys in zip(pieces, outputs, strict=True):
        TALLY.begin(job.home())
        job.run(piece)
        assert set(TALLY.end().outputs) == keys == set(job.outputs(piece))


@both_kinds
def test_the_source_is_never_written(tmp_path: Path, kind: Kind) -> None:
    path = make_source(tmp_path, grey((16, 16, 8), "uint8"))
    before = files_of(path)
    (tmp_path / "link").symlink_to(path)
    for dest in (path, f"file://{path}/", f"{path}/../em", str(tmp_path / "link")):
        with pytest.raises(BadUsage, match="is the layer that is read"):
            kind(path, dest).prepare()
    do(kind(path, str(tmp_path / "new")))
    assert files_of(path) == before


@both_kinds
def test_a_layer_that_differs_is_left_as_it_is(tmp_path: Path, kind: Kind) -> None:
    path = make_source(tmp_path, grey((16, 16, 8), "uint8"))
    other = make_layer(tmp_path / "other", grey((16, 16, 8), "uint16"))
    before = files_of(other)
    with pytest.raises(BadUsage, match="is a layer already, and differs: data_type uint16, not uint8"):
        kind(path, other).prepare()
    assert files_of(other) == before


@both_kinds
def test_a_layer_that_got_more_mips_since_is_made_again(tmp_path: Path, kind: Kind) -> None:
    from teravox.tasks.image.downsample import Downsample

    path = make_source(tmp_path, grey((16, 16, 8), "uint8"))
    job = kind(path, str(tmp_path / "new"))
    do(job)
    do(Downsample(job.dest, num_mips=1))
    before = files_of(job.dest)
    job.prepare()
    job.run(job.pieces()[0])
    assert files_of(job.dest) == before


@both_kinds
def test_another_mip_becomes_a_layer_of_its_resolution(tmp_path: Path, kind: Kind) -> None:
    from teravox.tasks.image.downsample import Downsample

    path = make_source(tmp_path, grey((40, 40, 9), "uint8"), offset=(4, 8, 1))
    do(Downsample(path, num_mips=1))
    do(Histogram(path, mip=1))
    do(kind(path, str(tmp_path / "new"), mip=1))
    (scale,) = json.loads((tmp_path / "new/info").read_text())["scales"]
    assert (scale["resolution"], scale["size"], scale["voxel_offset"]) == ([8, 8, 40], [20, 20, 9], [2, 4, 1])
    assert read_layer(str(tmp_path / "new"), 0).std() > read_layer(path, 1).std()


@both_kinds
def test_a_missing_chunk_is_an_error_or_background(tmp_path: Path, kind: Kind) -> None:
    path = make_source(tmp_path, voxels((32, 16, 8), "uint8") | 1)
    (tmp_path / "em/4_4_40/16-24_0-8_0-8.gz").unlink()
    job = kind(path, str(tmp_path / "new"))
    with pytest.raises(BadInput, match=r"chunk 4_4_40/16-24_0-8_0-8 of layer .* is missing; pass --fill-missing"):
        do(job)
    do(kind(path, str(tmp_path / "new"), fill_missing=True))
    filled = read_layer(job.dest, 0)
    assert not filled[16:24, 0:8].any()
    assert np.count_nonzero(filled) > 0.9 * filled.size * 7 / 8
    assert len(chunks(job.dest)) == 8


@both_kinds
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"shape": (12, 8, 8)},
            r"--shape: pieces must be multiples of 8,8,8 voxels, got 12,8,8; else two .* one chunk",
        ),
        ({"shape": (0, 8, 8)}, "--shape: pieces must be multiples"),
        ({"shape": (8, 8, 8), "sharded": True}, "else two of them would write one shard"),
        ({"chunk_size": (8, 0, 8)}, "--chunk-size: expected three numbers from 1 up, got 8,0,8"),
        ({"bounds": Box((99, 0, 0), (100, 1, 1))}, "--bounds: .* lies outside of mip 0"),
        ({"memory_limit": 1000}, "--memory allows 1.0 kB: give it more --memory"),
        ({"memory_limit": 1000, "sharded": True}, "--memory"),
        ({"encoding": "compressed_segmentation"}, "compressed_segmentation encodes uint32, uint64"),
        ({"encoding": "raw", "encoding_level": 3}, "--encoding-level: raw has none"),
        ({"compress": "gzip", "compress_level": 13}, "--compress-level: gzip has levels 1 to 12"),
        ({"compress": "none", "compress_level": 1}, "--compress-level: means nothing with --compress none"),
        (
            {"encoding": "jpeg", "compress_level": 1},
            "--compress-level: jpeg is not compressed further, unless --compress",
        ),
        ({"compress": "br", "sharded": True}, "shards can be packed with gzip or not at all, not with br"),
        ({"type": "segmentation"}, "only images have a contrast"),
        ({"dtype": "int16"}, "holds int16; contrast is made of uint8 and uint16 only"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    tmp_path: Path, kind: Kind, options: dict[str, Any], words: str
) -> None:
    given = dict(options)
    array = voxels((64, 64, 8), given.pop("dtype", "uint8"))
    path = make_layer(tmp_path / "em", array, type=given.pop("type", "image"))
    with pytest.raises(BadUsage, match=words):
        kind(path, str(tmp_path / "new"), **given).prepare()
    assert not (tmp_path / "new").exists()


@both_kinds
def test_a_layer_or_mip_that_is_not_there_is_said(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(Fatal, match="there is no layer at"):
        kind(str(tmp_path / "none"), str(tmp_path / "new")).prepare()
    path = make_source(tmp_path, grey((16, 16, 8), "uint8"))
    with pytest.raises(BadInput, match="has no mip 2"):
        kind(path, str(tmp_path / "new"), mip=2).prepare()
    job = kind(path, str(tmp_path / "new"))
    with pytest.raises(Fatal, match="there is no layer at"):
        job.run(job.pieces()[0])
    make_layer(tmp_path / "new", grey((8, 8, 8), "uint8"))
    with pytest.raises(Fatal, match="no longer has the scale 4_4_40"):
        job.run(job.pieces()[0])


@both_kinds
def test_the_record_of_a_job_is_in_the_provenance_once(tmp_path: Path, kind: Kind) -> None:
    path = make_source(tmp_path, grey((16, 16, 8), "uint8"))
    job = kind(path, str(tmp_path / "new"))
    do(job)
    job.finish()
    (record,) = json.loads((tmp_path / "new/provenance").read_text())["processing"]
    assert (record["method"]["task"], record["method"]["source"]) == (f"image contrast {kind.__name__.lower()}", path)


@both_kinds
def test_a_layer_in_memory_is_done(kind: Kind) -> None:
    store = open_store(f"mem://contrast/{kind.__name__}")
    array = grey((16, 16, 8), "uint8")
    scale = {"key": "s", "size": [16, 16, 8], "chunk_sizes": [[16, 16, 8]], "resolution": [1.5, 1.5, 3]}
    info = {"type": "image", "data_type": "uint8", "num_channels": 1, "scales": [scale | {"encoding": "raw"}]}
    store.put("info", json.dumps(info).encode())
    store.put("s/0-16_0-16_0-8", array.tobytes("F"))
    do(Histogram(store.url))
    do(kind(store.url, f"{store.url}-new"))
    assert open_store(f"{store.url}-new").get("1.5_1.5_3/0-16_0-16_0-8")


@both_kinds
@pytest.mark.parametrize(
    ("dtype", "chunk", "options"),
    [
        ("uint8", (256, 256, 32), {}),
        ("uint16", (64, 64, 64), {"chunk_size": (128, 64, 32), "sharded": True, "memory_limit": 800_000_000}),
    ],
)
def test_a_piece_needs_no_more_memory_than_it_says(
    tmp_path: Path, kind: Kind, dtype: str, chunk: Vec, options: dict[str, Any]
) -> None:
    block = voxels((64, 64, 64), dtype)
    array = np.asfortranarray(np.tile(block, (10, 10, 1, 1)))
    path = make_source(tmp_path, array, chunk=chunk, compress=False)
    job = kind(path, str(tmp_path / "new"), **options)
    job.prepare()
    promised = job.memory(job.pieces()[0])
    assert measure_memory(job).peak <= promised <= job.memory_limit
    assert promised < 900_000_000
