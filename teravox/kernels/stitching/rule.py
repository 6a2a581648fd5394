"""What a rule takes for enough to join two labels."""

from __future__ import annotations

from typing import Literal, NamedTuple

RuleName = Literal["none", "conservative", "medium", "aggressive", "any", "custom"]
MIN_OVERLAP = 50  # voxels; a pair must share more
SURE = 0.9  # of both units: the share that makes a mutual pair sure; of one: what joins it to a partner of which it is no best
LARGE = 1_000  # voxels that a pair which is not mutual must share


class Rule(NamedTuple):
    """A rule, with what it takes for enough."""

    name: RuleName
    min_overlap: int = MIN_OVERLAP  # voxels; a pair must share more
    min_fraction: float = 0.0  # of custom: the least share that a mutual pair has of both its units
    iou: float = 0.0  # of custom: the least part of what either unit has that a mutual pair shares
    min_large: int | None = None  # of custom: join what shares more voxels than this, mutual or not
    plane: bool = False  # count in the middle plane of the overlap only
    keep_bridges: bool = False
