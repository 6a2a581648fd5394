"""crackle: its codec goes by what the header says, so that is compared with what is expected first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of integers
Shape = tuple[int, int, int, int]


def encode_crackle(voxels: Array) -> bytes:
    import crackle

    return bytes(crackle.compress(np.asfortranarray(voxels[..., 0]), parallel=1))


def decode_crackle(data: bytes, shape: Shape, dtype: np.dtype[Any]) -> Array:
    import crackle

    check_crackle(data, shape, dtype)
    voxels: Array = crackle.decompress(data, parallel=1)
    return voxels.reshape(shape, order="F")


def check_crackle(data: bytes, shape: Shape, dtype: np.dtype[Any]) -> None:
    """Raise ValueError if the list of where each plane begins points beyond the end; check sums follow the last plane."""
    import crackle

    head = crackle.header(data)
    if (head.sx, head.sy, head.sz) != shape[:3] or head.data_width != dtype.itemsize:
        raise ValueError(f"it holds {head.sx} x {head.sy} x {head.sz} voxels of {head.data_width} bytes each")
    sums = 4 * head.sz + 4 if head.format_version > 0 else 0
    least = int(crackle.codec.grid_index(data)[-1]) + sums
    if len(data) < least:
        raise ValueError(f"it has {len(data):,} bytes where at least {least:,} are expected")
