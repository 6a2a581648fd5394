"""What one task makes of the sorted rows of many objects: a range of keys."""

from __future__ import annotations

import msgspec


class KeyRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All keys from `first` to `last`, both included; one of the ranges of the plan `plan`."""

    plan: str
    number: int
    first: int
    last: int
