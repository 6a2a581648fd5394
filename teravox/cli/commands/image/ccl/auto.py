"""`teravox image ccl auto`: all stages of labelling connected components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, cast

from teravox.cli.stages import StagedCommand, make_job
from teravox.pipeline.components.declaration import (
    Connectivity,
    DestChunkSize,
    DestEncoding,
    Dust,
    Group,
    PieceShape,
    StrongGte,
    StrongLte,
    ThresholdGte,
    ThresholdLte,
)
from teravox.pipeline.options import (
    Bounds,
    Compress,
    CompressLevel,
    Dest,
    FillMissing,
    Memory,
    Mip,
    Sharded,
    Source,
    says,
)
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.stages import Stage
    from teravox.tasks.image.ccl.relabel import Relabel


class Auto(StagedCommand, frozen=True, kw_only=True, rename={"memory_limit": "memory"}):
    """Label the connected components of a whole volume, exactly.

    It does `image ccl faces`, `links`, `resolve` and `relabel` one after another, here and now or by workers at --queue.
    DEST gets the labels 1, 2, 3 and so on. It may be interrupted and repeated at any time: what is done stays done.

        teravox image ccl auto ./mask ./components -p 8
        teravox image ccl auto ./tubes ./fibres --threshold-gte 0.3 --strong-gte 0.6
    """

    words: ClassVar[str] = "image ccl auto"

    source: Source
    dest: Dest
    mip: Mip = 0
    connectivity: Connectivity = 6
    threshold_gte: ThresholdGte = None
    threshold_lte: ThresholdLte = None
    strong_gte: StrongGte = None
    strong_lte: StrongLte = None
    fill_missing: FillMissing = False
    bounds: Bounds = None
    shape: PieceShape = None
    chunk_size: DestChunkSize = None
    memory_limit: Memory = 3_500_000_000
    dust: Dust = 0
    group: Group = (8, 8, 8)
    encoding: DestEncoding = "compressed_segmentation"
    sharded: Sharded = False
    compress: Compress = "auto"
    compress_level: CompressLevel = None
    keep: Annotated[bool, says("Keep what the stages leave for each other, in DEST/ccl.")] = False

    def stages(self) -> list[Stage]:
        import msgspec

        from teravox.pipeline.stages import Stage
        from teravox.tasks.image.ccl.faces import Faces
        from teravox.tasks.image.ccl.links import Links
        from teravox.tasks.image.ccl.relabel import Relabel
        from teravox.tasks.image.ccl.resolve import Resolve

        first = make_job(Resolve, self)
        resolve = [msgspec.structs.replace(first, step=step) for step in range(1, first.steps + 1)]
        return [
            Stage("image ccl faces", make_job(Faces, self)),
            Stage("image ccl links", make_job(Links, self)),
            *(Stage("image ccl resolve", job) for job in resolve),
            Stage("image ccl relabel", make_job(Relabel, self)),
        ]

    def check(self, stages: Sequence[Stage]) -> None:
        cast("Relabel", stages[-1].job).check_destination()

    def tidy(self, stages: Sequence[Stage]) -> None:
        if not self.keep:  # also what was kept, or left by one that was interrupted here
            from teravox.pipeline.components.cleanup import remove_stage_files

            remove_stage_files(stages[:-1], cast("Relabel", stages[-1].job))

    def say_plan(self, stages: Sequence[Stage]) -> tuple[Sequence[Stage], Sequence[tuple[str, str]]]:
        faces = stages[0].job
        memory = f"at most {say_bytes(faces.memory(faces.pieces()[0]))} a task of {stages[0].kind}"
        return stages, [("memory", memory), *(("chosen", text) for text in stages[-1].job.choices())]

    def report(self, stages: Sequence[Stage]) -> str:  # noqa: ARG002 - the options say it all
        return f"{self.dest} holds the components."
