"""The figures of a comparison, from whole numbers; a figure that is not defined is None."""

from __future__ import annotations

import msgspec

from teravox.pipeline.evaluation.side_b import THRESHOLDS
from teravox.pipeline.evaluation.sums import Sums


class Vi(msgspec.Struct, frozen=True):
    """Variation of information, in bits."""

    split: float | None  # false splits: what B adds to the truth, H(B|A)
    merge: float | None  # false merges: what B lacks of it, H(A|B)
    total: float | None


class Rand(msgspec.Struct, frozen=True):
    """Pairs of voxels that lie together in both layers, compared with those that do in one."""

    index: float | None  # of all pairs, those that both layers treat alike
    precision: float | None  # of the pairs together in B, those together in A: false merges lower it
    recall: float | None  # of the pairs together in A, those together in B: false splits lower it
    adapted_f: float | None
    adapted_error: float | None


class Foreground(msgspec.Struct, frozen=True, kw_only=True):
    """How well foreground is told from background, voxel by voxel."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    dice: float | None
    jaccard: float | None
    sensitivity: float | None
    specificity: float | None
    accuracy: float | None
    precision: float | None
    f: float | None
    balanced_accuracy: float | None


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """How many objects match at a threshold."""

    above: float  # intersection over union
    matched: int
    precision: float | None
    recall: float | None
    f1: float | None
    accuracy: float | None  # matched / (matched + missed + superfluous), which many call average precision


class Objects(msgspec.Struct, frozen=True, kw_only=True):
    """Objects, which are labels but 0, matched one to one."""

    in_a: int
    in_b: int
    mean_overlap: float | None  # intersection over union of those that match at 0.5
    thresholds: list[Matched]
    mean_accuracy: float | None  # over all thresholds


def vi_of(a: Sums, b: Sums) -> Vi:
    from teravox.kernels.evaluation.exact import UNIT

    voxels = a.counts["scored"]
    split, merge = (ratio(number, voxels * UNIT) for number in (a.counts["split"], b.counts["merge"]))
    return Vi(split, merge, None if split is None or merge is None else split + merge)


def rand_of(a: Sums, b: Sums) -> Rand:
    voxels = a.counts["scored"]
    together, in_a, in_b = (
        squares - voxels for squares in (a.counts["pair_squares"], a.counts["squares_a"], b.counts["squares_b"])
    )
    everything = voxels * (voxels - 1)
    adapted = ratio(2 * together, in_a + in_b)
    return Rand(
        index=ratio(everything + 2 * together - in_a - in_b, everything),
        precision=ratio(together, in_b),
        recall=ratio(together, in_a),
        adapted_f=adapted,
        adapted_error=ratio(in_a + in_b - 2 * together, in_a + in_b),
    )


def foreground_of(both: int, only_a: int, only_b: int, neither: int) -> Foreground:
    dice = ratio(2 * both, 2 * both + only_a + only_b)
    sensitivity, specificity = ratio(both, both + only_a), ratio(neither, neither + only_b)
    return Foreground(
        true_positives=both,
        false_positives=only_b,
        false_negatives=only_a,
        true_negatives=neither,
        dice=dice,
        jaccard=ratio(both, both + only_a + only_b),
        sensitivity=sensitivity,
        specificity=specificity,
        accuracy=ratio(both + neither, both + neither + only_a + only_b),
        precision=ratio(both, both + only_b),
        f=dice,
        balanced_accuracy=None if sensitivity is None or specificity is None else (sensitivity + specificity) / 2,
    )


def objects_of(a: Sums, b: Sums) -> Objects:
    from teravox.kernels.evaluation.exact import UNIT

    in_a, in_b = a.counts["objects_a"], b.counts["objects_b"]
    thresholds = [_matched(least, b.counts[f"matched_{least}"], in_a, in_b) for least in THRESHOLDS]
    accuracies = [one.accuracy for one in thresholds if one.accuracy is not None]
    return Objects(
        in_a=in_a,
        in_b=in_b,
        mean_overlap=ratio(b.counts["overlap"], UNIT * thresholds[0].matched),
        thresholds=thresholds,
        mean_accuracy=sum(accuracies) / len(accuracies) if accuracies else None,
    )


def ratio(part: int, whole: int) -> float | None:
    """One number over another; None over 0."""
    return part / whole if whole else None


def _matched(hundredths: int, matched: int, in_a: int, in_b: int) -> Matched:
    return Matched(
        above=hundredths / 100,
        matched=matched,
        precision=ratio(matched, in_b),
        recall=ratio(matched, in_a),
        f1=ratio(2 * matched, in_a + in_b),
        accuracy=ratio(matched, in_a + in_b - matched),
    )
