"""Shards, against CloudVolume and TensorStore as readers, and against CloudVolume's numbers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import Array, Vec, files_of, read_layer, voxels

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.pipeline.layers.sharding.choose import choose_image_shards
from teravox.pipeline.layers.sharding.morton import Morton
from teravox.pipeline.layers.sharding.murmur import murmur64
from teravox.pipeline.layers.sharding.spec import Packing, ShardSpec

sizes = st.tuples(st.integers(2, 40), st.integers(1, 40), st.integers(1, 20))
# CloudVolume gives only one channel of a single voxel, so sizes begin at 2
chunk_sizes = st.tuples(st.integers(1, 8), st.integers(1, 8), st.integers(1, 8))


def make_sharded(
    path: Path, array: Array, spec: ShardSpec, *, chunk: Vec, offset: Vec = (0, 0, 0), encoding: str = "raw"
) -> Layer:
    """An empty layer of one sharded scale, for an array."""
    size = array.shape
    bounds = Box((0, 0, 0), (size[0], size[1], size[2])).shift(offset)
    scale = new_scale(bounds=bounds, resolution=(4, 4, 40), chunk=chunk, encoding=encoding_words(encoding))
    scale["sharding"] = spec.as_json()
    type = "segmentation" if array.dtype.itemsize > 2 and array.dtype.kind == "u" else "image"
    return create_layer(
        str(path), new_info(type=type, data_type=array.dtype.name, channels=array.shape[3], scales=[scale])
    )


def write_by_shards(layer: Layer, array: Array) -> None:
    bounds = layer.bounds(0)
    for box in Grid(bounds, layer.unit(0)):
        layer.write(box, 0, array[within(box, bounds)])


def read_by_tensorstore(path: Path) -> Array:
    import tensorstore

    store = {"driver": "file", "path": str(path)}
    return np.asarray(
        tensorstore.open({"driver": "neuroglancer_precomputed", "kvstore": store}).result().read().result()
    )


@st.composite
def specs(draw: st.DrawFn, cells: Vec) -> ShardSpec:
    bits = Morton(cells).bits
    preshift = draw(st.integers(0, bits))
    minishard = draw(st.integers(0, bits - preshift))
    packing: st.SearchStrategy[Packing] = st.sampled_from(["raw", "gzip"])
    return ShardSpec(
        preshift_bits=preshift,
        hash="identity",
        minishard_bits=minishard,
        shard_bits=bits - preshift - minishard,
        minishard_index_encoding=draw(packing),
        data_encoding=draw(packing),
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=sizes, chunk=chunk_sizes, offset=st.tuples(*[st.integers(-30, 30)] * 3), channels=st.integers(1, 2),
    dtype=st.sampled_from(["uint8", "uint16", "uint32", "uint64", "float32"]), data=st.data(),
)  # fmt: skip
def test_what_is_written_in_shards_is_read_by_everybody(
    tmp_path: Path, size: Vec, chunk: Vec, offset: Vec, channels: int, dtype: str, data: st.DataObject
) -> None:
    path = tmp_path / secrets.token_hex(4)
    x, y, z = (-(-n // c) for n, c in zip(size, chunk, strict=True))
    spec = data.draw(specs((x, y, z)))
    array = voxels(size, dtype, channels=channels)
    layer = make_sharded(path, array, spec, chunk=chunk, offset=offset)
    write_by_shards(layer, array)

    assert np.array_equal(layer.read(layer.bounds(0), 0), array)
    assert np.array_equal(read_layer(str(path), 0), array)
    assert np.array_equal(read_by_tensorstore(path), array)
    assert {key for key in files_of(str(path)) if "/" in key} == set(layer.keys(layer.bounds(0), 0))


def test_a_shard_written_in_parts_and_any_order_has_the_same_bytes(tmp_path: Path) -> None:
    array = voxels((40, 24, 16), "uint32", labels=9)
    spec = choose_image_shards((5, 3, 2), 8 * 8 * 8 * 4, 8 * 8 * 8 * 4 * 8, "gzip")
    one, other = (make_sharded(tmp_path / name, array, spec, chunk=(8, 8, 8)) for name in "ab")
    bounds = one.bounds(0)
    write_by_shards(one, array)
    with other.writer(bounds, 0) as writer:
        for chunk in reversed(list(chunks_of(other.scale(0), bounds))):
            writer.write(chunk, array[within(chunk, bounds)])

    files = files_of(str(tmp_path / "a"))
    assert len(files) > 4
    assert files_of(str(tmp_path / "b")) == files


def test_a_shard_that_misses_a_chunk_is_not_written(tmp_path: Path) -> None:
    array = voxels((16, 16, 16), "uint8")
    layer = make_sharded(tmp_path, array, choose_image_shards((2, 2, 2), 512, 1 << 20, "raw"), chunk=(8, 8, 8))

    with pytest.raises(ValueError, match="7 chunks were not written"), layer.writer(layer.bounds(0), 0) as writer:
        writer.write(Box((0, 0, 0), (8, 8, 8)), array[:8, :8, :8])

    assert list(layer.store.list("4_4_40/")) == []


def test_what_is_no_whole_shard_cannot_be_written(tmp_path: Path) -> None:
    array = voxels((16, 16, 16), "uint8")
    layer = make_sharded(tmp_path, array, choose_image_shards((2, 2, 2), 512, 1 << 20, "raw"), chunk=(8, 8, 8))

    with pytest.raises(ValueError, match="not made of whole shards"):
        layer.write(Box((0, 0, 0), (8, 8, 8)), 0, array[:8, :8, :8])
    with pytest.raises(BadUsage, match="not with br"):
        layer.write(layer.bounds(0), 0, array, compress="br")


def test_chunks_that_are_left_out_are_missing(tmp_path: Path) -> None:
    array = voxels((16, 8, 8), "uint8")
    layer = make_sharded(tmp_path, array, choose_image_shards((2, 1, 1), 512, 1 << 20, "raw"), chunk=(8, 8, 8))
    write_by_shards(layer, array)
    left, right = chunks_of(layer.scale(0), layer.bounds(0))

    with layer.writer(layer.bounds(0), 0) as writer:
        writer.write(left, array[:8])
        writer.leave_out(right)

    assert np.array_equal(layer.read(left, 0), array[:8])
    with pytest.raises(BadInput, match=r"chunk 1 in 4_4_40/0\.shard of layer .* is missing"):
        layer.read(right, 0)
    assert not layer.read(right, 0, fill_missing=True).any()
    with layer.writer(layer.bounds(0), 0) as writer:
        writer.leave_out(left)
        writer.leave_out(right)
    assert list(layer.store.list("4_4_40/")) == []


@pytest.mark.parametrize("damage", ["cut", "empty", "index", "minishard", "gzip"])
def test_a_damaged_shard_is_named(tmp_path: Path, damage: str) -> None:
    array = voxels((16, 16, 16), "uint32", labels=5)
    spec = choose_image_shards((2, 2, 2), 2048, 1 << 20, "gzip")
    layer = make_sharded(
        tmp_path, array, msgspec.structs.replace(spec, minishard_bits=1, preshift_bits=2), chunk=(8, 8, 8)
    )
    write_by_shards(layer, array)
    file = tmp_path / "4_4_40" / "0.shard"
    good = bytearray(file.read_bytes())
    if damage == "cut":
        bad: bytes | bytearray = good[:-5]
    elif damage == "empty":
        bad = b""
    else:
        at = {"index": 7, "minishard": len(good) - 12, "gzip": 60}[damage]
        bad = good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :]
    file.write_bytes(bad)

    with pytest.raises(BadInput, match=r"4_4_40/0\.shard cannot be read: .*write it again"):
        layer.read(layer.bounds(0), 0, fill_missing=True)


def test_shards_of_hashed_numbers_are_read(tmp_path: Path) -> None:
    array = voxels((20, 12, 9), "uint8")
    from cloudvolume import CloudVolume

    spec = ShardSpec(preshift_bits=1, hash="murmurhash3_x86_128", minishard_bits=1, shard_bits=1, data_encoding="gzip")
    layer = make_sharded(tmp_path, array, spec, chunk=(4, 4, 4))
    volume = CloudVolume(f"file://{tmp_path}")
    from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

    theirs = ShardingSpecification.from_dict(spec.as_json())
    numbered = {
        code: array[within(chunk, layer.bounds(0))].tobytes("F")
        for chunk in chunks_of(layer.scale(0), layer.bounds(0))
        for code in [int(Morton((5, 3, 3)).codes(np.array([chunk.min]) // 4)[0])]
    }
    for name, data in theirs.synthesize_shards(numbered).items():
        layer.store.put(f"4_4_40/{name}", data)

    assert volume.scale["sharding"]["hash"] == "murmurhash3_x86_128"
    assert np.array_equal(layer.read(layer.bounds(0), 0), array)
    with pytest.raises(BadInput, match="all over the volume"):
        layer.unit(0)


def test_murmur_is_that_of_cloud_volume() -> None:
    from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

    spec = {
        "@type": "neuroglancer_uint64_sharded_v1", "preshift_bits": 0, "hash": "murmurhash3_x86_128",
        "minishard_bits": 3, "shard_bits": 4, "minishard_index_encoding": "raw", "data_encoding": "raw",
    }  # fmt: skip
    theirs: Any = ShardingSpecification.from_dict(spec)
    numbers = np.random.default_rng(0).integers(0, 1 << 64, 500, np.uint64, endpoint=False)
    assert [int(theirs.hashfn(number)) for number in numbers] == murmur64(numbers).tolist()


@given(cells=st.tuples(*[st.integers(1, 300)] * 3), data=st.data())
def test_morton_codes_are_those_of_cloud_volume(cells: Vec, data: st.DataObject) -> None:
    from cloudvolume.datasource.precomputed.common import compressed_morton_code
    from cloudvolume.lib import Vec as TheirVec

    cell = [data.draw(st.integers(0, n - 1)) for n in cells]
    assert Morton(cells).codes(np.array([cell])).tolist() == [int(compressed_morton_code(cell, TheirVec(*cells)))]


@given(
    cells=st.tuples(*[st.integers(1, 5000)] * 3),
    chunk=st.sampled_from([512, 1 << 20]),
    most=st.integers(1 << 20, 1 << 34),
)
def test_chosen_shards_fit_and_have_all_bits(cells: Vec, chunk: int, most: int) -> None:
    spec = choose_image_shards(cells, chunk, most, "gzip")
    morton = Morton(cells)
    inside = spec.preshift_bits + spec.minishard_bits
    assert inside + spec.shard_bits == morton.bits
    assert chunk << inside <= most
    assert inside == morton.bits or chunk << (inside + 1) > most
    x, y, z = morton.brick(inside)
    assert x * y * z == 1 << inside


@given(
    labels=st.lists(st.integers(0, (1 << 64) - 1), min_size=1, max_size=30, unique=True),
    bits=st.tuples(*[st.integers(0, 3)] * 3),
)
def test_labels_are_found_in_hashed_shards(labels: list[int], bits: tuple[int, int, int]) -> None:
    from teravox.pipeline.layers.sharding.build import build_shard, pack_data
    from teravox.pipeline.layers.sharding.read import ShardReader
    from teravox.pipeline.storage.open import open_store

    spec = ShardSpec(
        preshift_bits=bits[0],
        hash="murmurhash3_x86_128",
        minishard_bits=bits[1],
        shard_bits=bits[2],
        data_encoding="gzip",
    )
    store = open_store(f"mem://{secrets.token_hex(8)}")
    shards, _ = spec.places(np.array(labels, np.uint64))
    for shard in np.unique(shards).tolist():
        mine = [label for label, place in zip(labels, shards.tolist(), strict=True) if place == shard]
        store.put(f"m/{spec.file_name(shard)}", build_shard({n: pack_data(b"%d" % n, spec) for n in mine}, spec))
    reader = ShardReader(store, "m", spec)

    assert {found.number: reader.unpack(found, data) for found, data in reader.read(labels)} == {
        label: b"%d" % label for label in labels
    }
    assert sorted(one.number for shard in range(spec.shards) for one in reader.all_in(shard)) == sorted(labels)
