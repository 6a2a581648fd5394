"""Labels that mean the same in both layers: how well each of them is found, and with which others it is confused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.errors import BadInput
from teravox.pipeline.evaluation.figures import Foreground, foreground_of
from teravox.pipeline.sorted_rows.file import RowsFile

if TYPE_CHECKING:
    from teravox.kernels.evaluation.rows import Rows

MOST = 1 << 16  # pairs of classes


class Class(msgspec.Struct, frozen=True, kw_only=True):
    """A class, taken as foreground with all others as background."""

    label: int
    figures: Foreground


class Classes(msgspec.Struct, frozen=True, kw_only=True):
    """All classes that one of the layers has, the background among them."""

    agreement: float | None  # of all voxels, those of one class in both layers
    mean_dice: float | None  # over the classes but 0, each counting alike
    mean_jaccard: float | None
    classes: list[Class]


def read_pairs(files: list[RowsFile]) -> Rows:
    """All pairs, those of the side of A; BadInput where they are too many to be of classes."""
    import numpy as np

    if sum(file.rows for file in files) > MOST:
        raise BadInput(
            f"--classes: there are more than {MOST:,} pairs of labels, so these are no classes that mean the same in both "
            "layers; leave it out"
        )
    return np.concatenate([file.read(0, 2**64 - 1) for file in files])


def classes_of(pairs: Rows) -> Classes:
    """The figures of all classes, of rows with a label of B, one of A and their voxels behind the key."""
    in_a: dict[int, int] = {}
    in_b: dict[int, int] = {}
    both: dict[int, int] = {}
    for _, b, a, voxels, *_ in pairs.tolist():
        in_a[a] = in_a.get(a, 0) + voxels
        in_b[b] = in_b.get(b, 0) + voxels
        if a == b:
            both[a] = voxels
    everything = sum(in_a.values())
    classes = []
    for label in sorted({*in_a, *in_b}):
        found, of_a, of_b = both.get(label, 0), in_a.get(label, 0), in_b.get(label, 0)
        figures = foreground_of(found, of_a - found, of_b - found, everything - of_a - of_b + found)
        classes.append(Class(label=label, figures=figures))
    named = [one.figures for one in classes if one.label]
    return Classes(
        agreement=sum(both.values()) / everything if everything else None,
        mean_dice=_mean([one.dice for one in named]),
        mean_jaccard=_mean([one.jaccard for one in named]),
        classes=classes,
    )


def confusion_table(pairs: Rows) -> bytes:
    """How many voxels each pair of classes shares, as CSV."""
    rows = sorted((a, b, voxels) for _, b, a, voxels, *_ in pairs.tolist())
    return ("a,b,voxels\n" + "".join(f"{a},{b},{voxels}\n" for a, b, voxels in rows)).encode()


def _mean(figures: list[float | None]) -> float | None:
    defined = [one for one in figures if one is not None]
    return sum(defined) / len(defined) if defined else None
