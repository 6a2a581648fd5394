"""A volume that was segmented block by block: what stitching reads, and what each block writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.bundle import pack_bundle, read_bundle
from teravox.pipeline.errors import BadInput
from teravox.pipeline.segmentation import block_files
from teravox.pipeline.segmentation.block_files import CORE, CORES, FACES, SIZES, Preserved, Sizes, block_key
from teravox.pipeline.segmentation.blocks import Blocks
from teravox.pipeline.segmentation.face_files import fill_face, pack_face, unpack_face
from teravox.pipeline.segmentation.numbers import Numbers
from teravox.pipeline.segmentation.plan_file import (
    REMEDY,
    PlanFile,
    folder_of,
    read_current,
    read_plan,
    write_current,
    write_plan,
)
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.side_by_side import LOCAL_LANES, side_by_side
from teravox.pipeline.storage.urls import normalize
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.stitching.runs import Runs
    from teravox.pipeline.segmentation.block_files import Labels


class Segmented:
    """The labels of blocks, each numbered 1, 2, 3 and so on by itself, and how they are told apart in the whole."""

    def __init__(self, store: Store, id: str, plan: PlanFile) -> None:
        self.store = store
        self.id = id
        self.plan = plan
        self.folder = folder_of(id)
        self.blocks = Blocks(Grid(plan.bounds, plan.shape), plan.halo, Numbers(plan.used))

    @classmethod
    def open(cls, layer: str, id: str | None = None) -> Self:
        """The segmentation of a layer that was finished last, or the one with this id."""
        store = open_store(normalize(layer))
        id = read_current(store) if id is None else id
        return cls(store, id, read_plan(store, id))

    @classmethod
    def create(cls, layer: str, id: str, plan: PlanFile) -> Self:
        """A new segmentation of a layer, or the same again; BadUsage where there is another one with this id."""
        store = open_store(normalize(layer))
        write_plan(store, id, plan)
        return cls(store, id, plan)

    def publish(self) -> None:
        """Make it the one that `open` finds."""
        write_current(self.store, self.id)

    @property
    def grid(self) -> Grid:
        return self.blocks.grid

    @property
    def halo(self) -> Vec:
        return self.plan.halo

    @property
    def bits(self) -> int:
        return self.plan.bits

    @property
    def base(self) -> int:
        return self.plan.base

    @property
    def resolution(self) -> tuple[float, float, float]:
        return self.plan.resolution

    @property
    def mip(self) -> int:
        return self.plan.mip

    @property
    def chunk(self) -> Vec:
        return self.plan.chunk

    def used(self, index: int) -> bool:
        """Whether there is anything to segment in a block of the grid."""
        return index in self.blocks.used

    def read_box(self, index: int) -> Box:
        return self.blocks.read_box(index)

    def overlap(self, index: int, axis: int) -> Box | None:
        """What a block and its upper neighbour on an axis both hold; None where there is none, or nothing."""
        return self.blocks.overlap(index, axis)

    def core(self, index: int) -> Labels:
        """The labels of a block without its halo."""
        key = block_key(self.folder, CORES, index)
        bundle = read_bundle(self.store, key, REMEDY)
        return block_files.unpack_labels(bundle, CORE, self.grid[index], f"{self.store.url}/{key}")

    def face(self, index: int, axis: int, side: int) -> Labels:
        """The labels of a block in the overlap with its lower (0) or upper (1) neighbour on an axis."""
        return fill_face(self.face_runs(index, axis, side), axis, self._face_box(index, axis, side))

    def face_runs(self, index: int, axis: int, side: int) -> Runs:
        """The same as runs: along x, or along y where the axis is x."""
        box = self._face_box(index, axis, side)
        key = block_key(self.folder, FACES, index)
        bundle = read_bundle(self.store, key, REMEDY)
        return unpack_face(bundle, axis, side, box, f"{self.store.url}/{key}")

    def sizes(self, index: int) -> Sizes:
        return block_files.read_sizes(self.store, self.folder, index)

    def preserved(self, index: int) -> Preserved:
        return block_files.read_preserved(self.store, self.folder, index)

    def global_ids(self, index: int, locals: NDArray[np.uint32]) -> NDArray[np.uint64]:
        """What labels of a block are called in the whole: 0 stays 0, and preserved bodies keep their ids."""
        import numpy as np

        ids = locals.astype(np.uint64)
        ids += np.uint64(self.base + (index << self.bits)) * (ids > 0)
        table = self.preserved(index)
        if len(table.locals):
            at = np.minimum(np.searchsorted(table.locals, locals), len(table.locals) - 1)
            ids = np.where(table.locals[at] == locals, table.ids[at], ids)
        return ids

    def write_block(self, index: int, labels: Labels, preserved: Preserved | None = None) -> None:
        """Keep a block: its labels in the read box, 1 to n without gaps and 0 for nothing."""
        import numpy as np

        read, core = self.read_box(index), self.grid[index]
        if labels.shape != read.size or labels.dtype != np.uint32:
            raise ValueError(f"{labels.dtype} labels of shape {labels.shape} do not fill {read}")
        number = int(labels.max())
        if number >> self.bits:
            raise BadInput(
                f"the block {core} has {number:,} labels, and ids have room for {(1 << self.bits) - 1:,} in a block: "
                "make the blocks smaller (--shape), or drop small labels by the steps' own parameters"
            )
        if preserved is None:
            preserved = Preserved(np.empty(0, np.uint32), np.empty(0, np.uint64))
        boxes = self.blocks.faces(index)

        def pack(face: tuple[int, int] | None) -> tuple[tuple[int, int] | None, list[tuple[str, NDArray[Any]]]]:
            if face is None:
                return None, [(CORE, block_files.pack_labels(np.asfortranarray(_cut(labels, read, core))))]
            return face, pack_face(_cut(labels, read, boxes[face]), *face)

        packed = dict(side_by_side(pack, (None, *boxes), LOCAL_LANES))
        sizes = Sizes(_count(_cut(labels, read, core), number), _count(labels, number))
        self.store.put(
            block_key(self.folder, FACES, index),
            pack_bundle({}, [column for face in boxes for column in packed[face]]),
        )
        self.store.put(block_key(self.folder, SIZES, index), block_files.pack_sizes(sizes, preserved))
        self.store.put(block_key(self.folder, CORES, index), pack_bundle({}, packed[None]))

    def _face_box(self, index: int, axis: int, side: int) -> Box:
        box = self.blocks.faces(index).get((axis, side))
        if box is None:
            raise ValueError(f"block {index} shares nothing with another one on side {side} of axis {axis}")
        return box


def outputs_of(folder: str, index: int) -> list[str]:
    """What a block leaves behind."""
    return [block_key(folder, what, index) for what in (CORES, FACES, SIZES)]


def _cut(labels: Labels, read: Box, box: Box) -> Labels:
    from teravox.pipeline.layers.layer import within

    return labels[within(box, read)]


def _count(labels: Labels, number: int) -> NDArray[np.uint32]:
    from teravox.kernels.components import count

    return count(labels, number)
