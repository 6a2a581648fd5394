"""`teravox stitch explain`: why two labels are one body, or are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from teravox.cli.command import Call, Command
from teravox.cli.errors import BadOption
from teravox.cli.options import AsJson
from teravox.cli.say import plain
from teravox.kernels.stitching.rule import MIN_OVERLAP
from teravox.pipeline.exit_codes import ExitCode
from teravox.pipeline.options import says
from teravox.pipeline.stitching.declaration import (
    BlocksId,
    Choice,
    Iou,
    KeepBridges,
    MinFraction,
    MinLarge,
    MinOverlap,
    Plane,
    RuleWord,
    SegmentedLayer,
)

if TYPE_CHECKING:
    from teravox.pipeline.segmentation.segmented import Segmented
    from teravox.pipeline.stitching.decided import Met
    from teravox.pipeline.stitching.explaining import Explanation

_SHOWN = 10  # lines of a list, for people
_LABEL = says("A label of a block: its id, or a voxel of it as x,y,z at the mip that was segmented.", positional=True)


class Explain(Command, frozen=True):
    """Say why two labels are one body, or are not.

    For each face where the two were seen by both blocks it says how many voxels they share and what the rule made of it;
    if joins lead from the one to the other, these joins one by one; and if none do, where their bodies meet and why they
    were not joined there. It reads the tables of `stitch match` and the blocks that the bodies lie in, no image.

        teravox stitch explain ./seg 16777230 33554440
        teravox stitch explain ./seg 1200,340,77 1260,338,80 --rule aggressive
    """

    layer: SegmentedLayer
    one: Annotated[str, _LABEL]
    other: Annotated[str, _LABEL]
    blocks: BlocksId = None
    rule: Annotated[
        RuleWord | None, says("A rule, as `stitch auto` has it. Default: the one that LAYER was written with.")
    ] = None
    min_overlap: MinOverlap = MIN_OVERLAP
    min_fraction: MinFraction = 0.0
    min_large: MinLarge = None
    iou: Iou = 0.0
    plane: Plane = False
    keep_bridges: KeepBridges = False
    json: AsJson = False

    def run(self, call: Call) -> int:
        from teravox.pipeline.segmentation.segmented import Segmented
        from teravox.pipeline.stitching.checks import require_tables
        from teravox.pipeline.stitching.explaining import explain
        from teravox.pipeline.stitching.labels import find_label

        segmented = Segmented.open(self.layer, self.blocks)
        require_tables(segmented)
        choice = self._choice(segmented, call)
        one, other = find_label(segmented, self.one), find_label(segmented, self.other)
        said = explain(segmented, choice.make_rule(), one, other)
        if self.json:
            print(msgspec.json.encode(said).decode())
        else:
            for line in _lines(said, choice):
                print(plain(line))
        return ExitCode.DONE

    def _choice(self, segmented: Segmented, call: Call) -> Choice:
        from teravox.pipeline.stitching.written import read_written

        if self.rule is not None:
            given = {name: getattr(self, name) for name in Choice.__struct_fields__}
            return Choice(**given)
        for name in Choice.__struct_fields__:
            if name in call.given and call.given[name].by == "command line":
                raise BadOption(f"{call.given[name].label}: means nothing without --rule")
        written = read_written(segmented.store)
        return Choice() if written is None or written.blocks != segmented.id else written.choice


def _lines(said: Explanation, choice: Choice) -> list[str]:
    lines = [f"The rule is {choice.rule}."]
    if said.one == said.other:
        return [*lines, f"Both are the label {said.one}: its block has it as one."]
    lines += _list(f"{said.one} and {said.other} share", said.between, "no voxel that both their blocks have seen")
    if said.joined:
        joins = "1 join leads" if len(said.path) == 1 else f"{len(said.path):,} joins lead"
        return [*lines, f"They are one body: {joins} from one to the other.", *map(_say, said.path)]
    sizes = " and ".join("1 label" if labels == 1 else f"{labels:,} labels" for labels in said.labels)
    lines.append(f"They are not one body: no joins lead from one to the other. Their bodies have {sizes}.")
    return lines + _list("These bodies share", said.refused, "no voxel that two blocks have seen")


def _list(begin: str, met: Sequence[Met], nothing: str) -> list[str]:
    if not met:
        return [f"{begin} {nothing}."]
    more = [f"  … and {len(met) - _SHOWN:,} more (--json has all)"] if len(met) > _SHOWN else []
    return [f"{begin}:", *map(_say, met[:_SHOWN]), *more]


def _say(met: Met) -> str:
    verdict = "joined" if met.joined else "not joined"
    shares = f"{met.low_share:.1%} and {met.high_share:.1%} of what the two have there"
    return (
        f"  {met.low} and {met.high}, in {met.axis} between {' and '.join(met.blocks)}: "
        f"{met.shared:,} {'voxel' if met.shared == 1 else 'voxels'}, {shares}; {verdict}: {met.reason}"
    )
