"""What one task of a merge is about: a part of the labels."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of `of` parts, a power of two, of the labels in the order of their hashes."""

    number: int
    of: int

    @property
    def bits(self) -> int:
        return self.of.bit_length() - 1
