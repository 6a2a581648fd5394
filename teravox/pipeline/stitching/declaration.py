"""What the stages of stitching are told; each is given the same, so that they find each other's files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from teravox.kernels.stitching.rule import MIN_OVERLAP, Rule, RuleName
from teravox.pipeline.components.declaration import Group
from teravox.pipeline.errors import BadUsage
from teravox.pipeline.job import Job
from teravox.pipeline.options import Memory, says

if TYPE_CHECKING:
    from teravox.pipeline.planning.traffic import Bytes
    from teravox.pipeline.segmentation.segmented import Segmented

P = TypeVar("P", bound=msgspec.Struct)

SegmentedLayer = Annotated[
    str, says("Layer whose blocks are stitched: DEST of `teravox segment`.", form="layer", positional=True)
]
BlocksId = Annotated[
    str | None,
    says("Which blocks, by the name of their folder in LAYER/blocks. Default: those that were finished last."),
]
RuleWord = Annotated[
    RuleName,
    says(
        "Which labels of two blocks are joined. none: no labels. conservative: each shares at least 90 % of what it has in "
        "the overlap with the other. medium: each shares more with the other than with any further one. aggressive: medium, "
        "and whatever shares more than 90 % of itself and 1,000 voxels with one label. any: all that share a voxel, as for "
        "connected components. custom: as the options say."
    ),
]
MinOverlap = Annotated[int, Meta(ge=0), says("Labels that share so many voxels or fewer are not joined.")]
MinFraction = Annotated[
    float,
    Meta(ge=0, le=1),
    says("With --rule custom: the least share that a joined pair has of both its labels in the overlap."),
]
Iou = Annotated[
    float,
    Meta(ge=0, le=1),
    says("With --rule custom: the least part of what either label has in the overlap that a joined pair shares."),
]
MinLarge = Annotated[
    Annotated[int, Meta(ge=0)] | None,
    says(
        "With --rule custom: join a label too that shares more than so many voxels and 90 % of itself with one that "
        "shares more with another. Default: no such label."
    ),
]
Plane = Annotated[
    bool, says("Count voxels in the plane where the blocks meet only, not in all that both have seen around it.")
]
KeepBridges = Annotated[
    bool,
    says(
        "Also join a label with two of the other block that touch each other there. Default: with neither, since one of "
        "the blocks has seen a border between them."
    ),
]
MinSize = Annotated[int, Meta(ge=0), says("Drop bodies of fewer voxels than this, counted in the whole volume.")]
Consecutive = Annotated[
    bool,
    says("Number the bodies 1, 2, 3 and so on. Default: a body has the smallest id of its blocks' labels."),
]
StitchedDest = Annotated[str | None, says("Layer to write. Default: LAYER itself.", form="layer")]
Overwrite = Annotated[
    bool,
    says(
        "Write over bodies that the layer has by another rule or of other blocks. They are replaced chunk by chunk: until it "
        "is done, the layer is a mixture of both."
    ),
]


class Stitching(Job[P], Generic[P], frozen=True, rename={"memory_limit": "memory"}):
    """The options of all stages."""

    layer: SegmentedLayer
    blocks: BlocksId = None
    memory_limit: Memory = 3_500_000_000

    def segmented(self) -> Segmented:
        """The blocks."""
        from teravox.pipeline.segmentation.segmented import Segmented

        return Segmented.open(self.layer, self.blocks)

    def looks(self, times: int) -> Bytes:
        """What opening the blocks so many times reads, where nobody says which ones they are."""
        from teravox.pipeline.planning.traffic import Bytes

        return Bytes(0, 0 if self.blocks is not None else 2 * times)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What is joined, and what is left of it."""

    rule: RuleWord = "medium"
    min_overlap: MinOverlap = MIN_OVERLAP
    min_fraction: MinFraction = 0.0
    min_large: MinLarge = None
    iou: Iou = 0.0
    plane: Plane = False
    keep_bridges: KeepBridges = False

    def make_rule(self) -> Rule:
        """The rule; BadUsage where an option means nothing to it."""
        usual = Choice()
        needs = {
            "min_fraction": ("custom",),
            "min_large": ("custom",),
            "iou": ("custom",),
            "min_overlap": ("conservative", "medium", "aggressive", "custom"),
            "plane": ("conservative", "medium", "aggressive", "any", "custom"),
            "keep_bridges": ("conservative", "medium", "aggressive", "custom"),
        }
        for name, rules in needs.items():
            if getattr(self, name) != getattr(usual, name) and self.rule not in rules:
                option = f"--{name.replace('_', '-')}"
                raise BadUsage(f"{option}: means nothing with --rule {self.rule}; it is for {', '.join(rules)}")
        return Rule(
            self.rule, self.min_overlap, self.min_fraction, self.iou, self.min_large, self.plane, self.keep_bridges
        )

    @property
    def digest(self) -> str:
        return digest(self)


class Joining(Stitching[P], Generic[P], frozen=True):
    """The options of the stages that join."""

    rule: RuleWord = "medium"
    min_overlap: MinOverlap = MIN_OVERLAP
    min_fraction: MinFraction = 0.0
    min_large: MinLarge = None
    iou: Iou = 0.0
    plane: Plane = False
    keep_bridges: KeepBridges = False
    min_size: MinSize = 0
    group: Group = (8, 8, 8)

    @property
    def choice(self) -> Choice:
        return msgspec.convert({name: getattr(self, name) for name in Choice.__struct_fields__}, Choice)

    @property
    def least(self) -> int:
        """The voxels that a body must have: one at least, since labels may lie in a halo only."""
        return max(1, self.min_size)


def digest(said: object) -> str:
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:16]
