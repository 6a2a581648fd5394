"""`image transfer` on real layers: what comes out, as CloudVolume and TensorStore read it."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import Pieces, do, info_of, read_by_tensorstore, run_pieces, with_memory
from layers.make import Vec, chunks, files_of, make_layer, read_layer, voxels

from teravox.kernels.downsample import downsample
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.image.downsample import Downsample
from teravox.tasks.image.transfer import Transfer

LOSSLESS = [
    ("uint8", "image", "raw", None),
    ("uint8", "image", "png", 3),
    ("uint8", "image", "jxl", 100),
    ("uint16", "segmentation", "compresso", None),
    ("uint32", "segmentation", "compressed_segmentation", None),
    ("uint64", "segmentation", "compressed_segmentation", None),
    ("uint64", "segmentation", "crackle", None),
    ("int16", "image", "raw", None),
    ("float32", "image", "fpzip", None),
]
vectors = st.tuples(*[st.integers(-30, 30)] * 3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(2, 40), st.integers(1, 40), st.integers(1, 14)),
    offset=vectors,
    chunk=st.tuples(st.integers(6, 16), st.integers(6, 16), st.integers(3, 8)),
    rechunk=st.none() | st.tuples(st.integers(6, 16), st.integers(6, 16), st.integers(3, 8)),
    form=st.sampled_from(LOSSLESS),
    translate=vectors,
    times=st.tuples(*[st.integers(1, 2)] * 3),
    share=st.sampled_from([0, 0.1, 0.5, 1]),
    random=st.randoms(use_true_random=True),
)
def test_what_is_transferred_sharded_and_unsharded_is_what_it_was(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    rechunk: Vec | None,
    form: tuple[str, str, str, int | None],
    translate: Vec,
    times: Vec,
    share: float,
    random: Any,
) -> None:
    dtype, type, encoding, level = form
    folder = tmp_path_factory.mktemp("layers")
    channels = 2 if encoding == "raw" else 1
    array = voxels(size, dtype, channels=channels, labels=None if dtype == "float32" else 9)
    source = make_layer(folder / "source", array, chunk=chunk, offset=offset, type=type)
    moved, sharded, last = (str(folder / name) for name in ("moved", "sharded", "last"))
    x, y, z = (n * t for n, t in zip(rechunk or chunk, times, strict=True))

    def shuffle(pieces: Pieces) -> Pieces:
        return sorted(pieces, key=lambda _: random.random())

    do(
        Transfer(
            source,
            moved,
            encoding=encoding,  # type: ignore[arg-type]  # one of the words that it takes
            encoding_level=level,
            chunk_size=rechunk,
            translate=translate,
            shape=(x, y, z),
        ),
        shuffle,
    )
    do(with_memory(Transfer(moved, sharded, sharded=True), share), shuffle)
    plain: Literal["raw", "auto"] = "raw" if encoding in ("compresso", "crackle", "fpzip", "jxl") else "auto"
    do(Transfer(sharded, last, encoding=plain, compress="none"), shuffle)

    low = [o + t for o, t in zip(offset, translate, strict=True)]
    for path in (moved, sharded, last):
        assert np.array_equal(read_layer(path, 0), array)
        assert info_of(path)["scales"][0]["voxel_offset"] == low
    assert "sharding" in info_of(sharded)["scales"][0]
    assert np.array_equal(read_by_tensorstore(last), array)
    if plain == "auto":
        assert np.array_equal(read_by_tensorstore(sharded), array)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(8, 40), st.integers(8, 40), st.integers(3, 10)),
    offset=vectors,
    chunk=st.tuples(st.integers(5, 9), st.integers(5, 9), st.integers(3, 5)),
    rechunk=st.none() | st.tuples(st.integers(5, 9), st.integers(5, 9), st.integers(3, 5)),
    mips=st.integers(0, 2),
    factor=st.sampled_from([(2, 2, 1), (2, 2, 2)]),
    sharded=st.booleans(),
    is_encoded_anew=st.booleans(),
    share=st.sampled_from([0, 0.1, 0.5, 1]),
    data=st.data(),
)
def test_a_cut_out_with_its_mips_is_that_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    rechunk: Vec | None,
    mips: int,
    factor: Vec,
    sharded: bool,
    is_encoded_anew: bool,
    share: float,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("layers")
    array = voxels(size, "uint32", labels=7)
    source = make_layer(folder / "source", array, chunk=chunk, offset=offset, type="segmentation")
    low = [data.draw(st.integers(0, n - 6 if n > 6 else 0)) for n in size]
    high = [data.draw(st.integers(min(a + 5, n), n)) for a, n in zip(low, size, strict=True)]
    start, stop = ([o + n for o, n in zip(offset, corner, strict=True)] for corner in (low, high))
    whole = Transfer(
        source,
        str(folder / "dest"),
        bounds=Box((start[0], start[1], start[2]), (stop[0], stop[1], stop[2])),
        offset=(1, -2, 3),
        chunk_size=rechunk,
        num_mips=mips,
        factor=factor if mips else (2, 2, 1),
        sharded=sharded,
        encoding="compressed_segmentation" if is_encoded_anew else "auto",
    )
    job = with_memory(whole, share)
    do(job)

    cut = array[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    assert np.array_equal(read_layer(job.dest, 0), cut)
    for mip, expected in enumerate(downsample(cut, factor, mips, "mode"), start=1):
        assert np.array_equal(read_layer(job.dest, mip), expected)
        scale = info_of(job.dest)["scales"][mip]
        assert scale["voxel_offset"] == [o // f**mip for o, f in zip((1, -2, 3), factor, strict=True)]
        assert ("sharding" in scale) == sharded
    assert max(map(job.memory, job.pieces())) <= job.memory_limit


def test_chunks_that_stay_as_they_are_keep_their_bytes(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((40, 33, 9), "uint8"), encoding="jpeg", offset=(3, 5, 1))
    do(Transfer(source, str(tmp_path / "copy"), translate=(-3, -5, -1)))
    theirs = chunks(source)
    ours = chunks(str(tmp_path / "copy"))
    assert len(ours) == 50
    for key, data in theirs.items():
        scale, name = key.split("/")
        ends = [part.removesuffix(".gz").split("-") for part in name.split("_")]
        moved = "_".join(f"{int(a) - o}-{int(b) - o}" for (a, b), o in zip(ends, (3, 5, 1), strict=True))
        assert ours[f"{scale}/{moved}{'.gz' if name.endswith('.gz') else ''}"] == data


@pytest.mark.parametrize("stored", ["gzip", "br", False])
@pytest.mark.parametrize("compress", ["auto", "gzip", "br", "zstd", "none"])
@pytest.mark.parametrize("from_shards", [False, True])
def test_chunks_are_stored_as_asked(tmp_path: Path, stored: Any, compress: Any, from_shards: bool) -> None:
    array = voxels((16, 16, 8), "uint16")
    source = make_layer(tmp_path / "source", array, compress=stored)
    if from_shards:
        do(Transfer(source, str(tmp_path / "shards"), sharded=True))
        source = str(tmp_path / "shards")
    job = Transfer(source, str(tmp_path / "copy"), compress=compress)
    do(job)
    kept = {"gzip": ".gz", "br": ".br", False: ""}["gzip" if from_shards else stored]
    ending = {"auto": kept, "gzip": ".gz", "br": ".br", "zstd": ".zstd", "none": ""}[compress]
    assert {Path(key).suffix for key in chunks(job.dest)} == {ending}
    assert np.array_equal(read_layer(job.dest, 0), array)


def test_a_level_packs_chunks_anew(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((64, 64, 16), "uint32", labels=50), chunk=(64, 64, 16))
    light, hard = (
        Transfer(source, str(tmp_path / name), compress="gzip", compress_level=level)
        for name, level in (("light", 1), ("hard", 12))
    )
    do(light)
    do(hard)
    (first,), (second,) = chunks(light.dest).values(), chunks(hard.dest).values()
    assert len(second) < len(first)


@pytest.mark.parametrize(("share", "shards"), [(0, 64), (0.15, 8), (0.5, 2), (1, 1)])
def test_every_shard_is_written_by_one_piece_whatever_the_memory(tmp_path: Path, share: float, shards: int) -> None:
    """Igneous' workers derived the sharding anew from another memory, and wrote their shards over each other."""
    array = voxels((64, 64, 64), "uint32", labels=30)
    source = make_layer(tmp_path / "source", array, chunk=(16, 16, 16), type="segmentation")
    job = with_memory(Transfer(source, str(tmp_path / "dest"), sharded=True), share)
    job.prepare()
    before = (tmp_path / "dest" / "info").stat()
    written = []
    for piece in job.pieces():
        assert job.memory(piece) <= job.memory_limit
        TALLY.begin(job.home())
        job.run(piece)
        written += list(TALLY.end().outputs)
    assert len(written) == len(set(written)) == len(job.pieces()) == shards
    assert (tmp_path / "dest" / "info").stat().st_ino == before.st_ino
    assert np.array_equal(read_layer(job.dest, 0), array)
    assert np.array_equal(read_by_tensorstore(job.dest), array)


