"""Blocks are joined to what the whole volume has."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
import pytest
from cloudvolume import CloudVolume
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import files_of
from numpy.typing import NDArray
from stitching.make_blocks import cut_into_blocks, stitch

from teravox.kernels.stitching.rule import Rule
from teravox.pipeline.box import Vec
from teravox.pipeline.layers.layer import within
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.stitching.choosing import joins_of

Array = NDArray[Any]  # of whatever labels


def random_labels(seed: int, size: Vec, values: int) -> NDArray[np.uint32]:
    """Labels in cells of two voxels, so that they have shapes that wind; a third is background."""
    random = np.random.default_rng(seed)
    cells = random.integers(0, values + 1, [-(-n // 2) for n in size]) * (
        random.random([-(-n // 2) for n in size]) < 0.8
    )
    whole = np.kron(cells, np.ones((2, 2, 2), int))[: size[0], : size[1], : size[2]]
    return np.asfortranarray(whole, np.uint32)


def assert_same_partition(one: Array, other: Array) -> None:
    """Two labellings have the same bodies, whatever these are called; background is background."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    for side in pairs:
        assert len(np.unique(side)) == pairs.shape[1]
    assert ((pairs[0] == 0) == (pairs[1] == 0)).all()


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:  # several sorts of options
    size = draw(st.tuples(*[st.integers(1, 13)] * 3))
    return {
        "size": size,
        "shape": draw(st.tuples(*[st.integers(3, 8)] * 3)),
        "halo": draw(st.tuples(*[st.integers(1, 3)] * 3)),
        "offset": draw(st.tuples(*[st.integers(-9, 9)] * 3)),
        "connectivity": draw(st.sampled_from([6, 18, 26])),
        "seed": draw(st.integers(0, 2**32)),
        "values": draw(st.integers(1, 3)),
    }


@settings(max_examples=15, deadline=None)
@given(case=cases())
def test_blockwise_components_stitched_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, case: dict[str, Any]
) -> None:
    whole = random_labels(case["seed"], case["size"], case["values"])
    blocks = {name: case[name] for name in ("shape", "halo", "offset", "connectivity")}
    layer = cut_into_blocks(tmp_path_factory.mktemp("blocks"), whole, **blocks)
    stitched = stitch(layer, rule="any", group=(2, 2, 2))
    assert_same_partition(stitched, cc3d.connected_components(whole, connectivity=case["connectivity"]))


def winding(seed: int = 5) -> NDArray[np.uint32]:
    return random_labels(seed, (21, 14, 10), 2)


def test_any_order_repetition_and_group_give_the_same_bytes(tmp_path: Path) -> None:
    whole = winding()
    written = []
    for place, (seed, group) in enumerate([(None, (8, 8, 8)), (1, (2, 2, 2)), (2, (3, 2, 5))]):
        layer = cut_into_blocks(tmp_path / str(place), whole, shape=(4, 6, 5), halo=(2, 1, 1))
        stitch(layer, seed=seed, rule="aggressive", min_overlap=1, group=group)
        chunks = {key: data for key, data in files_of(layer).items() if key.startswith("4_4_40/")}
        assert len(chunks) == 6 * 3 * 2
        written.append(chunks)
    assert written[0] == written[1] == written[2]


def test_no_rule_leaves_every_label_with_its_own_id(tmp_path: Path) -> None:
    whole = winding()
    layer = cut_into_blocks(tmp_path, whole, shape=(8, 7, 5), halo=(2, 2, 2))
    stitched = stitch(layer, rule="none")
    segmented = Segmented.open(layer)
    for index in segmented.blocks.used:
        core = within(segmented.grid[index], segmented.grid.bounds)
        np.testing.assert_array_equal(stitched[core], segmented.global_ids(index, segmented.core(index)))
    sizes = [segmented.sizes(index).core for index in segmented.blocks.used]
    assert len(np.unique(stitched[stitched > 0])) == sum((size > 0).sum() for size in sizes)


