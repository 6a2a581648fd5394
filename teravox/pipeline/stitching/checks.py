"""What must be so before a stage of stitching begins."""

from __future__ import annotations

from teravox.pipeline.components.stage_files import require_stage
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.layers.same_place import refuse_same
from teravox.pipeline.segmentation.block_files import CORES
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.stitching.places import OVERLAPS, stitch_folder
from teravox.pipeline.units import say_bytes


def require_blocks(segmented: Segmented) -> None:
    """Raise BadUsage unless all blocks are segmented."""
    found = sum(1 for _ in segmented.store.list(f"{segmented.folder}/{CORES}/"))
    if found < len(segmented.blocks):
        raise BadUsage(
            f"{segmented.store.url}/{segmented.folder} holds {found:,} of {len(segmented.blocks):,} blocks: "
            "first run `teravox segment` to its end, with the same options"
        )


def require_overlaps(segmented: Segmented) -> None:
    """Raise BadUsage if no two blocks have seen the same, so that there is nothing to compare."""
    axes = [axis for axis in range(3) if segmented.grid.cells[axis] > 1]
    if axes and not any(segmented.halo[axis] for axis in axes):
        raise BadUsage(
            f"the blocks in {segmented.store.url}/{segmented.folder} have a halo of {segmented.halo}, so no two of them "
            "have seen the same voxels: segment with a --halo, such as 20,20,20"
        )


def require_tables(segmented: Segmented) -> None:
    """Raise BadUsage unless all blocks are matched."""
    folder = stitch_folder(segmented.id)
    require_stage(segmented.store, folder, OVERLAPS, len(segmented.blocks), "match", "stitch")


def refuse_source(segmented: Segmented, dest: str) -> None:
    """Raise BadUsage if the layer to be written is the image that was segmented."""
    refuse_same(segmented.plan.source, dest)


def check_memory(allowed: int, needed: int, remedy: str) -> None:
    """Raise BadUsage if a task would need more than --memory allows."""
    if needed > allowed:
        raise BadUsage(
            f"--memory: a task needs {say_bytes(needed)}, and it allows {say_bytes(allowed)}: give it more, or {remedy}"
        )
