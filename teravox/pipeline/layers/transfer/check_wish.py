"""Whether what was asked of a copy makes sense, before anything is written."""

from __future__ import annotations

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.downsampling_options import check_downsampling
from teravox.pipeline.layers.encoding import check_compress_level
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.layers.same_place import refuse_same
from teravox.pipeline.layers.transfer.wish import FACTOR, Wish


def check_wish(wish: Wish, source: Layer) -> None:
    """Raise BadUsage where an option cannot be meant."""
    refuse_same(wish.source, wish.dest)
    if wish.offset is not None and wish.translate != (0, 0, 0):
        raise BadUsage("--offset says where the copy begins, and --translate by how far it moves; give one of them")
    for option, size in (("--chunk-size", wish.chunk_size), ("--shape", wish.shape)):
        if size is not None and min(size) < 1:
            raise BadUsage(f"{option}: expected three numbers from 1 up, got {size}")
    check_compress_level(wish.compress, wish.compress_level)
    _check_downsampling(wish, source)


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
    check_downsampling(source, wish.factor, wish.method, sparse=wish.sparse)