@pytest.mark.parametrize("compress", ["auto", "gzip", "none"])
def test_the_copy_of_a_sharded_layer_is_not_sharded_by_accident(tmp_path: Path, compress: Any) -> None:
    """Igneous' copy inherited the sharding, and each task overwrote the shard with its part."""
    array = voxels((64, 64, 64), "uint32", labels=30)
    source = make_layer(tmp_path / "source", array, chunk=(16, 16, 16), type="segmentation")
    do(Transfer(source, str(tmp_path / "shards"), sharded=True))
    job = Transfer(str(tmp_path / "shards"), str(tmp_path / "copy"), compress=compress, shape=(32, 32, 32))
    do(job)
    assert len(job.pieces()) == 8
    assert "sharding" not in info_of(job.dest)["scales"][0]
    assert len(chunks(job.dest)) == 64
    assert not [key for key in chunks(job.dest) if "shard" in key]
    assert np.array_equal(read_layer(job.dest, 0), array)


@pytest.mark.parametrize("option", ["offset", "translate"])
@pytest.mark.parametrize("mip", [0, 1])
def test_a_moved_copy_holds_the_voxels(tmp_path: Path, option: str, mip: int) -> None:
    """Igneous wrote zeros: it read the source where the copy was to be."""
    array = voxels((64, 64, 16), "uint8") | 1
    source = make_layer(tmp_path / "source", array, offset=(10, 20, 30))
    do(Downsample(source, num_mips=1))
    at = {0: (10, 20, 30), 1: (5, 10, 30)}[mip]
    by = {"offset": (100, 200, 300), "translate": (90, 180, 270)}[option]
    do(Transfer(source, str(tmp_path / "dest"), mip=mip, **{option: by}))  # type: ignore[arg-type]  # one of two options
    (scale,) = info_of(str(tmp_path / "dest"))["scales"]
    begins = list(by) if option == "offset" else [a + b for a, b in zip(at, by, strict=True)]
    assert scale["voxel_offset"] == begins
    assert np.array_equal(read_layer(str(tmp_path / "dest"), 0), read_layer(source, mip))


