"""Parameters of steps that are left to the image, such as a threshold by its histogram, and files as they are now: found once, before tasks are made."""

from __future__ import annotations

from typing import Any, TypeVar, get_args

from msgspec import structs

from teravox.pipeline.segmentation.carried import know_files
from teravox.pipeline.segmentation.declaration import Segmenting
from teravox.pipeline.segmentation.found_thresholds import find_grey_value, find_share
from teravox.pipeline.segmentation.step_functions import find
from teravox.pipeline.segmentation.steps import Step, What

J = TypeVar("J", bound=Segmenting[Any])
Named = Step | tuple[Step, ...]
KINDS: tuple[What, ...] = get_args(What)


def settle(job: J) -> J:
    """The job with these parameters as numbers, so that all blocks are done by the same ones."""
    settled: dict[str, Any] = _settle_those_of(job, KINDS, job)  # as a job's options
    if job.steps is not None:
        others = tuple(what for what in KINDS if what not in settled)
        settled["steps"] = structs.replace(job.steps, **_settle_those_of(job.steps, others, job))
    return structs.replace(job, **settled)


def _settle_those_of(named: Any, kinds: tuple[What, ...], job: Segmenting[Any]) -> dict[str, Named]:
    """The steps of these kinds that a job, or the file with its steps, names."""
    settled: dict[str, Named] = {}
    for what in kinds:
        given: Named | None = getattr(named, what)
        if isinstance(given, Step):
            settled[what] = _settle_step(what, given, job)
        elif given is not None:
            settled[what] = tuple(_settle_step(what, one, job) for one in given)
    return settled


def _settle_step(what: What, step: Step, job: Segmenting[Any]) -> Step:
    from teravox.kernels.segmentation.step import left_to_image

    option = f"--{what}"
    declared = find(what, step, option)
    step = know_files(step, declared, option)
    given = {name: one.default for name, one in declared.parameters.items()} | step.parameters
    found: dict[str, Any] = {}  # as a step's parameters
    for name in left_to_image(declared.function, step.parameters):
        word = given[name]
        if isinstance(word, str):
            found[name] = (
                find_grey_value(step, name, word, given["channel"], job)
                if what == "predict"
                else find_share(step, name, word, given["boundary_channel"], job)
            )
    return structs.replace(step, parameters=step.parameters | found)
