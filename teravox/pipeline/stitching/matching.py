"""Counts what a block and its upper neighbours say of the voxels that both have seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box
from teravox.pipeline.bundle import read_head
from teravox.pipeline.segmentation.block_files import FACES, SIZES, block_key
from teravox.pipeline.segmentation.blocks import HIGH, LOW
from teravox.pipeline.segmentation.face_files import count_runs, turned, turned_axis
from teravox.pipeline.segmentation.plan_file import REMEDY
from teravox.pipeline.segmentation.segmented import Segmented

if TYPE_CHECKING:
    from teravox.kernels.stitching.overlap import Overlap
    from teravox.kernels.stitching.runs import Runs

A_RUN = 200  # bytes that a run takes, with a pair of pieces and a few labels that touch it
A_ROW = 60  # bytes that a row of voxels takes
A_PAIR = 100  # bytes that a run leaves in the tables of all faces, at most


class Count(NamedTuple):
    """What there is of a face."""

    runs: int
    stored: int


def match(segmented: Segmented, index: int) -> dict[int, Overlap]:
    """The overlaps of a block with its upper neighbours, by axis. Preserved bodies are background: they join nothing."""
    from teravox.kernels.stitching.overlap import tabulate_runs

    overlaps: dict[int, Overlap] = {}
    for axis, upper, box in _faces(segmented, index):
        low = _without_preserved(segmented, index, segmented.face_runs(index, axis, HIGH))
        high = _without_preserved(segmented, upper, segmented.face_runs(upper, axis, LOW))
        middle = segmented.grid[upper].min[axis] - box.min[axis]
        overlaps[axis] = tabulate_runs(low, high, turned(box, axis), turned_axis(axis), middle)
    return overlaps


def keys_read(segmented: Segmented, index: int) -> list[str]:
    """What `match` reads: of each face the files of both blocks, and their sizes again for the table."""
    blocks = [number for _, upper, _ in _faces(segmented, index) for number in (index, upper)]
    return [block_key(segmented.folder, what, number) for number in blocks for what in (FACES, SIZES, SIZES)]


def matching_bytes(segmented: Segmented, index: int) -> int:
    """The bytes that matching a block needs at most, by what the blocks have left: one face after the other is in memory."""
    needed = kept = 0
    for axis, upper, box in _faces(segmented, index):
        counts = (_count(segmented, index, axis, HIGH), _count(segmented, upper, axis, LOW))
        runs = sum(one.runs for one in counts)
        needed = max(
            needed, A_RUN * runs + A_ROW * box.voxels // turned(box, axis)[0] + sum(one.stored for one in counts)
        )
        kept += A_PAIR * runs
    return needed + kept


def _faces(segmented: Segmented, index: int) -> Iterator[tuple[int, int, Box]]:
    """The axis, the upper neighbour and the overlap of each face that a block is matched at."""
    for axis in range(3):
        box, upper = segmented.overlap(index, axis), segmented.blocks.neighbour(index, axis, HIGH)
        if box is not None and upper is not None:
            yield axis, upper, box


def _count(segmented: Segmented, index: int, axis: int, side: int) -> Count:
    """The runs of a face, and the bytes of the file that holds it."""
    head = read_head(segmented.store, block_key(segmented.folder, FACES, index), REMEDY)
    return Count(count_runs(head, axis, side), sum(entry.stored for entry in head.arrays))


def _without_preserved(segmented: Segmented, index: int, runs: Runs) -> Runs:
    from teravox.kernels.stitching.runs import without

    preserved = segmented.preserved(index).locals
    return without(runs, preserved) if len(preserved) else runs
