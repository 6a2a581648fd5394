"""The layers that the image benchmarks read, written by CloudVolume."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # labels of 32 bits, or grey values of 8
GREY = ("jpeg", "png")
LABELS_SIZE = 512
GREY_SIZE = 1024


def make_layers(folder: Path, tiles: int, encodings: Sequence[str]) -> None:
    """A layer in each encoding: of grey values in those for pictures, else of labels, which are repeated along each axis.

    Chunks are such that the third mip above is of one chunk in x and y: Igneous makes no mip that is smaller than a chunk.
    """
    from cloudvolume import CloudVolume

    labels = _tile(_labels(LABELS_SIZE), tiles) if set(encodings) - set(GREY) else None
    grey = _grey(GREY_SIZE) if set(encodings) & set(GREY) else None
    for encoding in encodings:
        array = grey if encoding in GREY else labels
        assert array is not None
        info = CloudVolume.create_new_info(
            num_channels=1,
            layer_type="image" if encoding in GREY else "segmentation",
            data_type=array.dtype.name,
            encoding=encoding,
            resolution=(16, 16, 40),
            voxel_offset=(0, 0, 0),
            volume_size=array.shape,
            chunk_size=(128, 128, 64) if encoding in GREY else (64, 64, 64),
        )
        volume = CloudVolume(f"file://{folder.absolute()}/{encoding}", info=info, progress=False)
        volume.commit_info()
        volume.commit_provenance()
        for z in range(0, array.shape[2], 64):
            volume[:, :, z : z + 64] = array[:, :, z : z + 64]


def _labels(size: int) -> Array:
    """The corner of pinky40, or of a volume of seeded cells."""
    file = Path(os.environ.get("TERAVOX_DATA", ""), "pinky40/connectomics.npy.ckl.gz")
    if file.is_file():
        import crackle

        with gzip.open(file) as packed:
            whole: Array = crackle.decompress(packed.read())
        return np.asfortranarray(whole[:size, :size, :size])
    random = np.random.default_rng(0)
    coarse = random.integers(1, 2500, [-(-size // 32)] * 3, dtype=np.uint32)
    x, y, z = (np.arange(size) + (8 * np.sin(np.arange(size) / 9)).astype(int) for _ in range(3))
    cells = coarse[np.ix_(*(np.clip(n, 0, size - 1) // 32 for n in (x, y, z)))]
    return np.asfortranarray(cells)


def _tile(labels: Array, tiles: int) -> Array:
    """The same labels again and again, each time under other numbers."""
    numbers = np.arange(tiles**3, dtype=np.uint32).reshape((tiles,) * 3) * np.uint32(labels.max() + 1)
    tiled = np.tile(labels, (tiles,) * 3)
    tiled += np.kron(numbers, np.ones(labels.shape, np.uint8)) * (tiled != 0)
    return np.asfortranarray(tiled)


def _grey(size: int) -> Array:
    """FIB-25, tiled, or seeded noise that is as smooth as a microscope's."""
    file = Path(os.environ.get("TERAVOX_DATA", ""), "fib25_medulla/gray_unlabelled.npz")
    if file.is_file():
        with np.load(file) as arrays:
            cube = np.asarray(next(iter(arrays.values()))).T
    else:
        noise = np.random.default_rng(0).normal(128, 60, (250, 250, 250))
        for axis in range(3):
            noise = (noise + np.roll(noise, 1, axis)) / 2
        cube = np.clip(noise, 0, 255).astype(np.uint8)
    tiles = [-(-size // n) for n in cube.shape]
    return np.asfortranarray(np.tile(cube, tiles)[:size, :size, :size])


if __name__ == "__main__":
    make_layers(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
