"""`skeleton forge` and `skeleton merge` together: what CloudVolume reads is held to kimimaro's skeletons of the whole volume."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from layers.make import files_of
from meshes.forging import do, job
from scipy.spatial import cKDTree
from skeletons.making import (
    LARGE,
    RESOLUTION,
    Labels,
    draw_ball,
    draw_ring,
    draw_tree,
    labels_of,
    layer_of,
    shapes,
    skeletonize,
)
from skeletons.quality import Floats, Skeleton, Vec, facts_of, whole_skeletons
from skeletons.read_back import read_skeletons
from skeletons.tissue import Tissue

FORMATS = ["legacy", "sharded"]
DUST = 20  # voxels
ALL: dict[str, Any] = {"dust_threshold": DUST, "min_cable_length": 0.0}


def check_sound(found: dict[int, Skeleton], tissue: Tissue, least: int = 2 * DUST) -> None:
    """All vertices are in the middle of voxels of their label, and each large part has one skeleton without loops."""
    for label in tissue.labels:
        skeleton = found.get(label)
        assert tissue.parts_of(label, skeleton, least)[1:] == (0, 0), label
        if skeleton is not None:
            assert tissue.inside(label, skeleton).all(), label
            assert tissue.from_middle(skeleton) < 0.1, label
            assert facts_of(skeleton).loops == 0, label
            assert facts_of(skeleton).vertices > 0, label
            assert (skeleton.radius > 0).all(), label


def most_distance(places: Floats, skeleton: Skeleton) -> float:
    """How far a place is from the skeleton at most, in nanometres."""
    return float(cKDTree(skeleton.vertices).query(places)[0].max())


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(*[st.integers(9, 40)] * 3),
    offset=st.tuples(*[st.integers(-1001, 1001)] * 3),
    shape=st.tuples(*[st.integers(7, 25)] * 3),
    format=st.sampled_from(FORMATS),
    seed=st.integers(0, 10_000),
    join=st.booleans(),  # fragments meet also without
    random=st.randoms(use_true_random=False),
)
@example((41, 33, 30), (-33, 7, -1), (16, 16, 16), "sharded", 3, False, None)
def test_every_label_has_skeletons_of_all_its_parts(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    shape: Vec,
    format: str,
    seed: int,
    join: bool,
    random: Any,
) -> None:
    volume = shapes(size, seed)
    layer = layer_of(tmp_path_factory.mktemp("layer"), volume, offset)

    def shuffled(pieces: Any) -> Any:
        return random.sample(list(pieces) * 2, 2 * len(pieces)) if random else pieces

    skeletonize(layer, shuffled, shape=shape, format=format, join=join, **ALL)
    check_sound(read_skeletons(layer, labels_of(volume)), Tissue(volume, RESOLUTION, offset))


@pytest.mark.parametrize("seed", range(4))
def test_cables_are_as_long_as_those_of_the_whole_volume(tmp_path: Path, seed: int) -> None:
    volume = shapes((64, 60, 48), seed, plates=False)
    offset = (-7, 3, 1_000)
    layer = layer_of(tmp_path, volume, offset)
    skeletonize(layer, shape=(40, 32, 32), **ALL)
    found = read_skeletons(layer, labels_of(volume))
    for label, whole in whole_skeletons(volume, RESOLUTION, offset, dust=DUST).items():
        ours, wanted = facts_of(found[label]), facts_of(whole)
        assert 0.8 * wanted.cable - 200 < ours.cable < 1.3 * wanted.cable + 200, label


@pytest.mark.parametrize("seed", range(3))
def test_one_piece_gives_what_kimimaro_gives(tmp_path: Path, seed: int) -> None:
    volume = shapes((48, 40, 36), seed, plates=False)
    layer = layer_of(tmp_path, volume)
    skeletonize(layer, shape=(64, 64, 64), join=False, **ALL)
    found = read_skeletons(layer, labels_of(volume))
    wholes = whole_skeletons(volume, RESOLUTION, dust=DUST)
    assert sorted(set(wholes) - set(found)) == []
    pairs = [(facts_of(found[label]), facts_of(whole)) for label, whole in wholes.items()]
    for ours, wanted in pairs:  # a ball has many diameters, and not all are as long on the grid of voxels
        assert ours.cable == pytest.approx(wanted.cable, rel=0.05, abs=200)
        assert abs(ours.terminals - wanted.terminals) <= 1 + wanted.terminals // 10
    cable, of_whole = (sum(facts.cable for facts in side) for side in zip(*pairs, strict=True))
    assert cable == pytest.approx(of_whole, rel=0.05)


@pytest.mark.parametrize("format", FORMATS)
def test_neither_order_nor_repetition_changes_a_byte(tmp_path: Path, format: str) -> None:
    volume = shapes((50, 40, 45), 7)
    random = np.random.default_rng(0)

    def shuffled(pieces: Any) -> Any:
        chosen = list(pieces) * 2
        return [chosen[n] for n in random.permutation(len(chosen))]

    trees = []
    for order in (list, shuffled):
        layer = layer_of(tmp_path / "layer", volume, (-9, 4, 11))  # where the same jobs have the same names
        skeletonize(layer, order, shape=(16, 16, 16), format=format, **ALL)
        trees.append({key: data for key, data in files_of(layer).items() if key != "provenance"})
        shutil.rmtree(layer)
    assert trees[0].keys() == trees[1].keys()
    assert [key for key in trees[0] if trees[0][key] != trees[1][key]] == []


def test_both_formats_hold_the_same(tmp_path: Path) -> None:
    volume = shapes((40, 38, 36), 11)
    found = []
    for format in FORMATS:
        layer = layer_of(tmp_path / format, volume, (5, -6, 7))
        skeletonize(layer, shape=(16, 16, 16), format=format, **ALL)
        found.append(read_skeletons(layer, labels_of(volume)))
    assert found[0].keys() == found[1].keys()
    for label, one in found[0].items():
        assert all(np.array_equal(a, b) for a, b in zip(one, found[1][label], strict=True))


def test_a_ring_over_pieces_becomes_an_open_one(tmp_path: Path) -> None:
    volume = np.zeros((48, 48, 48), np.uint64, order="F")
    draw_ring(volume, np.uint64(LARGE + 1), np.random.default_rng(2))
    layer = layer_of(tmp_path, volume)
    skeletonize(layer, shape=(16, 16, 16), **ALL)
    (found,) = read_skeletons(layer, [LARGE + 1]).values()
    facts = facts_of(found)
    assert (facts.loops, facts.components) == (0, 1)
    (whole,) = whole_skeletons(volume, RESOLUTION, dust=DUST).values()
    voxels: Floats = (np.argwhere(volume) + 0.5) * np.array(RESOLUTION)
    assert most_distance(voxels, found) <= 1.5 * most_distance(voxels, whole)  # it goes all the way round


def test_a_tree_over_pieces_keeps_its_ends(tmp_path: Path) -> None:
    volume = np.zeros((60, 60, 60), np.uint64, order="F")
    draw_tree(volume, np.uint64(5), np.random.default_rng(8))
    layer = layer_of(tmp_path, volume)
    skeletonize(layer, shape=(30, 30, 30), **ALL)
    (found,) = read_skeletons(layer, [5]).values()
    (whole,) = whole_skeletons(volume, RESOLUTION, dust=DUST).values()
    arms = np.bincount(whole.edges.ravel())
    assert most_distance(whole.vertices[arms == 1], found) <= 100


def test_labels_that_touch_keep_to_themselves(tmp_path: Path) -> None:
    volume = np.zeros((40, 40, 20), np.uint64, order="F")
    volume[:, :20] = 3
    volume[:, 20:] = 2**64 - 1
    volume[15:25, 15:25] = 4  # over the same corner of pieces as both
    layer = layer_of(tmp_path, volume, (-20, -20, -10))
    skeletonize(layer, shape=(20, 20, 20), **ALL)
    tissue = Tissue(volume, RESOLUTION, (-20, -20, -10))
    found = read_skeletons(layer, labels_of(volume))
    assert sorted(found) == [3, 4, 2**64 - 1]
    check_sound(found, tissue)


def test_balls_at_the_corners_of_a_volume_have_skeletons(tmp_path: Path) -> None:
    volume = np.zeros((33, 34, 35), np.uint64, order="F")
    corners = np.array(np.meshgrid(*[(0, 1)] * 3)).reshape(3, -1).T
    for number, corner in enumerate(corners):
        draw_ball(volume, corner * np.array(volume.shape), 6.0, np.uint64(number + 1))
    layer = layer_of(tmp_path, volume)
    skeletonize(layer, shape=(16, 16, 16), **ALL)
    found = read_skeletons(layer, labels_of(volume))
    assert sorted(found) == list(range(1, 9))
    check_sound(found, Tissue(volume, RESOLUTION))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_labels_of_all_types_have_skeletons(tmp_path: Path, dtype: str) -> None:
    most = np.iinfo(dtype).max
    volume: Labels = np.zeros((40, 20, 20), np.uint64, order="F")
    volume[2:38, 5:12, 5:12] = most
    layer = layer_of(tmp_path, volume.astype(dtype, order="F"))
    skeletonize(layer, shape=(16, 16, 16), **ALL)
    found = read_skeletons(layer, [most])
    assert list(found) == [most]
    check_sound(found, Tissue(volume, RESOLUTION))


@pytest.mark.parametrize("format", FORMATS)
def test_a_volume_of_background_has_no_skeletons(tmp_path: Path, format: str) -> None:
    layer = layer_of(tmp_path, np.zeros((40, 30, 20), np.uint64, order="F"))
    skeletonize(layer, shape=(16, 16, 16), format=format)
    assert read_skeletons(layer, [1, 5]) == {}


def test_a_volume_of_one_label_has_one_skeleton(tmp_path: Path) -> None:
    volume = np.full((40, 30, 20), 2**64 - 1, np.uint64, order="F")
    layer = layer_of(tmp_path, volume, (1, -2, 3))
    skeletonize(layer, shape=(16, 16, 16), **ALL)
    check_sound(read_skeletons(layer, labels_of(volume)), Tissue(volume, RESOLUTION, (1, -2, 3)))


def test_single_voxels_have_no_cable(tmp_path: Path) -> None:
    volume = np.zeros((20, 20, 20), np.uint64, order="F")
    volume[0, 0, 0], volume[19, 19, 19], volume[16, 16, 16], volume[5, 5, 5] = 1, 2, 3, 4
    volume[8:12, 2:18, 8:12] = 5
    layer = layer_of(tmp_path, volume)
    skeletonize(layer, shape=(16, 16, 16), dust_threshold=0, min_cable_length=1.0)
    assert list(read_skeletons(layer, labels_of(volume))) == [5]


def test_an_older_result_stays_until_a_new_one_is_whole(tmp_path: Path) -> None:
    volume = shapes((40, 36, 30), 2)
    layer = layer_of(tmp_path, volume)
    skeletonize(layer, shape=(32, 32, 32), **ALL)
    labels = labels_of(volume)
    before = read_skeletons(layer, labels)
    do(job("skeleton forge", layer, shape=(16, 16, 16), dust_threshold=DUST))
    merging = job("skeleton merge", layer, format="legacy", min_cable_length=0.0)
    merging.prepare()
    for piece in merging.pieces():
        merging.run(piece)
        still = read_skeletons(layer, labels)
        assert all(np.array_equal(still[label].vertices, before[label].vertices) for label in before)
    merging.finish()
    after = read_skeletons(layer, labels)
    assert sum(len(n.vertices) for n in after.values()) != sum(len(n.vertices) for n in before.values())
