"""Areas across skeletons, on shapes whose areas are known."""

from __future__ import annotations

import numpy as np
import pytest

from teravox.kernels.skeleton.cross_sections import find_normals, measure_areas
from teravox.kernels.skeleton.skeleton import Skeleton

STEP = (10.0, 10.0, 30.0)


def line(places: list[tuple[int, int, int]], edges: list[tuple[int, int]] | None = None) -> Skeleton:
    joined = [(a, a + 1) for a in range(len(places) - 1)] if edges is None else edges
    return Skeleton(
        np.array(places, np.int32), np.array(joined, np.uint32).reshape(-1, 2), np.ones(len(places), np.float32), {}
    )


def test_a_tube_has_the_area_of_its_circle_also_where_it_is_slanted() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in (130, 80, 44)], indexing="ij"), -1) * np.array(STEP)
    for direction in ((0.0, 0.0, 1.0), (0.6, 0.0, 0.8), (0.8, 0.0, 0.6)):
        along = np.array(direction)
        middle = np.array([65, 40, 22]) * np.array(STEP)
        across = grid - middle - ((grid - middle) @ along)[..., None] * along
        tube = np.asfortranarray(np.linalg.norm(across, axis=-1) <= 200).astype(np.uint16) * np.uint16(7)
        places = [np.rint((middle + along * far) / np.array(STEP)).astype(int) for far in range(-240, 241, 60)]
        skeleton = line([(int(x), int(y), int(z)) for x, y, z in places])
        normals = find_normals(skeleton, 9, STEP)
        areas, sides = measure_areas(tube, 7, skeleton, np.array([4]), normals[[4]], STEP)
        assert not sides.any()
        assert areas[0] == pytest.approx(np.pi * 200**2, rel=0.03)


def test_a_box_is_exact_and_only_what_is_connected_counts() -> None:
    voxels = np.zeros((30, 20, 20), np.uint8, order="F")
    voxels[2:28, 5:9, 6:12] = 3
    voxels[2:28, 12:15, 6:12] = 3
    voxels[2:28, 9:12, 6:12] = 5
    skeleton = line([(x, 6, 8) for x in range(5, 25)])
    rows = np.arange(20)
    areas, sides = measure_areas(voxels, 3, skeleton, rows, find_normals(skeleton, 5, STEP), STEP)
    assert not sides.any()
    assert areas == pytest.approx(np.full(20, 4 * 10 * 6 * 30))


def test_sections_that_reach_a_side_say_which() -> None:
    voxels = np.ones((9, 9, 9), np.uint8, order="F")
    voxels[0] = voxels[:, -1] = 0
    skeleton = line([(4, 4, z) for z in range(9)])
    areas, sides = measure_areas(voxels, 1, skeleton, np.array([4]), find_normals(skeleton, 3, STEP)[[4]], STEP)
    assert sides.tolist() == [0b000110]  # the upper end of x and the lower end of y
    assert areas == pytest.approx([8 * 8 * 100])


def test_a_vertex_that_is_alone_or_of_another_number_has_no_area() -> None:
    voxels = np.ones((5, 5, 5), np.uint8, order="F")
    alone = line([(2, 2, 2)])
    assert not find_normals(alone, 5, STEP).any()
    assert measure_areas(voxels, 1, alone, np.array([0]), find_normals(alone, 5, STEP), STEP)[0].tolist() == [0]
    pair = line([(2, 2, 2), (3, 2, 2)])
    assert measure_areas(voxels, 9, pair, np.arange(2), find_normals(pair, 5, STEP), STEP)[0].tolist() == [0, 0]


def test_normals_follow_a_line_smoothly_and_stop_at_branch_points() -> None:
    zigzag = line([(x, x % 2, 0) for x in range(30)])
    near, far = find_normals(zigzag, 1, (1, 1, 1)), find_normals(zigzag, 20, (1, 1, 1))

    def slant(normals: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        return float(np.abs(normals[10:20, 1] / np.linalg.norm(normals[10:20], axis=1)).max())

    assert slant(far) < 0.1
    assert slant(near[:, ::1]) >= slant(far)
    cross = line([(0, 0, 0), (1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 2, 0)], [(0, 1), (1, 2), (1, 3), (3, 4)])
    cross.radius[[0, 2]] = 5
    normals = find_normals(cross, 9, (1, 1, 1))
    assert normals[1, 1] == 0  # between its two thickest arms
    assert normals[3, 0] == 0
