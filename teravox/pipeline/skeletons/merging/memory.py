"""What merging skeletons needs of memory: how labels are grouped so that it stays below a limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.errors import TooLittleMemory
from teravox.pipeline.objects.groups import Group, group_by
from teravox.pipeline.objects.plan import PartSize, Plan
from teravox.pipeline.objects.spool import IN_MEMORY
from teravox.pipeline.units import say_bytes

if TYPE_CHECKING:
    from teravox.kernels.skeleton.skeleton import Skeleton
    from teravox.pipeline.objects.labels import Labels
    from teravox.pipeline.skeletons.forged import Forged

BASE = LIBRARIES + IN_MEMORY  # bytes, with a spool for what is made
ROW = 260  # of a row of a part, in all the arrays that say where it belongs
FRAGMENT = 2500  # of a fragment that was read, whatever its size
READ = 24  # of a vertex or an edge that was read, with a share of its packed form
WORK = 450  # of a vertex, while its label is joined and cleaned
LEAST_WORK = 50_000_000  # for skeletons, without which there would be no room for any

SIZE = PartSize(  # in edges
    least=1 << 20,
    most=1 << 25,
    a_request=1024,
    row=ROW,
    least_memory=lambda rows: BASE + ROW * rows + LEAST_WORK,
)


def memory_of(plan: Plan, forged: Forged, limit: int) -> int:
    """What merging a part may take: all that it reads at once, if that is less than the limit."""
    largest = plan.largest
    every = (ROW + FRAGMENT) * largest["labels"] + READ * largest["edges"]
    return min(limit, BASE + every + (READ + WORK + 3 * attribute_bytes(forged)) * largest["vertices"])


def attribute_bytes(forged: Forged) -> int:
    """What the attributes of a vertex take, besides its radius."""
    return sum(attribute.bytes for attribute in forged.attributes)


def group_labels(labels: Labels[Skeleton], forged: Forged, memory: int) -> Iterator[Group]:
    """All labels of a part, in order, in groups that fit into memory; TooLittleMemory where a label does not."""
    free = memory - BASE - ROW * sum(len(piece.rows) for piece in labels.pieces)
    extra = attribute_bytes(forged)
    needs = (READ + extra) * labels.vertices + READ * labels.links + FRAGMENT * labels.fragments
    work = (WORK + 2 * extra) * labels.vertices
    if len(labels) and (needs + work).max() > free:
        at = int((needs + work).argmax())
        raise TooLittleMemory(
            f"--memory: label {labels.labels[at]} has {int(labels.vertices[at]):,} vertices, and {say_bytes(memory)} are "
            f"too little for them; give it {say_bytes(memory - free + int(needs[at] + work[at]))}"
        )
    is_giant = needs + work > free // 2
    return group_by(needs, is_giant, free // 2)
