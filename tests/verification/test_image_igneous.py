"""Images whose mips Igneous has made are found sound, and what is then damaged of them is named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from layers.make import make_layer, voxels
from verification.recorded import findings, said, verified
from verification.repairing import swap

PYTHON = Path(__file__).parents[2] / "build/igneous/bin/python"
WORK = """
import sys
import igneous.task_creation as make
from taskqueue import LocalTaskQueue

for path in sys.argv[1:]:
    queue = LocalTaskQueue(parallel=1, progress=False)
    queue.insert(make.create_downsampling_tasks(path, mip=0, num_mips=2, compress=None))
    queue.execute()
"""


@pytest.mark.skipif(
    not PYTHON.exists() or "TERAVOX_DATA" not in os.environ,
    reason="takes build/igneous, which `make bench` makes, and TERAVOX_DATA, as what is slow",
)
def test_mips_of_igneous_are_sound_until_they_are_damaged(tmp_path: Path) -> None:
    labels = voxels((100, 70, 40), "uint32", labels=300)
    grey = np.clip(labels % 200 + voxels((100, 70, 40), "uint8", labels=20) % 40, 0, 255).astype(np.uint8)
    paths = {}
    for type, array in (("segmentation", labels), ("image", grey)):
        paths[type] = make_layer(tmp_path / type, array, type=type, chunk=(16, 16, 8), compress=False)
    subprocess.run(
        [PYTHON, "-c", WORK, *(f"file://{path}" for path in paths.values())], check=True, capture_output=True
    )
    for path in paths.values():
        found = verified(path)
        assert found.findings == ()
        assert found.counts["places of mips made anew"] > 20
        one, other = sorted(str(file.relative_to(path)) for file in Path(path, "8_8_40").iterdir())[:2]
        swap(Path(path), one, other)
        keys = [one.removesuffix(".gz"), other.removesuffix(".gz")]
        assert {("wrong", key) for key in keys} <= said(findings(path))
        Path(path, one).unlink()
        assert ("missing", keys[0]) in said(findings(path))
