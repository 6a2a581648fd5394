"""Takes a tiny volume through everything that has compiled loops, so that no later process compiles them.

The machine code lies beside the installed package, so this is for whoever installs it for many: an image of a container,
or the environment of the tests, whose processes would else compile the same loops side by side.
"""

# ruff: noqa: INP001  # a script

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from teravox.kernels.deflate.labels import gzip_labels

TERAVOX = str(Path(sys.executable).parent / "teravox")
SIZE = 48
WAYS: list[list[str]] = [
    [
        "mesh forge labels-0 --shape 32,32,32",
        "mesh merge labels-0",
        "learn train image labels-0 --trees 2 --output cells.model",
        "learn predict image classes --model cells.model --shape 32,32,32",
    ],
    [
        "skeleton forge labels-1 --shape 32,32,32 --dust-threshold 0",
        "skeleton merge labels-1 --min-cable-length 0",
    ],
    [
        "image downsample labels-2 --num-mips 1",
        "image count labels-2",
        "image ccl auto labels-2 parts --shape 32,32,32",
        "image transfer labels-2 packed --encoding compresso",
        "image transfer image pictures --encoding png --chunk-size 48,48,48",
        "image downsample pictures --num-mips 1",
        "segment image blocks --shape 32,32,32 --halo 6,6,6",
        "stitch auto blocks",
        "evaluate labels-2 blocks",
    ],
]


def cells() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint32]]:
    """Some bodies with bent surfaces, a few voxels apart."""
    x, y, z = np.indices((SIZE, SIZE, SIZE)) / 8.0
    wavy = np.sin(x + np.sin(y)) + np.sin(y + np.cos(z)) + np.sin(z)
    return np.asfortranarray(np.where(wavy > 0.4, 1 + (x > 3) + 2 * (y > 3), 0).astype(np.uint32))


def do(lines: Sequence[str], folder: Path) -> None:
    for line in lines:
        subprocess.run([TERAVOX, *line.split(), "--quiet"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labels = cells()
        gzip_labels(labels[..., np.newaxis])  # which is for layers of many megabytes alone
        np.save(folder / "labels.npy", labels)
        np.save(folder / "image.npy", np.where(labels > 0, 190, 70).astype(np.uint8))
        how = "--axes xyz --resolution 8,8,8 --chunk-size 16,16,16"
        do([f"create labels.npy labels-{n} --type segmentation {how}" for n in range(len(WAYS))], folder)
        do([f"create image.npy image --type image {how}"], folder)
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(do, lines, folder) for lines in WAYS]:
                done.result()


if __name__ == "__main__":
    main()
