"""The report in the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from teravox.pipeline.evaluation.classes import Classes
from teravox.pipeline.evaluation.places import REPORT
from teravox.pipeline.evaluation.report import Labels, Report, Worst

SHOWN = 20  # of the worst labels, and of classes


def say_report(report: Report, place: str) -> str:
    """The figures that one looks at first, and where the others are."""
    return "\n".join([*_lines(report), f"All figures: {place}/{REPORT}"])


def _lines(report: Report) -> Iterator[str]:
    yield f"A, the truth    {report.a} mip {report.mip_a}"
    yield f"B               {report.b} mip {report.mip_b}"
    yield f"compared        {report.voxels:,} voxels in {report.bounds}"
    if report.labels is not None:
        yield from _say_labels(report.labels, report)
    one = report.foreground
    yield (
        f"foreground      Dice {_say(one.dice)}, Jaccard {_say(one.jaccard)}, precision {_say(one.precision)}, "
        f"sensitivity {_say(one.sensitivity)}, specificity {_say(one.specificity)}, accuracy {_say(one.accuracy)}, "
        f"balanced {_say(one.balanced_accuracy)}"
    )
    if report.probability is not None:
        curve = report.probability.curve
        yield (
            f"probability     ROC AUC {_say(curve.roc_auc)}, average precision {_say(curve.average_precision)}; "
            f"best Dice {_say(curve.best_dice)} at {_say(curve.best_threshold)} (above: at "
            f"{_say(report.probability.threshold)})"
        )
    if report.objects is not None:
        half = report.objects.thresholds[0]
        yield (
            f"objects         {report.objects.in_a:,} in A, {report.objects.in_b:,} in B; at IoU > 0.5 {half.matched:,} "
            f"match: precision {_say(half.precision)}, recall {_say(half.recall)}, F1 {_say(half.f1)}; mean accuracy "
            f"at 0.5 to 0.95 {_say(report.objects.mean_accuracy)}"
        )
    if report.classes is not None:
        yield from _say_classes(report.classes)
    if report.heat_map is not None:
        mean = report.heat_map.mean
        yield f"heat map        {report.heat_map.regions:,} regions of {report.heat_map.region}, mean VI {_say(mean)}"
        for score in report.heat_map.worst[:3]:
            yield f"                {score.total:.4f} in {score.box} (split {score.split:.4f}, merge {score.merge:.4f})"
    if report.labels is not None:
        yield from _say_worst("split worst", "A", report.labels.worst_split)
        yield from _say_worst("merge worst", "B", report.labels.worst_merge)


def _say_labels(labels: Labels, report: Report) -> Iterator[str]:
    ignored = report.options["ignore_label"]
    without = f", without those that A labels {' or '.join(map(str, ignored))}" if ignored else ""
    empty = f"; B is 0 on {labels.empty:,}" if labels.empty else ""
    yield f"counted         {labels.voxels:,} voxels for VI and Rand{without}{empty}"
    yield f"labels          {labels.in_a:,} of A, {labels.in_b:,} of B"
    vi, rand = labels.vi, labels.rand
    yield f"VI              {_say(vi.total)} bits = split {_say(vi.split)} + merge {_say(vi.merge)}"
    yield (
        f"Rand            adapted error {_say(rand.adapted_error)}, precision {_say(rand.precision)}, recall "
        f"{_say(rand.recall)}, index {_say(rand.index)}"
    )


def _say_classes(classes: Classes) -> Iterator[str]:
    yield (
        f"classes         {_say(classes.agreement)} of the voxels agree, mean Dice {_say(classes.mean_dice)}, mean Jaccard "
        f"{_say(classes.mean_jaccard)}"
    )
    for one in classes.classes[:SHOWN]:
        figures = one.figures
        yield (
            f"{f'class {one.label}':<16}Dice {_say(figures.dice)}, Jaccard {_say(figures.jaccard)}, precision "
            f"{_say(figures.precision)}, sensitivity {_say(figures.sensitivity)}"
        )


def _say_worst(title: str, layer: str, worst: Sequence[Worst]) -> Iterator[str]:
    if not worst:
        return
    yield f"{title:<16}{f'label of {layer}':>20} {'voxels':>14} {'parts':>7} {'adds to VI':>10} {'largest part':>20}"
    for one in worst[:SHOWN]:
        yield f"{'':16}{one.label:>20} {one.voxels:>14,} {one.parts:>7,} {one.vi:>10.5f} {one.largest:>20}"


def _say(figure: float | None) -> str:
    return "-" if figure is None else f"{figure:.4f}"
