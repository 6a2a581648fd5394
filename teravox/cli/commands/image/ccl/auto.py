"""`teravox image ccl auto`: all stages of labelling connected components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.options import EndpointUrl, Parallel, Quiet, Region, TaskTimeout, Tries
from teravox.cli.progress import show_progress
from teravox.cli.say import plain, say_tasks
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
    Seconds,
    Sharded,
    Source,
    says,
)
from teravox.pipeline.units import say_bytes, say_seconds
from teravox.pipeline.worker.settings import WorkerSettings

if TYPE_CHECKING:
    from teravox.pipeline.stages import Stage
    from teravox.tasks.image.ccl.relabel import Relabel

_USUAL = WorkerSettings()
_ONLY_HERE = ("parallel", "tries", "task_timeout")


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
    interval: Annotated[Seconds, says("Time between two looks whether the workers are done.", form="seconds")] = 2.0
    parallel: Parallel = 1
    dry_run: Annotated[bool, says("Say what would be done, and write nothing.")] = False
    tries: Tries = _USUAL.tries
    task_timeout: TaskTimeout = None
    quiet: Quiet = False
    region: Region = None
    endpoint_url: EndpointUrl = None

    def run(self, call: Call) -> int:
        self._refuse_what_would_be_ignored(call)
        relabel, stages = self._stages()
        if self.dry_run:
            return self._show(stages)
        relabel.check_destination()
        if not self.quiet:
            for sentence in relabel.choices():
                print(plain(sentence), flush=True)
        if not stages[-1].ledger.finished():
            code = self._here(stages, call) if self.queue is None else self._elsewhere(self.queue, stages, call)
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

        given = msgspec.structs.asdict(self)

        def told(kind: type[msgspec.Struct]) -> dict[str, Any]:  # as many types as options
            return {name: given[name] for name in kind.__struct_fields__ if name in given}

        faces, links = Faces(**told(Faces)), Links(**told(Links))
        relabel = Relabel(**told(Relabel))
        first = Resolve(**told(Resolve))
        resolve = [msgspec.structs.replace(first, step=step) for step in range(1, first.steps + 1)]
        return relabel, [
            Stage("image ccl faces", faces),
            Stage("image ccl links", links),
            *(Stage("image ccl resolve", job) for job in resolve),
            Stage("image ccl relabel", relabel),
        ]

    def _here(self, stages: list[Stage], call: Call) -> int:
        from teravox.pipeline.limits import granted_cores
        from teravox.pipeline.stages import run_stages_here

        settings = WorkerSettings(
            processes=self.parallel or granted_cores(),
            tries=self.tries,
            task_timeout=self.task_timeout,
            exit_on_empty=True,
            plugins=call.registry.plugins,
            quiet=True,
        )

        def total() -> int:
            return sum(len(stage.job.pieces()) for stage in stages)

        with show_progress("image ccl auto", total, quiet=self.quiet) as progress:
            outcome = run_stages_here(stages, settings, command=call.command, progress=progress)
        if outcome.stopped_by == "signal":
            print(f"Stopped: {say_tasks(outcome.done)} done. The same command again does the rest.")
        elif not self.quiet:
            failed = f", {outcome.failed:,} failed" if outcome.failed else ""
            print(f"{say_tasks(outcome.done)} done{failed} in {say_seconds(progress.seconds)}.")
        return outcome.exit_code

    def _elsewhere(self, url: str, stages: list[Stage], call: Call) -> int:
        from contextlib import closing

        from teravox.pipeline.queues.open import open_queue
        from teravox.pipeline.stages import run_stages_elsewhere

        def say(text: str) -> None:
            if not self.quiet:
                print(text, flush=True)

        with closing(open_queue(url, region=self.region, endpoint=self.endpoint_url, create=True)) as queue:
            try:
                run_stages_elsewhere(
                    stages, queue, call.registry, command=call.command, interval=self.interval, say=say
                )
            except KeyboardInterrupt:
                print(f"\nStopped: the tasks of this stage stay in {queue.url}. The same command again goes on.")
                return ExitCode.INTERRUPTED
        return ExitCode.DONE

    def _show(self, stages: list[Stage]) -> int:
        for stage in stages:
            print(f"{stage.kind:20}{say_tasks(len(stage.job.pieces()))}")
        faces = stages[0].job
        print(f"{'memory':20}at most {say_bytes(faces.memory(faces.pieces()[0]))} a task of {stages[0].kind}")
        for sentence in stages[-1].job.choices():
            print(f"{'chosen':20}{plain(sentence)}")
        print("This was a dry run: nothing was written.")
        return ExitCode.DONE

    def _refuse_what_would_be_ignored(self, call: Call) -> None:
        """What was typed for this command must mean something to it; the environment is for many commands."""
        typed = {name: one.label for name, one in call.given.items() if one.by == "command line"}
        here = _ONLY_HERE if self.queue is not None else ("interval",)
        for name in here:
            if name in typed and self.queue is not None:
                raise BadOption(f"{typed[name]}: means nothing with --queue; say it to `teravox execute`")
            if name in typed:
                raise BadOption(f"{typed[name]}: means nothing without --queue")
        if self.queue is None or self.queue.startswith("fq://"):
            for name in ("region", "endpoint_url"):
                if name in typed:
                    raise BadOption(f"{typed[name]}: means nothing without an SQS queue in --queue")
