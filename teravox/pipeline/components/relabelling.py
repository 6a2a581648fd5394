"""The last stage of a box: what its components are called in the whole, and its chunks with these labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from teravox.pipeline.box import Box
from teravox.pipeline.bundle import read_head
from teravox.pipeline.components.destination import mip_of
from teravox.pipeline.components.form import Form
from teravox.pipeline.components.groups import Groups
from teravox.pipeline.components.local_labels import BLOCK, LocalLabels, local_key
from teravox.pipeline.components.plan import Plan
from teravox.pipeline.components.stage_files import remedy
from teravox.pipeline.components.surface_file import read_components, read_surface_head
from teravox.pipeline.layers.chunk_memory import COPIES
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.storage.side_by_side import LANES, do_all

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Table = NDArray[Any]  # uint32 or uint64


def make_table(plan: Plan, groups: Groups, box: Box, dtype: np.dtype[Any]) -> Table:
    """The final label of each component of a box, 0 for those that are dropped."""
    import numpy as np

    index = plan.index(plan.cell(box))
    sizes, on_faces = read_components(plan.store, groups.folder, index)
    given = groups.given(0, index)
    ends = sizes >= groups.dust
    ends[on_faces.astype(np.int64) - 1] = False
    del sizes
    table = np.zeros(len(ends) + 1, dtype)
    labels = table[1:]
    np.cumsum(ends, out=labels)
    labels += dtype.type(given.before)
    labels[~ends] = 0
    table[on_faces] = given.labels
    return table


def write_relabelled(plan: Plan, groups: Groups, box: Box, form: Form) -> None:
    """Write the chunks of a box of DEST."""
    layer = Layer.open(plan.store.url, fresh=True)
    mip = mip_of(plan, form, layer)
    labels = make_table(plan, groups, box, layer.dtype)
    local = LocalLabels(plan.store, groups.folder, plan.index(plan.cell(box)))
    stays_packed = layer.scale(mip).compressed_segmentation_block_size in (None, BLOCK)
    if form.encoding == "compresso":  # which has no edges between labels that are the same
        stays_packed &= bool(labels[1:].all())
    with layer.writer(box, mip, compress=form.compression, level=form.compress_level) as writer:

        def write(one: tuple[int, Box]) -> None:
            number, chunk = one
            data = local.relabel_packed(number, chunk, labels, form.encoding) if stays_packed else None
            if data is None:
                writer.write(chunk, local.relabel(number, chunk, labels))
            else:
                writer.write_encoded(chunk, data)

        do_all(write, enumerate(plan.chunks(box)), layer.lanes)


def relabelling_bytes(plan: Plan, folder: str, box: Box, form: Form) -> int:
    """The bytes that relabelling a box needs at most, by what the first stage has left of it."""
    index = plan.index(plan.cell(box))
    components = read_surface_head(plan.store, folder, index)
    local = read_head(plan.store, local_key(folder, index), remedy("faces"))
    kept = sum(entry.stored + 300 for head in (components, local) for entry in head.arrays)
    tables = 14 * components.length("sizes")
    chunks = COPIES * 8 * min(math.prod(plan.chunk) * LANES, box.voxels)
    shards = 2 * sum(2 * 4 * entry.length for entry in local.arrays) if form.sharded else 0
    return kept + tables + chunks + shards
