"""Merges a label that is too large for memory: fragment by fragment into a file, where it is joined and cleaned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.errors import BadInput, TooLittleMemory
from teravox.pipeline.objects.scratch_file import ScratchFile
from teravox.pipeline.skeletons.merging.memory import READ, attribute_bytes, free_for
from teravox.pipeline.skeletons.merging.stored import attributes_of, in_nanometres
from teravox.pipeline.skeletons.skeleton_format import MOST_VERTICES, encode_parts
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.kernels.skeleton.cleaning import Kept, Wish
    from teravox.kernels.skeleton.skeleton import Skeleton as Voxels
    from teravox.pipeline.objects.labels import Labels
    from teravox.pipeline.skeletons.forged import Forged
    from teravox.pipeline.skeletons.skeleton import Skeleton

# Bytes of the file, with all arrays that are there at the same time.
OF_VERTEX = 340  # besides its attributes, which are there twice
OF_EDGE = 330
AT_LEAST = 1_000_000
# Bytes of memory.
ON_THE_WAY = 25_000_000  # for what goes to the file and what comes from there
LEAST_PAGES = 10_000_000  # of the file, without which the system would do nothing else but read and write them
ROWS = 1 << 16  # vertices that are written at once


class Size(NamedTuple):
    """How much there is of a label."""

    vertices: int
    edges: int
    largest: int  # bytes that its largest fragment takes


def merge_giant(
    labels: Labels[Voxels], at: int, forged: Forged, wish: Wish, memory: int
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """A label and its skeleton, part after part, if anything is left of it; the same as if it were made in memory."""
    from teravox.kernels.skeleton.cleaning import choose
    from teravox.kernels.skeleton.weld import gather, weld_loose

    label, size = int(labels.labels[at]), _size_of(labels, at, forged)
    if size.vertices > MOST_VERTICES:
        raise BadInput(
            f"label {label} has {size.vertices:,} vertices, and a skeleton holds {MOST_VERTICES:,}; leave the label out "
            "(--exclude-labels of skeleton forge), or trace less of it, with a larger --scale or --const"
        )
    pages = free_for(labels, memory) - ON_THE_WAY - size.largest
    if pages < LEAST_PAGES:
        raise TooLittleMemory(
            f"--memory: label {label} has a fragment that takes {say_bytes(size.largest)}, and {say_bytes(memory)} are "
            f"too little for it; give it {say_bytes(memory + LEAST_PAGES - pages)}"
        )
    with ScratchFile(_bytes_of(size, forged), pages // 3) as scratch:
        loose = gather(labels.read_one(at), size.vertices, size.edges, scratch)
        welded = weld_loose(loose, scratch)
        kept = choose(welded, forged.resolution, wish, scratch)
        if len(kept.rows):
            yield label, _encode(welded.skeleton, kept, forged)


def _size_of(labels: Labels[Voxels], at: int, forged: Forged) -> Size:
    vertices, edges = (labels.largest_fragment(at, what) for what in ("vertices", forged.sort.links))
    largest = 2 * ((READ + attribute_bytes(forged)) * vertices + READ * edges)
    return Size(int(labels.vertices[at]), int(labels.links[at]), largest)


def _bytes_of(size: Size, forged: Forged) -> int:
    """What the file may need; joining parts adds edges, but no more than there are vertices."""
    of_vertex = OF_VERTEX + 2 * attribute_bytes(forged)
    return AT_LEAST + of_vertex * size.vertices + OF_EDGE * max(size.vertices, size.edges)


def _encode(skeleton: Voxels, kept: Kept, forged: Forged) -> Iterator[bytes]:
    count = len(kept.rows)

    def read(some: slice) -> Skeleton:
        return in_nanometres(skeleton.taken(kept.rows[some]), forged)

    slices = [slice(first, min(first + ROWS, count)) for first in range(0, count, ROWS)]
    return encode_parts(slices, kept.edges, read, attributes_of(forged))
