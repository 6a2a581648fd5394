"""Chunks into bytes and back: who does it for which encoding."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teravox.pipeline.layers.codecs.compressed_segmentation import (
    decode_label_modes,
    decode_labels,
    encode_labels,
)
from teravox.pipeline.layers.codecs.compresso import decode_compresso, encode_compresso
from teravox.pipeline.layers.codecs.crackle import decode_crackle, decode_crackle_modes, encode_crackle
from teravox.pipeline.layers.codecs.fpzip import decode_fpzip, decode_kempressed, encode_fpzip, encode_kempressed
from teravox.pipeline.layers.codecs.jpeg import decode_jpeg, encode_jpeg
from teravox.pipeline.layers.codecs.jxl import decode_jxl, encode_jxl
from teravox.pipeline.layers.codecs.png import decode_png, encode_png
from teravox.pipeline.layers.codecs.zfpc import decode_zfpc, encode_zfpc
from teravox.pipeline.layers.encodings import BLOCK, check_installed, unknown_encoding
from teravox.pipeline.layers.info import Scale

Array = NDArray[Any]  # of the layer's data type
Shape = tuple[int, int, int, int]
DataType = np.dtype[Any]


def most_bytes(encoding: str, shape: Shape, dtype: DataType) -> int:
    """The most bytes that a chunk may have encoded: what needs more was damaged, or is meant to fill the memory."""
    times = 8 if encoding == "zfpc" else 2  # zfp makes four of the last dimension, which may be one
    return times * math.prod(shape) * dtype.itemsize + (1 << 16)


def encode(voxels: Array, scale: Scale) -> bytes:
    """The bytes of a chunk of x, y, z and channel."""
    encoder = _ENCODERS.get(scale.encoding)
    if encoder is None:
        raise unknown_encoding(scale.encoding)
    return encoder(voxels, scale)


def decode(data: bytes | bytearray, scale: Scale, shape: Shape, dtype: DataType, out: Array | None = None) -> Array:
    """The voxels of a chunk; ValueError says what is wrong with its bytes.

    They are put into `out`, if it is given: an array of this shape, which may be a part of a larger one.
    Without it, the array may be read-only.
    """
    if not data:
        raise ValueError("it is empty")
    voxels = (
        _decode_raw(data, shape, dtype)
        if scale.encoding == "raw"
        else _decode_by_library(bytes(data), scale, shape, dtype, out)
    )
    if voxels.shape != shape or voxels.dtype != dtype:
        raise ValueError(f"it holds {voxels.dtype} of shape {voxels.shape} where {dtype} of {shape} is expected")
    if out is None or voxels is out:
        return voxels
    out[...] = voxels
    return out


def decode_modes(data: bytes | bytearray, scale: Scale, shape: Shape, dtype: DataType, out: Array) -> bool:
    """Put the most frequent label of each cell of 2 x 2 x 1 voxels into `out`, if that can be had without decoding; whether it was.

    ValueError says what is wrong with the bytes.
    """
    if scale.encoding == "crackle":
        return decode_crackle_modes(data, shape, dtype, out)
    if scale.encoding != "compressed_segmentation" or not data:
        return False
    return decode_label_modes(bytes(data), shape, dtype, _block(scale), out)


def _decode_by_library(data: bytes, scale: Scale, shape: Shape, dtype: DataType, out: Array | None) -> Array:
    decoder = _DECODERS.get(scale.encoding)
    if decoder is None:
        raise unknown_encoding(scale.encoding)
    check_installed(scale.encoding)
    try:
        return decoder(data, scale, shape, dtype, out)
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 - each codec has exceptions of its own
        raise ValueError(f"its {scale.encoding} data are broken ({error})") from None


def _decode_raw(data: bytes | bytearray, shape: Shape, dtype: DataType) -> Array:
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise ValueError(f"it has {len(data):,} bytes where {expected:,} are expected")
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape, order="F")


def _block(scale: Scale) -> tuple[int, int, int]:
    return scale.compressed_segmentation_block_size or BLOCK


_ENCODERS: dict[str, Callable[[Array, Scale], bytes]] = {
    "raw": lambda voxels, _: voxels.tobytes("F"),
    "jpeg": lambda voxels, scale: encode_jpeg(voxels, scale.jpeg_quality),
    "jxl": lambda voxels, scale: encode_jxl(voxels, scale.jxl_quality, scale.jxl_effort, scale.jxl_decodingspeed),
    "png": lambda voxels, scale: encode_png(voxels, scale.png_level),
    "compressed_segmentation": lambda voxels, scale: encode_labels(voxels, _block(scale)),
    "compresso": lambda voxels, _: encode_compresso(voxels),
    "crackle": lambda voxels, _: encode_crackle(voxels),
    "fpzip": lambda voxels, scale: encode_fpzip(voxels, scale.fpzip_precision),
    "kempressed": lambda voxels, _: encode_kempressed(voxels),
    "zfpc": lambda voxels, scale: encode_zfpc(
        voxels, scale.zfpc_rate, scale.zfpc_precision, scale.zfpc_tolerance, scale.zfpc_correlated_dims
    ),
}

_DECODERS: dict[str, Callable[[bytes, Scale, Shape, DataType, Array | None], Array]] = {
    "jpeg": lambda data, _, shape, __, ___: decode_jpeg(data, shape),
    "jxl": lambda data, _, shape, __, ___: decode_jxl(data, shape),
    "png": lambda data, _, shape, __, ___: decode_png(data, shape),
    "compressed_segmentation": lambda data, scale, shape, dtype, out: decode_labels(
        data, shape, dtype, _block(scale), out
    ),
    "compresso": lambda data, _, shape, dtype, __: decode_compresso(data, shape, dtype),
    "crackle": lambda data, _, shape, dtype, out: decode_crackle(data, shape, dtype, out),
    "fpzip": lambda data, _, shape, __, ___: decode_fpzip(data, shape),
    "kempressed": lambda data, _, shape, __, ___: decode_kempressed(data, shape),
    "zfpc": lambda data, _, shape, __, ___: decode_zfpc(data, shape),
}
