"""Lengths of steps: they count in voxels along the axis with the finest ones, and fewer of those along the others."""

from __future__ import annotations

Zyx = tuple[float, float, float]

ISOTROPIC: Zyx = (1.0, 1.0, 1.0)


def sides(resolution: Zyx) -> Zyx:
    """The sides of a voxel, the shortest one as 1."""
    z, y, x = resolution
    finest = min(resolution)
    return z / finest, y / finest, x / finest


def sigmas(sigma: float, resolution: Zyx) -> Zyx:
    """A sigma that is so many of the finest voxels, in voxels along each axis."""
    z, y, x = sides(resolution)
    return sigma / z, sigma / y, sigma / x
