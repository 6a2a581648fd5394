from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.meshes.forged import Forged
from teravox.pipeline.meshes.merging.meshed import transform
from teravox.pipeline.meshes.merging.octree import LEAST_FACES, Octree, Wish, choose_octree

MANY = 10**9  # faces
axes = st.integers


def forged(cell: Vec = (64, 64, 64), low: Vec = (0, 0, 0), size: Vec = (4096, 4096, 4096)) -> Forged:
    x, y, z = low
    a, b, c = size
    return Forged(
        id="0",
        dir="mesh",
        mip=0,
        resolution=(16, 16, 40),
        bounds=Box(low, (x + a, y + b, z + c)),
        shape=cell,
        cell=cell,
        max_error=40,
        simplify=True,
        open_edge=False,
    )


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(*[st.integers(-(1 << 29), 1 << 29)] * 3),
    st.tuples(*[st.integers(1, 5000)] * 3),
    st.tuples(*[st.sampled_from([32, 64, 96, 224])] * 3),
    st.tuples(*[st.integers(1, 300)] * 3),
    st.integers(0, 10**7),
    st.sampled_from([10, 16]),
    st.one_of(st.none(), st.integers(1, 4)),
)
def test_cells_hold_the_label(
    low: Vec, extent: Vec, cell: Vec, least: Vec, faces: int, bits: int, most: int | None
) -> None:
    high = tuple(a + n for a, n in zip(low, extent, strict=True))
    x, y, z = ((a >> 1) - 40 for a in low)
    whole = forged(cell, (x, y, z))
    octree = choose_octree(low, (high[0], high[1], high[2]), faces, whole, Wish(least, most, bits))
    assert all(origin <= a for origin, a in zip(octree.origin, low, strict=True))
    assert most is None or octree.levels <= most
    if octree.points:
        last = (1 << bits) - 1
        assert all((b - origin) * octree.points <= last for origin, b in zip(octree.origin, high, strict=True))
        assert octree.levels == 1
    elif most is None or octree.levels < most:
        top = octree.size(octree.levels - 1)
        assert all(origin + size >= b for origin, size, b in zip(octree.origin, top, high, strict=True))
    is_small = all(n <= 2 * m for n, m in zip(extent, least, strict=True))
    assert is_small or all(
        (origin - 2 * a) % (2 * c) == 0 and size % (2 * c) == 0
        for origin, a, size, c in zip(octree.origin, (x, y, z), octree.cell, cell, strict=True)
    )


def test_a_label_that_fits_a_cell_has_one_with_its_own_origin() -> None:
    octree = choose_octree((1, 3, 1001), (500, 400, 1513), MANY, forged(), Wish((256, 256, 256), None, 16))
    assert octree == Octree((1, 3, 1001), (512, 512, 512), 1, points=32)


def test_a_long_thin_label_has_levels() -> None:
    octree = choose_octree((1, 1, 1), (1201, 105, 105), MANY, forged(), Wish((64, 64, 64), None, 16))
    assert octree.levels == 5
    assert octree.cell == (128, 128, 128)


def test_a_label_of_few_faces_has_few_levels() -> None:
    def levels(faces: int) -> int:
        return choose_octree((1, 1, 1), (1201, 105, 105), faces, forged(), Wish((64, 64, 64), None, 16)).levels

    assert [levels(LEAST_FACES * 4**level) for level in range(6)] == [1, 2, 3, 4, 5, 5]


def test_levels_end_where_they_are_told_to() -> None:
    octree = choose_octree((1, 1, 1), (1201, 105, 105), 50_000, forged(), Wish((64, 64, 64), 2, 16))
    assert (octree.levels, octree.cell) == (2, (128, 128, 128))


def test_cells_are_no_larger_than_they_must_be_along_a_thin_volume() -> None:
    thin = forged((256, 256, 32), size=(4096, 4096, 64))
    octree = choose_octree((1, 1, 1), (8001, 105, 105), 50_000, thin, Wish((256, 256, 256), None, 16))
    assert octree.cell == (1024, 1024, 128)


def test_places_far_away_are_exact() -> None:
    """In the numbers of 32 bits of a manifest."""
    whole = forged(low=(-(1 << 29), 5, 7), size=(1 << 30, 1 << 30, 1 << 30))
    octree = choose_octree(
        ((1 << 29) + 3, (1 << 28) + 1, 77), ((1 << 29) + 90, (1 << 28) + 9, 99), MANY, whole, Wish((256,) * 3, None, 16)
    )
    for origin, first in zip(octree.origin, whole.bounds.min, strict=True):
        assert float(np.float32((origin - 2 * first) / 2)) == (origin - 2 * first) / 2
    assert (
        octree.points * max(b - a for a, b in zip(octree.origin, ((1 << 29) + 90, (1 << 28) + 9, 99), strict=True))
        < 1 << 16
    )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_transform_leads_to_nanometres(axis: int) -> None:
    whole = forged(low=(-7, 13, 1001))
    matrix = np.array(transform(whole)).reshape(3, 4)
    half_voxels = 2 * whole.bounds.min[axis] + 35
    stored = np.zeros(4)
    stored[axis], stored[3] = 35 / 2, 1
    assert (matrix @ stored)[axis] == (half_voxels + 1) / 2 * whole.resolution[axis]
