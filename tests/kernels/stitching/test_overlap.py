"""The table of an overlap is what numpy and scikit-image count on the whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import skimage.measure
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.stitching.overlap import Overlap, Units, tabulate

Labels = NDArray[np.uint32]
label_pieces: Any = skimage.measure.label  # it says nothing of its types


@st.composite
def overlaps(draw: st.DrawFn) -> tuple[Labels, Labels, int, int]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.tuples(*[st.integers(1, 7)] * 3))
    values = np.array([0, *draw(st.lists(st.integers(1, 2**24 - 1), min_size=1, max_size=5, unique=True))], np.uint32)
    low, high = (values[rng.integers(0, len(values), shape)] for _ in range(2))
    axis = draw(st.integers(0, 2))
    order: Any = draw(st.sampled_from("CF"))
    return np.array(low, order=order), np.array(high, order=order), axis, draw(st.integers(0, shape[axis] - 1))


def units_by_voxel(labels: Labels) -> tuple[NDArray[np.int64], list[int]]:
    """The place of each voxel's unit, -1 for background; and the labels of units, by label and then by first voxel."""
    places = np.full(labels.shape, -1, np.int64)
    names: list[int] = []
    for label in np.unique(labels[labels > 0]):
        pieces = np.asarray(label_pieces((labels == label).transpose(2, 1, 0), connectivity=1)).transpose(2, 1, 0)
        flat = pieces.ravel(order="F")
        firsts = [np.flatnonzero(flat == one)[0] for one in range(1, int(pieces.max()) + 1)]
        for one in np.argsort(firsts):
            places[pieces == one + 1] = len(names)
            names.append(int(label))
    return places, names


def expected_units(places: NDArray[np.int64], names: list[int], plane: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    return [
        (label, int((places == unit).sum()), int(((places == unit) & plane).sum())) for unit, label in enumerate(names)
    ]


def rows(units: Units) -> list[tuple[int, int, int]]:
    return list(zip(*(column.tolist() for column in units), strict=True))


def touching(labels: Labels) -> list[tuple[int, int]]:
    found = set()
    for axis in range(3):
        line = np.moveaxis(labels, axis, 0)
        for a, b in zip(line[:-1].ravel(), line[1:].ravel(), strict=True):
            if a != b and a and b:
                found.add((int(min(a, b)), int(max(a, b))))
    return sorted(found)


@settings(max_examples=40, deadline=None)
@given(overlaps())
def test_the_table_is_what_counting_voxel_by_voxel_gives(case: tuple[Labels, Labels, int, int]) -> None:
    low, high, axis, middle = case
    plane = np.zeros(low.shape, np.bool_)
    plane[(slice(None),) * axis + (middle,)] = True
    table = tabulate(low, high, axis, middle)
    (low_places, low_names), (high_places, high_names) = units_by_voxel(low), units_by_voxel(high)
    assert rows(table.low) == expected_units(low_places, low_names, plane)
    assert rows(table.high) == expected_units(high_places, high_names, plane)
    pairs: dict[tuple[int, int], list[int]] = {}
    for a, b, inside in zip(low_places.ravel(), high_places.ravel(), plane.ravel(), strict=True):
        if a >= 0 and b >= 0:
            counts = pairs.setdefault((int(a), int(b)), [0, 0])
            counts[0] += 1
            counts[1] += int(inside)
    assert said_pairs(table) == [(*pair, *pairs[pair]) for pair in sorted(pairs)]
    assert [tuple(row) for row in table.low_touching.tolist()] == touching(low)
    assert [tuple(row) for row in table.high_touching.tolist()] == touching(high)


def said_pairs(table: Overlap) -> list[tuple[int, int, int, int]]:
    columns = (table.first, table.second, table.shared, table.shared_middle)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_more_pairs_than_there_is_room_for_at_first_are_all_counted() -> None:
    low = np.arange(1, 16**3 + 1, dtype=np.uint32).reshape(16, 16, 16)
    table = tabulate(low, low[::-1], 0, 8)
    assert len(table.first) == 16**3
    assert table.shared.tolist() == [1] * 16**3
    assert len(table.low_touching) == 3 * 16 * 16 * 15


def test_voxels_that_share_but_an_edge_are_two_pieces() -> None:
    labels = np.zeros((4, 2, 2), np.uint32)
    labels[0:2, 0, 0] = labels[2, 1, 0] = 7
    assert rows(tabulate(labels, labels, 0, 1).low) == [(7, 2, 1), (7, 1, 0)]
