"""Numbers of chunks: compressed Morton codes, in which neighbours are near each other, and bricks of 2^n chunks follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from teravox.pipeline.box import Vec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Morton(msgspec.Struct, frozen=True):
    """The codes of the cells of a grid: the axes' bits take turns, x first, and an axis drops out when it is covered."""

    cells: Vec

    @property
    def axes(self) -> list[int]:
        """The axis that each bit of a code belongs to, the lowest bit first."""
        widths = [(n - 1).bit_length() for n in self.cells]
        return [axis for bit in range(max(widths)) for axis in range(3) if bit < widths[axis]]

    @property
    def bits(self) -> int:
        return len(self.axes)

    def brick(self, bits: int) -> Vec:
        """The cells, along each axis, that share all but the lowest `bits` of their codes."""
        size = [1, 1, 1]
        for axis in self.axes[:bits]:
            size[axis] *= 2
        return (size[0], size[1], size[2])

    def codes(self, cells: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The code of each row of x, y, z."""
        import numpy as np

        codes = np.zeros(len(cells), np.uint64)
        taken = [0, 0, 0]
        for bit, axis in enumerate(self.axes):
            codes |= ((cells[:, axis].astype(np.uint64) >> np.uint64(taken[axis])) & np.uint64(1)) << np.uint64(bit)
            taken[axis] += 1
        return codes

    def cells_of(self, codes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The cell that has each code, as rows of x, y, z."""
        import numpy as np

        cells = np.zeros((len(codes), 3), np.int64)
        taken = [0, 0, 0]
        for bit, axis in enumerate(self.axes):
            cells[:, axis] |= ((codes >> np.uint64(bit)) & np.uint64(1)).astype(np.int64) << taken[axis]
            taken[axis] += 1
        return cells
