"""Layers against CloudVolume and TensorStore, and what is said when they are not whole."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.make import Vec, files_of, make_layer, read_layer, voxels

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, Fatal
from teravox.pipeline.layers.layer import Layer

ENCODINGS = [
    ("raw", "uint8", 3),
    ("raw", "float32", 1),
    ("raw", "int64", 1),
    ("compressed_segmentation", "uint32", 1),
    ("compressed_segmentation", "uint64", 1),
    ("compresso", "uint64", 1),
    ("crackle", "uint32", 1),
    ("png", "uint8", 1),
    ("jpeg", "uint8", 1),
]
BOXES = [
    Box((3, 5, 7), (23, 24, 25)),
    Box((3, 5, 7), (4, 6, 8)),
    Box((10, 13, 15), (11, 14, 16)),
    Box((9, 6, 7), (22, 24, 16)),
]


def write_info(path: Path, **change: Any) -> dict[str, Any]:  # of any JSON
    info = json.loads((path / "info").read_text())
    for place, value in change.items():
        if place in info:
            info[place] = value
        else:
            info["scales"][0][place] = value
    (path / "info").write_text(json.dumps(info))
    return dict(info)


@pytest.mark.parametrize(("encoding", "dtype", "channels"), ENCODINGS)
@pytest.mark.parametrize("compress", ["gzip", "br", "zstd", False])
def test_any_box_reads_as_cloudvolume_reads_it(
    tmp_path: Path, encoding: str, dtype: str, channels: int, compress: str | bool
) -> None:
    labels = 9 if encoding in ("compressed_segmentation", "compresso", "crackle") else None
    array = voxels((20, 19, 18), dtype, channels=channels, labels=labels)
    path = make_layer(tmp_path, array, offset=(3, 5, 7), encoding=encoding, compress=compress)
    layer = Layer.open(path)
    whole = read_layer(path, 0)
    if encoding != "jpeg":
        assert np.array_equal(whole, array)
    for box in BOXES:
        read = layer.read(box, 0)
        assert read.flags.f_contiguous
        low, high = np.subtract(box.min, (3, 5, 7)), np.subtract(box.max, (3, 5, 7))
        assert np.array_equal(read, whole[low[0] : high[0], low[1] : high[1], low[2] : high[2]])


@pytest.mark.parametrize(("encoding", "dtype", "channels"), ENCODINGS)
@pytest.mark.parametrize("compress", ["gzip", "br", "zstd", None])
def test_cloudvolume_reads_what_was_written(
    tmp_path: Path, encoding: str, dtype: str, channels: int, compress: Any
) -> None:
    labels = 9 if encoding in ("compressed_segmentation", "compresso", "crackle") else None
    array = voxels((20, 19, 18), dtype, channels=channels, labels=labels, seed=1)
    path = make_layer(tmp_path, np.zeros_like(array), offset=(3, 5, 7), encoding=encoding)
    layer = Layer.open(path)
    layer.write(layer.bounds(0), 0, array, compress=compress)
    assert len(files_of(path)) == 3 * 3 * 3 + len({"info", "provenance"} & set(files_of(path)))
    if encoding == "jpeg":
        assert np.abs(read_layer(path, 0).astype(int) - layer.read(layer.bounds(0), 0)).max() == 0
    else:
        assert np.array_equal(read_layer(path, 0), array)


@pytest.mark.parametrize(
    ("encoding", "dtype", "channels"),
    [
        ("raw", "uint16", 2),
        ("compressed_segmentation", "uint64", 1),
        ("png", "uint8", 1),
        ("png", "uint8", 3),
        ("jpeg", "uint8", 3),
    ],
)
def test_tensorstore_and_teravox_read_the_same(tmp_path: Path, encoding: str, dtype: str, channels: int) -> None:
    """TensorStore knows no chunks that are compressed on top of their encoding."""
    import tensorstore

    array = voxels((20, 19, 18), dtype, channels=channels, labels=200)
    path = make_layer(tmp_path, np.zeros_like(array), offset=(3, 5, 7), encoding=encoding, compress=False)
    layer = Layer.open(path)
    layer.write(layer.bounds(0), 0, array, compress=None)
    spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": f"{path}/"}}
    theirs = tensorstore.open(spec, read=True).result().read().result()
    ours = layer.read(layer.bounds(0), 0)
    if encoding == "jpeg":
        assert np.abs(theirs.astype(int) - ours).max() <= 3  # two decoders round differently
    else:
        assert np.array_equal(theirs, array)
        assert np.array_equal(ours, array)


def test_parts_are_written_chunk_by_chunk(tmp_path: Path) -> None:
    array = voxels((20, 19, 18), "uint8")
    path = make_layer(tmp_path, np.zeros_like(array), offset=(3, 5, 7))
    layer = Layer.open(path)
    for box in (Box((3, 5, 7), (11, 21, 25)), Box((11, 5, 7), (23, 21, 25)), Box((3, 21, 7), (23, 24, 25))):
        low, high = np.subtract(box.min, (3, 5, 7)), np.subtract(box.max, (3, 5, 7))
        layer.write(box, 0, array[low[0] : high[0], low[1] : high[1], low[2] : high[2]])
    assert np.array_equal(read_layer(path, 0), array)


@pytest.mark.parametrize(
    "box", [Box((3, 5, 7), (12, 24, 25)), Box((4, 5, 7), (23, 24, 25)), Box((3, 5, 7), (11, 13, 24))]
)
def test_a_part_of_a_chunk_is_not_written(tmp_path: Path, box: Box) -> None:
    path = make_layer(tmp_path, voxels((20, 19, 18), "uint8"), offset=(3, 5, 7))
    before = files_of(path)
    with pytest.raises(ValueError, match="not made of whole chunks"):
        Layer.open(path).write(box, 0, np.zeros((*box.size, 1), np.uint8))
    assert files_of(path) == before


def test_voxels_that_do_not_fit_are_not_written(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint8"))
    layer = Layer.open(path)
    for wrong in (np.zeros((8, 8, 8, 1), np.uint16), np.zeros((8, 8, 7, 1), np.uint8), np.zeros((8, 8, 8), np.uint8)):
        with pytest.raises(ValueError, match="do not fill"):
            layer.write(layer.bounds(0), 0, wrong)


@pytest.mark.parametrize("box", [Box((0, 0, 0), (9, 8, 8)), Box((-1, 0, 0), (8, 8, 8)), Box((4, 4, 4), (4, 8, 8))])
def test_a_box_outside_is_refused(tmp_path: Path, box: Box) -> None:
    layer = Layer.open(make_layer(tmp_path, voxels((8, 8, 8), "uint8")))
    with pytest.raises(BadInput, match="does not lie within mip 0"):
        layer.read(box, 0)


def test_a_missing_chunk_is_named_with_the_way_out(tmp_path: Path) -> None:
    array = voxels((16, 8, 8), "uint8")
    path = make_layer(tmp_path, array)
    (tmp_path / "4_4_40" / "8-16_0-8_0-8.gz").unlink()
    layer = Layer.open(path)
    with pytest.raises(BadInput) as caught:
        layer.read(layer.bounds(0), 0)
    for part in ("4_4_40/8-16_0-8_0-8", f"file://{path}", "--fill-missing"):
        assert part in str(caught.value)
    filled = layer.read(layer.bounds(0), 0, fill_missing=True)
    assert np.array_equal(filled[:8], array[:8])
    assert not filled[8:].any()


@pytest.mark.parametrize(("encoding", "dtype", "channels"), [row for row in ENCODINGS if row[0] != "compresso"])
@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("fill_missing", [False, True])
@pytest.mark.parametrize("compress", ["gzip", False])
def test_a_chunk_that_is_cut_off_is_named_and_never_read_as_black(
    tmp_path: Path, encoding: str, dtype: str, channels: int, part: float, fill_missing: bool, compress: str | bool
) -> None:
    labels = 9 if encoding in ("compressed_segmentation", "crackle") else None
    array = voxels((8, 8, 8), dtype, channels=channels, labels=labels)
    path = make_layer(tmp_path, array, encoding=encoding, compress=compress)
    file = tmp_path / "4_4_40" / f"0-8_0-8_0-8{'.gz' if compress else ''}"
    if not file.exists():
        file = tmp_path / "4_4_40" / "0-8_0-8_0-8"  # png and jpeg are not compressed again
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * part)])
    with pytest.raises(BadInput, match=r"4_4_40/0-8_0-8_0-8.* cannot be read") as caught:
        Layer.open(path).read(Box((0, 0, 0), (8, 8, 8)), 0, fill_missing=fill_missing)
    assert path in str(caught.value)


def test_truncated_labels_never_reach_the_codec(tmp_path: Path) -> None:
    """Cut anywhere, inside tables and indices alike, with the check as the only guard before C++ code."""
    array = voxels((9, 10, 11), "uint64", labels=200)
    path = make_layer(tmp_path, array, chunk=(9, 10, 11), encoding="compressed_segmentation", compress=False)
    file = tmp_path / "4_4_40" / "0-9_0-10_0-11"
    whole = file.read_bytes()
    layer = Layer.open(path)
    for size in range(0, len(whole), 4):
        file.write_bytes(whole[:size])
        with pytest.raises(BadInput):
            layer.read(layer.bounds(0), 0)
    file.write_bytes(whole)
    assert np.array_equal(layer.read(layer.bounds(0), 0), array)


def test_bytes_that_point_beyond_the_end_do_not_crash(tmp_path: Path) -> None:
    """A segmentation fault would end the test run."""
    array = voxels((16, 16, 16), "uint32", labels=50)
    path = make_layer(tmp_path, array, chunk=(16, 16, 16), encoding="compressed_segmentation", compress=False)
    file = tmp_path / "4_4_40" / "0-16_0-16_0-16"
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    layer, refused = Layer.open(path), 0
    for _ in range(300):
        broken = bytearray(whole)
        for place in random.integers(0, len(whole), 4):
            broken[place] = random.integers(0, 256)
        file.write_bytes(bytes(broken))
        try:
            layer.read(layer.bounds(0), 0)
        except BadInput:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "picture"}, "$.type"),
        ({"data_type": "uint7"}, "$.data_type"),
        ({"num_channels": 0}, "$.num_channels"),
        ({"scales": []}, "$.scales"),
        ({"size": [1, 2]}, "$.scales[0].size"),
        ({"size": [1, 2, "3"]}, "$.scales[0].size"),
        ({"chunk_sizes": [[0, 8, 8]]}, "$.scales[0].chunk_sizes"),
        ({"resolution": [4, 4, -40]}, "$.scales[0].resolution"),
        ({"voxel_offset": [0.5, 0, 0]}, "$.scales[0].voxel_offset"),
        ({"key": "../other"}, "'../other'"),
        ({"key": "/etc"}, "'/etc'"),
        ({"redirect": "gs://elsewhere/l"}, "gs://elsewhere/l"),
    ],
)
def test_a_wrong_info_names_file_and_field(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint8"))
    info = json.loads((tmp_path / "info").read_text())
    for field, value in change.items():
        (info if field in info or field == "redirect" else info["scales"][0])[field] = value
    (tmp_path / "info").write_text(json.dumps(info))
    with pytest.raises(BadInput) as caught:
        Layer.open(path)
    assert words in str(caught.value)
    assert path in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"info"', "null"])
def test_an_info_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "info").write_text(text)
    with pytest.raises(BadInput, match=f"{tmp_path}/info"):
        Layer.open(str(tmp_path))


def test_a_layer_that_is_not_there_is_fatal(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match=f"there is no layer at file://{tmp_path}/none"):
        Layer.open(str(tmp_path / "none"))


def test_a_mip_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    layer = Layer.open(make_layer(tmp_path, voxels((8, 8, 8), "uint8")))
    with pytest.raises(BadInput, match=r"has no mip 3 \(it has only mip 0\). Build it with: teravox image downsample"):
        layer.bounds(3)


def test_a_changed_info_is_seen_and_an_unchanged_one_is_not_parsed_again(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint8"))
    first = Layer.open(path)
    assert Layer.open(f"file://{path}/") is first
    write_info(tmp_path, size=[8, 8, 4])
    assert Layer.open(path).bounds(0).size == (8, 8, 4)


def test_what_others_put_into_the_info_survives_a_rewrite(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint8"))
    write_info(tmp_path, rois=[[0, 0, 0, 8, 8, 8]], type="image")
    info = json.loads((tmp_path / "info").read_text())
    info |= {"mesh": "mesh", "@type": "neuroglancer_multiscale_volume", "mine": {"a": [1, 2.5, None]}}
    (tmp_path / "info").write_text(json.dumps(info))
    layer = Layer.open(path)
    raw = layer.raw
    raw["skeletons"] = "skeletons"
    layer.write_info(raw)
    assert json.loads((tmp_path / "info").read_text()) == info | {"skeletons": "skeletons"}


def test_an_info_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((8, 8, 8), "uint8"))
    before = files_of(path)
    layer = Layer.open(path)
    raw = layer.raw
    raw["scales"] = []
    with pytest.raises(BadInput):
        layer.write_info(raw)
    assert files_of(path) == before


@pytest.mark.parametrize("size", [(16, 16, 16), (20, 19, 18)])
def test_shards_of_others_are_read_and_replaced(tmp_path: Path, size: Vec) -> None:
    from cloudvolume import CloudVolume

    array = voxels(size, "uint32", labels=20)
    info = json.loads(Path(make_layer(tmp_path / "plain", array), "info").read_text())
    scale = info["scales"][0]
    scale["sharding"] = {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": "identity",
        "preshift_bits": 6,
        "minishard_bits": 0,
        "shard_bits": 0,
        "minishard_index_encoding": "gzip",
        "data_encoding": "gzip",
    }
    path = tmp_path / "sharded"
    volume = CloudVolume(f"file://{path}", info=info)
    volume.commit_info()
    volume[:, :, :] = array
    layer = Layer.open(str(path))
    box = Box((3, 2, 1), (15, 16, 14))
    assert np.array_equal(layer.read(box, 0), array[3:15, 2:16, 1:14])
    other = array[::-1, :, :].copy()
    layer.write(layer.bounds(0), 0, other)
    assert np.array_equal(read_layer(str(path), 0), other)


def test_gzip_of_others_with_a_time_and_a_name_is_read(tmp_path: Path) -> None:
    array = voxels((8, 8, 8), "uint8")
    path = make_layer(tmp_path, array, compress=False)
    file = tmp_path / "4_4_40" / "0-8_0-8_0-8"
    with (
        file.with_suffix(".gz").open("wb") as packed,
        gzip.GzipFile("a name", "wb", fileobj=packed, mtime=99) as stream,
    ):
        stream.write(file.read_bytes())
    file.unlink()
    assert np.array_equal(Layer.open(path).read(Box((0, 0, 0), (8, 8, 8)), 0), array)
