"""Where labels end between voxels face to face."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]  # of any integer type


def count_cuts(below: Labels, above: Labels) -> tuple[int, int]:
    """Pairs of voxels of which the labels differ, and pairs of which one at least has a label."""
    cut = int(np.count_nonzero(below != above))
    return cut, cut + int(np.count_nonzero((below == above) & (below != 0)))
