"""Labels to pack as crackle, of which some are noise."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from layers.make import Array, Vec


@st.composite
def labels_of_cells(draw: st.DrawFn, most: Vec = (70, 20, 4)) -> Array:
    """Cubes of random labels, perhaps the highest there are, and perhaps with single voxels of another one."""
    size = draw(st.tuples(*[st.integers(1, n) for n in most]))
    dtype = draw(st.sampled_from(["uint8", "uint16", "uint32", "uint64"]))
    side = draw(st.integers(1, 6))
    count = draw(st.sampled_from([1, 2, 3, 6, 200]))
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    coarse = random.integers(0, count, [-(-n // side) for n in size]).astype(dtype)
    labels = coarse.repeat(side, 0).repeat(side, 1).repeat(side, 2)[: size[0], : size[1], : size[2]]
    if draw(st.booleans()):
        labels = np.iinfo(dtype).max - labels
    if draw(st.booleans()):
        labels = np.where(random.random(labels.shape) < 0.03, labels.dtype.type(7), labels)
    return np.asfortranarray(labels)
