"""Whether what was asked of a copy makes sense, before anything is written."""

from __future__ import annotations

import math

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.same_place import refuse_same
from teravox.pipeline.layers.transfer.wish import FACTOR, Wish
from teravox.pipeline.storage.compression import check_level


def check_wish(wish: Wish, source: Layer) -> None:
    """Raise BadUsage where an option cannot be meant."""
    refuse_same(wish.source, wish.dest)
    if wish.offset is not None and wish.translate != (0, 0, 0):
        raise BadUsage("--offset says where the copy begins, and --translate by how far it moves; give one of them")
    for option, size in (("--chunk-size", wish.chunk), ("--shape", wish.shape)):
        if size is not None and min(size) < 1:
            raise BadUsage(f"{option}: expected three numbers from 1 up, got {size}")
    _check_compression(wish)
    _check_downsampling(wish, source)


def _check_compression(wish: Wish) -> None:
    if wish.compress_level is None:
        return
    if wish.compress == "auto":
        raise BadUsage("--compress-level: means nothing without --compress gzip, br or zstd")
    check_level(None if wish.compress == "none" else wish.compress, wish.compress_level)


def _check_downsampling(wish: Wish, source: Layer) -> None:
    if not wish.num_mips:
        for option, is_said in (
            ("--factor", wish.factor != FACTOR), ("--method", wish.method != "auto"), ("--sparse", wish.sparse),
        ):  # fmt: skip
            if is_said:
                raise BadUsage(f"{option}: means nothing without --num-mips, which says how many mips to make")
        return
    if wish.all_mips:
        raise BadUsage("--all-mips copies the mips that are there, and --num-mips makes new ones; give one of them")
    if min(wish.factor) < 1 or math.prod(wish.factor) == 1:
        raise BadUsage(f"--factor: expected three numbers from 1 up that are not all 1, got {wish.factor}")
    method = wish.method_for(source)
    if method == "average" and source.info.type == "segmentation":
        raise BadUsage(f"--method: {source.url} is a segmentation, and labels have no average; take mode")
    if wish.sparse and method not in ("average", "mode"):
        raise BadUsage(f"--sparse: it changes averages and modes, and --method is {method}; leave one of them out")
