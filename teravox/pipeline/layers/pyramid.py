"""The scales above a mip: what a downsample adds to an info, and what it finds there."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.codec import check_encoding
from teravox.pipeline.layers.encoding import encoding_words, keep_words
from teravox.pipeline.layers.info import Json, Scale
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import scale_key, tidy


def scales_above(layer: Layer, mip: int, factor: Vec, count: int, encoding: str | None) -> list[Json]:
    """The `count` scales above a mip, as they are to stand in the info; those that are there already as they are.

    Sizes are rounded up and offsets down, as CloudVolume does. None as the encoding is that of the mip below.
    A scale that is there with another voxel size, place or encoding raises BadInput, and so does a sharded one.
    """
    raw = layer.raw["scales"]
    source = layer.scale(mip)
    above: list[Json] = []
    size = list(source.size)
    for step in range(1, count + 1):
        new = _downscaled(raw[mip], source, factor, step, encoding)
        if new["size"] == size:
            raise BadUsage(
                f"mip {mip + step - 1} of layer {layer.url} is of {_say(tuple(size))} voxels and cannot shrink further by {_say(factor)}"
            )
        size = new["size"]
        if mip + step < len(raw):
            _check_same(layer, mip + step, new, factor, encoding)
            above.append(raw[mip + step])
        else:
            check_encoding(new["encoding"], layer.info)
            if new["key"] in [scale["key"] for scale in raw + above]:
                raise BadInput(f"layer {layer.url} has a scale of key {new['key']} already, below mip {mip + step}")
            above.append(new)
    return above


def add_scales(layer: Layer, mip: int, factor: Vec, count: int, encoding: str | None) -> Layer:
    """Write the scales above a mip into the info, at once; nothing is written where they are there already."""
    above = scales_above(layer, mip, factor, count, encoding)
    raw = layer.raw
    new = above[len(raw["scales"]) - mip - 1 :]
    if not new:
        return layer
    raw["scales"] += new
    return layer.write_info(raw)


def alignment(chunks: list[Vec], factor: Vec) -> Vec:
    """The smallest size, in voxels of the mip below, whose multiples end between chunks of every scale above."""
    size = [1, 1, 1]
    for step, chunk in enumerate(chunks, start=1):
        size = [math.lcm(n, c * f**step) for n, c, f in zip(size, chunk, factor, strict=True)]
    return (size[0], size[1], size[2])


def above_box(box: Box, below: Box, above: Box, factor: Vec, step: int) -> Box:
    """What a box becomes `step` mips up; `below` and `above` are the bounds of the two mips.

    Cells are counted from the lower corner of the bounds, so the box must begin on a cell there.
    """
    low, high = [], []
    for axis in range(3):
        cell = factor[axis] ** step
        low.append(above.min[axis] + (box.min[axis] - below.min[axis]) // cell)
        high.append(above.min[axis] - (below.min[axis] - box.max[axis]) // cell)
    return Box((low[0], low[1], low[2]), (high[0], high[1], high[2]))


def _downscaled(raw: Json, source: Scale, factor: Vec, step: int, encoding: str | None) -> Json:
    cell = [f**step for f in factor]
    resolution = [tidy(r * c) for r, c in zip(source.resolution, cell, strict=True)]
    encoding = encoding or source.encoding
    new: Json = {
        "chunk_sizes": [list(source.chunk)],
        "key": scale_key((resolution[0], resolution[1], resolution[2])),
        "resolution": resolution,
        "size": [-(-n // c) for n, c in zip(source.size, cell, strict=True)],
        "voxel_offset": [n // c for n, c in zip(source.voxel_offset, cell, strict=True)],
    }
    return new | encoding_words(encoding) | (keep_words(raw) if encoding == source.encoding else {})


def _check_same(layer: Layer, mip: int, new: Json, factor: Vec, encoding: str | None) -> None:
    there = layer.scale(mip)
    expected = msgspec.convert(new, Scale)
    place = f"mip {mip} of layer {layer.url}"
    if not all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(there.resolution, expected.resolution, strict=True)):
        raise BadInput(
            f"{place} has voxels of {_say(there.resolution)} nm, and --factor {_say(factor)} would make them "
            f"{_say(expected.resolution)} nm; the pyramid that is there stays as it is"
        )
    if there.bounds != expected.bounds:
        raise BadInput(
            f"{place} covers {there.bounds}, and downsampling would make it {expected.bounds}; "
            "the pyramid that is there stays as it is"
        )
    if there.sharding is not None:
        raise BadInput(f"{place} is sharded, and chunks cannot be put into shards one by one; it stays as it is")
    if encoding is not None and there.encoding != encoding:
        raise BadInput(
            f"{place} is encoded as {there.encoding}, and not as {encoding}; leave --encoding out to keep that"
        )


def _say(numbers: tuple[int | float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
