"""A mesh as people use it: vertices in nanometres."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Mesh(NamedTuple):
    """Vertices in nanometres, and faces as triples of their indices, counter-clockwise seen from outside."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.uint32]
