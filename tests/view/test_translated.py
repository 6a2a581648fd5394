"""Layers that the client cannot decode, as they are served: read by others, they hold the same voxels."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import Array, Vec, make_layer, voxels
from view.asking import Served
from view.sessions import close_sessions

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale, shard_scale
from teravox.pipeline.view.look import look_at
from teravox.pipeline.view.translate import CLIENT_DECODES, find_translated, translate_chunk, translate_info

Serve = Callable[..., Served]


class Case:
    """A layer that the client cannot read as it lies there."""

    def __init__(self, encoding: str, dtype: str, type: str = "segmentation", seen: str | None = None) -> None:
        self.encoding, self.dtype, self.type, self.seen = encoding, dtype, type, seen or dtype

    def __repr__(self) -> str:
        return f"{self.encoding}-{self.dtype}-{self.type}"

    def make(self, folder: Path, size: Vec, offset: Vec, *, sharded: bool = False) -> tuple[Layer, Array]:
        labels = 9 if self.type == "segmentation" else None
        array = voxels(size, self.dtype, labels=labels)
        if self.dtype == "int64" and self.type == "image":
            array = (array >> 45).astype(np.int64)
        bounds = Box((0, 0, 0), size).shift(offset)
        scale = new_scale(bounds=bounds, resolution=(4, 4, 40), chunk=(8, 7, 5), encoding={"encoding": self.encoding})
        if sharded:
            scale = shard_scale(scale, voxel_bytes=array.itemsize, most_bytes=20_000, packing="raw")
        info = new_info(type=self.type, data_type=self.dtype, channels=1, scales=[scale])
        layer = create_layer(str(folder), info)
        layer.write(bounds, 0, array)
        return layer, layer.read(bounds, 0) if self.encoding in LOSSY else array


LOSSY = {"kempressed", "zfpc"}
CASES = [
    Case("crackle", "uint8"),
    Case("crackle", "uint16"),
    Case("crackle", "uint32"),
    Case("crackle", "uint64"),
    Case("raw", "int64", seen="uint64"),
    Case("raw", "int64", "image", seen="float32"),
]
CODECS = {"fpzip": "fpzip", "kempressed": "fpzip", "zfpc": "zfpc"}  # encoding → what does it, if it is installed
CASES += [Case(name, "float32", "image") for name, module in CODECS.items() if find_spec(module)]


def read_by_cloudvolume(url: str) -> Array:
    from cloudvolume import CloudVolume

    try:
        volume = CloudVolume(f"precomputed://{url}", fill_missing=False, progress=False, use_https=False)
        return np.asfortranarray(volume[:, :, :])
    finally:
        close_sessions()


def read_by_tensorstore(url: str) -> Array:
    import tensorstore

    spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "http", "base_url": f"{url}/"}}
    return np.asfortranarray(tensorstore.open(spec, read=True).result().read().result())


READERS = [read_by_cloudvolume, read_by_tensorstore]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_others_read_the_same_voxels(serve: Serve, tmp_path: Path, case: Case, sharded: bool, read: Any) -> None:
    layer, array = case.make(tmp_path / "layer", (37, 33, 11), (16, 3, 40), sharded=sharded)
    assert not sharded or len([key for key in layer.store.list() if key.endswith(".shard")]) > 1
    served = serve(layer.url)
    found = read(served.server.data_url(0))
    assert found.dtype == case.seen
    assert np.array_equal(found, array.astype(case.seen))


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("encoding", ["raw", "compressed_segmentation", "compresso"])
def test_what_the_client_decodes_is_left_in_its_shards(serve: Serve, tmp_path: Path, encoding: str, read: Any) -> None:
    layer, array = Case(encoding, "uint64").make(tmp_path / "layer", (37, 33, 11), (16, 3, 40), sharded=True)
    served = serve(layer.url)
    scale = json.loads(served.data("info").body)["scales"][0]
    assert scale["encoding"] == encoding
    assert scale["sharding"] == layer.raw["scales"][0]["sharding"]
    if not (encoding == "compresso" and read is read_by_tensorstore):  # which does not know it
        assert np.array_equal(read(served.server.data_url(0)), array)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(1, 12)),
    offset=st.tuples(*[st.integers(-40, 40)] * 3),
    case=st.sampled_from(CASES),
    sharded=st.booleans(),
)
def test_translated_chunks_make_the_volume(
    tmp_path_factory: pytest.TempPathFactory, size: Vec, offset: Vec, case: Case, sharded: bool
) -> None:
    """The chunks of the translated info, decoded as another layer's, for any size and offset."""
    from teravox.pipeline.layers.chunk_grid import chunk_key, chunks_of
    from teravox.pipeline.layers.codec import decode
    from teravox.pipeline.layers.info import parse_info
    from teravox.pipeline.layers.layer import within

    layer, array = case.make(tmp_path_factory.mktemp("layer"), size, offset, sharded=sharded)
    said = translate_info(layer)
    assert said is not None
    info, _ = parse_info(said, "served")
    (scale,) = info.scales
    assert scale.encoding in CLIENT_DECODES
    assert scale.sharding is None
    seen = np.zeros((*size, 1), case.seen, order="F")
    for chunk in chunks_of(scale, scale.bounds):
        found = find_translated(layer, chunk_key(scale, chunk))
        assert found == (0, chunk)
        data = translate_chunk(layer, *found)
        assert data is not None
        seen[within(chunk, scale.bounds)] = decode(data, scale, (*chunk.size, 1), np.dtype(info.data_type))
    assert np.array_equal(seen, array.astype(case.seen))


