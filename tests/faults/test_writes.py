"""Chunks and shards whose writer is killed, or has no room: whole or not there, never half."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer, voxels

from teravox.pipeline.errors import BadInput, Fatal
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.atomic_write import is_temporary

pytestmark = pytest.mark.faults

SIZE, CHUNK = (64, 64, 32), (32, 32, 16)
KILLS = 12
WRITER = """
import sys, itertools, numpy as np
from teravox.pipeline.layers.layer import Layer
layer = Layer.open(sys.argv[1])
bounds = layer.bounds(0)
for version in itertools.count(1):
    layer.write(bounds, 0, np.full((*bounds.size, 1), version % 65536, np.uint16), compress=None if version % 2 else "gzip")
    print(version, flush=True)
"""


def empty_layer(folder: Path, *, sharded: bool) -> Layer:
    layer = Layer.open(make_layer(folder, np.zeros((*SIZE, 1), np.uint16), chunk=CHUNK))
    if not sharded:
        return layer
    raw = layer.raw
    raw["scales"][0]["sharding"] = {
        "@type": "neuroglancer_uint64_sharded_v1",
        "hash": "identity",
        "preshift_bits": 0,
        "minishard_bits": 1,
        "shard_bits": 2,
        "minishard_index_encoding": "raw",
        "data_encoding": "raw",
    }
    layer = layer.write_info(raw)
    layer.write(layer.bounds(0), 0, np.zeros((*SIZE, 1), np.uint16), compress=None)
    return layer


@pytest.mark.parametrize("sharded", [False, True])
def test_killed_writers_leave_whole_chunks_only(tmp_path: Path, sharded: bool) -> None:
    layer = empty_layer(tmp_path / "layer", sharded=sharded)
    script = WRITER.replace('None if version % 2 else "gzip"', "None") if sharded else WRITER
    units = list(chunks_of(layer.scale(0), layer.bounds(0)))
    versions = set()
    for _ in range(KILLS):
        writer = subprocess.Popen([sys.executable, "-c", script, layer.url], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(random.randrange(1, 6)):
            writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        for unit in units:
            voxels_of_it = np.unique(layer.read(unit, 0))
            assert len(voxels_of_it) == 1
            versions.add(int(voxels_of_it[0]))
    assert len(versions) > 1
    files = [file for file in (tmp_path / "layer").rglob("*") if file.is_file()]
    left = [file for file in files if is_temporary(file.name)]
    for file in left:
        file.unlink()
    keys = {file.name.removesuffix(".gz") for file in files if file not in left and file.parent.name == "4_4_40"}
    assert len(keys) == (len(units) if not sharded else len(layer.keys(layer.bounds(0), 0)) + len(units))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mount.returncode:
        pytest.skip(f"no file system can be mounted here: {mount.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("sharded", [False, True])
def test_a_full_disk_is_told_and_leaves_whole_chunks_only(small_disk: Path, sharded: bool) -> None:
    layer = empty_layer(small_disk / "layer", sharded=sharded)
    noise = voxels(SIZE, "uint16")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(200_000 if sharded else 400_000))
    with pytest.raises(Fatal, match=r"cannot write .*/4_4_40/.*: No space left on device \(ENOSPC\)"):
        layer.write(layer.bounds(0), 0, noise, compress=None)
    for unit in chunks_of(layer.scale(0), layer.bounds(0)):
        low, high = unit.min, unit.max
        found = layer.read(unit, 0)
        expected = noise[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
        assert not found.any() or np.array_equal(found, expected)
    assert not [file for file in small_disk.rglob("*") if is_temporary(file.name)]
    filler.unlink()
    (small_disk / "layer" / "provenance").unlink(missing_ok=True)
    if not sharded:  # of which old and new do not fit side by side
        layer.write(layer.bounds(0), 0, noise, compress=None)
        assert np.array_equal(layer.read(layer.bounds(0), 0), noise)


def test_a_command_that_fills_the_disk_says_so_and_loses_nothing(small_disk: Path) -> None:
    noise = np.asfortranarray(voxels((96, 96, 16), "uint16"))
    path = make_layer(small_disk / "layer", noise, chunk=(96, 96, 16), compress=False)
    with (small_disk / "filler").open("wb") as filler:
        filler.write(bytes(512_000 - 4096 * 10 - noise.nbytes - 8192))
    done = subprocess.run(
        [sys.executable, "-m", "teravox", "image", "downsample", path, "--num-mips", "1", "--compress", "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "ENOSPC" in done.stderr
    assert path in done.stderr
    layer = Layer.open(path)
    assert np.array_equal(layer.read(layer.bounds(0), 0), noise)
    with pytest.raises(BadInput):
        layer.read(layer.bounds(1), 1)
    (small_disk / "filler").unlink()
    subprocess.run([*done.args], check=True, capture_output=True)
    assert Layer.open(path).read(layer.bounds(1), 1).any()
