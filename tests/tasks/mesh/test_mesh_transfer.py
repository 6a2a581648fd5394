"""`mesh transfer` and `shard mesh`: what comes out is what went in, as CloudVolume reads it too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.copies import do, info_of
from layers.make import files_of, make_layer, voxels
from meshes.meshed_layers import BIG, FORMS, LEVELS, make_meshed, triangles, volume

from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.mesh import Mesh
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.objects.copying.labels_file import LabelsFile, write_labels
from teravox.pipeline.storage.open import open_store
from teravox.tasks.mesh.transfer import Transfer

NANOMETRE = 1 / 65535 * 100  # of one lattice step of the largest mesh here, with room


def target(folder: Path) -> str:
    """A layer without meshes, where they can go."""
    return make_layer(folder, volume()[..., None], chunk=(16, 16, 16), offset=(5, -7, 11), type="segmentation")


def meshes_of(path: str, level: int = 0) -> dict[int, Mesh]:
    source = open_meshes(Layer.open(path, fresh=True))
    return {label: mesh for label in source.labels() if (mesh := source.get(label, level)) is not None}


def near(mesh: Mesh, other: Mesh) -> bool:
    """Whether two meshes have the same surface, up to their lattice."""
    if (len(mesh.vertices), len(mesh.faces)) != (len(other.vertices), len(other.faces)):
        return False
    ours, theirs = (one.vertices[np.lexsort(np.rint(one.vertices).T)] for one in (mesh, other))
    return bool(np.abs(ours - theirs).max() < 0.1)


@pytest.mark.parametrize("dest", FORMS)
@pytest.mark.parametrize("source", FORMS)
def test_every_form_becomes_every_form(tmp_path: Path, source: str, dest: Any) -> None:
    from cloudvolume import CloudVolume

    made = make_meshed(tmp_path / "seg", source)
    before = files_of(made.path)
    job = Transfer(made.path, target(tmp_path / "dest"), format=dest)
    do(job)
    assert files_of(made.path) == before
    assert open_meshes(Layer.open(job.dest, fresh=True)).info.form == dest
    copied = meshes_of(job.dest)
    assert sorted(copied) == [7, 300, BIG]
    for label, mesh in copied.items():
        assert near(mesh, made.mesh(label))
        if "legacy" not in (source, dest):
            assert triangles(mesh) == triangles(made.mesh(label))
    if "legacy" not in (source, dest):
        source_meshes = open_meshes(Layer.open(made.path))
        for level in range(LEVELS):
            for label, mesh in meshes_of(job.dest, level).items():
                theirs = source_meshes.get(label, level)
                assert theirs is not None
                assert np.array_equal(mesh.vertices, theirs.vertices)
                assert np.array_equal(mesh.faces, theirs.faces)
    theirs = CloudVolume(f"file://{job.dest}").mesh.get(BIG)
    other = theirs if dest == "legacy" else theirs[BIG]
    assert triangles(Mesh(np.asarray(other.vertices, float), other.faces)) == triangles(copied[BIG])
    assert not list(Path(job.dest).glob("*.transfer*"))
    assert "mesh transfer" in Path(job.dest, "provenance").read_text()


def test_shards_are_copied_byte_by_byte(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "sharded")
    job = Transfer(made.path, target(tmp_path / "dest"))
    do(job)
    assert (tmp_path / "dest/mesh/1.shard").read_bytes() == (tmp_path / "seg/mesh/1.shard").read_bytes()


def test_the_list_of_labels_gives_each_part_its_own(tmp_path: Path) -> None:
    from cloudvolume.datasource.precomputed.sharding import ShardingSpecification

    from teravox.pipeline.objects.copying.labels_file import hashed

    labels = np.unique(np.random.default_rng(5).integers(1, 2**64 - 1, 3000, np.uint64))
    store = open_store(str(tmp_path))
    write_labels(store, "list", np.concatenate([labels, labels[::-1]]), 4)
    file = LabelsFile.open(store, "list")
    assert file is not None
    spec = ShardingSpecification.from_dict(hashed(4).as_json())
    for part in range(16):
        theirs = [int(label) for label in labels if int(spec.compute_shard_location(label).shard_number, 16) == part]
        assert file.labels(part) == theirs


def test_a_mesh_without_area_becomes_an_empty_one(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "seg", voxels((8, 8, 8), "uint8"), type="segmentation")
    (tmp_path / "seg/mesh").mkdir()
    point = np.uint32(3).tobytes() + np.full((3, 3), 5, "<f4").tobytes() + np.arange(3, dtype="<u4").tobytes()
    (tmp_path / "seg/mesh/5:0").write_text('{"fragments": ["a"]}')
    (tmp_path / "seg/mesh/a").write_bytes(point)
    (tmp_path / "seg/info").write_text(json.dumps(info_of(path) | {"mesh": "mesh"}))
    job = Transfer(path, str(tmp_path / "dest"), format="sharded")
    do(job)
    assert not len(meshes_of(job.dest)[5].faces)


def test_two_labels_that_share_a_mesh_are_both_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from teravox.pipeline.meshes.copying import stored

    made = make_meshed(tmp_path / "seg", "sharded")
    file = tmp_path / "seg/mesh/info"
    file.write_text(json.dumps(info_of(tmp_path / "seg/mesh") | {"sharding": ONE_SHARD}))
    source = make_meshed(tmp_path / "plain", "multires")
    manifest, data = ((tmp_path / "plain/mesh" / name).read_bytes() for name in ("7.index", "7"))
    rows = np.array([[7, 1], [len(data), (1 << 64) - len(manifest)], [len(manifest)] * 2], "<u8").tobytes()
    ends = np.array([len(data) + len(manifest), len(data) + len(manifest) + len(rows)], "<u8").tobytes()
    (tmp_path / "seg/mesh/1.shard").unlink()
    (tmp_path / "seg/mesh/0.shard").write_bytes(ends + data + manifest + rows)
    monkeypatch.setattr(stored, "TOGETHER", 1)
    job = Transfer(made.path, target(tmp_path / "dest"), format="multires")
    do(job)
    assert sorted(meshes_of(job.dest)) == [7, 8]
    for mesh in meshes_of(job.dest).values():
        assert triangles(mesh) == triangles(source.mesh(7))


ONE_SHARD = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 0,
    "hash": "identity",
    "minishard_bits": 0,
    "shard_bits": 0,
    "minishard_index_encoding": "raw",
    "data_encoding": "raw",
}
