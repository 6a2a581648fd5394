"""What blocks leave for stitching is what the next step reads."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import within
from teravox.pipeline.segmentation.block_files import Preserved
from teravox.pipeline.segmentation.blocks import Blocks
from teravox.pipeline.segmentation.numbers import Numbers
from teravox.pipeline.segmentation.plan_file import PlanFile
from teravox.pipeline.segmentation.segmented import Segmented

BOUNDS = Box((-3, 5, 100), (10, 16, 107))


def plan(shape: Vec = (6, 5, 4), halo: Vec = (2, 1, 1), **other: object) -> PlanFile:
    usual = {
        "source": "file:///em",
        "mip": 0,
        "bounds": BOUNDS,
        "shape": shape,
        "halo": halo,
        "chunk": shape,
        "resolution": (4.0, 4.0, 40.0),
        "used": ((0, len(Grid(BOUNDS, shape))),),
    }
    return msgspec.convert(usual | other, PlanFile)


def labels_of(box: Box, seed: int) -> NDArray[np.uint32]:
    """Random labels of a box, numbered without gaps."""
    values = np.random.default_rng(seed).integers(0, 5, box.size)
    values[values == 1] = 0
    _, numbered = np.unique(np.append(values, 0), return_inverse=True)
    return np.asfortranarray(numbered[:-1].reshape(box.size), np.uint32)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    segmented = Segmented.create(str(tmp_path), "one", plan())
    whole = {index: labels_of(segmented.read_box(index), index) for index in range(len(segmented.grid))}
    for index, labels in whole.items():
        segmented.write_block(index, labels)
    segmented.publish()
    again = Segmented.open(str(tmp_path))
    for index, labels in whole.items():
        read, core = again.read_box(index), again.grid[index]
        cut = labels[within(core, read)]
        np.testing.assert_array_equal(again.core(index), cut)
        sizes = again.sizes(index)
        np.testing.assert_array_equal(sizes.read, np.bincount(labels.ravel())[1:])
        np.testing.assert_array_equal(sizes.core, np.bincount(cut.ravel(), minlength=labels.max() + 1)[1:])
        for axis in range(3):
            shared = again.overlap(index, axis)
            if shared is None:
                continue
            upper = index + (1, again.grid.cells[0], again.grid.cells[0] * again.grid.cells[1])[axis]
            np.testing.assert_array_equal(again.face(index, axis, 1), labels[within(shared, read)])
            other = whole[upper][within(shared, again.read_box(upper))]
            np.testing.assert_array_equal(again.face(upper, axis, 0), other)


def test_faces_towards_blocks_that_are_not_used_are_left_out(tmp_path: Path) -> None:
    segmented = Segmented.create(str(tmp_path), "one", plan(used=((0, 1), (2, 18))))
    assert not segmented.used(1)
    assert segmented.overlap(0, 0) is None
    assert segmented.overlap(0, 1) is not None
    segmented.write_block(0, labels_of(segmented.read_box(0), 0))
    with pytest.raises(ValueError, match="shares nothing"):
        segmented.face(0, 0, 1)


@given(
    size=st.tuples(*[st.integers(1, 30)] * 3),
    low=st.tuples(*[st.integers(-40, 40)] * 3),
    shape=st.tuples(*[st.integers(1, 12)] * 3),
    halo=st.tuples(*[st.integers(0, 6)] * 3),
)
@settings(max_examples=40, deadline=None)
def test_overlaps_are_what_two_neighbours_read(size: Vec, low: Vec, shape: Vec, halo: Vec) -> None:
    bounds = Box(low, (low[0] + size[0], low[1] + size[1], low[2] + size[2]))
    grid = Grid(bounds, shape)
    blocks = Blocks(grid, halo, Numbers([(0, len(grid))]))
    for index in range(0, len(grid), max(1, len(grid) // 20)):
        read = blocks.read_box(index)
        assert read.intersect(bounds) == read
        assert blocks.number_of(grid[index]) == index
        for axis in range(3):
            shared = blocks.overlap(index, axis)
            cell = list(grid.cell(index))
            cell[axis] += 1
            if cell[axis] == grid.cells[axis]:
                assert shared is None
                continue
            upper = blocks.number((cell[0], cell[1], cell[2]))
            if shared is None:
                assert halo[axis] == 0
                continue
            assert shared == read.intersect(blocks.read_box(upper))
            assert blocks.faces(index)[axis, 1] == blocks.faces(upper)[axis, 0] == shared


def test_ids_tell_block_and_label_and_preserved_bodies_keep_theirs(tmp_path: Path) -> None:
    segmented = Segmented.create(str(tmp_path), "one", plan(bits=8, base=1024))
    labels = np.zeros(segmented.read_box(3).size, np.uint32, order="F")
    labels.reshape(-1, order="F")[:3] = 1, 2, 3
    preserved = Preserved(np.array([2], np.uint32), np.array([77], np.uint64))
    segmented.write_block(3, labels, preserved)
    ids = segmented.global_ids(3, np.array([0, 1, 2, 3], np.uint32))
    assert ids.tolist() == [0, 1024 + (3 << 8) + 1, 77, 1024 + (3 << 8) + 3]


def test_a_block_with_more_labels_than_ids_have_room_for_is_refused(tmp_path: Path) -> None:
    segmented = Segmented.create(str(tmp_path), "one", plan(bits=2))
    labels = np.zeros(segmented.read_box(0).size, np.uint32, order="F")
    labels[:2, :2, 0] = [[1, 2], [3, 4]]
    with pytest.raises(BadInput, match=r"has 4 labels.*--shape"):
        segmented.write_block(0, labels)


def test_a_plan_is_never_replaced_by_another(tmp_path: Path) -> None:
    Segmented.create(str(tmp_path), "one", plan())
    Segmented.create(str(tmp_path), "one", plan())
    with pytest.raises(BadUsage, match="another plan"):
        Segmented.create(str(tmp_path), "one", plan(used=((0, 1),)))


def test_without_a_finished_segmentation_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadUsage, match="first run `teravox segment`"):
        Segmented.open(str(tmp_path))


def test_a_damaged_block_is_named(tmp_path: Path) -> None:
    segmented = Segmented.create(str(tmp_path), "one", plan())
    segmented.write_block(0, labels_of(segmented.read_box(0), 0))
    file = tmp_path / "blocks/one/cores/0"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(BadInput, match="blocks/one/cores/0"):
        segmented.core(0)


@given(st.sets(st.integers(0, 60)))
@settings(max_examples=50, deadline=None)
def test_numbers_in_runs_are_the_numbers(values: set[int]) -> None:
    ordered = sorted(values)
    numbers = Numbers.of(ordered)
    assert list(numbers) == ordered
    assert [numbers[at] for at in range(len(numbers))] == ordered
    assert numbers[1:4] == ordered[1:4]
    assert [n for n in range(-1, 62) if n in numbers] == ordered
