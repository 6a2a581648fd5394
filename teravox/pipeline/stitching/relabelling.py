"""What the labels of a block are called in the whole, and its chunks with these ids."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from teravox.pipeline.box import Box, Grid, Vec
from teravox.pipeline.bundle import read_bundle, read_head
from teravox.pipeline.components.destination import data_type_for, mip_of
from teravox.pipeline.components.form import Form
from teravox.pipeline.components.groups import LINKS, Groups
from teravox.pipeline.components.stage_files import file_key, remedy
from teravox.pipeline.layers.chunk_grid import chunks_of
from teravox.pipeline.layers.chunk_memory import COPIES
from teravox.pipeline.layers.layer import Layer, within
from teravox.pipeline.segmentation.block_files import CORE, CORES, SIZES, block_key
from teravox.pipeline.segmentation.plan_file import REMEDY
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.storage.open import open_store
from teravox.pipeline.storage.side_by_side import LANES, do_all
from teravox.pipeline.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ids = NDArray[Any]  # uint32 or uint64

_REMEDY = remedy("resolve", "stitch")


class Target(msgspec.Struct, frozen=True):
    """The layer that is written."""

    store: Store
    grid: Grid
    chunk: Vec
    resolution: tuple[float, float, float]


def target_of(segmented: Segmented, dest: str) -> Target:
    return Target(open_store(dest), segmented.grid, segmented.chunk, segmented.resolution)


def data_type_of(segmented: Segmented, groups: Groups, *, consecutive: bool) -> str:
    """Ids from blocks have 64 bits; consecutive ones 32 where that is enough."""
    return data_type_for(segmented.base + groups.total()) if consecutive else "uint64"


def make_ids(segmented: Segmented, groups: Groups, index: int, *, consecutive: bool) -> NDArray[np.uint64]:
    """By label of a block its final id: 0 for what is dropped, and for what has no voxels in its core."""
    import numpy as np

    links = read_bundle(segmented.store, file_key(groups.folder, LINKS, index), _REMEDY)
    joined = (links.get("names") & np.uint64(0xFFFFFFFF)).astype(np.int64)
    given = groups.given(0, index)
    sizes = segmented.sizes(index).core
    preserved = segmented.preserved(index)
    ends = np.concatenate([[False], sizes >= groups.dust])
    ends[joined] = ends[preserved.locals] = False
    ids = np.zeros(len(ends), np.uint64)
    if consecutive or given.firsts is None:
        ids[ends] = np.arange(1, ends.sum() + 1, dtype=np.uint64) + np.uint64(segmented.base + given.before)
        ids[joined] = np.where(given.labels > 0, given.labels + np.uint64(segmented.base), 0)
    else:
        ids[ends] = segmented.global_ids(index, np.flatnonzero(ends).astype(np.uint32))
        ids[joined] = np.where(given.labels > 0, _id_of(segmented, given.firsts), 0)
    ids[preserved.locals] = preserved.ids
    return ids


def write_block(segmented: Segmented, groups: Groups, box: Box, target: Target, form: Form, consecutive: bool) -> None:
    """Write the chunks of a block."""
    from teravox.kernels.stitching.exchange import exchange

    index = segmented.blocks.number_of(box)
    layer = Layer.open(target.store.url, fresh=True)
    mip = mip_of(target, form, layer)
    ids: Ids = make_ids(segmented, groups, index, consecutive=consecutive).astype(layer.dtype)
    labels = segmented.core(index)
    scale = layer.scale(mip)
    with layer.writer(box, mip, compress=form.compression, level=form.compress_level) as writer:

        def write(chunk: Box) -> None:
            writer.write(chunk, exchange(labels[within(chunk, box)], ids)[..., None])

        do_all(write, chunks_of(scale, box), layer.lanes)


def relabelling_bytes(segmented: Segmented, groups: Groups, box: Box, form: Form) -> int:
    """The bytes that relabelling a block needs at most."""
    index = segmented.blocks.number_of(box)
    sizes = read_head(segmented.store, block_key(segmented.folder, SIZES, index), REMEDY)
    links = read_head(segmented.store, file_key(groups.folder, LINKS, index), _REMEDY)
    cores = read_head(segmented.store, block_key(segmented.folder, CORES, index), REMEDY)
    labels = 8 * box.voxels + 3 * cores.length(CORE)  # as they are, and as they are kept
    tables = 40 * sizes.length("core") + 60 * links.length("names")
    chunks = COPIES * 8 * min(math.prod(segmented.chunk) * LANES, box.voxels)
    shards = 2 * 8 * box.voxels if form.sharded else 0
    return labels + tables + chunks + shards


def _id_of(segmented: Segmented, names: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The ids of names that count."""
    import numpy as np

    blocks, labels = names >> np.uint64(32), names & np.uint64(0xFFFFFFFF)
    return (blocks << np.uint64(segmented.bits)) + labels + np.uint64(segmented.base)
