"""Bytes, requests and files of pieces, counted or estimated."""

from __future__ import annotations

import msgspec


class Amount(msgspec.Struct, frozen=True):
    """What is read, or what is written; None where nobody can say it."""

    bytes: float | None = 0
    requests: float | None = 0
    exact: bool = True
    why: str | None = None  # of what is not known

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            _add(self.bytes, other.bytes),
            _add(self.requests, other.requests),
            self.exact and other.exact,
            self.why or other.why,
        )

    def times(self, factor: float) -> Amount:
        """So many times as much, which is an estimate unless it is the same."""
        if factor == 1:
            return self
        return Amount(
            None if self.bytes is None else self.bytes * factor,
            None if self.requests is None else self.requests * factor,
            exact=False,
            why=self.why,
        )


class Written(msgspec.Struct, frozen=True):
    """What is written below a prefix, so that later steps know what they will read."""

    bytes: float
    measure: float  # voxels of chunks, or objects


def _add(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
