"""What the interpreter and the libraries take is what every kind adds to its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from layers.make import make_layer, voxels

from teravox.pipeline.base_memory import LIBRARIES

BUCKETS = 70_000_000  # bytes that the clients of s3:// and gs:// take

RUN_ALONE = """
import sys
from pathlib import Path
from teravox.tasks.image.ccl.faces import Faces
from teravox.tasks.image.count import Count
kinds = {
    "count": lambda: Count(sys.argv[2]),
    "faces": lambda: Faces(sys.argv[2], sys.argv[2] + "-dest"),
}
job = kinds[sys.argv[1]]()
job.prepare()
job.run(job.pieces()[0])
status = Path("/proc/self/status").read_text()  # ru_maxrss would tell of the parent, too
print(int(status.split("VmHWM:")[1].split()[0]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("kind", ["count", "faces"])
def test_a_tiny_piece_takes_no_more_than_the_libraries_even_if_kernels_are_compiled(tmp_path: Path, kind: str) -> None:
    array = voxels((16, 16, 16), "uint64", labels=9)
    layer = make_layer(tmp_path / "seg", array, type="segmentation", encoding="compressed_segmentation")
    ran = subprocess.run(
        [sys.executable, "-c", RUN_ALONE, kind, layer],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "numba")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(ran.stdout) <= LIBRARIES - BUCKETS
