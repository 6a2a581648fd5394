"""What forging a piece needs of memory, and how much of it is left for surfaces."""

from __future__ import annotations

import math

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Vec
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes
from teravox.pipeline.layers.layer import Layer

KERNELS = (
    60_000_000  # bytes of what is compiled for meshes, and of what memory cannot give back because it is in pieces
)
FACES = 2.25  # faces of a vertex, at most, in surfaces that are no sponge of single voxels
NOISE = 8.0  # faces of a voxel where each voxel is a label of its own
MARCHED = 21  # bytes of a face, from marching until it is taken out
LABEL = 900  # bytes of a label, besides its faces
WORK = 240  # bytes of a face while its surface is taken out, simplified and packed
PLAIN_WORK = 130  # the same where it is not simplified
RESERVED = 5  # bytes of a voxel that are kept for surfaces when the size of pieces is chosen
LEAST_ROOM = 100_000_000  # bytes that are kept for surfaces, whatever the size of pieces


def voxel_bytes(layer: Layer, *, fill_holes: bool) -> int:
    """What a voxel takes: as it is read, with a byte to single out a label, for which 64-bit ones have room."""
    from teravox.kernels.mesh.cavities import FILLING

    return min(8, layer.info.itemsize + 1) + (FILLING if fill_holes else 0)


def fixed_bytes(layer: Layer, mip: int, size: Vec, *, fill_holes: bool) -> int:
    """What a piece of such a size, border included, needs before it has a surface."""
    scale = layer.scale(mip)
    item = layer.info.itemsize
    voxels = math.prod(size)
    chunks = COPIES * layer.lanes * math.prod(scale.chunk) * item + math.ceil(fetching_bytes(scale, item, voxels))
    return LIBRARIES + KERNELS + chunks + voxels * voxel_bytes(layer, fill_holes=fill_holes)


def planned_bytes(layer: Layer, mip: int, size: Vec, *, fill_holes: bool) -> int:
    """What is to be free for a piece of such a size to be chosen."""
    most = surface_bytes(math.prod(size))
    return fixed_bytes(layer, mip, size, fill_holes=fill_holes) + min(most, LEAST_ROOM + RESERVED * math.prod(size))


def surface_bytes(voxels: int) -> int:
    """What the surfaces of so many voxels can take at most."""
    return math.ceil(NOISE * voxels) * (MARCHED + WORK) + LABEL * voxels
