"""Puts a plan beside the blocks that it cuts, with what workers cannot read elsewhere, and finds it again."""

from __future__ import annotations

from teravox.pipeline.segmentation import preserving
from teravox.pipeline.segmentation.box_region import BoxRegion
from teravox.pipeline.segmentation.carried import copy_files
from teravox.pipeline.segmentation.plan import Plan
from teravox.pipeline.segmentation.plan_file import PlanFile
from teravox.pipeline.segmentation.segmented import Segmented


def keep_plan(plan: Plan) -> Segmented:
    """Write the plan, and before it the files that it names; the same again changes nothing."""
    region, ids = plan.region(), plan.preserved_ids()
    file = plan.file(ids, region)
    copy_files(plan.chain.steps, plan.dest)
    if isinstance(region, BoxRegion):
        plan.dest.put(f"{plan.folder}/roi", region.pack())
    if ids is not None:
        plan.bodies(ids)  # which refuses a layer that has none
        plan.dest.put(f"{plan.folder}/preserved-ids", preserving.pack_ids(ids))
    return Segmented.create(plan.dest.url, plan.id, file)


def plan_file(plan: Plan) -> PlanFile:
    """The plan as it is kept, or as it would be."""
    return plan.kept_plan() or plan.file(plan.preserved_ids(), plan.region())


def open_segmented(plan: Plan) -> Segmented:
    """The blocks of a plan, which must have been kept."""
    return Segmented.open(plan.dest.url, plan.id)
