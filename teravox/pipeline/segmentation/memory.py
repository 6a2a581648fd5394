"""The most memory that a block takes, by what its steps say of themselves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.box import Box
from teravox.pipeline.layers.chunk_memory import COPIES, fetching_bytes, growth_of
from teravox.pipeline.segmentation.blocks import grow
from teravox.pipeline.segmentation.layer_input import LayerInput, channels_of
from teravox.pipeline.segmentation.pipeline_steps import Chain

if TYPE_CHECKING:
    from teravox.pipeline.segmentation.plan import Plan

STEPS_LOADED = 100_000_000  # bytes of the libraries that steps load, beyond what every task has loaded
LABELS = 4  # bytes of a label


class Needs(NamedTuple):
    """Bytes for each voxel: of the image as read, of the mask, of a prediction, and what steps take besides what they are given.

    And bytes that a step takes however large the box is, of the step that takes the most.
    """

    image: float
    mask: float
    prediction: float
    bodies: float
    predict: float
    supervoxels: float
    agglomerate: float
    fixed: int

    @classmethod
    def of(
        cls, chain: Chain, resolution: tuple[float, float, float], given: LayerInput, *, with_mask: bool, bodies: int
    ) -> Needs:
        several = given.layer.info.num_channels > 1  # of which a copy is made in another order
        channels = channels_of(chain.predict, given, resolution)
        return cls(
            image=given.voxel_bytes * (2 if several else 1),
            mask=1.0 if with_mask or bodies else 0.0,
            prediction=4.0 * channels,
            bodies=0.0 if not bodies else bodies + 8.0 + 2 * LABELS,
            predict=max(chain.predict.memory(resolution), 4.0 * channels),
            supervoxels=0.0 if chain.supervoxels is None else chain.supervoxels.memory(resolution),
            agglomerate=max((step.memory(resolution) for step in chain.agglomerate), default=0.0),
            fixed=max(step.fixed(resolution) for step in chain.steps),
        )


def block_bytes(core: Box, plan: Plan, *, anywhere: bool = False) -> int:
    """The most bytes that a block needs; of one that may lie anywhere, with all of its halo and margin."""
    needs = plan.needs()
    read = grow(core, plan.halo)
    wide = grow(read, plan.chain.predict.margin(plan.zyx))
    if not anywhere:
        read = read.intersect(plan.bounds)
        wide = wide.intersect(plan.input.layer.bounds(plan.input.mip))
    scale = plan.input.layer.scale(plan.input.mip)
    chunk = math.prod(scale.chunk) * plan.input.voxel_bytes * growth_of(scale.encoding)
    reading = COPIES * chunk * plan.source.lanes + fetching_bytes(scale, plan.input.voxel_bytes, wide.voxels)
    kept = 2 * needs.prediction if plan.job.keep != "nothing" else 0.0
    crop = needs.prediction if wide.voxels > read.voxels else 0.0
    at_once = [
        wide.voxels * (needs.image + needs.mask) + reading,
        wide.voxels * (needs.image + needs.mask + needs.predict),
        wide.voxels * needs.prediction + read.voxels * (crop + needs.mask + kept),
        read.voxels * (needs.prediction + 2 * needs.mask + needs.bodies + needs.supervoxels),
        read.voxels * (needs.prediction + needs.mask + needs.bodies + LABELS + needs.agglomerate),
        read.voxels * (needs.bodies + 2 * LABELS) + LABELS * (core.voxels + 2 * _face_voxels(read, plan)),
    ]
    if plan.job.output != "labels":
        at_once.append(read.voxels * 3 * needs.prediction)
    return math.ceil(LIBRARIES + STEPS_LOADED + needs.fixed + max(at_once))


def _face_voxels(read: Box, plan: Plan) -> int:
    """The voxels of all overlaps of a block, which are cut out and encoded side by side."""
    thick = [min(2 * halo, n) for halo, n in zip(plan.halo, read.size, strict=True)]
    return sum(2 * n * read.voxels // max(1, whole) for n, whole in zip(thick, read.size, strict=True))
