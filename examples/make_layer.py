"""Makes a small segmentation to try things on: coloured cells in a block of tissue, as a Precomputed layer."""

# ruff: noqa: INP001  # a program, in no package
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from teravox.pipeline.box import Box
from teravox.pipeline.layers.encoding import encoding_words
from teravox.pipeline.layers.new_layer import create_layer, new_info, new_scale

NANOMETRES = (16, 16, 40)
CHUNK = (64, 64, 32)
COARSE = (4, 4, 2)  # voxels that are computed as one
MEMBRANE = 5  # voxels between two cells


def cells(size: tuple[int, int, int], count: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """Labels of the nearest of `count` random points, with background between the cells; the same for the same seed."""
    x, y, z = np.ogrid[: size[0] : COARSE[0], : size[1] : COARSE[1], : size[2] : COARSE[2]]
    labels = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.uint32)
    nearest = np.full(labels.shape, np.inf, np.float32)
    second = nearest.copy()
    for label, (cx, cy, cz) in enumerate(np.random.default_rng(seed).random((count, 3)) * size, 1):
        distance = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + ((z - cz) * 2.5) ** 2).astype(np.float32)
        second = np.minimum(second, np.maximum(nearest, distance))
        labels[distance < nearest] = label
        nearest = np.minimum(nearest, distance)
    labels[second - nearest < MEMBRANE] = 0
    for axis, times in enumerate(COARSE):
        labels = labels.repeat(times, axis)
    return labels[: size[0], : size[1], : size[2]]


def image(labels: np.ndarray[tuple[int, ...], np.dtype[np.uint32]]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Cells as an electron microscope sees them: bright, with dark membranes, and noisy."""
    noise = np.random.default_rng(0).normal(0, 12, labels.shape)
    return np.clip(np.where(labels > 0, 190, 70) + noise, 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layer", type=Path, help="folder to make")
    parser.add_argument("--size", type=int, nargs=3, default=(512, 512, 128), metavar=("X", "Y", "Z"))
    parser.add_argument("--cells", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--image", type=Path, metavar="FILE.npy", help="write an image of the cells, too, as z, y, x")
    options = parser.parse_args()
    size = (options.size[0], options.size[1], options.size[2])
    bounds = Box((0, 0, 0), size)
    encoding = encoding_words("compressed_segmentation")
    scale = new_scale(bounds=bounds, resolution=NANOMETRES, chunk=CHUNK, encoding=encoding)
    info = new_info(type="segmentation", data_type="uint32", channels=1, scales=[scale])
    layer = create_layer(str(options.layer), info)
    labels = cells(size, options.cells, options.seed)
    layer.write(bounds, 0, labels[..., np.newaxis])
    if options.image:
        np.save(options.image, np.ascontiguousarray(image(labels.T)))
    print(f"{options.layer}: {size[0]} x {size[1]} x {size[2]} voxels, {options.cells} cells")


if __name__ == "__main__":
    main()
