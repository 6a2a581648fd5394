"""`mesh forge` and `mesh merge` together: what CloudVolume reads is held to zmesh's surfaces of the whole volume."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from layers.make import files_of
from meshes.forging import HALF_VOXEL, RESOLUTION, do, job, layer_of, mesh
from meshes.neurites import LARGE, Labels, labels_of, neurites, noise
from meshes.quality import Mesh, Vec, deviation, facts_of, weld, whole_meshes
from meshes.read_back import levels, read_meshes
from numpy.typing import NDArray

from teravox.pipeline.meshes.merging import merge
from teravox.pipeline.objects.groups import Group

MAX_ERROR = 40.0
FORMATS = ["legacy", "multires", "sharded"]
SEAM = 1e-3  # nanometers between what decoding makes of the same vertex in two fragments
LEVELS = 3

multiple = st.integers(1, 3)


def merged_meshes(layer: str, volume: Labels, lod: int = 0) -> dict[int, Mesh]:
    return {label: weld(found, SEAM) for label, found in read_meshes(layer, labels_of(volume), lod).items()}


def triangles_in_half_voxels(found: Mesh) -> NDArray[np.int64]:
    """The triangles in an order of their own, each from its least corner; the vertices must be on the grid of half voxels."""
    grid = np.rint(found.vertices / HALF_VOXEL).astype(np.int64)
    assert np.allclose(grid * HALF_VOXEL, found.vertices, atol=0.1)
    corners = grid[found.faces]
    first = [min(range(3), key=lambda n: tuple(face[n])) for face in corners.tolist()]
    turned = np.array([np.roll(face, -n, axis=0) for face, n in zip(corners, first, strict=True)]).reshape(-1, 9)
    return turned[np.lexsort(turned.T)]


def check_topology(found: dict[int, Mesh], whole: dict[int, Mesh]) -> None:
    """All labels are there, and closed, and have the holes and cavities that they had."""
    assert sorted(found) == sorted(whole)
    for label, surface in whole.items():
        ours, wanted = facts_of(found[label]), facts_of(surface)
        assert (ours.is_volume, ours.euler, ours.open_edges) == (wanted.is_volume, wanted.euler, 0), label


def check_shape(found: dict[int, Mesh], whole: dict[int, Mesh], volume: Labels) -> None:
    """Nothing is further away than was asked for, nor the volume of what is large enough much another one."""
    for label, surface in whole.items():
        assert deviation(surface, found[label], 1000).p99 <= MAX_ERROR, label
        if (volume == label).sum() > 1000:
            assert facts_of(found[label]).volume == pytest.approx(facts_of(surface).volume, rel=0.01), label


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(20, 56)] * 3),
    offset=st.tuples(*[st.integers(-1001, 1001)] * 3),
    cell=st.tuples(*[st.sampled_from([8, 10, 16])] * 3),
    times=st.tuples(multiple, multiple, multiple),
    format=st.sampled_from(FORMATS),
    seed=st.integers(0, 1000),
    random=st.randoms(use_true_random=False),
)
@example((41, 33, 50), (-33, 7, -1), (8, 8, 8), (2, 2, 2), "sharded", 3, None)
def test_all_labels_become_what_they_are_in_the_whole_volume(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    cell: Vec,
    times: Vec,
    format: str,
    seed: int,
    random: Any,
) -> None:
    volume = neurites(size, seed)
    layer = layer_of(tmp_path_factory.mktemp("layer"), volume, offset)
    shape = tuple(c * t for c, t in zip(cell, times, strict=True))

    def shuffled(pieces: Any) -> Any:
        return random.sample(list(pieces) * 2, 2 * len(pieces)) if random else pieces

    levels_wanted = {} if format == "legacy" else {"num_lods": LEVELS, "min_chunk_size": cell}
    mesh(layer, shuffled, shape=shape, cell=cell, max_error=MAX_ERROR, format=format, **levels_wanted)
    whole = dict(whole_meshes(volume, RESOLUTION, offset))
    found = merged_meshes(layer, volume)
    check_topology(found, whole)
    for lod in range(1, LEVELS):
        coarse = merged_meshes(layer, volume, lod)
        check_topology(coarse, {label: whole[label] for label in coarse})


@pytest.mark.parametrize("seed", range(4))
def test_no_surface_is_further_away_than_was_asked_for(tmp_path: Path, seed: int) -> None:
    volume = neurites((60, 54, 48), seed)
    layer = layer_of(tmp_path, volume, (-7, 3, 5))
    mesh(layer, shape=(32, 32, 32), cell=(16, 16, 16), max_error=MAX_ERROR)
    check_shape(merged_meshes(layer, volume), dict(whole_meshes(volume, RESOLUTION, (-7, 3, 5))), volume)


FAR = (-1_000_003, 777_777, 5)  # where floats of 32 bits, which legacy meshes have, cannot hold half voxels


@pytest.mark.parametrize(
    ("format", "offset"), [*((format, (0, 0, 0)) for format in FORMATS), ("multires", FAR), ("sharded", FAR)]
)
def test_without_simplification_the_faces_are_those_of_the_whole_volume(
    tmp_path: Path, format: str, offset: Vec
) -> None:
    volume = neurites((45, 38, 41), 5)
    layer = layer_of(tmp_path, volume, offset)
    mesh(layer, shape=(16, 16, 16), cell=(8, 8, 8), simplify=False, format=format, num_lods=1)
    found = merged_meshes(layer, volume)
    for label, surface in whole_meshes(volume, RESOLUTION, offset):
        assert np.array_equal(triangles_in_half_voxels(found[label]), triangles_in_half_voxels(surface))


@pytest.mark.parametrize("seed", range(3))
def test_surfaces_of_the_worst_shape_stay_closed(tmp_path: Path, seed: int) -> None:
    volume = noise((21, 20, 19), seed)
    layer = layer_of(tmp_path, volume, (3, -5, 1))
    mesh(layer, shape=(8, 8, 8), cell=(4, 4, 4), max_error=MAX_ERROR, num_lods=LEVELS, min_chunk_size=(4, 4, 4))
    whole = dict(whole_meshes(volume, RESOLUTION, (3, -5, 1)))
    assert all(facts_of(surface).is_volume for surface in whole.values())
    assert min(levels(layer, label) for label in whole) == LEVELS
    for lod in range(LEVELS):
        check_topology(merged_meshes(layer, volume, lod), whole)


@pytest.mark.parametrize("format", FORMATS)
def test_neither_order_nor_repetition_changes_a_byte(tmp_path: Path, format: str) -> None:
    volume = neurites((50, 40, 45), 7)
    random = np.random.default_rng(0)

    def shuffled(pieces: Any) -> Any:
        chosen = list(pieces) * 2
        return [chosen[n] for n in random.permutation(len(chosen))]

    trees = []
    for order in (list, shuffled):
        layer = layer_of(tmp_path / "layer", volume, (-9, 4, 11))  # where the same jobs have the same names
        mesh(layer, order, shape=(16, 16, 16), cell=(8, 8, 8), max_error=MAX_ERROR, format=format)
        trees.append({key: data for key, data in files_of(layer).items() if key != "provenance"})
        shutil.rmtree(layer)
    assert trees[0].keys() == trees[1].keys()
    assert [key for key in trees[0] if trees[0][key] != trees[1][key]] == []


def test_shapes_of_pieces_agree_up_to_the_error(tmp_path: Path) -> None:
    volume = neurites((140, 110, 100), 11, count=8)
    found = []
    for shape in (64, 96, 128):
        layer = layer_of(tmp_path / str(shape), volume)
        mesh(layer, shape=(shape,) * 3, cell=(32, 32, 32), max_error=MAX_ERROR)
        found.append(merged_meshes(layer, volume))
    for one, other in itertools.combinations(found, 2):
        assert one.keys() == other.keys()
        for label in one:
            assert facts_of(one[label]).euler == facts_of(other[label]).euler
            assert deviation(one[label], other[label], 1000).p99 <= MAX_ERROR


@pytest.mark.parametrize("format", FORMATS)
def test_a_volume_of_background_has_no_meshes(tmp_path: Path, format: str) -> None:
    layer = layer_of(tmp_path, np.zeros((40, 30, 20), np.uint64, order="F"))
    mesh(layer, shape=(16, 16, 16), cell=(8, 8, 8), format=format)
    assert read_meshes(layer, []) == {}
    if format != "legacy":
        assert levels(layer, 5) == 0


def test_a_volume_of_one_label_is_a_box(tmp_path: Path) -> None:
    volume = np.full((40, 30, 20), 2**64 - 1, np.uint64, order="F")
    layer = layer_of(tmp_path, volume, (1, -2, 3))
    mesh(layer, shape=(16, 16, 16), cell=(8, 8, 8), max_error=MAX_ERROR)
    check_topology(merged_meshes(layer, volume), dict(whole_meshes(volume, RESOLUTION, (1, -2, 3))))


def test_an_open_edge_is_open_there_alone(tmp_path: Path) -> None:
    volume = np.zeros((40, 30, 20), np.uint64, order="F")
    volume[10:, 5:15, 5:15] = LARGE + 1
    layer = layer_of(tmp_path, volume)
    mesh(layer, shape=(16, 16, 16), cell=(8, 8, 8), max_error=MAX_ERROR, open_edge=True)
    (found,) = merged_meshes(layer, volume).values()
    (whole,) = (surface for _, surface in whole_meshes(volume, RESOLUTION, close=False))
    ours = facts_of(found)
    assert ours.open_edges > 0
    assert ours.euler == facts_of(whole).euler == 1
    assert found.vertices.max(axis=0)[0] == pytest.approx(39.5 * RESOLUTION[0])


def test_an_older_result_stays_until_a_new_one_is_whole(tmp_path: Path) -> None:
    volume = neurites((40, 36, 30), 2)
    layer = layer_of(tmp_path, volume)
    mesh(layer, shape=(32, 32, 32), cell=(16, 16, 16), max_error=MAX_ERROR)
    before = merged_meshes(layer, volume)
    do(job("mesh forge", layer, shape=(16, 16, 16), cell=(8, 8, 8), max_error=4.0))
    merging = job("mesh merge", layer, format="multires")
    merging.prepare()
    for piece in merging.pieces():
        merging.run(piece)
        still = merged_meshes(layer, volume)
        assert all(np.array_equal(still[label].vertices, before[label].vertices) for label in before)
    merging.finish()
    after = merged_meshes(layer, volume)
    assert sum(map(len, (m.faces for m in after.values()))) > sum(map(len, (m.faces for m in before.values())))


def test_labels_that_are_read_piece_by_piece_become_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = neurites((60, 54, 48), 3)
    trees = []
    for is_giant in (False, True):
        layer = layer_of(tmp_path / "layer", volume, (-9, 4, 11))
        if is_giant:  # every label, as if no memory could hold one
            monkeypatch.setattr(
                merge,
                "group_labels",
                lambda labels, memory: [Group(at, at + 1, is_giant=True) for at in range(len(labels))],
            )
        mesh(layer, shape=(16, 16, 16), cell=(8, 8, 8), max_error=4.0, num_lods=LEVELS, min_chunk_size=(8, 8, 8))
        trees.append({key: data for key, data in files_of(layer).items() if key.endswith(".shard")})
        shutil.rmtree(layer)
    assert trees[0] == trees[1] != {}
