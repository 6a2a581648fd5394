"""The steps of a job, with their functions."""

from __future__ import annotations

from typing import Any, NamedTuple

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.segmentation.declaration import Segmenting
from teravox.pipeline.segmentation.step_functions import BoundStep, bind
from teravox.pipeline.segmentation.steps import Json, Step, Steps

PREDICT = Step("membrane")
SUPERVOXELS = Step("distance-watershed")
AGGLOMERATE = (Step("mean-boundary"),)


class Chain(NamedTuple):
    """What is done with a block, one after another; a prediction alone, where no labels are made."""

    predict: BoundStep
    supervoxels: BoundStep | None
    agglomerate: tuple[BoundStep, ...]

    @property
    def steps(self) -> list[BoundStep]:
        """All of them."""
        return [step for step in (self.predict, self.supervoxels, *self.agglomerate) if step is not None]

    @property
    def said(self) -> Json:
        """All that changes the labels, as JSON."""
        return {
            "predict": self.predict.said,
            "supervoxels": None if self.supervoxels is None else self.supervoxels.said,
            "agglomerate": [step.said for step in self.agglomerate],
        }


def bind_prediction(job: Segmenting[Any]) -> BoundStep:
    """The function of a job's first step; BadUsage as below."""
    named = job.steps or Steps()
    return bind("predict", job.predict or named.predict or PREDICT, "--predict", job.dest)


def bind_steps(job: Segmenting[Any]) -> Chain:
    """The functions of a job's steps; BadUsage names the option that cannot be meant."""
    named = job.steps or Steps()
    predict = bind_prediction(job)
    if job.output != "labels":
        for option, given in (("--supervoxels", job.supervoxels), ("--agglomerate", job.agglomerate)):
            if given is not None:
                raise BadUsage(
                    f"{option}: means nothing with --output {job.output}, which is made of predictions alone"
                )
        return Chain(predict, None, ())
    chain = next(steps for steps in (job.agglomerate, named.agglomerate, AGGLOMERATE) if steps is not None)
    return Chain(
        predict,
        bind("supervoxels", job.supervoxels or named.supervoxels or SUPERVOXELS, "--supervoxels", job.dest),
        tuple(bind("agglomerate", step, "--agglomerate", job.dest) for step in chain),
    )
