"""One label of a block, as people name it: by its id, or by a voxel that it has."""

from __future__ import annotations

import re
from typing import NamedTuple

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.segmentation.segmented import Segmented

_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)
_PLACE = re.compile(r"\s*(-?[0-9]{1,18})\s*,\s*(-?[0-9]{1,18})\s*,\s*(-?[0-9]{1,18})\s*", re.ASCII)


class Label(NamedTuple):
    """A label within its block."""

    block: int
    local: int


def find_label(segmented: Segmented, text: str) -> Label:
    """The label that is meant; BadUsage where there is none."""
    place = _PLACE.fullmatch(text)
    if place is not None:
        return _at(segmented, (int(place[1]), int(place[2]), int(place[3])))
    if _NUMBER.fullmatch(text.strip()):
        return _by_id(segmented, int(text))
    raise BadUsage(f"expected the id of a label, or a voxel as x,y,z, got {text[:80]!r}")


def id_of(segmented: Segmented, label: Label) -> int:
    """What a label that is not preserved is called in the whole."""
    return segmented.base + (label.block << segmented.bits | label.local)


def _at(segmented: Segmented, place: Vec) -> Label:
    x, y, z = place
    bounds, grid = segmented.grid.bounds, segmented.grid
    if Box(place, (x + 1, y + 1, z + 1)).intersect(bounds).is_empty:
        raise BadUsage(
            f"the voxel {x},{y},{z} lies outside of the blocks, which are {bounds} in voxels of mip {segmented.mip}"
        )
    low, shape = bounds.min, grid.shape
    cell = ((x - low[0]) // shape[0], (y - low[1]) // shape[1], (z - low[2]) // shape[2])
    index = segmented.blocks.number(cell)
    corner = grid[index].min
    local = 0
    if segmented.used(index):
        local = int(segmented.core(index)[x - corner[0], y - corner[1], z - corner[2]])
    if local == 0:
        raise BadUsage(f"the voxel {x},{y},{z} is background; name one that lies in a label")
    return _joinable(segmented, Label(index, local), f"the voxel {x},{y},{z}")


def _by_id(segmented: Segmented, id: int) -> Label:
    inner = id - segmented.base
    block, local = inner >> segmented.bits, inner & ((1 << segmented.bits) - 1)
    if inner <= 0 or not segmented.used(block) or not 0 < local <= len(segmented.sizes(block).core):
        raise BadUsage(
            f"no block has a label with the id {id}; bodies have the ids of labels unless they were numbered by "
            "--consecutive or preserved: name a voxel of the body instead, as x,y,z"
        )
    return _joinable(segmented, Label(block, local), str(id))


def _joinable(segmented: Segmented, label: Label, text: str) -> Label:
    if label.local in segmented.preserved(label.block).locals:
        raise BadUsage(f"{text} is a preserved body: no rule joins it with anything")
    return label
