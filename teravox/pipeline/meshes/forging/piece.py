"""Does a piece of a forge: from voxels to one object of fragments."""

from __future__ import annotations

from teravox.pipeline.box import Box
from teravox.pipeline.meshes.forging.finishing import Finishing
from teravox.pipeline.meshes.forging.plan import Plan
from teravox.pipeline.meshes.forging.surfaces import cut_fragments
from teravox.pipeline.objects.forging.labels import Selection, read_numbered
from teravox.pipeline.objects.fragments import join_fragments
from teravox.pipeline.objects.sort import MESH


def forge_piece(plan: Plan, piece: Box, selection: Selection, max_error: float | None, *, fill_missing: bool) -> bytes:
    """The fragments of a piece; they are an object too where there is none."""
    frame = plan.frame(piece)
    x, y, z = (nm / 2 for nm in plan.layer.scale(plan.wish.mip).resolution)
    finishing = Finishing(frame.around.min, plan.bounds.min, plan.cell, (x, y, z), max_error)
    numbered = read_numbered(plan.layer, plan.wish.mip, frame, selection, fill_missing=fill_missing)
    packed = cut_fragments(numbered, finishing, plan.room(piece))
    del numbered
    return join_fragments(packed, MESH)
