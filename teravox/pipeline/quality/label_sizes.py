"""How large the labels of a layer are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.box import Box
from teravox.pipeline.errors import BadInput
from teravox.pipeline.label_tables.counting import count_labels
from teravox.pipeline.label_tables.table import LabelTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.pipeline.layers.layer import Layer

LARGEST = 10  # labels that are named
MEMORY = 1_000_000_000  # bytes for counting them
MOST_VOXELS = 1 << 25  # that are read where there is no table


class LabelSizes(msgspec.Struct, frozen=True, kw_only=True):
    """Labels by their voxels; background is none."""

    mip: int
    source: str  # where the figures come from, for people
    labels: int
    voxels: int  # of all labels together
    of: int  # voxels that there are, with the background
    classes: tuple[int, ...]  # labels of 2^k up to, and without, 2^(k + 1) voxels
    largest: tuple[tuple[int, int], ...]  # label and voxels


def measure_sizes(layer: Layer) -> LabelSizes:
    """Out of the table that `image count` has left for a mip, the finest first; else counted in a small mip, or a part of it."""
    for mip in range(len(layer.info.scales)):
        try:
            table = LabelTable.open(layer, mip)
        except BadInput:  # not counted, or its head cannot be read, which `verify` tells
            continue
        source = f"of the table of all labels of mip {mip}, which teravox image count has left"
        return _sum_up(mip, source, layer.bounds(mip).voxels, _rows(table))
    small = [mip for mip in range(len(layer.info.scales)) if layer.bounds(mip).voxels <= MOST_VOXELS]
    if small:
        mip, box = small[0], layer.bounds(small[0])
        source = f"counted in all of mip {mip}" + (", in which small labels may be missing" if mip else "")
    else:
        side = round(MOST_VOXELS ** (1 / 3))
        mip = len(layer.info.scales) - 1
        box = layer.bounds(mip).middle((side, side, side))
        source = f"counted in the middle of mip {mip} ({box}), where labels are cut off"
    return _sum_up(mip, source, box.voxels, _count(layer, mip, box))


def _rows(table: LabelTable) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint64]]]:
    for group in table.index.groups:
        found = table.read(group, ("label", "voxels"))
        yield found["label"], found["voxels"]


def _count(layer: Layer, mip: int, box: Box) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint64]]]:
    rows = count_labels(layer, mip, box, MEMORY, fill_missing=True)
    yield rows["label"], rows["voxels"]


def _sum_up(
    mip: int, source: str, of: int, rows: Iterator[tuple[NDArray[np.uint64], NDArray[np.uint64]]]
) -> LabelSizes:
    import numpy as np

    from teravox.kernels.quality.size_classes import count_classes

    classes = np.zeros(1, np.int64)
    number = voxels = 0
    largest: list[tuple[int, int]] = []
    for labels, sizes in rows:
        labels, sizes = labels[(labels != 0) & (sizes != 0)], sizes[(labels != 0) & (sizes != 0)]
        number += len(labels)
        voxels += int(sizes.sum())
        more = count_classes(sizes)
        wide = max(len(classes), len(more))
        classes = np.pad(classes, (0, wide - len(classes))) + np.pad(more, (0, wide - len(more)))
        best = np.argsort(-sizes.astype(np.int64), kind="stable")[:LARGEST]
        largest += zip(labels[best].tolist(), sizes[best].tolist(), strict=True)
        largest = sorted(largest, key=lambda one: (-one[1], one[0]))[:LARGEST]
    return LabelSizes(
        mip=mip,
        source=source,
        labels=number,
        voxels=voxels,
        of=of,
        classes=tuple(classes.tolist()),
        largest=tuple(largest),
    )
