"""What it takes to have chunks on their way: figures for the memory that pieces promise."""

from __future__ import annotations

import math

from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.sharding.read import AHEAD, MOST

COPIES = 5  # of each chunk that is on its way: voxels, encoded, packed, and what the codecs need
A_CHUNK = 1000  # bytes of knowing about one: its box, its number, its place

# How much larger than their voxels chunks of noise can become; those of images and labels shrink.
_GROWTH = {"compressed_segmentation": 1.6, "compresso": 1.2, "crackle": 2.2}
_USUAL_GROWTH = 1.1


def growth_of(encoding: str) -> float:
    """How much larger than its voxels an encoded chunk of noise can become."""
    return _GROWTH.get(encoding, _USUAL_GROWTH)


def fetching_bytes(scale: Scale, voxel_bytes: int, voxels: int) -> float:
    """The parts of shards that are on their way, and what is cut out of them, while so many voxels are read; 0 without shards."""
    if scale.sharding is None:
        return 0.0
    growth = growth_of(scale.encoding)
    chunk = math.prod(scale.chunk) * voxel_bytes * growth
    return min((2 * AHEAD + 1) * 2 * max(MOST, chunk), 2 * voxels * voxel_bytes * growth)
