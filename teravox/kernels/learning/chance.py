"""Which samples are taken where not all are: by a number drawn for each place, whoever asks and in whatever order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compiled import compiled, read_only
from teravox.kernels.synthetic.hashing import mix3

Places = NDArray[np.int64]  # a row of x, y and z for each
Lots = NDArray[np.uint64]


def draw_lots(places: Places, seed: int) -> Lots:
    """A random number for each place."""
    lots = np.empty(len(places), np.uint64)
    _draw(read_only(np.ascontiguousarray(places)), np.uint64(seed), lots)
    return lots


@compiled
def _draw(places: Places, seed: np.uint64, lots: Lots) -> None:
    for at in range(len(places)):
        lots[at] = mix3(seed, places[at, 0], places[at, 1], places[at, 2])
