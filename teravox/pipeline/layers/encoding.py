"""What a scale says of its encoding: the word, its level and its effort."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, get_args

from teravox.kernels.deflate import REACH
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.info import Info, Scale
from teravox.pipeline.layers.sharding.spec import Packing
from teravox.pipeline.storage.compression import check_level
from teravox.pipeline.store import Compression

Json = dict[str, Any]  # JSON may hold anything

# encoding → the words of a scale that belong to it
WORDS: dict[str, tuple[str, ...]] = {
    "compressed_segmentation": ("compressed_segmentation_block_size",),
    "jpeg": ("jpeg_quality",),
    "png": ("png_level",),
    "jxl": ("jxl_quality", "jxl_effort", "jxl_decodingspeed"),
    "fpzip": ("fpzip_precision",),
    "zfpc": ("zfpc_rate", "zfpc_precision", "zfpc_tolerance", "zfpc_correlated_dims"),
}

# What the codecs leave to gain for gzip is worth its time.
PACKED_WELL = frozenset({"raw", "compressed_segmentation", "compresso", "crackle", "zfpc"})

LARGE = 1 << 26  # bytes of a layer, which take gzip as long as it takes to load something better

_WORDS: dict[str, Compression | None] = {"none": None, **{how: how for how in get_args(Compression)}}


class Limits(NamedTuple):
    """The word that a level or an effort has in a scale, and what it may be."""

    word: str
    least: int
    most: int


LEVELS = {
    "jpeg": Limits("jpeg_quality", 0, 100),
    "png": Limits("png_level", 0, 9),
    "jxl": Limits("jxl_quality", 0, 100),
    "fpzip": Limits("fpzip_precision", 0, 32),
    "zfpc": Limits("zfpc_precision", 0, 64),
}
EFFORTS = {"jxl": Limits("jxl_effort", 1, 10)}


def encoding_words(encoding: str, *, level: int | None = None, effort: int | None = None) -> Json:
    """What is to stand in a scale for an encoding; BadUsage where it has no such level or effort."""
    words: Json = {"encoding": encoding}
    if encoding == "compressed_segmentation":
        words["compressed_segmentation_block_size"] = [8, 8, 8]
    for option, value, limits in (("level", level, LEVELS), ("effort", effort, EFFORTS)):
        if value is None:
            continue
        if encoding not in limits:
            raise BadUsage(f"--encoding-{option}: {encoding} has none; {', '.join(limits)} have")
        word, least, most = limits[encoding]
        if not least <= value <= most:
            raise BadUsage(f"--encoding-{option}: {encoding} takes {least} to {most}, got {value}")
        words[word] = value
    return words


def keep_words(raw: Json) -> Json:
    """What a scale says of its encoding, to be said again in another."""
    return {word: raw[word] for word in ("encoding", *WORDS.get(raw["encoding"], ())) if word in raw}


def words_like(raw: Json, encoding: str, *, level: int | None, effort: int | None) -> Json:
    """What a scale is to say of its encoding that is made of another: what was asked for, and with `auto` what that one says."""
    name = raw["encoding"] if encoding == "auto" else encoding
    asked = encoding_words(name, level=level, effort=effort)
    if name != raw["encoding"]:
        return asked
    usual = encoding_words(name)
    return usual | keep_words(raw) | {word: asked[word] for word in asked.keys() - usual.keys()}


def compression_of(compress: str, encoding: str) -> Compression | None:
    """How stored chunks of an encoding are compressed, if `--compress` says so; auto: gzip where that gains something."""
    if compress == "auto":
        return "gzip" if encoding in PACKED_WELL else None
    return _WORDS[compress]


def check_compress_level(compress: str, level: int | None) -> None:
    """Raise BadUsage where `--compress-level` means nothing."""
    if level is None:
        return
    if compress == "auto":
        raise BadUsage("--compress-level: means nothing without --compress gzip, br or zstd")
    check_level(_WORDS[compress], level)


def gzip_level(encoding: str) -> int | None:
    """The level of gzip that measured best for an encoding; None: the one that is best for most.

    Level 5 leaves raw labels of 64 bits 28 to 45 % larger than level 9 does, and level 7 6 to 15 %, in half of its time;
    of grey images all make the same in the same time.
    """
    return 7 if encoding == "raw" else None


def is_packed_as_labels(info: Info, scale: Scale) -> bool:
    """Whether chunks of a mip are packed by the repetitions of labels, where gzip is asked for and no level of it.

    That is as small as the usual level in a third of its time where the next plane of a chunk lies within the reach of gzip,
    as it hardly does with labels of 64 bits, and where there is enough to pack that loading it pays. It goes by the layer,
    so that all tasks do the same.
    """
    if scale.encoding != "raw" or info.type != "segmentation" or info.data_type != "uint32":
        return False
    is_large = math.prod(info.scales[0].size) * info.num_channels * info.itemsize >= LARGE
    x, y, _ = scale.chunk
    return is_large and (x * y + x + 1) * info.itemsize <= REACH


def packing_of(compress: str, encoding: str) -> Packing:
    """How chunks of an encoding are packed in a shard, if `--compress` says so; shards know gzip and nothing else."""
    how = compression_of(compress, encoding)
    if how not in (None, "gzip"):
        raise BadUsage(f"--compress: shards can be packed with gzip or not at all, not with {how}")
    return "gzip" if how else "raw"
