"""From an image to one segmentation of the whole: the same for any blocks, order and repetition, and true to its rules."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import cc3d
import numpy as np
import pytest
import skimage.metrics
from faults.killing import differing, tree_of
from hypothesis import given, settings
from hypothesis import strategies as st
from layers.make import make_layer, read_layer
from segmentation.whole import (
    COMPONENTS,
    Array,
    Labels,
    are_same,
    cores,
    draw_tissue,
    image_layer,
    is_part_of,
    pairs_of,
    segment,
    shuffled_and_repeated,
    step,
    stitch,
)

from teravox.pipeline.box import Vec
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.segmentation.segmented import Segmented

METRICS: Any = skimage.metrics  # whose functions have no types
SIZE: Vec = (72, 56, 48)
BLOCKS: dict[str, Any] = {"shape": [32, 32, 16], "halo": [8, 8, 8]}
TISSUE = draw_tissue(SIZE, 4, 40)


@pytest.fixture(scope="module")
def tissue(tmp_path_factory: pytest.TempPathFactory) -> str:
    return image_layer(tmp_path_factory.mktemp("tissue"), TISSUE.image, (-7, 5, 9))


@pytest.fixture(scope="module")
def segmented(tissue: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The blocks of tissue, segmented as usual."""
    return segment(tissue, tmp_path_factory.mktemp("segmented"), **BLOCKS)


@pytest.fixture(scope="module")
def by_rule(segmented: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Labels]:
    """The whole, stitched by each rule."""
    folder = tmp_path_factory.mktemp("stitched")
    rules = ("none", "conservative", "medium", "aggressive", "any")
    return {rule: stitch(segmented, rule=rule, dest=str(folder / rule), group=(2, 2, 2)) for rule in rules}


