"""jpeg: one channel as grey, three as colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.layers.codecs.picture import Shape, check_size, lay_out, take_apart

Array = NDArray[Any]  # uint8

_END = b"\xff\xd9"
_BEHIND = 1024  # bytes that may follow the end
_QUALITY = 85


def encode_jpeg(voxels: Array, quality: int | None) -> bytes:
    import simplejpeg

    picture = np.ascontiguousarray(lay_out(voxels))
    quality = _QUALITY if quality is None else quality
    if voxels.shape[3] == 1:
        return bytes(simplejpeg.encode_jpeg(picture, quality, "GRAY", "GRAY"))
    return bytes(simplejpeg.encode_jpeg(picture, quality, "RGB"))


def decode_jpeg(data: bytes, shape: Shape) -> Array:
    import simplejpeg

    check_jpeg(data, shape)
    return take_apart(simplejpeg.decode_jpeg(data, "GRAY" if shape[3] == 1 else "RGB"), shape)


def check_jpeg(data: bytes, shape: Shape) -> None:
    import simplejpeg

    if _END not in data[-_BEHIND:]:
        raise ValueError("it has no end")
    height, width, *_ = simplejpeg.decode_jpeg_header(data)
    check_size(width, height, shape)
