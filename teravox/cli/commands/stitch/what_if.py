"""`teravox stitch what-if`: what other rules would make of the blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from teravox.cli.command import Call, Command
from teravox.cli.options import AsJson
from teravox.kernels.stitching.rule import MIN_OVERLAP
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says
from teravox.pipeline.stitching.declaration import (
    BlocksId,
    Choice,
    Iou,
    KeepBridges,
    MinFraction,
    MinLarge,
    Plane,
    RuleWord,
    SegmentedLayer,
)

if TYPE_CHECKING:
    from teravox.pipeline.stitching.trying import Outcome

_WITHOUT_LEAST = ("none", "any")  # rules to which no smallest overlap means anything
_COLUMNS = ("rule", "min overlap", "joins", "bodies", "largest", "half is in")


class WhatIf(Command, frozen=True):
    """Say how many bodies there would be with other rules, and how large.

    It reads the tables that `stitch match` has left, and touches no voxel, so it takes seconds where stitching takes hours.
    It holds all labels in memory, about 100 bytes for each. `largest` is the largest body in voxels, and half of all voxels
    lie in bodies at least as large as `half is in`: where these jump, a rule has begun to join what is apart.

        teravox stitch what-if ./seg
        teravox stitch what-if ./seg --rules medium,aggressive --min-overlaps 20,50,100,200
    """

    layer: SegmentedLayer
    blocks: BlocksId = None
    rules: Annotated[tuple[RuleWord, ...], says("Rules to try, as `stitch auto` has them.")] = (
        "none",
        "conservative",
        "medium",
        "aggressive",
        "any",
    )
    min_overlaps: Annotated[
        tuple[Annotated[int, Meta(ge=0)], ...], says("What to try as --min-overlap, with each rule that has it.")
    ] = (MIN_OVERLAP,)
    min_fraction: MinFraction = 0.0
    min_large: MinLarge = None
    iou: Iou = 0.0
    plane: Plane = False
    keep_bridges: KeepBridges = False
    top: Annotated[int, Meta(ge=1), says("How many of the largest bodies --json lists with each rule.")] = 10
    json: AsJson = False

    def run(self, call: Call) -> int:  # noqa: ARG002 - a command's run takes it
        from teravox.pipeline.segmentation.segmented import Segmented
        from teravox.pipeline.stitching.checks import require_tables
        from teravox.pipeline.stitching.trying import try_rules

        choices = self._choices()
        segmented = Segmented.open(self.layer, self.blocks)
        require_tables(segmented)
        outcomes = try_rules(segmented, choices, self.top)
        if self.json:
            print(msgspec.json.encode(outcomes).decode())
        else:
            _print_table([_COLUMNS, *map(_row, outcomes)])
        return ExitCode.DONE

    def _choices(self) -> list[Choice]:
        """Each rule with each smallest overlap; an option that only some of them have goes to those."""
        if not self.rules or not self.min_overlaps:
            raise BadUsage(f"{'--rules' if not self.rules else '--min-overlaps'}: name one at least")
        custom = Choice(rule="custom", min_fraction=self.min_fraction, min_large=self.min_large, iou=self.iou)
        if custom != Choice(rule="custom") and "custom" not in self.rules:
            raise BadUsage("--min-fraction, --min-large and --iou are for --rule custom, which is not among --rules")
        return [
            msgspec.structs.replace(
                custom if rule == "custom" else Choice(),
                rule=rule,
                min_overlap=least,
                plane=self.plane and rule != "none",
                keep_bridges=self.keep_bridges and rule not in _WITHOUT_LEAST,
            )
            for rule in self.rules
            for least in ((MIN_OVERLAP,) if rule in _WITHOUT_LEAST else self.min_overlaps)
        ]


def _row(outcome: Outcome) -> tuple[str, ...]:
    least = "-" if outcome.rule in _WITHOUT_LEAST else f"{outcome.min_overlap:,}"
    counts = (outcome.joins, outcome.bodies, outcome.largest, outcome.half)
    return (outcome.rule, least, *(f"{count:,}" for count in counts))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others = (
            text.ljust(width) if place == 0 else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]))
