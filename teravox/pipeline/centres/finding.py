"""Finds the centres of a slab, tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.box import Box
from teravox.pipeline.centres.options import plane_of
from teravox.pipeline.centres.plan import Plan
from teravox.pipeline.errors import BadInput

if TYPE_CHECKING:
    from teravox.pipeline.label_tables.parquet import Columns


def find_centres(plan: Plan, slab: Box, *, corners: bool, by_label: bool, min_area: int, fill_missing: bool) -> Columns:
    """The centres of a slab, by slice; BadInput where there are more than fit in memory."""
    import numpy as np

    from teravox.kernels.slice_parts import SliceParts, TooManyParts

    slab = slab.intersect(plan.box)
    column, row = plane_of(plan.axis)
    parts = SliceParts(slab.size[plan.along], slab.size[column], corners=corners, room=plan.room)
    for tile in plan.tiles(slab):
        box = tile.intersect(slab)
        voxels = plan.layer.read(box, plan.mip, fill_missing=fill_missing)[..., 0]
        if voxels.dtype.kind == "i" and voxels.min() < 0:
            raise BadInput(f"{box} of {plan.layer.place(plan.mip)} has labels below 0, and these are counted from 0 up")
        try:
            parts.add(
                voxels.transpose(plan.along, row, column),
                box.min[row] - slab.min[row],
                box.min[column] - slab.min[column],
            )
        except TooManyParts:
            raise BadInput(
                f"the slices {slab} of {plan.layer.place(plan.mip)} have more than {plan.room:,} parts: "
                "give --memory more, or take fewer --slices"
            ) from None
    found = parts.found(by_label=by_label)
    kept = found.areas >= min_area
    places = {
        plan.along: (found.slices + slab.min[plan.along])[kept],
        row: (found.rows + slab.min[row])[kept],
        column: (found.columns + slab.min[column])[kept],
    }
    return {
        "slice": places[plan.along].astype(np.int32),
        "label": found.labels[kept],
        "area": found.areas[kept].astype(np.uint64),
        **{axis: places[at].astype(np.float64) for at, axis in enumerate("xyz")},
    }
