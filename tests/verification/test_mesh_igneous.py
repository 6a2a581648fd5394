"""What Igneous has made is found sound, and what is then damaged of it is named."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from meshes.forging import layer_of
from meshes.neurites import neurites
from verification.recorded import findings, said, verified

PYTHON = Path(__file__).parents[2] / "build/igneous/bin/python"
FORMS = ("legacy", "multires", "sharded")
WORK = """
import sys
import igneous.task_creation as make
from taskqueue import LocalTaskQueue

def do(tasks):
    queue = LocalTaskQueue(parallel=1, progress=False)
    queue.insert(tasks)
    queue.execute()

shape = dict(mip=0, shape=(32, 32, 32), spatial_index=True)
dust = dict(dust_threshold=0, tick_threshold=0)
merges = {
    "legacy": lambda path: make.create_mesh_manifest_tasks(path, magnitude=1),
    "multires": lambda path: make.create_unsharded_multires_mesh_tasks(path, num_lod=1),
    "sharded": lambda path: make.create_sharded_multires_mesh_tasks(path, num_lod=2),
}
for path in sys.argv[1:]:
    form = path.rsplit("/", 1)[-1]
    sharded = form == "sharded"
    do(make.create_meshing_tasks(path, sharded=sharded, **shape))
    do(merges[form](path))
    do(make.create_skeletonizing_tasks(path, sharded=sharded, **shape))
    skeletons = make.create_sharded_skeleton_merge_tasks if sharded else make.create_unsharded_skeleton_merge_tasks
    do(skeletons(path, **dust))
"""


@pytest.mark.skipif(
    not PYTHON.exists() or "TERAVOX_DATA" not in os.environ,
    reason="takes build/igneous, which `make bench` makes, and TERAVOX_DATA, as what is slow",
)
def test_layers_of_igneous_are_sound_until_they_are_damaged(tmp_path: Path) -> None:
    volume = neurites((64, 64, 64), 3)
    labels = np.searchsorted(np.unique(volume), volume).astype(np.uint64) * np.uint64(1001)
    paths = [layer_of(tmp_path / form, np.asfortranarray(labels), offset=(5, -7, 11)) for form in FORMS]
    subprocess.run([PYTHON, "-c", WORK, *(f"file://{path}" for path in paths)], check=True, capture_output=True)
    for path in paths:
        found = verified(path)
        assert found.findings == ()
        assert found.counts["meshes"] == found.counts["meshes decoded"] == 7
        assert found.counts["cells of spatial indices"] == 16
        assert found.counts["skeletons"] >= 1
        lost = sorted(Path(path).glob("mesh*/*.spatial.gz"))[2]
        lost.unlink()
        assert [(finding.what, Path(finding.key).parent.name) for finding in findings(path, "spatial")] == [
            ("missing", lost.parent.name)
        ]
    shard = min(Path(paths[2]).glob("mesh*/*.shard"))
    shard.write_bytes(shard.read_bytes()[:-5])
    assert ("truncated", f"{shard.parent.name}/{shard.name}") in said(findings(paths[2], "meshes"))