@pytest.mark.parametrize(
    "name",
    [
        *("0-8_0-7_0-5", "16-24_3-10_40-46", "16-23_3-10_40-45", "17-25_3-10_40-45", "16-24_3-10", "016-24_3-10_40-45"),
        *(
            "24-16_3-10_40-45",
            "16-32_3-10_40-45",
            "999-1007_3-10_40-45",
            "a-b_c-d_e-f",
            "16-24_3-10_40-45 ",
            "1e3-2_3-4_5-6",
        ),
    ],
)
@pytest.mark.parametrize("sharded", [False, True])
def test_names_of_no_chunk_are_not_found(serve: Serve, tmp_path: Path, name: str, sharded: bool) -> None:
    layer, _ = CASES[0].make(tmp_path / "layer", (37, 33, 11), (16, 3, 40), sharded=sharded)
    served = serve(layer.url)
    assert served.data(f"4_4_40/{name}").status == 404
    assert served.data("4_4_40/16-24_3-10_40-45").status == 200
    assert served.data("8_8_40/16-24_3-10_40-45").status == 404


@pytest.mark.parametrize("sharded", [False, True])
def test_missing_chunks_are_not_found(serve: Serve, tmp_path: Path, sharded: bool) -> None:
    layer, _ = CASES[0].make(tmp_path / "layer", (37, 33, 11), (16, 3, 40), sharded=sharded)
    layer.store.delete(layer.keys(Box((16, 3, 40), (17, 4, 41)), 0))
    served = serve(layer.url)
    assert served.data("4_4_40/16-24_3-10_40-45").status == 404
    assert served.data("4_4_40/48-53_31-36_50-51").status == 200


def test_a_damaged_chunk_is_an_error_and_the_next_is_served(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layer, _ = CASES[3].make(tmp_path / "layer", (37, 33, 11), (16, 3, 40))
    key = "4_4_40/16-24_3-10_40-45"
    data = layer.store.get(key)
    assert data is not None
    layer.store.put(key, data[: len(data) // 2])
    served = serve(layer.url)
    answer = served.data(key)
    assert answer.status == 500
    assert f"chunk {key} of layer {layer.url} cannot be read".encode() in answer.body
    assert f"chunk {key}" in caplog.text
    assert served.data("4_4_40/24-32_3-10_40-45").status == 200


def test_parts_of_translated_chunks_are_exact(serve: Serve, tmp_path: Path) -> None:
    layer, _ = CASES[0].make(tmp_path / "layer", (37, 33, 11), (16, 3, 40))
    served = serve(layer.url)
    whole = served.data("4_4_40/16-24_3-10_40-45").body
    part = served.data("4_4_40/16-24_3-10_40-45", Range="bytes=7-19")
    assert (part.status, part.body) == (206, whole[7:20])
    assert part.headers["content-range"] == f"bytes 7-19/{len(whole)}"


def test_an_info_without_a_block_size_gets_one(serve: Serve, tmp_path: Path) -> None:
    path = make_layer(
        tmp_path, voxels((9, 9, 9), "uint64", labels=5), type="segmentation", encoding="compressed_segmentation"
    )
    raw = Layer.open(path).raw
    del raw["scales"][0]["compressed_segmentation_block_size"]
    Layer.open(path).write_info(raw)
    served = serve(path)
    (scale,) = json.loads(served.data("info").body)["scales"]
    assert scale["compressed_segmentation_block_size"] == [8, 8, 8]


def test_an_encoding_that_cannot_be_decoded_here_is_refused(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((9, 9, 9), "uint8"))
    raw = Layer.open(path).raw
    raw["scales"][0]["encoding"] = "rot13"
    Layer.open(path).write_info(raw)
    with pytest.raises(BadUsage, match="there is no encoding 'rot13'"):
        look_at([path])
