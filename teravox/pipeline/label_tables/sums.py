"""Adds up rows of labels as they come, in memory that is bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput

if TYPE_CHECKING:
    from teravox.kernels.label_table import Rows

FEW = 50_000  # rows that wait to be merged, where fewer are merged already


class LabelSums:
    """One row for each label of all rows that were added, in whatever order; threads may add side by side.

    `merge` says how rows become one; without it they are those of the table of labels.

    It holds at most `room` rows, and raises BadInput where there are more labels than half of these.
    """

    def __init__(
        self, room: int, place: str, merge: Callable[[Rows], Rows] | None = None, what: str = "labels"
    ) -> None:
        self._merged_of = merge
        self._what = what
        self._room = room
        self._place = place
        self._lock = threading.Lock()
        self._merged = 0
        self._parts: list[Rows] = []
        self._waiting = 0

    def add(self, rows: Rows) -> None:
        with self._lock:
            if self._waiting and self._merged + self._waiting + len(rows) > self._room:
                self._merge()
            if self._merged + len(rows) > self._room:
                raise too_many(self._room // 2, self._place, self._what)
            self._parts.append(rows)
            self._waiting += len(rows)
            if self._waiting > max(self._merged, FEW):
                self._merge()

    def rows(self) -> Rows:
        """What has come so far, sorted by label."""
        with self._lock:
            if self._waiting:
                self._merge()
            return self._parts[0]

    def _merge(self) -> None:
        import numpy as np

        from teravox.kernels.label_table import merge

        together = np.concatenate(self._parts)
        self._parts = []
        self._parts = [(self._merged_of or merge)(together)]
        self._merged, self._waiting = len(self._parts[0]), 0
        if self._merged > self._room // 2:
            raise too_many(self._room // 2, self._place, self._what)


def too_many(most: int, place: str, what: str = "labels") -> BadInput:
    """What to raise where a table would grow beyond its memory."""
    return BadInput(f"{place} has more than {most:,} {what}, which --memory does not allow: give it more --memory")
