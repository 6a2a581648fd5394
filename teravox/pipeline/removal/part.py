"""What one task removes."""

from __future__ import annotations

import msgspec

from teravox.pipeline.box import Box


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole chunks of the scale of this key; the number of its mip changes when others are removed."""

    scale: str
    box: Box
