"""Small tissue with sparse labels, as layers: membranes are class 1, what is inside of neurites is class 2."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from layers.make import Vec, make_layer
from numpy.typing import NDArray

from teravox.kernels.learning.classes import make_classes
from teravox.kernels.synthetic.neurites import draw_neurites
from teravox.pipeline.box import Box
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.learning.labels import create_labels

LOW: Vec = (3, -5, 7)  # where the layers begin
NAMES = ("membrane", "inside")


class Scene(NamedTuple):
    image: str  # layers
    labels: str
    truth: NDArray[np.uint8]  # by x, y and z


def draw_scene(folder: Path, size: Vec = (64, 48, 24), *, share: float = 0.01, seed: int = 0) -> Scene:
    """Tissue whose first half along x has labels for some share of its voxels."""
    drawn = draw_neurites(size, (0, 0, 0), size, seed, spacing=16, noise=8.0)
    image = np.asfortranarray(np.asarray(drawn.image).reshape(*size, 1))
    bodies = np.asarray(drawn.truth).reshape(size)
    truth = np.where(boundary(bodies), 1, 2).astype(np.uint8)
    path = make_layer(folder / "em", image, chunk=(32, 32, 16), offset=LOW, resolution=(8, 8, 8))
    labels = create_labels(Layer.open(path), 0, str(folder / "labels"), make_classes(NAMES))
    sparse = np.where(np.random.default_rng(seed).random(size) < share, truth, 0).astype(np.uint8)
    sparse[size[0] // 2 :] = 0
    high = (LOW[0] + size[0], LOW[1] + size[1], LOW[2] + size[2])
    labels.layer.write(Box(LOW, high), 0, np.asfortranarray(sparse[..., np.newaxis]))
    return Scene(path, str(folder / "labels"), truth)


def boundary(bodies: NDArray[np.generic]) -> NDArray[np.bool_]:
    """The voxels at either side of where one body ends."""
    found = np.zeros(bodies.shape, bool)
    for axis in range(3):
        one, other = np.moveaxis(bodies, axis, 0), np.moveaxis(found, axis, 0)
        differs = one[1:] != one[:-1]
        other[1:] |= differs
        other[:-1] |= differs
    return found
