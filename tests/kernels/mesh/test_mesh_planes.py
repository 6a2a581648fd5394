"""Vertices on planes, against NumPy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.mesh.planes import LOCKED, Planes, Vec, planes_of

places = st.tuples(*[st.integers(-9, 9)] * 3)
spacings = st.tuples(*[st.integers(0, 6)] * 3)


def on(vertices: NDArray[np.int32], planes: Planes) -> NDArray[np.bool_]:
    """By vertex and axis."""
    known = [
        [n != 0 and x in range(a - 40 * n, 40, n) for x, a, n in zip(vertex, *planes, strict=True)]
        for vertex in vertices.tolist()
    ]
    return np.array(known, bool).reshape(-1, 3)


@given(points=st.lists(places), within=st.tuples(places, spacings), locked=st.tuples(places, spacings))
def test_masks_say_the_planes_of_a_vertex(points: list[Vec], within: tuple[Vec, Vec], locked: tuple[Vec, Vec]) -> None:
    vertices = np.array(points, np.int32).reshape(-1, 3)
    masks = planes_of(vertices, within=Planes(*within), locked=Planes(*locked))
    sliding = on(vertices, Planes(*within)) @ np.array([1, 2, 4])
    expected = sliding + LOCKED * on(vertices, Planes(*locked)).any(axis=1)
    assert masks.dtype == np.uint8
    assert masks.tolist() == expected.tolist()


def test_the_faces_of_a_box_are_locked() -> None:
    vertices = np.array([[3, 0, 2], [4, 7, 2], [10, 1, 1], [-3, 7, 9]], np.int32)
    masks = planes_of(vertices, locked=Planes.around((-4, 0, -2), (10, 8, 6)))
    assert masks.tolist() == [LOCKED, 0, LOCKED, 0]


def test_without_planes_nothing_is_on_one() -> None:
    assert planes_of(np.zeros((2, 3), np.int32)).tolist() == [0, 0]
