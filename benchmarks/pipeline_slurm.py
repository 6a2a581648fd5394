"""A pipeline over a corner of cortex through a real SLURM, with workers killed and cancelled, against the same undisturbed."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.cortex import make_source
from benchmarks.folder_queue import CHECKOUT
from teravox.pipeline.layers.layer import Layer

SETTINGS = ("chunk=32,32,32", "slab=128,64,32", "piece=64,64,64", "pyramid=128,128,128")
WHEN = (
    20,
    60,
    100,
    140,
    180,
    220,
)  # tasks that are done when the next worker is killed; every third time all are cancelled
WORKERS = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the layers are made; default: a temporary folder")
    said = parser.parse_args()
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return _compare(said.folder or temporary)


def _compare(folder: Path) -> int:
    """Run both, and say how they compare; 1 if what they leave differs."""
    sys.path.insert(0, str(CHECKOUT / "tests"))
    from faults.killing import differing
    from faults.pipelines import PIPELINE, results_in, run_undisturbed, verify
    from faults.slurm_runs import SlurmRun
    from servers.slurm import slurm

    source = Layer.open(str(make_source(folder, Path(sys.executable), corner=True)))
    place = folder / "pipeline"
    place.mkdir()
    np.save(place / "labels.npy", source.read(source.bounds(0), 0)[..., 0])
    file = place / "brain.toml"
    file.write_text(PIPELINE)
    os.environ["TERAVOX_LEASE_SEC"] = "5"  # nobody waits longer for the tasks of a killed worker
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    began = time.perf_counter()
    wanted = run_undisturbed(file, *settings, "-p", str(WORKERS))
    alone = time.perf_counter() - began
    (place / "brain").rename(folder / "alone")
    with slurm() as cluster:
        began = time.perf_counter()
        command = Path(sys.executable).parent / "teravox"
        run = SlurmRun(cluster, command, file, *settings, workers=WORKERS, memory="1.2GB")
        for number, tasks in enumerate(WHEN):
            run.wait_for(tasks)
            if number % 3 == 2:
                run.cancel_the_workers()
            else:
                run.kill_a_worker()
        code = run.end()
        disturbed = time.perf_counter() - began
    if code != "0:0":
        print(run.said, file=sys.stderr)
        return 1
    verify(str(place / "brain"), "--all", "--checksums")
    left = differing(results_in(place / "brain"), wanted)
    size = sum(map(len, wanted.values()))
    print(
        f"{run.done} tasks, {len(wanted)} files, {size:,} bytes; {alone:.0f} s undisturbed on {WORKERS} processes, "
        f"{disturbed:.0f} s on SLURM with 4 workers killed and 2 arrays cancelled; verify: sound; "
        f"{'DIFFERENT: ' + ', '.join(left) if left else 'byte-identical'}"
    )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
