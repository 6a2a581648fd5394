"""Which chunks of a scale a box touches, and their keys."""

from __future__ import annotations

from collections.abc import Iterator

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.layers.info import Scale


def chunk_key(scale: Scale, chunk: Box) -> str:
    """The key of a chunk, as Precomputed names it: `8_8_40/0-128_0-128_0-64`."""
    return f"{scale.key}/" + "_".join(f"{a}-{b}" for a, b in zip(chunk.min, chunk.max, strict=True))


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
