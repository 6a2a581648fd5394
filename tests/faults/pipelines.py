"""A small pipeline from raw labels to a sharded image, meshes, skeletons and tables; and what it leaves."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from faults.killing import Tree, is_result
from faults.workers import HANGS
from layers.make import files_of
from meshes.neurites import neurites

SIZE = (96, 80, 64)
CELLS = 40
PIPELINE = """\
[vars]
source = "labels.npy"
out = "brain"
chunk = "16,16,16"
slab = "32,16,16"
piece = "32,32,32"
pyramid = "64,64,64"

[[step]]
name = "copy"
do = "create"
source = "{source}"
dest = "{out}/seg"
resolution = [16, 16, 20]
chunk_size = "{chunk}"
shape = "{slab}"

[[step]]
name = "pyramid"
do = "image downsample"
layer = "{out}/seg"
factor = [2, 2, 2]
num_mips = 2
shape = "{pyramid}"

[[step]]
name = "shards"
do = "shard image"
layer = "{out}/seg"
dest = "{out}/sharded"

[[step]]
name = "table"
do = "image count"
after = ["copy"]
layer = "{out}/seg"
shape = "{piece}"
segment_properties = true

[[step]]
name = "mesh fragments"
do = "mesh forge"
after = ["copy"]
layer = "{out}/seg"
shape = "{piece}"
cell = "{chunk}"

[[step]]
name = "meshes"
do = "mesh merge"
layer = "{out}/seg"
num_lods = 2
min_chunk_size = "{chunk}"

[[step]]
name = "skeleton fragments"
do = "skeleton forge"
after = ["copy"]
layer = "{out}/seg"
shape = "{piece}"
dust_threshold = 50

[[step]]
name = "skeletons"
do = "skeleton merge"
layer = "{out}/seg"
min_cable_length = 0
"""
_JOB = re.compile(rb"\b[0-9a-f]{16}([0-9a-f]{16})?\b")
LAYERS = ("seg", "sharded")
RUN = (sys.executable, "-m", "teravox", "run")


def write_pipeline(folder: Path) -> Path:
    """The pipeline file beside its labels."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "labels.npy", neurites(SIZE, 4, count=CELLS))
    (folder / "brain.toml").write_text(PIPELINE)
    return folder / "brain.toml"


def run_undisturbed(file: Path, *more: str) -> Tree:
    """The pipeline here and now, with nobody in its way; what it leaves."""
    done = subprocess.run([*RUN, file, "--quiet", *more], cwd=file.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return results_in(file.parent / "brain")


def verify(out: str, *more: str) -> None:
    """Both layers are whole and sound, says `teravox verify`."""
    for layer in LAYERS:
        words = [sys.executable, "-m", "teravox", "verify", f"{out}/{layer}", *more]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def results_in(folder: Path) -> Tree:
    """All that readers of the layers see, but for what says when it was made."""
    return {key: data for key, data in files_of(str(folder)).items() if is_result_of_a_layer(key)}


def is_result_of_a_layer(key: str) -> bool:
    return is_result(Path(key)) and Path(key).name != "provenance"


def unnamed(tree: Tree) -> Tree:
    """The same without the names of jobs, which hold the place of the layer, in keys and in JSON."""
    return {
        _JOB.sub(b"JOB", key.encode()).decode(): _JOB.sub(b"JOB", data) if is_json(key) else data
        for key, data in tree.items()
    }


def is_json(key: str) -> bool:
    return key.endswith(("/info", ".json"))


class StartedRun:
    """`teravox run` of a pipeline through a queue, as a process."""

    def __init__(self, file: Path, out: str, queue: str, *more: str) -> None:
        self._process = subprocess.Popen(
            [*RUN, file, "--set", f"out={out}", "--queue", queue, *more],
            cwd=file.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.said = ""

    def stop(self) -> None:
        """SIGTERM, as when its machine is taken away; AssertionError unless it says that it goes on another time."""
        self._process.send_signal(signal.SIGTERM)
        assert self.wait() == 130, self.said

    def wait(self) -> int:
        """Its exit code."""
        self.said += self._process.communicate(timeout=HANGS)[0].decode()
        return self._process.returncode

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@contextmanager
def started_run(file: Path, out: str, queue: str, *more: str) -> Iterator[StartedRun]:
    """A run that is gone after the block."""
    run = StartedRun(file, out, queue, *more)
    try:
        yield run
    finally:
        run.end()
