"""zfpc: several zfp streams behind a header and the list of their lengths."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32
Shape = tuple[int, int, int, int]

_HEADER = struct.Struct("<4sBBIIIIB")  # as https://github.com/seung-lab/zfpc lays it out
_FLOAT32 = 3
_AWAY = -1.0  # what zfpc takes for a parameter that is not given


def encode_zfpc(
    voxels: Array,
    rate: float | None,
    precision: float | None,
    tolerance: float | None,
    correlated: tuple[bool, ...] | None,
) -> bytes:
    import zfpc

    return bytes(
        zfpc.compress(
            np.asfortranarray(voxels),
            correlated_dims=[True] * 4 if correlated is None else list(correlated),
            rate=_AWAY if rate is None else rate,
            precision=_AWAY if precision is None else precision,
            tolerance=_AWAY if tolerance is None else tolerance,
        )
    )


def decode_zfpc(data: bytes, shape: Shape) -> Array:
    import zfpc

    check_zfpc(data, shape)
    voxels: Array = zfpc.decompress(data)
    return voxels.reshape(shape, order="F")


def check_zfpc(data: bytes, shape: Shape) -> None:
    """Raise ValueError if the streams are not as many, as long and as large as the chunk needs them."""
    import zfpy

    if len(data) < _HEADER.size:
        raise ValueError(f"it ends within its header, after {len(data):,} bytes")
    magic, version, sort, *size, correlated = _HEADER.unpack_from(data)
    if magic != b"zfpc" or version > 0 or sort & 7 != _FLOAT32:
        raise ValueError("it does not begin as zfpc data of float32 do")
    if tuple(max(n, 1) for n in size) != shape:
        raise ValueError(f"it holds {' x '.join(map(str, size))} voxels")
    is_correlated = [bool(correlated >> axis & 1) for axis in range(4)]
    streams = math.prod(n for n, together in zip(shape, is_correlated, strict=True) if not together)
    each = math.prod(n for n, together in zip(shape, is_correlated, strict=True) if together)
    index = data[_HEADER.size : _HEADER.size + 8 * (1 + streams)]
    if len(index) < 8 * (1 + streams):
        raise ValueError("it ends within its list of streams")
    at, *lengths = (int(number) for number in np.frombuffer(index, "<u8"))
    if at != _HEADER.size + len(index) or at + sum(lengths) != len(data):
        raise ValueError(f"it has {len(data):,} bytes where {at + sum(lengths):,} are expected")
    for length in lengths:
        head = zfpy.header(data[at : at + length])
        if math.prod(max(head[side], 1) for side in ("nx", "ny", "nz", "nw")) != each or head["type"] != np.float32:
            raise ValueError("one of its streams does not hold the voxels that it should")
        at += length
