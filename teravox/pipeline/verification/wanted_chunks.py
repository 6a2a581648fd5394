"""Which chunks a sharded mip is to have, shard by shard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teravox.pipeline.box import Grid
from teravox.pipeline.layers.chunk_numbers import ChunkNumbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLAB = 1 << 20  # chunks whose numbers are worked out at once


class WantedChunks:
    """Which chunks belong into which shard."""

    def __init__(self, grid: Grid, numbers: ChunkNumbers) -> None:
        import numpy as np

        shards, codes = [], []
        for start in range(0, len(grid), SLAB):
            at = np.arange(start, min(start + SLAB, len(grid)))
            yz, x = np.divmod(at, grid.cells[0])
            z, y = np.divmod(yz, grid.cells[1])
            code = numbers.morton.codes(np.stack([x, y, z], axis=1))
            codes.append(code)
            shards.append(numbers.spec.places(code)[0])
        shard_of = np.concatenate(shards)
        self._order = np.argsort(shard_of, kind="stable")
        self._codes = np.concatenate(codes)
        self.shards, self._starts = np.unique(shard_of[self._order], return_index=True)

    def of(self, shard: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """The chunks of a shard by their place in the grid, and their numbers."""
        import numpy as np

        at = int(np.searchsorted(self.shards, np.uint64(shard)))
        stop = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._order)
        chunks = self._order[self._starts[at] : stop]
        return chunks, self._codes[chunks]
