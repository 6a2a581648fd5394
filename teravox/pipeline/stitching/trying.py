"""What rules would make of all blocks, from their tables alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.segmentation.blocks import HIGH
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.stitching.overlap_file import read_overlaps
from teravox.pipeline.storage.side_by_side import side_by_side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.stitching.rule import Rule
    from teravox.pipeline.stitching.declaration import Choice
    from teravox.pipeline.stitching.overlap_file import Overlaps

    Places = NDArray[np.uint32]  # of labels among those of all blocks


class Outcome(msgspec.Struct, frozen=True):
    """What a rule would make."""

    rule: str
    min_overlap: int
    joins: int  # pairs of labels that are joined
    bodies: int  # with voxels
    largest: int  # voxels of the largest body
    half: int  # half of all voxels lie in bodies of at least so many
    largest_ids: tuple[int, ...]  # of the largest bodies, as relabel would call them
    largest_sizes: tuple[int, ...]


def try_rules(segmented: Segmented, choices: Sequence[Choice], top: int) -> list[Outcome]:
    """The outcome of each rule. All labels and one rule's joins are in memory at once, but never a voxel."""
    import numpy as np

    sizes, starts, ids = _labels(segmented)
    rules = [choice.make_rule() for choice in choices]
    found: list[list[tuple[Places, Places]]] = [[] for _ in rules]
    for index, overlaps in _tables(segmented):
        for place, rule in enumerate(rules):
            found[place] += list(_joins(segmented, index, overlaps, rule, starts))
    empty = [np.empty(0, np.uint32)]
    outcomes = []
    for choice, pairs in zip(choices, found, strict=True):
        near, far = (np.concatenate(empty + [pair[side] for pair in pairs]) for side in (0, 1))
        outcomes.append(_outcome(choice, near, far, sizes, ids, top))
    return outcomes


def _labels(segmented: Segmented) -> tuple[NDArray[np.uint64], dict[int, int], NDArray[np.uint64]]:
    """The voxels of all labels, by block where its labels begin, and the ids of all."""
    import numpy as np

    sizes, ids = [np.empty(0, np.uint32)], [np.empty(0, np.uint64)]
    starts: dict[int, int] = {}
    count = 0
    for index in segmented.blocks.used:
        core = segmented.sizes(index).core.copy()
        core[segmented.preserved(index).locals.astype(np.int64) - 1] = 0  # which no rule joins
        sizes.append(core)
        ids.append(segmented.global_ids(index, np.arange(1, len(core) + 1, dtype=np.uint32)))
        starts[index] = count - 1  # so that the label 1 is the first
        count += len(core)
    return np.concatenate(sizes).astype(np.uint64), starts, np.concatenate(ids)


def _tables(segmented: Segmented) -> Iterator[tuple[int, Overlaps]]:
    yield from side_by_side(lambda index: (index, read_overlaps(segmented, index)), segmented.blocks.used)


def _joins(
    segmented: Segmented, index: int, overlaps: Overlaps, rule: Rule, starts: dict[int, int]
) -> Iterator[tuple[Places, Places]]:
    import numpy as np

    from teravox.kernels.stitching.rules import decide, edges

    for axis, overlap in overlaps.items():
        upper = segmented.blocks.neighbour(index, axis, HIGH)
        if upper is not None:
            low, high = edges(overlap, decide(overlap, rule))
            yield (low + np.int64(starts[index])).astype(np.uint32), (high + np.int64(starts[upper])).astype(np.uint32)


def _outcome(
    choice: Choice, near: Places, far: Places, sizes: NDArray[np.uint64], ids: NDArray[np.uint64], top: int
) -> Outcome:
    import numpy as np

    from teravox.kernels.joining import connect

    number, bodies = connect(near, far, len(sizes))
    voxels = np.bincount(bodies, sizes.astype(np.float64), number).astype(np.int64)
    firsts = np.full(number, np.iinfo(np.uint64).max, np.uint64)
    there = sizes > 0
    np.minimum.at(firsts, bodies[there], ids[there])
    order = np.lexsort((firsts, -voxels))
    falling = voxels[order]
    falling = falling[falling > 0]
    half = falling[np.searchsorted(np.cumsum(falling), falling.sum() / 2)] if len(falling) else 0
    return Outcome(
        choice.rule,
        choice.min_overlap,
        len(near),
        len(falling),
        int(falling[0]) if len(falling) else 0,
        int(half),
        tuple(firsts[order[: min(top, len(falling))]].tolist()),
        tuple(falling[:top].tolist()),
    )
