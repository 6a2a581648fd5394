"""What one task removes."""

from __future__ import annotations

import msgspec

from teravox.pipeline.box import Box, Vec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole chunks, of one of the sizes that a scale offers. The scale is named by its key: the number of its mip
    changes when others are removed."""

    scale: str
    chunk: Vec
    box: Box
