"""Which chunks of a scale a box touches, and their keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.layers.info import Scale

_NAME = re.compile(r"(-?[0-9]{1,18})-(-?[0-9]{1,18})_(-?[0-9]{1,18})-(-?[0-9]{1,18})_(-?[0-9]{1,18})-(-?[0-9]{1,18})")


def chunk_key(scale: Scale, chunk: Box) -> str:
    """The key of a chunk, as Precomputed names it: `8_8_40/0-128_0-128_0-64`."""
    return f"{scale.key}/" + "_".join(f"{a}-{b}" for a, b in zip(chunk.min, chunk.max, strict=True))


def find_chunk(scale: Scale, key: str) -> Box | None:
    """The chunk that a key of a scale names; None where it names none."""
    folder, _, name = key.rpartition("/")
    said = _NAME.fullmatch(name)
    if said is None or folder != scale.key:
        return None
    x0, x1, y0, y1, z0, z1 = map(int, said.groups())
    box = Box((x0, y0, z0), (x1, y1, z1)).intersect(scale.bounds)
    if box.is_empty or next(chunks_of(scale, box)) != box or chunk_key(scale, box) != key:
        return None
    return box


def chunks_of(scale: Scale, box: Box) -> Iterator[Box]:
    """The chunks that a box within the bounds touches; those at the upper faces end at the bounds."""
    return (chunk.intersect(scale.bounds) for chunk in Grid(align_outward(scale, box), scale.chunk))


def align_outward(scale: Scale, box: Box, unit: Vec | None = None) -> Box:
    """The box grown to whole chunks, or to other units, beyond the bounds where the last ones are cut off."""
    low: list[int] = []
    high: list[int] = []
    for a, b, start, length in zip(box.min, box.max, scale.voxel_offset, unit or scale.chunk, strict=True):
        low.append(start + (a - start) // length * length)
        high.append(start - (start - b) // length * length)
    return Box(_vec(low), _vec(high))


def is_aligned(scale: Scale, box: Box, unit: Vec | None = None) -> bool:
    """Whether a box is made of whole chunks, or of other units."""
    return not box.is_empty and align_outward(scale, box, unit).intersect(scale.bounds) == box


def _vec(numbers: list[int]) -> Vec:
    x, y, z = numbers
    return (x, y, z)
