"""`image downsample` on real layers: against the whole volume at once, CloudVolume and TensorStore."""

from __future__ import annotations

import json
import logging
import multiprocessing
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, chunks, files_of, make_layer, read_layer, voxels

from teravox.kernels.downsample import downsample
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage, Fatal
from teravox.pipeline.layers import one_pass
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.image.downsample import Downsample


def read_by_tensorstore(path: str, mip: int) -> Array:
    import tensorstore

    store = {"driver": "file", "path": f"{path}/"}
    spec = {"driver": "neuroglancer_precomputed", "kvstore": store, "scale_index": mip}
    return np.asarray(tensorstore.open(spec, read=True).result().read().result())


sizes = st.tuples(st.integers(1, 45), st.integers(1, 45), st.integers(1, 10))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=sizes,
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    chunk=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4)),
    factor=st.sampled_from([(2, 2, 1), (2, 2, 2), (3, 3, 1)]),
    mips=st.integers(1, 3),
    times=st.tuples(*[st.integers(1, 2)] * 3),
    method=st.sampled_from(["average", "mode", "min", "max", "stride"]),
    sparse=st.booleans(),
    channels=st.integers(1, 2),
    sharded=st.booleans(),
    block=st.sampled_from([1, 1 << 25]),
    random=st.randoms(use_true_random=True),
)
def test_pieces_make_what_downsampling_the_whole_volume_makes(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    factor: Vec,
    mips: int,
    times: Vec,
    method: Any,
    sparse: bool,
    channels: int,
    sharded: bool,
    block: int,
    random: Any,
) -> None:
    array = voxels(size, "uint16", channels=channels, labels=5)
    path = make_layer(tmp_path_factory.mktemp("layer"), array, chunk=chunk, offset=offset, compress=False)
    x, y, z = (c * f**mips * t for c, f, t in zip(chunk, factor, times, strict=True))
    sparse = sparse and method in ("average", "mode")
    job = Downsample(
        path,
        num_mips=mips,
        factor=factor,
        method=method,
        sparse=sparse,
        shape=(x, y, z),
        sharded=sharded,
        compress="none",
    )
    try:
        job.prepare()
    except BadUsage:  # the volume has shrunk to a point before
        reject()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_pass, "BLOCK", block)
        do(job, lambda pieces: random.sample(pieces, len(pieces)))
    info = json.loads(Path(path, "info").read_text())
    for mip, expected in enumerate(downsample(array, factor, mips, method, sparse=sparse), start=1):
        scale = info["scales"][mip]
        assert np.array_equal(read_layer(path, mip), expected)
        assert np.array_equal(read_by_tensorstore(path, mip), expected)
        assert ("sharding" in scale) is sharded
        assert scale["voxel_offset"] == [o // f**mip for o, f in zip(offset, factor, strict=True)]
        assert scale["size"] == [-(-n // f**mip) for n, f in zip(size, factor, strict=True)]
        assert scale["resolution"] == [r * f**mip for r, f in zip((4, 4, 40), factor, strict=True)]


ENCODINGS = [
    ("raw", "uint8", 3, "image"),
    ("raw", "float32", 1, "image"),
    ("raw", "uint64", 1, "segmentation"),
    ("compressed_segmentation", "uint64", 1, "segmentation"),
    ("compressed_segmentation", "uint32", 1, "segmentation"),
    ("compresso", "uint64", 1, "segmentation"),
    ("crackle", "uint32", 1, "segmentation"),
    ("png", "uint8", 1, "image"),
    ("jpeg", "uint8", 1, "image"),
]


@pytest.mark.parametrize(("encoding", "dtype", "channels", "type"), ENCODINGS)
@pytest.mark.parametrize("compress", ["gzip", "br", "zstd", "none"])
def test_new_mips_are_encoded_as_the_source(
    tmp_path: Path, encoding: str, dtype: str, channels: int, type: str, compress: Any
) -> None:
    array = voxels((40, 37, 9), dtype, channels=channels, labels=7)
    path = make_layer(tmp_path, array, encoding=encoding, type=type, offset=(1, 2, 3))
    do(Downsample(path, num_mips=2, compress=compress))
    info = json.loads((tmp_path / "info").read_text())
    assert [scale["encoding"] for scale in info["scales"]] == [encoding] * 3
    expected = downsample(read_layer(path, 0), (2, 2, 1), 2, "mode" if type == "segmentation" else "average")
    for mip in (1, 2):
        assert read_layer(path, mip).shape == expected[mip - 1].shape
        if encoding != "jpeg":
            assert np.array_equal(read_layer(path, mip), expected[mip - 1])
        else:
            assert np.abs(read_layer(path, mip).astype(int) - expected[mip - 1]).mean() < 3


def test_new_mips_can_have_another_encoding(tmp_path: Path) -> None:
    array = voxels((32, 32, 8), "uint64", labels=9)
    path = make_layer(tmp_path, array, type="segmentation")
    do(Downsample(path, num_mips=1, encoding="compressed_segmentation"))
    scale = json.loads((tmp_path / "info").read_text())["scales"][1]
    assert (scale["encoding"], scale["compressed_segmentation_block_size"]) == ("compressed_segmentation", [8, 8, 8])
    assert np.array_equal(read_layer(path, 1), downsample(array, (2, 2, 1), 1, "mode")[0])


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("jpeg", "jpeg encodes uint8, and this layer holds uint16"), ("compressed_segmentation", "uint32, uint64")],
)
def test_an_encoding_that_cannot_hold_the_voxels_is_refused(tmp_path: Path, encoding: Any, words: str) -> None:
    path = make_layer(tmp_path, voxels((32, 32, 8), "uint16"))
    before = files_of(path)
    with pytest.raises(BadUsage, match=words):
        Downsample(path, encoding=encoding).prepare()
    assert files_of(path) == before


@pytest.mark.parametrize("sharded", [False, True])
def test_running_again_changes_no_byte(tmp_path: Path, sharded: bool) -> None:
    path = make_layer(tmp_path, voxels((40, 40, 9), "uint8"))
    job = Downsample(path, num_mips=2, sharded=sharded)
    do(job)
    before = files_of(path)
    job.prepare()
    for piece in job.pieces():
        job.run(piece)
    assert files_of(path) == before


def test_the_same_voxels_make_the_same_bytes(tmp_path: Path) -> None:
    array = voxels((40, 40, 9), "uint8")
    one, other = (make_layer(tmp_path / name, array) for name in ("one", "other"))
    do(Downsample(one, num_mips=2, shape=(32, 32, 8)))
    do(Downsample(other, num_mips=2), lambda pieces: pieces[::-1])
    assert chunks(one) == chunks(other)


def run_pieces(job: Downsample, pieces: list[Box]) -> None:
    for piece in pieces:
        job.run(piece)


@pytest.mark.parametrize("sharded", [False, True])
def test_pieces_run_side_by_side(tmp_path: Path, sharded: bool) -> None:
    array = voxels((70, 70, 9), "uint8")
    alone, shared = (make_layer(tmp_path / name, array, offset=(3, 5, 1)) for name in ("alone", "shared"))
    do(Downsample(alone, num_mips=2, shape=(32, 32, 8), sharded=sharded))
    job = Downsample(shared, num_mips=2, shape=(32, 32, 8), sharded=sharded)
    job.prepare()
    pieces = list(job.pieces())
    context = multiprocessing.get_context("fork")
    parts = (pieces, pieces[::-1], pieces[::2])
    workers = [context.Process(target=run_pieces, args=(job, part)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert chunks(shared) == chunks(alone)


@pytest.mark.parametrize("sharded", [False, True])
def test_outputs_are_what_a_piece_leaves(tmp_path: Path, sharded: bool) -> None:
    path = make_layer(tmp_path, voxels((70, 50, 9), "uint8"), offset=(3, 5, 1))
    job = Downsample(path, num_mips=2, shape=(32, 32, 8), sharded=sharded)
    before = [list(job.outputs(piece)) for piece in job.pieces()]
    job.prepare()
    assert [list(job.outputs(piece)) for piece in job.pieces()] == before
    for piece in job.pieces():
        TALLY.begin(job.home())
        job.run(piece)
        tallied = TALLY.end()
        assert set(job.outputs(piece)) == set(tallied.outputs)
        assert tallied.bytes_out == sum(size for size, _ in tallied.outputs.values())
        assert tallied.bytes_in > 0


def test_a_part_of_the_volume_makes_its_whole_chunks(tmp_path: Path) -> None:
    array = voxels((64, 64, 8), "uint8")
    whole, part = (make_layer(tmp_path / name, array) for name in ("whole", "part"))
    do(Downsample(whole, num_mips=1))
    do(Downsample(part, num_mips=1, bounds=Box((17, 20, 0), (34, 22, 1))))
    made = {key: data for key, data in chunks(part).items() if key.startswith("8_8_40")}
    assert set(made) == {f"8_8_40/{x}_8-16_0-8.gz" for x in ("8-16", "16-24")}
    assert made.items() <= chunks(whole).items()


def test_the_level_and_the_chunks_asked_for_are_those_of_every_new_mip(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((64, 64, 16), "uint8"))
    do(Downsample(path, num_mips=2, encoding="jpeg", encoding_level=71, chunk_size=(16, 16, 4)))
    scales = json.loads((tmp_path / "info").read_text())["scales"][1:]
    assert [(scale["jpeg_quality"], scale["chunk_sizes"]) for scale in scales] == [(71, [[16, 16, 4]])] * 2
    for options, words in (
        ({"encoding_level": 72}, "has jpeg_quality 71, and not 72"),
        ({"chunk_size": (8, 8, 8)}, "has chunks of 16,16,4, and not of 8,8,8"),
    ):
        with pytest.raises(BadInput, match=words):
            Downsample(path, num_mips=2, encoding="jpeg", **options).prepare()


def test_a_mip_that_offers_chunks_of_several_sizes_is_not_written_in_one_of_them(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((64, 64, 16), "uint8"))
    do(Downsample(path, num_mips=1))
    raw = Layer.open(path).raw
    raw["scales"][1]["chunk_sizes"].append([16, 16, 16])
    Layer.open(path).write_info(raw)
    with pytest.raises(BadInput, match=r"offers chunks of 2 sizes, .* remove it with `teravox image rm .* --mip 1`"):
        Downsample(path, num_mips=1).prepare()


def test_going_on_from_a_mip(tmp_path: Path) -> None:
    array = voxels((64, 64, 8), "uint64", labels=9)
    once, twice = (make_layer(tmp_path / name, array, type="segmentation") for name in ("once", "twice"))
    do(Downsample(once, num_mips=2))
    do(Downsample(twice, num_mips=1))
    do(Downsample(twice, mip=1, num_mips=1))
    assert chunks(once) == chunks(twice)


def test_a_pass_that_memory_cuts_short_says_how_to_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = make_layer(tmp_path, voxels((256, 256, 8), "uint8"))
    least = Downsample(path, num_mips=2, shape=(32, 32, 8))
    job = Downsample(path, memory_limit=least.memory(least.pieces()[0]))
    with caplog.at_level(logging.WARNING):
        do(job)
    assert "for more run it again with --mip 2" in caplog.text
    assert len(json.loads((tmp_path / "info").read_text())["scales"]) == 3
    assert max(map(job.memory, job.pieces())) <= job.memory_limit
    with pytest.raises(BadUsage, match=r"5 mips above mip 0 .* --memory allows"):
        Downsample(path, num_mips=5, memory_limit=job.memory_limit).prepare()


def test_prepare_writes_the_info_once_and_keeps_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_layer(tmp_path, voxels((64, 64, 8), "uint8"))
    info = json.loads((tmp_path / "info").read_text()) | {"mesh": "mesh", "mine": [1, 2.5]}
    info["scales"][0]["hidden"] = True
    (tmp_path / "info").write_text(json.dumps(info))
    job = Downsample(path)
    job.prepare()
    written = json.loads((tmp_path / "info").read_text())
    assert written["scales"][0] == info["scales"][0]
    assert {key: value for key, value in written.items() if key != "scales"} == {
        key: value for key, value in info.items() if key != "scales"
    }
    before = (tmp_path / "info").stat()
    job.prepare()
    assert (tmp_path / "info").stat().st_ino == before.st_ino


def test_a_missing_chunk_is_an_error_or_background(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((32, 16, 8), "uint8") | 1)
    (tmp_path / "4_4_40" / "16-24_0-8_0-8.gz").unlink()
    with pytest.raises(BadInput, match=r"chunk 4_4_40/16-24_0-8_0-8 of layer .* is missing; pass --fill-missing"):
        do(Downsample(path, num_mips=1))
    do(Downsample(path, num_mips=1, fill_missing=True))
    filled = read_layer(path, 1)
    assert not filled[8:12, 0:4].any()
    assert filled[:8].all()


def test_background_is_written_too(tmp_path: Path) -> None:
    path = make_layer(tmp_path, np.zeros((32, 32, 8, 1), np.uint8, order="F"))
    do(Downsample(path, num_mips=1))
    assert len([key for key in chunks(path) if key.startswith("8_8_40/")]) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"factor": (1, 1, 1)}, "--factor"),
        ({"factor": (2, 0, 1)}, "--factor"),
        ({"shape": (0, 8, 8)}, "--shape"),
        ({"method": "max", "sparse": True}, "--sparse"),
        ({"method": "average", "type": "segmentation"}, "labels have no average"),
        ({"memory_limit": 1000}, "--memory"),
        ({"memory_limit": 1000, "sharded": True}, "--memory"),
        ({"sharded": True, "compress": "br"}, "--compress: shards"),
        ({"compress_level": 5}, "--compress-level"),
        ({"compress": "gzip", "compress_level": 99}, "--compress-level"),
        ({"encoding_level": 5}, "--encoding-level"),
        ({"chunk_size": (8, 0, 8)}, "--chunk-size"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    path = make_layer(tmp_path, voxels((64, 64, 8), "uint8"), type=options.pop("type", "image"))
    before = files_of(path)
    with pytest.raises(BadUsage, match=words):
        Downsample(path, **options).prepare()
    assert files_of(path) == before


def test_a_layer_or_mip_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="there is no layer at"):
        Downsample(str(tmp_path / "none")).prepare()
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint8"))
    with pytest.raises(BadInput, match="has no mip 2"):
        Downsample(path, mip=2).prepare()


def test_the_record_of_a_job_is_in_the_provenance_once(tmp_path: Path) -> None:
    from cloudvolume import CloudVolume

    path = make_layer(tmp_path, voxels((64, 64, 8), "uint8"))
    (tmp_path / "provenance").write_text(
        json.dumps({"sources": ["scope"], "owners": ["me@x.org"], "processing": [{"method": {"a": 1}, "by": "me"}]})
    )
    for _ in range(2):
        Downsample(path, num_mips=2).finish()
    Downsample(path, num_mips=1).finish()
    provenance = json.loads((tmp_path / "provenance").read_text())
    assert [record["method"].get("num_mips") for record in provenance["processing"]] == [None, 2, 1]
    assert provenance["sources"] == ["scope"]
    record = provenance["processing"][1]
    assert record["method"]["task"] == "image downsample"
    assert set(record) == {"method", "by", "date", "version"}
    assert CloudVolume(f"file://{path}").provenance.sources == ["scope"]


def test_a_provenance_that_is_no_json_is_named_and_kept(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((64, 64, 8), "uint8"))
    (tmp_path / "provenance").write_text("{half")
    with pytest.raises(BadInput, match=f"{tmp_path}/provenance is not JSON"):
        Downsample(path).finish()
    assert (tmp_path / "provenance").read_text() == "{half"


def test_a_layer_in_memory_is_downsampled() -> None:
    store = open_store("mem://downsample/layer")
    array = voxels((16, 16, 8), "uint8")
    scale = {"key": "s", "size": [16, 16, 8], "chunk_sizes": [[16, 16, 8]], "resolution": [1.5, 1.5, 3]}
    scale |= {"encoding": "raw", "voxel_offset": [0, 0, 0]}
    info = {"type": "image", "data_type": "uint8", "num_channels": 1, "scales": [scale]}
    store.put("info", json.dumps(info).encode())
    store.put("s/0-16_0-16_0-8", array.tobytes("F"))
    do(Downsample(store.url))
    expected = downsample(array, (2, 2, 1), 1, "average")[0]
    assert store.get("3_3_3/0-8_0-8_0-8") == expected.tobytes("F")


def test_json_has_the_names_of_the_options() -> None:
    job = Downsample("l", memory_limit=5)
    written = msgspec.json.decode(msgspec.json.encode(job))
    assert written["memory"] == 5
    assert msgspec.json.decode(msgspec.json.encode(job), type=Downsample) == job
    assert Registry().find("image downsample") is Downsample
    for wrong in ({"num_mips": 0}, {"mip": -1}, {"method": "median"}, {"memory": 0}, {"colour": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"layer": "l", **wrong}, Downsample)
