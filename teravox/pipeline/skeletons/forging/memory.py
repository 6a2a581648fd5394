"""What forging a piece needs of memory, and how much of it is left for skeletons."""

from __future__ import annotations

import math
from typing import NamedTuple

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes
from teravox.pipeline.layers.layer import Layer

KERNELS = 100_000_000  # bytes of what is compiled for skeletons, and of what memory cannot give back
NUMBER = 4  # bytes of a voxel, as a number
DISTANCE = 4
MEASURING = 8  # bytes of a voxel while distances are measured, these included
COMPONENT = 4
# Bytes of a voxel while skeletons are traced, besides those two: where one label has all, and a hole in it is filled.
TRACING = 43
KIMIMARO = 60  # the same by kimimaro, whose largest label takes most
SECTIONS = 5  # bytes of a voxel while areas are measured
BODY = 2_000  # bytes of a component, with its skeleton
LEAST_ROOM = 60_000_000  # bytes that are kept for skeletons, whatever the size of pieces
RESERVED = 0.5  # bytes of a voxel that are kept for skeletons when the size of pieces is chosen


class Needs(NamedTuple):
    """What besides tracing is done in a piece."""

    fill_holes: bool
    fix_avocados: bool
    cross_section: bool
    margin: int  # voxels around a piece that are read for areas that were cut off; 0: none
    kimimaro: bool


def fixed_bytes(layer: Layer, mip: int, own: int, read: int, again: int, needs: Needs) -> int:
    """What a piece of so many voxels needs, without what its skeletons take.

    It reads `read` voxels, and `again` ones where areas are measured anew.
    """
    return LIBRARIES + KERNELS + max(_reading(layer, mip, max(read, again)), _working(layer, own, read, again, needs))


def least_room(voxels: int) -> int:
    """What is to be free for the skeletons of a piece that is chosen to be so large."""
    return min(most_room(voxels), LEAST_ROOM + math.ceil(RESERVED * voxels))


def most_room(voxels: int) -> int:
    """What skeletons of so many voxels can take at most: each voxel is one."""
    return BODY * voxels


def _reading(layer: Layer, mip: int, voxels: int) -> int:
    scale, item = layer.scale(mip), layer.info.itemsize
    chunks = COPIES * layer.lanes * math.prod(scale.chunk) * item
    return chunks + math.ceil(fetching_bytes(scale, item, voxels)) + voxels * item


def _working(layer: Layer, own: int, read: int, again: int, needs: Needs) -> int:
    from teravox.kernels.mesh.cavities import FILLING

    item, number = layer.info.itemsize, min(NUMBER, layer.info.itemsize)
    holes = FILLING if needs.fill_holes or needs.fix_avocados else 0
    pits = COMPONENT + DISTANCE if needs.fix_avocados else 0
    numbering = read * (item + number)
    cropped = 0 if own == read else own * DISTANCE
    measuring = read * (number + max(holes, MEASURING) + pits) + cropped
    kept = read * number if needs.cross_section else 0
    tracing = kept + own * (DISTANCE + COMPONENT + (KIMIMARO if needs.kimimaro else TRACING))
    sections = (read * (number + SECTIONS)) if needs.cross_section else 0
    repairing = again * (number + max(item, holes, SECTIONS))
    return max(numbering, measuring, tracing, sections, repairing)
