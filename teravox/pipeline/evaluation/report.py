"""The report of an evaluation: what was compared, and what came of it."""

from __future__ import annotations

from typing import Any

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.evaluation.classes import Classes
from teravox.pipeline.evaluation.figures import Foreground, Objects, Rand, Vi
from teravox.pipeline.evaluation.json_files import get_json
from teravox.pipeline.evaluation.places import REPORT
from teravox.pipeline.evaluation.probabilities import Curve
from teravox.pipeline.evaluation.region_scores import RegionScore
from teravox.pipeline.store import Store


class Worst(msgspec.Struct, frozen=True, kw_only=True):
    """A label that is split, or that merges others."""

    label: int
    voxels: int
    vi: float  # what it adds to the VI of the whole, in bits
    bits: float  # that it takes to say in which of its parts one of its voxels is
    parts: int  # labels of the other layer on it
    largest: int  # the one of them that shares most voxels with it
    overlap: int  # those voxels


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """What labels as such say; voxels with ignored labels of A do not count."""

    voxels: int
    empty: int  # of them where B is 0
    in_a: int  # labels of A that count
    in_b: int  # labels of B on their voxels, 0 among them
    pairs: int  # of labels that share voxels
    vi: Vi
    rand: Rand
    worst_split: list[Worst]  # labels of A
    worst_merge: list[Worst]  # labels of B


class HeatMap(msgspec.Struct, frozen=True, kw_only=True):
    """The regions in short; regions.csv has them all."""

    region: tuple[int, int, int]
    regions: int  # that have voxels that count
    mean: float | None  # of their VI, each counting alike
    best: RegionScore | None
    worst: list[RegionScore]


class Probability(msgspec.Struct, frozen=True, kw_only=True):
    """What probabilities say."""

    threshold: float  # for the figures of the foreground, as it was applied
    curve: Curve


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. The same layers and options give the same report, however the work was divided."""

    version: int = 1
    a: str
    b: str
    mip_a: int
    mip_b: int
    resolution: tuple[float, float, float]
    bounds: Box
    options: dict[str, Any]  # as many types as options
    voxels: int  # that are compared: within the bounds, the mask, and away from borders
    foreground: Foreground
    labels: Labels | None
    objects: Objects | None
    classes: Classes | None
    probability: Probability | None
    heat_map: HeatMap | None


def read_report(store: Store) -> Report:
    """The report that was written last."""
    return get_json(store, REPORT, Report)
