from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import files_of
from memory_alone import measure_memory
from meshes.by_hand import forge_by_hand, whole_surfaces, write_fragments
from meshes.forging import do, job
from meshes.neurites import Labels, labels_of, neurites
from meshes.read_back import levels, read_meshes

from teravox.kernels.mesh.surface import Surface
from teravox.pipeline.box import Vec
from teravox.pipeline.errors import BadInput, BadUsage, TooLittleMemory
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.meshes.forged import read_forged
from teravox.pipeline.meshes.fragments import SURFACES
from teravox.pipeline.meshes.merging import memory, plan
from teravox.pipeline.meshes.merging.draco import decode
from teravox.pipeline.meshes.merging.levels import MOST_FACES
from teravox.pipeline.meshes.merging.manifest import Manifest, z_order
from teravox.pipeline.objects.forged import forged_key
from teravox.pipeline.objects.fragments import encode_fragments
from teravox.pipeline.objects.order import part_of
from teravox.pipeline.objects.plan import choose_bits
from teravox.pipeline.objects.sort import MESH

OFFSET = (-7, 13, 1001)
STEP = np.array([8.0, 8.0, 20.0])  # nanometres of half a voxel
SMALL = {"min_chunk_size": (32, 32, 32)}
FORMS: list[dict[str, Any]] = [  # options of the kind, whatever they are
    {"format": "sharded"},
    {"format": "multires"},
    {"format": "legacy"},
    {"format": "sharded", "num_lods": 2},
]
Place = tuple[float, ...]


@pytest.fixture(scope="module")
def voxels() -> Labels:
    return neurites((110, 90, 70), 1)


@pytest.fixture
def layer(tmp_path: Path, voxels: Labels) -> str:
    """Forged, without simplification."""
    return path_of(forge_by_hand(tmp_path / "seg", voxels, shape=(64, 64, 64), cell=(32, 32, 32), offset=OFFSET))


