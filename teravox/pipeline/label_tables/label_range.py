"""What one task merges."""

from __future__ import annotations

import msgspec


class LabelRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The labels from `first` to `last`, both included, and the plan that this range belongs to."""

    plan: str
    number: int
    first: int
    last: int
