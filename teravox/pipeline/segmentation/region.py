"""The part of a volume that is to be segmented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.segmentation.numbers import Numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]  # of a box: x, y, z in Fortran order


class Region(Protocol):
    """What is to be segmented."""

    def mask(self, box: Box) -> Mask | None:
        """Which voxels of a box belong to it; None where all do."""

    def used(self, grid: Grid) -> Numbers:
        """The boxes of a grid with something of it in them."""


class Everything:
    """No part is left out."""

    def mask(self, box: Box) -> Mask | None:  # noqa: ARG002 - as every region
        return None

    def used(self, grid: Grid) -> Numbers:
        return Numbers([(0, len(grid))])
