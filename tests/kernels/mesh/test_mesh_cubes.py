"""Marching numbered voxels, against zmesh, label by label; and numbering and counting them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.kernels.mesh.cubes import march_numbers
from teravox.kernels.mesh.marching import march
from teravox.kernels.mesh.numbering import count_crossings, count_voxels, number_labels

Vec = tuple[int, int, int]


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(*[st.integers(2, 9)] * 3),
    labels=st.integers(1, 9),
    dtype=st.sampled_from(["uint8", "uint16", "uint32"]),
    seed=st.integers(0, 10**6),
)
def test_surfaces_are_those_of_zmesh(size: Vec, labels: int, dtype: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    voxels = np.asfortranarray(random.integers(0, labels + 1, size).astype(dtype))
    crossings = count_crossings(voxels, labels + 1)
    expected = dict(march(voxels))
    assert {label: len(one.vertices) for label, one in expected.items()} == {
        label: count for label, count in enumerate(crossings.tolist()) if count
    }
    wanted = np.array([label for label in expected if random.random() < 0.7], np.int64)
    marched = march_numbers(voxels, crossings, wanted)
    for label in wanted.tolist():
        surface = marched.surface(label)
        assert np.array_equal(surface.vertices, expected[label].vertices)
        assert np.array_equal(surface.faces, expected[label].faces)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
@pytest.mark.parametrize("labels", [1, 200, 5000])
def test_numbers_stand_for_labels(dtype: str, labels: int) -> None:
    random = np.random.default_rng(labels)
    most = min(labels, np.iinfo(dtype).max)
    names = np.unique(random.integers(0, np.iinfo(dtype).max, most, dtype=dtype, endpoint=True))
    flat = names[random.integers(0, len(names), 20_000)]
    given = flat.copy()
    numbers, by_number = number_labels(flat)
    assert np.array_equal(by_number[numbers], given)
    assert np.shares_memory(numbers, flat)
    assert by_number[0] == 0
    assert len(np.unique(by_number)) == len(by_number)
    found, counts = np.unique(numbers, return_counts=True)
    assert count_voxels(numbers, len(by_number))[found].tolist() == counts.tolist()
