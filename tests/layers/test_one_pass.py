"""How a pass is cut: pieces that share no chunk, whatever offsets, chunks and bounds are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from layers.make import Vec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers import one_pass
from teravox.pipeline.layers.chunk_grid import align_outward, chunk_key, chunks_of, is_aligned
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.info import Scale, encode_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale
from teravox.pipeline.layers.one_pass import Pass, Wish, plan_pass
from teravox.pipeline.layers.pyramid import NewMips
from teravox.pipeline.storage.open import open_store

small = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12))
offsets = st.tuples(*[st.integers(-50, 50)] * 3)
chunks = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
factors = st.sampled_from([(2, 2, 1), (2, 2, 2), (3, 3, 1), (1, 2, 3)])


def plan(layer: Layer, mips: int | None, factor: Vec, **wish: Any) -> Pass:
    new = NewMips(factor=factor, sharded=wish.pop("sharded", None))
    return plan_pass(layer, Wish(mip=0, new=new, method="average", **{"mips": mips, "memory": 1 << 40, **wish}))


def prepared(layer: Layer, mips: int) -> Layer:
    """The layer with the scales that a pass is to make."""
    return layer.write_info(plan(layer, mips, (2, 2, 1)).target.raw)


def empty_layer(folder: Path, size: Vec, chunk: Vec, offset: Vec) -> Layer:
    x, y, z = size
    scale = new_scale(
        bounds=Box((0, 0, 0), (x, y, z)).shift(offset),
        resolution=(4, 4, 40),
        chunk=chunk,
        encoding=encoding_words("raw"),
    )
    return create_layer(str(folder), new_info(type="image", data_type="uint8", channels=1, scales=[scale]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(small, chunks, offsets, factors, st.integers(1, 3), st.integers(1, 3), st.data())
def test_every_chunk_of_every_mip_is_in_one_piece(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    chunk: Vec,
    offset: Vec,
    factor: Vec,
    mips: int,
    times: int,
    data: st.DataObject,
) -> None:
    layer = empty_layer(tmp_path_factory.mktemp("layer"), size, chunk, offset)
    shape = tuple(c * f**mips * data.draw(st.integers(1, times)) for c, f in zip(chunk, factor, strict=True))
    try:
        cut = plan(layer, mips, factor, shape=shape)
    except BadUsage:  # it has shrunk to a point before
        reject()
    written: Counter[str] = Counter()
    for piece in cut.grid:
        for _, scale, box in cut.made.results(piece):
            assert is_aligned(scale, box)
            written.update(chunk_key(scale, each) for each in chunks_of(scale, box))
    expected = {chunk_key(scale, each) for scale in cut.made.above for each in chunks_of(scale, scale.bounds)}
    assert written == Counter(expected)
    assert sum(piece.voxels for piece in cut.grid) == layer.bounds(0).voxels


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(small, chunks, offsets, st.integers(1, 2))
def test_bounds_grow_to_whole_chunks_and_hold_what_was_asked_for(
    tmp_path_factory: pytest.TempPathFactory, size: Vec, chunk: Vec, offset: Vec, mips: int
) -> None:
    layer = empty_layer(tmp_path_factory.mktemp("layer"), size, chunk, offset)
    whole = layer.bounds(0)
    middle = tuple((a + b) // 2 for a, b in zip(whole.min, whole.max, strict=True))
    asked = Box((middle[0], middle[1], middle[2]), (middle[0] + 1, middle[1] + 3, middle[2] + 1))
    try:
        cut = plan(layer, mips, (2, 2, 1), bounds=asked)
    except BadUsage:  # it has shrunk to a point before
        reject()
    grown = cut.grid.bounds
    assert grown.intersect(asked) == asked.intersect(whole)
    assert grown.intersect(whole) == grown
    for piece in cut.grid:
        assert all(is_aligned(scale, box) for _, scale, box in cut.made.results(piece))


def test_bounds_outside_are_refused(tmp_path: Path) -> None:
    layer = empty_layer(tmp_path, (8, 8, 8), (4, 4, 4), (0, 0, 0))
    with pytest.raises(BadUsage, match="--bounds: 8,0,0:9,9,9 lies outside of mip 0"):
        plan(layer, 1, (2, 2, 1), bounds=Box((8, 0, 0), (9, 9, 9)))


@pytest.mark.parametrize(
    ("size", "factor", "mips"),
    [
        ((64, 64, 8), (2, 2, 1), 3),
        ((65, 8, 8), (2, 2, 1), 4),
        ((8, 8, 64), (2, 2, 1), 1),
        ((64, 8, 8), (1, 1, 2), 1),
        ((8, 8, 32), (1, 1, 2), 2),
        ((73, 8, 8), (3, 3, 1), 3),
    ],
)
def test_by_default_one_chunk_covers_the_last_mip(tmp_path: Path, size: Vec, factor: Vec, mips: int) -> None:
    layer = empty_layer(tmp_path, size, (8, 8, 8), (0, 0, 0))
    assert len(plan(layer, None, factor).made.above) == mips


def test_the_plan_is_the_same_before_and_after_the_mips_are_there(tmp_path: Path) -> None:
    layer = empty_layer(tmp_path, (70, 70, 9), (8, 8, 8), (3, 5, 7))
    before = plan(layer, None, (2, 2, 1))
    after = plan(prepared(layer, 4), None, (2, 2, 1))
    assert list(before.grid) == list(after.grid)
    assert before.made.above == after.made.above


def test_memory_decides_how_many_mips_one_pass_makes(tmp_path: Path) -> None:
    layer = empty_layer(tmp_path, (256, 256, 8), (8, 8, 8), (0, 0, 0))
    assert len(plan(layer, None, (2, 2, 1)).made.above) == 5
    enough = plan(layer, 2, (2, 2, 1), shape=(32, 32, 8)).need((32, 32, 8))
    cut = plan(layer, None, (2, 2, 1), memory=enough)
    assert (len(cut.made.above), cut.wanted, cut.block(cut.grid[0].size)) == (2, 5, (32, 32, 8))
    with pytest.raises(BadUsage, match=r"3 mips above mip 0 .* take fewer --num-mips, or more --memory"):
        plan(layer, 3, (2, 2, 1), memory=enough)
    enough = plan(layer, 1, (2, 2, 1), shape=(16, 16, 8)).need((16, 16, 8))
    with pytest.raises(BadUsage, match=r"1 mip above mip 0 .* take more --memory"):
        plan(layer, None, (2, 2, 1), memory=enough - 1)


def test_pieces_grow_until_they_are_worth_a_task_and_blocks_to_what_memory_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_pass, "PIECE", 128 * 128 * 64)
    layer = empty_layer(tmp_path, (256, 256, 64), (8, 8, 8), (0, 0, 0))
    enough = plan(layer, 1, (2, 2, 1), shape=(64, 64, 64)).need((64, 64, 64))
    cut = plan(layer, 1, (2, 2, 1), memory=enough)
    assert cut.grid.shape == (128, 128, 64)
    assert cut.block(cut.grid.shape) == (64, 64, 64)
    assert all(cut.need(piece.size) <= enough for piece in cut.grid)


sharded_sizes = st.tuples(st.integers(2, 5000), st.integers(2, 5000), st.integers(1, 2000))
sharded_chunks = st.tuples(*[st.sampled_from([16, 64, 96, 128])] * 3)


def plan_unseen(size: Vec, chunk: Vec, dtype: str, mips: int | None, factor: Vec, **wish: Any) -> Pass:
    """The pass with shards over a layer of which there is nothing but the info, in memory."""
    return plan(_unseen(size, chunk, dtype), mips, factor, sharded=True, **wish)


@settings(max_examples=150, deadline=None)
@given(
    sharded_sizes, sharded_chunks, st.sampled_from(["uint8", "uint64"]), st.sampled_from([1, 2, 3, None]), factors,
    st.sampled_from([300_000_000, 10**9, 3_500_000_000]),
)  # fmt: skip
def test_shards_are_chosen_so_that_pieces_hold_them_whole_and_memory_is_kept(
    size: Vec, chunk: Vec, dtype: str, mips: int | None, factor: Vec, memory: int
) -> None:
    try:
        cut = plan_unseen(size, chunk, dtype, mips, factor, memory=memory)
    except BadUsage as error:
        if "cannot shrink" not in str(error):
            with pytest.raises(BadUsage, match="--memory"):  # shards alone are never the reason
                plan(_unseen(size, chunk, dtype), mips, factor, memory=memory // 2)
        reject()
    assert all(scale.sharding is not None for scale in cut.made.above)
    assert cut.need(cut.grid[0].size) <= memory
    for piece in (cut.grid[0], cut.grid[-1], cut.grid[len(cut.grid) // 2]):
        assert cut.need(piece.size) <= memory
        for step, scale, box in cut.made.results(piece):
            assert is_aligned(scale, box, cut.target.unit(step))
    there = Layer(cut.target.store, encode_info(cut.target.raw))
    again = plan(there, mips, factor, sharded=True, memory=memory)
    assert (again.made.above, again.grid.bounds, again.grid.shape) == (cut.made.above, cut.grid.bounds, cut.grid.shape)
    auto = plan(there, mips, factor, memory=memory)
    assert auto.grid.shape == cut.grid.shape


def _unseen(size: Vec, chunk: Vec, dtype: str) -> Layer:
    scale = new_scale(bounds=Box((0, 0, 0), size), resolution=(4, 4, 40), chunk=chunk, encoding=encoding_words("raw"))
    raw = new_info(type="image", data_type=dtype, channels=1, scales=[scale])
    return Layer(open_store("mem://unseen"), encode_info(raw))


def test_large_volumes_get_large_shards_of_all_mips() -> None:
    cut = plan_unseen((100_000, 100_000, 10_000), (128, 128, 64), "uint8", None, (2, 2, 1), memory=3_500_000_000)
    units = [cut.made.bytes_of(cut.target.unit(mip)) for mip in (1, 2, 3)]
    assert len(cut.made.above) == 3
    assert min(units) >= 1 << 26
    assert cut.need(cut.grid[0].size) <= 3_500_000_000


def test_a_shape_decides_how_large_shards_become() -> None:
    cut = plan_unseen((4000, 3000, 1000), (64, 64, 64), "uint32", 3, (2, 2, 1), shape=(1024, 1024, 512))
    assert cut.grid.shape == (1024, 1024, 512)
    assert [cut.target.unit(mip) for mip in (1, 2, 3)] == [(512, 512, 512), (256, 256, 256), (128, 128, 128)]
    with pytest.raises(BadUsage, match=r"--shape: for 3 mips, pieces must be multiples of 512,512,64 voxels"):
        plan_unseen((4000, 3000, 1000), (64, 64, 64), "uint32", 3, (2, 2, 1), shape=(1024, 1024, 96))


def test_a_shape_that_would_share_chunks_is_refused(tmp_path: Path) -> None:
    layer = empty_layer(tmp_path, (256, 256, 8), (8, 8, 8), (0, 0, 0))
    with pytest.raises(BadUsage, match="--shape: for 2 mips, pieces must be multiples of 32,32,8 voxels, got 48,32,8"):
        plan(layer, 2, (2, 2, 1), shape=(48, 32, 8))
    assert len(plan(layer, None, (2, 2, 1), shape=(48, 48, 8)).made.above) == 1
    assert plan(layer, 2, (2, 2, 1), shape=(300, 300, 9)).grid.cells == (1, 1, 1)


def test_a_pyramid_of_another_factor_stays(tmp_path: Path) -> None:
    layer = prepared(empty_layer(tmp_path, (64, 64, 64), (8, 8, 8), (0, 0, 0)), 2)
    with pytest.raises(
        BadInput, match=r"mip 1 of layer .* has voxels of 8,8,40 nm, and --factor 2,2,2 would make them 8,8,80"
    ):
        plan(layer, 1, (2, 2, 2))
    assert len(layer.info.scales) == 3


def test_scales_that_are_there_keep_their_chunks_and_pieces_follow(tmp_path: Path) -> None:
    layer = prepared(empty_layer(tmp_path, (96, 96, 8), (8, 8, 8), (0, 0, 0)), 1)
    raw = layer.raw
    raw["scales"][1]["chunk_sizes"] = [[12, 8, 4]]
    layer = layer.write_info(raw)
    cut = plan(layer, 2, (2, 2, 1), shape=(96, 32, 8))
    assert [scale.chunk for scale in cut.made.above] == [(12, 8, 4), (8, 8, 8)]
    assert cut.grid.shape == (96, 32, 8)


@given(small, chunks, offsets)
def test_chunks_are_named_by_their_boxes(size: Vec, chunk: Vec, offset: Vec) -> None:
    scale = Scale(key="s", size=size, resolution=(1, 1, 1), chunk_sizes=(chunk,), encoding="raw", voxel_offset=offset)
    boxes = list(chunks_of(scale, scale.bounds))
    assert sum(box.voxels for box in boxes) == scale.bounds.voxels
    assert len({chunk_key(scale, box) for box in boxes}) == len(boxes)
    for box in boxes:
        assert is_aligned(scale, box)
        assert list(chunks_of(scale, box)) == [box]
        one = Box(box.min, (box.min[0] + 1, box.min[1] + 1, box.min[2] + 1))
        assert align_outward(scale, one).intersect(scale.bounds) == box


def test_a_mip_that_cannot_shrink_is_refused(tmp_path: Path) -> None:
    layer = empty_layer(tmp_path, (4, 2, 9), (4, 4, 4), (0, 0, 0))
    assert len(plan(layer, 2, (2, 2, 1)).made.above) == 2
    with pytest.raises(BadUsage, match=r"mip 2 of layer .* is of 1,1,9 voxels and cannot shrink further by 2,2,1"):
        plan(layer, 3, (2, 2, 1))
