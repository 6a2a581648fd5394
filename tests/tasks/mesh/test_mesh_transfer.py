"""`mesh transfer` and `shard mesh`: what comes out is what went in, as CloudVolume reads it too."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layers.copies import do
from layers.make import files_of, make_layer, voxels
from meshes.meshed_layers import BIG, FORMS, LEVELS, make_meshed, triangles, volume

from teravox.cli.main import main
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.mesh import Mesh
from teravox.pipeline.meshes.reading import open_meshes
from teravox.pipeline.objects.copying.labels_file import LabelsFile, write_labels
from teravox.pipeline.storage.open import open_store
from teravox.tasks.mesh.transfer import Transfer
from teravox.tasks.shard.mesh import Mesh as ShardMesh

NANOMETRE = 1 / 65535 * 100  # of one lattice step of the largest mesh here, with room


def info_of(path: Path | str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(Path(path, "info").read_text())
    return raw


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


@pytest.mark.parametrize("dest", FORMS)
@pytest.mark.parametrize("source", FORMS)
def test_any_order_and_repetition_give_the_same_bytes(tmp_path: Path, source: str, dest: Any) -> None:
    made = make_meshed(tmp_path / "seg", source)
    once = Transfer(made.path, target(tmp_path / "once"), format=dest)
    do(once)
    before = files_of(once.dest)
    job = Transfer(made.path, target(tmp_path / "often"), format=dest)
    do(job, lambda pieces: random.sample([*pieces, *pieces], 2 * len(pieces)))
    marked = {"mesh/info", "provenance"}  # which name the job, and that is another one
    assert {k: v for k, v in files_of(job.dest).items() if k not in marked} == {
        k: v for k, v in before.items() if k not in marked
    }
    after = files_of(job.dest)
    for piece in job.pieces():
        job.run(piece)
    job.finish()
    assert {k: v for k, v in files_of(job.dest).items() if k != "provenance"} == {
        k: v for k, v in after.items() if k != "provenance"
    }


def test_the_old_meshes_are_named_until_all_new_ones_are_there(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "multires")
    old = make_meshed(tmp_path / "dest", "legacy")
    before = files_of(old.path)
    job = Transfer(made.path, old.path, format="sharded")
    job.prepare()
    for piece in job.pieces():
        assert {key: data for key, data in files_of(old.path).items() if key in before} == before
        assert info_of(old.path)["mesh"] == "mesh"
        job.run(piece)
    job.finish()
    assert info_of(old.path)["mesh"].startswith("mesh_")
    assert sorted(meshes_of(old.path)) == [7, 300, BIG]


def test_some_labels_can_be_chosen(tmp_path: Path) -> None:
    for source in FORMS:
        made = make_meshed(tmp_path / source, source)
        for dest in FORMS:
            job = Transfer(made.path, target(tmp_path / f"{source}-{dest}"), format=dest, labels=(BIG, 7, 7))  # type: ignore[arg-type]  # any form
            do(job)
            assert sorted(meshes_of(job.dest)) == [7, BIG]


def test_labels_without_a_mesh_are_refused(tmp_path: Path) -> None:
    for source in FORMS:
        made = make_meshed(tmp_path / source, source)
        job = Transfer(made.path, target(tmp_path / f"{source}-dest"), labels=(7, 8, 12))
        before = files_of(job.dest)
        with pytest.raises(BadUsage, match=r"--labels: .*/mesh has no mesh of 8, 12"):
            job.prepare()
        assert files_of(job.dest) == before


def test_a_layer_is_made_where_there_is_none(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "sharded")
    assert main(["mesh", "transfer", made.path, str(tmp_path / "public"), "--quiet"]) == 0
    theirs, ours = info_of(made.path), info_of(tmp_path / "public")
    assert ours == theirs
    assert sorted(meshes_of(str(tmp_path / "public"))) == [7, 300, BIG]


def test_a_folder_can_be_chosen(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "multires", mesh="m")
    job = Transfer(made.path, target(tmp_path / "dest"), dir="surfaces/fine")
    do(job)
    assert info_of(job.dest)["mesh"] == "surfaces/fine"
    assert sorted(meshes_of(job.dest)) == [7, 300, BIG]


@pytest.mark.parametrize("dir", ["../out", "4_4_40", "ledger", "4_4_40/mesh", "info"])
def test_folders_that_cannot_be_are_refused(tmp_path: Path, dir: str) -> None:
    made = make_meshed(tmp_path / "seg", "multires")
    job = Transfer(made.path, target(tmp_path / "dest"), dir=dir)
    before = files_of(job.dest)
    with pytest.raises((BadUsage, BadInput), match=r"cannot hold meshes|is no key within"):
        job.prepare()
    assert files_of(job.dest) == before


def test_the_source_is_refused_as_destination(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "multires")
    with pytest.raises(BadUsage, match="is the layer that is read"):
        Transfer(made.path, made.path).prepare()


def test_too_little_memory_is_refused(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "multires")
    with pytest.raises(BadUsage, match=r"--memory: 1\.0 MB are too little for meshes; give it 470 MB or more"):
        Transfer(made.path, str(tmp_path / "dest"), memory_limit=1_000_000).prepare()


def test_shard_mesh_is_the_short_form(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "multires")
    short, long = (
        ShardMesh(made.path, target(tmp_path / "short")),
        Transfer(made.path, target(tmp_path / "long"), format="sharded"),
    )
    do(short)
    do(long)
    shards = [name for name in files_of(short.dest) if name.endswith(".shard")]
    assert shards
    for name in shards:
        assert files_of(short.dest)[name] == files_of(long.dest)[name]
    assert short.outputs(short.pieces()[0])[0] in shards


def test_an_empty_source_gives_an_empty_copy(tmp_path: Path) -> None:
    for form in FORMS:
        made = make_meshed(tmp_path / form, form)
        for file in (tmp_path / form / "mesh").iterdir():
            if file.name != "info":
                file.unlink()
        for dest in FORMS:
            job = Transfer(made.path, target(tmp_path / f"{form}-{dest}"), format=dest)  # type: ignore[arg-type]  # any form
            do(job)
            assert meshes_of(job.dest) == {}


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
