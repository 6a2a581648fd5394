"""What one pass makes of a mip: the scales above it, and the boxes in which it gets them done."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.chunk_numbers import unit_of
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.pyramid import above_box
from teravox.pipeline.layers.shapes import common


class Result(NamedTuple):
    """A box of a mip that is made; `step` counts the mips from the one that is read."""

    step: int
    scale: Scale
    box: Box


class Nest(NamedTuple):
    """A size, in voxels of the mip that is read, in which the shards of a mip end, and those of all smaller nests."""

    step: int
    size: Vec


class MipsMade(msgspec.Struct, frozen=True):
    """The scales that are made of a mip, whether the info has them already or not."""

    layer: Layer
    mip: int
    factor: Vec
    above: tuple[Scale, ...]

    @property
    def source(self) -> Scale:
        return self.layer.scale(self.mip)

    @property
    def chunks(self) -> Vec:
        """The smallest size, in voxels of the mip that is read, whose multiples end between chunks of every scale."""
        return common([(1, 1, 1), *(scale.chunk for scale in self.above)], self.factor)

    @property
    def units(self) -> Vec:
        """The smallest size whose multiples end between chunks and shards of every scale."""
        units = [unit_of(scale, self.layer.place(self.mip + step)) for step, scale in enumerate(self.above, start=1)]
        return common([(1, 1, 1), *units], self.factor)

    @property
    def nests(self) -> list[Nest]:
        """For each sharded scale the size in which its shards end, the smallest first: who walks through a box of that
        size holds none of its shards before and none after."""
        units = []
        for step, scale in enumerate(self.above, start=1):
            if scale.sharding is not None:
                unit = unit_of(scale, self.layer.place(self.mip + step))
                units.append(Nest(step, common([(1, 1, 1)] * step + [unit], self.factor)))
        size = self.chunks
        nests = []
        for step, unit in sorted(units, key=lambda nest: math.prod(nest.size)):
            size = common([size, unit], (1, 1, 1))
            nests.append(Nest(step, size))
        return nests

    def results(self, box: Box) -> Iterator[Result]:
        """What a box of the mip that is read becomes."""
        for step, scale in enumerate(self.above, start=1):
            yield Result(step, scale, above_box(box, self.source.bounds, scale.bounds, self.factor, step))

    def bytes_of(self, size: Vec) -> int:
        """What the voxels of a box of this size take."""
        return math.prod(size) * self.layer.info.num_channels * self.layer.info.itemsize
