"""What `image transfer` refuses, and what it says: before anything is written, or where the source is broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from layers.copies import do, info_of
from layers.make import files_of, make_layer, read_layer, voxels

from teravox.cli.main import main
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage, Fatal, TeravoxError
from teravox.pipeline.registry import Registry
from teravox.tasks.image.downsample import Downsample
from teravox.tasks.image.transfer import Transfer


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bounds": Box((40, 0, 0), (50, 8, 8))}, r"--bounds: 40,0,0:50,8,8 lies outside of mip 0 .* which is 0,0,0:32,16,8"),
        ({"bounds": Box((0, 0, 0), (33, 8, 8))}, r"--bounds: .* reaches beyond mip 0"),
        ({"offset": (1, 1, 1), "translate": (1, 1, 1)}, "give one of them"),
        ({"chunk_size": (8, 0, 8)}, "--chunk-size: expected"),
        ({"shape": (8, 0, 8)}, "--shape: expected"),
        ({"shape": (12, 8, 8)}, r"--shape: pieces .* must be multiples of 8,8,8 voxels, got 12,8,8"),
        ({"memory_limit": 1000}, r"--memory: pieces of 8,8,8 voxels .* need 370 MB, and 1.0 kB are allowed"),
        ({"memory_limit": 1000, "sharded": True}, r"--memory: pieces of 8,8,8 voxels"),
        ({"encoding": "compresso"}, "compresso encodes .* this layer holds int16"),
        ({"encoding_level": 5}, "--encoding-level: raw has none"),
        ({"encoding_effort": 5}, "--encoding-effort: raw has none"),
        ({"compress_level": 5}, "--compress-level: means nothing without --compress"),
        ({"compress": "none", "compress_level": 5}, "--compress-level: means nothing with --compress none"),
        ({"compress": "gzip", "compress_level": 13}, "gzip has levels 1 to 12, got 13"),
        ({"compress": "br", "sharded": True}, "--compress: shards can be packed with gzip or not at all"),
        ({"factor": (2, 2, 2)}, "--factor: means nothing without --num-mips"),
        ({"method": "max"}, "--method: means nothing without --num-mips"),
        ({"sparse": True}, "--sparse: means nothing without --num-mips"),
        ({"num_mips": 1, "all_mips": True}, "--all-mips copies .* give one of them"),
        ({"num_mips": 1, "factor": (1, 1, 1)}, "--factor: expected"),
        ({"num_mips": 1, "method": "stride", "sparse": True}, "--sparse: it changes averages and modes"),
        ({"num_mips": 9}, "--num-mips: after 5 the copy is of 1,1,8 voxels and cannot shrink further by 2,2,1"),
        ({"mip": 3}, "has no mip 3"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_before_anything_is_written(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 16, 8), "int16"))
    with pytest.raises(TeravoxError, match=words):
        Transfer(source, str(tmp_path / "dest"), **options).prepare()
    assert not (tmp_path / "dest").exists()


def test_labels_are_not_averaged(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 16, 8), "uint32"), type="segmentation")
    with pytest.raises(BadUsage, match="labels have no average"):
        Transfer(source, str(tmp_path / "dest"), num_mips=1, method="average").prepare()


@pytest.mark.parametrize("bounds", [Box((1, 0, 0), (20, 16, 8)), Box((2, 1, 0), (20, 16, 8))])
def test_a_pyramid_is_not_cut_within_a_voxel(tmp_path: Path, bounds: Box) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 16, 8), "uint8"))
    do(Downsample(source, num_mips=1))
    with pytest.raises(
        BadUsage, match=r"does not begin between voxels of mip 1, of which one is 2 of mip 0 along [xy]"
    ):
        Transfer(source, str(tmp_path / "dest"), all_mips=True, bounds=bounds).prepare()


def test_a_pyramid_of_odd_voxels_is_copied_only_whole(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((32, 16, 8), "uint8"))
    do(Downsample(source, num_mips=1))
    info = info_of(source)
    info["scales"][1]["resolution"] = [9, 9, 40]
    (tmp_path / "source" / "info").write_text(json.dumps(info))
    with pytest.raises(BadUsage, match="no whole number of those of mip 0 long"):
        Transfer(source, str(tmp_path / "moved"), all_mips=True, translate=(2, 0, 0)).prepare()
    do(Transfer(source, str(tmp_path / "whole"), all_mips=True))
    assert np.array_equal(read_layer(str(tmp_path / "whole"), 1), read_layer(source, 1))


@pytest.mark.parametrize(
    "spelling", ["{0}", "{0}/", "file://{0}", "file://{0}/", "precomputed://file://{0}", "{1}/link", "{0}/../source"]
)
def test_a_layer_is_not_copied_onto_itself(tmp_path: Path, spelling: str) -> None:
    source = make_layer(tmp_path / "source", voxels((16, 16, 8), "uint8"))
    (tmp_path / "link").symlink_to(tmp_path / "source")
    before = files_of(source)
    with pytest.raises(BadUsage, match=r"DEST: .* is the layer that is read"):
        Transfer(source, spelling.format(source, tmp_path), chunk_size=(4, 4, 4)).prepare()
    assert files_of(source) == before


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (["8,8,8", "uint16"], "data_type uint16, not uint8"),
        (["4,4,4", "uint8"], "has a scale 4_4_40 already, and it differs: chunk_sizes"),
    ],
)
def test_a_destination_that_holds_something_else_is_left_alone(tmp_path: Path, other: list[str], words: str) -> None:
    source = make_layer(tmp_path / "source", voxels((16, 16, 8), "uint8"))
    x, y, z = map(int, other[0].split(","))
    dest = make_layer(tmp_path / "dest", voxels((16, 16, 8), other[1]), chunk=(x, y, z))
    before = files_of(dest)
    with pytest.raises(BadUsage, match=words):
        Transfer(source, dest).prepare()
    assert files_of(dest) == before


def test_a_destination_of_another_mip_is_left_alone(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((16, 16, 8), "uint8"))
    do(Downsample(source, num_mips=1))
    do(Transfer(source, str(tmp_path / "dest")))
    with pytest.raises(BadUsage, match="is a layer already, without the scale 8_8_40"):
        Transfer(source, str(tmp_path / "dest"), mip=1).prepare()


def test_a_copy_has_nothing_of_the_info_but_its_scales(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((16, 16, 8), "uint32", labels=5), type="segmentation")
    info = info_of(source) | {"mesh": "mesh", "skeletons": "skeletons", "segment_properties": "names", "mine": 1}
    info["scales"][0] |= {"hidden": True, "jpeg_quality": 30, "key": "full"}
    (tmp_path / "source" / "info").write_text(json.dumps(info))
    (tmp_path / "source" / "4_4_40").rename(tmp_path / "source" / "full")
    do(Transfer(source, str(tmp_path / "dest")))
    copied = info_of(str(tmp_path / "dest"))
    assert set(copied) == {"@type", "type", "data_type", "num_channels", "scales"}
    assert copied["scales"] == [
        {
            "key": "full", "size": [16, 16, 8], "voxel_offset": [0, 0, 0], "resolution": [4, 4, 40],
            "chunk_sizes": [[8, 8, 8]], "encoding": "raw",
        }
    ]  # fmt: skip
    provenance = json.loads((tmp_path / "dest" / "provenance").read_text())
    assert provenance["processing"][0]["method"]["task"] == "image transfer"
    assert provenance["processing"][0]["method"]["source"] == source


def test_a_worker_sees_that_the_destination_was_changed(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((16, 16, 8), "uint8"))
    job = Transfer(source, str(tmp_path / "dest"))
    with pytest.raises(Fatal, match="there is no layer at"):
        job.run(job.pieces()[0])
    job.prepare()
    info = info_of(job.dest)
    info["scales"][0]["chunk_sizes"] = [[4, 4, 4]]
    (tmp_path / "dest" / "info").write_text(json.dumps(info))
    with pytest.raises(BadInput, match=r"the scale 4_4_40 of .*dest is not as this job prepared it"):
        job.run(job.pieces()[0])


CUT = [
    ("raw", "uint8"), ("png", "uint8"), ("compressed_segmentation", "uint32"), ("crackle", "uint32"), ("compresso", "uint32"),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "dtype"), CUT)
@pytest.mark.parametrize("compress", [False, "gzip"])
@pytest.mark.parametrize("damage", ["empty", "cut", "cut inside"])
def test_a_chunk_that_was_cut_off_is_not_copied(
    tmp_path: Path, encoding: str, dtype: str, compress: Any, damage: str
) -> None:
    type = "image" if dtype == "uint8" else "segmentation"
    array = voxels((16, 16, 8), dtype, labels=5)
    source = make_layer(tmp_path / "source", array, type=type, encoding=encoding, compress=compress)
    chunk = next((tmp_path / "source" / "4_4_40").glob("0-8_0-8*"))
    data = chunk.read_bytes()
    if damage == "cut inside" and chunk.suffix == ".gz":
        chunk.write_bytes(gzip.compress(gzip.decompress(data)[:-4]))
    else:
        chunk.write_bytes(b"" if damage == "empty" else data[:-4])
    with pytest.raises(BadInput, match=r"chunk 4_4_40/0-8_0-8_0-8 of layer .* cannot be read"):
        do(Transfer(source, str(tmp_path / "dest"), fill_missing=True))
    assert not list((tmp_path / "dest").rglob("0-8_0-8*"))


def test_a_missing_chunk_is_named(tmp_path: Path) -> None:
    source = make_layer(tmp_path / "source", voxels((16, 16, 8), "uint8"))
    (tmp_path / "source" / "4_4_40" / "0-8_0-8_0-8.gz").unlink()
    for options in ({}, {"chunk_size": (4, 4, 4)}, {"sharded": True}):
        with pytest.raises(BadInput, match=r"chunk 4_4_40/0-8_0-8_0-8 of layer .* is missing; pass --fill-missing"):
            do(Transfer(source, str(tmp_path / str(len(options)) / "-".join(options)), **options))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["./source", "./dest", "--encoding", "nonsense"], 2, "--encoding: expected"),
        (["./source", "./source/"], 2, "is the layer that is read"),
        (["./nothing", "./dest"], 3, "there is no layer at"),
        (["./source", "./dest", "--bounds", "90,0,0:99,8,8"], 2, "lies outside of"),
        (["./source"], 2, "DEST"),
    ],
)
def test_the_command_says_what_is_wrong_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:  # fmt: skip
    make_layer(tmp_path / "source", voxels((16, 16, 8), "uint8"))
    monkeypatch.chdir(tmp_path)
    for queue in ([], ["--queue", "./q"]):
        assert main(["image", "transfer", *words, *queue]) == code
        assert said in capsys.readouterr().err
    assert not (tmp_path / "dest").exists()


def test_the_command_copies(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    array = voxels((40, 16, 8), "uint8")
    make_layer(tmp_path / "source", array)
    monkeypatch.chdir(tmp_path)
    words = ["image", "transfer", "./source", "./dest", "--translate", "-4,5,6", "--bounds", "1,2,3:33,12,8"]
    words.append("--sharded")
    assert main([*words, "--dry-run"]) == 0
    chosen = f"file://{tmp_path}/dest scale 4_4_40: 1 shard of 32,10,5 voxels (1.6 kB before encoding); "
    assert f"chosen  {chosen}" in capsys.readouterr().out
    assert not (tmp_path / "dest").exists()
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert out.startswith(chosen)
    assert "1 task done" in out
    assert err == ""
    assert info_of("dest")["scales"][0]["voxel_offset"] == [-3, 7, 9]
    assert np.array_equal(read_layer(str(tmp_path / "dest"), 0), array[1:33, 2:12, 3:8])


def test_the_kind_has_a_name_and_takes_no_other_words() -> None:
    assert Registry().find("image transfer") is Transfer
    for wrong in ({"num_mips": -1}, {"mip": -1}, {"encoding": "nonsense"}, {"memory": 0}, {"colour": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"source": "a", "dest": "b", **wrong}, Transfer)
