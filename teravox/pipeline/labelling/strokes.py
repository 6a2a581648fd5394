"""What somebody has painted in one go, and how it is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.labelling.planes import PLANES, PlaneName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]  # a row of x, y, z for each voxel
    Labels = NDArray[np.uint8]
    Indices = NDArray[np.int64]

MOST = 4_000_000  # voxels
Place = Annotated[int, Meta(ge=-(2**40), le=2**40)]


class Stroke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Voxels of one slice that are given a class, as runs along its rows: row, first, and the one after the last."""

    plane: PlaneName
    at: Place
    label: Annotated[int, Meta(ge=0, le=255)]  # 0 takes labels away
    runs: tuple[tuple[Place, Place, Place], ...]

    def places(self, bounds: Box) -> Places:
        """The voxels within the bounds, each once; BadInput where there are more than anybody paints in one go."""
        import numpy as np

        plane = PLANES[self.plane]
        low, high = bounds.min, bounds.max
        if not low[plane.across] <= self.at < high[plane.across]:
            return np.zeros((0, 3), np.int64)
        runs = np.array(self.runs, np.int64).reshape(-1, 3)
        runs = runs[(runs[:, 0] >= low[plane.row]) & (runs[:, 0] < high[plane.row])]
        first = np.maximum(runs[:, 1], low[plane.column])
        lengths = np.maximum(np.minimum(runs[:, 2], high[plane.column]) - first, 0)
        total = int(lengths.sum())
        if total > MOST:
            raise BadInput(f"{total:,} voxels are too many for one stroke, which may have {MOST:,}: zoom in")
        within = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        places = np.empty((total, 3), np.int64)
        places[:, plane.column] = np.repeat(first, lengths) + within
        places[:, plane.row] = np.repeat(runs[:, 0], lengths)
        places[:, plane.across] = self.at
        return np.unique(places, axis=0)


class Change(NamedTuple):
    """What a stroke has changed in one chunk."""

    chunk: Box
    indices: Indices  # of the voxels that differ, in the chunk's own order
    before: Labels
    after: Labels

    @property
    def bytes(self) -> int:
        return int(self.indices.nbytes + self.before.nbytes + self.after.nbytes)

    def undone(self) -> Change:
        """The change that takes this one back."""
        return self._replace(before=self.after, after=self.before)


class History:
    """The strokes that can be undone, and those undone that can be done again; the oldest are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.done: list[tuple[Change, ...]] = []
        self.undone: list[tuple[Change, ...]] = []

    def note(self, changes: tuple[Change, ...]) -> None:
        """A new stroke; what was undone before it cannot be done again."""
        self.undone.clear()
        self.done.append(changes)
        while len(self.done) > 1 and sum(change.bytes for stroke in self.done for change in stroke) > self._most:
            del self.done[0]
