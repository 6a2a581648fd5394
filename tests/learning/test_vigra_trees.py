"""Trees of vigra's forests: evaluated as vigra does, and refused where their numbers lead nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learning.ilastik_files import LEAF, Split, leaf, rows_of
from numpy.typing import NDArray

from teravox.kernels.learning.forest import Forest
from teravox.kernels.learning.tree import Tree
from teravox.kernels.learning.vigra_trees import decode_tree

COLUMNS = 3

leaves = st.integers(0, 8).map(lambda part: leaf(part / 8, 1 - part / 8))
splits = st.recursive(
    leaves,
    lambda inner: st.builds(
        Split,
        st.integers(0, COLUMNS - 1),
        st.floats(-2, 2) | st.sampled_from([0.0, 1.0, 0.1, float(np.float32(0.1))]),
        inner,
        inner,
    ),
    max_leaves=40,
)


def decode(topology: list[int], parameters: list[float], classes: int = 2) -> Tree:
    return decode_tree(np.array(topology, np.int64), np.array(parameters, np.float64), COLUMNS, classes)


def follow(node: Split, voxel: NDArray[np.float32]) -> tuple[float, ...]:
    """By its definition: left where the feature is less than the threshold."""
    while node.column is not None:
        node = node.less if float(voxel[node.column]) < node.threshold else node.rest
    return node.shares


@settings(max_examples=40, deadline=None)
@given(trees=st.lists(splits, min_size=1, max_size=4), data=st.data())
def test_a_forest_says_what_its_trees_say_one_by_one(trees: list[Split], data: st.DataObject) -> None:
    forest = Forest(COLUMNS, 2, "mean", tuple(decode(*rows_of(tree, COLUMNS, 2)) for tree in trees))
    thresholds = sorted({0.0, *_thresholds(trees)})
    numbers = st.sampled_from(thresholds) | st.floats(-3, 3, width=32)
    voxels = np.array(data.draw(st.lists(st.tuples(*[numbers] * COLUMNS), min_size=1, max_size=6)), np.float32)
    wanted = [np.mean([follow(tree, voxel) for tree in trees], axis=0) for voxel in voxels]
    np.testing.assert_allclose(forest.predict(np.ascontiguousarray(voxels.T)), wanted, atol=1e-6)


def _thresholds(trees: list[Split]) -> list[float]:
    """Those of all nodes, and their neighbours among float32: where less and at most differ."""
    found = []
    for tree in trees:
        todo = [tree]
        while todo:
            node = todo.pop()
            if node.column is not None:
                nearest = np.float32(node.threshold)
                found += [float(nearest), float(np.nextafter(nearest, np.float32(9)))]
                todo += [node.less, node.rest]
    return found


def test_a_feature_that_equals_the_threshold_goes_right() -> None:
    tree = decode(*rows_of(Split(1, 0.5, leaf(1, 0), leaf(0, 1)), COLUMNS, 2))
    voxels = np.array([[9, 9, 9], [0.5, np.nextafter(np.float32(0.5), np.float32(0)), 0.6], [9, 9, 9]], np.float32)
    assert Forest(COLUMNS, 2, "mean", (tree,)).predict(voxels)[:, 0].tolist() == [0, 1, 0]


STUMP = [3, 2, 0, 0, 7, 9, 1, LEAF, 2, LEAF, 5]
NUMBERS = [1.0, 0.5, 9.0, 1.0, 0.0, 9.0, 0.0, 1.0]


def test_a_tree_is_read_as_it_was_written_by_ilastik() -> None:
    tree = decode(STUMP, NUMBERS)
    assert tree.feature.tolist() == [1]
    assert (tree.left.tolist(), tree.right.tolist()) == ([-1], [-2])
    assert tree.values.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("at", "number", "said"),
    [
        (0, 4, "3 columns and 2 classes"),
        (1, 3, "3 columns and 2 classes"),
        (2, 1, "something else than one column"),
        (3, 7, "parameters beyond its 8 numbers"),
        (3, -1, "parameters beyond"),
        (4, 2, "one of its nodes twice"),
        (4, 9, "one of its nodes twice"),
        (4, 11, "beyond its 11 numbers"),
        (5, -3, "beyond its 11 numbers"),
        (5, 10, "beyond its 11 numbers"),
        (5, 2**31 - 1, "beyond its 11 numbers"),
        (6, 3, "a column beyond the 3"),
        (6, -1, "a column beyond the 3"),
        (8, 6, "parameters beyond its 8 numbers"),
        (7, LEAF + 1, "something else than one column"),
        (9, 0, "beyond its 11 numbers"),
    ],
)
def test_a_wrong_number_in_the_topology_is_refused(at: int, number: int, said: str) -> None:
    topology = [number if place == at else old for place, old in enumerate(STUMP)]
    with pytest.raises(ValueError, match=said):
        decode(topology, NUMBERS)


@pytest.mark.parametrize(
    ("at", "number", "said"),
    [(1, float("nan"), "not a number"), (3, 0.5, "sum to 1"), (3, float("nan"), "sum to 1"), (6, -0.1, "sum to 1")],
)
def test_a_wrong_parameter_is_refused(at: int, number: float, said: str) -> None:
    parameters = [number if place == at else old for place, old in enumerate(NUMBERS)]
    with pytest.raises(ValueError, match=said):
        decode(STUMP, parameters)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-2, 12) | st.just(LEAF), min_size=0, max_size=24), st.lists(st.floats(), max_size=12))
def test_any_numbers_end_in_a_tree_or_a_sentence(topology: list[int], parameters: list[float]) -> None:
    said = ""
    try:
        tree = decode([COLUMNS, 2, *topology], parameters)
    except ValueError as error:
        said = str(error)
    assert said.startswith("a tree") if said else len(tree.values) == len(tree.feature) + 1
