"""What came of a run: which steps are done, what they cost, and which layers they made."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from teravox.pipeline.box import Vec
from teravox.pipeline.errors import TeravoxError
from teravox.pipeline.pipelines.stamp import Cost
from teravox.pipeline.pipelines.work import State, StepRun


class StepSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One step; its figures are sums over its stages, as the ledgers say, also of what was done before this run."""

    name: str
    do: str
    state: State
    note: str
    was_done: bool  # before this run
    tasks: int
    seconds: float  # of all tasks, as if they had run one after another
    cpu_seconds: float
    wall_seconds: float  # from the first start to the last end of each stage
    peak_bytes: int  # of the largest task
    bytes_in: int
    bytes_out: int
    stages: tuple[Cost, ...]


class MadeLayer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer that steps have written."""

    url: str
    type: str
    data_type: str
    size: Vec  # voxels of mip 0
    mips: int
    parts: tuple[str, ...]  # "meshes", "skeletons"


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """All steps and layers of a run."""

    form: str = "teravox run 1"
    file: str
    is_done: bool
    seconds: float  # of this run, by the clock
    steps: tuple[StepSummary, ...]
    layers: tuple[MadeLayer, ...]


def sum_up(step: StepRun) -> StepSummary:
    """What a step cost."""
    totals = [cost.totals for cost in step.costs]
    walls = [each.ended - each.started for each in totals if each.started is not None and each.ended is not None]
    return StepSummary(
        name=step.name,
        do=step.work.do,
        state=step.state,
        note=step.note,
        was_done=step.was_done,
        tasks=sum(each.tasks for each in totals),
        seconds=sum(each.seconds for each in totals),
        cpu_seconds=sum(each.cpu_seconds for each in totals),
        wall_seconds=sum(walls),
        peak_bytes=max((each.peak_bytes for each in totals), default=0),
        bytes_in=sum(each.bytes_in for each in totals),
        bytes_out=sum(each.bytes_out for each in totals),
        stages=tuple(step.costs),
    )


def find_layers(steps: Iterable[StepRun]) -> tuple[MadeLayer, ...]:
    """The layers that steps have written, as they are now, each once."""
    urls = [_target(step) for step in steps if step.state == "done"]
    found = (_look(url) for url in dict.fromkeys(urls))
    return tuple(layer for layer in found if layer is not None)


def _target(step: StepRun) -> str:
    job = step.stages[-1].job
    return str(getattr(job, "dest", None) or getattr(job, "layer", None) or job.home()).rstrip("/")


def _look(url: str) -> MadeLayer | None:
    """A layer; None where the place holds something else, such as the report of an evaluation."""
    from teravox.pipeline.layers.layer import Layer

    try:
        layer = Layer.open(url, fresh=True)
    except TeravoxError:
        return None
    words = (("mesh", "meshes"), ("skeletons", "skeletons"), ("segment_properties", "properties"))
    return MadeLayer(
        url=layer.url,
        type=layer.info.type,
        data_type=layer.info.data_type,
        size=layer.info.scales[0].size,
        mips=len(layer.info.scales),
        parts=tuple(word for key, word in words if layer.raw.get(key)),
    )
