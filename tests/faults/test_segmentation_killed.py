"""Segment and all stages of stitching are killed and resumed, and what they leave in the end is the same as without."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.killing import Options, differing, kill_and_resume, tree_of, words_of
from faults.workers import HANGS, until
from segmentation.whole import do, draw_tissue, image_layer, segment, stages

from teravox.pipeline.segmentation.segmented import Segmented

pytestmark = pytest.mark.faults

SIZE = (48, 48, 44)
BLOCKS: Options = {"shape": (16, 16, 16), "halo": (6, 6, 6)}
JOINING: Options = {"group": (2, 2, 2)}
PIECES = 3 * 3 * 3
STAGES = {"match": "stitch/*/overlaps/*", "resolve": "stitch/*/*/links/*", "relabel": "10_10_10/*"}  # what they write


def kill_when(folder: Path, written: str, some: int, command: list[str]) -> bool:
    """Start a command and kill it as soon as it has written so many files of a sort; whether it was still at work."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    assert process.stdout is not None
    with process.stdout:
        until(
            lambda: len(list(folder.glob(written))) >= some or process.poll() is not None,
            f"{some} files {written} are written",
            look_every=0.001,
        )
        process.kill()  # nothing, where it has ended
        killed = process.wait(HANGS) == -signal.SIGKILL
        process.stdout.read()  # until its children, which hold the other end, have ended too
    return killed


def test_a_killed_segmentation_that_is_resumed_leaves_the_same(tmp_path: Path, figures: Callable[[str], None]) -> None:
    source = "file://" + image_layer(tmp_path / "source", draw_tissue(SIZE, 3, 40).image, (-5, 3, 9))
    layer = f"file://{tmp_path}/layer"  # both as commands call them, so that their jobs have the same names
    segment(source, layer, **BLOCKS)
    blocks = len(tree_of(layer))
    for job in stages(layer, **JOINING, blocks=Segmented.open(layer).id):  # which the command names too
        do(job)
    wanted = tree_of(layer)
    (tmp_path / "layer").rename(tmp_path / "undisturbed")

    killed = {"segment": kill_and_resume(f"segment {source}", layer, BLOCKS, 1, blocks)}
    stitch = [sys.executable, "-m", "teravox", *words_of("stitch auto", layer, JOINING), "--quiet"]
    for stage, written in STAGES.items():
        killed[stage] = kill_when(tmp_path / "layer", written, PIECES // 3, stitch)
    done = subprocess.run(stitch, capture_output=True, text=True, check=False, timeout=HANGS)
    assert done.returncode == 0, done.stderr
    same = not differing(tree_of(layer), wanted)
    stages_killed = ", ".join(stage for stage, was in killed.items() if was)
    figures(f"segmentation: {PIECES} blocks, killed in {stages_killed}: {'identical' if same else 'DIFFERENT'}")
    assert same, differing(tree_of(layer), wanted)
    assert sum(map(bool, killed.values())) >= 3
