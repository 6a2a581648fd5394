from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.running import Run
from layers.make import files_of, make_layer, voxels
from view.sessions import close_sessions

from teravox import __version__
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale, shard_scale
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.view.look import look_at
from teravox.pipeline.view.server import ViewServer


@pytest.fixture
def layer(tmp_path: Path) -> str:
    array = voxels((70, 37, 9), "uint64", labels=5)
    return make_layer(
        tmp_path / "seg", array, chunk=(16, 16, 8), offset=(-3, 5, 7), type="segmentation", resolution=(4, 4.5, 40)
    )


def shown(run: Run, url: str) -> dict[str, Any]:
    code, out, err = run("show", url, "--json")
    assert (code, err) == (0, "")
    seen: dict[str, Any] = json.loads(out)
    return seen


def words_of(run: Run, url: str) -> str:
    code, out, err = run("show", url)
    assert (code, err) == (0, "")
    return " ".join(out.split())


def test_a_layer_is_what_cloudvolume_says_it_is(run: Run, layer: str) -> None:
    from cloudvolume import CloudVolume

    assert run("image", "downsample", layer, "--num-mips", "2", "--encoding", "compressed_segmentation").code == 0
    before = files_of(layer)
    seen = shown(run, layer)
    assert files_of(layer) == before
    assert (seen["type"], seen["data_type"], seen["num_channels"]) == ("segmentation", "uint64", 1)
    assert len(seen["mips"]) == 3
    for mip, said in enumerate(seen["mips"]):
        volume = CloudVolume(f"file://{layer}", mip=mip)
        assert said["mip"] == mip
        assert said["key"] == volume.key
        assert said["size"] == list(volume.volume_size)
        assert said["resolution"] == list(volume.resolution)
        assert said["voxel_offset"] == list(volume.voxel_offset)
        assert said["chunk"] == list(volume.chunk_size)
        assert said["encoding"] == volume.encoding
        assert said["shards"] is None
        assert said["chunks"] == len(list((Path(layer) / volume.key).iterdir()))
        assert said["raw_bytes"] == volume[:, :, :].nbytes
    assert seen["mips"][1]["encoding_words"] == {"compressed_segmentation_block_size": [8, 8, 8]}
    words = words_of(run, layer)
    assert "segmentation of uint64, 1 channel, 0.28 x 0.1665 x 0.36 µm" in words
    assert "0 70,37,9 4,4.5,40 -3,5,7 16,16,8 raw 30 186 kB" in words


def test_shards_are_told(run: Run, tmp_path: Path) -> None:
    array = voxels((70, 70, 20), "uint16", channels=2)
    plain = Layer.open(make_layer(tmp_path / "plain", array))
    scale = new_scale(bounds=plain.bounds(0), resolution=(4, 4, 40), chunk=(8, 8, 8), encoding={"encoding": "raw"})
    scale = shard_scale(scale, voxel_bytes=4, most_bytes=40_000, packing="gzip")
    info = new_info(type="image", data_type="uint16", channels=2, scales=[scale])
    made = create_layer(str(tmp_path / "sharded"), info)
    made.write(made.bounds(0), 0, array)
    shards = shown(run, made.url)["mips"][0]["shards"]
    assert shards["count"] == len([key for key in made.store.list() if key.endswith(".shard")])
    assert shards["shape"] == list(made.unit(0))
    assert shards["raw_bytes"] == made.unit(0)[0] * made.unit(0)[1] * made.unit(0)[2] * 4
    assert (shards["hash"], shards["data_encoding"]) == ("identity", "gzip")
    x, y, z = made.unit(0)
    assert f"0 {shards['count']} {x},{y},{z} " in words_of(run, made.url)


def test_shards_that_are_no_boxes_are_told_too(run: Run, layer: str) -> None:
    opened = Layer.open(layer)
    raw = opened.raw
    raw["scales"][0]["sharding"] = {
        "@type": "neuroglancer_uint64_sharded_v1",
        "preshift_bits": 0,
        "hash": "murmurhash3_x86_128",
        "minishard_bits": 2,
        "shard_bits": 3,
    }
    opened.write_info(raw)
    shards = shown(run, layer)["mips"][0]["shards"]
    assert (shards["count"], shards["shape"], shards["minishards"]) == (None, None, 4)
    assert "0 unknown spread by murmurhash3_x86_128 unknown 4 raw" in words_of(run, layer)


def test_meshes_skeletons_and_properties_are_told(run: Run, layer: str) -> None:
    opened = Layer.open(layer)
    sharding = {"@type": "neuroglancer_uint64_sharded_v1", "preshift_bits": 0, "hash": "identity"}
    infos = {
        "mesh/info": {
            "@type": "neuroglancer_multilod_draco",
            "vertex_quantization_bits": 10,
            "sharding": sharding | {"minishard_bits": 1, "shard_bits": 1},
        },
        "bones/info": {
            "@type": "neuroglancer_skeletons",
            "vertex_attributes": [{"id": "radius", "data_type": "float32", "num_components": 1}],
            "spatial_index": {"chunk_size": [1, 1, 1]},
        },
    }
    opened.store.put_many({key: json.dumps(info).encode() for key, info in infos.items()}, compress="gzip")
    opened.write_info(opened.raw | {"mesh": "mesh", "skeletons": "bones", "segment_properties": "props"})
    parts = {part["what"]: part for part in shown(run, layer)["parts"]}
    assert parts["mesh"] | {"details": ""} == {
        "what": "mesh",
        "key": "mesh",
        "found": True,
        "type": "neuroglancer_multilod_draco",
        "is_sharded": True,
        "details": "",
    }
    assert (parts["skeletons"]["found"], parts["skeletons"]["is_sharded"]) == (True, False)
    assert parts["segment_properties"]["found"] is False
    words = words_of(run, layer)
    assert "meshes mesh multi-resolution, sharded 10-bit vertices" in words
    assert "skeletons bones precomputed radius, spatial index" in words
    assert "segment properties props unknown it has no info" in words


