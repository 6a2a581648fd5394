"""What is painted is what is stored: after every stroke, undone or not, and whenever the writer dies."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labelling.conftest import CLASSES
from layers.make import Array, read_layer

from teravox.pipeline.errors import BadInput, Transient
from teravox.pipeline.labelling.painting import Painting
from teravox.pipeline.labelling.planes import PLANES
from teravox.pipeline.labelling.strokes import History, Stroke
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import create_labels, open_labels

Deed = Stroke | Literal["undo", "redo"]
PLACES = st.integers(-10, 120)
STROKES = st.builds(
    Stroke,
    plane=st.sampled_from(sorted(PLANES)),
    at=st.integers(15, 60),
    label=st.integers(0, 2),
    runs=st.lists(st.tuples(PLACES, PLACES, PLACES), max_size=4).map(tuple),
)


def open_painting(image: Layer, folder: str) -> Painting:
    return Painting(create_labels(image, 0, folder, CLASSES), lambda: None)


def paint(painting: Painting, stroke: Stroke) -> int:
    return painting.label(stroke.places(painting.labels.bounds), stroke.label)


def paint_by_hand(array: Array, stroke: Stroke, low: tuple[int, ...]) -> Array:
    """The same stroke in an array of x, y and z that begins at the lower corner."""
    plane, painted = PLANES[stroke.plane], array.copy()
    for row, first, end in stroke.runs:
        for column in range(first, end):
            place = [0, 0, 0]
            place[plane.column], place[plane.row], place[plane.across] = column, row, stroke.at
            x, y, z = (n - a for n, a in zip(place, low, strict=True))
            if min(x, y, z) >= 0 and x < array.shape[0] and y < array.shape[1] and z < array.shape[2]:
                painted[x, y, z] = stroke.label
    return painted


@settings(max_examples=12)
@given(deeds=st.lists(STROKES | st.sampled_from(["undo", "redo"]), min_size=1, max_size=8))
def test_any_strokes_undone_or_not_are_stored_as_they_were_painted(image: Layer, deeds: list[Deed]) -> None:
    with TemporaryDirectory() as folder:
        painting = open_painting(image, folder)
        bounds = painting.labels.bounds
        now = np.zeros(bounds.size, np.uint8)
        past: list[Array] = []
        future: list[Array] = []
        for deed in deeds:
            if isinstance(deed, Stroke):
                then = paint_by_hand(now, deed, bounds.min)
                assert paint(painting, deed) == np.count_nonzero(then != now)
                if (then != now).any():
                    past, future, now = [*past, now], [], then
            elif deed == "undo":
                assert painting.undo() == painting.can_redo or not past
                if past:
                    now, future = past[-1], [*future, now]
                    past = past[:-1]
            else:
                assert painting.redo() == bool(future)
                if future:
                    now, past = future[-1], [*past, now]
                    future = future[:-1]
            assert (painting.can_undo, painting.can_redo) == (bool(past), bool(future))
            assert np.array_equal(painting.read(bounds), now)
            stored = open_labels(folder)
            assert np.array_equal(stored.read(bounds), now.T)
            assert list(stored.labelled_boxes()) == painting.all_chunks()
            assert len(painting.all_chunks()) == len({tuple(at // (32, 32, 16)) for at in np.argwhere(now)})


def test_cloudvolume_reads_what_was_painted(image: Layer, tmp_path: Path) -> None:
    painting = open_painting(image, str(tmp_path))
    bounds = painting.labels.bounds
    for at in range(bounds.min[2], bounds.max[2]):
        paint(painting, Stroke("xy", at, 1 + at % 2, tuple((y, 0, 200) for y in range(200))))
    assert np.array_equal(read_layer(str(tmp_path), 0)[..., 0], painting.read(bounds))


def stroke_of(x0: int, x1: int, *, label: int = 1) -> Stroke:
    return Stroke("xy", 31, label, ((25, x0, x1),))


def test_a_later_session_goes_on_with_what_is_there(image: Layer, tmp_path: Path) -> None:
    paint(open_painting(image, str(tmp_path)), stroke_of(12, 60))
    later = open_painting(image, str(tmp_path))
    assert not later.can_undo
    assert paint(later, stroke_of(58, 62)) == 2
    assert np.count_nonzero(later.read(later.labels.bounds)) == 50


def test_a_write_that_fails_leaves_what_was_written_before_it_and_that_can_be_undone(
    image: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painting = open_painting(image, str(tmp_path))
    store = painting.labels.layer.store
    put, fails_at = store.put, iter([False, True])

    def fail(key: str, data: bytes, **words: object) -> None:
        if next(fails_at):
            raise Transient("the disk is full")
        put(key, data, **words)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(store, "put", fail)
    with pytest.raises(Transient, match="disk is full"):
        paint(painting, stroke_of(12, 100))
    monkeypatch.setattr(store, "put", put)
    stored = open_labels(str(tmp_path))
    assert 0 < np.count_nonzero(stored.read(stored.bounds)) < 88
    assert np.array_equal(stored.read(stored.bounds).T, painting.read(stored.bounds))
    assert painting.undo()
    assert not stored.read(stored.bounds).any()


def test_a_stroke_of_more_than_anybody_paints_is_refused(image: Layer, tmp_path: Path) -> None:
    painting = open_painting(image, str(tmp_path))
    runs = ((25, 0, 200),) * 60_000
    with pytest.raises(BadInput, match=r"5,760,000 voxels are too many for one stroke"):
        paint(painting, Stroke("xy", 31, 1, runs))
    assert painting.version == 0


def test_the_oldest_strokes_are_forgotten_when_there_are_too_many(image: Layer, tmp_path: Path) -> None:
    painting = open_painting(image, str(tmp_path))
    painting._history = History(300)
    for label in range(20):
        paint(painting, stroke_of(12, 20, label=1 + label % 2))
    undone = 0
    while painting.undo():
        undone += 1
    assert 1 <= undone < 20


PAINT_FOR_EVER = """
import sys
from teravox.pipeline.labelling.painting import Painting
from teravox.pipeline.labelling.strokes import Stroke
from teravox.pipeline.learning.labels import open_labels
painting = Painting(open_labels(sys.argv[1]), lambda: None)
label = 0
while True:
    label = 1 + label % 2
    for x in (10, 42, 74):
        rows = tuple((y, x, x + 32) for y in range(20, 52))
        for at in range(30, 46):
            painting.label(Stroke("xy", at, label, rows).places(painting.labels.bounds), label)
    print(label, flush=True)
"""


@pytest.mark.faults
def test_labels_are_whole_whenever_the_writer_is_killed(image: Layer, tmp_path: Path) -> None:
    bounds = create_labels(image, 0, str(tmp_path), CLASSES).bounds
    command = [sys.executable, "-c", PAINT_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    labels = open_labels(str(tmp_path)).read(bounds)[:16, :32, :96]
    assert set(np.unique(labels)) <= {1, 2}
    for at in range(16):
        for x in (0, 32, 64):
            assert len(np.unique(labels[at, :, x : x + 32])) == 1, "half of a stroke in a chunk was written"
