"""`teravox image ccl auto`: all stages of labelling connected components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from teravox.cli.command import Call, Command
from teravox.cli.options import EndpointUrl, Parallel, Quiet, Region, TaskTimeout, Tries
from teravox.cli.say import plain, say_choices
from teravox.cli.stages import USUAL, Interval, make_job, refuse_what_would_be_ignored, run_stages, show_stages
from teravox.pipeline.components.declaration import (
    Connectivity,
    DestChunkSize,
    DestEncoding,
    Dust,
    Group,
    PieceShape,
    ThresholdGte,
    ThresholdLte,
)
from teravox.pipeline.exit_codes import ExitCode
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


class Auto(Command, frozen=True, rename={"memory_limit": "memory"}):
    """Label the connected components of a whole volume, exactly.

    It does `image ccl faces`, `links`, `resolve` and `relabel` one after another, here and now or by workers at --queue.
    DEST gets the labels 1, 2, 3 and so on. It may be interrupted and repeated at any time: what is done stays done.

        teravox image ccl auto ./mask ./components -p 8
    """

    source: Source
    dest: Dest
    mip: Mip = 0
    connectivity: Connectivity = 6
    threshold_gte: ThresholdGte = None
    threshold_lte: ThresholdLte = None
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
    queue: Annotated[
        str | None,
        says(
            "Queue of the workers that do it: one stage after another is put there, and waited for. The workers must reach "
            "SOURCE and DEST, and be started without --exit-on-empty: between two stages the queue is empty. "
            "Default: it is done here and now.",
            form="queue",
        ),
    ] = None
    interval: Interval = 2.0
    parallel: Parallel = 1
    dry_run: Annotated[bool, says("Say what would be done, and write nothing.")] = False
    tries: Tries = USUAL.tries
    task_timeout: TaskTimeout = None
    quiet: Quiet = False
    region: Region = None
    endpoint_url: EndpointUrl = None

    def run(self, call: Call) -> int:
        refuse_what_would_be_ignored(self, call)
        relabel, stages = self._stages()
        if self.dry_run:
            return self._show(stages)
        relabel.check_destination()
        say_choices(relabel, quiet=self.quiet)
        if not stages[-1].ledger.finished():
            code = run_stages(self, "image ccl auto", stages, call)
            if code != ExitCode.DONE:
                return code
        if not self.keep:  # also what was kept, or left by one that was interrupted here
            from teravox.pipeline.components.cleanup import remove_stage_files

            remove_stage_files(stages[:-1], relabel)
        if not self.quiet:
            print(f"{plain(self.dest)} holds the components.")
        return ExitCode.DONE

    def _stages(self) -> tuple[Relabel, list[Stage]]:
        import msgspec

        from teravox.pipeline.stages import Stage
        from teravox.tasks.image.ccl.faces import Faces
        from teravox.tasks.image.ccl.links import Links
        from teravox.tasks.image.ccl.relabel import Relabel
        from teravox.tasks.image.ccl.resolve import Resolve

        relabel, first = make_job(Relabel, self), make_job(Resolve, self)
        resolve = [msgspec.structs.replace(first, step=step) for step in range(1, first.steps + 1)]
        return relabel, [
            Stage("image ccl faces", make_job(Faces, self)),
            Stage("image ccl links", make_job(Links, self)),
            *(Stage("image ccl resolve", job) for job in resolve),
            Stage("image ccl relabel", relabel),
        ]

    def _show(self, stages: list[Stage]) -> int:
        faces = stages[0].job
        memory = f"at most {say_bytes(faces.memory(faces.pieces()[0]))} a task of {stages[0].kind}"
        show_stages(stages, [("memory", memory), *(("chosen", text) for text in stages[-1].job.choices())])
        return ExitCode.DONE
