"""The kernels of connected components against cc3d on the whole, and against plain loops."""

from __future__ import annotations

import itertools
from typing import Any

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.components import HIGH, LOW, count, cut_surface, in_range, label, side
from teravox.kernels.contacts import REACH, directions, touching
from teravox.kernels.equal_runs import find_runs
from teravox.kernels.joining import Open, concatenate, hand_down, join, name_components
from teravox.kernels.packed_labels import number_of_blocks, relabel_blocks
from teravox.pipeline.layers.codec import decode, encode
from teravox.pipeline.layers.info import Scale

Array = NDArray[Any]  # of whatever a test asks for
Vec = tuple[int, int, int]
ALL_SIDES = [side(axis, end) for axis in range(3) for end in (LOW, HIGH)]


def some_voxels(size: Vec, dtype: str, seed: int, values: int = 3) -> Array:
    return np.asfortranarray(np.random.default_rng(seed).integers(0, values, size).astype(dtype))


sizes = st.tuples(*[st.integers(1, 6)] * 3)
connectivities = st.sampled_from([6, 18, 26])


def test_thresholds_hold_what_lies_on_them() -> None:
    voxels = np.array([[[0, 1, 2, 3, 4]]], np.uint8)
    assert in_range(voxels, 1, 3).ravel().tolist() == [False, True, True, True, False]
    assert in_range(voxels, 0.5, 2.5).ravel().tolist() == [False, True, True, False, False]
    assert in_range(voxels, None, 1).ravel().tolist() == [True, True, False, False, False]
    assert in_range(voxels, 3, None).ravel().tolist() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("lowest", "highest", "expected"),
    [(-5, 300, True), (-5, None, True), (None, 1e30, True), (256, None, False), (None, -1, False), (1.2, 1.8, False)],
)
def test_thresholds_beyond_the_data_type_take_all_or_nothing(lowest: Any, highest: Any, expected: bool) -> None:
    inside = in_range(np.array([[[0, 1, 255]]], np.uint8), lowest, highest)
    assert inside.dtype == np.bool_
    assert inside.all() == inside.any() == expected


def test_thresholds_of_whole_numbers_are_exact() -> None:
    voxels = np.array([[[2**53 - 1, 2**53, 2**53 + 1]]], np.uint64)
    assert in_range(voxels, None, float(2**53)).ravel().tolist() == [True, True, False]


@given(
    size=sizes, seed=st.integers(0, 99), connectivity=connectivities, dtype=st.sampled_from(["uint8", "int16", "bool"])
)
@settings(max_examples=30)
def test_components_and_their_sizes_are_those_of_cc3d(size: Vec, seed: int, connectivity: Any, dtype: str) -> None:
    voxels = some_voxels(size, dtype, seed)
    labels, number = label(voxels, connectivity)
    whole = voxels.astype(np.uint16) if dtype == "bool" else voxels
    assert np.array_equal(labels, cc3d.connected_components(whole, connectivity=connectivity))
    assert labels.flags.f_contiguous
    assert count(labels, number).tolist() == np.bincount(labels.ravel(), minlength=number + 1)[1:].tolist()


@pytest.mark.parametrize("size", [(3, 1, 1), (1, 5, 1), (1, 3, 7), (3, 3, 3), (5, 9, 1)])
def test_components_of_one_voxel_each_are_found(size: Vec) -> None:
    voxels = np.zeros(size, np.bool_, order="F")
    voxels[::2, ::2, ::2] = True
    labels, number = label(voxels, 26)
    assert number == voxels.sum() == len(np.unique(labels[voxels]))


@given(size=sizes, seed=st.integers(0, 99), sides=st.sets(st.sampled_from(ALL_SIDES)))
@settings(max_examples=30)
def test_a_surface_has_the_components_on_its_faces(size: Vec, seed: int, sides: set[int]) -> None:
    voxels = some_voxels(size, "uint16", seed)
    labels, _ = label(voxels, 6)
    runs, held = find_runs([voxels], size, 6)
    surface = cut_surface(runs, sides, held)
    assert set(surface.planes) == sides
    touched: dict[int, int] = {}
    for one in sides:
        axis, end = divmod(one, 2)
        face, held = (np.moveaxis(array, axis, 0)[-1 if end else 0] for array in (labels, voxels))
        for found in np.unique(face[face > 0]).tolist():
            touched[found] = touched.get(found, 0) | 1 << one
        table = np.concatenate([[0], surface.labels])
        assert np.array_equal(table[surface.planes[one]], face)
        assert surface.values is not None
        assert np.array_equal(np.concatenate([[0], surface.values])[surface.planes[one]], held)
    assert dict(zip(surface.labels.tolist(), surface.sides.tolist(), strict=True)) == touched
    assert surface.labels.tolist() == sorted(touched)


