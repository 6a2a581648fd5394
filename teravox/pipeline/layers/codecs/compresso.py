"""compresso: its codec trusts what it reads, so lengths and sums are checked first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.kernels.compresso_format import SIZE, Header, read_header

Array = NDArray[Any]  # of unsigned integers
Shape = tuple[int, int, int, int]

_MOST_SIDE = 65_535


def encode_compresso(voxels: Array) -> bytes:
    from teravox.kernels.compresso import pack_compresso

    if max(voxels.shape) > _MOST_SIDE:
        raise OverflowError(f"compresso takes chunks of at most {_MOST_SIDE:,} voxels a side")
    data = pack_compresso(voxels[..., 0])
    if data is not None:
        return data
    import compresso

    writable = np.require(voxels[..., 0], None, ["F", "W"])  # it refuses arrays that are read-only
    return bytes(compresso.compress(writable))


def decode_compresso(data: bytes, shape: Shape, dtype: np.dtype[Any]) -> Array:
    import compresso

    check_compresso(data, shape, dtype)
    voxels: Array = compresso.decompress(data)
    return voxels.reshape(shape, order="F")


def check_compresso(data: bytes, shape: Shape, dtype: np.dtype[Any]) -> None:
    """Raise ValueError if the data end too early, or say what cannot be.

    Their last part but one says, run by run, which pattern of boundaries each window has, and has no length of its own:
    it is whole if its runs make as many windows as the chunk has.
    """
    if len(data) < SIZE:
        raise ValueError(f"it ends within its header, after {len(data):,} bytes")
    head = read_header(data)
    if head.magic != b"cpso" or head.version > 1 or head.connectivity not in (4, 6):
        raise ValueError("it does not begin as compresso data do")
    if (head.sx, head.sy, head.sz) != shape[:3] or head.data_width != dtype.itemsize:
        raise ValueError(f"it holds {head.sx} x {head.sy} x {head.sz} voxels of {head.data_width} bytes each")
    steps = (head.xstep, head.ystep, head.zstep)
    if not 0 < math.prod(steps) <= 64:
        raise ValueError(f"its windows have {math.prod(steps)} voxels, and there are none of this size")
    width = head.window_width
    index = _index_width(head) * head.sz if head.version == 1 else 0
    begin = SIZE + (head.ids + head.locations) * head.data_width + head.values * width
    end = len(data) - 2 * index
    if begin > end or (end - begin) % width:
        raise ValueError(f"it has {len(data):,} bytes where at least {begin + 2 * index:,} are expected")
    runs = np.frombuffer(data[begin:end], f"<u{width}")
    are_zero = (runs & 1).astype(bool)
    numbers = runs >> 1
    windows = int(numbers[are_zero].sum(dtype=np.uint64)) + int((~are_zero).sum())
    expected = math.prod(-(-n // step) for n, step in zip(shape, steps, strict=False))
    if windows != expected or int(numbers[~are_zero].max(initial=0)) >= max(head.values, 1):
        raise ValueError(f"it describes {windows:,} windows where {expected:,} are expected")
    if index:
        _check_planes(data[end:], head)


def _check_planes(data: bytes, head: Header) -> None:
    """By the list of how many ids and locations each plane needs."""
    planes = np.frombuffer(data, f"<u{_index_width(head)}").reshape(2, head.sz)
    ids, locations = planes.sum(axis=1, dtype=np.uint64).tolist()
    if ids != head.ids or locations > head.locations:
        raise ValueError(f"its planes need {ids:,} ids and {locations:,} locations, and it has other numbers")


def _index_width(head: Header) -> int:
    """The bytes of a number in that list, by the most that it could be."""
    most = 2 * head.sx * head.sy
    return next(width for width in (1, 2, 4, 8) if most < (1 << 8 * width) - 1)
