"""What it takes to compare a box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes

if TYPE_CHECKING:
    from teravox.pipeline.evaluation.declaration import Evaluation
    from teravox.pipeline.evaluation.plan import Plan

SLAB = 1 << 21  # voxels that a thread counts at once
COUNTERS = 4  # threads that count
_BORDERS = 4  # bytes of a voxel while `near_borders` works
_COUNTING = 100  # bytes of a pair while `count_pairs` works
_ADDING = 70  # bytes of a row while `add_up` works, the rows themselves included
_WIDENED = 16  # bytes of a voxel of a slab: both its labels with 64 bits
_CHOSEN = 16  # more bytes of it where some voxels are chosen: both labels again
_COMPONENTS = 18  # bytes of a voxel of a region whose components are found: theirs, and what it takes to find them


def reading_bytes(job: Evaluation[Any], plan: Plan, box: Box) -> int:
    """The bytes that it takes to compare a box, without the tables of what is found."""
    wide = plan.around(box, job.boundary)
    size_a, size_b = plan.a.info.itemsize, plan.b.info.itemsize
    channels = plan.b.info.num_channels
    held = wide.voxels * size_a + box.voxels * size_b * channels
    if any(job.boundary):
        held += wide.voxels * _BORDERS
    slab = _WIDENED
    if job.probabilities:
        held += 4 * box.voxels
    if job.mask is not None or any(job.boundary):
        held += 4 * box.voxels
        slab += _CHOSEN
    slabs = min(box.voxels, COUNTERS * SLAB) * slab
    if job.heat_map is not None:
        slabs = max(slabs, min(box.voxels, math.prod(job.heat_map)) * (_COMPONENTS + size_a + size_b + _WIDENED))
    chunks = 0
    for layer, mip, size in ((plan.a, plan.mip_a, size_a), (plan.b, plan.mip_b, size_b * channels)):
        scale = layer.scale(mip)
        ways = min(layer.lanes, math.prod(-(-n // c) + 1 for n, c in zip(wide.size, scale.chunk, strict=True)))
        fetched = math.ceil(fetching_bytes(scale, size, wide.voxels))
        chunks = max(chunks, COPIES * ways * math.prod(scale.chunk) * size + fetched)
    return LIBRARIES + held + max(slabs, chunks)


def room_for_pairs(job: Evaluation[Any], plan: Plan, box: Box) -> int:
    """How many pairs of labels may be found in a box."""
    free = max(0, job.memory_limit - reading_bytes(job, plan, box))
    return min(free // _bytes_of_pair(job, box), box.voxels)


def counting_bytes(job: Evaluation[Any], plan: Plan, box: Box) -> int:
    """The most bytes that comparing a box may take."""
    return reading_bytes(job, plan, box) + room_for_pairs(job, plan, box) * _bytes_of_pair(job, box)


def _bytes_of_pair(job: Evaluation[Any], box: Box) -> int:
    """What a pair takes: in the tables of the threads, and while these are added up; of a region once more."""
    threads = min(COUNTERS, -(-box.voxels // SLAB))
    return threads * _COUNTING + (3 if job.heat_map is None else 6) * _ADDING
