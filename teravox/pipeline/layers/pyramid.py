"""The scales above a mip: what a downsample adds to an info, and what it finds there."""

from __future__ import annotations

import math

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadInput, BadUsage
from teravox.pipeline.layers.encoding import encoding_words, packing_of, words_like
from teravox.pipeline.layers.encodings import check_encoding
from teravox.pipeline.layers.info import Json, Scale, encode_info
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_scale


class NewMips(msgspec.Struct, frozen=True, kw_only=True):
    """How the mips above another are to be, by the names of the options; None and auto: as those below them are."""

    factor: Vec
    encoding: str = "auto"
    encoding_level: int | None = None
    encoding_effort: int | None = None
    chunk_size: Vec | None = None
    sharded: bool | None = None
    compress: str = "auto"


def scales_above(layer: Layer, mip: int, count: int, new: NewMips) -> list[Json]:
    """The `count` scales above a mip, as they are to stand in the info; those that are there already as they are.

    Those that are not there are without shards yet. Sizes are rounded up and offsets down, as CloudVolume does.
    A scale that is there and is not as it was asked for raises BadInput.
    """
    raw = layer.raw["scales"]
    source = layer.scale(mip)
    above: list[Json] = []
    size = list(source.size)
    for step in range(1, count + 1):
        scale = _downscaled(raw[mip], source, step, new)
        if scale["size"] == size:
            raise BadUsage(
                f"mip {mip + step - 1} of layer {layer.url} is of {_say(tuple(size))} voxels and cannot shrink further by {_say(new.factor)}"
            )
        size = scale["size"]
        if mip + step < len(raw):
            _check_same(layer, mip + step, scale, new)
            above.append(raw[mip + step])
        else:
            check_encoding(scale["encoding"], layer.info)
            if scale["key"] in [other["key"] for other in raw + above]:
                raise BadInput(f"layer {layer.url} has a scale of key {scale['key']} already, below mip {mip + step}")
            above.append(scale)
    return above


def with_scales(layer: Layer, mip: int, above: list[Json]) -> Layer:
    """The layer as it is with these scales above a mip; its info is not written, `write_info` does that."""
    raw = layer.raw
    new = above[len(raw["scales"]) - mip - 1 :]
    raw["scales"] += new
    return Layer(layer.store, encode_info(raw)) if new else layer


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


def _downscaled(raw: Json, source: Scale, step: int, new: NewMips) -> Json:
    cell = [f**step for f in new.factor]
    rx, ry, rz = (r * c for r, c in zip(source.resolution, cell, strict=True))
    x, y, z = (n // c for n, c in zip(source.voxel_offset, cell, strict=True))
    sx, sy, sz = (-(-n // c) for n, c in zip(source.size, cell, strict=True))
    return new_scale(
        bounds=Box((x, y, z), (x + sx, y + sy, z + sz)),
        resolution=(rx, ry, rz),
        chunk=new.chunk_size or source.chunk,
        encoding=words_like(raw, new.encoding, level=new.encoding_level, effort=new.encoding_effort),
    )


def _check_same(layer: Layer, mip: int, new: Json, wish: NewMips) -> None:
    there = layer.scale(mip)
    expected = msgspec.convert(new, Scale)
    place = layer.place(mip)
    if not all(math.isclose(a, b, rel_tol=1e-6) for a, b in zip(there.resolution, expected.resolution, strict=True)):
        raise BadInput(
            f"{place} has voxels of {_say(there.resolution)} nm, and --factor {_say(wish.factor)} would make them "
            f"{_say(expected.resolution)} nm; the pyramid that is there stays as it is"
        )
    if there.bounds != expected.bounds:
        raise BadInput(
            f"{place} covers {there.bounds}, and downsampling would make it {expected.bounds}; "
            "the pyramid that is there stays as it is"
        )
    if len(there.chunk_sizes) > 1:
        raise BadInput(
            f"{place} offers chunks of {len(there.chunk_sizes)} sizes, of which one would be written and the others would "
            f"stay as they were: remove it with `teravox image rm {layer.url} --mip {mip}`, and make it again"
        )
    if wish.sharded is not None and wish.sharded != (there.sharding is not None):
        is_now, option = ("not sharded", "--sharded") if wish.sharded else ("sharded", "--no-sharded")
        raise BadInput(f"{place} is {is_now}, and stays so; leave {option} out to write it as it is")
    if there.sharding is not None:
        packing_of(wish.compress, there.encoding)
    if wish.encoding not in ("auto", there.encoding):
        raise BadInput(
            f"{place} is encoded as {there.encoding}, and not as {wish.encoding}; leave --encoding out to keep that"
        )
    if wish.chunk_size is not None and there.chunk != wish.chunk_size:
        raise BadInput(
            f"{place} has chunks of {_say(there.chunk)}, and not of {_say(wish.chunk_size)}; leave --chunk-size out to keep that"
        )
    _check_level(layer, mip, wish)


def _check_level(layer: Layer, mip: int, wish: NewMips) -> None:
    raw = layer.raw["scales"][mip]
    asked = encoding_words(raw["encoding"], level=wish.encoding_level, effort=wish.encoding_effort)
    for word in asked.keys() - encoding_words(raw["encoding"]):
        if raw.get(word) != asked[word]:
            raise BadInput(
                f"{layer.place(mip)} has {word} {raw.get(word, 'unsaid')}, and not {asked[word]}; "
                "leave --encoding-level and --encoding-effort out to keep that"
            )


def _say(numbers: tuple[int | float, ...]) -> str:
    return ",".join(f"{number:g}" for number in numbers)