def test_a_body_has_the_smallest_id_of_its_labels_that_have_voxels(tmp_path: Path) -> None:
    whole = winding()
    layer = cut_into_blocks(tmp_path, whole, shape=(8, 7, 5), halo=(2, 2, 2))
    apart = stitch(layer, rule="none")
    stitched = stitch(layer, rule="any", dest=str(tmp_path / "joined"))
    assert (stitched == 0).sum() == (apart == 0).sum()
    for body in np.unique(stitched[stitched > 0]):
        assert body == apart[stitched == body].min()


def test_consecutive_ids_are_one_to_n_and_the_bodies_are_the_same(tmp_path: Path) -> None:
    layer = cut_into_blocks(tmp_path, winding(), shape=(4, 7, 5), halo=(2, 2, 2))
    bodies = stitch(layer, rule="any", group=(2, 2, 2))
    numbered = stitch(layer, rule="any", group=(2, 2, 2), consecutive=True, dest=str(tmp_path / "numbered"))
    assert bodies.dtype == np.uint64
    assert numbered.dtype == np.uint32
    assert np.unique(numbered).tolist() == list(range(len(np.unique(bodies))))
    assert_same_partition(bodies, numbered)


@pytest.mark.parametrize("consecutive", [False, True])
def test_bodies_that_are_too_small_are_dropped_by_what_they_have_in_the_whole(
    tmp_path: Path, consecutive: bool
) -> None:
    whole = winding()
    layer = cut_into_blocks(tmp_path, whole, shape=(8, 7, 5), halo=(2, 2, 2))
    bodies = stitch(layer, rule="any", min_size=30, consecutive=consecutive)
    expected = cc3d.connected_components(whole, connectivity=6)
    sizes = np.bincount(expected.ravel())
    assert sizes[1:].min() < 30 <= sizes[1:].max()
    assert_same_partition(bodies, np.where(sizes[expected] >= 30, expected, 0))


@pytest.mark.parametrize("consecutive", [False, True])
def test_preserved_bodies_keep_their_ids_and_join_nothing(tmp_path: Path, consecutive: bool) -> None:
    whole = winding().astype(np.uint64)
    large = 2**40 + 7
    whole[whole == 2] = large
    layer = cut_into_blocks(tmp_path, whole, shape=(8, 7, 5), halo=(2, 2, 2), preserve=(large,))
    stitched = stitch(layer, rule="any", consecutive=consecutive)
    np.testing.assert_array_equal(stitched == large, whole == large)
    ours = np.unique(stitched[(stitched > 0) & (stitched != large)])
    base = Segmented.open(layer).base
    assert base > large
    assert ours.tolist() == list(range(base + 1, base + 1 + len(ours))) if consecutive else ours.min() > base
    others = np.where(whole == large, 0, whole)
    assert_same_partition(np.where(stitched == large, 0, stitched), cc3d.connected_components(others, connectivity=6))


def test_a_preserved_body_joins_no_labels_that_lie_on_either_side_of_it(tmp_path: Path) -> None:
    whole = np.full((12, 4, 4), 9, np.uint32, order="F")
    layer = cut_into_blocks(tmp_path, whole, shape=(4, 4, 4), halo=(1, 1, 1), preserve=(9,), blind=(0, 2))
    stitched = stitch(layer, rule="any")
    assert stitched[4:8].tolist() == whole[4:8].tolist()
    assert len(np.unique(stitched)) == 3


def test_blocks_with_nothing_to_segment_are_left_out(tmp_path: Path) -> None:
    whole = winding()
    whole[8:16] = 0
    columns = [(first, first + 1) for first in range(3 * 2 * 2) if first % 3 != 1]
    layer = cut_into_blocks(tmp_path, whole, shape=(8, 7, 5), halo=(2, 2, 2), used=tuple(columns))
    assert_same_partition(stitch(layer, rule="any", group=(2, 2, 2)), cc3d.connected_components(whole, connectivity=6))


def test_only_axes_with_a_halo_are_stitched(tmp_path: Path) -> None:
    whole = np.ones((8, 8, 4), np.uint32, order="F")
    layer = cut_into_blocks(tmp_path, whole, shape=(4, 4, 2), halo=(1, 1, 0))
    stitched = stitch(layer, rule="any")
    assert [len(np.unique(stitched[..., z])) for z in range(4)] == [1] * 4
    assert len(np.unique(stitched)) == 2


