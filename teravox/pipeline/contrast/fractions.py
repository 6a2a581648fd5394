"""How often the values of an image of fractions occur, in bins of the range that they have, by chunks that stand for all of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from teravox.pipeline.box import Box, Grid
from teravox.pipeline.layers.layer import Layer
from teravox.pipeline.planning.sample import choose_places

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.uint64]
    Floats = NDArray[np.float32]

BINS = 65_536
MOST = 1 << 26  # voxels that are looked at, twice


class Binned(NamedTuple):
    """Counts by value: those of bin 0 begin at `low`, and each bin is `width` wide."""

    counts: Counts
    low: float
    width: float


def count_fractions(layer: Layer, mip: int, channel: int, *, fill_missing: bool) -> Binned:
    """The counts of a channel; what is 0, infinite or no number does not count. ValueError where nothing is left, or one value."""
    import numpy as np

    scale = layer.scale(mip)
    chunks = Grid(scale.bounds, scale.chunk)
    chosen = choose_places(len(chunks), max(1, MOST // math.prod(scale.chunk)))

    def read(place: int) -> Floats:
        return _values(layer, mip, chunks[place], channel, fill_missing=fill_missing)

    low, high = math.inf, -math.inf
    for values in map(read, chosen):
        if len(values):
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    width = (high - low) / BINS
    if not 0 < width < math.inf:
        raise ValueError(f"{int(low == high)} grey values occur, and two are the least that can be parted")
    counts = np.zeros(BINS, np.uint64)
    for values in map(read, chosen):
        bins = ((values.astype(np.float64) - low) / width).astype(np.int64)
        counts += np.bincount(np.minimum(bins, BINS - 1), minlength=BINS).astype(np.uint64)
    return Binned(counts, low, width)


def _values(layer: Layer, mip: int, box: Box, channel: int, *, fill_missing: bool) -> Floats:
    import numpy as np

    voxels = layer.read(box, mip, fill_missing=fill_missing)[..., channel]
    values: Floats = voxels[np.isfinite(voxels) & (voxels != 0)]
    return values
