"""`teravox evaluate`: all stages of comparing a segmentation with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

from teravox.cli.stages import StagedCommand, make_job
from teravox.pipeline.evaluation.declaration import (
    BodyThreshold,
    Boundary,
    Channel,
    HeatMap,
    IgnoreEmpty,
    IgnoreLabel,
    Mask,
    MipA,
    MipB,
    PieceShape,
    Probabilities,
    SameClasses,
    Tested,
    Threshold,
    Truth,
    Worst,
)
from teravox.pipeline.options import Bounds, FillMissing, Memory, says
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.stages import Stage
    from teravox.tasks.evaluate.reduce import Reduce


class Evaluate(StagedCommand, frozen=True, kw_only=True, rename={"memory_limit": "memory"}):
    """Say how well the labels of B agree with those of A, the truth.

    VI in bits, split and merge; Rand; Dice and other figures of foreground; matched objects; the labels that are split
    and merged worst; with --heat-map where it is bad; and of probabilities ROC AUC and average precision. The most
    important figures are printed, and all of them are in report.json in --dest, with tables beside it.

        teravox evaluate ./truth ./seg
        teravox evaluate ./truth ./seg --heat-map 256,256,256 --boundary 2,2,0 -p 8

    It does `evaluate count` and `evaluate reduce` for both sides, here and now or by workers at --queue. It may be
    interrupted and repeated at any time: what is done stays done.
    """

    words: ClassVar[str] = "evaluate"

    a: Truth
    b: Tested
    dest: Annotated[
        str | None,
        says(
            "Folder for the report and its tables, not within A or B. Default: evaluate-A-B in the working directory, "
            "by the names of the layers.",
            form="layer",
        ),
    ] = None
    mip: MipA = 0
    mip_b: MipB = None
    ignore_label: IgnoreLabel = (0,)
    ignore_empty: IgnoreEmpty = False
    body_threshold: BodyThreshold = 0
    mask: Mask = None
    boundary: Boundary = (0, 0, 0)
    heat_map: HeatMap = None
    classes: SameClasses = False
    probabilities: Probabilities = False
    channel: Channel = 0
    threshold: Threshold = 0.5
    worst: Worst = 100
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: PieceShape = None
    memory_limit: Memory = 2_000_000_000
    keep: Annotated[bool, says("Keep what the stages leave for each other, in DEST/stages.")] = False

    def stages(self) -> list[Stage]:
        from teravox.pipeline.stages import Stage
        from teravox.tasks.evaluate.count import Count
        from teravox.tasks.evaluate.reduce import Reduce

        dest = self.dest or _folder_for(self.a, self.b)
        return [
            Stage("evaluate count", make_job(Count, self, dest=dest)),
            Stage("evaluate reduce", make_job(Reduce, self, dest=dest, side="a")),
            Stage("evaluate reduce", make_job(Reduce, self, dest=dest, side="b")),
        ]

    def together(self, stages: Sequence[Stage]) -> Sequence[Sequence[Stage]]:
        return [[stage] for stage in stages]  # how many tasks a stage has is known when the one before is done

    def tidy(self, stages: Sequence[Stage]) -> None:
        if not self.keep:
            from teravox.pipeline.evaluation.cleanup import remove_stage_files

            remove_stage_files(stages[:-1], cast("Reduce", stages[-1].job))

    def is_forgotten(self) -> bool:
        return not self.keep

    def say_plan(self, stages: Sequence[Stage]) -> tuple[Sequence[Stage], Sequence[tuple[str, str]]]:
        count = stages[0].job
        most = say_bytes(count.memory(count.pieces()[0]))
        memory = f"at most {most} a task of {stages[0].kind}, {say_bytes(self.memory_limit)} of evaluate reduce"
        return stages[:1], [
            ("memory", memory),
            ("then", "evaluate reduce, in as many tasks as what was counted needs"),
            ("report", f"{stages[-1].job.home()}/report.json"),
        ]

    def report(self, stages: Sequence[Stage]) -> str:
        return stages[-1].job.report() or ""


def _folder_for(a: str, b: str) -> str:
    """A folder in the working directory, named after both layers."""
    from pathlib import Path

    from teravox.pipeline.storage.urls import normalize

    names = "-".join(normalize(url).rstrip("/").rpartition("/")[2] for url in (a, b))
    return normalize(str(Path.cwd() / f"evaluate-{names}"))
