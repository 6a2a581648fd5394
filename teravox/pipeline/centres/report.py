"""The report of a comparison of centres."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.centres.comparison_plan import REMEDY
from teravox.pipeline.evaluation.figures import Foreground
from teravox.pipeline.evaluation.json_files import get_json
from teravox.pipeline.store import Store

REPORT, TABLE = "centres.json", "slices.csv"


class SliceCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a slice."""

    slice: int
    truth: int  # centres
    found: int
    matched: int
    distances: float  # of the pairs, added up
    farthest: float
    both: int  # pixels in discs of both
    only_truth: int
    only_found: int


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """Centres paired one to one."""

    in_truth: int
    in_found: int
    matched: int
    precision: float | None
    recall: float | None
    f1: float | None
    mean_distance: float | None  # of the pairs, in pixels
    farthest: float | None


class CentreReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Slices without true centres are not among it."""

    version: int = 1
    truth: str
    found: str
    bounds: Box
    axis: str
    diameter: float
    within: float
    slices: int
    centres: Paired
    discs: Foreground


def read_report(store: Store) -> CentreReport:
    return get_json(store, REPORT, CentreReport, REMEDY)


def say_report(report: CentreReport, place: str) -> str:
    """The report in the terminal."""
    return "\n".join([*_lines(report), f"All figures: {place}/{REPORT}; those of each slice: {place}/{TABLE}"])


def _lines(report: CentreReport) -> Iterator[str]:
    centres, discs = report.centres, report.discs
    yield f"TRUTH           {report.truth}"
    yield f"FOUND           {report.found}"
    yield f"compared        {report.slices:,} slices across {report.axis} that have true centres, in {report.bounds}"
    yield f"centres         {centres.in_truth:,} in TRUTH, {centres.in_found:,} in FOUND"
    yield (
        f"within {report.within:<8g} {centres.matched:,} match: precision {_say(centres.precision)}, recall "
        f"{_say(centres.recall)}, F1 {_say(centres.f1)}; they are {_say(centres.mean_distance)} apart, at most "
        f"{_say(centres.farthest)}"
    )
    yield (
        f"discs of {report.diameter:<6g} Dice {_say(discs.dice)}, Jaccard {_say(discs.jaccard)}, precision "
        f"{_say(discs.precision)}, sensitivity {_say(discs.sensitivity)}, specificity {_say(discs.specificity)}, "
        f"accuracy {_say(discs.accuracy)}, balanced {_say(discs.balanced_accuracy)}"
    )


def _say(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"
