"""`image ccl faces`, `links`, `resolve` and `relabel` on real layers: against cc3d on the whole volume."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import Vec, files_of, make_layer, read_layer, voxels
from tasks.image.ccl.components import Array, assert_same_components, do, expected, stages

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.components import destination
from teravox.pipeline.components.local_labels import LocalLabels
from teravox.pipeline.errors import BadInput, BadUsage, Fatal
from teravox.pipeline.job import AnyJob
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.registry import Registry
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.image.ccl.faces import Faces
from teravox.tasks.image.ccl.links import Links
from teravox.tasks.image.ccl.relabel import Relabel
from teravox.tasks.image.ccl.resolve import Resolve


def read(path: str) -> Array:
    layer = Layer.open(path, fresh=True)
    array: Array = layer.read(layer.bounds(0), 0)[..., 0]
    return array


def noise(size: Vec, dtype: str, seed: int, values: int = 3) -> Array:
    return np.asfortranarray(np.random.default_rng(seed).integers(0, values, (*size, 1)).astype(dtype))


few = st.integers(1, 4)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(1, 22), st.integers(1, 22), st.integers(1, 12)),
    offset=st.tuples(*[st.integers(-40, 40)] * 3),
    chunk=st.tuples(few, few, few),
    times=st.tuples(*[st.integers(1, 3)] * 3),
    connectivity=st.sampled_from([6, 18, 26]),
    dtype=st.sampled_from(["uint8", "int16", "uint32", "uint64"]),
    texture=st.sampled_from(["blocks", "noise", "sparse"]),
    thresholds=st.sampled_from([(None, None), (None, None), (1, None), (None, 1), (0.5, 1.5)]),
    dust=st.sampled_from([0, 0, 2, 7]),
    group=st.tuples(*[st.integers(2, 3)] * 3),
    encoding=st.sampled_from(["compressed_segmentation", "compresso", "crackle", "raw"]),
    sharded=st.booleans(),
    random=st.randoms(use_true_random=True),
)
def test_pieces_make_the_components_of_the_whole_volume(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    times: Vec,
    connectivity: int,
    dtype: str,
    texture: str,
    thresholds: tuple[float | None, float | None],
    dust: int,
    group: Vec,
    encoding: str,
    sharded: bool,
    random: Any,
) -> None:
    seed = random.randrange(1000)
    if texture == "blocks":
        array = voxels(size, dtype, labels=4, seed=seed)
    else:
        array = noise(size, dtype, seed) * (noise(size, dtype, seed + 1, 4) == 1) ** (texture == "sparse")
    folder = tmp_path_factory.mktemp("ccl")
    source = make_layer(folder / "source", np.asfortranarray(array.astype(dtype)), offset=offset, compress=False)
    low, high = thresholds
    shape = tuple(c * t for c, t in zip(chunk, times, strict=True))
    options = {"shape": shape, "chunk_size": chunk, "connectivity": connectivity, "dust": dust, "group": group}
    options |= {"threshold_gte": low, "threshold_lte": high, "encoding": encoding, "sharded": sharded}
    dest = str(folder / "dest")
    do(stages(source, dest, **options), lambda pieces: random.sample(pieces, len(pieces)))
    whole = array[..., 0]
    if low is not None or high is not None:
        whole = (
            np.ones(size, bool) & (whole >= (-1e9 if low is None else low)) & (whole <= (1e9 if high is None else high))
        )
    assert_same_components(read(dest), expected(whole, connectivity, dust))
    scale = Layer.open(dest).scale(0)
    assert (scale.bounds, scale.chunk, scale.encoding) == (Layer.open(source).bounds(0), chunk, encoding)


@pytest.mark.parametrize("offset", [(100, 70, 60), (-64, 0, 0), (-7, 13, 5)])
def test_an_offset_that_no_piece_divides_changes_nothing(tmp_path: Path, offset: Vec) -> None:
    array = voxels((50, 41, 17), "uint32", labels=3)
    source = make_layer(tmp_path / "source", array, offset=offset, type="segmentation")
    do(stages(source, str(tmp_path / "dest"), shape=(16, 16, 16)))
    assert Layer.open(str(tmp_path / "dest")).bounds(0).min == offset
    assert_same_components(read(str(tmp_path / "dest")), expected(array[..., 0], 6))


def test_dust_is_what_is_small_in_the_whole_volume(tmp_path: Path) -> None:
    array = np.zeros((32, 16, 8, 1), np.uint8, order="F")
    array[0:17, 2, 2] = 1  # 17 voxels, of which one lies in the second box
    array[14:18, 8, 2] = 1  # 4 voxels, 2 in each box
    array[15:17, 12, 2] = 1  # 2 voxels, 1 in each box
    source = make_layer(tmp_path / "source", array)
    do(stages(source, str(tmp_path / "dest"), shape=(16, 16, 8), dust=4))
    found = read(str(tmp_path / "dest"))
    assert len(set(found[0:17, 2, 2].tolist())) == 1 and found[16, 2, 2] != 0
    assert len(set(found[14:18, 8, 2].tolist())) == 1 and found[17, 8, 2] != 0
    assert not found[:, 12].any()
    assert (found > 0).sum() == 21


def test_one_long_component_goes_through_every_level(tmp_path: Path) -> None:
    array = np.zeros((40, 3, 3, 1), np.uint8, order="F")
    array[:, 1, 1] = 7
    source = make_layer(tmp_path / "source", array)
    jobs = stages(source, str(tmp_path / "dest"), shape=(2, 3, 3), chunk_size=(2, 3, 3), group=(2, 2, 2))
    assert sum(isinstance(job, Resolve) for job in jobs) == 9  # 20 boxes, in 5 levels up and 4 down
    do(jobs)
    assert np.array_equal(read(str(tmp_path / "dest")), array[..., 0] > 0)


def made(dest: str) -> dict[str, bytes]:
    return {key: data for key, data in files_of(dest).items() if key != "provenance"}


def test_pieces_again_and_in_any_order_change_no_byte(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((40, 30, 9), "uint16", labels=3), offset=(3, -5, 1))
    options = {"shape": (16, 16, 8), "connectivity": 26, "dust": 5, "group": (2, 2, 2)}
    one, other = (str(tmp_path / name) for name in ("one", "other"))
    do(stages(source, one, **options))
    do(stages(source, other, **options), lambda pieces: [*pieces[::-1], *pieces])
    once = made(one)
    assert once == made(other)
    do(stages(source, one, **options), lambda pieces: pieces[1::2])
    assert made(one) == once


@pytest.mark.parametrize("encoding", ["compressed_segmentation", "compresso"])
@pytest.mark.parametrize("dust", [0, 60])
def test_however_labels_are_kept_the_result_is_the_same(tmp_path: Path, encoding: str, dust: int) -> None:
    source = make_layer(tmp_path / "source", voxels((40, 30, 9), "uint16", labels=3))
    options = {"shape": (16, 16, 8), "dust": dust}
    results = []
    for kept in ("compressed_segmentation", "compresso", "raw"):
        dest = str(tmp_path / kept)
        faces, *_ = stages(source, dest, encoding=kept, **options)
        _, *others = stages(source, dest, encoding=encoding, **options)
        do([faces, *others])
        results.append(read(dest))
    assert_same_components(results[0], expected(voxels((40, 30, 9), "uint16", labels=3)[..., 0], 6, dust))
    assert all(np.array_equal(result, results[0]) for result in results)
    if encoding == "compresso":  # which is packed anew where labels are dropped, so that no edges are between what is 0
        assert chunks(tmp_path / "compresso") == chunks(tmp_path / "raw")


def test_labels_that_are_kept_as_they_will_be_written_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = voxels((32, 32, 16), "uint16", labels=3)
    source = make_layer(tmp_path / "source", array)
    monkeypatch.setattr(LocalLabels, "relabel", None)
    for encoding in ("compressed_segmentation", "compresso"):
        do(stages(source, str(tmp_path / encoding), shape=(16, 16, 16), chunk_size=(16, 16, 16), encoding=encoding))
        found = read(str(tmp_path / encoding))
        assert_same_components(found, expected(array[..., 0], 6))


def chunks(folder: Path) -> dict[str, bytes]:
    return {key: data for key, data in files_of(str(folder)).items() if key.startswith("4_4_40/")}


def run_pieces(job: AnyJob, pieces: list[Box]) -> None:
    for piece in pieces:
        job.run(piece)


def test_pieces_run_side_by_side(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((40, 30, 9), "uint16", labels=3))
    alone, shared = (str(tmp_path / name) for name in ("alone", "shared"))
    do(stages(source, alone, shape=(16, 16, 8), group=(2, 2, 2)))
    for job in stages(source, shared, shape=(16, 16, 8), group=(2, 2, 2)):
        job.prepare()
        pieces = list(job.pieces())
        context = multiprocessing.get_context("fork")
        workers = [context.Process(target=run_pieces, args=(job, part)) for part in (pieces, pieces[::-1])]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
            assert worker.exitcode == 0
    assert made(shared) == made(alone)


def test_outputs_are_what_pieces_leave(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((20, 20, 9), "uint16", labels=3))
    for sharded in (False, True):
        for job in stages(source, str(tmp_path / f"dest{sharded}"), shape=(8, 8, 8), group=(2, 2, 2), sharded=sharded):
            job.prepare()
            for piece in job.pieces():
                TALLY.begin(job.home())
                job.run(piece)
                tallied = TALLY.end()
                assert set(job.outputs(piece)) == set(tallied.outputs)
                assert tallied.bytes_in > 0


@pytest.mark.parametrize("encoding", ["compressed_segmentation", "raw"])
def test_other_readers_read_the_result(tmp_path: Path, encoding: str) -> None:
    import tensorstore

    array = voxels((40, 33, 9), "uint16", labels=3)
    source = make_layer(tmp_path / "source", array, offset=(7, -5, 3), resolution=(4.5, 4, 40))
    for sharded in (False, True):
        dest = str(tmp_path / f"dest{sharded}")
        do(stages(source, dest, shape=(16, 16, 8), encoding=encoding, sharded=sharded, compress="none"))
        spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": f"{dest}/"}}
        found = tensorstore.open(spec, read=True).result().read().result()[..., 0]
        assert_same_components(found, expected(array[..., 0], 6))
        assert np.array_equal(read_layer(dest, 0)[..., 0], found)
        info = json.loads(Path(dest, "info").read_text())
        assert (info["type"], info["data_type"], info["num_channels"]) == ("segmentation", "uint32", 1)
        assert info["scales"][0]["resolution"] == [4.5, 4, 40]


@pytest.mark.parametrize("encoding", ["compressed_segmentation", "compresso", "crackle", "raw"])
def test_more_labels_than_uint32_holds_are_uint64(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    assert destination.data_type_for(2**32 - 1) == "uint32"
    assert destination.data_type_for(2**32) == "uint64"
    monkeypatch.setattr(destination, "data_type_for", lambda _: "uint64")
    array = voxels((20, 20, 9), "uint8", labels=3)
    source = make_layer(tmp_path / "source", array)
    do(stages(source, str(tmp_path / "dest"), shape=(8, 8, 8), encoding=encoding, sharded=True))
    assert Layer.open(str(tmp_path / "dest")).dtype == np.uint64
    assert_same_components(read(str(tmp_path / "dest")), expected(array[..., 0], 6))


def test_a_part_of_a_mip_is_labelled_on_its_own(tmp_path: Path) -> None:
    from teravox.tasks.image.downsample import Downsample

    array = voxels((64, 48, 9), "uint32", labels=3)
    source = make_layer(tmp_path / "source", array, offset=(10, 0, 0), type="segmentation")
    do([Downsample(source, num_mips=1)])
    dest = str(tmp_path / "dest")
    do(stages(source, dest, mip=1, bounds=Box((9, 3, 1), (30, 100, 8)), shape=(8, 8, 8)))
    below = Layer.open(source).read(Box((9, 3, 1), (30, 24, 8)), 1)[..., 0]
    scale = Layer.open(dest).scale(0)
    assert scale.bounds == Box((9, 3, 1), (30, 24, 8))
    assert scale.resolution == (8, 8, 40)
    assert_same_components(read(dest), expected(below, 6))


def test_a_missing_chunk_is_an_error_or_background(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", np.ones((24, 8, 8, 1), np.uint8, order="F"))
    (tmp_path / "source/4_4_40/8-16_0-8_0-8.gz").unlink()
    with pytest.raises(BadInput, match=r"is missing; pass --fill-missing"):
        do(stages(source, str(tmp_path / "dest"), shape=(8, 8, 8)))
    do(stages(source, str(tmp_path / "filled"), shape=(8, 8, 8), fill_missing=True))
    assert read(str(tmp_path / "filled"))[:, 0, 0].tolist() == [1] * 8 + [0] * 8 + [2] * 8


def test_a_volume_without_components_is_background(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", np.zeros((24, 9, 8, 1), np.uint8, order="F"))
    do(stages(source, str(tmp_path / "dest"), shape=(8, 8, 8), dust=3, group=(2, 2, 2)))
    assert not read(str(tmp_path / "dest")).any()


def test_fractions_are_labelled_by_thresholds(tmp_path: Path) -> None:
    array = voxels((20, 20, 9), "float32")
    source = make_layer(tmp_path / "source", array)
    with pytest.raises(BadUsage, match=r"--threshold-gte: .* holds fractions"):
        Faces(source, str(tmp_path / "dest")).prepare()
    do(stages(source, str(tmp_path / "dest"), shape=(8, 8, 8), threshold_gte=20.5))
    assert_same_components(read(str(tmp_path / "dest")), expected(array[..., 0] >= 20.5, 6))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"connectivity": 8}, "--connectivity: expected 6, 18 or 26, got 8"),
        ({"threshold_gte": 5, "threshold_lte": 4}, "--threshold-lte"),
        ({"bounds": Box((90, 0, 0), (99, 9, 9))}, "--bounds: .* lies outside"),
        ({"shape": (12, 8, 8)}, "--shape: expected multiples of the chunks"),
        ({"shape": (0, 8, 8)}, "--shape"),
        ({"chunk_size": (0, 8, 8)}, "--chunk-size"),
        ({"memory_limit": 100_000_000}, "--memory"),
        ({"shape": (32, 32, 8), "memory_limit": LIBRARIES + 10_000}, "--shape: a piece of .* needs"),
        ({"channels": 2}, "2 channels"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    source = make_layer(tmp_path / "source", voxels((64, 32, 8), "uint8", channels=options.pop("channels", 1)))
    for kind in (Faces, Links, Resolve, Relabel):
        with pytest.raises(BadUsage, match=words):
            kind(source, str(tmp_path / "dest"), **options).prepare()
    assert not (tmp_path / "dest").exists()


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (Resolve, {"group": (1, 8, 8)}, "--group"),
        (Resolve, {"step": 2}, "--step: 1 are enough"),
        (Relabel, {"compress": "gzip", "compress_level": 99}, "--compress-level"),
        (Relabel, {"sharded": True, "compress": "br"}, "--compress"),
    ],
)
def test_nonsense_of_later_stages_is_refused(tmp_path: Path, kind: Any, options: dict[str, Any], words: str) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 32, 8), "uint8", labels=3))
    dest = str(tmp_path / "dest")
    do(stages(source, dest, shape=(8, 8, 8))[:3])
    before = files_of(dest)
    with pytest.raises(BadUsage, match=words):
        kind(source, dest, shape=(8, 8, 8), **options).prepare()
    assert files_of(dest) == before


def test_a_group_that_needs_too_much_memory_is_refused(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", noise((64, 64, 16), "uint8", 0, 200))
    options: dict[str, Any] = {"shape": (16, 16, 8), "memory_limit": LIBRARIES + 1_000_000}
    do(stages(source, str(tmp_path / "dest"), **options)[:2])
    with pytest.raises(BadUsage, match=r"--group: a task that joins \(8, 8, 8\) needs up to"):
        Resolve(source, str(tmp_path / "dest"), **options).prepare()


def test_the_source_is_not_the_destination(tmp_path: Path) -> None:
    source = make_layer(tmp_path, voxels((32, 32, 8), "uint8"))
    with pytest.raises(BadUsage, match="DEST: it is SOURCE"):
        Faces(source, f"file://{source}/").prepare()
    with pytest.raises(Fatal, match="there is no layer at"):
        Faces(str(tmp_path / "none"), source).prepare()
    with pytest.raises(BadInput, match="has no mip 2"):
        Faces(source, str(tmp_path / "dest"), mip=2).prepare()


def test_a_destination_that_is_another_layer_is_left_alone(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 32, 8), "uint8", labels=3))
    dest = make_layer(tmp_path / "dest", voxels((32, 32, 9), "uint32"), type="segmentation")
    with pytest.raises(BadUsage, match="has a scale 4_4_40 already, and it differs: "):
        Relabel(source, dest).check_destination()
    before = (tmp_path / "dest/info").read_bytes()
    with pytest.raises(BadUsage, match="and it differs"):
        do(stages(source, dest, shape=(8, 8, 8)))
    assert (tmp_path / "dest/info").read_bytes() == before


def test_a_stage_waits_for_all_of_the_one_before(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 32, 8), "uint8", labels=3))
    dest = str(tmp_path / "dest")
    jobs = stages(source, dest, shape=(8, 8, 8), group=(2, 2, 2))
    makers = ["faces", "links", "resolve", "resolve", "resolve"]
    for job, after, maker in zip(jobs[:-1], jobs[1:], makers, strict=True):
        job.prepare()
        for piece in job.pieces()[1:]:
            job.run(piece)
        with pytest.raises(BadUsage, match=rf"files: first run `teravox image ccl {maker}` to its end"):
            after.prepare()
        job.run(job.pieces()[0])
        after.prepare()
    assert (tmp_path / "dest/info").exists()


@pytest.mark.parametrize("damage", ["missing", "empty", "cut off", "flipped"])
@pytest.mark.parametrize(
    ("stage", "reader"),
    [("faces", Links), ("links", Resolve), ("labels", Relabel), ("faces", Relabel), ("joined-*/given-0", Relabel)],
)
def test_damaged_files_of_a_stage_are_named(tmp_path: Path, stage: str, reader: type[AnyJob], damage: str) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 32, 8), "uint8", labels=3))
    dest = str(tmp_path / "dest")
    jobs = stages(source, dest, shape=(16, 16, 8))
    do(jobs)
    (file,) = (tmp_path / "dest/ccl").glob(f"*/{stage}/0")
    data = file.read_bytes()
    job = next(job for job in jobs if isinstance(job, reader))
    if damage == "missing":
        file.unlink()
    elif damage == "flipped":
        at = 16 + int.from_bytes(data[8:12], "little") + 1  # in the first array
        file.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    else:
        file.write_bytes(b"" if damage == "empty" else data[: len(data) * 2 // 3])
    with pytest.raises(BadInput, match=r"/0 (is missing|cannot be read).*; run `teravox image ccl \w+` again"):
        job.run(job.pieces()[0])


def test_every_flipped_bit_of_a_stage_file_is_seen(tmp_path: Path) -> None:
    from teravox.pipeline.bundle import pack_bundle, read_bundle

    store = open_store(str(tmp_path))

    def read_all() -> None:
        bundle = read_bundle(store, "file", "make it again")
        assert bundle.numbers == {"before": 5}
        assert (bundle.get("labels").sum(), bundle.get("none").shape) == (1770, (0, 2))

    data = pack_bundle({"before": 5}, {"labels": np.arange(60, dtype=np.uint32), "none": np.zeros((0, 2), np.uint8)})
    store.put("file", data)
    read_all()
    for at in range(len(data)):
        store.put("file", data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        with pytest.raises(BadInput, match="make it again"):
            read_all()


def test_the_record_of_a_labelling_is_in_the_provenance_once(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((16, 16, 8), "uint8", labels=3))
    for _ in range(2):
        do(stages(source, str(tmp_path / "dest"), dust=3, connectivity=26))
    (record,) = json.loads((tmp_path / "dest/provenance").read_text())["processing"]
    assert record["method"]["task"] == "image ccl relabel"
    assert (record["method"]["source"], record["method"]["dust"]) == (source, 3)


def test_json_has_the_names_of_the_options() -> None:
    for name, kind in (("faces", Faces), ("links", Links), ("resolve", Resolve), ("relabel", Relabel)):
        job = kind("s", "d", memory_limit=5, threshold_gte=5)
        written = msgspec.json.decode(msgspec.json.encode(job))
        assert written["memory"] == 5
        again = msgspec.json.decode(msgspec.json.encode(job), type=kind)
        assert again == job
        assert again.folder == job.folder  # 5 has become 5.0 on its way to a worker
        assert Registry().find(f"image ccl {name}") is kind


def test_labellings_of_other_options_do_not_meet(tmp_path: Path) -> None:
    same = Faces("s", "d", shape=(8, 8, 8))
    replace = msgspec.structs.replace
    others = [replace(same, mip=1), replace(same, connectivity=26), replace(same, shape=(8, 8, 16))]
    others += [replace(same, threshold_lte=1.0), replace(same, fill_missing=True)]
    assert len({job.folder for job in (same, *others)}) == 6
    assert Faces("s", "elsewhere", shape=(8, 8, 8)).folder == same.folder
    assert Relabel("s", "d", dust=1).joined != Relabel("s", "d", dust=2).joined
    assert Relabel("s", "d", dust=1).folder == Faces("s", "d", dust=2).folder
    assert Relabel("s", "d", dust=1).folder != Faces("s", "d").folder  # which keeps no sizes
    assert Relabel("s", "d", dust=1).joined == Resolve("s", "d", dust=1, step=2).joined


RUN_ALONE = """
import sys
from pathlib import Path
from teravox.pipeline.message import decode
from teravox.pipeline.registry import Registry
from teravox.pipeline.worker.memory import forget_peak
task = decode(Path(sys.argv[1]).read_bytes(), Registry())
def look(word):
    return int(Path("/proc/self/status").read_text().split(word)[1].split()[0]) * 1024
