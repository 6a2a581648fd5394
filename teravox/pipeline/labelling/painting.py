"""Paints labels into their layer: what was painted is in the store before anybody is told so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box, Vec
from teravox.pipeline.labelling.bounded import Bounded
from teravox.pipeline.labelling.strokes import Change, History
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.layer import within
from teravox.pipeline.learning.labels import Labels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]  # a row of x, y, z for each voxel
    Array = NDArray[Any]  # labels

CHUNKS = 64 << 20  # bytes of decoded chunks that are kept
HISTORY = 64 << 20  # bytes of strokes that can be undone


class Painting:
    """The labels as this session sees them; it is their only writer.

    Chunks are written whole, one after the other, and nothing counts as painted before it is written.
    """

    def __init__(self, labels: Labels, check: Callable[[], None]) -> None:
        self.labels = labels
        self.version = 0  # goes up with each change
        self._check = check  # raises where somebody else writes now
        self._versions: dict[Vec, int] = {}
        self._there: dict[Vec, Box] = {box.min: box for box in labels.labelled_boxes()}
        self._kept: Bounded[Vec] = Bounded(CHUNKS)
        self._history = History(HISTORY)
        self._lock = threading.RLock()

    @property
    def can_undo(self) -> bool:
        return bool(self._history.done)

    @property
    def can_redo(self) -> bool:
        return bool(self._history.undone)

    def label(self, places: Places, label: int) -> int:
        """Give voxels within the bounds, each of them once, a class as one stroke, and say how many have changed."""
        import numpy as np

        with self._lock:
            changes: list[Change] = []
            try:
                for chunk, indices in self._by_chunk(places):
                    before = self._chunk(chunk).reshape(-1, order="F")[indices]
                    differs = before != label
                    if differs.any():
                        after = np.full(np.count_nonzero(differs), label, np.uint8)
                        changes.append(self._do(Change(chunk, indices[differs], before[differs], after)))
            finally:  # what is written can be undone, whatever became of the rest
                if changes:
                    self._history.note(tuple(changes))
            return sum(len(change.indices) for change in changes)

    def undo(self) -> bool:
        """Take the last stroke back, if there is one."""
        return self._move(self._history.done, self._history.undone)

    def redo(self) -> bool:
        """Do again what was taken back last."""
        return self._move(self._history.undone, self._history.done)

    def read(self, box: Box) -> Array:
        """The labels of a box within the bounds, as x, y and z."""
        import numpy as np

        with self._lock:
            found = np.zeros(box.size, np.uint8, order="F")
            for chunk in self.chunks_in(box):
                shared = chunk.intersect(box)
                found[within(shared, box)] = self._chunk(chunk)[within(shared, chunk)]
            return found

    def chunks_in(self, box: Box) -> list[Box]:
        """The chunks with labels that a box touches."""
        with self._lock:
            scale = self.labels.scale
            touched: Iterable[Box] = self._there.values()
            if box.voxels // (scale.chunk[0] * scale.chunk[1] * scale.chunk[2]) < len(self._there):
                touched = chunks_of(scale, box)
            return [chunk for chunk in touched if chunk.min in self._there and not chunk.intersect(box).is_empty]

    def all_chunks(self) -> list[Box]:
        """The chunks with labels, in the order of z, y and x."""
        with self._lock:
            return sorted(self._there.values(), key=lambda box: box.min[::-1])

    def version_of(self, corner: Vec) -> int:
        """The version in which the chunk at a corner has changed last; 0 if not in this session."""
        return self._versions.get(corner, 0)

    def size_of(self, corner: Vec) -> Vec:
        """The size of the chunk at a corner."""
        return self._chunk_box(corner).size

    def chunk_at(self, corner: Vec) -> Array:
        """All labels of the chunk at a corner, as x, y and z."""
        with self._lock:
            return self._chunk(self._chunk_box(corner))

    def _move(self, source: list[tuple[Change, ...]], dest: list[tuple[Change, ...]]) -> bool:
        with self._lock:
            if not source:
                return False
            for change in source[-1]:
                self._do(change.undone())  # safe to repeat, if the next one fails
            dest.append(tuple(change.undone() for change in source.pop()))
            return True

    def _do(self, change: Change) -> Change:
        """Write a chunk with a change, and know of it when that is done."""
        self._check()
        voxels = self._chunk(change.chunk).copy(order="F")
        voxels.reshape(-1, order="F")[change.indices] = change.after
        layer, mip = self.labels.layer, self.labels.mip
        if voxels.any():
            layer.write(change.chunk, mip, voxels[..., None])
            self._there[change.chunk.min] = change.chunk
        else:
            with layer.writer(change.chunk, mip) as writer:
                writer.leave_out(change.chunk)
            self._there.pop(change.chunk.min, None)
        self._kept.put(change.chunk.min, voxels)
        self.version += 1
        self._versions[change.chunk.min] = self.version
        return change

    def _chunk(self, chunk: Box) -> Array:
        """All labels of a chunk, as x, y and z."""
        import numpy as np

        kept = self._kept.get(chunk.min)
        if kept is None:
            if chunk.min in self._there:
                kept = np.asfortranarray(self.labels.read(chunk).T)
            else:
                kept = np.zeros(chunk.size, np.uint8, order="F")
            self._kept.put(chunk.min, kept)
        return kept

    def _chunk_box(self, place: Vec) -> Box:
        """The chunk in which a voxel lies."""
        x, y, z = place
        return next(chunks_of(self.labels.scale, Box((x, y, z), (x + 1, y + 1, z + 1))))

    def _by_chunk(self, places: Places) -> Iterable[tuple[Box, Any]]:  # Any: indices of voxels within each chunk
        import numpy as np

        scale = self.labels.scale
        cells = (places - np.array(scale.voxel_offset)) // np.array(scale.chunk)
        order = np.lexsort(cells.T)
        cells, places = cells[order], places[order]
        ends = np.flatnonzero(np.any(np.diff(cells, axis=0), axis=1)) + 1
        for part in np.split(places, ends):
            if len(part):
                x, y, z = map(int, part[0])
                chunk = self._chunk_box((x, y, z))
                inside = part - np.array(chunk.min)
                yield chunk, np.ravel_multi_index(tuple(inside.T), chunk.size, order="F")
