"""The loops that tracing is made of, one by one, against dijkstra3d and kimimaro."""

from __future__ import annotations

import dijkstra3d
import edt
import kimimaro.skeletontricks
import numpy as np
import pytest
from numpy.typing import NDArray
from skeletons.making import shapes

from teravox.kernels.skeleton.ball import make_buckets, open_all, roll_ball
from teravox.kernels.skeleton.calendar import BUCKETS, clear, make_calendar, mark, next_full
from teravox.kernels.skeleton.costs import price
from teravox.kernels.skeleton.distance_field import measure_from
from teravox.kernels.skeleton.drawing import make_fields
from teravox.kernels.skeleton.gathering import gather, take
from teravox.kernels.skeleton.lattice import make_lattice, places_of, voxel_at, voxels_at
from teravox.kernels.skeleton.paths import walk_back
from teravox.kernels.skeleton.search import DRAWN, find_way

STEPS = [(1.0, 1.0, 1.0), (16.0, 16.0, 40.0), (4.0, 7.0, 30.0)]
SIZE = (31, 28, 25)


def one_label(seed: int) -> NDArray[np.uint32]:
    """The largest component of some shapes in one."""
    import cc3d

    return np.asfortranarray(cc3d.largest_k(shapes(SIZE, seed) > 0, k=1, connectivity=26), np.uint32)


def test_places_are_those_of_their_voxels() -> None:
    lattice = make_lattice(SIZE, (1, 1, 1))
    places, starts = gather(np.ones(SIZE, np.uint32, order="F"), np.array([1]), lattice)
    voxels = voxels_at(places, lattice)
    assert starts.tolist() == [0, np.prod(SIZE)]
    assert np.array_equal(places_of(voxels, lattice), places)
    assert np.array_equal(voxels, np.argwhere(np.ones(SIZE[::-1]))[:, ::-1])
    assert voxel_at(places[77], lattice.row, lattice.plane, lattice.first) == tuple(voxels[77])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("seed", range(3))
def test_distances_from_a_voxel_are_those_of_dijkstra3d(step: tuple[float, float, float], seed: int) -> None:
    numbers = one_label(seed)
    lattice = make_lattice(SIZE, step)
    places, _ = gather(numbers, np.array([1]), lattice)
    fields = make_fields(lattice)
    fields.total[places] = np.inf
    root = int(places[len(places) // 2])
    measure_from(root, fields.total, lattice)
    voxels = voxels_at(places, lattice)
    expected = dijkstra3d.euclidean_distance_field(numbers > 0, tuple(voxels[len(places) // 2]), anisotropy=step)
    assert np.array_equal(fields.total[places], expected[tuple(voxels.T)])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("seed", range(3))
def test_the_way_to_the_nearest_path_costs_no_more_than_that_of_dijkstra3d(
    step: tuple[float, float, float], seed: int
) -> None:
    numbers = one_label(seed)
    lattice = make_lattice(SIZE, step)
    places, _ = gather(numbers, np.array([1]), lattice)
    radii = take(np.asfortranarray(edt.edt(numbers, anisotropy=step)), places, lattice)
    fields = make_fields(lattice)
    fields.total[places] = np.inf
    measure_from(int(places[0]), fields.total, lattice)
    width = price(places, radii, radii.max(), fields.total, 1e5, 4.0, fields.costs)
    fields.total[places] = np.inf
    rails, target = places[::97], int(places[len(places) // 3 + 5])
    field = np.full(SIZE, np.inf, np.float32, order="F")
    field[tuple(voxels_at(places, lattice).T)] = fields.costs[places]
    field[tuple(voxels_at(rails, lattice).T)] = 0
    fields.costs[rails] = DRAWN

    end, reached = find_way(
        target, fields.total, fields.ways, fields.costs, width, lattice, make_calendar(), np.empty_like(places)
    )
    ours = voxels_at(walk_back(end, fields.ways, lattice, len(places)), lattice)
    theirs = dijkstra3d.railroad(field, tuple(voxels_at(np.array([target], np.int32), lattice)[0]))

    assert end in rails
    assert reached <= len(places)
    assert np.abs(np.diff(ours, axis=0)).max(initial=1) == 1
    assert np.array_equal(ours[0], voxels_at(np.array([target], np.int32), lattice)[0])
    cost_of_ours, cost_of_theirs = (field[tuple(way[1:].T)].sum(dtype=np.float64) for way in (ours, theirs))
    assert cost_of_ours <= cost_of_theirs * (1 + 1e-5) + width


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("seed", range(4))
def test_a_ball_covers_what_that_of_kimimaro_covers(step: tuple[float, float, float], seed: int) -> None:
    numbers = one_label(seed)
    lattice = make_lattice(SIZE, step)
    places, _ = gather(numbers, np.array([1]), lattice)
    random = np.random.default_rng(seed)
    path = random.choice(places, 12, replace=False).astype(np.int32)
    scales = random.uniform(1, 5, 12) * step[0]
    distances = np.zeros(SIZE, np.float32, order="F")
    distances[tuple(voxels_at(path, lattice).T)] = scales
    mask = np.asfortranarray(numbers, np.uint8)
    expected, left = kimimaro.skeletontricks.roll_invalidation_ball_inside_component(
        mask, distances, 1.0, 2.0 * step[0], step, [tuple(voxel) for voxel in voxels_at(path, lattice)]
    )

    reaches = scales.astype(np.float32) + np.float32(2.0 * step[0])
    squares = make_buckets(lattice.step, float(reaches.max()))
    fields = make_fields(lattice)
    open_all(places, fields.best, squares)
    covered = roll_ball(path, reaches, fields.best, squares, lattice)

    ours = fields.best[places] == 0
    theirs = left[tuple(voxels_at(places, lattice).T)] == 0
    assert covered == ours.sum() > 12
    assert theirs.sum() == expected
    assert (ours != theirs).sum() <= 0.004 * expected  # of sources that are as near, another one may come first


def test_the_calendar_finds_the_next_bucket_around_the_ring() -> None:
    calendar = make_calendar()
    random = np.random.default_rng(3)
    marked = np.unique(np.append(random.choice(BUCKETS, 200), [0, 63, 64, 4095, 4096, BUCKETS - 1]))
    for bucket in marked.tolist():
        mark(calendar.full, calendar.words, bucket)
    for bucket in [*random.choice(BUCKETS, 300).tolist(), *marked.tolist(), *(marked + 1).clip(max=BUCKETS - 1)]:
        following = marked[marked >= bucket]
        assert next_full(calendar.full, calendar.words, bucket) == (following[0] if len(following) else marked[0])
    for bucket in marked[1:].tolist():
        clear(calendar.full, calendar.words, bucket)
    assert next_full(calendar.full, calendar.words, 5) == marked[0]


def test_a_box_that_has_too_many_places_is_refused() -> None:
    with pytest.raises(ValueError, match="too large to trace at once"):
        make_lattice((1300, 1300, 1300), (1, 1, 1))
