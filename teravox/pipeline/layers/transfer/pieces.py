"""The pieces of a copy: boxes of several mips, one mip after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import overload

import msgspec

from teravox.pipeline.box import Box, Grid


class MipBox(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A box of the copy of a mip; the mip is numbered as in the source."""

    mip: int
    box: Box


class Pieces(Sequence[MipBox]):
    """The boxes of several grids, one after another; lazy as these are."""

    def __init__(self, grids: Sequence[tuple[int, Grid]]) -> None:
        self._grids = grids
        self._ends = list(accumulate(len(grid) for _, grid in grids))

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, index: int) -> MipBox: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[MipBox]: ...
    def __getitem__(self, index: int | slice) -> MipBox | Sequence[MipBox]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        for (mip, grid), end in zip(self._grids, self._ends, strict=True):
            if index < end:
                return MipBox(mip, grid[index - end + len(grid)])
        raise AssertionError  # the last end is the length
