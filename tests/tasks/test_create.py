"""`create` on files that other libraries wrote, against the arrays in them; CloudVolume and TensorStore read the layers."""

from __future__ import annotations

import json
import logging
import multiprocessing
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layers.make import Vec, files_of, read_layer, voxels
from sources import write
from sources.making import CHUNK, NM, create, grey

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.storage.tally import TALLY
from teravox.tasks.create import Create


def scale_of(layer: Path) -> dict[str, Any]:
    scale: dict[str, Any] = json.loads((layer / "info").read_text())["scales"][0]
    return scale


DTYPES = ["|u1", "<u2", ">u2", "<u4", "<u8", "|i1", ">i2", "<i4", "<i8", "<f4", ">f4", "?", "<f2"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 20)),
    channels=st.integers(1, 3),
    axes=st.sampled_from(["xyz", "zyx", "yxz", "xyzc", "czyx", "zyxc", "zcyx", "tzyx"]),
    fortran=st.booleans(),
    dtype=st.sampled_from(DTYPES),
    chunk=st.tuples(*[st.integers(1, 9)] * 3),
    offset=st.tuples(*[st.integers(-30, 30)] * 3),
    times=st.tuples(*[st.integers(1, 3)] * 3),
    sharded=st.booleans(),
    crop=st.booleans(),
    random=st.randoms(use_true_random=True),
)
def test_any_array_becomes_the_same_layer(
    tmp_path: Path, size: Vec, channels: int, axes: str, fortran: bool, dtype: str, chunk: Vec, offset: Vec,
    times: Vec, sharded: bool, crop: bool, random: Any,
) -> None:  # fmt: skip
    folder = tmp_path / secrets.token_hex(4)
    folder.mkdir()
    lengths = dict(zip("xyzct", (*size, channels if "c" in axes else 1, 2), strict=True))
    stored = np.random.default_rng(1).integers(0, 100, [lengths[axis] for axis in axes]).astype(dtype)
    np.save(folder / "a.npy", np.asfortranarray(stored) if fortran else np.ascontiguousarray(stored))
    letters = axes.replace("t", "")
    expected = stored[1] if "t" in axes else stored
    expected = expected.transpose([letters.index(axis) for axis in "xyzc" if axis in letters])
    expected = expected.reshape([*size, lengths["c"]]).astype({"?": "u1", "<f2": "f4"}.get(dtype, dtype[1:]))
    bounds = None
    if crop:
        low = [random.randrange(n) for n in size]
        high = [random.randint(a + 1, n) for a, n in zip(low, size, strict=True)]
        bounds = Box((low[0], low[1], low[2]), (high[0], high[1], high[2])).shift(offset)
        expected = expected[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    x, y, z = (c * t for c, t in zip(chunk, times, strict=True))

    job = create(
        folder / "a.npy", folder / "layer", lambda pieces: random.sample(pieces * 2, 2 * len(pieces)),
        axes=axes, offset=offset, chunk_size=chunk, shape=None if sharded else (x, y, z), sharded=sharded, type="image",
        bounds=bounds, time=1 if "t" in axes else None,
    )  # fmt: skip

    found = read_layer(str(folder / "layer"), 0)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    assert tuple(scale_of(folder / "layer")["voxel_offset"]) == (offset if bounds is None else bounds.min)
    assert sum(piece.voxels for piece in job.pieces()) == expected[..., 0].size


@pytest.mark.parametrize("name", list(write.GREY))
@pytest.mark.parametrize("shape", [None, CHUNK])
def test_every_format_gives_the_voxels_that_are_in_it(tmp_path: Path, name: str, shape: Vec | None) -> None:
    array = grey()
    src = write.GREY[name](tmp_path, array)

    create(src, tmp_path / "out", lambda pieces: pieces[::-1], shape=shape)

    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], array)


@pytest.mark.parametrize("name", list(write.LABELS))
def test_labels_become_a_segmentation(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    array = voxels((40, 33, 20), "uint64", labels=50)[..., 0]
    src = write.LABELS[name](tmp_path, array)

    with caplog.at_level(logging.WARNING):
        create(src, tmp_path / "out")

    info = json.loads((tmp_path / "out" / "info").read_text())
    assert (info["type"], info["scales"][0]["encoding"]) == ("segmentation", "compressed_segmentation")
    assert "becomes a segmentation, encoded as compressed_segmentation; --type image says otherwise" in caplog.text
    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], array)


@pytest.mark.parametrize("name", ["npy", "hdf5", "nifti_gz", "tiff_tiled", "slices", "zarr3", "n5"])
def test_shards_are_read_in_parts_and_by_everybody(tmp_path: Path, name: str) -> None:
    import tensorstore

    array = grey((60, 50, 40), "uint8")
    src = write.GREY[name](tmp_path, array)
    roomy = Create(str(src), str(tmp_path / "out"), resolution=NM, chunk_size=CHUNK, sharded=True)
    least = LIBRARIES
    while True:  # the least memory makes small shards, and small parts of them
        job = msgspec.structs.replace(roomy, memory_limit=least)
        try:
            pieces = job.pieces()
            break
        except BadUsage:
            least += 2_000_000
    job.prepare()
    for piece in pieces:
        job.run(piece)

    assert "sharding" in scale_of(tmp_path / "out")
    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], array)
    spec = {"driver": "neuroglancer_precomputed", "kvstore": {"driver": "file", "path": f"{tmp_path / 'out'}/"}}
    assert np.array_equal(tensorstore.open(spec).result().read().result()[..., 0], array)


