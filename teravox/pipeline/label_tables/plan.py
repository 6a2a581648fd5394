"""Into which ranges of labels the counts of many boxes are merged, so that each range fits in memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.label_tables.places import contacts_key, counts_key
from teravox.pipeline.sorted_rows.file import RowsFile, open_all
from teravox.pipeline.sorted_rows.key_range import KeyRange
from teravox.pipeline.sorted_rows.ranges import plan_ranges
from teravox.pipeline.store import Store

REMEDY = "Not every box was counted, or this was damaged since: run image count again"


class Counts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was counted: the bounds, in the pieces of a grid around them."""

    mip: int
    bounds: Box
    around: Box
    shape: Vec
    contacts: bool = False  # between labels, too
    values: str | None = None  # the image that is measured, too

    @property
    def grid(self) -> Grid:
        return Grid(self.around, self.shape)

    def keys(self, folder: str) -> Iterator[str]:
        return (counts_key(folder, self.shape, piece) for piece in self.grid)

    def contacts_keys(self, folder: str) -> Iterator[str]:
        return (contacts_key(folder, self.shape, piece) for piece in self.grid if self.contacts)


class MergePlan(msgspec.Struct, frozen=True):
    """The ranges that together hold every label."""

    id: str  # of what was counted and how it is divided, so the same plan has the same results
    counts: Counts
    rows: int
    ranges: tuple[KeyRange, ...]


def plan_merge(store: Store, folder: str, counts: Counts, room: int) -> MergePlan:
    """Divide all labels so that of each range about a quarter of `room` rows is to be read.

    BadInput where a box was not counted.
    """
    planned = plan_ranges(chain(open_counts(store, folder, counts), open_contacts(store, folder, counts)), room)
    return MergePlan(planned.plan, counts, planned.rows, planned.ranges)


def open_counts(store: Store, folder: str, counts: Counts) -> Iterator[RowsFile]:
    """What was counted in each box, in the order of the boxes."""
    return open_all(store, counts.keys(folder), REMEDY)


def open_contacts(store: Store, folder: str, counts: Counts) -> Iterator[RowsFile]:
    """The contacts that were counted in each box; none where they were not asked for."""
    return open_all(store, counts.contacts_keys(folder), REMEDY)
