"""Adds up rows as they come, in memory that is bounded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput

if TYPE_CHECKING:
    from teravox.kernels.evaluation.rows import Rows

FEW = 50_000  # rows that wait to be added up, where fewer are added up already


class RowSums:
    """One row for each thing of all rows that were added, in whatever order; threads may add side by side.

    A row has its key, `names` columns that say what it is of, and counts. It holds at most three times `most` rows, and
    raises BadInput where there are more than `most` things.
    """

    def __init__(self, names: int, columns: int, most: int, place: str) -> None:
        import numpy as np

        self._names = names
        self._most = most
        self._place = place
        self._lock = threading.Lock()
        self._added: Rows = np.empty((0, columns), np.uint64)
        self._parts: list[Rows] = []
        self._waiting = 0

    def add(self, rows: Rows) -> None:
        with self._lock:
            if len(rows) > self._most:
                raise too_many(self._most, self._place)
            if self._waiting and self._waiting + len(rows) > self._most:
                self._add_up()
            self._parts.append(rows)
            self._waiting += len(rows)
            if self._waiting > max(len(self._added), FEW):
                self._add_up()

    def rows(self) -> Rows:
        """What has come so far, sorted by key and name."""
        with self._lock:
            self._add_up()
            return self._added

    def _add_up(self) -> None:
        import numpy as np

        from teravox.kernels.evaluation.rows import add_up

        together = np.concatenate([self._added, *self._parts])
        self._parts, self._waiting = [], 0
        self._added = add_up(together, self._names)
        if len(self._added) > self._most:
            raise too_many(self._most, self._place)


def too_many(most: int, place: str) -> BadInput:
    """What to raise where a table would grow beyond its memory."""
    return BadInput(
        f"{place} has more than {most:,} pairs of labels, which --memory does not allow: give it more --memory, or a "
        "smaller --shape"
    )
