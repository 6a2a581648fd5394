from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from cloudvolume.datasource.precomputed.mesh.multilod import MultiLevelPrecomputedMeshManifest
from hypothesis import given, settings
from hypothesis import strategies as st

from teravox.pipeline.meshes.merging.manifest import Fragment, Level, Manifest, z_order

TWO_LEVELS = Manifest(
    (256.0, 256.0, 64.5),
    (-256.0, 0.5, 1e7),
    (
        Level(1.0, (Fragment((0, 0, 0), 500), Fragment((1, 0, 0), 0), Fragment((0, 1, 0), 70))),
        Level(2.0, (Fragment((0, 0, 0), 130),), (0.0, 1.0, 0.0)),
    ),
)


def test_a_manifest_comes_back_as_it_went() -> None:
    assert Manifest.decode(TWO_LEVELS.encode()) == TWO_LEVELS
    assert TWO_LEVELS.size == 700


def test_cloudvolume_reads_a_manifest() -> None:
    theirs = MultiLevelPrecomputedMeshManifest.from_binary(TWO_LEVELS.encode(), segment_id=1)
    assert theirs.num_lods == 2
    assert theirs.chunk_shape.tolist() == [256.0, 256.0, 64.5]
    assert theirs.grid_origin.tolist() == [-256.0, 0.5, 1e7]
    assert theirs.lod_scales.tolist() == [1.0, 2.0]
    assert theirs.vertex_offsets.tolist() == [[0, 0, 0], [0, 1, 0]]
    assert [cells.tolist() for cells in theirs.fragment_positions] == [[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0]]]
    assert [sizes.tolist() for sizes in theirs.fragment_offsets] == [[500, 0, 70], [130]]


def test_a_manifest_of_cloudvolume_is_read() -> None:
    theirs = MultiLevelPrecomputedMeshManifest(
        segment_id=1,
        chunk_shape=(256.0, 256.0, 64.5),
        grid_origin=(-256.0, 0.5, 1e7),
        num_lods=2,
        lod_scales=(1.0, 2.0),
        vertex_offsets=((0, 0, 0), (0, 1, 0)),
        num_fragments_per_lod=(3, 1),
        fragment_positions=[np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 0, 0]])],
        fragment_offsets=(500, 0, 70, 130),
    )
    assert Manifest.decode(theirs.to_binary()) == TWO_LEVELS


@pytest.mark.parametrize("length", [0, 27, 28, 60, len(TWO_LEVELS.encode()) - 1, len(TWO_LEVELS.encode()) + 4])
def test_bytes_that_are_no_manifest_are_refused(length: int) -> None:
    data = (TWO_LEVELS.encode() + bytes(4))[:length]
    with pytest.raises(ValueError, match=f"{length} bytes"):
        Manifest.decode(data)


def test_numbers_that_would_be_rounded_are_refused() -> None:
    with pytest.raises(ValueError, match="16777217"):
        Manifest((1.0, 1.0, 1.0), (16_777_217.0, 0.0, 0.0), ()).encode()
    with pytest.raises(ValueError, match="32 bits"):
        Manifest((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (Level(1.0, (Fragment((0, 0, 0), 1 << 32),)),)).encode()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 1 << 12)] * 3), unique=True, min_size=2, max_size=30))
def test_cells_are_in_z_order(cells: list[tuple[int, int, int]]) -> None:
    """The order is that of the axis whose coordinates differ in the highest bit, and of z, y, x where several do."""
    for (x, y, z), (a, b, c) in pairwise(z_order(cells)):
        differ = {axis: (p ^ q).bit_length() for axis, (p, q) in enumerate(((x, a), (y, b), (z, c)))}
        axis = max(differ, key=lambda axis: (differ[axis], axis))
        assert (x, y, z)[axis] < (a, b, c)[axis]
    assert set(z_order(cells)) == set(cells)
