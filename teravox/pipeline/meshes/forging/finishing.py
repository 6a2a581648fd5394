"""What is done to the surface of a label in a piece: it is simplified, and put in its place in the volume."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Vec
from teravox.pipeline.meshes.forging.memory import PLAIN_WORK, WORK

if TYPE_CHECKING:
    from teravox.kernels.mesh.surface import Surface


class Span(NamedTuple):
    """A box of an array, from one voxel to another, both included: surfaces go from the center of the one to that of the other."""

    low: Vec
    high: Vec


class Finishing(NamedTuple):
    """How the surfaces of a piece are finished."""

    first: Vec  # the place of the array's first voxel
    origin: Vec  # the voxel through whose center the first planes go
    cell: Vec  # from plane to plane, in voxels
    step: tuple[float, float, float]  # half a voxel, in nanometres
    max_error: float | None  # None: nothing is simplified

    @property
    def work(self) -> int:
        """Bytes of a face while it is worked on."""
        return PLAIN_WORK if self.max_error is None else WORK

    def simplify(self, surface: Surface, span: Span) -> Surface:
        """A surface in half voxels of the array, with fewer faces; what lies on the sides of the span stays as it is."""
        from teravox.kernels.mesh.planes import Planes, planes_of
        from teravox.kernels.mesh.simplify import simplify

        if self.max_error is None:
            return surface
        cells = Planes(_doubled(self.origin, self.first), _doubled(self.cell))
        sides = Planes.around(_doubled(span.low), _doubled(span.high))
        planes = planes_of(surface.vertices, within=cells, locked=sides)
        return simplify(surface, step=self.step, max_error=self.max_error, planes=planes)

    def place(self, surface: Surface) -> Surface:
        """A surface in half voxels of the array, in those of the volume."""
        return surface.moved(_doubled(self.first))


def _doubled(voxel: Vec, zero: Vec = (0, 0, 0)) -> Vec:
    x, y, z = (2 * (a - b) for a, b in zip(voxel, zero, strict=True))
    return (x, y, z)
