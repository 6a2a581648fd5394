"""jxl: JPEG XL, lossless at quality 100."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.layers.codecs.picture import Shape, lay_out, take_apart

Array = NDArray[Any]  # uint8

_QUALITY, _EFFORT = 85, 5


def encode_jxl(voxels: Array, quality: int | None, effort: int | None, decoding_speed: int | None) -> bytes:
    import imagecodecs

    quality = _QUALITY if quality is None else quality
    return bytes(
        imagecodecs.jpegxl_encode(
            np.ascontiguousarray(lay_out(voxels)[..., 0]),
            photometric="GRAY",
            level=quality,
            lossless=quality >= 100,
            effort=_EFFORT if effort is None else effort,
            decodingspeed=decoding_speed or 0,
            numthreads=1,
        )
    )


def decode_jxl(data: bytes, shape: Shape) -> Array:
    import imagecodecs

    picture = np.empty((shape[1] * shape[2], shape[0]), np.uint8)  # one of any other size is refused
    imagecodecs.jpegxl_decode(data, numthreads=1, out=picture)
    return take_apart(picture, shape)
