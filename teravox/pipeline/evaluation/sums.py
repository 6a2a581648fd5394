"""What a range of keys adds to the figures of the whole; all of it whole numbers, so that no order changes the sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]  # of whole numbers


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """A label, and into how much of the other side's it falls apart."""

    label: int
    voxels: int  # that count for VI
    information: int  # in units, see kernels/evaluation/exact.py: what its splitting or its merging adds to VI
    parts: int  # labels of the other side on it
    largest: int  # the one that it shares most voxels with; of several the smallest
    overlap: int  # those voxels


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of a range, of the side of A or of B."""

    counts: dict[str, int]
    worst: list[Body]  # those of its bodies with most information, most first
    shared: list[Body]  # what this range has of bodies that lie in others too


def add_sums(parts: Iterable[Sums], worst: int) -> Sums:
    """The sums of several ranges."""
    counts: dict[str, int] = {}
    bodies: list[Body] = []
    shared: dict[int, list[Body]] = {}
    for part in parts:
        for name, number in part.counts.items():
            counts[name] = counts.get(name, 0) + number
        bodies = worst_of([*bodies, *part.worst], worst)
        for body in part.shared:
            shared.setdefault(body.label, []).append(body)
    joined = [_join(pieces) for pieces in shared.values()]
    return Sums(counts=counts, worst=worst_of([*bodies, *joined], worst), shared=joined)


def worst_of(bodies: Iterable[Body], most: int) -> list[Body]:
    """Those that add most to VI; those that add nothing are not bad."""
    bad = (body for body in bodies if body.information > 0)
    return sorted(bad, key=lambda body: (-body.information, body.label))[:most]


def _join(pieces: Sequence[Body]) -> Body:
    best = min(pieces, key=lambda body: (-body.overlap, body.largest))
    return Body(
        label=best.label,
        voxels=best.voxels,
        information=sum(body.information for body in pieces),
        parts=sum(body.parts for body in pieces),
        largest=best.largest,
        overlap=best.overlap,
    )
