"""`mesh transfer` takes the memory that it said, and refuses what does not fit."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer

from teravox.kernels.mesh.marching import march
from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.copying.plan import LEAST
from teravox.tasks.mesh.transfer import Transfer

RUN = """
import sys
from pathlib import Path
from teravox.tasks.mesh.transfer import Transfer
job = Transfer(sys.argv[1], sys.argv[2], format=sys.argv[3], memory_limit=int(sys.argv[4]))
job.prepare()
for piece in job.pieces():
    job.run(piece)
job.finish()
status = Path("/proc/self/status").read_text()  # ru_maxrss would tell of the parent, too
print(int(status.split("VmHWM:")[1].split()[0]) * 1024, max(map(job.memory, job.pieces())))
"""


def rough_ball(folder: Path, size: int) -> str:
    """A layer with one multi-resolution mesh of very many triangles, in one fragment."""
    import DracoPy

    x, y, z = np.ogrid[:size, :size, :size]
    ball = (x - size / 2) ** 2 + (y - size / 2) ** 2 + (z - size / 2) ** 2 < (size * 0.47) ** 2
    holes = np.random.default_rng(1).random(ball.shape) < 0.02
    ((_, surface),) = march(np.asfortranarray((ball & ~holes).astype(np.uint8)))
    data = bytes(DracoPy.encode((surface.vertices * 64).astype(np.uint32), surface.faces, quantization_bits=16))
    path = make_layer(folder, np.zeros((8, 8, 8, 1), np.uint8), type="segmentation")
    (folder / "mesh").mkdir()
    info = {"@type": "neuroglancer_multilod_draco", "vertex_quantization_bits": 16, "lod_scale_multiplier": 1}
    (folder / "mesh/info").write_text(json.dumps(info | {"transform": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]}))
    (folder / "mesh/1").write_bytes(data)
    manifest = struct.pack("<6fI4fI4I", 999, 999, 999, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, len(data))
    (folder / "mesh/1.index").write_bytes(manifest)
    (folder / "info").write_text(json.dumps(json.loads((folder / "info").read_text()) | {"mesh": "mesh"}))
    return path


def peak(source: str, dest: Path, form: str, memory: int) -> tuple[int, int]:
    """What a process took, and what the job said that it would."""
    words = [sys.executable, "-c", RUN, source, str(dest), form, str(memory)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return int(said[0]), int(said[1])


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_a_task_takes_no_more_than_it_said(tmp_path: Path) -> None:
    least = LIBRARIES + LEAST
    source = rough_ball(tmp_path / "seg", 120)
    legacy, sharded = tmp_path / "legacy", tmp_path / "sharded"
    for origin, dest, form in (
        (source, legacy, "legacy"),
        (str(legacy), sharded, "sharded"),
        (str(sharded), tmp_path / "copy", "sharded"),
    ):
        took, said = peak(origin, dest, form, least)
        assert took <= said <= least


def test_a_mesh_that_does_not_fit_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    job = Transfer(
        rough_ball(tmp_path / "seg", 140), str(tmp_path / "dest"), format="legacy", memory_limit=LIBRARIES + LEAST
    )
    job.prepare()
    (piece,) = job.pieces()
    with pytest.raises(BadInput, match=r"the mesh of label 1 in .*/seg/mesh takes .* give it more --memory"):
        job.run(piece)
