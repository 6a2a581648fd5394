"""Says how a layer will be sharded, before that is used."""

from __future__ import annotations

import math
from collections.abc import Iterable

from teravox.pipeline.box import Grid
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.shapes import clip
from teravox.pipeline.layers.sharding.spec import parse_spec
from teravox.pipeline.units import say_bytes


def say_shards(layer: Layer, mips: Iterable[int] | None = None) -> list[str]:
    """A sentence for each of these mips that is sharded; None means all."""
    return [
        _say(layer, mip)
        for mip in (range(len(layer.info.scales)) if mips is None else mips)
        if layer.scale(mip).sharding is not None
    ]


def _say(layer: Layer, mip: int) -> str:
    scale = layer.scale(mip)
    spec, unit = parse_spec(scale.sharding or {}, layer.place(mip)), clip(layer.unit(mip), scale.size)
    shards = len(Grid(scale.bounds, layer.unit(mip)))
    size = math.prod(unit) * layer.info.num_channels * layer.info.itemsize
    return (
        f"{layer.url} scale {scale.key}: {'1 shard' if shards == 1 else f'{shards:,} shards'} of "
        f"{','.join(map(str, unit))} voxels ({say_bytes(size)} before encoding); preshift_bits {spec.preshift_bits}, "
        f"minishard_bits {spec.minishard_bits}, shard_bits {spec.shard_bits}, chunks packed as {spec.data_encoding}"
    )
