"""`image reorder` on real layers, against NumPy on the whole volume."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Vec, files_of, make_layer, read_layer, voxels
from memory_alone import measure_memory

from teravox.cli.main import main
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.chunk_source import ChunkSource
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.image.reorder import Reorder


def write(path: Path, mapping: Mapping[int, int | None] | str) -> KnownFile:
    path.write_text(mapping if isinstance(mapping, str) else json.dumps(mapping), "utf-8")
    return KnownFile.at(str(path))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(1, 20)] * 3),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    chunk=st.tuples(*[st.integers(1, 8)] * 3),
    new_chunk=st.none() | st.tuples(*[st.integers(1, 8)] * 3),
    times=st.none() | st.tuples(*[st.integers(1, 3)] * 3),
    channels=st.integers(1, 2),
    dtype=st.sampled_from(["uint8", "uint64", "float32"]),
    unlisted=st.sampled_from(["blank", "same"]),
    is_sharded=st.booleans(),
    random=st.randoms(use_true_random=True),
)
def test_pieces_make_what_numpy_makes_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    new_chunk: Vec | None,
    times: Vec | None,
    channels: int,
    dtype: str,
    unlisted: Any,
    is_sharded: bool,
    random: Any,
) -> None:
    folder = tmp_path_factory.mktemp("layers")
    array = voxels(size, dtype, channels=channels)
    src = make_layer(folder / "src", array, chunk=chunk, offset=offset, compress=False)
    slices = [random.choice([None, *range(size[2])]) for _ in range(size[2])]
    listed = [at for at in range(size[2]) if random.random() < 0.8]
    z0 = offset[2]
    mapping = {at + z0: None if (z := slices[at]) is None else z + z0 for at in listed}
    cell = new_chunk or chunk
    shape = None
    if times is not None and not is_sharded:
        shape = (cell[0] * times[0], cell[1] * times[1], cell[2] * times[2])
    job = Reorder(
        src,
        str(folder / "dest"),
        write(folder / "map.json", mapping),
        unlisted=unlisted,
        chunk_size=new_chunk,
        shape=shape,
        sharded=is_sharded,
    )
    job.prepare()
    pieces = list(job.pieces())
    for piece in random.sample(pieces * 2, 2 * len(pieces)):
        job.run(piece)
    job.finish()
    expected = array.copy() if unlisted == "same" else np.zeros_like(array)
    for at in listed:
        z = slices[at]
        expected[:, :, at] = 0 if z is None else array[:, :, z]
    layer = Layer.open(job.dest)
    assert layer.bounds(0) == Layer.open(src).bounds(0)
    assert np.array_equal(layer.read(layer.bounds(0), 0), expected)
    assert layer.scale(0).chunk == cell
    before = files_of(job.dest)
    for piece in pieces:
        job.run(piece)
    assert files_of(job.dest) == before


@pytest.mark.parametrize(
    ("encoding", "dtype", "type"),
    [("raw", "uint16", "image"), ("png", "uint8", "image"), ("compressed_segmentation", "uint64", "segmentation")],
)
def test_cloudvolume_reads_the_result(tmp_path: Path, encoding: str, dtype: str, type: str) -> None:
    array = voxels((20, 18, 10), dtype, labels=20)
    src = make_layer(tmp_path / "src", array, encoding=encoding, type=type, offset=(3, 4, -5))
    order = np.random.default_rng(0).permutation(10)
    mapping = {at - 5: int(z) - 5 for at, z in enumerate(order)}
    dest = str(tmp_path / "dest")
    do(Reorder(src, dest, write(tmp_path / "map.json", mapping)))
    assert np.array_equal(read_layer(dest, 0), array[:, :, order])
    infos = [json.loads((tmp_path / name / "info").read_text()) for name in ("src", "dest")]
    for word in ("key", "size", "voxel_offset", "resolution", "encoding", "chunk_sizes"):
        assert infos[0]["scales"][0][word] == infos[1]["scales"][0][word]
    assert "image reorder" in (tmp_path / "dest/provenance").read_text()


def test_a_part_can_be_reordered_with_slices_from_everywhere(tmp_path: Path) -> None:
    array = voxels((20, 18, 10), "uint8")
    src = make_layer(tmp_path / "src", array, offset=(1, 2, 3))
    dest = str(tmp_path / "dest")
    mapping = write(tmp_path / "map.json", {5: 12, 6: 3})
    do(Reorder(src, dest, mapping, bounds=Box((4, 5, 5), (15, 10, 7)), encoding="png"))
    assert np.array_equal(read_layer(dest, 0), array[3:14, 3:8][:, :, [9, 0]])


def test_each_chunk_of_the_source_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = voxels((32, 16, 64), "uint8")
    src = make_layer(tmp_path / "src", array)
    order = np.random.default_rng(0).permutation(64).tolist()
    decoded: Counter[Box] = Counter()
    decode = ChunkSource.decode

    def count(self: ChunkSource, chunk: Box, data: bytes) -> Any:
        decoded[chunk] += 1
        return decode(self, chunk, data)

    monkeypatch.setattr(ChunkSource, "decode", count)
    do(Reorder(src, str(tmp_path / "dest"), write(tmp_path / "map.json", dict(enumerate(order)))))
    assert len(decoded) == 4 * 2 * 8
    assert set(decoded.values()) == {1}


def test_only_slices_that_are_shown_are_read(tmp_path: Path) -> None:
    src = make_layer(tmp_path / "src", voxels((8, 8, 24), "uint8"))
    for name in ("0-8_0-8_0-8.gz", "0-8_0-8_16-24.gz"):
        (tmp_path / "src/4_4_40" / name).unlink()
    dest = str(tmp_path / "dest")
    do(Reorder(src, dest, write(tmp_path / "map.json", {z: 8 + z % 8 for z in range(24)})))
    read = read_layer(dest, 0)
    assert np.array_equal(read[:, :, :8], read[:, :, 16:])


def test_a_missing_chunk_is_an_error_or_background(tmp_path: Path) -> None:
    array = voxels((16, 8, 8), "uint8") | 1
    src = make_layer(tmp_path / "src", array)
    (tmp_path / "src/4_4_40/8-16_0-8_0-8.gz").unlink()
    options: dict[str, Any] = {"mapping": write(tmp_path / "map.json", {0: 1}), "unlisted": "same"}
    with pytest.raises(BadInput, match=r"8-16_0-8_0-8 .* is missing; pass --fill-missing"):
        do(Reorder(src, str(tmp_path / "one"), **options))
    do(Reorder(src, str(tmp_path / "two"), fill_missing=True, **options))
    read = read_layer(str(tmp_path / "two"), 0)
    assert read[:8].all()
    assert not read[8:].any()


def test_outputs_are_what_a_piece_leaves(tmp_path: Path) -> None:
    src = make_layer(tmp_path / "src", voxels((32, 16, 16), "uint8"), offset=(1, 1, 1))
    mapping = write(tmp_path / "map.json", {})
    for options in ({"shape": (16, 16, 8)}, {"sharded": True}):
        job = Reorder(
            src, str(tmp_path / f"dest-{len(options)}-{next(iter(options))}"), mapping, unlisted="same", **options
        )
        expected = [job.outputs(piece) for piece in job.pieces()]
        job.prepare()
        for piece, keys in zip(job.pieces(), expected, strict=True):
            TALLY.begin(job.dest)
            job.run(piece)
            assert set(TALLY.end().outputs) == set(keys)


CSVS = {
    "dest,source\n0,2\n1,1\n2,0\n": [2, 1, 0],
    "0, 2\r\n1, 1\r\n\r\n2, 0": [2, 1, 0],
    "\ufeffdest,source\n0,\n1,1\n2,1\n": [None, 1, 1],
    '{"0": 2, "1": 2, "2": null}': [2, 2, None],
}


@pytest.mark.parametrize("text", CSVS)
def test_a_mapping_is_json_or_csv(tmp_path: Path, text: str) -> None:
    src = make_layer(tmp_path / "src", voxels((4, 4, 3), "uint8"))
    job = Reorder(src, str(tmp_path / "dest"), write(tmp_path / "map", text))
    job.prepare()
    assert json.loads((tmp_path / "dest/reorder.json").read_text()) == {"first": 0, "slices": CSVS[text]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"0": 1, "1": 0, "0": 2}', "says twice what slice 0 of DEST is to show"),
        ("0,1\n1,0\n0,2\n", "says twice what slice 0"),
        ('{"3": 1}', "names slice 3, and DEST has slices 0 to 2"),
        ('{"-1": 1}', "names slice -1"),
        ('{"0": 3}', "puts slice 3 at slice 0 of DEST, and the source has slices 0 to 2"),
        ('{"0": 1}', "does not say what 2 of 3 slices of DEST are to show .*the first is 1"),
        ("", "does not say what 3 of 3"),
        ('{"0": 1.5}', "expected a whole number or null for slice 0, got 1.5"),
        ('{"0": true}', "expected a whole number or null"),
        ('{"0": {"1": 2}}', "expected a whole number or null"),
        ('{"zero": 1}', "expected the number of a slice, got 'zero'"),
        ("[0, 1, 2]", "must hold one object"),
        ('{"0": ', "is not JSON"),
        ("0,1\n1;0\n", "line 2: expected two columns, got 1"),
        ("0,1\n1,x\n", "line 2: expected the number of a slice, got 'x'"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, words: str) -> None:
    src = make_layer(tmp_path / "src", voxels((4, 4, 3), "uint8"))
    with pytest.raises(BadUsage, match=f"^--mapping: .*{words}"):
        Reorder(src, str(tmp_path / "dest"), write(tmp_path / "map", text)).prepare()
    assert not (tmp_path / "dest").exists()


def test_a_mapping_that_cannot_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    src = make_layer(tmp_path / "src", voxels((4, 4, 3), "uint8"))
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff\xfe")
    for name, words in (("none", "No such file"), ("picture", "it is not text"), ("", "Is a directory")):
        assert main(["image", "reorder", src, str(tmp_path / "dest"), "--mapping", str(tmp_path / name)]) == 2
        assert re.search(f"--mapping: cannot read .*: {words}", capsys.readouterr().err)
    assert not (tmp_path / "dest").exists()


def test_a_destination_of_another_mapping_stays(tmp_path: Path) -> None:
    src, dest = make_layer(tmp_path / "src", voxels((4, 4, 3), "uint8")), str(tmp_path / "dest")
    job = Reorder(src, dest, write(tmp_path / "map.json", {0: 1, 1: 0, 2: 2}))
    do(job)
    job.prepare()
    other = Reorder(src, dest, write(tmp_path / "map.json", {0: 2, 1: 0, 2: 2}))
    before = files_of(dest)
    with pytest.raises(BadUsage, match="was made by another mapping"):
        other.prepare()
    with pytest.raises(BadUsage, match=r"--mapping: .*map\.json has changed since the job was made: make the job anew"):
        job.prepare()
    assert files_of(dest) == before


def test_a_changed_mapping_is_another_job(tmp_path: Path) -> None:
    """Else its tasks would be known to the queue, or be done as the ledger says."""
    array = voxels((4, 4, 3), "uint8")
    src, dest, queue = make_layer(tmp_path / "src", array), tmp_path / "dest", str(tmp_path / "q")
    command = ["image", "reorder", src, str(dest), "--mapping", str(tmp_path / "map.json"), "--quiet"]
    write(tmp_path / "map.json", {0: 1, 1: 0, 2: 2})
    assert main([*command, "--queue", queue]) == 0
    assert main(["execute", queue, "--exit-on-empty", "--quiet"]) == 0
    shutil.rmtree(dest)
    write(tmp_path / "map.json", {0: 2, 1: 2, 2: 0})
    assert main([*command, "--queue", queue]) == 0
    assert main(["execute", queue, "--exit-on-empty", "--quiet"]) == 0
    assert np.array_equal(read_layer(str(dest), 0), array[:, :, [2, 2, 0]])
    (dest / "reorder.json").unlink()
    write(tmp_path / "map.json", {0: 0, 1: 2, 2: 1})
    assert main([*command, "--resume"]) == 0
    assert np.array_equal(read_layer(str(dest), 0), array[:, :, [0, 2, 1]])


def test_workers_need_no_mapping_file(tmp_path: Path) -> None:
    src = make_layer(tmp_path / "src", voxels((4, 4, 3), "uint8"))
    job = Reorder(src, str(tmp_path / "dest"), write(tmp_path / "map.json", {0: 1, 1: 0, 2: 2}))
    job.prepare()
    (tmp_path / "map.json").unlink()
    for piece in job.pieces():
        assert job.memory(piece) > 0
        job.run(piece)
    job.finish()
    (tmp_path / "dest/reorder.json").unlink()
    with pytest.raises(BadInput, match=r"reorder.json is missing, which says how slices are reordered"):
        job.run(job.pieces()[0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dest": "src"}, "DEST: .* is the layer that is read"),
        ({"shape": (7, 8, 8)}, "--shape: pieces must be multiples of 8,8,8"),
        ({"bounds": Box((0, 0, 0), (50, 8, 8))}, "--bounds: .* does not lie within"),
        ({"memory_limit": 1000}, "give it more --memory"),
        ({"chunk_size": (0, 8, 8)}, "--chunk-size"),
        ({"encoding": "jpeg"}, "jpeg encodes uint8"),
        ({"encoding_level": 5}, "--encoding-level: raw has none"),
        ({"compress_level": 50}, "--compress-level"),
        ({"sharded": True, "compress": "br"}, "--compress: shards"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    src = make_layer(tmp_path / "src", voxels((20, 20, 9), "uint16"))
    dest = str(tmp_path / options.pop("dest", "dest"))
    before = files_of(str(tmp_path))
    with pytest.raises(BadUsage, match=words):
        Reorder(src, dest, write(tmp_path / "map.json", {}), unlisted="same", **options).prepare()
    (tmp_path / "map.json").unlink()
    assert files_of(str(tmp_path)) == before


def test_the_command_reorders(tmp_path: Path) -> None:
    array = voxels((16, 16, 4), "uint8")
    src, dest = make_layer(tmp_path / "src", array), str(tmp_path / "dest")
    mapping = tmp_path / "map.csv"
    mapping.write_text("dest,source\n0,3\n3,0\n")
    assert main(["image", "reorder", src, dest, "--mapping", str(mapping), "--unlisted", "same"]) == 0
    assert np.array_equal(read_layer(dest, 0), array[:, :, [3, 1, 2, 0]])


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("is_sharded", [False, True])
def test_a_piece_needs_no_more_memory_than_it_says(tmp_path: Path, is_sharded: bool) -> None:
    array = np.asfortranarray(np.tile(voxels((64, 64, 64), "uint8"), (4, 4, 2, 1)))
    src = make_layer(tmp_path / "src", array, chunk=(64, 64, 64), compress=False)
    mapping = write(tmp_path / "map.json", {z: 127 - z for z in range(128)})
    job = Reorder(
        src, str(tmp_path / "dest"), mapping, shape=None if is_sharded else (256, 256, 128), sharded=is_sharded
    )
    job.prepare()
    assert measure_memory(job).peak <= job.memory(job.pieces()[0]) <= job.memory_limit
