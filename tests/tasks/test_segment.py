"""`segment` on small layers: the same whatever the order, only where it is asked for, and true to what steps return."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import cc3d
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import Vec, make_layer, read_layer
from real_volumes import real
from segmentation.own_steps import blurred, darkness, pieces
from segmentation.segmenting import assemble, blocks_of, grey, image, own, run

from teravox.pipeline.box import Box
from teravox.pipeline.known_file import KnownFile
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.segmentation import kept
from teravox.pipeline.segmentation.plan import make_plan
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.tasks.segment import Segment

STEPS: dict[str, Any] = {"predict": own("blurred", radius=1), "supervoxels": own("pieces"), "agglomerate": ()}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 18), st.integers(1, 12)),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    chunk=st.tuples(*[st.integers(2, 5)] * 3),
    times=st.tuples(*[st.integers(1, 3)] * 3),
    halo=st.tuples(*[st.integers(0, 5)] * 3),
    keep=st.sampled_from(["nothing", "predictions", "supervoxels"]),
    seed=st.integers(0, 9),
)
def test_any_grid_halo_order_and_repetition_gives_what_the_steps_give_on_each_block(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    times: Vec,
    halo: Vec,
    keep: Any,
    seed: int,
) -> None:
    folder = tmp_path_factory.mktemp("segment")
    source = image(folder / "em", size, seed=seed, offset=offset, chunk=chunk)
    shape = (chunk[0] * times[0], chunk[1] * times[1], chunk[2] * times[2])
    one, two = (
        Segment(source=source, dest=str(folder / name), shape=shape, halo=halo, keep=keep, **STEPS) for name in "ab"
    )
    run(one)
    run(two, order=random.Random(seed), repeat=True)
    assert blocks_of(one.dest) == blocks_of(two.dest)
    segmented = Segmented.open(one.dest)
    bounds = Box(offset, tuple(a + n for a, n in zip(offset, size, strict=True)))  # type: ignore[arg-type]  # three of them
    whole = blurred(grey(size, seed)[..., 0].T, None, radius=1)
    for index in segmented.blocks.used:
        read = segmented.read_box(index)
        x, y, z = within(read, bounds)
        labels = pieces(whole[z, y, x], None).T
        np.testing.assert_array_equal(segmented.core(index), labels[within(segmented.grid[index], read)])
        for (axis, side), box in segmented.blocks.faces(index).items():
            np.testing.assert_array_equal(segmented.face(index, axis, side), labels[within(box, read)])


def test_bodies_are_a_subset_of_supervoxels_numbered_without_gaps(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (20, 20, 12))
    steps = STEPS | {"agglomerate": (own("by_two"), own("by_two"))}
    job = Segment(source=source, dest=str(tmp_path / "seg"), shape=(12, 12, 12), halo=(2, 2, 2), **steps)
    run(job)
    segmented = Segmented.open(job.dest)
    for index in segmented.blocks.used:
        sizes = segmented.sizes(index).read
        assert len(sizes) and (sizes > 0).all()


def test_steps_are_told_where_they_are(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (13, 9, 7), offset=(5, -3, 11))
    job = Segment(
        source=source,
        dest=str(tmp_path / "p"),
        shape=(8, 8, 4),
        halo=(2, 3, 1),
        predict=own("where"),
        output="probabilities",
        data_type="float32",
    )
    run(job)
    x, y, z = np.meshgrid(np.arange(5, 18), np.arange(-3, 6), np.arange(11, 18), indexing="ij")
    expected = ((x + 2 * y + 3 * z) % 97 / 97).astype(np.float32)
    np.testing.assert_array_equal(read_layer(job.dest, 0)[..., 0], expected)


@pytest.mark.parametrize("form", ["boxes", "runs", "layer"])
def test_nothing_is_segmented_outside_the_region(tmp_path: Path, form: str) -> None:
    size = (70, 40, 34)
    source = image(tmp_path / "em", size, chunk=(16, 16, 16), resolution=(8, 8, 8))
    inside = np.zeros(size, np.bool_)
    roi: KnownFile | str
    if form == "boxes":
        (tmp_path / "roi.txt").write_text("# two of them\n10,0,0:30,20,10\n25,15,5:33,40,34\n")
        inside[10:30, :20, :10] = inside[25:33, 15:40, 5:34] = True
        roi = KnownFile.at(str(tmp_path / "roi.txt"))
    elif form == "runs":
        (tmp_path / "roi.json").write_text("[[0, 0, 0, 0], [0, 1, 1, 1], [1, 0, 2, 5]]")
        inside[:32, :32, :32] = inside[32:64, 32:, :32] = inside[64:, :32, 32:] = True
        roi = KnownFile.at(str(tmp_path / "roi.json"))
    else:
        coarse = np.random.default_rng(3).random((18, 10, 17)) < 0.02
        inside = np.kron(coarse, np.ones((4, 4, 2), np.bool_))[:70, :40, :34]
        mask = np.asfortranarray(coarse[..., None].astype(np.uint8))
        roi = make_layer(tmp_path / "mask", mask, type="segmentation", resolution=(32, 32, 16))
    steps = STEPS | {"supervoxels": own("pieces", threshold=2.0)}
    job = Segment(source=source, dest=str(tmp_path / "seg"), shape=(16, 16, 16), halo=(4, 4, 4), roi=roi, **steps)
    run(job)
    np.testing.assert_array_equal(assemble(job.dest) > 0, inside)
    segmented = Segmented.open(job.dest)
    used = [index for index, box in enumerate(segmented.grid) if inside[within(box, segmented.grid.bounds)].any()]
    assert list(segmented.blocks.used) == used
    assert len(job.pieces()) == len(used)
    assert 0 < len(used) < len(segmented.grid)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 99), halo=st.tuples(*[st.integers(0, 4)] * 3), offset=st.tuples(*[st.integers(-3, 3)] * 3))
def test_preserved_bodies_keep_their_voxels_and_ids(
    tmp_path_factory: pytest.TempPathFactory, seed: int, halo: Vec, offset: Vec
) -> None:
    folder = tmp_path_factory.mktemp("preserve")
    size = (16, 15, 9)
    source = image(folder / "em", size, seed=seed)
    draw = np.random.default_rng(seed)
    theirs = np.asfortranarray(draw.choice([0, 7, 8, 1 << 40], (*size, 1)).astype(np.uint64))
    layer = make_layer(folder / "old", theirs, type="segmentation", offset=offset, chunk=(6, 6, 6))
    (folder / "ids.txt").write_text(f"7, {1 << 40}\n")
    job = Segment(
        source=source,
        dest=str(folder / "seg"),
        shape=(8, 8, 8),
        halo=halo,
        preserve=layer,
        preserve_ids=KnownFile.at(str(folder / "ids.txt")),
        **STEPS | {"supervoxels": own("pieces", threshold=2.0), "agglomerate": (own("by_two"),)},
    )
    run(job)
    found = assemble(job.dest)
    expected = np.zeros(size, np.uint64)
    ours = Box((0, 0, 0), size)
    place = ours.shift(offset)
    both = ours.intersect(place)
    expected[within(both, ours)] = theirs[within(both, place)][..., 0]
    kept_ids = np.array([7, 1 << 40], np.uint64)
    is_kept = np.isin(expected, kept_ids)
    np.testing.assert_array_equal(found[is_kept], expected[is_kept])
    assert not np.isin(found[~is_kept], kept_ids).any()
    assert (found[~is_kept] > 1 << 40).all()  # flooded around them, by ids above all of theirs


def test_the_watershed_stops_at_bodies_that_are_preserved(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (9, 6, 5))
    wall = np.zeros((9, 6, 5, 1), np.uint8)
    wall[4] = 7
    layer = make_layer(tmp_path / "old", wall, type="segmentation")
    (tmp_path / "ids").write_text("7")
    job = Segment(
        source=source,
        dest=str(tmp_path / "seg"),
        preserve=layer,
        preserve_ids=KnownFile.at(str(tmp_path / "ids")),
        **STEPS | {"supervoxels": own("pieces", threshold=2.0)},
    )
    run(job)
    found = assemble(job.dest)
    assert [len(np.unique(part)) for part in (found[:4], found[4], found[5:])] == [1, 1, 1]
    assert len(np.unique(found)) == 3
    assert (found[4] == 7).all()


def test_a_later_step_begins_where_the_earlier_ones_were_kept(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (20, 14, 9))
    usual: dict[str, Any] = {"source": source, "shape": (8, 8, 8), "halo": (2, 2, 2), **STEPS}
    usual["agglomerate"] = (own("by_two"),)
    fresh = Segment(**usual, dest=str(tmp_path / "fresh"))
    assert "begins with the image" in " ".join(fresh.choices())
    run(fresh)
    first = Segment(**usual | {"agglomerate": ()}, dest=str(tmp_path / "seg"), keep="supervoxels")
    assert not first.choices()
    run(first)
    second = Segment(**usual, dest=first.dest)
    assert "The supervoxels of 12 blocks are kept" in " ".join(second.choices())
    for file in (tmp_path / "em/4_4_40").iterdir():
        file.unlink()
    run(second)
    id = Segmented.open(second.dest).id
    assert blocks_of(f"{second.dest}/blocks/{id}") == blocks_of(f"{fresh.dest}/blocks/{id}")


def test_kept_predictions_are_exact(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (11, 7, 5))
    job = Segment(
        source=source,
        dest=str(tmp_path / "seg"),
        keep="predictions",
        **STEPS | {"predict": own("two_classes")},
    )
    plan = make_plan(job)
    prediction = np.random.default_rng(0).random((5, 7, 11, 2), np.float32)
    kept.keep_prediction(plan, 0, prediction)
    np.testing.assert_array_equal(kept.read_prediction(plan, 0), prediction)
    assert kept.count_kept(plan, kept.PREDICTIONS) == 1


def test_other_options_are_other_labels_with_a_folder_of_their_own(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (8, 8, 8))
    job = Segment(source=source, dest=str(tmp_path / "seg"), **STEPS)
    others: list[dict[str, Any]] = [
        {"halo": (1, 1, 1)},
        {"shape": (4, 8, 8)},
        {"bounds": Box((0, 0, 0), (8, 8, 4))},
        {"fill_missing": True},
        {"supervoxels": own("pieces", threshold=0.4)},
        {"agglomerate": (own("by_two"),)},
    ]
    ids = {make_plan(msgspec.structs.replace(job, **other)).id for other in [{}, *others]}
    assert len(ids) == 1 + len(others)
    same: list[dict[str, Any]] = [
        {"keep": "predictions"},
        {"supervoxels": own("pieces", threshold=0.5)},
        {"plugin_timeout": 5.0},
    ]
    assert {make_plan(msgspec.structs.replace(job, **other)).id for other in [{}, *same]} < ids | {make_plan(job).id}


@pytest.mark.parametrize("channels", [1, 3])
def test_predictions_of_another_program_are_read_from_a_layer(tmp_path: Path, channels: int) -> None:
    values = np.random.default_rng(0).integers(0, 256, (12, 9, 7, channels), dtype=np.uint8)
    layer = make_layer(tmp_path / "p", np.asfortranarray(values), chunk=(4, 4, 4), offset=(3, 0, 1))
    from teravox.pipeline.segmentation.steps import Step

    chosen = (channels - 1,)
    job = Segment(
        source=layer,
        dest=str(tmp_path / "seg"),
        shape=(8, 4, 4),
        predict=Step("layer", {"channels": list(chosen)}),
        output="probabilities",
        data_type="float32",
    )
    run(job)
    np.testing.assert_array_equal(read_layer(job.dest, 0)[..., 0], values[..., -1] / np.float32(255))


def test_classes_are_the_likeliest_and_0_outside_the_region(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (14, 10, 9), offset=(2, 2, 2))
    (tmp_path / "roi.txt").write_text("2,2,2:9,12,11")
    job = Segment(
        source=source,
        dest=str(tmp_path / "classes"),
        shape=(8, 8, 8),
        predict=own("two_classes"),
        output="classes",
        roi=KnownFile.at(str(tmp_path / "roi.txt")),
        chunk_size=(8, 8, 8),
    )
    run(job, order=random.Random(0), repeat=True)
    from cloudvolume import CloudVolume

    found = np.asarray(CloudVolume(f"file://{job.dest}", fill_missing=True)[:, :, :])[..., 0]
    bright = grey((14, 10, 9))[..., 0] / np.float32(255)
    expected = np.where(bright >= 1 - bright, 1, 2)
    expected[7:] = 0
    np.testing.assert_array_equal(found, expected)


def test_probabilities_of_8_bits_are_255_times_as_much(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (14, 10, 9))
    job = Segment(source=source, dest=str(tmp_path / "p"), predict=own("two_classes"), output="probabilities")
    run(job)
    values = grey((14, 10, 9))
    np.testing.assert_array_equal(read_layer(job.dest, 0), np.concatenate([values, 255 - values], axis=3))


def test_several_channels_are_given_as_the_last_axis(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, (9, 8, 7, 3), dtype=np.uint8)
    layer = make_layer(tmp_path / "em", np.asfortranarray(values))
    job = Segment(source=layer, dest=str(tmp_path / "seg"), **STEPS)
    plan = make_plan(job)
    given = plan.input.read(Box((1, 2, 3), (9, 8, 7)))
    np.testing.assert_array_equal(given, values[1:, 2:, 3:].transpose(2, 1, 0, 3))
    assert given.flags.c_contiguous and not given.flags.writeable


def test_missing_chunks_are_background_where_asked_for(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (16, 8, 8), chunk=(8, 8, 8))
    next((tmp_path / "em").rglob("8-16_*")).unlink()
    job = Segment(source=source, dest=str(tmp_path / "p"), predict=own("darkness"), output="probabilities")
    with pytest.raises(Exception, match="--fill-missing"):
        run(job)
    run(msgspec.structs.replace(job, fill_missing=True))
    values = grey((16, 8, 8))
    values[8:] = 0
    expected = np.rint(darkness(values[..., 0], None) * 255)
    np.testing.assert_array_equal(read_layer(job.dest, 0), expected)


def test_a_coarser_mip_within_bounds_is_segmented_by_itself(tmp_path: Path) -> None:
    from cloudvolume import CloudVolume

    source = image(tmp_path / "em", (16, 16, 8), chunk=(4, 4, 4))
    volume = CloudVolume(f"file://{source}")
    volume.add_scale((2, 2, 1))
    volume.commit_info()
    coarse = grey((8, 8, 8), seed=5)
    CloudVolume(f"file://{source}", mip=1)[:, :, :] = coarse
    bounds = Box((1, 2, 0), (7, 8, 8))
    job = Segment(source=source, dest=str(tmp_path / "seg"), mip=1, bounds=bounds, shape=(4, 4, 4), **STEPS)
    run(job)
    whole = blurred(coarse[..., 0].T, None, radius=1).transpose(2, 1, 0, 3)[1:7, 2:8]
    found = assemble(job.dest)
    assert found.shape == (6, 6, 8)
    np.testing.assert_array_equal(found > 0, whole[..., 0] < 0.5)
    assert Segmented.open(job.dest).resolution == (8.0, 8.0, 40.0)


def test_cores_together_are_connected_components_of_blocks(tmp_path: Path) -> None:
    source = image(tmp_path / "em", (20, 14, 9))
    job = Segment(source=source, dest=str(tmp_path / "seg"), shape=(20, 16, 12), **STEPS)
    run(job)
    whole = blurred(grey((20, 14, 9))[..., 0].T, None, radius=1)[..., 0].T < 0.5
    expected = cc3d.connected_components(whole.astype(np.uint8), connectivity=6)
    found = assemble(job.dest)
    pairs = np.unique(np.stack([expected.ravel(), found.ravel()]), axis=1)
    assert len(pairs[0]) == len(np.unique(expected)) == len(np.unique(found))


@pytest.mark.parametrize("name", ["256roi", "roi-256-without-corners"])
def test_regions_of_dvid_are_blocks_of_32_voxels(tmp_path: Path, name: str) -> None:
    file = real(f"dvidsparkservices/{name}.json")
    runs = json.loads(file.read_text())
    source = image(tmp_path / "em", (64, 64, 64), chunk=(32, 32, 32), resolution=(32, 32, 32))
    raw = Layer.open(source).raw
    raw["scales"] = [
        raw["scales"][0] | {"key": "8_8_8", "resolution": [8, 8, 8], "size": [256, 256, 256]},
        *raw["scales"],
    ]
    Layer.open(source).write_info(raw)
    roi = KnownFile.at(str(file))
    job = Segment(source=source, dest=str(tmp_path / "seg"), mip=1, shape=(32, 32, 32), roi=roi, **STEPS)
    expected = np.zeros((8, 8, 8), np.bool_)
    for z, y, first, last in runs:
        expected[first : last + 1, y, z] = True
    plan = make_plan(job)
    mask = plan.region().mask(plan.bounds)
    found = np.ones(plan.bounds.size, np.bool_) if mask is None else mask
    np.testing.assert_array_equal(found, np.kron(expected, np.ones((8, 8, 8), np.bool_)))
    assert found.sum() * 4**3 == 32**3 * sum(last - first + 1 for _, _, first, last in runs)