@pytest.mark.parametrize("sharded", [False, True])
def test_several_channels_with_an_offset_are_chunked_anew(tmp_path: Path, sharded: bool) -> None:
    """Igneous wrote empty data: https://github.com/seung-lab/igneous/issues/206"""
    array = voxels((50, 37, 12), "uint8", channels=4)
    source = make_layer(tmp_path / "source", array, chunk=(16, 16, 4), offset=(100, 7, -3))
    job = Transfer(
        source, str(tmp_path / "dest"), chunk_size=(20, 9, 5), sharded=sharded, compress="none", translate=(1, -2, 3)
    )
    do(job)
    assert np.array_equal(read_layer(job.dest, 0), array)
    assert np.array_equal(read_by_tensorstore(job.dest), array)


def test_the_level_of_an_encoding_is_that_of_every_mip(tmp_path: Path) -> None:
    array = np.asfortranarray(np.tile(voxels((32, 32, 4), "uint8") // 32 * 8, (2, 2, 2, 1)))
    source = make_layer(tmp_path / "source", array, chunk=(32, 32, 8))
    sizes = {}
    for quality in (20, 95):
        job = Transfer(source, str(tmp_path / str(quality)), num_mips=2, encoding="jpeg", encoding_level=quality)
        do(job)
        assert [scale["jpeg_quality"] for scale in info_of(job.dest)["scales"]] == [quality] * 3
        sizes[quality] = [
            sum(len(data) for key, data in chunks(job.dest).items() if key.startswith(scale["key"]))
            for scale in info_of(job.dest)["scales"]
        ]
    assert all(low < high for low, high in zip(sizes[20], sizes[95], strict=True))


def test_shards_of_the_source_are_fetched_once(tmp_path: Path) -> None:
    """Igneous copied every shard as often as there were tasks in it."""
    array = voxels((64, 64, 64), "uint8")
    source = make_layer(tmp_path / "source", array, chunk=(8, 8, 8), compress=False)
    do(with_memory(Transfer(source, str(tmp_path / "shards"), sharded=True), 0.15))
    shards = chunks(str(tmp_path / "shards"))
    assert len(shards) == 8
    plain = Transfer(str(tmp_path / "shards"), str(tmp_path / "plain"))
    smaller = with_memory(Transfer(str(tmp_path / "shards"), str(tmp_path / "smaller"), sharded=True), 0.05)
    for job in (plain, smaller):
        job.prepare()
        TALLY.begin(job.home())
        run_pieces(job, list(job.pieces()))
        assert TALLY.end().bytes_in < 1.2 * sum(map(len, shards.values()))
        assert np.array_equal(read_layer(job.dest, 0), array)
    assert len(plain.pieces()) == 8
    assert len(smaller.pieces()) > 8


@pytest.mark.parametrize("sharded", [False, True])
def test_an_existing_pyramid_is_copied(tmp_path: Path, sharded: bool) -> None:
    array = voxels((61, 50, 9), "uint64", labels=9)
    source = make_layer(tmp_path / "source", array, offset=(3, 5, 1), type="segmentation")
    do(Downsample(source, num_mips=3))
    job = with_memory(Transfer(source, str(tmp_path / "dest"), mip=1, all_mips=True, sharded=sharded), 0.2)
    do(job)
    assert len(job.pieces()) > 3
    assert [scale["key"] for scale in info_of(job.dest)["scales"]] == ["8_8_40", "16_16_40", "32_32_40"]
    for mip in range(3):
        assert np.array_equal(read_layer(job.dest, mip), read_layer(source, mip + 1))
        assert Layer.open(job.dest).bounds(mip) == Layer.open(source).bounds(mip + 1)
    assert max(map(job.memory, job.pieces())) <= job.memory_limit


def test_a_pyramid_is_cut_out_and_moved_as_if_it_had_been_made_there(tmp_path: Path) -> None:
    array = voxels((64, 48, 8), "uint8")
    source = make_layer(tmp_path / "source", array, offset=(3, 5, 1))
    do(Downsample(source, num_mips=2))
    box = Box((3 + 16, 5 + 8, 1), (3 + 49, 5 + 48, 1 + 7))
    moved, made = (
        Transfer(source, str(tmp_path / name), bounds=box, translate=(7, -40, 2), chunk_size=(8, 8, 4), **options)
        for name, options in (("moved", {"all_mips": True}), ("made", {"num_mips": 2}))
    )
    do(moved)
    do(made)
    assert info_of(moved.dest) == info_of(made.dest)
    for mip in (1, 2):  # where the cut ends within a voxel of a mip, that one has been made of what was cut off, too
        inner = tuple(slice(0, n) for n in (33 // 2**mip, 40 // 2**mip, 7))
        assert np.array_equal(read_layer(moved.dest, mip)[inner], read_layer(made.dest, mip)[inner])


def test_missing_chunks_stay_missing_where_chunks_stay(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 16, 8), "uint8") | 1)
    (tmp_path / "source" / "4_4_40" / "16-24_0-8_0-8.gz").unlink()
    same, other, encoded = (
        Transfer(source, str(tmp_path / name), fill_missing=True, **options)
        for name, options in (("same", {}), ("other", {"chunk_size": (8, 4, 8)}), ("encoded", {"encoding": "png"}))
    )
    for job in (same, other, encoded):
        do(job)
    for job in (same, encoded):
        assert len(chunks(job.dest)) == 7
        assert not [key for key in chunks(job.dest) if "/16-24_0-8" in key]
    assert len(chunks(other.dest)) == 16
    assert not read_layer(other.dest, 0)[16:24, :8].any()
    assert read_layer(other.dest, 0)[:16].all()


@pytest.mark.parametrize("sharded", [False, True])
def test_a_chunk_that_is_gone_is_gone_from_the_copy_too(tmp_path: Path, sharded: bool) -> None:
    array = voxels((32, 16, 8), "uint8") | 1
    job = Transfer(make_layer(tmp_path / "source", array), str(tmp_path / "dest"), fill_missing=True, sharded=sharded)
    do(job)
    assert np.array_equal(read_layer(job.dest, 0), array)
    (tmp_path / "source" / "4_4_40" / "16-24_0-8_0-8.gz").unlink()
    run_pieces(job, list(job.pieces()))
    array[16:24, :8] = 0
    layer = Layer.open(job.dest)
    with pytest.raises(BadInput, match="is missing"):
        layer.read(layer.bounds(0), 0)
    assert np.array_equal(layer.read(layer.bounds(0), 0, fill_missing=True), array)


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("options", [{}, {"chunk_size": (4, 8, 8)}, {"encoding": "png", "num_mips": 1}])
def test_background_is_left_out_where_asked(tmp_path: Path, sharded: bool, options: dict[str, Any]) -> None:
    array = voxels((32, 16, 8), "uint8") | 1
    array[8:24] = 0
    source = make_layer(tmp_path / "source", array)
    job = Transfer(source, str(tmp_path / "dest"), skip_background=True, sharded=sharded, **options)
    do(job)
    layer = Layer.open(job.dest)
    assert np.array_equal(layer.read(layer.bounds(0), 0, fill_missing=True), array)
    if sharded:
        return
    expected = {0: 8 if "chunk_size" in options else 4, 1: 2}
    for mip, scale in enumerate(layer.info.scales):
        assert len([key for key in chunks(job.dest) if key.startswith(f"{scale.key}/")]) == expected[mip]


OPTIONS: list[dict[str, Any]] = [
    {"sharded": True},
    {"chunk_size": (10, 9, 5), "shape": (20, 18, 10), "num_mips": 0},
    {"encoding": "png", "num_mips": 2, "shape": (32, 32, 8)},
    {"sharded": True, "num_mips": 1, "encoding": "png"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_running_again_and_side_by_side_changes_no_byte(tmp_path: Path, options: dict[str, Any]) -> None:
    source = make_layer(tmp_path / "source", voxels((70, 50, 9), "uint8"), offset=(3, 5, 1))
    alone = with_memory(Transfer(source, str(tmp_path / "alone"), **options), 0.2)
    shared = with_memory(Transfer(source, str(tmp_path / "shared"), **options), 0.2)
    do(alone)
    assert len(alone.pieces()) > 1
    before = files_of(alone.dest)
    alone.prepare()
    run_pieces(alone, list(alone.pieces()))
    assert files_of(alone.dest) == before

    shared.prepare()
    pieces = list(shared.pieces())
    context = multiprocessing.get_context("fork")
    parts = (pieces, pieces[::-1], pieces[::2])
    workers = [context.Process(target=run_pieces, args=(shared, part)) for part in parts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert chunks(shared.dest) == chunks(alone.dest)


@pytest.mark.parametrize("options", OPTIONS)
def test_outputs_are_what_a_piece_leaves(tmp_path: Path, options: dict[str, Any]) -> None:
    source = make_layer(tmp_path / "source", voxels((70, 50, 9), "uint8"), offset=(3, 5, 1))
    job = with_memory(Transfer(source, str(tmp_path / "dest"), **options), 0.2)
    planned = [set(job.outputs(piece)) for piece in job.pieces()]
    job.prepare()
    for piece, outputs in zip(job.pieces(), planned, strict=True):
        TALLY.begin(job.home())
        job.run(piece)
        assert outputs == set(TALLY.end().outputs) == set(job.outputs(piece))
