"""The layer of cortex whose labels are meshed and skeletonized."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.commands import run_command

CORNER = 256  # voxels of each axis, for a first look


def make_source(place: Path, python: Path, *, corner: bool) -> Path:
    """The layer that is meshed or skeletonized, made only where it is not there yet."""
    whole = place / "whole" / "compressed_segmentation"
    if not whole.exists():
        # In a process of its own: the peak memory of a command begins with that of the process that started it.
        words = [str(python), "-m", "benchmarks.image_layers", str(whole.parent), "1", whole.name]
        subprocess.run(words, check=True)
    if not corner:
        return whole
    part = place / "corner" / "layer"
    if not part.exists():
        bounds = f"--bounds=0,0,0:{CORNER},{CORNER},{CORNER}"
        run_command([sys.executable, "-m", "teravox", "image", "transfer", str(whole), str(part), bounds])
    return part
