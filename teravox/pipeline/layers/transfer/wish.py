"""What was asked of a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.layers.downsampling_options import MethodOption
from teravox.pipeline.store import Compression

if TYPE_CHECKING:
    from teravox.pipeline.layers.info import Scale

FACTOR = (2, 2, 1)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, by the names of the options; None and auto leave it to the planner, or as it is in the source."""

    source: str
    dest: str
    mip: int
    memory_limit: int
    all_mips: bool = False
    num_mips: int = 0
    factor: Vec = FACTOR
    method: MethodOption = "auto"
    sparse: bool = False
    bounds: Box | None = None
    translate: Vec = (0, 0, 0)
    offset: Vec | None = None
    chunk_size: Vec | None = None
    encoding: str = "auto"
    encoding_level: int | None = None
    encoding_effort: int | None = None
    compress: Literal["auto", "gzip", "br", "zstd", "none"] = "auto"
    compress_level: int | None = None
    sharded: bool = False
    fill_missing: bool = False
    skip_background: bool = False
    shape: Vec | None = None

    def compression_of(self, scale: Scale) -> Compression | None:
        """How chunks of a scale of the copy are compressed."""
        from teravox.pipeline.layers.encoding import compression_of

        if scale.sharding is not None:
            return "gzip" if scale.sharding["data_encoding"] == "gzip" else None
        return compression_of(self.compress, scale.encoding)

    @property
    def keeps_all(self) -> bool:
        """Whether every chunk whose grid and encoding stay is copied byte by byte, however it is compressed."""
        return self.compress == "auto" and self.compress_level is None and not self.sharded and not self.skip_background

    def keeps(self, how: Compression | None, scale: Scale) -> bool:
        """Whether chunks that are compressed so in the source may stay so in a scale of the copy."""
        if self.compress_level is not None:
            return False
        is_free = self.compress == "auto" and scale.sharding is None
        return is_free or how == self.compression_of(scale)