@pytest.mark.parametrize(
    ("encoding", "dtype", "options"),
    [
        ("png", "uint8", {"encoding_level": 3}),
        ("compresso", "uint32", {"type": "segmentation"}),
        ("crackle", "uint64", {}),
        ("raw", "int16", {"compress": "br"}),
        ("raw", "float32", {"compress": "zstd", "compress_level": 5}),
        ("fpzip", "float32", {"compress": "none"}),
    ],
)
def test_the_layer_has_the_encoding_that_is_asked_for(
    tmp_path: Path, encoding: str, dtype: str, options: dict[str, Any]
) -> None:
    array = voxels((40, 33, 20), dtype, labels=None if dtype == "float32" else 9)[..., 0]

    create(write.npy(tmp_path, array), tmp_path / "out", encoding=encoding, **options)

    assert scale_of(tmp_path / "out")["encoding"] == encoding
    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], array)


def test_running_again_changes_no_byte(tmp_path: Path) -> None:
    job = create(write.slices(tmp_path, grey()), tmp_path / "out", shape=CHUNK)
    before = files_of(str(tmp_path / "out"))
    job.prepare()
    for piece in reversed(job.pieces()):
        job.run(piece)
    assert files_of(str(tmp_path / "out")) == before


def run_pieces(job: Create, pieces: list[Box]) -> None:
    for piece in pieces:
        job.run(piece)


def test_pieces_run_side_by_side(tmp_path: Path) -> None:
    array = grey()
    job = Create(
        str(write.tiff_tiled(tmp_path, array)), str(tmp_path / "out"), resolution=NM, chunk_size=CHUNK, shape=CHUNK
    )
    job.prepare()
    pieces = list(job.pieces())
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=run_pieces, args=(job, part)) for part in (pieces, pieces[::-1])]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], array)


@pytest.mark.parametrize("sharded", [False, True])
def test_outputs_are_what_a_piece_leaves(tmp_path: Path, sharded: bool) -> None:
    src = write.npy(tmp_path, grey())
    job = Create(str(src), str(tmp_path / "out"), resolution=NM, chunk_size=CHUNK, sharded=sharded)
    planned = [job.outputs(piece) for piece in job.pieces()]  # before there is a layer, too
    job.prepare()
    for piece, keys in zip(job.pieces(), planned, strict=True):
        TALLY.begin(job.home())
        job.run(piece)
        tallied = TALLY.end()
        assert set(keys) == set(job.outputs(piece)) == set(tallied.outputs)
        assert tallied.bytes_in > piece.voxels


def test_prepare_writes_the_info_once(tmp_path: Path) -> None:
    job = Create(str(write.npy(tmp_path, grey())), str(tmp_path / "out"), resolution=(4.5, 4.25, 40))
    job.prepare()
    before = (tmp_path / "out/info").stat()
    job.prepare()
    assert (tmp_path / "out/info").stat().st_ino == before.st_ino
    assert scale_of(tmp_path / "out")["resolution"] == [4.5, 4.25, 40]


def test_the_record_of_a_job_is_in_the_provenance(tmp_path: Path) -> None:
    create(write.npy(tmp_path, grey()), tmp_path / "out")
    (record,) = json.loads((tmp_path / "out/provenance").read_text())["processing"]
    assert record["method"]["task"] == "create"
    assert record["method"]["source"].endswith("a.npy")


def test_the_usual_axes_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        create(write.npy(tmp_path, grey()), tmp_path / "out")
    assert "does not name its axes and is taken as zyx, which makes 45,33,20 voxels in x,y,z; --axes" in caplog.text


def test_axes_that_were_asked_for_are_not_said_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        create(write.npy(tmp_path, grey()), tmp_path / "out", axes="zyx")
    assert "does not name its axes" not in caplog.text


def test_the_command_keeps_patterns_and_makes_paths_absolute(tmp_path: Path) -> None:
    write.slices(tmp_path, grey())
    words = [*(sys.executable, "-m", "teravox", "create", "png/em_*.png", "out", "--resolution", "4.5,4,40")]
    subprocess.run([*words, "--queue", "q"], cwd=tmp_path, check=True, capture_output=True)
    (message, *_) = [
        json.loads(file.read_bytes())
        for file in (tmp_path / "q").rglob("*")
        if file.is_file() and file.stat().st_size and file.read_bytes().startswith(b'{"v"')
    ]
    assert message["job"]["source"] == f"file://{tmp_path}/png/em_*.png"
    done = subprocess.run(words, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "done" in done.stdout
    assert np.array_equal(read_layer(str(tmp_path / "out"), 0)[..., 0], grey())
