"""crackle: what the header says is compared with what is expected first, since its library goes by that."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of integers
Shape = tuple[int, int, int, int]
_VERSION, _FLAGS, _SUM = 4, 5, 28  # bytes of the header; the sum, which is of the bytes before it, came with version 1
_FORTRAN = 0x80
WORD = 4  # bytes; smaller labels are unpacked as larger ones, for which there is a loop


def encode_crackle(voxels: Array) -> bytes:
    from teravox.kernels.crackle.pack import pack_crackle

    return pack_crackle(voxels[..., 0])


def decode_crackle(data: bytes | bytearray, shape: Shape, dtype: np.dtype[Any], out: Array | None = None) -> Array:
    """Into `out`, where it is given and lies in memory as it must, or else into an array of its own."""
    from teravox.kernels.compressed_segmentation.memory import has_rows

    place = out
    if place is None or not has_rows(place) or dtype.itemsize < WORD:
        place = np.empty(shape, np.promote_types(dtype, np.uint32), order="F")
    if _unpack(data, shape, dtype, place, modes=False):
        return place.astype(dtype, copy=False)
    return _decode_by_library(bytes(data), shape, dtype)


def decode_crackle_modes(data: bytes | bytearray, shape: Shape, dtype: np.dtype[Any], out: Array) -> bool:
    """Put the most frequent label of each cell of 2 x 2 x 1 voxels into `out`, without unpacking the voxels, if that can be done."""
    from teravox.kernels.compressed_segmentation.memory import has_rows

    if shape[0] % 2 or shape[1] % 2 or not has_rows(out) or dtype.itemsize < WORD:
        return False
    return _unpack(data, shape, dtype, out, modes=True)


def _unpack(data: bytes | bytearray, shape: Shape, dtype: np.dtype[Any], out: Array, *, modes: bool) -> bool:
    """Fill an array with labels or with the modes of cells; False where the data are of a sort that only the library reads."""
    from teravox.kernels.crackle.header import Header
    from teravox.kernels.crackle.unpack import look_into, unpack_labels

    header = Header.unpack(data)
    if header is None:
        return False
    _check_size(header.size, header.itemsize, shape, dtype)
    unpack_labels(look_into(data, header, out.dtype), out[..., 0], modes=modes)
    return True


def _check_size(size: tuple[int, int, int], itemsize: int, shape: Shape, dtype: np.dtype[Any]) -> None:
    if size != shape[:3] or itemsize != dtype.itemsize:
        raise ValueError(f"it holds {size[0]} x {size[1]} x {size[2]} voxels of {itemsize} bytes each")


def _decode_by_library(data: bytes, shape: Shape, dtype: np.dtype[Any]) -> Array:
    """For those with a Markov model or pins, and of the version without check sums."""
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


def check_crackle(data: bytes | bytearray, shape: Shape, dtype: np.dtype[Any]) -> None:
    """Raise ValueError if the list of where each plane begins points beyond the end, behind which are check sums, or if labels are wrong.

    The planes have sums of their own, which are looked at when they are decoded; those of the labels only here.
    """
    import crackle

    head = crackle.header(data)
    _check_size((head.sx, head.sy, head.sz), head.data_width, shape, dtype)
    sums = 4 * head.sz + 4 if head.format_version > 0 else 0
    least = int(crackle.codec.grid_index(data)[-1]) + sums
    if len(data) < least:
        raise ValueError(f"it has {len(data):,} bytes where at least {least:,} are expected")
    if sums and crackle.lib.crc32c(bytes(crackle.codec.raw_labels(data))) != crackle.codec.labels_crc(data):
        raise ValueError("the check sum of its labels is wrong")
