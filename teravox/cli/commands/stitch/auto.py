"""`teravox stitch auto`: all stages of stitching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from teravox.cli.stages import StagedCommand, make_job
from teravox.kernels.stitching.rule import MIN_OVERLAP
from teravox.pipeline.components.declaration import DestEncoding, Group
from teravox.pipeline.options import Compress, CompressLevel, Memory, Sharded
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


class Auto(StagedCommand, frozen=True, kw_only=True, rename={"memory_limit": "memory"}):
    """Join the labels of segmented blocks to bodies of the whole volume.

    It does `stitch match`, `resolve` and `relabel` one after another, here and now or by workers at --queue. It may be
    interrupted and repeated at any time: what is done stays done. The blocks and the tables of their overlaps are kept, so
    that another rule takes but a fraction of the time.

        teravox segment ./em ./seg
        teravox stitch auto ./seg
    """

    words: ClassVar[str] = "stitch auto"

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

    def stages(self) -> list[Stage]:
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
        return [
            Stage("stitch match", make_job(Match, self, blocks=blocks)),
            *(Stage("stitch resolve", job) for job in resolve),
            Stage("stitch relabel", make_job(Relabel, self, blocks=blocks)),
        ]

    def check(self, stages: Sequence[Stage]) -> None:
        cast("Relabel", stages[-1].job).check_destination()

    def is_overwritten(self, stages: Sequence[Stage]) -> bool:
        from teravox.pipeline.stitching.rewriting import is_overwritten

        return is_overwritten(stages[-1].job)

    def say_plan(self, stages: Sequence[Stage]) -> tuple[Sequence[Stage], Sequence[tuple[str, str]]]:
        match = stages[0].job
        needed = max((match.memory(piece) for piece in match.pieces()[:1]), default=0)
        memory = f"about {say_bytes(needed)} a task of {stages[0].kind}"
        return stages, [("memory", memory), *(("chosen", text) for text in stages[-1].job.choices())]

    def report(self, stages: Sequence[Stage]) -> str:
        return stages[-1].job.report() or ""
