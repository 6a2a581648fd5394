"""Numbers as colours, from dark to bright."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NOTHING = 128  # grey
_STOPS = np.array([[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]], float)


def paint(values: NDArray[Any], seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The red, green and blue of numbers from 0 to the largest of them; grey where nothing was seen."""
    most = float(values.max(initial=0))
    at = (values / most if most > 0 else np.zeros(values.shape)) * (len(_STOPS) - 1)
    stops = np.arange(len(_STOPS))
    colours = np.stack([np.interp(at, stops, _STOPS[:, band]) for band in range(3)], -1)
    return np.where(seen[..., np.newaxis], np.rint(colours), NOTHING).astype(np.uint8)
