"""How the result is to be stored."""

from __future__ import annotations

import msgspec

from teravox.pipeline.store import Compression


class Form(msgspec.Struct, frozen=True):
    """The encoding of DEST, and whether and how it is sharded and compressed."""

    encoding: str
    sharded: bool
    compress: str  # as --compress says
    compress_level: int | None

    @property
    def compression(self) -> Compression | None:
        """What --compress comes to."""
        from teravox.pipeline.layers.encoding import compression_of

        return compression_of(self.compress, self.encoding)
