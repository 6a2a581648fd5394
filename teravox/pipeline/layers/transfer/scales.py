"""The scales of a copy, as they are to stand in its info."""

from __future__ import annotations

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.encoding import encoding_words, keep_words, words_like
from teravox.pipeline.layers.info import Json
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.new_layer import new_scale
from teravox.pipeline.layers.transfer.cut import Cut
from teravox.pipeline.layers.transfer.wish import Wish


def copied_scales(wish: Wish, source: Layer, cut: Cut) -> list[Json]:
    """The copy of a mip, and after it what is downsampled from it on the way; nothing of it is sharded.

    Of the source's scale it keeps the key, the size of voxels, and, where the encoding stays, what is said of that.
    """
    raw, scale = source.raw["scales"][cut.mip], source.scale(cut.mip)
    bounds, chunk = cut.moved, wish.chunk_size or scale.chunk
    words = copied_words(wish, raw)
    scales = [new_scale(bounds=bounds, resolution=scale.resolution, chunk=chunk, encoding=words, key=scale.key)]
    for step in range(1, wish.num_mips + 1):
        x, y, z = (n * f**step for n, f in zip(scale.resolution, wish.factor, strict=True))
        above = shrink(bounds, wish.factor, step)
        if above.size == shrink(bounds, wish.factor, step - 1).size:
            raise BadUsage(
                f"--num-mips: after {step - 1} the copy is of {','.join(map(str, above.size))} voxels and "
                f"cannot shrink further by {','.join(map(str, wish.factor))}"
            )
        scales.append(new_scale(bounds=above, resolution=(x, y, z), chunk=chunk, encoding=words))
    keys = [made["key"] for made in scales]
    if len(set(keys)) < len(keys):
        raise BadUsage(f"--num-mips: mip {cut.mip} of {source.url} has the key {scale.key} of a mip above it")
    return scales


def copied_words(wish: Wish, raw: Json) -> Json:
    """What the copy of a scale says of its encoding."""
    return words_like(raw, wish.encoding, level=wish.encoding_level, effort=wish.encoding_effort)


def is_encoded_alike(wish: Wish, raw: Json) -> bool:
    """Whether encoded chunks of a scale are what its copy is to hold."""
    return copied_words(wish, raw) == encoding_words(raw["encoding"]) | keep_words(raw)


def shrink(bounds: Box, factor: Vec, step: int) -> Box:
    """The bounds of a mip `step` above others: sizes are rounded up and offsets down."""
    x, y, z = (n // f**step for n, f in zip(bounds.min, factor, strict=True))
    sx, sy, sz = (-(-n // f**step) for n, f in zip(bounds.size, factor, strict=True))
    return Box((x, y, z), (x + sx, y + sy, z + sz))
