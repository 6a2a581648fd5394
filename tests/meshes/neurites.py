"""Seeded volumes of labels: like nervous tissue, touching, thin, with holes and cut by the edges; or of the worst shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vec = tuple[int, int, int]
Labels = NDArray[np.uint64]

LARGE = 1 << 63  # above which a label is negative, where somebody takes it for a signed number


def neurites(size: Vec, seed: int, count: int = 6) -> Labels:
    """Some tubes of changing width that wander through the volume, one over the other, in Fortran's order.

    The first ends in a body with a cavity, a tunnel and another label inside; every other label is a large one.
    """
    random = np.random.default_rng(seed)
    volume = np.zeros(size, np.uint64, order="F")
    names = random.choice(10_000, count + 1, replace=False).astype(np.uint64) + np.uint64(1)
    names[1::2] += np.uint64(LARGE)
    for name in names[:count]:
        _draw_tube(volume, name, random)
    _draw_body(volume, names[0], names[count], random)
    return volume


def noise(size: Vec, seed: int) -> Labels:
    """Every voxel one of three labels or none: where the surfaces are of the worst shape."""
    random = np.random.default_rng(seed)
    names = np.array([0, 1, 2, LARGE + 5], np.uint64)
    return np.asfortranarray(names[random.integers(0, len(names), size)])


def labels_of(volume: Labels) -> list[int]:
    return [label for label in np.unique(volume).tolist() if label]


def _draw_tube(volume: Labels, name: np.uint64, random: np.random.Generator) -> None:
    size = np.array(volume.shape)
    place = random.random(3) * size
    course = random.normal(size=3)
    radius = random.uniform(0.6, 3.5)
    for _ in range(int(size.max())):
        _draw_ball(volume, place, radius, name)
        course += random.normal(scale=0.4, size=3)
        course /= np.linalg.norm(course)
        radius = float(np.clip(radius + random.normal(scale=0.3), 0.6, 4))
        place = place + course
        if ((place < -2) | (place > size + 2)).any():
            return


def _draw_body(volume: Labels, name: np.uint64, inner: np.uint64, random: np.random.Generator) -> None:
    size = np.array(volume.shape)
    radius = float(size.min()) / 3.5
    place = size * random.uniform(0.3, 0.7, 3)
    _draw_ball(volume, place, radius, name)
    _draw_ball(volume, place - radius / 3, radius / 4, np.uint64(0))
    _draw_ball(volume, place + radius / 3, radius / 3, inner)
    x, y, _ = np.minimum(place, size - 1).astype(int)
    volume[x, y : y + 2, :][volume[x, y : y + 2, :] == name] = 0


def _draw_ball(volume: Labels, place: NDArray[np.float64], radius: float, name: np.uint64) -> None:
    low = np.maximum(np.floor(place - radius).astype(int), 0)
    high = np.minimum(np.ceil(place + radius).astype(int) + 1, volume.shape)
    if (low >= high).any():
        return
    x, y, z = (np.arange(a, b) - c for a, b, c in zip(low, high, place, strict=True))
    inside = x[:, None, None] ** 2 + y[:, None] ** 2 + z**2 <= radius**2
    volume[low[0] : high[0], low[1] : high[1], low[2] : high[2]][inside] = name
