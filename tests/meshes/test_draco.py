from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cloudvolume import Mesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.pipeline.meshes.merging.draco import decode, encode

Numbers = NDArray[np.uint32]

TETRAHEDRON = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.uint32)


@pytest.mark.parametrize("bits", [10, 16])
def test_positions_come_back_exactly(bits: int) -> None:
    last = (1 << bits) - 1
    vertices = np.array([[0, 0, 0], [last, 0, 1], [last // 2 + 1, last, 0], [3, 5, last]], np.uint32)
    data = encode(vertices, TETRAHEDRON, bits)
    assert triangles(*decode(data)) == triangles(vertices, TETRAHEDRON)
    theirs = Mesh.from_draco(data)
    assert triangles(theirs.vertices, theirs.faces) == triangles(vertices, TETRAHEDRON)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from([10, 16]), st.integers(4, 60), st.integers(1, 100))
def test_any_faces_come_back(seed: int, bits: int, places: int, count: int) -> None:
    """Also such as meet three in an edge, or turn the wrong way."""
    random = np.random.default_rng(seed)
    vertices = np.unique(random.integers(0, 1 << bits, (places, 3)), axis=0).astype(np.uint32)
    corners = random.integers(0, len(vertices), (count, 3)).astype(np.uint32)
    a, b, c = corners.T
    faces = np.unique(corners[(a != b) & (b != c) & (a != c)], axis=0)
    if not len(faces):
        return
    assert triangles(*decode(encode(vertices, faces, bits))) == triangles(vertices, faces)


def test_the_same_faces_give_the_same_bytes() -> None:
    vertices = np.random.default_rng(0).integers(0, 1 << 16, (50, 3)).astype(np.uint32)
    faces = np.arange(48, dtype=np.uint32).reshape(-1, 3)
    assert encode(vertices, faces, 16) == encode(vertices.astype(np.int64).astype(np.uint32), faces.copy(order="F"), 16)


def test_what_cannot_be_packed_is_refused() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1024]], np.uint32)
    with pytest.raises(ValueError, match="no faces"):
        encode(vertices, TETRAHEDRON[:0], 16)
    with pytest.raises(ValueError, match="1,024 has more than 10 bits"):
        encode(vertices, TETRAHEDRON, 10)


@pytest.mark.parametrize("length", [0, 3, 11, 30])
def test_damaged_fragments_are_refused(length: int) -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1000]], np.uint32)
    with pytest.raises(ValueError, match="no fragment that Draco could have packed"):
        decode(encode(vertices, TETRAHEDRON, 16)[:length])


def triangles(vertices: NDArray[Any], faces: NDArray[Any]) -> list[tuple[tuple[int, ...], ...]]:
    """Each face by the positions of its corners, the least one first; vertices come in any order."""
    found = []
    for face in np.asarray(faces).reshape(-1, 3):
        corners = [tuple(int(number) for number in vertices[corner]) for corner in face]
        least = corners.index(min(corners))
        found.append((*corners[least:], *corners[:least]))
    return sorted(found)