def test_negative_values_are_told_apart() -> None:
    voxels = np.array([[[-1]], [[-2]]], np.int16)
    runs, held = find_runs([voxels], (2, 1, 1), 6)
    values = cut_surface(runs, [0, 1], held).values
    assert values is not None and len(set(values.tolist())) == 2


@pytest.mark.parametrize(("connectivity", "number"), [(6, 3), (18, 9), (26, 13)])
def test_of_two_opposite_directions_one_is_looked_at(connectivity: int, number: int) -> None:
    found = directions(connectivity)
    opposite = [(-x, -y, -z) for x, y, z in found]
    assert len({*found, *opposite}) == 2 * number


@given(
    size=sizes, seed=st.integers(0, 999), connectivity=connectivities, binary=st.booleans(), choice=st.integers(0, 12)
)
@settings(max_examples=80)
def test_touching_pairs_are_those_of_voxel_neighbours(
    size: Vec, seed: int, connectivity: int, binary: bool, choice: int
) -> None:
    direction = directions(connectivity)[choice % len(directions(connectivity))]
    lengths = [(n, 1 + (seed + n) % 4) if d else (n, n) for n, d in zip(size, direction, strict=True)]
    here, there = (some_voxels(tuple(length[k] for length in lengths), "uint8", seed + k) for k in (0, 1))  # type: ignore[arg-type]  # three of them
    if binary:
        here, there = here > 0, there > 0
    (a, _), (b, _) = label(here, connectivity), label(there, connectivity)
    (our_runs, held), (their_runs, held_there) = (
        find_runs([voxels], voxels.shape, connectivity) for voxels in (here, there)
    )
    ours = cut_surface(our_runs, ALL_SIDES, None if binary else held)
    theirs = cut_surface(their_runs, ALL_SIDES, None if binary else held_there)
    near, far = touching(ours, theirs, direction, connectivity)
    found = list(
        zip(ours.labels[near.astype(int) - 1].tolist(), theirs.labels[far.astype(int) - 1].tolist(), strict=True)
    )

    # the neighbour's first voxel, as counted from ours
    start = [h[0] if d > 0 else -h[1] if d < 0 else 0 for h, d in zip(lengths, direction, strict=True)]
    expected = set()
    for place in np.ndindex(here.shape):
        for step in itertools.product((-1, 0, 1), repeat=3):
            other = tuple(p + s - o for p, s, o in zip(place, step, start, strict=True))
            inside = all(0 <= p < most for p, most in zip(other, there.shape, strict=True))
            if inside and sum(map(abs, step)) <= REACH[connectivity] and here[place] == there[other] != 0:
                expected.add((int(a[place]), int(b[other])))
    assert found == sorted(expected)


@st.composite
def contacts(draw: st.DrawFn) -> tuple[Vec, list[int], list[tuple[tuple[int, int], tuple[int, int]]]]:
    """A grid of boxes, how many components each has, and which components of neighbours touch."""
    cells = draw(st.tuples(*[st.integers(1, 4)] * 3))
    boxes = list(itertools.product(*map(range, reversed(cells))))  # z, y, x: so x is fastest
    numbers = [draw(st.integers(0, 3)) for _ in boxes]
    pairs = []
    for index, (z, y, x) in enumerate(boxes):
        for d in directions(26):
            there = (x + d[0], y + d[1], z + d[2])
            if not all(0 <= n < most for n, most in zip(there, cells, strict=True)):
                continue
            other = there[0] + cells[0] * (there[1] + cells[1] * there[2])
            if numbers[index] and numbers[other] and draw(st.integers(0, 3)) == 0:
                one = draw(st.integers(1, numbers[index]))
                pairs.append(((index, one), (other, draw(st.integers(1, numbers[other])))))
    return cells, numbers, pairs


