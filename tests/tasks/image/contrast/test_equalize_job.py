"""`image contrast equalize` on real layers, against NumPy on the whole."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from contrast.jobs import fib25, grey, slices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.copies import do
from layers.make import Array, Vec, chunks, files_of, make_layer, read_layer, voxels

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.registry import Registry
from teravox.tasks.image.contrast.equalize import Equalize
from teravox.tasks.image.contrast.histogram import Histogram


def limits_of(slice_: Array, clip: tuple[float, float], *, ignore_background: bool) -> tuple[float, float] | None:
    """The darkest and the brightest voxel that are left, by putting all of them in order."""
    order = np.sort(slice_[slice_ > 0] if ignore_background else slice_.ravel())
    left = order[int(len(order) * clip[0]) : len(order) - int(len(order) * clip[1])]
    return (float(left[0]), float(left[-1])) if len(left) and left[0] < left[-1] else None


def stretch(
    array: Array,
    clip: tuple[float, float],
    to: tuple[int, int],
    dtype: str,
    *,
    smooth: int = 0,
    keep_background: bool = True,
    ignore_background: bool = True,
) -> Array:
    """What equalize should make of the whole, from all of its voxels."""
    result = np.empty(array.shape, dtype)
    ignore_background = ignore_background or keep_background
    limits = {at[2:]: limits_of(slice_, clip, ignore_background=ignore_background) for at, slice_ in slices(array)}
    for at, slice_ in slices(array):
        _, _, z, channel = at
        near = [limits.get((z + step, channel)) for step in range(-smooth, smooth + 1)]
        found = [one for one in near if one is not None]
        if found:
            new = np.interp(slice_, np.mean(found, axis=0), to)
        else:
            new = slice_ * (np.iinfo(dtype).max / np.iinfo(array.dtype).max)
        result[at] = np.where((slice_ == 0) & keep_background, 0, np.rint(new))
    return result


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(2, 30), st.integers(1, 30), st.integers(1, 14)),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    chunk=st.tuples(*[st.integers(3, 9)] * 3),
    new_chunk=st.one_of(st.none(), st.tuples(*[st.integers(2, 9)] * 3)),
    times=st.one_of(st.none(), st.tuples(*[st.integers(1, 3)] * 3)),
    dtypes=st.sampled_from([("uint8", "uint8"), ("uint16", "uint16"), ("uint16", "uint8"), ("uint8", "uint16")]),
    channels=st.integers(1, 2),
    clip=st.sampled_from([(0.0, 0.0), (0.01, 0.01), (0.25, 0.1)]),
    to=st.sampled_from([None, (10, 200)]),
    smooth=st.integers(0, 3),
    keep_background=st.booleans(),
    ignore_background=st.booleans(),
    sharded=st.booleans(),
    random=st.randoms(use_true_random=True),
)
def test_pieces_make_what_stretching_the_whole_makes(
    tmp_path_factory: pytest.TempPathFactory,
    size: Vec,
    offset: Vec,
    chunk: Vec,
    new_chunk: Vec | None,
    times: Vec | None,
    dtypes: tuple[str, Any],
    channels: int,
    clip: tuple[float, float],
    to: tuple[int, int] | None,
    smooth: int,
    keep_background: bool,
    ignore_background: bool,
    sharded: bool,
    random: Any,
) -> None:
    folder = tmp_path_factory.mktemp("layers")
    array = grey(size, dtypes[0], channels=channels)
    path = make_layer(folder / "em", array, chunk=chunk, offset=offset, compress=False)
    do(Histogram(path, coverage=1, ignore_background=ignore_background))
    shape = None
    if times is not None and not sharded:
        x, y, z = (c * n for c, n in zip(new_chunk or chunk, times, strict=True))
        shape = (x, y, z)
    job = Equalize(
        path,
        str(folder / "even"),
        clip_low=clip[0],
        clip_high=clip[1],
        min_value=to[0] if to else 0,
        max_value=to[1] if to else None,
        smooth=smooth,
        data_type="auto" if dtypes[0] == dtypes[1] else dtypes[1],
        keep_background=keep_background,
        chunk_size=new_chunk,
        shape=shape,
        sharded=sharded,
    )

    do(job, lambda pieces: random.sample(pieces * 2, 2 * len(pieces)))

    expected = stretch(
        array, clip, to or (0, np.iinfo(dtypes[1]).max), dtypes[1], smooth=smooth,
        keep_background=keep_background, ignore_background=ignore_background,
    )  # fmt: skip
    result = read_layer(job.dest, 0)
    difference = np.abs(result.astype(int) - expected.astype(int))
    assert result.dtype == expected.dtype
    assert difference.max() <= 1  # where halves are computed in another order
    assert (difference > 0).mean() < 0.01
    scale = json.loads((folder / "even" / "info").read_text())["scales"][0]
    assert (scale["voxel_offset"], scale["size"]) == (list(offset), list(size))


def test_what_is_clipped_and_where_it_goes(tmp_path: Path) -> None:
    array = np.arange(100, 200, dtype=np.uint8).reshape(10, 10, 1, 1, order="F")
    path = make_layer(tmp_path / "em", array, chunk=(10, 10, 1))
    do(Histogram(path, coverage=1))

    do(Equalize(path, str(tmp_path / "even"), clip_low=0.1, clip_high=0.2, min_value=5, max_value=143))

    result = read_layer(str(tmp_path / "even"), 0).ravel(order="F")
    assert (result[:11] == 5).all()  # 10 of 100 voxels and the first that is left
    assert (result[79:] == 143).all()
    assert result[10:80].tolist() == list(range(5, 145, 2))[:70]


def test_slices_of_one_value_or_none_stay_as_they_are(tmp_path: Path) -> None:
    array = np.zeros((8, 8, 3, 1), np.uint8, order="F")
    array[:, :, 1] = 77
    array[:4, :, 2] = 78
    array[4:, :, 2] = 79
    path = make_layer(tmp_path / "em", array)
    do(Histogram(path, coverage=1))
    do(Equalize(path, str(tmp_path / "even")))
    result = read_layer(str(tmp_path / "even"), 0)
    assert (result[:, :, 0] == 0).all()
    assert (result[:, :, 1] == 77).all()
    assert np.unique(result[:, :, 2]).tolist() == [0, 255]


def test_missing_levels_are_named_with_the_remedy_before_anything_is_written(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "em", voxels((8, 8, 40), "uint8"), offset=(0, 0, -8))
    job = Equalize(path, str(tmp_path / "even"))
    with pytest.raises(
        BadInput,
        match=rf"levels of slices -8 to 31 of mip 0 are missing in file://{path}/levels. "
        rf"Make them with: teravox image contrast histogram file://{path} --mip 0$",
    ):
        job.prepare()
    do(Histogram(path))
    (tmp_path / "em/levels/0/0-8.json.gz").unlink()
    (tmp_path / "em/levels/0/24-32.json.gz").unlink()
    with pytest.raises(BadInput, match="levels of slices 0 to 7, 24 to 31 of mip 0"):
        job.prepare()
    elsewhere = str(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match=rf"--mip 0 --levels file://{elsewhere}$"):
        Equalize(path, str(tmp_path / "even"), levels=elsewhere).prepare()
    assert not (tmp_path / "even").exists()


def test_a_part_of_the_volume_needs_levels_of_its_slices_only(tmp_path: Path) -> None:
    array = voxels((16, 16, 24), "uint8")
    path = make_layer(tmp_path / "em", array)
    part = Box((9, 0, 9), (10, 1, 10))
    do(Histogram(path, coverage=1, bounds=Box((0, 0, 9), (16, 16, 10))))
    job = Equalize(path, str(tmp_path / "even"), bounds=part, smooth=20)
    do(job)
    assert set(chunks(job.dest)) == {"4_4_40/8-16_0-8_8-16.gz"}


def test_levels_that_lie_elsewhere_are_used(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "em", voxels((16, 16, 8), "uint8"))
    do(Histogram(path, levels=str(tmp_path / "elsewhere")))
    before = files_of(path)
    do(Equalize(path, str(tmp_path / "even"), levels=str(tmp_path / "elsewhere")))
    assert files_of(path) == before
    assert read_layer(str(tmp_path / "even"), 0).max() == 255


def test_levels_that_igneous_wrote_are_read(tmp_path: Path) -> None:
    array = voxels((16, 16, 8), "uint8") // 2
    ours, theirs = (make_layer(tmp_path / name, array) for name in ("ours", "theirs"))
    do(Histogram(ours, coverage=1))
    folder = tmp_path / "theirs/levels/0"
    folder.mkdir(parents=True)
    for z in range(8):
        levels = np.bincount(array[:, :, z].ravel(), minlength=256).tolist()
        text = {"levels": levels, "patch_size": [16, 16, 1], "num_patches": 1, "coverage_ratio": 1.0}
        (folder / str(z)).write_text(json.dumps(text))

    for path in (ours, theirs):
        do(Equalize(path, f"{path}-even"))

    assert np.array_equal(read_layer(f"{ours}-even", 0), read_layer(f"{theirs}-even", 0))
    (folder / "3").write_text(json.dumps({"levels": [1, 2, 3]}))
    with pytest.raises(BadInput, match=r"levels/0/3 cannot be read: it counts 3 values, and uint8 has 256"):
        do(Equalize(theirs, f"{theirs}-even"))


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_cut, "Input data was truncated"),
        (lambda _: b"", "Input data was truncated"),
        (lambda data: data.replace(b"levels 1", b"levels 2"), "it is of the form 'teravox levels 2' for uint8"),
        (lambda data: data.replace(b'"uint8"', b'"uint16"'), "for uint16, and not 'teravox levels 1' for uint8"),
        (lambda data: data.replace(b'"z":3', b'"z":2'), "it lacks slice 3"),
        (lambda data: re.sub(rb'"first":[0-9]+', b'"first":200', data), "it counts values above 255"),
        (lambda data: data.replace(b'"counts":[', b'"counts":[-1,'), "Expected `int` >= 0"),
        (lambda data: data.replace(b'"channels":[', b'"channels":[{"first":0,"counts":[]},'), "it is of 2 channels"),
    ],
)
def test_damaged_levels_are_named(tmp_path: Path, damage: Any, words: str) -> None:
    path = make_layer(tmp_path / "em", voxels((16, 16, 8), "uint8"))
    do(Histogram(path))
    file = tmp_path / "em/levels/0/0-8.json.gz"
    file.with_suffix("").write_bytes(damage(gzip.decompress(file.read_bytes())))
    file.unlink()
    with pytest.raises(BadInput, match=rf"{path}/levels/0/0-8\.json cannot be read: .*{words}.* make it again with: "):
        do(Equalize(path, str(tmp_path / "even")))


def test_two_levels_of_one_slice_are_refused(tmp_path: Path) -> None:
    path = make_layer(tmp_path / "em", voxels((16, 16, 16), "uint8"))
    do(Histogram(path))
    (tmp_path / "em/levels/0/4-12.json.gz").write_bytes((tmp_path / "em/levels/0/0-8.json.gz").read_bytes())
    with pytest.raises(BadInput, match=r"two files with levels of slice \d+: .*Remove the one that is out of date"):
        Equalize(path, str(tmp_path / "even")).prepare()


@pytest.mark.parametrize(
    ("dtype", "options", "words"),
    [
        ("uint8", {"clip_low": 0.5, "clip_high": 0.5}, "together they must leave something, got 0.5 and 0.5"),
        ("uint8", {"min_value": 9, "max_value": 9}, "the first must be the smaller one, got 9 and 9"),
        ("uint8", {"max_value": 256}, "uint8 holds 0 to 255"),
        ("uint8", {"min_value": 255}, "got 255 and 255"),
        ("uint16", {"max_value": 65536}, "uint16 holds 0 to 65,535"),
        ("uint16", {"max_value": 256, "data_type": "uint8"}, "uint8 holds 0 to 255"),
        ("uint16", {"encoding": "jpeg"}, "jpeg encodes uint8, and this layer holds uint16"),
    ],
)
def test_limits_that_make_no_sense_are_refused_before_anything_is_written(
    tmp_path: Path, dtype: str, options: dict[str, Any], words: str
) -> None:
    path = make_layer(tmp_path / "em", voxels((8, 8, 8), dtype))
    do(Histogram(path))
    with pytest.raises(BadUsage, match=words):
        Equalize(path, str(tmp_path / "even"), **options).prepare()
    assert not (tmp_path / "even").exists()


@pytest.mark.parametrize(
    "wrong", [{"clip_low": -0.1}, {"clip_high": 1}, {"min_value": "5"}, {"smooth": -1}, {"mip": -1}]
)
def test_values_that_no_option_takes_are_refused(wrong: dict[str, Any]) -> None:
    assert Registry().find("image contrast equalize") is Equalize
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"source": "a", "dest": "b", **wrong}, Equalize)


def test_16_bits_become_a_jpeg_of_8(tmp_path: Path) -> None:
    array = np.asfortranarray(np.linspace(1000, 3000, 64 * 64 * 8).reshape(64, 64, 8, 1, order="F").astype(np.uint16))
    path = make_layer(tmp_path / "em", array, chunk=(32, 32, 8))
    do(Histogram(path, coverage=1))
    do(Equalize(path, str(tmp_path / "even"), data_type="uint8", encoding="jpeg", encoding_level=95))
    scale = json.loads((tmp_path / "even/info").read_text())["scales"][0]
    assert (scale["encoding"], scale["jpeg_quality"]) == ("jpeg", 95)
    result = read_layer(str(tmp_path / "even"), 0)
    assert np.abs(result.astype(float) - stretch(array, (0.01, 0.01), (0, 255), "uint8")).mean() < 3


def test_slices_do_not_flicker(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    level = 100 + random.normal(0, 3, 30)
    array = np.asfortranarray(random.normal(level[:, None], 10, (40, 40, 30, 1)).clip(1, 255).astype(np.uint8))
    path = make_layer(tmp_path / "em", array)
    do(Histogram(path, coverage=1))
    do(Equalize(path, str(tmp_path / "even")))

    means = [volume.mean(axis=(0, 1))[:, 0] for volume in (array, read_layer(str(tmp_path / "even"), 0))]

    contrasts = [volume.std() for volume in (array, read_layer(str(tmp_path / "even"), 0))]
    assert means[0].std() / contrasts[0] > 0.2
    assert means[1].std() / contrasts[1] < 0.1


def test_real_slices_get_the_full_range(tmp_path: Path) -> None:
    array = fib25()
    path = make_layer(tmp_path / "em", array, chunk=(64, 64, 64))
    do(Histogram(path, coverage=1))
    do(Equalize(path, str(tmp_path / "even"), shape=(128, 128, 64)))
    result = read_layer(str(tmp_path / "even"), 0)
    expected = stretch(array, (0.01, 0.01), (0, 255), "uint8")
    assert np.array_equal(result, expected)
    for value in (0, 255):
        share = (result == value).mean(axis=(0, 1))
        assert ((share > 0.01) & (share < 0.035)).all()
