"""Says how a copy will be sharded, before that is used."""

from __future__ import annotations

import math
from collections.abc import Iterator

from teravox.pipeline.box import Grid
from teravox.pipeline.layers.shapes import clip
from teravox.pipeline.layers.sharding.spec import parse_spec
from teravox.pipeline.layers.transfer.plan import Plan
from teravox.pipeline.units import say_bytes


def say_shards(plan: Plan) -> Iterator[str]:
    """A sentence for each sharded scale of the destination."""
    target = plan.target
    for mip, scale in enumerate(target.info.scales):
        if scale.sharding is None:
            continue
        spec, unit = parse_spec(scale.sharding, target.place(mip)), clip(target.unit(mip), scale.size)
        shards = len(Grid(scale.bounds, target.unit(mip)))
        size = math.prod(unit) * target.info.num_channels * target.dtype.itemsize
        yield (
            f"{target.url} scale {scale.key}: {'1 shard' if shards == 1 else f'{shards:,} shards'} of "
            f"{','.join(map(str, unit))} voxels ({say_bytes(size)} before encoding); preshift_bits {spec.preshift_bits}, "
            f"minishard_bits {spec.minishard_bits}, shard_bits {spec.shard_bits}, chunks packed as {spec.data_encoding}"
        )