@st.composite
def volumes(draw: st.DrawFn) -> tuple[Array, dict[str, Any]]:  # options of several sorts
    """A volume of small pieces that wind, and how it is cut."""
    chunk = draw(st.tuples(*[st.sampled_from([2, 3, 5])] * 3))
    size = draw(st.tuples(*[st.integers(1, 17)] * 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    cells = random.random([-(-n // 2) for n in size]) < draw(st.sampled_from([0.0, 0.35, 0.5, 1.0]))
    volume = np.kron(cells, np.ones((2, 2, 2), np.uint8))[: size[0], : size[1], : size[2]].astype(np.uint8) * 255
    halo = draw(st.tuples(*[st.integers(1, 4)] * 3))
    shape = [c * -(-max(h, draw(st.integers(1, 9))) // c) for c, h in zip(chunk, halo, strict=True)]
    return np.asfortranarray(volume), {
        "chunk": chunk,
        "offset": draw(st.tuples(*[st.integers(-9, 9)] * 3)),
        "shape": shape,
        "halo": list(halo),
        "connectivity": draw(st.sampled_from([6, 18, 26])),
        "order": draw(st.integers(0, 99)),
    }


@settings(max_examples=12, deadline=None)
@given(case=volumes())
def test_components_of_blocks_become_those_of_the_whole(
    case: tuple[Array, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    volume, cut = case
    folder = tmp_path_factory.mktemp("components")
    order = shuffled_and_repeated(cut["order"])
    source = image_layer(folder / "source", volume, cut["offset"], cut["chunk"])
    steps = COMPONENTS | {"supervoxels": step("components", connectivity=cut["connectivity"])}
    layer = segment(source, folder / "dest", order, shape=cut["shape"], halo=cut["halo"], **steps)
    stitch(layer, order, rule="any", group=(2, 2, 2), consecutive=True)
    found = read_layer(layer, 0)[..., 0]
    wanted = cc3d.connected_components(volume, connectivity=cut["connectivity"])
    assert are_same(found, wanted)
    assert set(np.unique(found)) - {0} == set(range(1, int(wanted.max()) + 1))


def test_any_order_and_repetition_leave_the_same_bytes(tissue: str, tmp_path: Path) -> None:
    trees = []
    for order in (list, shuffled_and_repeated(1)):
        layer = segment(tissue, tmp_path / "layer", order, **BLOCKS)
        stitch(layer, order, group=(2, 2, 2))
        trees.append(tree_of(layer))
        (tmp_path / "layer").rename(tmp_path / f"layer-{len(trees)}")
    assert not differing(*trees)
    assert {Path(key).parts[0] for key in trees[0]} >= {"info", "blocks", "10_10_10"}


def test_blocks_agree_with_the_truth_once_they_are_stitched(by_rule: dict[str, Labels]) -> None:
    errors = {}
    for rule, found in by_rule.items():
        numbered = np.unique(found, return_inverse=True)[1].reshape(SIZE)
        errors[rule] = METRICS.adapted_rand_error(TISSUE.truth.astype(np.int64), numbered)[0]
    assert errors["medium"] < 0.4
    assert errors["medium"] < errors["none"] - 0.1


def test_a_bolder_rule_joins_all_that_a_more_careful_one_does(by_rule: dict[str, Labels]) -> None:
    rules = list(by_rule)
    for careful, bold in itertools.pairwise(rules):
        assert is_part_of(by_rule[careful], by_rule[bold])
    counts = [len(np.unique(found)) for found in by_rule.values()]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[1] > counts[-1]


def test_without_a_rule_all_is_split_at_the_blocks_and_nowhere_else(segmented: str, by_rule: dict[str, Labels]) -> None:
    np.testing.assert_array_equal(by_rule["none"], cores(segmented))
    blocks = Segmented.open(segmented)
    assert len(blocks.blocks) == 3 * 2 * 3
    for found in by_rule.values():
        assert is_part_of(cores(segmented), found)


@pytest.mark.parametrize("rule", ["none", "medium", "any"])
def test_ids_are_the_smallest_of_what_was_joined(segmented: str, by_rule: dict[str, Labels], rule: str) -> None:
    own, final = pairs_of(cores(segmented), by_rule[rule])
    for id in np.unique(final):
        assert own[final == id].min() == id


def test_numbering_anew_changes_the_ids_only(segmented: str, by_rule: dict[str, Labels], tmp_path: Path) -> None:
    found = stitch(segmented, dest=str(tmp_path / "layer"), consecutive=True, group=(2, 2, 2))
    assert are_same(found, by_rule["medium"])
    assert set(np.unique(found)) - {0} == set(range(1, len(np.unique(by_rule["medium"][by_rule["medium"] > 0])) + 1))


@pytest.mark.parametrize("group", [(2, 3, 2), (64, 64, 64)])
def test_the_size_of_groups_changes_nothing(
    segmented: str, by_rule: dict[str, Labels], tmp_path: Path, group: Vec
) -> None:
    found = stitch(segmented, dest=str(tmp_path / "layer"), group=group)
    np.testing.assert_array_equal(found, by_rule["medium"])


def test_nothing_is_segmented_outside_of_a_region(tissue: str, tmp_path: Path) -> None:
    x, y, z = np.meshgrid(*map(np.arange, SIZE), indexing="ij")
    inside = (x - 20) ** 2 + (y - 20) ** 2 + (z - 20) ** 2 < 20**2
    region = make_layer(
        tmp_path / "region",
        inside.astype(np.uint8)[..., np.newaxis],
        offset=(-7, 5, 9),
        type="segmentation",
        resolution=(10, 10, 10),
    )
    layer = segment(tissue, tmp_path / "layer", roi=region, **BLOCKS)
    found = stitch(layer, group=(2, 2, 2))
    assert not found[~inside].any()
    assert (found[inside] > 0).mean() > 0.9
    assert not Segmented.open(layer).used(2)  # of the third block in x, which has none of it


def test_preserved_bodies_keep_their_voxels_and_their_ids(tissue: str, tmp_path: Path) -> None:
    ids, counts = np.unique(TISSUE.truth, return_counts=True)
    kept = ids[np.argsort(counts)[-3:]].tolist()
    bodies = make_layer(
        tmp_path / "bodies",
        TISSUE.truth[..., np.newaxis].astype(np.uint64),
        offset=(-7, 5, 9),
        type="segmentation",
        resolution=(10, 10, 10),
    )
    (tmp_path / "ids.txt").write_text(" ".join(map(str, kept)))
    preserve: dict[str, Any] = {"preserve": bodies, "preserve_ids": KnownFile.at(str(tmp_path / "ids.txt"))}
    layer = segment(tissue, tmp_path / "layer", **BLOCKS, **preserve)
    for rule in ("medium", "any"):
        found = stitch(layer, rule=rule, dest=str(tmp_path / rule), group=(2, 2, 2))
        there = np.where(np.isin(TISSUE.truth, kept), TISSUE.truth, 0)
        np.testing.assert_array_equal(np.where(np.isin(found, kept), found, 0), there)
