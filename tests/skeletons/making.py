"""Seeded volumes of labels whose skeletons are looked at: tubes, trees, rings, balls, and what is hard about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from layers.make import make_layer
from meshes.forging import do, job
from numpy.typing import NDArray
from skeletons.quality import Floats, Resolution, Vec

LARGE = 1 << 63  # above which a label is negative, where somebody takes it for a signed number
RESOLUTION: Resolution = (16.0, 16.0, 40.0)
CHUNK = (16, 16, 16)

Labels = NDArray[np.uint64]
Order = Callable[[Sequence[Any]], Sequence[Any]]  # of the pieces of a job, whatever they are


def shapes(size: Vec, seed: int, count: int = 8, *, plates: bool = True) -> Labels:
    """Some shapes of all sorts, one over the other, so that they touch and cut each other; in Fortran's order.

    Every other label is a large one; one lies in a corner, and one is a single voxel. Plates have many skeletons that are
    as good: leave them out where cables are compared.
    """
    random = np.random.default_rng(seed)
    volume = np.zeros(size, np.uint64, order="F")
    names = random.choice(10_000, count + 2, replace=False).astype(np.uint64) + np.uint64(1)
    names[1::2] += np.uint64(LARGE)
    draws = [draw_tube, draw_tree, draw_ring, draw_ball_somewhere, *([draw_plate] if plates else [])]
    for name in names[:count]:
        draws[random.integers(len(draws))](volume, name, random)
    corner = [
        slice(None, n // 4) if low else slice(-(n // 4), None) for n, low in zip(size, seed_bits(seed), strict=True)
    ]
    volume[tuple(corner)] = names[count]
    volume[tuple(random.integers(0, size))] = names[count + 1]
    return volume


def seed_bits(seed: int) -> list[bool]:
    return [bool(seed >> n & 1) for n in range(3)]


def draw_tube(volume: Labels, name: np.uint64, random: np.random.Generator) -> None:
    """One that wanders, and changes its width."""
    size = np.array(volume.shape)
    place, course = random.random(3) * size, random.normal(size=3)
    radius = random.uniform(1, 3)
    for _ in range(int(size.max())):
        draw_ball(volume, place, radius, name)
        course += random.normal(scale=0.3, size=3)
        course /= np.linalg.norm(course)
        radius = float(np.clip(radius + random.normal(scale=0.2), 1, 3.5))
        place = place + course
        if ((place < 0) | (place > size)).any():
            return


def draw_tree(volume: Labels, name: np.uint64, random: np.random.Generator) -> None:
    """Three to five arms out of one place, each thinner towards its end."""
    size = np.array(volume.shape)
    middle = size * random.uniform(0.3, 0.7, 3)
    for _ in range(random.integers(3, 6)):
        end = random.random(3) * size
        for t in np.linspace(0, 1, int(size.max() * 2)):
            draw_ball(volume, middle + t * (end - middle), 2.6 - 1.4 * t, name)


def draw_ring(volume: Labels, name: np.uint64, random: np.random.Generator) -> None:
    size = np.array(volume.shape)
    middle = size * random.uniform(0.35, 0.65, 3)
    radius = size.min() * random.uniform(0.2, 0.35)
    u, v = np.linalg.qr(random.normal(size=(3, 2)))[0].T
    for angle in np.linspace(0, 2 * np.pi, int(12 * radius)):
        draw_ball(volume, middle + radius * (np.cos(angle) * u + np.sin(angle) * v), 1.8, name)


def draw_ball_somewhere(volume: Labels, name: np.uint64, random: np.random.Generator) -> None:
    size = np.array(volume.shape)
    draw_ball(volume, random.random(3) * size, float(size.min() * random.uniform(0.1, 0.3)), name)


def draw_plate(volume: Labels, name: np.uint64, random: np.random.Generator) -> None:
    axis = int(random.integers(3))
    low = int(random.integers(0, volume.shape[axis] - 2))
    volume[tuple(slice(low, low + 2) if n == axis else slice(None) for n in range(3))] = name


def draw_ball(volume: Labels, place: Floats, radius: float, name: np.uint64) -> None:
    low = np.maximum(np.floor(place - radius).astype(int), 0)
    high = np.minimum(np.ceil(place + radius).astype(int) + 1, volume.shape)
    if (low >= high).any():
        return
    x, y, z = (np.arange(a, b) - c for a, b, c in zip(low, high, place, strict=True))
    inside = x[:, None, None] ** 2 + y[:, None] ** 2 + z**2 <= radius**2
    volume[low[0] : high[0], low[1] : high[1], low[2] : high[2]][inside] = name


def labels_of(volume: Labels) -> list[int]:
    return [label for label in np.unique(volume).tolist() if label]


def layer_of(folder: Path, volume: Labels, offset: Vec = (0, 0, 0), resolution: Resolution = RESOLUTION) -> str:
    return make_layer(
        folder,
        volume[..., np.newaxis],
        chunk=CHUNK,
        offset=offset,
        type="segmentation",
        encoding="compressed_segmentation" if volume.dtype.itemsize > 2 else "raw",
        compress=False,
        resolution=resolution,
    )


MERGE_ONLY = ("format", "min_cable_length", "max_cable_length", "tick_threshold", "join")


def skeletonize(layer: str, order: Order = list, **options: Any) -> None:  # Any: what the fields of both kinds are
    """Forge and merge, with the options of either."""
    merging = {name: options.pop(name) for name in MERGE_ONLY if name in options}
    do(job("skeleton forge", layer, **options), order)
    do(job("skeleton merge", layer, **merging), order)
