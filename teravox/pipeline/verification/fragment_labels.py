"""Compares fragments with the meshes or skeletons that were merged of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.errors import BadInput
from teravox.pipeline.objects.plan import stamp_of
from teravox.pipeline.objects.result_folder import read_mark
from teravox.pipeline.objects.sort import MESH, Sort
from teravox.pipeline.verification.finding import Finding
from teravox.pipeline.verification.object_compare import find_excess, find_lacking, labels_of, open_objects
from teravox.pipeline.verification.object_folder import folder_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer
    from teravox.pipeline.objects.forged import Forged
    from teravox.pipeline.verification.look import Look


def compare_merged(
    look: Look, layer: Layer, sort: Sort, forged: Forged, crc: int, labels: NDArray[np.uint64]
) -> Iterator[Finding]:
    """Whether the objects that a layer names are of the labels of these fragments, where they were merged of them."""
    folder = folder_of(look, sort)
    if folder is None or not _are_merged(look, layer, sort, folder, forged, crc):
        return
    try:
        source = open_objects(layer, sort, folder)
        have = labels_of(look, source)
    except BadInput:  # which whoever verifies the objects has told
        return
    if have is None:
        return
    said = f"{forged.folder}/"
    yield from find_excess(source, sort, labels, have, said)
    if sort == MESH:  # skeletons are left out where they are short
        yield from find_lacking(look, source, sort, labels, have, said)


def _are_merged(look: Look, layer: Layer, sort: Sort, folder: str, forged: Forged, crc: int) -> bool:
    """Whether the mark of the folder is that of a merge of just these fragments, and that merge is finished."""
    merges = [
        job
        for job in look.makers.jobs
        if job.prefix == f"{folder}/" and job.record.kind == f"{sort.one} merge" and job.ledger.finished()
    ]
    return any(read_mark(layer.store, folder, stamp_of(job.id, forged, crc)) is not None for job in merges)
