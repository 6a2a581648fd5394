"""What a rule says of the faces of single blocks, read when it is asked for: as much as a question needs, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.segmentation.blocks import LOW
from teravox.pipeline.segmentation.segmented import Segmented
from teravox.pipeline.stitching.labels import Label, id_of
from teravox.pipeline.stitching.overlap_file import read_overlaps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from teravox.kernels.stitching.overlap import Overlap, Units
    from teravox.kernels.stitching.rule import Rule
    from teravox.kernels.stitching.rules import Decision


class Met(msgspec.Struct, frozen=True):
    """Two labels that share voxels across a face, piece by piece, and what the rule says."""

    low: int  # the id in the lower block
    high: int
    axis: str
    blocks: tuple[str, str]  # the cores
    shared: int
    low_share: float  # of what the piece shares with any
    high_share: float
    joined: bool
    reason: str


class Face(msgspec.Struct, frozen=True):
    """A face, with what was decided there."""

    axis: int
    lower: int
    upper: int
    overlap: Overlap
    decision: Decision

    @property
    def sides(self) -> tuple[tuple[Units, NDArray[np.uint32]], tuple[Units, NDArray[np.uint32]]]:
        """The units of either block, and by pair which of them."""
        return (self.overlap.low, self.overlap.first), (self.overlap.high, self.overlap.second)


class Decided:
    """The faces of blocks, each decided once."""

    def __init__(self, segmented: Segmented, rule: Rule) -> None:
        self._segmented = segmented
        self._rule = rule
        self._faces: dict[int, list[Face]] = {}  # by lower block
        self._partners: dict[int, dict[int, list[Label]]] = {}

    def faces(self, block: int) -> Iterator[Face]:
        """All faces of a block."""
        yield from self._upper_faces(block)
        for axis in range(3):
            lower = self._segmented.blocks.neighbour(block, axis, LOW)
            if lower is not None:
                yield from (face for face in self._upper_faces(lower) if face.axis == axis)

    def partners(self, label: Label) -> list[Label]:
        """The labels that one is joined with, in order."""
        if label.block not in self._partners:
            self._partners[label.block] = self._join(label.block)
        return self._partners[label.block].get(label.local, [])

    def met(self, face: Face, pair: int) -> Met:
        """One pair of a face, in words."""
        from teravox.kernels.stitching.reasons import say_reason
        from teravox.kernels.stitching.rules import Reason

        overlap, decision = face.overlap, face.decision
        low = Label(face.lower, int(overlap.low.labels[overlap.first[pair]]))
        high = Label(face.upper, int(overlap.high.labels[overlap.second[pair]]))
        reason = Reason(int(decision.reasons[pair]))
        return Met(
            id_of(self._segmented, low),
            id_of(self._segmented, high),
            "xyz"[face.axis],
            (str(self._segmented.grid[face.lower]), str(self._segmented.grid[face.upper])),
            int(decision.shared[pair]),
            round(float(decision.first_share[pair]), 4),
            round(float(decision.second_share[pair]), 4),
            reason.joins,
            say_reason(reason, self._rule),
        )

    def _upper_faces(self, block: int) -> list[Face]:
        from teravox.kernels.stitching.rules import decide

        if block not in self._faces:
            found = []
            for axis, overlap in read_overlaps(self._segmented, block).items():
                upper = self._segmented.blocks.neighbour(block, axis, 1)
                if upper is not None:
                    found.append(Face(axis, block, upper, overlap, decide(overlap, self._rule)))
            self._faces[block] = found
        return self._faces[block]

    def _join(self, block: int) -> dict[int, list[Label]]:
        from teravox.kernels.stitching.rules import edges

        found: dict[int, set[Label]] = {}
        for face in self.faces(block):
            low, high = edges(face.overlap, face.decision)
            ours, theirs, other = (low, high, face.upper) if face.lower == block else (high, low, face.lower)
            for one, partner in zip(ours.tolist(), theirs.tolist(), strict=True):
                found.setdefault(one, set()).add(Label(other, partner))
        return {one: sorted(partners) for one, partners in found.items()}
