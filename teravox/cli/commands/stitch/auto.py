"""`teravox stitch auto`: all stages of stitching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from teravox.cli.command import Call, Command
from teravox.cli.options import EndpointUrl, Parallel, Quiet, Region, TaskTimeout, Tries
from teravox.cli.say import plain, say_choices
from teravox.cli.stages import USUAL, Interval, make_job, refuse_what_would_be_ignored, run_stages, show_stages
from teravox.kernels.stitching.rule import MIN_OVERLAP
from teravox.pipeline.components.declaration import DestEncoding, Group
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import Compress, CompressLevel, Memory, Sharded, says
from teravox.pipeline.stitching.declaration import (
    BlocksId,
    Consecutive,
    Iou,
    KeepBridges,
    MinFraction,
    MinLarge,
    MinOverlap,
    MinSize,
    Overwrite,
    Plane,
    RuleWord,
    SegmentedLayer,
    StitchedDest,
)
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.pipeline.stages import Stage
    from teravox.tasks.stitch.relabel import Relabel


class Auto(Command, frozen=True, rename={"memory_limit": "memory"}):
    """Join the labels of segmented blocks to bodies of the whole volume.

    It does `stitch match`, `resolve` and `relabel` one after another, here and now or by workers at --queue. It may be
    interrupted and repeated at any time: what is done stays done. The blocks and the tables of their overlaps are kept, so
    that another rule takes but a fraction of the time.

        teravox segment ./em ./seg
        teravox stitch auto ./seg
    """

    layer: SegmentedLayer
    dest: StitchedDest = None
    overwrite: Overwrite = False
    blocks: BlocksId = None
    rule: RuleWord = "medium"
    min_overlap: MinOverlap = MIN_OVERLAP
    min_fraction: MinFraction = 0.0
    min_large: MinLarge = None
    iou: Iou = 0.0
    plane: Plane = False
    keep_bridges: KeepBridges = False
    min_size: MinSize = 0
    consecutive: Consecutive = False
    group: Group = (8, 8, 8)
    memory_limit: Memory = 3_500_000_000
    encoding: DestEncoding = "compressed_segmentation"
    sharded: Sharded = False
    compress: Compress = "auto"
    compress_level: CompressLevel = None
    queue: Annotated[
        str | None,
        says(
            "Queue of the workers that do it: one stage after another is put there, and waited for. The workers must reach "
            "LAYER, and be started without --exit-on-empty: between two stages the queue is empty. "
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
        from teravox.pipeline.stitching.rewriting import forget_what_is_overwritten

        refuse_what_would_be_ignored(self, call)
        relabel, stages = self._stages()
        if self.dry_run:
            return self._show(stages)
        relabel.check_destination()
        say_choices(relabel, quiet=self.quiet)
        forget_what_is_overwritten(relabel)
        if not stages[-1].ledger.finished():
            code = run_stages(self, "stitch auto", stages, call)
            if code != ExitCode.DONE:
                return code
        if not self.quiet:
            print(plain(relabel.report()))
        return ExitCode.DONE

    def _stages(self) -> tuple[Relabel, list[Stage]]:
        import msgspec

        from teravox.pipeline.segmentation.segmented import Segmented
        from teravox.pipeline.stages import Stage
        from teravox.tasks.stitch.match import Match
        from teravox.tasks.stitch.relabel import Relabel
        from teravox.tasks.stitch.resolve import Resolve

        blocks = Segmented.open(self.layer, self.blocks).id  # so that workers take these, whatever comes later
        first = make_job(Resolve, self, blocks=blocks)
        first.choice.make_rule()
        resolve = [msgspec.structs.replace(first, step=step) for step in range(1, first.steps + 1)]
        relabel = make_job(Relabel, self, blocks=blocks)
        return relabel, [
            Stage("stitch match", make_job(Match, self, blocks=blocks)),
            *(Stage("stitch resolve", job) for job in resolve),
            Stage("stitch relabel", relabel),
        ]

    def _show(self, stages: list[Stage]) -> int:
        match = stages[0].job
        needed = max((match.memory(piece) for piece in match.pieces()[:1]), default=0)
        memory = f"about {say_bytes(needed)} a task of {stages[0].kind}"
        show_stages(stages, [("memory", memory), *(("chosen", text) for text in stages[-1].job.choices())])
        return ExitCode.DONE