task.job.run(task.piece)
print(look("VmHWM:"))  # ru_maxrss would tell of the parent, too
loaded = look("VmRSS:")
forget_peak()
task.job.run(task.piece)
print(look("VmHWM:") - loaded)
"""


@pytest.mark.parametrize(
    ("dtype", "values", "encoding"), [("uint64", None, "compresso"), ("uint8", 2, "compressed_segmentation")]
)
def test_a_piece_needs_no_more_memory_than_it_says(
    tmp_path: Path, dtype: str, values: int | None, encoding: str
) -> None:
    """Where every voxel is a component of its own there is as much to keep as there can be."""
    from teravox.pipeline.message import encode

    size = (128, 128, 128)
    array = np.arange(1, 128**3 + 1).reshape((*size, 1)) if values is None else noise(size, "uint8", 0, values)
    source = make_layer(
        tmp_path / "source",
        np.asfortranarray(array.astype(dtype)),
        chunk=(32, 32, 32),
        compress=False,
        type="segmentation",
    )
    dest = str(tmp_path / "dest")
    for job in stages(source, dest, shape=(128, 128, 96), connectivity=26, group=(2, 2, 2), encoding=encoding):
        kind = Registry().name_of(job)
        job.prepare()
        first, *others = job.pieces()
        (entry,) = encode(kind, job, [first])
        (tmp_path / "task").write_bytes(entry.body)
        ran = subprocess.run(
            [sys.executable, "-c", RUN_ALONE, str(tmp_path / "task")], capture_output=True, text=True, check=True
        )
        promised = job.memory(first)
        whole, without_libraries = map(int, ran.stdout.split())
        assert whole <= promised <= 3_500_000_000
        assert without_libraries <= promised - LIBRARIES + 4_000_000
        for piece in others:
            job.run(piece)


@pytest.fixture
def real() -> Path:
    """The folder of real volumes."""
    folder = os.environ.get("TERAVOX_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("TERAVOX_DATA names no folder with real volumes")
    return Path(folder)


@pytest.mark.parametrize("connectivity", [6, 26])
def test_the_cavities_of_a_bone_are_those_of_cc3d(tmp_path: Path, real: Path, connectivity: int) -> None:
    mask = np.load(real / "qbi_bone_ct/bone_7H3A_B1.npz")["mask"][100:200, 50:150, 100:180]
    holes = np.asfortranarray((mask == 0)[..., np.newaxis].astype(np.uint8))
    source = make_layer(tmp_path / "source", holes, chunk=(32, 32, 32), offset=(5, 3, 1))
    dest = str(tmp_path / "dest")
    do(stages(source, dest, shape=(64, 64, 64), connectivity=connectivity, threshold_gte=1, dust=5))
    assert_same_components(read(dest), expected(holes[..., 0], connectivity, 5))


def test_the_components_of_a_real_segmentation_are_those_of_cc3d(tmp_path: Path, real: Path) -> None:
    labels = np.load(real / "fib25_medulla/train_z000-130.npz")["overseg"].transpose(2, 1, 0)[:100, :120, :100]
    array = np.asfortranarray(labels[..., np.newaxis])
    source = make_layer(
        tmp_path / "source", array, chunk=(64, 64, 64), type="segmentation", encoding="compressed_segmentation"
    )
    dest = str(tmp_path / "dest")
    do(stages(source, dest, shape=(64, 128, 64), group=(2, 2, 2)))
    assert_same_components(read(dest), expected(array[..., 0], 6))