def parts_of(cells: Vec, numbers: list[int], pairs: list[Any], seed: int) -> list[Open]:
    """What each box passes on, if it is as large as it may be: components touch every face behind which a box lies."""
    random = np.random.default_rng(seed)
    parts = []
    for index, number in enumerate(numbers):
        cell = (index % cells[0], index // cells[0] % cells[1], index // (cells[0] * cells[1]))
        sides = sum(1 << 2 * axis for axis in range(3) if cell[axis] > 0)
        sides += sum(2 << 2 * axis for axis in range(3) if cell[axis] + 1 < cells[axis])
        mine = [((a << 32) | i, (b << 32) | j) for (a, i), (b, j) in pairs if a == index]
        near, far = np.array(mine, np.uint64).reshape(-1, 2).T
        sizes = random.integers(1, 5, number).astype(np.uint64)
        classes = np.arange(number, dtype=np.uint32)
        parts.append(Open(name_components(index, number), np.full(number, sides, np.uint8), classes, sizes, near, far))
    return parts


@given(grid=contacts(), seed=st.integers(0, 9), dust=st.sampled_from([0, 4]), cut=st.integers(1, 4))
@settings(max_examples=60)
def test_joining_in_two_steps_gives_the_groups_of_the_whole(grid: Any, seed: int, dust: int, cut: int) -> None:
    cells, numbers, pairs = grid
    parts = parts_of(cells, numbers, pairs, seed)
    halves = [(0, min(cut, cells[0])), (min(cut, cells[0]), cells[0])]
    joined = []
    members = []
    for low, high in halves:
        boxes = [index for index in range(len(numbers)) if low <= index % cells[0] < high]
        members.append(boxes)
        if boxes:
            whole = concatenate([parts[index] for index in boxes])
            joined.append(join(whole, cells, (low, 0, 0), (high, *cells[1:]), dust))
    top = join(concatenate([half.open for half in joined]), cells, (0, 0, 0), cells, dust)
    assert len(top.open.names) == len(top.open.near) == 0

    before, start = top.labels, 0
    final: dict[tuple[int, int], int] = {}
    for half, boxes in zip(joined, [boxes for boxes in members if boxes], strict=True):
        given_labels = hand_down(top.fate, 0, np.empty(0, np.uint64))[start : start + len(half.open.sizes)]
        start += len(half.open.sizes)
        labels = hand_down(half.fate, before, given_labels).tolist()
        before += half.labels
        names = [(index, one) for index in boxes for one in range(1, numbers[index] + 1)]
        final |= dict(zip(names, labels, strict=True))

    groups = [{(index, one)} for index, number in enumerate(numbers) for one in range(1, number + 1)]
    for a, b in pairs:
        one, other = (next(group for group in groups if name in group) for name in (a, b))
        if one is not other:
            groups.remove(other)
            one |= other
    kept = []
    for group in groups:
        size = sum(int(parts[index].sizes[one - 1]) for index, one in group)
        found = {final[name] for name in group}
        assert len(found) == 1
        assert (found == {0}) == (size < dust)
        kept += [label for label in found if label]
    assert sorted(kept) == list(range(1, len(kept) + 1)) == list(range(1, before + 1))


def test_contacts_that_no_part_knows_are_refused() -> None:
    none = np.zeros(0, np.uint64)
    zero = np.zeros(1, np.uint8)
    part = Open(name_components(0, 1), zero, zero.astype(np.uint32), zero.astype(np.uint64), none, none)
    strange = part._replace(near=part.names, far=part.names + np.uint64(1))
    with pytest.raises(ValueError, match="touches components that no part has"):
        join(strange, (1, 1, 1), (0, 0, 0), (1, 1, 1), 0)
    with pytest.raises(ValueError, match="a class that no part has"):
        join(part._replace(classes=part.classes + np.uint32(1)), (1, 1, 1), (0, 0, 0), (1, 1, 1), 0)


@given(
    size=st.tuples(*[st.integers(1, 20)] * 3),
    most=st.sampled_from([1, 2, 5, 300, 100_000]),
    seed=st.integers(0, 99),
    is_blocky=st.booleans(),
)
@settings(max_examples=40)
def test_packed_labels_are_relabelled_as_unpacked_ones(size: Vec, most: int, seed: int, is_blocky: bool) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, most, size).astype(np.uint32)
    if is_blocky:
        labels = np.kron(labels, np.ones((5, 5, 5), np.uint32))[: size[0], : size[1], : size[2]]
    labels = np.asfortranarray(labels)[..., np.newaxis]
    table = random.integers(0, 2**32, most).astype(np.uint32)
    scale = Scale(
        "k", size, (1, 1, 1), (size,), "compressed_segmentation", compressed_segmentation_block_size=(8, 8, 8)
    )
    words = np.frombuffer(encode(labels, scale), np.uint32)
    relabelled = relabel_blocks(words, number_of_blocks(size, (8, 8, 8)), table)
    assert np.array_equal(decode(relabelled.tobytes(), scale, labels.shape, labels.dtype), table[labels])
