"""What merging needs of memory: how labels are grouped so that it stays below a limit, and what a part takes at most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.objects.groups import Group, group_by
from teravox.pipeline.objects.spool import IN_MEMORY
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.kernels.mesh.surface import Surface
    from teravox.pipeline.objects.labels import Labels

BASE = LIBRARIES + 2 * IN_MEMORY  # bytes, with a spool for what is made and one for the cells of a label
ROW = 260  # of a row of a part, in all the arrays that say where it belongs
FRAGMENT = 1200  # of a fragment that was read, whatever its size
READ = 16  # of a vertex or a face that was read, with a share of its packed form
CUT = 150  # of a face of a piece, while it is read and cut into cells
WORK = 450  # of a face, while its cell is welded, simplified and packed
LEAST_WORK = 100_000_000  # for surfaces, without which next to every cell would be too large


def room(memory: int, rows: int) -> int:
    """What is left of a task's memory for surfaces, besides libraries and so many rows."""
    return memory - BASE - ROW * rows


def most_memory(labels: int, vertices: int, faces: int) -> int:
    """What a part of such sums takes if all of it is in memory at once."""
    return BASE + (ROW + FRAGMENT) * labels + READ * (vertices + faces) + WORK * faces


def least_memory(rows: int) -> int:
    """What a part of so many rows needs, with cells of moderate size."""
    return BASE + ROW * rows + LEAST_WORK


def group_labels(labels: Labels[Surface], memory: int) -> Iterator[Group]:
    """All labels of a part, in order, in groups that fit into memory; a label that does not is a group of its own."""
    free = room(memory, sum(len(piece.rows) for piece in labels.pieces))
    needs = READ * (labels.vertices + labels.links) + FRAGMENT * labels.fragments
    work = WORK * labels.links
    is_giant = needs + work > free // 2
    return group_by(needs, is_giant, free // 2)


def check_room(label: int, faces: int, memory: int, rows: int, *, what: str, each: int = WORK) -> None:
    """Raise TooLittleMemory if so many faces, which take `each` so many bytes, cannot be worked on at once."""
    need = memory - room(memory, rows) + each * faces
    if need > memory:
        raise TooLittleMemory(
            f"--memory: {what} of label {label} has {faces:,} faces, and {say_bytes(memory)} are too little for them; "
            f"give it {say_bytes(need)}, or forge again with smaller cells or without --no-simplify"
        )
