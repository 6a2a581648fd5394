"""What merging skeletons needs of memory: how labels are grouped so that it stays below a limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.base_memory import LIBRARIES
from teravox.pipeline.objects.groups import Group, group_by
from teravox.pipeline.objects.plan import PartSize, Plan
from teravox.pipeline.objects.spool import IN_MEMORY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.skeleton.skeleton import Skeleton
    from teravox.pipeline.objects.labels import Labels
    from teravox.pipeline.skeletons.forged import Forged

BASE = LIBRARIES + IN_MEMORY  # bytes, with a spool for what is made
ROW = 260  # of a row of a part, in all the arrays that say where it belongs
FRAGMENT = 2500  # of a fragment that was read, whatever its size
READ = 24  # of a vertex or an edge that was read, with a share of its packed form
WORK = 320  # of a vertex, while its label is joined and cleaned
LEAST_WORK = 50_000_000  # for skeletons, without which there would be no room for any


class Needs(NamedTuple):
    """What each label of a part takes of memory, in bytes."""

    read: NDArray[np.int64]  # when its fragments have been read
    work: NDArray[np.int64]  # while they are joined and cleaned, besides


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


def needs_of(labels: Labels[Skeleton], forged: Forged) -> Needs:
    """What the labels of a part need, each by itself."""
    extra = attribute_bytes(forged)
    read = (READ + extra) * labels.vertices + READ * labels.links + FRAGMENT * labels.fragments
    return Needs(read, (WORK + 2 * extra) * labels.vertices)


def group_labels(needs: Needs, free: int) -> Iterator[Group]:
    """All labels of a part, in order, in groups that fit into so much memory; those that are giant alone may not."""
    return group_by(needs.read, needs.read + needs.work > free // 2, free // 2)


def free_for(labels: Labels[Skeleton], memory: int) -> int:
    """What a part leaves of the memory for its skeletons."""
    return memory - BASE - ROW * sum(len(piece.rows) for piece in labels.pieces)
