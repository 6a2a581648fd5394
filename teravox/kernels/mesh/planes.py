"""Tells which vertices lie on planes that nothing may be pulled across."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled

Vec = tuple[int, int, int]
Masks = NDArray[np.uint8]

LOCKED = 128


class Planes(NamedTuple):
    """On each axis the planes at origin + k * spacing, in half voxels; a spacing of 0 is no plane on that axis."""

    origin: Vec
    spacing: Vec

    @classmethod
    def around(cls, low: Vec, high: Vec) -> Planes:
        """The faces of a box, for a surface that does not reach further beyond them than the box is long."""
        return cls(low, (high[0] - low[0], high[1] - low[1], high[2] - low[2]))


def planes_of(vertices: NDArray[np.int32], *, within: Planes | None = None, locked: Planes | None = None) -> Masks:
    """A mask for each vertex: 1, 2 and 4 where it lies on a plane of `within` across x, y or z, LOCKED on one of `locked`.

    A vertex on planes of `within` may slide in all of them; a locked one stays.
    """
    masks = np.zeros(len(vertices), np.uint8)
    for planes, bits in ((within, (1, 2, 4)), (locked, (LOCKED, LOCKED, LOCKED))):
        if planes is not None:
            _mark(vertices, np.array(planes.origin, np.int64), np.array(planes.spacing, np.int64), bits, masks)
    return masks


@compiled
def _mark(
    vertices: NDArray[np.int32], origin: NDArray[np.int64], spacing: NDArray[np.int64], bits: Vec, masks: Masks
) -> None:
    for axis in range(3):
        step, start = spacing[axis], origin[axis]
        if step > 0 and step & (step - 1) == 0:  # a power of two, by which to divide takes a tenth of the time
            for i in range(len(vertices)):
                if (vertices[i, axis] - start) & (step - 1) == 0:
                    masks[i] |= np.uint8(bits[axis])
        elif step > 0:
            for i in range(len(vertices)):
                if (vertices[i, axis] - start) % step == 0:
                    masks[i] |= np.uint8(bits[axis])
