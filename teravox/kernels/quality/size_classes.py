"""Sizes counted in classes, each of which is twice as large as the one before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def count_classes(sizes: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """How many sizes there are from 2^k up to, and without, 2^(k + 1), for each k; sizes are positive."""
    _, exponents = np.frexp(sizes.astype(np.float64))
    return np.bincount(exponents - 1, minlength=1).astype(np.int64)
