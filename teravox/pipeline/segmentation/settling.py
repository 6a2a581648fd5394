"""Parameters of steps that are left to the image, such as a threshold by its histogram, and files as they are now: found once, before tasks are made."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import structs

from teravox.pipeline.errors import BadUsage
from teravox.pipeline.segmentation.carried import know_files
from teravox.pipeline.segmentation.declaration import Segmenting
from teravox.pipeline.segmentation.step_functions import find
from teravox.pipeline.segmentation.steps import Step

J = TypeVar("J", bound=Segmenting[Any])


def settle(job: J) -> J:
    """The job with these parameters as numbers, so that all blocks are done by the same ones."""
    if job.predict is not None:
        return structs.replace(job, predict=_settle_step(job.predict, job))
    if job.steps is not None and job.steps.predict is not None:
        return structs.replace(job, steps=structs.replace(job.steps, predict=_settle_step(job.steps.predict, job)))
    return job


def _settle_step(step: Step, job: Segmenting[Any]) -> Step:
    declared = find("predict", step, "--predict")
    step = know_files(step, declared, "--predict")
    given = {name: one.default for name, one in declared.parameters.items()} | step.parameters
    found: dict[str, Any] = {}  # as a step's parameters
    for name in getattr(declared.function, "left", ()):
        if isinstance(given[name], str):
            found[name] = _find_value(step, name, given[name], given["channel"], job)
    return structs.replace(step, parameters=step.parameters | found)


def _find_value(step: Step, name: str, word: str, channel: int, job: Segmenting[Any]) -> float:
    from teravox.pipeline.contrast.thresholds import find_thresholds, read_word

    try:
        wanted = read_word(word)
    except ValueError as error:
        raise BadUsage(f"--predict: {name} of the step {step.name}: {error}") from None
    return find_thresholds(job.source, job.mip, channel, wanted.classes).thresholds[wanted.which - 1]
