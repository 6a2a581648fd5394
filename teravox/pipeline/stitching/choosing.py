"""What a rule joins of one block with its neighbours: where the hierarchy of groups begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.components.groups import pack_links
from teravox.pipeline.segmentation.block_files import SIZES, block_key
from teravox.pipeline.segmentation.blocks import HIGH, LOW
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.stitching.overlap_file import overlaps_key, read_overlaps, read_overlaps_head

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.stitching.rule import Rule

    Locals = NDArray[np.uint32]

DECIDING = 200  # bytes that a rule takes for each pair of an overlap, at worst


class Edges(NamedTuple):
    """The labels that are joined across one face of a block."""

    axis: int
    side: int  # of the block
    other: int  # the block behind it
    ours: Locals
    theirs: Locals


def joins_of(segmented: Segmented, index: int, rule: Rule) -> Iterator[Edges]:
    """What a rule joins across all faces of a block."""
    from teravox.kernels.stitching.rules import decide, edges

    for axis, overlap in read_overlaps(segmented, index).items():
        other = segmented.blocks.neighbour(index, axis, HIGH)
        if other is not None:
            ours, theirs = edges(overlap, decide(overlap, rule))
            yield Edges(axis, HIGH, other, ours, theirs)
    for axis in range(3):
        other = segmented.blocks.neighbour(index, axis, LOW)
        overlaps = {} if other is None else read_overlaps(segmented, other)
        if other is not None and axis in overlaps:
            theirs, ours = edges(overlaps[axis], decide(overlaps[axis], rule))
            yield Edges(axis, LOW, other, ours, theirs)


def choose(segmented: Segmented, index: int, rule: Rule) -> bytes:
    """The bytes of what a block passes on to its group: its labels that are joined with others, and with which."""
    import numpy as np

    from teravox.kernels.joining import NO_NAME, Open

    sizes = segmented.sizes(index).core
    sides = np.zeros(len(sizes) + 1, np.uint8)
    near, far = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for found in joins_of(segmented, index, rule):
        sides[found.ours] |= np.uint8(1 << 2 * found.axis + found.side)
        if found.side == HIGH:
            near.append(name(index, found.ours))
            far.append(name(found.other, found.theirs))
    joined = np.flatnonzero(sides).astype(np.uint32)
    names = name(index, joined)
    counted = sizes[joined.astype(np.int64) - 1]
    open = Open(
        names,
        sides[joined],
        np.arange(len(joined), dtype=np.uint32),
        counted.astype(np.uint64),
        np.concatenate(near),
        np.concatenate(far),
        np.where(counted > 0, names, NO_NAME),
    )
    alone = np.ones(len(sizes) + 1, np.bool_)
    alone[joined] = alone[segmented.preserved(index).locals] = alone[0] = False
    return pack_links(open, sizes[alone[1:]])


def keys_read(segmented: Segmented, index: int) -> list[str]:
    """What `choose` reads."""
    below = (segmented.blocks.neighbour(index, axis, LOW) for axis in range(3))
    overlaps = [overlaps_key(segmented.id, block) for block in (index, *below) if block is not None]
    return [*2 * [block_key(segmented.folder, SIZES, index)], *overlaps]


def choosing_bytes(segmented: Segmented, index: int) -> int:
    """The bytes that choosing needs at most, by what matching has left of the block and its lower neighbours."""
    blocks = [index, *(segmented.blocks.neighbour(index, axis, LOW) for axis in range(3))]
    needed = 0
    for block in blocks:
        if block is None:
            continue
        head = read_overlaps_head(segmented, block)
        pairs = sum(head.length(f"{axis}.first.") for axis in range(3))
        needed += DECIDING * pairs + sum(entry.stored + entry.length * 4 for entry in head.arrays)
    return needed


def name(block: int, labels: Locals) -> NDArray[np.uint64]:
    """What labels of a block are called among those of all blocks."""
    import numpy as np

    return (np.uint64(block) << np.uint64(32)) | labels
