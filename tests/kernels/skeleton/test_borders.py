"""Border targets are the deepest voxels of the parts of a plane, and depend on nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from teravox.kernels.skeleton.bodies import find_bodies
from teravox.kernels.skeleton.borders import border_targets

EIGHT = np.ones((3, 3), int)
Plane = NDArray[Any]  # of any whole numbers


def planes(seed: int, width: int, height: int, numbers: int) -> Plane:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, numbers, (-(-width // 3), -(-height // 3)))
    plane = np.kron(coarse, np.ones((3, 3), int))[:width, :height]
    plane[random.random(plane.shape) < 0.1] = 0
    return plane.astype(np.uint32)


def expected_parts(plane: Plane) -> list[NDArray[np.bool_]]:
    parts = []
    for number in np.unique(plane[plane > 0]).tolist():
        found, count = ndimage.label(plane == number, EIGHT)
        parts += [found == part for part in range(1, count + 1)]
    return parts


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    width=st.integers(1, 30),
    height=st.integers(1, 30),
    numbers=st.integers(1, 6),
    step=st.sampled_from([(1.0, 1.0), (16.0, 40.0), (4.5, 3.0)]),
)
def test_each_part_has_one_target_at_its_deepest_voxel(
    seed: int, width: int, height: int, numbers: int, step: tuple[float, float]
) -> None:
    plane = planes(seed, width, height, numbers)
    targets = [(x, y) for x, y in border_targets(plane, step).tolist()]
    parts = expected_parts(plane)
    assert len(targets) == len(parts)
    for part in parts:
        inside = [target for target in targets if part[target]]
        assert len(inside) == 1
        depth = ndimage.distance_transform_edt(np.pad(part, 1), sampling=step)[1:-1, 1:-1]
        assert np.isclose(depth[inside[0]], depth.max(), rtol=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.integers(1, 900))
def test_targets_do_not_depend_on_the_numbers_or_the_memory(seed: int, shift: int) -> None:
    plane = planes(seed, 25, 19, 5)
    table = np.random.default_rng(shift).permutation(np.arange(1, 2000))[:5].astype(np.uint16)
    table[0] = 0
    one = border_targets(plane, (16.0, 40.0))
    for other in (table[plane], np.asfortranarray(plane), np.repeat(plane, 2, axis=0)[::2]):
        assert sorted(border_targets(other, (16.0, 40.0)).tolist()) == sorted(one.tolist())


def test_of_equally_deep_voxels_the_one_in_the_middle_is_taken() -> None:
    plane = np.zeros((21, 9), np.uint8)
    plane[2:19, 3:6] = 4
    assert border_targets(plane, (1.0, 1.0)).tolist() == [[10, 4]]
    plane[2:20, 3:7] = 4  # whose middle is between voxels
    assert border_targets(plane, (1.0, 1.0)).tolist() == [[10, 4]]


def test_background_has_no_target() -> None:
    assert border_targets(np.zeros((5, 7), np.uint8), (1.0, 1.0)).shape == (0, 2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.tuples(*[st.integers(1, 9)] * 3), count=st.integers(0, 5))
def test_bodies_have_the_sizes_boxes_and_numbers_of_their_voxels(
    seed: int, size: tuple[int, int, int], count: int
) -> None:
    components = np.asfortranarray(np.random.default_rng(seed).integers(0, count + 1, size).astype(np.uint32))
    table = np.random.default_rng(seed).permutation(np.arange(100, dtype=np.uint16))
    bodies = find_bodies(components, count, np.asfortranarray(table[components]))
    for component in range(1, count + 1):
        places = np.argwhere(components == component)
        assert bodies.voxels[component] == len(places)
        if len(places):
            assert bodies.low[component].tolist() == places.min(axis=0).tolist()
            assert bodies.high[component].tolist() == places.max(axis=0).tolist()
            assert bodies.number[component] == table[component]
