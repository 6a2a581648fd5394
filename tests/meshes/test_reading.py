"""Meshes in every form, read as they were made and as CloudVolume reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meshes.meshed_layers import BIG, FORMS, LEVELS, make_meshed, triangles

from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.mesh import Mesh
from teravox.pipeline.meshes.mesh_source import MeshSource
from teravox.pipeline.meshes.reading import open_meshes


def opened(path: str) -> MeshSource:
    return open_meshes(Layer.open(path, fresh=True))


def read(source: MeshSource, label: int, level: int = 0) -> Mesh:
    mesh = source.get(label, level)
    assert mesh is not None
    return mesh


@pytest.mark.parametrize("bits", [10, 16])
@pytest.mark.parametrize("form", FORMS)
def test_fragments_are_joined_to_the_mesh_that_was_cut(tmp_path: Path, form: str, bits: int) -> None:
    made = make_meshed(tmp_path / "seg", form, bits=bits)
    source = opened(made.path)
    assert sorted(source.labels()) == sorted(made.surfaces) == [7, 300, BIG]
    for label, surface in made.surfaces.items():
        levels = 1 if form == "legacy" else LEVELS
        assert source.levels(label) == levels
        for level in range(levels):
            mesh = read(source, label, level)
            assert (len(mesh.vertices), len(mesh.faces)) == (len(surface.vertices), len(surface.faces))
            off = 2.0 ** (level - bits) * 16 + 1e-5  # voxels
            nearest = made.mesh(label).vertices
            order, theirs = np.lexsort(np.rint(mesh.vertices * 0.5).T), np.lexsort(np.rint(nearest * 0.5).T)
            assert np.abs((mesh.vertices[order] - nearest[theirs]) / (4, 4, 40)).max() < off
            if bits == 16:
                assert triangles(mesh) == triangles(made.mesh(label))
        assert source.get(label, levels) is None
    assert source.get(8) is None
    assert source.levels(8) == 0


@pytest.mark.parametrize("form", FORMS)
def test_cloudvolume_reads_the_same(tmp_path: Path, form: str) -> None:
    from cloudvolume import CloudVolume

    made = make_meshed(tmp_path / "seg", form)
    theirs = CloudVolume(f"file://{made.path}").mesh.get(BIG)
    other = theirs if form == "legacy" else theirs[BIG]
    assert triangles(Mesh(np.asarray(other.vertices, float), other.faces)) == triangles(read(opened(made.path), BIG))


@pytest.mark.parametrize("form", FORMS)
def test_the_transform_leads_to_nanometres(tmp_path: Path, form: str) -> None:
    made = make_meshed(tmp_path / "seg", form)
    before = read(opened(made.path), 7)
    file = tmp_path / "seg/mesh/info"
    info = json.loads(file.read_text())
    mirror = np.diag([-1.0, 1, 1, 1]) @ np.vstack(
        [np.reshape(info.get("transform", np.eye(4)[:3]), (3, 4)), [0, 0, 0, 1]]
    )
    mirror[0, 3] += 9
    file.write_text(json.dumps(info | {"transform": mirror[:3].ravel().tolist()}))
    after = read(opened(made.path), 7)
    assert np.allclose(after.vertices, before.vertices * (-1, 1, 1) + (9, 0, 0))
    assert volume_of(after) == pytest.approx(volume_of(before))
    assert volume_of(after) > 0


def volume_of(mesh: Mesh) -> float:
    """The signed volume; above 0 where faces are counter-clockwise seen from outside."""
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def test_a_layer_without_meshes_says_how_to_make_some(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "legacy")
    layer = Layer.open(made.path, fresh=True)
    raw = layer.raw
    del raw["mesh"]
    layer.write_info(raw)
    with pytest.raises(BadInput, match=r"has no meshes: its info names none.*teravox mesh forge"):
        opened(made.path)


@pytest.mark.parametrize("named", ["../elsewhere", "/etc", "a//b", 3, "", None, "."])
def test_a_folder_outside_of_the_layer_is_refused(tmp_path: Path, named: Any) -> None:
    made = make_meshed(tmp_path / "seg", "legacy")
    file = tmp_path / "seg/info"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"mesh": named}))
    source = f"file://{made.path}"
    if named == "/etc":
        assert opened(made.path).url == f"{source}/etc"
        return
    with pytest.raises(BadInput, match=r"has no meshes|is no key within"):
        opened(made.path)


@pytest.mark.parametrize(
    ("form", "name", "says"),
    [
        ("legacy", "7:0", "7:0 names no fragments"),
        ("legacy", "7:0:low", "7:0:low cannot be read"),
        ("multires", "7.index", "the manifest of label 7 .* cannot be read"),
        ("multires", "7", "mesh/7 ends before byte"),
        ("sharded", "1.shard", "1.shard"),
        ("multires", "info", "is not what describes meshes"),
        ("sharded", "info", "is not what describes meshes"),
    ],
)
def test_what_was_cut_off_is_named(tmp_path: Path, form: str, name: str, says: str) -> None:
    made = make_meshed(tmp_path / "seg", form)
    file = tmp_path / "seg/mesh" / name
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(BadInput, match=says):
        read_all(made.path, made.surfaces)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(8))
def test_flipped_bits_are_told_or_harmless(tmp_path: Path, form: str, seed: int) -> None:
    made = make_meshed(tmp_path / "seg", form)
    random = np.random.default_rng(seed)
    for file in (tmp_path / "seg/mesh").iterdir():
        data = bytearray(file.read_bytes())
        data[random.integers(len(data))] ^= 1 << int(random.integers(8))
        file.write_bytes(data)
    for label in made.surfaces:
        try:
            read_all(made.path, [label])
        except BadInput as error:
            assert "mesh" in str(error)  # noqa: PT017 - either it is told, or nobody can know


def read_all(path: str, labels: Iterable[int]) -> None:
    source = opened(path)
    for label in labels:
        for level in range(source.levels(label)):
            source.get(label, level)


def test_a_missing_fragment_is_named(tmp_path: Path) -> None:
    made = make_meshed(tmp_path / "seg", "legacy")
    (tmp_path / "seg/mesh/7:0:high.gz").unlink()
    with pytest.raises(BadInput, match="mesh/7:0:high is missing"):
        opened(made.path).get(7)