@pytest.mark.parametrize(
    "form",
    [
        {"encoding": "raw", "compress": "none"},
        {"encoding": "crackle"},
        {"encoding": "compresso"},
        {"encoding": "compressed_segmentation", "sharded": True},
        {"encoding": "raw", "compress": "zstd", "compress_level": 3},
    ],
)
def test_the_layer_is_stored_as_it_is_asked_for(tmp_path: Path, form: dict[str, Any]) -> None:
    layer = cut_into_blocks(tmp_path, winding(), shape=(8, 8, 8), halo=(2, 2, 2), chunk=(4, 4, 4), offset=(-3, 4, 100))
    usual = stitch(layer, rule="any", dest=str(tmp_path / "usual"))
    np.testing.assert_array_equal(stitch(layer, rule="any", dest=str(tmp_path / "other"), **form), usual)
    volume = CloudVolume(f"file://{tmp_path / 'other'}", progress=False, bounded=True)
    np.testing.assert_array_equal(np.asarray(volume[:, :, :])[..., 0], usual)
    assert volume.voxel_offset.tolist() == [-3, 4, 100]
    assert (volume.encoding, volume.layer_type, volume.dtype) == (form["encoding"], "segmentation", "uint64")


def test_another_rule_can_follow_and_the_first_again(tmp_path: Path) -> None:
    layer = cut_into_blocks(tmp_path, winding(), shape=(8, 7, 5), halo=(2, 2, 2))
    first = stitch(layer, rule="any")
    apart = stitch(layer, rule="none")
    assert len(np.unique(apart)) > len(np.unique(first))
    np.testing.assert_array_equal(stitch(layer, rule="any"), first)


def test_the_grid_of_dvid_has_27_cells_joined_by_48_pairs(tmp_path: Path) -> None:
    """Planes at 80 and 176 of 256, in blocks of 128 with a halo of 20; here at a quarter of the size."""
    whole = np.full((64, 64, 64), 1, np.uint32, order="F")
    for axis in range(3):
        for plane in (20, 44):
            whole[(slice(None),) * axis + (plane,)] = 0
    layer = cut_into_blocks(tmp_path, whole, shape=(32, 32, 32), halo=(5, 5, 5))
    segmented = Segmented.open(layer)
    assert sum(int((segmented.sizes(index).core > 0).sum()) for index in segmented.blocks.used) == 64
    cells = cc3d.connected_components(whole, connectivity=6)
    for rule in ("conservative", "medium", "aggressive", "any"):
        assert_same_partition(stitch(layer, rule=rule), cells)
        made: Any = Rule(rule)
        pairs = [len(joined.ours) for index in range(8) for joined in joins_of(segmented, index, made) if joined.side]
        assert sum(pairs) == 48


def test_bolder_rules_join_more_bodies(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    points = random.integers(0, (40, 24, 24), (60, 3))
    places = np.moveaxis(np.indices((40, 24, 24)), 0, -1)
    whole = 1 + np.argmin(((places[..., None, :] - points) ** 2).sum(axis=-1), axis=-1).astype(np.uint32)

    def muddle(index: int, values: Array) -> Array:
        """Take one label in four for the one before."""
        taken = np.arange(len(points) + 1)
        taken[np.random.default_rng(index).integers(1, len(taken), len(taken) // 4)] -= 1
        return taken[values]

    layer = cut_into_blocks(tmp_path, whole, shape=(10, 12, 12), halo=(4, 4, 4), muddle=muddle)
    careful = [stitch(layer, rule=rule, min_overlap=20) for rule in ("conservative", "medium", "aggressive")]
    bodies = [stitch(layer, rule="none"), *careful, stitch(layer, rule="any")]
    counts = [len(np.unique(labels)) for labels in bodies]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) > 3
    for coarse, fine in itertools.pairwise(reversed(bodies)):
        pairs = np.unique(np.stack([fine.ravel(), coarse.ravel()]), axis=1)
        assert (
            len(np.unique(pairs[0])) == pairs.shape[1]
        )  # every body of the more careful rule lies in one of the bolder
