"""Small volumes as files, and what tests make of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 64
CHUNK = (32, 32, 32)


def write_volumes(folder: Path) -> None:
    """Labels in cubes of 16 voxels, and noise of 8 bits; 64 voxels each way."""
    random = np.random.default_rng(0)
    cubes = random.integers(1, 9, (4, 4, 4)).astype(np.uint32)
    labels = np.kron(cubes, np.ones((16, 16, 16), np.uint32))
    np.save(folder / "labels.npy", np.asfortranarray(labels))
    np.save(folder / "grey.npy", np.asfortranarray(random.integers(0, 255, (SIDE, SIDE, SIDE), np.uint8)))
    (folder / "order.csv").write_text("".join(f"{z},{SIDE - 1 - z}\n" for z in range(SIDE)))


def known_file(path: Path) -> dict[str, str]:
    """A file of the machine where a command is typed, as jobs have it."""
    return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def labels(folder: Path, name: str, **more: Any) -> dict[str, Any]:  # Any: options of create
    """The options that make a layer of the labels, 8 pieces of one chunk each."""
    said = {"source": str(folder / "labels.npy"), "dest": f"file://{folder}/{name}", "axes": "xyz"}
    return {**said, "resolution": (8, 8, 8), "chunk_size": CHUNK, "shape": CHUNK, "type": "segmentation", **more}


def grey(folder: Path, name: str, **more: Any) -> dict[str, Any]:  # Any: options of create
    """The options that make a layer of the noise, as it is."""
    said = labels(folder, name, source=str(folder / "grey.npy"), type="image")
    return {**said, "encoding": "raw", "compress": "none", **more}
