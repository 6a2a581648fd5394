"""Which slices of a layer are suggested, and what supervoxels are learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer
from learning.stumps import forest_of
from numpy.typing import NDArray

from teravox.kernels.learning.classes import make_classes
from teravox.kernels.learning.model import Model
from teravox.kernels.learning.selection import Feature, Selection
from teravox.kernels.learning.slic_tiles import Supervoxels
from teravox.kernels.learning.supervoxel_prediction import describe
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning import suggestion
from teravox.pipeline.learning.axes import AnyAxis
from teravox.pipeline.learning.labels import Labels, open_labels
from teravox.pipeline.learning.suggestion import suggest
from teravox.pipeline.learning.supervoxel_samples import gather_supervoxels, labelled_tiles, make_supervoxels

OFFSET = (5, -4, 11)
SIZE = (70, 64, 24)  # x, y, z
SELECTION = Selection((Feature("gaussian-smoothing", 0.7), Feature("gaussian-gradient-magnitude", 0.7)))
HARD = 17  # the slice of grey values between the classes, in a block that begins at 32 along x and y


def volume() -> NDArray[np.uint8]:
    """Dark and bright halves in x, y, z, and one slice with a block that is neither."""
    gray = np.full(SIZE, 60, np.uint8)
    gray[SIZE[0] // 2 :] = 200
    gray[32:64, 32:64, HARD - 1 : HARD + 2] = 130
    noise = np.random.default_rng(2).integers(0, 12, SIZE, np.uint8)
    return np.asarray(gray + noise)[..., np.newaxis]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Layer:
    folder = tmp_path_factory.mktemp("image") / "em"
    return Layer.open(make_layer(folder, volume(), offset=OFFSET, chunk=(32, 32, 8), resolution=(8, 8, 8)))


Part = slice | int


def labels_of(folder: Path, *painted: tuple[int, Part, Part, Part]) -> Labels:
    """Labels of a class each in parts of x, y and z."""
    labels = np.zeros((*SIZE, 1), np.uint8)
    for label, *place in painted:
        labels[tuple(place)] = label
    path = make_layer(
        folder / "labels", labels, offset=OFFSET, chunk=(32, 32, 8), type="segmentation", resolution=(8, 8, 8)
    )
    return open_labels(path)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Labels:
    """Strokes in two slices."""
    left, right = slice(3, 9), slice(60, 64)
    return labels_of(
        tmp_path_factory.mktemp("labels"),
        (1, left, 5, 4),
        (2, right, slice(40, 44), 4),
        (1, left, 50, 9),
        (2, right, 9, 9),
    )


def model(unit: str = "voxels", how: Supervoxels | None = None) -> Model:
    """One that knows dark from bright, and is the less sure the closer it comes to what lies between."""
    stumps = [(0, float(value)) for value in range(80, 191, 10)]
    return Model(
        unit="voxels" if unit == "voxels" else "supervoxels",
        classes=make_classes(["dark", "bright"]),
        selection=SELECTION,
        channels=1,
        resolution=(8.0, 8.0, 8.0),
        forest=forest_of(2 if unit == "voxels" else 4, *stumps),
        supervoxels=None if how is None else how.to_json(),
    )


def test_the_slice_that_the_model_is_unsure_of_is_the_first_and_the_place_lies_in_it(
    image: Layer, labels: Labels
) -> None:
    found = suggest(image, 0, labels, model(), number=3)
    assert len(found) == 3
    first = found[0]
    assert first.axis == "z"
    assert abs(first.position - OFFSET[2] - HARD) <= 1
    assert 0 < first.score <= first.uncertainty < 1
    x, y, z = (a - b for a, b in zip(first.place, OFFSET, strict=True))
    assert (32 <= x < 64, 32 <= y < 64, z) == (True, True, first.position - OFFSET[2])
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert suggest(image, 0, labels, model(), number=3) == found


def test_labelled_slices_are_not_suggested_and_all_others_are(image: Layer, labels: Labels) -> None:
    found = suggest(image, 0, labels, model(), number=99, slices=99)
    labelled = {OFFSET[2] + 4, OFFSET[2] + 9}
    assert {one.position for one in found} == set(range(OFFSET[2], OFFSET[2] + SIZE[2])) - labelled


def test_slices_that_only_cross_what_was_painted_are_not_labelled(image: Layer, tmp_path: Path) -> None:
    painted = labels_of(tmp_path, (1, slice(None), slice(10, 20), 4), (2, slice(None), slice(40, 50), 9))
    found = suggest(image, 0, painted, model(), axis="x", number=99, slices=99)
    assert len(found) == SIZE[0]
    assert len(suggest(image, 0, painted, model(), axis="z", number=99, slices=99)) == SIZE[2] - 2


@pytest.mark.parametrize("axis", ["x", "y"])
def test_slices_across_other_axes_are_looked_at(image: Layer, labels: Labels, axis: AnyAxis) -> None:
    along = "xyz".index(axis)
    found = suggest(image, 0, labels, model(), axis=axis, number=2, slices=200)
    assert {one.axis for one in found} == {axis}
    assert 30 <= found[0].position - OFFSET[along] < 66  # or where the block begins or ends
    assert found[0].place[along] == found[0].position
    assert abs(found[0].place[2] - OFFSET[2] - HARD) <= 12  # in the block of 32 that holds it


def test_a_bar_hears_of_each_slice_that_was_looked_at(image: Layer, labels: Labels) -> None:
    heard: list[int] = []
    suggest(image, 0, labels, model(), slices=7, progress=heard.append)
    assert sum(heard) == 7 + 2  # the labelled ones, too
    assert suggestion.count_looks(image, 0, "auto", 7, None) == 7


def test_before_there_is_a_model_slices_unlike_each_other_are_suggested(image: Layer, tmp_path: Path) -> None:
    found = suggest(image, 0, labels_of(tmp_path), None, number=4, slices=24, selection=SELECTION)
    assert any(abs(one.position - OFFSET[2] - HARD) <= 2 for one in found[:2])
    assert {one.uncertainty for one in found} == {0.0}
    assert len({one.position for one in found}) == 4


def test_without_a_model_the_slice_least_like_the_labelled_ones_is_the_first(image: Layer, labels: Labels) -> None:
    found = suggest(image, 0, labels, None, number=1, slices=99, selection=SELECTION)
    assert abs(found[0].position - OFFSET[2] - HARD) <= 2


def test_only_the_bounds_are_looked_at(image: Layer, labels: Labels) -> None:
    low = (OFFSET[0], OFFSET[1], OFFSET[2] + 2)
    box = Box(low, (low[0] + 30, low[1] + 30, low[2] + 6))
    found = suggest(image, 0, labels, model(), number=9, box=box)
    assert {one.position for one in found} == set(range(low[2], low[2] + 6)) - {OFFSET[2] + 4}
    outside = Box((1000, 0, 0), (1001, 1, 1))
    with pytest.raises(BadUsage, match="--bounds: 1000,0,0:1001,1,1 lies outside"):
        suggest(image, 0, labels, model(), box=outside)


def test_where_every_slice_has_labels_nothing_is_suggested(image: Layer, tmp_path: Path) -> None:
    everywhere = labels_of(tmp_path, (1, slice(3, 60), slice(3, 60), slice(None)))
    assert suggest(image, 0, everywhere, model()) == []


def test_of_large_slices_windows_are_looked_at_that_lie_within(
    image: Layer, labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestion, "WINDOW", 16)
    windows = suggestion._windows(image.bounds(0), 2, 8, 0)
    assert len(set(windows)) == 8
    assert all(one.intersect(image.bounds(0)) == one and one.size == (16, 16, SIZE[2]) for one in windows)
    assert suggestion._windows(image.bounds(0), 2, 8, 1) != windows
    found = suggest(image, 0, labels, model(), number=1)
    assert abs(found[0].position - OFFSET[2] - HARD) <= 1


def test_a_model_of_supervoxels_suggests_as_one_of_voxels(image: Layer, labels: Labels) -> None:
    how = Supervoxels(low=0, high=255, tile=(8, 20, 20), size=60, iterations=3)
    found = suggest(image, 0, labels, model("supervoxels", how), number=2)
    assert abs(found[0].position - OFFSET[2] - HARD) <= 4  # its supervoxels are some slices thick
    x, y, _ = (a - b for a, b in zip(found[0].place, OFFSET, strict=True))
    assert (32 <= x < 64, 32 <= y < 64) == (True, True)


def test_supervoxels_are_made_for_the_grey_values_and_voxels_of_the_image(image: Layer) -> None:
    how = make_supervoxels(image, 0, size=100, compactness=0.2, iterations=5)
    assert 55 <= how.low <= 75
    assert 195 <= how.high <= 215
    assert how.tile[0] == how.tile[1] == how.tile[2]


def test_labelled_supervoxels_are_what_they_are_in_the_whole_volume(image: Layer, labels: Labels) -> None:
    how = Supervoxels(low=0, high=255, tile=(8, 20, 20), size=60, iterations=3)
    found = gather_supervoxels(image, 0, labels, SELECTION, how, classes=2)
    gray = image.read(image.bounds(0), 0)[..., 0].T
    kept = ((0, SIZE[2]), (0, SIZE[1]), (0, SIZE[0]))
    whole = describe(gray, SELECTION, how, (8, 8, 8), OFFSET[::-1], kept, 10**9)
    said = labels.read(labels.bounds)
    ours = whole.places(kept)[said != 0]
    assert len(found.labels) == len(np.unique(ours))
    assert set(map(tuple, found.features.T)) == set(map(tuple, whole.pooled[:, np.unique(ours)].T))
    assert found.voxels.sum() == (said != 0).sum()
    assert found.conflicts == 0
    for column, label, place in zip(found.features.T, found.labels, found.coordinates, strict=True):
        x, y, z = place - OFFSET
        assert (column == whole.pooled[:, whole.places(kept)[z, y, x]]).all()
        assert label == (0 if x < SIZE[0] // 2 else 1)


def test_conflicts_are_counted_and_the_most_voxels_win(image: Layer, tmp_path: Path) -> None:
    how = Supervoxels(low=0, high=255, tile=(64, 64, 64), size=64**3, iterations=1)
    painted = labels_of(tmp_path, (1, 3, 5, slice(2, 6)), (2, 4, 5, slice(2, 5)))
    found = gather_supervoxels(image, 0, painted, SELECTION, how, classes=2)
    assert (found.labels.tolist(), found.voxels.tolist(), found.overruled.tolist()) == ([0], [7], [3])
    assert found.conflicts == 1


def test_only_labels_within_the_bounds_count(image: Layer, labels: Labels) -> None:
    how = Supervoxels(low=0, high=255, tile=(8, 20, 20), size=60, iterations=3)
    low = image.bounds(0).min
    box = Box(low, (low[0] + SIZE[0], low[1] + SIZE[1], low[2] + 6))
    found = gather_supervoxels(image, 0, labels, SELECTION, how, classes=2, box=box)
    assert {int(z) for z in found.coordinates[:, 2]} == {OFFSET[2] + 4}
    half = Box(low, (low[0] + 5, low[1] + SIZE[1], low[2] + 6))  # of the stroke from 3 to 8
    assert gather_supervoxels(image, 0, labels, SELECTION, how, classes=2, box=half).voxels.sum() == 2
    assert len(labelled_tiles(labels, how, box)) < len(labelled_tiles(labels, how, image.bounds(0)))
    with pytest.raises(BadInput, match="has no label"):
        gather_supervoxels(
            image, 0, labels, SELECTION, how, classes=2, box=Box(low, (low[0] + 1, low[1] + 1, low[2] + 1))
        )
