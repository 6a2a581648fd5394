"""`image contrast clahe` on real layers, against the whole slice at once and against OpenCV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from contrast.jobs import fib25, grey, slices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, make_layer, read_layer

from teravox.kernels.clahe import Axis, equalize_slice
from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.registry import Registry
from teravox.tasks.image.contrast.clahe import Clahe


def at_once(array: Array, tile: tuple[int, int], clip_limit: float, *, keep_background: bool) -> Array:
    """Every slice equalized whole."""
    result = np.empty_like(array)
    x, y = (Axis(0, n, t, n) for n, t in zip(array.shape[:2], tile, strict=True))
    for at, slice_ in slices(array):
        equalize_slice(slice_, x, y, clip_limit, result[at], keep_background=keep_background)
    return result


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(2, 40), st.integers(1, 40), st.integers(1, 8)),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    chunk=st.tuples(st.integers(3, 9), st.integers(3, 9), st.integers(2, 5)),
    new_chunk=st.one_of(st.none(), st.tuples(*[st.integers(2, 9)] * 3)),
    times=st.one_of(st.none(), st.tuples(*[st.integers(1, 3)] * 3)),
    tile=st.tuples(st.integers(1, 25), st.integers(1, 25)),
    clip_limit=st.sampled_from([1.0, 2.0, 40.0]),
    channels=st.integers(1, 2),
    keep_background=st.booleans(),
    sharded=st.booleans(),
    random=st.randoms(use_true_random=True),
)
def test_pieces_make_what_equalizing_whole_slices_makes(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    new_chunk: Vec | None,
    times: Vec | None,
    tile: tuple[int, int],
    clip_limit: float,
    channels: int,
    keep_background: bool,
    sharded: bool,
    random: Any,
) -> None:
    folder = tmp_path_factory.mktemp("layers")
    array = grey(size, "uint8", channels=channels)
    path = make_layer(folder / "em", array, chunk=chunk, offset=offset, compress=False)
    shape = None
    if times is not None and not sharded:
        x, y, z = (c * n for c, n in zip(new_chunk or chunk, times, strict=True))
        shape = (x, y, z)
    job = Clahe(
        path,
        str(folder / "even"),
        tile_size=tile,
        clip_limit=clip_limit,
        keep_background=keep_background,
        chunk_size=new_chunk,
        shape=shape,
        sharded=sharded,
    )

    do(job, lambda pieces: random.sample(pieces * 2, 2 * len(pieces)))

    expected = at_once(array, tile, clip_limit, keep_background=keep_background)
    assert np.array_equal(read_layer(job.dest, 0), expected)


@pytest.mark.parametrize("shape", [(16, 16, 8), (24, 8, 8), (48, 48, 16)])
def test_16_bits_are_equalized_alike_for_any_shape(tmp_path: Path, shape: Vec) -> None:
    array = grey((50, 44, 9), "uint16")
    path = make_layer(tmp_path / "em", array, offset=(5, -3, 2))
    do(Clahe(path, str(tmp_path / "even"), tile_size=(20, 17), shape=shape))
    expected = at_once(array, (20, 17), 2.0, keep_background=True)
    assert np.array_equal(read_layer(str(tmp_path / "even"), 0), expected)


def test_little_memory_makes_parts_that_nobody_sees(tmp_path: Path) -> None:
    array = grey((120, 100, 8), "uint8")
    path = make_layer(tmp_path / "em", array)
    options: dict[str, Any] = {"tile_size": (16, 16), "sharded": True, "shape": None}
    parts = []
    for name, memory in (("few", 3_500_000_000), ("many", LIBRARIES + 500_000)):
        job = Clahe(path, str(tmp_path / name), memory_limit=memory, **options)
        do(job)
        parts.append([len(job.plan().parts(piece)) for piece in job.pieces()])
        assert max(map(job.memory, job.pieces())) <= memory
        assert np.array_equal(read_layer(job.dest, 0), at_once(array, (16, 16), 2.0, keep_background=True))
    assert sum(parts[0]) < sum(parts[1])


def test_a_part_of_the_volume_is_equalized_as_in_the_whole(tmp_path: Path) -> None:
    array = grey((64, 64, 8), "uint8")
    path = make_layer(tmp_path / "em", array)
    do(Clahe(path, str(tmp_path / "even"), tile_size=(20, 20), bounds=Box((17, 30, 0), (18, 50, 1))))
    from teravox.pipeline.layers.layer import Layer

    part = Layer.open(str(tmp_path / "even")).read(Box((16, 24, 0), (24, 56, 8)), 0)
    assert np.array_equal(part, at_once(array, (20, 20), 2.0, keep_background=True)[16:24, 24:56])


def test_json_has_the_names_of_the_options() -> None:
    assert Registry().find("image contrast clahe") is Clahe
    for wrong in ({"tile_size": [0, 8]}, {"tile_size": [8, 8, 8]}, {"clip_limit": 0}, {"mip": -1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"source": "a", "dest": "b", **wrong}, Clahe)


def test_real_slices_become_what_opencv_makes_of_them(tmp_path: Path) -> None:
    array = fib25()
    path = make_layer(tmp_path / "em", array, chunk=(64, 64, 64))
    tile = (-(-250 // 4), -(-250 // 4))

    do(Clahe(path, str(tmp_path / "even"), tile_size=tile, shape=(64, 128, 64)))

    result = read_layer(str(tmp_path / "even"), 0)
    theirs = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4))
    for at, slice_ in slices(array):
        difference = np.abs(result[at].astype(int) - theirs.apply(slice_).astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.001
    assert result.std() > 1.5 * array.std()
