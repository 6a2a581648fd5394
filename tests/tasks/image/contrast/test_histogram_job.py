"""`image contrast histogram` on real layers, against NumPy's counts of the whole."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from contrast.jobs import do_side_by_side, fib25, grey, slices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, chunks, files_of, make_layer, voxels
from memory_alone import measure_memory

from teravox.pipeline.box import Box
from teravox.pipeline.contrast.levels import Levels
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.image.contrast.histogram import Histogram


def levels_of(path: str, dtype: str = "uint8", channels: int = 1, mip: int = 0) -> dict[int, Array]:
    """What was counted in each slice: by channel and value."""
    bounds = Layer.open(path).bounds(mip)
    found = Levels(open_store(path), mip, path)
    there = [z for z in range(bounds.min[2], bounds.max[2]) if found.has(z)]
    return dict(found.read(there, dtype, channels))


def count(slice_: Array) -> Array:
    return np.bincount(slice_.ravel(), minlength=np.iinfo(slice_.dtype).max + 1)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(1, 20)),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    chunk=st.tuples(*[st.integers(3, 9)] * 3),
    dtype=st.sampled_from(["uint8", "uint16"]),
    channels=st.integers(1, 2),
    ignore_background=st.booleans(),
    bounds=st.one_of(st.none(), st.tuples(*[st.tuples(st.integers(0, 12), st.integers(1, 20))] * 3)),
    random=st.randoms(use_true_random=True),
)
def test_the_whole_is_counted_as_numpy_counts_it(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    dtype: str,
    channels: int,
    ignore_background: bool,
    bounds: Any,
    random: Any,
) -> None:
    array = grey(size, dtype, channels=channels)
    path = make_layer(tmp_path_factory.mktemp("layer"), array, chunk=chunk, offset=offset, compress=False)
    cut = [slice(0, n) for n in size]
    box = None
    if bounds is not None:
        cut = [slice(min(a, n - 1), min(a, n - 1) + length) for (a, length), n in zip(bounds, size, strict=True)]
        starts = [c.start + o for c, o in zip(cut, offset, strict=True)]
        box = Box((starts[0], starts[1], starts[2]), tuple(s + b[1] for s, b in zip(starts, bounds, strict=True)))
    job = Histogram(path, coverage=1, ignore_background=ignore_background, bounds=box)

    do(job, lambda pieces: random.sample(pieces * 2, 2 * len(pieces)))

    found = levels_of(path, dtype, channels)
    first, stop = (
        cut[2].start // chunk[2] * chunk[2],
        min(size[2], -(-min(cut[2].stop, size[2]) // chunk[2]) * chunk[2]),
    )
    assert set(found) == {z + offset[2] for z in range(first, stop)}
    for (_, _, z, channel), slice_ in slices(array[cut[0], cut[1]]):
        if first <= z < stop:
            expected = count(slice_)
            expected[0] *= not ignore_background
            assert np.array_equal(found[z + offset[2]][channel], expected)


def test_tasks_are_layers_of_chunks_and_lie_within_the_volume(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((20, 12, 21), "uint8"), offset=(3, -5, -9))

    pieces = Histogram(path).pieces()

    assert [(piece.min[2], piece.max[2]) for piece in pieces] == [(-9, -1), (-1, 7), (7, 12)]
    assert {(piece.min[:2], piece.max[:2]) for piece in pieces} == {((3, -5), (23, 7))}
    assert list(Histogram(path, bounds=Box((4, 0, -2), (9, 3, 0))).pieces()) == [
        Box((4, 0, -9), (9, 3, -1)),
        Box((4, 0, -1), (9, 3, 7)),
    ]


@pytest.mark.parametrize(("coverage", "columns"), [(0.001, 8), (0.1, 10), (0.505, 51), (1, 100)])
def test_a_part_of_the_chunks_is_counted_the_same_places_in_all_slices(
    tmp_path: Path, coverage: float, columns: int
) -> None:
    places = np.arange(100, dtype=np.uint8).reshape(10, 10).repeat(4, 0).repeat(4, 1)[:, :, None, None]
    path = make_layer(tmp_path, np.asfortranarray(places.repeat(9, 2)), chunk=(4, 4, 4))

    do(Histogram(path, coverage=coverage, ignore_background=False))

    found = levels_of(path)
    assert all(np.array_equal(found[z], found[0]) for z in range(9))
    assert np.count_nonzero(found[0]) == columns
    assert set(found[0][found[0] > 0].tolist()) == {16}


def test_samples_depend_on_the_seed_only(tmp_path: Path) -> None:
    array = voxels((80, 80, 16), "uint8")
    one, again, other, backwards = (make_layer(tmp_path / name, array) for name in "abcd")
    do(Histogram(one, coverage=0.1))
    do(Histogram(again, coverage=0.1, memory_limit=1_000_000_000))
    do(Histogram(other, coverage=0.1, seed=1))
    do(Histogram(backwards, coverage=0.1), lambda pieces: pieces[::-1])

    def levels(path: str) -> dict[str, bytes]:
        return {key: data for key, data in files_of(path).items() if key.startswith("levels/")}

    assert levels(one) == levels(again) == levels(backwards)
    assert not np.array_equal(levels_of(one)[0], levels_of(other)[0])
    assert levels_of(one)[0].sum() == pytest.approx(10 * 64, rel=0.05)


def test_seeds_choose_all_places_alike(tmp_path: Path) -> None:
    from teravox.pipeline.contrast.sampling import sample_columns

    path = make_layer(tmp_path, voxels((40, 40, 2), "uint8"), chunk=(4, 4, 2))
    layer = Layer.open(path)

    chosen = [
        column.min[0] // 4 * 10 + column.min[1] // 4
        for seed in range(200)
        for column in sample_columns(layer.scale(0), layer.bounds(0), 0.2, seed)
    ]

    times = np.bincount(chosen, minlength=100)
    assert times.sum() == 200 * 20
    assert 20 < times.min() <= times.max() < 62  # 40 expected, with a deviation of 5.7


def test_files_have_the_documented_form(tmp_path: Path) -> None:
    array = np.zeros((4, 2, 3, 2), np.uint16, order="F")
    array[:2, 0, 0, 0] = 300
    array[2, 0, 0, 0] = 302
    array[:, :, 2, 1] = 65535
    path = make_layer(tmp_path, array, chunk=(4, 4, 2), offset=(0, 0, -1))

    do(Histogram(path, coverage=0.5, seed=7))

    assert sorted(key for key in files_of(path) if key.startswith("levels/")) == [
        "levels/0/-1-1.json.gz",
        "levels/0/1-2.json.gz",
    ]
    sampling = {
        "bounds": {"min": [0, 0, -1], "max": [4, 2, 2]},
        "coverage": 0.5,
        "seed": 7,
        "ignore_background": True,
    }
    nothing = {"first": 0, "counts": []}
    assert json.loads(gzip.decompress((tmp_path / "levels/0/-1-1.json.gz").read_bytes())) == {
        "form": "teravox levels 1",
        "data_type": "uint16",
        "sampling": sampling,
        "slices": [
            {"z": -1, "channels": [{"first": 300, "counts": [2, 0, 1]}, nothing]},
            {"z": 0, "channels": [nothing, nothing]},
        ],
    }
    last = json.loads(gzip.decompress((tmp_path / "levels/0/1-2.json.gz").read_bytes()))
    assert last["slices"] == [{"z": 1, "channels": [nothing, {"first": 65535, "counts": [8]}]}]


def test_running_again_changes_no_byte(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((40, 40, 20), "uint16"))
    job = Histogram(path, coverage=0.3)
    do(job)
    before = chunks(path)
    do(job)
    assert chunks(path) == before


def test_pieces_run_side_by_side(tmp_path: Path) -> None:
    array = voxels((40, 40, 20), "uint8")
    alone, shared = (make_layer(tmp_path / name, array) for name in ("alone", "shared"))
    do(Histogram(alone, coverage=0.3))
    do_side_by_side(Histogram(shared, coverage=0.3))
    assert chunks(shared) == chunks(alone)


def test_outputs_are_what_a_piece_leaves(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((40, 40, 20), "uint8"))
    job = Histogram(path)
    job.prepare()
    for piece in job.pieces():
        TALLY.begin(job.home())
        job.run(piece)
        assert set(job.outputs(piece)) == set(TALLY.end().outputs)


def test_levels_can_lie_in_another_place_than_the_layer(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "em", voxels((16, 16, 8), "uint8"))
    before = files_of(path)
    do(Histogram(path, levels=str(tmp_path / "elsewhere")))
    assert files_of(path) == before
    assert set(files_of(str(tmp_path / "elsewhere"))) == {"levels/0/0-8.json.gz", "provenance"}


def test_the_record_of_a_job_is_in_the_provenance(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((16, 16, 8), "uint8"))
    do(Histogram(path, seed=3))
    (record,) = json.loads((tmp_path / "provenance").read_text())["processing"][-1:]
    assert (record["method"]["task"], record["method"]["seed"]) == ("image contrast histogram", 3)


def test_a_missing_chunk_is_an_error_or_background(tmp_path: Path) -> None:
    path = make_layer(tmp_path, voxels((16, 8, 8), "uint8") | 1)
    (tmp_path / "4_4_40" / "8-16_0-8_0-8.gz").unlink()
    with pytest.raises(BadInput, match=r"4_4_40/8-16_0-8_0-8 of layer .* is missing; pass --fill-missing"):
        do(Histogram(path))
    do(Histogram(path, fill_missing=True, ignore_background=False))
    assert all(levels[0][0] == 64 and levels[0].sum() == 128 for levels in levels_of(path).values())


@pytest.mark.parametrize(
    ("dtype", "options", "words"),
    [
        ("uint8", {"bounds": Box((99, 0, 0), (100, 1, 1))}, "--bounds: .* lies outside of mip 0"),
        ("uint8", {"memory_limit": 1000}, "--memory: counting one layer of chunks"),
        ("uint8", {"type": "segmentation"}, "only images have a contrast"),
        ("float32", {}, "holds float32; contrast is made of uint8 and uint16 only"),
        ("uint32", {}, "holds uint32; contrast is made of uint8 and uint16 only"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    tmp_path: Path, dtype: str, options: dict[str, Any], words: str
) -> None:
    given = dict(options)
    path = make_layer(tmp_path, voxels((16, 16, 8), dtype), type=given.pop("type", "image"))
    before = files_of(path)
    with pytest.raises(BadUsage, match=words):
        Histogram(path, **given).prepare()
    assert files_of(path) == before


@pytest.mark.parametrize("wrong", [{"coverage": 0}, {"coverage": 1.1}, {"seed": -1}, {"seed": 1 << 32}, {"mip": -1}])
def test_values_that_no_option_takes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"layer": "l", **wrong}, Histogram)


@pytest.mark.parametrize(("dtype", "chunk"), [("uint8", (256, 256, 32)), ("uint16", (128, 128, 64))])
def test_a_piece_needs_no_more_memory_than_it_says(tmp_path: Path, dtype: str, chunk: Vec) -> None:
    block = voxels((128, 128, 64), dtype)
    path = make_layer(tmp_path, np.asfortranarray(np.tile(block, (8, 8, 1, 1))), chunk=chunk, compress=False)
    job = Histogram(path, coverage=1)
    job.prepare()
    promised = job.memory(job.pieces()[0])
    assert measure_memory(job).peak <= promised
    assert promised < 800_000_000


def test_real_slices_are_counted_as_numpy_counts_them(tmp_path: Path) -> None:
    array = fib25()
    path = make_layer(tmp_path, array, chunk=(64, 64, 64), encoding="png")
    do(Histogram(path, coverage=1))
    found = levels_of(path)
    assert all(np.array_equal(found[z][channel], count(slice_)) for (_, _, z, channel), slice_ in slices(array))
