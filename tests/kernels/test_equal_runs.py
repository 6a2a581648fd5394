"""Runs of equal voxels and their components, against cc3d and numpy."""

from __future__ import annotations

import itertools
from typing import Any

import cc3d
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.equal_runs import count_voxels, find_runs, paint

Array = NDArray[Any]  # of whatever a test asks for
Vec = tuple[int, int, int]
sizes = st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 7))


def some_voxels(size: Vec, dtype: str, seed: int, *, is_blocky: bool) -> Array:
    """Noise, or blocks whose rows have runs beyond a word of flags."""
    random = np.random.default_rng(seed)
    voxels = random.integers(0, 3, size).astype(dtype)
    if is_blocky:
        voxels = voxels.repeat(11, 0).repeat(2, 1)[: size[0], : size[1]]
    return np.asfortranarray(voxels)


@settings(max_examples=60, deadline=None)
@given(
    size=sizes,
    dtype=st.sampled_from(["uint8", "bool", "int32", "uint64"]),
    connectivity=st.sampled_from([6, 18, 26]),
    seed=st.integers(0, 999),
    is_blocky=st.booleans(),
    cuts=st.sets(st.integers(1, 6)),
)
def test_components_are_those_of_cc3d_whatever_the_slabs(
    size: Vec, dtype: str, connectivity: Any, seed: int, is_blocky: bool, cuts: set[int]
) -> None:
    voxels = some_voxels(size, dtype, seed, is_blocky=is_blocky)
    ends = [0, *sorted(cut for cut in cuts if cut < size[2]), size[2]]
    room = np.empty_like(voxels)

    def slabs() -> Any:  # a generator
        for z, end in itertools.pairwise(ends):
            slab = room[..., : end - z]  # the memory of the slab before
            slab[...] = voxels[..., z:end]
            yield slab

    runs, held = find_runs(slabs(), size, connectivity)
    known = voxels.astype(np.uint8) if dtype == "bool" else voxels  # of which cc3d 4.1.1 takes all
    labels, number = cc3d.connected_components(known, connectivity=connectivity, return_N=True)
    assert runs.number == number
    assert np.array_equal(paint(runs, (0, 0, 0), size), labels)
    assert np.array_equal(np.repeat(held, np.diff(runs.starts)), voxels.ravel(order="F"))
    assert count_voxels(runs).tolist() == np.bincount(labels.ravel(), minlength=number + 1)[1:].tolist()
    chosen = np.random.default_rng(seed).integers(0, 2, size).astype(np.bool_)
    some = np.bincount(labels[chosen], minlength=number + 1)[1:]
    assert count_voxels(runs, chosen).tolist() == some.tolist()


@settings(max_examples=30, deadline=None)
@given(size=sizes, seed=st.integers(0, 999), is_blocky=st.booleans(), data=st.data())
def test_a_part_is_painted_as_the_whole(size: Vec, seed: int, is_blocky: bool, data: Any) -> None:
    voxels = some_voxels(size, "int32", seed, is_blocky=is_blocky)
    low = tuple(data.draw(st.integers(0, n - 1)) for n in size)
    high = tuple(data.draw(st.integers(a + 1, n)) for a, n in zip(low, size, strict=True))
    runs, _ = find_runs([voxels], size, 26)
    part = paint(runs, low, high)
    assert part.flags.f_contiguous
    cut = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    assert np.array_equal(part, paint(runs, (0, 0, 0), size)[cut])


def test_voxels_that_differ_in_their_first_bits_alone_are_told_apart() -> None:
    voxels = np.array([5, 5 + 2**40, 2**40, 2**40], np.uint64).reshape((1, 4, 1), order="F")
    runs, _ = find_runs([voxels], (1, 4, 1), 6)
    assert paint(runs, (0, 0, 0), (1, 4, 1)).ravel().tolist() == [1, 2, 3, 3]


def test_slabs_that_do_not_fill_the_box_are_refused() -> None:
    for slabs in ([], [np.zeros((3, 4, 1), np.uint8)]):
        with pytest.raises(ValueError, match="do not fill"):
            find_runs(slabs, (3, 4, 2), 6)
    for size in ((3, 4, 3), (3, 3, 2), (2, 4, 2)):
        with pytest.raises(ValueError, match="does not fit"):
            find_runs([np.zeros(size, np.uint8)], (3, 4, 2), 6)
