"""Labels of awkward shapes, and what can be said of surfaces without the code that made them."""

from __future__ import annotations

from typing import Any

import numpy as np
import trimesh
from hypothesis import strategies as st
from numpy.typing import NDArray

from teravox.kernels.mesh.marching import march
from teravox.kernels.mesh.surface import Surface

Labels = NDArray[Any]  # of whatever type a test asks for
Vec = tuple[int, int, int]


def closed(labels: Labels) -> Labels:
    """With a border of background."""
    return np.pad(labels, 1)


def surfaces_of(labels: Labels) -> dict[int, Surface]:
    return dict(march(labels))


def trimesh_of(surface: Surface, step: tuple[float, float, float] = (0.5, 0.5, 0.5)) -> trimesh.Trimesh:
    return trimesh.Trimesh(surface.vertices * np.array(step), surface.faces.astype(np.int64), process=False)


def noise(size: Vec, seed: int, values: int) -> Labels:
    found: Labels = np.random.default_rng(seed).integers(0, values + 1, size).astype(np.uint32)
    return found


def blobs(size: Vec, seed: int, values: int, roughness: float = 0.1) -> Labels:
    """Labels with smooth borders that touch each other, and a few stray voxels."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*map(np.arange, size), indexing="ij"), axis=-1)
    seeds = rng.uniform(0, size, (2 * values, 3))
    distances = ((places[..., None, :] - seeds) ** 2).sum(axis=-1) + rng.normal(0, roughness * max(size), (*size, 1))
    found: Labels = (distances.argmin(axis=-1) % (values + 1)).astype(np.uint32)
    stray = rng.random(size) < roughness / 20
    found[stray] = rng.integers(0, values + 1, int(stray.sum()))
    return found


def checkerboard(size: Vec, seed: int, values: int) -> Labels:
    """Voxels of two labels, or of one and background, that touch by edges and corners only."""
    x, y, z = np.meshgrid(*map(np.arange, size), indexing="ij")
    found: Labels = ((x + y + z + seed) % 2 + values % 2).astype(np.uint32)
    return found


def sheets(size: Vec, seed: int, values: int) -> Labels:
    """Plates of one voxel with holes, near each other."""
    rng = np.random.default_rng(seed)
    found = np.zeros(size, np.uint32)
    axis = seed % 3
    for at in range(0, size[axis], 2):
        plate = (rng.random(found.take(0, axis=axis).shape) < 0.9) * (1 + at % values)
        found[(slice(None),) * axis + (at,)] = plate
    return found


def torus(size: Vec, seed: int, values: int) -> Labels:
    """Rings, one in another."""
    x, y, z = (np.arange(n).reshape([-1 if k == axis else 1 for k in range(3)]) - n / 2 for axis, n in enumerate(size))
    away = np.hypot(np.hypot(x, y) - min(size[:2]) / 3, z)
    found: Labels = ((away < 1.5 + seed % 3 / 2) * (1 + (x > 0) * (values - 1))).astype(np.uint32)
    return found


makers = st.sampled_from([noise, blobs, checkerboard, sheets, torus])
sizes = st.tuples(*[st.integers(1, 9)] * 3)


@st.composite
def volumes(draw: st.DrawFn) -> Labels:
    found: Labels = draw(makers)(draw(sizes), draw(st.integers(0, 999)), draw(st.integers(1, 3)))
    return found
