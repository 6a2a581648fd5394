"""crackle: its codec goes by what the header says, so that is compared with what is expected first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of integers
Shape = tuple[int, int, int, int]
_VERSION, _FLAGS, _SUM = 4, 5, 28  # bytes of the header; the sum, which is of the bytes before it, came with version 1
_FORTRAN = 0x80


def encode_crackle(voxels: Array) -> bytes:
    import crackle

    return bytes(crackle.compress(np.asfortranarray(voxels[..., 0]), parallel=1))


def decode_crackle(data: bytes, shape: Shape, dtype: np.dtype[Any]) -> Array:
    import crackle

    check_crackle(data, shape, dtype)
    voxels: Array = crackle.decompress(_in_fortran_order(data), parallel=1)
    return voxels.reshape(shape, order="F")


def _in_fortran_order(data: bytes) -> bytes:
    """The same chunk, to be decoded in Fortran order.

    Its planes are stored in one way, and a flag of the header says in which order they are wanted; a chunk that was made
    of an array in C order would be decoded with long strides, to be copied into Fortran order after that.
    """
    if data[_FLAGS] & _FORTRAN:
        return data
    turned = bytearray(data)
    turned[_FLAGS] |= _FORTRAN
    if turned[_VERSION] > 0:
        from crackle.headers import crc8

        turned[_SUM] = crc8(turned[_FLAGS:_SUM])
    return bytes(turned)


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
