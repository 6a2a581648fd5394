from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.pipeline.box import Box, Grid, Vec

CORNERS = st.tuples(*[st.integers(-40, 40)] * 3)
SIZES = st.tuples(*[st.integers(0, 12)] * 3)
SHAPES = st.tuples(*[st.integers(1, 9)] * 3)
BOXES = st.builds(lambda low, size: Box(low, add(low, size)), CORNERS, SIZES)


def add(a: Vec, b: Vec) -> Vec:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def voxels(box: Box) -> set[Vec]:
    x, y, z = (range(low, high) for low, high in zip(box.min, box.max, strict=True))
    return set(itertools.product(x, y, z))


@given(BOXES, SHAPES)
def test_pieces_tile_the_bounds(bounds: Box, shape: Vec) -> None:
    covered = [voxel for box in Grid(bounds, shape) for voxel in voxels(box)]
    assert len(covered) == len(set(covered)) == bounds.voxels
    assert set(covered) == voxels(bounds)


@given(BOXES, SHAPES)
def test_pieces_are_never_empty_nor_larger_than_their_shape(bounds: Box, shape: Vec) -> None:
    for box in Grid(bounds, shape):
        assert not box.is_empty
        assert all(size <= most for size, most in zip(box.size, shape, strict=True))


@given(BOXES, SHAPES)
def test_a_grid_is_a_sequence(bounds: Box, shape: Vec) -> None:
    grid = Grid(bounds, shape)
    boxes = list(grid)
    assert len(grid) == len(boxes)
    assert [grid[n] for n in range(len(grid))] == boxes
    assert [grid[-n - 1] for n in range(len(grid))] == boxes[::-1]
    assert list(grid[1:-1:2]) == boxes[1:-1:2]
    assert [grid.box(grid.cell(n)) for n in range(len(grid))] == boxes
    for beyond in (len(grid), -len(grid) - 1):
        with pytest.raises(IndexError):
            grid[beyond]


def test_x_runs_fastest() -> None:
    grid = Grid(Box((0, 0, 0), (4, 4, 4)), (2, 2, 2))
    assert [box.min for box in grid][:4] == [(0, 0, 0), (2, 0, 0), (0, 2, 0), (2, 2, 0)]


def test_a_grid_of_any_size_is_lazy() -> None:
    grid = Grid(Box((-5, 0, 0), (10**6, 10**6, 10**6)), (64, 64, 64))
    assert len(grid) == 15626 * 15625 * 15625
    assert grid[-1].max == (10**6, 10**6, 10**6)


@pytest.mark.parametrize("shape", [(0, 1, 1), (1, -1, 1)])
def test_a_grid_without_a_shape_is_refused(shape: Vec) -> None:
    with pytest.raises(ValueError, match="a grid needs a positive shape"):
        Grid(Box((0, 0, 0), (1, 1, 1)), shape)


@given(BOXES, BOXES)
def test_an_intersection_holds_what_both_hold(a: Box, b: Box) -> None:
    both = a.intersect(b)
    assert voxels(both) == voxels(a) & voxels(b)
    assert both.voxels == len(voxels(both))
    assert both.is_empty == (not voxels(a) & voxels(b))


@given(BOXES, CORNERS)
def test_a_shift_moves_every_voxel(box: Box, by: Vec) -> None:
    assert voxels(box.shift(by)) == {add(voxel, by) for voxel in voxels(box)}
    assert box.shift(by).size == box.size


@given(BOXES)
def test_a_box_equals_its_json(box: Box) -> None:
    assert msgspec.json.decode(msgspec.json.encode(box), type=Box) == box


def test_a_box_is_said_as_it_is_typed() -> None:
    assert str(Box((0, -1, 2), (3, 4, 5))) == "0,-1,2:3,4,5"


def test_a_box_takes_no_other_fields() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"min":[0,0,0],"max":[1,1,1],"mip":2}', type=Box)


@given(BOXES, SHAPES)
def test_the_middle_of_a_box_has_as_much_of_it_on_both_sides(box: Box, most: Vec) -> None:
    middle = box.middle(most)
    assert middle.size == tuple(min(n, size) for n, size in zip(most, box.size, strict=True))
    for low, high, a, b in zip(box.min, box.max, middle.min, middle.max, strict=True):
        assert 0 <= (high - b) - (a - low) <= 1
