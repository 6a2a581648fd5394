"""The chunks of a sharded scale: their numbers, and the boxes of voxels that shards cover."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput
from teravox.pipeline.layers.info import Scale
from teravox.pipeline.layers.sharding.morton import Morton
from teravox.pipeline.layers.sharding.spec import ShardSpec, parse_spec


class ChunkNumbers(msgspec.Struct, frozen=True):
    """Chunks by their numbers."""

    scale: Scale
    spec: ShardSpec
    morton: Morton

    def of(self, chunks: Sequence[Box]) -> list[int]:
        """The number of each chunk."""
        import numpy as np

        corners = np.array([chunk.min for chunk in chunks], np.int64).reshape(-1, 3)
        cells = (corners - np.array(self.scale.voxel_offset)) // np.array(self.scale.chunk)
        numbers: list[int] = self.morton.codes(cells).tolist()
        return numbers

    def shards_of(self, chunks: Sequence[Box]) -> list[int]:
        """The shard of each chunk."""
        import numpy as np

        shards: list[int] = self.spec.places(np.array(self.of(chunks), np.uint64))[0].tolist()
        return shards


def chunk_numbers(scale: Scale, place: str) -> ChunkNumbers:
    """The numbers of a sharded scale's chunks; BadInput names the place where the sharding cannot be read."""
    if scale.sharding is None:
        raise ValueError(f"{place} is not sharded")
    x, y, z = (-(-n // c) for n, c in zip(scale.size, scale.chunk, strict=True))
    return ChunkNumbers(scale, parse_spec(scale.sharding, place), Morton((x, y, z)))


def unit_of(scale: Scale, place: str) -> Vec:
    """The size of what is written as one object: a chunk, or the brick of chunks that make a shard.

    BadInput where the shards are no bricks, because numbers are hashed.
    """
    if scale.sharding is None:
        return scale.chunk
    numbers = chunk_numbers(scale, place)
    spec = numbers.spec
    if spec.hash != "identity" and spec.shard_bits:
        raise BadInput(
            f"{place}: its shards hold chunks from all over the volume ({spec.hash}), which are only read here"
        )
    brick = numbers.morton.brick(min(spec.preshift_bits + spec.minishard_bits, numbers.morton.bits))
    if spec.preshift_bits + spec.minishard_bits + spec.shard_bits < numbers.morton.bits:
        raise BadInput(f"{place}: its sharding has too few bits for its {numbers.morton.bits}, so shards are no boxes")
    return (brick[0] * scale.chunk[0], brick[1] * scale.chunk[1], brick[2] * scale.chunk[2])