def test_segment_properties_are_counted(run: Run, layer: str) -> None:
    opened = Layer.open(layer)
    info = {
        "@type": "neuroglancer_segment_properties",
        "inline": {"ids": ["1", "2", "3"], "properties": [{"id": "voxels", "type": "number"}]},
    }
    opened.store.put("segment_properties/info", json.dumps(info).encode())
    opened.write_info(opened.raw | {"segment_properties": "segment_properties"})
    assert "segment properties segment_properties precomputed 3 segments, voxels" in words_of(run, layer)


def test_history_says_what_was_done_by_which_version(run: Run, layer: str) -> None:
    assert shown(run, layer)["history"] == []
    assert run("image", "downsample", layer, "--num-mips", "1").code == 0
    (step,) = shown(run, layer)["history"]
    assert (step["task"], step["version"]) == ("image downsample", f"teravox {__version__}")
    assert step["method"]["num_mips"] == 1
    assert f"image downsample teravox {__version__} {step['date']}" in words_of(run, layer)


def test_history_of_others_is_shown_as_they_wrote_it(run: Run, layer: str) -> None:
    entries = [{"method": {"task": "\x1b[31mDownsample"}, "by": "somebody"}, "by hand", 7, {"method": None}]
    open_store(layer).put("provenance", json.dumps({"processing": entries}).encode())
    assert [step["task"] for step in shown(run, layer)["history"]] == ["\x1b[31mDownsample", "by hand", "7", "None"]
    out = run("show", layer).out
    assert "\x1b" not in out
    assert "\\x1b[31mDownsample" in out


def test_jobs_say_how_far_they_are(run: Run, layer: str) -> None:
    words = ("image", "downsample", layer, "--num-mips", "1", "--shape", "32,32,8", "--queue", "./q")
    assert run(*words).code == 0
    (job,) = shown(run, layer)["jobs"]
    total = job["total"]
    assert total > 2
    assert (job["kind"], job["done"], job["finished"]) == ("image downsample", 0, False)
    assert run("execute", "./q", "--num-tasks", "2", "--quiet").code == 0
    (job,) = shown(run, layer)["jobs"]
    assert (job["done"], job["total"], job["finished"]) == (2, total, False)
    assert f"{job['id'][:8]} image downsample 2/{total} not finished" in words_of(run, layer)
    assert run("execute", "./q", "--exit-on-empty", "--quiet").code == 0
    (job,) = shown(run, layer)["jobs"]
    assert (job["done"], job["total"], job["finished"]) == (total, total, True)
    assert f"image downsample {total}/{total} finished" in words_of(run, layer)


def test_a_damaged_ledger_does_not_hide_the_rest(run: Run, layer: str) -> None:
    open_store(layer).put("ledger/0123456789abcdef/job.json", b"{")
    (job,) = shown(run, layer)["jobs"]
    assert "is not what teravox" in job["trouble"]
    assert "segmentation of uint64" in words_of(run, layer)
    assert "unknown unknown file://" in words_of(run, layer)


@pytest.mark.parametrize(
    ("files", "code", "sentence"),
    [
        ({}, 3, "there is no layer at"),
        ({"info": "{"}, 1, "info is not what describes a Precomputed layer"),
        ({"info": "{}"}, 1, "info is not what describes a Precomputed layer"),
    ],
)
def test_what_is_no_layer_is_said(run: Run, tmp_path: Path, files: dict[str, str], code: int, sentence: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    ran = run("show", str(tmp_path))
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("teravox: ")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(("key", "word"), [("provenance", "provenance"), ("mesh/info", "mesh/info")])
def test_a_damaged_part_is_named(run: Run, layer: str, key: str, word: str) -> None:
    opened = Layer.open(layer)
    opened.write_info(opened.raw | {"mesh": "mesh"})
    opened.store.put(key, b"{")
    ran = run("show", layer)
    assert ran.code == 1
    assert f"{word} is not JSON" in ran.err


def test_a_place_of_another_scheme_is_said(run: Run) -> None:
    ran = run("show", "ftp://host/layer")
    assert ran.code == 2
    assert "ftp:// is no place for data" in ran.err


@pytest.fixture
def web(layer: str) -> Iterator[str]:
    """The layer on a web server."""
    with ViewServer(look_at([layer])) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server.data_url(0)
        close_sessions()
        server.shutdown()
        thread.join()


def test_a_layer_on_a_web_server_is_shown(run: Run, layer: str, web: str) -> None:
    assert run("image", "downsample", layer, "--num-mips", "1").code == 0
    local, remote = shown(run, layer), shown(run, web)
    assert remote["url"] == web
    assert remote["jobs"] is None
    for word in ("type", "mips", "parts", "history"):
        assert remote[word] == local[word]
    assert "jobs unknown" in words_of(run, web)
    assert run("show", f"{web}/nothing").code == 3


@pytest.mark.server
def test_a_layer_in_a_bucket_is_shown(run: Run, layer: str, layer_in_bucket: str) -> None:
    assert run("image", "downsample", layer, "--num-mips", "1").code == 0
    store = open_store(layer_in_bucket)
    source = open_store(layer)
    for key in source.list():
        data = source.get(key)
        assert data is not None
        store.put(key, data)
    local, remote = shown(run, layer), shown(run, store.url)
    assert remote | {"url": ""} == local | {"url": ""}
    assert run("show", f"{layer_in_bucket}-nothing").code == 3
