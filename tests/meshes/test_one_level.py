"""A mesh of one resolution, packed as one of several levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teravox.pipeline.meshes.copying.one_level import BITS, make_one_level
from teravox.pipeline.meshes.draco_counts import count_packed
from teravox.pipeline.meshes.merging.draco import decode
from teravox.pipeline.meshes.merging.manifest import Manifest
from teravox.pipeline.meshes.mesh import Mesh

FACES = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], np.uint32)
places = st.tuples(*[st.floats(-1e9, 1e9)] * 3)
sizes = st.tuples(*[st.floats(2, 1e6)] * 3)


@given(places, sizes)
def test_vertices_move_less_than_a_step_wherever_they_are(place: tuple[float, ...], size: tuple[float, ...]) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0.1], [0.3, 1, 0], [0, 0.2, 1]]) * size + place
    manifest, data = make_one_level(Mesh(corners, FACES), 8.0)
    said = Manifest.decode(manifest)
    assert said.encode() == manifest
    assert said.levels[0].fragments == (((0, 0, 0), len(data)),)
    vertices, faces = decode(data)
    back = vertices / ((1 << BITS) - 1) * said.chunk_shape + said.grid_origin
    step = np.array(said.chunk_shape) / ((1 << BITS) - 1)
    nearest = np.abs(back[:, None] - corners[None]) / step
    assert nearest.max(axis=2).min(axis=0).max() <= 0.51
    assert len(faces) == 4
    assert count_packed(data) == (4, 4)


def test_a_mesh_of_one_plane_keeps_its_faces() -> None:
    flat = Mesh(np.array([[5, 5, 5], [9, 5, 5], [5, 9, 5], [9, 9, 5.0]]), np.array([[0, 1, 2], [1, 3, 2]], np.uint32))
    _, data = make_one_level(flat, 1.0)
    vertices, faces = decode(data)
    assert len(faces) == 2
    assert np.ptp(vertices[:, 2]) == 0


@pytest.mark.parametrize(
    "data", [b"", b"DRACO", b"NOTDRACO" * 9, b"DRACO\x01\x01" + bytes(20), b"DRACO\x02\x02\x01\x01\x00\x80" + bytes(9)]
)
def test_bytes_whose_head_says_nothing_are_not_counted(data: bytes) -> None:
    assert count_packed(data) is None


def test_a_head_that_ends_within_a_number_is_not_counted() -> None:
    assert count_packed(b"DRACO\x02\x02\x01\x01\x00\x00\x00\xff\xff") is None
