"""The groups of blocks that are joined step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from teravox.pipeline.components.groups import Groups
from teravox.pipeline.components.hierarchy import Hierarchy
from teravox.pipeline.components.plan import check_group
from teravox.pipeline.stitching.places import joined_folder, rule_folder

if TYPE_CHECKING:
    from teravox.pipeline.segmentation.segmented import Segmented
    from teravox.pipeline.stitching.declaration import Joining


def make_groups(job: Joining[Any], segmented: Segmented) -> Groups:
    """The groups, as a job's options say; BadUsage if they cannot come to hold all blocks."""
    check_group(job.group, segmented.grid.cells)
    return Groups(
        segmented.store,
        rule_folder(segmented.id, job.choice),
        joined_folder(segmented.id, job.choice, job.least, job.group),
        Hierarchy(segmented.grid, job.group),
        job.least,
        segmented.blocks.used,
        of="stitch",
        maker="resolve --step 1",
    )