@pytest.fixture
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of few faces, so that small layers have some."""
    monkeypatch.setattr(plan, "SIZE", plan.SIZE._replace(least=4000, a_request=1))


@pytest.mark.parametrize("form", FORMS)
def test_the_finest_level_is_the_surface_of_the_whole(layer: str, voxels: Labels, form: dict[str, Any]) -> None:
    do(job("mesh merge", layer, **SMALL, **form))
    found = read_meshes(layer, labels_of(voxels))
    whole = whole_surfaces(voxels, OFFSET)
    assert sorted(found) == sorted(whole)
    for label, mesh in found.items():
        assert places(mesh.vertices, mesh.faces) == places((whole[label].vertices + 1) * STEP, whole[label].faces)


@pytest.mark.parametrize("bits", [10, 16])
def test_all_levels_are_closed_and_of_the_same_topology(layer: str, voxels: Labels, bits: int) -> None:
    do(job("mesh merge", layer, vqb=bits, **SMALL))
    counts = []
    for label, surface in whole_surfaces(voxels, OFFSET).items():
        before = len(surface.faces)
        for lod in range(levels(layer, label)):
            (mesh,) = read_meshes(layer, [label], lod).values()
            solid = trimesh.Trimesh(mesh.vertices, mesh.faces)  # joins vertices where they are equal to 8 digits
            assert solid.is_volume
            assert solid.euler_number == as_trimesh(surface).euler_number
            assert solid.volume == pytest.approx(as_trimesh(surface).volume, rel=0.02 if lod == 0 else 0.3)
            assert not lod or len(mesh.faces) <= before / 2
            before = len(mesh.faces)
        counts.append(levels(layer, label))
    assert max(counts) >= 3
    assert min(counts) == 1


def test_a_simplified_forge_is_mended_at_its_seams(tmp_path: Path, voxels: Labels) -> None:
    forged = forge_by_hand(
        tmp_path / "seg", voxels, shape=(32, 32, 32), cell=(32, 32, 32), offset=OFFSET, max_error=40.0
    )
    path = path_of(forged)
    do(job("mesh merge", path, min_chunk_size=(64, 64, 64)))
    found = read_meshes(path, labels_of(voxels))
    whole = whole_surfaces(voxels, OFFSET)
    assert sorted(found) == sorted(whole)
    for label, mesh in found.items():
        solid = trimesh.Trimesh(mesh.vertices, mesh.faces)
        assert solid.is_volume
        assert solid.euler_number == as_trimesh(whole[label]).euler_number
    faces = sum(len(mesh.faces) for mesh in found.values())
    assert faces < 0.7 * sum(forged_faces(forged))


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 1000),
    st.tuples(*[st.integers(20, 60)] * 3),
    st.tuples(*[st.integers(-500, 500)] * 3),
    st.sampled_from([(16, 16, 16), (16, 32, 8), (48, 16, 32)]),
    st.tuples(*[st.integers(1, 2)] * 3),
    st.sampled_from([(8, 8, 8), (20, 30, 40), (1, 1, 1)]),
)
def test_any_volume_comes_back(
    tmp_path_factory: pytest.TempPathFactory, seed: int, size: Vec, offset: Vec, cell: Vec, cells: Vec, least: Vec
) -> None:
    labels = neurites(size, seed, count=3)
    x, y, z = (c * n for c, n in zip(cell, cells, strict=True))
    folder = tmp_path_factory.mktemp("any") / "seg"
    path = path_of(forge_by_hand(folder, labels, shape=(x, y, z), cell=cell, offset=offset))
    do(job("mesh merge", path, min_chunk_size=least))
    whole = whole_surfaces(labels, offset)
    found = read_meshes(path, labels_of(labels))
    assert sorted(found) == sorted(whole)
    for label, mesh in found.items():
        assert places(mesh.vertices, mesh.faces) == places((whole[label].vertices + 1) * STEP, whole[label].faces)
        for lod in range(1, levels(path, label)):
            (coarse,) = read_meshes(path, [label], lod).values()
            assert trimesh.Trimesh(coarse.vertices, coarse.faces).is_watertight


@pytest.mark.parametrize("form", FORMS)
def test_parts_in_any_order_and_twice_give_the_same_bytes(
    layer: str, voxels: Labels, form: dict[str, Any], many_parts: None
) -> None:
    merge = job("mesh merge", layer, **SMALL, **form)
    shutil.copytree(layer, f"{layer}.before")
    do(merge)
    once = files_of(layer)
    assert len(merge.pieces()) >= 4
    shutil.rmtree(layer)
    shutil.move(f"{layer}.before", layer)

    def shuffle(pieces: Sequence[Any]) -> Sequence[Any]:
        twice = list(pieces) * 2
        random.Random(5).shuffle(twice)
        return twice

    do(merge, shuffle)
    again = files_of(layer)
    del once["provenance"], again["provenance"]  # it says when
    assert again == once
    assert sorted(read_meshes(layer, labels_of(voxels))) == labels_of(voxels)


def test_a_label_that_is_too_large_is_gone_through_piecemeal(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teravox.pipeline.meshes.merging.merge.most_faces", lambda *_: MOST_FACES)
    do(job("mesh merge", layer, **SMALL))
    once = shards_of(layer, "mesh")
    monkeypatch.setattr(memory, "BASE", 0)
    monkeypatch.setattr(memory, "LEAST_WORK", 0)
    do(job("mesh merge", layer, memory=5_000_000, **SMALL))
    (folder,) = {name for name in folders(layer) if name.startswith("mesh_")}
    assert shards_of(layer, folder) == once


def test_labels_are_read_in_groups_that_fit() -> None:
    faces = np.array([10, 20, 1000, 30, 10, 10, 2000])
    labels = SimpleNamespace(pieces=[], links=faces, vertices=faces // 2, fragments=np.ones(7, np.int64))
    least = memory.BASE + 2 * 2 * memory.FRAGMENT  # room for two labels in half of it, which is less than for 300 faces
    groups = list(memory.group_labels(labels, least + 70_000))  # type: ignore[arg-type]  # as much of Labels as it takes
    assert [tuple(group) for group in groups] == [(0, 2, False), (2, 3, True), (3, 6, False), (6, 7, True)]
    groups = list(memory.group_labels(labels, memory.BASE + 10**8))  # type: ignore[arg-type]  # as above
    assert [tuple(group) for group in groups] == [(0, 7, False)]


def test_a_task_takes_no_more_memory_than_it_says(tmp_path: Path) -> None:
    """One label of a third of the volume, whose surface would need 150 MB at once, beside many small ones."""
    labels = np.zeros((72, 72, 72), np.uint64, order="F")
    blocks = np.random.default_rng(0).random((24, 24, 24)) < 0.35
    labels[np.kron(blocks, np.ones((3, 3, 3), bool))] = 7
    places = np.random.default_rng(1).permutation(18**3)[:1000]
    for number, (x, y, z) in enumerate(zip(*np.unravel_index(places, (18, 18, 18)), strict=True)):
        labels[4 * x : 4 * x + 2, 4 * y : 4 * y + 2, 4 * z : 4 * z + 2] = 1000 + number
    path = path_of(forge_by_hand(tmp_path / "seg", labels, shape=(36, 36, 36), cell=(18, 18, 18)))
    merge = job("mesh merge", path, min_chunk_size=(18, 18, 18), memory=550_000_000)
    merge.prepare()
    assert memory.most_memory(0, 0, sum(forged_faces(Layer.open(path)))) > 550_000_000
    pieces = merge.pieces()
    largest = int(part_of(np.array([7], np.uint64), len(pieces).bit_length() - 1)[0])
    assert measure_memory(merge, largest).peak <= merge.memory(pieces[largest]) <= 550_000_000


def test_a_cell_that_is_too_large_says_what_to_do(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "BASE", 0)
    monkeypatch.setattr(memory, "LEAST_WORK", 0)
    with pytest.raises(TooLittleMemory, match=r"--memory: a (cell|piece) of label [0-9]+ has [0-9,]+ faces"):
        do(job("mesh merge", layer, memory=1_000_000, **SMALL))


def test_fragments_lie_in_z_order_before_their_manifest(layer: str, voxels: Labels) -> None:
    do(job("mesh merge", layer, format="multires", **SMALL))
    for label in labels_of(voxels):
        manifest = Manifest.decode(Path(layer, "mesh", f"{label}.index").read_bytes())
        data = Path(layer, "mesh", str(label)).read_bytes()
        assert len(data) == manifest.size
        at = 0
        for number, level in enumerate(manifest.levels):
            cells = [fragment.cell for fragment in level.fragments]
            assert cells == z_order(cells)
            for fragment in level.fragments:
                points, faces = decode(data[at : at + fragment.size])
                at += fragment.size
                if number:
                    assert not straddling(points, faces)
            if number:
                below = {tuple(n // 2 for n in fragment.cell) for fragment in manifest.levels[number - 1].fragments}
                assert below == set(cells)


def test_the_meshes_of_before_stay_until_the_new_ones_are_complete(layer: str, voxels: Labels) -> None:
    do(job("mesh merge", layer, **SMALL))
    before = files_of(layer)
    merge = job("mesh merge", layer, format="legacy")
    merge.prepare()
    for piece in merge.pieces():
        merge.run(piece)
        assert read_meshes(layer, labels_of(voxels))
    after = files_of(layer)
    assert {name: after[name] for name in before} == before
    merge.finish()
    named = json.loads(Path(layer, "info").read_text())["mesh"]
    assert named.startswith("mesh_")
    assert merge.home().endswith(f"/{named}")
    assert files_of(layer)["mesh/info"] == before["mesh/info"]
    assert "teravox mesh clean" in (merge.report() or "")


def test_the_same_merge_of_another_forge_is_another_one(layer: str, voxels: Labels) -> None:
    merge = job("mesh merge", layer)
    do(merge)
    first = merge.home()
    do(merge)
    assert merge.home() == first
    opened = Layer.open(layer, fresh=True)
    forged = read_forged(opened, "mesh")
    changed = np.where(voxels == labels_of(voxels)[0], 0, voxels)
    write_fragments(opened, forged, changed)
    do(merge)
    assert merge.home() != first
    assert sorted(read_meshes(layer, labels_of(voxels))) == labels_of(changed)


@pytest.mark.parametrize("form", FORMS)
def test_a_volume_of_background_has_no_meshes(tmp_path: Path, form: dict[str, Any]) -> None:
    nothing = np.zeros((20, 20, 20), np.uint64)
    path = path_of(forge_by_hand(tmp_path / "seg", nothing, shape=(16, 16, 16), cell=(16, 16, 16)))
    do(job("mesh merge", path, **form))
    assert read_meshes(path, [1, 2]) == {}
    assert folders(path) >= {"mesh"}


@pytest.mark.parametrize("form", FORMS)
def test_one_voxel_has_a_mesh(tmp_path: Path, form: dict[str, Any]) -> None:
    labels = np.zeros((3, 3, 3), np.uint64)
    labels[1, 1, 1] = (1 << 64) - 1
    path = path_of(forge_by_hand(tmp_path / "seg", labels, shape=(16, 16, 16), cell=(16, 16, 16)))
    do(job("mesh merge", path, **form))
    ((_, mesh),) = read_meshes(path, [(1 << 64) - 1]).items()
    assert len(mesh.faces) == 8
    assert mesh.vertices.min(axis=0).tolist() == [16, 16, 40]


def test_fragments_that_do_not_fit_together_are_refused(layer: str) -> None:
    opened = Layer.open(layer, fresh=True)
    forged = read_forged(opened, "mesh")
    key = forged.key(forged.grid[0])
    file = forged.open(opened, forged.grid[0])
    some = [(label, _without_a_face(surface)) for label, surface in file.read(file.rows(), SURFACES)]
    opened.store.put(key, encode_fragments(some, SURFACES))
    with pytest.raises(BadInput, match="make no closed surface"):
        do(job("mesh merge", layer, **SMALL))


def test_an_open_forge_is_merged_open(layer: str) -> None:
    opened = Layer.open(layer, fresh=True)
    forged = read_forged(opened, "mesh")
    file = forged.open(opened, forged.grid[0])
    some = [(label, _without_a_face(surface)) for label, surface in file.read(file.rows(), SURFACES)]
    opened.store.put(forged.key(forged.grid[0]), encode_fragments(some, SURFACES))
    data = msgspec.json.encode(msgspec.structs.replace(forged, open_edge=True))
    opened.store.put(forged_key("mesh"), data)
    do(job("mesh merge", layer, **SMALL))


def test_without_a_finished_forge_it_says_what_to_run(layer: str) -> None:
    Path(layer, forged_key("mesh")).unlink()
    with pytest.raises(BadInput, match="--resume"):
        job("mesh merge", layer).prepare()
    with pytest.raises(BadInput, match="teravox mesh forge"):
        job("mesh merge", layer, dir="other").prepare()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"vqb": 12}, "--vqb: .* got 12"),
        ({"min_chunk_size": (0, 1, 1)}, "--min-chunk-size"),
        ({"format": "legacy", "num_lods": 2}, "--num-lods: the legacy form has one level"),
        ({"format": "sharded", "compress": "gzip"}, "--compress: sharded meshes"),
        ({"memory": 1000}, "--memory: 1.0 kB are too little"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(layer: str, options: dict[str, Any], sentence: str) -> None:
    before = files_of(layer)
    with pytest.raises(BadUsage, match=sentence):
        job("mesh merge", layer, **options).prepare()
    assert files_of(layer) == before


@pytest.mark.parametrize("compress", ["auto", "none", "zstd"])
def test_legacy_fragments_are_compressed_as_they_are_told_to(layer: str, compress: str) -> None:
    do(job("mesh merge", layer, format="legacy", compress=compress, **SMALL))
    endings = {name.suffix for name in Path(layer, "mesh").glob("*:0:*")}
    assert endings == {{"auto": ".gz", "none": "", "zstd": ".zstd"}[compress]}


def test_the_number_of_parts_follows_from_the_fragments(layer: str, many_parts: None) -> None:
    merge = job("mesh merge", layer)
    assert len(merge.pieces()) == 1 << 4
    assert "16 shards" in merge.choices()[0]


def test_large_jobs_have_more_parts() -> None:
    def bits(labels: int, faces: int, pieces: int, memory: int) -> int:
        return choose_bits({"labels": labels, "vertices": faces // 2, "faces": faces}, pieces, memory, MESH, plan.SIZE)

    assert bits(1 << 24, 1 << 30, 10_000, 3_550_000_000) == 8
    assert bits(0, 0, 1, 1_000_000_000) == 0
    assert bits(1 << 24, 1 << 30, 10_000, 30_000_000) > bits(1 << 24, 1 << 30, 10_000, 30_000_000_000)


def path_of(layer: Layer) -> str:
    return layer.url.removeprefix("file://")


def folders(layer: str) -> set[str]:
    return {entry.name for entry in Path(layer).iterdir() if entry.is_dir()}


def shards_of(layer: str, folder: str) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in Path(layer, folder).glob("*.shard")}


def forged_faces(layer: Layer) -> list[int]:
    forged = read_forged(layer, "mesh")
    return [forged.open(layer, piece).links for piece in forged.grid]


def as_trimesh(surface: Surface) -> trimesh.Trimesh:
    return trimesh.Trimesh((surface.vertices + 1) * STEP, surface.faces.astype(np.int64), process=False)


def places(vertices: Any, faces: Any) -> list[tuple[Place, ...]]:
    """Each face by the places of its corners, to a tenth of a nanometre, the least one first."""
    corners = np.round(np.asarray(vertices, np.float64)[np.asarray(faces)], 1) + 0.0
    found = []
    for face in corners.tolist():
        named = [tuple(corner) for corner in face]
        least = named.index(min(named))
        found.append((*named[least:], *named[:least]))
    return sorted(found)


def straddling(points: Any, faces: Any) -> bool:
    """Whether a face crosses a middle plane of its cell."""
    corners = points[faces].astype(np.int64) - (1 << 15)
    return bool(((corners.min(axis=1) < 0) & (corners.max(axis=1) > 0)).any())


def _without_a_face(surface: Surface) -> Surface:
    return Surface(surface.vertices, surface.faces[1:])
